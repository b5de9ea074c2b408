/* Does this connection carry commands and replies whole? SET, GET and INCR, thousands at once on their way, and every
 * reply compared with what it must be. The same code runs natively and in a wasm module. */
#ifndef TOWLINE_DEMO_RESP_CHECK_H
#define TOWLINE_DEMO_RESP_CHECK_H

#include "resp.h"

typedef struct resp_check_result {
  int code;            /* 0, or a TOW_E... */
  const char *message; /* what went wrong, or "" */
  double commands;     /* answered, and rightly */
  double milliseconds; /* from the first command to the last reply */
  uint32_t pauses;     /* how often writing was paused */
  double most_waiting; /* commands on their way at once */
  double most_queued;  /* bytes in the write buffer */
} resp_check_result;

/* Called once, when the connection has ended, which the check does by itself. */
typedef void (*resp_check_done)(void *context, const resp_check_result *result);

/* What to give to the loop. The keys begin with "towline:", and are gone a minute later. Frees itself after `done`.
 * NULL when out of memory. */
tow_protocol *resp_check_new(tow_loop *loop, double commands, resp_check_done done, void *context);
/* How many commands it has sent; not to be asked after `done`. */
double resp_check_sent(const tow_protocol *check);

#endif
