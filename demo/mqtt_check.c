#include "mqtt_check.h"

#include <string.h>

/* Around each length where MQTT's remaining length or a host's buffer takes a step. */
static const size_t sizes[] = {0,     1,     1 << 20, 100,    127,    128,   16000,  16383,
                               16384, 65535, 65536,   100000, 262144, 30000, 524288, 7};

enum { SIZES = sizeof sizes / sizeof *sizes };

static const char prefix[] = "towline/check/";

static const uint32_t fnv_start = 2166136261u;

static uint32_t fnv(uint32_t hash, const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ data[i]) * 16777619u;
  return hash;
}

typedef struct check {
  mqtt client;
  mqtt_check_done done;
  void *context;
  mqtt_check_result result;
  double target, start; /* bytes, milliseconds */
  bool complete;
  int qos;
  char topic[100];

  /* Messages that have been sent and not yet come back, at their number modulo the window. */
  struct {
    size_t size;
    uint32_t checksum;
  } expected[MQTT_CHECK_WINDOW];
  uint32_t sent, received;
  double sent_bytes;

  /* The message that is being sent. */
  size_t left;
  uint32_t sent_checksum, random;

  /* The message that is coming. */
  size_t size, got;
  uint32_t got_checksum;

  uint8_t piece[MQTT_CHECK_PIECE];
} check;

static check *check_of(mqtt *client) {
  return (check *)client;
}

static int failed(check *self, int code, const char *message) {
  if (self->result.code == 0) {
    self->result.code = code;
    self->result.message = message;
  }
  mqtt_disconnect(&self->client);
  return 0;
}

/* Xorshift: each message differs from the others, so that none can stand for another. */
static void fill(check *self, size_t size) {
  for (size_t i = 0; i < size; i++) {
    self->random ^= self->random << 13;
    self->random ^= self->random >> 17;
    self->random ^= self->random << 5;
    self->piece[i] = (uint8_t)self->random;
  }
}

static int send_begin(check *self) {
  mqtt_message message = {.topic = self->topic, .size = sizes[self->sent % SIZES], .qos = self->qos};
  self->left = message.size;
  self->random = self->sent + 1;
  self->sent_checksum = fnv_start;
  self->sent_bytes += (double)message.size;
  return mqtt_publish_begin(&self->client, &message);
}

static int send_piece(check *self) {
  size_t size = self->left < MQTT_CHECK_PIECE ? self->left : MQTT_CHECK_PIECE;
  fill(self, size);
  self->left -= size;
  self->sent_checksum = fnv(self->sent_checksum, self->piece, size);
  return mqtt_publish_data(&self->client, self->piece, size);
}

/* As much as goes without being held back. */
static int send_on(mqtt *client) {
  check *self = check_of(client);
  int result = 0;
  while (result >= 0 && mqtt_is_ready(client)) {
    if (self->left > 0) {
      result = send_piece(self);
    } else {
      if (self->sent_bytes >= self->target || self->sent - self->received == MQTT_CHECK_WINDOW) break;
      result = send_begin(self);
    }
    if (self->left > 0) continue;
    size_t at = self->sent++ % MQTT_CHECK_WINDOW;
    self->expected[at].size = sizes[(self->sent - 1) % SIZES];
    self->expected[at].checksum = self->sent_checksum;
  }
  return result < 0 ? result : 0;
}

static int check_connected(mqtt *client, bool session_present) {
  (void)session_present;
  int id = mqtt_subscribe(client, check_of(client)->topic, check_of(client)->qos);
  return id < 0 ? failed(check_of(client), id, "the topic cannot be subscribed") : id;
}

static int check_subscribed(mqtt *client, uint16_t id, int granted) {
  (void)id;
  check *self = check_of(client);
  if (granted < 0) return failed(self, granted, "the broker refused the subscription");
  self->start = tow_loop_time(client->loop);
  return send_on(client);
}

static int check_ready(mqtt *client) {
  check_of(client)->result.pauses++;
  return send_on(client);
}

/* Over when all has come back and, at QoS 1, all is acknowledged. */
static int go_on(check *self) {
  bool all = self->sent_bytes >= self->target && self->left == 0 && self->received == self->sent;
  if (!all || self->client.waiting > 0) return send_on(&self->client);
  self->result.milliseconds = tow_loop_time(self->client.loop) - self->start;
  self->complete = true;
  mqtt_disconnect(&self->client);
  return 0;
}

static int check_published(mqtt *client, uint16_t id) {
  (void)id;
  return go_on(check_of(client));
}

static int check_begin(mqtt *client, const mqtt_message *message) {
  check *self = check_of(client);
  if (self->received == self->sent) return failed(self, TOW_EPROTO, "a message came that was not sent");
  if (message->size != self->expected[self->received % MQTT_CHECK_WINDOW].size)
    return failed(self, TOW_EPROTO, "a message came back with another size, or in another order");
  self->size = message->size;
  self->got = 0;
  self->got_checksum = fnv_start;
  return 0;
}

static int check_data(mqtt *client, const void *data, size_t size) {
  check *self = check_of(client);
  self->got += size;
  self->got_checksum = fnv(self->got_checksum, data, size);
  self->result.checksum = fnv(self->result.checksum, data, size);
  return 0;
}

static int check_end(mqtt *client) {
  check *self = check_of(client);
  if (self->got != self->size) return failed(self, TOW_EPROTO, "a message came back in part");
  if (self->got_checksum != self->expected[self->received % MQTT_CHECK_WINDOW].checksum)
    return failed(self, TOW_EPROTO, "a message came back changed");
  self->received++;
  self->result.messages++;
  self->result.bytes += (double)self->size;
  return go_on(self);
}

static int check_closed(mqtt *client, const tow_error *error) {
  check *self = check_of(client);
  static const tow_error stopped = {TOW_ECANCELED, 0, "stopped before it was complete"};
  if (error == NULL) error = &stopped;
  if (!self->complete && self->result.code == 0) {
    self->result.code = error->code;
    self->result.message = error->message;
  }
  self->done(self->context, &self->result);
  tow_loop_free(client->loop, self);
  return 0;
}

static const mqtt_callbacks check_callbacks = {
    .connected = check_connected,
    .subscribed = check_subscribed,
    .published = check_published,
    .ready = check_ready,
    .message_begin = check_begin,
    .message_data = check_data,
    .message_end = check_end,
    .closed = check_closed,
};

tow_protocol *mqtt_check_new(tow_loop *loop, const mqtt_options *options, double bytes, int qos, mqtt_check_done done,
                             void *context) {
  check *self = tow_loop_alloc(loop, sizeof *self);
  if (self == NULL) return NULL;
  memset(self, 0, sizeof *self);
  mqtt_init(&self->client, loop, &check_callbacks, options);
  self->done = done;
  self->context = context;
  self->result.message = "";
  self->result.checksum = fnv_start;
  self->target = bytes;
  self->qos = qos;
  memcpy(self->topic, prefix, sizeof prefix);
  strncat(self->topic, options->client_id, sizeof self->topic - sizeof prefix);
  return &self->client.base;
}
