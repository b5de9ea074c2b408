/* The recorder: a protocol that does what a scenario says and prints every call as a line of JSON
 * (tests/traces/README.md). One source for every host, native or wasm.
 *
 *     recorder *recorder = recorder_new(text, size, print, context, &status, why);
 *     drive "mem":  recorder_run_memory(recorder)
 *     drive "os":   recorder_on_end(recorder, ended, context); recorder_open(recorder, loop, peer, child);
 *     recorder_free(recorder)
 */
#ifndef TOWLINE_TESTS_RECORDER_H
#define TOWLINE_TESTS_RECORDER_H

#include <towline/towline.h>

typedef struct recorder recorder;

/* `line` ends with a newline and is valid during the call. */
typedef void (*recorder_print)(void *context, const char *line, size_t size);

/* Answers NULL with `status` 2 (malformed) or 77 (cannot run this one) and a sentence in `why`. */
recorder *recorder_new(const char *text, size_t size, recorder_print print, void *context, int *status, char why[160]);
/* The connection must be lost, or its loop gone. */
void recorder_free(recorder *self);

/* What is put under the protocol when it runs on a memory host. */
typedef enum recorder_layer { LAYER_NONE, LAYER_PASS, LAYER_FRAMING } recorder_layer;
void recorder_set_layer(recorder *self, recorder_layer layer);

/* Steps that need no I/O, on a memory host of its own: is it for that, and run it. Answers the exit status. */
bool recorder_is_memory(const recorder *self);
int recorder_run_memory(recorder *self);
/* Steps for a real connection, on a memory host whose other end plays the scenario's peer_steps, in turns. */
int recorder_run_memory_peer(recorder *self);

/* Opens what the scenario is about on a host's loop; the steps begin right after connection_made. `peer` says
 * where the other end is: "tcp:HOST:PORT", "unix:PATH", "ws://HOST:PORT/", "listen:tcp" (a port of 127.0.0.1, which is
 * printed, for one connection), "udp:HOST:PORT". `child` is the program that a subprocess runs. */
void recorder_open(recorder *self, tow_loop *loop, const char *peer, const char *child);
/* For what each host has calls of its own: a pipe on a descriptor ("fd:N"; to write to it, or to read from it). */
tow_factory recorder_factory(recorder *self);
bool recorder_is_write_pipe(const recorder *self);
/* Opening it failed. */
void recorder_refuse(recorder *self, const tow_error *error);
/* Called once, when the steps are done (or have waited too long, or nothing could be opened). Nothing is printed
 * afterwards. */
void recorder_on_end(recorder *self, void (*ended)(void *context), void *context);
/* By then: 0, or 77 if the host cannot open this one. */
int recorder_status(const recorder *self);
/* Drops the connection, if it is still there. */
void recorder_abort(recorder *self);

#endif
