/* Datagrams: both families, sizes, errors, pauses, and a socket that is full. */
#include "scene.h"

#include <errno.h>
#include <fcntl.h>

enum { MOST = 65507 }; /* bytes that one UDP datagram carries over IPv4 */
static const char zeros[70000];

/* ---- Helpers ---- */

static void name_of(const end *e, const char *which, char name[80]) {
  snprintf(name, 80, "udp://");
  tow_transport_get_extra_info(e->transport, which, name + 6, 74);
}

/* An echo on a port of this address, and an endpoint connected to it. */
static bool talk(scene *s, const char *address, end **server, end **client) {
  char name[80];
  s->client.on = echo;
  if (!(*server = bind_endpoint(s, address))) return false;
  s->client.on = NULL;
  name_of(*server, "sockname", name);
  return (*client = connect_endpoint(s, name)) != NULL;
}

static int send_size(end *e, size_t size) {
  return tow_transport_sendto(e->transport, zeros, size, NULL);
}

/* ---- Sending and receiving ---- */

static void boundaries(scene *s, const char *address) {
  static const size_t sizes[] = {5, 0, 6, 0, MOST, 1};
  end *server, *client;
  char name[80], text[80];
  CHECK(s, talk(s, address, &server, &client));
  for (size_t i = 0; i < 6; i++) {
    CHECK(s, send_size(client, sizes[i]) == 0);
    UNTIL(s, client->reads == (int)i + 1);
  }
  CHECK(s, memcmp(client->sizes, sizes, sizeof sizes) == 0 && memcmp(server->sizes, sizes, sizeof sizes) == 0);

  /* Each knows the other: the same address as a value, as text and as extra information. */
  tow_peer peer;
  name_of(client, "sockname", name);
  CHECK(s, tow_transport_parse_peer(server->transport, name + 6, &peer) == 0 && tow_peer_equal(&peer, &server->peer));
  CHECK(s, tow_transport_format_peer(server->transport, &peer, text, sizeof text) == (int)strlen(text));
  CHECK(s, strcmp(text, name + 6) == 0);
  name_of(client, "peername", name);
  CHECK(s, tow_transport_parse_peer(client->transport, name + 6, &peer) == 0 && tow_peer_equal(&peer, &client->peer));
  CHECK(s, tow_transport_sendto(client->transport, "x", 1, &peer) == 0);
  CHECK(s, tow_transport_sendto(client->transport, "x", 1, &server->peer) == TOW_EINVAL);
  CHECK(s, tow_transport_get_extra_info(server->transport, "peername", text, sizeof text) == TOW_ENOENT);
  CHECK(s, tow_transport_get_extra_info(client->transport, "socket", text, sizeof text) > 0 && atoi(text) > 2);
  tow_transport_close(client->transport);
  tow_transport_close(server->transport);
  CHECK(s, send_size(client, 5) == 0);
  CHECK(s, !tow_uv_run(s->loop) && s->lost == 2 && client->code == 0 && server->code == 0);
}

static void udp4(scene *s) {
  boundaries(s, "udp://127.0.0.1:0");
}

static void udp6(scene *s) {
  if (has_ipv6()) boundaries(s, "udp://[::1]:0");
}

static void by_name(scene *s) {
  boundaries(s, "udp://localhost:0");
}

/* Two bound endpoints, one of which says where to. */
static void bound(scene *s) {
  char name[80];
  tow_peer peer;
  s->client.on = echo;
  end *a = bind_endpoint(s, "udp://127.0.0.1:0");
  s->client.on = NULL;
  end *b = bind_endpoint(s, "udp://127.0.0.1:0");
  CHECK(s, a && b);
  name_of(a, "sockname", name);
  CHECK(s, tow_transport_parse_peer(b->transport, name + 6, &peer) == 0);
  CHECK(s, tow_transport_sendto(b->transport, "hello", 5, &peer) == 0 && send_size(b, 5) == TOW_EINVAL);
  UNTIL(s, b->reads == 1);
  CHECK(s, strcmp(b->text, "hello") == 0 && tow_peer_equal(&b->peer, &peer));
  /* A peer of another kind goes to error_received, and nothing else happens. */
  peer.bytes[0] = 9;
  CHECK(s, tow_transport_sendto(b->transport, "hello", 5, &peer) == 0);
  CHECK(s, tow_transport_format_peer(b->transport, &peer, name, sizeof name) == TOW_EADDRESS);
  UNTIL(s, b->errors == 1);
  CHECK(s, b->code == TOW_EINVAL && b->native == EINVAL);
}

static void bad_addresses(scene *s) {
  static const struct {
    const char *text;
    int code;
  } bad[] = {
      {"udp://127.0.0.1", TOW_EADDRESS}, {"udp://:1", TOW_EADDRESS}, {"udp://127.0.0.1:1/path", TOW_EADDRESS},
      {"udp:/path", TOW_EADDRESS},       {"ws://a:1", TOW_ESCHEME},  {"udp://does-not-exist.invalid:1", TOW_ENOTFOUND},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(s, !connect_endpoint(s, bad[i].text) && s->code == bad[i].code && s->message[0]);
    CHECK(s, !bind_endpoint(s, bad[i].text) && s->code == bad[i].code && s->message[0]);
  }
  CHECK(s, !bind_endpoint(s, "tcp://127.0.0.1:0") && s->code == TOW_ESCHEME);
  CHECK(s, !bind_endpoint(s, "udp://192.0.2.1:0") && s->code == TOW_EADDRNOTAVAIL && s->native == EADDRNOTAVAIL);
  char name[160];
  CHECK(s, !serve(s, "udp://127.0.0.1:0", NULL, name) && s->code == TOW_ESCHEME);
  end *e = bind_endpoint(s, "udp://127.0.0.1:0");
  CHECK(s, e);
  name_of(e, "sockname", name);
  CHECK(s, !bind_endpoint(s, name) && s->code == TOW_EADDRINUSE);

  static const char *const peers[] = {"",  "127.0.0.1", "localhost:1", "127.0.0.1:70000", "127.0.0.1:1/",
                                      ":", "[::1]:1",   "a@b:1",       "127.0.0.1:1 ",    zeros};
  tow_peer peer = {.size = 1};
  char huge[500];
  memset(huge, '1', sizeof huge - 1);
  huge[sizeof huge - 1] = '\0';
  for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
    CHECK(s, tow_transport_parse_peer(e->transport, peers[i], &peer) == TOW_EADDRESS);
  CHECK(s, tow_transport_parse_peer(e->transport, huge, &peer) == TOW_EADDRESS && peer.size == 1);
}

/* ---- Errors ---- */

/* Nobody is there: told again and again, the endpoint lives on. */
static void refused(scene *s) {
  char name[80];
  end *e = bind_endpoint(s, "udp://127.0.0.1:0");
  CHECK(s, e);
  name_of(e, "sockname", name);
  tow_transport_close(e->transport);
  UNTIL(s, s->lost == 1);
  turns(s, 2);
  CHECK(s, (e = connect_endpoint(s, name)));
  for (int i = 1; i <= 3; i++) {
    send_size(e, 5);
    CHECK(s, e->errors == i - 1);
    UNTIL(s, e->errors == i);
    CHECK(s, e->code == TOW_ECONNREFUSED && e->native == ECONNREFUSED && e->lost == 0);
  }
  /* Found by the second send, told before the end. */
  send_size(e, 5);
  send_size(e, 5);
  tow_transport_close(e->transport);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->errors == 4);
}

static void oversize(scene *s) {
  end *server, *client;
  CHECK(s, talk(s, "udp://127.0.0.1:0", &server, &client));
  CHECK(s, send_size(client, 70000) == 0 && client->errors == 0);
  UNTIL(s, client->errors == 1);
  CHECK(s, client->code == TOW_EMSGSIZE && client->native == EMSGSIZE && client->peer.size == 0);
  send_size(client, MOST + 1);
  send_size(client, MOST);
  UNTIL(s, client->reads == 1);
  CHECK(s, client->errors == 2 && client->sizes[0] == MOST && server->errors == 0);
  tow_peer peer = server->peer;
  tow_transport_sendto(server->transport, zeros, 70000, &peer);
  UNTIL(s, server->errors == 1);
  CHECK(s, server->code == TOW_EMSGSIZE && tow_peer_equal(&server->peer, &peer));
}

/* ---- Pausing and closing ---- */

static int pause_at_once(end *e, const char *event) {
  if (strcmp(event, "DG") == 0) tow_transport_pause_reading(e->transport);
  return 0;
}

static void paused(scene *s) {
  end *server, *client;
  CHECK(s, talk(s, "udp://127.0.0.1:0", &server, &client));
  client->on = pause_at_once;
  for (int i = 0; i < 5; i++)
    send_size(client, (size_t)i);
  for (int i = 1; i <= 5; i++) {
    UNTIL(s, client->reads == i);
    turns(s, 10);
    CHECK(s, client->reads == i && client->sizes[i - 1] == (size_t)i - 1);
    tow_transport_resume_reading(client->transport);
  }
}

static int pause_in_made(end *e, const char *event) {
  if (strcmp(event, "CM") == 0) tow_transport_pause_reading(e->transport);
  return 0;
}

/* What waits while reading is off costs nothing: an error that waits too. */
static void paused_error(scene *s) {
  s->client.on = pause_in_made;
  end *server, *client;
  CHECK(s, talk(s, "udp://127.0.0.1:0", &server, &client));
  tow_transport_pause_reading(client->transport);
  tow_transport_close(server->transport);
  UNTIL(s, s->lost == 1);
  turns(s, 2);
  send_size(client, 1);
  turns(s, 10);
  CHECK(s, client->errors == 0);
  tow_transport_resume_reading(client->transport);
  UNTIL(s, client->errors == 1);
  CHECK(s, client->code == TOW_ECONNREFUSED);
}

static int close_at_once(end *e, const char *event) {
  if (strcmp(event, "DG") == 0) tow_transport_close(e->transport);
  return 0;
}

static void closed(scene *s) {
  end *server, *client;
  CHECK(s, talk(s, "udp://127.0.0.1:0", &server, &client));
  client->on = close_at_once;
  for (int i = 0; i < 5; i++)
    send_size(client, 5);
  UNTIL(s, client->lost == 1);
  turns(s, 10);
  CHECK(s, client->reads == 1 && client->code == 0);
}

static void one_a_turn(scene *s) {
  end *server, *client;
  CHECK(s, talk(s, "udp://127.0.0.1:0", &server, &client));
  for (int i = 0; i < 20; i++)
    send_size(client, 5);
  for (int before = 0; server->reads < 20; before = server->reads) {
    turns(s, 1);
    CHECK(s, server->reads <= before + 1);
  }
}

/* ---- A socket that is full ----
 * A UDP socket on loopback never is. In its place comes a Unix one, under the same number, whose peer does not read. */

static int fill(end *e) {
  char text[16] = "";
  int pair[2] = {-1, -1}, least = 1;
  tow_transport_get_extra_info(e->transport, "socket", text, sizeof text);
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
  dup3(pair[0], atoi(text), O_CLOEXEC);
  close(pair[0]);
  char more[1] = {0};
  while (send(atoi(text), more, 1, 0) == 1) {
  }
  return pair[1];
}

/* Counts the datagrams that have come, all of one size; -1: another one was among them. */
static int count(int fd, ssize_t size) {
  char data[70000];
  int n = 0;
  for (ssize_t got; (got = recv(fd, data, sizeof data, 0)) >= 0;) {
    if (got == 1) continue; /* fill's */
    if (got != size) return -1;
    n++;
  }
  return n;
}

static int count_to_end(scene *s, const end *e, int fd, ssize_t size) {
  int n = count(fd, size);
  scene_begin_wait(s);
  while (!e->lost && scene_wait(s))
    n += count(fd, size);
  tow_handle_cancel(&s->guard);
  return n + count(fd, size);
}

static void full(scene *s) {
  end *e = connect_endpoint(s, "udp://127.0.0.1:9");
  CHECK(s, e);
  int far = fill(e), arrived = 0;
  for (int i = 0; i < 100; i++)
    send_size(e, 1000);
  size_t held = tow_transport_get_write_buffer_size(e->transport);
  turns(s, 5);
  bool ok = held == 100 * 1008 && e->paused == 1 && e->resumed == 0 && e->errors == 0;
  for (int i = 0; i < 1000 && e->resumed == 0; i++) {
    arrived += count(far, 1000);
    turns(s, 1);
  }
  ok = ok && e->resumed == 1 && tow_transport_get_write_buffer_size(e->transport) <= 16384;
  tow_transport_close(e->transport);
  ok = ok && !e->lost;
  arrived += count_to_end(s, e, far, 1000);
  close(far);
  CHECK(s, ok && e->lost == 1 && e->code == 0 && arrived == 100);
}

/* Too long in the middle of the queue: told, and the next ones leave. */
static void full_and_too_long(scene *s) {
  end *e = connect_endpoint(s, "udp://127.0.0.1:9");
  CHECK(s, e);
  int far = fill(e), arrived;
  send_size(e, 500);
  send_size(e, 70000);
  send_size(e, 500);
  tow_transport_close(e->transport);
  arrived = count_to_end(s, e, far, 500);
  close(far);
  CHECK(s, e->lost == 1 && e->errors == 1 && e->code == TOW_EMSGSIZE && arrived == 2);
}

static void full_and_aborted(scene *s) {
  end *e = connect_endpoint(s, "udp://127.0.0.1:9");
  CHECK(s, e);
  int far = fill(e);
  send_size(e, 500);
  tow_transport_abort(e->transport);
  scene_begin_wait(s);
  while (!e->lost && scene_wait(s)) {
  }
  int arrived = count(far, 500);
  close(far);
  CHECK(s, e->lost == 1 && e->code == 0 && arrived == 0);
}

/* ---- The rest ---- */

static int again(end *e, const char *event) {
  if (strcmp(event, "DG") == 0 && ++e->counter < 2000) send_size(e, 1000);
  return 0;
}

static void steady(scene *s) {
  scene_count_allocations(s);
  end *server, *client;
  CHECK(s, talk(s, "udp://127.0.0.1:0", &server, &client));
  client->on = again;
  send_size(client, 1000);
  UNTIL(s, client->reads >= 100);
  size_t before = s->allocations;
  UNTIL(s, client->reads == 2000);
  CHECK(s, s->allocations == before);
}

static void cancelled(scene *s) {
  s->client.kind = TOW_DATAGRAM;
  for (int i = 0; i < 2; i++) {
    tow_request_cancel(tow_loop_bind(s->loop, i ? "udp://slow.test:1" : "udp://127.0.0.1:0", NULL,
                                     scene_factory(&s->client), NULL, s));
    turns(s, 3);
  }
  names_release();
  CHECK(s, !tow_uv_run(s->loop) && s->lost == s->count);
}

const test udp_tests[] = {
    {"D1 udp: echo, boundaries, peers", udp4},
    {"D1 udp: IPv6", udp6},
    {"D1 udp: by name", by_name},
    {"D2 udp: bound endpoints", bound},
    {"D2 udp: bad addresses, bad peers", bad_addresses},
    {"D3 udp: refused", refused},
    {"D3 udp: too long", oversize},
    {"R1 udp: paused", paused},
    {"R1 udp: paused, an error waits", paused_error},
    {"R2 udp: closed in a callback", closed},
    {"T4 udp: one a turn", one_a_turn},
    {"D5 udp: a full socket: pauses, resumes, close flushes", full},
    {"D3 udp: a full socket, and one is too long", full_and_too_long},
    {"D4 udp: a full socket, aborted", full_and_aborted},
    {"udp: no allocation for a datagram", steady},
    {"O1 udp: cancelled", cancelled},
    {NULL, NULL},
};
