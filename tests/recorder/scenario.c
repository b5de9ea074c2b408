#include "reader.h"
#include <stdlib.h>
#include <string.h>

#define CALLBACK_NAME(id, name) [id] = name,
static const char *const callback_names[] = {CALLBACKS(CALLBACK_NAME)};
#undef CALLBACK_NAME

const char *callback_name(callback cb) {
  return callback_names[cb];
}

/* "data_received" or "data_received#3" */
static bool read_trigger(reader *self, int key, trigger *one) {
  const char *name = string_at(self, key, NULL);
  if (!name) return fail(self, "out of memory", NULL);
  const char *mark = strchr(name, '#');
  size_t size = mark ? (size_t)(mark - name) : strlen(name);
  one->nth = mark ? strtol(mark + 1, NULL, 10) : 1;
  if (one->nth < 1) return fail(self, "not a callback's number", name);
  return find_callback(self, name, size, &one->cb) && read_steps(self, key + 1, "proto", &one->steps);
}

static bool read_script(reader *self, int node, script *one) {
  const json *json = &self->json;
  if (node == JSON_ABSENT) return fail(self, "missing", "proto");
  if (!json_is_object(json, node)) return fail(self, "proto is no object", NULL);
  one->eof_answer = json_is_true(json, json_get(json, node, "eof_returns"));
  if (json_get(json, node, "buffer_sizes") != JSON_ABSENT) {
    if (!numbers(self, node, "buffer_sizes", &one->buffer_sizes, &one->buffer_count)) return false;
  }
  if (!one->buffer_count) {
    if (!(one->buffer_sizes = allocate(self, 1, sizeof *one->buffer_sizes))) return false;
    one->buffer_sizes[one->buffer_count++] = 65536;
  }
  int on = json_get(json, node, "on");
  one->triggers = allocate(self, json_size(json, on), sizeof *one->triggers);
  for (int at = json_first(json, on); one->triggers && at != JSON_ABSENT; at = json_next(json, on, at))
    if (!read_trigger(self, at, &one->triggers[one->trigger_count++])) return false;
  return one->triggers != NULL;
}

static bool read_kind(reader *self, int object, const char *otherwise, kind *kind) {
  static const char *const words[] = {"stream", "buffered", "feed", "datagram", "subprocess"};
  const char *given = string(self, object, "kind", NULL);
  int found;
  if (!word(self, given ? given : otherwise, words, KIND_COUNT, &found)) return false;
  *kind = (enum kind)found;
  return true;
}

/* What the child is, and what its descriptors are. */
static bool read_child(reader *self) {
  scenario *scenario = self->scenario;
  const json *json = &self->json;
  static const char *const words[] = {"pipe", "null", "stdout"};
  scenario->child_path = string(self, JSON_ROOT, "child_path", NULL);
  int array = json_get(json, JSON_ROOT, "stdio"), at = json_first(json, array);
  for (int fd = 0; fd < 3 && at != JSON_ABSENT; fd++, at = json_next(json, array, at)) {
    int found;
    if (!word(self, string_at(self, at, NULL), words, fd == 2 ? STDIO_COUNT : STDIO_STDOUT, &found)) return false;
    scenario->stdio[fd] = (enum stdio)found;
  }
  return strings(self, JSON_ROOT, "child", &scenario->child);
}

static void read_words(reader *self) {
  scenario *scenario = self->scenario;
  const json *json = &self->json;
  const char *drive = string(self, JSON_ROOT, "drive", NULL), *transport = string(self, JSON_ROOT, "transport", NULL);
  int half_close = json_get(json, JSON_ROOT, "half_close");
  scenario->is_memory = drive && !strcmp(drive, "mem");
  scenario->is_bound = transport && !strcmp(transport, "udp-bound");
  scenario->is_write_pipe = transport && !strcmp(transport, "pipe_w");
  scenario->no_half_close = half_close != JSON_ABSENT && !json_is_true(json, half_close);
  scenario->refuses = json_is_true(json, json_get(json, JSON_ROOT, "refuse"));
  scenario->cancels = json_is_true(json, json_get(json, JSON_ROOT, "cancel"));
}

static bool read_scenario(reader *self) {
  scenario *scenario = self->scenario;
  const json *json = &self->json;
  int second = json_get(json, JSON_ROOT, "proto2");
  scenario->has_second = second != JSON_ABSENT;
  scenario->send_capacity = SCENARIO_UNSET;
  read_words(self);
  return read_kind(self, JSON_ROOT, NULL, &scenario->protos[0].kind) &&
         (!scenario->has_second || read_kind(self, second, "stream", &scenario->protos[1].kind)) &&
         number(self, JSON_ROOT, "timeout", 1, 60000, &scenario->timeout) &&
         number(self, JSON_ROOT, "send_capacity", -1, MOST_BYTES, &scenario->send_capacity) &&
         number(self, JSON_ROOT, "data_len", 0, MOST_BYTES, &scenario->data_size) && read_child(self) &&
         read_script(self, json_get(json, JSON_ROOT, "proto"), &scenario->protos[0]) &&
         (!scenario->has_second || read_script(self, second, &scenario->protos[1])) &&
         read_steps(self, json_get(json, JSON_ROOT, "pre"), "peer", &scenario->pre) &&
         read_steps(self, json_get(json, JSON_ROOT, "steps"), NULL, &scenario->steps) &&
         read_steps(self, json_get(json, JSON_ROOT, "peer_steps"), "peer", &scenario->peer_steps);
}

int scenario_load(scenario *self, const char *text, size_t size, char why[160]) {
  *self = (scenario){0};
  reader reader = {.scenario = self, .why = why};
  why[0] = 0;
  if (!json_parse(&reader.json, text, size)) {
    fail(&reader, "not a JSON object", NULL);
    return SCENARIO_MALFORMED;
  }
  bool fine = read_scenario(&reader);
  json_free(&reader.json);
  if (fine && self->is_memory && self->protos[0].kind == KIND_SUBPROCESS) {
    fail(&reader, "a subprocess is no matter of memory", NULL);
    return SCENARIO_UNSUPPORTED;
  }
  return fine ? SCENARIO_LOADED : SCENARIO_MALFORMED;
}
