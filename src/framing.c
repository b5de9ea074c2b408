/* Towline framing: FRAMING.md is what goes over the wire.
 *
 * SENDING. What leaves is a HEAD (signs that are due, and the beginning of a DATA frame) and a BODY (bytes of the upper
 * queue, or of the write under way). A frame is settled when its head is made: from then on its body is owed, and comes
 * from the upper queue, which holds just these bytes next. Signs wait while a body is under way.
 *
 * RECEIVING. Bytes are read whether the protocol reads or not, for there may be signs among them. Data that the
 * protocol does not take is HELD, at most a window of it; credit is given for what it has taken. */
#include "towline/framing.h"

#include <string.h>

enum {
  BODY_MAX = 65536, /* so that signs need not wait long */
  LINES = 16,
  REASON_MAX = 123,
  DIRECT_MIN = 4096,  /* from here on it pays to have the host write into the protocol's buffer */
  WINDOW_MIN = 65536, /* what either end may send at first */
  CREDIT_MAX = 0x7fffffff,
};

enum { END = 0xe0, RESET = 0xe1, CREDIT = 0xe2, PING = 0xe3, PONG = 0xe4 };
enum { FAILED = 1, WRONG = 2, SILENT = 3, NO_MEMORY = 4 };

typedef struct framing {
  tow_layer base;
  size_t window;
  /* Sending */
  size_t credit; /* what we may send */
  size_t body;   /* what is owed of the frame under way */
  uint8_t head[16], head_start, head_size;
  /* Receiving */
  uint8_t frame[4 + REASON_MAX + 1], frame_size; /* the beginning of a frame, as far as it has come */
  size_t left;                                   /* of a DATA frame's bytes */
  size_t granted, taken;                         /* what the peer may send; what it may be granted anew */
  unsigned char *held;
  size_t held_start, held_size, held_capacity;
  tow_handle deliver;
  /* Signs that are due, and what has been said */
  bool end_due, ping_due, pong_due, end_said, end_heard, end_told;
  bool gone;          /* the channel has ended, or a RESET has come or gone: nothing more is said, or heard */
  bool reading;       /* the protocol */
  bool closing;       /* the upper transport is closed; what is due is still said */
  bool heard, pinged; /* since the timer rang */
  double keepalive;
  tow_handle timer;
} framing;

static framing *of(void *layer) {
  return layer;
}

static tow_loop *loop_of(const framing *f) {
  return f->base.loop;
}

static void fail(framing *f, int code, const char *message) {
  tow_host_failed(f->base.upper, &(tow_error){code, 0, message});
}

/* ---- Sending ---- */

static bool is_busy(const framing *f) {
  return f->body > 0 || f->head_start < f->head_size;
}

static void add_byte(framing *f, size_t value) {
  f->head[f->head_size++] = (uint8_t)value;
}

/* Credit is worth saying in quarters of the window. */
static bool credit_is_due(const framing *f) {
  return f->taken > 0 && f->taken >= f->window / 4 && !f->end_heard && !f->closing;
}

static void add_signs(framing *f) {
  if (credit_is_due(f)) {
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

/* Closed, and all is said. */
static void close_if_done(framing *f) {
  if (f->closing && (f->gone || (!is_busy(f) && !f->end_due))) tow_layer_close(&f->base);
}

/* Says what is due, unless a frame is under way: then it will be pulled. */
static void say(framing *f) {
  if (f->gone) return;
  if (!is_busy(f)) {
    settle(f, 0);
    if (!is_busy(f)) return;
    leave(f, tow_layer_offer(&f->base, &(tow_iovec){f->head, f->head_size}, 1));
  }
  if (is_busy(f)) tow_layer_flush(&f->base);
}

/* The last frame. In the middle of another one there is no saying it: then the channel just ends. */
static void say_reset(framing *f, unsigned code, const char *reason) {
  size_t size = strlen(reason);
  if (size > REASON_MAX) size = REASON_MAX;
  while (size > 0 && (reason[size] & 0xc0) == 0x80) /* not in the middle of a letter */
    size--;
  const uint8_t frame[4] = {RESET, (uint8_t)(code >> 8), (uint8_t)code, (uint8_t)size};
  if (!f->gone && !is_busy(f)) tow_layer_offer(&f->base, (tow_iovec[]){{frame, sizeof frame}, {reason, size}}, 2);
  f->gone = true;
}

/* The peer has said what it may not. */
static void fail_wrong(framing *f, const char *message) {
  say_reset(f, WRONG, message);
  fail(f, TOW_EPROTO, message);
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

static size_t upper_write(void *self, const tow_iovec *lines, size_t count) {
  framing *f = of(self);
  size_t taken = 0, skip = 0;
  if (f->gone) {
    fail(f, TOW_EPIPE, NULL);
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

static void upper_flush(void *self) {
  framing *f = of(self);
  if (is_busy(f) || f->credit > 0) tow_layer_flush(&f->base);
}

/* How many bytes wait above that there is credit for: in the upper transport, or in one above it. */
static size_t waiting(framing *f) {
  tow_iovec lines[LINES];
  size_t limit = f->credit < BODY_MAX ? f->credit : BODY_MAX;
  return sum(lines, tow_host_peek(f->base.upper, lines, LINES, limit));
}

static size_t peek(tow_layer *self, tow_iovec *lines, size_t count, size_t limit) {
  framing *f = of(self);
  if (f->gone) return 0;
  if (!is_busy(f)) settle(f, waiting(f));
  size_t n = 0, head = (size_t)(f->head_size - f->head_start);
  if (head > limit) head = limit;
  if (head > 0) lines[n++] = (tow_iovec){f->head + f->head_start, head};
  limit -= head;
  return n + tow_host_peek(self->upper, lines + n, count - n, limit < f->body ? limit : f->body);
}

static void sent(tow_layer *self, size_t size) {
  framing *f = of(self);
  size_t body = leave(f, size);
  if (body > 0) tow_host_sent(self->upper, body);
  close_if_done(f);
}

static void upper_shutdown(void *self) {
  framing *f = of(self);
  f->end_due = true;
  say(f);
}

/* ---- Receiving ---- */

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
    unsigned char *grown = tow_loop_alloc(loop_of(f), capacity);
    if (!grown) return false;
    if (f->held) memcpy(grown, f->held + f->held_start, kept);
    tow_loop_free(loop_of(f), f->held);
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

static void let_go(framing *f) {
  tow_loop_free(loop_of(f), f->held);
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
  framing *f = of(self);
  if (f->held && f->reading) {
    size_t size = f->held_size - f->held_start;
    size_t taken = tow_host_feed(f->base.upper, f->held + f->held_start, size);
    take(f, taken);
    f->held_start += taken;
    if (taken == size) let_go(f);
    say(f);
    if (end_is_due(f)) tow_loop_call_soon(loop_of(f), &f->deliver, deliver, f);
  } else if (end_is_due(f)) {
    tell_end(f);
  }
  return 0;
}

static void upper_set_reading(void *self, bool on) {
  framing *f = of(self);
  f->reading = on;
  if (on && (f->held || end_is_due(f))) tow_loop_call_soon(loop_of(f), &f->deliver, deliver, f);
}

static void data_received(framing *f, const void *data, size_t size) {
  size_t taken = 0;
  if (tow_transport_is_closing(f->base.upper)) return;
  if (!f->held && f->reading) taken = tow_layer_deliver(&f->base, data, size);
  take(f, taken);
  if (taken == size || hold(f, (const unsigned char *)data + taken, size - taken)) return;
  fail(f, TOW_ENOMEM, NULL);
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

static size_t received(tow_layer *self, const void *data, size_t size) {
  framing *f = of(self);
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
  if (f->pong_due || credit_is_due(f)) say(f);
  return size;
}

/* Many bytes of one frame go straight into a buffered protocol's memory. */
static bool lend(tow_layer *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  framing *f = of(self);
  tow_protocol *protocol = tow_transport_get_protocol(self->upper);
  if (f->left < DIRECT_MIN || f->held || !f->reading || !protocol || protocol->callbacks->kind == TOW_STREAM)
    return false;
  ptrdiff_t left = (ptrdiff_t)f->left;
  const tow_buffer *lent = tow_host_lend(self->upper, sizehint < 0 || sizehint > left ? left : sizehint);
  if (!lent) return false;
  *buffer = (tow_buffer){lent->base, lent->size < f->left ? lent->size : f->left};
  return true;
}

static int eof_received(tow_protocol *self) {
  framing *f = of(self);
  f->gone = true;
  tow_handle_cancel(&f->timer);
  if (!f->end_heard)
    fail(f, TOW_ECONNRESET, "the connection ended in the middle of the stream");
  else if (tow_host_peek(f->base.upper, &(tow_iovec){NULL, 0}, 1, 1) > 0)
    fail(f, TOW_EPIPE, NULL);
  close_if_done(f);
  return 1;
}

/* ---- Whether the peer is there ---- */

static int ring(void *self) {
  framing *f = of(self);
  if (f->heard) {
    f->heard = f->pinged = false;
  } else if (!f->pinged) {
    f->pinged = f->ping_due = true;
    say(f);
  } else if (f->closing) {
    tow_layer_abort(&f->base);
    return 0;
  } else {
    fail(f, TOW_ETIMEDOUT, "nothing was heard from the peer");
    return 0;
  }
  tow_loop_call_later(loop_of(f), &f->timer, f->keepalive, ring, f);
  return 0;
}

static void set_keepalive(framing *f, double milliseconds) {
  f->keepalive = milliseconds;
  tow_handle_cancel(&f->timer);
  f->heard = f->pinged = false;
  if (milliseconds > 0) tow_loop_call_later(loop_of(f), &f->timer, milliseconds, ring, f);
}

/* ---- Life ---- */

static int connection_made(tow_protocol *self, tow_transport *lower) {
  framing *f = of(self);
  (void)lower;
  set_keepalive(f, f->keepalive);
  tow_layer_set_reading(&f->base, true);
  say(f);
  return 0;
}

static int connection_lost(tow_protocol *self, const tow_error *error) {
  framing *f = of(self);
  f->gone = true;
  tow_handle_cancel(&f->timer);
  tow_layer_end(&f->base, error);
  close_if_done(f);
  return 0;
}

static unsigned code_of(const tow_error *error) {
  return error->code == TOW_ETIMEDOUT ? SILENT : error->code == TOW_ENOMEM ? NO_MEMORY : FAILED;
}

static void upper_close(void *self, const tow_error *error) {
  framing *f = of(self);
  bool is_aborted = tow_layer_is_aborted(&f->base);
  f->reading = false;
  tow_handle_cancel(&f->deliver);
  let_go(f);
  f->closing = true;
  f->end_due = !f->end_said;
  if (error)
    say_reset(f, code_of(error), error->message);
  else
    say(f);
  if (error)
    tow_layer_fail(&f->base, error);
  else if (is_aborted)
    tow_layer_abort(&f->base);
  else
    close_if_done(f);
}

static void release(tow_layer *self) {
  framing *f = of(self);
  tow_handle_cancel(&f->timer);
  tow_handle_cancel(&f->deliver);
  tow_loop_free(loop_of(f), f->held);
  tow_loop_free(loop_of(f), f);
}

static int upper_revoke(void *self) {
  return tow_layer_revoke(self);
}

static int answer(const char *text, char *value, size_t capacity) {
  size_t size = strlen(text);
  if (capacity > 0) {
    size_t part = size < capacity ? size : capacity - 1;
    memcpy(value, text, part);
    value[part] = 0;
  }
  return (int)size;
}

static int upper_extra_info(void *self, const char *name, char *value, size_t capacity) {
  if (strcmp(name, "framing") == 0) return answer("towline.1", value, capacity);
  if (strcmp(name, "read_backpressure") == 0) return answer("credit", value, capacity);
  return tow_layer_extra_info(self, name, value, capacity);
}

static const tow_layer_callbacks callbacks = {
    .base = {.size = sizeof callbacks,
             .kind = TOW_LAYER,
             .connection_made = connection_made,
             .connection_lost = connection_lost,
             .resume_writing = tow_layer_resume_writing},
    .eof_received = eof_received,
    .lend = lend,
    .received = received,
    .peek = peek,
    .sent = sent,
    .free = release,
    .upper =
        {
            .size = sizeof(tow_connection_host),
            .write = upper_write,
            .flush = upper_flush,
            .shutdown = upper_shutdown,
            .set_reading = upper_set_reading,
            .revoke = upper_revoke,
            .close = upper_close,
            .extra_info = upper_extra_info,
        },
};

tow_layer *tow_framing_create(const tow_layering *self, tow_transport *lower) {
  const tow_framing_layering *options = (const void *)self;
  framing *f = tow_loop_alloc(tow_transport_get_loop(lower), sizeof *f);
  if (!f) return NULL;
  memset(f, 0, sizeof *f);
  f->base.protocol.callbacks = &callbacks.base;
  f->base.abilities = TOW_CAN_STREAM | (tow_transport_abilities(lower) & TOW_WANTS_CORK);
  f->window = options->window;
  f->credit = options->credit;
  f->granted = WINDOW_MIN;
  f->taken = options->window > WINDOW_MIN ? options->window - WINDOW_MIN : 0;
  f->keepalive = options->keepalive;
  return &f->base;
}

const tow_framing_layering tow_framing_default = TOW_FRAMING_LAYERING;

/* ---- For protocols ---- */

bool tow_framing_is_on(const tow_transport *transport) {
  return tow_layer_below(transport, &callbacks) != NULL;
}

int tow_framing_set_keepalive(tow_transport *transport, double milliseconds) {
  framing *f = of(tow_layer_below(transport, &callbacks));
  if (!f) return TOW_ENOTSUP;
  if (!f->gone) set_keepalive(f, milliseconds);
  return 0;
}

int tow_framing_reset(tow_transport *transport, int code, const char *reason) {
  framing *f = of(tow_layer_below(transport, &callbacks));
  if (!f) return TOW_ENOTSUP;
  if (code < 0 || code > 65535 || strlen(reason) > REASON_MAX) return TOW_EINVAL;
  say_reset(f, (unsigned)code, reason);
  tow_transport_abort(transport);
  return 0;
}
