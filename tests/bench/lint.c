/* What the linter costs: CPU time of the thread for one certificate, each timed alone, with all rules;
 * decoding, names, signatures and public-key arithmetic as lines of their own; a CRL of 100,000 entries. lint
 * [ROUNDS] lint --rules [BASE]                  the rules of a certificate by cost, dearest first lint
 * --zlint PATH [--lintel PATH] [--zlint-source DIR] whole commands over 2,000 files, and zlint inside one
 * process, too Certificates: the corpus's (LINTEL_CORPUS, or ../shared/corpus). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../unit/lint/forge.h"
#include "crypto/check.h"
#include "crypto/verify.h"
#include "lint/keys.h"
#include "lint/names.h"
#include "lint/tables.h"
#include "x509/tbs.h"

enum { ROUNDS = 20000, WARM_UP = 500, ENTRIES = 100000, FILES = 2000, MANY_NAMES = 137 };

static int64_t thread_ns(void)
{
    struct timespec t;
    LT_ASSERT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double wall(void)
{
    struct timespec t;
    LT_ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- one thing, many times ---- */

struct job {
    const char *name;
    lt_slice der;
    struct x509_cert cert;
    struct lint_input in;
    bool fresh_keys; /* an empty key cache each time */
    struct lint_keys *keys;
    const struct x509_cert *issuer;
};
typedef void work(struct job *j, struct lt_arena *a);

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void measure(struct job *j, work *w, size_t rounds)
{
    struct lt_arena a;
    int64_t *took = calloc(rounds, sizeof(*took));
    LT_ASSERT(took != NULL);
    lt_arena_init(&a, 64 << 20);
    for (size_t i = 0; i < rounds + WARM_UP; i++) {
        if (j->fresh_keys) {
            lint_keys_free(j->keys);
            j->keys = lint_keys_new(16);
        }
        int64_t before = thread_ns();
        w(j, &a);
        int64_t after = thread_ns();
        if (i >= WARM_UP) {
            took[i - WARM_UP] = after - before;
        }
        lt_arena_reset(&a);
    }
    qsort(took, rounds, sizeof(*took), by_value);
    printf("%-52s %9.2f %9.2f\n", j->name, (double)took[rounds / 2] / 1e3,
           (double)took[rounds - 1 - rounds / 100] / 1e3);
    free(took);
    lt_arena_done(&a);
}

static void nothing(struct job *j, struct lt_arena *a)
{
    (void)j;
    (void)a;
}

static void decode(struct job *j, struct lt_arena *a)
{
    struct x509_cert c;
    LT_ASSERT(!lt_failed(x509_cert_decode(j->der, a, &c)));
}

static void split_names(struct job *j, struct lt_arena *a)
{
    (void)a;
    for (size_t i = 0; i < j->cert.ext.san.count; i++) {
        struct lint_name n;
        lint_name_split(j->cert.ext.san.list[i].value, false, &n);
    }
}

static void lint(struct job *j, struct lt_arena *a)
{
    struct lint_results r;
    struct lint_input in = {.kind = LINT_CERTIFICATE, .der = j->der, .keys = j->keys, .issuer = j->issuer};
    LT_ASSERT(!lt_failed(lint_run(&in, a, &r)) && r.status != NULL);
}

static void verify(struct job *j, struct lt_arena *a)
{
    (void)a;
    LT_ASSERT(crypto_verify_any(&j->issuer->spki, j->cert.sig_alg_der, j->cert.tbs, j->cert.signature) ==
              CRYPTO_FITS);
}

static void check_key(struct job *j, struct lt_arena *a)
{
    (void)a;
    LT_ASSERT(!lt_failed(crypto_check_spki(&j->cert.spki)));
}

/* ---- what there is to judge ---- */

static struct lt_arena kept;

static struct job job(const char *name, lt_slice der)
{
    struct job j = {.name = name, .der = der};
    LT_ASSERT(!lt_failed(x509_cert_decode(der, &kept, &j.cert)));
    return j;
}

static lt_slice base(const char *name)
{
    struct forge f;
    forge_open(&f, name);
    lt_slice der = lt_arena_copy(&kept, forge_make(&f, false));
    forge_done(&f);
    return der;
}

/* The DV certificate with another subjectAltName, as DER text. */
static lt_slice with_names(const char *names)
{
    struct forge f;
    struct forge_edit e = FORGE_EXT("2.5.29.17", true, names);
    forge_open(&f, "dv");
    forge_edit(&f, &e);
    lt_slice der = lt_arena_copy(&kept, forge_make(&f, false));
    forge_done(&f);
    return der;
}

static lt_slice many_names(size_t count)
{
    struct lt_buf text;
    lt_buf_init(&text, 1 << 16);
    lt_buf_add_cstr(&text, "30{");
    for (size_t i = 0; i < count; i++) {
        lt_buf_addf(&text, "82{'%s%zu.example%zu.%s'}", i % 3 == 0 ? "*.host" : "www", i, i % 17,
                    i % 2 == 0 ? "com" : "co.uk");
    }
    lt_buf_add_cstr(&text, "}");
    lt_slice der = with_names(lt_buf_cstr(&text));
    lt_buf_done(&text);
    return der;
}

static void certificates(size_t rounds)
{
    struct x509_cert issuer;
    LT_ASSERT(!lt_failed(x509_cert_decode(base("sub"), &kept, &issuer)));
    printf("%-52s %9s %9s\n", "microseconds of the thread's CPU", "p50", "p99");
    struct job two = job("the clock itself", with_names("30{82{'example.com'} 82{'www.example.com'}}"));
    measure(&two, nothing, rounds);
    two.name = "DV, 2 names, ECDSA P-256: decode and all rules";
    measure(&two, lint, rounds);
    two.name = "  of which decode";
    measure(&two, decode, rounds);
    two.name = "  of which split the names";
    measure(&two, split_names, rounds);
    struct job j = job("", base("dv"));
    j.issuer = &issuer;
    j.name = "DV, ECDSA P-256, with its issuer";
    measure(&j, lint, rounds / 4);
    j.name = "  of which the issuer's signature alone";
    measure(&j, verify, rounds / 4);
    j.name = "  public-key arithmetic (point on its curve) alone";
    measure(&j, check_key, rounds / 4);
    struct job rsa = job("DV, RSA 2048, key cache cold", base("dvrsa"));
    rsa.fresh_keys = true;
    measure(&rsa, lint, rounds / 20);
    rsa.fresh_keys = false;
    rsa.name = "DV, RSA 2048, key cache warm";
    measure(&rsa, lint, rounds);
    lint_keys_free(rsa.keys);
    static const char *const others[][2] = {{"ov", "OV"},
                                            {"ev", "EV"},
                                            {"smmvs", "S/MIME, mailbox"},
                                            {"smsvs", "S/MIME, sponsored"},
                                            {"sub", "subordinate CA"},
                                            {"ocsp", "OCSP responder"},
                                            {"root", "root (verifies its own signature)"}};
    for (size_t i = 0; i < LT_COUNT(others); i++) {
        struct job o = job(others[i][1], base(others[i][0]));
        measure(&o, lint, i + 1 == LT_COUNT(others) ? rounds / 4 : rounds);
    }
    struct job many = job("DV, 137 names", many_names(MANY_NAMES));
    measure(&many, lint, rounds / 20);
    many.name = "  of which decode";
    measure(&many, decode, rounds / 20);
    many.name = "  of which split the names";
    measure(&many, split_names, rounds / 20);
}

/* ---- a large CRL ---- */

static void build_crl(struct lt_buf *ret_der)
{
    struct lt_buf tbs;
    struct forge f;
    struct x509_cert issuer;
    struct x509_crl_builder b;
    forge_open(&f, "sub");
    LT_ASSERT(!lt_failed(x509_cert_decode(forge_make(&f, false), &f.arena, &issuer)));
    lt_buf_init(&tbs, 64 << 20);
    lt_buf_init(ret_der, 64 << 20);
    struct x509_crl_spec spec = {.sig_alg = X509_SIG_ECDSA_SHA256,
                                 .issuer = issuer.subject.der,
                                 .aki = issuer.ext.ski,
                                 .this_update = lt_time_from_seconds(1780272000),
                                 .next_update = lt_time_from_seconds(1780272000 + 86400 * 7 - 1),
                                 .number = LT_LIT("\x07"),
                                 .idp_url = LT_LIT("http://crl.example.com/1.crl"),
                                 .only_user_certificates = true,
                                 .entries_hint = ENTRIES};
    x509_crl_begin(&b, &spec, &tbs);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint8_t serial[16] = {0x11};
        uint32_t mixed = i * UINT32_C(2654435761); /* in no order */
        memcpy(serial + 4, &mixed, sizeof(mixed));
        memcpy(serial + 10, &mixed, sizeof(mixed));
        x509_crl_add(&b, LT_SLICE(serial, sizeof(serial)), lt_time_from_seconds(1780000000),
                     i % 2 == 0 ? 4 : 1);
    }
    LT_ASSERT(!lt_failed(x509_crl_end(&b)));
    LT_ASSERT(!lt_failed(x509_assemble(lt_buf_slice(&tbs), X509_SIG_ECDSA_SHA256,
                                       LT_LIT("\x30\x06\x02\x01\x01\x02\x01\x01"), ret_der)));
    lt_buf_done(&tbs);
    forge_done(&f);
}

static void large_crl(void)
{
    struct lt_buf der;
    struct rusage before;
    struct rusage after;
    struct lt_arena a;
    struct lint_results r;
    build_crl(&der);
    LT_ASSERT(getrusage(RUSAGE_SELF, &before) == 0);
    lt_arena_init(&a, 50 << 20);
    int64_t start = thread_ns();
    struct lint_input in = {.kind = LINT_CRL, .der = lt_buf_slice(&der)};
    LT_ASSERT(!lt_failed(lint_run(&in, &a, &r)) && r.status != NULL);
    int64_t took = thread_ns() - start;
    LT_ASSERT(getrusage(RUSAGE_SELF, &after) == 0);
    printf("CRL of %d entries (%zu bytes): %.1f ms, %zu findings; arena %.2f MB, process %.1f MB at its most "
           "(of which %.1f MB before)\n",
           (int)ENTRIES, der.len, (double)took / 1e6, r.count, (double)a.used / 1e6,
           (double)after.ru_maxrss / 1e3, (double)before.ru_maxrss / 1e3);
    lt_arena_done(&a);
    lt_buf_done(&der);
}

/* ---- rules by cost ---- */

struct cost {
    const struct lint_rule *rule;
    double us;
    enum lint_status status;
};

static int by_cost(const void *a, const void *b)
{
    const struct cost *x = a;
    const struct cost *y = b;
    return x->us < y->us ? 1 : x->us > y->us ? -1 : 0;
}

static double cost_of(const struct lint_rule *rule, const struct lint_subject *s, enum lint_status status)
{
    int times = s->in->kind == LINT_CRL ? 2 : 2000;
    if ((s->facts & rule->when) != rule->when || (s->facts & rule->unless) != 0 || status == LINT_RESERVED) {
        return 0;
    }
    static struct lint_results out;
    out.count = LINT_FINDINGS_MAX; /* findings are dropped: it is the check that is timed */
    int64_t start = thread_ns();
    for (int i = 0; i < times; i++) {
        struct lint_report report = {.subject = s, .rule = rule, .results = &out, .status = LINT_PASS};
        if ((rule->applies == NULL || rule->applies(s)) && status != LINT_NA && status != LINT_NE) {
            rule->check(s, &report);
        }
    }
    return (double)(thread_ns() - start) / times / 1e3;
}

static void rules(const char *name)
{
    struct lt_arena a;
    struct lint_results r;
    struct lint_subject s;
    size_t n = lint_rule_count();
    struct cost *costs = calloc(n, sizeof(*costs));
    lt_arena_init(&a, 256 << 20);
    struct lint_input in = {.kind = LINT_CERTIFICATE, .keys = lint_keys_new(16)};
    struct lt_buf crl;
    lt_buf_init(&crl, 0);
    if (strcmp(name, "crl") == 0) {
        build_crl(&crl);
        in.kind = LINT_CRL;
        in.der = lt_buf_slice(&crl);
    } else {
        in.der = strcmp(name, "many") == 0 ? many_names(MANY_NAMES) : base(name);
    }
    LT_ASSERT(costs != NULL && !lt_failed(lint_run(&in, &a, &r)) &&
              !lt_failed(lint_subject_init(&s, &in, &a)));
    double all = 0;
    for (size_t i = 0; i < n; i++) {
        costs[i].rule = lint_rule_at(i);
        costs[i].status = (enum lint_status)r.status[i];
        costs[i].us = cost_of(costs[i].rule, &s, costs[i].status);
        all += costs[i].us;
    }
    qsort(costs, n, sizeof(*costs), by_cost);
    printf("%zu rules, %.2f us in their checks\n", n, all);
    for (size_t i = 0; i < n && i < 40; i++) {
        printf("%8.3f us  %-8s %s\n", costs[i].us, lint_status_name(costs[i].status), costs[i].rule->id);
    }
    lint_keys_free(in.keys);
    lt_buf_done(&crl);
    free(costs);
    lt_arena_done(&a);
}

/* ---- whole commands ---- */

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Runs it in a folder (NULL: here), with its output thrown away or not. CPU seconds of the child; negative
 * when it could not be run. */
static double command(char **argv, const char *folder, bool shown, double *ret_wall)
{
    struct rusage before;
    struct rusage after;
    double start = wall();
    LT_ASSERT(getrusage(RUSAGE_CHILDREN, &before) == 0);
    (void)fflush(stdout); /* or the child prints it again */
    pid_t pid = fork();
    LT_ASSERT(pid >= 0);
    if (pid == 0) {
        if ((folder != NULL && chdir(folder) != 0) || (!shown && freopen("/dev/null", "w", stdout) == NULL)) {
            _exit(126);
        }
        (void)execvp(argv[0], argv); /* the exit status says it */
        _exit(127);
    }
    int status = 0;
    LT_ASSERT(waitpid(pid, &status, 0) == pid);
    LT_ASSERT(getrusage(RUSAGE_CHILDREN, &after) == 0);
    *ret_wall = wall() - start;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
        printf("%s: status %d\n", argv[0], status);
        return -1;
    }
    return seconds(after.ru_utime) + seconds(after.ru_stime) - seconds(before.ru_utime) -
           seconds(before.ru_stime);
}

/* zlint ends at a file that it cannot parse; we have findings on these. */
static bool both_read(const char *name)
{
    static const char *const not_zlint[] = {"generalizedNoFraction.pem", "generalizedNoSeconds.pem",
                                            "generalizedTimeNoSeconds.pem", "subCAWNoURL.pem",
                                            "subCAcrlDistNoURL.pem"};
    bool both = lt_slice_ends(lt_slice_cstr(name), LT_LIT(".pem"));
    for (size_t i = 0; i < LT_COUNT(not_zlint); i++) {
        both = both && strcmp(name, not_zlint[i]) != 0;
    }
    return both;
}

static size_t folder_files(const char *below, char **ret_list, size_t count)
{
    DIR *dir = opendir(forge_path(&kept, below));
    LT_ASSERT(dir != NULL);
    for (struct dirent *e = readdir(dir); e != NULL && count < FILES; e = readdir(dir)) {
        if (both_read(e->d_name)) {
            ret_list[count++] = lt_arena_printf(&kept, "%s/%s", forge_path(&kept, below), e->d_name);
        }
    }
    (void)closedir(dir); /* only read */
    return count;
}

/* Files that both read, all of the corpus, and again from the start up to 2,000. */
static void files(char **ret_list)
{
    static const char *const folders[] = {"real/chains", "probes/base",        "zlint",
                                          "zlint/smime", "zlint/code_signing", "real/roots"};
    size_t count = 0;
    for (size_t i = 0; i < LT_COUNT(folders); i++) {
        count = folder_files(folders[i], ret_list, count);
    }
    LT_ASSERT(count > 1000);
    for (size_t i = count; i < FILES; i++) {
        ret_list[i] = ret_list[i - count];
    }
}

static char *word(const char *s)
{
    return lt_arena_cstr(&kept, lt_slice_cstr(s));
}

/* A small program of its own, inside zlint's module. */
static void inside(const char *source)
{
    char *argv[] = {word("go"), word("run"), word(ZLINT_GO), word(forge_path(&kept, "probes/base")), NULL};
    double took = 0;
    printf("zlint inside one process, microseconds:\n");
    if (command(argv, source, true, &took) < 0) {
        printf("skipped: no go, or %s is not the source of zlint v3\n", source);
    }
}

static void beside(const char *zlint, const char *lintel)
{
    static char *theirs[FILES + 8];
    static char *ours[FILES + 8];
    double took[2] = {0, 0};
    double cpu[2] = {0, 0};
    theirs[0] = word(zlint);
    ours[0] = word(lintel);
    ours[1] = word("lint");
    ours[2] = word("--format");
    ours[3] = word("zlint");
    for (size_t count = 1; count <= FILES; count = count == 1 ? FILES : FILES + 1) {
        files(theirs + 1);
        memcpy(ours + 4, theirs + 1, FILES * sizeof(ours[0]));
        theirs[1 + count] = NULL;
        ours[4 + count] = NULL;
        for (int turn = 0; turn < 6; turn++) { /* A B A B A B: the machine drifts; the best counts */
            double w = 0;
            bool them = turn % 2 == 1;
            double c = command(them ? theirs : ours, NULL, false, &w);
            took[them] = turn < 2 || w < took[them] ? w : took[them];
            cpu[them] = turn < 2 || c < cpu[them] ? c : cpu[them];
        }
        printf("%zu files, whole command, ms: lintel %.1f (CPU %.1f), zlint %.1f (CPU %.1f): %.1f x in time, "
               "%.1f x in CPU\n",
               count, took[0] * 1e3, cpu[0] * 1e3, took[1] * 1e3, cpu[1] * 1e3, took[1] / took[0],
               cpu[1] / cpu[0]);
    }
}

int main(int argc, char **argv)
{
    const char *zlint = NULL;
    const char *lintel = "lintel";
    const char *source = NULL;
    size_t rounds = ROUNDS;
    lt_arena_init(&kept, 256 << 20);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rules") == 0) {
            rules(i + 1 < argc ? argv[i + 1] : "dv");
            return 0;
        }
        if (i + 1 < argc && strcmp(argv[i], "--zlint") == 0) {
            zlint = argv[++i];
        } else if (i + 1 < argc && strcmp(argv[i], "--lintel") == 0) {
            lintel = argv[++i];
        } else if (i + 1 < argc && strcmp(argv[i], "--zlint-source") == 0) {
            source = argv[++i];
        } else {
            rounds = strtoul(argv[i], NULL, 10);
        }
    }
    certificates(rounds);
    large_crl();
    if (zlint != NULL) {
        beside(zlint, lintel);
    }
    if (source != NULL) {
        inside(source);
    }
    lt_arena_done(&kept);
    return 0;
}
