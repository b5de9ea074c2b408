/* Looks on at a protocol. A `trace` stands between a transport and any protocol of a stream: it reports each call and
 * hands it on, and neither side notices. It allocates nothing; put it beside the protocol that it watches:
 *
 *     typedef struct chat { tow_protocol base; trace trace; } chat;
 *
 *     static tow_protocol *chat_create(tow_loop *loop, void *context) {
 *       ...
 *       return trace_init(&self->trace, loop, &self->base, print_call, context);
 *     }
 *
 * It sees no more once the protocol has put another in its place by tow_transport_set_protocol. */
#ifndef TOWLINE_DEMO_TRACE_H
#define TOWLINE_DEMO_TRACE_H

#include <towline/towline.h>

typedef struct trace_call {
  const char *name;       /* as in the contract: CM, DR, GB, BU, ER, CL, PW, RW */
  size_t size;            /* DR, BU: the bytes that came; GB: of the buffer that was given */
  ptrdiff_t hint;         /* GB: the sizehint */
  double time;            /* of the call, in milliseconds since connection_made */
  const tow_error *error; /* CL: why, or NULL */
} trace_call;

/* Called before the protocol is; for GB after it, when the buffer is known. */
typedef void (*trace_report)(void *context, const trace_call *call);

typedef struct trace {
  tow_protocol base;
  tow_loop *loop;
  tow_protocol *inner;
  trace_report report;
  void *context;
  double start;
} trace;

/* Answers what to give to the loop in place of `inner`. */
tow_protocol *trace_init(trace *self, tow_loop *loop, tow_protocol *inner, trace_report report, void *context);

#endif
