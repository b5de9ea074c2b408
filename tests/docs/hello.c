/* Around a program that may call demo/echo.c's `echo_new`, and `hello_new`, whose end stops the loop. It fails unless
 * that has come. */
#include "hello.h"

#include "../../demo/echo.c"

#include <stdlib.h>
#include <towline/uv.h>

static void over(tow_loop *loop) {
  tow_uv_stop(loop);
}

static void check(void) {
  if (!was_answered) _Exit(EXIT_FAILURE);
}

__attribute__((constructor)) static void before_main(void) {
  atexit(check);
}

#include "example.c"
