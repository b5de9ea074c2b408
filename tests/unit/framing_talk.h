/* A connection with framing, and its peer: tests/framing/wire.c, which shares nothing with the layer. */
#ifndef TOWLINE_FRAMING_TALK_H
#define TOWLINE_FRAMING_TALK_H

#include "../framing/wire.h"
#include "pass_layer.h"
#include "probe.h"
#include "towline/framing.h"

enum { WINDOW = 100000 };

/* A connection with framing, and what its peer has heard so far. */
typedef struct talk {
  probe *p;
  wire heard;
  size_t seen;
} talk;

/* 100,000 bytes of window, and nobody is asked whether it is there. */
extern const tow_framing_layering own;

talk begin_with(tow_kind kind, tow_memory_options options, int (*on)(probe *, const char *));
talk begin(tow_kind kind, int (*on)(probe *, const char *));
void end_talk(talk *t);

/* What the connection has said by now. */
wire *hear(talk *t);

/* The peer says it, and the loop runs. `say` frees the frames. */
void say_bytes(talk *t, const void *bytes, size_t size);
void say(talk *t, wire_bytes *frames);
void say_data(talk *t, size_t size);
void say_end(talk *t);
void say_credit(talk *t, uint32_t size);

bool is(const char *event, const char *want);

/* Changes to a protocol that keeps what connection_lost is told. */
void listen_to_end(talk *t);
extern char message[160];
extern int native;

#endif
