/* demo/mqtt.c on the memory host: the test plays the broker. */
#include "../../demo/mqtt.h"
#include "../../demo/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/memory.h>

static void check_at(bool ok, const char *file, int line, const char *what) {
  if (ok) return;
  fprintf(stderr, "%s:%d: %s\n", file, line, what);
  exit(1);
}
#define CHECK(what) check_at((what), __FILE__, __LINE__, #what)

static void check_text_at(const char *got, const char *expected, const char *file, int line) {
  if (strcmp(got, expected) == 0) return;
  fprintf(stderr, "%s:%d: expected\n%s\nbut got\n%s\n", file, line, expected, got);
  exit(1);
}
#define CHECK_TEXT(got, expected) check_text_at(got, expected, __FILE__, __LINE__)

/* Bytes with zeroes among them, written as a string. */
#define BYTES(text) (text), sizeof(text) - 1

/* ---- A client that writes down what it is told, and the bench that it is tested on ---- */

typedef struct recorder {
  mqtt client;
  trace trace;
  int (*on_connected)(mqtt *client);
  int (*on_message)(mqtt *client);
  int (*on_data)(mqtt *client);
  int (*on_ready)(mqtt *client);
  size_t *live; /* how many recorders there are */
  char *log;
  size_t log_size, payload;
  uint32_t sum;
  char begin[4096];
} recorder;

enum { LOG_MAX = 1 << 16 };

static recorder *recorder_of(mqtt *client) {
  return (recorder *)client;
}

static void note(recorder *self, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  self->log_size += (size_t)vsnprintf(self->log + self->log_size, LOG_MAX - self->log_size, format, arguments);
  va_end(arguments);
  CHECK(self->log_size < LOG_MAX);
}

static int on_connected(mqtt *client, bool session_present) {
  note(recorder_of(client), "connected %d\n", session_present);
  return recorder_of(client)->on_connected ? recorder_of(client)->on_connected(client) : 0;
}

static int on_subscribed(mqtt *client, uint16_t id, int granted) {
  note(recorder_of(client), "subscribed %d %d\n", id, granted);
  return 0;
}

static int on_unsubscribed(mqtt *client, uint16_t id) {
  note(recorder_of(client), "unsubscribed %d\n", id);
  return 0;
}

static int on_published(mqtt *client, uint16_t id) {
  note(recorder_of(client), "published %d\n", id);
  return 0;
}

static int on_ready(mqtt *client) {
  note(recorder_of(client), "ready\n");
  CHECK(mqtt_is_ready(client));
  return recorder_of(client)->on_ready ? recorder_of(client)->on_ready(client) : 0;
}

static int on_begin(mqtt *client, const mqtt_message *message) {
  recorder *self = recorder_of(client);
  snprintf(self->begin, sizeof self->begin, "message %.20s (%zu) size %zu qos %d%s%s id %d", message->topic,
           strlen(message->topic), message->size, message->qos, message->retain ? " retain" : "",
           message->dup ? " dup" : "", message->id);
  self->payload = self->sum = 0;
  return self->on_message ? self->on_message(client) : 0;
}

static int on_data(mqtt *client, const void *data, size_t size) {
  recorder *self = recorder_of(client);
  CHECK(size > 0);
  for (size_t i = 0; i < size; i++)
    self->sum = self->sum * 31 + ((const uint8_t *)data)[i];
  self->payload += size;
  return self->on_data ? self->on_data(client) : 0;
}

static int on_end(mqtt *client) {
  recorder *self = recorder_of(client);
  note(self, "%s: %zu bytes, sum %08x\n", self->begin, self->payload, self->sum);
  return 0;
}

static int on_closed(mqtt *client, const tow_error *error) {
  recorder *self = recorder_of(client);
  if (error != NULL)
    note(self, "closed %s %d: %s\n", tow_error_name(error->code), error->native, error->message);
  else
    note(self, "closed\n");
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "late"}, NULL) == TOW_ENOTCONN);
  mqtt_resume_reading(client);
  mqtt_disconnect(client);
  --*self->live;
  tow_loop_free(client->loop, self);
  return 0;
}

static const mqtt_callbacks recorder_callbacks = {on_connected, on_subscribed, on_unsubscribed, on_published, on_ready,
                                                  on_begin,     on_data,       on_end,          on_closed};

typedef struct bench {
  tow_memory *memory;
  tow_memory_peer *peer;
  mqtt_options options;
  tow_memory_options host;
  recorder made; /* the callbacks that the recorder begins with */
  recorder *self;
  size_t live, seen;
  bool traced;
  char log[LOG_MAX], calls[LOG_MAX];
} bench;

static void note_call(void *context, const trace_call *call) {
  bench *b = context;
  size_t used = strlen(b->calls);
  CHECK(call->time >= 0);
  snprintf(b->calls + used, LOG_MAX - used, "%s %zu\n", call->name, call->size);
}

static tow_protocol *create(tow_loop *loop, void *context) {
  bench *b = context;
  recorder *self = tow_loop_alloc(loop, sizeof *self);
  if (self == NULL) return NULL;
  *self = b->made;
  self->log = b->log;
  self->live = &b->live;
  mqtt_init(&self->client, loop, &recorder_callbacks, &b->options);
  b->self = self;
  b->live++;
  return b->traced ? trace_init(&self->trace, loop, &self->client.base, note_call, b) : &self->client.base;
}

static bench *bench_new(void) {
  bench *b = calloc(1, sizeof *b);
  b->options = (mqtt_options)MQTT_OPTIONS_DEFAULT;
  b->host.capacity = -1;
  return b;
}

static void quiet(void *context, const char *callback, tow_transport *transport, const tow_error *error) {
  (void)context, (void)callback, (void)transport, (void)error;
}

static void bench_open(bench *b, const tow_allocator *allocator) {
  b->memory = tow_memory_new(allocator);
  if (b->memory == NULL) return;
  tow_loop_set_exception_handler(tow_memory_loop(b->memory), quiet, NULL);
  b->peer = tow_memory_open(b->memory, (tow_factory){create, b}, &b->host);
  tow_memory_run(b->memory);
}

static void bench_free(bench *b) {
  if (b->memory != NULL) tow_memory_free(b->memory);
  CHECK(b->live == 0);
  free(b);
}

static void broker_sends(bench *b, const void *data, size_t size) {
  tow_memory_send(b->peer, data, size);
  tow_memory_run(b->memory);
}

/* What the client has sent since the last time. */
static const uint8_t *client_sent(bench *b, size_t *size) {
  size_t all;
  const uint8_t *data = tow_memory_received(b->peer, &all);
  *size = all - b->seen;
  data = all > 0 ? data + b->seen : (const uint8_t *)"";
  b->seen = all;
  return data;
}

static bool client_has_sent(bench *b, const char *expected, size_t expected_size) {
  size_t size;
  const uint8_t *data = client_sent(b, &size);
  return size == expected_size && memcmp(data, expected, size) == 0;
}

static bench *connected_bench(void) {
  bench *b = bench_new();
  bench_open(b, NULL);
  broker_sends(b, BYTES("\x20\x02\x00\x00"));
  size_t size;
  client_sent(b, &size);
  return b;
}

/* ---- Connecting ---- */

static void test_connect_packet(void) {
  bench *b = bench_new();
  bench_open(b, NULL);
  CHECK(client_has_sent(b, BYTES("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")));
  bench_free(b);

  b = bench_new();
  b->options = (mqtt_options){
      .client_id = "me", .user = "u", .password = "pw", .will = {"w/t", "bye", 3, 1, true}, .keep_alive = 0x1234};
  bench_open(b, NULL);
  CHECK(client_has_sent(b, BYTES("\x10\x1f\x00\x04MQTT\x04\xec\x12\x34\x00\x02me\x00\x03w/t\x00\x03"
                                 "bye\x00\x01u\x00\x02pw")));
  broker_sends(b, BYTES("\x20\x02\x01\x00"));
  CHECK_TEXT(b->log, "connected 1\n");
  mqtt_disconnect(&b->self->client);
  tow_memory_run(b->memory);
  CHECK_TEXT(b->log, "connected 1\nclosed\n");
  CHECK(client_has_sent(b, BYTES("\xe0\x00")) && tow_memory_received_eof(b->peer));
  bench_free(b);
}

static void test_wrong_options(void) {
  char too_long[0x10001] = "";
  memset(too_long, 'a', 0x10000);
  const struct {
    mqtt_options options;
    const char *problem;
  } cases[] = {
      {{.client_id = too_long, .clean_session = true}, "the client id is too long or not UTF-8"},
      {{.client_id = "\xff", .clean_session = true}, "the client id is too long or not UTF-8"},
      {{.client_id = ""}, "a session that is kept needs a client id"},
      {{.client_id = "a", .user = "\xc0\x80"}, "the user name is too long or not UTF-8"},
      {{.client_id = "a", .password = "p"}, "a password needs a user name"},
      {{.client_id = "a", .user = "u", .password = too_long}, "the password is too long"},
      {{.client_id = "a", .will = {.topic = "a/+"}},
       "the will's topic is empty, too long, not UTF-8 or has a wildcard"},
      {{.client_id = "a", .will = {.topic = "a", .size = 65536}}, "the will's payload is longer than 65,535 bytes"},
      {{.client_id = "a", .will = {.topic = "a", .qos = 3}}, "the will's QoS is not 0, 1 or 2"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench *b = bench_new();
    b->options = cases[i].options;
    bench_open(b, NULL);
    char expected[200];
    snprintf(expected, sizeof expected, "closed EINVAL 0: %s\n", cases[i].problem);
    CHECK_TEXT(b->log, expected);
    CHECK(client_has_sent(b, "", 0));
    bench_free(b);
  }
}

static void test_refusals(void) {
  static const char *const expected[] = {
      "closed ENOTSUP 1: the broker does not speak MQTT 3.1.1\n",
      "closed EINVAL 2: the broker does not allow this client id\n",
      "closed ECONNREFUSED 3: the broker's MQTT service is unavailable\n",
      "closed EACCES 4: the user name or password is wrong\n",
      "closed EACCES 5: the client is not authorised to connect\n",
      "closed EPROTO 0: a CONNACK of no meaning\n",
  };
  for (char code = 1; code <= 6; code++) {
    bench *b = bench_new();
    bench_open(b, NULL);
    broker_sends(b, (char[]){0x20, 2, 0, code}, 4);
    CHECK_TEXT(b->log, expected[code - 1]);
    bench_free(b);
  }
}

/* ---- A session, split everywhere ---- */

static int session_connected(mqtt *client) {
  CHECK(mqtt_subscribe(client, "a/+", 1) == 1);
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "a/b", .size = 5, .qos = 1, .retain = true}, "hello") == 2);
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "a/b", .size = 2}, "yo") == 0);
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "c", .qos = 1, .dup = true, .id = 77}, NULL) == 77);
  CHECK(mqtt_subscribe(client, "#", 0) == 3);
  CHECK(mqtt_unsubscribe(client, "a/+") == 4);
  return 0;
}

static const char session_in[] = "\x20\x02\x00\x00"     /* CONNACK */
                                 "\x90\x03\x00\x01\x01" /* SUBACK 1 */
                                 "\x30\x06\x00\x03"
                                 "a/b!"             /* QoS 0 */
                                 "\x40\x02\x00\x4d" /* PUBACK 77 */
                                 "\x3b\x0c\x00\x03"
                                 "a/c\x12\x34"
                                 "hello"                            /* QoS 1, dup, retain */
                                 "\xd0\x00"                         /* PINGRESP */
                                 "\x30\x04\x00\x02\xc3\xa9"         /* no payload */
                                 "\x40\x02\x00\x02"                 /* PUBACK 2 */
                                 "\x90\x03\x00\x03\x80"             /* SUBACK 3: refused */
                                 "\xb0\x02\x00\x04"                 /* UNSUBACK 4 */
                                 "\x32\x87\x00\x00\x01z\x00\x09xy"; /* a length longer than it need be */
static const char session_out[] = "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"
                                  "\x82\x08\x00\x01\x00\x03"
                                  "a/+\x01"
                                  "\x33\x0c\x00\x03"
                                  "a/b\x00\x02hello"
                                  "\x30\x07\x00\x03"
                                  "a/byo"
                                  "\x3a\x05\x00\x01"
                                  "c\x00\x4d"
                                  "\x82\x06\x00\x03\x00\x01#\x00"
                                  "\xa2\x07\x00\x04\x00\x03"
                                  "a/+"
                                  "\x40\x02\x12\x34"
                                  "\x40\x02\x00\x09";
static const char session_log[] = "connected 0\n"
                                  "subscribed 1 1\n"
                                  "message a/b (3) size 1 qos 0 id 0: 1 bytes, sum 00000021\n"
                                  "published 77\n"
                                  "message a/c (3) size 5 qos 1 retain dup id 4660: 5 bytes, sum 05e918d2\n"
                                  "message \xc3\xa9 (2) size 0 qos 0 id 0: 0 bytes, sum 00000000\n"
                                  "published 2\n"
                                  "subscribed 3 -17\n"
                                  "unsubscribed 4\n"
                                  "message z (1) size 2 qos 1 id 9: 2 bytes, sum 00000f01\n";

static int pause_for_a_turn(void *context) {
  mqtt_resume_reading(context);
  return 0;
}

static int pause_reading(mqtt *client) {
  static tow_handle later; /* one client at a time pauses */
  mqtt_pause_reading(client);
  tow_loop_call_soon(client->loop, &later, pause_for_a_turn, client);
  return 0;
}

enum { WHOLE = sizeof session_in - 1 };

/* The session in two pieces, the first `split` bytes long; or byte by byte if it is 0. */
static void run_session(bench *b, size_t split) {
  b->made.on_connected = session_connected;
  bench_open(b, NULL);
  if (split == 0)
    for (size_t i = 0; i < WHOLE; i++)
      broker_sends(b, session_in + i, 1);
  else
    broker_sends(b, session_in, split), broker_sends(b, session_in + split, WHOLE - split);
  CHECK_TEXT(b->log, session_log);
  CHECK(client_has_sent(b, BYTES(session_out)));
  bench_free(b);
}

static void test_every_split(void) {
  for (size_t split = 0; split <= WHOLE; split++)
    for (int variant = 0; variant < 8; variant++) {
      bench *b = bench_new();
      b->traced = variant & 1;
      b->host.hold_loans = variant & 2;
      if (variant & 4) b->made.on_message = b->made.on_data = pause_reading;
      run_session(b, split);
    }
}

static void test_trace(void) {
  bench *b = bench_new();
  b->traced = true;
  bench_open(b, NULL);
  broker_sends(b, BYTES("\x20\x02\x00\x00"));
  tow_memory_send_eof(b->peer);
  tow_memory_run(b->memory);
  CHECK_TEXT(b->calls, "CM 0\nGB 65536\nBU 4\nGB 65536\nER 0\nCL 0\n");
  CHECK_TEXT(b->log, "connected 0\nclosed ECONNABORTED 0: the broker ended the connection\n");
  bench_free(b);
}

/* ---- Hostile brokers ---- */

static void test_hostile_packets(void) {
  static const struct {
    const char *bytes;
    size_t size;
    const char *message;
  } before[] =
      {
          {BYTES("\xd0\x00"), "a packet before CONNACK: this is no MQTT broker"},
          {BYTES("HTTP/1.1 400 Bad Request\r\n"), "a packet before CONNACK: this is no MQTT broker"},
          {BYTES("\x20\x03"), "a packet of a wrong length"},
          {BYTES("\x21\x02"), "a packet with reserved flags set"},
          {BYTES("\x20\x02\x02\x00"), "a CONNACK of no meaning"},
          {BYTES("\x20\xff\xff\xff\xff"), "a remaining length of more than four bytes"},
      },
    after[] = {
        {BYTES("\x20\x02\x00\x00"), "a second CONNACK"},
        {BYTES("\x00\x00"), "a packet of a type that no broker sends"},
        {BYTES("\xf0\x00"), "a packet of a type that no broker sends"},
        {BYTES("\x82\x05"), "a packet of a type that no broker sends"},
        {BYTES("\x30\x80\x80\x80\x80"), "a remaining length of more than four bytes"},
        {BYTES("\x40\x02\x00\x01"), "a PUBACK of nothing that was published"},
        {BYTES("\x90\x03\x00\x01\x00"), "a SUBACK of no subscription"},
        {BYTES("\x90\x04"), "a packet of a wrong length"},
        {BYTES("\xb0\x02\x00\x01"), "an UNSUBACK of no subscription"},
        {BYTES("\xd0\x01"), "a packet of a wrong length"},
        {BYTES("\x30\x00"), "a message that is too short for its topic"},
        {BYTES("\x32\x03"), "a message that is too short for its topic"},
        {BYTES("\x30\x05\x00\x04"), "a message that is too short for its topic"},
        {BYTES("\x32\x05\x00\x02"), "a message that is too short for its topic"},
        {BYTES("\x30\x02\x00\x00"), "a message with a malformed topic"},
        {BYTES("\x30\x03\x00\x01+"), "a message with a malformed topic"},
        {BYTES("\x30\x04\x00\x02#a"), "a message with a malformed topic"},
        {BYTES("\x30\x03\x00\x01\x00"), "a message with a malformed topic"},
        {BYTES("\x30\x04\x00\x02\xc0\x80"), "a message with a malformed topic"},
        {BYTES("\x30\x04\x00\x02\xc3("), "a message with a malformed topic"},
        {BYTES("\x30\x03\x00\x01\xe2"), "a message with a malformed topic"},
        {BYTES("\x30\x05\x00\x03\xed\xa0\x80"), "a message with a malformed topic"},
        {BYTES("\x30\x06\x00\x04\xf4\x90\x80\x80"), "a message with a malformed topic"},
        {BYTES("\x30\x06\x00\x04\xf0\x80\x80\x80"), "a message with a malformed topic"},
        {BYTES("\x32\x05\x00\x01z\x00\x00"), "a message with the packet identifier 0"},
        {BYTES("\x34\x05\x00\x01z\x00\x01"), "a message at QoS 2, which was not subscribed"},
        {BYTES("\x36\x05\x00\x01z\x00\x01"), "a message at QoS 2, which was not subscribed"},
        {BYTES("\x38\x05\x00\x01zab"), "a message at QoS 0 marked as a duplicate"},
    };
  char expected[200];
  for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
    bench *b = bench_new();
    bench_open(b, NULL);
    broker_sends(b, before[i].bytes, before[i].size);
    snprintf(expected, sizeof expected, "closed EPROTO 0: %s\n", before[i].message);
    CHECK_TEXT(b->log, expected);
    bench_free(b);
  }
  for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
    bench *b = connected_bench();
    for (size_t at = 0; at < after[i].size; at++)
      broker_sends(b, after[i].bytes + at, 1);
    snprintf(expected, sizeof expected, "connected 0\nclosed EPROTO 0: %s\n", after[i].message);
    CHECK_TEXT(b->log, expected);
    bench_free(b);
  }
}

/* Any bytes whatever: the connection lives or ends, and nothing else happens. */
static void test_random_bytes(void) {
  uint32_t random = 1;
  for (int run = 0; run < 2000; run++) {
    bench *b = connected_bench();
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++) {
      random = random * 1664525 + 1013904223;
      bytes[i] = (uint8_t)(random >> 24);
    }
    bytes[0] = (uint8_t)(run % 2 ? 0x30 | (bytes[0] & 0xF) : bytes[0]);
    bytes[1] &= 0x3F;
    broker_sends(b, bytes, sizeof bytes);
    bench_free(b);
  }
}

static int answer_failure(mqtt *client) {
  (void)client;
  return -123;
}

static int disconnect(mqtt *client) {
  mqtt_disconnect(client);
  return 0;
}

static void test_ends_inside_callbacks(void) {
  bench *b = bench_new();
  b->made.on_message = answer_failure;
  bench_open(b, NULL);
  broker_sends(b, BYTES("\x20\x02\x00\x00\x30\x04\x00\x01zz\x30\x04\x00\x01zz"));
  CHECK(strstr(b->log, "closed ECALLBACK -123") != NULL);
  bench_free(b);

  b = bench_new();
  b->made.on_data = disconnect;
  bench_open(b, NULL);
  broker_sends(b, BYTES("\x20\x02\x00\x00\x32\x06\x00\x01z\x00\x01z\x30\x04\x00\x01zz"));
  CHECK_TEXT(b->log, "connected 0\nclosed\n");
  bench_free(b);

  b = connected_bench();
  tow_memory_send_error(b->peer, &(tow_error){TOW_ECONNRESET, 104, "reset"});
  tow_memory_run(b->memory);
  CHECK_TEXT(b->log, "connected 0\nclosed ECONNRESET 104: reset\n");
  bench_free(b);
}

/* ---- The clock ---- */

static void test_keep_alive(void) {
  bench *b = connected_bench();
  tow_memory_advance(b->memory, 29999);
  CHECK(client_has_sent(b, "", 0));
  tow_memory_advance(b->memory, 1);
  CHECK(client_has_sent(b, BYTES("\xc0\x00")));
  broker_sends(b, BYTES("\xd0\x00"));
  tow_memory_advance(b->memory, 30000);
  CHECK(client_has_sent(b, BYTES("\xc0\x00")));
  tow_memory_advance(b->memory, 29999);
  CHECK_TEXT(b->log, "connected 0\n");
  tow_memory_advance(b->memory, 1);
  CHECK_TEXT(b->log, "connected 0\nclosed ETIMEDOUT 0: the broker did not answer PINGREQ in time\n");
  bench_free(b);

  /* Who does not listen cannot say that nothing was said. */
  b = connected_bench();
  mqtt_pause_reading(&b->self->client);
  tow_memory_advance(b->memory, 300000);
  CHECK_TEXT(b->log, "connected 0\n");
  bench_free(b);

  b = bench_new();
  b->options.keep_alive = 0;
  bench_open(b, NULL);
  broker_sends(b, BYTES("\x20\x02\x00\x00"));
  tow_memory_advance(b->memory, 1e9);
  CHECK_TEXT(b->log, "connected 0\n");
  bench_free(b);
}

static void test_no_connack(void) {
  bench *b = bench_new();
  bench_open(b, NULL);
  CHECK(mqtt_subscribe(&b->self->client, "a", 0) == TOW_ENOTCONN);
  tow_memory_advance(b->memory, 10000);
  CHECK_TEXT(b->log, "closed ETIMEDOUT 0: the broker did not answer CONNECT in time\n");
  bench_free(b);
}

/* ---- Large messages ---- */

static uint8_t pattern(size_t i) {
  return (uint8_t)(i * 131 + (i >> 8) * 17);
}

enum { MEGABYTE = 1 << 20 };

static void test_large_message_in(void) {
  for (int variant = 0; variant < 4; variant++) {
    bench *b = bench_new();
    b->host.hold_loans = variant & 1;
    if (variant & 2) b->made.on_data = pause_reading;
    bench_open(b, NULL);
    broker_sends(b, BYTES("\x20\x02\x00\x00"));
    size_t size = 5 + 4 + MEGABYTE;
    uint8_t *packet = malloc(size);
    memcpy(packet, "\x32\x85\x80\x40\x00\x01z\x00\x07", 9);
    uint32_t sum = 0;
    for (size_t i = 0; i < MEGABYTE; i++)
      sum = sum * 31 + (packet[9 + i] = pattern(i));
    broker_sends(b, packet, 9 + MEGABYTE);
    free(packet);
    char expected[100];
    snprintf(expected, sizeof expected, "connected 0\nmessage z (1) size %d qos 1 id 7: %d bytes, sum %08x\n", MEGABYTE,
             MEGABYTE, sum);
    CHECK_TEXT(b->log, expected);
    bench_free(b);
  }
}

/* The longest topic does not fit the buffer that the client begins with. */
static void test_longest_topic(void) {
  bench *b = connected_bench();
  enum { LONGEST = 0xFFFF };
  uint8_t *packet = malloc(8 + LONGEST);
  memcpy(packet, "\x30\x83\x80\x04\xff\xff", 6);
  memset(packet + 6, 't', LONGEST);
  memcpy(packet + 6 + LONGEST, "hi", 2);
  broker_sends(b, packet, 8 + LONGEST);
  CHECK_TEXT(b->log, "connected 0\nmessage tttttttttttttttttttt (65535) size 2 qos 0 id 0: 2 bytes, sum 00000d01\n");

  packet[6 + LONGEST - 1] = 0;
  const char *topic = (char *)packet + 6;
  CHECK(mqtt_publish(&b->self->client, &(mqtt_message){.topic = topic, .size = 2}, "ok") == 0);
  free(packet);
  bench_free(b);
}

static int publish_on(mqtt *client) {
  uint8_t piece[8192];
  while (mqtt_is_ready(client) && client->publish_left > 0) {
    size_t at = MEGABYTE - client->publish_left;
    for (size_t i = 0; i < sizeof piece; i++)
      piece[i] = pattern(at + i);
    CHECK(mqtt_publish_data(client, piece, sizeof piece) == 0);
  }
  return 0;
}

static void test_large_message_out(void) {
  bench *b = bench_new();
  b->made.on_ready = publish_on;
  b->host.capacity = 1000;
  bench_open(b, NULL);
  broker_sends(b, BYTES("\x20\x02\x00\x00"));
  mqtt *client = &b->self->client;
  CHECK(mqtt_publish_begin(client, &(mqtt_message){.topic = "z", .size = MEGABYTE, .qos = 1}) == 1);
  publish_on(client);
  CHECK(!mqtt_is_ready(client) && client->publish_left > MEGABYTE - 100000);
  CHECK(tow_transport_get_write_buffer_size(client->transport) < 65536 + 8192 + 1000);

  /* Nothing may come between the pieces: not a ping, not an acknowledgement, not a request. */
  CHECK(mqtt_subscribe(client, "a", 0) == TOW_ENOBUFS);
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "a"}, NULL) == TOW_ENOBUFS);
  CHECK(mqtt_publish_data(client, "", client->publish_left + 1) == TOW_EMSGSIZE);
  tow_memory_advance(b->memory, 30000);
  for (uint8_t id = 1; id <= 2 * MQTT_ACKS - 1; id++)
    broker_sends(b, (uint8_t[]){0x32, 5, 0, 1, 'z', 0, id}, 7);
  CHECK(strstr(b->log, "id 64:") != NULL && strstr(b->log, "id 65:") == NULL);

  tow_memory_accept(b->peer, -1);
  tow_memory_run(b->memory);
  CHECK(client->publish_left == 0 && strstr(b->log, "ready\n") != NULL && strstr(b->log, "id 127:") != NULL);
  size_t size, connect = 14;
  const uint8_t *sent = client_sent(b, &size);
  CHECK(size == connect + 5 + 4 + 4 + MEGABYTE - 4 + 4 * (2 * MQTT_ACKS - 1));
  CHECK(memcmp(sent + connect, "\x32\x85\x80\x40\x00\x01z\x00\x01", 9) == 0);
  for (size_t i = 0; i < MEGABYTE; i++)
    CHECK(sent[connect + 9 + i] == pattern(i));
  for (uint8_t id = 1; id <= 2 * MQTT_ACKS - 1; id++)
    CHECK(memcmp(sent + size - 4 * (size_t)(2 * MQTT_ACKS - id), (uint8_t[]){0x40, 2, 0, id}, 4) == 0);

  broker_sends(b, BYTES("\x40\x02\x00\x01"));
  CHECK(strstr(b->log, "published 1\n") != NULL);
  bench_free(b);

  /* DISCONNECT cannot be said in the middle of a message. */
  b = connected_bench();
  CHECK(mqtt_publish_begin(&b->self->client, &(mqtt_message){.topic = "z", .size = 9}) == 0);
  mqtt_disconnect(&b->self->client);
  tow_memory_run(b->memory);
  CHECK_TEXT(b->log, "connected 0\nclosed\n");
  CHECK(client_has_sent(b, BYTES("\x30\x0c\x00\x01z")));
  bench_free(b);
}

/* ---- Requests ---- */

static void test_in_flight(void) {
  bench *b = connected_bench();
  mqtt *client = &b->self->client;
  const mqtt_message message = {.topic = "z", .qos = 1};
  for (int i = 1; i <= MQTT_IN_FLIGHT; i++)
    CHECK(mqtt_is_ready(client) && mqtt_publish(client, &message, NULL) == i);
  CHECK(!mqtt_is_ready(client));
  CHECK(mqtt_publish(client, &message, NULL) == TOW_ENOBUFS);
  CHECK(mqtt_subscribe(client, "z", 0) == TOW_ENOBUFS);
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "z"}, NULL) == 0);
  broker_sends(b, BYTES("\x40\x02\x00\x05\x40\x02\x00\x07"));
  CHECK_TEXT(b->log, "connected 0\npublished 5\nready\npublished 7\n");
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "z", .qos = 1, .dup = true, .id = 6}, NULL) == TOW_EINVAL);
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "z", .qos = 1, .dup = true, .id = 5}, NULL) == 5);

  /* Numbers go round, and those in flight are left out. */
  client->last_id = 0xFFFF;
  CHECK(mqtt_publish(client, &message, NULL) == 7);
  bench_free(b);
}

static void test_wrong_requests(void) {
  bench *b = connected_bench();
  mqtt *client = &b->self->client;
  static const char *const filters[] = {"", "a#", "#/a", "a/#/b", "a+", "+a", "a/+b", "\xff", "++"};
  for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
    CHECK(mqtt_subscribe(client, filters[i], 0) == TOW_EINVAL && mqtt_unsubscribe(client, filters[i]) == TOW_EINVAL);
  CHECK(mqtt_subscribe(client, NULL, 0) == TOW_EINVAL);
  CHECK(mqtt_subscribe(client, "a", 2) == TOW_EINVAL && mqtt_subscribe(client, "a", -1) == TOW_EINVAL);
  static const char *const topics[] = {"", "a/+", "#", "\xed\xa0\x80"};
  for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
    CHECK(mqtt_publish(client, &(mqtt_message){.topic = topics[i]}, NULL) == TOW_EINVAL);
  CHECK(mqtt_publish(client, &(mqtt_message){.topic = "a", .qos = 2}, NULL) == TOW_EINVAL);
  CHECK(mqtt_publish_begin(client, &(mqtt_message){.topic = "a", .size = MQTT_SIZE_MAX - 2}) == TOW_EMSGSIZE);
  CHECK(client_has_sent(b, "", 0));
  static const char *const good[] = {"#", "+", "a/#", "+/+/#", "a/+/b", "/", "\xf0\x9f\x98\x80"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    CHECK(mqtt_subscribe(client, good[i], 1) == (int)i + 1);
  bench_free(b);
}

/* ---- Memory ---- */

typedef struct budget {
  size_t left, blocks;
} budget;

static void *allocate(void *context, size_t size) {
  budget *self = context;
  if (self->left == 0) return NULL;
  self->left--;
  self->blocks++;
  return malloc(size);
}

static void release(void *context, void *memory) {
  if (memory) ((budget *)context)->blocks--;
  free(memory);
}

/* Each allocation fails once: the connection ends, nothing leaks, and the user is told if there was a client. */
static void test_allocation_failures(void) {
  bool passed = false;
  for (size_t allowed = 0; !passed; allowed++) {
    CHECK(allowed < 1000);
    budget money = {allowed, 0};
    bench *b = bench_new();
    b->made.on_connected = session_connected;
    bench_open(b, &(tow_allocator){allocate, release, &money});
    if (b->memory != NULL && b->peer != NULL) {
      broker_sends(b, session_in, WHOLE);
      passed = strcmp(b->log, session_log) == 0;
      CHECK(passed || b->self == NULL || (b->live == 0 && strstr(b->log, "closed ENOMEM 0: out of memory\n") != NULL));
    }
    bench_free(b);
    CHECK(money.blocks == 0);
  }
}

int main(void) {
  static const struct {
    const char *name;
    void (*run)(void);
  } tests[] = {
      {"the CONNECT packet", test_connect_packet},
      {"options that are wrong", test_wrong_options},
      {"refusals of the broker", test_refusals},
      {"a session split at every byte", test_every_split},
      {"the trace", test_trace},
      {"hostile packets", test_hostile_packets},
      {"random bytes", test_random_bytes},
      {"ends inside callbacks", test_ends_inside_callbacks},
      {"keep alive", test_keep_alive},
      {"a broker without CONNACK", test_no_connack},
      {"a large message in", test_large_message_in},
      {"the longest topic", test_longest_topic},
      {"a large message out", test_large_message_out},
      {"requests in flight", test_in_flight},
      {"requests that are wrong", test_wrong_requests},
      {"allocation failures", test_allocation_failures},
  };
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    tests[i].run();
    printf("ok mqtt: %s\n", tests[i].name);
  }
  return 0;
}
