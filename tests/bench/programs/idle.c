/* A protocol that does nothing, as small as can be, for counting what its connection takes. */
#include "towline/towline.h"

static int data_received(tow_protocol *self, const void *data, size_t size) {
  (void)self;
  (void)data;
  (void)size;
  return 0;
}

static const tow_stream_callbacks callbacks = {.base = {.size = sizeof callbacks, .kind = TOW_STREAM},
                                               .data_received = data_received};
static tow_protocol idle = {&callbacks.base};

tow_protocol *idle_new(tow_loop *loop, void *context) {
  (void)loop;
  (void)context;
  return &idle;
}
