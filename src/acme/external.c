/* External account binding (RFC 8555 7.3.4) at the desk: whoever makes an account may have to be known
 * already, and orders keep to what the key was given out for. */
#include "acme/desk_private.h"
#include "ca/eab.h"

lt_res acme_external_check(struct acme_call *c, const Ipc__AcmeNewAccount *n, struct ca_eab_key *ret_key,
                           Ipc__Problem **ret_problem)
{
    *ret_key = (struct ca_eab_key){0};
    *ret_problem = NULL;
    if (n->binding == NULL) {
        /*= RFC 8555 7.3.4 "If the CA receives a newAccount request without an "externalAccountBinding" field,
         *then = it SHOULD reply with an error of type "externalAccountRequired"." */
        if (c->desk->config->external_account_required) {
            *ret_problem = acme_problem(
                c->turn->arena, "externalAccountRequired",
                "An account here is bound to an external account key: ask the operator "
                "for one (lintel eab create).");
            LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        }
        return LT_OK;
    }
    lt_res r = ca_eab_check(c->turn, n->binding, ret_key);
    if (r.code == LT_PEER_UNAUTHORIZED) {
        *ret_problem = acme_problem(c->turn->arena, "unauthorized", "%s.", lt_error_last()->detail);
        LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        return LT_OK;
    }
    return r;
}

static lt_res check_names(struct acme_call *c, const struct ca_eab_key *k, const struct acme_name_set *names,
                          Ipc__Problem **ret_problem)
{
    for (size_t i = 0; i < names->count; i++) {
        const Ipc__Identifier *name = names->list[i];
        if (ca_eab_permits_name(k, name)) {
            continue;
        }
        if (*ret_problem == NULL) {
            *ret_problem = acme_problem(c->turn->arena, "rejectedIdentifier",
                                        "The external account key of this account is for names below:%s.",
                                        k->suffixes);
            LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        }
        LT_TRY(acme_problem_add(c->turn->arena, *ret_problem, "rejectedIdentifier", name,
                                "not a name that the external account key is for"));
    }
    return LT_OK;
}

lt_res acme_external_names(struct acme_call *c, const struct acme_name_set *names, Ipc__Problem **ret_problem)
{
    struct ca_eab_key k;
    *ret_problem = NULL;
    LT_TRY(ca_eab_of_account(c->turn, c->account.id, &k));
    return k.kid == NULL ? LT_OK : check_names(c, &k, names, ret_problem);
}

/* Before anything is written for the order. A problem means refused. */
lt_res acme_external_order(struct acme_call *c, const char *profile, const struct acme_name_set *names,
                           bool exempt, Ipc__Problem **ret_problem)
{
    struct ca_eab_key k;
    int64_t wait_s = 0;
    *ret_problem = NULL;
    LT_TRY(ca_eab_of_account(c->turn, c->account.id, &k));
    if (k.kid == NULL) {
        return LT_OK;
    }
    if (lt_failed(ca_eab_permits(&k, profile))) {
        *ret_problem = acme_problem(c->turn->arena, "unauthorized", "%s.", lt_error_last()->detail);
        LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        return LT_OK;
    }
    LT_TRY(check_names(c, &k, names, ret_problem));
    if (*ret_problem != NULL || exempt) {
        return LT_OK;
    }
    LT_TRY(ca_eab_count_order(c->turn, &k, &wait_s));
    if (wait_s > 0) {
        *ret_problem = acme_problem(
            c->turn->arena, "rateLimited",
            "The external account key of this account is for %lld orders in %lld seconds.",
            (long long)k.orders_most, (long long)k.orders_period_s);
        LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        (*ret_problem)->retry_after_s = wait_s > UINT32_MAX ? UINT32_MAX : (uint32_t)wait_s;
    }
    return LT_OK;
}
