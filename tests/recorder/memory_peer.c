/* A scenario's peer_steps played on the memory host, as tests/peer plays them on a socket. The two ends act in
 * turns: the loop runs until nothing is left to do, then the peer does what it can, then the clock moves. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>
#include <towline/memory.h>

enum { WINDOW = 65536 }; /* what is on its way to a peer that does not read, as a kernel's buffers are */

typedef struct player {
  recorder *recorder;
  tow_memory *memory;
  far_end far;
  size_t next;
  uint64_t sent;      /* where the pattern stands */
  size_t read, wants; /* bytes that the peer has taken, and those that it is waiting for in this step */
  bool saw_end, waits;
  double until;       /* the end of a sleep */
  bool has_datagrams; /* `read` and `wants` count them */
} player;

/* Takes up to `most` bytes out of the window, and answers how many. */
static size_t take(player *self, size_t most) {
  size_t there;
  if (self->has_datagrams)
    tow_memory_received_sizes(self->far.peer, &there);
  else
    far_end_received(&self->far, &there);
  size_t count = there - self->read < most ? there - self->read : most;
  if (count) far_end_accept(&self->far, (ptrdiff_t)count);
  self->read += count;
  self->saw_end = self->saw_end || (most > count && far_end_received_eof(&self->far));
  return count;
}

static bool receive(player *self, const step *step) {
  if (!self->waits) {
    self->waits = true;
    self->wants = step->id == STEP_PEER_RECV_EOF ? SIZE_MAX : self->has_datagrams ? 1 : (size_t)step->n;
  }
  self->wants -= take(self, self->wants);
  return !self->wants || self->saw_end;
}

static bool sleep_over(player *self, const step *step) {
  double now = tow_loop_time(tow_memory_loop(self->memory));
  if (!self->waits) {
    self->waits = true;
    self->until = now + (double)step->ms;
  }
  return now >= self->until;
}

static void send(player *self, const step *step) {
  size_t size;
  uint8_t *bytes = payload(step, &self->sent, &size);
  far_end_send(&self->far, bytes, size); /* of an endpoint that is connected to none: from nobody */
  free(bytes);
}

/* Answers whether the step is done. */
static bool play(player *self, const step *step) {
  const tow_error reset = {.code = TOW_ECONNRESET, .message = tow_error_text(TOW_ECONNRESET)};
  const tow_error gone = {.code = TOW_EPIPE, .message = tow_error_text(TOW_EPIPE)};
  switch (step->id) {
  case STEP_PEER_SEND:
    send(self, step);
    return true;
  case STEP_PEER_RECV:
  case STEP_PEER_RECV_EOF:
    return receive(self, step);
  case STEP_PEER_SHUTDOWN:
    far_end_eof(&self->far);
    return true;
  case STEP_PEER_CLOSE:
    far_end_eof(&self->far);
    tow_memory_fail_writes(self->far.peer, &gone);
    return true;
  case STEP_PEER_RESET:
    far_end_error(&self->far, &reset);
    tow_memory_fail_writes(self->far.peer, &reset);
    return true;
  case STEP_PEER_SLEEP:
    return sleep_over(self, step);
  case STEP_PEER_WAIT_MARK:
    return has_mark(self->recorder, step->text);
  case STEP_PEER_WAIT_CB:
    return self->recorder->calls[step->cb] > 0;
  default:
    return true;
  }
}

/* One step at a time, so that what it does is seen by the other end. */
static bool play_next(player *self) {
  const step_list *steps = &self->recorder->scenario.peer_steps;
  if (self->next == steps->count || !play(self, &steps->at[self->next])) return false;
  self->waits = false;
  self->next++;
  return true;
}

static void turn(player *self) {
  size_t before = self->read;
  far_end_run(&self->far, self->memory);
  if (!play_next(self) && self->read == before) tow_memory_advance(self->memory, 1);
}

static void report_datagrams(player *self) {
  line *line = &self->recorder->line;
  size_t size, count;
  const char *data = tow_memory_received(self->far.peer, &size);
  const size_t *sizes = tow_memory_received_sizes(self->far.peer, &count);
  for (size_t i = 0; i < self->read; data += sizes[i++]) {
    line_text(line, "{\"peer\":\"datagram\",\"hex\":");
    line_hex(line, data, sizes[i]);
    print_line(self->recorder);
  }
}

static void report(player *self) {
  recorder *recorder = self->recorder;
  recorder->muted = false;
  if (self->has_datagrams) {
    report_datagrams(self);
    return;
  }
  size_t size;
  const void *data = far_end_received(&self->far, &size);
  line_text(&recorder->line, "{\"peer\":\"report\",\"hex\":");
  line_hex(&recorder->line, data, self->read);
  line_text(&recorder->line, ",\"end\":");
  line_text(&recorder->line, self->saw_end ? "\"eof\"" : "\"open\"");
  print_line(recorder);
}

/* Whether a connection can be had is no matter of the peer's steps. */
static int connected(void *context, tow_transport *transport, const tow_error *error) {
  (void)transport;
  if (error) print_raised(context, "connect", error->code, error->message);
  return 0;
}

static void run_request(player *self) {
  const scenario *scenario = &self->recorder->scenario;
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.timeout = (double)scenario->timeout;
  tow_request *request =
      tow_loop_connect(tow_memory_loop(self->memory), scenario->refuses ? "mem:nobody" : "mem:nobody?never", &options,
                       recorder_factory(self->recorder), connected, self->recorder);
  if (scenario->cancels) tow_request_cancel(request);
  tow_memory_run(self->memory);
  tow_memory_advance(self->memory, options.timeout);
}

int recorder_run_memory_peer(recorder *self) {
  const tow_memory_options options = {.abilities = self->scenario.no_half_close ? TOW_CAN_READ | TOW_CAN_WRITE : 0,
                                      .capacity = WINDOW};
  player player = {.recorder = self,
                   .memory = tow_memory_new(NULL),
                   .has_datagrams = self->scenario.protos[0].kind == KIND_DATAGRAM};
  if (player.memory && (self->scenario.refuses || self->scenario.cancels || self->scenario.timeout)) {
    run_request(&player);
    tow_memory_free(player.memory);
    return 0;
  }
  if (!player.memory) abort();
  open_on_memory(self, &player.far, player.memory, options);
  while (!self->ended)
    turn(&player);
  recorder_abort(self);
  tow_memory_run(player.memory);
  while (play_next(&player))
    ;
  report(&player);
  tow_memory_free(player.memory);
  far_end_free(&player.far);
  return 0;
}
