#include "wire.h"

#include <stdlib.h>
#include <string.h>

void wire_add(wire_bytes *to, const void *data, size_t size) {
  if (to->size + size > to->capacity) {
    to->capacity = 2 * (to->size + size);
    to->data = realloc(to->data, to->capacity);
    if (!to->data) abort();
  }
  if (size > 0) memcpy(to->data + to->size, data, size);
  to->size += size;
}

void wire_free(wire_bytes *bytes) {
  free(bytes->data);
  *bytes = (wire_bytes){0};
}

/* ---- Writing ---- */

static void add_byte(wire_bytes *to, size_t value) {
  uint8_t byte = (uint8_t)value;
  wire_add(to, &byte, 1);
}

void wire_data_head(wire_bytes *to, size_t size) {
  if (size < 1u << 7) {
    add_byte(to, size);
  } else if (size < 1u << 14) {
    add_byte(to, 0x80 + (size >> 8));
    add_byte(to, size);
  } else {
    add_byte(to, 0xc0 + (size >> 16));
    add_byte(to, size >> 8);
    add_byte(to, size);
  }
}

void wire_data(wire_bytes *to, const void *data, size_t size) {
  const size_t most = (1u << 21) - 1;
  for (size_t part; size > 0; size -= part) {
    part = size < most ? size : most;
    wire_data_head(to, part);
    wire_add(to, data, part);
    data = (const uint8_t *)data + part;
  }
}

void wire_end(wire_bytes *to) {
  add_byte(to, 0xe0);
}

void wire_reset(wire_bytes *to, unsigned code, const char *reason) {
  size_t size = strlen(reason);
  add_byte(to, 0xe1);
  add_byte(to, code >> 8);
  add_byte(to, code);
  add_byte(to, size);
  wire_add(to, reason, size);
}

void wire_credit(wire_bytes *to, uint32_t size) {
  add_byte(to, 0xe2);
  for (int shift = 24; shift >= 0; shift -= 8)
    add_byte(to, size >> shift);
}

void wire_ping(wire_bytes *to) {
  add_byte(to, 0xe3);
}

void wire_pong(wire_bytes *to) {
  add_byte(to, 0xe4);
}

/* ---- Reading ---- */

wire wire_new(void) {
  return (wire){.allowed = WIRE_FIRST_CREDIT};
}

void wire_close(wire *self) {
  wire_free(&self->data);
}

bool wire_is_whole(const wire *self) {
  return self->head_size == 0 && self->left == 0;
}

static void data_head(wire *self, size_t size, size_t least) {
  if (size < least) {
    self->wrong = "a length that is not as short as it can be";
  } else if (self->ended) {
    self->wrong = "data after END";
  } else if (self->announced + size > self->allowed) {
    self->wrong = "more data than there was credit for";
  } else {
    self->announced += size;
    self->left = size;
  }
}

static void credit(wire *self, uint32_t size) {
  if (size == 0 || size > WIRE_MOST_CREDIT) self->wrong = "a credit that is none";
  self->credit += size;
}

static void reset(wire *self) {
  self->was_reset = true;
  self->code = self->head[1] * 256u + self->head[2];
  memcpy(self->reason, self->head + 4, self->head[3]);
  self->reason[self->head[3]] = 0;
}

/* Looks at the head, as far as it is known. Answers whether it is whole. */
static bool head(wire *self) {
  const uint8_t *h = self->head;
  size_t n = self->head_size;
  if (h[0] < 0x80) {
    data_head(self, h[0], 1);
  } else if (h[0] < 0xc0) {
    if (n < 2) return false;
    data_head(self, (h[0] - 0x80u) * 256 + h[1], 128);
  } else if (h[0] < 0xe0) {
    if (n < 3) return false;
    data_head(self, (h[0] - 0xc0u) * 65536 + h[1] * 256u + h[2], 16384);
  } else if (h[0] == 0xe0) {
    if (self->ended) self->wrong = "END twice";
    self->ended = true;
  } else if (h[0] == 0xe1) {
    if (n >= 4 && h[3] > WIRE_MOST_REASON) self->wrong = "too long a reason";
    if (n < 4 || n < 4u + h[3]) return self->wrong != NULL;
    reset(self);
  } else if (h[0] == 0xe2) {
    if (n < 5) return false;
    credit(self, (uint32_t)h[1] << 24 | (uint32_t)h[2] << 16 | (uint32_t)h[3] << 8 | h[4]);
  } else if (h[0] == 0xe3) {
    self->pings++;
  } else if (h[0] == 0xe4) {
    self->pongs++;
  } else {
    self->wrong = "a frame that is none";
  }
  return true;
}

void wire_hear(wire *self, const void *data, size_t size) {
  const uint8_t *next = data;
  const uint8_t *end = size > 0 ? next + size : next;
  while (next < end && !self->wrong) {
    if (self->was_reset) {
      self->wrong = "a frame after RESET";
    } else if (self->left > 0) {
      size_t part = (size_t)(end - next) < self->left ? (size_t)(end - next) : self->left;
      wire_add(&self->data, next, part);
      self->left -= part;
      next += part;
    } else {
      self->head[self->head_size++] = *next++;
      self->heads++;
      if (head(self)) self->head_size = 0;
    }
  }
}
