/* Pipes on descriptors: one side of a pipe, FIFO, socket or terminal under a transport.
 *
 * Of a write-only pipe UV_DISCONNECT is wanted, which is how its reader's going is told [E7]: on a pipe as POLLERR, on
 * a socket as the end of the other direction. */
#include "uv_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIECES = 64 }; /* one writev's */

/* Says why the last system call failed. False: it has not, it would only block. */
static bool report(tow_uv_descriptor *d) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return false;
  char text[TOW_UV_ERROR_TEXT];
  tow_error error = tow_uv_error_of(uv_translate_sys_error(errno), text);
  tow_host_failed(d->transport, &error);
  return true;
}

/* ---- Reading ---- */

static void read_ready(tow_uv_descriptor *d, int events) {
  const tow_buffer *lent = events & UV_READABLE ? tow_host_lend(d->transport, -1) : NULL;
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

/* ---- Writing ---- */

static size_t write_some(void *connection, const tow_iovec *lines, size_t count) {
  tow_uv_descriptor *d = connection;
  size_t taken = 0;
  while (count > 0) {
    struct iovec pieces[PIECES];
    size_t some = count < PIECES ? count : PIECES, size = 0;
    for (size_t i = 0; i < some; i++) {
      pieces[i] = (struct iovec){(void *)(uintptr_t)lines[i].base, lines[i].size}; /* only read from */
      size += lines[i].size;
    }
    ssize_t written = writev(d->fd, pieces, (int)some);
    if (written < 0) return report(d) ? 0 : taken;
    taken += (size_t)written;
    if ((size_t)written < size) break;
    lines += some;
    count -= some;
  }
  return taken;
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

static void write_ready(tow_uv_descriptor *d, int events) {
  if (events & UV_DISCONNECT) tow_host_eof(d->transport);
  if (events & UV_WRITABLE) drain(d);
}

static void set_watching(void *connection, bool on) {
  tow_uv_descriptor_want(connection, UV_DISCONNECT, on);
}

/* ---- The tables ---- */

static void close_pipe(void *connection, const tow_error *error) {
  (void)error;
  tow_uv_descriptor_close(connection);
}

static int extra_info(void *connection, const char *name, char *value, size_t capacity) {
  if (strcmp(name, "read_backpressure") == 0) return snprintf(value, capacity, "stream");
  if (strcmp(name, "pipe") != 0) return TOW_ENOENT;
  return snprintf(value, capacity, "%d", ((tow_uv_descriptor *)connection)->fd);
}

const tow_uv_pipe_side tow_uv_pipe_reader = {
    .ready = read_ready,
    .table = {.size = sizeof(tow_connection_host),
              .set_reading = set_reading,
              .close = close_pipe,
              .extra_info = extra_info},
    .abilities = TOW_CAN_READ,
};

const tow_uv_pipe_side tow_uv_pipe_writer = {
    .ready = write_ready,
    .table = {.size = sizeof(tow_connection_host),
              .write = write_some,
              .flush = flush,
              .set_reading = set_watching,
              .close = close_pipe,
              .extra_info = extra_info},
    .abilities = TOW_CAN_WRITE | TOW_CAN_WRITE_EOF | TOW_WANTS_CORK,
};

/* ---- Opening ---- */

static int connect_pipe(tow_loop *loop, int fd, const tow_uv_pipe_side *side, int wrong_mode, tow_factory factory,
                        tow_transport **transport) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == wrong_mode) return TOW_EBADF;
  tow_uv_descriptor *d;
  int status = tow_uv_descriptor_new(tow_host_of(loop), fd, side->ready, &d);
  if (status < 0) return tow_uv_error(status);
  d->transport = tow_host_open(loop, factory, NULL, &side->table, d, side->abilities);
  if (transport) *transport = d->transport;
  if (d->transport) return 0;
  tow_uv_descriptor_give_back(d);
  return TOW_ENOMEM;
}

int tow_loop_connect_read_pipe(tow_loop *loop, int fd, tow_factory factory, tow_transport **transport) {
  return connect_pipe(loop, fd, &tow_uv_pipe_reader, O_WRONLY, factory, transport);
}

int tow_loop_connect_write_pipe(tow_loop *loop, int fd, tow_factory factory, tow_transport **transport) {
  return connect_pipe(loop, fd, &tow_uv_pipe_writer, O_RDONLY, factory, transport);
}
