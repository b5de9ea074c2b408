/* For writers of layers: hosts written in C over another transport.
 *
 *     protocol          sees an ordinary transport, with the whole contract
 *     UPPER transport
 *     layer             upper side: a host (host.h).  lower side: a protocol
 *     LOWER transport   whoever carries it: a socket, a WebSocket, the next layer
 *
 * A layer has no queue and no marks of its own. What the protocol writes is offered to the layer, which offers it,
 * changed as it likes, to the lower transport's host at once (tow_layer_offer). What is not taken stays in the upper
 * transport's queue, and is pulled through the layer when there is room: the lower host's tow_host_peek becomes the
 * layer's `peek`, which looks into the upper queue with tow_host_peek; `sent` comes back the same way. So bytes are
 * copied no more often than without a layer, and pause_writing comes at the same byte. Reading is the same the other
 * way round: `received` hands bytes on with tow_host_feed, or `lend` lends the protocol's own memory to the lower host.
 *
 * A layer is put on a transport as it opens (tow_options.layers), or on one that is in use (tow_transport_start_layer).
 * tests/unit/pass_layer.c is the smallest one there can be; src/framing.c is one that does something.
 */
#ifndef TOWLINE_LAYER_H
#define TOWLINE_LAYER_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct tow_layer tow_layer;

/* What makes a layer: constant, and yours to extend with its options (put it first). Begin with TOW_LAYERING(create).
 */
struct tow_layering {
  int (*start)(const tow_layering *self, tow_transport *lower, const tow_layering *layers, const tow_factory *factory);
  /* Makes the layer for a transport that is about to open; fills in all but the core's fields. NULL when out of memory.
   * `lower` may be asked for its loop and its abilities, no more. */
  tow_layer *(*create)(const tow_layering *self, tow_transport *lower);
  const tow_layering *above; /* the layer on this one's upper transport; NULL: the protocol */
};
int tow_layering_start(const tow_layering *self, tow_transport *lower, const tow_layering *layers,
                       const tow_factory *factory);
#define TOW_LAYERING(create)                                                                                           \
  { tow_layering_start, create, NULL }

/* The first member of a layer. Lives until `free`. */
struct tow_layer {
  tow_protocol protocol; /* its callbacks: the `base` of a tow_layer_callbacks */
  unsigned abilities;    /* of the upper transport: TOW_CAN_..., as tow_host_opened */
  /* ---- The core's ---- */
  tow_loop *loop;
  tow_transport *lower; /* NULL once it is closed */
  tow_transport *upper;
  const struct tow_layer_facts *facts;
  tow_node ready;
  unsigned char *unread;
  size_t unread_start, unread_size;
  bool reading, done;
};

/* A layer's callbacks. They are called from inside facts of the lower host, where the facts of the upper transport may
 * be told; those of `upper`, as host.h says. None may call tow_host_closed. */
typedef struct tow_layer_callbacks {
  /* .size = sizeof(tow_layer_callbacks), .kind = TOW_LAYER.
   * connection_made: the lower transport is open, in the turn in which the protocol's connection_made is called.
   * connection_lost: required. The lower transport is lost: called at once, wherever that was found out. Tell the upper
   * one: tow_host_failed, or tow_layer_end. resume_writing: tow_layer_resume_writing. */
  tow_base_callbacks base;
  /* The peer's end of stream: answers 1. What closes the lower transport is tow_layer_close. */
  int (*eof_received)(tow_protocol *self);
  /* Optional. Where the next bytes are to go: tow_host_lend of the upper transport, or memory of the layer's, lent
   * until `received`. False: anywhere. Not called where the lower host keeps what it was lent (TOW_HOLDS_LOANS): the
   * upper transport may be closed, and its protocol gone, before the lower one. */
  bool (*lend)(tow_layer *self, ptrdiff_t sizehint, tow_buffer *buffer);
  /* Bytes have come: in the memory that was lent, or in the host's. Answers how many were taken; fewer than `size` only
   * if reading was turned off: the rest comes again. */
  size_t (*received)(tow_layer *self, const void *data, size_t size);
  /* tow_host_peek and tow_host_sent, for what is on its way through the layer. */
  size_t (*peek)(tow_layer *self, tow_iovec *lines, size_t count, size_t limit);
  void (*sent)(tow_layer *self, size_t size);
  /* Both transports are gone, or could not be made: `loop` is all that may be used. */
  void (*free)(tow_layer *self);
  /* The host of the upper transport; `connection` is the layer. Its `close` ends in tow_layer_close. */
  tow_connection_host upper;
} tow_layer_callbacks;

/* ---- What a layer calls: for its lower transport, whether that is still there or not ---- */

/* Gives bytes to the lower host now, and answers how many it took. If it fails, connection_lost has been called. */
size_t tow_layer_offer(tow_layer *layer, const tow_iovec *lines, size_t count);
/* Bytes wait: `peek` will be called, perhaps before this returns. */
void tow_layer_flush(tow_layer *layer);
/* Hands bytes of `received` on to the upper transport, wherever they are: as tow_host_received, in what the protocol
 * has lent, else as tow_host_feed. Answers how many were taken. */
size_t tow_layer_deliver(tow_layer *layer, const void *data, size_t size);
/* Whether bytes are wanted from below. At first they are not. */
void tow_layer_set_reading(tow_layer *layer, bool on);
/* The upper transport has been closed and nothing is left to be said: closes the lower one, or aborts it. */
void tow_layer_close(tow_layer *layer);
void tow_layer_abort(tow_layer *layer);
/* The same after a failure: the lower transport's host is told of it. */
void tow_layer_fail(tow_layer *layer, const tow_error *error);
/* What was written before there was a layer has left: the upper transport may resume. */
int tow_layer_resume_writing(tow_protocol *self);
/* The lower transport has ended with this error, or NULL: so does the upper one (with TOW_EPIPE, if bytes waited). */
void tow_layer_end(tow_layer *layer, const tow_error *error);
/* Whether the upper transport was ended by tow_transport_abort. */
bool tow_layer_is_aborted(const tow_layer *layer);
/* Takes back what the lower host was lent, for `revoke`. */
int tow_layer_revoke(tow_layer *layer);
/* tow_transport_get_extra_info of the lower transport. */
int tow_layer_extra_info(const tow_layer *layer, const char *name, char *value, size_t capacity);

/* The layer with these callbacks that this is the upper transport of; NULL: it is none's. */
tow_layer *tow_layer_below(const tow_transport *upper, const tow_layer_callbacks *callbacks);

/* TOW_CAN_... of a transport. */
unsigned tow_transport_abilities(const tow_transport *transport);

/* ---- For protocols ---- */

/* Puts a layer (without what is `above` it) under the protocol of a transport in use, as asyncio's start_tls does:
 * answers the upper transport, which has the protocol, its limits and whether reading and writing are paused. From now
 * on use that one only; no connection_made is called. What was written before goes out as it is, before anything of the
 * layer's. `unread` are bytes that the protocol was given and that are the layer's: copied. NULL, and nothing changed,
 * when out of memory or when the stream is closing or at one of its ends. */
tow_transport *tow_transport_start_layer(tow_transport *transport, const tow_layering *layering, const void *unread,
                                         size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
