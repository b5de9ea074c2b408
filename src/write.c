/* Writing, draining, half-close [W, E1, E2].
 *
 * A write is offered to the host at once if nothing is queued before it; what the host does not take is queued, and the
 * host pulls it when it can. Where the host wants it so, small writes made inside a callback are held back in the
 * loop's cork and offered as one when the outermost callback returns [W7]. They count as taken. The cork holds bytes of
 * one transport at a time: a write to another one, a write too large for it, close and write_eof empty it first. A
 * first write that is no small one may well be the only one, and is not copied: it leaves at once, those behind it are
 * held. */
#include "core.h"

static TOW_APART void queue_rest(tow_transport *t, const tow_iovec *lines, size_t count, size_t taken, size_t size) {
  if (t->state & TOW_LOST) return;
  bool first = t->size == 0;
  if (!tow_queue_put(t, lines, count, taken, size - taken)) {
    tow_fail(t, TOW_ENOMEM, 0, NULL);
    return;
  }
  if (first && t->table->flush) t->table->flush(t->connection);
  tow_maybe_pause_writing(t);
}

/* Offers bytes to the host and queues the rest. The connection may be lost over it. */
static void offer(tow_transport *t, const tow_iovec *lines, size_t count, size_t size) {
  size_t taken = t->size == 0 ? t->table->write(t->connection, lines, count) : 0;
  if (taken < size) queue_rest(t, lines, count, taken, size);
}

void tow_cork_flush(tow_loop *loop) {
  tow_transport *t = loop->corked;
  size_t size = loop->cork->end;
  loop->corked = NULL;
  if (size == 0) return;
  loop->cork->end = 0;
  offer(t, &(tow_iovec){loop->cork->data, size}, 1, size);
}

static tow_chunk *get_cork(tow_loop *loop) {
  if (!loop->cork && (loop->cork = tow_loop_alloc(loop, sizeof(tow_chunk) + TOW_CORK_SIZE)))
    *loop->cork = (tow_chunk){.capacity = TOW_CORK_SIZE};
  return loop->cork;
}

/* Holds the bytes back, if they may be and there is room. */
static bool cork(tow_transport *t, const tow_iovec *lines, size_t count, size_t size) {
  tow_loop *loop = t->loop;
  if (loop->depth == 0 || !(t->abilities & TOW_WANTS_CORK)) return false;
  if (loop->corked && (loop->corked != t || size > TOW_CORK_SIZE - loop->cork->end)) tow_cork_flush(loop);
  if (t->size > 0 || (t->state & TOW_LOST) || !get_cork(loop)) return false;
  size_t most = loop->corked ? TOW_CORK_SIZE : TOW_SMALL_WRITE;
  loop->corked = t;
  if (size > most) return false;
  tow_chunk_fill(loop->cork, &(tow_cursor){lines, count, 0});
  return true;
}

int tow_drop_write(tow_transport *t) {
  if (!(t->state & TOW_LOST)) return 0;
  if (t->lost_writes < TOW_LOST_WRITES) t->lost_writes++;
  if (t->lost_writes == TOW_LOST_WRITES) tow_host_warn(t->loop, "write() on a lost connection");
  return 0;
}

static int put(tow_transport *t, const tow_iovec *lines, size_t count, size_t size) {
  if (t->state & TOW_WRITE_ENDED) return TOW_ESHUTDOWN;
  if (!(t->abilities & TOW_CAN_WRITE)) return TOW_ENOTSUP;
  if (size > PTRDIFF_MAX) return TOW_EINVAL;
  if (size == 0) return 0;
  if (t->state & TOW_CLOSING) return tow_drop_write(t);
  if (cork(t, lines, count, size)) return 0;
  /* Emptying the cork may have called pause_writing, or failed. */
  if (t->state & TOW_WRITE_ENDED) return TOW_ESHUTDOWN;
  if (!(t->state & TOW_CLOSING)) offer(t, lines, count, size);
  return t->error.code == TOW_ENOMEM ? TOW_ENOMEM : 0;
}

int tow_transport_write(tow_transport *t, const void *data, size_t size) {
  return put(t, &(tow_iovec){data, size}, 1, size);
}

int tow_transport_writelines(tow_transport *t, const tow_iovec *lines, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; i++)
    size = lines[i].size > SIZE_MAX - size ? SIZE_MAX : size + lines[i].size;
  return put(t, lines, count, size);
}

/* ---- Half-close ---- */

bool tow_transport_can_write_eof(const tow_transport *t) {
  return t->abilities & TOW_CAN_WRITE_EOF;
}

int tow_transport_write_eof(tow_transport *t) {
  if (!tow_transport_can_write_eof(t)) return TOW_ENOTSUP;
  if (t->state & (TOW_CLOSING | TOW_WRITE_ENDED)) return 0;
  if (!(t->abilities & TOW_CAN_READ)) {
    tow_transport_close(t);
    return 0;
  }
  if (t->loop->corked == t) {
    tow_cork_flush(t->loop);
    if (t->state & TOW_CLOSING) return 0;
  }
  t->state |= TOW_WRITE_ENDED;
  if (t->size == 0) t->table->shutdown(t->connection);
  return 0;
}

/* ---- Draining ---- */

void tow_host_sent(tow_transport *t, size_t size) {
  if (t->state & TOW_LOST) return;
  if (t->size == 0) {
    if (t->state & TOW_LAYERED) tow_layer_on(t)->facts->sent(t, size);
    return;
  }
  if (size > t->size) size = t->size;
  bool ended = t->state & TOW_WRITE_ENDED;
  tow_queue_take(t, size);
  tow_maybe_resume_writing(t); /* which may write, close, abort, or end the stream itself */
  if (t->size > 0 || (t->state & TOW_LOST)) return;
  if (t->state & TOW_CLOSING)
    tow_lose_now(t);
  else if (ended)
    t->table->shutdown(t->connection);
}
