/* lintel host: several families, each on a machine of its own, on one book. `add` makes the folder of another
 * one: configuration, profiles, keys and certificates are the same, journal, evidence and TLS keys are its
 * own. `list` reads the book, so it also answers when no family runs. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/config.h"
#include "ca/host.h"
#include "cmd/backup.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

enum { OUT_MAX = 256 * 1024, FOLDER_MODE = 0755, YAML_MODE = 0644 };

/* ---- list ---- */

static const struct store_sql sql[] = {
    {"host.list", "SELECT id, name, chain, build, first_us, seen_us FROM host ORDER BY id LIMIT 64"},
    {"host.leases", "SELECT name, host, fence, taken_us, until_us FROM lease ORDER BY name LIMIT 64"},
    {"host.work", "SELECT (SELECT count(*) FROM intent_open WHERE host = ?1), "
                  "(SELECT count(*) FROM revocation_open WHERE host = ?1)"},
};
enum { SQL_LIST, SQL_LEASES, SQL_WORK };

struct host_row {
    int64_t id;
    const char *name;
    const char *chain;
    const char *build;
    int64_t seen_us;
    int64_t intents;
    int64_t revocations;
    const char *leases; /* "crl timers" */
};

struct hosts {
    struct cmd *c;
    struct store *store;
    struct host_row rows[CA_HOSTS_MAX];
    size_t count;
};

static const char *kept(struct hosts *h, const struct store_rows *rows, int column)
{
    const char *text = lt_arena_cstr(&h->c->arena, store_bytes(rows, column));
    return text == NULL ? "" : text;
}

static lt_res read_hosts(struct hosts *h)
{
    struct store_rows rows;
    LT_TRY(store_query(h->store, &sql[SQL_LIST], STORE_NO_ARGS, &rows));
    while (h->count < CA_HOSTS_MAX && store_next(&rows)) {
        h->rows[h->count++] = (struct host_row){.id = store_int(&rows, 0),
                                                .name = kept(h, &rows, 1),
                                                .chain = kept(h, &rows, 2),
                                                .build = kept(h, &rows, 3),
                                                .seen_us = store_int(&rows, 5),
                                                .leases = ""};
    }
    return store_rows_end(&rows);
}

static lt_res read_work(struct hosts *h, struct host_row *r)
{
    struct store_rows rows;
    LT_TRY(store_query(h->store, &sql[SQL_WORK], STORE_ARGS(STORE_I(r->id)), &rows));
    if (store_next(&rows)) {
        r->intents = store_int(&rows, 0);
        r->revocations = store_int(&rows, 1);
    }
    return store_rows_end(&rows);
}

static lt_res read_leases(struct hosts *h)
{
    struct store_rows rows;
    LT_TRY(store_query(h->store, &sql[SQL_LEASES], STORE_NO_ARGS, &rows));
    while (store_next(&rows)) {
        for (size_t i = 0; i < h->count && store_int(&rows, 4) > h->c->now.us; i++) {
            struct host_row *r = &h->rows[i];
            if (r->id == store_int(&rows, 1)) {
                const char *more = lt_arena_printf(&h->c->arena, "%s%s%s", r->leases,
                                                   r->leases[0] == '\0' ? "" : " ", store_cstr(&rows, 0));
                r->leases = more == NULL ? r->leases : more;
            }
        }
    }
    return store_rows_end(&rows);
}

static lt_res read_all(struct hosts *h)
{
    LT_TRY(read_hosts(h));
    LT_TRY(read_leases(h));
    for (size_t i = 0; i < h->count; i++) {
        LT_TRY(read_work(h, &h->rows[i]));
    }
    return LT_OK;
}

static void seen_text(const struct host_row *r, char ret_text[LT_RFC3339_SIZE])
{
    (void)memcpy(ret_text, "never", sizeof "never");
    if (r->seen_us > 0) {
        lt_time_rfc3339((lt_time){r->seen_us}, ret_text);
    }
}

static void say_one(const struct hosts *h, const struct host_row *r, bool first, struct lt_buf *out)
{
    char seen[LT_RFC3339_SIZE];
    seen_text(r, seen);
    if (h->c->json) {
        lt_buf_addf(out,
                    "%s{\"name\":\"%s\",\"chain\":\"%s\",\"build\":\"%s\",\"seen\":\"%s\",\"leases\":\"%s\","
                    "\"open_intents\":%lld,\"open_revocations\":%lld}",
                    first ? "" : ",", r->name, r->chain, r->build, seen, r->leases, (long long)r->intents,
                    (long long)r->revocations);
        return;
    }
    lt_buf_addf(out, "%-20s %-28s %-24s %-16s %8lld\n", r->name, seen, r->chain, r->leases,
                (long long)(r->intents + r->revocations));
}

static lt_res say_hosts(struct hosts *h)
{
    struct lt_buf out;
    lt_buf_init(&out, OUT_MAX);
    if (h->c->json) {
        lt_buf_add_cstr(&out, "{\"hosts\":[");
    } else {
        lt_buf_addf(&out, "%-20s %-28s %-24s %-16s %8s\n", "host", "seen", "chain", "leases", "open");
    }
    for (size_t i = 0; i < h->count; i++) {
        say_one(h, &h->rows[i], i == 0, &out);
    }
    lt_buf_add_cstr(&out, h->c->json ? "]}\n" : "");
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res run_list(struct cmd *c)
{
    struct hosts h = {.c = c};
    const char *folder = NULL;
    const char *path = NULL;
    LT_TRY(cmd_folder(c, &folder));
    LT_TRY(cmd_book(c, folder, &path));
    const struct store_options o = {.path = path, .read_only = true};
    LT_TRY(store_open(&o, &h.store));
    lt_res r = read_all(&h);
    struct lt_error why = *lt_error_last();
    store_close(h.store);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : say_hosts(&h);
}

const struct cmd_verb cmd_host_list = {
    .name = "host list",
    .words = "",
    .summary = "the hosts of this book, when they were last seen, and which work is whose",
    .help =
        "Publishing CRLs (crl), what is due (timers) and mass revocations (mass) are done by one host at a "
        "time,\n"
        "the one that has the lease; it goes to another ten seconds after its host was last heard. open: "
        "what\n"
        "was begun there and waits for that host's signer.\n"
        "\n"
        "examples:\n"
        "  lintel host list\n"
        "  lintel host list --json\n",
    .run = run_list,
};

/* ---- add ---- */

struct addition {
    struct cmd *c;
    const char *folder;
    const char *name;
    const char *to;
    struct ca_config *config;
    lt_slice yaml;
    struct backup_files files;
};

static lt_res read_yaml(struct addition *a)
{
    LT_TRY(lt_file_read(&a->c->arena, a->files.from, CA_CONFIG_FILE, CA_CONFIG_MAX_BYTES, &a->yaml));
    LT_TRY(ca_config_parse(a->yaml, &a->config));
    bool shared = a->config->store[0] != '\0';
    bool first = strcmp(a->config->host, CA_CONFIG_HOST_MAIN) == 0;
    ca_config_free(a->config);
    a->config = NULL;
    LT_CHECK(shared, LT_PEER_USAGE,
             "the book is a file of this folder: move it to a server first (lintel store migrate)");
    LT_CHECK(first, LT_PEER_USAGE, "this folder is of another host itself: add from the first one's");
    return LT_OK;
}

/* Each host remembers by itself what it examined, and writes its public files itself. */
static bool of_this_host(const char *path)
{
    return strncmp(path, "examiner/", 9) == 0 || strncmp(path, "public/", 7) == 0 ||
           strcmp(path, CA_CONFIG_FILE) == 0;
}

/* Folders as they are here: profiles may be read by the examiner's user, secrets by nobody's. */
static void same_modes(const struct addition *a, const char *path)
{
    char folder[256];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    struct stat st;
    if (len == 0 || len >= sizeof folder) {
        return;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    if (fstatat(a->files.from, folder, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        int changed = fchmodat(a->files.to, folder, st.st_mode & 0777, 0);
        (void)changed; /* otherwise it is for us alone, and the start says so */
    }
}

static lt_res copy_files(struct addition *a)
{
    LT_TRY(backup_files_init(&a->files));
    LT_TRY(backup_list(&a->files, true));
    LT_TRY(backup_list_one(&a->files, "secrets/passphrase"));
    for (size_t i = 0; i < a->files.count; i++) {
        struct manifest_file *f = &a->files.list[i];
        const char *path = f->path;
        struct stat st;
        if (of_this_host(path) || fstatat(a->files.from, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        LT_TRY(backup_copy(&a->files, f, st.st_mode & 0777));
        same_modes(a, path);
    }
    return LT_OK;
}

/* Last: nothing takes a folder without it for a CA. */
static lt_res write_yaml(struct addition *a)
{
    struct lt_buf text;
    lt_buf_init(&text, CA_CONFIG_MAX_BYTES + 256);
    lt_buf_add(&text, a->yaml);
    lt_buf_addf(&text, "%shost: %s\n", a->yaml.len > 0 && a->yaml.ptr[a->yaml.len - 1] != '\n' ? "\n" : "",
                a->name);
    lt_res r = lt_buf_check(&text);
    r = lt_failed(r) ? r : ca_config_parse(lt_buf_slice(&text), &a->config);
    ca_config_free(a->config);
    r = lt_failed(r) ? r : lt_file_replace(a->files.to, CA_CONFIG_FILE, YAML_MODE, lt_buf_slice(&text));
    lt_buf_done(&text);
    return r;
}

static lt_res open_folders(struct addition *a)
{
    a->files.from = open(a->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(a->files.from >= 0, LT_STATE_IO, "%s: %s", a->folder, strerror(errno));
    LT_CHECK(faccessat(a->files.from, "secrets/seal.key", F_OK, 0) == 0, LT_PEER_USAGE,
             "secrets/seal.key is not there: start the first family once, which makes it");
    LT_TRY(read_yaml(a));
    LT_CHECK(mkdir(a->to, FOLDER_MODE) == 0, errno == EEXIST ? LT_PEER_CONFLICT : LT_STATE_IO, "%s: %s",
             a->to, errno == EEXIST ? "is there already; give the name of a new folder" : strerror(errno));
    a->files.to = open(a->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(a->files.to >= 0, LT_STATE_IO, "%s: %s", a->to, strerror(errno));
    return LT_OK;
}

static lt_res add(struct addition *a)
{
    LT_TRY(open_folders(a));
    LT_TRY(copy_files(a));
    return write_yaml(a);
}

static lt_res run_add(struct cmd *c)
{
    struct backup_progress progress = {0};
    struct addition a = {.c = c,
                         .name = c->args.words[0],
                         .to = c->args.words[1],
                         .files = {.from = -1, .to = -1, .arena = &c->arena, .progress = &progress}};
    LT_CHECK(ca_host_name_valid(lt_slice_cstr(a.name)) && strcmp(a.name, CA_CONFIG_HOST_MAIN) != 0,
             LT_PEER_USAGE, "\"%.40s\" is no name for another host: a to z, 0 to 9 and '-', and not main",
             a.name);
    LT_TRY(cmd_folder(c, &a.folder));
    crypto_start();
    lt_res r = add(&a);
    struct lt_error why = *lt_error_last();
    lt_fd_closep(&a.files.from);
    lt_fd_closep(&a.files.to);
    if (lt_failed(r)) {
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    if (c->json) {
        return cmd_printf("{\"done\":true,\"host\":\"%s\",\"folder\":\"%s\"}\n", a.name, a.to);
    }
    return cmd_printf(
        "%s is a folder for host %s. Take it to that machine by a way that nobody reads: it has "
        "keys.\nThere: lintel serve %s\n",
        a.to, a.name, a.to);
}

const struct cmd_verb cmd_host_add = {
    .name = "host add",
    .words = "NAME NEW-DIR",
    .words_least = 2,
    .words_most = 2,
    .summary = "make a folder for another family on the same book",
    .help =
        "For a book on a server. The new folder has the configuration, profiles, operators, certificates and "
        "keys of\n"
        "this one, and a line \"host: NAME\"; journal, evidence and TLS keys are made there. Both answer to "
        "the same\n"
        "base-url: put them behind one name. Keys in a token stay there; the other host must reach it.\n"
        "\n"
        "examples:\n"
        "  lintel host add b /srv/ca-b\n"
        "  lintel host add rome-2 /mnt/rome-2 --dir /srv/ca\n",
    .run = run_add,
};
