/* Endpoints of datagrams: linked into modules that have a protocol for them. */
#include "boundary.h"

const tow_connection_host tow_wasm_endpoint_host = {
    .size = sizeof(tow_connection_host),
    .flush = tow_import_flush,
    .set_reading = tow_import_set_reading,
    .close = tow_import_close,
    .extra_info = tow_import_extra_info,
    .sendto = tow_import_sendto,
    .parse_peer = tow_import_parse_peer,
    .format_peer = tow_import_format_peer,
};

tow_transport *tow_wasm_open_endpoint(tow_loop *loop, void *connection, const tow_peer *peer) {
  return tow_host_open_endpoint(loop, (tow_factory){tow_import_construct, connection}, &tow_wasm_endpoint_host,
                                connection, peer);
}
