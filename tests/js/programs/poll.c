/* Waits for standard input or a time, by poll: says which it was, until the input ends. The time is its argument. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int count, char **arguments) {
  int time = count > 1 ? atoi(arguments[1]) : 0;
  struct pollfd input = {.fd = 0, .events = POLLIN};
  char byte;
  for (;;) {
    int ready = poll(&input, 1, time);
    if (ready < 0) return 1;
    if (ready > 0 && read(0, &byte, 1) == 0) return 0;
    if (ready == 0)
      dprintf(1, "time\n");
    else
      dprintf(1, "%c\n", byte);
    if (ready == 0) time = -1;
  }
}
