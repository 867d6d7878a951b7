/* The name of the rule set: what goes into every decision, so that a verdict can be judged later by the rules
 * that made it. It changes with every row: whoever adds, dates or raises one changes the name, too. */
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "lint/lint.h"

enum { HASH_DIGITS = 12 };

#define EDITION "lintel-2026-11"

static void add_text(struct crypto_stream *s, const char *text)
{
    static const char none[] = "";
    crypto_stream_add(s, lt_slice_cstr(text == NULL ? none : text));
    crypto_stream_add(s, LT_SLICE(none, 1)); /* the NUL ends a field */
}

static void add_row(struct crypto_stream *s, const struct lint_rule *r)
{
    char numbers[160];
    (void)snprintf(numbers, sizeof numbers, "%d %d %u %llx %llx %lld %lld %lld", (int)r->source,
                   (int)r->level, r->kinds, (unsigned long long)r->when, (unsigned long long)r->unless,
                   (long long)r->effective, (long long)r->retired, (long long)r->value);
    add_text(s, r->id);
    add_text(s, r->citation);
    add_text(s, r->formerly);
    add_text(s, numbers);
}

/* Of a single thread at first: programs ask once at their start. */
const char *lint_rule_set(void)
{
    static char name[sizeof(EDITION) + 1 + HASH_DIGITS];
    if (name[0] != 0) {
        return name;
    }
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct crypto_stream s;
    size_t count = lint_rule_count();
    crypto_stream_init(&s, CRYPTO_SHA256);
    for (size_t i = 0; i < count; i++) {
        add_row(&s, lint_rule_at(i));
    }
    crypto_stream_finish(&s, hash);
    crypto_stream_done(&s);
    size_t at = (size_t)snprintf(name, sizeof name, EDITION "+");
    for (size_t i = 0; i < HASH_DIGITS / 2; i++) {
        at += (size_t)snprintf(name + at, sizeof name - at, "%02x", hash[i]);
    }
    return name;
}
