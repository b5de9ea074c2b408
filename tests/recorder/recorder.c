#include "internal.h"
#include <stdlib.h>

recorder *recorder_new(const char *text, size_t size, recorder_print print, void *context, int *status, char why[160]) {
  recorder *self = calloc(1, sizeof *self);
  if (!self) abort();
  self->print = print;
  self->context = context;
  *status = scenario_load(&self->scenario, text, size, why);
  if (*status) {
    scenario_unload(&self->scenario);
    free(self);
    return NULL;
  }
  for (int i = 0; i <= self->scenario.has_second; i++)
    recording_init(&self->recordings[i], self, &self->scenario.protos[i]);
  return self;
}

void recorder_free(recorder *self) {
  for (int i = 0; i <= self->scenario.has_second; i++)
    recording_free(&self->recordings[i]);
  free_ops(self);
  free(self->line.text);
  scenario_unload(&self->scenario);
  free(self);
}

void recorder_set_layer(recorder *self, recorder_layer layer) {
  self->layer = layer;
}

bool recorder_is_memory(const recorder *self) {
  return self->scenario.is_memory || self->scenario.protos[0].kind == KIND_FEED;
}

static tow_protocol *create(tow_loop *loop, void *context) {
  (void)loop;
  return &((recorder *)context)->recordings[0].base;
}

tow_factory recorder_factory(recorder *self) {
  return (tow_factory){create, self};
}

void recorder_on_end(recorder *self, void (*ended)(void *context), void *context) {
  self->on_end = ended;
  self->on_end_context = context;
}

bool recorder_is_write_pipe(const recorder *self) {
  return self->scenario.is_write_pipe;
}

int recorder_status(const recorder *self) {
  return self->status;
}

void recorder_abort(recorder *self) {
  self->muted = true;
  if (!self->transport) return;
  tow_handle_cancel(&self->advance);
  tow_handle_cancel(&self->alarm);
  cancel_laters(self);
  release_pipes(self);
  tow_transport_abort(self->transport);
  tow_transport_unref(self->transport);
  self->transport = NULL;
}
