/* What the core's files share. One file, one concept:
 *
 *     loop.c       turns, call_soon, reports          life.c      the order of calls: opened ... lost, closed
 *     timers.c     call_later, call_at                read.c      loans, delivery, end of stream
 *     request.c    connecting                         write.c     write, drain, half-close
 *     error.c      names                              flow.c      marks, pause and resume
 *     address.c    taking an address apart            queue.c     bytes that wait
 *     version.c    which one this is
 *     server.c     listening, accepting               datagram.c  datagrams
 *     process.c    subprocesses and their pipes           layer.c     a transport on a transport
 *     framing*.c   the layer that makes a stream of messages
 *
 * timers.c and the last five, and request.c, are linked only into programs and modules that use them: the others reach
 * them through pointers that they set.
 *
 * No I/O, no clock, no threads, no globals.
 */
#ifndef TOWLINE_CORE_H
#define TOWLINE_CORE_H

#include "towline/layer.h"

#include <string.h>

enum {
  TOW_READ_MAX = 262144,        /* the most that one data_received is given [R2] */
  TOW_SLAB_SIZE = TOW_READ_MAX, /* what plain protocols' reads are lent; the loop has one */
  TOW_OWN_SLAB_SIZE = 65536,    /* the same for a transport that needs one of its own */
  TOW_CORK_SIZE = 16384,        /* taken bytes that may be held back until the callback returns [W7] */
  TOW_SMALL_WRITE = 1023,       /* of those, what a callback's first write may have; a larger one leaves at once */
  TOW_CHUNK_SIZE = 4096,        /* the least that the write queue allocates */
  TOW_STEP_MAX = 65536,         /* [F7] */
  TOW_HIGH_DEFAULT = 65536,     /* [F1] */
  TOW_DATAGRAM_HEADER = 8,      /* what a queued datagram counts beside its length [F6] */
  TOW_LOST_WRITES = 5,          /* the write after loss that is the first to be reported [W4] */
};

#define TOW_OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* A function that is seldom called, kept out of its callers: they need no registers saved for it. */
#define TOW_APART __attribute__((noinline))

/* ---- Lists: a node that points at itself is empty, or in no list ---- */

static inline void tow_list_init(tow_node *node) {
  node->next = node->previous = node;
}
static inline bool tow_list_is_empty(const tow_node *list) {
  return list->next == list;
}
static inline void tow_list_add(tow_node *list, tow_node *node) {
  node->previous = list->previous;
  node->next = list;
  list->previous->next = node;
  list->previous = node;
}
static inline void tow_list_remove(tow_node *node) {
  node->previous->next = node->next;
  node->next->previous = node->previous;
  tow_list_init(node);
}

/* ---- The loop ---- */

struct tow_loop {
  const tow_loop_host *table;
  void *host;
  tow_allocator allocator;
  tow_node ready, running;                                  /* handles and transports; the generation under way */
  tow_node transports, requests, servers;                   /* all that are open; their `run` ends them [T5] */
  tow_handle *timers;                                       /* the root of the heap */
  void (*forget_timer)(tow_loop *loop, tow_handle *handle); /* NULL handle: all. Set by the first timer */
  uint64_t order;                                           /* counts call_later, for equal times */
  void *slab;                                               /* lent to plain protocols; made when first needed */
  struct tow_chunk *cork;                                   /* bytes held back for `corked` */
  tow_transport *corked;
  struct tow_chunk *spare; /* one empty chunk kept for the next write */
  uint32_t depth;          /* callbacks running, one inside the other */
  uint32_t references;     /* the host's, and one for each allocated transport */
  bool closing;
  tow_log log;
  void *log_context;
  tow_exception_handler handler;
  void *handler_context;
};

/* A copy of a text, from the loop's memory; NULL when out of it, or if there is none. */
char *tow_copy_text(tow_loop *loop, const char *text);
void tow_schedule(tow_loop *loop, tow_node *node);
/* Takes the handle out of where it is and fills it in. False when the loop is closing: nothing is scheduled then. */
static inline bool tow_prepare(tow_loop *loop, tow_handle *handle, int (*callback)(void *), void *context) {
  handle->callback = callback;
  handle->context = context;
  if (handle->loop) tow_handle_cancel(handle);
  if (loop->closing) return false;
  handle->loop = loop;
  return true;
}
void tow_unref_loop(tow_loop *loop);

/* Runs what is in loop->running. */
void tow_run_all(tow_loop *loop);

/* Every callback is entered between these two: when the outermost returns, what was written leaves [W7]. */
void tow_cork_flush(tow_loop *loop);
static inline void tow_enter(tow_loop *loop) {
  loop->depth++;
}
static inline void tow_leave(tow_loop *loop) {
  if (--loop->depth == 0 && loop->corked) tow_cork_flush(loop);
}
/* tow_leave, with what callback `name` answered: a failure is reported [T3]. */
void tow_left(tow_loop *loop, tow_transport *transport, const char *name, int result);
/* Reports a failure of callback `name`, and ends the connection with it [L6]. */
void tow_fatal(tow_transport *transport, const char *name, int code, int native);

/* ---- Transports ---- */

typedef struct tow_chunk {
  struct tow_chunk *next;
  size_t capacity, start, end; /* bytes of data[]; those from start to end wait */
  unsigned char data[];
} tow_chunk;

/* tow_transport.state; life.c says in which order they are set. */
enum {
  TOW_UNMADE = 1,         /* connection_made has not been entered */
  TOW_CLOSING = 2,        /* close, abort or a fatal error */
  TOW_LOST = 4,           /* connection_lost is scheduled */
  TOW_DONE = 8,           /* ... has been entered */
  TOW_CLOSED = 16,        /* the host has let go */
  TOW_READ_PAUSED = 32,   /* by the protocol */
  TOW_READ_ENDED = 64,    /* the peer's end of stream */
  TOW_HOST_READS = 128,   /* what set_reading was last told */
  TOW_WRITE_PAUSED = 256, /* pause_writing was called, resume_writing not yet */
  TOW_WRITE_ENDED = 512,  /* write_eof */
  TOW_SENDING = 1024,     /* sendto: errors of the host's are told later [L3] */
  TOW_SEND_FAILED = 2048, /* the datagram just offered */
  TOW_LAYERED = 4096,     /* the protocol is a tow_layer */
  TOW_ABORTED = 8192,
};

typedef enum tow_family { TOW_STREAMS = 1, TOW_DATAGRAMS, TOW_PROCESSES, TOW_LAYERS } tow_family;
typedef enum tow_moment { TOW_WHEN_MADE, TOW_WHEN_CLOSED, TOW_WHEN_LOST, TOW_WHEN_FREED } tow_moment;

struct tow_transport {
  tow_loop *loop;
  tow_protocol *protocol;
  const tow_connection_host *table;
  void *connection;
  tow_node ready; /* for the deferred connection_made, connection_lost and close: one at a time */
  tow_node open;  /* in loop->transports */
  tow_server *server;
  /* A subprocess's, and its pipes': what connection_made, close and their end mean to it. NULL: no more than to others.
   */
  void (*also)(tow_transport *t, tow_moment moment);
  uint16_t state;
  uint8_t abilities, family : 4, lost_writes : 4;
  uint32_t references;
  tow_buffer loan;      /* what the host was lent; base NULL: nothing */
  tow_protocol *lender; /* whose memory that is; NULL: a slab */
  void *slab;           /* this transport's own, with TOW_HOLDS_LOANS */
  tow_chunk *head, *tail;
  size_t size, high, low; /* of the write queue */
  tow_error error;        /* what connection_lost will carry; code 0: none. The message is the code's text, or owned */
};

/* What a host tells of a transport with a layer on it: layer.c. */
struct tow_layer_facts {
  const tow_buffer *(*lend)(tow_transport *t, ptrdiff_t sizehint);
  size_t (*feed)(tow_transport *t, const void *data, size_t size);
  size_t (*peek)(tow_transport *t, tow_iovec *lines, size_t count, size_t limit);
  void (*sent)(tow_transport *t, size_t size);
  void (*closed)(tow_transport *t);
};

/* The layer on a TOW_LAYERED transport, and its callbacks. */
static inline tow_layer *tow_layer_on(const tow_transport *t) {
  return (tow_layer *)t->protocol;
}
static inline const tow_layer_callbacks *tow_layer_calls(const tow_layer *layer) {
  return (const tow_layer_callbacks *)layer->protocol.callbacks;
}
/* The transport that a user knows it by. */
static inline tow_transport *tow_top(tow_transport *t) {
  while (t->state & TOW_LAYERED)
    t = tow_layer_on(t)->upper;
  return t;
}

static inline bool tow_may_read(const tow_transport *t) {
  return !(t->state & (TOW_UNMADE | TOW_CLOSING | TOW_READ_PAUSED | TOW_READ_ENDED));
}

/* Opening: a transport of `size` bytes, zero but for what all have in common; then tow_start makes its protocol, or the
 * layers and the protocol on the last one, and schedules connection_made, or frees it. NULL when out of memory or when
 * the loop is closing; an error of the factory's. */
tow_transport *tow_new_transport(tow_loop *loop, tow_family family, size_t size, const tow_connection_host *table,
                                 void *connection, unsigned abilities);
int tow_start(tow_transport *t, const tow_layering *layers, const tow_factory *factory);
/* Whether the transport can call this protocol. */
bool tow_suits(const tow_transport *t, const tow_protocol *protocol);
/* Ends the connection: the queue is dropped, connection_lost will carry the error. The first cause wins [L8]. */
void tow_fail(tow_transport *t, int code, int native, const char *message);
/* Schedules connection_lost, or calls it (a closing connection whose queue has drained). */
void tow_lose(tow_transport *t);
void tow_lose_now(tow_transport *t);
/* The loop's slab, or the transport's own, as its loan; NULL when out of memory. */
const tow_buffer *tow_lend_slab(tow_transport *t);
/* Tells the host whether to read, if that has changed. */
void tow_update_reading(tow_transport *t);

/* The marks that these limits mean; TOW_EINVAL, and no change, if they mean none [F1]. */
int tow_limits(ptrdiff_t high, ptrdiff_t low, size_t *high_mark, size_t *low_mark);
void tow_call_pause_writing(tow_transport *t);
void tow_call_resume_writing(tow_transport *t);
void tow_maybe_pause_writing(tow_transport *t);
void tow_maybe_resume_writing(tow_transport *t);

/* Where in some lines: `count` are left, and of the first one `skip` bytes are done. */
typedef struct tow_cursor {
  const tow_iovec *lines;
  size_t count, skip;
} tow_cursor;
/* Copies until the chunk is full or the lines are at their end. */
void tow_chunk_fill(tow_chunk *chunk, tow_cursor *from);
/* False when out of memory: then nothing was queued. `skip` bytes of the lines have left already. */
bool tow_queue_put(tow_transport *t, const tow_iovec *lines, size_t count, size_t skip, size_t size);
void tow_queue_take(tow_transport *t, size_t size);
void tow_queue_free(tow_transport *t);

/* One datagram to the end of the queue. */
bool tow_queue_put_datagram(tow_transport *t, const void *data, size_t size, const tow_peer *peer);
void tow_queue_take_datagram(tow_transport *t);

/* A write on a connection that is lost or closing: dropped, and after a while remarked on [W4, W5]. */
int tow_drop_write(tow_transport *t);

/* ---- Requests ---- */

struct tow_request {
  tow_loop *loop;
  tow_node open; /* in loop->requests */
  tow_node ready;
  tow_handle timer;
  tow_factory factory;
  size_t high, low; /* the marks of the new transports */
  const tow_layering *layers;
  union {
    tow_connected connected;
    tow_listening listening;
  } done; /* the user's */
  void *context;
  void *host_data;
  void *result;                                        /* a transport, or a server */
  int (*tell)(tow_request *r, const tow_error *error); /* calls `done` with it */
  void (*discard)(void *result);                       /* ends it, if the request is cancelled before that */
  tow_error error;
  char *message; /* owned; NULL: the code's own text */
  int given_up;  /* 0, or why: TOW_ETIMEDOUT, TOW_ECANCELED */
  bool settled;
};

/* A request that ends in a transport unless the caller sets `tell` and `discard`; NULL when out of memory. */
tow_request *tow_new_request(tow_loop *loop, tow_factory factory, tow_connected done, void *context);
/* Whether the host is to be asked; if not, the request has failed. */
bool tow_begin(tow_request *r, bool supported);
/* Asks it, with a time-out; a NULL `ask` is not supported. Answers the request. */
tow_request *tow_ask(tow_request *r, void (*ask)(void *, tow_request *, const char *, const tow_options *),
                     const char *address, const tow_options *options);
/* The request ends in this error. */
void tow_fail_request(tow_request *r, int code, int native, const char *message);
/* The request ends in this transport, started; or, if it is NULL or cannot be, in an error. Answers it or NULL. */
tow_transport *tow_open_for(tow_request *r, tow_transport *t);
/* The request ends in what is told of it. */
void tow_settle(tow_request *r);

#endif
