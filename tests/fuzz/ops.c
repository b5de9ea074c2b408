/* What protocols do to their transports, from inside callbacks and from outside, also after connection_lost. */
#include "world.h"

uint8_t byte(world *w) {
  return w->next < w->end ? *w->next++ : 0;
}

size_t size_of(world *w) {
  uint8_t choice = byte(w);
  if (choice < 200) return choice % (choice < 100 ? 4 : 50);
  if (choice < 254 || w->large == 2) return (size_t)byte(w) * 8;
  w->large++;
  return (size_t)byte(w) * 300;
}

unsigned char *payload(const world *w, size_t offset, size_t size) {
  unsigned char *bytes = malloc(size ? size : 1);
  if (!bytes) abort();
  for (size_t done = 0; done < size;) {
    size_t at = (offset + done) % PERIOD, part = size - done < PERIOD ? size - done : PERIOD;
    memcpy(bytes + done, w->pattern + at, part);
    done += part;
  }
  return bytes;
}

bool is_payload(const world *w, size_t offset, const void *data, size_t size) {
  const unsigned char *bytes = data;
  for (size_t done = 0; done < size;) {
    size_t at = (offset + done) % PERIOD, part = size - done < PERIOD ? size - done : PERIOD;
    if (memcmp(bytes + done, w->pattern + at, part) != 0) return false;
    done += part;
  }
  return true;
}

/* Every call of the library that a protocol may make goes through this: none but pause_writing may be entered [L3]. */
#define CALL(c, expression) ((c)->world->calls++, (expression), (c)->world->calls--)

/* ---- Writing ---- */

/* What is dropped does not count [W1, W5]. What is taken counts before the call: a write inside pause_writing comes
 * after it. */
static bool takes(const connection *c, const tow_transport *t) {
  return (c->abilities & TOW_CAN_WRITE) && !c->shut && !tow_transport_is_closing(t);
}

static void check_written(const connection *c, const tow_transport *t, bool taken, int answer) {
  if (taken)
    CHECK(answer == 0 || (answer == TOW_ENOMEM && (c->world->has_failed || c->may_fail) && tow_transport_is_closing(t)),
          "W1");
  else if (!c->half_shut || answer != 0)
    CHECK(answer == (c->shut ? TOW_ESHUTDOWN : c->abilities & TOW_CAN_WRITE ? 0 : TOW_ENOTSUP), "W1");
}

static void write_one(connection *c, tow_transport *t) {
  size_t size = size_of(c->world);
  unsigned char *bytes = payload(c->world, c->out.put, size);
  bool taken = takes(c, t);
  if (taken) c->out.put += size;
  int answer;
  CALL(c, answer = tow_transport_write(t, bytes, size));
  memset(bytes, 0xee, size); /* [W2] */
  free(bytes);
  check_written(c, t, taken, answer);
}

static void write_lines(connection *c, tow_transport *t) {
  size_t sizes[3], count = byte(c->world) % 4, total = 0;
  for (size_t i = 0; i < count; i++)
    total += sizes[i] = size_of(c->world);
  unsigned char *bytes = payload(c->world, c->out.put, total), *at = bytes;
  tow_iovec lines[3];
  for (size_t i = 0; i < count; at += sizes[i++])
    lines[i] = (tow_iovec){at, sizes[i]};
  bool taken = takes(c, t);
  if (taken) c->out.put += total;
  int answer;
  CALL(c, answer = tow_transport_writelines(t, lines, count));
  free(bytes);
  check_written(c, t, taken, answer);
}

static void write_eof(connection *c, tow_transport *t) {
  bool can = c->abilities & TOW_CAN_WRITE_EOF, closing = tow_transport_is_closing(t);
  CHECK(tow_transport_can_write_eof(t) == can, "E1");
  bool closes = !(c->abilities & TOW_CAN_READ);
  if (can && !closing && closes) c->may_close = true;
  int answer;
  CALL(c, answer = tow_transport_write_eof(t));
  CHECK(answer == (can ? 0 : TOW_ENOTSUP), "E1");
  if (!can || closing || closes) return;
  /* Only now: what was held back has left first, and a write inside the pause_writing of that was taken [W7]. */
  c->shut = true;
  /* It has failed: either what was held back, before the end was noted, or the end itself. */
  if (tow_transport_is_closing(t)) c->half_shut = true;
}

static void set_limits(connection *c, tow_transport *t) {
  static const ptrdiff_t marks[] = {TOW_UNSET, TOW_UNSET, 0, 1, 10, 100, 1000, -1, PTRDIFF_MAX};
  ptrdiff_t high = marks[byte(c->world) % 9], low = marks[byte(c->world) % 9];
  size_t before[2], after[2];
  tow_transport_get_write_buffer_limits(t, &before[0], &before[1]);
  int answer;
  CALL(c, answer = tow_transport_set_write_buffer_limits(t, high, low));
  tow_transport_get_write_buffer_limits(t, &after[0], &after[1]);
  CHECK(after[0] <= after[1], "F1");
  CHECK(answer == 0 || (answer == TOW_EINVAL && before[0] == after[0] && before[1] == after[1]), "F1");
}

/* ---- The rest of a transport ---- */

static void close_it(connection *c, tow_transport *t) {
  c->may_close = true;
  CALL(c, tow_transport_close(t));
  CHECK(tow_transport_is_closing(t), "E4");
}

static void abort_it(connection *c, tow_transport *t) {
  check_connection(c);
  if (!c->aborted) c->at_abort = c->drained;
  c->may_close = c->aborted = true;
  CALL(c, tow_transport_abort(t));
  CHECK(tow_transport_is_closing(t), "E5");
  if (c->family != PROCESS) CHECK(tow_transport_get_write_buffer_size(t) == 0, "E5");
}

static void pause(connection *c, tow_transport *t, bool on) {
  if (on)
    CALL(c, tow_transport_pause_reading(t));
  else
    CALL(c, tow_transport_resume_reading(t));
  bool closing = tow_transport_is_closing(t);
  if (!closing && !c->automaton.calls[ER]) c->reading_paused = on;
  CHECK(tow_transport_is_reading(t) == (!closing && !c->reading_paused && !c->automaton.calls[ER]), "R1");
}

/* Its memory may go as soon as its callback has returned, if the host has let go of it [B5]. */
static void set_protocol(connection *c, tow_transport *t) {
  static const tow_kind kinds[] = {TOW_STREAM, TOW_BUFFERED, TOW_DATAGRAM, TOW_SUBPROCESS};
  actor *old = c->actor;
  if (!old || c->actors >= REPLACED) return;
  tow_kind kind = c->family == ENDPOINT  ? TOW_DATAGRAM
                  : c->family == PROCESS ? TOW_SUBPROCESS
                                         : kinds[byte(c->world) & 1];
  actor *fresh = new_actor(c, kind);
  c->actor = fresh;
  int answer;
  CALL(c, answer = tow_transport_set_protocol(t, &fresh->base));
  CHECK(answer == 0, "P1");
  if (c->actor == fresh) CHECK(tow_transport_get_protocol(t) == &fresh->base, "P1");
  if (c->keeps_loans && old->buffer) {
    /* It stays with the connection: the host may read into it for as long as it is open. */
    unsigned char **kept = realloc(c->kept, (c->kept_count + 1) * sizeof *kept);
    if (!kept) abort();
    c->kept = kept;
    c->kept[c->kept_count++] = old->buffer;
    old->buffer = NULL;
  }
  old->replaced = true;
  if (old->running == 0) free_actor(old);
}

static void set_wrong_protocol(connection *c, tow_transport *t) {
  actor *wrong = new_actor(c, c->family == STREAM ? TOW_DATAGRAM : TOW_STREAM);
  CHECK(tow_transport_set_protocol(t, &wrong->base) == TOW_EINVAL, "P1");
  CHECK(tow_transport_set_protocol(t, NULL) == TOW_EINVAL, "P1");
  c->actors--;
  free_actor(wrong);
}

static void revoke(connection *c, tow_transport *t) {
  int answer = tow_transport_revoke_buffer(t);
  CHECK(answer == 0 || (answer == TOW_ENOTSUP && c->keeps_loans), "B5");
  if (answer < 0 || !c->actor || c->lost) return;
  free(c->actor->buffer); /* inside buffer_updated it is not looked at any more */
  c->actor->buffer = NULL;
}

static void look(connection *c, tow_transport *t) {
  char text[8];
  size_t size = byte(c->world) % 9;
  int answer = tow_transport_get_extra_info(t, byte(c->world) & 1 ? "host" : "none", text, size);
  CHECK(answer == TOW_ENOENT || answer == 6, "I1");
  CHECK(answer < 0 || size == 0 || strlen(text) < size, "I1");
  CHECK(tow_transport_get_loop(t) == c->world->loop, "L5");
  CHECK(!c->lost || (tow_transport_is_closing(t) && !tow_transport_get_protocol(t)), "L5");
}

static void reference(connection *c, tow_transport *t) {
  if (c->references > 3 || (c->references > 0 && byte(c->world) & 1)) {
    c->references--;
    if (c->references == 0 && c->lost) c->transport = NULL;
    tow_transport_unref(t);
  } else if (!c->lost) {
    tow_transport_ref(t);
    c->references++;
  }
}

void unref_all(connection *c) {
  while (c->references > 0) {
    c->references--;
    tow_transport_unref(c->transport);
  }
  for (size_t i = 0; i < c->kept_count; i++)
    free(c->kept[i]);
  free(c->kept);
}

/* ---- Datagrams ---- */

static void send_datagram(connection *c, tow_transport *t) {
  static const char *const names[] = {"", "a", "b"};
  const char *name = names[byte(c->world) % 3];
  tow_peer peer = {0};
  int parsed = tow_transport_parse_peer(t, name, &peer);
  CHECK(parsed == 0 || !*name || c->lost, "a peer");
  char text[4] = "";
  if (parsed == 0) CHECK(tow_transport_format_peer(t, &peer, text, sizeof text) == 1 && *text == *name, "a peer");
  size_t size = size_of(c->world), number = c->count_out;
  if (number >= DATAGRAMS) return;
  bool good = c->is_bound ? peer.size > 0 : peer.size == 0 || *peer.bytes == 'a';
  bool taken = good && !tow_transport_is_closing(t);
  unsigned char *bytes = payload(c->world, number, size);
  if (taken) c->sizes_out[c->count_out++] = size;
  int answer;
  CALL(c, answer = tow_transport_sendto(t, bytes, size, *name ? &peer : NULL));
  free(bytes);
  CHECK(answer == (good ? 0 : TOW_EINVAL) || (taken && answer == TOW_ENOMEM && c->world->has_failed), "D2");
}

/* ---- Subprocesses ---- */

static void pipe_act(connection *c, int fd, tow_transport *pipe) {
  world *w = c->world;
  switch (byte(w) % 6) {
  case 0:
    c->pipe_closed[fd] = true;
    CALL(c, tow_transport_close(pipe));
    break;
  case 1:
    c->pipe_closed[fd] = true;
    CALL(c, tow_transport_abort(pipe));
    break;
  case 2:
    CALL(c, tow_transport_pause_reading(pipe));
    break;
  case 3:
    CALL(c, tow_transport_resume_reading(pipe));
    break;
  case 4:
    if (fd == 0) CALL(c, tow_transport_write_eof(pipe));
    break;
  default: {
    bool taken = fd == 0 && !tow_transport_is_closing(pipe);
    size_t size = size_of(w);
    unsigned char *bytes = payload(c->world, c->out.put, size);
    if (taken) c->out.put += size;
    CALL(c, tow_transport_write(pipe, bytes, size));
    free(bytes);
  }
  }
}

static void process_act(connection *c, tow_transport *t) {
  world *w = c->world;
  int fd = byte(w) % 5 - 1, returncode, answer;
  tow_transport *pipe = tow_transport_get_pipe_transport(t, fd);
  CHECK(!pipe || (fd >= 0 && fd < 3), "X10");
  if (pipe) {
    pipe_act(c, fd, pipe);
    return;
  }
  bool exited = tow_transport_get_returncode(t, &returncode);
  CALL(c, answer = byte(w) & 1 ? tow_transport_terminate(t) : tow_transport_kill(t));
  CHECK(answer == (c->lost ? TOW_ESRCH : 0), "X6");
  CHECK(!exited || returncode == c->returncode || w->closing, "X5");
}

/* ---- One of them ---- */

void act(connection *c) {
  tow_transport *t = c->transport;
  if (!t) return;
  uint8_t which = byte(c->world) % 20;
  if (c->world->tells) fprintf(stderr, "%d act %u\n", (int)(c - c->world->connections), which);
  switch (which) {
  case 0:
    close_it(c, t);
    break;
  case 1:
    if (byte(c->world) & 1) abort_it(c, t);
    break;
  case 2:
    write_eof(c, t);
    break;
  case 3:
    pause(c, t, true);
    break;
  case 4:
  case 5:
    pause(c, t, false);
    break;
  case 6:
  case 7:
    set_limits(c, t);
    break;
  case 8:
  case 9:
    set_protocol(c, t);
    break;
  case 10:
    set_wrong_protocol(c, t);
    break;
  case 11:
    revoke(c, t);
    break;
  case 12:
    look(c, t);
    break;
  case 13:
    reference(c, t);
    break;
  case 14:
    later_act(c->world);
    break;
  case 15:
    write_lines(c, t);
    break;
  default:
    if (c->family == ENDPOINT)
      send_datagram(c, t);
    else if (c->family == PROCESS)
      process_act(c, t);
    else
      write_one(c, t);
  }
}

void act_some(connection *c) {
  for (int n = byte(c->world) & 3; n > 0; n--)
    act(c);
}
