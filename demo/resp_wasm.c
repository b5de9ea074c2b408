/* The Redis client as a module: resp_check.c for JavaScript, in a page or in Node. What is said of it comes by the
 * import `resp.checked`. */
#include "resp_check.h"

__attribute__((import_module("resp"), import_name("checked"))) extern void
resp_checked(int code, const char *message, double commands, double milliseconds, uint32_t pauses, double most_waiting,
             double most_queued);

static void checked(void *context, const resp_check_result *result) {
  (void)context;
  resp_checked(result->code, result->message, result->commands, result->milliseconds, result->pauses,
               result->most_waiting, result->most_queued);
}

/* The constructor: `context` is how many commands. */
tow_protocol *resp_check_protocol(tow_loop *loop, void *context) {
  return resp_check_new(loop, (double)(uintptr_t)context, checked, NULL);
}
