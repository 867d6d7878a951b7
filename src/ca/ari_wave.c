/* See ari_wave.h. */
#include "ca/ari_wave.h"

#include <stdlib.h>
#include <string.h>

static const struct store_sql sql[] = {
    {"wave.set", "SELECT p.mass, m.as_of_us, p.count, p.first_rank, p.start_us, p.end_us, p.width_us, "
                 "p.explanation FROM incident_plan p JOIN mass m ON m.id = p.mass "
                 "WHERE p.status = 'set' ORDER BY p.set_us DESC LIMIT 16"},
    {"wave.batches", "SELECT batch, tier, issuer, first, last, count FROM mass_batch WHERE mass = ?1 AND "
                     "batch > ?2 ORDER BY batch LIMIT 1000"},
    {"wave.members", "SELECT issuer, serial FROM mass_member WHERE mass = ?1 AND tier = ?2 AND "
                     "(issuer, serial) > (?3, ?4) ORDER BY issuer, serial LIMIT 1000"},
    {"wave.member", "SELECT tier FROM mass_member WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND "
                    "serial = ?4"},
    {"wave.rank", "SELECT count(*) FROM mass_member WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND "
                  "serial >= ?4 AND serial < ?5"},
    {"wave.changed", "SELECT mass FROM incident_plan WHERE set_us >= ?1 LIMIT 1"},
};
enum { SQL_SET, SQL_BATCHES, SQL_MEMBERS, SQL_MEMBER, SQL_RANK, SQL_CHANGED };
const struct store_sql *const ca_wave_sql = sql;
const size_t ca_wave_sql_count = LT_COUNT(sql);

enum {
    SERIAL_MAX = 20,
    PAGE = 1000,
    HOUR_S = 3600,
    WEEK_S = 7 * 86400,
    WIDTH_LEAST_S = 300,
    WIDTH_MOST_S = 24 * HOUR_S,
    WIDTH_PART = 8, /* of the time that is left */
};

/* ---- arithmetic ---- */

/* a * b / c without overflow, for times in microseconds and counts of millions. */
static int64_t share(int64_t a, int64_t b, int64_t c)
{
    return c <= 0 ? 0 : (int64_t)((__int128)a * b / c);
}

struct ca_wave_window ca_wave_window(const struct ca_wave *w, int64_t rank)
{
    int64_t places = w->count - w->first_rank;
    int64_t place = rank - w->first_rank;
    int64_t span_us = w->end.us - w->start.us - w->width_us;
    int64_t at_us = place <= 0 || places <= 1 || span_us <= 0 ? 0 : share(span_us, place, places - 1);
    return (struct ca_wave_window){{w->start.us + at_us}, {w->start.us + at_us + w->width_us}};
}

int64_t ca_wave_late(const struct ca_wave *w, lt_time must)
{
    int64_t low = 0;
    int64_t high = w->count;
    while (must.us != 0 && low < high) {
        int64_t mid = low + (high - low) / 2;
        bool late = ca_wave_window(w, mid).end.us > must.us;
        high = late ? mid : high;
        low = late ? low : mid + 1;
    }
    return must.us == 0 ? w->count : low;
}

static int64_t between(int64_t v, int64_t least, int64_t most)
{
    v = v < least ? least : v;
    return v > most ? most : v;
}

void ca_wave_spread(const struct ca_wave_wanted *want, struct ca_wave *w)
{
    int64_t must_us = want->must.us != 0 ? want->must.us : lt_time_add_seconds(want->start, WEEK_S).us;
    int64_t left_us = must_us - want->start.us;
    int64_t reserve_us = between(want->reserve_us, 0, left_us / 2);
    int64_t end_us = want->until.us != 0 ? want->until.us : must_us - reserve_us;
    int64_t free_us = end_us - want->start.us;
    int64_t width_us = want->width_us != 0
                           ? want->width_us
                           : between(free_us / WIDTH_PART, (int64_t)WIDTH_LEAST_S * LT_US_PER_SECOND,
                                     (int64_t)WIDTH_MOST_S * LT_US_PER_SECOND);
    int64_t need_us = share(want->count - want->first_rank, (int64_t)HOUR_S * LT_US_PER_SECOND,
                            want->per_hour);
    int64_t room_us = free_us > width_us ? free_us - width_us : 0;
    int64_t open_us = want->until.us != 0 ? room_us : room_us / 2;
    open_us = open_us < need_us ? need_us : open_us;
    w->count = want->count;
    w->first_rank = want->first_rank;
    w->start = want->start;
    w->width_us = width_us;
    w->end.us = want->start.us + open_us + width_us;
}

/* ---- those in force ---- */

struct batch {
    int64_t tier;
    int64_t issuer;
    int64_t rank; /* of its first member */
    uint8_t first_len;
    uint8_t last_len;
    uint8_t first[SERIAL_MAX];
    uint8_t last[SERIAL_MAX];
};

struct place {
    int64_t issuer;
    uint8_t len;
    uint8_t serial[SERIAL_MAX];
};

/* A tier that is walked along: a page of its members, and the rank of the next one. */
struct walk {
    bool end;
    int64_t rank;
    size_t at;
    size_t count;
    struct place last;  /* of the page before */
    struct place *page; /* owned; NULL until it is wanted */
};

struct wave {
    struct ca_wave wave;
    struct batch *batches; /* owned */
    size_t batch_count;
    size_t batch_room;
    size_t tiers;
    struct walk walks[CA_WAVE_TIERS];
};

struct ca_waves {
    struct store *store; /* borrowed */
    struct wave list[CA_WAVES_MAX];
    size_t count;
};

void ca_waves_free(struct ca_waves *w)
{
    for (size_t i = 0; w != NULL && i < w->count; i++) {
        free(w->list[i].batches);
        for (size_t k = 0; k < CA_WAVE_TIERS; k++) {
            free(w->list[i].walks[k].page);
        }
    }
    free(w);
}

size_t ca_waves_count(const struct ca_waves *w)
{
    return w->count;
}

static uint8_t put_serial(uint8_t to[SERIAL_MAX], lt_slice serial)
{
    size_t len = serial.len < SERIAL_MAX ? serial.len : SERIAL_MAX;
    if (len > 0) {
        memcpy(to, serial.ptr, len);
    }
    return (uint8_t)len;
}

static void add_batch(struct wave *w, const struct store_rows *rows, int64_t rank)
{
    if (w->batch_count == w->batch_room) {
        w->batch_room = w->batch_room == 0 ? 64 : w->batch_room * 2;
        w->batches = realloc(w->batches, w->batch_room * sizeof w->batches[0]);
        LT_ASSERT(w->batches != NULL);
    }
    struct batch *b = &w->batches[w->batch_count++];
    *b = (struct batch){.tier = store_int(rows, 1), .issuer = store_int(rows, 2), .rank = rank};
    b->first_len = put_serial(b->first, store_bytes(rows, 3));
    b->last_len = put_serial(b->last, store_bytes(rows, 4));
}

/* Batches are sealed in the order of tiers, issuers and serials: so ranks follow from their counts. */
static lt_res load_batches(struct store *store, struct wave *w)
{
    int64_t last = -1;
    int64_t rank = 0;
    size_t seen = 0;
    do {
        struct store_rows rows;
        seen = 0;
        LT_TRY(
            store_query(store, &sql[SQL_BATCHES], STORE_ARGS(STORE_I(w->wave.mass), STORE_I(last)), &rows));
        while (store_next(&rows)) {
            int64_t tier = store_int(&rows, 1);
            seen++;
            last = store_int(&rows, 0);
            if (tier >= 0 && tier < CA_WAVE_TIERS) {
                if ((size_t)tier >= w->tiers) {
                    w->tiers = (size_t)tier + 1;
                    w->walks[tier].rank = rank;
                }
                add_batch(w, &rows, rank);
            }
            rank += store_int(&rows, 5);
        }
        LT_TRY(store_rows_end(&rows));
    } while (seen == PAGE);
    return LT_OK;
}

static void read_wave(const struct store_rows *rows, struct ca_wave *w)
{
    lt_slice url = store_bytes(rows, 7);
    w->mass = store_int(rows, 0);
    w->as_of_us = store_int(rows, 1);
    w->count = store_int(rows, 2);
    w->first_rank = store_int(rows, 3);
    w->start.us = store_int(rows, 4);
    w->end.us = store_int(rows, 5);
    w->width_us = store_int(rows, 6);
    if (url.len > 0 && url.len < sizeof w->url) {
        memcpy(w->url, url.ptr, url.len);
    }
}

static lt_res load(struct ca_waves *w)
{
    struct store_rows rows;
    LT_TRY(store_query(w->store, &sql[SQL_SET], STORE_NO_ARGS, &rows));
    while (w->count < CA_WAVES_MAX && store_next(&rows)) {
        read_wave(&rows, &w->list[w->count++].wave);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < w->count; i++) {
        LT_TRY(load_batches(w->store, &w->list[i]));
    }
    return LT_OK;
}

lt_res ca_waves_load(struct store *store, struct ca_waves **ret_waves)
{
    struct ca_waves *w = calloc(1, sizeof *w);
    LT_ASSERT(w != NULL);
    w->store = store;
    lt_res r = load(w);
    if (lt_failed(r)) {
        ca_waves_free(w);
        w = NULL;
    }
    *ret_waves = w;
    return r;
}

/* ---- walking ---- */

static int compare_bytes(lt_slice a, lt_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int c = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);
    return c != 0 ? c : (int)(a.len > b.len) - (int)(a.len < b.len);
}

static int compare(const struct place *p, int64_t issuer, lt_slice serial)
{
    return p->issuer != issuer ? (p->issuer > issuer ? 1 : -1)
                               : compare_bytes(LT_SLICE(p->serial, p->len), serial);
}

static lt_res fill(struct ca_waves *w, const struct wave *v, size_t tier, struct walk *k)
{
    struct store_rows rows;
    k->page = k->page != NULL ? k->page : malloc(PAGE * sizeof *k->page);
    LT_ASSERT(k->page != NULL);
    k->at = 0;
    k->count = 0;
    LT_TRY(store_query(w->store, &sql[SQL_MEMBERS],
                       STORE_ARGS(STORE_I(v->wave.mass), STORE_I(tier), STORE_I(k->last.issuer),
                                  STORE_B(LT_SLICE(k->last.serial, k->last.len))),
                       &rows));
    while (k->count < PAGE && store_next(&rows)) {
        struct place *p = &k->page[k->count++];
        p->issuer = store_int(&rows, 0);
        p->len = put_serial(p->serial, store_bytes(&rows, 1));
    }
    LT_TRY(store_rows_end(&rows));
    k->end = k->count == 0;
    k->last = k->end ? k->last : k->page[k->count - 1];
    return LT_OK;
}

/* Steps to the member at or behind that place; *ret_rank is its own where it is that very certificate. */
static lt_res step_to(struct ca_waves *w, const struct wave *v, size_t tier, struct walk *k, int64_t issuer,
                      lt_slice serial, int64_t *ret_rank)
{
    while (!k->end) {
        if (k->at == k->count) {
            LT_TRY(fill(w, v, tier, k));
            continue;
        }
        int c = compare(&k->page[k->at], issuer, serial);
        if (c == 0) {
            *ret_rank = k->rank;
        }
        if (c >= 0) {
            return LT_OK;
        }
        k->at++;
        k->rank++;
    }
    return LT_OK;
}

lt_res ca_waves_walk(struct ca_waves *w, int64_t issuer, lt_slice serial, struct ca_wave_window *ret_window,
                     const char **ret_url)
{
    *ret_url = NULL;
    for (size_t i = 0; i < w->count; i++) {
        struct wave *v = &w->list[i];
        for (size_t tier = 0; tier < v->tiers; tier++) {
            int64_t rank = -1;
            LT_TRY(step_to(w, v, tier, &v->walks[tier], issuer, serial, &rank));
            if (rank >= 0 && *ret_url == NULL) { /* the newest plan first */
                *ret_window = ca_wave_window(&v->wave, rank);
                *ret_url = v->wave.url;
            }
        }
    }
    return LT_OK;
}

/* ---- one ---- */

static lt_res is_member(struct ca_waves *w, const struct batch *b, int64_t mass, lt_slice serial,
                        bool *ret_is)
{
    struct store_rows rows;
    LT_TRY(store_query(w->store, &sql[SQL_MEMBER],
                       STORE_ARGS(STORE_I(mass), STORE_I(b->tier), STORE_I(b->issuer), STORE_B(serial)),
                       &rows));
    *ret_is = store_next(&rows);
    return store_rows_end(&rows);
}

/* At most the members of one batch are counted. */
static lt_res rank_in(struct ca_waves *w, const struct batch *b, int64_t mass, lt_slice serial,
                      int64_t *ret_rank)
{
    struct store_rows rows;
    LT_TRY(store_query(w->store, &sql[SQL_RANK],
                       STORE_ARGS(STORE_I(mass), STORE_I(b->tier), STORE_I(b->issuer),
                                  STORE_B(LT_SLICE(b->first, b->first_len)), STORE_B(serial)),
                       &rows));
    *ret_rank = b->rank + (store_next(&rows) ? store_int(&rows, 0) : 0);
    return store_rows_end(&rows);
}

static bool may_hold(const struct batch *b, int64_t issuer, lt_slice serial)
{
    return b->issuer == issuer && compare_bytes(serial, LT_SLICE(b->first, b->first_len)) >= 0 &&
           compare_bytes(serial, LT_SLICE(b->last, b->last_len)) <= 0;
}

static lt_res find_in(struct ca_waves *w, const struct wave *v, int64_t issuer, lt_slice serial,
                      int64_t *ret_rank)
{
    *ret_rank = -1;
    for (size_t i = 0; i < v->batch_count; i++) {
        bool is = false;
        if (may_hold(&v->batches[i], issuer, serial)) {
            LT_TRY(is_member(w, &v->batches[i], v->wave.mass, serial, &is));
        }
        if (is) {
            return rank_in(w, &v->batches[i], v->wave.mass, serial, ret_rank);
        }
    }
    return LT_OK;
}

lt_res ca_waves_find(struct ca_waves *w, int64_t issuer, lt_slice serial, lt_time issued,
                     struct ca_wave_window *ret_window, const char **ret_url)
{
    *ret_url = NULL;
    for (size_t i = 0; i < w->count && *ret_url == NULL; i++) {
        const struct wave *v = &w->list[i];
        int64_t rank = -1;
        if (issued.us <= v->wave.as_of_us) {
            LT_TRY(find_in(w, v, issuer, serial, &rank));
        }
        if (rank >= 0) {
            *ret_window = ca_wave_window(&v->wave, rank);
            *ret_url = v->wave.url;
        }
    }
    return LT_OK;
}

lt_res ca_waves_changed(struct store *store, lt_time since, bool *ret_changed)
{
    struct store_rows rows;
    LT_TRY(store_query(store, &sql[SQL_CHANGED], STORE_ARGS(STORE_I(since.us)), &rows));
    *ret_changed = store_next(&rows);
    return store_rows_end(&rows);
}
