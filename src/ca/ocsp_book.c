/* What OCSP says of each certificate, out of the book. */
#include "ca/ocsp_book.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS "SELECT c.serial, c.not_after_us, r.reason, r.revoked_us, r.recorded_us, c.issuer FROM "
#define REVOCATION \
    "LEFT JOIN revocation r ON r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial "
#define CERTIFICATE "LEFT JOIN certificate c ON c.issuer = r.issuer AND c.serial = r.serial AND c.copy = 0 "

static const struct store_sql sql[] = {
    /* Ranges of the primary key, in its order. */
    {"ocsp.rows", COLUMNS "certificate c " REVOCATION
                          "WHERE c.issuer = ?1 AND c.serial > ?2 AND c.copy = 0 ORDER BY c.serial LIMIT ?3"},
    /* Whole rows: a look-up for each is a round trip for each where the book is on a server. */
    {"ocsp.issued", COLUMNS "certificate c " REVOCATION
                            "WHERE c.issued_us >= ?1 AND c.copy = 0 ORDER BY c.issued_us LIMIT ?2"},
    {"ocsp.revoked",
     COLUMNS "revocation r " CERTIFICATE "WHERE r.recorded_us >= ?1 ORDER BY r.recorded_us LIMIT ?2"},
};
enum { SQL_ROWS, SQL_ISSUED, SQL_REVOKED };
const struct store_sql *const ca_ocsp_sql = sql;
const size_t ca_ocsp_sql_count = LT_COUNT(sql);

enum { REASON_MAX = 10 };

/* *ret_live: it has not expired, and a row can hold it. */
static lt_res read_row(const struct store_rows *rows, size_t issuer, lt_time now, struct ca_ocsp_row *ret_row,
                       bool *ret_live)
{
    *ret_live = store_int(rows, 1) >= now.us;
    LT_CHECK(ca_ocsp_row_key((uint16_t)issuer, store_bytes(rows, 0), ret_row), LT_STATE_CORRUPT,
             "the book has a serial of %zu bytes", store_bytes(rows, 0).len);
    ret_row->status = store_is_null(rows, 4) ? X509_OCSP_GOOD : X509_OCSP_REVOKED;
    if (ret_row->status == X509_OCSP_REVOKED) {
        int64_t reason = store_int(rows, 2);
        LT_CHECK(reason >= 0 && reason <= REASON_MAX, LT_STATE_CORRUPT, "the book has a reason %lld",
                 (long long)reason);
        ret_row->reason = (uint8_t)reason;
        ret_row->revoked_s = lt_time_seconds((lt_time){store_int(rows, 3)});
    }
    return LT_OK;
}

static lt_res take_row(const struct store_rows *rows, struct ca_ocsp_reading *at,
                       struct ca_ocsp_row *ret_rows, size_t *count)
{
    bool live;
    lt_slice serial = store_bytes(rows, 0);
    at->last_len = serial.len < sizeof at->last ? serial.len : sizeof at->last;
    memcpy(at->last, serial.ptr, at->last_len);
    LT_TRY(read_row(rows, at->at, at->now, &ret_rows[*count], &live));
    *count += live;
    return LT_OK;
}

lt_res ca_ocsp_rows(const struct ca_ocsp_source *s, struct ca_ocsp_reading *at, size_t limit,
                    struct ca_ocsp_row *ret_rows, size_t *ret_count, bool *ret_end)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    size_t seen = 0;
    *ret_count = 0;
    *ret_end = at->at >= s->issuer_count;
    if (*ret_end) {
        return LT_OK;
    }
    LT_TRY(store_query(s->store, &sql[SQL_ROWS],
                       STORE_ARGS(STORE_I(s->issuers[at->at]->id), STORE_B(LT_SLICE(at->last, at->last_len)),
                                  STORE_I(limit)),
                       &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = take_row(&rows, at, ret_rows, ret_count);
        seen++;
    }
    lt_res end = store_rows_end(&rows);
    LT_TRY(r);
    LT_TRY(end);
    if (seen < limit) {
        at->at++;
        at->last_len = 0;
    }
    *ret_end = at->at >= s->issuer_count;
    return LT_OK;
}

/* ---- what changed since ---- */

static bool place_of(const struct ca_ocsp_source *s, int64_t issuer, uint16_t *ret_place)
{
    for (size_t i = 0; i < s->issuer_count; i++) {
        if (s->issuers[i]->id == issuer) {
            *ret_place = (uint16_t)i;
            return true;
        }
    }
    return false;
}

/* *ret_more: there are more than one look takes. What has expired, or was revoked before its certificate
 * came, is left out. */
static lt_res find(const struct ca_ocsp_source *s, size_t which, lt_time since, lt_time now,
                   struct ca_ocsp_row *rows, size_t *count, bool *ret_more)
{
    struct store_rows found;
    size_t seen = 0;
    lt_res r = LT_OK;
    LT_TRY(store_query(s->store, &sql[which], STORE_ARGS(STORE_I(since.us), STORE_I(CA_OCSP_CHANGES_MAX)),
                       &found));
    while (!lt_failed(r) && *count < CA_OCSP_CHANGES_MAX && store_next(&found)) {
        uint16_t place;
        bool live = false;
        seen++;
        if (place_of(s, store_int(&found, 5), &place)) {
            r = read_row(&found, place, now, &rows[*count], &live);
        }
        *count += live;
    }
    lt_res end = store_rows_end(&found);
    LT_TRY(r);
    *ret_more = seen >= CA_OCSP_CHANGES_MAX || *count >= CA_OCSP_CHANGES_MAX;
    return end;
}

static int by_key(const void *a, const void *b)
{
    return ca_ocsp_row_compare(a, b);
}

void ca_ocsp_sort(struct ca_ocsp_row *rows, size_t count)
{
    if (count > 1) {
        qsort(rows, count, sizeof rows[0], by_key);
    }
}

static size_t each_once(struct ca_ocsp_row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || ca_ocsp_row_compare(&rows[kept - 1], &rows[i]) != 0) {
            rows[kept++] = rows[i];
        }
    }
    return kept;
}

lt_res ca_ocsp_changes(const struct ca_ocsp_source *s, lt_time since, lt_time now,
                       struct ca_ocsp_row *ret_rows, size_t *ret_count, bool *ret_more)
{
    size_t count = 0;
    bool more = false;
    *ret_count = 0;
    *ret_more = false;
    LT_TRY(find(s, SQL_ISSUED, since, now, ret_rows, &count, &more));
    LT_CHECK(!more, LT_PEER_TOO_LARGE, "over %d changes for OCSP", CA_OCSP_CHANGES_MAX);
    size_t issued = count;
    LT_TRY(find(s, SQL_REVOKED, since, now, ret_rows, &count, ret_more));
    count = *ret_more ? issued : count;
    ca_ocsp_sort(ret_rows, count);
    *ret_count = each_once(ret_rows, count);
    return LT_OK;
}

bool ca_ocsp_same_facts(const struct ca_ocsp_row *a, const struct ca_ocsp_row *b)
{
    return ca_ocsp_row_compare(a, b) == 0 && a->status == b->status && a->reason == b->reason &&
           a->revoked_s == b->revoked_s;
}
