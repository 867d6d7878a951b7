/* See tally.h. */
#include "ca/tally.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_OF "c.not_after_us / 3600000000"
#define REVOCATION_OF_C "revocation r ON r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial "
#define ADD_TO                                                                                     \
    "ON CONFLICT (hour, host, issuer, profile) DO UPDATE SET certificates = tally.certificates + " \
    "excluded.certificates, revoked = tally.revoked + excluded.revoked"
enum {
    SQL_AT,
    SQL_BEGIN,
    SQL_MOVE,
    SQL_SLICE,
    SQL_ADD,
    SQL_MINUTE,
    SQL_MINUTES_OLD,
    SQL_IS_OLD,
    SQL_FOLD,
    SQL_FOLDED,
    SQL_HEARD,
    SQL_MASS,
    SQL_FORGET,
    SQL_FORGET_WALK,
    SQL_ALL,
    SQL_ALL_WALK,
};
static const struct store_sql sql[] = {
    [SQL_AT] = {"tally.at", "SELECT issuer, serial, ended_us FROM tally_walk WHERE id = 1"},
    [SQL_BEGIN] = {"tally.begin", "INSERT INTO tally_walk (id, issuer, serial, counted, begun_us, ended_us) "
                                  "VALUES (1, ?1, ?2, 0, ?3, 0)"},
    [SQL_MOVE] = {"tally.move", "UPDATE tally_walk SET issuer = ?1, serial = ?2, counted = counted + ?3, "
                                "ended_us = ?4 WHERE id = 1"},
    [SQL_SLICE] = {"tally.slice",
                   "SELECT c.issuer, c.serial, c.profile, c.not_after_us, CASE WHEN r.serial IS NULL THEN 0 "
                   "ELSE 1 END FROM certificate c LEFT JOIN " REVOCATION_OF_C
                   "WHERE (c.issuer, c.serial, c.copy) > (?1, ?2, ?3) AND c.copy = 0 "
                   "ORDER BY c.issuer, c.serial, c.copy LIMIT ?4"},
    [SQL_ADD] = {"tally.add", "INSERT INTO tally (hour, host, issuer, profile, certificates, revoked) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6) " ADD_TO},
    [SQL_MINUTE] = {"tally.minute",
                    "INSERT INTO tally_minute (minute, host, issued, revoked, failed) VALUES (?1, ?2, ?3, "
                    "?4, ?5) ON CONFLICT (minute, host) DO UPDATE SET issued = tally_minute.issued + "
                    "excluded.issued, revoked = tally_minute.revoked + excluded.revoked, "
                    "failed = tally_minute.failed + excluded.failed"},
    [SQL_MINUTES_OLD] = {"tally.minutes-old", "DELETE FROM tally_minute WHERE minute < ?1"},
    [SQL_IS_OLD] = {"tally.is-old", "SELECT 1 FROM tally WHERE hour >= 0 AND hour < ?1 LIMIT 1"},
    [SQL_FOLD] = {"tally.fold",
                  "INSERT INTO tally (hour, host, issuer, profile, certificates, revoked) SELECT -1, o.host, "
                  "o.issuer, o.profile, sum(o.certificates), sum(o.revoked) FROM tally o WHERE o.hour >= 0 "
                  "AND o.hour < ?1 GROUP BY o.host, o.issuer, o.profile " ADD_TO},
    [SQL_FOLDED] = {"tally.folded", "DELETE FROM tally WHERE hour >= 0 AND hour < ?1"},
    [SQL_HEARD] = {"tally.heard", "INSERT INTO tally_heard (host, what, at_us, until_us) VALUES (?1, 'ocsp', "
                                  "?2, ?3) ON CONFLICT (host, what) DO UPDATE SET at_us = excluded.at_us, "
                                  "until_us = excluded.until_us"},
    [SQL_MASS] = {"tally.mass",
                  "SELECT m.serial, c.profile, c.not_after_us FROM mass_member m CROSS JOIN certificate c ON "
                  "c.issuer = m.issuer AND c.serial = m.serial AND c.copy = 0 WHERE m.mass = ?1 AND "
                  "m.tier = ?2 AND m.issuer = ?3 AND m.serial > ?4 AND m.serial <= ?5 AND m.state = 0 AND "
                  "NOT EXISTS (SELECT 1 FROM revocation r WHERE r.issuer = c.issuer AND r.shard = c.shard "
                  "AND r.serial = c.serial)"},
    [SQL_FORGET] = {"tally.forget", "DELETE FROM tally"},
    [SQL_FORGET_WALK] = {"tally.forget-walk", "DELETE FROM tally_walk"},
    [SQL_ALL] = {"tally.all", "INSERT INTO tally (hour, host, issuer, profile, certificates, revoked) "
                              "SELECT " HOUR_OF ", 1, c.issuer, c.profile, count(*), count(r.serial) "
                              "FROM certificate c LEFT JOIN " REVOCATION_OF_C
                              "WHERE c.copy = 0 GROUP BY " HOUR_OF ", c.issuer, c.profile"},
    [SQL_ALL_WALK] = {"tally.all-walk",
                      "INSERT INTO tally_walk (id, issuer, serial, counted, begun_us, ended_us) "
                      "SELECT 1, ?1, ?2, coalesce(sum(certificates), 0), ?3, ?3 FROM tally WHERE hour >= 0"},
};
const struct store_sql *const ca_tally_sql = sql;
const size_t ca_tally_sql_count = LT_COUNT(sql);

enum {
    SLICE = 4000,
    SERIAL_MAX = 20,
    KEEP_HOURS = 48,     /* of what has expired */
    KEEP_MINUTES = 1500, /* a day and an hour */
    HEARD_S = 30,
};
#define HOUR_US (3600 * LT_US_PER_SECOND)
#define MINUTE_US (60 * LT_US_PER_SECOND)

struct key {
    int64_t hour;
    int64_t issuer;
    int64_t profile;
};

/* What is to be added with the open group. */
struct ca_tally_change {
    struct key key;
    size_t serial_len;
    uint8_t serial[SERIAL_MAX];
    bool settled; /* whether the walk is behind it was looked at already */
    int64_t certificates;
    int64_t revoked;
    int64_t minute;
    int64_t issued_now;
    int64_t revoked_now;
    int64_t failed_now;
};

/* Up to where everything is counted. */
struct place {
    bool begun;
    bool ended;
    int64_t issuer;
    size_t serial_len;
    uint8_t serial[SERIAL_MAX];
};

static int64_t hour_of(int64_t not_after_us)
{
    return not_after_us < 0 ? 0 : not_after_us / HOUR_US;
}

static size_t copy_serial(uint8_t to[SERIAL_MAX], lt_slice serial)
{
    size_t len = serial.len < SERIAL_MAX ? serial.len : SERIAL_MAX;
    if (len > 0) {
        memcpy(to, serial.ptr, len);
    }
    return len;
}

static lt_res load_place(struct ca_turn *t, struct place *p)
{
    struct store_rows rows;
    *p = (struct place){.begun = false};
    LT_TRY(store_query(t->store, &sql[SQL_AT], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        p->begun = true;
        p->issuer = store_int(&rows, 0);
        p->serial_len = copy_serial(p->serial, store_bytes(&rows, 1));
        p->ended = store_int(&rows, 2) != 0;
    }
    return store_rows_end(&rows);
}

/* As the database orders its keys. */
static bool is_counted(const struct place *p, int64_t issuer, lt_slice serial)
{
    if (!p->begun || p->ended || issuer != p->issuer) {
        return p->begun && (p->ended || issuer < p->issuer);
    }
    size_t len = serial.len < p->serial_len ? serial.len : p->serial_len;
    int order = len == 0 ? 0 : memcmp(serial.ptr, p->serial, len);
    return order < 0 || (order == 0 && serial.len <= p->serial_len);
}

/* ---- what is said ---- */

static struct ca_tally_change *more(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    if (b->at.tally_waiting == b->tally_room) {
        b->tally_room = b->tally_room == 0 ? 256 : b->tally_room * 2;
        b->tally = realloc(b->tally, b->tally_room * sizeof *b->tally);
        LT_ASSERT(b->tally != NULL);
    }
    struct ca_tally_change *c = &b->tally[b->at.tally_waiting++];
    *c = (struct ca_tally_change){.minute = t->now.us / MINUTE_US};
    return c;
}

static struct ca_tally_change *of_certificate(struct ca_turn *t, const struct ca_tally_certificate *c)
{
    struct ca_tally_change *change = more(t);
    change->key = (struct key){hour_of(c->not_after_us), c->issuer, c->profile};
    change->serial_len = copy_serial(change->serial, c->serial);
    return change;
}

lt_res ca_tally_issued(struct ca_turn *t, const struct ca_tally_certificate *c, bool brought_in)
{
    if (t->book != NULL) {
        struct ca_tally_change *change = of_certificate(t, c);
        change->certificates = 1;
        change->issued_now = !brought_in;
    }
    return LT_OK;
}

lt_res ca_tally_revoked(struct ca_turn *t, const struct ca_tally_certificate *c, bool brought_in)
{
    if (t->book != NULL) {
        struct ca_tally_change *change = of_certificate(t, c);
        change->revoked = 1;
        change->revoked_now = !brought_in;
    }
    return LT_OK;
}

lt_res ca_tally_failed(struct ca_turn *t)
{
    if (t->book != NULL) {
        struct ca_tally_change *change = more(t);
        change->settled = true;
        change->failed_now = 1;
    }
    return LT_OK;
}

/* ---- into the book ---- */

static int by_key(const void *a, const void *b)
{
    const struct key *x = &((const struct ca_tally_change *)a)->key;
    const struct key *y = &((const struct ca_tally_change *)b)->key;
    if (x->hour != y->hour) {
        return x->hour < y->hour ? -1 : 1;
    }
    if (x->issuer != y->issuer) {
        return x->issuer < y->issuer ? -1 : 1;
    }
    return (x->profile > y->profile) - (x->profile < y->profile);
}

static lt_res add_to_key(struct ca_turn *t, const struct ca_tally_change *sum)
{
    if (sum->certificates == 0 && sum->revoked == 0) {
        return LT_OK;
    }
    return store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(sum->key.hour), STORE_I(t->book->host.id), STORE_I(sum->key.issuer),
                                 STORE_I(sum->key.profile), STORE_I(sum->certificates),
                                 STORE_I(sum->revoked)),
                      NULL);
}

/* A row for each key: list is sorted by it. */
static lt_res add_keys(struct ca_turn *t, struct ca_tally_change *list, size_t count)
{
    for (size_t i = 0; i < count;) {
        struct ca_tally_change sum = list[i];
        for (i++; i < count && by_key(&sum, &list[i]) == 0; i++) {
            sum.certificates += list[i].certificates;
            sum.revoked += list[i].revoked;
        }
        LT_TRY(add_to_key(t, &sum));
    }
    return LT_OK;
}

/* In the order in which they came: mostly one minute. */
static lt_res add_minutes(struct ca_turn *t, const struct ca_tally_change *list, size_t count)
{
    for (size_t i = 0; i < count;) {
        int64_t minute = list[i].minute;
        int64_t issued = 0;
        int64_t revoked = 0;
        int64_t failed = 0;
        for (; i < count && list[i].minute == minute; i++) {
            issued += list[i].issued_now;
            revoked += list[i].revoked_now;
            failed += list[i].failed_now;
        }
        if (issued + revoked + failed > 0) {
            LT_TRY(store_exec(t->store, &sql[SQL_MINUTE],
                              STORE_ARGS(STORE_I(minute), STORE_I(t->book->host.id), STORE_I(issued),
                                         STORE_I(revoked), STORE_I(failed)),
                              NULL));
        }
    }
    return LT_OK;
}

/* The list in memory stays as it is: a savepoint that is lost wants it back. */
lt_res ca_tally_flush(struct ca_turn *t)
{
    struct place at;
    struct ca_book *b = t->book;
    size_t count = 0;
    if (b == NULL || b->at.tally_waiting == 0) {
        return LT_OK;
    }
    struct ca_tally_change *list = LT_NEW_ARRAY(t->arena, struct ca_tally_change, b->at.tally_waiting);
    LT_ASSERT(list != NULL);
    LT_TRY(load_place(t, &at));
    LT_TRY(add_minutes(t, b->tally, b->at.tally_waiting));
    for (size_t i = 0; i < b->at.tally_waiting; i++) {
        const struct ca_tally_change *c = &b->tally[i];
        if (c->settled || is_counted(&at, c->key.issuer, LT_SLICE(c->serial, c->serial_len))) {
            list[count++] = *c;
        }
    }
    qsort(list, count, sizeof *list, by_key);
    b->at.tally_waiting = 0;
    return add_keys(t, list, count);
}

/* ---- mass revocations ---- */

lt_res ca_tally_mass(struct ca_turn *t, const struct ca_tally_members *m)
{
    struct place at;
    struct store_rows rows;
    LT_TRY(load_place(t, &at));
    LT_TRY(store_query(t->store, &sql[SQL_MASS],
                       STORE_ARGS(STORE_I(m->mass), STORE_I(m->tier), STORE_I(m->issuer), STORE_B(m->behind),
                                  STORE_B(m->to)),
                       &rows));
    while (store_next(&rows)) {
        struct ca_tally_change *c = more(t);
        bool counted = is_counted(&at, m->issuer, store_bytes(&rows, 0));
        c->key = (struct key){hour_of(store_int(&rows, 2)), m->issuer, store_int(&rows, 1)};
        c->settled = true; /* the walk cannot come by in between: it is of this transaction's loop */
        c->revoked = counted;
        c->revoked_now = 1;
    }
    return store_rows_end(&rows);
}

/* ---- the walk ---- */

struct walk {
    struct place at;
    struct ca_tally_change *list;
    size_t count;
};

static lt_res begin_walk(struct ca_turn *t, struct place *p)
{
    p->begun = true;
    p->issuer = INT64_MIN;
    return store_exec(t->store, &sql[SQL_BEGIN],
                      STORE_ARGS(STORE_I(p->issuer), STORE_B(LT_LIT("")), STORE_I(t->now.us)), NULL);
}

static lt_res read_slice(struct ca_turn *t, struct walk *w)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_SLICE],
                       STORE_ARGS(STORE_I(w->at.issuer), STORE_B(LT_SLICE(w->at.serial, w->at.serial_len)),
                                  STORE_I(INT64_MAX), STORE_I(SLICE)),
                       &rows));
    while (w->count < SLICE && store_next(&rows)) {
        w->at.issuer = store_int(&rows, 0);
        w->at.serial_len = copy_serial(w->at.serial, store_bytes(&rows, 1));
        w->list[w->count++] = (struct ca_tally_change){
            .key = {hour_of(store_int(&rows, 3)), w->at.issuer, store_int(&rows, 2)},
            .certificates = 1,
            .revoked = store_int(&rows, 4),
        };
    }
    return store_rows_end(&rows);
}

static lt_res walk_on(struct ca_turn *t, struct place *at, bool *ret_more)
{
    struct walk w = {.at = *at, .list = LT_NEW_ARRAY(t->arena, struct ca_tally_change, SLICE)};
    LT_ASSERT(w.list != NULL);
    LT_TRY(read_slice(t, &w));
    *ret_more = w.count == SLICE;
    qsort(w.list, w.count, sizeof *w.list, by_key);
    LT_TRY(add_keys(t, w.list, w.count));
    return store_exec(t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(w.at.issuer), STORE_B(LT_SLICE(w.at.serial, w.at.serial_len)),
                                 STORE_I(w.count), STORE_I(*ret_more ? 0 : t->now.us)),
                      NULL);
}

/* Rows of hours that are over for days become one for each profile. */
static lt_res drop_old(struct ca_turn *t)
{
    struct store_rows rows;
    int64_t hour = hour_of(t->now.us) - KEEP_HOURS;
    LT_TRY(store_query(t->store, &sql[SQL_IS_OLD], STORE_ARGS(STORE_I(hour)), &rows));
    bool old = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    if (old) {
        LT_TRY(store_exec(t->store, &sql[SQL_FOLD], STORE_ARGS(STORE_I(hour)), NULL));
        LT_TRY(store_exec(t->store, &sql[SQL_FOLDED], STORE_ARGS(STORE_I(hour)), NULL));
    }
    return store_exec(t->store, &sql[SQL_MINUTES_OLD],
                      STORE_ARGS(STORE_I(t->now.us / MINUTE_US - KEEP_MINUTES)), NULL);
}

lt_res ca_tally_beat(struct ca_turn *t, bool *ret_more)
{
    struct place at;
    *ret_more = false;
    LT_TRY(ca_tally_flush(t)); /* what was said so far was said of a walk that was here */
    LT_TRY(load_place(t, &at));
    if (at.ended) {
        return drop_old(t);
    }
    LT_TRY(at.begun ? LT_OK : begin_walk(t, &at));
    return walk_on(t, &at, ret_more);
}

/* ---- the rest ---- */

lt_res ca_tally_heard(struct ca_turn *t, lt_time answered)
{
    struct ca_book *b = t->book;
    int64_t since_us = t->now.us - b->tally_heard.us;
    if (since_us >= 0 && since_us < HEARD_S * LT_US_PER_SECOND) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_HEARD],
                      STORE_ARGS(STORE_I(b->host.id), STORE_I(t->now.us), STORE_I(answered.us)), NULL));
    b->tally_heard = t->now; /* lost with its savepoint, it is said half a minute later */
    return LT_OK;
}

lt_res ca_tally_anew(struct store *s)
{
    LT_TRY(store_exec(s, &sql[SQL_FORGET], STORE_NO_ARGS, NULL));
    return store_exec(s, &sql[SQL_FORGET_WALK], STORE_NO_ARGS, NULL);
}

lt_res ca_tally_all_at_once(struct store *s, lt_time now)
{
    LT_TRY(ca_tally_anew(s));
    LT_TRY(store_exec(s, &sql[SQL_ALL], STORE_NO_ARGS, NULL));
    return store_exec(s, &sql[SQL_ALL_WALK],
                      STORE_ARGS(STORE_I(INT64_MAX), STORE_B(LT_LIT("")), STORE_I(now.us)), NULL);
}

void ca_tally_free(struct ca_book *b)
{
    free(b->tally);
    b->tally = NULL;
}
