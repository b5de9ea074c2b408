/* The libuv host: one scene for each test, closed by the loop's own closing, whatever the test left open. */
#include "uv/scene.h"

#include <errno.h>
#include <sys/wait.h>

static bool run_test(const test *t) {
  scene *s = calloc(1, sizeof *s);
  int descriptors = open_descriptors();
  s->loop = tow_uv_loop_new(NULL);
  s->client.scene = s->server.scene = s;
  snprintf(s->folder, sizeof s->folder, "/tmp/towline-XXXXXX");
  if (!mkdtemp(s->folder)) return false;
  scene_setup(s);
  t->run(s);
  if (s->loop) tow_uv_loop_close(s->loop);
  for (int i = 0; i < s->count; i++) {
    if (s->ends[i].made != s->ends[i].lost) scene_fail(s, __FILE__, __LINE__, "each connection made is lost once");
    if (s->ends[i].transport) tow_transport_unref(s->ends[i].transport);
  }
  if (rmdir(s->folder) < 0) scene_fail(s, __FILE__, __LINE__, "no socket's file is left");
  if (open_descriptors() != descriptors) scene_fail(s, __FILE__, __LINE__, "no descriptor is left");
  if (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD) scene_fail(s, __FILE__, __LINE__, "no child is left");
  bool ok = !s->failure;
  printf(ok ? "ok %s\n" : "not ok %s: %s\n", t->name, s->failure);
  fflush(stdout);
  free(s->failure);
  free(s);
  return ok;
}

/* With a word: the tests whose name contains it. */
int main(int argc, char **argv) {
  const test *groups[] = {loop_tests, post_tests,    connect_tests, stream_tests, flow_tests,   listen_tests,
                          udp_tests,  process_tests, spawn_tests,   pipe_tests,   framing_tests};
  bool ok = true;
  alarm(120);
  tow_uv_loop_close(tow_uv_loop_new(NULL)); /* libuv keeps two descriptors for signals from its first loop on */
  for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
    for (const test *t = groups[g]; t->name; t++)
      if (argc < 2 || strstr(t->name, argv[1])) ok = run_test(t) && ok;
  return ok ? 0 : 1;
}
