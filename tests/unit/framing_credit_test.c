/* Towline framing: credit, and what is held. */
#include "framing_talk.h"

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
  end_talk(&t);
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
  end_talk(&t);
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
  end_talk(&t);
}

/* So that signs need not wait long. */
static void frames_are_not_too_long(void) {
  talk t = begin(TOW_STREAM, NULL);
  say_credit(&t, 1000000);
  size_t before = hear(&t)->heads;
  write_bytes(t.p, 200000);
  CHECK(hear(&t)->data.size == 200000 && t.heard.heads - before == 3 + 3 + 3 + 2);
  end_talk(&t);
}

static void window_is_the_limit(void) {
  talk t = begin(TOW_STREAM, NULL);
  tow_transport_pause_reading(t.p->transport);
  say_data(&t, 65536);
  say_data(&t, WINDOW - 65536);
  CHECK(!tow_transport_is_closing(t.p->transport));
  say_data(&t, 1);
  EXPECT(t.p, "CM CL:EPROTO");
  end_talk(&t);
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
  end_talk(&t);
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
  end_talk(&t);
}

const test framing_credit_tests[] = {
    {"framing 1: no more than there is credit for; marks at the same bytes", no_more_than_credit},
    {"framing 1: credit in quarters, for what was taken", granted_in_quarters},
    {"framing 1: no credit after END", none_that_is_of_no_use},
    {"framing 1: frames are not too long", frames_are_not_too_long},
    {"framing 1: a full window is held, and no more", window_is_the_limit},
    {"framing 1: what is held comes in order, the end after it", held_in_order},
    {"framing 1: paused in the middle of a frame", paused_in_the_middle},
    {NULL, NULL},
};
