/* What the files of the libuv host share:
 *
 *     uv_loop.c       turns, timers, the loop's life      uv_request.c     look-ups; how a request ends
 *     uv_post.c       calls from other threads            uv_connect.c     racing a request's addresses
 *     uv_stream.c     bytes: connections and pipes        uv_listen.c      accepting
 *     uv_udp.c        an endpoint of datagrams            uv_descriptor.c  descriptors that are polled
 *     uv_process.c    subprocesses                        uv_pipe.c        opening pipes
 *     uv_socket.c     sockets of our own                  uv_error.c       libuv's errors by our names
 *     uv_address.c    addresses as text
 *
 * Included first, because the POSIX calls under libuv are asked for here.
 */
#ifndef TOWLINE_UV_INTERNAL_H
#define TOWLINE_UV_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "towline/uv.h"

#include <sys/un.h>
#include <uv.h>

/* ---- The loop ---- */

typedef struct tow_uv_post tow_uv_post;
typedef struct tow_uv_posts {
  tow_uv_post *first, *last;
} tow_uv_posts;

typedef struct tow_uv_host {
  uv_loop_t *uv; /* the user's, or own */
  uv_loop_t own;
  tow_loop *loop;
  tow_allocator allocator;
  uv_prepare_t prepare;
  uv_check_t check;
  uv_idle_t idle;
  uv_timer_t timer;
  uv_async_t async;
  double deadline;  /* of the next timer; INFINITY: none */
  uint32_t turn;    /* counts turns: one read each [T4] */
  size_t open;      /* streams, listeners and requests that libuv still knows of */
  uv_mutex_t mutex; /* over the next two */
  tow_uv_posts posted;
  bool closing;
  tow_uv_posts scheduled; /* taken over by the loop's thread, not yet run */
} tow_uv_host;

/* While anything is held the loop runs on, and is not freed. */
void tow_uv_hold(tow_uv_host *host);
void tow_uv_release(tow_uv_host *host);

int tow_uv_post_init(tow_uv_host *host);
/* Schedules what other threads have posted; answers whether that was anything. */
bool tow_uv_take_posts(tow_uv_host *host);
/* From now on posting answers TOW_ECANCELED. */
void tow_uv_stop_posts(tow_uv_host *host);
void tow_uv_free_posts(tow_uv_host *host);

/* ---- Errors and addresses ---- */

enum { TOW_UV_ERROR_TEXT = 128 };

/* TOW_E... for a negative status of libuv's. The number natively is its negative. */
int tow_uv_error(int status);
/* The same as a transport is told it; `text` is for the message, if our name has none that says it. */
tow_error tow_uv_error_of(int status, char text[TOW_UV_ERROR_TEXT]);

/* A place for any of ours. */
typedef union tow_uv_address {
  struct sockaddr any;
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
  struct sockaddr_un un;
} tow_uv_address;

enum { TOW_UV_ADDRESS_TEXT = 128 }; /* the longest is a Unix path, 108 */

/* "1.2.3.4:80", "[::1]:80", a path. */
void tow_uv_address_text(const tow_uv_address *address, char *text, size_t capacity);
/* An address, not a name. False: the text is none. */
bool tow_uv_address_from_text(const char *host, int port, tow_uv_address *address);

/* A socket, not inherited by programs that are started and not blocking; or a status. */
int tow_uv_socket(int family, int type);
int tow_uv_bind_socket(int fd, const tow_uv_address *address, const tow_options *options);
/* 0 also when it is under way: then the socket is writable when it has ended. */
int tow_uv_connect_socket(int fd, const tow_uv_address *address, const tow_options *options);
socklen_t tow_uv_address_size(const tow_uv_address *address);
/* The extra information "sockname", "peername" and "socket" of a descriptor. */
int tow_uv_socket_info(int fd, const char *name, char *value, size_t capacity);

/* ---- Descriptors that are polled ---- */

typedef struct tow_uv_request tow_uv_request;
typedef struct tow_uv_descriptor tow_uv_descriptor;
/* Some of UV_READABLE, UV_WRITABLE and UV_DISCONNECT has come, of what is wanted. */
typedef void (*tow_uv_ready)(tow_uv_descriptor *d, int events);

struct tow_uv_descriptor {
  uv_poll_t poll;
  tow_uv_host *host;
  tow_uv_request *request;  /* while it is an attempt to connect */
  tow_transport *transport; /* from then on */
  tow_uv_ready ready;
  int fd, wanted;
  uint32_t turn;            /* when it was last ready */
  struct sockaddr_in6 peer; /* or _in; kept, because the system forgets it when the peer resets; TCP only */
};

/* Takes the descriptor over when it answers 0; else a status. */
int tow_uv_descriptor_new(tow_uv_host *host, int fd, tow_uv_ready ready, tow_uv_descriptor **descriptor);
void tow_uv_descriptor_want(tow_uv_descriptor *d, int event, bool on);
/* Reports tow_host_closed, if there is a transport, and frees it; later. */
void tow_uv_descriptor_close(tow_uv_descriptor *d);
/* The number is the caller's again. */
void tow_uv_descriptor_give_back(tow_uv_descriptor *d);

/* ---- Streams: connections, and sides of pipes ---- */

/* All that opening a transport takes, on a descriptor with this `ready`. */
typedef struct tow_uv_stream {
  tow_connection_host table;
  unsigned abilities;
} tow_uv_stream;
extern const tow_uv_stream tow_uv_connection, tow_uv_pipe_reader, tow_uv_pipe_writer;
void tow_uv_stream_ready(tow_uv_descriptor *d, int events);

/* It is connected, to this peer. */
void tow_uv_connection_configure(tow_uv_descriptor *d, const tow_uv_address *peer, const tow_options *options);

/* ---- Requests ---- */

/* What is done with the addresses that a scheme's text stands for. Lists end with a NULL name. */
typedef struct tow_uv_scheme {
  const char *name;
  void (*found)(tow_uv_request *request);
} tow_uv_scheme;

typedef struct tow_uv_attempt {
  tow_uv_address address;
  tow_uv_descriptor *descriptor; /* NULL: not begun, or failed */
} tow_uv_attempt;

struct tow_uv_request {
  tow_uv_host *host;
  tow_request *request; /* NULL once its result is decided */
  tow_options options;
  void (*found)(tow_uv_request *request); /* is called when the addresses are there */
  tow_uv_attempt *attempts;
  size_t count, next;
  uv_getaddrinfo_t lookup;
  uv_timer_t timer;
  bool looking_up, timing; /* libuv knows of these two */
  int status;              /* the most telling failure, and all of them as text */
  char *failures;
  size_t failures_size, failures_capacity;
  char name[256]; /* that is looked up */
};

void tow_uv_request_begin(tow_uv_host *host, tow_request *request, const char *text, const tow_options *options,
                          const tow_uv_scheme *schemes);
/* Notes that an attempt failed. */
void tow_uv_request_note(tow_uv_request *r, const tow_uv_address *address, int status);
/* Ends it with the failures noted, or with this one. */
void tow_uv_request_fail_noted(tow_uv_request *r);
void tow_uv_request_fail(tow_uv_request *r, int code, int native, const char *message);
/* Its result is about to be reported: from now on it cannot be cancelled. Then let go of it. */
tow_request *tow_uv_request_take(tow_uv_request *r);
void tow_uv_request_release(tow_uv_request *r);

void tow_uv_udp_connect(tow_uv_request *r);

/* The entries of the loop's table that are not in uv_loop.c. */
void tow_uv_connect(void *host, tow_request *request, const char *address, const tow_options *options);
void tow_uv_listen(void *host, tow_request *request, const char *address, const tow_options *options);
void tow_uv_bind(void *host, tow_request *request, const char *address, const tow_options *options);
void tow_uv_spawn(void *host, tow_request *request, const char *address, const tow_spawn_options *options);
void tow_uv_cancel(void *host, tow_request *request);
void tow_uv_close_server(void *host, void *which);
int tow_uv_server_info(void *host, void *which, const char *name, char *value, size_t capacity);

#endif
