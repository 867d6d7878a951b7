/* The examiner as it is run: what it passes on, what it answers while the signer is away, and what it still
 * knows of a CRL after it was killed. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "publish.pb-c.h"
#include "puppet.h"
#include "sign.pb-c.h"
#include "x509/cert.h"
#include "x509/crl.h"

static const char *lintel;
static struct lt_arena standing; /* as long as the program */
static struct x509_cert issuer;  /* "tls" */
static char tls[] = "tls";
static char word_signed[] = "signed";
static char word_recorded[] = "recorded";
static uint8_t bytes[70] = {0x30};

static int set_up(void **state)
{
    (void)state;
    lt_slice pem = {0};
    lt_slice label = {0};
    lt_slice der = {0};
    puppet_make_folder(lintel);
    lt_arena_init(&standing, 1 << 22);
    LT_CLEANUP(lt_fd_closep) int dir = open(puppet_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_ok(lt_file_read(&standing, dir, "ca/ca/tls.pem", 65536, &pem));
    assert_ok(lt_pem_next(&standing, &pem, &label, &der));
    assert_ok(x509_cert_parse(der, &standing, &issuer));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&standing);
    puppet_remove_folder();
    return 0;
}

static void say(struct ipc_link *link, enum ipc_type type, uint64_t id, const ProtobufCMessage *body)
{
    assert_ok(ipc_link_send(link, type, id, body, NULL, 0));
}

/* The id too, which puppet_expect keeps to itself. */
static const ProtobufCMessage *hear(struct puppet *p, struct ipc_link *link, enum ipc_type type,
                                    uint64_t *ret_id)
{
    struct ipc_msg m = {0};
    lt_res got = {LT_RETRY_AGAIN};
    for (int i = 0; i < 10000 && got.code == LT_RETRY_AGAIN; i++) {
        lt_arena_reset(&p->arena);
        got = ipc_link_recv(link, &p->arena, &m);
        (void)usleep(got.code == 0 ? 0 : 1000); /* a shorter wait is fine */
    }
    assert_ok(got);
    assert_int_equal(m.type, type);
    *ret_id = m.from.id;
    return m.body;
}

/* Its first word says by which rules it judges. */
static struct ipc_link *link_registrar(struct puppet *p)
{
    uint64_t id = 0;
    struct ipc_link *registrar = puppet_link(p, IPC_REGISTRAR, 0);
    assert_non_null(strchr(((const Ipc__Rules *)hear(p, registrar, IPC_RULES, &id))->rule_set, '+'));
    return registrar;
}

/* ---- revocations and knots ---- */

static Ipc__RevocationRecord revocation(void)
{
    static uint8_t serial[16] = {0x0c, 1};
    Ipc__RevocationRecord m = IPC__REVOCATION_RECORD__INIT;
    m.issuer = tls;
    m.serial = (ProtobufCBinaryData){sizeof(serial), serial};
    m.reason = 4;
    m.revoked_us = lt_now().us;
    return m;
}

static Ipc__Knot knot(void)
{
    static uint8_t head[32] = {1};
    static char chain[] = "registrar";
    Ipc__Knot m = IPC__KNOT__INIT;
    m.chain = chain;
    m.sequence = 9;
    m.head = (ProtobufCBinaryData){sizeof(head), head};
    return m;
}

static void passed_on(void **state)
{
    (void)state;
    struct puppet p;
    uint64_t id = 0;
    puppet_start(&p, IPC_EXAMINER);
    struct ipc_link *signer = puppet_link(&p, IPC_SIGNER, 0);
    struct ipc_link *registrar = link_registrar(&p);

    Ipc__RevocationRecord r = revocation();
    say(registrar, IPC_REVOCATION_RECORD, 77, &r.base);
    const Ipc__RevocationRecord *got = (const Ipc__RevocationRecord *)hear(&p, signer, IPC_REVOCATION_RECORD,
                                                                           &id);
    assert_int_equal(got->serial.len, r.serial.len);
    Ipc__RevocationRecorded recorded = IPC__REVOCATION_RECORDED__INIT;
    recorded.outcome = word_recorded;
    recorded.sequence = 5;
    say(signer, IPC_REVOCATION_RECORDED, id, &recorded.base);
    const Ipc__RevocationRecorded *answer = (const Ipc__RevocationRecorded *)hear(
        &p, registrar, IPC_REVOCATION_RECORDED, &id);
    assert_int_equal(id, 77);
    assert_string_equal(answer->outcome, "recorded");

    Ipc__Knot k = knot();
    say(registrar, IPC_KNOT, 9, &k.base);
    assert_int_equal(((const Ipc__Knot *)hear(&p, signer, IPC_KNOT, &id))->sequence, 9);
    assert_int_equal(id, 9);

    Ipc__JournalReplay replay = IPC__JOURNAL_REPLAY__INIT;
    replay.last = true;
    replay.signer_last_sequence = 12;
    say(signer, IPC_JOURNAL_REPLAY, 0, &replay.base);
    assert_int_equal(
        ((const Ipc__JournalReplay *)hear(&p, registrar, IPC_JOURNAL_REPLAY, &id))->signer_last_sequence, 12);
    ipc_link_free(signer);
    ipc_link_free(registrar);
    puppet_drain(&p);
}

static void without_a_signer(void **state)
{
    (void)state;
    struct puppet p;
    uint64_t id = 0;
    puppet_start(&p, IPC_EXAMINER);
    struct ipc_link *registrar = link_registrar(&p);
    Ipc__RevocationRecord r = revocation();
    say(registrar, IPC_REVOCATION_RECORD, 1, &r.base);
    assert_string_equal(
        ((const Ipc__RevocationRecorded *)hear(&p, registrar, IPC_REVOCATION_RECORDED, &id))->outcome,
        "unavailable");
    Ipc__Knot k = knot();
    say(registrar, IPC_KNOT, 2, &k.base);
    assert_int_equal(((const Ipc__KnotSigned *)hear(&p, registrar, IPC_KNOT_SIGNED, &id))->signature.len, 0);

    /* What the registrar said of the book reaches the signer when it comes, and again when another comes. */
    Ipc__JournalAck ack = IPC__JOURNAL_ACK__INIT;
    ack.sequence = 30;
    ack.book_hello = true;
    say(registrar, IPC_JOURNAL_ACK, 0, &ack.base);
    ack.sequence = 31;
    ack.book_hello = false;
    say(registrar, IPC_JOURNAL_ACK, 0, &ack.base);
    say(registrar, IPC_KNOT, 3, &k.base);
    (void)hear(&p, registrar, IPC_KNOT_SIGNED, &id); /* so both have been read */
    for (int i = 0; i < 2; i++) {
        struct ipc_link *signer = puppet_link(&p, IPC_SIGNER, 0);
        const Ipc__JournalAck *hello = (const Ipc__JournalAck *)hear(&p, signer, IPC_JOURNAL_ACK, &id);
        assert_true(hello->book_hello);
        assert_int_equal(hello->sequence, 31);
        ipc_link_free(signer);
    }
    ipc_link_free(registrar);
    puppet_drain(&p);
}

static void a_registrar_that_talks_rubbish(void **state)
{
    (void)state;
    static uint8_t short_head[31] = {0};
    static char unknown[] = "nobody";
    for (int i = 0; i < 4; i++) {
        struct puppet p;
        puppet_start(&p, IPC_EXAMINER);
        struct ipc_link *signer = puppet_link(&p, IPC_SIGNER, 0);
        int raw = puppet_raw(&p, IPC_REGISTRAR, 0);
        Ipc__RevocationRecord r = revocation();
        Ipc__Knot k = knot();
        if (i == 0) {
            r.issuer = unknown;
        } else if (i == 1) {
            r.serial.len = 0;
        } else if (i == 2) {
            r.reason = 11;
        } else {
            k.head = (ProtobufCBinaryData){sizeof(short_head), short_head};
        }
        puppet_say(raw, i < 3 ? IPC_REVOCATION_RECORD : IPC_KNOT, i < 3 ? &r.base : &k.base);
        puppet_expect_complaint(&p, IPC_REGISTRAR, raw);
        assert_false(puppet_heard(&p, signer, IPC_REVOCATION_RECORD));
        ipc_link_free(signer);
        (void)close(raw); /* cut already */
        puppet_drain(&p);
    }
}

/* ---- keys and halts ---- */

static void verdicts(void **state)
{
    (void)state;
    struct puppet p;
    uint64_t id = 0;
    static uint8_t hash[32] = {3};
    static char why[] = "leaked";
    static char halt[] = "h1";
    puppet_start(&p, IPC_EXAMINER);
    struct ipc_link *registrar = link_registrar(&p);
    Ipc__KeyBlock block = IPC__KEY_BLOCK__INIT;
    block.spki_sha256 = (ProtobufCBinaryData){sizeof(hash), hash};
    block.reason = why;
    say(registrar, IPC_KEY_BLOCK, 1, &block.base);
    assert_true(((const Ipc__ExaminerVerdict *)hear(&p, registrar, IPC_EXAMINER_VERDICT, &id))->accepted);
    Ipc__KeyUnblock unblock = IPC__KEY_UNBLOCK__INIT;
    unblock.spki_sha256 = block.spki_sha256;
    say(registrar, IPC_KEY_UNBLOCK, 2, &unblock.base);
    assert_false(((const Ipc__ExaminerVerdict *)hear(&p, registrar, IPC_EXAMINER_VERDICT, &id))->accepted);
    Ipc__HaltLift lift = IPC__HALT_LIFT__INIT;
    lift.halt_id = halt;
    say(registrar, IPC_HALT_LIFT, 3, &lift.base);
    assert_false(((const Ipc__ExaminerVerdict *)hear(&p, registrar, IPC_EXAMINER_VERDICT, &id))->accepted);
    Ipc__LintException except = IPC__LINT_EXCEPTION__INIT;
    say(registrar, IPC_LINT_EXCEPTION, 4, &except.base);
    assert_false(((const Ipc__ExaminerVerdict *)hear(&p, registrar, IPC_EXAMINER_VERDICT, &id))->accepted);
    assert_int_equal(id, 4);
    ipc_link_free(registrar);
    puppet_drain(&p);
}

/* ---- CRLs ---- */

struct list {
    uint64_t number;
    uint32_t shard;      /* 0 or 7 */
    const char *serials; /* of one byte each */
    uint32_t many;       /* serials of four bytes behind them */
};

static void write_list(const struct list *l, lt_slice number, struct lt_buf *out)
{
    struct x509_crl_builder b;
    lt_time now = lt_time_from_seconds(lt_time_seconds(lt_now()));
    struct x509_crl_spec s = {
        .sig_alg = x509_sig_alg_for(issuer.spki.type),
        .issuer = issuer.subject.der,
        .aki = issuer.ext.ski,
        .this_update = now,
        .next_update = lt_time_add_seconds(now, 7 * LT_SECONDS_PER_DAY),
        .number = number,
        .idp_url = l->shard == 0 ? LT_LIT("") : LT_LIT("http://pki.example.com/crl/tls/7.crl"),
        .only_user_certificates = l->shard != 0,
    };
    x509_crl_begin(&b, &s, out);
    for (const char *c = l->serials; *c != 0; c++) {
        x509_crl_add(&b, LT_SLICE(c, 1), now, 1);
    }
    for (uint32_t i = 0; i < l->many; i++) {
        const uint8_t serial[4] = {'a', (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        x509_crl_add(&b, LT_SLICE(serial, 4), now, 1);
    }
    assert_ok(x509_crl_end(&b));
}

static void ask_for_list(struct ipc_link *publisher, const struct list *l, uint64_t id, bool apart)
{
    struct lt_buf tbs;
    uint8_t n[8];
    int fd = -1;
    for (size_t i = 0; i < sizeof(n); i++) {
        n[i] = (uint8_t)(l->number >> (56 - 8 * i));
    }
    lt_buf_init(&tbs, 1 << 26);
    write_list(l, LT_SLICE(n, sizeof(n)), &tbs);
    Ipc__CrlSignRequest m = IPC__CRL_SIGN_REQUEST__INIT;
    m.issuer = tls;
    m.shard = l->shard;
    m.number = (ProtobufCBinaryData){sizeof(n), n};
    m.apart = apart;
    if (apart) {
        assert_ok(ipc_sealed_new(lt_buf_slice(&tbs), &fd));
        assert_ok(ipc_link_send(publisher, IPC_CRL_SIGN_REQUEST, id, &m.base, &fd, 1));
        (void)close(fd);
    } else {
        m.tbs = (ProtobufCBinaryData){tbs.len, tbs.ptr};
        say(publisher, IPC_CRL_SIGN_REQUEST, id, &m.base);
    }
    lt_buf_done(&tbs);
}

static void ask_for_part(struct ipc_link *publisher, uint64_t number, const char *serials, uint64_t id,
                         uint32_t shard)
{
    ask_for_list(publisher, &(struct list){.number = number, .shard = shard, .serials = serials}, id, false);
}

static void ask_for_crl(struct ipc_link *publisher, uint64_t number, const char *serials, uint64_t id)
{
    ask_for_part(publisher, number, serials, id, 0);
}

static void sign_crl(struct puppet *p, struct ipc_link *signer, struct ipc_link *publisher, uint64_t id)
{
    uint64_t order = 0;
    uint64_t got = 0;
    const Ipc__SignOrder *o = (const Ipc__SignOrder *)hear(p, signer, IPC_SIGN_ORDER, &order);
    assert_int_equal(o->kind, IPC__SIGN_KIND__SIGN_CRL);
    Ipc__SignResult result = IPC__SIGN_RESULT__INIT;
    result.outcome = word_signed;
    result.signature = (ProtobufCBinaryData){sizeof(bytes), bytes};
    say(signer, IPC_SIGN_RESULT, order, &result.base);
    const Ipc__CrlSignReply *reply = (const Ipc__CrlSignReply *)hear(p, publisher, IPC_CRL_SIGN_REPLY, &got);
    assert_string_equal(reply->outcome, "signed");
    assert_int_equal(got, id);
}

static void is_refused(struct puppet *p, struct ipc_link *publisher, const char *outcome, const char *detail)
{
    uint64_t id = 0;
    const Ipc__CrlSignReply *reply = (const Ipc__CrlSignReply *)hear(p, publisher, IPC_CRL_SIGN_REPLY, &id);
    assert_string_equal(reply->outcome, outcome);
    if (strstr(reply->detail, detail) == NULL) {
        fail_msg("'%s' does not say '%s'", reply->detail, detail);
    }
}

static void a_crl_is_remembered(void **state)
{
    (void)state;
    struct puppet p;
    puppet_start(&p, IPC_EXAMINER);
    struct ipc_link *signer = puppet_link(&p, IPC_SIGNER, 0);
    struct ipc_link *publisher = puppet_link(&p, IPC_PUBLISHER, 0);
    ask_for_crl(publisher, 1000, "AB", 1);
    sign_crl(&p, signer, publisher, 1);
    ask_for_crl(publisher, 1001, "ABC", 2);
    sign_crl(&p, signer, publisher, 2);
    /* A part has a memory of its own. */
    ask_for_part(publisher, 1002, "XY", 8, 7);
    sign_crl(&p, signer, publisher, 8);
    ask_for_part(publisher, 1003, "X", 8, 7);
    is_refused(&p, publisher, "refused", "lost-entry");
    /* A publisher that lies: an empty list under another's name, and a number that leaves no other. */
    ask_for_part(publisher, 1003, "", 8, 6);
    is_refused(&p, publisher, "refused", "does not say that it is");
    ask_for_crl(publisher, INT64_MAX, "ABC", 9);
    is_refused(&p, publisher, "refused", "runs ahead");
    assert_false(puppet_heard(&p, signer, IPC_SIGN_ORDER));
    ask_for_crl(publisher, 1002, "AC", 3);
    is_refused(&p, publisher, "refused", "lost-entry");
    ipc_link_free(signer);
    ipc_link_free(publisher);
    puppet_kill(&p);

    puppet_start(&p, IPC_EXAMINER);
    signer = puppet_link(&p, IPC_SIGNER, 0);
    publisher = puppet_link(&p, IPC_PUBLISHER, 0);
    ask_for_crl(publisher, 1003, "AB", 4);
    is_refused(&p, publisher, "refused", "lost-entry");
    ask_for_crl(publisher, 1001, "ABCD", 5);
    is_refused(&p, publisher, "refused", "does not grow");
    /* One at a time; and when the signer goes, its order is answered. */
    ask_for_crl(publisher, 1004, "ABCD", 6);
    ask_for_crl(publisher, 1005, "ABCD", 7);
    is_refused(&p, publisher, "unavailable", "is being signed");
    ipc_link_free(signer);
    is_refused(&p, publisher, "unavailable", "the signer is gone");
    ask_for_crl(publisher, 1006, "ABCD", 8);
    is_refused(&p, publisher, "unavailable", "the signer is away");
    ipc_link_free(publisher);
    puppet_drain(&p);
}

static uint64_t number_of(const Ipc__SignOrder *o)
{
    uint64_t n = 0;
    for (size_t i = 0; i < o->serial.len; i++) {
        n = n << 8 | o->serial.data[i];
    }
    return n;
}

/* The signer gets the very bytes of the publisher, and signs. */
static void sign_apart(struct puppet *p, struct ipc_link *signer, struct ipc_link *publisher, uint64_t number)
{
    struct ipc_msg m = {0};
    uint64_t id = 0;
    lt_res got = {LT_RETRY_AGAIN};
    for (int i = 0; i < 10000 && got.code == LT_RETRY_AGAIN; i++) {
        lt_arena_reset(&p->arena);
        got = ipc_link_recv(signer, &p->arena, &m);
        (void)usleep(got.code == 0 ? 0 : 1000); /* a shorter wait is fine */
    }
    assert_ok(got);
    const Ipc__SignOrder *o = (const Ipc__SignOrder *)m.body;
    assert_int_equal(m.type, IPC_SIGN_ORDER);
    assert_int_equal(number_of(o), number);
    assert_true(o->apart && o->tbs.len == 0 && m.fd_count == 1);
    lt_slice mapped;
    struct x509_crl crl;
    struct lt_arena a;
    lt_arena_init(&a, 1 << 20);
    assert_ok(ipc_sealed_map(m.fds[0], 1 << 26, &mapped));
    assert_ok(x509_crl_tbs_parse(mapped, &a, &crl));
    assert_true(crl.entry_count > 100000);
    (void)munmap((void *)(uintptr_t)mapped.ptr, mapped.len);
    lt_arena_done(&a);
    ipc_msg_done(&m);
    Ipc__SignResult result = IPC__SIGN_RESULT__INIT;
    result.outcome = word_signed;
    result.signature = (ProtobufCBinaryData){sizeof(bytes), bytes};
    say(signer, IPC_SIGN_RESULT, m.from.id, &result.base);
    const Ipc__CrlSignReply *reply = (const Ipc__CrlSignReply *)hear(p, publisher, IPC_CRL_SIGN_REPLY, &id);
    assert_string_equal(reply->outcome, "signed");
}

/* While a large CRL is judged, others are served; CRLs alone wait behind it, so that numbers reach the signer
 * in their order. What is missing from it is found, be it the last of many. */
static void a_large_crl_lets_others_pass(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    struct puppet p;
    uint64_t id = 0;
    uint8_t head[32] = {1};
    Ipc__Knot k = IPC__KNOT__INIT;
    k.chain = tls;
    k.head = (ProtobufCBinaryData){32, head};
    puppet_start(&p, IPC_EXAMINER);
    struct ipc_link *signer = puppet_link(&p, IPC_SIGNER, 0);
    struct ipc_link *registrar = link_registrar(&p);
    struct ipc_link *publisher = puppet_link(&p, IPC_PUBLISHER, 0);
    ask_for_list(publisher, &(struct list){.number = 3000, .serials = "ABCD", .many = MANY}, 1, true);
    ask_for_part(publisher, 3001, "XYZ", 2, 7);
    say(registrar, IPC_KNOT, 9, &k.base);
    (void)hear(&p, signer, IPC_KNOT, &id); /* first, though it came last */
    sign_apart(&p, signer, publisher, 3000);
    const Ipc__SignOrder *o = (const Ipc__SignOrder *)hear(&p, signer, IPC_SIGN_ORDER, &id);
    assert_true(number_of(o) == 3001 && !o->apart && o->tbs.len > 0);
    ask_for_list(publisher, &(struct list){.number = 3002, .serials = "ABCD", .many = MANY - 1}, 3, true);
    is_refused(&p, publisher, "refused", "lost-entry");
    ask_for_list(publisher, &(struct list){.number = 3003, .serials = "ABC", .many = MANY}, 4, true);
    is_refused(&p, publisher, "refused", "lost-entry");
    ask_for_list(publisher, &(struct list){.number = 3004, .serials = "ABCDFE", .many = MANY}, 5, true);
    is_refused(&p, publisher, "refused", "ascending");
    puppet_kill(&p);
    ipc_link_free(signer);
    ipc_link_free(registrar);
    ipc_link_free(publisher);

    puppet_start(&p, IPC_EXAMINER); /* it was remembered, as whole as it was */
    signer = puppet_link(&p, IPC_SIGNER, 0);
    publisher = puppet_link(&p, IPC_PUBLISHER, 0);
    ask_for_list(publisher, &(struct list){.number = 3005, .serials = "ABCD", .many = MANY - 1}, 6, true);
    is_refused(&p, publisher, "refused", "lost-entry");
    ask_for_list(publisher, &(struct list){.number = 3006, .serials = "ABCDE", .many = MANY + 1}, 7, true);
    sign_apart(&p, signer, publisher, 3006);
    /* Nobody there to sign: an answer all the same. */
    ipc_link_free(signer);
    ask_for_list(publisher, &(struct list){.number = 3007, .serials = "ABCDE", .many = MANY + 1}, 8, true);
    is_refused(&p, publisher, "unavailable", "the signer is away");
    ipc_link_free(publisher);
    puppet_drain(&p);
}

/* Killed at any moment of a large CRL it knows the one before, whole, or the new one. */
static void killed_over_a_large_crl(void **state)
{
    (void)state;
    enum { MANY = 150000, KILLS = 12 };
    struct puppet p;
    uint64_t number = 4000;
    for (unsigned i = 0; i < KILLS; i++) {
        puppet_start(&p, IPC_EXAMINER);
        struct ipc_link *signer = puppet_link(&p, IPC_SIGNER, 0);
        struct ipc_link *publisher = puppet_link(&p, IPC_PUBLISHER, 0);
        /* The complete CRL of the tests before has serials that this one has, too. */
        struct list lost = {.number = ++number, .serials = "ABCDE", .many = 1000};
        ask_for_list(publisher, &lost, 1, true);
        is_refused(&p, publisher, "refused", "lost-entry");
        struct list more = {.number = ++number, .serials = "ABCDE", .many = 200001 + MANY + i};
        ask_for_list(publisher, &more, 2, true);
        (void)usleep(i * 15000); /* judged, written, or with the signer */
        puppet_kill(&p);
        ipc_link_free(signer);
        ipc_link_free(publisher);
    }
    puppet_start(&p, IPC_EXAMINER);
    struct ipc_link *signer = puppet_link(&p, IPC_SIGNER, 0);
    struct ipc_link *publisher = puppet_link(&p, IPC_PUBLISHER, 0);
    struct list last = {.number = ++number, .serials = "ABCDE", .many = 200001 + MANY + KILLS};
    ask_for_list(publisher, &last, 3, true);
    sign_apart(&p, signer, publisher, number);
    ipc_link_free(signer);
    ipc_link_free(publisher);
    puppet_drain(&p);
}

/* Bytes that are said to lie beside a message, and do not, or could still change. */
static void bytes_apart_that_are_none(void **state)
{
    (void)state;
    struct puppet p;
    for (int i = 0; i < 2; i++) {
        puppet_start(&p, IPC_EXAMINER);
        struct ipc_link *publisher = puppet_link(&p, IPC_PUBLISHER, 0);
        Ipc__CrlSignRequest m = IPC__CRL_SIGN_REQUEST__INIT;
        m.issuer = tls;
        m.apart = true;
        int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        assert_int_equal(write(fd, "0", 1), 1);
        assert_ok(ipc_link_send(publisher, IPC_CRL_SIGN_REQUEST, 1, &m.base, &fd, i == 0 ? 1 : 0));
        (void)close(fd);
        const Ipc__Misbehaved *said = (const Ipc__Misbehaved *)puppet_expect(&p, p.control, IPC_MISBEHAVED);
        assert_int_equal(said->role, IPC_PUBLISHER);
        ipc_link_free(publisher);
        puppet_drain(&p);
    }
}

/* A CRL has no intent that its refusal could be written beside: the registrar hears of it, once for the same
 * words. */
static void a_refused_crl_is_told(void **state)
{
    (void)state;
    struct puppet p;
    uint64_t id = 0;
    puppet_start(&p, IPC_EXAMINER);
    struct ipc_link *signer = puppet_link(&p, IPC_SIGNER, 0);
    struct ipc_link *registrar = link_registrar(&p);
    struct ipc_link *publisher = puppet_link(&p, IPC_PUBLISHER, 0);
    ask_for_part(publisher, 2000, "", 1, 6);
    is_refused(&p, publisher, "refused", "does not say that it is");
    const Ipc__Refused *m = (const Ipc__Refused *)hear(&p, registrar, IPC_REFUSED, &id);
    assert_string_equal(m->kind, "crl.refused");
    assert_string_equal(m->subject, "crl tls");
    assert_string_equal(m->refusal, "constraint");
    assert_non_null(strstr(m->detail, "does not say that it is"));
    assert_non_null(strchr(m->rule_set, '+'));
    ask_for_part(publisher, 2001, "", 2, 6);
    is_refused(&p, publisher, "refused", "does not say that it is");
    ask_for_crl(publisher, INT64_MAX, "ABC", 3);
    is_refused(&p, publisher, "refused", "runs ahead");
    m = (const Ipc__Refused *)hear(&p, registrar, IPC_REFUSED, &id);
    assert_non_null(strstr(m->detail, "runs ahead")); /* the one between was told already */
    ipc_link_free(signer);
    ipc_link_free(registrar);
    ipc_link_free(publisher);
    puppet_drain(&p);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: test_role_examiner LINTEL LIBEXEC\n");
        return 2;
    }
    lintel = argv[1];
    puppet_libexec = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passed_on),
        cmocka_unit_test(without_a_signer),
        cmocka_unit_test(a_registrar_that_talks_rubbish),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(a_crl_is_remembered),
        cmocka_unit_test(a_large_crl_lets_others_pass),
        cmocka_unit_test(killed_over_a_large_crl),
        cmocka_unit_test(bytes_apart_that_are_none),
        cmocka_unit_test(a_refused_crl_is_told),
    };
    return cmocka_run_group_tests_name("role/examiner", tests, set_up, tear_down);
}
