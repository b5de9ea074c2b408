/* The loop on libuv.
 *
 * One turn of libuv's loop is one of ours [T4], carried by four handles:
 *
 *     prepare   runs what is ready
 *     (poll)    each stream's read, then its write
 *     check     runs the timers that are due
 *     idle      is active while something is ready, so that the poll does not wait
 *     timer     bounds the poll's wait by the next deadline
 *
 * The timer only wakes: libuv runs its timers at the beginning of a turn, where ours would overtake what is ready, and
 * it counts whole milliseconds. These handles do not keep the loop running, except idle and timer while they are
 * active. The async handle does while anything is open: a connection that neither reads nor writes is nothing to libuv.
 */
#include "uv_internal.h"

#include <math.h>
#include <signal.h>

/* ---- The table ---- */

static double host_now(void *host) {
  (void)host;
  return (double)uv_hrtime() / 1e6;
}

static bool is_due(tow_uv_host *host) {
  return host->deadline <= host_now(host);
}

static void on_idle(uv_idle_t *idle) {
  (void)idle;
}

static void host_wake(void *pointer) {
  tow_uv_host *host = pointer;
  uv_idle_start(&host->idle, on_idle);
}

static void on_timer(uv_timer_t *timer);

static void host_set_timer(void *pointer, double when) {
  static const double longest = 1e9; /* then it is set again */
  tow_uv_host *host = pointer;
  host->deadline = when;
  uv_timer_stop(&host->timer);
  if (when == INFINITY) return;
  if (is_due(host)) { /* check's turn comes after a poll that does not wait */
    host_wake(host);
    return;
  }
  uv_update_time(host->uv); /* which may be as old as this turn */
  double delay = ceil(when - (double)uv_now(host->uv));
  uv_timer_start(&host->timer, on_timer, (uint64_t)fmin(delay, longest), 0);
}

static void on_timer(uv_timer_t *timer) {
  tow_uv_host *host = timer->data;
  host_set_timer(host, host->deadline);
}

static const tow_loop_host loop_table = {
    .size = sizeof(tow_loop_host),
    .now = host_now,
    .set_timer = host_set_timer,
    .wake = host_wake,
    .connect = tow_uv_connect,
    .listen = tow_uv_listen,
    .bind = tow_uv_bind,
    .spawn = tow_uv_spawn,
    .cancel = tow_uv_cancel,
    .close_server = tow_uv_close_server,
    .server_extra_info = tow_uv_server_info,
};

/* ---- A turn ---- */

static void on_prepare(uv_prepare_t *prepare) {
  tow_uv_host *host = prepare->data;
  host->turn++;
  if (!uv_is_active((uv_handle_t *)&host->idle)) return;
  if (!tow_host_run_ready(host->loop) && !is_due(host)) uv_idle_stop(&host->idle);
}

static void on_check(uv_check_t *check) {
  tow_uv_host *host = check->data;
  if (!is_due(host)) return;
  host_set_timer(host, INFINITY);
  tow_host_run_timers(host->loop);
}

void tow_uv_hold(tow_uv_host *host) {
  if (host->open++ == 0) uv_ref((uv_handle_t *)&host->async);
}

void tow_uv_release(tow_uv_host *host) {
  if (--host->open == 0) uv_unref((uv_handle_t *)&host->async);
}

bool tow_uv_run(tow_loop *loop) {
  tow_uv_host *host = tow_host_of(loop);
  bool more;
  do {
    tow_uv_take_posts(host);
    more = uv_run(host->uv, UV_RUN_DEFAULT);
  } while (!more && tow_uv_take_posts(host)); /* posted while the last turn ran: no handle of libuv's says so */
  return more;
}

void tow_uv_stop(tow_loop *loop) {
  tow_uv_host *host = tow_host_of(loop);
  uv_stop(host->uv);
}

uv_loop_t *tow_uv_loop(const tow_loop *loop) {
  return ((tow_uv_host *)tow_host_of(loop))->uv;
}

/* ---- Life ---- */

static void free_host(tow_uv_host *host) {
  host->allocator.release(host->allocator.context, host);
}

static void ignore_sigpipe(void) {
  struct sigaction now;
  if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}

static void start_helpers(tow_uv_host *host) {
  uv_prepare_init(host->uv, &host->prepare);
  uv_check_init(host->uv, &host->check);
  uv_idle_init(host->uv, &host->idle);
  uv_timer_init(host->uv, &host->timer);
  host->prepare.data = host->check.data = host->idle.data = host->timer.data = host->async.data = host;
  uv_prepare_start(&host->prepare, on_prepare);
  uv_check_start(&host->check, on_check);
  uv_unref((uv_handle_t *)&host->prepare);
  uv_unref((uv_handle_t *)&host->check);
  uv_unref((uv_handle_t *)&host->async);
}

tow_loop *tow_uv_loop_new(const tow_uv_options *options) {
  static const tow_uv_options defaults;
  if (!options) options = &defaults;
  tow_allocator allocator = options->allocator;
  if (!allocator.allocate) allocator = tow_libc_allocator;
  tow_uv_host *host = allocator.allocate(allocator.context, sizeof *host);
  if (!host) return NULL;
  *host = (tow_uv_host){.allocator = allocator, .deadline = INFINITY};
  host->loop = tow_host_new_loop(&loop_table, host, &allocator);
  if (!host->loop) goto no_loop;
  host->uv = options->uv ? options->uv : &host->own;
  if (!options->uv && uv_loop_init(&host->own) < 0) goto no_uv;
  if (tow_uv_post_init(host) < 0) goto no_post;
  start_helpers(host);
  if (!options->keep_sigpipe) ignore_sigpipe();
  return host->loop;

no_post:
  if (!options->uv) uv_loop_close(&host->own);
no_uv:
  tow_host_free_loop(host->loop);
no_loop:
  free_host(host);
  return NULL;
}

static void on_helper_closed(uv_handle_t *handle) {
  ((tow_uv_host *)handle->data)->open--;
}

/* Runs the loop until everything of ours has been let go. It cannot wait for anything but look-ups that the system is
 * at, and killed subprocesses. */
static void run_until_closed(tow_uv_host *host) {
  while (host->open > 0)
    uv_run(host->uv, UV_RUN_ONCE);
}

void tow_uv_loop_close(tow_loop *loop) {
  tow_uv_host *host = tow_host_of(loop);
  tow_uv_stop_posts(host);
  tow_host_close_loop(loop);
  tow_uv_free_posts(host);
  run_until_closed(host);
  enum { HELPERS = 5 };
  uv_handle_t *helpers[HELPERS] = {(uv_handle_t *)&host->prepare, (uv_handle_t *)&host->check,
                                   (uv_handle_t *)&host->idle, (uv_handle_t *)&host->timer,
                                   (uv_handle_t *)&host->async};
  for (int i = 0; i < HELPERS; i++, host->open++)
    uv_close(helpers[i], on_helper_closed);
  run_until_closed(host);
  uv_mutex_destroy(&host->mutex);
  if (host->uv == &host->own) uv_loop_close(&host->own);
  tow_host_free_loop(loop);
  free_host(host);
}
