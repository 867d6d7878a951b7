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
#include "x509/cert.h"

enum {
    PATH_SIZE = 1024,
    FILE_BUFFER = 1 << 20,
    LISTED_MAX = 256,
    CELL_ARENA = 4 * 1024 * 1024,
    PROFILE_BYTES = 64 * 1024,
    TELL_MS = 500,
    SERIAL_AT = CMD_INCIDENT_ROW,
    KEY_SIZE = 64,
    REASON_MAX = 64 * 1024
};

struct member {
    uint8_t sha256[32];
    int64_t not_after_s;
    int64_t revoked_s; /* 0: not */
    uint8_t reason;
    uint8_t issuer;
    uint8_t profile;
    lt_slice serial; /* borrowed; empty in short rows */
};

struct listing {
    struct cmd *c;
    const struct incident_listing *l;
    struct incident_numbers *n;
    json_t *files;
    FILE *list;         /* of crt.sh */
    FILE *delayed;      /* those that are late */
    struct member *few; /* owned: kept for the CSV, in the order of their hashes */
    size_t few_count;
    int64_t aware_s;
    int64_t now_s;
    lt_time plan_end;
    const char *reason;    /* a cell: of those that are late and have none of their own */
    json_t *own;           /* owned: rows that say why, by certificate */
    int types[LISTED_MAX]; /* of each profile; -1: not looked at */
    int64_t expected;      /* how many there will be */
    int64_t said_ms;
    int64_t began_ms;
};

static const char *const reasons[] = {"unspecified",        "keyCompromise", "cACompromise",
                                      "affiliationChanged", "superseded",    "cessationOfOperation",
                                      "certificateHold",    "unknown",       "removeFromCRL",
                                      "privilegeWithdrawn", "aACompromise"};

static const char *reason_name(uint8_t reason)
{
    return reason < LT_COUNT(reasons) ? reasons[reason] : "unspecified";
}

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

static void put_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = 0;
}

static char *put_digits(char *out, int value, int digits)
{
    for (int i = digits; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + digits;
}

/* "2026-03-01 02:10:00 UTC"; by hand, since there are millions of them. */
static void put_time(char out[32], int64_t seconds)
{
    struct lt_date d = lt_date_of(lt_time_from_seconds(seconds));
    const struct {
        int value;
        int digits;
        char behind;
    } parts[] = {{d.year, 4, '-'}, {d.month, 2, '-'},  {d.day, 2, ' '},
                 {d.hour, 2, ':'}, {d.minute, 2, ':'}, {d.second, 2, ' '}};
    for (size_t i = 0; i < LT_COUNT(parts); i++) {
        out = put_digits(out, parts[i].value, parts[i].digits);
        *out++ = parts[i].behind;
    }
    (void)memcpy(out, "UTC", 4);
}

static void put_cell(FILE *f, lt_slice text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len && !quoted; i++) {
        quoted = strchr(",\"\r\n", text.ptr[i]) != NULL;
    }
    if (!quoted) {
        (void)fwrite(text.ptr, 1, text.len, f); /* all of it is checked when it is closed */
        return;
    }
    (void)fputc('"', f);
    for (size_t i = 0; i < text.len; i++) {
        (void)fputs(text.ptr[i] == '"' ? "\"" : "", f);
        (void)fputc(text.ptr[i], f);
    }
    (void)fputc('"', f);
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

static void count_member(struct listing *w, const struct member *m)
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

/* What is said of a certificate alone, or by a court's order: by issuer and serial number. */
static lt_res index_reasons(struct listing *w)
{
    static const char *const lists[] = {"holds", "delays"}; /* what was said later, and of it, wins */
    size_t i;
    json_t *row;
    char key[KEY_SIZE];
    w->own = json_object();
    LT_ASSERT(w->own != NULL);
    for (size_t k = 0; k < LT_COUNT(lists); k++) {
        json_array_foreach(json_object_get(w->l->facts, lists[k]), i, row)
        {
            (void)snprintf(key, sizeof key, "%d/%.40s", (int)cmd_int(row, "issuer"), cmd_text(row, "serial"));
            LT_CHECK(json_object_set(w->own, key, row) == 0, LT_STATE_CORRUPT,
                     "a serial number that is no text");
        }
    }
    return LT_OK;
}

/* Of all others, as a cell. */
static lt_res common_reason(struct listing *w)
{
    const char *text = "not replaced yet";
    struct lt_buf cell;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(w->l->facts, "sections"), i, row)
    {
        bool said = strcmp(cmd_text(row, "section"), "delay.reason") == 0 && cmd_text(row, "text")[0] != 0;
        text = said ? cmd_text(row, "text") : text;
    }
    lt_buf_init(&cell, REASON_MAX);
    lt_buf_add_byte(&cell, '"');
    for (; *text != 0; text++) {
        lt_buf_add_cstr(&cell, *text == '"' ? "\"" : "");
        lt_buf_add_byte(&cell, (uint8_t)*text);
    }
    lt_buf_add_byte(&cell, '"');
    w->reason = lt_arena_cstr(&w->c->arena, lt_buf_slice(&cell));
    lt_buf_done(&cell);
    LT_CHECK(w->reason != NULL, LT_PEER_TOO_LARGE, "the reason is too long");
    return LT_OK;
}

/* When it will be revoked: as was said of it, else with the plan, unless it runs out before. */
static int64_t expected(const struct listing *w, const json_t *own, int64_t not_after_s)
{
    lt_time until = incident_fact_time(own, "until");
    if (until.us == 0 && w->plan_end.us > w->l->now.us) {
        until = w->plan_end;
    }
    int64_t until_s = lt_time_seconds(until);
    return until_s == 0 || until_s > not_after_s ? not_after_s : until_s;
}

static void write_delayed(struct listing *w, const struct member *m)
{
    char hash[65];
    char key[KEY_SIZE];
    char end[32];
    char when[32];
    put_hex(hash, m->sha256, 32);
    int before = snprintf(key, sizeof key, "%d/", m->issuer);
    char *serial = key + before;
    put_hex(serial, m->serial.ptr, m->serial.len);
    put_time(end, m->not_after_s);
    const json_t *own = json_object_get(w->own, key);
    put_time(when, expected(w, own, m->not_after_s));
    (void)fprintf(w->delayed, "%s,%s,%d,%s,", hash, serial, m->issuer, end); /* checked when it is closed */
    if (own != NULL) {
        put_cell(w->delayed, lt_slice_cstr(cmd_text(own, "reason")));
    } else {
        (void)fputs(w->reason, w->delayed);
    }
    (void)fprintf(w->delayed, ",%s\r\n", when);
}

static void take_member(struct listing *w, const struct member *m)
{
    char line[sizeof(INCIDENT_CRT_SH) + 66];
    count_member(w, m);
    if (w->list != NULL) {
        (void)memcpy(line, INCIDENT_CRT_SH, sizeof(INCIDENT_CRT_SH) - 1);
        put_hex(line + sizeof(INCIDENT_CRT_SH) - 1, m->sha256, 32);
        line[sizeof(INCIDENT_CRT_SH) - 1 + 64] = '\n';
        (void)fwrite(line, 1, sizeof(INCIDENT_CRT_SH) + 64, w->list); /* checked when it is closed */
    }
    if (w->delayed != NULL && m->revoked_s == 0 && m->not_after_s >= w->now_s) {
        write_delayed(w, m);
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

static int64_t get32(const uint8_t *p)
{
    return (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | (int64_t)p[3];
}

static void take_rows(void *self, lt_slice rows, size_t size, lt_time end)
{
    struct listing *w = self;
    w->plan_end = end;
    for (size_t i = 0; i < rows.len; i += size) {
        const uint8_t *p = rows.ptr + i;
        struct member m = {.not_after_s = get32(p + 32),
                           .revoked_s = get32(p + 36),
                           .reason = p[40],
                           .issuer = p[41],
                           .profile = p[42]};
        (void)memcpy(m.sha256, p, 32);
        if (size > SERIAL_AT && p[SERIAL_AT] <= 20) {
            m.serial = LT_SLICE(p + SERIAL_AT + 1, p[SERIAL_AT]);
        }
        take_member(w, &m);
    }
    tell(w, false);
}

/* ---- the scope, for the CSV ---- */

static int compare_few(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    return memcmp(x->sha256, y->sha256, 32);
}

/* As the book has it now, where the list is frozen; else as the row says. */
static void state_of(const struct listing *w, const json_t *row, struct member *m)
{
    const json_t *revocation = json_object_get(row, "revocation");
    m->not_after_s = lt_time_seconds(incident_fact_time(row, "not_after"));
    m->revoked_s = lt_time_seconds(incident_fact_time(revocation, "revoked"));
    m->reason = (uint8_t)cmd_int(revocation, "reason");
    if (w->few_count > 0) {
        const struct member *found = bsearch(m, w->few, w->few_count, sizeof(*w->few), compare_few);
        m->revoked_s = found != NULL ? found->revoked_s : m->revoked_s;
        m->reason = found != NULL ? found->reason : m->reason;
    }
}

/* Subject and issuer as the certificate has them; where its bytes are not in the book, what is. */
static void put_names(FILE *f, const json_t *row, struct lt_arena *a)
{
    struct x509_cert cert;
    struct lt_buf b;
    lt_slice der = {NULL, 0};
    lt_buf_init(&b, 64 * 1024);
    bool whole = !lt_failed(lt_unbase64(a, lt_slice_cstr(cmd_text(row, "der")), &der)) && der.len > 0 &&
                 !lt_failed(x509_cert_parse(der, a, &cert));
    if (whole) {
        x509_name_text(&cert.subject, &b);
    }
    put_cell(f, b.len > 0 ? lt_buf_slice(&b) : LT_LIT("N/A"));
    (void)fputc(',', f);
    lt_buf_reset(&b);
    if (whole) {
        x509_name_text(&cert.issuer, &b);
    }
    put_cell(f, b.len > 0 ? lt_buf_slice(&b) : lt_slice_cstr(cmd_text(row, "issuer")));
    lt_buf_done(&b);
}

static void put_san(FILE *f, const json_t *row)
{
    struct lt_buf b;
    size_t i;
    json_t *name;
    lt_buf_init(&b, 1024 * 1024);
    json_array_foreach(json_object_get(row, "names"), i, name)
    {
        lt_buf_addf(&b, "%s%s", i == 0 ? "" : " ", json_is_string(name) ? json_string_value(name) : "");
    }
    put_cell(f, lt_buf_slice(&b));
    lt_buf_done(&b);
}

/* What was said of the certificate of such a row, which names its issuer. */
static const json_t *own_row(const struct listing *w, const json_t *row)
{
    char key[KEY_SIZE];
    size_t i;
    json_t *issuer;
    json_array_foreach(json_object_get(w->l->facts, "issuers"), i, issuer)
    {
        if (strcmp(cmd_text(issuer, "name"), cmd_text(row, "issuer")) == 0) {
            (void)snprintf(key, sizeof key, "%d/%.40s", (int)cmd_int(issuer, "id"), cmd_text(row, "serial"));
            return json_object_get(w->own, key);
        }
    }
    return NULL;
}

static lt_res put_row(struct listing *w, FILE *f, const json_t *row, bool count)
{
    struct member m = {.issuer = 0};
    struct lt_arena a;
    lt_slice hash = {NULL, 0};
    char from[32];
    char to[32];
    char when[32] = "N/A";
    lt_arena_init(&a, CELL_ARENA);
    if (!lt_failed(lt_unhex(&a, lt_slice_cstr(cmd_text(row, "sha256")), &hash)) && hash.len == 32) {
        (void)memcpy(m.sha256, hash.ptr, 32);
    }
    state_of(w, row, &m);
    if (count) {
        count_member(w, &m);
    }
    put_time(from, lt_time_seconds(incident_fact_time(row, "not_before")));
    put_time(to, m.not_after_s);
    bool revoked = m.revoked_s != 0;
    lt_time must = incident_fact_time(json_object_get(w->l->facts, "incident"), "must");
    if (revoked) {
        put_time(when, m.revoked_s);
    } else if (m.not_after_s >= w->now_s && (w->l->delayed || must.us != 0)) { /* the planned date */
        put_time(when, w->l->delayed ? expected(w, own_row(w, row), m.not_after_s) : lt_time_seconds(must));
    }
    if (f != NULL) {
        bool expired = !revoked && m.not_after_s < w->now_s;
        (void)fprintf(f, "N/A,%s,", cmd_text(row, "sha256")); /* checked when it is closed */
        put_names(f, row, &a);
        (void)fprintf(f, ",%s,%s,%s,", from, to, cmd_text(row, "serial"));
        put_san(f, row);
        (void)fprintf(f, ",%s,%s,%s\r\n",
                      revoked         ? "Yes"
                      : expired       ? "N/A"
                      : w->l->delayed ? "Delayed"
                                      : "Planned",
                      when, revoked ? reason_name(m.reason) : "N/A");
    }
    lt_arena_done(&a);
    return LT_OK;
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
        for (size_t i = 0; i < INCIDENT_APPENDIX_COLUMNS; i++) {
            (void)fprintf(f, "%s%s", i == 0 ? "" : ",", incident_appendix_columns[i]);
        }
        (void)fputs("\r\n", f); /* checked when it is closed */
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
        (void)fputs(
            "Certificate SHA-256 hash,Serial #,Issuer,Not after,Reason,Expected revocation or expiry\r\n",
            w->delayed); /* checked when it is closed */
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
    lt_res r = index_reasons(&w);
    r = lt_failed(r) ? r : common_reason(&w);
    r = lt_failed(r) ? r : run_listing(&w, scope, frozen);
    tell(&w, true);
    free(w.few);
    json_decref(w.own);
    lt_ignore(close_file(&w.list, "")); /* only open still where something failed before */
    lt_ignore(close_file(&w.delayed, ""));
    return r;
}
