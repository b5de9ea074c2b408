/* One operation of the core, COUNT times, on the memory host, on connections that take turns: what
 * tests/budgets.test.js and the benchmarks count under callgrind; or how many bytes of the core's one idle connection
 * takes; or how many bytes framing adds. */
#include "../framing/wire.h"
#include "../unit/pass_layer.h"
#include "towline/framing.h"
#include "towline/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char bytes[1024];

static tow_transport *transport; /* the last one made, on layers */

static int keep(tow_protocol *self, tow_transport *made) {
  (void)self;
  transport = made;
  return 0;
}

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

static tow_stream_callbacks stream = {.base = {.size = sizeof stream, .kind = TOW_STREAM}, .data_received = take_data};
static tow_buffered_callbacks buffered = {
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

/* ---- Layers ---- */

/* With credit for as many writes as are asked for. */
static const tow_framing_layering framing = {TOW_LAYERING(tow_framing_create), 262144, WIRE_MOST_CREDIT, 0};

/* What is under the protocol, by the beginning of a word, which is cut off. */
static const tow_layering *layers_of(const char **what) {
  static const char framed[] = "framed-", passed[] = "pass-";
  if (strncmp(*what, framed, sizeof framed - 1) == 0) {
    *what += sizeof framed - 1;
    return &framing.layering;
  }
  if (strncmp(*what, passed, sizeof passed - 1) == 0) {
    *what += sizeof passed - 1;
    return &pass_layering;
  }
  return NULL;
}

static int keep_open(tow_protocol *self) {
  (void)self;
  return 1;
}

typedef struct framed_end {
  tow_protocol base;
  tow_transport *transport;
  tow_memory_peer *peer;
  size_t carried;
} framed_end;

static int keep_transport(tow_protocol *self, tow_transport *made) {
  ((framed_end *)self)->transport = made;
  return 0;
}

static void carry(framed_end *from, framed_end *to) {
  size_t size;
  const char *sent = tow_memory_received(from->peer, &size);
  if (size > from->carried) tow_memory_send(to->peer, sent + from->carried, size - from->carried);
  from->carried = size;
}

/* 8 MiB in pieces of this size, from one end to the other: how many bytes went over the wire beside them, both ways,
 * for each million. */
static size_t overhead(size_t piece) {
  static const tow_stream_callbacks callbacks = {
      .base = {.size = sizeof callbacks, .kind = TOW_STREAM, .connection_made = keep_transport},
      .data_received = take_data,
      .eof_received = keep_open};
  const tow_memory_options options = {.capacity = -1, .layers = &tow_framing_default.layering};
  tow_memory *memory = tow_memory_new(NULL);
  framed_end ends[2] = {{.base = {&callbacks.base}}, {.base = {&callbacks.base}}};
  for (int i = 0; i < 2; i++)
    ends[i].peer = tow_memory_open(memory, (tow_factory){create, &ends[i]}, &options);
  tow_memory_run(memory);
  static char data[65536];
  const size_t all = 8u << 20;
  for (size_t done = 0; done < all; done += piece) {
    tow_transport_write(ends[0].transport, data, piece);
    carry(&ends[0], &ends[1]);
    tow_memory_run(memory);
    carry(&ends[1], &ends[0]);
    tow_memory_run(memory);
  }
  size_t added = ends[0].carried + ends[1].carried - all;
  tow_memory_free(memory);
  return (size_t)((double)added * 1e6 / (double)all);
}

static const char usage[] =
    "usage: instructions [framed-|pass-]stream|buffered|write|open COUNT [CONNECTIONS]\n"
    "       instructions datagram|sendto|timer COUNT\n"
    "       instructions [framed-|pass-]bytes COUNT   opens so many idle connections; prints the bytes that each "
    "takes\n"
    "       instructions overhead SIZE                writes pieces so large; prints the bytes that framing adds to a "
    "million\n";

int main(int argc, char **argv) {
  if (argc != 3 && argc != 4) {
    fputs(usage, stderr);
    return 2;
  }
  const char *what = argv[1];
  long count = atol(argv[2]);
  if (strcmp(what, "overhead") == 0) {
    printf("%zu\n", overhead((size_t)count));
    return 0;
  }
  const tow_layering *layers = layers_of(&what);
  if (layers) stream.base.connection_made = buffered.base.connection_made = keep;
  wire_bytes chunk = {0};
  if (layers == &framing.layering)
    wire_data(&chunk, bytes, sizeof bytes);
  else
    wire_add(&chunk, bytes, sizeof bytes);
  static const tow_allocator counting = {allocate, release, NULL};
  tow_memory *memory = tow_memory_new(&counting);
  tow_loop *loop = tow_memory_loop(memory);
  bool datagrams = strcmp(what, "datagram") == 0 || strcmp(what, "sendto") == 0;
  tow_protocol protocol = {datagrams ? &datagram.base : strcmp(what, "buffered") == 0 ? &buffered.base : &stream.base};
  tow_peer far = {.size = 1, .bytes = {'a'}};
  tow_memory_peer *peer = (datagrams ? tow_memory_open_endpoint : tow_memory_open)(
      memory, (tow_factory){create, &protocol},
      &(tow_memory_options){.capacity = -1, .connected_to = far, .layers = layers});
  tow_memory_run(memory);
  if (!layers) transport = tow_memory_transport(peer);
  if (strcmp(what, "bytes") == 0) {
    size_t before = allocated;
    for (long i = 0; i < count; i++)
      tow_memory_open(memory, (tow_factory){create, &protocol},
                      &(tow_memory_options){.capacity = -1, .layers = layers});
    tow_memory_run(memory);
    printf("%zu\n", (allocated - before) / (size_t)count);
    count = 0;
  }
  static tow_handle armed[10000];
  if (strcmp(what, "timer") == 0)
    for (size_t i = 0; i < 10000; i++)
      tow_loop_call_at(loop, &armed[i], 1e9 + (double)(i * 7919 % 10000), ring, NULL);
  long connections = argc == 4 ? atol(argv[3]) : 1;
  tow_memory_peer **peers = malloc((size_t)connections * sizeof *peers);
  if (!peers) return 1;
  peers[0] = peer;
  for (long i = 1; i < connections; i++)
    peers[i] = tow_memory_open(memory, (tow_factory){create, &protocol},
                               &(tow_memory_options){.capacity = -1, .layers = layers});
  tow_memory_run(memory);
  tow_handle handle = {0};
  for (long i = 0; i < count; i++) {
    peer = peers[i % connections];
    if (connections > 1) transport = tow_memory_transport(peer);
    if (strcmp(what, "write") == 0) {
      tow_transport_write(transport, bytes, 64);
    } else if (strcmp(what, "sendto") == 0) {
      tow_transport_sendto(transport, bytes, 64, NULL);
    } else if (strcmp(what, "timer") == 0) {
      tow_loop_call_later(loop, &handle, 1, ring, NULL);
      tow_memory_advance(memory, 1);
    } else if (strcmp(what, "open") == 0) {
      tow_memory_peer *fresh = tow_memory_open(memory, (tow_factory){create, &protocol},
                                               &(tow_memory_options){.capacity = -1, .layers = layers});
      tow_memory_run(memory);
      tow_transport_close(layers ? transport : tow_memory_transport(fresh));
      tow_memory_run(memory);
    } else {
      tow_memory_send(peer, chunk.data, chunk.size);
      tow_memory_turn(memory);
    }
  }
  free(peers);
  tow_memory_free(memory);
  wire_free(&chunk);
  return 0;
}
