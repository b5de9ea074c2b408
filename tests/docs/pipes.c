/* Around an example with `print(loop, fd)`, which prints what comes out of a pipe. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/uv.h>
#include <unistd.h>

#include "example.c"

int main(void) {
  int ends[2], printed[2];
  char text[16] = "";
  tow_loop *loop = tow_uv_loop_new(NULL);
  if (pipe(ends) < 0 || pipe(printed) < 0 || dup2(printed[1], STDOUT_FILENO) < 0) return EXIT_FAILURE;
  if (write(ends[1], "hello", 5) != 5 || close(ends[1]) < 0 || print(loop, ends[0]) < 0) return EXIT_FAILURE;
  tow_uv_run(loop);
  tow_uv_loop_close(loop);
  fflush(stdout);
  close(printed[1]);
  close(STDOUT_FILENO);
  return read(printed[0], text, sizeof text) == 5 && strcmp(text, "hello") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
