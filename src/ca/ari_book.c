/* Renewal information out of the book. */
#include "ca/ari_book.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                      \
    "SELECT c.serial, c.not_before_us, c.not_after_us, r.recorded_us, w.start_us, w.end_us, w.url, " \
    "c.issuer, c.issued_us FROM "
#define CERTIFICATE "LEFT JOIN certificate c ON c.issuer = r.issuer AND c.serial = r.serial AND c.copy = 0 "
#define REVOCATION \
    "LEFT JOIN revocation r ON r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial "
#define WINDOW "LEFT JOIN renewal_window w ON w.issuer = c.issuer AND w.serial = c.serial "

static const struct store_sql sql[] = {
    /* Ranges of the primary key, in its order. */
    {"ari.rows", COLUMNS "certificate c " REVOCATION WINDOW
                         "WHERE c.issuer = ?1 AND c.serial > ?2 AND c.copy = 0 ORDER BY c.serial LIMIT ?3"},
    /* Whole rows: a look-up for each is a round trip for each where the book is on a server. */
    {"ari.issued", COLUMNS "certificate c " REVOCATION WINDOW
                           "WHERE c.issued_us >= ?1 AND c.copy = 0 ORDER BY c.issued_us LIMIT ?2"},
    {"ari.revoked",
     COLUMNS "revocation r " CERTIFICATE WINDOW "WHERE r.recorded_us >= ?1 ORDER BY r.recorded_us LIMIT ?2"},
    {"ari.set",
     COLUMNS "renewal_window w "
             "JOIN certificate c ON c.issuer = w.issuer AND c.serial = w.serial AND c.copy = 0 " REVOCATION
             "WHERE w.set_us >= ?1 ORDER BY w.set_us LIMIT ?2"},
};
enum { SQL_ROWS, SQL_ISSUED, SQL_REVOKED, SQL_SET };
const struct store_sql *const ca_ari_sql = sql;
const size_t ca_ari_sql_count = LT_COUNT(sql);

void ca_ari_build_init(struct ca_ari_build *b, struct store *store, const struct ca_crl_issuer *issuers,
                       size_t issuer_count, lt_time now)
{
    *b = (struct ca_ari_build){.store = store, .issuers = issuers, .issuer_count = issuer_count, .now = now};
    ca_ari_strings_init(&b->strings);
}

void ca_ari_build_done(struct ca_ari_build *b)
{
    ca_waves_free(b->waves);
    b->waves = NULL;
    ca_ari_strings_done(&b->strings);
}

static void add_issuers(const struct ca_ari_build *b, struct lt_buf *out)
{
    for (size_t i = 0; i < b->issuer_count; i++) {
        struct ca_ari_issuer one = {0};
        lt_slice key_id = lt_slice_sub(b->issuers[i].key_id, 0, sizeof one.key_id);
        memcpy(one.key_id, key_id.ptr, key_id.len); /* never empty: ca_crl_issuers looked */
        one.len = (uint8_t)key_id.len;
        lt_buf_add(out, LT_SLICE(&one, sizeof one));
    }
}

void ca_ari_build_begin(const struct ca_ari_build *b, struct lt_buf *out)
{
    struct ca_ari_header empty = {0};
    lt_buf_add(out, LT_SLICE(&empty, sizeof empty));
    add_issuers(b, out);
}

static struct ca_ari_facts facts_of(const struct store_rows *rows)
{
    return (struct ca_ari_facts){
        .serial = store_bytes(rows, 0),
        .not_before = {store_int(rows, 1)},
        .not_after = {store_int(rows, 2)},
        .revoked = {store_int(rows, 3)},
        .set_start = {store_int(rows, 4)},
        .set_end = {store_int(rows, 5)},
        .set_url = store_bytes(rows, 6),
    };
}

/* What an incident's plan says, where nothing more urgent or more exact is said. */
static void take_wave(struct ca_ari_facts *f, const struct ca_wave_window *w, const char *url)
{
    if (url != NULL && f->set_start.us == 0) {
        f->set_start = w->start;
        f->set_end = w->end;
        f->set_url = lt_slice_cstr(url);
    }
}

/* Every certificate in its turn, so that ranks are counted. */
static lt_res walk_wave(struct ca_ari_build *b, const struct store_rows *rows, struct ca_ari_facts *f)
{
    struct ca_wave_window w;
    const char *url = NULL;
    if (ca_waves_count(b->waves) == 0) {
        return LT_OK;
    }
    LT_TRY(ca_waves_walk(b->waves, store_int(rows, 7), f->serial, &w, &url));
    take_wave(f, &w, url);
    return LT_OK;
}

static lt_res read_row(const struct ca_ari_facts *f, size_t issuer, struct ca_ari_strings *strings,
                       struct ca_ari_row *ret_row)
{
    struct ca_ari_window w;
    struct ca_ari_row row = {.issuer = (uint16_t)issuer};
    lt_slice serial = f->serial;
    LT_CHECK(serial.len > 0 && serial.len <= sizeof row.serial, LT_STATE_CORRUPT,
             "the book has a serial of %zu bytes", serial.len);
    memcpy(row.serial, serial.ptr, serial.len);
    row.serial_len = (uint8_t)serial.len;
    ca_ari_window_of(f, &w);
    row.start_s = lt_time_seconds(w.start);
    row.end_s = lt_time_seconds(w.end);
    row.end_s = row.end_s > row.start_s ? row.end_s : row.start_s + 1;
    *ret_row = row;
    return ca_ari_strings_add(strings, w.url, &ret_row->url);
}

static lt_res add_row(struct ca_ari_build *b, const struct store_rows *rows, struct lt_buf *out)
{
    lt_slice serial = store_bytes(rows, 0);
    struct ca_ari_facts f = facts_of(rows);
    struct ca_ari_row row;
    LT_TRY(walk_wave(b, rows, &f));
    b->last_len = serial.len < sizeof b->last ? serial.len : sizeof b->last;
    memcpy(b->last, serial.ptr, b->last_len);
    if (store_int(rows, 2) < b->now.us) {
        return LT_OK;
    }
    LT_TRY(read_row(&f, b->at, &b->strings, &row));
    lt_buf_add(out, LT_SLICE(&row, sizeof row));
    b->rows++;
    return LT_OK;
}

lt_res ca_ari_build_rows(struct ca_ari_build *b, size_t limit, struct lt_buf *out, bool *ret_end)
{
    *ret_end = b->at >= b->issuer_count;
    if (*ret_end) {
        return LT_OK;
    }
    struct store_rows rows;
    lt_res r = LT_OK;
    size_t seen = 0;
    LT_TRY(b->waves != NULL ? LT_OK : ca_waves_load(b->store, &b->waves));
    LT_TRY(store_query(
        b->store, &sql[SQL_ROWS],
        STORE_ARGS(STORE_I(b->issuers[b->at].id), STORE_B(LT_SLICE(b->last, b->last_len)), STORE_I(limit)),
        &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = add_row(b, &rows, out);
        seen++;
    }
    lt_res end = store_rows_end(&rows);
    LT_TRY(r);
    LT_TRY(end);
    if (seen < limit) {
        b->at++;
        b->last_len = 0;
    }
    *ret_end = b->at >= b->issuer_count;
    return lt_buf_check(out);
}

struct ca_ari_header ca_ari_build_end(const struct ca_ari_build *b, struct lt_buf *out)
{
    lt_buf_add(out, lt_buf_slice(&b->strings.text));
    return ca_ari_head(b->now.us, b->rows, (uint32_t)b->issuer_count, b->strings.text.len);
}

/* ---- what changed since ---- */

void ca_ari_delta_init(struct ca_ari_delta *d)
{
    *d = (struct ca_ari_delta){0};
    ca_ari_strings_init(&d->strings);
}

void ca_ari_delta_done(struct ca_ari_delta *d)
{
    ca_waves_free(d->waves);
    d->waves = NULL;
    free(d->rows);
    d->rows = NULL;
    ca_ari_strings_done(&d->strings);
}

void ca_ari_delta_reset(struct ca_ari_delta *d)
{
    d->count = 0;
    ca_ari_strings_reset(&d->strings);
}

static bool place_of(const struct ca_ari_build *book, int64_t issuer, size_t *ret_place)
{
    for (size_t i = 0; i < book->issuer_count; i++) {
        if (book->issuers[i].id == issuer) {
            *ret_place = i;
            return true;
        }
    }
    return false;
}

static const struct ca_ari_row *find_old(const struct ca_ari_delta *d, size_t count,
                                         const struct ca_ari_row *row)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = ca_ari_row_compare(row, &d->rows[mid]);
        if (c == 0) {
            return &d->rows[mid];
        }
        low = c > 0 ? mid + 1 : low;
        high = c > 0 ? high : mid;
    }
    return NULL;
}

/* A window of before may have become another: then the row is there twice, and the later turn stays. */
static lt_res put(struct ca_ari_delta *d, size_t old_count, struct ca_ari_row *row)
{
    const struct ca_ari_row *old = find_old(d, old_count, row);
    if (old != NULL && old->start_s == row->start_s && old->end_s == row->end_s && old->url == row->url) {
        return LT_OK;
    }
    LT_CHECK(d->count < CA_ARI_DELTA_MAX, LT_PEER_TOO_LARGE, "over %d changes of renewal information",
             CA_ARI_DELTA_MAX);
    if (d->count == d->size) {
        d->size = d->size == 0 ? 1024 : d->size * 2;
        d->rows = realloc(d->rows, d->size * sizeof d->rows[0]);
        LT_ASSERT(d->rows != NULL);
    }
    row->turn = d->turn;
    d->rows[d->count++] = *row;
    return LT_OK;
}

/* A member of a plan that changed otherwise keeps its window. */
static lt_res find_wave(struct ca_ari_delta *d, const struct ca_ari_build *book,
                        const struct store_rows *rows, struct ca_ari_facts *f)
{
    struct ca_wave_window w;
    const char *url = NULL;
    if (f->revoked.us != 0 || f->set_start.us != 0) {
        return LT_OK;
    }
    LT_TRY(d->waves != NULL ? LT_OK : ca_waves_load(book->store, &d->waves));
    if (ca_waves_count(d->waves) == 0) {
        return LT_OK;
    }
    LT_CHECK(d->found++ < CA_ARI_FIND_MAX, LT_PEER_TOO_LARGE, "over %d changes among an incident's members",
             CA_ARI_FIND_MAX);
    LT_TRY(ca_waves_find(d->waves, store_int(rows, 7), f->serial, (lt_time){store_int(rows, 8)}, &w, &url));
    take_wave(f, &w, url);
    return LT_OK;
}

static lt_res take_row(struct ca_ari_delta *d, const struct ca_ari_build *book, const struct store_rows *rows,
                       size_t old_count)
{
    struct ca_ari_row row;
    struct ca_ari_facts f = facts_of(rows);
    size_t place = 0;
    if (!place_of(book, store_int(rows, 7), &place)) {
        return LT_OK;
    }
    LT_TRY(find_wave(d, book, rows, &f));
    LT_TRY(read_row(&f, place, &d->strings, &row));
    return put(d, old_count, &row);
}

static lt_res take_all(struct ca_ari_delta *d, const struct ca_ari_build *book, size_t which, lt_time since,
                       size_t old_count)
{
    struct store_rows rows;
    size_t seen = 0;
    lt_res r = LT_OK;
    LT_TRY(store_query(book->store, &sql[which], STORE_ARGS(STORE_I(since.us), STORE_I(CA_ARI_DELTA_MAX)),
                       &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = take_row(d, book, &rows, old_count);
        seen++;
    }
    lt_res end = store_rows_end(&rows);
    LT_TRY(r);
    LT_TRY(end);
    LT_CHECK(seen < CA_ARI_DELTA_MAX, LT_PEER_TOO_LARGE, "over %d changes of renewal information",
             CA_ARI_DELTA_MAX);
    return LT_OK;
}

static int by_row_then_turn(const void *a, const void *b)
{
    const struct ca_ari_row *x = a;
    const struct ca_ari_row *y = b;
    int c = ca_ari_row_compare(x, y);
    return c != 0 ? c : (int)(y->turn > x->turn) - (int)(y->turn < x->turn);
}

static void sort(struct ca_ari_delta *d)
{
    size_t kept = 0;
    qsort(d->rows, d->count, sizeof d->rows[0], by_row_then_turn);
    for (size_t i = 0; i < d->count; i++) {
        if (kept == 0 || ca_ari_row_compare(&d->rows[kept - 1], &d->rows[i]) != 0) {
            d->rows[kept++] = d->rows[i];
        }
    }
    d->count = kept;
}

lt_res ca_ari_delta_take(struct ca_ari_delta *d, const struct ca_ari_build *book, lt_time since,
                         bool *ret_changed)
{
    size_t old_count = d->count;
    *ret_changed = false;
    d->turn++;
    ca_waves_free(d->waves); /* of the last look */
    d->waves = NULL;
    d->found = 0;
    lt_res r = take_all(d, book, SQL_ISSUED, since, old_count);
    r = lt_failed(r) ? r : take_all(d, book, SQL_REVOKED, since, old_count);
    r = lt_failed(r) ? r : take_all(d, book, SQL_SET, since, old_count);
    *ret_changed = d->count != old_count;
    if (*ret_changed) {
        sort(d);
    }
    return r;
}

void ca_ari_delta_write(const struct ca_ari_delta *d, const struct ca_ari_build *book, int64_t generation,
                        struct lt_buf *out)
{
    struct ca_ari_header head = ca_ari_head(generation, d->count, (uint32_t)book->issuer_count,
                                            d->strings.text.len);
    lt_buf_add(out, LT_SLICE(&head, sizeof head));
    add_issuers(book, out);
    lt_buf_add(out, LT_SLICE(d->rows, d->count * sizeof d->rows[0]));
    lt_buf_add(out, lt_buf_slice(&d->strings.text));
}
