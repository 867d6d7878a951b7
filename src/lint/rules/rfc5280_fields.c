/* RFC 5280 4.1: the fields of a certificate around the names: version, serial, algorithms, validity. */
#include <string.h>

#include "lint/rules/rfc.h"

static void unique_ids_absent(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_cert *c = s->cert;
    if (c->issuer_unique_id.len > 0) {
        lint_found(r, c->issuer_unique_id, "there is an issuerUniqueID");
    }
    if (c->subject_unique_id.len > 0) {
        lint_found(r, c->subject_unique_id, "there is a subjectUniqueID");
    }
}

static void unique_ids_version(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_cert *c = s->cert;
    bool any = c->issuer_unique_id.len > 0 || c->subject_unique_id.len > 0;
    if (any && c->version != 2 && c->version != 3) {
        lint_found(r, c->tbs, "a unique identifier in version %u", c->version);
    }
}

static void extensions_version(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->version != 3 && s->cert->ext.count > 0) {
        lint_found(r, s->cert->tbs, "%zu extensions in version %u", s->cert->ext.count, s->cert->version);
    }
}

static void algorithms_same(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_cert *c = s->cert;
    if (!lt_slice_eq(c->sig_alg_der, c->outer_sig_alg_der)) {
        lint_found(r, c->outer_sig_alg_der, "%zu bytes here, %zu other bytes in tbsCertificate",
                   c->outer_sig_alg_der.len, c->sig_alg_der.len);
    }
}

static void serial_length(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->serial.len > 20) {
        lint_found(r, s->cert->serial, "%zu octets, with the one for the sign", s->cert->serial.len);
    }
}

static void serial_positive(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice n = s->cert->serial;
    bool zero = n.len == 0 || (n.len == 1 && n.ptr[0] == 0);
    if (zero || (n.ptr[0] & 0x80) != 0) {
        lint_found(r, n, "the serial number is %s", zero ? "zero" : "negative");
    }
}

/* The two times as they are encoded. */
struct validity {
    uint32_t tag[2];
    lt_slice text[2];
};

static bool validity_read(const struct lint_subject *s, struct validity *ret)
{
    struct der_cursor c = der_open(s->cert->tbs);
    struct der_cursor tbs = der_enter(&c, DER_SEQUENCE);
    lt_slice skipped = {0};
    uint32_t tag = DER_NONE;
    (void)der_optional(&tbs, DER_CONTEXT_CONS(0), &skipped); /* version 1 has none */
    for (int i = 0; i < 3; i++) {
        (void)der_any(&tbs, &tag, &skipped, NULL); /* sticky in the cursor */
    }
    struct der_cursor both = der_enter(&tbs, DER_SEQUENCE);
    return der_any(&both, &ret->tag[0], &ret->text[0], NULL) &&
           der_any(&both, &ret->tag[1], &ret->text[1], NULL);
}

static bool has_time(const struct lint_subject *s, uint32_t tag)
{
    struct validity v = {0};
    return validity_read(s, &v) && (v.tag[0] == tag || v.tag[1] == tag);
}

static bool has_generalized(const struct lint_subject *s)
{
    return has_time(s, DER_GENERALIZED_TIME);
}

static bool has_utc(const struct lint_subject *s)
{
    return has_time(s, DER_UTC_TIME);
}

typedef bool time_is_wrong(lt_slice text);

static void times_check(const struct lint_subject *s, struct lint_report *r, uint32_t tag,
                        time_is_wrong *wrong, const char *what)
{
    struct validity v = {0};
    if (!validity_read(s, &v) || (v.tag[0] != tag && v.tag[1] != tag)) {
        lint_say(r, LINT_NA);
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (v.tag[i] == tag && wrong(v.text[i])) {
            lint_found(r, v.text[i], "%s is '%.*s': %s", i == 0 ? "notBefore" : "notAfter", LT_FMT(v.text[i]),
                       what);
        }
    }
}

static bool ends_in_z(lt_slice t)
{
    return t.len > 0 && t.ptr[t.len - 1] == 'Z';
}

/* Length of the digits when all is there: what follows them tells where they end. */
static size_t full_length(lt_slice t)
{
    bool offset = t.len >= 5 && (t.ptr[t.len - 5] == '-' || t.ptr[t.len - 5] == '+');
    return ends_in_z(t) ? 15 : offset ? 19 : 14;
}

static bool is_short(lt_slice t)
{
    return t.len < full_length(t);
}

static bool has_fraction(lt_slice t)
{
    return t.len > full_length(t);
}

static bool not_zulu(lt_slice t)
{
    return !ends_in_z(t);
}

static bool utc_without_seconds(lt_slice t)
{
    return t.len != 13 && t.len != 17;
}

/* An offset of zero is Greenwich, too. */
static bool utc_elsewhere(lt_slice t)
{
    return !ends_in_z(t) && !lt_slice_ends(t, LT_LIT("0000"));
}

static bool before_2050(lt_slice t)
{
    return t.len >= 4 && memcmp(t.ptr, "2050", 4) < 0;
}

static void generalized_seconds(const struct lint_subject *s, struct lint_report *r)
{
    times_check(s, r, DER_GENERALIZED_TIME, is_short, "no seconds");
}

static void generalized_fraction(const struct lint_subject *s, struct lint_report *r)
{
    times_check(s, r, DER_GENERALIZED_TIME, has_fraction, "fractions of a second");
}

static void generalized_zulu(const struct lint_subject *s, struct lint_report *r)
{
    times_check(s, r, DER_GENERALIZED_TIME, not_zulu, "does not end in Z");
}

static void utc_seconds(const struct lint_subject *s, struct lint_report *r)
{
    times_check(s, r, DER_UTC_TIME, utc_without_seconds, "no seconds");
}

static void utc_zulu(const struct lint_subject *s, struct lint_report *r)
{
    times_check(s, r, DER_UTC_TIME, utc_elsewhere, "not in Greenwich time");
}

static void right_time_type(const struct lint_subject *s, struct lint_report *r)
{
    times_check(s, r, DER_GENERALIZED_TIME, before_2050, "GeneralizedTime before 2050");
    if (r->status == LINT_NA) {
        lint_say(r, LINT_PASS);
    }
}

/* rsaEncryption and its signatures: 1.2.840.113549.1.1 and one more arc. */
static bool is_pkcs1(lt_slice algorithm, const char *arcs)
{
    static const uint8_t head[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};
    struct der_cursor c = der_open(algorithm);
    lt_slice content = der_read(&c, DER_SEQUENCE);
    return content.len > sizeof(head) && lt_slice_starts(content, LT_SLICE(head, sizeof(head))) &&
           strchr(arcs, content.ptr[sizeof(head)]) != NULL;
}

static bool null_follows(lt_slice algorithm)
{
    enum { LEN = 15 };
    return algorithm.len == LEN && algorithm.ptr[LEN - 2] == DER_NULL && algorithm.ptr[LEN - 1] == 0;
}

static bool key_is_rsa_encryption(const struct lint_subject *s)
{
    return is_pkcs1(s->cert->spki.algorithm, "\x01");
}

static void key_parameters(const struct lint_subject *s, struct lint_report *r)
{
    if (!null_follows(s->cert->spki.algorithm)) {
        lint_found(r, s->cert->spki.algorithm, "rsaEncryption without NULL as its parameters");
    }
}

static bool signed_with_pkcs1(const struct lint_subject *s)
{
    return is_pkcs1(s->cert->sig_alg_der, "\x01\x02\x04\x05\x0b\x0c\x0d\x0e");
}

static void signature_parameters(const struct lint_subject *s, struct lint_report *r)
{
    if (!null_follows(s->cert->sig_alg_der)) {
        lint_found(r, s->cert->sig_alg_der, "an RSA signature algorithm without NULL as its parameters");
    }
}

#define ROW .source = LINT_RFC5280, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true

static const struct lint_rule rows[] = {
    {"e_cert_contains_unique_identifier", ROW, .asks = "certificates carry no unique identifiers",
     .citation = "RFC 5280 4.1.2.8", .effective = LINT_SINCE_RFC5280, .check = unique_ids_absent},
    {"e_cert_unique_identifier_version_not_2_or_3", ROW,
     .asks = "unique identifiers stand only in versions 2 and 3", .citation = "RFC 5280 4.1.2.8",
     .effective = LINT_SINCE_RFC5280, .check = unique_ids_version},
    {"e_cert_extensions_version_not_3", ROW, .asks = "extensions stand only in version 3",
     .citation = "RFC 5280 4.1.2.9", .effective = LINT_SINCE_RFC2459, .check = extensions_version},
    {"e_cert_sig_alg_not_match_tbs_sig_alg", ROW,
     .asks = "the signature algorithm is the same inside and outside of what is signed",
     .citation = "RFC 5280 4.1.1.2", .effective = LINT_SINCE_RFC5280, .unless = LINT_IS_BARE,
     .check = algorithms_same},
    {"e_serial_number_longer_than_20_octets", ROW, .asks = "a serial number has at most 20 octets",
     .citation = "RFC 5280 4.1.2.2", .effective = LINT_SINCE_RFC3280, .check = serial_length},
    {"e_serial_number_not_positive", ROW, .asks = "a serial number is positive",
     .citation = "RFC 5280 4.1.2.2", .effective = LINT_SINCE_RFC3280, .check = serial_positive},
    {"e_generalized_time_does_not_include_seconds", ROW, .asks = "GeneralizedTime includes seconds",
     .citation = "RFC 5280 4.1.2.5.2", .effective = LINT_SINCE_RFC2459, .applies = has_generalized,
     .check = generalized_seconds},
    {"e_generalized_time_includes_fraction_seconds", ROW,
     .asks = "GeneralizedTime has no fractions of seconds", .citation = "RFC 5280 4.1.2.5.2",
     .effective = LINT_SINCE_RFC2459, .applies = has_generalized, .check = generalized_fraction},
    {"e_generalized_time_not_in_zulu", ROW, .asks = "GeneralizedTime is in Greenwich time and says Z",
     .citation = "RFC 5280 4.1.2.5.2", .effective = LINT_SINCE_RFC2459, .applies = has_generalized,
     .check = generalized_zulu},
    {"e_utc_time_does_not_include_seconds", ROW, .asks = "UTCTime includes seconds",
     .citation = "RFC 5280 4.1.2.5.1", .effective = LINT_SINCE_RFC2459, .applies = has_utc,
     .check = utc_seconds},
    {"e_utc_time_not_in_zulu", ROW, .asks = "UTCTime is in Greenwich time", .citation = "RFC 5280 4.1.2.5.1",
     .effective = LINT_SINCE_RFC2459, .applies = has_utc, .check = utc_zulu},
    {"e_wrong_time_format_pre2050", ROW, .asks = "dates up to 2049 are UTCTime",
     .citation = "RFC 5280 4.1.2.5", .effective = LINT_SINCE_RFC2459, .check = right_time_type},
    {"e_spki_rsa_encryption_parameter_not_null", ROW, .asks = "the parameters of an RSA key are NULL",
     .citation = "RFC 4055 1.2", .effective = LINT_SINCE_RFC5280, .applies = key_is_rsa_encryption,
     .check = key_parameters},
    {"e_tbs_signature_rsa_encryption_parameter_not_null", ROW,
     .asks = "the parameters of an RSA signature algorithm are NULL", .citation = "RFC 4055 5",
     .effective = LINT_SINCE_RFC5280, .applies = signed_with_pkcs1, .check = signature_parameters},
};
const struct lint_table lint_rfc5280_fields = LINT_TABLE(rows);
