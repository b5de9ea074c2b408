/* How connections end: half-close, resets, abort. */
#include "scene.h"

/* Answers at the end of the stream, and keeps its side open. */
static int on_end(end *e, const char *event) {
  if (strcmp(event, "ER") != 0) return 0;
  send_text(e, "late");
  tow_transport_write_eof(e->transport);
  return 1;
}

static void half_close(scene *s) {
  tow_server *server;
  s->server.on = on_end;
  s->client.on = on_end;
  CHECK(s, join(s, &server));
  end *client = s->ends[0].transport == s->transport ? &s->ends[0] : &s->ends[1];
  end *other = client == &s->ends[0] ? &s->ends[1] : &s->ends[0];
  send_text(client, "early");
  tow_transport_write_eof(client->transport);
  CHECK(s, tow_transport_write(client->transport, "x", 1) == TOW_ESHUTDOWN);
  UNTIL(s, client->ended == 1);
  CHECK(s, strcmp(other->text, "early") == 0 && strcmp(client->text, "late") == 0);
  CHECK(s, !tow_transport_is_closing(client->transport) && other->lost == 0);
  tow_transport_close(client->transport);
  tow_transport_close(other->transport);
  UNTIL(s, s->lost == 2);
  CHECK(s, client->code == 0 && other->code == 0);
}

/* The peer writes on after our end of stream. */
static void half_open(scene *s) {
  int peer = join_raw(s);
  char byte;
  tow_transport_write_eof(s->transport);
  scene_wait(s);
  CHECK(s, peer >= 0 && read(peer, &byte, 1) == 0);
  CHECK(s, write(peer, "after", 5) == 5);
  UNTIL(s, s->ends[0].received == 5);
  close(peer);
  UNTIL(s, s->lost == 1);
  CHECK(s, s->ends[0].code == 0 && s->ends[0].ended == 1);
}

/* A reset ends one connection with its error; the other one lives on. */
static void reset(scene *s) {
  int first = join_raw(s), other = join_raw(s);
  raw_reset(first);
  UNTIL(s, s->lost == 1);
  CHECK(s, s->ends[0].code == TOW_ECONNRESET && s->ends[0].native == ECONNRESET && s->ends[0].ended == 0);
  char text[64];
  CHECK(s, tow_transport_get_extra_info(s->ends[0].transport, "peername", text, sizeof text) == TOW_ENOENT);
  CHECK(s, write(other, "well", 4) == 4);
  UNTIL(s, s->ends[1].received == 4);
  close(other);
  UNTIL(s, s->lost == 2);
  CHECK(s, s->ends[1].code == 0);
}

static int note_peer(end *e, const char *event) {
  if (strcmp(event, "CL") == 0) tow_transport_get_extra_info(e->transport, "peername", e->buffer, sizeof e->buffer);
  return 0;
}

/* connection_lost can still say whose connection it was. */
static void reset_peername(scene *s) {
  s->client.on = note_peer;
  int peer = join_raw(s);
  raw_reset(peer);
  UNTIL(s, s->lost == 1);
  CHECK(s, strncmp(s->ends[0].buffer, "127.0.0.1:", 10) == 0);
}

/* Writing to a peer that has gone is an error of the connection, now or when the queue is sent. */
static void write_after_reset(scene *s) {
  char big[100000] = {0};
  int peer = join_raw(s);
  tow_transport_pause_reading(s->transport);
  tow_transport_write(s->transport, big, sizeof big);
  raw_reset(peer);
  for (int i = 0; i < 10; i++)
    tow_transport_write(s->transport, big, sizeof big);
  UNTIL(s, s->lost == 1);
  CHECK(s, s->ends[0].code == TOW_ECONNRESET || s->ends[0].code == TOW_EPIPE);

  peer = join_raw(s);
  tow_transport_pause_reading(s->transport);
  for (int i = 0; i < 100; i++)
    tow_transport_write(s->transport, big, sizeof big);
  CHECK(s, s->lost == 1 && tow_transport_get_write_buffer_size(s->transport) > 0);
  raw_reset(peer);
  UNTIL(s, s->lost == 2);
  CHECK(s, s->ends[1].code == TOW_ECONNRESET || s->ends[1].code == TOW_EPIPE);
}

/* Abort drops what is queued and does not wait for the peer. */
static void aborted(scene *s) {
  char big[1000000] = {0};
  int peer = join_raw(s);
  for (int i = 0; i < 10; i++)
    tow_transport_write(s->transport, big, sizeof big);
  CHECK(s, tow_transport_get_write_buffer_size(s->transport) > 0);
  tow_transport_abort(s->transport);
  CHECK(s, s->lost == 0);
  UNTIL(s, s->lost == 1);
  close(peer);
  CHECK(s, s->ends[0].code == 0);
}

const test stream_tests[] = {
    {"E3 half-close both ways", half_close},
    {"E2 the peer writes on after write_eof", half_open},
    {"E6 reset in the middle", reset},
    {"E6 reset: the peer's name is still known", reset_peername},
    {"H6 writing to a peer that has gone", write_after_reset},
    {"E5 abort", aborted},
    {NULL, NULL},
};
