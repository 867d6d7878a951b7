/* Building a CRL from the book. */
#include "ca/crl_build.h"

#include <string.h>

#include "ca/crl_entries.h"
#include "ca/crl_shard.h"
#include "ca/limits.h"
#include "x509/cert.h"

static const struct store_sql sql[] = {
    {"crl.issuers", "SELECT id, name, parent, offline, certificate FROM issuer ORDER BY id LIMIT 256"},
    {"crl.newest",
     "SELECT number, this_update_us, next_update_us, entries, sha256 FROM crl WHERE issuer = ?1 "
     "AND shard = ?2 ORDER BY number DESC LIMIT 1"},
    {"crl.newest-der", "SELECT number, this_update_us, next_update_us, entries, sha256, der FROM crl WHERE "
                       "issuer = ?1 AND shard = ?2 ORDER BY number DESC LIMIT 1"},
    {"crl.before-newest", "SELECT this_update_us FROM crl WHERE issuer = ?1 AND shard = ?2 "
                          "ORDER BY number DESC LIMIT 1 OFFSET 1"},
    {"crl.kept-from", "SELECT k.kept_from_us FROM crl_kept k JOIN crl c ON c.issuer = k.issuer AND "
                      "c.shard = k.shard AND c.number = k.number WHERE k.issuer = ?1 AND k.shard = ?2 AND "
                      "NOT EXISTS (SELECT 1 FROM crl n WHERE n.issuer = k.issuer AND n.shard = k.shard AND "
                      "n.number > k.number)"},
    {"crl.bound", "SELECT not_after_us FROM revocation WHERE issuer = ?1 AND shard >= ?2 AND shard <= ?3 "
                  "AND not_after_us >= ?4 AND not_after_us < ?5 ORDER BY not_after_us LIMIT 1 OFFSET ?6"},
    {"crl.dropped", "SELECT d.der FROM revocation r JOIN certificate_der d ON d.issuer = r.issuer AND "
                    "d.serial = r.serial WHERE r.issuer = ?1 AND r.shard >= ?2 AND r.shard <= ?3 AND "
                    "r.not_after_us >= ?4 AND r.not_after_us < ?5 ORDER BY r.shard, r.serial"},
    {"crl.shard-last", "SELECT shard FROM crl WHERE issuer = ?1 ORDER BY shard DESC LIMIT 1"},
};
enum {
    SQL_ISSUERS,
    SQL_NEWEST,
    SQL_NEWEST_DER,
    SQL_BEFORE_NEWEST,
    SQL_KEPT_FROM,
    SQL_BOUND,
    SQL_DROPPED,
    SQL_SHARD_LAST,
};
const struct store_sql *const ca_crl_build_sql = sql;
const size_t ca_crl_build_sql_count = LT_COUNT(sql);

static lt_res read_issuer(const struct store_rows *rows, struct lt_arena *a, struct ca_crl_issuer *ret_issuer)
{
    struct ca_crl_issuer i = {
        .id = store_int(rows, 0),
        .name = lt_arena_cstr(a, store_bytes(rows, 1)),
        .parent = store_is_null(rows, 2) ? 0 : store_int(rows, 2),
        .offline = store_int(rows, 3) != 0,
        .certificate = lt_arena_copy(a, store_bytes(rows, 4)),
    };
    LT_CHECK(i.name != NULL && i.certificate.ptr != NULL, LT_PEER_TOO_LARGE,
             "issuers: over the memory limit");
    struct x509_cert cert;
    LT_TRY(x509_cert_parse(i.certificate, a, &cert));
    i.subject = cert.subject.der;
    i.key_id = cert.ext.ski;
    i.spki = cert.spki.der;
    i.alg = x509_sig_alg_for(cert.spki.type);
    LT_CHECK(i.key_id.len > 0, LT_STATE_CORRUPT, "the certificate of issuer %s has no subjectKeyIdentifier",
             i.name);
    *ret_issuer = i;
    return LT_OK;
}

lt_res ca_crl_issuers(struct store *store, struct lt_arena *a, struct ca_crl_issuer **ret_issuers,
                      size_t *ret_count)
{
    struct ca_crl_issuer *list = LT_NEW_ARRAY(a, struct ca_crl_issuer, CA_CRL_ISSUERS_MAX);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "issuers: over the memory limit");
    size_t count = 0;
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(store, &sql[SQL_ISSUERS], STORE_NO_ARGS, &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = read_issuer(&rows, a, &list[count]);
        count++;
    }
    lt_res end = store_rows_end(&rows);
    LT_TRY(r);
    *ret_issuers = list;
    *ret_count = count;
    return end;
}

static lt_res number_of(lt_slice bytes, uint64_t *ret_number)
{
    LT_CHECK(bytes.len == CA_CRL_NUMBER_LEN, LT_STATE_CORRUPT, "a CRL number in the book has %zu bytes",
             bytes.len);
    uint64_t n = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        n = n << 8 | bytes.ptr[i];
    }
    *ret_number = n;
    return LT_OK;
}

static lt_res read_time(struct store *store, const struct store_sql *which, const struct store_value *args,
                        size_t arg_count, bool *ret_found, lt_time *ret_time)
{
    struct store_rows rows;
    LT_TRY(store_query(store, which, args, arg_count, &rows));
    *ret_found = store_next(&rows);
    if (*ret_found) {
        *ret_time = (lt_time){store_int(&rows, 0)};
    }
    return store_rows_end(&rows);
}

/* A CRL from before such rows were written, or out of a restore, left out what had expired when the one
 * before it was made. */
static lt_res read_kept(struct store *store, int64_t issuer, uint32_t shard, lt_time *ret_kept)
{
    bool found = false;
    *ret_kept = (lt_time){0};
    LT_TRY(
        read_time(store, &sql[SQL_KEPT_FROM], STORE_ARGS(STORE_I(issuer), STORE_I(shard)), &found, ret_kept));
    return found ? LT_OK
                 : read_time(store, &sql[SQL_BEFORE_NEWEST], STORE_ARGS(STORE_I(issuer), STORE_I(shard)),
                             &found, ret_kept);
}

lt_res ca_crl_newest(struct store *store, int64_t issuer, uint32_t shard, struct lt_arena *with_der,
                     struct ca_crl_newest *ret_newest)
{
    *ret_newest = (struct ca_crl_newest){0};
    bool there = false;
    struct store_rows rows;
    LT_TRY(store_query(store, &sql[with_der == NULL ? SQL_NEWEST : SQL_NEWEST_DER],
                       STORE_ARGS(STORE_I(issuer), STORE_I(shard)), &rows));
    lt_res r = LT_OK;
    if (store_next(&rows)) {
        ret_newest->found = true;
        ret_newest->this_update = (lt_time){store_int(&rows, 1)};
        ret_newest->next_update = (lt_time){store_int(&rows, 2)};
        r = number_of(store_bytes(&rows, 0), &ret_newest->number);
        ret_newest->entries = (uint64_t)store_int(&rows, 3);
        lt_slice hash = store_bytes(&rows, 4);
        if (hash.len == sizeof ret_newest->sha256) {
            memcpy(ret_newest->sha256, hash.ptr, hash.len);
        }
        there = with_der != NULL && !store_is_null(&rows, 5);
        if (there) {
            ret_newest->der = lt_arena_copy(with_der, store_bytes(&rows, 5));
        }
    }
    lt_res end = store_rows_end(&rows);
    LT_TRY(r);
    LT_TRY(end);
    LT_CHECK(!there || ret_newest->der.ptr != NULL, LT_PEER_TOO_LARGE, "a CRL is over the memory limit");
    return read_kept(store, issuer, shard, &ret_newest->kept_from);
}

static int64_t at_most(int64_t wanted, int64_t limit)
{
    return wanted < limit ? wanted : limit;
}

/*= CABF-BR 7.2.2 "convey a strictly increasing sequence" */
/* Microseconds since 1970 grow on every host and after every restore without anybody remembering the last
 * one; where a clock went back, last + 1 still grows. */
void ca_crl_plan_next(const struct ca_crl_newest *before, lt_time now, int64_t lifetime_s,
                      struct ca_crl_plan *plan)
{
    uint64_t by_time = now.us > 0 ? (uint64_t)now.us : 1;
    plan->number = before->found && before->number >= by_time ? before->number + 1 : by_time;
    plan->this_update = lt_time_from_seconds(lt_time_seconds(now));
    int64_t longest_s = ca_limit_at(CA_LIMIT_CRL_LIFETIME_S, now);
    lt_time latest = lt_time_add_seconds(plan->this_update, longest_s);
    plan->next_update = lt_time_add_seconds(plan->this_update, at_most(lifetime_s, longest_s));
    /*= RFC 5280 5.1.2.5 "CRL issuers SHOULD issue CRLs with a nextUpdate time equal to or later than all
     *  previous CRLs." — also where lintel.yaml has a shorter lifetime now */
    if (before->found && before->next_update.us > plan->next_update.us) {
        plan->next_update = before->next_update.us < latest.us ? before->next_update : latest;
    }
    plan->drop_expired_before = before->found ? before->this_update : (lt_time){0};
    plan->drop_expired_since = before->kept_from;
}

static uint32_t last_shard(const struct ca_crl_plan *plan)
{
    return plan->of_all_shards ? CA_CRL_SHARDS_MAX : plan->shard;
}

/* The end of the so-manieth certificate of those whose entries may go. */
static lt_res end_of(struct store *store, const struct ca_crl_plan *plan, int64_t skip, bool *ret_found,
                     lt_time *ret_end)
{
    return read_time(store, &sql[SQL_BOUND],
                     STORE_ARGS(STORE_I(plan->issuer->id), STORE_I(plan->shard), STORE_I(last_shard(plan)),
                                STORE_I(plan->drop_expired_since.us), STORE_I(plan->drop_expired_before.us),
                                STORE_I(skip)),
                     ret_found, ret_end);
}

/* Where millions were revoked at once, they expire at once. Who ended in the same second goes together, so
 * that something goes each time. */
lt_res ca_crl_plan_bound(struct store *store, struct ca_crl_plan *plan)
{
    lt_time first = {0};
    lt_time over = {0};
    bool found = false;
    plan->more_to_drop = false;
    if (plan->drop_expired_before.us == 0) {
        return LT_OK;
    }
    LT_TRY(end_of(store, plan, CA_CRL_GO_AT_ONCE, &found, &over));
    if (!found) {
        return LT_OK;
    }
    LT_TRY(end_of(store, plan, 0, &found, &first));
    lt_time second = lt_time_add_seconds(lt_time_from_seconds(lt_time_seconds(first)), 1);
    lt_time bound = over.us > second.us ? over : second;
    plan->more_to_drop = bound.us < plan->drop_expired_before.us;
    plan->drop_expired_before = plan->more_to_drop ? bound : plan->drop_expired_before;
    return LT_OK;
}

lt_time ca_crl_due(const struct ca_crl_newest *before, int64_t interval_s)
{
    if (!before->found) {
        return (lt_time){0};
    }
    /*= CABF-BR 4.9.7 "MUST update and publish a new CRL within twenty-four (24) hours after recording a
     *= Certificate as revoked." */
    /* A day at most, so that even a hint that was lost is made good in time. */
    int64_t limit_s = at_most(ca_limit_at(CA_LIMIT_CRL_INTERVAL_S, before->this_update), LT_SECONDS_PER_DAY);
    return lt_time_add_seconds(before->this_update, at_most(interval_s, limit_s));
}

void ca_crl_number_bytes(uint64_t number, uint8_t ret_bytes[CA_CRL_NUMBER_LEN])
{
    for (size_t i = 0; i < CA_CRL_NUMBER_LEN; i++) {
        ret_bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    }
}

enum { DROPPED_MAX = 100000, URL_ARENA_MAX = 4096 };

lt_res ca_crl_dropped(struct store *store, const struct ca_crl_plan *plan, struct lt_arena *a,
                      lt_slice **ret_ders, size_t *ret_count)
{
    struct store_rows rows;
    size_t count = 0;
    *ret_ders = NULL;
    *ret_count = 0;
    if (plan->drop_expired_before.us == 0) {
        return LT_OK;
    }
    lt_slice *ders = LT_NEW_ARRAY(a, lt_slice, DROPPED_MAX);
    LT_CHECK(ders != NULL, LT_PEER_TOO_LARGE, "proofs of a CRL: over the memory limit");
    LT_TRY(
        store_query(store, &sql[SQL_DROPPED],
                    STORE_ARGS(STORE_I(plan->issuer->id), STORE_I(plan->shard), STORE_I(last_shard(plan)),
                               STORE_I(plan->drop_expired_since.us), STORE_I(plan->drop_expired_before.us)),
                    &rows));
    bool room = true;
    while (room && store_next(&rows)) {
        lt_slice der = count < DROPPED_MAX ? lt_arena_copy(a, store_bytes(&rows, 0)) : (lt_slice){NULL, 0};
        room = der.ptr != NULL;
        if (room) {
            ders[count++] = der;
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(room, LT_PEER_TOO_LARGE, "proofs of a CRL: over the memory limit");
    *ret_ders = ders;
    *ret_count = count;
    return LT_OK;
}

lt_res ca_crl_shard_last(struct store *store, int64_t issuer, uint32_t *ret_shard)
{
    struct store_rows rows;
    *ret_shard = 0;
    LT_TRY(store_query(store, &sql[SQL_SHARD_LAST], STORE_ARGS(STORE_I(issuer)), &rows));
    if (store_next(&rows)) {
        int64_t last = store_int(&rows, 0);
        *ret_shard = last > 0 && last <= CA_CRL_SHARDS_MAX ? (uint32_t)last : 0;
    }
    return store_rows_end(&rows);
}

/* A shard says which it is, in the very words of the certificates' distribution point (CABF-BR 7.2.2.1), and
 * that it is of subscribers' certificates alone.
 *= RFC 5280 5.2.5 "If the scope of the CRL only includes end entity public key certificates, then
 * onlyContainsUserCerts MUST be set to TRUE." */
static lt_res build(struct store *store, const struct ca_crl_plan *plan, struct lt_arena *a,
                    struct lt_buf *out, uint64_t *ret_entries)
{
    uint8_t number[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(plan->number, number);
    const char *url = plan->shard == 0 ? "" : ca_crl_url(a, plan->base_url, plan->issuer->name, plan->shard);
    LT_CHECK(url != NULL, LT_PEER_TOO_LARGE, "public-http-url is too long");
    struct x509_crl_spec spec = {
        .sig_alg = plan->issuer->alg,
        .issuer = plan->issuer->subject,
        .aki = plan->issuer->key_id,
        .this_update = plan->this_update,
        .next_update = plan->next_update,
        .number = LT_SLICE(number, sizeof number),
        .idp_url = lt_slice_cstr(url),
        .only_user_certificates = plan->shard != 0,
        .entries_hint = plan->entries_hint,
    };
    struct x509_crl_builder b;
    x509_crl_begin(&b, &spec, out);
    lt_res r = ca_crl_add_entries(store, plan, &b);
    lt_res end = x509_crl_end(&b);
    LT_TRY(r);
    *ret_entries = b.count;
    return end;
}

lt_res ca_crl_build(struct store *store, const struct ca_crl_plan *plan, struct lt_buf *out,
                    uint64_t *ret_entries)
{
    struct lt_arena a;
    *ret_entries = 0;
    lt_arena_init(&a, URL_ARENA_MAX);
    lt_res r = build(store, plan, &a, out, ret_entries);
    lt_arena_done(&a);
    return r;
}
