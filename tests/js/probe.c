/* A protocol whose callbacks are JavaScript's: probe.js is its other side. What it can do besides is what a broken
 * module does. */
#include "towline/towline.h"

#include <stdlib.h>

enum call { MADE, LOST, PAUSE, RESUME, EOF_RECEIVED, DATA, GET_BUFFER, UPDATED, TIMER };

typedef struct probe {
  tow_protocol base;
  tow_transport *transport;
  tow_handle timer;
  tow_buffer buffer;
  char memory[64];
} probe;

__attribute__((import_module("app"), import_name("call"))) extern int app_call(tow_protocol *self, enum call call,
                                                                               intptr_t a, intptr_t b);
__attribute__((import_module("app"), import_name("opened"))) extern void app_opened(void *context,
                                                                                    tow_transport *transport, int code);

static int made(tow_protocol *self, tow_transport *transport) {
  ((probe *)self)->transport = transport;
  return app_call(self, MADE, 0, 0);
}

static int lost(tow_protocol *self, const tow_error *error) {
  int result = app_call(self, LOST, error ? error->code : 0, error ? error->native : 0);
  tow_handle_cancel(&((probe *)self)->timer);
  free(self);
  return result;
}

static int pause(tow_protocol *self) {
  return app_call(self, PAUSE, 0, 0);
}
static int resume(tow_protocol *self) {
  return app_call(self, RESUME, 0, 0);
}
static int ended(tow_protocol *self) {
  return app_call(self, EOF_RECEIVED, 0, 0);
}
static int data(tow_protocol *self, const void *bytes, size_t size) {
  return app_call(self, DATA, (intptr_t)bytes, (intptr_t)size);
}

static int get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  int result = app_call(self, GET_BUFFER, sizehint, 0);
  *buffer = ((probe *)self)->buffer;
  return result;
}

static int updated(tow_protocol *self, size_t size) {
  return app_call(self, UPDATED, (intptr_t)((probe *)self)->buffer.base, (intptr_t)size);
}

static int timer(void *self) {
  return app_call(self, TIMER, 0, 0);
}

#define BASE(type, kind_)                                                                                              \
  .base = {.size = sizeof(type),                                                                                       \
           .kind = kind_,                                                                                              \
           .connection_made = made,                                                                                    \
           .connection_lost = lost,                                                                                    \
           .pause_writing = pause,                                                                                     \
           .resume_writing = resume},                                                                                  \
  .eof_received = ended

static const tow_stream_callbacks stream = {BASE(tow_stream_callbacks, TOW_STREAM), .data_received = data};
static const tow_buffered_callbacks buffered = {BASE(tow_buffered_callbacks, TOW_BUFFERED), .get_buffer = get_buffer,
                                                .buffer_updated = updated};

static tow_protocol *make(const tow_base_callbacks *callbacks) {
  probe *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->base.callbacks = callbacks;
  self->buffer = (tow_buffer){self->memory, sizeof self->memory};
  return &self->base;
}

tow_protocol *probe_stream(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  return make(&stream.base);
}

tow_protocol *probe_buffered(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  return make(&buffered.base);
}

tow_protocol *probe_none(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  return NULL;
}

tow_protocol *probe_trap(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  __builtin_trap();
}

/* Never ends, by eating the stack. */
int probe_recurse(volatile int *place) {
  volatile int here = place ? *place + 1 : 0;
  return here < 0 ? 0 : probe_recurse(&here) + here;
}

tow_transport *probe_transport(probe *self) {
  return self->transport;
}

void probe_later(probe *self, double delay) {
  tow_loop_call_later(tow_transport_get_loop(self->transport), &self->timer, delay, timer, self);
}

void probe_set_buffer(probe *self, void *base, size_t size) {
  self->buffer = (tow_buffer){base, size};
}

static int opened(void *context, tow_transport *transport, const tow_error *error) {
  app_opened(context, transport, error ? error->code : 0);
  return 0;
}

/* A connection that C asks for. */
void probe_connect(tow_loop *loop, const char *address, size_t size, void *context) {
  (void)size;
  tow_loop_connect(loop, address, NULL, (tow_factory){probe_stream, NULL}, opened, context);
}
