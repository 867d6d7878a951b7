/* How things stand, in one small answer: counts, halts, CRLs, the last events, how far the signer's journal
 * is in the book. Counts stop at a bound, so that the answer costs the same in a book of millions. */
#include "ca/query_parts.h"

enum {
    SQL_CERTIFICATES,
    SQL_ISSUED_SINCE,
    SQL_ACCOUNTS,
    SQL_OPEN,
    SQL_HALTS,
    SQL_WAITING,
    SQL_REVOKED,
    SQL_JOURNAL,
    SQL_CHAINS,
    SQL_BREACHED,
    SQL_OVERDUE,
    SQL_FINDINGS,
    SQL_NEXT_CLOCK,
    SQL_PROMISES,
    SQL_CONTROLS,
    SQL_ALARMS,
    SQL_REPORTS,
};
enum { COUNT_BOUND = 1000000, SOON_H = 4 };
static const struct store_sql sql[] = {
    [SQL_CERTIFICATES] =
        {"query.status.certificates",
         "SELECT count(*) FROM (SELECT 1 FROM certificate WHERE issued_us >= ?1 LIMIT ?2) c"},
    [SQL_ISSUED_SINCE] =
        {"query.status.issued",
         "SELECT count(*) FROM (SELECT 1 FROM certificate WHERE issued_us >= ?1 LIMIT ?2) c"},
    [SQL_ACCOUNTS] = {"query.status.accounts",
                      "SELECT count(*) FROM (SELECT 1 FROM account WHERE id >= ?1 LIMIT ?2) a"},
    [SQL_OPEN] = {"query.status.open-intents",
                  "SELECT count(*) FROM (SELECT 1 FROM intent_open WHERE intent >= ?1 LIMIT ?2) i"},
    [SQL_HALTS] = {"query.status.halts", "SELECT count(*) FROM (SELECT 1 FROM halt WHERE lifted_us IS NULL "
                                         "AND since_us >= ?1 LIMIT ?2) h"},
    [SQL_WAITING] = {"query.status.waiting", "SELECT count(*) FROM (SELECT 1 FROM order_wait WHERE "
                                             "review = 'waiting' AND order_id >= ?1 LIMIT ?2) w"},
    [SQL_REVOKED] = {"query.status.revoked",
                     "SELECT count(*) FROM (SELECT 1 FROM revocation WHERE issuer >= ?1 LIMIT ?2) r"},
    [SQL_JOURNAL] = {"query.status.journal", "SELECT acknowledged FROM journal WHERE signer = ?1"},
    [SQL_CHAINS] = {"query.status.chains",
                    "SELECT time_us, chain, sequence, kind FROM event ORDER BY time_us DESC LIMIT 1"},
    [SQL_BREACHED] = {"query.status.breached", "SELECT count(*) FROM (SELECT 1 FROM clock WHERE status = "
                                               "'breached' AND due_us >= ?1 LIMIT ?2) c"},
    [SQL_OVERDUE] = {"query.status.overdue", "SELECT count(*) FROM (SELECT 1 FROM clock WHERE status = "
                                             "'overdue' AND due_us >= ?1 LIMIT ?2) c"},
    [SQL_FINDINGS] = {"query.status.findings", "SELECT count(*) FROM (SELECT 1 FROM watch_finding WHERE "
                                               "trigger_id >= ?1 LIMIT ?2) w"},
    [SQL_NEXT_CLOCK] =
        {"query.status.next-clock",
         "SELECT id, subject, due_us FROM clock WHERE status = 'open' ORDER BY due_us, id LIMIT 1"},
    [SQL_PROMISES] = {"query.status.promises",
                      "SELECT count(*) FROM (SELECT 1 FROM incident_action WHERE alarm_us > 0 AND status IN "
                      "('Ongoing', 'Delayed') AND due_us < ?1 LIMIT ?2) c"},
    [SQL_CONTROLS] = {"query.status.controls",
                      "SELECT count(*) FROM (SELECT 1 FROM control WHERE status = 'live' AND due_us < ?1 "
                      "LIMIT ?2) c"},
    [SQL_ALARMS] = {"query.status.alarms",
                    "SELECT count(*) FROM (SELECT 1 FROM oncall_page WHERE status = 'calling' AND due_us > "
                    "?1 LIMIT ?2) c"},
    [SQL_REPORTS] = {"query.status.reports",
                     "SELECT count(*) FROM (SELECT 1 FROM clock WHERE status = 'open' AND due_us < ?1 AND "
                     "duty = 'cpr-findings' LIMIT ?2) c"},
};
const struct ca_query_sql query_status_sql = {sql, LT_COUNT(sql)};

static lt_res count(const struct ca_query *query, struct query_out *o, const char *key, int statement,
                    int64_t from)
{
    struct store_rows rows;
    int64_t n = 0;
    LT_TRY(
        store_query(query->store, &sql[statement], STORE_ARGS(STORE_I(from), STORE_I(COUNT_BOUND)), &rows));
    if (store_next(&rows)) {
        n = store_int(&rows, 0);
    }
    query_int(o, key, n);
    return store_rows_end(&rows);
}

static lt_res journal(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    int64_t acknowledged = 0;
    LT_TRY(store_query(query->store, &sql[SQL_JOURNAL], STORE_ARGS(STORE_S("signer")), &rows));
    if (store_next(&rows)) {
        acknowledged = store_int(&rows, 0);
    }
    query_int(o, "journal_acknowledged", acknowledged);
    return store_rows_end(&rows);
}

static lt_res last_event(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_CHAINS], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        query_open(o, "last_event", '{');
        query_time(o, "time", store_int(&rows, 0));
        query_cstr(o, "chain", store_cstr(&rows, 1));
        query_int(o, "sequence", store_int(&rows, 2));
        query_cstr(o, "kind", store_cstr(&rows, 3));
        query_close(o, '}');
    }
    return store_rows_end(&rows);
}

/* What duty ends next. */
static lt_res next_clock(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_NEXT_CLOCK], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        query_open(o, "next_clock", '{');
        query_int(o, "id", store_int(&rows, 0));
        query_cstr(o, "subject", store_cstr(&rows, 1));
        query_time(o, "due", store_int(&rows, 2));
        query_close(o, '}');
    }
    return store_rows_end(&rows);
}

lt_res query_status(const struct ca_query *query, struct query_out *out)
{
    const int64_t day = LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    const int64_t hour = 3600 * LT_US_PER_SECOND;
    query_time(out, "time", query->now.us);
    query_cstr(out, "build", query->build);
    query_int(out, "counted_up_to", COUNT_BOUND);
    LT_TRY(count(query, out, "certificates", SQL_CERTIFICATES, 0));
    LT_TRY(count(query, out, "issued_last_day", SQL_ISSUED_SINCE, query->now.us - day));
    LT_TRY(count(query, out, "revoked", SQL_REVOKED, 0));
    LT_TRY(count(query, out, "accounts", SQL_ACCOUNTS, 0));
    LT_TRY(count(query, out, "intents_open", SQL_OPEN, 0));
    LT_TRY(count(query, out, "halts", SQL_HALTS, 0));
    LT_TRY(count(query, out, "orders_waiting", SQL_WAITING, 0));
    LT_TRY(count(query, out, "clocks_breached", SQL_BREACHED, 0));
    LT_TRY(count(query, out, "clocks_overdue", SQL_OVERDUE, 0));
    LT_TRY(count(query, out, "watch_findings", SQL_FINDINGS, 0));
    LT_TRY(next_clock(query, out));
    LT_TRY(count(query, out, "promises_lapsed", SQL_PROMISES, query->now.us));
    LT_TRY(count(query, out, "controls_lapsed", SQL_CONTROLS, query->now.us));
    LT_TRY(count(query, out, "alarms_unanswered", SQL_ALARMS, 0));
    LT_TRY(count(query, out, "findings_due_soon", SQL_REPORTS, query->now.us + SOON_H * hour));
    LT_TRY(journal(query, out));
    LT_TRY(last_event(query, out));
    LT_TRY(query_caps_write(query, out));
    LT_TRY(query_issuer_list(query, out));
    LT_TRY(query_crl_parts(query, out));
    return query_crl_list(query, out);
}
