/* The drives without I/O: a scenario stepped by hand on the memory host, and a protocol fed from memory. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>
#include <towline/memory.h>

typedef struct stage {
  recorder *recorder;
  tow_memory *memory;
  tow_memory_peer *peer;
  uint64_t sent; /* where the peer's pattern stands */
} stage;

static void print_sizes(stage *self) {
  line *line = &self->recorder->line;
  size_t count;
  const size_t *sizes = tow_memory_received_sizes(self->peer, &count);
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
  const void *data = tow_memory_received(self->peer, &size);
  line_text(line, "{\"peer\":\"report\",\"hex\":");
  line_hex(line, data, size);
  if (self->recorder->scenario.protos[0].kind == KIND_DATAGRAM)
    print_sizes(self);
  else
    line_text(line, tow_memory_received_eof(self->peer) ? ",\"eof\":true" : ",\"eof\":false");
  print_line(self->recorder);
}

static void run(stage *self, const step *step) {
  tow_error error = {.code = step->text ? tow_error_from_name(step->text) : 0, .message = step->text};
  size_t size;
  uint8_t *bytes;
  switch (step->id) {
  case STEP_PEER_SEND:
    bytes = payload(step, &self->sent, &size);
    tow_memory_send(self->peer, bytes, size);
    free(bytes);
    break;
  case STEP_PEER_EOF:
    tow_memory_send_eof(self->peer);
    break;
  case STEP_PEER_ERROR:
    tow_memory_send_error(self->peer, &error);
    break;
  case STEP_PEER_ACCEPT:
    tow_memory_accept(self->peer, (ptrdiff_t)step->n);
    break;
  case STEP_PEER_SEND_ERROR:
    tow_memory_fail_writes(self->peer, step->text ? &error : NULL);
    break;
  case STEP_PEER_REPORT:
    report(self);
    break;
  case STEP_ENV_RUN:
    tow_memory_run(self->memory);
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
  tow_memory_run(self->memory);
  for (size_t i = 0; i < scenario->steps.count; i++) {
    print_step(self->recorder, i, scenario->steps.at[i].id);
    run(self, &scenario->steps.at[i]);
  }
  report(self);
}

static void feed(stage *self) {
  recorder *recorder = self->recorder;
  step all = {.n = recorder->scenario.data_size};
  size_t size;
  uint8_t *bytes = payload(&all, &self->sent, &size);
  recorder->feeding = true;
  tow_memory_run(self->memory);
  tow_host_feed(tow_memory_transport(self->peer), bytes, size);
  tow_memory_run(self->memory);
  free(bytes);
  if (recorder->lost_code)
    print_raised(recorder, "feed", recorder->lost_code, recorder->lost_message);
  else
    print_op(recorder, "feed", "null");
}

/* Its capacity is the scenario's, if that says one. */
tow_memory_peer *open_on_memory(recorder *self, tow_memory *memory, tow_memory_options options) {
  if (self->scenario.send_capacity != SCENARIO_UNSET) options.capacity = (ptrdiff_t)self->scenario.send_capacity;
  if (self->scenario.protos[0].kind != KIND_DATAGRAM) return tow_memory_open(memory, recorder_factory(self), &options);
  static const char name[] = "peer";
  set_peer(self, name);
  if (!self->scenario.is_bound) {
    options.connected_to.size = sizeof name - 1;
    memcpy(options.connected_to.bytes, name, sizeof name - 1);
  }
  return tow_memory_open_endpoint(memory, recorder_factory(self), &options);
}

int recorder_run_memory(recorder *self) {
  const tow_memory_options options = {.capacity = -1};
  stage stage = {.recorder = self, .memory = tow_memory_new(NULL)};
  if (!stage.memory || !(stage.peer = open_on_memory(self, stage.memory, options))) abort();
  if (self->scenario.protos[0].kind == KIND_FEED)
    feed(&stage);
  else
    run_steps(&stage);
  recorder_abort(self);
  tow_memory_free(stage.memory);
  return 0;
}
