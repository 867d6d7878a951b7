/* The pages of a frozen list: short rows, a hundred thousand in an answer. */
#include <pthread.h>
#include <stdio.h>

#include "base/text.h"
#include "cmd/incident_report.h"

enum { PATH_SIZE = 1024, ANSWER_ARENA = 64 * 1024 * 1024, PAGES_AHEAD = 2 };

/* A page on its way: asked for by a thread of its own while the one before is written. It shares nothing but
 * what nobody changes. */
struct page {
    struct cmd c; /* with an arena that goes with the page */
    pthread_t id;
    char path[PATH_SIZE];
    lt_slice rows; /* in the arena */
    size_t size;   /* of a row */
    int64_t pages;
    lt_time end;
    lt_res result;
    struct lt_error why;
};

static lt_res fetch(struct page *p)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(cmd_api_get(&p->c, p->path, &answer));
    p->size = (size_t)cmd_int(answer, "row");
    p->pages = cmd_int(answer, "pages");
    p->end = incident_fact_time(answer, "end");
    LT_TRY(lt_unbase64(&p->c.arena, lt_slice_cstr(cmd_text(answer, "rows")), &p->rows));
    LT_CHECK(p->size >= CMD_INCIDENT_ROW && p->size <= CMD_INCIDENT_ROW + 21 && p->rows.len % p->size == 0,
             LT_STATE_CORRUPT, "rows of %zu bytes", p->size);
    return LT_OK;
}

static void *fetch_beside(void *context)
{
    struct page *p = context;
    p->result = fetch(p);
    p->why = *lt_error_last(); /* of this thread */
    return NULL;
}

static void begin_page(struct cmd *c, const struct incident_listing *l, bool serials, int64_t number,
                       struct page *p)
{
    *p = (struct page){.c = *c};
    lt_arena_init(&p->c.arena, ANSWER_ARENA);
    (void)snprintf(p->path, sizeof p->path, "incidents/%s/report/members?by=%s&version=%lld%s", l->id,
                   l->token, (long long)number, serials ? "&evidence=1" : "");
    LT_ASSERT(pthread_create(&p->id, NULL, fetch_beside, p) == 0);
}

static lt_res end_page(struct page *p)
{
    LT_ASSERT(pthread_join(p->id, NULL) == 0);
    return lt_failed(p->result) ? lt_fail(p->result.code, p->why.file, p->why.line, "%s", p->why.detail)
                                : LT_OK;
}

/* Two pages are on their way while one is written: one that the reader makes, one that comes. */
lt_res cmd_incident_pages(struct cmd *c, const struct incident_listing *l, bool serials,
                          void (*take)(void *self, lt_slice rows, size_t size, lt_time end), void *self)
{
    struct page ring[PAGES_AHEAD + 1];
    lt_res r = LT_OK;
    int64_t begun = 0;
    int64_t pages = 1; /* until the first has said */
    for (int64_t n = 1; n <= begun || (n <= pages && !lt_failed(r)); n++) {
        while (begun < n + PAGES_AHEAD && (begun < pages || begun < PAGES_AHEAD) && !lt_failed(r)) {
            begun++;
            begin_page(c, l, serials, begun, &ring[begun % (PAGES_AHEAD + 1)]);
        }
        struct page *p = &ring[n % (PAGES_AHEAD + 1)];
        lt_res ended = end_page(p);
        r = lt_failed(r) ? r : ended;
        if (!lt_failed(r)) {
            pages = p->pages;
            take(self, p->rows, p->size, p->end);
        }
        lt_arena_done(&p->c.arena);
    }
    return r;
}
