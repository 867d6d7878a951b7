/* Judging a certificate: a table of checks in order, the first that fails gives its word. */
#include "ca/examine.h"

#include <string.h>

#include "ca/examine_internal.h"
#include "ca/limits.h"
#include "crypto/check.h"
#include "crypto/digest.h"

/* A retried intent may be this old; the clocks of registrar and examiner are one clock. */
enum { FUTURE_SLACK_S = 60, HOUR = 3600 };

const struct ca_examine_issuer *ca_examine_issuer(const struct ca_examine *x, const char *name)
{
    for (size_t i = 0; i < x->issuer_count; i++) {
        if (strcmp(x->issuers[i].name, name) == 0) {
            return &x->issuers[i];
        }
    }
    return NULL;
}

static lt_res check_fresh(struct judge *j)
{
    return ca_examiner_fresh(j->x->state, j->now);
}

static lt_res check_kind(struct judge *j)
{
    LT_CHECK(j->m->kind == IPC__SIGN_KIND__SIGN_CERTIFICATE && j->m->precertificate.len == 0,
             LT_PEER_UNSUPPORTED, "certificates are signed here, and no precertificates yet");
    return LT_OK;
}

lt_res ca_judge_issuer(const struct ca_examine *x, const char *name, lt_time now,
                       const struct ca_examine_issuer **ret_issuer)
{
    const struct ca_examine_issuer *i = ca_examine_issuer(x, name);
    LT_CHECK(i != NULL, LT_POLICY_REFUSED, "there is no issuer '%.64s'", name);
    LT_CHECK(!i->offline, LT_POLICY_REFUSED, "issuer %s is kept offline", name);
    LT_CHECK(i->cert->ext.ca, LT_POLICY_REFUSED, "the certificate of issuer %s is no CA's", name);
    LT_CHECK(now.us >= i->cert->not_before.us && now.us <= i->cert->not_after.us, LT_POLICY_REFUSED,
             "the certificate of issuer %s is not in force now", name);
    *ret_issuer = i;
    return LT_OK;
}

static lt_res check_issuer(struct judge *j)
{
    LT_TRY(ca_judge_issuer(j->x, j->m->issuer, j->now, &j->issuer));
    LT_CHECK((j->issuer->cert->ext.key_usage & X509_KU_KEY_CERT_SIGN) != 0, LT_POLICY_REFUSED,
             "issuer %s may not sign certificates", j->m->issuer);
    return LT_OK;
}

static lt_res check_profile_known(struct judge *j)
{
    const struct ca_profile *p = ca_profiles_find(j->x->profiles, lt_slice_cstr(j->m->profile));
    LT_CHECK(p != NULL, LT_POLICY_REFUSED, "there is no profile '%.64s'", j->m->profile);
    j->v->profile = p;
    LT_CHECK(strcmp(p->issuer, j->m->issuer) == 0, LT_POLICY_REFUSED, "profile %s is issued by %s, not by %s",
             p->name, p->issuer, j->m->issuer);
    return LT_OK;
}

/* Whatever a profile says: CAs are made in a ceremony, never by a request. */
static lt_res check_no_ca_profile(struct judge *j)
{
    const struct ca_profile *p = j->v->profile;
    LT_CHECK(p->kind != CA_PROFILE_CA, LT_POLICY_REFUSED, "profile %s makes CAs: no request may use it",
             p->name);
    return LT_OK;
}

static lt_res check_parse(struct judge *j)
{
    return x509_tbs_parse(LT_SLICE(j->m->tbs.data, j->m->tbs.len), j->a, &j->v->cert);
}

/*= CABF-BR 7.1.2.7.8 cA "MUST be FALSE" */
static lt_res check_no_ca(struct judge *j)
{
    const struct x509_extensions *e = &j->v->cert.ext;
    LT_CHECK(!e->ca && !e->has_path_len, LT_POLICY_REFUSED, "cA is TRUE: no request may make a CA");
    LT_CHECK((e->key_usage & (X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)) == 0, LT_POLICY_REFUSED,
             "keyCertSign or cRLSign is set: no request may make a CA");
    LT_CHECK(!e->has_name_constraints && !e->ct_poison, LT_POLICY_REFUSED,
             "nameConstraints or CT poison has no place in it");
    return LT_OK;
}

static lt_res check_serial(struct judge *j)
{
    lt_slice serial = x509_serial_magnitude(j->v->cert.serial);
    LT_CHECK(lt_slice_eq(serial, LT_SLICE(j->m->serial.data, j->m->serial.len)), LT_POLICY_REFUSED,
             "the serial in the bytes is not the one of the intent");
    LT_CHECK((j->v->cert.serial.ptr[0] & 0x80) == 0 && serial.len >= 9, LT_POLICY_REFUSED,
             "a serial that is negative or too short");
    return LT_OK;
}

/*= CABF-BR 7.1.2.7 issuer: "MUST be byte-for-byte identical to the subject field of the Issuing CA" */
static lt_res check_issuer_bytes(struct judge *j)
{
    const struct x509_cert *c = &j->v->cert;
    const struct x509_cert *by = j->issuer->cert;
    LT_CHECK(lt_slice_eq(c->issuer.der, by->subject.der), LT_POLICY_REFUSED,
             "the issuer's name is not that of %s, byte for byte", j->issuer->name);
    LT_CHECK(by->ext.has_ski && lt_slice_eq(c->ext.aki_key_id, by->ext.ski) && c->ext.aki_issuer.count == 0,
             LT_POLICY_REFUSED, "the authorityKeyIdentifier is not the key of %s", j->issuer->name);
    LT_CHECK(x509_sig_alg_fits(c->sig_alg, by->spki.type), LT_POLICY_REFUSED,
             "signature algorithm %s is not for the key of %s", x509_sig_alg_name(c->sig_alg),
             j->issuer->name);
    return LT_OK;
}

static lt_res check_validity(struct judge *j)
{
    const struct x509_cert *c = &j->v->cert;
    int64_t seconds = ca_validity_seconds(c->not_before, c->not_after);
    int64_t most = ca_profile_validity_max(j->v->profile, j->now);
    int64_t skew = ca_limit_at(CA_LIMIT_NOT_BEFORE_SKEW_S, j->now);
    LT_CHECK(seconds > 0 && seconds <= most, LT_POLICY_REFUSED, "valid for %lld s: profile %s allows %lld",
             (long long)seconds, j->v->profile->name, (long long)most);
    LT_CHECK(c->not_before.us <= lt_time_add_seconds(j->now, FUTURE_SLACK_S).us &&
                 c->not_before.us >= lt_time_add_seconds(j->now, -skew).us,
             LT_POLICY_REFUSED, "notBefore is further than %lld hours back, or in the future",
             (long long)(skew / HOUR));
    LT_CHECK(c->not_after.us > j->now.us && c->not_after.us <= j->issuer->cert->not_after.us,
             LT_POLICY_REFUSED, "notAfter has passed, or outlives issuer %s", j->issuer->name);
    return LT_OK;
}

static lt_res check_key(struct judge *j)
{
    const struct x509_spki *k = &j->v->cert.spki;
    LT_TRY(crypto_check_spki(k));
    return ca_profile_check_key(j->v->profile, k->type, k->bits);
}

static lt_res check_blocked(struct judge *j)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    const struct x509_spki *k = &j->v->cert.spki;
    crypto_sha256(k->der, hash);
    LT_CHECK(!ca_examiner_blocked(j->x->state, LT_SLICE(hash, sizeof(hash))), LT_POLICY_BLOCKED_KEY,
             "this key is blocked");
    for (size_t i = 0; i < j->x->issuer_count; i++) {
        LT_CHECK(!lt_slice_eq(k->der, j->x->issuers[i].cert->spki.der), LT_POLICY_BLOCKED_KEY,
                 "this is the key of issuer %s", j->x->issuers[i].name);
    }
    return LT_OK;
}

/* Halts are held against the names in the bytes, not against those of the request. */
static lt_res check_halts(struct judge *j)
{
    const char **methods = LT_NEW_ARRAY(j->a, const char *, j->m->n_evidence + 1);
    LT_CHECK(methods != NULL, LT_PEER_TOO_LARGE, "too many names");
    for (size_t i = 0; i < j->m->n_evidence; i++) {
        methods[i] = j->m->evidence[i]->method;
    }
    struct ca_halt_subject s = {
        .profile = lt_slice_cstr(j->m->profile),
        .issuer = lt_slice_cstr(j->m->issuer),
        .account_id = j->m->account_id,
        .names = j->names,
        .name_count = j->name_count,
        .methods = methods,
        .method_count = j->m->n_evidence,
    };
    return ca_examiner_halted(j->x->state, &s);
}

static const struct judge_step steps[] = {
    {"stale-halts", check_fresh},
    {"unsupported", check_kind},
    {"constraint", check_issuer},
    {"profile", check_profile_known},
    {"constraint", check_no_ca_profile},
    {"malformed", check_parse},
    {"constraint", check_no_ca},
    {"constraint", check_serial},
    {"constraint", check_issuer_bytes},
    {"evidence", ca_judge_names},
    {"halt", check_halts},
    {"blocked-key", check_blocked},
    {"profile", check_validity},
    {"profile", check_key},
    {"profile", ca_judge_profile},
    {"evidence", ca_judge_evidence},
    {"evidence", ca_judge_quorum},
    {"lint", ca_judge_lint},
};

void ca_judge_refuse(struct ca_verdict *v, struct lt_arena *a, const char *word)
{
    enum lt_class class = lt_class_of(lt_error_last()->code);
    v->refusal = word;
    v->later = class == LT_CLASS_RETRY || class == LT_CLASS_STATE;
    v->detail = lt_arena_cstr(a, lt_slice_cstr(lt_error_last()->detail));
    if (v->detail == NULL) {
        v->detail = "the request is too large";
    }
}

void ca_examine_certificate(const struct ca_examine *x, const Ipc__SignRequest *m, lt_time now,
                            struct lt_arena *a, struct ca_verdict *ret_verdict)
{
    memset(ret_verdict, 0, sizeof(*ret_verdict));
    struct judge j = {.x = x, .m = m, .now = now, .a = a, .v = ret_verdict};
    for (size_t i = 0; i < LT_COUNT(steps); i++) {
        if (lt_failed(steps[i].check(&j))) {
            ca_judge_refuse(ret_verdict, a, steps[i].refusal);
            return;
        }
    }
}
