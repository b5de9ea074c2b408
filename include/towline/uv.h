/* The libuv host: TCP and Unix sockets, UDP, subprocesses, pipes, natively.
 *
 *     tow_loop *loop = tow_uv_loop_new(NULL);
 *     tow_loop_connect(loop, "tcp://127.0.0.1:1883", NULL, factory, connected, NULL);
 *     tow_uv_run(loop);           until no connection, server, request or handle is left, or tow_uv_stop
 *     tow_uv_loop_close(loop);
 */
#ifndef TOWLINE_UV_H
#define TOWLINE_UV_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct uv_loop_s;

/* Of the host. */
typedef struct tow_uv_options {
  struct uv_loop_s *uv;    /* run inside this loop (yours to run and to close); NULL: one of its own */
  tow_allocator allocator; /* allocate NULL: malloc */
  bool keep_sigpipe;       /* leave SIGPIPE alone; else it is ignored if it was at its default [H6] */
} tow_uv_options;

/* NULL options are the defaults. Answers NULL when out of memory or descriptors. */
tow_loop *tow_uv_loop_new(const tow_uv_options *options);
/* Runs until nothing is left to wait for, or until tow_uv_stop. Answers whether something is left. */
bool tow_uv_run(tow_loop *loop);
void tow_uv_stop(tow_loop *loop);
/* Aborts everything, delivers every connection_lost, frees the loop [T5]. Not from inside a callback. It runs the uv
 * loop until that has let go of everything, and so waits for a name look-up that the system is at, and for its
 * subprocesses, which it has killed, to end. */
void tow_uv_loop_close(tow_loop *loop);
struct uv_loop_s *tow_uv_loop(const tow_loop *loop); /* the one that it runs in */

/* The only call for other threads [T6]: runs `callback(context)` on the loop's thread, in the order of the calls.
 * TOW_ENOMEM, or TOW_ECANCELED when the loop is closing. */
int tow_loop_call_soon_threadsafe(tow_loop *loop, int (*callback)(void *context), void *context);

/* asyncio's connect_read_pipe and connect_write_pipe: a transport on a descriptor, of a pipe, FIFO, socket or terminal,
 * to read from it or to write to it only. It is made non-blocking, and is the transport's, which closes it in the end;
 * if the answer is not 0 it stays yours. connection_made comes in the loop's next turn. `transport` is filled in unless
 * it is NULL. A write pipe whose reader goes is told at once: connection_lost(NULL) if nothing is queued, else with
 * TOW_EPIPE [E7]; its write_eof is close [E2]. A read pipe cannot be written to, so what eof_received answers does not
 * matter [E3]. The extra information "pipe" is the descriptor's number.
 * TOW_EBADF: not open, or not for that direction. TOW_EPERM: nothing to be waited for, as a file or /dev/null.
 * TOW_ENOMEM: also when the factory gave no protocol, or not a stream's. */
int tow_loop_connect_read_pipe(tow_loop *loop, int fd, tow_factory factory, tow_transport **transport);
int tow_loop_connect_write_pipe(tow_loop *loop, int fd, tow_factory factory, tow_transport **transport);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
