/* Starting subprocesses: their surroundings, failures, many of them, and the loop's end. */
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

static const tow_stdio with_null[] = {TOW_NULL, TOW_PIPE, TOW_PIPE};

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
  static const char data[1000000];
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

const test spawn_tests[] = {
    {"X10 errors merged into output", merged},
    {"null", null},
    {"inherit", inherited},
    {"pipes that a child can open by name", by_name},
    {"H6 a child's descriptors and signals", clean},
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
