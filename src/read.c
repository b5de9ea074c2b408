/* Loans, delivery, end of stream [R, B, E3].
 *
 * The host asks for memory, fills it, says how much. A buffered protocol lends its own memory (`lender`); for a plain
 * one it is the loop's slab, or the transport's if the host keeps loans while idle. A loan begins when the buffer is
 * handed to the host and ends when bytes are reported, at end of stream, when the connection is lost, or when the
 * protocol takes it back; an answer of get_buffer that never reached the host (the protocol paused, closed or was
 * replaced meanwhile) is no loan.
 *
 * After every callback the world may have changed: tow_may_read is asked again at each step [R2, B3]. */
#include "core.h"

void tow_update_reading(tow_transport *t) {
  bool on = tow_may_read(t);
  if (on == ((t->state & TOW_HOST_READS) != 0)) return;
  t->state ^= TOW_HOST_READS;
  if (t->table->set_reading) t->table->set_reading(t->connection, on);
}

bool tow_transport_is_reading(const tow_transport *t) {
  return !(t->state & (TOW_CLOSING | TOW_READ_PAUSED | TOW_READ_ENDED));
}

void tow_transport_pause_reading(tow_transport *t) {
  if (!tow_transport_is_reading(t)) return;
  t->state |= TOW_READ_PAUSED;
  tow_update_reading(t);
}

void tow_transport_resume_reading(tow_transport *t) {
  if (!(t->state & TOW_READ_PAUSED) || (t->state & TOW_CLOSING)) return;
  t->state &= (uint16_t)~TOW_READ_PAUSED;
  tow_update_reading(t);
}

/* ---- The callbacks ---- */

static const tow_stream_callbacks *stream(const tow_protocol *p) {
  return (const tow_stream_callbacks *)p->callbacks;
}
static const tow_buffered_callbacks *buffered(const tow_protocol *p) {
  return (const tow_buffered_callbacks *)p->callbacks;
}

/* These callbacks are those whose failure is fatal [L6]. */
static void left(tow_transport *t, const char *name, int result) {
  if (result < 0) tow_fatal(t, name, TOW_ECALLBACK, result);
  tow_leave(t->loop);
}

static inline void call_data_received(tow_transport *t, const void *data, size_t size) {
  if (!stream(t->protocol)->data_received) return;
  tow_enter(t->loop);
  left(t, "data_received", stream(t->protocol)->data_received(t->protocol, data, size));
}

static inline void call_buffer_updated(tow_transport *t, size_t size) {
  if (!buffered(t->protocol)->buffer_updated) return;
  tow_enter(t->loop);
  left(t, "buffer_updated", buffered(t->protocol)->buffer_updated(t->protocol, size));
}

/* Asks for a buffer, into t->loan. False: nothing may be read now, or another protocol is to be asked [P1]. */
static bool call_get_buffer(tow_transport *t, tow_protocol *p, ptrdiff_t sizehint) {
  int result = 0;
  tow_enter(t->loop);
  if (buffered(p)->get_buffer) result = buffered(p)->get_buffer(p, sizehint, &t->loan);
  if (result < 0)
    tow_fatal(t, "get_buffer", TOW_ECALLBACK, result);
  else if ((!t->loan.base || t->loan.size == 0) && t->protocol == p)
    tow_fatal(t, "get_buffer", TOW_EBUFFER, 0); /* [B2] */
  tow_leave(t->loop);
  return t->protocol == p && tow_may_read(t);
}

/* ---- Lending ---- */

const tow_buffer *tow_lend_slab(tow_transport *t) {
  bool own = t->abilities & TOW_HOLDS_LOANS;
  void **slab = own ? &t->slab : &t->loop->slab;
  t->loan.size = own ? TOW_OWN_SLAB_SIZE : TOW_SLAB_SIZE;
  if (!*slab) *slab = tow_loop_alloc(t->loop, t->loan.size);
  t->loan.base = *slab;
  if (*slab) return &t->loan;
  tow_fail(t, TOW_ENOMEM, 0, NULL);
  return NULL;
}

static TOW_APART const tow_buffer *lend_protocols(tow_transport *t, tow_protocol *p, ptrdiff_t sizehint) {
  t->loan.size = 0;
  if (call_get_buffer(t, p, sizehint)) {
    t->lender = p;
    return &t->loan;
  }
  t->loan.base = NULL;
  return tow_host_lend(t, sizehint); /* another protocol is to be asked, or nothing may be read */
}

const tow_buffer *tow_host_lend(tow_transport *t, ptrdiff_t sizehint) {
  if (!tow_may_read(t)) return NULL;
  if (t->loan.base) return &t->loan;
  t->lender = NULL; /* until it is handed over, it is no loan that could be taken back */
  tow_protocol *p = t->protocol;
  if (p->callbacks->kind == TOW_BUFFERED) return lend_protocols(t, p, sizehint);
  if (p->callbacks->kind == TOW_LAYER) return tow_layer_on(t)->facts->lend(t, sizehint);
  return tow_lend_slab(t);
}

int tow_transport_revoke_buffer(tow_transport *t) {
  if (!t->loan.base || !t->lender) return 0;
  if (t->table->revoke ? t->table->revoke(t->connection) < 0 : (t->abilities & TOW_HOLDS_LOANS) != 0)
    return TOW_ENOTSUP;
  t->loan = (tow_buffer){NULL, 0};
  return 0;
}

/* ---- Facts ---- */

/* Lent by a protocol that was replaced since: copied to the new one. A layer is told where they are. */
static TOW_APART size_t pass_on(tow_transport *t, tow_buffer loan, size_t size) {
  size_t taken = tow_host_feed(t, loan.base, size);
  if (taken < size) {
    t->loan = (tow_buffer){(unsigned char *)loan.base + taken, loan.size - taken};
    t->lender = NULL;
  }
  return taken;
}

/* None were, or more than were asked for [B4], or nothing may be delivered. */
static TOW_APART size_t not_received(tow_transport *t, size_t size) {
  if (!tow_may_read(t)) return t->state & TOW_CLOSING ? size : 0;
  if (size > 0) tow_fail(t, TOW_EINVAL, 0, "more bytes than the buffer holds");
  return size;
}

size_t tow_host_received(tow_transport *t, size_t size) {
  tow_buffer loan = t->loan;
  if (!tow_may_read(t) || !loan.base || size - 1 >= loan.size) return not_received(t, size);
  t->loan.base = NULL;
  if (t->protocol->callbacks->kind == TOW_STREAM && size <= TOW_READ_MAX)
    call_data_received(t, loan.base, size);
  else if (t->lender == t->protocol)
    call_buffer_updated(t, size);
  else
    return pass_on(t, loan, size);
  return size;
}

size_t tow_host_feed(tow_transport *t, const void *data, size_t size) {
  const unsigned char *next = data;
  size_t left = size;
  if (t->state & TOW_LAYERED) return tow_layer_on(t)->facts->feed(t, data, size);
  while (left > 0 && tow_may_read(t)) {
    size_t part = left;
    if (t->protocol->callbacks->kind == TOW_STREAM) {
      if (part > TOW_READ_MAX) part = TOW_READ_MAX;
      call_data_received(t, next, part);
    } else {
      const tow_buffer *buffer = tow_host_lend(t, (ptrdiff_t)left);
      if (!buffer) break;
      if (part > buffer->size) part = buffer->size;
      memmove(buffer->base, next, part); /* a slab, if a plain protocol has come: the bytes may be in it */
      tow_host_received(t, part);
    }
    next += part;
    left -= part;
  }
  return t->state & TOW_CLOSING ? size : size - left;
}

void tow_host_eof(tow_transport *t) {
  if (!(t->abilities & TOW_CAN_READ)) { /* a write-only pipe's reader has gone [E7] */
    if (t->size > 0)
      tow_fail(t, TOW_EPIPE, 0, NULL);
    else
      tow_transport_close(t);
    return;
  }
  if (!tow_may_read(t)) return;
  t->state |= TOW_READ_ENDED;
  t->loan = (tow_buffer){NULL, 0};
  tow_update_reading(t);
  int keep_open = 0;
  tow_enter(t->loop);
  if (stream(t->protocol)->eof_received) keep_open = stream(t->protocol)->eof_received(t->protocol);
  if (keep_open == 0 || (keep_open > 0 && !(t->abilities & TOW_CAN_STAY_HALF_OPEN))) tow_transport_close(t);
  left(t, "eof_received", keep_open);
}
