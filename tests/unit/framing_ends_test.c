/* Towline framing: END, RESET, the end of the channel. */
#include "framing_talk.h"

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
  end_talk(&t);
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
  end_talk(&t);
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
    end_talk(&t);
  }
}

static void channel_ends_without(void) {
  talk t = begin(TOW_STREAM, NULL);
  listen_to_end(&t);
  tow_memory_send_eof(t.p->peer);
  run(t.p);
  CHECK(is(message, "the connection ended in the middle of the stream"));
  end_talk(&t);
}

static void channel_ends_with_bytes_waiting(void) {
  talk t = begin(TOW_STREAM, NULL);
  t.p->eof_answer = 1;
  write_bytes(t.p, 65537);
  say_end(&t);
  tow_memory_send_eof(t.p->peer);
  run(t.p);
  EXPECT(t.p, "CM ER CL:EPIPE");
  end_talk(&t);
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
    end_talk(&t);
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
    end_talk(&t);
  }
}

/* ---- 3: reset ---- */

static void resets(void) {
  talk t = begin(TOW_STREAM, NULL);
  listen_to_end(&t);
  say_bytes(&t, "\xe1\x12\x34\x05 a\nb\x7f\xe4", 10); /* nothing counts after it */
  CHECK(is(message, " a?b?") && native == 0x1234);
  CHECK(!hear(&t)->was_reset && !t.heard.pongs);
  end_talk(&t);
  t = begin(TOW_STREAM, NULL);
  listen_to_end(&t);
  say_bytes(&t, "\xe1\x00\x00\x00", 4);
  CHECK(is(message, "the peer reset the connection"));
  end_talk(&t);
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
  end_talk(&t);
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
  end_talk(&t);
}

static void reason_is_cut_between_letters(void) {
  talk t = begin(TOW_STREAM, NULL);
  char text[200] = "x";
  for (size_t i = 1; i + 1 < sizeof text - 1; i += 2)
    memcpy(text + i, "\xc3\xa4", 3);
  tow_host_failed(t.p->transport, &(tow_error){TOW_EIO, 0, text});
  run(t.p);
  CHECK(hear(&t)->was_reset && strlen(t.heard.reason) == 123 && memcmp(t.heard.reason, text, 123) == 0);
  end_talk(&t);
  t = begin(TOW_STREAM, NULL);
  tow_host_failed(t.p->transport, &(tow_error){TOW_EIO, 0, text + 1});
  run(t.p);
  CHECK(hear(&t)->was_reset && strlen(t.heard.reason) == 122);
  end_talk(&t);
}

static void aborting(void) {
  talk t = begin(TOW_STREAM, NULL);
  write_bytes(t.p, 70000);
  tow_transport_abort(t.p->transport);
  run(t.p);
  CHECK(hear(&t)->data.size == 65536 && t.heard.ended);
  end_talk(&t);
  t = begin_with(TOW_STREAM, (tow_memory_options){.capacity = 100}, NULL); /* in the middle of a frame */
  write_bytes(t.p, 200);
  tow_transport_abort(t.p->transport);
  run(t.p);
  CHECK(!wire_is_whole(hear(&t)) && !t.heard.ended && tow_memory_received_eof(t.p->peer));
  end_talk(&t);
}

const test framing_ends_tests[] = {
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
    {NULL, NULL},
};
