/* Authorizations that are asked for in advance, outside of any order (RFC 8555 7.4.1). */
#include "acme/desk_private.h"
#include "base/text.h"

/* Some profile takes a name of that kind; which one it will be, the order says. */
static struct acme_name_fault check_alone(const struct acme_call *c, const Ipc__Identifier *name)
{
    struct acme_name_fault fault = {"rejectedIdentifier", "No profile takes names.", "profiles"};
    const struct ca_book *b = c->turn->book;
    for (size_t i = 0; i < b->row_count && fault.type != NULL; i++) {
        const struct ca_profile *p = b->rows[i].profile;
        const struct acme_name_rules rules = {
            .local = (p->names & CA_NAME_LOCAL) != 0 && !p->public_trust,
            .address = (p->names & CA_NAME_IP) != 0,
        };
        if (p->kind == CA_PROFILE_SUBSCRIBER) {
            fault = acme_name_check(c->desk->names, &rules, name);
        }
    }
    return fault;
}

/* What stands in the way, as for an order of the one name. */
static lt_res find_obstacle(struct acme_call *c, const Ipc__AcmeNewAuthorization *n,
                            Ipc__Problem **ret_problem)
{
    struct acme_order one = {.account = c->account.id, .profile = c->desk->config->default_profile};
    struct acme_judgement j;
    /*= RFC 8555 7.4.1 "pre-authorization cannot be used to authorize issuance of certificates containing
     *= wildcard domain names" */
    struct acme_name_fault fault = {"malformed", "Wildcard names are not authorized in advance.",
                                    "RFC 8555 7.4.1"};
    if (!acme_name_is_wildcard(n->identifier->value)) {
        fault = check_alone(c, n->identifier);
    }
    if (fault.type != NULL) {
        *ret_problem = acme_problem(c->turn->arena, fault.type, "%s: %s [%s]", n->identifier->value,
                                    fault.detail, fault.rule);
        LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        return LT_OK;
    }
    LT_TRY(acme_name_set_of(c->turn->arena, (Ipc__Identifier *const *)&n->identifier, 1, &one.names));
    LT_TRY(acme_external_names(c, &one.names, ret_problem));
    if (*ret_problem != NULL) {
        return LT_OK;
    }
    LT_TRY(acme_policy_judge(c->desk, c->turn, &one, &j));
    *ret_problem = j.problem;
    return j.problem != NULL ? LT_OK : acme_pause_check(c, &one.names, ret_problem);
}

static lt_res check_new_authorization(struct acme_call *c, const Ipc__AcmeNewAuthorization *n,
                                      Ipc__Problem **ret_problem)
{
    static const char unwilling[] = "rejectedIdentifier";
    LT_TRY(find_obstacle(c, n, ret_problem));
    /*= RFC 8555 7.4.1 "If the server is unwilling to issue for the identifier, it SHOULD return an error with
     *= status code 403 (Forbidden), with a problem document describing the reason for the rejection." */
    if (*ret_problem != NULL && lt_slice_eq_cstr(lt_slice_cstr((*ret_problem)->type), unwilling)) {
        (*ret_problem)->status = 403;
    }
    return LT_OK;
}

static lt_res say_created(struct acme_call *c, const Ipc__AcmeNewAuthorization *n, int64_t id)
{
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body, "{\"account\":%lld,\"subdomains\":%s,\"identifier\":", (long long)c->account.id,
                n->subdomains ? "true" : "false");
    lt_json_add_string(&body, lt_slice_cstr(n->identifier->value));
    lt_buf_add_byte(&body, '}');
    return acme_event(c->turn, "authorization.created", "authorization", id, &body, (lt_slice){0});
}

lt_res acme_authorization_new(struct acme_call *c)
{
    const Ipc__AcmeNewAuthorization *n = c->m->new_authorization;
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    struct acme_authorization made;
    Ipc__Problem *p = NULL;
    bool refused = false;
    int64_t account = c->account.id;
    LT_CHECK(n != NULL && n->identifier != NULL, LT_PEER_MALFORMED, "acme: newAuthz without its body");
    LT_TRY(check_new_authorization(c, n, &p));
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    LT_TRY(acme_pending_limit(c, 1, &refused));
    if (!refused) {
        LT_TRY(acme_limited(c, ACME_LIMIT_ORDERS, LT_SLICE(&account, sizeof account), true, &refused));
    }
    if (refused) {
        return LT_OK;
    }
    lt_time expires = lt_time_add_seconds(c->turn->now, acme_order_lifetime(c));
    const struct acme_scope scope = {.subdomains = n->subdomains};
    LT_TRY(acme_authorization_make(c, n->identifier, &scope, expires, &made.id));
    LT_TRY(acme_authorization_alone(c, made.id, expires));
    LT_TRY(say_created(c, n, made.id));
    LT_TRY(acme_authorization_load(c->turn, made.id, &made));
    LT_TRY(acme_authorization_body(c->turn, &made, &reply));
    /*= RFC 8555 7.4.1 "returns a 201 (Created) response with the authorization URL in the Location header
     *= field" */
    reply.location_authorization = made.id;
    reply.status = 201;
    return acme_answer(c, &reply);
}
