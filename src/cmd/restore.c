/* lintel restore: a backup is put back (restore_put.c), and the book and what happened since are made to
 * agree. The second is a decision of two people, as a ceremony is: the script names the journal's head and
 * the published CRLs, and holds for those alone. Revocations return, from the journal one by one and by
 * batches, and from the CRLs; certificates whose intent is gone are recorded as lost, and revoked if asked,
 * as nobody can say any more what stands in them. Certificates whose intent is in the book need nothing:
 * asked again, the signer gives the same signature. Offline; one transaction.
 */
#include "cmd/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "base/version.h"
#include "ca/body.h"
#include "ca/config.h"
#include "ca/put_back.h"
#include "ca/tally.h"
#include "cmd/backup.h"
#include "cmd/ceremony.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"
#include "sign.pb-c.h"

enum { RECORD_ARENA_MAX = 32 * 1024 * 1024, PATH_SIZE = 1024 };

enum { SQL_ACKNOWLEDGED, SQL_ACKNOWLEDGE };
static const struct store_sql sql[] = {
    [SQL_ACKNOWLEDGED] = {"restore.acknowledged", "SELECT acknowledged FROM journal WHERE signer = ?1"},
    [SQL_ACKNOWLEDGE] = {"restore.acknowledge",
                         "INSERT INTO journal (signer, acknowledged, head) VALUES (?1, ?2, ?3) ON CONFLICT "
                         "(signer) DO UPDATE SET acknowledged = excluded.acknowledged, head = excluded.head"},
};

static lt_res read_acknowledged(struct restore *k)
{
    struct store_rows rows;
    LT_TRY(store_query(k->store, &sql[SQL_ACKNOWLEDGED], STORE_ARGS(STORE_S(k->host.signer)), &rows));
    k->acknowledged = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

/* ---- the journal ---- */

static lt_res take_certificate(struct restore *k, const struct journal_entry *e)
{
    enum { SUPERSEDED = 4 };
    size_t issuer = 0;
    bool there = false;
    LT_TRY(restore_issuer_index(k, e->issuer, &issuer));
    LT_TRY(restore_has_intent(k, k->crls.issuers[issuer].id, e->serial, &there));
    if (there) {
        return LT_OK; /* asked again, the signer gives this signature */
    }
    k->lost++;
    LT_TRY(restore_lost(k, e, k->crls.issuers[issuer].name));
    if (!k->revoke_lost) {
        return LT_OK;
    }
    k->lost_revoked++;
    const struct restore_revocation r = {issuer, e->serial, SUPERSEDED, k->c->now.us, "restore", e->sequence};
    return restore_revoke(k, &r, NULL);
}

static lt_res take_crl_number(struct restore *k, const struct journal_entry *e)
{
    size_t issuer = 0;
    uint64_t number = 0;
    LT_TRY(restore_issuer_index(k, e->issuer, &issuer));
    for (size_t i = 0; i < e->serial.len; i++) {
        number = number << 8 | e->serial.ptr[i];
    }
    struct restore_issuer *of = &k->crls.issuers[issuer];
    of->journal_number = number > of->journal_number ? number : of->journal_number;
    return LT_OK;
}

static lt_res take_signature(struct restore *k, const struct journal_entry *e)
{
    if (e->kind == IPC__SIGN_KIND__SIGN_CERTIFICATE) {
        return take_certificate(k, e);
    }
    return e->kind == IPC__SIGN_KIND__SIGN_CRL ? take_crl_number(k, e) : LT_OK;
}

static lt_res take_revocation(struct restore *k, const struct journal_entry *e)
{
    size_t issuer = 0;
    LT_TRY(restore_issuer_index(k, e->issuer, &issuer));
    const struct restore_revocation r = {issuer, e->serial, e->reason, e->revoked_us, "journal", e->sequence};
    k->revocations++;
    return restore_revoke(k, &r, NULL);
}

/* A knot stands for itself. */
static lt_res take_nothing(struct restore *k, const struct journal_entry *e)
{
    (void)k;
    (void)e;
    return LT_OK;
}

static lt_res visit(void *self, const struct journal_entry *e)
{
    static lt_res (*const takers[])(struct restore * k, const struct journal_entry *e) = {
        [JOURNAL_SIGNATURE] = take_signature,
        [JOURNAL_REVOCATION] = take_revocation,
        [JOURNAL_KNOT] = take_nothing,
        [JOURNAL_REVOCATIONS] = restore_take_batch,
    };
    struct restore *k = self;
    if ((int64_t)e->sequence <= k->acknowledged) {
        return LT_OK;
    }
    k->seen++;
    LT_CHECK((size_t)e->what < LT_COUNT(takers) && takers[e->what] != NULL, LT_STATE_CORRUPT,
             "record %llu of the journal is of a kind that this program does not know",
             (unsigned long long)e->sequence);
    restore_turn(k);
    return takers[e->what](k, e);
}

/* ---- the CRLs ---- */

/* Whoever was told that a certificate is revoked is not told otherwise. */
static lt_res take_published(struct restore *k)
{
    for (size_t i = 0; i < k->crls.entry_count; i++) {
        struct restore_entry *e = &k->crls.entries[i];
        const struct restore_revocation r = {
            e->issuer, LT_SLICE(e->serial, e->serial_len), e->reason, e->revoked_us, "crl", 0};
        restore_turn(k);
        LT_TRY(restore_revoke(k, &r, &e->unknown));
        k->published += e->unknown;
    }
    return restore_put_crls(k);
}

/* ---- all of it ---- */

static bool nothing_to_decide(const struct restore *k)
{
    return k->revocations + k->batches + k->published + k->lost == 0;
}

static lt_res finish(struct restore *k, const struct journal_summary *summary)
{
    struct ca_body b;
    if (!k->put_back && k->seen + k->halts + k->blocked_keys == 0 && nothing_to_decide(k)) {
        return LT_OK; /* done before, or never needed */
    }
    restore_turn(k);
    ca_body_init(&b);
    ca_body_int(&b, "book_ended_at", k->acknowledged);
    ca_body_int(&b, "journal_ends_at", (int64_t)summary->last);
    ca_body_int(&b, "revocations", (int64_t)k->revocations);
    ca_body_int(&b, "batches", (int64_t)k->batches);
    ca_body_int(&b, "batch_members", (int64_t)k->batch_members);
    ca_body_int(&b, "published", (int64_t)k->published);
    ca_body_int(&b, "missing", (int64_t)k->missing);
    ca_body_int(&b, "holds", (int64_t)k->holds);
    ca_body_int(&b, "halts", (int64_t)k->halts);
    ca_body_int(&b, "blocked_keys", (int64_t)k->blocked_keys);
    ca_body_int(&b, "lost", (int64_t)k->lost);
    ca_body_int(&b, "lost_revoked", (int64_t)k->lost_revoked);
    ca_body_str(&b, "signed_by", k->people);
    LT_TRY(ca_body_event(&b, &k->turn, "book.reconciled", "book", (lt_slice){NULL, 0}));
    LT_TRY(store_exec(k->store, &sql[SQL_ACKNOWLEDGE],
                      STORE_ARGS(STORE_S(k->host.signer), STORE_I((int64_t)summary->last),
                                 STORE_B(LT_SLICE(summary->head, sizeof(summary->head)))),
                      NULL));
    LT_TRY(ca_tally_anew(k->store)); /* nobody has kept it here: the next registrar counts */
    LT_TRY(ca_put_back_clear(k->store));
    if (!cmd_flag(k->c, "yes")) {
        return LT_OK;
    }
    LT_CHECK(
        k->people[0] != 0 || nothing_to_decide(k), LT_POLICY_APPROVAL,
        "two people must sign: lintel ceremony plan SCRIPT --restore, ceremony sign, then --script SCRIPT");
    LT_CHECK(
        k->missing == 0 || k->forget_missing, LT_POLICY_REFUSED,
        "%llu members of revoked batches are named by neither book, evidence nor CRLs (some may have been "
        "held, or revoked before): find later CRLs, or --forget-missing",
        (unsigned long long)k->missing);
    return store_commit(k->store);
}

/* A journal that is not there yet is fine: then nothing was ever signed. */
static lt_res walk(struct restore *k, struct journal_summary *ret_summary)
{
    LT_CLEANUP(lt_fd_closep) int fd = openat(k->dir, BACKUP_JOURNAL, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(fd >= 0 || k->put_back, LT_PEER_NOT_FOUND, "%.100s/" BACKUP_JOURNAL ": %s", k->folder,
             strerror(errno));
    if (fd < 0 && errno == ENOENT) {
        *ret_summary = (struct journal_summary){.first = 0};
    } else {
        LT_TRY(journal_walk(&journal_io_posix, fd, visit, k, ret_summary));
    }
    LT_CHECK(
        (int64_t)ret_summary->last >= k->acknowledged, LT_STATE_CORRUPT,
        "the journal ends at record %llu, the book knows %lld: the journal was lost; put back its mirror",
        (unsigned long long)ret_summary->last, (long long)k->acknowledged);
    return LT_OK;
}

/* The journal has reasons and times to the microsecond, so it comes before the CRLs. */
static lt_res reconcile(struct restore *k)
{
    struct journal_summary summary = {.first = 0};
    const struct ca_book_options options = {
        .store = k->store, .chain = "offline", .build = lt_version, .base_url = "", .public_http_url = ""};
    LT_TRY(store_begin(k->store));
    LT_TRY(ca_book_open(&options, &k->book));
    LT_TRY(read_acknowledged(k));
    LT_TRY(ca_put_back_get(k->store, &k->put_back));
    LT_TRY(restore_issuers(k));
    LT_TRY(restore_read_crls(k));
    LT_TRY(restore_read_holds(k));
    LT_TRY(walk(k, &summary));
    LT_TRY(restore_read_sealed(k));
    LT_TRY(take_published(k));
    LT_TRY(restore_count_missing(k));
    LT_TRY(restore_read_examiner(k));
    return finish(k, &summary);
}

static lt_res say_json(const struct restore *k, bool did)
{
    return cmd_printf("{\"done\":%s,\"records\":%llu,\"revocations\":%llu,\"batches\":%llu,"
                      "\"batch_members\":%llu,\"published\":%llu,\"crls\":%zu,\"missing\":%llu,"
                      "\"lost\":%llu,\"lost_revoked\":%llu,\"halts\":%llu,\"blocked_keys\":%llu}\n",
                      did ? "true" : "false", (unsigned long long)k->seen, (unsigned long long)k->revocations,
                      (unsigned long long)k->batches, (unsigned long long)k->batch_members,
                      (unsigned long long)k->published, k->crls.count, (unsigned long long)k->missing,
                      (unsigned long long)k->lost, (unsigned long long)k->lost_revoked,
                      (unsigned long long)k->halts, (unsigned long long)k->blocked_keys);
}

static const char *what_next(const struct restore *k, bool did)
{
    if (did) {
        return "the book and the journal agree; start the family\n";
    }
    if (nothing_to_decide(k)) {
        return "nothing is to be decided: lintel restore --reconcile --yes\n";
    }
    return "to do it: lintel ceremony plan SCRIPT --restore, two signatures, then --script SCRIPT --yes\n";
}

static lt_res say(const struct restore *k)
{
    bool did = cmd_flag(k->c, "yes");
    if (k->c->json) {
        return say_json(k, did);
    }
    const char *back = did ? "returned" : "to return";
    LT_TRY(cmd_printf("%llu journal records behind the book\n"
                      "%llu revocations %s\n"
                      "%llu batches of mass revocations, %llu certificates of them %s\n"
                      "%llu entries of %zu published CRLs %s\n"
                      "%llu halts and %llu blocked keys of the examiner's memory %s\n"
                      "%llu certificates are lost%s\n",
                      (unsigned long long)k->seen, (unsigned long long)k->revocations, back,
                      (unsigned long long)k->batches, (unsigned long long)k->batch_members, back,
                      (unsigned long long)k->published, k->crls.count, back, (unsigned long long)k->halts,
                      (unsigned long long)k->blocked_keys, back, (unsigned long long)k->lost,
                      k->lost_revoked > 0 ? " and revoked" : ""));
    LT_TRY(k->missing == 0
               ? LT_OK
               : cmd_printf("MISSING: %llu members of revoked batches, and nothing here names them (some may "
                            "have been held, or revoked before)\n",
                            (unsigned long long)k->missing));
    return cmd_printf("%s", what_next(k, did));
}

/* ---- two people ---- */

lt_res restore_describe(const char *folder, const struct restore_choice *choice, struct lt_buf *out)
{
    struct journal_summary summary;
    uint8_t crls[CA_HASH_LEN];
    struct lt_arena a;
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_USAGE, "%.150s: %s", folder, strerror(errno));
    LT_TRY(backup_walk_journal(dir, &summary));
    lt_arena_init(&a, RECORD_ARENA_MAX);
    lt_res r = restore_crls_hash(dir, &a, crls);
    lt_arena_done(&a);
    LT_TRY(r);
    lt_buf_addf(out, "journal-last=%llu\njournal-head=", (unsigned long long)summary.last);
    lt_hex_add(out, LT_SLICE(summary.head, sizeof(summary.head)));
    lt_buf_add_cstr(out, "\ncrls-sha256=");
    lt_hex_add(out, LT_SLICE(crls, sizeof(crls)));
    lt_buf_addf(out, "\nrevoke-lost=%s\nforget-missing=%s\n", choice->revoke_lost ? "true" : "false",
                choice->forget_missing ? "true" : "false");
    return lt_buf_check(out);
}

/* Two approvers have signed a script that is about this very journal and this very choice. */
static lt_res check_approved(struct restore *k, const char *script)
{
    struct ceremony y = {.c = k->c, .dir = -1};
    const struct restore_choice choice = {k->revoke_lost, k->forget_missing};
    struct lt_buf people;
    struct lt_buf now;
    size_t count = 0;
    lt_buf_init(&people, 4096);
    lt_buf_init(&now, 4096);
    lt_res r = ceremony_open(&y, "root");
    r = lt_failed(r) ? r : ceremony_read(&y, script);
    r = lt_failed(r) ? r : ceremony_check(&y);
    r = lt_failed(r) ? r : ceremony_signatures(&y, script, &count, &people);
    r = lt_failed(r) ? r : restore_describe(k->folder, &choice, &now);
    size_t needed = y.config != NULL && y.config->approvals_needed > CEREMONY_PEOPLE
                        ? y.config->approvals_needed
                        : CEREMONY_PEOPLE;
    if (!lt_failed(r) &&
        (strcmp(y.script.action, "restore") != 0 || !lt_slice_eq(y.script.tbs, lt_buf_slice(&now)))) {
        r = lt_fail(LT_POLICY_APPROVAL, __FILE__, __LINE__,
                    "%.100s is not about this journal and this choice; plan it anew", script);
    } else if (!lt_failed(r) && count < needed) {
        r = lt_fail(LT_POLICY_APPROVAL, __FILE__, __LINE__,
                    "%zu of %zu signatures: lintel ceremony sign %.100s --operator NAME", count, needed,
                    script);
    }
    k->people = lt_failed(r) ? NULL : lt_arena_cstr(&k->c->arena, lt_buf_slice(&people));
    lt_buf_done(&now);
    lt_buf_done(&people);
    ceremony_close(&y);
    return r;
}

/* The signer syncs the mirror first: where it goes further, it is the truth. */
static lt_res check_mirror(const struct restore *k, const struct ca_config *config)
{
    struct journal_summary here;
    struct journal_summary there = {.first = 0};
    char path[PATH_SIZE];
    bool absolute = config->journal_mirror[0] == '/';
    if (config->journal_mirror[0] == 0) {
        return LT_OK;
    }
    (void)snprintf(path, sizeof path, "%s%s%s/signer.log", absolute ? "" : k->folder, absolute ? "" : "/",
                   config->journal_mirror);
    LT_TRY(backup_walk_journal(k->dir, &here));
    LT_CLEANUP(lt_fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    LT_TRY(fd < 0 ? LT_OK : journal_walk(&journal_io_posix, fd, NULL, NULL, &there));
    LT_CHECK(there.last <= here.last, LT_POLICY_REFUSED,
             "the mirror %.80s goes on to record %llu, the journal here ends at %llu: copy the mirror over "
             "it first",
             path, (unsigned long long)there.last, (unsigned long long)here.last);
    return LT_OK;
}

static lt_res open_book(struct restore *k)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    LT_TRY(ca_config_load(k->folder, &config));
    const struct store_options o = {.path = ca_config_store(config, k->folder, &k->c->arena)};
    LT_CHECK(o.path != NULL, LT_PEER_USAGE, "%.100s: the path is too long", k->folder);
    LT_TRY(check_mirror(k, config));
    LT_TRY(store_open(&o, &k->store));
    LT_TRY(store_migrate(k->store));
    return ca_host_find(k->store, config->host, &k->host);
}

static lt_res reconcile_folder(struct restore *k)
{
    lt_res r = open_book(k);
    if (!lt_failed(r)) {
        r = reconcile(k);
        struct lt_error why = *lt_error_last();
        ca_book_free(k->book);
        store_rollback(k->store); /* what --yes has not committed */
        r = lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : r;
    }
    store_close(k->store);
    restore_crls_done(&k->crls);
    free(k->unknown);
    LT_TRY(r);
    return say(k);
}

static lt_res run_reconcile(struct cmd *c)
{
    struct restore k = {.c = c,
                        .dir = -1,
                        .revoke_lost = cmd_flag(c, "revoke-lost"),
                        .forget_missing = cmd_flag(c, "forget-missing"),
                        .people = ""};
    const char *script = cmd_value(c, "script");
    LT_TRY(cmd_folder(c, &k.folder));
    LT_CLEANUP(lt_fd_closep) int lock = -1;
    LT_TRY(cmd_folder_lock(k.folder, &lock));
    LT_TRY(script != NULL ? check_approved(&k, script) : LT_OK);
    LT_CLEANUP(lt_fd_closep) int dir = open(k.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_USAGE, "%.150s: %s", k.folder, strerror(errno));
    k.dir = dir;
    lt_arena_init(&k.arena, RECORD_ARENA_MAX);
    lt_res r = reconcile_folder(&k);
    lt_arena_done(&k.arena);
    return r;
}

static lt_res run(struct cmd *c)
{
    bool reconcile_it = cmd_flag(c, "reconcile");
    crypto_start();
    LT_CHECK(reconcile_it == (c->args.word_count == 0), LT_PEER_USAGE,
             "either a backup: lintel restore FOLDER; or, behind that: lintel restore --reconcile");
    LT_CHECK(reconcile_it || (cmd_value(c, "script") == NULL && !cmd_flag(c, "revoke-lost") &&
                              !cmd_flag(c, "forget-missing")),
             LT_PEER_USAGE, "--script, --revoke-lost and --forget-missing go with --reconcile");
    return reconcile_it ? run_reconcile(c) : restore_put(c, c->args.words[0]);
}

static const struct cmd_option options[] = {
    {"reconcile", NULL, "bring the book up to the signer's journal and the published CRLs", false, NULL},
    {"revoke-lost", NULL, "revoke certificates that were signed and are in no book", false, NULL},
    {"forget-missing", NULL, "go on although nothing names all members of a batch", false, NULL},
    {"script", "SCRIPT", "that two approvers have signed (ceremony plan --restore)", false, NULL},
    {"yes", NULL, "do it; without this the effect is only shown", false, NULL},
};

const struct cmd_verb cmd_restore = {
    .name = "restore",
    .words = "[FOLDER]",
    .words_most = 1,
    .summary = "put a backup back, and reconcile its book with what happened since",
    .help =
        "With a FOLDER that lintel backup made: its files are checked, then its book takes the place of the "
        "one "
        "that is\n"
        "there, which is kept beside it. Nothing newer is overwritten: evidence only grows, and the signer's "
        "journal\n"
        "stays where there is one. The book is marked, and the family does not start on it.\n"
        "\n"
        "With --reconcile: what the journal and the published CRLs below public/crl know and the book does "
        "not "
        "comes\n"
        "back: revocations, batches of mass revocations, CRL numbers; certificates whose intent is gone are "
        "recorded as\n"
        "lost. Offline, in one transaction, and by the signatures of two approvers under a script that names "
        "the\n"
        "journal's head and the CRLs. Where there is nothing to decide, --yes is enough.\n"
        "\n"
        "examples:\n"
        "  lintel restore /backup/20261122T1000Z\n"
        "  lintel restore /backup/20261122T1000Z --yes\n"
        "  lintel restore --reconcile\n"
        "  lintel ceremony plan back.script --restore --revoke-lost\n"
        "  lintel ceremony sign back.script --operator berta --key berta.key --yes\n"
        "  lintel restore --reconcile --revoke-lost --script back.script --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
