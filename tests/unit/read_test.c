/* R: reading; B: buffered protocols; P: changing the protocol; E3 to E7: ends. */
#include "probe.h"

static const tow_memory_options takes_nothing = {.capacity = 0};
static const tow_memory_options holds_loans = {.capacity = -1, .hold_loans = true};
static const tow_memory_options cannot_revoke = {.capacity = -1, .hold_loans = true, .cannot_revoke = true};

static bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

/* ---- R ---- */

static void paused_holds_everything(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_transport_pause_reading(p->transport);
  tow_transport_pause_reading(p->transport);
  CHECK(!tow_transport_is_reading(p->transport));
  send_bytes(p, 10);
  tow_memory_send_eof(p->peer);
  run(p);
  EXPECT(p, "CM");
  tow_transport_resume_reading(p->transport);
  tow_transport_resume_reading(p->transport);
  CHECK(tow_transport_is_reading(p->transport));
  run(p);
  EXPECT(p, "DR:10 ER CL:none");
  probe_free(p);
}

static void close_while_paused(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_transport_pause_reading(p->transport);
  send_bytes(p, 10);
  tow_transport_close(p->transport);
  tow_transport_resume_reading(p->transport);
  CHECK(!tow_transport_is_reading(p->transport));
  run(p);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

static void chunk_limit(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  send_bytes(p, 300000);
  run(p);
  EXPECT(p, "CM DR:262144 DR:37856");
  CHECK(tow_host_feed(p->transport, p->received, 300000) == 300000);
  CHECK(p->largest == 262144);
  probe_free(p);
}

static int stop_after_four(probe *p, const char *event) {
  if (!is(event, "BU") || ++p->counter % 4 != 0) return 0;
  if (p->eof_answer == 0) tow_transport_pause_reading(p->transport);
  if (p->eof_answer == 1) tow_transport_close(p->transport);
  if (p->eof_answer == 2) tow_transport_abort(p->transport);
  return 0;
}
static void feed_stops_at_pause(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, stop_after_four);
  p->buffer_size = 4;
  CHECK(tow_host_feed(p->transport, "0123456789abcdefghij", 20) == 16);
  EXPECT(p, "CM GB:20 BU:4 GB:16 BU:4 GB:12 BU:4 GB:8 BU:4");
  CHECK(tow_host_feed(p->transport, "ghij", 4) == 0);
  tow_transport_resume_reading(p->transport);
  CHECK(tow_host_feed(p->transport, "ghij", 4) == 4);
  CHECK(p->received_size == 20 && memcmp(p->received, "0123456789abcdefghij", 20) == 0);
  probe_free(p);
}
static void feed_stops_at_close(void) {
  for (int answer = 1; answer <= 2; answer++) {
    probe *p = probe_open(TOW_BUFFERED, NULL, stop_after_four);
    p->eof_answer = answer;
    p->buffer_size = 4;
    CHECK(tow_host_feed(p->transport, "0123456789abcdefghij", 20) == 20);
    run(p);
    EXPECT(p, "CM GB:20 BU:4 GB:16 BU:4 GB:12 BU:4 GB:8 BU:4 CL:none");
    probe_free(p);
  }
}

static int act_in_get_buffer(probe *p, const char *event) {
  if (!is(event, "GB")) return 0;
  if (p->counter == 1) tow_transport_close(p->transport);
  if (p->counter == 2) tow_transport_pause_reading(p->transport);
  p->counter = 0;
  return 0;
}
static void close_inside_get_buffer(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, act_in_get_buffer);
  p->counter = 1;
  send_bytes(p, 10);
  run(p);
  EXPECT(p, "CM GB:-1 CL:none");
  probe_free(p);
}
static void pause_inside_get_buffer(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, act_in_get_buffer);
  p->counter = 2;
  send_bytes(p, 10);
  run(p);
  EXPECT(p, "CM GB:-1");
  tow_transport_resume_reading(p->transport);
  run(p);
  EXPECT(p, "GB:-1 BU:10");
  probe_free(p);
}

/* ---- B ---- */

static void feeding_by_steps(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, NULL);
  p->buffer_size = 4;
  tow_host_feed(p->transport, "0123456789", 10);
  EXPECT(p, "CM GB:10 BU:4 GB:6 BU:4 GB:2 BU:2");
  tow_host_feed(p->transport, "", 0);
  EXPECT(p, "");
  probe_free(p);
}

static void asked_before_it_is_known(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, NULL);
  p->buffer_size = 7;
  send_bytes(p, 10);
  tow_memory_send_eof(p->peer);
  run(p);
  EXPECT(p, "CM GB:-1 BU:7 GB:-1 BU:3 GB:-1 ER CL:none");
  probe_free(p);
}

static void empty_buffer(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, NULL);
  p->buffer_size = 0;
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM GB:-1 !get_buffer:-33 CL:EBUFFER");
  CHECK(strcmp(tow_error_text(TOW_EBUFFER), "get_buffer() returned an empty buffer") == 0);
  probe_free(p);
}

static void never_more_than_it_holds(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, NULL);
  p->buffer_size = 4;
  tow_host_lend(p->transport, -1);
  CHECK(tow_host_received(p->transport, 5) == 5);
  run(p);
  EXPECT(p, "CM GB:-1 CL:EINVAL");
  probe_free(p);
}

static void asked_once(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, NULL);
  const tow_buffer *first = tow_host_lend(p->transport, -1);
  CHECK(first && first->base == p->buffer && first->size == sizeof p->buffer);
  CHECK(tow_host_lend(p->transport, 5) == first && first->base == p->buffer);
  EXPECT(p, "CM GB:-1");
  probe_free(p);
}

static void loan_lasts(void) {
  probe *p = probe_open(TOW_BUFFERED, &holds_loans, NULL);
  tow_transport_set_write_buffer_limits(p->transport, 10, 2);
  EXPECT(p, "CM GB:-1"); /* long before its data */
  tow_transport_pause_reading(p->transport);
  run(p);
  tow_transport_resume_reading(p->transport);
  send_bytes(p, 4);
  run(p);
  EXPECT(p, "BU:4 GB:-1");
  tow_memory_send_eof(p->peer);
  run(p);
  EXPECT(p, "ER CL:none");
  probe_free(p);
}

static void revoked(void) {
  probe *p = probe_open(TOW_BUFFERED, &holds_loans, NULL);
  CHECK(tow_transport_revoke_buffer(p->transport) == 0);
  CHECK(tow_transport_revoke_buffer(p->transport) == 0);
  send_bytes(p, 4);
  run(p);
  EXPECT(p, "CM GB:-1 GB:-1 BU:4 GB:-1");
  probe_free(p);
  p = probe_open(TOW_BUFFERED, &cannot_revoke, NULL);
  CHECK(tow_transport_revoke_buffer(p->transport) == TOW_ENOTSUP);
  send_bytes(p, 4);
  run(p);
  EXPECT(p, "CM GB:-1 BU:4 GB:-1");
  probe_free(p);
}

/* ---- P ---- */

static void replaced_for_the_next_read(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  probe *other = probe_other(p, TOW_BUFFERED);
  other->buffer_size = 4;
  send_bytes(p, 6);
  CHECK(tow_transport_set_protocol(p->transport, &other->base) == 0);
  CHECK(tow_transport_get_protocol(p->transport) == &other->base);
  run(p);
  tow_memory_send_eof(p->peer);
  run(p);
  EXPECT(p, "CM 2.GB:-1 2.BU:4 2.GB:-1 2.BU:2 2.GB:-1 2.ER 2.CL:none");
  probe_free(p);
}

static int replace_in_get_buffer(probe *p, const char *event) {
  if (is(event, "GB") && !p->other)
    tow_transport_set_protocol(p->transport, &probe_other(p, p->counter ? TOW_BUFFERED : TOW_STREAM)->base);
  return 0;
}
static void replaced_inside_get_buffer(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, replace_in_get_buffer);
  send_bytes(p, 6);
  run(p);
  EXPECT(p, "CM GB:-1 2.DR:6");
  probe_free(p);
  p = probe_open(TOW_BUFFERED, NULL, replace_in_get_buffer);
  p->counter = 1;
  send_bytes(p, 6);
  run(p);
  EXPECT(p, "CM GB:-1 2.GB:-1 2.BU:6");
  probe_free(p);
}

static int replace_in_updated(probe *p, const char *event) {
  if (is(event, "BU")) tow_transport_set_protocol(p->transport, &probe_other(p, TOW_STREAM)->base);
  return 0;
}
static void replaced_while_feeding(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, replace_in_updated);
  p->buffer_size = 4;
  CHECK(tow_host_feed(p->transport, "0123456789", 10) == 10);
  EXPECT(p, "CM GB:10 BU:4 2.DR:6");
  probe_free(p);
}

static void foreign_bytes_are_copied(void) {
  probe *p = probe_open(TOW_BUFFERED, &cannot_revoke, NULL);
  probe *other = probe_other(p, TOW_BUFFERED);
  other->buffer_size = 3;
  tow_transport_set_protocol(p->transport, &other->base);
  tow_memory_send(p->peer, "abcdefg", 7);
  run(p);
  EXPECT(p, "CM GB:-1 2.GB:7 2.BU:3 2.GB:4 2.BU:3 2.GB:1 2.BU:1 2.GB:-1");
  CHECK(memcmp(p->received, "abcdefg", 7) == 0 && p->received_size == 7);
  probe_free(p);
}

static int hand_back(probe *p, const char *event) {
  if (is(event, "GB") && ++p->counter == 2) tow_transport_set_protocol(p->transport, &p->first->base);
  return 0;
}

static void foreign_bytes_come_back(void) {
  unsigned char bytes[209];
  for (unsigned i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char)i;
  probe *p = probe_open(TOW_STREAM, &cannot_revoke, NULL);
  probe *other = probe_other(p, TOW_BUFFERED);
  other->buffer_size = 64;
  other->on = hand_back;
  tow_transport_set_protocol(p->transport, &other->base);
  tow_memory_send(p->peer, bytes, sizeof bytes);
  run(p);
  EXPECT(p, "CM 2.GB:209 2.BU:64 2.GB:145 DR:145");
  CHECK(memcmp(p->received, bytes, sizeof bytes) == 0);
  probe_free(p);
}

static void foreign_bytes_wait(void) {
  probe *p = probe_open(TOW_BUFFERED, &cannot_revoke, NULL);
  probe *other = probe_other(p, TOW_BUFFERED);
  other->buffer_size = 1;
  other->on = stop_after_four;
  tow_transport_set_protocol(p->transport, &other->base);
  tow_memory_send(p->peer, "abcdefg", 7);
  run(p);
  CHECK(p->received_size == 4);
  tow_transport_resume_reading(p->transport);
  run(p);
  CHECK(memcmp(p->received, "abcdefg", 7) == 0 && p->received_size == 7);
  probe_free(p);
}

static void paused_pairs_are_whole(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  tow_transport_set_write_buffer_limits(p->transport, 10, 2);
  write_bytes(p, 11);
  probe *other = probe_other(p, TOW_STREAM);
  tow_transport_set_protocol(p->transport, &p->base);
  EXPECT(p, "CM PW"); /* the same one: nothing */
  tow_transport_set_protocol(p->transport, &other->base);
  EXPECT(p, "2.PW");
  tow_memory_accept(p->peer, -1);
  run(p);
  EXPECT(p, "2.RW");
  probe_free(p);
}

static void not_when_lost(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  tow_transport_set_write_buffer_limits(p->transport, 10, 2);
  write_bytes(p, 11);
  tow_transport_abort(p->transport);
  tow_transport_set_protocol(p->transport, &probe_other(p, TOW_STREAM)->base);
  run(p);
  EXPECT(p, "CM PW 2.CL:none");
  probe_free(p);
}

static void wrong_kind(void) {
  static const tow_base_callbacks odd = {.size = sizeof odd, .kind = 77};
  static const tow_base_callbacks small = {.size = sizeof small, .kind = TOW_STREAM};
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_protocol wrong = {&odd};
  CHECK(tow_transport_set_protocol(p->transport, &wrong) == TOW_EINVAL);
  wrong.callbacks = &small;
  CHECK(tow_transport_set_protocol(p->transport, &wrong) == TOW_EINVAL);
  CHECK(tow_transport_set_protocol(p->transport, NULL) == TOW_EINVAL);
  CHECK(tow_transport_get_protocol(p->transport) == &p->base);
  probe_free(p);
}

/* ---- E ---- */

static int reply_in_eof(probe *p, const char *event) {
  if (is(event, "ER")) write_bytes(p, 20);
  return 0;
}
static void replies_are_flushed(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, reply_in_eof);
  send_bytes(p, 5);
  tow_memory_send_eof(p->peer);
  run(p);
  EXPECT(p, "CM DR:5 ER");
  CHECK(tow_transport_is_closing(p->transport));
  tow_memory_accept(p->peer, -1);
  run(p);
  EXPECT(p, "CL:none");
  size_t size;
  tow_memory_received(p->peer, &size);
  CHECK(size == 20);
  probe_free(p);
}

static void kept_open(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  p->eof_answer = 1;
  tow_memory_send_eof(p->peer);
  run(p);
  EXPECT(p, "CM ER");
  CHECK(!tow_transport_is_closing(p->transport) && !tow_transport_is_reading(p->transport));
  tow_transport_pause_reading(p->transport);
  tow_transport_resume_reading(p->transport);
  CHECK(!tow_transport_is_reading(p->transport));
  run(p);
  write_bytes(p, 5);
  tow_transport_write_eof(p->transport);
  run(p);
  EXPECT(p, "");
  tow_transport_close(p->transport);
  run(p);
  EXPECT(p, "CL:none");
  probe_free(p);
}

static void true_is_ignored(void) {
  probe *p =
      probe_open(TOW_STREAM, &(tow_memory_options){.capacity = -1, .abilities = TOW_CAN_READ | TOW_CAN_WRITE}, NULL);
  p->eof_answer = 1;
  tow_memory_send_eof(p->peer);
  run(p);
  EXPECT(p, "CM ER CL:none");
  probe_free(p);
}

static void closed_reads_nothing(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  write_bytes(p, 5);
  send_bytes(p, 5);
  tow_transport_close(p->transport);
  CHECK(tow_transport_is_closing(p->transport));
  run(p);
  EXPECT(p, "CM");
  tow_memory_accept(p->peer, -1);
  run(p);
  EXPECT(p, "CL:none");
  probe_free(p);
}

static void peer_dies_during_the_flush(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  write_bytes(p, 5);
  tow_transport_close(p->transport);
  tow_memory_fail_writes(p->peer, &(tow_error){TOW_EPIPE, 32, NULL});
  run(p);
  EXPECT(p, "CM CL:EPIPE");
  probe_free(p);
}

static void abort_after_close(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  write_bytes(p, 5);
  tow_transport_close(p->transport);
  tow_transport_abort(p->transport);
  EXPECT(p, "CM");
  run(p);
  EXPECT(p, "CL:none");
  probe_free(p);
}

static int last_error_native;
static int keep_error(tow_protocol *self, const tow_error *error) {
  (void)self;
  last_error_native = error && strcmp(error->message, "it said why") == 0 ? error->native : -1;
  return 0;
}
static void error_carries_code_and_message(void) {
  static const tow_stream_callbacks callbacks = {
      .base = {.size = sizeof callbacks, .kind = TOW_STREAM, .connection_lost = keep_error}};
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_protocol keeper = {&callbacks.base};
  tow_transport_set_protocol(p->transport, &keeper);
  char message[] = "it said why";
  send_bytes(p, 3);
  tow_memory_send_error(p->peer, &(tow_error){TOW_ECLOSED, 4001, message});
  memset(message, 'x', 5);
  run(p);
  CHECK(last_error_native == 4001);
  probe_free(p);
}

static void write_pipe_loses_its_reader(void) {
  const tow_memory_options pipe = {.capacity = 0, .abilities = TOW_CAN_WRITE | TOW_CAN_WRITE_EOF};
  probe *p = probe_open(TOW_STREAM, &pipe, NULL);
  tow_host_eof(p->transport);
  run(p);
  EXPECT(p, "CM CL:none");
  probe_free(p);
  p = probe_open(TOW_STREAM, &pipe, NULL);
  write_bytes(p, 1);
  tow_host_eof(p->transport);
  run(p);
  EXPECT(p, "CM CL:EPIPE");
  probe_free(p);
}

const test read_tests[] = {
    {"R1 while paused nothing is delivered, EOF neither", paused_holds_everything},
    {"R1 close while paused: CL, and resume does nothing", close_while_paused},
    {"R2 at most 262,144 bytes at once", chunk_limit},
    {"R2 pause inside a callback: the rest is kept", feed_stops_at_pause},
    {"R2 close or abort inside a callback: the rest is dropped", feed_stops_at_close},
    {"R2 close inside get_buffer: nothing is read", close_inside_get_buffer},
    {"R2 pause inside get_buffer: asked again later", pause_inside_get_buffer},
    {"B1 asked before it is known what comes", asked_before_it_is_known},
    {"B2 an empty buffer is fatal", empty_buffer},
    {"B3 10 bytes into 4-byte buffers", feeding_by_steps},
    {"B4 never more than the buffer holds", never_more_than_it_holds},
    {"B5 what is lent is not asked for again", asked_once},
    {"B5 a loan lasts through pauses, until its BU or the end", loan_lasts},
    {"B5 a loan is taken back", revoked},
    {"P1 the new protocol is called from the next read on", replaced_for_the_next_read},
    {"P1 inside get_buffer: the new one is asked", replaced_inside_get_buffer},
    {"P1 inside buffer_updated: the rest goes to the new one", replaced_while_feeding},
    {"P1 bytes that land in the old one's buffer are copied", foreign_bytes_are_copied},
    {"P1 and back, when a plain protocol is next", foreign_bytes_come_back},
    {"P1 and wait there while reading is paused", foreign_bytes_wait},
    {"P1 not another family, not a short table", wrong_kind},
    {"P2 a new protocol hears that writing is paused", paused_pairs_are_whole},
    {"P2 not when the connection is lost", not_when_lost},
    {"E3 replies written in eof_received are flushed", replies_are_flushed},
    {"E3 true keeps the write side open; no second ER", kept_open},
    {"E3 true is ignored where it cannot be", true_is_ignored},
    {"E4 close reads nothing more and flushes", closed_reads_nothing},
    {"E4 the peer dies during the flush", peer_dies_during_the_flush},
    {"E5 abort may follow close", abort_after_close},
    {"E6 the error carries its native code and message", error_carries_code_and_message},
    {"E7 a write pipe whose reader goes away", write_pipe_loses_its_reader},
    {0},
};
