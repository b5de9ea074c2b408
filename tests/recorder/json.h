/* A parsed JSON text and the ways to look into it. A node is an index; ABSENT stands for what is not there, and asking
 * it anything answers "no". */
#ifndef TOWLINE_TESTS_JSON_H
#define TOWLINE_TESTS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_ROOT = 0, JSON_ABSENT = -1 };

typedef struct json {
  const char *text;
  struct jsmntok *tokens; /* in the text's order, each container before what it holds */
  int count;
} json;

/* `text` must outlive it. Answers false, with nothing to free, when the text is no JSON. */
bool json_parse(json *self, const char *text, size_t size);
void json_free(json *self);

bool json_is_object(const json *self, int node);
bool json_is_array(const json *self, int node);
bool json_is_null(const json *self, int node);
bool json_is_true(const json *self, int node);
/* Answers false unless it is a whole number; one that does not fit becomes the nearest that does. */
bool json_integer(const json *self, int node, int64_t *value);
/* A string with its escapes undone, zero-terminated, to be freed; NULL unless it is a string. */
char *json_string(const json *self, int node, size_t *size);

/* The value of a key. */
int json_get(const json *self, int object, const char *key);
/* Walks an array's items, or an object's keys (whose value is key + 1). */
int json_first(const json *self, int container);
int json_next(const json *self, int container, int node);
int json_size(const json *self, int container);

#endif
