/* See prove.h. */
#include "acme/prove.h"

#include <string.h>

#include "acme/enroll_private.h"
#include "base/text.h"
#include "ca/body.h"
#include "validate/by_hand.h"
#include "x509/dnsname.h"

enum { LIFETIME_S = 7 * 86400, WHERE_MAX = 1024 };

static lt_res add_account(struct ca_turn *t, struct acme_account *a)
{
    a->id = ca_new_id(t);
    a->status = ACME_VALID;
    /* No key has this thumbprint, and none can be found for it. */
    t->random(a->thumbprint, sizeof a->thumbprint);
    return store_exec(t->store, &acme_sql[ACME_SQL_ACCOUNT_ADD],
                      STORE_ARGS(STORE_I(a->id), STORE_B(LT_SLICE(a->thumbprint, sizeof a->thumbprint)),
                                 STORE_B(LT_LIT("")), STORE_S(""), STORE_S("[]"), STORE_N, STORE_I(t->now.us),
                                 STORE_S("")),
                      NULL);
}

static lt_res where(struct ca_turn *t, int64_t id, const char **ret_where)
{
    struct acme_authorization a;
    struct lt_buf text;
    LT_TRY(acme_authorization_load(t, id, &a));
    LT_CHECK(a.challenge_count > 0, LT_STATE_CORRUPT, "acme: an authorization without a challenge");
    const struct validate_method *m = validate_method_find(a.challenges[0]->type, a.type);
    LT_CHECK(m != NULL, LT_STATE_CORRUPT, "acme: a method that is none");
    lt_buf_init(&text, WHERE_MAX);
    lt_buf_addf(&text, "a %s at ", validate_by_hand_what(m));
    validate_by_hand_where(m, lt_slice_cstr(a.identifier), &text);
    lt_buf_addf(&text, " with %s", a.challenges[0]->token);
    *ret_where = text.overflow ? NULL : lt_arena_cstr(t->arena, lt_buf_slice(&text));
    lt_buf_done(&text);
    LT_CHECK(*ret_where != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    return LT_OK;
}

static lt_res say(struct ca_turn *t, int64_t id, const char *name)
{
    struct ca_body b;
    char *subject = lt_arena_printf(t->arena, "authorization %lld", (long long)id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    ca_body_init(&b);
    ca_body_str(&b, "identifier", name);
    ca_body_str(&b, "for", "a problem report");
    return ca_body_event(&b, t, "authorization.created", subject, (lt_slice){0});
}

lt_res acme_prove_begin(struct acme_desk *desk, struct ca_turn *t, const char *name, const char *method,
                        int64_t *ret_authorization, const char **ret_where)
{
    static const struct acme_name_rules rules = {.local = false, .address = false};
    Ipc__EnrollMethod row = IPC__ENROLL_METHOD__INIT;
    Ipc__EnrollMethod *rows[] = {&row};
    const struct acme_by_hand hand = {.methods = rows, .count = 1, .contact = ""};
    struct acme_call c = {.desk = desk, .turn = t, .by_hand = &hand};
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    const struct acme_scope scope = {.subdomains = false};
    const struct validate_method *m = validate_method_find(method, "dns");
    LT_CHECK(m != NULL && acme_challenge_by_hand(method, "dns") && validate_by_hand_what(m)[0] != '\0',
             LT_PEER_MALFORMED, "\"%.40s\" is no way that is open here: dns-change or website-change",
             method);
    row.method = (char *)(uintptr_t)method; /* read, not kept */
    identifier.type = (char *)(uintptr_t) "dns";
    identifier.value = (char *)(uintptr_t)name;
    const struct acme_name_fault fault = acme_name_check(desk->names, &rules, &identifier);
    LT_CHECK(fault.type == NULL && !acme_name_is_wildcard(name), LT_PEER_MALFORMED, "%.200s: %s", name,
             fault.type == NULL ? "give the name without its star" : fault.detail);
    LT_TRY(add_account(t, &c.account));
    lt_time expires = lt_time_add_seconds(t->now, LIFETIME_S);
    LT_TRY(acme_authorization_make(&c, &identifier, &scope, expires, ret_authorization));
    LT_TRY(acme_authorization_alone(&c, *ret_authorization, expires));
    LT_TRY(say(t, *ret_authorization, name));
    return where(t, *ret_authorization, ret_where);
}

lt_res acme_prove_check(struct acme_desk *desk, struct ca_turn *t, int64_t authorization)
{
    struct acme_authorization a;
    Ipc__AcmeCall m = IPC__ACME_CALL__INIT;
    Ipc__AcmeChallengeReply which = IPC__ACME_CHALLENGE_REPLY__INIT;
    Ipc__AcmeReply reply;
    struct acme_call c = {.desk = desk, .turn = t};
    LT_TRY(acme_authorization_load(t, authorization, &a));
    LT_CHECK(a.id != 0 && a.challenge_count > 0, LT_PEER_NOT_FOUND, "acme: there is no such authorization");
    if (a.status != ACME_PENDING || strcmp(a.challenges[0]->status, acme_state_name(ACME_PROCESSING)) == 0) {
        return LT_OK;
    }
    LT_TRY(acme_account_load(desk, t->store, a.account, &c.account));
    which.authorization_id = authorization;
    which.index = a.challenges[0]->index;
    m.op = IPC__ACME_OP__ACME_REPLY_CHALLENGE;
    m.challenge = &which;
    LT_TRY(acme_enroll_run(&c, acme_challenge_reply, &m, &reply));
    LT_CHECK(reply.problem == NULL, LT_PEER_CONFLICT, "%.150s", reply.problem->detail);
    return LT_OK;
}

lt_res acme_prove_state(struct ca_turn *t, int64_t authorization, const char **ret_state,
                        const char **ret_why)
{
    struct acme_authorization a;
    *ret_why = "";
    LT_TRY(acme_authorization_load(t, authorization, &a));
    LT_CHECK(a.id != 0 && a.challenge_count > 0, LT_PEER_NOT_FOUND, "acme: there is no such authorization");
    const Ipc__AcmeChallengeBody *ch = a.challenges[0];
    *ret_state = a.status != ACME_PENDING ? acme_state_name(a.status) : ch->status;
    if (ch->error != NULL) {
        *ret_why = ch->error->detail;
        /* CAA is looked at behind the proof: who is forbidden to issue has seen it nevertheless. */
        *ret_state = strcmp(ch->error->type, "caa") == 0 ? acme_state_name(ACME_VALID) : *ret_state;
    }
    return LT_OK;
}
