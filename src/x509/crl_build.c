/* Writing a CRL as a stream: an entry costs its bytes and nothing else. */
#include "x509/build.h"
#include "x509/crl.h"

/* An entry of ours with a reason: 2 + (2 + 17) + (2 + 13) + (2 + 2 + 10). */
enum { ENTRY_BYTES = 50, REASON_BYTES = 14, REASON_MAX = 10 };

/* TBSCertList ::= SEQUENCE { version v2(1), signature, issuer, thisUpdate, nextUpdate, revokedCertificates …
 */
void x509_crl_begin(struct x509_crl_builder *b, const struct x509_crl_spec *spec, struct lt_buf *out)
{
    *b = (struct x509_crl_builder){.spec = *spec};
    der_write_init(&b->w, out);
    size_t room = spec->entries_hint * ENTRY_BYTES;
    der_begin_hint(&b->w, DER_SEQUENCE, room + 256);
    der_put_small(&b->w, 1);
    der_put_raw(&b->w, x509_sig_alg_der(spec->sig_alg));
    der_put_raw(&b->w, spec->issuer);
    der_put_time(&b->w, spec->this_update);
    der_put_time(&b->w, spec->next_update);
}

/* SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions SEQUENCE { reasonCode
 * ENUMERATED } }
 *= RFC 5280 5.3.1 "the reason code CRL entry extension SHOULD be absent instead of using the unspecified (0)
 * reasonCode value" */
void x509_crl_add(struct x509_crl_builder *b, lt_slice serial, lt_time revoked, uint32_t reason)
{
    LT_ASSERT(reason <= REASON_MAX);
    if (b->count++ == 0) {
        der_begin_hint(&b->w, DER_SEQUENCE, b->spec.entries_hint * ENTRY_BYTES);
    }
    der_begin(&b->w, DER_SEQUENCE);
    der_put_unsigned(&b->w, serial);
    der_put_time(&b->w, revoked);
    if (reason != 0) {
        const uint8_t extensions[REASON_BYTES] = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
                                                  0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, (uint8_t)reason};
        der_put_raw(&b->w, LT_SLICE(extensions, sizeof(extensions)));
    }
    der_end(&b->w);
}

/*= RFC 5280 5.2.5 "this extension is critical" IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0]
 *{ fullName = [0] { URI [6] } }, onlyContainsUserCerts [1], onlyContainsCACerts [2] } */
static void issuing_point_put(struct der_writer *w, const struct x509_crl_spec *s)
{
    static const uint8_t yes = 0xff;
    x509_ext_begin(w, X509_OID_ISSUING_DISTRIBUTION_POINT, true);
    der_begin(w, DER_SEQUENCE);
    der_begin(w, DER_CONTEXT_CONS(0));
    der_begin(w, DER_CONTEXT_CONS(0));
    der_put(w, DER_CONTEXT(X509_GN_URI), s->idp_url);
    der_end(w);
    der_end(w);
    if (s->only_user_certificates) {
        der_put(w, DER_CONTEXT(1), LT_SLICE(&yes, 1));
    }
    if (s->only_ca_certificates) {
        der_put(w, DER_CONTEXT(2), LT_SLICE(&yes, 1));
    }
    der_end(w);
    x509_ext_end(w);
}

/* … crlExtensions [0] EXPLICIT SEQUENCE { authorityKeyIdentifier, cRLNumber, issuingDistributionPoint } } */
lt_res x509_crl_end(struct x509_crl_builder *b)
{
    const struct x509_crl_spec *s = &b->spec;
    LT_CHECK(s->number.len > 0 && s->number.len <= 20, LT_PEER_MALFORMED, "a CRL number of %zu bytes",
             s->number.len);
    LT_CHECK(s->sig_alg != X509_SIG_UNKNOWN && s->issuer.len > 0 && s->aki.len > 0, LT_PEER_MALFORMED,
             "the CRL's algorithm, issuer or key identifier is missing");
    if (b->count > 0) {
        der_end(&b->w);
    }
    der_begin(&b->w, DER_CONTEXT_CONS(0));
    der_begin(&b->w, DER_SEQUENCE);
    x509_ext_put_aki(&b->w, s->aki);
    x509_ext_begin(&b->w, X509_OID_CRL_NUMBER, false);
    der_put_unsigned(&b->w, s->number);
    x509_ext_end(&b->w);
    if (s->idp_url.len > 0) {
        issuing_point_put(&b->w, s);
    }
    der_end(&b->w);
    der_end(&b->w);
    der_end(&b->w);
    return der_write_done(&b->w);
}
