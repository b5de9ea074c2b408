/* What child.c asks of the system beyond standard C, reading and writing: child_posix.c, child_wasi.c. */
#ifndef TOWLINE_TESTS_CHILD_PLATFORM_H
#define TOWLINE_TESTS_CHILD_PLATFORM_H

enum { CANNOT_WRITE = 120, CANNOT = 121, BAD_STEP = 122 };

void child_start(void);       /* signals do what they usually do, whoever started this may have ignored them */
void child_hang(void);        /* until a signal */
void child_ignore_term(void); /* ignores SIGTERM */
void child_raise(int signal); /* is ended by it */
/* Leaves a child of its own behind, which holds the descriptors for so long. */
void child_hold(unsigned long milliseconds);

void pass_time(unsigned long milliseconds);

#endif
