/* The far end of a framed connection, as FRAMING.md says it and without a line of src/framing.c: it writes frames, and
 * reads what the other end says, rule by rule. */
#ifndef TOWLINE_TESTS_WIRE_H
#define TOWLINE_TESTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  WIRE_FIRST_CREDIT = 65536, /* rule 1 */
  WIRE_MOST_CREDIT = 0x7fffffff,
  WIRE_MOST_REASON = 123,
};

typedef struct wire_bytes {
  uint8_t *data;
  size_t size, capacity;
} wire_bytes;

void wire_add(wire_bytes *to, const void *data, size_t size);
void wire_free(wire_bytes *bytes);

/* ---- Writing: each adds a frame; data of any size, in as many frames as it takes ---- */

void wire_data(wire_bytes *to, const void *data, size_t size);
void wire_data_head(wire_bytes *to, size_t size);
void wire_end(wire_bytes *to);
void wire_reset(wire_bytes *to, unsigned code, const char *reason);
void wire_credit(wire_bytes *to, uint32_t size);
void wire_ping(wire_bytes *to);
void wire_pong(wire_bytes *to);

/* ---- Reading ---- */

typedef struct wire {
  wire_bytes data;            /* what came in DATA frames */
  uint64_t announced;         /* bytes of data that heads spoke of */
  uint64_t allowed;           /* how many these may be: the first credit, and what its reader has granted since */
  uint64_t credit;            /* what its writer has granted, beside the first credit */
  size_t pings, pongs, heads; /* heads: bytes that are no data */
  bool ended, was_reset;
  unsigned code;
  char reason[WIRE_MOST_REASON + 1];
  const char *wrong; /* the first thing that FRAMING.md forbids; NULL: nothing. Nothing is read after it */
  /* The frame that has begun */
  uint8_t head[4 + WIRE_MOST_REASON];
  size_t head_size, left;
} wire;

wire wire_new(void);
void wire_close(wire *self);
void wire_hear(wire *self, const void *data, size_t size);
/* Not in the middle of a frame. */
bool wire_is_whole(const wire *self);

#endif
