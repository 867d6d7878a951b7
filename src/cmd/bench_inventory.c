/* lintel bench inventory: a CA folder with as many certificates as the worst day of 2020 had, and how long
 * the named questions about them take. What it loads, it loads as offline commands do, in a folder that it
 * made itself: never into a CA that issues. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/tally.h"
#include "cmd/bench_inventory.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

static const struct store_sql sql[] = {
    {"inventory.loaded-add", "INSERT INTO meta (key, value) VALUES ('bench.inventory', ?1)"},
    {"inventory.loaded", "SELECT value FROM meta WHERE key = 'bench.inventory'"},
};
enum { SQL_LOADED_ADD, SQL_LOADED };

enum {
    TELL_MS = 500,
    ARENA_MAX = 8 * 1024 * 1024,
    CONFIG_MAX = 256 * 1024,
    CERTIFICATE_MAX = 64 * 1024,
    OPEN_FILES = 16
};

static const struct cmd_option options[] = {
    {"certificates", "N", "how many (default: 3048289)", false, NULL},
    {"folder", "DIR", "where: an empty or new folder, or one that was kept (default: one in TMPDIR)", false,
     NULL},
    {"keep", NULL, "leave the folder there; a second run only asks", false, NULL},
    {"revoked", "N", "so many are revoked (default: 56 of 100, all that are replaced)", false, NULL},
    {"shards", "N", "parts of the CRL (default: 128)", false, NULL},
    {"port", "PORT", "of its ACME listener, CRLs 80 above (default: 14000); certificates say where", false,
     NULL},
    {"no-evidence", NULL, "without authorizations and segments, which no expression reads", false, NULL},
    {"shape", "WORD", "clean: nothing wrong; caa: every check of CAA too old; mixed: some of all (default)",
     false, "clean caa mixed"},
    {"load-only", NULL, "do not ask", false, NULL},
};

/* ---- progress ---- */

void inventory_phase(struct inventory_load *l, const char *name)
{
    int64_t now = lt_monotonic_ms();
    if (l->phase != NULL && l->took_count < LT_COUNT(l->took)) {
        l->took[l->took_count].name = l->phase;
        l->took[l->took_count++].ms = now - l->phase_ms;
    }
    l->phase = name;
    l->phase_ms = now;
}

void inventory_tell(struct inventory_load *l, uint64_t done, uint64_t all)
{
    if ((done & 1023) != 0 && done != all) {
        return;
    }
    int64_t now = lt_monotonic_ms();
    if (isatty(STDERR_FILENO) != 1 || now - l->said_ms < TELL_MS) {
        return;
    }
    l->said_ms = now;
    double rate = (double)done * 1000 / (double)(now - l->phase_ms + 1);
    /* for looks alone */
    (void)fprintf(stderr, "\r\033[K%s: %llu of %llu, %.0f/s, %.0f s left", l->phase, (unsigned long long)done,
                  (unsigned long long)all, rate, rate > 0 ? (double)(all - done) / rate : 0);
    (void)fflush(stderr);
}

static void clear(void)
{
    if (isatty(STDERR_FILENO) == 1) {
        (void)fputs("\r\033[K", stderr); /* for looks alone */
    }
}

lt_res inventory_next_group(struct inventory_load *l)
{
    LT_TRY(store_commit(l->store));
    return store_begin(l->store);
}

/* ---- the folder ---- */

enum { PORT_DEFAULT = 14000, PORT_MAX = 65000, HTTP_ABOVE = 80, OPERATOR_ABOVE = 1 };

/* This program once more, its words to people left out. The ports of validation are those of `bench acme`. */
static lt_res run_init(const char *folder, uint64_t port)
{
    char https[40];
    char http[40];
    char operators[40];
    char self[] = "/proc/self/exe";
    char verb[] = "init";
    char resolver[] = "--resolver=127.0.0.1@8053";
    char validation[] = "--validation-port=5002";
    char private[] = "--allow-private";
    char *argv[] = {self,      verb, (char *)(uintptr_t)folder, resolver, validation, private, https, http,
                    operators, NULL};
    extern char **environ;
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0;
    (void)snprintf(https, sizeof(https), "--https-port=%llu", (unsigned long long)port);
    (void)snprintf(http, sizeof(http), "--http-port=%llu", (unsigned long long)port + HTTP_ABOVE);
    (void)snprintf(operators, sizeof(operators), "--operator-port=%llu",
                   (unsigned long long)port + OPERATOR_ABOVE);
    LT_ASSERT(posix_spawn_file_actions_init(&actions) == 0);
    LT_ASSERT(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0);
    int failed = posix_spawn(&pid, self, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions); /* cannot fail */
    LT_CHECK(failed == 0, LT_STATE_IO, "lintel init cannot be started: %s", strerror(failed));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    LT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, LT_PEER_USAGE,
             "%.150s: no CA could be made there", folder);
    return LT_OK;
}

/* The line below the issuer's name, unless init wrote one. */
static lt_res set_shards(struct inventory_load *l, uint64_t shards)
{
    static const char head[] = "  - name: tls\n";
    lt_slice yaml;
    struct lt_buf out;
    char *path = lt_arena_printf(&l->c->arena, "%s/%s", l->folder, CA_CONFIG_FILE);
    LT_CHECK(path != NULL, LT_PEER_USAGE, "%.150s: the path is too long", l->folder);
    LT_TRY(lt_file_read(&l->c->arena, AT_FDCWD, path, CONFIG_MAX, &yaml));
    const char *text = (const char *)yaml.ptr;
    const char *at = strstr(text, head);
    LT_CHECK(at != NULL, LT_STATE_CORRUPT, "%.150s: no issuer tls", path);
    at += sizeof head - 1;
    const char *next = strstr(at, "  - name: ");
    const char *old = strstr(at, "    crl-shards:");
    bool there = old != NULL && (next == NULL || old < next);
    lt_buf_init(&out, CONFIG_MAX);
    lt_buf_add(&out, LT_SLICE(text, (size_t)((there ? old : at) - text)));
    lt_buf_addf(&out, "    crl-shards: %llu\n", (unsigned long long)shards);
    lt_buf_add_cstr(&out, there ? strchr(old, '\n') + 1 : at);
    FILE *f = fopen(path, "we");
    bool good = f != NULL && fwrite(out.ptr, 1, out.len, f) == out.len;
    good = (f == NULL || fclose(f) == 0) && good;
    lt_buf_done(&out);
    LT_CHECK(good, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
    return LT_OK;
}

static lt_res read_key(struct inventory_load *l)
{
    struct lt_secret passphrase;
    char *path = lt_arena_printf(&l->c->arena, "%s/%s", l->folder, l->as_configured->key);
    LT_CHECK(path != NULL, LT_PEER_USAGE, "%.150s: the path is too long", l->folder);
    LT_TRY(cmd_passphrase(l->c, l->folder, l->config->passphrase_file, &passphrase));
    lt_res r = cmd_key_load(&l->c->arena, path, &passphrase, &l->key);
    lt_secret_done(&passphrase);
    return r;
}

static lt_res read_issuer(struct inventory_load *l)
{
    lt_slice pem;
    lt_slice label;
    lt_slice der;
    for (uint32_t i = 0; i < l->config->issuer_count; i++) {
        if (strcmp(l->config->issuers[i].name, "tls") == 0) {
            l->as_configured = &l->config->issuers[i];
        }
    }
    LT_CHECK(l->as_configured != NULL, LT_STATE_CORRUPT, "%.150s has no issuer tls", l->folder);
    char *path = lt_arena_printf(&l->c->arena, "%s/%s", l->folder, l->as_configured->certificate);
    LT_CHECK(path != NULL, LT_PEER_USAGE, "%.150s: the path is too long", l->folder);
    LT_TRY(lt_file_read(&l->c->arena, AT_FDCWD, path, CERTIFICATE_MAX, &pem));
    LT_TRY(lt_pem_next(&l->c->arena, &pem, &label, &der));
    LT_TRY(x509_cert_parse(der, &l->c->arena, &l->issuer));
    return read_key(l);
}

/* What audit reads later: these certificates were made by a bench. */
static lt_res add_event(struct inventory_load *l)
{
    const struct ca_book_options o = {.store = l->store,
                                      .chain = "offline",
                                      .build = lt_version,
                                      .base_url = "",
                                      .public_http_url = l->config->public_http_url};
    struct ca_book *book = NULL;
    struct ca_turn turn;
    struct ca_body body;
    char value[32];
    LT_TRY(ca_book_open(&o, &book));
    ca_turn_init(&turn, l->store, &l->c->arena, l->c->now);
    turn.book = book;
    ca_body_init(&body);
    ca_body_int(&body, "certificates", (int64_t)l->shape.count);
    ca_body_int(&body, "names", (int64_t)inventory_names_total(&l->shape));
    lt_res r = ca_body_event(&body, &turn, "bench.inventory", "ca", LT_SLICE(NULL, 0));
    ca_book_free(book);
    LT_TRY(r);
    (void)snprintf(value, sizeof value, "%lld", (long long)l->shape.now_us);
    return store_exec(l->store, &sql[SQL_LOADED_ADD], STORE_ARGS(STORE_S(value)), NULL);
}

static lt_res load_rows(struct inventory_load *l)
{
    LT_TRY(store_begin(l->store));
    LT_TRY(inventory_drop_indexes(l));
    LT_TRY(inventory_load_small(l));
    LT_TRY(inventory_load_certificates(l));
    LT_TRY(inventory_load_names(l));
    LT_TRY(inventory_make_indexes(l));
    if (l->evidence) {
        LT_TRY(inventory_load_evidence(l));
    }
    inventory_phase(l, "tally");
    LT_TRY(ca_tally_all_at_once(l->store, l->c->now));
    LT_TRY(add_event(l));
    LT_TRY(store_commit(l->store));
    inventory_phase(l, NULL);
    return LT_OK;
}

static lt_res load(struct inventory_load *l, const char *book, uint64_t shards)
{
    const struct store_options o = {.path = book, .cache_kib = INVENTORY_CACHE_KIB};
    LT_TRY(set_shards(l, shards));
    LT_TRY(ca_config_load(l->folder, &l->config));
    LT_TRY(read_issuer(l));
    LT_CLEANUP(lt_fd_closep) int lock = -1;
    LT_TRY(cmd_folder_lock(l->folder, &lock));
    LT_TRY(store_open(&o, &l->store));
    return load_rows(l);
}

static void load_done(struct inventory_load *l)
{
    store_close(l->store);
    cmd_key_done(&l->key);
    ca_config_free(l->config);
    lt_buf_done(&l->text);
    lt_arena_done(&l->arena);
    free(l->points);
}

/* ---- report ---- */

struct report {
    struct inventory_asked asked[INVENTORY_EXPRESSIONS_MAX];
    size_t count;
    bool json;
    size_t over;
    int64_t disk_book;
    int64_t disk_segments;
};

static void answered(void *self, const struct inventory_asked *one)
{
    struct report *r = self;
    bool over = one->count_ms > one->limit_ms || one->list_ms > INVENTORY_LIMIT_MS;
    r->over += over ? 1 : 0;
    if (r->count < INVENTORY_EXPRESSIONS_MAX) {
        r->asked[r->count++] = *one;
    }
    if (!r->json) {
        clear();
        (void)printf(
            "%-20.*s %8lld  count %6lld ms of %4lld (CPU %5lld)  members %6lld ms of %d (CPU %5lld)%s\n",
            LT_FMT(one->name), (long long)one->count, (long long)one->count_ms, (long long)one->limit_ms,
            (long long)one->count_cpu_ms, (long long)one->list_ms, INVENTORY_LIMIT_MS,
            (long long)one->list_cpu_ms, over ? "  OVER" : "");
        (void)fflush(stdout); /* it is watched */
    }
}

static struct report *summed; /* of the walk: nftw takes no argument of ours */

static int add_file(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type == FTW_F) {
        *(strstr(path, "/evidence/") != NULL ? &summed->disk_segments : &summed->disk_book) += s->st_blocks *
                                                                                               512;
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s;
    (void)type;
    (void)ftw;
    return remove(path);
}

static lt_res say_loaded(const struct inventory_load *l, const struct report *r)
{
    int64_t total = 0;
    uint64_t names = inventory_names_total(&l->shape);
    if (r->json) {
        return LT_OK;
    }
    LT_TRY(cmd_printf("%llu certificates with %llu names (%.2f each), %llu authorizations with evidence\n",
                      (unsigned long long)l->shape.count, (unsigned long long)names,
                      (double)names / (double)l->shape.count,
                      l->evidence ? (unsigned long long)inventory_set_first(&l->shape, l->shape.sets) : 0));
    for (size_t i = 0; i < l->took_count; i++) {
        total += l->took[i].ms;
        LT_TRY(cmd_printf("  %-14s %8.1f s\n", l->took[i].name, (double)l->took[i].ms / 1000));
    }
    return cmd_printf("  %-14s %8.1f s\n  book %.2f GB, segments of evidence %.2f GB\n", "loaded in",
                      (double)total / 1000, (double)r->disk_book / 1e9, (double)r->disk_segments / 1e9);
}

static lt_res say_json(const struct inventory_load *l, const struct report *r)
{
    struct lt_buf out;
    lt_buf_init(&out, 256 * 1024);
    lt_buf_addf(&out, "{\"certificates\":%llu,\"names\":%llu,\"load_ms\":{",
                (unsigned long long)l->shape.count, (unsigned long long)inventory_names_total(&l->shape));
    for (size_t i = 0; i < l->took_count; i++) {
        lt_buf_addf(&out, "%s\"%s\":%lld", i == 0 ? "" : ",", l->took[i].name, (long long)l->took[i].ms);
    }
    lt_buf_addf(&out, "},\"book_bytes\":%lld,\"segment_bytes\":%lld,\"expressions\":[",
                (long long)r->disk_book, (long long)r->disk_segments);
    for (size_t i = 0; i < r->count; i++) {
        const struct inventory_asked *one = &r->asked[i];
        lt_buf_addf(&out,
                    "%s{\"name\":\"%.*s\",\"count\":%lld,\"count_ms\":%lld,\"count_limit_ms\":%lld,"
                    "\"count_cpu_ms\":%lld,\"list_ms\":%lld,\"list_limit_ms\":%d,\"list_cpu_ms\":%lld}",
                    i == 0 ? "" : ",", LT_FMT(one->name), (long long)one->count, (long long)one->count_ms,
                    (long long)one->limit_ms, (long long)one->count_cpu_ms, (long long)one->list_ms,
                    INVENTORY_LIMIT_MS, (long long)one->list_cpu_ms);
    }
    lt_buf_addf(&out, "],\"over\":%zu}\n", r->over);
    lt_res printed = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return printed;
}

/* ---- order ---- */

/* When the folder was loaded; 0: it was not. */
static lt_res loaded_at(const char *book, int64_t *ret_us)
{
    const struct store_options o = {.path = book, .read_only = true};
    struct store *s = NULL;
    struct store_rows rows;
    LT_TRY(store_open(&o, &s));
    lt_res r = store_query(s, &sql[SQL_LOADED], STORE_NO_ARGS, &rows);
    if (!lt_failed(r)) {
        *ret_us = store_next(&rows) ? strtoll(store_cstr(&rows, 0), NULL, 10) : 0;
        r = store_rows_end(&rows);
    }
    store_close(s);
    return r;
}

static lt_res make_folder(struct cmd *c, const char **ret_folder)
{
    const char *folder = cmd_value(c, "folder");
    if (folder == NULL) {
        const char *tmp = getenv("TMPDIR");
        char *made = lt_arena_printf(&c->arena, "%s/lintel-inventory-XXXXXX", tmp == NULL ? "/tmp" : tmp);
        LT_CHECK(made != NULL && mkdtemp(made) != NULL, LT_STATE_IO, "no folder can be made: %s",
                 strerror(errno));
        folder = made;
    }
    *ret_folder = folder;
    return LT_OK;
}

static lt_res load_new(struct cmd *c, struct inventory_load *l, const char *book, struct report *r)
{
    uint64_t count = 0;
    uint64_t revoked = 0;
    uint64_t shards = 0;
    uint64_t port = 0;
    LT_TRY(cmd_number(c, "certificates", INVENTORY_DEFAULT, INVENTORY_MAX, &count));
    LT_CHECK(count > 0, LT_PEER_USAGE, "--certificates: at least 1");
    inventory_shape_init(&l->shape, count, c->now);
    LT_TRY(cmd_number(c, "revoked", l->shape.replaced, l->shape.replaced, &revoked));
    LT_TRY(cmd_number(c, "shards", 128, 1024, &shards));
    l->shape.revoked = revoked;
    l->shape.old_caa = strcmp(cmd_value_or(c, "shape", "mixed"), "caa") == 0;
    l->shape.clean = l->shape.old_caa || strcmp(cmd_value_or(c, "shape", "mixed"), "clean") == 0;
    l->evidence = !cmd_flag(c, "no-evidence");
    LT_TRY(cmd_number(c, "port", PORT_DEFAULT, PORT_MAX, &port));
    LT_CHECK(port > 0, LT_PEER_USAGE, "--port: from 1 on");
    LT_TRY(run_init(l->folder, port));
    lt_res loaded = load(l, book, shards);
    clear();
    LT_TRY(loaded);
    store_close(l->store); /* the log goes into the book */
    l->store = NULL;
    summed = r;
    (void)nftw(l->folder, add_file, OPEN_FILES, FTW_PHYS); /* for the report */
    return say_loaded(l, r);
}

static lt_res work(struct cmd *c, struct inventory_load *l, struct report *r)
{
    int64_t loaded_us = 0;
    const char *book = lt_arena_printf(&c->arena, "%s/book/lintel.db", l->folder);
    LT_CHECK(book != NULL, LT_PEER_USAGE, "%.150s: the path is too long", l->folder);
    if (access(book, F_OK) == 0) {
        LT_TRY(loaded_at(book, &loaded_us));
        LT_CHECK(loaded_us != 0, LT_PEER_CONFLICT, "%.150s is a CA that this bench did not make", l->folder);
    } else {
        LT_TRY(load_new(c, l, book, r));
        loaded_us = l->shape.now_us;
    }
    if (!cmd_flag(c, "load-only")) {
        LT_TRY(inventory_ask(book, (lt_time){loaded_us}, answered, r));
    }
    return r->json ? say_json(l, r) : LT_OK;
}

static lt_res run(struct cmd *c)
{
    struct inventory_load l = {.c = c};
    struct report *r = LT_NEW(&c->arena, struct report);
    LT_ASSERT(r != NULL);
    r->json = c->json;
    LT_TRY(make_folder(c, &l.folder));
    bool was_there = access(l.folder, F_OK) == 0 && cmd_value(c, "folder") != NULL;
    lt_buf_init(&l.text, CERTIFICATE_MAX);
    lt_arena_init(&l.arena, ARENA_MAX);
    crypto_start();
    lt_res result = work(c, &l, r);
    struct lt_error why = *lt_error_last();
    load_done(&l);
    if (!cmd_flag(c, "keep") && !was_there) {
        (void)nftw(l.folder, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS); /* what stays is in TMPDIR */
    }
    if (lt_failed(result)) {
        return lt_fail(result.code, why.file, why.line, "%s", why.detail);
    }
    c->exit_status = r->over > 0 ? CMD_FINDINGS : 0;
    return LT_OK;
}

const struct cmd_verb cmd_bench_inventory = {
    .name = "bench inventory",
    .words = "",
    .summary = "measure questions about millions of certificates",
    .help =
        "Makes a CA in a folder of its own (lintel init), fills its book with certificates that its\n"
        "issuing CA signed, 7.76 names each, with evidence for every authorization in segments, and asks "
        "the\n"
        "forty named expressions of data/scopes.tsv, each as a count and as the list of its members. Counts\n"
        "of summarised evidence may take 1 s, everything else 6 s; the status is 6 where one took longer.\n"
        "A folder that was kept is asked again without loading. Three million take about 12 GB of disk, or\n"
        "6 GB with --no-evidence, and 2 GB of memory while indexes are made.\n"
        "\n"
        "examples:\n"
        "  lintel bench inventory --certificates 100000\n"
        "  lintel bench inventory --certificates 3048289 --folder /var/tmp/book --keep\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
