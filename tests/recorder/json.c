#include "json.h"
#include <stdlib.h>
#include <string.h>
#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

struct jsmntok {
  jsmntok_t token;
};

static const jsmntok_t *token(const json *self, int node) {
  return node < 0 || node >= self->count ? NULL : &self->tokens[node].token;
}

static bool is_type(const json *self, int node, jsmntype_t type) {
  const jsmntok_t *found = token(self, node);
  return found && found->type == type;
}

static bool is_primitive(const json *self, int node, char first) {
  return is_type(self, node, JSMN_PRIMITIVE) && self->text[token(self, node)->start] == first;
}

/* The parser accepts an object whose keys lack values, and text after the root. */
static bool well_formed(const json *self, size_t size) {
  if (!json_is_object(self, JSON_ROOT)) return false;
  for (size_t i = (size_t)token(self, JSON_ROOT)->end; i < size; i++)
    if (!strchr(" \t\r\n", self->text[i])) return false;
  for (int i = 0; i < self->count; i++) {
    const jsmntok_t *one = token(self, i), *parent = token(self, one->parent);
    bool is_key = parent && parent->type == JSMN_OBJECT;
    if (is_key && (one->type != JSMN_STRING || one->size != 1)) return false;
    if (!is_key && one->type == JSMN_STRING && one->size != 0) return false;
  }
  return true;
}

bool json_parse(json *self, const char *text, size_t size) {
  jsmn_parser parser;
  jsmn_init(&parser);
  int count = jsmn_parse(&parser, text, size, NULL, 0);
  if (count <= 0) return false;
  *self = (json){.text = text, .tokens = calloc((size_t)count, sizeof *self->tokens), .count = count};
  if (!self->tokens) return false;
  jsmn_init(&parser);
  if (jsmn_parse(&parser, text, size, &self->tokens->token, (unsigned)count) == count && well_formed(self, size))
    return true;
  json_free(self);
  return false;
}

void json_free(json *self) {
  free(self->tokens);
  *self = (json){0};
}

bool json_is_object(const json *self, int node) {
  return is_type(self, node, JSMN_OBJECT);
}
bool json_is_array(const json *self, int node) {
  return is_type(self, node, JSMN_ARRAY);
}
bool json_is_null(const json *self, int node) {
  return is_primitive(self, node, 'n');
}
bool json_is_true(const json *self, int node) {
  return is_primitive(self, node, 't');
}

bool json_integer(const json *self, int node, int64_t *value) {
  if (!is_type(self, node, JSMN_PRIMITIVE)) return false;
  const jsmntok_t *found = token(self, node);
  const char *at = self->text + found->start, *end = self->text + found->end;
  bool negative = *at == '-';
  int64_t sum = 0;
  for (at += negative; at < end; at++) {
    if (*at < '0' || *at > '9') return false;
    bool is_over = sum > (INT64_MAX - (*at - '0')) / 10;
    sum = is_over ? INT64_MAX : sum * 10 + (*at - '0');
  }
  *value = negative ? -sum : sum;
  return found->end - found->start > negative;
}

static unsigned hex4(const char *text) {
  char digits[5] = {text[0], text[1], text[2], text[3], 0};
  return (unsigned)strtoul(digits, NULL, 16);
}

static char *put_utf8(char *out, unsigned code) {
  int tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
  *out++ = (char)(lead[tail] | code >> (6 * tail));
  while (tail--)
    *out++ = (char)(0x80 | (code >> (6 * tail) & 0x3F));
  return out;
}

char *json_string(const json *self, int node, size_t *size) {
  if (!is_type(self, node, JSMN_STRING)) return NULL;
  const jsmntok_t *found = token(self, node);
  const char *at = self->text + found->start, *end = self->text + found->end;
  char *string = malloc((size_t)(end - at) + 1), *out = string; /* undone escapes are never longer */
  while (string && at < end) {
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    if (*at != '\\') {
      *out++ = *at++;
    } else if (at[1] == 'u') {
      unsigned code = hex4(at + 2);
      at += 6;
      if (code >> 10 == 0x36 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' && hex4(at + 2) >> 10 == 0x37) {
        code = 0x10000 + ((code & 0x3FF) << 10) + (hex4(at + 2) & 0x3FF);
        at += 6;
      }
      out = put_utf8(out, code);
    } else {
      const char *name = strchr(names, at[1]);
      *out++ = name ? values[name - names] : at[1];
      at += 2;
    }
  }
  if (string) {
    *out = 0;
    if (size) *size = (size_t)(out - string);
  }
  return string;
}

int json_get(const json *self, int object, const char *key) {
  size_t size = strlen(key);
  if (json_is_object(self, object))
    for (int at = json_first(self, object); at != JSON_ABSENT; at = json_next(self, object, at)) {
      const jsmntok_t *found = token(self, at);
      if ((size_t)(found->end - found->start) == size && !memcmp(self->text + found->start, key, size)) return at + 1;
    }
  return JSON_ABSENT;
}

int json_first(const json *self, int container) {
  return json_size(self, container) ? container + 1 : JSON_ABSENT;
}

int json_next(const json *self, int container, int node) {
  const jsmntok_t *outer = token(self, container);
  for (int at = node + 1; at < self->count && token(self, at)->start < outer->end; at++)
    if (token(self, at)->parent == container) return at;
  return JSON_ABSENT;
}

int json_size(const json *self, int container) {
  return json_is_object(self, container) || json_is_array(self, container) ? token(self, container)->size : 0;
}
