/* lintel crl check: every CRL that relying parties fetch, read as they read it, and held against the book:
 * the signature, number and scope of each, its entries with those that the book has for it, and the parts
 * together with the complete one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/config.h"
#include "ca/crl_check.h"
#include "ca/crl_digest.h"
#include "ca/crl_shard.h"
#include "ca/freshness.h"
#include "cmd/api.h"
#include "cmd/verbs.h"
#include "x509/cert.h"
#include "x509/crl.h"

enum {
    PATH_SIZE = 512,
    ARENA_MAX = 1024 * 1024,
    CRL_MAX = 256 * 1024 * 1024,
    CERTIFICATE_MAX = 64 * 1024,
    TRIES = 20, /* a revocation that comes meanwhile is on the next CRL, a second later */
    TRY_EVERY_MS = 250,
    UNION_TRIES = 4,
};

struct check {
    struct cmd *c;
    const char *folder;
    int dir;
    const struct ca_config *config;
    json_t *rows;   /* one for each CRL */
    json_t *unions; /* one for each issuer that has parts */
    size_t good;
    size_t bad;
    uint64_t entries; /* of all parts, or of the only one */
};

/* One CRL as it lies there. */
struct one {
    const struct ca_config_issuer *issuer;
    uint32_t shard;
    lt_slice der; /* mapped */
    lt_slice issuer_der;
    struct ca_crl_digest digest;   /* of the file */
    struct ca_crl_digest unparted; /* of the book, for the complete one: what is on no part */
    lt_time kept_from; /* entries of certificates that had expired before are left out; {0}: none are */
    lt_time first_end; /* of the certificates of its entries; {0}: it has none */
    lt_time this_update;
    lt_time next_update;
    char wrong[sizeof(((struct lt_error *)0)->detail)]; /* "": nothing */
    bool again;                                         /* it has to be looked at, or once more */
    int64_t waiting;
    const char *waiting_since; /* "": none waits; in the arena of the run */
};

static void unmap(lt_slice *der)
{
    if (der->len > 0) {
        (void)munmap((void *)(uintptr_t)der->ptr, der->len); /* only read */
    }
    *der = (lt_slice){0};
}

static lt_res map_file(const struct check *k, struct one *o)
{
    char name[CA_CRL_NAME_MAX];
    char path[PATH_SIZE];
    struct stat st;
    ca_crl_name(o->issuer->name, o->shard, name);
    (void)snprintf(path, sizeof(path), "public/crl/%s", name);
    LT_CLEANUP(lt_fd_closep) int fd = openat(k->dir, path, O_RDONLY | O_CLOEXEC);
    LT_CHECK(fd >= 0 && fstat(fd, &st) == 0, LT_PEER_NOT_FOUND, "%s: %s", path, strerror(errno));
    LT_CHECK(st.st_size > 0 && st.st_size <= CRL_MAX, LT_PEER_MALFORMED, "%s: %lld bytes", path,
             (long long)st.st_size);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "%s: %s", path, strerror(errno));
    o->der = LT_SLICE(p, (size_t)st.st_size);
    return LT_OK;
}

static lt_res digest_file(struct one *o, struct lt_arena *a)
{
    struct x509_crl crl;
    struct x509_crl_entry e;
    LT_TRY(x509_crl_parse(o->der, a, &crl));
    o->digest = (struct ca_crl_digest){.count = 0};
    o->this_update = crl.this_update;
    o->next_update = crl.next_update;
    struct der_cursor c = der_open(crl.entries);
    while (x509_crl_next(&c, &e)) {
        ca_crl_digest_add(&o->digest, x509_serial_magnitude(e.serial), lt_time_seconds(e.revoked), e.reason);
    }
    return der_done(&c, "CRL's list of entries");
}

static lt_res member_hex(struct lt_arena *a, const json_t *answer, const char *key, size_t len, lt_slice *ret)
{
    LT_TRY(lt_unhex(a, lt_slice_cstr(cmd_text(answer, key)), ret));
    LT_CHECK(ret->len == len, LT_STATE_CORRUPT, "the answer has no %s", key);
    return LT_OK;
}

/* As a relying party: what was published, or newer. */
static lt_res check_as_fetched(const struct check *k, const struct one *o, const json_t *answer,
                               struct lt_arena *a)
{
    struct ca_crl_expected e = {
        .issuer = o->issuer_der,
        .url = ca_crl_url(a, k->config->public_http_url, o->issuer->name, o->shard),
        .part = o->shard != 0,
        .entries = (uint64_t)cmd_int(answer, "entries"),
        .now = lt_now(),
    };
    LT_CHECK(e.url != NULL, LT_PEER_TOO_LARGE, "public-http-url is too long");
    LT_TRY(member_hex(a, answer, "number", 8, &e.number));
    LT_TRY(member_hex(a, answer, "sha256", 32, &e.sha256));
    return ca_crl_check(o->der, &e, a, NULL);
}

static lt_time time_of(const json_t *answer, const char *key)
{
    lt_time t = {0};
    const char *text = cmd_text(answer, key);
    return text[0] == '\0' || lt_failed(lt_time_parse(lt_slice_cstr(text), &t)) ? (lt_time){0} : t;
}

/* The newest one of the book, and with exactly the entries that the book has for it. */
static lt_res hold_against(const struct check *k, struct one *o, const json_t *answer, struct lt_arena *a)
{
    lt_slice sum;
    struct ca_crl_digest book = {.count = (uint64_t)cmd_int(answer, "book_entries")};
    LT_CHECK(json_is_true(json_object_get(answer, "found")), LT_PEER_NOT_FOUND, "the book has no such CRL");
    LT_TRY(check_as_fetched(k, o, answer, a));
    LT_TRY(digest_file(o, a));
    LT_TRY(member_hex(a, answer, "book_digest", CA_CRL_DIGEST_LEN, &sum));
    memcpy(book.sum, sum.ptr, sizeof book.sum);
    LT_CHECK(o->digest.count == book.count, LT_POLICY_REFUSED, "it has %llu entries, the book %llu for it",
             (unsigned long long)o->digest.count, (unsigned long long)book.count);
    LT_TRY(member_hex(a, answer, "unparted_digest", CA_CRL_DIGEST_LEN, &sum));
    o->unparted.count = (uint64_t)cmd_int(answer, "unparted_entries");
    memcpy(o->unparted.sum, sum.ptr, sizeof o->unparted.sum);
    LT_CHECK(ca_crl_digest_equal(&o->digest, &book), LT_POLICY_REFUSED,
             "its %llu entries are not those of the book", (unsigned long long)book.count);
    o->waiting = cmd_int(answer, "waiting");
    o->waiting_since = lt_arena_cstr(&k->c->arena, lt_slice_cstr(cmd_text(answer, "waiting_since")));
    LT_ASSERT(o->waiting_since != NULL);
    o->kept_from = time_of(answer, "kept_from");
    o->first_end = time_of(answer, "first_end");
    return LT_OK;
}

static lt_res look_once(const struct check *k, struct one *o, struct lt_arena *a)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    if (o->shard == 0) {
        (void)snprintf(path, sizeof(path), "crls/%s", o->issuer->name);
    } else {
        (void)snprintf(path, sizeof(path), "crls/%s.%u", o->issuer->name, o->shard);
    }
    LT_TRY(cmd_api_get(k->c, path, &answer));
    LT_TRY(map_file(k, o));
    lt_res r = hold_against(k, o, answer, a);
    unmap(&o->der);
    return r;
}

static void wait_a_little(void)
{
    const struct timespec t = {.tv_nsec = TRY_EVERY_MS * 1000000L};
    (void)nanosleep(&t, NULL); /* shorter is fine */
}

/* One look; true: it is wrong, and another may find it right. */
static bool look_at(const struct check *k, struct one *o)
{
    struct lt_arena a;
    lt_arena_init(&a, ARENA_MAX);
    lt_res r = look_once(k, o, &a);
    lt_arena_done(&a);
    (void)snprintf(o->wrong, sizeof(o->wrong), "%s", lt_failed(r) ? lt_error_last()->detail : "");
    return lt_failed(r) && r.code != LT_PEER_MALFORMED && lt_class_of(r.code) != LT_CLASS_RETRY;
}

static enum ca_fresh_state state_of(const struct check *k, const struct one *o)
{
    const struct ca_fresh_crl crl = {o->this_update, o->next_update, o->issuer->offline};
    lt_time since;
    enum ca_fresh_state s = ca_fresh_judge_crl(&crl, k->c->now);
    if (o->waiting > 0 && !lt_failed(lt_time_parse(lt_slice_cstr(o->waiting_since), &since))) {
        enum ca_fresh_state entry = ca_fresh_judge(CA_FRESH_ENTRY, since, k->c->now);
        s = entry > s ? entry : s;
    }
    return s;
}

static void note(struct check *k, const struct one *o)
{
    enum ca_fresh_state state = o->wrong[0] != 0 ? CA_FRESH_GOOD : state_of(k, o);
    bool good = o->wrong[0] == 0 && state != CA_FRESH_BROKEN;
    json_t *row = json_pack("{s:s, s:i, s:b, s:s, s:s, s:I, s:I, s:s}", "issuer", o->issuer->name, "shard",
                            (int)o->shard, "good", good, "state", ca_fresh_state_name(state), "wrong",
                            o->wrong, "entries", (json_int_t)o->digest.count, "waiting",
                            (json_int_t)o->waiting, "waiting_since", o->waiting_since);
    LT_ASSERT(row != NULL && json_array_append_new(k->rows, row) == 0);
    k->good += good;
    k->bad += !good;
    k->c->findings += !good;
}

static lt_res read_issuer(const struct check *k, const struct ca_config_issuer *i, lt_slice *ret_der)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "public/ca/%s.crt", i->name);
    return lt_file_read(&k->c->arena, k->dir, path, CERTIFICATE_MAX, ret_der);
}

/* How many parts there have ever been: the book knows, whatever the configuration says today. */
static lt_res count_parts(const struct check *k, const struct ca_config_issuer *i, uint32_t *ret_parts)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    size_t n;
    json_t *row;
    (void)snprintf(path, sizeof(path), "crls?issuer=%s&limit=1", i->name);
    LT_TRY(cmd_api_get(k->c, path, &answer));
    *ret_parts = 0;
    json_array_foreach(json_object_get(answer, "crls"), n, row)
    {
        int64_t shard = cmd_int(row, "shard");
        *ret_parts = shard > *ret_parts && shard <= CA_CRL_SHARDS_MAX ? (uint32_t)shard : *ret_parts;
    }
    return LT_OK;
}

static void say_progress(const struct check *k, const struct ca_config_issuer *i, uint32_t shard,
                         uint32_t parts)
{
    if (!k->c->json && parts > 0 && isatty(STDERR_FILENO)) {
        (void)fprintf(stderr, "\r%s: part %u of %u%s", i->name, shard, parts, shard == 0 ? "\n" : "  ");
    }
}

/* The CRLs of one issuer that has parts: is the complete one their sum? Each was held against the book. */
struct whole {
    struct ca_crl_digest sum; /* of all parts, and of what is on none */
    struct ca_crl_digest complete;
    uint64_t unparted;
    bool bad;          /* one of them is wrong by itself */
    bool moving;       /* they are of moments between which the book has changed, or entries have gone */
    lt_time kept_from; /* the last of all; what ends before may be on one and not on the other */
    lt_time first_end;
};

static void join(struct whole *u, const struct one *o)
{
    bool earlier = o->first_end.us != 0 && (u->first_end.us == 0 || o->first_end.us < u->first_end.us);
    u->bad = u->bad || o->wrong[0] != 0;
    u->first_end = earlier ? o->first_end : u->first_end;
    u->kept_from = o->kept_from.us > u->kept_from.us ? o->kept_from : u->kept_from;
    u->moving = u->moving || o->waiting > 0 || (u->first_end.us != 0 && u->first_end.us <= u->kept_from.us);
    if (o->shard > 0) {
        ca_crl_digest_join(&u->sum, &o->digest);
        return;
    }
    u->complete = o->digest;
    u->unparted = o->unparted.count;
    ca_crl_digest_join(&u->sum, &o->unparted);
}

/* Those that are not yet found right; are there still some? */
static bool look_round(const struct check *k, struct one *list, uint32_t parts)
{
    bool again = false;
    for (uint32_t n = parts + 1; n > 0; n--) {
        struct one *o = &list[n - 1];
        if (o->again) {
            say_progress(k, o->issuer, o->shard, parts);
            o->again = look_at(k, o);
            again = again || o->again;
        }
    }
    return again;
}

/* The parts first, as the publisher makes them. A newer one may take its place between two looks, so what is
 * wrong is looked at again: all of them in the same seconds, however many they are. */
static void look_at_all(const struct check *k, const struct ca_config_issuer *i, lt_slice der,
                        struct one *list, uint32_t parts, struct whole *u)
{
    bool again = true;
    for (uint32_t n = 0; n <= parts; n++) {
        list[n] = (struct one){
            .issuer = i, .shard = n, .issuer_der = der, .waiting_since = "", .again = true};
    }
    for (int n = 0; n < TRIES && again; n++) {
        if (n > 0) {
            wait_a_little();
        }
        again = look_round(k, list, parts);
    }
    *u = (struct whole){.bad = false};
    for (uint32_t n = parts + 1; n > 0; n--) {
        join(u, &list[n - 1]);
    }
}

static lt_res say_union(struct check *k, const struct ca_config_issuer *i, uint32_t parts,
                        const struct whole *u)
{
    bool equal = ca_crl_digest_equal(&u->sum, &u->complete);
    const char *is = u->bad ? "unknown" : equal ? "equal" : u->moving ? "another-moment" : "wrong";
    char unparted[64] = "";
    json_t *row = json_pack("{s:s, s:i, s:I, s:s}", "issuer", i->name, "parts", (int)parts, "unparted",
                            (json_int_t)u->unparted, "union", is);
    LT_ASSERT(row != NULL && json_array_append_new(k->unions, row) == 0);
    if (k->c->json || u->bad || (!equal && !u->moving)) {
        return LT_OK;
    }
    if (u->unparted > 0) {
        (void)snprintf(unparted, sizeof unparted, ", with %llu entries that are on none,",
                       (unsigned long long)u->unparted);
    }
    return equal ? cmd_printf("%s: the union of %u parts%s is the complete CRL, and both are the book: %llu "
                              "entries\n",
                              i->name, parts, unparted, (unsigned long long)u->sum.count)
                 : cmd_printf("%s: the complete CRL is of another moment than its parts; each is what the "
                              "book had then\n",
                              i->name);
}

/* What moves is looked at again; what stays different is wrong. */
static lt_res check_list(struct check *k, const struct ca_config_issuer *i, lt_slice der, struct one *list,
                         uint32_t parts)
{
    struct whole u;
    bool wrong = true;
    for (int n = 0; n < UNION_TRIES && wrong; n++) {
        if (n > 0) {
            wait_a_little();
        }
        look_at_all(k, i, der, list, parts, &u);
        wrong = parts > 0 && !u.bad && !u.moving && !ca_crl_digest_equal(&u.sum, &u.complete);
    }
    if (wrong) {
        (void)snprintf(list[0].wrong, sizeof list[0].wrong,
                       "it has %llu entries, its %u parts and what is on none together %llu",
                       (unsigned long long)u.complete.count, parts, (unsigned long long)u.sum.count);
    }
    for (uint32_t shard = parts + 1; shard > 0; shard--) {
        note(k, &list[shard - 1]);
    }
    k->entries += parts > 0 ? u.sum.count : u.complete.count;
    return parts > 0 ? say_union(k, i, parts, &u) : LT_OK;
}

static lt_res check_issuer(struct check *k, const struct ca_config_issuer *i)
{
    lt_slice der;
    uint32_t parts = 0;
    LT_TRY(read_issuer(k, i, &der));
    LT_TRY(count_parts(k, i, &parts));
    struct one *list = calloc((size_t)parts + 1, sizeof *list);
    LT_ASSERT(list != NULL);
    lt_res r = check_list(k, i, der, list, parts);
    free(list);
    return r;
}

static lt_res say_rows(const struct check *k)
{
    size_t n;
    json_t *row;
    json_array_foreach(k->rows, n, row)
    {
        const char *wrong = cmd_text(row, "wrong");
        bool fresh = strcmp(cmd_text(row, "state"), "fresh") == 0;
        char name[CA_CRL_NAME_MAX];
        ca_crl_name(cmd_text(row, "issuer"), (uint32_t)cmd_int(row, "shard"), name);
        if (wrong[0] != 0) {
            LT_TRY(cmd_printf("BAD      %-16s %s\n", name, wrong));
        } else if (!fresh) {
            LT_TRY(cmd_printf("%-8s %-16s %s%s\n", cmd_text(row, "state"), name,
                              cmd_int(row, "waiting") > 0 ? "a revocation is on no CRL since "
                                                          : "it has grown old",
                              cmd_text(row, "waiting_since")));
        }
    }
    return cmd_printf("%zu CRLs are good, %zu are not; %llu entries\n", k->good, k->bad,
                      (unsigned long long)k->entries);
}

static lt_res check_all(struct check *k)
{
    const char *only = cmd_value(k->c, "issuer");
    bool any = false;
    for (uint32_t i = 0; i < k->config->issuer_count; i++) {
        const struct ca_config_issuer *issuer = &k->config->issuers[i];
        bool wanted = issuer->crl && !issuer->offline && (only == NULL || strcmp(only, issuer->name) == 0);
        any = any || wanted;
        LT_TRY(wanted ? check_issuer(k, issuer) : LT_OK);
    }
    LT_CHECK(any, LT_PEER_NOT_FOUND, "no issuer%s%s makes CRLs here", only == NULL ? "" : " ",
             only == NULL ? "" : only);
    if (k->c->json) {
        LT_CLEANUP(cmd_json_freep)
        json_t *all = json_pack("{s:O, s:O, s:I, s:I, s:I}", "crls", k->rows, "unions", k->unions, "good",
                                (json_int_t)k->good, "bad", (json_int_t)k->bad, "entries",
                                (json_int_t)k->entries);
        LT_ASSERT(all != NULL);
        return cmd_print_json(all);
    }
    return say_rows(k);
}

static void duration(int64_t s, char ret_text[24])
{
    bool days = s % LT_SECONDS_PER_DAY == 0;
    bool hours = s % 3600 == 0;
    (void)snprintf(ret_text, 24, "%lld%s",
                   (long long)(days    ? s / LT_SECONDS_PER_DAY
                               : hours ? s / 3600
                                       : s / 60),
                   days    ? "d"
                   : hours ? "h"
                           : "m");
}

static lt_res say_rules(struct cmd *c)
{
    static const char *const heads[] = {"WHAT", "AT MOST", "WARNED AT HALF", "FROM", "SOURCE", "RULE"};
    LT_CLEANUP(cmd_json_freep) json_t *all = json_array();
    LT_ASSERT(all != NULL);
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    for (size_t i = 0; i < ca_fresh_rule_count; i++) {
        const struct ca_fresh_rule *r = &ca_fresh_rules[i];
        char most[24];
        char half[24];
        duration(r->limit_s, most);
        duration(r->limit_s / 2, half);
        const char *const cells[] = {ca_fresh_kind_name(r->kind), most, half, r->from, r->source, r->words};
        LT_TRY(cmd_table_row(t, cells));
        json_t *row = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s}", "what", cells[0], "limit_s",
                                (json_int_t)r->limit_s, "from", r->from, "until", r->until, "source",
                                r->source, "rule", r->words);
        LT_ASSERT(row != NULL && json_array_append_new(all, row) == 0);
    }
    return c->json ? cmd_print_json(all) : cmd_table_print(t);
}

static lt_res run(struct cmd *c)
{
    struct check k = {.c = c};
    struct ca_config *config = NULL;
    if (cmd_flag(c, "rules")) {
        return say_rules(c);
    }
    LT_TRY(cmd_folder(c, &k.folder));
    LT_TRY(ca_config_load(k.folder, &config));
    k.config = config;
    k.dir = open(k.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    k.rows = json_array();
    k.unions = json_array();
    LT_ASSERT(k.rows != NULL && k.unions != NULL);
    lt_res r = k.dir >= 0
                   ? check_all(&k)
                   : lt_fail(LT_PEER_NOT_FOUND, __FILE__, __LINE__, "%s: %s", k.folder, strerror(errno));
    json_decref(k.rows);
    json_decref(k.unions);
    ca_config_free(config);
    lt_fd_closep(&k.dir);
    return r;
}

static const struct cmd_option options[] = {
    {"issuer", "NAME", "its CRLs alone", false, NULL},
    {"rules", NULL, "show the rules of freshness, and nothing else", false, NULL},
};

const struct cmd_verb cmd_crl_check = {
    .name = "crl check",
    .words = "",
    .summary = "read every CRL as relying parties do, and hold it against the book",
    .help =
        "Each CRL and each part: its signature, number and scope, and whether its entries are those of the\n"
        "book; the parts together are held against the complete one. What is older than half of what the\n"
        "rules allow is late. Exit status 6 when something is not good.\n"
        "\n"
        "examples:\n"
        "  lintel crl check\n"
        "  lintel crl check --issuer tls --json | jq '.crls[] | select(.good | not)'\n"
        "  lintel crl check --rules\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
