/* What Lua needs and wasi-libc lacks. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- setjmp: what clang calls in its place. A function that calls it has a table of those that it has called. ---- */
typedef struct place {
  uintptr_t id; /* what is in the jmp_buf; 0: the table's end */
  uint32_t label;
} place;

static uint32_t size_of_table; /* a second result of saveSetjmp */
void setTempRet0(uint32_t value);
uint32_t getTempRet0(void);
place *saveSetjmp(uintptr_t *environment, uint32_t label, place *table, uint32_t size);
uint32_t testSetjmp(uintptr_t id, const place *table, uint32_t size);
_Noreturn void __wasm_longjmp(void *environment, int value);

void setTempRet0(uint32_t value) {
  size_of_table = value;
}

uint32_t getTempRet0(void) {
  return size_of_table;
}

place *saveSetjmp(uintptr_t *environment, uint32_t label, place *table, uint32_t size) {
  static uintptr_t last;
  uint32_t i = 0;
  while (i < size && table[i].id)
    i++;
  if (i == size) {
    size *= 2;
    table = realloc(table, sizeof *table * (size + 1));
    if (!table) abort();
  }
  table[i] = (place){ *environment = ++last, label};
  table[i + 1].id = 0;
  size_of_table = size;
  return table;
}

uint32_t testSetjmp(uintptr_t id, const place *table, uint32_t size) {
  for (uint32_t i = 0; i < size && table[i].id; i++)
    if (table[i].id == id) return table[i].label;
  return 0;
}

void __wasm_longjmp(void *environment, int value) {
  static struct {
    void *environment;
    int value;
  } jump;
  jump.environment = environment;
  jump.value = value;
  __builtin_wasm_throw(1, &jump); /* tag 1 is C's */
}

/* ---- Other processes, and files without a name ---- */
int system(const char *command) {
  (void)command;
  errno = ENOSYS;
  return -1;
}

FILE *tmpfile(void) {
  errno = ENOSYS;
  return NULL;
}
