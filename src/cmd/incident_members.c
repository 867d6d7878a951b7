/* The certificates of an incident as they go by: counted, and written as its appendix. From a frozen list
 * they come as short rows, a hundred thousand in an answer; without a plan, page after page of the scope.
 * What is kept is one answer, however many there are; up to 9,999 go into the CSV with all that it asks for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/incident_report.h"
#include "cmd/scope.h"
#include "incident/report_rows.h"

enum {
    PATH_SIZE = 1024,
    FILE_BUFFER = 1 << 20,
    LISTED_MAX = 256,
    CELL_ARENA = 4 * 1024 * 1024,
    PROFILE_BYTES = 64 * 1024,
    TELL_MS = 500,
    LINES_MAX = 8 * 1024 * 1024
};

struct listing {
    struct cmd *c;
    const struct incident_listing *l;
    struct incident_numbers *n;
    json_t *files;
    FILE *list;                  /* of crt.sh */
    FILE *delayed;               /* those that are late */
    struct incident_member *few; /* owned: kept for the CSV, in the order of their hashes */
    size_t few_count;
    int64_t aware_s;
    int64_t now_s;
    struct incident_late late; /* what is said of those that are late */
    struct lt_buf lines;       /* of the file that is written, until it goes out */
    int types[LISTED_MAX];     /* of each profile; -1: not looked at */
    int64_t expected;          /* how many there will be */
    int64_t said_ms;
    int64_t began_ms;
};

/* ---- files ---- */

static lt_res open_file(struct listing *w, const char *name, FILE **ret_file)
{
    char *path = lt_arena_printf(&w->c->arena, "%s/%s", w->l->folder, name);
    LT_CHECK(path != NULL, LT_PEER_USAGE, "--out: the path is too long");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    *ret_file = fd < 0 ? NULL : fdopen(fd, "w");
    LT_CHECK(*ret_file != NULL, LT_PEER_USAGE, "%.150s: %s", path, strerror(errno));
    (void)setvbuf(*ret_file, NULL, _IOFBF, FILE_BUFFER); /* for speed alone */
    LT_CHECK(json_array_append_new(w->files, json_string(name)) == 0, LT_PEER_USAGE, "--out: no UTF-8");
    return LT_OK;
}

static lt_res close_file(FILE **f, const char *name)
{
    if (*f == NULL) {
        return LT_OK;
    }
    bool good = fflush(*f) == 0;
    good = fclose(*f) == 0 && good;
    *f = NULL;
    LT_CHECK(good, LT_STATE_IO, "%s: %s", name, strerror(errno));
    return LT_OK;
}

/* ---- kinds of certificate ---- */

/*= CABF-BR 7.1.6.1 (reserved policy identifiers), as they stand in profiles/NAME.yaml. */
static int type_of(struct listing *w, uint8_t profile)
{
    static const char *const oids[] = {"2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3", "2.23.140.1.1",
                                       "2.23.140.1.5"};
    const char *folder = NULL;
    size_t i;
    json_t *row;
    if (w->types[profile] >= 0) {
        return w->types[profile];
    }
    w->types[profile] = 0; /* names were proven by control alone: DV */
    json_array_foreach(json_object_get(w->l->facts, "profiles"), i, row)
    {
        lt_slice text = {NULL, 0};
        if (cmd_int(row, "id") != profile || lt_failed(cmd_folder(w->c, &folder))) {
            continue;
        }
        char *path = lt_arena_printf(&w->c->arena, "%s/profiles/%s.yaml", folder, cmd_text(row, "name"));
        if (path == NULL || lt_failed(lt_file_read(&w->c->arena, AT_FDCWD, path, PROFILE_BYTES, &text))) {
            continue;
        }
        const char *yaml = lt_arena_cstr(&w->c->arena, text);
        for (size_t k = 0; yaml != NULL && k < LT_COUNT(oids); k++) {
            w->types[profile] = strstr(yaml, oids[k]) != NULL ? (int)k : w->types[profile];
        }
    }
    return w->types[profile];
}

/* ---- one certificate ---- */

static void count_member(struct listing *w, const struct incident_member *m)
{
    struct incident_numbers *n = w->n;
    bool revoked = m->revoked_s != 0;
    bool expired = !revoked && m->not_after_s < w->now_s;
    int64_t hour = ((revoked ? m->revoked_s : m->not_after_s) - w->aware_s) / 3600;
    n->total++;
    n->revoked += revoked;
    n->expired += expired;
    n->by_type[type_of(w, m->profile)]++;
    if (!revoked && !expired && m->not_after_s > n->last_not_after_s) {
        n->last_not_after_s = m->not_after_s;
    }
    hour = hour < 0 ? 0 : hour;
    if (hour < INCIDENT_HOURS_MAX) {
        (revoked ? n->gone : n->expiring)[hour]++;
    }
}

static void out(struct listing *w, FILE *f)
{
    (void)fwrite(w->lines.ptr, 1, w->lines.len, f); /* checked when it is closed */
    lt_buf_reset(&w->lines);
}

static void take_member(struct listing *w, const struct incident_member *m)
{
    count_member(w, m);
    if (w->list != NULL) {
        incident_add_crt_sh(&w->lines, m);
        out(w, w->list);
    }
    if (w->delayed != NULL) {
        incident_add_late(&w->lines, &w->late, m);
        out(w, w->delayed);
    }
    if (w->few != NULL && w->few_count < INCIDENT_APPENDIX_LIST_FROM) {
        w->few[w->few_count++] = *m;
    }
}

static void tell(struct listing *w, bool end)
{
    int64_t now = lt_monotonic_ms();
    if (isatty(STDERR_FILENO) != 1 || (!end && now - w->said_ms < TELL_MS)) {
        return;
    }
    w->said_ms = now;
    double rate = (double)w->n->total * 1000 / (double)(now - w->began_ms + 1);
    (void)fprintf(stderr, end ? "\r\033[K" : "\r\033[K%lld of %lld certificates, %.0f/s, %.0f s left",
                  (long long)w->n->total, (long long)w->expected, rate,
                  rate > 0 ? (double)(w->expected - w->n->total) / rate : 0);
    (void)fflush(stderr); /* all of it is for looks alone */
}

/* ---- a frozen list ---- */

static void take_rows(void *self, lt_slice rows, size_t size, lt_time end)
{
    struct listing *w = self;
    w->late.plan_end = end;
    for (size_t i = 0; i < rows.len; i += size) {
        struct incident_member m;
        incident_member_read(rows.ptr + i, size, &m);
        take_member(w, &m);
    }
    tell(w, false);
}

/* ---- the scope, for the CSV ---- */

static int compare_few(const void *a, const void *b)
{
    const struct incident_member *x = a;
    const struct incident_member *y = b;
    return memcmp(x->sha256, y->sha256, 32);
}

/* As the book has it now, where the list is frozen; else as the row says. */
static void state_of(const struct listing *w, const json_t *row, struct incident_member *m)
{
    const json_t *revocation = json_object_get(row, "revocation");
    m->not_after_s = lt_time_seconds(incident_fact_time(row, "not_after"));
    m->revoked_s = lt_time_seconds(incident_fact_time(revocation, "revoked"));
    m->reason = (uint8_t)cmd_int(revocation, "reason");
    if (w->few_count > 0) {
        const struct incident_member *found = bsearch(m, w->few, w->few_count, sizeof(*w->few), compare_few);
        m->revoked_s = found != NULL ? found->revoked_s : m->revoked_s;
        m->reason = found != NULL ? found->reason : m->reason;
    }
}

static const char *names_of(const json_t *row, struct lt_arena *a)
{
    struct lt_buf b;
    size_t i;
    json_t *name;
    lt_buf_init(&b, CELL_ARENA / 4);
    json_array_foreach(json_object_get(row, "names"), i, name)
    {
        lt_buf_addf(&b, "%s%s", i == 0 ? "" : " ", json_is_string(name) ? json_string_value(name) : "");
    }
    const char *text = lt_arena_cstr(a, lt_buf_slice(&b));
    lt_buf_done(&b);
    return text != NULL ? text : "";
}

static uint8_t issuer_of(const struct listing *w, const json_t *row)
{
    size_t i;
    json_t *issuer;
    json_array_foreach(json_object_get(w->l->facts, "issuers"), i, issuer)
    {
        if (strcmp(cmd_text(issuer, "name"), cmd_text(row, "issuer")) == 0) {
            return (uint8_t)cmd_int(issuer, "id");
        }
    }
    return 0;
}

static void member_of(const struct listing *w, const json_t *row, struct lt_arena *a,
                      struct incident_member *m)
{
    lt_slice hash = {NULL, 0};
    *m = (struct incident_member){.issuer = issuer_of(w, row),
                                  .not_before_s = lt_time_seconds(incident_fact_time(row, "not_before"))};
    if (!lt_failed(lt_unhex(a, lt_slice_cstr(cmd_text(row, "sha256")), &hash)) && hash.len == 32) {
        (void)memcpy(m->sha256, hash.ptr, 32);
    }
    lt_ignore(
        lt_unhex(a, lt_slice_cstr(cmd_text(row, "serial")), &m->serial)); /* ours; else it stays empty */
    state_of(w, row, m);
}

static lt_res put_row(struct listing *w, FILE *f, const json_t *row, bool count)
{
    struct incident_member m;
    struct lt_arena a;
    lt_slice der = {NULL, 0};
    lt_res r = LT_OK;
    lt_arena_init(&a, CELL_ARENA);
    member_of(w, row, &a, &m);
    if (count) {
        count_member(w, &m);
    }
    if (f != NULL) {
        const struct incident_csv c = {
            .late = &w->late,
            .delayed = w->l->delayed,
            .must = incident_fact_time(json_object_get(w->l->facts, "incident"), "must"),
            .issuer_name = cmd_text(row, "issuer"),
            .names = names_of(row, &a),
        };
        lt_ignore(
            lt_unbase64(&a, lt_slice_cstr(cmd_text(row, "der")), &der)); /* the book has not all bytes */
        r = incident_add_csv(&w->lines, &c, &m, der);
        out(w, f);
    }
    lt_arena_done(&a);
    return r;
}

static lt_res scope_page(struct listing *w, const json_t *scope, FILE *f, bool count, char cursor[512])
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    struct lt_buf query;
    struct cmd page = *w->c;
    size_t i;
    json_t *row;
    lt_slice text = lt_slice_cstr(cmd_text(scope, "text"));
    lt_buf_init(&query, PATH_SIZE - 16);
    cmd_query_add(&query, "limit", "1000");
    cmd_query_add(&query, "cursor", cursor[0] != 0 ? cursor : NULL);
    cmd_query_add(&query, "der", f != NULL ? "1" : NULL);
    cmd_query_add(&query, "at", cmd_text(scope, "as_of"));
    lt_res r = lt_buf_check(&query);
    (void)snprintf(path, sizeof path, "scope/list?%.*s", LT_FMT(lt_buf_slice(&query))); /* bounded above */
    lt_buf_done(&query);
    LT_TRY(r);
    lt_arena_init(&page.arena, CMD_ARENA_MAX);
    r = cmd_api_ask(&page, path, "text/plain", text, &answer);
    lt_arena_done(&page.arena);
    LT_TRY(r);
    json_array_foreach(json_object_get(answer, "certificates"), i, row)
    {
        LT_TRY(put_row(w, f, row, count));
    }
    (void)snprintf(cursor, 512, "%.511s", cmd_text(answer, "next"));
    return LT_OK;
}

static lt_res take_scope(struct listing *w, const json_t *scope, FILE *f, bool count)
{
    char cursor[512] = "";
    do {
        LT_TRY(scope_page(w, scope, f, count, cursor));
        tell(w, false);
    } while (cursor[0] != 0);
    return LT_OK;
}

static lt_res write_csv(struct listing *w, const json_t *scope, bool count)
{
    FILE *f = NULL;
    if (w->l->appendix) {
        LT_TRY(open_file(w, "certificates.csv", &f));
        incident_add_csv_head(&w->lines);
        out(w, f);
    }
    lt_res r = take_scope(w, scope, f, count);
    lt_res closed = close_file(&f, "certificates.csv");
    return lt_failed(r) ? r : closed;
}

/* ---- all of it ---- */

static lt_res open_frozen(struct listing *w)
{
    if (w->l->appendix && w->expected >= INCIDENT_APPENDIX_LIST_FROM) {
        LT_TRY(open_file(w, "certificates.txt", &w->list));
    }
    if (w->l->appendix && w->l->delayed) {
        LT_TRY(open_file(w, "delayed.csv", &w->delayed));
        (void)fputs(incident_late_head, w->delayed); /* checked when it is closed */
    }
    if (w->expected < INCIDENT_APPENDIX_LIST_FROM) {
        w->few = calloc(INCIDENT_APPENDIX_LIST_FROM, sizeof(*w->few));
        LT_ASSERT(w->few != NULL);
    }
    return LT_OK;
}

static lt_res run_listing(struct listing *w, const json_t *scope, bool frozen)
{
    if (frozen) {
        LT_TRY(open_frozen(w));
        LT_TRY(cmd_incident_pages(w->c, w->l, w->delayed != NULL, take_rows, w));
        LT_TRY(close_file(&w->list, "certificates.txt"));
        LT_TRY(close_file(&w->delayed, "delayed.csv"));
        if (w->few_count > 0) {
            qsort(w->few, w->few_count, sizeof(*w->few), compare_few);
        }
    }
    w->n->known = true;
    bool few = w->expected < INCIDENT_APPENDIX_LIST_FROM;
    return few && (w->l->appendix || !frozen) ? write_csv(w, scope, !frozen) : LT_OK;
}

lt_res cmd_incident_members(struct cmd *c, const struct incident_listing *l,
                            struct incident_numbers *ret_numbers, json_t *files)
{
    const json_t *scopes = json_object_get(l->facts, "scopes");
    const json_t *scope = json_array_get(scopes, json_array_size(scopes) - 1);
    const json_t *plans = json_object_get(l->facts, "plans");
    const json_t *plan = json_array_get(plans, json_array_size(plans) - 1);
    bool frozen = plan != NULL && cmd_int(plan, "scope_version") == cmd_int(scope, "version") &&
                  cmd_int(plan, "mass") != 0 && strcmp(cmd_text(plan, "status"), "freezing") != 0;
    struct listing w = {
        .c = c, .l = l, .n = ret_numbers, .files = files, .expected = cmd_int(scope, "count")};
    *ret_numbers = (struct incident_numbers){.known = false};
    if (scope == NULL || (!frozen && w.expected >= INCIDENT_APPENDIX_LIST_FROM)) {
        return LT_OK; /* so many are listed once they are frozen */
    }
    w.aware_s = lt_time_seconds(incident_fact_time(json_object_get(l->facts, "incident"), "aware"));
    w.now_s = lt_time_seconds(l->now);
    w.began_ms = lt_monotonic_ms();
    for (size_t i = 0; i < LT_COUNT(w.types); i++) {
        w.types[i] = -1;
    }
    LT_TRY(incident_late_init(l->facts, (lt_time){0}, l->now, &w.late));
    lt_buf_init(&w.lines, LINES_MAX);
    lt_res r = run_listing(&w, scope, frozen);
    tell(&w, true);
    free(w.few);
    incident_late_done(&w.late);
    lt_buf_done(&w.lines);
    lt_ignore(close_file(&w.list, "")); /* only open still where something failed before */
    lt_ignore(close_file(&w.delayed, ""));
    return r;
}
