/* The imports, which JavaScript defines, and the exports that exist for JavaScript only. Most imports are the functions
 * of the host's tables themselves (towline/host.h); the word that stands for the loop's host is 0, and a connection, a
 * listener or a token is a number of JavaScript's. */
#ifndef TOWLINE_BOUNDARY_H
#define TOWLINE_BOUNDARY_H

#include "towline/host.h"

#define TOW_IMPORT(name) __attribute__((import_module("towline"), import_name(#name))) extern

/* The loop's table. */
TOW_IMPORT(now) double tow_import_now(void *host);
TOW_IMPORT(set_timer) void tow_import_set_timer(void *host, double when);
TOW_IMPORT(wake) void tow_import_wake(void *host);
/* connect, listen and bind, with the options that the core leaves to the host. `flags`: 1 nodelay, 2 reuse_address, 4
 * ipv6_only, 8 refuse_text, 16 framing is demanded, 32 framing is refused. */
typedef enum tow_verb { TOW_CONNECT = 0, TOW_LISTEN = 1, TOW_BIND = 2 } tow_verb;
TOW_IMPORT(ask)
void tow_import_ask(tow_request *request, tow_verb verb, const char *address, uint32_t backlog, double keepalive,
                    uint32_t flags, size_t inbox, const char *subprotocols, const char *headers);
/* The lists end with NULL; `environment` and `directory` may be NULL: the host's own. */
TOW_IMPORT(spawn)
void tow_import_spawn(tow_request *request, const char *address, const char *const *arguments,
                      const char *const *environment, const char *directory, tow_stdio in, tow_stdio out,
                      tow_stdio errors);
TOW_IMPORT(cancel) void tow_import_cancel(void *host, tow_request *request);
TOW_IMPORT(close_server) void tow_import_close_server(void *host, void *listener);
TOW_IMPORT(server_extra_info)
int tow_import_server_extra_info(void *host, void *listener, const char *name, char *value, size_t capacity);

/* The connection's table. */
TOW_IMPORT(write) size_t tow_import_write(void *connection, const tow_iovec *lines, size_t count);
TOW_IMPORT(flush) void tow_import_flush(void *connection);
TOW_IMPORT(shutdown) void tow_import_shutdown(void *connection);
TOW_IMPORT(set_reading) void tow_import_set_reading(void *connection, bool on);
TOW_IMPORT(revoke) int tow_import_revoke(void *connection);
TOW_IMPORT(close) void tow_import_close(void *connection, const tow_error *error);
TOW_IMPORT(extra_info) int tow_import_extra_info(void *connection, const char *name, char *value, size_t capacity);
TOW_IMPORT(sendto) bool tow_import_sendto(void *connection, const void *data, size_t size, const tow_peer *peer);
TOW_IMPORT(parse_peer) int tow_import_parse_peer(void *connection, const char *text, tow_peer *peer);
TOW_IMPORT(format_peer)
int tow_import_format_peer(void *connection, const tow_peer *peer, char *text, size_t capacity);
TOW_IMPORT(kill) int tow_import_kill(void *connection, int signal);

/* The tow_factory of the connections that JavaScript opens: calls the constructor that it was asked for. */
TOW_IMPORT(construct) tow_protocol *tow_import_construct(tow_loop *loop, void *connection);

/* A tow_log and a tow_exception_handler; `context` is 0. */
TOW_IMPORT(log) void tow_import_log(void *context, tow_level level, const char *message);
TOW_IMPORT(exception)
void tow_import_exception(void *context, const char *callback, tow_transport *transport, const tow_error *error);

/* What the boundary's own files share. */
#define TOW_IMPORTED_STREAM                                                                                            \
  .size = sizeof(tow_connection_host), .write = tow_import_write, .flush = tow_import_flush,                           \
  .shutdown = tow_import_shutdown, .set_reading = tow_import_set_reading, .revoke = tow_import_revoke,                 \
  .close = tow_import_close, .extra_info = tow_import_extra_info
extern const tow_connection_host tow_wasm_connection_host, tow_wasm_framed_host, tow_wasm_endpoint_host,
    tow_wasm_process_host;
/* That of a stream. */
const tow_connection_host *tow_wasm_table(unsigned abilities);
void tow_wasm_ask(tow_request *request, tow_verb verb, const char *address, const tow_options *options);

/* The loop's table, but for what every module needs: each in a file of its own, which is linked only into modules that
 * ask for such things. */
void tow_wasm_connect(void *host, tow_request *request, const char *address, const tow_options *options);
void tow_wasm_cancel(void *host, tow_request *request);
void tow_wasm_listen(void *host, tow_request *request, const char *address, const tow_options *options);
void tow_wasm_close_server(void *host, void *listener);
int tow_wasm_server_extra_info(void *host, void *listener, const char *name, char *value, size_t capacity);
void tow_wasm_bind(void *host, tow_request *request, const char *address, const tow_options *options);
void tow_wasm_spawn(void *host, tow_request *request, const char *address, const tow_spawn_options *options);

/* ---- Exports ---- */

/* Among `abilities`, beside TOW_CAN_...: both ends have agreed on Towline framing. */
enum { TOW_AGREED_FRAMING = 64 };

/* NULL when out of memory. */
tow_loop *tow_wasm_new_loop(void);
/* tow_host_open; the factory is `construct`. */
tow_transport *tow_wasm_open(tow_loop *loop, void *connection, unsigned abilities);
/* The transport that a user is to know: with framing another one than `transport`, whose facts the host tells. A module
 * that has framing exports it. */
tow_transport *tow_wasm_top(tow_transport *transport);
/* tow_host_received, and in the same crossing, unless `sizehint` is 0, tow_host_lend for the next bytes. */
size_t tow_wasm_received(tow_transport *transport, size_t size, ptrdiff_t sizehint, tow_buffer *next);
/* The same for an endpoint of datagrams (`peer` of size 0: connected to none) and for a subprocess. */
tow_transport *tow_wasm_open_endpoint(tow_loop *loop, void *connection, const tow_peer *peer);
tow_transport *tow_wasm_open_process(tow_loop *loop, void *connection, int pid);
/* tow_host_pipe. */
tow_transport *tow_wasm_pipe(tow_transport *process, int fd, void *connection, unsigned abilities);
/* tow_host_opened, tow_host_opened_endpoint, tow_host_spawned and tow_host_accepted, for requests and servers of the
 * module's own. */
tow_transport *tow_wasm_opened(tow_request *request, void *connection, unsigned abilities);
tow_transport *tow_wasm_opened_endpoint(tow_request *request, void *connection, const tow_peer *peer);
tow_transport *tow_wasm_spawned(tow_request *request, void *connection, int pid);
tow_transport *tow_wasm_accepted(tow_server *server, void *connection, unsigned abilities);

#endif
