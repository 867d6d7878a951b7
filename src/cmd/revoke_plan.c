/* lintel revoke --scope, --spki without --yes: what would be done. Everything is counted by a reader; nothing
 * is written. */
#include <stdio.h>
#include <string.h>

#include "ca/ready_tier.h"
#include "ca/revoke.h"
#include "cmd/api.h"
#include "cmd/mass.h"
#include "cmd/scope.h"

enum {
    TEXT_MAX = 256 * 1024,
    GROUPS_SHOWN = 8,
    PACE = 50000,      /* a second, where no run tells; docs/performance.md has what was measured */
    PUBLISHING_S = 10, /* all parts signed, published and fetched back */
    FREEZING = 100000, /* members a second */
};

const char *cmd_mass_tier(const struct cmd *c, size_t i)
{
    for (size_t k = 0;; k++) {
        const char *one = cmd_value_nth(c, "tier", k);
        if (one == NULL || strcmp(one, "readiness") != 0) {
            if (one == NULL || i == 0) {
                return one;
            }
            i--;
        } else if (i < CA_READY_TIERS) {
            return ca_ready_tier_scope((enum ca_ready_tier)(i + 1));
        } else {
            i -= CA_READY_TIERS;
        }
    }
}

static lt_res ask(struct cmd *c, const char *path, const struct lt_buf *text, json_t **ret_answer)
{
    LT_TRY(lt_buf_check(text));
    return cmd_api_ask(c, path, "text/plain", lt_buf_slice(text), ret_answer);
}

static lt_res count_of(struct cmd *c, struct lt_buf *text, int64_t *ret_count)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    lt_res r = ask(c, "scope/count", text, &answer);
    lt_buf_done(text);
    LT_TRY(r);
    *ret_count = cmd_int(answer, "count");
    return LT_OK;
}

/* Certificates of one tier: what its expression says, and none before it. */
static lt_res count_tier(struct cmd *c, const char *scope, size_t tier, int64_t *ret_count)
{
    struct lt_buf text;
    lt_buf_init(&text, TEXT_MAX);
    lt_buf_addf(&text, "(%s)", scope);
    for (size_t i = 0; i <= tier; i++) {
        const char *one = cmd_mass_tier(c, i);
        if (one != NULL) {
            lt_buf_addf(&text, i < tier ? " and not (%s)" : " and (%s)", one);
        }
    }
    return count_of(c, &text, ret_count);
}

static lt_res show_tiers(struct cmd *c, const char *scope, json_t *into)
{
    json_t *list = json_array();
    LT_ASSERT(list != NULL && json_object_set_new(into, "tiers", list) == 0);
    bool more = true;
    for (size_t i = 0; more; i++) {
        const char *one = cmd_mass_tier(c, i);
        int64_t count = 0;
        more = one != NULL;
        one = more ? one : "everything else";
        LT_TRY(count_tier(c, scope, i, &count));
        json_t *row = json_pack("{s:i, s:s, s:I}", "tier", (int)i, "scope", one, "count", (json_int_t)count);
        LT_CHECK(row != NULL, LT_PEER_USAGE, "--tier is no UTF-8");
        LT_ASSERT(json_array_append_new(list, row) == 0);
        if (!c->json) {
            LT_TRY(cmd_printf("tier %zu  %10lld  %s\n", i, (long long)count, one));
        }
    }
    return LT_OK;
}

/* The largest ones, and how many are not shown. */
static lt_res show_groups(struct cmd *c, const char *scope, const char *field, json_t *into)
{
    json_t *answer = NULL;
    char path[64];
    struct lt_buf text;
    size_t i;
    json_t *row;
    lt_buf_init(&text, TEXT_MAX);
    lt_buf_addf(&text, "(%s)", scope);
    (void)snprintf(path, sizeof path, "scope/groups?by=%s&limit=%d", field, GROUPS_SHOWN);
    lt_res r = ask(c, path, &text, &answer);
    lt_buf_done(&text);
    LT_TRY(r);
    char key[32];
    (void)snprintf(key, sizeof key, "by_%s", field);
    LT_ASSERT(json_object_set_new(into, key, answer) == 0);
    if (c->json) {
        return LT_OK;
    }
    json_array_foreach(json_object_get(answer, "groups"), i, row)
    {
        LT_TRY(cmd_printf("%-7s %10lld  %s\n", i == 0 ? field : "", (long long)cmd_int(row, "count"),
                          json_is_null(json_object_get(row, "value")) ? "(none)" : cmd_text(row, "value")));
    }
    int64_t hidden = cmd_int(answer, "group_count") - (int64_t)i;
    return hidden <= 0 ? LT_OK
                       : cmd_printf("        %10lld  in %lld others\n", (long long)cmd_int(answer, "others"),
                                    (long long)hidden);
}

/* The pace of the last run that was long enough to tell one. */
static lt_res pace_of(struct cmd *c, int64_t *ret_pace)
{
    enum { LONG_ENOUGH = 50000 };
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    size_t i;
    json_t *row;
    *ret_pace = 0;
    LT_TRY(cmd_api_get(c, "masses?limit=16", &answer));
    json_array_foreach(json_object_get(answer, "masses"), i, row)
    {
        bool tells = strcmp(cmd_text(row, "status"), "done") == 0 && cmd_int(row, "revoked") >= LONG_ENOUGH;
        if (*ret_pace == 0 && tells) {
            *ret_pace = cmd_int(row, "per_second");
        }
    }
    return LT_OK;
}

static lt_res show_duration(struct cmd *c, const struct cmd_why *w, int64_t count, json_t *into)
{
    int64_t pace = 0;
    LT_TRY(pace_of(c, &pace));
    bool measured = pace > 0;
    pace = measured ? pace : PACE;
    int64_t seconds = count / FREEZING + count / pace + PUBLISHING_S;
    LT_ASSERT(json_object_set_new(into, "expected_seconds", json_integer((json_int_t)seconds)) == 0);
    if (c->json) {
        return LT_OK;
    }
    LT_TRY(cmd_printf("lasts   about %lld s from freezing to published CRLs, approvals not counted (%lld a "
                      "second, %s)\n",
                      (long long)seconds, (long long)pace, measured ? "the last run's pace" : "assumed"));
    lt_time end = lt_time_add_seconds(w->now, seconds);
    bool late = w->clocks.must.us != 0 && end.us > w->clocks.must.us;
    return late ? cmd_printf("        the last clock has run out before it ends: start at once\n") : LT_OK;
}

static lt_res show_all(struct cmd *c, const struct cmd_why *w, const char *meant, int64_t count, json_t *out)
{
    LT_TRY(cmd_value(c, "scope") != NULL ? show_tiers(c, meant, out) : LT_OK);
    LT_TRY(show_groups(c, meant, "profile", out));
    LT_TRY(show_groups(c, meant, "account", out));
    LT_TRY(cmd_why_show(c, w, out));
    return show_duration(c, w, count, out);
}

/* How many: all, and those that are revoked already. */
static lt_res count_both(struct cmd *c, const char *meant, int64_t *ret_count, int64_t *ret_already)
{
    struct lt_buf all;
    struct lt_buf already;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    lt_buf_init(&all, TEXT_MAX);
    lt_buf_add_cstr(&all, meant);
    lt_res r = ask(c, "scope/count", &all, &answer);
    lt_buf_done(&all);
    LT_TRY(r);
    *ret_count = cmd_int(answer, "count");
    cmd_scope_remarks(answer); /* a mistyped word would revoke nothing */
    lt_buf_init(&already, TEXT_MAX);
    lt_buf_addf(&already, "(%s) and status = revoked", meant);
    return count_of(c, &already, ret_already);
}

static const char *meant_by(struct cmd *c, const char *key)
{
    const char *scope = cmd_value(c, "scope");
    const char *meant = scope != NULL ? scope : lt_arena_printf(&c->arena, "key = %s and not expired", key);
    LT_ASSERT(meant != NULL);
    return meant;
}

lt_res cmd_revoke_check_date(struct cmd *c, const struct cmd_why *w, const char *key)
{
    struct lt_buf text;
    char date[LT_RFC3339_SIZE];
    int64_t younger = 0;
    lt_time_rfc3339(w->dated, date);
    lt_buf_init(&text, TEXT_MAX);
    lt_buf_addf(&text, "(%s) and starts > %s", meant_by(c, key), date);
    LT_TRY(count_of(c, &text, &younger));
    LT_CHECK(younger == 0, LT_PEER_UNSUPPORTED,
             "--dated-back-to: %lld of the certificates are younger; revoke those apart, with a later date: "
             "\"… and starts > %s\"",
             (long long)younger, date);
    return LT_OK;
}

lt_res cmd_revoke_dry_run(struct cmd *c, const struct cmd_why *w, const char *key)
{
    LT_CLEANUP(cmd_json_freep) json_t *out = json_object();
    int64_t count = 0;
    int64_t already = 0;
    const char *meant = meant_by(c, key);
    LT_ASSERT(out != NULL);
    LT_TRY(count_both(c, meant, &count, &already));
    LT_TRY(show_all(c, w, meant, count, out));
    LT_ASSERT(json_object_set_new(out, "count", json_integer(count)) == 0 &&
              json_object_set_new(out, "already", json_integer(already)) == 0 &&
              json_object_set_new(out, "reason", json_string(w->reason_name)) == 0 &&
              json_object_set_new(out, "done", json_false()) == 0);
    if (c->json) {
        return cmd_print_json(out);
    }
    bool block = key[0] != '\0' && w->reason == CA_REASON_KEY_COMPROMISE;
    return cmd_would(
        c,
        "would %sfreeze the list of %lld certificates (%lld are revoked already) and propose to revoke "
        "them as %s; %s. Add --yes",
        block ? "block the key at once, " : "", (long long)count, (long long)already, w->reason_name,
        block ? "if one operator may revoke so many alone, it starts by itself"
              : "nothing is revoked before it is started");
}
