/* Connecting: addresses, names, races, time-outs, cancelling. */
#include "scene.h"

#include <netinet/tcp.h>

static int free_port(void) {
  int port = 0;
  close(raw_listen("127.0.0.1", 1, &port));
  return port;
}

static void hello(scene *s, const char *address) {
  char resolved[160], text[160];
  s->server.on = echo;
  CHECK(s, serve(s, address, NULL, resolved));
  dial(s, resolved, NULL);
  UNTIL(s, s->results == 2 && s->count == 2);
  CHECK(s, s->code == 0 && s->transport);
  end *client = s->ends[0].transport == s->transport ? &s->ends[0] : &s->ends[1];
  send_text(client, "hello");
  UNTIL(s, client->received == 5);
  CHECK(s, strcmp(client->text, "hello") == 0);
  const char *plain = strchr(resolved, ':') + (resolved[0] == 't' ? 3 : 1);
  CHECK(s, tow_transport_get_extra_info(s->transport, "peername", text, sizeof text) == (int)strlen(plain));
  CHECK(s, strcmp(text, plain) == 0);
  CHECK(s, tow_transport_get_extra_info(s->transport, "sockname", text, sizeof text) >= 0);
  CHECK(s, tow_transport_get_extra_info(s->transport, "socket", text, sizeof text) > 0 && atoi(text) > 2);
  CHECK(s, tow_transport_get_extra_info(s->transport, "url", text, sizeof text) == TOW_ENOENT);
  tow_transport_close(s->transport);
  UNTIL(s, s->lost == 2);
  CHECK(s, s->ends[0].code == 0 && s->ends[1].code == 0 && s->ends[0].ended + s->ends[1].ended == 1);
  tow_server_close(s->listening);
  CHECK(s, !tow_uv_run(s->loop));
}

static void tcp(scene *s) {
  hello(s, "tcp://127.0.0.1:0");
}

static void by_name(scene *s) {
  hello(s, "tcp://localhost:0");
}

static void tcp6(scene *s) {
  if (has_ipv6()) hello(s, "tcp://[::1]:0");
}

static void unix_path(scene *s) {
  char address[128];
  snprintf(address, sizeof address, "unix:%s/echo", s->folder);
  hello(s, address);
}

static void bad_addresses(scene *s) {
  char long_path[200] = "unix:/", long_host[400] = "tcp://";
  memset(long_path + 6, 'x', 150);
  memset(long_host + 6, 'x', 300);
  strcat(long_host, ":1");
  const struct {
    const char *text;
    int code;
  } bad[] = {
      {"", TOW_EADDRESS},
      {"tcp:", TOW_EADDRESS},
      {"tcp://127.0.0.1", TOW_EADDRESS},
      {"tcp://127.0.0.1:70000", TOW_EADDRESS},
      {"tcp://127.0.0.1:1/path", TOW_EADDRESS},
      {"tcp://:1", TOW_EADDRESS},
      {"tcp:/path", TOW_EADDRESS},
      {long_host, TOW_EADDRESS},
      {"unix:", TOW_EADDRESS},
      {"unix://host/path", TOW_EADDRESS},
      {long_path, TOW_EADDRESS},
      {"ws://127.0.0.1:1", TOW_ESCHEME},
      {"mem:x", TOW_ESCHEME},
      {"unix:/does/not/exist", TOW_ENOENT},
      {"tcp://does-not-exist.invalid:1", TOW_ENOTFOUND},
  };
  for (int i = 0; i < (int)(sizeof bad / sizeof *bad); i++) {
    char resolved[160];
    dial(s, bad[i].text, NULL);
    UNTIL(s, s->results == 2 * i + 1);
    CHECK(s, s->code == bad[i].code && !s->transport);
    CHECK(s, !serve(s, bad[i].text, NULL, resolved));
    CHECK(s, s->code == bad[i].code && s->message[0]);
  }
  CHECK(s, strcmp(s->message, "does-not-exist.invalid: unknown node or service") == 0);
  CHECK(s, s->count == 0);
}

static void refused(scene *s) {
  char address[64], want[256];
  int port = free_port();
  snprintf(address, sizeof address, "tcp://three.test:%d", port);
  dial(s, address, NULL);
  UNTIL(s, s->results == 1);
  CHECK(s, s->code == TOW_ECONNREFUSED && s->native == ECONNREFUSED);
  const char *v6 = has_ipv6() ? "connection refused" : "address not available";
  snprintf(want, sizeof want, "127.0.0.1:%d: connection refused; [::1]:%d: %s; 127.0.0.2:%d: connection refused", port,
           port, v6, port);
  CHECK(s, strcmp(s->message, want) == 0);
  CHECK(s, s->count == 0);
}

static void refused_path(scene *s) {
  char path[128], address[160];
  snprintf(path, sizeof path, "%s/plain", s->folder);
  snprintf(address, sizeof address, "unix:%s", path);
  fclose(fopen(path, "w"));
  dial(s, address, NULL);
  scene_begin_wait(s);
  while (s->results == 0 && scene_wait(s)) {
  }
  unlink(path);
  CHECK(s, s->code == TOW_ECONNREFUSED && strstr(s->message, path));
}

/* The first address refuses, the second answers. */
static void second(scene *s) {
  char address[160], text[64];
  CHECK(s, serve(s, "tcp://127.0.0.1:0", NULL, address));
  int port = port_of(address);
  snprintf(address, sizeof address, "tcp://two.test:%d", port);
  dial(s, address, NULL);
  UNTIL(s, s->results == 2);
  CHECK(s, s->code == 0);
  tow_transport_get_extra_info(s->transport, "peername", text, sizeof text);
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  CHECK(s, strcmp(text, address) == 0);
}

/* The first address says nothing: the second is tried after a quarter of a second, and wins. */
static void race(scene *s) {
  char address[160];
  if (!has_ipv6()) return;
  CHECK(s, serve(s, "tcp://127.0.0.1:0", NULL, address));
  int port = port_of(address), opened[8], silent = raw_listen("::1", 0, &port);
  CHECK(s, silent >= 0);
  raw_fill("::1", port, opened);
  double begin = tow_loop_time(s->loop);
  snprintf(address, sizeof address, "tcp://two.test:%d", port);
  dial(s, address, NULL);
  scene_begin_wait(s);
  while (s->results < 2 && scene_wait(s)) {
  }
  double took = tow_loop_time(s->loop) - begin;
  for (int i = 0; i < 8; i++)
    close(opened[i]);
  close(silent);
  CHECK(s, s->code == 0 && s->transport && took >= 249 && took < 2000);
}

static void silence(scene *s, double timeout, bool cancel) {
  char address[64];
  int port = 0, opened[8], silent = raw_listen("127.0.0.1", 0, &port);
  raw_fill("127.0.0.1", port, opened);
  snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.timeout = timeout;
  tow_request *request = dial(s, address, &options);
  for (int i = 0; i < 3 && cancel; i++)
    uv_run(tow_uv_loop(s->loop), UV_RUN_NOWAIT);
  bool early = s->results > 0;
  if (cancel && !early) tow_request_cancel(request);
  early = early || s->results > 0;
  scene_begin_wait(s);
  while (s->results == 0 && scene_wait(s)) {
  }
  for (int i = 0; i < 8; i++)
    close(opened[i]);
  close(silent);
  tow_handle_cancel(&s->guard);
  CHECK(s, !early && s->code == (cancel ? TOW_ECANCELED : TOW_ETIMEDOUT));
  CHECK(s, !tow_uv_run(s->loop) && s->results == 1 && s->count == 0);
}

static void time_out(scene *s) {
  silence(s, 30, false);
}

static void cancel_during(scene *s) {
  silence(s, 0, true);
}

static void cancel_before(scene *s) {
  char address[160], other[128];
  CHECK(s, serve(s, "tcp://127.0.0.1:0", NULL, address));
  snprintf(other, sizeof other, "unix:%s/none", s->folder);
  tow_request_cancel(dial(s, address, NULL));
  tow_request_cancel(dial(s, other, NULL));
  tow_request_cancel(dial(s, "tcp://two.test:1", NULL));

  CHECK(s, s->results == 1);
  UNTIL(s, s->results == 4);
  CHECK(s, s->code == TOW_ECANCELED && s->ends[0].made == 0);
}

/* While the name is looked up, by a look-up that cannot be stopped. */
static void cancel_lookup(scene *s) {
  tow_request *request = dial(s, "tcp://slow.test:1", NULL);
  for (int i = 0; i < 3; i++)
    uv_run(tow_uv_loop(s->loop), UV_RUN_NOWAIT);
  tow_request_cancel(request);
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.timeout = 10;
  dial(s, "tcp://slow.test:1", &options);
  UNTIL(s, s->results == 2);
  names_release();
  names_release();
  CHECK(s, s->code == TOW_ETIMEDOUT && !tow_uv_run(s->loop));
}

/* Open, but not yet told: it is aborted. */
static void cancel_late(scene *s) {
  char address[160];
  CHECK(s, serve(s, "tcp://127.0.0.1:0", NULL, address));
  tow_request *request = dial(s, address, NULL);
  scene_begin_wait(s);
  while (s->count == 0 && scene_wait(s)) {
  }
  while (s->ends[0].made == 0 && s->ends[1].made == 0 && s->results == 1 && s->count < 2)
    uv_run(tow_uv_loop(s->loop), UV_RUN_NOWAIT);
  if (s->results == 1) tow_request_cancel(request);
  UNTIL(s, s->results == 2);
}

static int option_of(tow_transport *t, int level, int name) {
  char text[16] = "";
  int value = -1;
  socklen_t size = sizeof value;
  tow_transport_get_extra_info(t, "socket", text, sizeof text);
  getsockopt(atoi(text), level, name, &value, &size);
  return value;
}

static void options(scene *s) {
  tow_options options = TOW_OPTIONS_DEFAULT;
  char address[160];
  options.nodelay = false;
  CHECK(s, serve(s, "tcp://127.0.0.1:0", &options, address));
  options.nodelay = true;
  options.keepalive = 7000;
  options.high = 100;
  dial(s, address, &options);
  UNTIL(s, s->results == 2 && s->count == 2 && s->ends[0].made && s->ends[1].made);
  tow_transport *client = s->transport;
  tow_transport *server = s->ends[0].transport == client ? s->ends[1].transport : s->ends[0].transport;
  CHECK(s, option_of(client, IPPROTO_TCP, TCP_NODELAY) == 1 && option_of(server, IPPROTO_TCP, TCP_NODELAY) == 0);
  CHECK(s, option_of(client, SOL_SOCKET, SO_KEEPALIVE) == 1 && option_of(server, SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK(s, option_of(client, IPPROTO_TCP, TCP_KEEPIDLE) == 7);
  size_t low, high;
  tow_transport_get_write_buffer_limits(client, &low, &high);
  CHECK(s, high == 100 && low == 25);
}

const test connect_tests[] = {
    {"tcp: echo, names of both ends, close", tcp},
    {"tcp: by name", by_name},
    {"tcp: IPv6", tcp6},
    {"unix: echo, names of both ends, close", unix_path},
    {"O1 bad addresses and names, connecting and listening", bad_addresses},
    {"O1 refused: every address is named, families interleaved", refused},
    {"O1 refused: a path", refused_path},
    {"O2 the second address answers", second},
    {"O2 a silent address is overtaken", race},
    {"O1 time-out", time_out},
    {"O1 cancelled before anything happened", cancel_before},
    {"O1 cancelled while connecting", cancel_during},
    {"O1 cancelled and timed out while looking up", cancel_lookup},
    {"O1 cancelled when open", cancel_late},
    {"O2 options", options},
    {NULL, NULL},
};
