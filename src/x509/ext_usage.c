/* Extensions that are made of flags, numbers and identifiers. */
#include "x509/ext_decoders.h"

/*= RFC 5280 4.2.1.9 BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER
 * (0..MAX) OPTIONAL } */
lt_res x509_ext_basic_constraints(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    if (der_is_next(&seq, DER_BOOLEAN)) {
        e->ca = der_boolean(&seq);
        if (der_ok(&seq) && !e->ca) {
            der_wart(&seq, seq.pos, "a default value that is encoded");
        }
    }
    if (der_is_next(&seq, DER_INTEGER)) {
        e->has_path_len = true;
        e->path_len = (uint32_t)der_small(&seq, INT32_MAX);
    }
    der_leave(c, &seq);
    e->has_basic_constraints = true;
    return LT_OK;
}

lt_res x509_ext_key_usage(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->key_usage = der_named_bits(c);
    e->has_key_usage = true;
    return LT_OK;
}

/* ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId */
lt_res x509_ext_eku(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (count == 0 && der_ok(&seq)) {
        der_wart(&seq, seq.pos, "no key purpose");
    }
    count = x509_list_room(&seq, count, X509_LIST_MAX, X509_LIST_DECODED, X509_MORE_ENTRIES);
    struct x509_oid_ref *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_oid_ref, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu key purposes", count);
    size_t n = 0;
    while (der_more(&seq) && n < count) {
        list[n].der = der_oid(&seq);
        list[n].oid = x509_oid_find(list[n].der);
        n++;
    }
    x509_list_pass(&seq);
    der_leave(c, &seq);
    e->eku = list;
    e->eku_count = n;
    e->has_eku = true;
    return LT_OK;
}

/*= RFC 5280 4.2.1.4 "A certificate policy OID MUST NOT appear more than once in a certificate policies
 * extension." */
static bool policy_twice(const struct x509_policy *list, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (lt_slice_eq(list[i].id.der, list[count - 1].id.der)) {
            return true;
        }
    }
    return false;
}

/* CertificatePolicies ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { policyIdentifier OBJECT IDENTIFIER,
 * policyQualifiers SEQUENCE SIZE (1..MAX) OF SEQUENCE { OBJECT IDENTIFIER, ANY } OPTIONAL } */
static void policy_read(struct der_cursor *seq, struct x509_policy *p)
{
    struct der_cursor info = der_enter(seq, DER_SEQUENCE);
    p->id.der = der_oid(&info);
    p->id.oid = x509_oid_find(p->id.der);
    if (der_more(&info)) {
        struct der_cursor ahead = info;
        p->qualifiers = der_read_whole(&ahead, DER_SEQUENCE);
        struct der_cursor qualifiers = der_enter(&info, DER_SEQUENCE);
        if (der_ok(&qualifiers) && !der_more(&qualifiers)) {
            der_wart(&qualifiers, qualifiers.pos, "an empty list of policy qualifiers");
        }
        while (der_more(&qualifiers)) {
            uint32_t tag = DER_NONE;
            lt_slice value = {0};
            struct der_cursor one = der_enter(&qualifiers, DER_SEQUENCE);
            (void)der_oid(&one);
            (void)der_any(&one, &tag, &value, NULL); /* sticky in the cursor */
            der_leave(&qualifiers, &one);
        }
        der_leave(&info, &qualifiers);
    }
    der_leave(seq, &info);
}

lt_res x509_ext_policies(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (count == 0 && der_ok(&seq)) {
        der_wart(&seq, seq.pos, "no policy");
    }
    count = x509_list_room(&seq, count, X509_LIST_MAX, X509_LIST_DECODED, X509_MORE_ENTRIES);
    struct x509_policy *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_policy, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu policies", count);
    size_t n = 0;
    while (der_more(&seq) && n < count) {
        policy_read(&seq, &list[n++]);
        if (der_ok(&seq) && policy_twice(list, n)) {
            der_wart(&seq, list[n - 1].id.der.ptr, "a policy that stands twice");
        }
    }
    x509_list_pass(&seq);
    der_leave(c, &seq);
    e->policies = list;
    e->policy_count = n;
    e->has_policies = true;
    return LT_OK;
}

/* RFC 7633 TLS feature: SEQUENCE OF INTEGER; 5 is status_request. */
lt_res x509_ext_tls_feature(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    while (der_more(&seq)) {
        uint64_t feature = der_small(&seq, 65535);
        e->must_staple = e->must_staple || feature == 5;
    }
    der_leave(c, &seq);
    e->has_tls_feature = true;
    return LT_OK;
}

/*= RFC 6962 3.1 "a special critical poison extension (OID 1.3.6.1.4.1.11129.2.4.3, whose extnValue OCTET
 * STRING contains ASN.1 NULL data (0x05 0x00))" */
lt_res x509_ext_ct_poison(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    der_null(c);
    e->ct_poison = true;
    return LT_OK;
}

/* A vector of the TLS language: its length in two bytes, then that many. */
static bool vector16(lt_slice *s, lt_slice *ret)
{
    size_t len = s->len < 2 ? 0 : (size_t)s->ptr[0] << 8 | s->ptr[1];
    if (s->len < 2 || s->len - 2 < len) {
        return false;
    }
    *ret = lt_slice_sub(*s, 2, len);
    *s = lt_slice_sub(*s, 2 + len, s->len);
    return true;
}

/*= RFC 6962 3.2 SignedCertificateTimestamp: version, 32 bytes of log id, 8 of time, extensions, 2 of
 * algorithm, signature. Another version than v1 is opaque. */
static bool sct_good(lt_slice sct)
{
    enum { FIXED = 1 + 32 + 8 };
    lt_slice extensions = {0};
    lt_slice signature = {0};
    if (sct.len > 0 && sct.ptr[0] != 0) {
        return true;
    }
    if (sct.len < FIXED) {
        return false;
    }
    lt_slice rest = lt_slice_sub(sct, FIXED, sct.len);
    if (!vector16(&rest, &extensions) || rest.len < 2) {
        return false;
    }
    rest = lt_slice_sub(rest, 2, rest.len);
    return vector16(&rest, &signature) && rest.len == 0;
}

/*= RFC 6962 3.3 "struct { SerializedSCT sct_list <1..2^16-1>; } SignedCertificateTimestampList;" */
lt_res x509_ext_sct_list(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    lt_slice list = {0};
    lt_slice sct = {0};
    e->sct_list = der_octets(c);
    lt_slice rest = e->sct_list;
    bool good = vector16(&rest, &list) && rest.len == 0 && list.len > 0;
    while (good && list.len > 0) {
        good = vector16(&list, &sct) && sct_good(sct);
    }
    if (der_ok(c) && !good) {
        der_fail(c, "a list of SCTs that does not read");
    }
    e->has_sct_list = true;
    return LT_OK;
}

/*= RFC 5280 4.2.1.14 InhibitAnyPolicy ::= SkipCerts, INTEGER (0..MAX) */
lt_res x509_ext_inhibit_any_policy(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->inhibit_any_policy = (uint32_t)der_small(c, INT32_MAX);
    e->has_inhibit_any_policy = true;
    return LT_OK;
}

/* An implicit SkipCerts; the content is an INTEGER's. */
static bool skip_certs(struct der_cursor *c, uint32_t tag, uint32_t *ret)
{
    lt_slice v = {0};
    if (!der_optional(c, tag, &v)) {
        return false;
    }
    bool good = v.len >= 1 && v.len <= 4 && v.ptr[0] < 0x80 &&
                (v.len == 1 || v.ptr[0] != 0 || v.ptr[1] >= 0x80);
    for (size_t i = 0; good && i < v.len; i++) {
        *ret = *ret << 8 | v.ptr[i];
    }
    if (!good) {
        der_fail(c, "a number outside its range");
    }
    return true;
}

/*= RFC 5280 4.2.1.11 "Conforming CAs MUST NOT issue certificates where policy constraints is an empty
 * sequence." */
lt_res x509_ext_policy_constraints(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    e->has_require_explicit_policy = skip_certs(&seq, DER_CONTEXT(0), &e->require_explicit_policy);
    e->has_inhibit_policy_mapping = skip_certs(&seq, DER_CONTEXT(1), &e->inhibit_policy_mapping);
    if (der_ok(&seq) && !e->has_require_explicit_policy && !e->has_inhibit_policy_mapping) {
        der_wart(&seq, seq.pos, "policy constraints that constrain nothing");
    }
    der_leave(c, &seq);
    return LT_OK;
}

/* PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { issuerDomainPolicy, subjectDomainPolicy OBJECT
 * IDENTIFIER } */
lt_res x509_ext_policy_mappings(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    if (der_count(&seq) == 0 && der_ok(&seq)) {
        der_wart(&seq, seq.pos, "an empty list of policy mappings");
    }
    while (der_more(&seq)) {
        struct der_cursor one = der_enter(&seq, DER_SEQUENCE);
        (void)der_oid(&one);
        (void)der_oid(&one);
        der_leave(&seq, &one);
    }
    der_leave(c, &seq);
    e->has_policy_mappings = true;
    return LT_OK;
}

/*= RFC 5280 5.2.3 "CRL verifiers MUST be able to handle CRLNumber values up to 20 octets." */
static lt_slice crl_number_read(struct der_cursor *c)
{
    lt_slice number = der_unsigned(c);
    if (der_ok(c) && number.len > 20) {
        der_wart(c, number.ptr, "a CRL number of more than 20 bytes");
    }
    return number;
}

lt_res x509_ext_crl_number(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->crl_number = crl_number_read(c);
    e->has_crl_number = true;
    return LT_OK;
}

lt_res x509_ext_delta_crl(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->delta_base = crl_number_read(c);
    e->has_delta = true;
    return LT_OK;
}
