/* Connecting and serving: requests that end in exactly one result [O].
 *
 * A request is open until it is SETTLED: by the host (opened, listening, failed), by its time-out, or by the user
 * (cancelled). Whoever is first settles it; the host is told to forget it unless it was the host. The result is
 * delivered by the loop, after the transport's connection_made, which was scheduled before it. */
#include "core.h"

struct tow_request {
  tow_loop *loop;
  tow_node open; /* in loop->requests */
  tow_node ready;
  tow_handle timer;
  tow_factory factory;
  tow_options options;
  tow_connected connected; /* one of the two, as `listens` says */
  tow_listening listening;
  void *context;
  void *host_data;
  tow_transport *transport; /* the result: one of the three */
  tow_server *server;
  tow_error error;
  char *message; /* owned; NULL: the code's own text */
  size_t size;   /* of this block */
  int given_up;  /* 0, or why: TOW_ETIMEDOUT, TOW_ECANCELED */
  bool settled, listens;
};

static void free_request(tow_request *r) {
  tow_loop_free(r->loop, r->message);
  tow_release(r->loop, r, r->size);
}

static void run_result(tow_loop *loop, tow_node *node) {
  tow_request *r = TOW_OWNER(node, tow_request, ready);
  tow_list_remove(&r->open);
  const tow_error *error = r->error.code ? &r->error : NULL;
  int result = 0;
  tow_enter(loop);
  if (r->connected) result = r->connected(r->context, r->transport, error);
  if (r->listening) result = r->listening(r->context, r->server, error);
  if (result < 0) tow_report(loop, r->listens ? "listening" : "connected", r->transport, result);
  tow_leave(loop);
  if (r->transport) tow_transport_unref(r->transport);
  free_request(r);
}

static void set_error(tow_request *r, int code, int native, const char *message) {
  if (!tow_error_text(code)) code = TOW_EUNKNOWN;
  size_t size = message ? strlen(message) + 1 : 0;
  tow_loop_free(r->loop, r->message);
  r->message = size > 0 ? tow_loop_alloc(r->loop, size) : NULL;
  if (r->message) memcpy(r->message, message, size);
  r->error = (tow_error){code, native, r->message ? r->message : tow_error_text(code)};
}

static void settle(tow_request *r) {
  r->settled = true;
  tow_handle_cancel(&r->timer);
  tow_schedule(r->loop, &r->ready);
}

/* The host may tell what had failed so far: then that is the message. */
static void give_up(tow_request *r, int code) {
  r->given_up = code;
  r->loop->table->cancel(r->loop->host, r);
  if (r->settled) return;
  set_error(r, code, 0, NULL);
  settle(r);
}

static int time_out(void *request) {
  give_up(request, TOW_ETIMEDOUT);
  return 0;
}

void tow_request_cancel(tow_request *r) {
  if (!r->settled) {
    give_up(r, TOW_ECANCELED);
    return;
  }
  if (r->transport) {
    tow_transport_abort(r->transport);
    tow_transport_unref(r->transport);
  }
  if (r->server) tow_server_close(r->server);
  r->transport = NULL;
  r->server = NULL;
  set_error(r, TOW_ECANCELED, 0, NULL);
}

/* ---- Making one ---- */

static char *put_text(char *to, const char *text) {
  size_t size = strlen(text) + 1;
  memcpy(to, text, size);
  return to + size;
}

static tow_request *new_request(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                                void *context) {
  tow_options all = TOW_OPTIONS_DEFAULT;
  if (options) memcpy(&all, options, options->size < sizeof all ? options->size : sizeof all);
  size_t size = sizeof(tow_request) + strlen(address) + 1;
  if (all.subprotocols) size += strlen(all.subprotocols) + 1;
  if (all.headers) size += strlen(all.headers) + 1;
  tow_request *r = tow_allocate(loop, size);
  if (!r) return NULL;
  char *text = put_text((char *)(r + 1), address);
  if (all.subprotocols) {
    const char *from = all.subprotocols;
    all.subprotocols = text;
    text = put_text(text, from);
  }
  if (all.headers) {
    put_text(text, all.headers);
    all.headers = text;
  }
  *r = (tow_request){
      .loop = loop, .factory = factory, .options = all, .context = context, .size = size, .ready.run = run_result};
  tow_list_init(&r->ready);
  tow_list_add(&loop->requests, &r->open);
  return r;
}

/* Whether the host is to be asked. */
static bool begin(tow_request *r, bool supported) {
  tow_loop *loop = r->loop;
  if (loop->closing || !supported) {
    set_error(r, loop->closing ? TOW_ECANCELED : TOW_ENOTSUP, 0, NULL);
    settle(r);
    return false;
  }
  if (r->options.timeout > 0) tow_loop_call_later(loop, &r->timer, r->options.timeout, time_out, r);
  return true;
}

tow_request *tow_loop_connect(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                              tow_connected done, void *context) {
  tow_request *r = new_request(loop, address, options, factory, context);
  if (!r) return NULL;
  r->connected = done;
  if (begin(r, loop->table->connect)) loop->table->connect(loop->host, r, address, &r->options);
  return r;
}

tow_request *tow_loop_bind(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                           tow_connected done, void *context) {
  tow_request *r = new_request(loop, address, options, factory, context);
  if (!r) return NULL;
  r->connected = done;
  if (begin(r, loop->table->bind)) loop->table->bind(loop->host, r, address, &r->options);
  return r;
}

tow_request *tow_loop_spawn(tow_loop *loop, const char *address, const tow_spawn_options *options, tow_factory factory,
                            tow_connected done, void *context) {
  tow_spawn_options all = TOW_SPAWN_OPTIONS_DEFAULT;
  if (options) memcpy(&all, options, options->size < sizeof all ? options->size : sizeof all);
  tow_request *r = new_request(loop, address, NULL, factory, context);
  if (!r) return NULL;
  r->connected = done;
  if (begin(r, loop->table->spawn)) loop->table->spawn(loop->host, r, address, &all);
  return r;
}

tow_request *tow_loop_listen(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                             tow_listening done, void *context) {
  tow_request *r = new_request(loop, address, options, factory, context);
  if (!r) return NULL;
  r->listening = done;
  r->listens = true;
  if (begin(r, loop->table->listen)) loop->table->listen(loop->host, r, address, &r->options);
  return r;
}

/* ---- The host's answers ---- */

void tow_host_set_request_data(tow_request *r, void *data) {
  r->host_data = data;
}

void *tow_host_request_data(const tow_request *r) {
  return r->host_data;
}

void tow_host_failed_request(tow_request *r, const tow_error *error) {
  if (r->settled) return;
  set_error(r, r->given_up ? r->given_up : error->code, error->native, error->message);
  settle(r);
}

/* The request's transport, or its error. */
static tow_transport *open_for(tow_request *r, tow_opening *o) {
  if (r->settled) return NULL;
  o->factory = r->factory;
  o->options = &r->options;
  tow_transport *t = tow_open(r->loop, o);
  if (t)
    r->transport = tow_transport_ref(t);
  else
    set_error(r, o->error.code, 0, o->error.message);
  settle(r);
  return t;
}

tow_transport *tow_host_opened(tow_request *r, const tow_connection_host *table, void *connection, unsigned abilities) {
  return open_for(r, &(tow_opening){.table = table, .connection = connection, .abilities = abilities});
}

tow_transport *tow_host_opened_datagram(tow_request *r, const tow_connection_host *table, void *connection,
                                        const tow_peer *peer) {
  return open_for(r, &(tow_opening){.table = table,
                                    .connection = connection,
                                    .abilities = TOW_CARRIES_DATAGRAMS | TOW_CAN_READ,
                                    .peer = peer});
}

tow_transport *tow_host_spawned(tow_request *r, const tow_connection_host *table, void *connection, int pid) {
  return open_for(r,
                  &(tow_opening){.table = table, .connection = connection, .abilities = TOW_RUNS_PROCESS, .pid = pid});
}

tow_server *tow_host_listening(tow_request *r, void *listener) {
  if (r->settled) return NULL;
  tow_server *server = tow_allocate(r->loop, sizeof *server);
  if (server) {
    *server = (tow_server){.loop = r->loop, .factory = r->factory, .options = r->options, .listener = listener};
    server->options.subprotocols = server->options.headers = NULL; /* the request's */
    tow_list_add(&r->loop->servers, &server->open);
    r->server = server;
  } else {
    set_error(r, TOW_ENOMEM, 0, NULL);
  }
  settle(r);
  return server;
}

/* ---- Servers ---- */

tow_transport *tow_host_accepted(tow_server *server, const tow_connection_host *table, void *connection,
                                 unsigned abilities) {
  return tow_open(server->loop, &(tow_opening){.factory = server->factory,
                                               .table = table,
                                               .connection = connection,
                                               .abilities = abilities,
                                               .server = server,
                                               .options = &server->options});
}

bool tow_server_is_open(const tow_loop *loop, const tow_server *server) {
  for (const tow_node *node = loop->servers.next; node != &loop->servers; node = node->next)
    if (node == &server->open) return true;
  return false;
}

static void each_client(tow_server *server, void (*act)(tow_transport *)) {
  tow_node *list = &server->loop->transports;
  for (tow_node *node = list->next; node != list; node = node->next) {
    tow_transport *t = TOW_OWNER(node, tow_transport, open);
    if (t->server == server) act(t);
  }
}

static void forget_server(tow_transport *t) {
  t->server = NULL;
}

void tow_server_close_clients(tow_server *server) {
  each_client(server, tow_transport_close);
}

void tow_server_abort_clients(tow_server *server) {
  each_client(server, tow_transport_abort);
}

void tow_server_close(tow_server *server) {
  tow_loop *loop = server->loop;
  each_client(server, forget_server);
  tow_list_remove(&server->open);
  loop->table->close_server(loop->host, server->listener);
  tow_release(loop, server, sizeof *server);
}

int tow_server_get_extra_info(const tow_server *server, const char *name, char *value, size_t capacity) {
  const tow_loop *loop = server->loop;
  if (!loop->table->server_extra_info) return TOW_ENOENT;
  return loop->table->server_extra_info(loop->host, server->listener, name, value, capacity);
}

void tow_close_requests(tow_loop *loop) {
  for (tow_node *node = loop->requests.next; node != &loop->requests; node = node->next)
    tow_request_cancel(TOW_OWNER(node, tow_request, open));
  while (!tow_list_is_empty(&loop->servers))
    tow_server_close(TOW_OWNER(loop->servers.next, tow_server, open));
}
