/* The name of the rule set: what goes into every decision, so that a verdict can be judged later by the rules
 * that made it. An edition, and a hash over the sources of src/lint and the tables of data/lint and
 * data/keys, made by tools/rules-hash at build time: whoever changes a rule's row, its check or what it looks
 * up changes the name, too. Not in it: the decoders and libraries below (x509, crypto, libpsl, libidn2). */
#include "lint/lint.h"
#include "rules_hash.h"

const char *lint_rule_set(void)
{
    return "lintel-2026-11+" LINT_RULES_HASH;
}
