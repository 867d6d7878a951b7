/* A report as it stands, compiled by the reader: its text, what is missing and whose it is, what the check
 * finds, its drawings. And what happened, in words. Certificates are counted up to COUNTED_MAX; of more there
 * is what the scope said ("counted": false), as `lintel incident report` counts them, which has the time. */
#include "incident/draft.h"

#include <stdio.h>
#include <string.h>

#include "incident/report_check.h"
#include "incident/report_rows.h"

enum {
    FACTS_MAX = 32 * 1024 * 1024,
    REPORT_MAX = 8 * 1024 * 1024,
    CHECK_ARENA = 128 * 1024 * 1024,
    COUNTED_MAX = 300000,
    PROFILES = 256,
    TYPES = 5,
};

struct draft {
    const struct ca_query *query;
    struct query_out *o;
    const json_t *facts;
    unsigned kind;
    struct report_page page;
    struct incident_numbers *numbers; /* in the arena */
    struct incident_sections sections;
    struct lt_buf text;
    struct lt_buf files; /* names, as the report lists them */
    int64_t aware_s;
    int64_t now_s;
    int8_t types[PROFILES]; /* of each profile; -1: not looked at */
};

lt_res incident_draft_facts(const struct ca_query *query, json_t **ret_facts)
{
    struct lt_buf b;
    lt_buf_init(&b, FACTS_MAX);
    struct query_out o = {.b = &b};
    query_open(&o, NULL, '{');
    lt_res r = report_ask_facts(query, &o);
    query_close(&o, '}');
    r = lt_failed(r) ? r : lt_buf_check(&b);
    *ret_facts = lt_failed(r) ? NULL : json_loadb((const char *)b.ptr, b.len, 0, NULL);
    lt_buf_done(&b);
    LT_TRY(r);
    LT_CHECK(*ret_facts != NULL, LT_STATE_CORRUPT, "the facts of the incident are no JSON");
    return LT_OK;
}

/* ---- numbers ---- */

/* By the policy in a certificate of it. */
/*= CABF-BR 7.1.6.1 (reserved policy identifiers) */
static lt_res type_of(struct draft *d, const struct incident_member *m, int *ret_type)
{
    static const struct {
        const char bytes[8];
        size_t len;
    } oids[TYPES] = {{"\x67\x81\x0c\x01\x02\x01", 6},
                     {"\x67\x81\x0c\x01\x02\x02", 6},
                     {"\x67\x81\x0c\x01\x02\x03", 6},
                     {"\x67\x81\x0c\x01\x01", 5},
                     {"\x67\x81\x0c\x01\x05", 5}};
    struct store_rows rows;
    if (d->types[m->profile] < 0) {
        d->types[m->profile] = 0; /* names were proven by control alone: DV */
        LT_TRY(store_query(d->query->store, &report_ask_sql[REPORT_SQL_DER],
                           STORE_ARGS(STORE_I(m->issuer), STORE_B(m->serial)), &rows));
        lt_slice der = {NULL, 0};
        if (store_next(&rows)) {
            der = store_bytes(&rows, 0);
        }
        for (size_t k = 0; der.len > 0 && k < TYPES; k++) {
            bool has = memmem(der.ptr, der.len, oids[k].bytes, oids[k].len) != NULL;
            d->types[m->profile] = has ? (int8_t)k : d->types[m->profile];
        }
        LT_TRY(store_rows_end(&rows));
    }
    *ret_type = d->types[m->profile];
    return LT_OK;
}

static lt_res count_member(struct draft *d, const struct incident_member *m)
{
    struct incident_numbers *n = d->numbers;
    bool revoked = m->revoked_s != 0;
    bool expired = !revoked && m->not_after_s < d->now_s;
    int64_t hour = ((revoked ? m->revoked_s : m->not_after_s) - d->aware_s) / 3600;
    int type = 0;
    LT_TRY(type_of(d, m, &type));
    n->total++;
    n->revoked += revoked;
    n->expired += expired;
    n->by_type[type]++;
    if (!revoked && !expired && m->not_after_s > n->last_not_after_s) {
        n->last_not_after_s = m->not_after_s;
    }
    hour = hour < 0 ? 0 : hour;
    if (hour < INCIDENT_HOURS_MAX) {
        (revoked ? n->gone : n->expiring)[hour]++;
    }
    return LT_OK;
}

static lt_res count_page(struct draft *d)
{
    for (size_t i = 0; i + d->page.row <= d->page.rows.len; i += d->page.row) {
        struct incident_member m;
        incident_member_read(d->page.rows.ptr + i, d->page.row, &m);
        LT_TRY(count_member(d, &m));
    }
    return LT_OK;
}

static lt_res count(struct draft *d)
{
    struct report_page_of of = {.page = 1, .serials = true};
    LT_TRY(report_ask_incident(d->query, &of.incident));
    LT_TRY(report_ask_page(d->query, &of, &d->page));
    if (d->page.mass == 0 || d->page.pages == 0 || d->page.count > COUNTED_MAX) {
        return LT_OK;
    }
    d->numbers->known = true;
    for (; of.page <= d->page.pages; of.page++) {
        LT_TRY(of.page == 1 ? LT_OK : report_ask_page(d->query, &of, &d->page));
        LT_TRY(count_page(d));
    }
    return LT_OK;
}

/* ---- what goes with it ---- */

static void name_file(struct draft *d, const char *name)
{
    lt_buf_addf(&d->files, "%s%s", d->files.len > 0 ? ", " : "", name);
}

static void put_file(struct draft *d, const char *name, struct lt_buf *text)
{
    query_open(d->o, NULL, '{');
    query_cstr(d->o, "name", name);
    query_text(d->o, "text", lt_buf_slice(text));
    query_close(d->o, '}');
    name_file(d, name);
    lt_buf_reset(text);
}

/* In the order in which the command line writes them. */
static lt_res put_files(struct draft *d)
{
    struct lt_buf b;
    bool full = (d->kind & INCIDENT_REPORT_FULLS) != 0;
    bool delayed = d->kind == INCIDENT_REPORT_DELAYED;
    bool frozen = full && d->page.mass != 0 && d->page.pages > 0;
    lt_buf_init(&b, REPORT_MAX);
    query_open(d->o, "appendices", '[');
    if (frozen) {
        query_cstr(d->o, NULL, incident_appendix_name(d->page.count, false));
        name_file(d, incident_appendix_name(d->page.count, false));
    }
    if (frozen && delayed) {
        query_cstr(d->o, NULL, incident_appendix_name(d->page.count, true));
        name_file(d, incident_appendix_name(d->page.count, true));
    }
    query_close(d->o, ']');
    query_open(d->o, "drawings", '[');
    if (full && json_array_size(json_object_get(d->facts, "bones")) > 0) {
        incident_fishbone_svg(d->facts, &b);
        put_file(d, "fishbone.svg", &b);
    }
    if (delayed && d->numbers->known && d->numbers->total > 0) {
        incident_runoff_svg(d->facts, d->numbers, &b);
        put_file(d, "run-off.svg", &b);
    }
    query_close(d->o, ']');
    lt_buf_done(&b);
    return lt_buf_check(&d->files);
}

static void put_sections(struct draft *d)
{
    query_int(d->o, "missing", (int64_t)d->sections.missing);
    query_int(d->o, "unsigned", (int64_t)d->sections.unsigned_);
    query_open(d->o, "sections", '[');
    for (size_t i = 0; i < d->sections.count; i++) {
        const struct incident_section *s = &d->sections.list[i];
        query_open(d->o, NULL, '{');
        query_cstr(d->o, "section", s->id);
        query_cstr(d->o, "words", s->words);
        query_cstr(d->o, "state", s->state);
        query_cstr(d->o, "owner", s->role);
        query_time(d->o, "due", s->due.us);
        query_cstr(d->o, "by", s->by);
        query_close(d->o, '}');
    }
    query_close(d->o, ']');
}

static void put_finding(struct query_out *o, const struct incident_finding *f)
{
    query_open(o, NULL, '{');
    query_cstr(o, "id", f->rule->id);
    query_cstr(o, "severity", incident_severity_name(f->rule->severity));
    query_int(o, "line", (int64_t)f->line);
    query_cstr(o, "section", f->section);
    query_cstr(o, "message", f->message);
    query_cstr(o, "citation", f->rule->citation);
    query_close(o, '}');
}

static lt_res put_findings(struct draft *d, const char *name)
{
    struct incident_findings found;
    struct incident_reading *read = NULL;
    struct lt_arena a;
    const struct incident_check check = {.now = d->query->now, .delayed = d->kind == INCIDENT_REPORT_DELAYED};
    int64_t counts[INCIDENT_ERROR + 1] = {0};
    lt_arena_init(&a, CHECK_ARENA);
    incident_findings_init(&found, &a);
    lt_res r = incident_report_check(&check, name, lt_buf_slice(&d->text), &a, &found, &read);
    query_open(d->o, "findings", '[');
    for (size_t i = 0; !lt_failed(r) && i < found.count; i++) {
        counts[found.list[i].rule->severity]++;
        put_finding(d->o, &found.list[i]);
    }
    query_close(d->o, ']');
    query_int(d->o, "errors", counts[INCIDENT_ERROR]);
    query_int(d->o, "warnings", counts[INCIDENT_WARNING]);
    lt_arena_done(&a);
    return r;
}

/* ---- all of it ---- */

static lt_res compile(struct draft *d)
{
    char name[40];
    struct incident_writing w = {
        .facts = d->facts,
        .kind = d->kind,
        .numbers = d->numbers,
        .related = incident_related_rows,
        .now = d->query->now,
    };
    LT_TRY((d->kind & INCIDENT_REPORT_FULLS) != 0 ? count(d) : LT_OK);
    (void)snprintf(name, sizeof name, "%s.md", incident_report_kind_name(d->kind)); /* fits */
    query_cstr(d->o, "kind", incident_report_kind_name(d->kind));
    query_cstr(d->o, "name", name);
    query_time(d->o, "now", d->query->now.us);
    query_bool(d->o, "counted", d->numbers->known);
    query_int(d->o, "certificates", d->numbers->total);
    LT_TRY(put_files(d));
    w.appendix = lt_buf_cstr(&d->files);
    LT_TRY(incident_report_write(&w, d->query->arena, &d->text, &d->sections));
    query_text(d->o, "text", lt_buf_slice(&d->text));
    put_sections(d);
    return put_findings(d, name);
}

static void draft_init(const struct ca_query *query, struct query_out *o, const json_t *facts,
                       struct draft *ret)
{
    *ret = (struct draft){
        .query = query, .o = o, .facts = facts, .numbers = LT_NEW(query->arena, struct incident_numbers)};
    ret->aware_s = lt_time_seconds(incident_fact_time(json_object_get(facts, "incident"), "aware"));
    ret->now_s = lt_time_seconds(query->now);
    for (size_t i = 0; i < LT_COUNT(ret->types); i++) {
        ret->types[i] = -1;
    }
    report_page_init(&ret->page);
    lt_buf_init(&ret->text, REPORT_MAX);
    lt_buf_init(&ret->files, REPORT_MAX);
}

/* "report.full": the kind stands in the question. */
lt_res report_ask_draft(const struct ca_query *query, struct query_out *o)
{
    struct draft d;
    json_t *facts = NULL;
    LT_TRY(incident_draft_facts(query, &facts));
    draft_init(query, o, facts, &d);
    d.kind = incident_report_kind_of(lt_slice_cstr(strchr(query->q->what, '.') + 1));
    lt_res r = d.numbers == NULL ? lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "no room") : compile(&d);
    lt_buf_done(&d.page.rows);
    lt_buf_done(&d.text);
    lt_buf_done(&d.files);
    json_decref(facts);
    return r;
}

lt_res report_ask_timeline(const struct ca_query *query, struct query_out *o)
{
    json_t *facts = NULL;
    struct incident_moments all;
    LT_TRY(incident_draft_facts(query, &facts));
    lt_res r = incident_report_moments(facts, query->arena, &all);
    query_time(o, "now", query->now.us);
    query_open(o, "timeline", '[');
    for (size_t i = 0; !lt_failed(r) && i < all.count; i++) {
        query_open(o, NULL, '{');
        query_time(o, "at", all.list[i].at.us);
        query_cstr(o, "text", all.list[i].text);
        query_close(o, '}');
    }
    query_close(o, ']');
    json_decref(facts);
    return r;
}
