/* One notice for every subscriber of a frozen list. First its members are gone through, 1,000 rows at a time,
 * and added up by account; then each account's addresses become rows, 250 accounts at a time. How far it is
 * stands in the row, in the same transaction: a registrar that dies goes on where it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/desk.h"
#include "ca/body.h"
#include "ca/ready.h"
#include "ca/truth.h"
#include "crypto/digest.h"
#include "incident/notice_private.h"
#include "incident/notice_text.h"

#define COLUMNS                                                                                         \
    "SELECT id, subject, kind, mass, status, at_tier, at_issuer, at_serial, at_account, certificates, " \
    "accounts, notices, unreached, sent, failed, written_us FROM notice_batch WHERE "

static const struct store_sql sql[] = {
    {"batch.last", "SELECT coalesce(max(id), 0) FROM notice_batch"},
    {"batch.add",
     "INSERT INTO notice_batch (id, subject, kind, mass, params, status, at_tier, at_issuer, at_serial, "
     "at_account, certificates, accounts, notices, unreached, sent, failed, created_us, created_by, "
     "written_us, ended_us) VALUES (?1, ?2, ?3, ?4, ?5, 'collecting', -1, 0, x'', 0, 0, 0, 0, 0, 0, 0, ?6, "
     "?7, 0, 0)"},
    {"batch.open", COLUMNS "(status = 'collecting' OR status = 'writing' OR status = 'sending') AND id > ?1 "
                           "ORDER BY id LIMIT 1"},
    {"batch.same", COLUMNS "subject = ?1 AND kind = ?2 AND mass = ?3 ORDER BY id DESC LIMIT 1"},
    {"batch.of", COLUMNS "subject = ?1 ORDER BY id DESC LIMIT 1"},
    {"batch.params", "SELECT params FROM notice_batch WHERE id = ?1"},
    {"batch.members",
     "SELECT m.tier, m.issuer, m.serial, c.account FROM mass_member m LEFT JOIN certificate c ON c.issuer = "
     "m.issuer AND c.serial = m.serial AND c.copy = 0 WHERE m.mass = ?1 AND (m.tier, m.issuer, m.serial) > "
     "(?2, ?3, ?4) ORDER BY m.tier, m.issuer, m.serial LIMIT ?5"},
    {"batch.account-add",
     "INSERT INTO notice_account (batch, account, certificates) VALUES (?1, ?2, ?3) ON CONFLICT (batch, "
     "account) DO UPDATE SET certificates = notice_account.certificates + excluded.certificates"},
    {"batch.collected",
     "UPDATE notice_batch SET at_tier = ?2, at_issuer = ?3, at_serial = ?4, certificates = "
     "certificates + ?5, status = ?6 WHERE id = ?1"},
    {"batch.accounts", "SELECT account, certificates FROM notice_account WHERE batch = ?1 AND account > ?2 "
                       "ORDER BY account LIMIT ?3"},
    {"batch.written",
     "UPDATE notice_batch SET at_account = ?2, accounts = accounts + ?3, notices = notices + "
     "?4, unreached = unreached + ?5 WHERE id = ?1"},
    {"batch.state", "UPDATE notice_batch SET status = ?2, written_us = ?3, ended_us = ?4 WHERE id = ?1"},
    {"batch.sent", "UPDATE notice_batch SET sent = sent + 1 WHERE id = ?1"},
    {"batch.failed", "UPDATE notice_batch SET failed = failed + 1 WHERE id = ?1"},
    {"batch.members-open", "SELECT m.tier, m.issuer, m.serial, c.account, (SELECT t.state FROM "
                           "certificate_truth t WHERE t.issuer = m.issuer "
                           "AND t.serial = m.serial ORDER BY t.step DESC LIMIT 1) FROM mass_member m LEFT "
                           "JOIN certificate c ON c.issuer = "
                           "m.issuer AND c.serial = m.serial AND c.copy = 0 WHERE m.mass = ?1 AND (m.tier, "
                           "m.issuer, m.serial) > (?2, ?3, "
                           "?4) ORDER BY m.tier, m.issuer, m.serial LIMIT ?5"},
    {"batch.freezing", "SELECT 1 FROM mass WHERE id = ?1 AND status = 'freezing'"},
};
enum {
    SQL_LAST,
    SQL_ADD,
    SQL_OPEN,
    SQL_SAME,
    SQL_OF,
    SQL_PARAMS,
    SQL_MEMBERS,
    SQL_ACCOUNT_ADD,
    SQL_COLLECTED,
    SQL_ACCOUNTS,
    SQL_WRITTEN,
    SQL_STATE,
    SQL_SENT,
    SQL_FAILED,
    SQL_MEMBERS_OPEN,
    SQL_FREEZING,
};
const struct incident_sql incident_notice_batch_sql = {sql, LT_COUNT(sql)};

enum { MEMBERS_STEP = 1000, ACCOUNTS_STEP = 250, SERIAL_MAX = 20 };

struct batch {
    int64_t id; /* 0: there is none */
    const char *subject;
    const char *kind;
    int64_t mass;
    const char *status;
    int64_t at_tier;
    int64_t at_issuer;
    lt_slice at_serial;
    int64_t at_account;
    struct incident_notified n;
};

static lt_res load(struct ca_turn *t, const struct store_sql *q, const struct store_value *values,
                   size_t count, struct batch *ret_batch)
{
    struct store_rows rows;
    struct batch b = {.id = 0};
    LT_TRY(store_query(t->store, q, values, count, &rows));
    if (store_next(&rows)) {
        b = (struct batch){
            .id = store_int(&rows, 0),
            .subject = lt_arena_cstr(t->arena, store_bytes(&rows, 1)),
            .kind = lt_arena_cstr(t->arena, store_bytes(&rows, 2)),
            .mass = store_int(&rows, 3),
            .status = lt_arena_cstr(t->arena, store_bytes(&rows, 4)),
            .at_tier = store_int(&rows, 5),
            .at_issuer = store_int(&rows, 6),
            .at_serial = lt_arena_copy(t->arena, store_bytes(&rows, 7)),
            .at_account = store_int(&rows, 8),
            .n = {.certificates = store_int(&rows, 9),
                  .accounts = store_int(&rows, 10),
                  .notices = store_int(&rows, 11),
                  .unreached = store_int(&rows, 12),
                  .sent = store_int(&rows, 13),
                  .failed = store_int(&rows, 14),
                  .written = {store_int(&rows, 15)}},
        };
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(b.id == 0 || (b.subject != NULL && b.kind != NULL && b.status != NULL), LT_PEER_TOO_LARGE,
             "the notices are too large");
    (void)snprintf(b.n.status, sizeof b.n.status, "%s", b.id == 0 ? "" : b.status); /* it fits */
    *ret_batch = b;
    return LT_OK;
}

lt_res incident_batch_params(struct ca_turn *t, int64_t batch, const char **ret_params)
{
    struct store_rows rows;
    *ret_params = "{}";
    LT_TRY(store_query(t->store, &sql[SQL_PARAMS], STORE_ARGS(STORE_I(batch)), &rows));
    if (store_next(&rows)) {
        *ret_params = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(*ret_params != NULL, LT_PEER_TOO_LARGE, "the notices are too large");
    return LT_OK;
}

static lt_res say(struct ca_turn *t, const struct batch *b, const char *kind, lt_slice jws)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_int(&body, "batch", b->id);
    ca_body_str(&body, "notice_kind", b->kind);
    ca_body_int(&body, "mass", b->mass);
    ca_body_int(&body, "certificates", b->n.certificates);
    ca_body_int(&body, "accounts", b->n.accounts);
    ca_body_int(&body, "notices", b->n.notices);
    ca_body_int(&body, "unreached", b->n.unreached);
    ca_body_int(&body, "sent", b->n.sent);
    ca_body_int(&body, "failed", b->n.failed);
    return ca_body_event(&body, t, kind, b->subject, jws);
}

/* ---- begun ---- */

static lt_res check(struct ca_turn *t, const struct incident_notify *n)
{
    const struct incident_template *template = incident_template_find(n->kind);
    const char *whole = NULL;
    LT_CHECK(template != NULL, LT_PEER_MALFORMED, "there is no notice of the kind \"%.40s\"", n->kind);
    LT_CHECK(strlen(n->params) <= INCIDENT_NOTICE_PARAMS_MAX, LT_PEER_TOO_LARGE,
             "a notice of more than %d bytes", INCIDENT_NOTICE_PARAMS_MAX);
    LT_TRY(
        incident_params_join(t, n->params, "{\"account\":\"\",\"certificates\":\"\",\"page\":\"\"}", &whole));
    return incident_template_check(template, whole);
}

/* Goes to those alone who have something left to do, and more than once. */
static bool is_reminder(const char *kind)
{
    return strcmp(kind, "reminder") == 0;
}

lt_res incident_notify(struct ca_turn *t, const struct incident_notify *n, int64_t *ret_batch)
{
    struct batch b;
    struct store_rows rows;
    LT_TRY(check(t, n));
    LT_TRY(load(t, &sql[SQL_SAME], STORE_ARGS(STORE_S(n->subject), STORE_S(n->kind), STORE_I(n->mass)), &b));
    if (b.id != 0 && !(is_reminder(n->kind) && strcmp(b.status, "done") == 0)) {
        *ret_batch = b.id;
        return LT_OK;
    }
    b = (struct batch){.subject = n->subject, .kind = n->kind, .mass = n->mass};
    LT_TRY(store_query(t->store, &sql[SQL_LAST], STORE_NO_ARGS, &rows));
    b.id = store_next(&rows) ? store_int(&rows, 0) + 1 : 1;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(b.id), STORE_S(n->subject), STORE_S(n->kind), STORE_I(n->mass),
                                 STORE_S(n->params), STORE_I(t->now.us), STORE_S(n->by)),
                      NULL));
    *ret_batch = b.id;
    return say(t, &b, "notices.begun", (lt_slice){0});
}

lt_res incident_notified(struct ca_turn *t, const char *subject, struct incident_notified *ret_state)
{
    struct batch b;
    LT_TRY(load(t, &sql[SQL_OF], STORE_ARGS(STORE_S(subject)), &b));
    *ret_state = b.n;
    return LT_OK;
}

/* ---- whose certificates they are ---- */

static int compare(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static lt_res add_accounts(struct ca_turn *t, const struct batch *b, int64_t *accounts, size_t count)
{
    qsort(accounts, count, sizeof *accounts, compare);
    for (size_t i = 0; i < count;) {
        size_t same = i;
        while (same < count && accounts[same] == accounts[i]) {
            same++;
        }
        if (accounts[i] != 0) {
            LT_TRY(store_exec(t->store, &sql[SQL_ACCOUNT_ADD],
                              STORE_ARGS(STORE_I(b->id), STORE_I(accounts[i]), STORE_I((int64_t)(same - i))),
                              NULL));
        }
        i = same;
    }
    return LT_OK;
}

static bool is_replaced(const struct store_rows *rows, int column)
{
    int64_t state = store_is_null(rows, column) ? CA_TRUTH_SILENT : store_int(rows, column);
    return state == CA_TRUTH_DEPLOYED || state == CA_TRUTH_NOT_SEEN;
}

static lt_res collect(struct ca_turn *t, const struct batch *b)
{
    int64_t accounts[MEMBERS_STEP];
    uint8_t serial[SERIAL_MAX];
    struct batch at = *b;
    struct store_rows rows;
    size_t count = 0;
    bool reminder = is_reminder(b->kind);
    LT_TRY(store_query(t->store, &sql[reminder ? SQL_MEMBERS_OPEN : SQL_MEMBERS],
                       STORE_ARGS(STORE_I(b->mass), STORE_I(b->at_tier), STORE_I(b->at_issuer),
                                  STORE_B(b->at_serial), STORE_I(MEMBERS_STEP)),
                       &rows));
    while (count < MEMBERS_STEP && store_next(&rows)) {
        lt_slice s = store_bytes(&rows, 2);
        at.at_tier = store_int(&rows, 0);
        at.at_issuer = store_int(&rows, 1);
        at.at_serial = LT_SLICE(serial, s.len < sizeof serial ? s.len : sizeof serial);
        memcpy(serial, s.ptr, at.at_serial.len);
        bool done = reminder && is_replaced(&rows, 4);
        accounts[count++] = store_is_null(&rows, 3) || done ? 0 : store_int(&rows, 3);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(add_accounts(t, b, accounts, count));
    return store_exec(t->store, &sql[SQL_COLLECTED],
                      STORE_ARGS(STORE_I(b->id), STORE_I(at.at_tier), STORE_I(at.at_issuer),
                                 STORE_B(at.at_serial), STORE_I((int64_t)count),
                                 STORE_S(count < MEMBERS_STEP ? "writing" : "collecting")),
                      NULL);
}

/* ---- where to write to ---- */

struct account {
    int64_t id;
    int64_t certificates;
};

struct slice {
    struct ca_turn *t;
    const struct batch *b;
    int64_t next; /* id of a notice */
    int64_t written;
    int64_t unreached;
    struct crypto_stream hash; /* of who is written to, in order */
};

static lt_res write_to(struct slice *s, const struct incident_notice *n)
{
    crypto_stream_add(&s->hash, lt_slice_cstr(n->to));
    crypto_stream_add(&s->hash, LT_LIT("\n"));
    s->written++;
    return incident_notice_put(s->t, n, s->b->id, &s->next);
}

static lt_res write_account(struct slice *s, const struct account *a)
{
    struct acme_addresses to;
    struct incident_hooks hooks;
    struct incident_notice n = {.kind = s->b->kind, .subject = s->b->subject, .account = a->id};
    int64_t before = s->written;
    char *params = lt_arena_printf(
        s->t->arena, "{\"account\":\"%lld\",\"certificates\":\"%lld\",\"page\":\"%s/affected/account/%lld\"}",
        (long long)a->id, (long long)a->certificates, s->t->book->base_url, (long long)a->id);
    LT_CHECK(params != NULL, LT_PEER_TOO_LARGE, "the notices are too large");
    n.params = params;
    LT_TRY(acme_addresses_of(s->t, a->id, &to));
    LT_TRY(incident_hooks_of(s->t, a->id, &hooks));
    for (size_t i = 0; i < to.count; i++) {
        n.channel = "mail";
        n.to = to.list[i];
        LT_TRY(lt_failed(ca_ready_address(lt_slice_cstr(n.to))) ? LT_OK : write_to(s, &n));
    }
    for (size_t i = 0; i < hooks.count; i++) {
        n.channel = "webhook";
        n.to = hooks.list[i];
        LT_TRY(write_to(s, &n));
    }
    s->unreached += s->written == before;
    return LT_OK;
}

/* One event for a slice: how many, which, and a hash over whom they go to. */
static lt_res say_slice(struct slice *s, int64_t first)
{
    struct ca_body body;
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_stream_finish(&s->hash, hash);
    ca_body_init(&body);
    ca_body_int(&body, "batch", s->b->id);
    ca_body_str(&body, "notice_kind", s->b->kind);
    ca_body_int(&body, "count", s->written);
    ca_body_int(&body, "first", first);
    ca_body_int(&body, "unreached", s->unreached);
    ca_body_hex(&body, "recipients_sha256", LT_SLICE(hash, sizeof hash));
    return ca_body_event(&body, s->t, "notices.written", s->b->subject, (lt_slice){0});
}

static lt_res write_accounts(struct slice *s, const struct account *list, size_t count)
{
    int64_t first = s->next;
    for (size_t i = 0; i < count; i++) {
        LT_TRY(write_account(s, &list[i]));
    }
    LT_TRY(store_exec(s->t->store, &sql[SQL_WRITTEN],
                      STORE_ARGS(STORE_I(s->b->id), STORE_I(list[count - 1].id), STORE_I((int64_t)count),
                                 STORE_I(s->written), STORE_I(s->unreached)),
                      NULL));
    return say_slice(s, first);
}

static lt_res set_state(struct ca_turn *t, const struct batch *b, const char *status, bool ended)
{
    lt_time written = b->n.written.us == 0 ? t->now : b->n.written;
    return store_exec(
        t->store, &sql[SQL_STATE],
        STORE_ARGS(STORE_I(b->id), STORE_S(status), STORE_I(written.us), STORE_I(ended ? t->now.us : 0)),
        NULL);
}

static lt_res write(struct ca_turn *t, const struct batch *b)
{
    struct account list[ACCOUNTS_STEP];
    struct slice s = {.t = t, .b = b};
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_ACCOUNTS],
                       STORE_ARGS(STORE_I(b->id), STORE_I(b->at_account), STORE_I(ACCOUNTS_STEP)), &rows));
    while (count < ACCOUNTS_STEP && store_next(&rows)) {
        list[count++] = (struct account){store_int(&rows, 0), store_int(&rows, 1)};
    }
    LT_TRY(store_rows_end(&rows));
    if (count == 0) {
        LT_TRY(set_state(t, b, "sending", false));
        return say(t, b, "notices.all-written", (lt_slice){0});
    }
    LT_TRY(incident_notice_last_id(t, &s.next));
    s.next++;
    crypto_stream_init(&s.hash, CRYPTO_SHA256);
    lt_res r = write_accounts(&s, list, count);
    crypto_stream_done(&s.hash);
    return r;
}

/* ---- slices ---- */

static lt_res end_if_done(struct ca_turn *t, const struct batch *b)
{
    if (b->n.sent + b->n.failed < b->n.notices) {
        return LT_OK;
    }
    LT_TRY(set_state(t, b, "done", true));
    return say(t, b, "notices.done", (lt_slice){0});
}

/* Its list is not whole yet. */
static lt_res is_freezing(struct ca_turn *t, const struct batch *b, bool *ret_is)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_FREEZING], STORE_ARGS(STORE_I(b->mass)), &rows));
    *ret_is = store_next(&rows);
    return store_rows_end(&rows);
}

/* The oldest that is not written yet; those that only wait, for their letters or their list, keep nobody
 * back. */
lt_res incident_batch_slice(struct ca_turn *t, bool *ret_more)
{
    struct batch b = {.id = 0};
    bool waits = true;
    do {
        LT_TRY(load(t, &sql[SQL_OPEN], STORE_ARGS(STORE_I(b.id)), &b));
        waits = b.id != 0 && strcmp(b.status, "sending") == 0;
        LT_TRY(waits ? end_if_done(t, &b) : is_freezing(t, &b, &waits));
    } while (waits && b.id != 0);
    if (b.id == 0) {
        return LT_OK;
    }
    *ret_more = true;
    return strcmp(b.status, "collecting") == 0 ? collect(t, &b) : write(t, &b);
}

lt_res incident_batch_counted(struct ca_turn *t, int64_t batch, bool sent)
{
    return store_exec(t->store, &sql[sent ? SQL_SENT : SQL_FAILED], STORE_ARGS(STORE_I(batch)), NULL);
}
