/* The memory host: transports without I/O, stepped by hand, with a clock of their own. It does the same thing every
 * time, and it is the reference that the other hosts are held to. Test your protocol with it:
 *
 *     tow_memory *memory = tow_memory_new(NULL);
 *     tow_memory_peer *peer = tow_memory_open(memory, factory, NULL);
 *     tow_memory_run(memory);                          connection_made
 *     tow_memory_send(peer, "hello", 5);
 *     tow_memory_run(memory);                          data_received
 *     tow_memory_received(peer, &size);                what the protocol wrote
 *     tow_memory_free(memory);                         connection_lost
 *
 * A turn is: what was ready, then each connection's read and its write, then due timers [T4]; which connections are
 * ready is looked at when the turn begins. One read a turn: bytes sent one after another arrive as one chunk, at most
 * 262,144 for a plain protocol, what fits its buffer for a buffered one.
 */
#ifndef TOWLINE_MEMORY_H
#define TOWLINE_MEMORY_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct tow_memory tow_memory;           /* the host, with its loop and its clock */
typedef struct tow_memory_peer tow_memory_peer; /* the other end of a transport */

/* NULL: malloc. Answers NULL when out of memory. */
tow_memory *tow_memory_new(const tow_allocator *allocator);
/* Closes the loop [T5] and frees everything, the peers too. */
void tow_memory_free(tow_memory *memory);
tow_loop *tow_memory_loop(tow_memory *memory); /* it lives as long as the host */

/* One turn; answers whether there is more to do now. */
bool tow_memory_turn(tow_memory *memory);
/* Turns until there is nothing to do. The clock stands still. */
void tow_memory_run(tow_memory *memory);
/* Moves the clock, running every timer on its way at its own time. */
void tow_memory_advance(tow_memory *memory, double milliseconds);

/* ---- One end played by the test ---- */

/* Of a connection. */
typedef struct tow_memory_options {
  unsigned abilities;         /* 0: TOW_CAN_STREAM */
  ptrdiff_t capacity;         /* how many bytes it takes in all before it would block; -1: all */
  bool hold_loans;            /* asks for the next buffer right after each read and keeps it, as Node does [B5] */
  tow_peer connected_to;      /* an endpoint's; size 0: to none */
  bool cannot_revoke;         /* and cannot give it back */
  const tow_layering *layers; /* under the protocol */
} tow_memory_options;

/* Opens a connection whose other end is the peer; NULL options: a full stream that takes everything. Answers NULL when
 * out of memory. The peer is valid until tow_memory_free. */
tow_memory_peer *tow_memory_open(tow_memory *memory, tow_factory factory, const tow_memory_options *options);
/* The lowest, with layers. NULL once it is closed. */
tow_transport *tow_memory_transport(tow_memory_peer *peer);

/* Append to what the transport will read; delivered in later turns. */
void tow_memory_send(tow_memory_peer *peer, const void *data, size_t size);
void tow_memory_send_eof(tow_memory_peer *peer);
void tow_memory_send_error(tow_memory_peer *peer, const tow_error *error);
/* Takes that many bytes more; -1: everything from now on. */
void tow_memory_accept(tow_memory_peer *peer, ptrdiff_t size);
/* Each later write of the transport fails so; NULL: no longer. It wins over a capacity of zero. */
void tow_memory_fail_writes(tow_memory_peer *peer, const tow_error *error);
void tow_memory_fail_shutdown(tow_memory_peer *peer, const tow_error *error);
/* All that the transport has sent so far; valid until the next turn. */
const void *tow_memory_received(const tow_memory_peer *peer, size_t *size);
/* The transport's write side was shut down, or the connection closed. */
bool tow_memory_received_eof(const tow_memory_peer *peer);
/* How often the transport handed bytes over: one a system call elsewhere. */
size_t tow_memory_writes(const tow_memory_peer *peer);

/* ---- Datagrams ----
 * tow_memory_send sends an endpoint one, from the peer that it is connected to; capacity and tow_memory_accept count
 * datagrams; errors go to error_received. A peer is any text of up to 31 bytes. */

/* As tow_memory_open, and as tow_memory_send from a peer. */
tow_memory_peer *tow_memory_open_endpoint(tow_memory *memory, tow_factory factory, const tow_memory_options *options);
void tow_memory_send_from(tow_memory_peer *peer, const void *data, size_t size, const tow_peer *from);
/* The sizes of the datagrams that tow_memory_received answers joined. */
const size_t *tow_memory_received_sizes(const tow_memory_peer *peer, size_t *count);

/* ---- Subprocesses ----
 * The child is played by the test. */

/* `pipes`: bit 0 for standard input, 1 for standard output, 2 for standard error. */
tow_memory_peer *tow_memory_spawn(tow_memory *memory, tow_factory factory, unsigned pipes);
/* The child's end of a pipe, for tow_memory_send, _send_eof, _received, ...; NULL: not piped. */
tow_memory_peer *tow_memory_pipe(tow_memory_peer *process, int fd);
/* The child ends: n after exit(n), -s by signal s. Its pipes end when the test says so. */
void tow_memory_exit(tow_memory_peer *process, int returncode);
/* The last signal it was sent; 0: none. */
int tow_memory_signal(const tow_memory_peer *process);

/* ---- Both ends transports ----
 * tow_loop_listen(loop, "mem:name", ...) and tow_loop_connect(loop, "mem:name", ...) on the same memory host join two
 * transports; each direction holds up to 65,536 bytes on its way. Connecting to a name that nobody listens on is
 * refused; "mem:name?never" neither opens nor fails (for time-outs). */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
