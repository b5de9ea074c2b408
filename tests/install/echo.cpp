// The headers from C++17: an echo on the memory host, and the same over libuv.
#include <towline/framing.h>
#include <towline/memory.h>
#include <towline/uv.h>

#include <iostream>
#include <string>
#include <string_view>

namespace {

struct Echo : tow_protocol {
  tow_transport *transport = nullptr;
  std::string received;
  tow_server *server = nullptr; // of a client, which closes it when it has its answer
};

Echo &of(tow_protocol *self) {
  return *static_cast<Echo *>(self);
}

int made(tow_protocol *self, tow_transport *transport) {
  of(self).transport = transport;
  return of(self).server ? tow_transport_write(transport, "hello", 5) : 0;
}

int lost(tow_protocol *self, const tow_error *) {
  delete &of(self);
  return 0;
}

int data_received(tow_protocol *self, const void *data, size_t size) {
  Echo &echo = of(self);
  if (!echo.server) return tow_transport_write(echo.transport, data, size);
  echo.received.append(static_cast<const char *>(data), size);
  if (echo.received.size() < 5) return 0;
  std::cout << "network: " << echo.received << "\n";
  tow_transport_close(echo.transport);
  tow_server_close(echo.server);
  return 0;
}

const tow_stream_callbacks callbacks = [] {
  tow_stream_callbacks table = {};
  table.base.size = sizeof table;
  table.base.kind = TOW_STREAM;
  table.base.connection_made = made;
  table.base.connection_lost = lost;
  table.data_received = data_received;
  return table;
}();

tow_protocol *create(tow_loop *, void *server) {
  auto *echo = new Echo;
  echo->callbacks = &callbacks.base;
  echo->server = static_cast<tow_server *>(server);
  return echo;
}

void on_memory() {
  tow_memory *memory = tow_memory_new(nullptr);
  tow_memory_peer *peer = tow_memory_open(memory, {create, nullptr}, nullptr);
  tow_memory_run(memory);
  tow_memory_send(peer, "hello", 5);
  tow_memory_run(memory);
  size_t size = 0;
  const void *data = tow_memory_received(peer, &size);
  std::cout << "memory: " << std::string_view(static_cast<const char *>(data), size) << "\n";
  tow_memory_free(memory);
}

int listening(void *context, tow_server *server, const tow_error *error) {
  if (error) return error->code;
  char name[64];
  tow_server_get_extra_info(server, "sockname", name, sizeof name);
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.timeout = 5000;
  const std::string address = std::string("tcp://") + name;
  auto *loop = static_cast<tow_loop *>(context);
  tow_loop_connect(loop, address.c_str(), &options, {create, server}, nullptr, nullptr);
  return 0;
}

void on_network() {
  tow_loop *loop = tow_uv_loop_new(nullptr);
  tow_loop_listen(loop, "tcp://127.0.0.1:0", nullptr, {create, nullptr}, listening, loop);
  tow_uv_run(loop);
  tow_uv_loop_close(loop);
}

} // namespace

int main() {
  // The other macros that make values.
  const tow_spawn_options spawn = TOW_SPAWN_OPTIONS_DEFAULT;
  const tow_framing_layering framing = TOW_FRAMING_LAYERING;
  if (spawn.size != sizeof spawn || framing.layering.create != tow_framing_create) return 1;
  on_memory();
  on_network();
}
