/* An MQTT 3.1.1 client: one protocol of Towline, in one C file, the same on every host.
 *
 * Put a `mqtt` first in a struct of your own, give it a constant table of callbacks, and connect:
 *
 *     typedef struct hello { mqtt client; } hello;
 *
 *     static int hello_connected(mqtt *client, bool session_present) {
 *       return mqtt_publish(client, &(mqtt_message){.topic = "hello", .size = 5}, "world");
 *     }
 *     static const mqtt_callbacks hello_callbacks = {.connected = hello_connected};
 *
 *     static tow_protocol *hello_create(tow_loop *loop, void *context) {
 *       hello *self = tow_loop_alloc(loop, sizeof *self);
 *       if (self) mqtt_init(&self->client, loop, &hello_callbacks, &(mqtt_options)MQTT_OPTIONS_DEFAULT);
 *       return self ? &self->client.base : NULL;
 *     }
 *
 *     tow_loop_connect(loop, "tcp://127.0.0.1:1883", NULL, (tow_factory){hello_create, NULL}, NULL, NULL);
 *
 * One `mqtt` is one connection. QoS 0 and 1 in both directions; a QoS 2 message ends the connection with TOW_EPROTO.
 *
 * Payloads pass through in pieces, as they come and go, and are never copied nor kept here. So nothing is sent again
 * by itself: MQTT 3.1.1 asks for that only on a new connection, and there you do it: publish again what `published`
 * has not named, with `dup` set and the `id` that it had [MQTT-4.4.0-1].
 *
 * [MQTT-...] and section numbers are those of the OASIS standard "MQTT Version 3.1.1". Sizes are in bytes.
 */
#ifndef TOWLINE_DEMO_MQTT_H
#define TOWLINE_DEMO_MQTT_H

#include <towline/towline.h>

typedef struct mqtt mqtt;

enum {
  MQTT_IN_FLIGHT = 32,       /* requests that may wait for their acknowledgement: publish at QoS 1, (un)subscribe */
  MQTT_ACKS = 64,            /* acknowledgements of ours that may wait for the end of a publish in pieces */
  MQTT_BUFFER = 64 * 1024,   /* what the host reads into; grows only for a topic that does not fit */
  MQTT_SIZE_MAX = 0xFFFFFFF, /* the largest remaining length (2.2.3): topic, id and payload of a message together */
};

/* ---- Messages ---- */

typedef struct mqtt_message {
  const char *topic; /* UTF-8, ended by a zero byte; a received one is valid until message_begin returns */
  size_t size;       /* of the payload */
  int qos;           /* 0, or 1: acknowledged */
  bool retain;
  bool dup;    /* this may be the second time */
  uint16_t id; /* at QoS 1: the packet identifier; to publish, 0 to have one chosen */
} mqtt_message;

/* ---- What you are told ----
 * Like Towline's own callbacks: a missing one does nothing, and a negative answer ends the connection, where `closed`
 * is told TOW_ECALLBACK with that value in `native`. */
typedef struct mqtt_callbacks {
  /* The broker has accepted the connection; from now on you may send. */
  int (*connected)(mqtt *client, bool session_present);
  /* `granted`: the QoS, or TOW_EACCES if the broker refused. */
  int (*subscribed)(mqtt *client, uint16_t id, int granted);
  int (*unsubscribed)(mqtt *client, uint16_t id);
  /* The broker has the QoS 1 message. */
  int (*published)(mqtt *client, uint16_t id);
  /* mqtt_is_ready has become true again. Never called from inside a call of yours. */
  int (*ready)(mqtt *client);
  /* A message comes: its head, its payload in as many pieces as it arrives in (none if it is empty), its end. The
   * pieces lie where the host has put them and are lent until you return. At QoS 1 it is acknowledged after its end. */
  int (*message_begin)(mqtt *client, const mqtt_message *message);
  int (*message_data)(mqtt *client, const void *data, size_t size);
  int (*message_end)(mqtt *client);
  /* Last, once. NULL after mqtt_disconnect. TOW_EPROTO: the broker sent what is not MQTT, or not now. A refusal has
   * CONNACK's return code in `native` and says why. You may free the client here, and no earlier. */
  int (*closed)(mqtt *client, const tow_error *error);
} mqtt_callbacks;

/* ---- Connecting ---- */

typedef struct mqtt_will {
  const char *topic; /* NULL: no will */
  const void *payload;
  size_t size;
  int qos; /* 0, 1 or 2 */
  bool retain;
} mqtt_will;

typedef struct mqtt_options {
  const char *client_id; /* "": the broker chooses one (with clean_session) */
  const char *user;      /* NULL: none */
  const char *password;  /* NULL: none; needs a user */
  mqtt_will will;
  bool clean_session;
  uint16_t keep_alive; /* seconds; 0: off. A ping every half of it; silence until the next one is TOW_ETIMEDOUT */
  double timeout;      /* milliseconds until CONNACK; 0: none */
} mqtt_options;

#define MQTT_OPTIONS_DEFAULT                                                                                           \
  { "", NULL, NULL, {NULL, NULL, 0, 0, false}, true, 60, 10000.0 }

/* What is wrong with the options, for people; NULL if nothing is. Wrong ones end the connection with TOW_EINVAL. */
const char *mqtt_options_problem(const mqtt_options *options);

/* Never fails and allocates nothing. What the options point at is lent until connection_made has sent it. */
void mqtt_init(mqtt *client, tow_loop *loop, const mqtt_callbacks *callbacks, const mqtt_options *options);

/* DISCONNECT, then close: what was written before is still sent, nothing more is received, the broker forgets the
 * will. In the middle of a publish in pieces there is no such end: then the connection is aborted. */
void mqtt_disconnect(mqtt *client);

/* ---- Sending ----
 * Each call answers the request's packet identifier (1 to 65,535), 0 if it has none, or:
 *   TOW_ENOTCONN   not connected yet, or no longer
 *   TOW_EINVAL     not a topic, filter or QoS
 *   TOW_EMSGSIZE   larger than MQTT allows
 *   TOW_ENOBUFS    not now: MQTT_IN_FLIGHT requests wait (`ready` tells when), or a publish in pieces is open
 *   TOW_ENOMEM     the connection ends */
int mqtt_subscribe(mqtt *client, const char *filter, int qos);
int mqtt_unsubscribe(mqtt *client, const char *filter);

/* A whole message, `message->size` bytes at `payload`; they are taken when the call returns. */
int mqtt_publish(mqtt *client, const mqtt_message *message, const void *payload);

/* The same in pieces: `message->size` bytes must follow, in any number of calls (TOW_EMSGSIZE for more than that).
 * Until then nothing else can be sent; acknowledgements wait. */
int mqtt_publish_begin(mqtt *client, const mqtt_message *message);
int mqtt_publish_data(mqtt *client, const void *data, size_t size);

/* Whether the next message, or piece of one, may be sent now: connected, writing not paused, less than MQTT_IN_FLIGHT
 * waiting. While only writing is paused you may still send, but it is memory that takes it. */
bool mqtt_is_ready(const mqtt *client);

/* No callback about what has come until resumed. Inside a callback it holds at once. */
void mqtt_pause_reading(mqtt *client);
void mqtt_resume_reading(mqtt *client);

/* ---- The client ----
 * Yours to place, mqtt.c's to use. `transport` is NULL before connection_made and from `closed` on. */
struct mqtt {
  tow_protocol base;
  const mqtt_callbacks *callbacks;
  mqtt_options options;
  tow_loop *loop;
  tow_transport *transport;
  tow_handle timer;  /* CONNACK's time-out, then the keep-alive */
  tow_handle resume; /* goes on reading after a pause */
  tow_error failure; /* what `closed` will be told */
  bool connected, pinging, writing_paused, reading_paused, was_ready;

  /* Reading: [start, end) of the buffer is still to be read. */
  uint8_t *buffer;
  size_t capacity, start, end;
  bool in_message;
  uint16_t message_id; /* to be acknowledged after its end, or 0 */
  size_t message_left; /* bytes of payload still to come */

  /* Writing. */
  size_t publish_left; /* bytes of payload that mqtt_publish_data still owes */
  uint16_t last_id;
  uint8_t waiting, acks;
  struct {
    uint16_t id;
    uint8_t type; /* of the packet that will answer */
  } waits[MQTT_IN_FLIGHT];
  uint16_t ack_ids[MQTT_ACKS];
};

#endif
