/* CRLs: what parses has exactly as many entries as the iterator gives, and its entries written by our own
 * builder are a CRL again. */
#include "x509/crl.h"

#include <string.h>

#include "lint/crl_facts.h"
#include "lint/lint.h"
#include "x509/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 4 << 20 };

static void again(const struct x509_crl *c, struct lt_arena *a)
{
    struct x509_crl_spec spec = {
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .issuer = c->issuer.der,
        .aki = LT_LIT("key"),
        .this_update = c->this_update,
        .next_update = c->this_update,
        .number = LT_LIT("\x01"),
    };
    struct lt_buf out;
    struct x509_crl_builder b;
    struct x509_crl_entry e;
    struct x509_crl copy;
    struct der_cursor at = der_open(c->entries);
    size_t count = 0;
    lt_buf_init(&out, ARENA_MAX);
    x509_crl_begin(&b, &spec, &out);
    while (x509_crl_next(&at, &e)) {
        x509_crl_add(&b, x509_serial_magnitude(e.serial), e.revoked, e.reason);
        count++;
    }
    LT_ASSERT(der_ok(&at) && count == c->entry_count);
    LT_ASSERT(!lt_failed(x509_crl_end(&b)) && !lt_failed(x509_crl_tbs_parse(lt_buf_slice(&out), a, &copy)));
    LT_ASSERT(copy.entry_count == count);
    lt_buf_done(&out);
}

/* What a linter sees: as many entries, whatever was noted; and every rule survives it. */
static void lint(const struct x509_crl *c, struct lt_arena *a)
{
    static struct lint_results results;
    struct der_notes scratch;
    struct der_cursor at = x509_crl_entries(c, &scratch);
    struct x509_crl_entry e;
    size_t count = 0;
    while (x509_crl_next(&at, &e)) {
        count++;
    }
    LT_ASSERT(der_ok(&at) && count == c->entry_count);
    struct lint_input in = {.kind = LINT_CRL, .crl = c, .role = LINT_ROLE_SUBSCRIBER};
    lt_res r = lint_run(&in, a, &results);
    (void)r; /* only that it survives */
}

static bool ascends(const struct x509_crl *c)
{
    struct der_cursor at = der_open(c->entries);
    struct x509_crl_entry e;
    lt_slice last = {0};
    bool good = true;
    while (x509_crl_next(&at, &e)) {
        lt_slice serial = x509_serial_magnitude(e.serial);
        good = good && (last.len == 0 || lt_slice_cmp(last, serial) < 0);
        last = serial;
    }
    return good;
}

/* Read in slices it is the same CRL, and the linter says the same of it. */
static void in_slices(lt_slice der, const struct x509_crl *whole, struct lt_arena *a)
{
    static struct lint_results as_whole;
    static struct lint_results sliced;
    struct x509_crl c;
    struct lint_crl_reading reading;
    struct lint_crl_facts facts;
    LT_ASSERT(lt_failed(x509_crl_open(der, a, &c)) == (whole->version != 2));
    if (whole->version != 2 || !ascends(whole)) {
        return;
    }
    LT_ASSERT(lt_slice_eq(c.entries, whole->entries) && c.entry_count == 0 &&
              c.ext.count == whole->ext.count);
    lint_crl_facts_begin(&reading, &c, &facts);
    while (lint_crl_facts_step(&reading, 3)) {
    }
    LT_ASSERT(facts.count == whole->entry_count);
    c.entry_count = facts.count;
    struct lint_input in = {.kind = LINT_CRL, .der = der, .crl = whole, .role = LINT_ROLE_SUBSCRIBER};
    if (lt_failed(lint_run(&in, a, &as_whole))) {
        return; /* no room */
    }
    in.crl = &c;
    in.crl_facts = &facts;
    if (!lt_failed(lint_run(&in, a, &sliced))) {
        LT_ASSERT(as_whole.count == sliced.count && as_whole.dropped == sliced.dropped &&
                  memcmp(as_whole.tally, sliced.tally, sizeof sliced.tally) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct x509_crl c;
    lt_arena_init(&a, ARENA_MAX);
    if (!lt_failed(x509_crl_parse(LT_SLICE(data, size), &a, &c))) {
        again(&c, &a);
        in_slices(LT_SLICE(data, size), &c, &a);
    }
    if (!lt_failed(x509_crl_decode(LT_SLICE(data, size), &a, &c))) {
        lint(&c, &a);
    }
    lt_arena_done(&a);
    return 0;
}
