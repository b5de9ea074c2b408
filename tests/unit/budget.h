/* Memory that runs out: so many blocks, and a count of those that were not given back. */
#ifndef TOWLINE_BUDGET_H
#define TOWLINE_BUDGET_H

#include "towline/host.h"

#include <stdlib.h>

typedef struct budget {
  long left, blocks;
} budget;

static inline void *budget_allocate(void *context, size_t size) {
  budget *b = context;
  if (b->left-- <= 0) return NULL;
  b->blocks++;
  return malloc(size);
}

static inline void budget_release(void *context, void *memory) {
  if (memory) ((budget *)context)->blocks--;
  free(memory);
}

static inline tow_allocator budget_allocator(budget *b) {
  return (tow_allocator){budget_allocate, budget_release, b};
}

#endif
