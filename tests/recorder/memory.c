/* The drives without I/O: a scenario stepped by hand on the memory host, and a protocol fed from memory. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>
#include <towline/memory.h>

typedef struct stage {
  recorder *recorder;
  tow_memory *memory;
  far_end far;
  uint64_t sent; /* where the peer's pattern stands */
} stage;

static void print_sizes(stage *self) {
  line *line = &self->recorder->line;
  size_t count;
  const size_t *sizes = tow_memory_received_sizes(self->far.peer, &count);
  line_text(line, ",\"sizes\":[");
  for (size_t i = 0; i < count; i++) {
    if (i) line_text(line, ",");
    line_number(line, (int64_t)sizes[i]);
  }
  line_text(line, "]");
}

static void report(stage *self) {
  line *line = &self->recorder->line;
  size_t size;
  const void *data = far_end_received(&self->far, &size);
  line_text(line, "{\"peer\":\"report\",\"hex\":");
  line_hex(line, data, size);
  if (self->recorder->scenario.protos[0].kind == KIND_DATAGRAM)
    print_sizes(self);
  else
    line_text(line, far_end_received_eof(&self->far) ? ",\"eof\":true" : ",\"eof\":false");
  print_line(self->recorder);
}

static void run(stage *self, const step *step) {
  tow_error error = {.code = step->text ? tow_error_from_name(step->text) : 0, .message = step->text};
  size_t size;
  uint8_t *bytes;
  switch (step->id) {
  case STEP_PEER_SEND:
    bytes = payload(step, &self->sent, &size);
    far_end_send(&self->far, bytes, size);
    free(bytes);
    break;
  case STEP_PEER_EOF:
    far_end_eof(&self->far);
    break;
  case STEP_PEER_ERROR:
    far_end_error(&self->far, &error);
    break;
  case STEP_PEER_ACCEPT:
    far_end_accept(&self->far, (ptrdiff_t)step->n);
    break;
  case STEP_PEER_SEND_ERROR:
    tow_memory_fail_writes(self->far.peer, step->text ? &error : NULL);
    break;
  case STEP_PEER_REPORT:
    report(self);
    break;
  case STEP_ENV_RUN:
    far_end_run(&self->far, self->memory);
    break;
  default:
    run_op(self->recorder, step);
  }
}

static void print_step(recorder *self, size_t index, step_id id) {
  line *line = &self->line;
  line_text(line, "{\"step\":");
  line_number(line, (int64_t)index);
  line_text(line, ",\"do\":\"");
  line_text(line, step_who(id));
  line_text(line, ".");
  line_text(line, step_name(id));
  line_text(line, "\"");
  print_line(self);
}

static void run_steps(stage *self) {
  const scenario *scenario = &self->recorder->scenario;
  for (size_t i = 0; i < scenario->pre.count; i++)
    run(self, &scenario->pre.at[i]);
  far_end_run(&self->far, self->memory);
  for (size_t i = 0; i < scenario->steps.count; i++) {
    print_step(self->recorder, i, scenario->steps.at[i].id);
    run(self, &scenario->steps.at[i]);
  }
  report(self);
}

/* To the lowest transport: what it carries in frames is fed with the rest of the frames. */
static void feed_bytes(stage *self, const uint8_t *bytes, size_t size) {
  wire_bytes frames = {0};
  if (self->far.layer == LAYER_FRAMING)
    wire_data(&frames, bytes, size);
  else
    wire_add(&frames, bytes, size);
  tow_host_feed(tow_memory_transport(self->far.peer), frames.data, frames.size);
  wire_free(&frames);
}

static void feed(stage *self) {
  recorder *recorder = self->recorder;
  step all = {.n = recorder->scenario.data_size};
  size_t size;
  uint8_t *bytes = payload(&all, &self->sent, &size);
  recorder->feeding = true;
  far_end_run(&self->far, self->memory);
  feed_bytes(self, bytes, size);
  far_end_run(&self->far, self->memory);
  free(bytes);
  if (recorder->lost_code)
    print_raised(recorder, "feed", recorder->lost_code, recorder->lost_message);
  else
    print_op(recorder, "feed", "null");
}

/* Its capacity is the scenario's, if that says one. */
void open_on_memory(recorder *self, far_end *far, tow_memory *memory, tow_memory_options options) {
  if (self->scenario.send_capacity != SCENARIO_UNSET) options.capacity = (ptrdiff_t)self->scenario.send_capacity;
  static const char name[] = "peer";
  bool has_datagrams = self->scenario.protos[0].kind == KIND_DATAGRAM;
  far_end_layers(far, has_datagrams ? LAYER_NONE : self->layer, &options);
  if (has_datagrams) set_peer(self, name);
  if (has_datagrams && !self->scenario.is_bound) {
    options.connected_to.size = sizeof name - 1;
    memcpy(options.connected_to.bytes, name, sizeof name - 1);
  }
  far->peer = (has_datagrams ? tow_memory_open_endpoint : tow_memory_open)(memory, recorder_factory(self), &options);
  if (!far->peer) abort();
}

int recorder_run_memory(recorder *self) {
  stage stage = {.recorder = self, .memory = tow_memory_new(NULL)};
  if (!stage.memory) abort();
  open_on_memory(self, &stage.far, stage.memory, (tow_memory_options){.capacity = -1});
  if (self->scenario.protos[0].kind == KIND_FEED)
    feed(&stage);
  else
    run_steps(&stage);
  recorder_abort(self);
  tow_memory_free(stage.memory);
  far_end_free(&stage.far);
  return 0;
}
