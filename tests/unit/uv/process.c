/* Subprocesses: their pipes, their ends, their surroundings. What waits for what is told through pipes, not by time. */
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { MEGABYTE = 1000000 };
static const tow_stdio with_null[] = {TOW_NULL, TOW_PIPE, TOW_PIPE};

/* ---- Helpers ---- */

/* A shell that runs this; `stdio` NULL: three pipes. */
static end *shell(scene *s, const char *script, const tow_stdio *stdio) {
  const char *const arguments[] = {"-c", script, NULL};
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  options.arguments = arguments;
  if (stdio) memcpy(options.stdio, stdio, sizeof options.stdio);
  return spawn(s, "exec:/bin/sh", &options);
}

static tow_transport *pipe_of(const end *e, int fd) {
  return tow_transport_get_pipe_transport(e->transport, fd);
}

static int put(const end *e, const char *text) {
  return tow_transport_write(pipe_of(e, 0), text, strlen(text));
}

/* -1000: it runs. */
static int returncode(const end *e) {
  int code;
  return tow_transport_get_returncode(e->transport, &code) ? code : -1000;
}

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
  CHECK(s, e->pipes[0].code == 0 && returncode(e) == -1000 && !pipe_of(e, 0));
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

/* ---- Standard input, output, errors ---- */

static void merged(scene *s) {
  static const char script[] = "echo one; echo two >&2; echo three";
  end *e = shell(s, script, (tow_stdio[]){TOW_NULL, TOW_PIPE, TOW_STDOUT});
  CHECK(s, e && !pipe_of(e, 0) && pipe_of(e, 1) && !pipe_of(e, 2));
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "one\ntwo\nthree\n") == 0);
  CHECK(s, e->pipes[0].lost == 0 && e->pipes[1].lost == 1 && e->pipes[2].lost == 0);
  e = shell(s, script, (tow_stdio[]){TOW_NULL, TOW_NULL, TOW_STDOUT});
  CHECK(s, e && !pipe_of(e, 1) && !pipe_of(e, 2));
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == 0 && strcmp(e->order, "x") == 0);
}

static void null(scene *s) {
  end *e = shell(s, "cat && echo nothing", with_null);
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "nothing\n") == 0 && returncode(e) == 0);
}

static void inherited(scene *s) {
  char own[100] = "";
  CHECK(s, readlink("/proc/self/fd/1", own, sizeof own - 2) > 0);
  strcat(own, "\n");
  end *e = shell(s, "x=$(readlink /proc/$$/fd/1); echo $x >&2", (tow_stdio[]){TOW_INHERIT, TOW_INHERIT, TOW_PIPE});
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[2].text, own) == 0);
  e = shell(s, "x=$(readlink /proc/$$/fd/2); y=$(readlink /proc/$$/fd/1); test \"$x\" = \"$y\"",
            (tow_stdio[]){TOW_NULL, TOW_INHERIT, TOW_STDOUT});
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, returncode(e) == 0);
}

/* Pipes, not sockets: they can be opened by name. */
static void by_name(scene *s) {
  end *e = shell(s, "cat /dev/stdin > /dev/stdout; echo err > /dev/stderr", NULL);
  CHECK(s, e);
  put(e, "in");
  tow_transport_close(pipe_of(e, 0));
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "in") == 0 && strcmp(e->pipes[2].text, "err\n") == 0);
}

/* Three descriptors and no more, and signals as they are by default: SIGPIPE, which is ignored here, too. */
static void clean(scene *s) {
  for (int fd = 3; fd < 1024; fd++) /* those that this program was given */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  end *e = shell(s, "ls /proc/$$/fd; exec 0<&-; kill -PIPE $$", NULL);
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "0\n1\n2\n") == 0 && returncode(e) == -SIGPIPE);
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

/* ---- Surroundings ---- */

static void arguments(scene *s) {
  const char *const list[] = {"%s|", "", "a b", "\"'$x", "\xc3\xa9", NULL};
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  options.arguments = list;
  end *e = spawn(s, "exec:printf", &options);
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "|a b|\"'$x|\xc3\xa9|") == 0);
}

static void environment(scene *s) {
  const char *const script[] = {"-c", "echo $TOWLINE-$HOME", NULL}, *const list[] = {"TOWLINE=here", NULL};
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  options.arguments = script;
  options.environment = list;
  end *e = spawn(s, "exec:/bin/sh", &options);
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "here-\n") == 0);
  setenv("TOWLINE", "own", 1);
  options.environment = NULL;
  e = spawn(s, "exec:/bin/sh", &options);
  unsetenv("TOWLINE");
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, strncmp(e->pipes[1].text, "own-", 4) == 0);
}

static void directory(scene *s) {
  const char *const script[] = {"-c", "pwd", NULL};
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  options.arguments = script;
  options.directory = "/usr";
  end *e = spawn(s, "exec:/bin/sh", &options);
  CHECK(s, e);
  UNTIL(s, e->lost == 1);
  CHECK(s, strcmp(e->pipes[1].text, "/usr\n") == 0);
  options.directory = "/nonexistent";
  CHECK(s, !spawn(s, "exec:/bin/sh", &options) && s->code == TOW_ENOENT && s->native == ENOENT);
  CHECK(s, strcmp(s->message, "/bin/sh in /nonexistent: no such file or directory") == 0);
}

/* ---- Failures: the request's, and nothing is left ---- */

static void failures(scene *s) {
  static char huge[3 << 20];
  const char *const list[] = {huge, NULL};
  char plain[80], address[160];
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  options.arguments = list;
  memset(huge, 'x', sizeof huge - 1);
  snprintf(plain, sizeof plain, "%s/plain", s->folder);
  snprintf(address, sizeof address, "exec:%s", plain);
  close(open(plain, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  bool denied = !spawn(s, address, NULL) && s->code == TOW_EACCES && s->native == EACCES;
  unlink(plain);
  CHECK(s, denied);
  CHECK(s, !spawn(s, "exec:/nonexistent/program", NULL) && s->code == TOW_ENOENT && s->native == ENOENT);
  CHECK(s, strcmp(s->message, "/nonexistent/program: no such file or directory") == 0);
  CHECK(s, !spawn(s, "exec:no-program-of-this-name", NULL) && s->code == TOW_ENOENT);
  CHECK(s, !spawn(s, "exec:/", NULL) && s->code == TOW_EACCES);
  CHECK(s, !spawn(s, "exec:cat", &options) && s->code == TOW_E2BIG && s->native == E2BIG);
  CHECK(s, !spawn(s, "exec:", NULL) && s->code == TOW_EADDRESS);
  CHECK(s, !spawn(s, "exec://host/cat", NULL) && s->code == TOW_EADDRESS);
  CHECK(s, !spawn(s, "cat", NULL) && s->code == TOW_EADDRESS);
  CHECK(s, !spawn(s, "tcp://127.0.0.1:1", NULL) && s->code == TOW_ESCHEME);
  CHECK(s, !shell(s, "", (tow_stdio[]){TOW_STDOUT, TOW_PIPE, TOW_PIPE}) && s->code == TOW_EINVAL);
  CHECK(s, !shell(s, "", (tow_stdio[]){TOW_PIPE, TOW_STDOUT, TOW_PIPE}) && s->code == TOW_EINVAL);
  CHECK(s, !shell(s, "", (tow_stdio[]){TOW_PIPE, TOW_PIPE, (tow_stdio)17}) && s->code == TOW_EINVAL);
  CHECK(s, s->count == 0 && !tow_uv_run(s->loop));
}

static void no_descriptors(scene *s) {
  struct rlimit before, few;
  int next = dup(0);
  close(next);
  getrlimit(RLIMIT_NOFILE, &before);
  int failed = 0, started = 0;
  for (rlim_t more = 0; more < 10; more++) {
    few = (struct rlimit){(rlim_t)next + more, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    end *e = shell(s, "exit 0", NULL);
    failed += !e && s->code == TOW_EMFILE && s->native == EMFILE;
    started += e != NULL;
    turns(s, 2); /* what has failed is closed */
    scene_begin_wait(s);
    while (e && !e->lost && scene_wait(s)) {
    }
    tow_handle_cancel(&s->guard);
  }
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(s, failed > 0 && started > 0 && failed + started == 10);
}

/* The factory has no protocol: the child is ended and waited for. */
static void no_protocol(scene *s) {
  s->count = ENDS;
  CHECK(s, !shell(s, "exec cat", NULL) && s->code == TOW_ENOMEM);
  s->count = 0;
  CHECK(s, !tow_uv_run(s->loop));
}

static void cancelled(scene *s) {
  s->client.kind = TOW_SUBPROCESS;
  tow_request_cancel(tow_loop_spawn(s->loop, "exec:cat", NULL, scene_factory(&s->client), NULL, NULL));
  tow_request_cancel(tow_loop_spawn(s->loop, "exec:/nonexistent", NULL, scene_factory(&s->client), NULL, NULL));
  CHECK(s, !tow_uv_run(s->loop) && s->count == s->lost);
}

/* ---- Many ---- */

static void forget(scene *s) {
  for (int i = 0; i < s->count; i++)
    tow_transport_unref(s->ends[i].transport);
  memset(s->ends, 0, sizeof s->ends);
  s->count = s->lost = 0;
}

static void in_a_row(scene *s) {
  scene_count_allocations(s);
  size_t blocks = 0;
  int descriptors = 0;
  for (int i = 0; i < 200; i++) {
    end *e = shell(s, "echo hello", NULL);
    CHECK(s, e);
    UNTIL(s, e->lost == 1);
    CHECK(s, strcmp(e->pipes[1].text, "hello\n") == 0 && returncode(e) == 0);
    CHECK(s, !tow_uv_run(s->loop));
    forget(s);
    if (i == 0) blocks = s->blocks;
    if (i == 0) descriptors = open_descriptors();
    CHECK(s, s->blocks == blocks && open_descriptors() == descriptors);
  }
}

static void at_once(scene *s) {
  for (int i = 0; i < 50; i++)
    CHECK(s, shell(s, "cat; exit 1", NULL));
  for (int i = 0; i < 50; i++) {
    put(&s->ends[i], "hello");
    tow_transport_close(pipe_of(&s->ends[i], 0));
  }
  UNTIL(s, s->lost == 50);
  for (int i = 0; i < 50; i++)
    CHECK(s, returncode(&s->ends[i]) == 1 && strcmp(s->ends[i].pipes[1].text, "hello") == 0);
}

static int again(end *e, const char *event) {
  if (strcmp(event, "PD") == 0 && ++e->counter < 1000) put(e, "0123456789");
  return 0;
}

static void steady(scene *s) {
  scene_count_allocations(s);
  s->client.on = again;
  end *e = spawn(s, "exec:cat", NULL);
  CHECK(s, e);
  put(e, "0123456789");
  UNTIL(s, e->counter >= 100);
  size_t before = s->allocations;
  UNTIL(s, e->counter == 1000);
  CHECK(s, s->allocations == before);
}

/* ---- The loop's end; that no zombie stays is looked for after every test ---- */

static void all_running(scene *s) {
  static const char data[MEGABYTE];
  CHECK(s, shell(s, "exec cat", NULL));
  CHECK(s, shell(s, "trap '' TERM; exec sleep 100", with_null));
  CHECK(s, shell(s, "exec 3<&0; cat <&3 2>&- & exec sleep 100", NULL));
  CHECK(s, shell(s, "exec sleep 100", NULL));
  tow_transport_write(pipe_of(&s->ends[3], 0), data, sizeof data);
  s->client.kind = TOW_SUBPROCESS;
  tow_loop_spawn(s->loop, "exec:cat", NULL, scene_factory(&s->client), NULL, NULL); /* its result is not told yet */
  tow_uv_loop_close(s->loop);
  s->loop = NULL;
  CHECK(s, s->lost >= 4);
  for (int i = 0; i < s->count; i++)
    CHECK(s, s->ends[i].exited == s->ends[i].made && (!s->ends[i].made || returncode(&s->ends[i]) == -SIGKILL));
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
    {"X10 errors merged into output", merged},
    {"null", null},
    {"inherit", inherited},
    {"pipes that a child can open by name", by_name},
    {"H6 a child's descriptors and signals", clean},
    {"X5 return codes", codes},
    {"X6 signals", signals},
    {"X5 terminate", terminate},
    {"X5 terminate ignored, then kill", terminate_ignored},
    {"X6 a child that has just ended", ended_just_now},
    {"X7 close", closed},
    {"X7 close in connection_made", closed_in_made},
    {"arguments", arguments},
    {"environment", environment},
    {"directory", directory},
    {"X9 failures", failures},
    {"X9 out of descriptors", no_descriptors},
    {"O1 a factory that has no protocol for a child", no_protocol},
    {"O1 a spawn cancelled", cancelled},
    {"200 children in a row", in_a_row},
    {"50 children at once", at_once},
    {"no allocation for a chunk", steady},
    {"T5 closing with children running", all_running},
    {NULL, NULL},
};
