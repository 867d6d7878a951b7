/* Certificates: what parses is one well-formed element whose to-be-signed bytes parse alone; names and
 * alternative names have a text; every lint rule survives it, in every role. */
#include "x509/cert.h"
#include "der/reader.h"
#include "lint/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 4 << 20, TEXT_MAX = 4 << 20 };

static void texts(const struct x509_cert *c)
{
    struct lt_buf out;
    lt_buf_init(&out, TEXT_MAX);
    x509_name_text(&c->issuer, &out);
    x509_name_text(&c->subject, &out);
    for (size_t i = 0; i < c->ext.san.count; i++) {
        x509_general_name_text(&c->ext.san.list[i], &out);
    }
    for (size_t i = 0; i < c->ext.count; i++) {
        x509_oid_text(c->ext.list[i].id.der, &out);
    }
    lt_buf_done(&out);
}

static void lint(const struct x509_cert *c, struct lt_arena *a)
{
    static struct lint_results results;
    for (int role = 0; role < LINT_ROLE_COUNT; role++) {
        struct lint_input in = {
            .kind = LINT_CERTIFICATE,
            .cert = c,
            .role = (enum lint_role)role,
            .issuer = c,
        };
        lt_res r = lint_run(&in, a, &results);
        LT_ASSERT(lt_failed(r) || results.tally[LINT_RESERVED] < lint_rule_count());
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct x509_cert c;
    struct x509_cert bare;
    lt_arena_init(&a, ARENA_MAX);
    if (!lt_failed(x509_cert_parse(LT_SLICE(data, size), &a, &c))) {
        LT_ASSERT(!lt_failed(x509_tbs_parse(c.tbs, &a, &bare)));
        LT_ASSERT(lt_slice_eq(bare.serial, c.serial) && lt_slice_eq(bare.spki.der, c.spki.der));
        LT_ASSERT(c.serial.len >= 1 && c.serial.len <= 20);
    }
    if (!lt_failed(x509_cert_decode(LT_SLICE(data, size), &a, &c))) {
        texts(&c);
        lint(&c, &a);
    }
    lt_arena_done(&a);
    return 0;
}
