/* What is on its way to a transport: bytes, datagrams, an end, a failure. */
#include "memory_internal.h"

#include <stdlib.h>
#include <string.h>

bool tow_item_put(tow_item *item, const void *data, size_t size) {
  if (item->size + size > item->capacity) {
    size_t needed = item->size + size, capacity = 2 * item->capacity > needed ? 2 * item->capacity : needed;
    unsigned char *grown = realloc(item->data, capacity);
    if (!grown) return false;
    item->data = grown;
    item->capacity = capacity;
  }
  if (size > 0) memcpy(item->data + item->size, data, size);
  item->size += size;
  return true;
}

tow_item *tow_item_new(tow_item_kind kind, const void *data, size_t size) {
  tow_item *item = calloc(1, sizeof *item);
  if (!item) return NULL;
  item->kind = kind;
  if (tow_item_put(item, data, size)) return item;
  free(item);
  return NULL;
}

tow_item *tow_item_failure(const tow_error *error) {
  const char *message = error->message ? error->message : "";
  tow_item *item = tow_item_new(TOW_ITEM_FAILURE, message, strlen(message) + 1);
  if (!item) return NULL;
  item->code = error->code;
  item->native = error->native;
  return item;
}

tow_error tow_item_error(const tow_item *item) {
  const char *message = (const char *)item->data;
  return (tow_error){item->code, item->native, *message ? message : NULL};
}

void tow_item_free(tow_item *item) {
  if (!item) return;
  free(item->data);
  free(item);
}
