#include "boundary.h"

tow_transport *tow_wasm_accepted(tow_server *server, void *connection, unsigned abilities) {
  return tow_host_accepted(server, &tow_wasm_connection_host, connection, abilities);
}
