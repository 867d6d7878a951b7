/* lintel audit pack: a folder for the auditor. Written beside its place and moved there when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "cmd/audit_lines.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"
#include "incident/pack.h"

enum {
    OUT_BYTES = 1 << 20,
    TEXT_BYTES = 1 << 18,
    PPM_OF_PERCENT = 10000,
    PERCENT_MOST = 100,
    FILES_MAX = 40
};

struct made {
    const char *name;
    uint64_t bytes;
    uint8_t sha256[CRYPTO_SHA256_LEN];
};

struct pack {
    struct cmd *c;
    struct cmd_audit_book book;
    int dir;
    int fd; /* of the file that is written */
    struct lt_buf out;
    struct crypto_stream hash;
    struct made files[FILES_MAX];
    size_t count;
    bool tells;
    struct incident_pack p;
    struct ca_audit_export e;
};

/* ---- files ---- */

static lt_res flush(struct pack *k)
{
    lt_slice text = lt_buf_slice(&k->out);
    crypto_stream_add(&k->hash, text);
    k->files[k->count - 1].bytes += text.len;
    lt_res r = lt_write_through(k->fd, text, false);
    lt_buf_reset(&k->out);
    return r;
}

static lt_res end_file(struct pack *k)
{
    if (k->fd < 0) {
        return LT_OK;
    }
    LT_TRY(flush(k));
    crypto_stream_finish(&k->hash, k->files[k->count - 1].sha256);
    crypto_stream_done(&k->hash);
    bool synced = fsync(k->fd) == 0;
    lt_fd_closep(&k->fd);
    k->fd = -1;
    LT_CHECK(synced, LT_STATE_IO, "%s: %s", k->files[k->count - 1].name, strerror(errno));
    return LT_OK;
}

static lt_res begin_file(void *self, const char *name)
{
    struct pack *k = self;
    LT_TRY(end_file(k));
    LT_ASSERT(k->count < FILES_MAX);
    k->fd = openat(k->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    LT_CHECK(k->fd >= 0, LT_STATE_IO, "%s: %s", name, strerror(errno));
    k->files[k->count++] = (struct made){.name = name};
    crypto_stream_init(&k->hash, CRYPTO_SHA256);
    return LT_OK;
}

static lt_res write_file(void *self, lt_slice text)
{
    struct pack *k = self;
    if (k->out.len + text.len > OUT_BYTES) {
        LT_TRY(flush(k));
    }
    if (text.len > OUT_BYTES) {
        crypto_stream_add(&k->hash, text);
        k->files[k->count - 1].bytes += text.len;
        return lt_write_through(k->fd, text, false);
    }
    lt_buf_add(&k->out, text);
    return LT_OK;
}

static void progress(void *self, const char *name, uint64_t rows)
{
    const struct pack *k = self;
    if (k->tells) {
        (void)fprintf(stderr, "\r\033[K%s: %llu rows", name, (unsigned long long)rows); /* for looks alone */
    }
}

/* ---- what is in it, for people ---- */

static void add_index(struct pack *k, struct lt_buf *out)
{
    char from[LT_RFC3339_SIZE];
    char until[LT_RFC3339_SIZE];
    lt_time_rfc3339(k->p.from, from);
    lt_time_rfc3339(k->p.until, until);
    lt_buf_addf(out, "# Audit pack\n\nPeriod: %s to %s. Lintel %s.\n\n", from, until, lt_version);
    lt_buf_addf(out, "%llu certificates were issued in it. Seed of the sample: the hash of event %s, ",
                (unsigned long long)k->p.issued, k->p.seed_event[0] == '\0' ? "(none)" : k->p.seed_event);
    lt_hex_add(out, LT_SLICE(k->p.seed, sizeof k->p.seed));
    lt_buf_addf(out,
                "; taken are those with the lowest first 8 bytes of SHA-256(seed, issuer as 8 bytes, "
                "serial), %.4g %% of "
                "all and no fewer, and one at least.\n\n",
                (double)k->p.sample_ppm / PPM_OF_PERCENT);
    lt_buf_add_cstr(out, "| file | rows | without event | what |\n|---|---|---|---|\n");
    for (size_t i = 0; i < k->p.file_count; i++) {
        const struct incident_pack_file *f = &k->p.files[i];
        lt_buf_addf(out, "| %s | %llu | %llu | %s |\n", f->name, (unsigned long long)f->rows,
                    (unsigned long long)f->unproven, f->what);
    }
    lt_buf_addf(out, "| events.jsonl | %llu | | every event of the period, with knots and approvals |\n\n",
                (unsigned long long)k->e.events);
    lt_buf_add_cstr(
        out,
        "The last two columns of each table are chain and sequence of the event that made the row, and of "
        "the\n"
        "last one about it (a clock that was met, a promise that was kept, a certificate that was revoked); "
        "they are in\n"
        "events.jsonl, or before the period. To verify chain, knots, requests and approvals again:\n\n"
        "    lintel audit verify --export events.jsonl --audit-key audit.pub\n\n"
        "MANIFEST.sha256 has the hash of each file (sha256sum -c MANIFEST.sha256).\n");
}

static lt_res write_text(struct pack *k, const char *name, void (*add)(struct pack *k, struct lt_buf *out))
{
    struct lt_buf text;
    lt_buf_init(&text, TEXT_BYTES);
    add(k, &text);
    lt_res r = lt_buf_check(&text);
    r = lt_failed(r) ? r : begin_file(k, name);
    r = lt_failed(r) ? r : write_file(k, lt_buf_slice(&text));
    r = lt_failed(r) ? r : end_file(k);
    lt_buf_done(&text);
    return r;
}

static void add_manifest(struct pack *k, struct lt_buf *out)
{
    for (size_t i = 0; i < k->count; i++) {
        lt_hex_add(out, LT_SLICE(k->files[i].sha256, CRYPTO_SHA256_LEN));
        lt_buf_addf(out, "  %s\n", k->files[i].name);
    }
}

static lt_res write_key(struct pack *k)
{
    struct lt_buf pem;
    if (k->book.audit.audit_spki.len == 0) {
        return LT_OK;
    }
    lt_buf_init(&pem, TEXT_BYTES);
    lt_pem_add(&pem, "PUBLIC KEY", k->book.audit.audit_spki);
    lt_res r = begin_file(k, "audit.pub");
    r = lt_failed(r) ? r : write_file(k, lt_buf_slice(&pem));
    r = lt_failed(r) ? r : end_file(k);
    lt_buf_done(&pem);
    return r;
}

static lt_res write_all(struct pack *k)
{
    LT_TRY(incident_pack(&k->p));
    LT_TRY(begin_file(k, "events.jsonl"));
    LT_TRY(ca_audit_export(&k->e));
    LT_TRY(end_file(k));
    LT_TRY(write_key(k));
    LT_TRY(write_text(k, "README.md", add_index));
    return write_text(k, "MANIFEST.sha256", add_manifest);
}

/* ---- the verb ---- */

static lt_res say(struct pack *k, const char *out_dir)
{
    struct lt_buf out;
    uint64_t unproven = 0;
    lt_buf_init(&out, TEXT_BYTES);
    if (k->c->json) {
        lt_buf_add_cstr(&out, "{\"folder\":");
        lt_json_add_string(&out, lt_slice_cstr(out_dir));
        lt_buf_addf(&out, ",\"issued\":%llu,\"events\":%llu,\"files\":[", (unsigned long long)k->p.issued,
                    (unsigned long long)k->e.events);
    }
    for (size_t i = 0; i < k->p.file_count; i++) {
        const struct incident_pack_file *f = &k->p.files[i];
        unproven += f->unproven;
        lt_buf_addf(&out,
                    k->c->json ? "%s{\"name\":\"%s\",\"rows\":%llu,\"without_event\":%llu}"
                               : "%s%-16s %8llu rows",
                    k->c->json && i > 0 ? "," : "", f->name, (unsigned long long)f->rows,
                    (unsigned long long)f->unproven);
        if (!k->c->json) {
            lt_buf_addf(&out, f->unproven > 0 ? ", %llu without an event\n" : "\n",
                        (unsigned long long)f->unproven);
        }
    }
    if (k->c->json) {
        lt_buf_addf(&out, "],\"without_event\":%llu}\n", (unsigned long long)unproven);
    } else {
        lt_buf_addf(&out, "%-16s %8llu events\n%s: README.md says what is what\n", "events.jsonl",
                    (unsigned long long)k->e.events, out_dir);
    }
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res read_options(struct pack *k)
{
    const char *sample = cmd_value_or(k->c, "sample", "3");
    uint64_t percent = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(sample), PERCENT_MOST, &percent)) && percent > 0,
             LT_PEER_USAGE, "--sample %.20s: percent are 1 to %d", sample, PERCENT_MOST);
    k->p.sample_ppm = (uint32_t)percent * PPM_OF_PERCENT;
    LT_TRY(cmd_audit_period(k->c, &k->p.from, &k->p.until));
    k->e.from = k->p.from;
    k->e.until = k->p.until;
    return LT_OK;
}

static lt_res make(struct pack *k, const char *out_dir)
{
    char *part = lt_arena_printf(&k->c->arena, "%s.part", out_dir);
    LT_CHECK(part != NULL, LT_PEER_USAGE, "%.100s: the path is too long", out_dir);
    LT_CHECK(access(out_dir, F_OK) != 0, LT_PEER_CONFLICT, "%.150s is there already: name a new folder",
             out_dir);
    LT_CHECK(mkdir(part, 0700) == 0, errno == EEXIST ? LT_PEER_CONFLICT : LT_STATE_IO, "%.150s: %s%s", part,
             strerror(errno), errno == EEXIST ? "; remove what a run before left" : "");
    k->dir = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(k->dir >= 0, LT_STATE_IO, "%.150s: %s", part, strerror(errno));
    lt_res r = write_all(k);
    lt_fd_closep(&k->fd);
    if (k->tells) {
        (void)fputs("\r\033[K", stderr); /* for looks alone */
    }
    LT_TRY(r);
    LT_CHECK(fsync(k->dir) == 0 && rename(part, out_dir) == 0, LT_STATE_IO, "%.150s: %s", out_dir,
             strerror(errno));
    return LT_OK;
}

static lt_res run(struct cmd *c)
{
    struct pack *k = LT_NEW(&c->arena, struct pack);
    const char *out_dir = cmd_value(c, "out");
    LT_ASSERT(k != NULL);
    LT_CHECK(out_dir != NULL, LT_PEER_USAGE, "--out DIR is missing");
    *k = (struct pack){.c = c, .dir = -1, .fd = -1, .tells = isatty(STDERR_FILENO) == 1};
    LT_TRY(read_options(k));
    LT_TRY(cmd_audit_open(c, &k->book));
    k->p.store = k->book.audit.store;
    k->p.self = k;
    k->p.begin = begin_file;
    k->p.write = write_file;
    k->p.progress = progress;
    k->e.audit = &k->book.audit;
    k->e.self = k;
    k->e.write = write_file;
    lt_buf_init(&k->out, 2 * OUT_BYTES);
    lt_res r = make(k, out_dir);
    lt_buf_done(&k->out);
    lt_fd_closep(&k->dir);
    cmd_audit_close(&k->book);
    LT_TRY(r);
    return say(k, out_dir);
}

static const struct cmd_option options[] = {
    {"from", "TIME", "the period begins (RFC 3339, or a day)", false, NULL},
    {"to", "TIME", "it ends before", false, NULL},
    {"out", "DIR", "a new folder", false, NULL},
    {"sample", "PERCENT", "of the certificates of the period (default: 3; one at least)", false, NULL},
};

const struct cmd_verb cmd_audit_pack = {
    .name = "audit pack",
    .words = "",
    .summary = "write a folder for the auditor: samples, evidence, approvals, clocks, drills, reviews",
    .help = "Tables (CSV), every row with the event that proves it, and the events themselves. Needs the "
            "right to\n"
            "read the folder; changes nothing, and may run beside the family.\n"
            "\n"
            "examples:\n"
            "  lintel audit pack --from 2026-01-01 --to 2027-01-01 --out pack-2026\n"
            "  lintel audit pack --from 2026-07-01 --out pack --sample 10 --json | jq .without_event\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
