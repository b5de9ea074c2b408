/* The bytes that wait to be sent: a list of chunks. Bytes never move, so the host may hold on to what it has seen until
 * it reports it as sent. New bytes go into what is left of the last chunk, or into a new one. One empty chunk is kept
 * by the loop, so that a connection whose queue comes and goes allocates nothing. */
#include "core.h"

static void free_chunk(tow_loop *loop, tow_chunk *chunk) {
  if (!loop->spare && chunk->capacity == TOW_CHUNK_SIZE)
    loop->spare = chunk;
  else
    tow_loop_free(loop, chunk);
}

static tow_chunk *new_chunk(tow_loop *loop, size_t size) {
  tow_chunk *chunk = loop->spare;
  if (chunk && size <= TOW_CHUNK_SIZE) {
    loop->spare = NULL;
  } else {
    size_t capacity = size < TOW_CHUNK_SIZE ? TOW_CHUNK_SIZE : size;
    if (capacity > PTRDIFF_MAX - sizeof *chunk) return NULL;
    chunk = tow_loop_alloc(loop, sizeof *chunk + capacity);
    if (!chunk) return NULL;
    chunk->capacity = capacity;
  }
  chunk->next = NULL;
  chunk->start = chunk->end = 0;
  return chunk;
}

void tow_chunk_fill(tow_chunk *chunk, tow_cursor *from) {
  while (from->count > 0) {
    size_t left = from->lines->size - from->skip, room = chunk->capacity - chunk->end;
    size_t part = left < room ? left : room;
    if (part > 0) memcpy(chunk->data + chunk->end, (const unsigned char *)from->lines->base + from->skip, part);
    chunk->end += part;
    from->skip += part;
    if (part < left) return;
    from->lines++;
    from->count--;
    from->skip = 0;
  }
}

bool tow_queue_put(tow_transport *t, const tow_iovec *lines, size_t count, size_t skip, size_t size) {
  tow_chunk *last = t->tail, *fresh = NULL;
  size_t room = last ? last->capacity - last->end : 0;
  if (size > room && !(fresh = new_chunk(t->loop, size - room))) return false;
  tow_cursor from = {lines, count, 0};
  for (; from.count > 0 && skip >= from.lines->size; from.lines++, from.count--)
    skip -= from.lines->size;
  from.skip = skip;
  if (last) tow_chunk_fill(last, &from);
  if (fresh) {
    tow_chunk_fill(fresh, &from);
    if (last)
      last->next = fresh;
    else
      t->head = fresh;
    t->tail = fresh;
  }
  t->size += size;
  return true;
}

/* A datagram has a chunk of its own, which begins with its peer. */
bool tow_queue_put_datagram(tow_transport *t, const void *data, size_t size, const tow_peer *peer) {
  if (size > PTRDIFF_MAX - sizeof(tow_chunk) - sizeof *peer) return false;
  size_t capacity = sizeof *peer + size;
  tow_chunk *chunk = tow_loop_alloc(t->loop, sizeof *chunk + capacity);
  if (!chunk) return false;
  *chunk = (tow_chunk){.capacity = capacity, .start = sizeof *peer, .end = capacity};
  memcpy(chunk->data, peer, sizeof *peer);
  if (size > 0) memcpy(chunk->data + sizeof *peer, data, size);
  if (t->tail)
    t->tail->next = chunk;
  else
    t->head = chunk;
  t->tail = chunk;
  t->size += size + TOW_DATAGRAM_HEADER;
  return true;
}

void tow_queue_take_datagram(tow_transport *t) {
  tow_chunk *chunk = t->head;
  t->head = chunk->next;
  if (!t->head) t->tail = NULL;
  t->size -= chunk->end - chunk->start + TOW_DATAGRAM_HEADER;
  free_chunk(t->loop, chunk);
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
  tow_queue_take(t, SIZE_MAX); /* also what was dropped, and is not counted any more */
  t->size = 0;
}

size_t tow_host_peek(tow_transport *t, tow_iovec *lines, size_t count, size_t limit) {
  size_t n = 0;
  if (t->size == 0) /* empty, or dropped */
    return t->state & TOW_LAYERED ? tow_layer_on(t)->facts->peek(t, lines, count, limit) : 0;
  for (tow_chunk *chunk = t->head; chunk && n < count && limit > 0; chunk = chunk->next) {
    size_t size = chunk->end - chunk->start;
    if (size > limit) size = limit;
    lines[n++] = (tow_iovec){chunk->data + chunk->start, size};
    limit -= size;
  }
  return n;
}
