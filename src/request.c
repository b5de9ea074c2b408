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
  if (size > 0 && (r->message = tow_loop_alloc(r->loop, size))) memcpy(r->message, message, size);
  r->error = (tow_error){code, native, r->message ? r->message : tow_error_text(code)};
}

static void settle(tow_request *r) {
  r->settled = true;
  tow_handle_cancel(&r->timer);
  tow_schedule(r->loop, &r->ready);
}

static void give_up(tow_request *r, int code) {
  r->loop->table->cancel(r->loop->host, r);
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
  } else if (!r->error.code) {
    if (r->transport) {
      tow_transport_abort(r->transport);
      tow_transport_unref(r->transport);
    }
    if (r->server) tow_server_close(r->server);
    r->transport = NULL;
    r->server = NULL;
    set_error(r, TOW_ECANCELED, 0, NULL);
  }
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

static void begin(tow_request *r, void (*ask)(void *, tow_request *, const char *, const tow_options *)) {
  tow_loop *loop = r->loop;
  if (loop->closing) {
    set_error(r, TOW_ECANCELED, 0, NULL);
    settle(r);
    return;
  }
  if (r->options.timeout > 0) tow_loop_call_later(loop, &r->timer, r->options.timeout, time_out, r);
  if (ask)
    ask(loop->host, r, (const char *)(r + 1), &r->options);
  else
    tow_host_failed_request(r, &(tow_error){TOW_ENOTSUP, 0, NULL});
}

tow_request *tow_loop_connect(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                              tow_connected done, void *context) {
  tow_request *r = new_request(loop, address, options, factory, context);
  if (!r) return NULL;
  r->connected = done;
  begin(r, loop->table->connect);
  return r;
}

tow_request *tow_loop_listen(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                             tow_listening done, void *context) {
  tow_request *r = new_request(loop, address, options, factory, context);
  if (!r) return NULL;
  r->listening = done;
  r->listens = true;
  begin(r, loop->table->listen);
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
  set_error(r, error->code, error->native, error->message);
  settle(r);
}

tow_transport *tow_host_opened(tow_request *r, const tow_connection_host *table, void *connection, unsigned abilities) {
  if (r->settled) return NULL;
  tow_transport *t = tow_open(r->loop, r->factory, NULL, table, connection, abilities, &r->options);
  if (t)
    r->transport = tow_transport_ref(t);
  else
    set_error(r, TOW_ENOMEM, 0, "no protocol was made for the connection");
  settle(r);
  return t;
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
  return tow_open(server->loop, server->factory, server, table, connection, abilities, &server->options);
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
