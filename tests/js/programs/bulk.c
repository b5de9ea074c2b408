/* Writes so many bytes, in pieces of 64 KiB: byte i is i % 251. Then "all" to standard errors; 3 if nobody reads. */
#include <stdlib.h>
#include <unistd.h>

int main(int count, char **arguments) {
  static unsigned char bytes[65536 + 251];
  long long left = count > 1 ? atoll(arguments[1]) : 0, at = 0;
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char)(i % 251);
  while (left > 0) {
    size_t size = left < 65536 ? (size_t)left : 65536;
    if (write(1, bytes + at % 251, size) != (ssize_t)size) return 3;
    left -= (long long)size;
    at += (long long)size;
  }
  write(2, "all\n", 4);
  return 0;
}
