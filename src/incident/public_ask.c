/* What everybody may know of this certificate authority: incidents whose lists are published, its own
 * certificates, its CRLs, and how many minutes of each day things worked. Asked by the notary for the public
 * pages (role/notary_public.c), which keeps the answer for a moment. Of a restricted incident nothing is
 * said, and of one that nobody has published neither. */
#include "crypto/digest.h"
#include "incident/ask.h"
#include "x509/cert.h"

enum {
    INCIDENTS_MAX = 50,
    DAYS = 90,
    SERVICES_MAX = 8,
    SUBJECT_MAX = 8192,
    MINUTE_S = 60,
    STALE_MINUTES = 3
};

enum { SQL_INCIDENTS, SQL_DAYS, SQL_FIRST };
static const struct store_sql sql[] = {
    [SQL_INCIDENTS] =
        {"public.incidents",
         "SELECT l.incident, l.title, l.words, l.deadline_us, l.published_us, l.rows, i.closed_us FROM "
         "notice_list l JOIN incident i ON i.id = l.incident WHERE l.public = 1 AND l.incident > 0 AND "
         "i.restricted = 0 ORDER BY l.incident DESC LIMIT ?1"},
    [SQL_DAYS] = {"public.days", "SELECT day, service, good, bad, last_minute, worked, words FROM uptime_day "
                                 "WHERE day > ?1 ORDER BY day, service LIMIT ?2"},
    [SQL_FIRST] = {"public.first", "SELECT day FROM uptime_day WHERE day > 0 ORDER BY day, service LIMIT 1"},
};
static const struct ca_query_sql statements = {sql, LT_COUNT(sql)};

static lt_res write_incidents(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_INCIDENTS], STORE_ARGS(STORE_I(INCIDENTS_MAX)), &rows));
    query_open(o, "incidents", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        query_int(o, "incident", store_int(&rows, 0));
        query_cstr(o, "title", store_cstr(&rows, 1));
        query_cstr(o, "words", store_cstr(&rows, 2));
        query_time(o, "deadline", store_int(&rows, 3));
        query_time(o, "published", store_int(&rows, 4));
        query_int(o, "certificates", store_int(&rows, 5));
        query_bool(o, "open", store_int(&rows, 6) == 0);
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res write_issuer(const struct ca_query *query, struct query_out *o, const struct query_tables *t,
                           const struct query_issuer *i)
{
    const struct query_issuer *parent = query_issuer_by_id(t, i->parent);
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct x509_cert cert;
    struct lt_buf subject;
    LT_TRY(x509_cert_parse(i->der, query->arena, &cert));
    lt_buf_init(&subject, SUBJECT_MAX);
    x509_name_text(&cert.subject, &subject);
    crypto_sha256(i->der, hash);
    query_open(o, NULL, '{');
    query_cstr(o, "name", i->name);
    query_cstr(o, "parent", parent == NULL ? "" : parent->name);
    query_text(o, "subject", lt_buf_slice(&subject));
    query_hex(o, "serial", x509_serial_magnitude(cert.serial));
    query_cstr(o, "key_type", x509_key_type_name(cert.spki.type));
    query_time(o, "not_before", i->not_before_us);
    query_time(o, "not_after", i->not_after_us);
    query_bool(o, "online", !i->offline);
    query_hex(o, "sha256", LT_SLICE(hash, sizeof hash));
    query_pem(o, "pem", i->der);
    query_close(o, '}');
    lt_buf_done(&subject);
    return LT_OK;
}

static lt_res write_issuers(const struct ca_query *query, struct query_out *o)
{
    struct query_tables t;
    LT_TRY(query_tables_load(query, &t));
    query_open(o, "issuers", '[');
    for (size_t i = 0; i < t.issuer_count; i++) {
        LT_TRY(write_issuer(query, o, &t, &t.issuers[i]));
    }
    query_close(o, ']');
    return LT_OK;
}

/* Days since 1970 as a date. */
static void write_day(struct query_out *o, const char *key, int64_t day)
{
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339(lt_time_from_seconds(day * LT_SECONDS_PER_DAY), text);
    query_text(o, key, lt_slice_sub(lt_slice_cstr(text), 0, 10));
}

/* Where nobody has looked for some minutes, nothing is known to work. */
static lt_res write_days(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    int64_t today = query->now.us / LT_US_PER_SECOND / LT_SECONDS_PER_DAY;
    int64_t minute = query->now.us / LT_US_PER_SECOND / MINUTE_S;
    LT_TRY(store_query(query->store, &sql[SQL_DAYS],
                       STORE_ARGS(STORE_I(today - DAYS), STORE_I(DAYS * SERVICES_MAX)), &rows));
    query_open(o, "days", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        write_day(o, "day", store_int(&rows, 0));
        query_int(o, "ago", today - store_int(&rows, 0));
        query_cstr(o, "service", store_cstr(&rows, 1));
        query_int(o, "good_minutes", store_int(&rows, 2));
        query_int(o, "bad_minutes", store_int(&rows, 3));
        query_time(o, "measured", (store_int(&rows, 4) + 1) * MINUTE_S * LT_US_PER_SECOND);
        query_bool(o, "working", store_int(&rows, 5) != 0 && minute - store_int(&rows, 4) <= STALE_MINUTES);
        query_cstr(o, "words", store_cstr(&rows, 6));
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res write_since(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_FIRST], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        write_day(o, "since", store_int(&rows, 0));
    }
    return store_rows_end(&rows);
}

static lt_res say(const struct ca_query *query, struct query_out *o)
{
    query_time(o, "now", query->now.us);
    LT_TRY(write_incidents(query, o));
    LT_TRY(write_issuers(query, o));
    LT_TRY(query_crl_list(query, o));
    LT_TRY(query_crl_parts(query, o));
    LT_TRY(write_since(query, o));
    return write_days(query, o);
}

static const struct incident_question questions[] = {{"public", say}};
const struct incident_questions incident_questions_public = {questions, LT_COUNT(questions), &statements};
