/* The signer as it is run: its examiner asks, forgets, comes back, lies; it is killed at any moment; its
 * token goes away. What it once let go it gives again, and never another. */
#include "keyring.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../signer/softhsm.h"
#include "crypto/pkcs11.h"
#include "signer/knot.h"

static const char *signer_path;
static const char *token_path;

struct world {
    struct keyring ring;
    struct program signer;
    struct ipc_link *link; /* as its examiner */
    Ipc__IssuerKey keys[3];
    Ipc__IssuerKey *issuers[3];
    struct program_start start;
    struct lt_arena arena;
    uint64_t next_id;
};

static void add_issuer(struct world *w, const char *name, const char *key, const char *uri, bool may)
{
    Ipc__IssuerKey *k = &w->keys[w->start.issuer_count];
    ipc__issuer_key__init(k);
    char file[64];
    (void)snprintf(file, sizeof file, "ca/%s.pem", name);
    k->issuer = (char *)(uintptr_t)name;
    k->key_file = (char *)(uintptr_t)key;
    k->pkcs11_uri = (char *)(uintptr_t)uri;
    k->certificate_file = lt_arena_cstr(&w->ring.arena, lt_slice_cstr(file));
    k->may_sign_certificates = may;
    w->issuers[w->start.issuer_count++] = k;
}

static void start_signer(struct world *w)
{
    program_start(&w->signer, &w->ring, signer_path, &w->start);
    w->link = program_link(&w->signer, IPC_EXAMINER, IPC_SIGNER);
}

static void kill_signer(struct world *w)
{
    program_kill(&w->signer);
    ipc_link_free(w->link);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    keyring_new(&w->ring);
    lt_arena_init(&w->arena, (size_t)64 << 20);
    w->start = (struct program_start){.role = IPC_SIGNER, .issuers = w->issuers, .mirror = "mirror"};
    add_issuer(w, "tls", "keys/tls.key", "", true);
    add_issuer(w, "root", "keys/root.key", "", false);
    w->next_id = 100;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    keyring_done(&w->ring);
    lt_arena_done(&w->arena);
    free(w);
    return 0;
}

static void acknowledge(struct world *w, uint64_t sequence, bool hello)
{
    Ipc__JournalAck ack = IPC__JOURNAL_ACK__INIT;
    ack.sequence = sequence;
    ack.book_hello = hello;
    say(w->link, IPC_JOURNAL_ACK, 0, &ack.base);
}

/* Hello; how many entries were replayed. */
static size_t hello(struct world *w, uint64_t sequence)
{
    size_t count = 0;
    acknowledge(w, sequence, true);
    for (;;) {
        const Ipc__JournalReplay *replay = hear(w->link, &w->arena, IPC_JOURNAL_REPLAY, NULL);
        assert_string_equal(replay->refused, "");
        for (size_t i = 0; i < replay->n_entries; i++) {
            assert_int_equal(replay->entries[i]->sequence, sequence + 1 + count);
            count++;
        }
        if (replay->last) {
            assert_int_equal(replay->signer_last_sequence, sequence + count);
            return count;
        }
    }
}

static uint64_t order(struct world *w, const struct tbs *t, const char *issuer, lt_slice *ret_tbs)
{
    lt_slice serial;
    lt_slice tbs = keyring_tbs(&w->ring, t, &serial);
    Ipc__SignOrder body = IPC__SIGN_ORDER__INIT;
    body.kind = t->crl ? IPC__SIGN_KIND__SIGN_CRL : IPC__SIGN_KIND__SIGN_CERTIFICATE;
    body.issuer = (char *)(uintptr_t)issuer;
    body.serial = (ProtobufCBinaryData){serial.len, (uint8_t *)(uintptr_t)serial.ptr};
    body.tbs = (ProtobufCBinaryData){tbs.len, (uint8_t *)(uintptr_t)tbs.ptr};
    uint64_t id = w->next_id++;
    say(w->link, IPC_SIGN_ORDER, id, &body.base);
    if (ret_tbs != NULL) {
        *ret_tbs = tbs;
    }
    return id;
}

static const Ipc__SignResult *answer(struct world *w, uint64_t id)
{
    uint64_t got;
    const Ipc__SignResult *r = hear(w->link, &w->arena, IPC_SIGN_RESULT, &got);
    assert_int_equal(got, id);
    return r;
}

static const Ipc__SignResult *ask(struct world *w, const struct tbs *t)
{
    return answer(w, order(w, t, t->issuer, NULL));
}

static lt_slice slice_of(ProtobufCBinaryData d)
{
    return LT_SLICE(d.data, d.len);
}

static void signs_what_it_may(void **state)
{
    struct world *w = *state;
    start_signer(w);
    struct tbs t = {.issuer = "tls", .serial = 1};
    assert_string_equal(ask(w, &t)->outcome, "unavailable"); /* the book has not said hello */
    assert_int_equal(hello(w, 0), 0);
    lt_slice tbs;
    const Ipc__SignResult *r = answer(w, order(w, &t, "tls", &tbs));
    assert_string_equal(r->outcome, "signed");
    assert_int_equal(r->sequence, 1);
    assert_true(verifies(crypto_key_spki(w->ring.tls), tbs, slice_of(r->signature)));
    const Ipc__SignResult *again = ask(w, &t);
    assert_int_equal(again->sequence, 1);
    assert_true(lt_slice_eq(slice_of(again->signature), slice_of(r->signature)));
    t = (struct tbs){.issuer = "tls", .crl = true, .crl_number = 1000};
    assert_string_equal(ask(w, &t)->outcome, "signed");
    t = (struct tbs){.issuer = "root", .crl = true, .crl_number = 1000};
    assert_string_equal(ask(w, &t)->outcome, "signed");
    assert_int_equal(program_drain(&w->signer), 0);
    ipc_link_free(w->link);
}

static uint64_t order_apart(struct world *w, const struct tbs *t, lt_slice *ret_tbs)
{
    lt_slice serial;
    *ret_tbs = keyring_tbs(&w->ring, t, &serial);
    Ipc__SignOrder body = IPC__SIGN_ORDER__INIT;
    body.kind = IPC__SIGN_KIND__SIGN_CRL;
    body.issuer = (char *)(uintptr_t)t->issuer;
    body.serial = (ProtobufCBinaryData){serial.len, (uint8_t *)(uintptr_t)serial.ptr};
    body.apart = true;
    uint64_t id = w->next_id++;
    say_apart(w->link, IPC_SIGN_ORDER, id, &body.base, *ret_tbs);
    return id;
}

/* Certificates pass a large CRL, other CRLs wait behind it: their numbers grow in the order of the orders. */
static void a_large_crl_lets_others_pass(void **state)
{
    struct world *w = *state;
    enum { MANY = 700000 };
    lt_slice large;
    lt_slice again;
    start_signer(w);
    assert_int_equal(hello(w, 0), 0);
    uint64_t first = order_apart(
        w, &(struct tbs){.issuer = "tls", .crl = true, .crl_number = 10, .entries = MANY}, &large);
    uint64_t behind = order(w, &(struct tbs){.issuer = "tls", .crl = true, .crl_number = 11}, "tls", NULL);
    uint64_t passing = order(w, &(struct tbs){.issuer = "tls", .serial = 1}, "tls", NULL);
    assert_string_equal(answer(w, passing)->outcome, "signed");
    const Ipc__SignResult *r = answer(w, first);
    assert_string_equal(r->outcome, "signed");
    assert_true(verifies(crypto_key_spki(w->ring.tls), large, slice_of(r->signature)));
    lt_slice signature = lt_arena_copy(&w->arena, slice_of(r->signature));
    assert_string_equal(answer(w, behind)->outcome, "signed");
    /* The same bytes again are the same CRL; other bytes, and what its fixed fields refuse, are none. */
    r = answer(w,
               order_apart(w, &(struct tbs){.issuer = "tls", .crl = true, .crl_number = 10, .entries = MANY},
                           &again));
    assert_string_equal(r->outcome, "signed");
    assert_true(lt_slice_eq(slice_of(r->signature), signature));
    static const struct {
        struct tbs tbs;
        const char *detail;
    } rows[] = {
        {{.issuer = "tls", .crl = true, .crl_number = 10}, "other bytes"},
        {{.issuer = "tls", .crl = true, .crl_number = 9}, "does not grow"},
        {{.issuer = "tls", .crl = true, .crl_number = 5000, .variant = 20}, "ten days"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        r = answer(w, order_apart(w, &rows[i].tbs, &again));
        assert_string_equal(r->outcome, "refused");
        assert_non_null(strstr(r->detail, rows[i].detail));
    }
    assert_int_equal(program_drain(&w->signer), 0);
    ipc_link_free(w->link);
}

/* Who says that bytes lie beside a message and gives none, or sends a certificate so, is cut off. */
static void bytes_apart_that_are_none(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++) {
        start_signer(w);
        assert_int_equal(hello(w, 0), 0);
        Ipc__SignOrder body = IPC__SIGN_ORDER__INIT;
        uint8_t number[1] = {1};
        body.kind = i == 0 ? IPC__SIGN_KIND__SIGN_CERTIFICATE : IPC__SIGN_KIND__SIGN_CRL;
        body.issuer = (char *)(uintptr_t) "tls";
        body.serial = (ProtobufCBinaryData){1, number};
        body.apart = true;
        int open_fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING); /* could still change */
        assert_int_equal(write(open_fd, "0", 1), 1);
        assert_ok(ipc_link_send(w->link, IPC_SIGN_ORDER, 7, &body.base, &open_fd, i < 2 ? 1 : 0));
        (void)close(open_fd);
        const Ipc__Misbehaved *m = hear(w->signer.control, &w->arena, IPC_MISBEHAVED, NULL);
        assert_int_equal(m->role, IPC_EXAMINER);
        kill_signer(w);
    }
}

static void refuses_the_rest(void **state)
{
    struct world *w = *state;
    static const struct {
        struct tbs tbs;
        const char *issuer;
        const char *detail;
    } rows[] = {
        {{.issuer = "tls", .serial = 1, .variant = 1}, "tls", "signed for other bytes"},
        {{.issuer = "tls", .serial = 2, .ca = true}, "tls", "keyUsage"},
        {{.issuer = "tls", .serial = 3}, "nobody", "no key of issuer"},
        {{.issuer = "root", .serial = 4}, "tls", "issuer name"},
        {{.issuer = "tls", .serial = 5}, "root", "ceremony"},
        {{.issuer = "root", .serial = 6}, "root", "ceremony"},
        {{.issuer = "root", .serial = 7, .ca = true}, "root", "ceremony"},
        {{.issuer = "tls", .crl = true, .crl_number = 1000}, "tls", "other bytes"},
        {{.issuer = "tls", .crl = true, .crl_number = 999}, "tls", "does not grow"},
        {{.issuer = "root", .crl = true, .crl_number = 5}, "tls", "issuer name"},
        {{.issuer = "tls", .crl = true, .crl_number = 5000, .variant = 20}, "tls", "ten days"},
    };
    start_signer(w);
    assert_int_equal(hello(w, 0), 0);
    assert_string_equal(ask(w, &(struct tbs){.issuer = "tls", .serial = 1})->outcome, "signed");
    struct tbs crl = {.issuer = "tls", .crl = true, .crl_number = 1000, .variant = 3};
    assert_string_equal(ask(w, &crl)->outcome, "signed");
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const Ipc__SignResult *r = answer(w, order(w, &rows[i].tbs, rows[i].issuer, NULL));
        assert_string_equal(r->outcome, "refused");
        assert_int_equal(r->signature.len, 0);
        if (strstr(r->detail, rows[i].detail) == NULL) {
            fail_msg("row %zu: %s", i, r->detail);
        }
    }
    assert_string_equal(ask(w, &(struct tbs){.issuer = "tls", .serial = 2})->outcome, "signed");
    /* A certificate under the kind of a CRL, and a kind that nobody signs. */
    lt_slice serial;
    lt_slice tbs = keyring_tbs(&w->ring, &(struct tbs){.issuer = "tls", .serial = 77}, &serial);
    static const Ipc__SignKind kinds[] = {IPC__SIGN_KIND__SIGN_CRL, IPC__SIGN_KIND__SIGN_OCSP,
                                          IPC__SIGN_KIND__SIGN_NONE, IPC__SIGN_KIND__SIGN_PRECERTIFICATE};
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        Ipc__SignOrder body = IPC__SIGN_ORDER__INIT;
        static char tls[] = "tls";
        body.kind = kinds[i];
        body.issuer = tls;
        body.serial = (ProtobufCBinaryData){serial.len, (uint8_t *)(uintptr_t)serial.ptr};
        body.tbs = (ProtobufCBinaryData){tbs.len, (uint8_t *)(uintptr_t)tbs.ptr};
        say(w->link, IPC_SIGN_ORDER, 7, &body.base);
        assert_string_equal(answer(w, 7)->outcome, "refused");
    }
    kill_signer(w);
}

static void nothing_without_a_book(void **state)
{
    struct world *w = *state;
    static char tls[] = "tls";
    static char chain[] = "registrar-test";
    uint8_t serial[] = {1, 2, 3};
    uint8_t head[32] = {9};
    start_signer(w);
    Ipc__RevocationRecord revocation = IPC__REVOCATION_RECORD__INIT;
    revocation.issuer = tls;
    revocation.serial = (ProtobufCBinaryData){sizeof serial, serial};
    say(w->link, IPC_REVOCATION_RECORD, 1, &revocation.base);
    const Ipc__RevocationRecorded *r = hear(w->link, &w->arena, IPC_REVOCATION_RECORDED, NULL);
    assert_string_equal(r->outcome, "unavailable");
    Ipc__Knot knot = IPC__KNOT__INIT;
    knot.chain = chain;
    knot.sequence = 1;
    knot.head = (ProtobufCBinaryData){sizeof head, head};
    say(w->link, IPC_KNOT, 1, &knot.base);
    const Ipc__KnotSigned *tied = hear(w->link, &w->arena, IPC_KNOT_SIGNED, NULL);
    assert_int_equal(tied->signature.len, 0);
    assert_int_equal(hello(w, 0), 0);
    kill_signer(w);
}

/* A batch of a mass revocation is one record; another root, reason, date or count of the same batch is none.
 */
static void journals_batches(void **state)
{
    struct world *w = *state;
    start_signer(w);
    assert_int_equal(hello(w, 0), 0);
    static char tls[] = "tls";
    static uint8_t roots[2][32] = {{1}, {2}};
    static const struct {
        size_t root;
        uint32_t batch;
        uint32_t count;
        uint32_t reason;
        int64_t revoked_us;
        const char *outcome;
        uint64_t sequence;
    } rows[] = {
        {0, 0, 10000, 4, 1234567, "recorded", 1}, {0, 0, 10000, 4, 1234567, "recorded", 1},
        {1, 0, 10000, 4, 1234567, "refused", 0},  {0, 0, 9999, 4, 1234567, "refused", 0},
        {0, 0, 10000, 1, 1234567, "refused", 0},  {0, 0, 10000, 4, 1234568, "refused", 0},
        {1, 1, 77, 4, 1234567, "recorded", 2},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__RevocationRecord m = IPC__REVOCATION_RECORD__INIT;
        m.issuer = tls;
        m.reason = rows[i].reason;
        m.revoked_us = rows[i].revoked_us;
        m.root = (ProtobufCBinaryData){sizeof roots[0], roots[rows[i].root]};
        m.mass = 0x0102030405060708;
        m.batch = rows[i].batch;
        m.count = rows[i].count;
        say(w->link, IPC_REVOCATION_RECORD, 70 + i, &m.base);
        const Ipc__RevocationRecorded *r = hear(w->link, &w->arena, IPC_REVOCATION_RECORDED, NULL);
        assert_string_equal(r->outcome, rows[i].outcome);
        assert_int_equal(r->sequence, rows[i].sequence);
        assert_int_equal(r->mass, 0x0102030405060708);
        assert_int_equal(r->batch, rows[i].batch);
    }
    kill_signer(w);
}

static void journals_revocations_and_knots(void **state)
{
    struct world *w = *state;
    start_signer(w);
    assert_int_equal(hello(w, 0), 0);
    static char tls[] = "tls";
    uint8_t serial[] = {1, 2, 3};
    Ipc__RevocationRecord revocation = IPC__REVOCATION_RECORD__INIT;
    revocation.issuer = tls;
    revocation.serial = (ProtobufCBinaryData){sizeof serial, serial};
    revocation.reason = 4;
    revocation.revoked_us = 1234567;
    static const struct {
        uint32_t reason;
        uint64_t sequence;
    } rows[] = {{4, 1}, {4, 1}, {1, 2}, {1, 2}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        revocation.reason = rows[i].reason;
        say(w->link, IPC_REVOCATION_RECORD, 50 + i, &revocation.base);
        uint64_t id;
        const Ipc__RevocationRecorded *r = hear(w->link, &w->arena, IPC_REVOCATION_RECORDED, &id);
        assert_int_equal(id, 50 + i);
        assert_string_equal(r->outcome, "recorded");
        assert_int_equal(r->sequence, rows[i].sequence);
    }
    static char chain[] = "registrar-test";
    uint8_t head[32] = {9};
    Ipc__Knot knot = IPC__KNOT__INIT;
    knot.chain = chain;
    knot.sequence = 4711;
    knot.head = (ProtobufCBinaryData){sizeof head, head};
    say(w->link, IPC_KNOT, 60, &knot.base);
    const Ipc__KnotSigned *tied = hear(w->link, &w->arena, IPC_KNOT_SIGNED, NULL);
    assert_int_equal(tied->journal_sequence, 3);
    struct signer_knot said = {.chain = LT_LIT("registrar-test"),
                               .sequence = 4711,
                               .head = LT_SLICE(head, sizeof head),
                               .time_us = tied->time_us,
                               .journal_sequence = 3,
                               .journal_head = slice_of(tied->journal_head)};
    struct lt_buf text;
    lt_buf_init(&text, 4096);
    signer_knot_statement(&said, &text);
    assert_true(verifies(slice_of(tied->key_spki), lt_buf_slice(&text), slice_of(tied->signature)));
    said.sequence = 4712;
    lt_buf_reset(&text);
    signer_knot_statement(&said, &text);
    assert_false(verifies(slice_of(tied->key_spki), lt_buf_slice(&text), slice_of(tied->signature)));
    lt_buf_done(&text);
    kill_signer(w);
    start_signer(w);
    acknowledge(w, 0, true);
    const Ipc__JournalReplay *replay = hear(w->link, &w->arena, IPC_JOURNAL_REPLAY, NULL);
    assert_int_equal(replay->n_entries, 3);
    assert_true(replay->last);
    assert_string_equal(replay->entries[0]->what, "revocation");
    assert_int_equal(replay->entries[1]->reason, 1);
    assert_int_equal(replay->entries[1]->revoked_us, 1234567);
    assert_string_equal(replay->entries[2]->what, "knot");
    kill_signer(w);
}

/* A whole burst, killed somewhere in it, again and again. */
static void survives_kills(void **state)
{
    struct world *w = *state;
    enum { SERIALS = 300, ROUNDS = 20 };
    static lt_slice known[SERIALS]; /* the signature that was let go */
    memset(known, 0, sizeof known);
    uint64_t journal = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        start_signer(w);
        size_t replayed = hello(w, 0);
        assert_true(replayed >= journal);
        unsigned wait = 1 + round * 37 % 200;
        for (uint32_t i = 0; i < 200; i++) {
            (void)order(w, &(struct tbs){.issuer = "tls", .serial = (round * 11 + i) % SERIALS}, "tls", NULL);
        }
        for (unsigned i = 0; i < wait; i++) {
            uint64_t id;
            const Ipc__SignResult *r = hear(w->link, &w->arena, IPC_SIGN_RESULT, &id);
            assert_string_equal(r->outcome, "signed");
            uint32_t serial = (round * 11 + (uint32_t)(id - (w->next_id - 200))) % SERIALS;
            if (known[serial].len > 0) {
                assert_true(lt_slice_eq(known[serial], slice_of(r->signature)));
            }
            known[serial] = slice_of(r->signature);
            journal = r->sequence > journal ? r->sequence : journal;
        }
        kill_signer(w);
    }
}

static void knows_its_book(void **state)
{
    struct world *w = *state;
    start_signer(w);
    assert_int_equal(hello(w, 0), 0);
    for (uint32_t i = 1; i <= 200; i++) {
        assert_string_equal(ask(w, &(struct tbs){.issuer = "tls", .serial = i})->outcome, "signed");
    }
    acknowledge(w, 150, false);
    assert_int_equal(hello(w, 150), 50);
    kill_signer(w);
    start_signer(w);
    /* A book of last week; one that knows more than there is. */
    static const uint64_t wrong[] = {149, 0, 201};
    for (size_t i = 0; i < LT_COUNT(wrong); i++) {
        acknowledge(w, wrong[i], true);
        const Ipc__JournalReplay *replay = hear(w->link, &w->arena, IPC_JOURNAL_REPLAY, NULL);
        assert_int_equal(replay->n_entries, 0);
        assert_true(replay->last);
        assert_true(replay->refused[0] != 0);
        const Ipc__SignResult *r = ask(w, &(struct tbs){.issuer = "tls", .serial = 1});
        assert_string_equal(r->outcome, "unavailable");
        assert_int_equal(r->signature.len, 0);
    }
    assert_int_equal(hello(w, 170), 30);
    assert_string_equal(ask(w, &(struct tbs){.issuer = "tls", .serial = 1})->outcome, "signed");
    acknowledge(w, 5000, false); /* a registrar that acknowledges what never was */
    assert_string_equal(ask(w, &(struct tbs){.issuer = "tls", .serial = 1})->outcome, "unavailable");
    assert_int_equal(hello(w, 170), 30);
    ipc_link_free(w->link); /* another examiner has to say hello again */
    w->link = program_link(&w->signer, IPC_EXAMINER, IPC_SIGNER);
    assert_string_equal(ask(w, &(struct tbs){.issuer = "tls", .serial = 1})->outcome, "unavailable");
    assert_int_equal(hello(w, 200), 0);
    kill_signer(w);
}

/* No room: every order is answered "unavailable", nothing is let go; when there is room again, it goes on. */
static void lives_through_a_full_disk(void **state)
{
    struct world *w = *state;
    w->start.file_size_limit = 8192;
    start_signer(w);
    assert_int_equal(hello(w, 0), 0);
    uint32_t good = 0;
    for (uint32_t i = 1; i <= 60; i++) {
        const Ipc__SignResult *r = ask(w, &(struct tbs){.issuer = "tls", .serial = i});
        bool is_signed = strcmp(r->outcome, "signed") == 0;
        assert_true(is_signed || strcmp(r->outcome, "unavailable") == 0);
        assert_int_equal(r->signature.len > 0, is_signed);
        assert_true(!is_signed || good + 1 == i); /* from the first that failed on, none */
        good += is_signed;
    }
    assert_true(good > 0 && good < 60);
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    assert_int_equal(prlimit(w->signer.pid, RLIMIT_FSIZE, &none, NULL), 0);
    const Ipc__SignResult *r = ask(w, &(struct tbs){.issuer = "tls", .serial = 60});
    assert_string_equal(r->outcome, "signed");
    assert_int_equal(r->sequence, good + 1);
    kill_signer(w);
    w->start.file_size_limit = 0;
    start_signer(w);
    assert_int_equal(hello(w, 0), good + 1);
    kill_signer(w);
}

static void does_not_start_with(void **state)
{
    struct world *w = *state;
    struct program p;
    struct program second;
    /* the key of another certificate */
    w->keys[0].key_file = w->keys[1].key_file;
    assert_int_equal(program_fails(&p, &w->ring, signer_path, &w->start), 1);
    static char missing[] = "keys/none.key";
    w->keys[0].key_file = missing;
    assert_int_equal(program_fails(&p, &w->ring, signer_path, &w->start), 1);
    static char tls[] = "keys/tls.key";
    w->keys[0].key_file = tls;
    /* a journal that somebody has */
    program_start(&p, &w->ring, signer_path, &w->start);
    assert_int_equal(program_fails(&second, &w->ring, signer_path, &w->start), 1);
    program_kill(&p);
    /* a journal that was changed */
    start_signer(w);
    assert_int_equal(hello(w, 0), 0);
    assert_string_equal(ask(w, &(struct tbs){.issuer = "tls", .serial = 1})->outcome, "signed");
    kill_signer(w);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/journal/signer.log", w->ring.folder);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, 600, SEEK_SET), 0);
    int changed = fgetc(f) ^ 1; /* whatever stood there is random */
    assert_int_equal(fseek(f, 600, SEEK_SET), 0);
    assert_int_equal(fputc(changed, f), changed);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(program_fails(&p, &w->ring, signer_path, &w->start), 1);
    /* the mirror is whole: as the message says, it is put back */
    assert_int_equal(unlink(path), 0);
    start_signer(w);
    assert_int_equal(hello(w, 0), 1);
    kill_signer(w);
}

/* ---- the token ---- */

static void start_token(struct world *w, struct program *token)
{
    struct program_start s = {.role = IPC_TOKEN,
                              .issuers = w->issuers,
                              .issuer_count = w->start.issuer_count,
                              .token_module = SOFTHSM_MODULE,
                              .token_pin = SOFTHSM_PIN};
    program_start(token, &w->ring, token_path, &s);
    program_join(&w->signer, IPC_SIGNER, token, IPC_TOKEN);
}

static const Ipc__SignResult *ask_until_signed(struct world *w, const struct tbs *t)
{
    const Ipc__SignResult *r = ask(w, t);
    for (int i = 0; i < 500 && strcmp(r->outcome, "unavailable") == 0; i++) {
        (void)usleep(20000); /* the link to the new token is under way */
        r = ask(w, t);
    }
    assert_string_equal(r->outcome, "signed");
    return r;
}

static void issues_with_a_token(void **state)
{
    struct world *w = *state;
    struct softhsm hsm;
    softhsm_in(&hsm, w->ring.folder, "lintel");
    static const char uri[] = "pkcs11:token=lintel;object=hsm";
    struct crypto_pkcs11 *module;
    struct crypto_pkcs11_key *key;
    struct crypto_pkcs11_key *other;
    assert_ok(crypto_pkcs11_open(SOFTHSM_MODULE, LT_LIT(SOFTHSM_PIN), &module));
    assert_ok(crypto_pkcs11_generate(module, uri, CRYPTO_KEY_P256, 0, &key));
    assert_ok(crypto_pkcs11_generate(module, "pkcs11:token=lintel;object=other", CRYPTO_KEY_P256, 0, &other));
    lt_slice spki = lt_arena_copy(&w->ring.arena, crypto_pkcs11_spki(key));
    crypto_pkcs11_close(module);
    keyring_certificate(&w->ring, "hsm", spki);
    add_issuer(w, "hsm", "", uri, true);
    struct program token;
    start_signer(w);
    assert_int_equal(hello(w, 0), 0);
    struct tbs t = {.issuer = "hsm", .serial = 1};
    assert_string_equal(ask(w, &t)->outcome, "unavailable");
    assert_string_equal(ask(w, &(struct tbs){.issuer = "tls", .serial = 1})->outcome, "signed");
    start_token(w, &token);
    const Ipc__SignResult *first = ask_until_signed(w, &t);
    lt_slice serial;
    assert_true(verifies(spki, keyring_tbs(&w->ring, &t, &serial), slice_of(first->signature)));
    assert_true(lt_slice_eq(slice_of(ask(w, &t)->signature), slice_of(first->signature)));
    for (uint32_t i = 10; i < 60; i++) { /* many at once; each is answered once */
        (void)order(w, &(struct tbs){.issuer = "hsm", .serial = i}, "hsm", NULL);
    }
    for (uint32_t i = 10; i < 60; i++) {
        assert_string_equal(
            ((const Ipc__SignResult *)hear(w->link, &w->arena, IPC_SIGN_RESULT, NULL))->outcome, "signed");
    }
    assert_string_equal(ask(w, &(struct tbs){.issuer = "hsm", .serial = 2, .ca = true})->outcome, "refused");
    (void)order(w, &(struct tbs){.issuer = "hsm", .serial = 70}, "hsm",
                NULL); /* twice at once, other bytes */
    (void)order(w, &(struct tbs){.issuer = "hsm", .serial = 70, .variant = 1}, "hsm", NULL);
    int signatures = 0;
    for (int i = 0; i < 2; i++) {
        const Ipc__SignResult *r = hear(w->link, &w->arena, IPC_SIGN_RESULT, NULL);
        signatures += strcmp(r->outcome, "signed") == 0;
    }
    assert_int_equal(signatures, 1);
    for (uint32_t i = 100; i < 140; i++) { /* it dies among them and is back in a moment: all are answered */
        (void)order(w, &(struct tbs){.issuer = "hsm", .serial = i}, "hsm", NULL);
    }
    program_kill(&token);
    start_token(w, &token);
    for (uint32_t i = 100; i < 140; i++) {
        assert_string_equal(
            ((const Ipc__SignResult *)hear(w->link, &w->arena, IPC_SIGN_RESULT, NULL))->outcome, "signed");
    }
    assert_true(is_silent(w->link, 100));
    program_kill(&token);
    assert_string_equal(ask(w, &(struct tbs){.issuer = "hsm", .serial = 3})->outcome, "unavailable");
    assert_true(lt_slice_eq(slice_of(ask(w, &t)->signature), slice_of(first->signature)));
    static char other_uri[] = "pkcs11:token=lintel;object=other"; /* a token that signs with another key */
    w->keys[2].pkcs11_uri = other_uri;
    start_token(w, &token);
    const Ipc__SignResult *r = ask(w, &(struct tbs){.issuer = "hsm", .serial = 4});
    for (int i = 0; i < 500 && strstr(r->detail, "not that of issuer") == NULL; i++) {
        assert_string_equal(r->outcome, "unavailable");
        (void)usleep(20000);
        r = ask(w, &(struct tbs){.issuer = "hsm", .serial = 4});
    }
    assert_string_equal(r->outcome, "unavailable");
    program_kill(&token);
    w->keys[2].pkcs11_uri = (char *)(uintptr_t)uri;
    start_token(w, &token);
    (void)ask_until_signed(w, &(struct tbs){.issuer = "hsm", .serial = 3});
    assert_int_equal(program_drain(&token), 0);
    assert_int_equal(program_drain(&w->signer), 0);
    ipc_link_free(w->link);
}

int main(int argc, char **argv)
{
    LT_ASSERT(argc == 3);
    signer_path = argv[1];
    token_path = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signs_what_it_may, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_crl_lets_others_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_apart_that_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_without_a_book, setup, teardown),
        cmocka_unit_test_setup_teardown(journals_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(journals_revocations_and_knots, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_kills, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_its_book, setup, teardown),
        cmocka_unit_test_setup_teardown(lives_through_a_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(does_not_start_with, setup, teardown),
        cmocka_unit_test_setup_teardown(issues_with_a_token, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
