/* An echo with Emscripten's POSIX sockets, which are WebSockets. */
#include <arpa/inet.h>
#include <emscripten.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static char memory[4096];

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7008)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  connect(fd, (struct sockaddr *)&address, sizeof address);
  for (;;) {
    ssize_t size = recv(fd, memory, sizeof memory, 0);
    if (size == 0) return 0;
    if (size < 0)
      emscripten_sleep(10);
    else
      send(fd, memory, (size_t)size, 0);
  }
}
