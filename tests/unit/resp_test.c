/* demo/resp.c: the parser by itself, with every split of what comes; the client on the memory host. */
#include "../../demo/resp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <towline/memory.h>

static void check_at(bool ok, const char *file, int line, const char *what) {
  if (ok) return;
  fprintf(stderr, "%s:%d: %s\n", file, line, what);
  exit(1);
}
#define CHECK(what) check_at((what), __FILE__, __LINE__, #what)

/* Bytes with zeroes among them, written as a string. */
#define BYTES(text) (text), sizeof(text) - 1

/* ---- What was told, in words; neighbouring pieces are one ---- */

typedef struct story {
  char text[2048];
  size_t size;
  int answer; /* of the callbacks */
} story;

static void say(story *self, const char *text, size_t size) {
  CHECK(size < sizeof self->text - self->size);
  memcpy(self->text + self->size, text, size);
  self->size += size;
}

static int tell_value(void *context, const resp_value *value) {
  char text[64];
  int size =
      snprintf(text, sizeof text, "[%c%u %lld ", "SEIBAN"[value->kind], value -> depth, (long long)value -> number);
  say(context, text, (size_t)size);
  return ((story *)context)->answer;
}

static int tell_data(void *context, const void *data, size_t size) {
  CHECK(size > 0);
  say(context, data, size);
  return ((story *)context)->answer;
}

static int tell_end(void *context, const resp_value *value) {
  char text[] = {']', "SEIBAN"[value->kind], (char)('0' + value->depth), '\n'};
  say(context, text, sizeof text);
  return ((story *)context)->answer;
}

static const resp_sink sink = {tell_value, tell_data, tell_end};

/* In pieces: of copies, so that nothing is read behind a piece. */
static int parse(resp_parser *parser, const char *data, size_t size) {
  char *copy = malloc(size + !size);
  memcpy(copy, data, size);
  int result = resp_parse(parser, copy, size);
  free(copy);
  return result;
}

static const char sample[] = "+OK\r\n"
                             "-ERR no such thing\r\n"
                             "+\r\n"
                             ":0\r\n:-9223372036854775808\r\n:9223372036854775807\r\n"
                             "$0\r\n\r\n"
                             "$6\r\n\r\n$1\r\n\r\n"
                             "$3\r\na\0b\r\n"
                             "$-1\r\n"
                             "*0\r\n"
                             "*-1\r\n"
                             "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*1\r\n*0\r\n$-1\r\n"
                             "+END\r\n";

static const char expected[] = "[S0 -1 OK]S0\n"
                               "[E0 -1 ERR no such thing]E0\n"
                               "[S0 -1 ]S0\n"
                               "[I0 0 ]I0\n[I0 -9223372036854775808 ]I0\n[I0 9223372036854775807 ]I0\n"
                               "[B0 0 ]B0\n"
                               "[B0 6 \r\n$1\r\n]B0\n"
                               "[B0 3 a\0b]B0\n"
                               "[N0 0 ]N0\n"
                               "[A0 0 ]A0\n"
                               "[N0 0 ]N0\n"
                               "[A0 3 [I1 1 ]I1\n[A1 2 [B2 1 x]B2\n[A2 1 [A3 0 ]A3\n]A2\n]A1\n[N1 0 ]N1\n]A0\n"
                               "[S0 -1 END]S0\n";

static bool is_expected(const story *told) {
  return told->size == sizeof expected - 1 && memcmp(told->text, expected, told->size) == 0;
}

static void every_type_in_every_split(void) {
  const size_t size = sizeof sample - 1;
  for (size_t first = 0; first <= size; first++)
    for (size_t second = first; second <= size; second++) {
      story told = {0};
      resp_parser parser;
      resp_parser_init(&parser, &sink, &told);
      CHECK(parse(&parser, sample, first) == 0);
      CHECK(parse(&parser, sample + first, second - first) == 0);
      CHECK(parse(&parser, sample + second, size - second) == 0);
      CHECK(is_expected(&told));
    }
}

static uint32_t next(uint32_t *random) {
  *random ^= *random << 13;
  *random ^= *random >> 17;
  return *random ^= *random << 5;
}

static void many_pieces(void) {
  const size_t size = sizeof sample - 1;
  uint32_t random = 1;
  for (int i = 0; i < 2000; i++) {
    story told = {0};
    resp_parser parser;
    resp_parser_init(&parser, &sink, &told);
    for (size_t at = 0, piece; at < size; at += piece) {
      piece = next(&random) % 8;
      if (piece > size - at) piece = size - at;
      CHECK(parse(&parser, sample + at, piece) == 0);
    }
    CHECK(is_expected(&told));
  }
}

/* Whatever comes: it is taken or refused, and nothing else happens. */
static void noise(void) {
  static const char letters[] = "+-:$*\r\n0123456789-1xx";
  uint32_t random = 7;
  for (int i = 0; i < 20000; i++) {
    story told = {0};
    resp_parser parser;
    resp_parser_init(&parser, &sink, &told);
    char bytes[16];
    for (int round = 0; round < 4; round++) {
      size_t size = next(&random) % sizeof bytes;
      for (size_t at = 0; at < size; at++)
        bytes[at] = letters[next(&random) % (sizeof letters - 1)];
      int result = parse(&parser, bytes, size);
      CHECK(result == 0 || result == TOW_EPROTO);
      if (result < 0) break;
    }
  }
}

static int parse_whole(const char *data, size_t size) {
  story told = {0};
  resp_parser parser;
  resp_parser_init(&parser, &sink, &told);
  return parse(&parser, data, size);
}

static void what_is_none_is_refused(void) {
  static const char *const wrong[] = {"OK\r\n",
                                      "\r\n",
                                      "+a\nb\r\n",
                                      "+a\rb",
                                      ":\r\n",
                                      ":-\r\n",
                                      ":1-2\r\n",
                                      ":+1\r\n",
                                      ":1 \r\n",
                                      ": 1\r\n",
                                      ":--1\r\n",
                                      ":1\n",
                                      "$-2\r\n",
                                      "$536870913\r\n",
                                      "*-2\r\n",
                                      "*2147483648\r\n",
                                      "$1\r\nab\r\n",
                                      "$1\r\na\n",
                                      ":9223372036854775808\r\n",
                                      ":-9223372036854775809\r\n",
                                      ":00000000000000000001\r\n",
                                      "$99999999999999999999\r\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    CHECK(parse_whole(wrong[i], strlen(wrong[i])) == TOW_EPROTO);
  CHECK(parse_whole(BYTES("$536870912\r\n")) == 0);
  CHECK(parse_whole(BYTES("*2147483647\r\n")) == 0);
}

static void arrays_are_not_endlessly_deep(void) {
  CHECK(parse_whole(BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n")) == 0);
  CHECK(parse_whole(BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n")) == TOW_EPROTO);
}

static void a_line_is_not_endless(void) {
  static char line[RESP_LINE_MAX + 2];
  memset(line, 'x', sizeof line);
  story told = {0};
  resp_parser parser;
  resp_parser_init(&parser, &(resp_sink){NULL, NULL, NULL}, &told);
  line[0] = '+';
  CHECK(resp_parse(&parser, line, RESP_LINE_MAX + 1) == 0);
  CHECK(resp_parse(&parser, "\r\n", 2) == 0);
  CHECK(resp_parse(&parser, line, RESP_LINE_MAX + 2) == TOW_EPROTO);
}

static void a_callback_stops_it(void) {
  for (int answer = -3; answer < 0; answer++) {
    story told = {.answer = answer};
    resp_parser parser;
    resp_parser_init(&parser, &sink, &told);
    CHECK(parse(&parser, BYTES(":1\r\n:2\r\n")) == answer);
    CHECK(told.size == strlen("[I0 1 ") && memcmp(told.text, "[I0 1 ", told.size) == 0);
  }
}

/* ---- The client ---- */

typedef struct bench {
  resp client;
  tow_memory *memory;
  tow_memory_peer *peer;
  story told;
  int ready; /* how often */
  int code;  /* of `closed`; 1: not yet */
  int commands;
  void (*on_end)(struct bench *bench);
} bench;

static int on_ready(resp *client) {
  bench *b = (bench *)client;
  CHECK(resp_is_ready(client));
  b->ready++;
  for (; b->commands > 0 && resp_is_ready(client); b->commands--)
    CHECK(resp_command(client, 2, (tow_iovec[]){{"GET", 3}, {"key", 3}}) == 0);
  return 0;
}
static int on_value(resp *client, const resp_value *value) {
  return tell_value(&((bench *)client)->told, value);
}
static int on_data(resp *client, const void *data, size_t size) {
  return tell_data(&((bench *)client)->told, data, size);
}
static int on_end(resp *client, const resp_value *value) {
  bench *b = (bench *)client;
  if (b->on_end) b->on_end(b);
  return tell_end(&b->told, value);
}
static int on_closed(resp *client, const tow_error *error) {
  bench *b = (bench *)client;
  CHECK(b->code == 1 && client->transport == NULL);
  CHECK(resp_command(client, 1, &(tow_iovec){"PING", 4}) == TOW_ENOTCONN);
  resp_close(client);
  b->code = error ? error->code : 0;
  return 0;
}

static const resp_callbacks callbacks = {on_ready, on_value, on_data, on_end, on_closed};

static tow_protocol *create(tow_loop *loop, void *context) {
  (void)loop;
  return &((bench *)context)->client.base;
}

static bench *bench_open(int commands, ptrdiff_t capacity) {
  bench *b = calloc(1, sizeof *b);
  b->code = 1;
  b->commands = commands;
  resp_init(&b->client, &callbacks);
  CHECK(resp_command(&b->client, 1, &(tow_iovec){"PING", 4}) == TOW_ENOTCONN);
  b->memory = tow_memory_new(NULL);
  b->peer = tow_memory_open(b->memory, (tow_factory){create, b}, &(tow_memory_options){.capacity = capacity});
  tow_memory_run(b->memory);
  return b;
}

static void answer(bench *b, const char *data, size_t size) {
  tow_memory_send(b->peer, data, size);
  tow_memory_run(b->memory);
}

static void bench_free(bench *b) {
  tow_memory_free(b->memory);
  CHECK(b->code != 1);
  free(b);
}

static void has_sent(bench *b, const char *text, size_t size) {
  size_t got;
  const void *data = tow_memory_received(b->peer, &got);
  CHECK(got == size && memcmp(data, text, size) == 0);
}

static void commands_are_arrays_of_strings(void) {
  bench *b = bench_open(0, -1);
  static char big[1000];
  char want[1100];
  memset(big, 'z', sizeof big);
  CHECK(resp_command(&b->client, 3, (tow_iovec[]){{"SET", 3}, {"", 0}, {"a\r\n\0", 4}}) == 0);
  CHECK(resp_command(&b->client, 1, &(tow_iovec){big, sizeof big}) == 0);
  CHECK(resp_command(&b->client, 0, NULL) == TOW_EINVAL);
  CHECK(resp_command(&b->client, 1, &(tow_iovec){big, (size_t)RESP_BULK_MAX + 1}) == TOW_EINVAL);
  tow_memory_run(b->memory);
  static const char head[] = "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\na\r\n\0\r\n*1\r\n$1000\r\n";
  size_t size = sizeof head - 1;
  memcpy(want, head, size);
  memcpy(want + size, big, sizeof big);
  memcpy(want + size + sizeof big, "\r\n", 2);
  has_sent(b, want, size + sizeof big + 2);
  CHECK(b->client.waiting == 2);
  answer(b, BYTES("+OK\r\n-ERR\r\n"));
  CHECK(b->client.waiting == 0);
  bench_free(b);
}

static void writing_is_paused_and_resumed(void) {
  bench *b = bench_open(100000, 0);
  CHECK(b->client.writing_paused && b->ready == 1 && b->commands > 0);
  size_t queued = tow_transport_get_write_buffer_size(b->client.transport);
  CHECK(queued > 65536 && queued < 65536 + 64); /* no more than one command over the mark */
  for (int i = 0; b->commands > 0 && i < 1000; i++) {
    tow_memory_accept(b->peer, 65536);
    tow_memory_run(b->memory);
    CHECK(tow_transport_get_write_buffer_size(b->client.transport) < 65536 + 64);
  }
  CHECK(b->commands == 0 && b->ready > 10);
  bench_free(b);
}

static void closes_when_all_is_answered(void) {
  bench *b = bench_open(2, -1);
  resp_close(&b->client);
  CHECK(resp_command(&b->client, 1, &(tow_iovec){"PING", 4}) == TOW_ENOTCONN);
  answer(b, BYTES("$1\r\nx\r\n$-1"));
  CHECK(b->code == 1);
  answer(b, BYTES("\r\n"));
  CHECK(b->code == 0);
  bench_free(b);
}

static void an_early_end_is_an_error(void) {
  bench *b = bench_open(2, -1);
  answer(b, BYTES("$1\r\nx\r\n$5\r\nab"));
  tow_memory_send_eof(b->peer);
  tow_memory_run(b->memory);
  CHECK(b->code == TOW_ECONNRESET);
  bench_free(b);
}

static void what_nobody_asked_for_is_an_error(void) {
  bench *b = bench_open(1, -1);
  answer(b, BYTES("+A\r\n+B\r\n"));
  CHECK(b->code == TOW_EPROTO && strstr(b->told.text, "A]") && !strstr(b->told.text, "[S0 -1 B"));
  bench_free(b);
}

static void what_is_no_resp_is_an_error(void) {
  bench *b = bench_open(1, -1);
  answer(b, BYTES("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(b->code == TOW_EPROTO);
  bench_free(b);
}

static void abort_in_callback(bench *b) {
  tow_transport_abort(b->client.transport);
}

static void nothing_is_told_after_an_abort(void) {
  bench *b = bench_open(2, -1);
  b->on_end = abort_in_callback;
  answer(b, BYTES(":1\r\n:2\r\n"));
  CHECK(strcmp(b->told.text, "[I0 1 ]I0\n") == 0);
  CHECK(b->code == TOW_ECONNRESET); /* one was not answered */
  bench_free(b);
}

static void a_failing_callback_ends_it(void) {
  bench *b = bench_open(1, -1);
  b->told.answer = -5;
  answer(b, BYTES(":1\r\n"));
  CHECK(b->code == TOW_ECALLBACK);
  bench_free(b);
}

#define TEST(name)                                                                                                     \
  { #name, name }

int main(void) {
  static const struct {
    const char *name;
    void (*run)(void);
  } tests[] = {
      TEST(every_type_in_every_split),
      TEST(many_pieces),
      TEST(noise),
      TEST(what_is_none_is_refused),
      TEST(arrays_are_not_endlessly_deep),
      TEST(a_line_is_not_endless),
      TEST(a_callback_stops_it),
      TEST(commands_are_arrays_of_strings),
      TEST(writing_is_paused_and_resumed),
      TEST(closes_when_all_is_answered),
      TEST(an_early_end_is_an_error),
      TEST(what_nobody_asked_for_is_an_error),
      TEST(what_is_no_resp_is_an_error),
      TEST(nothing_is_told_after_an_abort),
      TEST(a_failing_callback_ends_it),
  };
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    tests[i].run();
    printf("ok %s\n", tests[i].name);
  }
}
