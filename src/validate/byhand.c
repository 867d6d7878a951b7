/* For subscribers without automation: a random value that a person puts into the DNS (BR 3.2.2.4.7) or on the
 * web (BR 3.2.2.4.18). Same look-ups, same connection, same evidence as the methods of ACME.
 *
 * A label before the name must begin with an underscore: whoever may make names such as "x1y2.example.com" in
 * a zone that is open to many does not control it. A generator that dropped the underscore on one path cost
 * 83,267 certificates in 2024 (Bugzilla 1910322): here question.c lets no question through whose label is
 * another than ours. */
#include <string.h>

#include "validate/engine.h"

/* The first alias of a name under a label: its leftmost label is the random value. */
static bool alias_fits(const struct validate_job *j, const struct validate_dns *d)
{
    const struct validate_dns_message *m = d->message;
    if (m->chain_count < 2) {
        return false;
    }
    lt_slice target = lt_slice_cstr(m->chain[1]);
    lt_slice first = lt_slice_sub(target, 0, lt_slice_find(target, '.'));
    return lt_slice_eq_nocase(first, lt_slice_cstr(j->request->expected));
}

static void judge(struct validate_job *j, const struct validate_dns *d)
{
    const struct validate_dns_message *m = d->message;
    const char *expected = j->request->expected;
    bool found = alias_fits(j, d);
    for (size_t i = 0; i < m->count; i++) {
        lt_slice text = validate_txt_of(j, m->records[i]);
        found = found || lt_slice_eq_cstr(text, expected);
    }
    if (found) {
        validate_job_end(j, NULL, "valid");
        return;
    }
    validate_job_end(j, m->count == 0 ? "unauthorized" : "incorrectResponse",
                     "None of %zu TXT records at %s, and no alias there, is the random value \"%s\".",
                     m->count, d->name, expected);
}

static void begin_dns_change(struct validate_job *j)
{
    const Ipc__Validate *q = j->request;
    char *name = lt_arena_printf(&j->arena, "%s.%s", q->token, q->identifier->value);
    LT_ASSERT(name != NULL); /* the arena's cap is far off */
    validate_txt_begin(j, name, judge);
}

const struct validate_method_hooks validate_dns_change = {
    .name = "dns-change", .begin = begin_dns_change, .timed_out = validate_txt_timed_out};

const char *validate_website_path(struct validate_job *j)
{
    /*= CABF-BR 3.2.2.4.18 "MUST be located under the "/.well-known/pki-validation" directory" */
    char *path = lt_arena_printf(&j->arena, "/.well-known/pki-validation/%s", j->request->token);
    LT_ASSERT(path != NULL); /* as above */
    return path;
}

bool validate_website_fits(lt_slice body, lt_slice expected)
{
    lt_slice line;
    bool found = false;
    while (lt_slice_split(&body, '\n', &line)) {
        while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' ')) {
            line.len--;
        }
        found = found || (expected.len > 0 && lt_slice_eq(line, expected));
    }
    return found;
}
