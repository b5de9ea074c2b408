/* Streams of bytes on descriptors: connections, and sides of pipes. */
#include "uv_internal.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIECES = 64 }; /* of the queue, in one write */

static __attribute__((noinline)) void fail(tow_uv_descriptor *d, int error) {
  char text[TOW_UV_ERROR_TEXT];
  tow_error why = tow_uv_error_of(uv_translate_sys_error(error), text);
  tow_host_failed(d->transport, &why);
}

/* The last system call has failed: says why, unless it would only block. */
static void report(tow_uv_descriptor *d) {
  if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS) fail(d, errno);
}

/* ---- Reading ---- */

static void receive(tow_uv_descriptor *d) {
  const tow_buffer *lent = tow_host_lend(d->transport, -1);
  if (!lent) return;
  ssize_t size = read(d->fd, lent->base, lent->size);
  if (size > 0)
    tow_host_received(d->transport, (size_t)size);
  else if (size == 0)
    tow_host_eof(d->transport);
  else
    report(d);
}

static void set_reading(void *connection, bool on) {
  tow_uv_descriptor_want(connection, UV_READABLE, on);
}

/* How the going of a write-only pipe's reader is told [E7]: on a pipe as POLLERR, on a socket as the end of the other
 * direction. */
static void set_watching(void *connection, bool on) {
  tow_uv_descriptor_want(connection, UV_DISCONNECT, on);
}

/* ---- Writing ---- */

_Static_assert(sizeof(tow_iovec) == sizeof(struct iovec) &&
                   offsetof(tow_iovec, base) == offsetof(struct iovec, iov_base) &&
                   offsetof(tow_iovec, size) == offsetof(struct iovec, iov_len),
               "lines are given to writev as they are");

static size_t write_some(void *connection, const tow_iovec *lines, size_t count) {
  tow_uv_descriptor *d = connection;
  ssize_t size = count == 1 ? write(d->fd, lines->base, lines->size)
                            : writev(d->fd, (const struct iovec *)lines, count < IOV_MAX ? (int)count : IOV_MAX);
  if (size >= 0) return (size_t)size;
  report(d);
  return 0;
}

static void flush(void *connection) {
  tow_uv_descriptor_want(connection, UV_WRITABLE, true);
}

static void drain(tow_uv_descriptor *d) {
  tow_iovec lines[PIECES];
  size_t count = tow_host_peek(d->transport, lines, PIECES, SIZE_MAX);
  size_t taken = write_some(d, lines, count);
  if (taken > 0) tow_host_sent(d->transport, taken);
  if (tow_host_peek(d->transport, lines, 1, 1) == 0) tow_uv_descriptor_want(d, UV_WRITABLE, false);
}

static void shut_down(void *connection) {
  tow_uv_descriptor *d = connection;
  if (shutdown(d->fd, SHUT_WR) < 0) report(d);
}

void tow_uv_stream_ready(tow_uv_descriptor *d, int events) {
  if (events & UV_DISCONNECT) tow_host_eof(d->transport);
  if (events & UV_READABLE) receive(d);
  if (events & UV_WRITABLE) drain(d);
}

/* ---- The tables ---- */

static void close_stream(void *connection, const tow_error *error) {
  (void)error;
  tow_uv_descriptor_close(connection);
}

static int connection_info(void *connection, const char *name, char *value, size_t capacity) {
  tow_uv_descriptor *d = connection;
  if (strcmp(name, "read_backpressure") == 0) return snprintf(value, capacity, "stream");
  if (d->peer.sin6_family == AF_UNSPEC || strcmp(name, "peername") != 0)
    return tow_uv_socket_info(d->fd, name, value, capacity);
  char text[TOW_UV_ADDRESS_TEXT];
  tow_uv_address_text(&(tow_uv_address){.in6 = d->peer}, text, sizeof text);
  return snprintf(value, capacity, "%s", text);
}

static int pipe_info(void *connection, const char *name, char *value, size_t capacity) {
  tow_uv_descriptor *d = connection;
  if (strcmp(name, "read_backpressure") == 0) return snprintf(value, capacity, "stream");
  if (d->fd < 0 || strcmp(name, "pipe") != 0) return TOW_ENOENT;
  return snprintf(value, capacity, "%d", d->fd);
}

const tow_uv_stream tow_uv_connection = {
    .table = {.size = sizeof(tow_connection_host),
              .write = write_some,
              .flush = flush,
              .shutdown = shut_down,
              .set_reading = set_reading,
              .close = close_stream,
              .extra_info = connection_info},
    .abilities = TOW_CAN_STREAM | TOW_WANTS_CORK,
};

const tow_uv_stream tow_uv_pipe_reader = {
    .table = {.size = sizeof(tow_connection_host),
              .set_reading = set_reading,
              .close = close_stream,
              .extra_info = pipe_info},
    .abilities = TOW_CAN_READ,
};

const tow_uv_stream tow_uv_pipe_writer = {
    .table = {.size = sizeof(tow_connection_host),
              .write = write_some,
              .flush = flush,
              .set_reading = set_watching,
              .close = close_stream,
              .extra_info = pipe_info},
    .abilities = TOW_CAN_WRITE | TOW_CAN_WRITE_EOF | TOW_WANTS_CORK,
};

/* ---- Connections ---- */

#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE TCP_KEEPALIVE /* its name in other systems */
#endif

static void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

/* Probes after `idle` milliseconds of silence: one a second, and the tenth without an answer is the last. */
static void keep_alive(int fd, double idle) {
  double seconds = idle / 1000; /* which is all that the system counts in */
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds < 1 ? 1 : seconds > SHRT_MAX ? SHRT_MAX : (int)seconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 10);
}

void tow_uv_connection_configure(tow_uv_descriptor *d, const tow_uv_address *peer, const tow_options *options) {
  if (peer->any.sa_family == AF_UNIX) return;
  d->peer = peer->in6;
  if (options->nodelay) set_option(d->fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options->keepalive > 0) keep_alive(d->fd, options->keepalive);
}
