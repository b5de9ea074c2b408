/* The core's unit tests, on the memory host. */
#include "probe.h"

extern const test lifecycle_tests[], flow_tests[], write_tests[], read_tests[], loop_tests[], datagram_tests[],
    process_tests[], layer_tests[], framing_tests[];

int main(void) {
  int failed = test_run(lifecycle_tests) + test_run(flow_tests) + test_run(write_tests) + test_run(read_tests) +
               test_run(loop_tests) + test_run(datagram_tests) + test_run(process_tests) + test_run(layer_tests) +
               test_run(framing_tests);
  return failed > 0;
}
