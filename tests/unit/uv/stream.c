/* What flows: half-close, resets, slow readers, many small writes, one read a turn. */
#include "scene.h"

/* A client end joined to a raw peer. -1: failed. */
static int join_raw(scene *s) {
  int port = 0, listener = raw_listen("127.0.0.1", 1, &port);
  char address[64];
  snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
  int before = s->results;
  dial(s, address, NULL);
  scene_begin_wait(s);
  while (s->results == before && scene_wait(s)) {
  }
  int peer = accept(listener, NULL, NULL);
  close(listener);
  return peer;
}

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

/* ---- 20 MB to a slow reader ---- */

enum { PIECE = 50000, TOTAL = 20000000 };

static int pump(end *e, const char *event) {
  static const char piece[PIECE] = {1};
  if (strcmp(event, "PW") == 0 || strcmp(event, "DR") == 0) return 0;
  while (e->counter < TOTAL && e->paused == e->resumed) {
    e->counter += PIECE;
    tow_transport_write(e->transport, piece, PIECE);
  }
  if (e->counter == TOTAL && e->paused == e->resumed) tow_transport_close(e->transport);
  return 0;
}

static int resume(void *context) {
  tow_transport_resume_reading(((end *)context)->transport);
  return 0;
}

/* Reads a little, rests a little. */
static int sip(end *e, const char *event) {
  if (strcmp(event, "DR") != 0) return 0;
  tow_transport_pause_reading(e->transport);
  if (e->reads % 16 == 0)
    tow_loop_call_later(e->scene->loop, &e->handle, 1, resume, e);
  else
    tow_loop_call_soon(e->scene->loop, &e->handle, resume, e);
  return 0;
}

static void slow_reader(scene *s) {
  tow_server *server;
  s->client.on = pump;
  s->server.on = sip;
  size_t most = 0;
  CHECK(s, join(s, &server));
  end *writer = s->ends[0].transport == s->transport ? &s->ends[0] : &s->ends[1];
  end *reader = writer == &s->ends[0] ? &s->ends[1] : &s->ends[0];
  scene_begin_wait(s);
  do {
    size_t size = tow_transport_get_write_buffer_size(writer->transport);
    if (size > most) most = size;
  } while (s->lost < 2 && scene_wait(s));
  CHECK(s, reader->received == TOTAL && reader->ended == 1 && writer->code == 0 && reader->code == 0);
  CHECK(s, writer->paused > 3 && writer->paused == writer->resumed);
  CHECK(s, most > 0 && most <= 65536 + PIECE);
}

/* Drained in steps: the writer resumes long before everything has left [F7]. */
static void drain(scene *s) {
  char big[1000000] = {0};
  int peer = join_raw(s);
  for (int i = 0; i < 10; i++)
    tow_transport_write(s->transport, big, sizeof big);
  CHECK(s, s->ends[0].paused == 1);
  tow_transport_close(s->transport);
  uv_loop_t *uv = tow_uv_loop(s->loop);
  size_t read_size = 0;
  for (ssize_t n = 1; n > 0;) {
    for (int i = 0; i < 4; i++)
      uv_run(uv, UV_RUN_NOWAIT);
    n = recv(peer, big, sizeof big, s->lost ? 0 : MSG_DONTWAIT);
    if (n > 0) read_size += (size_t)n;
    if (n < 0 && !s->lost) n = 1;
  }
  close(peer);
  CHECK(s, read_size == 10 * sizeof big && s->lost == 1 && s->ends[0].code == 0 && s->ends[0].resumed == 1);
}

/* ---- Small writes ---- */

/* How many write calls this process has made; -1: the system does not tell. */
static long writes(void) {
  long count = -1;
  char line[64];
  FILE *file = fopen("/proc/self/io", "r");
  while (file && fgets(line, sizeof line, file))
    sscanf(line, "syscw: %ld", &count);
  if (file) fclose(file);
  return count;
}

static int chatter(end *e, const char *event) {
  if (strcmp(event, "DR") != 0) return 0;
  e->counter = (size_t)writes();
  for (int i = 0; i < 100; i++)
    send_text(e, "0123456789");
  return 0;
}

static void small_writes(scene *s) {
  s->client.on = chatter;
  int peer = join_raw(s);
  CHECK(s, write(peer, "go", 2) == 2);
  UNTIL(s, s->ends[0].reads == 1);
  long made = writes() - (long)s->ends[0].counter;
  CHECK(s, writes() < 0 || made == 1);
  char all[2000];
  ssize_t size = recv(peer, all, 1000, MSG_WAITALL);
  close(peer);
  CHECK(s, size == 1000 && memcmp(all + 990, "0123456789", 10) == 0);
}

/* ---- Reading ---- */

static uint64_t turn_of(const scene *s) {
  return s->ends[0].counter;
}

static int count_turn(void *context) {
  end *e = context;
  e->counter++;
  tow_loop_call_soon(e->scene->loop, &e->handle, count_turn, e);
  return 0;
}

/* Each read of a full buffer is followed by a turn of the others, not by the next read. */
static void one_read_a_turn(scene *s) {
  int peer = join_raw(s), size = 1 << 20;
  end *e = &s->ends[0];
  static char big[300000];
  setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  CHECK(s, send(peer, big, sizeof big, MSG_DONTWAIT) > 131072);
  tow_loop_call_soon(s->loop, &e->handle, count_turn, e);
  int reads = 0;
  uint64_t turn = 0;
  bool twice = false;
  scene_begin_wait(s);
  while (e->reads < 3 && scene_wait(s)) {
    twice = twice || e->reads > reads + 1 || (e->reads > reads && turn_of(s) == turn);
    reads = e->reads;
    turn = turn_of(s);
  }
  tow_handle_cancel(&e->handle);
  close(peer);
  CHECK(s, e->reads == 3 && !twice);
}

/* Stopping inside get_buffer, in each way: libuv must not be stopped there. */
static int stop_in_get_buffer(end *e, const char *event) {
  if (strcmp(event, "GB") != 0) return 0;
  switch (e->counter++) {
  case 0:
    tow_transport_pause_reading(e->transport);
    tow_loop_call_soon(e->scene->loop, &e->handle, resume, e);
    return 0;
  case 1:
    tow_transport_pause_reading(e->transport);
    tow_transport_resume_reading(e->transport);
    return 0;
  case 3:
    tow_transport_close(e->transport);
    return 0;
  case 13:
    tow_transport_abort(e->transport);
    return 0;
  case 23:
    return -1;
  default:
    return 0;
  }
}

static void get_buffer(scene *s) {
  for (int round = 0; round < 3; round++) {
    s->client.kind = TOW_BUFFERED;
    s->client.on = stop_in_get_buffer;
    int peer = join_raw(s);
    end *e = &s->ends[round];
    CHECK(s, write(peer, "one", 3) == 3);
    UNTIL(s, e->received == 3);
    e->counter = 3 + 10 * (size_t)round;
    CHECK(s, write(peer, "two", 3) == 3);
    UNTIL(s, e->lost == 1);
    CHECK(s, e->received == 3 && e->code == (round == 2 ? TOW_ECALLBACK : 0));
    close(peer);
  }
}

static int read_and_pause(end *e, const char *event) {
  if (strcmp(event, "DR") == 0) tow_transport_pause_reading(e->transport);
  return 0;
}

/* Paused, neither data nor the end is told; both come when it resumes. */
static void paused(scene *s) {
  s->client.on = read_and_pause;
  int peer = join_raw(s);
  end *e = &s->ends[0];
  CHECK(s, write(peer, "one", 3) == 3);
  UNTIL(s, e->received == 3);
  CHECK(s, write(peer, "two", 3) == 3);
  close(peer);
  for (int i = 0; i < 20; i++)
    uv_run(tow_uv_loop(s->loop), UV_RUN_NOWAIT);
  CHECK(s, e->received == 3 && e->ended == 0);
  tow_transport_resume_reading(e->transport);
  UNTIL(s, e->received == 6);
  tow_transport_resume_reading(e->transport);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->ended == 1 && e->code == 0);
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
    {"F2 20 MB to a slow reader, within the marks", slow_reader},
    {"E4 close drains a long queue", drain},
    {"W7 many small writes, one system call", small_writes},
    {"T4 one read a turn", one_read_a_turn},
    {"R2 stopping inside get_buffer", get_buffer},
    {"R1 paused: no data, no end", paused},
    {"E5 abort", aborted},
    {NULL, NULL},
};
