/* Servers: linked into modules that listen from C. */
#include "boundary.h"

void tow_wasm_listen(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)host;
  tow_wasm_ask(request, TOW_LISTEN, address, options);
}

void tow_wasm_close_server(void *host, void *listener) {
  tow_import_close_server(host, listener);
}

int tow_wasm_server_extra_info(void *host, void *listener, const char *name, char *value, size_t capacity) {
  return tow_import_server_extra_info(host, listener, name, value, capacity);
}

tow_transport *tow_wasm_accepted(tow_server *server, void *connection, unsigned abilities) {
  return tow_host_accepted(server, tow_wasm_table(abilities), connection, abilities);
}
