/* Sends messages to an echo server, one at a time on each connection, and checks every byte that comes back.
 * usage: echo_load PORT PROCESS CONNECTIONS SIZE SECONDS|MESSAGES [WARMING]
 * Port 0: the connections are open already, as descriptors from 3 on. A number with an "s" behind it is seconds,
 * measured after as many for warming up as is said, else a tenth; without it is so many messages. Prints messages,
 * seconds, and the seconds of processor time that PROCESS took meanwhile, all and the user's. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PHASES = 251 }; /* each message begins at another byte of the pattern */

typedef struct connection {
  int fd;
  size_t sent, received;
  unsigned phase;
} connection;

static char *pattern, *memory;
static size_t size;

static void send_some(connection *c) {
  while (c->sent < size) {
    ssize_t n = send(c->fd, pattern + c->phase + c->sent, size - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) die("send");
    c->sent += (size_t)n;
  }
}

/* Answers whether a message is complete. */
static int receive_some(connection *c) {
  ssize_t n = recv(c->fd, memory, size, 0);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) die("recv");
  if (c->received + (size_t)n > c->sent || memcmp(memory, pattern + c->phase + c->received, (size_t)n) != 0) {
    fprintf(stderr, "echo_load: other bytes came back\n");
    exit(1);
  }
  c->received += (size_t)n;
  return c->received == size;
}

static void next_message(connection *c) {
  c->sent = c->received = 0;
  c->phase = (c->phase + 1) % PHASES;
  send_some(c);
}

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7) {
    fprintf(stderr, "usage: echo_load PORT PROCESS CONNECTIONS SIZE SECONDSs|MESSAGES [WARMING]\n");
    return 2;
  }
  int port = atoi(argv[1]), process = atoi(argv[2]), count = atoi(argv[3]);
  size = (size_t)atol(argv[4]);
  int timed = strchr(argv[5], 's') != NULL;
  double much = strtod(argv[5], NULL), warming = argc == 7 ? strtod(argv[6], NULL) : much / 10;
  pattern = malloc(size + PHASES);
  memory = malloc(size);
  connection *all = calloc((size_t)count, sizeof *all);
  if (!pattern || !memory || !all) die("malloc");
  unsigned noise = 1;
  for (size_t i = 0; i < size + PHASES; i++)
    pattern[i] = (char)((noise = noise * 1664525u + 1013904223u) >> 24);

  int poll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    all[i] = (connection){.fd = port ? connect_to(port) : 3 + i, .phase = (unsigned)i % PHASES};
    fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &all[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  double begun = now(), from = begun, until = begun + warming + much, time = begun;
  processor_time before = time_of(process);
  long messages = 0, wanted = timed ? -1 : (long)much;
  long begun_messages = count;
  int warm = !timed;
  for (int i = 0; i < count; i++)
    send_some(&all[i]);
  while (timed ? time < until : messages < wanted) {
    struct epoll_event events[64];
    int n = epoll_wait(poll, events, 64, -1);
    for (int i = 0; i < n; i++) {
      connection *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) send_some(c);
      while (receive_some(c)) {
        messages++;
        if (!timed && begun_messages >= wanted) {
          c->sent = c->received = 0;
          break;
        }
        begun_messages++;
        next_message(c);
      }
    }
    time = now();
    if (!warm && time >= begun + warming) {
      warm = 1;
      messages = 0;
      before = time_of(process);
      from = time = now();
      until = from + much;
    }
  }
  processor_time after = time_of(process);
  printf("%ld %.9f %.9f %.9f\n", messages, time - from, after.all - before.all, after.user - before.user);
  return 0;
}
