/* The subject's children. */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct child {
  tow_protocol base;
  child *next;
  subject *subject;
  int id;
  tow_transport *transport;
  size_t received[3];
};

/* ---- Callbacks ---- */

static int made(tow_protocol *self, tow_transport *transport) {
  child *c = (child *)self;
  c->transport = transport;
  say("\"id\":%d,\"event\":\"made\",\"pid\":%d", c->id, tow_transport_get_pid(transport));
  return 0;
}

static int lost(tow_protocol *self, const tow_error *error) {
  child *c = (child *)self;
  say_lost(c->id, "lost", -1, error);
  child **link = &c->subject->children;
  while (*link != c)
    link = &(*link)->next;
  *link = c->next;
  tow_loop_free(c->subject->loop, c);
  return 0;
}

static int pause_writing(tow_protocol *self) {
  say("\"id\":%d,\"event\":\"pause\"", ((child *)self)->id);
  return 0;
}

static int resume_writing(tow_protocol *self) {
  say("\"id\":%d,\"event\":\"resume\"", ((child *)self)->id);
  return 0;
}

static int pipe_data(tow_protocol *self, int fd, const void *bytes, size_t size) {
  child *c = (child *)self;
  (void)bytes;
  c->received[fd] += size;
  say("\"id\":%d,\"event\":\"data\",\"fd\":%d,\"received\":%zu", c->id, fd, c->received[fd]);
  return 0;
}

static int pipe_lost(tow_protocol *self, int fd, const tow_error *error) {
  say_lost(((child *)self)->id, "pipe lost", fd, error);
  return 0;
}

static int exited(tow_protocol *self) {
  child *c = (child *)self;
  int code = 0;
  tow_transport_get_returncode(c->transport, &code);
  say("\"id\":%d,\"event\":\"exited\",\"returncode\":%d", c->id, code);
  return 0;
}

static const tow_subprocess_callbacks callbacks = {
    .base = {sizeof(tow_subprocess_callbacks), TOW_SUBPROCESS, made, lost, pause_writing, resume_writing},
    .pipe_data_received = pipe_data,
    .pipe_connection_lost = pipe_lost,
    .process_exited = exited,
};

static tow_protocol *create(tow_loop *loop, void *context) {
  subject *self = context;
  child *c = tow_loop_alloc(loop, sizeof *c);
  if (!c) return NULL;
  *c = (child){.base.callbacks = &callbacks.base, .next = self->children, .subject = self, .id = ++self->last};
  self->children = c;
  return &c->base;
}

/* ---- Commands ---- */

static int spawned(void *context, tow_transport *transport, const tow_error *error) {
  (void)context;
  (void)transport;
  if (error) say_refused(error);
  return 0;
}

static void spawn(subject *self, const char *program, const char *const *arguments) {
  tow_spawn_options options = TOW_SPAWN_OPTIONS_DEFAULT;
  char address[256];
  options.arguments = arguments;
  snprintf(address, sizeof address, "exec:%s", program);
  tow_loop_spawn(self->loop, address, &options, (tow_factory){create, self}, spawned, NULL);
}

static void run(subject *self, char *rest) {
  const char *program = next_word(&rest);
  size_t size = (size_t)next_number(&rest);
  char *argument = calloc(1, size + 1);
  if (!argument) abort();
  memset(argument, 'x', size);
  spawn(self, program, (const char *const[]){size > 0 ? argument : NULL, NULL});
  free(argument);
}

static void pipe_command(const child *c, char *rest) {
  static char zeros[1 << 20];
  tow_transport *pipe = tow_transport_get_pipe_transport(c->transport, (int)next_number(&rest));
  const char *what = next_word(&rest);
  if (!pipe)
    say("\"id\":%d,\"event\":\"no pipe\"", c->id);
  else if (strcmp(what, "pause") == 0)
    tow_transport_pause_reading(pipe);
  else if (strcmp(what, "resume") == 0)
    tow_transport_resume_reading(pipe);
  else if (strcmp(what, "close") == 0)
    tow_transport_close(pipe);
  else if (strcmp(what, "line") == 0)
    tow_transport_write(pipe, "\n", 1);
  else
    tow_transport_write(pipe, zeros, (size_t)next_number(&rest));
}

bool open_child(subject *self, const char *verb, char *rest) {
  if (strcmp(verb, "shell") == 0)
    spawn(self, "/bin/sh", (const char *const[]){"-c", rest, NULL});
  else if (strcmp(verb, "run") == 0)
    run(self, rest);
  else
    return false;
  return true;
}

bool child_command(const subject *self, int id, const char *verb, char *rest) {
  child *c = self->children;
  while (c && c->id != id)
    c = c->next;
  if (!c) return false;
  if (strcmp(verb, "pipe") == 0)
    pipe_command(c, rest);
  else if (strcmp(verb, "signal") == 0)
    tow_transport_send_signal(c->transport, (int)next_number(&rest));
  else if (strcmp(verb, "close") == 0)
    tow_transport_close(c->transport);
  else
    return false;
  return true;
}
