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

static enum ca_profile_kind kind_for(const char *requester)
{
    return strcmp(requester, "service") == 0 ? CA_PROFILE_SERVICE
           : strcmp(requester, "ocsp") == 0  ? CA_PROFILE_RESPONDER
                                             : CA_PROFILE_SUBSCRIBER;
}

lt_res ca_issue_fits(const struct ca_issue_request *r, const struct ca_profile *p)
{
    LT_CHECK(p->kind == kind_for(r->requester), LT_POLICY_REFUSED,
             "profile %s is not for this kind of request", p->name);
    LT_CHECK((p->key_usage & X509_KU_KEY_CERT_SIGN) == 0 && (p->key_usage_rsa & X509_KU_KEY_CERT_SIGN) == 0,
             LT_POLICY_REFUSED, "profile %s would make a CA", p->name);
    LT_TRY(key_fits(r->key, p));
    LT_CHECK((r->name_count == 0) == (p->kind == CA_PROFILE_RESPONDER) && r->name_count <= p->names_max,
             LT_POLICY_REFUSED, "profile %s takes 1 to %u names", p->name, p->names_max);
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
    const struct ca_issue_name **sorted = LT_NEW_ARRAY(t->arena, const struct ca_issue_name *,
                                                       r->name_count + 1);
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
    struct x509_general_name *san = LT_NEW_ARRAY(t->arena, struct x509_general_name, r->name_count + 1);
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

/* Country and organization of the issuer, and a name by its key. */
static lt_res responder_subject(struct ca_turn *t, const struct ca_issue_draft *d, struct lt_buf *out)
{
    static const enum x509_oid kept[] = {X509_OID_C, X509_OID_O};
    struct x509_name_item items[LT_COUNT(kept) + 1];
    size_t count = 0;
    struct x509_name by;
    struct der_writer w;
    LT_TRY(x509_name_parse(d->issuer->subject, t->arena, &by));
    for (size_t i = 0; i < LT_COUNT(kept); i++) {
        const struct x509_attribute *a = x509_name_find(&by, kept[i], 0);
        if (a != NULL) {
            items[count++] = (struct x509_name_item){kept[i], a->value};
        }
    }
    const char *name = lt_arena_printf(t->arena, "OCSP responder %s",
                                       lt_hex(t->arena, LT_SLICE(d->request->key->spki_sha256.data, 4)));
    LT_CHECK(name != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    items[count++] = (struct x509_name_item){X509_OID_CN, lt_slice_cstr(name)};
    der_write_init(&w, out);
    LT_TRY(x509_name_write(&w, items, count));
    return der_write_done(&w);
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
    lt_slice ocsp_url;
};

static lt_res build_pointers(struct ca_turn *t, const struct ca_issue_draft *d, struct pointers *ret)
{
    bool public_url = t->book->public_http_url != NULL && t->book->public_http_url[0] != 0;
    if (d->profile->crl_distribution && public_url) {
        LT_TRY(take_url(ca_crl_url(t->arena, t->book->public_http_url, d->issuer->name, d->crl_shard),
                        &ret->crl_url));
    }
    if (d->profile->ocsp_url && public_url) {
        LT_TRY(take_url(lt_arena_printf(t->arena, "%s/ocsp", t->book->public_http_url), &ret->ocsp_url));
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
    spec.ocsp_urls = &urls.ocsp_url;
    spec.ocsp_url_count = urls.ocsp_url.len > 0 ? 1 : 0;
    /*= CABF-BR 7.1.2.8.6 "exactly the hex-encoded bytes `0500`" */
    const struct x509_raw_extension no_check = {.oid = x509_oid_der(X509_OID_OCSP_NO_CHECK),
                                                .value = LT_LIT("\x05\x00")};
    spec.extra = &no_check;
    spec.extra_count = p->kind == CA_PROFILE_RESPONDER ? 1 : 0;
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
    lt_res r = d->profile->kind == CA_PROFILE_RESPONDER ? responder_subject(t, d, &subject)
                                                        : build_subject(d, &subject);
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
