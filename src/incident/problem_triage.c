/* The questions that every report asks, answered out of the book at once: when was it issued, by which rules
 * of the day, on what data, by which build; is the reporter's reading of the rule right, by its text, and by
 * our own rules' verdict at issuance and of today; who reports, and is it about content. A person decides;
 * nothing is written. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "ca/cites.h"
#include "incident/duty.h"
#include "incident/problem_ask.h"
#include "lint/lint.h"

enum { CERTIFICATES_MAX = 20, CLAUSES_MAX = 16, RULES_MAX = 40 };
#define BR "CABF-BR "

struct claim {
    int64_t id;
    lt_time received;
    const char *cause;
    const char *clause;
    const char *kind;
    const char *authority;
    const char *title;
    struct problem_item *items;
    size_t item_count;
    const char *clauses[CLAUSES_MAX]; /* all that are claimed */
    size_t clause_count;
    int64_t reports; /* others, the most about one subscriber */
};

static void add_clause(struct claim *c, const char *clause)
{
    for (size_t i = 0; i < c->clause_count; i++) {
        if (strcmp(c->clauses[i], clause) == 0) {
            return;
        }
    }
    if (clause[0] != '\0' && c->clause_count < CLAUSES_MAX) {
        c->clauses[c->clause_count++] = clause;
    }
}

static lt_res load(const struct ca_query *query, struct claim *c)
{
    struct store_rows rows;
    const char **const texts[] = {NULL, &c->cause, &c->clause, &c->kind, &c->authority, NULL, &c->title};
    LT_TRY(problem_id_of(query, &c->id));
    LT_TRY(store_query(query->store, &problem_ask_sql[PROBLEM_SQL_CLAIM], STORE_ARGS(STORE_I(c->id)), &rows));
    bool found = store_next(&rows);
    bool whole = true;
    for (size_t i = 0; found && i < LT_COUNT(texts); i++) {
        if (texts[i] != NULL) {
            *texts[i] = lt_arena_cstr(query->arena, store_bytes(&rows, (int)i));
            whole = whole && *texts[i] != NULL;
        }
    }
    c->received.us = found ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no problem report %lld", (long long)c->id);
    c->items = LT_NEW_ARRAY(query->arena, struct problem_item, PROBLEM_ITEMS_MAX);
    LT_CHECK(whole && c->items != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(problem_items_of(query, c->id, c->items, &c->item_count));
    add_clause(c, c->clause);
    for (size_t i = 0; i < c->item_count; i++) {
        add_clause(c, strcmp(c->items[i].kind, "clause") == 0 ? c->items[i].value : "");
    }
    return LT_OK;
}

/* ---- the ground that is claimed ---- */

static void write_ground(struct query_out *o, const struct claim *c)
{
    const struct incident_duty *duty = c->cause[0] == '\0'
                                           ? NULL
                                           : incident_duty_for_cause(lt_slice_cstr(c->cause), c->received);
    query_open(o, "ground", '{');
    query_cstr(o, "claimed", c->cause);
    query_bool(o, "known", duty != NULL);
    if (duty != NULL) {
        struct incident_due due = incident_duty_due(duty, c->received);
        query_cstr(o, "section", duty->section);
        query_cstr(o, "words", duty->words);
        query_cstr(o, "quote", duty->quote);
        query_time(o, "should", due.aim.us);
        query_time(o, "must", due.due.us);
    }
    query_bool(o, "takedown", strcmp(c->kind, "takedown") == 0);
    query_cstr(o, "takedown_means",
               strcmp(c->kind, "takedown") == 0
                   ? "asks for content to go: no ground of BR 4.9.1.1; lintel problem takedown answers it"
                   : "");
    query_close(o, '}');
}

/* ---- clauses ---- */

/* "7.1.2.7.6" of "CABF-BR 7.1.2.7.6", as rules cite it: "BR 7.1.2.7.6". */
static bool cites(const struct lint_rule *rule, const char *clause)
{
    char text[64];
    bool br = strncmp(clause, BR, sizeof BR - 1) == 0;
    const char *section = br ? clause + sizeof BR - 1 : clause;
    (void)snprintf(text, sizeof text, "%s%s", br ? "BR " : "", section); /* cut: then it is none */
    size_t len = strlen(text);
    const char *at = strstr(rule->citation, text);
    return at != NULL &&
           (at[len] == '\0' || at[len] == ' ' || at[len] == ',' || at[len] == '.' || at[len] == ';');
}

static void write_words(struct query_out *o, const char *clause)
{
    bool br = strncmp(clause, BR, sizeof BR - 1) == 0;
    query_open(o, "text", '[');
    for (size_t i = 0; br && i < ca_cite_count; i++) {
        if (strcmp(ca_cites[i].section, clause + sizeof BR - 1) == 0) {
            query_open(o, NULL, '{');
            query_cstr(o, "words", ca_cites[i].text);
            query_cstr(o, "kept_by", ca_cites[i].where);
            query_close(o, '}');
        }
    }
    for (size_t i = 0; i < incident_duty_count; i++) {
        const struct incident_duty *d = &incident_duties[i];
        if (strcmp(d->section, clause) == 0 && d->quote[0] != '\0') {
            query_open(o, NULL, '{');
            query_cstr(o, "words", d->quote);
            query_cstr(o, "kept_by", d->where);
            query_close(o, '}');
        }
    }
    query_close(o, ']');
}

struct verdicts {
    json_t *then; /* owned; NULL: not known */
    struct lint_results now;
    bool judged;
};

static const char *said_then(const struct verdicts *v, const char *rule)
{
    size_t i;
    json_t *f;
    if (!json_is_array(v->then)) {
        return "not known";
    }
    json_array_foreach(v->then, i, f)
    {
        const char *id = json_string_value(json_object_get(f, "rule"));
        const char *word = json_string_value(json_object_get(f, "result"));
        if (id != NULL && word != NULL && strcmp(id, rule) == 0) {
            return word;
        }
    }
    return "no finding";
}

static const char *message_now(const struct verdicts *v, const struct lint_rule *rule)
{
    for (size_t i = 0; i < v->now.count; i++) {
        if (v->now.list[i].rule == rule) {
            return v->now.list[i].message;
        }
    }
    return "";
}

/* Our rules of that clause: what they said of this certificate at issuance, and say today. */
static void write_rules(struct query_out *o, const struct verdicts *v, const char *clause)
{
    size_t count = 0;
    query_open(o, "rules", '[');
    for (size_t i = 0; i < lint_rule_count() && count < RULES_MAX; i++) {
        const struct lint_rule *rule = lint_rule_at(i);
        if ((rule->kinds & LINT_CERTIFICATE) == 0 || !cites(rule, clause)) {
            continue;
        }
        count++;
        query_open(o, NULL, '{');
        query_cstr(o, "rule", rule->id);
        query_cstr(o, "asks", rule->asks);
        query_cstr(o, "citation", rule->citation);
        query_cstr(o, "then", said_then(v, rule->id));
        query_cstr(o, "now", v->judged ? lint_status_name((enum lint_status)v->now.status[i]) : "not known");
        query_cstr(o, "message", v->judged ? message_now(v, rule) : "");
        query_close(o, '}');
    }
    query_close(o, ']');
}

static void write_clauses(struct query_out *o, const struct claim *c, const struct verdicts *v)
{
    query_open(o, "clauses", '[');
    for (size_t i = 0; i < c->clause_count; i++) {
        query_open(o, NULL, '{');
        query_cstr(o, "clause", c->clauses[i]);
        write_words(o, c->clauses[i]);
        write_rules(o, v, c->clauses[i]);
        query_close(o, '}');
    }
    query_close(o, ']');
}

/* ---- a certificate ---- */

static lt_res blob(const struct ca_query *query, enum problem_ask_row statement, const struct problem_item *i,
                   lt_slice *ret_bytes)
{
    struct store_rows rows;
    *ret_bytes = (lt_slice){0};
    LT_TRY(store_query(query->store, &problem_ask_sql[statement],
                       STORE_ARGS(STORE_I(i->issuer), STORE_B(i->serial)), &rows));
    if (store_next(&rows)) {
        *ret_bytes = lt_arena_copy(query->arena, store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

static lt_res evidence_of(const struct ca_query *query, const struct problem_item *i, struct lint_evidence *e,
                          lt_time *ret_issued)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &problem_ask_sql[PROBLEM_SQL_ISSUED],
                       STORE_ARGS(STORE_I(i->issuer), STORE_B(i->serial)), &rows));
    if (store_next(&rows)) {
        ret_issued->us = store_int(&rows, 0);
        e->known = true;
        e->oldest_validation.us = store_int(&rows, 3);
        e->oldest_caa.us = store_int(&rows, 4);
        e->names_validated = (uint32_t)store_int(&rows, 5);
    }
    return store_rows_end(&rows);
}

static lt_res judge(const struct ca_query *query, const struct query_tables *t, const struct problem_item *i,
                    struct verdicts *v)
{
    struct x509_cert issuer;
    struct lint_evidence evidence = {.known = false};
    const struct query_issuer *row = query_issuer_by_id(t, i->issuer);
    struct lint_input in = {
        .kind = LINT_CERTIFICATE,
        .role = LINT_ROLE_SUBSCRIBER,
        .as_of = query->now,
        .sources = UINT32_MAX,
        .evidence = &evidence,
    };
    lt_slice findings;
    LT_TRY(blob(query, PROBLEM_SQL_VERDICT, i, &findings));
    v->then = findings.len == 0
                  ? NULL
                  : json_loadb((const char *)findings.ptr, findings.len, JSON_REJECT_DUPLICATES, NULL);
    LT_TRY(blob(query, PROBLEM_SQL_DER, i, &in.der));
    LT_TRY(evidence_of(query, i, &evidence, &in.signing_time));
    v->judged = in.der.len > 0;
    if (!v->judged) {
        return LT_OK;
    }
    if (row != NULL && !lt_failed(x509_cert_parse(row->der, query->arena, &issuer))) {
        in.issuer = &issuer;
    }
    return lint_run(&in, query->arena, &v->now);
}

static lt_res write_prior(const struct ca_query *query, struct query_out *o, struct claim *c,
                          const struct problem_item *i)
{
    struct store_rows rows;
    int64_t last = 0;
    LT_TRY(store_query(query->store, &problem_ask_sql[PROBLEM_SQL_PRIOR],
                       STORE_ARGS(STORE_I(i->issuer), STORE_B(i->serial), STORE_I(c->id)), &rows));
    query_open(o, "other_reports", '[');
    while (store_next(&rows)) {
        if (store_int(&rows, 0) == last) {
            continue; /* it names the certificate in two ways */
        }
        last = store_int(&rows, 0);
        query_open(o, NULL, '{');
        query_int(o, "id", store_int(&rows, 0));
        query_time(o, "received", store_int(&rows, 1));
        query_cstr(o, "status", store_cstr(&rows, 2));
        query_cstr(o, "decision", store_cstr(&rows, 3));
        query_close(o, '}');
    }
    query_close(o, ']');
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_query(query->store, &problem_ask_sql[PROBLEM_SQL_PRIOR_ACCOUNT],
                       STORE_ARGS(STORE_I(i->account), STORE_I(c->id)), &rows));
    int64_t of_subscriber = store_next(&rows) ? store_int(&rows, 0) : 0;
    query_int(o, "other_reports_of_subscriber", of_subscriber);
    c->reports = of_subscriber > c->reports ? of_subscriber : c->reports;
    return store_rows_end(&rows);
}

/* All that `cert show --evidence` tells: when, on what data, by which rules and build. */
static lt_res write_shown(const struct ca_query *query, struct query_out *o, const struct query_tables *t,
                          const struct problem_item *i)
{
    Ipc__Query q = *query->q;
    struct ca_query inner = *query;
    const struct query_issuer *issuer = query_issuer_by_id(t, i->issuer);
    LT_CHECK(issuer != NULL, LT_STATE_CORRUPT, "a report names an issuer that is gone");
    q.issuer = (char *)(uintptr_t)issuer->name; /* read, not kept */
    q.serial = (ProtobufCBinaryData){i->serial.len, (uint8_t *)(uintptr_t)i->serial.ptr};
    q.evidence = true;
    inner.q = &q;
    query_open(o, "certificate", '{');
    lt_res r = query_certificate_show(&inner, o);
    query_close(o, '}');
    return r;
}

static lt_res write_certificate(const struct ca_query *query, struct query_out *o,
                                const struct query_tables *t, struct claim *c, const struct problem_item *i)
{
    struct verdicts v = {.then = NULL};
    query_open(o, NULL, '{');
    query_cstr(o, "named_by", i->kind);
    query_cstr(o, "value", i->value);
    lt_res r = write_shown(query, o, t, i);
    r = lt_failed(r) ? r : judge(query, t, i, &v);
    if (!lt_failed(r)) {
        write_clauses(o, c, &v);
        r = write_prior(query, o, c, i);
    }
    json_decref(v.then);
    query_close(o, '}');
    return r;
}

/* ---- all of it ---- */

static lt_res write_reporter(const struct ca_query *query, struct query_out *o, const struct claim *c)
{
    struct store_rows rows;
    query_open(o, "reporter", '{');
    query_cstr(o, "authority", c->authority);
    LT_TRY(
        store_query(query->store, &problem_ask_sql[PROBLEM_SQL_PROVEN], STORE_ARGS(STORE_I(c->id)), &rows));
    query_open(o, "domains_proven", '[');
    while (store_next(&rows)) {
        query_text(o, NULL, store_bytes(&rows, 0));
    }
    query_close(o, ']');
    query_close(o, '}');
    return store_rows_end(&rows);
}

/*= CABF-BR 4.9.5 "The date selected by the CA SHOULD consider the following criteria:" */
static void write_criteria(struct query_out *o, const struct claim *c, int64_t reports, size_t known)
{
    query_open(o, "criteria", '{');
    query_cstr(o, "nature", c->cause);
    query_int(o, "certificates", (int64_t)known);
    query_int(o, "reports_about_them_or_their_subscribers", reports + 1);
    query_cstr(o, "who_complains", c->authority);
    query_cstr(o, "legislation", "for a person");
    query_close(o, '}');
}

/* What nobody can say out of the book. */
static void write_open(struct query_out *o, const struct claim *c, size_t known)
{
    static const char *const always[] = {
        "the nature of the alleged problem, and what follows if it is so",
        "was it authorised through a service in between (CDN, hosting)? Ask: lintel problem wait",
        "what legislation says",
    };
    query_open(o, "for_a_person", '[');
    for (size_t i = 0; i < LT_COUNT(always); i++) {
        query_cstr(o, NULL, always[i]);
    }
    if (known == 0) {
        query_cstr(o, NULL, "which certificate is meant? None of ours is found by what was said");
    }
    if (c->cause[0] == '\0') {
        query_cstr(o, NULL, "which ground of BR 4.9.1.1 would it be? lintel problem edit --cause");
    }
    query_close(o, ']');
}

lt_res problem_triage(const struct ca_query *query, struct query_out *o)
{
    struct claim c = {.id = 0};
    struct query_tables t;
    size_t known = 0;
    lt_res r = LT_OK;
    LT_TRY(load(query, &c));
    LT_TRY(query_tables_load(query, &t));
    query_int(o, "id", c.id);
    query_cstr(o, "title", c.title);
    query_time(o, "received", c.received.us);
    LT_TRY(write_reporter(query, o, &c));
    write_ground(o, &c);
    query_open(o, "certificates", '[');
    for (size_t i = 0; !lt_failed(r) && i < c.item_count; i++) {
        if (c.items[i].issuer != 0 && known++ < CERTIFICATES_MAX) {
            r = write_certificate(query, o, &t, &c, &c.items[i]);
        }
    }
    query_close(o, ']');
    LT_TRY(r);
    query_int(o, "certificates_known", (int64_t)known);
    query_int(o, "things_named", (int64_t)c.item_count);
    if (known == 0) {
        const struct verdicts none = {.judged = false};
        write_clauses(o, &c, &none);
    }
    write_criteria(o, &c, c.reports, known);
    write_open(o, &c, known);
    return LT_OK;
}
