/* libuv's errors by our names: the same name where there is one, as with errno. */
#include "uv_internal.h"

int tow_uv_error(int status) {
  char name[32];
  switch (status) {
  case UV_EAI_MEMORY:
    return TOW_ENOMEM;
  case UV_EAI_CANCELED:
    return TOW_ECANCELED;
  case UV_EAI_ADDRFAMILY:
  case UV_EAI_AGAIN:
  case UV_EAI_FAIL:
  case UV_EAI_NODATA:
  case UV_EAI_NONAME:
  case UV_EAI_SERVICE:
    return TOW_ENOTFOUND;
  case UV_EAFNOSUPPORT: /* a machine without IPv6 */
    return TOW_EADDRNOTAVAIL;
  case UV_ENAMETOOLONG:
    return TOW_EADDRESS;
  case UV_EAGAIN: /* a Unix socket whose backlog is full */
    return TOW_ECONNREFUSED;
  case UV_EOVERFLOW: /* another meaning of the name */
    return TOW_EUNKNOWN;
  default:
    return tow_error_from_name(uv_err_name_r(status, name, sizeof name));
  }
}

tow_error tow_uv_error_of(int status, char text[TOW_UV_ERROR_TEXT]) {
  int code = tow_uv_error(status);
  return (tow_error){code, -status, code == TOW_EUNKNOWN ? uv_strerror_r(status, text, TOW_UV_ERROR_TEXT) : NULL};
}
