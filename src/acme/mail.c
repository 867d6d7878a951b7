/* Letters: written down with their random value, handed to the courier, tried again while the relay does not
 * take them, ended when their time is up. */
#include "acme/mail.h"

#include "acme/contact.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/seal.h"
#include "crypto/digest.h"
#include "mail.pb-c.h"
#include "validate/methods.h"

#define LETTER_COLUMNS                                                                                     \
    "SELECT m.id, m.authorization_id, m.idx, c.type, a.identifier, a.expires_us, m.recipient, m.token, "   \
    "a.wildcard, a.status, m.attempts, m.created_us, m.expires_us, a.account, s.name, m.status FROM mail " \
    "AS m "                                                                                                \
    "JOIN authorization AS a ON a.id = m.authorization_id JOIN challenge AS c ON c.authorization_id = "    \
    "m.authorization_id AND c.idx = m.idx LEFT JOIN subscriber AS s ON s.account = a.account WHERE "

const struct store_sql acme_mail_rows[ACME_MAIL_ROWS] = {
    [ACME_MAIL_LOOKUP_PUT] = {"mail.lookup-put",
                              "INSERT INTO mail_lookup (authorization_id, idx, nonce, asked_us, contact) "
                              "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (authorization_id, idx) DO UPDATE SET "
                              "nonce = ?3, asked_us = ?4, contact = ?5"},
    [ACME_MAIL_LOOKUP] = {"mail.lookup",
                          "SELECT l.nonce, l.contact, c.type, a.identifier, a.expires_us, a.status "
                          "FROM mail_lookup AS l JOIN authorization AS a ON a.id = l.authorization_id "
                          "JOIN challenge AS c ON c.authorization_id = l.authorization_id AND c.idx = l.idx "
                          "WHERE l.authorization_id = ?1 AND l.idx = ?2"},
    [ACME_MAIL_LOOKUP_DROP] = {"mail.lookup-drop",
                               "DELETE FROM mail_lookup WHERE authorization_id = ?1 AND idx = ?2"},
    [ACME_MAIL_LOOKUP_OLD] = {"mail.lookup-old",
                              "SELECT l.authorization_id, l.idx, l.contact, c.type, a.identifier, "
                              "a.expires_us, a.status FROM mail_lookup AS l JOIN authorization AS a "
                              "ON a.id = l.authorization_id JOIN challenge AS c ON c.authorization_id = "
                              "l.authorization_id AND c.idx = l.idx WHERE l.asked_us < ?1 "
                              "ORDER BY l.asked_us LIMIT ?2"},
    [ACME_MAIL_ADD] =
        {"mail.add",
         "INSERT INTO mail (id, authorization_id, idx, recipient, token, token_sha256, status, attempts, "
         "due_us, created_us, expires_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', 0, ?7, ?7, ?8)"},
    [ACME_MAIL_DUE] = {"mail.due", LETTER_COLUMNS "m.status = 'queued' AND m.due_us <= ?1 "
                                                  "ORDER BY m.due_us LIMIT ?2"},
    [ACME_MAIL_BY_TOKEN] = {"mail.by-token", LETTER_COLUMNS "m.token_sha256 = ?1 AND m.token IS NOT NULL"},
    [ACME_MAIL_BY_ID] = {"mail.by-id", LETTER_COLUMNS "m.id = ?1"},
    [ACME_MAIL_OF] = {"mail.of",
                      "SELECT recipient, status FROM mail WHERE authorization_id = ?1 AND idx = ?2 "
                      "AND (status = 'approved' OR token IS NOT NULL) LIMIT ?3"},
    [ACME_MAIL_TRY] = {"mail.try",
                       "UPDATE mail SET attempts = attempts + 1, due_us = ?2, error = NULL WHERE id = ?1"},
    [ACME_MAIL_RESUME] = {"mail.resume",
                          "UPDATE mail SET due_us = ?1 WHERE status = 'queued' AND due_us > ?1 "
                          "AND error IS NULL"},
    [ACME_MAIL_SENT] = {"mail.sent", "UPDATE mail SET status = 'sent', sent_us = ?3, error = NULL "
                                     "WHERE id = ?1 AND status = 'queued' AND attempts = ?2"},
    [ACME_MAIL_PUT_OFF] = {"mail.put-off", "UPDATE mail SET due_us = ?3, error = ?4 "
                                           "WHERE id = ?1 AND status = 'queued' AND attempts = ?2"},
    [ACME_MAIL_END] = {"mail.end", "UPDATE mail SET status = ?2, token = NULL, error = ?3 "
                                   "WHERE id = ?1 AND token IS NOT NULL"},
    [ACME_MAIL_ANSWER] = {"mail.answer", "UPDATE mail SET status = ?2, token = NULL, answered_us = ?3, "
                                         "answered_from = ?4 WHERE id = ?1 AND token IS NOT NULL"},
    [ACME_MAIL_WITHDRAW] = {"mail.withdraw",
                            "UPDATE mail SET status = 'withdrawn', token = NULL WHERE authorization_id = ?1 "
                            "AND idx = ?2 AND token IS NOT NULL"},
    [ACME_MAIL_AGAIN] = {"mail.again", "UPDATE mail SET status = 'queued', attempts = 0, due_us = ?3 "
                                       "WHERE authorization_id = ?1 AND idx = ?2 AND token IS NOT NULL AND "
                                       "status = 'sent' AND sent_us < ?4"},
    [ACME_MAIL_EXPIRED] = {"mail.expired", "SELECT id FROM mail WHERE token IS NOT NULL AND expires_us <= ?1 "
                                           "ORDER BY expires_us LIMIT ?2"},
    [ACME_MAIL_ERROR] = {"mail.error", "UPDATE challenge SET error = ?3 WHERE authorization_id = ?1 AND "
                                       "idx = ?2 AND status = 'pending'"},
};
const struct store_sql *const acme_mail_sql = acme_mail_rows;
const size_t acme_mail_sql_count = LT_COUNT(acme_mail_rows);

enum { PATIENCE_S = 180, ERROR_MAX = 4096 };
/* After each attempt that the relay did not take; then it is given up. */
static const int64_t pauses_s[] = {60, 300, 1800, 7200, 21600, 43200, 86400};

bool acme_mail_is(const char *method)
{
    const struct validate_method *m = validate_method_find(method, "dns");
    return m != NULL && m->kind == VALIDATE_KIND_MAIL;
}

lt_res acme_letter_event(struct ca_turn *t, const char *kind, const struct acme_letter *l, const char *why)
{
    struct ca_body b;
    char *subject = lt_arena_printf(t->arena, "authorization %lld", (long long)l->of.authorization);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "acme: the letter is too large");
    ca_body_init(&b);
    ca_body_id(&b, "mail", l->id);
    ca_body_str(&b, "method", l->of.method);
    ca_body_str(&b, "identifier", l->of.name);
    ca_body_str(&b, "recipient", l->recipient);
    if (why[0] != '\0') {
        ca_body_str(&b, "why", why);
    }
    return ca_body_event(&b, t, kind, subject, (lt_slice){0});
}

lt_res acme_mail_say(struct ca_turn *t, const struct acme_mail_for *f, const Ipc__Problem *p)
{
    struct lt_buf text;
    lt_buf_init(&text, ERROR_MAX);
    acme_problem_json(p, &text);
    lt_res r = lt_buf_check(&text);
    if (!lt_failed(r)) {
        r = store_exec(t->store, &acme_mail_rows[ACME_MAIL_ERROR],
                       STORE_ARGS(STORE_I(f->authorization), STORE_I(f->index), STORE_T(lt_buf_slice(&text))),
                       NULL);
    }
    lt_buf_done(&text);
    return r;
}

lt_res acme_mail_withdraw(struct ca_turn *t, const struct acme_mail_for *f)
{
    return store_exec(t->store, &acme_mail_rows[ACME_MAIL_WITHDRAW],
                      STORE_ARGS(STORE_I(f->authorization), STORE_I(f->index)), NULL);
}

static const char *text_of(struct ca_turn *t, const struct store_rows *rows, int column)
{
    return lt_arena_cstr(t->arena, store_bytes(rows, column));
}

lt_res acme_letter_read(struct acme_desk *d, struct ca_turn *t, const struct store_rows *rows,
                        struct acme_letter *l)
{
    *l = (struct acme_letter){.id = store_int(rows, 0)};
    l->of.authorization = store_int(rows, 1);
    l->of.index = (uint32_t)store_int(rows, 2);
    l->of.method = text_of(t, rows, 3);
    l->of.name = text_of(t, rows, 4);
    l->of.expires.us = store_int(rows, 5);
    l->recipient = text_of(t, rows, 6);
    l->sealed = lt_arena_copy(t->arena, store_bytes(rows, 7));
    l->wildcard = store_int(rows, 8) != 0;
    l->pending = lt_slice_eq_cstr(store_bytes(rows, 9), acme_state_name(ACME_PENDING)) &&
                 l->of.expires.us > t->now.us;
    l->queued = lt_slice_eq_cstr(store_bytes(rows, 15), "queued");
    l->attempts = (uint32_t)store_int(rows, 10);
    l->created.us = store_int(rows, 11);
    l->expires.us = store_int(rows, 12);
    l->subscriber = store_is_null(rows, 14)
                        ? lt_arena_printf(t->arena, "%s/acme/account/%lld", d->config->base_url,
                                          (long long)store_int(rows, 13))
                        : text_of(t, rows, 14);
    LT_CHECK(l->of.method != NULL && l->of.name != NULL && l->recipient != NULL && l->sealed.ptr != NULL &&
                 l->subscriber != NULL,
             LT_PEER_TOO_LARGE, "acme: the letter is too large");
    return LT_OK;
}

/* --- sending -------------------------------------------------------------------------------------------- */

/* A copy of the book alone approves nothing: the random values in it are sealed. */
static const char *seal_id(int64_t id, char text[CA_SEAL_ID_MAX])
{
    (void)snprintf(text, CA_SEAL_ID_MAX, "mail %lld", (long long)id); /* it fits */
    return text;
}

static lt_res end(struct ca_turn *t, int64_t id, const char *status, const char *why)
{
    return store_exec(t->store, &acme_mail_rows[ACME_MAIL_END],
                      STORE_ARGS(STORE_I(id), STORE_S(status), why[0] != '\0' ? STORE_S(why) : STORE_N),
                      NULL);
}

static char *words(const char *text)
{
    return (char *)(uintptr_t)text; /* the message has no const; it is only read */
}

/* The same row makes the same letter, but for the attempt, which is not in it. */
static lt_res send(struct acme_desk *d, struct ca_turn *t, const struct acme_letter *l)
{
    Ipc__MailSend m = IPC__MAIL_SEND__INIT;
    const struct validate_method *rule = validate_method_find(l->of.method, "dns");
    lt_time later = lt_time_add_seconds(t->now, PATIENCE_S);
    char id[CA_SEAL_ID_MAX];
    lt_slice token = {0};
    LT_CHECK(rule != NULL, LT_STATE_CORRUPT, "acme: a letter for the method \"%s\"", l->of.method);
    if (lt_failed(ca_seal_open(t->book->seal, seal_id(l->id, id), l->sealed, t->arena, &token))) {
        return end(t, l->id, "refused", "its random value was sealed with another key");
    }
    LT_TRY(store_exec(t->store, &acme_mail_rows[ACME_MAIL_TRY], STORE_ARGS(STORE_I(l->id), STORE_I(later.us)),
                      NULL));
    m.mail_id = l->id;
    m.attempt = l->attempts + 1;
    m.relay = words(d->config->mail_relay);
    m.from = words(d->config->mail_from);
    m.to = words(l->recipient);
    m.ca = words(d->config->name);
    m.host = words(d->config->host_names[0]);
    m.name = lt_arena_printf(t->arena, "%s%s", l->wildcard ? "*." : "", l->of.name);
    m.rule = words(rule->ruleset);
    m.subscriber = words(l->subscriber);
    m.url = lt_arena_printf(t->arena, "%s/validate/%.*s", d->config->base_url, LT_FMT(token));
    m.created_us = l->created.us;
    m.expires_us = l->expires.us;
    LT_CHECK(m.name != NULL && m.url != NULL, LT_PEER_TOO_LARGE, "acme: the letter is too large");
    return ca_turn_send(t, IPC_COURIER, IPC_MAIL_SEND, (uint64_t)l->id, &m.base);
}

static lt_res load(struct acme_desk *d, struct ca_turn *t, int64_t id, struct acme_letter *ret_letter)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    *ret_letter = (struct acme_letter){.id = 0};
    LT_TRY(store_query(t->store, &acme_mail_rows[ACME_MAIL_BY_ID], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        r = acme_letter_read(d, t, &rows, ret_letter);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res acme_letter_add(struct acme_desk *d, struct ca_turn *t, const struct acme_mail_for *f,
                       const char *recipient)
{
    uint8_t random[ACME_TOKEN_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    char of[CA_SEAL_ID_MAX];
    lt_slice sealed;
    struct acme_letter l;
    int64_t id = ca_new_id(t);
    /*= CABF-BR 3.2.2.4.4 "The Random Value SHALL be unique in each email." */
    d->random(random, sizeof random);
    char *token = lt_base64url(t->arena, LT_SLICE(random, sizeof random));
    LT_CHECK(token != NULL, LT_PEER_TOO_LARGE, "acme: the letter is too large");
    crypto_sha256(lt_slice_cstr(token), hash);
    LT_TRY(ca_seal_close(t->book->seal, d->random, seal_id(id, of), lt_slice_cstr(token), t->arena, &sealed));
    /*= CABF-BR 3.2.2.4.4 "The Random Value SHALL remain valid for use in a confirming response for no more
     * than 30 days from its creation." */
    lt_time until = lt_time_add_seconds(t->now, ACME_MAIL_LIFETIME_DAYS * LT_SECONDS_PER_DAY);
    until = f->expires.us < until.us ? f->expires : until;
    LT_TRY(store_exec(t->store, &acme_mail_rows[ACME_MAIL_ADD],
                      STORE_ARGS(STORE_I(id), STORE_I(f->authorization), STORE_I(f->index),
                                 STORE_S(recipient), STORE_B(sealed), STORE_B(LT_SLICE(hash, sizeof hash)),
                                 STORE_I(t->now.us), STORE_I(until.us)),
                      NULL));
    LT_TRY(load(d, t, id, &l));
    LT_CHECK(l.id == id, LT_STATE_CORRUPT, "acme: a letter for no challenge");
    return acme_letter_event(t, "mail.written", &l,
                             ""); /* the tick sends it, when all that it says is written */
}

static lt_res send_due(struct acme_desk *d, struct ca_turn *t)
{
    struct acme_letter *due = LT_NEW_ARRAY(t->arena, struct acme_letter, ACME_MAIL_STEP);
    struct store_rows rows;
    size_t count = 0;
    lt_res r = LT_OK;
    LT_CHECK(due != NULL, LT_PEER_TOO_LARGE, "acme: too many letters at once");
    LT_TRY(store_query(t->store, &acme_mail_rows[ACME_MAIL_DUE],
                       STORE_ARGS(STORE_I(t->now.us), STORE_I(ACME_MAIL_STEP)), &rows));
    while (!lt_failed(r) && count < ACME_MAIL_STEP && store_next(&rows)) {
        r = acme_letter_read(d, t, &rows, &due[count++]);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    for (size_t i = 0; i < count; i++) {
        bool wanted = due[i].pending && due[i].expires.us > t->now.us;
        LT_TRY(wanted ? send(d, t, &due[i]) : end(t, due[i].id, "withdrawn", ""));
    }
    return LT_OK;
}

/* --- what the relay says -------------------------------------------------------------------------------- */

/* Nobody has got a letter, and nobody will: the subscriber has to know. */
static lt_res say_if_last(struct ca_turn *t, const struct acme_letter *l, const char *why)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_mail_rows[ACME_MAIL_OF],
                       STORE_ARGS(STORE_I(l->of.authorization), STORE_I(l->of.index), STORE_I(1)), &rows));
    bool more = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    if (more) {
        return LT_OK;
    }
    Ipc__Problem *p = acme_problem(t->arena, "connection", "The letter to %s did not arrive: %s",
                                   l->recipient, why);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the outcome is too large");
    return acme_mail_say(t, &l->of, p);
}

static lt_res not_taken(struct ca_turn *t, const struct acme_letter *l, const Ipc__MailSent *said)
{
    size_t tried = l->attempts;
    if (said->final || tried > LT_COUNT(pauses_s)) {
        LT_TRY(end(t, l->id, "refused", said->why));
        LT_TRY(acme_letter_event(t, "mail.refused", l, said->why));
        return say_if_last(t, l, said->why);
    }
    lt_time due = lt_time_add_seconds(t->now, pauses_s[tried == 0 ? 0 : tried - 1]);
    return store_exec(t->store, &acme_mail_rows[ACME_MAIL_PUT_OFF],
                      STORE_ARGS(STORE_I(l->id), STORE_I(l->attempts), STORE_I(due.us), STORE_S(said->why)),
                      NULL);
}

lt_res acme_desk_mailed(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__MailSent *said = (const Ipc__MailSent *)(const void *)m->body;
    struct acme_letter l;
    int64_t changed = 0;
    LT_TRY(load(d, t, said->mail_id, &l));
    if (l.id == 0) {
        return acme_contact_mailed(t, said);
    }
    /* Of an attempt before, or it was said or answered already. */
    if (l.id == 0 || !l.queued || l.attempts != said->attempt) {
        return LT_OK;
    }
    if (!said->accepted) {
        return not_taken(t, &l, said);
    }
    LT_TRY(store_exec(t->store, &acme_mail_rows[ACME_MAIL_SENT],
                      STORE_ARGS(STORE_I(l.id), STORE_I(l.attempts), STORE_I(t->now.us)), &changed));
    return changed == 0 ? LT_OK : acme_letter_event(t, "mail.sent", &l, "");
}

/* Whatever the one before had in its hands is given to it; the rest waits for its time. */
lt_res acme_desk_courier_linked(struct acme_desk *d, struct ca_turn *t)
{
    bool mine = false;
    LT_TRY(acme_corroborations_ask_again(d, t));
    LT_TRY(acme_contact_courier_linked(t));
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &mine));
    return !mine ? LT_OK
                 : store_exec(t->store, &acme_mail_rows[ACME_MAIL_RESUME], STORE_ARGS(STORE_I(t->now.us)),
                              NULL);
}

/* --- time ----------------------------------------------------------------------------------------------- */

static lt_res sweep(struct ca_turn *t)
{
    int64_t ids[ACME_MAIL_STEP];
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(t->store, &acme_mail_rows[ACME_MAIL_EXPIRED],
                       STORE_ARGS(STORE_I(t->now.us), STORE_I(ACME_MAIL_STEP)), &rows));
    while (count < ACME_MAIL_STEP && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(end(t, ids[i], "expired", ""));
    }
    return LT_OK;
}

lt_res acme_mail_tick(struct acme_desk *d, struct ca_turn *t)
{
    LT_TRY(acme_contact_tick(d, t));
    LT_TRY(sweep(t));
    if (d->config->mail_relay[0] == '\0') {
        return LT_OK; /* rows of a time when there was one wait for the next */
    }
    LT_TRY(acme_mail_ask_again(d, t));
    return send_due(d, t);
}
