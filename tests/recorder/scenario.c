#include "scenario.h"
#include "json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 30 };

enum { N = 1, PAYLOAD = 2, NS = 4, CHUNK = 8, LIMITS = 16, TO = 32, LABEL = 64, ERRNO = 128, CB = 256, MS = 512 };

#define CALLBACK_NAME(id, name) [id] = name,
static const char *const callback_names[] = {CALLBACKS(CALLBACK_NAME)};
#undef CALLBACK_NAME

#define STEP_ROW(id, who, name, arguments) [STEP_##id] = {who, name, arguments},
static const struct {
  const char *who, *name;
  unsigned arguments;
} step_rows[] = {STEPS(STEP_ROW)};
#undef STEP_ROW

const char *callback_name(callback cb) {
  return callback_names[cb];
}
const char *step_who(step_id id) {
  return step_rows[id].who;
}
const char *step_name(step_id id) {
  return step_rows[id].name;
}

typedef struct block {
  struct block *next;
  void *memory;
} block;

typedef struct reader {
  scenario *scenario;
  json json;
  char *why;
} reader;

/* Failing: the first sentence stays. */
static bool fail(reader *self, const char *what, const char *name) {
  if (!self->why[0]) snprintf(self->why, 160, "%s%s%.60s", what, name ? ": " : "", name ? name : "");
  return false;
}

static void *keep(reader *self, void *memory) {
  block *one = memory ? malloc(sizeof *one) : NULL;
  if (!one) {
    free(memory);
    fail(self, "out of memory", NULL);
    return NULL;
  }
  *one = (block){self->scenario->blocks, memory};
  self->scenario->blocks = one;
  return memory;
}

static void *allocate(reader *self, int count, size_t size) {
  return keep(self, calloc((size_t)count + 1, size)); /* never of size 0, which may answer NULL */
}

/* An absent number keeps its default. */
static bool number(reader *self, int object, const char *key, int64_t least, int64_t most, int64_t *value) {
  int node = json_get(&self->json, object, key);
  if (node == JSON_ABSENT || json_is_null(&self->json, node)) return true;
  return (json_integer(&self->json, node, value) && *value >= least && *value <= most) ||
         fail(self, "not a number in range", key);
}

static bool needed(reader *self, int object, const char *key, int64_t least, int64_t most, int64_t *value) {
  int64_t given = SCENARIO_UNSET;
  if (!number(self, object, key, least, most, &given)) return false;
  *value = given;
  return given != SCENARIO_UNSET || fail(self, "missing", key);
}

static bool numbers(reader *self, int object, const char *key, int64_t **values, size_t *count) {
  int array = json_get(&self->json, object, key);
  if (!json_is_array(&self->json, array)) return fail(self, "missing a list of numbers", key);
  *values = allocate(self, json_size(&self->json, array), sizeof **values);
  for (int at = json_first(&self->json, array); *values && at != JSON_ABSENT; at = json_next(&self->json, array, at)) {
    int64_t value;
    if (!json_integer(&self->json, at, &value) || value < 0 || value > MOST_BYTES)
      return fail(self, "not a number in range", key);
    (*values)[(*count)++] = value;
  }
  return *values != NULL;
}

static char *string(reader *self, int object, const char *key, size_t *size) {
  char *found = json_string(&self->json, json_get(&self->json, object, key), size);
  return found ? keep(self, found) : NULL;
}

static bool find_callback(reader *self, const char *name, size_t size, callback *cb) {
  for (unsigned i = 0; i < CALLBACK_COUNT; i++)
    if (strlen(callback_names[i]) == size && !memcmp(callback_names[i], name, size)) {
      *cb = (callback)i;
      return true;
    }
  return fail(self, "unknown callback", name);
}

static bool read_arguments(reader *self, int node, step *one) {
  unsigned arguments = step_rows[one->id].arguments;
  one->high = one->low = SCENARIO_UNSET;
  one->count = 1;
  if (arguments & PAYLOAD) {
    one->text = string(self, node, "text", &one->text_size);
    if (!one->text && !needed(self, node, "n", 0, MOST_BYTES, &one->n)) return false;
  }
  if (arguments & LABEL && !(one->text = string(self, node, "label", &one->text_size)))
    return fail(self, "missing", "label");
  if (arguments & ERRNO) {
    one->text = string(self, node, "errno", &one->text_size);
    if (!one->text && !json_is_null(&self->json, json_get(&self->json, node, "errno")))
      return fail(self, "missing", "errno");
  }
  if (arguments & CB) {
    const char *name = string(self, node, "cb", NULL);
    if (!name || !find_callback(self, name, strlen(name), &one->cb)) return fail(self, "missing", "cb");
  }
  int64_t to = 2;
  bool fine = (!(arguments & N) || needed(self, node, "n", -1, MOST_BYTES, &one->n)) &&
              (!(arguments & NS) || numbers(self, node, "ns", &one->ns, &one->ns_count)) &&
              (!(arguments & CHUNK) || (needed(self, node, "chunk", 1, MOST_BYTES, &one->chunk) &&
                                        needed(self, node, "max", 0, MOST_BYTES, &one->max))) &&
              (!(arguments & LIMITS) || (number(self, node, "high", INT64_MIN + 1, INT64_MAX, &one->high) &&
                                         number(self, node, "low", INT64_MIN + 1, INT64_MAX, &one->low))) &&
              (!(arguments & TO) || needed(self, node, "to", 1, 2, &to)) &&
              (!(arguments & CB) || number(self, node, "count", 1, MOST_BYTES, &one->count)) &&
              (!(arguments & MS) || needed(self, node, "ms", 0, 60000, &one->ms));
  one->to = (int)to;
  return fine && (one->to == 1 || !(arguments & TO) || self->scenario->has_second || fail(self, "missing", "proto2"));
}

static bool read_step(reader *self, int node, step *one) {
  static const char *const everyone[] = {"proto", "peer", "env"};
  for (unsigned w = 0; w < 3; w++) {
    const char *name = string(self, node, everyone[w], NULL);
    for (unsigned i = 0; name && i < STEP_COUNT; i++)
      if (!strcmp(step_rows[i].who, everyone[w]) && !strcmp(step_rows[i].name, name)) {
        one->id = (step_id)i;
        return read_arguments(self, node, one);
      }
    if (name) return fail(self, "unknown step", name);
  }
  return fail(self, "a step of nobody", NULL);
}

/* An absent list is an empty one. */
static bool read_steps(reader *self, int array, const char *who, step_list *list) {
  if (array == JSON_ABSENT) return true;
  if (!json_is_array(&self->json, array)) return fail(self, "steps are no list", NULL);
  list->at = allocate(self, json_size(&self->json, array), sizeof *list->at);
  for (int at = json_first(&self->json, array); list->at && at != JSON_ABSENT; at = json_next(&self->json, array, at)) {
    step *one = &list->at[list->count];
    if (!read_step(self, at, one)) return false;
    if (who && strcmp(step_rows[one->id].who, who)) return fail(self, "out of place", step_rows[one->id].name);
    list->count++;
  }
  return list->at != NULL;
}

/* "data_received" or "data_received#3" */
static bool read_trigger(reader *self, int key, trigger *one) {
  char *name = json_string(&self->json, key, NULL);
  if (!name || !keep(self, name)) return fail(self, "out of memory", NULL);
  const char *mark = strchr(name, '#');
  size_t size = mark ? (size_t)(mark - name) : strlen(name);
  one->nth = mark ? strtol(mark + 1, NULL, 10) : 1;
  if (one->nth < 1) return fail(self, "not a callback's number", name);
  return find_callback(self, name, size, &one->cb) && read_steps(self, key + 1, "proto", &one->steps);
}

static bool read_script(reader *self, int node, bool buffered, script *one) {
  const json *json = &self->json;
  if (node == JSON_ABSENT) return fail(self, "missing", "proto");
  if (!json_is_object(json, node)) return fail(self, "proto is no object", NULL);
  one->buffered = buffered;
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

/* Answers SCENARIO_MALFORMED for a word that is no kind. */
static int read_kind(reader *self, int object, const char *otherwise, bool *buffered, bool *feed) {
  const char *kind = string(self, object, "kind", NULL);
  kind = kind ? kind : otherwise;
  *feed = kind && !strcmp(kind, "feed");
  *buffered = *feed || (kind && !strcmp(kind, "buffered"));
  if (*buffered || (kind && !strcmp(kind, "stream"))) return SCENARIO_LOADED;
  bool known = kind && (!strcmp(kind, "datagram") || !strcmp(kind, "subprocess"));
  fail(self, known ? "this recorder cannot run the kind" : "unknown kind", kind);
  return known ? SCENARIO_UNSUPPORTED : SCENARIO_MALFORMED;
}

static int read_scenario(reader *self) {
  scenario *scenario = self->scenario;
  const json *json = &self->json;
  bool buffered, feed;
  int status = read_kind(self, JSON_ROOT, NULL, &buffered, &scenario->is_feed);
  if (status) return status;
  const char *drive = string(self, JSON_ROOT, "drive", NULL);
  scenario->is_memory = drive && !strcmp(drive, "mem");
  int half_close = json_get(json, JSON_ROOT, "half_close");
  scenario->no_half_close = half_close != JSON_ABSENT && !json_is_true(json, half_close);
  scenario->refuses = json_is_true(json, json_get(json, JSON_ROOT, "refuse"));
  scenario->cancels = json_is_true(json, json_get(json, JSON_ROOT, "cancel"));
  scenario->send_capacity = -1;
  int second = json_get(json, JSON_ROOT, "proto2");
  scenario->has_second = second != JSON_ABSENT;
  bool fine = number(self, JSON_ROOT, "timeout", 1, 60000, &scenario->timeout) &&
              number(self, JSON_ROOT, "send_capacity", -1, MOST_BYTES, &scenario->send_capacity) &&
              number(self, JSON_ROOT, "data_len", 0, MOST_BYTES, &scenario->data_size) &&
              read_script(self, json_get(json, JSON_ROOT, "proto"), buffered, &scenario->protos[0]);
  if (!fine) return SCENARIO_MALFORMED;
  if (scenario->has_second) {
    status = read_kind(self, second, "stream", &buffered, &feed);
    if (status || !read_script(self, second, buffered, &scenario->protos[1]))
      return status ? status : SCENARIO_MALFORMED;
  }
  fine = read_steps(self, json_get(json, JSON_ROOT, "pre"), "peer", &scenario->pre) &&
         read_steps(self, json_get(json, JSON_ROOT, "steps"), NULL, &scenario->steps) &&
         read_steps(self, json_get(json, JSON_ROOT, "peer_steps"), "peer", &scenario->peer_steps);
  return fine ? SCENARIO_LOADED : SCENARIO_MALFORMED;
}

int scenario_load(scenario *self, const char *text, size_t size, char why[160]) {
  *self = (scenario){0};
  reader reader = {.scenario = self, .why = why};
  why[0] = 0;
  if (!json_parse(&reader.json, text, size)) {
    fail(&reader, "not a JSON object", NULL);
    return SCENARIO_MALFORMED;
  }
  int status = read_scenario(&reader);
  json_free(&reader.json);
  return status;
}

void scenario_unload(scenario *self) {
  while (self->blocks) {
    block *one = self->blocks;
    self->blocks = one->next;
    free(one->memory);
    free(one);
  }
}
