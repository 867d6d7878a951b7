/* lintel audit export, and audit verify --export: the events of a book as JSON lines, and back. */
#include "cmd/audit_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/verbs.h"

enum { PUBLIC_KEY_MAX = 8192, FINDINGS_SHOWN = 1000, TELL_EVENTS = 10000, OUT_BYTES = 1 << 20 };

/* ---- the book ---- */

static lt_res read_audit_key(struct cmd *c, int dir, const char *path, lt_slice *ret_spki)
{
    lt_slice pem;
    lt_slice label;
    LT_TRY(lt_file_read(&c->arena, dir, path, PUBLIC_KEY_MAX, &pem));
    return lt_pem_next(&c->arena, &pem, &label, ret_spki);
}

static lt_res open_book(struct cmd *c, struct cmd_audit_book *b)
{
    const char *path = NULL;
    LT_TRY(cmd_book(c, b->folder, &path));
    LT_TRY(ca_operators_load(b->dir, "operators", &b->operators));
    b->audit.operators = &b->operators;
    lt_res key = read_audit_key(c, b->dir, "ca/audit.pub", &b->audit.audit_spki);
    LT_TRY(key.code == LT_PEER_NOT_FOUND ? LT_OK : key);
    const struct store_options options = {.path = path, .read_only = true};
    LT_TRY(store_open(&options, &b->audit.store));
    return store_begin(b->audit.store); /* one view of the book */
}

lt_res cmd_audit_open(struct cmd *c, struct cmd_audit_book *ret_book)
{
    *ret_book = (struct cmd_audit_book){.dir = -1};
    LT_TRY(cmd_folder(c, &ret_book->folder));
    ret_book->dir = open(ret_book->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(ret_book->dir >= 0, LT_PEER_NOT_FOUND, "%s: %s", ret_book->folder, strerror(errno));
    lt_res r = open_book(c, ret_book);
    if (lt_failed(r)) {
        struct lt_error why = *lt_error_last();
        cmd_audit_close(ret_book);
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    return LT_OK;
}

void cmd_audit_close(struct cmd_audit_book *b)
{
    if (b->audit.store != NULL) {
        store_rollback(b->audit.store);
        store_close(b->audit.store);
        b->audit.store = NULL;
    }
    ca_operators_done(&b->operators);
    lt_fd_closep(&b->dir);
    b->dir = -1;
}

static lt_res read_time(struct cmd *c, const char *option, lt_time otherwise, lt_time *ret_time)
{
    const char *value = cmd_value(c, option);
    *ret_time = otherwise;
    if (value == NULL) {
        return LT_OK;
    }
    lt_res r = lt_time_parse_or_day(lt_slice_cstr(value), ret_time);
    LT_CHECK(!lt_failed(r), LT_PEER_USAGE, "--%s %.40s is no time: write 2026-01-01 or 2026-01-01T12:00:00Z",
             option, value);
    return LT_OK;
}

lt_res cmd_audit_period(struct cmd *c, lt_time *ret_from, lt_time *ret_until)
{
    LT_TRY(read_time(c, "from", (lt_time){0}, ret_from));
    LT_TRY(read_time(c, "to", lt_time_add_seconds(c->now, 1), ret_until));
    LT_CHECK(ret_until->us > ret_from->us, LT_PEER_USAGE, "--to lies before --from");
    return LT_OK;
}

/* ---- export ---- */

struct sink {
    int fd;
    struct lt_buf out;
    struct ca_audit_export *e;
    bool tells; /* on a terminal */
};

static lt_res flush(struct sink *s)
{
    lt_res r = lt_write_all(s->fd, lt_buf_slice(&s->out));
    lt_buf_reset(&s->out);
    return r;
}

static lt_res write_line(void *self, lt_slice line)
{
    struct sink *s = self;
    if (s->out.len + line.len > OUT_BYTES) {
        LT_TRY(flush(s));
    }
    if (s->tells && s->e->events % TELL_EVENTS == 0) {
        (void)fprintf(stderr, "\r%llu events", (unsigned long long)s->e->events); /* for looks alone */
    }
    if (line.len > OUT_BYTES) {
        return lt_write_all(s->fd, line);
    }
    lt_buf_add(&s->out, line);
    return LT_OK;
}

static lt_res say_export(struct cmd *c, const struct ca_audit_export *e, const char *file)
{
    if (file == NULL) {
        return LT_OK; /* standard output has the lines */
    }
    return c->json ? cmd_printf("{\"file\":\"%s\",\"chains\":%llu,\"events\":%llu,\"knots\":%llu,"
                                "\"approvals\":%llu}\n",
                                file, (unsigned long long)e->chains, (unsigned long long)e->events,
                                (unsigned long long)e->knots, (unsigned long long)e->approvals)
                   : cmd_printf("%s: %llu events of %llu chains, %llu knots, %llu approvals\n", file,
                                (unsigned long long)e->events, (unsigned long long)e->chains,
                                (unsigned long long)e->knots, (unsigned long long)e->approvals);
}

static lt_res export_to(struct cmd *c, struct cmd_audit_book *b, int fd)
{
    struct ca_audit_export e = {.audit = &b->audit, .write = write_line};
    struct sink s = {.fd = fd, .e = &e, .tells = isatty(STDERR_FILENO) == 1 && fd != STDOUT_FILENO};
    LT_TRY(cmd_audit_period(c, &e.from, &e.until));
    e.self = &s;
    lt_buf_init(&s.out, 2 * OUT_BYTES);
    lt_res r = ca_audit_export(&e);
    r = lt_failed(r) ? r : flush(&s);
    lt_buf_done(&s.out);
    if (s.tells) {
        (void)fputs("\r\033[K", stderr); /* for looks alone */
    }
    LT_TRY(r);
    return say_export(c, &e, cmd_value(c, "out"));
}

static lt_res run_export(struct cmd *c)
{
    struct cmd_audit_book b;
    const char *file = cmd_value(c, "out");
    LT_CLEANUP(lt_fd_closep) int fd = -1;
    LT_TRY(cmd_audit_open(c, &b));
    if (file != NULL) {
        fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    lt_res r = file == NULL || fd >= 0 ? export_to(c, &b, file == NULL ? STDOUT_FILENO : fd)
                                       : lt_fail(errno == EEXIST ? LT_PEER_CONFLICT : LT_STATE_IO, __FILE__,
                                                 __LINE__, "%s: %s", file, strerror(errno));
    cmd_audit_close(&b);
    LT_CHECK(lt_failed(r) || fd < 0 || fsync(fd) == 0, LT_STATE_IO, "%s: %s", file, strerror(errno));
    return r;
}

/* ---- verify --export ---- */

struct verify {
    struct cmd *c;
    struct lt_buf findings;
    size_t shown;
};

static void found(void *self, const char *what, const char *subject, const char *detail)
{
    struct verify *v = self;
    if (v->shown++ >= FINDINGS_SHOWN) {
        return; /* they are counted all the same */
    }
    if (!v->c->json) {
        lt_buf_addf(&v->findings, "BAD  %-12s %s: %s\n", what, subject, detail);
        return;
    }
    lt_buf_addf(&v->findings, "%s{\"what\":\"%s\",\"subject\":", v->shown > 1 ? "," : "", what);
    lt_json_add_string(&v->findings, lt_slice_cstr(subject));
    lt_buf_add_cstr(&v->findings, ",\"detail\":");
    lt_json_add_string(&v->findings, lt_slice_cstr(detail));
    lt_buf_add_byte(&v->findings, '}');
}

static lt_res read_lines(struct ca_audit_reader *r, FILE *in, const char *file)
{
    char *line = NULL;
    size_t size = 0;
    lt_res did = LT_OK;
    ssize_t len = getline(&line, &size, in);
    while (!lt_failed(did) && len > 0) {
        size_t n = (size_t)len;
        did = line[n - 1] == '\n'
                  ? ca_audit_reader_line(r, LT_SLICE(line, n - 1))
                  : lt_fail(LT_PEER_MALFORMED, __FILE__, __LINE__, "%.100s: the last line is cut off", file);
        len = lt_failed(did) ? 0 : getline(&line, &size, in);
    }
    bool broken = ferror(in) != 0;
    free(line);
    LT_TRY(did);
    LT_CHECK(!broken, LT_STATE_IO, "%.100s: %s", file, strerror(errno));
    return LT_OK;
}

static lt_res say_read(struct verify *v, const struct ca_audit_read_counts *n)
{
    struct lt_buf out;
    lt_buf_init(&out, 4 << 20);
    if (v->c->json) {
        lt_buf_addf(&out,
                    "{\"ok\":%s,\"whole\":%s,\"events\":%llu,\"chains\":%llu,\"knots\":%llu,\"jws\":%llu,"
                    "\"jws_unknown\":%llu,\"approvals\":%llu,\"findings_count\":%llu,\"findings\":[",
                    n->findings == 0 ? "true" : "false", n->whole ? "true" : "false",
                    (unsigned long long)n->events, (unsigned long long)n->chains,
                    (unsigned long long)n->knots, (unsigned long long)n->jws,
                    (unsigned long long)n->jws_unknown, (unsigned long long)n->approvals,
                    (unsigned long long)n->findings);
        lt_buf_add(&out, lt_buf_slice(&v->findings));
        lt_buf_add_cstr(&out, "]}\n");
    } else {
        lt_buf_add(&out, lt_buf_slice(&v->findings));
        lt_buf_addf(
            &out,
            "%llu events in %llu chains (%s), %llu knots, %llu kept requests (%llu by keys that are gone), "
            "%llu approvals\n%s\n",
            (unsigned long long)n->events, (unsigned long long)n->chains,
            n->whole ? "from their beginning" : "of a period", (unsigned long long)n->knots,
            (unsigned long long)n->jws, (unsigned long long)n->jws_unknown, (unsigned long long)n->approvals,
            n->findings == 0 ? "the export is what the book was" : "THE EXPORT IS NOT WHAT THE BOOK WAS");
    }
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res verify_stream(struct verify *v, FILE *in, const char *file)
{
    struct ca_audit_reader *reader = NULL;
    struct ca_audit_read_counts counts = {.lines = 0};
    lt_slice spki = {NULL, 0};
    const char *key = cmd_value(v->c, "audit-key");
    LT_TRY(key == NULL ? LT_OK : read_audit_key(v->c, AT_FDCWD, key, &spki));
    LT_TRY(ca_audit_reader_new(spki, v, found, &reader));
    lt_res r = read_lines(reader, in, file);
    r = lt_failed(r) ? r : ca_audit_reader_end(reader, &counts);
    ca_audit_reader_free(reader);
    LT_TRY(r);
    v->c->findings = counts.findings > 0;
    return say_read(v, &counts);
}

lt_res cmd_audit_lines(struct cmd *c, const char *file)
{
    struct verify v = {.c = c};
    bool standard = strcmp(file, "-") == 0;
    FILE *in = standard ? stdin : fopen(file, "re");
    LT_CHECK(in != NULL, LT_PEER_NOT_FOUND, "%.150s: %s", file, strerror(errno));
    lt_buf_init(&v.findings, 2 << 20);
    lt_res r = verify_stream(&v, in, file);
    lt_buf_done(&v.findings);
    if (!standard) {
        (void)fclose(in); /* only read */
    }
    return r;
}

static const struct cmd_option options[] = {
    {"from", "TIME", "events at or after (RFC 3339, or a day)", false, NULL},
    {"to", "TIME", "events before", false, NULL},
    {"out", "FILE", "a new file instead of standard output", false, NULL},
};

const struct cmd_verb cmd_audit_export = {
    .name = "audit export",
    .words = "",
    .summary = "write events, knots and approvals as JSON lines that can be verified elsewhere",
    .help =
        "Needs the right to read the folder; changes nothing, and may run beside the family. Each line says\n"
        "what it is: export, chain, event, knot, approval, end. What was signed is in it, as base64, with "
        "the\n"
        "key that verifies it.\n"
        "\n"
        "examples:\n"
        "  lintel audit export --out 2026.jsonl --from 2026-01-01 --to 2027-01-01\n"
        "  lintel audit export | jq -c 'select(.type == \"event\") | [.time, .kind, .subject]'\n"
        "  lintel audit verify --export 2026.jsonl --audit-key audit.pub\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_export,
};
