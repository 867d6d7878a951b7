/* Accounts: made by a key, changed and given up by it (RFC 8555 7.3). */
#include <string.h>

#include "acme/desk_private.h"
#include "acme/json_own.h"
#include "base/text.h"
#include "ca/eab.h"
#include "ca/key_block.h"
#include "crypto/alg.h"
#include "crypto/digest.h"

enum { CONTACTS_MAX = 10, CONTACT_MAX = 254, CONTACTS_JSON_MAX = 8192, CANCEL_STEP = 200 };

struct account_row {
    enum acme_state status;
    lt_slice thumbprint;
    lt_slice spki;
    const char *alg;
    lt_slice contacts; /* JSON */
    bool terms_agreed;
    int64_t terms_us;
};

static struct acme_account *cached(struct acme_desk *d, int64_t id)
{
    /* Ids carry their randomness in the low bits. */
    return &d->accounts[(uint64_t)id % ACME_ACCOUNTS_CACHED];
}

/* ret_row lives in the arena. */
static lt_res read_row(struct store *s, struct lt_arena *a, int64_t id, bool *ret_found,
                       struct account_row *ret_row)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(s, &acme_sql[ACME_SQL_ACCOUNT], STORE_ARGS(STORE_I(id)), &rows));
    *ret_found = store_next(&rows);
    if (*ret_found) {
        r = acme_state_read(store_bytes(&rows, 0), &ret_row->status);
        ret_row->thumbprint = lt_arena_copy(a, store_bytes(&rows, 1));
        ret_row->spki = lt_arena_copy(a, store_bytes(&rows, 2));
        ret_row->alg = lt_arena_cstr(a, store_bytes(&rows, 3));
        ret_row->contacts = lt_arena_copy(a, store_bytes(&rows, 4));
        ret_row->terms_agreed = !store_is_null(&rows, 5);
        ret_row->terms_us = store_int(&rows, 5);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    LT_CHECK(!*ret_found || (ret_row->alg != NULL && ret_row->contacts.ptr != NULL), LT_PEER_TOO_LARGE,
             "acme: the account is too large");
    return LT_OK;
}

lt_res acme_account_load(struct acme_desk *d, struct store *s, int64_t id, struct acme_account *ret_account)
{
    struct acme_account *slot = cached(d, id);
    if (slot->id == id) {
        *ret_account = *slot;
        return LT_OK;
    }
    struct store_rows rows;
    struct acme_account found = {0};
    lt_res r = LT_OK;
    LT_TRY(store_query(s, &acme_sql[ACME_SQL_ACCOUNT], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        lt_slice thumbprint = store_bytes(&rows, 1);
        r = acme_state_read(store_bytes(&rows, 0), &found.status);
        if (thumbprint.len == sizeof found.thumbprint) {
            found.id = id;
            memcpy(found.thumbprint, thumbprint.ptr, sizeof found.thumbprint);
            crypto_sha256(store_bytes(&rows, 2), found.spki_sha256);
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    if (found.id != 0) {
        *slot = found;
    }
    *ret_account = found;
    return LT_OK;
}

static void forget(struct acme_desk *d, int64_t id)
{
    memset(cached(d, id), 0, sizeof *cached(d, id));
}

lt_res acme_account_by_key(struct ca_turn *t, lt_slice thumbprint, int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ACCOUNT_BY_THUMBPRINT], STORE_ARGS(STORE_B(thumbprint)),
                       &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

static bool alphanumeric(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Dot-atom of RFC 5322, without '%' and '?': those would be escapes and header fields of the URL. */
static bool good_local(lt_slice s)
{
    if (s.len == 0 || s.len > 64 || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c <= 0x20 || c >= 0x7f || strchr("()<>[]:;,\"\\@%?", c) != NULL) {
            return false;
        }
    }
    return true;
}

/* Labels of letters, digits and inner hyphens, two of them at least. */
static bool good_host(lt_slice s)
{
    size_t dots = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        bool edge = i == 0 || i + 1 == s.len || s.ptr[i - 1] == '.' || s.ptr[i + 1] == '.';
        bool inner = (c == '-' || c == '.') && !edge;
        if (!alphanumeric(c) && !inner) {
            return false;
        }
        dots += c == '.';
    }
    return dots > 0;
}

/* One mail address, no header fields, no second address.
 *= RFC 8555 7.3 ""hfields" [RFC6068] or more than one "addr-spec" in the "to" component" */
static bool good_mailbox(lt_slice s)
{
    size_t at = lt_slice_find(s, '@');
    return at < s.len && good_local(lt_slice_sub(s, 0, at)) && good_host(lt_slice_sub(s, at + 1, SIZE_MAX));
}

/* NULL when all are good. */
static Ipc__Problem *check_contacts(struct lt_arena *a, char *const *contacts, size_t count)
{
    if (count > CONTACTS_MAX) {
        return acme_problem(a, "invalidContact", "At most %d contacts.", CONTACTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        lt_slice s = lt_slice_cstr(contacts[i]);
        /*= RFC 8555 7.3 "it MUST return an error of type "unsupportedContact"" */
        if (!lt_slice_eq_nocase(lt_slice_sub(s, 0, 7), LT_LIT("mailto:"))) {
            return acme_problem(a, "unsupportedContact", "Only mailto: contacts are understood.");
        }
        if (s.len > CONTACT_MAX || !good_mailbox(lt_slice_sub(s, 7, SIZE_MAX))) {
            return acme_problem(a, "invalidContact",
                                "Contact %zu is not a mailto: URL with one mail address and nothing else.",
                                i + 1);
        }
    }
    return NULL;
}

static void contacts_json(char *const *contacts, size_t count, struct lt_buf *out)
{
    lt_buf_init(out, CONTACTS_JSON_MAX);
    lt_buf_add_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            lt_buf_add_byte(out, ',');
        }
        lt_json_add_string(out, lt_slice_cstr(contacts[i]));
    }
    lt_buf_add_byte(out, ']');
}

static lt_res contacts_read(struct lt_arena *a, lt_slice json, Ipc__AcmeAccountBody *body)
{
    struct acme_own o = {.rest = json};
    body->contacts = LT_NEW_ARRAY(a, char *, CONTACTS_MAX);
    LT_CHECK(body->contacts != NULL, LT_PEER_TOO_LARGE, "acme: the account is too large");
    acme_own_skip(&o, "[");
    while (!o.bad && !acme_own_is(&o, "]")) {
        (void)acme_own_is(&o, ","); /* our own text: between two */
        char *contact = acme_own_string(&o, a);
        LT_CHECK(contact != NULL && body->n_contacts < CONTACTS_MAX, LT_STATE_CORRUPT,
                 "acme: an account's contacts are not ours");
        body->contacts[body->n_contacts++] = contact;
    }
    return acme_own_done(&o);
}

lt_res acme_account_contacts(struct ca_turn *t, int64_t id, char ***ret_list, size_t *ret_count)
{
    Ipc__AcmeAccountBody body = IPC__ACME_ACCOUNT_BODY__INIT;
    struct account_row row = {0};
    bool found = false;
    LT_TRY(read_row(t->store, t->arena, id, &found, &row));
    LT_TRY(found ? contacts_read(t->arena, row.contacts, &body) : LT_OK);
    *ret_list = body.contacts;
    *ret_count = body.n_contacts;
    return LT_OK;
}

/* Answers with the account as the book has it. */
static lt_res answer_account(struct acme_call *c, int64_t id, uint32_t status)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    Ipc__AcmeAccountBody body = IPC__ACME_ACCOUNT_BODY__INIT;
    struct account_row row = {0};
    bool found = false;
    LT_TRY(read_row(c->turn->store, c->turn->arena, id, &found, &row));
    LT_CHECK(found, LT_STATE_CORRUPT, "acme: account %lld is gone", (long long)id);
    LT_TRY(contacts_read(c->turn->arena, row.contacts, &body));
    char *status_text = lt_arena_cstr(c->turn->arena, lt_slice_cstr(acme_state_name(row.status)));
    uint8_t *spki = lt_arena_alloc(c->turn->arena, row.spki.len + 1);
    LT_CHECK(status_text != NULL && spki != NULL, LT_PEER_TOO_LARGE, "acme: the account is too large");
    memcpy(spki, row.spki.ptr, row.spki.len);
    /*= RFC 8555 7.3.4 "The account object the CA returns MUST include an "externalAccountBinding" field with
     *the = same value as the field in the request." */
    lt_slice binding;
    LT_TRY(ca_eab_binding(c->turn, id, &binding));
    body.eab_jws = (ProtobufCBinaryData){binding.len, (uint8_t *)(uintptr_t)binding.ptr};
    body.id = id;
    body.status = status_text;
    body.terms_agreed = row.terms_agreed;
    body.jwk_spki = (ProtobufCBinaryData){row.spki.len, spki};
    reply.status = status;
    reply.location_account = id;
    reply.account = &body;
    return acme_answer(c, &reply);
}

/* The key is an account's already.
 *= RFC 8555 7.3.1 "If the server receives a newAccount request signed with a key for which it already has an
 *= account registered with the provided account key, then it MUST return a response with status code 200 (OK)
 *= and provide the URL of that account in the Location header field." */
static lt_res answer_existing(struct acme_call *c, int64_t id)
{
    struct acme_account existing;
    LT_TRY(acme_account_load(c->desk, c->turn->store, id, &existing));
    if (existing.id != 0 && existing.status == ACME_VALID) {
        return answer_account(c, id, 200);
    }
    Ipc__Problem *p = acme_problem(c->turn->arena, "unauthorized",
                                   "This key belongs to an account that is %s; use another key.",
                                   acme_state_name(existing.status));
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    p->status = 401;
    return acme_refuse(c, p);
}

/* NULL when a new account may be made. */
static Ipc__Problem *check_new(struct acme_call *c, const Ipc__AcmeNewAccount *n)
{
    struct lt_arena *a = c->turn->arena;
    if (n->only_return_existing) {
        /*= RFC 8555 7.3.1 "the server MUST return an error response with status code 400 (Bad Request)" */
        return acme_problem(a, "accountDoesNotExist", "This key has no account here.");
    }
    /*= RFC 8555 7.3 "MUST reject newAccount requests that do not have the "termsOfServiceAgreed" field" */
    if (c->desk->config->terms_of_service[0] != '\0' && !n->terms_agreed) {
        return acme_problem(a, "userActionRequired", "Agree to the terms of service: %s",
                            c->desk->config->terms_of_service);
    }
    if (crypto_alg_by_name(lt_slice_cstr(c->m->jwk_alg)) == CRYPTO_SIG_NONE) {
        return acme_problem(a, "badSignatureAlgorithm", "\"%s\" is not accepted for account keys.",
                            c->m->jwk_alg);
    }
    return check_contacts(a, n->contacts, n->n_contacts);
}

/* A key that was compromised opens no account either. */
static lt_res check_blocked(struct acme_call *c, const Ipc__PublicKey *key, Ipc__Problem **ret_problem)
{
    *ret_problem = NULL;
    lt_res r = ca_key_block_check(c->turn, acme_bytes(key->spki_sha256));
    if (r.code != LT_POLICY_BLOCKED_KEY) {
        return r;
    }
    *ret_problem = acme_problem(c->turn->arena, "badPublicKey", "%s.", lt_error_last()->detail);
    LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    return LT_OK;
}

static lt_res add_account(struct acme_call *c, const Ipc__AcmeNewAccount *n, int64_t *ret_id)
{
    struct lt_buf contacts;
    int64_t id = ca_new_id(c->turn);
    contacts_json(n->contacts, n->n_contacts, &contacts);
    lt_res r = lt_buf_check(&contacts);
    if (!lt_failed(r)) {
        r = store_exec(c->turn->store, &acme_sql[ACME_SQL_ACCOUNT_ADD],
                       STORE_ARGS(STORE_I(id), STORE_B(acme_bytes(c->m->thumbprint)),
                                  STORE_B(acme_bytes(c->m->jwk->spki)), STORE_S(c->m->jwk_alg),
                                  STORE_T(lt_buf_slice(&contacts)),
                                  n->terms_agreed ? STORE_I(c->turn->now.us) : STORE_N,
                                  STORE_I(c->turn->now.us), STORE_S(c->m->remote_address)),
                       NULL);
    }
    r = lt_failed(r) ? r : ca_ready_open(c->turn, id, false, n->terms_agreed);
    *ret_id = id;
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_add_cstr(&body, "{\"thumbprint\":\"");
    lt_base64url_add(&body, acme_bytes(c->m->thumbprint));
    lt_buf_addf(&body, "\",\"alg\":\"%s\",\"terms\":%s,\"contacts\":", c->m->jwk_alg,
                n->terms_agreed ? "true" : "false");
    lt_buf_add(&body, lt_buf_slice(&contacts));
    lt_buf_add_cstr(&body, ",\"address\":");
    lt_json_add_string(&body, lt_slice_cstr(c->m->remote_address));
    lt_buf_add_byte(&body, '}');
    lt_buf_done(&contacts);
    if (lt_failed(r)) {
        lt_buf_done(&body);
        return r;
    }
    return acme_event(c->turn, "account.created", "account", id, &body, (lt_slice){0});
}

lt_res acme_account_new(struct acme_call *c)
{
    const Ipc__AcmeNewAccount *n = c->m->new_account;
    uint8_t address[16];
    int64_t id = 0;
    bool refused = false;
    LT_CHECK(n != NULL && c->m->thumbprint.len == 32, LT_PEER_MALFORMED, "acme: newAccount without its body");
    LT_TRY(acme_account_by_key(c->turn, acme_bytes(c->m->thumbprint), &id));
    if (id != 0) {
        return answer_existing(c, id);
    }
    Ipc__Problem *p = check_new(c, n);
    if (p == NULL) {
        LT_TRY(check_blocked(c, c->m->jwk, &p));
    }
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    size_t len = acme_rate_address(c->m->remote_address, address);
    LT_TRY(acme_limited(c, ACME_LIMIT_ACCOUNTS, LT_SLICE(address, len), true, &refused));
    if (refused) {
        return LT_OK;
    }
    struct ca_eab_key external;
    LT_TRY(acme_external_check(c, n, &external, &p));
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    LT_TRY(add_account(c, n, &id));
    if (external.kid != NULL) {
        LT_TRY(ca_eab_bind(c->turn, &external, id, acme_bytes(n->eab_jws)));
    }
    return answer_account(c, id, 201);
}

lt_res acme_account_get(struct acme_call *c)
{
    int64_t asked = c->m->object == NULL ? c->account.id : c->m->object->id;
    if (asked != c->account.id) {
        return acme_refuse(c, acme_problem(c->turn->arena, "unauthorized", "That is another account's URL."));
    }
    return answer_account(c, asked, 200);
}

/* Takes pending authorizations back, a slice at a time; the rest when it is due.
 *= RFC 8555 7.3.6 "The server SHOULD cancel any pending operations authorized by the account's key, such as
 *= certificate orders." */
lt_res acme_account_cancel(struct acme_desk *d, struct ca_turn *t, int64_t account)
{
    int64_t ids[CANCEL_STEP];
    size_t count = 0;
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ACCOUNT_PENDING_LIST],
                       STORE_ARGS(STORE_I(account), STORE_I(CANCEL_STEP)), &rows));
    while (count < CANCEL_STEP && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    Ipc__Problem *why = acme_problem(t->arena, "unauthorized", "The account was deactivated.");
    for (size_t i = 0; i < count; i++) {
        struct acme_authorization a;
        LT_TRY(acme_authorization_load(t, ids[i], &a));
        LT_TRY(acme_authorization_step(t, &a, ACME_DEACTIVATE, a.expires, (lt_time){0}));
        LT_TRY(acme_orders_follow(d, t, a.id, ACME_FAIL, why));
    }
    if (count < CANCEL_STEP) {
        return LT_OK;
    }
    char *subject = lt_arena_printf(t->arena, "%lld", (long long)account);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    return store_exec(
        t->store, &acme_sql[ACME_SQL_DUE_ADD],
        STORE_ARGS(STORE_I(ca_new_id(t)), STORE_I(t->now.us), STORE_S("acme.cancel"), STORE_S(subject)),
        NULL);
}

static lt_res deactivate(struct acme_call *c)
{
    enum acme_state to = ACME_STATE_NONE;
    struct lt_buf body;
    LT_TRY(acme_step(ACME_ACCOUNT, c->account.status, ACME_DEACTIVATE, &to));
    LT_TRY(acme_step_exec(c->turn->store, ACME_SQL_ACCOUNT_STEP,
                          STORE_ARGS(STORE_I(c->account.id), STORE_S(acme_state_name(c->account.status)),
                                     STORE_S(acme_state_name(to)))));
    forget(c->desk, c->account.id);
    LT_TRY(acme_account_cancel(c->desk, c->turn, c->account.id));
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_add_cstr(&body, "{\"by\":\"client\"}");
    LT_TRY(
        acme_event(c->turn, "account.deactivated", "account", c->account.id, &body, acme_bytes(c->m->jws)));
    return answer_account(c, c->account.id, 200);
}

static lt_res update_readiness(struct acme_call *c, const Ipc__AcmeUpdateAccount *u)
{
    LT_TRY(u->has_contacts ? ca_ready_contacts(c->turn, c->account.id, u->contacts, u->n_contacts) : LT_OK);
    return u->terms_agreed ? ca_ready_agreed(c->turn, c->account.id) : LT_OK;
}

static lt_res update_contacts(struct acme_call *c, const Ipc__AcmeUpdateAccount *u)
{
    struct account_row row = {0};
    bool found = false;
    struct lt_buf contacts;
    LT_TRY(read_row(c->turn->store, c->turn->arena, c->account.id, &found, &row));
    LT_CHECK(found, LT_STATE_CORRUPT, "acme: account %lld is gone", (long long)c->account.id);
    if (u->has_contacts) {
        contacts_json(u->contacts, u->n_contacts, &contacts);
    } else {
        lt_buf_init(&contacts, CONTACTS_JSON_MAX);
        lt_buf_add(&contacts, row.contacts);
    }
    bool agreed = row.terms_agreed || u->terms_agreed;
    int64_t agreed_us = row.terms_agreed ? row.terms_us : c->turn->now.us;
    lt_res r = lt_buf_check(&contacts);
    if (!lt_failed(r)) {
        r = acme_step_exec(c->turn->store, ACME_SQL_ACCOUNT_UPDATE,
                           STORE_ARGS(STORE_I(c->account.id), STORE_T(lt_buf_slice(&contacts)),
                                      agreed ? STORE_I(agreed_us) : STORE_N));
    }
    r = lt_failed(r) ? r : update_readiness(c, u);
    if (lt_failed(r)) {
        lt_buf_done(&contacts);
        return r;
    }
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_add_cstr(&body, "{\"contacts\":");
    lt_buf_add(&body, lt_buf_slice(&contacts));
    lt_buf_addf(&body, ",\"terms\":%s}", agreed ? "true" : "false");
    lt_buf_done(&contacts);
    return acme_event(c->turn, "account.updated", "account", c->account.id, &body, (lt_slice){0});
}

lt_res acme_account_update(struct acme_call *c)
{
    const Ipc__AcmeUpdateAccount *u = c->m->update_account;
    LT_CHECK(u != NULL, LT_PEER_MALFORMED, "acme: account update without its body");
    if (c->m->object != NULL && c->m->object->id != c->account.id) {
        return acme_refuse(c, acme_problem(c->turn->arena, "unauthorized", "That is another account's URL."));
    }
    if (u->deactivate) {
        return deactivate(c);
    }
    Ipc__Problem *p = u->has_contacts ? check_contacts(c->turn->arena, u->contacts, u->n_contacts) : NULL;
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    if (u->has_contacts || u->terms_agreed) {
        LT_TRY(update_contacts(c, u));
    }
    return answer_account(c, c->account.id, 200);
}

/* NULL when the request says what it must. */
static Ipc__Problem *check_key_change(struct acme_call *c, const Ipc__AcmeKeyChange *k)
{
    struct lt_arena *a = c->turn->arena;
    char *url = lt_arena_printf(a, "%s/acme/account/%lld", c->desk->config->base_url,
                                (long long)c->account.id);
    char *id = lt_arena_printf(a, "%lld", (long long)c->account.id);
    if (url == NULL || id == NULL) {
        return acme_problem(a, "malformed", "The request is too large.");
    }
    lt_slice named = lt_slice_cstr(k->inner_account);
    if (!lt_slice_eq_cstr(named, url) && !lt_slice_eq_cstr(named, id)) {
        return acme_problem(a, "malformed", "The inner \"account\" is not the account that signed.");
    }
    if (!lt_slice_eq(acme_bytes(k->old_thumbprint), LT_SLICE(c->account.thumbprint, 32))) {
        return acme_problem(a, "malformed", "\"oldKey\" is not the account's key.");
    }
    if (crypto_alg_by_name(lt_slice_cstr(k->new_alg)) == CRYPTO_SIG_NONE) {
        return acme_problem(a, "badSignatureAlgorithm", "\"%s\" is not accepted for account keys.",
                            k->new_alg);
    }
    return NULL;
}

/*= RFC 8555 7.3.5 "then the server SHOULD use status code 409 (Conflict)" */
static lt_res refuse_conflict(struct acme_call *c, int64_t holder)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    reply.problem = acme_problem(c->turn->arena, "malformed", "The new key belongs to an account already.");
    LT_CHECK(reply.problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    reply.problem->status = 409;
    reply.status = 409;
    reply.location_account = holder;
    return acme_answer(c, &reply);
}

lt_res acme_account_key_change(struct acme_call *c)
{
    const Ipc__AcmeKeyChange *k = c->m->key_change;
    int64_t holder = 0;
    LT_CHECK(k != NULL && k->new_key != NULL && k->new_thumbprint.len == 32 && k->new_key->spki.len > 0,
             LT_PEER_MALFORMED, "acme: keyChange without its body");
    Ipc__Problem *p = check_key_change(c, k);
    if (p == NULL) {
        LT_TRY(check_blocked(c, k->new_key, &p));
    }
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    LT_TRY(acme_account_by_key(c->turn, acme_bytes(k->new_thumbprint), &holder));
    if (holder != 0) {
        return refuse_conflict(c, holder);
    }
    LT_TRY(acme_step_exec(c->turn->store, ACME_SQL_ACCOUNT_KEY,
                          STORE_ARGS(STORE_I(c->account.id), STORE_B(LT_SLICE(c->account.thumbprint, 32)),
                                     STORE_B(acme_bytes(k->new_thumbprint)),
                                     STORE_B(acme_bytes(k->new_key->spki)), STORE_S(k->new_alg))));
    forget(c->desk, c->account.id);
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_add_cstr(&body, "{\"old\":\"");
    lt_base64url_add(&body, LT_SLICE(c->account.thumbprint, 32));
    lt_buf_add_cstr(&body, "\",\"new\":\"");
    lt_base64url_add(&body, acme_bytes(k->new_thumbprint));
    lt_buf_add_cstr(&body, "\"}");
    LT_TRY(
        acme_event(c->turn, "account.key-changed", "account", c->account.id, &body, acme_bytes(c->m->jws)));
    return answer_account(c, c->account.id, 200);
}

lt_res acme_desk_key(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__KeyLookup *lookup = (const Ipc__KeyLookup *)(const void *)m->body;
    Ipc__KeyAnswer answer = IPC__KEY_ANSWER__INIT;
    lt_slice kid = lt_slice_cstr(lookup->kid);
    struct account_row row = {0};
    uint64_t id = 0;
    bool found = false;
    (void)d; /* the notary remembers keys; they are read from the book each time */
    answer.kid = lookup->kid;
    if (!lt_failed(lt_parse_u64(kid, INT64_MAX, &id))) {
        LT_TRY(read_row(t->store, t->arena, (int64_t)id, &found, &row));
    }
    if (found && row.spki.len > 0) { /* accounts of enrolments have no key: nobody signs for them */
        char *status = lt_arena_cstr(t->arena, lt_slice_cstr(acme_state_name(row.status)));
        char *alg = lt_arena_cstr(t->arena, lt_slice_cstr(row.alg));
        LT_CHECK(status != NULL && alg != NULL, LT_PEER_TOO_LARGE, "acme: the key is too large");
        answer.found = true;
        answer.status = status;
        answer.alg = alg;
        answer.spki = (ProtobufCBinaryData){row.spki.len, (uint8_t *)(uintptr_t)row.spki.ptr};
        answer.thumbprint = (ProtobufCBinaryData){row.thumbprint.len,
                                                  (uint8_t *)(uintptr_t)row.thumbprint.ptr};
    }
    return ca_turn_reply(t, &m->from, IPC_KEY_ANSWER, &answer.base);
}
