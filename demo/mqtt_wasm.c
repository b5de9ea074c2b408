/* The demo's wasm module: mqtt.c and mqtt_check.c for JavaScript (mqtt.js is the other side).
 *
 * A SESSION is one connection to be, made by mqtt_session_new. JavaScript connects with `mqtt_session_protocol` as the
 * constructor and the session as its context. Events come back through the imports, each with the `token` that
 * JavaScript gave. The last of them is `closed` or `checked`: then the session is gone.
 *
 * Texts come as address and size, and have a zero byte behind them. */
#include "mqtt.h"
#include "mqtt_check.h"

#include <string.h>

#define DEMO_IMPORT(name) __attribute__((import_module("demo"), import_name(#name))) extern void demo_##name

DEMO_IMPORT(connected)(uint32_t token, bool session_present);
DEMO_IMPORT(subscribed)(uint32_t token, uint32_t id, int granted);
DEMO_IMPORT(unsubscribed)(uint32_t token, uint32_t id);
DEMO_IMPORT(published)(uint32_t token, uint32_t id);
DEMO_IMPORT(burst)(uint32_t token, uint32_t messages_left);
/* `flags`: QoS, 2 retain, 4 dup. */
DEMO_IMPORT(message)(uint32_t token, const char *topic, size_t size, uint32_t flags);
DEMO_IMPORT(data)(uint32_t token, const void *data, size_t size);
DEMO_IMPORT(end)(uint32_t token);
DEMO_IMPORT(closed)(uint32_t token, const tow_error *error);
DEMO_IMPORT(checked)
(uint32_t token, int code, const char *message, double messages, double bytes, uint32_t checksum, double milliseconds,
 uint32_t pauses);

enum { PIECE = 32 << 10 };

typedef struct session {
  mqtt client;
  tow_loop *loop;
  uint32_t token;
  bool begun; /* the constructor has run */
  mqtt_options options;
  double check_bytes; /* 0: not a check */
  int check_qos;
  uint32_t burst_messages; /* still to begin */
  size_t burst_size;
  char texts[]; /* what the options point at */
} session;

static const char *keep(char **at, const char *text, size_t size) {
  char *copy = memcpy(*at, text, size + 1);
  *at += size + 1;
  return size > 0 ? copy : NULL;
}

/* ---- Before the connection ---- */

/* An empty text: none. `flags`: 1 clean session, 2 retain the will. NULL when out of memory. */
session *mqtt_session_new(tow_loop *loop, uint32_t token, uint32_t flags, uint32_t keep_alive, uint32_t will_qos,
                          const char *id, size_t id_size, const char *user, size_t user_size, const char *password,
                          size_t password_size, const char *topic, size_t topic_size, const char *message,
                          size_t message_size) {
  size_t texts = id_size + user_size + password_size + topic_size + message_size + 5;
  session *self = tow_loop_alloc(loop, sizeof *self + texts);
  if (self == NULL) return NULL;
  *self = (session){.loop = loop, .token = token, .options = MQTT_OPTIONS_DEFAULT};
  mqtt_options *options = &self->options;
  char *at = self->texts;
  id = keep(&at, id, id_size);
  options->client_id = id ? id : "";
  options->user = keep(&at, user, user_size);
  options->password = keep(&at, password, password_size);
  options->will.topic = keep(&at, topic, topic_size);
  options->will.payload = keep(&at, message, message_size);
  options->will.size = message_size;
  options->will.qos = (int)will_qos;
  options->will.retain = flags & 2;
  options->clean_session = flags & 1;
  options->keep_alive = (uint16_t)keep_alive;
  return self;
}

/* A string, or NULL if nothing is wrong with what was given. */
const char *mqtt_session_problem(const session *self) {
  return mqtt_options_problem(&self->options);
}

/* This connection is to be a check of so many bytes. */
void mqtt_session_check(session *self, double bytes, int qos) {
  self->check_bytes = bytes;
  self->check_qos = qos;
}

/* For one that was never connected; the others are freed when they have ended. Answers whether it was so. */
bool mqtt_session_free(session *self) {
  if (self->begun) return false;
  tow_loop_free(self->loop, self);
  return true;
}

/* ---- Commands: they answer what mqtt.h's do ---- */

int mqtt_session_subscribe(session *self, const char *filter, size_t size, int qos) {
  return strlen(filter) == size ? mqtt_subscribe(&self->client, filter, qos) : TOW_EINVAL;
}

int mqtt_session_unsubscribe(session *self, const char *filter, size_t size) {
  return strlen(filter) == size ? mqtt_unsubscribe(&self->client, filter) : TOW_EINVAL;
}

int mqtt_session_publish(session *self, const char *topic, size_t topic_size, const void *payload, size_t size, int qos,
                         bool retain) {
  mqtt_message message = {.topic = topic, .size = size, .qos = qos, .retain = retain};
  return strlen(topic) == topic_size ? mqtt_publish(&self->client, &message, payload) : TOW_EINVAL;
}

void mqtt_session_disconnect(session *self) {
  mqtt_disconnect(&self->client);
}

/* As fast as the connection takes it, and no faster. */
static int burst_on(session *self) {
  static const uint8_t piece[PIECE];
  mqtt *client = &self->client;
  while (mqtt_is_ready(client) && (client->publish_left > 0 || self->burst_messages > 0)) {
    int result;
    if (client->publish_left > 0) {
      result = mqtt_publish_data(client, piece, client->publish_left < PIECE ? client->publish_left : PIECE);
    } else {
      result = mqtt_publish_begin(client, &(mqtt_message){.topic = "demo/burst", .size = self->burst_size});
      self->burst_messages -= result >= 0;
    }
    if (result < 0) return result;
    if (client->publish_left == 0) demo_burst(self->token, self->burst_messages);
  }
  return 0;
}

/* Messages of zeroes on "demo/burst". */
int mqtt_session_burst(session *self, uint32_t messages, size_t size) {
  self->burst_messages += messages;
  self->burst_size = size;
  return burst_on(self);
}

/* ---- Events ---- */

static session *session_of(mqtt *client) {
  return (session *)client;
}

static int on_connected(mqtt *client, bool session_present) {
  demo_connected(session_of(client)->token, session_present);
  return 0;
}

static int on_subscribed(mqtt *client, uint16_t id, int granted) {
  demo_subscribed(session_of(client)->token, id, granted);
  return 0;
}

static int on_unsubscribed(mqtt *client, uint16_t id) {
  demo_unsubscribed(session_of(client)->token, id);
  return 0;
}

static int on_published(mqtt *client, uint16_t id) {
  demo_published(session_of(client)->token, id);
  return 0;
}

static int on_ready(mqtt *client) {
  return burst_on(session_of(client));
}

static int on_message(mqtt *client, const mqtt_message *message) {
  uint32_t flags = (uint32_t)message->qos | (uint32_t)message->retain << 1 | (uint32_t)message->dup << 2;
  demo_message(session_of(client)->token, message->topic, message->size, flags);
  return 0;
}

static int on_data(mqtt *client, const void *data, size_t size) {
  demo_data(session_of(client)->token, data, size);
  return 0;
}

static int on_end(mqtt *client) {
  demo_end(session_of(client)->token);
  return 0;
}

static int on_closed(mqtt *client, const tow_error *error) {
  session *self = session_of(client);
  demo_closed(self->token, error);
  tow_loop_free(self->loop, self);
  return 0;
}

static const mqtt_callbacks callbacks = {
    .connected = on_connected,
    .subscribed = on_subscribed,
    .unsubscribed = on_unsubscribed,
    .published = on_published,
    .ready = on_ready,
    .message_begin = on_message,
    .message_data = on_data,
    .message_end = on_end,
    .closed = on_closed,
};

static void on_checked(void *context, const mqtt_check_result *result) {
  session *self = context;
  demo_checked(self->token, result->code, result->message, result->messages, result->bytes, result->checksum,
               result->milliseconds, result->pauses);
  tow_loop_free(self->loop, self);
}

/* The constructor: `context` is the session. */
tow_protocol *mqtt_session_protocol(tow_loop *loop, void *context) {
  session *self = context;
  tow_protocol *protocol = &self->client.base;
  if (self->check_bytes > 0)
    protocol = mqtt_check_new(loop, &self->options, self->check_bytes, self->check_qos, on_checked, self);
  else
    mqtt_init(&self->client, loop, &callbacks, &self->options);
  self->begun = protocol != NULL;
  return protocol;
}
