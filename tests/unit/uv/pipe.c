/* Pipes on descriptors. */
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { MEGABYTE = 1000000 };
static const char zeros[MEGABYTE];

/* ---- Helpers ---- */

/* A pipe, of which this side is a transport's; `far` is the other side, which does not block. */
static end *open_side(scene *s, bool reads, int fds[2], int *far) {
  int ours = reads ? fds[0] : fds[1], error;
  *far = reads ? fds[1] : fds[0];
  fcntl(*far, F_SETFL, O_NONBLOCK);
  error = (reads ? tow_loop_connect_read_pipe : tow_loop_connect_write_pipe)(s->loop, ours, scene_factory(&s->client),
                                                                             &s->transport);
  return error == 0 && s->transport ? &s->ends[s->count - 1] : NULL;
}

static end *reader(scene *s, int *far) {
  int fds[2];
  return pipe2(fds, O_CLOEXEC) < 0 ? NULL : open_side(s, true, fds, far);
}

static end *writer(scene *s, int *far) {
  int fds[2];
  return pipe2(fds, O_CLOEXEC) < 0 ? NULL : open_side(s, false, fds, far);
}

static size_t drain(int fd) {
  static char data[65536];
  size_t all = 0;
  for (ssize_t size; (size = read(fd, data, sizeof data)) > 0;)
    all += (size_t)size;
  return all;
}

static bool is_at_end(int fd) {
  char byte;
  return read(fd, &byte, 1) == 0;
}

/* ---- Reading ---- */

static int answer_true(end *e, const char *event) {
  (void)e;
  return strcmp(event, "ER") == 0;
}

/* What eof_received answers does not matter [E3]. */
static void read_to_end(scene *s) {
  for (int i = 0; i < 2; i++) {
    int far;
    char text[16];
    s->client.on = i ? answer_true : NULL;
    end *e = reader(s, &far);
    CHECK(s, e && e->made == 0);
    CHECK(s, tow_transport_get_extra_info(s->transport, "pipe", text, sizeof text) > 0 && atoi(text) > 2);
    CHECK(s, write(far, "hello", 5) == 5);
    UNTIL(s, e->received == 5);
    CHECK(s, strcmp(e->text, "hello") == 0);
    CHECK(s, tow_transport_write(e->transport, "x", 1) == TOW_ENOTSUP && !tow_transport_can_write_eof(e->transport));
    CHECK(s, write(far, "bye", 3) == 3);
    close(far);
    UNTIL(s, e->lost == 1);
    CHECK(s, e->received == 8 && e->ended == 1 && e->code == 0);
  }
  CHECK(s, !tow_uv_run(s->loop));
}

static void read_buffered(scene *s) {
  int far;
  s->client.kind = TOW_BUFFERED;
  end *e = reader(s, &far);
  CHECK(s, e && write(far, zeros, 20000) == 20000);
  close(far);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->received == 20000 && e->reads >= 5 && e->ended == 1);
}

static void read_paused(scene *s) {
  int far;
  end *e = reader(s, &far);
  CHECK(s, e);
  tow_transport_pause_reading(s->transport);
  CHECK(s, write(far, "hello", 5) == 5);
  close(far);
  turns(s, 10);
  CHECK(s, e->made == 1 && e->received == 0 && e->ended == 0);
  tow_transport_resume_reading(e->transport);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->received == 5 && e->ended == 1 && e->code == 0);
}

static void read_closed(scene *s) {
  int far;
  end *e = reader(s, &far);
  CHECK(s, e && write(far, "hello", 5) == 5);
  tow_transport_close(s->transport);
  UNTIL(s, e->lost == 1);
  turns(s, 2);
  CHECK(s, e->received == 0 && e->ended == 0);
  CHECK(s, write(far, "x", 1) < 0 && errno == EPIPE);
  close(far);
}

/* A terminal that is hung up is an error to its reader, as to any read(). */
static void read_terminal(scene *s) {
  int far = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(s, far >= 0 && grantpt(far) == 0 && unlockpt(far) == 0);
  int slave = open(ptsname(far), O_RDWR | O_NOCTTY | O_CLOEXEC), fds[2] = {far, slave}, other;
  end *e = open_side(s, true, fds, &other);
  CHECK(s, e && write(slave, "hello\n", 6) == 6);
  UNTIL(s, e->received == 7);
  close(slave);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->code == TOW_EIO && e->native == EIO && e->ended == 0);
}

/* ---- Writing ---- */

static void write_all(scene *s) {
  int far;
  end *e = writer(s, &far);
  CHECK(s, e);
  CHECK(s, tow_transport_write(e->transport ? e->transport : s->transport, zeros, MEGABYTE) == 0);
  CHECK(s, e->made == 0 || e->paused == 1);
  CHECK(s, tow_transport_can_write_eof(s->transport) && tow_transport_write_eof(s->transport) == 0);
  CHECK(s, tow_transport_is_closing(s->transport));
  size_t all = 0;
  scene_begin_wait(s);
  do
    all += drain(far);
  while (!e->lost && scene_wait(s));
  turns(s, 2);
  all += drain(far);
  bool ended = is_at_end(far);
  close(far);
  CHECK(s, all == MEGABYTE && e->lost == 1 && e->code == 0 && ended);
}

/* One pause, one resume. */
static void write_flow(scene *s) {
  int far;
  end *e = writer(s, &far);
  CHECK(s, e);
  size_t sent = 0, all = 0;
  turns(s, 1);
  for (; e->paused == 0; sent += 65536)
    tow_transport_write(e->transport, zeros, 65536);
  turns(s, 10);
  CHECK(s, e->resumed == 0);
  scene_begin_wait(s);
  do
    all += drain(far);
  while (e->resumed == 0 && scene_wait(s));
  tow_transport_close(e->transport);
  UNTIL(s, e->lost == 1);
  all += drain(far);
  close(far);
  CHECK(s, all == sent && e->paused == 1 && e->resumed == 1 && e->code == 0);
}

static int pair(int fds[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
}

/* The reader goes: of a pipe, of a socket; with nothing queued, and with something [E7]. */
static void reader_goes(scene *s) {
  for (int i = 0; i < 4; i++) {
    int fds[2], far;
    bool queued = i % 2;
    CHECK(s, (i < 2 ? pipe2(fds, O_CLOEXEC) : pair(fds)) == 0);
    end *e = open_side(s, false, fds, &far);
    CHECK(s, e);
    UNTIL(s, e->made == 1);
    if (queued) tow_transport_write(e->transport, zeros, MEGABYTE);
    turns(s, 5);
    CHECK(s, e->lost == 0 && !tow_transport_is_closing(e->transport));
    close(far);
    UNTIL(s, e->lost == 1);
    CHECK(s, e->code == (queued ? TOW_EPIPE : 0));
  }
  CHECK(s, !tow_uv_run(s->loop));
}

/* Gone when it is written to, and gone while it is being flushed. */
static void reader_gone(scene *s) {
  int far;
  end *e = writer(s, &far);
  CHECK(s, e);
  turns(s, 1);
  close(far);
  CHECK(s, tow_transport_write(e->transport, "x", 1) == 0);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->code == TOW_EPIPE && e->native == EPIPE);
  e = writer(s, &far);
  CHECK(s, e);
  turns(s, 1);
  tow_transport_write(e->transport, zeros, MEGABYTE);
  tow_transport_close(e->transport);
  turns(s, 5);
  close(far);
  UNTIL(s, e->lost == 1);
  CHECK(s, e->code == TOW_EPIPE && e->resumed == 0);
}

/* What comes the other way on a socket is not the reader's going. */
static void not_gone(scene *s) {
  int fds[2], far;
  CHECK(s, pair(fds) == 0);
  end *e = open_side(s, false, fds, &far);
  CHECK(s, e && send(far, "hello", 5, 0) == 5);
  turns(s, 10);
  CHECK(s, e->made == 1 && e->lost == 0 && e->received == 0);
  send_text(e, "bye");
  char text[4] = "";
  CHECK(s, recv(far, text, 3, 0) == 3);
  close(far);
}

static void write_aborted(scene *s) {
  int far;
  end *e = writer(s, &far);
  CHECK(s, e);
  turns(s, 1);
  tow_transport_write(e->transport, zeros, MEGABYTE);
  tow_transport_abort(e->transport);
  UNTIL(s, e->lost == 1);
  turns(s, 2);
  size_t all = drain(far);
  bool ended = is_at_end(far);
  close(far);
  CHECK(s, all > 0 && all < MEGABYTE && e->code == 0 && ended);
}

static void fifo(scene *s) {
  char path[80];
  snprintf(path, sizeof path, "%s/fifo", s->folder);
  CHECK(s, mkfifo(path, 0600) == 0);
  int fds[2] = {open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
  unlink(path);
  CHECK(s, tow_loop_connect_read_pipe(s->loop, fds[0], scene_factory(&s->client), NULL) == 0);
  CHECK(s, tow_loop_connect_write_pipe(s->loop, fds[1], scene_factory(&s->server), NULL) == 0);
  end *to = &s->ends[0], *from = &s->ends[1];
  UNTIL(s, from->made == 1);
  send_text(from, "hello");
  tow_transport_close(from->transport);
  UNTIL(s, to->lost == 1);
  CHECK(s, strcmp(to->text, "hello") == 0 && to->ended == 1);
}

/* ---- Bad descriptors: they stay the caller's ---- */

static void bad(scene *s) {
  static const tow_kind unsuited = TOW_DATAGRAM;
  int fds[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDWR | O_CLOEXEC);
  tow_factory factory = scene_factory(&s->client);
  CHECK(s, pipe2(fds, O_CLOEXEC) == 0);
  CHECK(s, tow_loop_connect_read_pipe(s->loop, -1, factory, NULL) == TOW_EBADF);
  CHECK(s, tow_loop_connect_write_pipe(s->loop, 1000, factory, NULL) == TOW_EBADF);
  CHECK(s, tow_loop_connect_read_pipe(s->loop, fds[1], factory, NULL) == TOW_EBADF);
  CHECK(s, tow_loop_connect_write_pipe(s->loop, fds[0], factory, NULL) == TOW_EBADF);
  CHECK(s, tow_loop_connect_read_pipe(s->loop, file, factory, NULL) == TOW_EPERM);
  CHECK(s, tow_loop_connect_write_pipe(s->loop, null, factory, NULL) == TOW_EPERM);
  s->client.kind = unsuited;
  CHECK(s, tow_loop_connect_read_pipe(s->loop, fds[0], factory, NULL) == TOW_ENOMEM);
  s->count = 0; /* the factory's, which was not used */
  CHECK(s, !tow_uv_run(s->loop) && write(fds[1], "x", 1) == 1);
  char byte;
  CHECK(s, read(fds[0], &byte, 1) == 1);
  CHECK(s, close(fds[0]) == 0 && close(fds[1]) == 0 && close(file) == 0 && close(null) == 0);
}

static int again(end *e, const char *event) {
  if (strcmp(event, "DR") == 0 && ++e->counter < 1000) send_text(&e->scene->ends[1], "0123456789");
  return 0;
}

static void steady(scene *s) {
  int fds[2];
  scene_count_allocations(s);
  s->client.on = again;
  CHECK(s, pipe2(fds, O_CLOEXEC) == 0);
  CHECK(s, tow_loop_connect_read_pipe(s->loop, fds[0], scene_factory(&s->client), NULL) == 0);
  CHECK(s, tow_loop_connect_write_pipe(s->loop, fds[1], scene_factory(&s->server), NULL) == 0);
  UNTIL(s, s->ends[1].made == 1);
  send_text(&s->ends[1], "0123456789");
  UNTIL(s, s->ends[0].counter >= 100);
  size_t before = s->allocations;
  UNTIL(s, s->ends[0].counter == 1000);
  CHECK(s, s->allocations == before);
}

const test pipe_tests[] = {
    {"E3 pipe: read to its end", read_to_end},
    {"B7 pipe: buffered", read_buffered},
    {"R1 pipe: paused", read_paused},
    {"E4 pipe: a reader closes", read_closed},
    {"E6 pipe: a terminal is hung up", read_terminal},
    {"E2 pipe: write_eof flushes and closes", write_all},
    {"F2 pipe: one pause, one resume", write_flow},
    {"E7 pipe: the reader goes", reader_goes},
    {"E7 pipe: the reader is gone when it is written to", reader_gone},
    {"E7 pipe: bytes the other way", not_gone},
    {"E5 pipe: abort", write_aborted},
    {"pipe: a FIFO, both sides", fifo},
    {"pipe: bad descriptors", bad},
    {"pipe: no allocation for a chunk", steady},
    {NULL, NULL},
};
