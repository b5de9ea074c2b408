/* Opens connections to an echo server, sees one byte back on each, prints how much memory the server's process took for
 * them, in bytes, and ends. usage: idle_load PORT PROCESS CONNECTIONS */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void open_one(int port) {
  char byte = 'x';
  int fd = connect_to(port);
  if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1) die("echo");
}

/* Bytes of a process that are in memory. */
static long resident(const char *process) {
  char path[64];
  long all = 0, pages = 0;
  snprintf(path, sizeof path, "/proc/%s/statm", process);
  FILE *file = fopen(path, "r");
  if (!file || fscanf(file, "%ld %ld", &all, &pages) != 2) die(path);
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: idle_load PORT PROCESS CONNECTIONS\n");
    return 2;
  }
  int port = atoi(argv[1]), count = atoi(argv[3]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  for (int i = 0; i < 100; i++) /* what the first ones take is not counted */
    open_one(port);
  long before = resident(argv[2]);
  for (int i = 0; i < count; i++)
    open_one(port);
  printf("%ld\n", resident(argv[2]) - before);
  return 0;
}
