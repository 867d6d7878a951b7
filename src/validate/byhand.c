/* For subscribers without automation: a random value that a person puts into the DNS (BR 3.2.2.4.7) or on the
 * web (BR 3.2.2.4.18). Same look-ups, same connection, same evidence as the methods of ACME.
 *
 * A label before the name must begin with an underscore: whoever may make names such as "x1y2.example.com" in
 * a zone that is open to many does not control it. A generator that dropped the underscore on one path cost
 * 83,267 certificates in 2024 (Bugzilla 1910322): here the label is checked where it is used. */
#include <string.h>

#include "validate/dns_txt.h"
#include "validate/engine.h"

enum { EXPECTED_MIN = 16 }; /* letters; 112 bits are the generator's business */

/* False: there is nothing that could be found by accident; the job has ended. */
static bool has_value(struct validate_job *j)
{
    if (strlen(j->request->expected) < EXPECTED_MIN) {
        validate_job_end(j, "serverInternal", "%s was asked for without a random value.", j->request->method);
    }
    return !j->ended;
}

/* The first alias of a name under a label: its leftmost label is the random value. */
static bool alias_fits(const struct validate_job *j, const struct validate_dns *d)
{
    const struct validate_dns_message *m = d->message;
    if (m->chain_count < 2 || j->request->token[0] == '\0') {
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
        validate_note_record(j, validate_shown(j, text));
        found = found || lt_slice_eq_cstr(text, expected);
    }
    if (found) {
        validate_note_digest(j, lt_slice_cstr(expected));
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
    if (!has_value(j)) {
        return;
    }
    if (q->token[0] == '\0') {
        validate_txt_begin(j, q->identifier->value, judge);
        return;
    }
    /*= CABF-BR 3.2.2.4.7 "an Authorization Domain Name that is prefixed with a Domain Label that begins with
     * an underscore character" */
    if (!validate_underscore_label(lt_slice_cstr(q->token))) {
        validate_job_end(j, "malformed", "The label \"%s\" before %s does not begin with an underscore.",
                         validate_shown(j, lt_slice_cstr(q->token)), q->identifier->value);
        return;
    }
    char *name = lt_arena_printf(&j->arena, "%s.%s", q->token, q->identifier->value);
    LT_ASSERT(name != NULL); /* the arena's cap is far off */
    validate_txt_begin(j, name, judge);
}

const struct validate_method_hooks validate_dns_change = {
    .name = "dns-change", .begin = begin_dns_change, .timed_out = validate_txt_timed_out};

/* Letters, digits, "-", "_", ".": and no dot in front. */
static bool is_file_name(lt_slice s)
{
    bool fine = s.len > 0 && s.len <= 64 && s.ptr[0] != '.';
    for (size_t i = 0; i < s.len && fine; i++) {
        uint8_t c = s.ptr[i];
        fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.';
    }
    return fine;
}

const char *validate_website_path(struct validate_job *j)
{
    const Ipc__Validate *q = j->request;
    const char *file = q->token[0] == '\0' ? "lintel.txt" : q->token;
    if (!has_value(j)) {
        return NULL;
    }
    /*= CABF-BR 3.2.2.4.18 "The entire Request Token or Random Value MUST NOT appear in the request used to
     * retrieve the file" */
    if (!is_file_name(lt_slice_cstr(file)) || strstr(file, q->expected) != NULL) {
        validate_job_end(j, "malformed", "\"%s\" is no name for the file.",
                         validate_shown(j, lt_slice_cstr(file)));
        return NULL;
    }
    /*= CABF-BR 3.2.2.4.18 "MUST be located under the "/.well-known/pki-validation" directory" */
    char *path = lt_arena_printf(&j->arena, "/.well-known/pki-validation/%s", file);
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
