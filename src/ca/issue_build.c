/* From a request and a profile to the bytes that shall be signed. Whether a profile allows it is asked here
 * first, in the examiner again. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/crl_shard.h"
#include "ca/issue_internal.h"
#include "crypto/digest.h"
#include "x509/dnsname.h"
#include "x509/name.h"
#include "x509/tbs.h"

enum { TBS_MAX = 64 * 1024, KEY_ID_LEN = 20, URL_MAX = 512 };

static lt_res key_fits(const Ipc__PublicKey *key, const struct ca_profile *p)
{
    LT_CHECK(key != NULL && key->spki.len > 0 && key->spki_sha256.len == CA_HASH_LEN, LT_PEER_MALFORMED,
             "a request without a key");
    bool known = key->type > IPC__KEY_TYPE__KEY_UNKNOWN && key->type <= IPC__KEY_TYPE__KEY_ED25519;
    LT_CHECK(known && (p->keys & (1U << key->type)) != 0, LT_PEER_UNSUPPORTED,
             "profile %s takes no keys of this type", p->name);
    bool rsa = key->type == IPC__KEY_TYPE__KEY_RSA;
    LT_CHECK(!rsa || (key->bits >= p->rsa_min_bits && key->bits <= p->rsa_max_bits), LT_PEER_UNSUPPORTED,
             "profile %s takes RSA keys of %u to %u bits", p->name, p->rsa_min_bits, p->rsa_max_bits);
    return LT_OK;
}

static lt_res name_fits(const struct ca_issue_name *n, const struct ca_profile *p)
{
    bool ip = strcmp(n->type, "ip") == 0;
    bool dns = strcmp(n->type, "dns") == 0;
    uint32_t wanted = ip ? CA_NAME_IP : CA_NAME_DNS;
    LT_CHECK((ip || dns) && (p->names & wanted) != 0, LT_POLICY_REFUSED,
             "profile %s takes no names of type %s", p->name, n->type);
    bool wildcard = lt_slice_starts(n->value, LT_LIT("*."));
    LT_CHECK(!wildcard || (p->names & CA_NAME_WILDCARD) != 0, LT_POLICY_REFUSED,
             "profile %s takes no wildcards", p->name);
    return LT_OK;
}

lt_res ca_issue_fits(const struct ca_issue_request *r, const struct ca_profile *p)
{
    bool service = strcmp(r->requester, "service") == 0;
    enum ca_profile_kind kind = service ? CA_PROFILE_SERVICE : CA_PROFILE_SUBSCRIBER;
    LT_CHECK(p->kind == kind, LT_POLICY_REFUSED, "profile %s is not for this kind of request", p->name);
    LT_CHECK((p->key_usage & X509_KU_KEY_CERT_SIGN) == 0 && (p->key_usage_rsa & X509_KU_KEY_CERT_SIGN) == 0,
             LT_POLICY_REFUSED, "profile %s would make a CA", p->name);
    LT_TRY(key_fits(r->key, p));
    LT_CHECK(r->name_count > 0 && r->name_count <= p->names_max, LT_POLICY_REFUSED,
             "profile %s takes 1 to %u names", p->name, p->names_max);
    for (size_t i = 0; i < r->name_count; i++) {
        LT_TRY(name_fits(&r->names[i], p));
    }
    return LT_OK;
}

static int compare_names(const void *a, const void *b)
{
    const struct ca_issue_name *x = *(const struct ca_issue_name *const *)a;
    const struct ca_issue_name *y = *(const struct ca_issue_name *const *)b;
    int by_type = strcmp(x->type, y->type);
    return by_type != 0 ? by_type : lt_slice_cmp(x->value, y->value);
}

lt_res ca_name_set_sha256(struct ca_turn *t, const struct ca_issue_request *r, uint8_t ret_hash[CA_HASH_LEN])
{
    const struct ca_issue_name **sorted = LT_NEW_ARRAY(t->arena, const struct ca_issue_name *, r->name_count);
    LT_CHECK(sorted != NULL, LT_PEER_TOO_LARGE, "too many names");
    for (size_t i = 0; i < r->name_count; i++) {
        sorted[i] = &r->names[i];
    }
    qsort(sorted, r->name_count, sizeof sorted[0], compare_names);
    struct lt_buf text;
    lt_buf_init(&text, TBS_MAX);
    for (size_t i = 0; i < r->name_count; i++) {
        lt_buf_addf(&text, "%s[\"%s\",", i == 0 ? "[" : ",", sorted[i]->type);
        lt_json_add_string(&text, sorted[i]->value);
        lt_buf_add_byte(&text, ']');
    }
    lt_buf_add_byte(&text, ']');
    lt_res fits = lt_buf_check(&text);
    crypto_sha256(lt_buf_slice(&text), ret_hash);
    lt_buf_done(&text);
    return fits;
}

static lt_res build_san(struct ca_turn *t, const struct ca_issue_request *r,
                        const struct x509_general_name **ret_san)
{
    struct x509_general_name *san = LT_NEW_ARRAY(t->arena, struct x509_general_name, r->name_count);
    LT_CHECK(san != NULL, LT_PEER_TOO_LARGE, "too many names");
    for (size_t i = 0; i < r->name_count; i++) {
        san[i] = (struct x509_general_name){.type = X509_GN_DNS, .value = r->names[i].value};
        if (strcmp(r->names[i].type, "ip") == 0) {
            struct x509_ip ip;
            LT_TRY(x509_ip_parse(r->names[i].value, &ip));
            san[i].type = X509_GN_IP;
            san[i].value = lt_arena_copy(t->arena, LT_SLICE(ip.bytes, ip.len));
            LT_CHECK(san[i].value.ptr != NULL, LT_PEER_TOO_LARGE, "too many names");
        }
    }
    *ret_san = san;
    return LT_OK;
}

/* The first DNS name that fits the upper bound of commonName (64), or nothing. */
static lt_res build_subject(const struct ca_issue_draft *d, struct lt_buf *out)
{
    enum { UB_COMMON_NAME = 64 };
    struct der_writer w;
    for (size_t i = 0; d->profile->subject == CA_SUBJECT_CN_SAN && i < d->request->name_count; i++) {
        const struct ca_issue_name *n = &d->request->names[i];
        if (strcmp(n->type, "dns") == 0 && n->value.len <= UB_COMMON_NAME) {
            struct x509_name_item item = {X509_OID_CN, n->value};
            der_write_init(&w, out);
            LT_TRY(x509_name_write(&w, &item, 1));
            return der_write_done(&w);
        }
    }
    return LT_OK;
}

static lt_res take_url(const char *url, lt_slice *ret_url)
{
    LT_CHECK(url != NULL && strlen(url) <= URL_MAX, LT_PEER_TOO_LARGE, "public-http-url is too long");
    *ret_url = lt_slice_cstr(url);
    return LT_OK;
}

/* CDP and AIA, as far as the profile has them and there is a public address. */
struct pointers {
    lt_slice crl_url;
    lt_slice issuer_url;
};

static lt_res build_pointers(struct ca_turn *t, const struct ca_issue_draft *d, struct pointers *ret)
{
    bool public_url = t->book->public_http_url != NULL && t->book->public_http_url[0] != 0;
    if (d->profile->crl_distribution && public_url) {
        LT_TRY(take_url(ca_crl_url(t->arena, t->book->public_http_url, d->issuer->name, d->crl_shard),
                        &ret->crl_url));
    }
    if (d->profile->issuer_url && public_url) {
        LT_TRY(take_url(lt_arena_printf(t->arena, "%s/ca/%s.crt", t->book->public_http_url, d->issuer->name),
                        &ret->issuer_url));
    }
    return LT_OK;
}

static lt_res build_tbs(struct ca_turn *t, const struct ca_issue_draft *d, lt_slice subject,
                        struct lt_buf *out)
{
    const struct ca_profile *p = d->profile;
    const Ipc__PublicKey *key = d->request->key;
    struct pointers urls = {.crl_url.len = 0};
    struct x509_tbs_spec spec = {
        .sig_alg = x509_sig_alg_for((enum x509_key_type)d->issuer->key_type),
        .serial = LT_SLICE(d->serial, sizeof d->serial),
        .issuer = d->issuer->subject,
        .not_before = d->period.not_before,
        .not_after = d->period.not_after,
        .subject = subject,
        .spki = LT_SLICE(key->spki.data, key->spki.len),
        .key_usage = ca_profile_key_usage(p, (enum x509_key_type)key->type),
        .eku = p->eku,
        .eku_count = p->eku_count,
        .policies = p->policies,
        .policy_count = p->policy_count,
        .san_count = d->request->name_count,
        .aki = d->issuer->key_id,
        .must_staple = d->request->must_staple,
    };
    LT_TRY(build_san(t, d->request, &spec.san));
    LT_TRY(build_pointers(t, d, &urls));
    spec.crl_urls = &urls.crl_url;
    spec.crl_url_count = urls.crl_url.len > 0 ? 1 : 0;
    spec.issuer_urls = &urls.issuer_url;
    spec.issuer_url_count = urls.issuer_url.len > 0 ? 1 : 0;
    if (p->subject_key_id) {
        spec.ski = LT_SLICE(key->spki_sha256.data, KEY_ID_LEN);
    }
    return x509_tbs_build(&spec, out);
}

lt_res ca_issue_build(struct ca_turn *t, struct ca_issue_draft *d)
{
    struct lt_buf subject;
    struct lt_buf tbs;
    lt_buf_init(&subject, 1024);
    lt_buf_init(&tbs, TBS_MAX);
    lt_res r = build_subject(d, &subject);
    if (!lt_failed(r)) {
        r = build_tbs(t, d, lt_buf_slice(&subject), &tbs);
    }
    if (!lt_failed(r)) {
        d->tbs = lt_arena_copy(t->arena, lt_buf_slice(&tbs));
        r = d->tbs.ptr != NULL ? LT_OK : lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "too many names");
    }
    lt_buf_done(&tbs);
    lt_buf_done(&subject);
    return r;
}
