/* Turns, call_soon, and what cannot be returned: log and exceptions [T].
 *
 * Two lists: `ready` collects, `running` is the generation under way. What is scheduled while a generation runs lands
 * in `ready` and waits for the next, so that I/O gets its turn in between. A handle is in one list or none, linked both
 * ways, so that cancelling one unlinks it wherever it is. */
#include "core.h"

#include <math.h>

static void run_handle(tow_loop *loop, tow_node *node) {
  tow_handle *handle = TOW_OWNER(node, tow_handle, node);
  const char *name = handle->order ? "call_later" : "call_soon";
  handle->loop = NULL;
  tow_enter(loop);
  int result = handle->callback(handle->context); /* the handle may be gone now */
  if (result < 0) tow_report(loop, name, NULL, result);
  tow_leave(loop);
}

static void run_all(tow_loop *loop) {
  while (!tow_list_is_empty(&loop->running)) {
    tow_node *node = loop->running.next;
    tow_list_remove(node);
    node->run(loop, node);
  }
}

void tow_schedule(tow_loop *loop, tow_node *node) {
  bool first = tow_list_is_empty(&loop->ready);
  tow_list_add(&loop->ready, node);
  if (first) loop->table->wake(loop->host);
}

void tow_loop_call_soon(tow_loop *loop, tow_handle *handle, int (*callback)(void *), void *context) {
  tow_handle_cancel(handle);
  *handle = (tow_handle){.node.run = run_handle, .loop = loop, .callback = callback, .context = context};
  tow_schedule(loop, &handle->node);
}

void tow_handle_cancel(tow_handle *handle) {
  if (!handle->loop) return;
  if (handle->node.run)
    tow_list_remove(&handle->node);
  else
    tow_timers_remove(handle);
  handle->loop = NULL;
}

bool tow_handle_is_scheduled(const tow_handle *handle) {
  return handle->loop != NULL;
}

bool tow_host_run_ready(tow_loop *loop) {
  if (tow_list_is_empty(&loop->ready)) return false;
  if (!tow_list_is_empty(&loop->running)) return true; /* turns never nest */
  loop->running = loop->ready;
  loop->running.next->previous = loop->running.previous->next = &loop->running;
  tow_list_init(&loop->ready);
  run_all(loop);
  return !tow_list_is_empty(&loop->ready);
}

void tow_host_run_timers(tow_loop *loop) {
  if (!tow_list_is_empty(&loop->running)) return;
  double now = tow_loop_time(loop);
  tow_handle *due;
  while ((due = tow_timers_pop(loop, now))) {
    due->node.run = run_handle;
    tow_list_add(&loop->running, &due->node);
  }
  run_all(loop);
  tow_timers_tell(loop);
}

double tow_loop_time(const tow_loop *loop) {
  return loop->table->now(loop->host);
}

/* ---- Memory ---- */

void *tow_allocate(tow_loop *loop, size_t size) {
  return loop->allocator.reallocate(loop->allocator.context, NULL, 0, size);
}

void tow_release(tow_loop *loop, void *memory, size_t size) {
  if (memory) loop->allocator.reallocate(loop->allocator.context, memory, size, 0);
}

/* The allocator is told sizes, a user is not asked for them: they stand before the block. */
typedef union header {
  size_t size;
  max_align_t align;
} header;

void *tow_loop_alloc(tow_loop *loop, size_t size) {
  if (size > SIZE_MAX - sizeof(header)) return NULL;
  header *block = tow_allocate(loop, sizeof(header) + size);
  if (!block) return NULL;
  block->size = size;
  return block + 1;
}

void tow_loop_free(tow_loop *loop, void *memory) {
  if (!memory) return;
  header *block = (header *)memory - 1;
  tow_release(loop, block, sizeof(header) + block->size);
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

void tow_report_error(tow_loop *loop, const char *callback, tow_transport *transport, const tow_error *error) {
  if (loop->handler)
    loop->handler(loop->handler_context, callback, transport, error);
  else
    tow_host_warn(loop, error->message);
}

void tow_report(tow_loop *loop, const char *callback, tow_transport *transport, int native) {
  tow_error error = {TOW_ECALLBACK, native, tow_error_text(TOW_ECALLBACK)};
  tow_report_error(loop, callback, transport, &error);
}

/* ---- Life ---- */

tow_loop *tow_host_new_loop(const tow_loop_host *table, void *host, tow_allocator allocator) {
  tow_loop *loop = allocator.reallocate(allocator.context, NULL, 0, sizeof *loop);
  if (!loop) return NULL;
  *loop = (tow_loop){.table = table, .host = host, .allocator = allocator, .references = 1};
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

/* Each of these has its node in the ready list, so every generation brings it further. */
static bool has_business(const tow_loop *loop) {
  if (!tow_list_is_empty(&loop->requests)) return true;
  for (const tow_node *node = loop->transports.next; node != &loop->transports; node = node->next)
    if (!tow_list_is_empty(&TOW_OWNER(node, tow_transport, open)->ready)) return true;
  return false;
}

void tow_host_close_loop(tow_loop *loop) {
  if (loop->depth > 0 || loop->closing) return;
  loop->closing = true;
  tow_close_requests(loop);
  for (tow_node *node = loop->transports.next; node != &loop->transports; node = node->next) {
    tow_transport *t = TOW_OWNER(node, tow_transport, open);
    if (t->abilities & TOW_RUNS_PROCESS)
      tow_process_abandon((tow_process *)t);
    else
      tow_transport_abort(t);
  }
  while (has_business(loop))
    tow_host_run_ready(loop);
  while (!tow_list_is_empty(&loop->ready))
    tow_handle_cancel(TOW_OWNER(loop->ready.next, tow_handle, node));
  for (tow_handle *handle; (handle = tow_timers_pop(loop, INFINITY));)
    handle->loop = NULL;
  loop->table->set_timer(loop->host, INFINITY);
}

size_t tow_host_connections(const tow_loop *loop) {
  size_t n = 0;
  for (const tow_node *node = loop->transports.next; node != &loop->transports; node = node->next)
    n++;
  return n;
}

void tow_host_free_loop(tow_loop *loop) {
  tow_release(loop, loop->slab, TOW_SLAB_SIZE);
  tow_release(loop, loop->cork, TOW_CORK_SIZE);
  if (loop->spare) tow_release(loop, loop->spare, sizeof *loop->spare + loop->spare->capacity);
  loop->log = NULL;
  loop->handler = NULL;
  tow_unref_loop(loop);
}

void tow_unref_loop(tow_loop *loop) {
  if (--loop->references == 0) tow_release(loop, loop, sizeof *loop);
}
