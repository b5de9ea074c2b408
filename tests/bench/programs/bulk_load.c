/* Sends as much as it can, and asks how much came.
 * usage: bulk_load PORT PROCESS SECONDS
 * Prints bytes, seconds, and the seconds of processor time that PROCESS took meanwhile, all and the user's; after a
 * first connection of a tenth of that time, for warming up. */
#define _GNU_SOURCE
#include "load.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char memory[1 << 20];

static uint64_t send_for(int port, double seconds) {
  int fd = connect_to(port);
  uint64_t sent = 0, received = 0;
  for (double until = now() + seconds; now() < until;) {
    ssize_t n = send(fd, memory, sizeof memory, MSG_NOSIGNAL);
    if (n < 0) die("send");
    sent += (uint64_t)n;
  }
  shutdown(fd, SHUT_WR);
  if (recv(fd, &received, sizeof received, MSG_WAITALL) != sizeof received) die("recv");
  close(fd);
  if (received == sent) return sent;
  fprintf(stderr, "bulk_load: %llu bytes of %llu came\n", (unsigned long long)received, (unsigned long long)sent);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bulk_load PORT PROCESS SECONDS\n");
    return 2;
  }
  int port = atoi(argv[1]), process = atoi(argv[2]);
  double seconds = strtod(argv[3], NULL);
  send_for(port, seconds / 10);
  processor_time before = time_of(process);
  double begun = now();
  uint64_t sent = send_for(port, seconds);
  double took = now() - begun;
  processor_time after = time_of(process);
  printf("%llu %.9f %.9f %.9f\n", (unsigned long long)sent, took, after.all - before.all, after.user - before.user);
  return 0;
}
