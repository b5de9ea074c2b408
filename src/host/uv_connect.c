/* Connecting: a request's addresses race (RFC 8305, section 5). The next one starts when the one before has failed, or
 * has not answered for a while; the first to answer wins, and the others are closed. Time-outs are the core's. */
#include "uv_internal.h"

enum { ATTEMPT_DELAY = 250 }; /* milliseconds; RFC 8305, section 8 */

static void start_next(tow_uv_request *r);

static void on_delay(uv_timer_t *timer) {
  start_next(timer->data);
}

static void succeed(tow_uv_request *r, tow_uv_attempt *attempt) {
  tow_uv_stream *s = attempt->stream;
  attempt->stream = NULL;
  s->request = NULL;
  if (attempt->address.any.sa_family != AF_UNIX) s->peer = attempt->address.in6;
  tow_uv_stream_configure(s, &r->options);
  s->transport = tow_host_opened(tow_uv_request_take(r), &tow_uv_stream_table, s, TOW_UV_ABILITIES);
  if (!s->transport) tow_uv_stream_close(s);
  tow_uv_request_release(r);
}

static void on_connected(uv_connect_t *connect, int status) {
  tow_uv_stream *s = connect->handle->data;
  tow_uv_request *r = s->request;
  if (!r) return; /* closed: lost the race, or the request was cancelled */
  tow_uv_attempt *attempt = r->attempts;
  while (attempt->stream != s)
    attempt++;
  if (status == 0) {
    succeed(r, attempt);
    return;
  }
  attempt->stream = NULL;
  tow_uv_stream_close(s);
  tow_uv_request_note(r, &attempt->address, status);
  start_next(r);
}

static int start(tow_uv_request *r, tow_uv_attempt *attempt) {
  const tow_uv_address *address = &attempt->address;
  tow_uv_stream *s = tow_uv_stream_new(r->host, address->any.sa_family);
  if (!s) return UV_ENOMEM;
  int status = 0;
  if (address->any.sa_family == AF_UNIX)
    uv_pipe_connect(&s->call.connect, &s->uv.pipe, address->un.sun_path, on_connected);
  else
    status = uv_tcp_connect(&s->call.connect, &s->uv.tcp, &address->any, on_connected);
  if (status < 0) {
    tow_uv_stream_close(s);
    return status;
  }
  s->request = r;
  attempt->stream = s;
  return 0;
}

static bool is_trying(const tow_uv_request *r) {
  for (size_t i = 0; i < r->next; i++)
    if (r->attempts[i].stream) return true;
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
