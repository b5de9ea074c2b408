/* Protocols that count what they are told, and what tests do with them. */
#include "scene.h"

static int happened(end *e, const char *event) {
  return e->on ? e->on(e, event) : 0;
}

static int made(tow_protocol *self, tow_transport *transport) {
  end *e = (end *)self;
  e->made++;
  e->transport = tow_transport_ref(transport);
  return happened(e, "CM");
}

static int lost(tow_protocol *self, const tow_error *error) {
  end *e = (end *)self;
  e->lost++;
  e->scene->lost++;
  if (error) {
    e->code = error->code;
    e->native = error->native;
  }
  return happened(e, "CL");
}

static int paused(tow_protocol *self) {
  ((end *)self)->paused++;
  return happened((end *)self, "PW");
}

static int resumed(tow_protocol *self) {
  ((end *)self)->resumed++;
  return happened((end *)self, "RW");
}

static int ended(tow_protocol *self) {
  ((end *)self)->ended++;
  return happened((end *)self, "ER");
}

static int data(tow_protocol *self, const void *bytes, size_t size) {
  end *e = (end *)self;
  size_t room = e->received < sizeof e->text - 1 ? sizeof e->text - 1 - e->received : 0;
  memcpy(e->text + (room > 0 ? e->received : 0), bytes, size < room ? size : room);
  e->received += size;
  e->reads++;
  if (e->on == echo) return tow_transport_write(e->transport, bytes, size);
  return happened(e, "DR");
}

static int get_buffer(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer) {
  end *e = (end *)self;
  (void)sizehint;
  *buffer = (tow_buffer){e->buffer, sizeof e->buffer};
  return happened(e, "GB");
}

static int buffer_updated(tow_protocol *self, size_t size) {
  return data(self, ((end *)self)->buffer, size);
}

static const tow_stream_callbacks stream_callbacks = {
    .base = {sizeof(tow_stream_callbacks), TOW_STREAM, made, lost, paused, resumed},
    .eof_received = ended,
    .data_received = data,
};
static const tow_buffered_callbacks buffered_callbacks = {
    .base = {sizeof(tow_buffered_callbacks), TOW_BUFFERED, made, lost, paused, resumed},
    .eof_received = ended,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
};

static void note(end *e, char what) {
  size_t size = strlen(e->order);
  if (size < sizeof e->order - 1 && !(what == 'd' && size > 0 && e->order[size - 1] == 'd')) e->order[size] = what;
}

static int datagram(tow_protocol *self, const void *bytes, size_t size, const tow_peer *peer) {
  end *e = (end *)self;
  if (e->reads < (int)(sizeof e->sizes / sizeof *e->sizes)) e->sizes[e->reads] = size;
  if (size > 0) memcpy(e->text, bytes, size < sizeof e->text - 1 ? size : sizeof e->text - 1);
  e->received += size;
  e->reads++;
  e->peer = *peer;
  if (e->on == echo) return tow_transport_sendto(e->transport, bytes, size, peer);
  return happened(e, "DG");
}

static int error_received(tow_protocol *self, const tow_error *error, const tow_peer *peer) {
  end *e = (end *)self;
  e->errors++;
  e->code = error->code;
  e->native = error->native;
  e->peer = peer ? *peer : (tow_peer){0};
  return happened(e, "EE");
}

static int pipe_data(tow_protocol *self, int fd, const void *bytes, size_t size) {
  end *e = (end *)self;
  size_t held = e->pipes[fd].received, room = sizeof e->pipes[fd].text - 1;
  if (held < room) memcpy(e->pipes[fd].text + held, bytes, size < room - held ? size : room - held);
  e->pipes[fd].received += size;
  e->pipes[fd].sum = checksum(e->pipes[fd].sum, bytes, size);
  note(e, 'd');
  return happened(e, "PD");
}

static int pipe_lost(tow_protocol *self, int fd, const tow_error *error) {
  end *e = (end *)self;
  e->pipes[fd].lost++;
  e->pipes[fd].code = error ? error->code : 0;
  note(e, (char)('0' + fd));
  return happened(e, "PL");
}

static int exited(tow_protocol *self) {
  end *e = (end *)self;
  e->exited++;
  note(e, 'x');
  return happened(e, "PX");
}

static const tow_datagram_callbacks datagram_callbacks = {
    .base = {sizeof(tow_datagram_callbacks), TOW_DATAGRAM, made, lost, paused, resumed},
    .datagram_received = datagram,
    .error_received = error_received,
};
static const tow_subprocess_callbacks subprocess_callbacks = {
    .base = {sizeof(tow_subprocess_callbacks), TOW_SUBPROCESS, made, lost, paused, resumed},
    .pipe_data_received = pipe_data,
    .pipe_connection_lost = pipe_lost,
    .process_exited = exited,
};

static tow_protocol *create(tow_loop *loop, void *context) {
  static const tow_base_callbacks *const tables[] = {
      &stream_callbacks.base,   &stream_callbacks.base,     &buffered_callbacks.base,
      &datagram_callbacks.base, &subprocess_callbacks.base,
  };
  role *r = context;
  (void)loop;
  if (r->scene->count == ENDS) return NULL;
  end *e = &r->scene->ends[r->scene->count++];
  e->base.callbacks = tables[r->kind];
  e->scene = r->scene;
  e->on = r->on;
  return &e->base;
}

tow_factory scene_factory(role *r) {
  return (tow_factory){create, r};
}

uint32_t checksum(uint32_t sum, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    sum = sum * 31 + ((const unsigned char *)bytes)[i];
  return sum;
}

int echo(end *e, const char *event) {
  (void)e;
  (void)event; /* data and datagram write back */
  return 0;
}

int send_text(end *e, const char *text) {
  return tow_transport_write(e->transport, text, strlen(text));
}

/* ---- Subprocesses ---- */

end *shell(scene *s, const char *script, const tow_stdio *stdio) {
  const char *const arguments[] = {"-c", script, NULL};
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  options.arguments = arguments;
  if (stdio) memcpy(options.stdio, stdio, sizeof options.stdio);
  return spawn(s, "exec:/bin/sh", &options);
}

tow_transport *pipe_of(const end *e, int fd) {
  return tow_transport_get_pipe_transport(e->transport, fd);
}

int put(const end *e, const char *text) {
  return tow_transport_write(pipe_of(e, 0), text, strlen(text));
}

int returncode(const end *e) {
  int code;
  return tow_transport_get_returncode(e->transport, &code) ? code : -1000;
}
