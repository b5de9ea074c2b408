/* A scenario, read from its JSON text (tests/traces/README.md) and checked: what a peer and a protocol do. */
#ifndef TOWLINE_TESTS_SCENARIO_H
#define TOWLINE_TESTS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every callback that a stream's protocol has. */
#define CALLBACKS(X)                                                                                                   \
  X(CONNECTION_MADE, "connection_made")                                                                                \
  X(CONNECTION_LOST, "connection_lost")                                                                                \
  X(PAUSE_WRITING, "pause_writing")                                                                                    \
  X(RESUME_WRITING, "resume_writing")                                                                                  \
  X(DATA_RECEIVED, "data_received")                                                                                    \
  X(EOF_RECEIVED, "eof_received")                                                                                      \
  X(GET_BUFFER, "get_buffer")                                                                                          \
  X(BUFFER_UPDATED, "buffer_updated")

#define CALLBACK_ID(id, name) id,
typedef enum callback { CALLBACKS(CALLBACK_ID) CALLBACK_COUNT } callback;
#undef CALLBACK_ID

/* Every step: who does it, its name, and the arguments that it must have. */
#define STEPS(X)                                                                                                       \
  X(WRITE, "proto", "write", PAYLOAD)                                                                                  \
  X(WRITELINES, "proto", "writelines", NS)                                                                             \
  X(WRITE_EOF, "proto", "write_eof", 0)                                                                                \
  X(WRITE_UNTIL_PAUSED, "proto", "write_until_paused", CHUNK)                                                          \
  X(CLOSE, "proto", "close", 0)                                                                                        \
  X(ABORT, "proto", "abort", 0)                                                                                        \
  X(PAUSE_READING, "proto", "pause_reading", 0)                                                                        \
  X(RESUME_READING, "proto", "resume_reading", 0)                                                                      \
  X(IS_READING, "proto", "is_reading", 0)                                                                              \
  X(IS_CLOSING, "proto", "is_closing", 0)                                                                              \
  X(CAN_WRITE_EOF, "proto", "can_write_eof", 0)                                                                        \
  X(GET_WRITE_BUFFER_SIZE, "proto", "get_write_buffer_size", 0)                                                        \
  X(GET_WRITE_BUFFER_LIMITS, "proto", "get_write_buffer_limits", 0)                                                    \
  X(SET_WRITE_BUFFER_LIMITS, "proto", "set_write_buffer_limits", LIMITS)                                               \
  X(SET_PROTOCOL, "proto", "set_protocol", TO)                                                                         \
  X(GET_EXTRA_INFO, "proto", "get_extra_info", LABEL)                                                                  \
  X(CALL_SOON, "proto", "call_soon", LABEL)                                                                            \
  X(CALL_LATER, "proto", "call_later", LABEL | MS)                                                                     \
  X(MARK, "proto", "mark", LABEL)                                                                                      \
  X(RAISE, "proto", "raise", 0)                                                                                        \
  X(PEER_SEND, "peer", "send", PAYLOAD)                                                                                \
  X(PEER_EOF, "peer", "eof", 0)                                                                                        \
  X(PEER_ERROR, "peer", "error", ERRNO)                                                                                \
  X(PEER_ACCEPT, "peer", "accept", N)                                                                                  \
  X(PEER_SEND_ERROR, "peer", "send_error", ERRNO)                                                                      \
  X(PEER_REPORT, "peer", "report", 0)                                                                                  \
  X(PEER_RECV, "peer", "recv", N)                                                                                      \
  X(PEER_RECV_EOF, "peer", "recv_eof", 0)                                                                              \
  X(PEER_SHUTDOWN, "peer", "shutdown", 0)                                                                              \
  X(PEER_CLOSE, "peer", "close", 0)                                                                                    \
  X(PEER_RESET, "peer", "reset", 0)                                                                                    \
  X(PEER_SLEEP, "peer", "sleep", MS)                                                                                   \
  X(PEER_WAIT_MARK, "peer", "wait_mark", LABEL)                                                                        \
  X(PEER_WAIT_CB, "peer", "wait_cb", CB)                                                                               \
  X(ENV_RUN, "env", "run", 0)                                                                                          \
  X(ENV_WAIT, "env", "wait", CB)                                                                                       \
  X(ENV_WAIT_BYTES, "env", "wait_bytes", N)                                                                            \
  X(ENV_WAIT_MARK, "env", "wait_mark", LABEL)                                                                          \
  X(ENV_SLEEP, "env", "sleep", MS)

#define STEP_ID(id, who, name, arguments) STEP_##id,
typedef enum step_id { STEPS(STEP_ID) STEP_COUNT } step_id;
#undef STEP_ID

typedef struct step {
  step_id id;
  int64_t n, count, ms, chunk, max; /* count: of ENV_WAIT */
  int64_t high, low;                /* SCENARIO_UNSET where absent */
  int to;                           /* 1 or 2 */
  callback cb;
  char *text; /* a payload, a label or an errno's name; NULL where absent */
  size_t text_size;
  int64_t *ns;
  size_t ns_count;
} step;

#define SCENARIO_UNSET INT64_MIN

typedef struct step_list {
  step *at;
  size_t count;
} step_list;

/* What to do inside the nth call of a callback. */
typedef struct trigger {
  callback cb;
  int64_t nth;
  step_list steps;
} trigger;

/* One recording protocol. */
typedef struct script {
  bool buffered;
  bool eof_answer;
  int64_t *buffer_sizes;
  size_t buffer_count; /* at least one when buffered */
  trigger *triggers;
  size_t trigger_count;
} script;

typedef struct scenario {
  bool is_feed, is_memory; /* kind "feed"; drive "mem" */
  bool refuses, cancels;   /* the peer does not answer; the request to connect is cancelled at once */
  bool no_half_close;      /* on the memory host: a connection that has none */
  int64_t timeout;         /* of the request to connect, or 0 */
  int64_t send_capacity, data_size;
  script protos[2];
  bool has_second;
  step_list pre, steps, peer_steps;
  struct block *blocks; /* everything allocated for it */
} scenario;

/* How loading ended; also a program's exit status. */
enum { SCENARIO_LOADED = 0, SCENARIO_MALFORMED = 2, SCENARIO_UNSUPPORTED = 77 };

/* `why` gets a sentence unless loaded. The text may go afterwards. Unload in any case. */
int scenario_load(scenario *self, const char *text, size_t size, char why[160]);
void scenario_unload(scenario *self);

const char *callback_name(callback cb);
const char *step_who(step_id id);
const char *step_name(step_id id);

#endif
