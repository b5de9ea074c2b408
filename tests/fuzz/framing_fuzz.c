/* A fuzzer of Towline framing, for libFuzzer. An input either plays a hostile peer of one framed transport, beside the
 * codec of tests/framing, which must agree with it about the same bytes; or carries the bytes between two framed
 * transports, as few at a time as it likes. Protocols pause, write, close and run out of memory as the input says. */
#include "../framing/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/framing.h>
#include <towline/memory.h>

enum { WINDOW = 80000, SLAB_SIZE = 262144, FIXED = SLAB_SIZE + 2 * 65536 };

typedef struct world world;

/* A framed transport and its protocol. */
typedef struct side {
  tow_protocol base;
  world *world;
  tow_transport *transport;
  tow_memory_peer *peer;
  wire out;           /* what it says */
  size_t out_size;    /* of what its memory host has sent */
  size_t carried;     /* of these, how many are with the other side */
  wire_bytes written; /* by the protocol */
  wire_bytes got;     /* data, by the protocol */
  unsigned char buffer[5000];
  size_t buffer_size;
  bool made, lost, saw_end, is_reading, has_ended, is_rough; /* rough: aborted, failed, cut off */
  int code, native;
} side;

struct world {
  const uint8_t *next, *end;
  tow_memory *memory;
  side sides[2];
  wire in;        /* hostile: what the peer says */
  bool uncertain; /* whether credit came in time is the transport's to say */
  long countdown, blocks;
  size_t bytes;
  bool has_failed, acts;
};

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "framing_fuzz.c:%d: %s\n", __LINE__, #condition);                                                \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

static uint8_t byte(world *w) {
  return w->next < w->end ? *w->next++ : 0;
}

static size_t some_size(world *w) {
  size_t n = byte(w);
  return n < 128 ? n : n < 224 ? (n - 127) * 50 : (n - 223) * 2500;
}

/* ---- Memory ---- */

static void *allocate(void *context, size_t size) {
  world *w = context;
  if (w->countdown > 0 && --w->countdown == 0) {
    w->has_failed = true;
    return NULL;
  }
  size_t *block = malloc(sizeof(max_align_t) + size);
  if (!block) abort();
  *block = size;
  w->blocks++;
  w->bytes += size;
  return (char *)block + sizeof(max_align_t);
}

static void release(void *context, void *memory) {
  world *w = context;
  if (!memory) return;
  size_t *block = (void *)((char *)memory - sizeof(max_align_t));
  w->blocks--;
  w->bytes -= *block;
  free(block);
}

/* ---- What a protocol does ---- */

static void write_some(side *s) {
  size_t size = some_size(s->world), before = s->written.size;
  if (size == 0 || before + size > 400000 || s->has_ended || tow_transport_is_closing(s->transport)) return;
  for (size_t i = before; i < before + size; i++)
    wire_add(&s->written, &(uint8_t){(uint8_t)(i * 131 + (i >> 8) * 17)}, 1);
  const unsigned char *data = s->written.data + before;
  tow_transport_writelines(s->transport, (tow_iovec[]){{data, size / 2}, {data + size / 2, size - size / 2}}, 2);
}

static void act(side *s) {
  world *w = s->world;
  tow_transport *t = s->transport;
  if (!t) return;
  switch (byte(w) % 16) {
  case 0:
    tow_transport_pause_reading(t);
    s->is_reading = false;
    break;
  case 1:
  case 2:
  case 3:
    tow_transport_resume_reading(t);
    s->is_reading = true;
    break;
  case 4:
    s->has_ended = s->has_ended || !tow_transport_is_closing(t);
    tow_transport_write_eof(t);
    break;
  case 5:
    tow_transport_close(t);
    break;
  case 6:
    s->is_rough = true;
    if (byte(w) & 1)
      tow_framing_reset(t, byte(w), "why");
    else
      tow_transport_abort(t);
    break;
  case 7:
    tow_transport_set_write_buffer_limits(t, (ptrdiff_t)some_size(w), TOW_UNSET);
    break;
  case 8:
    tow_framing_set_keepalive(t, byte(w));
    break;
  case 9:
    tow_transport_revoke_buffer(t);
    break;
  default:
    write_some(s);
  }
}

static int react(side *s) {
  CHECK(s->made && !s->lost);
  if (!s->world->acts || byte(s->world) < 200) return 0;
  act(s);
  if (byte(s->world) < 250) return 0;
  s->is_rough = true;
  return -1;
}

static int on_made(tow_protocol *self, tow_transport *transport) {
  side *s = (side *)self;
  CHECK(!s->made);
  s->made = true;
  s->transport = transport;
  react(s);
  return 0;
}
static int on_lost(tow_protocol *self, const tow_error *error) {
  side *s = (side *)self;
  CHECK(s->made && !s->lost);
  s->lost = true;
  s->transport = NULL;
  s->code = error ? error->code : 0;
  s->native = error ? error->native : 0;
  return 0;
}
static int on_flow(tow_protocol *self) {
  react((side *)self);
  return 0;
}
static int on_eof(tow_protocol *self) {
  side *s = (side *)self;
  CHECK(!s->saw_end && s->is_reading);
  s->saw_end = true;
  int answer = react(s);
  return answer < 0 ? answer : s->got.size % 2 || !s->world->acts;
}
static int on_data(tow_protocol *self, const void *data, size_t size) {
  side *s = (side *)self;
  CHECK(size > 0 && size <= 262144 && !s->saw_end && s->is_reading);
  wire_add(&s->got, data, size);
  return react(s);
}
static int on_get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  side *s = (side *)self;
  CHECK(sizehint == -1 || sizehint > 0);
  *buffer = (tow_buffer){s->buffer, s->buffer_size};
  return react(s);
}
static int on_updated(tow_protocol *self, size_t size) {
  side *s = (side *)self;
  CHECK(size <= s->buffer_size);
  return on_data(self, s->buffer, size);
}

static const tow_stream_callbacks stream = {.base = {sizeof stream, TOW_STREAM, on_made, on_lost, on_flow, on_flow},
                                            .eof_received = on_eof,
                                            .data_received = on_data};
static const tow_buffered_callbacks buffered = {
    .base = {sizeof buffered, TOW_BUFFERED, on_made, on_lost, on_flow, on_flow},
    .eof_received = on_eof,
    .get_buffer = on_get_buffer,
    .buffer_updated = on_updated};

static tow_protocol *create(tow_loop *loop, void *context) {
  (void)loop;
  return context;
}

static const tow_framing_layering framing = {TOW_LAYERING(tow_framing_create), WINDOW, 65536, 0};

static bool open_side(world *w, side *s) {
  uint8_t choice = byte(w);
  tow_memory_options options = {.capacity = choice & 1 ? byte(w) : -1, .layers = &framing.layering};
  options.hold_loans = choice & 2;
  s->world = w;
  s->base.callbacks = choice & 4 ? &buffered.base : &stream.base;
  s->buffer_size = choice & 8 ? sizeof s->buffer : choice & 16 ? 700 : 3;
  s->out = wire_new();
  s->is_reading = true;
  s->peer = tow_memory_open(w->memory, (tow_factory){create, s}, &options);
  CHECK(s->peer || w->has_failed);
  return s->peer;
}

/* ---- What must hold ---- */

static bool is_beginning(const wire_bytes *part, const wire_bytes *all) {
  return part->size == 0 || (part->size <= all->size && memcmp(part->data, all->data, part->size) == 0);
}

static void hear(side *s) {
  size_t size;
  const uint8_t *bytes = tow_memory_received(s->peer, &size);
  s->out.allowed = UINT64_MAX;
  if (size > s->out_size) wire_hear(&s->out, bytes + s->out_size, size - s->out_size);
  s->out_size = size;
  CHECK(!s->out.wrong);
}

/* `said`: what the peer has said to it. */
static void check(side *s, const wire *said) {
  hear(s);
  CHECK(s->out.announced <= WIRE_FIRST_CREDIT + said->credit);
  CHECK(is_beginning(&s->out.data, &s->written));
  CHECK(is_beginning(&s->got, &said->data));
  if (s->saw_end) CHECK(said->ended && s->got.size == said->data.size);
}

static void check_memory(const world *w) {
  size_t most = 0;
  for (int i = 0; i < 2; i++) {
    const side *s = &w->sides[i];
    if (s->peer) most += FIXED + WINDOW;
    if (s->transport) most += 3 * tow_transport_get_write_buffer_size(s->transport);
    most += s->lost ? s->written.size * 2 : 0; /* until the host has let go */
  }
  CHECK(w->bytes <= most + 65536);
}

/* ---- A hostile peer ---- */

static void say(world *w, wire_bytes *frames) {
  side *s = &w->sides[0];
  w->in.allowed = UINT64_MAX;
  wire_hear(&w->in, frames->data, frames->size);
  if (w->in.announced > WIRE_FIRST_CREDIT + s->out.credit) w->uncertain = true;
  tow_memory_send(s->peer, frames->data, frames->size);
  wire_free(frames);
}

static void say_something(world *w) {
  wire_bytes frames = {0};
  size_t size;
  switch (byte(w) % 12) {
  case 0:
    wire_end(&frames);
    break;
  case 1:
    wire_reset(&frames, byte(w), "because");
    break;
  case 2:
  case 3:
    wire_credit(&frames, (uint32_t)some_size(w) + 1);
    break;
  case 4:
    wire_ping(&frames);
    break;
  case 5:
    for (size = byte(w) % 8; size > 0; size--)
      wire_add(&frames, &(uint8_t){byte(w)}, 1); /* whatever it is */
    break;
  case 6:
    wire_data_head(&frames, some_size(w));
    break;
  default:
    size = some_size(w);
    for (size_t i = 0; i < size; i++)
      wire_add(&frames, &(uint8_t){(uint8_t)(i * 7 + w->in.data.size)}, 1);
    if (byte(w) & 1) {
      wire_bytes framed = {0};
      wire_data(&framed, frames.data, frames.size);
      wire_free(&frames);
      frames = framed;
    }
  }
  say(w, &frames);
}

static void check_hostile(world *w, bool is_cut) {
  side *s = &w->sides[0];
  check(s, &w->in);
  check_memory(w);
  if (w->has_failed || w->uncertain || is_cut || s->is_rough || s->has_ended || !s->made) return;
  if (s->lost) {
    CHECK(w->in.wrong || w->in.was_reset || s->code == 0 || s->code == TOW_ETIMEDOUT);
    return;
  }
  if (tow_transport_is_closing(s->transport)) return;
  CHECK(!w->in.wrong || w->in.credit > 0x7fffffff - 65536);
  CHECK(!w->in.was_reset);
  if (!s->is_reading || s->saw_end) return;
  CHECK(s->got.size == w->in.data.size && !w->in.ended);
}

static void play_hostile(world *w) {
  side *s = &w->sides[0];
  bool is_cut = false;
  if (!open_side(w, s)) return;
  while (w->next < w->end) {
    switch (byte(w) % 8) {
    case 0:
      act(s);
      break;
    case 1:
      tow_memory_turn(w->memory);
      break;
    case 2:
      tow_memory_accept(s->peer, (ptrdiff_t)some_size(w));
      break;
    case 3:
      if (byte(w) > 30) break;
      is_cut = true;
      tow_memory_send_eof(s->peer);
      break;
    case 4:
      tow_memory_advance(w->memory, byte(w));
      break;
    case 5:
      if (byte(w) < 60) w->countdown = byte(w) % 16;
      break;
    default:
      say_something(w);
      if (byte(w) & 1) break;
    }
    if (byte(w) & 1) continue;
    tow_memory_run(w->memory);
    check_hostile(w, is_cut);
  }
}

/* ---- Two ends ---- */

/* Some of what one side has said goes to the other; its end too, when all has gone. */
static bool carry(side *from, side *to, size_t most) {
  if (!from->peer || !to->peer) return false;
  size_t size;
  const uint8_t *bytes = tow_memory_received(from->peer, &size);
  size_t part = size - from->carried < most ? size - from->carried : most;
  if (part > 0) tow_memory_send(to->peer, bytes + from->carried, part);
  from->carried += part;
  return part > 0;
}

static void carry_end(side *from, side *to) {
  if (!from->peer || !to->peer || !tow_memory_received_eof(from->peer)) return;
  while (carry(from, to, SIZE_MAX)) {
  }
  tow_memory_send_eof(to->peer);
}

static void carry_all(world *w) {
  side *a = &w->sides[0], *b = &w->sides[1];
  bool more = true;
  while (more) {
    tow_memory_run(w->memory);
    more = carry(a, b, SIZE_MAX);
    more = carry(b, a, SIZE_MAX) || more;
  }
}

static void check_both(world *w) {
  side *a = &w->sides[0], *b = &w->sides[1];
  if (!a->peer || !b->peer) return;
  hear(a);
  hear(b);
  check(a, &b->out);
  check(b, &a->out);
  check_memory(w);
}

/* Two that were left in peace have told each other everything, and part as friends. */
static void part(world *w) {
  side *a = &w->sides[0], *b = &w->sides[1];
  w->acts = false;
  w->countdown = 0;
  for (int i = 0; i < 2; i++) {
    side *s = &w->sides[i];
    if (s->is_rough || w->has_failed || !s->transport || tow_transport_is_closing(s->transport)) return;
    tow_framing_set_keepalive(s->transport, 0);
    tow_transport_resume_reading(s->transport);
    s->is_reading = true;
    tow_memory_accept(s->peer, -1);
  }
  carry_all(w);
  check_both(w);
  CHECK(a->got.size == b->written.size && b->got.size == a->written.size);
  CHECK(a->saw_end == b->has_ended && b->saw_end == a->has_ended);
  tow_transport_close(a->transport);
  carry_all(w);
  carry_end(a, b);
  carry_all(w);
  CHECK(a->lost && a->code == 0 && b->saw_end);
  if (!b->lost) tow_transport_close(b->transport);
  carry_all(w);
  CHECK(b->lost && b->code == 0);
}

static void play_both(world *w) {
  if (!open_side(w, &w->sides[0]) || !open_side(w, &w->sides[1])) return;
  while (w->next < w->end) {
    side *s = &w->sides[byte(w) & 1], *other = &w->sides[s == w->sides];
    switch (byte(w) % 8) {
    case 0:
    case 1:
      act(s);
      break;
    case 2:
      tow_memory_accept(s->peer, (ptrdiff_t)some_size(w));
      break;
    case 3:
      if (byte(w) < 20) w->countdown = byte(w) % 16;
      break;
    case 4:
    case 5:
    case 6:
      carry(s, other, some_size(w));
      break;
    default:
      tow_memory_turn(w->memory);
      continue;
    }
    if (byte(w) & 1) tow_memory_run(w->memory);
    check_both(w);
  }
  part(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const world nothing = {0};
  world *w = malloc(sizeof *w);
  if (!w) abort();
  *w = nothing;
  w->next = data;
  w->end = data + size;
  w->acts = true;
  w->in = wire_new();
  w->memory = tow_memory_new(&(tow_allocator){allocate, release, w});
  if (byte(w) & 1)
    play_both(w);
  else
    play_hostile(w);
  w->acts = false;
  w->countdown = 0;
  tow_memory_free(w->memory);
  for (int i = 0; i < 2; i++) {
    side *s = &w->sides[i];
    CHECK(s->made == s->lost);
    wire_close(&s->out);
    wire_free(&s->written);
    wire_free(&s->got);
  }
  wire_close(&w->in);
  CHECK(w->blocks == 0);
  free(w);
  return 0;
}
