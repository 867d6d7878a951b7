/* The publisher as it is run: the test is its registrar, with a real book, and its examiner, with a real key.
 * A CRL reaches its file only when it is in the book, whatever comes between. */
#include "keyring.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/crl_build.h"
#include "crypto/digest.h"
#include "publish.pb-c.h"
#include "x509/tbs.h"

static const char *publisher_path;
static const char config[] = "name: Test\n"
                             "issuers:\n"
                             "  - {name: root, certificate: ca/root.pem, offline: true, crl: true}\n"
                             "  - {name: tls, certificate: ca/tls.pem, key: keys/tls.key, crl: true}\n"
                             "default-profile: tls-server\n";

enum { ROOT = 1, TLS = 2, DAY = 86400 };

static const struct store_sql add_issuer = {
    "test.issuer",
    "INSERT INTO issuer (id, name, parent, subject_sha256, spki_sha256, certificate, not_before_us, "
    "not_after_us, offline) VALUES (?1, ?2, ?3, x'00', x'00', ?4, 0, 0, ?5)"};
static const struct store_sql add_revocation = {
    "test.revocation",
    "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
    "by_whom, sequence) VALUES (2, 0, ?1, 4, ?2, ?2, ?3, 'test', 1)"};
static const struct store_sql add_to_part = {
    "test.revocation.part",
    "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
    "by_whom, sequence) VALUES (2, ?1, ?2, 4, ?3, ?3, ?4, 'test', 1)"};
static const struct store_sql add_staged = {
    "test.crl.staged",
    "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, sequence, der) "
    "VALUES (2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
static const struct store_sql add_crl = {
    "test.crl",
    "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, sequence, der) "
    "VALUES (2, 0, ?1, ?2, ?3, ?4, x'00', ?5, ?6)"};

struct world {
    struct keyring ring;
    struct program publisher;
    struct program_start start;
    struct store *store;
    struct ipc_link *registrar; /* what the test says as one */
    struct ipc_link *examiner;
    struct lt_arena arena;
};

static void put_issuer(struct world *w, int64_t id, const char *name)
{
    char path[128];
    lt_slice pem;
    lt_slice label;
    lt_slice der;
    (void)snprintf(path, sizeof path, "%s/ca/%s.pem", w->ring.folder, name);
    assert_ok(lt_file_read(&w->arena, AT_FDCWD, path, 65536, &pem));
    assert_ok(lt_pem_next(&w->arena, &pem, &label, &der));
    assert_ok(store_exec(w->store, &add_issuer,
                         STORE_ARGS(STORE_I(id), STORE_S(name), id == ROOT ? STORE_N : STORE_I(ROOT),
                                    STORE_B(der), STORE_I(id == ROOT)),
                         NULL));
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char path[128];
    keyring_new(&w->ring);
    lt_arena_init(&w->arena, (size_t)64 << 20);
    (void)snprintf(path, sizeof path, "%s/book", w->ring.folder);
    assert_int_equal(mkdir(path, 0755), 0);
    (void)snprintf(path, sizeof path, "%s/book/lintel.db", w->ring.folder);
    struct store_options o = {.path = path, .create = true};
    assert_ok(store_open(&o, &w->store));
    assert_ok(store_migrate(w->store));
    put_issuer(w, ROOT, "root");
    put_issuer(w, TLS, "tls");
    w->start = (struct program_start){.role = IPC_PUBLISHER, .config_yaml = config};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    store_close(w->store);
    keyring_done(&w->ring);
    lt_arena_done(&w->arena);
    free(w);
    return 0;
}

static void start_publisher(struct world *w)
{
    program_start(&w->publisher, &w->ring, publisher_path, &w->start);
    w->registrar = program_link(&w->publisher, IPC_REGISTRAR, IPC_PUBLISHER);
    w->examiner = program_link(&w->publisher, IPC_EXAMINER, IPC_PUBLISHER);
}

static void kill_publisher(struct world *w)
{
    program_kill(&w->publisher);
    ipc_link_free(w->registrar);
    ipc_link_free(w->examiner);
}

static void hint(struct world *w)
{
    static char tls[] = "tls";
    Ipc__PublishHint body = IPC__PUBLISH_HINT__INIT;
    body.issuer = tls;
    say(w->registrar, IPC_PUBLISH_HINT, 0, &body.base);
}

static void put_revocation(struct world *w, uint8_t serial)
{
    int64_t now_us = lt_now().us;
    assert_ok(store_exec(
        w->store, &add_revocation,
        STORE_ARGS(STORE_B(LT_SLICE(&serial, 1)), STORE_I(now_us), STORE_I(now_us + DAY * LT_US_PER_SECOND)),
        NULL));
}

static const Ipc__CrlSignRequest *hear_request(struct world *w, uint64_t *ret_id)
{
    lt_slice apart;
    const Ipc__CrlSignRequest *r = hear_apart(w->examiner, &w->arena, IPC_CRL_SIGN_REQUEST, ret_id, &apart);
    assert_int_equal(r->apart, apart.len > 0);
    assert_int_equal(r->apart, r->tbs.len == 0);
    if (r->apart) { /* as if it had come with the message */
        assert_true(apart.len > CA_CRL_IN_BOOK_MAX);
        ((Ipc__CrlSignRequest *)(uintptr_t)r)->tbs = (ProtobufCBinaryData){apart.len,
                                                                           (uint8_t *)(uintptr_t)apart.ptr};
    }
    assert_string_equal(r->issuer, "tls");
    assert_int_equal(r->number.len, 8);
    return r;
}

static void answer_request(struct world *w, uint64_t id, const char *outcome, lt_slice tbs)
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    if (tbs.len > 0) {
        assert_ok(crypto_key_sign(w->ring.tls, CRYPTO_ES256, tbs, signature, &len));
    }
    Ipc__CrlSignReply body = IPC__CRL_SIGN_REPLY__INIT;
    body.outcome = (char *)(uintptr_t)outcome;
    body.sequence = 5;
    body.signature = (ProtobufCBinaryData){len, signature};
    say(w->examiner, IPC_CRL_SIGN_REPLY, id, &body.base);
}

static void answer_store(struct world *w, uint64_t id, bool ok)
{
    Ipc__CrlStored body = IPC__CRL_STORED__INIT;
    body.ok = ok;
    say(w->registrar, IPC_CRL_STORED, id, &body.base);
}

static void put_crl(struct world *w, const Ipc__CrlStore *m)
{
    assert_ok(
        store_exec(w->store, &add_crl,
                   STORE_ARGS(STORE_B(LT_SLICE(m->number.data, m->number.len)), STORE_I(m->this_update_us),
                              STORE_I(m->next_update_us), STORE_I(m->entries), STORE_I(m->sequence),
                              STORE_B(LT_SLICE(m->der.data, m->der.len))),
                   NULL));
}

static lt_slice file_bytes(struct world *w, const char *name)
{
    char path[160];
    lt_slice bytes = {0};
    (void)snprintf(path, sizeof path, "%s/%s", w->ring.folder, name);
    lt_res r = lt_file_read(&w->arena, AT_FDCWD, path, 1 << 20, &bytes);
    assert_true(!lt_failed(r) || r.code == LT_PEER_NOT_FOUND);
    return bytes;
}

static lt_slice file_large(struct world *w, const char *name)
{
    char path[160];
    lt_slice bytes = {0};
    (void)snprintf(path, sizeof path, "%s/%s", w->ring.folder, name);
    assert_ok(lt_file_read(&w->arena, AT_FDCWD, path, 4 << 20, &bytes));
    return bytes;
}

static int entries_of(lt_slice der)
{
    const uint8_t *p = der.ptr;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);
    assert_non_null(crl);
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    int n = list == NULL ? 0 : sk_X509_REVOKED_num(list);
    X509_CRL_free(crl);
    return n;
}

/* The whole way of one CRL; what is in the file in the end. */
static lt_slice one_crl(struct world *w)
{
    uint64_t id;
    const Ipc__CrlSignRequest *r = hear_request(w, &id);
    lt_slice before = file_bytes(w, "public/crl/tls.crl");
    answer_request(w, id, "signed", LT_SLICE(r->tbs.data, r->tbs.len));
    const Ipc__CrlStore *m = hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    assert_true(lt_slice_eq(before, file_bytes(w, "public/crl/tls.crl"))); /* not before it is in the book */
    assert_true(
        lt_slice_eq(LT_SLICE(m->number.data, m->number.len), LT_SLICE(r->number.data, r->number.len)));
    assert_int_equal(m->sequence, 5);
    put_crl(w, m);
    answer_store(w, id, true);
    const Ipc__CrlPublished *p = hear(w->registrar, &w->arena, IPC_CRL_PUBLISHED, NULL);
    assert_string_equal(p->issuer, "tls");
    lt_slice der = file_bytes(w, "public/crl/tls.crl");
    assert_true(lt_slice_eq(der, LT_SLICE(m->der.data, m->der.len)));
    assert_int_equal(entries_of(der), m->entries);
    char path[160];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/public/crl/tls.crl", w->ring.folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mtime, m->this_update_us / LT_US_PER_SECOND);
    assert_int_equal(st.st_mode & 0777, 0644);
    return der;
}

static void at_start_and_when_told(void **state)
{
    struct world *w = *state;
    start_publisher(w);
    assert_int_equal(entries_of(one_crl(w)), 0);
    assert_true(file_bytes(w, "public/ca/tls.crt").len > 0);
    lt_slice chain = file_bytes(w, "public/ca/tls.chain.pem");
    lt_slice label;
    lt_slice der;
    assert_ok(lt_pem_next(&w->arena, &chain, &label, &der));
    assert_true(lt_slice_eq(der, file_bytes(w, "public/ca/tls.crt")));
    assert_ok(lt_pem_next(&w->arena, &chain, &label, &der));
    assert_true(lt_slice_eq(der, file_bytes(w, "public/ca/root.crt")));
    assert_true(is_silent(w->examiner, 600));
    put_revocation(w, 1);
    int64_t told_ms = lt_monotonic_ms();
    for (int i = 0; i < 50; i++) {
        hint(w); /* of one moment: one CRL */
    }
    assert_int_equal(entries_of(one_crl(w)), 1);
    assert_true(lt_monotonic_ms() - told_ms < 1500);
    assert_true(is_silent(w->examiner, 600));
    assert_int_equal(program_drain(&w->publisher), 0);
    ipc_link_free(w->registrar);
    ipc_link_free(w->examiner);
}

/* A revocation that comes while a CRL is on its way is on the next one. */
static void one_at_a_time(void **state)
{
    struct world *w = *state;
    start_publisher(w);
    uint64_t id;
    const Ipc__CrlSignRequest *r = hear_request(w, &id);
    put_revocation(w, 1);
    hint(w);
    assert_true(is_silent(w->examiner, 800));
    answer_request(w, id, "signed", LT_SLICE(r->tbs.data, r->tbs.len));
    const Ipc__CrlStore *m = hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    put_crl(w, m);
    answer_store(w, id, true);
    (void)hear(w->registrar, &w->arena, IPC_CRL_PUBLISHED, NULL);
    assert_int_equal(entries_of(one_crl(w)), 1);
    kill_publisher(w);
}

/* Killed between book and file: the next start puts it right before it does anything else. */
static void writes_what_the_book_has(void **state)
{
    struct world *w = *state;
    start_publisher(w);
    (void)one_crl(w);
    put_revocation(w, 9);
    hint(w);
    uint64_t id;
    const Ipc__CrlSignRequest *r = hear_request(w, &id);
    answer_request(w, id, "signed", LT_SLICE(r->tbs.data, r->tbs.len));
    const Ipc__CrlStore *m = hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    put_crl(w, m);
    kill_publisher(w);
    assert_int_equal(entries_of(file_bytes(w, "public/crl/tls.crl")), 0);
    start_publisher(w);
    lt_slice der = file_bytes(w, "public/crl/tls.crl");
    assert_true(lt_slice_eq(der, LT_SLICE(m->der.data, m->der.len)));
    assert_int_equal(entries_of(one_crl(w)), 1);
    kill_publisher(w);
}

static uint64_t number_of(const Ipc__CrlSignRequest *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->number.len; i++) {
        n = n << 8 | r->number.data[i];
    }
    return n;
}

static void asks_again_with_a_new_number(void **state)
{
    struct world *w = *state;
    start_publisher(w);
    uint64_t last = 0;
    uint64_t id;
    const Ipc__CrlSignRequest *r = NULL;
    for (int i = 0; i < 2; i++) { /* the signer is away */
        r = hear_request(w, &id);
        assert_true(number_of(r) > last);
        last = number_of(r);
        answer_request(w, id, "unavailable", LT_SLICE(NULL, 0));
    }
    r = hear_request(w, &id);
    assert_true(number_of(r) > last);
    answer_request(w, id + 1, "signed", LT_SLICE(r->tbs.data, r->tbs.len)); /* to nothing that was asked */
    assert_true(is_silent(w->registrar, 100));
    answer_request(w, id, "signed", LT_LIT("other bytes")); /* a signature that is none: not stored */
    assert_true(is_silent(w->registrar, 100));
    (void)one_crl(w);
    kill_publisher(w);
}

static void neighbours_die_in_the_middle(void **state)
{
    struct world *w = *state;
    uint64_t id;
    start_publisher(w);
    (void)hear_request(w, &id);
    ipc_link_free(w->examiner); /* with the question */
    w->examiner = program_link(&w->publisher, IPC_EXAMINER, IPC_PUBLISHER);
    const Ipc__CrlSignRequest *r = hear_request(w, &id);
    answer_request(w, id, "signed", LT_SLICE(r->tbs.data, r->tbs.len));
    (void)hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    answer_store(w, id, false); /* the registrar refuses: no file */
    r = hear_request(w, &id);
    assert_int_equal(file_bytes(w, "public/crl/tls.crl").len, 0);
    answer_request(w, id, "signed", LT_SLICE(r->tbs.data, r->tbs.len));
    const Ipc__CrlStore *m = hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    put_crl(w, m); /* the registrar dies after its commit; the next one finds the number known */
    ipc_link_free(w->registrar);
    w->registrar = program_link(&w->publisher, IPC_REGISTRAR, IPC_PUBLISHER);
    const Ipc__CrlStore *again = hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    assert_true(lt_slice_eq(LT_SLICE(again->der.data, again->der.len), LT_SLICE(m->der.data, m->der.len)));
    answer_store(w, id, false);
    (void)hear(w->registrar, &w->arena, IPC_CRL_PUBLISHED, NULL);
    assert_true(lt_slice_eq(file_bytes(w, "public/crl/tls.crl"), LT_SLICE(m->der.data, m->der.len)));
    kill_publisher(w);
}

/* Refused is refused: not asked again at once. */
static void a_refusal_is_not_hammered(void **state)
{
    struct world *w = *state;
    start_publisher(w);
    uint64_t id;
    (void)hear_request(w, &id);
    answer_request(w, id, "refused", LT_SLICE(NULL, 0));
    hint(w);
    assert_true(is_silent(w->examiner, 1000));
    kill_publisher(w);
}

/* An offline root's CRL comes from a ceremony: it is only carried out. */
static void an_offline_crl_is_copied(void **state)
{
    struct world *w = *state;
    struct tbs t = {.issuer = "root", .crl = true, .crl_number = 7};
    lt_slice serial;
    lt_slice tbs = keyring_tbs(&w->ring, &t, &serial);
    struct lt_buf der;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    char path[128];
    lt_buf_init(&der, 65536);
    assert_ok(crypto_key_sign(w->ring.root, CRYPTO_ES256, tbs, signature, &len));
    assert_ok(x509_assemble(tbs, X509_SIG_ECDSA_SHA256, LT_SLICE(signature, len), &der));
    (void)snprintf(path, sizeof path, "%s/ca/root.crl", w->ring.folder);
    assert_ok(lt_file_replace(AT_FDCWD, path, 0644, lt_buf_slice(&der)));
    start_publisher(w);
    (void)one_crl(w); /* of tls; the root asks for none */
    assert_true(lt_slice_eq(file_bytes(w, "public/crl/root.crl"), lt_buf_slice(&der)));
    assert_true(is_silent(w->examiner, 300));
    lt_buf_done(&der);
    kill_publisher(w);
}

static const char config_parts[] =
    "name: Test\n"
    "issuers:\n"
    "  - {name: root, certificate: ca/root.pem, offline: true, crl: true}\n"
    "  - {name: tls, certificate: ca/tls.pem, key: keys/tls.key, crl: true, crl-shards: 3}\n"
    "default-profile: tls-server\n";

static void put_in_part(struct world *w, uint32_t shard, uint32_t serial)
{
    uint8_t bytes[16] = {0x0d};
    int64_t now_us = lt_now().us;
    memcpy(bytes + 12, &serial, sizeof serial);
    assert_ok(store_exec(w->store, &add_to_part,
                         STORE_ARGS(STORE_I(shard), STORE_B(LT_SLICE(bytes, sizeof bytes)), STORE_I(now_us),
                                    STORE_I(now_us + DAY * LT_US_PER_SECOND)),
                         NULL));
}

static void put_stored(struct world *w, const Ipc__CrlStore *m)
{
    assert_ok(
        store_exec(w->store, &add_staged,
                   STORE_ARGS(STORE_I(m->shard), STORE_B(LT_SLICE(m->number.data, m->number.len)),
                              STORE_I(m->this_update_us), STORE_I(m->next_update_us), STORE_I(m->entries),
                              STORE_B(LT_SLICE(m->sha256.data, m->sha256.len)), STORE_I(m->sequence),
                              m->der.len == 0 ? STORE_N : STORE_B(LT_SLICE(m->der.data, m->der.len))),
                   NULL));
}

/* The whole way of whichever comes next; its shard. */
static uint32_t next_part(struct world *w, uint64_t *last_number)
{
    uint64_t id;
    const Ipc__CrlSignRequest *r = hear_request(w, &id);
    assert_true(number_of(r) > *last_number); /* over all parts */
    *last_number = number_of(r);
    answer_request(w, id, "signed", LT_SLICE(r->tbs.data, r->tbs.len));
    const Ipc__CrlStore *m = hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    put_stored(w, m);
    answer_store(w, id, true);
    const Ipc__CrlPublished *p = hear(w->registrar, &w->arena, IPC_CRL_PUBLISHED, NULL);
    assert_int_equal(p->shard, m->shard);
    return m->shard;
}

static int entries_in(struct world *w, const char *name)
{
    return entries_of(file_bytes(w, name));
}

static void parts_first(void **state)
{
    struct world *w = *state;
    uint64_t last = 0;
    uint32_t seen = 0;
    w->start.config_yaml = config_parts;
    put_in_part(w, 0, 1); /* from before there were parts */
    put_in_part(w, 2, 2);
    put_in_part(w, 2, 3);
    put_in_part(w, 3, 4);
    start_publisher(w);
    for (int i = 0; i < 3; i++) {
        seen |= 1U << next_part(w, &last);
    }
    assert_int_equal(seen, 0xe);
    assert_int_equal(next_part(w, &last), 0); /* the complete one at last */
    assert_int_equal(entries_in(w, "public/crl/tls/1.crl"), 0);
    assert_int_equal(entries_in(w, "public/crl/tls/2.crl"), 2);
    assert_int_equal(entries_in(w, "public/crl/tls/3.crl"), 1);
    assert_int_equal(entries_in(w, "public/crl/tls.crl"), 4);
    put_in_part(w, 3, 5);
    static char tls[] = "tls";
    uint32_t changed[] = {3, 77}; /* the second is nobody's */
    Ipc__PublishHint body = IPC__PUBLISH_HINT__INIT;
    body.issuer = tls;
    body.shards = changed;
    body.n_shards = LT_COUNT(changed);
    say(w->registrar, IPC_PUBLISH_HINT, 0, &body.base);
    assert_int_equal(next_part(w, &last), 3);
    assert_int_equal(next_part(w, &last), 0);
    assert_true(is_silent(w->examiner, 400)); /* the others have not changed */
    kill_publisher(w);

    w->start.config_yaml = config; /* no parts are wanted any more: those that there are stay */
    start_publisher(w);
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(next_part(w, &last), 0);
    }
    assert_int_equal(next_part(w, &last), 0);
    assert_int_equal(entries_in(w, "public/crl/tls.crl"), 5);
    kill_publisher(w);
}

/* Over a mebibyte: the book has its hash, and its bytes are safe before that. Killed in between, twice. */
static void a_large_one(void **state)
{
    struct world *w = *state;
    enum { MANY = 24000 };
    uint64_t id;
    assert_ok(store_begin(w->store));
    for (uint32_t i = 1; i <= MANY; i++) {
        put_in_part(w, 0, i);
    }
    assert_ok(store_commit(w->store));
    start_publisher(w);
    const Ipc__CrlSignRequest *r = hear_request(w, &id);
    answer_request(w, id, "signed", LT_SLICE(r->tbs.data, r->tbs.len));
    const Ipc__CrlStore *m = hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    assert_true(m->der.len == 0 && m->sha256.len == 32 && m->entries == MANY);
    kill_publisher(w); /* the book has nothing of it: it is made again */
    assert_int_equal(file_bytes(w, "public/crl/tls.crl").len, 0);
    start_publisher(w);
    assert_int_equal(file_bytes(w, "public/crl/tls.crl").len, 0);
    r = hear_request(w, &id);
    answer_request(w, id, "signed", LT_SLICE(r->tbs.data, r->tbs.len));
    m = hear(w->registrar, &w->arena, IPC_CRL_STORE, &id);
    put_stored(w, m);
    lt_slice hash = lt_arena_copy(&w->arena, LT_SLICE(m->sha256.data, m->sha256.len));
    kill_publisher(w); /* the book has its hash, and the file waits beside */
    assert_int_equal(file_bytes(w, "public/crl/tls.crl").len, 0);
    start_publisher(w);
    lt_slice der = file_large(w, "public/crl/tls.crl");
    uint8_t got[32];
    crypto_sha256(der, got);
    assert_true(lt_slice_eq(hash, LT_SLICE(got, sizeof got)));
    assert_int_equal(entries_of(der), MANY);
    (void)hear_request(w, &id);
    kill_publisher(w);
}

int main(int argc, char **argv)
{
    LT_ASSERT(argc == 2);
    publisher_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(at_start_and_when_told, setup, teardown),
        cmocka_unit_test_setup_teardown(one_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_what_the_book_has, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_again_with_a_new_number, setup, teardown),
        cmocka_unit_test_setup_teardown(neighbours_die_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_not_hammered, setup, teardown),
        cmocka_unit_test_setup_teardown(an_offline_crl_is_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_one, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
