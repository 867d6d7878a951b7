/* The self-audit in the book: what was looked at, by which rules and seed, and what was found.
 *= CABF-BR 8.7 "a randomly selected sample of the greater of one certificate or at least three percent of the
 *= Certificates issued by it" */
#include "ca/lint_book.h"

#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/scope_book.h"

static const struct store_sql sql[] = {
    {"lint.certificate", "SELECT 1 FROM certificate WHERE issuer = ?1 AND serial = ?2 LIMIT 1"},
    {"lint.rules", "SELECT subject FROM event WHERE kind = 'lint.rules' AND time_us <= ?1 "
                   "ORDER BY time_us DESC LIMIT 1"},
};
enum { SQL_CERTIFICATE, SQL_RULES };
const struct store_sql *const ca_lint_sql = sql;
const size_t ca_lint_sql_count = LT_COUNT(sql);

enum { ROWS_MAX = 100, RULE_MAX = 128, FINDINGS_MAX = 48 * 1024 };

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

/* The name stands in the subject, where a question finds it. */
#define RULES_SUBJECT "rules "

lt_res ca_rules_at(struct ca_turn *t, lt_time when, const char **ret_rule_set)
{
    struct store_rows rows;
    lt_slice prefix = LT_LIT(RULES_SUBJECT);
    *ret_rule_set = "";
    LT_TRY(store_query(t->store, &sql[SQL_RULES], STORE_ARGS(STORE_I(when.us)), &rows));
    if (store_next(&rows)) {
        lt_slice subject = store_bytes(&rows, 0);
        *ret_rule_set = lt_arena_cstr(t->arena, lt_slice_sub(subject, prefix.len, subject.len));
        LT_ASSERT(*ret_rule_set != NULL);
    }
    return store_rows_end(&rows);
}

lt_res ca_rules_say(struct ca_turn *t, const Ipc__Rules *m)
{
    const char *before = NULL;
    size_t len = strlen(m->rule_set);
    LT_CHECK(len > 0 && len <= RULE_MAX && lt_slice_find(lt_slice_cstr(m->rule_set), ' ') == len,
             LT_PEER_MALFORMED, "rules without a name");
    LT_TRY(ca_rules_at(t, t->now, &before));
    if (strcmp(before, m->rule_set) == 0) {
        return LT_OK;
    }
    char *subject = lt_arena_printf(t->arena, RULES_SUBJECT "%s", m->rule_set);
    LT_ASSERT(subject != NULL);
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "rule_set", m->rule_set);
    ca_body_str(&b, "before", before);
    return ca_body_event(&b, t, "lint.rules", subject, LT_SLICE(NULL, 0));
}

static bool is_result(const char *word)
{
    static const char *const words[] = {"notice", "warn", "error", "fatal"};
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res check_row(struct ca_turn *t, const Ipc__LintFound *f)
{
    const struct ca_issuer *issuer = ca_issuer_by_name(t->book, lt_slice_cstr(f->issuer));
    LT_CHECK(issuer != NULL, LT_PEER_NOT_FOUND, "there is no issuer \"%.64s\"", f->issuer);
    LT_CHECK(is_result(f->result) && strlen(f->rule) <= RULE_MAX, LT_PEER_MALFORMED,
             "a finding without a rule or a result");
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_CERTIFICATE],
                       STORE_ARGS(STORE_I(issuer->id), STORE_B(bytes(f->serial))), &rows));
    bool found = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no certificate %s of %s", lt_hex(t->arena, bytes(f->serial)),
             f->issuer);
    return LT_OK;
}

static bool same_certificate(const Ipc__LintFound *a, const Ipc__LintFound *b)
{
    return strcmp(a->issuer, b->issuer) == 0 && lt_slice_eq(bytes(a->serial), bytes(b->serial));
}

static void add_row(struct lt_buf *out, const Ipc__LintFound *f, bool first)
{
    const struct {
        const char *key;
        const char *value;
    } members[] = {{"rule", f->rule},
                   {"result", f->result},
                   {"was", f->was},
                   {"message", f->message},
                   {"path", f->path}};
    lt_buf_add_cstr(out, first ? "{" : ",{");
    for (size_t i = 0; i < LT_COUNT(members); i++) {
        lt_buf_addf(out, "%s\"%s\":", i == 0 ? "" : ",", members[i].key);
        lt_json_add_string(out, lt_slice_cstr(members[i].value));
    }
    lt_buf_addf(out, ",\"offset\":%u}", f->offset);
}

/* All findings of one certificate: neighbours in the request. */
static lt_res certificate_event(struct ca_turn *t, const Ipc__LintRecord *r, size_t from, size_t until)
{
    struct lt_buf list;
    struct ca_body b;
    lt_buf_init(&list, FINDINGS_MAX);
    lt_buf_add_byte(&list, '[');
    for (size_t i = from; i < until; i++) {
        add_row(&list, r->found[i], i == from);
    }
    lt_buf_add_byte(&list, ']');
    lt_res fits = lt_buf_check(&list);
    ca_body_init(&b);
    ca_body_str(&b, "run", r->run);
    ca_body_str(&b, "rule_set", r->rule_set);
    ca_body_json(&b, "findings", lt_buf_slice(&list));
    lt_buf_done(&list);
    if (lt_failed(fits)) {
        ca_body_done(&b);
        return fits;
    }
    return ca_body_event(&b, t, "lint.finding",
                         ca_certificate_subject(t, r->found[from]->issuer, bytes(r->found[from]->serial)),
                         LT_SLICE(NULL, 0));
}

/* The same, where scopes look. The issuer is known: check_row found it. */
static lt_res certificate_rows(struct ca_turn *t, const Ipc__LintRecord *r, size_t from, size_t until)
{
    for (size_t i = from; i < until; i++) {
        const Ipc__LintFound *f = r->found[i];
        const struct ca_issuer *issuer = ca_issuer_by_name(t->book, lt_slice_cstr(f->issuer));
        LT_TRY(ca_scope_finding(t, issuer->id, bytes(f->serial), f->rule, f->result));
    }
    return LT_OK;
}

static void fill_body(struct ca_body *b, const struct ca_lint_look *look)
{
    const Ipc__LintRecord *r = look->record;
    ca_body_str(b, "operator", look->operator_name);
    ca_body_int(b, "part", r->part);
    ca_body_str(b, "rule_set", r->rule_set);
    ca_body_str(b, "seed", r->seed);
    ca_body_str(b, "sample", r->sample);
    if (r->since_us != 0) {
        ca_body_time(b, "since", (lt_time){r->since_us});
    }
    if (r->as_of_us != 0) {
        ca_body_time(b, "at", (lt_time){r->as_of_us});
    }
    ca_body_int(b, "total", (int64_t)r->total);
    ca_body_int(b, "judged", (int64_t)r->judged);
    ca_body_int(b, "differing", (int64_t)r->differing);
    ca_body_int(b, "failing", (int64_t)r->failing);
    ca_body_int(b, "findings", (int64_t)r->n_found);
}

static bool is_word(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= 64 && strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz-") == len;
}

lt_res ca_lint_record(struct ca_turn *t, const struct ca_lint_look *look, const char **ret_json)
{
    const Ipc__LintRecord *r = look->record;
    LT_CHECK(is_word(r->run) && r->n_found <= ROWS_MAX, LT_PEER_MALFORMED,
             "\"run\" is 1 to 64 of a-z 0-9 -, with at most %d findings", ROWS_MAX);
    for (size_t i = 0; i < r->n_found; i++) {
        LT_TRY(check_row(t, r->found[i]));
    }
    char *subject = lt_arena_printf(t->arena, "lint %s", r->run);
    LT_ASSERT(subject != NULL);
    struct ca_body b;
    ca_body_init(&b);
    fill_body(&b, look);
    LT_TRY(ca_body_event(&b, t, "lint.audit", subject, look->jws));
    for (size_t from = 0; from < r->n_found;) {
        size_t until = from + 1;
        while (until < r->n_found && same_certificate(r->found[from], r->found[until])) {
            until++;
        }
        LT_TRY(certificate_event(t, r, from, until));
        LT_TRY(certificate_rows(t, r, from, until));
        from = until;
    }
    ca_body_init(&b);
    ca_body_str(&b, "run", r->run);
    fill_body(&b, look);
    return ca_body_cstr(&b, t->arena, ret_json);
}
