/* See case.h: what is stopped for an incident, and what has to be shown before it goes on. */
#include <string.h>

#include "base/text.h"
#include "ca/halt.h"
#include "ca/mass.h"
#include "incident/case_internal.h"

static const struct store_sql sql[] = {
    {"incident.halt-add", "INSERT INTO incident_halt (halt, incident, added_us, status, build, proof, "
                          "proven_us, found, counted_us) VALUES (?1, ?2, ?3, 'halted', '', '', 0, -1, 0)"},
    {"incident.halt-get", "SELECT h.incident, h.status, h.added_us, h.build, h.proof, l.lifted_us "
                          "FROM incident_halt h JOIN halt l ON l.id = h.halt WHERE h.halt = ?1"},
    {"incident.halt-live", "SELECT id FROM halt WHERE id = ?1 AND lifted_us IS NULL"},
    {"incident.halt-fix", "UPDATE incident_halt SET status = 'checking', build = ?2, proof = ?3, "
                          "proven_us = ?4, found = -1, counted_us = ?4 WHERE halt = ?1"},
    {"incident.halt-asked",
     "UPDATE incident_halt SET counted_us = ?2 WHERE halt = ?1 AND status = 'checking'"},
    {"incident.halt-counted", "UPDATE incident_halt SET status = ?2, found = ?3, counted_us = ?4 "
                              "WHERE halt = ?1 AND status = 'checking'"},
    {"incident.halt-checking", "SELECT halt, added_us, proof FROM incident_halt WHERE incident = ?1 AND "
                               "status = 'checking' AND counted_us <= ?2 ORDER BY added_us LIMIT 16"},
    {"incident.halts-open", "SELECT count(*) FROM incident_halt h JOIN halt l ON l.id = h.halt AND "
                            "l.lifted_us IS NULL WHERE h.incident = ?1"},
};
enum { SQL_ADD, SQL_GET, SQL_LIVE, SQL_FIX, SQL_ASKED, SQL_COUNTED, SQL_CHECKING, SQL_OPEN };
const struct incident_sql incident_case_halt_sql = {sql, LT_COUNT(sql)};

enum { ASK_AGAIN_S = 30, DUE_MAX = 16, HALT_ID_SIZE = 65 };

/* ---- stopping ---- */

/* Everybody reads the list of halts: of a restricted incident it says that, and not why. */
static lt_res halt_of(struct incident_call *c, const struct incident_case *in, Ipc__Halt *h)
{
    struct ca_turn *t = c->t;
    ipc__halt__init(h);
    h->kind = ca_halt_kind_by_name(lt_slice_cstr(incident_text(c, "kind")));
    h->value = lt_arena_cstr(t->arena, lt_slice_cstr(incident_text(c, "value")));
    h->reason = in->restricted
                    ? lt_arena_printf(t->arena, "incident %s", c->id)
                    : lt_arena_printf(t->arena, "incident %s: %s", c->id, incident_text(c, "reason"));
    h->operator_ = lt_arena_cstr(t->arena, lt_slice_cstr(c->by));
    LT_ASSERT(h->value != NULL && h->reason != NULL && h->operator_ != NULL);
    return ca_halt_known(t, h);
}

static lt_res check_live(struct ca_turn *t, const char *halt)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_LIVE], STORE_ARGS(STORE_S(halt)), &rows));
    bool live = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(live, LT_PEER_NOT_FOUND, "no halt %.64s is in force (lintel halt list)", halt);
    return LT_OK;
}

/* A new halt, or one that stands already and turns out to belong here. */
static lt_res halted(struct incident_call *c, const struct incident_case *in, Ipc__Halt *h,
                     const char **ret_id)
{
    const char *adopted = incident_text(c, "halt");
    LT_CHECK((adopted[0] == 0) != (incident_text(c, "kind")[0] == 0), LT_PEER_MALFORMED,
             "either \"halt\", or \"kind\" with \"reason\"");
    if (adopted[0] != 0) {
        *ret_id = adopted;
        return check_live(c->t, adopted);
    }
    LT_CHECK(incident_text(c, "reason")[0] != 0, LT_PEER_MALFORMED, "\"reason\" is missing");
    LT_TRY(halt_of(c, in, h));
    /* The request has the words: it is kept with the incident's own event. */
    return ca_halt_add(c->t, h, in->restricted ? LT_SLICE(NULL, 0) : c->jws, ret_id);
}

lt_res incident_case_op_contain(struct incident_call *c)
{
    struct incident_case in;
    Ipc__Halt h = IPC__HALT__INIT;
    const char *id = NULL;
    struct ca_body b;
    LT_TRY(incident_case_of(c, &in));
    LT_TRY(halted(c, &in, &h, &id));
    lt_res added = store_exec(c->t->store, &sql[SQL_ADD],
                              STORE_ARGS(STORE_S(id), STORE_I(in.id), STORE_I(c->t->now.us)), NULL);
    LT_CHECK(added.code != LT_PEER_CONFLICT, LT_PEER_CONFLICT, "halt %s is an incident's already", id);
    LT_TRY(added);
    ca_body_init(&b);
    ca_body_int(&b, "incident", in.id);
    ca_body_str(&b, "halt", id);
    ca_body_str(&b, "kind", ca_halt_kind_name(h.kind));
    ca_body_str(&b, "value", h.value);
    ca_body_str(&b, "reason", incident_text(c, "reason"));
    ca_body_str(&b, "by", c->by);
    LT_TRY(incident_case_event(c->t, in.id, "incident.halt", &b, c->jws));
    LT_TRY(incident_case_contained(c->t, in.id));
    LT_TRY(incident_step_if(c->t, in.id, "contain", c->by, id));
    ca_body_init(&b);
    ca_body_str(&b, "halt", id);
    return incident_case_answer(c, in.id, &b);
}

/* ---- what shows that it may go on ---- */

/* "test_caa.c", and nothing that leads elsewhere. */
static bool is_test_file(const char *name)
{
    static const char head[] = "test_";
    size_t word = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return strncmp(name, head, strlen(head)) == 0 && word > strlen(head) &&
           (strcmp(name + word, ".c") == 0 || strcmp(name + word, ".py") == 0);
}

/* A fix in a user interface is no fix: what failed is in what validates or examines. */
static bool test_of_judges(const char *test)
{
    static const char *const rooms[] = {"tests/unit/validate/", "tests/unit/ca/",     "tests/unit/lint/",
                                        "tests/unit/x509/",     "tests/unit/crypto/", "tests/unit/role/",
                                        "tests/unit/acme/",     "tests/unit/der/"};
    for (size_t i = 0; i < LT_COUNT(rooms); i++) {
        size_t len = strlen(rooms[i]);
        if (strncmp(test, rooms[i], len) == 0 && is_test_file(test + len)) {
            return true;
        }
    }
    return false;
}

static lt_res proof_of(struct incident_call *c, const char **ret_proof)
{
    const char *rule = incident_text(c, "rule");
    const char *test = incident_text(c, "test");
    LT_CHECK((rule[0] == 0) != (test[0] == 0), LT_PEER_MALFORMED,
             "either \"rule\" (of the linter) or \"test\", which fails on the old behaviour");
    LT_CHECK(
        test[0] == 0 || test_of_judges(test), LT_PEER_MALFORMED,
        "\"%.120s\" is no test of validator or examiner (tests/unit/validate, ca, lint, x509, crypto, der, "
        "acme, role): a fix in a user interface is no fix",
        test);
    *ret_proof = lt_arena_printf(c->t->arena, "%s %s", rule[0] != 0 ? "rule" : "test",
                                 rule[0] != 0 ? rule : test);
    LT_ASSERT(*ret_proof != NULL);
    return LT_OK;
}

#define RULE "rule "

struct checked {
    char halt[HALT_ID_SIZE];
    int64_t since_us;
    const char *proof;
};

/* Of the scope, what was issued since it was stopped. A reader counts, and knows the linter's rules. */
static lt_res ask_count(struct ca_turn *t, int64_t id, const struct checked *k)
{
    struct incident_case_scope scope;
    Ipc__MembersWanted q = IPC__MEMBERS_WANTED__INIT;
    char since[LT_RFC3339_SIZE];
    LT_TRY(incident_scope_last(t, id, &scope));
    LT_CHECK(scope.count >= 0, LT_PEER_CONFLICT,
             "incident %lld has no scope yet that could be run again: lintel incident scope", (long long)id);
    lt_time_rfc3339((lt_time){(k->since_us / LT_US_PER_SECOND + 1) * LT_US_PER_SECOND}, since);
    q.scope = lt_arena_printf(t->arena, "(%s) and issued >= %s", scope.text, since);
    q.fix = lt_arena_cstr(t->arena, lt_slice_cstr(k->halt));
    bool rule = strncmp(k->proof, RULE, strlen(RULE)) == 0;
    q.rule = lt_arena_cstr(t->arena, lt_slice_cstr(rule ? k->proof + strlen(RULE) : ""));
    LT_ASSERT(q.scope != NULL && q.fix != NULL && q.rule != NULL);
    q.as_of_us = t->now.us;
    q.most = 1;
    q.count_only = true;
    return ca_turn_send(t, IPC_READER, IPC_MEMBERS_WANTED, 0, &q.base);
}

static lt_res check_halt(struct incident_call *c, int64_t id, struct checked *k)
{
    struct store_rows rows;
    const char *halt = incident_text(c, "halt");
    LT_CHECK(strlen(halt) < sizeof k->halt, LT_PEER_NOT_FOUND, "there is no halt %.64s", halt);
    memcpy(k->halt, halt, strlen(halt) + 1);
    LT_TRY(store_query(c->t->store, &sql[SQL_GET], STORE_ARGS(STORE_S(halt)), &rows));
    bool found = store_next(&rows) && store_int(&rows, 0) == id;
    bool lifted = found && !store_is_null(&rows, 5);
    k->since_us = found ? store_int(&rows, 2) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "halt %.64s is none of incident %lld", halt, (long long)id);
    LT_CHECK(!lifted, LT_PEER_CONFLICT, "halt %.64s is lifted already", halt);
    return LT_OK;
}

lt_res incident_case_op_fix(struct incident_call *c)
{
    struct incident_case in;
    const char *halt = incident_text(c, "halt");
    const char *build = incident_text(c, "build");
    struct checked k;
    struct ca_body b;
    LT_TRY(incident_case_of(c, &in));
    LT_TRY(check_halt(c, in.id, &k));
    LT_CHECK(strcmp(build, c->t->book->build) == 0, LT_PEER_CONFLICT,
             "here runs %s, not %.80s: what has the fix has to run before anything is lifted",
             c->t->book->build, build);
    LT_TRY(proof_of(c, &k.proof));
    LT_TRY(ask_count(c->t, in.id, &k));
    LT_TRY(store_exec(c->t->store, &sql[SQL_FIX],
                      STORE_ARGS(STORE_S(halt), STORE_S(build), STORE_S(k.proof), STORE_I(c->t->now.us)),
                      NULL));
    ca_body_init(&b);
    ca_body_int(&b, "incident", in.id);
    ca_body_str(&b, "halt", halt);
    ca_body_str(&b, "build", build);
    ca_body_str(&b, "proof", k.proof);
    ca_body_str(&b, "words", incident_text(c, "words"));
    ca_body_str(&b, "by", c->by);
    LT_TRY(incident_case_event(c->t, in.id, "incident.fix", &b, c->jws));
    ca_body_init(&b);
    ca_body_str(&b, "halt", halt);
    ca_body_str(&b, "checking", "what of the scope was issued since");
    return incident_case_answer(c, in.id, &b);
}

lt_res incident_case_halt_due(struct ca_turn *t, const struct incident_case *c)
{
    struct checked due[DUE_MAX];
    size_t count = 0;
    struct store_rows rows;
    int64_t before_us = lt_time_add_seconds(t->now, -ASK_AGAIN_S).us;
    LT_TRY(store_query(t->store, &sql[SQL_CHECKING], STORE_ARGS(STORE_I(c->id), STORE_I(before_us)), &rows));
    while (count < DUE_MAX && store_next(&rows)) {
        lt_slice id = store_bytes(&rows, 0);
        if (id.len < HALT_ID_SIZE) {
            memcpy(due[count].halt, id.ptr, id.len);
            due[count].halt[id.len] = 0;
            due[count].since_us = store_int(&rows, 1);
            due[count].proof = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
            LT_ASSERT(due[count].proof != NULL);
            count++;
        }
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(ask_count(t, c->id, &due[i]));
        LT_TRY(store_exec(t->store, &sql[SQL_ASKED], STORE_ARGS(STORE_S(due[i].halt), STORE_I(t->now.us)),
                          NULL));
    }
    return LT_OK;
}

lt_res incident_case_on_members(struct ca_turn *t, const Ipc__Members *m)
{
    struct store_rows rows;
    struct ca_body b;
    int64_t incident = 0;
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_S(m->fix)), &rows));
    bool waits = store_next(&rows) && strcmp(store_cstr(&rows, 1), "checking") == 0;
    incident = waits ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    if (!waits) {
        return LT_OK; /* an answer that was asked for twice */
    }
    bool clean = m->failed[0] == 0 && m->count == 0;
    LT_TRY(store_exec(t->store, &sql[SQL_COUNTED],
                      STORE_ARGS(STORE_S(m->fix), STORE_S(clean ? "clean" : "dirty"),
                                 STORE_I(m->failed[0] != 0 ? -1 : (int64_t)m->count), STORE_I(t->now.us)),
                      NULL));
    ca_body_init(&b);
    ca_body_int(&b, "incident", incident);
    ca_body_str(&b, "halt", m->fix);
    ca_body_int(&b, "issued_since", (int64_t)m->count);
    ca_body_bool(&b, "clean", clean);
    ca_body_str(&b, "failed", m->failed);
    return incident_case_event(t, incident, "incident.fix-checked", &b, LT_SLICE(NULL, 0));
}

lt_res incident_case_halts_open(struct ca_turn *t, int64_t id, int64_t *ret_count)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_OPEN], STORE_ARGS(STORE_I(id)), &rows));
    *ret_count = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}
