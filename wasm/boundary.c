/* The host of a wasm module: its two tables are JavaScript's functions. README.md beside this file is the manual. */
#include "boundary.h"

#include <stdlib.h>
#include <string.h>

static void ask(void (*import)(tow_request *, const char *, uint32_t, double, uint32_t, size_t, const char *,
                               const char *),
                tow_request *request, const char *address, const tow_options *o) {
  uint32_t flags = (uint32_t)o->nodelay | (uint32_t)o->reuse_address << 1 | (uint32_t)o->ipv6_only << 2 |
                   (uint32_t)o->refuse_text << 3;
  import(request, address, o->backlog, o->keepalive, flags, o->inbox, o->subprotocols, o->headers);
}

static void ask_connect(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)host;
  ask(tow_import_connect, request, address, options);
}

static void ask_listen(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)host;
  ask(tow_import_listen, request, address, options);
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

static const tow_connection_host connection_host = {
    .size = sizeof(tow_connection_host),
    .write = tow_import_write,
    .flush = tow_import_flush,
    .shutdown = tow_import_shutdown,
    .set_reading = tow_import_set_reading,
    .revoke = tow_import_revoke,
    .close = tow_import_close,
    .extra_info = tow_import_extra_info,
};

/* Not by realloc, which is large and which the core hardly needs. */
static void *reallocate(void *context, void *memory, size_t old_size, size_t size) {
  (void)context;
  void *result = size > 0 ? malloc(size) : NULL;
  if (size > 0 && !result) return NULL;
  if (old_size > 0 && size > 0) memcpy(result, memory, old_size < size ? old_size : size);
  free(memory);
  return result;
}

tow_loop *tow_wasm_new_loop(void) {
  tow_loop *loop = tow_host_new_loop(&loop_host, NULL, (tow_allocator){reallocate, NULL});
  if (!loop) return NULL;
  tow_loop_set_log(loop, tow_import_log, NULL);
  tow_loop_set_exception_handler(loop, tow_import_exception, NULL);
  return loop;
}

static tow_options options_of(double timeout, ptrdiff_t high, ptrdiff_t low) {
  tow_options options = TOW_OPTIONS_DEFAULT;
  if (timeout >= 0) options.timeout = timeout;
  options.high = high;
  options.low = low;
  return options;
}

tow_request *tow_wasm_connect(tow_loop *loop, void *token, const char *address, double timeout, ptrdiff_t high,
                              ptrdiff_t low) {
  tow_options options = options_of(timeout, high, low);
  tow_factory factory = {tow_import_construct, token};
  return tow_loop_connect(loop, address, &options, factory, tow_import_connected, token);
}

tow_request *tow_wasm_listen(tow_loop *loop, void *token, const char *address, double timeout, ptrdiff_t high,
                             ptrdiff_t low) {
  tow_options options = options_of(timeout, high, low);
  tow_factory factory = {tow_import_construct, token};
  return tow_loop_listen(loop, address, &options, factory, tow_import_listening, token);
}

tow_transport *tow_wasm_opened(tow_request *request, void *connection, unsigned abilities) {
  return tow_host_opened(request, &connection_host, connection, abilities);
}

tow_transport *tow_wasm_accepted(tow_server *server, void *connection, unsigned abilities) {
  return tow_host_accepted(server, &connection_host, connection, abilities);
}

size_t tow_wasm_received(tow_transport *transport, size_t size, ptrdiff_t sizehint, tow_buffer *next) {
  size_t taken = tow_host_received(transport, size);
  *next = sizehint ? tow_host_lend(transport, sizehint) : (tow_buffer){NULL, 0};
  return taken;
}
