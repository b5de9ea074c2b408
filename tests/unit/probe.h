/* A protocol that writes down what is called, on a memory host of its own; and the few words the tests are written in.
 *
 * The log is one line: "CM DR:5 PW RW ER CL:none". Reports to the exception handler stand as "!data_received:-7",
 * warnings as "warning". */
#ifndef TOWLINE_PROBE_H
#define TOWLINE_PROBE_H

#include "towline/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct probe probe;
struct probe {
  tow_protocol base;
  tow_transport *transport;
  tow_memory *memory;
  tow_memory_peer *peer;
  /* Called in each callback, after it was written down; its answer is the callback's. `event` is "CM", "DR", ... */
  int (*on)(probe *p, const char *event);
  int eof_answer;
  size_t buffer_size; /* what get_buffer gives of `buffer` */
  unsigned char buffer[1024];
  unsigned char received[1 << 20];
  size_t received_size;
  size_t largest;  /* DR */
  tow_peer sender; /* DG */
  probe *other;    /* for set_protocol, logs into the first one's log as "2.DR:5" */
  probe *first;
  int counter; /* for hooks */
  bool freed;
  size_t used;
  char log[8192];
};

/* Opens a connection whose far end is played through p->peer, and delivers connection_made. NULL options: the default.
 */
probe *probe_open(tow_kind kind, const tow_memory_options *options, int (*on)(probe *, const char *));
/* The same, with `pre` bytes waiting before connection_made. */
probe *probe_open_with(tow_kind kind, const tow_memory_options *options, int (*on)(probe *, const char *), size_t pre);
/* A subprocess, played through p->peer; connection_made has not been delivered yet. */
probe *probe_spawn(unsigned pipes, int (*on)(probe *, const char *));
/* A second protocol to change to. */
probe *probe_other(probe *p, tow_kind kind);
/* One that a factory makes: context is the probe. */
probe *probe_new(tow_memory *memory, tow_kind kind, int (*on)(probe *, const char *));
tow_protocol *probe_create(tow_loop *loop, void *context);
void probe_free(probe *p);
void probe_note(probe *p, const char *text);

void run(probe *p);
void send_bytes(probe *p, size_t size);
void write_bytes(probe *p, size_t size);
/* Reads and clears the log. */
const char *log_of(probe *p);

/* ---- Tests ---- */

typedef struct test {
  const char *name; /* begins with the rule that it proves */
  void (*run)(void);
} test;

extern const char *test_failure; /* of the running test; NULL: none */
void test_fail(const char *file, int line, const char *what, const char *have, const char *want);
/* Runs a table that ends with a NULL name, printing "ok NAME" or "not ok NAME: why"; answers how many failed. */
int test_run(const test *tests);

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) test_fail(__FILE__, __LINE__, #condition, NULL, NULL);                                           \
  } while (0)
#define EXPECT(probe, want)                                                                                            \
  do {                                                                                                                 \
    const char *have = log_of(probe);                                                                                  \
    if (strcmp(have, want) != 0) test_fail(__FILE__, __LINE__, "log", have, want);                                     \
  } while (0)

#endif
