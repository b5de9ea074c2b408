/* demo/echo.c over libuv: a server of it, and a client that says hello and leaves. */
#include <towline/uv.h>

#include <stdio.h>

tow_protocol *echo_new(tow_loop *loop, void *context);

static tow_server *server;
static tow_transport *connection;

static int made(tow_protocol *self, tow_transport *transport) {
  (void)self;
  connection = transport;
  return tow_transport_write(transport, "hello", 5);
}
static int received(tow_protocol *self, const void *data, size_t size) {
  (void)self;
  printf("%s: %.*s\n", tow_version(), (int)size, (const char *)data);
  tow_transport_close(connection);
  tow_server_close(server);
  return 0;
}
static const tow_stream_callbacks callbacks = {
    .base = {.size = sizeof(tow_stream_callbacks), .kind = TOW_STREAM, .connection_made = made},
    .data_received = received,
};
static tow_protocol client = {&callbacks.base};
static tow_protocol *client_new(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  return &client;
}

static int listening(void *loop, tow_server *listener, const tow_error *error) {
  char name[64], address[80];
  if (error || tow_server_get_extra_info(listener, "sockname", name, sizeof name) < 0) return -1;
  server = listener;
  snprintf(address, sizeof address, "tcp://%s", name);
  return tow_loop_connect(loop, address, NULL, (tow_factory){client_new, NULL}, NULL, NULL) ? 0 : -1;
}

int main(void) {
  tow_loop *loop = tow_uv_loop_new(NULL);
  if (!loop) return 1;
  tow_loop_listen(loop, "tcp://127.0.0.1:0", NULL, (tow_factory){echo_new, NULL}, listening, loop);
  tow_uv_run(loop);
  tow_uv_loop_close(loop);
  return 0;
}
