/* Extensions: the list of them, and which decoder reads which content. */
#include "x509/ext.h"

#include "x509/ext_decoders.h"

static x509_ext_decoder *const decoders[X509_OID_COUNT] = {
    [X509_OID_BASIC_CONSTRAINTS] = x509_ext_basic_constraints,
    [X509_OID_KEY_USAGE] = x509_ext_key_usage,
    [X509_OID_EXTENDED_KEY_USAGE] = x509_ext_eku,
    [X509_OID_CERTIFICATE_POLICIES] = x509_ext_policies,
    [X509_OID_SUBJECT_ALT_NAME] = x509_ext_san,
    [X509_OID_AUTHORITY_KEY_IDENTIFIER] = x509_ext_aki,
    [X509_OID_SUBJECT_KEY_IDENTIFIER] = x509_ext_ski,
    [X509_OID_CRL_DISTRIBUTION_POINTS] = x509_ext_crldp,
    [X509_OID_AUTHORITY_INFO_ACCESS] = x509_ext_aia,
    [X509_OID_NAME_CONSTRAINTS] = x509_ext_name_constraints,
    [X509_OID_TLS_FEATURE] = x509_ext_tls_feature,
    [X509_OID_CT_POISON] = x509_ext_ct_poison,
    [X509_OID_SCT_LIST] = x509_ext_sct_list,
    [X509_OID_ISSUER_ALT_NAME] = x509_ext_issuer_alt_name,
    [X509_OID_FRESHEST_CRL] = x509_ext_freshest_crl,
    [X509_OID_SUBJECT_INFO_ACCESS] = x509_ext_sia,
    [X509_OID_INHIBIT_ANY_POLICY] = x509_ext_inhibit_any_policy,
    [X509_OID_POLICY_CONSTRAINTS] = x509_ext_policy_constraints,
    [X509_OID_POLICY_MAPPINGS] = x509_ext_policy_mappings,
    [X509_OID_CRL_NUMBER] = x509_ext_crl_number,
    [X509_OID_DELTA_CRL] = x509_ext_delta_crl,
    [X509_OID_ISSUING_DISTRIBUTION_POINT] = x509_ext_issuing_point,
};

static lt_res content_read(const struct der_cursor *c, struct lt_arena *a, struct x509_extension *x,
                           struct x509_extensions *e)
{
    x509_ext_decoder *decode = decoders[x->id.oid];
    if (decode == NULL) {
        return LT_OK;
    }
    struct der_cursor value = der_into(c, x->value);
    LT_TRY(decode(&value, a, e));
    if (der_ok(&value) && value.pos != value.end) {
        der_fail(&value, "bytes behind the content of an extension");
    }
    x->why = value.why;
    x->offset = der_bad_offset(&value);
    e->malformed += x->why != NULL;
    return LT_OK;
}

/*= RFC 5280 4.2 "A certificate MUST NOT include more than one instance of a particular extension." */
static bool extension_twice(const struct x509_extension *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (lt_slice_eq(list[i].id.der, list[n].id.der)) {
            return true;
        }
    }
    return false;
}

size_t x509_list_room(struct der_cursor *list, size_t count, size_t strict, size_t lenient, const char *why)
{
    size_t most = list->notes != NULL ? lenient : strict;
    if (count > most) {
        der_wart(list, list->pos, why);
    }
    return count < most ? count : most;
}

void x509_list_pass(struct der_cursor *list)
{
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    while (der_more(list)) {
        (void)der_any(list, &tag, &content, NULL); /* sticky in the cursor */
    }
}

/* Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
 */
static void extension_read(struct der_cursor *seq, struct x509_extension *x)
{
    struct der_cursor ahead = *seq;
    x->der = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor one = der_enter(seq, DER_SEQUENCE);
    x->id.der = der_oid(&one);
    x->id.oid = x509_oid_find(x->id.der);
    if (der_is_next(&one, DER_BOOLEAN)) {
        x->critical = der_boolean(&one);
        if (der_ok(&one) && !x->critical) {
            der_wart(&one, one.pos, "a default value that is encoded");
        }
    }
    x->value = der_octets(&one);
    der_leave(seq, &one);
}

lt_res x509_extensions_read(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *ret_ext)
{
    *ret_ext = (struct x509_extensions){0};
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (der_ok(&seq) && count == 0) {
        der_wart(&seq, seq.pos, "an empty list of extensions");
    }
    count = x509_list_room(&seq, count, X509_EXTENSIONS_MAX, X509_EXTENSIONS_DECODED, X509_MORE_EXTENSIONS);
    struct x509_extension *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_extension, count + 1) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu extensions", count);
    size_t n = 0;
    for (; der_more(&seq) && n < count; n++) {
        extension_read(&seq, &list[n]);
        if (der_ok(&seq) && extension_twice(list, n)) {
            der_wart(&seq, list[n].der.ptr, "an extension that stands twice");
        }
        if (der_ok(&seq)) {
            LT_TRY(content_read(&seq, a, &list[n], ret_ext));
        }
    }
    x509_list_pass(&seq);
    der_leave(c, &seq);
    ret_ext->list = list;
    ret_ext->count = n;
    return LT_OK;
}

lt_res x509_extensions_check(const struct x509_extensions *ext)
{
    for (size_t i = 0; ext->malformed > 0 && i < ext->count; i++) {
        const struct x509_extension *x = &ext->list[i];
        LT_CHECK(x->why == NULL, LT_PEER_MALFORMED, "%s: %s at byte %zu", x509_oid_name(x->id.oid), x->why,
                 x->offset);
    }
    return LT_OK;
}

const struct x509_extension *x509_extension_find(const struct x509_extensions *ext, enum x509_oid oid)
{
    for (size_t i = 0; i < ext->count; i++) {
        if (ext->list[i].id.oid == oid) {
            return &ext->list[i];
        }
    }
    return NULL;
}

bool x509_has_eku(const struct x509_extensions *ext, enum x509_oid purpose)
{
    for (size_t i = 0; i < ext->eku_count; i++) {
        if (ext->eku[i].oid == purpose) {
            return true;
        }
    }
    return false;
}
