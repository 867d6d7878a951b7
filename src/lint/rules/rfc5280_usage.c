/* RFC 5280 4.2.1.3, 4.2.1.9, 4.2.1.12 and what RFC 3279, 5480 and 8813 say of them by kind of key: keyUsage,
 * basicConstraints, extKeyUsage. */
#include "lint/rules/key_alg.h"
#include "lint/rules/purposes.h"
#include "lint/rules/rfc.h"

static const struct x509_extension *key_usage_of(const struct lint_subject *s)
{
    return lint_ext(s, X509_OID_KEY_USAGE);
}

static void cert_sign_needs_ca(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if ((e->key_usage & X509_KU_KEY_CERT_SIGN) != 0 &&
        !(e->has_basic_constraints && lint_is(s, LINT_IS_CA))) {
        lint_found(r, key_usage_of(s)->value, "keyCertSign, but cA is not TRUE");
    }
}

static void bits_set(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.key_usage == 0) {
        lint_found(r, key_usage_of(s)->value, "no bit is set");
    }
}

static bool key_usage_has_value(const struct lint_subject *s)
{
    return key_usage_of(s)->value.len > 0;
}

static void unused_bits_counted(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice v = key_usage_of(s)->value;
    if (v.len < 4) {
        lint_found_at(r, LINT_FATAL, v, "%zu bytes are no KeyUsage", v.len);
        return;
    }
    unsigned zeros = 0;
    for (size_t i = v.len; i > 3 && (v.ptr[i - 1] >> (zeros % 8) & 1) == 0;) {
        zeros++;
        i -= zeros % 8 == 0;
    }
    bool none = zeros == 8 * (v.len - 3);
    if (v.ptr[2] != (none ? 0 : zeros)) {
        lint_found(r, v, "%u unused bits are declared, there are %u", v.ptr[2], none ? 0 : zeros);
    }
}

static void no_zero_byte(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice v = key_usage_of(s)->value;
    if (v.ptr[v.len - 1] == 0) {
        lint_found(r, v, "the last byte is 00");
    }
}

/* A BIT STRING whose value, read as a number without the unused bits, is below 2^9. */
static void nine_bits(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice v = key_usage_of(s)->value;
    struct der_cursor c = der_open(v);
    struct der_bits bits = der_bitstring(&c);
    if (!der_ok(&c)) {
        lint_found(r, v, "no BIT STRING: %s", c.why);
        return;
    }
    uint64_t number = 0;
    bool over = false;
    for (size_t i = 0; i < bits.bytes.len; i++) {
        over = over || number >> 55 != 0;
        number = number << 8 | bits.bytes.ptr[i];
    }
    if (over || number >> bits.unused >= 512) {
        lint_found(r, v, "bits beyond decipherOnly (8)");
    }
}

static void constraints_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_BASIC_CONSTRAINTS);
    if (!x->critical) {
        lint_found(r, x->der, "basicConstraints of a CA is not critical");
    }
}

/* BasicConstraints as far as it goes: a BOOLEAN and an INTEGER, each of which may be missing. */
struct basic {
    bool has_ca;
    lt_slice ca;
    bool has_path_len;
    lt_slice path_len;
};

static bool basic_read(const struct lint_subject *s, struct basic *ret)
{
    struct der_cursor c = der_open(lint_ext(s, X509_OID_BASIC_CONSTRAINTS)->value);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    *ret = (struct basic){0};
    ret->has_ca = der_optional(&seq, DER_BOOLEAN, &ret->ca);
    ret->has_path_len = der_optional(&seq, DER_INTEGER, &ret->path_len);
    return der_ok(&seq);
}

static void default_absent(const struct lint_subject *s, struct lint_report *r)
{
    struct basic b = {0};
    lt_slice where = lint_ext(s, X509_OID_BASIC_CONSTRAINTS)->value;
    if (!basic_read(s, &b)) {
        lint_found_at(r, LINT_FATAL, where, "basicConstraints does not decode");
    } else if (b.has_ca && b.ca.len > 0 && b.ca.ptr[0] == 0) {
        lint_found(r, where, "cA FALSE is encoded");
    }
}

/* Whatever follows cA counts as pathLenConstraint; the decoder wants it to be one. */
static void path_len_with_ca(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice where = lint_ext(s, X509_OID_BASIC_CONSTRAINTS)->value;
    struct der_cursor c = der_open(where);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    lt_slice ca = {0};
    bool has_ca = der_optional(&seq, DER_BOOLEAN, &ca);
    if (!der_ok(&seq) || (has_ca && (ca.len != 1 || (ca.ptr[0] != 0 && ca.ptr[0] != 0xff)))) {
        lint_found_at(r, LINT_FATAL, where, "basicConstraints does not decode");
        return;
    }
    bool signs = lint_is(s, LINT_HAS_KU) && (s->cert->ext.key_usage & X509_KU_KEY_CERT_SIGN) != 0;
    if (der_more(&seq) && !(lint_is(s, LINT_IS_CA) && signs)) {
        lint_found(r, where, "pathLenConstraint without cA and keyCertSign");
    }
}

static bool constraints_decoded(const struct lint_subject *s)
{
    return s->cert->ext.has_basic_constraints;
}

/* zlint sees no constraints at all where they do not decode. */
static void path_len_not_negative(const struct lint_subject *s, struct lint_report *r)
{
    struct basic b = {0};
    if (!basic_read(s, &b)) {
        lint_say(r, LINT_NA);
    } else if (b.has_path_len && b.path_len.len > 0 && (b.path_len.ptr[0] & 0x80) != 0) {
        lint_found(r, lint_ext(s, X509_OID_BASIC_CONSTRAINTS)->value, "pathLenConstraint is negative");
    }
}

static void any_not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_EXTENDED_KEY_USAGE);
    if (x->critical && x509_has_eku(&s->cert->ext, X509_OID_ANY_EXTENDED_KEY_USAGE)) {
        lint_found(r, x->der, "critical, with anyExtendedKeyUsage in it");
    }
}

#define DS X509_KU_DIGITAL_SIGNATURE
#define CC X509_KU_CONTENT_COMMITMENT
#define KE X509_KU_KEY_ENCIPHERMENT
#define KA X509_KU_KEY_AGREEMENT

/* Which keyUsages go with a purpose (zlint's reading of 4.2.1.12): sets of bits, 0 ends the list. */
static const struct purpose {
    enum x509_oid oid;
    uint32_t usages[12];
} purposes[] = {
    {X509_OID_SERVER_AUTH, {DS, KE, KA, DS | KE, DS | KA}},
    {X509_OID_CLIENT_AUTH, {DS, KA, DS | KA}},
    {X509_OID_CODE_SIGNING, {DS}},
    {X509_OID_EMAIL_PROTECTION,
     {DS, CC, KE, KA, DS | CC, DS | KE, DS | KA, DS | CC | KE, DS | CC | KA, CC | KE, CC | KA}},
    {X509_OID_TIME_STAMPING, {DS, CC, DS | CC}},
    {X509_OID_OCSP_SIGNING, {DS, CC, DS | CC}},
};

static const struct purpose *purpose_find(enum x509_oid oid)
{
    for (size_t i = 0; i < LT_COUNT(purposes); i++) {
        if (purposes[i].oid == oid) {
            return &purposes[i];
        }
    }
    return NULL;
}

static bool allows(const struct purpose *p, uint32_t usage)
{
    for (size_t i = 0; i < LT_COUNT(p->usages) && p->usages[i] != 0; i++) {
        if (p->usages[i] == usage) {
            return true;
        }
    }
    return false;
}

/* Bits beyond the nine count for nothing here. */
static uint32_t nine_of(const struct x509_extensions *e)
{
    return e->key_usage & 0x1ff;
}

/* With several purposes what the sets of each allow may be joined: the usage is the union of those sets that
 * lie in it. */
static bool joined_allows(const struct x509_extensions *e)
{
    uint32_t joined = 0;
    for (size_t i = 0; i < e->eku_count; i++) {
        const struct purpose *p = purpose_find(e->eku[i].oid);
        for (size_t k = 0; p != NULL && k < LT_COUNT(p->usages) && p->usages[k] != 0; k++) {
            joined |= (p->usages[k] & ~nine_of(e)) == 0 ? p->usages[k] : 0;
        }
        if (p == NULL && lint_purpose_known(e->eku[i].der)) {
            return true; /* nothing is known of it */
        }
    }
    return joined == nine_of(e) && joined != 0;
}

static size_t purposes_known(const struct x509_extensions *e)
{
    size_t count = 0;
    for (size_t i = 0; i < e->eku_count; i++) {
        count += lint_purpose_known(e->eku[i].der) ? 1 : 0;
    }
    return count;
}

static void usage_fits_purpose(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (purposes_known(e) > 1) {
        if (!joined_allows(e)) {
            lint_found(r, key_usage_of(s)->value, "keyUsage %#x fits none of the %zu purposes together",
                       (unsigned)e->key_usage, e->eku_count);
        }
        return;
    }
    for (size_t i = 0; i < e->eku_count; i++) {
        const struct purpose *p = purpose_find(e->eku[i].oid);
        if (p != NULL && !allows(p, nine_of(e))) {
            lint_found(r, key_usage_of(s)->value, "keyUsage %#x does not fit %s", (unsigned)e->key_usage,
                       x509_oid_name(p->oid));
        }
    }
}

static const char *usage_name(uint32_t bit)
{
    static const char *const names[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
                                        "dataEncipherment", "keyAgreement",   "keyCertSign",
                                        "cRLSign",          "encipherOnly",   "decipherOnly"};
    return bit < LT_COUNT(names) ? names[bit] : "unknown";
}

/* .value: bits that must not be set. */
static void usage_without(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t wrong = s->cert->ext.key_usage & (uint32_t)r->rule->value;
    for (uint32_t bit = 0; wrong != 0; bit++, wrong >>= 1) {
        if ((wrong & 1) != 0) {
            lint_found(r, key_usage_of(s)->value, "%s is set", usage_name(bit));
        }
    }
}

static void signer_encrypts_not(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t usage = s->cert->ext.key_usage;
    if ((usage & (X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)) != 0 &&
        (usage & (X509_KU_KEY_ENCIPHERMENT | X509_KU_DATA_ENCIPHERMENT)) != 0) {
        lint_found(r, key_usage_of(s)->value, "a key that signs certificates or CRLs is for encryption, too");
    }
}

/* Of any curve. */
static bool has_ec_key(const struct lint_subject *s)
{
    return lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_EC;
}

#define ROW(source_, level_) .source = (source_), .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true
#define ERROR ROW(LINT_RFC5280, LINT_ERROR)

static const struct lint_rule rows[] = {
    {"e_ext_key_usage_cert_sign_without_ca", ERROR, .asks = "keyCertSign goes with cA only",
     .citation = "RFC 5280 4.2.1.3, 4.2.1.9", .when = LINT_HAS_KU, .effective = LINT_SINCE_RFC3280,
     .check = cert_sign_needs_ca},
    {"e_ext_key_usage_without_bits", ERROR, .asks = "at least one bit of keyUsage is set",
     .citation = "RFC 5280 4.2.1.3", .when = LINT_HAS_KU, .effective = LINT_SINCE_RFC5280, .check = bits_set},
    {"e_incorrect_ku_encoding", ERROR, .asks = "keyUsage counts its zero bits at the end as unused",
     .citation = "X.690 11.2.2", .when = LINT_HAS_KU, .applies = key_usage_has_value,
     .check = unused_bits_counted},
    {"e_superfluous_ku_encoding", ERROR, .asks = "keyUsage does not end in a zero byte",
     .citation = "X.690 11.2.2", .when = LINT_HAS_KU, .applies = key_usage_has_value, .check = no_zero_byte},
    {"e_key_usage_incorrect_length", ERROR, .asks = "keyUsage has no bits but its nine",
     .citation = "RFC 5280 4.2.1.3", .when = LINT_HAS_KU, .effective = LINT_SINCE_RFC5280,
     .check = nine_bits},
    {"e_key_usage_and_extended_key_usage_inconsistent", ERROR,
     .asks = "keyUsage and extKeyUsage allow a purpose together", .citation = "RFC 5280 4.2.1.12",
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_KU | LINT_HAS_EKU, .effective = LINT_SINCE_RFC5280,
     .check = usage_fits_purpose},
    {"w_eku_critical_improperly", ROW(LINT_RFC5280, LINT_WARN),
     .asks = "extKeyUsage with anyExtendedKeyUsage should not be critical", .citation = "RFC 5280 4.2.1.12",
     .when = LINT_HAS_EKU, .effective = LINT_SINCE_RFC3280, .check = any_not_critical},
    {"e_basic_constraints_not_critical", ERROR, .asks = "basicConstraints of a CA is critical",
     .citation = "RFC 5280 4.2.1.9", .when = LINT_IS_CA | LINT_HAS_BC, .effective = LINT_SINCE_RFC2459,
     .check = constraints_critical},
    {"e_basic_constr_invalid_der", ERROR, .asks = "basicConstraints does not encode cA FALSE",
     .citation = "X.690 11.5", .when = LINT_HAS_BC, .effective = LINT_SINCE_RFC2459, .check = default_absent},
    {"e_path_len_constraint_improperly_included", ERROR,
     .asks = "pathLenConstraint goes with cA and keyCertSign only", .citation = "RFC 5280 4.2.1.9",
     .when = LINT_HAS_BC, .effective = LINT_SINCE_RFC3280, .check = path_len_with_ca},
    {"e_path_len_constraint_zero_or_less", ERROR, .asks = "pathLenConstraint is not negative",
     .citation = "RFC 5280 4.2.1.9", .when = LINT_HAS_BC, .effective = LINT_SINCE_RFC2459,
     .applies = constraints_decoded, .check = path_len_not_negative},
    {"e_rsa_allowed_ku_ca", ROW(LINT_RFC3279, LINT_ERROR),
     .asks = "an RSA key of a CA is not for key agreement", .citation = "RFC 3279 2.3.1",
     .when = LINT_IS_CA | LINT_HAS_RSA | LINT_HAS_KU, .effective = LINT_SINCE_RFC3280, .check = usage_without,
     .value = X509_KU_KEY_AGREEMENT | X509_KU_ENCIPHER_ONLY | X509_KU_DECIPHER_ONLY},
    {"e_rsa_allowed_ku_ee", ROW(LINT_RFC3279, LINT_ERROR),
     .asks = "an RSA key of an end entity neither agrees on keys nor signs certificates or CRLs",
     .citation = "RFC 3279 2.3.1", .when = LINT_IS_SUBSCRIBER | LINT_HAS_RSA | LINT_HAS_KU,
     .effective = LINT_SINCE_RFC3280, .check = usage_without,
     .value = X509_KU_KEY_AGREEMENT | X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN | X509_KU_ENCIPHER_ONLY |
              X509_KU_DECIPHER_ONLY},
    {"e_rsa_allowed_ku_no_encipherment_ca", ROW(LINT_RFC3279, LINT_ERROR),
     .asks = "an RSA key of a CA that signs is not for encryption, too", .citation = "RFC 3279 2.3.1",
     .when = LINT_IS_CA | LINT_HAS_RSA | LINT_HAS_KU, .effective = LINT_SINCE_RFC3280,
     .check = signer_encrypts_not},
    {"n_ecdsa_ee_invalid_ku", ROW(LINT_RFC5480, LINT_NOTICE),
     .asks = "an EC key of an end entity is for signatures and key agreement", .citation = "RFC 5480 3",
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_KU, .applies = has_ec_key, .effective = LINT_DAY(2012, 7, 1),
     .check = usage_without,
     .value = X509_KU_KEY_ENCIPHERMENT | X509_KU_DATA_ENCIPHERMENT | X509_KU_KEY_CERT_SIGN |
              X509_KU_CRL_SIGN | X509_KU_ENCIPHER_ONLY | X509_KU_DECIPHER_ONLY},
    {"e_ecdsa_allowed_ku", ROW(LINT_RFC8813, LINT_ERROR), .asks = "an EC key is not for encryption",
     .citation = "RFC 8813 3", .when = LINT_HAS_KU, .applies = has_ec_key, .effective = LINT_DAY(2020, 8, 1),
     .check = usage_without, .value = X509_KU_KEY_ENCIPHERMENT | X509_KU_DATA_ENCIPHERMENT},
};
const struct lint_table lint_rfc5280_usage = LINT_TABLE(rows);
