/* Hooks: machines that take notices. What is sent is signed as https://www.standardwebhooks.com writes it
 * down: webhook-signature is "v1," and the Base64 of HMAC-SHA256, with the hook's secret, over webhook-id "."
 * webhook-timestamp "." body. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/seal.h"
#include "crypto/digest.h"
#include "incident/notice_private.h"
#include "mail.pb-c.h"

static const struct store_sql sql[] = {
    {"hook.get", "SELECT url, account, secret, status FROM notice_hook WHERE name = ?1"},
    {"hook.of",
     "SELECT name FROM notice_hook WHERE account = ?1 AND account > 0 AND status = 'valid' LIMIT 16"},
    {"hook.put",
     "INSERT INTO notice_hook (name, url, account, secret, status, added_us, added_by) VALUES (?1, ?2, ?3, "
     "?4, "
     "'valid', ?5, ?6) ON CONFLICT (name) DO UPDATE SET url = excluded.url, account = excluded.account, "
     "secret = excluded.secret, status = 'valid', added_us = excluded.added_us, added_by = "
     "excluded.added_by"},
    {"hook.remove", "UPDATE notice_hook SET status = 'removed' WHERE name = ?1 AND status = 'valid'"},
};
enum { SQL_GET, SQL_OF, SQL_PUT, SQL_REMOVE };
const struct incident_sql incident_notice_hook_sql = {sql, LT_COUNT(sql)};

enum { SECRET_LEN = 32, BODY_MAX = 100 * 1024, MESSAGE_MAX = 64, NAME_MAX_LEN = 64 };

struct hook {
    const char *url; /* NULL: there is none */
    int64_t account;
    lt_slice secret; /* sealed */
    bool valid;
};

static lt_res load(struct ca_turn *t, const char *name, struct hook *h)
{
    struct store_rows rows;
    *h = (struct hook){.url = NULL};
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_S(name)), &rows));
    if (store_next(&rows)) {
        h->url = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        h->account = store_int(&rows, 1);
        h->secret = lt_arena_copy(t->arena, store_bytes(&rows, 2));
        h->valid = lt_slice_eq_cstr(store_bytes(&rows, 3), "valid");
    }
    return store_rows_end(&rows);
}

lt_res incident_hook_known(struct ca_turn *t, const char *name)
{
    struct hook h;
    LT_TRY(load(t, name, &h));
    LT_CHECK(h.url != NULL && h.valid, LT_PEER_NOT_FOUND,
             "there is no hook \"%.64s\": lintel hook add says where one is", name);
    return LT_OK;
}

lt_res incident_hooks_of(struct ca_turn *t, int64_t account, struct incident_hooks *ret_hooks)
{
    struct store_rows rows;
    *ret_hooks = (struct incident_hooks){.count = 0};
    LT_TRY(store_query(t->store, &sql[SQL_OF], STORE_ARGS(STORE_I(account)), &rows));
    while (ret_hooks->count < LT_COUNT(ret_hooks->list) && store_next(&rows)) {
        char *name = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        ret_hooks->list[ret_hooks->count++] = name == NULL ? "" : name;
    }
    return store_rows_end(&rows);
}

/* ---- sent ---- */

static const char *seal_id(const char *name, char text[CA_SEAL_ID_MAX])
{
    (void)snprintf(text, CA_SEAL_ID_MAX, "hook %.64s", name); /* it fits */
    return text;
}

static void sign(lt_slice secret, const Ipc__HookSend *m, struct lt_buf *ret_signature)
{
    struct lt_buf signed_text;
    uint8_t mac[CRYPTO_SHA256_LEN];
    lt_buf_init(&signed_text, (size_t)BODY_MAX + MESSAGE_MAX * 2);
    lt_buf_addf(&signed_text, "%s.%lld.", m->message, (long long)m->timestamp_s);
    lt_buf_add(&signed_text, LT_SLICE(m->body.data, m->body.len));
    crypto_hmac(CRYPTO_SHA256, secret, lt_buf_slice(&signed_text), mac);
    lt_buf_add_cstr(ret_signature, "v1,");
    lt_base64_add(ret_signature, LT_SLICE(mac, sizeof mac));
    lt_buf_done(&signed_text);
}

static lt_res write_body(struct ca_turn *t, const struct ca_config *config,
                         const struct incident_notice_row *n, const char *params, const char **ret_body)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "type", n->kind);
    ca_body_time(&b, "timestamp", n->created);
    ca_body_str(&b, "ca", config->name);
    ca_body_int(&b, "notice", n->id);
    ca_body_str(&b, "about", n->subject);
    ca_body_json(&b, "data", lt_slice_cstr(params));
    return ca_body_cstr(&b, t->arena, ret_body);
}

lt_res incident_hook_send(struct ca_turn *t, const struct ca_config *config,
                          const struct incident_notice_row *n, const char *params)
{
    Ipc__HookSend m = IPC__HOOK_SEND__INIT;
    struct hook h;
    char id[CA_SEAL_ID_MAX];
    char message[MESSAGE_MAX];
    lt_slice secret;
    struct lt_buf signature;
    const char *body = NULL;
    LT_TRY(load(t, n->to, &h));
    if (h.url == NULL || !h.valid) {
        return incident_notice_move(t, n, "withdrawn", "the hook was removed");
    }
    if (lt_failed(ca_seal_open(t->book->seal, seal_id(n->to, id), h.secret, t->arena, &secret))) {
        return incident_notice_move(t, n, "refused", "its secret was sealed with another key");
    }
    LT_TRY(write_body(t, config, n, params, &body));
    (void)snprintf(message, sizeof message, "notice-%lld.%.32s", (long long)n->id, n->token); /* it fits */
    m.notice_id = n->id;
    m.attempt = (uint32_t)n->attempts + 1;
    m.url = (char *)(uintptr_t)h.url; /* only read, as the next */
    m.body = (ProtobufCBinaryData){strlen(body), (uint8_t *)(uintptr_t)body};
    m.message = message;
    m.timestamp_s = lt_time_seconds(t->now);
    m.allow_private = config->allow_private;
    lt_buf_init(&signature, MESSAGE_MAX);
    sign(secret, &m, &signature);
    m.signature = (char *)(uintptr_t)lt_buf_cstr(&signature);
    lt_res r = ca_turn_send(t, IPC_COURIER, IPC_HOOK_SEND, (uint64_t)n->id, &m.base);
    lt_buf_done(&signature);
    return r;
}

/* ---- what operators say ---- */

static bool is_name(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    return s[0] != '\0' && strlen(s) <= NAME_MAX_LEN && strspn(s, letters) == strlen(s);
}

static lt_res tell(struct incident_call *c, const char *name, const struct hook *h, const char *secret)
{
    struct ca_body bodies[2];
    char *subject = lt_arena_printf(c->t->arena, "hook %s", name);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < LT_COUNT(bodies); i++) {
        ca_body_init(&bodies[i]);
        ca_body_str(&bodies[i], "name", name);
        ca_body_str(&bodies[i], "url", h->url);
        ca_body_id(&bodies[i], "account", h->account);
        ca_body_str(&bodies[i], "operator", c->by);
    }
    ca_body_str(&bodies[1], "secret", secret); /* told once, to who added it, and to no event */
    lt_res r = ca_body_event(&bodies[0], c->t, "hook.added", subject, c->jws);
    lt_res written = ca_body_cstr(&bodies[1], c->t->arena, &c->json);
    return lt_failed(r) ? r : written;
}

lt_res incident_op_hook_add(struct incident_call *c)
{
    uint8_t random[SECRET_LEN];
    char id[CA_SEAL_ID_MAX];
    lt_slice sealed;
    uint64_t account = 0;
    struct lt_buf text;
    const char *name = incident_text(c, "name");
    const char *of = incident_text(c, "account");
    struct hook h = {.url = incident_text(c, "url")};
    LT_CHECK(c->config->hooks, LT_PEER_UNSUPPORTED,
             "this CA sends nothing to machines: set hooks.send in lintel.yaml");
    LT_CHECK(is_name(name), LT_PEER_MALFORMED,
             "\"%.64s\" is no name for a hook: small letters, digits, \"-\", \"_\" and \".\", at most %d",
             name, NAME_MAX_LEN);
    LT_CHECK(strncmp(h.url, "https://", 8) == 0 ||
                 (c->config->allow_private && strncmp(h.url, "http://", 7) == 0),
             LT_PEER_MALFORMED, "\"%.100s\" does not begin https://", h.url);
    LT_CHECK(of[0] == '\0' || !lt_failed(lt_parse_u64(lt_slice_cstr(of), INT64_MAX, &account)),
             LT_PEER_MALFORMED, "\"%.40s\" is no account", of);
    h.account = (int64_t)account;
    c->t->random(random, sizeof random);
    LT_TRY(ca_seal_close(c->t->book->seal, c->t->random, seal_id(name, id), LT_SLICE(random, sizeof random),
                         c->t->arena, &sealed));
    LT_TRY(store_exec(c->t->store, &sql[SQL_PUT],
                      STORE_ARGS(STORE_S(name), STORE_S(h.url), STORE_I(h.account), STORE_B(sealed),
                                 STORE_I(c->t->now.us), STORE_S(c->by)),
                      NULL));
    lt_buf_init(&text, MESSAGE_MAX * 2);
    lt_buf_add_cstr(&text, "whsec_");
    lt_base64_add(&text, LT_SLICE(random, sizeof random));
    lt_res r = tell(c, name, &h, lt_buf_cstr(&text));
    lt_buf_done(&text);
    return r;
}

lt_res incident_op_hook_remove(struct incident_call *c)
{
    int64_t changed = 0;
    struct ca_body b;
    char *subject = lt_arena_printf(c->t->arena, "hook %s", c->id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(store_exec(c->t->store, &sql[SQL_REMOVE], STORE_ARGS(STORE_S(c->id)), &changed));
    LT_CHECK(changed > 0, LT_PEER_NOT_FOUND, "there is no hook \"%.64s\"", c->id);
    ca_body_init(&b);
    ca_body_str(&b, "name", c->id);
    ca_body_str(&b, "operator", c->by);
    LT_TRY(ca_body_event(&b, c->t, "hook.removed", subject, c->jws));
    ca_body_init(&b);
    ca_body_str(&b, "name", c->id);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}
