/* Reading typed values out of a scenario's JSON. What fails leaves a sentence, and answers false or NULL. */
#ifndef TOWLINE_TESTS_READER_H
#define TOWLINE_TESTS_READER_H

#include "json.h"
#include "scenario.h"

enum { MOST_BYTES = 1 << 30 };

typedef struct reader {
  scenario *scenario;
  json json;
  char *why;
} reader;

/* Answers false. The first sentence stays. */
bool fail(reader *self, const char *what, const char *name);
/* Zeroed memory for `count` things and one more, kept until scenario_unload. */
void *allocate(reader *self, int count, size_t size);

/* An absent number keeps its default; a needed one must be there. */
bool number(reader *self, int object, const char *key, int64_t least, int64_t most, int64_t *value);
bool needed(reader *self, int object, const char *key, int64_t least, int64_t most, int64_t *value);
bool needed_int(reader *self, int object, const char *key, int least, int most, int *value);
bool numbers(reader *self, int object, const char *key, int64_t **values, size_t *count);
/* NULL when absent. */
char *string(reader *self, int object, const char *key, size_t *size);
char *string_at(reader *self, int node, size_t *size);
/* An absent list is empty; the last string is followed by NULL. */
bool strings(reader *self, int object, const char *key, char ***values);
/* Which of these words a string is. */
bool word(reader *self, const char *text, const char *const *words, int count, int *value);
bool find_callback(reader *self, const char *name, size_t size, callback *cb);

/* scenario_steps.c: an absent list is an empty one; NULL `who`: steps of anybody. */
bool read_steps(reader *self, int array, const char *who, step_list *list);

#endif
