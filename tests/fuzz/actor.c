/* Protocols that check every callback: the automaton's rules, the bytes, and what may be called when. */
#include "world.h"

#include <stdint.h>

/* ---- Entering and leaving a callback ---- */

static actor *enter(tow_protocol *self, event which, ptrdiff_t n, ptrdiff_t hint, int who) {
  actor *a = (actor *)self;
  connection *c = a->connection;
  CHECK(c->world->calls == 0 || which == PW, "L3");
  CHECK(c->actor == a, "P1");
  if (c->world->tells)
    fprintf(stderr, "%d.%d %s n=%td\n", (int)(c - c->world->connections), a->number, event_name(which), n);
  automaton_step(&c->automaton, which, n, hint, who < 0 ? a->number : who);
  for (unsigned i = 0; i < RULE_COUNT; i++)
    CHECK(!(c->automaton.broken & (uint32_t)1 << i), rule_name((rule)i));
  a->running++;
  return a;
}

/* Does something, frees the protocol if it was replaced, and answers the callback's result. */
static int leave(actor *a, bool fatal) {
  connection *c = a->connection;
  /* A write that empties what was held back may pause before its own bytes are taken: as if that pause had come in the
   * write before, where asyncio has it. What is written, or closed, in it then comes first, which is not followed here.
   */
  if (!(c->abilities & TOW_WANTS_CORK) || c->world->calls == 0) act_some(c);
  uint8_t answer = byte(c->world);
  bool fails = answer >= 250;
  if (fails && fatal) c->may_fail = true;
  if (--a->running == 0 && a->replaced) free_actor(a);
  return fails ? -(int)answer : 0;
}

static void check_in(const connection *c, stream *in, const void *data, size_t size) {
  size_t put = c->peer || c->family == PROCESS ? in->put : c->partner ? c->partner->out.put : SIZE_MAX;
  CHECK(size <= put - in->got, "data that nobody sent");
  CHECK(is_payload(c->world, in->got, data, size), "data in order");
  in->got += size;
}

static void check_reading(const connection *c) {
  CHECK(tow_transport_is_reading(c->transport) && !c->reading_paused, "R2");
}

/* ---- All ---- */

static int on_made(tow_protocol *self, tow_transport *transport) {
  actor *a = enter(self, CM, 0, 0, -1);
  a->connection->transport = transport;
  return leave(a, false);
}

static void check_lost(connection *c, const tow_error *error) {
  world *w = c->world;
  CHECK(!error || tow_error_name(error->code), "an error has a name");
  CHECK(!error || strlen(error->message) < 100, "an error has a message");
  CHECK(error ? c->may_fail || w->has_failed : c->may_close || w->closing, "E6");
  bool is_whole = !error && !c->aborted && !w->closing && !w->has_failed && c->peer;
  if (is_whole && c->family == STREAM) {
    check_connection(c);
    CHECK(c->drained == c->out.put, "E4: what was written before close is sent");
  }
}

static int on_lost(tow_protocol *self, const tow_error *error) {
  actor *a = enter(self, CL, 0, 0, -1);
  connection *c = a->connection;
  CHECK(tow_transport_is_closing(c->transport), "L5");
  check_lost(c, error);
  c->lost = true;
  c->actor = NULL;
  act_some(c);
  if (c->references == 0) c->transport = NULL;
  int answer = byte(c->world) >= 250 ? -1 : 0;
  free_actor(a);
  return answer;
}

static int on_pause(tow_protocol *self) {
  return leave(enter(self, PW, 0, 0, -1), false);
}

static int on_resume(tow_protocol *self) {
  return leave(enter(self, RW, 0, 0, -1), false);
}

/* ---- Streams ---- */

static int on_eof(tow_protocol *self) {
  actor *a = enter(self, ER, 0, 0, -1);
  connection *c = a->connection;
  CHECK(!tow_transport_is_reading(c->transport) && !tow_transport_is_closing(c->transport), "E3");
  CHECK(!c->reading_paused, "R1");
  CHECK(!c->peer || (c->in[0].ended && c->in[0].got == c->in[0].put), "E3: after all data");
  int result = leave(a, true);
  if (result < 0) return result;
  int keep_open = byte(c->world) & 1;
  if (!keep_open || !(c->abilities & TOW_CAN_STAY_HALF_OPEN)) c->may_close = true;
  return keep_open;
}

static int on_data(tow_protocol *self, const void *data, size_t size) {
  actor *a = enter(self, DR, (ptrdiff_t)size, 0, -1);
  check_reading(a->connection);
  CHECK(size <= 262144, "R2");
  check_in(a->connection, &a->connection->in[0], data, size);
  return leave(a, true);
}

static int on_get_buffer(tow_protocol *self, ptrdiff_t hint, tow_buffer *buffer) {
  actor *a = enter(self, GB, 1, hint, -1);
  connection *c = a->connection;
  CHECK(!tow_transport_is_closing(c->transport), "R2");
  uint8_t choice = byte(c->world);
  size_t size = choice >= 252 ? 0 : choice >= 200 ? 4096 : 1 + choice % 40;
  if (!size) c->may_fail = true;
  c->automaton.loan = (ptrdiff_t)size;
  a->running++; /* so that it stays until its answer is given */
  int result = leave(a, true);
  free(a->buffer); /* it is not lent, or this would not be asked */
  a->buffer = malloc(size ? size : 1);
  if (!a->buffer) abort();
  a->size = size;
  *buffer = (tow_buffer){size ? a->buffer : NULL, size};
  if (--a->running == 0 && a->replaced) free_actor(a);
  return result;
}

static int on_updated(tow_protocol *self, size_t size) {
  actor *a = enter(self, BU, (ptrdiff_t)size, 0, -1);
  CHECK(size <= a->size, "B4");
  check_reading(a->connection);
  check_in(a->connection, &a->connection->in[0], a->buffer, size);
  return leave(a, true);
}

/* ---- Datagrams ---- */

static int on_datagram(tow_protocol *self, const void *data, size_t size, const tow_peer *peer) {
  actor *a = enter(self, DG, (ptrdiff_t)size, 0, -1);
  connection *c = a->connection;
  check_reading(c);
  CHECK(peer != NULL, "D6");
  CHECK(c->came_in < c->count_in && c->sizes_in[c->came_in] == size, "D1");
  CHECK(is_payload(c->world, c->came_in, data, size), "D1");
  c->came_in++;
  return leave(a, false);
}

static int on_error(tow_protocol *self, const tow_error *error, const tow_peer *peer) {
  (void)peer;
  actor *a = enter(self, EE, 0, 0, -1);
  CHECK(tow_error_name(error->code) && error->message, "an error has a name");
  return leave(a, false);
}

/* ---- Subprocesses ---- */

static int on_pipe_data(tow_protocol *self, int fd, const void *data, size_t size) {
  actor *a = enter(self, PD, (ptrdiff_t)size, 0, fd);
  CHECK((fd == 1 || fd == 2) && size > 0, "X2");
  check_in(a->connection, &a->connection->in[fd], data, size);
  return leave(a, false);
}

static int on_pipe_lost(tow_protocol *self, int fd, const tow_error *error) {
  actor *a = enter(self, PL, 0, 0, fd);
  connection *c = a->connection;
  bool ended = !error && !c->pipe_closed[fd] && !c->may_close && !c->world->closing && fd > 0;
  CHECK(!ended || (c->in[fd].ended && c->in[fd].got == c->in[fd].put), "X2: after its data");
  CHECK(tow_transport_get_pipe_transport(c->transport, fd) != NULL, "X10: until this has returned");
  return leave(a, false);
}

static int on_exited(tow_protocol *self) {
  actor *a = enter(self, PX, 0, 0, -1);
  connection *c = a->connection;
  int returncode = 12345;
  CHECK(tow_transport_get_returncode(c->transport, &returncode), "X3");
  CHECK(c->world->closing || (c->exited && returncode == c->returncode), "X5");
  c->may_close = true; /* connection_lost is due when the pipes are lost */
  return leave(a, false);
}

/* ---- Making and freeing ---- */

#define BASE(table, which)                                                                                             \
  {                                                                                                                    \
    .size = sizeof(table), .kind = (which), .connection_made = on_made, .connection_lost = on_lost,                    \
    .pause_writing = on_pause, .resume_writing = on_resume,                                                            \
  }
static const tow_stream_callbacks streams = {BASE(tow_stream_callbacks, TOW_STREAM), on_eof, on_data};
static const tow_buffered_callbacks buffereds = {BASE(tow_buffered_callbacks, TOW_BUFFERED), on_eof, on_get_buffer,
                                                 on_updated};
static const tow_datagram_callbacks datagrams = {
    .base = BASE(tow_datagram_callbacks, TOW_DATAGRAM), .datagram_received = on_datagram, .error_received = on_error};
static const tow_subprocess_callbacks subprocesses = {BASE(tow_subprocess_callbacks, TOW_SUBPROCESS), on_pipe_data,
                                                      on_pipe_lost, on_exited};

actor *new_actor(connection *c, tow_kind kind) {
  actor *a = calloc(1, sizeof *a);
  if (!a) abort();
  a->base.callbacks = kind == TOW_STREAM     ? &streams.base
                      : kind == TOW_BUFFERED ? &buffereds.base
                      : kind == TOW_DATAGRAM ? &datagrams.base
                                             : &subprocesses.base;
  a->connection = c;
  a->number = c->actors++;
  return a;
}

void free_actor(actor *a) {
  free(a->buffer);
  free(a);
}
