/* What the status page says of days past: once a minute it is looked whether certificates could be signed,
 * and whether what relying parties are given is fresh; each minute is counted once, as good or
 * bad; bad is what does not work in all of its first half.
 *
 * Looked at from inside. Whether anybody could reach us nobody here can know, but for what was fetched back;
 * a minute in which this program did not run is counted as nothing, and the page says so. */
#include <stdio.h>
#include <string.h>

#include "ca/book.h"
#include "ca/config.h"
#include "incident/op.h"
#include "incident/uptime.h"

static const struct store_sql sql[] = {
    {"uptime.of", "SELECT last_minute FROM uptime_day WHERE day = ?1 AND service = ?2"},
    {"uptime.begin",
     "INSERT INTO uptime_day (day, service, good, bad, first_minute, last_minute, worked, words) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?3, ?6)"},
    {"uptime.add",
     "UPDATE uptime_day SET good = good + ?3, bad = bad + ?4, last_minute = ?5, worked = ?3, words = CASE "
     "WHEN ?4 = 1 THEN ?6 ELSE words END WHERE day = ?1 AND service = ?2 AND last_minute < ?5"},
    {"uptime.crl",
     "SELECT next_update_us FROM crl WHERE issuer = ?1 AND shard = ?2 ORDER BY number DESC LIMIT 1"},
    {"uptime.fetched", "SELECT good, tries, detail FROM crl_check WHERE issuer = ?1 AND shard = ?2"},
};
enum { SQL_OF, SQL_BEGIN, SQL_ADD, SQL_CRL, SQL_FETCHED };
static const struct incident_sql uptime_sql = {sql, LT_COUNT(sql)};

enum {
    MINUTE_S = 60,
    PATIENCE_S = 30,
    DAY_MINUTES = 1440,
    PARTS_MAX = 200, /* of a CRL, looked at in one minute; the others in the next ones */
    TRIES_LEAST = 3, /* of fetching back, before it counts */
    SILENT_S = 900,  /* without a word of who writes answers of OCSP */
    WORDS_SIZE = 200,
};

enum verdict { NOT_LOOKED, GOOD, BAD };

/* ---- what is looked at ---- */

typedef lt_res look(struct incident_beat *b, enum verdict *ret_verdict, char ret_words[WORDS_SIZE]);

static lt_res bad(enum verdict *ret_verdict, char ret_words[WORDS_SIZE], const char *words)
{
    *ret_verdict = BAD;
    (void)snprintf(ret_words, WORDS_SIZE, "%s", words);
    return LT_OK;
}

static lt_res look_at_issuance(struct incident_beat *b, enum verdict *ret_verdict, char ret_words[WORDS_SIZE])
{
    const struct ca_book *book = b->t->book;
    for (size_t i = 0; i < book->halt_count; i++) {
        if (book->halts[i]->kind == IPC__HALT_KIND__HALT_ALL) {
            return bad(ret_verdict, ret_words, "Issuance was stopped by the certificate authority.");
        }
    }
    if (book->held || book->alarmed) {
        return bad(ret_verdict, ret_words, "Issuance was held.");
    }
    if (!book->examiner_linked || !book->replayed) {
        return bad(ret_verdict, ret_words, "What signs certificates was not running.");
    }
    *ret_verdict = GOOD;
    return LT_OK;
}

static bool publishes(const struct incident_beat *b, const struct ca_issuer *issuer)
{
    const struct ca_config_issuer *c = b->config == NULL
                                           ? NULL
                                           : ca_config_issuer(b->config, lt_slice_cstr(issuer->name));
    return b->config == NULL ? !issuer->offline : c != NULL && c->crl && !c->offline;
}

static lt_res look_at_part(struct incident_beat *b, const struct ca_issuer *issuer, int64_t shard,
                           enum verdict *ret_verdict, char ret_words[WORDS_SIZE])
{
    struct store_rows rows;
    char words[WORDS_SIZE];
    LT_TRY(store_query(b->t->store, &sql[SQL_CRL], STORE_ARGS(STORE_I(issuer->id), STORE_I(shard)), &rows));
    bool there = store_next(&rows);
    bool expired = there && store_int(&rows, 0) <= b->t->now.us;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(
        store_query(b->t->store, &sql[SQL_FETCHED], STORE_ARGS(STORE_I(issuer->id), STORE_I(shard)), &rows));
    bool lost = store_next(&rows) && store_int(&rows, 0) == 0 && store_int(&rows, 1) >= TRIES_LEAST;
    LT_TRY(store_rows_end(&rows));
    if (expired || lost) {
        (void)snprintf(words, sizeof words, "A revocation list of issuer %.60s %s.", issuer->name,
                       expired ? "had expired" : "did not come back as it was published");
        return bad(ret_verdict, ret_words, words);
    }
    *ret_verdict = there && *ret_verdict == NOT_LOOKED ? GOOD : *ret_verdict;
    return LT_OK;
}

static lt_res look_at_crls(struct incident_beat *b, enum verdict *ret_verdict, char ret_words[WORDS_SIZE])
{
    const struct ca_book *book = b->t->book;
    int64_t minute = b->t->now.us / LT_US_PER_SECOND / MINUTE_S;
    for (size_t i = 0; i < book->issuer_count && *ret_verdict != BAD; i++) {
        const struct ca_issuer *issuer = &book->issuers[i];
        int64_t shards = issuer->crl_shards;
        int64_t from = shards > PARTS_MAX ? minute * PARTS_MAX % shards : 0;
        for (int64_t k = 0; k <= shards && k <= PARTS_MAX && publishes(b, issuer) && *ret_verdict != BAD;
             k++) {
            LT_TRY(look_at_part(b, issuer, (from + k) % (shards + 1), ret_verdict, ret_words));
        }
    }
    return LT_OK;
}

static lt_res look_at_ocsp(struct incident_beat *b, enum verdict *ret_verdict, char ret_words[WORDS_SIZE])
{
    bool any = false;
    for (uint32_t i = 0; b->config != NULL && i < b->config->issuer_count; i++) {
        any = any || b->config->issuers[i].ocsp;
    }
    if (!any || b->t->book->ocsp_told.us == 0) { /* nobody has had the time to say anything */
        return LT_OK;
    }
    *ret_verdict = GOOD;
    bool silent = b->t->now.us - b->t->book->ocsp_told.us >= SILENT_S * LT_US_PER_SECOND;
    return silent ? bad(ret_verdict, ret_words, "No new answers of OCSP were written.") : LT_OK;
}

/* ---- counted ---- */

static const struct {
    const char *service;
    look *look;
} services[] = {{"issue", look_at_issuance}, {"crl", look_at_crls}, {"ocsp", look_at_ocsp}};

/* A start, or a restart, is no minute without service: what begins badly has half a minute. */
static bool early(const struct incident_beat *b)
{
    const int64_t patience_us = PATIENCE_S * LT_US_PER_SECOND;
    return b->t->now.us / LT_US_PER_SECOND % MINUTE_S < PATIENCE_S ||
           b->t->now.us - b->t->book->up_since.us < patience_us;
}

static lt_res count(struct incident_beat *b, size_t at, bool begun, int64_t minute)
{
    enum verdict v = NOT_LOOKED;
    char words[WORDS_SIZE] = "";
    LT_TRY(services[at].look(b, &v, words));
    if (v == NOT_LOOKED || (v == BAD && early(b))) {
        return LT_OK;
    }
    return store_exec(b->t->store, &sql[begun ? SQL_ADD : SQL_BEGIN],
                      STORE_ARGS(STORE_I(minute / DAY_MINUTES), STORE_S(services[at].service),
                                 STORE_I(v == GOOD), STORE_I(v == BAD), STORE_I(minute), STORE_S(words)),
                      NULL);
}

lt_res incident_uptime_beat(struct incident_beat *b, bool *ret_more)
{
    int64_t minute = b->t->now.us / LT_US_PER_SECOND / MINUTE_S;
    *ret_more = false;
    if (b->t->book->up_since.us == 0) {
        b->t->book->up_since = b->t->now;
    }
    for (size_t i = 0; i < LT_COUNT(services); i++) {
        struct store_rows rows;
        LT_TRY(store_query(b->t->store, &sql[SQL_OF],
                           STORE_ARGS(STORE_I(minute / DAY_MINUTES), STORE_S(services[i].service)), &rows));
        bool begun = store_next(&rows);
        bool done = begun && store_int(&rows, 0) >= minute;
        LT_TRY(store_rows_end(&rows));
        LT_TRY(done ? LT_OK : count(b, i, begun, minute));
    }
    return LT_OK;
}

const struct incident_area incident_area_uptime = {
    .name = "uptime", .beat = incident_uptime_beat, .sql = {&uptime_sql}};
