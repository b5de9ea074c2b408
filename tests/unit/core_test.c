/* The core's unit tests, on the memory host. */
#include "probe.h"

extern const test lifecycle_tests[], flow_tests[], write_tests[], read_tests[], loop_tests[], datagram_tests[],
    process_tests[], layer_tests[], framing_tests[], framing_credit_tests[], framing_ends_tests[],
    framing_whole_tests[];

int main(void) {
  const test *const all[] = {lifecycle_tests, flow_tests,           write_tests,        read_tests,
                             loop_tests,      datagram_tests,       process_tests,      layer_tests,
                             framing_tests,   framing_credit_tests, framing_ends_tests, framing_whole_tests};
  int failed = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    failed += test_run(all[i]);
  return failed > 0;
}
