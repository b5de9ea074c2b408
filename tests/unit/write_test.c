/* W: writing; E1, E2: half-close. */
#include "probe.h"

static const tow_memory_options takes_nothing = {.capacity = 0};
static const tow_memory_options corks = {.capacity = -1, .abilities = TOW_CAN_STREAM | TOW_WANTS_CORK};

static bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

static size_t sent(probe *p) {
  size_t size;
  tow_memory_received(p->peer, &size);
  return size;
}

static void order_of_checks(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  CHECK(tow_transport_write_eof(p->transport) == 0);
  CHECK(tow_transport_write(p->transport, "", 0) == TOW_ESHUTDOWN);
  tow_transport_abort(p->transport);
  CHECK(tow_transport_write(p->transport, "x", 1) == TOW_ESHUTDOWN);
  run(p);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

static void empty_write(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  tow_transport_set_write_buffer_limits(p->transport, 0, 0);
  CHECK(tow_transport_write(p->transport, NULL, 0) == 0);
  CHECK(tow_transport_writelines(p->transport, NULL, 0) == 0);
  EXPECT(p, "CM");
  probe_free(p);
}

static void memory_is_free_again(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  char text[] = "hello";
  tow_transport_write(p->transport, text, 5);
  memset(text, 'x', 5);
  tow_memory_accept(p->peer, -1);
  run(p);
  size_t size;
  CHECK(memcmp(tow_memory_received(p->peer, &size), "hello", 5) == 0 && size == 5);
  probe_free(p);
}

static void order_is_kept(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  unsigned char want[30000];
  size_t used = 0;
  for (size_t n = 1; used + n <= sizeof want; n = n * 7 % 4099 + 1) {
    unsigned char part[4100];
    for (size_t i = 0; i < n; i++)
      part[i] = want[used + i] = (unsigned char)((used + i) * 7);
    tow_transport_write(p->transport, part, n);
    used += n;
    if (n % 5 == 0) {
      tow_memory_accept(p->peer, (ptrdiff_t)(n / 2));
      run(p);
    }
  }
  tow_memory_accept(p->peer, -1);
  run(p);
  size_t size;
  const void *have = tow_memory_received(p->peer, &size);
  CHECK(size == used && memcmp(have, want, used) == 0);
  probe_free(p);
}

static void gathered(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  const tow_iovec lines[] = {{"ab", 2}, {NULL, 0}, {"c", 1}, {"", 0}};
  CHECK(tow_transport_writelines(p->transport, lines, 4) == 0);
  CHECK(sent(p) == 3 && tow_memory_writes(p->peer) == 1);
  probe_free(p);
}

static void gathered_flow(void) {
  probe *p = probe_open(TOW_STREAM, &(tow_memory_options){.capacity = 3}, NULL);
  tow_transport_set_write_buffer_limits(p->transport, 4, 1);
  const tow_iovec lines[] = {{"ab", 2}, {NULL, 0}, {"cdef", 4}};
  tow_transport_writelines(p->transport, lines, 3);
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 3);
  tow_transport_writelines(p->transport, lines, 3);
  EXPECT(p, "CM PW");
  tow_memory_accept(p->peer, -1);
  run(p);
  size_t size;
  CHECK(memcmp(tow_memory_received(p->peer, &size), "abcdefabcdef", 12) == 0 && size == 12);
  tow_transport_close(p->transport);
  CHECK(tow_transport_writelines(p->transport, lines, 3) == 0);
  run(p);
  CHECK(sent(p) == 12);
  EXPECT(p, "RW CL:none");
  probe_free(p);
}

static void warned_from_the_fifth(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_transport *t = tow_transport_ref(p->transport);
  tow_transport_abort(t);
  for (int i = 0; i < 4; i++)
    tow_transport_write(t, "x", 1);
  EXPECT(p, "CM");
  run(p);
  tow_transport_write(t, "x", 1);
  tow_transport_write(t, "x", 1);
  EXPECT(p, "CL:none warning warning");
  tow_transport_unref(t);
  probe_free(p);
}

static void not_warned_while_draining(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  write_bytes(p, 10);
  tow_transport_close(p->transport);
  for (int i = 0; i < 9; i++)
    write_bytes(p, 1);
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 10);
  tow_memory_accept(p->peer, -1);
  run(p);
  CHECK(sent(p) == 10);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

static void error_while_draining(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  write_bytes(p, 10);
  tow_memory_fail_writes(p->peer, &(tow_error){TOW_ECONNRESET, 104, "gone"});
  run(p);
  EXPECT(p, "CM CL:ECONNRESET");
  probe_free(p);
}

static void failing_shutdown(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_memory_fail_shutdown(p->peer, &(tow_error){TOW_ENOTCONN, 107, NULL});
  CHECK(tow_transport_write_eof(p->transport) == 0);
  run(p);
  EXPECT(p, "CM CL:ENOTCONN");
  probe_free(p);
}

/* W7 */
static int many_writes(probe *p, const char *event) {
  if (!is(event, "DR")) return 0;
  for (int i = 0; i < 100; i++)
    write_bytes(p, 10);
  if (p->counter == 1) tow_transport_abort(p->transport);
  if (p->counter == 2) tow_transport_close(p->transport);
  if (p->counter == 3) tow_transport_write_eof(p->transport);
  return 0;
}
static void corked(void) {
  probe *p = probe_open(TOW_STREAM, &corks, many_writes);
  send_bytes(p, 1);
  run(p);
  CHECK(sent(p) == 1000 && tow_memory_writes(p->peer) == 1);
  p->counter = 3;
  send_bytes(p, 1);
  run(p);
  CHECK(sent(p) == 2000 && tow_memory_writes(p->peer) == 2 && tow_memory_received_eof(p->peer));
  probe_free(p);
}
static void cork_and_close(void) {
  probe *p = probe_open(TOW_STREAM, &corks, many_writes);
  p->counter = 2;
  send_bytes(p, 1);
  run(p);
  CHECK(sent(p) == 1000);
  EXPECT(p, "CM DR:1 CL:none");
  probe_free(p);
}
static void cork_and_abort(void) {
  probe *p = probe_open(TOW_STREAM, &corks, many_writes);
  p->counter = 1;
  send_bytes(p, 1);
  run(p);
  CHECK(sent(p) == 0);
  EXPECT(p, "CM DR:1 CL:none");
  probe_free(p);
}
static int large_after_small(probe *p, const char *event) {
  if (!is(event, "DR")) return 0;
  write_bytes(p, 10);
  write_bytes(p, 100000);
  write_bytes(p, 5);
  return 0;
}
static void cork_and_large_write(void) {
  probe *p = probe_open(TOW_STREAM, &corks, large_after_small);
  send_bytes(p, 1);
  run(p);
  CHECK(sent(p) == 100015 && tow_memory_writes(p->peer) == 3);
  probe_free(p);
}
static int one_large_write(probe *p, const char *event) {
  if (!is(event, "DR")) return 0;
  write_bytes(p, 1024);
  CHECK(sent(p) == 1024);
  for (int i = 0; i < p->counter; i++)
    write_bytes(p, 1024);
  if (p->counter == 2) tow_transport_abort(p->transport);
  return 0;
}
static void one_large_write_at_once(void) {
  probe *p = probe_open(TOW_STREAM, &corks, one_large_write);
  send_bytes(p, 1);
  run(p);
  CHECK(tow_memory_writes(p->peer) == 1);
  probe_free(p);
}
static void large_writes_behind_another(void) {
  probe *p = probe_open(TOW_STREAM, &corks, one_large_write);
  p->counter = 10;
  send_bytes(p, 1);
  run(p);
  CHECK(sent(p) == 11 * 1024 && tow_memory_writes(p->peer) == 2);
  probe_free(p);
}
static void large_writes_and_abort(void) {
  probe *p = probe_open(TOW_STREAM, &corks, one_large_write);
  p->counter = 2;
  send_bytes(p, 1);
  run(p);
  CHECK(sent(p) == 1024);
  EXPECT(p, "CM DR:1 CL:none");
  probe_free(p);
}
static void cork_meets_a_full_host(void) {
  tow_memory_options options = corks;
  options.capacity = 300;
  probe *p = probe_open(TOW_STREAM, &options, many_writes);
  tow_transport_set_write_buffer_limits(p->transport, 600, 100);
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM DR:1 PW");
  CHECK(tow_transport_get_write_buffer_size(p->transport) == 700);
  tow_memory_accept(p->peer, -1);
  run(p);
  EXPECT(p, "RW");
  CHECK(sent(p) == 1000);
  probe_free(p);
}
static int end_in_pause(probe *p, const char *event) {
  if (is(event, "PW")) tow_transport_write_eof(p->transport);
  if (!is(event, "DR")) return 0;
  write_bytes(p, 1000);
  CHECK(tow_transport_write(p->transport, p->received, 20000) == TOW_ESHUTDOWN);
  return 0;
}
static void cork_and_end_in_pause(void) {
  tow_memory_options options = corks;
  options.capacity = 0;
  probe *p = probe_open(TOW_STREAM, &options, end_in_pause);
  tow_transport_set_write_buffer_limits(p->transport, 600, 100);
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM DR:1 PW");
  tow_memory_accept(p->peer, -1);
  run(p);
  CHECK(sent(p) == 1000 && tow_memory_received_eof(p->peer));
  probe_free(p);
}
static void outside_callbacks_at_once(void) {
  probe *p = probe_open(TOW_STREAM, &corks, NULL);
  write_bytes(p, 10);
  CHECK(sent(p) == 10);
  probe_free(p);
}

/* E1, E2 */
static void cannot_write_eof(void) {
  probe *p =
      probe_open(TOW_STREAM, &(tow_memory_options){.capacity = -1, .abilities = TOW_CAN_READ | TOW_CAN_WRITE}, NULL);
  CHECK(!tow_transport_can_write_eof(p->transport));
  CHECK(tow_transport_write_eof(p->transport) == TOW_ENOTSUP);
  CHECK(tow_transport_write(p->transport, "x", 1) == 0 && sent(p) == 1);
  EXPECT(p, "CM");
  probe_free(p);
}
static void eof_waits_for_the_queue(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, NULL);
  write_bytes(p, 10);
  CHECK(tow_transport_write_eof(p->transport) == 0 && tow_transport_write_eof(p->transport) == 0);
  CHECK(!tow_transport_is_closing(p->transport));
  CHECK(!tow_memory_received_eof(p->peer));
  tow_memory_accept(p->peer, -1);
  send_bytes(p, 4);
  run(p);
  CHECK(tow_memory_received_eof(p->peer) && sent(p) == 10);
  EXPECT(p, "CM DR:4");
  probe_free(p);
}
static void eof_of_a_write_pipe(void) {
  probe *p = probe_open(TOW_STREAM,
                        &(tow_memory_options){.capacity = 0, .abilities = TOW_CAN_WRITE | TOW_CAN_WRITE_EOF}, NULL);
  write_bytes(p, 10);
  CHECK(tow_transport_write_eof(p->transport) == 0);
  CHECK(tow_transport_is_closing(p->transport));
  tow_memory_accept(p->peer, -1);
  run(p);
  CHECK(sent(p) == 10);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}
static void read_pipe_cannot_write(void) {
  probe *p = probe_open(TOW_BUFFERED, &(tow_memory_options){.capacity = -1, .abilities = TOW_CAN_READ}, NULL);
  CHECK(tow_transport_write(p->transport, "x", 1) == TOW_ENOTSUP);
  send_bytes(p, 4);
  tow_memory_send_eof(p->peer);
  p->eof_answer = 1; /* ignored: it cannot stay half-open [E3] */
  run(p);
  EXPECT(p, "CM GB:-1 BU:4 GB:-1 ER CL:none");
  probe_free(p);
}

const test write_tests[] = {
    {"W1 after write_eof it is an error, even for no bytes", order_of_checks},
    {"W1 no bytes: nothing happens", empty_write},
    {"W2 the memory is the caller's again", memory_is_free_again},
    {"W2 bytes keep their order through the queue", order_is_kept},
    {"W3 writelines is one write; empties are skipped", gathered},
    {"W3 flow control applies once, nothing after close", gathered_flow},
    {"W4 the fifth write after loss is warned of", warned_from_the_fifth},
    {"W5 writes while close drains are dropped, and not counted", not_warned_while_draining},
    {"W6 an error on write drops the queue", error_while_draining},
    {"W6 a failing shutdown is such an error", failing_shutdown},
    {"W7 many small writes of a callback leave as one", corked},
    {"W7 close sends what was held back", cork_and_close},
    {"W7 abort drops what was held back", cork_and_abort},
    {"W7 a large write keeps the order", cork_and_large_write},
    {"W7 a large write leaves at once", one_large_write_at_once},
    {"W7 those behind it leave as one", large_writes_behind_another},
    {"W7 abort after a large write", large_writes_and_abort},
    {"W7 what a full host does not take is queued", cork_meets_a_full_host},
    {"W7 a pause while the cork is emptied may end the stream", cork_and_end_in_pause},
    {"W7 outside of callbacks nothing is held back", outside_callbacks_at_once},
    {"E1 write_eof where there is no half-close", cannot_write_eof},
    {"E2 write_eof waits for the queue, is idempotent, reading goes on", eof_waits_for_the_queue},
    {"E2 on a write-only pipe it is close", eof_of_a_write_pipe},
    {"E3 a read pipe: no writing, true is ignored", read_pipe_cannot_write},
    {0},
};
