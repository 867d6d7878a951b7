/* What several rule files need. */
#include "lint/rules/common.h"

/* ISO 3166-1 alpha-2, in order, without user-assigned codes. */
static const char countries[] =
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICK"
    "CLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGS"
    "GTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULV"
    "LYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPM"
    "PNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTR"
    "TTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

static bool is_listed(uint8_t first, uint8_t second)
{
    size_t low = 0;
    size_t high = (sizeof(countries) - 1) / 2;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint8_t a = (uint8_t)countries[2 * middle];
        uint8_t b = (uint8_t)countries[2 * middle + 1];
        if (a == first && b == second) {
            return true;
        }
        if (a < first || (a == first && b < second)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

bool lint_country(lt_slice code)
{
    return code.len == 2 && is_listed(code.ptr[0], code.ptr[1]);
}

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

bool lint_country_loose(lt_slice code)
{
    if (code.len != 2) {
        return false;
    }
    uint8_t a = upper(code.ptr[0]);
    uint8_t b = upper(code.ptr[1]);
    return is_listed(a, b) || (a == 'A' && b == 'N') || (a == 'X' && b == 'X');
}

int64_t lint_add_months(lt_time t, int months)
{
    struct lt_date d = lt_date_of(t);
    int month = d.month - 1 + months;
    struct lt_date first = {.year = d.year + month / 12,
                            .month = month % 12 + 1,
                            .day = 1,
                            .hour = d.hour,
                            .minute = d.minute,
                            .second = d.second};
    lt_time start;
    if (lt_failed(lt_time_of(&first, &start))) {
        return INT64_MAX;
    }
    return lt_time_seconds(start) + (d.day - 1) * LT_SECONDS_PER_DAY;
}

bool lint_key_is_ec(const struct lint_subject *s)
{
    if (lint_is(s, LINT_HAS_EC)) {
        return true;
    }
    struct der_cursor c = der_open(s->cert->spki.algorithm);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    return x509_oid_find(der_oid(&in)) == X509_OID_EC;
}

lt_slice lint_validity_at(const struct lint_subject *s)
{
    struct der_cursor c = der_open(s->cert->tbs);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    lt_slice skipped;
    (void)der_optional(&in, DER_CONTEXT_CONS(0), &skipped); /* the version may be there or not */
    for (size_t i = 0; i < 3; i++) {
        uint32_t tag;
        (void)der_any(&in, &tag, &skipped, NULL); /* serial, algorithm, issuer; failure stays in the cursor */
    }
    lt_slice validity = der_read_whole(&in, DER_SEQUENCE);
    return der_ok(&in) ? validity : s->cert->tbs;
}

enum { OID_LABEL_MAX = 128 };

const char *lint_oid_label(const struct lint_subject *s, lt_slice der, enum x509_oid oid)
{
    if (oid != X509_OID_UNKNOWN) {
        return x509_oid_name(oid);
    }
    struct lt_buf text;
    lt_buf_init(&text, OID_LABEL_MAX);
    x509_oid_text(der, &text);
    bool whole = !lt_failed(lt_buf_check(&text)) && text.len > 0;
    const char *label = whole ? lt_arena_cstr(s->arena, lt_buf_slice(&text)) : NULL;
    lt_buf_done(&text);
    return label == NULL ? "of a long identifier" : label;
}

bool lint_oid_in(enum x509_oid oid, const enum x509_oid *list, size_t count)
{
    size_t i = 0;
    while (i < count && list[i] != oid) {
        i++;
    }
    return i < count;
}

bool lint_has_attribute(const struct x509_name *name, enum x509_oid oid)
{
    return x509_name_find(name, oid, 0) != NULL;
}

lt_slice lint_last_attribute(const struct x509_name *name, enum x509_oid oid)
{
    for (size_t i = name->count; i > 0; i--) {
        if (name->attributes[i - 1].oid == oid && lint_is_text(&name->attributes[i - 1])) {
            return name->attributes[i - 1].value;
        }
    }
    return LT_SLICE(NULL, 0);
}

bool lint_smtp_utf8(const struct x509_general_name *name, lt_slice *ret_text)
{
    static const uint8_t oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09};
    if (name->type != X509_GN_OTHER) {
        return false;
    }
    struct der_cursor c = der_open(name->value);
    lt_slice type = der_oid(&c);
    struct der_cursor in = der_enter(&c, DER_CONTEXT_CONS(0));
    uint32_t tag;
    return lt_slice_eq(type, LT_SLICE(oid, sizeof(oid))) && der_any(&in, &tag, ret_text, NULL);
}
