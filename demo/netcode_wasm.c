/* The demo's wasm module of netcode.c; netcode.js is the other side.
 *
 * A GAME is one participant to be, made by netcode_game_new. JavaScript opens an endpoint with netcode_game_protocol as
 * the constructor and the game as its context, and frees the game when that has ended. It moves by itself until it is
 * steered. What is to be drawn JavaScript reads where netcode_game_look says that it is. */
#include "netcode.h"
#include "netcode_path.h"

/* Words of 32 bits: netcode.js reads them. */
typedef struct look_peer {
  uint32_t number, session;
  const char *name;
  float x, y, rate, round_trip, loss, jitter;
  float silence; /* milliseconds since it was heard */
} look_peer;

typedef struct look {
  uint32_t session;
  float x, y;
  uint32_t count;
  look_peer peers[NETCODE_PEERS];
} look;

typedef struct game {
  netcode netcode;
  double moved; /* the time of the last move */
  bool steered;
  float target_x, target_y;
  look look;
} game;

static const float pull = 60, drag = 15.5f, longest_step = 0.05f;

static float clamp(float value, float least, float most) {
  return value < least ? least : value > most ? most : value;
}

/* A spring that does not swing over. */
static void approach(float *at, float *velocity, float target, float size, float seconds) {
  *velocity += ((target - *at) * pull - *velocity * drag) * seconds;
  *velocity = clamp(*velocity, -NETCODE_FASTEST, NETCODE_FASTEST);
  *at = clamp(*at + *velocity * seconds, 0, size);
}

static int on_move(netcode *netcode, double time, netcode_body *body) {
  game *self = (game *)netcode;
  float seconds = clamp((float)(time - self->moved) / 1000, 0, longest_step);
  self->moved = time;
  if (self->steered) {
    approach(&body->x, &body->vx, self->target_x, NETCODE_WIDTH, seconds);
    approach(&body->y, &body->vy, self->target_y, NETCODE_HEIGHT, seconds);
  } else {
    *body = netcode_path(netcode->session, time);
  }
  return 0;
}

static const netcode_callbacks callbacks = {.move = on_move};

/* The name has a zero byte behind it. NULL when out of memory. */
game *netcode_game_new(tow_loop *loop, uint32_t random, uint32_t more_random, const char *name, size_t size) {
  (void)size;
  game *self = tow_loop_alloc(loop, sizeof *self);
  if (self == NULL) return NULL;
  netcode_init(&self->netcode, loop, &callbacks, name, (uint64_t)random << 32 | more_random);
  self->moved = 0;
  self->steered = false;
  return self;
}

/* Its endpoint has ended, or was never opened. */
void netcode_game_free(game *self) {
  tow_loop_free(self->netcode.loop, self);
}

/* The constructor: `context` is the game. */
tow_protocol *netcode_game_protocol(tow_loop *loop, void *context) {
  (void)loop;
  return &((game *)context)->netcode.base;
}

/* To there, in the arena's units. */
void netcode_game_steer(game *self, float x, float y) {
  self->steered = true;
  self->target_x = clamp(x, 0, NETCODE_WIDTH);
  self->target_y = clamp(y, 0, NETCODE_HEIGHT);
}

/* What there is to see now; good until the next call. */
const look *netcode_game_look(game *self) {
  double now = tow_loop_time(self->netcode.loop);
  look *seen = &self->look;
  *seen = (look){.session = self->netcode.session, .x = self->netcode.body.x, .y = self->netcode.body.y};
  for (const netcode_peer *peer = NULL; (peer = netcode_next(&self->netcode, peer)) != NULL;) {
    netcode_body body = netcode_peer_at(peer, now);
    netcode_figures figures = peer->figures;
    seen->peers[seen->count++] = (look_peer){
        .number = peer->number,
        .session = peer->session,
        .name = peer->name,
        .x = body.x,
        .y = body.y,
        .rate = (float)figures.rate,
        .round_trip = (float)figures.round_trip,
        .loss = (float)figures.loss,
        .jitter = (float)figures.jitter,
        .silence = (float)(now - peer->heard_at),
    };
  }
  return seen;
}
