/* Listening and accepting.
 *
 * On a socket of our own with a uv_poll_t, not with uv_listen: when descriptors run out, libuv accepts and closes every
 * connection that waits, and says nothing. Here they wait in the backlog until there are descriptors again [O3]. */
#include "uv_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACK_OFF = 100 }; /* milliseconds */

typedef struct listener {
  tow_uv_host *host;
  tow_server *server;
  tow_options options;
  tow_uv_address address;
  struct stat file; /* what was bound at a Unix path */
  int fd;           /* -1: closed */
  bool starved;     /* has backed off, and not accepted since */
  uv_poll_t poll;
  uv_timer_t timer;
  int handles; /* not yet closed */
} listener;

/* ---- Closing ---- */

static void on_closed(uv_handle_t *handle) {
  listener *l = handle->data;
  if (--l->handles > 0) return;
  tow_uv_host *host = l->host;
  tow_loop_free(host->loop, l);
  tow_uv_release(host);
}

/* The socket's file, unless another one has taken its place. */
static void remove_file(const listener *l) {
  const char *path = l->address.un.sun_path;
  struct stat now;
  if (lstat(path, &now) == 0 && now.st_dev == l->file.st_dev && now.st_ino == l->file.st_ino) unlink(path);
}

void tow_uv_close_server(void *host, void *which) {
  (void)host;
  listener *l = which;
  uv_close((uv_handle_t *)&l->poll, on_closed);
  uv_close((uv_handle_t *)&l->timer, on_closed);
  close(l->fd);
  l->fd = -1;
  if (l->address.any.sa_family == AF_UNIX) remove_file(l);
}

/* ---- Accepting ---- */

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_backed_off(uv_timer_t *timer) {
  listener *l = timer->data;
  uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void back_off(listener *l, int status) {
  char why[128], message[160];
  uv_poll_stop(&l->poll);
  uv_timer_start(&l->timer, on_backed_off, BACK_OFF, 0);
  if (l->starved) return;
  l->starved = true;
  snprintf(message, sizeof message, "accepting connections: %s", uv_strerror_r(status, why, sizeof why));
  tow_host_warn(l->host->loop, message);
}

static void adopt(listener *l, int fd, const tow_uv_address *peer) {
  tow_uv_descriptor *d;
  if (tow_uv_descriptor_new(l->host, fd, tow_uv_stream_ready, &d) < 0) {
    close(fd);
    tow_host_warn(l->host->loop, "no memory for a connection that was accepted");
    return;
  }
  tow_uv_connection_configure(d, peer, &l->options);
  d->transport = tow_host_accepted(l->server, &tow_uv_connection.table, d, tow_uv_connection.abilities);
  if (!d->transport) tow_uv_descriptor_close(d);
}

/* False when there is no more to accept for now. */
static bool accept_one(listener *l) {
  tow_uv_address peer;
  socklen_t size = sizeof peer;
  int fd = accept(l->fd, &peer.any, &size);
  if (fd < 0) {
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno != EAGAIN) back_off(l, uv_translate_sys_error(errno));
    return false;
  }
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  l->starved = false;
  adopt(l, fd, &peer);
  return true;
}

static void on_readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  listener *l = poll->data;
  if (status < 0) {
    back_off(l, status);
    return;
  }
  uint32_t most = l->options.backlog < 1 ? 1 : l->options.backlog; /* then the others have their turn */
  while (l->fd >= 0 && most-- > 0 && accept_one(l)) {
  }
}

/* ---- Binding ---- */

/* A socket's file that nobody listens on. */
static bool is_stale(const tow_uv_address *a) {
  struct stat file;
  if (lstat(a->un.sun_path, &file) < 0 || !S_ISSOCK(file.st_mode)) return false;
  int fd = tow_uv_socket(AF_UNIX, SOCK_STREAM);
  if (fd < 0) return false;
  bool refused = connect(fd, &a->any, sizeof a->un) < 0 && errno == ECONNREFUSED;
  close(fd);
  return refused;
}

static int bind_path(int fd, const tow_uv_address *a, const tow_options *options) {
  int status = tow_uv_bind_socket(fd, a, options);
  if (status != UV_EADDRINUSE || !is_stale(a)) return status;
  unlink(a->un.sun_path);
  return tow_uv_bind_socket(fd, a, options);
}

static int bind_port(int fd, const tow_uv_address *a, const tow_options *options) {
  int reuse = options->reuse_address;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  return tow_uv_bind_socket(fd, a, options);
}

/* A listening socket, or a status. */
static int listen_at(const tow_uv_address *a, const tow_options *options) {
  bool is_unix = a->any.sa_family == AF_UNIX;
  int fd = tow_uv_socket(a->any.sa_family, SOCK_STREAM);
  if (fd < 0) return fd;
  int status = is_unix ? bind_path(fd, a, options) : bind_port(fd, a, options);
  int backlog = options->backlog > INT_MAX ? INT_MAX : (int)options->backlog;
  if (status == 0 && listen(fd, backlog) < 0) status = uv_translate_sys_error(errno);
  if (status == 0) return fd;
  close(fd);
  return status;
}

static listener *new_listener(tow_uv_host *host, int fd, const tow_uv_address *address, const tow_options *options) {
  listener *l = tow_loop_alloc(host->loop, sizeof *l);
  if (!l) return NULL;
  *l = (listener){.host = host, .options = *options, .address = *address, .fd = fd, .handles = 2};
  if (uv_poll_init(host->uv, &l->poll, fd) < 0) {
    tow_loop_free(host->loop, l);
    return NULL;
  }
  uv_timer_init(host->uv, &l->timer);
  l->poll.data = l->timer.data = l;
  if (address->any.sa_family == AF_UNIX) lstat(address->un.sun_path, &l->file);
  tow_uv_hold(host);
  return l;
}

/* Of a name's addresses, the first that can be bound. */
static void found(tow_uv_request *r) {
  int fd = -1;
  for (; fd < 0 && r->next < r->count; r->next++) {
    fd = listen_at(&r->attempts[r->next].address, &r->options);
    if (fd < 0) tow_uv_request_note(r, &r->attempts[r->next].address, fd);
  }
  if (fd < 0) {
    tow_uv_request_fail_noted(r);
    return;
  }
  listener *l = new_listener(r->host, fd, &r->attempts[r->next - 1].address, &r->options);
  if (!l) {
    close(fd);
    tow_uv_request_fail(r, TOW_ENOMEM, 0, NULL);
    return;
  }
  l->server = tow_host_listening(tow_uv_request_take(r), l);
  if (l->server)
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
  else
    tow_uv_close_server(r->host, l);
  tow_uv_request_release(r);
}

void tow_uv_listen(void *host, tow_request *request, const char *address, const tow_options *options) {
  static const tow_uv_scheme schemes[] = {{"tcp", found}, {"unix", found}, {NULL, NULL}};
  tow_uv_request_begin(host, request, address, options, schemes);
}

int tow_uv_server_info(void *host, void *which, const char *name, char *value, size_t capacity) {
  (void)host;
  return tow_uv_socket_info(((listener *)which)->fd, name, value, capacity);
}
