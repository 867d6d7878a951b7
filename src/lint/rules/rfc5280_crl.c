/* RFC 5280 section 5: CRLs, as zlint judges them, and its own rules for them. What it does not ask stands in
 * rfc5280_crl_more.c. */
#include "lint/crl_facts.h"
#include "lint/rules/common.h"
#include "lint/rules/rfc.h"

#include <string.h>

static const struct x509_extension *find(const struct lint_subject *s, enum x509_oid oid)
{
    return x509_extension_find(&s->crl->ext, oid);
}

static void list_not_empty(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->list_there && s->crl_facts->count == 0) {
        lint_found(r, s->crl->tbs, "revokedCertificates is there, without an entry");
    }
}

static void key_id_there(const struct lint_subject *s, struct lint_report *r)
{
    if (find(s, X509_OID_AUTHORITY_KEY_IDENTIFIER) == NULL) {
        lint_found(r, s->crl->tbs, "there is no authorityKeyIdentifier");
    }
}

static void number_there(const struct lint_subject *s, struct lint_report *r)
{
    if (find(s, X509_OID_CRL_NUMBER) == NULL) {
        lint_found(r, s->crl->tbs, "there is no cRLNumber");
    }
}

static void next_update_there(const struct lint_subject *s, struct lint_report *r)
{
    if (!s->crl->has_next_update) {
        lint_found(r, s->crl->tbs, "there is no nextUpdate");
    }
}

/* Of 0 and one that does not exist the first in the list counts. */
static void reasons_exist(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_crl_facts *f = s->crl_facts;
    lt_slice zero = f->reason[0];
    lt_slice beyond = f->reason[LINT_CRL_REASONS - 1];
    lt_slice unused = f->reason[7];
    if (beyond.len == 0 || (unused.len > 0 && unused.ptr < beyond.ptr)) {
        beyond = unused;
    }
    if (zero.len > 0 && (beyond.len == 0 || zero.ptr < beyond.ptr)) {
        lint_found_at(r, LINT_WARN, zero, "an entry with the reason unspecified (0)");
    } else if (beyond.len > 0) {
        lint_found(r, beyond, "an entry with a reason that there is not (%u)",
                   beyond.ptr == unused.ptr ? 7 : (unsigned)f->reason_beyond);
    }
}

static void revoked_in_time(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->after_this_update.len > 0) {
        lint_found(r, s->crl_facts->after_this_update, "an entry was revoked after thisUpdate");
    }
}

static bool has_no_entries(const struct lint_subject *s)
{
    return s->crl_facts->count == 0;
}

static bool has_entries(const struct lint_subject *s)
{
    return s->crl_facts->count > 0;
}

/* sha224 to sha512 WithRSAEncryption: 1.2.840.113549.1.1.11 to .14. */
static void null_parameters(const struct lint_subject *s, struct lint_report *r)
{
    static const uint8_t head[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};
    struct der_cursor c = der_open(s->crl->outer_sig_alg_der);
    struct der_cursor alg = der_enter(&c, DER_SEQUENCE);
    lt_slice oid = der_oid(&alg);
    if (oid.len != sizeof(head) + 1 || memcmp(oid.ptr, head, sizeof(head)) != 0 || oid.ptr[8] < 0x0b ||
        oid.ptr[8] > 0x0e) {
        return;
    }
    lt_slice null = {0};
    bool there = der_optional(&alg, DER_NULL, &null);
    if (!there || null.len > 0) {
        lint_found(r, s->crl->outer_sig_alg_der, "an RSA signature algorithm without NULL as its parameters");
    }
}

static bool has_extensions(const struct lint_subject *s)
{
    return s->crl->ext.count > 0;
}

static void extensions_once(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->crl->ext;
    for (size_t i = 1; i < e->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (lt_slice_eq(e->list[i].id.der, e->list[k].id.der)) {
                lint_found(r, e->list[i].der, "%s stands here again",
                           lint_oid_label(s, e->list[i].id.der, e->list[i].id.oid));
                break;
            }
        }
    }
}

static void revoked_since_1999(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->before_1999.len > 0) {
        lint_found(r, s->crl_facts->before_1999, "an entry was revoked before 1999");
    }
}

static void entry_extensions_once(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->extension_twice.len > 0) {
        lint_found(r, s->crl_facts->extension_twice, "an entry with an extension twice");
    }
}

static void serials_once(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->serial_twice.len > 0) {
        lint_found(r, s->crl_facts->serial_twice, "a serial number that stands there already");
    }
}

#define ROW(source_, level_) .source = (source_), .level = (level_), .kinds = LINT_CRL, .zlint = true
#define RFC ROW(LINT_RFC5280, LINT_ERROR), .effective = LINT_SINCE_RFC5280
#define COMMUNITY(level_) ROW(LINT_COMMUNITY, level_)

static const struct lint_rule rows[] = {
    {"e_crl_empty_revoked_certificates", RFC, .asks = "revokedCertificates is absent when nothing is revoked",
     .citation = "RFC 5280 5.1.2.6", .check = list_not_empty},
    {"e_crl_revoked_certificates_field_must_be_empty", RFC,
     .asks = "revokedCertificates is absent when nothing is revoked", .citation = "RFC 5280 5.1.2.6",
     .applies = has_no_entries, .check = list_not_empty},
    {"e_crl_has_authority_key_identifier", RFC, .asks = "a CRL has an authorityKeyIdentifier",
     .citation = "RFC 5280 5.2.1", .check = key_id_there},
    {"e_crl_missing_crl_number", RFC, .asks = "a CRL has a number", .citation = "RFC 5280 5.2.3",
     .check = number_there},
    {"e_crl_has_next_update", RFC, .asks = "a CRL has a nextUpdate", .citation = "RFC 5280 5.1.2.5",
     .check = next_update_there},
    {"e_crl_has_valid_reason_code", RFC,
     .asks = "a reason is one of RFC 5280, and left out when it is unspecified", .citation = "RFC 5280 5.3.1",
     .applies = has_entries, .check = reasons_exist},
    {"e_crl_revocation_time_after_this_update", RFC, .asks = "nothing is revoked after thisUpdate",
     .citation = "RFC 5280 5.1.2.4, 5.1.2.6", .applies = has_entries, .check = revoked_in_time},
    {"e_crl_sigalgo_missing_null_params", RFC,
     .asks = "the parameters of an RSA signature algorithm are NULL", .citation = "RFC 4055 6",
     .unless = LINT_IS_BARE, .check = null_parameters},
    {"e_crl_no_duplicate_extensions", COMMUNITY(LINT_ERROR),
     .asks = "no extension of a CRL stands there twice", .citation = "RFC 5280 4.2",
     .applies = has_extensions, .check = extensions_once},
    {"e_crl_revocation_date_too_early", COMMUNITY(LINT_ERROR), .asks = "nothing was revoked before RFC 2459",
     .citation = "RFC 2459", .applies = has_entries, .check = revoked_since_1999},
    {"e_crl_revoked_certificate_crl_entry_has_no_duplicate_extensions", COMMUNITY(LINT_ERROR),
     .asks = "no extension of a CRL entry stands there twice", .citation = "RFC 5280 4.2",
     .check = entry_extensions_once},
    {"e_crl_unique_revoked_certificate", COMMUNITY(LINT_WARN),
     .asks = "no serial number stands in a CRL twice", .citation = "RFC 5280 5.1.2.6", .check = serials_once},
};
const struct lint_table lint_rfc5280_crl = LINT_TABLE(rows);
