/* The signer's fixed-field reader beside the strict parser that shares nothing with it: what both take is no
 * CA.
 *
 * Input: a byte (1: a CRL, 2: an issuer's certificate, else a certificate), then the to-be-signed bytes. The
 * order is made to fit, so that the reader gets as far as it can. */
#include <stdint.h>

#include "signer/fixed.h"
#include "x509/cert.h"
#include "x509/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 1 << 22 };

static void certificate(lt_slice tbs, struct lt_arena *a)
{
    struct x509_cert cert = {0};
    bool parsed = !lt_failed(x509_tbs_parse(tbs, a, &cert));
    struct fixed_issuer issuer = {.subject = LT_LIT("\x30\x00"),
                                  .algorithm = LT_LIT("\x30\x00"),
                                  .not_before = {INT64_MIN},
                                  .not_after = {INT64_MAX}};
    struct fixed_order o = {.number = LT_LIT("\x01"), .tbs = tbs};
    if (parsed) {
        issuer.subject = cert.issuer.der;
        issuer.algorithm = cert.sig_alg_der;
        o.number = cert.serial;
        o.now = cert.not_before;
        o.precertificate = cert.ext.ct_poison;
    }
    lt_res r = fixed_check_certificate(&issuer, &o);
    uint32_t forbidden = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN;
    LT_ASSERT(lt_failed(r) || !parsed || (!cert.ext.ca && (cert.ext.key_usage & forbidden) == 0));
    LT_ASSERT(lt_failed(r) || !parsed || cert.version == 3);
}

static void crl(lt_slice tbs, struct lt_arena *a)
{
    struct x509_crl parsed = {0};
    bool good = !lt_failed(x509_crl_tbs_parse(tbs, a, &parsed));
    struct fixed_issuer issuer = {.subject = LT_LIT("\x30\x00"), .algorithm = LT_LIT("\x30\x00")};
    struct fixed_order o = {.number = LT_LIT("\x01"), .tbs = tbs};
    if (good) {
        issuer.subject = parsed.issuer.der;
        issuer.algorithm = parsed.sig_alg_der;
        o.number = parsed.ext.crl_number;
        o.now = parsed.this_update;
    }
    lt_res r = fixed_check_crl(&issuer, &o);
    LT_ASSERT(lt_failed(r) || !good || (parsed.ext.has_crl_number && parsed.has_next_update));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct lt_arena a;
    lt_arena_init(&a, ARENA_MAX);
    lt_slice rest = LT_SLICE(data + 1, size - 1);
    struct fixed_issuer issuer;
    if (data[0] == 1) {
        crl(rest, &a);
    } else if (data[0] == 2) {
        (void)fixed_read_issuer(rest, &issuer); /* only that it ends */
    } else {
        certificate(rest, &a);
    }
    lt_arena_done(&a);
    return 0;
}
