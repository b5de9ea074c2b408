/* The memory host: what arrives waits in a list of items, what leaves is collected, and a turn moves it [T4].
 *
 * Two transports joined by a "mem:" address are two of the same: what one sends is an item of the other. */
#include "towline/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIPE_SIZE = 65536, PIECES = 1024 };

typedef enum { BYTES, END, FAILURE } kind;

typedef struct item {
  struct item *next;
  kind kind;
  int code, native; /* FAILURE; its message is the data */
  size_t start, size, capacity;
  unsigned char *data;
} item;

struct tow_memory_peer {
  tow_memory *memory;
  tow_memory_peer *next;
  tow_memory_peer *other; /* the far end of a "mem:" pair; NULL: the test plays it */
  tow_transport *transport;
  tow_memory_options options;
  item *first; /* what the transport will read */
  item sent;   /* what it has sent, when the test plays the far end */
  item *write_failure, *shutdown_failure;
  tow_buffer held; /* with hold_loans */
  size_t writes;
  bool reading, waits_to_write, shut;
  bool may_read, may_write; /* as this turn began */
};

typedef struct listener {
  struct listener *next;
  tow_server *server;
  char name[];
} listener;

struct tow_memory {
  tow_loop *loop;
  tow_memory_peer *peers;
  listener *listeners;
  double now, timer;
  bool awake;
};

/* ---- Items ---- */

static bool put(item *to, const void *data, size_t size) {
  if (to->size + size > to->capacity) {
    size_t capacity = 2 * to->capacity > to->size + size ? 2 * to->capacity : to->size + size;
    unsigned char *grown = realloc(to->data, capacity);
    if (!grown) return false;
    to->data = grown;
    to->capacity = capacity;
  }
  if (size > 0) memcpy(to->data + to->size, data, size);
  to->size += size;
  return true;
}

static item *new_item(kind kind, int code, int native, const void *data, size_t size) {
  item *it = calloc(1, sizeof *it);
  if (!it) return NULL;
  it->kind = kind;
  it->code = code;
  it->native = native;
  if (put(it, data, size)) return it;
  free(it);
  return NULL;
}

static item *new_failure(const tow_error *error) {
  const char *message = error->message ? error->message : "";
  return new_item(FAILURE, error->code, error->native, message, strlen(message) + 1);
}

static void free_item(item *it) {
  if (!it) return;
  free(it->data);
  free(it);
}

static void fail(tow_memory_peer *p, const item *failure) {
  const char *message = (const char *)failure->data;
  tow_host_failed(p->transport, &(tow_error){failure->code, failure->native, *message ? message : NULL});
}

static void out_of_memory(tow_memory_peer *p) {
  if (p->transport) tow_host_failed(p->transport, &(tow_error){TOW_ENOMEM, 0, NULL});
}

static item **end_of(tow_memory_peer *p) {
  item **end = &p->first;
  while (*end)
    end = &(*end)->next;
  return end;
}

static void append(tow_memory_peer *p, item *it) {
  if (it)
    *end_of(p) = it;
  else
    out_of_memory(p);
}

static void append_bytes(tow_memory_peer *p, const void *data, size_t size) {
  item *last = p->first;
  while (last && last->next)
    last = last->next;
  if (size == 0) return;
  if (!last || last->kind != BYTES)
    append(p, new_item(BYTES, 0, 0, data, size));
  else if (!put(last, data, size))
    out_of_memory(p);
}

static void remove_first(tow_memory_peer *p) {
  item *it = p->first;
  p->first = it->next;
  free_item(it);
}

/* ---- The connection's table ---- */

/* How much the far end takes now. */
static size_t room(const tow_memory_peer *p) {
  if (p->other) {
    size_t waiting = 0;
    for (const item *it = p->other->first; it; it = it->next)
      if (it->kind == BYTES) waiting += it->size - it->start;
    return waiting < PIPE_SIZE ? PIPE_SIZE - waiting : 0;
  }
  return p->options.capacity < 0 ? SIZE_MAX : (size_t)p->options.capacity;
}

static size_t host_write(void *connection, const tow_iovec *lines, size_t count) {
  tow_memory_peer *p = connection;
  if (p->write_failure) {
    fail(p, p->write_failure);
    return 0;
  }
  size_t left = room(p), taken = 0;
  for (; count > 0 && left > 0; lines++, count--) {
    size_t size = lines->size < left ? lines->size : left;
    if (p->other) {
      append_bytes(p->other, lines->base, size);
    } else if (!put(&p->sent, lines->base, size)) {
      out_of_memory(p);
      return taken;
    }
    left -= size;
    taken += size;
  }
  if (p->options.capacity > 0) p->options.capacity -= (ptrdiff_t)taken;
  if (taken > 0) p->writes++;
  return taken;
}

static void host_flush(void *connection) {
  ((tow_memory_peer *)connection)->waits_to_write = true;
}

static void end_stream(tow_memory_peer *p) {
  if (p->shut) return;
  p->shut = true;
  if (p->other) append(p->other, new_item(END, 0, 0, NULL, 0));
}

static void host_shutdown(void *connection) {
  tow_memory_peer *p = connection;
  if (p->shutdown_failure)
    fail(p, p->shutdown_failure);
  else
    end_stream(p);
}

static void host_set_reading(void *connection, bool on) {
  ((tow_memory_peer *)connection)->reading = on;
}

static int host_revoke(void *connection) {
  tow_memory_peer *p = connection;
  if (p->options.cannot_revoke) return TOW_ENOTSUP;
  p->held = (tow_buffer){NULL, 0};
  return 0;
}

static void host_close(void *connection, const tow_error *error) {
  tow_memory_peer *p = connection;
  (void)error;
  tow_transport *transport = p->transport;
  end_stream(p);
  if (p->other) {
    p->other->write_failure = new_failure(&(tow_error){TOW_EPIPE, 0, NULL});
    p->other->other = NULL;
    p->other = NULL;
  }
  p->transport = NULL;
  p->reading = p->waits_to_write = false;
  tow_host_closed(transport);
}

static int host_extra_info(void *connection, const char *name, char *value, size_t capacity) {
  (void)connection;
  static const char kind[] = "memory";
  if (strcmp(name, "host") != 0) return TOW_ENOENT;
  for (size_t i = 0; i < capacity && i < sizeof kind; i++)
    value[i] = i + 1 == capacity ? '\0' : kind[i];
  return (int)sizeof kind - 1;
}

static const tow_connection_host connection_host = {
    .size = sizeof(tow_connection_host),
    .write = host_write,
    .flush = host_flush,
    .shutdown = host_shutdown,
    .set_reading = host_set_reading,
    .revoke = host_revoke,
    .close = host_close,
    .extra_info = host_extra_info,
};

/* ---- A turn ---- */

static void lend(tow_memory_peer *p) {
  if (!p->held.base) p->held = tow_host_lend(p->transport, -1);
}

/* One read. The buffer is asked for before it is known what comes. */
static void read_once(tow_memory_peer *p) {
  lend(p);
  if (!p->held.base || !p->first) return;
  if (p->first->kind == BYTES) {
    item *it = p->first;
    size_t size = it->size - it->start;
    if (size > p->held.size) size = p->held.size;
    memcpy(p->held.base, it->data + it->start, size);
    p->held = (tow_buffer){NULL, 0};
    it->start += tow_host_received(p->transport, size); /* callbacks may append to the items, nothing else */
    if (it->start == it->size) remove_first(p);
  } else {
    item *it = p->first;
    p->first = it->next;
    p->held = (tow_buffer){NULL, 0};
    if (it->kind == END)
      tow_host_eof(p->transport);
    else
      fail(p, it);
    free_item(it);
  }
  if (p->options.hold_loans && p->reading) lend(p);
  if (!p->options.hold_loans) p->held = (tow_buffer){NULL, 0};
}

static void write_once(tow_memory_peer *p) {
  tow_iovec lines[PIECES];
  size_t count = tow_host_peek(p->transport, lines, PIECES, room(p));
  if (count == 0 && !p->write_failure) return;
  size_t sent = host_write(p, lines, count);
  if (sent > 0) tow_host_sent(p->transport, sent);
  if (p->transport && tow_transport_get_write_buffer_size(p->transport) == 0) p->waits_to_write = false;
}

static bool can_read(const tow_memory_peer *p) {
  return p->reading && (p->first || (p->options.hold_loans && !p->held.base));
}

static bool can_write(const tow_memory_peer *p) {
  return p->waits_to_write && (p->write_failure || room(p) > 0);
}

bool tow_memory_turn(tow_memory *m) {
  for (tow_memory_peer *p = m->peers; p; p = p->next) {
    p->may_read = can_read(p);
    p->may_write = can_write(p);
  }
  m->awake = false;
  if (tow_host_run_ready(m->loop)) m->awake = true;
  for (tow_memory_peer *p = m->peers; p; p = p->next) {
    if (p->may_read && can_read(p)) read_once(p);
    if (p->may_write && can_write(p)) write_once(p);
  }
  if (m->timer <= m->now) tow_host_run_timers(m->loop);
  bool more = m->awake || m->timer <= m->now;
  for (tow_memory_peer *p = m->peers; p && !more; p = p->next)
    more = can_read(p) || can_write(p);
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

static tow_memory_peer *new_peer(tow_memory *m, const tow_memory_options *options) {
  tow_memory_peer *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->memory = m;
  p->options = options ? *options : (tow_memory_options){.capacity = -1};
  if (p->options.abilities == 0) p->options.abilities = TOW_CAN_STREAM;
  if (p->options.hold_loans) p->options.abilities |= TOW_HOLDS_LOANS;
  tow_memory_peer **end = &m->peers; /* in the order of opening, which is the order of their turns */
  while (*end)
    end = &(*end)->next;
  return *end = p;
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
  tow_memory_peer *client = new_peer(m, NULL), *server = new_peer(m, NULL);
  if (!client || !server) return TOW_ENOMEM;
  server->transport = tow_host_accepted(l->server, &connection_host, server, TOW_CAN_STREAM);
  if (!server->transport) return TOW_ECONNREFUSED;
  client->transport = tow_host_opened(request, &connection_host, client, TOW_CAN_STREAM);
  if (client->transport) {
    client->other = server;
    server->other = client;
  } else {
    append(server, new_item(END, 0, 0, NULL, 0));
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

static void *reallocate(void *context, void *memory, size_t old_size, size_t size) {
  (void)context;
  (void)old_size;
  if (size > 0) return realloc(memory, size);
  free(memory);
  return NULL;
}

tow_memory *tow_memory_new(const tow_allocator *allocator) {
  static const tow_allocator libc = {reallocate, NULL};
  tow_memory *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  m->timer = INFINITY;
  m->loop = tow_host_new_loop(&loop_host, m, allocator ? *allocator : libc);
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
    while (p->first)
      remove_first(p);
    free_item(p->write_failure);
    free_item(p->shutdown_failure);
    free(p->sent.data);
    free(p);
  }
  free(m);
}

tow_loop *tow_memory_loop(tow_memory *m) {
  return m->loop;
}

/* ---- The end that the test plays ---- */

tow_memory_peer *tow_memory_open(tow_memory *m, tow_factory factory, const tow_memory_options *options) {
  tow_memory_peer *p = new_peer(m, options);
  if (!p) return NULL;
  p->transport = tow_host_open(m->loop, factory, &connection_host, p, p->options.abilities);
  return p->transport ? p : NULL;
}

tow_transport *tow_memory_transport(tow_memory_peer *p) {
  return p->transport;
}

void tow_memory_send(tow_memory_peer *p, const void *data, size_t size) {
  append_bytes(p, data, size);
}

void tow_memory_send_eof(tow_memory_peer *p) {
  append(p, new_item(END, 0, 0, NULL, 0));
}

void tow_memory_send_error(tow_memory_peer *p, const tow_error *error) {
  append(p, new_failure(error));
}

void tow_memory_accept(tow_memory_peer *p, ptrdiff_t size) {
  if (size < 0)
    p->options.capacity = -1;
  else if (p->options.capacity >= 0)
    p->options.capacity += size;
}

void tow_memory_fail_writes(tow_memory_peer *p, const tow_error *error) {
  free_item(p->write_failure);
  p->write_failure = error ? new_failure(error) : NULL;
}

void tow_memory_fail_shutdown(tow_memory_peer *p, const tow_error *error) {
  free_item(p->shutdown_failure);
  p->shutdown_failure = error ? new_failure(error) : NULL;
}

const void *tow_memory_received(const tow_memory_peer *p, size_t *size) {
  *size = p->sent.size;
  return p->sent.data;
}

bool tow_memory_received_eof(const tow_memory_peer *p) {
  return p->shut;
}

size_t tow_memory_writes(const tow_memory_peer *p) {
  return p->writes;
}
