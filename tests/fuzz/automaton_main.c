/* automaton: reads callbacks from the standard input, a line each, "NAME N HINT WHO"; a sequence stands between
 * "begin IS_PROCESS 0 0" and "end 0 0 0". Prints the rules that each one breaks, in a line, in order of their
 * numbers. */
#include "automaton.h"
#include <stdio.h>
#include <string.h>

static void print_broken(uint32_t broken) {
  for (unsigned i = 0; i < RULE_COUNT; i++)
    if (broken & (uint32_t)1 << i) printf("%s ", rule_name((rule)i));
  putchar('\n');
}

int main(void) {
  char name[64];
  long long n, hint;
  int who;
  automaton self = {.always_any = true};
  while (scanf("%63s %lld %lld %d", name, &n, &hint, &who) == 4) {
    if (!strcmp(name, "begin")) {
      self = (automaton){.always_any = true, .is_process = n};
    } else if (!strcmp(name, "end")) {
      print_broken(self.broken);
    } else {
      for (unsigned i = 0; i < EVENT_COUNT; i++)
        if (!strcmp(event_name((event)i), name)) automaton_step(&self, (event)i, (ptrdiff_t)n, (ptrdiff_t)hint, who);
    }
  }
  return ferror(stdin) ? 1 : 0;
}
