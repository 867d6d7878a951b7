/* The changes of this area, and what is due in it. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "incident/notice_private.h"

static const struct store_sql sql[] = {
    {"notice.again",
     "UPDATE notice SET status = 'queued', attempts = 0, due_us = ?2, ended_us = 0 WHERE id = ?1"},
    {"notice.batch-again", "UPDATE notice_batch SET failed = failed - 1, status = CASE WHEN status = 'done' "
                           "THEN 'sending' ELSE status END WHERE id = ?1"},
};
enum { SQL_AGAIN, SQL_BATCH_AGAIN };
static const struct incident_sql own = {sql, LT_COUNT(sql)};

static lt_res answer(struct incident_call *c, const char *name, int64_t value)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, name, value);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

/* ---- by hand ---- */

static lt_res write_params(struct incident_call *c, const char **ret_params)
{
    static const char *const names[] = {"title", "text", "bug"};
    struct ca_body b;
    ca_body_init(&b);
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        if (incident_text(c, names[i])[0] != '\0') {
            ca_body_str(&b, names[i], incident_text(c, names[i]));
        }
    }
    ca_body_time(&b, "when", c->t->now);
    return ca_body_cstr(&b, c->t->arena, ret_params);
}

static lt_res op_send(struct incident_call *c)
{
    const char *mail = incident_text(c, "mail");
    const char *hook = incident_text(c, "hook");
    const char *account = incident_text(c, "account");
    const char *kind = incident_text(c, "kind");
    struct incident_notice n = {.kind = kind[0] == '\0' ? "message" : kind,
                                .subject = incident_text(c, "about")};
    int64_t id = 0;
    uint64_t number = 0;
    struct ca_body b;
    LT_CHECK((mail[0] != '\0') + (hook[0] != '\0') + (account[0] != '\0') == 1, LT_PEER_MALFORMED,
             "to whom: one of \"mail\", \"hook\" and \"account\"");
    LT_CHECK(mail[0] == '\0' || c->config->mail_relay[0] != '\0', LT_PEER_UNSUPPORTED,
             "this CA sends no mail: set mail.relay in lintel.yaml");
    LT_TRY(write_params(c, &n.params));
    ca_body_init(&b);
    ca_body_str(&b, "notice_kind", n.kind);
    ca_body_str(&b, "to", mail[0] != '\0' ? mail : hook[0] != '\0' ? hook : account);
    ca_body_str(&b, "operator", c->by);
    LT_TRY(ca_body_event(&b, c->t, "notice.wanted", n.subject, c->jws));
    if (account[0] != '\0') {
        LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(account), INT64_MAX, &number)), LT_PEER_MALFORMED,
                 "\"%.40s\" is no account", account);
        n.account = (int64_t)number;
        LT_TRY(incident_notice_account(c->t, &n, &id));
        LT_CHECK(id > 0, LT_PEER_NOT_FOUND, "account %s has nobody to write to", account);
        return answer(c, "notices", id);
    }
    n.channel = mail[0] != '\0' ? "mail" : "webhook";
    n.to = mail[0] != '\0' ? mail : hook;
    LT_TRY(incident_notice_add(c->t, &n, &id));
    return answer(c, "id", id);
}

static lt_res op_again(struct incident_call *c)
{
    struct incident_notice_row n;
    struct ca_body b;
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    LT_TRY(incident_notice_load(c->t, id, &n));
    LT_CHECK(n.id != 0, LT_PEER_NOT_FOUND, "there is no notice %lld", (long long)id);
    LT_CHECK(incident_notice_next(n.status, "again") != NULL, LT_PEER_CONFLICT,
             "notice %lld is %s: only one that was refused or came back is sent again", (long long)id,
             n.status);
    LT_TRY(store_exec(c->t->store, &sql[SQL_AGAIN], STORE_ARGS(STORE_I(id), STORE_I(c->t->now.us)), NULL));
    LT_TRY(n.batch == 0 ? LT_OK
                        : store_exec(c->t->store, &sql[SQL_BATCH_AGAIN], STORE_ARGS(STORE_I(n.batch)), NULL));
    ca_body_init(&b);
    ca_body_int(&b, "notice", id);
    ca_body_str(&b, "operator", c->by);
    LT_TRY(ca_body_event(&b, c->t, "notice.again", n.subject, c->jws));
    return answer(c, "id", id);
}

/* A letter that came back to a person, who read it. */
static lt_res op_returned(struct incident_call *c)
{
    struct ca_body b;
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    char *subject = lt_arena_printf(c->t->arena, "notice %lld", (long long)id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(incident_notice_returned(c->t, id, incident_text(c, "token"), incident_text(c, "status"),
                                    incident_text(c, "words")));
    ca_body_init(&b);
    ca_body_str(&b, "operator", c->by);
    LT_TRY(ca_body_event(&b, c->t, "notice.told-returned", subject, c->jws));
    return answer(c, "id", id);
}

/* Nobody may look it up any more: the incident is over, or should not have been published. */
static lt_res op_withdraw(struct incident_call *c)
{
    struct ca_body b;
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    char *subject = lt_arena_printf(c->t->arena, "incident %lld", (long long)id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(incident_publish_end(c->t, id, c->by));
    ca_body_init(&b);
    ca_body_str(&b, "operator", c->by);
    LT_TRY(ca_body_event(&b, c->t, "list.withdrawal-wanted", subject, c->jws));
    return answer(c, "incident", id);
}

/* ---- what is due ---- */

static lt_res beat(struct incident_beat *b, bool *ret_more)
{
    LT_TRY(incident_oncall_due(b->t));
    LT_TRY(incident_notice_send_due(b, ret_more));
    return incident_batch_slice(b->t, ret_more);
}

static const struct incident_op ops[] = {
    {"notice.send", CA_ROLE_OPERATOR, op_send},
    {"notice.again", CA_ROLE_OPERATOR, op_again},
    {"notice.returned", CA_ROLE_OPERATOR, op_returned},
    {"notice.withdraw", CA_ROLE_OPERATOR, op_withdraw},
    {"hook.add", CA_ROLE_OPERATOR, incident_op_hook_add},
    {"hook.remove", CA_ROLE_OPERATOR, incident_op_hook_remove},
    {"oncall.person", CA_ROLE_OPERATOR, incident_op_oncall_person},
    {"oncall.remove", CA_ROLE_OPERATOR, incident_op_oncall_remove},
    {"oncall.rota", CA_ROLE_OPERATOR, incident_op_oncall_rota},
    {"oncall.override", CA_ROLE_OPERATOR, incident_op_oncall_override},
    {"oncall.ack", CA_ROLE_OPERATOR | CA_ROLE_APPROVER, incident_op_oncall_ack},
    {"oncall.test", CA_ROLE_OPERATOR, incident_op_oncall_test},
};
const struct incident_area incident_area_notice = {
    .name = "notice",
    .ops = {ops, LT_COUNT(ops)},
    .beat = beat,
    .sql = {&own, &incident_notice_sql, &incident_notice_send_sql, &incident_notice_batch_sql,
            &incident_notice_hook_sql, &incident_notice_list_sql, &incident_oncall_sql,
            &incident_oncall_ops_sql},
};
