/* Letters to contacts, and the page that they lead to. */
#include "acme/contact.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/seal.h"
#include "crypto/digest.h"

#define COLUMNS                                                                                             \
    "SELECT l.id, l.account, l.address, l.token, l.status, l.attempts, l.created_us, l.expires_us, s.name " \
    "FROM contact_letter AS l LEFT JOIN subscriber AS s ON s.account = l.account WHERE "

static const struct store_sql sql[] = {
    {"contact.enrolments",
     "SELECT contact FROM enrolment WHERE account = ?1 AND order_id > 0 ORDER BY order_id DESC LIMIT 20"},
    {"contact.letter-add",
     "INSERT INTO contact_letter (id, account, address, token, token_sha256, status, attempts, due_us, "
     "created_us, created_by, expires_us) VALUES (?1, ?2, ?3, ?4, ?5, 'queued', 0, ?6, ?6, ?7, ?8)"},
    {"contact.letters-due", COLUMNS "l.status = 'queued' AND l.due_us <= ?1 ORDER BY l.due_us LIMIT ?2"},
    {"contact.letter", COLUMNS "l.id = ?1"},
    {"contact.letter-by-token", COLUMNS "l.token_sha256 = ?1 AND l.token IS NOT NULL"},
    {"contact.letter-try",
     "UPDATE contact_letter SET attempts = attempts + 1, due_us = ?2 WHERE id = ?1 AND status = 'queued'"},
    {"contact.letter-sent", "UPDATE contact_letter SET status = 'sent' WHERE id = ?1 AND status = 'queued'"},
    {"contact.letter-put-off", "UPDATE contact_letter SET due_us = ?2 WHERE id = ?1 AND status = 'queued'"},
    {"contact.letter-end",
     "UPDATE contact_letter SET status = ?2, token = NULL WHERE id = ?1 AND token IS NOT NULL"},
    {"contact.letters-resume",
     "UPDATE contact_letter SET due_us = ?1 WHERE status = 'queued' AND due_us > ?1 AND due_us <= ?2"},
    {"contact.letters-expired", "SELECT id FROM contact_letter WHERE token IS NOT NULL AND expires_us <= ?1 "
                                "ORDER BY expires_us LIMIT ?2"},
    {"contact.bounced", "SELECT address FROM contact WHERE account = ?1 AND bounced_us > verified_us"},
};
enum {
    SQL_ENROLMENTS,
    SQL_ADD,
    SQL_DUE,
    SQL_GET,
    SQL_BY_TOKEN,
    SQL_TRY,
    SQL_SENT,
    SQL_PUT_OFF,
    SQL_END,
    SQL_RESUME,
    SQL_EXPIRED,
    SQL_BOUNCED,
};
const struct store_sql *const acme_contact_sql = sql;
const size_t acme_contact_sql_count = LT_COUNT(sql);

enum { STEP = 50, PATIENCE_S = 180, LIFETIME_DAYS = 30 };
/* After each attempt that the relay did not take; then nobody is there. */
static const int64_t pauses_s[] = {60, 300, 1800, 7200, 21600, 43200, 86400};

struct letter {
    int64_t id; /* 0: there is none */
    int64_t account;
    const char *address;
    lt_slice sealed;
    bool queued;
    int64_t attempts;
    lt_time created;
    lt_time expires;
    const char *subscriber;
};

static const char *seal_id(int64_t id, char text[CA_SEAL_ID_MAX])
{
    (void)snprintf(text, CA_SEAL_ID_MAX, "contact %lld", (long long)id); /* it fits */
    return text;
}

static lt_res read_letter(struct ca_turn *t, const struct store_rows *rows, struct letter *l)
{
    *l = (struct letter){
        .id = store_int(rows, 0),
        .account = store_int(rows, 1),
        .address = lt_arena_cstr(t->arena, store_bytes(rows, 2)),
        .sealed = lt_arena_copy(t->arena, store_bytes(rows, 3)),
        .queued = lt_slice_eq_cstr(store_bytes(rows, 4), "queued"),
        .attempts = store_int(rows, 5),
        .created = {store_int(rows, 6)},
        .expires = {store_int(rows, 7)},
    };
    l->subscriber = store_is_null(rows, 8) ? lt_arena_printf(t->arena, "account %lld", (long long)l->account)
                                           : lt_arena_cstr(t->arena, store_bytes(rows, 8));
    LT_CHECK(l->address != NULL && l->sealed.ptr != NULL && l->subscriber != NULL, LT_PEER_TOO_LARGE,
             "acme: the letter is too large");
    return LT_OK;
}

static lt_res find(struct ca_turn *t, const struct store_sql *q, struct store_value key, struct letter *l)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    *l = (struct letter){.id = 0};
    LT_TRY(store_query(t->store, q, &key, 1, &rows));
    if (store_next(&rows)) {
        r = read_letter(t, &rows, l);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res end(struct ca_turn *t, int64_t id, const char *status)
{
    return store_exec(t->store, &sql[SQL_END], STORE_ARGS(STORE_I(id), STORE_S(status)), NULL);
}

/* ---- written ---- */

static lt_res add_letter(struct acme_desk *d, struct ca_turn *t, int64_t account, const char *address,
                         const char *by)
{
    uint8_t random[ACME_TOKEN_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    char of[CA_SEAL_ID_MAX];
    lt_slice sealed;
    int64_t id = ca_new_id(t);
    d->random(random, sizeof random);
    char *token = lt_base64url(t->arena, LT_SLICE(random, sizeof random));
    LT_CHECK(token != NULL, LT_PEER_TOO_LARGE, "acme: the letter is too large");
    crypto_sha256(lt_slice_cstr(token), hash);
    LT_TRY(ca_seal_close(t->book->seal, d->random, seal_id(id, of), lt_slice_cstr(token), t->arena, &sealed));
    lt_time until = lt_time_add_seconds(t->now, (int64_t)LIFETIME_DAYS * LT_SECONDS_PER_DAY);
    return store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(id), STORE_I(account), STORE_S(address), STORE_B(sealed),
                                 STORE_B(LT_SLICE(hash, sizeof hash)), STORE_I(t->now.us), STORE_S(by),
                                 STORE_I(until.us)),
                      NULL);
}

static void add_address(struct acme_addresses *a, const char *text)
{
    const char *address = strncmp(text, "mailto:", 7) == 0 ? text + 7 : text;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->list[i], address) == 0) {
            return;
        }
    }
    if (a->count < ACME_ADDRESSES_MAX && address[0] != '\0') {
        a->list[a->count++] = address;
    }
}

/* Of an account of ACME what it told us; of a subscriber whom to ask about his requests. */
static lt_res collect(struct ca_turn *t, int64_t account, struct acme_addresses *a)
{
    struct store_rows rows;
    char **contacts = NULL;
    size_t count = 0;
    LT_TRY(acme_account_contacts(t, account, &contacts, &count));
    for (size_t i = 0; i < count; i++) {
        add_address(a, contacts[i]);
    }
    LT_TRY(store_query(t->store, &sql[SQL_ENROLMENTS], STORE_ARGS(STORE_I(account)), &rows));
    while (store_next(&rows)) {
        char *text = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        add_address(a, text == NULL ? "" : text);
    }
    return store_rows_end(&rows);
}

/* What came back, and nobody has confirmed since. */
static lt_res forget_bounced(struct ca_turn *t, int64_t account, struct acme_addresses *a)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_BOUNCED], STORE_ARGS(STORE_I(account)), &rows));
    while (store_next(&rows)) {
        for (size_t i = 0; i < a->count; i++) {
            if (lt_slice_eq_cstr(store_bytes(&rows, 0), a->list[i])) {
                a->list[i] = a->list[--a->count];
                break;
            }
        }
    }
    return store_rows_end(&rows);
}

lt_res acme_addresses_of(struct ca_turn *t, int64_t account, struct acme_addresses *ret_addresses)
{
    *ret_addresses = (struct acme_addresses){.count = 0};
    LT_TRY(collect(t, account, ret_addresses));
    return forget_bounced(t, account, ret_addresses);
}

static lt_res say_written(struct ca_turn *t, int64_t account, const struct acme_addresses *a,
                          const struct ca_ready_asker *by, const char **ret_json)
{
    struct ca_body bodies[2];
    struct lt_buf list;
    char *subject = lt_arena_printf(t->arena, "account %lld", (long long)account);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    lt_buf_init(&list, ACME_EVENT_MAX);
    for (size_t i = 0; i < a->count; i++) {
        lt_buf_add_cstr(&list, i == 0 ? "[" : ",");
        lt_json_add_string(&list, lt_slice_cstr(a->list[i]));
    }
    lt_buf_add_byte(&list, ']');
    for (size_t i = 0; i < LT_COUNT(bodies); i++) {
        ca_body_init(&bodies[i]);
        ca_body_id(&bodies[i], "account", account);
        ca_body_json(&bodies[i], "written_to", lt_buf_slice(&list));
        ca_body_str(&bodies[i], "operator", by->operator_name);
    }
    lt_buf_done(&list);
    lt_res r = ca_body_event(&bodies[0], t, "contact.written", subject, by->jws);
    lt_res written = ca_body_cstr(&bodies[1], t->arena, ret_json);
    return lt_failed(r) ? r : written;
}

lt_res acme_contact_write(struct acme_desk *d, struct ca_turn *t, const struct ca_ready_asker *by,
                          const Ipc__ReadyWanted *w, const char **ret_json)
{
    struct acme_addresses a = {.count = 0};
    int64_t account = 0;
    LT_CHECK(d->config->mail_relay[0] != '\0', LT_PEER_UNSUPPORTED,
             "this CA sends no mail: set mail.relay in lintel.yaml, or say what you know of an address");
    LT_TRY(ca_ready_account(t, w, &account));
    if (w->address[0] != '\0') {
        add_address(&a, w->address);
    } else {
        LT_TRY(collect(t, account, &a));
    }
    LT_CHECK(a.count > 0, LT_PEER_NOT_FOUND, "account %lld has no contact to write to", (long long)account);
    for (size_t i = 0; i < a.count; i++) {
        LT_TRY(ca_ready_address(lt_slice_cstr(a.list[i])));
        LT_TRY(add_letter(d, t, account, a.list[i], by->operator_name));
    }
    return say_written(t, account, &a, by, ret_json);
}

/* ---- sent ---- */

static char *words(const char *text)
{
    return (char *)(uintptr_t)text; /* the message has no const; it is only read */
}

static lt_res send(struct acme_desk *d, struct ca_turn *t, const struct letter *l)
{
    Ipc__MailSend m = IPC__MAIL_SEND__INIT;
    char id[CA_SEAL_ID_MAX];
    lt_slice token = {0};
    if (lt_failed(ca_seal_open(t->book->seal, seal_id(l->id, id), l->sealed, t->arena, &token))) {
        return end(t, l->id, "expired"); /* sealed with another key: nobody can answer it */
    }
    LT_TRY(store_exec(t->store, &sql[SQL_TRY],
                      STORE_ARGS(STORE_I(l->id), STORE_I(lt_time_add_seconds(t->now, PATIENCE_S).us)), NULL));
    m.mail_id = l->id;
    m.attempt = (uint32_t)l->attempts + 1;
    m.kind = words("contact");
    m.relay = words(d->config->mail_relay);
    m.from = words(d->config->mail_from);
    m.to = words(l->address);
    m.ca = words(d->config->name);
    m.host = words(d->config->host_names[0]);
    m.name = words(d->config->host_names[0]);
    m.subscriber = words(l->subscriber);
    m.url = lt_arena_printf(t->arena, "%s/acme/contact/%.*s", d->config->base_url, LT_FMT(token));
    m.created_us = l->created.us;
    m.expires_us = l->expires.us;
    LT_CHECK(m.url != NULL, LT_PEER_TOO_LARGE, "acme: the letter is too large");
    return ca_turn_send(t, IPC_COURIER, IPC_MAIL_SEND, (uint64_t)l->id, &m.base);
}

static lt_res send_due(struct acme_desk *d, struct ca_turn *t)
{
    struct letter *due = LT_NEW_ARRAY(t->arena, struct letter, STEP);
    struct store_rows rows;
    size_t count = 0;
    lt_res r = LT_OK;
    LT_CHECK(due != NULL, LT_PEER_TOO_LARGE, "acme: too many letters at once");
    LT_TRY(store_query(t->store, &sql[SQL_DUE], STORE_ARGS(STORE_I(t->now.us), STORE_I(STEP)), &rows));
    while (!lt_failed(r) && count < STEP && store_next(&rows)) {
        r = read_letter(t, &rows, &due[count++]);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    for (size_t i = 0; i < count; i++) {
        LT_TRY(due[i].expires.us > t->now.us ? send(d, t, &due[i]) : end(t, due[i].id, "expired"));
    }
    return LT_OK;
}

static lt_res sweep(struct ca_turn *t)
{
    int64_t ids[STEP];
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_EXPIRED], STORE_ARGS(STORE_I(t->now.us), STORE_I(STEP)), &rows));
    while (count < STEP && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(end(t, ids[i], "expired"));
    }
    return LT_OK;
}

lt_res acme_contact_tick(struct acme_desk *d, struct ca_turn *t)
{
    LT_TRY(sweep(t));
    return d->config->mail_relay[0] == '\0' ? LT_OK : send_due(d, t);
}

lt_res acme_contact_courier_linked(struct ca_turn *t)
{
    return store_exec(t->store, &sql[SQL_RESUME],
                      STORE_ARGS(STORE_I(t->now.us), STORE_I(lt_time_add_seconds(t->now, PATIENCE_S).us)),
                      NULL);
}

lt_res acme_contact_mailed(struct ca_turn *t, const Ipc__MailSent *said)
{
    struct letter l;
    LT_TRY(find(t, &sql[SQL_GET], STORE_I(said->mail_id), &l));
    if (l.id == 0 || !l.queued || l.attempts != said->attempt) {
        return LT_OK; /* of an attempt before, or it was answered already */
    }
    if (said->accepted) {
        return store_exec(t->store, &sql[SQL_SENT], STORE_ARGS(STORE_I(l.id)), NULL);
    }
    if (said->final || (size_t)l.attempts > LT_COUNT(pauses_s)) {
        LT_TRY(end(t, l.id, "bounced"));
        return ca_ready_bounced(t, l.account, l.address, said->why);
    }
    int64_t pause_s = pauses_s[l.attempts > 0 ? l.attempts - 1 : 0];
    return store_exec(t->store, &sql[SQL_PUT_OFF],
                      STORE_ARGS(STORE_I(l.id), STORE_I(lt_time_add_seconds(t->now, pause_s).us)), NULL);
}

/* ---- the page ---- */

static lt_res show(struct acme_page *p, const struct letter *l)
{
    char until[LT_RFC3339_SIZE];
    lt_time_rfc3339(l->expires, until);
    LT_TRY(acme_page_title(p, 200, "Do you read this address?"));
    LT_TRY(acme_page_text(p, "A certificate may have to be revoked and replaced within a day. We then write "
                             "to this address. Say whether somebody who can replace certificates reads it. "
                             "Nothing has happened by opening this page."));
    LT_TRY(acme_page_row(p, "Address", l->address));
    LT_TRY(acme_page_row(p, "Subscriber", l->subscriber));
    LT_TRY(acme_page_row(p, "Certificate authority", p->desk->config->name));
    LT_TRY(acme_page_row(p, "This page works until", until));
    LT_TRY(acme_page_button(p, "confirm", "Yes, write here"));
    LT_TRY(acme_page_button(p, "wrong", "No, this is the wrong address"));
    return acme_page_answer(p);
}

static lt_res answer(struct acme_page *p, const struct letter *l, bool confirmed)
{
    char *by = lt_arena_printf(p->turn->arena, "page, from %s", p->m->remote_address);
    LT_CHECK(by != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    LT_TRY(end(p->turn, l->id, confirmed ? "verified" : "bounced"));
    LT_TRY(confirmed
               ? ca_ready_verified(p->turn, l->account, l->address, by)
               : ca_ready_bounced(p->turn, l->account, l->address, "its reader says: the wrong address"));
    LT_TRY(acme_page_title(p, 200, confirmed ? "Thank you" : "Noted"));
    LT_TRY(acme_page_text(p, confirmed ? "We write here when a certificate has to be replaced."
                                       : "We do not count on this address any more."));
    return acme_page_answer(p);
}

lt_res acme_contact_page(struct acme_page *p)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct letter l;
    crypto_sha256(lt_slice_cstr(p->m->token), hash);
    LT_TRY(find(p->turn, &sql[SQL_BY_TOKEN], STORE_B(LT_SLICE(hash, sizeof hash)), &l));
    if (l.id == 0 || l.expires.us <= p->turn->now.us) {
        return acme_page_unknown(p);
    }
    if (!p->m->post) {
        return show(p, &l);
    }
    const char *what = acme_page_field(p, "do");
    bool confirmed = strcmp(what, "confirm") == 0;
    return confirmed || strcmp(what, "wrong") == 0 ? answer(p, &l, confirmed) : acme_page_unknown(p);
}
