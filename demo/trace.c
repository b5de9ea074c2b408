#include "trace.h"

static void report(const trace *self, trace_call call) {
  call.time = tow_loop_time(self->loop) - self->start;
  self->report(self->context, &call);
}

static trace *trace_of(tow_protocol *protocol) {
  return (trace *)protocol;
}

static const tow_base_callbacks *base_of(const trace *self) {
  return self->inner->callbacks;
}

static const tow_stream_callbacks *stream_of(const trace *self) {
  return (const tow_stream_callbacks *)self->inner->callbacks;
}

static const tow_buffered_callbacks *buffered_of(const trace *self) {
  return (const tow_buffered_callbacks *)self->inner->callbacks;
}

static int trace_made(tow_protocol *protocol, tow_transport *transport) {
  trace *self = trace_of(protocol);
  self->start = tow_loop_time(self->loop);
  report(self, (trace_call){.name = "CM"});
  return base_of(self)->connection_made ? base_of(self)->connection_made(self->inner, transport) : 0;
}

/* The inner protocol may free itself here, and this with it. */
static int trace_lost(tow_protocol *protocol, const tow_error *error) {
  const trace *self = trace_of(protocol);
  report(self, (trace_call){.name = "CL", .error = error});
  return base_of(self)->connection_lost ? base_of(self)->connection_lost(self->inner, error) : 0;
}

static int trace_pause_writing(tow_protocol *protocol) {
  const trace *self = trace_of(protocol);
  report(self, (trace_call){.name = "PW"});
  return base_of(self)->pause_writing ? base_of(self)->pause_writing(self->inner) : 0;
}

static int trace_resume_writing(tow_protocol *protocol) {
  const trace *self = trace_of(protocol);
  report(self, (trace_call){.name = "RW"});
  return base_of(self)->resume_writing ? base_of(self)->resume_writing(self->inner) : 0;
}

/* Both tables have it in the same place. */
static int trace_eof(tow_protocol *protocol) {
  const trace *self = trace_of(protocol);
  report(self, (trace_call){.name = "ER"});
  return stream_of(self)->eof_received ? stream_of(self)->eof_received(self->inner) : 0;
}

static int trace_data(tow_protocol *protocol, const void *data, size_t size) {
  const trace *self = trace_of(protocol);
  report(self, (trace_call){.name = "DR", .size = size});
  return stream_of(self)->data_received ? stream_of(self)->data_received(self->inner, data, size) : 0;
}

static int trace_get_buffer(tow_protocol *protocol, ptrdiff_t sizehint, tow_buffer *buffer) {
  const trace *self = trace_of(protocol);
  int result = buffered_of(self)->get_buffer ? buffered_of(self)->get_buffer(self->inner, sizehint, buffer) : 0;
  report(self, (trace_call){.name = "GB", .size = buffer->size, .hint = sizehint});
  return result;
}

static int trace_updated(tow_protocol *protocol, size_t size) {
  const trace *self = trace_of(protocol);
  report(self, (trace_call){.name = "BU", .size = size});
  return buffered_of(self)->buffer_updated ? buffered_of(self)->buffer_updated(self->inner, size) : 0;
}

#define TRACE_BASE(table, of_kind)                                                                                     \
  {                                                                                                                    \
    .size = sizeof(table), .kind = (of_kind), .connection_made = trace_made, .connection_lost = trace_lost,            \
    .pause_writing = trace_pause_writing, .resume_writing = trace_resume_writing,                                      \
  }

static const tow_stream_callbacks stream_callbacks = {
    .base = TRACE_BASE(tow_stream_callbacks, TOW_STREAM),
    .eof_received = trace_eof,
    .data_received = trace_data,
};

static const tow_buffered_callbacks buffered_callbacks = {
    .base = TRACE_BASE(tow_buffered_callbacks, TOW_BUFFERED),
    .eof_received = trace_eof,
    .get_buffer = trace_get_buffer,
    .buffer_updated = trace_updated,
};

tow_protocol *trace_init(trace *self, tow_loop *loop, tow_protocol *inner, trace_report report, void *context) {
  bool buffered = inner->callbacks->kind == TOW_BUFFERED;
  *self = (trace){.base = {buffered ? &buffered_callbacks.base : &stream_callbacks.base},
                  .loop = loop,
                  .inner = inner,
                  .report = report,
                  .context = context};
  return &self->base;
}
