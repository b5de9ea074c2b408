/* A protocol whose callbacks are JavaScript's: probe.js is its other side. What it can do besides is what a broken
 * module does. */
#include "towline/towline.h"

#include <stdlib.h>

enum call {
  MADE,
  LOST,
  PAUSE,
  RESUME,
  EOF_RECEIVED,
  DATA,
  GET_BUFFER,
  UPDATED,
  TIMER,
  DATAGRAM,
  ERROR,
  PIPE_DATA,
  PIPE_LOST,
  EXITED,
  JOINED
};

typedef struct probe {
  tow_protocol base;
  tow_transport *transport;
  tow_handle timer;
  tow_buffer buffer;
  char memory[64];
  tow_peer peer; /* whose the last call of an endpoint was */
  int fd;        /* whose pipe's the last call is */
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

static int datagram(tow_protocol *self, const void *bytes, size_t size, const tow_peer *peer) {
  ((probe *)self)->peer = *peer;
  return app_call(self, DATAGRAM, (intptr_t)bytes, (intptr_t)size);
}

static int error_received(tow_protocol *self, const tow_error *error, const tow_peer *peer) {
  ((probe *)self)->peer = peer ? *peer : (tow_peer){0};
  return app_call(self, ERROR, error->code, error->native);
}

static int joined(tow_protocol *self, const tow_peer *peer) {
  ((probe *)self)->peer = *peer;
  return app_call(self, JOINED, 0, 0);
}

static int pipe_data(tow_protocol *self, int fd, const void *bytes, size_t size) {
  ((probe *)self)->fd = fd;
  return app_call(self, PIPE_DATA, (intptr_t)bytes, (intptr_t)size);
}

static int pipe_lost(tow_protocol *self, int fd, const tow_error *error) {
  ((probe *)self)->fd = fd;
  return app_call(self, PIPE_LOST, fd, error ? error->code : 0);
}

static int exited(tow_protocol *self) {
  int returncode = -1000;
  tow_transport_get_returncode(((probe *)self)->transport, &returncode);
  return app_call(self, EXITED, returncode, 0);
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
           .resume_writing = resume}

static const tow_stream_callbacks stream = {BASE(tow_stream_callbacks, TOW_STREAM), .eof_received = ended,
                                            .data_received = data};
static const tow_buffered_callbacks buffered = {BASE(tow_buffered_callbacks, TOW_BUFFERED), .eof_received = ended,
                                                .get_buffer = get_buffer, .buffer_updated = updated};
static const tow_datagram_callbacks datagrams = {BASE(tow_datagram_callbacks, TOW_DATAGRAM),
                                                 .datagram_received = datagram, .error_received = error_received,
                                                 .peer_joined = joined};
static const tow_subprocess_callbacks child = {BASE(tow_subprocess_callbacks, TOW_SUBPROCESS),
                                               .pipe_data_received = pipe_data, .pipe_connection_lost = pipe_lost,
                                               .process_exited = exited};

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

tow_protocol *probe_datagram(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  return make(&datagrams.base);
}

tow_protocol *probe_child(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  return make(&child.base);
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

/* An endpoint, and a child that writes its arguments and its environment. */
void probe_bind(tow_loop *loop, const char *address, size_t size, void *context) {
  (void)size;
  tow_loop_bind(loop, address, NULL, (tow_factory){probe_datagram, NULL}, opened, context);
}

void probe_spawn(tow_loop *loop, const char *address, size_t size, void *context) {
  (void)size;
  static const char *const arguments[] = {"-c", "echo $0 $1 $A; echo $B >&2; pwd", "first", "second", NULL};
  static const char *const environment[] = {"A=a=b", "B=", "C", NULL};
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  options.arguments = arguments;
  options.environment = environment;
  options.directory = "/";
  options.stdio[0] = TOW_NULL;
  options.stdio[2] = TOW_STDOUT;
  tow_loop_spawn(loop, address, &options, (tow_factory){probe_child, NULL}, opened, context);
}

tow_peer *probe_peer(probe *self) {
  return &self->peer;
}

int probe_parse_peer(probe *self, const char *text, size_t size) {
  (void)size;
  return tow_transport_parse_peer(self->transport, text, &self->peer);
}

int probe_format_peer(probe *self, char *text, size_t capacity) {
  return tow_transport_format_peer(self->transport, &self->peer, text, capacity);
}

int probe_fd(probe *self) {
  return self->fd;
}
