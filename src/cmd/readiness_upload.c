/* lintel readiness upload: the certificate requests of a subscriber who cannot automate, a whole folder of
 * them at once. Each becomes an enrolment; what was brought in before, by the log, is left out, so an upload
 * that broke off is simply begun again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/api.h"
#include "cmd/enroll.h"
#include "cmd/readiness.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

enum { FILES_MAX = 20000, PATH_SIZE = 4096, LOG_MAX = 16 * 1024 * 1024, LINE_MAX_LEN = 4400 };

struct upload {
    struct cmd *c;
    const char **paths; /* sorted */
    size_t count;
    lt_slice log; /* what it said before this run */
    int log_fd;   /* -1: none */
    size_t done;
    size_t skipped;
    size_t refused;
    int64_t begun_ms;
    json_t *list; /* of the answer, with --json */
};

static lt_res add_path(struct upload *u, const char *path)
{
    LT_CHECK(u->count < FILES_MAX, LT_PEER_TOO_LARGE, "over %d files; give them in parts", FILES_MAX);
    u->paths[u->count] = lt_arena_cstr(&u->c->arena, lt_slice_cstr(path));
    LT_CHECK(u->paths[u->count] != NULL, LT_PEER_TOO_LARGE, "too many files");
    u->count++;
    return LT_OK;
}

static bool is_request(const char *name)
{
    static const char *const ends[] = {".csr", ".pem", ".der", ".req", ".p10"};
    lt_slice s = lt_slice_cstr(name);
    for (size_t i = 0; i < LT_COUNT(ends); i++) {
        if (name[0] != '.' && lt_slice_ends(s, lt_slice_cstr(ends[i]))) {
            return true;
        }
    }
    return false;
}

static lt_res add_folder(struct upload *u, const char *path)
{
    char name[PATH_SIZE];
    struct dirent *e;
    lt_res r = LT_OK;
    DIR *d = opendir(path);
    LT_CHECK(d != NULL, LT_PEER_USAGE, "%s: %s", path, strerror(errno));
    while (!lt_failed(r) && (e = readdir(d)) != NULL) {
        if (is_request(e->d_name)) {
            (void)snprintf(name, sizeof name, "%s/%s", path, e->d_name); /* cut: then it is not found */
            r = add_path(u, name);
        }
    }
    (void)closedir(d); /* only read */
    return r;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static lt_res collect(struct upload *u)
{
    struct stat st;
    u->paths = LT_NEW_ARRAY(&u->c->arena, const char *, FILES_MAX);
    LT_ASSERT(u->paths != NULL);
    for (size_t i = 0; i < u->c->args.word_count; i++) {
        const char *path = u->c->args.words[i];
        LT_CHECK(stat(path, &st) == 0, LT_PEER_USAGE, "%s: %s", path, strerror(errno));
        LT_TRY(S_ISDIR(st.st_mode) ? add_folder(u, path) : add_path(u, path));
    }
    LT_CHECK(u->count > 0, LT_PEER_USAGE, "there is no .csr, .req, .p10, .pem or .der");
    qsort(u->paths, u->count, sizeof u->paths[0], by_name);
    return LT_OK;
}

static lt_res open_log(struct upload *u)
{
    const char *path = cmd_value(u->c, "log");
    u->log_fd = -1;
    if (path == NULL) {
        return LT_OK;
    }
    if (access(path, F_OK) == 0) {
        LT_TRY(lt_file_read(&u->c->arena, AT_FDCWD, path, LOG_MAX, &u->log));
    }
    u->log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    LT_CHECK(u->log_fd >= 0, LT_PEER_USAGE, "%s: %s", path, strerror(errno));
    return LT_OK;
}

/* A line: hash of the request, id of the enrolment, file. */
static bool was_brought_in(const struct upload *u, const char *hash)
{
    lt_slice rest = u->log;
    lt_slice line;
    while (lt_slice_split(&rest, '\n', &line)) {
        if (lt_slice_starts(line, lt_slice_cstr(hash))) {
            return true;
        }
    }
    return false;
}

static lt_res note(const struct upload *u, const char *hash, const char *id, const char *path)
{
    char line[LINE_MAX_LEN];
    int len = snprintf(line, sizeof line, "%s\t%s\t%.4000s\n", hash, id, path);
    if (u->log_fd < 0) {
        return LT_OK;
    }
    LT_CHECK(write(u->log_fd, line, (size_t)len) == len && fsync(u->log_fd) == 0, LT_STATE_IO,
             "the log cannot be written: %s", strerror(errno));
    return LT_OK;
}

static lt_res say(struct upload *u, const char *path, const char *id, const char *what)
{
    if (u->list != NULL) {
        json_t *row = json_pack("{s:s, s:s, s:s}", "file", path, "id", id, "result", what);
        LT_CHECK(row != NULL && json_array_append_new(u->list, row) == 0, LT_PEER_USAGE, "%s is no UTF-8",
                 path);
        return LT_OK;
    }
    return cmd_printf("%s  %s%s%s\n", path, what, id[0] == '\0' ? "" : ", enrolment ", id);
}

static void progress(const struct upload *u, size_t at)
{
    int64_t ms = lt_monotonic_ms() - u->begun_ms;
    size_t rate = ms <= 0 ? 0 : (size_t)((int64_t)at * 1000 / ms);
    if (isatty(STDERR_FILENO) == 1) {
        (void)fprintf(stderr, "\r\033[K%zu of %zu, %zu a second, %zu s left", at, u->count, rate,
                      rate == 0 ? 0 : (u->count - at) / rate);
    }
}

static lt_res upload_one(struct upload *u, const char *path)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    uint8_t digest[CRYPTO_SHA256_LEN];
    LT_ASSERT(payload != NULL);
    lt_res r = cmd_enroll_fill(u->c, path, payload);
    if (!lt_failed(r)) {
        crypto_sha256(lt_slice_cstr(cmd_text(payload, "csr")), digest);
        const char *hash = lt_hex(&u->c->arena, LT_SLICE(digest, sizeof digest));
        LT_ASSERT(hash != NULL);
        if (was_brought_in(u, hash)) {
            u->skipped++;
            return LT_OK;
        }
        r = cmd_api_post(u->c, "enrollments", payload, &answer);
        if (!lt_failed(r)) {
            u->done++;
            LT_TRY(note(u, hash, cmd_text(answer, "id"), path));
            return say(u, path, cmd_text(answer, "id"), cmd_text(answer, "status"));
        }
    }
    /* One that is refused keeps no other back; a family that is away does. */
    if (lt_class_of(r.code) == LT_CLASS_RETRY || lt_class_of(r.code) == LT_CLASS_STATE) {
        return r;
    }
    u->refused++;
    const char *why = lt_arena_cstr(&u->c->arena, lt_slice_cstr(lt_error_last()->detail));
    LT_ASSERT(why != NULL);
    return say(u, path, "", why);
}

static lt_res upload_all(struct upload *u)
{
    u->begun_ms = lt_monotonic_ms();
    for (size_t i = 0; i < u->count; i++) {
        LT_TRY(upload_one(u, u->paths[i]));
        progress(u, i + 1);
    }
    if (isatty(STDERR_FILENO) == 1) {
        (void)fputs("\r\033[K", stderr);
    }
    u->c->findings += u->refused > 0;
    if (u->list != NULL) {
        LT_CLEANUP(cmd_json_freep)
        json_t *out = json_pack("{s:I, s:I, s:I, s:O}", "brought_in", (json_int_t)u->done, "before",
                                (json_int_t)u->skipped, "refused", (json_int_t)u->refused, "files", u->list);
        LT_ASSERT(out != NULL);
        return cmd_print_json(out);
    }
    return cmd_printf("%zu brought in, %zu were before, %zu refused\n", u->done, u->skipped, u->refused);
}

static lt_res run_upload(struct cmd *c)
{
    struct upload u = {.c = c};
    LT_CHECK(cmd_value(c, "subscriber") != NULL, LT_PEER_USAGE, "--subscriber: for whom are they?");
    LT_TRY(collect(&u));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c,
                         "would bring in %zu certificate requests for %s, the first %s; add --yes to do it",
                         u.count, cmd_value(c, "subscriber"), u.paths[0]);
    }
    LT_TRY(open_log(&u));
    u.list = c->json ? json_array() : NULL;
    lt_res r = upload_all(&u);
    json_decref(u.list);
    if (u.log_fd >= 0) {
        (void)close(u.log_fd); /* each line was synced */
    }
    return r;
}

static const struct cmd_option options[] = {
    {"subscriber", "NAME", "for whom", false, NULL},
    {"profile", "NAME", "the certificates' profile (default: that of lintel.yaml)", false, NULL},
    {"method", "[NAME=]METHOD", "how names are proven (default: what the subscriber chooses)", true, NULL},
    {"contact", "MAIL", "whom to ask about them", false, NULL},
    {"hold", NULL, "issue when somebody says so (enroll issue)", false, NULL},
    {"log", "FILE", "what was brought in is noted there, and left out the next time", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_readiness_upload = {
    .name = "readiness upload",
    .words = "FILE|FOLDER...",
    .words_least = 1,
    .words_most = CMD_WORDS_MAX,
    .summary = "bring in many certificate requests of a subscriber without automation",
    .help =
        "A folder gives its *.csr, *.req, *.p10, *.pem and *.der. Names that were proven not long ago are\n"
        "issued at once; the others say what is to be put where: lintel enroll show. Status 6 when some\n"
        "were refused.\n"
        "\n"
        "examples:\n"
        "  lintel readiness upload requests/ --subscriber \"Example Ltd\" --log done.tsv --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_upload,
};
