/* For writers of hosts: what carries the bytes under a transport.
 *
 * A host is two small tables, one for the loop and one for a connection, through which the core asks; and a handful of
 * FACTS, the tow_host_... calls, through which the host tells what happened. The core decides everything else: whether
 * a callback is due, what is queued, what is dropped. A host moves bytes and reports facts.
 *
 * The life of a connection, as its host sees it:
 *
 *     tow_host_opened (or tow_host_accepted) -> set_reading(true)
 *       reading:  lend -> received | eof | failed ...      only while set_reading(true) holds
 *       writing:  write(...) takes some; flush() says that bytes wait: peek -> sent, until peek is empty
 *     -> close()  exactly once, after connection_lost, never from inside a fact
 *     -> tow_host_closed: the host holds nothing of the transport's any more
 *
 * Facts are reported from the host's own events, never two within one another. The exceptions: tow_host_failed may also
 * be called inside `write`, `flush`, `shutdown` and `set_reading`; tow_host_datagram_failed inside `sendto`;
 * tow_host_closed inside `close`; a request's end inside the call that began it.
 */
#ifndef TOWLINE_HOST_H
#define TOWLINE_HOST_H

#include "towline.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What a connection can do: the `abilities` of tow_host_opened. */
enum {
  TOW_CAN_READ = 1,
  TOW_CAN_WRITE = 2,
  TOW_CAN_WRITE_EOF = 4,      /* half-close our side [E1] */
  TOW_CAN_STAY_HALF_OPEN = 8, /* write on after the peer's end of stream [E3] */
  TOW_WANTS_CORK = 16,        /* many small writes of one callback are given as one `write` when it returns [W7] */
  TOW_HOLDS_LOANS = 32,       /* keeps lent memory while idle: gets a slab of its own, not the loop's [B5] */
  TOW_CAN_STREAM = TOW_CAN_READ | TOW_CAN_WRITE | TOW_CAN_WRITE_EOF | TOW_CAN_STAY_HALF_OPEN,
};

/* The connection's table. A call that is left out is not needed. `connection` is what the host gave when it opened. */
typedef struct tow_connection_host {
  uint32_t size; /* sizeof(tow_connection_host) */
  /* Takes as many bytes as it can now, and answers how many. On failure reports tow_host_failed and answers 0.
   * The memory is the caller's again when it returns. */
  size_t (*write)(void *connection, const tow_iovec *lines, size_t count);
  /* Bytes wait in the queue: pull them with tow_host_peek and tow_host_sent, from an event of your own. */
  void (*flush)(void *connection);
  /* Half-close. Called once, when everything has been sent. On failure reports tow_host_failed. */
  void (*shutdown)(void *connection);
  /* Whether bytes are wanted. At first they are not. */
  void (*set_reading)(void *connection, bool on);
  /* Lets go of lent memory. Negative if it cannot. Needed with TOW_HOLDS_LOANS, and where a loan is lent on. */
  int (*revoke)(void *connection);
  /* connection_lost has been called, with this error or NULL. Let go of everything, then report tow_host_closed. */
  void (*close)(void *connection, const tow_error *error);
  /* As tow_transport_get_extra_info. */
  int (*extra_info)(void *connection, const char *name, char *value, size_t capacity);
  /* Datagrams: true when done with it, sent or not (then tow_host_datagram_failed was called); false: it would block,
   * call tow_host_drain when there is room (flush says so once more). `peer` has size 0 on a connected endpoint. */
  bool (*sendto)(void *connection, const void *data, size_t size, const tow_peer *peer);
  /* As tow_transport_parse_peer and tow_transport_format_peer. */
  int (*parse_peer)(void *connection, const char *text, tow_peer *peer);
  int (*format_peer)(void *connection, const tow_peer *peer, char *text, size_t capacity);
  /* Subprocesses: POSIX's number. 0, or TOW_E...; nothing for one that has just ended. */
  int (*kill)(void *connection, int signal);
  /* What both ends have agreed to put on such a connection, under the layers that its options ask for. */
  const tow_layering *layers;
} tow_connection_host;

/* The loop's table. */
typedef struct tow_loop_host {
  uint32_t size; /* sizeof(tow_loop_host) */
  /* A monotonic clock. */
  double (*now)(void *host);
  /* Call tow_host_run_timers at `when` or a little later; INFINITY: never. Replaces what was set before. */
  void (*set_timer)(void *host, double when);
  /* Something waits for the next turn: call tow_host_run_ready soon, not from inside this call. */
  void (*wake)(void *host);
  /* Begin; end with tow_host_opened or tow_host_failed_request (for listen: tow_host_listening). Both may also be
   * called before this returns. `options` is never NULL. */
  void (*connect)(void *host, tow_request *request, const char *address, const tow_options *options);
  void (*listen)(void *host, tow_request *request, const char *address, const tow_options *options);
  void (*bind)(void *host, tow_request *request, const char *address, const tow_options *options);
  /* End with tow_host_spawned and, right after it, tow_host_pipe for each piped descriptor. */
  void (*spawn)(void *host, tow_request *request, const char *address, const tow_spawn_options *options);
  /* The request has been given up (cancelled, timed out): forget it, it is not valid after this call. If addresses have
   * failed by then, say so with tow_host_failed_request before returning: the message becomes the result's [O1]. */
  void (*cancel)(void *host, tow_request *request);
  /* Stop accepting and free `listener`. */
  void (*close_server)(void *host, void *listener);
  /* As tow_server_get_extra_info. */
  int (*server_extra_info)(void *host, void *listener, const char *name, char *value, size_t capacity);
} tow_loop_host;

/* Like malloc and free; `release` is also called with NULL. */
typedef struct tow_allocator {
  void *(*allocate)(void *context, size_t size);
  void (*release)(void *context, void *memory);
  void *context;
} tow_allocator;
extern const tow_allocator tow_libc_allocator; /* malloc and free */

/* ---- The loop's life ---- */

/* The allocator is copied. NULL when out of memory. */
tow_loop *tow_host_new_loop(const tow_loop_host *table, void *host, const tow_allocator *allocator);
void *tow_host_of(const tow_loop *loop); /* the `host` of its table's calls */
/* One turn [T4]: tow_host_run_ready, then the facts of reading and writing, then tow_host_run_timers. */
/* Runs what was scheduled before this call, not what it schedules [T1]. Answers whether more waits. */
bool tow_host_run_ready(tow_loop *loop);
void tow_host_run_timers(tow_loop *loop);
/* Aborts every connection, cancels every request, closes every server, delivers each connection_lost and each result,
 * and drops what is scheduled [T5]. Afterwards close() has been called on every connection; when all of them have
 * reported tow_host_closed (tow_host_connections answers 0), free the loop. */
void tow_host_close_loop(tow_loop *loop);
size_t tow_host_connections(const tow_loop *loop); /* those that tow_host_closed was not called for */
void tow_host_free_loop(tow_loop *loop);

/* ---- Requests ---- */

/* A word of the host's own on the request. */
void tow_host_set_request_data(tow_request *request, void *data);
void *tow_host_request_data(const tow_request *request);
/* The connection is there. Answers its transport, or NULL when it could not be made (then close it: `close` will not be
 * called). The request is not valid after these calls. */
tow_transport *tow_host_opened(tow_request *request, const tow_connection_host *table, void *connection,
                               unsigned abilities);
void tow_host_failed_request(tow_request *request, const tow_error *error);
tow_server *tow_host_listening(tow_request *request, void *listener);
tow_transport *tow_host_accepted(tow_server *server, const tow_connection_host *table, void *connection,
                                 unsigned abilities);
/* The same for an endpoint of datagrams; NULL or size 0 for `peer`: it is connected to none. */
tow_transport *tow_host_opened_endpoint(tow_request *request, const tow_connection_host *table, void *connection,
                                        const tow_peer *peer);
tow_transport *tow_host_spawned(tow_request *request, const tow_connection_host *table, void *connection, int pid);
/* A pipe of a subprocess, NULL as tow_host_opened. */
tow_transport *tow_host_pipe(tow_transport *transport, int fd, const tow_connection_host *table, void *connection,
                             unsigned abilities);
/* Transports that no request asked for: a pipe on a descriptor, for one. NULL as tow_host_opened. */
tow_transport *tow_host_open(tow_loop *loop, tow_factory factory, const tow_layering *layers,
                             const tow_connection_host *table, void *connection, unsigned abilities);
tow_transport *tow_host_open_endpoint(tow_loop *loop, tow_factory factory, const tow_connection_host *table,
                                      void *connection, const tow_peer *peer);
tow_transport *tow_host_open_process(tow_loop *loop, tow_factory factory, const tow_connection_host *table,
                                     void *connection, int pid);

/* ---- Reading ---- */

/* Where the next bytes go; NULL: not now (paused, closed, failed). `sizehint`: the bytes in hand, or -1. A buffer stays
 * lent until received, eof, failed or closed; asking again before that answers the same one. */
const tow_buffer *tow_host_lend(tow_transport *transport, ptrdiff_t sizehint);
/* The first `size` bytes of the lent buffer are there. Answers how many the protocol took: fewer than `size` only if
 * reading stopped meanwhile; then keep the rest, where they are, and report them after set_reading(true). */
size_t tow_host_received(tow_transport *transport, size_t size);
/* The same for bytes that are in the host's memory: copied into what get_buffer gives, step by step [B3]. Answers how
 * many were taken; keep the rest while reading is off. */
size_t tow_host_feed(tow_transport *transport, const void *data, size_t size);
/* The peer's end of stream (on a write-only pipe: the reader is gone [E7]). Only while reading is on. */
void tow_host_eof(tow_transport *transport);

/* ---- Writing ---- */

/* Fills in up to `count` pieces of what is queued, oldest first, `limit` bytes at most, and answers how many pieces.
 * The memory stays where it is until it was reported as sent, or until tow_host_closed. */
size_t tow_host_peek(tow_transport *transport, tow_iovec *lines, size_t count, size_t limit);
/* That many bytes of the queue have left. */
void tow_host_sent(tow_transport *transport, size_t size);
/* The most that a host may keep before it reports progress, when it is told only of whole pieces [F7]. */
size_t tow_host_step(const tow_transport *transport);

/* ---- Datagrams ---- */

/* One has come, from `peer`. False: reading is off and it was not taken. */
bool tow_host_datagram(tow_transport *transport, const void *data, size_t size, const tow_peer *peer);
/* A peer is there now, where peers come and go. Its loss is told as a failure, with its address. */
void tow_host_peer_joined(tow_transport *transport, const tow_peer *peer);
/* Sending or receiving one failed. The message is copied; NULL for the code's own; `peer` may be NULL. */
void tow_host_datagram_failed(tow_transport *transport, const tow_error *error, const tow_peer *peer);
/* There is room again: sends what is queued until `sendto` would block or fails. Answers whether it wants to be called
 * again. */
bool tow_host_drain(tow_transport *transport);

/* ---- Subprocesses ---- */

/* The child has ended: n after exit(n), -s by signal s [X5]. */
void tow_host_exited(tow_transport *transport, int returncode);

/* ---- Ends ---- */

/* A read or write error: the queue is dropped and connection_lost carries it [W6, E6]. The message is copied; NULL for
 * the code's own. */
void tow_host_failed(tow_transport *transport, const tow_error *error);
/* The host has let go of all memory and will report nothing more. The transport is not valid after this call. */
void tow_host_closed(tow_transport *transport);

/* ---- Helpers ---- */

/* Takes an address apart: scheme://host:port/path, or scheme:path. The parts point into the text; a host in brackets
 * comes without them, an absent part is empty, an absent port is -1. TOW_EADDRESS if the text is no address: no scheme,
 * no host after "//", a port that is no number up to 65535, a user name, white space or control characters after "//".
 * A path alone is taken as it stands. */
typedef struct tow_address {
  const char *scheme, *host, *path;
  size_t scheme_size, host_size, path_size;
  int port;
} tow_address;
int tow_address_parse(const char *text, tow_address *address);
bool tow_address_has_scheme(const tow_address *address, const char *scheme);
/* A warning for the loop's log [T3]. */
void tow_host_warn(tow_loop *loop, const char *message);
/* TOW_E... for a POSIX errno's name ("ECONNRESET"), or TOW_EUNKNOWN. */
int tow_error_from_name(const char *name);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
