/* What the programs that load a server share. */
#ifndef TOWLINE_BENCH_LOAD_H
#define TOWLINE_BENCH_LOAD_H

#include <stddef.h>

/* One line on stderr, exit code 1. */
_Noreturn void die(const char *what);

/* A connection to 127.0.0.1, without Nagle's delay. */
int connect_to(int port);

/* Has the system send as fast as the peer takes it. Some systems pace by what they guess of the network (BBR), and on
 * the loopback they guess too little. */
void send_unpaced(int fd);

/* Seconds of a clock that only goes forward. */
double now(void);

/* Processor time of another process, all its threads, in seconds. 0 for process 0. */
typedef struct processor_time {
  double all, user;
} processor_time;
processor_time time_of(int process);

#endif
