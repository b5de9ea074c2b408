/* Requests: from an address's text to a list of socket addresses, and how a request ends.
 *
 * A name is looked up by libuv's threads. The core may settle a request at any time (cancelled, timed out): then
 * `request` is NULL, and what libuv still knows of, the look-up and the timer, is waited for before the memory goes. */
#include "uv_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- Ending ---- */

static void free_when_idle(tow_uv_request *r) {
  if (r->looking_up || r->timing) return;
  tow_uv_host *host = r->host;
  tow_loop_free(host->loop, r->attempts);
  tow_loop_free(host->loop, r->failures);
  tow_loop_free(host->loop, r);
  tow_uv_release(host);
}

static void on_timer_closed(uv_handle_t *timer) {
  tow_uv_request *r = timer->data;
  r->timing = false;
  free_when_idle(r);
}

tow_request *tow_uv_request_take(tow_uv_request *r) {
  tow_request *request = r->request;
  r->request = NULL;
  tow_host_set_request_data(request, NULL);
  return request;
}

void tow_uv_request_release(tow_uv_request *r) {
  for (size_t i = 0; r->attempts && i < r->count; i++)
    if (r->attempts[i].descriptor) tow_uv_descriptor_close(r->attempts[i].descriptor);
  r->count = 0;
  if (r->looking_up) uv_cancel((uv_req_t *)&r->lookup); /* one that has begun runs to its end */
  if (r->timing) uv_close((uv_handle_t *)&r->timer, on_timer_closed);
  free_when_idle(r);
}

void tow_uv_cancel(void *host, tow_request *request) {
  (void)host;
  tow_uv_request *r = tow_host_request_data(request);
  if (!r) return;
  tow_uv_request_take(r);
  if (r->failures_size > 0) tow_host_failed_request(request, &(tow_error){TOW_ECANCELED, 0, r->failures});
  tow_uv_request_release(r);
}

void tow_uv_request_fail(tow_uv_request *r, int code, int native, const char *message) {
  tow_host_failed_request(tow_uv_request_take(r), &(tow_error){code, native, message});
  tow_uv_request_release(r);
}

/* An address that this machine cannot even try says less than one that answered. */
static bool tells_little(int status) {
  return status == UV_EAFNOSUPPORT || status == UV_EADDRNOTAVAIL || status == UV_ENETUNREACH;
}

void tow_uv_request_note(tow_uv_request *r, const tow_uv_address *address, int status) {
  if (r->status == 0 || !tells_little(status)) r->status = status;
  char where[TOW_UV_ADDRESS_TEXT], why[128];
  tow_uv_address_text(address, where, sizeof where);
  uv_strerror_r(status, why, sizeof why);
  r->failures_size += (size_t)snprintf(r->failures + r->failures_size, r->failures_capacity - r->failures_size,
                                       "%s%s: %s", r->failures_size > 0 ? "; " : "", where, why);
}

void tow_uv_request_fail_noted(tow_uv_request *r) {
  tow_uv_request_fail(r, tow_uv_error(r->status), -r->status, r->failures);
}

/* ---- Finding addresses ---- */

static bool make_room(tow_uv_request *r, size_t count) {
  r->attempts = tow_loop_alloc(r->host->loop, count * sizeof *r->attempts);
  r->failures_capacity = count * (TOW_UV_ADDRESS_TEXT + 128 + 4); /* as tow_uv_request_note writes them */
  r->failures = tow_loop_alloc(r->host->loop, r->failures_capacity);
  if (!r->attempts || !r->failures) {
    tow_uv_request_fail(r, TOW_ENOMEM, 0, NULL);
    return false;
  }
  memset(r->attempts, 0, count * sizeof *r->attempts);
  return true;
}

static void found_one(tow_uv_request *r, const void *address, size_t size) {
  if (!make_room(r, 1)) return;
  memcpy(&r->attempts[0].address, address, size);
  r->count = 1;
  r->found(r);
}

/* Alternates between the first address's family and the others, each in the order of the list (RFC 8305, section 4). */
static void interleave(tow_uv_request *r, const struct addrinfo *list) {
  const struct addrinfo *at[2] = {list, list};
  for (int other = 0; at[0] || at[1]; other = !other) {
    while (at[other] && (at[other]->ai_family != list->ai_family) != other)
      at[other] = at[other]->ai_next;
    if (!at[other]) continue;
    memcpy(&r->attempts[r->count++].address, at[other]->ai_addr, at[other]->ai_addrlen);
    at[other] = at[other]->ai_next;
  }
}

static void fail_lookup(tow_uv_request *r, int status) {
  char message[sizeof r->name + 130], why[128];
  snprintf(message, sizeof message, "%s: %s", r->name, uv_strerror_r(status, why, sizeof why));
  tow_uv_request_fail(r, tow_uv_error(status), -status, message);
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *list) {
  tow_uv_request *r = lookup->data;
  r->looking_up = false;
  size_t count = 0;
  for (struct addrinfo *at = list; at; at = at->ai_next)
    count++;
  if (!r->request) {
    free_when_idle(r);
  } else if (status < 0 || count == 0) {
    fail_lookup(r, status < 0 ? status : UV_EAI_NODATA);
  } else if (make_room(r, count)) {
    interleave(r, list);
    r->found(r);
  }
  uv_freeaddrinfo(list);
}

static void look_up(tow_uv_request *r, int port) {
  char service[8];
  snprintf(service, sizeof service, "%d", port);
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  r->lookup.data = r;
  int status = uv_getaddrinfo(r->host->uv, &r->lookup, on_looked_up, r->name, service, &hints);
  r->looking_up = status == 0;
  if (status < 0) fail_lookup(r, status);
}

/* What is wrong with an address; NULL: nothing. */
static const char *fault(const tow_uv_request *r, const tow_address *a, bool is_path) {
  if (is_path) {
    if (a->host_size > 0 || a->path_size == 0) return "the address has no path";
    if (a->path_size >= sizeof r->attempts->address.un.sun_path) return "the path is too long for a socket";
    return NULL;
  }
  if (a->host_size == 0) return "the address has no host";
  if (a->host_size >= sizeof r->name) return "the host name is too long";
  if (a->port < 0) return "the address has no port";
  return a->path_size > 0 ? "the address goes on after its port" : NULL;
}

static void find_path(tow_uv_request *r, const tow_address *a) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  memcpy(un.sun_path, a->path, a->path_size);
  found_one(r, &un, sizeof un);
}

static void find_host(tow_uv_request *r, const tow_address *a) {
  tow_uv_address numeric;
  memcpy(r->name, a->host, a->host_size);
  if (tow_uv_address_from_text(r->name, a->port, &numeric))
    found_one(r, &numeric, sizeof numeric);
  else
    look_up(r, a->port);
}

void tow_uv_request_begin(tow_uv_host *host, tow_request *request, const char *text, const tow_options *options,
                          const tow_uv_scheme *scheme) {
  tow_address address;
  int error = tow_address_parse(text, &address);
  while (error == 0 && !tow_address_has_scheme(&address, scheme->name))
    if (!(++scheme)->name) error = TOW_ESCHEME;
  tow_uv_request *r = error == 0 ? tow_loop_alloc(host->loop, sizeof *r) : NULL;
  if (!r) {
    tow_host_failed_request(request, &(tow_error){error ? error : TOW_ENOMEM, 0, NULL});
    return;
  }
  *r = (tow_uv_request){.host = host, .request = request, .options = *options, .found = scheme->found};
  tow_host_set_request_data(request, r);
  tow_uv_hold(host);
  bool is_path = strcmp(scheme->name, "unix") == 0;
  const char *wrong = fault(r, &address, is_path);
  if (wrong)
    tow_uv_request_fail(r, TOW_EADDRESS, 0, wrong);
  else if (is_path)
    find_path(r, &address);
  else
    find_host(r, &address);
}
