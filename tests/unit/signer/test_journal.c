/* The journal: what was let go is never forgotten, and no serial gets two signatures, whatever the disk does.
 */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "signer/journal_impl.h"

enum { KIND = 1 };

/* Most tests want to see where the frames end; the torture runs with room made ahead, too. */
static uint32_t grow = JOURNAL_GROW_NONE;

static lt_res open_on(struct disk *d, const char *mirror, struct journal **ret_journal)
{
    struct journal_options o = {
        .io = &d->io, .folder = "main", .mirror = mirror, .now = {1000}, .grow = grow};
    memset(o.id, 7, sizeof o.id);
    return journal_open(&o, ret_journal);
}

static struct journal *must_open(struct disk *d, const char *mirror)
{
    struct journal *j = NULL;
    assert_ok(open_on(d, mirror, &j));
    return j;
}

/* A record for serial n; the signature says which attempt it was. */
struct made {
    uint8_t serial[8];
    uint8_t signature[24];
    struct journal_entry entry;
};

static void make(struct made *m, uint64_t serial, uint64_t attempt)
{
    *m = (struct made){0};
    for (size_t i = 0; i < 8; i++) {
        m->serial[i] = (uint8_t)(serial >> (56 - 8 * i));
    }
    memset(m->signature, 0x5a, sizeof m->signature);
    memcpy(m->signature, &attempt, sizeof attempt);
    m->entry = (struct journal_entry){.what = JOURNAL_SIGNATURE,
                                      .kind = KIND,
                                      .issuer = LT_LIT("tls"),
                                      .serial = LT_SLICE(m->serial, 8),
                                      .signature = LT_SLICE(m->signature, sizeof m->signature),
                                      .time_us = 2000};
    memset(m->entry.digest, (int)(serial & 0xff), JOURNAL_HASH_LEN);
}

static lt_res append(struct journal *j, uint64_t serial, uint64_t attempt)
{
    struct made m;
    make(&m, serial, attempt);
    return journal_append(j, &m.entry);
}

/* The attempt whose signature the journal has for that serial; 0 for none. */
static uint64_t attempt_of(struct journal *j, uint64_t serial)
{
    struct made m;
    make(&m, serial, 0);
    struct lt_arena a;
    lt_arena_init(&a, 65536);
    struct journal_entry e;
    lt_res r = journal_find(j, &m.entry, &a, &e);
    uint64_t attempt = 0;
    if (!lt_failed(r)) {
        assert_int_equal(e.signature.len, sizeof m.signature);
        assert_memory_equal(e.digest, m.entry.digest, JOURNAL_HASH_LEN);
        memcpy(&attempt, e.signature.ptr, sizeof attempt);
    } else {
        assert_fails(r, LT_PEER_NOT_FOUND);
    }
    lt_arena_done(&a);
    return attempt;
}

static void finds_what_was_appended(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 1);
    struct journal *j = must_open(&d, NULL);
    assert_int_equal(journal_last(j), 0);
    assert_int_equal(journal_first(j), 1);
    for (uint64_t i = 1; i <= 3000; i++) {
        assert_ok(append(j, i, i * 10));
        assert_int_equal(attempt_of(j, i), i * 10); /* before the sync, too */
        if (i % 7 == 0) {
            assert_ok(journal_sync(j));
            assert_int_equal(journal_synced(j), i);
        }
    }
    assert_ok(journal_sync(j));
    uint8_t head[JOURNAL_HASH_LEN];
    memcpy(head, journal_head(j), sizeof head);
    journal_close(j);
    j = must_open(&d, NULL);
    assert_memory_equal(head, journal_head(j), sizeof head);
    assert_int_equal(journal_last(j), 3000);
    assert_int_equal(journal_last_time(j).us, 2000);
    for (uint64_t i = 1; i <= 3000; i++) {
        assert_int_equal(attempt_of(j, i), i * 10);
    }
    assert_int_equal(attempt_of(j, 3001), 0);
    journal_close(j);
    disk_done(&d);
}

static void refuses_to_append(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 1);
    struct journal *j = must_open(&d, NULL);
    assert_ok(append(j, 1, 1));
    assert_fails(append(j, 1, 2), LT_POLICY_REFUSED); /* in the same burst */
    assert_ok(journal_sync(j));
    assert_fails(append(j, 1, 2), LT_POLICY_REFUSED);
    assert_int_equal(attempt_of(j, 1), 1);
    uint8_t long_name[JOURNAL_NAME_MAX + 1];
    memset(long_name, 'a', sizeof long_name);
    uint8_t long_signature[JOURNAL_SIGNATURE_MAX + 1] = {0};
    struct {
        lt_slice issuer;
        lt_slice serial;
        lt_slice signature;
        int64_t time_us;
        int code;
    } rows[] = {
        {LT_LIT(""), LT_LIT("s"), LT_LIT("x"), 3000, LT_POLICY_REFUSED},
        {LT_LIT("a\0b"), LT_LIT("s"), LT_LIT("x"), 3000, LT_POLICY_REFUSED},
        {LT_LIT("tls"), LT_LIT(""), LT_LIT("x"), 3000, LT_POLICY_REFUSED},
        {LT_SLICE(long_name, sizeof long_name), LT_LIT("s"), LT_LIT("x"), 3000, LT_POLICY_REFUSED},
        {LT_LIT("tls"), LT_SLICE(long_name, sizeof long_name), LT_LIT("x"), 3000, LT_POLICY_REFUSED},
        {LT_LIT("tls"), LT_LIT("s"), LT_SLICE(long_signature, sizeof long_signature), 3000,
         LT_POLICY_REFUSED},
        {LT_LIT("tls"), LT_LIT("s"), LT_LIT("x"), 1999, LT_RETRY_UNAVAILABLE},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct journal_entry e = {.what = JOURNAL_SIGNATURE,
                                  .kind = KIND,
                                  .issuer = rows[i].issuer,
                                  .serial = rows[i].serial,
                                  .signature = rows[i].signature,
                                  .time_us = rows[i].time_us};
        assert_fails(journal_append(j, &e), rows[i].code);
    }
    assert_int_equal(journal_last(j), 1);
    journal_close(j);
    disk_done(&d);
}

static lt_res append_crl(struct journal *j, const char *issuer, lt_slice number)
{
    struct journal_entry e = {.what = JOURNAL_SIGNATURE,
                              .kind = JOURNAL_KIND_CRL,
                              .issuer = lt_slice_cstr(issuer),
                              .serial = number,
                              .signature = LT_LIT("s"),
                              .time_us = 3000};
    return journal_append(j, &e);
}

static void crl_numbers_grow(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 1);
    struct journal *j = must_open(&d, NULL);
    uint8_t biggest[20];
    memset(biggest, 0xff, sizeof biggest);
    assert_ok(append_crl(j, "tls", LT_LIT("\x00\x05")));
    assert_fails(append_crl(j, "tls", LT_LIT("\x04")), LT_POLICY_REFUSED);
    assert_fails(append_crl(j, "tls", LT_LIT("\x05")), LT_POLICY_REFUSED); /* the same in other bytes */
    assert_fails(append_crl(j, "tls", LT_LIT("\x00\x00")), LT_POLICY_REFUSED);
    assert_fails(append_crl(j, "tls", LT_SLICE(biggest, sizeof biggest)), LT_POLICY_REFUSED);
    assert_ok(append_crl(j, "smime", LT_LIT("\x01"))); /* each issuer counts for itself */
    assert_ok(append_crl(j, "tls", LT_LIT("\x06")));
    assert_ok(journal_sync(j));
    assert_ok(append_crl(j, "tls", LT_LIT("\x01\x00")));
    d.fail_at = d.calls + 1; /* a full disk: that one never happened */
    d.fail_count = 1;
    d.failure = DISK_FULL;
    assert_fails(journal_sync(j), LT_RETRY_UNAVAILABLE);
    assert_ok(append_crl(j, "tls", LT_LIT("\x07")));
    assert_ok(journal_sync(j));
    journal_close(j);
    j = must_open(&d, NULL);
    assert_fails(append_crl(j, "tls", LT_LIT("\x07")), LT_POLICY_REFUSED);
    assert_fails(append_crl(j, "smime", LT_LIT("\x01")), LT_POLICY_REFUSED);
    assert_ok(append_crl(j, "tls", LT_LIT("\x08")));
    journal_close(j);
    disk_done(&d);
}

static void newest_revocation_counts(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 1);
    struct journal *j = must_open(&d, NULL);
    struct lt_arena a;
    lt_arena_init(&a, 65536);
    struct journal_entry found;
    struct journal_entry e = {.what = JOURNAL_REVOCATION,
                              .issuer = LT_LIT("tls"),
                              .serial = LT_LIT("s"),
                              .reason = 4,
                              .revoked_us = 77,
                              .time_us = 2000};
    assert_ok(journal_append(j, &e));
    assert_ok(journal_sync(j));
    e.reason = 1;
    assert_ok(journal_append(j, &e));
    assert_ok(journal_find(j, &e, &a, &found));
    assert_int_equal(found.reason, 1);
    d.fail_at = d.calls + 1;
    d.fail_count = 1;
    d.failure = DISK_SHORT_THEN_FULL;
    assert_fails(journal_sync(j), LT_RETRY_UNAVAILABLE);
    assert_ok(journal_find(j, &e, &a, &found)); /* the one before is there again */
    assert_int_equal(found.reason, 4);
    assert_int_equal(found.revoked_us, 77);
    assert_ok(journal_append(j, &e));
    assert_ok(journal_sync(j));
    journal_close(j);
    j = must_open(&d, NULL);
    assert_ok(journal_find(j, &e, &a, &found));
    assert_int_equal(found.reason, 1);
    lt_arena_done(&a);
    journal_close(j);
    disk_done(&d);
}

static void reads_again_in_order(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 1);
    struct journal *j = must_open(&d, NULL);
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_ok(append(j, i, i));
        if (i % 5 == 0 && i > 300) {
            assert_ok(journal_sync(j));
        }
    }
    assert_ok(append(j, 1001, 1)); /* not durable: not read */
    for (int again = 0; again < 2; again++) {
        static const uint64_t afters[] = {0, 1, 63, 64, 299, 300, 304, 305, 640, 999, 1000, 5000};
        for (size_t i = 0; i < LT_COUNT(afters); i++) {
            struct lt_arena a;
            lt_arena_init(&a, 1 << 20);
            struct journal_entry *entries;
            size_t count;
            assert_ok(journal_read(j, afters[i], 64, &a, &entries, &count));
            size_t expected = afters[i] >= 1000 ? 0 : afters[i] > 936 ? 1000 - afters[i] : 64;
            assert_int_equal(count, expected);
            for (size_t k = 0; k < count; k++) {
                assert_int_equal(entries[k].sequence, afters[i] + 1 + k);
                assert_slice(entries[k].issuer, "tls");
            }
            lt_arena_done(&a);
        }
        journal_close(j);
        j = must_open(&d, NULL);
    }
    journal_close(j);
    disk_done(&d);
}

static void knows_the_book(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 1);
    struct journal *j = must_open(&d, NULL);
    for (uint64_t i = 1; i <= 10; i++) {
        assert_ok(append(j, i, i));
    }
    assert_ok(journal_sync(j));
    assert_ok(journal_check_book(j, 0));
    assert_ok(journal_check_book(j, 10));
    assert_fails(journal_check_book(j, 11), LT_STATE_CORRUPT); /* the journal was lost */
    assert_ok(journal_acknowledge(j, 6));
    assert_ok(journal_acknowledge(j, 3));
    assert_int_equal(journal_acknowledged(j), 6);
    assert_fails(journal_acknowledge(j, 11), LT_STATE_CORRUPT);
    assert_fails(journal_check_book(j, 5), LT_STATE_CORRUPT); /* the book was restored */
    assert_non_null(strstr(lt_error_last()->detail, "lintel restore --reconcile"));
    journal_close(j);
    j = must_open(&d, NULL);
    assert_int_equal(journal_acknowledged(j), 6);
    assert_fails(journal_check_book(j, 5), LT_STATE_CORRUPT);
    assert_ok(journal_check_book(j, 6));
    journal_close(j);
    struct disk_file *ack = disk_file(&d, "main/signer.ack");
    ack->cache[3] ^= 1; /* half written: it counts as none, and more is replayed */
    j = must_open(&d, NULL);
    assert_int_equal(journal_acknowledged(j), 0);
    journal_close(j);
    disk_done(&d);
}

static void only_one_signer(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 1);
    struct journal *j = must_open(&d, "mirror");
    struct journal *second;
    assert_fails(open_on(&d, "mirror", &second), LT_RETRY_BUSY);
    journal_close(j);
    disk_done(&d);
}

static void fill(struct disk *d, const char *mirror, uint64_t frames, uint64_t each)
{
    struct journal *j = must_open(d, mirror);
    for (uint64_t i = 1; i <= frames * each; i++) {
        assert_ok(append(j, i, i));
        if (i % each == 0) {
            assert_ok(journal_sync(j));
        }
    }
    journal_close(j);
}

/* One changed bit anywhere in what was synced is found, but for the zeros that were never written. */
static void change_every_bit(uint32_t with_room)
{
    struct disk d;
    disk_init(&d, 5);
    grow = with_room;
    fill(&d, NULL, 4, 4);
    grow = JOURNAL_GROW_NONE;
    struct disk_file *f = disk_file(&d, "main/signer.log");
    size_t frames = JOURNAL_HEADER_LEN + 4 * 2 * JOURNAL_SECTOR;
    assert_true(f->cache_len == frames || with_room != JOURNAL_GROW_NONE);
    for (size_t at = 0; at < frames; at++) {
        struct journal *j = NULL;
        f->cache[at] ^= (uint8_t)(1 << at % 8);
        lt_res r = open_on(&d, NULL, &j);
        if (!lt_failed(r)) {
            fail_msg("a changed bit at %zu was not seen", at);
        }
        assert_int_equal(r.code, LT_STATE_CORRUPT);
        f->cache[at] ^= (uint8_t)(1 << at % 8);
    }
    struct journal *j = NULL;
    if (with_room != JOURNAL_GROW_NONE) { /* in the zeros: no record, but nothing of ours either */
        f->cache[frames + 7] ^= 1;
        assert_fails(open_on(&d, NULL, &j), LT_STATE_CORRUPT);
        f->cache[frames + 7] ^= 1;
    }
    j = must_open(&d, NULL);
    assert_int_equal(journal_last(j), 16);
    journal_close(j);
    disk_done(&d);
}

static void every_changed_bit_is_corrupt(void **state)
{
    (void)state;
    change_every_bit(JOURNAL_GROW_NONE);
    change_every_bit(8192);
}

/* However much of the last frame is missing: the others stay, and the cut is where it began. */
static void a_cut_end_is_cut(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 6);
    fill(&d, NULL, 3, 5);
    struct disk_file *f = disk_file(&d, "main/signer.log");
    size_t whole = f->cache_len;
    uint8_t *copy = malloc(whole);
    assert_non_null(copy);
    memcpy(copy, f->cache, whole);
    size_t frame = (whole - JOURNAL_HEADER_LEN) / 3;
    for (size_t len = whole - frame; len < whole; len++) {
        memcpy(f->cache, copy, whole);
        memset(f->cache + len, 0, whole - len);
        f->cache_len = len;
        struct journal *j = must_open(&d, NULL);
        uint64_t last = journal_last(j);
        assert_true(last == 10 ||
                    (last == 15 && len + JOURNAL_SECTOR > whole)); /* the padding may be missing */
        assert_int_equal(attempt_of(j, 10), 10);
        assert_int_equal(attempt_of(j, 11), last == 15 ? 11 : 0);
        assert_fails(append(j, 11, 99), last == 15 ? LT_POLICY_REFUSED : 0);
        journal_close(j);
    }
    /* Cut inside an earlier frame while a later one is there: no. */
    memcpy(f->cache, copy, whole);
    f->cache_len = whole;
    memset(f->cache + JOURNAL_HEADER_LEN + JOURNAL_SECTOR, 0, JOURNAL_SECTOR);
    struct journal *j;
    assert_fails(open_on(&d, NULL, &j), LT_STATE_CORRUPT);
    free(copy);
    disk_done(&d);
}

static void acknowledged_records_may_not_be_missing(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 6);
    fill(&d, NULL, 3, 5);
    struct journal *j = must_open(&d, NULL);
    assert_ok(journal_acknowledge(j, 12));
    journal_close(j);
    struct disk_file *f = disk_file(&d, "main/signer.log");
    f->cache_len -= JOURNAL_SECTOR * 2;
    assert_fails(open_on(&d, NULL, &j), LT_STATE_CORRUPT);
    assert_non_null(strstr(lt_error_last()->detail, "mirror"));
    disk_done(&d);
}

static void a_mirror_brings_back(void **state)
{
    (void)state;
    static const char *const lost[] = {"main/signer.log", "mirror/signer.log"};
    for (size_t i = 0; i < LT_COUNT(lost); i++) {
        struct disk d;
        disk_init(&d, 7);
        fill(&d, "mirror", 3, 5);
        struct disk_file *f = disk_file(&d, lost[i]);
        f->cache_len = i == 0 ? 0 : JOURNAL_HEADER_LEN; /* all of it, or all records */
        struct journal *j = must_open(&d, "mirror");
        assert_int_equal(journal_last(j), 15);
        assert_int_equal(attempt_of(j, 15), 15);
        journal_close(j);
        const struct disk_file *a = disk_file(&d, lost[0]);
        const struct disk_file *b = disk_file(&d, lost[1]);
        assert_int_equal(a->cache_len, b->cache_len);
        assert_memory_equal(a->cache, b->cache, a->cache_len);
        disk_done(&d);
    }
}

/* What a crash or a full disk leaves behind the last frame is gone before the next one is written, in both
 * places: it could be longer than that one. */
static void nothing_is_left_behind_the_end(void **state)
{
    (void)state;
    static const char *const names[] = {"main/signer.log", "mirror/signer.log"};
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        struct disk d;
        disk_init(&d, 9);
        fill(&d, "mirror", 2, 8);
        struct disk_file *f = disk_file(&d, names[i]);
        memcpy(f->cache + f->cache_len, f->cache + f->cache_len - 3 * JOURNAL_SECTOR, 2 * JOURNAL_SECTOR);
        memset(f->cache + f->cache_len, 0, JOURNAL_SECTOR); /* a frame whose head was never written */
        f->cache_len += 2 * JOURNAL_SECTOR;
        struct journal *j = must_open(&d, "mirror");
        assert_int_equal(disk_file(&d, names[0])->cache_len, disk_file(&d, names[1])->cache_len);
        for (uint64_t n = 100; n < 120; n++) {
            assert_ok(append(j, n, n));
        }
        d.fail_at = d.calls + 1;
        d.fail_count = 1;
        d.failure = DISK_SHORT_THEN_FULL;
        assert_fails(journal_sync(j), LT_RETRY_UNAVAILABLE);
        assert_ok(append(j, 100, 7));
        assert_ok(journal_sync(j));
        journal_close(j);
        j = must_open(&d, "mirror");
        assert_int_equal(journal_last(j), 17);
        assert_int_equal(attempt_of(j, 100), 7);
        assert_int_equal(attempt_of(j, 101), 0);
        journal_close(j);
        const struct disk_file *a = disk_file(&d, names[0]);
        const struct disk_file *b = disk_file(&d, names[1]);
        assert_int_equal(a->cache_len, b->cache_len);
        assert_memory_equal(a->cache, b->cache, a->cache_len);
        disk_done(&d);
    }
}

static void a_foreign_mirror_is_refused(void **state)
{
    (void)state;
    struct disk d;
    disk_init(&d, 8);
    fill(&d, "mirror", 3, 5);
    struct journal_options o = {.io = &d.io, .folder = "mirror", .now = {9999}};
    struct disk_file *f = disk_file(&d, "mirror/signer.log");
    f->cache_len = 0;
    struct journal *j;
    assert_ok(journal_open(&o, &j)); /* another journal's header */
    journal_close(j);
    assert_fails(open_on(&d, "mirror", &j), LT_STATE_CORRUPT);
    disk_done(&d);
}

/* ---- torture ---- */

enum { SERIALS = 60 };

struct world {
    struct disk disk;
    const char *mirror;
    struct journal *journal;        /* NULL: the process is dead */
    uint64_t released[SERIALS + 1]; /* the attempt that was let go; 0: none */
    uint64_t attempts;
};

/* A burst as the signer has it: ask, sign, sync, let go. False: the process ended. */
static bool burst(struct world *w)
{
    uint64_t serials[8];
    uint64_t attempts[8];
    size_t count = 1 + disk_random(&w->disk) % 8;
    for (size_t i = 0; i < count; i++) {
        serials[i] = 1 + disk_random(&w->disk) % SERIALS;
        attempts[i] = attempt_of(w->journal, serials[i]);
        if (attempts[i] == 0) {
            attempts[i] = ++w->attempts;
            assert_ok(append(w->journal, serials[i], attempts[i]));
        }
    }
    lt_res r = journal_sync(w->journal);
    if (lt_class_of(r.code) == LT_CLASS_STATE) {
        assert_fails(journal_sync(w->journal), LT_STATE_IO); /* and never again */
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (lt_failed(r)) {
            assert_int_equal(attempt_of(w->journal, serials[i]), w->released[serials[i]]);
            continue;
        }
        assert_true(w->released[serials[i]] == 0 || w->released[serials[i]] == attempts[i]);
        w->released[serials[i]] = attempts[i];
    }
    return true;
}

static void check_world(struct world *w)
{
    for (uint64_t serial = 1; serial <= SERIALS; serial++) {
        if (w->released[serial] != 0) {
            assert_int_equal(attempt_of(w->journal, serial), w->released[serial]);
        } else if (attempt_of(w->journal, serial) != 0) {
            w->released[serial] = attempt_of(w->journal, serial); /* it may be let go from now on */
        }
    }
}

static void restart(struct world *w, unsigned how)
{
    journal_close(w->journal);
    w->journal = NULL;
    if (how == 0) {
        disk_kill(&w->disk);
    } else {
        disk_power_cut(&w->disk, how == 2);
    }
}

static void torture_once(uint64_t seed, const char *mirror, enum disk_failure failure)
{
    struct world w = {.mirror = mirror};
    disk_init(&w.disk, seed);
    w.disk.failure = failure;
    w.disk.fail_count = failure == DISK_EIO ? 1 : 1 + (unsigned)(seed % 3);
    for (int round = 0; round < 30; round++) {
        w.disk.fail_at = w.disk.calls + 1 + (unsigned)(disk_random(&w.disk) % 40);
        lt_res r = open_on(&w.disk, mirror, &w.journal);
        if (lt_failed(r)) {
            w.journal = NULL;
            if (r.code == LT_STATE_CORRUPT) {
                fail_msg("seed %llu round %d: %s", (unsigned long long)seed, round, lt_error_last()->detail);
            }
            restart(&w, (unsigned)(disk_random(&w.disk) % 3)); /* a call failed while it opened: again */
            continue;
        }
        check_world(&w);
        while (disk_random(&w.disk) % 12 != 0 && burst(&w)) {
        }
        restart(&w, (unsigned)(disk_random(&w.disk) % 3));
    }
    w.disk.fail_at = 0;
    w.journal = must_open(&w.disk, mirror);
    check_world(&w);
    restart(&w, 1);
    w.journal = must_open(&w.disk, mirror); /* what an opened journal shows survives the next power cut */
    check_world(&w);
    struct journal_summary sum;
    int fd = (int)(disk_file(&w.disk, "main/signer.log") - w.disk.files);
    assert_ok(journal_walk(&w.disk.io, fd, NULL, NULL, &sum));
    assert_int_equal(sum.last, journal_last(w.journal));
    journal_close(w.journal);
    disk_done(&w.disk);
}

static void torture(void **state)
{
    (void)state;
    static const enum disk_failure failures[] = {DISK_EIO, DISK_FULL, DISK_SHORT_THEN_FULL};
    static const uint32_t grows[] = {JOURNAL_GROW_NONE, 1, 4096, 20000};
    for (uint64_t seed = 1; seed <= 40; seed++) {
        grow = grows[seed % LT_COUNT(grows)];
        for (size_t f = 0; f < LT_COUNT(failures); f++) {
            torture_once(seed, NULL, failures[f]);
            torture_once(seed, "mirror", failures[f]);
        }
    }
    grow = JOURNAL_GROW_NONE;
}

/* Each single call fails once, and each way of stopping follows. */
static void fails_at_every_call(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 60; n++) {
        for (unsigned how = 0; how < 3; how++) {
            grow = n % 2 == 0 ? 4096 : JOURNAL_GROW_NONE;
            struct world w = {.mirror = "mirror"};
            disk_init(&w.disk, n);
            w.disk.failure = DISK_EIO;
            w.disk.fail_at = n;
            w.disk.fail_count = 1;
            bool alive = !lt_failed(open_on(&w.disk, w.mirror, &w.journal));
            w.journal = alive ? w.journal : NULL;
            for (int i = 0; i < 12 && alive; i++) {
                alive = burst(&w);
            }
            restart(&w, how);
            w.disk.fail_at = 0;
            w.journal = must_open(&w.disk, w.mirror);
            check_world(&w);
            journal_close(w.journal);
            disk_done(&w.disk);
        }
    }
    grow = JOURNAL_GROW_NONE;
}

/* A reader beside a signer that takes back the room it made ahead. */
struct shrinking {
    struct disk *disk;
    struct disk_file *file;
    size_t whole;
    unsigned reads; /* so many more, then the room is gone */
};

static ssize_t shrinking_read(void *self, int fd, void *out, size_t len, uint64_t offset)
{
    struct shrinking *k = self;
    if (k->reads-- == 0) {
        k->file->cache_len = k->whole;
    }
    return k->disk->io.read_at(k->disk->io.self, fd, out, len, offset);
}

static int64_t shrinking_size(void *self, int fd)
{
    const struct shrinking *k = self;
    return k->disk->io.size(k->disk->io.self, fd);
}

static void room_may_go_while_it_is_read(void **state)
{
    (void)state;
    enum { ROOM = 16 * JOURNAL_SECTOR, READS = 40 };
    struct disk d;
    disk_init(&d, 12);
    fill(&d, NULL, 3, 5);
    struct shrinking k = {.disk = &d, .file = disk_file(&d, "main/signer.log")};
    k.whole = k.file->cache_len;
    const struct journal_io io = {.self = &k, .read_at = shrinking_read, .size = shrinking_size};
    for (unsigned reads = 0; reads < READS; reads++) {
        struct journal_summary sum;
        memset(k.file->cache + k.whole, 0, ROOM);
        k.file->cache_len = k.whole + ROOM;
        k.reads = reads;
        int fd = d.io.open(d.io.self, "main", "signer.log");
        assert_true(fd >= 0);
        assert_ok(journal_walk(&io, fd, NULL, NULL, &sum));
        assert_int_equal(sum.last, 15);
        d.io.close(d.io.self, fd);
    }
    /* What is whole may not go. */
    struct journal_summary sum;
    k.whole -= JOURNAL_SECTOR;
    k.reads = 6;
    int fd = d.io.open(d.io.self, "main", "signer.log");
    lt_res r = journal_walk(&io, fd, NULL, NULL, &sum);
    assert_true(lt_failed(r) || sum.last < 15);
    d.io.close(d.io.self, fd);
    disk_done(&d);
}

static void works_on_real_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/lintel-journal-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char mirror[64];
    (void)snprintf(mirror, sizeof mirror, "%s/mirror", folder);
    assert_int_equal(mkdir(mirror, 0700), 0);
    struct journal_options o = {.folder = folder, .mirror = mirror, .now = {1000}};
    struct journal *j;
    assert_ok(journal_open(&o, &j));
    struct journal *second;
    assert_fails(journal_open(&o, &second), LT_RETRY_BUSY);
    for (uint64_t i = 1; i <= 300; i++) {
        assert_ok(append(j, i, i));
    }
    assert_ok(journal_sync(j));
    journal_close(j);
    assert_ok(journal_open(&o, &j));
    assert_int_equal(attempt_of(j, 300), 300);
    journal_close(j);
    static const char *const names[] = {"signer.log", "signer.ack", "mirror/signer.log", "mirror"};
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 077, 0);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    assert_fails(journal_open(&o, &j), LT_STATE_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_appended),
        cmocka_unit_test(refuses_to_append),
        cmocka_unit_test(crl_numbers_grow),
        cmocka_unit_test(newest_revocation_counts),
        cmocka_unit_test(reads_again_in_order),
        cmocka_unit_test(knows_the_book),
        cmocka_unit_test(only_one_signer),
        cmocka_unit_test(every_changed_bit_is_corrupt),
        cmocka_unit_test(a_cut_end_is_cut),
        cmocka_unit_test(acknowledged_records_may_not_be_missing),
        cmocka_unit_test(a_mirror_brings_back),
        cmocka_unit_test(nothing_is_left_behind_the_end),
        cmocka_unit_test(a_foreign_mirror_is_refused),
        cmocka_unit_test(room_may_go_while_it_is_read),
        cmocka_unit_test(torture),
        cmocka_unit_test(fails_at_every_call),
        cmocka_unit_test(works_on_real_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
