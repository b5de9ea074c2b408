#include "arguments.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool parse_number(const char *text, long least, long most, long *value) {
  char *end;
  errno = 0;
  long number = strtol(text, &end, 10);
  if (*text == 0 || *end != 0 || errno != 0 || number < least || number > most) return false;
  *value = number;
  return true;
}

static const option *find(const option *options, const char *name) {
  while (options->name != NULL && strcmp(options->name, name) != 0)
    options++;
  return options->name ? options : NULL;
}

const char *arguments_parse(const option *options, int *count, char **arguments, const char **about) {
  int left = 0, i = 0;
  for (; i < *count && strcmp(arguments[i], "--") != 0; i++) {
    *about = arguments[i];
    if (strncmp(arguments[i], "--", 2) != 0) {
      arguments[left++] = arguments[i];
      continue;
    }
    const option *it = find(options, arguments[i] + 2);
    if (it == NULL) return "no such option";
    if (it->kind == OPTION_FLAG) {
      *(bool *)it->value = true;
      continue;
    }
    if (++i == *count) return "a value is missing";
    if (it->kind == OPTION_TEXT)
      *(const char **)it->value = arguments[i];
    else if (!parse_number(arguments[i], it->least, it->most, it->value))
      return "not a number that is allowed here";
  }
  for (i++; i < *count; i++)
    arguments[left++] = arguments[i];
  *count = left;
  return NULL;
}
