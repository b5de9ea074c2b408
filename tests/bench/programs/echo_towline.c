/* An echo server on Towline. usage: echo_towline plain|buffered; prints its port. */
#include "towline/uv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char memory[256 * 1024]; /* one read at a time: all connections can share it */

typedef struct echo {
  tow_protocol base;
  tow_transport *transport;
} echo;

static int made(tow_protocol *self, tow_transport *transport) {
  ((echo *)self)->transport = transport;
  return 0;
}

static int lost(tow_protocol *self, const tow_error *error) {
  (void)error;
  free(self);
  return 0;
}

static int stop(tow_protocol *self) {
  tow_transport_pause_reading(((echo *)self)->transport);
  return 0;
}

static int go_on(tow_protocol *self) {
  tow_transport_resume_reading(((echo *)self)->transport);
  return 0;
}

static int data_received(tow_protocol *self, const void *data, size_t size) {
  return tow_transport_write(((echo *)self)->transport, data, size);
}

static int get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)self;
  (void)sizehint;
  *buffer = (tow_buffer){memory, sizeof memory};
  return 0;
}

static int updated(tow_protocol *self, size_t size) {
  return tow_transport_write(((echo *)self)->transport, memory, size);
}

#define BASE(table, which)                                                                                             \
  .base = {.size = sizeof(table),                                                                                      \
           .kind = (which),                                                                                            \
           .connection_made = made,                                                                                    \
           .connection_lost = lost,                                                                                    \
           .pause_writing = stop,                                                                                      \
           .resume_writing = go_on}

static const tow_stream_callbacks plain = {BASE(tow_stream_callbacks, TOW_STREAM), .data_received = data_received};
static const tow_buffered_callbacks buffered = {BASE(tow_buffered_callbacks, TOW_BUFFERED), .get_buffer = get_buffer,
                                                .buffer_updated = updated};

static tow_protocol *create(tow_loop *loop, void *callbacks) {
  (void)loop;
  echo *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->base.callbacks = callbacks;
  return &self->base;
}

static int listening(void *context, tow_server *server, const tow_error *error) {
  (void)context;
  char address[64];
  if (error || tow_server_get_extra_info(server, "sockname", address, sizeof address) < 0) exit(1);
  puts(strrchr(address, ':') + 1);
  return fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  const tow_base_callbacks *callbacks = strcmp(argv[1], "plain") == 0 ? &plain.base : &buffered.base;
  tow_loop *loop = tow_uv_loop_new(NULL);
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.backlog = 4096;
  tow_factory factory = {create, (void *)(uintptr_t)callbacks};
  tow_loop_listen(loop, "tcp://127.0.0.1:0", &options, factory, listening, NULL);
  tow_uv_run(loop);
  tow_uv_loop_close(loop);
  return 0;
}
