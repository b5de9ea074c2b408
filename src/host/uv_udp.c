/* An endpoint of datagrams: a UDP socket under a transport. One datagram is received a turn [T4], into the loop's slab.
 *
 * A tow_peer here is 4 or 6, the port and the address as on the wire, and for IPv6 the scope, which is the number of a
 * network interface (fe80::1%eth0). */
#include "uv_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
  PEER_PORT = 1,
  PEER_HOST = 3,
  PEER_SCOPE = PEER_HOST + 16,
  PEER4_SIZE = PEER_HOST + 4,
  PEER6_SIZE = PEER_SCOPE + 4
};

/* ---- Peers ---- */

/* Size 0 if it is no address of a kind that we have. */
static tow_peer to_peer(const tow_uv_address *a) {
  tow_peer peer = {0};
  if (a->any.sa_family == AF_INET) {
    peer.size = PEER4_SIZE;
    peer.bytes[0] = 4;
    memcpy(peer.bytes + PEER_PORT, &a->in.sin_port, 2);
    memcpy(peer.bytes + PEER_HOST, &a->in.sin_addr, 4);
  } else if (a->any.sa_family == AF_INET6) {
    peer.size = PEER6_SIZE;
    peer.bytes[0] = 6;
    memcpy(peer.bytes + PEER_PORT, &a->in6.sin6_port, 2);
    memcpy(peer.bytes + PEER_HOST, &a->in6.sin6_addr, 16);
    memcpy(peer.bytes + PEER_SCOPE, &a->in6.sin6_scope_id, 4);
  }
  return peer;
}

/* False if it is none of ours. */
static bool from_peer(const tow_peer *peer, tow_uv_address *a) {
  memset(a, 0, sizeof *a);
  if (peer->size == PEER4_SIZE && peer->bytes[0] == 4) {
    a->in.sin_family = AF_INET;
    memcpy(&a->in.sin_port, peer->bytes + PEER_PORT, 2);
    memcpy(&a->in.sin_addr, peer->bytes + PEER_HOST, 4);
    return true;
  }
  if (peer->size == PEER6_SIZE && peer->bytes[0] == 6) {
    a->in6.sin6_family = AF_INET6;
    memcpy(&a->in6.sin6_port, peer->bytes + PEER_PORT, 2);
    memcpy(&a->in6.sin6_addr, peer->bytes + PEER_HOST, 16);
    memcpy(&a->in6.sin6_scope_id, peer->bytes + PEER_SCOPE, 4);
    return true;
  }
  return false;
}

static sa_family_t family_of(const tow_uv_descriptor *d) {
  tow_uv_address own = {.any.sa_family = AF_UNSPEC};
  socklen_t size = sizeof own;
  getsockname(d->fd, &own.any, &size);
  return own.any.sa_family;
}

static int parse_peer(void *connection, const char *text, tow_peer *peer) {
  char url[TOW_UV_ADDRESS_TEXT], host[TOW_UV_ADDRESS_TEXT];
  tow_address parts;
  tow_uv_address address;
  if ((size_t)snprintf(url, sizeof url, "udp://%s", text) >= sizeof url) return TOW_EADDRESS;
  if (tow_address_parse(url, &parts) < 0 || parts.port < 0 || parts.path_size > 0) return TOW_EADDRESS;
  snprintf(host, sizeof host, "%.*s", (int)parts.host_size, parts.host);
  if (!tow_uv_address_from_text(host, parts.port, &address)) return TOW_EADDRESS;
  if (address.any.sa_family != family_of(connection)) return TOW_EADDRESS;
  *peer = to_peer(&address);
  return 0;
}

static int format_peer(void *connection, const tow_peer *peer, char *text, size_t capacity) {
  (void)connection;
  char whole[TOW_UV_ADDRESS_TEXT];
  tow_uv_address address;
  if (!from_peer(peer, &address)) return TOW_EADDRESS;
  tow_uv_address_text(&address, whole, sizeof whole);
  return snprintf(text, capacity, "%s", whole);
}

/* ---- Sending and receiving ---- */

/* Says why the last system call failed. False: it has not, it would only block. */
static bool report(tow_uv_descriptor *d, const tow_peer *peer) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return false;
  char text[TOW_UV_ERROR_TEXT];
  tow_error error = tow_uv_error_of(uv_translate_sys_error(errno), text);
  tow_host_datagram_failed(d->transport, &error, peer);
  return true;
}

static bool send_datagram(void *connection, const void *data, size_t size, const tow_peer *peer) {
  tow_uv_descriptor *d = connection;
  tow_uv_address address;
  errno = EINVAL;
  ssize_t sent = peer->size == 0             ? send(d->fd, data, size, 0)
                 : from_peer(peer, &address) ? sendto(d->fd, data, size, 0, &address.any, tow_uv_address_size(&address))
                                             : -1;
  return sent >= 0 || report(d, peer->size > 0 ? peer : NULL);
}

static void receive(tow_uv_descriptor *d) {
  const tow_buffer *lent = tow_host_lend(d->transport, -1);
  if (!lent) return;
  tow_uv_address from = {.any.sa_family = AF_UNSPEC};
  socklen_t size = sizeof from;
  ssize_t received = recvfrom(d->fd, lent->base, lent->size, 0, &from.any, &size);
  if (received < 0) {
    report(d, NULL);
    return;
  }
  tow_peer peer = to_peer(&from);
  tow_host_datagram(d->transport, lent->base, (size_t)received, &peer);
}

static void on_ready(tow_uv_descriptor *d, int events) {
  if (events & UV_READABLE) receive(d);
  if ((events & UV_WRITABLE) && !tow_host_drain(d->transport)) tow_uv_descriptor_want(d, UV_WRITABLE, false);
}

/* ---- The table ---- */

static void flush(void *connection) {
  tow_uv_descriptor_want(connection, UV_WRITABLE, true);
}

static void set_reading(void *connection, bool on) {
  tow_uv_descriptor_want(connection, UV_READABLE, on);
}

static void close_endpoint(void *connection, const tow_error *error) {
  (void)error;
  tow_uv_descriptor_close(connection);
}

static int extra_info(void *connection, const char *name, char *value, size_t capacity) {
  return tow_uv_socket_info(((tow_uv_descriptor *)connection)->fd, name, value, capacity);
}

static const tow_connection_host table = {
    .size = sizeof(tow_connection_host),
    .flush = flush,
    .set_reading = set_reading,
    .close = close_endpoint,
    .extra_info = extra_info,
    .sendto = send_datagram,
    .parse_peer = parse_peer,
    .format_peer = format_peer,
};

/* ---- Opening ---- */

typedef int (*attach)(int fd, const tow_uv_address *address, const tow_options *options);

static int open_at(tow_uv_request *r, const tow_uv_address *a, attach attach, tow_uv_descriptor **d) {
  int fd = tow_uv_socket(a->any.sa_family, SOCK_DGRAM);
  if (fd < 0) return fd;
  int status = attach(fd, a, &r->options);
  if (status == 0) status = tow_uv_descriptor_new(r->host, fd, on_ready, d);
  if (status < 0) close(fd);
  return status;
}

/* With the first address that can be had: nothing is waited for. */
static void open_endpoint(tow_uv_request *r, attach attach, bool connected) {
  tow_uv_descriptor *d = NULL;
  for (; !d && r->next < r->count; r->next++) {
    const tow_uv_address *address = &r->attempts[r->next].address;
    int status = open_at(r, address, attach, &d);
    if (status < 0) tow_uv_request_note(r, address, status);
  }
  if (!d) {
    tow_uv_request_fail_noted(r);
    return;
  }
  tow_peer peer = to_peer(&r->attempts[r->next - 1].address);
  d->transport = tow_host_opened_endpoint(tow_uv_request_take(r), &table, d, connected ? &peer : NULL);
  if (!d->transport) tow_uv_descriptor_close(d);
  tow_uv_request_release(r);
}

void tow_uv_udp_connect(tow_uv_request *r) {
  open_endpoint(r, tow_uv_connect_socket, true);
}

static void bind_endpoint(tow_uv_request *r) {
  open_endpoint(r, tow_uv_bind_socket, false);
}

void tow_uv_bind(void *host, tow_request *request, const char *address, const tow_options *options) {
  static const tow_uv_scheme schemes[] = {{"udp", bind_endpoint}, {NULL, NULL}};
  tow_uv_request_begin(host, request, address, options, schemes);
}
