/* SubjectPublicKeyInfo and signature algorithm identifiers. */
#include "x509/spki.h"

/* The kinds of EC and Edwards keys: coordinates of so many bytes. */
static const struct kind {
    enum x509_key_type type;
    enum x509_oid oid; /* curve, or the algorithm itself */
    const char *name;
    unsigned bits;
    size_t size;
} kinds[] = {
    {X509_KEY_P256, X509_OID_P256, "P-256", 256, 32},
    {X509_KEY_P384, X509_OID_P384, "P-384", 384, 48},
    {X509_KEY_P521, X509_OID_P521, "P-521", 521, 66},
    {X509_KEY_ED25519, X509_OID_ED25519, "Ed25519", 256, 32},
};

static const struct kind *kind_by_oid(enum x509_oid oid)
{
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (kinds[i].oid == oid) {
            return &kinds[i];
        }
    }
    return NULL;
}

static const struct kind *kind_by_type(enum x509_key_type type)
{
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (kinds[i].type == type) {
            return &kinds[i];
        }
    }
    return NULL;
}

const char *x509_key_type_name(enum x509_key_type type)
{
    const struct kind *k = kind_by_type(type);
    return k != NULL ? k->name : type == X509_KEY_RSA ? "RSA" : "unknown";
}

static unsigned bit_length(lt_slice magnitude)
{
    unsigned bits = (unsigned)(magnitude.len * 8);
    for (uint8_t mask = 0x80; mask > 0 && magnitude.len > 0 && (magnitude.ptr[0] & mask) == 0; mask >>= 1) {
        bits--;
    }
    return bits;
}

/* Parameters that nobody here understands. */
static void skip(struct der_cursor *alg)
{
    uint32_t tag = DER_NONE;
    lt_slice rest = {0};
    while (der_more(alg)) {
        (void)der_any(alg, &tag, &rest, NULL); /* sticky: ends the loop */
    }
}

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static void rsa_read(struct der_cursor *alg, struct der_cursor *c, struct x509_spki *s)
{
    /*= RFC 3279 2.3.1 "The parameters field MUST have ASN.1 type NULL for this algorithm identifier." */
    if (der_is_next(alg, DER_NULL)) {
        der_null(alg);
    } else {
        der_wart(alg, alg->pos, "rsaEncryption without NULL as its parameters");
        skip(alg);
    }
    struct der_cursor bits = der_into(c, s->key);
    struct der_cursor seq = der_enter(&bits, DER_SEQUENCE);
    s->modulus = der_unsigned(&seq);
    s->exponent = der_unsigned(&seq);
    der_leave(&bits, &seq);
    if (!der_ok(&bits)) {
        /* no key, but what stands around it can still be read */
        s->modulus = s->exponent = (lt_slice){0};
        der_wart(c, bits.bad, bits.why);
        return;
    }
    der_leave(c, &bits);
    s->type = X509_KEY_RSA;
    s->bits = bit_length(s->modulus);
}

static void point_read(struct der_cursor *c, const struct kind *k, struct x509_spki *s)
{
    uint8_t form = s->key.len > 0 ? s->key.ptr[0] : 0;
    bool edwards = k->type == X509_KEY_ED25519;
    bool fits = edwards ? s->key.len == k->size
                        : (form == 4 && s->key.len == 1 + 2 * k->size) ||
                              ((form == 2 || form == 3) && s->key.len == 1 + k->size);
    if (!fits) {
        der_wart(c, s->key.ptr, "a public key that is no point of its curve's size");
        return;
    }
    s->point = s->key;
    s->type = k->type;
    s->bits = k->bits;
}

static void key_read(struct der_cursor *alg, struct der_cursor *c, struct x509_spki *s)
{
    enum x509_oid oid = x509_oid_find(der_oid(alg));
    const struct kind *k = kind_by_oid(oid);
    if (oid == X509_OID_RSA) {
        rsa_read(alg, c, s);
        return;
    }
    if (oid == X509_OID_EC && der_is_next(alg, DER_OID)) {
        k = kind_by_oid(x509_oid_find(der_oid(alg)));
        if (k != NULL && k->type == X509_KEY_ED25519) {
            k = NULL;
        }
    } else if (k != NULL && k->type != X509_KEY_ED25519) {
        k = NULL; /* a curve is no algorithm */
    }
    if (k != NULL) {
        /*= RFC 8410 3 "the parameters MUST be absent": what is left here fails in der_leave */
        point_read(c, k, s);
        return;
    }
    skip(alg);
}

/* SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING } */
lt_res x509_spki_read(struct der_cursor *c, struct x509_spki *ret_spki)
{
    struct x509_spki s = {0};
    struct der_cursor ahead = *c;
    s.der = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    struct der_cursor copy = seq;
    s.algorithm = der_read_whole(&copy, DER_SEQUENCE);
    struct der_cursor alg = der_enter(&seq, DER_SEQUENCE);
    s.key = der_bitstring_octets(&seq);
    if (der_ok(&seq)) {
        key_read(&alg, &seq, &s);
    }
    der_leave(&seq, &alg);
    der_leave(c, &seq);
    *ret_spki = der_ok(c) ? s : (struct x509_spki){0};
    return LT_OK;
}

lt_res x509_spki_parse(lt_slice der, struct x509_spki *ret_spki)
{
    struct der_cursor c = der_open(der);
    LT_TRY(x509_spki_read(&c, ret_spki));
    return der_done(&c, "public key");
}

/*= CABF-BR 6.1.6 "The CA SHALL confirm that the value of the public exponent is an odd number equal to 3 or
 * more. Additionally, the public exponent SHOULD be in the range between 2^16 + 1 and 2^256 - 1." */
static lt_res rsa_check(const struct x509_spki *s)
{
    LT_CHECK(s->bits >= X509_RSA_BITS_MIN && s->bits <= X509_RSA_BITS_MAX, LT_PEER_UNSUPPORTED,
             "an RSA key of %u bits: %d to %d are taken", s->bits, X509_RSA_BITS_MIN, X509_RSA_BITS_MAX);
    LT_CHECK(s->bits % 8 == 0, LT_PEER_UNSUPPORTED, "an RSA key of %u bits: no multiple of 8", s->bits);
    LT_CHECK((s->modulus.ptr[s->modulus.len - 1] & 1) == 1, LT_PEER_UNSUPPORTED,
             "an RSA modulus that is even");
    lt_slice e = s->exponent;
    bool small = e.len < 3 || (e.len == 3 && e.ptr[0] == 1 && e.ptr[1] == 0 && e.ptr[2] == 0);
    LT_CHECK((e.ptr[e.len - 1] & 1) == 1 && !small && e.len <= 32, LT_PEER_UNSUPPORTED,
             "an RSA exponent that is even, below 65537 or over 256 bits");
    return LT_OK;
}

lt_res x509_spki_check(const struct x509_spki *spki)
{
    LT_CHECK(spki->type != X509_KEY_UNKNOWN, LT_PEER_UNSUPPORTED, "a kind of key that is not taken here");
    if (spki->type == X509_KEY_RSA) {
        return rsa_check(spki);
    }
    LT_CHECK(spki->type == X509_KEY_ED25519 || (spki->point.len > 0 && spki->point.ptr[0] == 4),
             LT_PEER_UNSUPPORTED, "a compressed point: send the key uncompressed");
    return LT_OK;
}

/* AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL } */
void x509_spki_write(struct der_writer *w, const struct x509_spki *spki)
{
    const struct kind *k = kind_by_type(spki->type);
    LT_ASSERT(k != NULL || spki->type == X509_KEY_RSA);
    der_begin(w, DER_SEQUENCE);
    der_begin(w, DER_SEQUENCE);
    if (k == NULL) {
        der_put_oid(w, x509_oid_der(X509_OID_RSA));
        der_put_null(w);
        der_end(w);
        der_begin(w, DER_BIT_STRING);
        lt_buf_add_byte(w->out, 0);
        der_begin(w, DER_SEQUENCE);
        der_put_unsigned(w, spki->modulus);
        der_put_unsigned(w, spki->exponent);
        der_end(w);
        der_end(w);
    } else {
        if (k->type != X509_KEY_ED25519) {
            der_put_oid(w, x509_oid_der(X509_OID_EC));
        }
        der_put_oid(w, x509_oid_der(k->oid));
        der_end(w);
        der_put_bitstring(w, spki->point);
    }
    der_end(w);
}

/* Each whole AlgorithmIdentifier, so that finding one is comparing bytes: RSA with NULL parameters (RFC 4055
 * 5), ECDSA (RFC 5758 3.2) and Ed25519 (RFC 8410 3) without any. */
#define BYTES(bytes_) (bytes_), sizeof(bytes_) - 1
static const struct {
    const char *der;
    size_t len;
    const char *name;
} algorithms[X509_SIG_COUNT] = {
    [X509_SIG_UNKNOWN] = {BYTES(""), "unknown"},
    [X509_SIG_ECDSA_SHA256] = {BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"),
                               "ecdsa-with-SHA256"},
    [X509_SIG_ECDSA_SHA384] = {BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"),
                               "ecdsa-with-SHA384"},
    [X509_SIG_ECDSA_SHA512] = {BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"),
                               "ecdsa-with-SHA512"},
    [X509_SIG_RSA_SHA256] = {BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"),
                             "sha256WithRSAEncryption"},
    [X509_SIG_RSA_SHA384] = {BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"),
                             "sha384WithRSAEncryption"},
    [X509_SIG_RSA_SHA512] = {BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"),
                             "sha512WithRSAEncryption"},
    [X509_SIG_ED25519] = {BYTES("\x30\x05\x06\x03\x2b\x65\x70"), "Ed25519"},
};

lt_slice x509_sig_alg_der(enum x509_sig_alg alg)
{
    LT_ASSERT((unsigned)alg < X509_SIG_COUNT);
    return LT_SLICE(algorithms[alg].der, algorithms[alg].len);
}

enum x509_sig_alg x509_sig_alg_find(lt_slice der)
{
    for (size_t i = 1; i < X509_SIG_COUNT; i++) {
        if (lt_slice_eq(der, x509_sig_alg_der((enum x509_sig_alg)i))) {
            return (enum x509_sig_alg)i;
        }
    }
    return X509_SIG_UNKNOWN;
}

const char *x509_sig_alg_name(enum x509_sig_alg alg)
{
    LT_ASSERT((unsigned)alg < X509_SIG_COUNT);
    return algorithms[alg].name;
}

/*= CABF-BR 7.1.3.2.2 "If the signing key is P-256, the signature MUST use ECDSA with SHA-256." */
static const struct {
    enum x509_key_type type;
    enum x509_sig_alg alg;
} pairs[] = {
    {X509_KEY_P256, X509_SIG_ECDSA_SHA256}, {X509_KEY_P384, X509_SIG_ECDSA_SHA384},
    {X509_KEY_P521, X509_SIG_ECDSA_SHA512}, {X509_KEY_RSA, X509_SIG_RSA_SHA256},
    {X509_KEY_RSA, X509_SIG_RSA_SHA384},    {X509_KEY_RSA, X509_SIG_RSA_SHA512},
    {X509_KEY_ED25519, X509_SIG_ED25519},
};

enum x509_sig_alg x509_sig_alg_for(enum x509_key_type type)
{
    for (size_t i = 0; i < LT_COUNT(pairs); i++) {
        if (pairs[i].type == type) {
            return pairs[i].alg;
        }
    }
    return X509_SIG_UNKNOWN;
}

bool x509_sig_alg_fits(enum x509_sig_alg alg, enum x509_key_type type)
{
    for (size_t i = 0; i < LT_COUNT(pairs); i++) {
        if (pairs[i].type == type && pairs[i].alg == alg) {
            return true;
        }
    }
    return false;
}
