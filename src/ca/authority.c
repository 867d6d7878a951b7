/* CA certificates from profiles of kind ca, as BR 7.1.2.1 (root) and 7.1.2.6 (issuing CA) lay them out. */
#include "ca/authority.h"

#include <stdio.h>
#include <string.h>

#include "ca/limits.h"
#include "crypto/digest.h"
#include "crypto/pub.h"
#include "der/writer.h"
#include "x509/crl.h"
#include "x509/tbs.h"

enum {
    KEY_ID_LEN = 20,
    NAME_MAX_BYTES = 1024,
    URL_MAX_BYTES = 512,
    CONSTRAINTS_MAX = 64,
};

_Static_assert((int)CRYPTO_ES256 == (int)X509_SIG_ECDSA_SHA256 && (int)CRYPTO_EDDSA == (int)X509_SIG_ED25519,
               "the numbers of signature algorithms are shared");

/* RFC 7093 section 2, method 1: the leftmost 160 bits of the SHA-256 of the key. */
static lt_res key_id(lt_slice spki_der, uint8_t ret_id[CRYPTO_SHA256_LEN])
{
    struct x509_spki spki;
    LT_TRY(x509_spki_parse(spki_der, &spki));
    crypto_sha256(spki.key, ret_id);
    return LT_OK;
}

/*= CABF-BR 7.1.2.10.2 "countryName … MUST", "organizationName … MUST", "commonName … MUST" */
static lt_res write_subject(const struct ca_authority *a, struct lt_buf *out)
{
    const struct x509_name_item items[] = {
        {X509_OID_C, lt_slice_cstr(a->country)},
        {X509_OID_O, lt_slice_cstr(a->organization)},
        {X509_OID_CN, lt_slice_cstr(a->common_name)},
    };
    struct der_writer w;
    der_write_init(&w, out);
    LT_TRY(x509_name_write(&w, items, LT_COUNT(items)));
    return der_write_done(&w);
}

/* What points to others: buffers that live as long as the spec does. */
struct pieces {
    uint8_t ski[CRYPTO_SHA256_LEN];
    char crl_text[URL_MAX_BYTES];
    char issuer_text[URL_MAX_BYTES];
    lt_slice crl_url;
    lt_slice issuer_url;
    struct x509_general_name permitted[CONSTRAINTS_MAX];
    struct x509_general_name excluded[CONSTRAINTS_MAX];
    size_t permitted_count;
    size_t excluded_count;
};

static lt_res collect_urls(const struct ca_authority *a, struct pieces *p)
{
    if (a->issuer == NULL || a->public_http_url[0] == 0) {
        return LT_OK;
    }
    int n = snprintf(p->crl_text, sizeof(p->crl_text), "%s/crl/%s.crl", a->public_http_url, a->issuer_name);
    int m = snprintf(p->issuer_text, sizeof(p->issuer_text), "%s/ca/%s.crt", a->public_http_url,
                     a->issuer_name);
    LT_CHECK(n > 0 && n < URL_MAX_BYTES && m > 0 && m < URL_MAX_BYTES, LT_PEER_TOO_LARGE,
             "public-http-url is too long");
    p->crl_url = lt_slice_cstr(a->profile->crl_distribution ? p->crl_text : "");
    p->issuer_url = lt_slice_cstr(a->profile->issuer_url ? p->issuer_text : "");
    return LT_OK;
}

static lt_res add_names(struct x509_general_name *list, size_t *count, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        LT_CHECK(*count < CONSTRAINTS_MAX, LT_PEER_TOO_LARGE, "more than %d name constraints",
                 CONSTRAINTS_MAX);
        list[(*count)++] = (struct x509_general_name){X509_GN_DNS, lt_slice_cstr(names[i])};
    }
    return LT_OK;
}

static lt_res collect(const struct ca_authority *a, struct pieces *p)
{
    const struct ca_profile *profile = a->profile;
    LT_CHECK(profile->kind == CA_PROFILE_CA, LT_PEER_USAGE, "profile %s is not of kind ca", profile->name);
    LT_TRY(key_id(a->spki, p->ski));
    LT_TRY(collect_urls(a, p));
    LT_TRY(
        add_names(p->permitted, &p->permitted_count, profile->permitted_dns, profile->permitted_dns_count));
    LT_TRY(add_names(p->permitted, &p->permitted_count, a->permitted_dns, a->permitted_dns_count));
    return add_names(p->excluded, &p->excluded_count, profile->excluded_dns, profile->excluded_dns_count);
}

static lt_res check_key(const struct ca_authority *a)
{
    struct x509_spki spki;
    LT_TRY(x509_spki_parse(a->spki, &spki));
    LT_TRY(x509_spki_check(&spki));
    return ca_profile_check_key(a->profile, spki.type, spki.bits);
}

lt_res ca_authority_tbs(const struct ca_authority *a, lt_slice issuer_spki, struct lt_buf *out)
{
    struct pieces p = {.ski = {0}};
    struct x509_spki signing;
    struct ca_period period;
    LT_TRY(collect(a, &p));
    LT_TRY(check_key(a));
    LT_TRY(x509_spki_parse(issuer_spki, &signing));
    lt_time begin = lt_time_from_seconds(lt_time_seconds(a->now) - a->profile->backdate_s);
    const struct ca_period wanted = {begin, ca_validity_end(begin, a->validity_s)};
    const struct ca_period ever = {{0}, {INT64_MAX}};
    LT_TRY(ca_profile_period(
        a->profile, a->now, a->validity_s != 0 ? wanted : (struct ca_period){{0}, {0}},
        a->issuer != NULL ? (struct ca_period){a->issuer->not_before, a->issuer->not_after} : ever, &period));
    struct lt_buf subject;
    lt_buf_init(&subject, NAME_MAX_BYTES);
    lt_res r = write_subject(a, &subject);
    const struct x509_tbs_spec spec = {
        .sig_alg = x509_sig_alg_for(signing.type),
        .serial = a->serial,
        .issuer = a->issuer != NULL ? a->issuer->subject.der : lt_buf_slice(&subject),
        .not_before = period.not_before,
        .not_after = period.not_after,
        .subject = lt_buf_slice(&subject),
        .spki = a->spki,
        .ca = true,
        .has_path_len = a->profile->path_length >= 0,
        .path_len = a->profile->path_length >= 0 ? (uint32_t)a->profile->path_length : 0,
        .key_usage = a->profile->key_usage,
        .eku = a->profile->eku,
        .eku_count = a->profile->eku_count,
        .policies = a->profile->policies,
        .policy_count = a->profile->policy_count,
        .aki = a->issuer != NULL ? a->issuer->ext.ski : LT_SLICE(p.ski, KEY_ID_LEN),
        .ski = LT_SLICE(p.ski, KEY_ID_LEN),
        .crl_urls = &p.crl_url,
        .crl_url_count = p.crl_url.len > 0,
        .issuer_urls = &p.issuer_url,
        .issuer_url_count = p.issuer_url.len > 0,
        .permitted = p.permitted,
        .permitted_count = p.permitted_count,
        .excluded = p.excluded,
        .excluded_count = p.excluded_count,
    };
    if (!lt_failed(r)) {
        r = x509_tbs_build(&spec, out);
    }
    lt_buf_done(&subject);
    return r;
}

lt_res ca_authority_sign(const struct ca_authority_key *key, lt_slice tbs, struct lt_arena *arena,
                         lt_slice *ret_der)
{
    struct x509_spki spki;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    LT_TRY(x509_spki_parse(key->spki, &spki));
    enum x509_sig_alg alg = x509_sig_alg_for(spki.type);
    LT_TRY(key->sign(key->self, tbs, signature, &len));
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    LT_TRY(crypto_pub_import(&spki, &pub));
    LT_TRY(crypto_pub_verify(pub, (enum crypto_sig_alg)alg, tbs, LT_SLICE(signature, len)));
    struct lt_buf out;
    lt_buf_init(&out, tbs.len + CRYPTO_SIGNATURE_MAX + 64);
    lt_res r = x509_assemble(tbs, alg, LT_SLICE(signature, len), &out);
    *ret_der = lt_arena_copy(arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_TRY(r);
    LT_CHECK(ret_der->ptr != NULL, LT_PEER_TOO_LARGE, "the certificate does not fit into memory");
    return LT_OK;
}

lt_res ca_authority_crl_tbs(const struct ca_authority_crl *c, struct lt_buf *out)
{
    const struct x509_crl_spec spec = {
        .sig_alg = x509_sig_alg_for(c->issuer->spki.type),
        .issuer = c->issuer->subject.der,
        .aki = c->issuer->ext.ski,
        .this_update = c->this_update,
        .next_update = c->next_update,
        .number = c->number,
        .entries_hint = c->entry_count,
    };
    struct x509_crl_builder b;
    x509_crl_begin(&b, &spec, out);
    for (size_t i = 0; i < c->entry_count; i++) {
        x509_crl_add(&b, c->entries[i].serial, c->entries[i].when, c->entries[i].reason);
    }
    return x509_crl_end(&b);
}

lt_res ca_authority_check(const struct x509_cert *cert, const struct ca_profile *profile, lt_slice spki,
                          lt_time now)
{
    bool root = strcmp(profile->name, "ca-root") == 0;
    LT_CHECK(lt_slice_eq(cert->spki.der, spki), LT_PEER_USAGE, "the certificate is not for this key");
    LT_CHECK(cert->version == 3 && cert->ext.has_basic_constraints && cert->ext.ca, LT_PEER_USAGE,
             "the certificate is not one of a CA (basicConstraints)");
    LT_CHECK(!cert->ext.has_key_usage || (cert->ext.key_usage & (X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)) ==
                                             (X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN),
             LT_PEER_USAGE, "its keyUsage lacks keyCertSign or cRLSign");
    LT_CHECK(cert->not_before.us <= now.us && now.us < cert->not_after.us, LT_PEER_USAGE,
             "the certificate is not in force today");
    LT_CHECK(cert->ext.has_ski, LT_PEER_USAGE, "the certificate has no subjectKeyIdentifier");
    LT_CHECK(!root || !cert->ext.has_path_len || cert->ext.path_len > 0, LT_PEER_USAGE,
             "its path length allows no issuing CA below it");
    for (uint32_t i = 0; i < profile->eku_count; i++) {
        LT_CHECK(!cert->ext.has_eku || x509_has_eku(&cert->ext, profile->eku[i]), LT_PEER_USAGE,
                 "its extKeyUsage lacks %s", x509_oid_name(profile->eku[i]));
    }
    struct x509_spki key;
    LT_TRY(x509_spki_parse(spki, &key));
    return x509_spki_check(&key);
}
