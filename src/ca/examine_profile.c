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

static bool our_ocsp_url(const struct judge *j, const struct x509_general_name *n)
{
    lt_slice base = lt_slice_cstr(j->x->public_http_url);
    return n->type == X509_GN_URI && base.len > 0 && lt_slice_starts(n->value, base) &&
           lt_slice_eq_cstr(lt_slice_sub(n->value, base.len, n->value.len), "/ocsp");
}

/* One of each that the profile has, and nothing else. */
static lt_res access_fits(const struct judge *j, const struct ca_profile *p)
{
    const struct x509_extensions *e = &j->v->cert.ext;
    size_t wanted = (size_t)p->issuer_url + (size_t)p->ocsp_url;
    size_t ocsp = 0;
    LT_CHECK(e->aia_count == wanted && e->has_aia == (wanted > 0), LT_POLICY_REFUSED,
             "%zu access descriptions: profile %s has %zu", e->aia_count, p->name, wanted);
    for (size_t i = 0; i < e->aia_count; i++) {
        bool of_ocsp = e->aia[i].method.oid == X509_OID_OCSP;
        LT_CHECK(of_ocsp
                     ? our_ocsp_url(j, &e->aia[i].location)
                     : e->aia[i].method.oid == X509_OID_CA_ISSUERS && our_url(j, &e->aia[i].location, "/ca/"),
                 LT_POLICY_REFUSED, "the issuer's address is not that of issuer %s here", j->m->issuer);
        ocsp += of_ocsp;
    }
    LT_CHECK(ocsp == (size_t)p->ocsp_url, LT_POLICY_REFUSED, "%zu addresses of OCSP responders", ocsp);
    return LT_OK;
}

static lt_res pointers_fit(const struct judge *j, const struct ca_profile *p)
{
    const struct x509_extensions *e = &j->v->cert.ext;
    LT_CHECK(e->crldp_count == (p->crl_distribution ? 1U : 0U) && e->has_crldp == p->crl_distribution,
             LT_POLICY_REFUSED, "%zu CRL distribution points: profile %s has %s", e->crldp_count, p->name,
             p->crl_distribution ? "one" : "none");
    for (size_t i = 0; i < e->crldp_count; i++) {
        const struct x509_distribution_point *d = &e->crldp[i];
        LT_CHECK(d->names.count == 1 && !d->has_reasons && d->crl_issuer.count == 0 &&
                     d->relative_name.len == 0 && our_crl_url(j, &d->names.list[0]),
                 LT_POLICY_REFUSED, "the CRL distribution point is not one of issuer %s here", j->m->issuer);
    }
    return access_fits(j, p);
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
    {X509_OID_OCSP_NO_CHECK, 0}, /* of responders alone: no_check_fits */
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

/*= CABF-BR 7.1.2.8.6 "The CA MUST include the `id-pkix-ocsp-nocheck` extension (OID: 1.3.6.1.5.5.7.48.1.5)."
 *= CABF-BR 7.1.2.8.6 "exactly the hex-encoded bytes `0500`" */
static lt_res no_check_fits(const struct ca_profile *p, const struct x509_cert *c)
{
    bool found = false;
    for (size_t i = 0; i < c->ext.count; i++) {
        const struct x509_extension *x = &c->ext.list[i];
        bool no_check = x->id.oid == X509_OID_OCSP_NO_CHECK;
        found = found || no_check;
        LT_CHECK(!no_check || lt_slice_eq(x->value, LT_LIT("\x05\x00")), LT_POLICY_REFUSED,
                 "id-pkix-ocsp-nocheck is not NULL");
    }
    LT_CHECK(found == (p->kind == CA_PROFILE_RESPONDER), LT_POLICY_REFUSED,
             "profile %s %s id-pkix-ocsp-nocheck", p->name, found ? "has not" : "has");
    return LT_OK;
}

static bool stands_in(const struct x509_name *name, const struct x509_attribute *a)
{
    for (size_t i = 0; i < name->count; i++) {
        if (name->attributes[i].oid == a->oid && lt_slice_eq(name->attributes[i].value, a->value)) {
            return true;
        }
    }
    return false;
}

/* Attributes of the issuer's, and a commonName of its own at the end. */
static lt_res responder_subject_fits(const struct judge *j, const struct x509_cert *c)
{
    for (size_t i = 0; i < c->subject.count; i++) {
        const struct x509_attribute *a = &c->subject.attributes[i];
        bool last = i + 1 == c->subject.count;
        LT_CHECK(last ? a->oid == X509_OID_CN && !stands_in(&j->issuer->cert->subject, a)
                      : a->oid != X509_OID_CN && stands_in(&j->issuer->cert->subject, a),
                 LT_POLICY_REFUSED, "a responder's subject is of its issuer's, with a commonName of its own");
    }
    LT_CHECK(c->subject.count > 0, LT_POLICY_REFUSED, "a responder without a name");
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
    LT_TRY(no_check_fits(p, c));
    LT_TRY(p->kind == CA_PROFILE_RESPONDER ? responder_subject_fits(j, c) : subject_fits(p, c));
    LT_CHECK(c->ext.has_ski == p->subject_key_id, LT_POLICY_REFUSED, "profile %s %s a subjectKeyIdentifier",
             p->name, p->subject_key_id ? "has" : "has not");
    return LT_OK;
}
