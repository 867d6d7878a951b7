/* Certificates that were issued elsewhere, in the book. */
#include "ca/import_book.h"

#include <stdio.h>
#include <string.h>

#include "ca/body.h"
#include "ca/crl_shard.h"
#include "ca/import.h"
#include "ca/merkle.h"
#include "ca/revoke.h"
#include "ca/tally.h"
#include "ca/truth.h"
#include "x509/dnsname.h"

enum {
    SQL_BEGIN,
    SQL_IS,
    SQL_COUNT,
    SQL_COPIES,
    SQL_CERTIFICATE,
    SQL_DER,
    SQL_NAME,
    SQL_IMPORTED,
    SQL_PROFILE,
    SQL_PROFILE_ADD,
    SQL_REVOKED,
    SQL_REVOKE_OPEN,
    SQL_REVOKE,
    SQL_ISSUER_ADD,
};
static const struct store_sql sql[] = {
    [SQL_BEGIN] = {"import.begin",
                   "INSERT INTO import (id, source, note, created_us, created_by, batches, added, "
                   "already, last_us) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, ?4)"},
    [SQL_IS] = {"import.is", "SELECT batches FROM import WHERE id = ?1"},
    [SQL_COUNT] = {"import.count", "UPDATE import SET batches = batches + 1, added = added + ?2, "
                                   "already = already + ?3, last_us = ?4 WHERE id = ?1"},
    [SQL_COPIES] = {"import.copies",
                    "SELECT copy, sha256, shard, not_before_us, not_after_us, name_count, "
                    "name_set_sha256, profile FROM certificate WHERE issuer = ?1 AND serial = ?2 "
                    "ORDER BY copy LIMIT 100"},
    [SQL_CERTIFICATE] =
        {"import.certificate",
         "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, "
         "key_bits, not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, "
         "rule_set, build, delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, "
         "least_quorum, shard, sequence) VALUES (?1, ?2, ?3, 'x509', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
         "0, ?13, ?14, '', '', 1, 'unknown', 0, 0, 0, 0, ?15, 0)"},
    [SQL_DER] = {"import.der",
                 "INSERT INTO certificate_der (issuer, serial, copy, der) VALUES (?1, ?2, ?3, ?4)"},
    [SQL_NAME] = {"import.name", "INSERT INTO certificate_name (name, type, issuer, serial, copy, "
                                 "authorization_id) VALUES (?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT DO NOTHING"},
    [SQL_IMPORTED] = {"import.imported",
                      "INSERT INTO certificate_import (issuer, serial, copy, import, form) "
                      "VALUES (?1, ?2, ?3, ?4, ?5)"},
    [SQL_PROFILE] = {"import.profile", "SELECT id FROM profile WHERE name = ?1"},
    [SQL_PROFILE_ADD] = {"import.profile-add", "INSERT INTO profile (name, sha256) VALUES (?1, ?2)"},
    [SQL_REVOKED] = {"import.revoked",
                     "SELECT 1 FROM revocation WHERE issuer = ?1 AND shard = ?2 AND serial = ?3 UNION ALL "
                     "SELECT 1 FROM revocation_open WHERE issuer = ?1 AND serial = ?3 LIMIT 1"},
    [SQL_REVOKE_OPEN] = {"import.revoke-open",
                         "INSERT INTO revocation_open (id, issuer, serial, reason, revoked_us, by_whom, jws, "
                         "created_us, host) VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7, ?8)"},
    [SQL_REVOKE] = {"import.revoke",
                    "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, "
                    "not_after_us, by_whom, sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)"},
    [SQL_ISSUER_ADD] = {"import.issuer-add",
                        "INSERT INTO issuer (id, name, parent, subject_sha256, spki_sha256, certificate, "
                        "not_before_us, not_after_us, offline) VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, ?7, 1)"},
};
const struct store_sql *const ca_import_sql = sql;
const size_t ca_import_sql_count = LT_COUNT(sql);

enum { PROFILE_NAME_MAX = 64, ISSUER_NAME_MAX = 40, COPIES_MAX = 100, SUBJECT_MAX = 64 };

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static const char *subject_of(struct ca_turn *t, int64_t id)
{
    char *subject = lt_arena_printf(t->arena, "import i%lld", (long long)id);
    LT_ASSERT(subject != NULL);
    return subject;
}

static void say_id(struct ca_body *b, int64_t id)
{
    char text[SUBJECT_MAX];
    (void)snprintf(text, sizeof text, "i%lld", (long long)id);
    ca_body_str(b, "import", text);
}

lt_res ca_import_begin(struct ca_turn *t, const struct ca_import_asker *by, const Ipc__ImportWanted *w,
                       const char **ret_json)
{
    struct ca_body b;
    int64_t id = ca_new_id(t);
    LT_TRY(store_exec(t->store, &sql[SQL_BEGIN],
                      STORE_ARGS(STORE_I(id), STORE_S(w->source), STORE_S(w->note), STORE_I(t->now.us),
                                 STORE_S(by->operator_)),
                      NULL));
    ca_body_init(&b);
    say_id(&b, id);
    ca_body_str(&b, "source", w->source);
    ca_body_str(&b, "note", w->note);
    ca_body_str(&b, "operator", by->operator_);
    LT_TRY(ca_body_event(&b, t, "import.begun", subject_of(t, id), by->jws));
    ca_body_init(&b);
    say_id(&b, id);
    return ca_body_cstr(&b, t->arena, ret_json);
}

/* ---- one certificate ---- */

struct batch {
    struct ca_turn *t;
    const Ipc__ImportWanted *w;
    char by[SUBJECT_MAX]; /* of revocations */
    int64_t profile;
    int64_t added;
    int64_t already;
    int64_t revoked;
    struct ca_merkle tree;
};

/* Our own CRL will have the number, and the reason: what the examiner would refuse there would stop it. */
static lt_res check_signed_here(const Ipc__ImportRow *row)
{
    bool large = row->serial.len == CA_IMPORT_SERIAL_MAX && (row->serial.data[0] & 0x80) != 0;
    /*= RFC 5280 4.1.2.2 "Conforming CAs MUST NOT use serialNumber values longer than 20 octets" */
    LT_CHECK(!large, LT_PEER_MALFORMED, "the serial number takes over %d octets", CA_IMPORT_SERIAL_MAX);
    /*= CABF-BR 7.2.2 "certificateHold 6 MUST NOT be included" */
    LT_CHECK(row->revoked_us == 0 || ca_reason_allowed(row->reason, true), LT_PEER_MALFORMED,
             "a CRL of this CA cannot have the reason %s (%u)", ca_reason_name(row->reason), row->reason);
    return LT_OK;
}

lt_res ca_import_row_check(const Ipc__ImportRow *row, bool signed_here, lt_time now)
{
    bool zero = true;
    LT_CHECK(row->serial.len > 0 && row->serial.len <= CA_IMPORT_SERIAL_MAX, LT_PEER_MALFORMED,
             "a serial number of %zu bytes", row->serial.len);
    for (size_t i = 0; i < row->serial.len; i++) {
        zero = zero && row->serial.data[i] == 0;
    }
    LT_CHECK(!zero, LT_PEER_MALFORMED, "the serial number is 0");
    LT_CHECK(row->der.len > 0 || row->not_before_us > 0, LT_PEER_MALFORMED, "it begins before 1970");
    LT_CHECK(row->revoked_us <= now.us, LT_PEER_MALFORMED, "a revocation of a time to come");
    LT_CHECK(row->revoked_us >= 0, LT_PEER_MALFORMED, "a revocation before 1970");
    return signed_here ? check_signed_here(row) : LT_OK;
}

static const struct ca_issuer *issuer_of(const struct ca_book *b, const Ipc__ImportRow *row)
{
    if (row->der.len == 0) {
        return ca_issuer_by_name(b, lt_slice_cstr(row->issuer));
    }
    for (size_t i = 0; i < b->issuer_count; i++) {
        const struct ca_issuer *one = &b->issuers[i];
        if (lt_slice_eq(bytes(row->issuer_subject_sha256), LT_SLICE(one->subject_sha256, CA_HASH_LEN)) &&
            lt_slice_eq(bytes(row->issuer_spki_sha256), LT_SLICE(one->spki_sha256, CA_HASH_LEN))) {
            return one;
        }
    }
    return NULL;
}

struct place {
    int64_t copy;  /* that it would have */
    int64_t shard; /* of the one that is there, or else its own */
    int64_t profile;
    int64_t not_after_us;
    bool already;
    bool other; /* what is there has other dates or names */
};

static bool contradicts(const struct store_rows *rows, const Ipc__ImportRow *row)
{
    bool named = row->n_names > 0 && store_int(rows, 5) > 0;
    return store_int(rows, 3) != row->not_before_us || store_int(rows, 4) != row->not_after_us ||
           (named && !lt_slice_eq(store_bytes(rows, 6), bytes(row->name_set_sha256)));
}

static lt_res find_place(struct ca_turn *t, const struct ca_issuer *issuer, const Ipc__ImportRow *row,
                         struct place *ret)
{
    struct store_rows rows;
    *ret = (struct place){.copy = 0};
    LT_TRY(store_query(t->store, &sql[SQL_COPIES],
                       STORE_ARGS(STORE_I(issuer->id), STORE_B(bytes(row->serial))), &rows));
    while (store_next(&rows)) {
        lt_slice there = store_bytes(&rows, 1);
        ret->shard = store_int(&rows, 2);
        ret->profile = ret->copy == 0 ? store_int(&rows, 7) : ret->profile;
        ret->not_after_us = ret->copy == 0 ? store_int(&rows, 4) : ret->not_after_us;
        ret->copy = store_int(&rows, 0) + 1;
        bool partial = there.len == 0 || row->sha256.len == 0;
        ret->other = !ret->already && partial && contradicts(&rows, row);
        ret->already = ret->already || partial || lt_slice_eq(there, bytes(row->sha256));
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(ret->already || ret->copy < COPIES_MAX, LT_PEER_TOO_LARGE,
             "%s has issued %d different certificates of one serial number", issuer->name, COPIES_MAX);
    return LT_OK;
}

static lt_res add_names(struct ca_turn *t, const struct ca_issuer *issuer, const Ipc__ImportRow *row,
                        int64_t copy)
{
    struct lt_buf reversed;
    lt_res r = LT_OK;
    lt_buf_init(&reversed, 512);
    for (size_t i = 0; i < row->n_names && !lt_failed(r); i++) {
        lt_slice name = lt_slice_cstr(row->names[i]->value);
        lt_buf_reset(&reversed);
        if (strcmp(row->names[i]->type, "dns") == 0) {
            x509_dns_reverse(name, &reversed);
            name = lt_buf_slice(&reversed);
        }
        r = store_exec(t->store, &sql[SQL_NAME],
                       STORE_ARGS(STORE_T(name), STORE_S(row->names[i]->type), STORE_I(issuer->id),
                                  STORE_B(bytes(row->serial)), STORE_I(copy)),
                       NULL);
    }
    lt_buf_done(&reversed);
    return r;
}

/* A part of ours, where it says so; the complete CRL has all of them. */
static int64_t shard_of(const struct ca_book *b, const struct ca_issuer *issuer, const Ipc__ImportRow *row)
{
    uint32_t shard = 0;
    const char *base = b->public_http_url == NULL ? "" : b->public_http_url;
    bool ours = row->crl_url[0] != 0 &&
                ca_crl_url_shard(lt_slice_cstr(row->crl_url), base, issuer->name, &shard);
    return ours ? (int64_t)shard : 0;
}

static lt_res add_row(struct batch *b, const struct ca_issuer *issuer, const Ipc__ImportRow *row,
                      int64_t copy, int64_t shard)
{
    struct ca_turn *t = b->t;
    lt_slice serial = bytes(row->serial);
    LT_TRY(store_exec(
        t->store, &sql[SQL_CERTIFICATE],
        STORE_ARGS(STORE_I(issuer->id), STORE_B(serial), STORE_I(copy), STORE_I(b->profile),
                   STORE_B(bytes(row->sha256)), STORE_B(bytes(row->spki_sha256)), STORE_I(row->key_type),
                   STORE_I(row->key_bits), STORE_I(row->not_before_us), STORE_I(row->not_after_us),
                   STORE_I(row->issued_us != 0 ? row->issued_us : row->not_before_us), STORE_I(b->w->account),
                   STORE_B(bytes(row->name_set_sha256)), STORE_I(row->n_names), STORE_I(shard)),
        NULL));
    if (row->der.len > 0) {
        LT_TRY(store_exec(
            t->store, &sql[SQL_DER],
            STORE_ARGS(STORE_I(issuer->id), STORE_B(serial), STORE_I(copy), STORE_B(bytes(row->der))), NULL));
    }
    LT_TRY(add_names(t, issuer, row, copy));
    LT_TRY(store_exec(t->store, &sql[SQL_IMPORTED],
                      STORE_ARGS(STORE_I(issuer->id), STORE_B(serial), STORE_I(copy), STORE_I(b->w->id),
                                 STORE_S(row->der.len > 0 ? "der" : "row")),
                      NULL));
    if (copy == 0 && row->n_names > 0 && row->not_after_us >= t->now.us) {
        const struct ca_truth_certificate fresh = {issuer->id, serial};
        const lt_time issued = {row->issued_us != 0 ? row->issued_us : row->not_before_us};
        LT_TRY(ca_truth_arrived(t, &fresh, bytes(row->name_set_sha256), issued));
    }
    const struct ca_tally_certificate counted = {issuer->id, serial, b->profile, row->not_after_us};
    LT_TRY(copy == 0 ? ca_tally_issued(t, &counted, true) : LT_OK);
    ca_merkle_add(&b->tree, row->sha256.len > 0 ? bytes(row->sha256) : serial);
    b->added++;
    return LT_OK;
}

static lt_res revoke(struct batch *b, const struct ca_issuer *issuer, const Ipc__ImportRow *row,
                     const struct place *at)
{
    int64_t shard = at->shard;
    struct ca_turn *t = b->t;
    struct store_rows rows;
    lt_slice serial = bytes(row->serial);
    LT_TRY(store_query(t->store, &sql[SQL_REVOKED],
                       STORE_ARGS(STORE_I(issuer->id), STORE_I(shard), STORE_B(serial)), &rows));
    bool there = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    if (there) {
        return LT_OK;
    }
    b->revoked++;
    if (issuer->offline) {
        const struct ca_tally_certificate counted = {issuer->id, serial, at->profile, at->not_after_us};
        LT_TRY(ca_tally_revoked(t, &counted, true));
        return store_exec(t->store, &sql[SQL_REVOKE],
                          STORE_ARGS(STORE_I(issuer->id), STORE_I(shard), STORE_B(serial),
                                     STORE_I(row->reason), STORE_I(row->revoked_us), STORE_I(t->now.us),
                                     STORE_I(row->not_after_us), STORE_S(b->by)),
                          NULL);
    }
    /* The signer's journal first: it is asked for as what a crash left open is. */
    return store_exec(t->store, &sql[SQL_REVOKE_OPEN],
                      STORE_ARGS(STORE_I(ca_new_id(t)), STORE_I(issuer->id), STORE_B(serial),
                                 STORE_I(row->reason), STORE_I(row->revoked_us), STORE_S(b->by),
                                 STORE_I(t->now.us), STORE_I(t->book->host.id)),
                      NULL);
}

static lt_res take(struct batch *b, const Ipc__ImportRow *row)
{
    struct place at;
    const struct ca_issuer *issuer = issuer_of(b->t->book, row);
    if (issuer == NULL) { /* another host may have brought it in */
        LT_TRY(ca_book_issuers_changed(b->t->book));
        issuer = issuer_of(b->t->book, row);
    }
    LT_CHECK(issuer != NULL, LT_PEER_NOT_FOUND, "the book has no issuer %.60s",
             row->der.len == 0 ? row->issuer : "with the name and key of a certificate");
    LT_TRY(ca_import_row_check(row, !issuer->offline, b->t->now));
    LT_TRY(find_place(b->t, issuer, row, &at));
    LT_CHECK(!at.other, LT_PEER_MALFORMED,
             "the book has another certificate of this serial number of %s: other dates or names",
             issuer->name);
    if (!at.already && at.copy == 0) {
        at.shard = shard_of(b->t->book, issuer, row);
        at.profile = b->profile;
        at.not_after_us = row->not_after_us;
    }
    if (at.already) {
        b->already++;
    } else {
        LT_TRY(add_row(b, issuer, row, at.copy, at.shard));
    }
    return row->revoked_us == 0 ? LT_OK : revoke(b, issuer, row, &at);
}

/* ---- a request ---- */

static lt_res profile_id(struct ca_turn *t, const char *name, int64_t *ret_id)
{
    static const uint8_t none[CA_HASH_LEN];
    size_t len = strlen(name);
    LT_CHECK(len <= PROFILE_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len,
             LT_PEER_MALFORMED, "\"profile\" is 1 to %d of a-z 0-9 -", PROFILE_NAME_MAX);
    for (int i = 0; i < 2; i++) {
        struct store_rows rows;
        LT_TRY(store_query(t->store, &sql[SQL_PROFILE], STORE_ARGS(STORE_S(name)), &rows));
        *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
        LT_TRY(store_rows_end(&rows));
        if (*ret_id != 0) {
            return LT_OK;
        }
        LT_TRY(store_exec(t->store, &sql[SQL_PROFILE_ADD],
                          STORE_ARGS(STORE_S(name), STORE_B(LT_SLICE(none, sizeof none))), NULL));
    }
    LT_FAIL(LT_STATE_CORRUPT, "the profile %s is not in the book", name);
}

static lt_res batch_event(const struct batch *b, const struct ca_import_asker *by)
{
    struct ca_body body;
    uint8_t root[CA_MERKLE_LEN];
    ca_merkle_root(&b->tree, root);
    ca_body_init(&body);
    say_id(&body, b->w->id);
    ca_body_int(&body, "added", b->added);
    ca_body_int(&body, "already", b->already);
    ca_body_int(&body, "revoked", b->revoked);
    ca_body_hex(&body, "root", LT_SLICE(root, sizeof root));
    ca_body_str(&body, "operator", by->operator_);
    return ca_body_event(&body, b->t, "certificates.imported", subject_of(b->t, b->w->id), LT_SLICE(NULL, 0));
}

static lt_res check_import(struct ca_turn *t, int64_t id)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_IS], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no import i%lld", (long long)id);
    return LT_OK;
}

lt_res ca_import_add(struct ca_turn *t, const struct ca_import_asker *by, const Ipc__ImportWanted *w,
                     const char **ret_json)
{
    struct batch b = {.t = t, .w = w};
    struct ca_body body;
    LT_CHECK(w->n_rows <= CA_IMPORT_ROWS_MAX, LT_PEER_TOO_LARGE, "over %d certificates", CA_IMPORT_ROWS_MAX);
    LT_TRY(check_import(t, w->id));
    LT_TRY(profile_id(t, w->profile[0] != 0 ? w->profile : CA_IMPORT_PROFILE, &b.profile));
    (void)snprintf(b.by, sizeof b.by, "import i%lld", (long long)w->id);
    ca_merkle_init(&b.tree);
    for (size_t i = 0; i < w->n_rows; i++) {
        LT_TRY(take(&b, w->rows[i]));
    }
    LT_TRY(store_exec(t->store, &sql[SQL_COUNT],
                      STORE_ARGS(STORE_I(w->id), STORE_I(b.added), STORE_I(b.already), STORE_I(t->now.us)),
                      NULL));
    if (b.added > 0 || b.revoked > 0) {
        LT_TRY(batch_event(&b, by));
    }
    ca_body_init(&body);
    say_id(&body, w->id);
    ca_body_int(&body, "added", b.added);
    ca_body_int(&body, "already", b.already);
    ca_body_int(&body, "revoked", b.revoked);
    return ca_body_cstr(&body, t->arena, ret_json);
}

/* ---- another CA ---- */

static lt_res check_issuer(const struct ca_book *b, const Ipc__ImportIssuer *i)
{
    size_t len = strlen(i->name);
    LT_CHECK(len > 0 && len <= ISSUER_NAME_MAX &&
                 strspn(i->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len,
             LT_PEER_MALFORMED, "the name of an issuer is 1 to %d of a-z 0-9 -", ISSUER_NAME_MAX);
    LT_CHECK(b->issuer_count < CA_ISSUERS_MAX, LT_PEER_TOO_LARGE, "the book has %d issuers already",
             CA_ISSUERS_MAX);
    LT_CHECK(i->subject_sha256.len == CA_HASH_LEN && i->spki_sha256.len == CA_HASH_LEN && i->der.len > 0,
             LT_PEER_MALFORMED, "an issuer without its certificate");
    for (size_t k = 0; k < b->issuer_count; k++) {
        const struct ca_issuer *one = &b->issuers[k];
        LT_CHECK(strcmp(one->name, i->name) != 0, LT_PEER_CONFLICT, "there is an issuer %s", i->name);
        bool same = lt_slice_eq(bytes(i->subject_sha256), LT_SLICE(one->subject_sha256, CA_HASH_LEN)) &&
                    lt_slice_eq(bytes(i->spki_sha256), LT_SLICE(one->spki_sha256, CA_HASH_LEN));
        LT_CHECK(!same, LT_PEER_CONFLICT, "that issuer is %s", one->name);
    }
    return LT_OK;
}

lt_res ca_import_issuer_add(struct ca_turn *t, const struct ca_import_asker *by, const Ipc__ImportIssuer *i,
                            const char **ret_json)
{
    struct ca_body b;
    int64_t id = 1;
    LT_TRY(check_issuer(t->book, i));
    for (size_t k = 0; k < t->book->issuer_count; k++) {
        id = t->book->issuers[k].id >= id ? t->book->issuers[k].id + 1 : id;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_ISSUER_ADD],
                      STORE_ARGS(STORE_I(id), STORE_S(i->name), STORE_B(bytes(i->subject_sha256)),
                                 STORE_B(bytes(i->spki_sha256)), STORE_B(bytes(i->der)),
                                 STORE_I(i->not_before_us), STORE_I(i->not_after_us)),
                      NULL));
    LT_TRY(ca_book_issuers_changed(t->book));
    char *subject = lt_arena_printf(t->arena, "issuer %s", i->name);
    LT_ASSERT(subject != NULL);
    ca_body_init(&b);
    ca_body_str(&b, "issuer", i->name);
    ca_body_hex(&b, "key_sha256", bytes(i->spki_sha256));
    ca_body_time(&b, "not_after", (lt_time){i->not_after_us});
    ca_body_bool(&b, "elsewhere", true);
    ca_body_str(&b, "operator", by->operator_);
    LT_TRY(ca_body_event(&b, t, "issuer.known", subject, by->jws));
    ca_body_init(&b);
    ca_body_str(&b, "issuer", i->name);
    return ca_body_cstr(&b, t->arena, ret_json);
}
