/* Endpoints that the module itself asks for. */
#include "boundary.h"

void tow_wasm_bind(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)host;
  tow_wasm_ask(request, TOW_BIND, address, options);
}

tow_transport *tow_wasm_opened_endpoint(tow_request *request, void *connection, const tow_peer *peer) {
  return tow_host_opened_endpoint(request, &tow_wasm_endpoint_host, connection, peer);
}
