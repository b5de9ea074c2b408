/* The protocols' state machines (CONTRACT.md), as one automaton over a connection's callbacks. Its rules are those of
 * `violations` in tests/traces/format.js, name by name; tests/fuzz.test.js gives both the same sequences. */
#ifndef TOWLINE_TESTS_AUTOMATON_H
#define TOWLINE_TESTS_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENTS(X)                                                                                                      \
  X(CM, "connection_made")                                                                                             \
  X(CL, "connection_lost")                                                                                             \
  X(PW, "pause_writing")                                                                                               \
  X(RW, "resume_writing")                                                                                              \
  X(DR, "data_received")                                                                                               \
  X(ER, "eof_received")                                                                                                \
  X(GB, "get_buffer")                                                                                                  \
  X(BU, "buffer_updated")                                                                                              \
  X(DG, "datagram_received")                                                                                           \
  X(EE, "error_received")                                                                                              \
  X(PD, "pipe_data_received")                                                                                          \
  X(PL, "pipe_connection_lost")                                                                                        \
  X(PX, "process_exited")

#define RULES(X)                                                                                                       \
  X(BEFORE_MADE, "callback-before-connection_made")                                                                    \
  X(AFTER_LOST, "callback-after-connection_lost")                                                                      \
  X(MADE_TWICE, "connection_made-twice")                                                                               \
  X(LOST_TWICE, "connection_lost-twice")                                                                               \
  X(EOF_TWICE, "eof_received-twice")                                                                                   \
  X(EXITED_TWICE, "process_exited-twice")                                                                              \
  X(LOST_BEFORE_EXITED, "connection_lost-before-process_exited")                                                       \
  X(LOST_BEFORE_PIPES, "connection_lost-before-pipe_connection_lost")                                                  \
  X(DATA_AFTER_EOF, "data-after-eof_received")                                                                         \
  X(DATA_EMPTY, "data_received-empty")                                                                                 \
  X(UPDATED_WITHOUT_GET, "buffer_updated-without-get_buffer")                                                          \
  X(UPDATED_TOO_LARGE, "buffer_updated-larger-than-buffer")                                                            \
  X(UPDATED_NONPOSITIVE, "buffer_updated-nonpositive")                                                                 \
  X(BAD_SIZEHINT, "get_buffer-bad-sizehint")                                                                           \
  X(HINT_NOT_ANY, "get_buffer-hint-not-any")                                                                           \
  X(PAUSE_TWICE, "pause_writing-twice")                                                                                \
  X(RESUME_WITHOUT_PAUSE, "resume_writing-without-pause")                                                              \
  X(PIPE_DATA_AFTER_LOST, "pipe_data-after-pipe_connection_lost")                                                      \
  X(PIPE_LOST_TWICE, "pipe_connection_lost-twice")

#define ID(id, name) id,
typedef enum event { EVENTS(ID) EVENT_COUNT } event;
typedef enum rule { RULES(ID) RULE_COUNT } rule;
#undef ID

const char *event_name(event which);
const char *rule_name(rule which);

/* Zero it, then say what it is of. */
typedef struct automaton {
  bool is_process;
  bool always_any; /* get_buffer's hint is -1, always: the memory host reads before it knows [B1] */
  unsigned calls[EVENT_COUNT];
  bool lent; /* get_buffer's answer, not yet filled */
  ptrdiff_t loan;
  uint64_t paused; /* protocols that are, by number */
  unsigned pipes, lost_pipes;
  uint32_t broken; /* rules, by number */
} automaton;

/* One callback. `n`: the size of data, a buffer's size; `hint`: get_buffer's; `who`: the protocol's number below 64
 * (the first one, set_protocol's ...), or a pipe's descriptor. */
void automaton_step(automaton *self, event which, ptrdiff_t n, ptrdiff_t hint, int who);

#endif
