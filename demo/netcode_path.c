#include "netcode_path.h"

#include <math.h>

static const double across = 0.9, down = 1.3; /* radians a second */
static const float reach = 0.4f;

static float wave(float size, double angle) {
  return size / 2 + size * reach * (float)sin(angle);
}

static float slope(float size, double angle, double speed) {
  return size * reach * (float)(cos(angle) * speed);
}

netcode_body netcode_path(uint32_t number, double time) {
  double x = time / 1000 * across + number % 1000 / 100.0, y = time / 1000 * down;
  return (netcode_body){wave(NETCODE_WIDTH, x), wave(NETCODE_HEIGHT, y), slope(NETCODE_WIDTH, x, across),
                        slope(NETCODE_HEIGHT, y, down)};
}
