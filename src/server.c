/* Listening and accepting [O3]. */
#include "core.h"

struct tow_server {
  tow_loop *loop;
  tow_node open; /* in loop->servers */
  tow_factory factory;
  size_t high, low;
  const tow_layering *layers;
  void *listener;
};

static int tell_listening(tow_request *r, const tow_error *error) {
  return r->done.listening ? r->done.listening(r->context, r->result, error) : 0;
}

static void close_server(void *server) {
  tow_server_close(server);
}

static void run_close(tow_loop *loop, tow_node *node) {
  (void)loop;
  tow_server_close(TOW_OWNER(node, tow_server, open));
}

tow_request *tow_loop_listen(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                             tow_listening done, void *context) {
  tow_request *r = tow_new_request(loop, factory, NULL, context);
  if (!r) return NULL;
  r->done.listening = done;
  r->tell = tell_listening;
  r->discard = close_server;
  return tow_ask(r, loop->table->listen, address, options);
}

tow_server *tow_host_listening(tow_request *r, void *listener) {
  if (r->settled) return NULL;
  tow_server *server = tow_loop_alloc(r->loop, sizeof *server);
  if (!server) {
    tow_fail_request(r, TOW_ENOMEM, 0, NULL);
    return NULL;
  }
  *server = (tow_server){.loop = r->loop,
                         .factory = r->factory,
                         .high = r->high,
                         .low = r->low,
                         .layers = r->layers,
                         .listener = listener};
  server->open.run = run_close;
  tow_list_add(&r->loop->servers, &server->open);
  r->result = server;
  tow_settle(r);
  return server;
}

static bool is_open(const tow_loop *loop, const tow_server *server) {
  for (const tow_node *node = loop->servers.next; node != &loop->servers; node = node->next)
    if (node == &server->open) return true;
  return false;
}

tow_transport *tow_host_accepted(tow_server *server, const tow_connection_host *table, void *connection,
                                 unsigned abilities) {
  tow_loop *loop = server->loop;
  tow_transport *t = tow_new_transport(loop, TOW_STREAMS, sizeof *t, table, connection, abilities);
  if (!t) return NULL;
  t->high = server->high;
  t->low = server->low;
  if (tow_start(t, server->layers, &server->factory) < 0) return NULL;
  if (is_open(loop, server)) tow_top(t)->server = server; /* unless the factory has closed it */
  return t;
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
  tow_loop_free(loop, server);
}

int tow_server_get_extra_info(const tow_server *server, const char *name, char *value, size_t capacity) {
  const tow_loop *loop = server->loop;
  if (!loop->table->server_extra_info) return TOW_ENOENT;
  return loop->table->server_extra_info(loop->host, server->listener, name, value, capacity);
}
