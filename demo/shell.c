/* What a shell does for the programs that it starts: what is typed goes to the first, what each writes goes to the
 * next, and what the last one writes to the terminal, as all complaints do. Nobody is given more than it has room for.
 */
#include "shell.h"

#include <string.h>

struct program {
  tow_protocol base;
  tow_loop *loop;
  tow_transport *transport;
  program *previous, *next; /* whose output it reads, who reads its own; NULL: the terminal */
  bool is_full;             /* its standard input, between pause_writing and resume_writing */
  bool is_held;             /* the terminal has enough for now */
  bool is_resting;          /* until the timer: it was read fast enough */
  double rate;              /* bytes a second that are read; 0: as they come */
  tow_handle timer;
};

static program *program_of(tow_protocol *protocol) {
  return (program *)protocol;
}

static tow_transport *pipe_of(const program *self, int fd) {
  return tow_transport_get_pipe_transport(self->transport, fd);
}

/* ---- Reading: as long as there is room for it ---- */

static void read_pipe(const program *self, int fd, bool is_wanted) {
  tow_transport *pipe = pipe_of(self, fd);
  if (pipe == NULL) return;
  if (is_wanted)
    tow_transport_resume_reading(pipe);
  else
    tow_transport_pause_reading(pipe);
}

/* A program whose output is not read is stopped by its pipe, once that is full. */
static void read_or_not(const program *self) {
  bool has_room = self->next == NULL || !self->next->is_full;
  read_pipe(self, 1, has_room && !self->is_held && !self->is_resting);
  read_pipe(self, 2, !self->is_held);
}

static int go_on(void *context) {
  program *self = context;
  self->is_resting = false;
  read_or_not(self);
  return 0;
}

static int pipe_data_received(tow_protocol *protocol, int fd, const void *data, size_t size) {
  program *self = program_of(protocol);
  if (fd == 1 && self->rate > 0) {
    self->is_resting = true;
    tow_loop_call_later(self->loop, &self->timer, (double)size * 1000 / self->rate, go_on, self);
    read_or_not(self);
  }
  if (fd == 1 && self->next != NULL) return tow_transport_write(pipe_of(self->next, 0), data, size);
  shell_print(self, fd, data, size);
  return 0;
}

/* ---- Writing: until its standard input is full ---- */

static int pause_writing(tow_protocol *protocol) {
  program *self = program_of(protocol);
  self->is_full = true;
  if (self->previous != NULL) read_or_not(self->previous);
  return 0;
}

static int resume_writing(tow_protocol *protocol) {
  program *self = program_of(protocol);
  self->is_full = false;
  if (self->previous != NULL)
    read_or_not(self->previous);
  else
    shell_ready(self);
  return 0;
}

/* ---- Ends ---- */

/* The end of its output is the end of the next one's input. If it reads no more, the one before need not write: its
 * next write fails, as with SIGPIPE. */
static int pipe_connection_lost(tow_protocol *protocol, int fd, const tow_error *error) {
  (void)error;
  program *self = program_of(protocol);
  if (fd == 1 && self->next != NULL) return tow_transport_write_eof(pipe_of(self->next, 0));
  if (fd == 0 && self->previous != NULL) tow_transport_close(pipe_of(self->previous, 1));
  return 0;
}

static int process_exited(tow_protocol *protocol) {
  program *self = program_of(protocol);
  int returncode = 0;
  tow_transport_get_returncode(self->transport, &returncode);
  shell_exited(self, returncode);
  return 0;
}

static int connection_made(tow_protocol *protocol, tow_transport *transport) {
  program_of(protocol)->transport = transport;
  return 0;
}

static int connection_lost(tow_protocol *protocol, const tow_error *error) {
  (void)error;
  program *self = program_of(protocol);
  if (self->next != NULL) self->next->previous = NULL;
  if (self->previous != NULL) self->previous->next = NULL;
  tow_handle_cancel(&self->timer);
  tow_loop_free(self->loop, self);
  return 0;
}

static const tow_subprocess_callbacks callbacks = {
    .base = {.size = sizeof(tow_subprocess_callbacks),
             .kind = TOW_SUBPROCESS,
             .connection_made = connection_made,
             .connection_lost = connection_lost,
             .pause_writing = pause_writing,
             .resume_writing = resume_writing},
    .pipe_data_received = pipe_data_received,
    .pipe_connection_lost = pipe_connection_lost,
    .process_exited = process_exited,
};

tow_protocol *shell_new(tow_loop *loop, void *context) {
  program *self = tow_loop_alloc(loop, sizeof *self);
  if (self == NULL) return NULL;
  memset(self, 0, sizeof *self);
  self->base.callbacks = &callbacks.base;
  self->loop = loop;
  self->next = context;
  if (self->next != NULL) self->next->previous = self;
  return &self->base;
}

/* ---- What the page asks for ---- */

int shell_type(program *self, const void *data, size_t size) {
  if (self->is_full) return 0;
  return tow_transport_write(pipe_of(self, 0), data, size) < 0 ? 0 : 1;
}

void shell_end(program *self) {
  tow_transport_write_eof(pipe_of(self, 0));
}

int shell_signal(program *self, int signal) {
  return tow_transport_send_signal(self->transport, signal);
}

void shell_hold(program *self, bool held) {
  self->is_held = held;
  read_or_not(self);
}

void shell_read_slowly(program *self, double rate) {
  self->rate = rate;
  tow_handle_cancel(&self->timer);
  self->is_resting = false;
  read_or_not(self);
}
