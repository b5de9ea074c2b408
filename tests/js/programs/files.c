/* Copies one file to another, in capitals; then says what is in the directory. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

int main(int count, char **arguments) {
  if (count < 3) return 1;
  FILE *in = fopen(arguments[1], "r");
  if (!in) return 2;
  FILE *out = fopen(arguments[2], "w");
  if (!out) return 3;
  for (int c; (c = getc(in)) != EOF;)
    putc(toupper(c), out);
  fclose(in);
  fclose(out);
  DIR *directory = opendir(count > 3 ? arguments[3] : "/");
  if (!directory) return 4;
  for (struct dirent *entry; (entry = readdir(directory));)
    if (entry->d_name[0] != '.') puts(entry->d_name);
  closedir(directory);
  return 0;
}
