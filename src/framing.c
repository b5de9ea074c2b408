/* Towline framing: FRAMING.md is what goes over the wire.
 *
 * SENDING. What leaves is a HEAD (signs that are due, and the beginning of a DATA frame) and a BODY (bytes of the upper
 * queue, or of the write under way). A frame is settled when its head is made: from then on its body is owed, and comes
 * from the upper queue, which holds just these bytes next. Signs wait while a body is under way.
 *
 * RECEIVING. Bytes are read whether the protocol reads or not, for there may be signs among them. Data that the
 * protocol does not take is HELD, at most a window of it; credit is given for what it has taken. */
#include "framing.h"
#include "answer.h"

#include <string.h>

/* ---- The channel's end ---- */

static int eof_received(tow_protocol *self) {
  framing *f = tow_framing_of(self);
  f->gone = true;
  tow_handle_cancel(&f->timer);
  if (!f->end_heard)
    tow_framing_fail(f, TOW_ECONNRESET, "the connection ended in the middle of the stream");
  else if (tow_host_peek(f->base.upper, &(tow_iovec){NULL, 0}, 1, 1) > 0)
    tow_framing_fail(f, TOW_EPIPE, NULL);
  tow_framing_close_if_done(f);
  return 1;
}

/* ---- Whether the peer is there ---- */

static int ring(void *self) {
  framing *f = tow_framing_of(self);
  if (f->heard) {
    f->heard = f->pinged = false;
  } else if (!f->pinged) {
    f->pinged = f->ping_due = true;
    tow_framing_say(f);
  } else if (f->closing) {
    tow_layer_abort(&f->base);
    return 0;
  } else {
    tow_framing_fail(f, TOW_ETIMEDOUT, "nothing was heard from the peer");
    return 0;
  }
  tow_loop_call_later(f->base.loop, &f->timer, f->keepalive, ring, f);
  return 0;
}

static void set_keepalive(framing *f, double milliseconds) {
  f->keepalive = milliseconds;
  tow_handle_cancel(&f->timer);
  f->heard = f->pinged = false;
  if (milliseconds > 0) tow_loop_call_later(f->base.loop, &f->timer, milliseconds, ring, f);
}

/* ---- Life ---- */

static int connection_made(tow_protocol *self, tow_transport *lower) {
  framing *f = tow_framing_of(self);
  (void)lower;
  set_keepalive(f, f->keepalive);
  tow_layer_set_reading(&f->base, true);
  tow_framing_say(f);
  return 0;
}

static int connection_lost(tow_protocol *self, const tow_error *error) {
  framing *f = tow_framing_of(self);
  f->gone = true;
  tow_handle_cancel(&f->timer);
  tow_layer_end(&f->base, error);
  tow_framing_close_if_done(f);
  return 0;
}

static unsigned code_of(const tow_error *error) {
  return error->code == TOW_ETIMEDOUT ? SILENT : error->code == TOW_ENOMEM ? NO_MEMORY : FAILED;
}

static void upper_close(void *self, const tow_error *error) {
  framing *f = tow_framing_of(self);
  bool is_aborted = tow_layer_is_aborted(&f->base);
  f->reading = false;
  tow_layer_revoke(&f->base); /* the protocol's memory, perhaps: it may be gone, and reading goes on */
  tow_handle_cancel(&f->deliver);
  tow_framing_let_go(f);
  f->closing = true;
  f->end_due = !f->end_said;
  if (error)
    tow_framing_say_reset(f, code_of(error), error->message);
  else
    tow_framing_say(f);
  if (error)
    tow_layer_fail(&f->base, error);
  else if (is_aborted)
    tow_layer_abort(&f->base);
  else
    tow_framing_close_if_done(f);
}

static void release(tow_layer *self) {
  framing *f = tow_framing_of(self);
  tow_handle_cancel(&f->timer);
  tow_handle_cancel(&f->deliver);
  tow_loop_free(f->base.loop, f->held);
  tow_loop_free(f->base.loop, f);
}

static int upper_revoke(void *self) {
  return tow_layer_revoke(self);
}

static int upper_extra_info(void *self, const char *name, char *value, size_t capacity) {
  if (strcmp(name, "framing") == 0) return tow_answer_text("towline.1", value, capacity);
  if (strcmp(name, "read_backpressure") == 0) return tow_answer_text("credit", value, capacity);
  return tow_layer_extra_info(self, name, value, capacity);
}

static const tow_layer_callbacks callbacks = {
    .base = {.size = sizeof callbacks,
             .kind = TOW_LAYER,
             .connection_made = connection_made,
             .connection_lost = connection_lost,
             .resume_writing = tow_layer_resume_writing},
    .eof_received = eof_received,
    .lend = tow_framing_lend,
    .received = tow_framing_received,
    .peek = tow_framing_peek,
    .sent = tow_framing_sent,
    .free = release,
    .upper =
        {
            .size = sizeof(tow_connection_host),
            .write = tow_framing_write,
            .flush = tow_framing_flush,
            .shutdown = tow_framing_shutdown,
            .set_reading = tow_framing_set_reading,
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
  framing *f = tow_framing_of(tow_layer_below(transport, &callbacks));
  if (!f) return TOW_ENOTSUP;
  if (!f->gone) set_keepalive(f, milliseconds);
  return 0;
}

int tow_framing_reset(tow_transport *transport, int code, const char *reason) {
  framing *f = tow_framing_of(tow_layer_below(transport, &callbacks));
  if (!f) return TOW_ENOTSUP;
  if (code < 0 || code > 65535 || strlen(reason) > REASON_MAX) return TOW_EINVAL;
  tow_framing_say_reset(f, (unsigned)code, reason);
  tow_transport_abort(transport);
  return 0;
}
