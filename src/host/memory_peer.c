/* A connection of the memory host: its table, its reads and writes, and the far end that the test plays. */
#include "answer.h"
#include "memory_internal.h"

#include <stdlib.h>
#include <string.h>

enum { PIPE_SIZE = 65536, PIECES = 1024 };

static void out_of_memory(tow_memory_peer *p) {
  if (p->transport) tow_host_failed(p->transport, &(tow_error){TOW_ENOMEM, 0, NULL});
}

static void append(tow_memory_peer *p, tow_item *item) {
  tow_item **end = &p->first;
  while (*end)
    end = &(*end)->next;
  *end = item;
  if (!item) out_of_memory(p);
}

void tow_memory_append_end(tow_memory_peer *p) {
  append(p, tow_item_new(TOW_ITEM_END, NULL, 0));
}

static void append_bytes(tow_memory_peer *p, const void *data, size_t size) {
  tow_item *last = p->first;
  if (size == 0) return;
  while (last && last->next)
    last = last->next;
  if (!last || last->kind != TOW_ITEM_BYTES)
    append(p, tow_item_new(TOW_ITEM_BYTES, data, size));
  else if (!tow_item_put(last, data, size))
    out_of_memory(p);
}

static tow_item *take_first(tow_memory_peer *p) {
  tow_item *item = p->first;
  p->first = item->next;
  return item;
}

/* ---- The connection's table ---- */

static void fail(tow_memory_peer *p, const tow_item *failure) {
  tow_error error = tow_item_error(failure);
  if (p->has_datagrams)
    tow_host_datagram_failed(p->transport, &error, NULL);
  else
    tow_host_failed(p->transport, &error);
}

/* How much the far end takes now. */
static size_t room(const tow_memory_peer *p) {
  if (p->other) {
    size_t waiting = 0;
    for (const tow_item *it = p->other->first; it; it = it->next)
      if (it->kind == TOW_ITEM_BYTES) waiting += it->size - it->start;
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
    } else if (!tow_item_put(&p->sent, lines->base, size)) {
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
  if (p->other) tow_memory_append_end(p->other);
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
    p->other->write_failure = tow_item_failure(&(tow_error){TOW_EPIPE, 0, NULL});
    p->other->other = NULL;
    p->other = NULL;
  }
  p->transport = NULL;
  p->reading = p->waits_to_write = false;
  tow_host_closed(transport);
}

static int host_extra_info(void *connection, const char *name, char *value, size_t capacity) {
  (void)connection;
  const char *text = strcmp(name, "host") == 0 ? "memory" : strcmp(name, "read_backpressure") == 0 ? "stream" : NULL;
  return text ? tow_answer_text(text, value, capacity) : TOW_ENOENT;
}

static bool host_sendto(void *connection, const void *data, size_t size, const tow_peer *to) {
  (void)to;
  tow_memory_peer *p = connection;
  if (p->write_failure) {
    fail(p, p->write_failure);
    return true;
  }
  if (p->options.capacity == 0) return false;
  if (p->options.capacity > 0) p->options.capacity--;
  if (!tow_item_put(&p->sent, data, size) || !tow_item_put(&p->sizes, &size, sizeof size)) out_of_memory(p);
  p->writes++;
  return true;
}

/* A peer of the memory host is any short text. */
static int host_parse_peer(void *connection, const char *text, tow_peer *peer) {
  (void)connection;
  size_t size = strlen(text);
  if (size == 0 || size > sizeof peer->bytes) return TOW_EADDRESS;
  peer->size = (uint8_t)size;
  memcpy(peer->bytes, text, size);
  return 0;
}

static int host_format_peer(void *connection, const tow_peer *peer, char *text, size_t capacity) {
  (void)connection;
  return tow_answer(peer->bytes, peer->size, text, capacity);
}

static int host_kill(void *connection, int signal) {
  ((tow_memory_peer *)connection)->signal = signal;
  return 0;
}

const tow_connection_host tow_memory_connection_host = {
    .size = sizeof(tow_connection_host),
    .write = host_write,
    .flush = host_flush,
    .shutdown = host_shutdown,
    .set_reading = host_set_reading,
    .revoke = host_revoke,
    .close = host_close,
    .extra_info = host_extra_info,
    .sendto = host_sendto,
    .parse_peer = host_parse_peer,
    .format_peer = host_format_peer,
    .kill = host_kill,
};

/* ---- One read, one write ---- */

static void lend(tow_memory_peer *p) {
  const tow_buffer *lent = p->held.base ? NULL : tow_host_lend(p->transport, -1);
  if (lent) p->held = *lent;
}

static void deliver(tow_memory_peer *p) {
  tow_item *item = take_first(p);
  if (item->kind == TOW_ITEM_DATAGRAM)
    tow_host_datagram(p->transport, item->data, item->size, &item->from);
  else if (item->kind == TOW_ITEM_END)
    tow_host_eof(p->transport);
  else
    fail(p, item);
  tow_item_free(item);
}

/* The buffer is asked for before it is known what comes. */
void tow_memory_read_once(tow_memory_peer *p) {
  if (p->has_datagrams) {
    deliver(p);
    return;
  }
  lend(p);
  if (!p->held.base || !p->first) return;
  tow_buffer buffer = p->held;
  p->held = (tow_buffer){NULL, 0};
  if (p->first->kind == TOW_ITEM_BYTES) {
    tow_item *item = p->first;
    size_t size = item->size - item->start;
    if (size > buffer.size) size = buffer.size;
    memcpy(buffer.base, item->data + item->start, size);
    item->start += tow_host_received(p->transport, size); /* callbacks may append to the items, nothing else */
    if (item->start == item->size) tow_item_free(take_first(p));
  } else {
    deliver(p);
  }
  if (p->options.hold_loans && p->reading) lend(p);
}

void tow_memory_write_once(tow_memory_peer *p) {
  if (p->has_datagrams) {
    p->waits_to_write = tow_host_drain(p->transport);
    return;
  }
  tow_iovec lines[PIECES];
  size_t count = tow_host_peek(p->transport, lines, PIECES, room(p));
  size_t sent = count > 0 || p->write_failure ? host_write(p, lines, count) : 0;
  if (sent > 0) tow_host_sent(p->transport, sent);
  if (p->transport && tow_host_peek(p->transport, lines, 1, 1) == 0) p->waits_to_write = false;
}

bool tow_memory_can_read(const tow_memory_peer *p) {
  return p->reading && (p->first || (p->options.hold_loans && !p->held.base));
}

bool tow_memory_can_write(const tow_memory_peer *p) {
  return p->waits_to_write && (p->write_failure || room(p) > 0);
}

/* ---- The end that the test plays ---- */

tow_memory_peer *tow_memory_new_peer(tow_memory *m, const tow_memory_options *options) {
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

void tow_memory_free_peer(tow_memory_peer *p) {
  while (p->first)
    tow_item_free(take_first(p));
  tow_item_free(p->write_failure);
  tow_item_free(p->shutdown_failure);
  free(p->sent.data);
  free(p->sizes.data);
  free(p);
}

tow_memory_peer *tow_memory_open(tow_memory *m, tow_factory factory, const tow_memory_options *options) {
  tow_memory_peer *p = tow_memory_new_peer(m, options);
  if (p)
    p->transport =
        tow_host_open(m->loop, factory, p->options.layers, &tow_memory_connection_host, p, p->options.abilities);
  return p && p->transport ? p : NULL;
}

tow_memory_peer *tow_memory_open_endpoint(tow_memory *m, tow_factory factory, const tow_memory_options *options) {
  tow_memory_peer *p = tow_memory_new_peer(m, options);
  if (!p) return NULL;
  p->has_datagrams = true;
  p->transport = tow_host_open_endpoint(m->loop, factory, &tow_memory_connection_host, p, &p->options.connected_to);
  return p->transport ? p : NULL;
}

tow_transport *tow_memory_transport(tow_memory_peer *p) {
  return p->transport;
}

void tow_memory_send(tow_memory_peer *p, const void *data, size_t size) {
  if (p->has_datagrams)
    tow_memory_send_from(p, data, size, &p->options.connected_to);
  else
    append_bytes(p, data, size);
}

void tow_memory_send_from(tow_memory_peer *p, const void *data, size_t size, const tow_peer *from) {
  tow_item *item = tow_item_new(TOW_ITEM_DATAGRAM, data, size);
  if (item) item->from = *from;
  append(p, item);
}

void tow_memory_send_eof(tow_memory_peer *p) {
  tow_memory_append_end(p);
}

void tow_memory_send_error(tow_memory_peer *p, const tow_error *error) {
  append(p, tow_item_failure(error));
}

void tow_memory_accept(tow_memory_peer *p, ptrdiff_t size) {
  if (size < 0)
    p->options.capacity = -1;
  else if (p->options.capacity >= 0)
    p->options.capacity += size;
}

void tow_memory_fail_writes(tow_memory_peer *p, const tow_error *error) {
  tow_item_free(p->write_failure);
  p->write_failure = error ? tow_item_failure(error) : NULL;
}

void tow_memory_fail_shutdown(tow_memory_peer *p, const tow_error *error) {
  tow_item_free(p->shutdown_failure);
  p->shutdown_failure = error ? tow_item_failure(error) : NULL;
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

const size_t *tow_memory_received_sizes(const tow_memory_peer *p, size_t *count) {
  *count = p->sizes.size / sizeof(size_t);
  return (const size_t *)(const void *)p->sizes.data;
}

/* ---- Subprocesses ---- */

tow_memory_peer *tow_memory_spawn(tow_memory *m, tow_factory factory, unsigned pipes) {
  tow_memory_peer *process = tow_memory_new_peer(m, NULL);
  if (!process) return NULL;
  process->transport = tow_host_open_process(m->loop, factory, &tow_memory_connection_host, process, 0);
  if (!process->transport) return NULL;
  for (int fd = 0; fd < 3; fd++) {
    if (!(pipes & 1u << fd)) continue;
    tow_memory_peer *p = tow_memory_new_peer(
        m, &(tow_memory_options){.abilities = fd ? TOW_CAN_READ : TOW_CAN_WRITE | TOW_CAN_WRITE_EOF, .capacity = -1});
    if (!p) continue;
    p->transport = tow_host_pipe(process->transport, fd, &tow_memory_connection_host, p, p->options.abilities);
    process->pipes[fd] = p;
  }
  return process;
}

tow_memory_peer *tow_memory_pipe(tow_memory_peer *process, int fd) {
  return process->pipes[fd];
}

void tow_memory_exit(tow_memory_peer *process, int returncode) {
  if (process->transport) tow_host_exited(process->transport, returncode);
}

int tow_memory_signal(const tow_memory_peer *process) {
  return process->signal;
}
