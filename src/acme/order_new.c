/* newOrder (RFC 8555 7.4): policy for every name, profile and dates, then the order with an authorization for
 * each name, proven ones used again. */
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"
#include "ca/halt.h"
#include "ca/limits.h"
#include "crypto/digest.h"

enum { DEFAULT_LIFETIME_S = 7 * 86400, NAMES_JSON_MAX = 64 * 1024, REUSE_MARGIN_S = 3600 };

struct draft {
    const struct ca_profile *profile;
    struct acme_name_set names;
    struct ca_period wanted; /* {0} where the client did not say */
    lt_time expires;
    int64_t authorizations[CA_PROFILE_NAMES_MAX];
    const char *above[CA_PROFILE_NAMES_MAX]; /* the domain that shall prove the name; NULL: its own */
    struct acme_ancestor ancestors[CA_PROFILE_NAMES_MAX];
    int64_t shown[CA_PROFILE_NAMES_MAX]; /* what the client sees: each once */
    size_t shown_count;
    bool proven; /* all of them */
};

static Ipc__Problem *choose_profile(struct acme_call *c, const Ipc__AcmeNewOrder *o, struct draft *d)
{
    lt_slice name = lt_slice_cstr(o->profile[0] != '\0' ? o->profile : c->desk->config->default_profile);
    const struct ca_profile_row *row = ca_profile_by_name(c->turn->book, name);
    if (row == NULL || row->profile->kind != CA_PROFILE_SUBSCRIBER) {
        return acme_problem(c->turn->arena, "invalidProfile", "There is no profile \"%.*s\" for orders.",
                            LT_FMT(lt_slice_sub(name, 0, 100)));
    }
    d->profile = row->profile;
    return NULL;
}

/* Every name against policy; one subproblem for each that is refused.
 *= RFC 8555 6.7.1 "the CA may need to attribute errors to specific identifiers" */
static lt_res check_names(struct acme_call *c, const struct draft *d, Ipc__Problem **ret_problem)
{
    struct lt_arena *a = c->turn->arena;
    struct acme_name_rules rules = {
        .local = (d->profile->names & CA_NAME_LOCAL) != 0 && !d->profile->public_trust,
        .wildcard = (d->profile->names & CA_NAME_WILDCARD) != 0,
        .address = (d->profile->names & CA_NAME_IP) != 0,
    };
    Ipc__Problem *p = NULL;
    const char *type = NULL;
    size_t faults = 0;
    *ret_problem = NULL;
    for (size_t i = 0; i < d->names.count; i++) {
        struct acme_name_fault fault = acme_name_check(c->desk->names, &rules, d->names.list[i]);
        if (fault.type == NULL) {
            continue;
        }
        bool same = type == NULL || lt_slice_eq_cstr(lt_slice_cstr(type), fault.type);
        type = same ? fault.type : "compound";
        if (p == NULL) {
            p = acme_problem(a, fault.type, "%s: %s [%s]", d->names.list[i]->value, fault.detail, fault.rule);
            LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        }
        faults++;
        char *detail = lt_arena_printf(a, "%s [%s]", fault.detail, fault.rule);
        LT_CHECK(detail != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        LT_TRY(acme_problem_add(a, p, fault.type, d->names.list[i], detail));
    }
    if (faults > 1) {
        Ipc__Problem *all = acme_problem(a, type, "%zu of the names cannot be ordered; see each.", faults);
        LT_CHECK(all != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        all->n_subproblems = p->n_subproblems;
        all->subproblems = p->subproblems;
        p = all;
    }
    *ret_problem = p;
    return LT_OK;
}

/* The domains above the names that the client wants to prove instead (RFC 9444). */
static Ipc__Problem *check_ancestors(struct acme_call *c, const Ipc__AcmeNewOrder *o, struct draft *d)
{
    const struct acme_name_rules rules = {.local = (d->profile->names & CA_NAME_LOCAL) != 0 &&
                                                   !d->profile->public_trust};
    for (size_t k = 0; k < o->n_ancestors; k++) {
        const Ipc__AcmeAncestor *a = o->ancestors[k];
        Ipc__Identifier domain = *a->identifier;
        domain.value = a->domain;
        struct acme_name_fault fault = acme_name_check(c->desk->names, &rules, &domain);
        if (fault.type != NULL) {
            return acme_problem(c->turn->arena, fault.type, "ancestorDomain %s: %s [%s]", a->domain,
                                fault.detail, fault.rule);
        }
        for (size_t i = 0; i < d->names.count; i++) {
            if (strcmp(d->names.list[i]->value, a->identifier->value) == 0 &&
                acme_name_below(d->names.list[i]->value, a->domain)) {
                d->above[i] = a->domain;
            }
        }
    }
    return NULL;
}

static Ipc__Problem *check_count(struct acme_call *c, const struct draft *d)
{
    size_t most = c->desk->config->names_per_order;
    most = d->profile->names_max < most ? d->profile->names_max : most;
    most = most < CA_PROFILE_NAMES_MAX ? most : CA_PROFILE_NAMES_MAX;
    if (d->names.count == 0) {
        return acme_problem(c->turn->arena, "malformed", "An order names at least one identifier.");
    }
    if (d->names.count > most) {
        return acme_problem(c->turn->arena, "malformed",
                            "An order names at most %zu identifiers, this one %zu.", most, d->names.count);
    }
    return NULL;
}

/* notBefore and notAfter as the profile allows them. */
static Ipc__Problem *check_dates(struct acme_call *c, const Ipc__AcmeNewOrder *o, struct draft *d)
{
    struct lt_arena *a = c->turn->arena;
    struct ca_period period;
    bool bad = (o->not_before[0] != '\0' &&
                lt_failed(lt_time_parse(lt_slice_cstr(o->not_before), &d->wanted.not_before))) ||
               (o->not_after[0] != '\0' &&
                lt_failed(lt_time_parse(lt_slice_cstr(o->not_after), &d->wanted.not_after)));
    if (bad) {
        return acme_problem(a, "malformed", "notBefore and notAfter are RFC 3339 times: %s.",
                            lt_error_last()->detail);
    }
    const struct ca_issuer *issuer = ca_issuer_by_name(c->turn->book, lt_slice_cstr(d->profile->issuer));
    if (issuer == NULL) {
        return acme_problem(a, "serverInternal", "The profile's issuer is not in service.");
    }
    if (lt_failed(ca_profile_period(d->profile, c->turn->now, d->wanted,
                                    (struct ca_period){issuer->not_before, issuer->not_after}, &period))) {
        return acme_problem(a, "malformed", "The profile %s does not give these dates: %s.", d->profile->name,
                            lt_error_last()->detail);
    }
    return NULL;
}

static lt_res check_halts(struct acme_call *c, const struct draft *d)
{
    struct ca_halt_subject subject = {
        .profile = lt_slice_cstr(d->profile->name),
        .issuer = lt_slice_cstr(d->profile->issuer),
        .account_id = c->account.id,
        .names = d->names.list,
        .name_count = d->names.count,
    };
    return ca_halt_check(c->turn->book->halts, c->turn->book->halt_count, &subject);
}

/* All of policy. A problem means refused. */
static lt_res check(struct acme_call *c, const Ipc__AcmeNewOrder *o, struct draft *d,
                    Ipc__Problem **ret_problem)
{
    *ret_problem = choose_profile(c, o, d);
    if (*ret_problem == NULL) {
        LT_TRY(acme_public_check(c->desk, c->turn, d->profile->name, ret_problem));
    }
    if (*ret_problem != NULL) {
        return LT_OK;
    }
    LT_TRY(acme_name_set_of(c->turn->arena, o->identifiers, o->n_identifiers, &d->names));
    *ret_problem = check_count(c, d);
    if (*ret_problem != NULL) {
        return LT_OK;
    }
    LT_TRY(check_names(c, d, ret_problem));
    if (*ret_problem == NULL) {
        *ret_problem = check_ancestors(c, o, d);
    }
    if (*ret_problem == NULL) {
        const struct acme_order o_names = {
            .account = c->account.id, .profile = d->profile->name, .names = d->names};
        struct acme_judgement j;
        LT_TRY(acme_policy_judge(c->desk, c->turn, &o_names, &j));
        *ret_problem = j.problem; /* what a person has to see waits for finalize: names are proven first */
    }
    if (*ret_problem == NULL) {
        *ret_problem = check_dates(c, o, d);
    }
    return LT_OK;
}

/* A valid authorization of this account for the name, young enough by the rule of today. 0: none. ret_above:
 * the one that it follows, which the client sees in its place. */
static lt_res find_proven(struct acme_call *c, const Ipc__Identifier *name, int64_t *ret_id,
                          int64_t *ret_above)
{
    struct store_rows rows;
    int64_t reuse_s = acme_reuse_seconds(c->desk, c->by_hand != NULL, c->turn->now);
    lt_time oldest = lt_time_add_seconds(c->turn->now, REUSE_MARGIN_S - reuse_s);
    lt_time least = lt_time_add_seconds(c->turn->now, REUSE_MARGIN_S);
    LT_TRY(store_query(c->turn->store, &acme_sql[ACME_SQL_AUTHORIZATION_REUSE],
                       STORE_ARGS(STORE_I(c->account.id), STORE_S(acme_name_base(name->value)),
                                  STORE_I(least.us), STORE_S(name->type),
                                  STORE_I(acme_name_is_wildcard(name->value)), STORE_I(oldest.us)),
                       &rows));
    bool found = store_next(&rows);
    *ret_id = found ? store_int(&rows, 0) : 0;
    *ret_above = found ? store_int(&rows, 1) : 0;
    return store_rows_end(&rows);
}

lt_res acme_pending_limit(struct acme_call *c, size_t more, bool *ret_refused)
{
    uint32_t most = c->desk->config->pending_authorizations_per_account;
    struct store_rows rows;
    *ret_refused = false;
    if (most == 0) {
        return LT_OK;
    }
    LT_TRY(store_query(c->turn->store, &acme_sql[ACME_SQL_ACCOUNT_PENDING],
                       STORE_ARGS(STORE_I(c->account.id), STORE_I(most)), &rows));
    int64_t pending = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    if ((uint64_t)pending + more <= most) {
        return LT_OK;
    }
    Ipc__Problem *p = acme_problem(c->turn->arena, "rateLimited",
                                   "The account has %lld pending authorizations of at most %u: finish or "
                                   "deactivate some.",
                                   (long long)pending, most);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    p->retry_after_s = 3600;
    *ret_refused = true;
    return acme_refuse(c, p);
}

static void show(struct draft *d, int64_t id)
{
    for (size_t i = 0; i < d->shown_count; i++) {
        if (d->shown[i] == id) {
            return;
        }
    }
    d->shown[d->shown_count++] = id;
}

/* While a method is halted, what it proved is proven anew by another; so is what follows another proof. */
static lt_res by_halted(struct acme_call *c, int64_t authorization, bool *ret_halted)
{
    const struct ca_book *b = c->turn->book;
    struct acme_authorization a;
    bool good = false;
    *ret_halted = ca_halt_any_method(b->halts, b->halt_count);
    if (!*ret_halted) {
        return LT_OK;
    }
    LT_TRY(acme_authorization_load(c->turn, authorization, &a));
    for (size_t i = 0; i < a.challenge_count; i++) {
        const Ipc__AcmeChallengeBody *one = a.challenges[i];
        good = good || (strcmp(one->status, acme_state_name(ACME_VALID)) == 0 &&
                        !ca_halt_method(b->halts, b->halt_count, one->type));
    }
    *ret_halted = !good;
    return LT_OK;
}

/* A proof that too few perspectives corroborated is none for a public profile; and a test CA may forget. */
static lt_res drop_unfit(struct acme_call *c, const struct ca_profile *profile, int64_t *authorization)
{
    bool fits = *authorization == 0;
    if (!fits && !acme_testing_forgets(c->desk)) {
        LT_TRY(acme_public_reusable(c->desk, c->turn, profile, *authorization, &fits));
    }
    if (fits && *authorization != 0) {
        bool halted = false;
        LT_TRY(by_halted(c, *authorization, &halted));
        fits = !halted;
    }
    *authorization = fits ? *authorization : 0;
    return LT_OK;
}

/* Fills in what is proven already, by the name itself or by a domain above it; the rest stays 0. */
static lt_res find_all_proven(struct acme_call *c, struct draft *d, size_t *ret_missing)
{
    bool asked = false;
    bool any = false;
    *ret_missing = 0;
    for (size_t i = 0; i < d->names.count; i++) {
        int64_t above = 0;
        LT_TRY(find_proven(c, d->names.list[i], &d->authorizations[i], &above));
        LT_TRY(drop_unfit(c, d->profile, &d->authorizations[i]));
        if (d->authorizations[i] != 0) {
            show(d, above != 0 ? above : d->authorizations[i]);
            continue;
        }
        if (!asked) { /* once for the whole order: most accounts have none */
            LT_TRY(acme_ancestor_any(c, &any));
            asked = true;
        }
        if (any) {
            struct acme_ancestor domain = {0};
            LT_TRY(acme_ancestor_find(c, d->names.list[i], &domain));
            LT_TRY(drop_unfit(c, d->profile, &domain.id));
            if (domain.id != 0) { /* nothing of one that does not fit stays behind */
                d->ancestors[i] = domain;
            }
        }
        *ret_missing += d->ancestors[i].id == 0;
    }
    d->proven = *ret_missing == 0;
    return LT_OK;
}

static lt_res add_order(struct acme_call *c, const Ipc__AcmeNewOrder *o, const struct draft *d,
                        enum acme_state status, int64_t id)
{
    uint8_t hash[32];
    struct lt_buf json;
    lt_buf_init(&json, NAMES_JSON_MAX);
    acme_name_set_json(&d->names, &json);
    crypto_sha256(lt_buf_slice(&json), hash); /* as acme_name_set_sha256, the text being at hand */
    lt_res r = lt_buf_check(&json);
    if (!lt_failed(r)) {
        r = store_exec(c->turn->store, &acme_sql[ACME_SQL_ORDER_ADD],
                       STORE_ARGS(STORE_I(id), STORE_I(c->account.id), STORE_S(acme_state_name(status)),
                                  STORE_S(d->profile->name), STORE_T(lt_buf_slice(&json)),
                                  STORE_B(LT_SLICE(hash, sizeof hash)),
                                  d->wanted.not_before.us != 0 ? STORE_I(d->wanted.not_before.us) : STORE_N,
                                  d->wanted.not_after.us != 0 ? STORE_I(d->wanted.not_after.us) : STORE_N,
                                  o->replaces[0] != '\0' ? STORE_S(o->replaces) : STORE_N,
                                  STORE_I(c->turn->now.us), STORE_I(d->expires.us)),
                       NULL);
    }
    if (lt_failed(r)) {
        lt_buf_done(&json);
        return r;
    }
    struct lt_buf body;
    lt_buf_init(&body, CA_EVENT_BODY_MAX);
    lt_buf_addf(&body, "{\"account\":%lld,\"profile\":\"%s\",\"identifiers\":", (long long)c->account.id,
                d->profile->name);
    lt_buf_add(&body, lt_buf_slice(&json));
    lt_buf_addf(&body, ",\"status\":\"%s\"}", acme_state_name(status));
    lt_buf_done(&json);
    return acme_event(c->turn, "order.created", "order", id, &body, (lt_slice){0});
}

/* Of an order and of the tokens in it.
 *= CABF-BR 3.2.2.4.19 "MUST NOT be used for more than 30 days from its creation" */
int64_t acme_order_lifetime(const struct acme_call *c)
{
    int64_t rule_s = ca_limit_at(CA_LIMIT_TOKEN_AGE_S, c->turn->now);
    int64_t wanted_s = c->desk->config->order_lifetime_s;
    wanted_s = wanted_s > 0 ? wanted_s : DEFAULT_LIFETIME_S;
    /* A person needs days where a program needs seconds. */
    return wanted_s < rule_s && c->by_hand == NULL ? wanted_s : rule_s;
}

/* One that no order will end: it runs out at its time. */
lt_res acme_authorization_alone(struct acme_call *c, int64_t id, lt_time expires)
{
    char *subject = lt_arena_printf(c->turn->arena, "%lld", (long long)id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "acme: the order is too large");
    return store_exec(
        c->turn->store, &acme_sql[ACME_SQL_DUE_ADD],
        STORE_ARGS(STORE_I(ca_new_id(c->turn)), STORE_I(expires.us), STORE_S("acme.alone"), STORE_S(subject)),
        NULL);
}

/* The domain above the name is to be proven: once for all names of the order that want the same. */
static lt_res make_ancestor(struct acme_call *c, struct draft *d, size_t at)
{
    const struct acme_scope below = {.subdomains = true};
    Ipc__Identifier domain = *d->names.list[at];
    for (size_t i = 0; i < at; i++) {
        if (d->above[i] != NULL && d->ancestors[i].id != 0 && d->ancestors[i].validated.us == 0 &&
            lt_slice_eq_cstr(lt_slice_cstr(d->above[i]), d->above[at])) {
            d->ancestors[at] = d->ancestors[i];
            return LT_OK;
        }
    }
    domain.value = lt_arena_cstr(c->turn->arena, lt_slice_cstr(d->above[at]));
    LT_CHECK(domain.value != NULL, LT_PEER_TOO_LARGE, "acme: the order is too large");
    LT_TRY(acme_authorization_make(c, &domain, &below, d->expires, &d->ancestors[at].id));
    return acme_authorization_alone(c, d->ancestors[at].id, d->expires);
}

static lt_res make_authorization(struct acme_call *c, struct draft *d, size_t i)
{
    const struct acme_scope own = {0};
    if (d->ancestors[i].id == 0 && d->above[i] != NULL) {
        LT_TRY(make_ancestor(c, d, i));
    }
    if (d->ancestors[i].id != 0) {
        show(d, d->ancestors[i].id);
        return acme_ancestor_cover(c, d->names.list[i], d->expires, &d->ancestors[i], &d->authorizations[i]);
    }
    LT_TRY(acme_authorization_make(c, d->names.list[i], &own, d->expires, &d->authorizations[i]));
    show(d, d->authorizations[i]);
    return LT_OK;
}

static lt_res make(struct acme_call *c, const Ipc__AcmeNewOrder *o, struct draft *d,
                   struct acme_order *ret_order)
{
    int64_t id = ca_new_id(c->turn);
    d->expires = lt_time_add_seconds(c->turn->now, acme_order_lifetime(c));
    *ret_order = (struct acme_order){
        .id = id,
        .account = c->account.id,
        .profile = d->profile->name,
        .names = d->names,
        .not_before = d->wanted.not_before,
        .not_after = d->wanted.not_after,
        .replaces = o->replaces,
        .expires = d->expires,
    };
    enum acme_step step = d->proven ? ACME_CREATE_PROVEN : ACME_CREATE;
    LT_TRY(acme_step(ACME_ORDER, ACME_STATE_NONE, step, &ret_order->status));
    LT_TRY(add_order(c, o, d, ret_order->status, id));
    for (size_t i = 0; i < d->names.count; i++) {
        if (d->authorizations[i] == 0) {
            LT_TRY(make_authorization(c, d, i));
        }
        LT_TRY(store_exec(c->turn->store, &acme_sql[ACME_SQL_ORDER_AUTHORIZATION_ADD],
                          STORE_ARGS(STORE_I(id), STORE_I(d->authorizations[i])), NULL));
    }
    ret_order->authorizations = d->shown;
    ret_order->authorization_count = d->shown_count;
    return LT_OK;
}

/* Names whose validation only failed, and domains above them that would be proven instead. */
static lt_res check_paused(struct acme_call *c, const Ipc__AcmeNewOrder *o, const struct draft *d,
                           Ipc__Problem **ret_problem)
{
    struct acme_name_set above;
    Ipc__Identifier rows[CA_PROFILE_NAMES_MAX];
    Ipc__Identifier *list[CA_PROFILE_NAMES_MAX];
    size_t count = 0;
    LT_TRY(acme_pause_check(c, &d->names, ret_problem));
    if (*ret_problem != NULL || o->n_ancestors == 0) {
        return LT_OK;
    }
    for (; count < o->n_ancestors && count < LT_COUNT(rows); count++) {
        rows[count] = *o->ancestors[count]->identifier;
        rows[count].value = o->ancestors[count]->domain;
        list[count] = &rows[count];
    }
    LT_TRY(acme_name_set_of(c->turn->arena, list, count, &above));
    return acme_pause_check(c, &above, ret_problem);
}

/* What the account may, and how often; a replacement that fits is bound by no limit of rate.
 * RFC 9773 5 lets servers do so. */
static lt_res check_standing(struct acme_call *c, const Ipc__AcmeNewOrder *o, const struct draft *d,
                             bool *ret_refused)
{
    Ipc__Problem *p = NULL;
    bool replaces = o->replaces[0] != '\0';
    int64_t account = c->account.id;
    *ret_refused = true;
    LT_TRY(check_paused(c, o, d, &p));
    if (p == NULL && replaces) {
        LT_TRY(acme_replaces_check(c, o->replaces, &d->names, &p));
    }
    if (p == NULL) {
        LT_TRY(acme_external_order(c, d->profile->name, &d->names, replaces, &p));
    }
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    *ret_refused = false;
    return replaces
               ? LT_OK
               : acme_limited(c, ACME_LIMIT_ORDERS, LT_SLICE(&account, sizeof account), true, ret_refused);
}

lt_res acme_order_new(struct acme_call *c)
{
    const Ipc__AcmeNewOrder *o = c->m->new_order;
    struct draft d = {0};
    Ipc__Problem *p = NULL;
    size_t missing = 0;
    bool refused = false;
    LT_CHECK(o != NULL, LT_PEER_MALFORMED, "acme: newOrder without its body");
    LT_TRY(check(c, o, &d, &p));
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    lt_res halted = check_halts(c, &d);
    if (lt_failed(halted)) {
        return acme_refuse_error(c, halted, "rejectedIdentifier");
    }
    LT_TRY(find_all_proven(c, &d, &missing));
    LT_TRY(acme_pending_limit(c, missing, &refused));
    if (refused) {
        return LT_OK;
    }
    LT_TRY(check_standing(c, o, &d, &refused));
    if (refused) {
        return LT_OK;
    }
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    struct acme_order made;
    LT_TRY(make(c, o, &d, &made));
    LT_TRY(ca_ready_ordered(c->turn, c->account.id, c->m->user_agent));
    LT_TRY(acme_order_body(c->turn, &made, &reply));
    reply.status = 201;
    return acme_answer(c, &reply);
}
