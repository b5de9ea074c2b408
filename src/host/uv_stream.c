/* One connection: a uv_tcp_t or a uv_pipe_t under a transport.
 *
 * Reading: libuv asks for memory, reads, tells, and does it again up to 32 times in one turn while the memory is
 * filled. One read a turn is ours [T4]: asked a second time, on_alloc gives nothing, which ends libuv's round without a
 * system call, and the poll reports what is left in the next turn. Everything read is taken, because nothing can happen
 * between tow_host_lend and tow_host_received.
 *
 * Writing: what try_write does not take is queued by the core. uv_write tells nothing until all of a request has left,
 * so it gets a step at a time [F7], which serves to wait until the socket has room; then try_write takes what it can.
 */
#include "uv_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
  PIECES = 64,     /* of the queue, one try_write's */
  STEP_PIECES = 4, /* uv_write's; it allocates for more */
};

static __attribute__((noinline)) void fail(tow_uv_stream *s, int status) {
  char text[TOW_UV_ERROR_TEXT];
  tow_error error = tow_uv_error_of(status, text);
  tow_host_failed(s->transport, &error);
}

/* ---- Reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  tow_uv_stream *s = handle->data;
  if (s->turn == s->host->turn) return; /* an empty buffer */
  s->turn = s->host->turn;
  s->lending = true;
  const tow_buffer *lent = tow_host_lend(s->transport, -1);
  s->lending = false;
  if (!lent) return;
  buffer->base = lent->base;
  buffer->len = lent->size;
}

static void apply_reading(tow_uv_stream *s);

/* The end of the stream; or a reset right behind the last bytes, which libuv takes for one: it reads no further than a
 * hang-up. The error is still the socket's. */
static void end(tow_uv_stream *s) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    fail(s, uv_translate_sys_error(error));
  else
    tow_host_eof(s->transport);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
  tow_uv_stream *s = stream->data;
  if (size > 0)
    tow_host_received(s->transport, (size_t)size);
  else if (size == UV_EOF)
    end(s);
  else if (size == UV_ENOBUFS && !buffer->base)
    apply_reading(s); /* it may have been stopped inside on_alloc */
  else if (size < 0)
    fail(s, (int)size);
}

static void apply_reading(tow_uv_stream *s) {
  if (s->reading)
    uv_read_start(&s->uv.stream, on_alloc, on_read);
  else
    uv_read_stop(&s->uv.stream);
}

/* Not inside on_alloc: libuv 1.44 calls on_read next, and stopping has made that NULL. */
static void set_reading(void *connection, bool on) {
  tow_uv_stream *s = connection;
  s->reading = on;
  if (!s->lending) apply_reading(s);
}

/* ---- Writing ---- */

_Static_assert(sizeof(tow_iovec) == sizeof(struct iovec) &&
                   offsetof(tow_iovec, base) == offsetof(struct iovec, iov_base) &&
                   offsetof(tow_iovec, size) == offsetof(struct iovec, iov_len),
               "lines are given to writev as they are");

/* What uv_try_write does, without its detours: a fifth of all the instructions that an echo took. */
static size_t try_write(void *connection, const tow_iovec *lines, size_t count) {
  tow_uv_stream *s = connection;
  if (s->writing > 0) return 0; /* those go first */
  ssize_t size = count == 1 ? write(s->fd, lines->base, lines->size)
                            : writev(s->fd, (const struct iovec *)lines, count < IOV_MAX ? (int)count : IOV_MAX);
  if (size >= 0) return (size_t)size;
  if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) fail(s, uv_translate_sys_error(errno));
  return 0;
}

static void on_written(uv_write_t *write, int status);

static void flush(void *connection) {
  tow_uv_stream *s = connection;
  tow_iovec lines[STEP_PIECES];
  uv_buf_t bufs[STEP_PIECES];
  if (s->writing > 0) return;
  size_t count = tow_host_peek(s->transport, lines, STEP_PIECES, tow_host_step(s->transport));
  if (count == 0) return;
  for (size_t i = 0; i < count; i++) {
    bufs[i] = (uv_buf_t){(char *)(uintptr_t)lines[i].base, lines[i].size}; /* only read from */
    s->writing += lines[i].size;
  }
  int status = uv_write(&s->call.write, &s->uv.stream, bufs, (unsigned)count, on_written);
  if (status == 0) return;
  s->writing = 0;
  fail(s, status);
}

static void on_written(uv_write_t *write, int status) {
  tow_uv_stream *s = write->handle->data;
  size_t written = s->writing;
  s->writing = 0;
  if (status == UV_ECANCELED) return; /* closed */
  if (status < 0) {
    fail(s, status);
    return;
  }
  tow_host_sent(s->transport, written);
  if (s->writing > 0) return; /* the queue was empty, and has been filled anew */
  tow_iovec lines[PIECES];
  size_t count = tow_host_peek(s->transport, lines, PIECES, SIZE_MAX);
  size_t taken = try_write(s, lines, count);
  if (taken > 0) tow_host_sent(s->transport, taken);
  flush(s);
}

/* ---- Ending ---- */

static void on_shut_down(uv_shutdown_t *shutdown, int status) {
  tow_uv_stream *s = shutdown->handle->data;
  if (status < 0 && status != UV_ECANCELED) fail(s, status);
}

static void shut_down(void *connection) {
  tow_uv_stream *s = connection;
  int status = uv_shutdown(&s->call.shutdown, &s->uv.stream, on_shut_down);
  if (status < 0) fail(s, status);
}

static void on_closed(uv_handle_t *handle) {
  tow_uv_stream *s = handle->data;
  tow_uv_host *host = s->host;
  if (s->transport) tow_host_closed(s->transport);
  tow_loop_free(host->loop, s);
  tow_uv_release(host);
}

void tow_uv_stream_close(tow_uv_stream *s) {
  s->request = NULL;
  uv_close(&s->uv.handle, on_closed);
}

static void close_connection(void *connection, const tow_error *error) {
  (void)error;
  tow_uv_stream_close(connection);
}

/* ---- The rest ---- */

static int extra_info(void *connection, const char *name, char *value, size_t capacity) {
  tow_uv_stream *s = connection;
  if (s->peer.sin6_family != AF_UNSPEC && strcmp(name, "peername") == 0) {
    char text[TOW_UV_ADDRESS_TEXT];
    tow_uv_address_text(&(tow_uv_address){.in6 = s->peer}, text, sizeof text);
    return snprintf(value, capacity, "%s", text);
  }
  if (strcmp(name, "read_backpressure") == 0) return snprintf(value, capacity, "stream");
  uv_os_fd_t fd;
  if (uv_fileno(&s->uv.handle, &fd) < 0) return TOW_ENOENT; /* closing */
  return tow_uv_socket_info(fd, name, value, capacity);
}

const tow_connection_host tow_uv_stream_table = {
    .size = sizeof(tow_connection_host),
    .write = try_write,
    .flush = flush,
    .shutdown = shut_down,
    .set_reading = set_reading,
    .close = close_connection,
    .extra_info = extra_info,
};

tow_uv_stream *tow_uv_stream_new(tow_uv_host *host, int family) {
  tow_uv_stream *s = tow_loop_alloc(host->loop, sizeof *s);
  if (!s) return NULL;
  memset(s, 0, sizeof *s);
  s->host = host;
  if (family == AF_UNIX)
    uv_pipe_init(host->uv, &s->uv.pipe, 0);
  else
    uv_tcp_init(host->uv, &s->uv.tcp);
  s->uv.handle.data = s;
  tow_uv_hold(host);
  return s;
}

void tow_uv_stream_configure(tow_uv_stream *s, const tow_options *options) {
  uv_fileno(&s->uv.handle, &s->fd);
  if (s->uv.handle.type != UV_TCP) return;
  if (options->nodelay) uv_tcp_nodelay(&s->uv.tcp, 1);
  if (!(options->keepalive > 0)) return;
  double seconds = options->keepalive / 1000; /* which is all that the system counts in */
  uv_tcp_keepalive(&s->uv.tcp, 1, seconds < 1 ? 1 : seconds > SHRT_MAX ? SHRT_MAX : (unsigned)seconds);
}
