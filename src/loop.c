/* Turns, call_soon, and what cannot be returned: log and exceptions [T].
 *
 * Two lists: `ready` collects, `running` is the generation under way. What is scheduled while a generation runs lands
 * in `ready` and waits for the next, so that I/O gets its turn in between. A handle is in one list or none, linked both
 * ways, so that cancelling one unlinks it wherever it is. */
#include "core.h"

static void run_handle(tow_loop *loop, tow_node *node) {
  tow_handle *handle = TOW_OWNER(node, tow_handle, node);
  handle->loop = NULL;
  tow_enter(loop);
  tow_left(loop, NULL, "call_soon", handle->callback(handle->context));
}

void tow_schedule(tow_loop *loop, tow_node *node) {
  bool first = tow_list_is_empty(&loop->ready);
  tow_list_add(&loop->ready, node);
  if (first) loop->table->wake(loop->host);
}

void tow_loop_call_soon(tow_loop *loop, tow_handle *handle, int (*callback)(void *), void *context) {
  if (!tow_prepare(loop, handle, callback, context)) return;
  handle->node.run = run_handle;
  tow_schedule(loop, &handle->node);
}

void tow_handle_cancel(tow_handle *handle) {
  if (!handle->loop) return;
  if (handle->node.run)
    tow_list_remove(&handle->node);
  else
    handle->loop->forget_timer(handle->loop, handle);
  handle->loop = NULL;
}

bool tow_handle_is_scheduled(const tow_handle *handle) {
  return handle->loop != NULL;
}

void tow_run_all(tow_loop *loop) {
  while (!tow_list_is_empty(&loop->running)) {
    tow_node *node = loop->running.next;
    tow_list_remove(node);
    node->run(loop, node);
  }
}

static TOW_APART bool run_generation(tow_loop *loop) {
  if (!tow_list_is_empty(&loop->running)) return true; /* turns never nest */
  loop->running = loop->ready;
  loop->running.next->previous = loop->running.previous->next = &loop->running;
  tow_list_init(&loop->ready);
  tow_run_all(loop);
  return !tow_list_is_empty(&loop->ready);
}

bool tow_host_run_ready(tow_loop *loop) {
  return !tow_list_is_empty(&loop->ready) && run_generation(loop);
}

double tow_loop_time(const tow_loop *loop) {
  return loop->table->now(loop->host);
}

/* ---- Memory ---- */

void *tow_loop_alloc(tow_loop *loop, size_t size) {
  return loop->allocator.allocate(loop->allocator.context, size);
}

void tow_loop_free(tow_loop *loop, void *memory) {
  loop->allocator.release(loop->allocator.context, memory);
}

char *tow_copy_text(tow_loop *loop, const char *text) {
  if (!text) return NULL;
  size_t size = 1;
  while (text[size - 1])
    size++;
  char *copy = tow_loop_alloc(loop, size);
  return copy ? memcpy(copy, text, size) : NULL;
}

/* ---- Log and exceptions ---- */

void tow_loop_set_log(tow_loop *loop, tow_log log, void *context) {
  loop->log = log;
  loop->log_context = context;
}

void tow_loop_set_exception_handler(tow_loop *loop, tow_exception_handler handler, void *context) {
  loop->handler = handler;
  loop->handler_context = context;
}

void tow_host_warn(tow_loop *loop, const char *message) {
  if (loop->log) loop->log(loop->log_context, TOW_LOG_WARNING, message);
}

/* Tells the exception handler. */
static void report(tow_loop *loop, tow_transport *t, const char *name, int code, int native) {
  tow_error error = {code, native, tow_error_text(code)};
  if (loop->handler)
    loop->handler(loop->handler_context, name, t, &error);
  else
    tow_host_warn(loop, error.message);
}

void tow_fatal(tow_transport *t, const char *name, int code, int native) {
  report(t->loop, t, name, code, native);
  tow_fail(t, code, native, NULL);
}

void tow_left(tow_loop *loop, tow_transport *transport, const char *name, int result) {
  if (result < 0) report(loop, transport, name, TOW_ECALLBACK, result);
  tow_leave(loop);
}

/* ---- Life ---- */

tow_loop *tow_host_new_loop(const tow_loop_host *table, void *host, const tow_allocator *allocator) {
  tow_loop *loop = allocator->allocate(allocator->context, sizeof *loop);
  if (!loop) return NULL;
  memset(loop, 0, sizeof *loop);
  loop->table = table;
  loop->host = host;
  loop->allocator = *allocator;
  loop->references = 1;
  tow_list_init(&loop->ready);
  tow_list_init(&loop->running);
  tow_list_init(&loop->transports);
  tow_list_init(&loop->requests);
  tow_list_init(&loop->servers);
  return loop;
}

void *tow_host_of(const tow_loop *loop) {
  return loop->host;
}

void tow_unref_loop(tow_loop *loop) {
  if (--loop->references == 0) tow_loop_free(loop, loop);
}

static void run_each(tow_loop *loop, tow_node *list) {
  for (tow_node *node = list->next, *next; node != list; node = next) {
    next = node->next;
    node->run(loop, node);
  }
}

/* Handles are dropped first, and none are taken any more: what is left to run is the core's own, and ends. */
void tow_host_close_loop(tow_loop *loop) {
  if (loop->depth > 0 || loop->closing) return;
  loop->closing = true;
  for (tow_node *node = loop->ready.next, *next; node != &loop->ready; node = next) {
    next = node->next;
    if (node->run == run_handle) tow_handle_cancel(TOW_OWNER(node, tow_handle, node));
  }
  if (loop->forget_timer) loop->forget_timer(loop, NULL);
  run_each(loop, &loop->requests);
  run_each(loop, &loop->servers);
  run_each(loop, &loop->transports);
  while (tow_host_run_ready(loop)) {
  }
}

size_t tow_host_connections(const tow_loop *loop) {
  size_t n = 0;
  for (const tow_node *node = loop->transports.next; node != &loop->transports; node = node->next)
    n++;
  return n;
}

void tow_host_free_loop(tow_loop *loop) {
  tow_loop_free(loop, loop->slab);
  tow_loop_free(loop, loop->cork);
  tow_loop_free(loop, loop->spare);
  loop->log = NULL;
  loop->handler = NULL;
  tow_unref_loop(loop);
}
