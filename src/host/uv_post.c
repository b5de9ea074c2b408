/* Calls from other threads [T6].
 *
 * A post goes through two lists: `posted`, under the mutex, and `scheduled`, the loop's own, from which its handle is
 * run like any other call_soon. Both are needed: what has not run when the loop closes is freed from them. Posts come
 * from malloc, not from the loop's allocator, which belongs to the loop's thread. */
#include "uv_internal.h"

#include <stdlib.h>

struct tow_uv_post {
  tow_uv_post *next;
  tow_handle handle;
  tow_uv_host *host;
  int (*callback)(void *context);
  void *context;
};

static void append(tow_uv_posts *list, tow_uv_post *post) {
  if (list->last)
    list->last->next = post;
  else
    list->first = post;
  list->last = post;
}

static tow_uv_post *shift(tow_uv_posts *list) {
  tow_uv_post *post = list->first;
  list->first = post->next;
  if (!list->first) list->last = NULL;
  post->next = NULL;
  return post;
}

static int run_post(void *context) {
  tow_uv_post *post = shift(&((tow_uv_post *)context)->host->scheduled); /* the same one: both are in order */
  int (*callback)(void *) = post->callback;
  void *argument = post->context;
  free(post);
  return callback(argument);
}

bool tow_uv_take_posts(tow_uv_host *host) {
  uv_mutex_lock(&host->mutex);
  tow_uv_posts taken = host->posted;
  host->posted = (tow_uv_posts){NULL, NULL};
  uv_mutex_unlock(&host->mutex);
  bool any = taken.first != NULL;
  while (taken.first) {
    tow_uv_post *post = shift(&taken);
    append(&host->scheduled, post);
    tow_loop_call_soon(host->loop, &post->handle, run_post, post);
  }
  return any;
}

static void on_async(uv_async_t *async) {
  tow_uv_take_posts(async->data);
}

int tow_uv_post_init(tow_uv_host *host) {
  int status = uv_mutex_init(&host->mutex);
  if (status < 0) return status;
  status = uv_async_init(host->uv, &host->async, on_async);
  if (status < 0) uv_mutex_destroy(&host->mutex);
  return status;
}

int tow_loop_call_soon_threadsafe(tow_loop *loop, int (*callback)(void *), void *context) {
  tow_uv_host *host = tow_host_of(loop);
  tow_uv_post *post = calloc(1, sizeof *post);
  if (!post) return TOW_ENOMEM;
  post->host = host;
  post->callback = callback;
  post->context = context;
  uv_mutex_lock(&host->mutex);
  bool closing = host->closing;
  if (!closing) {
    append(&host->posted, post);
    uv_async_send(&host->async);
  }
  uv_mutex_unlock(&host->mutex);
  if (closing) free(post);
  return closing ? TOW_ECANCELED : 0;
}

void tow_uv_stop_posts(tow_uv_host *host) {
  uv_mutex_lock(&host->mutex);
  host->closing = true;
  uv_mutex_unlock(&host->mutex);
}

void tow_uv_free_posts(tow_uv_host *host) {
  while (host->posted.first)
    free(shift(&host->posted));
  while (host->scheduled.first)
    free(shift(&host->scheduled));
}
