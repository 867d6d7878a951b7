/* A CRL as a relying party meets it: every way not to be the one that was published, refused. */
#include "check.h"

#include <string.h>

#include "../x509/keys.h"
#include "ca/crl_check.h"
#include "crypto/digest.h"
#include "x509/crl.h"
#include "x509/tbs.h"

#define NOW INT64_C(1795305600)
#define DAY INT64_C(86400)
#define URL "http://ca.example.com/crl/tls/7.crl"

static struct lt_arena arena;
static struct lt_buf name;
static struct lt_buf other_name;
static lt_slice issuer;
static const uint8_t key_id[20] = {7};
static const uint8_t other_id[20] = {8};

static lt_slice keep(struct lt_buf *b)
{
    lt_slice kept = lt_arena_copy(&arena, lt_buf_slice(b));
    assert_non_null(kept.ptr);
    lt_buf_done(b);
    return kept;
}

static lt_slice sign(const struct test_key *by, enum x509_sig_alg alg, struct lt_buf *tbs)
{
    struct lt_buf signature;
    struct lt_buf der;
    lt_buf_init(&signature, 2048);
    lt_buf_init(&der, 1 << 20);
    test_sign(by, alg, lt_buf_slice(tbs), &signature);
    assert_ok(x509_assemble(lt_buf_slice(tbs), alg, lt_buf_slice(&signature), &der));
    lt_buf_done(&signature);
    lt_buf_done(tbs);
    return keep(&der);
}

static void make_name(struct lt_buf *out, const char *cn)
{
    struct der_writer w;
    struct x509_name_item item = {X509_OID_CN, lt_slice_cstr(cn)};
    lt_buf_init(out, 1024);
    der_write_init(&w, out);
    assert_ok(x509_name_write(&w, &item, 1));
}

static int world_up(void **state)
{
    struct lt_buf tbs;
    if (test_keys_make(state) != 0) {
        return -1;
    }
    lt_arena_init(&arena, 1 << 24);
    make_name(&name, "TLS");
    make_name(&other_name, "Other");
    lt_buf_init(&tbs, 8192);
    struct x509_tbs_spec s = {
        .sig_alg = x509_sig_alg_for(test_keys[0].type),
        .serial = LT_LIT("\x01"),
        .issuer = lt_buf_slice(&name),
        .subject = lt_buf_slice(&name),
        .not_before = lt_time_from_seconds(NOW - 90 * DAY),
        .not_after = lt_time_from_seconds(NOW + 900 * DAY),
        .spki = test_key_spki(&test_keys[0]),
        .ca = true,
        .key_usage = X509_KU_CRL_SIGN | X509_KU_KEY_CERT_SIGN,
        .ski = LT_SLICE(key_id, 20),
    };
    assert_ok(x509_tbs_build(&s, &tbs));
    issuer = sign(&test_keys[0], s.sig_alg, &tbs);
    return 0;
}

static int world_down(void **state)
{
    lt_arena_done(&arena);
    lt_buf_done(&name);
    lt_buf_done(&other_name);
    return test_keys_free(state);
}

struct list {
    const char *serials;
    const char *number;
    const char *url; /* "": the complete one */
    int64_t from;
    int64_t until;
    bool other_issuer;
    bool other_key_id;
    bool other_signer;
};

static lt_slice crl(const struct list *l)
{
    struct lt_buf tbs;
    struct x509_crl_builder b;
    lt_buf_init(&tbs, 1 << 20);
    struct x509_crl_spec s = {
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .issuer = lt_buf_slice(l->other_issuer ? &other_name : &name),
        .aki = LT_SLICE(l->other_key_id ? other_id : key_id, 20),
        .this_update = lt_time_from_seconds(l->from),
        .next_update = lt_time_from_seconds(l->until),
        .number = lt_slice_cstr(l->number),
        .idp_url = lt_slice_cstr(l->url),
        .only_user_certificates = l->url[0] != 0,
    };
    x509_crl_begin(&b, &s, &tbs);
    for (const char *c = l->serials; *c != 0; c++) {
        x509_crl_add(&b, LT_SLICE(c, 1), lt_time_from_seconds(NOW - DAY), 4);
    }
    assert_ok(x509_crl_end(&b));
    return sign(&test_keys[l->other_signer ? 1 : 0], X509_SIG_ECDSA_SHA256, &tbs);
}

static const struct list published = {"ABC", "5", URL, NOW - 60, NOW + DAY, false, false, false};

static lt_res look(lt_slice came, lt_slice sent, bool part, uint64_t entries)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint64_t got = 0;
    crypto_sha256(sent, hash);
    const struct ca_crl_expected e = {.issuer = issuer,
                                      .url = URL,
                                      .part = part,
                                      .number = LT_LIT("\0\0\0"
                                                       "5"),
                                      .sha256 = LT_SLICE(hash, sizeof hash),
                                      .entries = entries,
                                      .now = lt_time_from_seconds(NOW)};
    LT_TRY(ca_crl_check(came, &e, &arena, &got));
    assert_true(got > 0);
    return LT_OK;
}

static void lists(void **state)
{
    (void)state;
    static const struct {
        struct list came;
        const char *detail; /* NULL: fine */
    } rows[] = {
        {{"ABCD", "6", URL, NOW - 30, NOW + DAY}, NULL}, /* published meanwhile */
        {{"ABC", "4", URL, NOW - 90, NOW + DAY}, "an older one is still served"},
        {{"ABCD", "5", URL, NOW - 60, NOW + DAY}, "not those that were published"},
        {{"ABC", "5", URL, NOW - 61, NOW + DAY}, "not those that were published"},
        {{"ABC", "6", URL, NOW - DAY, NOW - 1}, "expired"},
        {{"ABC", "6", URL, NOW + 600, NOW + DAY}, "future"},
        {{"ABC", "6", "", NOW - 60, NOW + DAY}, "which part"},
        {{"ABC", "6", "http://ca.example.com/crl/tls/8.crl", NOW - 60, NOW + DAY},
         "does not name the address"},
        {{"ABC", "6", URL "x", NOW - 60, NOW + DAY}, "does not name the address"},
        {{"ABC", "6", URL, NOW - 60, NOW + DAY, true}, "issuer is another"},
        {{"ABC", "6", URL, NOW - 60, NOW + DAY, false, true}, "another's"},
        {{"ABC", "6", URL, NOW - 60, NOW + DAY, false, false, true}, ""},
    };
    lt_slice sent = crl(&published);
    assert_ok(look(sent, sent, true, 3));
    assert_fails(look(sent, sent, true, 4), LT_POLICY_REFUSED);
    assert_fails(look(sent, sent, false, 3), LT_POLICY_REFUSED);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = look(crl(&rows[i].came), sent, true, 3);
        bool fits = rows[i].detail == NULL
                        ? !lt_failed(r)
                        : lt_failed(r) && strstr(lt_error_last()->detail, rows[i].detail) != NULL;
        if (!fits) {
            fail_msg("row %zu: %s", i, lt_error_last()->detail);
        }
    }
}

static void the_complete_one(void **state)
{
    (void)state;
    struct list whole = published;
    whole.url = "";
    lt_slice sent = crl(&whole);
    assert_ok(look(sent, sent, false, 3));
    assert_fails(look(sent, sent, true, 3), LT_POLICY_REFUSED);
}

/* What a broken cache or a page of some proxy looks like. */
static void other_bytes(void **state)
{
    (void)state;
    lt_slice sent = crl(&published);
    assert_true(lt_failed(look(LT_LIT(""), sent, true, 3)));
    assert_true(lt_failed(look(LT_LIT("<html>busy</html>"), sent, true, 3)));
    assert_true(lt_failed(look(issuer, sent, true, 3)));
    for (size_t cut = 1; cut < sent.len; cut += 7) {
        assert_true(lt_failed(look(lt_slice_sub(sent, 0, sent.len - cut), sent, true, 3)));
    }
    uint8_t *bent = lt_arena_alloc(&arena, sent.len + 1);
    memcpy(bent, sent.ptr, sent.len);
    bent[sent.len] = 0;
    assert_true(lt_failed(look(LT_SLICE(bent, sent.len + 1), sent, true, 3)));
    for (size_t at = 0; at < sent.len; at += 5) {
        bent[at] ^= 1;
        assert_true(lt_failed(look(LT_SLICE(bent, sent.len), sent, true, 3)));
        bent[at] ^= 1;
    }
    assert_ok(look(LT_SLICE(bent, sent.len), sent, true, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(the_complete_one),
        cmocka_unit_test(other_bytes),
    };
    return cmocka_run_group_tests(tests, world_up, world_down);
}
