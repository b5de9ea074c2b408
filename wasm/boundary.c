/* The host of a wasm module: its two tables are JavaScript's functions. README.md beside this file is the manual. */
#include "boundary.h"

/* A weak symbol is NULL unless something else has its file linked: exports.txt does that. */
#pragma weak tow_wasm_connect
#pragma weak tow_wasm_listen
#pragma weak tow_wasm_bind
#pragma weak tow_wasm_spawn
#pragma weak tow_wasm_cancel
#pragma weak tow_wasm_close_server
#pragma weak tow_wasm_server_extra_info
#pragma weak tow_wasm_framed_host
static const tow_loop_host loop_host = {
    .size = sizeof(tow_loop_host),
    .now = tow_import_now,
    .set_timer = tow_import_set_timer,
    .wake = tow_import_wake,
    .connect = tow_wasm_connect,
    .listen = tow_wasm_listen,
    .bind = tow_wasm_bind,
    .spawn = tow_wasm_spawn,
    .cancel = tow_wasm_cancel,
    .close_server = tow_wasm_close_server,
    .server_extra_info = tow_wasm_server_extra_info,
};

const tow_connection_host tow_wasm_connection_host = {
    TOW_IMPORTED_STREAM,
};

const tow_connection_host *tow_wasm_table(unsigned abilities) {
  return abilities & TOW_AGREED_FRAMING ? &tow_wasm_framed_host : &tow_wasm_connection_host;
}

tow_loop *tow_wasm_new_loop(void) {
  tow_loop *loop = tow_host_new_loop(&loop_host, NULL, &tow_libc_allocator);
  if (!loop) return NULL;
  tow_loop_set_log(loop, tow_import_log, NULL);
  tow_loop_set_exception_handler(loop, tow_import_exception, NULL);
  return loop;
}

tow_transport *tow_wasm_open(tow_loop *loop, void *connection, unsigned abilities) {
  return tow_host_open(loop, (tow_factory){tow_import_construct, connection}, NULL, tow_wasm_table(abilities),
                       connection, abilities);
}

size_t tow_wasm_received(tow_transport *transport, size_t size, ptrdiff_t sizehint, tow_buffer *next) {
  size_t taken = tow_host_received(transport, size);
  const tow_buffer *lent = sizehint ? tow_host_lend(transport, sizehint) : NULL;
  *next = lent ? *lent : (tow_buffer){NULL, 0};
  return taken;
}
