/* Findings of the linter as the book keeps them, and the refusals that belong to no intent. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/issue_internal.h"
#include "ca/lint_book.h"

enum { FINDINGS_MAX = 48 * 1024, ONE_MAX = 8 * 1024 };

static void add_finding(struct lt_buf *out, const Ipc__Finding *f)
{
    const struct {
        const char *key;
        const char *value;
    } members[] = {
        {"rule", f->rule}, {"result", f->result},     {"message", f->message},
        {"path", f->path}, {"citation", f->citation},
    };
    lt_buf_add_byte(out, '{');
    for (size_t i = 0; i < LT_COUNT(members); i++) {
        if (members[i].value[0] != 0) {
            lt_buf_addf(out, "%s\"%s\":", i == 0 ? "" : ",", members[i].key);
            lt_json_add_string(out, lt_slice_cstr(members[i].value));
        }
    }
    if (f->message[0] != 0) {
        lt_buf_addf(out, ",\"offset\":%u", f->offset);
    }
    lt_buf_add_cstr(out, f->excepted ? ",\"excepted\":true}" : "}");
}

const char *ca_findings_json(struct ca_turn *t, Ipc__Finding *const *list, size_t count, size_t *ret_left_out)
{
    struct lt_buf out;
    struct lt_buf one;
    size_t added = 0;
    *ret_left_out = 0;
    lt_buf_init(&out, FINDINGS_MAX + 16);
    lt_buf_init(&one, ONE_MAX);
    lt_buf_add_byte(&out, '[');
    for (size_t i = 0; i < count; i++) {
        lt_buf_reset(&one);
        add_finding(&one, list[i]);
        if (lt_failed(lt_buf_check(&one)) || out.len + one.len + 2 > FINDINGS_MAX) {
            (*ret_left_out)++;
            lt_buf_done(&one);
            lt_buf_init(&one, ONE_MAX);
            continue;
        }
        lt_buf_add_cstr(&out, added++ == 0 ? "" : ",");
        lt_buf_add(&out, lt_buf_slice(&one));
    }
    lt_buf_add_byte(&out, ']');
    const char *json = lt_arena_cstr(t->arena, lt_buf_slice(&out));
    lt_buf_done(&one);
    lt_buf_done(&out);
    LT_ASSERT(json != NULL);
    return json;
}

const char *ca_excepted_json(struct ca_turn *t, Ipc__Finding *const *list, size_t count)
{
    struct lt_buf out;
    size_t added = 0;
    lt_buf_init(&out, FINDINGS_MAX);
    lt_buf_add_byte(&out, '[');
    for (size_t i = 0; i < count && out.len < FINDINGS_MAX / 2; i++) {
        if (list[i]->excepted) {
            lt_buf_add_cstr(&out, added++ == 0 ? "" : ",");
            lt_json_add_string(&out, lt_slice_cstr(list[i]->rule));
        }
    }
    lt_buf_add_byte(&out, ']');
    const char *json = added == 0 ? NULL : lt_arena_cstr(t->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_ASSERT(added == 0 || json != NULL);
    return json;
}

lt_res ca_refused(struct ca_turn *t, const Ipc__Refused *m)
{
    static const char *const kinds[] = {"crl.refused", "lint.second-opinion"};
    bool known = false;
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        known = known || strcmp(m->kind, kinds[i]) == 0;
    }
    LT_CHECK(known && m->subject[0] != 0 && strlen(m->subject) <= 128, LT_PEER_MALFORMED,
             "a refusal of nothing");
    size_t left_out = 0;
    const char *findings = ca_findings_json(t, m->findings, m->n_findings, &left_out);
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "refusal", m->refusal);
    ca_body_str(&b, "detail", m->detail);
    ca_body_str(&b, "rule_set", m->rule_set);
    ca_body_json(&b, "findings", lt_slice_cstr(findings));
    if (left_out > 0) {
        ca_body_int(&b, "findings_left_out", (int64_t)left_out);
    }
    return ca_body_event(&b, t, m->kind, m->subject, LT_SLICE(NULL, 0));
}
