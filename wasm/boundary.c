/* The host of a wasm module: its two tables are JavaScript's functions. README.md beside this file is the manual. */
#include "boundary.h"

#include <stdlib.h>

static void ask(tow_request *request, tow_verb verb, const char *address, const tow_options *o) {
  uint32_t flags = (uint32_t)o->nodelay | (uint32_t)o->reuse_address << 1 | (uint32_t)o->ipv6_only << 2 |
                   (uint32_t)o->refuse_text << 3;
  tow_import_ask(request, verb, address, o->backlog, o->keepalive, flags, o->inbox, o->subprotocols, o->headers);
}

static void ask_connect(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)host;
  ask(request, TOW_CONNECT, address, options);
}

static void ask_listen(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)host;
  ask(request, TOW_LISTEN, address, options);
}

static const tow_loop_host loop_host = {
    .size = sizeof(tow_loop_host),
    .now = tow_import_now,
    .set_timer = tow_import_set_timer,
    .wake = tow_import_wake,
    .connect = ask_connect,
    .listen = ask_listen,
    .cancel = tow_import_cancel,
    .close_server = tow_import_close_server,
    .server_extra_info = tow_import_server_extra_info,
};

const tow_connection_host tow_wasm_connection_host = {
    .size = sizeof(tow_connection_host),
    .write = tow_import_write,
    .flush = tow_import_flush,
    .shutdown = tow_import_shutdown,
    .set_reading = tow_import_set_reading,
    .revoke = tow_import_revoke,
    .close = tow_import_close,
    .extra_info = tow_import_extra_info,
};

static void *allocate(void *context, size_t size) {
  (void)context;
  return malloc(size);
}

static void release(void *context, void *memory) {
  (void)context;
  free(memory);
}

tow_loop *tow_wasm_new_loop(void) {
  static const tow_allocator libc = {allocate, release, NULL};
  tow_loop *loop = tow_host_new_loop(&loop_host, NULL, &libc);
  if (!loop) return NULL;
  tow_loop_set_log(loop, tow_import_log, NULL);
  tow_loop_set_exception_handler(loop, tow_import_exception, NULL);
  return loop;
}

tow_transport *tow_wasm_open(tow_loop *loop, void *connection, unsigned abilities) {
  return tow_host_open(loop, (tow_factory){tow_import_construct, connection}, &tow_wasm_connection_host, connection,
                       abilities);
}

size_t tow_wasm_received(tow_transport *transport, size_t size, ptrdiff_t sizehint, tow_buffer *next) {
  size_t taken = tow_host_received(transport, size);
  const tow_buffer *lent = sizehint ? tow_host_lend(transport, sizehint) : NULL;
  *next = lent ? *lent : (tow_buffer){NULL, 0};
  return taken;
}
