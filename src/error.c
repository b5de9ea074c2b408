/* The names of errors. */
#include "core.h"

#define TOW_NAME(name, code, text) {#name, text},
static const struct { const char *name, *text; } errors[] = {TOW_ERRORS(TOW_NAME)};
#undef TOW_NAME

int tow_abi_version(void) {
  return TOW_ABI_VERSION;
}

const char *tow_error_name(int code) {
  return code >= TOW_ERROR_LAST && code < 0 ? errors[-1 - code].name : NULL;
}

const char *tow_error_text(int code) {
  return code >= TOW_ERROR_LAST && code < 0 ? errors[-1 - code].text : NULL;
}

int tow_error_from_name(const char *name) {
  for (int code = -1; code >= TOW_ERROR_LAST; code--)
    if (strcmp(name, errors[-1 - code].name) == 0) return code;
  return TOW_EUNKNOWN;
}
