/* The list of certificates: a filter chooses the index to walk, the rest is looked at row by row. */
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"
#include "scope/scope.h"

/* ?1 … ?4: the row behind which to begin; ?5 the filter's value, ?6 the end of the range, ?7 how many. */
#define WALK(name_, order_key_, where_)                                                                     \
    {                                                                                                       \
        name_,                                                                                              \
            "SELECT " QUERY_CERTIFICATE_COLUMNS ", " order_key_ ", '', '' FROM certificate c WHERE " where_ \
            " ORDER BY " order_key_ ", c.issuer, c.serial, c.copy LIMIT ?7"                                 \
    }
#define AFTER(key_) "(" key_ ", c.issuer, c.serial, c.copy) > (?1, ?2, ?3, ?4)"
#define FROM_NAMES                                                                                        \
    "SELECT " QUERY_CERTIFICATE_COLUMNS ", 0, n.name, n.type FROM certificate_name n JOIN certificate c " \
    "ON c.issuer = n.issuer AND c.serial = n.serial AND c.copy = n.copy WHERE "

enum walk {
    WALK_ISSUED,
    WALK_ISSUED_DOWN,
    WALK_EXPIRY,
    WALK_ACCOUNT,
    WALK_SPKI,
    WALK_SHA256,
    WALK_SERIAL,
    WALK_NAME,
    WALK_SUFFIX,
};

static const struct store_sql sql[] = {
    [WALK_ISSUED] = WALK("query.certificate.issued", "c.issued_us",
                         "c.issued_us >= ?5 AND c.issued_us < ?6 AND " AFTER("c.issued_us")),
    [WALK_ISSUED_DOWN] = {"query.certificate.issued-down",
                          "SELECT " QUERY_CERTIFICATE_COLUMNS ", c.issued_us, '', '' FROM certificate c "
                          "WHERE c.issued_us >= ?5 AND c.issued_us < ?6 "
                          "AND (c.issued_us, c.issuer, c.serial, c.copy) < (?1, ?2, ?3, ?4) "
                          "ORDER BY c.issued_us DESC, c.issuer DESC, c.serial DESC, c.copy DESC LIMIT ?7"},
    [WALK_EXPIRY] = WALK("query.certificate.expiry", "c.not_after_us",
                         "c.not_after_us >= ?5 AND c.not_after_us < ?6 AND " AFTER("c.not_after_us")),
    [WALK_ACCOUNT] = WALK("query.certificate.account", "c.issued_us",
                          "c.account = ?5 AND c.issued_us < ?6 AND " AFTER("c.issued_us")),
    [WALK_SPKI] = {"query.certificate.spki",
                   "SELECT " QUERY_CERTIFICATE_COLUMNS ", 0, '', '' FROM certificate c "
                   "WHERE c.spki_sha256 = ?5 AND (c.issuer, c.serial, c.copy) > (?2, ?3, ?4) "
                   "AND ?1 <= ?6 ORDER BY c.issuer, c.serial, c.copy LIMIT ?7"},
    [WALK_SHA256] = {"query.certificate.sha256",
                     "SELECT " QUERY_CERTIFICATE_COLUMNS ", 0, '', '' FROM certificate c "
                     "WHERE c.sha256 = ?5 AND (c.issuer, c.serial, c.copy) > (?2, ?3, ?4) "
                     "AND ?1 <= ?6 ORDER BY c.issuer, c.serial, c.copy LIMIT ?7"},
    /* One issuer after the other: ?6 is the issuer. */
    [WALK_SERIAL] = {"query.certificate.serial",
                     "SELECT " QUERY_CERTIFICATE_COLUMNS ", 0, '', '' FROM certificate c "
                     "WHERE c.issuer = ?6 AND c.serial = ?5 AND (c.issuer, c.serial, c.copy) > (?2, ?3, ?4) "
                     "AND ?1 >= -1 ORDER BY c.copy LIMIT ?7"},
    [WALK_NAME] = {"query.certificate.name", FROM_NAMES
                   "n.name = ?5 AND (n.type, n.issuer, n.serial, n.copy) > (?8, ?2, ?3, ?4) "
                   "AND ?1 >= 0 AND ?6 <> '' ORDER BY n.type, n.issuer, n.serial, n.copy LIMIT ?7"},
    [WALK_SUFFIX] = {"query.certificate.suffix",
                     FROM_NAMES "n.name >= ?5 AND n.name < ?6 "
                                "AND (n.name, n.type, n.issuer, n.serial, n.copy) > (?1, ?8, ?2, ?3, ?4) "
                                "ORDER BY n.name, n.type, n.issuer, n.serial, n.copy LIMIT ?7"},
};
const struct ca_query_sql query_certificate_sql = {sql, LT_COUNT(sql)};

enum {
    COLUMN_KEY = QUERY_CERTIFICATE_COLUMN_COUNT,
    COLUMN_NAME,
    COLUMN_TYPE,
    SLICE_ROWS = 500,
};

/* One list being made. */
struct list {
    const struct ca_query *query;
    struct query_tables tables;
    enum walk walk;
    char kind; /* of the cursor */
    struct query_cursor at;
    lt_slice reversed; /* of name or suffix */
    lt_slice range_end;
    size_t scanned;
    int64_t until_ms; /* of the monotonic clock; 0: however long it takes */
    size_t written;
    struct query_out *out;
};

/* What was read in one slice, before the next question to the book. */
struct hit {
    struct query_certificate c;
    struct query_cursor at;
};

static bool ordered_by_expiry(const Ipc__Query *q)
{
    return q->expires_from_us != 0 || q->expires_until_us != 0 || strcmp(q->order, "expires") == 0;
}

/* "com.example" … "com.example/": all of "com.example" and "com.example." something, and a few that only
 * look like it ("com.example-x"), which below() leaves out. */
static lt_res choose_names(struct list *l)
{
    const Ipc__Query *q = l->query->q;
    bool exact = q->name[0] != 0;
    lt_slice text;
    LT_TRY(scope_name_read(lt_slice_cstr(exact ? q->name : q->name_suffix), !exact, l->query->arena, &text,
                           &l->reversed));
    char *end = lt_arena_printf(l->query->arena, "%.*s/", LT_FMT(l->reversed));
    LT_CHECK(end != NULL, LT_PEER_MALFORMED, "the name is too long");
    l->range_end = lt_slice_cstr(end);
    l->walk = exact ? WALK_NAME : WALK_SUFFIX;
    return LT_OK;
}

static lt_res choose(struct list *l)
{
    static const char kinds[] = {
        [WALK_ISSUED] = 'i',  [WALK_ISSUED_DOWN] = 'd', [WALK_EXPIRY] = 'e',
        [WALK_ACCOUNT] = 'a', [WALK_SPKI] = 'k',        [WALK_SHA256] = 'h',
        [WALK_SERIAL] = 's',  [WALK_NAME] = 'n',        [WALK_SUFFIX] = 'x',
    };
    const Ipc__Query *q = l->query->q;
    l->walk = q->serial.len > 0                 ? WALK_SERIAL
              : q->sha256.len > 0               ? WALK_SHA256
              : q->spki_sha256.len > 0          ? WALK_SPKI
              : q->account_id != 0              ? WALK_ACCOUNT
              : ordered_by_expiry(q)            ? WALK_EXPIRY
              : strcmp(q->order, "issued") == 0 ? WALK_ISSUED
                                                : WALK_ISSUED_DOWN;
    LT_CHECK(q->order[0] == 0 || strcmp(q->order, "issued") == 0 || strcmp(q->order, "-issued") == 0 ||
                 strcmp(q->order, "expires") == 0,
             LT_PEER_MALFORMED, "order is issued, -issued or expires");
    if (q->name[0] != 0 || q->name_suffix[0] != 0) {
        LT_TRY(choose_names(l));
    }
    l->kind = kinds[l->walk];
    return query_cursor_read(l->query, l->kind, &l->at);
}

static lt_slice of(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static int64_t or_end(int64_t us)
{
    return us != 0 ? us : INT64_MAX;
}

/* The values of the walk's statement. */
static lt_res begin_slice(const struct list *l, int64_t serial_issuer, struct store_rows *ret_rows)
{
    const Ipc__Query *q = l->query->q;
    const struct query_cursor *at = &l->at;
    bool down = l->walk == WALK_ISSUED_DOWN && !at->set;
    struct store_value v[8] = {
        STORE_I(at->set ? at->key
                : down  ? INT64_MAX
                        : -1),
        STORE_I(at->set ? at->issuer
                : down  ? INT64_MAX
                        : -1),
        STORE_B(at->serial),
        STORE_I(at->set ? at->copy : -1),
        STORE_I(0),
        STORE_I(INT64_MAX),
        STORE_I(SLICE_ROWS),
        STORE_T(at->type),
    };
    size_t count = 7;
    switch (l->walk) {
    case WALK_ISSUED:
    case WALK_ISSUED_DOWN:
        v[4] = STORE_I(q->issued_from_us);
        v[5] = STORE_I(or_end(q->issued_until_us));
        break;
    case WALK_EXPIRY:
        v[4] = STORE_I(q->expires_from_us);
        v[5] = STORE_I(or_end(q->expires_until_us));
        break;
    case WALK_ACCOUNT:
        v[4] = STORE_I(q->account_id);
        v[5] = STORE_I(or_end(q->issued_until_us));
        break;
    case WALK_SPKI:
        v[4] = STORE_B(of(q->spki_sha256));
        break;
    case WALK_SHA256:
        v[4] = STORE_B(of(q->sha256));
        break;
    case WALK_SERIAL:
        v[4] = STORE_B(of(q->serial));
        v[5] = STORE_I(serial_issuer);
        break;
    case WALK_NAME:
    case WALK_SUFFIX:
        v[0] = l->walk == WALK_SUFFIX ? STORE_T(at->name) : STORE_I(0);
        v[4] = STORE_T(l->reversed);
        v[5] = STORE_T(l->range_end);
        count = 8;
        break;
    }
    return store_query(l->query->store, &sql[l->walk], v, count, ret_rows);
}

static lt_res read_slice(struct list *l, int64_t serial_issuer, struct hit *hits, size_t *ret_count)
{
    struct lt_arena *a = l->query->arena;
    struct store_rows rows;
    LT_TRY(begin_slice(l, serial_issuer, &rows));
    lt_res r = LT_OK;
    size_t n = 0;
    while (!lt_failed(r) && n < SLICE_ROWS && store_next(&rows)) {
        struct hit *h = &hits[n++];
        r = query_certificate_take(a, &rows, &h->c);
        h->at = (struct query_cursor){
            .set = true,
            .key = store_int(&rows, COLUMN_KEY),
            .issuer = h->c.issuer,
            .copy = h->c.copy,
            .serial = h->c.serial,
            .name = lt_arena_copy(a, store_bytes(&rows, COLUMN_NAME)),
            .type = lt_arena_copy(a, store_bytes(&rows, COLUMN_TYPE)),
        };
    }
    LT_TRY(store_rows_end(&rows));
    *ret_count = n;
    return r;
}

/* Is the stored name the suffix itself, or below it? */
static bool below(lt_slice stored, lt_slice reversed)
{
    return lt_slice_starts(stored, reversed) &&
           (stored.len == reversed.len || stored.ptr[reversed.len] == '.');
}

/* A certificate with several names below the suffix is met several times: it counts at its first name. */
static bool first_name(const struct list *l, const struct hit *h, const struct query_names *names)
{
    if (!below(h->at.name, l->reversed)) {
        return false;
    }
    for (size_t i = 0; i < names->count; i++) {
        lt_slice other = names->list[i].stored;
        if (below(other, l->reversed) && lt_slice_cmp(other, h->at.name) < 0) {
            return false;
        }
    }
    return true;
}

static bool has_name(const struct query_names *names, lt_slice reversed, bool exact)
{
    for (size_t i = 0; i < names->count; i++) {
        lt_slice stored = names->list[i].stored;
        if (exact ? lt_slice_eq(stored, reversed) : below(stored, reversed)) {
            return true;
        }
    }
    return false;
}

static bool in_range(int64_t us, int64_t from, int64_t until)
{
    return us >= from && us < or_end(until);
}

/* What the row itself can answer. */
static bool row_fits(const struct list *l, const struct query_certificate *c)
{
    const Ipc__Query *q = l->query->q;
    const struct query_issuer *issuer = query_issuer_by_id(&l->tables, c->issuer);
    bool fits = q->issuer[0] == 0 || (issuer != NULL && strcmp(issuer->name, q->issuer) == 0);
    fits = fits &&
           (q->profile[0] == 0 || strcmp(query_profile_name(&l->tables, c->profile), q->profile) == 0);
    fits = fits && (q->account_id == 0 || c->account == q->account_id);
    fits = fits && (q->spki_sha256.len == 0 || lt_slice_eq(c->spki_sha256, of(q->spki_sha256)));
    fits = fits && (q->sha256.len == 0 || lt_slice_eq(c->sha256, of(q->sha256)));
    fits = fits && in_range(c->issued_us, q->issued_from_us, q->issued_until_us);
    return fits && in_range(c->not_after_us, q->expires_from_us, q->expires_until_us);
}

static lt_res write_hit(struct list *l, const struct query_certificate *c, const struct query_revocation *r,
                        const struct query_names *names)
{
    const char *status = query_certificate_status(l->query, c, r);
    const char *replacement = NULL;
    LT_TRY(query_truth_state(l->query, c->issuer, c->serial, &replacement));
    query_open(l->out, NULL, '{');
    query_certificate_write(l->out, &l->tables, c, r, status);
    query_cstr(l->out, "replacement", replacement);
    query_open(l->out, "names", '[');
    for (size_t i = 0; i < names->count; i++) {
        query_cstr(l->out, NULL, names->list[i].name);
    }
    query_close(l->out, ']');
    query_close(l->out, '}');
    l->written++;
    return LT_OK;
}

static lt_res take_hit(struct list *l, const struct hit *h)
{
    const Ipc__Query *q = l->query->q;
    struct query_revocation revocation;
    struct query_names names;
    if (!row_fits(l, &h->c)) {
        return LT_OK;
    }
    LT_TRY(query_revocation_of(l->query, &h->c, &revocation));
    const char *status = query_certificate_status(l->query, &h->c, &revocation);
    if (q->status[0] != 0 && strcmp(q->status, status) != 0) {
        return LT_OK;
    }
    LT_TRY(query_names_of(l->query, &h->c, &names));
    bool fits = l->walk == WALK_SUFFIX ? first_name(l, h, &names) : true;
    fits = fits && (l->reversed.len == 0 || has_name(&names, l->reversed, q->name[0] != 0));
    return fits ? write_hit(l, &h->c, &revocation, &names) : LT_OK;
}

/* Walks slice after slice until the page is full, the index ends, or enough was looked at. */
static lt_res walk_all(struct list *l, int64_t serial_issuer)
{
    struct hit *hits = LT_NEW_ARRAY(l->query->arena, struct hit, SLICE_ROWS);
    LT_CHECK(hits != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    for (;;) {
        size_t count = 0;
        if (l->until_ms != 0 && l->scanned > 0 && lt_monotonic_ms() >= l->until_ms) {
            return LT_OK; /* a short page; there may be more behind it */
        }
        LT_TRY(read_slice(l, serial_issuer, hits, &count));
        for (size_t i = 0; i < count; i++) {
            if (l->written == query_limit(l->query) || l->scanned == CA_QUERY_SCAN_MAX) {
                return LT_OK; /* l->at is the row before: there is more behind it */
            }
            LT_TRY(take_hit(l, &hits[i]));
            l->at = hits[i].at;
            l->scanned++;
        }
        if (count < SLICE_ROWS) {
            l->at = (struct query_cursor){.set = false};
            return LT_OK;
        }
    }
}

lt_res query_certificate_list(const struct ca_query *query, struct query_out *out)
{
    struct list l = {.query = query, .out = out};
    LT_TRY(query_tables_load(query, &l.tables));
    LT_TRY(choose(&l));
    l.until_ms = query->q->within_ms == 0 ? 0 : lt_monotonic_ms() + query->q->within_ms;
    query_open(out, "certificates", '[');
    if (l.walk == WALK_SERIAL) {
        for (size_t i = 0; i < l.tables.issuer_count; i++) {
            l.at = (struct query_cursor){.set = false};
            LT_TRY(walk_all(&l, l.tables.issuers[i].id));
        }
    } else {
        LT_TRY(walk_all(&l, 0));
    }
    query_close(out, ']');
    query_cursor_write(out, l.kind, &l.at);
    return LT_OK;
}
