/* What operators say of a subscriber: that he cannot tolerate revocation, that an address reaches somebody or
 * nobody, who holds out, who was called; and the link by which he helps himself. */
#include "ca/ready.h"

#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "crypto/digest.h"
#include "x509/dnsname.h"

static const struct store_sql sql[] = {
    {"ready.account", "SELECT id FROM account WHERE id = ?1"},
    {"ready.subscriber", "SELECT account FROM subscriber WHERE name = ?1"},
    {"ready.intolerant", "UPDATE readiness SET intolerant = ?2, intolerant_why = ?3 WHERE account = ?1"},
    {"ready.holdout-add", "INSERT INTO holdout (id, account, name, who, reason, since_us, by_whom, "
                          "lifted_us, lifted_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, '')"},
    {"ready.holdout", "SELECT account, name FROM holdout WHERE id = ?1 AND lifted_us = 0"},
    {"ready.holdout-lift", "UPDATE holdout SET lifted_us = ?2, lifted_by = ?3 WHERE id = ?1 AND "
                           "lifted_us = 0"},
    {"ready.held", "UPDATE readiness SET held = CASE WHEN EXISTS (SELECT 1 FROM holdout h WHERE h.account = "
                   "?1 AND h.lifted_us = 0 AND h.name = '') THEN 1 ELSE 0 END WHERE account = ?1"},
    {"ready.call", "INSERT INTO readiness_call (id, account, called_us, by_whom, who, outcome, note, "
                   "again_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
    {"ready.link-add", "INSERT INTO reissue_link (token_sha256, account, created_us, created_by, "
                       "expires_us, requests) VALUES (?1, ?2, ?3, ?4, ?5, 0)"},
    {"ready.link", "SELECT account FROM reissue_link WHERE token_sha256 = ?1 AND expires_us > ?2"},
    {"ready.link-used", "UPDATE reissue_link SET requests = requests + 1 WHERE token_sha256 = ?1"},
};
enum {
    SQL_ACCOUNT,
    SQL_SUBSCRIBER,
    SQL_INTOLERANT,
    SQL_HOLDOUT_ADD,
    SQL_HOLDOUT,
    SQL_HOLDOUT_LIFT,
    SQL_HELD,
    SQL_CALL,
    SQL_LINK_ADD,
    SQL_LINK,
    SQL_LINK_USED,
};
const struct store_sql *const ca_ready_ops_sql = sql;
const size_t ca_ready_ops_sql_count = LT_COUNT(sql);

enum {
    ADDRESS_MAX = 254,
    NAME_MAX_LEN = 200,
    TOKEN_LEN = 24,
    LINK_DAYS = 30,
    LINK_DAYS_MOST = 400,
};

/* ---- form ---- */

static lt_res check_text(const char *what, const char *text, bool needed, size_t most)
{
    size_t len = strlen(text);
    LT_CHECK(!needed || len > 0, LT_PEER_MALFORMED, "\"%s\" is missing", what);
    LT_CHECK(len <= most, LT_PEER_TOO_LARGE, "\"%s\" has %zu bytes, at most %zu", what, len, most);
    return LT_OK;
}

lt_res ca_ready_address(lt_slice address)
{
    size_t at = lt_slice_find(address, '@');
    bool good = at > 0 && at + 1 < address.len && address.len <= ADDRESS_MAX;
    for (size_t i = 0; good && i < address.len; i++) {
        uint8_t c = address.ptr[i];
        good = c > 0x20 && c < 0x7f && strchr("()<>[]:;,\"\\", c) == NULL && (c != '@' || i == at);
    }
    LT_CHECK(good, LT_PEER_MALFORMED, "\"%.*s\" is no mail address; write it@example.com",
             (int)(address.len > 80 ? 80 : address.len),
             (const char *)(address.len == 0 ? (const uint8_t *)"" : address.ptr));
    return LT_OK;
}

/* *ret_id 0: there is none. */
static lt_res look_up(struct ca_turn *t, const struct store_sql *q, struct store_value key, int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, q, &key, 1, &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

lt_res ca_ready_account(struct ca_turn *t, const Ipc__ReadyWanted *w, int64_t *ret_account)
{
    if (w->subscriber[0] != '\0') {
        LT_TRY(look_up(t, &sql[SQL_SUBSCRIBER], STORE_S(w->subscriber), ret_account));
        LT_CHECK(*ret_account != 0, LT_PEER_NOT_FOUND, "there is no subscriber \"%.100s\"", w->subscriber);
        return LT_OK;
    }
    LT_TRY(look_up(t, &sql[SQL_ACCOUNT], STORE_I(w->account), ret_account));
    LT_CHECK(*ret_account != 0, LT_PEER_NOT_FOUND, "there is no account %lld", (long long)w->account);
    return LT_OK;
}

/* The event and the answer say the same. fill is called twice. */
struct said {
    int64_t account;
    const Ipc__ReadyWanted *w;
    const struct ca_ready_asker *by;
    int64_t id;
};

static void fill(struct ca_body *b, const struct said *s)
{
    const struct {
        const char *key;
        const char *value;
    } texts[] = {{"address", s->w->address}, {"state", s->w->state}, {"who", s->w->who},
                 {"text", s->w->text},       {"name", s->w->name},   {"operator", s->by->operator_name}};
    ca_body_id(b, "account", s->account);
    if (s->id != 0) {
        ca_body_id(b, "id", s->id);
    }
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        if (texts[i].value[0] != '\0') {
            ca_body_str(b, texts[i].key, texts[i].value);
        }
    }
    if (s->w->until_us != 0) {
        ca_body_time(b, "until", (lt_time){s->w->until_us});
    }
}

static lt_res say(struct ca_turn *t, const struct said *s, const char *kind, const char **ret_json)
{
    struct ca_body b;
    char *subject = lt_arena_printf(t->arena, "account %lld", (long long)s->account);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    fill(&b, s);
    LT_TRY(ca_body_event(&b, t, kind, subject, s->by->jws));
    if (ret_json == NULL) {
        return LT_OK;
    }
    struct ca_ready_row row;
    LT_TRY(ca_ready_load(t, s->account, &row));
    ca_body_init(&b);
    fill(&b, s);
    ca_body_str(&b, "tier", ca_ready_tier_name(row.tier));
    return ca_body_cstr(&b, t->arena, ret_json);
}

/* ---- what may be said ---- */

/* Rows of an account are made when there is something to write down. */
static lt_res change(struct ca_turn *t, int64_t account, const struct store_sql *q,
                     const struct store_value *values, size_t count)
{
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, q, values, count, &changed));
    if (changed == 0) {
        LT_TRY(ca_ready_open(t, account, false, false));
        LT_TRY(store_exec(t->store, q, values, count, NULL));
    }
    return ca_ready_review(t, account);
}

lt_res ca_ready_set(struct ca_turn *t, const struct ca_ready_asker *by, const Ipc__ReadyWanted *w,
                    const char **ret_json)
{
    struct said s = {.w = w, .by = by};
    LT_TRY(check_text("reason", w->text, true, CA_READY_TEXT_MAX));
    LT_TRY(ca_ready_account(t, w, &s.account));
    LT_TRY(change(t, s.account, &sql[SQL_INTOLERANT],
                  STORE_ARGS(STORE_I(s.account), STORE_I(w->intolerant), STORE_S(w->text))));
    return say(t, &s, w->intolerant ? "readiness.cannot-tolerate" : "readiness.tolerates", ret_json);
}

lt_res ca_ready_contact(struct ca_turn *t, const struct ca_ready_asker *by, const Ipc__ReadyWanted *w,
                        const char **ret_json)
{
    struct said s = {.w = w, .by = by};
    bool verified = strcmp(w->state, "verified") == 0;
    LT_CHECK(verified || strcmp(w->state, "bounced") == 0, LT_PEER_MALFORMED,
             "\"state\" of an address is verified or bounced");
    LT_TRY(ca_ready_address(lt_slice_cstr(w->address)));
    LT_TRY(check_text("reason", w->text, !verified, CA_READY_TEXT_MAX));
    LT_TRY(ca_ready_account(t, w, &s.account));
    char *whom = lt_arena_printf(t->arena, "operator %s%s%s", by->operator_name,
                                 w->text[0] == '\0' ? "" : ": ", w->text);
    LT_CHECK(whom != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(verified ? ca_ready_verified(t, s.account, w->address, whom)
                    : ca_ready_bounced(t, s.account, w->address, whom));
    return say(t, &s, "readiness.contact", ret_json);
}

static lt_res reversed(struct ca_turn *t, const char *name, const char **ret_name)
{
    struct lt_buf text;
    *ret_name = "";
    if (name[0] == '\0') {
        return LT_OK;
    }
    char *lower = lt_arena_cstr(t->arena, lt_slice_cstr(name));
    LT_CHECK(lower != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (char *c = lower; *c != '\0'; c++) { /* people write capitals */
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
    }
    LT_TRY(x509_dns_check(lt_slice_cstr(lower), 0));
    lt_buf_init(&text, X509_DNS_MAX + 1);
    x509_dns_reverse(lt_slice_cstr(lower), &text);
    *ret_name = lt_arena_cstr(t->arena, lt_buf_slice(&text));
    lt_buf_done(&text);
    LT_CHECK(*ret_name != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

lt_res ca_ready_holdout_add(struct ca_turn *t, const struct ca_ready_asker *by, const Ipc__ReadyWanted *w,
                            const char **ret_json)
{
    struct said s = {.w = w, .by = by, .id = ca_new_id(t)};
    const char *name = NULL;
    bool whole = w->account != 0 || w->subscriber[0] != '\0';
    LT_CHECK(whole != (w->name[0] != '\0'), LT_PEER_MALFORMED,
             "who holds out: either an account, or a domain and all below it");
    LT_TRY(check_text("who", w->who, true, NAME_MAX_LEN));
    LT_TRY(check_text("reason", w->text, true, CA_READY_TEXT_MAX));
    LT_TRY(reversed(t, w->name, &name));
    LT_TRY(whole ? ca_ready_account(t, w, &s.account) : LT_OK);
    LT_TRY(store_exec(t->store, &sql[SQL_HOLDOUT_ADD],
                      STORE_ARGS(STORE_I(s.id), STORE_I(s.account), STORE_S(name), STORE_S(w->who),
                                 STORE_S(w->text), STORE_I(t->now.us), STORE_S(by->operator_name)),
                      NULL));
    LT_TRY(whole ? change(t, s.account, &sql[SQL_HELD], STORE_ARGS(STORE_I(s.account))) : LT_OK);
    return say(t, &s, "holdout.added", ret_json);
}

lt_res ca_ready_holdout_lift(struct ca_turn *t, const struct ca_ready_asker *by, const Ipc__ReadyWanted *w,
                             const char **ret_json)
{
    struct said s = {.w = w, .by = by, .id = w->id};
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_HOLDOUT], STORE_ARGS(STORE_I(w->id)), &rows));
    bool found = store_next(&rows);
    s.account = found ? store_int(&rows, 0) : 0;
    bool whole = found && store_bytes(&rows, 1).len == 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "no hold-out %lld is in force", (long long)w->id);
    LT_TRY(store_exec(t->store, &sql[SQL_HOLDOUT_LIFT],
                      STORE_ARGS(STORE_I(w->id), STORE_I(t->now.us), STORE_S(by->operator_name)), NULL));
    LT_TRY(whole ? change(t, s.account, &sql[SQL_HELD], STORE_ARGS(STORE_I(s.account))) : LT_OK);
    return say(t, &s, "holdout.lifted", ret_json);
}

static const char *const outcomes[] = {"reached", "no-answer", "will-replace", "refuses", "wrong-number"};

lt_res ca_ready_call(struct ca_turn *t, const struct ca_ready_asker *by, const Ipc__ReadyWanted *w,
                     const char **ret_json)
{
    struct said s = {.w = w, .by = by, .id = ca_new_id(t)};
    bool known = false;
    for (size_t i = 0; i < LT_COUNT(outcomes); i++) {
        known = known || strcmp(w->state, outcomes[i]) == 0;
    }
    LT_CHECK(known, LT_PEER_MALFORMED,
             "the outcome of a call is reached, no-answer, will-replace, refuses or wrong-number");
    LT_TRY(check_text("who", w->who, true, NAME_MAX_LEN));
    LT_TRY(check_text("note", w->text, false, CA_READY_TEXT_MAX));
    LT_CHECK(w->until_us == 0 || w->until_us > t->now.us, LT_PEER_MALFORMED,
             "to call again at a time that is past");
    LT_TRY(ca_ready_account(t, w, &s.account));
    LT_TRY(store_exec(t->store, &sql[SQL_CALL],
                      STORE_ARGS(STORE_I(s.id), STORE_I(s.account), STORE_I(t->now.us),
                                 STORE_S(by->operator_name), STORE_S(w->who), STORE_S(w->state),
                                 STORE_S(w->text), STORE_I(w->until_us)),
                      NULL));
    return say(t, &s, "readiness.called", ret_json);
}

/* ---- the link ---- */

static void hash_of(const char *token, uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    crypto_sha256(lt_slice_cstr(token), ret_hash);
}

lt_res ca_ready_link(struct ca_turn *t, const struct ca_ready_asker *by, const Ipc__ReadyWanted *w,
                     const char **ret_json)
{
    uint8_t random[TOKEN_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct ca_body b;
    Ipc__ReadyWanted dated = *w;
    struct said s = {.w = &dated, .by = by};
    lt_time most = lt_time_add_seconds(t->now, (int64_t)LINK_DAYS_MOST * LT_SECONDS_PER_DAY);
    LT_TRY(ca_ready_account(t, w, &s.account));
    if (dated.until_us == 0) {
        dated.until_us = lt_time_add_seconds(t->now, (int64_t)LINK_DAYS * LT_SECONDS_PER_DAY).us;
    }
    LT_CHECK(dated.until_us > t->now.us && dated.until_us <= most.us, LT_PEER_MALFORMED,
             "a link ends in the next %d days", LINK_DAYS_MOST);
    t->random(random, sizeof random);
    char *token = lt_base64url(t->arena, LT_SLICE(random, sizeof random));
    LT_CHECK(token != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    hash_of(token, hash);
    LT_TRY(store_exec(t->store, &sql[SQL_LINK_ADD],
                      STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash)), STORE_I(s.account), STORE_I(t->now.us),
                                 STORE_S(by->operator_name), STORE_I(dated.until_us)),
                      NULL));
    LT_TRY(say(t, &s, "readiness.link", NULL)); /* without the token, which is a right */
    char *url = lt_arena_printf(t->arena, "%s/acme/reissue/%s", t->book->base_url, token);
    LT_CHECK(url != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    fill(&b, &s);
    ca_body_str(&b, "url", url);
    return ca_body_cstr(&b, t->arena, ret_json);
}

lt_res ca_ready_by_link(struct ca_turn *t, const char *token, int64_t *ret_account)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct store_rows rows;
    hash_of(token, hash);
    LT_TRY(store_query(t->store, &sql[SQL_LINK],
                       STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash)), STORE_I(t->now.us)), &rows));
    *ret_account = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

lt_res ca_ready_link_used(struct ca_turn *t, const char *token)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    hash_of(token, hash);
    return store_exec(t->store, &sql[SQL_LINK_USED], STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash))), NULL);
}
