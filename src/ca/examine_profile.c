/* Is the certificate exactly what its profile makes? Every extension is one that the profile has, with its
 * content; nothing else stands in it. */
#include "ca/crl_shard.h"
#include "ca/examine_internal.h"

static lt_res usage_fits(const struct ca_profile *p, const struct x509_cert *c)
{
    const struct x509_extensions *e = &c->ext;
    LT_CHECK(e->has_key_usage && e->key_usage == ca_profile_key_usage(p, c->spki.type), LT_POLICY_REFUSED,
             "keyUsage is 0x%x, not what profile %s says", e->key_usage, p->name);
    LT_CHECK(e->eku_count == p->eku_count, LT_POLICY_REFUSED, "%zu key purposes: profile %s has %u",
             e->eku_count, p->name, p->eku_count);
    for (size_t i = 0; i < p->eku_count; i++) {
        LT_CHECK(x509_has_eku(e, p->eku[i]), LT_POLICY_REFUSED, "key purpose %s is missing",
                 x509_oid_name(p->eku[i]));
    }
    LT_CHECK(e->policy_count == p->policy_count, LT_POLICY_REFUSED, "%zu policies: profile %s has %u",
             e->policy_count, p->name, p->policy_count);
    for (size_t i = 0; i < p->policy_count; i++) {
        LT_CHECK(lt_slice_eq(e->policies[i].id.der, p->policies[i]) && e->policies[i].qualifiers.len == 0,
                 LT_POLICY_REFUSED, "policy %zu is not that of profile %s", i + 1, p->name);
    }
    return LT_OK;
}

/* The issuer's own CRL, or a part of it, under our own public address. */
static bool our_crl_url(const struct judge *j, const struct x509_general_name *n)
{
    uint32_t shard = 0;
    return n->type == X509_GN_URI && ca_crl_url_shard(n->value, j->x->public_http_url, j->m->issuer, &shard);
}

/* "http://host/ca/NAME….crt" */
static bool our_url(const struct judge *j, const struct x509_general_name *n, const char *folder)
{
    lt_slice base = lt_slice_cstr(j->x->public_http_url);
    if (n->type != X509_GN_URI || base.len == 0 || !lt_slice_starts(n->value, base)) {
        return false;
    }
    lt_slice rest = lt_slice_sub(n->value, base.len, n->value.len);
    lt_slice name = lt_slice_cstr(j->m->issuer);
    lt_slice dir = lt_slice_cstr(folder);
    return lt_slice_starts(rest, dir) && lt_slice_starts(lt_slice_sub(rest, dir.len, rest.len), name);
}

static lt_res pointers_fit(const struct judge *j, const struct ca_profile *p)
{
    const struct x509_extensions *e = &j->v->cert.ext;
    LT_CHECK(e->crldp_count == (p->crl_distribution ? 1U : 0U) && e->has_crldp == p->crl_distribution,
             LT_POLICY_REFUSED, "%zu CRL distribution points: profile %s has %s", e->crldp_count, p->name,
             p->crl_distribution ? "one" : "none");
    LT_CHECK(e->aia_count == (p->issuer_url ? 1U : 0U) && e->has_aia == p->issuer_url, LT_POLICY_REFUSED,
             "%zu access descriptions: profile %s has %s", e->aia_count, p->name,
             p->issuer_url ? "one" : "none");
    for (size_t i = 0; i < e->crldp_count; i++) {
        const struct x509_distribution_point *d = &e->crldp[i];
        LT_CHECK(d->names.count == 1 && !d->has_reasons && d->crl_issuer.count == 0 &&
                     d->relative_name.len == 0 && our_crl_url(j, &d->names.list[0]),
                 LT_POLICY_REFUSED, "the CRL distribution point is not one of issuer %s here", j->m->issuer);
    }
    for (size_t i = 0; i < e->aia_count; i++) {
        LT_CHECK(e->aia[i].method.oid == X509_OID_CA_ISSUERS && our_url(j, &e->aia[i].location, "/ca/"),
                 LT_POLICY_REFUSED, "the issuer's address is not that of issuer %s here", j->m->issuer);
    }
    return LT_OK;
}

/* What may stand in a certificate at all, and whether it is critical; -1: see subject. */
static const struct {
    enum x509_oid oid;
    int critical;
} allowed[] = {
    {X509_OID_KEY_USAGE, 1},
    {X509_OID_EXTENDED_KEY_USAGE, 0},
    {X509_OID_BASIC_CONSTRAINTS, 1},
    {X509_OID_SUBJECT_KEY_IDENTIFIER, 0},
    {X509_OID_AUTHORITY_KEY_IDENTIFIER, 0},
    {X509_OID_AUTHORITY_INFO_ACCESS, 0},
    {X509_OID_CRL_DISTRIBUTION_POINTS, 0},
    {X509_OID_SUBJECT_ALT_NAME, -1},
    {X509_OID_CERTIFICATE_POLICIES, 0},
    {X509_OID_TLS_FEATURE, 0},
};

static lt_res extensions_known(const struct x509_cert *c)
{
    for (size_t i = 0; i < c->ext.count; i++) {
        const struct x509_extension *x = &c->ext.list[i];
        size_t k = 0;
        while (k < LT_COUNT(allowed) && allowed[k].oid != x->id.oid) {
            k++;
        }
        LT_CHECK(k < LT_COUNT(allowed), LT_POLICY_REFUSED, "an extension that no profile has: %s",
                 x509_oid_name(x->id.oid));
        bool critical = allowed[k].critical < 0 ? c->subject.count == 0 : allowed[k].critical == 1;
        LT_CHECK(x->critical == critical, LT_POLICY_REFUSED, "%s is %scritical", x509_oid_name(x->id.oid),
                 x->critical ? "" : "not ");
    }
    return LT_OK;
}

/* An empty subject, or where the profile says so one commonName that is a name of the certificate. */
static lt_res subject_fits(const struct ca_profile *p, const struct x509_cert *c)
{
    if (c->subject.count == 0) {
        return LT_OK;
    }
    const struct x509_attribute *cn = &c->subject.attributes[0];
    LT_CHECK(p->subject == CA_SUBJECT_CN_SAN && c->subject.count == 1 && cn->oid == X509_OID_CN,
             LT_POLICY_REFUSED, "profile %s has no such subject", p->name);
    for (size_t i = 0; i < c->ext.san.count; i++) {
        if (c->ext.san.list[i].type == X509_GN_DNS && lt_slice_eq(c->ext.san.list[i].value, cn->value)) {
            return LT_OK;
        }
    }
    LT_FAIL(LT_POLICY_REFUSED, "the commonName is no name of the certificate");
}

lt_res ca_judge_profile(struct judge *j)
{
    const struct ca_profile *p = j->v->profile;
    const struct x509_cert *c = &j->v->cert;
    LT_CHECK(c->version == 3 && c->issuer_unique_id.len == 0 && c->subject_unique_id.len == 0,
             LT_POLICY_REFUSED, "version 3 without unique identifiers is what we issue");
    LT_TRY(extensions_known(c));
    LT_TRY(usage_fits(p, c));
    LT_TRY(pointers_fit(j, p));
    LT_TRY(subject_fits(p, c));
    LT_CHECK(c->ext.has_ski == p->subject_key_id, LT_POLICY_REFUSED, "profile %s %s a subjectKeyIdentifier",
             p->name, p->subject_key_id ? "has" : "has not");
    return LT_OK;
}
