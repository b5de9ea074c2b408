/* What the recorder's own files share. */
#ifndef TOWLINE_TESTS_RECORDER_INTERNAL_H
#define TOWLINE_TESTS_RECORDER_INTERNAL_H

#include "far_end.h"
#include "recorder.h"
#include "scenario.h"
#include <towline/memory.h>

/* A line being written. */
typedef struct line {
  char *text;
  size_t size, capacity;
} line;

void line_text(line *self, const char *text);
void line_quoted(line *self, const char *text, size_t size);
void line_number(line *self, int64_t value);
void line_hex(line *self, const void *data, size_t size);

/* One of a scenario's protocols. */
typedef struct recording {
  tow_protocol base;
  recorder *recorder;
  const script *script;
  int64_t calls[CALLBACK_COUNT];
  size_t gets;
  void **buffers; /* one per size: what was lent once may be lent for long [B5], so none is freed before the end */
  void *buffer;   /* what get_buffer gave last */
} recording;

struct recorder {
  scenario scenario;
  recorder_layer layer;
  recording recordings[2];
  recorder_print print;
  void *context;
  line line;
  bool muted, feeding; /* feeding: connection_made and connection_lost print nothing */
  tow_loop *loop;
  tow_transport *transport; /* a reference; NULL before connection_made */
  uint64_t written, fed;    /* where the pattern of each direction stands */
  uint64_t pipe_written[3];
  tow_transport *pipes[3]; /* references; NULL: not piped */
  char peer[64];           /* whom datagrams are for */
  tow_peer addressees[ADDRESSEE_COUNT];
  int64_t calls[CALLBACK_COUNT], bytes;
  bool writing_paused;
  int lost_code; /* what connection_lost was told, 0 for none */
  char lost_message[32];
  char **marks;
  size_t mark_count;
  struct later *laters; /* of call_soon and call_later */
  /* The steps of a real connection. */
  size_t next;
  bool waiting, ended;
  tow_handle advance, alarm;
  void (*on_end)(void *context);
  void *on_end_context;
  int status;
};

/* lines.c: each prints one line. */
void print_line(recorder *self); /* ends self->line */
void print_op(recorder *self, const char *name, const char *value);
void print_op_number(recorder *self, const char *name, int64_t value);
void print_raised(recorder *self, const char *name, int code, const char *message);
void print_error(recorder *self, const char *key, int code, const char *message); /* a part of one */

/* Fills in the payload's bytes from `offset` on. */
void pattern_fill(uint8_t *out, uint64_t offset, size_t size);
/* A payload of n bytes, or a text; to be freed. Moves the offset. */
uint8_t *payload(const step *step, uint64_t *offset, size_t *size);

/* protocol.c */
void recording_init(recording *self, recorder *recorder, const script *script);
void recording_free(recording *self);

/* open.c: the far end's address, as its host writes it. */
void set_peer(recorder *self, const char *name);
/* memory.c */
void open_on_memory(recorder *self, far_end *far, tow_memory *memory, tow_memory_options options);

/* Once connection_made knows the transport. */
void find_peers(recorder *self);
void find_pipes(recorder *self);
void release_pipes(recorder *self);
/* child_ops.c: a step of a subprocess's protocol; TOW_EINVAL for one that is none. */
int run_child_op(recorder *self, const step *step);
void print_bool(recorder *self, const step *step, bool value);

/* ops.c: a step of the protocol's. Answers negative if it is "raise". */
int run_op(recorder *self, const step *step);
int run_ops(recorder *self, const step_list *list);
bool has_mark(const recorder *self, const char *label);
void cancel_laters(recorder *self);
void free_ops(recorder *self);

/* steps.c: as in asyncio, the first steps come before anything is read (but of a child, which has run for a while), and
 * after what connection_made scheduled. */
void steps_begin(recorder *self);
void steps_end(recorder *self);
/* Something happened that a step may wait for. */
void steps_notice(recorder *self);

#endif
