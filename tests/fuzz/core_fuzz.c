/* A fuzzer of the core, for libFuzzer: the input's bytes say what hosts report and what protocols call, on the memory
 * host, with allocations that fail. What must hold is checked in every callback and after every event (world.h). */
#include "../unit/pass_layer.h"
#include "world.h"

#include <math.h>
#include <sanitizer/asan_interface.h>

/* ---- Memory ---- */

/* The loop's slab, used again for each input: a block so large is a system call elsewhere, and most of the time. */
enum { SLAB_SIZE = 262144 };
static unsigned char slab[SLAB_SIZE];

static void *allocate(void *context, size_t size) {
  world *w = context;
  if (w->countdown > 0 && --w->countdown == 0) {
    w->has_failed = true;
    return NULL;
  }
  w->blocks++;
  if (size == SLAB_SIZE && !w->slab_is_used) {
    w->slab_is_used = true;
    ASAN_UNPOISON_MEMORY_REGION(slab, SLAB_SIZE);
    return slab;
  }
  void *block = malloc(size);
  if (!block) abort();
  return block;
}

static void release(void *context, void *memory) {
  world *w = context;
  if (!memory) return;
  w->blocks--;
  if (memory != slab) {
    free(memory);
    return;
  }
  w->slab_is_used = false;
  ASAN_POISON_MEMORY_REGION(slab, SLAB_SIZE);
}

/* ---- Opening ---- */

connection *new_connection(world *w, tow_kind kind) {
  if (w->count == CONNECTIONS) return NULL;
  connection *c = &w->connections[w->count++];
  c->world = w;
  c->family = kind == TOW_DATAGRAM ? ENDPOINT : kind == TOW_SUBPROCESS ? PROCESS : STREAM;
  c->automaton = (automaton){.is_process = c->family == PROCESS};
  c->actor = new_actor(c, kind);
  return c;
}

tow_protocol *create_actor(tow_loop *loop, void *context) {
  (void)loop;
  return &((connection *)context)->actor->base;
}

static void open_one(world *w) {
  static const tow_kind kinds[] = {TOW_STREAM, TOW_BUFFERED, TOW_BUFFERED, TOW_DATAGRAM, TOW_SUBPROCESS};
  static const unsigned abilities[] = {TOW_CAN_STREAM, TOW_CAN_STREAM | TOW_WANTS_CORK, TOW_CAN_READ | TOW_CAN_WRITE,
                                       TOW_CAN_READ, TOW_CAN_WRITE | TOW_CAN_WRITE_EOF};
  connection *c = new_connection(w, kinds[byte(w) % 5]);
  if (!c) return;
  uint8_t choice = byte(w);
  bool holds = choice & 1 && c->family == STREAM;
  c->keeps_loans = holds && choice & 2;
  c->abilities = c->family == STREAM ? abilities[choice / 4 % 5] : TOW_CAN_READ;
  c->is_bound = choice & 4;
  bool is_layered = c->family == STREAM && byte(w) & 1;
  tow_memory_options options = {.abilities = c->abilities,
                                .capacity = choice & 128  ? (ptrdiff_t)byte(w) / 4
                                            : choice & 64 ? 0
                                                          : -1,
                                .hold_loans = holds,
                                .cannot_revoke = c->keeps_loans,
                                .layers = is_layered ? &pass_layering : NULL,
                                .connected_to = {.size = !c->is_bound, .bytes = "a"}};
  tow_factory factory = {create_actor, c};
  c->peer = c->family == STREAM     ? tow_memory_open(w->memory, factory, &options)
            : c->family == ENDPOINT ? tow_memory_open_endpoint(w->memory, factory, &options)
                                    : tow_memory_spawn(w->memory, factory, choice & 7);
  if (c->peer) return;
  CHECK(w->has_failed, "opening");
  free_actor(c->actor);
  memset(c, 0, sizeof *c);
  w->count--;
}

/* ---- The peer's side ---- */

static void send_datagram(world *w, connection *c) {
  if (c->count_in == DATAGRAMS) return;
  size_t size = size_of(w);
  unsigned char *bytes = payload(w, c->count_in, size);
  c->sizes_in[c->count_in++] = size;
  tow_memory_send_from(c->peer, bytes, size, &(tow_peer){.size = 1, .bytes = "a"});
  free(bytes);
}

static void send_stream(world *w, tow_memory_peer *peer, stream *in) {
  if (in->ended) return;
  size_t size = size_of(w) % 3000; /* each turn takes one buffer, which may hold a byte */
  unsigned char *bytes = payload(w, in->put, size);
  in->put += size;
  tow_memory_send(peer, bytes, size);
  free(bytes);
}

static void end_stream(connection *c, tow_memory_peer *peer, stream *in) {
  if (in->ended) return;
  in->ended = true;
  if (!(c->abilities & TOW_CAN_READ)) c->may_close = c->may_fail = true; /* [E7] */
  tow_memory_send_eof(peer);
}

static tow_error some_error(world *w) {
  int code = -(int)(byte(w) % 50); /* beyond the last one too */
  return (tow_error){code, byte(w), byte(w) & 1 ? "a message" : NULL};
}

static void fail_reads(world *w, connection *c, tow_memory_peer *peer, stream *in) {
  if (in->ended) return;
  tow_error error = some_error(w);
  c->may_fail = true;
  in->ended = c->family == STREAM;
  tow_memory_send_error(peer, &error);
}

static void child_act(world *w, connection *c) {
  int fd = byte(w) % 4;
  if (fd == 3) {
    c->returncode = c->exited ? c->returncode : byte(w) - 64;
    c->exited = true;
    tow_memory_exit(c->peer, c->returncode);
    return;
  }
  tow_memory_peer *pipe = tow_memory_pipe(c->peer, fd);
  if (!pipe) return;
  uint8_t choice = byte(w);
  if (choice < 128 && fd > 0)
    send_stream(w, pipe, &c->in[fd]);
  else if (choice < 160) {
    c->in[fd].ended = true;
    tow_memory_send_eof(pipe);
  } else if (choice < 200)
    tow_memory_accept(pipe, choice - 161);
}

static void peer_act(world *w, connection *c) {
  if (!c->peer) return;
  if (c->family == PROCESS) {
    child_act(w, c);
    return;
  }
  bool reads = c->abilities & TOW_CAN_READ;
  tow_error error;
  switch (byte(w) % 10) {
  case 0:
    if (c->family == STREAM) end_stream(c, c->peer, &c->in[0]);
    break;
  case 1:
    if (reads) fail_reads(w, c, c->peer, &c->in[0]);
    break;
  case 2:
    error = some_error(w);
    c->may_fail = c->sends_failed = true;
    tow_memory_fail_writes(c->peer, byte(w) & 1 ? &error : NULL);
    break;
  case 3:
    error = some_error(w);
    c->may_fail = true;
    tow_memory_fail_shutdown(c->peer, byte(w) & 1 ? &error : NULL);
    break;
  case 4:
  case 5:
    tow_memory_accept(c->peer, (ptrdiff_t)size_of(w) - 1);
    break;
  default:
    if (c->family == ENDPOINT)
      send_datagram(w, c);
    else if (reads)
      send_stream(w, c->peer, &c->in[0]);
  }
}

/* ---- What must hold ---- */

static void check_bytes(connection *c, const tow_memory_peer *peer) {
  size_t size;
  const unsigned char *bytes = tow_memory_received(peer, &size);
  CHECK(size <= c->out.put, "bytes that nobody wrote");
  CHECK(!c->aborted || c->family != STREAM || size <= c->at_abort, "E5");
  if (size == c->drained) return;
  CHECK(is_payload(c->world, c->drained, bytes + c->drained, size - c->drained), "bytes in order");
  c->drained = size;
}

static void check_datagrams(connection *c) {
  size_t count, all;
  const size_t *sizes = tow_memory_received_sizes(c->peer, &count);
  const unsigned char *bytes = tow_memory_received(c->peer, &all);
  CHECK(count <= c->count_out, "D1");
  if (c->sends_failed || c->world->has_failed) return;
  for (; c->checked_out < count; c->checked_out++) {
    size_t size = sizes[c->checked_out];
    CHECK(size == c->sizes_out[c->checked_out], "D1");
    if (size > 0) CHECK(is_payload(c->world, c->checked_out, bytes + c->drained, size), "D1");
    c->drained += size;
  }
}

void check_connection(connection *c) {
  if (!c->peer || c->world->closing) return;
  if (c->family == ENDPOINT)
    check_datagrams(c);
  else if (c->family == STREAM)
    check_bytes(c, c->peer);
  else if (tow_memory_pipe(c->peer, 0))
    check_bytes(c, tow_memory_pipe(c->peer, 0));
}

/* When no callback runs. */
static void check_rest(connection *c) {
  check_connection(c);
  tow_transport *t = c->transport;
  if (!t || c->lost || !c->actor || tow_transport_is_closing(t)) return;
  size_t low, high, size = tow_transport_get_write_buffer_size(t);
  tow_transport_get_write_buffer_limits(t, &low, &high);
  bool paused = c->automaton.paused & (uint64_t)1 << c->actor->number;
  if (c->family != PROCESS) CHECK(size <= high || paused, "F2");
  if (c->family == STREAM && c->peer) CHECK(size == c->out.put - c->drained, "F6");
}

/* ---- An input ---- */

static void step(world *w) {
  connection *c = w->count > 0 ? &w->connections[byte(w) % w->count] : NULL;
  uint8_t which = byte(w) % 16;
  if (w->tells) fprintf(stderr, "step %u\n", which);
  switch (which) {
  case 0:
  case 1:
    open_one(w);
    break;
  case 2:
    ask_act(w);
    break;
  case 3:
    later_act(w);
    break;
  case 4:
    tow_memory_advance(w->memory, byte(w) % 32);
    break;
  case 5:
    w->countdown = byte(w) % 16;
    break;
  case 6:
  case 7:
  case 8:
    tow_memory_run(w->memory);
    break;
  case 9:
    tow_memory_turn(w->memory);
    break;
  case 10:
  case 11:
  case 12:
    if (c) peer_act(w, c);
    break;
  default:
    if (c) act(c);
  }
}

static void end(world *w) {
  w->closing = true;
  tow_memory_free(w->memory);
  for (size_t i = 0; i < w->count; i++) {
    connection *c = &w->connections[i];
    CHECK(c->automaton.calls[CM] == c->automaton.calls[CL], "T5: every connection_lost");
    if (c->references > 0) act_some(c);
    unref_all(c);
  }
  for (int i = 0; i < REQUESTS; i++)
    CHECK(!w->asked[i].request, "T5: every result");
  CHECK(w->blocks == 0, "L7");
}

/* Freed memory is watched for as long as an input takes, not longer: fresh pages cost more than all the rest. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "quarantine_size_mb=4";
}

static unsigned char pattern[2 * PERIOD];

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count, (void)arguments;
  for (size_t i = 0; i < sizeof pattern; i++)
    pattern[i] = (unsigned char)(i * 131 + (i >> 8) * 17 + 7);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const world nothing = {0};
  world *w = malloc(sizeof *w);
  if (!w) abort();
  *w = nothing;
  w->next = data;
  w->pattern = pattern;
  w->end = data + size;
  w->tells = getenv("CORE_FUZZ_TELLS") != NULL;
  w->timer_when = -INFINITY;
  w->memory = tow_memory_new(&(tow_allocator){allocate, release, w});
  w->loop = tow_memory_loop(w->memory);
  while (w->next < w->end) {
    step(w);
    for (size_t i = 0; i < w->count; i++)
      check_rest(&w->connections[i]);
  }
  end(w);
  free(w);
  return 0;
}
