/* Pages of endpoints. */
#include "role/reader_endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "usage.pb-c.h"

enum {
    NAMES_MAX = 2000,
    MOST_MAX = 1000,
    CERTIFICATES_MAX = 1000,
    SERIAL_MAX = 20,
    ARENA_MAX = 4 * 1024 * 1024
};

static const struct store_sql sql_names = {
    "reader.endpoint-names",
    "SELECT name FROM certificate_name WHERE issuer = ?1 AND serial = ?2 AND copy = 0 AND "
    "(type = 'dns' OR type = 'ip') LIMIT 1000"};

struct page {
    struct store *store;
    struct lt_arena arena;
    char *names[NAMES_MAX];
    size_t count;
    size_t most;
    uint64_t certificates;
    int64_t last_issuer;
    uint8_t last_serial[SERIAL_MAX];
    size_t last_len;
};

/* All of the next certificate's, or none of them: then it is the next page's. */
static lt_res take(void *self, int64_t issuer, lt_slice serial, bool *ret_taken)
{
    struct page *p = self;
    struct store_rows rows;
    size_t count = p->count;
    bool fits = count < p->most && p->certificates < CERTIFICATES_MAX;
    *ret_taken = fits;
    if (!fits) {
        return LT_OK;
    }
    LT_TRY(store_query(p->store, &sql_names, STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    while (fits && store_next(&rows)) {
        lt_slice name = store_bytes(&rows, 0);
        if (!lt_slice_ends(name, LT_LIT(".*"))) {
            p->names[count] = lt_arena_cstr(&p->arena, name);
            fits = p->names[count++] != NULL && count < NAMES_MAX;
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(fits, LT_PEER_TOO_LARGE, "the names of a certificate are over the limit");
    p->count = count;
    p->certificates++;
    p->last_issuer = issuer;
    p->last_len = serial.len;
    memcpy(p->last_serial, serial.ptr, serial.len);
    return LT_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void drop_doubles(struct page *p)
{
    size_t kept = 0;
    if (p->count > 1) {
        qsort(p->names, p->count, sizeof p->names[0], by_text);
    }
    for (size_t i = 0; i < p->count; i++) {
        if (kept == 0 || strcmp(p->names[kept - 1], p->names[i]) != 0) {
            p->names[kept++] = p->names[i];
        }
    }
    p->count = kept;
}

static lt_res read_page(struct reader_members *members, const Ipc__EndpointsWanted *q, struct page *p,
                        Ipc__Endpoints *body)
{
    Ipc__MembersWanted wanted = IPC__MEMBERS_WANTED__INIT;
    wanted.mass = q->scan;
    wanted.scope = q->scope;
    wanted.as_of_us = q->as_of_us;
    wanted.after_issuer = q->after_issuer;
    wanted.after_serial = q->after_serial;
    wanted.count_only = q->count_only;
    if (q->count_only) {
        int64_t count = 0;
        LT_TRY(reader_members_count(members, &wanted, &count));
        body->count = (uint64_t)count;
        return LT_OK;
    }
    bool last = false;
    LT_TRY(reader_members_each(members, &wanted, take, p, &last));
    drop_doubles(p);
    body->last = last;
    body->names = p->names;
    body->n_names = p->count;
    body->certificates = p->certificates;
    body->last_issuer = p->certificates > 0 ? p->last_issuer : q->after_issuer;
    body->last_serial = p->certificates > 0 ? (ProtobufCBinaryData){p->last_len, p->last_serial}
                                            : q->after_serial;
    return LT_OK;
}

lt_res reader_endpoints_asked(struct reader_members *members, struct store *store, struct role_kit *kit,
                              const struct ipc_msg *m)
{
    const Ipc__EndpointsWanted *q = (const Ipc__EndpointsWanted *)(const void *)m->body;
    Ipc__Endpoints body = IPC__ENDPOINTS__INIT;
    static struct page page; /* too large for the stack; of one question */
    char failed[sizeof lt_error_last()->detail] = "";
    LT_CHECK(q->most > 0 && q->most <= MOST_MAX && q->after_serial.len <= SERIAL_MAX, LT_PEER_MALFORMED,
             "a page of %u names", q->most);
    page = (struct page){.store = store, .most = q->most};
    lt_arena_init(&page.arena, ARENA_MAX);
    lt_res r = read_page(members, q, &page, &body);
    if (lt_class_of(r.code) == LT_CLASS_RETRY) {
        lt_log_error("endpoints were not read"); /* the registrar asks again */
        lt_arena_done(&page.arena);
        return LT_OK;
    }
    if (lt_failed(r)) {
        (void)snprintf(failed, sizeof failed, "%s", lt_error_last()->detail);
    }
    body.scan = q->scan;
    body.after_issuer = q->after_issuer;
    body.after_serial = q->after_serial;
    body.count_only = q->count_only;
    body.failed = failed;
    r = role_reply(kit, &m->from, IPC_ENDPOINTS, &body.base);
    lt_arena_done(&page.arena);
    return r.code == LT_RETRY_BUSY || r.code == LT_STATE_CLOSED ? LT_OK : r; /* it asks again */
}
