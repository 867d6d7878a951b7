/* The rows of a large book, written in the order of their keys: what would be scattered (names, other
 * indexes) is made in bench_inventory_names.c. Certificates are real: built by our writer, signed with the
 * issuing CA's key, over keys on the curve whose private halves nobody knows (each is the one before plus the
 * base point, a tenth of the cost of drawing them). What a registrar would have written beside them and no
 * question asks for is left out: orders, intents, events of each one, the signer's journal. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "ca/crl_shard.h"
#include "ca/truth.h"
#include "cmd/bench_inventory.h"
#include "crypto/digest.h"
#include "x509/tbs.h"

static const struct store_sql sql[] = {
    {"inventory.certificate",
     "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
     "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
     "build, delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, "
     "shard, sequence) VALUES (?1, ?2, 0, 'x509', ?3, ?4, ?5, 2, 256, ?6, ?7, ?8, ?9, 0, ?10, ?11, 'bench', "
     "?12, 1, ?13, ?14, ?15, ?16, ?17, ?18, 0)"},
    {"inventory.der", "INSERT INTO certificate_der (issuer, serial, copy, der) VALUES (?1, ?2, 0, ?3)"},
    {"inventory.dimension-of",
     "INSERT INTO certificate_dimension (dimension, issuer, serial, copy) VALUES (?1, ?2, ?3, 0)"},
    {"inventory.finding", "INSERT INTO certificate_finding (rule, issuer, serial, copy, result, found_us) "
                          "VALUES (?1, ?2, ?3, 0, ?5, ?4)"},
    {"inventory.replacement", "INSERT INTO replacement (old_issuer, old_serial, new_issuer, new_serial, how, "
                              "seen_us) VALUES (?1, ?2, ?1, ?3, ?4, ?5)"},
    {"inventory.truth",
     "INSERT INTO certificate_truth (issuer, serial, step, state, event, since_us, by_issuer, "
     "by_serial) VALUES (?1, ?2, 1, ?3, 'bench', ?4, 0, ?5)"},
    {"inventory.swept", "INSERT INTO truth_sweep (id, at_issuer, at_serial, done) VALUES (1, 0, ?1, 1)"},
    {"inventory.revocation",
     "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, by_whom, "
     "sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, 'bench', 0)"},
    {"inventory.account",
     "INSERT INTO account (id, thumbprint, spki, alg, status, contacts, terms_agreed_us, "
     "created_us, address) VALUES (?1, ?2, ?3, 'ES256', 'valid', ?4, ?5, ?5, '192.0.2.1')"},
    /* As the migration files each account. */
    {"inventory.readiness",
     "INSERT INTO readiness (account, tier, since_us, manual, client, client_us, polls, polled_us, renewals, "
     "renewed_us, told_us, terms, terms_us, clause, reached_us, intolerant, intolerant_why, held) "
     "VALUES (?1, 4, ?2, 0, '', 0, 0, 0, 0, 0, 0, '', ?2, 0, 0, 0, '', 0)"},
    {"inventory.dimension", "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) "
                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    {"inventory.build", "INSERT INTO build (name, first_us) VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
    {"inventory.key-block", "INSERT INTO key_block (spki_sha256, reason, source, blocked_us) VALUES (?1, "
                            "'keyCompromise', 'bench', ?2)"},
    {"inventory.issuer", "SELECT id FROM issuer WHERE name = ?1"},
    {"inventory.profile", "SELECT id FROM profile WHERE name = ?1"},
};
enum {
    SQL_CERTIFICATE,
    SQL_DER,
    SQL_DIMENSION_OF,
    SQL_FINDING,
    SQL_REPLACEMENT,
    SQL_TRUTH,
    SQL_SWEPT,
    SQL_REVOCATION,
    SQL_ACCOUNT,
    SQL_READINESS,
    SQL_DIMENSION,
    SQL_BUILD,
    SQL_KEY_BLOCK,
    SQL_ISSUER,
    SQL_PROFILE,
};

enum { POINT_LEN = 64, SPKI_LEN = 91, TBS_MAX = 64 * 1024, REASONS = 4, KEY_BLOCKED_OF = 5000 };

/* SubjectPublicKeyInfo of P-256, up to the point. */
static const uint8_t spki_head[SPKI_LEN - POINT_LEN] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                        0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

static lt_res make_points(struct inventory_load *l)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
    BIGNUM *from = BN_new();
    l->points = calloc(l->shape.sets, POINT_LEN);
    LT_ASSERT(point != NULL && from != NULL && l->points != NULL);
    bool good = BN_rand(from, 250, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                EC_POINT_mul(group, point, from, NULL, NULL, NULL) == 1;
    for (uint64_t i = 0; good && i < l->shape.sets; i++) {
        uint8_t encoded[POINT_LEN + 1];
        good = EC_POINT_add(group, point, point, EC_GROUP_get0_generator(group), NULL) == 1 &&
               EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, encoded, sizeof encoded,
                                  NULL) == sizeof encoded;
        memcpy(l->points + i * POINT_LEN, encoded + 1, POINT_LEN);
        inventory_tell(l, i, l->shape.sets);
    }
    BN_free(from);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    LT_CHECK(good, LT_STATE_CORRUPT, "no keys can be made");
    return LT_OK;
}

/* One that somebody finds: its private half is in the folder. Only in a book for drills. */
static lt_res make_leaked(struct inventory_load *l)
{
    enum { LEAKED_SET = 5 };
    uint8_t encoded[POINT_LEN + 1];
    size_t len = 0;
    const char *path = lt_arena_printf(&l->c->arena, "%s/leaked.key", l->folder);
    EVP_PKEY *key = path == NULL || !l->shape.clean ? NULL : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (key == NULL || l->shape.sets <= LEAKED_SET) {
        EVP_PKEY_free(key);
        return LT_OK;
    }
    FILE *f = fopen(path, "wxe");
    bool good = f != NULL && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof encoded,
                                                &len) == 1;
    good = (f == NULL || fclose(f) == 0) && good && len == sizeof encoded;
    EVP_PKEY_free(key);
    LT_CHECK(good, LT_STATE_IO, "%.150s cannot be made", path);
    memcpy(l->points + (size_t)LEAKED_SET * POINT_LEN, encoded + 1, POINT_LEN);
    return LT_OK;
}

/* Renewals keep their key, as most clients do. */
static void spki_of(const struct inventory_load *l, uint64_t i, uint8_t ret_spki[SPKI_LEN])
{
    memcpy(ret_spki, spki_head, sizeof spki_head);
    memcpy(ret_spki + sizeof spki_head, l->points + i % l->shape.sets * POINT_LEN, POINT_LEN);
}

static lt_res one_id(struct inventory_load *l, size_t statement, const char *name, int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(l->store, &sql[statement], STORE_ARGS(STORE_S(name)), &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(*ret_id != 0, LT_STATE_CORRUPT, "the book has no %s", name);
    return LT_OK;
}

static lt_res load_accounts(struct inventory_load *l)
{
    int64_t created_us = l->shape.now_us - 400 * LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    for (uint64_t i = 0; i <= l->shape.accounts; i++) {
        uint8_t spki[SPKI_LEN];
        uint8_t thumbprint[CRYPTO_SHA256_LEN];
        char contact[64];
        lt_random(spki, sizeof spki); /* nobody signs with it */
        crypto_sha256(LT_SLICE(spki, sizeof spki), thumbprint);
        (void)snprintf(contact, sizeof contact, "[\"mailto:a%llu@example.com\"]", (unsigned long long)i);
        LT_TRY(store_exec(
            l->store, &sql[SQL_ACCOUNT],
            STORE_ARGS(STORE_I(INVENTORY_FIRST_ACCOUNT + i), STORE_B(LT_SLICE(thumbprint, sizeof thumbprint)),
                       STORE_B(LT_SLICE(spki, sizeof spki)), STORE_S(contact), STORE_I(created_us)),
            NULL));
        LT_TRY(store_exec(l->store, &sql[SQL_READINESS],
                          STORE_ARGS(STORE_I(INVENTORY_FIRST_ACCOUNT + i), STORE_I(created_us)), NULL));
    }
    return LT_OK;
}

/* A key of every so many sets is blocked. */
static lt_res load_key_blocks(struct inventory_load *l)
{
    for (uint64_t i = 17; i < l->shape.sets && !l->shape.clean; i += KEY_BLOCKED_OF) {
        uint8_t spki[SPKI_LEN];
        uint8_t hash[CRYPTO_SHA256_LEN];
        spki_of(l, i, spki);
        crypto_sha256(LT_SLICE(spki, sizeof spki), hash);
        LT_TRY(store_exec(l->store, &sql[SQL_KEY_BLOCK],
                          STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash)), STORE_I(l->shape.now_us)), NULL));
    }
    return LT_OK;
}

lt_res inventory_load_small(struct inventory_load *l)
{
    inventory_phase(l, "keys");
    LT_TRY(make_points(l));
    LT_TRY(make_leaked(l));
    LT_TRY(one_id(l, SQL_ISSUER, "tls", &l->issuer_id));
    LT_TRY(one_id(l, SQL_PROFILE, "tls-server", &l->profile_id));
    for (size_t i = 0; i < INVENTORY_DIMENSIONS; i++) {
        struct inventory_dimension d = inventory_dimension(i);
        LT_TRY(store_exec(l->store, &sql[SQL_DIMENSION],
                          STORE_ARGS(STORE_I(i + 1), STORE_S(d.method), STORE_S(d.rule_set), STORE_S(d.build),
                                     STORE_S(d.resolver), STORE_S(d.perspectives)),
                          NULL));
        LT_TRY(store_exec(l->store, &sql[SQL_BUILD], STORE_ARGS(STORE_S(d.build), STORE_I(0)), NULL));
    }
    LT_TRY(store_exec(l->store, &sql[SQL_BUILD], STORE_ARGS(STORE_S("1.4.1"), STORE_I(0)), NULL));
    LT_TRY(store_exec(l->store, &sql[SQL_SWEPT], STORE_ARGS(STORE_B(LT_LIT(""))), NULL));
    LT_TRY(load_accounts(l));
    return load_key_blocks(l);
}

/* ---- one certificate ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* As issuance writes it: [["dns","a.example"],…], sorted. */
static void hash_name_set(struct inventory_load *l, char (*names)[INVENTORY_TEXT], size_t count,
                          uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    qsort(names, count, sizeof names[0], compare);
    lt_buf_reset(&l->text);
    for (size_t i = 0; i < count; i++) {
        lt_buf_add_cstr(&l->text, i == 0 ? "[[\"dns\",\"" : ",[\"dns\",\"");
        lt_buf_add_cstr(&l->text, names[i]);
        lt_buf_add_cstr(&l->text, "\"]");
    }
    lt_buf_add_byte(&l->text, ']');
    crypto_sha256(lt_buf_slice(&l->text), ret_hash);
}

static lt_res build(struct inventory_load *l, const struct inventory_one *o, lt_slice spki, uint32_t shard,
                    struct lt_buf *out)
{
    char names[INVENTORY_NAMES_MAX][INVENTORY_TEXT];
    struct x509_general_name san[INVENTORY_NAMES_MAX];
    static const enum x509_oid eku[] = {X509_OID_SERVER_AUTH};
    const lt_slice policy = LT_LIT("\x67\x81\x0c\x01\x02\x01"); /* 2.23.140.1.2.1 */
    const char *base = l->config->public_http_url;
    lt_slice crl_url = lt_slice_cstr(ca_crl_url(&l->arena, base, "tls", shard));
    lt_slice issuer_url = lt_slice_cstr(lt_arena_printf(&l->arena, "%s/ca/tls.crt", base));
    for (uint64_t k = 0; k < o->names; k++) {
        inventory_name(&l->shape, o->set, k, names[k]);
        san[k] = (struct x509_general_name){.type = X509_GN_DNS, .value = lt_slice_cstr(names[k])};
    }
    const struct x509_tbs_spec spec = {
        .sig_alg = x509_sig_alg_for(l->issuer.spki.type),
        .serial = LT_SLICE(o->serial, sizeof o->serial),
        .issuer = l->issuer.subject.der,
        .not_before = {o->not_before_us},
        .not_after = {o->not_after_us},
        .spki = spki,
        .key_usage = X509_KU_DIGITAL_SIGNATURE,
        .eku = eku,
        .eku_count = 1,
        .policies = &policy,
        .policy_count = 1,
        .san = san,
        .san_count = o->names,
        .aki = l->issuer.ext.ski,
        .crl_urls = &crl_url,
        .crl_url_count = 1,
        .issuer_urls = &issuer_url,
        .issuer_url_count = 1,
    };
    return x509_tbs_build(&spec, out);
}

static lt_res sign(struct inventory_load *l, lt_slice tbs, struct lt_buf *out)
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    LT_TRY(l->key.use.sign(l->key.use.self, tbs, signature, &len));
    return x509_assemble(tbs, x509_sig_alg_for(l->issuer.spki.type), LT_SLICE(signature, len), out);
}

static lt_res add_certificate(struct inventory_load *l, const struct inventory_one *o, lt_slice spki,
                              uint32_t shard, lt_slice der)
{
    char names[INVENTORY_NAMES_MAX][INVENTORY_TEXT];
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint8_t spki_hash[CRYPTO_SHA256_LEN];
    uint8_t set_hash[CRYPTO_SHA256_LEN];
    lt_slice serial = LT_SLICE(o->serial, sizeof o->serial);
    for (uint64_t k = 0; k < o->names; k++) {
        inventory_name(&l->shape, o->set, k, names[k]);
    }
    crypto_sha256(der, hash);
    crypto_sha256(spki, spki_hash);
    hash_name_set(l, names, o->names, set_hash);
    LT_TRY(store_exec(
        l->store, &sql[SQL_CERTIFICATE],
        STORE_ARGS(STORE_I(l->issuer_id), STORE_B(serial), STORE_I(l->profile_id),
                   STORE_B(LT_SLICE(hash, sizeof hash)), STORE_B(LT_SLICE(spki_hash, sizeof spki_hash)),
                   STORE_I(o->not_before_us), STORE_I(o->not_after_us), STORE_I(o->issued_us),
                   STORE_I(o->account), STORE_B(LT_SLICE(set_hash, sizeof set_hash)), STORE_I(o->names),
                   STORE_S(o->build), STORE_S(o->method), STORE_I(o->dimension), STORE_I(o->validated_us),
                   STORE_I(o->caa_us), STORE_I(o->quorum), STORE_I(shard)),
        NULL));
    return store_exec(l->store, &sql[SQL_DER],
                      STORE_ARGS(STORE_I(l->issuer_id), STORE_B(serial), STORE_B(der)), NULL);
}

/* What has become of it: half of the replaced ones are deployed, some of the others were seen. */
static lt_res load_truth(struct inventory_load *l, uint64_t i, const struct inventory_one *o, lt_slice serial)
{
    enum ca_truth_state state = inventory_is_replaced(&l->shape, i)
                                    ? (i % 2 == 0 ? CA_TRUTH_DEPLOYED : CA_TRUTH_NOT_SEEN)
                                    : (i % 5 == 0 ? CA_TRUTH_IN_USE : CA_TRUTH_SILENT);
    if (state == CA_TRUTH_SILENT) {
        return LT_OK;
    }
    return store_exec(l->store, &sql[SQL_TRUTH],
                      STORE_ARGS(STORE_I(l->issuer_id), STORE_B(serial), STORE_I(state),
                                 STORE_I(o->issued_us), STORE_B(LT_LIT(""))),
                      NULL);
}

/* What only some have. */
static lt_res add_extras(struct inventory_load *l, uint64_t i, const struct inventory_one *o, uint32_t shard)
{
    static const char *const rules[] = {"br_7.1.2.7.6_eku", "br_7.1.2.7.12_san", "rfc5280_4.2.1.6_san"};
    static const int64_t reasons[REASONS] = {4, 1, 5, 0};
    lt_slice serial = LT_SLICE(o->serial, sizeof o->serial);
    size_t other = o->names > 1 ? inventory_name_dimension(o->set, 1) + 1 : 0;
    if (other != 0 && (int64_t)other != o->dimension) {
        LT_TRY(store_exec(l->store, &sql[SQL_DIMENSION_OF],
                          STORE_ARGS(STORE_I(other), STORE_I(l->issuer_id), STORE_B(serial)), NULL));
    }
    if (i % 30 == 7 && !l->shape.clean) {
        LT_TRY(store_exec(l->store, &sql[SQL_FINDING],
                          STORE_ARGS(STORE_S(rules[i / 30 % LT_COUNT(rules)]), STORE_I(l->issuer_id),
                                     STORE_B(serial), STORE_I(o->issued_us), STORE_S("error")),
                          NULL));
    }
    if (inventory_is_forbidden(&l->shape, i)) {
        LT_TRY(store_exec(l->store, &sql[SQL_FINDING],
                          STORE_ARGS(STORE_S("caa_forbidden"), STORE_I(l->issuer_id), STORE_B(serial),
                                     STORE_I(l->shape.now_us), STORE_S("notice")),
                          NULL));
    }
    LT_TRY(load_truth(l, i, o, serial));
    if (!inventory_is_replaced(&l->shape, i)) {
        return LT_OK;
    }
    struct inventory_one by;
    inventory_one(&l->shape, i + l->shape.sets, &by);
    LT_TRY(store_exec(l->store, &sql[SQL_REPLACEMENT],
                      STORE_ARGS(STORE_I(l->issuer_id), STORE_B(serial),
                                 STORE_B(LT_SLICE(by.serial, sizeof by.serial)), STORE_S("acme-replaces"),
                                 STORE_I(by.issued_us)),
                      NULL));
    if (l->shape.revoked == 0) {
        return LT_OK;
    }
    l->shape.revoked--;
    return store_exec(l->store, &sql[SQL_REVOCATION],
                      STORE_ARGS(STORE_I(l->issuer_id), STORE_I(shard), STORE_B(serial),
                                 STORE_I(reasons[i % REASONS]),
                                 STORE_I(l->shape.now_us - 60 * LT_US_PER_SECOND), STORE_I(o->not_after_us)),
                      NULL);
}

static lt_res load_one(struct inventory_load *l, uint64_t i, struct lt_buf *tbs, struct lt_buf *der)
{
    uint8_t spki[SPKI_LEN];
    struct inventory_one o;
    inventory_one(&l->shape, i, &o);
    uint32_t shard = ca_crl_shard_of(LT_SLICE(o.serial, sizeof o.serial), l->as_configured->crl_shards);
    spki_of(l, i, spki);
    lt_arena_reset(&l->arena);
    lt_buf_reset(tbs);
    lt_buf_reset(der);
    LT_TRY(build(l, &o, LT_SLICE(spki, sizeof spki), shard, tbs));
    LT_TRY(sign(l, lt_buf_slice(tbs), der));
    LT_TRY(lt_buf_check(der));
    LT_TRY(add_certificate(l, &o, LT_SLICE(spki, sizeof spki), shard, lt_buf_slice(der)));
    return add_extras(l, i, &o, shard);
}

lt_res inventory_load_certificates(struct inventory_load *l)
{
    struct lt_buf tbs;
    struct lt_buf der;
    lt_res r = LT_OK;
    lt_buf_init(&tbs, TBS_MAX);
    lt_buf_init(&der, TBS_MAX);
    inventory_phase(l, "certificates");
    for (uint64_t i = 0; i < l->shape.count && !lt_failed(r); i++) {
        r = load_one(l, i, &tbs, &der);
        if (!lt_failed(r) && (i + 1) % INVENTORY_GROUP == 0) {
            r = inventory_next_group(l);
        }
        inventory_tell(l, i + 1, l->shape.count);
    }
    lt_buf_done(&tbs);
    lt_buf_done(&der);
    return r;
}
