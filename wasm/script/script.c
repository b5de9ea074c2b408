/* Protocols written in JavaScript: a module whose every callback is an import of `towline_script`.
 * js/protocols/script.js is its other side. A protocol here is no more than its table and its address, which is what
 * JavaScript knows its own object by. */
#include "towline/towline.h"

#define SCRIPT(name) __attribute__((import_module("towline_script"), import_name(#name))) extern

/* Makes the protocol of a new connection: answers its kind; 0: there will be none. `context`: which factory is meant.
 */
SCRIPT(create) int script_create(void *context, tow_protocol *self);
SCRIPT(connection_made) int script_connection_made(tow_protocol *self, tow_transport *transport);
SCRIPT(connection_lost) int script_connection_lost(tow_protocol *self, const tow_error *error);
SCRIPT(pause_writing) int script_pause_writing(tow_protocol *self);
SCRIPT(resume_writing) int script_resume_writing(tow_protocol *self);
SCRIPT(eof_received) int script_eof_received(tow_protocol *self);
SCRIPT(data_received) int script_data_received(tow_protocol *self, const void *data, size_t size);
SCRIPT(get_buffer) int script_get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer);
SCRIPT(buffer_updated) int script_buffer_updated(tow_protocol *self, size_t size);
SCRIPT(datagram_received)
int script_datagram_received(tow_protocol *self, const void *data, size_t size, const tow_peer *peer);
SCRIPT(error_received)
int script_error_received(tow_protocol *self, const tow_error *error, const tow_peer *peer);
SCRIPT(peer_joined) int script_peer_joined(tow_protocol *self, const tow_peer *peer);
SCRIPT(pipe_data_received)
int script_pipe_data_received(tow_protocol *self, int fd, const void *data, size_t size);
SCRIPT(pipe_connection_lost) int script_pipe_connection_lost(tow_protocol *self, int fd, const tow_error *error);
SCRIPT(process_exited) int script_process_exited(tow_protocol *self);
SCRIPT(run) int script_run(void *handle);
/* A tow_log and a tow_exception_handler. They are called at once, so that what threw is still known. */
SCRIPT(log) void script_log(void *context, tow_level level, const char *message);
SCRIPT(exception)
void script_exception(void *context, const char *callback, tow_transport *transport, const tow_error *error);

#define BASE(type, number)                                                                                             \
  {                                                                                                                    \
    .size = sizeof(type), .kind = (number), .connection_made = script_connection_made,                                 \
    .connection_lost = script_connection_lost, .pause_writing = script_pause_writing,                                  \
    .resume_writing = script_resume_writing                                                                            \
  }

static const tow_stream_callbacks stream = {
    .base = BASE(tow_stream_callbacks, TOW_STREAM),
    .eof_received = script_eof_received,
    .data_received = script_data_received,
};

static const tow_buffered_callbacks buffered = {
    .base = BASE(tow_buffered_callbacks, TOW_BUFFERED),
    .eof_received = script_eof_received,
    .get_buffer = script_get_buffer,
    .buffer_updated = script_buffer_updated,
};

static const tow_datagram_callbacks datagram = {
    .base = BASE(tow_datagram_callbacks, TOW_DATAGRAM),
    .datagram_received = script_datagram_received,
    .error_received = script_error_received,
    .peer_joined = script_peer_joined,
};

static const tow_subprocess_callbacks subprocess = {
    .base = BASE(tow_subprocess_callbacks, TOW_SUBPROCESS),
    .pipe_data_received = script_pipe_data_received,
    .pipe_connection_lost = script_pipe_connection_lost,
    .process_exited = script_process_exited,
};

static const tow_base_callbacks *const tables[] = {
    [TOW_STREAM] = &stream.base,
    [TOW_BUFFERED] = &buffered.base,
    [TOW_DATAGRAM] = &datagram.base,
    [TOW_SUBPROCESS] = &subprocess.base,
};

void script_start(tow_loop *loop);
tow_protocol *script_protocol(tow_loop *loop, tow_kind kind);
tow_protocol *script_new(tow_loop *loop, void *context);
tow_handle *script_call_soon(tow_loop *loop);
tow_handle *script_call_later(tow_loop *loop, double delay);

void script_start(tow_loop *loop) {
  tow_loop_set_log(loop, script_log, NULL);
  tow_loop_set_exception_handler(loop, script_exception, NULL);
}

/* NULL when out of memory, as below. JavaScript frees it, by tow_loop_free. */
tow_protocol *script_protocol(tow_loop *loop, tow_kind kind) {
  tow_protocol *self = tow_loop_alloc(loop, sizeof *self);
  if (self) *self = (tow_protocol){tables[kind]};
  return self;
}

/* The constructor of every protocol. */
tow_protocol *script_new(tow_loop *loop, void *context) {
  tow_protocol *self = script_protocol(loop, TOW_STREAM);
  int kind = self ? script_create(context, self) : 0;
  if (kind > 0) {
    self->callbacks = tables[kind];
    return self;
  }
  tow_loop_free(loop, self);
  return NULL;
}

static tow_handle *new_handle(tow_loop *loop) {
  tow_handle *handle = tow_loop_alloc(loop, sizeof *handle);
  if (handle) *handle = (tow_handle){0};
  return handle;
}

/* JavaScript frees what these answer, when it has run or is cancelled. */
tow_handle *script_call_soon(tow_loop *loop) {
  tow_handle *handle = new_handle(loop);
  if (handle) tow_loop_call_soon(loop, handle, script_run, handle);
  return handle;
}

tow_handle *script_call_later(tow_loop *loop, double delay) {
  tow_handle *handle = new_handle(loop);
  if (handle) tow_loop_call_later(loop, handle, delay, script_run, handle);
  return handle;
}
