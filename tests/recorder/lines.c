#include "internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *room(line *self, size_t size) {
  if (self->capacity - self->size < size) {
    self->capacity = (self->size + size) * 2;
    self->text = realloc(self->text, self->capacity);
    if (!self->text) abort();
  }
  char *out = self->text + self->size;
  self->size += size;
  return out;
}

void line_text(line *self, const char *text) {
  size_t size = strlen(text);
  memcpy(room(self, size), text, size);
}

void line_quoted(line *self, const char *text, size_t size) {
  line_text(self, "\"");
  for (size_t i = 0; i < size; i++) {
    char escaped[8] = {text[i]};
    if (text[i] == '"' || text[i] == '\\')
      snprintf(escaped, sizeof escaped, "\\%c", text[i]);
    else if ((unsigned char)text[i] < ' ')
      snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)text[i]);
    line_text(self, escaped);
  }
  line_text(self, "\"");
}

void line_number(line *self, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  line_text(self, text);
}

void line_hex(line *self, const void *data, size_t size) {
  static const char digits[] = "0123456789abcdef";
  const uint8_t *at = data;
  char *out = room(self, 2 * size + 2);
  *out++ = '"';
  for (size_t i = 0; i < size; i++) {
    *out++ = digits[at[i] >> 4];
    *out++ = digits[at[i] & 15];
  }
  *out = '"';
}

void print_line(recorder *self) {
  line_text(&self->line, "}\n");
  if (!self->muted) self->print(self->context, self->line.text, self->line.size);
  self->line.size = 0;
}

void print_op(recorder *self, const char *name, const char *value) {
  line *line = &self->line;
  line_text(line, "{\"op\":");
  line_quoted(line, name, strlen(name));
  line_text(line, ",\"ret\":");
  line_text(line, value);
  print_line(self);
}

void print_op_number(recorder *self, const char *name, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  print_op(self, name, text);
}

static bool looks_like_errno(const char *name) {
  return name && name[0] == 'E' && name[1] && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(name);
}

/* Codes that have no errno behind them are shown with their prefix, so that nobody takes them for one. */
static bool is_errno(int code) {
  return code < TOW_EUNKNOWN && code > TOW_ESHUTDOWN && code != TOW_ENOTFOUND && tow_error_name(code);
}

void print_error(recorder *self, const char *key, int code, const char *message) {
  line *line = &self->line;
  line_text(line, ",\"");
  line_text(line, key);
  line_text(line, "\":");
  if (!code) {
    line_text(line, "null");
    return;
  }
  const char *name = tow_error_name(code);
  bool foreign = code == TOW_EUNKNOWN && looks_like_errno(message); /* an errno that has no code of its own */
  line_text(line, is_errno(code) || foreign ? "\"" : "\"TOW_");
  line_text(line, foreign ? message : name ? name : "UNNAMED");
  line_text(line, "\"");
}

void print_raised(recorder *self, const char *name, int code, const char *message) {
  line *line = &self->line;
  line_text(line, "{\"op\":");
  line_quoted(line, name, strlen(name));
  print_error(self, "raised", code, message);
  print_line(self);
}

void pattern_fill(uint8_t *out, uint64_t offset, size_t size) {
  for (uint64_t i = offset; i < offset + size; i++)
    *out++ = (uint8_t)(i * 131 + (i >> 8) * 17 + (i >> 16) * 29 + 7);
}

uint8_t *payload(const step *step, uint64_t *offset, size_t *size) {
  *size = step->text ? step->text_size : (size_t)step->n;
  uint8_t *bytes = malloc(*size + 1);
  if (!bytes) abort();
  if (step->text) {
    memcpy(bytes, step->text, *size);
  } else {
    pattern_fill(bytes, *offset, *size);
    *offset += *size;
  }
  return bytes;
}
