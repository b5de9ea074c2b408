/* Around an example that puts a layer under a protocol in use. */
#include "hello.h"

#include "../unit/pass_layer.c"

#include <stdlib.h>
#include <towline/memory.h>

static void over(tow_loop *loop) {
  (void)loop;
}

static void start(hello *self, const void *rest, size_t rest_size) {
#include "example.c"
}

int main(void) {
  tow_memory *memory = tow_memory_new(NULL);
  tow_memory_peer *peer = tow_memory_open(memory, (tow_factory){hello_new, NULL}, NULL);
  tow_memory_run(memory);
  tow_transport *lower = tow_memory_transport(peer);
  hello *self = (hello *)tow_transport_get_protocol(lower);
  start(self, "hel", 3);
  bool has_layer = self->transport != lower;
  tow_memory_send(peer, "lo", 2);
  tow_memory_run(memory);
  tow_memory_free(memory);
  return has_layer && was_answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
