/* A heap of blocks with boundary tags.
 *
 * Every block knows its size and that of the block before it, so a freed one is merged with free neighbours at once: no
 * two free blocks ever touch. Free blocks stand in lists by powers of two, with a bit for each list that is not empty.
 * A request looks at a few blocks of its own power, then takes from the next larger list that has any, and splits what
 * is over; only before it asks the system for more does it look through all of its own. So every call but that one is
 * of bounded time, and what long use scatters is bounded as for any good fit with merging: memory is lost to holes,
 * never to classes. */
#include "heap.h"

#include <stdbool.h>
#include <string.h>

struct tow_block {
  size_t previous;               /* size of the block before; 0: the first of its region */
  size_t size;                   /* of this one with its header, a multiple of UNIT; + USED */
  struct tow_block *next, *last; /* while free: its neighbours in the bin */
};

enum {
  UNIT = 16,
  USED = 1,
  HEADER = offsetof(tow_block, next),
  SMALLEST = (sizeof(tow_block) + UNIT - 1) / UNIT * UNIT,
  LARGEST = 1 << 30, /* of a block */
  TRIES = 8,         /* blocks of its own power that a request looks at */
};

static tow_block *at(void *memory, ptrdiff_t offset) {
  return (tow_block *)(void *)((char *)memory + offset);
}
static bool is_free(const tow_block *b) {
  return !(b->size & USED);
}
static tow_block *after(tow_block *b) {
  return at(b, (ptrdiff_t)(b->size & ~(size_t)USED));
}
static void *memory_of(tow_block *b) {
  return at(b, HEADER);
}
static int bin_of(size_t size) {
  return 31 - __builtin_clz((uint32_t)size);
}

/* The size of a block for that many bytes; 0: too many. */
static size_t block_size(size_t bytes) {
  if (bytes > LARGEST - HEADER - UNIT) return 0;
  size_t size = (bytes + HEADER + UNIT - 1) & ~(size_t)(UNIT - 1);
  return size < SMALLEST ? SMALLEST : size;
}

/* ---- Bins ---- */

static void put(tow_heap *heap, tow_block *b) {
  int bin = bin_of(b->size);
  b->last = NULL;
  b->next = heap->bins[bin];
  if (b->next) b->next->last = b;
  heap->bins[bin] = b;
  heap->filled |= 1u << bin;
}

static void take(tow_heap *heap, tow_block *b) {
  int bin = bin_of(b->size);
  if (b->next) b->next->last = b->last;
  if (b->last)
    b->last->next = b->next;
  else if (!(heap->bins[bin] = b->next))
    heap->filled &= ~(1u << bin);
}

static tow_block *find(const tow_heap *heap, size_t size) {
  int bin = bin_of(size);
  uint32_t larger = heap->filled & ~((2u << bin) - 1);
  int tries = 0;
  for (tow_block *b = heap->bins[bin]; b && (tries < TRIES || !larger); b = b->next, tries++)
    if (b->size >= size) return b;
  return larger ? heap->bins[__builtin_ctz(larger)] : NULL;
}

/* ---- Blocks ---- */

static void set_size(tow_block *b, size_t size, size_t used) {
  b->size = size | used;
  after(b)->previous = size;
}

/* Frees a block that is in no bin, with its free neighbours. */
static void release(tow_heap *heap, tow_block *b) {
  size_t size = b->size & ~(size_t)USED;
  tow_block *next = at(b, (ptrdiff_t)size);
  if (is_free(next)) {
    take(heap, next);
    size += next->size;
  }
  tow_block *previous = at(b, -(ptrdiff_t)b->previous);
  if (b->previous && is_free(previous)) {
    take(heap, previous);
    size += previous->size;
    b = previous;
  }
  set_size(b, size, 0);
  put(heap, b);
}

/* Marks the first `size` bytes of a block as used; the rest is free. */
static void *use(tow_heap *heap, tow_block *b, size_t size) {
  size_t rest = (b->size & ~(size_t)USED) - size;
  if (rest < SMALLEST) {
    b->size |= USED;
  } else {
    tow_block *tail = at(b, (ptrdiff_t)size);
    tail->size = rest;
    set_size(b, size, USED);
    release(heap, tail);
  }
  return memory_of(b);
}

/* A region ends with a fence: a header that is never free. */
static bool grow(tow_heap *heap, size_t size) {
  size += SMALLEST + UNIT;
  char *memory = tow_heap_more(heap, &size);
  if (!memory) return false;
  tow_block *b = heap->fence;
  if (b && memory == memory_of(b)) {
    size &= ~(size_t)(UNIT - 1);
  } else {
    size_t skip = (size_t)(-((uintptr_t)memory + HEADER) & (UNIT - 1));
    b = at(memory, (ptrdiff_t)skip);
    b->previous = 0;
    size = (size - skip - HEADER) & ~(size_t)(UNIT - 1);
  }
  heap->fence = at(b, (ptrdiff_t)size);
  heap->fence->size = USED;
  b->size = size | USED;
  release(heap, b);
  return true;
}

static tow_block *block_of(void *memory) {
  tow_block *b = at(memory, -(ptrdiff_t)HEADER);
  if (is_free(b)) __builtin_trap(); /* freed twice */
  return b;
}

/* ---- Calls ---- */

void *tow_heap_alloc(tow_heap *heap, size_t bytes) {
  size_t size = block_size(bytes);
  if (size == 0) return NULL;
  tow_block *b = find(heap, size);
  if (!b && !(grow(heap, size) && (b = find(heap, size)))) return NULL;
  take(heap, b);
  return use(heap, b, size);
}

void tow_heap_free(tow_heap *heap, void *memory) {
  if (memory) release(heap, block_of(memory));
}

void *tow_heap_resize(tow_heap *heap, void *memory, size_t bytes) {
  if (!memory) return tow_heap_alloc(heap, bytes);
  tow_block *b = block_of(memory);
  size_t size = block_size(bytes), old = b->size - USED;
  if (size == 0) return NULL;
  tow_block *next = after(b);
  if (old < size && is_free(next) && old + next->size >= size) {
    take(heap, next);
    set_size(b, old + next->size, USED);
  }
  if (b->size - USED >= size) return use(heap, b, size);
  void *copy = tow_heap_alloc(heap, bytes);
  if (!copy) return NULL;
  memcpy(copy, memory, old - HEADER);
  release(heap, b);
  return copy;
}

void *tow_heap_alloc_aligned(tow_heap *heap, size_t alignment, size_t bytes) {
  if (alignment <= UNIT) return tow_heap_alloc(heap, bytes);
  if (bytes > LARGEST || alignment > LARGEST) return NULL;
  char *memory = tow_heap_alloc(heap, bytes + alignment + SMALLEST);
  if (!memory || ((uintptr_t)memory & (alignment - 1)) == 0) return memory;
  size_t front = (size_t)(-((uintptr_t)memory + SMALLEST) & (alignment - 1)) + SMALLEST;
  tow_block *b = block_of(memory), *aligned = at(b, (ptrdiff_t)front);
  set_size(aligned, b->size - USED - front, USED);
  set_size(b, front, USED);
  release(heap, b);
  return use(heap, aligned, block_size(bytes));
}
