/* Towline framing: a layer that gives a channel of messages, or any stream between two Towline ends, what TCP has: a
 * half-close, a peer that is held back while one does not read, and an end that says why. FRAMING.md is what goes over
 * the wire. Over WebSockets it is negotiated (tow_options.framing); elsewhere put it there: options.layers =
 * &tow_framing_default.layering;
 */
#ifndef TOWLINE_FRAMING_H
#define TOWLINE_FRAMING_H

#include "layer.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What goes into options.layers: begin with TOW_FRAMING_LAYERING, and change what you want. */
typedef struct tow_framing_layering {
  tow_layering layering;
  /* How much the peer may send that the protocol has not taken: what reading paused may cost in memory. At least
   * 65,536. */
  size_t window;
  /* What this end sends before it has heard of the peer's window: at most 65,536. */
  size_t credit;
  /* Milliseconds: a peer that was silent for so long is asked whether it is there, and given up (TOW_ETIMEDOUT) when it
   * has not been heard for as long again. 0: never. */
  double keepalive;
} tow_framing_layering;

/* What makes the layer, and the defaults: a value, and a constant of it. */
tow_layer *tow_framing_create(const tow_layering *self, tow_transport *lower);
#define TOW_FRAMING_LAYERING                                                                                           \
  { TOW_LAYERING(tow_framing_create), 262144, 65536, 30000.0 }
extern const tow_framing_layering tow_framing_default;

/* Whether this transport is one with framing. */
bool tow_framing_is_on(const tow_transport *transport);
/* As tow_transport_abort, telling the peer why: its connection_lost is told TOW_ECONNRESET, the code (0 to 65,535) as
 * `native`, and the reason, of at most 123 bytes. TOW_ENOTSUP without framing; TOW_EINVAL. */
int tow_framing_reset(tow_transport *transport, int code, const char *reason);
/* From now on; as tow_framing_layering.keepalive. TOW_ENOTSUP without framing. */
int tow_framing_set_keepalive(tow_transport *transport, double milliseconds);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
