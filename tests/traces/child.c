/* The child of the subprocess scenarios: its arguments are steps, done one after another (README.md). */
#include "child_platform.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: child STEP ...\n"
    "Does the steps in turn, then ends with 0.\n"
    "  out:N  err:N           write N bytes of the pattern to standard output, error\n"
    "  outs:TEXT  errs:TEXT   write a text\n"
    "  close_in  close_out  close_err\n"
    "  wait_eof               read standard input to its end\n"
    "  readn:N                read N bytes of it\n"
    "  echo                   copy it to standard output, to its end\n"
    "  sleep:MS\n"
    "  exit:N                 end with N\n"
    "  hang                   until a signal\n"
    "  hold:MS                leave a child of its own behind that holds the descriptors for so long\n"
    "  ignore_term            ignore SIGTERM\n"
    "  raise:N                be ended by signal N\n";

enum { CHUNK = 65536 };

static void write_all(int fd, const void *data, size_t size) {
  for (const char *at = data; size > 0;) {
    ssize_t written = write(fd, at, size);
    if (written < 0) exit(CANNOT_WRITE);
    at += written;
    size -= (size_t)written;
  }
}

/* Answers where the pattern stands then. */
static uint64_t write_pattern(int fd, uint64_t offset, uint64_t size) {
  static uint8_t bytes[CHUNK];
  for (uint64_t end = offset + size; offset < end;) {
    size_t part = end - offset < CHUNK ? (size_t)(end - offset) : CHUNK;
    for (size_t i = 0; i < part; i++, offset++)
      bytes[i] = (uint8_t)(offset * 131 + (offset >> 8) * 17 + (offset >> 16) * 29 + 7);
    write_all(fd, bytes, part);
  }
  return offset;
}

/* Reads up to `most` bytes, and writes them to `to` unless that is negative. */
static void read_input(uint64_t most, int to) {
  static char bytes[CHUNK];
  ssize_t part = 1;
  for (; most > 0 && part > 0; most -= (uint64_t)part) {
    part = read(STDIN_FILENO, bytes, most < CHUNK ? (size_t)most : CHUNK);
    if (part > 0 && to >= 0) write_all(to, bytes, (size_t)part);
    if (part < 0) return;
  }
}

void pass_time(unsigned long milliseconds) {
  struct timespec left = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000L};
  while (nanosleep(&left, &left) < 0) {
  }
}

static void run(const char *step) {
  static uint64_t out, err;
  char name[16];
  const char *argument = strchr(step, ':');
  snprintf(name, sizeof name, "%.*s", (int)(argument ? argument - step : 15), step);
  argument = argument ? argument + 1 : "";
  unsigned long n = strtoul(argument, NULL, 10);
  if (!strcmp(name, "out"))
    out = write_pattern(STDOUT_FILENO, out, n);
  else if (!strcmp(name, "err"))
    err = write_pattern(STDERR_FILENO, err, n);
  else if (!strcmp(name, "outs"))
    write_all(STDOUT_FILENO, argument, strlen(argument));
  else if (!strcmp(name, "errs"))
    write_all(STDERR_FILENO, argument, strlen(argument));
  else if (!strcmp(name, "close_in"))
    close(STDIN_FILENO);
  else if (!strcmp(name, "close_out"))
    close(STDOUT_FILENO);
  else if (!strcmp(name, "close_err"))
    close(STDERR_FILENO);
  else if (!strcmp(name, "wait_eof"))
    read_input(UINT64_MAX, -1);
  else if (!strcmp(name, "readn"))
    read_input(n, -1);
  else if (!strcmp(name, "echo"))
    read_input(UINT64_MAX, STDOUT_FILENO);
  else if (!strcmp(name, "sleep"))
    pass_time(n);
  else if (!strcmp(name, "exit"))
    exit((int)n);
  else if (!strcmp(name, "hang"))
    child_hang();
  else if (!strcmp(name, "hold"))
    child_hold(n);
  else if (!strcmp(name, "ignore_term"))
    child_ignore_term();
  else if (!strcmp(name, "raise"))
    child_raise((int)n);
  else {
    fprintf(stderr, "child: no such step: %s\n%s", step, usage);
    exit(BAD_STEP);
  }
}

int main(int count, char **steps) {
  child_start();
  for (int i = 1; i < count; i++)
    run(steps[i]);
  return 0;
}
