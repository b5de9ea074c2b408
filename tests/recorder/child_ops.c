/* What the protocol of a subprocess does. */
#include "internal.h"
#include <stdlib.h>

void find_pipes(recorder *self) {
  for (int fd = 0; fd < 3; fd++) {
    tow_transport *pipe = tow_transport_get_pipe_transport(self->transport, fd);
    if (pipe) self->pipes[fd] = tow_transport_ref(pipe);
  }
}

void release_pipes(recorder *self) {
  for (int fd = 0; fd < 3; fd++)
    if (self->pipes[fd]) tow_transport_unref(self->pipes[fd]);
}

static int print_returncode(recorder *self, const step *step) {
  int returncode;
  if (tow_transport_get_returncode(self->transport, &returncode))
    print_op_number(self, step_name(step->id), returncode);
  else
    print_op(self, step_name(step->id), "null");
  return 0;
}

static int write(recorder *self, const step *step) {
  size_t size;
  uint8_t *bytes = payload(step, &self->pipe_written[step->fd], &size);
  int answer = tow_transport_write(self->pipes[step->fd], bytes, size);
  free(bytes);
  return answer;
}

static int run_pipe_op(recorder *self, const step *step) {
  tow_transport *pipe = step->fd >= 0 && step->fd < 3 ? self->pipes[step->fd] : NULL;
  if (!pipe) return TOW_EBADF;
  switch (step->id) {
  case STEP_PIPE_WRITE:
    return write(self, step);
  case STEP_PIPE_WRITE_EOF:
    return tow_transport_write_eof(pipe);
  case STEP_PIPE_CLOSE:
    tow_transport_close(pipe);
    return 0;
  case STEP_PIPE_PAUSE_READING:
    tow_transport_pause_reading(pipe);
    return 0;
  default:
    tow_transport_resume_reading(pipe);
    return 0;
  }
}

int run_child_op(recorder *self, const step *step) {
  tow_transport *transport = self->transport;
  switch (step->id) {
  case STEP_GET_RETURNCODE:
    return print_returncode(self, step);
  case STEP_HAS_PID:
    print_bool(self, step, tow_transport_get_pid(transport) > 0);
    return 0;
  case STEP_HAS_PIPE:
    print_bool(self, step, tow_transport_get_pipe_transport(transport, step->fd) != NULL);
    return 0;
  case STEP_SEND_SIGNAL:
    return tow_transport_send_signal(transport, step->signal);
  case STEP_TERMINATE:
    return tow_transport_terminate(transport);
  case STEP_KILL:
    return tow_transport_kill(transport);
  case STEP_PIPE_WRITE:
  case STEP_PIPE_WRITE_EOF:
  case STEP_PIPE_CLOSE:
  case STEP_PIPE_PAUSE_READING:
  case STEP_PIPE_RESUME_READING:
    return run_pipe_op(self, step);
  default:
    return 0;
  }
}
