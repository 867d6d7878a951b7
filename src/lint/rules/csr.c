/* RFC 2986 and 2985: certification requests, before anything is made of them. */
#include "crypto/check.h"
#include "crypto/verify.h"
#include "lint/keys.h"
#include "lint/rules.h"
#include "lint/rules/common.h"
#include "lint/rules/text.h"
#include "x509/dnsname.h"

static void signature_verifies(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_csr *c = s->csr;
    enum crypto_answer answer = crypto_verify_any(&c->spki, c->sig_alg_der, c->info, c->signature);
    if (answer == CRYPTO_UNKNOWN) {
        lint_say(r, LINT_NA); /* whether the kind of key will do is asked elsewhere */
    } else if (answer == CRYPTO_WRONG) {
        lint_found(r, c->signature, "the key in it did not make the signature");
    }
}

static void version_1(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = der_open(s->csr->info);
    struct der_cursor info = der_enter(&c, DER_SEQUENCE);
    lt_slice version = der_read(&info, DER_INTEGER);
    if (version.len != 1 || version.ptr[0] != 0) {
        lint_found(r, s->csr->info, "its version is not v1 (0)");
    }
}

static void key_usable(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_spki *k = &s->csr->spki;
    /* points are on their curve; weak moduli have a row of their own */
    if (lt_failed(k->type == X509_KEY_RSA ? x509_spki_check(k) : crypto_check_spki(k))) {
        lint_found(r, k->der, "%s", lt_error_last()->detail);
    }
}

static void key_strong(const struct lint_subject *s, struct lint_report *r)
{
    static const struct {
        enum lint_key_flaw flaw;
        const char *what;
    } flaws[] = {
        {LINT_KEY_ROCA, "the key has the fingerprint of ROCA"},
        {LINT_KEY_FERMAT, "Fermat's method finds the factors of the key"},
        {LINT_KEY_SMALL_PRIME, "a small prime divides the modulus"},
        {LINT_KEY_DEBIAN, "the key is one of Debian's broken generator"},
    };
    struct lint_key key;
    lint_key_examine(s->in->keys, &s->csr->spki, s->config->fermat_rounds, &key);
    for (size_t i = 0; i < LT_COUNT(flaws); i++) {
        if ((key.flaws & flaws[i].flaw) != 0) {
            lint_found(r, s->csr->spki.der, "%s", flaws[i].what);
        }
    }
}

/* attributes [0] IMPLICIT SET OF Attribute; an empty cursor when they are left out. */
static struct der_cursor attributes_open(const struct lint_subject *s, bool *ret_there)
{
    struct der_cursor c = der_open(s->csr->info);
    struct der_cursor info = der_enter(&c, DER_SEQUENCE);
    uint32_t tag = DER_NONE;
    lt_slice skipped = {0};
    for (int i = 0; i < 3; i++) {
        (void)der_any(&info, &tag, &skipped, NULL); /* sticky in the cursor */
    }
    lt_slice content = {0};
    *ret_there = der_optional(&info, DER_CONTEXT_CONS(0), &content);
    return der_open(content);
}

static void attributes_there(const struct lint_subject *s, struct lint_report *r)
{
    bool there = false;
    (void)attributes_open(s, &there); /* only whether */
    if (!there) {
        lint_found(r, s->csr->info, "attributes are left out, which even without one are encoded");
    }
}

static void attributes_once(const struct lint_subject *s, struct lint_report *r)
{
    enum { LOOKED_AT = 32 };
    lt_slice seen[LOOKED_AT];
    size_t count = 0;
    bool there = false;
    struct der_cursor c = attributes_open(s, &there);
    while (der_more(&c) && count < LOOKED_AT) {
        struct der_cursor one = der_enter(&c, DER_SEQUENCE);
        lt_slice type = der_oid(&one);
        for (size_t i = 0; i < count; i++) {
            if (lt_slice_eq(seen[i], type)) {
                lint_found(r, type, "an attribute that stands there already");
                break;
            }
        }
        seen[count++] = type;
    }
}

static void single_values(const struct lint_subject *s, struct lint_report *r)
{
    bool there = false;
    struct der_cursor c = attributes_open(s, &there);
    while (der_more(&c)) {
        struct der_cursor one = der_enter(&c, DER_SEQUENCE);
        lt_slice type = der_oid(&one);
        enum x509_oid oid = x509_oid_find(type);
        struct der_cursor set = der_enter(&one, DER_SET);
        size_t count = der_count(&set);
        if ((oid == X509_OID_EXTENSION_REQUEST || oid == X509_OID_CHALLENGE_PASSWORD) && count != 1) {
            lint_found(r, type, "%s with %zu values", x509_oid_name(oid), count);
        }
    }
}

static void no_password(const struct lint_subject *s, struct lint_report *r)
{
    if (s->csr->has_challenge_password) {
        lint_found(r, s->csr->info, "a challengePassword, which nobody asked for");
    }
}

static void extensions_once(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->csr->ext;
    for (size_t i = 1; i < e->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (lt_slice_eq(e->list[i].id.der, e->list[k].id.der)) {
                lint_found(r, e->list[i].der, "%s is asked for twice",
                           lint_oid_label(s, e->list[i].id.der, e->list[i].id.oid));
                break;
            }
        }
    }
}

static void extensions_decode(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->csr->ext;
    for (size_t i = 0; i < e->count; i++) {
        if (e->list[i].why != NULL) {
            lint_found(r, e->list[i].der, "%s does not decode: %s",
                       lint_oid_label(s, e->list[i].id.der, e->list[i].id.oid), e->list[i].why);
        }
    }
}

/* What only the issuer can say. */
static void not_issuers(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid theirs[] = {
        X509_OID_AUTHORITY_KEY_IDENTIFIER,
        X509_OID_AUTHORITY_INFO_ACCESS,
        X509_OID_CRL_DISTRIBUTION_POINTS,
        X509_OID_ISSUER_ALT_NAME,
        X509_OID_SCT_LIST,
        X509_OID_CT_POISON,
        X509_OID_FRESHEST_CRL,
    };
    const struct x509_extensions *e = &s->csr->ext;
    for (size_t i = 0; i < e->count; i++) {
        for (size_t k = 0; k < LT_COUNT(theirs); k++) {
            if (e->list[i].id.oid == theirs[k]) {
                lint_found(r, e->list[i].der, "%s is the issuer's to say", x509_oid_name(theirs[k]));
            }
        }
    }
}

static void usage_without_ca(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->csr->ext;
    if ((e->key_usage & X509_KU_KEY_CERT_SIGN) != 0 && !e->ca) {
        lint_found(r, x509_extension_find(e, X509_OID_KEY_USAGE)->der, "keyCertSign without cA");
    }
    if (e->has_key_usage && e->key_usage == 0) {
        lint_found(r, x509_extension_find(e, X509_OID_KEY_USAGE)->der, "no bit of keyUsage is set");
    }
}

static void some_name(const struct lint_subject *s, struct lint_report *r)
{
    if (s->csr->subject.count == 0 && s->csr->ext.san.count == 0) {
        lint_found(r, s->csr->subject.der, "neither a subject nor a subjectAltName");
    }
}

static void names_well_formed(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *n = &s->csr->ext.san;
    for (size_t i = 0; i < n->count; i++) {
        lt_slice v = n->list[i].value;
        if (n->list[i].type == X509_GN_DNS && lt_failed(x509_dns_check(v, X509_DNS_WILDCARD))) {
            lint_found(r, v, "'%.*s': %s", LT_FMT(v), lt_error_last()->detail);
        } else if (n->list[i].type == X509_GN_IP && v.len != 4 && v.len != 16) {
            lint_found(r, v, "an iPAddress of %zu octets", v.len);
        }
    }
}

#define ROW(level_) .source = LINT_RFC2986, .level = (level_), .kinds = LINT_CSR

static const struct lint_rule rows[] = {
    {"lintel_csr_signature", ROW(LINT_ERROR), .asks = "a request is signed by its key",
     .citation = "RFC 2986 3", .check = signature_verifies},
    {"lintel_csr_version", ROW(LINT_ERROR), .asks = "a request has version 1", .citation = "RFC 2986 4.1",
     .check = version_1},
    {"lintel_csr_key", ROW(LINT_ERROR), .asks = "the key is of a kind and size that is certified",
     .citation = "BR 6.1.1.3, 6.1.5, 6.1.6", .check = key_usable},
    {"lintel_csr_key_weak", ROW(LINT_ERROR), .asks = "the key is none of those known to be weak",
     .citation = "BR 6.1.1.3", .when = LINT_HAS_RSA, .check = key_strong},
    {"lintel_csr_attributes", ROW(LINT_WARN), .asks = "the attributes are encoded even when there is none",
     .citation = "RFC 2986 4.1", .check = attributes_there},
    {"lintel_csr_attribute_twice", ROW(LINT_ERROR), .asks = "no attribute stands there twice",
     .citation = "RFC 2986 4.1", .check = attributes_once},
    {"lintel_csr_single_value", ROW(LINT_ERROR),
     .asks = "extensionRequest and challengePassword have one value", .citation = "RFC 2985 5.4",
     .check = single_values},
    {"lintel_csr_password", ROW(LINT_NOTICE), .asks = "there is no challengePassword",
     .citation = "RFC 2985 5.4.1", .check = no_password},
    {"lintel_csr_extension_twice", ROW(LINT_ERROR), .asks = "no extension is asked for twice",
     .citation = "RFC 5280 4.2", .when = LINT_HAS_EXTENSIONS, .check = extensions_once},
    {"lintel_csr_extension_form", ROW(LINT_ERROR), .asks = "what is asked for decodes",
     .citation = "RFC 5280 4.2", .when = LINT_HAS_EXTENSIONS, .check = extensions_decode},
    {"lintel_csr_not_issuers", ROW(LINT_WARN),
     .asks = "a request does not ask for what is the issuer's to say", .citation = "RFC 5280 4.2",
     .when = LINT_HAS_EXTENSIONS, .check = not_issuers},
    {"lintel_csr_key_usage", ROW(LINT_ERROR), .asks = "the key usage asked for is one that there is",
     .citation = "RFC 5280 4.2.1.3", .when = LINT_HAS_KU, .check = usage_without_ca},
    {"lintel_csr_names", ROW(LINT_WARN), .asks = "a request names somebody", .citation = "RFC 5280 4.1.2.6",
     .check = some_name},
    {"lintel_csr_name_form", ROW(LINT_ERROR), .asks = "the names asked for are well formed",
     .citation = "RFC 5280 4.2.1.6", .when = LINT_HAS_SAN, .check = names_well_formed},
};
const struct lint_table lint_csr = LINT_TABLE(rows);
