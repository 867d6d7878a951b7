/* lintel restore --reconcile: after a book was put back from a backup. A decision of two people, as a
 * ceremony is: the script names the journal's head, and holds for that alone. The signer's journal knows what
 * the old book does not: revocations return; certificates whose intent is gone are recorded as lost, and
 * revoked if asked, as nobody can say any more what stands in them. Certificates whose intent is in the book
 * need nothing: asked again, the signer gives the same signature. Offline; one transaction.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "base/version.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/event.h"
#include "cmd/ceremony.h"
#include "cmd/verbs.h"
#include "sign.pb-c.h"
#include "signer/journal.h"

#define JOURNAL_PATH "journal/signer.log"

enum { SQL_ACKNOWLEDGED, SQL_ACKNOWLEDGE, SQL_ISSUER, SQL_INTENT, SQL_REVOKED, SQL_REVOKE, SQL_END };
static const struct store_sql sql[] = {
    [SQL_ACKNOWLEDGED] = {"restore.acknowledged", "SELECT acknowledged FROM journal WHERE signer = 'signer'"},
    [SQL_ACKNOWLEDGE] =
        {"restore.acknowledge",
         "INSERT INTO journal (signer, acknowledged, head) VALUES ('signer', ?1, ?2) "
         "ON CONFLICT (signer) DO UPDATE SET acknowledged = excluded.acknowledged, head = excluded.head"},
    [SQL_ISSUER] = {"restore.issuer", "SELECT id, not_after_us FROM issuer WHERE name = ?1"},
    [SQL_INTENT] = {"restore.intent", "SELECT 1 FROM intent WHERE issuer = ?1 AND serial = ?2"},
    [SQL_REVOKED] = {"restore.revoked",
                     "SELECT 1 FROM revocation WHERE issuer = ?1 AND shard = 0 AND serial = ?2"},
    [SQL_REVOKE] =
        {"restore.revoke",
         "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
         "by_whom, sequence) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
    [SQL_END] = {"restore.certificate",
                 "SELECT not_after_us FROM certificate WHERE issuer = ?1 AND serial = ?2 "
                 "ORDER BY copy LIMIT 1"},
};

struct restore {
    struct cmd *c;
    const char *folder;
    struct store *store;  /* owned */
    struct ca_book *book; /* owned */
    struct ca_turn turn;
    bool revoke_lost;
    int64_t acknowledged;
    uint64_t seen;
    uint64_t revocations;
    uint64_t lost;
    uint64_t lost_revoked;
    const char *people; /* who signed the script */
};

static lt_res number(struct restore *k, int statement, const struct store_value *values, size_t count,
                     int64_t *ret_number, bool *ret_found)
{
    struct store_rows rows;
    LT_TRY(store_query(k->store, &sql[statement], values, count, &rows));
    *ret_found = store_next(&rows);
    *ret_number = *ret_found ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

struct issuer {
    int64_t id;
    int64_t not_after_us;
};

static lt_res issuer_of(struct restore *k, const struct journal_entry *e, struct issuer *ret_issuer)
{
    struct store_rows rows;
    LT_TRY(store_query(k->store, &sql[SQL_ISSUER], STORE_ARGS(STORE_T(e->issuer)), &rows));
    bool found = store_next(&rows);
    *ret_issuer = (struct issuer){found ? store_int(&rows, 0) : 0, found ? store_int(&rows, 1) : 0};
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_STATE_CORRUPT, "the journal speaks of an issuer \"%.60s\" that the book does not know",
             lt_arena_cstr(&k->c->arena, e->issuer));
    return LT_OK;
}

static lt_res put_revocation(struct restore *k, const struct journal_entry *e, const struct issuer *issuer,
                             const struct store_value *reason_and_time, const char *by)
{
    bool there = false;
    int64_t end = 0;
    int64_t unused = 0;
    LT_TRY(number(k, SQL_REVOKED, STORE_ARGS(STORE_I(issuer->id), STORE_B(e->serial)), &unused, &there));
    if (there) {
        return LT_OK;
    }
    LT_TRY(number(k, SQL_END, STORE_ARGS(STORE_I(issuer->id), STORE_B(e->serial)), &end, &there));
    return store_exec(k->store, &sql[SQL_REVOKE],
                      STORE_ARGS(STORE_I(issuer->id), STORE_B(e->serial), reason_and_time[0],
                                 reason_and_time[1], STORE_I(k->c->now.us),
                                 STORE_I(there ? end : issuer->not_after_us), STORE_S(by),
                                 STORE_I(e->sequence)),
                      NULL);
}

static lt_res lost_event(struct restore *k, const struct journal_entry *e)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_text(&b, "issuer", e->issuer);
    ca_body_hex(&b, "serial", e->serial);
    ca_body_hex(&b, "tbs_sha256", LT_SLICE(e->digest, sizeof(e->digest)));
    ca_body_int(&b, "journal_sequence", (int64_t)e->sequence);
    ca_body_time(&b, "signed", (lt_time){e->time_us});
    ca_body_bool(&b, "revoked", k->revoke_lost);
    const char *serial = lt_hex(&k->c->arena, e->serial);
    const char *subject = lt_arena_printf(&k->c->arena, "certificate %.*s %s", LT_FMT(e->issuer), serial);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "too many lost certificates for one run");
    return ca_body_event(&b, &k->turn, "restore.lost", subject, LT_SLICE(e->signature.ptr, e->signature.len));
}

static lt_res take_signature(struct restore *k, const struct journal_entry *e)
{
    struct issuer issuer;
    bool there = false;
    int64_t unused = 0;
    LT_TRY(issuer_of(k, e, &issuer));
    LT_TRY(number(k, SQL_INTENT, STORE_ARGS(STORE_I(issuer.id), STORE_B(e->serial)), &unused, &there));
    if (there) {
        return LT_OK; /* asked again, the signer gives this signature */
    }
    k->lost++;
    LT_TRY(lost_event(k, e));
    if (!k->revoke_lost) {
        return LT_OK;
    }
    enum { SUPERSEDED = 4 };
    k->lost_revoked++;
    return put_revocation(
        k, e, &issuer, (const struct store_value[]){STORE_I(SUPERSEDED), STORE_I(k->c->now.us)}, "restore");
}

static lt_res visit(void *self, const struct journal_entry *e)
{
    struct restore *k = self;
    struct issuer issuer;
    if ((int64_t)e->sequence <= k->acknowledged) {
        return LT_OK;
    }
    k->seen++;
    if (e->what == JOURNAL_SIGNATURE && e->kind == IPC__SIGN_KIND__SIGN_CERTIFICATE) {
        return take_signature(k, e);
    }
    if (e->what != JOURNAL_REVOCATION) {
        return LT_OK; /* CRLs are made again with a higher number; knots stand for themselves */
    }
    k->revocations++;
    LT_TRY(issuer_of(k, e, &issuer));
    return put_revocation(
        k, e, &issuer, (const struct store_value[]){STORE_I(e->reason), STORE_I(e->revoked_us)}, "journal");
}

static lt_res finish(struct restore *k, const struct journal_summary *summary)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, "book_ended_at", k->acknowledged);
    ca_body_int(&b, "journal_ends_at", (int64_t)summary->last);
    ca_body_int(&b, "revocations", (int64_t)k->revocations);
    ca_body_int(&b, "lost", (int64_t)k->lost);
    ca_body_int(&b, "lost_revoked", (int64_t)k->lost_revoked);
    ca_body_str(&b, "signed_by", k->people);
    LT_TRY(ca_body_event(&b, &k->turn, "book.reconciled", "book", (lt_slice){NULL, 0}));
    LT_TRY(store_exec(
        k->store, &sql[SQL_ACKNOWLEDGE],
        STORE_ARGS(STORE_I(summary->last), STORE_B(LT_SLICE(summary->head, sizeof(summary->head)))), NULL));
    return cmd_flag(k->c, "yes") ? store_commit(k->store) : LT_OK;
}

static lt_res reconcile(struct restore *k, int journal)
{
    struct journal_summary summary;
    bool found = false;
    const struct ca_book_options options = {
        .store = k->store, .chain = "offline", .build = lt_version, .base_url = "", .public_http_url = ""};
    LT_TRY(store_begin(k->store));
    LT_TRY(number(k, SQL_ACKNOWLEDGED, STORE_NO_ARGS, &k->acknowledged, &found));
    LT_TRY(ca_book_open(&options, &k->book));
    ca_turn_init(&k->turn, k->store, &k->c->arena, k->c->now);
    k->turn.book = k->book;
    k->turn.random = lt_random;
    LT_TRY(journal_walk(&journal_io_posix, journal, visit, k, &summary));
    LT_CHECK(
        (int64_t)summary.last >= k->acknowledged, LT_STATE_CORRUPT,
        "the journal ends at record %llu, the book knows %lld: the journal was lost; put back its mirror",
        (unsigned long long)summary.last, (long long)k->acknowledged);
    return finish(k, &summary);
}

static lt_res say(const struct restore *k)
{
    bool did = cmd_flag(k->c, "yes");
    if (k->c->json) {
        return cmd_printf(
            "{\"done\":%s,\"records\":%llu,\"revocations\":%llu,\"lost\":%llu,\"lost_revoked\":%llu}\n",
            did ? "true" : "false", (unsigned long long)k->seen, (unsigned long long)k->revocations,
            (unsigned long long)k->lost, (unsigned long long)k->lost_revoked);
    }
    return cmd_printf(
        "%llu journal records behind the book: %llu revocations %s, %llu certificates are lost%s\n%s",
        (unsigned long long)k->seen, (unsigned long long)k->revocations, did ? "returned" : "to return",
        (unsigned long long)k->lost, k->lost_revoked > 0 ? " and revoked" : "",
        did ? "the book and the journal agree; start the family\n"
            : "to do it: lintel ceremony plan SCRIPT --restore, two signatures, then --script SCRIPT "
              "--yes\n");
}

lt_res restore_describe(const char *folder, bool revoke_lost, struct lt_buf *out)
{
    struct journal_summary summary;
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CLEANUP(lt_fd_closep) int journal = openat(dir, JOURNAL_PATH, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(journal >= 0, LT_PEER_NOT_FOUND, "%s/" JOURNAL_PATH ": %s", folder, strerror(errno));
    LT_TRY(journal_walk(&journal_io_posix, journal, NULL, NULL, &summary));
    lt_buf_addf(out, "journal-last=%llu\njournal-head=", (unsigned long long)summary.last);
    lt_hex_add(out, LT_SLICE(summary.head, sizeof(summary.head)));
    lt_buf_addf(out, "\nrevoke-lost=%s\n", revoke_lost ? "true" : "false");
    return lt_buf_check(out);
}

/* Two approvers have signed a script that is about this very journal and this very choice. */
static lt_res check_approved(struct restore *k, const char *script)
{
    struct ceremony y = {.c = k->c, .dir = -1};
    struct lt_buf people;
    struct lt_buf now;
    size_t count = 0;
    lt_buf_init(&people, 4096);
    lt_buf_init(&now, 4096);
    lt_res r = ceremony_open(&y, "root");
    r = lt_failed(r) ? r : ceremony_read(&y, script);
    r = lt_failed(r) ? r : ceremony_check(&y);
    r = lt_failed(r) ? r : ceremony_signatures(&y, script, &count, &people);
    r = lt_failed(r) ? r : restore_describe(k->folder, k->revoke_lost, &now);
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

static lt_res restore(struct restore *k)
{
    LT_CLEANUP(lt_fd_closep) int dir = open(k->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CLEANUP(lt_fd_closep) int journal = openat(dir, JOURNAL_PATH, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(journal >= 0, LT_PEER_NOT_FOUND, "%s/" JOURNAL_PATH ": %s", k->folder, strerror(errno));
    const char *path = NULL;
    LT_TRY(cmd_book(k->c, k->folder, &path));
    const struct store_options options = {.path = path};
    LT_TRY(store_open(&options, &k->store));
    lt_res r = reconcile(k, journal);
    ca_book_free(k->book);
    store_rollback(k->store); /* what --yes has not committed */
    store_close(k->store);
    LT_TRY(r);
    return say(k);
}

static lt_res run(struct cmd *c)
{
    struct restore k = {.c = c, .revoke_lost = cmd_flag(c, "revoke-lost"), .people = ""};
    const char *script = cmd_value(c, "script");
    LT_CHECK(cmd_flag(c, "reconcile"), LT_PEER_USAGE, "say --reconcile; a book is put back by copying it");
    LT_CHECK(
        script != NULL || !cmd_flag(c, "yes"), LT_POLICY_APPROVAL,
        "two people must sign: lintel ceremony plan SCRIPT --restore, ceremony sign, then --script SCRIPT");
    LT_TRY(cmd_folder(c, &k.folder));
    LT_CLEANUP(lt_fd_closep) int lock = -1;
    LT_TRY(cmd_folder_lock(k.folder, &lock));
    if (script != NULL) {
        LT_TRY(check_approved(&k, script));
    }
    return restore(&k);
}

static const struct cmd_option options[] = {
    {"reconcile", NULL, "bring the book up to the signer's journal", false, NULL},
    {"revoke-lost", NULL, "revoke certificates that were signed and are in no book", false, NULL},
    {"script", "SCRIPT", "that two approvers have signed (ceremony plan --restore)", false, NULL},
    {"yes", NULL, "do it; without this the effect is only shown", false, NULL},
};

const struct cmd_verb cmd_restore = {
    .name = "restore",
    .words = "",
    .summary = "reconcile a book that was put back from a backup with the signer's journal",
    .help = "The signer refuses a book that is behind its journal. This replays what the journal has: "
            "revocations\n"
            "return; certificates whose intent is gone are recorded as lost. Offline, in one transaction, "
            "and by the\n"
            "signatures of two approvers under a script that names the journal's head.\n"
            "\n"
            "examples:\n"
            "  lintel restore --reconcile\n"
            "  lintel ceremony plan back.script --restore --revoke-lost\n"
            "  lintel ceremony sign back.script --operator berta --key berta.key --yes\n"
            "  lintel restore --reconcile --revoke-lost --script back.script --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
