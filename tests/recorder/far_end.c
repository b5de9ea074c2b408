#include "far_end.h"
#include "../unit/pass_layer.h"
#include <stdlib.h>

/* The first credit is the scenario's capacity, so that it is there in connection_made; credit is given for all that is
 * read, so that pausing is what holds the peer back. */
void far_end_layers(far_end *self, recorder_layer layer, tow_memory_options *options) {
  static const tow_framing_layering framing = TOW_FRAMING_LAYERING;
  self->layer = layer;
  self->framing = framing;
  self->heard = wire_new();
  if (layer == LAYER_PASS) options->layers = &pass_layering;
  if (layer != LAYER_FRAMING) return;
  options->layers = &self->framing.layering;
  self->framing.window = 16u << 20;
  self->framing.keepalive = 0;
  self->framing.credit = options->capacity < 0 ? WIRE_MOST_CREDIT : (size_t)options->capacity;
  self->heard.allowed = self->framing.credit;
  options->capacity = -1;
}

void far_end_free(far_end *self) {
  wire_close(&self->heard);
  wire_free(&self->waiting);
}

static void hear(far_end *self) {
  size_t size;
  const uint8_t *bytes = tow_memory_received(self->peer, &size);
  if (size > self->heard_size) wire_hear(&self->heard, bytes + self->heard_size, size - self->heard_size);
  self->heard_size = size;
  if (self->heard.wrong) abort();
}

static void say(far_end *self, wire_bytes *frames) {
  tow_memory_send(self->peer, frames->data, frames->size);
  wire_free(frames);
}

/* Says what waits, as far as there is credit. Answers whether anything was said. */
static bool say_waiting(far_end *self) {
  wire_bytes frames = {0};
  uint64_t credit = WIRE_FIRST_CREDIT + self->heard.credit - self->sent;
  size_t size = self->waiting.size < credit ? self->waiting.size : (size_t)credit;
  wire_data(&frames, self->waiting.data, size);
  self->sent += size;
  self->waiting.size -= size;
  for (size_t i = 0; i < self->waiting.size; i++)
    self->waiting.data[i] = self->waiting.data[size + i];
  bool is_said = self->waiting.size == 0;
  if (is_said && self->has_eof) wire_end(&frames);
  bool has_said = frames.size > 0 || (is_said && self->has_error);
  say(self, &frames);
  if (is_said && self->has_error) tow_memory_send_error(self->peer, &self->error);
  if (is_said) self->has_eof = self->has_error = false;
  return has_said;
}

void far_end_send(far_end *self, const void *data, size_t size) {
  if (self->layer != LAYER_FRAMING) {
    tow_memory_send(self->peer, data, size);
    return;
  }
  wire_add(&self->waiting, data, size);
  hear(self);
  say_waiting(self);
}

void far_end_eof(far_end *self) {
  if (self->layer != LAYER_FRAMING) {
    tow_memory_send_eof(self->peer);
    return;
  }
  self->has_eof = true;
  say_waiting(self);
}

void far_end_error(far_end *self, const tow_error *error) {
  self->error = *error;
  self->has_error = true;
  if (self->layer == LAYER_FRAMING)
    say_waiting(self);
  else
    tow_memory_send_error(self->peer, error);
}

void far_end_accept(far_end *self, ptrdiff_t size) {
  if (self->layer != LAYER_FRAMING) {
    tow_memory_accept(self->peer, size);
    return;
  }
  hear(self);
  wire_bytes frames = {0};
  uint64_t most = WIRE_MOST_CREDIT - (self->heard.allowed - self->heard.announced);
  uint64_t more = size < 0 || (uint64_t)size > most ? most : (uint64_t)size;
  if (more == 0) return;
  self->heard.allowed += more;
  wire_credit(&frames, (uint32_t)more);
  say(self, &frames);
}

const void *far_end_received(far_end *self, size_t *size) {
  if (self->layer != LAYER_FRAMING) return tow_memory_received(self->peer, size);
  hear(self);
  *size = self->heard.data.size;
  return self->heard.data.data;
}

bool far_end_received_eof(far_end *self) {
  if (self->layer == LAYER_FRAMING) hear(self);
  return self->heard.ended || tow_memory_received_eof(self->peer);
}

void far_end_run(far_end *self, tow_memory *memory) {
  do {
    tow_memory_run(memory);
    if (self->layer == LAYER_FRAMING) hear(self);
  } while (self->layer == LAYER_FRAMING && say_waiting(self));
}
