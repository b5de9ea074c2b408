/* demo/netcode.c on the memory host: the test plays the others, or the network between two of them. */
#include "../../demo/netcode.h"

#include <math.h>
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

static bool is_about(double value, double expected, double within) {
  return fabs(value - expected) <= within;
}

/* ---- A participant ---- */

typedef struct player {
  netcode netcode;
  tow_memory_peer *end;
  uint64_t random;
  size_t datagrams, bytes; /* of what it has sent: those that were looked at */
  int came, left, moves;
  bool closed;
} player;

static int on_move(netcode *netcode, double time, netcode_body *body) {
  (void)time, (void)body;
  ((player *)netcode)->moves++;
  return 0;
}
static int on_came(netcode *netcode, const netcode_peer *peer) {
  CHECK(peer->heard);
  ((player *)netcode)->came++;
  return 0;
}
static int on_left(netcode *netcode, const netcode_peer *peer) {
  CHECK(peer->heard);
  ((player *)netcode)->left++;
  return 0;
}
static int on_closed(netcode *netcode, const tow_error *error) {
  CHECK(error == NULL);
  ((player *)netcode)->closed = true;
  return 0;
}
static const netcode_callbacks callbacks = {on_move, on_came, on_left, on_closed};

static tow_protocol *create(tow_loop *loop, void *context) {
  player *self = context;
  netcode_init(&self->netcode, loop, &callbacks, "tester\n\x1b[1m of all things", self->random);
  return &self->netcode.base;
}

static tow_peer peer_of(const char *text) {
  tow_peer peer = {.size = (uint8_t)strlen(text)};
  memcpy(peer.bytes, text, peer.size);
  return peer;
}

static player *open_player(tow_memory *memory, const char *connected_to, ptrdiff_t capacity) {
  player *self = calloc(1, sizeof *self);
  self->random = *connected_to ? 1 : 2;
  tow_memory_options options = {.capacity = capacity, .connected_to = peer_of(connected_to)};
  self->end = tow_memory_open_endpoint(memory, (tow_factory){create, self}, &options);
  tow_memory_run(memory);
  return self;
}

/* The next datagram that it has sent. */
static bool next_sent(player *self, const uint8_t **data, size_t *size) {
  size_t count, all;
  const uint8_t *bytes = tow_memory_received(self->end, &all);
  const size_t *sizes = tow_memory_received_sizes(self->end, &count);
  if (self->datagrams == count) return false;
  *data = bytes + self->bytes;
  *size = sizes[self->datagrams++];
  self->bytes += *size;
  return true;
}

/* How many it has sent since the last look; `packet` is the last of them. */
static int count_sent(player *self, netcode_packet *packet) {
  int count = 0;
  const uint8_t *data;
  for (size_t size; next_sent(self, &data, &size); count++)
    CHECK(netcode_packet_read(packet, data, size));
  return count;
}

/* ---- One participant, and others that the test plays ---- */

typedef struct bench {
  tow_memory *memory;
  player *player;
} bench;

static bench begin(const char *connected_to) {
  bench b = {.memory = tow_memory_new(NULL)};
  b.player = open_player(b.memory, connected_to, -1);
  return b;
}

static void end(bench *b) {
  tow_memory_free(b->memory);
  CHECK(b->player->closed);
  free(b->player);
}

static netcode_packet packet_of(uint32_t session, uint32_t sequence, double clock) {
  return (netcode_packet){.session = session, .sequence = sequence, .clock = clock, .body = {10, 20, 0, 0}};
}

static void send_bytes(bench *b, const char *from, const void *data, size_t size) {
  tow_peer peer = peer_of(from);
  tow_memory_send_from(b->player->end, data, size, &peer);
  tow_memory_run(b->memory);
}

static void send_packet(bench *b, const char *from, netcode_packet packet) {
  uint8_t bytes[NETCODE_PACKET_MAX];
  send_bytes(b, from, bytes, netcode_packet_write(&packet, bytes));
}

static const netcode_peer *only_peer(player *self) {
  const netcode_peer *peer = netcode_next(&self->netcode, NULL);
  CHECK(peer != NULL && netcode_next(&self->netcode, peer) == NULL);
  return peer;
}

static bool hears_nobody(player *self) {
  return netcode_next(&self->netcode, NULL) == NULL;
}

static double time_of(bench *b) {
  return tow_loop_time(tow_memory_loop(b->memory));
}

/* ---- The packet ---- */

static const uint8_t example[] = {
    'T',  1,    3,    1,                            /* a name of three, an echo */
    0x44, 0x33, 0x22, 0x11, 0x04, 0x03, 0x02, 0x01, /* session, sequence */
    0xfe, 0xff, 0xff, 0xff, 0xd2, 0x04, 0,    0,    /* echo, held: 1234 microseconds */
    0x05, 0,    0,    0x80,                         /* mask */
    0x40, 0x42, 0x0f, 0,    0,    0,    0,    0,    /* clock: a second */
    0,    0,    0xc0, 0x3f, 0,    0,    0xc8, 0x42, /* 1.5, 100 */
    0,    0,    0,    0xc0, 0,    0,    0xfa, 0x44, /* -2, 2000 */
    'a',  ' ',  '~',
};

static void test_bytes(void) {
  netcode_packet packet = {.session = 0x11223344, .sequence = 0x01020304, .echo = 0xfffffffe, .mask = 0x80000005};
  packet.echoes = true;
  packet.held = 1.234;
  packet.clock = 1000;
  packet.body = (netcode_body){1.5f, 100, -2, 2000};
  memcpy(packet.name, "a ~", 4);
  uint8_t bytes[NETCODE_PACKET_MAX];
  CHECK(netcode_packet_write(&packet, bytes) == sizeof example && memcmp(bytes, example, sizeof example) == 0);
  netcode_packet back;
  CHECK(netcode_packet_read(&back, example, sizeof example));
  CHECK(netcode_packet_write(&back, bytes) == sizeof example && memcmp(bytes, example, sizeof example) == 0);
  CHECK(back.echoes && is_about(back.held, 1.234, 1e-9) && back.clock == 1000 && strcmp(back.name, "a ~") == 0);
}

/* The example with some of its bytes changed. */
static bool reads_with(size_t at, const char *change, size_t size) {
  uint8_t bytes[sizeof example];
  memcpy(bytes, example, sizeof example);
  memcpy(bytes + at, change, size);
  netcode_packet packet;
  return netcode_packet_read(&packet, bytes, sizeof bytes);
}
#define READS_WITH(at, change) reads_with(at, change, sizeof(change) - 1)

static void test_hostile_packets(void) {
  netcode_packet packet;
  for (size_t size = 0; size < sizeof example; size++)
    CHECK(!netcode_packet_read(&packet, example, size));
  uint8_t longer[sizeof example + 1] = {0};
  memcpy(longer, example, sizeof example);
  CHECK(!netcode_packet_read(&packet, longer, sizeof longer));
  CHECK(READS_WITH(0, "T") && !READS_WITH(0, "t") && !READS_WITH(1, "\2"));
  CHECK(!READS_WITH(2, "\2") && !READS_WITH(2, "\xff") && !READS_WITH(3, "\2"));
  CHECK(READS_WITH(24, "\0\0\0\0\0\0\x20\0") && !READS_WITH(24, "\1\0\0\0\0\0\x20\0"));
  for (size_t at = 32; at < 48; at += 4) {
    CHECK(READS_WITH(at, "\0\0\0\0"));
    CHECK(!READS_WITH(at, "\0\0\xc0\x7f") && !READS_WITH(at, "\0\0\x80\x7f") && !READS_WITH(at, "\0\0\x80\xff"));
    CHECK(!READS_WITH(at, "\xff\xff\x7f\x7f"));
  }
  CHECK(!READS_WITH(32, "\0\0\x80\xbf"));                                    /* -1: outside the arena */
  CHECK(!READS_WITH(40, "\0\0\xfb\xc4") && !READS_WITH(44, "\0\0\xfb\x44")); /* 2008: too fast */
  CHECK(!READS_WITH(40, "\0\0\xfb\x44") && !READS_WITH(44, "\0\0\xfb\xc4"));
  CHECK(!READS_WITH(48, "\x1b") && !READS_WITH(49, "\0") && !READS_WITH(50, "\x7f") && !READS_WITH(50, "\xc2"));
  bench b = begin("");
  send_bytes(&b, "a", "", 0);
  send_bytes(&b, "a", "hello", 5);
  send_packet(&b, "a", packet_of(b.player->netcode.session, 1, 1)); /* its own, come back */
  CHECK(hears_nobody(b.player));
  tow_memory_advance(b.memory, 100);
  CHECK(count_sent(b.player, &packet) == 0);
  send_packet(&b, "a", packet_of(7, 1, 1));
  send_packet(&b, "a", packet_of(7, 0x80000001, 2)); /* as far ahead as behind */
  send_packet(&b, "a", packet_of(7, 0x80000000, 3));
  CHECK(only_peer(b.player)->newest == 0x80000000);
  end(&b);
}

static void test_random_bytes(void) {
  bench b = begin("");
  uint32_t random = 1;
  for (int i = 0; i < 20000; i++) {
    uint8_t bytes[80];
    memcpy(bytes, example, sizeof example);
    random = random * 1664525u + 1013904223u;
    for (uint32_t changes = random >> 24 & 7, r = random; changes > 0; changes--) {
      r = r * 1664525u + 1013904223u;
      bytes[4 + (r >> 16) % (sizeof example - 4)] = (uint8_t)(r >> 8);
    }
    send_bytes(&b, (const char *[]){"a", "b", "c"}[i % 3], bytes, sizeof example);
    for (const netcode_peer *peer = NULL; (peer = netcode_next(&b.player->netcode, peer)) != NULL;) {
      netcode_body body = netcode_peer_at(peer, time_of(&b));
      CHECK(body.x >= 0 && body.x <= NETCODE_WIDTH && body.y >= 0 && body.y <= NETCODE_HEIGHT);
    }
    if (i % 100 == 0) tow_memory_advance(b.memory, 20);
  }
  CHECK(b.player->came > 0);
  end(&b);
}

/* ---- Sending ---- */

static void test_sixty_a_second(void) {
  bench b = begin("a");
  netcode_packet packet, last = {0};
  CHECK(count_sent(b.player, &last) == 1 && strcmp(last.name, "tester[1m of all") == 0 && last.clock == 0);
  for (int i = 1; i <= 600; i++) {
    tow_memory_advance(b.memory, 1000.0 / 60);
    CHECK(count_sent(b.player, &packet) <= 2);
    last = packet;
  }
  CHECK(b.player->moves >= 599 && b.player->moves <= 600);
  CHECK(is_about(last.clock, 10000, 17));
  b.player->netcode.next -= 500; /* the loop was held up */
  tow_memory_advance(b.memory, 20);
  int count = count_sent(b.player, &packet);
  CHECK(count == 1 || count == 2);
  end(&b);
}

static void test_paused_writing(void) {
  bench b = {.memory = tow_memory_new(NULL)};
  b.player = open_player(b.memory, "a", 3);
  netcode_packet packet;
  tow_memory_advance(b.memory, 1000);
  CHECK(count_sent(b.player, &packet) == 3);
  uint32_t sequence = packet.sequence;
  CHECK(tow_transport_get_write_buffer_size(b.player->netcode.transport) < 2 * NETCODE_PACKET_MAX);
  tow_memory_accept(b.player->end, -1);
  tow_memory_run(b.memory);
  CHECK(count_sent(b.player, &packet) == 1 && packet.sequence == sequence + 1); /* the one that waited */
  tow_memory_advance(b.memory, 100);
  CHECK(count_sent(b.player, &packet) == 6 && is_about(packet.clock, 1100, 1));
  end(&b);
}

/* ---- Who is there ---- */

static void test_strangers(void) {
  bench b = begin("");
  netcode_packet packet, echo = packet_of(7, 100, 0);
  send_packet(&b, "a", echo);
  CHECK(b.player->came == 1);
  tow_memory_advance(b.memory, 200);
  CHECK(count_sent(b.player, &packet) == 1); /* one for one */
  CHECK(packet.echoes && packet.echo == 100 && packet.mask == 0);
  echo = packet_of(7, 101, 1);
  echo.echoes = true;
  echo.echo = packet.sequence + 1; /* not yet sent */
  send_packet(&b, "a", echo);
  tow_memory_advance(b.memory, 200);
  CHECK(count_sent(b.player, &packet) == 1);
  echo.sequence++;
  echo.clock++;
  echo.echo = packet.sequence;
  send_packet(&b, "a", echo);
  tow_memory_advance(b.memory, 1000);
  CHECK(count_sent(b.player, &packet) == 60 && packet.echo == 102 && packet.mask == 3);
  echo.sequence++;
  echo.clock++;
  echo.echo--; /* it has told of a newer one before */
  send_packet(&b, "a", echo);
  CHECK(only_peer(b.player)->newest == 103 && only_peer(b.player)->echoed == echo.echo + 1);
  end(&b);
}

static void crowd(bench *b, const char *format, bool join) {
  char name[8];
  for (int i = 0; i < NETCODE_PEERS + 10; i++) {
    snprintf(name, sizeof name, format, i);
    tow_peer peer = peer_of(name);
    if (join) tow_host_peer_joined(tow_memory_transport(b->player->end), &peer);
    send_packet(b, name, packet_of(7, 1, 1));
  }
}

static void test_limit(void) {
  bench b = begin("");
  crowd(&b, "a%d", false);
  crowd(&b, "b%d", true);
  CHECK(b.player->came == NETCODE_PEERS);
  tow_memory_advance(b.memory, NETCODE_SILENCE + 20);
  crowd(&b, "c%d", true);
  CHECK(b.player->came == 2 * NETCODE_PEERS);
  end(&b);
}

static void test_silence(void) {
  bench b = begin("");
  send_packet(&b, "a", packet_of(7, 1, 1));
  CHECK(strcmp(only_peer(b.player)->name, "a") == 0);
  tow_memory_advance(b.memory, NETCODE_SILENCE - 20);
  CHECK(!hears_nobody(b.player));
  tow_memory_advance(b.memory, 40);
  CHECK(hears_nobody(b.player) && b.player->left == 1);
  send_packet(&b, "a", packet_of(7, 1, 1));
  CHECK(b.player->came == 2);
  end(&b);
}

static void test_connected(void) {
  bench b = begin("a");
  netcode_packet packet;
  tow_memory_advance(b.memory, 5000);
  CHECK(count_sent(b.player, &packet) > 290 && !packet.echoes);
  send_packet(&b, "a", packet_of(7, 1, 1));
  tow_memory_advance(b.memory, 20);
  CHECK(count_sent(b.player, &packet) > 0 && packet.echoes && b.player->came == 1);
  tow_memory_advance(b.memory, 5000);
  CHECK(count_sent(b.player, &packet) > 290 && !packet.echoes && b.player->left == 1);
  tow_peer a = peer_of("a");
  tow_host_datagram_failed(tow_memory_transport(b.player->end), &(tow_error){.code = TOW_ECONNRESET}, &a);
  tow_memory_advance(b.memory, 1000); /* it may come back, and nobody would say so */
  CHECK(count_sent(b.player, &packet) > 50);
  end(&b);
}

static void test_joined(void) {
  bench b = begin("");
  tow_transport *transport = tow_memory_transport(b.player->end);
  tow_peer a = peer_of("a");
  netcode_packet packet;
  tow_host_peer_joined(transport, &a);
  tow_memory_advance(b.memory, 5000);
  CHECK(count_sent(b.player, &packet) >= 299 && b.player->came == 0);
  send_packet(&b, "a", packet_of(7, 1, 1));
  CHECK(b.player->came == 1);
  tow_memory_advance(b.memory, 5000); /* silent, and not gone: its page sleeps */
  CHECK(b.player->left == 1 && count_sent(b.player, &packet) >= 299);
  send_packet(&b, "a", packet_of(7, 2, 10000));
  CHECK(b.player->came == 2);
  tow_host_datagram_failed(transport, &(tow_error){.code = TOW_EHOSTUNREACH}, &a);
  CHECK(b.player->left == 1);
  tow_host_datagram_failed(transport, &(tow_error){.code = TOW_ECLOSED}, &a);
  CHECK(b.player->left == 2);
  count_sent(b.player, &packet);
  tow_memory_advance(b.memory, 1000);
  CHECK(count_sent(b.player, &packet) == 0);
  end(&b);
}

static void test_restart(void) {
  bench b = begin("");
  send_packet(&b, "a", packet_of(7, 1000, 50000));
  tow_memory_advance(b.memory, NETCODE_RESTART - 20);
  send_packet(&b, "a", packet_of(8, 1, 1)); /* too early: it may be the one before, overtaken */
  CHECK(only_peer(b.player)->session == 7);
  tow_memory_advance(b.memory, 40);
  send_packet(&b, "a", packet_of(8, 2, 2));
  CHECK(only_peer(b.player)->session == 8 && only_peer(b.player)->sample_count == 1);
  end(&b);
}

/* ---- Positions ---- */

static netcode_packet at_clock(uint32_t sequence, double clock, float x) {
  netcode_packet packet = packet_of(7, sequence, clock);
  packet.body = (netcode_body){x, 50, 100, 0};
  return packet;
}

static bool shows(bench *b, double clock, float x) {
  double now = 1000 + clock + NETCODE_DELAY; /* the least delay is that of clock 0, at 1000 */
  netcode_body body = netcode_peer_at(only_peer(b->player), now);
  return is_about((double)body.x, (double)x, 1e-4) && body.y == 50;
}

static void test_interpolation(void) {
  bench b = begin("");
  tow_memory_advance(b.memory, 1000);
  send_packet(&b, "a", at_clock(0xfffffffe, 0, 10));
  tow_memory_advance(b.memory, 60);
  send_packet(&b, "a", at_clock(0xffffffff, 50, 20)); /* ten later than it should: no matter */
  tow_memory_advance(b.memory, 40);
  send_packet(&b, "a", at_clock(1, 100, 40)); /* one is missing, the sequence wraps */
  send_packet(&b, "a", at_clock(0, 75, 90));  /* there it is, late: counted, not shown */
  send_packet(&b, "a", at_clock(1, 100, 90)); /* twice */
  send_packet(&b, "a", at_clock(2, 100, 90)); /* its clock stands still */
  send_packet(&b, "a", at_clock(2, 99, 90));
  CHECK(shows(&b, -50, 10) && shows(&b, 0, 10) && shows(&b, 25, 15) && shows(&b, 50, 20));
  CHECK(shows(&b, 60, 24) && shows(&b, 99, 39.6f) && shows(&b, 100, 40));
  CHECK(shows(&b, 150, 45) && shows(&b, 200, 50)); /* carried on */
  CHECK(shows(&b, 201, 50) && shows(&b, 1e6, 50)); /* held */
  CHECK(only_peer(b.player)->late == 1 && only_peer(b.player)->doubled == 1 && only_peer(b.player)->mask == 7);
  send_packet(&b, "a", at_clock(2, 110, 155));
  CHECK(shows(&b, 210, 160)); /* carried on as far as the wall */
  end(&b);
}

static void test_many_samples(void) {
  bench b = begin("");
  tow_memory_advance(b.memory, 1000);
  for (uint32_t i = 0; i < 1000; i++) {
    send_packet(&b, "a", at_clock(i, i * 10.0, (float)i / 10));
    tow_memory_advance(b.memory, 10);
  }
  CHECK(shows(&b, 9985, 99.85f) && shows(&b, 9705, 97.05f));
  CHECK(shows(&b, 5000, 96.8f)); /* the oldest that is kept */
  end(&b);
}

/* ---- Figures: two of them, and a network ---- */

typedef struct flight {
  player *to;
  double at;
  size_t size;
  uint8_t data[NETCODE_PACKET_MAX];
} flight;

enum { FLIGHTS = 256, HALF_MILLISECONDS = 2 };

typedef struct way { /* what happens to each packet; 0: never */
  double delay, late;
  int drop_every, double_every, late_every;
  bool cut;
} way;

typedef struct network {
  tow_memory *memory;
  player *players[2];
  way ways[2]; /* of what the first sends, and the second */
  int sent[2];
  flight flights[FLIGHTS];
} network;

static void fly(network *n, int from, const uint8_t *data, size_t size, double delay) {
  for (flight *f = n->flights; f < n->flights + FLIGHTS; f++) {
    if (f->to != NULL) continue;
    *f = (flight){.to = n->players[1 - from], .at = tow_loop_time(tow_memory_loop(n->memory)) + delay, .size = size};
    memcpy(f->data, data, size);
    return;
  }
  CHECK(false);
}

static void launch(network *n, int from) {
  const way *way = &n->ways[from];
  const uint8_t *data;
  for (size_t size; next_sent(n->players[from], &data, &size);) {
    int i = n->sent[from]++;
    if (way->cut || (way->drop_every && i % way->drop_every == 1)) continue;
    bool late = way->late_every && i % way->late_every == 1;
    fly(n, from, data, size, way->delay + (late ? way->late : 0));
    if (way->double_every && i % way->double_every == 1) fly(n, from, data, size, way->delay + 5);
  }
}

static void land(network *n) {
  double now = tow_loop_time(tow_memory_loop(n->memory));
  for (flight *f = n->flights; f < n->flights + FLIGHTS; f++) {
    if (f->to == NULL || f->at > now) continue;
    tow_peer from = peer_of(f->to == n->players[0] ? "second" : "first");
    tow_memory_send_from(f->to->end, f->data, f->size, &from);
    f->to = NULL;
  }
  tow_memory_run(n->memory);
}

static void run_network(network *n, double milliseconds) {
  for (int i = 0; i < (int)milliseconds * HALF_MILLISECONDS; i++) {
    tow_memory_advance(n->memory, 1.0 / HALF_MILLISECONDS);
    launch(n, 0);
    launch(n, 1);
    land(n);
  }
}

/* Their clocks differ by half a minute. */
static network connect_players(way there, way back) {
  network n = {.memory = tow_memory_new(NULL), .ways = {there, back}};
  n.players[0] = open_player(n.memory, "second", -1);
  tow_memory_advance(n.memory, 30000);
  const uint8_t *data;
  for (size_t size; next_sent(n.players[0], &data, &size);)
    continue;
  n.players[1] = open_player(n.memory, "", -1);
  return n;
}

static netcode_figures figures_of(network *n, int of) {
  return only_peer(n->players[of])->figures;
}

static void end_network(network *n) {
  tow_memory_free(n->memory);
  free(n->players[0]);
  free(n->players[1]);
}

static void test_round_trip(void) {
  network n = connect_players((way){.delay = 20}, (way){.delay = 60});
  run_network(&n, 10000);
  for (int i = 0; i < 2; i++) {
    netcode_figures figures = figures_of(&n, i);
    CHECK(is_about(figures.rate, 60, 1.1) && is_about(figures.round_trip, 80, 1));
    CHECK(figures.loss == 0 && figures.jitter < 0.5);
  }
  end_network(&n);
}

static void test_loss(void) {
  network n = connect_players((way){.delay = 20, .drop_every = 10}, (way){.delay = 20, .drop_every = 3});
  run_network(&n, 20000);
  CHECK(is_about(figures_of(&n, 0).loss, 1.0 / 10, 0.003) && is_about(figures_of(&n, 0).rate, 40, 1.1));
  CHECK(is_about(figures_of(&n, 1).loss, 1.0 / 3, 0.003) && is_about(figures_of(&n, 1).rate, 54, 1.1));
  CHECK(is_about(figures_of(&n, 0).round_trip, 40, 1));
  /* It gets better: what was counted is forgotten. */
  n.ways[0].drop_every = 0;
  run_network(&n, 60000);
  CHECK(figures_of(&n, 0).loss < 0.02);
  end_network(&n);
}

static void test_disorder(void) {
  network n = connect_players((way){.delay = 20, .late_every = 5, .late = 40}, (way){.delay = 20, .double_every = 4});
  run_network(&n, 10000);
  const netcode_peer *first = only_peer(n.players[1]), *second = only_peer(n.players[0]);
  CHECK(is_about(first->late, 120, 3) && first->doubled == 0);
  CHECK(is_about(second->doubled, 150, 3) && second->late == 0);
  CHECK(second->figures.loss == 0 && first->figures.loss == 0); /* late is not lost */
  CHECK(is_about(first->figures.rate, 48, 1.1) && is_about(second->figures.rate, 60, 1.1));
  CHECK(is_about(second->figures.round_trip, 40, 1));
  end_network(&n);
}

/* Every other packet takes 6 ms longer. */
static void test_jitter(void) {
  network n = connect_players((way){.delay = 20, .late_every = 2, .late = 6}, (way){.delay = 20});
  run_network(&n, 10000);
  CHECK(is_about(figures_of(&n, 1).jitter, 6, 0.5) && figures_of(&n, 0).jitter < 0.5);
  CHECK(is_about(figures_of(&n, 0).round_trip, 43, 1.5) && figures_of(&n, 0).loss == 0);
  end_network(&n);
  bench b = begin("");
  send_packet(&b, "a", packet_of(7, 1, 1));
  tow_memory_advance(b.memory, 26);
  send_packet(&b, "a", packet_of(7, 2, 11));
  CHECK(is_about(only_peer(b.player)->figures.jitter, 16, 0.01));
  tow_memory_advance(b.memory, 10);
  send_packet(&b, "a", packet_of(7, 3, 21));
  CHECK(is_about(only_peer(b.player)->figures.jitter, 15, 0.01)); /* a sixteenth less */
  end(&b);
}

/* No packet comes one way for a while: those are lost, and what they would have told of the other way is not known. */
static network with_gap(double milliseconds) {
  network n = connect_players((way){.delay = 20}, (way){.delay = 20});
  run_network(&n, 3000);
  n.ways[1].cut = true;
  run_network(&n, milliseconds);
  n.ways[1].cut = false;
  run_network(&n, 3000);
  CHECK(figures_of(&n, 0).loss == 0 && is_about(figures_of(&n, 0).round_trip, 40, 1));
  return n;
}

static void test_gap(void) {
  network n = with_gap(1000);
  CHECK(is_about(figures_of(&n, 1).loss, 60.0 / 390, 0.015));
  end_network(&n);
  n = with_gap(2500); /* longer than what was sent is remembered */
  CHECK(figures_of(&n, 1).loss > 0.2);
  end_network(&n);
}

/* The way grows longer by 200 ms: after a while positions are a tenth of a second old again, not 300 ms. */
static void test_longer_way(void) {
  network n = connect_players((way){.delay = 20}, (way){.delay = 20});
  run_network(&n, 3000);
  n.ways[0].delay = 220;
  run_network(&n, 1000);
  const netcode_peer *first = only_peer(n.players[1]);
  CHECK(is_about(fmin(first->offset, first->offset_before), 20 + n.players[0]->netcode.began, 1));
  run_network(&n, 2 * NETCODE_OFFSET);
  CHECK(is_about(fmin(first->offset, first->offset_before), 220 + n.players[0]->netcode.began, 1));
  end_network(&n);
}

static void test_close(void) {
  bench b = begin("a");
  netcode_packet packet;
  netcode_close(&b.player->netcode);
  netcode_close(&b.player->netcode);
  tow_memory_run(b.memory);
  CHECK(b.player->closed && !tow_handle_is_scheduled(&b.player->netcode.timer));
  netcode_close(&b.player->netcode);
  count_sent(b.player, &packet);
  end(&b);
}

int main(void) {
  static const struct {
    const char *name;
    void (*run)(void);
  } tests[] = {
      {"the packet's bytes", test_bytes},
      {"hostile packets", test_hostile_packets},
      {"random bytes", test_random_bytes},
      {"sixty a second, without drift", test_sixty_a_second},
      {"positions do not queue while writing is paused", test_paused_writing},
      {"a stranger is answered one for one until it has echoed", test_strangers},
      {"no more peers than there is room for", test_limit},
      {"one who is silent is gone", test_silence},
      {"D2 the one connected to is sent to, silent or not", test_connected},
      {"D7 peers that join and leave", test_joined},
      {"a peer that begins anew", test_restart},
      {"positions: between two, carried on, held", test_interpolation},
      {"positions: the last ones are kept", test_many_samples},
      {"round trip, with clocks that differ", test_round_trip},
      {"loss, each way", test_loss},
      {"late and doubled packets", test_disorder},
      {"jitter", test_jitter},
      {"a gap in what comes back", test_gap},
      {"a way that grows longer", test_longer_way},
      {"close", test_close},
  };
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    tests[i].run();
    printf("ok netcode: %s\n", tests[i].name);
  }
  return 0;
}
