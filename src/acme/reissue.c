/* The page of a subscriber: how it stands, what could be better, and, where it has no automation, the place
 * for its certificate requests. An operator gives the link out (lintel readiness link); whoever has it acts
 * for the subscriber.
 *
 * Refuses: requests for names that the subscriber has no certificate in force for. A name that was not proven
 * lately is proven anew, in the way of every enrolment: the page says where the random value belongs. */
#include <stdio.h>
#include <string.h>

#include "acme/enroll_private.h"
#include "validate/by_hand.h"
#include "x509/dnsname.h"

static const struct store_sql sql[] = {
    {"reissue.subscriber", "SELECT name FROM subscriber WHERE account = ?1"},
    {"reissue.name",
     "SELECT c.account, c.not_after_us FROM certificate_name n JOIN certificate c ON c.issuer = n.issuer AND "
     "c.serial = n.serial AND c.copy = n.copy WHERE n.name = ?1 AND n.type = ?2 LIMIT 1000"},
    {"reissue.certificates",
     "SELECT issuer, serial, not_after_us FROM certificate WHERE account = ?1 AND not_after_us >= ?2 "
     "ORDER BY issued_us DESC LIMIT 50"},
    {"reissue.names",
     "SELECT name, type FROM certificate_name WHERE issuer = ?1 AND serial = ?2 AND copy = 0 "
     "LIMIT 4"},
    {"reissue.enrolments",
     "SELECT e.order_id, o.status FROM enrolment AS e JOIN ca_order AS o ON o.id = e.order_id "
     "WHERE e.account = ?1 AND e.order_id > 0 ORDER BY e.order_id DESC LIMIT 32"},
    {"reissue.challenges",
     "SELECT a.identifier, a.identifier_type, a.status, c.type, c.status, c.token FROM order_authorization "
     "AS oa JOIN authorization AS a ON a.id = oa.authorization_id JOIN challenge AS c ON "
     "c.authorization_id = a.id WHERE oa.order_id = ?1 LIMIT 200"},
    {"reissue.contacts", "SELECT address, verified_us, bounced_us FROM contact WHERE account = ?1 "
                         "ORDER BY address LIMIT 8"},
};
enum { SQL_SUBSCRIBER, SQL_NAME, SQL_CERTIFICATES, SQL_NAMES, SQL_ENROLMENTS, SQL_CHALLENGES, SQL_CONTACTS };
const struct store_sql *const acme_reissue_sql = sql;
const size_t acme_reissue_sql_count = LT_COUNT(sql);

enum { CERTIFICATES_MAX = 50, ENROLMENTS_MAX = 32, TEXT_MAX = 1024, SHOWN_NAMES = 3, AREA_ROWS = 16 };

struct stand {
    struct acme_page *p;
    int64_t account;
    const char *subscriber; /* NULL: it has a key, and ACME */
};

static lt_res read_subscriber(struct stand *s)
{
    struct store_rows rows;
    struct ca_turn *t = s->p->turn;
    bool found = false;
    LT_TRY(store_query(t->store, &sql[SQL_SUBSCRIBER], STORE_ARGS(STORE_I(s->account)), &rows));
    found = store_next(&rows);
    s->subscriber = found ? lt_arena_cstr(t->arena, store_bytes(&rows, 0)) : NULL;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!found || s->subscriber != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    return LT_OK;
}

/* ---- how it stands ---- */

static const char *date(const struct stand *s, lt_time when)
{
    char text[LT_RFC3339_SIZE];
    if (when.us == 0) {
        return "never";
    }
    lt_time_rfc3339(when, text);
    const char *copy = lt_arena_cstr(s->p->turn->arena, lt_slice_cstr(text));
    return copy == NULL ? "" : copy;
}

static lt_res row(struct stand *s, const char *name, const char *value)
{
    LT_CHECK(value != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    return acme_page_row(s->p, name, value);
}

static lt_res add_readiness(struct stand *s)
{
    struct ca_ready_row r;
    struct lt_arena *a = s->p->turn->arena;
    LT_TRY(ca_ready_load(s->p->turn, s->account, &r));
    LT_TRY(acme_page_text(s->p, ca_ready_tier_advice(r.tier)));
    LT_TRY(row(s, "Subscriber",
               s->subscriber != NULL ? s->subscriber
                                     : lt_arena_printf(a, "%s/acme/account/%lld",
                                                       s->p->desk->config->base_url, (long long)s->account)));
    LT_TRY(row(s, "If certificates must be replaced",
               lt_arena_printf(a, "%s: %s", ca_ready_tier_name(r.tier), ca_ready_tier_words(r.tier))));
    LT_TRY(row(s, "Client", r.client[0] == '\0' ? "none known" : r.client));
    LT_TRY(row(s, "Asked when to renew",
               lt_arena_printf(a, "%lld times, last %s", (long long)r.polls, date(s, r.seen.polled))));
    LT_TRY(row(s, "Renewed without help",
               lt_arena_printf(a, "%lld times, last %s", (long long)r.renewals, date(s, r.seen.renewed))));
    LT_TRY(row(s, "Terms agreed to",
               r.terms[0] == '\0'
                   ? "none known"
                   : lt_arena_printf(a, "%s%s", r.terms,
                                     r.seen.clause ? ", with the duty to help with a revocation" : "")));
    if (r.seen.intolerant) {
        LT_TRY(
            row(s, "You told us", "that you cannot tolerate revocation; no certificate is exempt from it"));
    }
    return r.seen.held ? row(s, "We noted", "that you will not replace in time") : LT_OK;
}

static lt_res add_contacts(struct stand *s)
{
    struct store_rows rows;
    struct ca_turn *t = s->p->turn;
    lt_res r = LT_OK;
    LT_TRY(store_query(t->store, &sql[SQL_CONTACTS], STORE_ARGS(STORE_I(s->account)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        lt_time verified = {store_int(&rows, 1)};
        lt_time bounced = {store_int(&rows, 2)};
        const char *what = verified.us > bounced.us ? "verified" : bounced.us != 0 ? "letters come back" : "";
        r = row(s, "Contact",
                lt_arena_printf(t->arena, "%.*s: %s %s", LT_FMT(store_bytes(&rows, 0)), what,
                                date(s, verified.us > bounced.us ? verified : bounced)));
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

struct shown {
    int64_t issuer;
    lt_slice serial;
    lt_time end;
};

static lt_res names_of(struct stand *s, const struct shown *c, struct lt_buf *out)
{
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(s->p->turn->store, &sql[SQL_NAMES], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)),
                       &rows));
    while (store_next(&rows)) {
        lt_buf_add_cstr(out, count == 0 ? "" : ", ");
        if (++count > SHOWN_NAMES) {
            lt_buf_add_cstr(out, "…");
        } else if (lt_slice_eq_cstr(store_bytes(&rows, 1), "dns")) {
            x509_dns_reverse(store_bytes(&rows, 0), out);
        } else {
            lt_buf_add(out, store_bytes(&rows, 0));
        }
    }
    return store_rows_end(&rows);
}

static lt_res add_certificates(struct stand *s)
{
    struct shown list[CERTIFICATES_MAX];
    struct store_rows rows;
    struct ca_turn *t = s->p->turn;
    struct lt_buf text;
    size_t count = 0;
    lt_res r = LT_OK;
    LT_TRY(store_query(t->store, &sql[SQL_CERTIFICATES], STORE_ARGS(STORE_I(s->account), STORE_I(t->now.us)),
                       &rows));
    while (count < CERTIFICATES_MAX && store_next(&rows)) {
        list[count++] = (struct shown){
            store_int(&rows, 0), lt_arena_copy(t->arena, store_bytes(&rows, 1)), {store_int(&rows, 2)}};
    }
    LT_TRY(store_rows_end(&rows));
    lt_buf_init(&text, TEXT_MAX * 2);
    for (size_t i = 0; !lt_failed(r) && i < count; i++) {
        lt_buf_reset(&text);
        r = names_of(s, &list[i], &text);
        lt_buf_addf(&text, ": until %s", date(s, list[i].end));
        r = lt_failed(r) ? r : acme_page_item(s->p, lt_buf_cstr(&text));
    }
    lt_buf_done(&text);
    return r;
}

/* ---- what is open ---- */

struct open_enrolment {
    int64_t id;
    bool pending;
    const char *status;
};

static lt_res open_ones(struct stand *s, struct open_enrolment *list, size_t *ret_count)
{
    struct store_rows rows;
    struct ca_turn *t = s->p->turn;
    *ret_count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_ENROLMENTS], STORE_ARGS(STORE_I(s->account)), &rows));
    while (*ret_count < ENROLMENTS_MAX && store_next(&rows)) {
        const char *status = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        LT_CHECK(status != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
        list[(*ret_count)++] = (struct open_enrolment){
            store_int(&rows, 0), strcmp(status, acme_state_name(ACME_PENDING)) == 0, status};
    }
    return store_rows_end(&rows);
}

/* Where a random value belongs, for each name that is still to be proven. */
static lt_res add_challenges(struct stand *s, int64_t order)
{
    struct store_rows rows;
    struct lt_buf text;
    lt_res r = LT_OK;
    LT_TRY(store_query(s->p->turn->store, &sql[SQL_CHALLENGES], STORE_ARGS(STORE_I(order)), &rows));
    lt_buf_init(&text, TEXT_MAX * 2);
    while (!lt_failed(r) && store_next(&rows)) {
        const char *type = lt_slice_eq_cstr(store_bytes(&rows, 1), "ip") ? "ip" : "dns";
        char *method = lt_arena_cstr(s->p->turn->arena, store_bytes(&rows, 3));
        LT_CHECK(method != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
        const struct validate_method *m = validate_method_find(method, type);
        if (s->p->reply.n_items >= ACME_PAGE_ITEMS - CERTIFICATES_MAX - ENROLMENTS_MAX || m == NULL ||
            m->acme || !lt_slice_eq_cstr(store_bytes(&rows, 2), "pending") ||
            validate_by_hand_what(m)[0] == '\0') {
            continue;
        }
        lt_buf_reset(&text);
        lt_buf_addf(&text, "%.*s: a %s at ", LT_FMT(store_bytes(&rows, 0)), validate_by_hand_what(m));
        validate_by_hand_where(m, store_bytes(&rows, 0), &text);
        lt_buf_addf(&text, " with %.*s", LT_FMT(store_bytes(&rows, 5)));
        r = acme_page_item(s->p, lt_buf_cstr(&text));
    }
    lt_buf_done(&text);
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res add_open(struct stand *s)
{
    struct open_enrolment list[ENROLMENTS_MAX];
    size_t count = 0;
    size_t pending = 0;
    LT_TRY(open_ones(s, list, &count));
    for (size_t i = 0; i < count; i++) {
        char *text = lt_arena_printf(s->p->turn->arena, "Request %lld: %s", (long long)list[i].id,
                                     list[i].status);
        LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
        LT_TRY(acme_page_item(s->p, text));
        if (list[i].pending && pending++ < 4) { /* a page holds so many items */
            LT_TRY(add_challenges(s, list[i].id));
        }
    }
    return pending == 0 ? LT_OK : acme_page_button(s->p, "check", "They are in place: look now");
}

static lt_res add_form(struct stand *s)
{
    struct acme_page *p = s->p;
    if (s->subscriber == NULL) {
        return acme_page_text(p,
                              "This account has an ACME client: have it renew now, as it always does. There "
                              "is nothing to paste here.");
    }
    LT_TRY(acme_page_text(p,
                          "To have certificates reissued, paste a certificate request for each (up to 32), "
                          "with a new key, for names that you have certificates for."));
    LT_TRY(acme_page_area(p, "csr", "Certificate requests (PEM)", AREA_ROWS));
    LT_TRY(acme_page_button(p, "reissue", "Reissue"));
    return add_open(s);
}

static lt_res show(struct stand *s, const char *title)
{
    LT_TRY(acme_page_title(s->p, 200, title));
    LT_TRY(add_readiness(s));
    LT_TRY(add_contacts(s));
    LT_TRY(add_form(s));
    LT_TRY(add_certificates(s));
    return acme_page_answer(s->p);
}

/* ---- requests ---- */

static lt_res has_name(struct stand *s, const Ipc__Identifier *name, bool *ret_has)
{
    struct store_rows rows;
    struct lt_buf text;
    lt_buf_init(&text, X509_DNS_MAX + 8);
    if (strcmp(name->type, "dns") == 0) {
        x509_dns_reverse(lt_slice_cstr(name->value), &text);
    } else {
        lt_buf_add_cstr(&text, name->value);
    }
    *ret_has = false;
    lt_res r = lt_buf_check(&text);
    r = lt_failed(r) ? r
                     : store_query(s->p->turn->store, &sql[SQL_NAME],
                                   STORE_ARGS(STORE_T(lt_buf_slice(&text)), STORE_S(name->type)), &rows);
    if (!lt_failed(r)) {
        while (!*ret_has && store_next(&rows)) {
            *ret_has = store_int(&rows, 0) == s->account && store_int(&rows, 1) >= s->p->turn->now.us;
        }
        r = store_rows_end(&rows);
    }
    lt_buf_done(&text);
    return r;
}

/* NULL, or the first name that is not this subscriber's to have reissued. */
static lt_res strange_name(struct stand *s, const Ipc__AcmeFinalize *f, const char **ret_name)
{
    *ret_name = NULL;
    for (size_t i = 0; i < f->n_names && *ret_name == NULL; i++) {
        bool has = false;
        LT_TRY(has_name(s, f->names[i], &has));
        *ret_name = has ? NULL : f->names[i]->value;
    }
    return LT_OK;
}

static char *words(const char *text)
{
    return (char *)(uintptr_t)text; /* the message has no const; it is only read */
}

/* What is wrong with one request is said, and keeps no other back. */
static lt_res bring_in(struct stand *s, Ipc__AcmeFinalize *f, const char **ret_said)
{
    const struct acme_enroll_by by = {"link", (lt_slice){0}};
    Ipc__EnrollWanted w = IPC__ENROLL_WANTED__INIT;
    Ipc__Problem *problem = NULL;
    const char *strange = NULL;
    const char *json = NULL;
    struct lt_arena *a = s->p->turn->arena;
    LT_TRY(strange_name(s, f, &strange));
    if (strange != NULL) {
        *ret_said = lt_arena_printf(a, "not taken: you have no certificate for %s", strange);
        return LT_OK;
    }
    w.subscriber = words(s->subscriber);
    w.request = f;
    lt_res r = acme_enroll_request(s->p->desk, s->p->turn, &by, &w, &json, &problem);
    enum lt_class kind = lt_class_of(r.code);
    if (kind == LT_CLASS_PEER || kind == LT_CLASS_POLICY) {
        *ret_said = lt_arena_printf(a, "not taken: %s", lt_error_last()->detail);
        return LT_OK;
    }
    LT_TRY(r);
    *ret_said = problem != NULL ? lt_arena_printf(a, "not taken: %s", problem->detail) : "taken";
    return LT_OK;
}

static lt_res reissue(struct stand *s)
{
    size_t taken = 0;
    if (s->subscriber == NULL || s->p->m->n_requests == 0) {
        return show(s, "Nothing was pasted");
    }
    for (size_t i = 0; i < s->p->m->n_requests; i++) {
        const char *said = NULL;
        LT_TRY(bring_in(s, s->p->m->requests[i], &said));
        char *name = lt_arena_printf(s->p->turn->arena, "Request %zu", i + 1);
        LT_CHECK(said != NULL && name != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
        taken += strcmp(said, "taken") == 0;
        if (i < 12) { /* rows of a page */
            LT_TRY(acme_page_row(s->p, name, said));
        }
    }
    LT_TRY(taken > 0 ? ca_ready_link_used(s->p->turn, s->p->m->token) : LT_OK);
    return show(s, taken == s->p->m->n_requests ? "Taken" : "Some were not taken");
}

static lt_res check(struct stand *s)
{
    const struct acme_enroll_by by = {"link", (lt_slice){0}};
    struct open_enrolment list[ENROLMENTS_MAX];
    size_t count = 0;
    LT_TRY(open_ones(s, list, &count));
    for (size_t i = 0; i < count; i++) {
        Ipc__EnrollStep step = IPC__ENROLL_STEP__INIT;
        Ipc__Problem *problem = NULL;
        const char *json = NULL;
        step.id = list[i].id;
        lt_res r = list[i].pending ? acme_enroll_check(s->p->desk, s->p->turn, &by, &step, &json, &problem)
                                   : LT_OK;
        LT_TRY(lt_class_of(r.code) == LT_CLASS_PEER ? LT_OK : r); /* nothing waits there any more */
    }
    return show(s, "We are looking");
}

lt_res acme_reissue_page(struct acme_page *p)
{
    struct stand s = {.p = p};
    LT_TRY(ca_ready_by_link(p->turn, p->m->token, &s.account));
    if (s.account == 0) {
        return acme_page_unknown(p);
    }
    LT_TRY(read_subscriber(&s));
    if (!p->m->post) {
        return show(&s, "Your certificates, and how you stand");
    }
    const char *what = acme_page_field(p, "do");
    if (strcmp(what, "reissue") == 0) {
        return reissue(&s);
    }
    return strcmp(what, "check") == 0 && s.subscriber != NULL ? check(&s) : acme_page_unknown(p);
}
