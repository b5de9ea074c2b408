#include "resp_check.h"

#include <string.h>

enum {
  KEYS = 64,        /* that values are put under, in turn */
  VALUE_MAX = 4096, /* bytes of a value: from none to several packets' worth */
};

typedef struct check {
  resp client;
  tow_loop *loop;
  resp_check_done done;
  void *context;
  resp_check_result result;
  double target, start;
  double sent, received;
  size_t got; /* bytes of the reply that is coming */
  char reply[VALUE_MAX], value[VALUE_MAX];
} check;

static check *check_of(resp *client) {
  return (check *)client;
}

static int failed(check *self, const char *message) {
  self->result.code = TOW_EPROTO;
  self->result.message = message;
  tow_transport_abort(self->client.transport);
  return 0;
}

/* ---- What is asked, and what must be answered ----
 * The first and the last command delete the counter. Between them come SET, GET of the same key, and INCR, over and
 * over: the number of the round tells what with. */

typedef enum command { FIRST, SET, GET, INCR, LAST } command;

static command command_of(const check *self, double number, uint32_t *round) {
  if (number == 0 || number == self->target - 1) return number == 0 ? FIRST : LAST;
  uint32_t index = (uint32_t)number - 1;
  *round = index / 3;
  return SET + index % 3;
}

/* Bytes that mean something to RESP are among them. */
static size_t fill(char *value, uint32_t round) {
  size_t size = round % 50 == 0 ? VALUE_MAX - round / 50 % VALUE_MAX : round * 2654435761u % 97;
  for (size_t i = 0; i < size; i++)
    value[i] = (char)(round + i * 7);
  return size;
}

static int send_one(check *self) {
  uint32_t round = 0;
  command command = command_of(self, self->sent++, &round);
  tow_iovec counter = {"towline:counter", 15};
  if (command == INCR) return resp_command(&self->client, 2, (tow_iovec[]){{"INCR", 4}, counter});
  if (command == FIRST || command == LAST) return resp_command(&self->client, 2, (tow_iovec[]){{"DEL", 3}, counter});
  char text[] = "towline:..";
  text[8] = (char)('a' + round % KEYS / 8);
  text[9] = (char)('a' + round % 8);
  tow_iovec key = {text, 10};
  if (command == GET) return resp_command(&self->client, 2, (tow_iovec[]){{"GET", 3}, key});
  tow_iovec value = {self->value, fill(self->value, round)};
  return resp_command(&self->client, 5, (tow_iovec[]){{"SET", 3}, key, value, {"EX", 2}, {"60", 2}});
}

static int check_reply(check *self, const resp_value *value) {
  uint32_t round = 0;
  command command = command_of(self, self->received++, &round);
  if (value->kind == RESP_ERROR) return failed(self, "the answer is an error");
  if (command == FIRST) return value->kind == RESP_INTEGER ? 0 : failed(self, "the answer to DEL is no number");
  if (command == SET) {
    bool is_ok = value->kind == RESP_STATUS && self->got == 2 && memcmp(self->reply, "OK", 2) == 0;
    return is_ok ? 0 : failed(self, "the answer to SET is not OK");
  }
  if (command == GET) {
    size_t size = fill(self->value, round);
    bool is_same = value->kind == RESP_BULK && self->got == size && memcmp(self->reply, self->value, size) == 0;
    return is_same ? 0 : failed(self, "the answer to GET is not what was set");
  }
  if (value->kind != RESP_INTEGER || value->number != (command == LAST ? 1 : (int64_t)round + 1))
    return failed(self, "the answer to INCR or DEL is another number");
  return 0;
}

/* ---- The client's callbacks ---- */

/* As much as goes without being held back. */
static int send_on(resp *client) {
  check *self = check_of(client);
  while (resp_is_ready(client) && self->sent < self->target) {
    int result = send_one(self);
    if (result < 0) return result;
    double queued = (double)tow_transport_get_write_buffer_size(client->transport);
    if (queued > self->result.most_queued) self->result.most_queued = queued;
    if ((double)client->waiting > self->result.most_waiting) self->result.most_waiting = (double)client->waiting;
  }
  if (client->writing_paused) self->result.pauses++;
  if (self->sent == self->target) resp_close(client);
  return 0;
}

static int on_ready(resp *client) {
  check *self = check_of(client);
  if (self->sent == 0) self->start = tow_loop_time(self->loop);
  return send_on(client);
}

static int on_value(resp *client, const resp_value *value) {
  if (value->depth > 0) return failed(check_of(client), "an answer of another shape");
  check_of(client)->got = 0;
  return 0;
}

static int on_data(resp *client, const void *data, size_t size) {
  check *self = check_of(client);
  if (size > VALUE_MAX - self->got) return failed(self, "an answer that is too long");
  memcpy(self->reply + self->got, data, size);
  self->got += size;
  return 0;
}

static int on_end(resp *client, const resp_value *value) {
  check *self = check_of(client);
  int result = check_reply(self, value);
  if (self->result.code != 0) return result;
  self->result.commands = self->received;
  self->result.milliseconds = tow_loop_time(self->loop) - self->start;
  return 0;
}

static int on_closed(resp *client, const tow_error *error) {
  check *self = check_of(client);
  static const tow_error stopped = {TOW_ECANCELED, 0, "stopped before it was complete"};
  if (error == NULL) error = &stopped;
  if (self->received < self->target && self->result.code == 0) {
    self->result.code = error->code;
    self->result.message = error->message;
  }
  self->done(self->context, &self->result);
  tow_loop_free(self->loop, self);
  return 0;
}

static const resp_callbacks callbacks = {
    .ready = on_ready,
    .value = on_value,
    .data = on_data,
    .end = on_end,
    .closed = on_closed,
};

tow_protocol *resp_check_new(tow_loop *loop, double commands, resp_check_done done, void *context) {
  check *self = tow_loop_alloc(loop, sizeof *self);
  if (self == NULL) return NULL;
  memset(self, 0, sizeof *self);
  resp_init(&self->client, &callbacks);
  self->loop = loop;
  self->done = done;
  self->context = context;
  self->result.message = "";
  self->target = commands;
  return &self->client.base;
}

double resp_check_sent(const tow_protocol *protocol) {
  return ((const check *)protocol)->sent;
}
