#include "probe.h"

const char *test_failure;
static char failure_text[1024]; /* a test program's, not the library's */

void test_fail(const char *file, int line, const char *what, const char *have, const char *want) {
  if (test_failure) return;
  const char *name = strrchr(file, '/');
  if (want)
    snprintf(failure_text, sizeof failure_text, "%s:%d: %s is \"%s\", not \"%s\"", name ? name + 1 : file, line, what,
             have, want);
  else
    snprintf(failure_text, sizeof failure_text, "%s:%d: %s", name ? name + 1 : file, line, what);
  test_failure = failure_text;
}

int test_run(const test *tests) {
  int failed = 0;
  for (; tests->name; tests++) {
    test_failure = NULL;
    tests->run();
    if (test_failure)
      printf("not ok %s: %s\n", tests->name, test_failure);
    else
      printf("ok %s\n", tests->name);
    failed += test_failure != NULL;
    fflush(stdout);
  }
  return failed;
}

void probe_note(probe *p, const char *text) {
  probe *to = p->first ? p->first : p;
  to->used += (size_t)snprintf(to->log + to->used, sizeof to->log - to->used, "%s%s%s", to->used ? " " : "",
                               p->first ? "2." : "", text);
  if (to->used >= sizeof to->log) to->used = sizeof to->log - 1;
}

static int note(probe *p, const char *event, const char *detail) {
  char text[128];
  snprintf(text, sizeof text, "%s%s%s", event, *detail ? ":" : "", detail);
  probe_note(p, text);
  return p->on ? p->on(p, event) : 0;
}

static int note_size(probe *p, const char *event, long size) {
  char text[32];
  snprintf(text, sizeof text, "%ld", size);
  return note(p, event, text);
}

static int on_made(tow_protocol *self, tow_transport *transport) {
  ((probe *)self)->transport = transport;
  return note((probe *)self, "CM", "");
}

static int on_lost(tow_protocol *self, const tow_error *error) {
  probe *p = (probe *)self;
  return note(p, "CL", error ? tow_error_name(error->code) : "none");
}

static int on_pause(tow_protocol *self) {
  return note((probe *)self, "PW", "");
}
static int on_resume(tow_protocol *self) {
  return note((probe *)self, "RW", "");
}

static int on_eof(tow_protocol *self) {
  int result = note((probe *)self, "ER", "");
  return result < 0 ? result : ((probe *)self)->eof_answer;
}

static void receive(probe *p, const void *data, size_t size) {
  probe *to = p->first ? p->first : p;
  if (size == 0 || size > sizeof to->received - to->received_size) return;
  memcpy(to->received + to->received_size, data, size);
  to->received_size += size;
}

static int on_data(tow_protocol *self, const void *data, size_t size) {
  probe *p = (probe *)self;
  receive(p, data, size);
  if (size > p->largest) p->largest = size;
  return note_size(p, "DR", (long)size);
}

static int on_get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  probe *p = (probe *)self;
  *buffer = (tow_buffer){p->buffer, p->buffer_size};
  return note_size(p, "GB", (long)sizehint);
}

static int on_updated(tow_protocol *self, size_t size) {
  probe *p = (probe *)self;
  receive(p, p->buffer, size);
  return note_size(p, "BU", (long)size);
}

static const tow_stream_callbacks stream_callbacks = {
    .base = {.size = sizeof(tow_stream_callbacks),
             .kind = TOW_STREAM,
             .connection_made = on_made,
             .connection_lost = on_lost,
             .pause_writing = on_pause,
             .resume_writing = on_resume},
    .eof_received = on_eof,
    .data_received = on_data,
};

static const tow_buffered_callbacks buffered_callbacks = {
    .base = {.size = sizeof(tow_buffered_callbacks),
             .kind = TOW_BUFFERED,
             .connection_made = on_made,
             .connection_lost = on_lost,
             .pause_writing = on_pause,
             .resume_writing = on_resume},
    .eof_received = on_eof,
    .get_buffer = on_get_buffer,
    .buffer_updated = on_updated,
};

static int on_datagram(tow_protocol *self, const void *data, size_t size, const tow_peer *peer) {
  probe *p = (probe *)self;
  receive(p, data, size);
  p->sender = *peer;
  return note_size(p, "DG", (long)size);
}

static int on_error(tow_protocol *self, const tow_error *error, const tow_peer *peer) {
  (void)peer;
  return note((probe *)self, "EE", tow_error_name(error->code));
}

static const tow_datagram_callbacks datagram_callbacks = {
    .base = {.size = sizeof(tow_datagram_callbacks),
             .kind = TOW_DATAGRAM,
             .connection_made = on_made,
             .connection_lost = on_lost,
             .pause_writing = on_pause,
             .resume_writing = on_resume},
    .datagram_received = on_datagram,
    .error_received = on_error,
};

static int on_pipe_data(tow_protocol *self, int fd, const void *data, size_t size) {
  char detail[32];
  snprintf(detail, sizeof detail, "%d:%zu", fd, size);
  receive((probe *)self, data, size);
  return note((probe *)self, "PD", detail);
}

static int on_pipe_lost(tow_protocol *self, int fd, const tow_error *error) {
  char detail[32];
  snprintf(detail, sizeof detail, "%d:%s", fd, error ? tow_error_name(error->code) : "none");
  return note((probe *)self, "PL", detail);
}

static int on_exited(tow_protocol *self) {
  probe *p = (probe *)self;
  int code = 0;
  return note_size(p, "PX", tow_transport_get_returncode(p->transport, &code) ? code : 1000);
}

static const tow_subprocess_callbacks subprocess_callbacks = {
    .base = {.size = sizeof(tow_subprocess_callbacks),
             .kind = TOW_SUBPROCESS,
             .connection_made = on_made,
             .connection_lost = on_lost,
             .pause_writing = on_pause,
             .resume_writing = on_resume},
    .pipe_data_received = on_pipe_data,
    .pipe_connection_lost = on_pipe_lost,
    .process_exited = on_exited,
};

static void on_exception(void *context, const char *callback, tow_transport *transport, const tow_error *error) {
  (void)transport;
  char text[64];
  snprintf(text, sizeof text, "!%s:%d", callback, error->code == TOW_ECALLBACK ? error->native : error->code);
  probe_note(context, text);
}

static void on_log(void *context, tow_level level, const char *message) {
  (void)message;
  probe_note(context, level == TOW_LOG_WARNING ? "warning" : "debug");
}

tow_protocol *probe_create(tow_loop *loop, void *context) {
  (void)loop;
  return context;
}

probe *probe_new(tow_memory *memory, tow_kind kind, int (*on)(probe *, const char *)) {
  probe *p = calloc(1, sizeof *p);
  if (!p) abort();
  static const tow_base_callbacks *const tables[] = {NULL, &stream_callbacks.base, &buffered_callbacks.base,
                                                     &datagram_callbacks.base, &subprocess_callbacks.base};
  p->base.callbacks = tables[kind];
  p->buffer_size = sizeof p->buffer;
  p->on = on;
  p->memory = memory;
  return p;
}

static probe *start(tow_kind kind, int (*on)(probe *, const char *)) {
  probe *p = probe_new(tow_memory_new(NULL), kind, on);
  tow_loop_set_exception_handler(tow_memory_loop(p->memory), on_exception, p);
  tow_loop_set_log(tow_memory_loop(p->memory), on_log, p);
  return p;
}

probe *probe_open_with(tow_kind kind, const tow_memory_options *options, int (*on)(probe *, const char *), size_t pre) {
  probe *p = start(kind, on);
  p->peer = (kind == TOW_DATAGRAM ? tow_memory_open_endpoint
                                  : tow_memory_open)(p->memory, (tow_factory){probe_create, p}, options);
  if (pre > 0) send_bytes(p, pre);
  run(p);
  return p;
}

probe *probe_spawn(unsigned pipes, int (*on)(probe *, const char *)) {
  probe *p = start(TOW_SUBPROCESS, on);
  p->peer = tow_memory_spawn(p->memory, (tow_factory){probe_create, p}, pipes);
  return p;
}

probe *probe_open(tow_kind kind, const tow_memory_options *options, int (*on)(probe *, const char *)) {
  return probe_open_with(kind, options, on, 0);
}

probe *probe_other(probe *p, tow_kind kind) {
  p->other = probe_new(p->memory, kind, NULL);
  p->other->first = p;
  p->other->peer = p->peer;
  p->other->transport = p->transport;
  return p->other;
}

void probe_free(probe *p) {
  tow_memory_free(p->memory);
  free(p->other);
  free(p);
}

void run(probe *p) {
  tow_memory_run(p->memory);
}

static unsigned char pattern[1 << 20];

static const void *bytes(size_t size) {
  if (size > sizeof pattern) abort();
  for (size_t i = 0; i < size; i++)
    pattern[i] = (unsigned char)(i * 131 + (i >> 8) * 17 + 7);
  return pattern;
}

void send_bytes(probe *p, size_t size) {
  tow_memory_send(p->peer, bytes(size), size);
}

void write_bytes(probe *p, size_t size) {
  tow_transport_write(p->transport, bytes(size), size);
}

const char *log_of(probe *p) {
  static char copy[sizeof p->log];
  memcpy(copy, p->log, sizeof copy);
  p->used = 0;
  p->log[0] = '\0';
  return copy;
}
