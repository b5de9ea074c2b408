/* The recording protocol: each callback prints its line, then does what the scenario has for this call of it. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>

static void begin(recording *self, callback cb) {
  line_text(&self->recorder->line, "{\"cb\":\"");
  line_text(&self->recorder->line, callback_name(cb));
  line_text(&self->recorder->line, "\"");
}

static void begin_pipe(recording *self, callback cb, int fd) {
  begin(self, cb);
  line_text(&self->recorder->line, ",\"fd\":");
  line_number(&self->recorder->line, fd);
}

static void end(recording *self) {
  if (self == &self->recorder->recordings[1]) line_text(&self->recorder->line, ",\"p\":2");
  print_line(self->recorder);
}

static int act(recording *self, callback cb) {
  recorder *recorder = self->recorder;
  if (recorder->muted) return 0; /* the scenario is over */
  int64_t call = ++self->calls[cb];
  recorder->calls[cb]++;
  steps_notice(recorder);
  for (size_t i = 0; i < self->script->trigger_count; i++) {
    const trigger *one = &self->script->triggers[i];
    if (one->cb == cb && one->nth == call && run_ops(recorder, &one->steps) < 0) return -1;
  }
  return 0;
}

static int simple(recording *self, callback cb) {
  begin(self, cb);
  end(self);
  return act(self, cb);
}

/* What goes to the loop's handlers is printed too, in lines that the comparison with asyncio drops. */
static void on_exception(void *context, const char *callback, tow_transport *transport, const tow_error *error) {
  recorder *recorder = context;
  (void)transport, (void)error;
  line_text(&recorder->line, "{\"loop\":\"exception\",\"callback\":");
  line_quoted(&recorder->line, callback, strlen(callback));
  print_line(recorder);
}

static void on_log(void *context, tow_level level, const char *message) {
  recorder *recorder = context;
  if (level != TOW_LOG_WARNING) return;
  line_text(&recorder->line, "{\"loop\":\"warning\",\"message\":");
  line_quoted(&recorder->line, message, strlen(message));
  print_line(recorder);
}

static int connection_made(tow_protocol *protocol, tow_transport *transport) {
  recording *self = (recording *)protocol;
  recorder *recorder = self->recorder;
  recorder->transport = tow_transport_ref(transport);
  find_peers(recorder);
  find_pipes(recorder);
  recorder->loop = tow_transport_get_loop(transport);
  tow_loop_set_exception_handler(recorder->loop, on_exception, recorder);
  tow_loop_set_log(recorder->loop, on_log, recorder);
  if (recorder->feeding) return 0;
  int answer = simple(self, CONNECTION_MADE);
  if (!recorder->scenario.is_memory) steps_begin(recorder);
  return answer;
}

static int connection_lost(tow_protocol *protocol, const tow_error *error) {
  recording *self = (recording *)protocol;
  recorder *recorder = self->recorder;
  if (error) {
    recorder->lost_code = error->code;
    strncpy(recorder->lost_message, error->message, sizeof recorder->lost_message - 1);
  }
  if (recorder->feeding) return 0;
  begin(self, CONNECTION_LOST);
  print_error(recorder, "exc", error ? error->code : 0, error ? error->message : NULL);
  end(self);
  return act(self, CONNECTION_LOST);
}

static int pause_writing(tow_protocol *protocol) {
  recording *self = (recording *)protocol;
  self->recorder->writing_paused = true;
  return simple(self, PAUSE_WRITING);
}

static int resume_writing(tow_protocol *protocol) {
  recording *self = (recording *)protocol;
  self->recorder->writing_paused = false;
  return simple(self, RESUME_WRITING);
}

/* The rest of a line that has begun. */
static int received(recording *self, callback cb, const void *data, size_t size) {
  line_text(&self->recorder->line, ",\"hex\":");
  line_hex(&self->recorder->line, data, size);
  end(self);
  self->recorder->bytes += (int64_t)size;
  return act(self, cb);
}

static int data_received(tow_protocol *protocol, const void *data, size_t size) {
  recording *self = (recording *)protocol;
  begin(self, DATA_RECEIVED);
  return received(self, DATA_RECEIVED, data, size);
}

static int eof_received(tow_protocol *protocol) {
  recording *self = (recording *)protocol;
  int failed = simple(self, EOF_RECEIVED);
  return failed < 0 ? failed : self->script->eof_answer;
}

static int get_buffer(tow_protocol *protocol, ptrdiff_t sizehint, tow_buffer *buffer) {
  recording *self = (recording *)protocol;
  size_t index = self->gets < self->script->buffer_count ? self->gets : self->script->buffer_count - 1;
  self->gets++;
  size_t size = (size_t)self->script->buffer_sizes[index];
  if (!self->buffers[index] && !(self->buffers[index] = malloc(size ? size : 1))) abort();
  self->buffer = self->buffers[index];
  begin(self, GET_BUFFER);
  line_text(&self->recorder->line, ",\"hint\":");
  line_number(&self->recorder->line, (int64_t)sizehint);
  line_text(&self->recorder->line, ",\"ret\":");
  line_number(&self->recorder->line, (int64_t)size);
  end(self);
  *buffer = (tow_buffer){self->buffer, size};
  return act(self, GET_BUFFER);
}

static int buffer_updated(tow_protocol *protocol, size_t size) {
  recording *self = (recording *)protocol;
  begin(self, BUFFER_UPDATED);
  line_text(&self->recorder->line, ",\"n\":");
  line_number(&self->recorder->line, (int64_t)size);
  return received(self, BUFFER_UPDATED, self->buffer, size);
}

static int datagram_received(tow_protocol *protocol, const void *data, size_t size, const tow_peer *peer) {
  recording *self = (recording *)protocol;
  (void)peer;
  begin(self, DATAGRAM_RECEIVED);
  return received(self, DATAGRAM_RECEIVED, data, size);
}

static int error_received(tow_protocol *protocol, const tow_error *error, const tow_peer *peer) {
  recording *self = (recording *)protocol;
  (void)peer;
  begin(self, ERROR_RECEIVED);
  print_error(self->recorder, "exc", error->code, error->message);
  end(self);
  return act(self, ERROR_RECEIVED);
}

static int pipe_data_received(tow_protocol *protocol, int fd, const void *data, size_t size) {
  recording *self = (recording *)protocol;
  begin_pipe(self, PIPE_DATA_RECEIVED, fd);
  return received(self, PIPE_DATA_RECEIVED, data, size);
}

static int pipe_connection_lost(tow_protocol *protocol, int fd, const tow_error *error) {
  recording *self = (recording *)protocol;
  begin_pipe(self, PIPE_CONNECTION_LOST, fd);
  print_error(self->recorder, "exc", error ? error->code : 0, error ? error->message : NULL);
  end(self);
  return act(self, PIPE_CONNECTION_LOST);
}

static int process_exited(tow_protocol *protocol) {
  return simple((recording *)protocol, PROCESS_EXITED);
}

#define BASE(table, number)                                                                                            \
  {                                                                                                                    \
    .size = sizeof(table), .kind = (number), .connection_made = connection_made, .connection_lost = connection_lost,   \
    .pause_writing = pause_writing, .resume_writing = resume_writing                                                   \
  }

static const tow_stream_callbacks stream_callbacks = {
    .base = BASE(tow_stream_callbacks, TOW_STREAM),
    .eof_received = eof_received,
    .data_received = data_received,
};

static const tow_buffered_callbacks buffered_callbacks = {
    .base = BASE(tow_buffered_callbacks, TOW_BUFFERED),
    .eof_received = eof_received,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
};

static const tow_datagram_callbacks datagram_callbacks = {
    .base = BASE(tow_datagram_callbacks, TOW_DATAGRAM),
    .datagram_received = datagram_received,
    .error_received = error_received,
};

static const tow_subprocess_callbacks subprocess_callbacks = {
    .base = BASE(tow_subprocess_callbacks, TOW_SUBPROCESS),
    .pipe_data_received = pipe_data_received,
    .pipe_connection_lost = pipe_connection_lost,
    .process_exited = process_exited,
};

static const tow_base_callbacks *const callbacks[KIND_COUNT] = {
    [KIND_STREAM] = &stream_callbacks.base,         [KIND_BUFFERED] = &buffered_callbacks.base,
    [KIND_FEED] = &buffered_callbacks.base,         [KIND_DATAGRAM] = &datagram_callbacks.base,
    [KIND_SUBPROCESS] = &subprocess_callbacks.base,
};

void recording_init(recording *self, recorder *recorder, const script *script) {
  self->base.callbacks = callbacks[script->kind];
  self->recorder = recorder;
  self->script = script;
  self->buffers = calloc(script->buffer_count + 1, sizeof *self->buffers);
  if (!self->buffers) abort();
}

void recording_free(recording *self) {
  for (size_t i = 0; self->buffers && i < self->script->buffer_count; i++)
    free(self->buffers[i]);
  free(self->buffers);
}
