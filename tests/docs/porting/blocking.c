/* Prints the first message under a topic: MQTT with blocking sockets, as PORTING.md finds it. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { KEEP_ALIVE = 60 };

static int broker;

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static int dial(const char *host, const char *port) {
  struct addrinfo *list, hints = {.ai_socktype = SOCK_STREAM};
  if (getaddrinfo(host, port, &hints, &list) != 0) return -1;
  int fd = -1;
  for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next) {
    fd = socket(at->ai_family, at->ai_socktype, 0);
    if (fd < 0 || connect(fd, at->ai_addr, at->ai_addrlen) == 0) continue;
    close(fd);
    fd = -1;
  }
  freeaddrinfo(list);
  return fd;
}

static void send_all(const void *data, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t sent = send(broker, (const char *)data + done, size - done, MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    done += (size_t)sent;
  }
}

/* Until all of it is there. A time-out says that the broker wants to hear of us. */
static void receive_all(void *data, size_t size) {
  static const uint8_t ping[] = {0xC0, 0};
  for (size_t done = 0; done < size;) {
    ssize_t got = recv(broker, (char *)data + done, size - done, 0);
    if (got == 0) exit(EXIT_FAILURE);
    if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK) fail("recv");
    if (got < 0) send_all(ping, sizeof ping);
    if (got > 0) done += (size_t)got;
  }
}

/* Its type and flags. */
static uint8_t receive_packet(uint8_t **body, size_t *size) {
  uint8_t head, byte;
  unsigned shift = 0;
  receive_all(&head, 1);
  *size = 0;
  do {
    receive_all(&byte, 1);
    *size |= (size_t)(byte & 127) << shift;
    shift += 7;
  } while (byte > 127 && shift < 28);
  *body = malloc(*size + 1);
  if (!*body) fail("malloc");
  receive_all(*body, *size);
  return head;
}

static void subscribe(const char *topic) {
  uint8_t packet[128] = {0x82, 0, 0, 1, 0}; /* packet identifier 1 */
  size_t size = strlen(topic);
  packet[1] = (uint8_t)(5 + size);
  packet[5] = (uint8_t)size;
  memcpy(packet + 6, topic, size);
  send_all(packet, 7 + size); /* QoS 0 */
}

int main(int count, char **arguments) {
  static const uint8_t connect_packet[] = {0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, KEEP_ALIVE, 0, 0};
  if (count != 4 || strlen(arguments[3]) > 100) return EXIT_FAILURE;
  broker = dial(arguments[1], arguments[2]);
  if (broker < 0) fail("connect");
  struct timeval patience = {.tv_sec = KEEP_ALIVE / 2};
  setsockopt(broker, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  send_all(connect_packet, sizeof connect_packet);
  for (bool done = false; !done;) {
    uint8_t *body;
    size_t size;
    uint8_t type = receive_packet(&body, &size) >> 4;
    if (type == 2) subscribe(arguments[3]);
    if (type == 3 && size >= 2) {
      size_t topic = (size_t)(body[0] << 8 | body[1]);
      if (topic <= size - 2) printf("%.*s\n", (int)(size - 2 - topic), (char *)body + 2 + topic);
      done = true;
    }
    free(body);
  }
  close(broker);
}
