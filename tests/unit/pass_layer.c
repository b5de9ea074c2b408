#include "pass_layer.h"

typedef struct pass_layer {
  tow_layer base;
} pass_layer;

/* ---- The lower side ---- */

static int lower_lost(tow_protocol *self, const tow_error *error) {
  tow_layer_end((tow_layer *)self, error);
  return 0;
}

static int eof_received(tow_protocol *self) {
  tow_host_eof(((tow_layer *)self)->upper);
  return 1;
}

/* Where the protocol wants the bytes, the host puts them: no copy. */
static bool lend(tow_layer *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  const tow_buffer *lent = tow_host_lend(self->upper, sizehint);
  if (lent) *buffer = *lent;
  return lent;
}

static size_t peek(tow_layer *self, tow_iovec *lines, size_t count, size_t limit) {
  return tow_host_peek(self->upper, lines, count, limit);
}

static void sent(tow_layer *self, size_t size) {
  tow_host_sent(self->upper, size);
}

static void release(tow_layer *self) {
  tow_loop_free(self->loop, self);
}

/* ---- The upper side ---- */

static size_t upper_write(void *self, const tow_iovec *lines, size_t count) {
  return tow_layer_offer(self, lines, count);
}

static void upper_flush(void *self) {
  tow_layer_flush(self);
}

static void upper_shutdown(void *self) {
  tow_transport_write_eof(((tow_layer *)self)->lower);
}

static void upper_set_reading(void *self, bool on) {
  tow_layer_set_reading(self, on);
}

static int upper_revoke(void *self) {
  return tow_layer_revoke(self);
}

static void upper_close(void *self, const tow_error *error) {
  if (error || tow_layer_is_aborted(self))
    tow_layer_abort(self);
  else
    tow_layer_close(self);
}

static int upper_extra_info(void *self, const char *name, char *value, size_t capacity) {
  return tow_layer_extra_info(self, name, value, capacity);
}

static const tow_layer_callbacks callbacks = {
    .base = {.size = sizeof callbacks,
             .kind = TOW_LAYER,
             .connection_lost = lower_lost,
             .resume_writing = tow_layer_resume_writing},
    .eof_received = eof_received,
    .lend = lend,
    .received = tow_layer_deliver,
    .peek = peek,
    .sent = sent,
    .free = release,
    .upper =
        {
            .size = sizeof(tow_connection_host),
            .write = upper_write,
            .flush = upper_flush,
            .shutdown = upper_shutdown,
            .set_reading = upper_set_reading,
            .revoke = upper_revoke,
            .close = upper_close,
            .extra_info = upper_extra_info,
        },
};

static tow_layer *create(const tow_layering *self, tow_transport *lower) {
  (void)self;
  pass_layer *layer = tow_loop_alloc(tow_transport_get_loop(lower), sizeof *layer);
  if (!layer) return NULL;
  *layer = (pass_layer){.base = {.protocol = {&callbacks.base}, .abilities = tow_transport_abilities(lower)}};
  return &layer->base;
}

const tow_layering pass_layering = TOW_LAYERING(create);
