/* lintel store migrate: the book moves from where lintel.yaml says it is to somewhere else, both sides
 * counted and hashed. Offline; the book that it was is left as it is, and lintel.yaml is for a person to
 * change. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"
#include "store/copy.h"

struct migrate {
    struct cmd *c;
    const char *folder;
    const char *from;
    const char *to;
    struct store_copy copy;
    struct lt_buf out;
    int64_t before; /* rows of the tables before this one */
    const char *table;
    int64_t last;
    int64_t began_ms;
    int64_t said_ms;
};

enum { TELL_MS = 200, OUT_MAX = 256 * 1024 };

/* For a terminal on standard error; each row is read twice. */
static void tell(void *self, const char *table, int64_t rows, int64_t total)
{
    struct migrate *m = self;
    int64_t now = lt_monotonic_ms();
    m->before += m->table != table || rows < m->last ? m->last : 0;
    m->table = table;
    m->last = rows;
    if (isatty(STDERR_FILENO) != 1 || now - m->said_ms < TELL_MS) {
        return;
    }
    m->said_ms = now;
    double done = (double)(m->before + rows) / 2;
    double rate = done * 1000 / (double)(now - m->began_ms + 1);
    /* for looks alone */
    (void)fprintf(stderr, "\r\033[K%s: %.0f of %lld rows, %.0f/s, %.0f s left", table, done, (long long)total,
                  rate, rate > 0 ? ((double)total - done) / rate : 0);
    (void)fflush(stderr);
}

static lt_res open_as(const char *path, bool read_only, bool create, struct store **ret_store)
{
    const struct store_options o = {.path = path, .read_only = read_only, .create = create};
    return store_open(&o, ret_store);
}

static lt_res open_all(struct migrate *m, bool yes)
{
    LT_TRY(open_as(m->from, true, false, &m->copy.from));
    if (!yes) {
        return LT_OK;
    }
    LT_TRY(open_as(m->to, false, true, &m->copy.to));
    LT_TRY(store_migrate(m->copy.to));
    return open_as(m->to, true, false, &m->copy.back);
}

static void close_all(struct migrate *m)
{
    store_close(m->copy.from);
    store_close(m->copy.to);
    store_close(m->copy.back);
}

static void say_json(struct migrate *m, bool yes, const char *hash)
{
    lt_buf_addf(&m->out, "{\"done\":%s,\"rows\":%lld,", yes ? "true" : "false", (long long)m->copy.rows);
    if (yes) {
        lt_buf_addf(&m->out, "\"sha256\":\"%s\",", hash);
    }
    lt_buf_add_cstr(&m->out, "\"tables\":[");
    for (size_t i = 0; i < m->copy.table_count; i++) {
        const struct store_copy_table *t = &m->copy.tables[i];
        lt_buf_addf(&m->out, "%s{\"name\":\"%s\",\"rows\":%lld", i == 0 ? "" : ",", t->name,
                    (long long)t->rows);
        if (yes) {
            lt_buf_addf(&m->out, ",\"sha256\":\"%s\"",
                        lt_hex(&m->c->arena, LT_SLICE(t->sha256, sizeof t->sha256)));
        }
        lt_buf_add_cstr(&m->out, "}");
    }
    lt_buf_add_cstr(&m->out, "]}\n");
}

static void say_text(struct migrate *m, bool yes, const char *hash)
{
    for (size_t i = 0; i < m->copy.table_count; i++) {
        const struct store_copy_table *t = &m->copy.tables[i];
        const char *sum = yes ? lt_hex(&m->c->arena, LT_SLICE(t->sha256, 8)) : "";
        if (t->rows > 0) {
            lt_buf_addf(&m->out, "%-24s %12lld  %s\n", t->name, (long long)t->rows, sum);
        }
    }
    if (!yes) {
        lt_buf_addf(&m->out, "%lld rows would be moved to %s. Nothing was written: add --yes.\n",
                    (long long)m->copy.rows, m->to);
        return;
    }
    lt_buf_addf(&m->out, "%lld rows, the same on both sides: sha256 %s\n", (long long)m->copy.rows, hash);
    if (store_is_postgres(m->to)) {
        lt_buf_addf(&m->out, "Now write into lintel.yaml:\n\n  store: %s\n\n", m->to);
    } else {
        lt_buf_add_cstr(&m->out, "Now take the line \"store:\" out of lintel.yaml.\n");
    }
    lt_buf_addf(&m->out,
                "The book at %s is as it was. Put it away: one that is behind the journal is refused.\n",
                m->from);
}

static lt_res say(struct migrate *m, bool yes)
{
    uint8_t hash[STORE_COPY_HASH_LEN] = {0};
    if (isatty(STDERR_FILENO) == 1 && m->said_ms > 0) {
        (void)fputs("\r\033[K", stderr); /* for looks alone */
    }
    if (yes) {
        store_copy_hash(&m->copy, hash);
    }
    const char *hex = lt_hex(&m->c->arena, LT_SLICE(hash, sizeof hash));
    lt_buf_init(&m->out, OUT_MAX);
    if (m->c->json) {
        say_json(m, yes, hex);
    } else {
        say_text(m, yes, hex);
    }
    lt_res r = lt_buf_check(&m->out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&m->out));
    lt_buf_done(&m->out);
    return r;
}

/* "folder" is the file of the CA folder; a file that the book's own group reads, as init makes it. */
static lt_res where_to(struct migrate *m)
{
    const char *to = cmd_value(m->c, "to");
    LT_CHECK(to != NULL, LT_PEER_USAGE, "where to? --to postgresql://…, or --to folder");
    m->to = strcmp(to, "folder") == 0 ? lt_arena_printf(&m->c->arena, "%s/book/lintel.db", m->folder) : to;
    LT_CHECK(m->to != NULL, LT_PEER_USAGE, "%s: the path is too long", m->folder);
    LT_CHECK(store_is_postgres(m->to) || strcmp(to, "folder") == 0, LT_PEER_USAGE,
             "--to is postgresql://… or the word folder, not \"%.60s\"", to);
    LT_CHECK(strcmp(m->from, m->to) != 0, LT_PEER_USAGE, "the book is there already");
    return LT_OK;
}

static lt_res run_migrate(struct cmd *c)
{
    struct migrate m = {.c = c, .began_ms = lt_monotonic_ms()};
    bool yes = cmd_flag(c, "yes");
    LT_TRY(cmd_folder(c, &m.folder));
    LT_CLEANUP(lt_fd_closep) int lock = -1;
    LT_TRY(cmd_folder_lock(m.folder, &lock));
    LT_TRY(cmd_book(c, m.folder, &m.from));
    LT_TRY(where_to(&m));
    m.copy.progress = tell;
    m.copy.self = &m;
    crypto_start();
    lt_res r = open_all(&m, yes);
    if (!lt_failed(r)) {
        r = yes ? store_copy_run(&m.copy, &c->arena) : store_copy_count(&m.copy, &c->arena);
    }
    struct lt_error why = *lt_error_last();
    close_all(&m);
    if (lt_failed(r)) {
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    return say(&m, yes);
}

static const struct cmd_option options[] = {
    {"to", "WHERE", "postgresql://…, or the word folder for a file in the CA folder", false, NULL},
    {"yes", NULL, "do it; without this the rows are only counted", false, NULL},
};

const struct cmd_verb cmd_store_migrate = {
    .name = "store migrate",
    .words = "",
    .summary = "move the book between SQLite and PostgreSQL",
    .help =
        "Every row of every table goes over, is read back, and is compared by count and by hash. The family "
        "must\n"
        "not run. The target must hold no book; a move that was cut off is begun again by the same command. "
        "The\n"
        "book that was there stays as it was: what makes the other one count is the line in lintel.yaml.\n"
        "\n"
        "examples:\n"
        "  lintel store migrate --to 'postgresql://lintel@db.example/book?passfile=/etc/lintel/pass'\n"
        "  lintel store migrate --to 'postgresql:///book?host=/run/postgresql' --yes\n"
        "  lintel store migrate --to folder --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_migrate,
};
