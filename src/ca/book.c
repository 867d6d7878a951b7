/* Opening and reloading what the registrar remembers; interning profiles, mirroring operators; ids. */
#include "ca/book.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/config.h"
#include "ca/event.h"
#include "ca/halt.h"
#include "ca/seal.h"
#include "ca/session.h"
#include "ca/tally.h"
#include "crypto/digest.h"
#include "store/segment.h"
#include "x509/cert.h"

static const struct store_sql sql[] = {
    {"issuer.all", "SELECT id, name, certificate, offline FROM issuer ORDER BY id LIMIT 256"},
    {"journal.get", "SELECT acknowledged FROM journal WHERE signer = ?1"},
    {"profile.get", "SELECT id, sha256 FROM profile WHERE name = ?1"},
    {"profile.add", "INSERT INTO profile (name, sha256) VALUES (?1, ?2)"},
    {"profile.change", "UPDATE profile SET sha256 = ?2 WHERE name = ?1"},
    {"operator.get", "SELECT roles, spki, alg, status FROM operator WHERE name = ?1"},
    {"operator.put", "INSERT INTO operator (name, roles, spki, thumbprint, alg, status, added_us) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, 'valid', ?6) ON CONFLICT (name) DO UPDATE SET "
                     "roles = excluded.roles, spki = excluded.spki, thumbprint = excluded.thumbprint, "
                     "alg = excluded.alg, status = excluded.status"},
    {"operator.all", "SELECT name FROM operator WHERE status = 'valid' ORDER BY name LIMIT 1000"},
    {"operator.remove", "UPDATE operator SET status = 'removed' WHERE name = ?1"},
};
enum {
    SQL_ISSUERS,
    SQL_JOURNAL,
    SQL_PROFILE,
    SQL_PROFILE_ADD,
    SQL_PROFILE_CHANGE,
    SQL_OPERATOR,
    SQL_OPERATOR_PUT,
    SQL_OPERATORS,
    SQL_OPERATOR_REMOVE,
};
const struct store_sql *const ca_book_sql = sql;
const size_t ca_book_sql_count = LT_COUNT(sql);

enum { BOOK_ARENA_MAX = 8 * 1024 * 1024, EPOCH_2020_S = 1577836800 };

static lt_res take_issuer(struct ca_book *b, const struct store_rows *row, struct ca_issuer *ret)
{
    const char *name = store_cstr(row, 1);
    LT_CHECK(strlen(name) < sizeof ret->name, LT_STATE_CORRUPT, "an issuer's name is too long");
    memcpy(ret->name, name, strlen(name) + 1);
    ret->id = store_int(row, 0);
    ret->offline = store_int(row, 3) != 0;
    ret->certificate = lt_arena_copy(&b->arena, store_bytes(row, 2));
    LT_CHECK(ret->certificate.ptr != NULL, LT_PEER_TOO_LARGE, "too many issuers");
    struct x509_cert cert;
    LT_TRY(x509_cert_parse(ret->certificate, &b->arena, &cert));
    ret->subject = cert.subject.der;
    ret->key_id = cert.ext.ski;
    ret->key_type = (uint32_t)cert.spki.type;
    ret->not_before = cert.not_before;
    ret->not_after = cert.not_after;
    crypto_sha256(cert.subject.der, ret->subject_sha256);
    crypto_sha256(cert.spki.der, ret->spki_sha256);
    return LT_OK;
}

static lt_res load_issuers(struct ca_book *b)
{
    lt_arena_done(&b->arena);
    lt_arena_init(&b->arena, BOOK_ARENA_MAX);
    b->issuer_count = 0;
    b->issuers = LT_NEW_ARRAY(&b->arena, struct ca_issuer, CA_ISSUERS_MAX);
    LT_ASSERT(b->issuers != NULL);
    struct store_rows rows;
    LT_TRY(store_query(b->store, &sql[SQL_ISSUERS], STORE_NO_ARGS, &rows));
    lt_res r = LT_OK;
    while (!lt_failed(r) && store_next(&rows)) {
        r = take_issuer(b, &rows, &b->issuers[b->issuer_count++]);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res load_journal(struct ca_book *b)
{
    struct store_rows rows;
    int64_t acknowledged = 0;
    LT_TRY(store_query(b->store, &sql[SQL_JOURNAL], STORE_ARGS(STORE_S(b->host.signer)), &rows));
    if (store_next(&rows)) {
        acknowledged = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    ca_journal_reset(b, acknowledged);
    return LT_OK;
}

lt_res ca_book_reload(struct ca_book *b)
{
    ca_host_news_lost(b);
    b->at.tally_waiting = 0;
    if (b->evidence != NULL) {
        store_segments_drop(b->evidence);
        b->at.evidence_waiting = 0;
    }
    LT_TRY(ca_chain_load(b->store, &b->at.chain));
    LT_TRY(load_journal(b));
    LT_TRY(b->at.issuer_version > 0 ? load_issuers(b)
                                    : LT_OK); /* one of them may never have been committed */
    return ca_halt_load(b);
}

lt_res ca_book_issuers_changed(struct ca_book *b)
{
    b->at.issuer_version++;
    return load_issuers(b);
}

lt_res ca_book_refresh(struct ca_book *b)
{
    return ca_halt_load(b);
}

lt_res ca_book_at_restore(struct ca_book *b, const struct ca_book_at *at)
{
    bool halts_changed = b->at.halt_version != at->halt_version;
    bool issuers_changed = b->at.issuer_version != at->issuer_version;
    b->at = *at;
    if (b->evidence != NULL) {
        store_segments_cut(b->evidence, at->evidence_waiting);
    }
    LT_TRY(issuers_changed ? load_issuers(b) : LT_OK);
    return halts_changed ? ca_halt_load(b) : LT_OK;
}

static lt_res fill(struct ca_book *b, const struct ca_book_options *o)
{
    LT_CHECK(strlen(o->chain) < sizeof b->at.chain.name, LT_PEER_USAGE, "the host's name is too long");
    memcpy(b->at.chain.name, o->chain, strlen(o->chain) + 1);
    LT_TRY(load_issuers(b));
    return ca_book_reload(b);
}

lt_res ca_book_open(const struct ca_book_options *options, struct ca_book **ret_book)
{
    struct ca_book *b = calloc(1, sizeof *b);
    LT_ASSERT(b != NULL);
    b->store = options->store;
    if (options->host != NULL) {
        b->host = *options->host;
    } else {
        ca_host_main(&b->host);
    }
    b->build = options->build;
    b->base_url = options->base_url;
    b->public_http_url = options->public_http_url;
    b->approvals_needed = options->approvals_needed;
    b->listener = options->listener;
    b->at.halt_version = (uint64_t)options->now.us; /* beyond that of any registrar before */
    lt_res r = fill(b, options);
    if (!lt_failed(r) && options->seal_key.len > 0) {
        r = ca_seal_new(options->seal_key, &b->seal);
    }
    if (lt_failed(r)) {
        ca_book_free(b);
        return r;
    }
    *ret_book = b;
    return LT_OK;
}

void ca_book_free(struct ca_book *b)
{
    if (b == NULL) {
        return;
    }
    ca_revoke_waiters_free(b);
    ca_plan_waiters_free(b);
    ca_tally_free(b);
    store_segments_close(b->evidence);
    crypto_aead_free(b->seal);
    ca_operators_done(&b->operators);
    ca_passkeys_done(&b->passkeys);
    ca_profiles_done(&b->profiles);
    lt_arena_done(&b->halts_arena);
    lt_arena_done(&b->arena);
    free(b);
}

static lt_res profile_event(struct ca_turn *t, const struct ca_profile *p, const char *kind)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "profile", p->name);
    ca_body_hex(&body, "sha256", LT_SLICE(p->sha256, sizeof p->sha256));
    char *subject = lt_arena_printf(t->arena, "profile %s", p->name);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, kind, subject, LT_SLICE(NULL, 0));
}

static lt_res find_profile(struct ca_turn *t, const struct ca_profile *p, int64_t *ret_id, bool *ret_same)
{
    struct store_rows rows;
    *ret_id = 0;
    LT_TRY(store_query(t->store, &sql[SQL_PROFILE], STORE_ARGS(STORE_S(p->name)), &rows));
    if (store_next(&rows)) {
        *ret_id = store_int(&rows, 0);
        *ret_same = lt_slice_eq(store_bytes(&rows, 1), LT_SLICE(p->sha256, sizeof p->sha256));
    }
    return store_rows_end(&rows);
}

static lt_res intern_profile(struct ca_turn *t, const struct ca_profile *p, int64_t *ret_id)
{
    bool same = false;
    lt_slice hash = LT_SLICE(p->sha256, sizeof p->sha256);
    LT_TRY(find_profile(t, p, ret_id, &same));
    if (*ret_id != 0 && same) {
        return LT_OK;
    }
    bool is_new = *ret_id == 0;
    LT_TRY(store_exec(t->store, &sql[is_new ? SQL_PROFILE_ADD : SQL_PROFILE_CHANGE],
                      STORE_ARGS(STORE_S(p->name), STORE_B(hash)), NULL));
    LT_TRY(profile_event(t, p, is_new ? "profile.added" : "profile.changed"));
    return find_profile(t, p, ret_id, &same);
}

lt_res ca_book_use_profiles(struct ca_turn *t, struct ca_profiles *profiles)
{
    struct ca_book *b = t->book;
    LT_CHECK(profiles->count <= CA_PROFILES_MAX, LT_PEER_USAGE, "over %d profiles", CA_PROFILES_MAX);
    struct ca_profile_row rows[CA_PROFILES_MAX];
    for (size_t i = 0; i < profiles->count; i++) {
        rows[i].profile = profiles->rows[i];
        LT_TRY(intern_profile(t, profiles->rows[i], &rows[i].id));
    }
    ca_profiles_done(&b->profiles);
    b->profiles = *profiles;
    *profiles = (struct ca_profiles){.count = 0};
    b->row_count = b->profiles.count;
    memcpy(b->rows, rows, b->row_count * sizeof rows[0]);
    return LT_OK;
}

static lt_res operator_event(struct ca_turn *t, const struct ca_operator *o, const char *kind)
{
    struct ca_body body;
    ca_body_init(&body);
    struct lt_buf roles;
    lt_buf_init(&roles, 256);
    ca_operator_roles_json(o->roles, &roles);
    ca_body_str(&body, "operator", o->name);
    ca_body_json(&body, "roles", lt_buf_slice(&roles));
    ca_body_str(&body, "alg", o->alg);
    ca_body_hex(&body, "key_sha256", LT_SLICE(o->thumbprint, sizeof o->thumbprint));
    lt_buf_done(&roles);
    char *subject = lt_arena_printf(t->arena, "operator %s", o->name);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, kind, subject, LT_SLICE(NULL, 0));
}

/* What the table says of an operator; ret_kind is the event that is due, NULL for none. */
static lt_res compare_operator(struct ca_turn *t, const struct ca_operator *o, lt_slice roles,
                               const char **ret_kind)
{
    struct store_rows rows;
    *ret_kind = "operator.added";
    LT_TRY(store_query(t->store, &sql[SQL_OPERATOR], STORE_ARGS(STORE_S(o->name)), &rows));
    if (store_next(&rows) && lt_slice_eq_cstr(store_bytes(&rows, 3), "valid")) {
        bool same = lt_slice_eq(store_bytes(&rows, 0), roles) &&
                    lt_slice_eq(store_bytes(&rows, 1), o->spki) &&
                    lt_slice_eq_cstr(store_bytes(&rows, 2), o->alg);
        *ret_kind = same ? NULL : "operator.changed";
    }
    return store_rows_end(&rows);
}

static lt_res mirror_operator(struct ca_turn *t, const struct ca_operator *o)
{
    struct lt_buf roles;
    lt_buf_init(&roles, 256);
    ca_operator_roles_json(o->roles, &roles);
    char *text = lt_arena_cstr(t->arena, lt_buf_slice(&roles));
    lt_buf_done(&roles);
    LT_ASSERT(text != NULL);
    const char *kind = NULL;
    LT_TRY(compare_operator(t, o, lt_slice_cstr(text), &kind));
    if (kind == NULL) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_OPERATOR_PUT],
                      STORE_ARGS(STORE_S(o->name), STORE_S(text), STORE_B(o->spki),
                                 STORE_B(LT_SLICE(o->thumbprint, sizeof o->thumbprint)), STORE_S(o->alg),
                                 STORE_I(t->now.us)),
                      NULL));
    return operator_event(t, o, kind);
}

static lt_res list_gone(struct ca_turn *t, const struct ca_operators *now, const char **ret_gone,
                        size_t *ret_count)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_OPERATORS], STORE_NO_ARGS, &rows));
    while (*ret_count < CA_OPERATORS_MAX && store_next(&rows)) {
        lt_slice name = store_bytes(&rows, 0);
        if (ca_operator_by_name(now, name) == NULL) {
            ret_gone[*ret_count] = lt_arena_cstr(t->arena, name);
            LT_ASSERT(ret_gone[*ret_count] != NULL);
            (*ret_count)++;
        }
    }
    return store_rows_end(&rows);
}

static lt_res remove_gone(struct ca_turn *t, const struct ca_operators *now)
{
    const char *gone[CA_OPERATORS_MAX];
    size_t count = 0;
    LT_TRY(list_gone(t, now, gone, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(store_exec(t->store, &sql[SQL_OPERATOR_REMOVE], STORE_ARGS(STORE_S(gone[i])), NULL));
        char *subject = lt_arena_printf(t->arena, "operator %s", gone[i]);
        LT_ASSERT(subject != NULL);
        LT_TRY(ca_event(t, "operator.removed", subject, LT_LIT("{}"), LT_SLICE(NULL, 0)));
    }
    return LT_OK;
}

lt_res ca_book_use_operators(struct ca_turn *t, struct ca_operators *operators)
{
    struct ca_book *b = t->book;
    for (size_t i = 0; i < operators->count; i++) {
        LT_TRY(mirror_operator(t, &operators->list[i]));
    }
    LT_TRY(remove_gone(t, operators));
    ca_operators_done(&b->operators);
    b->operators = *operators;
    *operators = (struct ca_operators){.count = 0};
    ca_origins_of(b->config == NULL ? "" : b->config->listen_operator,
                  b->config == NULL ? "" : b->config->console_name, &b->origins);
    b->operators.passkeys = &b->passkeys;
    b->operators.origins = &b->origins;
    return ca_session_sweep(t);
}

const struct ca_issuer *ca_issuer_by_name(const struct ca_book *b, lt_slice name)
{
    for (size_t i = 0; i < b->issuer_count; i++) {
        if (lt_slice_eq_cstr(name, b->issuers[i].name)) {
            return &b->issuers[i];
        }
    }
    return NULL;
}

const struct ca_issuer *ca_issuer_by_id(const struct ca_book *b, int64_t id)
{
    for (size_t i = 0; i < b->issuer_count; i++) {
        if (b->issuers[i].id == id) {
            return &b->issuers[i];
        }
    }
    return NULL;
}

const struct ca_issuer *ca_issuer_by_subject(const struct ca_book *b, lt_slice subject_sha256)
{
    for (size_t i = 0; i < b->issuer_count; i++) {
        if (lt_slice_eq(subject_sha256, LT_SLICE(b->issuers[i].subject_sha256, CA_HASH_LEN))) {
            return &b->issuers[i];
        }
    }
    return NULL;
}

const struct ca_profile_row *ca_profile_by_name(const struct ca_book *b, lt_slice name)
{
    for (size_t i = 0; i < b->row_count; i++) {
        if (lt_slice_eq_cstr(name, b->rows[i].profile->name)) {
            return &b->rows[i];
        }
    }
    return NULL;
}

const char *ca_held(const struct ca_book *b)
{
    if (b->alarmed) {
        return "the signer's journal and the book disagree: see the alarm events";
    }
    return b->held ? b->held_reason : NULL;
}

static uint32_t since_2020(lt_time t)
{
    int64_t s = lt_time_seconds(t) - EPOCH_2020_S;
    LT_ASSERT(s > 0 && s <= UINT32_MAX);
    return (uint32_t)s;
}

/* Ids and serials grow with time down to the microsecond, so that what is written together lies together:
 * with random bits right behind the second, each row of a busy second falls on a page of its own. */
static uint32_t microsecond(lt_time t)
{
    return (uint32_t)(t.us - lt_time_seconds(t) * LT_US_PER_SECOND);
}

int64_t ca_new_id(struct ca_turn *t)
{
    enum { RANDOM_BITS = 11 };
    uint32_t random = 0;
    t->random((uint8_t *)&random, sizeof random);
    uint64_t id = (uint64_t)since_2020(t->now) << 31 | (uint64_t)microsecond(t->now) << RANDOM_BITS |
                  (random & ((1U << RANDOM_BITS) - 1));
    int64_t *last = &t->book->last_id;
    *last = (int64_t)id > *last ? (int64_t)id : *last + 1;
    return *last;
}

int64_t ca_id_from(lt_time t)
{
    int64_t s = lt_time_seconds(t) - EPOCH_2020_S;
    return s < 1 ? INT64_C(1) << 31 : (int64_t)((uint64_t)s << 31);
}

int64_t ca_id_at(lt_time t)
{
    return (int64_t)((uint64_t)since_2020(t) + 1) << 31;
}

void ca_new_serial(struct ca_turn *t, uint8_t ret_serial[CA_SERIAL_LEN])
{
    enum { SECONDS_LEN = 4, FRACTION_LEN = 2 };
    uint32_t s = since_2020(t->now);
    uint64_t fraction = (uint64_t)microsecond(t->now) * 65536 / (uint64_t)LT_US_PER_SECOND;
    for (unsigned i = 0; i < SECONDS_LEN; i++) {
        ret_serial[i] = (uint8_t)(s >> (24 - 8 * i));
    }
    ret_serial[4] = (uint8_t)(fraction >> 8);
    ret_serial[5] = (uint8_t)fraction;
    t->random(ret_serial + SECONDS_LEN + FRACTION_LEN, CA_SERIAL_LEN - SECONDS_LEN - FRACTION_LEN);
}
