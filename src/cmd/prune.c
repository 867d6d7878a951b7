/* lintel store prune: drops what need not be kept any more, month by month. Offline, in slices: each is a
 * transaction, so killed at any moment the same command goes on. Without --yes it only says what it would do.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "base/version.h"
#include "ca/config.h"
#include "ca/put_back.h"
#include "ca/retention.h"
#include "cmd/cmd.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

enum {
    YEAR_S = 366 * 86400,
    YEARS_MOST = 100,
    SLICE_ARENA_MAX = 32 * 1024 * 1024,
    OUT_MAX = 4 * 1024 * 1024,
    TELL_MS = 200
};

struct prune {
    struct cmd *c;
    const char *folder;
    struct ca_host host;
    struct store *store;  /* owned */
    struct ca_book *book; /* owned */
    struct ca_turn turn;
    struct lt_arena arena; /* of a slice */
    struct ca_retention_options options;
    struct ca_retention_part *parts;
    size_t count;
    int64_t *left; /* records of each part that is due */
    int64_t total; /* of all of them */
    int64_t dropped;
    uint64_t files;
    int64_t began_ms;
    int64_t until_ms; /* 0: no limit */
    int64_t said_ms;
    bool stopped; /* the time was over before the work */
};

static bool out_of_time(struct prune *k)
{
    k->stopped = k->stopped || (k->until_ms != 0 && lt_monotonic_ms() >= k->until_ms);
    return k->stopped;
}

static void tell(struct prune *k, const struct ca_retention_part *p)
{
    int64_t now = lt_monotonic_ms();
    if (isatty(STDERR_FILENO) != 1 || now - k->said_ms < TELL_MS) {
        return;
    }
    double rate = (double)k->dropped * 1000 / (double)(now - k->began_ms + 1);
    k->said_ms = now;
    /* for looks alone */
    (void)fprintf(stderr, "\r\033[K%s of %lld: %lld of %lld records, %.0f/s, %.0f s left",
                  ca_retention_kind_name(p->kind), (long long)p->month, (long long)k->dropped,
                  (long long)k->total, rate, rate > 0 ? (double)(k->total - k->dropped) / rate : 0);
    (void)fflush(stderr);
}

static lt_res plan(struct prune *k)
{
    LT_TRY(ca_retention_plan(k->store, &k->options, &k->c->arena, &k->parts, &k->count));
    k->left = LT_NEW_ARRAY(&k->c->arena, int64_t, k->count + 1);
    LT_CHECK(k->left != NULL, LT_PEER_TOO_LARGE, "there are too many months");
    k->total = 0;
    for (size_t i = 0; i < k->count; i++) {
        LT_TRY(k->parts[i].due ? ca_retention_count(k->store, &k->parts[i], &k->left[i]) : LT_OK);
        k->total += k->left[i];
    }
    return LT_OK;
}

/* ---- doing ---- */

static lt_res one_slice(struct prune *k, struct ca_retention_part *p, bool *ret_more)
{
    int64_t before = p->count;
    lt_arena_reset(&k->arena);
    LT_TRY(store_begin(k->store));
    ca_turn_init(&k->turn, k->store, &k->arena, k->c->now);
    k->turn.book = k->book;
    lt_res r = ca_retention_slice(&k->turn, p, ret_more);
    if (lt_failed(r)) {
        struct lt_error why = *lt_error_last();
        store_rollback(k->store);
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    LT_TRY(store_commit(k->store));
    k->dropped += p->count > before ? p->count - before : 0;
    tell(k, p);
    return LT_OK;
}

static lt_res drop(struct prune *k, enum ca_retention_kind kind)
{
    for (size_t i = 0; i < k->count; i++) {
        bool more = k->parts[i].kind == kind && k->parts[i].due;
        while (more && !out_of_time(k)) {
            LT_TRY(one_slice(k, &k->parts[i], &more));
        }
    }
    return LT_OK;
}

/* Segments last: which of them are free follows from the evidence that is dropped by then. */
static lt_res drop_all(struct prune *k)
{
    static const enum ca_retention_kind first[] = {CA_RETENTION_ORDERS, CA_RETENTION_AUTHORIZATIONS,
                                                   CA_RETENTION_EVIDENCE, CA_RETENTION_CERTIFICATES};
    char path[1024];
    for (size_t i = 0; i < LT_COUNT(first); i++) {
        LT_TRY(drop(k, first[i]));
    }
    LT_TRY(plan(k));
    LT_TRY(drop(k, CA_RETENTION_SEGMENTS));
    (void)snprintf(path, sizeof path, "%.900s/evidence", k->folder);
    return ca_retention_sweep(k->store, &k->host, path, &k->files);
}

/* ---- saying ---- */

static const char *state_of(const struct ca_retention_part *p)
{
    return p->dropped ? "dropped" : p->due ? (p->dropping ? "going on" : "due") : "kept";
}

static void add_part(struct lt_buf *out, const struct prune *k, size_t i, bool json, bool first)
{
    const struct ca_retention_part *p = &k->parts[i];
    char until[LT_RFC3339_SIZE];
    lt_time_rfc3339(p->kept_until, until);
    if (json) {
        lt_buf_addf(
            out,
            "%s{\"month\":%lld,\"kind\":\"%s\",\"kept_until\":\"%s\",\"duty\":\"%s\",\"state\":\"%s\","
            "\"records\":%lld,\"dropped\":%lld}",
            first ? "" : ",", (long long)p->month, ca_retention_kind_name(p->kind), until, p->duty,
            state_of(p), (long long)k->left[i], (long long)p->count);
        return;
    }
    lt_buf_addf(out, "%lld  %-15s until %.10s  %-14s %-9s %lld\n", (long long)p->month,
                ca_retention_kind_name(p->kind), until, p->duty, state_of(p),
                (long long)(p->due ? k->left[i] : p->count));
}

/* All of it as JSON; for people what is due, and the next month to come. */
static void add_parts(struct lt_buf *out, const struct prune *k, bool json)
{
    bool first = true;
    bool kept[CA_RETENTION_KINDS] = {false};
    for (size_t i = 0; i < k->count; i++) {
        const struct ca_retention_part *p = &k->parts[i];
        bool next = !p->due && !p->dropped && !kept[p->kind];
        kept[p->kind] = kept[p->kind] || next;
        if (json || p->due || next) {
            add_part(out, k, i, json, first);
            first = false;
        }
    }
}

static void add_text(struct lt_buf *out, const struct prune *k, bool did)
{
    add_parts(out, k, false);
    if (!did) {
        lt_buf_addf(out,
                    "%lld records would be dropped%s; their hashes, all events and all revocations stay\n",
                    (long long)k->total, k->total > 0 ? ". Nothing was: add --yes" : "");
        return;
    }
    lt_buf_addf(out, "%lld records dropped, %llu files of evidence removed%s\n", (long long)k->dropped,
                (unsigned long long)k->files,
                k->stopped ? "; the time was over: the same command goes on" : "");
}

static lt_res say(struct prune *k, bool did)
{
    struct lt_buf out;
    lt_buf_init(&out, OUT_MAX);
    if (k->said_ms > 0) {
        (void)fputs("\r\033[K", stderr); /* for looks alone */
    }
    if (k->c->json) {
        lt_buf_addf(&out,
                    "{\"done\":%s,\"stopped\":%s,\"due\":%lld,\"dropped\":%lld,\"files\":%llu,\"months\":[",
                    did ? "true" : "false", k->stopped ? "true" : "false", (long long)k->total,
                    (long long)k->dropped, (unsigned long long)k->files);
        add_parts(&out, k, true);
        lt_buf_add_cstr(&out, "]}\n");
    } else {
        add_text(&out, k, did);
    }
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

/* ---- the verb ---- */

static lt_res open_book(struct prune *k, bool yes)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    LT_TRY(ca_config_load(k->folder, &config));
    const struct store_options o = {.path = ca_config_store(config, k->folder, &k->c->arena),
                                    .read_only = !yes};
    LT_CHECK(o.path != NULL, LT_PEER_USAGE, "%.100s: the path is too long", k->folder);
    LT_TRY(store_open(&o, &k->store));
    LT_TRY(yes ? store_migrate(k->store) : LT_OK);
    LT_TRY(ca_put_back_check(k->store));
    LT_TRY(ca_host_find(k->store, config->host, &k->host));
    const struct ca_book_options book = {
        .store = k->store, .chain = "offline", .build = lt_version, .base_url = "", .public_http_url = ""};
    return ca_book_open(&book, &k->book);
}

static lt_res run_book(struct prune *k, bool yes)
{
    LT_TRY(open_book(k, yes));
    LT_TRY(plan(k));
    if (yes) {
        k->turn.random = lt_random;
        LT_TRY(drop_all(k));
        LT_TRY(plan(k));
    }
    return say(k, yes);
}

static lt_res run(struct cmd *c)
{
    struct prune k = {.c = c, .began_ms = lt_monotonic_ms(), .options = {.now = c->now}};
    bool yes = cmd_flag(c, "yes");
    uint64_t years = 0;
    uint64_t minutes = 0;
    LT_TRY(cmd_number(c, "years", 0, YEARS_MOST, &years));
    LT_TRY(cmd_number(c, "minutes", 0, UINT32_MAX, &minutes));
    k.options.keep_s = (int64_t)years * YEAR_S;
    k.until_ms = minutes == 0 ? 0 : k.began_ms + (int64_t)minutes * 60 * 1000;
    LT_TRY(cmd_folder(c, &k.folder));
    LT_CLEANUP(lt_fd_closep) int lock = -1;
    LT_TRY(yes ? cmd_folder_lock(k.folder, &lock) : LT_OK);
    crypto_start();
    lt_arena_init(&k.arena, SLICE_ARENA_MAX);
    lt_res r = run_book(&k, yes);
    struct lt_error why = *lt_error_last();
    ca_book_free(k.book);
    store_close(k.store);
    lt_arena_done(&k.arena);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

static const struct cmd_option options[] = {
    {"years", "N", "keep so many years after expiry, where that is more than the rules want", false, NULL},
    {"minutes", "N", "stop after so long; the same command goes on", false, NULL},
    {"yes", NULL, "do it; without this the months are only shown", false, NULL},
};

const struct cmd_verb cmd_store_prune = {
    .name = "store prune",
    .words = "",
    .summary = "drop what need not be kept any more",
    .help =
        "Orders, authorizations, evidence, segments of evidence, and the bytes of certificates, month by "
        "month, "
        "the\n"
        "oldest first: two years after the last certificate expired that could rest on them (CABF-BR 5.4.3, "
        "5.5.2).\n"
        "Never dropped are hashes, events, the journal, revocations, the rows and names of certificates, and "
        "what\n"
        "the incident desk has: reports, incidents, promises. A hash over\n"
        "all that goes is kept and is in an event. Offline with --yes, in slices: cut off, the same command "
        "goes "
        "on.\n"
        "\n"
        "examples:\n"
        "  lintel store prune\n"
        "  lintel store prune --years 7\n"
        "  lintel store prune --minutes 30 --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
