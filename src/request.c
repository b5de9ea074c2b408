/* Connecting: requests that end in exactly one result [O].
 *
 * A request is open until it is SETTLED: by the host (opened, listening, failed), by its time-out, or by the user
 * (cancelled). Whoever is first settles it; the host is told to forget it unless it was the host. The result is
 * delivered by the loop, after the transport's connection_made, which was scheduled before it. */
#include "core.h"

static int tell_connected(tow_request *r, const tow_error *error) {
  return r->done.connected ? r->done.connected(r->context, r->result, error) : 0;
}

static void abort_transport(void *transport) {
  tow_transport_abort(transport);
}

static void run_result(tow_loop *loop, tow_node *node) {
  tow_request *r = TOW_OWNER(node, tow_request, ready);
  tow_list_remove(&r->open);
  tow_enter(loop);
  tow_left(loop, NULL, "done", r->tell(r, r->error.code ? &r->error : NULL));
  tow_loop_free(loop, r->message);
  tow_loop_free(loop, r);
}

void tow_settle(tow_request *r) {
  r->settled = true;
  tow_handle_cancel(&r->timer);
  tow_schedule(r->loop, &r->ready);
}

static void set_error(tow_request *r, int code, int native, const char *message) {
  tow_loop_free(r->loop, r->message);
  r->message = tow_copy_text(r->loop, message);
  const char *text = tow_error_text(code);
  if (!text) text = tow_error_text(code = TOW_EUNKNOWN);
  r->error = (tow_error){code, native, r->message ? r->message : text};
}

void tow_fail_request(tow_request *r, int code, int native, const char *message) {
  if (r->settled) return;
  set_error(r, r->given_up ? r->given_up : code, native, message);
  tow_settle(r);
}

/* The host may tell what had failed so far: then that is the message. */
static void give_up(tow_request *r, int code) {
  r->given_up = code;
  r->loop->table->cancel(r->loop->host, r);
  tow_fail_request(r, code, 0, NULL);
}

static int time_out(void *request) {
  give_up(request, TOW_ETIMEDOUT);
  return 0;
}

void tow_request_cancel(tow_request *r) {
  if (!r->settled) {
    give_up(r, TOW_ECANCELED);
    return;
  }
  if (r->result) r->discard(r->result);
  r->result = NULL;
  set_error(r, TOW_ECANCELED, 0, NULL);
}

static void run_cancel(tow_loop *loop, tow_node *node) {
  (void)loop;
  tow_request_cancel(TOW_OWNER(node, tow_request, open));
}

/* ---- Making one ---- */

tow_request *tow_new_request(tow_loop *loop, tow_factory factory, tow_connected done, void *context) {
  tow_request *r = tow_loop_alloc(loop, sizeof *r);
  if (!r) return NULL;
  memset(r, 0, sizeof *r);
  r->loop = loop;
  r->factory = factory;
  r->done.connected = done;
  r->context = context;
  r->tell = tell_connected;
  r->discard = abort_transport;
  r->high = TOW_HIGH_DEFAULT;
  r->low = TOW_HIGH_DEFAULT / 4;
  r->ready.run = run_result;
  r->open.run = run_cancel;
  tow_list_init(&r->ready);
  tow_list_add(&loop->requests, &r->open);
  return r;
}

bool tow_begin(tow_request *r, bool supported) {
  if (!r->loop->closing && supported) return true;
  tow_fail_request(r, supported ? TOW_ECANCELED : TOW_ENOTSUP, 0, NULL);
  return false;
}

tow_request *tow_ask(tow_request *r, void (*ask)(void *, tow_request *, const char *, const tow_options *),
                     const char *address, const tow_options *options) {
  tow_options all = TOW_OPTIONS_DEFAULT;
  if (options) memcpy(&all, options, options->size < sizeof all ? options->size : sizeof all);
  if (!tow_begin(r, ask)) return r;
  if (tow_limits(all.high, all.low, &r->high, &r->low) < 0) {
    tow_fail_request(r, TOW_EINVAL, 0, "not write buffer limits");
    return r;
  }
  r->layers = all.layers;
  if (all.timeout > 0) tow_loop_call_later(r->loop, &r->timer, all.timeout, time_out, r);
  ask(r->loop->host, r, address, &all);
  return r;
}

tow_request *tow_loop_connect(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                              tow_connected done, void *context) {
  tow_request *r = tow_new_request(loop, factory, done, context);
  return r ? tow_ask(r, loop->table->connect, address, options) : NULL;
}

/* ---- The host's answers ---- */

void tow_host_set_request_data(tow_request *r, void *data) {
  r->host_data = data;
}

void *tow_host_request_data(const tow_request *r) {
  return r->host_data;
}

void tow_host_failed_request(tow_request *r, const tow_error *error) {
  tow_fail_request(r, error->code, error->native, error->message);
}

tow_transport *tow_open_for(tow_request *r, tow_transport *t) {
  int error = TOW_ENOMEM;
  if (t) {
    t->high = r->high;
    t->low = r->low;
    error = tow_start(t, t->family == TOW_STREAMS ? r->layers : NULL, &r->factory);
  }
  if (error < 0) {
    tow_fail_request(r, error, 0, NULL);
    return NULL;
  }
  r->result = tow_top(t);
  tow_settle(r);
  return t;
}

tow_transport *tow_host_opened(tow_request *r, const tow_connection_host *table, void *connection, unsigned abilities) {
  if (r->settled) return NULL;
  return tow_open_for(r, tow_new_transport(r->loop, TOW_STREAMS, sizeof(tow_transport), table, connection, abilities));
}
