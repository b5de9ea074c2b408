#include "netcode_packet.h"

#include <string.h>

enum { MAGIC = 'T', VERSION = 1 };

/* Beyond that a double does not count microseconds any more: 285 years. */
static const uint64_t LATEST = (uint64_t)1 << 53;

static void put(uint8_t *at, uint64_t value, int size) {
  for (int i = 0; i < size; i++)
    at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *at, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; i++)
    value |= (uint64_t)at[i] << 8 * i;
  return value;
}

static uint32_t get32(const uint8_t *at) {
  return (uint32_t)get(at, 4);
}

static void put_float(uint8_t *at, float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  put(at, bits, 4);
}

static float get_float(const uint8_t *at) {
  uint32_t bits = get32(at);
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static uint64_t microseconds(double milliseconds, uint64_t most) {
  double value = milliseconds * 1000;
  return value >= (double)most ? most : value > 0 ? (uint64_t)value : 0;
}

/* Not so for NaN. */
static bool is_within(float value, float least, float most) {
  return value >= least && value <= most;
}

bool netcode_is_printable(char character) {
  return character >= 0x20 && character < 0x7f;
}

size_t netcode_packet_write(const netcode_packet *packet, uint8_t bytes[NETCODE_PACKET_MAX]) {
  size_t name = strlen(packet->name);
  bytes[0] = MAGIC;
  bytes[1] = VERSION;
  bytes[2] = (uint8_t)name;
  bytes[3] = packet->echoes;
  put(bytes + 4, packet->session, 4);
  put(bytes + 8, packet->sequence, 4);
  put(bytes + 12, packet->echo, 4);
  put(bytes + 16, microseconds(packet->held, UINT32_MAX), 4);
  put(bytes + 20, packet->mask, 4);
  put(bytes + 24, microseconds(packet->clock, LATEST), 8);
  put_float(bytes + 32, packet->body.x);
  put_float(bytes + 36, packet->body.y);
  put_float(bytes + 40, packet->body.vx);
  put_float(bytes + 44, packet->body.vy);
  memcpy(bytes + NETCODE_PACKET_MIN, packet->name, name);
  return NETCODE_PACKET_MIN + name;
}

bool netcode_packet_read(netcode_packet *packet, const void *data, size_t size) {
  const uint8_t *bytes = data;
  if (size < NETCODE_PACKET_MIN || bytes[0] != MAGIC || bytes[1] != VERSION || bytes[2] > NETCODE_NAME ||
      bytes[3] > 1 || size != NETCODE_PACKET_MIN + (size_t)bytes[2])
    return false;
  uint64_t clock = get(bytes + 24, 8);
  *packet = (netcode_packet){
      .session = get32(bytes + 4),
      .sequence = get32(bytes + 8),
      .echo = get32(bytes + 12),
      .mask = get32(bytes + 20),
      .echoes = bytes[3] == 1,
      .held = (double)get32(bytes + 16) / 1000,
      .clock = (double)clock / 1000,
      .body = {get_float(bytes + 32), get_float(bytes + 36), get_float(bytes + 40), get_float(bytes + 44)},
  };
  memcpy(packet->name, bytes + NETCODE_PACKET_MIN, bytes[2]);
  for (size_t i = 0; i < bytes[2]; i++)
    if (!netcode_is_printable(packet->name[i])) return false;
  const netcode_body *body = &packet->body;
  return clock <= LATEST && is_within(body->x, 0, NETCODE_WIDTH) && is_within(body->y, 0, NETCODE_HEIGHT) &&
         is_within(body->vx, -NETCODE_FASTEST, NETCODE_FASTEST) &&
         is_within(body->vy, -NETCODE_FASTEST, NETCODE_FASTEST);
}
