/* The other end of one connection, which is descriptor 3. Prints how many bytes of payload went over it.
 * usage: stream_load send SECONDS                 bytes, as fast as they are taken; then the end of the stream
 *        stream_load messages SECONDS SIZE ACCEPT the same as messages of a WebSocket's server; then its close
 *        stream_load receive ACCEPT               messages of a WebSocket's client, up to its close, which is answered
 * ACCEPT is what a WebSocket's opening is answered with. */
#define _GNU_SOURCE
#include "load.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTION = 3, AT_ONCE = 1024 * 1024, CLOSE = 8 };

static unsigned char memory[2 * AT_ONCE];

/* Reads until the peer has closed, so that what it was sent is not reset. */
static void read_to_end(void) {
  while (recv(CONNECTION, memory, sizeof memory, 0) > 0)
    ;
}

/* The head of a server's binary message. */
static size_t put_head(unsigned char *at, size_t size) {
  at[0] = 0x82;
  size_t head = size < 126 ? 2 : size < 65536 ? 4 : 10;
  at[1] = (unsigned char)(head == 2 ? size : head == 4 ? 126 : 127);
  for (size_t i = head; i > 2; i--, size >>= 8)
    at[i - 1] = (unsigned char)size;
  return head;
}

/* All of a file, again and again, for so long; how often. The kernel hands its pages on without copying them, so that
 * the receiver is what is slow. */
static double send_file(int file, size_t size, double seconds) {
  double times = 0;
  for (double until = now() + seconds; now() < until; times++)
    for (off_t at = 0; at < (off_t)size;)
      if (sendfile(CONNECTION, file, &at, size - (size_t)at) < 0) die("sendfile");
  return times;
}

/* Whole messages, or (size 0) just bytes. */
static double send_for(double seconds, size_t size) {
  memset(memory, 's', sizeof memory);
  size_t head = size > 0 ? put_head(memory, size) : 0, unit = head + (size > 0 ? size : AT_ONCE);
  size_t count = unit < AT_ONCE ? AT_ONCE / unit : 1;
  for (size_t i = 1; i < count; i++)
    put_head(memory + i * unit, size);
  int file = memfd_create("messages", 0);
  if (file < 0 || write(file, memory, count * unit) != (ssize_t)(count * unit)) die("memfd_create");
  return send_file(file, count * unit, seconds) * (double)(count * (unit - head));
}

/* ---- A client's messages ---- */

static size_t begin, end; /* of what was read and not looked at */

static void need(size_t size) {
  if (end - begin >= size) return;
  memmove(memory, memory + begin, end - begin);
  end -= begin;
  begin = 0;
  while (end < size) {
    ssize_t n = recv(CONNECTION, memory + end, sizeof memory - end, 0);
    if (n <= 0) die("recv");
    end += (size_t)n;
  }
}

static void skip(uint64_t size) {
  while (size > 0) {
    need(1);
    size_t part = end - begin < size ? end - begin : (size_t)size;
    begin += part;
    size -= part;
  }
}

static double receive(void) {
  for (double total = 0;;) {
    need(2);
    int opcode = memory[begin] & 15;
    if (!(memory[begin + 1] & 128)) {
      fprintf(stderr, "stream_load: a client's message is masked\n");
      exit(1);
    }
    uint64_t size = memory[begin + 1] & 127;
    size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
    need(2 + more + 4);
    if (more) size = 0;
    for (size_t i = 0; i < more; i++)
      size = size << 8 | memory[begin + 2 + i];
    begin += 2 + more + 4;
    if (opcode == CLOSE) return total;
    total += (double)size;
    skip(size);
  }
}

static void say(const char *text) {
  if (send(CONNECTION, text, strlen(text), MSG_NOSIGNAL) < 0) die("send");
}

static void accept_opening(const char *key) {
  say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
  say(key);
  say("\r\n\r\n");
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  bool sends = strcmp(what, "send") == 0, receives = strcmp(what, "receive") == 0;
  size_t size = argc == 5 ? (size_t)atol(argv[3]) : 0;
  if (argc != (sends || receives ? 3 : 5) || size > AT_ONCE) {
    fprintf(stderr, "usage: stream_load send SECONDS | messages SECONDS SIZE ACCEPT | receive ACCEPT\n");
    return 2;
  }
  fcntl(CONNECTION, F_SETFL, 0); /* who opened it may have made it non-blocking */
  send_unpaced(CONNECTION);
  if (!sends) accept_opening(argv[argc - 1]);
  double bytes = receives ? receive() : send_for(strtod(argv[2], NULL), size);
  if (!sends) say("\x88\x02\x03\xe8");
  shutdown(CONNECTION, SHUT_WR);
  read_to_end();
  printf("%.0f\n", bytes);
  return 0;
}
