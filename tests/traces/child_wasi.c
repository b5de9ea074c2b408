/* A WASI command hears of no signals, ends by none but an abort, and has no children. */
#include "child_platform.h"
#include <stdlib.h>

void child_start(void) {}

void child_hang(void) {
  for (;;)
    pass_time(3600000);
}

void child_ignore_term(void) {
  exit(CANNOT);
}

void child_raise(int signal) {
  if (signal == 6) abort();
  exit(CANNOT);
}

void child_hold(unsigned long milliseconds) {
  (void)milliseconds;
  exit(CANNOT);
}
