/* The library's version, as its header has it. */
#include "towline/towline.h"

#define TOW_TEXT(...)    #__VA_ARGS__
#define TOW_TEXT_OF(...) TOW_TEXT(__VA_ARGS__)

const char *tow_version(void) {
  return TOW_TEXT_OF(TOW_VERSION_MAJOR) "." TOW_TEXT_OF(TOW_VERSION_MINOR) "." TOW_TEXT_OF(TOW_VERSION_PATCH);
}
