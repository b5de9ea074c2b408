#include "netcode.h"

#include <math.h>
#include <string.h>

static const double interval = 1000.0 / NETCODE_RATE;

static netcode *netcode_of(tow_protocol *protocol) {
  return (netcode *)protocol;
}

/* splitmix64 */
static uint32_t draw(netcode *self) {
  uint64_t z = self->random += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ z >> 31) >> 32);
}

static double now(const netcode *self) {
  return tow_loop_time(self->loop);
}

/* ---- Who is there ---- */

static netcode_peer *find(netcode *self, const tow_peer *address) {
  for (netcode_peer *peer = self->peers; peer < self->peers + NETCODE_PEERS; peer++)
    if (peer->present && tow_peer_equal(&peer->address, address)) return peer;
  return NULL;
}

static void set_address(netcode *self, netcode_peer *peer, const tow_peer *address) {
  peer->address = *address;
  tow_transport_format_peer(self->transport, address, peer->name, sizeof peer->name);
}

/* NULL: there are too many. No address: whoever this endpoint is connected to. */
static netcode_peer *add(netcode *self, const tow_peer *address) {
  for (netcode_peer *peer = self->peers; peer < self->peers + NETCODE_PEERS; peer++) {
    if (peer->present) continue;
    netcode_peer_begin(peer, draw(self), now(self));
    peer->number = ++self->came;
    if (address != NULL) set_address(self, peer, address);
    return peer;
  }
  return NULL;
}

/* Nothing of it counts any more; `stays` says whether it is still sent to. */
static int drop(netcode *self, netcode_peer *peer, bool stays) {
  bool was_heard = peer->heard;
  int result = was_heard && self->callbacks->left ? self->callbacks->left(self, peer) : 0;
  netcode_peer_forget(peer, now(self));
  peer->present = stays;
  return result;
}

const netcode_peer *netcode_next(const netcode *self, const netcode_peer *peer) {
  for (peer = peer ? peer + 1 : self->peers; peer < self->peers + NETCODE_PEERS; peer++)
    if (peer->present && peer->heard) return peer;
  return NULL;
}

/* ---- Sending ---- */

static int send_to(netcode *self, netcode_peer *peer) {
  double time = now(self);
  netcode_packet packet = {.session = self->session, .clock = time - self->began, .body = self->body};
  memcpy(packet.name, self->name, sizeof packet.name);
  netcode_peer_give(peer, &packet, time);
  uint8_t bytes[NETCODE_PACKET_MAX];
  size_t size = netcode_packet_write(&packet, bytes);
  return tow_transport_sendto(self->transport, bytes, size, peer->address.size > 0 ? &peer->address : NULL);
}

/* Anybody can put another's address on a packet: until a stranger has shown that it gets what it is sent, it is sent no
 * more than it sends. */
static bool may_send_to(const netcode *self, const netcode_peer *peer) {
  return peer->present && !self->paused && (peer->stays || peer->proven || peer->owed);
}

/* On a grid of times, so that it neither drifts nor catches up on what was missed. */
static int tick(void *context) {
  netcode *self = context;
  double time = now(self);
  int result = self->callbacks->move ? self->callbacks->move(self, time - self->began, &self->body) : 0;
  for (netcode_peer *peer = self->peers; peer < self->peers + NETCODE_PEERS; peer++) {
    if (!peer->present) continue;
    netcode_peer_count(peer, time);
    if (peer->heard && time - peer->heard_at >= NETCODE_SILENCE) {
      int failed = drop(self, peer, peer->stays);
      if (failed < 0) result = failed;
    }
    if (may_send_to(self, peer)) send_to(self, peer);
  }
  self->next += interval * (floor((time - self->next) / interval) + 1);
  tow_loop_call_at(self->loop, &self->timer, self->next, tick, self);
  return result;
}

static int pause_writing(tow_protocol *protocol) {
  netcode_of(protocol)->paused = true;
  return 0;
}

static int resume_writing(tow_protocol *protocol) {
  netcode_of(protocol)->paused = false;
  return 0;
}

/* ---- What the loop calls ---- */

static int connection_made(tow_protocol *protocol, tow_transport *transport) {
  netcode *self = netcode_of(protocol);
  self->transport = transport;
  self->began = self->next = now(self);
  /* A position that has to wait is worth nothing: one that waits, and no more are sent. */
  tow_transport_set_write_buffer_limits(transport, 0, 0);
  netcode_peer *connected = add(self, NULL);
  connected->stays = true;
  if (send_to(self, connected) == TOW_EINVAL) { /* it is connected to none [D2] */
    connected->present = false;
    self->came = 0;
  }
  self->next += interval;
  tow_loop_call_at(self->loop, &self->timer, self->next, tick, self);
  return 0;
}

static int datagram_received(tow_protocol *protocol, const void *data, size_t size, const tow_peer *address) {
  netcode *self = netcode_of(protocol);
  netcode_packet packet;
  if (!netcode_packet_read(&packet, data, size) || packet.session == self->session) return 0;
  netcode_peer *peer = find(self, address);
  if (peer == NULL) {
    peer = find(self, &(tow_peer){0});
    if (peer != NULL)
      set_address(self, peer, address);
    else if ((peer = add(self, address)) == NULL)
      return 0;
  }
  bool is_new = !peer->heard;
  if (!netcode_peer_take(peer, &packet, now(self)) || !is_new) return 0;
  return self->callbacks->came ? self->callbacks->came(self, peer) : 0;
}

static int peer_joined(tow_protocol *protocol, const tow_peer *address) {
  netcode *self = netcode_of(protocol);
  netcode_peer *peer = find(self, address);
  if (peer == NULL && (peer = find(self, &(tow_peer){0})) != NULL) set_address(self, peer, address);
  if (peer == NULL) peer = add(self, address);
  if (peer != NULL) peer->joined = peer->stays = true;
  return 0;
}

/* That a packet could not be sent is told by the figures. That one who had joined is lost, [D7], only here. */
static int error_received(tow_protocol *protocol, const tow_error *error, const tow_peer *address) {
  netcode *self = netcode_of(protocol);
  if (address == NULL || (error->code != TOW_ECLOSED && error->code != TOW_ECONNRESET)) return 0;
  netcode_peer *peer = find(self, address);
  return peer != NULL && peer->joined ? drop(self, peer, false) : 0;
}

static int connection_lost(tow_protocol *protocol, const tow_error *error) {
  netcode *self = netcode_of(protocol);
  tow_handle_cancel(&self->timer);
  self->transport = NULL;
  return self->callbacks->closed ? self->callbacks->closed(self, error) : 0;
}

static const tow_datagram_callbacks protocol = {
    .base = {.size = sizeof(tow_datagram_callbacks),
             .kind = TOW_DATAGRAM,
             .connection_made = connection_made,
             .connection_lost = connection_lost,
             .pause_writing = pause_writing,
             .resume_writing = resume_writing},
    .datagram_received = datagram_received,
    .error_received = error_received,
    .peer_joined = peer_joined,
};

void netcode_init(netcode *self, tow_loop *loop, const netcode_callbacks *callbacks, const char *name,
                  uint64_t random) {
  memset(self, 0, sizeof *self);
  self->base.callbacks = &protocol.base;
  self->callbacks = callbacks;
  self->loop = loop;
  self->random = random;
  self->body = (netcode_body){.x = NETCODE_WIDTH / 2, .y = NETCODE_HEIGHT / 2};
  self->session = draw(self);
  for (size_t size = 0; *name != 0 && size < NETCODE_NAME; name++)
    if (netcode_is_printable(*name)) self->name[size++] = *name;
}

void netcode_close(netcode *self) {
  if (self->transport != NULL) tow_transport_close(self->transport);
}
