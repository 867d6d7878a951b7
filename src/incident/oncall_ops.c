/* What operators say of who is on call. */
#include <string.h>

#include "ca/body.h"
#include "ca/ready.h"
#include "incident/notice_private.h"

static const struct store_sql sql[] = {
    {"oncall.person-put",
     "INSERT INTO oncall_person (name, place, mail, hook, changed_us, changed_by) VALUES (?1, ?2, ?3, ?4, "
     "?5, "
     "?6) ON CONFLICT (name) DO UPDATE SET place = excluded.place, mail = excluded.mail, hook = "
     "excluded.hook, changed_us = excluded.changed_us, changed_by = excluded.changed_by"},
    {"oncall.person-drop", "DELETE FROM oncall_person WHERE name = ?1"},
    {"oncall.person", "SELECT place FROM oncall_person WHERE name = ?1"},
    {"oncall.rota-set",
     "INSERT INTO oncall_rota (id, start_us, turn_s, step_s, changed_us, changed_by) VALUES (1, ?1, ?2, ?3, "
     "?4, ?5) ON CONFLICT (id) DO UPDATE SET start_us = excluded.start_us, turn_s = excluded.turn_s, step_s "
     "= "
     "excluded.step_s, changed_us = excluded.changed_us, changed_by = excluded.changed_by"},
    {"oncall.override-last", "SELECT coalesce(max(id), 0) FROM oncall_override"},
    {"oncall.override-add", "INSERT INTO oncall_override (id, person, from_us, until_us, why, added_us, "
                            "added_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
};
enum { SQL_PUT, SQL_DROP, SQL_PERSON, SQL_ROTA, SQL_OVERRIDE_LAST, SQL_OVERRIDE_ADD };
const struct incident_sql incident_oncall_ops_sql = {sql, LT_COUNT(sql)};

enum { NAME_LEN_MAX = 64, TURN_LEAST_S = 3600, STEP_LEAST_S = 60, STEP_MOST_S = 86400 };

static bool is_name(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    return s[0] != '\0' && strlen(s) <= NAME_LEN_MAX && strspn(s, letters) == strlen(s);
}

/* The event, and the same as the answer. */
static lt_res finish(struct incident_call *c, const char *kind, struct ca_body bodies[2])
{
    ca_body_str(&bodies[0], "operator", c->by);
    lt_res r = ca_body_event(&bodies[0], c->t, kind, "oncall", c->jws);
    lt_res written = ca_body_cstr(&bodies[1], c->t->arena, &c->json);
    return lt_failed(r) ? r : written;
}

static void begin(struct ca_body bodies[2])
{
    ca_body_init(&bodies[0]);
    ca_body_init(&bodies[1]);
}

lt_res incident_op_oncall_person(struct incident_call *c)
{
    struct ca_body b[2];
    const char *name = incident_text(c, "name");
    const char *mail = incident_text(c, "mail");
    const char *hook = incident_text(c, "hook");
    int64_t place = incident_number(c, "place");
    LT_CHECK(is_name(name), LT_PEER_MALFORMED,
             "\"%.64s\" is no name: small letters, digits, \"-\", \"_\" and \".\", at most %d", name,
             NAME_LEN_MAX);
    LT_CHECK(mail[0] != '\0' || hook[0] != '\0', LT_PEER_MALFORMED,
             "%s cannot be called: give \"mail\" or \"hook\"", name);
    LT_TRY(mail[0] == '\0' ? LT_OK : ca_ready_address(lt_slice_cstr(mail)));
    LT_TRY(hook[0] == '\0' ? LT_OK : incident_hook_known(c->t, hook));
    LT_TRY(store_exec(c->t->store, &sql[SQL_PUT],
                      STORE_ARGS(STORE_S(name), STORE_I(place), STORE_S(mail), STORE_S(hook),
                                 STORE_I(c->t->now.us), STORE_S(c->by)),
                      NULL));
    begin(b);
    for (size_t i = 0; i < LT_COUNT(b); i++) {
        ca_body_str(&b[i], "name", name);
        ca_body_int(&b[i], "place", place);
        ca_body_str(&b[i], "mail", mail);
        ca_body_str(&b[i], "hook", hook);
    }
    return finish(c, "oncall.person", b);
}

static lt_res known(struct incident_call *c, const char *name)
{
    struct store_rows rows;
    LT_TRY(store_query(c->t->store, &sql[SQL_PERSON], STORE_ARGS(STORE_S(name)), &rows));
    bool found = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "nobody called \"%.64s\" is on call: lintel oncall set NAME", name);
    return LT_OK;
}

lt_res incident_op_oncall_remove(struct incident_call *c)
{
    struct ca_body b[2];
    LT_TRY(known(c, c->id));
    LT_TRY(store_exec(c->t->store, &sql[SQL_DROP], STORE_ARGS(STORE_S(c->id)), NULL));
    begin(b);
    ca_body_str(&b[0], "name", c->id);
    ca_body_str(&b[1], "name", c->id);
    return finish(c, "oncall.removed", b);
}

lt_res incident_op_oncall_rota(struct incident_call *c)
{
    struct ca_body b[2];
    lt_time start = {incident_number(c, "start")};
    int64_t turn_s = incident_number(c, "turn_s");
    int64_t step_s = incident_number(c, "step_s");
    LT_CHECK(turn_s >= TURN_LEAST_S, LT_PEER_MALFORMED, "\"turn_s\" is at least %d", TURN_LEAST_S);
    LT_CHECK(step_s >= STEP_LEAST_S && step_s <= STEP_MOST_S, LT_PEER_MALFORMED,
             "\"step_s\" is from %d to %d", STEP_LEAST_S, STEP_MOST_S);
    LT_TRY(store_exec(c->t->store, &sql[SQL_ROTA],
                      STORE_ARGS(STORE_I(start.us), STORE_I(turn_s), STORE_I(step_s), STORE_I(c->t->now.us),
                                 STORE_S(c->by)),
                      NULL));
    begin(b);
    for (size_t i = 0; i < LT_COUNT(b); i++) {
        ca_body_time(&b[i], "start", start);
        ca_body_int(&b[i], "turn_s", turn_s);
        ca_body_int(&b[i], "step_s", step_s);
    }
    return finish(c, "oncall.rota", b);
}

lt_res incident_op_oncall_override(struct incident_call *c)
{
    struct ca_body b[2];
    struct store_rows rows;
    const char *person = incident_text(c, "person");
    lt_time from = {incident_number(c, "from")};
    lt_time until = {incident_number(c, "until")};
    LT_TRY(known(c, person));
    LT_CHECK(from.us < until.us && until.us > c->t->now.us, LT_PEER_MALFORMED,
             "\"until\" is after \"from\", and not over yet");
    LT_TRY(store_query(c->t->store, &sql[SQL_OVERRIDE_LAST], STORE_NO_ARGS, &rows));
    int64_t id = store_next(&rows) ? store_int(&rows, 0) + 1 : 1;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_exec(c->t->store, &sql[SQL_OVERRIDE_ADD],
                      STORE_ARGS(STORE_I(id), STORE_S(person), STORE_I(from.us), STORE_I(until.us),
                                 STORE_S(incident_text(c, "why")), STORE_I(c->t->now.us), STORE_S(c->by)),
                      NULL));
    begin(b);
    for (size_t i = 0; i < LT_COUNT(b); i++) {
        ca_body_str(&b[i], "person", person);
        ca_body_time(&b[i], "from", from);
        ca_body_time(&b[i], "until", until);
        ca_body_str(&b[i], "why", incident_text(c, "why"));
    }
    return finish(c, "oncall.override", b);
}

lt_res incident_op_oncall_ack(struct incident_call *c)
{
    struct ca_body b;
    int64_t id = 0;
    const char *by = "";
    LT_TRY(incident_id(c, &id));
    LT_TRY(incident_oncall_ack(c->t, id, c->by, incident_text(c, "note"), c->jws, &by));
    ca_body_init(&b);
    ca_body_int(&b, "id", id);
    ca_body_str(&b, "acknowledged_by", by);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

lt_res incident_op_oncall_test(struct incident_call *c)
{
    struct ca_body b;
    const char *severity = incident_text(c, "severity");
    const char *words = incident_text(c, "words");
    char *subject = lt_arena_printf(c->t->arena, "test by %s", c->by);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(incident_page(c->t, severity[0] == '\0' ? "low" : severity, subject,
                         words[0] == '\0' ? "This is a test: nothing is wrong." : words));
    ca_body_init(&b);
    ca_body_str(&b, "subject", subject);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}
