/* Appendices of a report, as text: status=certificates, or late for those that are neither revoked nor
 * expired; up to 9,999 certificates the CSV, more as a list for crt.sh. A page has a hundred thousand
 * (version=N, from 1); pages follow each other without a head between them. */
#include <string.h>

#include "incident/draft.h"
#include "incident/report_rows.h"

enum { TEXT_MAX = 48 * 1024 * 1024 };

struct appendix {
    const struct ca_query *query;
    const json_t *facts;
    struct report_page page;
    struct incident_late late;
    struct lt_buf text;
    bool delayed;
};

static const char *issuer_name(const struct appendix *x, uint8_t id)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(x->facts, "issuers"), i, row)
    {
        if (incident_fact_number(row, "id") == id) {
            return incident_fact(row, "name");
        }
    }
    return "";
}

/* The bytes, where the book has them. */
static lt_res add_csv(struct appendix *x, struct incident_member *m)
{
    struct store_rows rows;
    const struct store_value v[] = {STORE_I(m->issuer), STORE_B(m->serial)};
    const struct incident_csv c = {
        .late = &x->late,
        .delayed = x->delayed,
        .must = incident_fact_time(json_object_get(x->facts, "incident"), "must"),
        .issuer_name = issuer_name(x, m->issuer),
    };
    LT_TRY(store_query(x->query->store, &report_ask_sql[REPORT_SQL_FEW], v, LT_COUNT(v), &rows));
    if (store_next(&rows)) {
        m->not_before_s = lt_time_seconds((lt_time){store_int(&rows, 1)});
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_query(x->query->store, &report_ask_sql[REPORT_SQL_DER], v, LT_COUNT(v), &rows));
    lt_slice der = {NULL, 0};
    if (store_next(&rows)) {
        der = store_bytes(&rows, 0);
    }
    lt_res r = incident_add_csv(&x->text, &c, m, der);
    lt_res ended = store_rows_end(&rows);
    return lt_failed(r) ? r : ended;
}

static lt_res add_member(struct appendix *x, struct incident_member *m, bool late, bool few)
{
    if (late) {
        incident_add_late(&x->text, &x->late, m);
    } else if (few) {
        return add_csv(x, m);
    } else {
        incident_add_crt_sh(&x->text, m);
    }
    return LT_OK;
}

static lt_res add_page(struct appendix *x, const struct report_page_of *of, bool late)
{
    bool few = x->page.count < INCIDENT_APPENDIX_LIST_FROM;
    if (of->page == 1 && late) {
        lt_buf_add_cstr(&x->text, incident_late_head);
    } else if (of->page == 1 && few) {
        incident_add_csv_head(&x->text);
    }
    for (size_t i = 0; i + x->page.row <= x->page.rows.len; i += x->page.row) {
        struct incident_member m;
        incident_member_read(x->page.rows.ptr + i, x->page.row, &m);
        LT_TRY(add_member(x, &m, late, few));
    }
    return lt_buf_check(&x->text);
}

static lt_res write(struct appendix *x, struct query_out *o, bool late)
{
    struct report_page_of of = {.page = x->query->q->version > 0 ? x->query->q->version : 1, .serials = true};
    LT_TRY(report_ask_incident(x->query, &of.incident));
    LT_TRY(report_ask_page(x->query, &of, &x->page));
    LT_CHECK(
        x->page.mass != 0, LT_PEER_NOT_FOUND,
        "no list is frozen for the scope as it is now: plan the revocation first (lintel incident plan)");
    LT_TRY(incident_late_init(x->facts, (lt_time){x->page.end_us}, x->query->now, &x->late));
    lt_res r = add_page(x, &of, late);
    incident_late_done(&x->late);
    LT_TRY(r);
    query_cstr(o, "name", incident_appendix_name(x->page.count, late));
    query_int(o, "count", x->page.count);
    query_int(o, "pages", x->page.pages);
    query_text(o, "text", lt_buf_slice(&x->text));
    return LT_OK;
}

const char *incident_appendix_name(int64_t count, bool late)
{
    return late                                  ? "delayed.csv"
           : count < INCIDENT_APPENDIX_LIST_FROM ? "certificates.csv"
                                                 : "certificates.txt";
}

lt_res report_ask_appendix(const struct ca_query *query, struct query_out *o)
{
    const char *word = query->q->status;
    struct appendix x = {.query = query};
    json_t *facts = NULL;
    bool late = strcmp(word, "late") == 0;
    LT_CHECK(late || word[0] == 0 || strcmp(word, "certificates") == 0 || strcmp(word, "delayed") == 0,
             LT_PEER_MALFORMED, "status is certificates, delayed (the same, of a delayed report), or late");
    x.delayed = late || strcmp(word, "delayed") == 0;
    LT_TRY(incident_draft_facts(query, &facts));
    x.facts = facts;
    report_page_init(&x.page);
    lt_buf_init(&x.text, TEXT_MAX);
    lt_res r = write(&x, o, late);
    lt_buf_done(&x.text);
    lt_buf_done(&x.page.rows);
    json_decref(facts);
    return r;
}
