/* Calls from other threads. */
#include "scene.h"

#include <pthread.h>

enum { THREADS = 4, POSTS = 2000 };

typedef struct poster {
  tow_loop *loop;
  pthread_t thread;
  struct post {
    struct poster *poster;
    int number;
  } posts[POSTS];
  int seen;
  bool ordered, failed;
} poster;

static int receive(void *context) {
  struct post *p = context;
  if (p->number != p->poster->seen++) p->poster->ordered = false;
  return p->number == 5 ? -5 : 0;
}

static void *post(void *context) {
  poster *p = context;
  for (int i = 0; i < POSTS; i++) {
    p->posts[i] = (struct post){p, i};
    if (tow_loop_call_soon_threadsafe(p->loop, receive, &p->posts[i]) < 0) p->failed = true;
  }
  return NULL;
}

static int seen(const poster *p) {
  return p[0].seen + p[1].seen + p[2].seen + p[3].seen;
}

static void threads(scene *s) {
  poster *p = calloc(THREADS, sizeof *p);
  for (int i = 0; i < THREADS; i++) {
    p[i].loop = s->loop;
    p[i].ordered = true;
    pthread_create(&p[i].thread, NULL, post, &p[i]);
  }
  scene_begin_wait(s);
  while (seen(p) < THREADS * POSTS && scene_wait(s)) {
  }
  bool good = seen(p) == THREADS * POSTS;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(p[i].thread, NULL);
    good = good && p[i].ordered && !p[i].failed;
  }
  free(p);
  CHECK(s, good);
  CHECK(s, s->reports == THREADS);
}

/* Posted, with nothing else to run for; and left over when the loop closes. */
static void posts_alone(scene *s) {
  poster *p = calloc(1, sizeof *p);
  p->loop = s->loop;
  p->ordered = true;
  post(p);
  bool more = tow_uv_run(s->loop);
  bool good = !more && p->ordered && p->seen == POSTS;
  post(p);
  tow_uv_loop_close(s->loop);
  s->loop = NULL;
  free(p);
  CHECK(s, good);
}

const test post_tests[] = {
    {"T6 call_soon_threadsafe from 4 threads, in order", threads},
    {"T6 posts alone keep the loop; those left are freed", posts_alone},
    {NULL, NULL},
};
