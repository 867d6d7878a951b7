/* What people write for reports: sections with owner, due time and sign-off, events of before the incident
 * was known, which reports were handed over. Root causes and lessons: report_causes.c. */
#include <stdio.h>
#include <string.h>

#include "ca/body.h"
#include "crypto/digest.h"
#include "incident/clock.h"
#include "incident/report_book.h"
#include "incident/report_form.h"

enum {
    SQL_SECTION,
    SQL_SECTION_PUT,
    SQL_SECTION_WRITE,
    SQL_SECTION_ASSIGN,
    SQL_SECTION_SIGN,
    SQL_DELAY_DROP,
    SQL_DELAY_ADD,
    SQL_ISSUER,
    SQL_MEMBER,
    SQL_HANDED_LAST,
    SQL_HANDED_ADD,
    SQL_UNSIGNED
};
static const struct store_sql sql[] = {
    [SQL_SECTION] = {"report.section", "SELECT role, text, written_by, signed_us FROM report_section WHERE "
                                       "incident = ?1 AND kind = ?2 AND section = ?3"},
    [SQL_SECTION_PUT] =
        {"report.section-put",
         "INSERT INTO report_section (incident, kind, section, role, due_us, text, written_us, "
         "written_by, signed_us, signed_by) VALUES (?1, ?2, ?3, '', 0, '', 0, '', 0, '') "
         "ON CONFLICT (incident, kind, section) DO NOTHING"},
    [SQL_SECTION_WRITE] =
        {"report.section-write",
         "UPDATE report_section SET text = ?4, written_us = ?5, written_by = ?6, signed_us = 0, "
         "signed_by = '' WHERE incident = ?1 AND kind = ?2 AND section = ?3"},
    [SQL_SECTION_ASSIGN] = {"report.section-assign", "UPDATE report_section SET role = ?4, due_us = ?5 WHERE "
                                                     "incident = ?1 AND kind = ?2 AND section = ?3"},
    [SQL_SECTION_SIGN] = {"report.section-sign",
                          "UPDATE report_section SET signed_us = ?4, signed_by = ?5 WHERE "
                          "incident = ?1 AND kind = ?2 AND section = ?3"},
    [SQL_DELAY_DROP] = {"report.delay-drop",
                        "DELETE FROM report_delay WHERE incident = ?1 AND issuer = ?2 AND serial = ?3"},
    [SQL_DELAY_ADD] =
        {"report.delay-add",
         "INSERT INTO report_delay (incident, issuer, serial, reason, until_us, said_us, said_by) "
         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    [SQL_ISSUER] = {"report.issuer", "SELECT id FROM issuer WHERE name = ?1"},
    [SQL_MEMBER] = {"report.certificate",
                    "SELECT 1 FROM certificate WHERE issuer = ?1 AND serial = ?2 AND copy = 0"},
    [SQL_HANDED_LAST] = {"report.handed-last",
                         "SELECT number FROM report_handed WHERE incident = ?1 ORDER BY number DESC LIMIT 1"},
    [SQL_HANDED_ADD] = {"report.handed-add",
                        "INSERT INTO report_handed (incident, number, kind, handed_us, handed_by, where_to, "
                        "sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    [SQL_UNSIGNED] = {"report.unsigned",
                      "SELECT section FROM report_section WHERE incident = ?1 AND kind = ?2 "
                      "AND signed_us = 0 ORDER BY section LIMIT 1"},
};
enum { REPORT_TOKEN_LEN = 32 };
static const struct incident_sql ops_sql = {sql, LT_COUNT(sql)};

/* ---- what both files need ---- */

lt_res report_incident(struct incident_call *c, struct incident_case *ret_case)
{
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    LT_TRY(incident_load(c->t, id, ret_case));
    return incident_may_see(c->t, ret_case, c->by);
}

lt_res report_event(struct incident_call *c, struct ca_body *b, int64_t incident, const char *kind)
{
    char subject[40];
    (void)snprintf(subject, sizeof(subject), "incident %lld", (long long)incident);
    ca_body_str(b, "by", c->by);
    return ca_body_event(b, c->t, kind, incident == 0 ? "incident" : subject, c->jws);
}

lt_res report_answer(struct incident_call *c, const char *key, int64_t number)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, "id", number);
    ca_body_int(&b, key, number);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

/* ---- sections ---- */

/* Incident 0 is the house: its words stand in every report that has none of its own. */
static lt_res of_house_or_incident(struct incident_call *c, int64_t *ret_id)
{
    struct incident_case row;
    if (strcmp(c->id, "0") == 0) {
        *ret_id = 0;
        return LT_OK;
    }
    LT_TRY(report_incident(c, &row));
    *ret_id = row.id;
    return LT_OK;
}

/* What is not in the template, and still belongs to a report. */
static bool beside_the_template(unsigned kind, const char *section)
{
    static const char *const sections[] = {"title", "appendix"};
    for (size_t i = 0; i < LT_COUNT(sections); i++) {
        if (strcmp(sections[i], section) == 0) {
            return true;
        }
    }
    return kind == INCIDENT_REPORT_DELAYED && strcmp(section, "delay.reason") == 0;
}

static lt_res section_of(struct incident_call *c, const char **ret_kind, const char **ret_section)
{
    const char *kind = incident_text(c, "kind");
    const char *section = incident_text(c, "section");
    unsigned k = incident_report_kind_of(lt_slice_cstr(kind));
    LT_CHECK(k != 0, LT_PEER_MALFORMED, "kind is preliminary, full, delayed or closure, not \"%.40s\"", kind);
    const struct incident_report_part *p = incident_report_part_of(k, lt_slice_cstr(section));
    bool known = beside_the_template(k, section) || (p != NULL && p->part == INCIDENT_PART_FIELD);
    LT_CHECK(
        known, LT_PEER_NOT_FOUND,
        "a %s report has no section \"%.60s\" that is written by hand; lintel incident report names them",
        kind, section);
    *ret_kind = kind;
    *ret_section = section;
    return LT_OK;
}

static lt_res put(struct incident_call *c, int64_t id, const char *kind, const char *section)
{
    return store_exec(c->t->store, &sql[SQL_SECTION_PUT],
                      STORE_ARGS(STORE_I(id), STORE_S(kind), STORE_S(section)), NULL);
}

static lt_res op_write(struct incident_call *c)
{
    const char *kind = NULL;
    const char *section = NULL;
    int64_t id = 0;
    struct ca_body b;
    LT_TRY(of_house_or_incident(c, &id));
    LT_TRY(section_of(c, &kind, &section));
    LT_TRY(put(c, id, kind, section));
    LT_TRY(store_exec(c->t->store, &sql[SQL_SECTION_WRITE],
                      STORE_ARGS(STORE_I(id), STORE_S(kind), STORE_S(section),
                                 STORE_S(incident_text(c, "text")), STORE_I(c->t->now.us), STORE_S(c->by)),
                      NULL));
    ca_body_init(&b);
    ca_body_str(&b, "kind", kind);
    ca_body_str(&b, "section", section);
    ca_body_str(&b, "text", incident_text(c, "text"));
    LT_TRY(report_event(c, &b, id, "report.written"));
    return report_answer(c, "incident", id);
}

static lt_res op_assign(struct incident_call *c)
{
    const char *kind = NULL;
    const char *section = NULL;
    struct incident_case row;
    struct ca_body b;
    LT_TRY(report_incident(c, &row));
    LT_TRY(section_of(c, &kind, &section));
    LT_TRY(put(c, row.id, kind, section));
    LT_TRY(store_exec(c->t->store, &sql[SQL_SECTION_ASSIGN],
                      STORE_ARGS(STORE_I(row.id), STORE_S(kind), STORE_S(section),
                                 STORE_S(incident_text(c, "role")), STORE_I(incident_number(c, "due"))),
                      NULL));
    ca_body_init(&b);
    ca_body_str(&b, "kind", kind);
    ca_body_str(&b, "section", section);
    ca_body_str(&b, "role", incident_text(c, "role"));
    if (incident_given(c, "due")) {
        ca_body_time(&b, "due", (lt_time){incident_number(c, "due")});
    }
    LT_TRY(report_event(c, &b, row.id, "report.assigned"));
    return report_answer(c, "incident", row.id);
}

/* Somebody answers for the text as it stands; not for one that nobody wrote. */
static lt_res op_sign(struct incident_call *c)
{
    const char *kind = NULL;
    const char *section = NULL;
    struct incident_case row;
    struct store_rows rows;
    struct ca_body b;
    LT_TRY(report_incident(c, &row));
    LT_TRY(section_of(c, &kind, &section));
    LT_TRY(store_query(c->t->store, &sql[SQL_SECTION],
                       STORE_ARGS(STORE_I(row.id), STORE_S(kind), STORE_S(section)), &rows));
    bool written = store_next(&rows) && store_bytes(&rows, 1).len > 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(written, LT_PEER_CONFLICT, "nobody has written \"%s\" yet: lintel incident report write",
             section);
    LT_TRY(store_exec(
        c->t->store, &sql[SQL_SECTION_SIGN],
        STORE_ARGS(STORE_I(row.id), STORE_S(kind), STORE_S(section), STORE_I(c->t->now.us), STORE_S(c->by)),
        NULL));
    ca_body_init(&b);
    ca_body_str(&b, "kind", kind);
    ca_body_str(&b, "section", section);
    LT_TRY(report_event(c, &b, row.id, "report.signed"));
    return report_answer(c, "incident", row.id);
}

/* ---- what happened, and was not yet an event ---- */

static lt_res op_event(struct incident_call *c)
{
    struct incident_case row;
    struct ca_body b;
    lt_time at = {incident_number(c, "at")};
    LT_TRY(report_incident(c, &row));
    ca_body_init(&b);
    ca_body_time(&b, "at", at);
    ca_body_str(&b, "text", incident_text(c, "text"));
    LT_TRY(report_event(c, &b, row.id, "report.event"));
    return report_answer(c, "incident", row.id);
}

/* ---- certificates that are late ---- */

static lt_res issuer_id(struct incident_call *c, const char *name, int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(c->t->store, &sql[SQL_ISSUER], STORE_ARGS(STORE_S(name)), &rows));
    bool found = store_next(&rows);
    *ret_id = found ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no issuer \"%.60s\"", name);
    return LT_OK;
}

static lt_res op_delay(struct incident_call *c)
{
    struct incident_case row;
    struct store_rows rows;
    struct ca_body b;
    int64_t issuer = 0;
    lt_slice serial = incident_data(c, "serial");
    LT_TRY(report_incident(c, &row));
    LT_TRY(issuer_id(c, incident_text(c, "issuer"), &issuer));
    LT_TRY(store_query(c->t->store, &sql[SQL_MEMBER], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    bool found = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no such certificate");
    LT_TRY(store_exec(c->t->store, &sql[SQL_DELAY_DROP],
                      STORE_ARGS(STORE_I(row.id), STORE_I(issuer), STORE_B(serial)), NULL));
    LT_TRY(store_exec(c->t->store, &sql[SQL_DELAY_ADD],
                      STORE_ARGS(STORE_I(row.id), STORE_I(issuer), STORE_B(serial),
                                 STORE_S(incident_text(c, "reason")), STORE_I(incident_number(c, "until")),
                                 STORE_I(c->t->now.us), STORE_S(c->by)),
                      NULL));
    ca_body_init(&b);
    ca_body_str(&b, "issuer", incident_text(c, "issuer"));
    ca_body_hex(&b, "serial", serial);
    ca_body_str(&b, "reason", incident_text(c, "reason"));
    ca_body_time(&b, "until", (lt_time){incident_number(c, "until")});
    LT_TRY(report_event(c, &b, row.id, "report.delayed"));
    return report_answer(c, "incident", row.id);
}

/* ---- handed over ---- */

/* Which duty's clock a report of that kind meets. */
static const struct {
    unsigned kind;
    const char *happened;
} meets[] = {
    {INCIDENT_REPORT_PRELIMINARY, "incident.disclosed"},
    {INCIDENT_REPORT_FULL, "incident.full-reported"},
    {INCIDENT_REPORT_DELAYED, "incident.delay-reported"},
    {INCIDENT_REPORT_CLOSURE, "incident.closure-posted"},
};

/* The first report of an incident is its disclosure, whichever kind it is. From then on each post is an
 * update of its report, and each about the delay one of that: the next is due a week later (irg-4, irg-6). */
static lt_res meet_clocks(struct incident_call *c, int64_t id, unsigned kind, bool first)
{
    char subject[40];
    const char *where = incident_text(c, "where");
    lt_time when = incident_given(c, "at") ? (lt_time){incident_number(c, "at")} : c->t->now;
    (void)snprintf(subject, sizeof(subject), "incident %lld", (long long)id);
    if (first && kind != INCIDENT_REPORT_PRELIMINARY) {
        LT_TRY(incident_clock_happened(c->t, "incident.disclosed", subject, when, where));
    }
    for (size_t i = 0; i < LT_COUNT(meets); i++) {
        if (meets[i].kind == kind) {
            LT_TRY(incident_clock_happened(c->t, meets[i].happened, subject, when, where));
        }
    }
    if (kind == INCIDENT_REPORT_DELAYED) {
        LT_TRY(incident_clock_happened(c->t, "incident.delay-updated", subject, when, where));
    }
    return first || kind != INCIDENT_REPORT_DELAYED
               ? incident_clock_happened(c->t, "incident.updated", subject, when, where)
               : LT_OK;
}

static lt_res check_handed(struct incident_call *c, const char *kind, lt_time at)
{
    bool known = strcmp(kind, "update") == 0 || incident_report_kind_of(lt_slice_cstr(kind)) != 0;
    LT_CHECK(known, LT_PEER_MALFORMED, "kind is preliminary, full, delayed, closure or update, not \"%.40s\"",
             kind);
    LT_CHECK(at.us <= c->t->now.us, LT_PEER_MALFORMED, "a report is handed over in the past");
    LT_CHECK(incident_data(c, "sha256").len == 32, LT_PEER_MALFORMED, "\"sha256\" has 32 bytes");
    return LT_OK;
}

/* Somebody answers for each section that was written or given to somebody, before it leaves the house. */
static lt_res all_signed(struct incident_call *c, int64_t id, const char *kind)
{
    struct store_rows rows;
    LT_TRY(store_query(c->t->store, &sql[SQL_UNSIGNED], STORE_ARGS(STORE_I(id), STORE_S(kind)), &rows));
    const char *section = lt_arena_cstr(c->t->arena, store_next(&rows) ? store_bytes(&rows, 0) : LT_LIT(""));
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(section != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_CHECK(section[0] == 0 || incident_text(c, "anyway")[0] != 0, LT_PEER_CONFLICT,
             "nobody has signed \"%.60s\" of the %s report: lintel incident sign, or say why it goes out "
             "anyway",
             section, kind);
    return LT_OK;
}

static lt_res op_handed(struct incident_call *c)
{
    struct incident_case row;
    struct store_rows rows;
    struct ca_body b;
    const char *kind = incident_text(c, "kind");
    unsigned k = incident_report_kind_of(lt_slice_cstr(kind));
    lt_time at = incident_given(c, "at") ? (lt_time){incident_number(c, "at")} : c->t->now;
    LT_TRY(check_handed(c, kind, at));
    LT_TRY(report_incident(c, &row));
    LT_TRY(all_signed(c, row.id, kind));
    LT_TRY(store_query(c->t->store, &sql[SQL_HANDED_LAST], STORE_ARGS(STORE_I(row.id)), &rows));
    int64_t number = store_next(&rows) ? store_int(&rows, 0) + 1 : 1;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(k != 0 || number > 1, LT_PEER_CONFLICT,
             "nothing of incident %lld was posted yet that could be updated", (long long)row.id);
    LT_TRY(
        store_exec(c->t->store, &sql[SQL_HANDED_ADD],
                   STORE_ARGS(STORE_I(row.id), STORE_I(number), STORE_S(kind), STORE_I(at.us), STORE_S(c->by),
                              STORE_S(incident_text(c, "where")), STORE_B(incident_data(c, "sha256"))),
                   NULL));
    ca_body_init(&b);
    ca_body_str(&b, "kind", kind);
    ca_body_str(&b, "where", incident_text(c, "where"));
    ca_body_hex(&b, "sha256", incident_data(c, "sha256"));
    ca_body_time(&b, "at", at);
    ca_body_str(&b, "anyway", incident_text(c, "anyway"));
    LT_TRY(report_event(c, &b, row.id, "report.handed"));
    LT_TRY(meet_clocks(c, row.id, k, number == 1));
    return report_answer(c, "number", number);
}

/* ---- restricted ones ---- */

/* A reader knows nobody: who has a role in a restricted incident gets a word for a quarter of an hour, by
 * which it answers. That somebody asked is an event. */
static lt_res op_grant(struct incident_call *c)
{
    struct incident_case row;
    struct ca_body b;
    uint8_t token[REPORT_TOKEN_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    LT_TRY(report_incident(c, &row));
    c->t->random(token, sizeof(token));
    crypto_sha256(LT_SLICE(token, sizeof(token)), hash);
    ca_body_init(&b);
    ca_body_hex(&b, "token_sha256", LT_SLICE(hash, sizeof(hash)));
    LT_TRY(report_event(c, &b, row.id, "report.granted"));
    ca_body_init(&b);
    ca_body_int(&b, "id", row.id);
    ca_body_hex(&b, "token", LT_SLICE(token, sizeof(token)));
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

#define ANYBODY (CA_ROLE_VIEWER | CA_ROLE_OPERATOR | CA_ROLE_APPROVER | CA_ROLE_AUDITOR)
static const struct incident_op ops[] = {
    {"report.grant", ANYBODY, op_grant},
    {"report.write", CA_ROLE_OPERATOR, op_write},
    {"report.assign", CA_ROLE_OPERATOR, op_assign},
    {"report.sign", CA_ROLE_OPERATOR | CA_ROLE_APPROVER, op_sign},
    {"report.event", CA_ROLE_OPERATOR, op_event},
    {"report.handed", CA_ROLE_OPERATOR, op_handed},
    {"report.delay", CA_ROLE_OPERATOR, op_delay},
    {"report.cause", CA_ROLE_OPERATOR, report_op_cause},
    {"report.cause-drop", CA_ROLE_OPERATOR, report_op_cause_drop},
    {"report.why", CA_ROLE_OPERATOR, report_op_why},
    {"report.bone", CA_ROLE_OPERATOR, report_op_bone},
    {"report.bone-drop", CA_ROLE_OPERATOR, report_op_bone_drop},
    {"report.lesson", CA_ROLE_OPERATOR, report_op_lesson},
    {"report.lesson-drop", CA_ROLE_OPERATOR, report_op_lesson_drop},
};

const struct incident_area incident_area_report = {
    .name = "report",
    .ops = {ops, LT_COUNT(ops)},
    .sql = {&ops_sql, &report_causes_sql},
};
