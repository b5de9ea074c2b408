/* The bytes that wait to be sent: a list of chunks. Bytes never move, so the host may hold on to what it has seen until
 * it reports it as sent. New bytes go into what is left of the last chunk, or into a new one. One empty chunk is kept
 * by the loop, so that a connection whose queue comes and goes allocates nothing. */
#include "core.h"

static void free_chunk(tow_loop *loop, tow_chunk *chunk) {
  if (!loop->spare && chunk->capacity == TOW_CHUNK_SIZE)
    loop->spare = chunk;
  else
    tow_release(loop, chunk, sizeof *chunk + chunk->capacity);
}

static tow_chunk *new_chunk(tow_loop *loop, size_t size) {
  tow_chunk *chunk = loop->spare;
  if (chunk && size <= TOW_CHUNK_SIZE) {
    loop->spare = NULL;
  } else {
    size_t capacity = size < TOW_CHUNK_SIZE ? TOW_CHUNK_SIZE : size;
    if (capacity > PTRDIFF_MAX - sizeof *chunk) return NULL;
    chunk = tow_allocate(loop, sizeof *chunk + capacity);
    if (!chunk) return NULL;
    chunk->capacity = capacity;
  }
  chunk->next = NULL;
  chunk->start = chunk->end = 0;
  return chunk;
}

bool tow_queue_put(tow_transport *t, const tow_iovec *lines, size_t count, size_t skip, size_t size) {
  tow_chunk *last = t->tail;
  size_t room = last ? last->capacity - last->end : 0;
  tow_chunk *fresh = NULL;
  if (size > room) {
    fresh = new_chunk(t->loop, size - room);
    if (!fresh) return false;
    if (last)
      last->next = fresh;
    else
      t->head = fresh;
    t->tail = fresh;
  }
  for (tow_chunk *to = room ? last : fresh; count > 0; lines++, count--) {
    if (skip >= lines->size) {
      skip -= lines->size;
      continue;
    }
    const unsigned char *from = (const unsigned char *)lines->base + skip;
    size_t left = lines->size - skip;
    skip = 0;
    while (left > 0) {
      if (to->end == to->capacity) to = fresh;
      size_t part = to->capacity - to->end;
      if (part > left) part = left;
      memcpy(to->data + to->end, from, part);
      to->end += part;
      from += part;
      left -= part;
    }
  }
  t->size += size;
  return true;
}

void tow_queue_take(tow_transport *t, size_t size) {
  t->size -= size;
  while (t->head) {
    tow_chunk *chunk = t->head;
    size_t part = chunk->end - chunk->start;
    if (part > size) part = size;
    chunk->start += part;
    size -= part;
    if (chunk->start < chunk->end) return;
    t->head = chunk->next;
    if (!t->head) t->tail = NULL;
    free_chunk(t->loop, chunk);
  }
}

void tow_queue_free(tow_transport *t) {
  while (t->head) {
    tow_chunk *chunk = t->head;
    t->head = chunk->next;
    free_chunk(t->loop, chunk);
  }
  t->tail = NULL;
  t->size = 0;
}

size_t tow_host_peek(tow_transport *t, tow_iovec *lines, size_t count, size_t limit) {
  size_t n = 0;
  if (t->size == 0) return 0; /* empty, or dropped */
  for (tow_chunk *chunk = t->head; chunk && n < count && limit > 0; chunk = chunk->next) {
    size_t size = chunk->end - chunk->start;
    if (size > limit) size = limit;
    lines[n++] = (tow_iovec){chunk->data + chunk->start, size};
    limit -= size;
  }
  return n;
}
