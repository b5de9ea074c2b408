/* An echo server on libuv alone, as one writes it by hand: it sends at once what it can, and does not read from a peer
 * that does not take the rest. usage: echo_libuv; prints its port. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char memory[256 * 1024]; /* one read at a time: all connections can share it */

typedef struct connection {
  uv_tcp_t tcp;
  uv_write_t write;
  char *rest;
} connection;

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)handle;
  (void)suggested;
  *buffer = uv_buf_init(memory, sizeof memory);
}

static void on_closed(uv_handle_t *handle) {
  free(((connection *)handle)->rest);
  free(handle);
}

static void on_written(uv_write_t *write, int status) {
  connection *c = (connection *)write->handle;
  free(c->rest);
  c->rest = NULL;
  if (status == 0) uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static void write_rest(connection *c, const char *data, size_t size) {
  c->rest = malloc(size);
  if (!c->rest) abort();
  memcpy(c->rest, data, size);
  uv_buf_t buffer = uv_buf_init(c->rest, (unsigned)size);
  uv_read_stop((uv_stream_t *)&c->tcp);
  uv_write(&c->write, (uv_stream_t *)&c->tcp, &buffer, 1, on_written);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
  if (size == 0) return;
  if (size < 0) {
    uv_close((uv_handle_t *)stream, on_closed);
    return;
  }
  uv_buf_t all = uv_buf_init(buffer->base, (unsigned)size);
  int written = uv_try_write(stream, &all, 1);
  if (written < 0) written = 0;
  if (written < size) write_rest((connection *)stream, buffer->base + written, (size_t)(size - written));
}

static void on_connection(uv_stream_t *server, int status) {
  if (status < 0) return;
  connection *c = calloc(1, sizeof *c);
  if (!c) abort();
  uv_tcp_init(server->loop, &c->tcp);
  uv_accept(server, (uv_stream_t *)&c->tcp);
  uv_tcp_nodelay(&c->tcp, 1);
  uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

int main(void) {
  uv_tcp_t server;
  struct sockaddr_in address;
  int size = sizeof address;
  uv_tcp_init(uv_default_loop(), &server);
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_bind(&server, (const struct sockaddr *)&address, 0);
  if (uv_listen((uv_stream_t *)&server, 4096, on_connection) < 0) return 1;
  uv_tcp_getsockname(&server, (struct sockaddr *)&address, &size);
  printf("%u\n", ntohs(address.sin_port));
  fflush(stdout);
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
