/* Counts what comes into a buffered protocol on Towline, and answers the number when that ends.
 * usage: bulk_towline; prints its port. */
#include "towline/uv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char memory[1 << 20];

typedef struct counter {
  tow_protocol base;
  tow_transport *transport;
  uint64_t received;
} counter;

static int made(tow_protocol *self, tow_transport *transport) {
  ((counter *)self)->transport = transport;
  return 0;
}

static int lost(tow_protocol *self, const tow_error *error) {
  (void)error;
  free(self);
  return 0;
}

static int get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)self;
  (void)sizehint;
  *buffer = (tow_buffer){memory, sizeof memory};
  return 0;
}

static int updated(tow_protocol *self, size_t size) {
  ((counter *)self)->received += size;
  return 0;
}

static int eof_received(tow_protocol *self) {
  counter *c = (counter *)self;
  return tow_transport_write(c->transport, &c->received, sizeof c->received);
}

static const tow_buffered_callbacks callbacks = {
    .base = {.size = sizeof callbacks, .kind = TOW_BUFFERED, .connection_made = made, .connection_lost = lost},
    .eof_received = eof_received,
    .get_buffer = get_buffer,
    .buffer_updated = updated};

static tow_protocol *create(tow_loop *loop, void *context) {
  (void)loop;
  (void)context;
  counter *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->base.callbacks = &callbacks.base;
  return &self->base;
}

static int listening(void *context, tow_server *server, const tow_error *error) {
  (void)context;
  char address[64];
  if (error || tow_server_get_extra_info(server, "sockname", address, sizeof address) < 0) exit(1);
  puts(strrchr(address, ':') + 1);
  return fflush(stdout);
}

int main(void) {
  tow_loop *loop = tow_uv_loop_new(NULL);
  tow_loop_listen(loop, "tcp://127.0.0.1:0", NULL, (tow_factory){create, NULL}, listening, NULL);
  tow_uv_run(loop);
  tow_uv_loop_close(loop);
  return 0;
}
