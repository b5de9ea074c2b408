/* What the core's fuzzer works on: one memory host with everything on it, and the bytes that say what happens next.
 *
 *     core_fuzz.c   an input, from its first byte to the end of the loop; the host's events
 *     actor.c       protocols: every callback is checked, then does something
 *     ops.c         what a protocol does to its transport
 *     later.c       timers, call_soon, requests, servers
 *     automaton.c   the state machines
 */
#ifndef TOWLINE_TESTS_WORLD_H
#define TOWLINE_TESTS_WORLD_H

#include "automaton.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/memory.h>

enum {
  CONNECTIONS = 8,
  PIPES = 3,
  HANDLES = 6,
  REQUESTS = 4,
  SERVERS = 2,
  DATAGRAMS = 64,
  REPLACED = 60,
  PERIOD = 65536
};

typedef enum family { STREAM, ENDPOINT, PROCESS } family;
typedef struct world world;
typedef struct connection connection;

/* A protocol. Freed inside connection_lost, or when it was replaced and its callback has returned [L5]. */
typedef struct actor {
  tow_protocol base;
  connection *connection;
  int number, running;
  bool replaced;
  unsigned char *buffer; /* of exactly the size that get_buffer said, so that one byte more is found out */
  size_t size;
} actor;

/* One direction's payload. */
typedef struct stream {
  size_t put, got;
  bool ended; /* no more will be put */
} stream;

struct connection {
  world *world;
  automaton automaton;
  tow_transport *transport; /* NULL: not made yet, or no longer allocated */
  tow_memory_peer *peer;    /* NULL: another connection is at the other end */
  connection *partner;
  family family;
  actor *actor;
  int actors, references;
  unsigned abilities;
  bool keeps_loans, reading_paused, is_bound;
  bool may_close, may_fail, aborted, shut; /* what connection_lost may say, and what may be missing */
  bool half_shut;
  bool lost, exited;
  int returncode;
  stream in[PIPES], out; /* in[0]: of a stream; in[1], in[2]: of a subprocess's pipes */
  bool pipe_closed[PIPES];
  size_t at_abort; /* what of out had left when it was aborted: no more does [E5] */
  size_t drained;  /* of out, as far as the peer has it and it was checked */
  size_t sizes_in[DATAGRAMS], sizes_out[DATAGRAMS], count_in, came_in, count_out, checked_out;
  bool sends_failed;
  unsigned char **kept; /* buffers of replaced protocols that the host may still read into */
  size_t kept_count;
};

typedef struct later {
  tow_handle handle;
  world *world;
  bool is_timer;
  double when;
  uint64_t order;
} later;

typedef struct asked {
  world *world;
  tow_request *request; /* NULL: none under way */
  bool cancelled, listens;
} asked;

struct world {
  const uint8_t *next, *end;    /* the input */
  const unsigned char *pattern; /* two periods of the payload's bytes */
  tow_memory *memory;
  tow_loop *loop;
  size_t blocks;      /* allocated and not released */
  unsigned countdown; /* allocations until one fails; 0: none does */
  int large;          /* sizes given out; two are enough for an input */
  bool slab_is_used;
  bool has_failed; /* one has */
  bool closing;
  bool tells; /* what happens, on standard error: the environment has CORE_FUZZ_TELLS */
  int calls;  /* of the library, under way: none but PW may be entered from inside [L3] */
  connection connections[CONNECTIONS];
  size_t count;
  connection *accepted; /* the one that listens to the next client */
  later laters[HANDLES];
  uint64_t order, soon_ran, timer_ran;
  double timer_when;
  asked asked[REQUESTS];
  tow_server *servers[SERVERS];
};

#define CHECK(condition, rule)                                                                                         \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: [%s] %s\n", __FILE__, __LINE__, rule, #condition);                                       \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* The next byte of the input; 0 at its end. */
uint8_t byte(world *w);
/* A size, mostly a small one. */
size_t size_of(world *w);
/* Bytes of a payload, from an offset on, to be freed; and whether these are. */
unsigned char *payload(const world *w, size_t offset, size_t size);
bool is_payload(const world *w, size_t offset, const void *data, size_t size);

/* A connection of the world's, or NULL when it is full. */
connection *new_connection(world *w, tow_kind kind);
/* tow_factory.create: the context is the connection. */
tow_protocol *create_actor(tow_loop *loop, void *context);
actor *new_actor(connection *c, tow_kind kind);
void free_actor(actor *a);

/* Does something, or some things: a protocol inside a callback, or from outside. */
void act(connection *c);
void act_some(connection *c);

void later_act(world *w);
void ask_act(world *w);
void unref_all(connection *c);

/* What must hold when no callback runs. */
void check_connection(connection *c);

#endif
