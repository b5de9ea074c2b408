/* Layers: the whole contract through one, two and three of them that do nothing; and on a connection in use. */
#include "budget.h"
#include "pass_layer.h"
#include "probe.h"

enum { MOST = 3 };

/* A stack of so many layers. */
static const tow_layering *layers(int count) {
  static tow_layering stack[MOST];
  const tow_layering *above = NULL;
  for (int i = 0; i < count; i++) {
    stack[i] = pass_layering;
    stack[i].above = above;
    above = &stack[i];
  }
  return above;
}

static probe *open_on(int count, tow_kind kind, tow_memory_options options, int (*on)(probe *, const char *)) {
  options.layers = layers(count);
  return probe_open(kind, &options, on);
}

static const tow_memory_options takes_all = {.capacity = -1};

static bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

/* ---- The contract through a stack ---- */

static void both_ways(void) {
  for (int n = 1; n <= MOST; n++) {
    probe *p = open_on(n, TOW_STREAM, (tow_memory_options){.capacity = 3}, NULL);
    CHECK(p->transport != tow_memory_transport(p->peer));
    send_bytes(p, 10);
    write_bytes(p, 5);
    run(p);
    EXPECT(p, "CM DR:10");
    CHECK(tow_transport_get_write_buffer_size(p->transport) == 2);
    CHECK(tow_transport_get_write_buffer_size(tow_memory_transport(p->peer)) == 0);
    tow_memory_accept(p->peer, -1);
    p->eof_answer = 1;
    tow_memory_send_eof(p->peer);
    run(p);
    CHECK(!tow_memory_received_eof(p->peer));
    CHECK(tow_transport_can_write_eof(p->transport) && tow_transport_write_eof(p->transport) == 0);
    CHECK(tow_memory_received_eof(p->peer));
    tow_transport_close(p->transport);
    run(p);
    EXPECT(p, "ER CL:none");
    size_t size;
    tow_memory_received(p->peer, &size);
    CHECK(size == 5 && !tow_memory_transport(p->peer));
    probe_free(p);
  }
}

static void no_copy(void) {
  for (int n = 1; n <= MOST; n++) {
    probe *p = open_on(n, TOW_BUFFERED, takes_all, NULL);
    const tow_buffer *lent = tow_host_lend(tow_memory_transport(p->peer), -1);
    CHECK(lent && lent->base == p->buffer && lent->size == sizeof p->buffer);
    CHECK(tow_host_received(tow_memory_transport(p->peer), 7) == 7);
    EXPECT(p, "CM GB:-1 BU:7");
    probe_free(p);
  }
}

static void marks_and_pauses(void) {
  for (int n = 1; n <= MOST; n++) {
    probe *p = open_on(n, TOW_STREAM, (tow_memory_options){.capacity = 0}, NULL);
    tow_transport_set_write_buffer_limits(p->transport, 100, 10);
    write_bytes(p, 100);
    EXPECT(p, "CM");
    write_bytes(p, 1);
    EXPECT(p, "PW");
    tow_memory_accept(p->peer, 90);
    run(p);
    EXPECT(p, "");
    tow_memory_accept(p->peer, 1);
    run(p);
    EXPECT(p, "RW");
    tow_transport_pause_reading(p->transport);
    CHECK(!tow_transport_is_reading(tow_memory_transport(p->peer)));
    send_bytes(p, 10);
    tow_memory_send_eof(p->peer);
    run(p);
    EXPECT(p, "");
    tow_transport_resume_reading(p->transport);
    tow_transport_close(p->transport);
    run(p);
    EXPECT(p, "");
    tow_memory_accept(p->peer, 10);
    run(p);
    EXPECT(p, "CL:none");
    probe_free(p);
  }
}

static void asks_through(void) {
  char value[16] = "";
  probe *p = open_on(MOST, TOW_STREAM, takes_all, NULL);
  CHECK(tow_transport_get_extra_info(p->transport, "host", value, sizeof value) == 6 && is(value, "memory"));
  CHECK(tow_transport_get_extra_info(p->transport, "hostess", value, sizeof value) == TOW_ENOENT);
  tow_transport_ref(p->transport);
  tow_transport *kept = p->transport;
  tow_transport_close(kept);
  run(p);
  CHECK(tow_transport_get_extra_info(kept, "host", value, sizeof value) == TOW_ENOENT);
  tow_transport_unref(kept);
  probe_free(p);
}

static void taken_back(void) {
  probe *p = open_on(2, TOW_BUFFERED, takes_all, NULL);
  tow_transport *lowest = tow_memory_transport(p->peer);
  CHECK(tow_host_lend(lowest, -1)->base == p->buffer);
  CHECK(tow_transport_revoke_buffer(p->transport) == 0);
  CHECK(tow_host_lend(lowest, -1)->base == p->buffer);
  EXPECT(p, "CM GB:-1 GB:-1"); /* asked anew */
  probe_free(p);
}

/* What a host keeps is not the protocol's: that one may be gone while the host still holds it. */
static void kept_loans_are_the_cores(void) {
  probe *p = open_on(2, TOW_BUFFERED, (tow_memory_options){.capacity = -1, .hold_loans = true}, NULL);
  CHECK(tow_host_lend(tow_memory_transport(p->peer), -1)->base != p->buffer);
  send_bytes(p, 9);
  run(p);
  EXPECT(p, "CM GB:9 BU:9");
  probe_free(p);
}

static void other_protocols(void) {
  probe *p = open_on(2, TOW_STREAM, (tow_memory_options){.capacity = 0}, NULL);
  tow_transport_set_write_buffer_limits(p->transport, 10, 1);
  write_bytes(p, 11);
  CHECK(tow_transport_set_protocol(tow_memory_transport(p->peer), &probe_other(p, TOW_STREAM)->base) == TOW_EINVAL);
  free(p->other);
  CHECK(tow_transport_set_protocol(p->transport, &probe_other(p, TOW_BUFFERED)->base) == 0);
  send_bytes(p, 3);
  run(p);
  EXPECT(p, "CM PW 2.PW 2.GB:-1 2.BU:3");
  probe_free(p);
}

/* ---- Ends, from everywhere and at every moment ---- */

static const tow_error reset = {TOW_ECONNRESET, 104, "gone"};
static int way; /* in which the connection ends */

static void end_it(probe *p) {
  switch (way) {
  case 0:
    tow_transport_close(p->transport);
    break;
  case 1:
    tow_transport_abort(p->transport);
    break;
  case 2:
    tow_memory_fail_writes(p->peer, &reset); /* from below, in the middle of a write */
    write_bytes(p, 1);
    break;
  case 3:
    tow_host_failed(tow_memory_transport(p->peer), &reset);
    break;
  default:
    tow_transport_abort(tow_memory_transport(p->peer)); /* as the loop does when it is closed */
  }
}

static int end_in_made(probe *p, const char *event) {
  if (is(event, "CM")) end_it(p);
  return 0;
}
static int end_in_data(probe *p, const char *event) {
  if (is(event, "DR") || is(event, "BU")) end_it(p);
  return 0;
}

static const char *const ends[] = {"none", "none", "ECONNRESET", "ECONNRESET", "none"};
enum { WAYS = 5 };

static void ends_inside_callbacks(void) {
  char want[64];
  for (int n = 1; n <= MOST; n++)
    for (way = 0; way < WAYS; way++) {
      tow_memory_options options = {.capacity = -1, .layers = layers(n)};
      probe *p = probe_open_with(TOW_STREAM, &options, NULL, 5);
      log_of(p);
      p->on = end_in_data;
      send_bytes(p, 5);
      run(p);
      snprintf(want, sizeof want, "DR:5 CL:%s", ends[way]);
      EXPECT(p, want);
      CHECK(tow_host_connections(tow_memory_loop(p->memory)) == 0);
      probe_free(p);
    }
}

static probe *opened_with(const tow_memory_options *options, int (*on)(probe *, const char *)) {
  probe *p = probe_new(tow_memory_new(NULL), TOW_STREAM, on);
  p->peer = tow_memory_open(p->memory, (tow_factory){probe_create, p}, options);
  return p;
}

static void ends_inside_made(void) {
  char want[64];
  for (int n = 1; n <= MOST; n++)
    for (way = 0; way < WAYS; way++) {
      tow_memory_options options = {.capacity = -1, .layers = layers(n)};
      probe *p = opened_with(&options, end_in_made);
      tow_memory_send(p->peer, "late", 4);
      run(p);
      snprintf(want, sizeof want, "CM CL:%s", ends[way]);
      EXPECT(p, want);
      CHECK(tow_host_connections(tow_memory_loop(p->memory)) == 0);
      probe_free(p);
    }
}

static void ends_before_made(void) {
  for (int n = 1; n <= MOST; n++) {
    tow_memory_options options = {.capacity = -1, .layers = layers(n)};
    probe *p = opened_with(&options, NULL);
    tow_host_failed(tow_memory_transport(p->peer), &reset);
    run(p);
    EXPECT(p, "CM CL:ECONNRESET");
    probe_free(p);
  }
}

static int fail_in_data(probe *p, const char *event) {
  (void)p;
  return is(event, "DR") ? -7 : 0;
}

static void failing_protocol(void) {
  probe *p = open_on(2, TOW_STREAM, takes_all, fail_in_data);
  send_bytes(p, 1);
  run(p);
  EXPECT(p, "CM DR:1 !data_received:-7 CL:ECALLBACK");
  CHECK(!tow_memory_transport(p->peer));
  probe_free(p);
}

static void broken_with_bytes_queued(void) {
  tow_memory_options options = {.abilities = TOW_CAN_WRITE | TOW_CAN_WRITE_EOF, .capacity = 0};
  probe *p = open_on(2, TOW_STREAM, options, NULL);
  write_bytes(p, 1);
  tow_host_eof(tow_memory_transport(p->peer)); /* [E7] */
  run(p);
  EXPECT(p, "CM CL:EPIPE");
  probe_free(p);
}

/* ---- Connecting and serving ---- */

typedef struct meeting {
  tow_memory *memory;
  probe *client, *server;
  tow_server *listener;
  tow_transport *result;
  int error;
  bool has_result;
} meeting;

static int heard(void *context, tow_server *server, const tow_error *error) {
  ((meeting *)context)->listener = error ? NULL : server;
  return 0;
}
static int connected(void *context, tow_transport *transport, const tow_error *error) {
  meeting *m = context;
  m->result = transport;
  m->error = error ? error->code : 0;
  m->has_result = true;
  return 0;
}

static tow_request *meet(meeting *m, tow_memory *memory, int count) {
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.layers = layers(count);
  options.high = 1000;
  *m = (meeting){.memory = memory, .client = probe_new(memory, TOW_STREAM, NULL)};
  m->server = probe_new(memory, TOW_BUFFERED, NULL);
  tow_loop *loop = tow_memory_loop(memory);
  tow_loop_listen(loop, "mem:here", &options, (tow_factory){probe_create, m->server}, heard, m);
  return tow_loop_connect(loop, "mem:here", &options, (tow_factory){probe_create, m->client}, connected, m);
}

static void part(meeting *m) {
  tow_memory_free(m->memory);
  free(m->client);
  free(m->server);
}

static void results_are_uppermost(void) {
  for (int n = 1; n <= MOST; n++) {
    meeting m;
    size_t low, high;
    meet(&m, tow_memory_new(NULL), n);
    tow_memory_run(m.memory);
    CHECK(m.result && m.result == m.client->transport);
    tow_transport_get_write_buffer_limits(m.result, &low, &high);
    CHECK(high == 1000 && low == 250);
    write_bytes(m.client, 500);
    tow_memory_run(m.memory);
    EXPECT(m.server, "CM GB:-1 BU:500");
    tow_server_close_clients(m.listener);
    tow_memory_run(m.memory);
    EXPECT(m.server, "CL:none");
    EXPECT(m.client, "CM ER CL:none");
    part(&m);
  }
}

static void given_up_at_every_turn(void) {
  for (int turns = 0; turns < 4; turns++)
    for (int closes = 0; closes < 2; closes++) {
      meeting m;
      tow_request *request = meet(&m, tow_memory_new(NULL), 2);
      for (int i = 0; i < turns; i++)
        tow_memory_turn(m.memory);
      if (!closes && !m.has_result) tow_request_cancel(request);
      if (!closes) tow_memory_run(m.memory);
      bool gave_up = !closes && turns == 0;
      CHECK(!gave_up || (m.error == TOW_ECANCELED && !m.result));
      tow_memory_free(m.memory);
      CHECK(m.has_result);
      CHECK(!strstr(m.client->log, "CM") == !strstr(m.client->log, "CL:none"));
      CHECK(!strstr(m.server->log, "CM") == !strstr(m.server->log, "CL:none"));
      free(m.client);
      free(m.server);
    }
}

/* ---- Out of memory ---- */

static void no_memory(void) {
  for (long n = 1; n < 40; n++) {
    budget b = {n, 0};
    meeting m;
    tow_allocator allocator = budget_allocator(&b);
    tow_memory *memory = tow_memory_new(&allocator);
    if (!memory) continue;
    meet(&m, memory, MOST);
    tow_memory_run(memory);
    CHECK(!m.result || m.error == 0);
    if (m.result) write_bytes(m.client, 3000);
    tow_memory_run(memory);
    part(&m);
    CHECK(b.blocks == 0);
  }
}

/* ---- On a connection in use ---- */

static tow_transport *start_on(probe *p, const char *unread) {
  tow_transport *upper = tow_transport_start_layer(p->transport, &pass_layering, unread, strlen(unread));
  if (upper) p->transport = upper;
  return upper;
}

static int start_in_data(probe *p, const char *event) {
  if ((is(event, "DR") || is(event, "BU")) && p->counter++ == 0) CHECK(start_on(p, "unread"));
  return 0;
}

static void started_while_bytes_come(void) {
  static const tow_kind kinds[] = {TOW_STREAM, TOW_BUFFERED};
  for (int i = 0; i < 2; i++) {
    probe *p = probe_open(kinds[i], NULL, start_in_data);
    p->buffer_size = 4;
    CHECK(tow_host_feed(p->transport, "0123456789", 10) == (i == 0 ? 10 : 4)); /* the rest is the host's, for later */
    tow_memory_send(p->peer, i == 0 ? "after" : "456789after", i == 0 ? 5 : 11);
    run(p);
    const char *want = i == 0 ? "0123456789unreadafter" : "0123unread456789after";
    CHECK(p->received_size == strlen(want) && memcmp(p->received, want, strlen(want)) == 0);
    tow_transport_close(p->transport);
    run(p);
    CHECK(strstr(p->log, "CL:none"));
    probe_free(p);
  }
}

static void started_while_paused(void) {
  probe *p = probe_open(TOW_STREAM, &(tow_memory_options){.capacity = 0}, NULL);
  tow_transport_set_write_buffer_limits(p->transport, 20, 5);
  write_bytes(p, 21);
  tow_transport_pause_reading(p->transport);
  send_bytes(p, 3);
  CHECK(start_on(p, "ab") && start_on(p, "c"));
  size_t low, high;
  tow_transport_get_write_buffer_limits(p->transport, &low, &high);
  CHECK(low == 5 && high == 20 && !tow_transport_is_reading(p->transport));
  run(p);
  EXPECT(p, "CM PW");
  tow_memory_accept(p->peer, 15);
  tow_transport_write(p->transport, "xy", 2); /* there is room, but not before what is queued below */
  run(p);
  EXPECT(p, "");
  tow_memory_accept(p->peer, 1); /* what was written before there was a layer is at its low mark */
  run(p);
  EXPECT(p, "RW");
  tow_memory_accept(p->peer, -1);
  tow_transport_resume_reading(p->transport);
  run(p);
  CHECK(p->received_size == 6 && memcmp(p->received, "cab", 3) == 0);
  size_t size;
  const char *sent = tow_memory_received(p->peer, &size);
  CHECK(size == 23 && memcmp(sent + 21, "xy", 2) == 0);
  probe_free(p);
}

/* Paused after the layer has begun to read, before what was unread has come. */
static void unread_waits(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  CHECK(start_on(p, "unread"));
  tow_memory_turn(p->memory);
  tow_transport_pause_reading(p->transport);
  send_bytes(p, 2);
  run(p);
  EXPECT(p, "CM");
  tow_transport_resume_reading(p->transport);
  run(p);
  EXPECT(p, "DR:6 DR:2");
  probe_free(p);
}

static void started_on_a_servers(void) {
  meeting m;
  meet(&m, tow_memory_new(NULL), 0);
  tow_memory_run(m.memory);
  tow_transport_pause_reading(m.client->transport);
  CHECK(start_on(m.server, ""));
  write_bytes(m.server, 100000);
  tow_server_close_clients(m.listener);
  tow_memory_run(m.memory);
  EXPECT(m.server, "CM PW");
  tow_transport_resume_reading(m.client->transport);
  tow_memory_run(m.memory);
  CHECK(m.client->received_size == 100000);
  EXPECT(m.server, "RW CL:none");
  part(&m);
}

static void started_in_a_loan(void) {
  for (int cannot = 0; cannot < 2; cannot++) {
    tow_memory_options options = {.capacity = -1, .hold_loans = true, .cannot_revoke = cannot};
    probe *p = probe_open(TOW_BUFFERED, &options, NULL);
    CHECK(start_on(p, ""));
    send_bytes(p, 6);
    run(p);
    EXPECT(p, "CM GB:-1 GB:6 BU:6");
    CHECK(p->received_size == 6);
    probe_free(p);
  }
}

static void refused(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_transport *lower = p->transport;
  CHECK(start_on(p, ""));
  CHECK(!tow_transport_start_layer(lower, &pass_layering, NULL, 0)); /* it has one */
  tow_transport_write_eof(p->transport);
  CHECK(!start_on(p, ""));
  tow_transport_close(p->transport);
  CHECK(!start_on(p, ""));
  probe_free(p);
  p = probe_open(TOW_STREAM, NULL, NULL);
  p->eof_answer = 1;
  tow_memory_send_eof(p->peer);
  run(p);
  CHECK(!start_on(p, ""));
  probe_free(p);
  p = probe_open(TOW_DATAGRAM, NULL, NULL);
  CHECK(!start_on(p, ""));
  probe_free(p);
}

/* The connection ends before the layer's first turn, or while it has bytes that were not read. */
static void started_and_ended(void) {
  char want[64];
  for (way = 0; way < WAYS; way++)
    for (int turns = 0; turns < 2; turns++) {
      probe *p = probe_open(TOW_STREAM, NULL, NULL);
      tow_transport_pause_reading(p->transport);
      CHECK(start_on(p, "unread"));
      if (turns) run(p);
      end_it(p);
      run(p);
      snprintf(want, sizeof want, "CM CL:%s", ends[way]);
      EXPECT(p, want);
      CHECK(tow_host_connections(tow_memory_loop(p->memory)) == 0);
      probe_free(p);
    }
}

static void started_without_memory(void) {
  for (long n = 0; n < 3; n++) {
    budget b = {1000, 0};
    tow_allocator allocator = budget_allocator(&b);
    tow_memory *memory = tow_memory_new(&allocator);
    probe *p = probe_new(memory, TOW_STREAM, NULL);
    p->peer = tow_memory_open(memory, (tow_factory){probe_create, p}, NULL);
    run(p);
    b.left = n;
    CHECK(!start_on(p, "unread"));
    b.left = 1000;
    send_bytes(p, 1);
    run(p);
    EXPECT(p, "CM DR:1"); /* as if nothing had been */
    probe_free(p);
    CHECK(b.blocks == 0);
  }
}

const test layer_tests[] = {
    {"layers: bytes and ends both ways, queued in the uppermost transport", both_ways},
    {"B6 through layers the host fills the protocol's own memory", no_copy},
    {"F2 R1 through layers: marks and pauses", marks_and_pauses},
    {"I1 through layers", asks_through},
    {"B5 through layers: taken back", taken_back},
    {"B5 under layers a host keeps no protocol's memory", kept_loans_are_the_cores},
    {"P1 P2 above layers, and not between them", other_protocols},
    {"E4 E5 E6 through layers, inside data_received", ends_inside_callbacks},
    {"E4 E5 E6 through layers, inside connection_made", ends_inside_made},
    {"E6 through layers, before connection_made", ends_before_made},
    {"L6 through layers", failing_protocol},
    {"E7 through layers: bytes waited", broken_with_bytes_queued},
    {"O1 O3 the result is the uppermost transport, and so are a server's clients", results_are_uppermost},
    {"O1 T5 through layers: cancelled and closed at every turn", given_up_at_every_turn},
    {"layers: out of memory at each allocation", no_memory},
    {"start_layer inside data_received and buffer_updated: every byte, in order", started_while_bytes_come},
    {"start_layer twice while reading and writing are paused", started_while_paused},
    {"start_layer, and paused before what was unread has come", unread_waits},
    {"O3 start_layer on a server's connection", started_on_a_servers},
    {"start_layer in the middle of a loan", started_in_a_loan},
    {"start_layer is refused", refused},
    {"start_layer, and the end", started_and_ended},
    {"start_layer: out of memory at each allocation", started_without_memory},
    {NULL, NULL},
};
