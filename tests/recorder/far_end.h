/* What a scenario's peer does on the memory host: to the connection itself or, under a layer of framing, in frames. */
#ifndef TOWLINE_TESTS_FAR_END_H
#define TOWLINE_TESTS_FAR_END_H

#include "../framing/wire.h"
#include "recorder.h"
#include <towline/framing.h>
#include <towline/memory.h>

typedef struct far_end {
  tow_memory_peer *peer;
  recorder_layer layer;
  tow_framing_layering framing;
  wire heard;         /* what the transport has said */
  size_t heard_size;  /* of what the memory host has received */
  wire_bytes waiting; /* for credit */
  size_t sent;        /* data, in frames */
  bool has_eof, has_error;
  tow_error error;
} far_end;

/* What is under the protocol; call it before the connection is opened. `capacity`: -1 for all. */
void far_end_layers(far_end *self, recorder_layer layer, tow_memory_options *options);
void far_end_free(far_end *self);

void far_end_send(far_end *self, const void *data, size_t size);
void far_end_eof(far_end *self);
void far_end_error(far_end *self, const tow_error *error);
void far_end_accept(far_end *self, ptrdiff_t size);
const void *far_end_received(far_end *self, size_t *size);
bool far_end_received_eof(far_end *self);
/* The loop until nothing is left to do, and nothing is left to be said with the credit that came. */
void far_end_run(far_end *self, tow_memory *memory);

#endif
