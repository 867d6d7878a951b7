/* Halts in the book: rows, the list in memory, and the list that the examiner hears each second. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/event.h"
#include "ca/halt.h"
#include "validate/methods.h"

static const struct store_sql sql[] = {
    {"halt.live", "SELECT id, kind, value, reason, operator, since_us FROM halt "
                  "WHERE lifted_us IS NULL ORDER BY id LIMIT 4096"},
    {"halt.add", "INSERT INTO halt (id, kind, value, reason, operator, since_us) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    {"halt.lift", "UPDATE halt SET lifted_us = ?2, lifted_plan = ?3 WHERE id = ?1 AND lifted_us IS NULL"},
    {"halt.account", "SELECT id FROM account WHERE id = ?1"},
    {"halt.incident", "SELECT h.incident, h.status, h.build, h.found, h.counted_us, i.closed_us "
                      "FROM incident_halt h JOIN incident i ON i.id = h.incident WHERE h.halt = ?1"},
};
enum { SQL_LIVE, SQL_ADD, SQL_LIFT, SQL_ACCOUNT, SQL_INCIDENT };
const struct store_sql *const ca_halt_sql = sql;
const size_t ca_halt_sql_count = LT_COUNT(sql);

enum { HALTS_ARENA_MAX = 8 * 1024 * 1024 };

static char *copy(struct ca_book *b, const char *s)
{
    char *p = lt_arena_cstr(&b->halts_arena, lt_slice_cstr(s));
    LT_ASSERT(p != NULL);
    return p;
}

static Ipc__Halt *take(struct ca_book *b, const struct store_rows *row)
{
    Ipc__Halt *h = LT_NEW(&b->halts_arena, Ipc__Halt);
    LT_ASSERT(h != NULL);
    ipc__halt__init(h);
    h->id = copy(b, store_cstr(row, 0));
    h->kind = ca_halt_kind_by_name(store_bytes(row, 1));
    h->value = copy(b, store_cstr(row, 2));
    h->reason = copy(b, store_cstr(row, 3));
    h->operator_ = copy(b, store_cstr(row, 4));
    h->since_us = store_int(row, 5);
    return h;
}

lt_res ca_halt_load(struct ca_book *b)
{
    lt_arena_done(&b->halts_arena);
    lt_arena_init(&b->halts_arena, HALTS_ARENA_MAX);
    b->halt_count = 0;
    b->halts = LT_NEW_ARRAY(&b->halts_arena, Ipc__Halt *, CA_HALTS_MAX);
    LT_ASSERT(b->halts != NULL);
    struct store_rows rows;
    LT_TRY(store_query(b->store, &sql[SQL_LIVE], STORE_NO_ARGS, &rows));
    while (b->halt_count < CA_HALTS_MAX && store_next(&rows)) {
        b->halts[b->halt_count++] = take(b, &rows);
    }
    b->at.halt_version++;
    return store_rows_end(&rows);
}

lt_res ca_halt_send(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    Ipc__HaltList list = IPC__HALT_LIST__INIT;
    list.version = b->at.halt_version;
    list.time_us = t->now.us;
    list.n_halts = b->halt_count;
    list.halts = b->halts;
    list.hold = ca_held(b) != NULL;
    return b->examiner_linked ? ca_turn_send(t, IPC_EXAMINER, IPC_HALT_LIST, 0, &list.base) : LT_OK;
}

static lt_res halt_event(struct ca_turn *t, const char *kind, const Ipc__Halt *h, lt_slice jws)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "id", h->id);
    ca_body_str(&body, "kind", ca_halt_kind_name(h->kind));
    ca_body_str(&body, "value", h->value);
    ca_body_str(&body, "reason", h->reason);
    ca_body_str(&body, "operator", h->operator_);
    char *subject = lt_arena_printf(t->arena, "halt %s", h->id);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, kind, subject, jws);
}

static lt_res account_known(struct ca_turn *t, const char *value)
{
    uint64_t id = 0;
    struct store_rows rows;
    LT_TRY(lt_parse_u64(lt_slice_cstr(value), INT64_MAX, &id));
    LT_TRY(store_query(t->store, &sql[SQL_ACCOUNT], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "no such account: %s", value);
    return LT_OK;
}

/* Who is told "no such profile" during an incident wants the right word at once. */
static lt_res profile_known(const struct ca_turn *t, const char *value)
{
    const struct ca_book *b = t->book;
    struct lt_buf known;
    if (ca_profile_by_name(b, lt_slice_cstr(value)) != NULL) {
        return LT_OK;
    }
    lt_buf_init(&known, 8192);
    for (size_t i = 0; i < b->profiles.count; i++) {
        lt_buf_addf(&known, "%s%s", i == 0 ? "" : ", ", b->rows[i].profile->name);
    }
    lt_res r = lt_fail(LT_PEER_NOT_FOUND, __FILE__, __LINE__, "no such profile: %s; there are %.*s", value,
                       LT_FMT(lt_buf_slice(&known)));
    lt_buf_done(&known);
    return r;
}

static lt_res issuer_known(const struct ca_turn *t, const char *value)
{
    const struct ca_book *b = t->book;
    struct lt_buf known;
    if (ca_issuer_by_name(b, lt_slice_cstr(value)) != NULL) {
        return LT_OK;
    }
    lt_buf_init(&known, 8192);
    for (size_t i = 0; i < b->issuer_count; i++) {
        lt_buf_addf(&known, "%s%s", i == 0 ? "" : ", ", b->issuers[i].name);
    }
    lt_res r = lt_fail(LT_PEER_NOT_FOUND, __FILE__, __LINE__, "no such issuer: %s; there are %.*s", value,
                       LT_FMT(lt_buf_slice(&known)));
    lt_buf_done(&known);
    return r;
}

static lt_res method_known(const char *value)
{
    struct lt_buf known;
    lt_buf_init(&known, 8192);
    const char *last = "";
    bool found = false;
    for (size_t i = 0; i < validate_method_count; i++) {
        const char *name = validate_methods[i].name;
        found = found || strcmp(name, value) == 0;
        if (strcmp(name, last) != 0) { /* a method has a row for each kind of name */
            lt_buf_addf(&known, "%s%s", i == 0 ? "" : ", ", name);
        }
        last = name;
    }
    lt_res r = found ? LT_OK
                     : lt_fail(LT_PEER_NOT_FOUND, __FILE__, __LINE__, "no such method: %s; there are %.*s",
                               value, LT_FMT(lt_buf_slice(&known)));
    lt_buf_done(&known);
    return r;
}

lt_res ca_halt_known(struct ca_turn *t, const Ipc__Halt *h)
{
    LT_TRY(ca_halt_valid(h));
    switch (h->kind) {
    case IPC__HALT_KIND__HALT_PROFILE:
        return profile_known(t, h->value);
    case IPC__HALT_KIND__HALT_ISSUER:
        return issuer_known(t, h->value);
    case IPC__HALT_KIND__HALT_ACCOUNT:
        return account_known(t, h->value);
    case IPC__HALT_KIND__HALT_METHOD:
        return method_known(h->value);
    case IPC__HALT_KIND__HALT_ALL:
    case IPC__HALT_KIND__HALT_NAME_SUFFIX:
    case IPC__HALT_KIND__HALT_NONE:
    case _IPC__HALT_KIND_IS_INT_SIZE:
        break;
    }
    return LT_OK;
}

lt_res ca_halt_add(struct ca_turn *t, const Ipc__Halt *h, lt_slice jws, const char **ret_id)
{
    LT_TRY(ca_halt_valid(h));
    LT_CHECK(t->book->halt_count < CA_HALTS_MAX, LT_PEER_TOO_LARGE, "over %d halts: halt all instead",
             CA_HALTS_MAX);
    Ipc__Halt row = *h;
    if (h->id[0] == 0) {
        row.id = lt_arena_printf(t->arena, "h%lld", (long long)ca_new_id(t));
        LT_ASSERT(row.id != NULL);
    }
    row.since_us = t->now.us;
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_S(row.id), STORE_S(ca_halt_kind_name(row.kind)), STORE_S(row.value),
                                 STORE_S(row.reason), STORE_S(row.operator_), STORE_I(row.since_us)),
                      NULL));
    LT_TRY(halt_event(t, "halt.added", &row, jws));
    LT_TRY(ca_halt_load(t->book));
    *ret_id = row.id;
    return ca_halt_send(t);
}

/* What was stopped for an incident goes on when a fix runs that something fails without, and nothing of the
 * kind was issued since. An incident that is closed has been through this, or was none. */
static lt_res judge_fix(const struct ca_turn *t, const char *id, const struct store_rows *row)
{
    enum { COUNT_LIFE_S = 24 * 3600 };
    long long incident = (long long)store_int(row, 0);
    const char *status = store_cstr(row, 1);
    if (store_int(row, 5) != 0) {
        return LT_OK;
    }
    LT_CHECK(strcmp(status, "halted") != 0, LT_POLICY_REFUSED,
             "halt %s is incident %lld's: first name the build that has the fix, and the rule or test that "
             "fails without it (lintel incident contain %lld --fixed %s)",
             id, incident, incident, id);
    LT_CHECK(strcmp(status, "checking") != 0, LT_RETRY_BUSY,
             "what of incident %lld was issued since is being counted; try again", incident);
    LT_CHECK(
        strcmp(status, "clean") == 0, LT_POLICY_REFUSED,
        "halt %s: %lld certificates of incident %lld were issued in spite of it (-1: nobody could count; "
        "lintel incident show %lld)",
        id, (long long)store_int(row, 3), incident, incident);
    LT_CHECK(strcmp(store_cstr(row, 2), t->book->build) == 0, LT_POLICY_REFUSED,
             "halt %s: the fix is in %s, and here runs %s", id, store_cstr(row, 2), t->book->build);
    LT_CHECK(store_int(row, 4) >= lt_time_add_seconds(t->now, -COUNT_LIFE_S).us, LT_POLICY_REFUSED,
             "halt %s: the scope was run again over a day ago; do it anew (lintel incident contain %lld "
             "--fixed %s)",
             id, incident, id);
    return LT_OK;
}

lt_res ca_halt_may_lift(struct ca_turn *t, const char *id)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(t->store, &sql[SQL_INCIDENT], STORE_ARGS(STORE_S(id)), &rows));
    if (store_next(&rows)) {
        r = judge_fix(t, id, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res ca_halt_lift(struct ca_turn *t, const char *id, const char *plan_id)
{
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_LIFT], STORE_ARGS(STORE_S(id), STORE_I(t->now.us), STORE_S(plan_id)),
                      &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "no halt %s is in force", id);
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "id", id);
    ca_body_str(&body, "plan", plan_id);
    char *subject = lt_arena_printf(t->arena, "halt %s", id);
    LT_ASSERT(subject != NULL);
    LT_TRY(ca_body_event(&body, t, "halt.lifted", subject, LT_SLICE(NULL, 0)));
    LT_TRY(ca_halt_load(t->book));
    return ca_halt_send(t);
}
