#include "framing_talk.h"

const tow_framing_layering own = {TOW_LAYERING(tow_framing_create), WINDOW, 65536, 0};

talk begin_with(tow_kind kind, tow_memory_options options, int (*on)(probe *, const char *)) {
  if (!options.layers) options.layers = &own.layering;
  talk t = {.p = probe_open(kind, &options, on), .heard = wire_new()};
  return t;
}

talk begin(tow_kind kind, int (*on)(probe *, const char *)) {
  return begin_with(kind, (tow_memory_options){.capacity = -1}, on);
}

wire *hear(talk *t) {
  size_t size;
  const unsigned char *bytes = tow_memory_received(t->p->peer, &size);
  if (size > t->seen) wire_hear(&t->heard, bytes + t->seen, size - t->seen);
  t->seen = size;
  CHECK(!t->heard.wrong);
  return &t->heard;
}

void end_talk(talk *t) {
  hear(t);
  probe_free(t->p);
  wire_close(&t->heard);
}

void say_bytes(talk *t, const void *bytes, size_t size) {
  tow_memory_send(t->p->peer, bytes, size);
  run(t->p);
}

void say(talk *t, wire_bytes *frames) {
  say_bytes(t, frames->data, frames->size);
  wire_free(frames);
}

void say_data(talk *t, size_t size) {
  wire_bytes frames = {0};
  void *bytes = calloc(size, 1);
  if (!bytes) abort();
  wire_data(&frames, bytes, size);
  free(bytes);
  say(t, &frames);
}

void say_end(talk *t) {
  wire_bytes frames = {0};
  wire_end(&frames);
  say(t, &frames);
}

void say_credit(talk *t, uint32_t size) {
  wire_bytes frames = {0};
  wire_credit(&frames, size);
  t->heard.allowed += size;
  say(t, &frames);
}

bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

char message[160];
int native;

static int keep_message(tow_protocol *self, const tow_error *error) {
  (void)self;
  snprintf(message, sizeof message, "%s", error ? error->message : "");
  native = error ? error->native : 0;
  return 0;
}

static int stay_open(tow_protocol *self) {
  (void)self;
  return 1;
}

void listen_to_end(talk *t) {
  static tow_stream_callbacks callbacks;
  static tow_protocol protocol = {&callbacks.base};
  callbacks =
      (tow_stream_callbacks){.base = {.size = sizeof callbacks, .kind = TOW_STREAM, .connection_lost = keep_message},
                             .eof_received = stay_open};
  message[0] = 0;
  tow_transport_set_protocol(t->p->transport, &protocol);
}
