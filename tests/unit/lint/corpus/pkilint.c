/* pkilint's fixtures: where it expects an error, we have one about the same node; where it expects none, we
 * have none. Files for ETSI profiles and for bare PKIX are looked at, too, and counted apart. */
#include "corpus.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *profile; /* begins so */
    enum lint_role role;
    enum lint_profile ours;
} profiles[] = {
    {"tls_br/dv_", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_TLS_DV},
    {"tls_br/ov_", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_TLS_OV},
    {"tls_br/iv_", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_TLS_IV},
    {"tls_br/ev_", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_TLS_EV},
    {"tls_br/external_cross_ca", LINT_ROLE_CROSS_CA, LINT_PROFILE_TLS},
    {"tls_br/internal_cross_ca", LINT_ROLE_CROSS_CA, LINT_PROFILE_TLS},
    {"tls_br/internal_subscriber_issuing_cross_ca", LINT_ROLE_CROSS_CA, LINT_PROFILE_TLS},
    {"tls_br/non_tls_ca", LINT_ROLE_SUB_CA, LINT_PROFILE_AUTO},
    {"tls_br/ocsp_responder", LINT_ROLE_OCSP_RESPONDER, LINT_PROFILE_TLS},
    {"tls_br/root_ca", LINT_ROLE_ROOT, LINT_PROFILE_TLS},
    {"tls_br/", LINT_ROLE_SUB_CA, LINT_PROFILE_TLS},
    {"pkix/crl", LINT_ROLE_AUTO, LINT_PROFILE_AUTO},
    {"pkix", LINT_ROLE_AUTO, LINT_PROFILE_PRIVATE},
    {"smime_br/mailbox/legacy", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_MV_LEGACY},
    {"smime_br/mailbox/multipurpose", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_MV_MULTIPURPOSE},
    {"smime_br/mailbox/strict", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_MV_STRICT},
    {"smime_br/organization/legacy", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_OV_LEGACY},
    {"smime_br/organization/multipurpose", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_OV_MULTIPURPOSE},
    {"smime_br/organization/strict", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_OV_STRICT},
    {"smime_br/sponsored/legacy", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_SV_LEGACY},
    {"smime_br/sponsored/multipurpose", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_SV_MULTIPURPOSE},
    {"smime_br/sponsored/strict", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_SV_STRICT},
    {"smime_br/individual/legacy", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_IV_LEGACY},
    {"smime_br/individual/multipurpose", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_IV_MULTIPURPOSE},
    {"smime_br/individual/strict", LINT_ROLE_SUBSCRIBER, LINT_PROFILE_SMIME_IV_STRICT},
};

static bool is_crl(lt_slice profile)
{
    return lt_slice_ends(profile, LT_LIT("/crl")) || lt_slice_ends(profile, LT_LIT("/arl"));
}

/* TLS, S/MIME and CRLs: those that must agree. */
static bool is_measured(lt_slice profile)
{
    return is_crl(profile) || lt_slice_starts(profile, LT_LIT("tls_br/")) ||
           lt_slice_starts(profile, LT_LIT("smime_br/"));
}

/* ---- nodes ---- */

static lt_slice component(lt_slice path, size_t n)
{
    lt_slice part = {0};
    for (size_t i = 0; i <= n; i++) {
        if (!lt_slice_split(&path, '.', &part)) {
            return (lt_slice){0};
        }
    }
    return part;
}

/* Components that both have, from the start. */
static size_t common(lt_slice a, lt_slice b, bool *ret_prefix)
{
    for (size_t n = 0;; n++) {
        lt_slice x = component(a, n);
        lt_slice y = component(b, n);
        if (x.len == 0 || y.len == 0 || !lt_slice_eq_nocase(x, y)) {
            *ret_prefix = x.len == 0 || y.len == 0;
            return n;
        }
    }
}

/* What holds fields and is none: a finding there is about something that is missing. */
static bool is_container(lt_slice path)
{
    return lt_slice_eq_cstr(path, "certificate") || lt_slice_eq_cstr(path, "certificate.tbsCertificate") ||
           lt_slice_eq_cstr(path, "certificate.tbsCertificate.extensions") ||
           lt_slice_eq_cstr(path, "certificateList") ||
           lt_slice_eq_cstr(path, "certificateList.tbsCertList") ||
           lt_slice_eq_cstr(path, "certificateList.tbsCertList.crlExtensions");
}

/* The same, or one inside the other within a field of the to-be-signed part or an extension. Both ends of the
 * validity are one field. A thing that is missing may be missed in any of the containers around it. */
static bool same_node(lt_slice theirs, lt_slice ours)
{
    bool prefix = false;
    size_t n = common(theirs, ours, &prefix);
    if (is_container(theirs) || is_container(ours)) {
        return prefix && (is_container(theirs) == is_container(ours) || n >= 3);
    }
    return prefix || lt_slice_eq_cstr(component(theirs, 2), "validity") ? n >= 3 : false;
}

static bool error_at(const struct lint_results *r, lt_slice node)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->list[i].level >= LINT_ERROR && same_node(node, lt_slice_cstr(r->list[i].path))) {
            return true;
        }
    }
    return false;
}

/* ---- files ---- */

enum { ROWS_MAX = 64 };
static const int64_t pkilint_day = LINT_DAY(2026, 4, 1); /* of the version that the expectations are of */

struct tally {
    const struct corpus_options *options;
    struct corpus_reasons *reasons;
    bool quiet;
    size_t errors;
    size_t found;
    size_t found_later; /* by rules that are younger than the object: pkilint knows no dates for most of its
                           own */
    size_t found_elsewhere; /* an error, but not about that node */
    size_t explained;
    size_t clean;
    size_t clean_kept;
    size_t clean_explained;
};

static bool is_error(const struct corpus_row *row)
{
    return lt_slice_eq_cstr(row->field[4], "ERROR") || lt_slice_eq_cstr(row->field[4], "FATAL");
}

static void missed(struct tally *t, const struct corpus_row *row, const struct lint_results *r)
{
    const lt_slice *f = row->field;
    if (corpus_explained(t->reasons, f[0], f[5], (lt_slice){0}, (lt_slice){0})) {
        t->explained++;
        return;
    }
    t->found_elsewhere += r->worst >= LINT_ERROR;
    if (t->quiet) {
        return;
    }
    printf("%s\t%.*s\t%.*s\t%.*s\t%.*s\n", r->worst >= LINT_ERROR ? "elsewhere" : "miss", LT_FMT(f[0]),
           LT_FMT(f[5]), LT_FMT(f[2]), LT_FMT(f[6]));
    if (t->options->verbose || r->worst >= LINT_ERROR) {
        corpus_print(r, (lt_slice){0}, t->options->verbose ? LINT_NOTICE : LINT_ERROR);
    }
}

static void expected_clean(struct tally *t, const struct corpus_row *row, const struct lint_results *r)
{
    size_t alarms = 0;
    t->clean++;
    for (size_t i = 0; i < r->count; i++) {
        lt_slice id = lt_slice_cstr(r->list[i].rule->id);
        if (r->list[i].level < LINT_ERROR ||
            corpus_explained(t->reasons, row->field[0], id, (lt_slice){0}, (lt_slice){0})) {
            continue;
        }
        alarms++;
        if (t->quiet) {
            continue;
        }
        printf("false alarm\t%.*s\t%s\t%s\t%s\n", LT_FMT(row->field[0]), r->list[i].rule->id, r->list[i].path,
               r->list[i].message);
    }
    t->clean_kept += alarms == 0 && r->worst < LINT_ERROR;
    t->clean_explained += alarms == 0 && r->worst >= LINT_ERROR;
}

static void judge_file(struct tally *t, const struct corpus_row *rows, size_t count)
{
    char path[CORPUS_PATH_MAX];
    lt_slice profile = rows->field[1];
    (void)snprintf(path, sizeof(path), "pkilint/%.*s", LT_FMT(rows->field[0]));
    struct corpus_object object = {
        .file = path, .kind = is_crl(profile) ? LINT_CRL : LINT_CERTIFICATE, .config = lint_config_default()};
    for (size_t i = 0; i < LT_COUNT(profiles); i++) {
        if (lt_slice_starts(profile, lt_slice_cstr(profiles[i].profile))) {
            object.role = profiles[i].role;
            object.profile = profiles[i].ours;
            break;
        }
    }
    const struct lint_results *r = corpus_judge(&object);
    size_t errors = 0;
    bool found[ROWS_MAX] = {false};
    LT_ASSERT(count <= ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        errors += is_error(&rows[i]);
        found[i] = is_error(&rows[i]) && error_at(r, rows[i].field[2]);
        t->found += found[i];
    }
    t->errors += errors;
    if (errors == 0) {
        expected_clean(t, rows, r);
        return;
    }
    object.as_of = pkilint_day;
    r = corpus_judge(&object);
    for (size_t i = 0; i < count; i++) {
        if (!is_error(&rows[i])) {
            continue;
        }
        bool later = !found[i] && error_at(r, rows[i].field[2]);
        t->found_later += later;
        if (found[i] || later) {
            corpus_refute(t->reasons, rows[i].field[0], rows[i].field[5]);
        } else {
            missed(t, &rows[i], r);
        }
    }
}

static bool wanted(const struct corpus_options *o, const struct corpus_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (corpus_wanted(o, rows[i].field[5]) || corpus_wanted(o, rows[i].field[0])) {
            return true;
        }
    }
    return false;
}

void corpus_pkilint(const struct corpus_options *o, struct corpus_result *ret)
{
    struct corpus_table table;
    struct corpus_reasons reasons;
    struct tally t = {.options = o, .reasons = &reasons};
    struct tally others = {.options = o, .reasons = &reasons, .quiet = !o->verbose};
    size_t next = 0;
    corpus_reasons_read(PKILINT_DIFFERS, &reasons);
    corpus_read_shared("pkilint-expect.tsv", "file\tprofile", &table);
    for (size_t i = 0; i < table.count; i = next) {
        const struct corpus_row *rows = &table.rows[i];
        for (next = i; next < table.count && lt_slice_eq(table.rows[next].field[0], rows->field[0]);) {
            next++;
        }
        if (wanted(o, rows, next - i)) {
            judge_file(is_measured(rows->field[1]) ? &t : &others, rows, next - i);
        }
    }
    corpus_free(&table);
    corpus_figure(ret, "errors expected", (double)t.errors);
    corpus_figure(ret, "errors with one of ours at the node", (double)t.found);
    corpus_figure(ret, "errors found by rules younger than the object", (double)t.found_later);
    corpus_figure(ret, "errors with one of ours elsewhere", (double)t.found_elsewhere);
    corpus_figure(ret, "errors explained", (double)t.explained);
    corpus_figure(ret, "errors found or explained, percent",
                  corpus_percent(t.found + t.found_later + t.explained, t.errors));
    corpus_figure(ret, "clean files", (double)t.clean);
    corpus_figure(ret, "clean files without an error", (double)t.clean_kept);
    corpus_figure(ret, "clean files with explained errors", (double)t.clean_explained);
    corpus_figure(ret, "clean files kept or explained, percent",
                  corpus_percent(t.clean_kept + t.clean_explained, t.clean));
    corpus_figure(ret, "other profiles: errors expected", (double)others.errors);
    corpus_figure(ret, "other profiles: at the node", (double)(others.found + others.found_later));
    corpus_figure(ret, "other profiles: clean files", (double)others.clean);
    corpus_figure(ret, "other profiles: clean without an error", (double)others.clean_kept);
    corpus_figure(ret, "stale", (double)corpus_stale(&reasons));
    corpus_reasons_free(&reasons);
}
