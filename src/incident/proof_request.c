/* Proofs with the form of a request or a certificate. What makes them proofs are words that nobody writes
 * into one for any other purpose. */
#include <string.h>

#include "base/text.h"
#include "crypto/verify.h"
#include "incident/proof_private.h"
#include "x509/cert.h"
#include "x509/csr.h"

enum { CN_MAX = 256 };

/* Content of the OIDs, with their headers. */
static const uint8_t sha2_oid[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02}; /* and 1 to 3 */
static const uint8_t nsa_oid[] = {0x2b, 6, 1, 5, 5, 7, 1, 23};                      /* RFC 7169: id-pe 23 */

/* Whoever can make two texts with one hash could have had the harmless one signed by the key's owner. */
static bool sound_algorithm(lt_slice sig_alg)
{
    if (x509_sig_alg_find(sig_alg) != X509_SIG_UNKNOWN) {
        return true;
    }
    struct der_cursor c = der_open(sig_alg);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    bool pss = x509_oid_find(der_oid(&seq)) == X509_OID_RSA_PSS;
    return pss && memmem(sig_alg.ptr, sig_alg.len, sha2_oid, sizeof sha2_oid) != NULL;
}

bool proof_signed(const struct x509_spki *spki, lt_slice sig_alg, lt_slice message, lt_slice signature,
                  struct incident_proof *p)
{
    if (!sound_algorithm(sig_alg)) {
        proof_say(p, INCIDENT_PROOF_NOTHING,
                  "signed with an algorithm other than SHA-2 with RSA, ECDSA, or Ed25519");
        return false;
    }
    switch (crypto_verify_any(spki, sig_alg, message, signature)) {
    case CRYPTO_FITS:
        return true;
    case CRYPTO_WRONG:
        proof_say(p, INCIDENT_PROOF_FORGED, "the signature was not made by this key");
        return false;
    case CRYPTO_UNKNOWN:
        break;
    }
    proof_say(p, INCIDENT_PROOF_UNREADABLE, "a key or signature of a kind that is not known here");
    return false;
}

static bool common_name(struct proof_look *l, const struct x509_name *name, lt_slice *ret_cn)
{
    struct lt_buf text;
    const struct x509_attribute *cn = x509_name_find(name, X509_OID_CN, 0);
    if (cn == NULL || x509_name_find(name, X509_OID_CN, 1) != NULL) {
        return false;
    }
    lt_buf_init(&text, CN_MAX);
    x509_attribute_text(cn, &text);
    *ret_cn = lt_arena_copy(l->arena, lt_buf_slice(&text));
    bool fits = !text.overflow && ret_cn->ptr != NULL;
    lt_buf_done(&text);
    return fits;
}

/* ---- requests ---- */

/* NoSecrecyAfforded ::= BOOLEAN; "critical" by its own rule. */
static bool no_secrecy(const struct x509_csr *csr)
{
    static const uint8_t yes[] = {1, 1, 0xff};
    for (size_t i = 0; i < csr->ext.count; i++) {
        const struct x509_extension *e = &csr->ext.list[i];
        if (lt_slice_eq(e->id.der, LT_SLICE(nsa_oid, sizeof nsa_oid))) {
            return e->critical && lt_slice_eq(e->value, LT_SLICE(yes, sizeof yes));
        }
    }
    return false;
}

/* What a common name says. */
static const struct words {
    const char *kind;
    const char *text;
    bool prefix;
} words[] = {
    {"kca", "kca=v1 This Key Is Compromised", false},
    {"csr",
     "The key that signed this CSR has been publicly disclosed. It should not be used for any purpose.",
     false},
    {"csr", "Proof of Key Compromise for ", true},
    {"nonce", INCIDENT_PROOF_NONCE_WORDS, true},
};

static const struct words *words_in(lt_slice cn)
{
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        lt_slice text = lt_slice_cstr(words[i].text);
        if (words[i].prefix ? lt_slice_starts(cn, text) && cn.len > text.len : lt_slice_eq(cn, text)) {
            return &words[i];
        }
    }
    return NULL;
}

static void judge_request(struct proof_look *l, struct incident_proof *p, const struct x509_csr *csr)
{
    lt_slice cn = {0};
    const struct words *w = common_name(l, &csr->subject, &cn) ? words_in(cn) : NULL;
    if (!proof_set_key(l, p, &csr->spki)) {
        return;
    }
    if (w == NULL) {
        proof_say(p, INCIDENT_PROOF_NOTHING,
                  "a plain certification request: these circulate, and say nothing of who has the key");
        return;
    }
    p->kind = w->kind;
    if (!proof_signed(&csr->spki, csr->sig_alg_der, csr->info, csr->signature, p)) {
        return;
    }
    if (strcmp(w->kind, "kca") == 0 && (csr->subject.count != 1 || !no_secrecy(csr))) {
        proof_say(
            p, INCIDENT_PROOF_NOTHING,
            "has the words of a key compromise attestation, but not its one name and critical extension");
        return;
    }
    if (strcmp(w->kind, "nonce") == 0) {
        lt_slice nonce = lt_slice_sub(cn, strlen(w->text), SIZE_MAX);
        char *copy = lt_arena_cstr(l->arena, nonce);
        if (copy == NULL || !incident_proof_nonce_form(nonce)) {
            proof_say(p, INCIDENT_PROOF_NOTHING, "what it names is no nonce of ours");
            return;
        }
        p->nonce = copy;
    }
    proof_say(p, INCIDENT_PROOF_PROVEN, "the key has signed that it is compromised");
}

bool proof_request(struct proof_look *l, lt_slice der)
{
    struct x509_csr csr;
    if (lt_failed(x509_csr_decode(der, l->arena, &csr)) || csr.signature.len == 0) {
        return false;
    }
    struct incident_proof *p = proof_add(l, "csr");
    if (p != NULL) {
        judge_request(l, p, &csr);
        proof_keep_key(l, csr.spki.der);
    }
    return true;
}

/* ---- certificates ---- */

/* The certificate that nobody would make for any use: of the year 1950, serial number 1, naming itself a
 * proof. */
static bool is_pock(struct proof_look *l, const struct x509_cert *c)
{
    static const uint8_t one[] = {1};
    static const char name[] = "--------------------PROOF OF COMPROMISED KEY--------------------";
    const struct lt_date day = {.year = 1950, .month = 1, .day = 1};
    lt_time when;
    lt_slice cn = {0};
    LT_ASSERT(!lt_failed(lt_time_of(&day, &when)));
    const struct x509_extension *bc = x509_extension_find(&c->ext, X509_OID_BASIC_CONSTRAINTS);
    return lt_slice_eq(c->subject.der, c->issuer.der) && c->subject.count == 1 &&
           common_name(l, &c->subject, &cn) && lt_slice_eq_cstr(cn, name) && c->not_before.us == when.us &&
           c->not_after.us == when.us &&
           lt_slice_eq(x509_serial_magnitude(c->serial), LT_SLICE(one, sizeof one)) && bc != NULL &&
           bc->critical && !c->ext.ca;
}

bool proof_certificate(struct proof_look *l, lt_slice der)
{
    struct x509_cert c;
    if (lt_failed(x509_cert_decode(der, l->arena, &c)) || c.signature.len == 0) {
        return false;
    }
    if (!is_pock(l, &c)) { /* says which key is meant, no more */
        proof_keep_key(l, c.spki.der);
        return true;
    }
    struct incident_proof *p = proof_add(l, "pock");
    if (p != NULL && proof_set_key(l, p, &c.spki) &&
        proof_signed(&c.spki, c.sig_alg_der, c.tbs, c.signature, p)) {
        proof_say(p, INCIDENT_PROOF_PROVEN, "the key has signed that it is compromised");
    }
    return true;
}

bool proof_public_key(struct proof_look *l, lt_slice der)
{
    struct x509_spki spki;
    if (lt_failed(x509_spki_parse(der, &spki))) {
        return false;
    }
    proof_keep_key(l, der);
    return true;
}
