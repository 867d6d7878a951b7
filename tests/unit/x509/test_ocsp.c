/* OCSP: requests as OpenSSL makes them and as nobody should, and responses held against bytes. */
#include "../check.h"

#include <stdlib.h>

#include "der/writer.h"
#include "x509/ocsp.h"

/* `openssl ocsp -reqout`: SHA-1 without a nonce, SHA-256, a nonce of 16, two certificates. */
#define CERTID_SHA1                                                                                          \
    "300906052b0e03021a05000414d1b5bcf76264f520c44d490ea5087a0af2654f7f041440e3a7e7e4a16198b0255e2761c91b2e" \
    "d7"                                                                                                     \
    "aee541"
#define SHA1 "304b3049304730453043" CERTID_SHA1 "020a0102030405060708090a"
#define SHA256                                                                                               \
    "3067306530633061305f300d060960864801650304020105000420d0a522f00f788b4ec56e65c2f895f96e454f649bf4825c0e" \
    "f"                                                                                                      \
    "63547b08ab2c5520420e092746c8df61a6d291b1ec5e65a4c7a828fa7f29ca35f8b45b3b38d1f88fc49020a010203040506070" \
    "8090a"
#define NONCE                          \
    "30683066303f303d303b" CERTID_SHA1 \
    "02027f00a2233021301f06092b06010505073001020412041067d5c8fc9e5d84d639484b94dfa4cd2d"
#define TWO "308180307e307c303c303a" CERTID_SHA1 "020101303c303a" CERTID_SHA1 "020102"

static lt_slice bytes_of(const char *hex, uint8_t *room, size_t size)
{
    size_t len = strlen(hex) / 2;
    assert_true(len <= size);
    for (size_t i = 0; i < len; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        room[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return LT_SLICE(room, len);
}

static void what_clients_send(void **state)
{
    (void)state;
    uint8_t room[256];
    struct x509_ocsp_request q;
    assert_ok(x509_ocsp_request_parse(bytes_of(SHA1, room, sizeof room), &q));
    assert_int_equal(q.certid.hash, X509_OCSP_SHA1);
    assert_int_equal(q.certid.name_hash.len, 20);
    assert_int_equal(q.certid.key_hash.ptr[0], 0x40);
    assert_true(lt_slice_eq(q.certid.serial, LT_LIT("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a")));
    assert_int_equal(q.nonce.len, 0);
    assert_ok(x509_ocsp_request_parse(bytes_of(SHA256, room, sizeof room), &q));
    assert_int_equal(q.certid.hash, X509_OCSP_SHA256);
    assert_int_equal(q.certid.name_hash.len, 32);
    assert_ok(x509_ocsp_request_parse(bytes_of(NONCE, room, sizeof room), &q));
    assert_int_equal(q.nonce.len, 16);
    assert_true(lt_slice_eq(q.certid.serial, LT_LIT("\x7f\x00")));
    /* a version that is written out though it is the default, as some clients do */
    assert_ok(x509_ocsp_request_parse(bytes_of("3050304ea00302010030473045"
                                               "3043" CERTID_SHA1 "020a0102030405060708090a",
                                               room, sizeof room),
                                      &q));
    /* a zero in front, where the sign needs it */
    assert_ok(x509_ocsp_request_parse(
        bytes_of("30433041303f303d303b" CERTID_SHA1 "0202008d", room, sizeof room), &q));
    assert_true(lt_slice_eq(q.certid.serial, LT_LIT("\x8d")));
}

static void no_answer(void **state)
{
    (void)state;
    uint8_t room[256];
    struct x509_ocsp_request q;
    assert_fails(x509_ocsp_request_parse(bytes_of(TWO, room, sizeof room), &q), LT_PEER_UNSUPPORTED);
    assert_fails(
        x509_ocsp_request_parse(bytes_of("30423040303e303c303a" CERTID_SHA1 "0201ff", room, sizeof room), &q),
        LT_PEER_UNSUPPORTED);
    assert_fails(x509_ocsp_request_parse(bytes_of("305630543052"
                                                  "3050304e" CERTID_SHA1
                                                  "02150102030405060708090a0b0c0d0e0f101112131415",
                                                  room, sizeof room),
                                         &q),
                 LT_PEER_UNSUPPORTED);
    lt_slice md5 = bytes_of(SHA1, room, sizeof room);
    room[18] = 0x19; /* the last arc of the hash: one that nobody has */
    assert_fails(x509_ocsp_request_parse(md5, &q), LT_PEER_UNSUPPORTED);
}

static void malformed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "00",
        "3000",
        "30023000",
        "300430023000",                                                /* a list of nothing */
        SHA1 "00",                                                     /* something behind it */
        "304a3049304730453043" CERTID_SHA1 "020a0102030405060708090a", /* a length that does not fit */
        "30813b3049304730453043" CERTID_SHA1 "020a0102030405060708090a",
        "30423040303e303c303a" CERTID_SHA1 "020000",
        "30433041303f303d303b" CERTID_SHA1 "02020001", /* a serial that is not minimal */
        "3050304ea00302010130473045"
        "3043" CERTID_SHA1 "020a0102030405060708090a", /* version 2 */
        /* a nonce of none, two of them, and a critical extension that nobody knows */
        "30583056303f303d303b" CERTID_SHA1 "02027f00a2133011300f06092b060105050730010204020400",
        "30663064303f303d303b" CERTID_SHA1 "02027f00a221301f300d06092b0601050507300102040030"
        "0e06092b060105050730010204010a",
        "305d305b303f303d303b" CERTID_SHA1 "02027f00a2183016301406092b060105050730010901"
        "01ff0404deadbeef",
    };
    uint8_t room[512];
    struct x509_ocsp_request q;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = x509_ocsp_request_parse(bytes_of(rows[i], room, sizeof room), &q);
        if (r.code != LT_PEER_MALFORMED) {
            print_error("row %zu\n", i);
        }
        assert_int_equal(r.code, LT_PEER_MALFORMED);
    }
    /* each end that is too early, and each byte more than there is room for */
    lt_slice whole = bytes_of(NONCE, room, sizeof room);
    for (size_t len = 0; len < whole.len; len++) {
        assert_fails(x509_ocsp_request_parse(LT_SLICE(room, len), &q), LT_PEER_MALFORMED);
    }
    static uint8_t large[X509_OCSP_REQUEST_MAX + 1];
    assert_fails(x509_ocsp_request_parse(LT_SLICE(large, sizeof large), &q), LT_PEER_MALFORMED);
}

/* A nonce of 1 to 128 is taken, none and one of 129 are not. */
static void long_nonces(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 32, 128, 129};
    for (size_t k = 0; k < LT_COUNT(lens); k++) {
        size_t len = lens[k];
        uint8_t der[512];
        uint8_t certid[80];
        lt_slice id = bytes_of("303b" CERTID_SHA1 "02027f00", certid, sizeof certid);
        struct x509_ocsp_request q;
        struct lt_buf out;
        struct der_writer w;
        uint8_t nonce[129] = {1};
        lt_buf_init(&out, sizeof der);
        der_write_init(&w, &out);
        for (int i = 0; i < 4; i++) {
            der_begin(&w, DER_SEQUENCE); /* OCSPRequest, TBSRequest, requestList, Request */
        }
        der_put_raw(&w, id);
        der_end(&w);
        der_end(&w);
        der_begin(&w, DER_CONTEXT_CONS(2));
        der_begin(&w, DER_SEQUENCE);
        der_begin(&w, DER_SEQUENCE);
        der_put_oid(&w, LT_LIT("\x2b\x06\x01\x05\x05\x07\x30\x01\x02"));
        der_begin(&w, DER_OCTET_STRING);
        der_put_octets(&w, LT_SLICE(nonce, len));
        for (int i = 0; i < 6; i++) {
            der_end(&w);
        }
        assert_ok(der_write_done(&w));
        lt_res r = x509_ocsp_request_parse(lt_buf_slice(&out), &q);
        assert_int_equal(r.code, len > 0 && len <= 128 ? 0 : LT_PEER_MALFORMED);
        lt_buf_done(&out);
    }
}

static struct x509_ocsp_data good(void)
{
    static const uint8_t hash[32] = {7};
    return (struct x509_ocsp_data){
        .responder_key_hash = LT_SLICE(hash, 20),
        .produced = lt_time_from_seconds(1795000000),
        .certid = {X509_OCSP_SHA1, LT_SLICE(hash, 20), LT_SLICE(hash, 20), LT_LIT("\x8d\x01")},
        .this_update = lt_time_from_seconds(1795000000),
        .next_update = lt_time_from_seconds(1795345600),
    };
}

static bool holds(lt_slice all, const char *hex)
{
    uint8_t room[64];
    lt_slice part = bytes_of(hex, room, sizeof room);
    for (size_t i = 0; i + part.len <= all.len; i++) {
        if (lt_slice_eq(lt_slice_sub(all, i, part.len), part)) {
            return true;
        }
    }
    return false;
}

static void what_is_said(void **state)
{
    (void)state;
    struct lt_buf out;
    struct x509_ocsp_data d = good();
    lt_buf_init(&out, 1024);
    assert_ok(x509_ocsp_data_write(&d, &out));
    assert_ok(der_check(lt_buf_slice(&out)));
    assert_true(holds(lt_buf_slice(&out), "0203008d01"
                                          "8000"
                                          "180f"));
    lt_buf_reset(&out);
    d.status = X509_OCSP_UNKNOWN;
    d.next_update = (lt_time){0};
    assert_ok(x509_ocsp_data_write(&d, &out));
    assert_true(holds(lt_buf_slice(&out), "8200"
                                          "180f") &&
                !holds(lt_buf_slice(&out), "a011180f"));
    lt_buf_reset(&out);
    d.status = X509_OCSP_REVOKED;
    d.revoked = lt_time_from_seconds(1794990000);
    assert_ok(x509_ocsp_data_write(&d, &out));
    assert_true(holds(lt_buf_slice(&out), "a111180f")); /* without a reason */
    lt_buf_reset(&out);
    d.reason = 4;
    assert_ok(x509_ocsp_data_write(&d, &out));
    assert_true(holds(lt_buf_slice(&out), "a116180f") && holds(lt_buf_slice(&out), "a0030a0104"));
    lt_buf_done(&out);
    lt_buf_init(&out, 40); /* what does not fit is said */
    assert_fails(x509_ocsp_data_write(&d, &out), LT_PEER_TOO_LARGE);
    lt_buf_done(&out);
}

static void no_response(void **state)
{
    (void)state;
    uint8_t bytes[X509_OCSP_ERROR_LEN];
    x509_ocsp_error_write(X509_OCSP_TRY_LATER, bytes);
    assert_memory_equal(bytes, "\x30\x03\x0a\x01\x03", sizeof bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_clients_send), cmocka_unit_test(no_answer),    cmocka_unit_test(malformed),
        cmocka_unit_test(long_nonces),       cmocka_unit_test(what_is_said), cmocka_unit_test(no_response),
    };
    return cmocka_run_group_tests_name("ocsp", tests, NULL, NULL);
}
