/* Around an example that connects with framing under the protocol: on the memory host, to a server that has it, too. */
#include "hello.h"

#include "../../demo/echo.c"

#include <stdlib.h>
#include <towline/framing.h>
#include <towline/memory.h>

static void over(tow_loop *loop) {
  (void)loop;
}

static bool was_framed;

static int connected(void *context, tow_transport *transport, const tow_error *error) {
  (void)context;
  was_framed = error == NULL && tow_framing_is_on(transport);
  return 0;
}

static void begin(tow_loop *loop, const char *address, tow_factory factory) {
#include "example.c"
}

int main(void) {
  tow_memory *memory = tow_memory_new(NULL);
  tow_loop *loop = tow_memory_loop(memory);
  tow_options framed = TOW_OPTIONS_DEFAULT;
  framed.layers = &tow_framing_default.layering;
  tow_loop_listen(loop, "mem:echo", &framed, (tow_factory){echo_new, NULL}, NULL, NULL);
  begin(loop, "mem:echo", (tow_factory){hello_new, NULL});
  tow_memory_run(memory);
  tow_memory_free(memory);
  return was_framed && was_answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
