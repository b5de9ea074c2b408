/* T: the loop; O: opening and serving; I: extra information; allocation failures. */
#include "probe.h"

#include <math.h>

/* ---- T ---- */

typedef struct ticker {
  tow_handle handle[8];
  tow_loop *loop;
  char log[256];
  int rounds;
} ticker;

static int tick(ticker *t, const char *name) {
  strncat(t->log, name, sizeof t->log - strlen(t->log) - 1);
  return 0;
}
static int tick_a(void *t) {
  return tick(t, "a");
}
static int tick_b(void *t) {
  return tick(t, "b");
}
static int tick_c(void *t) {
  return tick(t, "c");
}
static int tick_again(void *context) {
  ticker *t = context;
  tick(t, "r");
  if (--t->rounds > 0) tow_loop_call_soon(t->loop, &t->handle[7], tick_again, t);
  return 0;
}

static void call_soon_in_order(void) {
  tow_memory *memory = tow_memory_new(NULL);
  ticker t = {.loop = tow_memory_loop(memory), .rounds = 3};
  tow_loop_call_soon(t.loop, &t.handle[7], tick_again, &t);
  tow_loop_call_soon(t.loop, &t.handle[0], tick_a, &t);
  tow_loop_call_soon(t.loop, &t.handle[1], tick_b, &t);
  tow_loop_call_soon(t.loop, &t.handle[2], tick_c, &t);
  tow_handle_cancel(&t.handle[1]);
  CHECK(!tow_handle_is_scheduled(&t.handle[1]) && tow_handle_is_scheduled(&t.handle[2]));
  CHECK(t.log[0] == '\0');
  CHECK(tow_memory_turn(memory)); /* one generation: what it queues waits for the next */
  CHECK(strcmp(t.log, "rac") == 0);
  tow_memory_run(memory);
  CHECK(strcmp(t.log, "racrr") == 0);
  tow_memory_free(memory);
}

static void timers_in_order(void) {
  tow_memory *memory = tow_memory_new(NULL);
  ticker t = {.loop = tow_memory_loop(memory)};
  tow_loop_call_later(t.loop, &t.handle[0], 20, tick_c, &t);
  tow_loop_call_later(t.loop, &t.handle[1], 10, tick_a, &t);
  tow_loop_call_at(t.loop, &t.handle[2], 10, tick_b, &t); /* the same time: in the order of the calls */
  tow_loop_call_later(t.loop, &t.handle[3], 10, tick_c, &t);
  tow_loop_call_later(t.loop, &t.handle[4], 5, tick_c, &t);
  tow_handle_cancel(&t.handle[4]);
  tow_handle_cancel(&t.handle[4]);
  tow_memory_advance(memory, 9.5);
  CHECK(t.log[0] == '\0');
  tow_memory_advance(memory, 0.5);
  CHECK(strcmp(t.log, "abc") == 0);
  tow_loop_call_later(t.loop, &t.handle[0], 30, tick_a, &t); /* scheduling again moves it */
  tow_memory_advance(memory, 29);
  CHECK(strcmp(t.log, "abc") == 0);
  tow_memory_advance(memory, 1);
  CHECK(strcmp(t.log, "abca") == 0);
  CHECK(tow_loop_time(t.loop) == 40);
  tow_memory_free(memory);
}

typedef struct alarm {
  tow_handle handle;
  double due;
  int order;
  struct alarms *all;
} alarm;
typedef struct alarms {
  tow_loop *loop;
  alarm each[2000];
  double last;
  int last_order, fired;
  bool wrong;
} alarms;
static int ring(void *context) {
  alarm *a = context;
  if (a->due < a->all->last || (a->due == a->all->last && a->order < a->all->last_order)) a->all->wrong = true;
  a->all->last = a->due;
  a->all->last_order = a->order;
  a->all->fired++;
  return 0;
}
static void many_timers(void) {
  tow_memory *memory = tow_memory_new(NULL);
  alarms *all = calloc(1, sizeof *all);
  if (!all) abort();
  all->loop = tow_memory_loop(memory);
  unsigned random = 1;
  int cancelled = 0, n = 2000;
  for (int i = 0; i < n; i++) {
    random = random * 1103515245 + 12345;
    alarm *a = &all->each[i];
    a->due = random >> 16 & 255;
    a->order = i;
    a->all = all;
    tow_loop_call_at(all->loop, &a->handle, a->due, ring, a);
    if (i % 3 == 0) {
      int which = (int)(random >> 8) % (i + 1);
      if (which < 0) which = -which;
      cancelled += tow_handle_is_scheduled(&all->each[which].handle);
      tow_handle_cancel(&all->each[which].handle);
    }
  }
  tow_memory_advance(memory, 300);
  CHECK(!all->wrong);
  CHECK(all->fired == n - cancelled);
  free(all);
  tow_memory_free(memory);
}

static int fails(void *context) {
  (void)context;
  return -4;
}
static void failures_are_reported(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_handle soon = {0}, later = {0};
  tow_loop *loop = tow_memory_loop(p->memory);
  tow_loop_call_soon(loop, &soon, fails, NULL);
  tow_loop_call_later(loop, &later, 1, fails, NULL);
  tow_memory_advance(p->memory, 1);
  EXPECT(p, "CM !call_soon:-4 !call_later:-4");
  tow_loop_set_exception_handler(loop, NULL, NULL); /* then it goes to the log */
  tow_loop_call_soon(loop, &soon, fails, NULL);
  run(p);
  EXPECT(p, "warning");
  probe_free(p);
}

static int note_timer(void *context) {
  probe_note(context, "timer");
  return 0;
}
static int note_soon(void *context) {
  probe_note(context, "soon");
  return 0;
}
static void order_of_a_turn(void) {
  probe *p = probe_open(TOW_STREAM, &(tow_memory_options){.capacity = 0}, NULL);
  tow_handle timer = {0}, soon = {0};
  tow_loop *loop = tow_memory_loop(p->memory);
  tow_transport_set_write_buffer_limits(p->transport, 1, 0);
  write_bytes(p, 2);
  log_of(p);
  tow_loop_call_later(loop, &timer, 0, note_timer, p);
  tow_loop_call_soon(loop, &soon, note_soon, p);
  send_bytes(p, 1);
  tow_memory_accept(p->peer, -1);
  tow_memory_turn(p->memory);
  EXPECT(p, "soon DR:1 RW timer");
  probe_free(p);
}

static void closing_the_loop(void) {
  probe *p = probe_open(TOW_STREAM, &(tow_memory_options){.capacity = 0}, NULL);
  write_bytes(p, 10);
  probe *fresh = probe_new(p->memory, TOW_STREAM, NULL); /* its CM has not come yet */
  fresh->first = p;
  tow_memory_open(p->memory, (tow_factory){probe_create, fresh}, NULL);
  ticker t = {.loop = tow_memory_loop(p->memory)};
  tow_loop_call_soon(t.loop, &t.handle[0], tick_a, &t);
  tow_loop_call_later(t.loop, &t.handle[1], 5, tick_a, &t);
  tow_host_close_loop(t.loop);
  EXPECT(p, "CM 2.CM CL:none 2.CL:none");
  CHECK(!tow_handle_is_scheduled(&t.handle[1]));
  CHECK(tow_host_connections(t.loop) == 0);
  free(fresh);
  probe_free(p);
}

/* ---- O ---- */

typedef struct results {
  tow_transport *transport;
  tow_server *server;
  int calls, code;
  char message[128];
} results;

static int connected(void *context, tow_transport *transport, const tow_error *error) {
  results *r = context;
  r->calls++;
  r->transport = transport;
  r->code = error ? error->code : 0;
  snprintf(r->message, sizeof r->message, "%s", error ? error->message : "");
  return 0;
}
static int listening(void *context, tow_server *server, const tow_error *error) {
  results *r = context;
  r->calls++;
  r->server = server;
  r->code = error ? error->code : 0;
  return 0;
}

static int created;
static tow_protocol *count_created(tow_loop *loop, void *context) {
  (void)loop;
  created++;
  return context;
}
static tow_protocol *create_nothing(tow_loop *loop, void *context) {
  (void)loop;
  (void)context;
  return NULL;
}

static int fail_connect(tow_memory *memory, const char *address) {
  results r = {0};
  created = 0;
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.timeout = 50;
  tow_loop_connect(tow_memory_loop(memory), address, &options, (tow_factory){count_created, NULL}, connected, &r);
  CHECK(r.calls == 0); /* never from inside the call */
  tow_memory_advance(memory, 100);
  CHECK(r.calls == 1 && r.transport == NULL && created == 0 && r.message[0]);
  return r.code;
}
static void failing_requests(void) {
  tow_memory *memory = tow_memory_new(NULL);
  CHECK(fail_connect(memory, "mem:nobody") == TOW_ECONNREFUSED);
  CHECK(fail_connect(memory, "mem:x?never") == TOW_ETIMEDOUT);
  CHECK(fail_connect(memory, "tcp://127.0.0.1:1") == TOW_ESCHEME);
  CHECK(fail_connect(memory, "mem:") == TOW_EADDRESS);
  CHECK(fail_connect(memory, "") == TOW_EADDRESS);
  CHECK(fail_connect(memory, "no address") == TOW_EADDRESS);
  tow_memory_free(memory);
}

static void wrong_limits_are_the_requests(void) {
  tow_memory *memory = tow_memory_new(NULL);
  results connect = {0}, listen = {0};
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.high = 10;
  options.low = 11;
  tow_loop_connect(tow_memory_loop(memory), "mem:x?never", &options, (tow_factory){count_created, NULL}, connected,
                   &connect);
  tow_loop_listen(tow_memory_loop(memory), "mem:here", &options, (tow_factory){count_created, NULL}, listening,
                  &listen);
  tow_memory_run(memory);
  CHECK(connect.calls == 1 && connect.code == TOW_EINVAL && listen.calls == 1 && listen.code == TOW_EINVAL);
  tow_memory_free(memory);
}

static void connects(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  probe *server_side = probe_new(p->memory, TOW_STREAM, NULL), *client = probe_other(p, TOW_STREAM);
  tow_loop *loop = tow_memory_loop(p->memory);
  results listen = {0}, connect = {0}, again = {0};
  server_side->first = p;
  tow_loop_listen(loop, "mem:here", NULL, (tow_factory){probe_create, server_side}, listening, &listen);
  tow_loop_listen(loop, "mem:here", NULL, (tow_factory){probe_create, NULL}, listening, &again);
  run(p);
  CHECK(listen.calls == 1 && listen.server && again.code == TOW_EADDRINUSE);
  log_of(p);
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.high = 100;
  tow_loop_connect(loop, "mem:here", &options, (tow_factory){probe_create, client}, connected, &connect);
  run(p);
  EXPECT(p, "2.CM 2.CM");
  CHECK(connect.calls == 1 && connect.transport == client->transport);
  size_t low, high;
  tow_transport_get_write_buffer_limits(client->transport, &low, &high);
  CHECK(low == 25 && high == 100);
  write_bytes(client, 5);
  run(p);
  EXPECT(p, "2.DR:5");
  write_bytes(client, 65536 + 50); /* the pipe is bounded */
  CHECK(tow_transport_get_write_buffer_size(client->transport) == 50);
  tow_server_close(listen.server); /* its connections live on [O3] */
  run(p);
  EXPECT(p, "2.DR:65536 2.DR:50");
  CHECK(fail_connect(p->memory, "mem:here") == TOW_ECONNREFUSED);
  tow_transport_close(client->transport);
  run(p);
  EXPECT(p, "2.CL:none 2.ER 2.CL:none");
  free(server_side);
  probe_free(p);
}

static void server_ends_its_clients(void) {
  for (int how = 0; how < 2; how++) {
    probe *p = probe_open(TOW_STREAM, NULL, NULL);
    probe *server_side = probe_new(p->memory, TOW_STREAM, NULL), *client = probe_other(p, TOW_STREAM);
    tow_loop *loop = tow_memory_loop(p->memory);
    results listen = {0};
    server_side->first = p;
    tow_loop_listen(loop, "mem:here", NULL, (tow_factory){probe_create, server_side}, listening, &listen);
    run(p);
    tow_loop_connect(loop, "mem:here", NULL, (tow_factory){probe_create, client}, NULL, NULL);
    run(p);
    log_of(p);
    (how ? tow_server_abort_clients : tow_server_close_clients)(listen.server);
    run(p);
    EXPECT(p, "2.CL:none 2.ER 2.CL:none");
    CHECK(!tow_transport_is_closing(p->transport)); /* not the server's */
    free(server_side);
    probe_free(p);
  }
}

static void cancelling(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  tow_loop *loop = tow_memory_loop(p->memory);
  results waiting = {0}, opened = {0}, listen = {0}, dropped = {0};
  probe *server_side = probe_new(p->memory, TOW_STREAM, NULL), *client = probe_other(p, TOW_STREAM);
  server_side->first = p;
  log_of(p);
  tow_request *r = tow_loop_connect(loop, "mem:x?never", NULL, (tow_factory){count_created, NULL}, connected, &waiting);
  run(p);
  tow_request_cancel(r);
  CHECK(waiting.calls == 0);
  run(p);
  CHECK(waiting.calls == 1 && waiting.code == TOW_ECANCELED);
  tow_loop_listen(loop, "mem:here", NULL, (tow_factory){probe_create, server_side}, listening, &listen);
  run(p);
  r = tow_loop_connect(loop, "mem:here", NULL, (tow_factory){probe_create, client}, connected, &opened);
  tow_request_cancel(r); /* open already, result not yet told: aborted */
  tow_request_cancel(r);
  run(p);
  CHECK(opened.calls == 1 && opened.code == TOW_ECANCELED && !opened.transport);
  EXPECT(p, "2.CM 2.CM 2.CL:none 2.ER 2.CL:none");
  r = tow_loop_listen(loop, "mem:there", NULL, (tow_factory){probe_create, NULL}, listening, &dropped);
  tow_request_cancel(r);
  run(p);
  CHECK(dropped.calls == 1 && dropped.code == TOW_ECANCELED && !dropped.server);
  CHECK(fail_connect(p->memory, "mem:there") == TOW_ECONNREFUSED);
  free(server_side);
  probe_free(p);
}

static void no_protocol(void) {
  tow_memory *memory = tow_memory_new(NULL);
  tow_loop *loop = tow_memory_loop(memory);
  results listen = {0}, connect = {0};
  tow_loop_listen(loop, "mem:here", NULL, (tow_factory){create_nothing, NULL}, listening, &listen);
  tow_memory_run(memory);
  tow_loop_connect(loop, "mem:here", NULL, (tow_factory){create_nothing, NULL}, connected, &connect);
  tow_memory_run(memory);
  CHECK(connect.calls == 1 && connect.code == TOW_ECONNREFUSED);
  CHECK(tow_host_connections(loop) == 0);
  tow_memory_free(memory);
}

static void requests_end_with_the_loop(void) {
  tow_memory *memory = tow_memory_new(NULL);
  results waiting = {0}, late = {0};
  tow_loop *loop = tow_memory_loop(memory);
  tow_loop_connect(loop, "mem:x?never", NULL, (tow_factory){count_created, NULL}, connected, &waiting);
  tow_host_close_loop(loop);
  CHECK(waiting.calls == 1 && waiting.code == TOW_ECANCELED);
  tow_loop_connect(loop, "mem:x", NULL, (tow_factory){count_created, NULL}, connected, &late);
  tow_host_run_ready(loop);
  CHECK(late.calls == 1 && late.code == TOW_ECANCELED);
  tow_memory_free(memory);
}

static void addresses(void) {
  tow_address a;
  CHECK(tow_address_parse("tcp://127.0.0.1:80", &a) == 0);
  CHECK(tow_address_has_scheme(&a, "tcp") && a.port == 80 && a.host_size == 9 && a.path_size == 0);
  CHECK(tow_address_parse("tcp://[::1]:65535", &a) == 0 && a.port == 65535 && a.host_size == 3 && a.host[0] == ':');
  CHECK(tow_address_parse("ws://host/path?q", &a) == 0 && a.port == -1 && a.path_size == 7);
  CHECK(tow_address_parse("unix:/tmp/s", &a) == 0 && a.host_size == 0 && strcmp(a.path, "/tmp/s") == 0);
  CHECK(tow_address_parse("exec:/opt/my program", &a) == 0 && strcmp(a.path, "/opt/my program") == 0);
  static const char *const wrong[] = {"",           "tcp",          "://h:1",        "tcp://",
                                      "tcp://:80",  "tcp://h:",     "tcp://h:65536", "tcp://h:80x",
                                      "tcp://[::1", "tcp://[::1]x", "tcp://u@h:1",   "tcp://h :1",
                                      "1tcp://h:1", "tcp://h:1\n",  "tcp://h:-1"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    CHECK(tow_address_parse(wrong[i], &a) == TOW_EADDRESS);
}

static void extra_info(void) {
  probe *p = probe_open(TOW_STREAM, NULL, NULL);
  char value[16] = "default";
  CHECK(tow_transport_get_extra_info(p->transport, "nonsense", value, sizeof value) == TOW_ENOENT);
  CHECK(strcmp(value, "default") == 0);
  CHECK(tow_transport_get_extra_info(p->transport, "host", value, sizeof value) == 6 && strcmp(value, "memory") == 0);
  CHECK(tow_transport_get_extra_info(p->transport, "host", value, 4) == 6 && strcmp(value, "mem") == 0);
  CHECK(tow_transport_get_extra_info(p->transport, "host", NULL, 0) == 6);
  probe_free(p);
}

static void error_names(void) {
  CHECK(strcmp(tow_error_name(TOW_EABI), "EABI") == 0);
  CHECK(strcmp(tow_error_name(TOW_EUNKNOWN), "EUNKNOWN") == 0);
  CHECK(tow_error_name(0) == NULL && tow_error_name(1) == NULL && tow_error_name(TOW_ERROR_LAST - 1) == NULL);
  for (int code = -1; code >= TOW_ERROR_LAST; code--)
    CHECK(tow_error_from_name(tow_error_name(code)) == code);
  CHECK(tow_error_from_name("EWHATEVER") == TOW_EUNKNOWN);
}

/* ---- Memory ---- */

typedef struct meter {
  size_t used;
  long left; /* allocations until it fails; negative: never */
} meter;

/* The size of a block stands before it. */
static void *measured(void *context, size_t size) {
  meter *m = context;
  if (m->left == 0) return NULL;
  if (m->left > 0) m->left--;
  max_align_t *block = malloc(sizeof *block + size);
  if (!block) return NULL;
  memcpy(block, &size, sizeof size);
  m->used += size;
  return block + 1;
}

static void release(void *context, void *memory) {
  if (!memory) return;
  max_align_t *block = (max_align_t *)memory - 1;
  size_t size;
  memcpy(&size, block, sizeof size);
  ((meter *)context)->used -= size;
  free(block);
}

static int answer(probe *p, const char *event) {
  if (strcmp(event, "DR") == 0 || strcmp(event, "BU") == 0) write_bytes(p, 5000);
  return 0;
}

/* Runs a whole life with an allocator that fails at the n-th allocation; answers whether it got to the end. */
static bool live(long n) {
  meter m = {0, n};
  tow_allocator allocator = {measured, release, &m};
  tow_memory *memory = tow_memory_new(&allocator);
  if (!memory) return false;
  probe *p = probe_new(memory, TOW_STREAM, answer), *q = probe_new(memory, TOW_BUFFERED, answer);
  q->peer = tow_memory_open(memory, (tow_factory){probe_create, q}, &(tow_memory_options){.capacity = 100});
  p->peer = tow_memory_open(memory, (tow_factory){probe_create, p}, &(tow_memory_options){.capacity = 100});
  tow_request *request =
      tow_loop_connect(tow_memory_loop(memory), "mem:nobody", NULL, (tow_factory){probe_create, NULL}, NULL, NULL);
  (void)request;
  tow_memory_run(memory);
  for (int i = 0; i < 3; i++) {
    if (p->peer) send_bytes(p, 10);
    if (q->peer) send_bytes(q, 10);
    tow_memory_run(memory);
  }
  bool whole = p->peer && q->peer && tow_memory_transport(p->peer) && tow_memory_transport(q->peer);
  if (whole) tow_transport_close(p->transport);
  if (p->peer) tow_memory_accept(p->peer, -1);
  tow_memory_run(memory);
  tow_memory_free(memory);
  CHECK(!p->peer || strstr(p->log, "CL:") != NULL);
  CHECK(!p->peer || whole || strstr(p->log, "CL:ENOMEM") || strstr(p->log, "CL:none"));
  free(p);
  free(q);
  CHECK(m.used == 0);
  return whole && m.left != 0;
}
static void allocation_failures(void) {
  long n = 0;
  while (n < 100 && !live(n))
    n++;
  CHECK(n > 5 && n < 100);
}

static void no_allocation_in_the_steady_state(void) {
  meter m = {0, -1};
  tow_allocator allocator = {measured, release, &m};
  tow_memory *memory = tow_memory_new(&allocator);
  probe *p = probe_new(memory, TOW_STREAM, NULL);
  p->peer = tow_memory_open(memory, (tow_factory){probe_create, p}, &(tow_memory_options){.capacity = 0});
  tow_memory_run(memory);
  for (int i = 0; i < 100; i++) {
    if (i == 2) m.left = 0; /* from here on nothing may be allocated */
    send_bytes(p, 10);
    write_bytes(p, 1000);
    tow_memory_run(memory);
    tow_memory_accept(p->peer, 1000);
    tow_memory_run(memory);
  }
  CHECK(tow_memory_transport(p->peer) != NULL);
  CHECK(p->received_size == 1000);
  tow_memory_free(memory);
  free(p);
}

const test loop_tests[] = {
    {"T1 call_soon runs in order, a generation at a time", call_soon_in_order},
    {"T2 timers: by time, then by the order of the calls", timers_in_order},
    {"T2 2,000 timers armed and cancelled at random", many_timers},
    {"T3 failures reach the exception handler, or the log", failures_are_reported},
    {"T4 a turn: ready, read, write, timers", order_of_a_turn},
    {"T5 closing the loop delivers every connection_lost", closing_the_loop},
    {"O1 failing requests end in one error, no protocol is made", failing_requests},
    {"O1 cancelling", cancelling},
    {"O1 a factory that makes nothing", no_protocol},
    {"O1 requests end with the loop", requests_end_with_the_loop},
    {"O2 wrong limits are an error of the request", wrong_limits_are_the_requests},
    {"O2 connecting, options, bounded pipes", connects},
    {"O2 addresses", addresses},
    {"O3 a server closes or aborts its connections", server_ends_its_clients},
    {"I1 extra information, or the default", extra_info},
    {"errors have names", error_names},
    {"memory: every allocation may fail", allocation_failures},
    {"memory: none is allocated in the steady state", no_allocation_in_the_steady_state},
    {0},
};
