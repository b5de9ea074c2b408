/* A scenario, read from its JSON text (tests/traces/README.md) and checked: what a peer and a protocol do. */
#ifndef TOWLINE_TESTS_SCENARIO_H
#define TOWLINE_TESTS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every callback that a protocol has. */
#define CALLBACKS(X)                                                                                                   \
  X(CONNECTION_MADE, "connection_made")                                                                                \
  X(CONNECTION_LOST, "connection_lost")                                                                                \
  X(PAUSE_WRITING, "pause_writing")                                                                                    \
  X(RESUME_WRITING, "resume_writing")                                                                                  \
  X(DATA_RECEIVED, "data_received")                                                                                    \
  X(EOF_RECEIVED, "eof_received")                                                                                      \
  X(GET_BUFFER, "get_buffer")                                                                                          \
  X(BUFFER_UPDATED, "buffer_updated")                                                                                  \
  X(DATAGRAM_RECEIVED, "datagram_received")                                                                            \
  X(ERROR_RECEIVED, "error_received")                                                                                  \
  X(PIPE_DATA_RECEIVED, "pipe_data_received")                                                                          \
  X(PIPE_CONNECTION_LOST, "pipe_connection_lost")                                                                      \
  X(PROCESS_EXITED, "process_exited")

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
  X(SENDTO, "proto", "sendto", PAYLOAD | ADDRESS)                                                                      \
  X(GET_RETURNCODE, "proto", "get_returncode", 0)                                                                      \
  X(HAS_PID, "proto", "has_pid", 0)                                                                                    \
  X(HAS_PIPE, "proto", "has_pipe", FD)                                                                                 \
  X(SEND_SIGNAL, "proto", "send_signal", SIGNAL)                                                                       \
  X(TERMINATE, "proto", "terminate", 0)                                                                                \
  X(KILL, "proto", "kill", 0)                                                                                          \
  X(PIPE_WRITE, "proto", "pipe_write", FD | PAYLOAD)                                                                   \
  X(PIPE_WRITE_EOF, "proto", "pipe_write_eof", FD)                                                                     \
  X(PIPE_CLOSE, "proto", "pipe_close", FD)                                                                             \
  X(PIPE_PAUSE_READING, "proto", "pipe_pause_reading", FD)                                                             \
  X(PIPE_RESUME_READING, "proto", "pipe_resume_reading", FD)                                                           \
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
  X(PEER_RECV, "peer", "recv", AMOUNT)                                                                                 \
  X(PEER_RECV_EOF, "peer", "recv_eof", 0)                                                                              \
  X(PEER_SHUTDOWN, "peer", "shutdown", 0)                                                                              \
  X(PEER_CLOSE, "peer", "close", 0)                                                                                    \
  X(PEER_RESET, "peer", "reset", 0)                                                                                    \
  X(PEER_CUT, "peer", "cut", 0)                                                                                        \
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

/* Whom a datagram is for: nobody named, the peer, or 127.0.0.1:9. */
typedef enum addressee { TO_NOBODY, TO_PEER, TO_OTHER, ADDRESSEE_COUNT } addressee;

typedef struct step {
  step_id id;
  int64_t n, count, ms, chunk, max; /* count: of ENV_WAIT */
  int64_t high, low;                /* SCENARIO_UNSET where absent */
  int to;                           /* 1 or 2 */
  int fd, signal;
  addressee addressee;
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

/* Of a protocol; the first one's is the scenario's. */
typedef enum kind { KIND_STREAM, KIND_BUFFERED, KIND_FEED, KIND_DATAGRAM, KIND_SUBPROCESS, KIND_COUNT } kind;

/* One recording protocol. */
typedef struct script {
  kind kind;
  bool eof_answer;
  int64_t *buffer_sizes;
  size_t buffer_count; /* at least one */
  trigger *triggers;
  size_t trigger_count;
} script;

/* What a child's descriptor is. */
typedef enum stdio { STDIO_PIPE, STDIO_NULL, STDIO_STDOUT, STDIO_COUNT } stdio;

typedef struct scenario {
  bool is_memory;        /* drive "mem" */
  bool is_bound;         /* transport "udp-bound": an endpoint that is connected to none */
  bool is_write_pipe;    /* transport "pipe_w" */
  bool refuses, cancels; /* the peer does not answer; the request to connect is cancelled at once */
  bool no_half_close;    /* on the memory host: a connection that has none */
  int64_t timeout;       /* of the request to connect, or 0 */
  int64_t send_capacity; /* on the memory host; SCENARIO_UNSET where absent */
  int64_t data_size;
  char **child; /* a subprocess's arguments, the last one NULL */
  char *child_path;
  stdio stdio[3];
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
