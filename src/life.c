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
 * as asyncio does, and only the host's close is left to the loop, because the host is in the middle of a fact.
 *
 * Where the protocol is a layer (layer.h), its connection_lost is called as the transport becomes LOST: the layer tells
 * its upper transport, which defers what its own protocol hears. So a connection of many layers ends in one turn. */
#include "core.h"

static void run_close(tow_loop *loop, tow_node *node);

static void run_abort(tow_loop *loop, tow_node *node) {
  (void)loop;
  tow_transport_abort(TOW_OWNER(node, tow_transport, open));
}

/* ---- Opening ---- */

bool tow_suits(const tow_transport *t, const tow_protocol *protocol) {
  static const struct {
    uint8_t family, size;
  } kinds[] = {{0, 0},
               {TOW_STREAMS, sizeof(tow_stream_callbacks)},
               {TOW_STREAMS, sizeof(tow_buffered_callbacks)},
               {TOW_DATAGRAMS, sizeof(tow_datagram_callbacks)},
               {TOW_PROCESSES, sizeof(tow_subprocess_callbacks)}};
  const tow_base_callbacks *callbacks = protocol->callbacks;
  return callbacks->kind < sizeof kinds / sizeof *kinds && kinds[callbacks->kind].family == t->family &&
         callbacks->size >= kinds[callbacks->kind].size;
}

static void run_made(tow_loop *loop, tow_node *node) {
  tow_transport *t = TOW_OWNER(node, tow_transport, ready);
  t->state &= (uint16_t)~TOW_UNMADE;
  if (t->protocol->callbacks->connection_made && !(t->state & TOW_DONE)) {
    tow_enter(loop);
    tow_left(loop, t, "connection_made", t->protocol->callbacks->connection_made(t->protocol, t));
  }
  if (t->state & TOW_LOST)
    tow_lose(t);
  else
    tow_update_reading(t);
  if (t->also) t->also(t, TOW_WHEN_MADE);
}

tow_transport *tow_new_transport(tow_loop *loop, tow_family family, size_t size, const tow_connection_host *table,
                                 void *connection, unsigned abilities) {
  tow_transport *t = loop->closing ? NULL : tow_loop_alloc(loop, size);
  if (!t) return NULL;
  memset(t, 0, size);
  t->loop = loop;
  t->table = table;
  t->connection = connection;
  t->ready.run = run_made;
  t->open.run = run_abort;
  tow_list_init(&t->ready);
  t->state = TOW_UNMADE;
  t->abilities = (uint8_t)abilities;
  t->family = (unsigned)family & 15u;
  t->references = 1;
  t->high = TOW_HIGH_DEFAULT;
  t->low = TOW_HIGH_DEFAULT / 4;
  return t;
}

int tow_start(tow_transport *t, const tow_layering *layers, const tow_factory *factory) {
  const tow_layering *first = t->table->layers ? t->table->layers : layers;
  tow_loop *loop = t->loop;
  int error = TOW_ENOMEM;
  if (first)
    error = first->start(first, t, layers, factory);
  else if ((t->protocol = factory->create(loop, factory->context)))
    error = tow_suits(t, t->protocol) ? 0 : TOW_EINVAL;
  if (error < 0) {
    tow_loop_free(loop, t);
    return error;
  }
  tow_list_add(&loop->transports, &t->open);
  loop->references++;
  tow_schedule(loop, &t->ready);
  return 0;
}

tow_transport *tow_host_open(tow_loop *loop, tow_factory factory, const tow_layering *layers,
                             const tow_connection_host *table, void *connection, unsigned abilities) {
  tow_transport *t = tow_new_transport(loop, TOW_STREAMS, sizeof *t, table, connection, abilities);
  return t && tow_start(t, layers, &factory) == 0 ? t : NULL;
}

/* ---- Losing ---- */

static void call_lost(tow_transport *t) {
  tow_protocol *protocol = t->protocol;
  if (t->state & TOW_DONE) return;
  t->state |= TOW_DONE;
  if (!(t->state & TOW_LAYERED)) t->protocol = NULL; /* it may free itself now */
  t->loan.base = NULL;
  if (protocol->callbacks->connection_lost) {
    tow_enter(t->loop);
    tow_left(t->loop, t, "connection_lost",
             protocol->callbacks->connection_lost(protocol, t->error.code ? &t->error : NULL));
  }
  if (t->also) t->also(t, TOW_WHEN_LOST);
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
  if (t->state & TOW_LAYERED) call_lost(t);       /* its upper transport is what defers */
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
    t->loop->cork->end = 0;
  }
}

void tow_fail(tow_transport *t, int code, int native, const char *message) {
  if (t->state & TOW_LOST) return;
  const char *text = tow_error_text(code);
  if (!text) text = tow_error_text(code = TOW_EUNKNOWN);
  const char *copy = message != text ? tow_copy_text(t->loop, message) : NULL;
  t->error = (tow_error){code, native, copy ? copy : text};
  drop(t);
  tow_lose(t);
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
  if (t->family == TOW_PROCESSES)
    t->also(t, TOW_WHEN_CLOSED);
  else if (t->size == 0)
    tow_lose(t);
}

void tow_transport_abort(tow_transport *t) {
  if (t->state & TOW_LOST) return;
  if (t->family == TOW_PROCESSES) { /* it is never lost before it has ended [X4] */
    tow_transport_close(t);
    return;
  }
  t->state |= TOW_ABORTED;
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
  t->references--;
  if (t->references > 0) return;
  tow_loop *loop = t->loop;
  if (t->also) t->also(t, TOW_WHEN_FREED);
  if (t->error.message != tow_error_text(t->error.code)) tow_loop_free(loop, (void *)(uintptr_t)t->error.message);
  tow_loop_free(loop, t);
  tow_unref_loop(loop);
}

void tow_host_closed(tow_transport *t) {
  t->state |= TOW_CLOSED;
  tow_list_remove(&t->open);
  tow_queue_free(t);
  tow_loop_free(t->loop, t->slab);
  t->slab = NULL;
  if (t->state & TOW_LAYERED) tow_layer_on(t)->facts->closed(t);
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
