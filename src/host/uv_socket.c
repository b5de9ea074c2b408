/* Sockets of our own. */
#include "uv_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int tow_uv_socket(int family, int type) {
  int fd = socket(family, type, 0);
  if (fd < 0) return uv_translate_sys_error(errno);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

socklen_t tow_uv_address_size(const tow_uv_address *a) {
  switch (a->any.sa_family) {
  case AF_INET:
    return sizeof a->in;
  case AF_INET6:
    return sizeof a->in6;
  default:
    return sizeof a->un;
  }
}

int tow_uv_bind_socket(int fd, const tow_uv_address *a, const tow_options *options) {
  int only = options->ipv6_only;
  if (a->any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  return bind(fd, &a->any, tow_uv_address_size(a)) < 0 ? uv_translate_sys_error(errno) : 0;
}

int tow_uv_connect_socket(int fd, const tow_uv_address *a, const tow_options *options) {
  (void)options;
  if (connect(fd, &a->any, tow_uv_address_size(a)) == 0 || errno == EINPROGRESS || errno == EINTR) return 0;
  return uv_translate_sys_error(errno);
}

int tow_uv_socket_info(int fd, const char *name, char *value, size_t capacity) {
  if (fd < 0) return TOW_ENOENT; /* closed */
  if (strcmp(name, "socket") == 0) return snprintf(value, capacity, "%d", fd);
  int (*get)(int, struct sockaddr *, socklen_t *);
  if (strcmp(name, "sockname") == 0)
    get = getsockname;
  else if (strcmp(name, "peername") == 0)
    get = getpeername;
  else
    return TOW_ENOENT;
  tow_uv_address address;
  memset(&address, 0, sizeof address); /* an unnamed socket answers less than a whole address */
  socklen_t size = sizeof address;
  if (get(fd, &address.any, &size) < 0) return TOW_ENOENT;
  char text[TOW_UV_ADDRESS_TEXT];
  tow_uv_address_text(&address, text, sizeof text);
  return snprintf(value, capacity, "%s", text);
}
