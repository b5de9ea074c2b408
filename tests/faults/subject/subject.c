/* Commands in, events out. */
#include "subject.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void say(const char *format, ...) {
  va_list values;
  va_start(values, format);
  putchar('{');
  vprintf(format, values);
  puts("}");
  va_end(values);
  fflush(stdout);
}

void say_refused(const tow_error *error) {
  say("\"event\":\"refused\",\"code\":\"%s\",\"native\":%d", tow_error_name(error->code), error->native);
}

void say_lost(int id, const char *event, int fd, const tow_error *error) {
  say("\"id\":%d,\"event\":\"%s\",\"fd\":%d,\"code\":\"%s\",\"native\":%d", id, event, fd,
      error ? tow_error_name(error->code) : "", error ? error->native : 0);
}

const char *next_word(char **rest) {
  char *word = *rest;
  size_t size = strcspn(word, " ");
  *rest = word + size + (word[size] == ' ');
  word[size] = 0;
  return word;
}

long next_number(char **rest) {
  return strtol(next_word(rest), NULL, 10);
}

static void run(subject *self, char *line) {
  char *rest = line;
  const char *verb = next_word(&rest);
  if (strcmp(verb, "stats") == 0) {
    say("\"event\":\"stats\",\"memory\":%d,\"handles\":%d", host_memory(self->loop), host_handles(self->loop));
  } else if (!open_stream(self, verb, rest) && !open_child(self, verb, rest)) {
    int id = (int)next_number(&rest);
    if (!stream_command(self, id, verb, rest) && !child_command(self, id, verb, rest))
      say("\"id\":%d,\"event\":\"misunderstood\",\"verb\":\"%s\"", id, verb);
  }
}

void subject_feed(subject *self, const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != '\n' && self->held < sizeof self->line - 1) {
      self->line[self->held++] = bytes[i];
      continue;
    }
    self->line[self->held] = 0;
    self->held = 0;
    run(self, self->line);
  }
}

subject *subject_new(tow_loop *loop) {
  subject *self = calloc(1, sizeof *self);
  if (!self) abort();
  self->loop = loop;
  return self;
}

void subject_free(subject *self) {
  free(self);
}
