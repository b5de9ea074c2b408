#include "child_platform.h"
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

void child_start(void) {
  static const int usual[] = {SIGINT, SIGTERM, SIGPIPE};
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
    signal(usual[i], SIG_DFL);
}

void child_hang(void) {
  for (;;)
    pause();
}

void child_ignore_term(void) {
  signal(SIGTERM, SIG_IGN);
}

void child_raise(int signal) {
  raise(signal);
}

void child_hold(unsigned long milliseconds) {
  if (fork() != 0) return;
  pass_time(milliseconds);
  _exit(0);
}
