/* Connections with Towline framing: linked unless a module is built without. */
#include "towline/framing.h"
#include "boundary.h"
#include "core.h"

const tow_connection_host tow_wasm_framed_host = {
    TOW_IMPORTED_STREAM,
    .layers = &tow_framing_default.layering,
};

tow_transport *tow_wasm_top(tow_transport *transport) {
  return tow_top(transport);
}
