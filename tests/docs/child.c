/* Around an example that starts a child and prints what that says. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/uv.h>
#include <unistd.h>

static tow_protocol *cat_new(tow_loop *loop, void *context);

#include "example.c"

static tow_protocol *cat_new(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  static tow_protocol protocol = {&callbacks.base};
  return &protocol;
}

int main(void) {
  int printed[2];
  char text[16] = "";
  tow_loop *loop = tow_uv_loop_new(NULL);
  if (pipe(printed) < 0 || dup2(printed[1], STDOUT_FILENO) < 0) return EXIT_FAILURE;
  start(loop);
  tow_uv_run(loop);
  tow_uv_loop_close(loop);
  fflush(stdout);
  close(printed[1]);
  close(STDOUT_FILENO);
  return read(printed[0], text, sizeof text) == 5 && strcmp(text, "hello") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
