/* Every certificate and CRL of the shared fixtures, read by OpenSSL and by us. Where the two disagree, the
 * file stands in differences.tsv with what we say and why; a disagreement that is not listed fails, and so
 * does a row that is no longer true. OpenSSL accepts when it reads all the bytes and every extension that it
 * has a decoder for.
 *
 * The fixtures: LINTEL_CORPUS, or ../shared/corpus beside the source. Missing, the test fails. */
#include "check.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/buf.h"
#include "x509/cert.h"
#include "x509/crl.h"

enum { FILES_MAX = 4096, PATH_LEN = 512, ROWS_MAX = 1024, DER_MAX = 1 << 20 };

static char corpus[PATH_LEN];
static char files[FILES_MAX][PATH_LEN]; /* relative to lint/ */
static size_t file_count;

struct row {
    lt_slice file;
    lt_slice who;
    lt_slice why;
    lt_slice explanation;
    bool seen;
};
static struct row rows[ROWS_MAX];
static size_t row_count;
static char *table;

/* ---- the fixtures ---- */

static void walk(const char *below)
{
    char path[2 * PATH_LEN];
    (void)snprintf(path, sizeof(path), "%s/lint/%s", corpus, below);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        fail_msg("%s: the fixtures are missing; set LINTEL_CORPUS", path);
        return;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char name[2 * PATH_LEN];
        struct stat st;
        if (e->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.400s%s%.100s", below, below[0] == 0 ? "" : "/", e->d_name);
        (void)snprintf(path, sizeof(path), "%.400s/lint/%.500s", corpus, name);
        assert_int_equal(stat(path, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            walk(name);
        } else {
            assert_true(file_count < FILES_MAX);
            (void)snprintf(files[file_count++], PATH_LEN, "%.500s", name);
        }
    }
    (void)closedir(dir); /* only read */
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("%s cannot be read", path);
        return NULL;
    }
    char *text = malloc(DER_MAX + 1);
    assert_non_null(text);
    *ret_len = fread(text, 1, DER_MAX, f);
    assert_true(*ret_len < DER_MAX);
    text[*ret_len] = 0;
    (void)fclose(f); /* only read */
    return text;
}

static void read_table(void)
{
    size_t len = 0;
    lt_slice line = {0};
    table = read_file(DIFFERENCES, &len);
    lt_slice rest = LT_SLICE(table, len);
    while (rest.len > 0 && lt_slice_split(&rest, '\n', &line)) {
        struct row r = {.seen = false};
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        bool whole = lt_slice_split(&line, '\t', &r.file) && lt_slice_split(&line, '\t', &r.who) &&
                     lt_slice_split(&line, '\t', &r.why) && lt_slice_split(&line, '\t', &r.explanation);
        assert_true(whole && r.explanation.len > 20 && row_count < ROWS_MAX);
        rows[row_count++] = r;
    }
}

static int set_up(void **unused)
{
    (void)unused;
    const char *given = getenv("LINTEL_CORPUS");
    (void)snprintf(corpus, sizeof(corpus), "%s", given != NULL ? given : CORPUS);
    walk("");
    qsort(files, file_count, PATH_LEN, by_text);
    read_table();
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    free(table);
    return 0;
}

/* ---- two readings ---- */

static bool decodes(X509_EXTENSION *e)
{
    const X509V3_EXT_METHOD *m = X509V3_EXT_get(e);
    void *value = m == NULL ? NULL : X509V3_EXT_d2i(e);
    if (value != NULL && m->it != NULL) {
        ASN1_item_free(value, ASN1_ITEM_ptr(m->it));
    } else if (value != NULL) {
        m->ext_free(value);
    }
    return m == NULL || value != NULL;
}

static bool openssl_cert(lt_slice der)
{
    const uint8_t *p = der.ptr;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    bool good = x != NULL && p == der.ptr + der.len;
    for (int i = 0; good && i < X509_get_ext_count(x); i++) {
        good = decodes(X509_get_ext(x, i));
    }
    X509_free(x);
    return good;
}

static bool openssl_crl(lt_slice der)
{
    const uint8_t *p = der.ptr;
    X509_CRL *x = d2i_X509_CRL(NULL, &p, (long)der.len);
    bool good = x != NULL && p == der.ptr + der.len;
    for (int i = 0; good && i < X509_CRL_get_ext_count(x); i++) {
        good = decodes(X509_CRL_get_ext(x, i));
    }
    X509_CRL_free(x);
    return good;
}

static bool our_cert(lt_slice der)
{
    struct lt_arena a;
    struct x509_cert c;
    lt_arena_init(&a, 1 << 22);
    bool good = !lt_failed(x509_cert_parse(der, &a, &c));
    lt_arena_done(&a);
    return good;
}

static bool our_crl(lt_slice der)
{
    struct lt_arena a;
    struct x509_crl c;
    lt_arena_init(&a, 1 << 22);
    bool good = !lt_failed(x509_crl_parse(der, &a, &c));
    lt_arena_done(&a);
    return good;
}

/* ---- the comparison ---- */

static size_t compared;
static size_t unlisted;
static size_t unreadable; /* OpenSSL reads it, and even our reader for linters does not */

/* Nothing is left of the certificate or CRL for a linter to look at. */
static bool our_linter_reads(bool cert, lt_slice der)
{
    struct lt_arena a;
    struct x509_cert c;
    struct x509_crl l;
    lt_arena_init(&a, 1 << 22);
    lt_res r = cert ? x509_cert_decode(der, &a, &c) : x509_crl_decode(der, &a, &l);
    lt_arena_done(&a);
    return !lt_failed(r);
}

/* What we say, without the place. */
static lt_slice our_words(void)
{
    const char *detail = lt_error_last()->detail;
    const char *at = strstr(detail, " at byte ");
    return LT_SLICE(detail, at == NULL ? strlen(detail) : (size_t)(at - detail));
}

static void disagreement(const char *file, bool ours)
{
    lt_slice why = ours ? LT_LIT("") : our_words();
    const char *who = ours ? "lintel" : "openssl";
    for (size_t i = 0; i < row_count; i++) {
        struct row *r = &rows[i];
        if (lt_slice_eq_cstr(r->file, file) && lt_slice_eq_cstr(r->who, who) && lt_slice_eq(r->why, why)) {
            r->seen = true;
            return;
        }
    }
    print_error("not listed: %s\t%s\t%.*s\n", file, who, LT_FMT(why));
    unlisted++;
}

static void compare(const char *file, const char *label, lt_slice der)
{
    bool cert = strcmp(label, "CERTIFICATE") == 0;
    if (!cert && strcmp(label, "X509 CRL") != 0) {
        return;
    }
    bool theirs = cert ? openssl_cert(der) : openssl_crl(der);
    bool ours = cert ? our_cert(der) : our_crl(der);
    compared++;
    if (theirs != ours) {
        disagreement(file, ours);
    }
    if (theirs && !our_linter_reads(cert, der)) {
        print_message("unreadable: %s: %s\n", file, lt_error_last()->detail);
        unreadable++;
    }
}

/* The PEM is taken apart by OpenSSL for both: it is DER that is compared. */
static void compare_file(const char *file)
{
    char path[2 * PATH_LEN];
    char *label = NULL;
    char *header = NULL;
    uint8_t *der = NULL;
    long len = 0;
    (void)snprintf(path, sizeof(path), "%s/lint/%s", corpus, file);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    while (PEM_read(f, &label, &header, &der, &len) == 1) {
        compare(file, label, LT_SLICE(der, (size_t)len));
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    (void)fclose(f); /* only read */
}

static void every_disagreement_is_listed(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < file_count; i++) {
        compare_file(files[i]);
    }
    print_message("%zu certificates and CRLs, %zu listed differences\n", compared, row_count);
    assert_true(compared > 1900); /* the fixtures are all there */
    assert_int_equal(unlisted, 0);
    assert_in_range(unreadable, 0, 8); /* times without seconds or with an offset have no value */
}

static void every_row_is_true(void **unused)
{
    (void)unused;
    size_t stale = 0;
    for (size_t i = 0; i < row_count; i++) {
        if (!rows[i].seen) {
            print_error("stale: %.*s\n", LT_FMT(rows[i].file));
            stale++;
        }
    }
    assert_int_equal(stale, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_disagreement_is_listed),
        cmocka_unit_test(every_row_is_true),
    };
    return cmocka_run_group_tests_name("x509/corpus", tests, set_up, tear_down);
}
