/* Algorithms by their OID. */
#include "lint/rules/key_alg.h"

struct alg {
    const char *oid; /* content */
    size_t len;
    int alg;
};
#define OID(oid_, alg_)                  \
    {                                    \
        (oid_), sizeof(oid_) - 1, (alg_) \
    }

static const struct alg keys[] = {
    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", LINT_KEY_ALG_RSA),
    OID("\x2a\x86\x48\xce\x3d\x02\x01", LINT_KEY_ALG_EC),
    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", LINT_KEY_ALG_RSA_PSS),
    OID("\x2a\x86\x48\xce\x38\x04\x01", LINT_KEY_ALG_DSA),
    OID("\x2b\x65\x70", LINT_KEY_ALG_ED25519),
    OID("\x2b\x65\x6e", LINT_KEY_ALG_X25519),
};

static const struct alg signatures[] = {
    OID("\x2a\x86\x48\xce\x3d\x04\x03\x03", LINT_SIG_ALG_ECDSA_SHA384),
    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", LINT_SIG_ALG_RSA_SHA256),
    OID("\x2a\x86\x48\xce\x3d\x04\x03\x02", LINT_SIG_ALG_ECDSA_SHA256),
    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", LINT_SIG_ALG_RSA_SHA384),
    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", LINT_SIG_ALG_RSA_SHA512),
    OID("\x2a\x86\x48\xce\x3d\x04\x03\x04", LINT_SIG_ALG_ECDSA_SHA512),
    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", LINT_SIG_ALG_RSA_SHA1),
    OID("\x2b\x0e\x03\x02\x1d", LINT_SIG_ALG_RSA_SHA1),
    OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", LINT_SIG_ALG_RSA_PSS),
    OID("\x2a\x86\x48\xce\x38\x04\x03", LINT_SIG_ALG_DSA_SHA1),
    OID("\x60\x86\x48\x01\x65\x03\x04\x03\x02", LINT_SIG_ALG_DSA_SHA256),
    OID("\x2a\x86\x48\xce\x3d\x04\x01", LINT_SIG_ALG_ECDSA_SHA1),
    OID("\x2b\x65\x70", LINT_SIG_ALG_ED25519),
};

/* AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL } */
static int find(const struct alg *list, size_t count, lt_slice algorithm)
{
    struct der_cursor c = der_open(algorithm);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    lt_slice oid = der_read(&seq, DER_OID);
    for (size_t i = 0; i < count; i++) {
        if (lt_slice_eq(oid, LT_SLICE(list[i].oid, list[i].len))) {
            return list[i].alg;
        }
    }
    return 0;
}

enum lint_key_alg lint_key_alg(const struct x509_spki *spki)
{
    return (enum lint_key_alg)find(keys, LT_COUNT(keys), spki->algorithm);
}

enum lint_sig_alg lint_sig_alg(lt_slice algorithm)
{
    return (enum lint_sig_alg)find(signatures, LT_COUNT(signatures), algorithm);
}

/* SEQUENCE { id-RSASSA-PSS, SEQUENCE { [0] { SHA-n, NULL }, [1] { MGF1, { SHA-n, NULL } }, [2] salt } } */
#define PSS(hash_, salt_)                                                                               \
    "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48"  \
    "\x01\x65\x03\x04\x02" hash_ "\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" \
    "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" hash_ "\x05\x00\xa2\x03\x02\x01" salt_

bool lint_pss_usual(lt_slice algorithm)
{
    return lt_slice_eq(algorithm, LT_LIT(PSS("\x01", "\x20"))) ||
           lt_slice_eq(algorithm, LT_LIT(PSS("\x02", "\x30"))) ||
           lt_slice_eq(algorithm, LT_LIT(PSS("\x03", "\x40")));
}

unsigned lint_bits(lt_slice magnitude)
{
    unsigned bits = (unsigned)magnitude.len * 8;
    for (unsigned mask = 0x80; magnitude.len > 0 && mask > 0 && (magnitude.ptr[0] & mask) == 0; mask >>= 1) {
        bits--;
    }
    return bits;
}
