/* L: lifecycle. */
#include "probe.h"

static const tow_memory_options takes_nothing = {.capacity = 0};

static bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

static int close_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_close(p->transport);
  return 0;
}
static void close_inside_made(void) {
  probe *p = probe_open_with(TOW_STREAM, NULL, close_in_made, 10);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

static int abort_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_abort(p->transport);
  return 0;
}
static void abort_inside_made(void) {
  probe *p = probe_open_with(TOW_STREAM, NULL, abort_in_made, 10);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

static int pause_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_pause_reading(p->transport);
  return 0;
}
static void pause_inside_made(void) {
  probe *p = probe_open_with(TOW_STREAM, NULL, pause_in_made, 10);
  EXPECT(p, "CM");
  tow_transport_resume_reading(p->transport);
  run(p);
  EXPECT(p, "DR:10");
  probe_free(p);
}

static int write_in_made(probe *p, const char *event) {
  if (is(event, "CM")) {
    tow_transport_set_write_buffer_limits(p->transport, 10, 2);
    write_bytes(p, 11);
    probe_note(p, "written");
  }
  return 0;
}
static void write_inside_made(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, write_in_made);
  EXPECT(p, "CM PW written");
  probe_free(p);
}

static int replace_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_set_protocol(p->transport, &probe_other(p, TOW_BUFFERED)->base);
  return 0;
}
static void set_protocol_inside_made(void) {
  probe *p = probe_open_with(TOW_STREAM, NULL, replace_in_made, 10);
  EXPECT(p, "CM 2.GB:-1 2.BU:10");
  probe_free(p);
}

static void once_each(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_transport *t = tow_transport_ref(p->transport);
  tow_transport_close(t);
  tow_transport_close(t);
  tow_transport_abort(t);
  run(p);
  tow_transport_abort(t);
  run(p);
  EXPECT(p, "CM CL:none");
  tow_transport_unref(t);
  probe_free(p);
}

/* L3: everything that a call causes comes later, except PW. */
static int note_around_close(probe *p, const char *event) {
  if (is(event, "DR")) {
    write_bytes(p, 20);
    tow_transport_abort(p->transport);
    probe_note(p, "after-abort");
  }
  return 0;
}
static void nothing_inside_calls(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, note_around_close);
  tow_transport_set_write_buffer_limits(p->transport, 10, 2);
  send_bytes(p, 3);
  run(p);
  EXPECT(p, "CM DR:3 PW after-abort CL:none");
  probe_free(p);
}

static void write_error_is_deferred(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_memory_fail_writes(p->peer, &(tow_error){TOW_EPIPE, 32, NULL});
  write_bytes(p, 10);
  EXPECT(p, "CM");
  CHECK(tow_transport_is_closing(p->transport));
  run(p);
  EXPECT(p, "CL:EPIPE");
  probe_free(p);
}

/* L4 */
static const tow_stream_callbacks no_callbacks = {.base = {.size = sizeof no_callbacks, .kind = TOW_STREAM}};
static void missing_callbacks(void) {
  tow_memory *memory = tow_memory_new(NULL);
  tow_protocol bare = {&no_callbacks.base};
  tow_memory_peer *peer =
      tow_memory_open(memory, (tow_factory){probe_create, &bare}, &(tow_memory_options){.capacity = 0});
  tow_memory_run(memory);
  tow_transport *t = tow_transport_ref(tow_memory_transport(peer));
  tow_transport_set_write_buffer_limits(t, 1, 0);
  tow_transport_write(t, "ab", 2);
  tow_memory_accept(peer, -1);
  tow_memory_send(peer, "x", 1);
  tow_memory_send_eof(peer);
  tow_memory_run(memory);
  CHECK(tow_memory_transport(peer) == NULL); /* eof_received answered false */
  tow_transport_unref(t);
  tow_memory_free(memory);
}

static const tow_buffered_callbacks no_buffer = {.base = {.size = sizeof no_buffer, .kind = TOW_BUFFERED}};
static void missing_get_buffer(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_protocol bare = {&no_buffer.base};
  send_bytes(p, 1);
  CHECK(tow_transport_set_protocol(p->transport, &bare) == 0);
  run(p);
  EXPECT(p, "CM !get_buffer:-33"); /* an empty buffer: TOW_EBUFFER */
  CHECK(tow_memory_transport(p->peer) == NULL);
  probe_free(p);
}

/* L5 */
static int free_in_lost(tow_protocol *self, const tow_error *error) {
  (void)error;
  free(self);
  return 0;
}
static const tow_stream_callbacks frees_itself = {
    .base = {.size = sizeof frees_itself, .kind = TOW_STREAM, .connection_lost = free_in_lost}};
static void may_free_itself(void) {
  tow_memory *memory = tow_memory_new(NULL);
  tow_protocol *protocol = malloc(sizeof *protocol);
  if (!protocol) abort();
  protocol->callbacks = &frees_itself.base;
  tow_memory_peer *peer = tow_memory_open(memory, (tow_factory){probe_create, protocol}, NULL);
  tow_memory_run(memory);
  tow_transport *t = tow_transport_ref(tow_memory_transport(peer));
  tow_transport_close(t);
  tow_memory_run(memory);
  CHECK(tow_transport_is_closing(t));
  CHECK(tow_transport_get_protocol(t) == NULL);
  CHECK(tow_transport_write(t, "x", 1) == 0);
  tow_transport_pause_reading(t);
  tow_transport_resume_reading(t);
  CHECK(tow_transport_set_write_buffer_limits(t, 0, 0) == 0);
  CHECK(tow_transport_write_eof(t) == 0);
  CHECK(tow_transport_set_protocol(t, NULL) == TOW_EINVAL);
  CHECK(tow_transport_revoke_buffer(t) == 0);
  CHECK(!tow_transport_is_reading(t));
  char value[8] = "default";
  CHECK(tow_transport_get_extra_info(t, "peername", value, sizeof value) == TOW_ENOENT);
  CHECK(strcmp(value, "default") == 0);
  tow_memory_free(memory);
  CHECK(tow_transport_write(t, "x", 1) == 0); /* outlives its loop */
  tow_transport_unref(t);
}

static int calls_in_lost(probe *p, const char *event) {
  if (!is(event, "CL")) return 0;
  write_bytes(p, 100);
  tow_transport_close(p->transport);
  tow_transport_abort(p->transport);
  tow_transport_resume_reading(p->transport);
  CHECK(tow_transport_is_closing(p->transport));
  return 0;
}
static void calls_inside_lost(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, calls_in_lost);
  send_bytes(p, 5);
  tow_transport_close(p->transport);
  run(p);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

static void old_protocol_may_be_freed(void) {
  probe *p = probe_open(TOW_BUFFERED, &(tow_memory_options){.capacity = -1, .hold_loans = true}, NULL);
  probe *old = probe_new(p->memory, TOW_BUFFERED, NULL);
  old->first = p;
  tow_transport_set_protocol(p->transport, &old->base);
  run(p); /* lends old's buffer */
  tow_transport_set_protocol(p->transport, &p->base);
  free(old);
  send_bytes(p, 4);
  run(p);
  EXPECT(p, "CM GB:-1 2.GB:-1 GB:-1 BU:4 GB:-1");
  probe_free(p);
}

/* L6 */
static int fail_in(probe *p, const char *event) {
  return is(event, p->counter == 0 ? "CM" : p->counter == 1 ? "PW" : "RW") ? -7 : 0;
}
static void not_fatal(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, fail_in);
  EXPECT(p, "CM !connection_made:-7");
  p->counter = 1;
  tow_transport_set_write_buffer_limits(p->transport, 10, 2);
  write_bytes(p, 11);
  EXPECT(p, "PW !pause_writing:-7");
  p->counter = 2;
  tow_memory_accept(p->peer, -1);
  run(p);
  EXPECT(p, "RW !resume_writing:-7");
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "DR:1");
  probe_free(p);
}

static int fail_always(probe *p, const char *event) {
  (void)p;
  return is(event, "CM") ? 0 : -7;
}
static void fatal_data(void) {
  probe *p = probe_open(TOW_STREAM, NULL, fail_always);
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM DR:1 !data_received:-7 CL:ECALLBACK !connection_lost:-7");
  probe_free(p);
}
static void fatal_get_buffer(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, fail_always);
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM GB:-1 !get_buffer:-7 CL:ECALLBACK !connection_lost:-7");
  probe_free(p);
}
static int fail_in_updated(probe *p, const char *event) {
  (void)p;
  return is(event, "BU") ? -9 : 0;
}
static void fatal_updated(void) {
  probe *p = probe_open(TOW_BUFFERED, NULL, fail_in_updated);
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM GB:-1 BU:1 !buffer_updated:-9 CL:ECALLBACK");
  probe_free(p);
}
static void fatal_eof(void) {
  probe *p = probe_open(TOW_STREAM, NULL, fail_always);
  tow_memory_send_eof(p->peer);
  run(p);
  EXPECT(p, "CM ER !eof_received:-7 CL:ECALLBACK !connection_lost:-7");
  probe_free(p);
}

/* L7 */
static void freed_when_lost_fails(void) {
  probe *p = probe_open(TOW_STREAM, NULL, fail_always);
  tow_transport_close(p->transport);
  run(p);
  EXPECT(p, "CM CL:none !connection_lost:-7");
  CHECK(tow_memory_transport(p->peer) == NULL);
  probe_free(p);
}

/* L8 */
static int close_and_fail(probe *p, const char *event) {
  if (!is(event, "DR")) return 0;
  tow_transport_close(p->transport);
  return -3;
}
static void first_cause_wins(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, close_and_fail);
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM DR:1 !data_received:-3 CL:none");
  probe_free(p);
}
static void failure_while_draining(void) {
  probe *p = probe_open(TOW_STREAM, &takes_nothing, close_and_fail);
  write_bytes(p, 5);
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM DR:1 !data_received:-3 CL:ECALLBACK");
  size_t size;
  tow_memory_received(p->peer, &size);
  CHECK(size == 0);
  probe_free(p);
}

static void lost_before_made(void) {
  probe *p = probe_new(tow_memory_new(NULL), TOW_STREAM, NULL);
  p->peer = tow_memory_open(p->memory, (tow_factory){probe_create, p}, NULL);
  tow_transport_abort(tow_memory_transport(p->peer));
  run(p);
  EXPECT(p, "CM CL:none");
  probe_free(p);
}

const test lifecycle_tests[] = {
    {"L1 close inside connection_made: no data", close_inside_made},
    {"L1 abort inside connection_made", abort_inside_made},
    {"L1 pause_reading inside connection_made holds", pause_inside_made},
    {"L1 limits and write inside connection_made", write_inside_made},
    {"L1 set_protocol inside connection_made", set_protocol_inside_made},
    {"L2 connection_made and connection_lost once, nothing after", once_each},
    {"L2 a connection aborted before connection_made still has both", lost_before_made},
    {"L3 only pause_writing comes from inside a call", nothing_inside_calls},
    {"L3 a write error is told later", write_error_is_deferred},
    {"L4 a protocol without callbacks", missing_callbacks},
    {"L4 a buffered protocol without get_buffer: no buffer", missing_get_buffer},
    {"L5 a protocol frees itself in connection_lost; calls after it are harmless", may_free_itself},
    {"L5 calls inside connection_lost are harmless", calls_inside_lost},
    {"L5 a replaced protocol may be freed, its loan is taken back", old_protocol_may_be_freed},
    {"L6 failures in CM, PW, RW are reported and not fatal", not_fatal},
    {"L6 a failure in data_received is fatal", fatal_data},
    {"L6 a failure in get_buffer is fatal", fatal_get_buffer},
    {"L6 a failure in buffer_updated is fatal", fatal_updated},
    {"L6 a failure in eof_received is fatal", fatal_eof},
    {"L7 resources are freed when connection_lost fails", freed_when_lost_fails},
    {"L8 close, then a failure: the first cause wins", first_cause_wins},
    {"L8 a failure while bytes are queued drops them", failure_while_draining},
    {0},
};
