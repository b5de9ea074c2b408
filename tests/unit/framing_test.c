/* Towline framing (FRAMING.md): frames, whether the peer is there, the memory that bytes land in. */
#include "framing_talk.h"

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
    end_talk(&t);
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
  end_talk(&t);
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
    end_talk(&t);
  }
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
  end_talk(&t);
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
  end_talk(&t);
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
  end_talk(&t);
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
  end_talk(&t);
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
  end_talk(&t);
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
  end_talk(&t);
}

static void answers(void) {
  char value[16];
  talk t = begin(TOW_STREAM, NULL);
  CHECK(tow_transport_get_extra_info(t.p->transport, "framing", value, sizeof value) == 9 && is(value, "towline.1"));
  CHECK(tow_transport_get_extra_info(t.p->transport, "read_backpressure", value, 4) == 6 && is(value, "cre"));
  CHECK(tow_transport_get_extra_info(t.p->transport, "host", value, sizeof value) == 6 && is(value, "memory"));
  end_talk(&t);
}

const test framing_tests[] = {
    {"framing: a head as short as can be, whatever the size", sizes},
    {"framing: many lines", gathered},
    {"framing 5: asked, and given up", keeps_alive},
    {"framing 5: an end that cannot be said is given up", closing_is_given_up},
    {"framing 5: nobody is asked after the end", silent_after_the_end},
    {"framing 5: many PINGs, few PONGs", many_pings},
    {"framing 6: each wrong frame, with its message", wrong_frames},
    {"framing: B6 the host fills the protocol's own memory", no_copy},
    {"framing: B5 no loan outlives the protocol", loans_end_with_the_protocol},
    {"framing: I1", answers},
    {NULL, NULL},
};
