/* Readiness as it happens. */
#include "ca/ready.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/config.h"
#include "ca/issue.h"

#define ROW                                                                                              \
    "SELECT tier, since_us, lapse_us, manual, client, polls, polled_us, renewals, renewed_us, told_us, " \
    "terms, clause, reached_us, intolerant, held FROM readiness WHERE account = ?1"

static const struct store_sql sql[] = {
    {"ready.row", ROW},
    {"ready.add",
     "INSERT INTO readiness (account, tier, since_us, lapse_us, manual, client, client_us, polls, polled_us, "
     "renewals, renewed_us, told_us, terms, terms_us, clause, reached_us, intolerant, intolerant_why, held) "
     "VALUES (?1, 4, ?2, NULL, (SELECT count(*) FROM subscriber s WHERE s.account = ?1), '', 0, 0, 0, 0, 0, "
     "0, '', 0, 0, 0, 0, '', 0) ON CONFLICT DO NOTHING"},
    {"ready.manual", "UPDATE readiness SET manual = 1 WHERE account = ?1"},
    {"ready.terms", "UPDATE readiness SET terms = ?2, terms_us = ?3, clause = ?4 WHERE account = ?1"},
    {"ready.client", "UPDATE readiness SET client = ?2, client_us = ?3 "
                     "WHERE account = ?1 AND (client <> ?2 OR client_us < ?4)"},
    {"ready.before",
     "SELECT account, not_before_us, not_after_us, issued_us FROM certificate WHERE name_set_sha256 = "
     "(SELECT n.name_set_sha256 FROM certificate n WHERE n.issuer = ?1 AND n.serial = ?2 AND n.copy = 0) "
     "AND issued_us < ?3 ORDER BY issued_us DESC LIMIT 16"},
    {"ready.renewed", "UPDATE readiness SET renewals = renewals + 1, renewed_us = ?2, "
                      "told_us = CASE WHEN ?3 = 1 THEN ?2 ELSE told_us END WHERE account = ?1"},
    {"ready.certificate", "SELECT account FROM certificate WHERE issuer = ?1 AND serial = ?2 AND copy = 0"},
    {"ready.poll",
     "INSERT INTO certificate_poll (issuer, serial, polls, first_us, last_us, client) "
     "VALUES (?1, ?2, ?3, ?4, ?4, ?5) ON CONFLICT (issuer, serial) DO UPDATE SET "
     "polls = certificate_poll.polls + excluded.polls, last_us = excluded.last_us, client = excluded.client"},
    {"ready.polled", "UPDATE readiness SET polls = polls + ?2, polled_us = ?3, "
                     "client = CASE WHEN client = '' THEN ?4 ELSE client END WHERE account = ?1"},
    {"ready.judged", "UPDATE readiness SET tier = ?2, since_us = ?3, lapse_us = ?4 WHERE account = ?1"},
    {"ready.lapsed", "SELECT account FROM readiness WHERE lapse_us IS NOT NULL AND lapse_us <= ?1 "
                     "ORDER BY lapse_us LIMIT ?2"},
    {"ready.verified", "INSERT INTO contact (account, address, verified_us, verified_by, bounced_us, bounce) "
                       "VALUES (?1, ?2, ?3, ?4, 0, '') ON CONFLICT (account, address) DO UPDATE SET "
                       "verified_us = excluded.verified_us, verified_by = excluded.verified_by"},
    {"ready.bounced", "INSERT INTO contact (account, address, verified_us, verified_by, bounced_us, bounce) "
                      "VALUES (?1, ?2, 0, '', ?3, ?4) ON CONFLICT (account, address) DO UPDATE SET "
                      "bounced_us = excluded.bounced_us, bounce = excluded.bounce"},
    {"ready.contacts", "SELECT address FROM contact WHERE account = ?1 ORDER BY address LIMIT 100"},
    {"ready.contact-drop", "DELETE FROM contact WHERE account = ?1 AND address = ?2"},
    {"ready.reached", "UPDATE readiness SET reached_us = (SELECT coalesce(max(c.verified_us), 0) FROM "
                      "contact c WHERE c.account = ?1 AND c.verified_us > c.bounced_us) WHERE account = ?1"},
};
enum {
    SQL_ROW,
    SQL_ADD,
    SQL_MANUAL,
    SQL_TERMS,
    SQL_CLIENT,
    SQL_BEFORE,
    SQL_RENEWED,
    SQL_CERTIFICATE,
    SQL_POLL,
    SQL_POLLED,
    SQL_JUDGED,
    SQL_LAPSED,
    SQL_VERIFIED,
    SQL_BOUNCED,
    SQL_CONTACTS,
    SQL_CONTACT_DROP,
    SQL_REACHED,
};
const struct store_sql *const ca_ready_sql = sql;
const size_t ca_ready_sql_count = LT_COUNT(sql);

enum { CLIENT_AGAIN_S = 86400, CONTACTS_MAX = 100, FACTS_MAX = 1024 };

/* An update of the account's row, which is made where it is missing: accounts are older than this table, and
 * come with imports. */
static lt_res update(struct ca_turn *t, int64_t account, const struct store_sql *q,
                     const struct store_value *values, size_t count)
{
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, q, values, count, &changed));
    if (changed > 0) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_ADD], STORE_ARGS(STORE_I(account), STORE_I(t->now.us)), &changed));
    return changed == 0 ? LT_OK : store_exec(t->store, q, values, count, NULL);
}

/* ---- the tier ---- */

struct loaded {
    struct ca_ready_row row;
    bool lapses;
    int64_t lapse_us;
};

static lt_res load(struct ca_turn *t, int64_t account, struct loaded *l)
{
    struct store_rows rows;
    *l = (struct loaded){.lapses = false};
    LT_TRY(store_query(t->store, &sql[SQL_ROW], STORE_ARGS(STORE_I(account)), &rows));
    l->row.found = store_next(&rows);
    if (l->row.found) {
        l->row.tier = (enum ca_ready_tier)store_int(&rows, 0);
        l->row.since.us = store_int(&rows, 1);
        l->lapses = !store_is_null(&rows, 2);
        l->lapse_us = store_int(&rows, 2);
        l->row.seen.manual = store_int(&rows, 3) != 0;
        l->row.client = lt_arena_cstr(t->arena, store_bytes(&rows, 4));
        l->row.polls = store_int(&rows, 5);
        l->row.seen.polled.us = store_int(&rows, 6);
        l->row.renewals = store_int(&rows, 7);
        l->row.seen.renewed.us = store_int(&rows, 8);
        l->row.seen.told.us = store_int(&rows, 9);
        l->row.terms = lt_arena_cstr(t->arena, store_bytes(&rows, 10));
        l->row.seen.clause = store_int(&rows, 11) != 0;
        l->row.seen.reached.us = store_int(&rows, 12);
        l->row.seen.intolerant = store_int(&rows, 13) != 0;
        l->row.seen.held = store_int(&rows, 14) != 0;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!l->row.found || (l->row.client != NULL && l->row.terms != NULL), LT_PEER_TOO_LARGE,
             "readiness: the row is too large");
    return LT_OK;
}

static lt_res say_tier(struct ca_turn *t, int64_t account, enum ca_ready_tier from,
                       const struct ca_ready_judgement *j)
{
    struct ca_body b;
    struct lt_buf facts;
    struct ca_ready_fact_info f;
    bool more = false;
    char *subject = lt_arena_printf(t->arena, "account %lld", (long long)account);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "readiness: too much at once");
    lt_buf_init(&facts, FACTS_MAX);
    lt_buf_add_byte(&facts, '[');
    for (size_t i = 0; ca_ready_fact_info(i, &f); i++) {
        if ((j->facts & f.fact) != 0) {
            lt_buf_addf(&facts, "%s\"%s\"", more ? "," : "", f.name);
            more = true;
        }
    }
    lt_buf_add_byte(&facts, ']');
    ca_body_init(&b);
    ca_body_str(&b, "from", ca_ready_tier_name(from));
    ca_body_str(&b, "to", ca_ready_tier_name(j->tier));
    ca_body_json(&b, "facts", lt_buf_slice(&facts));
    lt_buf_done(&facts);
    return ca_body_event(&b, t, "readiness.tier", subject, (lt_slice){0});
}

/* A time that is written too early only means a look in vain: it need not follow every poll. */
lt_res ca_ready_review(struct ca_turn *t, int64_t account)
{
    struct loaded l;
    LT_TRY(load(t, account, &l));
    if (!l.row.found) {
        return LT_OK;
    }
    struct ca_ready_judgement j = ca_ready_judge(&l.row.seen, t->now);
    bool early = j.lapse.us != 0 && l.lapses && l.lapse_us > t->now.us && l.lapse_us <= j.lapse.us;
    bool never = j.lapse.us == 0 && !l.lapses;
    if (j.tier == l.row.tier && (early || never)) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_JUDGED],
                      STORE_ARGS(STORE_I(account), STORE_I(j.tier),
                                 STORE_I(j.tier == l.row.tier ? l.row.since.us : t->now.us),
                                 j.lapse.us == 0 ? STORE_N : STORE_I(j.lapse.us)),
                      NULL));
    return j.tier == l.row.tier ? LT_OK : say_tier(t, account, l.row.tier, &j);
}

lt_res ca_ready_load(struct ca_turn *t, int64_t account, struct ca_ready_row *ret_row)
{
    struct loaded l;
    LT_TRY(load(t, account, &l));
    if (l.row.found) {
        struct ca_ready_judgement j = ca_ready_judge(&l.row.seen, t->now);
        l.row.facts = j.facts;
    } else {
        l.row.tier = CA_READY_BY_HAND;
        l.row.client = "";
        l.row.terms = "";
    }
    *ret_row = l.row;
    return LT_OK;
}

lt_res ca_ready_tick(struct ca_turn *t)
{
    int64_t accounts[CA_READY_LAPSES];
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_LAPSED], STORE_ARGS(STORE_I(t->now.us), STORE_I(CA_READY_LAPSES)),
                       &rows));
    while (count < CA_READY_LAPSES && store_next(&rows)) {
        accounts[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(ca_ready_review(t, accounts[i]));
    }
    return LT_OK;
}

/* ---- accounts ---- */

lt_res ca_ready_open(struct ca_turn *t, int64_t account, bool manual, bool agreed)
{
    LT_TRY(store_exec(t->store, &sql[SQL_ADD], STORE_ARGS(STORE_I(account), STORE_I(t->now.us)), NULL));
    LT_TRY(manual ? store_exec(t->store, &sql[SQL_MANUAL], STORE_ARGS(STORE_I(account)), NULL) : LT_OK);
    return agreed ? ca_ready_agreed(t, account) : LT_OK;
}

lt_res ca_ready_agreed(struct ca_turn *t, int64_t account)
{
    const struct ca_config *config = t->book->config;
    if (config == NULL || config->terms_of_service[0] == '\0') {
        return LT_OK;
    }
    LT_TRY(update(t, account, &sql[SQL_TERMS],
                  STORE_ARGS(STORE_I(account), STORE_S(config->terms_version), STORE_I(t->now.us),
                             STORE_I(config->terms_clause))));
    return ca_ready_review(t, account);
}

lt_res ca_ready_ordered(struct ca_turn *t, int64_t account, const char *user_agent)
{
    char client[CA_READY_CLIENT_SIZE];
    ca_ready_client(lt_slice_cstr(user_agent), client);
    if (client[0] == '\0') {
        return LT_OK;
    }
    return store_exec(t->store, &sql[SQL_CLIENT],
                      STORE_ARGS(STORE_I(account), STORE_S(client), STORE_I(t->now.us),
                                 STORE_I(lt_time_add_seconds(t->now, -CLIENT_AGAIN_S).us)),
                      NULL);
}

/* One of the same names and account that was there for a third of its life: sooner it is a try, or a client
 * that forgets what it has. */
static lt_res has_predecessor(struct ca_turn *t, const struct ca_outcome *o, bool *ret_has)
{
    struct store_rows rows;
    *ret_has = false;
    LT_TRY(store_query(t->store, &sql[SQL_BEFORE],
                       STORE_ARGS(STORE_I(o->issuer->id), STORE_B(o->serial), STORE_I(t->now.us)), &rows));
    while (!*ret_has && store_next(&rows)) {
        int64_t life = store_int(&rows, 2) - store_int(&rows, 1);
        *ret_has = store_int(&rows, 0) == o->account_id && t->now.us - store_int(&rows, 3) >= life / 3;
    }
    return store_rows_end(&rows);
}

lt_res ca_ready_issued(struct ca_turn *t, const struct ca_outcome *o, bool told)
{
    struct loaded l;
    bool counts = told;
    if (o->account_id == 0) {
        return LT_OK;
    }
    LT_TRY(load(t, o->account_id, &l));
    if (l.row.found && (l.row.seen.manual || ca_ready_client_is_manual(lt_slice_cstr(l.row.client)))) {
        return LT_OK;
    }
    LT_TRY(told ? LT_OK : has_predecessor(t, o, &counts));
    if (!counts) {
        return LT_OK;
    }
    LT_TRY(update(t, o->account_id, &sql[SQL_RENEWED],
                  STORE_ARGS(STORE_I(o->account_id), STORE_I(t->now.us), STORE_I(told ? 1 : 0))));
    return ca_ready_review(t, o->account_id);
}

/* ---- polls ---- */

struct polls_of {
    int64_t account;
    int64_t count;
    const char *client;
};

static int by_account(const void *a, const void *b)
{
    const struct polls_of *x = a;
    const struct polls_of *y = b;
    return x->account < y->account ? -1 : x->account > y->account;
}

static const struct ca_issuer *issuer_of(const struct ca_book *book, ProtobufCBinaryData key_id)
{
    for (size_t i = 0; i < book->issuer_count; i++) {
        if (lt_slice_eq(book->issuers[i].key_id, LT_SLICE(key_id.data, key_id.len))) {
            return &book->issuers[i];
        }
    }
    return NULL;
}

static lt_res check_polls(const Ipc__RenewalPolls *m)
{
    size_t n = m->n_serials;
    LT_CHECK(n <= CA_READY_POLLS_MAX && m->n_issuers == n && m->n_counts == n && m->n_agents == n,
             LT_PEER_MALFORMED, "%zu polls in lists of different lengths, or too many", n);
    for (size_t i = 0; i < n; i++) {
        LT_CHECK(m->issuers[i] < m->n_key_ids && m->agents[i] < m->n_clients, LT_PEER_MALFORMED,
                 "a poll of no issuer, or by no client");
    }
    return LT_OK;
}

/* Counts one certificate's; whose it is goes to `of`, account 0 where it is nobody's. */
static lt_res poll(struct ca_turn *t, const Ipc__RenewalPolls *m, size_t i, struct polls_of *of)
{
    char client[CA_READY_CLIENT_SIZE];
    struct store_rows rows;
    const struct ca_issuer *issuer = issuer_of(t->book, m->key_ids[m->issuers[i]]);
    lt_slice serial = LT_SLICE(m->serials[i].data, m->serials[i].len);
    *of = (struct polls_of){.account = 0};
    if (issuer == NULL) {
        return LT_OK;
    }
    LT_TRY(store_query(t->store, &sql[SQL_CERTIFICATE], STORE_ARGS(STORE_I(issuer->id), STORE_B(serial)),
                       &rows));
    bool found = store_next(&rows);
    of->account = found ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    if (!found) {
        return LT_OK;
    }
    ca_ready_client(lt_slice_cstr(m->clients[m->agents[i]]), client);
    of->count = m->counts[i];
    of->client = lt_arena_cstr(t->arena, lt_slice_cstr(client));
    LT_CHECK(of->client != NULL, LT_PEER_TOO_LARGE, "readiness: too many polls at once");
    return store_exec(t->store, &sql[SQL_POLL],
                      STORE_ARGS(STORE_I(issuer->id), STORE_B(serial), STORE_I(m->counts[i]),
                                 STORE_I(t->now.us), STORE_S(client)),
                      NULL);
}

static lt_res polled_by(struct ca_turn *t, const struct polls_of *of)
{
    LT_TRY(update(
        t, of->account, &sql[SQL_POLLED],
        STORE_ARGS(STORE_I(of->account), STORE_I(of->count), STORE_I(t->now.us), STORE_S(of->client))));
    return ca_ready_review(t, of->account);
}

lt_res ca_ready_polled(struct ca_turn *t, const Ipc__RenewalPolls *m)
{
    size_t count = 0;
    LT_TRY(check_polls(m));
    struct polls_of *of = LT_NEW_ARRAY(t->arena, struct polls_of, CA_READY_POLLS_MAX + 1);
    LT_CHECK(of != NULL, LT_PEER_TOO_LARGE, "readiness: too many polls at once");
    for (size_t i = 0; i < m->n_serials; i++) {
        LT_TRY(poll(t, m, i, &of[count]));
        count += of[count].account != 0;
    }
    qsort(of, count, sizeof of[0], by_account);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && of[i + 1].account == of[i].account) {
            of[i + 1].count += of[i].count;
            of[i + 1].client = of[i + 1].client[0] == '\0' ? of[i].client : of[i + 1].client;
        } else {
            LT_TRY(polled_by(t, &of[i]));
        }
    }
    return LT_OK;
}

/* ---- contacts ---- */

static lt_res contact_changed(struct ca_turn *t, int64_t account)
{
    LT_TRY(update(t, account, &sql[SQL_REACHED], STORE_ARGS(STORE_I(account))));
    return ca_ready_review(t, account);
}

static lt_res contact_event(struct ca_turn *t, int64_t account, const char *kind, const char *address,
                            const char *words)
{
    struct ca_body b;
    char *subject = lt_arena_printf(t->arena, "account %lld", (long long)account);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "readiness: too much at once");
    ca_body_init(&b);
    ca_body_str(&b, "address", address);
    ca_body_str(&b, "by", words);
    return ca_body_event(&b, t, kind, subject, (lt_slice){0});
}

lt_res ca_ready_verified(struct ca_turn *t, int64_t account, const char *address, const char *by)
{
    LT_TRY(store_exec(t->store, &sql[SQL_VERIFIED],
                      STORE_ARGS(STORE_I(account), STORE_S(address), STORE_I(t->now.us), STORE_S(by)), NULL));
    LT_TRY(contact_event(t, account, "contact.verified", address, by));
    return contact_changed(t, account);
}

lt_res ca_ready_bounced(struct ca_turn *t, int64_t account, const char *address, const char *why)
{
    LT_TRY(store_exec(t->store, &sql[SQL_BOUNCED],
                      STORE_ARGS(STORE_I(account), STORE_S(address), STORE_I(t->now.us), STORE_S(why)),
                      NULL));
    LT_TRY(contact_event(t, account, "contact.bounced", address, why));
    return contact_changed(t, account);
}

static bool is_among(const char *address, char *const *contacts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *colon = strchr(contacts[i], ':');
        if (colon != NULL && strcmp(colon + 1, address) == 0) {
            return true;
        }
    }
    return false;
}

lt_res ca_ready_contacts(struct ca_turn *t, int64_t account, char *const *contacts, size_t count)
{
    const char *known[CONTACTS_MAX];
    struct store_rows rows;
    size_t n = 0;
    bool dropped = false;
    LT_TRY(store_query(t->store, &sql[SQL_CONTACTS], STORE_ARGS(STORE_I(account)), &rows));
    while (n < CONTACTS_MAX && store_next(&rows)) {
        known[n++] = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < n; i++) {
        LT_CHECK(known[i] != NULL, LT_PEER_TOO_LARGE, "readiness: too many contacts");
        if (!is_among(known[i], contacts, count)) {
            LT_TRY(store_exec(t->store, &sql[SQL_CONTACT_DROP],
                              STORE_ARGS(STORE_I(account), STORE_S(known[i])), NULL));
            dropped = true;
        }
    }
    return dropped ? contact_changed(t, account) : LT_OK;
}
