/* Opening what a scenario is about, on any host: every way is a call of the library's own. */
#include "internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/framing.h>

/* Nothing has come of it. A host that does not know the way at all is told apart from a peer that refuses. */
void recorder_refuse(recorder *self, const tow_error *error) {
  if (error->code == TOW_ESCHEME || error->code == TOW_ENOTSUP)
    self->status = SCENARIO_UNSUPPORTED;
  else
    print_raised(self, "connect", error->code, error->message);
  steps_end(self);
}

/* The port that an address ends with. */
static void print_listening(recorder *self, const char *name) {
  const char *port = strrchr(name, ':');
  line_text(&self->line, "{\"listening\":");
  line_number(&self->line, port ? strtol(port + 1, NULL, 10) : 0);
  print_line(self);
}

static bool is_webrtc(const char *address) {
  return !strncmp(address, "webrtc:", 7);
}

static int opened(void *context, tow_transport *transport, const tow_error *error) {
  recorder *self = context;
  char name[64] = "";
  if (error) {
    recorder_refuse(self, error);
  } else if (self->scenario.is_bound) {
    tow_transport_get_extra_info(transport, "sockname", name, sizeof name);
    print_listening(self, name);
  }
  return 0;
}

static int listening(void *context, tow_server *server, const tow_error *error) {
  recorder *self = context;
  char name[64] = "";
  if (error) {
    recorder_refuse(self, error);
  } else {
    tow_server_get_extra_info(server, "sockname", name, sizeof name);
    print_listening(self, name);
  }
  return 0;
}

void set_peer(recorder *self, const char *name) {
  snprintf(self->peer, sizeof self->peer, "%s", name);
}

/* Whom datagrams are for: "HOST:PORT" of "udp:HOST:PORT", "PEER" of "webrtc:ROOM/PEER". */
static const char *peer_in(const char *address) {
  const char *after = address + strcspn(address, is_webrtc(address) ? "/" : ":");
  return *after ? after + 1 : after;
}

static tow_request *connect(recorder *self, tow_loop *loop, const char *peer) {
  static const char framed[] = "framed+"; /* where nothing is negotiated */
  bool is_framed = !strncmp(peer, framed, sizeof framed - 1);
  if (is_framed) peer += sizeof framed - 1;
  const char *after = strchr(peer, ':');
  bool is_short = after && (!strncmp(peer, "tcp:", 4) || !strncmp(peer, "udp:", 4)); /* "tcp:HOST:PORT" */
  char address[512];
  snprintf(address, sizeof address, "%.3s%s%s", peer, is_short ? "://" : "", is_short ? after + 1 : peer + 3);
  tow_options options = TOW_OPTIONS_DEFAULT;
  if (is_framed) options.layers = &tow_framing_default.layering;
  if (self->scenario.timeout) options.timeout = (double)self->scenario.timeout;
  return tow_loop_connect(loop, address, &options, recorder_factory(self), opened, self);
}

static tow_request *spawn(recorder *self, tow_loop *loop, const char *child) {
  static const tow_stdio stdio[] = {TOW_PIPE, TOW_NULL, TOW_STDOUT};
  const scenario *scenario = &self->scenario;
  char address[512];
  snprintf(address, sizeof address, "exec:%s", scenario->child_path ? scenario->child_path : child);
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  options.arguments = (const char *const *)scenario->child;
  for (int fd = 0; fd < 3; fd++)
    options.stdio[fd] = stdio[scenario->stdio[fd]];
  return tow_loop_spawn(loop, address, &options, recorder_factory(self), opened, self);
}

static tow_request *bind(recorder *self, tow_loop *loop, const char *peer) {
  char address[512] = "udp://127.0.0.1:0";
  if (is_webrtc(peer)) snprintf(address, sizeof address, "%.*s", (int)strcspn(peer, "/"), peer);
  return tow_loop_bind(loop, address, NULL, recorder_factory(self), opened, self);
}

void recorder_open(recorder *self, tow_loop *loop, const char *peer, const char *child) {
  tow_request *request;
  if (self->scenario.protos[0].kind == KIND_SUBPROCESS) {
    request = spawn(self, loop, child);
  } else if (!strcmp(peer, "listen:tcp")) {
    request = tow_loop_listen(loop, "tcp://127.0.0.1:0", NULL, recorder_factory(self), listening, self);
  } else if (self->scenario.is_bound) {
    set_peer(self, peer_in(peer));
    request = bind(self, loop, peer);
  } else {
    set_peer(self, peer_in(peer));
    request = connect(self, loop, peer);
  }
  if (!request) abort();
  if (self->scenario.cancels) tow_request_cancel(request);
}
