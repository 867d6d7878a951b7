/* The primary's statement against the question that it answers, on every path that takes one. The validator
 * reads strangers' bytes all day: what it says of itself goes into the evidence only as it can be. */
#include <string.h>

#include "acme/desk_private.h"
#include "validate/methods.h"

enum {
    MARGIN_S = 300,     /* between our look at the time and the validator's */
    RESOLVER_MAX = 160, /* bytes; engine.c has room for less */
    BUILD_MORE_MAX = 160,
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Perspectives' places in a set are counted from the primary one, which speaks in its own name alone. */
static const char *speaker_refusal(const struct acme_desk *d, const struct ca_turn *t,
                                   const Ipc__Validated *v)
{
    size_t len = strlen(t->book->build);
    bool ours = strncmp(v->build, t->book->build, len) == 0;
    bool tells = ours && d->always_valid && strncmp(v->build + len, " (", 2) == 0 &&
                 strlen(v->build) < len + BUILD_MORE_MAX;
    if (!is(v->perspective, "primary")) {
        return "it speaks for another perspective";
    }
    if (!is(v->build, t->book->build) && !tells) {
        return "another build than this CA's made it";
    }
    return strlen(v->resolver) > RESOLVER_MAX ? "its resolver has no name" : NULL;
}

/* The rule is the table's, not the validator's word. One that failed for want of a worker names none. */
static bool fits_rule(const struct acme_asked *asked, const Ipc__Validated *v)
{
    const struct validate_method *m = validate_method_find(asked->method, asked->type);
    return (m != NULL && is(v->ruleset, m->ruleset)) || (!v->ok && v->ruleset[0] == '\0');
}

/* Did it begin its way up at the name itself, and since it was asked? The bug of 2020: CAA of another name.
 */
static const char *caa_refusal(const struct acme_asked *asked, const Ipc__CaaCheck *caa)
{
    if (caa->n_looked_up == 0 || !is(caa->looked_up[0], asked->name)) {
        return "it permits without having looked at the name";
    }
    return caa->checked_us < lt_time_add_seconds(asked->since, -MARGIN_S).us ? "it is older than its question"
                                                                             : NULL;
}

const char *acme_statement_refusal(const struct acme_desk *d, const struct ca_turn *t,
                                   const struct acme_asked *asked, const Ipc__Validated *v)
{
    if (v->identifier == NULL || !is(v->identifier->type, asked->type) ||
        !is(v->identifier->value, asked->name) || !is(v->method, asked->method)) {
        return "it is about another name or method";
    }
    const char *why = speaker_refusal(d, t, v);
    if (why != NULL) {
        return why;
    }
    if (!fits_rule(asked, v)) {
        return "it follows another rule than the method's";
    }
    if (v->ok && ((v->wildcard != 0) != asked->wildcard || (v->subdomains != 0) != asked->subdomains)) {
        return "it is about more or fewer names than were asked";
    }
    bool looked = v->ok && v->caa != NULL && !d->always_valid;
    return looked ? caa_refusal(asked, v->caa) : NULL;
}
