/* Ends as its argument says: a number, or "trap", "abort", "recurse", "spin", "sleep", "close" (its standard input,
 * then sleeps). Says "ready" first. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int recurse(volatile int *place) {
  volatile int here = *place + 1;
  return here < 0 ? 0 : recurse(&here) + here;
}

static void wait(long seconds) {
  nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
}

int main(int count, char **arguments) {
  const char *how = count > 1 ? arguments[1] : "0";
  write(1, "ready\n", 6);
  if (strcmp(how, "trap") == 0) __builtin_trap();
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "recurse") == 0) return recurse(&(volatile int){0});
  for (volatile unsigned turns = 0; strcmp(how, "spin") == 0;)
    turns++;
  if (strcmp(how, "close") == 0) close(0);
  if (strcmp(how, "close") == 0 || strcmp(how, "sleep") == 0) wait(1000);
  exit(atoi(how));
}
