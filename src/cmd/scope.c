/* lintel scope: which certificates an expression means: counted, by a field too, listed, explained, saved
 * under a name. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/api.h"
#include "cmd/scope.h"
#include "cmd/verbs.h"
#include "scope/scope.h"

enum { QUERY_MAX = 8192, PATH_SIZE = 512, NAMES_SHOWN = 60 };

/* ---- the expression ---- */

/* The line where it failed, and a mark under the place: for people. */
static void point_at(lt_slice text, size_t offset, size_t len)
{
    enum { BEFORE = 50, SHOWN = 100 };
    size_t begin = offset;
    size_t end = offset;
    offset = offset < text.len ? offset : text.len;
    for (begin = offset; begin > 0 && offset - begin < BEFORE && text.ptr[begin - 1] >= 0x20; begin--) {
    }
    for (end = offset; end < text.len && end - begin < SHOWN && text.ptr[end] >= 0x20; end++) {
    }
    len = len == 0 ? 1 : len;
    len = offset + len > end && end > offset ? end - offset : len;
    (void)fprintf(stderr, "  %.*s\n  %*s", LT_FMT(lt_slice_sub(text, begin, end - begin)),
                  (int)(offset - begin), ""); /* what cannot be shown changes nothing */
    for (size_t i = 0; i < len && i < SHOWN; i++) {
        (void)fputc('^', stderr); /* see above */
    }
    (void)fputc('\n', stderr); /* see above */
}

/* The reader found what only the book knows: "byte 17: there is no issuer …". */
lt_res cmd_scope_pointed(lt_slice text, lt_res r)
{
    size_t offset = 0;
    char detail[sizeof lt_error_last()->detail];
    if (r.code != LT_PEER_MALFORMED) {
        return r;
    }
    (void)snprintf(detail, sizeof(detail), "%s", lt_error_last()->detail);
    if (sscanf(detail, "byte %zu:", &offset) == 1 && offset <= text.len) {
        point_at(text, offset, 1);
    }
    LT_FAIL(LT_PEER_USAGE, "%s", detail);
}

void cmd_scope_remarks(const json_t *answer)
{
    size_t i;
    json_t *line;
    bool later = json_object_get(answer, "certificates") != NULL && json_object_get(answer, "count") == NULL;
    json_array_foreach(later ? NULL : json_object_get(answer, "remarks"), i, line)
    {
        (void)fprintf(stderr, "note: %s\n", json_string_value(line)); /* the answer stands without it */
    }
}

lt_res cmd_scope_check(lt_slice text)
{
    struct lt_arena a;
    struct scope_error error = {0};
    const struct scope *s = NULL;
    lt_arena_init(&a, SCOPE_ARENA_MAX);
    lt_res r = scope_parse(text, &a, &error, &s);
    lt_arena_done(&a);
    if (r.code == LT_PEER_MALFORMED || r.code == LT_PEER_TOO_LARGE) {
        char detail[sizeof lt_error_last()->detail];
        (void)snprintf(detail, sizeof(detail), "%s", lt_error_last()->detail);
        bool placed = r.code == LT_PEER_MALFORMED || sscanf(detail, "byte %zu:", &error.offset) == 1;
        if (placed) {
            point_at(text, error.offset, error.len);
        }
        LT_FAIL(LT_PEER_USAGE, "%s", detail);
    }
    return r;
}

static lt_res expression(struct cmd *c, lt_slice *ret_text)
{
    const char *file = cmd_value(c, "file");
    LT_CHECK((file == NULL) == (c->args.word_count == 1), LT_PEER_USAGE,
             "say one expression, or --file FILE; --fields lists what can be asked");
    if (file != NULL) {
        LT_TRY(lt_file_read(&c->arena, AT_FDCWD, file, SCOPE_TEXT_MAX, ret_text));
    } else {
        *ret_text = lt_slice_cstr(c->args.words[0]);
    }
    return cmd_scope_check(*ret_text);
}

static lt_res ask(struct cmd *c, const char *what, struct lt_buf *query, lt_slice text, json_t **ret_json)
{
    char path[PATH_SIZE + QUERY_MAX];
    (void)snprintf(path, sizeof(path), "scope/%s%s%.*s", what, query->len > 0 ? "?" : "",
                   LT_FMT(lt_buf_slice(query)));
    LT_TRY(lt_buf_check(query));
    LT_TRY(cmd_scope_pointed(text, cmd_api_ask(c, path, "text/plain", text, ret_json)));
    cmd_scope_remarks(*ret_json);
    return LT_OK;
}

static lt_res ask_once(struct cmd *c, const char *what, lt_slice text, json_t **ret_json)
{
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add_time(&query, "at", cmd_value(c, "at"));
    lt_res r = ask(c, what, &query, text, ret_json);
    lt_buf_done(&query);
    return r;
}

/* ---- fields ---- */

static lt_res print_fields(const struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *list = json_array();
    LT_ASSERT(list != NULL);
    for (size_t i = 0; i < scope_field_count(); i++) {
        struct scope_field_info f = scope_field_info(i);
        if (!c->json) {
            LT_TRY(cmd_printf("%-16s %-9s %s\n", f.name, f.type, f.words));
            continue;
        }
        json_t *row = json_pack("{s:s, s:s, s:s}", "field", f.name, "type", f.type, "words", f.words);
        LT_ASSERT(row != NULL && json_array_append_new(list, row) == 0);
    }
    return c->json ? cmd_print_json(list) : LT_OK;
}

/* ---- count, explain ---- */

static lt_res count(struct cmd *c, lt_slice text)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(ask_once(c, "count", text, &answer));
    return c->json ? cmd_print_json(answer) : cmd_printf("%lld\n", (long long)cmd_int(answer, "count"));
}

static lt_res print_lines(const json_t *list, const char *indent)
{
    size_t i;
    json_t *line;
    json_array_foreach(list, i, line)
    {
        LT_TRY(cmd_printf("%s%s\n", indent, json_is_string(line) ? json_string_value(line) : ""));
    }
    return LT_OK;
}

static lt_res explain(struct cmd *c, lt_slice text)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(ask_once(c, "explain", text, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_TRY(cmd_printf("scope   %s\nsha256  %s\nas of   %s\n\nCertificates of which\n",
                      cmd_text(answer, "scope"), cmd_text(answer, "sha256"), cmd_text(answer, "as_of")));
    LT_TRY(print_lines(json_object_get(answer, "words"), "  "));
    LT_TRY(cmd_printf("\nto count them:\n"));
    const json_t *plan = json_object_get(answer, "count_plan");
    LT_TRY(print_lines(json_object_get(plan, "steps"), "  "));
    LT_TRY(cmd_printf("  %s\n\nto list them:\n", cmd_text(plan, "sql")));
    return print_lines(json_object_get(json_object_get(answer, "list_plan"), "steps"), "  ");
}

/* ---- counted by a field ---- */

static lt_res print_groups(struct cmd *c, const json_t *answer)
{
    char head[64];
    const char *const heads[] = {head, "CERTIFICATES", "SHARE"};
    double whole = (double)cmd_int(answer, "count");
    long long others = (long long)cmd_int(answer, "others");
    long long groups = (long long)cmd_int(answer, "group_count");
    size_t i;
    json_t *row;
    (void)snprintf(head, sizeof(head), "%s", cmd_text(answer, "by"));
    for (char *at = head; *at != 0; at++) {
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "groups"), i, row)
    {
        char number[24];
        char share[24];
        bool known = json_is_string(json_object_get(row, "value"));
        (void)snprintf(number, sizeof(number), "%lld", (long long)cmd_int(row, "count"));
        (void)snprintf(share, sizeof(share), "%.1f %%",
                       whole > 0 ? 100.0 * (double)cmd_int(row, "count") / whole : 0.0);
        LT_TRY(cmd_table_row(
            t, (const char *const[]){known ? cmd_text(row, "value") : "(none)", number, share}));
    }
    LT_TRY(cmd_table_print(t));
    if (others > 0) {
        LT_TRY(cmd_printf("%lld more in %lld other groups: --limit N\n", others,
                          groups - (long long)json_array_size(json_object_get(answer, "groups"))));
    }
    return cmd_printf("%lld certificates%s\n", (long long)whole,
                      json_is_true(json_object_get(answer, "several"))
                          ? "; one that has several of them is in each of their rows"
                          : "");
}

static lt_res count_by(struct cmd *c, lt_slice text, const char *by)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    uint64_t number = 0;
    struct lt_buf query;
    LT_TRY(cmd_number(c, "limit", 0, 1000, &number));
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "by", by);
    cmd_query_add(&query, "limit", cmd_value(c, "limit"));
    cmd_query_add_time(&query, "at", cmd_value(c, "at"));
    lt_res r = ask(c, "groups", &query, text, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    return c->json ? cmd_print_json(answer) : print_groups(c, answer);
}

/* ---- list ---- */

static void names_text(const json_t *certificate, char *out, size_t size)
{
    size_t len = 0;
    size_t i;
    json_t *name;
    out[0] = 0;
    json_array_foreach(json_object_get(certificate, "names"), i, name)
    {
        const char *text = json_is_string(name) ? json_string_value(name) : "";
        int n = snprintf(out + len, size - len, "%s%s", i > 0 ? " " : "", text);
        if (n < 0 || (size_t)n >= size - len) {
            (void)snprintf(out + size - 4, 4, "...");
            return;
        }
        len += (size_t)n;
    }
}

lt_res cmd_scope_rows(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"SERIAL", "STATUS", "ISSUER", "PROFILE", "ENDS", "NAMES"};
    size_t i;
    json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "certificates"), i, row)
    {
        char names[NAMES_SHOWN];
        char ends[LT_RFC3339_SIZE];
        names_text(row, names, sizeof(names));
        (void)snprintf(ends, sizeof(ends), "%.10s", cmd_text(row, "not_after"));
        const char *const cells[] = {cmd_text(row, "serial"),
                                     cmd_text(row, "status"),
                                     cmd_text(row, "issuer"),
                                     cmd_text(row, "profile"),
                                     ends,
                                     names};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

/* ---- pages ---- */

/* With --json one document, a row a line, however many pages it is. */
static lt_res print_json_rows(const struct cmd_scope_listing *l, const json_t *answer, const json_t *rows)
{
    size_t i;
    json_t *row;
    if (l->first) {
        LT_TRY(l->side == NULL
                   ? cmd_printf("{\"sha256\":\"%s\",\"as_of\":\"%s\"", cmd_text(answer, "sha256"),
                                cmd_text(answer, "as_of"))
                   : cmd_printf("{\"name\":\"%s\",\"version\":%lld,\"side\":\"%s\"", cmd_text(answer, "name"),
                                (long long)cmd_int(answer, "version"), l->side));
        LT_TRY(cmd_printf(",\"count\":%lld,\"certificates\":[\n", (long long)l->total));
    }
    json_array_foreach(json_object_get(rows, "certificates"), i, row)
    {
        LT_TRY(cmd_printf("%s", l->first && i == 0 ? "" : ","));
        LT_TRY(cmd_print_json(row));
    }
    return LT_OK;
}

/* In memory of its own: a list may have millions of rows. */
static lt_res list_page(struct cmd *c, struct cmd_scope_listing *l)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "side", l->side);
    cmd_query_add(&query, "limit", cmd_value_or(c, "limit", cmd_flag(c, "all") ? "1000" : NULL));
    cmd_query_add(&query, "cursor", l->cursor[0] != 0 ? l->cursor : NULL);
    lt_res r = l->fetch(c, l, &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    const json_t *rows = l->side == NULL ? answer : json_object_get(answer, l->side);
    const char *next = cmd_text(rows, "next");
    LT_CHECK(strlen(next) < sizeof(l->cursor), LT_STATE_CORRUPT, "a cursor of %zu bytes", strlen(next));
    (void)snprintf(l->cursor, sizeof(l->cursor), "%s", next);
    l->total = l->first ? cmd_int(rows, "count") : l->total;
    l->shown += (int64_t)json_array_size(json_object_get(rows, "certificates"));
    LT_TRY(c->json ? print_json_rows(l, answer, rows) : cmd_scope_rows(c, rows));
    l->first = false;
    return LT_OK;
}

lt_res cmd_scope_pages(struct cmd *c, struct cmd_scope_listing *l)
{
    bool bar = cmd_flag(c, "all") && isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) != 1;
    uint64_t number = 0;
    l->first = true;
    LT_TRY(cmd_number(c, "limit", 0, 1000, &number));
    (void)snprintf(l->cursor, sizeof(l->cursor), "%s", cmd_value_or(c, "cursor", ""));
    do {
        struct cmd page = *c;
        lt_arena_init(&page.arena, CMD_ARENA_MAX);
        lt_res r = list_page(&page, l);
        lt_arena_done(&page.arena);
        LT_TRY(r);
        if (bar) {
            (void)fprintf(stderr, "\r\033[K%lld of %lld", (long long)l->shown,
                          (long long)l->total); /* it is for looks alone */
        }
    } while (cmd_flag(c, "all") && l->cursor[0] != 0);
    if (bar) {
        (void)fputs("\r\033[K", stderr); /* it is for looks alone */
    }
    if (c->json) {
        return l->cursor[0] == 0 ? cmd_printf("],\"next\":null}\n")
                                 : cmd_printf("],\"next\":\"%s\"}\n", l->cursor);
    }
    return l->cursor[0] == 0 ? LT_OK : cmd_printf("more: --cursor '%s', or --all\n", l->cursor);
}

static lt_res fetch_list(struct cmd *c, const struct cmd_scope_listing *l, struct lt_buf *query,
                         json_t **ret_json)
{
    cmd_query_add_time(query, "at", cmd_value(c, "at"));
    return ask(c, "list", query, l->text, ret_json);
}

/* ---- save ---- */

static lt_res save(struct cmd *c, lt_slice text, const char *name)
{
    LT_CLEANUP(cmd_json_freep) json_t *run = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(ask_once(c, "run", text, &run));
    payload = json_pack("{s:s, s:s%, s:s, s:s, s:I, s:s}", "name", name, "scope", (const char *)text.ptr,
                        text.len, "note", cmd_value_or(c, "note", ""), "as-of", cmd_text(run, "as_of"),
                        "count", (json_int_t)cmd_int(run, "count"), "members-sha256",
                        cmd_text(run, "members_sha256"));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "the note or the name is no UTF-8");
    LT_TRY(cmd_api_post(c, "scopes", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("saved as %s, version %lld: %lld certificates at %s\n",
                                cmd_text(answer, "name"), (long long)cmd_int(answer, "version"),
                                (long long)cmd_int(answer, "count"), cmd_text(answer, "as_of"));
}

static lt_res run_scope(struct cmd *c)
{
    static const char *const ways[] = {"count", "list", "explain", "save"};
    size_t chosen = 0;
    lt_slice text;
    if (cmd_flag(c, "fields")) {
        return print_fields(c);
    }
    for (size_t i = 0; i < LT_COUNT(ways); i++) {
        chosen += cmd_flag(c, ways[i]) ? 1 : 0;
    }
    LT_CHECK(chosen <= 1, LT_PEER_USAGE, "one of --count, --list, --explain, --save NAME");
    LT_TRY(expression(c, &text));
    const char *by = cmd_value(c, "by");
    LT_CHECK(by == NULL || chosen == 0 || cmd_flag(c, "count"), LT_PEER_USAGE,
             "--by counts; it goes with --count");
    if (by != NULL) {
        return count_by(c, text, by);
    }
    if (cmd_flag(c, "list")) {
        struct cmd_scope_listing l = {.text = text, .fetch = fetch_list};
        return cmd_scope_pages(c, &l);
    }
    if (cmd_flag(c, "explain")) {
        return explain(c, text);
    }
    const char *name = cmd_value(c, "save");
    return name != NULL ? save(c, text, name) : count(c, text);
}

static const struct cmd_option scope_options[] = {
    {"count", NULL, "how many there are (this is done if nothing else is asked)", false, NULL},
    {"by", "FIELD",
     "how many have which value of a field; times: FIELD:day, :month, :year; durations: :hour, :day", false,
     NULL},
    {"list", NULL, "which they are, by issuer and serial number", false, NULL},
    {"explain", NULL, "what it means, and how the book would find them", false, NULL},
    {"save", "NAME", "give it a name, with its result of now; a changed one is the next version", false,
     NULL},
    {"note", "TEXT", "kept with --save", false, NULL},
    {"fields", NULL, "what can be asked, with types", false, NULL},
    {"file", "FILE", "read the expression there", false, NULL},
    {"at", "TIME", "the book as it was then (RFC 3339, or a day)", false, NULL},
    CMD_PAGE_OPTIONS,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_scope = {
    .name = "scope",
    .words = "[EXPRESSION]",
    .words_least = 0,
    .words_most = 1,
    .summary = "which certificates an expression means",
    .help =
        "An expression is made of conditions with and, or, not and brackets. A condition is a flag "
        "(expired),\n"
        "or a field with = != < <= > >=, with in {a, b}, or with in FROM..UNTIL, both included. Values "
        "stand\n"
        "in quotation marks where they have blanks. A day, a month or a year is all that lies inside it.\n"
        "What a certificate has several of (names, methods) is met when one of them meets it.\n\n"
        "examples:\n"
        "  lintel scope 'method = dns-01 and caa_age > 8h and issued in 2025-07-25..2026-02-28'\n"
        "  lintel scope 'suffix = example.com and not expired' --list --all\n"
        "  lintel scope 'method = dns-01 and caa_age > 8h' --by profile\n"
        "  lintel scope 'not expired' --by expires:day --limit 1000\n"
        "  lintel scope 'build < 1.4.2 and not revoked' --explain\n"
        "  lintel scope 'finding = br_7.1.2.7.6_eku' --save wrong-eku --note 'report 17'\n"
        "  lintel scope --fields\n",
    .options = scope_options,
    .option_count = LT_COUNT(scope_options),
    .run = run_scope,
};
