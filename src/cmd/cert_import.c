/* lintel cert import: brings certificates of elsewhere into the book. Files are read a piece at a time, what
 * they hold is judged here as the notary will judge it, and goes out in requests of some tens of kilobytes,
 * each signed by the operator. The same files once more add nothing, so an import that broke off is begun
 * again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/api.h"
#include "ca/import.h"
#include "ca/import_book.h"
#include "ca/revoke.h"
#include "cmd/api.h"
#include "cmd/cert.h"
#include "cmd/lint.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

enum {
    PIECE = 256 * 1024,
    PAYLOAD_MAX = 44 * 1024, /* with JSON and signature a request stays below 64 KB */
    NAME_SIZE = 64,
    TELL_MS = 500,
    COMPLAINTS = 20,
    TRIES = 6,
    ISSUER_FILE_MAX = 64 * 1024,
    REASON_MAX = 10,
    ROW_ARENA = 4 * 1024 * 1024,
    PATH_SIZE = 128,
};

struct known {
    char name[NAME_SIZE];
    const struct ca_import_issuer *issuer;
    bool new_;  /* not in the book yet */
    bool signs; /* here: its CRL is ours */
    uint64_t count;
};

/* Of a row that waits for its request: the family names none. */
struct origin {
    size_t line;
    char path[PATH_SIZE];
};

struct import {
    struct cmd *c;
    struct ca_import_reader reader;
    struct known known[CA_IMPORT_ISSUERS_MAX];
    size_t known_count;
    struct cmd_import_reader *files; /* owned */
    const char *path;                /* that is read */
    bool yes;
    char id[NAME_SIZE]; /* of the import; empty: not begun */
    /* the batch */
    json_t *rows;                              /* owned */
    struct origin origins[CA_IMPORT_ROWS_MAX]; /* of rows */
    size_t size;
    uint64_t used; /* issuers, by bit */
    /* what came of it */
    uint64_t files_read;
    uint64_t whole;
    uint64_t partial; /* serial number and dates alone */
    uint64_t refused;
    uint64_t complaints;
    int64_t added;
    int64_t already;
    int64_t revoked;
    uint64_t bytes;
    uint64_t bytes_all;
    int64_t began_ms;
    int64_t said_ms;
};

static void clear(void)
{
    if (isatty(STDERR_FILENO) == 1) {
        (void)fputs("\r\033[K", stderr); /* for looks alone */
    }
}

static void complain_of(struct import *i, const char *path, size_t line, const char *why)
{
    i->refused++;
    if (i->complaints++ >= COMPLAINTS) {
        return;
    }
    clear();
    if (line > 0) {
        (void)fprintf(stderr, "%s:%zu: %s\n", path, line, why); /* the count is told anyway */
    } else {
        (void)fprintf(stderr, "%s: %s\n", path, why); /* as above */
    }
    if (i->complaints == COMPLAINTS) {
        (void)fputs("further ones are only counted\n", stderr); /* as above */
    }
}

static void complain(struct import *i, size_t line, const char *why)
{
    complain_of(i, i->path, line, why);
}

static void tell(struct import *i)
{
    int64_t now = lt_monotonic_ms();
    if (isatty(STDERR_FILENO) != 1 || now - i->said_ms < TELL_MS) {
        return;
    }
    i->said_ms = now;
    double seconds = (double)(now - i->began_ms + 1) / 1000;
    double speed = (double)i->bytes / seconds;
    /* for looks alone */
    (void)fprintf(stderr, "\r\033[K%llu files, %llu certificates, %.0f/s, %.0f s left, %llu refused",
                  (unsigned long long)i->files_read, (unsigned long long)(i->whole + i->partial),
                  (double)(i->whole + i->partial) / seconds,
                  speed > 0 && i->bytes_all > i->bytes ? (double)(i->bytes_all - i->bytes) / speed : 0,
                  (unsigned long long)i->refused);
    (void)fflush(stderr);
}

/* ---- issuers ---- */

static lt_res add_known(struct import *i, const char *name, lt_slice der, bool new_, bool signs)
{
    const struct ca_import_issuer *issuer = NULL;
    LT_TRY(ca_import_reader_add(&i->reader, der, &issuer));
    struct known *k = &i->known[i->known_count++];
    *k = (struct known){.issuer = issuer, .new_ = new_, .signs = signs};
    (void)snprintf(k->name, sizeof k->name, "%s", name);
    return LT_OK;
}

static lt_res read_book_issuers(struct import *i)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    size_t n;
    json_t *row;
    LT_TRY(cmd_api_get(i->c, "issuers?der=1", &answer));
    json_array_foreach(json_object_get(answer, "issuers"), n, row)
    {
        lt_slice pem = lt_slice_cstr(cmd_text(row, "pem"));
        lt_slice label;
        lt_slice der;
        LT_TRY(lt_pem_next(&i->c->arena, &pem, &label, &der));
        if (lt_failed(add_known(i, cmd_text(row, "name"), der, false,
                                json_is_false(json_object_get(row, "offline"))))) {
            (void)fprintf(stderr, "issuer %s: %s\n", cmd_text(row, "name"),
                          lt_error_last()->detail); /* a remark */
        }
    }
    return LT_OK;
}

static bool is_known(const struct import *i, lt_slice der)
{
    for (size_t n = 0; n < i->known_count; n++) {
        if (lt_slice_eq(i->known[n].issuer->cert.der, der)) {
            return true;
        }
    }
    return false;
}

/* NAME=FILE: another CA, and what it shall be called in the book. */
static lt_res read_issuer_option(struct import *i, const char *text)
{
    const char *equals = strchr(text, '=');
    char name[NAME_SIZE];
    lt_slice bytes;
    lt_slice label;
    lt_slice der;
    LT_CHECK(equals != NULL && equals > text && (size_t)(equals - text) < sizeof name, LT_PEER_USAGE,
             "--issuer is NAME=FILE: what to call that CA, and its certificate");
    (void)snprintf(name, sizeof name, "%.*s", (int)(equals - text), text); /* measured */
    LT_TRY(lt_file_read(&i->c->arena, AT_FDCWD, equals + 1, ISSUER_FILE_MAX, &bytes));
    der = bytes;
    if (bytes.len > 0 && bytes.ptr[0] != 0x30) {
        lt_res r = lt_pem_next(&i->c->arena, &bytes, &label, &der);
        LT_CHECK(!lt_failed(r), LT_PEER_USAGE, "%.150s holds no certificate", equals + 1);
    }
    return is_known(i, der) ? LT_OK : add_known(i, name, der, true, false);
}

static lt_res register_issuers(struct import *i)
{
    for (size_t n = 0; n < i->known_count; n++) {
        struct known *k = &i->known[n];
        if (!k->new_) {
            continue;
        }
        LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
        const char *der = lt_base64url(&i->c->arena, k->issuer->cert.der);
        LT_CHECK(der != NULL, LT_PEER_TOO_LARGE, "too many issuers");
        LT_CLEANUP(cmd_json_freep) json_t *payload = json_pack("{s:s, s:s}", "name", k->name, "der", der);
        LT_ASSERT(payload != NULL);
        LT_TRY(cmd_api_post(i->c, "issuers", payload, &answer));
        k->new_ = false;
    }
    return LT_OK;
}

/* ---- requests ---- */

static lt_res begin(struct import *i)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_TRY(register_issuers(i));
    const char *source = cmd_value_or(i->c, "source", i->c->args.words[0]);
    LT_CLEANUP(cmd_json_freep)
    json_t *payload = json_pack("{s:s, s:s}", "source", source, "note", cmd_value_or(i->c, "note", ""));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--source or --note is no UTF-8");
    LT_TRY(cmd_api_post(i->c, "imports", payload, &answer));
    (void)snprintf(i->id, sizeof i->id, "%s", cmd_text(answer, "import"));
    return LT_OK;
}

static json_t *payload_of(const struct import *i, struct lt_arena *a, json_t *rows)
{
    uint64_t account = 0;
    json_t *issuers = json_array();
    LT_ASSERT(issuers != NULL);
    for (size_t n = 0; n < i->known_count; n++) {
        if ((i->used & (UINT64_C(1) << n)) != 0) {
            const char *der = lt_base64url(a, i->known[n].issuer->cert.der);
            LT_ASSERT(der != NULL && json_array_append_new(issuers, json_string(der)) == 0);
        }
    }
    lt_ignore(cmd_number(i->c, "account", 0, INT64_MAX, &account)); /* it was looked at before */
    json_t *payload = json_pack("{s:O, s:o, s:s, s:I}", "certificates", rows, "issuers", issuers, "profile",
                                cmd_value_or(i->c, "profile", ""), "account", (json_int_t)account);
    LT_ASSERT(payload != NULL);
    return payload;
}

/* With patience for a family that is busy or restarts. */
static lt_res post(struct import *i, json_t *rows)
{
    static const struct timespec pause = {.tv_nsec = 500 * 1000000L};
    char path[PATH_SIZE];
    lt_res r = LT_OK;
    (void)snprintf(path, sizeof path, "imports/%s/certificates", i->id);
    for (int n = 0; n < TRIES; n++) {
        LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
        struct cmd page = *i->c; /* with an arena that goes with the request */
        lt_arena_init(&page.arena, CMD_ARENA_MAX);
        LT_CLEANUP(cmd_json_freep) json_t *payload = payload_of(i, &page.arena, rows);
        r = cmd_api_post(&page, path, payload, &answer);
        lt_arena_done(&page.arena);
        if (!lt_failed(r)) {
            i->added += cmd_int(answer, "added");
            i->already += cmd_int(answer, "already");
            i->revoked += cmd_int(answer, "revoked");
        }
        if (lt_class_of(r.code) != LT_CLASS_RETRY || !lt_failed(r)) {
            return r;
        }
        (void)nanosleep(&pause, NULL); /* one that is shorter is as good */
    }
    return r;
}

static bool is_refusal(lt_res r)
{
    return r.code == LT_PEER_MALFORMED || r.code == LT_PEER_NOT_FOUND || r.code == LT_PEER_TOO_LARGE;
}

/* One that the family refuses takes no other with it. */
static lt_res post_alone(struct import *i)
{
    size_t n;
    json_t *row;
    json_array_foreach(i->rows, n, row)
    {
        LT_CLEANUP(cmd_json_freep) json_t *alone = json_pack("[O]", row);
        LT_ASSERT(alone != NULL);
        lt_res r = post(i, alone);
        if (is_refusal(r)) {
            complain_of(i, i->origins[n].path, i->origins[n].line, lt_error_last()->detail);
        } else {
            LT_TRY(r);
        }
    }
    return LT_OK;
}

static lt_res flush(struct import *i)
{
    lt_res r = LT_OK;
    if (json_array_size(i->rows) == 0) {
        return LT_OK;
    }
    r = i->id[0] == 0 ? begin(i) : LT_OK;
    if (!lt_failed(r)) {
        r = post(i, i->rows);
        r = is_refusal(r) ? post_alone(i) : r;
    }
    (void)json_array_clear(i->rows); /* cannot fail on an array */
    i->size = 0;
    i->used = 0;
    return r;
}

/* Takes over row. size: of its JSON, about. */
static lt_res add(struct import *i, json_t *row, size_t size, size_t issuer)
{
    enum { ISSUER_SIZE = 2048 };
    LT_ASSERT(row != NULL);
    bool other = issuer < i->known_count && (i->used & (UINT64_C(1) << issuer)) == 0;
    size += other ? ISSUER_SIZE : 0;
    bool full = json_array_size(i->rows) >= CA_IMPORT_ROWS_MAX || i->size + size > PAYLOAD_MAX;
    lt_res r = full ? flush(i) : LT_OK;
    i->used |= issuer < i->known_count ? UINT64_C(1) << issuer : 0;
    i->size += size;
    struct origin *o = &i->origins[json_array_size(i->rows)];
    o->line = cmd_import_reader_line(i->files);
    (void)snprintf(o->path, sizeof o->path, "%s", i->path); /* a long one loses its end */
    LT_ASSERT(json_array_append_new(i->rows, row) == 0);
    return r;
}

/* ---- what files hold ---- */

static size_t index_of(const struct import *i, const struct ca_import_issuer *issuer)
{
    size_t n = 0;
    while (n < i->known_count && i->known[n].issuer != issuer) {
        n++;
    }
    return n;
}

static lt_res on_der(void *self, lt_slice der)
{
    enum { ROOM = 64 };
    struct import *i = self;
    struct lt_arena a;
    Ipc__ImportRow row;
    const struct ca_import_issuer *issuer = NULL;
    lt_arena_init(&a, ROW_ARENA);
    lt_res r = ca_import_read(&i->reader, der, &a, &row, &issuer);
    const char *text = lt_failed(r) ? NULL : lt_base64url(&a, der);
    lt_res result = LT_OK;
    if (lt_failed(r) || text == NULL || strlen(text) + ROOM > PAYLOAD_MAX) {
        complain(i, cmd_import_reader_line(i->files),
                 lt_failed(r) ? lt_error_last()->detail : "it is too large for a request");
    } else {
        size_t at = index_of(i, issuer);
        i->whole++;
        i->known[at].count++;
        result = i->yes ? add(i, json_pack("{s:s}", "der", text), strlen(text) + ROOM, at) : LT_OK;
    }
    lt_arena_done(&a);
    tell(i);
    return result;
}

static lt_res parse_time(lt_slice text, char ret_text[LT_RFC3339_SIZE])
{
    enum { SPACE_AT = 10, WITHOUT_ZONE = 19 };
    char plain[LT_RFC3339_SIZE + 12];
    lt_time t;
    (void)snprintf(plain, sizeof plain, "%.*s", (int)(text.len < 30 ? text.len : 30), (const char *)text.ptr);
    size_t len = strlen(plain);
    if (len >= WITHOUT_ZONE && plain[SPACE_AT] == ' ') {
        plain[SPACE_AT] = 'T';
    }
    if (len == WITHOUT_ZONE) {
        plain[len] = 'Z';
        plain[len + 1] = 0;
    }
    lt_res r = lt_time_parse_or_day(lt_slice_cstr(plain), &t);
    LT_CHECK(!lt_failed(r), LT_PEER_MALFORMED, "\"%.40s\" is no time; write 2027-01-01T00:00:00Z", plain);
    lt_time_rfc3339(t, ret_text);
    return LT_OK;
}

static lt_res set_time(json_t *row, const char *key, lt_slice text, bool needed)
{
    char time[LT_RFC3339_SIZE];
    LT_CHECK(!needed || text.len > 0, LT_PEER_MALFORMED, "%s is empty", key);
    if (text.len == 0) {
        return LT_OK;
    }
    LT_TRY(parse_time(text, time));
    LT_ASSERT(json_object_set_new(row, key, json_string(time)) == 0);
    return LT_OK;
}

/* Digits alone: without colons, blanks and "0x". */
static lt_res set_hex(json_t *row, const char *key, lt_slice text, size_t most)
{
    char digits[2 * 32 + 2] = "";
    size_t len = 0;
    text = lt_slice_starts(text, LT_LIT("0x")) ? lt_slice_sub(text, 2, text.len) : text;
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.ptr[i];
        if (c == ':' || c == ' ') {
            continue;
        }
        LT_CHECK(strchr("0123456789abcdefABCDEF", c) != NULL && len + 1 < most * 2 + 1, LT_PEER_MALFORMED,
                 "%s is not 1 to %zu bytes in hex", key, most);
        digits[len++] = c;
    }
    if (len == 0) {
        return LT_OK;
    }
    LT_CHECK(len % 2 == 0 || most == CA_IMPORT_SERIAL_MAX, LT_PEER_MALFORMED, "%s has half a byte", key);
    memmove(digits + len % 2, digits, len + 1);
    digits[0] = len % 2 == 0 ? digits[0] : '0';
    LT_ASSERT(json_object_set_new(row, key, json_string(digits)) == 0);
    return LT_OK;
}

static lt_res set_reason(json_t *row, lt_slice text)
{
    uint64_t number = 0;
    if (text.len == 0) {
        return LT_OK;
    }
    if (lt_failed(lt_parse_u64(text, REASON_MAX, &number))) {
        for (number = 0; number <= REASON_MAX; number++) {
            if (lt_slice_eq_nocase(text, lt_slice_cstr(ca_reason_name((uint32_t)number)))) {
                break;
            }
        }
    }
    LT_CHECK(number <= REASON_MAX, LT_PEER_MALFORMED, "\"%.*s\" is no reason of a revocation",
             (int)(text.len > 40 ? 40 : text.len), (const char *)text.ptr);
    LT_ASSERT(json_object_set_new(row, "reason", json_integer((json_int_t)number)) == 0);
    return LT_OK;
}

static lt_res set_names(json_t *row, lt_slice text)
{
    json_t *names = json_array();
    size_t from = 0;
    LT_ASSERT(names != NULL && json_object_set_new(row, "names", names) == 0);
    for (size_t i = 0; i <= text.len; i++) {
        bool between = i == text.len || strchr(" ,;|\r\n\t", (char)text.ptr[i]) != NULL;
        if (between && i > from) {
            json_t *name = json_stringn((const char *)text.ptr + from, i - from);
            LT_CHECK(name != NULL, LT_PEER_MALFORMED, "a name is no UTF-8");
            LT_ASSERT(json_array_append_new(names, name) == 0);
        }
        from = between ? i + 1 : from;
    }
    return LT_OK;
}

/* By its name in the book. */
static lt_res find_named(struct import *i, lt_slice text, size_t *ret_index)
{
    text = text.len == 0 ? lt_slice_cstr(cmd_value_or(i->c, "table-issuer", "")) : text;
    for (size_t n = 0; n < i->known_count; n++) {
        if (lt_slice_eq_cstr(text, i->known[n].name)) {
            *ret_index = n;
            return LT_OK;
        }
    }
    LT_CHECK(text.len > 0, LT_PEER_MALFORMED, "no column says who issued it; say --table-issuer NAME");
    LT_FAIL(LT_PEER_MALFORMED, "the book has no issuer \"%.*s\"", (int)(text.len > 60 ? 60 : text.len),
            (const char *)text.ptr);
}

static lt_res build_row(struct import *i, const lt_slice f[CMD_IMPORT_COLUMNS], json_t *row,
                        size_t *ret_issuer)
{
    LT_TRY(find_named(i, f[CMD_IMPORT_ISSUER], ret_issuer));
    LT_ASSERT(json_object_set_new(row, "issuer", json_string(i->known[*ret_issuer].name)) == 0);
    LT_CHECK(f[CMD_IMPORT_SERIAL].len > 0, LT_PEER_MALFORMED, "serial is empty");
    LT_TRY(set_hex(row, "serial", f[CMD_IMPORT_SERIAL], CA_IMPORT_SERIAL_MAX));
    LT_TRY(set_hex(row, "sha256", f[CMD_IMPORT_SHA256], CRYPTO_SHA256_LEN));
    LT_TRY(set_hex(row, "spki-sha256", f[CMD_IMPORT_SPKI_SHA256], CRYPTO_SHA256_LEN));
    LT_TRY(set_time(row, "not-before", f[CMD_IMPORT_NOT_BEFORE], true));
    LT_TRY(set_time(row, "not-after", f[CMD_IMPORT_NOT_AFTER], true));
    LT_TRY(set_time(row, "issued", f[CMD_IMPORT_ISSUED], false));
    LT_TRY(set_time(row, "revoked", f[CMD_IMPORT_REVOKED], false));
    LT_TRY(set_reason(row, f[CMD_IMPORT_REVOKED].len > 0 ? f[CMD_IMPORT_REASON] : LT_SLICE(NULL, 0)));
    return set_names(row, f[CMD_IMPORT_NAMES]);
}

/* As the family will judge it, so that a dry run refuses no less. */
static lt_res judge(const struct import *i, const json_t *row, size_t issuer)
{
    struct lt_arena a;
    Ipc__ImportRow read = IPC__IMPORT_ROW__INIT;
    lt_arena_init(&a, ROW_ARENA);
    lt_res r = ca_api_import_row(row, &a, &read);
    if (!lt_failed(r)) {
        r = ca_import_row_check(&read, i->known[issuer].signs, lt_now());
    }
    lt_arena_done(&a);
    return r;
}

static lt_res on_row(void *self, const lt_slice fields[CMD_IMPORT_COLUMNS])
{
    enum { ROOM = 400 };
    struct import *i = self;
    size_t issuer = 0;
    size_t size = ROOM + 2 * fields[CMD_IMPORT_NAMES].len;
    json_t *row = json_object();
    LT_ASSERT(row != NULL);
    lt_res r = build_row(i, fields, row, &issuer);
    r = lt_failed(r) ? r : judge(i, row, issuer);
    tell(i);
    if (lt_failed(r) || size > PAYLOAD_MAX) {
        json_decref(row);
        complain(i, cmd_import_reader_line(i->files),
                 lt_failed(r) ? lt_error_last()->detail : "it has too many names for a request");
        return LT_OK;
    }
    i->partial++;
    i->known[issuer].count++;
    if (!i->yes) {
        json_decref(row);
        return LT_OK;
    }
    return add(i, row, size, SIZE_MAX);
}

static lt_res on_bad(void *self, size_t line, const char *why)
{
    complain(self, line, why);
    return LT_OK;
}

/* ---- files ---- */

static lt_res read_pieces(struct import *i, int fd)
{
    struct lt_buf piece;
    lt_res r = LT_OK;
    ssize_t n = 1;
    lt_buf_init(&piece, PIECE);
    while (!lt_failed(r) && n > 0) {
        lt_buf_reset(&piece);
        n = read(fd, lt_buf_extend(&piece, PIECE), PIECE);
        if (n > 0) {
            i->bytes += (uint64_t)n;
            r = cmd_import_reader_feed(i->files, LT_SLICE(piece.ptr, (size_t)n));
        }
    }
    lt_buf_done(&piece);
    if (!lt_failed(r) && n < 0) {
        complain(i, 0, strerror(errno));
    }
    return r;
}

static lt_res read_one(void *self, const char *path)
{
    struct import *i = self;
    bool standard = strcmp(path, "-") == 0;
    LT_CLEANUP(lt_fd_closep) int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    i->path = path;
    if (fd < 0) {
        complain(i, 0, strerror(errno));
        return LT_OK;
    }
    cmd_import_reader_begin(i->files, path);
    LT_TRY(read_pieces(i, fd));
    i->files_read++;
    return cmd_import_reader_end(i->files);
}

static lt_res measure_one(void *self, const char *path)
{
    struct import *i = self;
    struct stat st;
    i->bytes_all += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    return LT_OK;
}

static void bad_folder(void *self, const char *path, const char *why)
{
    struct import *i = self;
    i->path = path;
    complain(i, 0, why);
}

static void ignore_folder(void *self, const char *path, const char *why)
{
    (void)self;
    (void)path;
    (void)why; /* it is told when it is read */
}

static lt_res each_file(struct import *i, const struct cmd_lint_walker *walker)
{
    for (size_t n = 0; n < i->c->args.word_count; n++) {
        struct stat st;
        const char *path = i->c->args.words[n];
        bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
        LT_TRY(folder ? cmd_lint_walk(path, walker) : walker->file(i, path));
    }
    return LT_OK;
}

static lt_res read_all(struct import *i)
{
    const struct cmd_lint_walker measure = {.file = measure_one, .bad = ignore_folder, .context = i};
    const struct cmd_lint_walker work = {.file = read_one, .bad = bad_folder, .context = i};
    if (isatty(STDERR_FILENO) == 1) { /* for the time that is left */
        LT_TRY(each_file(i, &measure));
    }
    i->began_ms = lt_monotonic_ms();
    LT_TRY(each_file(i, &work));
    LT_TRY(flush(i));
    clear();
    return LT_OK;
}

/* ---- report ---- */

static lt_res say_json(const struct import *i)
{
    json_t *issuers = json_object();
    LT_ASSERT(issuers != NULL);
    for (size_t n = 0; n < i->known_count; n++) {
        if (i->known[n].count > 0) {
            LT_ASSERT(json_object_set_new(issuers, i->known[n].name,
                                          json_integer((json_int_t)i->known[n].count)) == 0);
        }
    }
    LT_CLEANUP(cmd_json_freep)
    json_t *o = json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I}", "done", i->yes ? 1 : 0,
                          "import", i->id, "files", (json_int_t)i->files_read, "certificates",
                          (json_int_t)i->whole, "rows", (json_int_t)i->partial, "refused",
                          (json_int_t)i->refused, "issuers", issuers, "added", (json_int_t)i->added,
                          "already", (json_int_t)i->already, "revoked", (json_int_t)i->revoked);
    LT_ASSERT(o != NULL);
    return cmd_print_json(o);
}

static lt_res say(const struct import *i)
{
    if (i->c->json) {
        return say_json(i);
    }
    LT_TRY(cmd_printf("%llu files: %llu certificates, %llu rows of tables, %llu refused\n",
                      (unsigned long long)i->files_read, (unsigned long long)i->whole,
                      (unsigned long long)i->partial, (unsigned long long)i->refused));
    for (size_t n = 0; n < i->known_count; n++) {
        if (i->known[n].count > 0) {
            LT_TRY(cmd_printf("  %-20s %12llu%s\n", i->known[n].name, (unsigned long long)i->known[n].count,
                              i->known[n].new_ ? "  (a CA that the book does not know yet)" : ""));
        }
    }
    if (!i->yes) {
        return cmd_printf("Nothing was written: add --yes. What is in the book stays in it.\n");
    }
    return cmd_printf("import %s: %lld added, %lld were there, %lld revoked\n",
                      i->id[0] == 0 ? "(none)" : i->id, (long long)i->added, (long long)i->already,
                      (long long)i->revoked);
}

static lt_res work(struct import *i)
{
    const char *issuer;
    uint64_t account = 0;
    LT_TRY(cmd_number(i->c, "account", 0, INT64_MAX, &account));
    LT_TRY(read_book_issuers(i));
    for (size_t n = 0; (issuer = cmd_value_nth(i->c, "issuer", n)) != NULL; n++) {
        LT_TRY(read_issuer_option(i, issuer));
    }
    if (i->yes) { /* rows of tables name them */
        LT_TRY(register_issuers(i));
    }
    LT_TRY(read_all(i));
    return say(i);
}

static lt_res run_import(struct cmd *c)
{
    struct import *i = LT_NEW(&c->arena, struct import);
    LT_ASSERT(i != NULL);
    *i = (struct import){.c = c, .yes = cmd_flag(c, "yes"), .path = "", .rows = json_array()};
    const struct cmd_import_sink sink = {.self = i, .der = on_der, .row = on_row, .bad = on_bad};
    LT_ASSERT(i->rows != NULL);
    crypto_start();
    ca_import_reader_init(&i->reader);
    i->files = cmd_import_reader_new(&sink);
    lt_res r = work(i);
    struct lt_error why = *lt_error_last();
    cmd_import_reader_free(i->files);
    ca_import_reader_done(&i->reader);
    json_decref(i->rows);
    if (lt_failed(r)) {
        clear();
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    c->exit_status = i->refused > 0 ? CMD_FINDINGS : 0;
    return LT_OK;
}

static const struct cmd_option options[] = {
    {"issuer", "NAME=FILE", "a CA that issued some of them, and what to call it in the book", true, NULL},
    {"table-issuer", "NAME", "who issued the rows of tables that do not say it", false, NULL},
    {"profile", "NAME", "file them under that profile (default: imported)", false, NULL},
    {"account", "ID", "they belong to that account (default: none)", false, NULL},
    {"source", "TEXT", "where they come from, in your words (default: the first PATH)", false, NULL},
    {"note", "TEXT", "kept with the import", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_cert_import = {
    .name = "cert import",
    .words = "PATH...",
    .words_least = 1,
    .words_most = CMD_WORDS_MAX,
    .summary = "bring certificates of elsewhere into the book",
    .help = "PATH is a file or a folder; \"-\" is standard input. Files are PEM (any number in one), DER, or "
            "a table:\n"
            "CSV whose first line names its columns, serial, not_before and not_after among them, and "
            "issuer, issued,\n"
            "names, sha256, spki_sha256, key_type, revoked, reason where there are any. Each certificate's "
            "signature\n"
            "is verified with the certificate of its issuer. How names were proven stays unknown. Without "
            "--yes the\n"
            "files are only read. The status is 6 where something was refused.\n\n"
            "examples:\n"
            "  lintel cert import /srv/old/issued --issuer old=/srv/old/ca.pem\n"
            "  lintel cert import all.pem.txt --yes --source 'the CA before 2024'\n"
            "  lintel cert import revoked.csv --table-issuer old --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_import,
};
