/* Proofs as openssl and others make them (tests/tools/proof_vectors.py), and what only looks like one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "check.h"
#include "crypto/found.h"
#include "crypto/verify.h"
#include "incident/proof.h"

enum { ARENA_MAX = 16 * 1024 * 1024, FILE_MAX = 64 * 1024 };

struct look {
    struct lt_arena arena;
    struct incident_proofs proofs;
};

static struct look *look_new(void)
{
    struct look *l = calloc(1, sizeof *l);
    assert_non_null(l);
    lt_arena_init(&l->arena, ARENA_MAX);
    return l;
}

static void look_free(struct look *l)
{
    lt_arena_done(&l->arena);
    free(l);
}

static lt_slice vector(struct look *l, const char *name)
{
    char path[512];
    lt_slice bytes;
    (void)snprintf(path, sizeof path, "%s/%s", PROOF_VECTORS, name);
    assert_ok(lt_file_read(&l->arena, AT_FDCWD, path, FILE_MAX, &bytes));
    return bytes;
}

static const char *key_named(struct look *l, const char *name)
{
    lt_slice text;
    lt_slice line;
    lt_slice word;
    assert_ok(lt_file_read(&l->arena, AT_FDCWD, PROOF_KEYS, FILE_MAX, &text));
    while (lt_slice_split(&text, '\n', &line)) {
        assert_true(lt_slice_split(&line, '\t', &word));
        if (lt_slice_eq_cstr(word, name)) {
            return lt_arena_cstr(&l->arena, line);
        }
    }
    fail_msg("no key %s", name);
    return NULL;
}

static void look_at(struct look *l, lt_slice part)
{
    assert_ok(incident_proof_look(part, &l->arena, &l->proofs));
    assert_ok(incident_proof_finish(&l->arena, &l->proofs));
}

static void assert_found(struct look *l, const char *name, size_t index, const char *kind,
                         const char *verdict)
{
    assert_true(index < l->proofs.count);
    const struct incident_proof *p = &l->proofs.list[index];
    if (strcmp(p->kind, kind) != 0 || strcmp(incident_proof_verdict_name(p->verdict), verdict) != 0) {
        print_error("%s: %s %s, not %s %s (%s)\n", name, p->kind, incident_proof_verdict_name(p->verdict),
                    kind, verdict, p->why);
    }
    assert_string_equal(p->kind, kind);
    assert_string_equal(incident_proof_verdict_name(p->verdict), verdict);
    assert_true(p->verdict == INCIDENT_PROOF_PROVEN || p->why[0] != '\0');
}

static void assert_key(struct look *l, size_t index, const char *key)
{
    const struct incident_proof *p = &l->proofs.list[index];
    assert_true(p->has_key);
    assert_string_equal(lt_hex(&l->arena, LT_SLICE(p->spki_sha256, 32)), key_named(l, key));
}

/* file, kind, verdict; the key is the last word of the file's name. "": nothing is found at all. */
static const struct {
    const char *file;
    const char *kind;
    const char *verdict;
} each_key[] = {
    {"private", "private-key", "proven"},
    {"pkcs8", "private-key", "proven"},
    {"openssh", "private-key", "proven"},
    {"encrypted", "", "nothing"},
    {"csr", "csr", "proven"},
    {"plain", "csr", "nothing"},
    {"pwned-csr", "csr", "proven"},
    {"kca", "kca", "proven"},
    {"pock", "pock", "proven"},
    {"nonce", "nonce", "proven"},
    {"nonce-csr", "nonce", "proven"},
    {"certificate", NULL, NULL},
};
static const char *const keys[] = {"rsa", "p256", "p384", "p521", "ed25519"};

static void one_file(const char *name, const char *key, const char *kind, const char *verdict)
{
    struct look *l = look_new();
    look_at(l, vector(l, name));
    if (kind == NULL) {
        assert_int_equal(l->proofs.count, 0);
        assert_int_equal(l->proofs.key_count, 1);
    } else {
        assert_int_equal(l->proofs.count, 1);
        assert_found(l, name, 0, kind, verdict);
        if (key != NULL) {
            assert_key(l, 0, key);
        }
    }
    look_free(l);
}

static void test_every_kind_of_every_key(void **state)
{
    (void)state;
    for (size_t k = 0; k < LT_COUNT(keys); k++) {
        for (size_t i = 0; i < LT_COUNT(each_key); i++) {
            char name[64];
            bool keyed = each_key[i].verdict != NULL && strcmp(each_key[i].kind, "") != 0;
            (void)snprintf(name, sizeof name, "%s-%s", each_key[i].file, keys[k]);
            one_file(name, keyed ? keys[k] : NULL, each_key[i].kind, each_key[i].verdict);
        }
        char der[64];
        (void)snprintf(der, sizeof der, "pkcs8-%s.der", keys[k]);
        one_file(der, keys[k], "private-key", "proven");
        (void)snprintf(der, sizeof der, "csr-%s.der", keys[k]);
        one_file(der, keys[k], "csr", "proven");
    }
}

static void test_what_is_almost_one(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *key;
        const char *kind;
        const char *verdict;
    } rows[] = {
        {"kca-not-critical-rsa", "rsa", "kca", "nothing"},
        {"kca-bare-p256", "p256", "kca", "nothing"},
        {"nonce-other-words-rsa", NULL, "nonce", "key-missing"},
        {"nonce-other-words-p256", NULL, "nonce", "key-missing"},
        {"nonce-without-key-p256", NULL, "nonce", "key-missing"},
        {"pwnedkeys-rsa", "rsa", "pwnedkeys", "key-missing"},
        {"pwnedkeys-p521", "p521", "pwnedkeys", "key-missing"},
        {"sha1-rsa", "rsa", "csr", "nothing"},
        {"pss-rsa", "rsa", "csr", "proven"},
        {"compressed-p256", "p256", "csr", "proven"},
        {"explicit-p256", NULL, "private-key", "unreadable"},
        {"explicit-csr-p256", NULL, "csr", "unreadable"},
        {"k256", NULL, "private-key", "unreadable"},
        {"old-encrypted-rsa", NULL, "", "nothing"},
        {"jwk-rsa", "rsa", "private-key", "proven"},
        {"jwk-p256", "p256", "private-key", "proven"},
    };
    static const char *const silent[] = {"pock-other-serial-rsa", "pock-other-year-p256"};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        one_file(rows[i].file, rows[i].key, rows[i].kind, rows[i].verdict);
    }
    for (size_t i = 0; i < LT_COUNT(silent); i++) {
        one_file(silent[i], NULL, NULL, NULL);
    }
    struct look *l = look_new();
    look_at(l, vector(l, "pwnedkeys-other-words-rsa"));
    assert_int_equal(l->proofs.count, 0);
    look_free(l);
}

/* Both forms of a key have one hash, and the one that was sent is remembered. */
static void test_one_form_of_a_key(void **state)
{
    (void)state;
    struct look *l = look_new();
    look_at(l, vector(l, "compressed-p256"));
    look_at(l, vector(l, "csr-p256"));
    assert_key(l, 0, "p256");
    assert_memory_equal(l->proofs.list[0].spki_sha256, l->proofs.list[1].spki_sha256, 32);
    assert_memory_not_equal(l->proofs.list[0].sent_sha256, l->proofs.list[0].spki_sha256, 32);
    assert_memory_equal(l->proofs.list[1].sent_sha256, l->proofs.list[1].spki_sha256, 32);
    look_free(l);
}

/* The key comes in another part, before or after; a foreign one changes nothing. */
static void test_a_key_that_comes_along(void **state)
{
    (void)state;
    static const char *const waiting[][2] = {
        {"pwnedkeys-rsa", "rsa"},   {"pwnedkeys-p256", "p256"},         {"pwnedkeys-p384", "p384"},
        {"pwnedkeys-p521", "p521"}, {"nonce-without-key-p256", "p256"}, {"nonce-without-key-rsa", "rsa"},
    };
    for (size_t i = 0; i < LT_COUNT(waiting); i++) {
        struct look *l = look_new();
        char certificate[64];
        (void)snprintf(certificate, sizeof certificate, "certificate-%s", waiting[i][1]);
        assert_ok(incident_proof_look(vector(l, "certificate-ed25519"), &l->arena, &l->proofs));
        look_at(l, vector(l, waiting[i][0]));
        assert_int_equal(l->proofs.list[0].verdict, INCIDENT_PROOF_KEY_MISSING);
        look_at(l, vector(l, certificate));
        assert_int_equal(l->proofs.list[0].verdict, INCIDENT_PROOF_PROVEN);
        assert_key(l, 0, waiting[i][1]);
        look_free(l);
    }
}

/* ---- forgeries ---- */

static void flip(struct look *l, const char *name, size_t from_end)
{
    lt_slice bytes = vector(l, name);
    uint8_t *at = (uint8_t *)(uintptr_t)bytes.ptr + bytes.len - from_end;
    *at ^= 1;
    look_at(l, bytes);
}

static void test_other_signatures(void **state)
{
    (void)state;
    for (size_t k = 0; k < LT_COUNT(keys); k++) {
        char name[64];
        struct look *l = look_new();
        (void)snprintf(name, sizeof name, "csr-%s.der", keys[k]);
        flip(l, name, 3);
        assert_found(l, name, 0, "csr", "forged");
        look_free(l);
    }
}

static bool put_in_place(lt_slice where, lt_slice what, lt_slice other)
{
    void *at = memmem(where.ptr, where.len, what.ptr, what.len);
    if (at != NULL && what.len == other.len) {
        memcpy(at, other.ptr, other.len);
    }
    return at != NULL && what.len == other.len;
}

static lt_slice public_half(struct look *l, lt_slice der)
{
    struct crypto_found f = {.form = ""};
    struct x509_spki spki;
    assert_ok(crypto_found_der(der, &l->arena, &f));
    assert_ok(x509_spki_parse(f.spki, &spki));
    return spki.type == X509_KEY_RSA ? spki.modulus : spki.point;
}

/* A request of the victim's key, signed by another one. */
static void test_a_foreign_public_key_in_a_request(void **state)
{
    (void)state;
    struct look *l = look_new();
    lt_slice request = vector(l, "csr-p256.der");
    lt_slice own = public_half(l, vector(l, "pkcs8-p256.der"));
    uint8_t other[65];
    memcpy(other, own.ptr, own.len);
    lt_slice d = LT_LIT("\x07");
    struct crypto_found foreign = {.form = ""};
    struct x509_spki spki;
    assert_ok(crypto_found_from_ec(X509_KEY_P256, d, &l->arena, &foreign));
    assert_ok(x509_spki_parse(foreign.spki, &spki));
    assert_true(put_in_place(request, LT_SLICE(other, sizeof other), spki.point));
    look_at(l, request);
    assert_found(l, "foreign", 0, "csr", "forged");
    look_free(l);
}

/* An EC key with the victim's public point: the point is not believed. An RSA key with the victim's modulus:
 * what belongs to it does not open it. */
static void test_private_keys_with_a_foreign_half(void **state)
{
    (void)state;
    struct look *l = look_new();
    lt_slice ec = vector(l, "pkcs8-p256.der");
    lt_slice point = lt_arena_copy(&l->arena, public_half(l, ec));
    uint8_t junk[65];
    memset(junk, 0x04, sizeof junk);
    assert_true(put_in_place(ec, point, LT_SLICE(junk, sizeof junk)));
    look_at(l, ec);
    assert_found(l, "ec", 0, "private-key", "proven");
    assert_key(l, 0, "p256");
    lt_slice rsa = vector(l, "pkcs8-rsa.der");
    lt_slice modulus = lt_arena_copy(&l->arena, public_half(l, rsa));
    uint8_t *other = lt_arena_alloc(&l->arena, modulus.len);
    memcpy(other, modulus.ptr, modulus.len);
    other[20] ^= 1;
    assert_true(put_in_place(rsa, modulus, LT_SLICE(other, modulus.len)));
    look_at(l, rsa);
    assert_found(l, "rsa", 1, "private-key", "forged");
    look_free(l);
}

static void test_an_rsa_key_by_its_exponent_alone(void **state)
{
    (void)state;
    /* n = 61 * 53 is too small, so the numbers are of the file: as a JWK it has n, e and d, no factors. */
    struct look *l = look_new();
    lt_slice jwk = vector(l, "jwk-rsa");
    look_at(l, jwk);
    assert_found(l, "jwk", 0, "private-key", "proven");
    struct crypto_found spki = {.form = ""};
    const uint8_t tiny[] = {0x0c, 0xa1};
    const struct crypto_found_rsa small = {.n = LT_SLICE(tiny, 2), .e = LT_LIT("\x11"), .d = LT_LIT("\x01")};
    assert_fails(crypto_found_from_rsa(&small, &l->arena, &spki), LT_PEER_UNSUPPORTED);
    uint8_t n[256];
    memset(n, 0xc5, sizeof n);
    const struct crypto_found_rsa one = {
        .n = LT_SLICE(n, sizeof n), .e = LT_LIT("\x01"), .d = LT_LIT("\x01")};
    const struct crypto_found_rsa itself = {
        .n = LT_SLICE(n, sizeof n), .e = LT_LIT("\x03"), .p = LT_LIT("\x01"), .q = LT_SLICE(n, sizeof n)};
    const struct crypto_found_rsa zero = {.n = LT_SLICE(n, sizeof n), .e = LT_LIT("\x03"), .d = LT_LIT("")};
    assert_fails(crypto_found_from_rsa(&one, &l->arena, &spki), LT_PEER_UNAUTHORIZED);
    assert_fails(crypto_found_from_rsa(&itself, &l->arena, &spki), LT_PEER_UNAUTHORIZED);
    assert_fails(crypto_found_from_rsa(&zero, &l->arena, &spki), LT_PEER_UNAUTHORIZED);
    look_free(l);
}

static void test_numbers_outside_the_curve(void **state)
{
    (void)state;
    struct look *l = look_new();
    struct crypto_found spki = {.form = ""};
    uint8_t large[32];
    memset(large, 0xff, sizeof large);
    const lt_slice n = LT_SLICE(large, sizeof large);
    assert_fails(crypto_found_from_ec(X509_KEY_P256, LT_LIT(""), &l->arena, &spki), LT_PEER_MALFORMED);
    assert_fails(crypto_found_from_ec(X509_KEY_P256, LT_LIT("\0\0"), &l->arena, &spki), LT_PEER_MALFORMED);
    assert_fails(crypto_found_from_ec(X509_KEY_P256, n, &l->arena, &spki), LT_PEER_MALFORMED);
    assert_fails(crypto_found_from_ec(X509_KEY_UNKNOWN, n, &l->arena, &spki), LT_PEER_UNSUPPORTED);
    assert_ok(crypto_found_from_ec(X509_KEY_P384, n, &l->arena, &spki));
    assert_fails(crypto_found_from_ed25519(LT_LIT("short"), &l->arena, &spki), LT_PEER_MALFORMED);
    assert_fails(
        crypto_found_openssh(LT_LIT("openssh-key-v1"), &l->arena, &(struct crypto_found){.form = ""}),
        LT_PEER_NOT_FOUND);
    look_free(l);
}

/* ---- texts ---- */

static void add_quoted(struct lt_buf *out, lt_slice text, const char *before)
{
    lt_slice line;
    while (lt_slice_split(&text, '\n', &line)) {
        lt_buf_addf(out, "%s%.*s\r\n", before, LT_FMT(line));
    }
}

static void test_several_in_one_letter(void **state)
{
    (void)state;
    struct look *l = look_new();
    struct lt_buf letter;
    lt_buf_init(&letter, 1 << 20);
    lt_buf_add_cstr(&letter, "Hello,\r\nI found {these} in a public repository:\r\n\r\n");
    add_quoted(&letter, vector(l, "private-p256"), "> ");
    lt_buf_add_cstr(&letter, "\r\nand with \"nonce\" this: ");
    lt_buf_add(&letter, vector(l, "nonce-rsa"));
    lt_buf_add_cstr(&letter, "\r\n");
    add_quoted(&letter, vector(l, "csr-p384"), "  ");
    lt_buf_add(&letter, vector(l, "jwk-p256"));
    lt_buf_add_cstr(&letter, "\r\nBye\r\n");
    assert_ok(lt_buf_check(&letter));
    look_at(l, lt_buf_slice(&letter));
    assert_int_equal(l->proofs.count, 4);
    assert_found(l, "quoted", 0, "private-key", "proven");
    assert_found(l, "quoted", 1, "csr", "proven");
    assert_found(l, "inline", 2, "nonce", "proven");
    assert_found(l, "inline", 3, "private-key", "proven");
    struct lt_buf kept;
    lt_buf_init(&kept, 1 << 20);
    incident_proof_redact(lt_buf_slice(&letter), &l->proofs, 0, &kept);
    lt_buf_addf(&kept, "%c", 0);
    assert_null(strstr((char *)kept.ptr, "BEGIN EC PRIVATE KEY"));
    assert_null(strstr((char *)kept.ptr, "\"d\""));
    assert_non_null(strstr((char *)kept.ptr, key_named(l, "p256")));
    assert_non_null(strstr((char *)kept.ptr, "BEGIN CERTIFICATE REQUEST"));
    assert_non_null(strstr((char *)kept.ptr, "Bye"));
    lt_buf_done(&kept);
    lt_buf_done(&letter);
    look_free(l);
}

/* Cut off, or with damage: not kept either. */
static void test_no_private_key_stays(void **state)
{
    (void)state;
    static const char *const files[] = {"private-rsa", "openssh-ed25519", "k256", "explicit-p256",
                                        "pkcs8-p521"};
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        struct look *l = look_new();
        lt_slice whole = vector(l, files[i]);
        lt_slice parts[] = {whole, lt_slice_sub(whole, 0, whole.len - 12),
                            lt_slice_sub(whole, 0, whole.len / 2)};
        lt_slice secret = lt_slice_sub(whole, whole.len / 3, 20);
        for (size_t k = 0; k < LT_COUNT(parts); k++) {
            struct lt_buf kept;
            lt_buf_init(&kept, 1 << 20);
            size_t first = l->proofs.count;
            look_at(l, parts[k]);
            incident_proof_redact(parts[k], &l->proofs, first, &kept);
            assert_ok(lt_buf_check(&kept));
            assert_null(memmem(kept.ptr, kept.len, secret.ptr, secret.len));
            assert_non_null(memmem(kept.ptr, kept.len, "[private key removed", 20));
            lt_buf_done(&kept);
        }
        look_free(l);
    }
}

static void test_more_than_a_look_holds(void **state)
{
    (void)state;
    struct look *l = look_new();
    struct lt_buf many;
    struct lt_buf kept;
    lt_buf_init(&many, 1 << 20);
    lt_buf_init(&kept, 1 << 20);
    lt_slice key = vector(l, "private-p256");
    for (size_t i = 0; i < INCIDENT_PROOFS_MAX + 1; i++) {
        lt_buf_add(&many, key);
    }
    look_at(l, lt_buf_slice(&many));
    assert_int_equal(l->proofs.count, INCIDENT_PROOFS_MAX);
    assert_true(l->proofs.more);
    incident_proof_redact(lt_buf_slice(&many), &l->proofs, 0, &kept);
    assert_null(memmem(kept.ptr, kept.len, "BEGIN EC", 8));
    lt_buf_done(&many);
    lt_buf_done(&kept);
    look_free(l);
}

static void test_nothing_in_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "{\"nonce\"",
        "\"nonce\"",
        "{\"nonce\": 1, \"signature\": 2}",
        "-----BEGIN ",
        "-----BEGIN X-----",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        "0",
        "\x30\x03\x02\x01\x01",
        "\x30\x80",
        "{\"kty\": \"RSA\"}",
        "{\"kty\": 3, \"d\": 4}",
        "{\"protected\": \"\", \"payload\": \"\", \"signature\": \"\"}",
    };
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        struct look *l = look_new();
        look_at(l, lt_slice_cstr(texts[i]));
        assert_int_equal(l->proofs.count, 0);
        look_free(l);
    }
}

/* What is left of a private key shows that it was there: it has signed so, and anybody can look. */
static void test_a_key_signs_before_it_is_wiped(void **state)
{
    (void)state;
    for (size_t k = 0; k < LT_COUNT(keys); k++) {
        char name[64];
        struct look *l = look_new();
        struct x509_spki spki;
        (void)snprintf(name, sizeof name, "pkcs8-%s", keys[k]);
        look_at(l, vector(l, name));
        const struct incident_proof *p = &l->proofs.list[0];
        assert_true(p->signature.len > 0);
        assert_ok(x509_spki_parse(p->spki, &spki));
        char *words = lt_arena_printf(&l->arena, INCIDENT_PROOF_NONCE_WORDS "%s",
                                      lt_hex(&l->arena, LT_SLICE(p->evidence_sha256, 32)));
        enum x509_sig_alg alg = spki.type == X509_KEY_RSA       ? X509_SIG_RSA_SHA256
                                : spki.type == X509_KEY_ED25519 ? X509_SIG_ED25519
                                                                : X509_SIG_ECDSA_SHA256;
        assert_int_equal(crypto_verify_any(&spki, x509_sig_alg_der(alg), lt_slice_cstr(words), p->signature),
                         CRYPTO_FITS);
        assert_non_null(memmem(p->evidence.ptr, p->evidence.len, words, strlen(words)));
        look_free(l);
    }
    struct look *l = look_new();
    l->proofs.sign = LT_LIT(INCIDENT_PROOF_NONCE_WORDS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    look_at(l, vector(l, "private-p256"));
    struct lt_buf json;
    lt_buf_init(&json, 65536);
    lt_buf_add_cstr(&json, "{\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"public-key\":\"");
    lt_base64_add(&json, l->proofs.list[0].spki);
    lt_buf_add_cstr(&json, "\",\"signature\":\"");
    lt_base64_add(&json, l->proofs.list[0].signature);
    lt_buf_add_cstr(&json, "\"}");
    look_at(l, lt_buf_slice(&json));
    assert_found(l, "made", 1, "nonce", "proven");
    assert_key(l, 1, "p256");
    lt_buf_done(&json);
    look_free(l);
}

/* What is kept proves it again, whatever came; not another key, and not when it was changed. */
static void test_what_is_kept_proves_it_again(void **state)
{
    (void)state;
    static const char *const files[] = {"csr",       "kca",     "pock",    "nonce",
                                        "nonce-csr", "private", "openssh", "pwnedkeys"};
    for (size_t k = 0; k < 4; k++) { /* pwnedkeys has none of Ed25519 */
        for (size_t i = 0; i < LT_COUNT(files); i++) {
            char name[64];
            struct look *l = look_new();
            (void)snprintf(name, sizeof name, "certificate-%s", keys[k]);
            assert_ok(incident_proof_look(vector(l, name), &l->arena, &l->proofs));
            (void)snprintf(name, sizeof name, "%s-%s", files[i], keys[k]);
            look_at(l, vector(l, name));
            assert_found(l, name, 0, l->proofs.list[0].kind, "proven");
            const struct incident_proof *p = &l->proofs.list[0];
            lt_slice hash = LT_SLICE(p->spki_sha256, 32);
            uint8_t other[32] = {1};
            assert_true(incident_proof_again(p->evidence, hash, &l->arena));
            assert_false(incident_proof_again(p->evidence, LT_SLICE(other, 32), &l->arena));
            lt_slice copy = lt_arena_copy(&l->arena, p->evidence);
            uint8_t *at = (uint8_t *)(uintptr_t)copy.ptr + copy.len - 60;
            *at = *at == 'A' ? 'B' : 'A';
            assert_false(incident_proof_again(copy, hash, &l->arena));
            look_free(l);
        }
    }
}

static void test_nonces(void **state)
{
    (void)state;
    assert_true(incident_proof_nonce_form(LT_LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_")));
    assert_false(incident_proof_nonce_form(LT_LIT("")));
    assert_false(incident_proof_nonce_form(LT_LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-")));
    assert_false(incident_proof_nonce_form(LT_LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-+")));
    struct look *l = look_new();
    look_at(l, vector(l, "nonce-csr-p256"));
    assert_string_equal(l->proofs.list[0].nonce, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    Ipc__KeyProof m;
    assert_ok(incident_proof_message(&l->proofs.list[0], &l->arena, &m));
    assert_string_equal(m.nonce, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_string_equal(m.verdict, "proven");
    assert_int_equal(m.spki_sha256.len, 32);
    assert_int_equal(m.sent_sha256.len, 0);
    assert_true(m.evidence.len > 0);
    look_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_every_key),
        cmocka_unit_test(test_what_is_almost_one),
        cmocka_unit_test(test_one_form_of_a_key),
        cmocka_unit_test(test_a_key_that_comes_along),
        cmocka_unit_test(test_other_signatures),
        cmocka_unit_test(test_a_foreign_public_key_in_a_request),
        cmocka_unit_test(test_private_keys_with_a_foreign_half),
        cmocka_unit_test(test_an_rsa_key_by_its_exponent_alone),
        cmocka_unit_test(test_numbers_outside_the_curve),
        cmocka_unit_test(test_several_in_one_letter),
        cmocka_unit_test(test_no_private_key_stays),
        cmocka_unit_test(test_more_than_a_look_holds),
        cmocka_unit_test(test_nothing_in_nothing),
        cmocka_unit_test(test_a_key_signs_before_it_is_wiped),
        cmocka_unit_test(test_what_is_kept_proves_it_again),
        cmocka_unit_test(test_nonces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
