/* The subject on libuv: commands come by the standard input, and its end ends the program. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* libuv's header wants POSIX's types */
#endif

#include "subject.h"

#include "towline/uv.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

typedef struct input {
  tow_protocol base;
  subject *subject;
} input;

static int blocks; /* of the loop's that are allocated */

static void *allocate(void *context, size_t size) {
  (void)context;
  blocks++;
  return malloc(size);
}

static void release(void *context, void *memory) {
  (void)context;
  blocks -= memory != NULL;
  free(memory);
}

int host_memory(tow_loop *loop) {
  (void)loop;
  return blocks;
}

static void count(uv_handle_t *handle, void *sum) {
  (void)handle;
  ++*(int *)sum;
}

int host_handles(tow_loop *loop) {
  int sum = 0;
  uv_walk(tow_uv_loop(loop), count, &sum);
  return sum;
}

static int read_commands(tow_protocol *self, const void *bytes, size_t size) {
  subject_feed(((input *)self)->subject, bytes, size);
  return 0;
}

static int end_of_commands(tow_protocol *self, const tow_error *error) {
  (void)error;
  tow_uv_stop(((input *)self)->subject->loop);
  return 0;
}

static const tow_stream_callbacks commands = {
    .base = {.size = sizeof(tow_stream_callbacks), .kind = TOW_STREAM, .connection_lost = end_of_commands},
    .data_received = read_commands,
};

static tow_protocol *create(tow_loop *loop, void *context) {
  (void)loop;
  return context;
}

static void warn(void *context, tow_level level, const char *message) {
  (void)context;
  if (level == TOW_LOG_WARNING) say("\"event\":\"warning\",\"text\":\"%s\"", message);
}

int main(void) {
  tow_loop *loop = tow_uv_loop_new(&(tow_uv_options){.allocator = {allocate, release, NULL}});
  if (!loop) return 1;
  subject *self = subject_new(loop);
  input in = {{&commands.base}, self};
  tow_loop_set_log(loop, warn, NULL);
  if (tow_loop_connect_read_pipe(loop, dup(0), (tow_factory){create, &in}, NULL) < 0) return 1;
  say("\"event\":\"ready\"");
  tow_uv_run(loop);
  tow_uv_loop_close(loop);
  say("\"event\":\"end\",\"memory\":%d", blocks);
  subject_free(self);
  return 0;
}
