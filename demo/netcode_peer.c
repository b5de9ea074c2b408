#include "netcode_peer.h"

#include <string.h>

enum { MASK_BITS = 32, RATE_TIME = 1000 };

/* How far `a` is ahead of `b`, with both wrapping. */
static int32_t ahead(uint32_t a, uint32_t b) {
  return (int32_t)(a - b);
}

static double least(double a, double b) {
  return a < b ? a : b;
}

static void smooth(double *value, double sample, double weight) {
  *value = *value < 0 ? sample : *value + (sample - *value) * weight;
}

void netcode_peer_begin(netcode_peer *peer, uint32_t sequence, double now) {
  *peer = (netcode_peer){.present = true, .sequence = sequence};
  netcode_peer_forget(peer, now);
}

void netcode_peer_forget(netcode_peer *peer, double now) {
  peer->heard = peer->echoing = false;
  peer->sample_count = peer->mask = peer->counted = peer->counted_sent = peer->counted_lost = 0;
  peer->heard_at = peer->counted_since = now;
  peer->figures = (netcode_figures){-1, -1, -1, -1};
}

/* ---- Receiving ---- */

/* Which packets have come. False: this one did before, or a newer one did. */
static bool note_sequence(netcode_peer *peer, uint32_t sequence) {
  int32_t distance = ahead(sequence, peer->newest);
  if (distance > 0) {
    uint64_t come = (uint64_t)peer->mask << 1 | 1;
    peer->mask = distance > MASK_BITS ? 0 : (uint32_t)(come << (distance - 1));
    peer->newest = sequence;
    return true;
  }
  uint32_t bit = distance < 0 && distance >= -MASK_BITS ? (uint32_t)1 << (-distance - 1) : 0;
  bool is_doubled = distance == 0 || (peer->mask & bit);
  peer->doubled += is_doubled;
  peer->late += !is_doubled;
  peer->mask |= bit;
  return false;
}

/* The least delay is the best guess at how the clocks differ; it is forgotten after a while, for ways change. */
static void note_clock(netcode_peer *peer, double clock, double now) {
  double transit = now - clock;
  if (peer->sample_count == 0) {
    peer->offset = peer->offset_before = transit;
    peer->offset_since = now;
  } else {
    double change = transit > peer->transit ? transit - peer->transit : peer->transit - transit;
    smooth(&peer->figures.jitter, change, 1.0 / 16);
  }
  if (now - peer->offset_since >= NETCODE_OFFSET) {
    peer->offset_before = peer->offset;
    peer->offset = transit;
    peer->offset_since = now;
  }
  peer->offset = least(peer->offset, transit);
  peer->transit = transit;
}

/* The packets before `end` have either arrived or are lost; but for those so old that they are not known any more. */
static void settle(netcode_peer *peer, uint32_t end) {
  for (; ahead(end, peer->settled) > 0; peer->settled++) {
    if (ahead(peer->sequence, peer->settled) > NETCODE_SENT) continue;
    peer->counted_sent++;
    peer->counted_lost += !peer->sent[peer->settled % NETCODE_SENT].arrived;
  }
  if (peer->counted_sent > NETCODE_REMEMBERED) {
    peer->counted_sent /= 2;
    peer->counted_lost /= 2;
  }
  if (peer->counted_sent > 0) peer->figures.loss = (double)peer->counted_lost / peer->counted_sent;
}

/* `missed`: how many of its packets before this one have not come; what their masks said nobody knows. */
static void note_echo(netcode_peer *peer, const netcode_packet *packet, int32_t missed, double now) {
  int32_t age = ahead(peer->sequence, packet->echo);
  if (!packet->echoes || age <= 0 || age > NETCODE_SENT - MASK_BITS) return;
  if (!peer->echoing) peer->echoed = peer->settled = packet->echo;
  int32_t news = ahead(packet->echo, peer->echoed);
  if (news < 0) return;
  if (news > 0 || !peer->echoing) {
    double round_trip = now - peer->sent[packet->echo % NETCODE_SENT].at - packet->held;
    if (round_trip >= -1) smooth(&peer->figures.round_trip, round_trip > 0 ? round_trip : 0, 1.0 / 8);
  }
  uint32_t oldest = packet->echo - MASK_BITS;
  if (ahead(oldest, peer->settled) > 0) {
    bool is_gap = missed > MASK_BITS && ahead(oldest, peer->echoed) > 0;
    settle(peer, is_gap ? peer->echoed + 1 : oldest);
    peer->settled = oldest;
  }
  peer->sent[packet->echo % NETCODE_SENT].arrived = true;
  for (uint32_t i = 0; i < MASK_BITS; i++)
    if (packet->mask >> i & 1) peer->sent[(packet->echo - 1 - i) % NETCODE_SENT].arrived = true;
  peer->echoed = packet->echo;
  peer->echoing = peer->proven = true;
}

bool netcode_peer_take(netcode_peer *peer, const netcode_packet *packet, double now) {
  if (peer->heard && packet->session != peer->session) {
    if (now - peer->heard_at < NETCODE_RESTART) return false;
    netcode_peer_forget(peer, now);
  }
  int32_t missed = ahead(packet->sequence, peer->newest + 1);
  if (peer->heard) {
    double newest = peer->samples[(peer->sample_count - 1) % NETCODE_SAMPLES].clock;
    if (missed >= 0 && packet->clock <= newest) return false;
    if (!note_sequence(peer, packet->sequence)) return false;
  }
  peer->session = packet->session;
  peer->newest = packet->sequence;
  peer->heard = peer->owed = true;
  peer->heard_at = now;
  note_clock(peer, packet->clock, now);
  uint32_t slot = peer->sample_count++ % NETCODE_SAMPLES;
  peer->samples[slot].clock = packet->clock;
  peer->samples[slot].body = packet->body;
  peer->counted++;
  if (packet->name[0] != 0) memcpy(peer->name, packet->name, sizeof packet->name);
  note_echo(peer, packet, missed, now);
  return true;
}

void netcode_peer_count(netcode_peer *peer, double now) {
  double time = now - peer->counted_since;
  if (!peer->heard || time < RATE_TIME) return;
  peer->figures.rate = peer->counted * 1000.0 / time;
  peer->counted = 0;
  peer->counted_since = now;
}

/* ---- Sending ---- */

void netcode_peer_give(netcode_peer *peer, netcode_packet *packet, double now) {
  uint32_t slot = peer->sequence % NETCODE_SENT;
  peer->sent[slot].at = now;
  peer->sent[slot].arrived = false;
  peer->owed = false;
  packet->sequence = peer->sequence++;
  packet->echoes = peer->heard;
  packet->echo = peer->heard ? peer->newest : 0;
  packet->mask = peer->heard ? peer->mask : 0;
  packet->held = peer->heard ? now - peer->heard_at : 0;
}

/* ---- Showing ---- */

static float clamp(float value, float most) {
  return value < 0 ? 0 : value > most ? most : value;
}

static netcode_body carry_on(netcode_body body, double milliseconds) {
  float seconds = (float)(least(milliseconds, NETCODE_AHEAD) / 1000);
  body.x = clamp(body.x + body.vx * seconds, NETCODE_WIDTH);
  body.y = clamp(body.y + body.vy * seconds, NETCODE_HEIGHT);
  return body;
}

static netcode_body between(netcode_body a, netcode_body b, float part) {
  return (netcode_body){a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part, a.vx + (b.vx - a.vx) * part,
                        a.vy + (b.vy - a.vy) * part};
}

netcode_body netcode_peer_at(const netcode_peer *peer, double now) {
  double clock = now - least(peer->offset, peer->offset_before) - NETCODE_DELAY;
  uint32_t newest = peer->sample_count - 1;
  uint32_t count = peer->sample_count < NETCODE_SAMPLES ? peer->sample_count : NETCODE_SAMPLES;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t here = (newest - i) % NETCODE_SAMPLES, after = (here + 1) % NETCODE_SAMPLES;
    double start = peer->samples[here].clock;
    if (clock < start) continue;
    if (i == 0) return carry_on(peer->samples[here].body, clock - start);
    double part = (clock - start) / (peer->samples[after].clock - start);
    return between(peer->samples[here].body, peer->samples[after].body, (float)part);
  }
  return peer->samples[(newest - (count - 1)) % NETCODE_SAMPLES].body;
}
