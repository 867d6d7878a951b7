/* lintel incident plan: tiers by what has become of each certificate and by who can replace it, windows that
 * the measured capacity can bear, and what will be late all the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/ari_wave.h"
#include "ca/ready_tier.h"
#include "ca/reasons.h"
#include "ca/revoke.h"
#include "cmd/api.h"
#include "cmd/incident.h"
#include "cmd/mass.h"
#include "cmd/verbs.h"

enum {
    PATH_SIZE = 128,
    TEXT_MAX = 256 * 1024,
    TIERS_MAX = 15,
    POLL_MS = 100,
    POLLS = 6000,
    RESERVE_S = 900,
    REVOKED_PER_S = 20000, /* where no run tells */
    PUBLISH_S = 60,
    HOUR_S = 3600,
    NOTE_SIZE = 64,
};

/* Who needs nothing first, who must be called last; behind the last everything else. */
static const char *tier_at(const struct cmd *c, size_t i)
{
    static const char *const first[] = {"replacement = deployed", "replacement = not_seen"};
    if (cmd_value(c, "tier") != NULL) {
        return cmd_mass_tier(c, i);
    }
    if (i < LT_COUNT(first)) {
        return first[i];
    }
    i -= LT_COUNT(first);
    return i + 1 < CA_READY_TIERS ? ca_ready_tier_scope((enum ca_ready_tier)(i + 1)) : NULL;
}

static lt_res replaced_tiers(const struct cmd *c, uint64_t *ret_count)
{
    return cmd_number(c, "replaced-tiers", cmd_value(c, "tier") != NULL ? 0 : 1, TIERS_MAX, ret_count);
}

static lt_res put_tiers(const struct cmd *c, json_t *payload)
{
    json_t *tiers = json_array();
    LT_ASSERT(tiers != NULL && json_object_set_new(payload, "tiers", tiers) == 0);
    for (size_t i = 0; tier_at(c, i) != NULL; i++) {
        LT_CHECK(i < TIERS_MAX, LT_PEER_USAGE, "at most %d tiers, and everything else", TIERS_MAX);
        LT_CHECK(json_array_append_new(tiers, json_string(tier_at(c, i))) == 0, LT_PEER_USAGE,
                 "--tier is no UTF-8");
    }
    return LT_OK;
}

/* ---- what it may count on ---- */

struct capacity {
    json_t *measured; /* owned */
    uint64_t per_hour;
    int64_t reserve_s; /* before the deadline, for revoking and publishing; 0: not measured yet */
};

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Twice what the last large run, and the slowest CRL, would take for so many; not under a quarter of an hour.
 */
static int64_t reserve_of(const json_t *measured, int64_t members)
{
    int64_t pace = cmd_int(json_object_get(measured, "revocation"), "per_second");
    int64_t crl_ms = cmd_int(json_object_get(measured, "crl"), "slowest_ms");
    int64_t s = 2 * (members / (pace > 0 ? pace : REVOKED_PER_S) + crl_ms / 1000 + PUBLISH_S);
    return s < RESERVE_S ? RESERVE_S : s;
}

/* A letter for each account: when the last of them leaves. */
static lt_res mail_of(struct cmd *c, const char *scope, struct capacity *cap)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    int64_t per_hour = cmd_int(json_object_get(cap->measured, "mail"), "per_hour");
    LT_TRY(cmd_api_ask(c, "scope/groups?by=account&limit=1", "text/plain", lt_slice_cstr(scope), &answer));
    int64_t letters = cmd_int(answer, "group_count");
    json_t *mail = json_object_get(cap->measured, "mail");
    LT_ASSERT(json_object_set_new(mail, "letters", json_integer((json_int_t)letters)) == 0);
    if (per_hour > 0) {
        int64_t s = (int64_t)((double)letters * 3600 / (double)per_hour);
        LT_ASSERT(json_object_set_new(mail, "seconds", json_integer((json_int_t)s)) == 0);
    }
    return LT_OK;
}

static lt_res capacity_of(struct cmd *c, struct capacity *ret_capacity)
{
    char path[CMD_INCIDENT_PATH];
    LT_TRY(cmd_incident_path(c, "capacity", path));
    LT_TRY(cmd_api_get(c, path, &ret_capacity->measured));
    int64_t signed_s = cmd_int(json_object_get(ret_capacity->measured, "signing"), "per_second");
    int64_t issued = lesser(cmd_int(json_object_get(ret_capacity->measured, "issuance"), "per_hour"),
                            signed_s * HOUR_S);
    LT_TRY(cmd_number(c, "per-hour", issued > 0 ? (uint64_t)issued : 0, INT32_MAX, &ret_capacity->per_hour));
    LT_CHECK(ret_capacity->per_hour > 0, LT_PEER_USAGE,
             "nothing was issued in the last 30 days that tells what can be: --per-hour N (lintel bench acme "
             "measures)");
    bool given = cmd_value(c, "per-hour") != NULL;
    LT_ASSERT(
        json_object_set_new(ret_capacity->measured, "used",
                            json_pack("{s:I, s:s}", "per_hour", (json_int_t)ret_capacity->per_hour, "how",
                                      given ? "given" : "the busiest minute of the last 30 days")) == 0);
    return LT_OK;
}

/* ---- dry run ---- */

static lt_res count(struct cmd *c, const char *scope, size_t tier, int64_t *ret_count)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf text;
    lt_buf_init(&text, TEXT_MAX);
    lt_buf_addf(&text, "(%s)", scope);
    for (size_t i = 0; i <= tier; i++) {
        const char *one = tier_at(c, i);
        if (one != NULL) {
            lt_buf_addf(&text, i < tier ? " and not (%s)" : " and (%s)", one);
        }
    }
    lt_res r = lt_buf_check(&text);
    r = lt_failed(r) ? r : cmd_api_ask(c, "scope/count", "text/plain", lt_buf_slice(&text), &answer);
    lt_buf_done(&text);
    LT_TRY(r);
    *ret_count = cmd_int(answer, "count");
    return LT_OK;
}

static lt_res time_given(struct cmd *c, const char *option, lt_time *ret_time)
{
    static const struct cmd_incident_member any = {"", "t", CMD_INCIDENT_TIME};
    struct cmd_incident_member one = any;
    LT_CLEANUP(cmd_json_freep) json_t *o = json_object();
    one.option = option;
    *ret_time = (lt_time){0};
    LT_TRY(cmd_incident_put(c, &one, 1, o));
    return json_object_size(o) == 0 ? LT_OK : lt_time_parse(lt_slice_cstr(cmd_text(o, "t")), ret_time);
}

static lt_res wave_of(struct cmd *c, const json_t *in, const struct capacity *cap, int64_t total,
                      int64_t first, struct ca_wave *ret_wave)
{
    uint64_t width = 0;
    struct ca_wave_wanted want = {.start = c->now,
                                  .count = total,
                                  .first_rank = first,
                                  .per_hour = (int64_t)cap->per_hour,
                                  .reserve_us = cap->reserve_s * LT_US_PER_SECOND};
    lt_time from;
    LT_TRY(time_given(c, "from", &from));
    LT_TRY(time_given(c, "until", &want.until));
    LT_TRY(cmd_number(c, "width-minutes", 0, INT32_MAX, &width));
    want.start = from.us != 0 ? from : want.start;
    want.width_us = (int64_t)width * 60 * LT_US_PER_SECOND;
    if (cmd_text(in, "must")[0] != 0) {
        LT_TRY(lt_time_parse(lt_slice_cstr(cmd_text(in, "must")), &want.must));
    }
    *ret_wave = (struct ca_wave){0};
    ca_wave_spread(&want, ret_wave);
    return LT_OK;
}

static lt_res add_tier(struct cmd *c, size_t i, int64_t n, json_t *tiers)
{
    const char *scope = tier_at(c, i) != NULL ? tier_at(c, i) : "everything else";
    json_t *row = json_pack("{s:i, s:s, s:I}", "tier", (int)i, "scope", scope, "count", (json_int_t)n);
    LT_CHECK(row != NULL, LT_PEER_USAGE, "--tier is no UTF-8");
    LT_ASSERT(json_array_append_new(tiers, row) == 0);
    return c->json ? LT_OK : cmd_printf("tier %zu  %10lld  %s\n", i, (long long)n, scope);
}

static const char *mail_takes(struct cmd *c, const struct capacity *cap)
{
    int64_t s = cmd_int(json_object_get(cap->measured, "mail"), "seconds");
    const char *text = s == 0
                           ? ""
                           : lt_arena_printf(&c->arena, ", the last in %lld minutes", (long long)s / 60 + 1);
    LT_ASSERT(text != NULL);
    return text;
}

static lt_res dry_run(struct cmd *c, const json_t *in, const struct capacity *cap, const char *scope)
{
    LT_CLEANUP(cmd_json_freep) json_t *out = json_object();
    json_t *tiers = json_array();
    int64_t total = 0;
    int64_t first = 0;
    uint64_t replaced = 0;
    struct ca_wave w;
    char opens[LT_RFC3339_SIZE];
    char closes[LT_RFC3339_SIZE];
    lt_time must = {0};
    LT_ASSERT(out != NULL && tiers != NULL && json_object_set_new(out, "tiers", tiers) == 0);
    LT_TRY(replaced_tiers(c, &replaced));
    for (size_t i = 0; i == 0 || tier_at(c, i - 1) != NULL; i++) {
        int64_t n = 0;
        LT_TRY(count(c, scope, i, &n));
        LT_TRY(add_tier(c, i, n, tiers));
        total += n;
        first += i < replaced ? n : 0;
    }
    LT_TRY(wave_of(c, in, cap, total, first, &w));
    if (cmd_text(in, "must")[0] != 0) {
        LT_TRY(lt_time_parse(lt_slice_cstr(cmd_text(in, "must")), &must));
    }
    int64_t late = w.count - ca_wave_late(&w, must);
    lt_time_rfc3339(w.start, opens);
    lt_time_rfc3339(w.end, closes);
    LT_ASSERT(json_object_set(out, "capacity", cap->measured) == 0 &&
              json_object_set_new(out, "count", json_integer((json_int_t)total)) == 0 &&
              json_object_set_new(out, "first_opens", json_string(opens)) == 0 &&
              json_object_set_new(out, "last_closes", json_string(closes)) == 0 &&
              json_object_set_new(out, "after_the_deadline", json_integer((json_int_t)late)) == 0 &&
              json_object_set_new(out, "done", json_false()) == 0);
    if (c->json) {
        return cmd_print_json(out);
    }
    LT_TRY(cmd_printf("windows of %lld minutes from %s to %s, at most %llu replacements an hour\n",
                      (long long)(w.width_us / LT_US_PER_SECOND / 60), opens, closes,
                      (unsigned long long)cap->per_hour));
    LT_TRY(cmd_printf(
        "%lld letters to write%s; %lld minutes before the deadline are for revoking and publishing\n",
        (long long)cmd_int(json_object_get(cap->measured, "mail"), "letters"), mail_takes(c, cap),
        (long long)cap->reserve_s / 60));
    LT_TRY(late == 0 ? LT_OK
                     : cmd_printf("%lld windows close after the deadline %s: they will be late\n",
                                  (long long)late, cmd_text(in, "must")));
    return cmd_would(
        c,
        "would freeze the list of %lld certificates and set their windows; nothing is revoked before "
        "lintel incident revoke. Add --yes",
        (long long)total);
}

/* ---- done ---- */

static lt_res reason_of(struct cmd *c, const json_t *in, int *ret_reason)
{
    const char *given = cmd_value(c, "reason");
    const char *cause = cmd_text(in, "cause");
    lt_time aware = c->now;
    *ret_reason = CA_REASON_SUPERSEDED;
    if (given != NULL) {
        return cmd_reason(given, ret_reason);
    }
    LT_TRY(lt_time_parse(lt_slice_cstr(cmd_text(in, "aware")), &aware));
    const struct ca_cause *row = cause[0] == 0 ? NULL : ca_cause_find(lt_slice_cstr(cause), aware);
    *ret_reason = row == NULL ? *ret_reason : (int)row->reason;
    return LT_OK;
}

static lt_res freeze(struct cmd *c, const json_t *in, const char *scope, const char **ret_mass)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    static const struct cmd_incident_member members[] = {{"late-because", "late-because", CMD_INCIDENT_TEXT}};
    char note[NOTE_SIZE];
    int reason = 0;
    LT_ASSERT(payload != NULL);
    LT_TRY(reason_of(c, in, &reason));
    (void)snprintf(note, sizeof note, "incident %lld, scope %lld", (long long)cmd_int(in, "id"),
                   (long long)cmd_int(in, "scope_version"));
    LT_TRY(cmd_incident_set(payload, "scope", scope));
    LT_TRY(put_tiers(c, payload));
    LT_TRY(cmd_incident_set(payload, "note", note));
    LT_ASSERT(json_object_set_new(payload, "reason", json_integer(reason)) == 0);
    if (cmd_text(in, "cause")[0] != 0) {
        LT_TRY(cmd_incident_set(payload, "cause", cmd_text(in, "cause")));
        LT_TRY(cmd_incident_set(payload, "aware", cmd_text(in, "aware")));
    }
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    LT_TRY(cmd_api_post(c, "masses", payload, &answer));
    *ret_mass = lt_arena_cstr(&c->arena, lt_slice_cstr(cmd_text(answer, "id")));
    LT_ASSERT(*ret_mass != NULL);
    return LT_OK;
}

static lt_res set(struct cmd *c, const struct capacity *cap, const char *mass, json_t **ret_answer)
{
    static const struct cmd_incident_member members[] = {
        {"from", "from", CMD_INCIDENT_TIME},
        {"until", "until", CMD_INCIDENT_TIME},
        {"width-minutes", "width-minutes", CMD_INCIDENT_NUMBER},
        {"explanation", "explanation", CMD_INCIDENT_TEXT},
    };
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    char path[CMD_INCIDENT_PATH];
    uint64_t replaced = 0;
    LT_ASSERT(payload != NULL);
    char *text = json_dumps(cap->measured, JSON_COMPACT);
    LT_ASSERT(text != NULL);
    lt_res r = cmd_incident_set(payload, "capacity", text);
    free(text);
    LT_TRY(r);
    LT_TRY(replaced_tiers(c, &replaced));
    LT_TRY(cmd_incident_set(payload, "mass", mass));
    LT_ASSERT(json_object_set_new(payload, "per-hour", json_integer((json_int_t)cap->per_hour)) == 0 &&
              json_object_set_new(payload, "reserve-s", json_integer((json_int_t)cap->reserve_s)) == 0 &&
              json_object_set_new(payload, "replaced-tiers", json_integer((json_int_t)replaced)) == 0);
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    LT_TRY(cmd_incident_path(c, "plan", path));
    return cmd_api_post(c, path, payload, ret_answer);
}

static void progress(struct cmd *c, const char *mass)
{
    LT_CLEANUP(cmd_json_freep) json_t *m = NULL;
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "masses/%s", mass);
    if (isatty(STDERR_FILENO) == 1 && !lt_failed(cmd_api_get(c, path, &m))) {
        (void)fprintf(stderr, "\r\033[K%s: %s, %lld certificates", mass, cmd_text(m, "status"),
                      (long long)cmd_int(m, "count"));
    }
}

/* Until the list is frozen and its windows are set. */
static lt_res wait(struct cmd *c, int64_t version, const char *mass, json_t **ret_plan)
{
    *ret_plan = NULL;
    for (int n = 0; n < POLLS; n++) {
        LT_CLEANUP(cmd_json_freep) json_t *in = NULL;
        size_t i;
        json_t *row;
        LT_TRY(cmd_incident_load(c, &in));
        json_array_foreach(json_object_get(in, "plans"), i, row)
        {
            if (cmd_int(row, "version") == version && strcmp(cmd_text(row, "status"), "freezing") != 0) {
                *ret_plan = json_incref(row);
                return LT_OK;
            }
        }
        if (n % 5 == 4) {
            progress(c, mass);
        }
        (void)usleep(POLL_MS * 1000);
    }
    LT_FAIL(LT_RETRY_UNAVAILABLE,
            "%s is still being frozen; the windows are set when it is: lintel incident show %s", mass,
            c->args.words[0]);
}

static lt_res say(struct cmd *c, const json_t *in, const json_t *plan)
{
    if (isatty(STDERR_FILENO) == 1) {
        (void)fputs("\r\033[K", stderr);
    }
    if (c->json) {
        return cmd_print_json(plan);
    }
    LT_TRY(cmd_printf("plan %lld of incident %lld: %lld certificates (%s), %lld of them replaced already;\n"
                      "windows of %lld minutes from %s to %s\n",
                      (long long)cmd_int(plan, "version"), (long long)cmd_int(in, "id"),
                      (long long)cmd_int(plan, "count"), cmd_text(plan, "mass"),
                      (long long)cmd_int(plan, "replaced_already"), (long long)cmd_int(plan, "minutes_wide"),
                      cmd_text(plan, "first_opens"), cmd_text(plan, "last_closes")));
    if (cmd_int(plan, "after_the_deadline") > 0) {
        LT_TRY(cmd_printf("%lld windows close after the deadline %s: they will be late\n",
                          (long long)cmd_int(plan, "after_the_deadline"), cmd_text(plan, "must")));
    }
    return cmd_text(plan, "approval")[0] == 0
               ? LT_OK
               : cmd_printf("approve the revocation: lintel approve %s --operator NAME --key FILE --yes\n",
                            cmd_text(plan, "approval"));
}

/* What was measured takes the book's readers a second or two for millions. Where the pace is given, the list
 * is being frozen meanwhile; where it is not, it may turn out that there is none. */
static lt_res make(struct cmd *c, const json_t *in, struct capacity *cap, const json_t *last)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *plan = NULL;
    const char *mass = NULL;
    bool given = cmd_value(c, "per-hour") != NULL;
    LT_TRY(given ? LT_OK : capacity_of(c, cap));
    LT_TRY(freeze(c, in, cmd_text(last, "scope"), &mass));
    LT_TRY(given ? capacity_of(c, cap) : LT_OK);
    cap->reserve_s = reserve_of(cap->measured, cmd_int(last, "count"));
    LT_TRY(set(c, cap, mass, &answer));
    if (cmd_flag(c, "no-wait")) {
        return c->json ? cmd_print_json(answer)
                       : cmd_printf("%s is being frozen; the windows are set when it is\n", mass);
    }
    LT_TRY(wait(c, cmd_int(answer, "version"), mass, &plan));
    return say(c, in, plan);
}

static lt_res foresee(struct cmd *c, const json_t *in, struct capacity *cap, const json_t *last)
{
    LT_TRY(capacity_of(c, cap));
    LT_TRY(mail_of(c, cmd_text(last, "scope"), cap));
    cap->reserve_s = reserve_of(cap->measured, cmd_int(last, "count"));
    return dry_run(c, in, cap, cmd_text(last, "scope"));
}

static lt_res run_plan(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *in = NULL;
    struct capacity cap = {NULL, 0, 0};
    LT_TRY(cmd_incident_load(c, &in));
    const json_t *last = json_array_get(json_object_get(in, "scopes"), 0);
    LT_CHECK(last != NULL, LT_PEER_CONFLICT, "incident %s has no scope yet: lintel incident scope",
             c->args.words[0]);
    lt_res r = cmd_flag(c, "yes") ? make(c, in, &cap, last) : foresee(c, in, &cap, last);
    cmd_json_freep(&cap.measured);
    return r;
}

static const struct cmd_option options[] = {
    {"tier", "EXPR", "those that are asked and revoked first; the next --tier next; readiness: five of them",
     true, NULL},
    {"replaced-tiers", "N", "so many of the first tiers need no replacement (default: 1, or 0 with --tier)",
     false, NULL},
    {"reason", "WORD", "CRLReason (default: the cause's, or superseded)", false,
     "unspecified keyCompromise affiliationChanged superseded cessationOfOperation privilegeWithdrawn"},
    {"per-hour", "N", "replacements that can be issued (default: the busiest minute of the last 30 days)",
     false, NULL},
    {"from", "TIME", "the first window opens (default: now)", false, NULL},
    {"until", "TIME", "the last one closes (default: half of the time that is left)", false, NULL},
    {"width-minutes", "N", "of a window (default: an eighth of the time)", false, NULL},
    {"explanation", "URL", "where renewal information says why", false, NULL},
    {"late-because", "TEXT", "why the clock that should be kept was missed", false, NULL},
    {"mine", NULL, "a restricted one where --operator has a role", false, NULL},
    {"no-wait", NULL, "do not wait for the list to be frozen", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_incident_plan = {
    .name = "incident plan",
    .words = "INCIDENT",
    .words_least = 1,
    .words_most = 1,
    .summary = "tiers, and when each certificate is asked to be replaced",
    .help = "Freezes the list of the last scope, replaced and deployed ones first, then by who can replace "
            "in time, and\n"
            "sets windows of renewal information: from the rank in the list follows when, no faster than can "
            "be issued,\n"
            "the last one before the deadline where that is possible. What will be late is said. Revokes "
            "nothing.\n"
            "\n"
            "examples:\n"
            "  lintel incident plan 12\n"
            "  lintel incident plan 12 --per-hour 200000 --explanation https://ca.example/affected/12 --yes\n"
            "  lintel incident plan 12 --tier 'replacement = deployed' --tier readiness --replaced-tiers 1 "
            "--yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_plan,
};
