/* mqtt: publish and subscribe from the shell, over Towline's libuv host. `mqtt --help` says how. */
#define _POSIX_C_SOURCE 200809L /* for <uv.h> */

#include "arguments.h"
#include "mqtt.h"
#include "mqtt_check.h"
#include "trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/uv.h>
#include <unistd.h>
#include <uv.h>

static const char help[] =
    "Usage: mqtt ADDRESS sub TOPIC...             print the messages of these topics\n"
    "       mqtt ADDRESS pub TOPIC MESSAGE|-      publish MESSAGE, or what standard input holds\n"
    "       mqtt ADDRESS check                    send and receive megabytes; print what came of it as JSON\n"
    "\n"
    "ADDRESS is tcp://host:port or unix:/path. Wildcards in TOPIC: + for one level, # for all that follow.\n"
    "\n"
    "  --id ID               client id; without it the broker chooses one\n"
    "  --user NAME           user name\n"
    "  --password TEXT       password\n"
    "  --qos 0|1             quality of service of what is published or subscribed (0)\n"
    "  --retain              pub: the broker keeps the message for later subscribers\n"
    "  --count N             sub: leave after N messages\n"
    "  --verbose             sub: print each message's topic before it\n"
    "  --megabytes N         check: how much to send (10)\n"
    "  --will-topic TOPIC    what the broker publishes if this connection breaks\n"
    "  --will-message TEXT\n"
    "  --will-qos 0|1|2\n"
    "  --will-retain\n"
    "  --keep-session        take up the session that the broker has kept for --id\n"
    "  --keep-alive SECONDS  a broker silent for so long is given up (60); 0: never\n"
    "  --timeout SECONDS     for connecting (10)\n"
    "  --trace               print the protocol's calls to standard error: CM, GB, BU, PW, RW, ER, CL\n"
    "  --help\n"
    "\n"
    "Exit status: 0 done, 1 the connection or the broker failed, 2 wrong usage.\n";

enum { DONE = 0, FAILED = 1, USAGE = 2, PIECE = 64 * 1024 };

typedef struct program {
  mqtt client;
  trace trace;
  tow_loop *loop;
  tow_handle leave;
  uv_signal_t signals[2];
  int status;
  bool connected;

  const char *address, *command;
  char **arguments; /* of the command */
  int argument_count;
  mqtt_options options;
  int qos;
  long count, megabytes, timeout;
  bool retain, verbose, tracing;

  const char *payload; /* pub */
  size_t size;
  int subscribing; /* how many topics have been asked for */
} program;

static program *program_of(mqtt *client) {
  return (program *)client;
}

static int complain(program *self, int status, const char *what, const char *why) {
  fprintf(stderr, "mqtt: %s%s%s\n", what, why ? ": " : "", why ? why : "");
  self->status = status;
  return 0;
}

static int leave(void *context) {
  mqtt_disconnect(&((program *)context)->client);
  return 0;
}

/* ---- sub ---- */

static int subscribe_on(program *self) {
  while (self->subscribing < self->argument_count && mqtt_is_ready(&self->client)) {
    const char *topic = self->arguments[self->subscribing++];
    int id = mqtt_subscribe(&self->client, topic, self->qos);
    if (id < 0) {
      complain(self, FAILED, topic, id == TOW_EINVAL ? "not a topic to subscribe to" : tow_error_text(id));
      mqtt_disconnect(&self->client);
    }
  }
  return 0;
}

static int on_subscribed(mqtt *client, uint16_t id, int granted) {
  (void)id;
  if (granted >= 0) return 0;
  complain(program_of(client), FAILED, "the broker refused a subscription", NULL);
  mqtt_disconnect(client);
  return 0;
}

static int on_message(mqtt *client, const mqtt_message *message) {
  if (program_of(client)->verbose) printf("%s ", message->topic);
  return 0;
}

static int on_data(mqtt *client, const void *data, size_t size) {
  (void)client;
  return fwrite(data, 1, size, stdout) == size ? 0 : TOW_EIO;
}

static int on_end(mqtt *client) {
  program *self = program_of(client);
  putchar('\n');
  if (fflush(stdout) != 0) return TOW_EIO;
  if (--self->count != 0) return 0;
  /* Not at once: this message is still to be acknowledged. */
  mqtt_pause_reading(client);
  tow_loop_call_soon(self->loop, &self->leave, leave, self);
  return 0;
}

/* ---- pub ---- */

static int publish_on(program *self) {
  mqtt *client = &self->client;
  while (client->publish_left > 0 && mqtt_is_ready(client)) {
    size_t size = client->publish_left < PIECE ? client->publish_left : PIECE;
    int failed = mqtt_publish_data(client, self->payload + self->size - client->publish_left, size);
    if (failed < 0) return failed;
  }
  if (client->publish_left == 0 && self->qos == 0) mqtt_disconnect(client);
  return 0;
}

static int publish(program *self) {
  mqtt_message message = {.topic = self->arguments[0], .size = self->size, .qos = self->qos, .retain = self->retain};
  int id = mqtt_publish_begin(&self->client, &message);
  if (id >= 0) return publish_on(self);
  complain(self, FAILED, message.topic, id == TOW_EINVAL ? "not a topic to publish to" : tow_error_text(id));
  mqtt_disconnect(&self->client);
  return 0;
}

static int on_published(mqtt *client, uint16_t id) {
  (void)id;
  mqtt_disconnect(client);
  return 0;
}

/* All of standard input: MQTT wants the size of a message before its bytes. */
static bool read_input(program *self) {
  char *data = NULL;
  size_t size = 0, capacity = 0, got;
  do {
    if (size == capacity) {
      capacity = capacity ? 2 * capacity : PIECE;
      char *larger = realloc(data, capacity);
      if (larger == NULL) break;
      data = larger;
    }
    got = fread(data + size, 1, capacity - size, stdin);
    size += got;
  } while (got > 0);
  self->payload = data;
  self->size = size;
  return feof(stdin) != 0;
}

/* ---- check ---- */

static void print_json_text(const char *text) {
  putchar('"');
  for (; *text; text++)
    printf(*text == '"' || *text == '\\' ? "\\%c" : (unsigned char)*text < 32 ? "\\u%04x" : "%c", *text);
  putchar('"');
}

static void print_check(const mqtt_check_result *result) {
  printf("{\"ok\":%s,\"messages\":%.0f,\"bytes\":%.0f,\"checksum\":\"%08" PRIx32 "\",\"milliseconds\":%.0f,"
         "\"pauses\":%" PRIu32,
         result->code ? "false" : "true", result->messages, result->bytes, result->checksum, result->milliseconds,
         result->pauses);
  if (result->code != 0) {
    printf(",\"error\":\"%s\",\"message\":", tow_error_name(result->code));
    print_json_text(result->message);
  }
  printf("}\n");
}

static void check_done(void *context, const mqtt_check_result *result) {
  program *self = context;
  print_check(result);
  if (result->code != 0 && self->status == DONE) self->status = FAILED;
}

/* ---- The connection ---- */

static int on_connected(mqtt *client, bool session_present) {
  (void)session_present;
  program *self = program_of(client);
  return strcmp(self->command, "sub") == 0 ? subscribe_on(self) : publish(self);
}

static int on_ready(mqtt *client) {
  program *self = program_of(client);
  return strcmp(self->command, "sub") == 0 ? subscribe_on(self) : publish_on(self);
}

static int on_closed(mqtt *client, const tow_error *error) {
  program *self = program_of(client);
  tow_handle_cancel(&self->leave);
  return error ? complain(self, FAILED, self->address, error->message) : 0;
}

static const mqtt_callbacks callbacks = {
    .connected = on_connected,
    .subscribed = on_subscribed,
    .published = on_published,
    .ready = on_ready,
    .message_begin = on_message,
    .message_data = on_data,
    .message_end = on_end,
    .closed = on_closed,
};

static void print_call(void *context, const trace_call *call) {
  (void)context;
  fprintf(stderr, "%10.3f  %s", call->time, call->name);
  if (strcmp(call->name, "GB") == 0) fprintf(stderr, " hint %td ->", call->hint);
  if (call->size > 0) fprintf(stderr, " %zu", call->size);
  if (call->error != NULL) fprintf(stderr, " %s: %s", tow_error_name(call->error->code), call->error->message);
  fputc('\n', stderr);
}

static tow_protocol *create(tow_loop *loop, void *context) {
  program *self = context;
  tow_protocol *protocol = &self->client.base;
  if (strcmp(self->command, "check") == 0) {
    protocol = mqtt_check_new(loop, &self->options, (double)self->megabytes * 1e6, self->qos, check_done, self);
  } else {
    mqtt_init(&self->client, loop, &callbacks, &self->options);
  }
  return protocol && self->tracing ? trace_init(&self->trace, loop, protocol, print_call, NULL) : protocol;
}

static int connected(void *context, tow_transport *transport, const tow_error *error) {
  (void)transport;
  program *self = context;
  self->connected = error == NULL;
  if (error != NULL && strcmp(self->command, "check") == 0)
    print_check(&(mqtt_check_result){.code = error->code, .message = error->message});
  return error ? complain(self, FAILED, self->address, error->message) : 0;
}

/* The first time politely, so that the broker forgets the will; then as every program. */
static void interrupted(uv_signal_t *handle, int number) {
  program *self = handle->data;
  uv_signal_stop(handle);
  self->status = 128 + number;
  if (self->connected && strcmp(self->command, "check") != 0)
    mqtt_disconnect(&self->client);
  else
    tow_uv_stop(self->loop);
}

static void nothing(uv_handle_t *handle) {
  (void)handle;
}

static void run(program *self) {
  static const int numbers[] = {SIGINT, SIGTERM};
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.timeout = self->options.timeout = (double)self->timeout * 1000;
  uv_loop_t uv;
  if (uv_loop_init(&uv) != 0) exit(complain(self, FAILED, "cannot make a loop", NULL));
  self->loop = tow_uv_loop_new(&(tow_uv_options){.uv = &uv});
  for (size_t i = 0; i < 2; i++) {
    uv_signal_init(&uv, &self->signals[i]);
    self->signals[i].data = self;
    uv_signal_start(&self->signals[i], interrupted, numbers[i]);
    uv_unref((uv_handle_t *)&self->signals[i]);
  }
  if (self->loop != NULL &&
      tow_loop_connect(self->loop, self->address, &options, (tow_factory){create, self}, connected, self) != NULL)
    tow_uv_run(self->loop);
  else
    complain(self, FAILED, "out of memory", NULL);
  if (self->loop != NULL) tow_uv_loop_close(self->loop);
  for (size_t i = 0; i < 2; i++)
    uv_close((uv_handle_t *)&self->signals[i], nothing);
  uv_run(&uv, UV_RUN_DEFAULT);
  uv_loop_close(&uv);
}

/* ---- The command line ---- */

static bool parse(program *self, int count, char **arguments) {
  const char *will_message = "";
  long qos = 0, will_qos = 0, keep_alive = 60;
  bool keep_session = false, wants_help = false;
  const option options[] = {
      {"id", OPTION_TEXT, &self->options.client_id, 0, 0},
      {"user", OPTION_TEXT, &self->options.user, 0, 0},
      {"password", OPTION_TEXT, &self->options.password, 0, 0},
      {"qos", OPTION_NUMBER, &qos, 0, 1},
      {"retain", OPTION_FLAG, &self->retain, 0, 0},
      {"count", OPTION_NUMBER, &self->count, 1, LONG_MAX},
      {"verbose", OPTION_FLAG, &self->verbose, 0, 0},
      {"megabytes", OPTION_NUMBER, &self->megabytes, 1, 1000000},
      {"will-topic", OPTION_TEXT, &self->options.will.topic, 0, 0},
      {"will-message", OPTION_TEXT, &will_message, 0, 0},
      {"will-qos", OPTION_NUMBER, &will_qos, 0, 2},
      {"will-retain", OPTION_FLAG, &self->options.will.retain, 0, 0},
      {"keep-session", OPTION_FLAG, &keep_session, 0, 0},
      {"keep-alive", OPTION_NUMBER, &keep_alive, 0, 65535},
      {"timeout", OPTION_NUMBER, &self->timeout, 0, 86400},
      {"trace", OPTION_FLAG, &self->tracing, 0, 0},
      {"help", OPTION_FLAG, &wants_help, 0, 0},
      {NULL, OPTION_TEXT, NULL, 0, 0},
  };
  const char *about = NULL, *problem = arguments_parse(options, &count, arguments, &about);
  if (problem != NULL) return complain(self, USAGE, about, problem), false;
  if (wants_help) {
    fputs(help, stdout);
    return false;
  }
  if (count < 2) return complain(self, USAGE, "an address and a command are needed", NULL), false;
  self->address = arguments[0];
  self->command = arguments[1];
  self->arguments = arguments + 2;
  self->argument_count = count - 2;
  self->qos = (int)qos;
  self->options.keep_alive = (uint16_t)keep_alive;
  self->options.clean_session = !keep_session;
  self->options.will.payload = will_message;
  self->options.will.size = strlen(will_message);
  self->options.will.qos = (int)will_qos;
  bool sub = strcmp(self->command, "sub") == 0, pub = strcmp(self->command, "pub") == 0;
  if (!sub && !pub && strcmp(self->command, "check") != 0)
    return complain(self, USAGE, self->command, "no such command"), false;
  if (sub ? self->argument_count == 0 : self->argument_count != (pub ? 2 : 0))
    return complain(self, USAGE, self->command, "wrong number of arguments"), false;
  problem = mqtt_options_problem(&self->options);
  if (problem != NULL) return complain(self, USAGE, problem, NULL), false;
  return true;
}

int main(int count, char **arguments) {
  program self = {.options = MQTT_OPTIONS_DEFAULT, .timeout = 10, .megabytes = 10};
  if (!parse(&self, count - 1, arguments + 1)) {
    if (self.status == USAGE) fputs("Try `mqtt --help`.\n", stderr);
    return self.status;
  }
  char check_id[32];
  if (strcmp(self.command, "check") == 0 && self.options.client_id[0] == 0) {
    snprintf(check_id, sizeof check_id, "check-%ld", (long)getpid());
    self.options.client_id = check_id;
  }
  bool from_input = strcmp(self.command, "pub") == 0 && strcmp(self.arguments[1], "-") == 0;
  if (from_input && !read_input(&self)) return complain(&self, FAILED, "cannot read standard input", NULL), FAILED;
  if (strcmp(self.command, "pub") == 0 && !from_input) {
    self.payload = self.arguments[1];
    self.size = strlen(self.payload);
  }
  run(&self);
  if (from_input) free((void *)(uintptr_t)self.payload);
  return self.status;
}
