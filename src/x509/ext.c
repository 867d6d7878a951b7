/* Extensions: the list of them, and which decoder reads which content. */
#include "x509/ext.h"

#include "base/text.h"
#include "x509/dnsname.h"

/* One decoder for each known extension. It fails the cursor when the content is wrong; only a full arena is
 * an lt_res. */
typedef lt_res decoder(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e);

/* GeneralName ::= CHOICE { otherName [0], rfc822Name [1] IA5String, dNSName [2] IA5String, x400Address [3],
 * directoryName [4] Name, ediPartyName [5], uniformResourceIdentifier [6] IA5String, iPAddress [7] OCTET
 * STRING, registeredID [8] OBJECT IDENTIFIER } */
static const uint32_t general_name_tags[] = {
    DER_CONTEXT_CONS(0), DER_CONTEXT(1), DER_CONTEXT(2), DER_CONTEXT_CONS(3), DER_CONTEXT_CONS(4),
    DER_CONTEXT_CONS(5), DER_CONTEXT(6), DER_CONTEXT(7), DER_CONTEXT(8),
};

static void directory_check(const struct der_cursor *c, struct der_cursor *report, lt_slice content)
{
    struct der_cursor inner = der_into(c, content);
    struct der_cursor rdns = der_enter(&inner, DER_SEQUENCE);
    while (der_more(&rdns)) {
        (void)der_read(&rdns, DER_SET); /* attributes are for whoever reads the name */
    }
    der_leave(&inner, &rdns);
    der_leave(report, &inner);
}

static void general_name_read(struct der_cursor *c, struct x509_general_name *ret)
{
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    if (!der_any(c, &tag, &content, NULL)) {
        return;
    }
    uint32_t number = DER_TAG_NUMBER(tag);
    if (number >= LT_COUNT(general_name_tags) || general_name_tags[number] != tag) {
        der_fail(c, "no form of GeneralName");
        return;
    }
    ret->type = (enum x509_general_name_type)number;
    ret->value = content;
    bool text = number == X509_GN_EMAIL || number == X509_GN_DNS || number == X509_GN_URI;
    if (text && !x509_string_valid(DER_IA5_STRING, content)) {
        der_fail(c, "a GeneralName that is no IA5String");
    }
    if (number == X509_GN_DIRECTORY) {
        directory_check(c, c, content);
    }
}

static lt_res general_names(struct der_cursor *c, struct lt_arena *a, struct x509_general_names *ret)
{
    size_t count = der_count(c);
    if (count > X509_GENERAL_NAMES_MAX) {
        der_fail(c, "too many names");
    }
    if (!der_ok(c) || count == 0) {
        return LT_OK;
    }
    struct x509_general_name *list = LT_NEW_ARRAY(a, struct x509_general_name, count);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "no room for %zu names", count);
    size_t n = 0;
    while (der_more(c) && n < count) {
        general_name_read(c, &list[n++]);
    }
    if (der_ok(c)) {
        *ret = (struct x509_general_names){list, n};
    }
    return LT_OK;
}

bool x509_general_names_read(struct der_cursor *c, struct lt_arena *a, struct x509_general_names *ret_names)
{
    *ret_names = (struct x509_general_names){0};
    return !lt_failed(general_names(c, a, ret_names)) && der_ok(c);
}

/* GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName; implicit: the tag stands for the SEQUENCE. */
static lt_res names_in(struct der_cursor *c, uint32_t tag, struct lt_arena *a, struct x509_general_names *ret)
{
    struct der_cursor seq = der_enter(c, tag);
    LT_TRY(general_names(&seq, a, ret));
    if (der_ok(&seq) && ret->count == 0) {
        der_fail(&seq, "an empty list of names");
    }
    der_leave(c, &seq);
    return LT_OK;
}

/*= RFC 5280 4.2.1.9 BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER
 *(0..MAX) = OPTIONAL } */
static lt_res basic_constraints(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    if (der_is_next(&seq, DER_BOOLEAN)) {
        e->ca = der_boolean(&seq);
        if (der_ok(&seq) && !e->ca) {
            der_fail(&seq, "a default value that is encoded");
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

static lt_res key_usage(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->key_usage = der_named_bits(c);
    e->has_key_usage = true;
    return LT_OK;
}

/* ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId */
static lt_res eku(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (count == 0 || count > X509_LIST_MAX) {
        der_fail(&seq, "no key purpose, or too many");
    }
    struct x509_oid_ref *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_oid_ref, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu key purposes", count);
    size_t n = 0;
    while (der_more(&seq)) {
        list[n].der = der_oid(&seq);
        list[n].oid = x509_oid_find(list[n].der);
        n++;
    }
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
            der_fail(&qualifiers, "an empty list of policy qualifiers");
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

static lt_res policies(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (count == 0 || count > X509_LIST_MAX) {
        der_fail(&seq, "no policy, or too many");
    }
    struct x509_policy *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_policy, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu policies", count);
    size_t n = 0;
    while (der_more(&seq)) {
        policy_read(&seq, &list[n++]);
        if (der_ok(&seq) && policy_twice(list, n)) {
            der_fail(&seq, "a policy that stands twice");
        }
    }
    der_leave(c, &seq);
    e->policies = list;
    e->policy_count = n;
    e->has_policies = true;
    return LT_OK;
}

static lt_res san(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    e->has_san = true;
    return names_in(c, DER_SEQUENCE, a, &e->san);
}

/* AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OCTET STRING OPTIONAL, authorityCertIssuer [1]
 * GeneralNames OPTIONAL, authorityCertSerialNumber [2] INTEGER OPTIONAL } */
static lt_res aki(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    (void)der_optional(&seq, DER_CONTEXT(0), &e->aki_key_id); /* absent is fine */
    if (der_is_next(&seq, DER_CONTEXT_CONS(1))) {
        LT_TRY(names_in(&seq, DER_CONTEXT_CONS(1), a, &e->aki_issuer));
    }
    (void)der_optional(&seq, DER_CONTEXT(2), &e->aki_serial); /* absent is fine */
    if (der_ok(&seq) && (e->aki_issuer.count > 0) != (e->aki_serial.len > 0)) {
        der_fail(&seq, "an authority's issuer without its serial, or the other way round");
    }
    der_leave(c, &seq);
    e->has_aki = true;
    return LT_OK;
}

static lt_res ski(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->ski = der_octets(c);
    e->has_ski = true;
    return LT_OK;
}

/* DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RDN } */
static lt_res point_name(struct der_cursor *c, struct lt_arena *a, struct x509_distribution_point *p)
{
    struct der_cursor name = der_enter(c, DER_CONTEXT_CONS(0));
    if (der_is_next(&name, DER_CONTEXT_CONS(0))) {
        LT_TRY(names_in(&name, DER_CONTEXT_CONS(0), a, &p->names));
    } else {
        p->relative_name = der_read(&name, DER_CONTEXT_CONS(1));
    }
    der_leave(c, &name);
    return LT_OK;
}

static void reasons(struct der_cursor *c, uint32_t tag, struct x509_distribution_point *p)
{
    lt_slice content = {0};
    if (der_optional(c, tag, &content)) {
        p->has_reasons = true;
        p->reasons = der_named_bits_in(c, content);
    }
}

/* DistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL, reasons [1]
 * ReasonFlags OPTIONAL, cRLIssuer [2] GeneralNames OPTIONAL } */
static lt_res point_read(struct der_cursor *c, struct lt_arena *a, struct x509_distribution_point *p)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    bool any = false;
    if (der_is_next(&seq, DER_CONTEXT_CONS(0))) {
        LT_TRY(point_name(&seq, a, p));
        any = true;
    }
    reasons(&seq, DER_CONTEXT(1), p);
    if (der_is_next(&seq, DER_CONTEXT_CONS(2))) {
        LT_TRY(names_in(&seq, DER_CONTEXT_CONS(2), a, &p->crl_issuer));
        any = true;
    }
    /*= RFC 5280 4.2.1.13 "a DistributionPoint MUST NOT consist of only the reasons field" */
    if (der_ok(&seq) && !any) {
        der_fail(&seq, "a distribution point without a name");
    }
    der_leave(c, &seq);
    return LT_OK;
}

static lt_res crldp(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (count == 0 || count > X509_LIST_MAX) {
        der_fail(&seq, "no distribution point, or too many");
    }
    struct x509_distribution_point *list = der_ok(&seq)
                                               ? LT_NEW_ARRAY(a, struct x509_distribution_point, count)
                                               : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu distribution points", count);
    size_t n = 0;
    while (der_more(&seq)) {
        LT_TRY(point_read(&seq, a, &list[n++]));
    }
    der_leave(c, &seq);
    e->crldp = list;
    e->crldp_count = n;
    e->has_crldp = true;
    return LT_OK;
}

/* AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { accessMethod OBJECT IDENTIFIER,
 * accessLocation GeneralName } */
static lt_res aia(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (count == 0 || count > X509_LIST_MAX) {
        der_fail(&seq, "no access description, or too many");
    }
    struct x509_access *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_access, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu access descriptions", count);
    size_t n = 0;
    for (; der_more(&seq); n++) {
        struct der_cursor one = der_enter(&seq, DER_SEQUENCE);
        list[n].method.der = der_oid(&one);
        list[n].method.oid = x509_oid_find(list[n].method.der);
        general_name_read(&one, &list[n].location);
        der_leave(&seq, &one);
    }
    der_leave(c, &seq);
    e->aia = list;
    e->aia_count = n;
    e->has_aia = true;
    return LT_OK;
}

/* GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum
 * [1] } */
static lt_res subtrees(struct der_cursor *c, uint32_t tag, struct lt_arena *a, struct x509_general_names *ret)
{
    struct der_cursor seq = der_enter(c, tag);
    size_t count = der_count(&seq);
    if (count == 0 || count > X509_GENERAL_NAMES_MAX) {
        der_fail(&seq, "no subtree, or too many");
    }
    struct x509_general_name *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_general_name, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu subtrees", count);
    size_t n = 0;
    while (der_more(&seq)) {
        /*= RFC 5280 4.2.1.10 "the minimum MUST be zero, and maximum MUST be absent" */
        struct der_cursor tree = der_enter(&seq, DER_SEQUENCE);
        general_name_read(&tree, &list[n++]);
        der_leave(&seq, &tree);
    }
    der_leave(c, &seq);
    *ret = (struct x509_general_names){list, n};
    return LT_OK;
}

static lt_res name_constraints(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    /*= RFC 5280 4.2.1.10 "Conforming CAs MUST NOT issue certificates where name constraints is an empty
     * sequence." */
    if (der_ok(&seq) && !der_more(&seq)) {
        der_fail(&seq, "name constraints that constrain nothing");
    }
    if (der_is_next(&seq, DER_CONTEXT_CONS(0))) {
        LT_TRY(subtrees(&seq, DER_CONTEXT_CONS(0), a, &e->permitted));
    }
    if (der_is_next(&seq, DER_CONTEXT_CONS(1))) {
        LT_TRY(subtrees(&seq, DER_CONTEXT_CONS(1), a, &e->excluded));
    }
    der_leave(c, &seq);
    e->has_name_constraints = true;
    return LT_OK;
}

/* RFC 7633 TLS feature: SEQUENCE OF INTEGER; 5 is status_request. */
static lt_res tls_feature(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
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

/*= RFC 6962 3.1 "a critical poison extension (OID 1.3.6.1.4.1.11129.2.4.3, whose extnValue OCTET STRING
 *contains ASN.1 = NULL data (0x05 0x00))" */
static lt_res ct_poison(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    der_null(c);
    e->ct_poison = true;
    return LT_OK;
}

static lt_res sct_list(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->sct_list = der_octets(c);
    e->has_sct_list = true;
    return LT_OK;
}

/*= RFC 5280 5.2.3 "CRL verifiers MUST be able to handle CRLNumber values up to 20 octets." */
static lt_slice crl_number_read(struct der_cursor *c)
{
    lt_slice number = der_unsigned(c);
    if (der_ok(c) && number.len > 20) {
        der_fail(c, "a CRL number of more than 20 bytes");
    }
    return number;
}

static lt_res crl_number(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->crl_number = crl_number_read(c);
    e->has_crl_number = true;
    return LT_OK;
}

static lt_res delta_crl(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    (void)a; /* decoders have one shape */
    e->delta_base = crl_number_read(c);
    e->has_delta = true;
    return LT_OK;
}

/* An implicit BOOLEAN DEFAULT FALSE. */
static bool flag(struct der_cursor *c, uint32_t tag)
{
    lt_slice v = {0};
    if (!der_optional(c, tag, &v)) {
        return false;
    }
    if (v.len != 1 || v.ptr[0] != 0xff) {
        der_fail(c, "a flag other than TRUE");
        return false;
    }
    return true;
}

/*= RFC 5280 5.2.5 IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName
 *OPTIONAL, = onlyContainsUserCerts [1], onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE, onlySomeReasons [3]
 *ReasonFlags OPTIONAL, = indirectCRL [4], onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE } */
static lt_res issuing_point(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    if (der_is_next(&seq, DER_CONTEXT_CONS(0))) {
        LT_TRY(point_name(&seq, a, &e->idp));
    }
    e->idp_only_user = flag(&seq, DER_CONTEXT(1));
    e->idp_only_ca = flag(&seq, DER_CONTEXT(2));
    reasons(&seq, DER_CONTEXT(3), &e->idp);
    e->idp_indirect = flag(&seq, DER_CONTEXT(4));
    e->idp_only_attribute = flag(&seq, DER_CONTEXT(5));
    der_leave(c, &seq);
    e->has_idp = true;
    return LT_OK;
}

static decoder *const decoders[X509_OID_COUNT] = {
    [X509_OID_BASIC_CONSTRAINTS] = basic_constraints,
    [X509_OID_KEY_USAGE] = key_usage,
    [X509_OID_EXTENDED_KEY_USAGE] = eku,
    [X509_OID_CERTIFICATE_POLICIES] = policies,
    [X509_OID_SUBJECT_ALT_NAME] = san,
    [X509_OID_AUTHORITY_KEY_IDENTIFIER] = aki,
    [X509_OID_SUBJECT_KEY_IDENTIFIER] = ski,
    [X509_OID_CRL_DISTRIBUTION_POINTS] = crldp,
    [X509_OID_AUTHORITY_INFO_ACCESS] = aia,
    [X509_OID_NAME_CONSTRAINTS] = name_constraints,
    [X509_OID_TLS_FEATURE] = tls_feature,
    [X509_OID_CT_POISON] = ct_poison,
    [X509_OID_SCT_LIST] = sct_list,
    [X509_OID_CRL_NUMBER] = crl_number,
    [X509_OID_DELTA_CRL] = delta_crl,
    [X509_OID_ISSUING_DISTRIBUTION_POINT] = issuing_point,
};

static lt_res content_read(const struct der_cursor *c, struct lt_arena *a, struct x509_extension *x,
                           struct x509_extensions *e)
{
    decoder *decode = decoders[x->id.oid];
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
            der_fail(&one, "a default value that is encoded");
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
    if (der_ok(&seq) && (count == 0 || count > X509_EXTENSIONS_MAX)) {
        der_fail(&seq, "no extension, or too many");
    }
    struct x509_extension *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_extension, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu extensions", count);
    size_t n = 0;
    for (; der_more(&seq); n++) {
        extension_read(&seq, &list[n]);
        if (der_ok(&seq) && extension_twice(list, n)) {
            der_fail(&seq, "an extension that stands twice");
        }
        if (der_ok(&seq)) {
            LT_TRY(content_read(&seq, a, &list[n], ret_ext));
        }
    }
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

void x509_general_name_text(const struct x509_general_name *name, struct lt_buf *out)
{
    static const char *const labels[] = {"other", "email", "DNS", "X400", "DirName",
                                         "EDI",   "URI",   "IP",  "RID"};
    lt_buf_addf(out, "%s:", labels[name->type]);
    switch (name->type) {
    case X509_GN_EMAIL:
    case X509_GN_DNS:
    case X509_GN_URI:
        lt_buf_add(out, name->value);
        return;
    case X509_GN_IP:
        if (!lt_failed(x509_ip_text(name->value, out))) {
            return;
        }
        break;
    case X509_GN_REGISTERED_ID:
        x509_oid_text(name->value, out);
        return;
    case X509_GN_OTHER:
    case X509_GN_X400:
    case X509_GN_DIRECTORY:
    case X509_GN_EDI:
        break;
    }
    lt_hex_add(out, name->value);
}
