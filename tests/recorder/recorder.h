/* The recorder: a protocol that does what a scenario says and prints every call as a line of JSON
 * (tests/traces/README.md). One source for every host, native or wasm.
 *
 *     recorder *recorder = recorder_new(text, size, print, context, &status, why);
 *     drive "mem":  recorder_run_memory(recorder)
 *     drive "os":   connect or listen with recorder_factory(recorder); `ended` is called when the steps are done
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

/* Steps that need no I/O, on a memory host of its own: is it for that, and run it. Answers the exit status. */
bool recorder_is_memory(const recorder *self);
int recorder_run_memory(recorder *self);
/* Steps for a real connection, on a memory host whose other end plays the scenario's peer_steps, in turns. */
int recorder_run_memory_peer(recorder *self);

/* The steps begin in the turn after connection_made. */
tow_factory recorder_factory(recorder *self);
/* Called once, when the steps are done (or have waited too long). Nothing is printed afterwards. */
void recorder_on_end(recorder *self, void (*ended)(void *context), void *context);
bool recorder_has_ended(const recorder *self);
/* Drops the connection, if it is still there. */
void recorder_abort(recorder *self);

/* How to open it: a time-out, or 0; whether the request is to be cancelled at once. */
double recorder_timeout(const recorder *self);
bool recorder_cancels(const recorder *self);
/* For the one who opens the connection: what failed, or where it listens. */
void recorder_print_refused(recorder *self, const tow_error *error);
void recorder_print_listening(recorder *self, unsigned port);

#endif
