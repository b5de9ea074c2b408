/* For who asks for a text as snprintf does: `value` is filled as far as it goes, the whole length is answered. */
#ifndef TOWLINE_ANSWER_H
#define TOWLINE_ANSWER_H

#include <stddef.h>
#include <string.h>

static inline int tow_answer(const void *text, size_t size, char *value, size_t capacity) {
  if (capacity > 0) {
    size_t part = size < capacity ? size : capacity - 1;
    memcpy(value, text, part);
    value[part] = 0;
  }
  return (int)size;
}

static inline int tow_answer_text(const char *text, char *value, size_t capacity) {
  return tow_answer(text, strlen(text), value, capacity);
}

#endif
