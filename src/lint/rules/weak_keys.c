/* RSA keys of subscribers that anybody can find the other half of (BR 6.1.1.3). */
#include "lint/keys.h"
#include "lint/rules.h"

/*= CABF-BR 6.1.1.3 "The CA SHALL reject a certificate request if one or more of the following conditions are
 * met": a key of Debian's broken generator, of ROCA, of close primes */
static void flaw(const struct lint_subject *s, struct lint_report *r)
{
    if (s->key == NULL || (s->key->flaws & (unsigned)r->rule->value) == 0) {
        return;
    }
    if (r->rule->value == LINT_KEY_FERMAT) {
        lint_found(r, s->cert->spki.der, "the modulus falls apart in round %u of Fermat's method",
                   s->key->fermat_round);
    } else {
        lint_found(r, s->cert->spki.der, "the modulus has the mark of a generator that is broken");
    }
}

#define ROW(flaw_)                                                                                    \
    .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .citation = "BR 6.1.1.3", \
    .when = LINT_HAS_RSA | LINT_IS_SUBSCRIBER | LINT_IS_TLS, .effective = LINT_DAY(2024, 11, 15),     \
    .check = flaw, .value = LINT_KEY_##flaw_

static const struct lint_rule rows[] = {
    {"lintel_br_key_roca", .asks = "the key is none of the generator of CVE-2017-15361 (ROCA)", ROW(ROCA)},
    {"lintel_br_key_close_primes", .asks = "100 rounds of Fermat's method do not find the factors of the key",
     ROW(FERMAT)},
    {"lintel_br_key_debian", .asks = "the key is none of Debian's generator of CVE-2008-0166", ROW(DEBIAN)},
};
const struct lint_table lint_weak_keys = LINT_TABLE(rows);
