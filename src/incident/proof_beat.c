/* See proof_beat.h. */
#include "incident/proof_beat.h"

#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/compromise.h"
#include "ca/ready.h"
#include "incident/clock.h"
#include "incident/notice.h"

static const struct store_sql sql[] = {
    {"proof.open",
     "SELECT spki_sha256, proof, problem, filer, received_us, proven_us, certificates, revoked_us, "
     "step, at_issuer, at_serial FROM key_compromise WHERE step < 4 ORDER BY proven_us LIMIT 100"},
    {"proof.step", "UPDATE key_compromise SET step = ?2, revoked_us = ?3 WHERE spki_sha256 = ?1"},
    {"proof.counted", "UPDATE key_compromise SET at_issuer = ?2, at_serial = ?3 WHERE spki_sha256 = ?1"},
    {"proof.masses", "SELECT status FROM mass WHERE scope_sha256 = ?1 ORDER BY id DESC LIMIT 16"},
    {"proof.page", "SELECT issuer, serial, account, not_after_us FROM certificate WHERE spki_sha256 = ?1 AND "
                   "(issuer, serial) > (?2, ?3) AND copy = 0 ORDER BY issuer, serial LIMIT 1000"},
    {"proof.account-add",
     "INSERT INTO key_compromise_account (spki_sha256, account, certificates, told) VALUES (?1, ?2, ?3, 0) "
     "ON CONFLICT (spki_sha256, account) DO UPDATE SET certificates = "
     "key_compromise_account.certificates + excluded.certificates"},
    {"proof.account-next",
     "SELECT account, certificates FROM key_compromise_account WHERE spki_sha256 = ?1 AND "
     "told = 0 ORDER BY account LIMIT 20"},
    {"proof.account-told",
     "UPDATE key_compromise_account SET told = 1 WHERE spki_sha256 = ?1 AND account = ?2"},
    {"proof.account-sum",
     "SELECT coalesce(sum(certificates), 0) FROM key_compromise_account WHERE spki_sha256 = ?1"},
    {"proof.nonce-over", "SELECT nonce_sha256 FROM proof_nonce_used WHERE expires_us <= ?1 "
                         "ORDER BY expires_us LIMIT 100"},
    {"proof.nonce-drop", "DELETE FROM proof_nonce_used WHERE nonce_sha256 = ?1"},
};
enum {
    SQL_OPEN,
    SQL_STEP,
    SQL_COUNTED,
    SQL_MASSES,
    SQL_PAGE,
    SQL_ACCOUNT_ADD,
    SQL_ACCOUNT_NEXT,
    SQL_ACCOUNT_TOLD,
    SQL_ACCOUNT_SUM,
    SQL_NONCE_OVER,
    SQL_NONCE_DROP,
};
const struct incident_sql incident_proof_beat_sql = {sql, LT_COUNT(sql)};

enum { OPEN_MAX = 100, PAGE_MAX = 1000, TELL_MAX = 20, PATIENCE_S = 60, AT_ONCE = 10 };
#define DUTY "revoke-tls/key-compromise"

struct row {
    lt_slice key;
    const char *proof;
    const char *subject; /* "key HEX" */
    int64_t problem;
    const char *filer;
    int64_t received_us;
    int64_t proven_us;
    int64_t certificates;
    int64_t revoked_us;
    int64_t step;
    int64_t at_issuer;
    lt_slice at_serial;
};

static char *text(struct ca_turn *t, const struct store_rows *rows, int column)
{
    char *s = lt_arena_cstr(t->arena, store_bytes(rows, column));
    LT_ASSERT(s != NULL);
    return s;
}

static lt_res load(struct ca_turn *t, struct row list[OPEN_MAX], size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_OPEN], NULL, 0, &rows));
    while (*ret_count < OPEN_MAX && store_next(&rows)) {
        struct row *r = &list[(*ret_count)++];
        *r = (struct row){.key = lt_arena_copy(t->arena, store_bytes(&rows, 0)),
                          .proof = text(t, &rows, 1),
                          .problem = store_int(&rows, 2),
                          .filer = text(t, &rows, 3),
                          .received_us = store_int(&rows, 4),
                          .proven_us = store_int(&rows, 5),
                          .certificates = store_int(&rows, 6),
                          .revoked_us = store_int(&rows, 7),
                          .step = store_int(&rows, 8),
                          .at_issuer = store_int(&rows, 9),
                          .at_serial = lt_arena_copy(t->arena, store_bytes(&rows, 10))};
        LT_ASSERT(r->key.ptr != NULL && r->at_serial.ptr != NULL);
        r->subject = lt_arena_printf(t->arena, "key %s", lt_hex(t->arena, r->key));
        LT_ASSERT(r->subject != NULL);
    }
    return store_rows_end(&rows);
}

static lt_res move(struct ca_turn *t, struct row *r, int64_t step)
{
    r->step = step;
    return store_exec(t->store, &sql[SQL_STEP],
                      STORE_ARGS(STORE_B(r->key), STORE_I(step), STORE_I(r->revoked_us)), NULL);
}

/* ---- until none is left ---- */

static lt_res mass_runs(struct ca_turn *t, lt_slice key, bool *ret_runs)
{
    struct store_rows rows;
    *ret_runs = false;
    LT_TRY(store_query(t->store, &sql[SQL_MASSES], STORE_ARGS(STORE_B(key)), &rows));
    while (!*ret_runs && store_next(&rows)) {
        lt_slice status = store_bytes(&rows, 0);
        *ret_runs = !lt_slice_eq_cstr(status, "done") && !lt_slice_eq_cstr(status, "stopped");
    }
    return store_rows_end(&rows);
}

static lt_res none_left(struct ca_turn *t, struct row *r)
{
    struct ca_body b;
    r->revoked_us = t->now.us;
    LT_TRY(move(t, r, CA_COMPROMISE_COUNTING));
    ca_body_init(&b);
    ca_body_hex(&b, "spki_sha256", r->key);
    ca_body_int(&b, "certificates", r->certificates);
    ca_body_time(&b, "proven", (lt_time){r->proven_us});
    ca_body_int(&b, "milliseconds", (r->revoked_us - r->proven_us) / LT_US_PER_MS);
    LT_TRY(ca_body_event(&b, t, "proof.settled", r->subject, LT_SLICE(NULL, 0)));
    return incident_clock_meet(t, r->subject, DUTY, t->now, "event proof.settled");
}

static lt_res step_revoking(struct ca_turn *t, struct row *r, bool *ret_moved)
{
    int64_t live = 0;
    bool known = false;
    bool runs = false;
    int64_t clock = 0;
    const struct incident_clock_start start = {DUTY, r->subject, {r->received_us}, "event proof.accepted"};
    LT_TRY(r->certificates > 0 ? incident_clock_open(t, &start, &clock) : LT_OK);
    LT_TRY(ca_compromise_count(t, r->key, &live, &known));
    LT_TRY(mass_runs(t, r->key, &runs));
    *ret_moved = live == 0 && !runs;
    if (*ret_moved) {
        return none_left(t, r);
    }
    if (r->step == CA_COMPROMISE_LATE || t->now.us - r->proven_us < PATIENCE_S * LT_US_PER_SECOND) {
        return LT_OK;
    }
    LT_TRY(move(t, r, CA_COMPROMISE_LATE));
    return incident_page(t, "high", r->subject,
                         "certificates of a key that has proven to be compromised are still not revoked, a "
                         "minute later: lintel mass list");
}

/* ---- who had them ---- */

/* One page of its certificates that were valid when the proof came. A subscriber may stand in it often. */
static lt_res count_page(struct ca_turn *t, struct row *r, size_t *ret_seen)
{
    struct {
        int64_t account;
        int64_t count;
    } *seen = lt_arena_array(t->arena, PAGE_MAX, sizeof *seen);
    size_t accounts = 0;
    struct store_rows rows;
    LT_ASSERT(seen != NULL);
    *ret_seen = 0;
    LT_TRY(store_query(t->store, &sql[SQL_PAGE],
                       STORE_ARGS(STORE_B(r->key), STORE_I(r->at_issuer), STORE_B(r->at_serial)), &rows));
    while (*ret_seen < PAGE_MAX && store_next(&rows)) {
        int64_t account = store_is_null(&rows, 2) ? 0 : store_int(&rows, 2);
        (*ret_seen)++;
        r->at_issuer = store_int(&rows, 0);
        r->at_serial = lt_arena_copy(t->arena, store_bytes(&rows, 1));
        LT_ASSERT(r->at_serial.ptr != NULL);
        if (account == 0 || store_int(&rows, 3) <= r->proven_us) {
            continue;
        }
        size_t at = accounts; /* most often the last one again */
        while (at > 0 && seen[at - 1].account != account) {
            at--;
        }
        at = at == 0 ? accounts++ : at - 1;
        seen[at].account = account;
        seen[at].count++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < accounts; i++) {
        LT_TRY(store_exec(t->store, &sql[SQL_ACCOUNT_ADD],
                          STORE_ARGS(STORE_B(r->key), STORE_I(seen[i].account), STORE_I(seen[i].count)),
                          NULL));
    }
    return store_exec(t->store, &sql[SQL_COUNTED],
                      STORE_ARGS(STORE_B(r->key), STORE_I(r->at_issuer), STORE_B(r->at_serial)), NULL);
}

static lt_res step_counting(struct ca_turn *t, struct row *r)
{
    size_t seen = 0;
    LT_TRY(count_page(t, r, &seen));
    return seen < PAGE_MAX ? move(t, r, CA_COMPROMISE_TELLING) : LT_OK;
}

/* ---- telling ---- */

static const char *proof_words(const char *proof)
{
    static const struct {
        const char *kind;
        const char *words;
    } words[] = {
        {CA_COMPROMISE_BY_ACME, "a revocation request (ACME) signed by the key itself"},
        {"csr", "a certification request by the key that says so"},
        {"kca", "a key compromise attestation (draft-mpalmer-key-compromise-attestation)"},
        {"pock", "a certificate that proves it (PoCK)"},
        {"pwnedkeys", "an attestation of pwnedkeys.com, signed by the key"},
        {"nonce", "a nonce of ours, signed by the key"},
        {"private-key", "the private key itself"},
    };
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (strcmp(words[i].kind, proof) == 0) {
            return words[i].words;
        }
    }
    return proof;
}

static lt_res params(struct ca_turn *t, const struct row *r, int64_t account, int64_t certificates,
                     const char **ret_json)
{
    char when[LT_RFC3339_SIZE];
    struct ca_body b;
    char *number = lt_arena_printf(t->arena, "%lld", (long long)certificates);
    char *whose = lt_arena_printf(t->arena, "%lld", (long long)account);
    LT_ASSERT(number != NULL && whose != NULL);
    lt_time_rfc3339((lt_time){r->revoked_us}, when);
    ca_body_init(&b);
    ca_body_str(&b, "certificates", number);
    if (account != 0) {
        ca_body_str(&b, "account", whose);
    }
    ca_body_str(&b, "key", r->subject + strlen("key "));
    ca_body_str(&b, "when", when);
    ca_body_str(&b, "proof", proof_words(r->proof));
    return ca_body_cstr(&b, t->arena, ret_json);
}

static lt_res tell_account(struct ca_turn *t, const struct row *r, int64_t account, int64_t certificates)
{
    const char *json = NULL;
    int64_t count = 0;
    LT_TRY(params(t, r, account, certificates, &json));
    const struct incident_notice n = {
        .kind = "key-blocked", .subject = r->subject, .params = json, .account = account};
    LT_TRY(incident_notice_account(t, &n, &count));
    return store_exec(t->store, &sql[SQL_ACCOUNT_TOLD], STORE_ARGS(STORE_B(r->key), STORE_I(account)), NULL);
}

static lt_res tell_filer(struct ca_turn *t, const struct row *r)
{
    struct store_rows rows;
    const char *json = NULL;
    int64_t sum = 0;
    LT_TRY(store_query(t->store, &sql[SQL_ACCOUNT_SUM], STORE_ARGS(STORE_B(r->key)), &rows));
    sum = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(params(t, r, 0, sum, &json));
    const struct incident_notice n = {
        .kind = "proof-accepted", .subject = r->subject, .channel = "mail", .to = r->filer, .params = json};
    return incident_notice_add(t, &n, NULL);
}

static lt_res step_telling(struct ca_turn *t, struct row *r)
{
    struct {
        int64_t account;
        int64_t certificates;
    } list[TELL_MAX];
    size_t count = 0;
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_ACCOUNT_NEXT], STORE_ARGS(STORE_B(r->key)), &rows));
    while (count < TELL_MAX && store_next(&rows)) {
        list[count].account = store_int(&rows, 0);
        list[count++].certificates = store_int(&rows, 1);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(tell_account(t, r, list[i].account, list[i].certificates));
    }
    if (count == TELL_MAX) {
        return LT_OK;
    }
    bool filer = r->filer[0] != '\0' && !lt_failed(ca_ready_address(lt_slice_cstr(r->filer)));
    LT_TRY(filer ? tell_filer(t, r) : LT_OK);
    return move(t, r, CA_COMPROMISE_DONE);
}

/* ---- the beat ---- */

static lt_res drop_nonces(struct ca_turn *t)
{
    enum { DROP_MAX = 100 };
    lt_slice hashes[DROP_MAX];
    size_t count = 0;
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_NONCE_OVER], STORE_ARGS(STORE_I(t->now.us)), &rows));
    while (count < DROP_MAX && store_next(&rows)) {
        hashes[count] = lt_arena_copy(t->arena, store_bytes(&rows, 0));
        LT_ASSERT(hashes[count].ptr != NULL);
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(store_exec(t->store, &sql[SQL_NONCE_DROP], STORE_ARGS(STORE_B(hashes[i])), NULL));
    }
    return LT_OK;
}

static lt_res one_step(struct ca_turn *t, struct row *r, bool *ret_moved)
{
    *ret_moved = true;
    switch ((enum ca_compromise_step)r->step) {
    case CA_COMPROMISE_REVOKING:
    case CA_COMPROMISE_LATE:
        return step_revoking(t, r, ret_moved);
    case CA_COMPROMISE_COUNTING:
        return step_counting(t, r);
    case CA_COMPROMISE_TELLING:
        return step_telling(t, r);
    case CA_COMPROMISE_DONE:
        break;
    }
    *ret_moved = false;
    return LT_OK;
}

lt_res incident_proof_beat(struct incident_beat *b, bool *ret_more)
{
    struct row *list = LT_NEW_ARRAY(b->t->arena, struct row, OPEN_MAX);
    size_t count = 0;
    size_t moved = 0;
    LT_ASSERT(list != NULL);
    LT_TRY(drop_nonces(b->t));
    LT_TRY(load(b->t, list, &count));
    for (size_t i = 0; i < count && moved < AT_ONCE; i++) {
        bool one = false;
        LT_TRY(one_step(b->t, &list[i], &one));
        moved += one ? 1 : 0;
    }
    *ret_more = moved > 0;
    return LT_OK;
}
