/* lintel lint: judges certificates, CRLs, requests and OCSP responses by every rule of the linter, without a
 * CA folder. Its exit statuses are its own: 0 clean, 1 findings, 2 something could not be judged. */
#include "cmd/lint.h"
#include "cmd/api.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"
#include "lint/kinds.h"

enum { CONFIG_MAX = 64 * 1024, THREADS_MOST = 64, FINDINGS_STATUS = 1, UNREADABLE_STATUS = 2 };

static const struct cmd_option options[] = {
    {"format", "WORD", "text (default), json: one object a line, zlint: as zlint prints", false,
     "text json zlint"},
    {"pretty", NULL, "with --format zlint: indented, as its -pretty", false, NULL},
    {"kind", "WORD", "what the input is, whatever it looks like", false, "certificate crl ocsp csr"},
    {"tbs", NULL, "the input is what is to be signed: a bare TBSCertificate or TBSCertList", false, NULL},
    {"role", "WORD", "what the certificate is (default: auto, read off its contents)", false,
     "auto root cross-ca sub-ca subscriber ocsp-responder"},
    {"profile", "WORD", "the certificate profile that it is judged by (default: auto)", false,
     "auto private tls-dv tls-ov tls-iv tls-ev tls smime-mv-legacy smime-mv-multipurpose smime-mv-strict "
     "smime-ov-legacy smime-ov-multipurpose smime-ov-strict smime-sv-legacy smime-sv-multipurpose "
     "smime-sv-strict smime-iv-legacy smime-iv-multipurpose smime-iv-strict smime code-signing"},
    {"issuer", "FILE", "its issuer's certificate: names, key identifiers and signature are compared", false,
     NULL},
    {"precert", "FILE", "the precertificate that it must correspond to", false, NULL},
    {"crossed", "FILE", "of a cross certificate: the CA certificate that exists already", false, NULL},
    {"at", "TIME", "when it is signed (RFC 3339, or a day; default: its notBefore)", false, NULL},
    {"include", "LIST", "only these rules or sources, separated by commas", true, NULL},
    {"exclude", "LIST", "not these rules or sources", true, NULL},
    {"config", "FILE", "options of rules, in zlint's TOML", false, NULL},
    {"fail-on", "LEVEL", "least finding that makes the exit status 1 (default: error)", false,
     "notice warn error fatal"},
    {"jobs", "N", "threads (default: one for each core)", false, NULL},
    {"list", NULL, "list the rules instead", false, NULL},
    {"inventory", NULL, "judge what the book holds once more, against the verdict at issuance", false, NULL},
    {"since", "TIME", "with --inventory: issued from then on", false, NULL},
    {"sample", "SHARE", "with --inventory: a random sample, such as 3% (default: all)", false, NULL},
    {"seed", "HEX", "with --sample: draw the same one again", false, NULL},
    {"of", "PROFILE", "with --inventory: certificates of this profile of the CA alone", false, NULL},
    {"record", NULL, "with --inventory: keep what fails or is new as events", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

static lt_res mark(const struct cmd_lint *job, const char *option, lt_slice word, bool value, bool *wanted)
{
    enum lint_source source = LINT_RFC5280;
    bool is_source = lint_source_by_name(word, &source);
    size_t hits = 0;
    for (size_t i = 0; i < job->rule_count; i++) {
        const struct lint_rule *r = job->rules[i];
        if (is_source ? r->source == source : lt_slice_eq_cstr(word, r->id)) {
            wanted[i] = value;
            hits++;
        }
    }
    LT_CHECK(is_source || hits > 0, LT_PEER_USAGE,
             "--%s: no rule or source is called \"%.*s\"; lintel lint --list names them", option,
             LT_FMT(lt_slice_sub(word, 0, 80)));
    return LT_OK;
}

/* Every --include or --exclude, each a list. */
static lt_res mark_all(const struct cmd *c, const struct cmd_lint *job, const char *option, bool value,
                       bool *wanted)
{
    const char *text = cmd_value(c, option);
    for (size_t n = 0; text != NULL; text = cmd_value_nth(c, option, ++n)) {
        lt_slice rest = lt_slice_cstr(text);
        lt_slice word;
        while (lt_slice_split(&rest, ',', &word)) {
            while (word.len > 0 && word.ptr[0] == ' ') {
                word = lt_slice_sub(word, 1, SIZE_MAX);
            }
            while (word.len > 0 && word.ptr[word.len - 1] == ' ') {
                word.len--;
            }
            if (word.len > 0) {
                LT_TRY(mark(job, option, word, value, wanted));
            }
        }
    }
    return LT_OK;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct cmd_lint_place *)a)->rule;
    uintptr_t y = (uintptr_t)((const struct cmd_lint_place *)b)->rule;
    return x < y ? -1 : x > y;
}

/* Which rules there are, and which of them are wanted. */
static lt_res choose(struct cmd *c, struct cmd_lint *job)
{
    job->rule_count = lint_rule_count();
    const struct lint_rule **rules = LT_NEW_ARRAY(&c->arena, const struct lint_rule *, job->rule_count);
    struct cmd_lint_place *places = LT_NEW_ARRAY(&c->arena, struct cmd_lint_place, job->rule_count);
    bool *wanted = LT_NEW_ARRAY(&c->arena, bool, job->rule_count);
    LT_ASSERT(rules != NULL && places != NULL && wanted != NULL);
    for (size_t i = 0; i < job->rule_count; i++) {
        rules[i] = lint_rule_at(i);
        places[i] = (struct cmd_lint_place){rules[i], i};
        wanted[i] = cmd_value(c, "include") == NULL;
    }
    qsort(places, job->rule_count, sizeof(places[0]), by_address);
    job->rules = rules;
    job->places = places;
    job->wanted = wanted;
    LT_TRY(mark_all(c, job, "include", true, wanted));
    LT_TRY(mark_all(c, job, "exclude", false, wanted));
    uint32_t sources = 0;
    for (size_t i = 0; i < job->rule_count; i++) {
        wanted[i] = wanted[i] && (job->format != CMD_LINT_ZLINT || rules[i]->zlint);
        sources |= wanted[i] ? UINT32_C(1) << rules[i]->source : 0;
        job->filtered = job->filtered || !wanted[i];
    }
    LT_CHECK(sources != 0, LT_PEER_USAGE, "--include and --exclude leave no rule");
    job->input.sources = sources;
    return LT_OK;
}

/* The first certificate in a file, for --issuer, --precert and --crossed. */
static lt_res read_certificate(struct cmd *c, const char *option, const struct x509_cert **ret_cert)
{
    const char *path = cmd_value(c, option);
    struct cmd_lint_reader reader;
    struct cmd_lint_object object;
    lt_slice bytes;
    if (path == NULL) {
        return LT_OK;
    }
    struct x509_cert *cert = LT_NEW(&c->arena, struct x509_cert);
    LT_ASSERT(cert != NULL);
    lt_res r = lt_file_read(&c->arena, AT_FDCWD, path, X509_CERT_MAX_BYTES * 2, &bytes);
    LT_CHECK(!lt_failed(r), LT_PEER_USAGE, "--%s: %s", option, lt_error_last()->detail);
    cmd_lint_open(&reader, bytes, false);
    LT_CHECK(!lt_failed(cmd_lint_next(&reader, &c->arena, &object)) && object.kind == LINT_CERTIFICATE,
             LT_PEER_USAGE, "--%s: %.80s holds no certificate", option, path);
    LT_CHECK(!lt_failed(x509_cert_decode(object.der, &c->arena, cert)), LT_PEER_USAGE, "--%s: %.80s: %s",
             option, path, lt_error_last()->detail);
    *ret_cert = cert;
    return LT_OK;
}

static lt_res read_config(struct cmd *c, struct lint_config *ret_config)
{
    const char *path = cmd_value(c, "config");
    lt_slice text;
    *ret_config = lint_config_default();
    if (path == NULL) {
        return LT_OK;
    }
    lt_res r = lt_file_read(&c->arena, AT_FDCWD, path, CONFIG_MAX, &text);
    LT_CHECK(!lt_failed(r), LT_PEER_USAGE, "--config: %s", lt_error_last()->detail);
    r = cmd_lint_toml(text, path, ret_config);
    if (lt_failed(r) && !c->json) {
        (void)fprintf(stderr, "lintel lint: --config knows %s\n",
                      cmd_lint_toml_known); /* the error follows */
    }
    return r;
}

static lt_res read_time(const char *text, lt_time *ret_time)
{
    LT_CHECK(text == NULL || !lt_failed(lt_time_parse_or_day(lt_slice_cstr(text), ret_time)), LT_PEER_USAGE,
             "--at: \"%.40s\" is no time; write 2026-11-22 or 2026-11-22T10:00:00Z", text);
    return LT_OK;
}

static lt_res prepare(struct cmd *c, struct cmd_lint *job)
{
    const char *format = cmd_value_or(c, "format", c->json ? "json" : "text");
    job->format = strcmp(format, "zlint") == 0  ? CMD_LINT_ZLINT
                  : strcmp(format, "json") == 0 ? CMD_LINT_JSON
                                                : CMD_LINT_TEXT;
    LT_CHECK(!c->json || job->format == CMD_LINT_JSON || cmd_flag(c, "list"), LT_PEER_USAGE,
             "--json is --format json; give one of them");
    job->pretty = cmd_flag(c, "pretty");
    LT_CHECK(!job->pretty || job->format == CMD_LINT_ZLINT, LT_PEER_USAGE,
             "--pretty goes with --format zlint");
    job->json_errors = job->format == CMD_LINT_JSON;
    job->colour = job->format == CMD_LINT_TEXT && isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    job->bare = cmd_flag(c, "tbs");
    job->kind = lint_kind_by_name(lt_slice_cstr(cmd_value_or(c, "kind", "")));
    job->fail_on = lint_status_by_name(lt_slice_cstr(cmd_value_or(c, "fail-on", "error")));
    job->input.bare = job->bare;
    LT_CHECK(lint_role_by_name(lt_slice_cstr(cmd_value_or(c, "role", "auto")), &job->input.role),
             LT_PEER_USAGE, "--role: this linter has no such role");
    LT_CHECK(lint_profile_by_name(lt_slice_cstr(cmd_value_or(c, "profile", "auto")), &job->input.profile),
             LT_PEER_USAGE, "--profile: this linter has no such profile");
    LT_TRY(read_time(cmd_value(c, "at"), &job->input.signing_time));
    LT_TRY(read_certificate(c, "issuer", &job->input.issuer));
    LT_TRY(read_certificate(c, "precert", &job->input.precertificate));
    LT_TRY(read_certificate(c, "crossed", &job->input.crossed));
    LT_TRY(read_config(c, &job->config));
    job->input.config = &job->config;
    return choose(c, job);
}

static size_t cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (size_t)n : 1;
}

static lt_res add_file(void *context, const char *path)
{
    return cmd_lint_pool_add(context, path);
}

static void add_bad(void *context, const char *path, const char *why)
{
    lt_ignore(cmd_lint_pool_bad(context, path, why)); /* that output fails is seen at the next file */
}

static lt_res count_file(void *context, const char *path)
{
    (void)path;
    ++*(size_t *)context;
    return LT_OK;
}

static void count_bad(void *context, const char *path, const char *why)
{
    (void)context;
    (void)path;
    (void)why;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Only a bar needs to know how many there will be. */
static lt_res count_files(char *const *words, size_t count, size_t *ret_total)
{
    *ret_total = 0;
    for (size_t i = 0; i < count; i++) {
        const struct cmd_lint_walker walker = {count_file, count_bad, ret_total};
        if (is_folder(words[i])) {
            LT_TRY(cmd_lint_walk(words[i], &walker));
        } else {
            ++*ret_total;
        }
    }
    return LT_OK;
}

static lt_res add_all(struct cmd_lint_pool *pool, char *const *words, size_t count)
{
    const struct cmd_lint_walker walker = {add_file, add_bad, pool};
    for (size_t i = 0; i < count; i++) {
        if (is_folder(words[i])) {
            LT_TRY(cmd_lint_walk(words[i], &walker));
        } else {
            LT_TRY(cmd_lint_pool_add(pool, words[i]));
        }
    }
    return LT_OK;
}

static lt_res judge_words(struct cmd *c, const struct cmd_lint *job, char *const *words, size_t count)
{
    uint64_t threads = 0;
    struct cmd_lint_tally tally = {.files = 0};
    size_t total = 0;
    LT_TRY(cmd_number(c, "jobs", cores(), THREADS_MOST, &threads));
    LT_CHECK(threads > 0, LT_PEER_USAGE, "--jobs: at least 1");
    if (isatty(STDERR_FILENO) == 1) {
        LT_TRY(count_files(words, count, &total));
    }
    crypto_start(); /* what is fetched at first use is there before threads are */
    struct cmd_lint_pool *pool = cmd_lint_pool_new(job, threads);
    cmd_lint_pool_total(pool, total);
    lt_res r = add_all(pool, words, count);
    r = lt_failed(r) ? r : cmd_lint_pool_finish(pool, &tally);
    cmd_lint_pool_free(pool);
    LT_TRY(r);
    c->exit_status = tally.unreadable > 0 ? UNREADABLE_STATUS : tally.failed > 0 ? FINDINGS_STATUS : 0;
    if (job->format != CMD_LINT_TEXT || tally.files + tally.objects <= 2) {
        return LT_OK;
    }
    struct lt_buf out;
    lt_buf_init(&out, 4096);
    cmd_lint_summary(&tally, &out);
    r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

/* What would be ignored is refused: it was meant to change something. */
static lt_res options_fit(const struct cmd *c)
{
    static const char *const with[] = {
        "since", "sample", "seed", "of", "record", "yes", "operator", "key", "key-passphrase-file"};
    static const char *const without[] = {"format", "pretty",  "kind",    "tbs",     "role",
                                          "issuer", "precert", "crossed", "include", "exclude",
                                          "config", "jobs",    "list"};
    bool inventory = cmd_flag(c, "inventory");
    for (size_t i = 0; i < LT_COUNT(with); i++) {
        LT_CHECK(inventory || !cmd_flag(c, with[i]), LT_PEER_USAGE, "--%s goes with --inventory only",
                 with[i]);
    }
    for (size_t i = 0; i < LT_COUNT(without); i++) {
        LT_CHECK(!inventory || !cmd_flag(c, without[i]), LT_PEER_USAGE, "--%s does not go with --inventory",
                 without[i]);
    }
    LT_CHECK(!cmd_flag(c, "yes") || cmd_flag(c, "record"), LT_PEER_USAGE, "--yes goes with --record only");
    return LT_OK;
}

static lt_res run(struct cmd *c)
{
    static char dash[] = "-";
    static char *const standard_input[] = {dash};
    struct cmd_lint job = {.format = CMD_LINT_TEXT};
    LT_TRY(options_fit(c));
    if (cmd_flag(c, "inventory")) {
        return cmd_lint_inventory(c);
    }
    LT_TRY(prepare(c, &job));
    if (cmd_flag(c, "list")) {
        c->json = c->json || job.format == CMD_LINT_JSON;
        return cmd_lint_list(c, &job);
    }
    if (job.format == CMD_LINT_ZLINT) {
        cmd_lint_zlint_rows(&job, &c->arena);
    }
    if (c->args.word_count == 0) {
        LT_CHECK(isatty(STDIN_FILENO) == 0, LT_PEER_USAGE, "usage: lintel lint FILE...; - is standard input");
        return judge_words(c, &job, standard_input, 1);
    }
    return judge_words(c, &job, c->args.words, c->args.word_count);
}

const struct cmd_verb cmd_lint = {
    .name = "lint",
    .words = "FILE...",
    .words_least = 0,
    .words_most = SIZE_MAX,
    .summary = "judge certificates, CRLs, requests and OCSP responses by every rule",
    .help =
        "FILE is PEM with any number of objects, DER, base64 of DER, a folder with such files, or - for\n"
        "standard input. No CA folder is needed.\n"
        "\n"
        "Exit status: 0 no finding at or above --fail-on, 1 some, 2 something could not be read as any of\n"
        "these; an object that is malformed has findings instead.\n"
        "\n"
        "--config takes [CABFBaselineRequirementsConfig] CrossSignedCa, [e_subj_orgunit_in_ca_cert]\n"
        "CrossCert, [e_ca_multiple_reserved_policy_oids] CrossCert, [e_subj_contains_html_entities] Skip,\n"
        "[e_crl_next_update_invalid] SubscriberCRL, [e_rsa_fermat_factorization] Rounds.\n"
        "\n"
        "--inventory judges certificates of a running family (--dir) with the inputs that the gate had; "
        "--at\n"
        "takes the rules of that day. It prints where the verdict is another one, and changes nothing but\n"
        "for --record --yes.\n"
        "\n"
        "examples:\n"
        "  lintel lint www.pem\n"
        "  lintel lint --profile tls-ov --issuer ca.pem --at 2026-11-22 new.der\n"
        "  lintel lint --format json /var/lib/certificates | jq -r 'select(.worst == \"error\") .file'\n"
        "  lintel lint --format zlint --config zlint.toml www.pem\n"
        "  lintel lint --exclude Community,w_ext_subject_key_identifier_not_recommended_subscriber www.pem\n"
        "  lintel lint --list --include CABF_EV\n"
        "  lintel lint --inventory --since 2026-10-01 --sample 3% --record --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
