/* Subprocesses: uv_spawn, and a pipe for each piped descriptor.
 *
 * The pipes are the system's, as asyncio's are, not the socket pairs that libuv would make: a child can open
 * /dev/stdout. uv_spawn waits until the program has been started or cannot be, so a request ends inside the call that
 * made it. In the child libuv sets all signals back to what they are by default, SIGPIPE too. */
#include "uv_internal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct process {
  uv_process_t uv;
  tow_uv_host *host;
  tow_transport *transport; /* NULL: not started */
  bool let_go;              /* and only waited for, so that it is no zombie */
} process;

/* ---- Ending ---- */

static void on_closed(uv_handle_t *handle) {
  process *p = handle->data;
  tow_uv_host *host = p->host;
  if (p->transport) tow_host_closed(p->transport);
  tow_loop_free(host->loop, p);
  tow_uv_release(host);
}

static void on_exit(uv_process_t *uv, int64_t status, int signal) {
  process *p = uv->data;
  if (p->let_go)
    uv_close((uv_handle_t *)uv, on_closed);
  else
    tow_host_exited(p->transport, signal ? -signal : (int)status);
}

/* One that runs is killed. One that may not be, being another user's, is left to itself. */
static void let_go(process *p) {
  p->let_go = uv_is_active((uv_handle_t *)&p->uv) && uv_process_kill(&p->uv, SIGKILL) == 0;
  if (!p->let_go) uv_close((uv_handle_t *)&p->uv, on_closed);
}

static void close_process(void *connection, const tow_error *error) {
  (void)error;
  let_go(connection);
}

static int send_signal(void *connection, int signal) {
  process *p = connection;
  int status = uv_process_kill(&p->uv, signal);
  return status == 0 || status == UV_ESRCH ? 0 : tow_uv_error(status);
}

static const tow_connection_host table = {
    .size = sizeof(tow_connection_host),
    .close = close_process,
    .kill = send_signal,
};

/* ---- Standard input, output and errors ---- */

typedef struct stdio {
  uv_stdio_container_t child[3]; /* what it gets */
  int theirs[3];                 /* its ends of pipes, closed here once it runs; -1: none */
  tow_uv_descriptor *ours[3];    /* the other ends; NULL: none */
} stdio;

static const tow_uv_stream *side_of(int fd) {
  return fd == 0 ? &tow_uv_pipe_writer : &tow_uv_pipe_reader;
}

static int make_pipe(tow_uv_host *host, stdio *io, int fd) {
  uv_file ends[2]; /* to read from, to write to */
  int status = uv_pipe(ends, 0, 0);
  if (status < 0) return status;
  io->theirs[fd] = ends[fd != 0];
  status = tow_uv_descriptor_new(host, ends[fd == 0], tow_uv_stream_ready, &io->ours[fd]);
  if (status < 0) close(ends[fd == 0]);
  return status;
}

static int make_stdio(tow_uv_host *host, const tow_spawn_options *options, stdio *io) {
  for (int fd = 0; fd < 3; fd++) {
    uv_stdio_container_t *child = &io->child[fd];
    int status = 0;
    switch (options->stdio[fd]) {
    case TOW_PIPE:
      status = make_pipe(host, io, fd);
      *child = (uv_stdio_container_t){UV_INHERIT_FD, {.fd = io->theirs[fd]}};
      break;
    case TOW_NULL:
      child->flags = UV_IGNORE; /* libuv gives it /dev/null */
      break;
    case TOW_INHERIT:
      *child = (uv_stdio_container_t){UV_INHERIT_FD, {.fd = fd}};
      break;
    case TOW_STDOUT:
      *child = io->child[1];
      status = fd == 2 ? 0 : UV_EINVAL;
      break;
    default:
      status = UV_EINVAL;
    }
    if (status < 0) return status;
  }
  return 0;
}

static void close_theirs(const stdio *io) {
  for (int fd = 0; fd < 3; fd++)
    if (io->theirs[fd] >= 0) close(io->theirs[fd]);
}

/* ---- Starting ---- */

/* The program's name and its arguments, in memory of the loop's; NULL when out of it. */
static char **make_arguments(tow_loop *loop, const char *program, const char *const *arguments) {
  size_t count = 0;
  while (arguments && arguments[count])
    count++;
  const char **all = tow_loop_alloc(loop, (count + 2) * sizeof *all);
  if (!all) return NULL;
  all[0] = program;
  if (count > 0) memcpy(all + 1, arguments, count * sizeof *all);
  all[count + 1] = NULL;
  return (char **)(uintptr_t)all; /* only read from */
}

static int start(tow_uv_host *host, const char *program, const tow_spawn_options *options, stdio *io, process **child) {
  process *p = tow_loop_alloc(host->loop, sizeof *p);
  char **arguments = make_arguments(host->loop, program, options->arguments);
  if (!p || !arguments) {
    tow_loop_free(host->loop, p);
    tow_loop_free(host->loop, arguments);
    return UV_ENOMEM;
  }
  *p = (process){.host = host, .uv.data = p};
  int status = uv_spawn(host->uv, &p->uv,
                        &(uv_process_options_t){
                            .exit_cb = on_exit,
                            .file = program,
                            .args = arguments,
                            .env = (char **)(uintptr_t)options->environment, /* only read from */
                            .cwd = options->directory,
                            .stdio_count = 3,
                            .stdio = io->child,
                        });
  tow_loop_free(host->loop, arguments);
  tow_uv_hold(host);
  if (status < 0) uv_close((uv_handle_t *)&p->uv, on_closed); /* libuv knows of it even so */
  *child = p;
  return status;
}

static void fail(tow_request *request, const char *program, const char *directory, int status) {
  char message[1024], why[TOW_UV_ERROR_TEXT];
  int code = status == UV_EAGAIN ? TOW_EUNKNOWN : tow_uv_error(status); /* too many processes */
  snprintf(message, sizeof message, "%s%s%s: %s", program, directory ? " in " : "", directory ? directory : "",
           uv_strerror_r(status, why, sizeof why));
  tow_host_failed_request(request, &(tow_error){code, -status, message});
}

static void open_pipe(process *p, int fd, tow_uv_descriptor *ours) {
  const tow_uv_stream *side = side_of(fd);
  ours->transport = tow_host_pipe(p->transport, fd, &side->table, ours, side->abilities);
  if (ours->transport) return;
  tow_uv_descriptor_close(ours);
  tow_host_warn(p->host->loop, "no memory for a subprocess's pipe: it is ended");
  tow_transport_close(p->transport);
}

static void spawn(tow_uv_host *host, tow_request *request, const char *program, const tow_spawn_options *options) {
  stdio io = {.theirs = {-1, -1, -1}};
  process *p = NULL;
  int status = make_stdio(host, options, &io);
  if (status == 0) status = start(host, program, options, &io, &p);
  close_theirs(&io);
  if (status < 0)
    fail(request, program, options->directory, status);
  else if (!(p->transport = tow_host_spawned(request, &table, p, p->uv.pid)))
    let_go(p);
  for (int fd = 0; fd < 3; fd++) {
    if (!io.ours[fd]) continue;
    if (p && p->transport)
      open_pipe(p, fd, io.ours[fd]);
    else
      tow_uv_descriptor_close(io.ours[fd]);
  }
}

void tow_uv_spawn(void *host, tow_request *request, const char *address, const tow_spawn_options *options) {
  tow_address a;
  int error = tow_address_parse(address, &a);
  if (error == 0 && !tow_address_has_scheme(&a, "exec")) error = TOW_ESCHEME;
  if (error == 0 && (a.host_size > 0 || a.path_size == 0)) error = TOW_EADDRESS;
  if (error == 0)
    spawn(host, request, a.path, options); /* which ends with the address */
  else
    tow_host_failed_request(request, &(tow_error){error, 0, NULL});
}
