/* What netcode sends: one packet, 48 bytes and a name. Numbers are little-endian, floats IEEE 754.
 *
 *      at  size
 *       0     1  'T'
 *       1     1  version: 1
 *       2     1  size of the name, 0 to 16
 *       3     1  1 if there is an echo, else 0
 *       4     4  session: chosen at random when the sender begins
 *       8     4  sequence: one more in each packet to this receiver; begins anywhere, and wraps
 *      12     4  echo: the newest sequence that the sender has received from the receiver
 *      16     4  held: microseconds between that packet's coming and this one's leaving
 *      20     4  mask: bit n is set if the packet of sequence echo - 1 - n has come, too
 *      24     8  clock: microseconds since the sender began
 *      32    16  x, y, and velocity in x and y, in units and units per second: four floats
 *      48     n  the name: printable ASCII
 *
 * The echo gives the round trip, without the two clocks having to be equal; the mask gives the loss. */
#ifndef TOWLINE_DEMO_NETCODE_PACKET_H
#define TOWLINE_DEMO_NETCODE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  NETCODE_WIDTH = 160, /* the arena: all positions are in it */
  NETCODE_HEIGHT = 100,
  NETCODE_FASTEST = 2000, /* units per second, in each direction */
  NETCODE_NAME = 16,
  NETCODE_PACKET_MIN = 48,
  NETCODE_PACKET_MAX = NETCODE_PACKET_MIN + NETCODE_NAME,
};

typedef struct netcode_body {
  float x, y, vx, vy;
} netcode_body;

typedef struct netcode_packet {
  uint32_t session, sequence, echo, mask;
  bool echoes;
  double held, clock; /* milliseconds */
  netcode_body body;
  char name[NETCODE_NAME + 1];
} netcode_packet;

/* Answers the size. */
size_t netcode_packet_write(const netcode_packet *packet, uint8_t bytes[NETCODE_PACKET_MAX]);
/* False: that is no such packet, or says what cannot be. */
bool netcode_packet_read(netcode_packet *packet, const void *data, size_t size);

/* Whether a character may be in a name. */
bool netcode_is_printable(char character);

#endif
