/* A small netcode over Towline: a protocol of datagrams that sends where its body is 60 times a second to everybody
 * that it knows, and knows where they are and how the way to them is. It runs over UDP natively and in Node, and over
 * WebRTC in browsers and Node; nothing in it depends on which.
 *
 * Who is there: on a connected endpoint, the one it is connected to. Where the transport says who comes and goes
 * (peer_joined), those. Elsewhere whoever sends a valid packet, until it has been silent for NETCODE_SILENCE.
 *
 * To be told of, it is embedded: put it first in a struct of your own, and call netcode_init. */
#ifndef TOWLINE_DEMO_NETCODE_H
#define TOWLINE_DEMO_NETCODE_H

#include "netcode_peer.h"

enum {
  NETCODE_RATE = 60,
  NETCODE_PEERS = 32, /* more are not heard */
  NETCODE_SILENCE = 3000,
};

typedef struct netcode netcode;

/* Each may be left out. Their answers are callbacks' [T3]. */
typedef struct netcode_callbacks {
  /* Before each sending: put your body where it is now, `time` milliseconds after the beginning. */
  int (*move)(netcode *self, double time, netcode_body *body);
  /* A peer has been heard for the first time, or is gone; this one is good until the call returns. */
  int (*came)(netcode *self, const netcode_peer *peer);
  int (*left)(netcode *self, const netcode_peer *peer);
  /* The endpoint is gone: free what you like. */
  int (*closed)(netcode *self, const tow_error *error);
} netcode_callbacks;

struct netcode {
  tow_protocol base;
  const netcode_callbacks *callbacks;
  tow_loop *loop;
  tow_transport *transport; /* NULL before connection_made and after connection_lost */
  char name[NETCODE_NAME + 1];
  netcode_body body;
  netcode_peer peers[NETCODE_PEERS];
  tow_handle timer;
  double began, next; /* the time of the next sending, on the loop's clock */
  uint64_t random;
  uint32_t session, came;
  bool paused;
};

/* `random`: so that nobody can guess what will be sent. What is not printable ASCII in the name is left out. */
void netcode_init(netcode *self, tow_loop *loop, const netcode_callbacks *callbacks, const char *name, uint64_t random);
/* The next peer that has been heard, after this one; NULL: the first; answers NULL after the last. */
const netcode_peer *netcode_next(const netcode *self, const netcode_peer *peer);
/* Ends it: `closed` follows. */
void netcode_close(netcode *self);

#endif
