/* The command line of a small program: a constant table of options. */
#ifndef TOWLINE_DEMO_ARGUMENTS_H
#define TOWLINE_DEMO_ARGUMENTS_H

#include <stdbool.h>

typedef enum option_kind {
  OPTION_TEXT,   /* `value`: const char ** */
  OPTION_NUMBER, /* `value`: long *, from `least` to `most` */
  OPTION_FLAG,   /* `value`: bool *; takes no argument */
} option_kind;

typedef struct option {
  const char *name; /* without "--"; NULL ends the table */
  option_kind kind;
  void *value;
  long least, most;
} option;

/* Takes the options out of the arguments: `*count` and `arguments` are those that are left, in order. "--" alone ends
 * the options. Answers NULL, or what is wrong, and then `*about` with which argument. */
const char *arguments_parse(const option *options, int *count, char **arguments, const char **about);

#endif
