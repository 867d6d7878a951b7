/* Was it right? The rules that evidence is judged by, in the words that our sources cite, and what we said of
 * this certificate then and say of it now: for whoever answers a problem report. */
#include <jansson.h>
#include <string.h>

#include "ca/cites.h"
#include "ca/query_evidence.h"
#include "lint/lint.h"

static const struct store_sql sql[] = {
    {"query.rules.verdict", "SELECT e.findings FROM intent i JOIN intent_end e ON e.intent = i.id "
                            "WHERE i.issuer = ?1 AND i.serial = ?2 LIMIT 1"},
    {"query.rules.der", "SELECT der FROM certificate_der WHERE issuer = ?1 AND serial = ?2 AND copy = ?3"},
    {"query.rules.methods", "SELECT d.method FROM evidence e JOIN dimension d ON "
                            "d.id = e.dimension WHERE e.authorization_id = ?1 LIMIT 100"},
    {"query.rules.serial-uses", "SELECT count(*) FROM certificate WHERE issuer = ?1 AND serial = ?2"},
};
enum { SQL_VERDICT, SQL_DER, SQL_METHODS, SQL_SERIAL_USES };
const struct ca_query_sql query_rules_sql = {sql, LT_COUNT(sql)};

enum { SECTIONS_MAX = 32, SECTION_SIZE = 24 };

/* --- the rule of a method ------------------------------------------------------------------------------- */

/* The first second at which a result of `checked` may no more be used: the period is that of the day of use,
 * and periods only shrink. */
static lt_time usable_until(const struct validate_method *m, lt_time checked)
{
    int64_t low = 0;
    int64_t high = validate_method_reuse_s(m, checked) + 1;
    while (low + 1 < high) {
        int64_t middle = low + (high - low) / 2;
        bool usable = middle <= validate_method_reuse_s(m, lt_time_add_seconds(checked, middle));
        *(usable ? &low : &high) = middle;
    }
    return lt_time_add_seconds(checked, high);
}

void query_method_write(struct query_out *o, const struct validate_method *m, const char *rule_set,
                        lt_time checked, lt_time now)
{
    query_open(o, "rule", '{');
    query_cstr(o, "document", "CA/Browser Forum Baseline Requirements");
    query_bool(o, "known", m != NULL);
    if (m != NULL) {
        query_cstr(o, "section", m->section);
        query_cstr(o, "title", m->title);
        query_cstr(o, "version_now", VALIDATE_BR_VERSION);
        query_bool(o, "same_version", strcmp(m->ruleset, rule_set) == 0);
        query_cstr(o, "from", m->from);
        query_cstr(o, "until", m->until);
        query_bool(o, "in_force_then", validate_method_in_force(m, checked));
        query_bool(o, "in_force_now", validate_method_in_force(m, now));
    }
    query_close(o, '}');
    bool proves = m != NULL && m->kind != VALIDATE_KIND_CAA;
    query_time(o, "usable_until", proves ? usable_until(m, checked).us : 0);
}

/* --- the words ------------------------------------------------------------------------------------------ */

/* What every validation is judged by, with the BR's headings. */
static const struct {
    const char *section;
    const char *title;
} general[] = {
    {"3.2.2.4", "Validation of Domain Authorization or Control"},
    {"3.2.2.5", "Authentication for an IP Address"},
    {"3.2.2.8", "CAA Records"},
    {"3.2.2.8.1", "DNSSEC Validation of CAA Records"},
    {"3.2.2.9", "Multi-Perspective Issuance Corroboration"},
    {"4.2.1", "Performing identification and authentication functions"},
    {"7.2.2.1", "CRL Issuing Distribution Point"},
};

struct sections {
    char list[SECTIONS_MAX][SECTION_SIZE];
    const char *title[SECTIONS_MAX];
    size_t count;
};

static void add_section(struct sections *s, const char *section, const char *title)
{
    size_t len = strlen(section);
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->list[i], section) == 0) {
            return;
        }
    }
    if (len > 0 && len < SECTION_SIZE && s->count < SECTIONS_MAX) {
        memcpy(s->list[s->count], section, len + 1);
        s->title[s->count++] = title;
    }
}

static lt_res sections_of_names(const struct ca_query *query, const struct query_names *names,
                                struct sections *s)
{
    for (size_t i = 0; i < names->count; i++) {
        struct store_rows rows;
        if (names->list[i].authorization == 0) {
            continue;
        }
        LT_TRY(store_query(query->store, &sql[SQL_METHODS], STORE_ARGS(STORE_I(names->list[i].authorization)),
                           &rows));
        while (store_next(&rows)) {
            const struct validate_method *m = validate_method_find(store_cstr(&rows, 0), names->list[i].type);
            add_section(s, m != NULL ? m->section : "", m != NULL ? m->title : "");
        }
        LT_TRY(store_rows_end(&rows));
    }
    return LT_OK;
}

static bool cited(const char *section)
{
    for (size_t i = 0; i < ca_cite_count; i++) {
        if (strcmp(ca_cites[i].section, section) == 0) {
            return true;
        }
    }
    return false;
}

static void write_cites(struct query_out *out, const char *section)
{
    query_open(out, "text", '[');
    for (size_t i = 0; i < ca_cite_count; i++) {
        if (strcmp(ca_cites[i].section, section) == 0) {
            query_open(out, NULL, '{');
            query_cstr(out, "words", ca_cites[i].text);
            query_cstr(out, "kept_by", ca_cites[i].where);
            query_close(out, '}');
        }
    }
    query_close(out, ']');
}

static void write_sections(struct query_out *out, const struct sections *s)
{
    query_open(out, "rules", '[');
    for (size_t i = 0; i < s->count; i++) {
        query_open(out, NULL, '{');
        query_cstr(out, "document", "CABF-BR");
        query_cstr(out, "version", VALIDATE_BR_VERSION);
        query_cstr(out, "section", s->list[i]);
        query_cstr(out, "title", s->title[i]);
        write_cites(out, s->list[i]);
        query_close(out, '}');
    }
    query_close(out, ']');
}

/* --- the verdicts --------------------------------------------------------------------------------------- */

struct verdicts {
    json_t *then; /* owned; NULL: not known */
    struct lint_results now;
    bool judged; /* its bytes are in the book */
};

static lt_res read_then(const struct ca_query *query, const struct query_certificate *c, struct verdicts *v)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_VERDICT], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)),
                       &rows));
    if (store_next(&rows)) {
        lt_slice text = store_bytes(&rows, 0);
        v->then = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    }
    return store_rows_end(&rows);
}

static lt_res one_blob(const struct ca_query *query, const struct query_certificate *c, lt_slice *ret_der)
{
    struct store_rows rows;
    *ret_der = (lt_slice){0};
    LT_TRY(store_query(query->store, &sql[SQL_DER],
                       STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial), STORE_I(c->copy)), &rows));
    if (store_next(&rows)) {
        *ret_der = lt_arena_copy(query->arena, store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

static lt_res count_serial(const struct ca_query *query, const struct query_certificate *c,
                           uint32_t *ret_others)
{
    struct store_rows rows;
    *ret_others = 0;
    LT_TRY(store_query(query->store, &sql[SQL_SERIAL_USES],
                       STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)), &rows));
    if (store_next(&rows) && store_int(&rows, 0) > 1) {
        *ret_others = (uint32_t)(store_int(&rows, 0) - 1); /* it is one of them itself */
    }
    return store_rows_end(&rows);
}

/* The rules of today over the same bytes, the time of signing, and what the book knows. */
static lt_res judge_now(const struct ca_query *query, const struct query_tables *t,
                        const struct query_certificate *c, const struct query_names *names,
                        struct verdicts *v)
{
    struct x509_cert issuer;
    const struct query_issuer *row = query_issuer_by_id(t, c->issuer);
    struct lint_evidence evidence = {
        .known = true, .oldest_validation = {c->oldest_validation_us}, .oldest_caa = {c->oldest_caa_us}};
    struct lint_input in = {
        .kind = LINT_CERTIFICATE,
        .role = LINT_ROLE_SUBSCRIBER,
        .signing_time = {c->issued_us},
        .as_of = query->now,
        .sources = UINT32_C(1) << LINT_LINTEL,
        .evidence = &evidence,
    };
    for (size_t i = 0; i < names->count; i++) {
        evidence.names_validated += names->list[i].authorization != 0;
    }
    LT_TRY(count_serial(query, c, &evidence.serial_uses));
    LT_TRY(one_blob(query, c, &in.der));
    v->judged = in.der.len > 0;
    if (!v->judged) {
        return LT_OK; /* brought in without its bytes, or they were dropped in their time */
    }
    if (row != NULL && !lt_failed(x509_cert_parse(row->der, query->arena, &issuer))) {
        in.issuer = &issuer;
    }
    return lint_run(&in, query->arena, &v->now);
}

static void write_then(struct query_out *out, const struct verdicts *v, const char *rule)
{
    const char *result = json_is_array(v->then) ? "no finding" : "not known";
    bool excepted = false;
    size_t i;
    json_t *f;
    json_array_foreach(v->then, i, f)
    {
        const char *id = json_string_value(json_object_get(f, "rule"));
        const char *word = json_string_value(json_object_get(f, "result"));
        if (id != NULL && word != NULL && strcmp(id, rule) == 0) {
            result = word;
            excepted = json_is_true(json_object_get(f, "excepted"));
        }
    }
    query_cstr(out, "then", result);
    query_bool(out, "excepted", excepted);
}

static void write_now(struct query_out *out, const struct verdicts *v, size_t index,
                      const struct lint_rule *rule)
{
    query_cstr(out, "now", lint_status_name((enum lint_status)v->now.status[index]));
    for (size_t i = 0; i < v->now.count; i++) {
        if (v->now.list[i].rule == rule) {
            query_cstr(out, "message", v->now.list[i].message);
            return;
        }
    }
}

static void write_judgement(struct query_out *out, const struct query_certificate *c,
                            const struct verdicts *v, struct sections *s)
{
    query_open(out, "judgement", '{');
    query_cstr(out, "rule_set_then", c->rule_set);
    query_cstr(out, "rule_set_now", lint_rule_set());
    query_open(out, "rules", '[');
    for (size_t i = 0; i < lint_rule_count(); i++) {
        const struct lint_rule *rule = lint_rule_at(i);
        if (!lint_rule_asks_book(rule) || (rule->kinds & LINT_CERTIFICATE) == 0) {
            continue;
        }
        query_open(out, NULL, '{');
        query_cstr(out, "rule", rule->id);
        query_cstr(out, "asks", rule->asks);
        query_cstr(out, "citation", rule->citation);
        write_then(out, v, rule->id);
        write_now(out, v, i, rule);
        query_close(out, '}');
        if (strncmp(rule->citation, "BR ", 3) == 0 && cited(rule->citation + 3)) {
            add_section(s, rule->citation + 3, "");
        }
    }
    query_close(out, ']');
    query_close(out, '}');
}

lt_res query_rules_write(const struct ca_query *query, struct query_out *out, const struct query_tables *t,
                         const struct query_certificate *c, const struct query_names *names)
{
    struct verdicts v = {.then = NULL};
    struct sections *s = LT_NEW(query->arena, struct sections);
    LT_CHECK(s != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(sections_of_names(query, names, s));
    for (size_t i = 0; i < LT_COUNT(general); i++) {
        if (cited(general[i].section)) {
            add_section(s, general[i].section, general[i].title);
        }
    }
    LT_TRY(judge_now(query, t, c, names, &v));
    lt_res r = read_then(query, c, &v);
    if (!lt_failed(r)) {
        if (v.judged) {
            write_judgement(out, c, &v, s);
        }
        write_sections(out, s);
    }
    json_decref(v.then);
    return r;
}
