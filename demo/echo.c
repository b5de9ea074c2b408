/* The smallest useful protocol: sends back what comes, out of a buffer of its own. */
#include "towline/towline.h"

typedef struct echo {
  tow_protocol base;
  tow_transport *transport;
  char buffer[4096];
} echo;

static int made(tow_protocol *self, tow_transport *transport) {
  ((echo *)self)->transport = transport;
  return 0;
}

static int get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)sizehint;
  *buffer = (tow_buffer){((echo *)self)->buffer, sizeof((echo *)self)->buffer};
  return 0;
}

static int updated(tow_protocol *self, size_t size) {
  return tow_transport_write(((echo *)self)->transport, ((echo *)self)->buffer, size);
}

static int stop(tow_protocol *self) {
  tow_transport_pause_reading(((echo *)self)->transport);
  return 0;
}

static int go_on(tow_protocol *self) {
  tow_transport_resume_reading(((echo *)self)->transport);
  return 0;
}

static int lost(tow_protocol *self, const tow_error *error) {
  (void)error;
  tow_loop_free(tow_transport_get_loop(((echo *)self)->transport), self);
  return 0;
}

static const tow_buffered_callbacks callbacks = {
    .base = {.size = sizeof(tow_buffered_callbacks),
             .kind = TOW_BUFFERED,
             .connection_made = made,
             .connection_lost = lost,
             .pause_writing = stop,
             .resume_writing = go_on},
    .get_buffer = get_buffer,
    .buffer_updated = updated,
};

tow_protocol *echo_new(tow_loop *loop, void *context) {
  (void)context;
  echo *self = tow_loop_alloc(loop, sizeof *self);
  if (!self) return NULL;
  self->base.callbacks = &callbacks.base;
  return &self->base;
}
