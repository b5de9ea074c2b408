#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void die(const char *what) {
  perror(what);
  exit(1);
}

int connect_to(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void send_unpaced(int fd) {
  static const char control[] = "reno"; /* every Linux has it */
  if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control, sizeof control - 1) < 0) die("TCP_CONGESTION");
}

double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The words of a file under /proc that is one line; false if there is none. */
static int read_line(char *line, size_t size, const char *format, int process, const char *thread) {
  char path[300];
  snprintf(path, sizeof path, format, process, thread);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  int read = fgets(line, (int)size, file) != NULL;
  fclose(file);
  return read;
}

/* Nanoseconds are in schedstat, how much of it was the user's only in clock ticks. */
processor_time time_of(int process) {
  processor_time sum = {0, 0};
  char line[1024], path[64];
  if (process == 0) return sum;
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR *threads = opendir(path);
  if (!threads) die(path);
  for (struct dirent *thread; (thread = readdir(threads));) {
    if (thread->d_name[0] == '.') continue;
    if (!read_line(line, sizeof line, "/proc/%d/task/%s/schedstat", process, thread->d_name)) continue;
    sum.all += strtod(line, NULL) / 1e9;
    if (!read_line(line, sizeof line, "/proc/%d/task/%s/stat", process, thread->d_name)) continue;
    char *word = strrchr(line, ')');
    for (int i = 0; word && i < 12; i++) /* the fourteenth; the second ends with the bracket */
      word = strchr(word + 1, ' ');
    if (word) sum.user += strtod(word, NULL) / (double)sysconf(_SC_CLK_TCK);
  }
  closedir(threads);
  return sum;
}
