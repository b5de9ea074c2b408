/* malloc and its family over memory.grow. A module that brings its own malloc never takes this file out of the library.
 * The one heap is the only variable of Towline that is not inside something: these calls have no argument for it. */
#include "heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 65536 };

static tow_heap heap;

extern unsigned char __heap_base; /* the linker's: where static data and the stack end */

/* At first all from __heap_base on, later what memory.grow appends. */
void *tow_heap_more(tow_heap *self, size_t *size) {
  uintptr_t end = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE;
  uintptr_t start = self->fence ? end : (uintptr_t)&__heap_base;
  size_t here = end - start;
  size_t pages = *size > here ? (*size - here + PAGE - 1) / PAGE : 0;
  if (pages > 0 && __builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return NULL;
  *size = here + pages * PAGE;
  return (void *)start;
}

void *malloc(size_t size) {
  return tow_heap_alloc(&heap, size);
}

void free(void *memory) {
  tow_heap_free(&heap, memory);
}

void *realloc(void *memory, size_t size) {
  return tow_heap_resize(&heap, memory, size);
}

void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  void *memory = malloc(bytes);
  return memory ? memset(memory, 0, bytes) : NULL;
}

void *aligned_alloc(size_t alignment, size_t size) {
  return tow_heap_alloc_aligned(&heap, alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  void *result = aligned_alloc(alignment, size);
  if (!result) return ENOMEM;
  *memory = result;
  return 0;
}
