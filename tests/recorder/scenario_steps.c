/* A scenario's steps: their names, and what each must have. */
#include "reader.h"
#include <string.h>

enum {
  N = 1,
  PAYLOAD = 2,
  NS = 4,
  CHUNK = 8,
  LIMITS = 16,
  TO = 32,
  LABEL = 64,
  ERRNO = 128,
  CB = 256,
  MS = 512,
  FD = 1024,
  SIGNAL = 2048,
  ADDRESS = 4096,
  AMOUNT = 8192, /* bytes; a datagram has no need to be told how many */
};

#define STEP_ROW(id, who, name, arguments) [STEP_##id] = {who, name, arguments},
static const struct {
  const char *who, *name;
  unsigned arguments;
} step_rows[] = {STEPS(STEP_ROW)};
#undef STEP_ROW

const char *step_who(step_id id) {
  return step_rows[id].who;
}
const char *step_name(step_id id) {
  return step_rows[id].name;
}

static bool read_texts(reader *self, int node, unsigned arguments, step *one) {
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
  if (arguments & ADDRESS && json_get(&self->json, node, "addr") != JSON_ABSENT) {
    static const char *const words[] = {"", "peer", "other"};
    int found;
    if (!word(self, string(self, node, "addr", NULL), words, ADDRESSEE_COUNT, &found)) return false;
    one->addressee = (addressee)found;
  }
  return true;
}

static bool read_numbers(reader *self, int node, unsigned arguments, step *one) {
  one->high = one->low = SCENARIO_UNSET;
  one->count = 1;
  bool has_size = arguments & N || (arguments & AMOUNT && self->scenario->protos[0].kind != KIND_DATAGRAM);
  return (!has_size || needed(self, node, "n", -1, MOST_BYTES, &one->n)) &&
         (!(arguments & NS) || numbers(self, node, "ns", &one->ns, &one->ns_count)) &&
         (!(arguments & CHUNK) || (needed(self, node, "chunk", 1, MOST_BYTES, &one->chunk) &&
                                   needed(self, node, "max", 0, MOST_BYTES, &one->max))) &&
         (!(arguments & LIMITS) || (number(self, node, "high", INT64_MIN + 1, INT64_MAX, &one->high) &&
                                    number(self, node, "low", INT64_MIN + 1, INT64_MAX, &one->low))) &&
         (!(arguments & TO) || needed_int(self, node, "to", 1, 2, &one->to)) &&
         (!(arguments & CB) || number(self, node, "count", 1, MOST_BYTES, &one->count)) &&
         (!(arguments & MS) || needed(self, node, "ms", 0, 60000, &one->ms)) &&
         (!(arguments & FD) || needed_int(self, node, "fd", -1, 1000, &one->fd)) &&
         (!(arguments & SIGNAL) || needed_int(self, node, "sig", -1, 1000, &one->signal));
}

static bool read_step(reader *self, int node, step *one) {
  static const char *const everyone[] = {"proto", "peer", "env"};
  for (unsigned w = 0; w < 3; w++) {
    const char *name = string(self, node, everyone[w], NULL);
    for (unsigned i = 0; name && i < STEP_COUNT; i++)
      if (!strcmp(step_rows[i].who, everyone[w]) && !strcmp(step_rows[i].name, name)) {
        unsigned arguments = step_rows[i].arguments;
        one->id = (step_id)i;
        return read_texts(self, node, arguments, one) && read_numbers(self, node, arguments, one);
      }
    if (name) return fail(self, "unknown step", name);
  }
  return fail(self, "a step of nobody", NULL);
}

static bool is_in_place(const reader *self, const step *one, const char *who) {
  bool ends_datagrams =
      one->id == STEP_PEER_EOF && self->scenario->protos[0].kind == KIND_DATAGRAM; /* they have no end */
  return (!who || !strcmp(step_rows[one->id].who, who)) && !ends_datagrams;
}

bool read_steps(reader *self, int array, const char *who, step_list *list) {
  if (array == JSON_ABSENT) return true;
  if (!json_is_array(&self->json, array)) return fail(self, "steps are no list", NULL);
  list->at = allocate(self, json_size(&self->json, array), sizeof *list->at);
  for (int at = json_first(&self->json, array); list->at && at != JSON_ABSENT; at = json_next(&self->json, array, at)) {
    step *one = &list->at[list->count];
    if (!read_step(self, at, one)) return false;
    if (!is_in_place(self, one, who)) return fail(self, "out of place", step_name(one->id));
    if (one->to == 2 && !self->scenario->has_second) return fail(self, "missing", "proto2");
    list->count++;
  }
  return list->at != NULL;
}
