/* From bytes to facts: decodes the object once and finds out what it is and what is in it. What the caller
 * says of role and profile is taken as given; only what it leaves open is read off the contents, as the
 * linters of the field read it. */
#include "lint/subject.h"

#include <string.h>

#include "crypto/verify.h"
#include "lint/crl_facts.h"
#include "lint/ev.h"
#include "lint/keys.h"
#include "lint/ocsp.h"
#include "lint/profiles.h"
#include "lint/rules.h"
#include "lint/rules/text.h"
#include "lint/syntax.h"

static const uint64_t extension_facts[X509_OID_COUNT] = {
    [X509_OID_BASIC_CONSTRAINTS] = LINT_HAS_BC,
    [X509_OID_KEY_USAGE] = LINT_HAS_KU,
    [X509_OID_EXTENDED_KEY_USAGE] = LINT_HAS_EKU,
    [X509_OID_SUBJECT_ALT_NAME] = LINT_HAS_SAN,
    [X509_OID_ISSUER_ALT_NAME] = LINT_HAS_IAN,
    [X509_OID_CERTIFICATE_POLICIES] = LINT_HAS_CP,
    [X509_OID_AUTHORITY_INFO_ACCESS] = LINT_HAS_AIA,
    [X509_OID_CRL_DISTRIBUTION_POINTS] = LINT_HAS_CDP,
    [X509_OID_AUTHORITY_KEY_IDENTIFIER] = LINT_HAS_AKI,
    [X509_OID_SUBJECT_KEY_IDENTIFIER] = LINT_HAS_SKI,
    [X509_OID_NAME_CONSTRAINTS] = LINT_HAS_NC,
    [X509_OID_SUBJECT_INFO_ACCESS] = LINT_HAS_SIA,
    [X509_OID_POLICY_MAPPINGS] = LINT_HAS_POLICY_MAPPINGS,
    [X509_OID_POLICY_CONSTRAINTS] = LINT_HAS_POLICY_CONSTRAINTS,
    [X509_OID_INHIBIT_ANY_POLICY] = LINT_HAS_INHIBIT_ANY,
    [X509_OID_SCT_LIST] = LINT_HAS_SCT,
    [X509_OID_FRESHEST_CRL] = LINT_HAS_FRESHEST,
    [X509_OID_CT_POISON] = LINT_IS_PRECERT,
};

#define OID(bytes_) (bytes_), sizeof(bytes_) - 1
/* Extensions by bytes: x509 decodes nothing of these. */
static const struct {
    const char *der;
    size_t len;
    uint64_t fact;
} more_extension_facts[] = {
    {OID("\x2b\x06\x01\x05\x05\x07\x01\x03"), LINT_HAS_QC},
    {OID("\x67\x81\x0c\x03\x01"), LINT_HAS_ORG_ID},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0f"), LINT_HAS_SMIME_CAPS},
};

static uint64_t extension_fact(const struct x509_oid_ref *id)
{
    uint64_t fact = extension_facts[id->oid];
    for (size_t i = 0; i < LT_COUNT(more_extension_facts) && fact == 0; i++) {
        if (lt_slice_eq(id->der, LT_SLICE(more_extension_facts[i].der, more_extension_facts[i].len))) {
            fact = more_extension_facts[i].fact;
        }
    }
    return fact;
}

#define TLS_POLICIES (LINT_IS_DV | LINT_IS_OV | LINT_IS_IV | LINT_IS_EV)

/*= CABF-SBR 7.1.6.1 2.23.140.1.5.(1 mailbox, 2 organization, 3 sponsor, 4 individual).(1 legacy,
 *= 2 multipurpose, 3 strict) */
static uint64_t smime_fact(lt_slice oid)
{
    static const uint64_t types[] = {LINT_IS_SMIME_MV, LINT_IS_SMIME_OV, LINT_IS_SMIME_SV, LINT_IS_SMIME_IV};
    static const uint64_t generations[] = {LINT_IS_SMIME_LEGACY, LINT_IS_SMIME_MULTIPURPOSE,
                                           LINT_IS_SMIME_STRICT};
    const lt_slice arc = LT_LIT("\x67\x81\x0c\x01\x05");
    if (oid.len != arc.len + 2 || !lt_slice_starts(oid, arc)) {
        return 0;
    }
    unsigned type = oid.ptr[arc.len] - 1u;
    unsigned generation = oid.ptr[arc.len + 1] - 1u;
    return type < LT_COUNT(types) && generation < LT_COUNT(generations)
               ? LINT_IS_SMIME | types[type] | generations[generation]
               : 0;
}

static uint64_t policy_fact(const struct x509_oid_ref *id)
{
    static const uint64_t facts[X509_OID_COUNT] = {
        [X509_OID_POLICY_DV] = LINT_IS_DV,
        [X509_OID_POLICY_OV] = LINT_IS_OV,
        [X509_OID_POLICY_IV] = LINT_IS_IV,
        [X509_OID_POLICY_EV] = LINT_IS_EV | LINT_IS_EV_ANY,
    };
    if (facts[id->oid] != 0) {
        return facts[id->oid];
    }
    /* 2.23.140.1.3 and 2.23.140.1.4.1: EV and other code signing */
    bool code_signing = lt_slice_eq(id->der, LT_LIT("\x67\x81\x0c\x01\x03")) ||
                        lt_slice_eq(id->der, LT_LIT("\x67\x81\x0c\x01\x04\x01"));
    return smime_fact(id->der) | (code_signing ? LINT_IS_CODE_SIGNING : 0) |
           (lint_is_ev_policy(id->der) ? LINT_IS_EV_ANY : 0);
}

static uint64_t key_fact(enum x509_key_type type)
{
    switch (type) {
    case X509_KEY_RSA:
        return LINT_HAS_RSA;
    case X509_KEY_P256:
    case X509_KEY_P384:
    case X509_KEY_P521:
        return LINT_HAS_EC;
    case X509_KEY_ED25519:
    case X509_KEY_UNKNOWN:
        break;
    }
    return 0;
}

static uint64_t content_facts(const struct x509_cert *c)
{
    uint64_t facts = key_fact(c->spki.type);
    for (size_t i = 0; i < c->ext.count; i++) {
        facts |= extension_fact(&c->ext.list[i].id);
    }
    for (size_t i = 0; i < c->ext.policy_count; i++) {
        facts |= policy_fact(&c->ext.policies[i].id);
    }
    facts |= c->ext.count > 0 ? LINT_HAS_EXTENSIONS : 0;
    facts |= c->subject.count > 0 ? LINT_HAS_SUBJECT : 0;
    return facts;
}

static bool names_another_key(const struct x509_extensions *e)
{
    return e->aki_key_id.len > 0 && e->has_ski && !lt_slice_eq(e->aki_key_id, e->ski);
}

/* Subject is issuer and the key made the signature; where nobody can tell, names and key identifiers must do.
 */
static bool self_signed(const struct lint_input *in, const struct x509_cert *c)
{
    if (!lt_slice_eq(c->subject.der, c->issuer.der)) {
        return false;
    }
    if (in->bare || c->signature.len == 0) {
        return true;
    }
    enum crypto_answer answer = crypto_verify_any(&c->spki, c->sig_alg_der, c->tbs, c->signature);
    return answer == CRYPTO_FITS || (answer == CRYPTO_UNKNOWN && !names_another_key(&c->ext));
}

static uint64_t role_facts(const struct lint_subject *s)
{
    static const uint64_t given[LINT_ROLE_COUNT] = {
        [LINT_ROLE_ROOT] = LINT_IS_CA | LINT_IS_ROOT | LINT_IS_SELF_SIGNED | LINT_IS_SELF_ISSUED,
        [LINT_ROLE_CROSS_CA] = LINT_IS_CA | LINT_IS_SUB_CA | LINT_IS_CROSS_CA,
        [LINT_ROLE_SUB_CA] = LINT_IS_CA | LINT_IS_SUB_CA,
        [LINT_ROLE_SUBSCRIBER] = LINT_IS_SUBSCRIBER,
        [LINT_ROLE_OCSP_RESPONDER] = LINT_IS_SUBSCRIBER | LINT_IS_OCSP_RESPONDER,
    };
    const struct x509_cert *c = s->cert;
    uint64_t self_issued = lt_slice_eq(c->subject.der, c->issuer.der) ? LINT_IS_SELF_ISSUED : 0;
    if (s->in->role != LINT_ROLE_AUTO) {
        return given[s->in->role] | self_issued;
    }
    bool self = self_signed(s->in, c);
    uint64_t facts = self_issued | (self ? LINT_IS_SELF_SIGNED : 0);
    if (c->ext.ca) {
        facts |= LINT_IS_CA | (self ? LINT_IS_ROOT : LINT_IS_SUB_CA);
        facts |= !self && s->config->cross_signed_ca ? LINT_IS_CROSS_CA : 0;
    } else {
        facts |= self ? 0 : LINT_IS_SUBSCRIBER;
        facts |= x509_has_eku(&c->ext, X509_OID_OCSP_SIGNING) ? LINT_IS_OCSP_RESPONDER : 0;
    }
    return facts;
}

/* A mailbox in the SAN: rfc822Name, or otherName of type SmtpUTF8Mailbox (1.3.6.1.5.5.7.8.9). */
static bool has_mailbox(const struct x509_extensions *e)
{
    const lt_slice smtp = LT_LIT("\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x09");
    for (size_t i = 0; i < e->san.count; i++) {
        const struct x509_general_name *n = &e->san.list[i];
        if (n->value.len > 0 &&
            (n->type == X509_GN_EMAIL ||
             (n->type == X509_GN_OTHER && lt_slice_starts(n->value, smtp) && n->value.len > smtp.len))) {
            return true;
        }
    }
    return false;
}

static uint64_t purpose_facts(const struct lint_subject *s)
{
    const struct x509_extensions *e = &s->cert->ext;
    bool any = e->eku_count == 0 || x509_has_eku(e, X509_OID_ANY_EXTENDED_KEY_USAGE);
    bool server = x509_has_eku(e, X509_OID_SERVER_AUTH) || (s->facts & TLS_POLICIES) != 0;
    bool email = (any || x509_has_eku(e, X509_OID_EMAIL_PROTECTION)) && has_mailbox(e);
    uint64_t facts = any || server ? LINT_IS_SERVER_AUTH : 0;
    facts |= email || (s->facts & LINT_IS_SMIME) != 0 ? LINT_IS_EMAIL : 0;
    facts |= server || (any && (s->facts & LINT_IS_CA) != 0) ? LINT_IS_TLS : 0;
    return facts;
}

static int64_t day_of(lt_time t)
{
    int64_t seconds = lt_time_seconds(t);
    return seconds >= 0 ? seconds / LT_SECONDS_PER_DAY
                        : (seconds - LT_SECONDS_PER_DAY + 1) / LT_SECONDS_PER_DAY;
}

/* The day whose rules count, for all rows alike. dated: what the object says of itself. Whoever names a
 * profile wants it judged by that profile, also when the object is older than the document. */
static int64_t day_that_counts(const struct lint_input *in, lt_time dated)
{
    if (in->as_of.us != 0 || in->signing_time.us != 0) {
        return day_of(in->as_of.us != 0 ? in->as_of : in->signing_time);
    }
    int64_t day = day_of(dated);
    int64_t since = lint_profile_since(in->profile);
    return day < since ? since : day;
}

static uint64_t input_facts(const struct lint_input *in)
{
    return (in->issuer != NULL ? LINT_WITH_ISSUER : 0) |
           (in->precertificate != NULL ? LINT_WITH_PRECERT : 0) |
           (in->signing_time.us != 0 ? LINT_WITH_TIME : 0) |
           (in->evidence != NULL && in->evidence->known ? LINT_WITH_EVIDENCE : 0) |
           (in->bare ? LINT_IS_BARE : 0);
}

static bool is_common_name(const struct x509_attribute *a)
{
    return a->oid == X509_OID_CN && lint_is_text(a);
}

/* Its text: what stands there, or that of a BMPString as UTF-8. */
static lt_res common_name_text(const struct x509_attribute *a, struct lt_arena *arena, lt_slice *ret_text)
{
    *ret_text = a->value;
    if (a->string_type != DER_BMP_STRING) {
        return LT_OK;
    }
    uint8_t *out = lt_arena_alloc(arena, a->value.len * 2 + 1); /* two bytes become three at most */
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "no room for a common name");
    size_t len = 0;
    uint32_t p = 0;
    for (struct lint_text t = lint_text_of(a); lint_text_next(&t, &p) && len + 4 <= a->value.len * 2 + 1;) {
        if (p < 0x80) {
            out[len++] = (uint8_t)p;
        } else if (p < 0x800) {
            out[len++] = (uint8_t)(0xc0 | p >> 6);
            out[len++] = (uint8_t)(0x80 | (p & 0x3f));
        } else {
            p = p > 0xffff ? 0xfffd : p;
            out[len++] = (uint8_t)(0xe0 | p >> 12);
            out[len++] = (uint8_t)(0x80 | (p >> 6 & 0x3f));
            out[len++] = (uint8_t)(0x80 | (p & 0x3f));
        }
    }
    *ret_text = LT_SLICE(out, len);
    return LT_OK;
}

/* The dNSNames and common names of one certificate, each split once. */
static lt_res names_init(struct lint_subject *s)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    const struct x509_name *subject = &s->cert->subject;
    size_t count = 0;
    for (size_t i = 0; i < san->count; i++) {
        count += san->list[i].type == X509_GN_DNS;
    }
    s->san_names = count;
    for (size_t i = 0; i < subject->count; i++) {
        count += is_common_name(&subject->attributes[i]);
    }
    s->facts |= s->san_names > 0 ? LINT_HAS_DNS : 0;
    s->facts |= count > s->san_names ? LINT_HAS_CN : 0;
    if (count == 0) {
        return LT_OK;
    }
    struct lint_name *list = LT_NEW_ARRAY(s->arena, struct lint_name, count);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "no room for %zu names", count);
    for (size_t i = 0; i < san->count; i++) {
        if (san->list[i].type == X509_GN_DNS) {
            lint_name_split(san->list[i].value, false, &list[s->name_count++]);
        }
    }
    for (size_t i = 0; i < subject->count; i++) {
        if (is_common_name(&subject->attributes[i])) {
            lt_slice text;
            LT_TRY(common_name_text(&subject->attributes[i], s->arena, &text));
            lint_name_split(text, true, &list[s->name_count++]);
        }
    }
    s->names = list;
    return LT_OK;
}

static lt_res key_init(struct lint_subject *s)
{
    if ((s->facts & LINT_HAS_RSA) == 0) {
        return LT_OK;
    }
    struct lint_key *key = LT_NEW(s->arena, struct lint_key);
    LT_CHECK(key != NULL, LT_PEER_TOO_LARGE, "no room for what is known of the key");
    lint_key_examine(s->in->keys, &s->cert->spki, s->config->fermat_rounds, key);
    s->key = key;
    return LT_OK;
}

/* An input of more bytes than its decoder reads is judged over its syntax alone. */
static bool over(struct lint_subject *s, size_t limit)
{
    s->limit = s->in->der.len > limit ? limit : 0;
    return s->limit > 0;
}

/* Only a full arena is a failure; what does not decode is a subject, too. */
static lt_res readable(struct lint_subject *s, lt_res decoded)
{
    if (decoded.code == LT_PEER_TOO_LARGE) {
        return decoded;
    }
    s->facts |= lt_failed(decoded) ? 0 : LINT_IS_READABLE;
    return LT_OK;
}

static lt_res cert_init(struct lint_subject *s)
{
    const struct lint_input *in = s->in;
    struct x509_cert *own = NULL;
    s->cert = in->cert;
    if (in->cert == NULL) {
        own = LT_NEW(s->arena, struct x509_cert);
        LT_CHECK(own != NULL, LT_PEER_TOO_LARGE, "no room for a certificate");
        if (over(s, X509_CERT_DECODED_BYTES)) {
            *own = (struct x509_cert){0};
            s->cert = own;
            return LT_OK;
        }
        LT_TRY(readable(s, in->bare ? x509_tbs_decode(in->der, s->arena, own)
                                    : x509_cert_decode(in->der, s->arena, own)));
        s->cert = own;
        s->notes = &own->notes;
        if ((s->facts & LINT_IS_READABLE) == 0) {
            *own = (struct x509_cert){.notes = own->notes};
            return LT_OK;
        }
    }
    s->notes = &s->cert->notes;
    s->facts |= LINT_IS_READABLE | content_facts(s->cert);
    s->facts |= role_facts(s);
    if (in->profile == LINT_PROFILE_AUTO) {
        s->facts |= purpose_facts(s);
    } else {
        s->facts = (s->facts & ~LINT_PURPOSE_FACTS) | lint_profile_facts(in->profile);
    }
    if (in->role == LINT_ROLE_OCSP_RESPONDER) {
        s->facts &= ~(LINT_IS_SERVER_AUTH | LINT_IS_TLS); /* the profile is its issuer's: no server */
    }
    s->day = day_that_counts(in, s->cert->not_before);
    LT_TRY(names_init(s));
    return key_init(s);
}

static lt_res crl_init(struct lint_subject *s)
{
    const struct lint_input *in = s->in;
    s->crl = in->crl;
    if (in->crl == NULL) {
        struct x509_crl *own = LT_NEW(s->arena, struct x509_crl);
        LT_CHECK(own != NULL, LT_PEER_TOO_LARGE, "no room for a CRL");
        LT_TRY(readable(s, in->bare ? x509_crl_tbs_decode(in->der, s->arena, own)
                                    : x509_crl_decode(in->der, s->arena, own)));
        s->crl = own;
        s->notes = &own->notes;
        if ((s->facts & LINT_IS_READABLE) == 0) {
            *own = (struct x509_crl){.notes = own->notes};
            return LT_OK;
        }
    }
    const struct x509_crl *c = s->crl;
    s->notes = &c->notes;
    s->facts |= LINT_IS_READABLE | (c->entry_count > 0 ? LINT_CRL_HAS_ENTRIES : 0) |
                (c->ext.count > 0 ? LINT_HAS_EXTENSIONS : 0);
    for (size_t i = 0; i < c->ext.count; i++) {
        enum x509_oid oid = c->ext.list[i].id.oid;
        s->facts |= extension_fact(&c->ext.list[i].id);
        s->facts |= oid == X509_OID_DELTA_CRL ? LINT_CRL_IS_DELTA : 0;
        s->facts |= oid == X509_OID_ISSUING_DISTRIBUTION_POINT ? LINT_CRL_HAS_IDP : 0;
    }
    s->facts |= c->ext.idp_only_ca ? LINT_CRL_OF_CAS : 0;
    s->day = day_that_counts(in, c->this_update);
    if (in->crl != NULL && in->crl_facts != NULL) {
        s->crl_facts = in->crl_facts;
        return LT_OK;
    }
    struct lint_crl_facts *facts = LT_NEW(s->arena, struct lint_crl_facts);
    LT_CHECK(facts != NULL, LT_PEER_TOO_LARGE, "no room for what is known of a CRL's entries");
    lint_crl_facts_find(c, s->arena, facts);
    s->crl_facts = facts;
    return LT_OK;
}

static lt_res ocsp_init(struct lint_subject *s)
{
    struct lint_ocsp *own = LT_NEW(s->arena, struct lint_ocsp);
    LT_CHECK(own != NULL, LT_PEER_TOO_LARGE, "no room for an OCSP response");
    LT_TRY(readable(s, lint_ocsp_decode(s->in->der, s->arena, own)));
    s->ocsp = own;
    s->notes = &own->notes;
    if ((s->facts & LINT_IS_READABLE) == 0) {
        *own = (struct lint_ocsp){.notes = own->notes};
        return LT_OK;
    }
    /* zlint's choice: the rules of the day until which the response is good */
    lt_time last = own->response_count > 0 ? own->responses[0].next_update : (lt_time){0};
    s->day = day_that_counts(s->in, last);
    return LT_OK;
}

static lt_res csr_init(struct lint_subject *s)
{
    struct x509_csr *own = LT_NEW(s->arena, struct x509_csr);
    LT_CHECK(own != NULL, LT_PEER_TOO_LARGE, "no room for a certification request");
    if (over(s, X509_CSR_DECODED_BYTES)) {
        *own = (struct x509_csr){0};
        s->csr = own;
        return LT_OK;
    }
    LT_TRY(readable(s, x509_csr_decode(s->in->der, s->arena, own)));
    s->csr = own;
    s->notes = &own->notes;
    if ((s->facts & LINT_IS_READABLE) == 0) {
        *own = (struct x509_csr){.notes = own->notes};
        return LT_OK;
    }
    s->facts |= key_fact(own->spki.type) | (own->subject.count > 0 ? LINT_HAS_SUBJECT : 0) |
                (own->ext.count > 0 ? LINT_HAS_EXTENSIONS : 0);
    for (size_t i = 0; i < own->ext.count; i++) {
        s->facts |= extension_fact(&own->ext.list[i].id);
    }
    s->day = day_that_counts(s->in, (lt_time){0});
    return LT_OK;
}

/* All of the input, whichever way it was given. */
static lt_slice input_bytes(const struct lint_input *in)
{
    lt_slice der = in->der;
    if (der.len == 0 && in->cert != NULL) {
        der = in->cert->der.len > 0 ? in->cert->der : in->cert->tbs;
    } else if (der.len == 0 && in->crl != NULL) {
        der = in->crl->der.len > 0 ? in->crl->der : in->crl->tbs;
    }
    return der;
}

/* NULL when they did not decode. */
static const struct x509_extensions *extensions_of(const struct lint_subject *s)
{
    if ((s->facts & LINT_IS_READABLE) == 0) {
        return NULL;
    }
    switch (s->in->kind) {
    case LINT_CERTIFICATE:
        return &s->cert->ext;
    case LINT_CRL:
        return &s->crl->ext;
    case LINT_CSR:
        return &s->csr->ext;
    case LINT_OCSP:
        return &s->ocsp->ext;
    }
    return NULL;
}

lt_res lint_subject_init(struct lint_subject *s, const struct lint_input *in, struct lt_arena *a)
{
    static const struct lint_config defaults = {.crl_of_subscribers = true, .fermat_rounds = 100};
    static const struct x509_cert no_cert;
    static const struct x509_crl no_crl;
    static const struct lint_crl_facts no_facts;
    static const struct lint_ocsp no_ocsp;
    *s = (struct lint_subject){.in = in,
                               .der = input_bytes(in),
                               .arena = a,
                               .cert = &no_cert,
                               .crl = &no_crl,
                               .crl_facts = &no_facts,
                               .ocsp = &no_ocsp,
                               .config = in->config == NULL ? &defaults : in->config};
    s->facts = input_facts(in);
    switch (in->kind) {
    case LINT_CERTIFICATE:
        LT_TRY(cert_init(s));
        break;
    case LINT_CRL:
        LT_TRY(crl_init(s));
        break;
    case LINT_CSR:
        LT_TRY(csr_init(s));
        break;
    case LINT_OCSP:
        LT_TRY(ocsp_init(s));
        break;
    }
    struct lint_bytes bytes = {.whole = s->der};
    if (in->kind == LINT_CRL && in->crl != NULL && in->crl_facts != NULL) {
        bytes.known = in->crl->entries;
    }
    return lint_faults_find(&bytes, s->notes, extensions_of(s), a, &s->faults);
}
