/* A descriptor that is polled, under the transport of a connection, an endpoint of datagrams or a pipe. Reading and
 * writing it are their own; libuv only tells when.
 *
 * Not uv_tcp_t, which takes a hundred instructions more for a read, and tells of a long write only when all of it has
 * left; not uv_udp_t, because a send of its own that would block can only be queued in libuv; not uv_pipe_t, because it
 * does not tell that a write-only pipe's reader has gone [E7]. */
#include "uv_internal.h"

#include <unistd.h>

static void on_poll(uv_poll_t *poll, int status, int events) {
  tow_uv_descriptor *d = poll->data;
  if (status < 0) { /* POLLERR, which ends libuv's polling. The next call on the descriptor tells what it is. */
    events = d->wanted;
    uv_poll_start(&d->poll, d->wanted, on_poll);
  }
  if (d->turn == d->host->turn) return; /* libuv polls again and again while very many are ready [T4] */
  d->turn = d->host->turn;
  d->ready(d, events);
}

void tow_uv_descriptor_want(tow_uv_descriptor *d, int event, bool on) {
  int wanted = on ? d->wanted | event : d->wanted & ~event;
  if (wanted == d->wanted) return;
  d->wanted = wanted;
  uv_poll_start(&d->poll, wanted, on_poll); /* nothing wanted: it stops */
}

int tow_uv_descriptor_new(tow_uv_host *host, int fd, tow_uv_ready ready, tow_uv_descriptor **descriptor) {
  tow_uv_descriptor *d = tow_loop_alloc(host->loop, sizeof *d);
  if (!d) return UV_ENOMEM;
  *d = (tow_uv_descriptor){.host = host, .ready = ready, .fd = fd};
  int status = uv_poll_init(host->uv, &d->poll, fd);
  if (status < 0) {
    tow_loop_free(host->loop, d);
    return status;
  }
  d->poll.data = d;
  tow_uv_hold(host);
  *descriptor = d;
  return 0;
}

static void on_closed(uv_handle_t *handle) {
  tow_uv_descriptor *d = handle->data;
  tow_uv_host *host = d->host;
  if (d->transport) tow_host_closed(d->transport);
  tow_loop_free(host->loop, d);
  tow_uv_release(host);
}

void tow_uv_descriptor_give_back(tow_uv_descriptor *d) {
  uv_close((uv_handle_t *)&d->poll, on_closed);
}

void tow_uv_descriptor_close(tow_uv_descriptor *d) {
  tow_uv_descriptor_give_back(d);
  close(d->fd);
  d->fd = -1;
}
