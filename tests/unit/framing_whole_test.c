/* Towline framing as a whole: two ends, every split of the bytes, memory that runs out. */
#include "budget.h"
#include "framing_talk.h"

/* ---- Two ends ---- */

typedef struct side {
  probe *p;
  size_t written;
} side;

static uint32_t random_state;
static size_t below(size_t n) {
  random_state = random_state * 1664525u + 1013904223u;
  return (size_t)(((uint64_t)random_state * n) >> 32);
}

static void do_something(side *s) {
  tow_transport *t = s->p->transport;
  switch (below(4)) {
  case 0:
    if (tow_transport_get_write_buffer_size(t) > 200000) break;
    size_t size = below((size_t[]){10, 1000, 70000}[below(3)]);
    if (s->written + size > sizeof s->p->received) break;
    for (size_t i = 0; i < size; i++) {
      unsigned char byte = (unsigned char)((s->written + i) * 7 + ((s->written + i) >> 8));
      s->p->buffer[i % sizeof s->p->buffer] = byte;
      if ((i + 1) % sizeof s->p->buffer == 0 || i + 1 == size)
        tow_transport_write(t, s->p->buffer, i % sizeof s->p->buffer + 1);
    }
    s->written += size;
    break;
  case 1:
    tow_transport_pause_reading(t);
    break;
  default:
    tow_transport_resume_reading(t);
  }
}

static bool is_whole(const side *from, const probe *to) {
  for (size_t i = 0; i < to->received_size; i++)
    if (to->received[i] != (unsigned char)(i * 7 + (i >> 8))) return false;
  return to->received_size == from->written;
}

static int listening(void *context, tow_server *server, const tow_error *error) {
  (void)context, (void)server, (void)error;
  return 0;
}

static void converse(const tow_layering *layers, uint32_t seed) {
  random_state = seed;
  tow_memory *memory = tow_memory_new(NULL);
  tow_loop *loop = tow_memory_loop(memory);
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.layers = layers;
  side a = {probe_new(memory, TOW_STREAM, NULL), 0}, b = {probe_new(memory, TOW_STREAM, NULL), 0};
  tow_loop_listen(loop, "mem:here", &options, (tow_factory){probe_create, a.p}, listening, NULL);
  tow_loop_connect(loop, "mem:here", &options, (tow_factory){probe_create, b.p}, NULL, NULL);
  tow_memory_run(memory);
  a.p->eof_answer = b.p->eof_answer = 1;
  for (int i = 0; i < 400; i++) {
    do_something(i % 2 ? &a : &b);
    if (below(3) == 0) tow_memory_turn(memory);
  }
  tow_transport_write_eof(a.p->transport);
  tow_transport_resume_reading(a.p->transport);
  tow_transport_resume_reading(b.p->transport);
  tow_memory_run(memory);
  CHECK(is_whole(&a, b.p));
  CHECK(is_whole(&b, a.p));
  CHECK(a.written > 100000);
  tow_transport_close(b.p->transport);
  tow_memory_run(memory);
  tow_transport_close(a.p->transport);
  tow_memory_run(memory);
  CHECK(tow_host_connections(loop) == 0);
  CHECK(strstr(a.p->log, "ER") && strstr(a.p->log, "CL:none") && strstr(b.p->log, "ER") && strstr(b.p->log, "CL:none"));
  tow_memory_free(memory);
  free(a.p);
  free(b.p);
}

static void two_ends(void) {
  tow_layering pass = pass_layering, under = pass_layering;
  tow_framing_layering framing = own, twice = own;
  pass.above = &framing.layering;
  for (uint32_t seed = 1; seed < 4; seed++) {
    converse(&own.layering, seed);
    converse(&pass, seed);
    under = pass_layering;
    twice.layering.above = &under;
    converse(&twice.layering, seed);
    twice.layering.above = &own.layering;
    converse(&twice.layering, seed);
  }
}

/* ---- Every split ---- */

/* What the peer says in the recorded conversation: every kind of frame. */
static wire_bytes conversation(size_t most) {
  wire_bytes frames = {0};
  char data[300];
  memset(data, 'd', sizeof data);
  wire_data(&frames, data, 1);
  wire_credit(&frames, 1000);
  wire_ping(&frames);
  wire_data(&frames, data, most);
  wire_pong(&frames);
  wire_data(&frames, data, 20);
  wire_end(&frames);
  wire_credit(&frames, 70000);
  wire_reset(&frames, 1000, "enough");
  return frames;
}

/* Delivers in three pieces; the protocol must have been told the same. */
static void deliver_split(const wire_bytes *frames, size_t first, size_t second, tow_kind kind) {
  talk t = begin(kind, NULL);
  t.p->eof_answer = 1;
  say_bytes(&t, frames->data, first);
  say_bytes(&t, frames->data + first, second - first);
  say_bytes(&t, frames->data + second, frames->size - second);
  size_t data = frames->size > 200 ? 321 : 26;
  CHECK(t.p->received_size == data && t.p->received[data - 1] == 'd');
  CHECK(strstr(t.p->log, "ER CL:ECONNRESET") && hear(&t)->pongs <= 1); /* none, if all came at once */
  end_talk(&t);
}

static void every_split(void) {
  wire_bytes frames = conversation(300), few = conversation(5);
  for (size_t i = 0; i <= frames.size; i++) {
    deliver_split(&frames, i, frames.size, TOW_STREAM);
    deliver_split(&frames, i, frames.size, TOW_BUFFERED);
  }
  for (size_t i = 0; i <= few.size; i++)
    for (size_t j = i; j <= few.size; j++)
      deliver_split(&few, i, j, TOW_STREAM);
  wire_free(&frames);
  wire_free(&few);
}

/* ---- Out of memory ---- */

static void no_memory(void) {
  int lost = 0;
  for (long n = 1; n < 14; n++) {
    budget b = {n, 0};
    tow_allocator allocator = budget_allocator(&b);
    tow_memory *memory = tow_memory_new(&allocator);
    probe *p = probe_new(memory, TOW_STREAM, NULL);
    tow_memory_options options = {.capacity = 100, .layers = &own.layering};
    if (memory) p->peer = tow_memory_open(memory, (tow_factory){probe_create, p}, &options);
    if (p->peer) {
      run(p);
      tow_transport_pause_reading(p->transport);
      tow_memory_send(p->peer, "\x05hello", 6);
      tow_transport_ref(p->transport);
      run(p);
      write_bytes(p, 5000);
      run(p);
      bool is_lost = tow_transport_is_closing(p->transport);
      CHECK(is_lost == (strstr(p->log, "CL:ENOMEM") != NULL));
      lost += is_lost;
      tow_transport_unref(p->transport);
    }
    if (memory) tow_memory_free(memory);
    free(p);
    CHECK(b.blocks == 0);
  }
  CHECK(lost > 1);
}

const test framing_whole_tests[] = {
    {"framing: two ends, over and under other layers", two_ends},
    {"framing: every split of the bytes", every_split},
    {"framing: out of memory at each allocation", no_memory},
    {NULL, NULL},
};
