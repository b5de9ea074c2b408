/* tow-trace SCENARIO.json ...: runs scenarios and prints what the protocol was told, a line of JSON for each call. */
#include "recorder/recorder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/uv.h>

static const char usage[] =
    "usage: tow-trace [--memory] [--layer pass|framing] SCENARIO.json ...\n"
    "Runs a scenario (tests/traces/README.md) on this library and prints its protocol's calls, one JSON object a "
    "line.\n"
    "\n"
    "Drive \"mem\" needs nothing else. For a real connection ORACLE_PEER says where the peer is:\n"
    "  tcp:HOST:PORT    connect; framed+tcp:HOST:PORT: with Towline framing\n"
    "  unix:PATH        connect\n"
    "  listen:tcp       listen on a port of 127.0.0.1, which is printed, and take one connection\n"
    "  udp:HOST:PORT    exchange datagrams (transport udp-bound: from a port of 127.0.0.1, which is printed)\n"
    "  fd:N             a pipe to write to (transport pipe_w) or to read from\n"
    "ORACLE_CHILD is the program that a subprocess runs.\n"
    "With --memory, the peer's steps are played on the memory host instead.\n"
    "With --layer, on the memory host: a layer that does nothing, or framing, is put under the protocol.\n"
    "\n"
    "The name \"-\" is the standard input. Of several scenarios, each one's lines are followed by\n"
    "{\"log\":\"end\",\"file\":NAME,\"status\":STATUS}.\n"
    "Exit status: 0 done, 2 malformed, 77 cannot run this one.\n";

static void print(void *context, const char *line, size_t size) {
  fwrite(line, 1, size, context);
  fflush(context);
}

static int complain(int status, const char *name, const char *what) {
  fprintf(stderr, "tow-trace: %s: %s\n", name, what);
  return status;
}

/* Answers the whole file, zero-terminated, to be freed. */
static char *read_file(const char *name, size_t *size) {
  FILE *file = strcmp(name, "-") ? fopen(name, "rb") : stdin;
  if (!file) return NULL;
  char *text = NULL;
  size_t room = 0;
  *size = 0;
  do {
    room = room ? 2 * room : 65536;
    char *more = realloc(text, room);
    if (!more) abort();
    text = more;
    *size += fread(text + *size, 1, room - 1 - *size, file);
  } while (*size == room - 1);
  text[*size] = 0;
  bool failed = ferror(file);
  if (file != stdin) fclose(file);
  if (!failed) return text;
  free(text);
  return NULL;
}

static void ended(void *loop) {
  tow_uv_stop(loop);
}

/* A pipe on a descriptor. */
static void open_pipe(recorder *recorder, tow_loop *loop, int fd) {
  tow_factory factory = recorder_factory(recorder);
  int error = recorder_is_write_pipe(recorder) ? tow_loop_connect_write_pipe(loop, fd, factory, NULL)
                                               : tow_loop_connect_read_pipe(loop, fd, factory, NULL);
  if (error < 0) recorder_refuse(recorder, &(tow_error){error, 0, tow_error_text(error)});
}

static int run_uv(recorder *recorder, const char *name) {
  const char *peer = getenv("ORACLE_PEER"), *child = getenv("ORACLE_CHILD");
  if (!peer) return complain(2, name, "a real connection needs ORACLE_PEER (see --help)");
  tow_loop *loop = tow_uv_loop_new(NULL);
  if (!loop) return complain(1, name, "cannot make a loop");
  recorder_on_end(recorder, ended, loop);
  if (!strncmp(peer, "fd:", 3))
    open_pipe(recorder, loop, (int)strtol(peer + 3, NULL, 10));
  else
    recorder_open(recorder, loop, peer, child ? child : "");
  tow_uv_run(loop);
  recorder_abort(recorder);
  tow_uv_loop_close(loop);
  int status = recorder_status(recorder);
  return status ? complain(status, name, "this host cannot open that") : 0;
}

static int run(const char *name, bool on_memory, recorder_layer layer) {
  size_t size;
  char *text = read_file(name, &size);
  if (!text) return complain(2, name, "cannot be read");
  int status;
  char why[160];
  recorder *recorder = recorder_new(text, size, print, stdout, &status, why);
  free(text);
  if (!recorder) return complain(status, name, why);
  recorder_set_layer(recorder, layer);
  status = recorder_is_memory(recorder) ? recorder_run_memory(recorder)
           : on_memory                  ? recorder_run_memory_peer(recorder)
                                        : run_uv(recorder, name);
  recorder_free(recorder);
  return status;
}

int main(int count, char **arguments) {
  bool on_memory = false;
  recorder_layer layer = LAYER_NONE;
  int first = 1;
  for (; first < count && !strncmp(arguments[first], "--", 2); first++) {
    const char *option = arguments[first];
    if (!strcmp(option, "--help")) {
      fputs(usage, stdout);
      return 0;
    }
    if (!strcmp(option, "--memory")) {
      on_memory = true;
    } else if (!strcmp(option, "--layer") && first + 1 < count) {
      const char *name = arguments[++first];
      layer = !strcmp(name, "pass") ? LAYER_PASS : !strcmp(name, "framing") ? LAYER_FRAMING : LAYER_NONE;
      if (layer == LAYER_NONE) return complain(2, name, "no such layer: pass or framing");
    } else {
      return complain(2, option, "no such option");
    }
  }
  if (first == count) {
    fputs(usage, stderr);
    return 2;
  }
  if (count == first + 1) return run(arguments[first], on_memory, layer);
  for (int i = first; i < count; i++) {
    int status = run(arguments[i], on_memory, layer);
    printf("{\"log\":\"end\",\"file\":\"%s\",\"status\":%d}\n", arguments[i], status);
    fflush(stdout);
  }
  return 0;
}
