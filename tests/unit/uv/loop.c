/* Turns, timers, and the loop's end. */
#include "scene.h"

#include "../budget.h"

#include <math.h>
#include <signal.h>

typedef struct step {
  tow_handle handle;
  char *log;
  char mark;
  scene *scene;
  int times;
  double ran;
} step;

static int mark(void *context) {
  step *s = context;
  size_t size = strlen(s->log);
  s->log[size] = s->mark;
  s->log[size + 1] = '\0';
  s->ran = tow_loop_time(s->scene->loop);
  return 0;
}

static void order(scene *s) {
  char log[32] = "";
  step steps[] = {{.mark = 'a'}, {.mark = 'b'}, {.mark = 'c'}, {.mark = 'd'}, {.mark = 'e'}, {.mark = 'f'}};
  for (int i = 0; i < 6; i++) {
    steps[i].log = log;
    steps[i].scene = s;
  }
  double now = tow_loop_time(s->loop);
  tow_loop_call_at(s->loop, &steps[5].handle, now + 30, mark, &steps[5]);
  tow_loop_call_at(s->loop, &steps[4].handle, now + 10, mark, &steps[4]);
  tow_loop_call_later(s->loop, &steps[2].handle, 0, mark, &steps[2]);
  tow_loop_call_at(s->loop, &steps[3].handle, now + 5, mark, &steps[3]);
  tow_loop_call_soon(s->loop, &steps[0].handle, mark, &steps[0]);
  tow_loop_call_soon(s->loop, &steps[1].handle, mark, &steps[1]);
  CHECK(s, !tow_uv_run(s->loop));
  CHECK(s, strcmp(log, "abcdef") == 0);
  CHECK(s, steps[3].ran >= now + 5 && steps[4].ran >= now + 10 && steps[5].ran >= now + 30);
  CHECK(s, steps[5].ran < now + 1000);
}

static int again(void *context) {
  step *s = context;
  if (++s->times < 1000) tow_loop_call_later(s->scene->loop, &s->handle, 0, again, s);
  return 0;
}

/* A timer that is due at once needs no waiting, and one far away no care. */
static void timers(scene *s) {
  step far = {.scene = s}, at_once = {.scene = s};
  double begin = tow_loop_time(s->loop);
  tow_loop_call_later(s->loop, &far.handle, 1e300, again, &far);
  tow_loop_call_later(s->loop, &at_once.handle, 0, again, &at_once);
  UNTIL(s, at_once.times == 1000);
  CHECK(s, tow_loop_time(s->loop) - begin < 500);
  CHECK(s, tow_handle_is_scheduled(&far.handle));
  tow_handle_cancel(&far.handle);
  CHECK(s, !tow_uv_run(s->loop));
}

static int fail(void *context) {
  (void)context;
  return -7;
}

static int stop(void *context) {
  tow_uv_stop(context);
  return 0;
}

static void stopping(scene *s) {
  tow_handle handle = {.when = 0}, later = handle, bad = handle;
  tow_loop_call_soon(s->loop, &bad, fail, NULL);
  tow_loop_call_soon(s->loop, &handle, stop, s->loop);
  tow_loop_call_later(s->loop, &later, 1e6, fail, NULL);
  CHECK(s, tow_uv_run(s->loop));
  CHECK(s, s->reports == 1);
  tow_handle_cancel(&later);
  CHECK(s, !tow_uv_run(s->loop));
}

/* ---- Beginning and end ---- */

static void keeps_running(scene *s) {
  tow_server *server;
  CHECK(s, join(s, &server));
  tow_handle_cancel(&s->guard);
  tow_server_close(server);
  /* Neither end reads now: libuv sees nothing to wait for. */
  tow_transport_pause_reading(s->ends[0].transport);
  tow_transport_pause_reading(s->ends[1].transport);
  uv_run(tow_uv_loop(s->loop), UV_RUN_NOWAIT);
  CHECK(s, uv_loop_alive(tow_uv_loop(s->loop)));
  tow_transport_close(s->ends[0].transport);
  tow_transport_close(s->ends[1].transport);
  CHECK(s, !tow_uv_run(s->loop));
  CHECK(s, s->lost == 2);
}

static void on_late(uv_timer_t *timer) {
  (*(int *)timer->data)++;
}

/* Inside a loop of the user's, who has handles of his own. */
static void embedded(scene *s) {
  uv_loop_t uv;
  uv_timer_t timer;
  int fired = 0;
  uv_loop_init(&uv);
  uv_timer_init(&uv, &timer);
  timer.data = &fired;
  uv_timer_start(&timer, on_late, 20, 0);
  tow_uv_loop_close(s->loop);
  s->loop = tow_uv_loop_new(&(tow_uv_options){.uv = &uv});
  scene_setup(s);
  tow_server *server;
  bool joined = join(s, &server) && tow_uv_loop(s->loop) == &uv;
  tow_handle_cancel(&s->guard);
  while (fired == 0)
    uv_run(&uv, UV_RUN_ONCE);
  tow_uv_loop_close(s->loop);
  s->loop = NULL;
  uv_close((uv_handle_t *)&timer, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(s, uv_loop_close(&uv) == 0);
  CHECK(s, joined && s->lost == 2);
}

/* Connections, requests of each kind, a server, timers: all are ended by closing the loop. */
static void all_open(scene *s) {
  tow_server *server;
  tow_handle handle = {.when = 0};
  int port = 0, opened[8], full = raw_listen("127.0.0.1", 0, &port);
  char address[64], path[128], resolved[160];
  CHECK(s, join(s, &server));
  raw_fill("127.0.0.1", port, opened);
  snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
  dial(s, address, NULL);
  dial(s, "tcp://slow.test:1", NULL);
  snprintf(path, sizeof path, "unix:%s/socket", s->folder);
  bool served = serve(s, path, NULL, resolved);
  tow_loop_call_later(s->loop, &handle, 5, fail, NULL);
  char big[100000] = {0};
  tow_transport_pause_reading(s->ends[1].transport);
  for (int i = 0; i < 100; i++)
    tow_transport_write(s->ends[0].transport, big, sizeof big);
  int before = s->results;
  names_release();
  tow_uv_loop_close(s->loop);
  s->loop = NULL;
  for (int i = 0; i < 8; i++)
    close(opened[i]);
  close(full);
  CHECK(s, served && s->lost == 2 && s->results == before + 2 && s->code == TOW_ECANCELED);
  CHECK(s, s->reports == 0 && !tow_handle_is_scheduled(&handle));
}

/* ---- Running out of memory, at each allocation in turn ---- */

static void talk(scene *s) {
  char address[160];
  char big[3000] = {0};
  if (!serve(s, "tcp://127.0.0.1:0", NULL, address)) return;
  int before = s->results;
  if (!dial(s, address, NULL)) return;
  scene_begin_wait(s);
  while (s->results == before && scene_wait(s)) {
  }
  if (s->code < 0) return;
  int clients = s->count;
  for (int i = 0; i < clients && s->ends[i].transport; i++)
    for (int j = 0; j < 5; j++)
      tow_transport_write(s->ends[i].transport, big, sizeof big);
  tow_transport_close(s->ends[0].transport);
  scene_begin_wait(s);
  while (s->ends[0].lost == 0 && scene_wait(s)) {
  }
}

static void talk_datagrams(scene *s) {
  char name[80] = "udp://";
  end *server = bind_endpoint(s, "udp://127.0.0.1:0");
  if (!server) return;
  tow_transport_get_extra_info(server->transport, "sockname", name + 6, sizeof name - 6);
  end *client = connect_endpoint(s, name);
  if (!client) return;
  tow_transport_sendto(client->transport, name, sizeof name, NULL);
  tow_transport_sendto(client->transport, NULL, 0, NULL);
  scene_begin_wait(s);
  while (!client->lost && client->reads < 2 && !server->lost && scene_wait(s)) {
  }
}

static void talk_to_child(scene *s) {
  static const char big[200000];
  end *e = spawn(s, "exec:cat", NULL);
  if (!e) return;
  tow_transport *input = tow_transport_get_pipe_transport(e->transport, 0);
  if (input) tow_transport_write(input, big, sizeof big);
  if ((input = tow_transport_get_pipe_transport(e->transport, 0))) tow_transport_close(input);
  scene_begin_wait(s);
  while (!e->lost && scene_wait(s)) {
  }
}

static void limit_memory(scene *s, void (*talk)(scene *s)) {
  tow_uv_loop_close(s->loop);
  s->loop = NULL;
  for (long n = 0; n < 40; n++) {
    budget b = {n, 0};
    s->loop = tow_uv_loop_new(&(tow_uv_options){.allocator = budget_allocator(&b)});
    if (s->loop) {
      scene_setup(s);
      s->server.on = s->client.on = echo;
      talk(s);
      bool late = s->expired;
      tow_uv_loop_close(s->loop);
      s->loop = NULL;
      CHECK(s, !late);
    }
    for (int i = 0; i < s->count; i++) {
      CHECK(s, s->ends[i].made == s->ends[i].lost);
      if (s->ends[i].transport) tow_transport_unref(s->ends[i].transport);
    }
    CHECK(s, b.blocks == 0);
    memset(s->ends, 0, sizeof s->ends);
    s->count = 0;
  }
}

static void no_memory(scene *s) {
  limit_memory(s, talk);
}

static void no_memory_for_datagrams(scene *s) {
  limit_memory(s, talk_datagrams);
}

static void no_memory_for_children(scene *s) {
  limit_memory(s, talk_to_child);
}

static void sigpipe(scene *s) {
  struct sigaction now;
  signal(SIGPIPE, SIG_DFL);
  tow_uv_loop_close(tow_uv_loop_new(&(tow_uv_options){.keep_sigpipe = true}));
  sigaction(SIGPIPE, NULL, &now);
  bool kept = now.sa_handler == SIG_DFL;
  tow_uv_loop_close(tow_uv_loop_new(NULL));
  sigaction(SIGPIPE, NULL, &now);
  CHECK(s, kept && now.sa_handler == SIG_IGN);
}

const test loop_tests[] = {
    {"T1 T2 what is ready comes before timers, in order, never early", order},
    {"T2 due at once, and far away", timers},
    {"T3 a failing callback is reported; stop", stopping},
    {"a connection that does nothing keeps the loop", keeps_running},
    {"inside the user's loop", embedded},
    {"T5 closing with everything open", all_open},
    {"out of memory at each allocation", no_memory},
    {"out of memory at each allocation: datagrams", no_memory_for_datagrams},
    {"out of memory at each allocation: subprocesses", no_memory_for_children},
    {"H6 SIGPIPE", sigpipe},
    {NULL, NULL},
};
