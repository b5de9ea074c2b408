/* Write flow control: two marks on the size of the queue [F].
 *
 * TOW_WRITE_PAUSED flips before the callback runs, so a write inside pause_writing does not enter it again, and one
 * inside resume_writing may pause anew [F4]. */
#include "core.h"

static void call(tow_transport *t, const char *name, int (*callback)(tow_protocol *)) {
  if (!callback) return;
  tow_enter(t->loop);
  tow_left(t->loop, t, name, callback(t->protocol));
}

void tow_call_pause_writing(tow_transport *t) {
  call(t, "pause_writing", t->protocol->callbacks->pause_writing);
}

void tow_call_resume_writing(tow_transport *t) {
  call(t, "resume_writing", t->protocol->callbacks->resume_writing);
}

void tow_maybe_pause_writing(tow_transport *t) {
  if (t->size <= t->high || (t->state & TOW_WRITE_PAUSED)) return;
  t->state |= TOW_WRITE_PAUSED;
  tow_call_pause_writing(t);
}

void tow_maybe_resume_writing(tow_transport *t) {
  if (t->size > t->low || !(t->state & TOW_WRITE_PAUSED)) return;
  t->state &= (uint16_t)~TOW_WRITE_PAUSED;
  tow_call_resume_writing(t);
}

int tow_limits(ptrdiff_t high, ptrdiff_t low, size_t *high_mark, size_t *low_mark) {
  if (low != TOW_UNSET && low < 0) return TOW_EINVAL;
  if (high == TOW_UNSET) {
    if (low > PTRDIFF_MAX / 4) return TOW_EINVAL;
    high = low == TOW_UNSET ? TOW_HIGH_DEFAULT : 4 * low;
  }
  if (low == TOW_UNSET) low = high / 4;
  if (high < low || high < 0) return TOW_EINVAL;
  *high_mark = (size_t)high;
  *low_mark = (size_t)low;
  return 0;
}

int tow_transport_set_write_buffer_limits(tow_transport *t, ptrdiff_t high, ptrdiff_t low) {
  int error = tow_limits(high, low, &t->high, &t->low);
  if (error == 0 && t->protocol) tow_maybe_pause_writing(t);
  return error;
}

void tow_transport_get_write_buffer_limits(const tow_transport *t, size_t *low, size_t *high) {
  *low = t->low;
  *high = t->high;
}

size_t tow_transport_get_write_buffer_size(const tow_transport *t) {
  return t->size;
}

size_t tow_host_step(const tow_transport *t) {
  while (t->state & TOW_LAYERED)
    t = tow_layer_on(t)->upper;
  size_t step = (t->high - t->low) / 4;
  return step < 1 ? 1 : step > TOW_STEP_MAX ? TOW_STEP_MAX : step;
}
