/* Which months may go. What a month is kept for is found over the certificates: by the month in which they
 * were issued, how long the last of them is valid and how far back the oldest validation lies that one of
 * them rests on. Whoever was issued late on an old validation keeps that validation's month. */
#include "ca/retention.h"

#include <string.h>

#include "ca/limits.h"

/* An authorization is proven, and an order ends, so long after it was made at most. */
enum { LATE_S = 45 * 86400 };

#define OURS "(build <> '' OR worst_dimension <> 0)"

static const struct store_sql sql[] = {
    {"retention.first-certificate",
     "SELECT issued_us FROM certificate WHERE issued_us >= ?1 ORDER BY issued_us LIMIT 1"},
    {"retention.first-authorization",
     "SELECT created_us FROM authorization WHERE id >= ?1 ORDER BY id LIMIT 1"},
    {"retention.first-order", "SELECT created_us FROM ca_order WHERE id >= ?1 ORDER BY id LIMIT 1"},
    /* What was brought in rests on none of our orders and validations. */
    {"retention.month",
     "SELECT max(not_after_us), max(CASE WHEN " OURS " THEN not_after_us END), min(CASE WHEN " OURS
     " THEN CASE WHEN oldest_validation_us > 0 THEN oldest_validation_us ELSE issued_us END END), "
     "min(CASE WHEN " OURS " THEN CASE WHEN oldest_caa_us > 0 THEN oldest_caa_us ELSE issued_us END END) "
     "FROM certificate WHERE issued_us >= ?1 AND issued_us < ?2"},
    {"retention.parts", "SELECT month, kind, status, at, dropped FROM retention ORDER BY month, kind"},
    {"retention.count-orders", "SELECT count(*) FROM ca_order WHERE id >= ?1 AND id < ?2"},
    {"retention.count-authorizations", "SELECT count(*) FROM authorization WHERE id >= ?1 AND id < ?2"},
    {"retention.count-evidence", "SELECT count(*) FROM evidence WHERE authorization_id >= ?1 AND "
                                 "authorization_id < ?2 AND (segment <> 0 OR statement <> '')"},
    {"retention.count-segments",
     "SELECT count(*) FROM evidence_segment WHERE created_us >= ?1 AND created_us < ?2"},
    {"retention.count-certificates",
     "SELECT count(*) FROM certificate c JOIN certificate_der d ON d.issuer = c.issuer AND d.serial = "
     "c.serial AND d.copy = c.copy WHERE c.issued_us >= ?1 AND c.issued_us < ?2 AND NOT EXISTS "
     "(SELECT 1 FROM issuer i WHERE i.spki_sha256 = c.spki_sha256)"},
};
enum { SQL_FIRST_CERTIFICATE, SQL_FIRST_AUTHORIZATION, SQL_FIRST_ORDER, SQL_MONTH, SQL_PARTS, SQL_COUNT };
const struct store_sql *const ca_retention_sql = sql;
const size_t ca_retention_sql_count = LT_COUNT(sql);

static const char *const kind_names[CA_RETENTION_KINDS] = {
    [CA_RETENTION_ORDERS] = "orders",
    [CA_RETENTION_AUTHORIZATIONS] = "authorizations",
    [CA_RETENTION_EVIDENCE] = "evidence",
    [CA_RETENTION_SEGMENTS] = "segments",
    [CA_RETENTION_CERTIFICATES] = "certificates",
};

const char *ca_retention_kind_name(enum ca_retention_kind kind)
{
    LT_ASSERT((unsigned)kind < CA_RETENTION_KINDS);
    return kind_names[kind];
}

/* ---- months ---- */

static lt_time month_start(int year, int month)
{
    const struct lt_date d = {.year = year, .month = month, .day = 1};
    lt_time t = {0};
    LT_ASSERT(!lt_failed(lt_time_of(&d, &t))); /* every month has a first day */
    return t;
}

lt_time ca_month_of(lt_time t, int64_t *ret_number)
{
    struct lt_date d = lt_date_of(t);
    *ret_number = (int64_t)d.year * 100 + d.month;
    return month_start(d.year, d.month);
}

lt_time ca_month_next(lt_time month)
{
    struct lt_date d = lt_date_of(month);
    return d.month == 12 ? month_start(d.year + 1, 1) : month_start(d.year, d.month + 1);
}

/* What the certificates of a month of issuance rest on. */
struct month {
    int64_t number;
    lt_time from;
    lt_time to;
    lt_time last_der; /* end of the last certificate, of those that were brought in too; {0}: there is none */
    lt_time last_end; /* of those that we issued; {0}: none was */
    lt_time oldest;   /* validation or check of CAA */
};

static lt_res one_time(struct store *s, size_t statement, int64_t from, int64_t *ret_us)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[statement], STORE_ARGS(STORE_I(from)), &rows));
    if (store_next(&rows) && store_int(&rows, 0) < *ret_us) {
        *ret_us = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

/* Of records of our own making. Imports may be older, and lie in no month. */
static lt_res first_month(struct store *s, lt_time now, lt_time *ret_first)
{
    int64_t unused = 0;
    int64_t first = now.us;
    int64_t epoch = ca_id_from((lt_time){0});
    lt_time since = month_start(2020, 1);
    LT_TRY(one_time(s, SQL_FIRST_CERTIFICATE, since.us, &first));
    LT_TRY(one_time(s, SQL_FIRST_AUTHORIZATION, epoch, &first));
    LT_TRY(one_time(s, SQL_FIRST_ORDER, epoch, &first));
    *ret_first = ca_month_of((lt_time){first > since.us ? first : since.us}, &unused);
    return LT_OK;
}

static lt_res read_month(struct store *s, struct month *m)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[SQL_MONTH], STORE_ARGS(STORE_I(m->from.us), STORE_I(m->to.us)), &rows));
    if (store_next(&rows) && !store_is_null(&rows, 0)) {
        int64_t caa = store_is_null(&rows, 3) ? INT64_MAX : store_int(&rows, 3);
        m->last_der = (lt_time){store_int(&rows, 0)};
        m->last_end = (lt_time){store_is_null(&rows, 1) ? 0 : store_int(&rows, 1)};
        m->oldest = (lt_time){store_is_null(&rows, 2) ? INT64_MAX : store_int(&rows, 2)};
        m->oldest.us = caa < m->oldest.us ? caa : m->oldest.us;
    }
    return store_rows_end(&rows);
}

static lt_res read_months(struct store *s, lt_time now, struct lt_arena *a, struct month **ret_months,
                          size_t *ret_count)
{
    lt_time at;
    size_t count = 0;
    struct month *list = LT_NEW_ARRAY(a, struct month, CA_RETENTION_MONTHS_MAX);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "no room for a list of months");
    LT_TRY(first_month(s, now, &at));
    while (at.us <= now.us && count < CA_RETENTION_MONTHS_MAX) {
        struct month *m = &list[count++];
        m->from = ca_month_of(at, &m->number);
        m->to = ca_month_next(at);
        LT_TRY(read_month(s, m));
        at = m->to;
    }
    *ret_months = list;
    *ret_count = count;
    return LT_OK;
}

/* ---- until when ---- */

struct kept {
    lt_time until;
    const char *duty;
};

static void keep(struct kept *k, lt_time since, enum ca_limit limit, const struct ca_retention_options *o,
                 bool after_expiry)
{
    const struct ca_limit_row *row = ca_limit_row_at(limit, o->now);
    bool longer = after_expiry && o->keep_s > row->value;
    int64_t seconds = longer ? o->keep_s : row->value;
    lt_time last = lt_time_add_seconds(month_start(9999, 12), -seconds); /* of what has no end */
    lt_time until = lt_time_add_seconds(since.us < last.us ? since : last, seconds);
    if (until.us > k->until.us) {
        k->until = until;
        k->duty = longer ? "own rule" : row->source;
    }
}

/* Could a certificate of that month of issuance rest on an order or a validation of this one? */
static bool rests_on(const struct month *issued, const struct month *made)
{
    lt_time late = lt_time_add_seconds(made->to, LATE_S);
    return issued->last_end.us != 0 && issued->to.us > made->from.us &&
           (issued->from.us < late.us || issued->oldest.us < late.us);
}

static struct kept kept_until(const struct month *months, size_t count, size_t of,
                              enum ca_retention_kind kind, const struct ca_retention_options *o)
{
    struct kept k = {.duty = ""};
    const struct month *m = &months[of];
    keep(&k, m->to, CA_LIMIT_KEEP_ARCHIVE_S, o, false);
    if (kind == CA_RETENTION_CERTIFICATES) {
        if (m->last_der.us != 0) {
            keep(&k, m->last_der, CA_LIMIT_KEEP_LOG_S, o, true);
        }
        return k;
    }
    for (size_t i = of; i < count; i++) {
        if (rests_on(&months[i], m)) {
            keep(&k, months[i].last_end, CA_LIMIT_KEEP_VALIDATION_S, o, true);
        }
    }
    return k;
}

/* ---- the plan ---- */

static struct ca_retention_part *find_part(struct ca_retention_part *parts, size_t count, int64_t month,
                                           lt_slice kind)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].month == month && lt_slice_eq_cstr(kind, kind_names[parts[i].kind])) {
            return &parts[i];
        }
    }
    return NULL;
}

static lt_res take_state(struct store *s, struct ca_retention_part *parts, size_t count)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[SQL_PARTS], STORE_NO_ARGS, &rows));
    while (store_next(&rows)) {
        struct ca_retention_part *p = find_part(parts, count, store_int(&rows, 0), store_bytes(&rows, 1));
        if (p != NULL) {
            p->dropped = lt_slice_eq_cstr(store_bytes(&rows, 2), "dropped");
            p->dropping = !p->dropped;
            p->at = store_int(&rows, 3);
            p->count = store_int(&rows, 4);
        }
    }
    return store_rows_end(&rows);
}

/* A month is due when those before it are over, but for certificates: one that has no end keeps those of its
 * own month alone. A segment goes when evidence of every month of its frames is dropped. */
static void judge(struct ca_retention_part *parts, size_t count, lt_time now)
{
    bool over[CA_RETENTION_KINDS];
    lt_time evidence_to = {0};
    bool unbroken = true;
    memset(over, true, sizeof over);
    for (size_t i = 0; i < count; i++) {
        struct ca_retention_part *p = &parts[i];
        if (p->kind == CA_RETENTION_EVIDENCE) {
            unbroken = unbroken && p->dropped;
            evidence_to = unbroken ? p->to : evidence_to;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct ca_retention_part *p = &parts[i];
        bool chained = p->kind != CA_RETENTION_CERTIFICATES;
        over[p->kind] = (over[p->kind] || !chained) && p->kept_until.us < now.us;
        p->due = over[p->kind] && !p->dropped;
        p->evidence_to = evidence_to;
    }
}

lt_res ca_retention_plan(struct store *s, const struct ca_retention_options *o, struct lt_arena *a,
                         struct ca_retention_part **ret_parts, size_t *ret_count)
{
    struct month *months = NULL;
    size_t month_count = 0;
    size_t n = 0;
    LT_TRY(read_months(s, o->now, a, &months, &month_count));
    struct ca_retention_part *parts = LT_NEW_ARRAY(a, struct ca_retention_part,
                                                   month_count * CA_RETENTION_KINDS + 1);
    LT_CHECK(parts != NULL, LT_PEER_TOO_LARGE, "no room for a list of months");
    for (size_t i = 0; i < month_count; i++) {
        for (size_t kind = 0; kind < CA_RETENTION_KINDS; kind++) {
            struct kept k = kept_until(months, month_count, i, (enum ca_retention_kind)kind, o);
            parts[n++] = (struct ca_retention_part){
                .month = months[i].number,
                .from = months[i].from,
                .to = months[i].to,
                .kind = (enum ca_retention_kind)kind,
                .duty = k.duty,
                .kept_until = k.until,
            };
        }
    }
    LT_TRY(take_state(s, parts, n));
    judge(parts, n, o->now);
    *ret_parts = parts;
    *ret_count = n;
    return LT_OK;
}

lt_res ca_retention_count(struct store *s, const struct ca_retention_part *p, int64_t *ret_count)
{
    struct store_rows rows;
    bool by_time = p->kind == CA_RETENTION_SEGMENTS || p->kind == CA_RETENTION_CERTIFICATES;
    int64_t from = by_time ? p->from.us : ca_id_from(p->from);
    int64_t to = by_time ? p->to.us : ca_id_from(p->to);
    LT_TRY(store_query(s, &sql[SQL_COUNT + (size_t)p->kind], STORE_ARGS(STORE_I(from), STORE_I(to)), &rows));
    *ret_count = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}
