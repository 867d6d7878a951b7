/* lintel cert stats: how many certificates there are of what. Each count is one question, so that the first
 * ones are there while the others are counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/cert.h"
#include "cmd/scope.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 512, SHOWN_DEFAULT = 20 };

static const struct {
    const char *by; /* a field, or FIELD:unit */
    const char *title;
} sections[] = {
    {"status", "status"},
    {"issuer", "issuing CA"},
    {"profile", "profile"},
    {"method", "method"},
    {"key_type", "type of key"},
    {"expires:month", "ends in"},
    {"replacement", "state of replacement"},
};

struct stats {
    struct cmd *c;
    lt_slice text;
    const char *limit;
    bool first;
};

static lt_res ask(struct stats *s, struct cmd *page, const char *by, json_t **ret_json)
{
    char path[PATH_SIZE];
    struct lt_buf query;
    lt_buf_init(&query, PATH_SIZE - 32);
    cmd_query_add(&query, "by", by);
    cmd_query_add(&query, "limit", s->limit);
    cmd_query_add_time(&query, "at", cmd_value(page, "at"));
    (void)snprintf(path, sizeof path, "scope/groups?%.*s", LT_FMT(lt_buf_slice(&query)));
    lt_res r = lt_buf_check(&query);
    lt_buf_done(&query);
    LT_TRY(r);
    LT_TRY(cmd_scope_pointed(s->text, cmd_api_ask(page, path, "text/plain", s->text, ret_json)));
    cmd_scope_remarks(s->first ? *ret_json : NULL);
    return LT_OK;
}

static lt_res print_text(const struct stats *s, const char *title, const json_t *answer)
{
    size_t i;
    json_t *row;
    int64_t shown = 0;
    int64_t total = cmd_int(answer, "count");
    if (s->first) {
        LT_TRY(cmd_printf("%lld certificates as of %s\n", (long long)total, cmd_text(answer, "as_of")));
    }
    LT_TRY(cmd_printf("\n%s%s\n", title,
                      json_is_true(json_object_get(answer, "several")) ? " (a certificate may be in several)"
                                                                       : ""));
    json_array_foreach(json_object_get(answer, "groups"), i, row)
    {
        const char *value = cmd_text(row, "value");
        int64_t count = cmd_int(row, "count");
        double share = total > 0 ? 100.0 * (double)count / (double)total : 0;
        shown++;
        LT_TRY(cmd_printf("  %-28s %12lld  %5.1f %%\n", value[0] == 0 ? "(none)" : value, (long long)count,
                          share));
    }
    int64_t all = cmd_int(answer, "group_count");
    return all > shown ? cmd_printf("  and %lld more: --limit\n", (long long)(all - shown)) : LT_OK;
}

static lt_res one(struct stats *s, const char *by, const char *title)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct cmd page = *s->c; /* with an arena that goes with the answer */
    lt_arena_init(&page.arena, CMD_ARENA_MAX);
    lt_res r = ask(s, &page, by, &answer);
    if (!lt_failed(r) && s->c->json) {
        char *text = json_dumps(answer, JSON_COMPACT);
        LT_ASSERT(text != NULL);
        r = cmd_printf("%s\"%s\":%s", s->first ? "{" : ",", by, text);
        free(text);
    } else if (!lt_failed(r)) {
        r = print_text(s, title, answer);
    }
    lt_arena_done(&page.arena);
    s->first = false;
    return r;
}

static lt_res run_stats(struct cmd *c)
{
    struct stats s = {.c = c, .first = true};
    char shown[16];
    uint64_t limit = 0;
    LT_TRY(cmd_number(c, "limit", SHOWN_DEFAULT, 1000, &limit));
    LT_CHECK(limit > 0, LT_PEER_USAGE, "--limit: at least 1");
    (void)snprintf(shown, sizeof shown, "%u", (unsigned)limit);
    s.limit = shown;
    LT_TRY(cmd_cert_expression(c, &s.text));
    if (cmd_value_nth(c, "by", 0) != NULL) {
        const char *by;
        for (size_t i = 0; (by = cmd_value_nth(c, "by", i)) != NULL; i++) {
            LT_TRY(one(&s, by, by));
        }
    } else {
        for (size_t i = 0; i < LT_COUNT(sections); i++) {
            LT_TRY(one(&s, sections[i].by, sections[i].title));
        }
    }
    return c->json ? cmd_printf("}\n") : LT_OK;
}

static const struct cmd_option options[] = {
    CMD_CERT_FILTERS,
    {"by", "FIELD", "count by that field alone; times: FIELD:day, :month, :year; durations: :hour, :day",
     true, NULL},
    {"limit", "N", "rows of each count, at most 1000 (default: 20)", false, NULL},
    {"at", "TIME", "the book as it was then (RFC 3339, or a day)", false, NULL},
};

const struct cmd_verb cmd_cert_stats = {
    .name = "cert stats",
    .words = "",
    .summary = "count certificates by status, issuer, profile, method, key, end and replacement",
    .help = "Without options every certificate of the book is counted.\n\n"
            "examples:\n"
            "  lintel cert stats\n"
            "  lintel cert stats --scope 'caa_age > 8h and not expired'\n"
            "  lintel cert stats --status valid --by account --by expires:day --json\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_stats,
};
