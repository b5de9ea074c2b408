/* The Redis client for the shell: what is given as the command goes, what comes back is printed. */
#include "arguments.h"
#include "resp.h"
#include "resp_check.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <towline/uv.h>

static const char help[] = "usage: redis [--check COUNT] ADDRESS [COMMAND...]\n"
                           "\n"
                           "Sends one command to Redis and prints its reply, as in\n"
                           "    redis tcp://127.0.0.1:6379 LRANGE list 0 -1\n"
                           "    redis unix:/run/redis/redis.sock PING\n"
                           "  --check COUNT  sends so many commands in a pipeline, and checks every reply\n";

enum { SUCCESS, FAILED, USAGE };

typedef struct program {
  resp client;
  tow_loop *loop;
  const char *address;
  long check;
  int count;
  char **words;
  int status;
} program;

static void complain(program *self, int status, const char *about, const char *problem) {
  fprintf(stderr, "redis: %s%s%s\n", about, problem ? ": " : "", problem ? problem : "");
  self->status = status;
}

/* ---- One command ---- */

static int on_ready(resp *client) {
  program *self = (program *)client;
  enum { MOST = 64 };
  tow_iovec words[MOST];
  for (int i = 0; i < self->count && i < MOST; i++)
    words[i] = (tow_iovec){self->words[i], strlen(self->words[i])};
  int result = resp_command(client, (size_t)(self->count < MOST ? self->count : MOST), words);
  resp_close(client);
  return result;
}

static int on_value(resp *client, const resp_value *value) {
  printf("%*s", (int)(2 * value->depth), "");
  if (value->kind == RESP_INTEGER) printf("%lld", (long long)value->number);
  if (value->kind == RESP_NIL) fputs("(nil)", stdout);
  if (value->kind == RESP_ARRAY) printf("(%lld)\n", (long long)value->number);
  if (value->kind == RESP_ERROR) ((program *)client)->status = FAILED;
  return 0;
}

static int on_data(resp *client, const void *data, size_t size) {
  (void)client;
  fwrite(data, 1, size, stdout);
  return 0;
}

static int on_end(resp *client, const resp_value *value) {
  (void)client;
  if (value->kind != RESP_ARRAY) putchar('\n');
  return 0;
}

static int on_closed(resp *client, const tow_error *error) {
  if (error != NULL) complain((program *)client, FAILED, ((program *)client)->address, error->message);
  return 0;
}

static const resp_callbacks callbacks = {
    .ready = on_ready, .value = on_value, .data = on_data, .end = on_end, .closed = on_closed};

/* ---- Both ---- */

static void checked(void *context, const resp_check_result *result) {
  program *self = context;
  if (result->code != 0) complain(self, FAILED, self->address, result->message);
  printf("%.0f commands answered in %.0f ms; %.0f on their way at most; writing paused %u times, %.0f bytes queued\n",
         result->commands, result->milliseconds, result->most_waiting, (unsigned)result->pauses, result->most_queued);
}

static tow_protocol *create(tow_loop *loop, void *context) {
  program *self = context;
  if (self->check > 0) return resp_check_new(loop, (double)self->check, checked, self);
  resp_init(&self->client, &callbacks);
  return &self->client.base;
}

static int connected(void *context, tow_transport *transport, const tow_error *error) {
  program *self = context;
  if (transport == NULL) complain(self, FAILED, self->address, error->message);
  return 0;
}

int main(int count, char **arguments) {
  program self = {0};
  bool wants_help = false;
  const option options[] = {
      {"check", OPTION_NUMBER, &self.check, 3, INT_MAX},
      {"help", OPTION_FLAG, &wants_help, 0, 0},
      {NULL, OPTION_TEXT, NULL, 0, 0},
  };
  const char *about = NULL;
  count--;
  const char *problem = arguments_parse(options, &count, ++arguments, &about);
  if (wants_help) return fputs(help, stdout), SUCCESS;
  if (problem == NULL && (count < 1 || (count < 2) != (self.check > 0))) {
    about = "an address, and a command or --check";
    problem = "needed";
  }
  if (problem != NULL) return complain(&self, USAGE, about, problem), USAGE;
  self.address = arguments[0];
  self.words = arguments + 1;
  self.count = count - 1;
  self.loop = tow_uv_loop_new(NULL);
  if (self.loop == NULL) return complain(&self, FAILED, "out of memory", NULL), FAILED;
  if (tow_loop_connect(self.loop, self.address, NULL, (tow_factory){create, &self}, connected, &self) != NULL)
    tow_uv_run(self.loop);
  else
    complain(&self, FAILED, "out of memory", NULL);
  tow_uv_loop_close(self.loop);
  return self.status;
}
