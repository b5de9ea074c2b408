/* The host's answers to what the module itself asks for: linked into modules that connect or listen from C. */
#include "boundary.h"

tow_transport *tow_wasm_opened(tow_request *request, void *connection, unsigned abilities) {
  return tow_host_opened(request, &tow_wasm_connection_host, connection, abilities);
}
