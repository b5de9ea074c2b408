/* Answers each line in capitals. */
#include <ctype.h>
#include <stdio.h>

int main(void) {
  static char line[4096];
  while (fgets(line, sizeof line, stdin)) {
    for (char *c = line; *c; c++)
      *c = (char)toupper((unsigned char)*c);
    fputs(line, stdout);
    fflush(stdout);
  }
  return 0;
}
