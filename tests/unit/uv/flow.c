/* What flows: slow readers, long queues, many small writes, one read a turn, pauses. */
#include "scene.h"

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

/* Each read that fills the buffer is followed by the others' turn, not by the next read. */
static void one_read_a_turn(scene *s) {
  static char big[40000];
  s->client.kind = TOW_BUFFERED;
  int peer = join_raw(s), reads = 0;
  end *e = &s->ends[0];
  CHECK(s, send(peer, big, sizeof big, 0) == sizeof big);
  bool twice = false;
  scene_begin_wait(s);
  while (e->received < sizeof big && scene_wait(s)) {
    twice = twice || e->reads > reads + 1;
    reads = e->reads;
  }
  close(peer);
  CHECK(s, e->received == sizeof big && reads >= 10 && !twice);
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

const test flow_tests[] = {
    {"F2 20 MB to a slow reader, within the marks", slow_reader},
    {"E4 close drains a long queue", drain},
    {"W7 many small writes, one system call", small_writes},
    {"T4 one read a turn", one_read_a_turn},
    {"R2 stopping inside get_buffer", get_buffer},
    {"R1 paused: no data, no end", paused},
    {NULL, NULL},
};
