/* Its arguments and its environment, then a line for standard errors between two for standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **arguments) {
  for (int i = 0; i < count; i++)
    printf("%s\n", arguments[i]);
  for (char **pair = environ; pair && *pair; pair++)
    printf("%s\n", *pair);
  fflush(stdout);
  write(1, "1\n", 2);
  write(2, "2\n", 2);
  write(1, "3\n", 2);
  return 0;
}
