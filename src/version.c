/* The library's version, as its header has it. */
#include "towline/towline.h"

#define TOW_TEXT(...)                   #__VA_ARGS__
#define TOW_DOTTED(major, minor, patch) TOW_TEXT(major.minor.patch)

const char *tow_version(void) {
  return TOW_DOTTED(TOW_VERSION_MAJOR, TOW_VERSION_MINOR, TOW_VERSION_PATCH);
}
