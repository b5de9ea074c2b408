/* D: datagrams. */
#include "probe.h"

static bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

static tow_peer peer_of(const char *text) {
  tow_peer peer = {.size = (uint8_t)strlen(text)};
  memcpy(peer.bytes, text, peer.size);
  return peer;
}

static tow_memory_options endpoint(ptrdiff_t capacity, const char *connected_to) {
  return (tow_memory_options){.capacity = capacity, .connected_to = peer_of(connected_to)};
}

/* An endpoint that is connected to "a". */
static probe *connected(ptrdiff_t capacity, int (*on)(probe *, const char *)) {
  tow_memory_options options = endpoint(capacity, "a");
  return probe_open(TOW_DATAGRAM, &options, on);
}

static int sendto(probe *p, size_t size, const char *to) {
  static const unsigned char zeros[70000];
  tow_peer peer = peer_of(to);
  return tow_transport_sendto(p->transport, zeros, size, *to ? &peer : NULL);
}

static size_t count_sent(probe *p) {
  size_t count;
  tow_memory_received_sizes(p->peer, &count);
  return count;
}

static void fail_sends(probe *p) {
  tow_memory_fail_writes(p->peer, &(tow_error){TOW_ECONNREFUSED, 111, NULL});
}

static void boundaries(void) {
  probe *p = connected(-1, NULL);
  send_bytes(p, 10);
  send_bytes(p, 0);
  send_bytes(p, 20);
  run(p);
  EXPECT(p, "CM DG:10 DG:0 DG:20");
  CHECK(sendto(p, 5, "") == 0 && sendto(p, 0, "") == 0 && sendto(p, 6, "a") == 0);
  size_t count;
  const size_t *sizes = tow_memory_received_sizes(p->peer, &count);
  CHECK(count == 3 && sizes[0] == 5 && sizes[1] == 0 && sizes[2] == 6);
  probe_free(p);
}

static void addresses(void) {
  probe *p = connected(-1, NULL);
  CHECK(sendto(p, 5, "b") == TOW_EINVAL && count_sent(p) == 0);
  probe_free(p);
  tow_memory_options options = endpoint(-1, "");
  p = probe_open(TOW_DATAGRAM, &options, NULL);
  CHECK(sendto(p, 5, "") == TOW_EINVAL && count_sent(p) == 0);
  CHECK(sendto(p, 5, "b") == 0 && count_sent(p) == 1);
  tow_peer from = peer_of("somebody");
  tow_memory_send_from(p->peer, "x", 1, &from);
  run(p);
  EXPECT(p, "CM DG:1");
  CHECK(tow_peer_equal(&p->sender, &from));
  char text[16];
  tow_peer parsed;
  CHECK(tow_transport_format_peer(p->transport, &from, text, sizeof text) == 8 && is(text, "somebody"));
  CHECK(tow_transport_parse_peer(p->transport, "somebody", &parsed) == 0 && tow_peer_equal(&parsed, &from));
  CHECK(tow_transport_parse_peer(p->transport, "", &parsed) == TOW_EADDRESS);
  probe_free(p);
}

static void errors_are_not_the_end(void) {
  probe *p = connected(-1, NULL);
  tow_memory_send_error(p->peer, &(tow_error){TOW_ECONNREFUSED, 111, NULL});
  send_bytes(p, 5);
  run(p);
  EXPECT(p, "CM EE:ECONNREFUSED DG:5");
  fail_sends(p);
  CHECK(sendto(p, 5, "") == 0);
  probe_note(p, "sent");
  run(p);
  EXPECT(p, "sent EE:ECONNREFUSED");
  CHECK(!tow_transport_is_closing(p->transport));
  probe_free(p);
}

static void error_before_lost(void) {
  probe *p = connected(-1, NULL);
  fail_sends(p);
  sendto(p, 5, "");
  tow_transport_abort(p->transport);
  run(p);
  EXPECT(p, "CM EE:ECONNREFUSED CL:none");
  probe_free(p);
}

static void error_while_draining(void) {
  probe *p = connected(0, NULL);
  sendto(p, 5, "");
  sendto(p, 6, "");
  tow_transport_close(p->transport);
  fail_sends(p);
  run(p);
  EXPECT(p, "CM EE:ECONNREFUSED EE:ECONNREFUSED CL:none");
  probe_free(p);
}

static int send_again(probe *p, const char *event) {
  if (is(event, "EE") && p->counter++ == 0) sendto(p, 5, "");
  return 0;
}

static void error_told_while_draining(void) {
  probe *p = connected(0, send_again);
  tow_transport_set_write_buffer_limits(p->transport, 0, 0);
  sendto(p, 5, "");
  fail_sends(p);
  run(p);
  EXPECT(p, "CM PW EE:ECONNREFUSED EE:ECONNREFUSED RW");
  probe_free(p);
}

static void close_flushes(void) {
  probe *p = connected(0, NULL);
  sendto(p, 5, "");
  sendto(p, 6, "");
  tow_transport_close(p->transport);
  CHECK(sendto(p, 7, "") == 0); /* dropped */
  CHECK(sendto(p, 7, "b") == TOW_EINVAL);
  send_bytes(p, 3);
  run(p);
  EXPECT(p, "CM");
  tow_memory_accept(p->peer, -1);
  run(p);
  EXPECT(p, "CL:none");
  CHECK(count_sent(p) == 2);
  probe_free(p);
}

static void abort_drops(void) {
  probe *p = connected(0, NULL);
  sendto(p, 5, "");
  tow_transport_abort(p->transport);
  tow_memory_accept(p->peer, -1);
  run(p);
  EXPECT(p, "CM CL:none");
  CHECK(count_sent(p) == 0);
  probe_free(p);
}

static void flow(void) {
  probe *p = connected(0, NULL);
  tow_transport_set_write_buffer_limits(p->transport, 30, 10);
  sendto(p, 7, "");
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 15);
  sendto(p, 7, "");
  EXPECT(p, "CM");
  sendto(p, 0, "");
  EXPECT(p, "PW");
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 38);
  tow_memory_accept(p->peer, 1);
  run(p);
  EXPECT(p, "");
  tow_memory_accept(p->peer, 1);
  run(p);
  EXPECT(p, "RW");
  CHECK(count_sent(p) == 2);
  probe_free(p);
}

static int fail_in(probe *p, const char *event) {
  (void)p;
  return is(event, "DG") || is(event, "EE") ? -5 : 0;
}
static void failures_are_not_fatal(void) {
  probe *p = connected(-1, fail_in);
  send_bytes(p, 5);
  tow_memory_send_error(p->peer, &(tow_error){TOW_ECONNREFUSED, 111, NULL});
  send_bytes(p, 6);
  run(p);
  EXPECT(p, "CM DG:5 !datagram_received:-5 EE:ECONNREFUSED !error_received:-5 DG:6 !datagram_received:-5");
  probe_free(p);
}

static int pause_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_pause_reading(p->transport);
  return 0;
}
static void paused(void) {
  tow_memory_options options = endpoint(-1, "a");
  probe *p = probe_open_with(TOW_DATAGRAM, &options, pause_in_made, 5);
  EXPECT(p, "CM");
  tow_transport_resume_reading(p->transport);
  run(p);
  EXPECT(p, "DG:5");
  probe_free(p);
}

static void wrong_calls(void) {
  probe *p = connected(-1, NULL);
  CHECK(tow_transport_write(p->transport, "x", 1) == TOW_ENOTSUP);
  CHECK(!tow_transport_can_write_eof(p->transport) && tow_transport_write_eof(p->transport) == TOW_ENOTSUP);
  CHECK(tow_transport_set_protocol(p->transport, &probe_other(p, TOW_STREAM)->base) == TOW_EINVAL);
  probe_free(p);
  p = probe_open(TOW_STREAM, NULL, NULL);
  CHECK(sendto(p, 1, "") == TOW_ENOTSUP);
  CHECK(tow_transport_kill(p->transport) == TOW_ENOTSUP);
  CHECK(tow_transport_set_protocol(p->transport, &probe_other(p, TOW_DATAGRAM)->base) == TOW_EINVAL);
  probe_free(p);
}

const test datagram_tests[] = {
    {"D1 boundaries are kept, of empty ones too", boundaries},
    {"D2 the address: absent or equal, or needed", addresses},
    {"D3 errors come to error_received, deferred, and the endpoint lives on", errors_are_not_the_end},
    {"D3 an error already scheduled comes before connection_lost", error_before_lost},
    {"D3 errors while close drains", error_while_draining},
    {"D3 an error of a queued datagram is told at once", error_told_while_draining},
    {"D4 close flushes, later sends are dropped", close_flushes},
    {"D4 abort drops", abort_drops},
    {"D5 flow control counts the length + 8", flow},
    {"L6 failures in DG and EE are reported and not fatal", failures_are_not_fatal},
    {"R1 an endpoint's reading can be paused", paused},
    {"D calls of another family are errors", wrong_calls},
    {0},
};
