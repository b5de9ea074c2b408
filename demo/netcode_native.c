/* netcode: the demo's netcode over UDP, from the shell, over Towline's libuv host. `netcode --help` says how. */
#define _POSIX_C_SOURCE 200809L /* for <uv.h> */

#include "arguments.h"
#include "netcode.h"
#include "netcode_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/uv.h>
#include <uv.h>

static const char help[] =
    "Usage: netcode --listen udp://HOST:PORT   be there for whoever sends (port 0: the system chooses)\n"
    "       netcode udp://HOST:PORT            send to the one who listens there\n"
    "\n"
    "Moves a point on a path, sends its position 60 times a second, and prints every second and for each peer: "
    "packets\n"
    "received a second, round trip, loss of what was sent, jitter, and where it was a tenth of a second ago.\n"
    "\n"
    "  --seconds N   leave after so long\n"
    "  --name NAME   what the others call this one; 16 characters of ASCII\n"
    "  --help\n"
    "\n"
    "Exit status: 0 done, 1 it could not begin or heard nobody, 2 wrong usage.\n";

enum { DONE = 0, FAILED = 1, USAGE = 2, SECOND = 1000 };

typedef struct program {
  netcode netcode;
  tow_loop *loop;
  tow_handle report;
  uv_signal_t signals[2];
  const char *address, *name;
  uint64_t random;
  long seconds, reports;
  int status;
  bool listens, heard;
} program;

static int complain(program *self, int status, const char *what, const char *why) {
  fprintf(stderr, "netcode: %s%s%s\n", what, why ? ": " : "", why ? why : "");
  self->status = status;
  return 0;
}

/* ---- What is printed ---- */

static void print_figure(const char *label, double value, const char *format, const char *unit) {
  printf("  %s ", label);
  if (value < 0)
    printf("- %s", unit);
  else
    printf(format, value), printf(" %s", unit);
}

static int report(void *context) {
  program *self = context;
  double now = tow_loop_time(self->loop);
  for (const netcode_peer *peer = NULL; (peer = netcode_next(&self->netcode, peer)) != NULL;) {
    netcode_figures figures = peer->figures;
    netcode_body body = netcode_peer_at(peer, now);
    printf("%s", peer->name);
    print_figure("received", figures.rate, "%.1f", "packets/s");
    print_figure("round trip", figures.round_trip, "%.2f", "ms");
    print_figure("loss", figures.loss < 0 ? -1 : figures.loss * 100, "%.1f", "%");
    print_figure("jitter", figures.jitter, "%.2f", "ms");
    printf("  at %.1f %.1f\n", (double)body.x, (double)body.y);
  }
  fflush(stdout);
  if (++self->reports == self->seconds)
    netcode_close(&self->netcode);
  else
    tow_loop_call_at(self->loop, &self->report, self->report.when + SECOND, report, self);
  return 0;
}

static int say(const netcode_peer *peer, const char *what) {
  printf("%s %s\n", peer->name, what);
  return fflush(stdout);
}

static int on_came(netcode *netcode, const netcode_peer *peer) {
  ((program *)netcode)->heard = true;
  return say(peer, "is there");
}

static int on_left(netcode *netcode, const netcode_peer *peer) {
  (void)netcode;
  return say(peer, "is gone");
}

/* ---- The endpoint ---- */

static int on_move(netcode *netcode, double time, netcode_body *body) {
  *body = netcode_path(netcode->session, time);
  return 0;
}

static int on_closed(netcode *netcode, const tow_error *error) {
  program *self = (program *)netcode;
  tow_handle_cancel(&self->report);
  return error ? complain(self, FAILED, self->address, error->message) : 0;
}

static const netcode_callbacks callbacks = {on_move, on_came, on_left, on_closed};

static tow_protocol *create(tow_loop *loop, void *context) {
  program *self = context;
  netcode_init(&self->netcode, loop, &callbacks, self->name, self->random);
  return &self->netcode.base;
}

static int opened(void *context, tow_transport *transport, const tow_error *error) {
  program *self = context;
  if (error != NULL) return complain(self, FAILED, self->address, error->message);
  char name[64] = "";
  tow_transport_get_extra_info(transport, "sockname", name, sizeof name);
  printf("%s udp://%s\n", self->listens ? "listening on" : "sending from", name);
  fflush(stdout);
  tow_loop_call_later(self->loop, &self->report, SECOND, report, self);
  return 0;
}

static void interrupted(uv_signal_t *handle, int number) {
  program *self = handle->data;
  uv_signal_stop(handle);
  self->status = 128 + number;
  tow_uv_stop(self->loop);
}

static void nothing(uv_handle_t *handle) {
  (void)handle;
}

static void run(program *self) {
  static const int numbers[] = {SIGINT, SIGTERM};
  uv_loop_t uv;
  if (uv_loop_init(&uv) != 0) exit(complain(self, FAILED, "cannot make a loop", NULL));
  self->loop = tow_uv_loop_new(&(tow_uv_options){.uv = &uv});
  for (size_t i = 0; i < 2; i++) {
    uv_signal_init(&uv, &self->signals[i]);
    self->signals[i].data = self;
    uv_signal_start(&self->signals[i], interrupted, numbers[i]);
    uv_unref((uv_handle_t *)&self->signals[i]);
  }
  tow_factory factory = {create, self};
  tow_request *(*open)(tow_loop *, const char *, const tow_options *, tow_factory, tow_connected, void *) =
      self->listens ? tow_loop_bind : tow_loop_connect;
  if (self->loop != NULL && open(self->loop, self->address, NULL, factory, opened, self) != NULL)
    tow_uv_run(self->loop);
  else
    complain(self, FAILED, "out of memory", NULL);
  if (self->loop != NULL) tow_uv_loop_close(self->loop);
  for (size_t i = 0; i < 2; i++)
    uv_close((uv_handle_t *)&self->signals[i], nothing);
  uv_run(&uv, UV_RUN_DEFAULT);
  uv_loop_close(&uv);
}

static bool parse(program *self, int count, char **arguments) {
  const char *listen = NULL, *about = NULL;
  bool wants_help = false;
  const option options[] = {
      {"listen", OPTION_TEXT, &listen, 0, 0},   {"seconds", OPTION_NUMBER, &self->seconds, 1, 1000000},
      {"name", OPTION_TEXT, &self->name, 0, 0}, {"help", OPTION_FLAG, &wants_help, 0, 0},
      {NULL, OPTION_TEXT, NULL, 0, 0},
  };
  const char *problem = arguments_parse(options, &count, arguments, &about);
  if (problem != NULL) return complain(self, USAGE, about, problem), false;
  if (wants_help) {
    fputs(help, stdout);
    return false;
  }
  if (count + (listen != NULL) != 1) return complain(self, USAGE, "one address is needed", NULL), false;
  self->listens = listen != NULL;
  self->address = self->listens ? listen : arguments[0];
  if (strncmp(self->address, "udp:", 4) != 0) return complain(self, USAGE, self->address, "not udp://HOST:PORT"), false;
  return true;
}

int main(int count, char **arguments) {
  static program self = {.name = ""};
  if (!parse(&self, count - 1, arguments + 1)) {
    if (self.status == USAGE) fputs("Try `netcode --help`.\n", stderr);
    return self.status;
  }
  if (uv_random(NULL, NULL, &self.random, sizeof self.random, 0, NULL) != 0)
    return complain(&self, FAILED, "no random numbers", NULL), FAILED;
  run(&self);
  if (self.status == DONE && !self.heard) complain(&self, FAILED, self.address, "nobody was heard");
  return self.status;
}
