/* demo/echo.c on the memory host: no libuv. */
#include <towline/memory.h>

#include <stdio.h>
#include <string.h>

tow_protocol *echo_new(tow_loop *loop, void *context);

int main(void) {
  tow_memory *memory = tow_memory_new(NULL);
  if (!memory) return 1;
  tow_memory_peer *peer = tow_memory_open(memory, (tow_factory){echo_new, NULL}, NULL);
  if (!peer) return 1;
  tow_memory_run(memory);
  tow_memory_send(peer, "hello", 5);
  tow_memory_run(memory);
  size_t size;
  const char *data = tow_memory_received(peer, &size);
  printf("%s: %.*s\n", tow_version(), (int)size, data);
  tow_memory_free(memory);
  return 0;
}
