/* Pipes on descriptors: one side of a pipe, FIFO, socket or terminal under a transport. */
#include "uv_internal.h"

#include <fcntl.h>

static int connect_pipe(tow_loop *loop, int fd, const tow_uv_stream *stream, int wrong_mode, tow_factory factory,
                        tow_transport **transport) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == wrong_mode) return TOW_EBADF;
  tow_uv_descriptor *d;
  int status = tow_uv_descriptor_new(tow_host_of(loop), fd, tow_uv_stream_ready, &d);
  if (status < 0) return tow_uv_error(status);
  d->transport = tow_host_open(loop, factory, NULL, &stream->table, d, stream->abilities);
  if (transport) *transport = d->transport;
  if (d->transport) return 0;
  tow_uv_descriptor_give_back(d);
  return TOW_ENOMEM;
}

int tow_loop_connect_read_pipe(tow_loop *loop, int fd, tow_factory factory, tow_transport **transport) {
  return connect_pipe(loop, fd, &tow_uv_pipe_reader, O_WRONLY, factory, transport);
}

int tow_loop_connect_write_pipe(tow_loop *loop, int fd, tow_factory factory, tow_transport **transport) {
  return connect_pipe(loop, fd, &tow_uv_pipe_writer, O_RDONLY, factory, transport);
}
