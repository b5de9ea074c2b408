/* The subject: what faults are done to. It takes commands, a line each, and tells what its protocols are told, a line
 * of JSON each: one test serves every host. ../subject.js is the other side.
 *
 *     listen ADDRESS ROLE     {"event":"listening","address":"tcp://..."} or "refused"; "made" for each connection
 *     connect ADDRESS ROLE    "made", or {"event":"refused","code":"E..."}
 *     unlisten                the server stops accepting
 *     write ID SIZE           at once, whatever pause_writing says
 *     pump ID SIZE            between resume_writing and pause_writing; then write_eof
 *     eof | close | abort | pause | resume ID
 *     state ID                the write buffer, the most it has held, bytes written and received, whether it reads
 *     shell SCRIPT            a child of /bin/sh, with three pipes: "made", or "refused"
 *     run PROGRAM SIZE        a child with one argument of that size (0: none)
 *     pipe ID FD WHAT [SIZE]  pause, resume, close, write zeros or a line's end to a child's pipe
 *     signal ID NUMBER
 *     stats                   what is held of memory and of the host's handles
 *
 * A role is "-", or some letters: e echoes, and reads only while it may write; h keeps its side open at the peer's end;
 * b a buffered protocol; p pauses reading in connection_made; s sips: pauses after each read until the next turn;
 * m takes a mebibyte at a time: pauses after each, and tells of data only then; q does not tell of pauses in writing.
 * What is written, and expected to come, is the pattern: byte N of a direction is N % 251. */
#ifndef TOWLINE_FAULTS_SUBJECT_H
#define TOWLINE_FAULTS_SUBJECT_H

#include "towline/towline.h"

typedef struct end end;
typedef struct child child;

typedef struct role {
  struct subject *subject;
  bool echoes, stays, is_buffered, pauses, sips, is_slow, is_quiet;
} role;

typedef struct subject {
  tow_loop *loop;
  tow_server *server;
  end *ends;
  child *children;
  role server_role, client_role;
  int last;       /* id */
  char scheme[8]; /* the server's */
  size_t held;
  char line[4096];
} subject;

/* ---- For the hosts' programs ---- */

subject *subject_new(tow_loop *loop);
void subject_free(subject *self);
/* Bytes of commands, in pieces of any size. */
void subject_feed(subject *self, const char *bytes, size_t size);

/* The host answers: memory held (in any unit that comes back to what it was), handles open. */
int host_memory(tow_loop *loop);
int host_handles(tow_loop *loop);

/* ---- Between the files ---- */

/* Prints one line: the format's text without its braces. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
void say_refused(const tow_error *error);
void say_lost(int id, const char *event, int fd, const tow_error *error);

/* streams.c and children.c; true if the command was one of theirs. */
bool open_stream(subject *self, const char *verb, char *rest);
bool open_child(subject *self, const char *verb, char *rest);
bool stream_command(const subject *self, int id, const char *verb, char *rest);
bool child_command(const subject *self, int id, const char *verb, char *rest);
/* The next word; empty at the end. */
const char *next_word(char **rest);
long next_number(char **rest);

#endif
