/* Triggers that look at what relying parties are given: 8 to 11. */
#include <stdio.h>
#include <string.h>

#include "ca/book.h"
#include "ca/config.h"
#include "ca/freshness.h"
#include "incident/watch.h"

static const struct store_sql sql[] = {
    {"watch.crl-last",
     "SELECT number, this_update_us, next_update_us, entries FROM crl WHERE issuer = ?1 AND "
     "shard = ?2 ORDER BY number DESC LIMIT 2"},
    {"watch.crl-until",
     "SELECT number, this_update_us, next_update_us, entries FROM crl WHERE issuer = ?1 AND "
     "shard = ?2 AND number <= ?3 ORDER BY number DESC LIMIT 2"},
    {"watch.crl-check",
     "SELECT good, tries, took_us, detail FROM crl_check WHERE issuer = ?1 AND shard = ?2"},
    {"watch.crl-kept", "SELECT number, kept_from_us FROM crl_kept WHERE issuer = ?1 AND shard = ?2"},
    {"watch.first", "SELECT issued_us FROM certificate WHERE issuer = ?1 ORDER BY serial LIMIT 1"},
    {"watch.recorded", "SELECT issuer, shard, recorded_us FROM revocation WHERE recorded_us > ?1 AND "
                       "recorded_us <= ?2 ORDER BY recorded_us LIMIT 250"},
    {"watch.issued-between",
     "SELECT issuer FROM certificate WHERE issued_us > ?1 AND issued_us <= ?2 ORDER BY issued_us LIMIT 100"},
    {"watch.responder", "SELECT body FROM event WHERE subject = ?1 ORDER BY time_us DESC LIMIT 1"},
};
enum { SQL_LAST, SQL_UNTIL, SQL_CHECK, SQL_KEPT, SQL_FIRST, SQL_RECORDED, SQL_BETWEEN, SQL_RESPONDER };
const struct incident_sql watch_crl_sql = {sql, LT_COUNT(sql)};

enum {
    HOUR = 3600,
    NEAR_S = 48 * HOUR,     /* before nextUpdate */
    SLOW_US = 10 * 1000000, /* of a fetch */
    TRIES_LEAST = 3,        /* before a fetch that fails is told */
    STEP_LEAST = 1000,      /* entries, of a change of size */
    PARTS_AT_ONCE = 50,
    PARTS_MOST = 300, /* more than these are looked at row by row */
    WARN_S = 6 * HOUR,
    PAGE_S = 20 * HOUR,
    BREACH_S = 24 * HOUR,
    ANSWER_S = 900, /* until OCSP must know a certificate */
};

struct crl {
    lt_slice number;
    lt_time this_update;
    lt_time next_update;
    int64_t entries;
};

/* At most two, the newest first. */
static lt_res read_crls(struct watch_look *look, const struct store_sql *q, const struct store_value *values,
                        size_t value_count, struct crl list[2], size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(look->t->store, q, values, value_count, &rows));
    while (n < 2 && store_next(&rows)) {
        list[n++] = (struct crl){.number = lt_arena_copy(look->t->arena, store_bytes(&rows, 0)),
                                 .this_update = {store_int(&rows, 1)},
                                 .next_update = {store_int(&rows, 2)},
                                 .entries = store_int(&rows, 3)};
    }
    *ret_count = n;
    return store_rows_end(&rows);
}

/* ---- each part of each CRL that we publish ---- */

struct part {
    const struct ca_issuer *issuer;
    int64_t shard;
    const char *subject;
};
typedef lt_res each_part(struct watch_look *look, const struct part *p);

/* The parts that certificates point to; 0 is the complete CRL where there are no parts. */
static bool publishes(const struct watch_look *look, const struct ca_issuer *issuer)
{
    const struct ca_config_issuer *c = look->config == NULL
                                           ? NULL
                                           : ca_config_issuer(look->config, lt_slice_cstr(issuer->name));
    return look->config == NULL ? !issuer->offline : c != NULL && c->crl && !c->offline;
}

static lt_res one_part(struct watch_look *look, const struct ca_issuer *issuer, int64_t shard,
                       each_part *each)
{
    struct part p = {.issuer = issuer, .shard = shard};
    p.subject = lt_arena_printf(look->t->arena, "crl %s %lld", issuer->name, (long long)shard);
    LT_ASSERT(p.subject != NULL);
    look->looked++;
    return each(look, &p);
}

/* Place: number of the issuer in memory, and of its part. */
static lt_res each_crl(struct watch_look *look, each_part *each)
{
    const struct ca_book *b = look->t->book;
    int64_t at = 0;
    int64_t shard = 0;
    watch_place_read(look, &at, &shard);
    for (size_t done = 0; (size_t)at < b->issuer_count; at++, shard = 0) {
        const struct ca_issuer *issuer = &b->issuers[at];
        int64_t last = issuer->crl_shards;
        if (!publishes(look, issuer)) {
            continue;
        }
        for (; shard <= last; shard++) {
            if (done++ == PARTS_AT_ONCE) {
                watch_place_write(look, at, shard);
                return LT_OK;
            }
            LT_TRY(one_part(look, issuer, shard, each));
        }
    }
    look->done = true;
    return LT_OK;
}

/* ---- 8 ---- */

static lt_res missing(struct watch_look *look, const struct part *p)
{
    struct store_rows rows;
    LT_TRY(store_query(look->t->store, &sql[SQL_FIRST], STORE_ARGS(STORE_I(p->issuer->id)), &rows));
    int64_t first_us = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    bool late = first_us != 0 &&
                ca_fresh_judge(CA_FRESH_FIRST, (lt_time){first_us}, look->t->now) != CA_FRESH_GOOD;
    return late ? watch_found(look, p->subject, "there is no such CRL, and certificates point to it") : LT_OK;
}

static lt_res fetched(struct watch_look *look, const struct part *p)
{
    struct store_rows rows;
    char detail[160];
    LT_TRY(store_query(look->t->store, &sql[SQL_CHECK], STORE_ARGS(STORE_I(p->issuer->id), STORE_I(p->shard)),
                       &rows));
    bool there = store_next(&rows);
    bool bad = there && store_int(&rows, 0) == 0 && store_int(&rows, 1) >= TRIES_LEAST;
    int64_t took_us = there ? store_int(&rows, 2) : 0;
    (void)snprintf(detail, sizeof detail, "%s", there ? store_cstr(&rows, 3) : "");
    LT_TRY(store_rows_end(&rows));
    if (bad) {
        return watch_found(look, p->subject, "fetched back it is not what was published: %s", detail);
    }
    return took_us > SLOW_US
               ? watch_found(look, p->subject, "to fetch it took %lld s", (long long)(took_us / SLOW_US * 10))
               : LT_OK;
}

static lt_res judge_crl(struct watch_look *look, const struct part *p)
{
    struct crl list[2];
    size_t count = 0;
    LT_TRY(
        read_crls(look, &sql[SQL_LAST], STORE_ARGS(STORE_I(p->issuer->id), STORE_I(p->shard)), list, &count));
    if (count == 0) {
        return p->shard == 0 && p->issuer->crl_shards > 0 ? LT_OK : missing(look, p);
    }
    const struct crl *c = &list[0];
    int64_t left_s = (c->next_update.us - look->t->now.us) / LT_US_PER_SECOND;
    int64_t whole_s = (c->next_update.us - c->this_update.us) / LT_US_PER_SECOND;
    int64_t age_s = (look->t->now.us - c->this_update.us) / LT_US_PER_SECOND;
    if (ca_fresh_judge(CA_FRESH_CRL, c->this_update, look->t->now) != CA_FRESH_GOOD) {
        return watch_found(look, p->subject, "it is %lld h old: over half of what is allowed",
                           (long long)(age_s / HOUR));
    }
    /* One that lives shorter is near its end in its last quarter. */
    if (left_s < NEAR_S && left_s < whole_s / 4) {
        return watch_found(look, p->subject, "nextUpdate is %s%lld min away", left_s < 0 ? "over, " : "",
                           (long long)(left_s / 60));
    }
    if (count == 2 && list[1].this_update.us > c->this_update.us) {
        return watch_found(look, p->subject, "its number rose, and thisUpdate went back");
    }
    if (count == 2 && list[1].entries - c->entries > STEP_LEAST && c->entries < list[1].entries / 2) {
        return watch_found(look, p->subject, "it has %lld entries, the one before had %lld",
                           (long long)c->entries, (long long)list[1].entries);
    }
    return fetched(look, p);
}

lt_res watch_crl(struct watch_look *look)
{
    return each_crl(look, judge_crl);
}

/* ---- 9 ---- */

static lt_res not_on_crl(struct watch_look *look, int64_t issuer, int64_t shard, int64_t recorded_us)
{
    struct crl list[2];
    size_t count = 0;
    const struct ca_issuer *i = ca_issuer_by_id(look->t->book, issuer);
    if (i == NULL || !publishes(look, i)) {
        return LT_OK;
    }
    LT_TRY(read_crls(look, &sql[SQL_LAST], STORE_ARGS(STORE_I(issuer), STORE_I(shard)), list, &count));
    if (count > 0 && list[0].this_update.us >= recorded_us) {
        return LT_OK;
    }
    int64_t age_s = (look->t->now.us - recorded_us) / LT_US_PER_SECOND;
    const char *level = age_s >= BREACH_S ? "breach" : age_s >= PAGE_S ? "page" : "warn";
    char subject[WATCH_SUBJECT_MAX];
    (void)snprintf(subject, sizeof subject, "crl %s %lld %s", i->name, (long long)shard, level);
    look->severity = age_s >= BREACH_S ? "critical" : age_s >= PAGE_S ? "high" : "low";
    return watch_found(look, subject, "a revocation recorded %lld h ago is on none",
                       (long long)(age_s / HOUR));
}

/* What was recorded before the oldest of the CRLs is on all of them. */
static lt_res oldest_crl(struct watch_look *look, int64_t *ret_us)
{
    const struct ca_book *b = look->t->book;
    size_t parts = 0;
    *ret_us = INT64_MAX;
    for (size_t i = 0; i < b->issuer_count; i++) {
        const struct ca_issuer *issuer = &b->issuers[i];
        for (int64_t shard = 0; publishes(look, issuer) && shard <= issuer->crl_shards; shard++) {
            struct crl list[2];
            size_t count = 0;
            if (parts++ == PARTS_MOST) {
                *ret_us = 0;
                return LT_OK;
            }
            LT_TRY(read_crls(look, &sql[SQL_LAST], STORE_ARGS(STORE_I(issuer->id), STORE_I(shard)), list,
                             &count));
            bool none = count == 0 &&
                        !(shard == 0 && issuer->crl_shards > 0); /* the complete one is none then */
            int64_t us = none ? 0 : count == 0 ? INT64_MAX : list[0].this_update.us;
            *ret_us = us < *ret_us ? us : *ret_us;
        }
    }
    return LT_OK;
}

/* Place: from which instant on. What waits for longer than two days is known by then. */
lt_res watch_not_on_crl(struct watch_look *look)
{
    struct recorded {
        int64_t issuer;
        int64_t shard;
        int64_t us;
    } *list = LT_NEW_ARRAY(look->t->arena, struct recorded, WATCH_SLICE);
    struct store_rows rows;
    int64_t from_us = 0;
    int64_t unused = 0;
    size_t count = 0;
    bool missed = false;
    LT_ASSERT(list != NULL);
    watch_place_read(look, &from_us, &unused);
    if (from_us == 0) {
        int64_t oldest_us = 0;
        LT_TRY(oldest_crl(look, &oldest_us));
        from_us = lt_time_add_seconds(look->t->now, -2 * BREACH_S).us;
        from_us = oldest_us > from_us ? oldest_us : from_us;
    }
    LT_TRY(store_query(look->t->store, &sql[SQL_RECORDED],
                       STORE_ARGS(STORE_I(from_us), STORE_I(lt_time_add_seconds(look->t->now, -WARN_S).us)),
                       &rows));
    while (count < WATCH_SLICE && store_next(&rows)) {
        list[count++] = (struct recorded){store_int(&rows, 0), store_int(&rows, 1), store_int(&rows, 2)};
    }
    LT_TRY(store_rows_end(&rows));
    look->looked += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && list[i].issuer == list[i - 1].issuer && list[i].shard == list[i - 1].shard;
        int64_t found = look->found;
        if (same && missed) {
            continue; /* the older one of that part was told of */
        }
        LT_TRY(not_on_crl(look, list[i].issuer, list[i].shard, list[i].us));
        missed = look->found > found;
    }
    /* A batch of one instant may be larger than a slice: then on to the next instant. */
    look->done = count < WATCH_SLICE;
    if (!look->done) {
        watch_place_write(look, list[count - 1].us, 0);
    }
    return LT_OK;
}

/* ---- 10 ---- */

/* "not_after" of the event that tells of it, which we wrote ourselves. */
static int64_t not_after_of(lt_slice body)
{
    lt_slice key = LT_LIT("\"not_after\":\"");
    lt_time t = {0};
    for (size_t i = 0; i + key.len + LT_RFC3339_SIZE <= body.len; i++) {
        if (lt_slice_starts(lt_slice_sub(body, i, body.len), key)) {
            size_t at = i + key.len;
            return lt_failed(lt_time_parse(lt_slice_sub(body, at, LT_RFC3339_SIZE - 1), &t)) ? 0 : t.us;
        }
    }
    return 0;
}

/* Until when somebody may answer for that issuer; 0: nobody may. */
static lt_res answers_until(struct watch_look *look, const char *subject, int64_t *ret_us)
{
    struct store_rows rows;
    look->looked++;
    LT_TRY(store_query(look->t->store, &sql[SQL_RESPONDER], STORE_ARGS(STORE_S(subject)), &rows));
    *ret_us = store_next(&rows) ? not_after_of(store_bytes(&rows, 0)) : 0;
    return store_rows_end(&rows);
}

static lt_res first_issued(struct watch_look *look, const struct ca_issuer *issuer, int64_t *ret_us)
{
    struct store_rows rows;
    LT_TRY(store_query(look->t->store, &sql[SQL_FIRST], STORE_ARGS(STORE_I(issuer->id)), &rows));
    *ret_us = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

/* A certificate of an issuer that answers, issued after what the answers know, and long enough ago. */
static lt_res unanswered(struct watch_look *look, bool *ret_any)
{
    struct store_rows rows;
    const struct ca_book *b = look->t->book;
    lt_time until = lt_time_add_seconds(look->t->now, -ANSWER_S);
    *ret_any = false;
    LT_TRY(store_query(look->t->store, &sql[SQL_BETWEEN],
                       STORE_ARGS(STORE_I(b->ocsp_answered.us), STORE_I(until.us)), &rows));
    while (store_next(&rows)) {
        const struct ca_issuer *i = ca_issuer_by_id(b, store_int(&rows, 0));
        const struct ca_config_issuer *c = i == NULL ? NULL
                                                     : ca_config_issuer(look->config, lt_slice_cstr(i->name));
        *ret_any = *ret_any || (c != NULL && c->ocsp);
    }
    return store_rows_end(&rows);
}

/* What the publisher says of its answers, twice a minute. */
static lt_res answers_lag(struct watch_look *look)
{
    struct ca_book *b = look->t->book;
    bool any = false;
    if (b->ocsp_told.us == 0) { /* since the start: it has a quarter of an hour to say something */
        b->ocsp_told = look->t->now;
        b->ocsp_answered = look->t->now;
    }
    int64_t silent_s = (look->t->now.us - b->ocsp_told.us) / LT_US_PER_SECOND;
    int64_t behind_s = (look->t->now.us - b->ocsp_answered.us) / LT_US_PER_SECOND;
    if (silent_s > ANSWER_S) {
        return watch_found(look, "ocsp", "for %lld min nobody has said that answers are written",
                           (long long)(silent_s / 60));
    }
    LT_TRY(behind_s > ANSWER_S ? unanswered(look, &any) : LT_OK);
    return any ? watch_found(look, "ocsp", "what was issued %lld min ago has no answer yet",
                             (long long)(behind_s / 60))
               : LT_OK;
}

lt_res watch_ocsp(struct watch_look *look)
{
    const struct ca_book *b = look->t->book;
    bool any = false;
    look->done = true;
    for (size_t i = 0; i < b->issuer_count; i++) {
        const struct ca_issuer *issuer = &b->issuers[i];
        const struct ca_config_issuer *c = look->config == NULL
                                               ? NULL
                                               : ca_config_issuer(look->config, lt_slice_cstr(issuer->name));
        int64_t until_us = 0;
        int64_t first_us = 0;
        if (c == NULL || !c->ocsp) {
            continue;
        }
        any = true;
        char *subject = lt_arena_printf(look->t->arena, "ocsp %s", issuer->name);
        LT_ASSERT(subject != NULL);
        LT_TRY(answers_until(look, subject, &until_us));
        LT_TRY(first_issued(look, issuer, &first_us));
        if (first_us != 0 && look->t->now.us - first_us > ANSWER_S * LT_US_PER_SECOND &&
            until_us <= look->t->now.us) {
            LT_TRY(watch_found(look, subject, "%s",
                               until_us == 0 ? "no responder has a certificate"
                                             : "its responder's certificate has expired"));
        }
    }
    return any ? answers_lag(look) : LT_OK;
}

/* ---- 11 ---- */

/* An entry stays until one scheduled CRL after its certificate's end (CABF-BR 7.2). */
static lt_res kept_long_enough(struct watch_look *look, const struct part *p)
{
    struct store_rows rows;
    struct crl list[2];
    size_t count = 0;
    lt_slice number = LT_LIT("");
    int64_t kept_from_us = 0;
    LT_TRY(store_query(look->t->store, &sql[SQL_KEPT], STORE_ARGS(STORE_I(p->issuer->id), STORE_I(p->shard)),
                       &rows));
    if (store_next(&rows)) {
        number = lt_arena_copy(look->t->arena, store_bytes(&rows, 0));
        kept_from_us = store_int(&rows, 1);
    }
    LT_TRY(store_rows_end(&rows));
    if (kept_from_us == 0) {
        return LT_OK; /* nothing is left out */
    }
    LT_TRY(read_crls(look, &sql[SQL_UNTIL],
                     STORE_ARGS(STORE_I(p->issuer->id), STORE_I(p->shard), STORE_B(number)), list, &count));
    bool early = count < 2 || kept_from_us > list[1].this_update.us;
    return early ? watch_found(look, p->subject,
                               "it leaves out entries of certificates that had not expired when the "
                               "one before was published")
                 : LT_OK;
}

lt_res watch_early_removal(struct watch_look *look)
{
    return each_crl(look, kept_long_enough);
}
