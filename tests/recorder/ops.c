/* What the protocol does: the steps {"proto": ...}. */
#include "internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int writelines(recorder *self, const step *step) {
  tow_iovec *lines = calloc(step->ns_count + 1, sizeof *lines);
  size_t total = 0;
  for (size_t i = 0; i < step->ns_count; i++)
    total += (size_t)step->ns[i];
  uint8_t *bytes = malloc(total + 1), *at = bytes;
  if (!lines || !bytes) abort();
  pattern_fill(bytes, self->written, total);
  self->written += total;
  for (size_t i = 0; i < step->ns_count; at += step->ns[i++])
    lines[i] = (tow_iovec){at, (size_t)step->ns[i]};
  int answer = tow_transport_writelines(self->transport, lines, step->ns_count);
  free(bytes);
  free(lines);
  return answer;
}

/* The bytes are freed at once: what the transport has not taken by then is found out [W2, D5]. */
static int write(recorder *self, const step *step) {
  size_t size;
  uint8_t *bytes = payload(step, &self->written, &size);
  int answer = step->id == STEP_SENDTO
                   ? tow_transport_sendto(self->transport, bytes, size, &self->addressees[step->addressee])
                   : tow_transport_write(self->transport, bytes, size);
  free(bytes);
  return answer;
}

void find_peers(recorder *self) {
  if (self->scenario.protos[0].kind != KIND_DATAGRAM) return;
  tow_transport_parse_peer(self->transport, self->peer, &self->addressees[TO_PEER]);
  tow_peer *other = &self->addressees[TO_OTHER]; /* by its address, or its name in a room */
  if (tow_transport_parse_peer(self->transport, "127.0.0.1:9", other))
    tow_transport_parse_peer(self->transport, "nobody", other);
}

static int write_until_paused(recorder *self, const step *each) {
  int64_t total = 0;
  int answer = 0;
  while (!answer && !self->writing_paused && total < each->max) {
    step one = {.id = STEP_WRITE, .n = each->max - total < each->chunk ? each->max - total : each->chunk};
    answer = write(self, &one);
    total += one.n;
  }
  if (!answer) print_op_number(self, step_name(each->id), total);
  return answer;
}

static ptrdiff_t limit(int64_t value) {
  return value == SCENARIO_UNSET   ? TOW_UNSET
         : value > PTRDIFF_MAX     ? PTRDIFF_MAX
         : value < PTRDIFF_MIN + 1 ? PTRDIFF_MIN + 1
                                   : (ptrdiff_t)value;
}

void print_bool(recorder *self, const step *step, bool value) {
  print_op(self, step_name(step->id), value ? "true" : "false");
}

static void print_limits(recorder *self, const step *step) {
  size_t low, high;
  tow_transport_get_write_buffer_limits(self->transport, &low, &high);
  char value[64];
  snprintf(value, sizeof value, "[%zu,%zu]", low, high);
  print_op(self, step_name(step->id), value);
}

/* Whether there is an answer: what it says is the host's own affair. */
static int print_extra_info(recorder *self, const step *step) {
  char value[256];
  int answer = tow_transport_get_extra_info(self->transport, step->text, value, sizeof value);
  if (answer >= 0) print_bool(self, step, true);
  return answer;
}

static void mark(recorder *self, const char *label) {
  line_text(&self->line, "{\"op\":\"mark\",\"label\":");
  line_quoted(&self->line, label, strlen(label));
  print_line(self);
  self->marks = realloc(self->marks, (self->mark_count + 1) * sizeof *self->marks);
  if (!self->marks || !(self->marks[self->mark_count] = malloc(strlen(label) + 1))) abort();
  strcpy(self->marks[self->mark_count++], label);
  steps_notice(self);
}

bool has_mark(const recorder *self, const char *label) {
  for (size_t i = 0; i < self->mark_count; i++)
    if (!strcmp(self->marks[i], label)) return true;
  return false;
}

/* A call for later, which prints its mark. */
typedef struct later {
  tow_handle handle;
  struct later *next;
  recorder *recorder;
  const char *label;
} later;

static int run_later(void *context) {
  later *self = context;
  mark(self->recorder, self->label);
  return 0;
}

static void schedule(recorder *self, const step *step) {
  later *one = calloc(1, sizeof *one);
  if (!one) abort();
  *one = (later){.next = self->laters, .recorder = self, .label = step->text};
  self->laters = one;
  if (step->id == STEP_CALL_SOON)
    tow_loop_call_soon(self->loop, &one->handle, run_later, one);
  else
    tow_loop_call_later(self->loop, &one->handle, (double)step->ms, run_later, one);
}

void cancel_laters(recorder *self) {
  for (later *one = self->laters; one; one = one->next)
    tow_handle_cancel(&one->handle);
}

void free_ops(recorder *self) {
  while (self->laters) {
    later *one = self->laters;
    self->laters = one->next;
    free(one);
  }
  while (self->mark_count)
    free(self->marks[--self->mark_count]);
  free(self->marks);
}

static int run(recorder *self, const step *step) {
  tow_transport *transport = self->transport;
  switch (step->id) {
  case STEP_WRITE:
  case STEP_SENDTO:
    return write(self, step);
  case STEP_WRITELINES:
    return writelines(self, step);
  case STEP_WRITE_UNTIL_PAUSED:
    return write_until_paused(self, step);
  case STEP_WRITE_EOF:
    return tow_transport_write_eof(transport);
  case STEP_CLOSE:
    tow_transport_close(transport);
    return 0;
  case STEP_ABORT:
    tow_transport_abort(transport);
    return 0;
  case STEP_PAUSE_READING:
    tow_transport_pause_reading(transport);
    return 0;
  case STEP_RESUME_READING:
    tow_transport_resume_reading(transport);
    return 0;
  case STEP_IS_READING:
    print_bool(self, step, tow_transport_is_reading(transport));
    return 0;
  case STEP_IS_CLOSING:
    print_bool(self, step, tow_transport_is_closing(transport));
    return 0;
  case STEP_CAN_WRITE_EOF:
    print_bool(self, step, tow_transport_can_write_eof(transport));
    return 0;
  case STEP_GET_WRITE_BUFFER_SIZE:
    print_op_number(self, step_name(step->id), (int64_t)tow_transport_get_write_buffer_size(transport));
    return 0;
  case STEP_GET_WRITE_BUFFER_LIMITS:
    print_limits(self, step);
    return 0;
  case STEP_SET_WRITE_BUFFER_LIMITS:
    return tow_transport_set_write_buffer_limits(transport, limit(step->high), limit(step->low));
  case STEP_SET_PROTOCOL:
    return tow_transport_set_protocol(transport, &self->recordings[step->to - 1].base);
  case STEP_GET_EXTRA_INFO:
    return print_extra_info(self, step);
  case STEP_CALL_SOON:
  case STEP_CALL_LATER:
    schedule(self, step);
    return 0;
  case STEP_MARK:
    mark(self, step->text);
    return 0;
  default:
    return run_child_op(self, step);
  }
}

int run_op(recorder *self, const step *step) {
  if (step->id == STEP_RAISE) return -1;
  int answer = run(self, step);
  if (answer < 0) print_raised(self, step_name(step->id), answer, NULL);
  return 0;
}

int run_ops(recorder *self, const step_list *list) {
  for (size_t i = 0; i < list->count; i++)
    if (run_op(self, &list->at[i]) < 0) return -1;
  return 0;
}
