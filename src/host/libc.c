/* The allocator that hosts use unless they are given another. */
#include "towline/host.h"

#include <stdlib.h>

static void *allocate(void *context, size_t size) {
  (void)context;
  return malloc(size);
}

static void release(void *context, void *memory) {
  (void)context;
  free(memory);
}

const tow_allocator tow_libc_allocator = {allocate, release, NULL};
