/* What the files of Towline framing share; framing.c says how it works. */
#ifndef TOWLINE_FRAMING_PARTS_H
#define TOWLINE_FRAMING_PARTS_H

#include "towline/framing.h"

enum {
  REASON_MAX = 123,
  WINDOW_MIN = 65536, /* what either end may send at first */
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

static inline framing *tow_framing_of(void *layer) {
  return layer;
}

/* ---- framing_send.c ---- */

/* Whether credit is due: it is worth saying in quarters of the window. */
bool tow_framing_credit_is_due(const framing *f);
/* Says what is due, unless a frame is under way: then it will be pulled. */
void tow_framing_say(framing *f);
/* The last frame. In the middle of another one there is no saying it: then the channel just ends. */
void tow_framing_say_reset(framing *f, unsigned code, const char *reason);
/* Closed, and all is said: the channel is closed. */
void tow_framing_close_if_done(framing *f);
size_t tow_framing_write(void *self, const tow_iovec *lines, size_t count);
void tow_framing_flush(void *self);
void tow_framing_shutdown(void *self);
size_t tow_framing_peek(tow_layer *self, tow_iovec *lines, size_t count, size_t limit);
void tow_framing_sent(tow_layer *self, size_t size);

/* ---- framing_receive.c ---- */

void tow_framing_fail(framing *f, int code, const char *message);
size_t tow_framing_received(tow_layer *self, const void *data, size_t size);
bool tow_framing_lend(tow_layer *self, ptrdiff_t sizehint, tow_buffer *buffer);
void tow_framing_set_reading(void *self, bool on);
/* Drops what is held. */
void tow_framing_let_go(framing *f);

#endif
