/* Reads all lines, then writes them in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare(const void *one, const void *other) {
  return strcmp(*(char *const *)one, *(char *const *)other);
}

/* All of standard input, with a zero byte behind it. */
static char *read_all(size_t *size) {
  size_t capacity = 1 << 16;
  char *text = malloc(capacity);
  *size = 0;
  while (text) {
    ssize_t got = read(0, text + *size, capacity - *size - 1);
    if (got < 0) return NULL;
    if (got == 0) break;
    *size += (size_t)got;
    if (capacity - *size < 2) text = realloc(text, capacity *= 2);
  }
  if (text) text[*size] = 0;
  return text;
}

int main(void) {
  size_t size, count = 0;
  char *text = read_all(&size);
  if (!text) return 1;
  for (size_t i = 0; i < size; i++)
    if (text[i] == '\n') count++;
  char **lines = malloc((count + 1) * sizeof *lines);
  if (!lines) return 1;
  count = 0;
  for (char *at = text, *end; at < text + size; at = end + 1) {
    end = memchr(at, '\n', (size_t)(text + size - at));
    if (!end) end = text + size;
    *end = 0;
    lines[count++] = at;
  }
  qsort(lines, count, sizeof *lines, compare);
  for (size_t i = 0; i < count; i++)
    if (puts(lines[i]) < 0) return 1;
  return fflush(stdout) == 0 ? 0 : 1;
}
