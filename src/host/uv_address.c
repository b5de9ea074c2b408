/* Socket addresses as text. */
#include "uv_internal.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

void tow_uv_address_text(const tow_uv_address *a, char *text, size_t capacity) {
  char host[INET6_ADDRSTRLEN] = "", zone[1 + IF_NAMESIZE] = "%";
  switch (a->any.sa_family) {
  case AF_INET:
    uv_ip4_name(&a->in, host, sizeof host);
    snprintf(text, capacity, "%s:%u", host, ntohs(a->in.sin_port));
    break;
  case AF_INET6:
    uv_ip6_name(&a->in6, host, sizeof host);
    if (!a->in6.sin6_scope_id || !if_indextoname(a->in6.sin6_scope_id, zone + 1)) zone[0] = '\0';
    snprintf(text, capacity, "[%s%s]:%u", host, zone, ntohs(a->in6.sin6_port));
    break;
  case AF_UNIX: /* a path that fills its place has no end mark */
    snprintf(text, capacity, "%.*s", (int)sizeof a->un.sun_path, a->un.sun_path);
    break;
  default:
    snprintf(text, capacity, "?");
  }
}

bool tow_uv_address_from_text(const char *host, int port, tow_uv_address *a) {
  memset(a, 0, sizeof *a);
  return uv_ip4_addr(host, port, &a->in) == 0 || uv_ip6_addr(host, port, &a->in6) == 0;
}
