#include "reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
  struct block *next;
  void *memory;
} block;

bool fail(reader *self, const char *what, const char *name) {
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

void scenario_unload(scenario *self) {
  while (self->blocks) {
    block *one = self->blocks;
    self->blocks = one->next;
    free(one->memory);
    free(one);
  }
}

void *allocate(reader *self, int count, size_t size) {
  return keep(self, calloc((size_t)count + 1, size)); /* never of size 0, which may answer NULL */
}

bool number(reader *self, int object, const char *key, int64_t least, int64_t most, int64_t *value) {
  int node = json_get(&self->json, object, key);
  if (node == JSON_ABSENT || json_is_null(&self->json, node)) return true;
  return (json_integer(&self->json, node, value) && *value >= least && *value <= most) ||
         fail(self, "not a number in range", key);
}

bool needed(reader *self, int object, const char *key, int64_t least, int64_t most, int64_t *value) {
  int64_t given = SCENARIO_UNSET;
  if (!number(self, object, key, least, most, &given)) return false;
  *value = given;
  return given != SCENARIO_UNSET || fail(self, "missing", key);
}

bool needed_int(reader *self, int object, const char *key, int least, int most, int *value) {
  int64_t given;
  if (!needed(self, object, key, least, most, &given)) return false;
  *value = (int)given;
  return true;
}

bool numbers(reader *self, int object, const char *key, int64_t **values, size_t *count) {
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

char *string_at(reader *self, int node, size_t *size) {
  char *found = json_string(&self->json, node, size);
  return found ? keep(self, found) : NULL;
}

char *string(reader *self, int object, const char *key, size_t *size) {
  return string_at(self, json_get(&self->json, object, key), size);
}

bool strings(reader *self, int object, const char *key, char ***values) {
  int array = json_get(&self->json, object, key);
  if (array != JSON_ABSENT && !json_is_array(&self->json, array)) return fail(self, "not a list of strings", key);
  char **at = *values = allocate(self, json_size(&self->json, array), sizeof **values);
  for (int one = json_first(&self->json, array); at && one != JSON_ABSENT; one = json_next(&self->json, array, one))
    if (!(*at++ = string_at(self, one, NULL))) return fail(self, "not a list of strings", key);
  return at != NULL;
}

bool word(reader *self, const char *text, const char *const *words, int count, int *value) {
  for (*value = 0; text && *value < count; ++*value)
    if (!strcmp(text, words[*value])) return true;
  return fail(self, text ? "unknown word" : "missing a word", text);
}

bool find_callback(reader *self, const char *name, size_t size, callback *cb) {
  for (unsigned i = 0; i < CALLBACK_COUNT; i++) {
    const char *known = callback_name((callback)i);
    if (strlen(known) == size && !memcmp(known, name, size)) {
      *cb = (callback)i;
      return true;
    }
  }
  return fail(self, "unknown callback", name);
}
