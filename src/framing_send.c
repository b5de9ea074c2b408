/* Sending: framing.c says what HEAD and BODY are. */
#include "framing.h"

#include <string.h>

enum {
  BODY_MAX = 65536, /* so that signs need not wait long */
  LINES = 16,
};

static bool is_busy(const framing *f) {
  return f->body > 0 || f->head_start < f->head_size;
}

static void add_byte(framing *f, size_t value) {
  f->head[f->head_size++] = (uint8_t)value;
}

bool tow_framing_credit_is_due(const framing *f) {
  return f->taken > 0 && f->taken >= f->window / 4 && !f->end_heard && !f->closing;
}

static void add_signs(framing *f) {
  if (tow_framing_credit_is_due(f)) {
    add_byte(f, CREDIT);
    for (int shift = 24; shift >= 0; shift -= 8)
      add_byte(f, f->taken >> shift);
    f->granted += f->taken;
    f->taken = 0;
  }
  if (f->pong_due) add_byte(f, PONG);
  if (f->ping_due) add_byte(f, PING);
  if (f->end_due) add_byte(f, END);
  f->end_said |= f->end_due;
  f->pong_due = f->ping_due = f->end_due = false;
}

/* Settles what goes next: signs, and a frame of as many of `available` bytes as there is credit for. */
static void settle(framing *f, size_t available) {
  size_t size = available < f->credit ? available : f->credit;
  if (size > BODY_MAX) size = BODY_MAX;
  f->head_start = f->head_size = 0;
  add_signs(f);
  f->body = size;
  f->credit -= size;
  if (size >= 16384) {
    add_byte(f, 0xc0 | size >> 16);
    add_byte(f, size >> 8);
  } else if (size >= 128) {
    add_byte(f, 0x80 | size >> 8);
  }
  if (size > 0) add_byte(f, size);
}

/* `size` bytes have left; answers how many of them were the body's. */
static size_t leave(framing *f, size_t size) {
  size_t head = (size_t)(f->head_size - f->head_start);
  if (head > size) head = size;
  f->head_start += (uint8_t)head;
  f->body -= size - head;
  return size - head;
}

void tow_framing_close_if_done(framing *f) {
  if (f->closing && (f->gone || (!is_busy(f) && !f->end_due))) tow_layer_close(&f->base);
}

void tow_framing_say(framing *f) {
  if (f->gone) return;
  if (!is_busy(f)) {
    settle(f, 0);
    if (!is_busy(f)) return;
    leave(f, tow_layer_offer(&f->base, &(tow_iovec){f->head, f->head_size}, 1));
  }
  if (is_busy(f)) tow_layer_flush(&f->base);
}

void tow_framing_say_reset(framing *f, unsigned code, const char *reason) {
  size_t size = strlen(reason);
  if (size > REASON_MAX) size = REASON_MAX;
  while (size > 0 && (reason[size] & 0xc0) == 0x80) /* not in the middle of a letter */
    size--;
  const uint8_t frame[4] = {RESET, (uint8_t)(code >> 8), (uint8_t)code, (uint8_t)size};
  if (!f->gone && !is_busy(f)) tow_layer_offer(&f->base, (tow_iovec[]){{frame, sizeof frame}, {reason, size}}, 2);
  f->gone = true;
}

/* The head, and the lines of a body of `size` bytes. Answers how many lines these are. */
static size_t gather(const framing *f, tow_iovec *out, const tow_iovec *lines, size_t count, size_t skip, size_t size) {
  size_t n = 0;
  out[n++] = (tow_iovec){f->head, f->head_size};
  for (; count > 0 && size > 0; lines++, count--) {
    size_t part = lines->size - skip < size ? lines->size - skip : size;
    out[n++] = (tow_iovec){(const unsigned char *)lines->base + skip, part};
    size -= part;
    skip = 0;
  }
  return n;
}

static size_t sum(const tow_iovec *lines, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; i++)
    size += lines[i].size;
  return size;
}

size_t tow_framing_write(void *self, const tow_iovec *lines, size_t count) {
  framing *f = tow_framing_of(self);
  size_t taken = 0, skip = 0;
  if (f->gone) {
    tow_framing_fail(f, TOW_EPIPE, NULL);
    return 0;
  }
  while (!is_busy(f) && f->credit > 0) {
    for (; count > 0 && skip == lines->size; lines++, count--)
      skip = 0;
    if (count == 0) break;
    settle(f, sum(lines, count < LINES ? count : LINES - 1) - skip); /* one is for the head */
    tow_iovec out[LINES];
    size_t n = gather(f, out, lines, count, skip, f->body);
    size_t body = leave(f, tow_layer_offer(&f->base, out, n));
    taken += body;
    skip += body;
    for (; count > 0 && skip > lines->size; lines++, count--)
      skip -= lines->size;
  }
  return taken;
}

void tow_framing_flush(void *self) {
  framing *f = tow_framing_of(self);
  if (is_busy(f) || f->credit > 0) tow_layer_flush(&f->base);
}

/* How many bytes wait above that there is credit for: in the upper transport, or in one above it. */
static size_t waiting(framing *f) {
  tow_iovec lines[LINES];
  size_t limit = f->credit < BODY_MAX ? f->credit : BODY_MAX;
  return sum(lines, tow_host_peek(f->base.upper, lines, LINES, limit));
}

size_t tow_framing_peek(tow_layer *self, tow_iovec *lines, size_t count, size_t limit) {
  framing *f = tow_framing_of(self);
  if (f->gone) return 0;
  if (!is_busy(f)) settle(f, waiting(f));
  size_t n = 0, head = (size_t)(f->head_size - f->head_start);
  if (head > limit) head = limit;
  if (head > 0) lines[n++] = (tow_iovec){f->head + f->head_start, head};
  limit -= head;
  return n + tow_host_peek(self->upper, lines + n, count - n, limit < f->body ? limit : f->body);
}

void tow_framing_sent(tow_layer *self, size_t size) {
  framing *f = tow_framing_of(self);
  size_t body = leave(f, size);
  if (body > 0) tow_host_sent(self->upper, body);
  tow_framing_close_if_done(f);
}

void tow_framing_shutdown(void *self) {
  framing *f = tow_framing_of(self);
  f->end_due = true;
  tow_framing_say(f);
}
