/* Taking an address apart [O2]. */
#include "core.h"

static bool is_scheme_char(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

/* Reads ":port" at `text`; answers what follows it, or NULL. */
static const char *parse_port(const char *text, tow_address *a) {
  if (*text != ':') return text;
  int port = 0;
  const char *c = text + 1;
  for (; *c >= '0' && *c <= '9'; c++)
    if ((port = port * 10 + (*c - '0')) > 65535) return NULL;
  if (c == text + 1) return NULL;
  a->port = port;
  return c;
}

int tow_address_parse(const char *text, tow_address *a) {
  *a = (tow_address){.scheme = text, .host = "", .path = "", .port = -1};
  while (is_scheme_char(text[a->scheme_size], a->scheme_size == 0))
    a->scheme_size++;
  const char *c = text + a->scheme_size;
  if (a->scheme_size == 0 || *c++ != ':') return TOW_EADDRESS;
  if (c[0] == '/' && c[1] == '/') {
    for (c += 2; *c; c++)
      if ((unsigned char)*c <= ' ' || *c == 127) return TOW_EADDRESS;
    c = text + a->scheme_size + 3;
    bool bracket = *c == '[';
    if (bracket) c++;
    a->host = c;
    a->host_size = strcspn(c, bracket ? "]" : ":/?#");
    c += a->host_size;
    if (bracket && *c++ != ']') return TOW_EADDRESS;
    if (a->host_size == 0 || memchr(a->host, '@', a->host_size)) return TOW_EADDRESS;
    if (!(c = parse_port(c, a))) return TOW_EADDRESS;
    if (*c && !strchr("/?#", *c)) return TOW_EADDRESS;
  }
  a->path = c;
  a->path_size = strlen(c);
  return 0;
}

bool tow_address_has_scheme(const tow_address *a, const char *scheme) {
  return strlen(scheme) == a->scheme_size && memcmp(a->scheme, scheme, a->scheme_size) == 0;
}
