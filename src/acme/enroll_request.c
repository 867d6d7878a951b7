/* A request that an operator brings in: the subscriber's account, the order, what a person has to do. */
#include <string.h>

#include "acme/enroll_private.h"
#include "ca/body.h"
#include "ca/key_block.h"
#include "validate/methods.h"

enum { NAME_MAX_LEN = 200, CONTACT_MAX_LEN = 254, REQUEST_MAX = 128 * 1024 };

/* --- form ----------------------------------------------------------------------------------------------- */

static lt_res check_subscriber(lt_slice name)
{
    bool good = name.len > 0 && name.len <= NAME_MAX_LEN && name.ptr[0] != ' ' &&
                name.ptr[name.len - 1] != ' ';
    for (size_t i = 0; i < name.len; i++) {
        good = good && name.ptr[i] >= 0x20 && name.ptr[i] != 0x7f;
    }
    LT_CHECK(good, LT_PEER_MALFORMED, "a subscriber has a name of 1 to %d bytes, without control characters",
             NAME_MAX_LEN);
    return LT_OK;
}

static lt_res check_contact(lt_slice contact)
{
    size_t at = lt_slice_find(contact, '@');
    bool good = at > 0 && at + 1 < contact.len && contact.len <= CONTACT_MAX_LEN;
    for (size_t i = 0; i < contact.len; i++) {
        uint8_t c = contact.ptr[i];
        good = good && c > 0x20 && c < 0x7f && c != ',' && c != '<' && c != '>' && (c != '@' || i == at);
    }
    LT_CHECK(contact.len == 0 || good, LT_PEER_MALFORMED, "the contact is no mail address");
    return LT_OK;
}

static bool has_name(const Ipc__AcmeFinalize *f, const char *name)
{
    for (size_t i = 0; i < f->n_names; i++) {
        if (strcmp(f->names[i]->value, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_method(const char *name)
{
    return acme_challenge_by_hand(name, "dns") || acme_challenge_by_hand(name, "ip");
}

static bool is_offered(const struct acme_by_hand *h, const Ipc__Identifier *name, lt_time now)
{
    for (size_t i = 0; i < validate_method_count; i++) {
        if (acme_by_hand_offers(h, &validate_methods[i], name, now)) {
            return true;
        }
    }
    return false;
}

/* Every method known, for a name of the request, and good for it. */
static lt_res check_methods(const Ipc__EnrollWanted *w, const struct acme_by_hand *h, lt_time now)
{
    for (size_t i = 0; i < h->count; i++) {
        const Ipc__EnrollMethod *m = h->methods[i];
        LT_CHECK(is_method(m->method), LT_PEER_MALFORMED, "\"%.60s\" is no method by hand", m->method);
        LT_CHECK(m->name[0] == '\0' || has_name(w->request, m->name), LT_PEER_MALFORMED,
                 "the certificate request has no name \"%.200s\"", m->name);
    }
    for (size_t i = 0; i < w->request->n_names; i++) {
        const Ipc__Identifier *name = w->request->names[i];
        LT_CHECK(is_offered(h, name, now), LT_PEER_MALFORMED,
                 "%.200s cannot be proven in the way that is wanted", name->value);
    }
    return LT_OK;
}

/* --- the subscriber's account --------------------------------------------------------------------------- */

struct subscriber {
    struct acme_account account;
    bool made; /* in this turn */
};

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

/* Its order was taken: from now on the account is the subscriber's. */
static lt_res name_account(struct ca_turn *t, const struct acme_enroll_by *by, const char *name,
                           const struct acme_account *a)
{
    struct ca_body event;
    char *subject = lt_arena_printf(t->arena, "account %lld", (long long)a->id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(store_exec(t->store, &acme_enroll_rows[ACME_ENROLL_SUBSCRIBER_ADD],
                      STORE_ARGS(STORE_I(a->id), STORE_S(name), STORE_I(t->now.us), STORE_S(by->name)),
                      NULL));
    LT_TRY(ca_ready_open(t, a->id, true, false));
    acme_enroll_event(&event, by);
    ca_body_str(&event, "kind", "manual");
    ca_body_str(&event, "subscriber", name);
    return ca_body_event(&event, t, "account.created", subject, (lt_slice){0});
}

static lt_res find_subscriber(struct acme_desk *d, struct ca_turn *t, const char *name, struct subscriber *s)
{
    struct store_rows rows;
    int64_t account = 0;
    *s = (struct subscriber){.made = false};
    LT_TRY(
        store_query(t->store, &acme_enroll_rows[ACME_ENROLL_SUBSCRIBER], STORE_ARGS(STORE_S(name)), &rows));
    account = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    if (account == 0) {
        s->made = true;
        return add_account(t, &s->account);
    }
    LT_TRY(acme_account_load(d, t->store, account, &s->account));
    LT_CHECK(s->account.id != 0, LT_STATE_CORRUPT, "acme: the account of %s is gone", name);
    LT_CHECK(s->account.status == ACME_VALID, LT_PEER_CONFLICT, "the account of %s is %s", name,
             acme_state_name(s->account.status));
    return LT_OK;
}

/* --- the order ------------------------------------------------------------------------------------------ */

/* What would refuse the certificate at its end is said at the beginning: a person works in between. */
static lt_res check_request(struct acme_call *c, const Ipc__EnrollWanted *w, Ipc__Problem **ret_problem)
{
    lt_slice name = lt_slice_cstr(w->profile[0] != '\0' ? w->profile : c->desk->config->default_profile);
    const struct ca_profile_row *row = ca_profile_by_name(c->turn->book, name);
    *ret_problem = NULL;
    if (row == NULL) {
        return LT_OK; /* newOrder says it */
    }
    LT_TRY(acme_finalize_check(c, row->profile, w->request, ret_problem));
    return *ret_problem == NULL ? ca_key_block_check(c->turn, acme_bytes(w->request->key->spki_sha256))
                                : LT_OK;
}

static lt_res make_order(struct acme_call *c, const Ipc__EnrollWanted *w, Ipc__AcmeReply *ret_reply)
{
    Ipc__AcmeNewOrder o = IPC__ACME_NEW_ORDER__INIT;
    Ipc__AcmeCall m = IPC__ACME_CALL__INIT;
    Ipc__Problem *p = NULL;
    LT_TRY(check_request(c, w, &p));
    if (p != NULL) {
        ipc__acme_reply__init(ret_reply);
        ret_reply->problem = p;
        return LT_OK;
    }
    o.n_identifiers = w->request->n_names;
    o.identifiers = w->request->names;
    o.profile = w->profile;
    m.op = IPC__ACME_OP__ACME_NEW_ORDER;
    m.new_order = &o;
    return acme_enroll_run(c, acme_order_new, &m, ret_reply);
}

static lt_res write_down(struct ca_turn *t, const struct acme_enroll_by *by, const Ipc__EnrollWanted *w,
                         int64_t order, int64_t account)
{
    struct ca_body event;
    size_t len = ipc__acme_finalize__get_packed_size(w->request);
    LT_CHECK(len <= REQUEST_MAX, LT_PEER_TOO_LARGE, "a certificate request of %zu bytes", len);
    uint8_t *packed = lt_arena_alloc(t->arena, len + 1);
    LT_CHECK(packed != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    (void)ipc__acme_finalize__pack(w->request, packed); /* its length is known */
    LT_TRY(store_exec(t->store, &acme_enroll_rows[ACME_ENROLL_ADD],
                      STORE_ARGS(STORE_I(order), STORE_I(account), STORE_S(w->contact),
                                 STORE_B(LT_SLICE(packed, len)), STORE_I(w->hold), STORE_I(t->now.us),
                                 STORE_S(by->name)),
                      NULL));
    acme_enroll_event(&event, by);
    ca_body_str(&event, "subscriber", w->subscriber);
    ca_body_str(&event, "contact", w->contact);
    ca_body_id(&event, "account", account);
    ca_body_bool(&event, "hold", w->hold);
    return acme_enroll_event_add(&event, t, "enrolment.requested", order, by);
}

/* Everything was proven not long ago: the certificate follows at once, unless somebody wants to say so. */
static lt_res issue_at_once(struct acme_desk *d, struct ca_turn *t, const Ipc__EnrollWanted *w, int64_t order,
                            const char **ret_json)
{
    struct acme_enrolment e;
    Ipc__AcmeReply reply;
    LT_TRY(acme_enrolment_load(d, t, order, &e));
    if (w->hold || e.order.status != ACME_READY) {
        return acme_enroll_json(t, order, 0, NULL, ret_json);
    }
    LT_TRY(acme_enroll_finalize(d, t, &e, &reply));
    if (reply.problem != NULL) {
        LT_TRY(acme_enroll_later(t, order, reply.problem));
    }
    return acme_enroll_json(t, order, 0, reply.problem, ret_json);
}

lt_res acme_enroll_request(struct acme_desk *d, struct ca_turn *t, const struct acme_enroll_by *by,
                           const Ipc__EnrollWanted *w, const char **ret_json, Ipc__Problem **ret_problem)
{
    const struct acme_by_hand hand = {.methods = w->methods, .count = w->n_methods, .contact = w->contact};
    struct subscriber s;
    Ipc__AcmeReply reply;
    LT_CHECK(w->request != NULL && w->request->key != NULL && w->request->n_names > 0, LT_PEER_MALFORMED,
             "a certificate request is wanted");
    LT_TRY(check_subscriber(lt_slice_cstr(w->subscriber)));
    LT_TRY(check_contact(lt_slice_cstr(w->contact)));
    LT_TRY(check_methods(w, &hand, t->now));
    LT_TRY(find_subscriber(d, t, w->subscriber, &s));
    struct acme_call c = {.desk = d, .turn = t, .account = s.account, .by_hand = &hand};
    LT_TRY(make_order(&c, w, &reply));
    *ret_problem = reply.problem;
    if (reply.problem != NULL) { /* an account that was made for it has no use */
        return s.made ? store_exec(t->store, &acme_enroll_rows[ACME_ENROLL_ACCOUNT_DROP],
                                   STORE_ARGS(STORE_I(s.account.id)), NULL)
                      : LT_OK;
    }
    if (s.made) {
        LT_TRY(name_account(t, by, w->subscriber, &s.account));
    }
    LT_TRY(write_down(t, by, w, reply.location_order, s.account.id));
    return issue_at_once(d, t, w, reply.location_order, ret_json);
}
