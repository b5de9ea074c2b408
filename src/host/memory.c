/* The memory host: turns, the clock, and the names that two transports meet at. */
#include "memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct tow_memory_listener {
  struct tow_memory_listener *next;
  tow_server *server;
  char name[];
} listener;

/* ---- A turn ---- */

bool tow_memory_turn(tow_memory *m) {
  for (tow_memory_peer *p = m->peers; p; p = p->next) {
    p->may_read = tow_memory_can_read(p);
    p->may_write = tow_memory_can_write(p);
  }
  m->awake = false;
  if (tow_host_run_ready(m->loop)) m->awake = true;
  for (tow_memory_peer *p = m->peers; p; p = p->next) {
    if (p->may_read && tow_memory_can_read(p)) tow_memory_read_once(p);
    if (p->may_write && tow_memory_can_write(p)) tow_memory_write_once(p);
  }
  if (m->timer <= m->now) tow_host_run_timers(m->loop);
  bool more = m->awake || m->timer <= m->now;
  for (tow_memory_peer *p = m->peers; p && !more; p = p->next)
    more = tow_memory_can_read(p) || tow_memory_can_write(p);
  return more;
}

void tow_memory_run(tow_memory *m) {
  while (tow_memory_turn(m)) {
  }
}

void tow_memory_advance(tow_memory *m, double milliseconds) {
  double end = m->now + milliseconds;
  tow_memory_run(m);
  while (m->timer <= end) {
    m->now = m->timer;
    tow_memory_run(m);
  }
  m->now = end;
}

/* ---- The loop's table ---- */

static double host_now(void *host) {
  return ((tow_memory *)host)->now;
}
static void host_set_timer(void *host, double when) {
  ((tow_memory *)host)->timer = when;
}
static void host_wake(void *host) {
  ((tow_memory *)host)->awake = true;
}

static int name_of(const char *text, const char **name) {
  tow_address address;
  int error = tow_address_parse(text, &address);
  if (error < 0) return error;
  *name = address.path;
  return !tow_address_has_scheme(&address, "mem") ? TOW_ESCHEME : address.path_size == 0 ? TOW_EADDRESS : 0;
}

static listener *find(tow_memory *m, const char *name) {
  listener *l = m->listeners;
  while (l && strcmp(l->name, name) != 0)
    l = l->next;
  return l;
}

static int connect_pair(tow_memory *m, tow_request *request, const char *text) {
  const char *name;
  int error = name_of(text, &name);
  if (error < 0) return error;
  size_t size = strlen(name);
  if (size > 6 && strcmp(name + size - 6, "?never") == 0) return 0;
  listener *l = find(m, name);
  if (!l) return TOW_ECONNREFUSED;
  tow_memory_peer *client = tow_memory_new_peer(m, NULL), *server = tow_memory_new_peer(m, NULL);
  if (!client || !server) return TOW_ENOMEM;
  server->transport = tow_host_accepted(l->server, &tow_memory_connection_host, server, TOW_CAN_STREAM);
  if (!server->transport) return TOW_ECONNREFUSED;
  client->transport = tow_host_opened(request, &tow_memory_connection_host, client, TOW_CAN_STREAM);
  if (client->transport) {
    client->other = server;
    server->other = client;
  } else {
    tow_memory_append_end(server);
  }
  return 0;
}

static int listen_to(tow_memory *m, tow_request *request, const char *text) {
  const char *name;
  int error = name_of(text, &name);
  if (error < 0) return error;
  if (find(m, name)) return TOW_EADDRINUSE;
  size_t size = strlen(name) + 1;
  listener *l = malloc(sizeof *l + size);
  if (!l) return TOW_ENOMEM;
  memcpy(l->name, name, size);
  l->server = tow_host_listening(request, l);
  if (!l->server) {
    free(l);
    return 0;
  }
  l->next = m->listeners;
  m->listeners = l;
  return 0;
}

static void host_connect(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)options;
  int error = connect_pair(host, request, address);
  if (error < 0) tow_host_failed_request(request, &(tow_error){error, 0, NULL});
}

static void host_listen(void *host, tow_request *request, const char *address, const tow_options *options) {
  (void)options;
  int error = listen_to(host, request, address);
  if (error < 0) tow_host_failed_request(request, &(tow_error){error, 0, NULL});
}

static void host_cancel(void *host, tow_request *request) {
  (void)host; /* nothing is under way: a request ends at once, or never */
  (void)request;
}

static void host_close_server(void *host, void *which) {
  listener **l = &((tow_memory *)host)->listeners;
  while (*l != which)
    l = &(*l)->next;
  *l = ((listener *)which)->next;
  free(which);
}

static const tow_loop_host loop_host = {
    .size = sizeof(tow_loop_host),
    .now = host_now,
    .set_timer = host_set_timer,
    .wake = host_wake,
    .connect = host_connect,
    .listen = host_listen,
    .cancel = host_cancel,
    .close_server = host_close_server,
};

tow_memory *tow_memory_new(const tow_allocator *allocator) {
  tow_memory *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  m->timer = INFINITY;
  m->loop = tow_host_new_loop(&loop_host, m, allocator ? allocator : &tow_libc_allocator);
  if (m->loop) return m;
  free(m);
  return NULL;
}

void tow_memory_free(tow_memory *m) {
  tow_host_close_loop(m->loop);
  tow_host_free_loop(m->loop);
  while (m->peers) {
    tow_memory_peer *p = m->peers;
    m->peers = p->next;
    tow_memory_free_peer(p);
  }
  free(m);
}

tow_loop *tow_memory_loop(tow_memory *m) {
  return m->loop;
}
