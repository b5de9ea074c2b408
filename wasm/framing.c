/* Connections with Towline framing: linked unless a module is built without. */
#include "towline/framing.h"
#include "boundary.h"
#include "core.h"

const tow_connection_host tow_wasm_framed_host = {
    .size = sizeof(tow_connection_host),
    .write = tow_import_write,
    .flush = tow_import_flush,
    .shutdown = tow_import_shutdown,
    .set_reading = tow_import_set_reading,
    .revoke = tow_import_revoke,
    .close = tow_import_close,
    .extra_info = tow_import_extra_info,
    .layers = &tow_framing_default.layering,
};

tow_transport *tow_wasm_top(tow_transport *transport) {
  return tow_top(transport);
}
