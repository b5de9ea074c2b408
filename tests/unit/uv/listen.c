/* Servers: their clients, socket files, running out of descriptors. */
#include "scene.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* The server's end of connection `i`: made by accepting. */
static end *accepted(scene *s) {
  return s->ends[0].transport == s->transport ? &s->ends[1] : &s->ends[0];
}

static void close_alone(scene *s) {
  tow_server *server;
  char address[80], text[64];
  CHECK(s, join(s, &server));
  tow_server_get_extra_info(server, "sockname", text, sizeof text);
  CHECK(s, tow_server_get_extra_info(server, "peername", text, 0) == TOW_ENOENT);
  snprintf(address, sizeof address, "tcp://%s", text);
  tow_server_close(server);
  dial(s, address, NULL);
  UNTIL(s, s->results == 3);
  CHECK(s, s->code == TOW_ECONNREFUSED && s->lost == 0);
  send_text(&s->ends[0], "still");
  send_text(&s->ends[1], "here");
  UNTIL(s, s->ends[0].received == 4 && s->ends[1].received == 5);
}

static void close_clients(scene *s) {
  tow_server *server;
  CHECK(s, join(s, &server));
  end *e = accepted(s);
  char big[1000000] = {0};
  tow_transport_write(e->transport, big, sizeof big);
  tow_server_close_clients(server);
  UNTIL(s, s->lost == 2);
  end *client = e == &s->ends[0] ? &s->ends[1] : &s->ends[0];
  CHECK(s, client->received == sizeof big && client->ended == 1 && e->code == 0);
}

static void abort_clients(scene *s) {
  tow_server *server;
  CHECK(s, join(s, &server));
  end *e = accepted(s);
  char big[1000000] = {0};
  for (int i = 0; i < 10; i++)
    tow_transport_write(e->transport, big, sizeof big);
  tow_server_abort_clients(server);
  UNTIL(s, s->lost == 2);
  CHECK(s, e->code == 0 && s->ends[0].received + s->ends[1].received < 10 * sizeof big);
  dial(s, "tcp://[", NULL);
  UNTIL(s, s->results == 3);
}

static void in_use(scene *s) {
  char address[160], again[160];
  CHECK(s, serve(s, "tcp://127.0.0.1:0", NULL, address));
  CHECK(s, !serve(s, address, NULL, again));
  CHECK(s, s->code == TOW_EADDRINUSE && s->native == EADDRINUSE && strstr(s->message, address + 6));
}

static void ipv6_only(scene *s) {
  char address[160];
  if (!has_ipv6()) return;
  tow_options options = TOW_OPTIONS_DEFAULT;
  for (int only = 0; only < 2; only++) {
    options.ipv6_only = only;
    CHECK(s, serve(s, "tcp://[::]:0", &options, address));
    int fd = raw_connect("127.0.0.1", port_of(address));
    if (fd >= 0) close(fd);
    CHECK(s, (fd < 0) == (only == 1));
  }
}

/* ---- Socket files ---- */

static void leave_stale(const char *path) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  strncpy(un.sun_path, path, sizeof un.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(fd, (struct sockaddr *)&un, sizeof un);
  listen(fd, 1);
  close(fd);
}

static void socket_files(scene *s) {
  char path[128], address[160], resolved[160];
  struct stat file;
  snprintf(path, sizeof path, "%s/socket", s->folder);
  snprintf(address, sizeof address, "unix:%s", path);
  leave_stale(path);
  tow_server *first = serve(s, address, NULL, resolved);
  CHECK(s, first && strcmp(resolved, address) == 0);
  CHECK(s, !serve(s, address, NULL, resolved) && s->code == TOW_EADDRINUSE);
  CHECK(s, dial(s, address, NULL));
  UNTIL(s, s->results == 3);
  CHECK(s, s->code == 0);
  tow_server_close(first);
  CHECK(s, stat(path, &file) < 0);

  /* A file that is no socket stays. */
  fclose(fopen(path, "w"));
  bool served = serve(s, address, NULL, resolved);
  CHECK(s, unlink(path) == 0 && !served && s->code == TOW_EADDRINUSE);

  /* So does another server's, that has taken the place. */
  tow_server *second = serve(s, address, NULL, resolved);
  CHECK(s, second && unlink(path) == 0);
  leave_stale(path);
  tow_server_close(second);
  CHECK(s, unlink(path) == 0);
}

/* ---- The factory ---- */

static tow_protocol *refuse(tow_loop *loop, void *context) {
  (void)loop;
  ++*(int *)context;
  return NULL;
}

static int got_server(void *context, tow_server *server, const tow_error *error) {
  (void)error;
  *(tow_server **)context = server;
  return 0;
}

static void refusing(scene *s) {
  int asked = 0;
  tow_server *server = NULL;
  char text[64], address[80];
  tow_loop_listen(s->loop, "tcp://127.0.0.1:0", NULL, (tow_factory){refuse, &asked}, got_server, &server);
  UNTIL(s, server != NULL);
  tow_server_get_extra_info(server, "sockname", text, sizeof text);
  snprintf(address, sizeof address, "tcp://%s", text);
  dial(s, address, NULL);
  UNTIL(s, s->lost == 1);
  CHECK(s, asked == 1 && s->ends[0].made == 1);
}

/* ---- Running out of descriptors ---- */

enum { WAITING = 8 };

/* In a process of its own. The connections that come while there are no descriptors are accepted later, none is lost.
 */
static void starve(scene *s) {
  char address[160];
  int fds[1024], count = 0, waiting[WAITING];
  struct rlimit limit = {256, 256};
  s->server.on = echo;
  CHECK(s, serve(s, "tcp://127.0.0.1:0", NULL, address));
  for (int i = 0; i < WAITING; i++)
    waiting[i] = raw_connect("127.0.0.1", port_of(address));
  setrlimit(RLIMIT_NOFILE, &limit);
  while ((fds[count] = dup(0)) >= 0)
    count++;
  UNTIL(s, s->warnings == 1);
  CHECK(s, strstr(s->warning, "too many open files"));
  double begin = tow_loop_time(s->loop);
  while (tow_loop_time(s->loop) - begin < 250) /* it goes on trying, and says so once */
    uv_run(tow_uv_loop(s->loop), UV_RUN_ONCE);
  CHECK(s, s->warnings == 1 && s->count == 0);
  CHECK(s, !tow_uv_loop_new(NULL));
  dial(s, address, NULL);
  UNTIL(s, s->results == 2);
  CHECK(s, s->code == TOW_EMFILE && s->native == EMFILE);
  while (count > 0)
    close(fds[--count]);
  UNTIL(s, s->count == WAITING);
  for (int i = 0; i < WAITING; i++)
    CHECK(s, write(waiting[i], "x", 1) == 1);
  char byte;
  UNTIL(s, s->ends[WAITING - 1].received == 1 && s->ends[0].received == 1);
  for (int i = 0; i < WAITING; i++) {
    while (recv(waiting[i], &byte, 1, MSG_DONTWAIT) != 1 && scene_wait(s)) {
    }
    close(waiting[i]);
  }
  UNTIL(s, s->lost == WAITING);
}

static void no_descriptors(scene *s) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    scene *own = calloc(1, sizeof *own); /* libuv's loop does not survive a fork */
    own->loop = tow_uv_loop_new(NULL);
    own->client.scene = own->server.scene = own;
    scene_setup(own);
    starve(own);
    if (own->failure) fprintf(stderr, "%s\n", own->failure);
    _exit(own->failure ? 1 : 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(s, WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

const test listen_tests[] = {
    {"O3 close: connections live on", close_alone},
    {"O3 close_clients sends what is queued", close_clients},
    {"O3 abort_clients drops it", abort_clients},
    {"O1 address in use", in_use},
    {"O2 IPv6 only", ipv6_only},
    {"unix: stale, living and foreign files", socket_files},
    {"O1 a factory that has no protocol", refusing},
    {"O3 out of descriptors: connections wait", no_descriptors},
    {NULL, NULL},
};
