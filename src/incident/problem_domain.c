/* A reporter says that a domain is theirs, and shows it to our own validator: a value of ours in the DNS or
 * on the web server, seen by the same methods and perspectives as for a certificate. */
#include <string.h>

#include "acme/prove.h"
#include "ca/body.h"
#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.domain",
     "SELECT method, authorization_id, proven_us FROM problem_domain WHERE problem = ?1 AND "
     "name = ?2"},
    {"problem.domain-count", "SELECT count(*) FROM problem_domain WHERE problem = ?1"},
    {"problem.domain-add", "INSERT INTO problem_domain (problem, name, method, authorization_id, since_us, "
                           "proven_us) VALUES (?1, ?2, ?3, ?4, ?5, 0)"},
    {"problem.domain-proven", "UPDATE problem_domain SET proven_us = ?3 WHERE problem = ?1 AND name = ?2"},
    {"problem.domain-open",
     "SELECT problem, name, authorization_id FROM problem_domain WHERE proven_us = 0 AND "
     "since_us > ?1 ORDER BY since_us DESC LIMIT 100"},
    {"problem.domain-authority",
     "UPDATE problem SET authority = 'domain' WHERE id = ?1 AND authority = 'other'"},
};
enum { SQL_GET, SQL_COUNT, SQL_ADD, SQL_PROVEN, SQL_OPEN, SQL_AUTHORITY };
const struct incident_sql incident_problem_domain_sql = {sql, LT_COUNT(sql)};

enum { DOMAINS_MAX = 10, OPEN_MAX = 100, LIFETIME_S = 7 * 86400 };

static lt_res find(struct ca_turn *t, int64_t problem, const char *name, int64_t *ret_authorization,
                   bool *ret_proven)
{
    struct store_rows rows;
    *ret_authorization = 0;
    *ret_proven = false;
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_I(problem), STORE_S(name)), &rows));
    if (store_next(&rows)) {
        *ret_authorization = store_int(&rows, 1);
        *ret_proven = store_int(&rows, 2) != 0;
    }
    return store_rows_end(&rows);
}

static lt_res event(struct ca_turn *t, int64_t problem, const char *name, const char *what, const char *by)
{
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(problem_subject(t, problem, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "name", name);
    ca_body_str(&b, "what", what);
    ca_body_str(&b, "by", by);
    return ca_body_event(&b, t, "problem.domain", subject, (lt_slice){0});
}

lt_res problem_domain_begin(struct acme_desk *d, struct ca_turn *t, const struct incident_problem *p,
                            const struct problem_domain_ask *ask, const char **ret_words)
{
    struct store_rows rows;
    int64_t authorization = 0;
    int64_t count = 0;
    bool proven = false;
    LT_TRY(find(t, p->id, ask->name, &authorization, &proven));
    LT_CHECK(authorization == 0, LT_PEER_CONFLICT, "%.200s is asked about already", ask->name);
    LT_TRY(store_query(t->store, &sql[SQL_COUNT], STORE_ARGS(STORE_I(p->id)), &rows));
    count = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(count < DOMAINS_MAX, LT_PEER_TOO_LARGE, "at most %d domains for one report", DOMAINS_MAX);
    LT_TRY(acme_prove_begin(d, t, ask->name, ask->method, &authorization, ret_words));
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(p->id), STORE_S(ask->name), STORE_S(ask->method),
                                 STORE_I(authorization), STORE_I(t->now.us)),
                      NULL));
    LT_TRY(event(t, p->id, ask->name, "asked", ask->by));
    char *words = lt_arena_printf(t->arena, "To show that %s is yours, put %s; then say that it is there.",
                                  ask->name, *ret_words);
    LT_CHECK(words != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    *ret_words = words;
    const struct incident_said s = {
        .kind = "note", .by = "desk", .to = "reporter", .text = words, .shown = true};
    return incident_problem_say(t, p->id, &s);
}

static lt_res proven(struct ca_turn *t, int64_t problem, const char *name, const char **ret_words)
{
    LT_TRY(store_exec(t->store, &sql[SQL_PROVEN],
                      STORE_ARGS(STORE_I(problem), STORE_S(name), STORE_I(t->now.us)), NULL));
    LT_TRY(store_exec(t->store, &sql[SQL_AUTHORITY], STORE_ARGS(STORE_I(problem)), NULL));
    LT_TRY(event(t, problem, name, "proven", "validator"));
    *ret_words = lt_arena_printf(t->arena, "Control of %s was shown to our validator.", name);
    LT_CHECK(*ret_words != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    const struct incident_said s = {
        .kind = "note", .by = "desk", .to = "reporter", .text = *ret_words, .shown = true};
    return incident_problem_say(t, problem, &s);
}

lt_res problem_domain_check(struct acme_desk *d, struct ca_turn *t, const struct incident_problem *p,
                            const char *name, const char **ret_words)
{
    int64_t authorization = 0;
    bool done = false;
    const char *state = "";
    const char *why = "";
    LT_TRY(find(t, p->id, name, &authorization, &done));
    LT_CHECK(authorization != 0, LT_PEER_NOT_FOUND, "%.200s was not asked about", name);
    *ret_words = "Control was shown already.";
    if (done) {
        return LT_OK;
    }
    LT_TRY(acme_prove_state(t, authorization, &state, &why));
    if (strcmp(state, "valid") == 0) {
        return proven(t, p->id, name, ret_words);
    }
    LT_TRY(acme_prove_check(d, t, authorization));
    *ret_words = lt_arena_printf(t->arena, "Our validator looks now.%s%s",
                                 why[0] == '\0' ? "" : " The last time: ", why);
    LT_CHECK(*ret_words != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return LT_OK;
}

struct open_domain {
    int64_t problem;
    const char *name;
    int64_t authorization;
};

lt_res problem_domain_beat(struct incident_beat *b, bool *ret_more)
{
    struct store_rows rows;
    struct open_domain list[OPEN_MAX];
    size_t count = 0;
    (void)ret_more; /* the validator takes its time */
    LT_TRY(store_query(b->t->store, &sql[SQL_OPEN],
                       STORE_ARGS(STORE_I(lt_time_add_seconds(b->t->now, -LIFETIME_S).us)), &rows));
    while (count < OPEN_MAX && store_next(&rows)) {
        list[count] = (struct open_domain){
            store_int(&rows, 0), lt_arena_cstr(b->t->arena, store_bytes(&rows, 1)), store_int(&rows, 2)};
        LT_CHECK(list[count].name != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        const char *state = "";
        const char *why = "";
        LT_TRY(acme_prove_state(b->t, list[i].authorization, &state, &why));
        if (strcmp(state, "valid") == 0) {
            LT_TRY(proven(b->t, list[i].problem, list[i].name, &why));
        }
    }
    return LT_OK;
}
