/* What was published, looked at from outside. */
#include "ca/crl_check.h"

#include "crypto/digest.h"
#include "crypto/pub.h"
#include "x509/cert.h"
#include "x509/crl.h"

struct look {
    const struct ca_crl_expected *e;
    lt_slice der;
    struct x509_crl crl;
    struct x509_cert issuer;
    struct lt_arena *a;
    bool newer; /* published since: the look for that one is still to come */
};

static lt_slice trimmed(lt_slice n)
{
    while (n.len > 1 && n.ptr[0] == 0) {
        n = lt_slice_sub(n, 1, SIZE_MAX);
    }
    return n;
}

static lt_res check_number(struct look *l)
{
    lt_slice want = trimmed(l->e->number);
    lt_slice got = trimmed(l->crl.ext.crl_number);
    LT_CHECK(l->crl.ext.has_crl_number, LT_POLICY_REFUSED, "it has no number");
    int order = got.len != want.len ? (got.len < want.len ? -1 : 1) : lt_slice_cmp(got, want);
    LT_CHECK(order >= 0, LT_POLICY_REFUSED, "an older one is still served");
    l->newer = order > 0;
    return LT_OK;
}

static lt_res check_bytes(struct look *l)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(l->der, hash);
    LT_CHECK(l->newer || lt_slice_eq(LT_SLICE(hash, sizeof hash), l->e->sha256), LT_POLICY_REFUSED,
             "its bytes are not those that were published");
    LT_CHECK(l->newer || l->crl.entry_count == l->e->entries, LT_POLICY_REFUSED,
             "it has %zu entries instead of %llu", l->crl.entry_count, (unsigned long long)l->e->entries);
    return LT_OK;
}

static lt_res check_issuer(struct look *l)
{
    LT_CHECK(lt_slice_eq(l->crl.issuer.der, l->issuer.subject.der), LT_POLICY_REFUSED,
             "its issuer is another");
    LT_CHECK(l->issuer.ext.has_ski && lt_slice_eq(l->crl.ext.aki_key_id, l->issuer.ext.ski),
             LT_POLICY_REFUSED, "its authorityKeyIdentifier is another's");
    return LT_OK;
}

/*= RFC 5280 6.3.3 "Validate the signature on the complete CRL using the public key validated in step (f)." */
static lt_res check_signature(struct look *l)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *key = NULL;
    LT_CHECK(lt_slice_eq(l->crl.sig_alg_der, l->crl.outer_sig_alg_der), LT_POLICY_REFUSED,
             "its two signature algorithms differ");
    LT_TRY(crypto_pub_import(&l->issuer.spki, &key));
    return crypto_pub_verify(key, (enum crypto_sig_alg)l->crl.sig_alg, l->crl.tbs, l->crl.signature);
}

static lt_res check_times(struct look *l)
{
    enum { SLACK_S = 300 };
    LT_CHECK(l->crl.this_update.us <= lt_time_add_seconds(l->e->now, SLACK_S).us, LT_POLICY_REFUSED,
             "it is of the future");
    LT_CHECK(l->crl.has_next_update && l->crl.next_update.us > l->e->now.us, LT_POLICY_REFUSED,
             "it has expired");
    return LT_OK;
}

/*= RFC 5280 6.3.3 "If the distribution point name is present in the IDP CRL extension and the distribution
 * field is present in the DP, then verify that one of the names in the IDP matches one of the names in the
 * DP." */
static lt_res check_scope(struct look *l)
{
    const struct x509_extensions *e = &l->crl.ext;
    LT_CHECK(!e->has_delta && !e->idp_indirect && !e->idp_only_attribute && !e->idp.has_reasons,
             LT_POLICY_REFUSED, "it is no complete list of what it is for");
    LT_CHECK(e->has_idp == l->e->part, LT_POLICY_REFUSED,
             e->has_idp ? "the complete CRL says that it is a part" : "it does not say which part it is");
    LT_CHECK(!e->has_idp || (e->idp.names.count == 1 && e->idp.names.list[0].type == X509_GN_URI &&
                             lt_slice_eq_cstr(e->idp.names.list[0].value, l->e->url)),
             LT_POLICY_REFUSED, "it does not name the address where it was fetched");
    return LT_OK;
}

lt_res ca_crl_check(lt_slice der, const struct ca_crl_expected *e, struct lt_arena *a, uint64_t *ret_entries)
{
    static lt_res (*const steps[])(struct look * l) = {
        check_issuer, check_number, check_bytes, check_signature, check_times, check_scope,
    };
    struct look l = {.e = e, .der = der, .a = a};
    LT_TRY(x509_cert_parse(e->issuer, a, &l.issuer));
    LT_TRY(x509_crl_parse(der, a, &l.crl));
    for (size_t i = 0; i < LT_COUNT(steps); i++) {
        LT_TRY(steps[i](&l));
    }
    if (ret_entries != NULL) {
        *ret_entries = l.crl.entry_count;
    }
    return LT_OK;
}
