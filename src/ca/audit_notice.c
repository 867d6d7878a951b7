/* Notices against their events: what the book says was sent (or came back) an event tells, in the words of
 * the relay; and what an event tells was sent has its row. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/audit_internal.h"

static const struct store_sql sql[] = {
    {"audit.notice.rows", "SELECT id, subject, recipient, batch, status, said FROM notice WHERE id > ?1 "
                          "ORDER BY id LIMIT 500"},
    {"audit.notice.event", "SELECT body FROM event WHERE subject = ?1 AND kind || '' = ?2"},
    {"audit.notice.events", "SELECT chain, sequence, body FROM event WHERE (chain, sequence) > (?1, "
                            "?2) AND kind || '' = 'notice.sent' ORDER BY chain, sequence LIMIT 500"},
    {"audit.notice.row", "SELECT status, subject FROM notice WHERE id = ?1"},
};
enum { SQL_ROWS, SQL_EVENT, SQL_EVENTS, SQL_ROW };
const struct store_sql *const ca_audit_notice_sql = sql;
const size_t ca_audit_notice_sql_count = LT_COUNT(sql);

enum { PAGE = 500, TEXT_MAX = 512, ARENA_MAX = 16 * 1024 * 1024 };

struct notice {
    int64_t id;
    const char *subject; /* of its events */
    const char *to;
    const char *status;
    const char *said;
};

/* Where the member is found as the registrar writes it. */
static bool has(lt_slice body, const char *name, lt_slice json)
{
    struct lt_buf member;
    lt_buf_init(&member, 64 * 1024);
    lt_buf_addf(&member, "\"%s\":", name);
    lt_buf_add(&member, json);
    lt_slice wanted = lt_buf_slice(&member);
    bool found = false;
    for (size_t at = 0; !found && at + wanted.len <= body.len; at++) {
        found = memcmp(body.ptr + at, wanted.ptr, wanted.len) == 0;
    }
    lt_buf_done(&member);
    return found;
}

static bool has_text(lt_slice body, const char *name, const char *value)
{
    struct lt_buf json;
    lt_buf_init(&json, 32 * 1024);
    lt_json_add_string(&json, lt_slice_cstr(value));
    bool found = has(body, name, lt_buf_slice(&json));
    lt_buf_done(&json);
    return found;
}

/* Of a body; 0: none. */
static int64_t number_of(lt_slice body)
{
    static const char name[] = "\"notice\":";
    uint64_t id = 0;
    for (size_t at = 0; at + sizeof name <= body.len; at++) {
        if (memcmp(body.ptr + at, name, sizeof name - 1) == 0) {
            lt_slice rest = lt_slice_sub(body, at + sizeof name - 1, SIZE_MAX);
            size_t digits = 0;
            while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9') {
                digits++;
            }
            rest = lt_slice_sub(rest, 0, digits);
            return lt_failed(lt_parse_u64(rest, INT64_MAX, &id)) ? 0 : (int64_t)id;
        }
    }
    return 0;
}

/* ret_found: there is one of that kind about it. ret_same: it has the same words for the same address. */
static lt_res look(struct ca_audit *a, const struct notice *n, const char *kind, bool *ret_found,
                   bool *ret_same)
{
    struct store_rows rows;
    *ret_found = false;
    *ret_same = false;
    LT_TRY(store_query(a->store, &sql[SQL_EVENT], STORE_ARGS(STORE_S(n->subject), STORE_S(kind)), &rows));
    while (store_next(&rows)) {
        lt_slice body = store_bytes(&rows, 0);
        bool found = number_of(body) == n->id;
        *ret_found = *ret_found || found;
        *ret_same = *ret_same || (found && has_text(body, "said", n->said) && has_text(body, "to", n->to));
    }
    return store_rows_end(&rows);
}

/* ---- rows ---- */

static lt_res check_row(struct ca_audit *a, const struct notice *n)
{
    static const char *const ended[] = {"sent", "bounced", "refused", "withdrawn"};
    char subject[TEXT_MAX];
    char kind[TEXT_MAX];
    bool found = false;
    bool same = false;
    bool ends = false;
    for (size_t i = 0; i < LT_COUNT(ended); i++) {
        ends = ends || strcmp(n->status, ended[i]) == 0;
    }
    if (!ends) {
        return LT_OK;
    }
    (void)snprintf(subject, sizeof subject, "notice %" PRId64, n->id);
    (void)snprintf(kind, sizeof kind, "notice.%s", n->status);
    LT_TRY(look(a, n, kind, &found, &same));
    if (!found) {
        ca_audit_finding(a, "notice", subject, "no event %s tells of it", kind);
    } else if (!same) {
        ca_audit_finding(a, "notice", subject, "event %s has another address, or other words of the relay",
                         kind);
    }
    return LT_OK;
}

static lt_res check_rows(struct ca_audit *a, struct lt_arena *arena)
{
    int64_t after = 0;
    size_t count = 0;
    do {
        struct notice list[PAGE];
        struct store_rows rows;
        count = 0;
        lt_arena_reset(arena);
        LT_TRY(store_query(a->store, &sql[SQL_ROWS], STORE_ARGS(STORE_I(after)), &rows));
        while (count < PAGE && store_next(&rows)) {
            struct notice *n = &list[count];
            bool many = store_int(&rows, 3) != 0; /* one of many: its events are about itself */
            n->id = store_int(&rows, 0);
            n->subject = many ? lt_arena_printf(arena, "notice %" PRId64, n->id)
                              : lt_arena_cstr(arena, store_bytes(&rows, 1));
            n->to = lt_arena_cstr(arena, store_bytes(&rows, 2));
            n->status = lt_arena_cstr(arena, store_bytes(&rows, 4));
            n->said = lt_arena_cstr(arena, store_bytes(&rows, 5));
            after = n->id;
            count += n->subject != NULL && n->to != NULL && n->status != NULL && n->said != NULL ? 1 : 0;
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            LT_TRY(check_row(a, &list[i]));
        }
    } while (count > 0);
    return LT_OK;
}

/* ---- events ---- */

struct told {
    const char *chain;
    int64_t sequence;
    int64_t notice;
};

static lt_res check_event(struct ca_audit *a, const struct told *e)
{
    char subject[TEXT_MAX];
    char of[TEXT_MAX] = "";
    struct notice n = {.id = e->notice, .subject = of, .to = "", .said = ""};
    struct store_rows rows;
    bool there = false;
    bool waits = false;
    (void)snprintf(subject, sizeof subject, "notice %" PRId64, e->notice);
    LT_TRY(store_query(a->store, &sql[SQL_ROW], STORE_ARGS(STORE_I(e->notice)), &rows));
    if (store_next(&rows)) {
        there = true;
        waits = lt_slice_eq_cstr(store_bytes(&rows, 0), "queued");
        (void)snprintf(of, sizeof of, "%s", store_cstr(&rows, 1));
    }
    LT_TRY(store_rows_end(&rows));
    if (!there) {
        ca_audit_finding(a, "notice", subject, "an event tells that it was sent, and its row is gone");
    } else if (waits) { /* once more, by hand, has its event */
        bool same = false;
        bool again = false;
        LT_TRY(look(a, &n, "notice.again", &again, &same));
        if (!again) {
            ca_audit_finding(a, "notice", subject,
                             "an event tells that it was sent, and its row that it waits");
        }
    }
    return LT_OK;
}

static lt_res check_events(struct ca_audit *a, struct lt_arena *arenas)
{
    struct told last = {.chain = "", .sequence = 0};
    size_t count = 0;
    size_t turn = 0; /* where the last page stands is read while the next is made */
    do {
        struct told list[PAGE];
        struct store_rows rows;
        struct lt_arena *arena = &arenas[turn];
        turn = 1 - turn;
        count = 0;
        lt_arena_reset(arena);
        LT_TRY(store_query(a->store, &sql[SQL_EVENTS],
                           STORE_ARGS(STORE_S(last.chain), STORE_I(last.sequence)), &rows));
        while (count < PAGE && store_next(&rows)) {
            struct told *e = &list[count];
            *e = (struct told){lt_arena_cstr(arena, store_bytes(&rows, 0)), store_int(&rows, 1),
                               number_of(store_bytes(&rows, 2))};
            count += e->chain != NULL ? 1 : 0;
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            LT_TRY(check_event(a, &list[i]));
        }
        last = count > 0 ? list[count - 1] : last;
    } while (count > 0);
    return LT_OK;
}

lt_res ca_audit_notices(struct ca_audit *a)
{
    struct lt_arena arenas[2];
    lt_arena_init(&arenas[0], ARENA_MAX);
    lt_arena_init(&arenas[1], ARENA_MAX);
    lt_res r = check_rows(a, &arenas[0]);
    r = lt_failed(r) ? r : check_events(a, arenas);
    lt_arena_done(&arenas[0]);
    lt_arena_done(&arenas[1]);
    return r;
}
