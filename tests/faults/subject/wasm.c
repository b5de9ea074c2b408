/* The subject as a module: ../node.js feeds it, and answers what it asks. */
#include "subject.h"

__attribute__((import_module("app"), import_name("memory"))) extern int app_memory(void);
__attribute__((import_module("app"), import_name("handles"))) extern int app_handles(void);

int host_memory(tow_loop *loop) {
  (void)loop;
  return app_memory();
}

int host_handles(tow_loop *loop) {
  (void)loop;
  return app_handles();
}
