/* A chat in lines of text. The first line that a visitor sends is its name; the others are told to everyone.
 *
 * Two protocols: a MEMBER is the server's end of a connection, a VISITOR the other end. Neither opens sockets or knows
 * what carries its bytes: WebSockets here, memory in the test, TCP if you like. */
#include <towline/towline.h>

#include <string.h>

enum { LONGEST_LINE = 512, LONGEST_NAME = 24 };

/* ---- Lines: what both ends read ------------------------------------------------------------------------------ */

typedef struct end {
  tow_protocol base; /* first, so that a tow_protocol * is an end *, too */
  tow_transport *transport;
  void (*line)(struct end *self, const char *text, size_t size);
  size_t filled;
  char text[LONGEST_LINE];
} end;

static int made(tow_protocol *self, tow_transport *transport) {
  ((end *)self)->transport = transport;
  return 0;
}

/* Where the next bytes go: behind those that are there already. Nothing is copied on its way. */
static int get_buffer(tow_protocol *protocol, ptrdiff_t sizehint, tow_buffer *buffer) {
  end *self = (end *)protocol;
  (void)sizehint;
  *buffer = (tow_buffer){self->text + self->filled, LONGEST_LINE - self->filled};
  return 0;
}

/* They are there: half a line, or three and a half. */
static int buffer_updated(tow_protocol *protocol, size_t size) {
  end *self = (end *)protocol;
  char *stop;
  self->filled += size;
  while (!tow_transport_is_closing(self->transport) && (stop = memchr(self->text, '\n', self->filled)) != NULL) {
    size_t length = (size_t)(stop - self->text);
    self->line(self, self->text, length);
    self->filled -= length + 1;
    memmove(self->text, stop + 1, self->filled);
  }
  return self->filled < LONGEST_LINE ? 0 : TOW_EMSGSIZE; /* a callback that fails here ends the connection */
}

static end *end_new(tow_loop *loop, size_t size, const tow_buffered_callbacks *callbacks,
                    void (*line)(end *self, const char *text, size_t size)) {
  end *self = tow_loop_alloc(loop, size);
  if (!self) return NULL;
  memset(self, 0, size);
  self->base.callbacks = &callbacks->base;
  self->line = line;
  return self;
}

/* ---- The member: at the server --------------------------------------------------------------------------------- */

typedef struct member {
  end end;
  struct member *next; /* in the list of those who have a name */
  char name[LONGEST_NAME];
  size_t name_size; /* 0: none yet */
  bool slow;
} member;

static member *members;

static void tell(member *to, const member *about, const char *words, const char *text, size_t size) {
  const tow_iovec line[] = {{about->name, about->name_size}, {words, strlen(words)}, {text, size}, {"\n", 1}};
  if (!to->slow) tow_transport_writelines(to->end.transport, line, 4);
}

static void tell_everyone(const member *about, const char *words, const char *text, size_t size) {
  for (member *to = members; to; to = to->next)
    tell(to, about, words, text, size);
}

static void enter(member *self, const char *name, size_t size) {
  if (size == 0 || size > LONGEST_NAME) {
    tow_transport_close(self->end.transport);
    return;
  }
  memcpy(self->name, name, size);
  self->name_size = size;
  for (member *other = members; other; other = other->next)
    tell(self, other, " is here", "", 0);
  self->next = members;
  members = self;
  tell_everyone(self, " has come", "", 0);
}

static void member_line(end *protocol, const char *text, size_t size) {
  member *self = (member *)protocol;
  if (self->name_size == 0)
    enter(self, text, size);
  else
    tell_everyone(self, ": ", text, size);
}

/* Its write buffer is full: it misses what is said until it has read the rest, and nobody waits for it. */
static int pause_writing(tow_protocol *self) {
  ((member *)self)->slow = true;
  return 0;
}

static int resume_writing(tow_protocol *self) {
  ((member *)self)->slow = false;
  return 0;
}

static int member_lost(tow_protocol *protocol, const tow_error *error) {
  member *self = (member *)protocol, **at = &members;
  (void)error; /* NULL if the end was meant */
  while (*at && *at != self)
    at = &(*at)->next;
  if (*at) {
    *at = self->next;
    tell_everyone(self, " has left", "", 0);
  }
  tow_loop_free(tow_transport_get_loop(self->end.transport), self);
  return 0;
}

static const tow_buffered_callbacks member_callbacks = {
    .base = {.size = sizeof(tow_buffered_callbacks),
             .kind = TOW_BUFFERED,
             .connection_made = made,
             .connection_lost = member_lost,
             .pause_writing = pause_writing,
             .resume_writing = resume_writing},
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
};

tow_protocol *member_new(tow_loop *loop, void *context) {
  (void)context;
  return (tow_protocol *)end_new(loop, sizeof(member), &member_callbacks, member_line);
}

/* ---- The visitor: on the page ------------------------------------------------------------------------------------
 * It hands what it hears to JavaScript (chat.js), and is told there what to say. */

#define IMPORT(name) __attribute__((import_module("chat"), import_name(#name))) void name

IMPORT(heard)(tow_protocol *visitor, const char *text, size_t size);
IMPORT(left)(tow_protocol *visitor);

static void visitor_line(end *self, const char *text, size_t size) {
  heard(&self->base, text, size);
}

static int visitor_lost(tow_protocol *protocol, const tow_error *error) {
  (void)error;
  left(protocol);
  tow_loop_free(tow_transport_get_loop(((end *)protocol)->transport), protocol);
  return 0;
}

static const tow_buffered_callbacks visitor_callbacks = {
    .base = {.size = sizeof(tow_buffered_callbacks),
             .kind = TOW_BUFFERED,
             .connection_made = made,
             .connection_lost = visitor_lost},
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
};

tow_protocol *visitor_new(tow_loop *loop, void *context) {
  (void)context;
  return (tow_protocol *)end_new(loop, sizeof(end), &visitor_callbacks, visitor_line);
}

int visitor_say(tow_protocol *self, const char *text, size_t size) {
  const tow_iovec line[] = {{text, size}, {"\n", 1}};
  return tow_transport_writelines(((end *)self)->transport, line, 2);
}
