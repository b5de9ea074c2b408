/* The recorder as a wasm module: what tests/trace.js calls. Lines go to the standard output; after the last one of a
 * real connection comes {"log":"ended"}. */
#include "../recorder/recorder.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct trace {
  recorder *recorder; /* NULL unless `status` is 0 */
  int status;
} trace;

static void print(void *context, const char *line, size_t size) {
  (void)context;
  fwrite(line, 1, size, stdout);
  fflush(stdout);
}

static void ended(void *context) {
  static const char line[] = "{\"log\":\"ended\"}\n";
  print(context, line, sizeof line - 1);
}

trace *trace_new(const char *text, size_t size);
int trace_status(const trace *self);
bool trace_is_memory(const trace *self);
void trace_frame(trace *self);
int trace_run(trace *self);
tow_protocol *trace_protocol(tow_loop *loop, trace *self);
void trace_open(trace *self, tow_loop *loop, const char *peer, size_t peer_size, const char *child, size_t child_size);
void trace_abort(trace *self);
void trace_free(trace *self);

trace *trace_new(const char *text, size_t size) {
  trace *self = calloc(1, sizeof *self);
  if (!self) abort();
  char why[160];
  self->recorder = recorder_new(text, size, print, self, &self->status, why);
  if (self->recorder)
    recorder_on_end(self->recorder, ended, self);
  else
    fprintf(stderr, "%s\n", why);
  return self;
}

int trace_status(const trace *self) {
  return self->recorder ? recorder_status(self->recorder) : self->status;
}
bool trace_is_memory(const trace *self) {
  return recorder_is_memory(self->recorder);
}

/* Towline framing under the protocol, without a real connection. */
void trace_frame(trace *self) {
  recorder_set_layer(self->recorder, LAYER_FRAMING);
}

/* Without a real connection: stepped, or with the peer played on the memory host. */
int trace_run(trace *self) {
  return recorder_is_memory(self->recorder) ? recorder_run_memory(self->recorder)
                                            : recorder_run_memory_peer(self->recorder);
}

/* The constructor of the module's protocol; the context is the trace. */
tow_protocol *trace_protocol(tow_loop *loop, trace *self) {
  tow_factory factory = recorder_factory(self->recorder);
  return factory.create(loop, factory.context);
}

/* Both texts end with a NUL that their size does not count. */
void trace_open(trace *self, tow_loop *loop, const char *peer, size_t peer_size, const char *child, size_t child_size) {
  (void)peer_size, (void)child_size;
  recorder_open(self->recorder, loop, peer, child);
}

void trace_abort(trace *self) {
  recorder_abort(self->recorder);
}

/* The connection must be lost. */
void trace_free(trace *self) {
  if (self->recorder) recorder_free(self->recorder);
  free(self);
}
