/* `hello_new` says hello and closes when it has come back. */
#include <string.h>
#include <towline/towline.h>

/* Called last of all. */
static void over(tow_loop *loop);

typedef struct hello {
  tow_protocol base;
  tow_transport *transport;
  size_t heard;
} hello;

static const char words[] = "hello";
static bool was_answered;

static int hello_made(tow_protocol *self, tow_transport *transport) {
  ((hello *)self)->transport = transport;
  return tow_transport_write(transport, words, strlen(words));
}

static int hello_data(tow_protocol *self, const void *data, size_t size) {
  hello *client = (hello *)self;
  if (size > strlen(words) - client->heard || memcmp(words + client->heard, data, size) != 0) return TOW_EPROTO;
  client->heard += size;
  if (client->heard == strlen(words)) tow_transport_close(client->transport);
  return 0;
}

static int hello_lost(tow_protocol *self, const tow_error *error) {
  hello *client = (hello *)self;
  tow_loop *loop = tow_transport_get_loop(client->transport);
  was_answered = error == NULL && client->heard == strlen(words);
  tow_loop_free(loop, client);
  over(loop);
  return 0;
}

static const tow_stream_callbacks hello_callbacks = {
    .base = {.size = sizeof(tow_stream_callbacks),
             .kind = TOW_STREAM,
             .connection_made = hello_made,
             .connection_lost = hello_lost},
    .data_received = hello_data,
};

tow_protocol *hello_new(tow_loop *loop, void *context);
tow_protocol *hello_new(tow_loop *loop, void *context) {
  (void)context;
  hello *self = tow_loop_alloc(loop, sizeof *self);
  if (self) *self = (hello){.base = {&hello_callbacks.base}};
  return self ? &self->base : NULL;
}
