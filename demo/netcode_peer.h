/* One participant as another sees it: which of its packets came, where it is, how the way to it and back is. Knows
 * neither transports nor timers: every `now` is a time in milliseconds on one clock. */
#ifndef TOWLINE_DEMO_NETCODE_PEER_H
#define TOWLINE_DEMO_NETCODE_PEER_H

#include "netcode_packet.h"

#include <towline/towline.h>

enum {
  NETCODE_DELAY = 100,   /* how far in the past others are shown, so that there is a position on either side of it */
  NETCODE_AHEAD = 100,   /* how far a position is carried on with its velocity when nothing comes */
  NETCODE_RESTART = 500, /* silence after which another session is believed to be the same peer, begun anew */
  NETCODE_OFFSET = 5000, /* for how long the least delay counts, at least */
  NETCODE_SAMPLES = 32,  /* positions kept */
  NETCODE_SENT = 128,    /* packets whose answer is waited for */
  NETCODE_REMEMBERED = 1200, /* packets after which the loss that was counted weighs half */
};

/* What is known of the way; negative: not yet. */
typedef struct netcode_figures {
  double rate;       /* packets received, a second */
  double round_trip; /* milliseconds, smoothed (RFC 6298) */
  double loss;       /* of what was sent: 0 to 1 */
  double jitter;     /* milliseconds (RFC 3550) */
} netcode_figures;

typedef struct netcode_peer {
  bool present;    /* else the rest means nothing */
  bool joined;     /* the transport says that it is there, and will say when it is not [D7] */
  bool stays;      /* joined, or connected to: silence is not its end */
  bool heard;      /* there is a position */
  bool proven;     /* it has echoed what was sent to it: its address is no forgery */
  bool owed;       /* it has sent something since it was last sent something */
  bool echoing;    /* `echoed` and `settled` mean something */
  uint32_t number; /* counts those who came */
  tow_peer address;
  char name[48];

  /* From it. */
  uint32_t session, newest, mask; /* as in the packet */
  double heard_at;
  struct {
    double clock; /* its own */
    netcode_body body;
  } samples[NETCODE_SAMPLES];
  uint32_t sample_count;                      /* ever: the newest is the one before it */
  double offset, offset_before, offset_since; /* our clock - its own, at the least delay of two stretches of time */
  double transit, counted_since;
  uint32_t counted, late, doubled;

  /* To it. */
  uint32_t sequence; /* of the next packet */
  struct {
    double at;
    bool arrived;
  } sent[NETCODE_SENT];
  uint32_t echoed, settled; /* the fate of those before `settled` has been counted */
  uint32_t counted_sent, counted_lost;

  netcode_figures figures;
} netcode_peer;

/* `sequence`: of the first packet that it will be sent. */
void netcode_peer_begin(netcode_peer *peer, uint32_t sequence, double now);
/* What was heard of it no longer counts. */
void netcode_peer_forget(netcode_peer *peer, double now);
/* One of its packets. False: it changes nothing, being late, doubled or impossible. */
bool netcode_peer_take(netcode_peer *peer, const netcode_packet *packet, double now);
/* Fills in a packet for it: sequence, echo, held and mask. */
void netcode_peer_give(netcode_peer *peer, netcode_packet *packet, double now);
/* Brings the rate up to date: at least every second. */
void netcode_peer_count(netcode_peer *peer, double now);
/* Where it was NETCODE_DELAY ago; only of one that was heard. */
netcode_body netcode_peer_at(const netcode_peer *peer, double now);

#endif
