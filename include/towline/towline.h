/* Towline: asyncio's protocols and transports in C.
 *
 * Read from top to bottom, this header is the manual.
 *
 * You write a PROTOCOL: a struct whose first member points at a constant table of callbacks. The loop calls
 * them: connection_made once, data_received as bytes come, connection_lost once. Inside them (or from anywhere
 * else on the loop's thread) you call the TRANSPORT: write, pause_reading, close. The loop itself comes from a
 * HOST: libuv (towline/uv.h), memory (towline/memory.h), or JavaScript around a wasm module. Nothing in a
 * protocol depends on which.
 *
 *     typedef struct echo { tow_protocol base; tow_transport *transport; } echo;
 *
 *     static int echo_made(tow_protocol *self, tow_transport *transport) {
 *       ((echo *)self)->transport = transport;
 *       return 0;
 *     }
 *     static int echo_data(tow_protocol *self, const void *data, size_t size) {
 *       return tow_transport_write(((echo *)self)->transport, data, size);
 *     }
 *     static const tow_stream_callbacks echo_callbacks = {
 *         .base = {.size = sizeof(tow_stream_callbacks), .kind = TOW_STREAM, .connection_made = echo_made},
 *         .data_received = echo_data,
 *     };
 *
 * Letters and numbers in brackets, [F2], name the rule of the contract (CONTRACT.md) that a sentence comes
 * from. Sizes are in bytes, times in milliseconds. All calls but one (uv.h names it) belong to the loop's thread [T6].
 */
#ifndef TOWLINE_TOWLINE_H
#define TOWLINE_TOWLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default) /* what the shared library shows */

/* This header's version; tow_version answers the library's, "0.1.0". Before 1.0 a minor version may change anything. */
#define TOW_VERSION_MAJOR 0
#define TOW_VERSION_MINOR 1
#define TOW_VERSION_PATCH 0
const char *tow_version(void);

/* The version of everything a module and its host share: tables, exports, imports. A loader refuses another one. */
#define TOW_ABI_VERSION 1
int tow_abi_version(void);

typedef struct tow_loop tow_loop;           /* what calls */
typedef struct tow_transport tow_transport; /* a connection, an endpoint of datagrams, or a subprocess */
typedef struct tow_request tow_request;     /* one of them that was asked for, or a server */
typedef struct tow_server tow_server;       /* what accepts connections */
typedef struct tow_protocol tow_protocol;   /* what you write */
typedef struct tow_layering tow_layering;   /* towline/layer.h */

/* ---- Errors -------------------------------------------------------------------------------------------------
 * A call answers 0, or one of these, which are all negative. The same name means the same on every host; those
 * that are an errno on POSIX keep its name. */
#define TOW_ERRORS(X)                                                                                                  \
  X(EUNKNOWN, -1, "unknown error")                                                                                     \
  X(EINVAL, -2, "invalid argument")                                                                                    \
  X(ENOMEM, -3, "out of memory")                                                                                       \
  X(ENOTSUP, -4, "not supported here")                                                                                 \
  X(ECANCELED, -5, "cancelled")                                                                                        \
  X(ETIMEDOUT, -6, "timed out")                                                                                        \
  X(ECONNREFUSED, -7, "")                                                                                              \
  X(ECONNRESET, -8, "")                                                                                                \
  X(ECONNABORTED, -9, "")                                                                                              \
  X(EPIPE, -10, "broken pipe")                                                                                         \
  X(ENOTCONN, -11, "")                                                                                                 \
  X(EHOSTUNREACH, -12, "")                                                                                             \
  X(ENETUNREACH, -13, "")                                                                                              \
  X(ENETDOWN, -14, "")                                                                                                 \
  X(EADDRINUSE, -15, "")                                                                                               \
  X(EADDRNOTAVAIL, -16, "")                                                                                            \
  X(EACCES, -17, "")                                                                                                   \
  X(EPERM, -18, "")                                                                                                    \
  X(ENOENT, -19, "")                                                                                                   \
  X(EMFILE, -20, "")                                                                                                   \
  X(ENFILE, -21, "")                                                                                                   \
  X(ENOBUFS, -22, "")                                                                                                  \
  X(EMSGSIZE, -23, "")                                                                                                 \
  X(ESRCH, -24, "")                                                                                                    \
  X(E2BIG, -25, "")                                                                                                    \
  X(EIO, -26, "")                                                                                                      \
  X(EBADF, -27, "")                                                                                                    \
  X(ENOTFOUND, -28, "")                                                                                                \
  X(EPROTO, -29, "")                                                                                                   \
  X(EOVERFLOW, -30, "")                                                                                                \
  X(ESHUTDOWN, -31, "write() after write_eof()")                                                                       \
  X(ECALLBACK, -32, "a callback failed")                                                                               \
  X(EBUFFER, -33, "get_buffer() returned an empty buffer")                                                             \
  X(ECLOSED, -34, "")                                                                                                  \
  X(EADDRESS, -35, "not an address")                                                                                   \
  X(ESCHEME, -36, "no such scheme here")                                                                               \
  X(ETRAP, -37, "")                                                                                                    \
  X(EABI, -38, "")

#define TOW_ERROR_CODE(name, code, text) TOW_##name = (code),
enum { TOW_ERRORS(TOW_ERROR_CODE) TOW_ERROR_LAST = -38 };
#undef TOW_ERROR_CODE

/* "ETIMEDOUT" and "timed out" for TOW_ETIMEDOUT; NULL for a code that is none. Static strings. What only hosts find has
 * its name for a text: they say it better, in a tow_error's message. */
const char *tow_error_name(int code);
const char *tow_error_text(int code);

/* What a callback is told of a failure. Valid until the callback returns. */
typedef struct tow_error {
  int code;            /* TOW_E... */
  int native;          /* what the host calls it: an errno, a WebSocket close code, a callback's return value; or 0 */
  const char *message; /* for people, never NULL: what failed, or the reason that a peer gave */
} tow_error;

/* ---- Protocols ----------------------------------------------------------------------------------------------
 * Every callback answers an int: 0 (or more) for done, negative for failed. A failure in data_received, get_buffer,
 * buffer_updated or eof_received ends the connection: it is reported to the loop's exception handler, and
 * connection_lost is told TOW_ECALLBACK with the returned value in `native`. In the others it is reported and the
 * connection lives on [L6]. A callback left out does nothing [L4]. */

/* Begin your struct with one. */
struct tow_protocol {
  const struct tow_base_callbacks *callbacks; /* points at the `base` of one of the tables below */
};

/* Which table a protocol's is. */
typedef enum tow_kind {
  TOW_STREAM = 1,     /* a tow_stream_callbacks */
  TOW_BUFFERED = 2,   /* a tow_buffered_callbacks */
  TOW_DATAGRAM = 3,   /* a tow_datagram_callbacks */
  TOW_SUBPROCESS = 4, /* a tow_subprocess_callbacks */
  TOW_LAYER = 5,      /* a tow_layer_callbacks: towline/layer.h; no protocol of a user's */
} tow_kind;

/* asyncio.BaseProtocol: the beginning of every table. */
typedef struct tow_base_callbacks {
  uint32_t size; /* sizeof the whole table, so that tables may grow in later versions */
  uint32_t kind; /* a tow_kind: which table this is */
  /* First, once, before any reading [L1, L2]. The transport is valid until connection_lost has returned. */
  int (*connection_made)(tow_protocol *self, tow_transport *transport);
  /* Last, once. `error` is NULL after end of stream, close or abort [E6]. The protocol may free itself here, and no
   * earlier [L5]; handles that it scheduled must be cancelled before. */
  int (*connection_lost)(tow_protocol *self, const tow_error *error);
  /* The write buffer went over its high mark: stop writing, until... [F2]. The only callback that may be entered from
   * inside a call you make (write, writelines, set_write_buffer_limits, set_protocol) [L3]. */
  int (*pause_writing)(tow_protocol *self);
  /* ...it has drained to its low mark. */
  int (*resume_writing)(tow_protocol *self);
} tow_base_callbacks;

/* asyncio.Protocol: CM [-> data_received*] [-> eof_received?] -> CL */
typedef struct tow_stream_callbacks {
  tow_base_callbacks base;
  /* The peer will send no more; at most once, after all data. Answer 0 to close (what you write here is still
   * sent), 1 to keep writing. Where the connection cannot stay half-open the answer is taken as 0 [E3]. */
  int (*eof_received)(tow_protocol *self);
  /* 1 to 262,144 bytes, lent until you return [R2, R3]. */
  int (*data_received)(tow_protocol *self, const void *data, size_t size);
} tow_stream_callbacks;

/* Memory to be filled. */
typedef struct tow_buffer {
  void *base;
  size_t size;
} tow_buffer;

/* asyncio.BufferedProtocol: CM [-> get_buffer [-> buffer_updated?]]* [-> eof_received?] -> CL
 * The bytes are put where you say: no copy where the host can read straight into memory [B6]. */
typedef struct tow_buffered_callbacks {
  tow_base_callbacks base;
  /* As tow_stream_callbacks has it. */
  int (*eof_received)(tow_protocol *self);
  /* Fill in where the next bytes go: at least one byte [B2]. `sizehint` is the number of bytes in hand, or -1 when
   * the host is about to read [B1]. The memory is lent to the host, neither moved nor freed, until buffer_updated,
   * eof_received or connection_lost, or until tow_transport_revoke_buffer gives it back [B5]. */
  int (*get_buffer)(tow_protocol *self, ptrdiff_t sizehint, tow_buffer *buffer);
  /* The first `size` bytes of that buffer are there. Never more than it holds [B4]. */
  int (*buffer_updated)(tow_protocol *self, size_t size);
} tow_buffered_callbacks;

/* Who sent a datagram, or is to get it: an opaque value, copied and compared byte for byte, that means something to the
 * endpoint it came from. tow_transport_parse_peer and _format_peer turn it into text and back. */
typedef struct tow_peer {
  uint8_t size; /* of what is used of `bytes`; 0: no address */
  uint8_t bytes[31];
} tow_peer;

/* asyncio.DatagramProtocol: CM [-> peer_joined | datagram_received | error_received]* -> CL */
typedef struct tow_datagram_callbacks {
  tow_base_callbacks base;
  /* One datagram, which may be empty; data and peer are lent until you return [D1, D6]. */
  int (*datagram_received)(tow_protocol *self, const void *data, size_t size, const tow_peer *peer);
  /* Sending or receiving one failed, or a peer that had joined is lost (TOW_ECLOSED: it left; TOW_ECONNRESET: it broke
   * off); the endpoint lives on [D3, D7]. `peer` is NULL when it is not known whose. */
  int (*error_received)(tow_protocol *self, const tow_error *error, const tow_peer *peer);
  /* Where peers come and go (WebRTC; never UDP): this one can be sent to now, and has not been heard of before [D7]. */
  int (*peer_joined)(tow_protocol *self, const tow_peer *peer);
} tow_datagram_callbacks;

/* asyncio.SubprocessProtocol: CM [-> PD | PL | PX]* -> CL. pause_writing and resume_writing are those of the child's
 * standard input [X8]. */
typedef struct tow_subprocess_callbacks {
  tow_base_callbacks base;
  /* The child wrote to `fd` (1 or 2); at least one byte, lent until you return [X2]. */
  int (*pipe_data_received)(tow_protocol *self, int fd, const void *data, size_t size);
  /* Once for each piped descriptor, 0 too, after its data [X2]. */
  int (*pipe_connection_lost)(tow_protocol *self, int fd, const tow_error *error);
  /* tow_transport_get_returncode answers; may come before or after the pipes' ends [X3]. */
  int (*process_exited)(tow_protocol *self);
} tow_subprocess_callbacks;

/* asyncio's protocol_factory: makes the protocol of a new connection, when it is open and no earlier [O1]. NULL means
 * out of memory: the connection is closed and its request fails. What a wasm module exports as a constructor is a
 * `create` function. */
typedef struct tow_factory {
  tow_protocol *(*create)(tow_loop *loop, void *context);
  void *context;
} tow_factory;

/* ---- Transports: writing ------------------------------------------------------------------------------------
 * Calls on a transport are harmless during and after connection_lost, for as long as it is allocated [L5]. */

/* Bytes to be sent. */
typedef struct tow_iovec {
  const void *base;
  size_t size;
} tow_iovec;

/* Sends bytes, in order. They are taken when the call returns: the memory is yours again [W2]. What the host does not
 * take at once is queued, and pause_writing may come before the call returns. After close or loss the bytes are
 * dropped and the answer is 0 [W5]. TOW_ESHUTDOWN after write_eof [W1]; TOW_ENOTSUP on a read-only pipe; TOW_ENOMEM
 * also ends the connection. */
int tow_transport_write(tow_transport *transport, const void *data, size_t size);
/* Several pieces as one write; empty ones are skipped [W3]. */
int tow_transport_writelines(tow_transport *transport, const tow_iovec *lines, size_t count);
/* Ends the stream after what is queued; reading goes on. TOW_ENOTSUP where there is no half-close [E1, E2]. */
int tow_transport_write_eof(tow_transport *transport);
bool tow_transport_can_write_eof(const tow_transport *transport);

/* "Not given" for the limits; a value of its own, so that a negative number stays an error. */
#define TOW_UNSET PTRDIFF_MIN
/* Defaults: high 65536, low 16384. Only high given: low is high / 4. Only low given: high is 4 * low. Neither: the
 * defaults again. TOW_EINVAL, and no change, unless high >= low >= 0 [F1]. May call pause_writing at once, never
 * resume_writing [F3]. */
int tow_transport_set_write_buffer_limits(tow_transport *transport, ptrdiff_t high, ptrdiff_t low);
void tow_transport_get_write_buffer_limits(const tow_transport *transport, size_t *low, size_t *high);
/* What the transport still holds, not what the host has taken [F6]. */
size_t tow_transport_get_write_buffer_size(const tow_transport *transport);

/* ---- Transports: reading ------------------------------------------------------------------------------------ */

/* While paused nothing is delivered, not even end of stream [R1]. Both may be repeated. */
void tow_transport_pause_reading(tow_transport *transport);
void tow_transport_resume_reading(tow_transport *transport);
/* Not closing, not paused, no end of stream yet. */
bool tow_transport_is_reading(const tow_transport *transport);
/* Takes back the memory that get_buffer gave, whether or not the host holds any: 0. The host asks again before it
 * next reads. TOW_ENOTSUP where the host has handed it to something that cannot let go [B5]. */
int tow_transport_revoke_buffer(tow_transport *transport);

/* ---- Transports: closing ------------------------------------------------------------------------------------ */

/* Nothing more is read, what is queued is sent, then connection_lost(NULL), always later than this call [E4, L3]. */
void tow_transport_close(tow_transport *transport);
/* Drops what is queued; connection_lost(NULL) follows [E5]. */
void tow_transport_abort(tow_transport *transport);
bool tow_transport_is_closing(const tow_transport *transport); /* closed, aborted or lost */

/* ---- Transports: the rest ----------------------------------------------------------------------------------- */

/* From now on the other protocol is called; no connection_made, no connection_lost. If writing is paused the new one
 * hears pause_writing before anything else [P1, P2]. The old one may be freed once its running callback has
 * returned. If a host holds the old one's buffer and cannot let go (revoke_buffer answers TOW_ENOTSUP), its memory
 * must stay until connection_lost. TOW_EINVAL if `protocol` is of another family (a datagram's). */
int tow_transport_set_protocol(tow_transport *transport, tow_protocol *protocol);
tow_protocol *tow_transport_get_protocol(const tow_transport *transport); /* NULL after connection_lost */
tow_loop *tow_transport_get_loop(const tow_transport *transport);         /* the one that calls its protocol */

/* What the host knows of the connection, as a string: "peername" and "sockname" ("127.0.0.1:80", "[::1]:80", a path),
 * "socket" (a descriptor's number), "url", "subprotocol", "close_code", "close_reason" ... Answers its length and fills
 * `value` as snprintf does. TOW_ENOENT for a name that this host does not know: `value` stays as it was, so put your
 * default there [I1]. */
int tow_transport_get_extra_info(const tow_transport *transport, const char *name, char *value, size_t capacity);

/* Keeps the transport's memory past connection_lost. One unref for each ref [L5]. */
tow_transport *tow_transport_ref(tow_transport *transport);
void tow_transport_unref(tow_transport *transport);

/* ---- Datagrams ---------------------------------------------------------------------------------------------- */

/* Sends one datagram, empty or not; its memory is yours again when the call returns [D5]. On a connected endpoint
 * `peer` is NULL or the one connected to; on another it must be given; else TOW_EINVAL and nothing is sent [D2]. What
 * the host does not take at once is queued, each counting as its length + 8 [F6]. What goes wrong with it later, and
 * what the host finds too long, comes to error_received. After close it is dropped and the answer is 0 [D4].
 * TOW_ENOTSUP on a stream. */
int tow_transport_sendto(tow_transport *transport, const void *data, size_t size, const tow_peer *peer);
/* "127.0.0.1:9", "[::1]:9": addresses, not names. TOW_EADDRESS if it is none of this endpoint's kind. */
int tow_transport_parse_peer(const tow_transport *transport, const char *text, tow_peer *peer);
/* Answers the length and fills `text` as snprintf does. */
int tow_transport_format_peer(const tow_transport *transport, const tow_peer *peer, char *text, size_t capacity);
bool tow_peer_equal(const tow_peer *a, const tow_peer *b); /* byte for byte */

/* ---- Subprocesses -------------------------------------------------------------------------------------------
 * The transport of a subprocess neither reads nor writes: its pipes do. `close` closes them and kills the child if it
 * runs; connection_lost follows when it has ended and every pipe is lost [X4, X7]. */

int tow_transport_get_pid(const tow_transport *transport); /* 0 where there is no such thing */
/* False while it runs. `returncode`: n after exit(n), -s when signal s ended it [X5]. */
bool tow_transport_get_returncode(const tow_transport *transport, int *returncode);
/* A transport to write to for 0, to read from (pause, resume, close) for 1 and 2; NULL for a descriptor that is not
 * piped. Valid for as long as the subprocess's own; harmless once the pipe is lost [X10]. */
tow_transport *tow_transport_get_pipe_transport(const tow_transport *transport, int fd);
/* POSIX's numbers on every host. TOW_ESRCH after connection_lost; 0 and nothing done if it has just ended [X6]. */
int tow_transport_send_signal(tow_transport *transport, int signal);
int tow_transport_terminate(tow_transport *transport); /* SIGTERM, 15 */
int tow_transport_kill(tow_transport *transport);      /* SIGKILL, 9 */

/* ---- Connecting and serving ---------------------------------------------------------------------------------
 * By address, the same way on every host:
 *     tcp://host:port   tcp://[::1]:port   unix:/path            libuv, Node
 *     ws://host/path    wss://host/path                          Node, browser
 *     udp://host:port                                            libuv, Node
 *     exec:program                                               libuv, Node
 *     mem:name                                                   memory
 * A host that cannot answers TOW_ESCHEME. Start from the defaults and change what you want:
 *     tow_options options = TOW_OPTIONS_DEFAULT;
 *     options.timeout = 5000; */

/* Whether both ends of a WebSocket are to speak Towline framing, FRAMING.md. */
typedef enum tow_framing {
  TOW_FRAMING_OFFERED,  /* used if the peer can, too */
  TOW_FRAMING_DEMANDED, /* a peer that cannot is an error; TOW_ENOTSUP where there is nothing to negotiate (TCP) */
  TOW_FRAMING_REFUSED,  /* a plain stream */
} tow_framing;

/* Of a connection, an endpoint or a server. */
typedef struct tow_options {
  uint32_t size;            /* sizeof(tow_options) */
  uint32_t backlog;         /* connections waiting to be accepted */
  double timeout;           /* until the connection is open, all addresses and look-ups together; 0: none */
  double keepalive;         /* idle time before the first probe. 0: none for TCP, 30,000 with framing; negative: none */
  bool nodelay;             /* TCP_NODELAY */
  bool reuse_address;       /* SO_REUSEADDR */
  bool ipv6_only;           /* IPV6_V6ONLY for "tcp://[::]:port" */
  bool refuse_text;         /* WebSocket: a text frame ends the connection; else it arrives as UTF-8 [H1] */
  size_t inbox;             /* what a host that cannot stop its peer may hold while reading is paused [H3] */
  const char *subprotocols; /* WebSocket: "mqtt, v2.example"; NULL: none */
  const char *headers;      /* WebSocket, not in a browser: "Name: value\r\n" lines; NULL: none */
  ptrdiff_t high, low;      /* write buffer limits of the new transports */
  /* Layers under the protocol, the lowest first; NULL: none. Not copied: it must stay for as long as the request and
   * the server. The result, and what the protocol is given, is the uppermost transport. */
  const tow_layering *layers;
  tow_framing framing; /* WebSocket */
} tow_options;

/* A value for them: the defaults. */
#define TOW_OPTIONS_DEFAULT                                                                                            \
  {                                                                                                                    \
    sizeof(tow_options), 100, 30000.0, 0.0, true, true, false, false, 16u << 20, NULL, NULL, TOW_UNSET, TOW_UNSET,     \
        NULL, TOW_FRAMING_OFFERED                                                                                      \
  }

/* The one end of a request: the transport (connection_made has been called), or the error. Never from inside the call
 * that made the request, nor from inside tow_request_cancel. The request is gone when this returns. */
typedef int (*tow_connected)(void *context, tow_transport *transport, const tow_error *error);
typedef int (*tow_listening)(void *context, tow_server *server, const tow_error *error);

/* NULL options are the defaults; a NULL `done` is allowed. The address and the options are copied. Answers NULL only
 * when out of memory: then there is no result. */
tow_request *tow_loop_connect(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                              tow_connected done, void *context);
/* An endpoint for datagrams that is bound to this address ("udp://127.0.0.1:0": the system chooses the port) and
 * connected to none. tow_loop_connect with a "udp://" address makes a connected one. */
tow_request *tow_loop_bind(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                           tow_connected done, void *context);

/* What a child's descriptor is. */
typedef enum tow_stdio {
  TOW_PIPE,    /* a pipe to the protocol */
  TOW_NULL,    /* nothing to read, nobody to write to */
  TOW_INHERIT, /* this program's own */
  TOW_STDOUT,  /* standard error only: to wherever standard output goes */
} tow_stdio;

/* Of a child. */
typedef struct tow_spawn_options {
  uint32_t size;                  /* sizeof(tow_spawn_options) */
  const char *const *arguments;   /* after the program's name; ends with NULL; NULL: none */
  const char *const *environment; /* "NAME=value", ends with NULL; NULL: this program's own */
  const char *directory;          /* NULL: this program's own */
  tow_stdio stdio[3];
} tow_spawn_options;

/* A value for them: no arguments, three pipes. */
#define TOW_SPAWN_OPTIONS_DEFAULT                                                                                      \
  {                                                                                                                    \
    sizeof(tow_spawn_options), NULL, NULL, NULL, {                                                                     \
      TOW_PIPE, TOW_PIPE, TOW_PIPE                                                                                     \
    }                                                                                                                  \
  }

/* Starts a child, "exec:/bin/cat" or "exec:cat" (looked up as the host does); a failure is the request's [X9]. The
 * options are copied. */
tow_request *tow_loop_spawn(tow_loop *loop, const char *address, const tow_spawn_options *options, tow_factory factory,
                            tow_connected done, void *context);
/* Every connection accepted gets a protocol from the factory. "tcp://127.0.0.1:0" lets the system choose the port;
 * tow_server_get_extra_info(server, "sockname") tells it. */
tow_request *tow_loop_listen(tow_loop *loop, const char *address, const tow_options *options, tow_factory factory,
                             tow_listening done, void *context);
/* The result will be TOW_ECANCELED. A connection that was open already is aborted. */
void tow_request_cancel(tow_request *request);

/* Stops accepting; its connections live on [O3]. The server is gone with this call. */
void tow_server_close(tow_server *server);
/* tow_transport_close or _abort on each of its connections. */
void tow_server_close_clients(tow_server *server);
void tow_server_abort_clients(tow_server *server);
/* As tow_transport_get_extra_info: "sockname" is where it listens. */
int tow_server_get_extra_info(const tow_server *server, const char *name, char *value, size_t capacity);

/* ---- The loop ----------------------------------------------------------------------------------------------- */

/* A call for later. Yours to place, usually inside the protocol; zero it before its first use. The fields are the
 * loop's. It must stay where it is until it has run or been cancelled. Scheduling never fails and never allocates;
 * scheduling again moves it. */
typedef struct tow_node {
  struct tow_node *next, *previous;
  void (*run)(struct tow_loop *loop, struct tow_node *node);
} tow_node;
typedef struct tow_handle {
  tow_node node;
  struct tow_handle *child;
  tow_loop *loop;
  int (*callback)(void *context);
  void *context;
  double when;
  uint64_t order;
} tow_handle;

/* Runs `callback` in the loop's next turn, in the order of the calls [T1]. A negative answer goes to the exception
 * handler [T3]. */
void tow_loop_call_soon(tow_loop *loop, tow_handle *handle, int (*callback)(void *context), void *context);
/* After `delay`, or at `when` on the clock of tow_loop_time; equal times run in the order of the calls [T2]. */
void tow_loop_call_later(tow_loop *loop, tow_handle *handle, double delay, int (*callback)(void *context),
                         void *context);
void tow_loop_call_at(tow_loop *loop, tow_handle *handle, double when, int (*callback)(void *context), void *context);
void tow_handle_cancel(tow_handle *handle);             /* harmless when it is not scheduled */
bool tow_handle_is_scheduled(const tow_handle *handle); /* and has not run since */
/* A monotonic clock. */
double tow_loop_time(const tow_loop *loop);

/* Memory for protocols that bring none of their own; from the loop's allocator. */
void *tow_loop_alloc(tow_loop *loop, size_t size);
void tow_loop_free(tow_loop *loop, void *memory);

/* Where warnings go; nowhere, unless it is set. */
typedef enum tow_level {
  TOW_LOG_DEBUG,
  TOW_LOG_WARNING,
} tow_level;
typedef void (*tow_log)(void *context, tow_level level, const char *message);
void tow_loop_set_log(tow_loop *loop, tow_log log, void *context);
/* A failure that no call can return: which callback failed, of which connection (NULL for a timer's or a result's)
 * [T3]. Unless set, it goes to the log as a warning. */
typedef void (*tow_exception_handler)(void *context, const char *callback, tow_transport *transport,
                                      const tow_error *error);
void tow_loop_set_exception_handler(tow_loop *loop, tow_exception_handler handler, void *context);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
