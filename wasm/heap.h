/* The heap behind malloc on wasm, where libc's own would be larger than the rest of a module. */
#ifndef TOWLINE_HEAP_H
#define TOWLINE_HEAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct tow_block tow_block;

/* Zero it before its first use. It gives out memory that is aligned to 16. */
typedef struct tow_heap {
  tow_block *bins[31]; /* free blocks: bin i holds sizes from 2^i to 2^(i+1) - 1 */
  uint32_t filled;     /* bit i: bin i is not empty */
  tow_block *fence;    /* the end of what was got last; NULL at first */
} tow_heap;

void *tow_heap_alloc(tow_heap *heap, size_t size);
/* `alignment` is a power of two. */
void *tow_heap_alloc_aligned(tow_heap *heap, size_t alignment, size_t size);
/* As realloc, but a size of 0 is one like others. */
void *tow_heap_resize(tow_heap *heap, void *memory, size_t size);
void tow_heap_free(tow_heap *heap, void *memory);

/* The edge, for the user of this file to define: gets at least `*size` bytes more from the system, fills in how many,
 * and answers where they are, or NULL. If they follow what was given before, the two become one region. */
void *tow_heap_more(tow_heap *heap, size_t *size);

#endif
