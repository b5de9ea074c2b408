/* What the memory host's files share: memory.c has the turns and the loop, memory_peer.c a connection and its far end,
 * memory_items.c what is on its way. */
#ifndef TOWLINE_MEMORY_INTERNAL_H
#define TOWLINE_MEMORY_INTERNAL_H

#include "towline/memory.h"

/* ---- Items: what a transport will read, in order ---- */

typedef enum tow_item_kind { TOW_ITEM_BYTES, TOW_ITEM_DATAGRAM, TOW_ITEM_END, TOW_ITEM_FAILURE } tow_item_kind;

typedef struct tow_item {
  struct tow_item *next;
  tow_item_kind kind;
  int code, native; /* FAILURE; its message is the data */
  tow_peer from;    /* DATAGRAM */
  size_t start, size, capacity;
  unsigned char *data;
} tow_item;

/* Adds to an item's data. False when out of memory. */
bool tow_item_put(tow_item *item, const void *data, size_t size);
/* NULL when out of memory. */
tow_item *tow_item_new(tow_item_kind kind, const void *data, size_t size);
tow_item *tow_item_failure(const tow_error *error);
tow_error tow_item_error(const tow_item *item);
void tow_item_free(tow_item *item);

/* ---- Connections ---- */

struct tow_memory_peer {
  tow_memory *memory;
  tow_memory_peer *next;
  tow_memory_peer *other; /* the far end of a "mem:" pair; NULL: the test plays it */
  tow_transport *transport;
  tow_memory_options options;
  tow_item *first; /* what the transport will read */
  tow_item sent;   /* what it has sent, when the test plays the far end */
  tow_item sizes;  /* and of which sizes, of datagrams */
  tow_item *write_failure, *shutdown_failure;
  tow_buffer held; /* with hold_loans */
  size_t writes;
  bool reading, waits_to_write, shut, has_datagrams;
  bool may_read, may_write;  /* as this turn began */
  tow_memory_peer *pipes[3]; /* a subprocess's */
  int signal;                /* the last one it was sent */
};

extern const tow_connection_host tow_memory_connection_host;
/* NULL when out of memory. */
tow_memory_peer *tow_memory_new_peer(tow_memory *memory, const tow_memory_options *options);
void tow_memory_free_peer(tow_memory_peer *peer);
void tow_memory_append_end(tow_memory_peer *peer);
bool tow_memory_can_read(const tow_memory_peer *peer);
bool tow_memory_can_write(const tow_memory_peer *peer);
void tow_memory_read_once(tow_memory_peer *peer);
void tow_memory_write_once(tow_memory_peer *peer);

struct tow_memory_listener;

struct tow_memory {
  tow_loop *loop;
  tow_memory_peer *peers;
  struct tow_memory_listener *listeners;
  double now, timer;
  bool awake;
};

#endif
