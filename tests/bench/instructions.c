/* One operation of the core, COUNT times, on the memory host: what tests/budgets.test.js counts under callgrind; or how
 * many bytes of the core's one idle connection takes. */
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

static int take_datagram(tow_protocol *self, const void *data, size_t size, const tow_peer *peer) {
  (void)peer;
  return take_data(self, data, size);
}
static const tow_datagram_callbacks datagram = {.base = {.size = sizeof datagram, .kind = TOW_DATAGRAM},
                                                .datagram_received = take_datagram};

static size_t allocated;

static void *allocate(void *context, size_t size) {
  (void)context;
  allocated += size;
  return malloc(size);
}
static void release(void *context, void *memory) {
  (void)context;
  free(memory);
}

static tow_protocol *create(tow_loop *loop, void *context) {
  (void)loop;
  return context;
}

static int ring(void *context) {
  (void)context;
  return 0;
}

static const char usage[] =
    "usage: instructions stream|buffered|datagram|write|sendto|timer|open COUNT\n"
    "       instructions bytes COUNT   opens so many idle connections; prints the bytes that each takes\n";

int main(int argc, char **argv) {
  if (argc != 3) {
    fputs(usage, stderr);
    return 2;
  }
  const char *what = argv[1];
  long count = atol(argv[2]);
  static const tow_allocator counting = {allocate, release, NULL};
  tow_memory *memory = tow_memory_new(&counting);
  tow_loop *loop = tow_memory_loop(memory);
  bool datagrams = strcmp(what, "datagram") == 0 || strcmp(what, "sendto") == 0;
  tow_protocol protocol = {datagrams ? &datagram.base : strcmp(what, "buffered") == 0 ? &buffered.base : &stream.base};
  tow_peer far = {.size = 1, .bytes = {'a'}};
  tow_memory_peer *peer = (datagrams ? tow_memory_open_endpoint : tow_memory_open)(
      memory, (tow_factory){create, &protocol}, &(tow_memory_options){.capacity = -1, .connected_to = far});
  tow_memory_run(memory);
  if (strcmp(what, "bytes") == 0) {
    size_t before = allocated;
    for (long i = 0; i < count; i++)
      tow_memory_open(memory, (tow_factory){create, &protocol}, NULL);
    tow_memory_run(memory);
    printf("%zu\n", (allocated - before) / (size_t)count);
    count = 0;
  }
  tow_transport *transport = tow_memory_transport(peer);
  static tow_handle armed[10000];
  if (strcmp(what, "timer") == 0)
    for (size_t i = 0; i < 10000; i++)
      tow_loop_call_at(loop, &armed[i], 1e9 + (double)(i * 7919 % 10000), ring, NULL);
  tow_handle handle = {0};
  for (long i = 0; i < count; i++) {
    if (strcmp(what, "write") == 0) {
      tow_transport_write(transport, bytes, 64);
    } else if (strcmp(what, "sendto") == 0) {
      tow_transport_sendto(transport, bytes, 64, NULL);
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
