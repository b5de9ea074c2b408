/* The steps over a real connection: nothing blocks, a step that waits is taken up again when a callback has brought
 * what it waits for. */
#include "internal.h"
#include <string.h>

static const double LONGEST_WAIT = 10000;

static bool is_met(const recorder *self, const step *step) {
  switch (step->id) {
  case STEP_ENV_WAIT:
    return self->calls[step->cb] >= step->count;
  case STEP_ENV_WAIT_BYTES:
    return self->bytes >= step->n;
  case STEP_ENV_WAIT_MARK:
    return has_mark(self, step->text);
  default:
    return true;
  }
}

void steps_end(recorder *self) {
  self->ended = self->muted = true;
  if (self->on_end) self->on_end(self->on_end_context);
}

static void print_timeout(recorder *self) {
  const step *step = &self->scenario.steps.at[self->next];
  const char *name = step->id == STEP_ENV_WAIT ? callback_name(step->cb) : step_name(step->id);
  line_text(&self->line, "{\"env\":\"timeout\",\"step\":");
  line_number(&self->line, (int64_t)self->next);
  line_text(&self->line, ",\"waiting\":");
  line_quoted(&self->line, name, strlen(name));
  print_line(self);
}

static int advance(void *context);

/* The end of a sleep, or of patience. */
static int alarm(void *context) {
  recorder *self = context;
  self->waiting = false;
  if (self->scenario.steps.at[self->next].id == STEP_ENV_SLEEP) {
    self->next++;
    return advance(self);
  }
  print_timeout(self);
  steps_end(self);
  return 0;
}

static bool writes(const step *step) {
  return step->id == STEP_WRITE || step->id == STEP_WRITELINES || step->id == STEP_WRITE_UNTIL_PAUSED ||
         step->id == STEP_PIPE_WRITE;
}

/* What would overtake bytes that the host holds back until this callback returns [W7]. */
static bool overtakes(const step *step) {
  return step->id == STEP_ABORT || step->id == STEP_SEND_SIGNAL || step->id == STEP_TERMINATE || step->id == STEP_KILL;
}

static int advance(void *context) {
  recorder *self = context;
  const step_list *steps = &self->scenario.steps;
  bool has_written = false;
  for (; !self->ended && self->next < steps->count; self->next++) {
    const step *step = &steps->at[self->next];
    bool sleeps = step->id == STEP_ENV_SLEEP;
    if (sleeps || !is_met(self, step)) {
      self->waiting = true;
      tow_loop_call_later(self->loop, &self->alarm, sleeps ? (double)step->ms : LONGEST_WAIT, alarm, self);
      return 0;
    }
    if (has_written && overtakes(step)) {
      tow_loop_call_soon(self->loop, &self->advance, advance, self);
      return 0;
    }
    has_written = has_written || writes(step);
    run_op(self, step);
  }
  if (!self->ended) steps_end(self);
  return 0;
}

void steps_begin(recorder *self) {
  bool is_child = self->scenario.protos[0].kind == KIND_SUBPROCESS;
  if (is_child || self->laters || tow_transport_is_closing(self->transport))
    tow_loop_call_soon(self->loop, &self->advance, advance, self);
  else
    advance(self);
}

void steps_notice(recorder *self) {
  if (!self->waiting || self->ended) return;
  const step *step = &self->scenario.steps.at[self->next];
  if (step->id == STEP_ENV_SLEEP || !is_met(self, step)) return;
  self->waiting = false;
  tow_handle_cancel(&self->alarm);
  tow_loop_call_soon(self->loop, &self->advance, advance, self);
}
