/* Subprocesses [X]: a transport without bytes of its own, and up to three pipes.
 *
 * Each pipe is an ordinary transport. Its protocol is in here: it passes data, its end and its flow control on to the
 * subprocess's protocol, with the descriptor's number. connection_lost is due when the child has ended and every pipe
 * is lost, whatever comes last. connection_made comes first because the subprocess's transport is opened before its
 * pipes; an exit that the host tells before it waits for it [X1]. */
#include "core.h"

enum { SIGNAL_KILL = 9, SIGNAL_TERM = 15 };

typedef struct process process;

typedef struct child_pipe {
  tow_protocol
      base; /* the pipe's transport calls it, unless another takes its place; it calls the subprocess's protocol */
  process *process;
  tow_transport *transport; /* a reference; NULL: not piped */
  bool open;                /* not lost yet */
} child_pipe;

typedef struct pipe_transport {
  tow_transport base;
  child_pipe *pipe;
} pipe_transport;

struct process {
  tow_transport base;
  child_pipe pipes[3];
  int pid, returncode;
  bool exited;
};

static const tow_subprocess_callbacks *callbacks_of(const process *p) {
  return (const tow_subprocess_callbacks *)p->base.protocol->callbacks;
}

static void try_finish(process *p) {
  if (!p->exited || (p->base.state & (TOW_UNMADE | TOW_LOST))) return;
  for (int fd = 0; fd < 3; fd++)
    if (p->pipes[fd].open) return;
  tow_lose(&p->base);
}

/* ---- The pipes' protocol ---- */

static int descriptor(const child_pipe *pipe) {
  return (int)(pipe - pipe->process->pipes);
}

static int on_data(tow_protocol *self, const void *data, size_t size) {
  child_pipe *pipe = (child_pipe *)self;
  process *p = pipe->process;
  if (!callbacks_of(p)->pipe_data_received) return 0;
  tow_enter(p->base.loop);
  tow_left(p->base.loop, &p->base, "pipe_data_received",
           callbacks_of(p)->pipe_data_received(p->base.protocol, descriptor(pipe), data, size));
  return 0;
}

/* The end is told by the transport, whoever its protocol is by then [X2]. */
static void pipe_act(tow_transport *t, tow_moment moment) {
  if (moment != TOW_WHEN_LOST) return; /* else the subprocess's may be gone */
  child_pipe *pipe = ((pipe_transport *)t)->pipe;
  process *p = pipe->process;
  if (callbacks_of(p)->pipe_connection_lost) {
    const tow_error *error = t->error.code ? &t->error : NULL;
    tow_enter(p->base.loop);
    tow_left(p->base.loop, &p->base, "pipe_connection_lost",
             callbacks_of(p)->pipe_connection_lost(p->base.protocol, descriptor(pipe), error));
  }
  pipe->open = false;
  try_finish(p);
}

static int on_pause(tow_protocol *self) {
  process *p = ((child_pipe *)self)->process;
  tow_call_pause_writing(&p->base);
  return 0;
}

static int on_resume(tow_protocol *self) {
  process *p = ((child_pipe *)self)->process;
  tow_call_resume_writing(&p->base);
  return 0;
}

static const tow_stream_callbacks pipe_callbacks = {
    .base = {.size = sizeof(tow_stream_callbacks),
             .kind = TOW_STREAM,
             .pause_writing = on_pause,
             .resume_writing = on_resume},
    .data_received = on_data,
};

static tow_protocol *get_pipe(tow_loop *loop, void *pipe) {
  (void)loop;
  return pipe;
}

tow_transport *tow_host_pipe(tow_transport *transport, int fd, const tow_connection_host *table, void *connection,
                             unsigned abilities) {
  child_pipe *pipe = &((process *)transport)->pipes[fd];
  pipe->base.callbacks = &pipe_callbacks.base;
  pipe->process = (process *)transport;
  tow_transport *t =
      tow_new_transport(transport->loop, TOW_STREAMS, sizeof(pipe_transport), table, connection, abilities);
  if (!t) return NULL;
  ((pipe_transport *)t)->pipe = pipe;
  t->also = pipe_act;
  if (tow_start(t, NULL, &(tow_factory){get_pipe, pipe}) < 0) return NULL;
  pipe->open = true;
  return pipe->transport = tow_transport_ref(t);
}

/* ---- The end ---- */

static void tell_exit(process *p) {
  if (!p->exited) return;
  if (callbacks_of(p)->process_exited) {
    tow_enter(p->base.loop);
    tow_left(p->base.loop, &p->base, "process_exited", callbacks_of(p)->process_exited(p->base.protocol));
  }
  try_finish(p);
}

void tow_host_exited(tow_transport *transport, int returncode) {
  process *p = (process *)transport;
  if (p->exited) return;
  p->exited = true;
  p->returncode = returncode;
  if (!(transport->state & TOW_UNMADE)) tell_exit(p);
}

static void send(process *p, int signal) {
  if (!p->exited && p->base.table->kill) p->base.table->kill(p->base.connection, signal);
}

static void each_pipe(process *p, void (*end)(tow_transport *)) {
  for (int fd = 0; fd < 3; fd++)
    if (p->pipes[fd].transport) end(p->pipes[fd].transport);
}

static void act(tow_transport *t, tow_moment moment) {
  process *p = (process *)t;
  if (moment == TOW_WHEN_MADE) {
    tell_exit(p);
  } else if (moment == TOW_WHEN_CLOSED) {
    each_pipe(p, tow_transport_close);
    send(p, SIGNAL_KILL);
  } else if (moment == TOW_WHEN_FREED) {
    each_pipe(p, tow_transport_unref);
  }
}

/* The loop ends: the child is not waited for [T5]. */
static void run_abandon(tow_loop *loop, tow_node *node) {
  (void)loop;
  process *p = (process *)TOW_OWNER(node, tow_transport, open);
  p->base.state |= TOW_CLOSING;
  each_pipe(p, tow_transport_abort);
  send(p, SIGNAL_KILL);
  tow_host_exited(&p->base, -SIGNAL_KILL);
}

/* ---- Opening ---- */

static tow_transport *new_process(tow_loop *loop, const tow_connection_host *table, void *connection, int pid) {
  tow_transport *t = tow_new_transport(loop, TOW_PROCESSES, sizeof(process), table, connection, 0);
  if (!t) return NULL;
  t->also = act;
  t->open.run = run_abandon;
  ((process *)t)->pid = pid;
  return t;
}

tow_transport *tow_host_open_process(tow_loop *loop, tow_factory factory, const tow_connection_host *table,
                                     void *connection, int pid) {
  tow_transport *t = new_process(loop, table, connection, pid);
  return t && tow_start(t, NULL, &factory) == 0 ? t : NULL;
}

tow_transport *tow_host_spawned(tow_request *r, const tow_connection_host *table, void *connection, int pid) {
  return r->settled ? NULL : tow_open_for(r, new_process(r->loop, table, connection, pid));
}

tow_request *tow_loop_spawn(tow_loop *loop, const char *address, const tow_spawn_options *options, tow_factory factory,
                            tow_connected done, void *context) {
  tow_spawn_options all = TOW_SPAWN_OPTIONS_DEFAULT;
  if (options) memcpy(&all, options, options->size < sizeof all ? options->size : sizeof all);
  tow_request *r = tow_new_request(loop, factory, done, context);
  if (r && tow_begin(r, loop->table->spawn)) loop->table->spawn(loop->host, r, address, &all);
  return r;
}

/* ---- The protocol's calls ---- */

int tow_transport_get_pid(const tow_transport *t) {
  return t->family == TOW_PROCESSES ? ((const process *)t)->pid : 0;
}

bool tow_transport_get_returncode(const tow_transport *t, int *returncode) {
  if (t->family != TOW_PROCESSES || !((const process *)t)->exited) return false;
  *returncode = ((const process *)t)->returncode;
  return true;
}

tow_transport *tow_transport_get_pipe_transport(const tow_transport *t, int fd) {
  if (t->family != TOW_PROCESSES || fd < 0 || fd > 2) return NULL;
  return ((const process *)t)->pipes[fd].transport;
}

int tow_transport_send_signal(tow_transport *t, int signal) {
  if (t->family != TOW_PROCESSES) return TOW_ENOTSUP;
  if (t->state & TOW_DONE) return TOW_ESRCH;
  if (((process *)t)->exited) return 0;
  return t->table->kill ? t->table->kill(t->connection, signal) : TOW_ENOTSUP;
}

int tow_transport_terminate(tow_transport *t) {
  return tow_transport_send_signal(t, SIGNAL_TERM);
}

int tow_transport_kill(tow_transport *t) {
  return tow_transport_send_signal(t, SIGNAL_KILL);
}
