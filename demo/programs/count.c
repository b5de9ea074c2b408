/* Writes the numbers from 1 to N, a line each. */
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  long last = count > 1 ? atol(arguments[1]) : 0;
  for (long number = 1; number <= last; number++)
    if (printf("%ld\n", number) < 0) return 1;
  return fflush(stdout) == 0 ? 0 : 1;
}
