/* Subprocesses: their pipes and their ends. What waits for what is told through pipes, not by time. */
#include "scene.h"

#include <signal.h>
#include <sys/wait.h>

enum { MEGABYTE = 1000000 };
static const tow_stdio with_null[] = {TOW_NULL, TOW_PIPE, TOW_PIPE};

/* ---- Pipes ---- */

static void echo_megabyte(scene *s) {
  static unsigned char data[MEGABYTE];
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (unsigned char)(i * 131 + (i >> 8) * 17);
  end *e = spawn(s, "exec:cat", NULL);
  CHECK(s, e && tow_transport_get_pid(e->transport) > 0 && returncode(e) == -1000);
  CHECK(s, tow_transport_write(pipe_of(e, 0), data, sizeof data) == 0);
  CHECK(s, e->paused == 1 && e->resumed == 0);
  CHECK(s, tow_transport_can_write_eof(pipe_of(e, 0)) && tow_transport_write_eof(pipe_of(e, 0)) == 0);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->pipes[1].received == sizeof data && e->pipes[1].sum == checksum(0, data, sizeof data));
  CHECK(s, e->resumed == 1 && e->code == 0 && e->exited == 1 && returncode(e) == 0);
  for (int fd = 0; fd < 3; fd++)
    CHECK(s, e->pipes[fd].lost == 1 && e->pipes[fd].code == 0);
  CHECK(s, !tow_uv_run(s->loop));
}

static void pipe_transports(scene *s) {
  char text[16];
  end *e = shell(s, "exec cat", NULL);
  CHECK(s, e);
  CHECK(s, tow_transport_get_extra_info(pipe_of(e, 1), "pipe", text, sizeof text) > 0 && atoi(text) > 2);
  CHECK(s, tow_transport_get_extra_info(pipe_of(e, 1), "peername", text, sizeof text) == TOW_ENOENT);
  CHECK(s, tow_transport_write(pipe_of(e, 1), "x", 1) == TOW_ENOTSUP);
  CHECK(s, tow_transport_write(e->transport, "x", 1) == TOW_ENOTSUP);
  CHECK(s, !tow_transport_can_write_eof(pipe_of(e, 1)) && !pipe_of(e, 3) && !pipe_of(e, -1));
  tow_transport_close(pipe_of(e, 0));
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == 0);
}

/* Its output's reader goes: the child is told as by any pipe. */
static void close_output(scene *s) {
  end *e = shell(s, "while echo x; do :; done", with_null);
  CHECK(s, e);
  UNTIL(s, e->pipes[1].received > 0);
  tow_transport_close(pipe_of(e, 1));
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == -SIGPIPE && e->pipes[1].code == 0);
}

/* The child closes its input, and runs on. */
static void input_closed(scene *s) {
  end *e = shell(s, "exec 0<&-; exec sleep 100", NULL);
  CHECK(s, e);
  UNTIL(s, e->pipes[0].lost == 1);
  CHECK(s, e->pipes[0].code == 0 && returncode(e) == -1000 && tow_transport_is_closing(pipe_of(e, 0)));
  tow_transport_close(e->transport);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->pipes[0].lost == 1);
}

static void input_closed_with_queue(scene *s) {
  static const char data[MEGABYTE];
  end *e = shell(s, "read x; exec 0<&-; exec sleep 100", NULL);
  CHECK(s, e);
  put(e, "x\n");
  tow_transport_write(pipe_of(e, 0), data, sizeof data);
  UNTIL(s, e->pipes[0].lost == 1);
  CHECK(s, e->pipes[0].code == TOW_EPIPE && returncode(e) == -1000);
  CHECK(s, e->paused == 1 && e->resumed == 0);
}

/* It dies with input queued [X8]; also when that was being flushed. */
static void dies_unread(scene *s) {
  static const char data[MEGABYTE];
  for (int closing = 0; closing < 2; closing++) {
    end *e = shell(s, "read x; exit 2", NULL);
    CHECK(s, e);
    put(e, "x\n");
    tow_transport_write(pipe_of(e, 0), data, sizeof data);
    if (closing) tow_transport_close(pipe_of(e, 0));
    UNTIL(s, e->lost == 1);
    CHECK(s, e->pipes[0].code == TOW_EPIPE && returncode(e) == 2 && e->code == 0);
  }
}

static int pause_output(end *e, const char *event) {
  if (strcmp(event, "CM") != 0) return 0;
  tow_transport_pause_reading(pipe_of(e, 1));
  tow_transport_pause_reading(pipe_of(e, 2));
  return 0;
}

/* Nobody reads a megabyte of errors: the child waits, nothing is lost. */
static void unread_errors(scene *s) {
  s->client.on = pause_output;
  end *e = shell(s, "echo begun; head -c 1000000 /dev/zero >&2; echo done", with_null);
  CHECK(s, e);
  tow_transport_resume_reading(pipe_of(e, 1));
  UNTIL(s, e->pipes[1].received > 0);
  turns(s, 20);
  CHECK(s, strcmp(e->pipes[1].text, "begun\n") == 0 && e->pipes[2].received == 0 && returncode(e) == -1000);
  tow_transport_resume_reading(pipe_of(e, 2));
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "begun\ndone\n") == 0 && e->pipes[2].received == MEGABYTE);
}

/* Paused, the exit comes first; output and its end wait. */
static void paused(scene *s) {
  s->client.on = pause_output;
  end *e = shell(s, "echo hello", with_null);
  CHECK(s, e);
  UNTIL(s, e->exited == 1);
  turns(s, 10);
  CHECK(s, strcmp(e->order, "x") == 0 && e->lost == 0);
  tow_transport_resume_reading(pipe_of(e, 1));
  UNTIL(s, e->pipes[1].lost == 1);
  tow_transport_resume_reading(pipe_of(e, 2));
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->order, "xd12") == 0);
}

/* Output is closed long before the exit. */
static void pipe_first(scene *s) {
  end *e = shell(s, "echo hello; exec 1>&-; read x; exit 7", (tow_stdio[]){TOW_PIPE, TOW_PIPE, TOW_NULL});
  CHECK(s, e);
  UNTIL(s, e->pipes[1].lost == 1);
  put(e, "go\n");
  UNTIL(s, e->lost == 1);
  CHECK(s, memcmp(e->order, "d1", 2) == 0 && strcmp(e->pipes[1].text, "hello\n") == 0 && returncode(e) == 7);
}

/* A grandchild has the output: the end waits for it. */
static void grandchild(scene *s) {
  end *e = shell(s, "exec 3<&0; cat <&3 2>&- & exit 3", NULL);
  CHECK(s, e);
  UNTIL(s, e->exited == 1 && e->pipes[2].lost == 1);
  turns(s, 10);
  CHECK(s, returncode(e) == 3 && e->pipes[1].lost == 0 && e->pipes[0].lost == 0 && e->lost == 0);
  CHECK(s, !tow_transport_is_closing(e->transport) && tow_transport_kill(e->transport) == 0);
  put(e, "still here");
  UNTIL(s, e->pipes[1].received == 10);
  tow_transport_close(pipe_of(e, 0));
  UNTIL(s, e->lost == 1);
}

/* ... unless we close. */
static void grandchild_and_close(scene *s) {
  end *e = shell(s, "exec 3<&0; cat <&3 2>&- & exit 3", NULL);
  CHECK(s, e);
  UNTIL(s, e->exited == 1);
  tow_transport_close(e->transport);
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == 3);
}

/* ---- Ends ---- */

static int note_code(end *e, const char *event) {
  if (strcmp(event, "PX") == 0) e->native = returncode(e);
  return 0;
}

static void codes(scene *s) {
  static const struct {
    const char *script;
    int code;
  } ends[] = {{"exit 0", 0},         {"exit 3", 3},          {"exit 255", 255},     {"kill -KILL $$", -9},
              {"kill -ABRT $$", -6}, {"kill -TERM $$", -15}, {"kill -SEGV $$", -11}};
  s->client.on = note_code;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    end *e = shell(s, ends[i].script, NULL);
    CHECK(s, e);
    UNTIL(s, e->lost == 1);
    CHECK(s, e->exited == 1 && e->native == ends[i].code && returncode(e) == ends[i].code && e->code == 0);
  }
}

static void signals(scene *s) {
  end *e = shell(s, "trap 'echo caught; exit 5' USR1; echo ready; while read x; do :; done", NULL);
  CHECK(s, e);
  UNTIL(s, e->pipes[1].received == 6);
  CHECK(s, tow_transport_send_signal(e->transport, 12345) == TOW_EINVAL);
  CHECK(s, tow_transport_send_signal(e->transport, 0) == 0);
  CHECK(s, tow_transport_send_signal(e->transport, SIGUSR1) == 0);
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "ready\ncaught\n") == 0 && returncode(e) == 5);
  CHECK(s, tow_transport_kill(e->transport) == TOW_ESRCH && tow_transport_terminate(e->transport) == TOW_ESRCH);
}

static void terminate(scene *s) {
  end *e = shell(s, "exec cat", NULL);
  CHECK(s, e && tow_transport_terminate(e->transport) == 0);
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == -SIGTERM);
}

static void terminate_ignored(scene *s) {
  end *e = shell(s, "trap '' TERM; echo ready; exec cat", NULL);
  CHECK(s, e);
  UNTIL(s, e->pipes[1].received == 6);
  CHECK(s, tow_transport_terminate(e->transport) == 0);
  put(e, "still here");
  UNTIL(s, e->pipes[1].received == 16);
  CHECK(s, returncode(e) == -1000 && tow_transport_kill(e->transport) == 0);
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == -SIGKILL);
}

/* It has ended, and nobody knows yet: nothing happens to it, nor to anybody else. */
static void ended_just_now(scene *s) {
  end *e = shell(s, "read x", NULL);
  CHECK(s, e);
  put(e, "go\n");
  siginfo_t info;
  CHECK(s, waitid(P_PID, (id_t)tow_transport_get_pid(e->transport), &info, WEXITED | WNOWAIT) == 0);
  CHECK(s, returncode(e) == -1000 && tow_transport_kill(e->transport) == 0);
  UNTIL(s, e->exited == 1);
  CHECK(s, tow_transport_kill(e->transport) == (e->lost ? TOW_ESRCH : 0));
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == 0);
}

static void closed(scene *s) {
  end *e = shell(s, "trap '' TERM; exec cat", NULL);
  CHECK(s, e);
  tow_transport_close(e->transport);
  CHECK(s, tow_transport_is_closing(e->transport) && e->exited == 0);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->exited == 1 && returncode(e) == -SIGKILL && e->code == 0);
  for (int fd = 0; fd < 3; fd++)
    CHECK(s, e->pipes[fd].lost == 1);
}

static int close_in_made(end *e, const char *event) {
  if (strcmp(event, "CM") == 0) tow_transport_close(e->transport);
  return 0;
}

static void closed_in_made(scene *s) {
  s->client.on = close_in_made;
  end *e = shell(s, "exec cat", NULL);
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == -SIGKILL);
}

const test process_tests[] = {
    {"X2 a megabyte through cat and back", echo_megabyte},
    {"X10 pipe transports", pipe_transports},
    {"X10 closing its output", close_output},
    {"E7 the child closes its input", input_closed},
    {"E7 the child closes its input, with bytes queued", input_closed_with_queue},
    {"X8 the child dies with bytes queued", dies_unread},
    {"R1 a megabyte of errors that nobody reads", unread_errors},
    {"X3 paused, the exit comes first", paused},
    {"X3 the pipe's end comes first", pipe_first},
    {"X4 a grandchild holds the output", grandchild},
    {"X7 a grandchild holds the output, and we close", grandchild_and_close},
    {"X5 return codes", codes},
    {"X6 signals", signals},
    {"X5 terminate", terminate},
    {"X5 terminate ignored, then kill", terminate_ignored},
    {"X6 a child that has just ended", ended_just_now},
    {"X7 close", closed},
    {"X7 close in connection_made", closed_in_made},
    {NULL, NULL},
};
