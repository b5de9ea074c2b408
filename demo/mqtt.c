#include "mqtt.h"

#include <string.h>

/* A control packet (2.1) is: one byte of type and flags, the remaining length in one to four bytes, and that many
 * bytes of body. All fit the buffer whole, and are read when they are there whole, but for PUBLISH: of that one only
 * the head is (topic and identifier). Its payload is handed on from where it lies, as it comes.
 *
 *     buffer   [ read | start ... end | free: what get_buffer gives ]
 *
 * Only get_buffer moves or grows the buffer: that is the one moment when the host surely holds nothing of it. */
enum {
  CONNECT = 1,
  CONNACK = 2,
  PUBLISH = 3,
  PUBACK = 4,
  SUBSCRIBE = 8,
  SUBACK = 9,
  UNSUBSCRIBE = 10,
  UNSUBACK = 11,
  PINGREQ = 12,
  PINGRESP = 13,
  DISCONNECT = 14,
};

enum { TEXT_MAX = 0xFFFF, HEADER_MAX = 5 };

/* The first cause wins; `closed` is told. */
static int fail(mqtt *client, int code, int native, const char *message) {
  if (client->failure.code == 0) client->failure = (tow_error){code, native, message};
  tow_transport_abort(client->transport);
  return 0;
}

static int broken(mqtt *client, const char *message) {
  return fail(client, TOW_EPROTO, 0, message);
}

static mqtt *client_of(tow_protocol *self) {
  return (mqtt *)self;
}

static bool is_open(const mqtt *client) {
  return client->transport != NULL && !tow_transport_is_closing(client->transport);
}

/* ---- Text ---- */

/* Well-formed UTF-8 without U+0000 and surrogates (1.5.3). */
static bool is_text(const char *text, size_t size) {
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < size;) {
    uint8_t first = (uint8_t)text[i++];
    if (first == 0) return false;
    if (first < 0x80) continue;
    size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC2 || first > 0xF4 || size - i < more) return false;
    uint32_t point = first & (0x3Fu >> more);
    for (size_t end = i + more; i < end; i++) {
      if (((uint8_t)text[i] & 0xC0) != 0x80) return false;
      point = point << 6 | ((uint8_t)text[i] & 0x3F);
    }
    if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
  }
  return true;
}

static bool fits(const char *text) {
  size_t size = strlen(text);
  return size <= TEXT_MAX && is_text(text, size);
}

static bool is_topic(const char *topic) {
  return topic != NULL && topic[0] != 0 && fits(topic) && strpbrk(topic, "+#") == NULL;
}

/* A wildcard stands for a whole level, and '#' for the last (4.7.1). */
static bool is_filter(const char *filter) {
  if (filter == NULL || filter[0] == 0 || !fits(filter)) return false;
  for (const char *at = filter; (at = strpbrk(at, "+#")) != NULL; at++) {
    bool begins = at == filter || at[-1] == '/', ends = at[1] == 0 || (*at == '+' && at[1] == '/');
    if (!begins || !ends) return false;
  }
  return true;
}

/* ---- Putting packets together ---- */

static uint8_t *put_byte(uint8_t *at, unsigned value) {
  *at++ = (uint8_t)value;
  return at;
}

static uint8_t *put_word(uint8_t *at, size_t value) {
  return put_byte(put_byte(at, value >> 8 & 0xFF), value & 0xFF);
}

static uint8_t *put_header(uint8_t *at, unsigned type, unsigned flags, size_t length) {
  at = put_byte(at, type << 4 | flags);
  for (; length > 127; length >>= 7)
    at = put_byte(at, 128 | (length & 127));
  return put_byte(at, (unsigned)length);
}

static uint8_t *put_field(uint8_t *at, const void *data, size_t size) {
  at = put_word(at, size);
  if (size > 0) memcpy(at, data, size);
  return at + size;
}

static uint8_t *put_text(uint8_t *at, const char *text) {
  return text ? put_field(at, text, strlen(text)) : at;
}

static size_t text_size(const char *text) {
  return text ? 2 + strlen(text) : 0;
}

/* ---- Requests that wait for an answer ---- */

static size_t find_wait(const mqtt *client, uint16_t id) {
  size_t i = 0;
  while (i < client->waiting && client->waits[i].id != id)
    i++;
  return i;
}

/* `id` 0: the next one that is free. There always is one: far fewer wait than there are numbers. */
static int add_wait(mqtt *client, uint8_t answer, uint16_t id) {
  if (client->waiting == MQTT_IN_FLIGHT) return TOW_ENOBUFS;
  if (id == 0) {
    do
      client->last_id = (uint16_t)(client->last_id % 0xFFFF + 1);
    while (find_wait(client, client->last_id) < client->waiting);
    id = client->last_id;
  } else if (find_wait(client, id) < client->waiting) {
    return TOW_EINVAL;
  }
  client->waits[client->waiting].id = id;
  client->waits[client->waiting++].type = answer;
  return id;
}

static bool end_wait(mqtt *client, uint8_t answer, uint16_t id) {
  size_t i = find_wait(client, id);
  if (i == client->waiting || client->waits[i].type != answer) return false;
  client->waits[i] = client->waits[--client->waiting];
  return true;
}

bool mqtt_is_ready(const mqtt *client) {
  return client->connected && is_open(client) && !client->writing_paused &&
         (client->publish_left > 0 || client->waiting < MQTT_IN_FLIGHT);
}

static int tell_ready(mqtt *client) {
  bool was = client->was_ready;
  client->was_ready = mqtt_is_ready(client);
  return client->was_ready && !was && client->callbacks->ready ? client->callbacks->ready(client) : 0;
}

/* ---- Sending ---- */

static int may_send(const mqtt *client) {
  if (!client->connected || !is_open(client)) return TOW_ENOTCONN;
  return client->publish_left > 0 ? TOW_ENOBUFS : 0;
}

/* The rest of every call that sends: its packet in pieces, and what it answers. */
static int send_lines(mqtt *client, const tow_iovec *lines, size_t count, int id) {
  int failed = tow_transport_writelines(client->transport, lines, count);
  client->was_ready = mqtt_is_ready(client);
  return failed < 0 ? failed : id;
}

static int send_filter(mqtt *client, unsigned type, uint8_t answer, const char *filter, int qos) {
  int id = may_send(client);
  if (id == 0 && (!is_filter(filter) || qos > 1)) id = TOW_EINVAL;
  if (id == 0) id = add_wait(client, answer, 0);
  if (id < 0) return id;
  uint8_t head[HEADER_MAX + 4], last[1], *at;
  size_t size = strlen(filter), tail = type == SUBSCRIBE ? 1 : 0;
  at = put_header(head, type, 2, 4 + size + tail);
  at = put_word(put_word(at, (size_t)id), size);
  put_byte(last, (unsigned)qos);
  tow_iovec lines[] = {{head, (size_t)(at - head)}, {filter, size}, {last, tail}};
  return send_lines(client, lines, 3, id);
}

int mqtt_subscribe(mqtt *client, const char *filter, int qos) {
  return qos < 0 ? TOW_EINVAL : send_filter(client, SUBSCRIBE, SUBACK, filter, qos);
}

int mqtt_unsubscribe(mqtt *client, const char *filter) {
  return send_filter(client, UNSUBSCRIBE, UNSUBACK, filter, 0);
}

/* The first `size` bytes of the message's payload go out with its head. */
static int publish(mqtt *client, const mqtt_message *message, const void *payload, size_t size) {
  int id = may_send(client);
  if (id < 0) return id;
  if (!is_topic(message->topic) || message->qos < 0 || message->qos > 1) return TOW_EINVAL;
  size_t topic_size = strlen(message->topic), id_size = message->qos > 0 ? 2 : 0;
  if (message->size > MQTT_SIZE_MAX - 2 - topic_size - id_size) return TOW_EMSGSIZE;
  if (message->qos > 0) id = add_wait(client, PUBACK, message->id);
  if (id < 0) return id;
  client->publish_left = message->size - size;
  uint8_t head[HEADER_MAX + 2], tail[2];
  unsigned flags = (message->dup ? 8u : 0u) | (unsigned)message->qos << 1 | (message->retain ? 1u : 0u);
  uint8_t *at = put_header(head, PUBLISH, flags, 2 + topic_size + id_size + message->size);
  at = put_word(at, topic_size);
  put_word(tail, (size_t)id);
  tow_iovec lines[] = {{head, (size_t)(at - head)}, {message->topic, topic_size}, {tail, id_size}, {payload, size}};
  return send_lines(client, lines, 4, id);
}

int mqtt_publish(mqtt *client, const mqtt_message *message, const void *payload) {
  return publish(client, message, payload, message->size);
}

int mqtt_publish_begin(mqtt *client, const mqtt_message *message) {
  return publish(client, message, NULL, 0);
}

static int read_packets(void *context);

/* Reading goes on unless the user, or an acknowledgement that has no room, holds it. */
static void update_reading(mqtt *client) {
  if (!is_open(client)) return;
  if (client->reading_paused || client->acks == MQTT_ACKS) {
    tow_transport_pause_reading(client->transport);
  } else if (!tow_transport_is_reading(client->transport)) {
    tow_loop_call_soon(client->loop, &client->resume, read_packets, client);
    tow_transport_resume_reading(client->transport);
  }
}

static int flush_acks(mqtt *client) {
  if (client->publish_left > 0 || client->acks == 0) return 0;
  uint8_t packets[4 * MQTT_ACKS], *at = packets;
  for (size_t i = 0; i < client->acks; i++)
    at = put_word(put_header(at, PUBACK, 0, 2), client->ack_ids[i]);
  client->acks = 0;
  update_reading(client);
  return tow_transport_write(client->transport, packets, (size_t)(at - packets));
}

static int send_ack(mqtt *client, uint16_t id) {
  client->ack_ids[client->acks++] = id;
  update_reading(client);
  return flush_acks(client);
}

int mqtt_publish_data(mqtt *client, const void *data, size_t size) {
  if (!client->connected || !is_open(client)) return TOW_ENOTCONN;
  if (size > client->publish_left) return TOW_EMSGSIZE;
  client->publish_left -= size;
  int failed = send_lines(client, &(tow_iovec){data, size}, 1, 0);
  return failed < 0 ? failed : flush_acks(client);
}

void mqtt_disconnect(mqtt *client) {
  if (!is_open(client)) return;
  if (client->publish_left > 0) {
    tow_transport_abort(client->transport);
    return;
  }
  uint8_t packet[2];
  put_header(packet, DISCONNECT, 0, 0);
  tow_transport_write(client->transport, packet, sizeof packet);
  tow_transport_close(client->transport);
}

/* ---- Connecting and keeping alive ---- */

const char *mqtt_options_problem(const mqtt_options *options) {
  const mqtt_will *will = &options->will;
  if (options->client_id == NULL || !fits(options->client_id)) return "the client id is too long or not UTF-8";
  if (options->client_id[0] == 0 && !options->clean_session) return "a session that is kept needs a client id";
  if (options->user != NULL && !fits(options->user)) return "the user name is too long or not UTF-8";
  if (options->password != NULL && options->user == NULL) return "a password needs a user name";
  if (options->password != NULL && strlen(options->password) > TEXT_MAX) return "the password is too long";
  if (will->topic == NULL) return NULL;
  if (!is_topic(will->topic)) return "the will's topic is empty, too long, not UTF-8 or has a wildcard";
  if (will->size > TEXT_MAX) return "the will's payload is longer than 65,535 bytes";
  if (will->qos < 0 || will->qos > 2) return "the will's QoS is not 0, 1 or 2";
  return NULL;
}

static unsigned connect_flags(const mqtt_options *options) {
  const mqtt_will *will = &options->will;
  unsigned flags = options->clean_session ? 0x02 : 0;
  if (will->topic != NULL) flags |= 0x04u | (unsigned)will->qos << 3 | (will->retain ? 0x20u : 0u);
  return flags | (options->password ? 0x40u : 0u) | (options->user ? 0x80u : 0u);
}

static int send_connect(mqtt *client) {
  static const uint8_t protocol[] = {0, 4, 'M', 'Q', 'T', 'T', 4};
  const mqtt_options *options = &client->options;
  const mqtt_will *will = &options->will;
  size_t length = sizeof protocol + 3 + text_size(options->client_id) + text_size(options->user) +
                  text_size(options->password) + text_size(will->topic) + (will->topic ? 2 + will->size : 0);
  uint8_t *packet = tow_loop_alloc(client->loop, HEADER_MAX + length);
  if (packet == NULL) return fail(client, TOW_ENOMEM, 0, tow_error_text(TOW_ENOMEM));
  uint8_t *at = put_header(packet, CONNECT, 0, length);
  memcpy(at, protocol, sizeof protocol);
  at = put_byte(at + sizeof protocol, connect_flags(options));
  at = put_word(at, options->keep_alive);
  at = put_text(at, options->client_id);
  at = put_text(at, will->topic);
  if (will->topic != NULL) at = put_field(at, will->payload, will->size);
  at = put_text(put_text(at, options->user), options->password);
  int result = tow_transport_write(client->transport, packet, (size_t)(at - packet));
  tow_loop_free(client->loop, packet);
  return result;
}

static int no_connack(void *context) {
  return fail(context, TOW_ETIMEDOUT, 0, "the broker did not answer CONNECT in time");
}

/* Any byte proves that the broker lives, so a slow message does not end the connection. */
static int keep_alive(void *context) {
  mqtt *client = context;
  if (!is_open(client)) return 0;
  if (client->pinging && tow_transport_is_reading(client->transport))
    return fail(client, TOW_ETIMEDOUT, 0, "the broker did not answer PINGREQ in time");
  tow_loop_call_later(client->loop, &client->timer, client->options.keep_alive * 500.0, keep_alive, client);
  if (client->publish_left > 0) return 0;
  uint8_t packet[2];
  put_header(packet, PINGREQ, 0, 0);
  client->pinging = true;
  return tow_transport_write(client->transport, packet, sizeof packet);
}

/* ---- Reading ---- */

static int read_connack(mqtt *client, const uint8_t *body) {
  static const struct {
    int code;
    const char *text;
  } refusals[] = {
      {0, NULL},
      {TOW_ENOTSUP, "the broker does not speak MQTT 3.1.1"},
      {TOW_EINVAL, "the broker does not allow this client id"},
      {TOW_ECONNREFUSED, "the broker's MQTT service is unavailable"},
      {TOW_EACCES, "the user name or password is wrong"},
      {TOW_EACCES, "the client is not authorised to connect"},
  };
  if (client->connected) return broken(client, "a second CONNACK");
  if (body[0] > 1 || body[1] >= sizeof refusals / sizeof *refusals) return broken(client, "a CONNACK of no meaning");
  if (body[1] > 0) return fail(client, refusals[body[1]].code, body[1], refusals[body[1]].text);
  client->connected = client->was_ready = true;
  tow_handle_cancel(&client->timer);
  if (client->options.keep_alive > 0)
    tow_loop_call_later(client->loop, &client->timer, client->options.keep_alive * 500.0, keep_alive, client);
  return client->callbacks->connected ? client->callbacks->connected(client, body[0] == 1) : 0;
}

static uint16_t word_at(const uint8_t *at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

static int read_puback(mqtt *client, const uint8_t *body) {
  uint16_t id = word_at(body);
  if (!end_wait(client, PUBACK, id)) return broken(client, "a PUBACK of nothing that was published");
  int result = client->callbacks->published ? client->callbacks->published(client, id) : 0;
  return result < 0 ? result : tell_ready(client);
}

static int read_suback(mqtt *client, const uint8_t *body) {
  uint16_t id = word_at(body);
  if (!end_wait(client, SUBACK, id)) return broken(client, "a SUBACK of no subscription");
  if (body[2] > 1 && body[2] != 0x80) return broken(client, "a SUBACK with a QoS that was not asked for");
  int granted = body[2] == 0x80 ? TOW_EACCES : body[2];
  int result = client->callbacks->subscribed ? client->callbacks->subscribed(client, id, granted) : 0;
  return result < 0 ? result : tell_ready(client);
}

static int read_unsuback(mqtt *client, const uint8_t *body) {
  uint16_t id = word_at(body);
  if (!end_wait(client, UNSUBACK, id)) return broken(client, "an UNSUBACK of no subscription");
  int result = client->callbacks->unsubscribed ? client->callbacks->unsubscribed(client, id) : 0;
  return result < 0 ? result : tell_ready(client);
}

static int read_pingresp(mqtt *client, const uint8_t *body) {
  (void)client, (void)body;
  return 0;
}

/* What a broker sends besides PUBLISH: flags are zero, the length is always the same. */
static const struct {
  size_t length;
  int (*read)(mqtt *client, const uint8_t *body);
} answers[16] = {
    [CONNACK] = {2, read_connack},   [PUBACK] = {2, read_puback},     [SUBACK] = {3, read_suback},
    [UNSUBACK] = {2, read_unsuback}, [PINGRESP] = {0, read_pingresp},
};

/* All steps answer 1 to go on, 0 when more must come first (or it is over), or what a callback of the user's failed
 * with. */
static int read_answer(mqtt *client, const uint8_t *body, size_t have, unsigned type, unsigned flags, size_t length) {
  if (answers[type].read == NULL) return broken(client, "a packet of a type that no broker sends");
  if (flags != 0) return broken(client, "a packet with reserved flags set");
  if (length != answers[type].length) return broken(client, "a packet of a wrong length");
  if (have < length) return 0;
  client->start += length;
  int result = answers[type].read(client, body);
  return result < 0 ? result : 1;
}

static int read_message(mqtt *client, uint8_t *body, size_t have, unsigned flags, size_t length) {
  mqtt_message message = {.qos = flags >> 1 & 3, .retain = flags & 1, .dup = flags >> 3 & 1};
  size_t id_size = message.qos > 0 ? 2 : 0;
  if (message.qos > 1) return broken(client, "a message at QoS 2, which was not subscribed");
  if (message.qos == 0 && message.dup) return broken(client, "a message at QoS 0 marked as a duplicate");
  if (length < 2 + id_size) return broken(client, "a message that is too short for its topic");
  if (have < 2) return 0;
  size_t topic_size = word_at(body), head = 2 + topic_size + id_size;
  if (length < head) return broken(client, "a message that is too short for its topic");
  if (have < head) return 0;
  message.size = client->message_left = length - head;
  message.id = client->message_id = id_size ? word_at(body + 2 + topic_size) : 0;
  if (id_size > 0 && message.id == 0) return broken(client, "a message with the packet identifier 0");
  /* One byte down, over its length, and the topic is a string of C. */
  char *topic = memmove(body + 1, body + 2, topic_size);
  topic[topic_size] = 0;
  message.topic = topic;
  if (strlen(topic) != topic_size || !is_topic(topic)) return broken(client, "a message with a malformed topic");
  client->start += head;
  client->in_message = true;
  int result = client->callbacks->message_begin ? client->callbacks->message_begin(client, &message) : 0;
  return result < 0 ? result : 1;
}

static int read_header(mqtt *client) {
  uint8_t *packet = client->buffer + client->start;
  size_t have = client->end - client->start, size = 1, length = 0;
  do {
    if (size == HEADER_MAX) return broken(client, "a remaining length of more than four bytes");
    if (size >= have) return 0;
    length |= (size_t)(packet[size] & 127) << (7 * (size - 1));
  } while (packet[size++] > 127);
  unsigned type = packet[0] >> 4, flags = packet[0] & 15;
  if (!client->connected && type != CONNACK) return broken(client, "a packet before CONNACK: this is no MQTT broker");
  size_t before = client->start;
  client->start += size;
  int result = type == PUBLISH ? read_message(client, packet + size, have - size, flags, length)
                               : read_answer(client, packet + size, have - size, type, flags, length);
  if (result == 0) client->start = before;
  return result;
}

static int read_payload(mqtt *client) {
  size_t have = client->end - client->start;
  size_t size = client->message_left < have ? client->message_left : have;
  const uint8_t *piece = client->buffer + client->start;
  int result;
  if (client->message_left == 0) {
    client->in_message = false;
    result = client->callbacks->message_end ? client->callbacks->message_end(client) : 0;
    if (result >= 0 && client->message_id > 0) result = send_ack(client, client->message_id);
  } else {
    if (size == 0) return 0;
    client->start += size;
    client->message_left -= size;
    result = client->callbacks->message_data ? client->callbacks->message_data(client, piece, size) : 0;
  }
  return result < 0 ? result : 1;
}

static int read_packets(void *context) {
  mqtt *client = context;
  int result = 1;
  while (result > 0 && tow_transport_is_reading(client->transport))
    result = client->in_message ? read_payload(client) : read_header(client);
  return result < 0 ? result : 0;
}

void mqtt_pause_reading(mqtt *client) {
  client->reading_paused = true;
  update_reading(client);
}

void mqtt_resume_reading(mqtt *client) {
  client->reading_paused = false;
  update_reading(client);
}

/* ---- The protocol ---- */

static int client_made(tow_protocol *self, tow_transport *transport) {
  mqtt *client = client_of(self);
  client->transport = transport;
  const char *problem = mqtt_options_problem(&client->options);
  if (problem != NULL) return fail(client, TOW_EINVAL, 0, problem);
  if (client->options.timeout > 0)
    tow_loop_call_later(client->loop, &client->timer, client->options.timeout, no_connack, client);
  return send_connect(client);
}

static int client_get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)sizehint;
  mqtt *client = client_of(self);
  size_t kept = client->end - client->start;
  if (kept == client->capacity) {
    size_t capacity = client->capacity ? 2 * client->capacity : MQTT_BUFFER;
    uint8_t *larger = tow_loop_alloc(client->loop, capacity);
    if (larger == NULL) {
      fail(client, TOW_ENOMEM, 0, tow_error_text(TOW_ENOMEM));
      return TOW_ENOMEM;
    }
    if (kept > 0) memcpy(larger, client->buffer + client->start, kept);
    tow_loop_free(client->loop, client->buffer);
    client->buffer = larger;
    client->capacity = capacity;
  } else if (client->start > 0) {
    memmove(client->buffer, client->buffer + client->start, kept);
  }
  client->start = 0;
  client->end = kept;
  *buffer = (tow_buffer){client->buffer + kept, client->capacity - kept};
  return 0;
}

static int client_updated(tow_protocol *self, size_t size) {
  mqtt *client = client_of(self);
  client->end += size;
  client->pinging = false;
  return read_packets(client);
}

static int client_eof(tow_protocol *self) {
  mqtt *client = client_of(self);
  return fail(client, TOW_ECONNABORTED, 0,
              client->connected ? "the broker ended the connection" : "the broker ended the connection at once");
}

static int client_pause_writing(tow_protocol *self) {
  client_of(self)->writing_paused = true;
  client_of(self)->was_ready = false;
  return 0;
}

static int client_resume_writing(tow_protocol *self) {
  client_of(self)->writing_paused = false;
  return tell_ready(client_of(self));
}

static int client_lost(tow_protocol *self, const tow_error *error) {
  mqtt *client = client_of(self);
  tow_handle_cancel(&client->timer);
  tow_handle_cancel(&client->resume);
  tow_loop_free(client->loop, client->buffer);
  client->buffer = NULL;
  client->transport = NULL;
  const tow_error *reason = client->failure.code ? &client->failure : error;
  return client->callbacks->closed ? client->callbacks->closed(client, reason) : 0;
}

static const tow_buffered_callbacks client_callbacks = {
    .base =
        {
            .size = sizeof(tow_buffered_callbacks),
            .kind = TOW_BUFFERED,
            .connection_made = client_made,
            .connection_lost = client_lost,
            .pause_writing = client_pause_writing,
            .resume_writing = client_resume_writing,
        },
    .eof_received = client_eof,
    .get_buffer = client_get_buffer,
    .buffer_updated = client_updated,
};

void mqtt_init(mqtt *client, tow_loop *loop, const mqtt_callbacks *callbacks, const mqtt_options *options) {
  *client = (mqtt){.base = {&client_callbacks.base}, .callbacks = callbacks, .options = *options, .loop = loop};
}
