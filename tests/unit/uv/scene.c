/* The scene: a loop that is watched, requests and what comes of them, raw sockets. */
#include "scene.h"

#include <fcntl.h>

/* ---- The scene ---- */

void turns(scene *s, int count) {
  while (count-- > 0)
    uv_run(tow_uv_loop(s->loop), UV_RUN_NOWAIT);
}

void scene_fail(scene *s, const char *file, int line, const char *what) {
  const char *base = strrchr(file, '/');
  if (s->failure) return;
  s->failure = malloc(2048);
  snprintf(s->failure, 2048, "%s:%d: %s (last result: %d %s; last warning: %s)", base ? base + 1 : file, line, what,
           s->code, s->message, s->warning);
}

static int expire(void *context) {
  ((scene *)context)->expired = true;
  return 0;
}

void scene_begin_wait(scene *s) {
  s->expired = false;
  tow_loop_call_later(s->loop, &s->guard, 5000, expire, s);
}

bool scene_wait(scene *s) {
  uv_run(tow_uv_loop(s->loop), UV_RUN_ONCE);
  return !s->expired;
}

static void *count_allocation(void *context, size_t size) {
  scene *s = context;
  s->allocations++;
  s->blocks++;
  return malloc(size);
}

static void release(void *context, void *memory) {
  if (memory) ((scene *)context)->blocks--;
  free(memory);
}

void scene_count_allocations(scene *s) {
  tow_uv_loop_close(s->loop);
  s->allocations = s->blocks = 0;
  s->loop = tow_uv_loop_new(&(tow_uv_options){.allocator = {count_allocation, release, s}});
  scene_setup(s);
}

static void on_log(void *context, tow_level level, const char *message) {
  scene *s = context;
  if (level != TOW_LOG_WARNING) return;
  s->warnings++;
  snprintf(s->warning, sizeof s->warning, "%s", message);
}

static void on_exception(void *context, const char *callback, tow_transport *transport, const tow_error *error) {
  scene *s = context;
  (void)transport;
  s->reports++;
  snprintf(s->warning, sizeof s->warning, "%s: %s", callback, error->message);
}

void scene_setup(scene *s) {
  tow_loop_set_log(s->loop, on_log, s);
  tow_loop_set_exception_handler(s->loop, on_exception, s);
}

static void note_result(scene *s, const tow_error *error) {
  s->results++;
  s->code = error ? error->code : 0;
  s->native = error ? error->native : 0;
  snprintf(s->message, sizeof s->message, "%s", error ? error->message : "");
}

static int connected(void *context, tow_transport *transport, const tow_error *error) {
  ((scene *)context)->transport = transport;
  note_result(context, error);
  return 0;
}

static int listening(void *context, tow_server *server, const tow_error *error) {
  ((scene *)context)->listening = server;
  note_result(context, error);
  return 0;
}

tow_request *dial(scene *s, const char *address, const tow_options *options) {
  return tow_loop_connect(s->loop, address, options, scene_factory(&s->client), connected, s);
}

tow_server *serve(scene *s, const char *address, const tow_options *options, char resolved[160]) {
  int before = s->results;
  char where[128];
  s->listening = NULL;
  if (!tow_loop_listen(s->loop, address, options, scene_factory(&s->server), listening, s)) return NULL;
  scene_begin_wait(s);
  while (s->results == before && scene_wait(s)) {
  }
  if (!s->listening) return NULL;
  tow_server_get_extra_info(s->listening, "sockname", where, sizeof where);
  snprintf(resolved, 160, "%s%s", where[0] == '/' ? "unix:" : "tcp://", where);
  return s->listening;
}

static end *made_by(scene *s, tow_request *request, int before) {
  if (!request) return NULL;
  scene_begin_wait(s);
  while (s->results == before && scene_wait(s)) {
  }
  tow_handle_cancel(&s->guard);
  return s->results > before && s->code == 0 ? &s->ends[s->count - 1] : NULL;
}

end *bind_endpoint(scene *s, const char *address) {
  int before = s->results;
  s->client.kind = TOW_DATAGRAM;
  return made_by(s, tow_loop_bind(s->loop, address, NULL, scene_factory(&s->client), connected, s), before);
}

end *connect_endpoint(scene *s, const char *address) {
  int before = s->results;
  s->client.kind = TOW_DATAGRAM;
  return made_by(s, dial(s, address, NULL), before);
}

end *spawn(scene *s, const char *address, const tow_spawn_options *options) {
  int before = s->results;
  s->client.kind = TOW_SUBPROCESS;
  return made_by(s, tow_loop_spawn(s->loop, address, options, scene_factory(&s->client), connected, s), before);
}

bool join(scene *s, tow_server **server) {
  char address[160];
  *server = serve(s, "tcp://127.0.0.1:0", NULL, address);
  if (!*server || !dial(s, address, NULL)) return false;
  scene_begin_wait(s);
  while (!(s->count == 2 && s->ends[0].made && s->ends[1].made && s->results == 2) && scene_wait(s)) {
  }
  return s->count == 2 && s->code == 0;
}

/* ---- Raw sockets ---- */

int join_raw(scene *s) {
  int port = 0, listener = raw_listen("127.0.0.1", 1, &port);
  char address[64];
  snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
  int before = s->results;
  dial(s, address, NULL);
  scene_begin_wait(s);
  while (s->results == before && scene_wait(s)) {
  }
  int peer = accept(listener, NULL, NULL);
  close(listener);
  return peer;
}

static socklen_t fill_address(struct sockaddr_storage *address, const char *host, int port) {
  if (uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)address) == 0) return sizeof(struct sockaddr_in);
  uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)address);
  return sizeof(struct sockaddr_in6);
}

int raw_listen(const char *host, int backlog, int *port) {
  struct sockaddr_storage address;
  socklen_t size = fill_address(&address, host, *port);
  int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, backlog) < 0) {
    close(fd);
    return -1;
  }
  size = sizeof address;
  getsockname(fd, (struct sockaddr *)&address, &size);
  *port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&address)->sin_port
                                             : ((struct sockaddr_in6 *)(void *)&address)->sin6_port);
  return fd;
}

int raw_connect(const char *host, int port) {
  struct sockaddr_storage address;
  socklen_t size = fill_address(&address, host, port);
  int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&address, size) == 0) return fd;
  close(fd);
  return -1;
}

void raw_fill(const char *host, int port, int opened[8]) {
  struct sockaddr_storage address;
  socklen_t size = fill_address(&address, host, port);
  for (int i = 0; i < 8; i++) {
    opened[i] = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connect(opened[i], (struct sockaddr *)&address, size);
  }
}

void raw_reset(int fd) {
  struct linger now = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

int port_of(const char *address) {
  const char *colon = strrchr(address, ':');
  return colon ? atoi(colon + 1) : 0;
}

int open_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

bool has_ipv6(void) {
  int port = 0, fd = raw_listen("::1", 1, &port);
  if (fd >= 0) close(fd);
  return fd >= 0;
}
