/* call_later and call_at [T2]: a pairing heap of handles.
 *
 * Each handle is the root of a heap: its children hang from `child`, siblings are linked by next and previous, and the
 * first child's previous is its parent. Melding two heaps makes the later root a child of the earlier. Arming is one
 * meld; taking a handle out melds its children pair by pair, then the pairs from last to first, which keeps later
 * removals O(log n) on average. Nothing is allocated, and any handle can be taken out without a search. Equal times go
 * by the order of the calls. */
#include "core.h"

#include <math.h>

static tow_handle *next_of(const tow_handle *h) {
  return (tow_handle *)(void *)h->node.next;
}

static void set_next(tow_handle *h, tow_handle *next) {
  h->node.next = next ? &next->node : NULL;
  if (next) next->node.previous = &h->node;
}

static bool is_earlier(const tow_handle *a, const tow_handle *b) {
  return a->when < b->when || (a->when == b->when && a->order < b->order);
}

static inline tow_handle *meld(tow_handle *a, tow_handle *b) {
  if (!a) return b;
  if (!b) return a;
  if (is_earlier(b, a)) {
    tow_handle *swap = a;
    a = b;
    b = swap;
  }
  set_next(b, a->child);
  a->child = b;
  b->node.previous = &a->node;
  return a;
}

static TOW_APART tow_handle *meld_pairs(tow_handle *parent) {
  tow_handle *pairs = NULL; /* linked by next, last pair first */
  for (tow_handle *child = parent->child; child;) {
    tow_handle *other = next_of(child);
    tow_handle *rest = other ? next_of(other) : NULL;
    child->node.next = NULL;
    if (other) other->node.next = NULL;
    tow_handle *pair = meld(child, other);
    pair->node.next = pairs ? &pairs->node : NULL;
    pairs = pair;
    child = rest;
  }
  tow_handle *heap = NULL;
  while (pairs) {
    tow_handle *rest = next_of(pairs);
    pairs->node.next = NULL;
    heap = meld(heap, pairs);
    pairs = rest;
  }
  return heap;
}

static inline tow_handle *meld_children(tow_handle *parent) {
  tow_handle *only = parent->child; /* as it is when a timer is due that was armed last */
  return !only || !only->node.next ? only : meld_pairs(parent);
}

static bool is_due(const tow_loop *loop, double now) {
  return loop->timers && loop->timers->when <= now;
}

/* The earliest, taken out, if it is due at `now`. */
static inline tow_handle *pop(tow_loop *loop, double now) {
  if (!is_due(loop, now)) return NULL;
  tow_handle *first = loop->timers;
  loop->timers = meld_children(first);
  return first;
}

/* Tells the host when the next one is due. */
static void tell(tow_loop *loop) {
  loop->table->set_timer(loop->host, loop->timers ? loop->timers->when : INFINITY);
}

static void take_out(tow_loop *loop, tow_handle *handle) {
  tow_handle *before = (tow_handle *)(void *)handle->node.previous, *next = next_of(handle);
  if (before->child == handle) {
    before->child = next;
    if (next) next->node.previous = &before->node;
  } else {
    set_next(before, next);
  }
  handle->node.next = NULL;
  loop->timers = meld(loop->timers, meld_children(handle));
}

/* The loop's `forget_timer`: one of them, or all. */
static void forget(tow_loop *loop, tow_handle *handle) {
  if (!handle) {
    while ((handle = pop(loop, INFINITY)))
      handle->loop = NULL;
  } else if (handle == loop->timers) {
    pop(loop, INFINITY);
  } else {
    take_out(loop, handle);
    return;
  }
  tell(loop);
}

static inline void run(tow_loop *loop, tow_handle *handle) {
  handle->loop = NULL;
  tow_enter(loop);
  int result = handle->callback(handle->context);
  if (result < 0)
    tow_left(loop, NULL, "call_later", result);
  else
    tow_leave(loop);
}

static void run_node(tow_loop *loop, tow_node *node) {
  run(loop, TOW_OWNER(node, tow_handle, node));
}

static TOW_APART void run_several(tow_loop *loop, tow_handle *due, double now) {
  for (; due; due = pop(loop, now)) {
    due->node.run = run_node;
    tow_list_add(&loop->running, &due->node);
  }
  tow_run_all(loop);
}

void tow_host_run_timers(tow_loop *loop) {
  if (!tow_list_is_empty(&loop->running)) return;
  double now = loop->table->now(loop->host);
  tow_handle *due = pop(loop, now);
  if (due && !is_due(loop, now))
    run(loop, due); /* one, as is usual: no list is needed */
  else
    run_several(loop, due, now);
  tell(loop);
}

/* Puts in the heap what tow_prepare has filled in. */
static inline void arm(tow_loop *loop, tow_handle *handle, double when) {
  handle->node.run = NULL;
  handle->node.next = NULL;
  handle->child = NULL;
  handle->when = when;
  handle->order = ++loop->order;
  if (!loop->timers) loop->forget_timer = forget;
  loop->timers = meld(loop->timers, handle);
  if (loop->timers == handle) tell(loop);
}

void tow_loop_call_at(tow_loop *loop, tow_handle *handle, double when, int (*callback)(void *), void *context) {
  if (tow_prepare(loop, handle, callback, context)) arm(loop, handle, when == when ? when : 0);
}

void tow_loop_call_later(tow_loop *loop, tow_handle *handle, double delay, int (*callback)(void *), void *context) {
  if (tow_prepare(loop, handle, callback, context))
    arm(loop, handle, loop->table->now(loop->host) + (delay > 0 ? delay : 0));
}
