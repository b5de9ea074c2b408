/* Datagrams [D]: sendto, datagram_received, error_received.
 *
 * One datagram is offered to the host at a time; one that would block waits in the queue, with those after it. An error
 * is told to error_received and never ends the endpoint. What the host finds inside its sendto is kept until that has
 * returned: of a datagram from the queue it is told then, as asyncio does; of one that the protocol is just sending, by
 * the loop [L3], in a node of its own. connection_lost is scheduled after it, so it never comes first [D3]. */
#include "core.h"

typedef struct endpoint {
  tow_transport base;
  tow_peer peer;           /* the one connected to; size 0: none */
  struct failure *failure; /* what the host's sendto has just come to; NULL: nothing to tell */
} endpoint;

static const tow_datagram_callbacks *callbacks_of(const tow_transport *t) {
  return (const tow_datagram_callbacks *)t->protocol->callbacks;
}

static const tow_peer nobody = {0};

bool tow_peer_equal(const tow_peer *a, const tow_peer *b) {
  return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* ---- Opening ---- */

static tow_transport *new_endpoint(tow_loop *loop, const tow_connection_host *table, void *connection,
                                   const tow_peer *peer) {
  tow_transport *t = tow_new_transport(loop, TOW_DATAGRAMS, sizeof(endpoint), table, connection, TOW_CAN_READ);
  if (t && peer) ((endpoint *)t)->peer = *peer;
  return t;
}

tow_transport *tow_host_open_endpoint(tow_loop *loop, tow_factory factory, const tow_connection_host *table,
                                      void *connection, const tow_peer *peer) {
  tow_transport *t = new_endpoint(loop, table, connection, peer);
  return t && tow_start(t, NULL, &factory) == 0 ? t : NULL;
}

tow_transport *tow_host_opened_endpoint(tow_request *r, const tow_connection_host *table, void *connection,
                                        const tow_peer *peer) {
  return r->settled ? NULL : tow_open_for(r, new_endpoint(r->loop, table, connection, peer));
}

tow_request *tow_loop_bind(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                           tow_connected done, void *context) {
  tow_request *r = tow_new_request(loop, factory, done, context);
  return r ? tow_ask(r, loop->table->bind, address, options) : NULL;
}

/* ---- Errors ---- */

static void call_error_received(tow_transport *t, const tow_error *error, const tow_peer *peer) {
  if ((t->state & TOW_DONE) || !callbacks_of(t)->error_received) return;
  tow_enter(t->loop);
  tow_left(t->loop, t, "error_received", callbacks_of(t)->error_received(t->protocol, error, peer->size ? peer : NULL));
}

typedef struct failure {
  tow_node node;
  tow_transport *transport;
  tow_error error;
  tow_peer peer;
  char message[];
} failure;

static void run_failure(tow_loop *loop, tow_node *node) {
  failure *f = TOW_OWNER(node, failure, node);
  tow_transport *t = f->transport;
  call_error_received(t, &f->error, &f->peer);
  tow_loop_free(loop, f);
  tow_transport_unref(t);
}

static void keep_failure(tow_transport *t, const tow_error *error, const tow_peer *peer) {
  endpoint *e = (endpoint *)t;
  size_t length = strlen(error->message) + 1;
  failure *f = e->failure ? NULL : tow_loop_alloc(t->loop, sizeof *f + length);
  if (!f) {
    tow_host_warn(t->loop, "out of memory: an error of a datagram was not told");
    return;
  }
  *f = (failure){{NULL, NULL, run_failure}, tow_transport_ref(t), *error, *peer};
  f->error.message = memcpy(f->message, error->message, length);
  e->failure = f;
}

static failure *take_failure(tow_transport *t) {
  endpoint *e = (endpoint *)t;
  failure *f = e->failure;
  e->failure = NULL;
  return f;
}

void tow_host_datagram_failed(tow_transport *t, const tow_error *error, const tow_peer *peer) {
  if (t->state & TOW_LOST) return;
  t->state |= TOW_SEND_FAILED;
  tow_error named = *error;
  if (!tow_error_text(named.code)) named.code = TOW_EUNKNOWN;
  if (!named.message) named.message = tow_error_text(named.code);
  if (t->state & TOW_SENDING)
    keep_failure(t, &named, peer ? peer : &nobody);
  else
    call_error_received(t, &named, peer ? peer : &nobody);
}

/* ---- Peers that come and go ---- */

void tow_host_peer_joined(tow_transport *t, const tow_peer *peer) {
  if ((t->state & TOW_DONE) || !callbacks_of(t)->peer_joined) return;
  tow_enter(t->loop);
  tow_left(t->loop, t, "peer_joined", callbacks_of(t)->peer_joined(t->protocol, peer));
}

/* ---- Sending ---- */

int tow_transport_sendto(tow_transport *t, const void *data, size_t size, const tow_peer *peer) {
  if (t->family != TOW_DATAGRAMS) return TOW_ENOTSUP;
  const tow_peer *connected = &((const endpoint *)t)->peer;
  if (peer && peer->size == 0) peer = NULL;
  if (connected->size ? peer && !tow_peer_equal(peer, connected) : !peer) return TOW_EINVAL;
  if (t->state & TOW_CLOSING) return tow_drop_write(t);
  const tow_peer *to = connected->size ? &nobody : peer;
  bool first = t->size == 0;
  if (first) {
    t->state |= TOW_SENDING;
    bool done = t->table->sendto(t->connection, data, size, to);
    t->state &= (uint16_t) ~(TOW_SENDING | TOW_SEND_FAILED);
    failure *f = take_failure(t);
    if (f) tow_schedule(t->loop, &f->node);
    if (done) return 0;
  }
  if (!tow_queue_put_datagram(t, data, size, to)) {
    tow_fail(t, TOW_ENOMEM, 0, NULL);
    return TOW_ENOMEM;
  }
  if (first && t->table->flush) t->table->flush(t->connection);
  tow_maybe_pause_writing(t);
  return 0;
}

bool tow_host_drain(tow_transport *t) {
  while (t->size > 0 && !(t->state & TOW_LOST)) {
    const tow_chunk *chunk = t->head;
    tow_peer peer;
    memcpy(&peer, chunk->data, sizeof peer);
    t->state &= (uint16_t)~TOW_SEND_FAILED;
    t->state |= TOW_SENDING;
    bool done = t->table->sendto(t->connection, chunk->data + chunk->start, chunk->end - chunk->start, &peer);
    t->state &= (uint16_t)~TOW_SENDING;
    bool failed = t->state & TOW_SEND_FAILED;
    failure *f = take_failure(t);
    if (done && !(t->state & TOW_LOST)) tow_queue_take_datagram(t);
    if (f) run_failure(t->loop, &f->node);
    if (t->state & TOW_LOST) return false;
    if (!done) break;
    if (failed) return true; /* as asyncio, which goes on in its next turn */
  }
  if (t->state & TOW_LOST) return false;
  tow_maybe_resume_writing(t);
  if (t->size == 0 && (t->state & (TOW_CLOSING | TOW_LOST)) == TOW_CLOSING) tow_lose(t);
  return t->size > 0 && !(t->state & TOW_LOST);
}

/* ---- Receiving ---- */

bool tow_host_datagram(tow_transport *t, const void *data, size_t size, const tow_peer *peer) {
  if (!tow_may_read(t)) return t->state & TOW_CLOSING;
  t->loan = (tow_buffer){NULL, 0};
  if (!callbacks_of(t)->datagram_received) return true;
  tow_enter(t->loop);
  tow_left(t->loop, t, "datagram_received", callbacks_of(t)->datagram_received(t->protocol, data, size, peer));
  return true;
}

/* ---- Peers as text ---- */

int tow_transport_parse_peer(const tow_transport *t, const char *text, tow_peer *peer) {
  if ((t->state & TOW_CLOSED) || !t->table->parse_peer) return TOW_ENOTSUP;
  return t->table->parse_peer(t->connection, text, peer);
}

int tow_transport_format_peer(const tow_transport *t, const tow_peer *peer, char *text, size_t capacity) {
  if ((t->state & TOW_CLOSED) || !t->table->format_peer) return TOW_ENOTSUP;
  return t->table->format_peer(t->connection, peer, text, capacity);
}
