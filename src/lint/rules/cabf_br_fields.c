/* TLS Baseline Requirements on what all profiles have in common (7.1.2.11, 6.3.2, serial numbers), where
 * zlint does not ask. What subscriber certificates alone are asked stands in cabf_br_profile.c and
 * cabf_br_hosts.c. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/cabf_br_under.h"

static bool under_br(const struct lint_subject *s)
{
    return lint_br_under(s);
}

static bool ca_or_responder(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_CA | LINT_IS_OCSP_RESPONDER) && lint_br_under(s);
}

/* What 64 random bits cannot be, but for one chance in 2^16 and less; before signing, what they should not
 * be either: Lintel's own are longer. */
enum { SERIAL_MIN = 6, SERIAL_OWN_MIN = 8 };

/*= CABF-BR 7.1.2.7 "containing at least 64 bits of output from a CSPRNG" */
static void serial(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice n = x509_serial_magnitude(s->cert->serial);
    if (n.len < SERIAL_MIN || (lint_is(s, LINT_IS_BARE) && n.len < SERIAL_OWN_MIN)) {
        lint_found(r, s->cert->serial, "%zu bytes cannot hold 64 random bits", n.len);
    }
}

/*= CABF-BR 7.1.2.11.1 "keyIdentifier" "MUST be present", "authorityCertIssuer" "MUST NOT be present",
 *= "authorityCertSerialNumber" "MUST NOT be present" */
static void aki(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice at = lint_ext_at(s, X509_OID_AUTHORITY_KEY_IDENTIFIER);
    if (e->has_aki && e->aki_key_id.len == 0) {
        lint_found(r, at, "there is no keyIdentifier in it");
    }
    if (e->aki_issuer.count > 0 || e->aki_serial.len > 0) {
        lint_found(r, at, "there is %s in it",
                   e->aki_issuer.count > 0 ? "authorityCertIssuer" : "authorityCertSerialNumber");
    }
}

static void crl_point(const struct lint_subject *s, struct lint_report *r,
                      const struct x509_distribution_point *p, size_t number)
{
    lt_slice at = lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS);
    if (p->names.count == 0) {
        lint_found(r, p->relative_name.len > 0 ? p->relative_name : at, "point %zu has no fullName", number);
    }
    if (p->has_reasons || p->crl_issuer.count > 0) {
        lint_found(r, at, "point %zu has %s", number, p->has_reasons ? "reasons" : "cRLIssuer");
    }
    for (size_t i = 0; i < p->names.count; i++) {
        const struct x509_general_name *n = &p->names.list[i];
        if (n->type != X509_GN_URI) {
            lint_found(r, n->value, "name %zu of point %zu is no URL, but name form %d", i + 1, number,
                       (int)n->type);
        } else if (!lt_slice_eq_nocase(lt_slice_sub(n->value, 0, 7), LT_LIT("http://"))) {
            lint_found(r, n->value, "\"%.*s\" is no http URL", LT_FMT(n->value));
        }
    }
}

/*= CABF-BR 7.1.2.11.2 "The DistributionPointName MUST be a fullName", "reasons MUST NOT", "cRLIssuer MUST
 *= NOT"; "All GeneralNames MUST be of type uniformResourceIdentifier, and the scheme of each MUST be http" */
static void crl_points(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        crl_point(s, r, &e->crldp[i], i + 1);
    }
}

/*= CABF-BR 7.1.2.11.2 "containing more than one is NOT RECOMMENDED" */
static void one_crl_point(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.crldp_count > 1) {
        lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "there are %zu distribution points",
                   s->cert->ext.crldp_count);
    }
}

static unsigned number_at(lt_slice s, size_t at)
{
    return s.len >= at + 2 ? (unsigned)s.ptr[at] << 8 | s.ptr[at + 1] : 0;
}

/* SignedCertificateTimestamp of version 1: version, log id, time, extensions, hash and signature algorithm,
 * signature (RFC 6962 3.2). */
enum { SCT_EXTENSIONS_AT = 1 + 32 + 8 };

static const char *sct_wrong(lt_slice sct)
{
    if (sct.len == 0 || sct.ptr[0] != 0) {
        return sct.len == 0 ? "is empty" : NULL; /* of another version: not known here */
    }
    size_t signature = SCT_EXTENSIONS_AT + 2 + number_at(sct, SCT_EXTENSIONS_AT);
    bool fits = sct.len >= signature + 4 && sct.len == signature + 4 + number_at(sct, signature + 2);
    return fits ? NULL : "has not the length of its parts";
}

/*= CABF-BR 7.1.2.11.3 "MUST be an OCTET STRING containing the encoded SignedCertificateTimestampList" */
static void sct_list(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SCT_LIST);
    struct der_cursor c = der_open(x->value);
    lt_slice list = der_octets(&c);
    if (!der_ok(&c) || der_more(&c)) {
        lint_found(r, x->der, "the content is no OCTET STRING");
        return;
    }
    lt_slice rest = lt_slice_sub(list, 2, list.len);
    if (list.len < 2 || rest.len != number_at(list, 0) || rest.len == 0) {
        lint_found(r, x->der, "%s", rest.len == 0 ? "the list is empty" : "the list has not its length");
        return;
    }
    for (size_t i = 1; rest.len > 0; i++) {
        lt_slice sct = lt_slice_sub(rest, 2, number_at(rest, 0));
        if (rest.len < 2 || sct.len != number_at(rest, 0)) {
            lint_found(r, x->der, "SCT %zu is cut off", i);
            return;
        }
        const char *why = sct_wrong(sct);
        if (why != NULL) {
            lint_found(r, x->der, "SCT %zu %s", i, why);
            return;
        }
        rest = lt_slice_sub(rest, 2 + sct.len, rest.len);
    }
}

/* value: days of 86,400 seconds, both ends counted. */
static void validity(const struct lint_subject *s, struct lint_report *r)
{
    int64_t seconds = lint_validity_s(s->cert);
    if (seconds > r->rule->value * LT_SECONDS_PER_DAY) {
        lint_found(r, s->cert->validity, "valid for %lld s, at most %lld days of 86,400", (long long)seconds,
                   (long long)r->rule->value);
    }
}

#define BR(level_) .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true

static const struct lint_rule rows[] = {
    {"lintel_br_ca_serial_entropy", BR(LINT_ERROR),
     .asks = "the serial number of a CA or a responder is long enough for 64 random bits",
     .citation = "BR 7.1.2.1 to 7.1.2.6, 7.1.2.8", .formerly = "BR 7.1", .effective = BR_2_0_0,
     .applies = ca_or_responder, .check = serial},
    {"lintel_br_aki", BR(LINT_ERROR), .asks = "authorityKeyIdentifier has a keyIdentifier and nothing else",
     .citation = "BR 7.1.2.11.1", .when = LINT_HAS_AKI, .effective = BR_2_0_0, .applies = under_br,
     .check = aki},
    {"lintel_br_ca_crl_points", BR(LINT_ERROR),
     .asks = "each distribution point of a CA has http URLs, and neither reasons nor cRLIssuer",
     .citation = "BR 7.1.2.11.2", .when = LINT_IS_CA | LINT_HAS_CDP, .effective = BR_2_0_0,
     .applies = under_br, .check = crl_points},
    {"lintel_br_ca_one_crl_point", BR(LINT_WARN), .asks = "a CA has only one distribution point",
     .citation = "BR 7.1.2.11.2", .when = LINT_IS_CA | LINT_HAS_CDP, .effective = BR_2_0_0,
     .applies = under_br, .check = one_crl_point},
    {"lintel_br_ca_sct_list", BR(LINT_ERROR),
     .asks = "a CA's list of SCTs is an OCTET STRING that holds whole ones", .citation = "BR 7.1.2.11.3",
     .when = LINT_IS_CA | LINT_HAS_SCT, .effective = BR_2_0_0, .applies = under_br, .check = sct_list},
    {"lintel_br_validity_398", BR(LINT_ERROR),
     .asks = "a subscriber certificate is valid for at most 398 days", .citation = "BR 6.3.2",
     .when = LINT_IS_SUBSCRIBER | LINT_IS_TLS, .effective = LINT_DAY(2020, 9, 1), .retired = BR_SC_81_FIRST,
     .check = validity, .value = 398},
    {"lintel_br_validity_397", BR(LINT_WARN),
     .asks = "a subscriber certificate should be valid for at most 397 days", .citation = "BR 6.3.2",
     .when = LINT_IS_SUBSCRIBER | LINT_IS_TLS, .effective = LINT_DAY(2020, 9, 1), .retired = BR_SC_81_FIRST,
     .check = validity, .value = 397},
};
const struct lint_table lint_cabf_br_fields = LINT_TABLE(rows);
