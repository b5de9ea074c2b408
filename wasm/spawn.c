/* Subprocesses that the module itself asks for. */
#include "boundary.h"

void tow_wasm_spawn(void *host, tow_request *request, const char *address, const tow_spawn_options *options) {
  (void)host;
  tow_import_spawn(request, address, options->arguments, options->environment, options->directory, options->stdio[0],
                   options->stdio[1], options->stdio[2]);
}

tow_transport *tow_wasm_spawned(tow_request *request, void *connection, int pid) {
  return tow_host_spawned(request, &tow_wasm_process_host, connection, pid);
}
