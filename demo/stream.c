/* A protocol that sends much and reads at its own pace, and never has more in memory than the transport's marks allow.
 */
#include "stream.h"

#include <string.h>

enum { CHUNK = 1024 };

struct stream {
  tow_protocol base;
  tow_loop *loop;
  tow_transport *transport;
  size_t owed;     /* bytes that are still to be written */
  bool is_paused;  /* between pause_writing and resume_writing */
  bool ends;       /* the stream is to end when nothing is owed */
  bool is_held;    /* the user wants nothing to be read */
  bool is_resting; /* until the timer: it has read enough for now */
  double rate;     /* bytes a second that it reads; 0: as they come */
  tow_handle timer;
  char buffer[16384];
};

static const char chunk[CHUNK];

static stream *stream_of(tow_protocol *protocol) {
  return (stream *)protocol;
}

/* ---- Writing: until the transport says that it is enough ---- */

/* pause_writing comes from inside tow_transport_write, at the write that goes over the high mark: the loop ends there.
 */
static int pump(stream *self) {
  while (self->owed > 0 && !self->is_paused && !tow_transport_is_closing(self->transport)) {
    size_t size = self->owed < CHUNK ? self->owed : CHUNK;
    self->owed -= size;
    int error = tow_transport_write(self->transport, chunk, size);
    if (error < 0) return error;
  }
  return self->owed == 0 && self->ends ? tow_transport_write_eof(self->transport) : 0;
}

static int pause_writing(tow_protocol *protocol) {
  stream_of(protocol)->is_paused = true;
  return 0;
}

static int resume_writing(tow_protocol *protocol) {
  stream_of(protocol)->is_paused = false;
  return pump(stream_of(protocol));
}

/* ---- Reading: when it is neither held nor resting ---- */

static void read_or_not(stream *self) {
  if (self->is_held || self->is_resting)
    tow_transport_pause_reading(self->transport);
  else
    tow_transport_resume_reading(self->transport);
}

static int go_on(void *context) {
  stream *self = context;
  self->is_resting = false;
  read_or_not(self);
  return 0;
}

static int get_buffer(tow_protocol *protocol, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)sizehint;
  *buffer = (tow_buffer){stream_of(protocol)->buffer, sizeof stream_of(protocol)->buffer};
  return 0;
}

/* What came is counted by whoever looks on. Who reads slowly rests as long as this should have taken. */
static int buffer_updated(tow_protocol *protocol, size_t size) {
  stream *self = stream_of(protocol);
  if (self->rate <= 0) return 0;
  self->is_resting = true;
  tow_loop_call_later(self->loop, &self->timer, (double)size * 1000 / self->rate, go_on, self);
  read_or_not(self);
  return 0;
}

/* The peer will send no more. What is owed is still sent; else this side is done, too. */
static int eof_received(tow_protocol *protocol) {
  stream_of(protocol)->ends = true;
  return stream_of(protocol)->owed > 0;
}

/* ---- Beginning and end ---- */

static int connection_made(tow_protocol *protocol, tow_transport *transport) {
  stream_of(protocol)->transport = transport;
  return 0;
}

static int connection_lost(tow_protocol *protocol, const tow_error *error) {
  (void)error;
  stream *self = stream_of(protocol);
  tow_handle_cancel(&self->timer);
  tow_loop_free(self->loop, self);
  return 0;
}

static const tow_buffered_callbacks callbacks = {
    .base = {.size = sizeof(tow_buffered_callbacks),
             .kind = TOW_BUFFERED,
             .connection_made = connection_made,
             .connection_lost = connection_lost,
             .pause_writing = pause_writing,
             .resume_writing = resume_writing},
    .eof_received = eof_received,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
};

tow_protocol *stream_new(tow_loop *loop, void *context) {
  (void)context;
  stream *self = tow_loop_alloc(loop, sizeof *self);
  if (self == NULL) return NULL;
  memset(self, 0, sizeof *self);
  self->base.callbacks = &callbacks.base;
  self->loop = loop;
  return &self->base;
}

/* ---- What the page asks for ---- */

int stream_burst(stream *self, size_t size) {
  self->owed += size;
  return pump(self);
}

int stream_end(stream *self) {
  self->ends = true;
  return pump(self);
}

void stream_hold(stream *self, bool held) {
  self->is_held = held;
  read_or_not(self);
}

void stream_read_slowly(stream *self, double rate) {
  self->rate = rate;
  tow_handle_cancel(&self->timer);
  self->is_resting = false;
  read_or_not(self);
}

int stream_set_marks(stream *self, ptrdiff_t high, ptrdiff_t low) {
  return tow_transport_set_write_buffer_limits(self->transport, high, low);
}

void stream_close(stream *self) {
  tow_transport_close(self->transport);
}

void stream_abort(stream *self) {
  tow_transport_abort(self->transport);
}
