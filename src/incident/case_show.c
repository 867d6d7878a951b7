/* See case_show.h. */
#include "incident/case_show.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define HEAD                                                                                        \
    "SELECT id, status, since_us, title, source, cause, severity, restricted, drill, aware_us, "    \
    "must_us, opened_us, opened_by, contained_us, scope_version, plan_version, late_us, closed_us " \
    "FROM incident "

static const struct store_sql sql[] = {
    {"case.head", HEAD "WHERE id = ?1"},
    {"case.list", HEAD "WHERE id < ?1 AND restricted = 0 ORDER BY id DESC LIMIT ?2"},
    {"case.list-open", HEAD "WHERE id < ?1 AND restricted = 0 AND closed_us = 0 ORDER BY id DESC LIMIT ?2"},
    {"case.list-mine",
     HEAD "i WHERE i.id < ?1 AND i.restricted = 1 AND EXISTS (SELECT 1 FROM incident_role r WHERE "
          "r.holder = ?3 AND r.incident = i.id AND r.until_us = 0) ORDER BY i.id DESC LIMIT ?2"},
    {"case.steps", "SELECT event, status, at_us, by_whom, words FROM incident_step WHERE incident = ?1 "
                   "ORDER BY step LIMIT 200"},
    {"case.roles", "SELECT role, holder, since_us, until_us, given_by, words FROM incident_role "
                   "WHERE incident = ?1 ORDER BY role, since_us LIMIT 200"},
    {"case.problems", "SELECT problem, linked_us, linked_by FROM incident_problem WHERE incident = ?1 "
                      "ORDER BY problem LIMIT 1000"},
    {"case.halts",
     "SELECT h.halt, l.kind, l.value, h.added_us, h.status, h.build, h.proof, h.proven_us, h.found, "
     "coalesce(l.lifted_us, 0) FROM incident_halt h JOIN halt l ON l.id = h.halt "
     "WHERE h.incident = ?1 ORDER BY h.added_us LIMIT 100"},
    {"case.scopes",
     "SELECT version, text, as_of_us, count, members_sha256, detected_us, wrong, avoided, saved_us, "
     "saved_by FROM incident_scope WHERE incident = ?1 ORDER BY version DESC LIMIT 50"},
    {"case.plans",
     "SELECT p.version, p.scope_version, p.mass, p.status, p.count, p.first_rank, p.start_us, p.end_us, "
     "p.width_us, p.reserve_us / 1000000, p.must_us, p.per_hour, p.capacity, p.late, p.set_us, p.made_us, "
     "p.made_by, "
     "m.status, m.count, m.revoked, m.already, m.held, m.plan, m.started_us, m.ended_us, m.why "
     "FROM incident_plan p JOIN mass m ON m.id = p.mass WHERE p.incident = ?1 "
     "ORDER BY p.version DESC LIMIT 20"},
    {"case.clocks",
     "SELECT id, duty, force, section, start_us, aim_us, due_us, status, met_us, proof FROM clock "
     "WHERE subject = ?1 ORDER BY id LIMIT 200"},
};
enum {
    SQL_HEAD,
    SQL_LIST,
    SQL_LIST_OPEN,
    SQL_LIST_MINE,
    SQL_STEPS,
    SQL_ROLES,
    SQL_PROBLEMS,
    SQL_HALTS,
    SQL_SCOPES,
    SQL_PLANS,
    SQL_CLOCKS,
};
const struct incident_sql incident_case_show_sql = {sql, LT_COUNT(sql)};

enum { SUBJECT_SIZE = 40 };

/* What a column becomes. */
enum kind { END, TEXT, NUMBER, TIME, FLAG, HEX, MASS, MINUTES };
struct column {
    const char *name;
    enum kind kind;
};

static const struct column head_columns[] = {
    {"id", NUMBER},
    {"status", TEXT},
    {"since", TIME},
    {"title", TEXT},
    {"source", TEXT},
    {"cause", TEXT},
    {"severity", TEXT},
    {"restricted", FLAG},
    {"drill", FLAG},
    {"aware", TIME},
    {"must", TIME},
    {"opened", TIME},
    {"opened_by", TEXT},
    {"contained", TIME},
    {"scope_version", NUMBER},
    {"plan_version", NUMBER},
    {"said_late", TIME},
    {"closed", TIME},
    {NULL, END},
};
static const struct column step_columns[] = {{"event", TEXT}, {"status", TEXT}, {"at", TIME},
                                             {"by", TEXT},    {"words", TEXT},  {NULL, END}};
static const struct column role_columns[] = {{"role", TEXT},  {"holder", TEXT},   {"since", TIME},
                                             {"until", TIME}, {"given_by", TEXT}, {"words", TEXT},
                                             {NULL, END}};
static const struct column problem_columns[] = {
    {"problem", NUMBER}, {"linked", TIME}, {"by", TEXT}, {NULL, END}};
static const struct column halt_columns[] = {{"halt", TEXT},   {"kind", TEXT},   {"value", TEXT},
                                             {"added", TIME},  {"status", TEXT}, {"build", TEXT},
                                             {"proof", TEXT},  {"proven", TIME}, {"issued_since", NUMBER},
                                             {"lifted", TIME}, {NULL, END}};
static const struct column scope_columns[] = {
    {"version", NUMBER},     {"scope", TEXT},    {"as_of", TIME}, {"count", NUMBER},
    {"members_sha256", HEX}, {"detected", TIME}, {"wrong", TEXT}, {"avoided", TEXT},
    {"saved", TIME},         {"saved_by", TEXT}, {NULL, END}};
static const struct column plan_columns[] = {{"version", NUMBER},
                                             {"scope_version", NUMBER},
                                             {"mass", MASS},
                                             {"status", TEXT},
                                             {"count", NUMBER},
                                             {"replaced_already", NUMBER},
                                             {"first_opens", TIME},
                                             {"last_closes", TIME},
                                             {"minutes_wide", MINUTES},
                                             {"reserve_seconds", NUMBER},
                                             {"must", TIME},
                                             {"per_hour", NUMBER},
                                             {"capacity", TEXT},
                                             {"after_the_deadline", NUMBER},
                                             {"set", TIME},
                                             {"made", TIME},
                                             {"made_by", TEXT},
                                             {"mass_status", TEXT},
                                             {"members", NUMBER},
                                             {"revoked", NUMBER},
                                             {"already", NUMBER},
                                             {"held", NUMBER},
                                             {"approval", TEXT},
                                             {"started", TIME},
                                             {"ended", TIME},
                                             {"why", TEXT},
                                             {NULL, END}};
static const struct column clock_columns[] = {
    {"id", NUMBER}, {"duty", TEXT},   {"force", TEXT}, {"section", TEXT}, {"start", TIME}, {"should", TIME},
    {"due", TIME},  {"status", TEXT}, {"met", TIME},   {"proof", TEXT},   {NULL, END}};

static void put_time(struct lt_buf *out, int64_t us)
{
    char text[LT_RFC3339_SIZE];
    if (us == 0) {
        lt_buf_add(out, LT_LIT("null"));
        return;
    }
    lt_time_rfc3339((lt_time){us}, text);
    lt_buf_addf(out, "\"%s\"", text);
}

static void put_hex(struct lt_buf *out, lt_slice bytes)
{
    lt_buf_add_byte(out, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        lt_buf_addf(out, "%02x", bytes.ptr[i]);
    }
    lt_buf_add_byte(out, '"');
}

static void put_value(struct lt_buf *out, const struct store_rows *rows, int at, enum kind kind)
{
    switch (kind) {
    case TEXT:

        lt_json_add_string(out, store_bytes(rows, at));
        break;
    case NUMBER:
        lt_buf_addf(out, "%lld", (long long)store_int(rows, at));
        break;
    case TIME:
        put_time(out, store_int(rows, at));
        break;
    case FLAG:
        lt_buf_addf(out, "%s", store_int(rows, at) != 0 ? "true" : "false");
        break;
    case HEX:
        put_hex(out, store_bytes(rows, at));
        break;
    case MASS:
        lt_buf_addf(out, "\"m%lld\"", (long long)store_int(rows, at));
        break;
    case MINUTES:
        lt_buf_addf(out, "%lld", (long long)(store_int(rows, at) / LT_US_PER_SECOND / 60));
        break;
    case END:

        break;
    }
}

static void put_members(struct lt_buf *out, const struct store_rows *rows, const struct column *columns)
{
    for (int i = 0; columns[i].kind != END; i++) {
        lt_buf_addf(out, "%s\"%s\":", i == 0 ? "" : ",", columns[i].name);
        put_value(out, rows, i, columns[i].kind);
    }
}

static lt_res put_list(struct store *s, size_t which, struct store_value key, const struct column *columns,
                       const char *name, struct lt_buf *out)
{
    struct store_rows rows;
    bool first = true;
    LT_TRY(store_query(s, &sql[which], &key, 1, &rows));
    lt_buf_addf(out, ",\"%s\":[", name);
    while (store_next(&rows)) {
        lt_buf_addf(out, "%s{", first ? "" : ",");
        put_members(out, &rows, columns);
        lt_buf_add_byte(out, '}');
        first = false;
    }
    lt_buf_add_byte(out, ']');
    return store_rows_end(&rows);
}

static lt_res put_head(struct store *s, int64_t id, bool restricted_too, struct lt_buf *out)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[SQL_HEAD], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    bool shown = found && (restricted_too || store_int(&rows, 7) == 0);
    if (shown) {
        put_members(out, &rows, head_columns);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(
        shown, LT_PEER_NOT_FOUND,
        "there is no incident %lld that everybody may see; who has a role in a restricted one signs for it "
        "(lintel incident show %lld --operator NAME)",
        (long long)id, (long long)id);
    return LT_OK;
}

lt_res incident_case_show(struct store *s, int64_t id, bool restricted_too, struct lt_buf *out)
{
    static const struct {
        size_t sql;
        const struct column *columns;
        const char *name;
    } lists[] = {
        {SQL_STEPS, step_columns, "steps"},          {SQL_ROLES, role_columns, "roles"},
        {SQL_PROBLEMS, problem_columns, "problems"}, {SQL_HALTS, halt_columns, "halts"},
        {SQL_SCOPES, scope_columns, "scopes"},       {SQL_PLANS, plan_columns, "plans"},
    };
    struct lt_buf subject;
    lt_buf_add_byte(out, '{');
    LT_TRY(put_head(s, id, restricted_too, out));
    for (size_t i = 0; i < LT_COUNT(lists); i++) {
        LT_TRY(put_list(s, lists[i].sql, STORE_I(id), lists[i].columns, lists[i].name, out));
    }
    lt_buf_init(&subject, SUBJECT_SIZE);
    lt_buf_addf(&subject, "incident %lld", (long long)id);
    lt_res r = put_list(s, SQL_CLOCKS, STORE_T(lt_buf_slice(&subject)), clock_columns, "clocks", out);
    lt_buf_done(&subject);
    LT_TRY(r);
    lt_buf_add_byte(out, '}');
    return lt_buf_check(out);
}

static bool wanted(const struct incident_case_page *p, const struct store_rows *rows)
{
    bool open = strcmp(p->status, "open") == 0;
    return p->status[0] == 0 ||
           (open ? store_int(rows, 17) == 0 : strcmp(store_cstr(rows, 1), p->status) == 0);
}

lt_res incident_case_list(struct store *s, const struct incident_case_page *p, struct lt_buf *out,
                          int64_t *ret_last)
{
    struct store_rows rows;
    int64_t seen = 0;
    bool first = true;
    bool mine = p->holder[0] != 0;
    bool open = strcmp(p->status, "open") == 0;
    const struct store_value v[] = {STORE_I(p->before), STORE_I(p->limit), STORE_S(p->holder)};
    *ret_last = 0;
    LT_TRY(store_query(s,
                       &sql[mine   ? SQL_LIST_MINE
                            : open ? SQL_LIST_OPEN
                                   : SQL_LIST],
                       v, mine ? 3 : 2, &rows));
    lt_buf_add_byte(out, '[');
    while (store_next(&rows)) {
        seen++;
        *ret_last = store_int(&rows, 0);
        if (wanted(p, &rows)) {
            lt_buf_addf(out, "%s{", first ? "" : ",");
            put_members(out, &rows, head_columns);
            lt_buf_add_byte(out, '}');
            first = false;
        }
    }
    lt_buf_add_byte(out, ']');
    *ret_last = seen < p->limit ? 0 : *ret_last;
    LT_TRY(store_rows_end(&rows));
    return lt_buf_check(out);
}
