#include "automaton.h"

#define NAME(id, name) [id] = name,
static const char *const event_names[] = {EVENTS(NAME)};
static const char *const rule_names[] = {RULES(NAME)};
#undef NAME

const char *event_name(event which) {
  return event_names[which];
}
const char *rule_name(rule which) {
  return rule_names[which];
}

static void never(automaton *self, rule which, bool is_broken) {
  if (is_broken) self->broken |= (uint32_t)1 << which;
}

static void data(automaton *self) {
  never(self, DATA_AFTER_EOF, self->calls[ER] > 0);
}

static void lost(automaton *self) {
  if (!self->is_process) return;
  never(self, LOST_BEFORE_EXITED, !self->calls[PX]);
  never(self, LOST_BEFORE_PIPES, self->pipes & ~self->lost_pipes);
}

static void updated(automaton *self, ptrdiff_t n) {
  data(self);
  never(self, UPDATED_WITHOUT_GET, !self->lent);
  never(self, UPDATED_TOO_LARGE, self->lent && n > self->loan);
  never(self, UPDATED_NONPOSITIVE, n <= 0);
  self->lent = false;
}

static void get_buffer(automaton *self, ptrdiff_t n, ptrdiff_t hint) {
  never(self, BAD_SIZEHINT, hint != -1 && hint <= 0);
  never(self, HINT_NOT_ANY, self->always_any && hint != -1);
  self->lent = true;
  self->loan = n;
}

static void once(automaton *self, event which, rule broken) {
  never(self, broken, self->calls[which] > 1);
}

void automaton_step(automaton *self, event which, ptrdiff_t n, ptrdiff_t hint, int who) {
  uint64_t protocol = (uint64_t)1 << who;
  unsigned pipe = 1u << (who & 31);
  never(self, BEFORE_MADE, which != CM && !self->calls[CM]);
  never(self, AFTER_LOST, which != CL && self->calls[CL]);
  self->calls[which]++;
  once(self, CM, MADE_TWICE);
  once(self, CL, LOST_TWICE);
  once(self, ER, EOF_TWICE);
  once(self, PX, EXITED_TWICE);
  switch (which) {
  case CL:
    lost(self);
    break;
  case DR:
    data(self);
    never(self, DATA_EMPTY, n == 0);
    break;
  case BU:
    updated(self, n);
    break;
  case GB:
    get_buffer(self, n, hint);
    break;
  case PW:
    never(self, PAUSE_TWICE, self->paused & protocol);
    self->paused |= protocol;
    break;
  case RW:
    never(self, RESUME_WITHOUT_PAUSE, !(self->paused & protocol));
    self->paused &= ~protocol;
    break;
  case PD:
    self->pipes |= pipe;
    never(self, PIPE_DATA_AFTER_LOST, self->lost_pipes & pipe);
    break;
  case PL:
    self->pipes |= pipe;
    never(self, PIPE_LOST_TWICE, self->lost_pipes & pipe);
    self->lost_pipes |= pipe;
    break;
  default:
    break;
  }
}
