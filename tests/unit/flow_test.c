/* F: write flow control. */
#include "probe.h"

static const tow_memory_options takes_nothing = {.capacity = 0};

static bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

static probe *full(ptrdiff_t high, ptrdiff_t low, int (*on)(probe *, const char *)) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, on);
  CHECK(tow_transport_set_write_buffer_limits(p->transport, high, low) == 0);
  log_of(p);
  return p;
}

static void drain(probe *p, ptrdiff_t size) {
  tow_memory_accept(p->peer, size);
  run(p);
}

static bool limits_are(probe *p, size_t low, size_t high) {
  size_t have_low, have_high;
  tow_transport_get_write_buffer_limits(p->transport, &have_low, &have_high);
  return have_low == low && have_high == high;
}

static void limits(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  tow_transport *t = p->transport;
  CHECK(limits_are(p, 16384, 65536));
  CHECK(tow_transport_set_write_buffer_limits(t, 102, TOW_UNSET) == 0 && limits_are(p, 25, 102));
  CHECK(tow_transport_set_write_buffer_limits(t, TOW_UNSET, 25) == 0 && limits_are(p, 25, 100));
  CHECK(tow_transport_set_write_buffer_limits(t, 0, TOW_UNSET) == 0 && limits_are(p, 0, 0));
  CHECK(tow_transport_set_write_buffer_limits(t, TOW_UNSET, TOW_UNSET) == 0 && limits_are(p, 16384, 65536));
  probe_free(p);
}

static void wrong_limits(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  tow_transport *t = p->transport;
  tow_transport_set_write_buffer_limits(t, 10, 3);
  CHECK(tow_transport_set_write_buffer_limits(t, 10, 11) == TOW_EINVAL);
  CHECK(tow_transport_set_write_buffer_limits(t, -1, -1) == TOW_EINVAL);
  CHECK(tow_transport_set_write_buffer_limits(t, -1, TOW_UNSET) == TOW_EINVAL);
  CHECK(tow_transport_set_write_buffer_limits(t, TOW_UNSET, -1) == TOW_EINVAL);
  CHECK(tow_transport_set_write_buffer_limits(t, 10, -1) == TOW_EINVAL);
  CHECK(tow_transport_set_write_buffer_limits(t, TOW_UNSET, PTRDIFF_MIN + 1) == TOW_EINVAL);
  CHECK(tow_transport_set_write_buffer_limits(t, TOW_UNSET, PTRDIFF_MAX / 4 + 1) == TOW_EINVAL);
  CHECK(limits_are(p, 3, 10));
  probe_free(p);
}

static void strictly_over(void) {
  probe *p = full(100, 20, NULL);
  write_bytes(p, 100);
  EXPECT(p, "");
  write_bytes(p, 1);
  EXPECT(p, "PW");
  write_bytes(p, 1000);
  EXPECT(p, "");
  drain(p, 1080);
  EXPECT(p, "");
  drain(p, 1);
  EXPECT(p, "RW");
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 20);
  probe_free(p);
}

static void limits_pause_at_once(void) {
  probe *p = full(100, 20, NULL);
  write_bytes(p, 50);
  tow_transport_set_write_buffer_limits(p->transport, 49, 10);
  EXPECT(p, "PW");
  tow_transport_set_write_buffer_limits(p->transport, 1000, 500);
  EXPECT(p, ""); /* never RW: the next drain does */
  drain(p, 1);
  EXPECT(p, "RW");
  tow_transport_close(p->transport);
  tow_transport_set_write_buffer_limits(p->transport, 1, 0);
  EXPECT(p, "PW");
  drain(p, -1);
  EXPECT(p, "RW CL:none");
  probe_free(p);
}

static int write_in_flow(probe *p, const char *event) {
  if (is(event, "PW") && p->counter == 0) write_bytes(p, 50);
  if (is(event, "RW") && p->counter++ == 0) {
    tow_memory_accept(p->peer, 0);
    write_bytes(p, 30);
  }
  return 0;
}
static void not_reentered(void) {
  probe *p = full(10, 2, write_in_flow);
  write_bytes(p, 11);
  EXPECT(p, "PW");
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 61);
  drain(p, 61);
  EXPECT(p, "RW PW");
  drain(p, 30);
  EXPECT(p, "RW");
  probe_free(p);
}

static void close_while_paused(void) {
  probe *p = full(10, 2, NULL);
  write_bytes(p, 11);
  tow_transport_close(p->transport);
  drain(p, -1);
  EXPECT(p, "PW RW CL:none");
  probe_free(p);
}

static void abort_while_paused(void) {
  probe *p = full(10, 2, NULL);
  write_bytes(p, 11);
  tow_transport_abort(p->transport);
  drain(p, -1);
  EXPECT(p, "PW CL:none");
  probe_free(p);
}

static int abort_in_resume(probe *p, const char *event) {
  if (is(event, "RW")) tow_transport_abort(p->transport);
  return 0;
}
static void abort_inside_resume(void) {
  probe *p = full(10, 2, abort_in_resume);
  write_bytes(p, 11);
  tow_transport_close(p->transport);
  drain(p, -1);
  EXPECT(p, "PW RW CL:none");
  probe_free(p);
}

static void size_counts_what_is_held(void) {
  probe *p = probe_open(TOW_STREAM, &(tow_memory_options){.capacity = 7}, NULL);
  write_bytes(p, 5);
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 0);
  write_bytes(p, 5);
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 3);
  probe_free(p);
}

static void steps(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  CHECK(tow_host_step(p->transport) == (65536 - 16384) / 4);
  tow_transport_set_write_buffer_limits(p->transport, 10, 10);
  CHECK(tow_host_step(p->transport) == 1);
  tow_transport_set_write_buffer_limits(p->transport, 100000000, 0);
  CHECK(tow_host_step(p->transport) == 65536);
  probe_free(p);
}

static void peek_and_sent(void) {
  probe *p = full(100, 20, NULL);
  for (int i = 0; i < 1000; i++)
    write_bytes(p, 10);
  tow_iovec lines[64];
  size_t count = tow_host_peek(p->transport, lines, 64, 30), size = 0;
  CHECK(count == 1 && lines[0].size == 30);
  const void *first = lines[0].base;
  count = tow_host_peek(p->transport, lines, 64, SIZE_MAX);
  for (size_t i = 0; i < count; i++)
    size += lines[i].size;
  CHECK(size == 10000 && lines[0].base == first);
  unsigned char before = *(const unsigned char *)first;
  tow_transport_abort(p->transport); /* what a host holds stays put until it lets go */
  CHECK(*(const unsigned char *)first == before);
  CHECK(tow_host_peek(p->transport, lines, 64, SIZE_MAX) == 0);
  probe_free(p);
}

const test flow_tests[] = {
    {"F1 limits and their defaults", limits},
    {"F1 wrong limits change nothing", wrong_limits},
    {"F2 pause strictly over high, resume at low, once each", strictly_over},
    {"F3 set_write_buffer_limits may pause, never resumes", limits_pause_at_once},
    {"F4 a write inside pause_writing and inside resume_writing", not_reentered},
    {"F5 close while paused: RW, then CL", close_while_paused},
    {"F5 abort while paused: no RW", abort_while_paused},
    {"F5 abort inside resume_writing of a closing connection: one CL", abort_inside_resume},
    {"F6 the size is what the transport holds", size_counts_what_is_held},
    {"F7 steps of a quarter of the distance between the marks", steps},
    {"F7 a host's view of the queue stays put", peek_and_sent},
    {0},
};
