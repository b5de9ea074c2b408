/* Counts what comes, with nothing but read, and answers the number when that ends; one connection after the other.
 * usage: bulk_read; prints its port. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static char memory[1 << 20];

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, (const struct sockaddr *)&address, size) < 0 || listen(server, 16) < 0) return 1;
  getsockname(server, (struct sockaddr *)&address, &size);
  printf("%u\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int fd = accept(server, NULL, NULL);
    if (fd < 0) return 1;
    uint64_t received = 0;
    for (ssize_t n; (n = read(fd, memory, sizeof memory)) > 0;)
      received += (uint64_t)n;
    if (write(fd, &received, sizeof received) != sizeof received) return 1;
    close(fd);
  }
}
