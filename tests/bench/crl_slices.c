/* What the examiner's loop is kept for by a CRL of millions of entries: bench_crl_slices [ENTRIES]. Judges
 * one against the one before, slice by slice as role/examiner_crl.c does, and tells the CPU time of all
 * slices and of the longest: that, and not the time on the clock, since a machine that has other work
 * stretches both alike. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/x509/keys.h"
#include "ca/examine.h"
#include "x509/crl.h"
#include "x509/tbs.h"

enum { SLICE_ENTRIES = 2000, DAY = 86400, NEW_ONES = 1000 };

static struct x509_cert cert;
static struct lt_arena arena;

static double cpu_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(lt_res r)
{
    if (lt_failed(r)) {
        (void)fprintf(stderr, "%s\n", lt_error_last()->detail);
        exit(1);
    }
}

/* The issuer's certificate; nobody looks at its signature. */
static void make_issuer(lt_time now)
{
    static const uint8_t key_id[20] = {7};
    struct lt_buf name;
    struct lt_buf tbs;
    struct lt_buf signature;
    struct lt_buf der;
    struct der_writer w;
    struct x509_name_item item = {X509_OID_CN, LT_LIT("TLS")};
    lt_buf_init(&name, 1024);
    lt_buf_init(&tbs, 8192);
    lt_buf_init(&signature, 2048);
    lt_buf_init(&der, 8192);
    der_write_init(&w, &name);
    must(x509_name_write(&w, &item, 1));
    struct x509_tbs_spec s = {
        .sig_alg = x509_sig_alg_for(test_keys[0].type),
        .serial = LT_LIT("\x01"),
        .issuer = lt_buf_slice(&name),
        .subject = lt_buf_slice(&name),
        .not_before = lt_time_add_seconds(now, -DAY),
        .not_after = lt_time_add_seconds(now, 1000 * DAY),
        .spki = test_key_spki(&test_keys[0]),
        .ca = true,
        .key_usage = X509_KU_CRL_SIGN | X509_KU_KEY_CERT_SIGN,
        .ski = LT_SLICE(key_id, 20),
    };
    must(x509_tbs_build(&s, &tbs));
    test_sign(&test_keys[0], s.sig_alg, lt_buf_slice(&tbs), &signature);
    must(x509_assemble(lt_buf_slice(&tbs), s.sig_alg, lt_buf_slice(&signature), &der));
    must(x509_cert_parse(lt_arena_copy(&arena, lt_buf_slice(&der)), &arena, &cert));
}

static void write_list(size_t entries, uint64_t number, lt_time now, struct lt_buf *out)
{
    struct x509_crl_builder b;
    uint8_t digits[8];
    for (size_t i = 0; i < sizeof digits; i++) {
        digits[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    struct x509_crl_spec s = {
        .sig_alg = x509_sig_alg_for(cert.spki.type),
        .issuer = cert.subject.der,
        .aki = cert.ext.ski,
        .this_update = now,
        .next_update = lt_time_add_seconds(now, 7 * DAY),
        .number = LT_SLICE(digits, sizeof digits),
        .entries_hint = entries,
    };
    lt_buf_init(out, (size_t)512 << 20);
    x509_crl_begin(&b, &s, out);
    for (uint32_t i = 0; i < entries; i++) {
        const uint8_t serial[16] = {
            13, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 1, 2, 3};
        x509_crl_add(&b, LT_SLICE(serial, sizeof serial), lt_time_add_seconds(now, -3600), 4);
    }
    must(x509_crl_end(&b));
}

int main(int argc, char **argv)
{
    size_t entries = argc > 1 ? strtoul(argv[1], NULL, 10) : 3048289;
    lt_time now = lt_time_from_seconds(lt_time_seconds(lt_now()));
    static struct ca_profiles no_profiles;
    static char tls[] = "tls";
    struct lt_buf before;
    struct lt_buf next;
    struct ca_verdict v;
    (void)test_keys_make(NULL);
    lt_arena_init(&arena, 1 << 26);
    make_issuer(now);
    struct ca_examine_issuer issuer = {"tls", &cert, false};
    struct ca_examine x = {.profiles = &no_profiles,
                           .issuers = &issuer,
                           .issuer_count = 1,
                           .public_http_url = "http://ca.example.com"};
    write_list(entries - NEW_ONES, 1000, now, &before);
    write_list(entries, 1001, now, &next);
    uint8_t number[2] = {1001 >> 8, 1001 & 0xff};
    Ipc__CrlSignRequest m = IPC__CRL_SIGN_REQUEST__INIT;
    m.issuer = tls;
    m.number = (ProtobufCBinaryData){sizeof number, number};
    const struct ca_crl_asked asked = {.m = &m, .tbs = lt_buf_slice(&next), .before = lt_buf_slice(&before)};
    double begun = cpu_ms();
    double longest = 0;
    size_t slices = 0;
    double last = begun;
    struct ca_crl_judging *j = ca_examine_crl_begin(&x, &asked, now, &arena, &v);
    for (bool done = false; !done; slices++) {
        done = ca_examine_crl_go_on(j, SLICE_ENTRIES);
        double at = cpu_ms();
        longest = at - last > longest ? at - last : longest;
        last = at;
    }
    ca_examine_crl_end(j);
    printf("%zu entries, %zu bytes: %s; %zu slices, CPU %.0f ms, the longest %.2f ms\n", entries, next.len,
           v.refusal == NULL ? "may be signed" : v.detail, slices, last - begun, longest);
    return v.refusal == NULL ? 0 : 1;
}
