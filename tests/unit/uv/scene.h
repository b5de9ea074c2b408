/* What the libuv host's tests are written in: a loop, protocols that count what they are told, and raw sockets for the
 * peers that misbehave. Names are looked up in a table of the tests' own (names.c), so nothing leaves loopback. */
#ifndef TOWLINE_UV_SCENE_H
#define TOWLINE_UV_SCENE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "towline/uv.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

typedef struct scene scene;
typedef struct end end;

/* Is called in each callback, after it was counted: "CM", "DR", "ER", "CL", "PW", "RW", "DG", "EE", "PD", "PL", "PX".
 * Its answer is the callback's. */
typedef int (*on_event)(end *e, const char *event);

/* How a factory makes its ends. */
typedef struct role {
  scene *scene;
  tow_kind kind; /* 0: TOW_STREAM */
  on_event on;   /* NULL: answers 0 */
} role;

struct end {
  tow_protocol base;
  scene *scene;
  on_event on;
  tow_transport *transport;
  int made, ended, lost, paused, resumed, reads;
  int code, native; /* connection_lost's */
  size_t received;  /* bytes in all; the first of them: */
  char text[512];
  char buffer[4096]; /* a buffered protocol's */
  size_t sizes[64];  /* of the first datagrams; `reads` counts them */
  tow_peer peer;     /* the last one's; size 0: not told */
  int errors;        /* error_received; `code` and `native` are the last one's too */
  struct {
    size_t received;
    uint32_t sum; /* of all bytes, as checksum makes it */
    int lost, code;
    char text[512];
  } pipes[3]; /* a subprocess's */
  int exited;
  char order[32]; /* of what was told of them: data "d", losses "0" "1" "2", the exit "x" */
  size_t counter; /* for hooks */
  tow_handle handle;
};

enum { ENDS = 128 };

struct scene {
  tow_loop *loop;
  role client, server;
  end ends[ENDS]; /* in the order of their making */
  int count, lost;
  /* The last request's result, and how many there were. */
  int results;
  tow_transport *transport;
  tow_server *listening;
  int code, native;
  char message[1024];
  char warning[256];
  int warnings, reports;
  tow_handle guard;
  bool expired;
  size_t allocations, blocks; /* since scene_count_allocations: made, and not yet freed */
  char folder[64];            /* for Unix sockets */
  char *failure;
};

typedef struct test {
  const char *name;
  void (*run)(scene *s);
} test;
/* One table a file; each ends with a NULL name. */
extern const test loop_tests[], post_tests[], connect_tests[], stream_tests[], flow_tests[], listen_tests[],
    udp_tests[], process_tests[], spawn_tests[], pipe_tests[], framing_tests[];

/* Ends the test if the condition does not hold. */
#define CHECK(s, condition)                                                                                            \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      scene_fail(s, __FILE__, __LINE__, #condition);                                                                   \
      return;                                                                                                          \
    }                                                                                                                  \
  } while (0)

/* Runs the loop until the condition holds; ends the test if it does not within five seconds. */
#define UNTIL(s, condition)                                                                                            \
  do {                                                                                                                 \
    scene_begin_wait(s);                                                                                               \
    while (!(condition) && scene_wait(s)) {                                                                            \
    }                                                                                                                  \
    tow_handle_cancel(&(s)->guard);                                                                                    \
    CHECK(s, condition);                                                                                               \
  } while (0)

/* Sets the handlers, after s->loop was made. */
void scene_setup(scene *s);
void scene_fail(scene *s, const char *file, int line, const char *what);
void scene_begin_wait(scene *s);
bool scene_wait(scene *s); /* false when it has taken too long */
/* A loop anew, whose allocations are counted. */
void scene_count_allocations(scene *s);
tow_factory scene_factory(role *r);

/* Listens, and answers the server when it does; then "tcp://..." of it is in `address`. NULL: the failure is in s. */
tow_server *serve(scene *s, const char *address, const tow_options *options, char resolved[160]);
/* Begins to connect; the result comes to s. */
tow_request *dial(scene *s, const char *address, const tow_options *options);
/* Both, on a port of 127.0.0.1; answers when both ends have been made. */
bool join(scene *s, tow_server **server);

/* A client of a raw peer: the peer's descriptor. */
int join_raw(scene *s);

/* An endpoint; a subprocess. The request's result comes to s, and is waited for: NULL if it is an error. */
end *bind_endpoint(scene *s, const char *address);
end *connect_endpoint(scene *s, const char *address);
end *spawn(scene *s, const char *address, const tow_spawn_options *options);

/* A shell that runs this; `stdio` NULL: three pipes. */
end *shell(scene *s, const char *script, const tow_stdio *stdio);
tow_transport *pipe_of(const end *e, int fd);
int put(const end *e, const char *text); /* to its standard input */
int returncode(const end *e);            /* -1000: it runs */

uint32_t checksum(uint32_t sum, const void *bytes, size_t size);
/* Turns of the loop that do not wait. */
void turns(scene *s, int count);
int send_text(end *e, const char *text);
int echo(end *e, const char *event); /* an on_event: ends.c writes back what comes */

/* ---- Raw sockets, blocking ---- */

int raw_listen(const char *host, int backlog, int *port);
int raw_connect(const char *host, int port);
/* Fills a backlog, so that the next connection gets no answer. */
void raw_fill(const char *host, int port, int opened[8]);
void raw_reset(int fd); /* closes with a reset */
int port_of(const char *address);
bool has_ipv6(void);
int open_descriptors(void); /* of this process */

/* ---- names.c ---- */

/* "slow.test" is looked up until this is called. */
void names_release(void);

#endif
