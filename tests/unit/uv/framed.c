/* Towline framing over TCP, both ends native. */
#include "scene.h"

#include "towline/framing.h"

static bool join_framed(scene *s, end **client, end **server) {
  char address[160];
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.layers = &tow_framing_default.layering;
  if (!serve(s, "tcp://127.0.0.1:0", &options, address) || !dial(s, address, &options)) return false;
  scene_begin_wait(s);
  while (!(s->count == 2 && s->ends[0].made && s->ends[1].made && s->results == 2) && scene_wait(s)) {
  }
  if (s->count != 2 || s->code != 0) return false;
  *client = s->ends[0].transport == s->transport ? &s->ends[0] : &s->ends[1];
  *server = *client == &s->ends[0] ? &s->ends[1] : &s->ends[0];
  return true;
}

static int stay_open(end *e, const char *event) {
  (void)e;
  return strcmp(event, "ER") == 0;
}

static void half_close(scene *s) {
  end *client, *server;
  char value[64];
  s->client.on = s->server.on = stay_open;
  CHECK(s, join_framed(s, &client, &server));
  CHECK(s, tow_framing_is_on(client->transport));
  CHECK(s, tow_transport_get_extra_info(client->transport, "peername", value, sizeof value) > 0);
  CHECK(s, tow_transport_get_extra_info(client->transport, "read_backpressure", value, sizeof value) == 6);
  CHECK(s, strcmp(value, "credit") == 0);
  send_text(client, "early");
  CHECK(s, tow_transport_write_eof(client->transport) == 0);
  UNTIL(s, server->ended == 1);
  CHECK(s, strcmp(server->text, "early") == 0 && server->lost == 0);
  send_text(server, "late");
  tow_transport_close(server->transport);
  UNTIL(s, server->lost == 1 && client->ended == 1);
  CHECK(s, strcmp(client->text, "late") == 0 && client->lost == 0);
  tow_transport_close(client->transport);
  UNTIL(s, client->lost == 1);
  CHECK(s, client->code == 0 && server->code == 0);
}

enum { PIECE = 50000, TOTAL = 5000000 };

static int pump(end *e, const char *event) {
  static const char piece[PIECE] = {1};
  if (strcmp(event, "CM") != 0 && strcmp(event, "RW") != 0) return 0;
  while (e->counter < TOTAL && e->paused == e->resumed) {
    e->counter += PIECE;
    tow_transport_write(e->transport, piece, PIECE);
  }
  if (e->counter == TOTAL && e->paused == e->resumed) tow_transport_close(e->transport);
  return 0;
}

static int rest(end *e, const char *event) {
  if (strcmp(event, "CM") == 0) tow_transport_pause_reading(e->transport);
  return 0;
}

/* The writer stops at its own marks, with no more than a window on its way. */
static void held_back(scene *s) {
  end *client, *server;
  s->client.on = pump;
  s->server.on = rest;
  CHECK(s, join_framed(s, &client, &server));
  UNTIL(s, client->paused == client->resumed + 1);
  turns(s, 20);
  CHECK(s, client->counter - tow_transport_get_write_buffer_size(client->transport) <= tow_framing_default.window);
  tow_transport_resume_reading(server->transport);
  UNTIL(s, server->ended == 1 && client->lost == 1 && server->lost == 1);
  CHECK(s, server->received == TOTAL && client->code == 0 && server->code == 0);
}

static void why(scene *s) {
  end *client, *server;
  CHECK(s, join_framed(s, &client, &server));
  CHECK(s, tow_framing_reset(client->transport, 4711, "enough") == 0);
  UNTIL(s, server->lost == 1 && client->lost == 1);
  CHECK(s, server->code == TOW_ECONNRESET && server->native == 4711 && client->code == 0);
}

const test framing_tests[] = {
    {"framing over TCP: E1 E2 E3 both ways", half_close},
    {"framing over TCP: a reader that rests holds the writer back", held_back},
    {"framing over TCP: a reset says why", why},
    {NULL, NULL},
};
