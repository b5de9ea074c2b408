/* Timers and call_soon, requests and servers: each runs once, in its order [T, O]. */
#include "world.h"

/* ---- call_soon, call_later ---- */

static int run_later(void *context) {
  later *self = context;
  world *w = self->world;
  CHECK(w->calls == 0, "T1");
  CHECK(!w->closing, "T5");
  CHECK(!tow_handle_is_scheduled(&self->handle), "T1");
  if (self->is_timer) {
    CHECK(self->when <= tow_loop_time(w->loop), "T2");
    CHECK(self->when > w->timer_when || (self->when == w->timer_when && self->order > w->timer_ran), "T2");
    w->timer_when = self->when;
    w->timer_ran = self->order;
  } else {
    CHECK(self->order > w->soon_ran, "T1");
    w->soon_ran = self->order;
  }
  if (w->count > 0) act(&w->connections[byte(w) % w->count]);
  return byte(w) >= 250 ? -1 : 0;
}

void later_act(world *w) {
  later *one = &w->laters[byte(w) % HANDLES];
  one->world = w;
  uint8_t choice = byte(w);
  if (choice % 3 == 0) {
    tow_handle_cancel(&one->handle);
    CHECK(!tow_handle_is_scheduled(&one->handle), "T2");
    return;
  }
  one->order = ++w->order;
  one->is_timer = choice % 3 == 1;
  one->when = tow_loop_time(w->loop) + choice / 16;
  if (one->is_timer)
    tow_loop_call_later(w->loop, &one->handle, choice / 16, run_later, one);
  else
    tow_loop_call_soon(w->loop, &one->handle, run_later, one);
  CHECK(tow_handle_is_scheduled(&one->handle) == !w->closing, "T5");
}

/* ---- Requests ---- */

static const char *const names[] = {"mem:a", "mem:b", "mem:b?never", "mem:", "other:a", "", "mem:a b"};

static void check_result(asked *self, const void *result, const tow_error *error) {
  world *w = self->world;
  CHECK(self->request, "O1: one result");
  CHECK(w->calls == 0, "O1: never from inside a call");
  CHECK(!result == (error != NULL), "O1");
  CHECK(!error || (tow_error_name(error->code) && error->message), "O1");
  CHECK(!self->cancelled || (error && error->code == TOW_ECANCELED), "O1: cancelled");
  CHECK(!error || error->code != TOW_ENOMEM || w->has_failed, "O1");
  self->request = NULL;
}

static int connected(void *context, tow_transport *transport, const tow_error *error) {
  check_result(context, transport, error);
  return byte(((asked *)context)->world) >= 250 ? -1 : 0;
}

static int listening(void *context, tow_server *server, const tow_error *error) {
  asked *self = context;
  world *w = self->world;
  check_result(self, server, error);
  for (int i = 0; server && i < SERVERS; i++)
    if (!w->servers[i]) {
      w->servers[i] = server;
      return 0;
    }
  if (server) tow_server_close(server);
  return 0;
}

/* What is connected over "mem:" has another connection at its other end. */
static tow_protocol *create(tow_loop *loop, void *context) {
  world *w = context;
  connection *c = new_connection(w, byte(w) & 1 ? TOW_STREAM : TOW_BUFFERED);
  if (!c) {
    w->has_failed = true; /* which is what no protocol means */
    return NULL;
  }
  c->abilities = TOW_CAN_STREAM;
  c->may_close = c->may_fail = true; /* the request may be cancelled, the other end gone */
  return create_actor(loop, c);
}

static tow_protocol *create_accepted(tow_loop *loop, void *context) {
  world *w = context;
  size_t before = w->count;
  tow_protocol *made = create(loop, w);
  w->accepted = made ? &w->connections[before] : NULL;
  return made;
}

static tow_protocol *create_client(tow_loop *loop, void *context) {
  world *w = context;
  size_t before = w->count;
  tow_protocol *made = create(loop, w);
  if (made && w->accepted) {
    w->connections[before].partner = w->accepted;
    w->accepted->partner = &w->connections[before];
  }
  return made;
}

static void begin(world *w, asked *self) {
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.timeout = byte(w) % 20;
  options.high = byte(w) & 1 ? 10 : TOW_UNSET;
  self->world = w;
  self->cancelled = false;
  self->listens = byte(w) & 1;
  const char *name = names[byte(w) % 7];
  w->calls++;
  self->request = self->listens
                      ? tow_loop_listen(w->loop, name, &options, (tow_factory){create_accepted, w}, listening, self)
                      : tow_loop_connect(w->loop, name, &options, (tow_factory){create_client, w}, connected, self);
  w->calls--;
  CHECK(self->request || w->has_failed, "O1");
  w->accepted = NULL;
}

static void serve_act(world *w) {
  tow_server **one = &w->servers[byte(w) % SERVERS];
  if (!*one) return;
  char text[4];
  switch (byte(w) % 4) {
  case 0:
    tow_server_close(*one);
    *one = NULL;
    break;
  case 1:
  case 2:
    /* Any of the accepted ones may be meant. */
    for (size_t i = 0; i < w->count; i++)
      if (!w->connections[i].peer) w->connections[i].may_close = w->connections[i].aborted = true;
    w->calls++;
    if (byte(w) & 1)
      tow_server_close_clients(*one);
    else
      tow_server_abort_clients(*one);
    w->calls--;
    break;
  default:
    CHECK(tow_server_get_extra_info(*one, "sockname", text, sizeof text) == TOW_ENOENT, "I1");
  }
}

void ask_act(world *w) {
  asked *self = &w->asked[byte(w) % REQUESTS];
  if (byte(w) & 1) {
    serve_act(w);
  } else if (!self->request) {
    begin(w, self);
  } else {
    self->cancelled = true;
    w->calls++;
    tow_request_cancel(self->request);
    w->calls--;
  }
}
