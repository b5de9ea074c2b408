/* Counts the lines, words and bytes that it reads. */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  static unsigned char bytes[65536];
  long lines = 0, words = 0, size = 0;
  int is_inside = 0;
  for (;;) {
    ssize_t got = read(0, bytes, sizeof bytes);
    if (got < 0) return 1;
    if (got == 0) break;
    size += got;
    for (ssize_t i = 0; i < got; i++) {
      lines += bytes[i] == '\n';
      words += !is_inside && !isspace(bytes[i]);
      is_inside = !isspace(bytes[i]);
    }
  }
  printf("%8ld %8ld %8ld\n", lines, words, size);
  return fflush(stdout) == 0 ? 0 : 1;
}
