#ifndef TESTS_UNIT_X509_KEYS_H
#define TESTS_UNIT_X509_KEYS_H
/* Keys of every type that Lintel signs with, made by OpenSSL, which also signs here. */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "x509/spki.h"

struct test_key {
    const char *name;
    enum x509_key_type type;
    unsigned bits;
    EVP_PKEY *key;
    uint8_t *spki;
    size_t spki_len;
};

enum { TEST_KEYS = 7 };
extern struct test_key test_keys[TEST_KEYS];

/* For cmocka_run_group_tests. */
int test_keys_make(void **state);
int test_keys_free(void **state);
lt_slice test_key_spki(const struct test_key *k);
/* Signs with the algorithm; appends the signature to out (raw bytes of the BIT STRING). */
void test_sign(const struct test_key *k, enum x509_sig_alg alg, lt_slice tbs, struct lt_buf *out);

#endif
