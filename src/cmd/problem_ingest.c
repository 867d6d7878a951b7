/* lintel problem ingest: letters as a mail server pipes them (RFC 5322 on standard input), or files of them.
 * Says that all is well only when the report is in the book; until then the status is 75, and the mail server
 * keeps the letter and comes again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "cmd/problem.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

enum {
    RAW_MAX = 25 * 1024 * 1024,
    PART_MAX = 32 * 1024,
    AGAIN_LATER = 75, /* EX_TEMPFAIL of sysexits.h, which mail servers know */
    FILES_MAX = 100000,
    UPLOAD_LEN = 16,
    ARENA_MAX = 128 * 1024 * 1024,
    PATH_SIZE = 4096,
};

struct ingest {
    struct cmd *c;
    json_t *list;
    size_t done;
    size_t failed;
    int64_t begun_ms;
};

static lt_res put_base64(json_t *o, lt_slice bytes)
{
    struct lt_buf text;
    lt_buf_init(&text, (size_t)PART_MAX * 2);
    lt_base64url_add(&text, bytes);
    lt_res r = lt_buf_check(&text);
    if (!lt_failed(r)) {
        LT_ASSERT(json_object_set_new(o, "data", json_string(lt_buf_cstr(&text))) == 0);
    }
    lt_buf_done(&text);
    return r;
}

static void put_hex(struct lt_arena *a, json_t *o, const char *name, lt_slice bytes)
{
    const char *hex = lt_hex(a, bytes);
    LT_ASSERT(hex != NULL && json_object_set_new(o, name, json_string(hex)) == 0);
}

static lt_res send_parts(struct cmd *c, lt_slice raw, json_t *opening)
{
    uint8_t upload[UPLOAD_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    int64_t part = 0;
    lt_random(upload, sizeof upload);
    crypto_sha256(raw, hash);
    for (lt_slice rest = raw; rest.len > 0; part++) {
        LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
        LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
        lt_slice bytes = lt_slice_sub(rest, 0, PART_MAX);
        rest = lt_slice_sub(rest, bytes.len, SIZE_MAX);
        put_hex(&c->arena, payload, "upload", LT_SLICE(upload, sizeof upload));
        LT_ASSERT(json_object_set_new(payload, "part", json_integer(part)) == 0);
        LT_TRY(put_base64(payload, bytes));
        LT_TRY(cmd_api_post(c, "problems/parts", payload, &answer));
    }
    put_hex(&c->arena, opening, "upload", LT_SLICE(upload, sizeof upload));
    put_hex(&c->arena, opening, "sha256", LT_SLICE(hash, sizeof hash));
    LT_ASSERT(json_object_set_new(opening, "parts", json_integer(part)) == 0);
    LT_ASSERT(json_object_set_new(opening, "bytes", json_integer((json_int_t)raw.len)) == 0);
    return LT_OK;
}

static lt_res bring(struct cmd *c, lt_slice raw, json_t **ret_answer)
{
    LT_CLEANUP(cmd_json_freep) json_t *opening = json_object();
    const char *sender = cmd_value(c, "sender");
    const char *received = cmd_value(c, "received");
    LT_CHECK(raw.len > 0, LT_PEER_MALFORMED, "an empty letter");
    LT_CHECK(raw.len <= RAW_MAX, LT_PEER_TOO_LARGE, "a letter of %zu bytes, at most %d", raw.len, RAW_MAX);
    LT_ASSERT(json_object_set_new(opening, "channel", json_string("mail")) == 0);
    LT_ASSERT(json_object_set_new(opening, "form", json_string("mail")) == 0);
    if (sender != NULL && strchr(sender, '@') != NULL) {
        LT_ASSERT(json_object_set_new(opening, "contact", json_string(sender)) == 0);
    }
    if (received != NULL) {
        LT_ASSERT(json_object_set_new(opening, "received", json_string(received)) == 0);
    }
    LT_TRY(raw.len <= PART_MAX ? put_base64(opening, raw) : send_parts(c, raw, opening));
    return cmd_api_post(c, "problems", opening, ret_answer);
}

/* Memory of one letter is not that of the next. */
static lt_res bring_apart(struct ingest *g, const char *name, int fd)
{
    struct cmd each = *g->c;
    struct lt_buf raw;
    json_t *answer = NULL;
    lt_res r = LT_OK;
    lt_arena_init(&each.arena, ARENA_MAX);
    lt_buf_init(&raw, (size_t)RAW_MAX + 1);
    for (;;) {
        uint8_t *room = lt_buf_extend(&raw, PART_MAX);
        ssize_t n = room == NULL ? -2 : read(fd, room, PART_MAX);
        if (room != NULL) {
            raw.len -= PART_MAX - (n > 0 ? (size_t)n : 0);
        }
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            r = n == -2 ? lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__,
                                  "%.200s: a letter has at most %d bytes", name, RAW_MAX)
                        : lt_fail(LT_STATE_IO, __FILE__, __LINE__, "%.200s: %s", name, strerror(errno));
        }
        if (n <= 0) {
            break;
        }
    }
    r = lt_failed(r) ? r : bring(&each, lt_buf_slice(&raw), &answer);
    lt_buf_done(&raw);
    lt_arena_done(&each.arena);
    if (!lt_failed(r)) {
        LT_ASSERT(json_object_set_new(answer, "file", json_string(name)) == 0 &&
                  json_array_append_new(g->list, answer) == 0);
        g->done++;
    }
    return r;
}

static lt_res one(struct ingest *g, const char *path)
{
    bool pipe = strcmp(path, "-") == 0;
    int fd = pipe ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    lt_res r = fd < 0 ? lt_fail(LT_PEER_NOT_FOUND, __FILE__, __LINE__, "%.200s: %s", path, strerror(errno))
                      : bring_apart(g, pipe ? "standard input" : path, fd);
    if (fd >= 0 && !pipe) {
        (void)close(fd); /* was only read */
    }
    if (lt_failed(r)) {
        g->failed++;
        (void)fprintf(stderr, "lintel: %s\n", lt_error_last()->detail); /* where else */
    }
    return r;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static lt_res folder(struct ingest *g, const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *e = NULL;
    size_t count = 0;
    LT_CHECK(dir != NULL, LT_PEER_USAGE, "%.200s: %s", path, strerror(errno));
    char **names = calloc(FILES_MAX, sizeof *names);
    LT_ASSERT(names != NULL);
    while (count < FILES_MAX && (e = readdir(dir)) != NULL) {
        if (e->d_name[0] != '.') {
            names[count] = strdup(e->d_name);
            LT_ASSERT(names[count++] != NULL);
        }
    }
    (void)closedir(dir); /* was only read */
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        char file[PATH_SIZE];
        (void)snprintf(file, sizeof file, "%s/%s", path, names[i]); /* cut: then it is not found */
        (void)one(g, file);                                         /* said and counted */
        free(names[i]);
        if (isatty(STDERR_FILENO) && (i + 1) % 100 == 0) {
            int64_t ms = lt_monotonic_ms() - g->begun_ms + 1;
            (void)fprintf(stderr, "%zu of %zu, %lld a second, %lld s left\r", i + 1, count,
                          (long long)(i + 1) * 1000 / (long long)ms,
                          (long long)((count - i - 1) * (size_t)ms / (i + 1) / 1000)); /* only progress */
        }
    }
    free(names);
    return LT_OK;
}

static lt_res print(struct ingest *g)
{
    struct cmd *c = g->c;
    size_t i;
    json_t *row;
    if (c->json) {
        LT_CLEANUP(cmd_json_freep) json_t *all = json_object();
        LT_ASSERT(json_object_set(all, "reports", g->list) == 0 &&
                  json_object_set_new(all, "failed", json_integer((json_int_t)g->failed)) == 0);
        return cmd_print_json(all);
    }
    json_array_foreach(g->list, i, row)
    {
        LT_TRY(cmd_printf("problem %lld  %s\n", (long long)cmd_int(row, "id"), cmd_text(row, "file")));
    }
    return LT_OK;
}

static lt_res run_ingest(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *list = json_array();
    struct ingest g = {.c = c, .list = list, .begun_ms = lt_monotonic_ms()};
    const char *from = cmd_value(c, "folder");
    bool alone = c->args.word_count == 0 && from == NULL;
    if (alone) {
        (void)one(&g, "-"); /* said and counted */
    }
    for (size_t i = 0; i < c->args.word_count; i++) {
        (void)one(&g, c->args.words[i]); /* the same */
    }
    LT_TRY(from == NULL ? LT_OK : folder(&g, from));
    c->exit_status = g.failed > 0 ? AGAIN_LATER : 0;
    return alone && g.failed > 0 ? LT_OK : print(&g);
}

static const struct cmd_option options[] = {
    {"sender", "ADDRESS", "of the envelope: answered where the letter has no sender of its own", false, NULL},
    {"received", "TIME",
     "when it reached us, where that was long ago (default: now, or what the relay wrote)", false, NULL},
    {"folder", "DIR", "every file of a folder, in the order of their names", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
const struct cmd_verb cmd_problem_ingest = {
    .name = "problem ingest",
    .words = "[FILE...]",
    .words_least = 0,
    .words_most = FILES_MAX,
    .summary = "take in problem reports as letters, from a mail server's pipe or from files",
    .help = "Reads a letter (RFC 5322, at most 25 MB) from standard input, or each FILE. The status is 0 "
            "when all of\n"
            "it is in the book, and 75 as long as it is not, so that a mail server keeps the letter and "
            "tries again:\n"
            "nothing is ever lost, and the same letter twice is one report. Use the key of an operator whose "
            "only\n"
            "role is intake.\n"
            "\n"
            "examples:\n"
            "  lintel problem ingest < letter.eml\n"
            "  # /etc/postfix/master.cf\n"
            "  problems unix - n n - 4 pipe user=lintel argv=/usr/bin/lintel problem ingest --dir /srv/ca\n"
            "    --operator mail --key /etc/lintel/mail.key --sender ${sender}\n"
            "  lintel problem ingest --folder /var/mail/quarantine --received 2026-11-20T08:00:00Z --json\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_ingest,
};
