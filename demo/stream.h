/* The protocol of the demo's first panel: what a page may ask of one connection. See stream.c. */
#ifndef TOWLINE_DEMO_STREAM_H
#define TOWLINE_DEMO_STREAM_H

#include <towline/towline.h>

typedef struct stream stream;

/* The constructor: a protocol for one connection, which frees itself in connection_lost. */
tow_protocol *stream_new(tow_loop *loop, void *context);

/* Sends so many bytes more, as fast as the transport lets it. */
int stream_burst(stream *self, size_t size);
/* Ends the stream after all that was to be sent; reading goes on. */
int stream_end(stream *self);
/* While it is held nothing is read. */
void stream_hold(stream *self, bool held);
/* How many bytes a second it reads; 0: as they come. */
void stream_read_slowly(stream *self, double rate);
int stream_set_marks(stream *self, ptrdiff_t high, ptrdiff_t low);
void stream_close(stream *self);
void stream_abort(stream *self);

#endif
