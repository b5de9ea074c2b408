/* Around an example of an endpoint that sends back what it gets: `serve` binds it, `bound` says a word to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/uv.h>

typedef struct echo {
  tow_protocol base;
  tow_transport *transport;
} echo;

static const char word[] = "hello";
static bool was_answered;

static int made(tow_protocol *self, tow_transport *transport) {
  ((echo *)self)->transport = transport;
  return 0;
}

static int lost(tow_protocol *self, const tow_error *error) {
  tow_loop_free(tow_transport_get_loop(((echo *)self)->transport), self);
  return error ? error->code : 0;
}

static tow_protocol *new_endpoint(tow_loop *loop, const tow_datagram_callbacks *callbacks) {
  echo *self = tow_loop_alloc(loop, sizeof *self);
  if (self) *self = (echo){.base = {&callbacks->base}};
  return self ? &self->base : NULL;
}

/* ---- The one that asks ---- */

static int asking(tow_protocol *self, tow_transport *transport) {
  made(self, transport);
  return tow_transport_sendto(transport, word, sizeof word, NULL);
}

static int answered(tow_protocol *self, const void *data, size_t size, const tow_peer *peer) {
  (void)peer;
  was_answered = size == sizeof word && memcmp(data, word, size) == 0;
  tow_uv_stop(tow_transport_get_loop(((echo *)self)->transport));
  return 0;
}

static const tow_datagram_callbacks asking_callbacks = {
    .base = {.size = sizeof(tow_datagram_callbacks),
             .kind = TOW_DATAGRAM,
             .connection_made = asking,
             .connection_lost = lost},
    .datagram_received = answered,
};

static tow_protocol *asking_new(tow_loop *loop, void *context) {
  (void)context;
  return new_endpoint(loop, &asking_callbacks);
}

static int bound(void *loop, tow_transport *transport, const tow_error *error) {
  if (error) return error->code;
  char name[64], address[80];
  tow_transport_get_extra_info(transport, "sockname", name, sizeof name);
  snprintf(address, sizeof address, "udp://%s", name);
  tow_loop_connect(loop, address, NULL, (tow_factory){asking_new, NULL}, NULL, NULL);
  return 0;
}

/* ---- The example ---- */

static tow_protocol *echo_new(tow_loop *loop, void *context);

#include "example.c"

static tow_protocol *echo_new(tow_loop *loop, void *context) {
  (void)context;
  return new_endpoint(loop, &callbacks);
}

int main(void) {
  tow_loop *loop = tow_uv_loop_new(NULL);
  serve(loop);
  tow_uv_run(loop);
  tow_uv_loop_close(loop);
  return was_answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
