/* Whole files: caps, missing files, replacement that leaves no half. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int make_folder(char *template)
{
    assert_non_null(mkdtemp(template));
    int fd = open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void replaces_and_reads(void **state)
{
    (void)state;
    char folder[] = "/tmp/lintel-file-XXXXXX";
    LT_CLEANUP(lt_fd_closep) int dir = make_folder(folder);
    struct lt_arena a;
    lt_arena_init(&a, 10000);
    assert_ok(lt_file_replace(dir, "one", 0640, LT_LIT("first")));
    assert_ok(lt_file_replace(dir, "one", 0600, LT_LIT("second")));
    lt_slice bytes;
    assert_ok(lt_file_read(&a, dir, "one", 6, &bytes));
    assert_slice(bytes, "second");
    struct stat st;
    assert_int_equal(fstatat(dir, "one", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(fstatat(dir, "one.new", &st, 0), -1);
    assert_fails(lt_file_read(&a, dir, "one", 5, &bytes), LT_PEER_TOO_LARGE);
    assert_fails(lt_file_read(&a, dir, "two", 5, &bytes), LT_PEER_NOT_FOUND);
    assert_fails(lt_file_read(&a, dir, ".", 5000, &bytes), LT_PEER_USAGE);
    assert_int_equal(mkdirat(dir, "sub", 0700), 0);
    assert_ok(lt_file_replace(dir, "sub/three", 0600, LT_LIT("")));
    assert_ok(lt_file_read(&a, dir, "sub/three", 0, &bytes));
    assert_fails(lt_file_replace(dir, "none/four", 0600, LT_LIT("x")), LT_STATE_IO);
    assert_int_equal(
        unlinkat(dir, "sub/three", 0) | unlinkat(dir, "sub", AT_REMOVEDIR) | unlinkat(dir, "one", 0), 0);
    assert_int_equal(rmdir(folder), 0);
    lt_arena_done(&a);
}

static void refuses_a_planted_link(void **state)
{
    (void)state;
    char folder[] = "/tmp/lintel-file-XXXXXX";
    LT_CLEANUP(lt_fd_closep) int dir = make_folder(folder);
    assert_int_equal(symlinkat("/etc/hostname", dir, "one.new"), 0);
    assert_fails(lt_file_replace(dir, "one", 0600, LT_LIT("x")), LT_STATE_IO);
    assert_int_equal(unlinkat(dir, "one.new", 0), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_and_reads),
        cmocka_unit_test(refuses_a_planted_link),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
