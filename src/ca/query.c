/* Which question is whose, and the small tables that all of them need. */
#include "ca/query.h"

#include <string.h>

#include "ca/query_parts.h"

enum { SQL_ISSUERS, SQL_PROFILES };
static const struct store_sql sql[] = {
    {"query.issuers",
     "SELECT id, coalesce(parent, 0), name, certificate, offline, not_before_us, not_after_us "
     "FROM issuer ORDER BY id LIMIT 256"},
    {"query.profiles", "SELECT id, name FROM profile ORDER BY id LIMIT 1000"},
};
const struct ca_query_sql query_table_sql = {sql, LT_COUNT(sql)};

enum { ISSUERS_MAX = 256, PROFILES_MAX = 1000 };

static const char *copied(struct lt_arena *a, const struct store_rows *rows, int column)
{
    return lt_arena_cstr(a, store_bytes(rows, column));
}

static lt_res load_issuers(const struct ca_query *query, struct query_tables *t)
{
    struct store_rows rows;
    t->issuers = LT_NEW_ARRAY(query->arena, struct query_issuer, ISSUERS_MAX);
    LT_CHECK(t->issuers != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(store_query(query->store, &sql[SQL_ISSUERS], STORE_NO_ARGS, &rows));
    while (t->issuer_count < ISSUERS_MAX && store_next(&rows)) {
        t->issuers[t->issuer_count++] = (struct query_issuer){
            .id = store_int(&rows, 0),
            .parent = store_int(&rows, 1),
            .name = copied(query->arena, &rows, 2),
            .der = lt_arena_copy(query->arena, store_bytes(&rows, 3)),
            .offline = store_int(&rows, 4) != 0,
            .not_before_us = store_int(&rows, 5),
            .not_after_us = store_int(&rows, 6),
        };
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < t->issuer_count; i++) {
        LT_CHECK(t->issuers[i].name != NULL && t->issuers[i].der.ptr != NULL, LT_PEER_TOO_LARGE,
                 "the answer is over the limit");
    }
    return LT_OK;
}

lt_res query_tables_load(const struct ca_query *query, struct query_tables *ret_tables)
{
    struct store_rows rows;
    struct query_tables t = {.issuer_count = 0};
    LT_TRY(load_issuers(query, &t));
    t.profiles = lt_arena_array(query->arena, PROFILES_MAX, sizeof(t.profiles[0]));
    LT_CHECK(t.profiles != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(store_query(query->store, &sql[SQL_PROFILES], STORE_NO_ARGS, &rows));
    while (t.profile_count < PROFILES_MAX && store_next(&rows)) {
        t.profiles[t.profile_count].id = store_int(&rows, 0);
        t.profiles[t.profile_count].name = copied(query->arena, &rows, 1);
        t.profile_count += t.profiles[t.profile_count].name != NULL;
    }
    LT_TRY(store_rows_end(&rows));
    *ret_tables = t;
    return LT_OK;
}

const struct query_issuer *query_issuer_by_id(const struct query_tables *t, int64_t id)
{
    for (size_t i = 0; i < t->issuer_count; i++) {
        if (t->issuers[i].id == id) {
            return &t->issuers[i];
        }
    }
    return NULL;
}

const struct query_issuer *query_issuer_by_name(const struct query_tables *t, const char *name)
{
    for (size_t i = 0; i < t->issuer_count; i++) {
        if (strcmp(t->issuers[i].name, name) == 0) {
            return &t->issuers[i];
        }
    }
    return NULL;
}

const char *query_profile_name(const struct query_tables *t, int64_t id)
{
    for (size_t i = 0; i < t->profile_count; i++) {
        if (t->profiles[i].id == id) {
            return t->profiles[i].name;
        }
    }
    return "";
}

static const struct {
    const char *what;
    query_answer *answer;
} answers[] = {
    {"certificate.list", query_certificate_list},
    {"certificate.show", query_certificate_show},
    {"authorization.show", query_authorization_show},
    {"account.list", query_account_list},
    {"account.show", query_account_show},
    {"event.list", query_event_list},
    {"halt.list", query_halt_list},
    {"eab.list", query_eab_list},
    {"enrolment.list", query_enrolment_list},
    {"enrolment.show", query_enrolment_show},
    {"operator.list", query_operator_list},
    {"order.list", query_order_list},
    {"order.show", query_order_show},
    {"pause.list", query_pause_list},
    {"session", query_session_show},
    {"session.list", query_session_list},
    {"passkey.list", query_passkey_list},
    {"plan.list", query_plan_list},
    {"plan.show", query_plan_show},
    {"issuer.list", query_issuer_list},
    {"crl.list", query_crl_list},
    {"crl.digest", query_crl_digest},
    {"lint", query_lint},
    {"lint.inventory", query_inventory},
    {"import.list", query_import_list},
    {"scope.check", query_scope_check},
    {"scope.fields", query_scope_fields},
    {"cause.list", query_cause_list},
    {"scope.count", query_scope_count},
    {"scope.groups", query_scope_groups},
    {"scope.run", query_scope_run},
    {"scope.explain", query_scope_explain},
    {"scope.list", query_scope_list},
    {"scope.saved", query_scope_saved},
    {"scope.show", query_scope_show},
    {"scope.diff", query_scope_diff},
    {"scope.again", query_scope_again},
    {"mass.list", query_mass_list},
    {"mass.show", query_mass_show},
    {"hold.list", query_hold_list},
    {"usage.list", query_usage_list},
    {"usage.show", query_usage_show},
    {"usage.endpoints", query_usage_endpoints},
    {"usage.history", query_usage_history},
    {"readiness.list", query_ready_list},
    {"readiness.show", query_ready_show},
    {"readiness.worklist", query_ready_worklist},
    {"holdout.list", query_holdout_list},
    {"blast-radius", query_blast_radius},
    {"status", query_status},
    {"settings", query_settings},
};

/* One view of the book for all that an answer reads. */
lt_res query_run(const struct ca_query *query, query_answer *answer, struct lt_buf *out)
{
    struct query_out o = {.b = out};
    LT_TRY(store_begin(query->store));
    query_open(&o, NULL, '{');
    lt_res r = answer(query, &o);
    query_close(&o, '}');
    store_rollback(query->store); /* nothing was written */
    LT_TRY(r);
    return lt_buf_check(out);
}

lt_res ca_query_answer(const struct ca_query *query, struct lt_buf *out)
{
    for (size_t i = 0; i < LT_COUNT(answers); i++) {
        if (strcmp(answers[i].what, query->q->what) == 0) {
            return query_run(query, answers[i].answer, out);
        }
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "there is no question \"%.40s\"", query->q->what);
}

const struct ca_query_sql *const ca_query_statements[] = {
    &query_table_sql,      &query_certificate_sql, &query_detail_sql, &query_enrolment_sql,
    &query_event_sql,      &query_evidence_sql,    &query_rules_sql,  &query_seen_sql,
    &query_import_sql,     &query_lint_sql,        &query_list_sql,   &query_crl_sql,
    &query_crl_digest_sql, &query_order_sql,       &query_pause_sql,  &query_session_sql,
    &query_scope_sql,      &query_scope_saved_sql, &query_mass_sql,   &query_status_sql,
    &query_ready_sql,      &query_blast_sql,       &query_usage_sql,
};
const size_t ca_query_statement_tables = LT_COUNT(ca_query_statements);
