/* Numbers the lines that it reads. */
#include <stdio.h>

int main(void) {
  static char part[4096];
  long line = 0;
  int is_begun = 0; /* of a line longer than `part`, and of a last one without its end */
  while (fgets(part, sizeof part, stdin)) {
    if (!is_begun) printf("%6ld  ", ++line);
    fputs(part, stdout);
    is_begun = 1;
    for (const char *at = part; *at; at++)
      if (*at == '\n') is_begun = 0;
    if (ferror(stdout)) return 1;
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
