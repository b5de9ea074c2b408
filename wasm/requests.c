/* What the module itself asks for: linked into modules that open something from C. */
#include "boundary.h"

void tow_wasm_ask(tow_request *request, tow_verb verb, const char *address, const tow_options *o) {
  uint32_t flags = (uint32_t)o->nodelay | (uint32_t)o->reuse_address << 1 | (uint32_t)o->ipv6_only << 2 |
                   (uint32_t)o->refuse_text << 3 | (uint32_t)(o->framing == TOW_FRAMING_DEMANDED) << 4 |
                   (uint32_t)(o->framing == TOW_FRAMING_REFUSED) << 5;
  tow_import_ask(request, verb, address, o->backlog, o->keepalive, flags, o->inbox, o->subprotocols, o->headers);
}

void tow_wasm_cancel(void *host, tow_request *request) {
  tow_import_cancel(host, request);
}

void tow_wasm_connect(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)host;
  tow_wasm_ask(request, TOW_CONNECT, address, options);
}

tow_transport *tow_wasm_opened(tow_request *request, void *connection, unsigned abilities) {
  return tow_host_opened(request, tow_wasm_table(abilities), connection, abilities);
}
