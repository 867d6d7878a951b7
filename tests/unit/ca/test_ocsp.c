/* Answers of OCSP: what the book says, the map, and the responder who signs; a whole answer is verified by
 * OpenSSL. */
#include "../check.h"

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <unistd.h>

#include "ca/ocsp_book.h"
#include "crypto/digest.h"
#include "signer/responder.h"
#include "x509/name.h"
#include "x509/tbs.h"

enum { NOW = 1795000000, DAY = 86400, ROOT = 1, TLS = 2, EDGE = 3 };

static lt_time at(int64_t seconds)
{
    return lt_time_from_seconds(seconds);
}

/* ---- a book ---- */

static const struct store_sql add_certificate = {
    "test.certificate",
    "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
    "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
    "build, delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, "
    "shard, "
    "sequence) VALUES (?1, ?2, 0, 'x509', 1, x'00', x'00', 1, 1, ?3, ?4, ?5, 0, 0, x'00', 1, '', '', 1, '', "
    "0, 0, 0, 0, ?6, 0)"};
static const struct store_sql add_revocation = {
    "test.revocation",
    "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, by_whom, "
    "sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 'test', 1)"};

struct fixture {
    char path[64];
    struct store *store;
    struct ca_crl_issuer issuers[2];
    const struct ca_crl_issuer *list[2];
    struct ca_ocsp_source source;
};

static lt_slice serial_of(uint32_t n, uint8_t bytes[16])
{
    memset(bytes, 0, 16);
    bytes[0] = 0x8d;
    bytes[14] = (uint8_t)(n >> 8);
    bytes[15] = (uint8_t)n;
    return LT_SLICE(bytes, 16);
}

static void issue(struct fixture *f, int64_t issuer, uint32_t n, int64_t from_s, int64_t life_s,
                  int64_t shard)
{
    uint8_t bytes[16];
    assert_ok(store_exec(f->store, &add_certificate,
                         STORE_ARGS(STORE_I(issuer), STORE_B(serial_of(n, bytes)), STORE_I(at(from_s).us),
                                    STORE_I(at(from_s + life_s).us), STORE_I(at(from_s).us), STORE_I(shard)),
                         NULL));
}

static void revoke_one(struct fixture *f, uint32_t n, int64_t reason, int64_t when_s, int64_t shard)
{
    uint8_t bytes[16];
    assert_ok(store_exec(f->store, &add_revocation,
                         STORE_ARGS(STORE_I(TLS), STORE_I(shard), STORE_B(serial_of(n, bytes)),
                                    STORE_I(reason), STORE_I(at(when_s - 100).us), STORE_I(at(when_s).us)),
                         NULL));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->path, sizeof f->path, "/tmp/lintel-ocsp-XXXXXX");
    int fd = mkstemp(f->path);
    if (fd < 0 || close(fd) != 0 || unlink(f->path) != 0) {
        return 1;
    }
    struct store_options o = {.path = f->path, .create = true};
    assert_ok(store_open(&o, &f->store));
    assert_ok(store_migrate(f->store));
    static const struct store_sql loose = {"test.loose", "PRAGMA foreign_keys = OFF"};
    struct store_rows rows;
    assert_ok(store_query(f->store, &loose, STORE_NO_ARGS, &rows));
    (void)store_next(&rows);
    assert_ok(store_rows_end(&rows));
    f->issuers[0] = (struct ca_crl_issuer){.id = TLS, .name = "tls"};
    f->issuers[1] = (struct ca_crl_issuer){.id = EDGE, .name = "edge"};
    f->list[0] = &f->issuers[0];
    f->list[1] = &f->issuers[1];
    f->source = (struct ca_ocsp_source){.store = f->store, .issuers = f->list, .issuer_count = 2};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LT_COUNT(ends); i++) {
        char path[96];
        (void)snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        (void)unlink(path); /* the last two may be gone */
    }
    free(f);
    return 0;
}

static void the_rows(void **state)
{
    struct fixture *f = *state;
    static struct ca_ocsp_row rows[128];
    for (uint32_t n = 0; n < 50; n++) {
        issue(f, TLS, n, NOW - DAY, n == 7 ? DAY / 2 : 90 * DAY, n % 3); /* the eighth has expired */
    }
    issue(f, ROOT, 4, NOW - DAY, 365 * DAY, 0); /* no OCSP for it */
    issue(f, EDGE, 4, NOW - DAY, 365 * DAY, 0);
    revoke_one(f, 6, 4, NOW - 10, 6 % 3);
    revoke_one(f, 8, 1, NOW - 10, 1); /* another shard than its certificate's: of no certificate */
    static const size_t limits[] = {1, 7, 50, 51, 100};
    for (size_t i = 0; i < LT_COUNT(limits); i++) {
        struct ca_ocsp_reading reading = {.now = at(NOW)};
        size_t count = 0;
        bool end = false;
        while (!end) {
            size_t more;
            assert_ok(ca_ocsp_rows(&f->source, &reading, limits[i], rows + count, &more, &end));
            assert_true(more <= limits[i]);
            count += more;
        }
        assert_int_equal(count, 50);
        for (size_t k = 0; k + 1 < count; k++) {
            assert_true(ca_ocsp_row_compare(&rows[k], &rows[k + 1]) < 0);
        }
        assert_int_equal(rows[6].status, X509_OCSP_REVOKED);
        assert_int_equal(rows[6].reason, 4);
        assert_int_equal(rows[6].revoked_s, NOW - 110);
        assert_int_equal(rows[7].status, X509_OCSP_GOOD); /* serial 8 */
        assert_int_equal(rows[49].issuer, 1);
        assert_int_equal(rows[0].signature_len[0], 0);
    }
}

static void the_changes(void **state)
{
    struct fixture *f = *state;
    struct ca_ocsp_row *rows = calloc(CA_OCSP_CHANGES_MAX, sizeof rows[0]);
    size_t count;
    bool more;
    issue(f, TLS, 1, NOW - DAY, 90 * DAY, 0);
    issue(f, TLS, 2, NOW - DAY, 90 * DAY, 0);
    issue(f, TLS, 3, NOW - 5, 90 * DAY, 0);
    issue(f, TLS, 4, NOW - 5, 2, 0); /* issued and gone */
    issue(f, ROOT, 5, NOW - 5, 90 * DAY, 0);
    assert_ok(ca_ocsp_changes(&f->source, at(NOW - 60), at(NOW), rows, &count, &more));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].serial[15], 3);
    revoke_one(f, 2, 0, NOW - 3, 0);
    revoke_one(f, 3, 5, NOW - 3, 0);
    revoke_one(f, 9, 5, NOW - 3, 0); /* of no certificate */
    assert_ok(ca_ocsp_changes(&f->source, at(NOW - 60), at(NOW), rows, &count, &more));
    assert_int_equal(count, 2); /* the one that was issued and revoked stands there once */
    assert_int_equal(rows[0].serial[15], 2);
    assert_int_equal(rows[0].status, X509_OCSP_REVOKED);
    assert_int_equal(rows[1].reason, 5);
    assert_ok(ca_ocsp_changes(&f->source, at(NOW), at(NOW), rows, &count, &more));
    assert_int_equal(count, 0);
    assert_false(more);
    /* so many at once that they are the base's affair: what was issued is there all the same */
    static const struct store_sql many = {
        "test.many",
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
        "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
        "by_whom, sequence) SELECT ?2, 7, CAST('serial' || i AS BLOB), 0, ?3, ?3, 0, 'test', 1 FROM n"};
    assert_ok(store_exec(f->store, &many,
                         STORE_ARGS(STORE_I(CA_OCSP_CHANGES_MAX), STORE_I(TLS), STORE_I(at(NOW - 3).us)),
                         NULL));
    assert_ok(ca_ocsp_changes(&f->source, at(NOW - 60), at(NOW), rows, &count, &more));
    assert_true(more && count == 1 && rows[0].serial[15] == 3 && rows[0].status == X509_OCSP_REVOKED);
    struct ca_ocsp_row other = rows[0];
    assert_true(ca_ocsp_same_facts(&rows[0], &other));
    other.this_s = NOW; /* when it was signed does not count */
    assert_true(ca_ocsp_same_facts(&rows[0], &other));
    other.reason = 1;
    assert_false(ca_ocsp_same_facts(&rows[0], &other));
    free(rows);
}

/* ---- an issuer and its responder ---- */

struct people {
    struct crypto_key *ca;
    struct lt_buf ca_name;
    struct lt_buf ca_cert;
    struct lt_buf certificate; /* the responder's */
    struct responder responder;
};

struct making {
    enum x509_oid purpose;
    lt_slice issuer; /* empty: the CA's */
    int64_t life_s;
};

static void name(struct lt_buf *out, const char *cn)
{
    struct der_writer w;
    struct x509_name_item item = {X509_OID_CN, lt_slice_cstr(cn)};
    lt_buf_init(out, 256);
    der_write_init(&w, out);
    assert_ok(x509_name_write(&w, &item, 1));
}

static void sign(struct crypto_key *key, const struct x509_tbs_spec *spec, struct lt_buf *out)
{
    struct lt_buf tbs;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    lt_buf_init(&tbs, 4096);
    lt_buf_init(out, 4096);
    assert_ok(x509_tbs_build(spec, &tbs));
    assert_ok(crypto_key_sign(key, CRYPTO_ES256, lt_buf_slice(&tbs), signature, &len));
    assert_ok(x509_assemble(lt_buf_slice(&tbs), X509_SIG_ECDSA_SHA256, LT_SLICE(signature, len), out));
    lt_buf_done(&tbs);
}

static void certify(struct people *p, lt_slice spki, const struct making *m, struct lt_buf *out)
{
    struct lt_buf subject;
    name(&subject, "responder");
    const struct x509_raw_extension no_check = {.oid = x509_oid_der(X509_OID_OCSP_NO_CHECK),
                                                .value = LT_LIT("\x05\x00")};
    const struct x509_tbs_spec spec = {
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_LIT("\x11\x22"),
        .issuer = m->issuer.len > 0 ? m->issuer : lt_buf_slice(&p->ca_name),
        .not_before = at(NOW - 3600),
        .not_after = at(NOW - 3600 + m->life_s),
        .subject = lt_buf_slice(&subject),
        .spki = spki,
        .key_usage = X509_KU_DIGITAL_SIGNATURE,
        .eku = &m->purpose,
        .eku_count = 1,
        .extra = &no_check,
        .extra_count = 1,
    };
    sign(p->ca, &spec, out);
    lt_buf_done(&subject);
}

static int people_make(void **state)
{
    struct people *p = calloc(1, sizeof *p);
    lt_slice spki;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &p->ca));
    name(&p->ca_name, "the CA");
    const struct x509_tbs_spec spec = {.sig_alg = X509_SIG_ECDSA_SHA256,
                                       .serial = LT_LIT("\x01"),
                                       .issuer = lt_buf_slice(&p->ca_name),
                                       .not_before = at(NOW - DAY),
                                       .not_after = at(NOW + 900 * DAY),
                                       .subject = lt_buf_slice(&p->ca_name),
                                       .spki = crypto_key_spki(p->ca),
                                       .ca = true,
                                       .key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN};
    sign(p->ca, &spec, &p->ca_cert);
    assert_ok(responder_init("tls", &p->responder));
    assert_false(responder_ready(&p->responder, at(NOW)));
    assert_true(responder_due(&p->responder, at(NOW)));
    assert_ok(responder_draw(&p->responder, &spki));
    const struct making m = {.purpose = X509_OID_OCSP_SIGNING, .life_s = 30 * DAY};
    certify(p, spki, &m, &p->certificate);
    *state = p;
    return 0;
}

static int people_free(void **state)
{
    struct people *p = *state;
    responder_done(&p->responder);
    crypto_key_free(p->ca);
    lt_buf_done(&p->ca_name);
    lt_buf_done(&p->ca_cert);
    lt_buf_done(&p->certificate);
    free(p);
    return 0;
}

static void whose_certificate(void **state)
{
    struct people *p = *state;
    lt_slice spki;
    struct lt_buf bad;
    struct lt_buf stranger;
    name(&stranger, "another CA");
    struct making rows[] = {
        {.purpose = X509_OID_SERVER_AUTH, .life_s = DAY},
        {.purpose = X509_OID_OCSP_SIGNING, .issuer = lt_buf_slice(&stranger), .life_s = DAY},
    };
    assert_ok(responder_draw(&p->responder, &spki));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        certify(p, spki, &rows[i], &bad);
        assert_fails(responder_accept(&p->responder, lt_buf_slice(&bad), lt_buf_slice(&p->ca_cert)),
                     LT_PEER_CONFLICT);
        lt_buf_done(&bad);
    }
    rows[0].purpose = X509_OID_OCSP_SIGNING;
    certify(p, crypto_key_spki(p->ca), &rows[0], &bad); /* for another key */
    assert_fails(responder_accept(&p->responder, lt_buf_slice(&bad), lt_buf_slice(&p->ca_cert)),
                 LT_PEER_CONFLICT);
    assert_fails(responder_accept(&p->responder, LT_LIT("\x30\x00"), lt_buf_slice(&p->ca_cert)),
                 LT_PEER_MALFORMED);
    assert_false(responder_ready(&p->responder, at(NOW)));
    lt_buf_done(&bad);
    lt_buf_done(&stranger);
    assert_ok(responder_accept(&p->responder, lt_buf_slice(&p->certificate), lt_buf_slice(&p->ca_cert)));
    assert_true(responder_ready(&p->responder, at(NOW)));
    assert_false(responder_due(&p->responder, at(NOW)));
    assert_true(responder_due(&p->responder, at(NOW + 15 * DAY)));
    assert_true(responder_ready(&p->responder, at(NOW + 29 * DAY)));
    assert_false(responder_ready(&p->responder, at(NOW + 30 * DAY)));
    /* the same certificate once more: its key is in use, and none is waiting */
    assert_fails(responder_accept(&p->responder, lt_buf_slice(&p->certificate), lt_buf_slice(&p->ca_cert)),
                 LT_PEER_CONFLICT);
}

static void what_is_not_signed(void **state)
{
    struct people *p = *state;
    uint8_t signature[RESPONDER_SIGNATURE_MAX];
    size_t len;
    const struct responder_subject good = {
        .serial = LT_LIT("\x05"), .this_update = at(NOW), .next_update = at(NOW + 4 * DAY)};
    struct responder_subject rows[6];
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        rows[i] = good;
    }
    rows[0].serial = LT_LIT("");
    rows[1].serial = LT_LIT("123456789012345678901");
    rows[2].reason = 1; /* of what is not revoked */
    rows[3].status = X509_OCSP_REVOKED;
    rows[3].reason = 11;
    rows[4].next_update = rows[4].this_update;
    rows[5].next_update = at(NOW + 31 * DAY); /* outlives the responder */
    struct responder_subject early = good;
    early.this_update = (lt_time){-1};
    assert_fails(responder_sign(&p->responder, X509_OCSP_SHA1, &early, signature, &len), LT_PEER_MALFORMED);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_fails(responder_sign(&p->responder, X509_OCSP_SHA1, &rows[i], signature, &len),
                     LT_POLICY_REFUSED);
    }
    assert_ok(responder_sign(&p->responder, X509_OCSP_SHA1, &good, signature, &len));
    struct responder empty;
    assert_ok(responder_init("tls", &empty));
    struct lt_buf out;
    lt_buf_init(&out, 4096);
    assert_fails(responder_unknown(&empty, X509_OCSP_SHA1, LT_LIT("\x05"), at(NOW), &out),
                 LT_RETRY_UNAVAILABLE);
    lt_buf_done(&out);
}

/* ---- the map ---- */

enum { ROWS = 9 };

struct file {
    struct lt_buf bytes;
    struct ca_ocsp_map map;
};

static struct ca_ocsp_issuer issuer_of(const struct people *p)
{
    struct ca_ocsp_issuer i = {.name = "tls"};
    for (size_t h = 0; h < X509_OCSP_HASHES; h++) {
        memcpy(i.name_hash[h], p->responder.name_hash[h], X509_OCSP_HASH_MAX);
        memcpy(i.key_hash[h], p->responder.issuer_hash[h], X509_OCSP_HASH_MAX);
    }
    return i;
}

static void fill(struct people *p, uint32_t n, struct ca_ocsp_row *row)
{
    uint8_t serial[16];
    assert_true(ca_ocsp_row_key(0, serial_of(n, serial), row));
    row->status = n == 4 ? X509_OCSP_REVOKED : X509_OCSP_GOOD;
    row->reason = n == 4 ? 1 : 0;
    row->revoked_s = n == 4 ? NOW - 77 : 0;
    row->this_s = NOW;
    row->next_s = NOW + 4 * DAY;
    const struct responder_subject s = {.serial = serial_of(n, serial),
                                        .status = (enum x509_ocsp_status)row->status,
                                        .reason = row->reason,
                                        .revoked = at(row->revoked_s),
                                        .this_update = at(row->this_s),
                                        .next_update = at(row->next_s)};
    for (size_t h = 0; h < X509_OCSP_HASHES; h++) {
        size_t len;
        assert_ok(responder_sign(&p->responder, (enum x509_ocsp_hash)h, &s, row->signature[h], &len));
        row->signature_len[h] = (uint8_t)len;
    }
}

static void write_file(struct people *p, struct file *f)
{
    struct ca_ocsp_issuer issuer = issuer_of(p);
    static struct ca_ocsp_responder responder;
    struct ca_ocsp_header head = ca_ocsp_head(NOW, ROWS, 1, 1);
    memcpy(responder.key_hash, p->responder.now.key_hash, sizeof responder.key_hash);
    memcpy(responder.certificate, p->certificate.ptr, p->certificate.len);
    responder.len = (uint32_t)p->certificate.len;
    lt_buf_init(&f->bytes, 1 << 20);
    lt_buf_add(&f->bytes, LT_SLICE(&head, sizeof head));
    for (uint32_t n = 0; n < ROWS; n++) {
        struct ca_ocsp_row row;
        fill(p, n * 2, &row);
        lt_buf_add(&f->bytes, LT_SLICE(&row, sizeof row));
    }
    lt_buf_add(&f->bytes, LT_SLICE(&issuer, sizeof issuer));
    lt_buf_add(&f->bytes, LT_SLICE(&responder, sizeof responder));
    assert_ok(ca_ocsp_map_open(lt_buf_slice(&f->bytes), &f->map));
}

static struct x509_ocsp_certid certid(const struct ca_ocsp_issuer *i, enum x509_ocsp_hash h, lt_slice serial)
{
    size_t len = x509_ocsp_hash_len(h);
    return (struct x509_ocsp_certid){h, LT_SLICE(i->name_hash[h], len), LT_SLICE(i->key_hash[h], len),
                                     serial};
}

/* By OpenSSL, from the whole bytes and the CA's certificate alone. */
static int status_by_openssl(const struct people *p, lt_slice der, uint32_t n, const EVP_MD *md)
{
    const uint8_t *at_der = der.ptr;
    const uint8_t *at_ca = p->ca_cert.ptr;
    uint8_t serial[16];
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at_der, (long)der.len);
    X509 *ca = d2i_X509(NULL, &at_ca, (long)p->ca_cert.len);
    X509_STORE *trust = X509_STORE_new();
    assert_true(response != NULL && ca != NULL && trust != NULL && at_der == der.ptr + der.len);
    assert_int_equal(X509_STORE_add_cert(trust, ca), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(trust), NOW + 60);
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    assert_non_null(basic);
    STACK_OF(X509) *chain = sk_X509_new_null();
    (void)sk_X509_push(chain, ca);
    assert_int_equal(OCSP_basic_verify(basic, chain, trust, 0), 1);
    (void)serial_of(n, serial);
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    OCSP_CERTID *id = OCSP_cert_id_new(md, X509_get_subject_name(ca), X509_get0_pubkey_bitstr(ca), integer);
    int status = -1;
    int reason;
    (void)OCSP_resp_find_status(basic, id, &status, &reason, NULL, NULL, NULL);
    OCSP_CERTID_free(id);
    ASN1_INTEGER_free(integer);
    BN_free(number);
    sk_X509_free(chain);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    X509_STORE_free(trust);
    X509_free(ca);
    return status;
}

static void answers(void **state)
{
    struct people *p = *state;
    struct file f;
    struct ca_ocsp_issuer issuer = issuer_of(p);
    write_file(p, &f);
    for (uint32_t n = 0; n < 2 * ROWS; n++) {
        for (size_t h = 0; h < X509_OCSP_HASHES; h++) {
            uint8_t serial[16];
            struct lt_buf out;
            struct ca_ocsp_row row;
            struct x509_ocsp_certid id = certid(&issuer, (enum x509_ocsp_hash)h, serial_of(n, serial));
            lt_buf_init(&out, 4096);
            if (n % 2 == 1) {
                assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_PEER_NOT_FOUND);
            } else {
                assert_ok(ca_ocsp_map_answer(&f.map, &id, &out, &row));
                assert_int_equal(
                    status_by_openssl(p, lt_buf_slice(&out), n, h == 0 ? EVP_sha1() : EVP_sha256()),
                    n == 4 ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD);
            }
            lt_buf_done(&out);
        }
    }
    struct lt_buf out;
    uint8_t serial[16];
    lt_buf_init(&out, 4096);
    assert_ok(responder_unknown(&p->responder, X509_OCSP_SHA1, serial_of(3, serial), at(NOW), &out));
    assert_int_equal(status_by_openssl(p, lt_buf_slice(&out), 3, EVP_sha1()), V_OCSP_CERTSTATUS_UNKNOWN);
    lt_buf_done(&out);
    lt_buf_done(&f.bytes);
}

static void no_answers(void **state)
{
    struct people *p = *state;
    struct file f;
    struct ca_ocsp_issuer issuer = issuer_of(p);
    struct ca_ocsp_row row;
    struct lt_buf out;
    uint8_t serial[16];
    write_file(p, &f);
    lt_buf_init(&out, 4096);
    struct x509_ocsp_certid id = certid(&issuer, X509_OCSP_SHA1, serial_of(2, serial));
    uint8_t other[20] = {1};
    id.key_hash = LT_SLICE(other, sizeof other); /* the same name, another key */
    assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_PEER_UNSUPPORTED);
    id = certid(&issuer, X509_OCSP_SHA1, LT_LIT(""));
    assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_PEER_NOT_FOUND);
    /* a row that says what cannot be */
    struct ca_ocsp_row *first = (struct ca_ocsp_row *)(void *)(f.bytes.ptr + sizeof f.map.head);
    id = certid(&issuer, X509_OCSP_SHA1, serial_of(0, serial));
    struct ca_ocsp_row whole = *first;
    first->responder = 1;
    assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_STATE_CORRUPT);
    *first = whole;
    first->status = 3;
    assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_STATE_CORRUPT);
    *first = whole;
    first->reason = 11;
    assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_STATE_CORRUPT);
    *first = whole;
    first->next_s = INT64_MAX;
    assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_STATE_CORRUPT);
    *first = whole;
    first->revoked_s = -1;
    assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_STATE_CORRUPT);
    *first = whole;
    first->signature_len[0] = 73;
    assert_fails(ca_ocsp_map_answer(&f.map, &id, &out, &row), LT_STATE_CORRUPT);
    *first = whole;
    lt_buf_done(&out);
    lt_buf_done(&f.bytes);
}

static void no_file(void **state)
{
    struct people *p = *state;
    struct file f;
    struct ca_ocsp_map map;
    write_file(p, &f);
    lt_slice all = lt_buf_slice(&f.bytes);
    for (size_t len = 0; len < all.len; len += len < 100 ? 1 : 97) {
        assert_fails(ca_ocsp_map_open(lt_slice_sub(all, 0, len), &map), LT_STATE_CORRUPT);
    }
    static const size_t places[] = {0, 16, 24, 28, 32}; /* magic, rows, issuers, responders, size of a row */
    for (size_t i = 0; i < LT_COUNT(places); i++) {
        f.bytes.ptr[places[i] + 1] ^= 0x40;
        assert_fails(ca_ocsp_map_open(all, &map), LT_STATE_CORRUPT);
        f.bytes.ptr[places[i] + 1] ^= 0x40;
    }
    assert_ok(ca_ocsp_map_open(all, &map));
    lt_buf_done(&f.bytes);
}

static void the_times(void **state)
{
    (void)state;
    lt_time before;
    lt_time after;
    assert_ok(lt_time_parse(LT_LIT("2025-01-14T23:59:59Z"), &before));
    assert_ok(lt_time_parse(LT_LIT("2025-01-15T00:00:00Z"), &after));
    assert_true(ca_ocsp_times_at(before).authoritative_s > 900);
    assert_int_equal(ca_ocsp_times_at(after).authoritative_s, 900);
    struct ca_ocsp_times t = ca_ocsp_times_at(at(NOW));
    assert_true(t.valid_s >= 8 * 3600 && t.valid_s <= 10 * DAY);
    assert_true(t.refresh_s <= 4 * DAY && t.refresh_s <= t.valid_s - 8 * 3600);
}

int main(void)
{
    const struct CMUnitTest books[] = {
        cmocka_unit_test_setup_teardown(the_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(the_changes, setup, teardown),
        cmocka_unit_test(the_times),
    };
    const struct CMUnitTest signed_ones[] = {
        cmocka_unit_test(whose_certificate), cmocka_unit_test(what_is_not_signed),
        cmocka_unit_test(answers),           cmocka_unit_test(no_answers),
        cmocka_unit_test(no_file),
    };
    int failed = cmocka_run_group_tests_name("ocsp", books, NULL, NULL);
    return failed + cmocka_run_group_tests_name("answers", signed_ones, people_make, people_free);
}
