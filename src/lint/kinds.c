/* What kind of object bytes are, told by the outermost tags alone, so that a broken one gets its findings. */
#include "lint/kinds.h"

enum {
    TAG_INTEGER = 0x02,
    TAG_ENUMERATED = 0x0a,
    TAG_UTC_TIME = 0x17,
    TAG_GENERALIZED_TIME = 0x18,
    TAG_SEQUENCE = 0x30,
    TAG_CONTEXT_0 = 0xa0,
};

static const struct {
    const char *label;
    unsigned kind;
} labels[] = {
    {"CERTIFICATE", LINT_CERTIFICATE},
    {"X509 CERTIFICATE", LINT_CERTIFICATE},
    {"TRUSTED CERTIFICATE", LINT_CERTIFICATE},
    {"X509 CRL", LINT_CRL},
    {"CRL", LINT_CRL},
    {"CERTIFICATE REQUEST", LINT_CSR},
    {"NEW CERTIFICATE REQUEST", LINT_CSR},
    {"OCSP RESPONSE", LINT_OCSP},
    {"TBS CERTIFICATE", LINT_CERTIFICATE},
    {"TBSCERTIFICATE", LINT_CERTIFICATE},
};

static const struct {
    const char *name;
    unsigned kind;
} names[] = {{"certificate", LINT_CERTIFICATE}, {"crl", LINT_CRL}, {"ocsp", LINT_OCSP}, {"csr", LINT_CSR}};

const char *lint_kind_name(unsigned kind)
{
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        if (names[i].kind == kind) {
            return names[i].name;
        }
    }
    return "";
}

unsigned lint_kind_by_name(lt_slice name)
{
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        if (lt_slice_eq_cstr(name, names[i].name)) {
            return names[i].kind;
        }
    }
    return 0;
}

unsigned lint_kind_by_label(lt_slice label)
{
    for (size_t i = 0; i < LT_COUNT(labels); i++) {
        if (lt_slice_eq_cstr(label, labels[i].label)) {
            return labels[i].kind;
        }
    }
    return 0;
}

/* The first element of *rest by its first bytes, however wrong its length is; 0 at the end. */
static uint8_t peel(lt_slice *rest, lt_slice *ret_content)
{
    lt_slice s = *rest;
    *ret_content = LT_SLICE(NULL, 0);
    if (s.len < 2) {
        *rest = LT_SLICE(NULL, 0);
        return s.len == 0 ? 0 : s.ptr[0];
    }
    size_t header = 2;
    size_t len = s.ptr[1];
    if (len > 0x80 && len <= 0x88) {
        size_t bytes = len - 0x80;
        len = 0;
        for (size_t i = 0; i < bytes && header < s.len; i++) {
            len = len << 8 | s.ptr[header++];
        }
    } else if (len >= 0x80) {
        len = s.len; /* indefinite, or nonsense: all that is left */
    }
    *ret_content = lt_slice_sub(s, header, len);
    *rest = lt_slice_sub(s, header + ret_content->len, SIZE_MAX);
    return s.ptr[0];
}

static bool is_time(uint8_t tag)
{
    return tag == TAG_UTC_TIME || tag == TAG_GENERALIZED_TIME;
}

/* body: what stands in the SEQUENCE that is signed. */
static unsigned kind_of_body(lt_slice body)
{
    uint8_t tags[4];
    lt_slice content;
    for (size_t i = 0; i < LT_COUNT(tags); i++) {
        tags[i] = peel(&body, &content);
    }
    if (tags[0] == TAG_CONTEXT_0) {
        return LINT_CERTIFICATE;
    }
    if (tags[0] == TAG_SEQUENCE && tags[1] == TAG_SEQUENCE && is_time(tags[2])) {
        return LINT_CRL; /* version 1 */
    }
    if (tags[0] != TAG_INTEGER || tags[1] != TAG_SEQUENCE || tags[2] != TAG_SEQUENCE) {
        return 0;
    }
    return is_time(tags[3])                           ? LINT_CRL
           : tags[3] == TAG_SEQUENCE                  ? LINT_CERTIFICATE
           : tags[3] == TAG_CONTEXT_0 || tags[3] == 0 ? LINT_CSR
                                                      : 0;
}

unsigned lint_kind_of(lt_slice der, bool bare)
{
    lt_slice outer;
    lt_slice inner;
    if (peel(&der, &outer) != TAG_SEQUENCE) {
        return 0;
    }
    if (bare) {
        return kind_of_body(outer);
    }
    uint8_t first = peel(&outer, &inner);
    return first == TAG_ENUMERATED ? LINT_OCSP : first == TAG_SEQUENCE ? kind_of_body(inner) : 0;
}

unsigned lint_kind_labelled(lt_slice label, lt_slice *der, bool bare)
{
    unsigned said = lint_kind_by_label(label);
    if (lt_slice_eq_cstr(label, "TRUSTED CERTIFICATE")) {
        lt_slice content;
        lt_slice rest = *der;
        (void)peel(&rest, &content); /* its tag is looked at below */
        *der = lt_slice_sub(*der, 0, der->len - rest.len);
    }
    unsigned seen = lint_kind_of(*der, bare);
    bool misnamed = seen == LINT_CRL || seen == LINT_OCSP || (seen != 0 && said != LINT_CERTIFICATE);
    return said == 0 || misnamed ? seen : said;
}
