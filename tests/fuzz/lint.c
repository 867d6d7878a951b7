/* All rules of the linter over any bytes, as every kind of object, in every role and by every profile, with
 * and without what only an issuer has. It ends, it answers with one status per rule, and what it points to
 * lies in the input.
 *
 * Input: kind and flags, role, profile, then the object. Half of the mutations leave the lengths right. */
#include <string.h>

#include "lint/keys.h"
#include "lint/lint.h"
#include "mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

enum { ARENA_MAX = 16 << 20, HEAD = 3 };
enum { BARE = 1 << 2, ITS_ISSUER = 1 << 3, ITS_PRECERTIFICATE = 1 << 4, TIMED = 1 << 5, WITH_KEYS = 1 << 6 };

static void check_results(const struct lint_input *in, const struct lint_results *r)
{
    size_t rules = 0;
    for (size_t i = 0; i < LINT_STATUS_COUNT; i++) {
        rules += r->tally[i];
    }
    LT_ASSERT(rules == lint_rule_count());
    for (size_t i = 0; i < r->count; i++) {
        const struct lint_finding *f = &r->list[i];
        LT_ASSERT(f->offset <= in->der.len && f->len <= in->der.len - f->offset);
        LT_ASSERT(f->message != NULL && f->path != NULL && f->level <= LINT_FATAL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum lint_kind kinds[] = {LINT_CERTIFICATE, LINT_CRL, LINT_OCSP, LINT_CSR};
    static struct lint_keys *keys;
    struct lint_evidence evidence = {.known = true, .serial_uses = 1, .names_validated = 1};
    struct x509_cert itself;
    struct lt_arena a;
    struct lint_results r;
    if (size < HEAD) {
        return 0;
    }
    if (keys == NULL) {
        keys = lint_keys_new(16);
    }
    lt_arena_init(&a, ARENA_MAX);
    struct lint_input in = {
        .kind = kinds[data[0] & 3],
        .der = LT_SLICE(data + HEAD, size - HEAD),
        .bare = (data[0] & BARE) != 0,
        .role = (enum lint_role)(data[1] % LINT_ROLE_COUNT),
        .profile = (enum lint_profile)(data[2] % LINT_PROFILE_COUNT),
        .keys = (data[0] & WITH_KEYS) != 0 ? keys : NULL,
    };
    if ((data[0] & TIMED) != 0) {
        in.signing_time = lt_time_from_seconds(1780272000);
        in.evidence = &evidence;
    }
    if ((data[0] & (ITS_ISSUER | ITS_PRECERTIFICATE)) != 0 && in.kind == LINT_CERTIFICATE &&
        !lt_failed(x509_cert_decode(in.der, &a, &itself))) {
        in.issuer = (data[0] & ITS_ISSUER) != 0 ? &itself : NULL;
        in.precertificate = (data[0] & ITS_PRECERTIFICATE) != 0 ? &itself : NULL;
    }
    if (!lt_failed(lint_run(&in, &a, &r))) {
        check_results(&in, &r);
    }
    lt_arena_done(&a);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (size <= HEAD || max <= HEAD || seed % 2 == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    return HEAD + der_mutate(data + HEAD, size - HEAD, max - HEAD, seed);
}
