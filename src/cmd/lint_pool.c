/* Workers over a ring of slots. A slot is a handful of file names on its way in, and what is to be printed of
 * them on its way out; whoever holds it is alone with it. The thread that walks fills slots in the order of
 * the inputs and prints them in that order, so nothing piles up: when the ring is full it waits for the
 * oldest. */
#include "cmd/lint.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOT_FILES = 16,
    SLOTS_EACH = 4,
    THREADS_MAX = 64,
    KEEP_MAX = 4 * 1024 * 1024,
    NAMES_MAX = 1024 * 1024
};

struct slot {
    struct lt_buf names; /* NUL-terminated; an error when the first byte is 1: "\1path\0why\0" */
    size_t files;
    struct cmd_lint_out out;
    bool ready; /* to be printed; under the lock */
};

struct cmd_lint_pool {
    const struct cmd_lint *job; /* borrowed */
    struct slot *slots;
    size_t slot_count;
    size_t head; /* slots handed to workers: counts on, the slot is head % slot_count; under the lock */
    size_t next; /* taken by workers; under the lock */
    size_t tail; /* printed; the walking thread's own */
    bool closed; /* under the lock */
    size_t threads;
    pthread_t ids[THREADS_MAX];
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t done;
    struct cmd_lint_tally tally;
    struct cmd_lint_progress progress;
};

static void judge_slot(struct cmd_lint_worker *w, struct slot *s)
{
    lt_slice names = lt_buf_slice(&s->names);
    lt_slice name;
    while (lt_slice_split(&names, 0, &name)) {
        if (name.len > 0 && name.ptr[0] == 1) {
            lt_slice why;
            (void)lt_slice_split(&names, 0, &why); /* stands behind each of these */
            s->out.tally.files++;
            cmd_lint_complain(w->job, &s->out, (const char *)lt_slice_sub(name, 1, SIZE_MAX).ptr, "io",
                              (const char *)why.ptr);
        } else if (name.len > 0) {
            cmd_lint_file(w, (const char *)name.ptr, &s->out);
        }
    }
}

static struct slot *take(struct cmd_lint_pool *p)
{
    struct slot *s = NULL;
    (void)pthread_mutex_lock(&p->lock); /* of a plain mutex: cannot fail */
    while (p->next == p->head && !p->closed) {
        (void)pthread_cond_wait(&p->work, &p->lock);
    }
    if (p->next < p->head) {
        s = &p->slots[p->next++ % p->slot_count];
    }
    (void)pthread_mutex_unlock(&p->lock);
    return s;
}

static void *work(void *context)
{
    struct cmd_lint_pool *p = context;
    struct cmd_lint_worker w;
    cmd_lint_worker_init(&w, p->job);
    for (struct slot *s = take(p); s != NULL; s = take(p)) {
        judge_slot(&w, s);
        (void)pthread_mutex_lock(&p->lock);
        s->ready = true;
        (void)pthread_cond_signal(&p->done);
        (void)pthread_mutex_unlock(&p->lock);
    }
    cmd_lint_worker_done(&w);
    return NULL;
}

struct cmd_lint_pool *cmd_lint_pool_new(const struct cmd_lint *job, size_t threads)
{
    struct cmd_lint_pool *p = calloc(1, sizeof(*p));
    LT_ASSERT(p != NULL && threads > 0);
    p->job = job;
    p->threads = threads < THREADS_MAX ? threads : THREADS_MAX;
    p->slot_count = p->threads * SLOTS_EACH + 1;
    p->slots = calloc(p->slot_count, sizeof(p->slots[0]));
    LT_ASSERT(p->slots != NULL);
    for (size_t i = 0; i < p->slot_count; i++) {
        lt_buf_init(&p->slots[i].names, NAMES_MAX);
        cmd_lint_out_init(&p->slots[i].out);
    }
    (void)pthread_mutex_init(&p->lock, NULL); /* these cannot fail on Linux */
    (void)pthread_cond_init(&p->work, NULL);
    (void)pthread_cond_init(&p->done, NULL);
    cmd_lint_progress_init(&p->progress);
    return p;
}

static void join(struct cmd_lint_pool *p)
{
    if (!p->started) {
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->closed = true;
    (void)pthread_cond_broadcast(&p->work);
    (void)pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->threads; i++) {
        (void)pthread_join(p->ids[i], NULL); /* ours, and joined once */
    }
    p->started = false;
}

void cmd_lint_pool_free(struct cmd_lint_pool *p)
{
    join(p);
    for (size_t i = 0; i < p->slot_count; i++) {
        lt_buf_done(&p->slots[i].names);
        cmd_lint_out_done(&p->slots[i].out);
    }
    (void)pthread_cond_destroy(&p->work);
    (void)pthread_cond_destroy(&p->done);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->slots);
    free(p);
}

static void add_tally(struct cmd_lint_tally *sum, const struct cmd_lint_tally *t)
{
    sum->files += t->files;
    sum->objects += t->objects;
    sum->unreadable += t->unreadable;
    sum->failed += t->failed;
    for (size_t i = 0; i < LINT_STATUS_COUNT; i++) {
        sum->worst[i] += t->worst[i];
        sum->findings[i] += t->findings[i];
    }
}

static void empty(struct lt_buf *b)
{
    if (b->size > KEEP_MAX) {
        lt_buf_done(b);
    }
    lt_buf_reset(b);
}

/* What a slot has to say, and room for the next. */
static lt_res print_slot(struct cmd_lint_pool *p, struct slot *s)
{
    lt_slice text = lt_buf_slice(&s->out.text);
    lt_slice errors = lt_buf_slice(&s->out.errors);
    lt_res r = lt_buf_check(&s->out.text);
    add_tally(&p->tally, &s->out.tally);
    if (errors.len > 0 || (text.len > 0 && p->progress.output_there)) {
        cmd_lint_progress_clear(&p->progress);
    }
    if (!lt_failed(r) && text.len > 0) {
        r = cmd_print(text);
    }
    if (errors.len > 0) {
        (void)fwrite(errors.ptr, 1, errors.len, stderr); /* there is nowhere else to say it */
    }
    empty(&s->out.text);
    empty(&s->out.errors);
    lt_buf_reset(&s->names);
    s->out.tally = (struct cmd_lint_tally){.files = 0};
    s->files = 0;
    s->ready = false;
    cmd_lint_progress_show(&p->progress, &p->tally);
    return r;
}

/* The oldest slot that is with the workers. */
static lt_res wait_oldest(struct cmd_lint_pool *p)
{
    struct slot *s = &p->slots[p->tail % p->slot_count];
    (void)pthread_mutex_lock(&p->lock);
    while (!s->ready) {
        (void)pthread_cond_wait(&p->done, &p->lock);
    }
    (void)pthread_mutex_unlock(&p->lock);
    p->tail++;
    return print_slot(p, s);
}

static lt_res start(struct cmd_lint_pool *p)
{
    for (size_t i = 0; i < p->threads; i++) {
        int error = pthread_create(&p->ids[i], NULL, work, p);
        if (error != 0) {
            p->threads = i;
            p->started = i > 0;
            LT_CHECK(i > 0, LT_STATE_IO, "no thread can be started: %s; try --jobs 1", strerror(error));
            return LT_OK; /* fewer will do */
        }
    }
    p->started = true;
    return LT_OK;
}

/* The slot that is being filled goes to the workers. */
static lt_res hand_over(struct cmd_lint_pool *p)
{
    if (!p->started) {
        LT_TRY(start(p));
    }
    (void)pthread_mutex_lock(&p->lock);
    p->head++;
    (void)pthread_cond_signal(&p->work);
    (void)pthread_mutex_unlock(&p->lock);
    return p->head - p->tail == p->slot_count ? wait_oldest(p) : LT_OK;
}

lt_res cmd_lint_pool_add(struct cmd_lint_pool *p, const char *path)
{
    struct slot *s = &p->slots[p->head % p->slot_count];
    if (s->files == SLOT_FILES) { /* only now: few files need no thread */
        LT_TRY(hand_over(p));
        s = &p->slots[p->head % p->slot_count];
    }
    lt_buf_add_cstr(&s->names, path[0] == 1 ? "./" : ""); /* no path is taken for an error */
    lt_buf_add(&s->names, LT_SLICE(path, strlen(path) + 1));
    s->files++;
    return LT_OK;
}

lt_res cmd_lint_pool_bad(struct cmd_lint_pool *p, const char *path, const char *why)
{
    struct slot *s = &p->slots[p->head % p->slot_count];
    if (s->files == SLOT_FILES) {
        LT_TRY(hand_over(p));
        s = &p->slots[p->head % p->slot_count];
    }
    lt_buf_add_byte(&s->names, 1);
    lt_buf_add(&s->names, LT_SLICE(path, strlen(path) + 1));
    lt_buf_add(&s->names, LT_SLICE(why, strlen(why) + 1));
    s->files++;
    return LT_OK;
}

/* No more than one slot was filled: this thread does it. */
static lt_res judge_alone(struct cmd_lint_pool *p)
{
    struct cmd_lint_worker w;
    struct slot *s = &p->slots[p->head % p->slot_count];
    cmd_lint_worker_init(&w, p->job);
    judge_slot(&w, s);
    cmd_lint_worker_done(&w);
    return print_slot(p, s);
}

lt_res cmd_lint_pool_finish(struct cmd_lint_pool *p, struct cmd_lint_tally *ret_tally)
{
    lt_res r = LT_OK;
    if (!p->started) {
        r = judge_alone(p);
    } else if (p->slots[p->head % p->slot_count].files > 0) {
        r = hand_over(p);
    }
    while (p->tail < p->head) {
        lt_res one = wait_oldest(p);
        r = lt_failed(r) ? r : one;
    }
    join(p);
    cmd_lint_progress_clear(&p->progress);
    *ret_tally = p->tally;
    return r;
}

void cmd_lint_pool_total(struct cmd_lint_pool *p, size_t total)
{
    p->progress.total = total;
}
