/* tow-trace SCENARIO.json ...: runs scenarios and prints what the protocol was told, a line of JSON for each call. */
#include "recorder/recorder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/uv.h>

static const char usage[] =
    "usage: tow-trace [--memory] SCENARIO.json ...\n"
    "Runs a scenario (tests/traces/README.md) on this library and prints its protocol's calls, one JSON object a "
    "line.\n"
    "\n"
    "Drive \"mem\" needs nothing else. For a real connection ORACLE_PEER says where the peer is:\n"
    "  tcp:HOST:PORT    connect\n"
    "  unix:PATH        connect\n"
    "  listen:tcp       listen on a port of 127.0.0.1, which is printed, and take one connection\n"
    "With --memory, the peer's steps are played on the memory host instead.\n"
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

/* A scenario on libuv. */
typedef struct stage {
  recorder *recorder;
  tow_loop *loop;
} stage;

static void ended(void *context) {
  tow_uv_stop(((stage *)context)->loop);
}

static int refused(stage *self, const tow_error *error) {
  recorder_print_refused(self->recorder, error);
  tow_uv_stop(self->loop);
  return 0;
}

static int connected(void *context, tow_transport *transport, const tow_error *error) {
  (void)transport;
  return error ? refused(context, error) : 0;
}

static int listening(void *context, tow_server *server, const tow_error *error) {
  stage *self = context;
  if (error) return refused(self, error);
  char name[64] = "";
  tow_server_get_extra_info(server, "sockname", name, sizeof name);
  const char *port = strrchr(name, ':');
  recorder_print_listening(self->recorder, port ? (unsigned)strtoul(port + 1, NULL, 10) : 0);
  return 0;
}

/* Answers false for a peer that this program cannot talk to. */
static bool open_peer(stage *self, const char *peer) {
  tow_factory factory = recorder_factory(self->recorder);
  char address[512];
  if (!strcmp(peer, "listen:tcp")) {
    tow_loop_listen(self->loop, "tcp://127.0.0.1:0", NULL, factory, listening, self);
    return true;
  }
  if (!strncmp(peer, "tcp:", 4))
    snprintf(address, sizeof address, "tcp://%s", peer + 4);
  else if (!strncmp(peer, "unix:", 5))
    snprintf(address, sizeof address, "%s", peer);
  else
    return false;
  tow_options options = TOW_OPTIONS_DEFAULT;
  if (recorder_timeout(self->recorder) > 0) options.timeout = recorder_timeout(self->recorder);
  tow_request *request = tow_loop_connect(self->loop, address, &options, factory, connected, self);
  if (recorder_cancels(self->recorder)) tow_request_cancel(request);
  return true;
}

static int run_uv(recorder *recorder, const char *name) {
  const char *peer = getenv("ORACLE_PEER");
  if (!peer) return complain(2, name, "a real connection needs ORACLE_PEER (see --help)");
  stage stage = {.recorder = recorder, .loop = tow_uv_loop_new(NULL)};
  if (!stage.loop) return complain(1, name, "cannot make a loop");
  recorder_on_end(recorder, ended, &stage);
  bool can = open_peer(&stage, peer);
  if (can) tow_uv_run(stage.loop);
  recorder_abort(recorder);
  tow_uv_loop_close(stage.loop);
  return can ? 0 : complain(77, name, "cannot run on this kind of peer");
}

static int run(const char *name, bool on_memory) {
  size_t size;
  char *text = read_file(name, &size);
  if (!text) return complain(2, name, "cannot be read");
  int status;
  char why[160];
  recorder *recorder = recorder_new(text, size, print, stdout, &status, why);
  free(text);
  if (!recorder) return complain(status, name, why);
  status = recorder_is_memory(recorder) ? recorder_run_memory(recorder)
           : on_memory                  ? recorder_run_memory_peer(recorder)
                                        : run_uv(recorder, name);
  recorder_free(recorder);
  return status;
}

int main(int count, char **arguments) {
  bool on_memory = count > 1 && !strcmp(arguments[1], "--memory");
  int first = on_memory ? 2 : 1;
  if (count <= first || !strcmp(arguments[1], "--help")) {
    fputs(usage, count > first ? stdout : stderr);
    return count > first ? 0 : 2;
  }
  if (count == first + 1) return run(arguments[first], on_memory);
  for (int i = first; i < count; i++) {
    int status = run(arguments[i], on_memory);
    printf("{\"log\":\"end\",\"file\":\"%s\",\"status\":%d}\n", arguments[i], status);
    fflush(stdout);
  }
  return 0;
}
