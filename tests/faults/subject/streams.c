/* The subject's connections. */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERIOD = 251, PIECE = 65536, MEBIBYTE = 1048576 };

struct end {
  tow_protocol base;
  end *next;
  role role;
  int id;
  tow_transport *transport;
  size_t sent, received;
  size_t left; /* to be pumped */
  size_t most; /* that the write buffer has held */
  bool pumping, paused, broken;
  tow_handle handle;
  char buffer[PIECE]; /* a buffered protocol's */
};

static const char *pattern(size_t at) {
  static char bytes[PIECE + PERIOD];
  if (bytes[1] == 0)
    for (size_t i = 0; i < sizeof bytes; i++)
      bytes[i] = (char)(i % PERIOD);
  return bytes + at % PERIOD;
}

/* ---- Writing ---- */

static void write_piece(end *e, size_t size) {
  tow_transport_write(e->transport, pattern(e->sent), size);
  e->sent += size;
  size_t held = tow_transport_get_write_buffer_size(e->transport);
  if (held > e->most) e->most = held;
}

static void pump(end *e) {
  while (e->left > 0 && !e->paused && !tow_transport_is_closing(e->transport)) {
    size_t size = e->left < PIECE ? e->left : PIECE;
    e->left -= size;
    write_piece(e, size);
  }
  if (!e->pumping || e->left > 0) return;
  e->pumping = false;
  tow_transport_write_eof(e->transport);
}

static void write_all(end *e, size_t size) {
  for (; size > PIECE; size -= PIECE)
    write_piece(e, PIECE);
  write_piece(e, size);
}

/* ---- Callbacks ---- */

static int made(tow_protocol *self, tow_transport *transport) {
  end *e = (end *)self;
  char peer[80] = "", own[80] = "";
  e->transport = transport;
  tow_transport_get_extra_info(transport, "peername", peer, sizeof peer);
  tow_transport_get_extra_info(transport, "sockname", own, sizeof own);
  say("\"id\":%d,\"event\":\"made\",\"peer\":\"%s\",\"own\":\"%s\"", e->id, peer, own);
  if (e->role.pauses) tow_transport_pause_reading(transport);
  return 0;
}

static int lost(tow_protocol *self, const tow_error *error) {
  end *e = (end *)self;
  say_lost(e->id, "lost", -1, error);
  tow_handle_cancel(&e->handle);
  end **link = &e->role.subject->ends;
  while (*link != e)
    link = &(*link)->next;
  *link = e->next;
  tow_loop_free(e->role.subject->loop, e);
  return 0;
}

static int pause_writing(tow_protocol *self) {
  end *e = (end *)self;
  e->paused = true;
  if (!e->role.is_quiet) say("\"id\":%d,\"event\":\"pause\"", e->id);
  if (e->role.echoes) tow_transport_pause_reading(e->transport);
  return 0;
}

static int resume_writing(tow_protocol *self) {
  end *e = (end *)self;
  e->paused = false;
  if (!e->role.is_quiet) say("\"id\":%d,\"event\":\"resume\"", e->id);
  if (e->role.echoes) tow_transport_resume_reading(e->transport);
  pump(e);
  return 0;
}

static int ended(tow_protocol *self) {
  end *e = (end *)self;
  say("\"id\":%d,\"event\":\"eof\",\"received\":%zu", e->id, e->received);
  return e->role.stays;
}

static int resume_reading(void *context) {
  tow_transport_resume_reading(((end *)context)->transport);
  return 0;
}

static void say_received(const end *e) {
  say("\"id\":%d,\"event\":\"data\",\"received\":%zu,\"broken\":%d", e->id, e->received, e->broken);
}

static int data(tow_protocol *self, const void *bytes, size_t size) {
  end *e = (end *)self;
  for (size_t done = 0, some; done < size; done += some) {
    some = size - done < PIECE ? size - done : PIECE;
    e->broken = e->broken || memcmp((const char *)bytes + done, pattern(e->received + done), some) != 0;
  }
  size_t whole = e->received / MEBIBYTE;
  e->received += size;
  bool is_whole = e->received / MEBIBYTE > whole;
  if (e->role.is_slow && is_whole) tow_transport_pause_reading(e->transport);
  if (!e->role.is_slow || is_whole) say_received(e);
  if (e->role.echoes) write_all(e, size);
  if (e->role.sips) {
    tow_transport_pause_reading(e->transport);
    tow_loop_call_soon(e->role.subject->loop, &e->handle, resume_reading, e);
  }
  return 0;
}

static int get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  (void)sizehint;
  *buffer = (tow_buffer){((end *)self)->buffer, PIECE};
  return 0;
}

static int buffer_updated(tow_protocol *self, size_t size) {
  return data(self, ((end *)self)->buffer, size);
}

static const tow_stream_callbacks plain = {
    .base = {sizeof(tow_stream_callbacks), TOW_STREAM, made, lost, pause_writing, resume_writing},
    .eof_received = ended,
    .data_received = data,
};
static const tow_buffered_callbacks buffered = {
    .base = {sizeof(tow_buffered_callbacks), TOW_BUFFERED, made, lost, pause_writing, resume_writing},
    .eof_received = ended,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
};

static tow_protocol *create(tow_loop *loop, void *context) {
  const role *r = context;
  size_t size = r->is_buffered ? sizeof(end) : offsetof(end, buffer);
  end *e = tow_loop_alloc(loop, size);
  if (!e) return NULL;
  memset(e, 0, size);
  e->base.callbacks = r->is_buffered ? &buffered.base : &plain.base;
  e->role = *r;
  e->id = ++r->subject->last;
  e->next = r->subject->ends;
  r->subject->ends = e;
  return &e->base;
}

/* ---- Commands ---- */

static int connected(void *context, tow_transport *transport, const tow_error *error) {
  (void)context;
  (void)transport;
  if (error) say_refused(error);
  return 0;
}

static int listening(void *context, tow_server *server, const tow_error *error) {
  char name[80] = "";
  subject *self = context;
  self->server = server;
  if (error) {
    say_refused(error);
  } else {
    tow_server_get_extra_info(server, "sockname", name, sizeof name);
    say("\"event\":\"listening\",\"address\":\"%s://%s\"", self->scheme, name);
  }
  return 0;
}

static role read_role(subject *self, const char *letters) {
  return (role){
      .subject = self,
      .echoes = strchr(letters, 'e'),
      .stays = strchr(letters, 'h'),
      .is_buffered = strchr(letters, 'b'),
      .pauses = strchr(letters, 'p'),
      .sips = strchr(letters, 's'),
      .is_slow = strchr(letters, 'm'),
      .is_quiet = strchr(letters, 'q'),
  };
}

bool open_stream(subject *self, const char *verb, char *rest) {
  tow_options options = TOW_OPTIONS_DEFAULT;
  options.backlog = 1000;
  if (strcmp(verb, "unlisten") == 0) {
    tow_server_close(self->server);
    return true;
  }
  bool connects = strcmp(verb, "connect") == 0;
  if (!connects && strcmp(verb, "listen") != 0) return false;
  const char *address = next_word(&rest);
  role *r = connects ? &self->client_role : &self->server_role;
  *r = read_role(self, next_word(&rest));
  tow_factory factory = {create, r};
  if (connects) {
    tow_loop_connect(self->loop, address, &options, factory, connected, NULL);
  } else {
    snprintf(self->scheme, sizeof self->scheme, "%.*s", (int)strcspn(address, ":"), address);
    tow_loop_listen(self->loop, address, &options, factory, listening, self);
  }
  return true;
}

bool stream_command(const subject *self, int id, const char *verb, char *rest) {
  static const struct {
    const char *verb;
    void (*call)(tow_transport *transport);
  } calls[] = {
      {"close", tow_transport_close},
      {"abort", tow_transport_abort},
      {"pause", tow_transport_pause_reading},
      {"resume", tow_transport_resume_reading},
  };
  end *e = self->ends;
  while (e && e->id != id)
    e = e->next;
  if (!e) return false;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (strcmp(verb, calls[i].verb) != 0) continue;
    calls[i].call(e->transport);
    return true;
  }
  if (strcmp(verb, "write") == 0) {
    write_all(e, (size_t)next_number(&rest));
  } else if (strcmp(verb, "pump") == 0) {
    e->left = (size_t)next_number(&rest);
    e->pumping = true;
    pump(e);
  } else if (strcmp(verb, "eof") == 0) {
    tow_transport_write_eof(e->transport);
  } else if (strcmp(verb, "state") == 0) {
    say("\"id\":%d,\"event\":\"state\",\"buffer\":%zu,\"most\":%zu,\"sent\":%zu,\"received\":%zu,\"reading\":%d", e->id,
        tow_transport_get_write_buffer_size(e->transport), e->most, e->sent, e->received,
        tow_transport_is_reading(e->transport));
  } else {
    return false;
  }
  return true;
}
