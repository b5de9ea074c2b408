/* The protocol of the demo's panel of processes: what a page may ask of one program. See shell.c. */
#ifndef TOWLINE_DEMO_SHELL_H
#define TOWLINE_DEMO_SHELL_H

#include <towline/towline.h>

typedef struct program program;

/* The constructor. `context` is the program that reads what this one writes, or NULL: the terminal does. */
tow_protocol *shell_new(tow_loop *loop, void *context);

/* Writes to its standard input. Answers 1, or 0 while that is full: then nothing was taken, and `ready` will tell. */
int shell_type(program *self, const void *data, size_t size);
/* Ends its standard input. */
void shell_end(program *self);
int shell_signal(program *self, int signal);
/* While it is held nothing that it writes is read. */
void shell_hold(program *self, bool held);
/* How many bytes a second of its standard output are read; 0: as they come. */
void shell_read_slowly(program *self, double rate);

/* ---- What the page supplies ---- */

#define SHELL_IMPORT(name) __attribute__((import_module("shell"), import_name(#name))) extern void shell_##name

/* For the terminal. */
SHELL_IMPORT(print)(program *self, int fd, const void *data, size_t size);
/* Its standard input takes bytes again. */
SHELL_IMPORT(ready)(program *self);
/* `returncode`: as tow_transport_get_returncode has it. */
SHELL_IMPORT(exited)(program *self, int returncode);

#endif
