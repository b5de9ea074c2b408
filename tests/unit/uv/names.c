/* The tests' own name service, in the place of the system's: the linker finds these first, libuv's threads too. */
#include "scene.h"

#include <netdb.h>
#include <semaphore.h>

static struct {
  uv_once_t once;
  sem_t released;
} slow = {UV_ONCE_INIT, {{0}}};

static void make(void) {
  sem_init(&slow.released, 0, 0);
}

void names_release(void) {
  uv_once(&slow.once, make);
  sem_post(&slow.released);
}

static const struct {
  const char *name, *addresses[4];
} names[] = {
    {"two.test", {"::1", "127.0.0.1"}},
    {"three.test", {"127.0.0.1", "127.0.0.2", "::1"}},
    {"localhost", {"127.0.0.1"}},
};

static struct addrinfo *new_entry(const char *address, int port) {
  struct addrinfo *entry = calloc(1, sizeof *entry + sizeof(struct sockaddr_storage));
  entry->ai_addr = (struct sockaddr *)(entry + 1);
  entry->ai_socktype = SOCK_STREAM;
  if (uv_ip4_addr(address, port, (struct sockaddr_in *)(void *)entry->ai_addr) == 0) {
    entry->ai_family = AF_INET;
    entry->ai_addrlen = sizeof(struct sockaddr_in);
  } else {
    uv_ip6_addr(address, port, (struct sockaddr_in6 *)(void *)entry->ai_addr);
    entry->ai_family = AF_INET6;
    entry->ai_addrlen = sizeof(struct sockaddr_in6);
  }
  return entry;
}

int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict list) {
  (void)hints;
  *list = NULL;
  if (strcmp(node, "slow.test") == 0) {
    uv_once(&slow.once, make);
    sem_wait(&slow.released);
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(node, names[i].name) != 0) continue;
    struct addrinfo **end = list;
    for (size_t j = 0; j < 4 && names[i].addresses[j]; j++, end = &(*end)->ai_next)
      *end = new_entry(names[i].addresses[j], atoi(service));
    return 0;
  }
  return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list) {
  while (list) {
    struct addrinfo *next = list->ai_next;
    free(list);
    list = next;
  }
}
