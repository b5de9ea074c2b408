/* The wasm heap against a model: random calls, every block filled with a pattern that must still be there when it is
 * freed; and afterwards one block as large as all of it, which exists only if everything was merged. */
#include "heap.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA = 8 << 20, SLOTS = 400, PAGE = 65536 };

typedef struct system {
  tow_heap heap; /* first: tow_heap_more finds the system by it */
  unsigned char *memory;
  size_t used, limit, gap; /* `gap`: what is left out before each growth, as when somebody else grew the memory */
} system_memory;

void *tow_heap_more(tow_heap *heap, size_t *size) {
  system_memory *s = (system_memory *)(void *)heap;
  size_t pages = (*size + PAGE - 1) / PAGE * PAGE;
  if (s->used + s->gap + pages > s->limit) return NULL;
  s->used += s->gap;
  void *memory = s->memory + s->used;
  s->used += pages;
  *size = pages;
  return memory;
}

static system_memory start(size_t gap, size_t limit) {
  system_memory s = {.limit = limit, .gap = gap};
  s.memory = malloc(ARENA);
  assert(s.memory);
  return s;
}

static uint32_t random_state;
static uint32_t below(uint32_t n) {
  random_state = random_state * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)random_state * n) >> 32);
}

typedef struct slot {
  unsigned char *memory;
  size_t size;
  unsigned char pattern;
} slot;

static void check(const slot *s, size_t size) {
  for (size_t i = 0; i < size; i++)
    assert(s->memory[i] == s->pattern);
}

static void fill(slot *s, void *memory, size_t size, unsigned char pattern) {
  *s = (slot){memory, size, pattern};
  memset(memory, pattern, size);
}

static size_t some_size(void) {
  static const uint32_t largest[] = {40, 400, 4000, 70000};
  return below(largest[below(4)]);
}

static void step(system_memory *system, slot *s, unsigned char pattern) {
  tow_heap *heap = &system->heap;
  size_t size = some_size();
  if (!s->memory) {
    size_t alignment = below(4) ? 16 : (size_t)16 << below(9);
    void *memory = tow_heap_alloc_aligned(heap, alignment, size);
    if (!memory) return;
    assert(((uintptr_t)memory & (alignment - 1)) == 0);
    fill(s, memory, size, pattern);
  } else if (below(3) == 0) {
    void *memory = tow_heap_resize(heap, s->memory, size);
    if (!memory) return; /* the old block is as it was */
    s->memory = memory;
    check(s, s->size < size ? s->size : size);
    fill(s, memory, size, pattern);
  } else {
    check(s, s->size);
    tow_heap_free(heap, s->memory);
    s->memory = NULL;
  }
}

static void test_random(uint32_t seed, size_t gap, size_t limit) {
  random_state = seed;
  system_memory system = start(gap, limit);
  static slot slots[SLOTS];
  memset(slots, 0, sizeof slots);
  for (int i = 0; i < 60000; i++)
    step(&system, &slots[below(SLOTS)], (unsigned char)i);
  for (int i = 0; i < SLOTS; i++) {
    if (!slots[i].memory) continue;
    check(&slots[i], slots[i].size);
    tow_heap_free(&system.heap, slots[i].memory);
  }
  if (gap == 0) { /* all of it is one block again */
    size_t used = system.used;
    void *all = tow_heap_alloc(&system.heap, used - 64);
    assert(all && system.used == used);
    tow_heap_free(&system.heap, all);
  }
  free(system.memory);
}

/* Connections come and go with blocks of a few sizes; memory in use stays what the first round needed. */
static void test_rounds(void) {
  system_memory system = start(0, ARENA);
  static void *blocks[1000][3];
  size_t first = 0;
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 1000; i++)
      for (size_t j = 0; j < 3; j++) {
        blocks[i][j] = tow_heap_alloc(&system.heap, (size_t[]){136, 96, 4096}[j] / (j == 2 && i % 2 ? 2 : 1));
        assert(blocks[i][j]);
      }
    if (round == 0) first = system.used;
    for (int i = 0; i < 1000; i++) /* in another order */
      for (int j = 0; j < 3; j++)
        tow_heap_free(&system.heap, blocks[(i * 7) % 1000][j]);
  }
  assert(system.used == first);
  free(system.memory);
}

static void test_edges(void) {
  system_memory system = start(0, ARENA);
  tow_heap *heap = &system.heap;
  tow_heap_free(heap, NULL);
  void *none = tow_heap_alloc(heap, 0), *also = tow_heap_resize(heap, NULL, 0);
  assert(none && also && none != also);
  assert(((uintptr_t)none & 15) == 0);
  assert(!tow_heap_alloc(heap, SIZE_MAX) && !tow_heap_alloc(heap, SIZE_MAX / 2) && !tow_heap_alloc(heap, ARENA));
  assert(!tow_heap_resize(heap, none, SIZE_MAX));
  assert(!tow_heap_alloc_aligned(heap, 64, SIZE_MAX) && !tow_heap_alloc_aligned(heap, (size_t)1 << 31, 1));
  /* The last block grows where it is. */
  void *last = tow_heap_alloc(heap, 20000);
  assert(tow_heap_resize(heap, last, 30000) == last && tow_heap_resize(heap, last, 10) == last);
  tow_heap_free(heap, none);
  tow_heap_free(heap, also);
  tow_heap_free(heap, last);
  free(system.memory);
}

int main(void) {
  test_edges();
  puts("ok heap: edges");
  test_rounds();
  puts("ok heap: rounds of connections");
  for (uint32_t seed = 1; seed <= 4; seed++) {
    test_random(seed, 0, ARENA);
    test_random(seed, 48, ARENA);
    test_random(seed, 0, 1 << 20); /* where it often runs out */
  }
  puts("ok heap: random calls against a model");
  return 0;
}
