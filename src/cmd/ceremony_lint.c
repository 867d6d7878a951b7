/* What the linter says of the bytes that a ceremony would sign: shown to everybody who reads the script, and
 *an error keeps it from being planned, unless who plans it says that it is known. No signature exists yet. =
 *CABF-BR 4.3.1.2 "the CA SHALL implement such a Linting process" */
#include <string.h>

#include "cmd/ceremony.h"
#include "cmd/cmd.h"
#include "lint/lint.h"

enum { WORK_MAX = 64 * 1024 * 1024 };

/* Whether what this issuer signs is judged by the rules of the web. */
static bool is_of_the_web(const struct ceremony *k)
{
    for (size_t i = 0; i < k->profiles.count; i++) {
        const struct ca_profile *p = k->profiles.rows[i];
        if (ca_profile_by_tls_br(p) && strcmp(p->issuer, k->script.issuer) == 0) {
            return true;
        }
    }
    return false;
}

static struct lint_input input_of(const struct ceremony *k)
{
    struct lint_input in = {
        .kind = LINT_CERTIFICATE,
        .der = k->script.tbs,
        .bare = true,
        .role = LINT_ROLE_SUB_CA,
        .issuer = &k->root,
        .signing_time = k->c->now,
    };
    if (strcmp(k->script.action, "crl") == 0) {
        in.kind = LINT_CRL;
        in.role = LINT_ROLE_ROOT;
        in.sources = is_of_the_web(k) ? LINT_SOURCES_ALL : ca_lint_sources(LINT_PROFILE_PRIVATE);
        return in;
    }
    const struct ca_profile *p = ca_profiles_find(&k->profiles, lt_slice_cstr(k->script.profile));
    in.profile = p == NULL ? LINT_PROFILE_AUTO : p->lint_profile;
    in.sources = ca_lint_sources(in.profile);
    return in;
}

static lt_res judge(struct ceremony *k, bool planning, struct lt_arena *a)
{
    struct lint_input in = input_of(k);
    struct lint_results r;
    LT_TRY(lint_run(&in, a, &r));
    for (size_t i = 0; i < r.count && !k->c->json; i++) {
        const struct lint_finding *f = &r.list[i];
        LT_TRY(cmd_printf("linter: %s %s: %s (%s)\n", lint_status_name(f->level), f->rule->id, f->message,
                          f->rule->citation));
    }
    for (size_t i = 0; i < r.count && planning && !cmd_flag(k->c, "accept-findings"); i++) {
        const struct lint_finding *f = &r.list[i];
        LT_CHECK(f->level < LINT_ERROR, LT_POLICY_LINT,
                 "%s: %s (%s); --accept-findings plans it all the same, and approvers see why", f->rule->id,
                 f->message, f->rule->citation);
    }
    return LT_OK;
}

lt_res ceremony_lint(struct ceremony *k, bool planning)
{
    struct lt_arena a;
    if (strcmp(k->script.action, "restore") == 0) {
        return LT_OK; /* nothing new is signed */
    }
    lt_arena_init(&a, WORK_MAX);
    lt_res r = judge(k, planning, &a);
    lt_arena_done(&a);
    return r;
}
