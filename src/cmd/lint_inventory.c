/* lintel lint --inventory: judges what the book holds once more, by today's rules or those of a day, and says
 * where the verdict is another one than at issuance. Streams page after page; what is kept is one page.
 *
 * A sample is one certificate of every N in the order of issue, the one whose hash with the seed is lowest:
 * who knows the seed draws the same one again, and it is never less than was asked for.
 *= CABF-BR 8.7 "a randomly selected sample of the greater of one certificate or at least three percent of the
 * Certificates issued by it" */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"
#include "ca/config.h"
#include "ca/crl_shard.h"
#include "ca/profile.h"
#include "cmd/api.h"
#include "cmd/lint.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"

#define PAGE "500"
enum {
    ISSUERS_MAX = 64,
    SEED_LEN = 16,
    WORK_MAX = 16 * 1024 * 1024,
    PART_MAX = 60,
    TEXT_MAX = 300,
    KEYS_REMEMBERED = 16384,
    NOTED_MAX = 256,
    EVERY_MS = 200,
    BAR = 30,
    HUNDREDTHS = 10000, /* of all */
    FINDINGS_STATUS = 1,
    UNREADABLE_STATUS = 2,
};

struct known_issuer {
    const char *name;
    struct x509_cert cert;
};

struct look {
    struct cmd *c;
    struct lt_arena page; /* of one page's answer */
    struct lt_arena work; /* of one certificate */
    struct ca_config *config;
    struct ca_profiles profiles;
    struct known_issuer *issuers;
    size_t issuer_count;
    struct lint_keys *keys;
    enum lint_profile profile; /* AUTO: that of the certificate's own profile */
    const char *only;          /* certificates of this profile; NULL: all */
    const char *since;
    const char *at;
    lt_time as_of;
    enum lint_status fail_on;
    const char *sample;
    uint64_t block; /* one certificate of so many is judged */
    uint64_t in_block;
    json_t *drawn; /* owned: the one of this block so far */
    uint8_t lowest[CRYPTO_SHA256_LEN];
    char seed[2 * SEED_LEN + 1];
    char run[32];
    bool record;
    json_t *found; /* owned: to be recorded */
    uint64_t part;
    uint64_t recorded;
    uint64_t to_record;
    uint64_t total;
    uint64_t seen;
    uint64_t judged;
    uint64_t differing;
    uint64_t failing;
    uint64_t excepted; /* of these, with no finding that an exception had not let pass */
    uint64_t unknown;  /* verdict at issuance */
    uint64_t unreadable;
    bool bar;
    int64_t said_ms;
};

/* What the linter says of one certificate now: each rule once, at its worst. */
struct noted {
    const struct lint_finding *f;
    const char *was; /* "" for nothing */
};

/* ---- judging one ---- */

static const struct x509_cert *issuer_of(const struct look *l, const char *name)
{
    for (size_t i = 0; i < l->issuer_count; i++) {
        if (strcmp(l->issuers[i].name, name) == 0) {
            return &l->issuers[i].cert;
        }
    }
    return NULL;
}

/* The same inputs that the gate had. */
static lt_res judge(struct look *l, const json_t *row, lt_slice der, struct lint_results *ret_results)
{
    const struct ca_profile *p = ca_profiles_find(&l->profiles, lt_slice_cstr(cmd_text(row, "profile")));
    struct lint_evidence evidence = {
        .known = true,
        .oldest_validation = {cmd_int(row, "oldest_validation_us")},
        .oldest_caa = {cmd_int(row, "oldest_caa_us")},
        .names_validated = (uint32_t)cmd_int(row, "name_count"),
    };
    if (p != NULL && p->crl_distribution) {
        evidence.crl_url = lt_slice_cstr(ca_crl_url(
            &l->work, l->config->public_http_url, cmd_text(row, "issuer"), (uint32_t)cmd_int(row, "shard")));
    }
    enum lint_profile profile = l->profile != LINT_PROFILE_AUTO ? l->profile
                                : p != NULL                     ? p->lint_profile
                                                                : LINT_PROFILE_AUTO;
    struct lint_input in = {
        .kind = LINT_CERTIFICATE,
        .der = der,
        .role = LINT_ROLE_SUBSCRIBER,
        .profile = profile,
        .sources = ca_lint_sources(profile),
        .issuer = issuer_of(l, cmd_text(row, "issuer")),
        .signing_time = {cmd_int(row, "issued_us")},
        .as_of = l->as_of,
        .evidence = &evidence,
        .keys = l->keys,
    };
    return lint_run(&in, &l->work, ret_results);
}

/* The finding at issuance; NULL when there was none. */
static const json_t *finding_then(const json_t *row, const char *rule)
{
    size_t i;
    json_t *f;
    json_array_foreach(json_object_get(row, "findings"), i, f)
    {
        if (strcmp(cmd_text(f, "rule"), rule) == 0) {
            return f;
        }
    }
    return NULL;
}

static const char *result_then(const json_t *row, const char *rule)
{
    const json_t *f = finding_then(row, rule);
    return f == NULL ? "" : cmd_text(f, "result");
}

static size_t note(const json_t *row, const struct lint_results *r, struct noted notes[NOTED_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct lint_finding *f = &r->list[i];
        struct noted *last = count > 0 && notes[count - 1].f->rule == f->rule ? &notes[count - 1] : NULL;
        if (last != NULL) {
            last->f = last->f->level < f->level ? f : last->f;
        } else if (count < NOTED_MAX) {
            notes[count++] = (struct noted){f, result_then(row, f->rule->id)};
        }
    }
    return count;
}

static bool found_now(const struct noted *notes, size_t count, const char *rule)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(notes[i].f->rule->id, rule) == 0) {
            return true;
        }
    }
    return false;
}

static bool all_excepted(const json_t *row, const struct lint_results *r, enum lint_status least)
{
    bool all = r->dropped == 0;
    for (size_t i = 0; i < r->count && all; i++) {
        const json_t *then = finding_then(row, r->list[i].rule->id);
        all = r->list[i].level < least || (then != NULL && json_is_true(json_object_get(then, "excepted")));
    }
    return all;
}

static bool differs(const struct noted *n)
{
    return strcmp(n->was, lint_status_name(n->f->level)) != 0;
}

/* ---- saying it ---- */

static json_t *difference(const struct noted *n)
{
    const struct lint_finding *f = n->f;
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "rule", f->rule->id, "result",
                          lint_status_name(f->level), "was", n->was, "message", f->message, "path", f->path,
                          "offset", (json_int_t)f->offset, "citation", f->rule->citation);
    /* A message with bytes that are no UTF-8: the rule alone. */
    return o != NULL ? o
                     : json_pack("{s:s, s:s, s:s}", "rule", f->rule->id, "result", lint_status_name(f->level),
                                 "was", n->was);
}

/* {"issuer", "serial", …, "new": […], "gone": […]}; NULL when nothing differs. */
static json_t *differences(const json_t *row, const struct noted *notes, size_t count)
{
    json_t *added = json_array();
    json_t *gone = json_array();
    size_t i;
    json_t *f;
    LT_ASSERT(added != NULL && gone != NULL);
    for (size_t n = 0; n < count; n++) {
        if (differs(&notes[n])) {
            LT_ASSERT(json_array_append_new(added, difference(&notes[n])) == 0);
        }
    }
    json_array_foreach(json_object_get(row, "findings"), i, f)
    {
        if (!found_now(notes, count, cmd_text(f, "rule"))) {
            LT_ASSERT(json_array_append(gone, f) == 0);
        }
    }
    if (json_array_size(added) + json_array_size(gone) == 0) {
        json_decref(added);
        json_decref(gone);
        return NULL;
    }
    char issued[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){cmd_int(row, "issued_us")}, issued);
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "issuer", cmd_text(row, "issuer"), "serial",
                          cmd_text(row, "serial"), "profile", cmd_text(row, "profile"), "issued", issued,
                          "rule_set", cmd_text(row, "rule_set"), "new", added, "gone", gone);
    LT_ASSERT(o != NULL);
    return o;
}

static void wipe_bar(const struct look *l)
{
    if (l->bar) {
        (void)fputs("\r\033[K", stderr); /* it is for looks alone */
    }
}

static lt_res say_difference(const struct look *l, const json_t *d)
{
    size_t i;
    json_t *f;
    wipe_bar(l);
    if (l->c->json) {
        return cmd_print_json(d);
    }
    LT_TRY(cmd_printf("%s %s  %s, issued %s by %s\n", cmd_text(d, "issuer"), cmd_text(d, "serial"),
                      cmd_text(d, "profile"), cmd_text(d, "issued"), cmd_text(d, "rule_set")));
    json_array_foreach(json_object_get(d, "new"), i, f)
    {
        const char *was = cmd_text(f, "was");
        LT_TRY(cmd_printf("  now %s%s%s: %s: %s (%s)\n", cmd_text(f, "result"), was[0] == 0 ? "" : ", was ",
                          was, cmd_text(f, "rule"), cmd_text(f, "message"), cmd_text(f, "citation")));
    }
    json_array_foreach(json_object_get(d, "gone"), i, f)
    {
        LT_TRY(cmd_printf("  was %s, now nothing: %s\n", cmd_text(f, "result"), cmd_text(f, "rule")));
    }
    return LT_OK;
}

static void show_bar(struct look *l)
{
    int64_t now_ms = l->bar ? lt_monotonic_ms() : 0;
    if (!l->bar || now_ms - l->said_ms < EVERY_MS || l->total == 0) {
        return;
    }
    char bar[BAR + 1] = "";
    uint64_t done = l->seen < l->total ? l->seen : l->total;
    l->said_ms = now_ms;
    for (size_t i = 0; i < BAR; i++) {
        bar[i] = i * l->total < done * BAR ? '#' : '-';
    }
    (void)fprintf(stderr, "\r\033[K[%s] %llu of %llu certificates, %llu judged, %llu differ", bar,
                  (unsigned long long)done, (unsigned long long)l->total, (unsigned long long)l->judged,
                  (unsigned long long)l->differing); /* it is for looks alone */
    (void)fflush(stderr);
}

/* ---- recording it ---- */

static lt_res send_part(struct look *l)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char at[LT_RFC3339_SIZE];
    lt_time_rfc3339(l->as_of, at);
    payload = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:O}", "run", l->run, "part",
                        (json_int_t)l->part, "rule-set", lint_rule_set(), "seed", l->block > 1 ? l->seed : "",
                        "sample", l->sample, "since", l->since, "at", l->as_of.us == 0 ? "" : at, "total",
                        (json_int_t)l->total, "judged", (json_int_t)l->judged, "differing",
                        (json_int_t)l->differing, "failing", (json_int_t)l->failing, "findings", l->found);
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_api_post(l->c, "lint/findings", payload, &answer));
    l->recorded += json_array_size(l->found);
    l->part++;
    LT_ASSERT(json_array_clear(l->found) == 0);
    return LT_OK;
}

/* What fails now, and what is new. */
static lt_res keep_for_record(struct look *l, const json_t *row, const struct noted *notes, size_t count)
{
    for (size_t i = 0; l->record && i < count; i++) {
        const struct lint_finding *f = notes[i].f;
        if (f->level < l->fail_on && !differs(&notes[i])) {
            continue;
        }
        l->to_record++;
        if (!cmd_flag(l->c, "yes")) {
            continue; /* only counted */
        }
        char message[TEXT_MAX + 1];
        (void)snprintf(message, sizeof(message), "%s", f->message); /* the rest can be had again */
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "issuer", cmd_text(row, "issuer"),
                              "serial", cmd_text(row, "serial"), "rule", f->rule->id, "result",
                              lint_status_name(f->level), "was", notes[i].was, "message", message, "path",
                              f->path, "offset", (json_int_t)f->offset);
        if (o == NULL) { /* bytes of the certificate that are no UTF-8 */
            o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "issuer", cmd_text(row, "issuer"), "serial",
                          cmd_text(row, "serial"), "rule", f->rule->id, "result", lint_status_name(f->level),
                          "was", notes[i].was);
        }
        LT_ASSERT(o != NULL && json_array_append_new(l->found, o) == 0);
        if (json_array_size(l->found) >= PART_MAX) {
            LT_TRY(send_part(l));
        }
    }
    return LT_OK;
}

/* ---- the stream ---- */

static lt_res take(struct look *l, const json_t *row)
{
    struct noted notes[NOTED_MAX];
    struct lint_results results;
    lt_slice der;
    LT_TRY(lt_unbase64(&l->work, lt_slice_cstr(cmd_text(row, "der")), &der));
    LT_TRY(judge(l, row, der, &results));
    size_t count = note(row, &results, notes);
    l->judged++;
    l->failing += results.worst >= l->fail_on;
    l->excepted += results.worst >= l->fail_on && all_excepted(row, &results, l->fail_on);
    if (!json_is_array(json_object_get(row, "findings"))) {
        l->unknown++;
        return keep_for_record(l, row, notes, 0);
    }
    LT_CLEANUP(cmd_json_freep) json_t *d = differences(row, notes, count);
    if (d != NULL) {
        l->differing++;
        LT_TRY(say_difference(l, d));
    }
    return keep_for_record(l, row, notes, count);
}

static lt_res take_row(struct look *l, const json_t *row)
{
    lt_res r = take(l, row);
    lt_arena_reset(&l->work);
    if (lt_class_of(r.code) == LT_CLASS_PEER && r.code == LT_PEER_TOO_LARGE) {
        l->unreadable++;
        return LT_OK;
    }
    return r;
}

static void draw_hash(const struct look *l, const json_t *row, uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, lt_slice_cstr(l->seed));
    crypto_stream_add(&s, LT_LIT("\n"));
    crypto_stream_add(&s, lt_slice_cstr(cmd_text(row, "issuer")));
    crypto_stream_add(&s, LT_LIT("\n"));
    crypto_stream_add(&s, lt_slice_cstr(cmd_text(row, "serial")));
    crypto_stream_finish(&s, ret_hash);
    crypto_stream_done(&s);
}

static lt_res end_block(struct look *l)
{
    LT_CLEANUP(cmd_json_freep) json_t *row = LT_TAKE(l->drawn, NULL);
    l->in_block = 0;
    return row == NULL ? LT_OK : take_row(l, row);
}

static lt_res meet(struct look *l, json_t *row)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    l->seen++;
    if (l->only != NULL && strcmp(cmd_text(row, "profile"), l->only) != 0) {
        return LT_OK;
    }
    draw_hash(l, row, hash);
    if (l->in_block == 0 || memcmp(hash, l->lowest, sizeof(hash)) < 0) {
        json_decref(l->drawn);
        l->drawn = json_incref(row);
        memcpy(l->lowest, hash, sizeof(hash));
    }
    return ++l->in_block == l->block ? end_block(l) : LT_OK;
}

static lt_res take_issuers(struct look *l, const json_t *page)
{
    size_t i;
    json_t *row;
    const json_t *rows = json_object_get(page, "issuers");
    l->total = (uint64_t)cmd_int(page, "total");
    LT_CHECK(json_array_size(rows) <= ISSUERS_MAX, LT_PEER_TOO_LARGE, "over %d issuers", ISSUERS_MAX);
    l->issuers = LT_NEW_ARRAY(&l->c->arena, struct known_issuer, ISSUERS_MAX);
    LT_ASSERT(l->issuers != NULL);
    json_array_foreach(rows, i, row)
    {
        struct known_issuer *known = &l->issuers[l->issuer_count];
        lt_slice der;
        LT_TRY(lt_unbase64(&l->c->arena, lt_slice_cstr(cmd_text(row, "der")), &der));
        known->name = lt_arena_cstr(&l->c->arena, lt_slice_cstr(cmd_text(row, "issuer")));
        LT_CHECK(known->name != NULL, LT_PEER_TOO_LARGE, "too many issuers");
        LT_TRY(x509_cert_parse(der, &l->c->arena, &known->cert));
        l->issuer_count++;
    }
    return LT_OK;
}

static lt_res get_page(struct look *l, const char *cursor, json_t **ret_page)
{
    enum { TARGET_MAX = 8000 };
    char target[TARGET_MAX];
    struct lt_buf query;
    struct cmd page = *l->c; /* with an arena that goes with the page */
    page.arena = l->page;
    lt_buf_init(&query, TARGET_MAX);
    cmd_query_add(&query, "limit", PAGE);
    cmd_query_add(&query, "issued-from", l->since[0] == 0 ? NULL : l->since);
    cmd_query_add(&query, "cursor", cursor[0] == 0 ? NULL : cursor);
    int n = snprintf(target, sizeof(target), "inventory?%.*s", LT_FMT(lt_buf_slice(&query)));
    lt_res r = lt_buf_check(&query);
    lt_buf_done(&query);
    LT_TRY(r);
    LT_CHECK(n > 0 && (size_t)n < sizeof(target), LT_PEER_TOO_LARGE, "the question is too long");
    r = cmd_api_get(&page, target, ret_page);
    l->page = page.arena;
    lt_arena_reset(&l->page);
    return r;
}

static lt_res walk(struct look *l)
{
    char cursor[4096] = "";
    do {
        LT_CLEANUP(cmd_json_freep) json_t *page = NULL;
        size_t i;
        json_t *row;
        LT_TRY(get_page(l, cursor, &page));
        if (l->issuers == NULL) {
            LT_TRY(take_issuers(l, page));
        }
        json_array_foreach(json_object_get(page, "certificates"), i, row)
        {
            LT_TRY(meet(l, row));
            show_bar(l);
        }
        const char *next = cmd_text(page, "next");
        LT_CHECK(strlen(next) < sizeof(cursor), LT_STATE_CORRUPT, "a cursor of %zu bytes", strlen(next));
        memcpy(cursor, next, strlen(next) + 1);
    } while (cursor[0] != 0);
    return end_block(l); /* the rest, however few: at least one of them */
}

/* ---- the verb ---- */

/* "3%", "0.5%": of how many one is drawn. */
static lt_res read_sample(const char *text, uint64_t *ret_block)
{
    lt_slice whole = lt_slice_cstr(text);
    lt_slice part = {0};
    uint64_t percent = 0;
    uint64_t more = 0;
    if (whole.len > 0 && whole.ptr[whole.len - 1] == '%') {
        whole.len--;
    }
    size_t dot = lt_slice_find(whole, '.');
    part = lt_slice_sub(whole, dot + 1, SIZE_MAX);
    bool good = !lt_failed(lt_parse_u64(lt_slice_sub(whole, 0, dot), 100, &percent)) && part.len <= 2;
    good = good && (part.len == 0 || !lt_failed(lt_parse_u64(part, 99, &more)));
    uint64_t hundredths = percent * 100 + (part.len == 1 ? more * 10 : more);
    LT_CHECK(good && hundredths > 0 && hundredths <= HUNDREDTHS, LT_PEER_USAGE,
             "--sample: \"%.20s\" is no share; write 3%%, 0.5%% or 100%%", text);
    *ret_block = HUNDREDTHS / hundredths; /* rounded down: never less than was asked for */
    return LT_OK;
}

static lt_res read_moment(struct cmd *c, const char *option, const char **ret_text, lt_time *ret_time)
{
    const char *text = cmd_value(c, option);
    *ret_text = "";
    *ret_time = (lt_time){0};
    if (text == NULL) {
        return LT_OK;
    }
    char *full = lt_arena_alloc(&c->arena, LT_RFC3339_SIZE);
    LT_ASSERT(full != NULL);
    LT_CHECK(!lt_failed(lt_time_parse_or_day(lt_slice_cstr(text), ret_time)), LT_PEER_USAGE,
             "--%s: \"%.40s\" is no time; write 2026-11-22 or 2026-11-22T10:00:00Z", option, text);
    lt_time_rfc3339(*ret_time, full);
    *ret_text = full;
    return LT_OK;
}

static void hex_of(const uint8_t *bytes, size_t len, char *ret_text)
{
    for (size_t i = 0; i < len; i++) {
        (void)snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]); /* room was made for it */
    }
}

static lt_res read_seed(struct look *l)
{
    uint8_t drawn[SEED_LEN];
    const char *given = cmd_value(l->c, "seed");
    lt_random(drawn, sizeof(drawn));
    hex_of(drawn, sizeof(drawn), l->seed);
    LT_CHECK(given == NULL || (strlen(given) <= 2 * SEED_LEN && given[0] != 0 &&
                               strspn(given, "0123456789abcdef") == strlen(given)),
             LT_PEER_USAGE, "--seed: at most %d hex digits in lower case", 2 * SEED_LEN);
    if (given != NULL) {
        (void)snprintf(l->seed, sizeof(l->seed), "%s", given); /* measured */
    }
    lt_random(drawn, sizeof(drawn));
    hex_of(drawn, SEED_LEN / 2, l->run);
    return LT_OK;
}

static lt_res prepare(struct look *l)
{
    struct cmd *c = l->c;
    const char *folder;
    lt_time since;
    LT_CHECK(c->args.word_count == 0, LT_PEER_USAGE, "--inventory takes its certificates out of the book");
    LT_TRY(cmd_folder(c, &folder));
    LT_TRY(ca_config_load(folder, &l->config));
    LT_TRY(ca_profiles_load(folder, c->now, &l->profiles));
    LT_TRY(read_moment(c, "since", &l->since, &since));
    LT_TRY(read_moment(c, "at", &l->at, &l->as_of));
    LT_CHECK(lint_profile_by_name(lt_slice_cstr(cmd_value_or(c, "profile", "auto")), &l->profile),
             LT_PEER_USAGE, "--profile: this linter has no such profile");
    l->only = cmd_value(c, "of");
    LT_CHECK(l->only == NULL || ca_profiles_find(&l->profiles, lt_slice_cstr(l->only)) != NULL, LT_PEER_USAGE,
             "--of: there is no profile \"%.64s\" in %.100s/profiles", l->only, folder);
    l->fail_on = lint_status_by_name(lt_slice_cstr(cmd_value_or(c, "fail-on", "error")));
    l->sample = cmd_value_or(c, "sample", "100%");
    LT_TRY(read_sample(l->sample, &l->block));
    LT_TRY(read_seed(l));
    l->record = cmd_flag(c, "record");
    l->bar = isatty(STDERR_FILENO) == 1;
    l->keys = lint_keys_new(KEYS_REMEMBERED);
    l->found = json_array();
    LT_ASSERT(l->keys != NULL && l->found != NULL);
    crypto_start();
    return LT_OK;
}

static lt_res say_totals(const struct look *l)
{
    bool done = l->record && cmd_flag(l->c, "yes");
    wipe_bar(l);
    if (l->c->json) {
        LT_CLEANUP(cmd_json_freep)
        json_t *o = json_pack("{s:{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s}}",
                              "summary", "rule_set", lint_rule_set(), "sample", l->sample, "seed",
                              l->block > 1 ? l->seed : "", "at", l->at, "total", (json_int_t)l->total,
                              "judged", (json_int_t)l->judged, "differing", (json_int_t)l->differing,
                              "failing", (json_int_t)l->failing, "excepted", (json_int_t)l->excepted,
                              "unknown", (json_int_t)l->unknown, "unreadable", (json_int_t)l->unreadable,
                              "recorded", done, "run", done ? l->run : "");
        LT_ASSERT(o != NULL);
        return cmd_print_json(o);
    }
    LT_TRY(cmd_printf("%llu certificates, %llu judged by %s: %llu differ from the verdict at issuance, %llu "
                      "with findings of %s or worse\n",
                      (unsigned long long)l->total, (unsigned long long)l->judged, lint_rule_set(),
                      (unsigned long long)l->differing, (unsigned long long)l->failing,
                      lint_status_name(l->fail_on)));
    if (l->excepted > 0) {
        LT_TRY(cmd_printf("%llu of these passed by exceptions\n", (unsigned long long)l->excepted));
    }
    if (l->unknown > 0) {
        LT_TRY(cmd_printf("%llu have no verdict: a crash came between their signature and its word\n",
                          (unsigned long long)l->unknown));
    }
    if (l->block > 1) {
        LT_TRY(cmd_printf("sample %s by seed %s: --seed draws the same one again\n", l->sample, l->seed));
    }
    if (!l->record) {
        return LT_OK;
    }
    return done ? cmd_printf("recorded as lint %s: %llu findings\n", l->run, (unsigned long long)l->recorded)
                : cmd_printf("would record %llu findings as events; add --yes, and --seed %s for these\n",
                             (unsigned long long)l->to_record, l->seed);
}

static lt_res run_look(struct look *l)
{
    LT_TRY(prepare(l));
    LT_TRY(walk(l));
    if (l->record && cmd_flag(l->c, "yes")) {
        LT_TRY(send_part(l)); /* the last one has the totals */
    }
    l->c->exit_status = l->unreadable > 0 ? UNREADABLE_STATUS : l->failing > 0 ? FINDINGS_STATUS : 0;
    return say_totals(l);
}

lt_res cmd_lint_inventory(struct cmd *c)
{
    struct look l = {.c = c};
    lt_arena_init(&l.page, CMD_ARENA_MAX);
    lt_arena_init(&l.work, WORK_MAX);
    lt_res r = run_look(&l);
    json_decref(l.drawn);
    json_decref(l.found);
    lint_keys_free(l.keys);
    ca_profiles_done(&l.profiles);
    ca_config_free(l.config);
    lt_arena_done(&l.work);
    lt_arena_done(&l.page);
    return r;
}
