/* The manifest of a backup: written and read again, and everything that is not one. */
#include "check.h"

#include "cmd/manifest.h"
#include "crypto/digest.h"

static struct lt_arena arena;
static struct lt_buf text;

static int setup(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 24);
    lt_buf_init(&text, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    lt_buf_done(&text);
    return 0;
}

static void write_one(size_t files)
{
    static struct manifest_file list[3];
    static const char *const paths[] = {"lintel.yaml", "book/lintel.db", "evidence/000001.seg"};
    struct manifest m = {.made = {INT64_C(1795341600000000)},
                         .build = "0.1+abc",
                         .schema = 12,
                         .acknowledged = 41,
                         .journal_last = 42,
                         .files = list,
                         .file_count = files};
    memset(m.journal_head, 0xab, sizeof m.journal_head);
    for (size_t i = 0; i < files; i++) {
        list[i] = (struct manifest_file){.path = paths[i], .bytes = i * 100};
        memset(list[i].sha256, (int)i + 1, sizeof list[i].sha256);
    }
    lt_buf_reset(&text);
    assert_ok(manifest_write(&m, &text));
}

static void there_and_back(void **state)
{
    (void)state;
    struct manifest m;
    write_one(3);
    assert_ok(manifest_read(lt_buf_slice(&text), &arena, &m));
    assert_int_equal(m.made.us, INT64_C(1795341600000000));
    assert_string_equal(m.build, "0.1+abc");
    assert_int_equal(m.schema, 12);
    assert_int_equal(m.acknowledged, 41);
    assert_int_equal(m.journal_last, 42);
    assert_int_equal(m.journal_head[31], 0xab);
    assert_false(m.keys);
    assert_false(m.postgresql);
    assert_int_equal(m.file_count, 3);
    assert_string_equal(m.files[0].path, "book/lintel.db");
    assert_int_equal(manifest_find(&m, "evidence/000001.seg")->bytes, 200);
    assert_int_equal(manifest_find(&m, "lintel.yaml")->sha256[0], 1);
    assert_null(manifest_find(&m, "evidence/000002.seg"));
    struct lt_buf again;
    lt_buf_init(&again, 1 << 20);
    assert_ok(manifest_write(&m, &again));
    assert_true(lt_slice_eq(lt_buf_slice(&again), lt_buf_slice(&text)));
    lt_buf_done(&again);
    write_one(0);
    assert_ok(manifest_read(lt_buf_slice(&text), &arena, &m));
    assert_int_equal(m.file_count, 0);
    assert_null(manifest_find(&m, "a"));
}

/* Any byte that is changed, and any that is missing. */
static void what_was_changed(void **state)
{
    (void)state;
    struct manifest m;
    write_one(3);
    for (size_t i = 0; i < text.len; i++) {
        text.ptr[i] ^= 1;
        assert_true(lt_failed(manifest_read(lt_buf_slice(&text), &arena, &m)));
        text.ptr[i] ^= 1;
    }
    for (size_t len = 0; len < text.len; len++) {
        assert_true(lt_failed(manifest_read(LT_SLICE(text.ptr, len), &arena, &m)));
    }
    lt_buf_add_cstr(&text, "more=1\n");
    assert_true(lt_failed(manifest_read(lt_buf_slice(&text), &arena, &m)));
}

/* With a hash that fits: what a stranger would hand in. */
static lt_res read_signed(const char *body)
{
    struct manifest m;
    uint8_t hash[MANIFEST_HASH_LEN];
    struct lt_buf b;
    lt_buf_init(&b, 1 << 20);
    lt_buf_add_cstr(&b, body);
    crypto_sha256(lt_buf_slice(&b), hash);
    lt_buf_add_cstr(&b, "end=");
    for (size_t i = 0; i < sizeof hash; i++) {
        lt_buf_addf(&b, "%02x", hash[i]);
    }
    lt_buf_add_cstr(&b, "\n");
    lt_res r = manifest_read(lt_buf_slice(&b), &arena, &m);
    lt_buf_done(&b);
    return r;
}

#define HASH "abababababababababababababababababababababababababababababababab"
#define TOP "lintel-backup-v1\nmade=2026-11-22T10:00:00Z\nbuild=x\n"
#define MIDDLE "store=sqlite\nschema=12\nacknowledged=1\njournal-last=1\njournal-head=" HASH "\nkeys=no\n"

static void what_is_none(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "lintel-backup-v2\n" MIDDLE,
        "lintel-backup-v1\n" MIDDLE,
        "lintel-backup-v1\nmade=2026-11-22\nbuild=x\n" MIDDLE,
        "lintel-backup-v1\nmade=2026-11-22T11:00:00+01:00\nbuild=x\n" MIDDLE,
        "lintel-backup-v1\nbuild=x\nmade=2026-11-22T10:00:00Z\n" MIDDLE,
        TOP "store=mysql\nschema=12\nacknowledged=1\njournal-last=1\njournal-head=" HASH "\nkeys=no\n",
        TOP "store=sqlite\nschema=-1\nacknowledged=1\njournal-last=1\njournal-head=" HASH "\nkeys=no\n",
        TOP "store=sqlite\nschema=12\nacknowledged=01\njournal-last=1\njournal-head=" HASH "\nkeys=no\n",
        TOP "store=sqlite\nschema=12\nacknowledged=1\njournal-last=1\njournal-head=abab\nkeys=no\n",
        TOP "store=sqlite\nschema=12\nacknowledged=1\njournal-last=1\njournal-head=" HASH "\nkeys=maybe\n",
        TOP MIDDLE "file=" HASH " 1\n",
        TOP MIDDLE "file=" HASH " x a\n",
        TOP MIDDLE "file=abc 1 a\n",
        TOP MIDDLE "file=ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB 1 a\n",
        TOP MIDDLE "file=" HASH " 1 ../a\n",
        TOP MIDDLE "file=" HASH " 1 /a\n",
        TOP MIDDLE "file=" HASH " 1 a//b\n",
        TOP MIDDLE "file=" HASH " 1 a/../b\n",
        TOP MIDDLE "file=" HASH " 1 a/.b\n",
        TOP MIDDLE "file=" HASH " 1 a b\n",
        TOP MIDDLE "file=" HASH " 1 a/\n",
        TOP MIDDLE "file=" HASH " 1 b\nfile=" HASH " 1 a\n",
        TOP MIDDLE "file=" HASH " 1 a\nfile=" HASH " 1 a\n",
        TOP MIDDLE "other=1\n",
    };
    assert_ok(read_signed(TOP MIDDLE "file=" HASH " 1 a\nfile=" HASH " 0 a/b-c_d+e@f.g\n"));
    assert_ok(read_signed(TOP MIDDLE));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = read_signed(rows[i]);
        if (!lt_failed(r)) {
            print_error("row %zu was taken\n", i);
        }
        assert_true(lt_failed(r));
    }
}

static void what_is_not_written(void **state)
{
    (void)state;
    struct manifest_file twice[2] = {{.path = "a"}, {.path = "a"}};
    struct manifest m = {.made = {1}, .build = "x", .files = twice, .file_count = 2};
    assert_fails(manifest_write(&m, &text), LT_PEER_MALFORMED);
    twice[1].path = "../a";
    assert_fails(manifest_write(&m, &text), LT_PEER_MALFORMED);
    m.file_count = 1;
    m.build = "x\nkeys=yes";
    assert_fails(manifest_write(&m, &text), LT_PEER_MALFORMED);
}

int main(void)
{
    crypto_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_written, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
