#include "resp.h"

#include <string.h>

/* ---- Reading values ---- */

enum { TYPE, LINE, NUMBER, NUMBER_END, STRING, STRING_CR, STRING_LF };

void resp_parser_init(resp_parser *self, const resp_sink *sink, void *context) {
  *self = (resp_parser){.sink = sink, .context = context, .state = TYPE};
}

static int begin(resp_parser *self, resp_kind kind, int64_t number) {
  self->value = (resp_value){.kind = kind, .depth = self->depth, .number = number};
  return self->sink->value ? self->sink->value(self->context, &self->value) : 0;
}

static int data(resp_parser *self, const uint8_t *bytes, size_t size) {
  return size > 0 && self->sink->data ? self->sink->data(self->context, bytes, size) : 0;
}

/* A value is whole, and with it the arrays that it was the last one of. */
static int end(resp_parser *self) {
  resp_value value = self->value;
  self->state = TYPE;
  for (;;) {
    int result = self->sink->end ? self->sink->end(self->context, &value) : 0;
    if (result < 0) return result;
    if (self->depth == 0 || --self->missing[self->depth - 1] > 0) return 0;
    value = self->arrays[--self->depth];
  }
}

static int array(resp_parser *self, int64_t count) {
  int result = begin(self, RESP_ARRAY, count);
  if (result < 0) return result;
  if (count == 0) return end(self);
  if (self->depth == RESP_DEPTH) return TOW_EPROTO;
  self->arrays[self->depth] = self->value;
  self->missing[self->depth++] = (uint64_t)count;
  self->state = TYPE;
  return 0;
}

static int type(resp_parser *self, uint8_t byte) {
  self->number = self->digits = 0;
  self->negative = false;
  self->left = RESP_LINE_MAX;
  switch (byte) {
  case '+':
  case '-':
    self->state = LINE;
    return begin(self, byte == '+' ? RESP_STATUS : RESP_ERROR, -1);
  case ':':
  case '$':
  case '*':
    self->state = NUMBER;
    self->value.kind = byte == ':' ? RESP_INTEGER : byte == '$' ? RESP_BULK : RESP_ARRAY;
    return 0;
  default:
    return TOW_EPROTO;
  }
}

static int digit(resp_parser *self, uint8_t byte) {
  if (byte == '\r' && self->digits > 0) {
    self->state = NUMBER_END;
  } else if (byte == '-' && self->digits == 0 && !self->negative) {
    self->negative = true;
  } else if (byte >= '0' && byte <= '9' && self->digits < 19) {
    self->digits++;
    self->number = 10 * self->number + (uint64_t)(byte - '0');
  } else {
    return TOW_EPROTO;
  }
  return 0;
}

/* A number has been read: the value, or how long it is. */
static int number(resp_parser *self) {
  if (self->number > (uint64_t)INT64_MAX + self->negative) return TOW_EPROTO;
  int64_t number = self->negative ? (int64_t)(0 - self->number) : (int64_t)self->number;
  resp_kind kind = self->value.kind;
  int result = 0;
  if (kind == RESP_INTEGER || number == -1) {
    result = begin(self, kind == RESP_INTEGER ? RESP_INTEGER : RESP_NIL, kind == RESP_INTEGER ? number : 0);
    return result < 0 ? result : end(self);
  }
  if (number < 0 || number > (kind == RESP_BULK ? RESP_BULK_MAX : RESP_ARRAY_MAX)) return TOW_EPROTO;
  if (kind == RESP_ARRAY) return array(self, number);
  self->left = (uint64_t)number;
  self->state = number > 0 ? STRING : STRING_CR;
  return begin(self, RESP_BULK, number);
}

static int line(resp_parser *self, const uint8_t *bytes, size_t size, size_t *taken) {
  const uint8_t *cr = memchr(bytes, '\r', size);
  size_t length = cr ? (size_t)(cr - bytes) : size;
  if (length > self->left || memchr(bytes, '\n', length)) return TOW_EPROTO;
  self->left -= length;
  if (cr) self->state = STRING_LF;
  *taken = length + (cr != NULL);
  return data(self, bytes, length);
}

static int string(resp_parser *self, const uint8_t *bytes, size_t size, size_t *taken) {
  size_t length = size < self->left ? size : (size_t)self->left;
  self->left -= length;
  if (self->left == 0) self->state = STRING_CR;
  *taken = length;
  return data(self, bytes, length);
}

static int step(resp_parser *self, uint8_t byte) {
  switch (self->state) {
  case TYPE:
    return type(self, byte);
  case NUMBER:
    return digit(self, byte);
  case NUMBER_END:
    return byte == '\n' ? number(self) : TOW_EPROTO;
  case STRING_CR:
    self->state = STRING_LF;
    return byte == '\r' ? 0 : TOW_EPROTO;
  default: /* STRING_LF */
    return byte == '\n' ? end(self) : TOW_EPROTO;
  }
}

int resp_parse(resp_parser *self, const void *data, size_t size) {
  const uint8_t *bytes = data;
  while (size > 0) {
    size_t taken = 1;
    int result = self->state == LINE     ? line(self, bytes, size, &taken)
                 : self->state == STRING ? string(self, bytes, size, &taken)
                                         : step(self, *bytes);
    if (result < 0) return result;
    bytes += taken;
    size -= taken;
  }
  return 0;
}

/* ---- What comes ---- */

/* A failure that is told by `closed`. */
static void fail(resp *self, int code, int native, const char *message) {
  if (self->failure.code == 0) self->failure = (tow_error){code, native, message};
  tow_transport_abort(self->transport);
}

/* What a callback has answered. Negative: the connection ends, and nothing more is told. */
static int told(resp *self, int result) {
  if (result < 0) fail(self, TOW_ECALLBACK, result, "a callback failed");
  return tow_transport_is_closing(self->transport) ? TOW_ECANCELED : 0;
}

static int on_value(void *context, const resp_value *value) {
  resp *self = context;
  if (self->waiting == 0) return TOW_EPROTO;
  return told(self, self->callbacks->value ? self->callbacks->value(self, value) : 0);
}

static int on_data(void *context, const void *data, size_t size) {
  resp *self = context;
  return told(self, self->callbacks->data ? self->callbacks->data(self, data, size) : 0);
}

static int on_end(void *context, const resp_value *value) {
  resp *self = context;
  if (value->depth == 0) self->waiting--;
  int result = self->callbacks->end ? self->callbacks->end(self, value) : 0;
  if (self->closing && self->waiting == 0) tow_transport_close(self->transport);
  return told(self, result);
}

static const resp_sink sink = {on_value, on_data, on_end};

/* ---- Towline's side ---- */

static resp *resp_of(tow_protocol *protocol) {
  return (resp *)protocol;
}

static int ready(resp *self) {
  return self->callbacks->ready && resp_is_ready(self) ? self->callbacks->ready(self) : 0;
}

static int made(tow_protocol *protocol, tow_transport *transport) {
  resp *self = resp_of(protocol);
  self->transport = transport;
  told(self, ready(self));
  return 0;
}

static int received(tow_protocol *protocol, const void *data, size_t size) {
  resp *self = resp_of(protocol);
  if (resp_parse(&self->parser, data, size) == TOW_EPROTO)
    fail(self, TOW_EPROTO, 0, self->waiting == 0 ? "an answer that nobody asked for" : "the answer is no RESP2");
  return 0;
}

static int pause_writing(tow_protocol *protocol) {
  resp_of(protocol)->writing_paused = true;
  return 0;
}

static int resume_writing(tow_protocol *protocol) {
  resp *self = resp_of(protocol);
  self->writing_paused = false;
  told(self, ready(self));
  return 0;
}

static int lost(tow_protocol *protocol, const tow_error *error) {
  static const tow_error missing = {TOW_ECONNRESET, 0, "closed before everything was answered"};
  resp *self = resp_of(protocol);
  self->transport = NULL;
  if (error == NULL && self->waiting > 0) error = &missing;
  if (self->failure.code != 0) error = &self->failure;
  return self->callbacks->closed ? self->callbacks->closed(self, error) : 0;
}

static const tow_stream_callbacks callbacks = {
    .base = {.size = sizeof(tow_stream_callbacks),
             .kind = TOW_STREAM,
             .connection_made = made,
             .connection_lost = lost,
             .pause_writing = pause_writing,
             .resume_writing = resume_writing},
    .data_received = received,
};

void resp_init(resp *self, const resp_callbacks *mine) {
  *self = (resp){.base = {&callbacks.base}, .callbacks = mine};
  resp_parser_init(&self->parser, &sink, self);
}

/* ---- Commands ---- */

/* Small pieces are written as one. */
typedef struct output {
  tow_transport *transport;
  size_t size;
  char bytes[512];
} output;

static int flush(output *out) {
  int result = tow_transport_write(out->transport, out->bytes, out->size);
  out->size = 0;
  return result;
}

static int put(output *out, const void *data, size_t size) {
  int result = size > sizeof out->bytes - out->size ? flush(out) : 0;
  if (result < 0) return result;
  if (size > sizeof out->bytes) return tow_transport_write(out->transport, data, size);
  if (size > 0) memcpy(out->bytes + out->size, data, size);
  out->size += size;
  return 0;
}

/* '$' or '*', and a number. */
static int put_size(output *out, char type, size_t size) {
  char text[24], *at = text + sizeof text;
  *--at = '\n';
  *--at = '\r';
  do
    *--at = (char)('0' + size % 10);
  while ((size /= 10) > 0);
  *--at = type;
  return put(out, at, (size_t)(text + sizeof text - at));
}

int resp_command(resp *self, size_t count, const tow_iovec *words) {
  if (self->transport == NULL || self->closing || tow_transport_is_closing(self->transport)) return TOW_ENOTCONN;
  if (count == 0 || count > RESP_ARRAY_MAX) return TOW_EINVAL;
  for (size_t i = 0; i < count; i++)
    if (words[i].size > RESP_BULK_MAX) return TOW_EINVAL;
  output out = {.transport = self->transport};
  self->waiting++;
  int result = put_size(&out, '*', count);
  for (size_t i = 0; i < count && result >= 0; i++) {
    result = put_size(&out, '$', words[i].size);
    if (result >= 0) result = put(&out, words[i].base, words[i].size);
    if (result >= 0) result = put(&out, "\r\n", 2);
  }
  return result < 0 ? result : flush(&out);
}

bool resp_is_ready(const resp *self) {
  return self->transport != NULL && !self->closing && !self->writing_paused &&
         !tow_transport_is_closing(self->transport);
}

void resp_close(resp *self) {
  self->closing = true;
  if (self->transport != NULL && self->waiting == 0) tow_transport_close(self->transport);
}
