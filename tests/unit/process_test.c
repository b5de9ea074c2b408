/* X: subprocesses. */
#include "probe.h"

enum { IN = 1, OUT = 2, ERR = 4, ALL = 7 };

static bool is(const char *event, const char *want) {
  return strcmp(event, want) == 0;
}

static void child_writes(probe *p, int fd, size_t size) {
  static const unsigned char zeros[100000];
  tow_memory_send(tow_memory_pipe(p->peer, fd), zeros, size);
}

static void child_closes(probe *p, int fd) {
  tow_memory_send_eof(tow_memory_pipe(p->peer, fd));
}

static void whole_life(void) {
  probe *p = probe_spawn(ALL, NULL);
  child_writes(p, 1, 10);
  child_writes(p, 2, 5);
  child_closes(p, 1);
  run(p);
  EXPECT(p, "CM PD:1:10 PD:2:5 PL:1:none");
  int code;
  CHECK(!tow_transport_get_returncode(p->transport, &code));
  tow_memory_exit(p->peer, 3);
  run(p);
  EXPECT(p, "PX:3");
  CHECK(!tow_transport_is_closing(p->transport)); /* not set by the exit alone */
  child_closes(p, 2);
  run(p);
  EXPECT(p, "PL:2:none");
  tow_transport_close(tow_transport_get_pipe_transport(p->transport, 0));
  run(p);
  EXPECT(p, "PL:0:none CL:none");
  probe_free(p);
}

static void lost_pipes(void) {
  probe *p = probe_spawn(IN | OUT, NULL);
  run(p);
  tow_transport *t = tow_transport_ref(p->transport), *pipe = tow_transport_get_pipe_transport(t, 0);
  tow_transport_close(pipe);
  child_closes(p, 1);
  tow_memory_exit(p->peer, 0);
  run(p);
  EXPECT(p, "CM PX:0 PL:0:none PL:1:none CL:none");
  CHECK(tow_transport_get_pipe_transport(t, 0) == pipe && tow_transport_is_closing(pipe));
  CHECK(tow_transport_write(pipe, "x", 1) == 0);
  tow_transport_resume_reading(tow_transport_get_pipe_transport(t, 1));
  tow_transport_unref(t);
  probe_free(p);
}

static void pipe_with_another_protocol(void) {
  probe *p = probe_spawn(OUT, NULL);
  probe *other = probe_other(p, TOW_BUFFERED);
  run(p);
  CHECK(tow_transport_set_protocol(tow_transport_get_pipe_transport(p->transport, 1), &other->base) == 0);
  child_writes(p, 1, 10);
  child_closes(p, 1);
  tow_memory_exit(p->peer, 0);
  run(p);
  EXPECT(p, "CM PX:0 2.GB:-1 2.BU:10 2.GB:-1 2.ER 2.CL:none PL:1:none CL:none");
  probe_free(p);
}

static void exit_before_made(void) {
  probe *p = probe_spawn(OUT, NULL);
  tow_memory_exit(p->peer, -9);
  child_writes(p, 1, 10);
  child_closes(p, 1);
  run(p);
  EXPECT(p, "CM PX:-9 PD:1:10 PL:1:none CL:none");
  probe_free(p);
}

static void no_pipes(void) {
  probe *p = probe_spawn(0, NULL);
  run(p);
  for (int fd = -1; fd < 4; fd++)
    CHECK(tow_transport_get_pipe_transport(p->transport, fd) == NULL);
  tow_memory_exit(p->peer, 0);
  run(p);
  EXPECT(p, "CM PX:0 CL:none");
  probe_free(p);
}

static void flow_of_stdin(void) {
  probe *p = probe_spawn(IN, NULL);
  run(p);
  tow_memory_peer *in = tow_memory_pipe(p->peer, 0);
  CHECK(tow_transport_get_pipe_transport(p->transport, 1) == NULL);
  tow_transport *pipe = tow_transport_get_pipe_transport(p->transport, 0);
  tow_transport_set_write_buffer_limits(pipe, 10, 2);
  tow_memory_fail_writes(in, &(tow_error){TOW_EPIPE, 32, NULL});
  tow_transport_write(pipe, "x", 1);
  tow_memory_exit(p->peer, 1);
  run(p);
  EXPECT(p, "CM PX:1 PL:0:EPIPE CL:none");
  probe_free(p);
}

static void pause_of_stdin(void) {
  probe *p = probe_spawn(IN | OUT, NULL);
  run(p);
  tow_transport *pipe = tow_transport_get_pipe_transport(p->transport, 0);
  char bytes[20] = {0};
  tow_transport_set_write_buffer_limits(pipe, 10, 2);
  tow_memory_accept(tow_memory_pipe(p->peer, 0), 0);
  tow_transport_write(pipe, bytes, 20);
  run(p);
  EXPECT(p, "CM"); /* it takes everything */
  tow_transport *out = tow_transport_get_pipe_transport(p->transport, 1);
  tow_transport_pause_reading(out);
  child_writes(p, 1, 10);
  run(p);
  EXPECT(p, "");
  tow_transport_resume_reading(out);
  run(p);
  EXPECT(p, "PD:1:10");
  CHECK(tow_transport_write(out, "x", 1) == TOW_ENOTSUP);
  probe_free(p);
}

static void signals(void) {
  probe *p = probe_spawn(OUT, NULL);
  run(p);
  tow_transport *t = tow_transport_ref(p->transport);
  CHECK(tow_transport_send_signal(t, 2) == 0 && tow_memory_signal(p->peer) == 2);
  CHECK(tow_transport_terminate(t) == 0 && tow_memory_signal(p->peer) == 15);
  tow_memory_exit(p->peer, -15);
  CHECK(tow_transport_kill(t) == 0 && tow_memory_signal(p->peer) == 15); /* it has just ended */
  child_closes(p, 1);
  run(p);
  EXPECT(p, "CM PX:-15 PL:1:none CL:none");
  CHECK(tow_transport_kill(t) == TOW_ESRCH);
  int code = 0;
  CHECK(tow_transport_get_returncode(t, &code) && code == -15);
  tow_transport_unref(t);
  probe_free(p);
}

static void close_kills(void) {
  probe *p = probe_spawn(ALL, NULL);
  run(p);
  tow_transport_close(p->transport);
  tow_transport_close(p->transport);
  CHECK(tow_transport_is_closing(p->transport));
  CHECK(tow_memory_signal(p->peer) == 9);
  run(p);
  EXPECT(p, "CM PL:0:none PL:1:none PL:2:none");
  tow_memory_exit(p->peer, -9);
  run(p);
  EXPECT(p, "PX:-9 CL:none");
  probe_free(p);
}

static void loop_closes(void) {
  probe *p = probe_spawn(ALL, NULL);
  run(p);
  tow_host_close_loop(tow_memory_loop(p->memory));
  EXPECT(p, "CM PX:-9 PL:0:none PL:1:none PL:2:none CL:none");
  probe_free(p);
  p = probe_spawn(ALL, NULL); /* before connection_made */
  tow_host_close_loop(tow_memory_loop(p->memory));
  EXPECT(p, "CM PX:-9 PL:0:none PL:1:none PL:2:none CL:none");
  probe_free(p);
}

static int fail_in(probe *p, const char *event) {
  (void)p;
  return event[0] == 'P' ? -5 : 0;
}
static void failures_are_not_fatal(void) {
  probe *p = probe_spawn(OUT, fail_in);
  child_writes(p, 1, 1);
  child_closes(p, 1);
  run(p);
  tow_memory_exit(p->peer, 0);
  run(p);
  EXPECT(p, "CM PD:1:1 !pipe_data_received:-5 PL:1:none !pipe_connection_lost:-5 PX:0 !process_exited:-5 CL:none");
  probe_free(p);
}

static int close_in_made(probe *p, const char *event) {
  if (is(event, "CM")) tow_transport_close(p->transport);
  return 0;
}
static void close_inside_made(void) {
  probe *p = probe_spawn(ALL, close_in_made);
  child_writes(p, 1, 1);
  run(p);
  CHECK(tow_memory_signal(p->peer) == 9);
  tow_memory_exit(p->peer, -9);
  run(p);
  EXPECT(p, "CM PL:0:none PL:1:none PL:2:none PX:-9 CL:none");
  probe_free(p);
}

const test process_tests[] = {
    {"X1 X2 X3 X4 a whole life", whole_life},
    {"X1 an exit before connection_made is told after it", exit_before_made},
    {"X4 a child without pipes", no_pipes},
    {"X2 X4 B7 a pipe with another protocol ends all the same", pipe_with_another_protocol},
    {"X10 a pipe that is lost is still there, and harmless", lost_pipes},
    {"X5 X6 signals and return codes", signals},
    {"X7 close closes the pipes and kills", close_kills},
    {"L1 close inside connection_made", close_inside_made},
    {"X8 a child that dies with standard input queued", flow_of_stdin},
    {"X8 X10 pipes are transports", pause_of_stdin},
    {"T5 closing the loop ends subprocesses", loop_closes},
    {"L6 failures in PD, PL and PX are reported and not fatal", failures_are_not_fatal},
    {0},
};
