/* The marks of a drill, from both sides: nothing of a drill is taken for a CA's, nothing of a CA for a
 * drill's. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/scratch.h"
#include "ca/scratch_book.h"
#include "check.h"
#include "signer/key_mark.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define OTHER "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"

static char folder[] = "/tmp/lintel-scratch-XXXXXX";
static int dir = -1;

static int set_up(void **state)
{
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir >= 0 && mkdirat(dir, "ca", 0755) == 0 && mkdirat(dir, "drill", 0755) == 0 &&
                   mkdirat(dir, "keys", 0755) == 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    static const char *const files[] = {CA_SCRATCH_MARK,  "ca/root.pem", CA_SCRATCH_CLOCK, "keys/tls.key",
                                        "keys/audit.key", "lintel.db",   "lintel.db-wal",  "lintel.db-shm"};
    static const char *const folders[] = {"ca", "drill", "keys"};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        (void)unlinkat(dir, files[i], 0); /* what a test did not make is not there */
    }
    for (size_t i = 0; i < LT_COUNT(folders); i++) {
        (void)unlinkat(dir, folders[i], AT_REMOVEDIR);
    }
    (void)close(dir);
    return rmdir(folder);
}

static void put(const char *path, const char *text)
{
    assert_ok(lt_file_replace(dir, path, 0644, lt_slice_cstr(text)));
}

static void put_mark(const char *root)
{
    struct lt_buf mark;
    lt_buf_init(&mark, 4096);
    ca_scratch_mark(lt_slice_cstr(root), &mark);
    assert_ok(lt_buf_check(&mark));
    assert_ok(lt_file_replace(dir, CA_SCRATCH_MARK, 0644, lt_buf_slice(&mark)));
    lt_buf_done(&mark);
}

static void folder_of_a_drill(void **state)
{
    bool marked = false;
    (void)state;
    put("ca/root.pem", PEM);
    put_mark(PEM);
    assert_ok(ca_scratch_marked(dir, &marked));
    assert_true(marked);
    assert_ok(ca_scratch_check(dir, true));
    assert_fails(ca_scratch_check(dir, false), LT_POLICY_REFUSED);
}

static void folder_of_a_ca(void **state)
{
    (void)state;
    put("ca/root.pem", PEM);
    assert_ok(ca_scratch_check(dir, false));
    assert_fails(ca_scratch_check(dir, true), LT_POLICY_REFUSED);
}

static void mark_of_another(void **state)
{
    (void)state;
    put("ca/root.pem", PEM);
    put_mark(OTHER);
    assert_fails(ca_scratch_check(dir, true), LT_POLICY_REFUSED);
    assert_fails(ca_scratch_check(dir, false), LT_POLICY_REFUSED);
    put(CA_SCRATCH_MARK, PEM); /* the root is public: a copy of it marks nothing */
    assert_fails(ca_scratch_check(dir, true), LT_POLICY_REFUSED);
    put(CA_SCRATCH_MARK, "");
    assert_fails(ca_scratch_check(dir, true), LT_POLICY_REFUSED);
}

static void clock_only_where_marked(void **state)
{
    int64_t ahead_us = 1;
    (void)state;
    put("ca/root.pem", PEM);
    put(CA_SCRATCH_CLOCK, "86400000000\n");
    assert_ok(ca_scratch_ahead(dir, &ahead_us));
    assert_int_equal(ahead_us, 0);
    put_mark(PEM);
    assert_ok(ca_scratch_ahead(dir, &ahead_us));
    assert_int_equal(ahead_us, INT64_C(86400000000));
    put(CA_SCRATCH_CLOCK, "-5\n");
    assert_fails(ca_scratch_ahead(dir, &ahead_us), LT_PEER_MALFORMED);
    put(CA_SCRATCH_CLOCK, "99999999999999999999\n");
    assert_true(lt_failed(ca_scratch_ahead(dir, &ahead_us)));
}

static void keys(void **state)
{
    (void)state;
    Ipc__IssuerKey key = IPC__ISSUER_KEY__INIT;
    static char name[] = "tls";
    static char file[] = "keys/tls.key";
    static char token[] = "pkcs11:token=x";
    Ipc__IssuerKey *list[] = {&key};
    key.issuer = name;
    key.key_file = file;
    put("keys/tls.key", SIGNER_KEY_MARK KEY);
    put("keys/audit.key", SIGNER_KEY_MARK KEY);
    assert_ok(signer_keys_mark_check(folder, list, 1, true));
    assert_fails(signer_keys_mark_check(folder, list, 1, false), LT_POLICY_REFUSED);
    put("keys/audit.key", KEY); /* one of each: neither takes it */
    assert_fails(signer_keys_mark_check(folder, list, 1, true), LT_POLICY_REFUSED);
    assert_fails(signer_keys_mark_check(folder, list, 1, false), LT_POLICY_REFUSED);
    put("keys/tls.key", KEY);
    assert_ok(signer_keys_mark_check(folder, list, 1, false));
    assert_fails(signer_keys_mark_check(folder, list, 1, true), LT_POLICY_REFUSED);
    key.pkcs11_uri = token;
    put("keys/audit.key", SIGNER_KEY_MARK KEY);
    assert_fails(signer_keys_mark_check(folder, list, 1, true), LT_POLICY_REFUSED);
}

static const struct store_sql add_root = {
    "test.root",
    "INSERT INTO issuer (id, name, parent, subject_sha256, spki_sha256, certificate, not_before_us, "
    "not_after_us, offline) VALUES (1, 'root', NULL, ?1, ?1, ?1, 0, 0, 1)"};
static const struct store_sql other_root = {"test.other", "UPDATE issuer SET spki_sha256 = ?1"};

static void book(void **state)
{
    char path[128];
    struct store *s = NULL;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/lintel.db", folder);
    const struct store_options o = {.path = path, .create = true};
    assert_ok(store_open(&o, &s));
    assert_ok(store_migrate(s));
    assert_ok(ca_scratch_book_check(s, false));
    assert_fails(ca_scratch_book_check(s, true), LT_POLICY_REFUSED);
    assert_fails(ca_scratch_book_mark(s), LT_STATE_CORRUPT); /* nothing to bind it to */
    assert_ok(
        store_exec(s, &add_root, STORE_ARGS(STORE_B(LT_LIT("0123456789abcdef0123456789abcdef"))), NULL));
    assert_ok(ca_scratch_book_mark(s));
    assert_ok(ca_scratch_book_check(s, true));
    assert_fails(ca_scratch_book_check(s, false), LT_POLICY_REFUSED);
    assert_fails(ca_scratch_book_mark(s), LT_PEER_CONFLICT);
    assert_ok(
        store_exec(s, &other_root, STORE_ARGS(STORE_B(LT_LIT("fedcba9876543210fedcba9876543210"))), NULL));
    assert_fails(ca_scratch_book_check(s, true), LT_POLICY_REFUSED);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folder_of_a_drill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_of_a_ca, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mark_of_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clock_only_where_marked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(book, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}
