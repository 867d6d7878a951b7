/* The changes of this area, and what is due in it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "incident/case.h"
#include "incident/learn.h"

/* ---- promises ---- */

static lt_res answer(struct incident_call *c, int64_t id)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, "id", id);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

/* What is promised for an incident is for those who may see that one. */
static lt_res may_promise(struct incident_call *c, lt_slice subject)
{
    const lt_slice word = LT_LIT("incident ");
    uint64_t id = 0;
    struct incident_case of;
    if (!lt_slice_starts(subject, word)) {
        return LT_OK;
    }
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_sub(subject, word.len, subject.len), INT64_MAX, &id)),
             LT_PEER_MALFORMED, "\"%.*s\" is no incident: write incident 12", LT_FMT(subject));
    LT_TRY(incident_load(c->t, (int64_t)id, &of));
    return incident_may_see(c->t, &of, c->by);
}

static lt_res may_change(struct incident_call *c, int64_t id)
{
    struct store_rows rows;
    LT_TRY(store_query(c->t->store, &incident_learn_sql[LEARN_ACTION_GET], STORE_ARGS(STORE_I(id)), &rows));
    const char *subject = lt_arena_cstr(c->t->arena, store_next(&rows) ? store_bytes(&rows, 0) : LT_LIT(""));
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    lt_res seen = may_promise(c, lt_slice_cstr(subject));
    LT_CHECK(!lt_failed(seen), LT_PEER_NOT_FOUND, "there is no promise %lld: lintel action list",
             (long long)id);
    return LT_OK;
}

static lt_res op_action_add(struct incident_call *c)
{
    int64_t id = 0;
    struct incident_action a = {
        .subject = incident_text(c, "for"),
        .title = incident_text(c, "title"),
        .kind = incident_text(c, "kind"),
        .causes = incident_text(c, "causes"),
        .criteria = incident_text(c, "criteria"),
        .owner = incident_text(c, "owner"),
        .due = {incident_number(c, "due")},
        .jws = c->jws,
    };
    LT_TRY(may_promise(c, lt_slice_cstr(a.subject)));
    LT_TRY(incident_learn_by(c, &a.by));
    LT_TRY(incident_action_add(c->t, &a, &id));
    return answer(c, id);
}

static lt_res change(struct incident_call *c, const char *edge)
{
    struct incident_action_change w = {
        .edge = edge,
        .words = incident_text(c, "words"),
        .evidence = incident_text(c, "evidence"),
        .due = {incident_number(c, "due")},
        .owner = incident_text(c, "owner"),
        .criteria = incident_text(c, "criteria"),
        .causes = incident_text(c, "causes"),
        .jws = c->jws,
    };
    LT_TRY(incident_id(c, &w.id));
    LT_TRY(may_change(c, w.id));
    LT_TRY(incident_learn_by(c, &w.by));
    LT_TRY(incident_action_change(c->t, &w));
    return answer(c, w.id);
}

static lt_res op_action_complete(struct incident_call *c)
{
    return change(c, "complete");
}

static lt_res op_action_delay(struct incident_call *c)
{
    return change(c, "delay");
}

static lt_res op_action_cancel(struct incident_call *c)
{
    return change(c, "cancel");
}

static lt_res op_action_update(struct incident_call *c)
{
    return change(c, "update");
}

static lt_res op_action_reopen(struct incident_call *c)
{
    return change(c, "reopen");
}

static lt_res op_action_tell(struct incident_call *c)
{
    return change(c, "tell");
}

static lt_res op_action_check(struct incident_call *c)
{
    struct incident_action_check w = {
        .months = incident_number(c, "months"),
        .holds = incident_number(c, "holds") != 0,
        .evidence = incident_text(c, "evidence"),
        .jws = c->jws,
    };
    LT_TRY(incident_id(c, &w.id));
    LT_TRY(may_change(c, w.id));
    LT_TRY(incident_learn_by(c, &w.by));
    LT_TRY(incident_action_check(c->t, &w));
    return answer(c, w.id);
}

static const struct incident_op ops[] = {
    {"action.add", CA_ROLE_OPERATOR, op_action_add},
    {"action.complete", CA_ROLE_OPERATOR, op_action_complete},
    {"action.delay", CA_ROLE_OPERATOR, op_action_delay},
    {"action.cancel", CA_ROLE_OPERATOR, op_action_cancel},
    {"action.update", CA_ROLE_OPERATOR, op_action_update},
    {"action.reopen", CA_ROLE_OPERATOR, op_action_reopen},
    {"action.tell", CA_ROLE_OPERATOR, op_action_tell},
    {"action.check", CA_ROLE_OPERATOR | CA_ROLE_AUDITOR, op_action_check},
    {"review.calendar", CA_ROLE_OPERATOR, incident_op_review_calendar},
    {"review.assign", CA_ROLE_OPERATOR, incident_op_review_assign},
    {"review.brief", CA_ROLE_OPERATOR | CA_ROLE_AUDITOR, incident_op_review_brief},
    {"review.reviewer-add", CA_ROLE_OPERATOR, incident_op_reviewer_add},
    {"review.reviewer-end", CA_ROLE_OPERATOR, incident_op_reviewer_end},
    {"review.source-add", CA_ROLE_OPERATOR | CA_ROLE_AUDITOR, incident_op_source_add},
    {"review.source-end", CA_ROLE_OPERATOR, incident_op_source_end},
    {"training.course-add", CA_ROLE_OPERATOR, incident_op_course_add},
    {"training.course-end", CA_ROLE_OPERATOR, incident_op_course_end},
    {"training.trainee-add", CA_ROLE_OPERATOR, incident_op_trainee_add},
    {"training.trainee-end", CA_ROLE_OPERATOR, incident_op_trainee_end},
    {"training.add", CA_ROLE_OPERATOR, incident_op_training_add},
    {"concern.link", CA_ROLE_OPERATOR, incident_op_concern_link},
    {"concern.answer", CA_ROLE_OPERATOR, incident_op_concern_answer},
    {"concern.show", CA_ROLE_OPERATOR | CA_ROLE_VIEWER | CA_ROLE_APPROVER | CA_ROLE_AUDITOR,
     incident_op_concern_show},
};

static lt_res beat(struct incident_beat *b, bool *ret_more)
{
    LT_TRY(incident_action_beat(b->t, ret_more));
    LT_TRY(incident_review_beat(b->t, ret_more));
    return incident_training_beat(b->t, ret_more);
}

static const struct incident_sql statements = {incident_learn_sql, LEARN_STATEMENTS};

const struct incident_area incident_area_learn = {
    .name = "learn", .ops = {ops, LT_COUNT(ops)}, .beat = beat, .sql = {&statements}};
