/* lintel cert export: certificates as a table, as JSON or as PEM, page after page: what is kept is one page,
 * however many there are. All pages are of the book as it was when the first was asked for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/api.h"
#include "cmd/cert.h"
#include "cmd/scope.h"
#include "cmd/verbs.h"

enum {
    QUERY_MAX = 2048,
    PATH_SIZE = 2200,
    CURSOR_MAX = 512,
    PIECE = 1024 * 1024,
    TELL_MS = 500,
    ROW_MAX = 256 * 1024
};

struct export;
typedef lt_res write_row(struct export *e, const json_t *row);

struct format {
    const char *name;
    const char *head; /* before the first row, once */
    const char *tail;
    bool der; /* the bytes are asked for */
    write_row *row;
};

struct export
{
    struct cmd *c;
    lt_slice text;
    const struct format *format;
    bool der;
    FILE *out;
    const char *path;
    struct lt_buf piece; /* of what goes out */
    char cursor[CURSOR_MAX];
    char at[LT_RFC3339_SIZE];
    int64_t total;
    int64_t done;
    int64_t without; /* of these have no bytes in the book */
    int64_t began_ms;
    int64_t said_ms;
};

/* ---- rows ---- */

static void add_field(struct lt_buf *out, const char *text)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    lt_buf_add_cstr(out, quoted ? "\"" : "");
    for (const char *p = text; *p != 0; p++) {
        if (*p == '"') {
            lt_buf_add_byte(out, '"');
        }
        lt_buf_add_byte(out, (uint8_t)*p);
    }
    lt_buf_add_cstr(out, quoted ? "\"" : "");
}

static void add_names(struct lt_buf *out, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        lt_buf_addf(out, "%s%s", i == 0 ? "" : " ", json_is_string(name) ? json_string_value(name) : "");
    }
}

/* In the order of the columns; a dot looks inside. */
static const char *const columns[] = {"serial",      "issuer",  "profile",  "status",   "not_before",
                                      "not_after",   "issued",  "key_type", "key_bits", "sha256",
                                      "spki_sha256", "account", "order",    "method",   "oldest_validation",
                                      "oldest_caa",  "shard"};
#define TABLE_HEAD                                                                                   \
    "serial,issuer,profile,status,not_before,not_after,issued,key_type,key_bits,sha256,spki_sha256," \
    "account,order,method,oldest_validation,oldest_caa,shard,revoked,reason,names\r\n"

static void add_value(struct lt_buf *out, const json_t *value)
{
    if (json_is_string(value)) {
        add_field(out, json_string_value(value));
    } else if (json_is_integer(value)) {
        lt_buf_addf(out, "%lld", (long long)json_integer_value(value));
    }
}

/*= RFC 4180 2 "Fields containing line breaks (CRLF), double quotes, and commas should be enclosed in
 * double-quotes." */
static lt_res write_table_row(struct export *e, const json_t *row)
{
    struct lt_buf names;
    const json_t *revocation = json_object_get(row, "revocation");
    for (size_t i = 0; i < LT_COUNT(columns); i++) {
        add_value(&e->piece, json_object_get(row, columns[i]));
        lt_buf_add_byte(&e->piece, ',');
    }
    add_field(&e->piece, cmd_text(revocation, "revoked"));
    lt_buf_add_byte(&e->piece, ',');
    add_field(&e->piece, cmd_text(revocation, "reason_name"));
    lt_buf_add_byte(&e->piece, ',');
    lt_buf_init(&names, ROW_MAX);
    add_names(&names, json_object_get(row, "names"));
    add_field(&e->piece, lt_buf_cstr(&names));
    lt_buf_done(&names);
    lt_buf_add_cstr(&e->piece, "\r\n");
    return LT_OK;
}

static lt_res write_json_row(struct export *e, const json_t *row)
{
    char *text = json_dumps(row, JSON_COMPACT);
    LT_ASSERT(text != NULL);
    lt_buf_add_cstr(&e->piece, strcmp(e->format->name, "json") == 0 && e->done > 0 ? ",\n" : "");
    lt_buf_add_cstr(&e->piece, text);
    lt_buf_add_cstr(&e->piece, strcmp(e->format->name, "json") == 0 ? "" : "\n");
    free(text);
    return LT_OK;
}

static lt_res write_pem_row(struct export *e, const json_t *row)
{
    struct lt_arena a;
    lt_slice der = {NULL, 0};
    const char *text = cmd_text(row, "der");
    if (text[0] == 0) {
        e->without++;
        return LT_OK;
    }
    lt_arena_init(&a, ROW_MAX);
    lt_res r = lt_unbase64(&a, lt_slice_cstr(text), &der);
    if (!lt_failed(r)) {
        lt_pem_add(&e->piece, "CERTIFICATE", der);
    }
    lt_arena_done(&a);
    return r;
}

static const struct format formats[] = {
    {"csv", TABLE_HEAD, "", false, write_table_row},
    {"json", "[\n", "\n]\n", false, write_json_row},
    {"jsonl", "", "", false, write_json_row},
    {"pem", "", "", true, write_pem_row},
};

/* ---- pages ---- */

static lt_res flush(struct export *e)
{
    LT_TRY(lt_buf_check(&e->piece));
    bool good = fwrite(e->piece.ptr, 1, e->piece.len, e->out) == e->piece.len && fflush(e->out) == 0;
    lt_buf_reset(&e->piece);
    if (good) {
        return LT_OK;
    }
    LT_CHECK(errno != EPIPE, LT_STATE_CLOSED, "standard output is closed");
    LT_FAIL(LT_STATE_IO, "%.150s: %s", e->path, strerror(errno));
}

static void tell(struct export *e, bool end)
{
    int64_t now = lt_monotonic_ms();
    bool terminal = isatty(STDERR_FILENO) == 1;
    if (!terminal || (!end && now - e->said_ms < TELL_MS)) {
        return;
    }
    e->said_ms = now;
    double rate = (double)e->done * 1000 / (double)(now - e->began_ms + 1);
    if (end) {
        (void)fputs("\r\033[K", stderr); /* all of it is for looks alone */
        return;
    }
    (void)fprintf(stderr, "\r\033[K%lld of %lld certificates, %.0f/s, %.0f s left", (long long)e->done,
                  (long long)e->total, rate, rate > 0 ? (double)(e->total - e->done) / rate : 0);
    (void)fflush(stderr);
}

static lt_res ask(struct export *e, struct cmd *page, json_t **ret_json)
{
    char path[PATH_SIZE];
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "limit", "1000");
    cmd_query_add(&query, "cursor", e->cursor[0] != 0 ? e->cursor : NULL);
    cmd_query_add(&query, "order", cmd_value(e->c, "order"));
    cmd_query_add(&query, "der", e->der ? "1" : NULL);
    cmd_query_add_time(&query, "at", e->at[0] != 0 ? e->at : cmd_value(e->c, "at"));
    lt_res r = lt_buf_check(&query);
    (void)snprintf(path, sizeof path, "scope/list?%.*s", LT_FMT(lt_buf_slice(&query)));
    lt_buf_done(&query);
    LT_TRY(r);
    LT_TRY(cmd_scope_pointed(e->text, cmd_api_ask(page, path, "text/plain", e->text, ret_json)));
    cmd_scope_remarks(e->at[0] == 0 ? *ret_json : NULL);
    return LT_OK;
}

static lt_res write_page(struct export *e, struct cmd *page)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    size_t i;
    json_t *row;
    LT_TRY(ask(e, page, &answer));
    if (e->at[0] == 0) {
        (void)snprintf(e->at, sizeof e->at, "%.20s", cmd_text(answer, "as_of"));
        e->total = cmd_int(answer, "count");
        lt_buf_add_cstr(&e->piece, e->format->head);
    }
    json_array_foreach(json_object_get(answer, "certificates"), i, row)
    {
        LT_TRY(e->format->row(e, row));
        e->done++;
        if (e->piece.len > PIECE) {
            LT_TRY(flush(e));
        }
    }
    const char *next = cmd_text(answer, "next");
    LT_CHECK(strlen(next) < sizeof e->cursor, LT_STATE_CORRUPT, "a cursor of %zu bytes", strlen(next));
    (void)snprintf(e->cursor, sizeof e->cursor, "%s", next);
    return flush(e);
}

static lt_res write_all(struct export *e)
{
    e->began_ms = lt_monotonic_ms();
    do {
        struct cmd page = *e->c; /* with an arena that goes with the page */
        lt_arena_init(&page.arena, CMD_ARENA_MAX);
        lt_res r = write_page(e, &page);
        lt_arena_done(&page.arena);
        if (lt_failed(r)) {
            tell(e, true);
            return r;
        }
        tell(e, false);
    } while (e->cursor[0] != 0);
    tell(e, true);
    lt_buf_add_cstr(&e->piece, e->format->tail);
    return flush(e);
}

/* A file appears whole, or not at all. */
static lt_res to_file(struct export *e)
{
    char *partial = lt_arena_printf(&e->c->arena, "%s.partial", e->path);
    LT_CHECK(partial != NULL, LT_PEER_USAGE, "--output: the path is too long");
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    e->out = fd < 0 ? NULL : fdopen(fd, "w");
    LT_CHECK(e->out != NULL, LT_PEER_USAGE, "%.150s: %s", partial, strerror(errno));
    lt_res r = write_all(e);
    struct lt_error why = *lt_error_last();
    bool good = fflush(e->out) == 0 && fsync(fileno(e->out)) == 0;
    good = fclose(e->out) == 0 && good;
    if (lt_failed(r)) {
        (void)unlink(partial); /* it says nothing that is true */
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    LT_CHECK(good && rename(partial, e->path) == 0, LT_STATE_IO, "%.150s: %s", e->path, strerror(errno));
    return LT_OK;
}

static lt_res run_export(struct cmd *c)
{
    struct export e = {.c = c, .path = cmd_value(c, "output"), .out = stdout};
    const char *format = cmd_value_or(c, "format", c->json ? "json" : "csv");
    for (size_t i = 0; i < LT_COUNT(formats); i++) {
        e.format = strcmp(format, formats[i].name) == 0 ? &formats[i] : e.format;
    }
    LT_ASSERT(e.format != NULL); /* the option's own words */
    e.der = e.format->der || cmd_flag(c, "der");
    LT_CHECK(!cmd_flag(c, "der") || e.format->row == write_json_row, LT_PEER_USAGE,
             "--der goes with json and jsonl; --format pem is nothing else");
    LT_TRY(cmd_cert_expression(c, &e.text));
    lt_buf_init(&e.piece, (size_t)PIECE * 8);
    lt_res r = LT_OK;
    if (e.path == NULL) {
        e.path = "standard output";
        r = write_all(&e);
    } else {
        r = to_file(&e);
    }
    lt_buf_done(&e.piece);
    LT_TRY(r);
    if (e.without > 0) {
        (void)fprintf(stderr, "%lld certificates were brought in without their bytes, and are left out\n",
                      (long long)e.without); /* a remark */
    }
    return LT_OK;
}

static const struct cmd_option options[] = {
    CMD_CERT_FILTERS,
    {"format", "WORD", "of what is written (default: csv; json with --json)", false, "csv json jsonl pem"},
    {"der", NULL, "with the bytes of each certificate, in base64, for json and jsonl", false, NULL},
    {"order", "WORD", "how sorted (default: serial, the book's own)", false,
     "serial issued -issued expires -expires"},
    {"output", "FILE", "write there; the file appears when it is whole", false, NULL},
    {"at", "TIME", "the book as it was then (RFC 3339, or a day)", false, NULL},
};

const struct cmd_verb cmd_cert_export = {
    .name = "cert export",
    .words = "",
    .summary = "write certificates out as CSV, JSON or PEM",
    .help =
        "Streams: memory does not grow with what is written. All of it is of one moment, though others go "
        "on\n"
        "issuing. Progress goes to a terminal on standard error.\n\n"
        "examples:\n"
        "  lintel cert export --status valid > valid.csv\n"
        "  lintel cert export --scope 'method = dns-01 and caa_age > 8h' --format jsonl --der > hit.jsonl\n"
        "  lintel cert export --suffix example.com --format pem --output example.pem\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_export,
};
