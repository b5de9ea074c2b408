/* What runs as wasm in the benchmarks of Node and the browser: a protocol that counts, one that sends back, and one
 * that sends as much as is taken. */
#include "towline/towline.h"

#include <string.h>

enum { SINK = 1024 * 1024, ECHO = 256 * 1024 };

static double received;
static char sink_memory[SINK]; /* what is counted is not kept: all connections can share it */

typedef struct connection {
  tow_protocol base;
  tow_transport *transport;
  size_t size; /* of a source's writes, of a sink's buffer */
  bool paused;
  char memory[ECHO];
} connection;

static connection *of(tow_protocol *self) {
  return (connection *)self;
}

double received_bytes(void) {
  return received;
}

static int made(tow_protocol *self, tow_transport *transport) {
  of(self)->transport = transport;
  return 0;
}

static int lost(tow_protocol *self, const tow_error *error) {
  (void)error;
  tow_loop_free(tow_transport_get_loop(of(self)->transport), self);
  return 0;
}

static tow_protocol *new_connection(tow_loop *loop, const tow_base_callbacks *callbacks, size_t size) {
  connection *self = tow_loop_alloc(loop, sizeof *self);
  if (!self) return NULL;
  self->base.callbacks = callbacks;
  self->size = size;
  self->paused = false;
  memset(self->memory, 't', sizeof self->memory);
  return &self->base;
}

/* ---- Counts ---- */

static int sink_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)sizehint;
  *buffer = (tow_buffer){sink_memory, of(self)->size};
  return 0;
}

static int sink_updated(tow_protocol *self, size_t size) {
  (void)self;
  received += (double)size;
  return 0;
}

/* Its context is how large its buffer is. */
tow_protocol *sink_new(tow_loop *loop, void *context) {
  size_t size = (size_t)context;
  static const tow_buffered_callbacks callbacks = {
      .base = {.size = sizeof callbacks, .kind = TOW_BUFFERED, .connection_made = made, .connection_lost = lost},
      .get_buffer = sink_buffer,
      .buffer_updated = sink_updated};
  return size > 0 && size <= SINK ? new_connection(loop, &callbacks.base, size) : NULL;
}

/* ---- Sends back ---- */

static int echo_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)sizehint;
  *buffer = (tow_buffer){of(self)->memory, sizeof of(self)->memory};
  return 0;
}

static int echo_updated(tow_protocol *self, size_t size) {
  return tow_transport_write(of(self)->transport, of(self)->memory, size);
}

static int echo_stop(tow_protocol *self) {
  tow_transport_pause_reading(of(self)->transport);
  return 0;
}

static int echo_go_on(tow_protocol *self) {
  tow_transport_resume_reading(of(self)->transport);
  return 0;
}

tow_protocol *echo_new(tow_loop *loop, void *context) {
  (void)context;
  static const tow_buffered_callbacks callbacks = {.base = {.size = sizeof callbacks,
                                                            .kind = TOW_BUFFERED,
                                                            .connection_made = made,
                                                            .connection_lost = lost,
                                                            .pause_writing = echo_stop,
                                                            .resume_writing = echo_go_on},
                                                   .get_buffer = echo_buffer,
                                                   .buffer_updated = echo_updated};
  return new_connection(loop, &callbacks.base, 0);
}

/* ---- Sends: its context is how many bytes a write has ---- */

static int source_go_on(tow_protocol *self) {
  connection *c = of(self);
  int error = 0;
  c->paused = false;
  while (!c->paused && !tow_transport_is_closing(c->transport) && error == 0)
    error = tow_transport_write(c->transport, c->memory, c->size);
  return error;
}

static int source_made(tow_protocol *self, tow_transport *transport) {
  made(self, transport);
  return source_go_on(self);
}

static int source_stop(tow_protocol *self) {
  of(self)->paused = true;
  return 0;
}

tow_protocol *source_new(tow_loop *loop, void *context) {
  static const tow_stream_callbacks callbacks = {.base = {.size = sizeof callbacks,
                                                          .kind = TOW_STREAM,
                                                          .connection_made = source_made,
                                                          .connection_lost = lost,
                                                          .pause_writing = source_stop,
                                                          .resume_writing = source_go_on}};
  return new_connection(loop, &callbacks.base, (size_t)context);
}
