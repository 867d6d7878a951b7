/* The changes of this area, and what is due in it. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/event.h"
#include "incident/watch.h"

static lt_res say(struct incident_call *c, const char *kind, const char *name, const char *words)
{
    struct ca_body b;
    char *subject = lt_arena_printf(c->t->arena, "watch %s", c->id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    ca_body_str(&b, name, words);
    ca_body_str(&b, "by", c->by);
    c->json = "{}";
    return ca_body_event(&b, c->t, kind, subject, c->jws);
}

static lt_res op_run(struct incident_call *c)
{
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    LT_TRY(watch_run(c->t, id, (lt_time){incident_number(c, "from")}));
    return say(c, "watch.asked", "what", "run");
}

static lt_res op_switch(struct incident_call *c)
{
    int64_t id = 0;
    bool on = incident_number(c, "on") != 0;
    LT_TRY(incident_id(c, &id));
    LT_TRY(watch_switch(c->t, id, on));
    return say(c, on ? "watch.on" : "watch.off", "why", incident_text(c, "why"));
}

static lt_res op_settle(struct incident_call *c)
{
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    LT_TRY(watch_settle(c->t, id, incident_text(c, "subject"), incident_text(c, "why")));
    return say(c, "watch.settled", "why", incident_text(c, "why"));
}

/* What facts there are; what stands behind the slash is a name of the CA's. */
static const char *const known[] = {"stopped/", "cps/", "weak-class/", "plan/ari-coverage"};

static lt_res check_name(const char *name)
{
    bool good = false;
    for (size_t i = 0; i < LT_COUNT(known); i++) {
        size_t len = strlen(known[i]);
        bool open = known[i][len - 1] == '/';
        good = good ||
               (open ? strncmp(name, known[i], len) == 0 && name[len] != '\0' : strcmp(name, known[i]) == 0);
    }
    LT_CHECK(good, LT_PEER_MALFORMED,
             "\"%.60s\" is no fact that is asked for: stopped/ISSUER, cps/PROFILE, weak-class/NAME, "
             "plan/ari-coverage",
             name);
    return LT_OK;
}

/* "current" of a profile is what its file is now. */
static lt_res value_of(struct incident_call *c, const char *name, const char **ret_value)
{
    const struct ca_book *b = c->t->book;
    *ret_value = incident_text(c, "value");
    if (strncmp(name, "cps/", 4) != 0 || strcmp(*ret_value, "current") != 0) {
        return LT_OK;
    }
    const struct ca_profile_row *row = ca_profile_by_name(b, lt_slice_cstr(name + 4));
    LT_CHECK(row != NULL, LT_PEER_NOT_FOUND, "there is no profile \"%.60s\"", name + 4);
    *ret_value = lt_hex(c->t->arena, LT_SLICE(row->profile->sha256, sizeof row->profile->sha256));
    LT_CHECK(*ret_value != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res op_fact(struct incident_call *c)
{
    const char *name = incident_text(c, "name");
    const char *value = NULL;
    struct ca_body b;
    LT_TRY(check_name(name));
    LT_TRY(value_of(c, name, &value));
    LT_TRY(watch_state(c->t, name, value, c->by));
    char *subject = lt_arena_printf(c->t->arena, "fact %s", name);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    ca_body_str(&b, "value", value);
    ca_body_str(&b, "by", c->by);
    LT_TRY(ca_body_event(&b, c->t, value[0] == '\0' ? "fact.withdrawn" : "fact.stated", subject, c->jws));
    ca_body_init(&b);
    ca_body_str(&b, "value", value);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static const struct incident_op ops[] = {
    {"watch.run", CA_ROLE_OPERATOR, op_run},
    {"watch.switch", CA_ROLE_APPROVER, op_switch},
    {"watch.settle", CA_ROLE_OPERATOR, op_settle},
    {"watch.fact", CA_ROLE_OPERATOR, op_fact},
};
const struct incident_area incident_area_watch = {
    .name = "watch",
    .ops = {ops, LT_COUNT(ops)},
    .beat = watch_beat,
    .sql = {&watch_sql, &watch_book_sql, &watch_issued_sql, &watch_crl_sql, &watch_rule_sql},
};
