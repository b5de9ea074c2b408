/* The names of errors, and what they say: one string, "NAME\0text\0" for each code from -1 down. It is small, and
 * nobody is in a hurry here. */
#include "core.h"

#define TOW_ERROR_STRINGS(name, code, text) #name "\0" text "\0"
static const char strings[] = TOW_ERRORS(TOW_ERROR_STRINGS);
#undef TOW_ERROR_STRINGS

int tow_abi_version(void) {
  return TOW_ABI_VERSION;
}

/* The n-th string. */
static const char *find(int n) {
  const char *at = strings;
  while (n > 0)
    if (*at++ == '\0') n--;
  return at;
}

static bool is_error(int code) {
  return code < 0 && code >= TOW_ERROR_LAST;
}

const char *tow_error_name(int code) {
  return is_error(code) ? find(-2 * code - 2) : NULL;
}

const char *tow_error_text(int code) {
  if (!is_error(code)) return NULL;
  const char *text = find(-2 * code - 1);
  return *text ? text : tow_error_name(code);
}

int tow_error_from_name(const char *name) {
  for (int code = -1; code >= TOW_ERROR_LAST; code--)
    if (strcmp(name, tow_error_name(code)) == 0) return code;
  return TOW_EUNKNOWN;
}
