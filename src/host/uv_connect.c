/* Connecting: a request's addresses race (RFC 8305, section 5). The next one starts when the one before has failed, or
 * has not answered for a while; the first to answer wins, and the others are closed. Time-outs are the core's. */
#include "uv_internal.h"

#include <unistd.h>

enum { ATTEMPT_DELAY = 250 }; /* milliseconds; RFC 8305, section 8 */

static void start_next(tow_uv_request *r);

static void on_delay(uv_timer_t *timer) {
  start_next(timer->data);
}

static void succeed(tow_uv_request *r, tow_uv_attempt *attempt) {
  tow_uv_descriptor *d = attempt->descriptor;
  attempt->descriptor = NULL;
  d->ready = tow_uv_stream_ready;
  tow_uv_descriptor_want(d, UV_WRITABLE, false);
  tow_uv_connection_configure(d, &attempt->address, &r->options);
  d->transport = tow_host_opened(tow_uv_request_take(r), &tow_uv_connection.table, d, tow_uv_connection.abilities);
  if (!d->transport) tow_uv_descriptor_close(d);
  tow_uv_request_release(r);
}

static void on_connected(tow_uv_descriptor *d, int events) {
  (void)events;
  tow_uv_request *r = d->request;
  tow_uv_attempt *attempt = r->attempts;
  while (attempt->descriptor != d)
    attempt++;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) {
    succeed(r, attempt);
    return;
  }
  attempt->descriptor = NULL;
  tow_uv_descriptor_close(d);
  tow_uv_request_note(r, &attempt->address, uv_translate_sys_error(error));
  start_next(r);
}

static int start(tow_uv_request *r, tow_uv_attempt *attempt) {
  const tow_uv_address *address = &attempt->address;
  int fd = tow_uv_socket(address->any.sa_family, SOCK_STREAM);
  if (fd < 0) return fd;
  int status = tow_uv_connect_socket(fd, address, &r->options);
  if (status == 0) status = tow_uv_descriptor_new(r->host, fd, on_connected, &attempt->descriptor);
  if (status < 0) {
    close(fd);
    return status;
  }
  attempt->descriptor->request = r;
  tow_uv_descriptor_want(attempt->descriptor, UV_WRITABLE, true); /* also if it is connected already */
  return 0;
}

static bool is_trying(const tow_uv_request *r) {
  for (size_t i = 0; i < r->next; i++)
    if (r->attempts[i].descriptor) return true;
  return false;
}

static void start_next(tow_uv_request *r) {
  uv_timer_stop(&r->timer);
  while (r->next < r->count) {
    tow_uv_attempt *attempt = &r->attempts[r->next++];
    int status = start(r, attempt);
    if (status == 0) {
      if (r->next < r->count) uv_timer_start(&r->timer, on_delay, ATTEMPT_DELAY, 0);
      return;
    }
    tow_uv_request_note(r, &attempt->address, status);
  }
  if (!is_trying(r)) tow_uv_request_fail_noted(r);
}

static void race(tow_uv_request *r) {
  uv_timer_init(r->host->uv, &r->timer);
  r->timer.data = r;
  r->timing = true;
  start_next(r);
}

void tow_uv_connect(void *host, tow_request *request, const char *address, const tow_options *options) {
  static const tow_uv_scheme schemes[] = {{"tcp", race}, {"unix", race}, {"udp", tow_uv_udp_connect}, {NULL, NULL}};
  tow_uv_request_begin(host, request, address, options, schemes);
}
