/* Triggers that look at each certificate once, after it was issued: 5 to 7. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/book.h"
#include "ca/limits.h"
#include "incident/watch_private.h"

#define SINCE                                                                                              \
    " FROM certificate WHERE (issued_us, issuer, serial) > (?1, ?2, ?3) AND issued_us <= ?4 AND copy = 0 " \
    "ORDER BY issued_us, issuer, serial LIMIT 250"
static const struct store_sql sql[] = {
    {"watch.issued",
     "SELECT issuer, serial, issued_us, sequence, account, order_id, profile, oldest_validation_us, "
     "oldest_caa_us" SINCE},
    {"watch.intent", "SELECT e.outcome FROM intent i LEFT JOIN intent_end e ON e.intent = i.id "
                     "WHERE i.issuer = ?1 AND i.serial = ?2"},
    {"watch.unchecked", "SELECT count(*) FROM certificate_name n WHERE n.issuer = ?1 AND n.serial = ?2 AND "
                        "n.copy = 0 AND n.type = 'dns' "
                        "AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.authorization_id = "
                        "n.authorization_id AND e.caa_us >= ?3)"},
};
enum { SQL_ISSUED, SQL_INTENT, SQL_UNCHECKED };
const struct incident_sql watch_issued_sql = {sql, LT_COUNT(sql)};

enum { HOUR = 3600, DAY = 86400 };

struct issued {
    int64_t issuer;
    lt_slice serial;
    lt_time at;
    int64_t sequence;
    int64_t account;
    int64_t order;
    int64_t profile;
    int64_t validation_us;
    int64_t caa_us;
};
typedef lt_res each_issued(struct watch_look *look, const struct issued *c);

/* Others may commit what they issued a little earlier than what was read: so much behind now. */
enum { LAG_S = 2, LAG_SHARED_S = 30 };

static lt_res read_issued(struct watch_look *look, struct issued *list, size_t *ret_count)
{
    struct store_rows rows;
    char from[100];
    int64_t issuer = 0;
    uint64_t from_us = 0;
    lt_slice serial;
    size_t n = 0;
    LT_TRY(watch_place_serial(look, from, &issuer, &serial));
    LT_TRY(lt_parse_u64(lt_slice_cstr(from), INT64_MAX, &from_us));
    lt_time until = lt_time_add_seconds(look->t->now, store_shared(look->t->store) ? -LAG_SHARED_S : -LAG_S);
    LT_TRY(store_query(
        look->t->store, &sql[SQL_ISSUED],
        STORE_ARGS(STORE_I((int64_t)from_us), STORE_I(issuer), STORE_B(serial), STORE_I(until.us)), &rows));
    while (n < WATCH_SLICE && store_next(&rows)) {
        list[n++] = (struct issued){.issuer = store_int(&rows, 0),
                                    .serial = lt_arena_copy(look->t->arena, store_bytes(&rows, 1)),
                                    .at = {store_int(&rows, 2)},
                                    .sequence = store_int(&rows, 3),
                                    .account = store_int(&rows, 4),
                                    .order = store_int(&rows, 5),
                                    .profile = store_int(&rows, 6),
                                    .validation_us = store_int(&rows, 7),
                                    .caa_us = store_int(&rows, 8)};
    }
    *ret_count = n;
    look->looked += (int64_t)n;
    return store_rows_end(&rows);
}

/* What was brought in has no number of our signer's journal, and was not issued by this book. */
static lt_res each_since(struct watch_look *look, each_issued *each)
{
    size_t count = 0;
    struct issued *list = LT_NEW_ARRAY(look->t->arena, struct issued, WATCH_SLICE);
    LT_ASSERT(list != NULL);
    LT_TRY(read_issued(look, list, &count));
    for (size_t i = 0; i < count; i++) {
        if (list[i].sequence > 0) {
            LT_TRY(each(look, &list[i]));
        }
    }
    if (count > 0) {
        char at[32];
        const struct watch_seen last = {.issuer = list[count - 1].issuer, .serial = list[count - 1].serial};
        (void)snprintf(at, sizeof at, "%lld", (long long)list[count - 1].at.us);
        watch_place_serial_write(look, at, &last);
    }
    look->done = count < WATCH_SLICE;
    return LT_OK;
}

static lt_res has_intent(struct watch_look *look, const struct issued *c)
{
    struct store_rows rows;
    LT_TRY(store_query(look->t->store, &sql[SQL_INTENT], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)),
                       &rows));
    bool there = store_next(&rows);
    bool is_signed = there && strcmp(store_cstr(&rows, 0), "signed") == 0;
    LT_TRY(store_rows_end(&rows));
    return is_signed ? LT_OK
                     : watch_found(look, watch_certificate(look, c->issuer, c->serial), "%s",
                                   there ? "its intent did not end with a signature" : "nothing intended it");
}

lt_res watch_journal(struct watch_look *look)
{
    if (look->t->book->alarmed) {
        LT_TRY(watch_found(look, "journal", "the signer's journal and the book do not agree at %llu",
                           (unsigned long long)look->t->book->alarm_sequence));
    }
    return each_since(look, has_intent);
}

static lt_res validated(struct watch_look *look, const struct issued *c)
{
    int64_t limit_s = ca_limit_at(CA_LIMIT_DOMAIN_REUSE_S, c->at);
    int64_t age_s = (c->at.us - c->validation_us) / LT_US_PER_SECOND;
    if (c->order == 0 || c->account == 0) {
        return LT_OK; /* no order: of our own services */
    }
    if (c->validation_us == 0) {
        return watch_found(look, watch_certificate(look, c->issuer, c->serial), "a name has no validation");
    }
    return age_s <= limit_s ? LT_OK
                            : watch_found(look, watch_certificate(look, c->issuer, c->serial),
                                          "a validation was %lld days old, %lld are allowed",
                                          (long long)(age_s / DAY), (long long)(limit_s / DAY));
}

lt_res watch_evidence(struct watch_look *look)
{
    return each_since(look, validated);
}

static bool is_public(const struct ca_book *b, int64_t profile)
{
    for (size_t i = 0; i < b->row_count; i++) {
        if (b->rows[i].id == profile) {
            return b->rows[i].profile->public_trust;
        }
    }
    return false;
}

static lt_res caa_checked(struct watch_look *look, const struct issued *c)
{
    struct store_rows rows;
    int64_t limit_s = ca_limit_at(CA_LIMIT_CAA_REUSE_S, c->at);
    int64_t from_us = lt_time_add_seconds(c->at, -limit_s).us;
    const char *subject = watch_certificate(look, c->issuer, c->serial);
    if (c->order == 0 || c->account == 0 || (c->caa_us == 0 && !is_public(look->t->book, c->profile))) {
        return LT_OK; /* a private CA that asks for no CAA */
    }
    if (c->caa_us != 0 && c->caa_us < from_us) {
        return watch_found(look, subject, "CAA was checked %lld h before, %lld are allowed",
                           (long long)((c->at.us - c->caa_us) / LT_US_PER_SECOND / HOUR),
                           (long long)(limit_s / HOUR));
    }
    /* As many names as were checked: the worst case over them may hide the one that was left out. */
    LT_TRY(store_query(look->t->store, &sql[SQL_UNCHECKED],
                       STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial), STORE_I(from_us)), &rows));
    int64_t without = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    return without == 0
               ? LT_OK
               : watch_found(look, subject, "for %lld of its names CAA was not checked", (long long)without);
}

lt_res watch_caa(struct watch_look *look)
{
    return each_since(look, caa_checked);
}
