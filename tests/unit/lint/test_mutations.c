/* Every fixture of the corpus with one change after the other, each judged by all rules: it ends, and what it
 * points to lies in the input. Run it with sanitizers. The seed is fixed: a failure comes again. */
#include "forge.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../../fuzz/mutate.h"

enum { ROOM = 1 << 20, PATH_LEN = 512, FILES_MAX = 4096, ROUNDS = 30, CHANGES = 3 };

static char files[FILES_MAX][PATH_LEN];
static size_t file_count;

static void walk(const char *below)
{
    struct lt_arena a;
    lt_arena_init(&a, 1 << 16);
    DIR *dir = opendir(forge_path(&a, below));
    if (dir == NULL) {
        fail_msg("%s: the fixtures are missing; set LINTEL_CORPUS", below);
        return;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char name[PATH_LEN];
        struct stat st;
        if (e->d_name[0] == '.' || strstr(e->d_name, ".gz") != NULL || strstr(e->d_name, ".tsv") != NULL) {
            continue;
        }
        lt_arena_reset(&a);
        (void)snprintf(name, sizeof(name), "%.250s/%.250s", below, e->d_name);
        assert_int_equal(stat(forge_path(&a, name), &st), 0);
        if (S_ISDIR(st.st_mode)) {
            walk(name);
        } else {
            assert_true(file_count < FILES_MAX);
            (void)snprintf(files[file_count++], PATH_LEN, "%s", name);
        }
    }
    (void)closedir(dir); /* only read */
    lt_arena_done(&a);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void judge(lt_slice der, enum lint_kind kind, uint64_t round)
{
    struct lt_arena a;
    struct x509_cert itself;
    struct lint_results r;
    lt_arena_init(&a, 16 << 20);
    struct lint_input in = {.kind = kind,
                            .der = der,
                            .role = (enum lint_role)(round % LINT_ROLE_COUNT),
                            .profile = (enum lint_profile)(round % LINT_PROFILE_COUNT)};
    if (kind == LINT_CERTIFICATE && round % 3 == 0 && !lt_failed(x509_cert_decode(der, &a, &itself))) {
        in.issuer = &itself;
        in.precertificate = &itself;
    }
    if (!lt_failed(lint_run(&in, &a, &r))) { /* no room is no finding */
        for (size_t i = 0; i < r.count; i++) {
            assert_true(r.list[i].offset <= der.len && r.list[i].len <= der.len - r.list[i].offset);
        }
    }
    lt_arena_done(&a);
}

static void every_fixture_changed(void **unused)
{
    (void)unused;
    uint8_t *room = malloc(ROOM);
    size_t judged = 0;
    assert_non_null(room);
    walk("zlint");
    walk("pkilint");
    walk("probes");
    walk("real");
    qsort(files, file_count, PATH_LEN, by_text);
    for (size_t i = 0; i < file_count; i++) {
        struct lt_arena a;
        char label[32];
        lt_arena_init(&a, 16 << 20);
        lt_slice der = forge_load(&a, files[i], label);
        enum lint_kind kind = strstr(label, "CRL") != NULL                        ? LINT_CRL
                              : strstr(files[i], "ocsp") == NULL || label[0] != 0 ? LINT_CERTIFICATE
                                                                                  : LINT_OCSP;
        assert_true(der.len < ROOM / 2);
        for (uint64_t round = 0; round < ROUNDS; round++) {
            size_t len = der.len;
            memcpy(room, der.ptr, len);
            for (uint64_t change = 0; change <= round % CHANGES; change++) {
                len = der_mutate(room, len, ROOM, i * 1000003 + round * 101 + change);
            }
            uint8_t *exact = malloc(len + 1); /* what is read behind its end is seen */
            assert_non_null(exact);
            memcpy(exact, room, len);
            judge(LT_SLICE(exact, len), round == ROUNDS - 1 ? LINT_CSR : kind, round + i);
            free(exact);
            judged++;
        }
        lt_arena_done(&a);
    }
    free(room);
    print_message("%zu changed objects of %zu files\n", judged, file_count);
    assert_true(judged > 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_fixture_changed)};
    return cmocka_run_group_tests_name("lint/mutations", tests, NULL, NULL);
}
