/* Takes memory until there is none, then aborts as programs do. */
#include <stdlib.h>

int main(void) {
  for (;;) {
    volatile char *memory = malloc(1 << 20);
    if (!memory) abort();
    for (int i = 0; i < 1 << 20; i += 4096)
      memory[i] = 1;
  }
}
