/* Subprocesses: linked into modules that have a protocol for them. */
#include "boundary.h"

const tow_connection_host tow_wasm_process_host = {
    .size = sizeof(tow_connection_host),
    .close = tow_import_close,
    .extra_info = tow_import_extra_info,
    .kill = tow_import_kill,
};

tow_transport *tow_wasm_open_process(tow_loop *loop, void *connection, int pid) {
  return tow_host_open_process(loop, (tow_factory){tow_import_construct, connection}, &tow_wasm_process_host,
                               connection, pid);
}

tow_transport *tow_wasm_pipe(tow_transport *process, int fd, void *connection, unsigned abilities) {
  return tow_host_pipe(process, fd, &tow_wasm_connection_host, connection, abilities);
}
