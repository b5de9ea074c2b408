/* A client of Redis: its protocol RESP2 as a protocol of Towline, in one C file, the same on every host.
 *
 * Put a `resp` first in a struct of your own, give it a constant table of callbacks, and connect:
 *
 *     static int hello_ready(resp *client) {
 *       return resp_command(client, 2, (const tow_iovec[]){{"INCR", 4}, {"visits", 6}});
 *     }
 *     static int hello_value(resp *client, const resp_value *value) {
 *       printf("visit %lld\n", (long long)value->number);
 *       return 0;
 *     }
 *
 * Commands are answered in their order; many may be on their way (a pipeline). Replies pass through in pieces, as they
 * come: nothing is kept here, nothing is allocated, so no reply is too long.
 */
#ifndef TOWLINE_DEMO_RESP_H
#define TOWLINE_DEMO_RESP_H

#include <towline/towline.h>

enum {
  RESP_DEPTH = 8,             /* how deep arrays may be in arrays */
  RESP_LINE_MAX = 64 << 10,   /* bytes of a status or an error, which say no length */
  RESP_BULK_MAX = 512 << 20,  /* bytes of a string: Redis's own limit */
  RESP_ARRAY_MAX = 0x7FFFFFFF /* elements of an array */
};

typedef enum resp_kind {
  RESP_STATUS,  /* a line: "OK" */
  RESP_ERROR,   /* a line: "ERR unknown command" */
  RESP_INTEGER, /* `number` */
  RESP_BULK,    /* a string of `number` bytes */
  RESP_ARRAY,   /* `number` values follow */
  RESP_NIL,     /* no string, or no array */
} resp_kind;

typedef struct resp_value {
  resp_kind kind;
  unsigned depth; /* 0: a reply; 1: an element of a reply; ... */
  int64_t number; /* -1 for a line */
} resp_value;

/* ---- Reading values ----
 * `value` begins one. For RESP_STATUS, RESP_ERROR and RESP_BULK come its bytes, in any number of pieces, which are lent
 * until you return; for RESP_ARRAY its values. `end` follows all of that, and `value` at once for the others. A
 * negative answer stops. */
typedef struct resp_sink {
  int (*value)(void *context, const resp_value *value);
  int (*data)(void *context, const void *data, size_t size);
  int (*end)(void *context, const resp_value *value);
} resp_sink;

typedef struct resp_parser {
  const resp_sink *sink;
  void *context;
  unsigned state, depth;
  bool negative;
  uint8_t digits;
  uint64_t number;
  uint64_t left; /* bytes of a string or a line still to come */
  resp_value value;
  resp_value arrays[RESP_DEPTH];
  uint64_t missing[RESP_DEPTH]; /* elements of them still to come */
} resp_parser;

void resp_parser_init(resp_parser *parser, const resp_sink *sink, void *context);
/* Takes all of these bytes. 0; TOW_EPROTO for what is no RESP2; or what a callback answered. */
int resp_parse(resp_parser *parser, const void *data, size_t size);

/* ---- The client ---- */

typedef struct resp resp;

/* Like Towline's own callbacks: a missing one does nothing, and a negative answer ends the connection. */
typedef struct resp_callbacks {
  /* Connected, or there is room again: send, for as long as resp_is_ready. */
  int (*ready)(resp *client);
  /* The reply to the oldest command, as resp_sink says. At depth 0 `end` says that it is whole. */
  int (*value)(resp *client, const resp_value *value);
  int (*data)(resp *client, const void *data, size_t size);
  int (*end)(resp *client, const resp_value *value);
  /* Last, once. NULL: an end that was meant, and no reply is missing. TOW_EPROTO: what came was no RESP2, or nobody had
   * asked; TOW_ECONNRESET: closed before everything was answered. You may free the client here, and no earlier. */
  int (*closed)(resp *client, const tow_error *error);
} resp_callbacks;

struct resp {
  tow_protocol base;
  const resp_callbacks *callbacks;
  tow_transport *transport; /* NULL before connection_made and from `closed` on */
  resp_parser parser;
  uint64_t waiting; /* commands that are not answered */
  tow_error failure;
  bool writing_paused, closing;
};

/* Never fails and allocates nothing. */
void resp_init(resp *client, const resp_callbacks *callbacks);

/* Sends a command of so many words. TOW_ENOTCONN: not connected, or closing; TOW_EINVAL: no words, or too long a one;
 * TOW_ENOMEM. While only writing is paused it is taken, but it is memory that takes it. */
int resp_command(resp *client, size_t count, const tow_iovec *words);
/* Connected, and writing is not paused. */
bool resp_is_ready(const resp *client);
/* Ends the connection when all that was asked is answered. */
void resp_close(resp *client);

#endif
