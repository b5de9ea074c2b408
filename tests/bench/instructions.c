/* One operation of the core, COUNT times, on the memory host: what tests/budgets.test.js counts under callgrind.
 * usage: instructions stream|buffered|write|timer|open COUNT */
#include "towline/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char bytes[1024];

static int take_data(tow_protocol *self, const void *data, size_t size) {
  (void)self;
  (void)data;
  (void)size;
  return 0;
}
static int give_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)self;
  (void)sizehint;
  *buffer = (tow_buffer){bytes, sizeof bytes};
  return 0;
}
static int take_update(tow_protocol *self, size_t size) {
  (void)self;
  (void)size;
  return 0;
}

static const tow_stream_callbacks stream = {.base = {.size = sizeof stream, .kind = TOW_STREAM},
                                            .data_received = take_data};
static const tow_buffered_callbacks buffered = {
    .base = {.size = sizeof buffered, .kind = TOW_BUFFERED}, .get_buffer = give_buffer, .buffer_updated = take_update};

static tow_protocol *create(tow_loop *loop, void *context) {
  (void)loop;
  return context;
}

static int ring(void *context) {
  (void)context;
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: instructions stream|buffered|write|timer|open COUNT\n");
    return 2;
  }
  const char *what = argv[1];
  long count = atol(argv[2]);
  tow_memory *memory = tow_memory_new(NULL);
  tow_loop *loop = tow_memory_loop(memory);
  tow_protocol protocol = {strcmp(what, "buffered") == 0 ? &buffered.base : &stream.base};
  tow_memory_peer *peer = tow_memory_open(memory, (tow_factory){create, &protocol}, NULL);
  tow_memory_run(memory);
  tow_transport *transport = tow_memory_transport(peer);
  static tow_handle armed[10000];
  if (strcmp(what, "timer") == 0)
    for (size_t i = 0; i < 10000; i++)
      tow_loop_call_at(loop, &armed[i], 1e9 + (double)(i * 7919 % 10000), ring, NULL);
  tow_handle handle = {0};
  for (long i = 0; i < count; i++) {
    if (strcmp(what, "write") == 0) {
      tow_transport_write(transport, bytes, 64);
    } else if (strcmp(what, "timer") == 0) {
      tow_loop_call_later(loop, &handle, 1, ring, NULL);
      tow_memory_advance(memory, 1);
    } else if (strcmp(what, "open") == 0) {
      tow_protocol other = {&stream.base};
      tow_memory_peer *fresh = tow_memory_open(memory, (tow_factory){create, &other}, NULL);
      tow_memory_run(memory);
      tow_transport_close(tow_memory_transport(fresh));
      tow_memory_run(memory);
    } else {
      tow_memory_send(peer, bytes, sizeof bytes);
      tow_memory_turn(memory);
    }
  }
  tow_memory_free(memory);
  return 0;
}
