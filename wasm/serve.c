/* Serving: linked only into modules that listen, or that are built to be listened with. */
#include "boundary.h"

tow_request *tow_wasm_listen(tow_loop *loop, void *token, const char *address, double timeout, ptrdiff_t high,
                             ptrdiff_t low) {
  tow_options options = tow_wasm_options(timeout, high, low);
  tow_factory factory = {tow_import_construct, token};
  return tow_loop_listen(loop, address, &options, factory, tow_import_listening, token);
}

tow_transport *tow_wasm_accepted(tow_server *server, void *connection, unsigned abilities) {
  return tow_host_accepted(server, &tow_wasm_connection_host, connection, abilities);
}
