/* Subprocesses [X]: a transport without bytes of its own, and up to three pipes.
 *
 * Each pipe is an ordinary transport. Its protocol is in here: it passes data, its end and its flow control on to the
 * subprocess's protocol, with the descriptor's number. connection_lost is due when the child has ended and every pipe
 * is lost, whatever comes last. connection_made comes first because the subprocess's transport is opened before its
 * pipes; an exit that the host tells before it waits for it [X1]. */
#include "core.h"

enum { SIGNAL_KILL = 9, SIGNAL_TERM = 15 };

static const tow_subprocess_callbacks *callbacks_of(const tow_process *p) {
  return (const tow_subprocess_callbacks *)p->base.protocol->callbacks;
}

static void try_finish(tow_process *p) {
  if (!p->exited || (p->base.state & (TOW_MADE | TOW_LOST)) != TOW_MADE) return;
  for (int fd = 0; fd < 3; fd++)
    if (p->pipes[fd].transport) return;
  tow_lose(&p->base);
}

/* ---- The pipes' protocol ---- */

static int descriptor(const tow_pipe *pipe) {
  return (int)(pipe - pipe->process->pipes);
}

static int on_data(tow_protocol *self, const void *data, size_t size) {
  tow_pipe *pipe = (tow_pipe *)self;
  tow_process *p = pipe->process;
  if (!callbacks_of(p)->pipe_data_received) return 0;
  int result = callbacks_of(p)->pipe_data_received(p->base.protocol, descriptor(pipe), data, size);
  if (result < 0) tow_report(p->base.loop, "pipe_data_received", &p->base, result);
  return 0;
}

static int on_lost(tow_protocol *self, const tow_error *error) {
  tow_pipe *pipe = (tow_pipe *)self;
  tow_process *p = pipe->process;
  int result = 0;
  if (callbacks_of(p)->pipe_connection_lost)
    result = callbacks_of(p)->pipe_connection_lost(p->base.protocol, descriptor(pipe), error);
  if (result < 0) tow_report(p->base.loop, "pipe_connection_lost", &p->base, result);
  pipe->transport = NULL;
  try_finish(p);
  return 0;
}

static int on_pause(tow_protocol *self) {
  tow_process *p = ((tow_pipe *)self)->process;
  tow_call_pause_writing(&p->base);
  return 0;
}

static int on_resume(tow_protocol *self) {
  tow_process *p = ((tow_pipe *)self)->process;
  tow_call_resume_writing(&p->base);
  return 0;
}

static const tow_stream_callbacks pipe_callbacks = {
    .base = {.size = sizeof(tow_stream_callbacks),
             .kind = TOW_STREAM,
             .connection_lost = on_lost,
             .pause_writing = on_pause,
             .resume_writing = on_resume},
    .data_received = on_data,
};

static tow_protocol *get_pipe(tow_loop *loop, void *pipe) {
  (void)loop;
  return pipe;
}

tow_transport *tow_host_pipe(tow_transport *process, int fd, const tow_connection_host *table, void *connection,
                             unsigned abilities) {
  tow_process *p = (tow_process *)process;
  tow_pipe *pipe = &p->pipes[fd];
  *pipe = (tow_pipe){{&pipe_callbacks.base}, p, NULL};
  tow_opening opening = {{get_pipe, pipe}, table, connection, .abilities = abilities};
  pipe->transport = tow_open(process->loop, &opening);
  return pipe->transport;
}

/* ---- The end ---- */

void tow_host_exited(tow_transport *process, int returncode) {
  tow_process *p = (tow_process *)process;
  if (p->exited) return;
  p->exited = true;
  p->returncode = returncode;
  if (process->state & TOW_MADE) tow_process_tell_exit(p);
}

void tow_process_tell_exit(tow_process *p) {
  if (!p->exited) return;
  if (callbacks_of(p)->process_exited) {
    tow_enter(p->base.loop);
    int result = callbacks_of(p)->process_exited(p->base.protocol);
    if (result < 0) tow_report(p->base.loop, "process_exited", &p->base, result);
    tow_leave(p->base.loop);
  }
  try_finish(p);
}

static void send(tow_process *p, int signal) {
  if (!p->exited && p->base.table->kill) p->base.table->kill(p->base.connection, signal);
}

void tow_process_close(tow_process *p) {
  for (int fd = 0; fd < 3; fd++)
    if (p->pipes[fd].transport) tow_transport_close(p->pipes[fd].transport);
  send(p, SIGNAL_KILL);
}

void tow_process_abandon(tow_process *p) {
  p->base.state |= TOW_CLOSING;
  for (int fd = 0; fd < 3; fd++)
    if (p->pipes[fd].transport) tow_transport_abort(p->pipes[fd].transport);
  send(p, SIGNAL_KILL);
  tow_host_exited(&p->base, -SIGNAL_KILL);
}

/* ---- The protocol's calls ---- */

int tow_transport_get_pid(const tow_transport *t) {
  return t->abilities & TOW_RUNS_PROCESS ? ((const tow_process *)t)->pid : 0;
}

bool tow_transport_get_returncode(const tow_transport *t, int *returncode) {
  if (!(t->abilities & TOW_RUNS_PROCESS) || !((const tow_process *)t)->exited) return false;
  *returncode = ((const tow_process *)t)->returncode;
  return true;
}

tow_transport *tow_transport_get_pipe_transport(const tow_transport *t, int fd) {
  if (!(t->abilities & TOW_RUNS_PROCESS) || fd < 0 || fd > 2) return NULL;
  return ((const tow_process *)t)->pipes[fd].transport;
}

int tow_transport_send_signal(tow_transport *t, int signal) {
  if (!(t->abilities & TOW_RUNS_PROCESS)) return TOW_ENOTSUP;
  if (t->state & TOW_DONE) return TOW_ESRCH;
  if (((tow_process *)t)->exited) return 0;
  return t->table->kill ? t->table->kill(t->connection, signal) : TOW_ENOTSUP;
}

int tow_transport_terminate(tow_transport *t) {
  return tow_transport_send_signal(t, SIGNAL_TERM);
}

int tow_transport_kill(tow_transport *t) {
  return tow_transport_send_signal(t, SIGNAL_KILL);
}
