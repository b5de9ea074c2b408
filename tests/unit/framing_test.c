/* Towline framing, rule by rule (FRAMING.md). The peer is tests/framing/wire.c, which shares nothing with the layer. */
#include "../framing/wire.h"
#include "pass_layer.h"
#include "probe.h"
#include "towline/framing.h"

enum { WINDOW = 100000 };

static const tow_framing_layering own = {TOW_LAYERING(tow_framing_create), WINDOW, 65536, 0};

/* A connection with framing, and what its peer has heard so far. */
typedef struct talk {
  probe *p;
  wire heard;
  size_t seen;
} talk;

static talk begin_with(tow_kind kind, tow_memory_options options, int (*on)(probe *, const char *)) {
  if (!options.layers) options.layers = &own.layering;
  talk t = {.p = probe_open(kind, &options, on), .heard = wire_new()};
  return t;
}

static talk begin(tow_kind kind, int (*on)(probe *, const char *)) {
  return begin_with(kind, (tow_memory_options){.capacity = -1}, on);
}

static wire *hear(talk *t) {
  size_t size;
  const unsigned char *bytes = tow_memory_received(t->p->peer, &size);
  if (size > t->seen) wire_hear(&t->heard, bytes + t->seen, size - t->seen);
  t->seen = size;
  CHECK(!t->heard.wrong);
  return &t->heard;
}

static void end(talk *t) {
  hear(t);
  probe_free(t->p);
  wire_close(&t->heard);
}

static void say_bytes(talk *t, const void *bytes, size_t size) {
  tow_memory_send(t->p->peer, bytes, size);
  run(t->p);
}

static void say(talk *t, wire_bytes *frames) {
  say_bytes(t, frames->data, frames->size);
  wire_free(frames);
}

static void say_data(talk *t, size_t size) {
  wire_bytes frames = {0};
  void *bytes = calloc(size, 1);
  if (!bytes) abort();
  wire_data(&frames, bytes, size);
  free(bytes);
  say(t, &frames);
}

static void say_end(talk *t) {
  wire_bytes frames = {0};
  wire_end(&frames);
  say(t, &frames);
}

static void say_credit(talk *t, uint32_t size) {
  wire_bytes frames = {0};
  wire_credit(&frames, size);
  t->heard.allowed += size;
  say(t, &frames);
}

static bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

static char message[160];
static int native;
static int keep_message(tow_protocol *self, const tow_error *error) {
  (void)self;
  snprintf(message, sizeof message, "%s", error ? error->message : "");
  native = error ? error->native : 0;
  return 0;
}

static int stay_open(tow_protocol *self) {
  (void)self;
  return 1;
}

/* A protocol that keeps what connection_lost is told. */
static void listen_to_end(talk *t) {
  static tow_stream_callbacks callbacks;
  static tow_protocol protocol = {&callbacks.base};
  callbacks =
      (tow_stream_callbacks){.base = {.size = sizeof callbacks, .kind = TOW_STREAM, .connection_lost = keep_message},
                             .eof_received = stay_open};
  message[0] = 0;
  tow_transport_set_protocol(t->p->transport, &protocol);
}

/* ---- Frames ---- */

static void sizes(void) {
  static const size_t edges[] = {1, 127, 128, 16383, 16384, 65535};
  for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
    talk t = begin(TOW_STREAM, NULL);
    say_data(&t, edges[i]);
    CHECK(t.p->received_size == edges[i]);
    size_t before = hear(&t)->heads;
    write_bytes(t.p, edges[i]);
    CHECK(hear(&t)->data.size == edges[i] && wire_is_whole(&t.heard));
    CHECK(t.heard.heads - before == (edges[i] < 128 ? 1u : edges[i] < 16384 ? 2u : 3u)); /* as short as can be */
    end(&t);
  }
}

static void gathered(void) {
  talk t = begin(TOW_STREAM, NULL);
  tow_iovec lines[40];
  for (size_t i = 0; i < 40; i++)
    lines[i] = (tow_iovec){"0123456789", i % 3 == 0 ? 0 : i % 11};
  size_t all = 0;
  for (size_t i = 0; i < 40; i++)
    all += lines[i].size;
  size_t calls = tow_memory_writes(t.p->peer);
  tow_transport_writelines(t.p->transport, lines, 40);
  CHECK(hear(&t)->data.size == all);
  CHECK(tow_memory_writes(t.p->peer) - calls == 3); /* of at most 16 pieces */
  end(&t);
}

typedef struct hostile {
  const char *bytes;
  size_t size;
  const char *message;
} hostile;

static void wrong_frames(void) {
#define NONE "the peer sent a frame that is none"
  static const hostile all[] = {
      {"\x00", 1, NONE},
      {"\x80\x7f", 2, NONE},
      {"\xc0\x3f\xff", 3, NONE},
      {"\xe5", 1, NONE},
      {"\xff", 1, NONE},
      {"\xe1\x00\x01\x7c", 4, NONE},
      {"\xe2\x00\x00\x00\x00", 5, "the peer gave credit that is none"},
      {"\xe2\x80\x00\x00\x00", 5, "the peer gave credit that is none"},
      {"\xe2\x7f\xff\x00\x00", 5, "the peer gave credit that is none"}, /* with what it gave at first */
      {"\xe0\xe0", 2, "the peer ended its stream twice"},
      {"\xe0\x01", 2, "the peer sent data after its end of stream"},
      {"\xdf\xff\xff", 3, "the peer sent more than it was allowed to"},
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    talk t = begin(TOW_STREAM, NULL);
    t.p->eof_answer = 1;
    listen_to_end(&t);
    say_bytes(&t, all[i].bytes, all[i].size);
    CHECK(is(message, all[i].message));
    CHECK(hear(&t)->was_reset && t.heard.code == 2 && is(t.heard.reason, all[i].message));
    CHECK(!tow_memory_transport(t.p->peer));
    end(&t);
  }
}

/* ---- 1: credit ---- */

static void no_more_than_credit(void) {
  talk t = begin(TOW_STREAM, NULL);
  tow_transport_set_write_buffer_limits(t.p->transport, 1000, 100);
  write_bytes(t.p, 65536 + 1000);
  EXPECT(t.p, "CM");
  CHECK(hear(&t)->data.size == 65536 && tow_transport_get_write_buffer_size(t.p->transport) == 1000);
  write_bytes(t.p, 1);
  EXPECT(t.p, "PW");
  say_credit(&t, 900);
  EXPECT(t.p, "");
  say_credit(&t, 1);
  EXPECT(t.p, "RW");
  CHECK(hear(&t)->data.size == 65536 + 901);
  say_credit(&t, 0x7fffffff);
  CHECK(hear(&t)->data.size == 65536 + 1001);
  end(&t);
}

static void granted_in_quarters(void) {
  talk t = begin(TOW_STREAM, NULL);
  CHECK(hear(&t)->credit == WINDOW - 65536); /* what the window has beside the first credit */
  say_data(&t, WINDOW / 4 - 1);
  CHECK(hear(&t)->credit == WINDOW - 65536);
  say_data(&t, 1);
  CHECK(hear(&t)->credit == WINDOW - 65536 + WINDOW / 4);
  tow_transport_pause_reading(t.p->transport);
  say_data(&t, WINDOW / 2);
  CHECK(hear(&t)->credit == WINDOW - 65536 + WINDOW / 4); /* nothing for what is not taken */
  tow_transport_resume_reading(t.p->transport);
  run(t.p);
  CHECK(hear(&t)->credit == WINDOW - 65536 + WINDOW / 4 + WINDOW / 2);
  end(&t);
}

static void none_that_is_of_no_use(void) {
  talk t = begin(TOW_STREAM, NULL);
  t.p->eof_answer = 1;
  wire_bytes frames = {0};
  char data[WINDOW / 2] = {0};
  wire_data(&frames, data, sizeof data);
  wire_end(&frames);
  say(&t, &frames);
  CHECK(t.p->received_size == sizeof data && hear(&t)->credit == WINDOW - 65536);
  end(&t);
}

/* So that signs need not wait long. */
static void frames_are_not_too_long(void) {
  talk t = begin(TOW_STREAM, NULL);
  say_credit(&t, 1000000);
  size_t before = hear(&t)->heads;
  write_bytes(t.p, 200000);
  CHECK(hear(&t)->data.size == 200000 && t.heard.heads - before == 3 + 3 + 3 + 2);
  end(&t);
}

static void window_is_the_limit(void) {
  talk t = begin(TOW_STREAM, NULL);
  tow_transport_pause_reading(t.p->transport);
  say_data(&t, 65536);
  say_data(&t, WINDOW - 65536);
  CHECK(!tow_transport_is_closing(t.p->transport));
  say_data(&t, 1);
  EXPECT(t.p, "CM CL:EPROTO");
  end(&t);
}

static void held_in_order(void) {
  talk t = begin(TOW_STREAM, NULL);
  tow_transport_pause_reading(t.p->transport);
  wire_bytes frames = {0};
  for (int i = 0; i < 300; i++)
    wire_data(&frames, "abcdefghij", 10);
  wire_end(&frames);
  say(&t, &frames);
  EXPECT(t.p, "CM");
  tow_transport_resume_reading(t.p->transport);
  tow_transport_pause_reading(t.p->transport);
  run(t.p);
  EXPECT(t.p, "");
  tow_transport_resume_reading(t.p->transport);
  run(t.p);
  EXPECT(t.p, "DR:3000 ER CL:none");
  CHECK(memcmp(t.p->received, "abcdefghijabc", 13) == 0 && memcmp(t.p->received + 2990, "abcdefghij", 10) == 0);
  end(&t);
}

static int pause_at_first(probe *p, const char *event) {
  if (is(event, "BU") && p->counter++ == 0) tow_transport_pause_reading(p->transport);
  return 0;
}

static void paused_in_the_middle(void) {
  talk t = begin(TOW_BUFFERED, pause_at_first);
  t.p->buffer_size = 4;
  say_bytes(&t,
            "\x0a"
            "0123456789"
            "\x02"
            "ab",
            14);
  EXPECT(t.p, "CM GB:10 BU:4");
  tow_transport_resume_reading(t.p->transport);
  run(t.p);
  EXPECT(t.p, "GB:8 BU:4 GB:4 BU:4");
  CHECK(memcmp(t.p->received, "0123456789ab", 12) == 0);
  end(&t);
}

/* ---- 2 and 4: ends ---- */

static void half_close(void) {
  talk t = begin(TOW_STREAM, NULL);
  CHECK(tow_transport_can_write_eof(t.p->transport));
  write_bytes(t.p, 65540);
  tow_transport_write_eof(t.p->transport);
  CHECK(!hear(&t)->ended);
  say_credit(&t, 4);
  CHECK(hear(&t)->ended && !tow_memory_received_eof(t.p->peer));
  say_data(&t, 5);
  EXPECT(t.p, "CM DR:5");
  say_end(&t);
  EXPECT(t.p, "ER CL:none");
  CHECK(tow_memory_received_eof(t.p->peer));
  end(&t);
}

static void half_open(void) {
  talk t = begin(TOW_STREAM, NULL);
  t.p->eof_answer = 1;
  say_end(&t);
  EXPECT(t.p, "CM ER");
  write_bytes(t.p, 7);
  CHECK(hear(&t)->data.size == 7 && !t.heard.ended);
  tow_transport_close(t.p->transport);
  run(t.p);
  EXPECT(t.p, "CL:none");
  CHECK(hear(&t)->ended && !t.heard.was_reset);
  end(&t);
}

static void channel_ends_after_end(void) {
  for (int writes = 0; writes < 2; writes++) {
    talk t = begin(TOW_STREAM, NULL);
    t.p->eof_answer = 1;
    say_end(&t);
    tow_memory_send_eof(t.p->peer);
    run(t.p);
    EXPECT(t.p, "CM ER");
    if (writes) write_bytes(t.p, 1); /* which nobody will take */
    tow_transport_close(t.p->transport);
    run(t.p);
    EXPECT(t.p, writes ? "CL:EPIPE" : "CL:none");
    end(&t);
  }
}

static void channel_ends_without(void) {
  talk t = begin(TOW_STREAM, NULL);
  listen_to_end(&t);
  tow_memory_send_eof(t.p->peer);
  run(t.p);
  CHECK(is(message, "the connection ended in the middle of the stream"));
  end(&t);
}

static void channel_ends_with_bytes_waiting(void) {
  talk t = begin(TOW_STREAM, NULL);
  t.p->eof_answer = 1;
  write_bytes(t.p, 65537);
  say_end(&t);
  tow_memory_send_eof(t.p->peer);
  run(t.p);
  EXPECT(t.p, "CM ER CL:EPIPE");
  end(&t);
}

static void closing_says_end(void) {
  for (int in_a_frame = 0; in_a_frame < 2; in_a_frame++) {
    talk t = begin_with(TOW_STREAM, (tow_memory_options){.capacity = in_a_frame ? 8 : 5}, NULL);
    write_bytes(t.p, 5);
    tow_transport_close(t.p->transport);
    run(t.p);
    CHECK(tow_memory_transport(t.p->peer));
    tow_memory_accept(t.p->peer, -1);
    run(t.p);
    EXPECT(t.p, "CM CL:none");
    CHECK(hear(&t)->data.size == 5 && t.heard.ended && !tow_memory_transport(t.p->peer));
    end(&t);
  }
}

static void lost_before_end_is_said(void) {
  for (int fails = 0; fails < 2; fails++) {
    talk t = begin_with(TOW_STREAM, (tow_memory_options){.capacity = 5}, NULL);
    tow_transport_close(t.p->transport);
    run(t.p);
    EXPECT(t.p, "CM CL:none");
    if (fails)
      tow_memory_send_error(t.p->peer, &(tow_error){TOW_ECONNRESET, 0, NULL});
    else
      tow_memory_send_eof(t.p->peer);
    run(t.p);
    CHECK(!tow_memory_transport(t.p->peer));
    end(&t);
  }
}

/* ---- 3: reset ---- */

static void resets(void) {
  talk t = begin(TOW_STREAM, NULL);
  listen_to_end(&t);
  say_bytes(&t, "\xe1\x12\x34\x05 a\nb\x7f\xe4", 10); /* nothing counts after it */
  CHECK(is(message, " a?b?") && native == 0x1234);
  CHECK(!hear(&t)->was_reset && !t.heard.pongs);
  end(&t);
  t = begin(TOW_STREAM, NULL);
  listen_to_end(&t);
  say_bytes(&t, "\xe1\x00\x00\x00", 4);
  CHECK(is(message, "the peer reset the connection"));
  end(&t);
}

static void resetting(void) {
  talk t = begin(TOW_STREAM, NULL);
  CHECK(tow_framing_is_on(t.p->transport) && !tow_framing_is_on(tow_memory_transport(t.p->peer)));
  CHECK(tow_framing_reset(t.p->transport, 65536, "") == TOW_EINVAL);
  CHECK(tow_framing_reset(t.p->transport, -1, "") == TOW_EINVAL);
  char reason[125];
  memset(reason, 'x', sizeof reason);
  reason[124] = 0;
  CHECK(tow_framing_reset(t.p->transport, 1, reason) == TOW_EINVAL);
  reason[123] = 0;
  write_bytes(t.p, 70000);
  CHECK(tow_framing_reset(t.p->transport, 1000, reason) == 0);
  CHECK(tow_framing_reset(t.p->transport, 1001, "again") == 0);
  tow_memory_send(t.p->peer, "\xe3", 1);
  run(t.p);
  EXPECT(t.p, "CM CL:none");
  CHECK(hear(&t)->was_reset && t.heard.code == 1000 && is(t.heard.reason, reason) && t.heard.data.size == 65536);
  end(&t);
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  CHECK(tow_framing_reset(p->transport, 1, "") == TOW_ENOTSUP);
  CHECK(tow_framing_set_keepalive(p->transport, 1) == TOW_ENOTSUP);
  probe_free(p);
}

static int fail_in_data(probe *p, const char *event) {
  (void)p;
  return is(event, "DR") ? -7 : 0;
}

static void failing_says_why(void) {
  talk t = begin(TOW_STREAM, fail_in_data);
  say_data(&t, 1);
  EXPECT(t.p, "CM DR:1 !data_received:-7 CL:ECALLBACK");
  CHECK(hear(&t)->was_reset && t.heard.code == 1 && is(t.heard.reason, "a callback failed"));
  end(&t);
}

static void reason_is_cut_between_letters(void) {
  talk t = begin(TOW_STREAM, NULL);
  char text[200] = "x";
  for (size_t i = 1; i + 1 < sizeof text - 1; i += 2)
    memcpy(text + i, "\xc3\xa4", 3);
  tow_host_failed(t.p->transport, &(tow_error){TOW_EIO, 0, text});
  run(t.p);
  CHECK(hear(&t)->was_reset && strlen(t.heard.reason) == 123 && memcmp(t.heard.reason, text, 123) == 0);
  end(&t);
  t = begin(TOW_STREAM, NULL);
  tow_host_failed(t.p->transport, &(tow_error){TOW_EIO, 0, text + 1});
  run(t.p);
  CHECK(hear(&t)->was_reset && strlen(t.heard.reason) == 122);
  end(&t);
}

static void aborting(void) {
  talk t = begin(TOW_STREAM, NULL);
  write_bytes(t.p, 70000);
  tow_transport_abort(t.p->transport);
  run(t.p);
  CHECK(hear(&t)->data.size == 65536 && t.heard.ended);
  end(&t);
  t = begin_with(TOW_STREAM, (tow_memory_options){.capacity = 100}, NULL); /* in the middle of a frame */
  write_bytes(t.p, 200);
  tow_transport_abort(t.p->transport);
  run(t.p);
  CHECK(!wire_is_whole(hear(&t)) && !t.heard.ended && tow_memory_received_eof(t.p->peer));
  end(&t);
}

/* ---- 5: whether the peer is there ---- */

static void keeps_alive(void) {
  tow_framing_layering layering = own;
  layering.keepalive = 100;
  talk t = begin_with(TOW_STREAM, (tow_memory_options){.capacity = -1, .layers = &layering.layering}, NULL);
  listen_to_end(&t);
  tow_memory_advance(t.p->memory, 99);
  CHECK(hear(&t)->pings == 0);
  tow_memory_advance(t.p->memory, 1);
  CHECK(hear(&t)->pings == 1);
  say_bytes(&t, "\xe4", 1);
  tow_memory_advance(t.p->memory, 200);
  CHECK(hear(&t)->pings == 2);
  tow_framing_set_keepalive(t.p->transport, 0);
  tow_memory_advance(t.p->memory, 1e6);
  CHECK(hear(&t)->pings == 2 && !tow_transport_is_closing(t.p->transport));
  tow_framing_set_keepalive(t.p->transport, 10);
  tow_memory_advance(t.p->memory, 20);
  CHECK(is(message, "nothing was heard from the peer"));
  CHECK(hear(&t)->was_reset && t.heard.code == 3);
  end(&t);
}

static void closing_is_given_up(void) {
  tow_framing_layering layering = own;
  layering.keepalive = 100;
  talk t = begin_with(TOW_STREAM, (tow_memory_options){.capacity = 5, .layers = &layering.layering}, NULL);
  tow_transport_close(t.p->transport);
  run(t.p);
  EXPECT(t.p, "CM CL:none");
  CHECK(tow_memory_transport(t.p->peer)); /* END waits */
  tow_memory_advance(t.p->memory, 200);
  CHECK(!tow_memory_transport(t.p->peer));
  end(&t);
}

static void silent_after_the_end(void) {
  tow_framing_layering layering = own;
  layering.keepalive = 100;
  talk t = begin_with(TOW_STREAM, (tow_memory_options){.capacity = -1, .layers = &layering.layering}, NULL);
  tow_transport_pause_reading(t.p->transport);
  say_data(&t, 3);
  say_end(&t);
  tow_memory_send_eof(t.p->peer);
  tow_memory_advance(t.p->memory, 1000);
  tow_transport_resume_reading(t.p->transport);
  run(t.p);
  EXPECT(t.p, "CM DR:3 ER CL:none");
  end(&t);
}

static void many_pings(void) {
  talk t = begin_with(TOW_STREAM, (tow_memory_options){.capacity = 5}, NULL);
  char pings[1000];
  memset(pings, 0xe3, sizeof pings);
  for (int i = 0; i < 100; i++)
    say_bytes(&t, pings, sizeof pings);
  CHECK(tow_transport_get_write_buffer_size(t.p->transport) == 0);
  tow_memory_accept(t.p->peer, -1);
  run(t.p);
  CHECK(hear(&t)->pongs >= 1 && t.heard.pongs <= 2);
  end(&t);
}

/* ---- Buffered protocols ---- */

static void no_copy(void) {
  talk t = begin(TOW_BUFFERED, NULL);
  tow_transport *lower = tow_memory_transport(t.p->peer);
  wire_bytes frames = {0};
  wire_data_head(&frames, 10000);
  say(&t, &frames);
  const tow_buffer *lent = tow_host_lend(lower, -1);
  CHECK(lent && lent->base == t.p->buffer && lent->size == sizeof t.p->buffer);
  CHECK(tow_host_received(lower, 1000) == 1000);
  EXPECT(t.p, "CM GB:10000 BU:1000");
  lent = tow_host_lend(lower, 5);
  CHECK(lent && lent->base == t.p->buffer);
  EXPECT(t.p, "GB:5");
  tow_transport_pause_reading(t.p->transport); /* in the middle of the loan */
  CHECK(tow_host_received(lower, 5) == 5);
  EXPECT(t.p, "");
  tow_transport_resume_reading(t.p->transport);
  run(t.p);
  EXPECT(t.p, "BU:5");
  end(&t);
}

static void loans_end_with_the_protocol(void) {
  talk t = begin_with(TOW_BUFFERED, (tow_memory_options){.capacity = 5}, NULL);
  tow_transport *lower = tow_memory_transport(t.p->peer);
  wire_bytes frames = {0};
  wire_data_head(&frames, 10000);
  say(&t, &frames);
  const tow_buffer *lent = tow_host_lend(lower, -1);
  CHECK(lent && lent->base == t.p->buffer);
  tow_transport_close(t.p->transport);
  run(t.p);
  EXPECT(t.p, "CM GB:10000 CL:none");
  lent = tow_host_lend(lower, -1); /* END waits, so it is read on */
  CHECK(lent && lent->base != t.p->buffer);
  end(&t);
}

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
  end(&t);
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

static long left;
static void *limited(void *context, size_t size) {
  (void)context;
  return left-- > 0 ? malloc(size) : NULL;
}
static void release(void *context, void *memory) {
  (void)context;
  free(memory);
}

static void no_memory(void) {
  int lost = 0;
  for (long n = 1; n < 14; n++) {
    left = n;
    tow_memory *memory = tow_memory_new(&(tow_allocator){limited, release, NULL});
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
  }
  CHECK(lost > 1);
}

static void answers(void) {
  char value[16];
  talk t = begin(TOW_STREAM, NULL);
  CHECK(tow_transport_get_extra_info(t.p->transport, "framing", value, sizeof value) == 9 && is(value, "towline.1"));
  CHECK(tow_transport_get_extra_info(t.p->transport, "read_backpressure", value, 4) == 6 && is(value, "cre"));
  CHECK(tow_transport_get_extra_info(t.p->transport, "host", value, sizeof value) == 6 && is(value, "memory"));
  end(&t);
}

const test framing_tests[] = {
    {"framing: a head as short as can be, whatever the size", sizes},
    {"framing: many lines", gathered},
    {"framing 1: no more than there is credit for; marks at the same bytes", no_more_than_credit},
    {"framing 1: credit in quarters, for what was taken", granted_in_quarters},
    {"framing 1: no credit after END", none_that_is_of_no_use},
    {"framing 1: frames are not too long", frames_are_not_too_long},
    {"framing 1: a full window is held, and no more", window_is_the_limit},
    {"framing 1: what is held comes in order, the end after it", held_in_order},
    {"framing 1: paused in the middle of a frame", paused_in_the_middle},
    {"framing 2: END after what is queued; reading goes on", half_close},
    {"framing 2: E3 after END the other way stays open", half_open},
    {"framing 4: the channel's end after END", channel_ends_after_end},
    {"framing 4: the channel's end without END", channel_ends_without},
    {"framing 4: the channel's end while bytes wait", channel_ends_with_bytes_waiting},
    {"framing 4: closing says END and ends the channel", closing_says_end},
    {"framing 4: lost before END is said", lost_before_end_is_said},
    {"framing 3: RESET tells code and reason, and is the last", resets},
    {"framing 3: tow_framing_reset", resetting},
    {"framing 3: a protocol that fails", failing_says_why},
    {"framing 3: a reason is cut between letters", reason_is_cut_between_letters},
    {"framing 3: E5 abort", aborting},
    {"framing 5: asked, and given up", keeps_alive},
    {"framing 5: an end that cannot be said is given up", closing_is_given_up},
    {"framing 5: nobody is asked after the end", silent_after_the_end},
    {"framing 5: many PINGs, few PONGs", many_pings},
    {"framing 6: each wrong frame, with its message", wrong_frames},
    {"framing: B6 the host fills the protocol's own memory", no_copy},
    {"framing: B5 no loan outlives the protocol", loans_end_with_the_protocol},
    {"framing: two ends, over and under other layers", two_ends},
    {"framing: every split of the bytes", every_split},
    {"framing: out of memory at each allocation", no_memory},
    {"framing: I1", answers},
    {NULL, NULL},
};
