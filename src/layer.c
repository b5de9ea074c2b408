/* A transport on a transport: what layers have in common (towline/layer.h).
 *
 * A layer and its upper transport are made together with the lower one. They end together, too: the layer is freed when
 * the lower transport's host has let go, which may still have been sending from the upper queue, and the upper
 * transport was closed; whichever comes last. */
#include "core.h"

/* ---- The end ---- */

static void free_layer(tow_layer *l) {
  tow_loop_free(l->loop, l->unread);
  tow_list_remove(&l->ready);
  tow_layer_calls(l)->free(l);
}

static void finish(tow_layer *l) {
  tow_transport *upper = l->upper;
  free_layer(l);
  tow_host_closed(upper);
}

static void lower_closed(tow_transport *t) {
  tow_layer *l = tow_layer_on(t);
  t->state &= (uint16_t)~TOW_LAYERED;
  t->protocol = NULL;
  l->lower = NULL;
  if (l->done) finish(l);
}

static void end(tow_layer *l, void (*act)(tow_transport *)) {
  l->done = true;
  if (l->lower)
    act(l->lower);
  else
    finish(l);
}

void tow_layer_close(tow_layer *l) {
  end(l, tow_transport_close);
}

void tow_layer_abort(tow_layer *l) {
  end(l, tow_transport_abort);
}

void tow_layer_fail(tow_layer *l, const tow_error *error) {
  if (l->lower) tow_host_failed(l->lower, error);
  tow_layer_abort(l);
}

int tow_layer_resume_writing(tow_protocol *self) {
  tow_maybe_resume_writing(((tow_layer *)self)->upper);
  return 0;
}

void tow_layer_end(tow_layer *l, const tow_error *error) {
  const tow_error broken = {TOW_EPIPE, 0, NULL};
  if (!error && l->upper->size > 0) error = &broken;
  if (error)
    tow_host_failed(l->upper, error);
  else
    tow_transport_abort(l->upper);
}

bool tow_layer_is_aborted(const tow_layer *l) {
  return l->upper->state & TOW_ABORTED;
}

/* ---- What the lower host tells ---- */

/* Into the memory that the layer would have filled; if it does not mind, the slab. */
static const tow_buffer *lend(tow_transport *t, ptrdiff_t sizehint) {
  tow_layer *l = tow_layer_on(t);
  tow_enter(t->loop);
  bool holds = t->abilities & TOW_HOLDS_LOANS;
  bool lent = !holds && tow_layer_calls(l)->lend && tow_layer_calls(l)->lend(l, sizehint, &t->loan);
  tow_leave(t->loop);
  if (!tow_may_read(t)) return t->loan.base = NULL;
  if (!lent) return tow_lend_slab(t);
  t->lender = l->upper->protocol;
  return &t->loan;
}

static size_t feed(tow_transport *t, const void *data, size_t size) {
  tow_layer *l = tow_layer_on(t);
  size_t done = 0, part = 0, taken = 0;
  while (done < size && taken == part) {
    part = size - done < TOW_READ_MAX ? size - done : TOW_READ_MAX;
    tow_enter(t->loop);
    taken = tow_may_read(t) ? tow_layer_calls(l)->received(l, (const unsigned char *)data + done, part) : 0;
    tow_leave(t->loop);
    done += taken;
  }
  return t->state & TOW_CLOSING ? size : done;
}

/* What the lower transport has queued itself was written before there was a layer, and has left. */
static size_t peek(tow_transport *t, tow_iovec *lines, size_t count, size_t limit) {
  if (count == 0 || limit == 0 || (t->state & TOW_LOST)) return 0;
  return tow_layer_calls(tow_layer_on(t))->peek(tow_layer_on(t), lines, count, limit);
}

static void sent(tow_transport *t, size_t size) {
  tow_layer_calls(tow_layer_on(t))->sent(tow_layer_on(t), size);
}

static const struct tow_layer_facts facts = {lend, feed, peek, sent, lower_closed};

/* ---- The lower transport ---- */

size_t tow_layer_offer(tow_layer *l, const tow_iovec *lines, size_t count) {
  tow_transport *t = l->lower;
  if (!t || t->size > 0 || (t->state & TOW_CLOSING)) return 0;
  return t->table->write(t->connection, lines, count);
}

void tow_layer_flush(tow_layer *l) {
  tow_transport *t = l->lower;
  if (t && !(t->state & TOW_CLOSING) && t->table->flush) t->table->flush(t->connection);
}

size_t tow_layer_deliver(tow_layer *l, const void *data, size_t size) {
  if (l->upper->loan.base && l->upper->loan.base == data) return tow_host_received(l->upper, size);
  return tow_host_feed(l->upper, data, size);
}

int tow_layer_revoke(tow_layer *l) {
  return l->lower ? tow_transport_revoke_buffer(l->lower) : 0;
}

int tow_layer_extra_info(const tow_layer *l, const char *name, char *value, size_t capacity) {
  return l->lower ? tow_transport_get_extra_info(l->lower, name, value, capacity) : TOW_ENOENT;
}

tow_layer *tow_layer_below(const tow_transport *upper, const tow_layer_callbacks *callbacks) {
  return upper->table == &callbacks->upper && !(upper->state & TOW_CLOSED) ? upper->connection : NULL;
}

unsigned tow_transport_abilities(const tow_transport *t) {
  return t->abilities;
}

/* Bytes that the protocol had been given before there was a layer come first, in a turn of their own; the host waits.
 */
static void run_unread(tow_loop *loop, tow_node *node) {
  tow_layer *l = TOW_OWNER(node, tow_layer, ready);
  if (!l->reading || !l->lower) return;
  if (l->unread) {
    size_t left = l->unread_size - l->unread_start;
    tow_enter(loop);
    l->unread_start += tow_layer_calls(l)->received(l, l->unread + l->unread_start, left);
    tow_leave(loop);
    if (l->unread_start < l->unread_size) return;
    tow_loop_free(loop, l->unread);
    l->unread = NULL;
  }
  if (l->reading && l->lower) tow_transport_resume_reading(l->lower);
}

void tow_layer_set_reading(tow_layer *l, bool on) {
  l->reading = on;
  if (!l->lower) return;
  if (!on)
    tow_transport_pause_reading(l->lower);
  else if (!l->unread)
    tow_transport_resume_reading(l->lower);
  else if (tow_list_is_empty(&l->ready))
    tow_schedule(l->loop, &l->ready);
}

/* ---- The beginning ---- */

/* A layer and its upper transport, with the lower one's limits. */
static tow_layer *new_layer(const tow_layering *layering, tow_transport *lower) {
  tow_layer *l = layering->create(layering, lower);
  if (!l) return NULL;
  l->loop = lower->loop;
  l->lower = lower;
  l->facts = &facts;
  l->ready.run = run_unread;
  tow_list_init(&l->ready);
  l->unread = NULL;
  l->reading = l->done = false;
  l->upper =
      tow_new_transport(l->loop, TOW_STREAMS, sizeof(tow_transport), &tow_layer_calls(l)->upper, l, l->abilities);
  if (!l->upper) {
    free_layer(l);
    return NULL;
  }
  l->upper->high = lower->high;
  l->upper->low = lower->low;
  return l;
}

static void put_on(tow_layer *l, tow_transport *lower) {
  lower->protocol = &l->protocol;
  lower->family = TOW_LAYERS; /* no user's protocol suits it */
  lower->state |= TOW_LAYERED | TOW_READ_PAUSED;
  lower->abilities |=
      TOW_CAN_STAY_HALF_OPEN; /* the upper one says whether it can: the core closes that one, not this */
}

/* The first of `layers`, or what the host puts under them. */
int tow_layering_start(const tow_layering *self, tow_transport *lower, const tow_layering *layers,
                       const tow_factory *factory) {
  tow_layer *l = new_layer(self, lower);
  if (!l) return TOW_ENOMEM;
  int error = tow_start(l->upper, self == layers ? self->above : layers, factory);
  if (error < 0)
    free_layer(l);
  else
    put_on(l, lower);
  return error;
}

/* The next turn after tow_transport_start_layer. */
static void run_started(tow_loop *loop, tow_node *node) {
  tow_layer *l = TOW_OWNER(node, tow_layer, ready);
  l->ready.run = run_unread;
  if (l->lower && !(l->lower->state & TOW_DONE) && tow_layer_calls(l)->base.connection_made) {
    tow_enter(loop);
    tow_layer_calls(l)->base.connection_made(&l->protocol, l->lower);
    tow_leave(loop);
  }
  tow_update_reading(l->upper);
}

static tow_transport *start_one(tow_transport *t, const tow_layering *layering, const void *unread, size_t size) {
  tow_layer *l = new_layer(layering, t);
  if (!l) return NULL;
  tow_transport *upper = l->upper;
  if (size > 0 && !(l->unread = tow_loop_alloc(t->loop, size))) {
    tow_loop_free(t->loop, upper);
    free_layer(l);
    return NULL;
  }
  if (size > 0) memcpy(l->unread, unread, size);
  l->unread_start = 0;
  l->unread_size = size;
  upper->protocol = t->protocol;
  upper->state = t->state & (TOW_READ_PAUSED | TOW_WRITE_PAUSED);
  upper->server = t->server;
  t->server = NULL;
  tow_transport_revoke_buffer(t); /* as set_protocol does */
  put_on(l, t);
  tow_update_reading(t);
  t->loop->references++;
  tow_list_add(&t->loop->transports, &upper->open);
  l->ready.run = run_started;
  tow_schedule(t->loop, &l->ready);
  return upper;
}

tow_transport *tow_transport_start_layer(tow_transport *t, const tow_layering *layering, const void *unread,
                                         size_t size) {
  const uint16_t unfit = TOW_CLOSING | TOW_READ_ENDED | TOW_WRITE_ENDED;
  if (t->loop->corked == t) tow_cork_flush(t->loop); /* what was written goes out before the layer */
  if (t->family != TOW_STREAMS || (t->state & (unfit | TOW_UNMADE))) return NULL;
  return start_one(t, layering, unread, size);
}
