/* Receiving: what comes is taken apart, handed on, or held. */
#include "framing.h"

#include <string.h>

enum {
  DIRECT_MIN = 4096, /* from here on it pays to have the host write into the protocol's buffer */
  CREDIT_MAX = 0x7fffffff,
};

void tow_framing_fail(framing *f, int code, const char *message) {
  tow_host_failed(f->base.upper, &(tow_error){code, 0, message});
}

/* The peer has said what it may not. */
static void fail_wrong(framing *f, const char *message) {
  tow_framing_say_reset(f, WRONG, message);
  tow_framing_fail(f, TOW_EPROTO, message);
}

/* The protocol has taken it: the peer may send as much again. */
static void take(framing *f, size_t size) {
  f->taken += size;
}

/* Room for `size` bytes more behind those that are held. */
static bool make_room(framing *f, size_t size) {
  size_t kept = f->held_size - f->held_start, needed = kept + size;
  if (f->held && f->held_size + size <= f->held_capacity) return true;
  if (f->held && needed <= f->held_capacity) {
    memmove(f->held, f->held + f->held_start, kept);
  } else {
    size_t capacity = 2 * needed > f->window && needed <= f->window ? f->window : 2 * needed;
    unsigned char *grown = tow_loop_alloc(f->base.loop, capacity);
    if (!grown) return false;
    if (f->held) memcpy(grown, f->held + f->held_start, kept);
    tow_loop_free(f->base.loop, f->held);
    f->held = grown;
    f->held_capacity = capacity;
  }
  f->held_start = 0;
  f->held_size = kept;
  return true;
}

static bool hold(framing *f, const void *data, size_t size) {
  if (!make_room(f, size)) return false;
  memcpy(f->held + f->held_size, data, size);
  f->held_size += size;
  return true;
}

void tow_framing_let_go(framing *f) {
  tow_loop_free(f->base.loop, f->held);
  f->held = NULL;
  f->held_start = f->held_size = f->held_capacity = 0;
}

static bool end_is_due(const framing *f) {
  return f->end_heard && !f->end_told && !f->held && f->reading;
}

static void tell_end(framing *f) {
  f->end_told = true;
  tow_host_eof(f->base.upper);
}

/* What was held, then the end: in turns of their own. */
static int deliver(void *self) {
  framing *f = tow_framing_of(self);
  if (f->held && f->reading) {
    size_t size = f->held_size - f->held_start;
    size_t taken = tow_host_feed(f->base.upper, f->held + f->held_start, size);
    take(f, taken);
    f->held_start += taken;
    if (taken == size) tow_framing_let_go(f);
    tow_framing_say(f);
    if (end_is_due(f)) tow_loop_call_soon(f->base.loop, &f->deliver, deliver, f);
  } else if (end_is_due(f)) {
    tell_end(f);
  }
  return 0;
}

void tow_framing_set_reading(void *self, bool on) {
  framing *f = tow_framing_of(self);
  f->reading = on;
  if (on && (f->held || end_is_due(f))) tow_loop_call_soon(f->base.loop, &f->deliver, deliver, f);
}

static void data_received(framing *f, const void *data, size_t size) {
  size_t taken = 0;
  if (tow_transport_is_closing(f->base.upper)) return;
  if (!f->held && f->reading) taken = tow_layer_deliver(&f->base, data, size);
  take(f, taken);
  if (taken == size || hold(f, (const unsigned char *)data + taken, size - taken)) return;
  tow_framing_fail(f, TOW_ENOMEM, NULL);
}

static uint32_t number(const uint8_t *bytes, size_t size) {
  uint32_t value = 0;
  while (size-- > 0)
    value = value << 8 | *bytes++;
  return value;
}

/* How many bytes the beginning of a frame has; 0: there is no such frame. */
static size_t frame_size(const uint8_t *frame, size_t known) {
  uint8_t first = frame[0];
  if (first < 0xe0) return first < 0x80 ? 1 : first < 0xc0 ? 2 : 3;
  if (first == RESET) return known < 4 ? 4 : 4u + frame[3];
  return first == CREDIT ? 5 : first <= PONG ? 1 : 0;
}

static void data_announced(framing *f, size_t size, size_t least) {
  if (size < least)
    fail_wrong(f, "the peer sent a frame that is none");
  else if (f->end_heard)
    fail_wrong(f, "the peer sent data after its end of stream");
  else if (size > f->granted)
    fail_wrong(f, "the peer sent more than it was allowed to");
  else
    f->granted -= f->left = size;
}

static void reset_received(framing *f) {
  uint8_t *reason = f->frame + 4, size = f->frame[3];
  reason[size] = 0;
  for (size_t i = 0; i < size; i++)
    if (reason[i] < ' ' || reason[i] == 0x7f) reason[i] = '?';
  f->gone = true;
  tow_host_failed(f->base.upper, &(tow_error){TOW_ECONNRESET, (int)number(f->frame + 1, 2),
                                              size > 0 ? (const char *)reason : "the peer reset the connection"});
}

static void credit_received(framing *f) {
  uint32_t more = number(f->frame + 1, 4);
  if (more == 0 || more > CREDIT_MAX - f->credit) {
    fail_wrong(f, "the peer gave credit that is none");
    return;
  }
  bool waited = f->credit == 0;
  f->credit += more;
  if (waited) tow_layer_flush(&f->base);
}

static void end_received(framing *f) {
  if (f->end_heard) {
    fail_wrong(f, "the peer ended its stream twice");
    return;
  }
  f->end_heard = true;
  if (end_is_due(f)) tell_end(f);
}

static void frame_received(framing *f) {
  const uint8_t *frame = f->frame;
  uint8_t first = frame[0];
  f->frame_size = 0;
  if (first < 0x80)
    data_announced(f, first, 1);
  else if (first < 0xc0)
    data_announced(f, number(frame, 2) & 0x3fff, 128);
  else if (first < 0xe0)
    data_announced(f, number(frame, 3) & 0x1fffff, 16384);
  else if (first == RESET)
    reset_received(f);
  else if (first == CREDIT)
    credit_received(f);
  else if (first == END)
    end_received(f);
  else if (first == PING)
    f->pong_due = true;
}

/* One byte of the beginning of a frame. */
static void byte_received(framing *f, uint8_t byte) {
  f->frame[f->frame_size++] = byte;
  size_t size = frame_size(f->frame, f->frame_size);
  if (size == 0 || size > 4 + REASON_MAX)
    fail_wrong(f, "the peer sent a frame that is none");
  else if (size == f->frame_size)
    frame_received(f);
}

size_t tow_framing_received(tow_layer *self, const void *data, size_t size) {
  framing *f = tow_framing_of(self);
  const uint8_t *next = data, *end = next + size;
  f->heard = true;
  while (next < end && !f->gone) {
    if (f->left > 0) {
      size_t part = (size_t)(end - next) < f->left ? (size_t)(end - next) : f->left;
      f->left -= part;
      data_received(f, next, part);
      next += part;
    } else {
      byte_received(f, *next++);
    }
  }
  if (f->pong_due || tow_framing_credit_is_due(f)) tow_framing_say(f);
  return size;
}

/* Many bytes of one frame go straight into a buffered protocol's memory. */
bool tow_framing_lend(tow_layer *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  framing *f = tow_framing_of(self);
  tow_protocol *protocol = tow_transport_get_protocol(self->upper);
  if (f->left < DIRECT_MIN || f->held || !f->reading || !protocol || protocol->callbacks->kind == TOW_STREAM)
    return false;
  ptrdiff_t left = (ptrdiff_t)f->left;
  const tow_buffer *lent = tow_host_lend(self->upper, sizehint < 0 || sizehint > left ? left : sizehint);
  if (!lent) return false;
  *buffer = (tow_buffer){lent->base, lent->size < f->left ? lent->size : f->left};
  return true;
}
