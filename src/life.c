/* The order of calls [L, E].
 *
 * A transport goes through these states, forward only:
 *
 *     opened --(next turn)--> MADE --close, abort, failure--> CLOSING --queue empty, or dropped--> LOST
 *            --(next turn)--> DONE --host lets go--> CLOSED --last reference--> freed
 *
 *     entering   calls               and from then on
 *     MADE       connection_made     the host reads
 *     CLOSING    -                   nothing is read, writes are dropped
 *     LOST       -                   connection_lost is due; no later cause changes its error [L8]
 *     DONE       connection_lost     every call on the transport is harmless
 *     CLOSED     host's close        no memory is lent
 *
 * connection_made, connection_lost and close are called by the loop, from the one node that a transport has in the
 * ready list. Only one of them can be due at a time: a connection lost before connection_made is scheduled again when
 * that has returned. The exception is a closing connection whose last byte leaves: connection_lost is called at once,
 * as asyncio does, and only the host's close is left to the loop, because the host is in the middle of a fact. */
#include "core.h"

static void run_close(tow_loop *loop, tow_node *node);

static const tow_base_callbacks *callbacks_of(const tow_transport *t) {
  return t->protocol->callbacks;
}

/* ---- Opening ---- */

static void run_made(tow_loop *loop, tow_node *node) {
  tow_transport *t = TOW_OWNER(node, tow_transport, ready);
  t->state |= TOW_MADE;
  if (callbacks_of(t)->connection_made) {
    tow_enter(loop);
    int result = callbacks_of(t)->connection_made(t->protocol, t);
    if (result < 0) tow_report(loop, "connection_made", t, result);
    tow_leave(loop);
  }
  if (t->state & TOW_LOST)
    tow_lose(t);
  else
    tow_update_reading(t);
  if (t->abilities & TOW_RUNS_PROCESS) tow_process_tell_exit((tow_process *)t);
}

bool tow_suits(const tow_transport *t, const tow_protocol *protocol) {
  static const uint8_t sizes[] = {0, sizeof(tow_stream_callbacks), sizeof(tow_buffered_callbacks),
                                  sizeof(tow_datagram_callbacks), sizeof(tow_subprocess_callbacks)};
  uint32_t kind = protocol->callbacks->kind;
  if (kind == 0 || kind >= sizeof sizes || protocol->callbacks->size < sizes[kind]) return false;
  if (t->abilities & TOW_CARRIES_DATAGRAMS) return kind == TOW_DATAGRAM;
  if (t->abilities & TOW_RUNS_PROCESS) return kind == TOW_SUBPROCESS;
  return kind == TOW_STREAM || kind == TOW_BUFFERED;
}

static size_t size_of(const tow_transport *t) {
  if (t->abilities & TOW_CARRIES_DATAGRAMS) return sizeof(tow_endpoint);
  if (t->abilities & TOW_RUNS_PROCESS) return sizeof(tow_process);
  return sizeof(tow_transport);
}

tow_transport *tow_open(tow_loop *loop, tow_opening *o) {
  tow_transport head = {.loop = loop,
                        .table = o->table,
                        .connection = o->connection,
                        .server = o->server,
                        .abilities = (uint16_t)o->abilities,
                        .references = 1,
                        .ready.run = run_made};
  o->error = (tow_error){TOW_ECANCELED, 0, NULL};
  if (loop->closing) return NULL;
  tow_transport *t = tow_allocate(loop, size_of(&head));
  o->error = (tow_error){TOW_ENOMEM, 0, NULL};
  if (!t) return NULL;
  memset(t, 0, size_of(&head));
  *t = head;
  tow_list_init(&t->ready);
  tow_list_init(&t->open);
  if (!o->options || tow_transport_set_write_buffer_limits(t, o->options->high, o->options->low) < 0)
    tow_transport_set_write_buffer_limits(t, TOW_UNSET, TOW_UNSET);
  tow_protocol *protocol = o->factory.create(loop, o->factory.context);
  if (!protocol || !tow_suits(t, protocol)) {
    if (protocol)
      o->error = (tow_error){TOW_EINVAL, 0, "the protocol is of another kind than the connection"};
    else
      o->error.message = "no protocol was made for the connection";
    tow_release(loop, t, size_of(t));
    return NULL;
  }
  t->protocol = protocol;
  if (o->server && !tow_server_is_open(loop, o->server)) t->server = NULL; /* closed by the factory */
  if ((t->abilities & TOW_CARRIES_DATAGRAMS) && o->peer) ((tow_endpoint *)t)->peer = *o->peer;
  if (t->abilities & TOW_RUNS_PROCESS) ((tow_process *)t)->pid = o->pid;
  loop->references++;
  tow_list_add(&loop->transports, &t->open);
  tow_schedule(loop, &t->ready);
  return t;
}

tow_transport *tow_host_open(tow_loop *loop, tow_factory factory, const tow_connection_host *table, void *connection,
                             unsigned abilities, const tow_peer *peer) {
  return tow_open(loop, &(tow_opening){factory, table, connection, .abilities = abilities, .peer = peer});
}

/* ---- Losing ---- */

static void call_lost(tow_transport *t) {
  tow_loop *loop = t->loop;
  tow_protocol *protocol = t->protocol;
  t->state |= TOW_DONE;
  t->protocol = NULL; /* it may free itself now */
  t->loan = (tow_buffer){NULL, 0};
  if (!protocol->callbacks->connection_lost) return;
  tow_enter(loop);
  int result = protocol->callbacks->connection_lost(protocol, t->error.code ? &t->error : NULL);
  if (result < 0) tow_report(loop, "connection_lost", t, result);
  tow_leave(loop);
}

static void run_close(tow_loop *loop, tow_node *node) {
  (void)loop;
  tow_transport *t = TOW_OWNER(node, tow_transport, ready);
  t->table->close(t->connection, t->error.code ? &t->error : NULL); /* may be gone now */
}

static void run_lost(tow_loop *loop, tow_node *node) {
  call_lost(TOW_OWNER(node, tow_transport, ready));
  run_close(loop, node);
}

void tow_lose(tow_transport *t) {
  t->state |= TOW_CLOSING | TOW_LOST;
  tow_update_reading(t);
  bool scheduled = !tow_list_is_empty(&t->ready); /* connection_made is still due, and comes back here */
  if (scheduled) return;
  t->ready.run = run_lost;
  tow_schedule(t->loop, &t->ready);
}

void tow_lose_now(tow_transport *t) {
  t->state |= TOW_LOST;
  call_lost(t);
  t->ready.run = run_close;
  tow_schedule(t->loop, &t->ready);
}

static void drop(tow_transport *t) {
  t->size = 0; /* the memory may be lent to the host: freed when it has let go */
  if (t->loop->corked == t) {
    t->loop->corked = NULL;
    t->loop->cork_size = 0;
  }
}

static const char *copy_text(tow_loop *loop, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = tow_loop_alloc(loop, size);
  return copy ? memcpy(copy, text, size) : NULL;
}

void tow_fail(tow_transport *t, int code, int native, const char *message) {
  if (t->state & TOW_LOST) return;
  if (code >= 0 || !tow_error_text(code)) code = TOW_EUNKNOWN;
  const char *text = tow_error_text(code);
  if (message && strcmp(message, text) != 0) {
    const char *copy = copy_text(t->loop, message);
    if (copy) text = copy;
  }
  t->error = (tow_error){code, native, text};
  drop(t);
  tow_lose(t);
}

void tow_fail_callback(tow_transport *t, const char *callback, int native) {
  tow_report(t->loop, callback, t, native);
  tow_fail(t, TOW_ECALLBACK, native, NULL);
}

void tow_fail_empty_buffer(tow_transport *t) {
  tow_error error = {TOW_EBUFFER, 0, tow_error_text(TOW_EBUFFER)};
  tow_report_error(t->loop, "get_buffer", t, &error);
  tow_fail(t, TOW_EBUFFER, 0, NULL);
}

void tow_host_failed(tow_transport *t, const tow_error *error) {
  tow_fail(t, error->code, error->native, error->message);
}

void tow_transport_close(tow_transport *t) {
  if (t->state & TOW_CLOSING) return;
  if (t->loop->corked == t) {
    tow_cork_flush(t->loop);
    if (t->state & TOW_CLOSING) return;
  }
  t->state |= TOW_CLOSING;
  tow_update_reading(t);
  if (t->abilities & TOW_RUNS_PROCESS)
    tow_process_close((tow_process *)t);
  else if (t->size == 0)
    tow_lose(t);
}

void tow_transport_abort(tow_transport *t) {
  if (t->state & TOW_LOST) return;
  if (t->abilities & TOW_RUNS_PROCESS) { /* a subprocess is never lost before it has ended [X4] */
    tow_transport_close(t);
    return;
  }
  drop(t);
  tow_lose(t);
}

bool tow_transport_is_closing(const tow_transport *t) {
  return t->state & TOW_CLOSING;
}

/* ---- Letting go ---- */

tow_transport *tow_transport_ref(tow_transport *t) {
  t->references++;
  return t;
}

void tow_transport_unref(tow_transport *t) {
  if (--t->references > 0) return;
  tow_loop *loop = t->loop;
  if (t->error.code && t->error.message != tow_error_text(t->error.code))
    tow_loop_free(loop, (void *)(uintptr_t)t->error.message);
  tow_release(loop, t, size_of(t));
  tow_unref_loop(loop);
}

void tow_host_closed(tow_transport *t) {
  t->state |= TOW_CLOSED;
  tow_list_remove(&t->open);
  tow_queue_free(t);
  tow_release(t->loop, t->slab, TOW_OWN_SLAB_SIZE);
  t->slab = NULL;
  t->server = NULL;
  tow_transport_unref(t);
}

/* ---- The protocol ---- */

tow_protocol *tow_transport_get_protocol(const tow_transport *t) {
  return t->protocol;
}

tow_loop *tow_transport_get_loop(const tow_transport *t) {
  return t->loop;
}

int tow_transport_set_protocol(tow_transport *t, tow_protocol *protocol) {
  if (!protocol || !tow_suits(t, protocol)) return TOW_EINVAL;
  if ((t->state & TOW_DONE) || protocol == t->protocol) return 0;
  /* The old one may be freed as soon as its callback has returned, so its memory comes back if it can. */
  tow_transport_revoke_buffer(t);
  t->protocol = protocol;
  if ((t->state & (TOW_WRITE_PAUSED | TOW_LOST)) == TOW_WRITE_PAUSED) tow_call_pause_writing(t);
  return 0;
}

int tow_transport_get_extra_info(const tow_transport *t, const char *name, char *value, size_t capacity) {
  if ((t->state & TOW_CLOSED) || !t->table->extra_info) return TOW_ENOENT;
  return t->table->extra_info(t->connection, name, value, capacity);
}
