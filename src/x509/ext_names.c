/* Extensions that are made of names: alternative names, key identifiers, constraints, pointers. */
#include "base/text.h"
#include "x509/dnsname.h"
#include "x509/ext_decoders.h"

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
    bool context = (tag & ~(DER_CONSTRUCTED | number)) == DER_CLASS_CONTEXT;
    if (number >= LT_COUNT(general_name_tags) || !context) {
        der_fail(c, "no form of GeneralName");
        return;
    }
    if (general_name_tags[number] != tag) {
        der_wart(c, content.ptr, "no form of GeneralName");
    }
    ret->type = (enum x509_general_name_type)number;
    ret->value = content;
    bool text = number == X509_GN_EMAIL || number == X509_GN_DNS || number == X509_GN_URI;
    if (text && !x509_string_valid(DER_IA5_STRING, content)) {
        der_wart(c, content.ptr, "a GeneralName that is no IA5String");
    }
    if (number == X509_GN_DIRECTORY) {
        directory_check(c, c, content);
    }
}

static lt_res general_names(struct der_cursor *c, struct lt_arena *a, struct x509_general_names *ret)
{
    size_t count = der_count(c);
    count = x509_list_room(c, count, X509_GENERAL_NAMES_MAX, X509_GENERAL_NAMES_MAX, X509_MORE_ENTRIES);
    if (!der_ok(c) || count == 0) {
        return LT_OK;
    }
    struct x509_general_name *list = LT_NEW_ARRAY(a, struct x509_general_name, count);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "no room for %zu names", count);
    size_t n = 0;
    while (der_more(c) && n < count) {
        general_name_read(c, &list[n++]);
    }
    x509_list_pass(c);
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
        der_wart(&seq, seq.pos, "an empty list of names");
    }
    der_leave(c, &seq);
    return LT_OK;
}

lt_res x509_ext_san(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    e->has_san = true;
    return names_in(c, DER_SEQUENCE, a, &e->san);
}

lt_res x509_ext_issuer_alt_name(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    e->has_ian = true;
    return names_in(c, DER_SEQUENCE, a, &e->ian);
}

/* AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OCTET STRING OPTIONAL, authorityCertIssuer [1]
 * GeneralNames OPTIONAL, authorityCertSerialNumber [2] INTEGER OPTIONAL } */
lt_res x509_ext_aki(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    (void)der_optional(&seq, DER_CONTEXT(0), &e->aki_key_id); /* absent is fine */
    if (der_is_next(&seq, DER_CONTEXT_CONS(1))) {
        LT_TRY(names_in(&seq, DER_CONTEXT_CONS(1), a, &e->aki_issuer));
    }
    (void)der_optional(&seq, DER_CONTEXT(2), &e->aki_serial); /* absent is fine */
    if (der_ok(&seq) && (e->aki_issuer.count > 0) != (e->aki_serial.len > 0)) {
        der_wart(&seq, seq.pos, "an authority's issuer without its serial, or the other way round");
    }
    der_leave(c, &seq);
    e->has_aki = true;
    return LT_OK;
}

lt_res x509_ext_ski(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
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
        der_wart(&seq, seq.pos, "a distribution point without a name");
    }
    der_leave(c, &seq);
    return LT_OK;
}

static lt_res points(struct der_cursor *c, struct lt_arena *a,
                     const struct x509_distribution_point **ret_list, size_t *ret_count)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (count == 0 && der_ok(&seq)) {
        der_wart(&seq, seq.pos, "no distribution point");
    }
    count = x509_list_room(&seq, count, X509_LIST_MAX, X509_LIST_DECODED, X509_MORE_ENTRIES);
    struct x509_distribution_point *list = der_ok(&seq)
                                               ? LT_NEW_ARRAY(a, struct x509_distribution_point, count)
                                               : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu distribution points", count);
    size_t n = 0;
    while (der_more(&seq) && n < count) {
        LT_TRY(point_read(&seq, a, &list[n++]));
    }
    x509_list_pass(&seq);
    der_leave(c, &seq);
    *ret_list = list;
    *ret_count = n;
    return LT_OK;
}

lt_res x509_ext_crldp(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    e->has_crldp = true;
    return points(c, a, &e->crldp, &e->crldp_count);
}

lt_res x509_ext_freshest_crl(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    e->has_freshest = true;
    return points(c, a, &e->freshest, &e->freshest_count);
}

/* AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { accessMethod OBJECT IDENTIFIER,
 * accessLocation GeneralName } */
static lt_res accesses(struct der_cursor *c, struct lt_arena *a, const struct x509_access **ret_list,
                       size_t *ret_count)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&seq);
    if (count == 0 && der_ok(&seq)) {
        der_wart(&seq, seq.pos, "no access description");
    }
    count = x509_list_room(&seq, count, X509_LIST_MAX, X509_LIST_DECODED, X509_MORE_ENTRIES);
    struct x509_access *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_access, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu access descriptions", count);
    size_t n = 0;
    for (; der_more(&seq) && n < count; n++) {
        struct der_cursor one = der_enter(&seq, DER_SEQUENCE);
        list[n].method.der = der_oid(&one);
        list[n].method.oid = x509_oid_find(list[n].method.der);
        general_name_read(&one, &list[n].location);
        der_leave(&seq, &one);
    }
    x509_list_pass(&seq);
    der_leave(c, &seq);
    *ret_list = list;
    *ret_count = n;
    return LT_OK;
}

lt_res x509_ext_aia(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    e->has_aia = true;
    return accesses(c, a, &e->aia, &e->aia_count);
}

lt_res x509_ext_sia(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    e->has_sia = true;
    return accesses(c, a, &e->sia, &e->sia_count);
}

/* GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum
 * [1] } */
static lt_res subtrees(struct der_cursor *c, uint32_t tag, struct lt_arena *a, struct x509_general_names *ret)
{
    struct der_cursor seq = der_enter(c, tag);
    size_t count = der_count(&seq);
    if (count == 0 && der_ok(&seq)) {
        der_wart(&seq, seq.pos, "no subtree");
    }
    count = x509_list_room(&seq, count, X509_GENERAL_NAMES_MAX, X509_GENERAL_NAMES_MAX, X509_MORE_ENTRIES);
    struct x509_general_name *list = der_ok(&seq) ? LT_NEW_ARRAY(a, struct x509_general_name, count) : NULL;
    LT_CHECK(list != NULL || !der_ok(&seq), LT_PEER_TOO_LARGE, "no room for %zu subtrees", count);
    size_t n = 0;
    while (der_more(&seq) && n < count) {
        /*= RFC 5280 4.2.1.10 "the minimum MUST be zero, and maximum MUST be absent" */
        struct der_cursor tree = der_enter(&seq, DER_SEQUENCE);
        general_name_read(&tree, &list[n++]);
        der_leave(&seq, &tree);
    }
    x509_list_pass(&seq);
    der_leave(c, &seq);
    *ret = (struct x509_general_names){list, n};
    return LT_OK;
}

lt_res x509_ext_name_constraints(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    /*= RFC 5280 4.2.1.10 "Conforming CAs MUST NOT issue certificates where name constraints is an empty
     * sequence." */
    if (der_ok(&seq) && !der_more(&seq)) {
        der_wart(&seq, seq.pos, "name constraints that constrain nothing");
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

/* An implicit BOOLEAN DEFAULT FALSE. */
static bool flag(struct der_cursor *c, uint32_t tag)
{
    lt_slice v = {0};
    if (!der_optional(c, tag, &v)) {
        return false;
    }
    if (v.len != 1) {
        der_fail(c, "a BOOLEAN of another size than one byte");
        return false;
    }
    if (v.ptr[0] != 0xff) {
        der_wart(c, v.ptr,
                 v.ptr[0] == 0 ? "a default value that is encoded" : "a BOOLEAN other than 00 and FF");
    }
    return der_ok(c) && v.ptr[0] != 0;
}

/*= RFC 5280 5.2.5 IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName
 * OPTIONAL, onlyContainsUserCerts [1], onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE, onlySomeReasons [3]
 * ReasonFlags OPTIONAL, indirectCRL [4], onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE } */
lt_res x509_ext_issuing_point(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e)
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
