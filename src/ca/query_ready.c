/* Readiness of subscribers: listed by tier, shown whole, and as the list of those whom somebody must call. */
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"
#include "ca/ready_tier.h"
#include "ca/viewer.h"
#include "x509/dnsname.h"

#define COLUMNS                                                                                           \
    "SELECT y.account, y.tier, y.since_us, y.lapse_us, y.manual, y.client, y.client_us, y.polls, "        \
    "y.polled_us, y.renewals, y.renewed_us, y.told_us, y.terms, y.terms_us, y.clause, y.reached_us, "     \
    "y.intolerant, y.intolerant_why, y.held, s.name, a.contacts, (SELECT count(*) FROM (SELECT 1 FROM "   \
    "certificate c WHERE c.account = y.account AND c.not_after_us >= ?1 LIMIT 1000) o) FROM readiness y " \
    "LEFT JOIN subscriber s ON s.account = y.account LEFT JOIN account a ON a.id = y.account "

/* An account that nothing was seen of yet: older than the table, or loaded. As ready.add would begin it. */
#define UNSEEN                                                                                             \
    "SELECT a.id, 4, a.created_us, 0, (SELECT count(*) FROM subscriber m WHERE m.account = a.id), '', 0, " \
    "0, 0, 0, 0, 0, '', 0, 0, 0, 0, '', 0, s.name, a.contacts, (SELECT count(*) FROM (SELECT 1 FROM "      \
    "certificate c WHERE c.account = a.id AND c.not_after_us >= ?1 LIMIT 1000) o) FROM account a LEFT "    \
    "JOIN subscriber s ON s.account = a.id WHERE NOT EXISTS (SELECT 1 FROM readiness y WHERE y.account = " \
    "a.id) AND "

enum {
    SQL_LIST,
    SQL_OF_TIER,
    SQL_UNSEEN,
    SQL_SHOW,
    SQL_SHOW_UNSEEN,
    SQL_CONTACTS,
    SQL_CALLS,
    SQL_LINKS,
    SQL_POLLS,
    SQL_HOLDOUTS,
    SQL_HELD,
    SQL_LAST_CALL,
    SQL_NEXT_END
};
static const struct store_sql sql[] = {
    [SQL_LIST] = {"query.readiness", COLUMNS "WHERE y.account > ?2 ORDER BY y.account LIMIT ?3"},
    [SQL_OF_TIER] = {"query.readiness.tier",
                     COLUMNS "WHERE y.tier = ?4 AND y.account > ?2 ORDER BY y.account LIMIT ?3"},
    [SQL_UNSEEN] = {"query.readiness.unseen", UNSEEN "a.id > ?2 ORDER BY a.id LIMIT ?3"},
    [SQL_SHOW] = {"query.readiness.show", COLUMNS "WHERE y.account = ?2"},
    [SQL_SHOW_UNSEEN] = {"query.readiness.show-unseen", UNSEEN "a.id = ?2"},
    [SQL_CONTACTS] = {"query.readiness.contacts",
                      "SELECT address, verified_us, verified_by, bounced_us, bounce FROM contact "
                      "WHERE account = ?1 ORDER BY address LIMIT 100"},
    [SQL_CALLS] = {"query.readiness.calls",
                   "SELECT called_us, by_whom, who, outcome, note, again_us FROM readiness_call "
                   "WHERE account = ?1 ORDER BY id DESC LIMIT 100"},
    [SQL_LINKS] = {"query.readiness.links",
                   "SELECT created_us, created_by, expires_us, requests FROM reissue_link "
                   "WHERE account = ?1 AND expires_us > ?2 LIMIT 100"},
    [SQL_POLLS] = {"query.readiness.polls",
                   "SELECT c.issuer, c.serial, c.not_after_us, q.polls, q.first_us, q.last_us, q.client "
                   "FROM certificate c JOIN certificate_poll q ON q.issuer = c.issuer AND "
                   "q.serial = c.serial WHERE c.account = ?1 ORDER BY c.issued_us DESC LIMIT 20"},
    [SQL_HOLDOUTS] = {"query.holdouts",
                      "SELECT id, account, name, who, reason, since_us, by_whom, lifted_us, lifted_by "
                      "FROM holdout WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    [SQL_HELD] = {"query.holdouts.account",
                  "SELECT id, account, name, who, reason, since_us, by_whom, lifted_us, lifted_by "
                  "FROM holdout WHERE account = ?1 AND lifted_us = 0 ORDER BY id LIMIT 100"},
    [SQL_LAST_CALL] = {"query.readiness.call",
                       "SELECT called_us, outcome, again_us FROM readiness_call WHERE account = ?1 "
                       "ORDER BY id DESC LIMIT 1"},
    [SQL_NEXT_END] = {"query.readiness.end",
                      "SELECT min(o.not_after_us) FROM (SELECT c.not_after_us FROM certificate c WHERE "
                      "c.account = ?1 AND c.not_after_us >= ?2 LIMIT 1000) o"},
};
const struct ca_query_sql query_ready_sql = {sql, LT_COUNT(sql)};

enum { SCAN_MAX = 20000, NAME_MAX_LEN = 300 };

enum column {
    ACCOUNT,
    TIER,
    SINCE,
    LAPSE,
    MANUAL,
    CLIENT,
    CLIENT_AT,
    POLLS,
    POLLED,
    RENEWALS,
    RENEWED,
    TOLD,
    TERMS,
    TERMS_AT,
    CLAUSE,
    REACHED,
    INTOLERANT,
    INTOLERANT_WHY,
    HELD,
    SUBSCRIBER,
    CONTACTS,
    CERTIFICATES,
};

static void write_facts(struct query_out *o, const struct store_rows *rows, lt_time now)
{
    const struct ca_ready_seen seen = {
        .polled = {store_int(rows, POLLED)},
        .told = {store_int(rows, TOLD)},
        .renewed = {store_int(rows, RENEWED)},
        .reached = {store_int(rows, REACHED)},
        .clause = store_int(rows, CLAUSE) != 0,
        .manual = store_int(rows, MANUAL) != 0,
        .intolerant = store_int(rows, INTOLERANT) != 0,
        .held = store_int(rows, HELD) != 0,
    };
    struct ca_ready_judgement j = ca_ready_judge(&seen, now);
    struct ca_ready_fact_info f;
    query_open(o, "facts", '[');
    for (size_t i = 0; ca_ready_fact_info(i, &f); i++) {
        if ((j.facts & f.fact) != 0) {
            query_cstr(o, NULL, f.name);
        }
    }
    query_close(o, ']');
}

/* What list, show and worklist have in common. */
static void write_row(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    enum ca_ready_tier tier = (enum ca_ready_tier)store_int(rows, TIER);
    query_id(o, "account", store_int(rows, ACCOUNT));
    query_cstr(o, "subscriber", store_is_null(rows, SUBSCRIBER) ? "" : store_cstr(rows, SUBSCRIBER));
    query_cstr(o, "tier", ca_ready_tier_name(tier));
    query_time(o, "since", store_int(rows, SINCE));
    write_facts(o, rows, query->now);
    query_int(o, "certificates", store_int(rows, CERTIFICATES)); /* 1,000 stands for more */
    query_cstr(o, "client", store_cstr(rows, CLIENT));
    query_int(o, "polls", store_int(rows, POLLS));
    query_time(o, "polled", store_int(rows, POLLED));
    query_int(o, "renewals", store_int(rows, RENEWALS));
    query_time(o, "renewed", store_int(rows, RENEWED));
    query_time(o, "told", store_int(rows, TOLD));
    query_cstr(o, "terms", store_cstr(rows, TERMS));
    query_bool(o, "clause", store_int(rows, CLAUSE) != 0);
    query_time(o, "reached", store_int(rows, REACHED));
    query_bool(o, "cannot_tolerate", store_int(rows, INTOLERANT) != 0);
    lt_slice contacts = store_is_null(rows, CONTACTS) ? LT_LIT("[]") : store_bytes(rows, CONTACTS);
    query_raw(o, "contacts", ca_viewer_sees_people(query) ? contacts : LT_SLICE(NULL, 0));
}

/* *ret_tier 0: all of them. */
static lt_res wanted_tier(const struct ca_query *query, enum ca_ready_tier *ret_tier)
{
    lt_slice name = lt_slice_cstr(query->q->status);
    *ret_tier = ca_ready_tier_by_name(name);
    LT_CHECK(name.len == 0 || *ret_tier != 0, LT_PEER_MALFORMED,
             "a tier is automatic, unattended, reachable, by-hand or hold-out");
    return LT_OK;
}

/* Those that were seen come first, then, among whom nobody knows, the others. */
enum pass { SEEN, UNSEEN_YET, PASSES };

static lt_res ask(const struct ca_query *query, enum ca_ready_tier tier, enum pass pass, int64_t behind,
                  size_t most, struct store_rows *ret_rows)
{
    if (pass == UNSEEN_YET || tier == 0) {
        return store_query(query->store, &sql[pass == UNSEEN_YET ? SQL_UNSEEN : SQL_LIST],
                           STORE_ARGS(STORE_I(query->now.us), STORE_I(behind), STORE_I(most)), ret_rows);
    }
    return store_query(query->store, &sql[SQL_OF_TIER],
                       STORE_ARGS(STORE_I(query->now.us), STORE_I(behind), STORE_I(most), STORE_I(tier)),
                       ret_rows);
}

struct listing {
    const struct ca_query *query;
    struct query_out *out;
    struct query_cursor at; /* issuer: the pass; key: the account */
    size_t count;
    bool more;
};

static lt_res list_pass(struct listing *l, enum ca_ready_tier tier, enum pass pass)
{
    struct store_rows rows;
    size_t most = query_limit(l->query);
    int64_t behind = l->at.set && l->at.issuer == (int64_t)pass ? l->at.key : -1;
    LT_TRY(ask(l->query, tier, pass, behind, most - l->count + 1, &rows));
    while (!l->more && store_next(&rows)) {
        l->more = l->count == most;
        if (!l->more) {
            l->count++;
            l->at.key = store_int(&rows, ACCOUNT);
            l->at.issuer = (int64_t)pass;
            query_open(l->out, NULL, '{');
            write_row(l->query, l->out, &rows);
            query_close(l->out, '}');
        }
    }
    return store_rows_end(&rows);
}

lt_res query_ready_list(const struct ca_query *query, struct query_out *out)
{
    enum ca_ready_tier tier;
    struct listing l = {.query = query, .out = out};
    LT_TRY(query_cursor_read(query, 'Y', &l.at));
    LT_TRY(wanted_tier(query, &tier));
    int passes = tier == 0 || tier == CA_READY_BY_HAND ? PASSES : UNSEEN_YET;
    query_open(out, "subscribers", '[');
    for (int pass = l.at.set ? (int)l.at.issuer : SEEN; pass < passes && !l.more; pass++) {
        LT_TRY(list_pass(&l, tier, (enum pass)pass));
    }
    query_close(out, ']');
    l.at.set = l.more;
    query_cursor_write(out, 'Y', &l.at);
    return LT_OK;
}

/* ---- one of them ---- */

static lt_res write_contacts(const struct ca_query *query, int64_t account, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_CONTACTS], STORE_ARGS(STORE_I(account)), &rows));
    query_open(o, "addresses", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        ca_viewer_write_person(query, o, "address", store_bytes(&rows, 0));
        query_time(o, "verified", store_int(&rows, 1));
        ca_viewer_write_person(query, o, "verified_by", store_bytes(&rows, 2));
        query_time(o, "bounced", store_int(&rows, 3));
        ca_viewer_write_person(query, o, "bounce", store_bytes(&rows, 4));
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res write_calls(const struct ca_query *query, int64_t account, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_CALLS], STORE_ARGS(STORE_I(account)), &rows));
    query_open(o, "calls", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        query_time(o, "called", store_int(&rows, 0));
        query_cstr(o, "by", store_cstr(&rows, 1));
        ca_viewer_write_person(query, o, "who", store_bytes(&rows, 2));
        query_cstr(o, "outcome", store_cstr(&rows, 3));
        ca_viewer_write_person(query, o, "note", store_bytes(&rows, 4));
        query_time(o, "again", store_int(&rows, 5));
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res write_links(const struct ca_query *query, int64_t account, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_LINKS], STORE_ARGS(STORE_I(account), STORE_I(query->now.us)),
                       &rows));
    query_open(o, "links", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        query_time(o, "created", store_int(&rows, 0));
        query_cstr(o, "by", store_cstr(&rows, 1));
        query_time(o, "expires", store_int(&rows, 2));
        query_int(o, "requests", store_int(&rows, 3));
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res write_polls(const struct ca_query *query, int64_t account, struct query_out *o)
{
    struct query_tables tables;
    struct store_rows rows;
    LT_TRY(query_tables_load(query, &tables));
    LT_TRY(store_query(query->store, &sql[SQL_POLLS], STORE_ARGS(STORE_I(account)), &rows));
    query_open(o, "polled_certificates", '[');
    while (store_next(&rows)) {
        const struct query_issuer *issuer = query_issuer_by_id(&tables, store_int(&rows, 0));
        query_open(o, NULL, '{');
        query_cstr(o, "issuer", issuer == NULL ? "" : issuer->name);
        query_hex(o, "serial", store_bytes(&rows, 1));
        query_time(o, "not_after", store_int(&rows, 2));
        query_int(o, "polls", store_int(&rows, 3));
        query_time(o, "first", store_int(&rows, 4));
        query_time(o, "last", store_int(&rows, 5));
        query_cstr(o, "client", store_cstr(&rows, 6));
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static void write_holdout(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    struct lt_buf name;
    lt_buf_init(&name, NAME_MAX_LEN);
    x509_dns_reverse(store_bytes(rows, 2), &name);
    query_open(o, NULL, '{');
    query_id(o, "id", store_int(rows, 0));
    query_id(o, "account", store_int(rows, 1));
    query_text(o, "name", store_bytes(rows, 2).len == 0 ? LT_LIT("") : lt_buf_slice(&name));
    ca_viewer_write_person(query, o, "who", store_bytes(rows, 3));
    query_cstr(o, "reason", store_cstr(rows, 4));
    query_time(o, "since", store_int(rows, 5));
    query_cstr(o, "by", store_cstr(rows, 6));
    query_time(o, "lifted", store_int(rows, 7));
    query_cstr(o, "lifted_by", store_cstr(rows, 8));
    query_close(o, '}');
    lt_buf_done(&name);
}

static lt_res write_held(const struct ca_query *query, int64_t account, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_HELD], STORE_ARGS(STORE_I(account)), &rows));
    query_open(o, "holdouts", '[');
    while (store_next(&rows)) {
        write_holdout(query, o, &rows);
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res show_row(const struct ca_query *query, struct query_out *out, size_t statement, int64_t account,
                       bool *ret_found)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[statement], STORE_ARGS(STORE_I(query->now.us), STORE_I(account)),
                       &rows));
    *ret_found = store_next(&rows);
    if (*ret_found) {
        enum ca_ready_tier tier = (enum ca_ready_tier)store_int(&rows, TIER);
        write_row(query, out, &rows);
        query_cstr(out, "means", ca_ready_tier_words(tier));
        query_cstr(out, "advice", ca_ready_tier_advice(tier));
        query_time(out, "lapses", store_int(&rows, LAPSE));
        query_cstr(out, "reason", store_cstr(&rows, INTOLERANT_WHY));
    }
    return store_rows_end(&rows);
}

lt_res query_ready_show(const struct ca_query *query, struct query_out *out)
{
    uint64_t account = 0;
    bool found = false;
    LT_TRY(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &account));
    LT_TRY(show_row(query, out, SQL_SHOW, (int64_t)account, &found));
    LT_TRY(found ? LT_OK : show_row(query, out, SQL_SHOW_UNSEEN, (int64_t)account, &found));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "nothing is known of an account %s", query->q->id);
    LT_TRY(write_contacts(query, (int64_t)account, out));
    LT_TRY(write_held(query, (int64_t)account, out));
    LT_TRY(write_calls(query, (int64_t)account, out));
    LT_TRY(write_links(query, (int64_t)account, out));
    return write_polls(query, (int64_t)account, out);
}

lt_res query_holdout_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_cursor_read(query, 'O', &at));
    LT_TRY(store_query(query->store, &sql[SQL_HOLDOUTS],
                       STORE_ARGS(STORE_I(at.set ? at.key : INT64_MAX), STORE_I(query_limit(query) + 1)),
                       &rows));
    at.set = false;
    query_open(out, "holdouts", '[');
    while (!at.set && store_next(&rows)) {
        at.set = count++ == query_limit(query);
        if (!at.set) {
            at.key = store_int(&rows, 0);
            write_holdout(query, out, &rows);
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    query_cursor_write(out, 'O', &at);
    return LT_OK;
}

/* ---- whom somebody must call ---- */

/* In this order: who is not found yet, who reads letters, who refuses. */
static const struct to_call {
    enum ca_ready_tier tier;
    enum pass pass;
} to_call[] = {{CA_READY_BY_HAND, SEEN},
               {CA_READY_BY_HAND, UNSEEN_YET},
               {CA_READY_REACHABLE, SEEN},
               {CA_READY_HOLD_OUT, SEEN}};

struct work {
    const struct ca_query *query;
    struct query_out *out;
    struct query_cursor at; /* issuer: which of those above; key: the account */
    bool due;               /* only those that wait for a call */
    size_t count;
    size_t scanned;
    bool full;
};

struct call {
    int64_t called_us; /* 0: never */
    const char *outcome;
    int64_t again_us;
};

static lt_res last_call(const struct work *w, int64_t account, struct call *ret_call)
{
    struct store_rows rows;
    *ret_call = (struct call){.outcome = ""};
    LT_TRY(store_query(w->query->store, &sql[SQL_LAST_CALL], STORE_ARGS(STORE_I(account)), &rows));
    if (store_next(&rows)) {
        ret_call->called_us = store_int(&rows, 0);
        ret_call->outcome = lt_arena_cstr(w->query->arena, store_bytes(&rows, 1));
        ret_call->again_us = store_int(&rows, 2);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(ret_call->outcome != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    return LT_OK;
}

static lt_res next_end(const struct work *w, int64_t account, int64_t *ret_us)
{
    struct store_rows rows;
    LT_TRY(store_query(w->query->store, &sql[SQL_NEXT_END],
                       STORE_ARGS(STORE_I(account), STORE_I(w->query->now.us)), &rows));
    *ret_us = store_next(&rows) && !store_is_null(&rows, 0) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

static lt_res work_on(struct work *w, const struct store_rows *rows)
{
    struct call c;
    int64_t end_us = 0;
    int64_t account = store_int(rows, ACCOUNT);
    if (store_int(rows, CERTIFICATES) == 0) {
        return LT_OK; /* there is nothing to replace */
    }
    LT_TRY(last_call(w, account, &c));
    if (w->due && c.called_us != 0 && (c.again_us == 0 || c.again_us > w->query->now.us)) {
        return LT_OK;
    }
    LT_TRY(next_end(w, account, &end_us));
    query_open(w->out, NULL, '{');
    write_row(w->query, w->out, rows);
    query_time(w->out, "next_end", end_us);
    query_time(w->out, "called", c.called_us);
    query_cstr(w->out, "outcome", c.outcome);
    query_time(w->out, "again", c.again_us);
    query_close(w->out, '}');
    w->count++;
    return LT_OK;
}

/* Each row is a question of its own, as others follow from it before the next. */
static lt_res work_tier(struct work *w, const struct to_call *of)
{
    while (!w->full) {
        struct store_rows rows;
        LT_TRY(ask(w->query, of->tier, of->pass, w->at.key, 1, &rows));
        bool found = store_next(&rows);
        lt_res r = LT_OK;
        if (found) {
            w->at.key = store_int(&rows, ACCOUNT);
            r = work_on(w, &rows);
        }
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
        if (!found) {
            return LT_OK;
        }
        w->full = w->count == query_limit(w->query) || ++w->scanned == SCAN_MAX;
    }
    return LT_OK;
}

lt_res query_ready_worklist(const struct ca_query *query, struct query_out *out)
{
    enum ca_ready_tier only;
    struct work w = {.query = query, .out = out, .due = strcmp(query->q->order, "due") == 0};
    LT_CHECK(w.due || query->q->order[0] == '\0', LT_PEER_MALFORMED,
             "the order of a work list is due, or none");
    LT_TRY(query_cursor_read(query, 'W', &w.at));
    LT_TRY(wanted_tier(query, &only));
    if (!w.at.set) {
        w.at.key = -1;
    }
    w.at.set = false;
    query_open(out, "worklist", '[');
    for (; w.at.issuer < (int64_t)LT_COUNT(to_call) && !w.full; w.at.issuer++) {
        const struct to_call *of = &to_call[w.at.issuer];
        LT_TRY(only != 0 && only != of->tier ? LT_OK : work_tier(&w, of));
        if (w.full) {
            break;
        }
        w.at.key = -1;
    }
    query_close(out, ']');
    w.at.set = w.full;
    query_cursor_write(out, 'W', &w.at);
    return LT_OK;
}
