/* Why certificates may have to be revoked, by the rules of now: what whoever plans a revocation chooses
 * from. */
#include <stdio.h>
#include <string.h>

#include "ca/query_parts.h"
#include "ca/reasons.h"
#include "ca/revoke.h"

enum { CAUSE_TEXT_MAX = 96 };

/* The words that revoke and masses take: those of TLS alone, others behind their kind. */
static void write_cause(const struct ca_query *query, struct query_out *out, const struct ca_cause *c)
{
    char name[CAUSE_TEXT_MAX];
    bool tls = strcmp(c->kind, "tls") == 0;
    struct ca_clocks clocks = ca_cause_clocks(c, query->now);
    (void)snprintf(name, sizeof(name), "%s%s%s", tls ? "" : c->kind, tls ? "" : "/", c->name);
    query_open(out, NULL, '{');
    query_cstr(out, "cause", name);
    query_cstr(out, "kind", c->kind);
    query_cstr(out, "section", c->section);
    query_cstr(out, "words", c->words);
    query_int(out, "reason", c->reason);
    query_cstr(out, "reason_name", ca_reason_name(c->reason));
    query_int(out, "should_s", c->should_s);
    query_int(out, "must_s", c->must_s);
    query_time(out, "should", clocks.should.us);
    query_time(out, "must", clocks.must.us);
    query_close(out, '}');
}

/* "causes" in force now, with the clocks of who is told this minute; "reasons" that an operator may give. */
lt_res query_cause_list(const struct ca_query *query, struct query_out *out)
{
    query_open(out, "causes", '[');
    for (size_t i = 0; i < ca_cause_count; i++) {
        const struct ca_cause *c = &ca_causes[i];
        if (ca_cause_at(lt_slice_cstr(c->name), c->kind, query->now) == c) {
            write_cause(query, out, c);
        }
    }
    query_close(out, ']');
    query_open(out, "reasons", '[');
    for (uint32_t reason = 0; reason <= CA_REASON_AA_COMPROMISE; reason++) {
        if (ca_reason_allowed(reason, true)) {
            query_open(out, NULL, '{');
            query_int(out, "reason", reason);
            query_cstr(out, "name", ca_reason_name(reason));
            query_close(out, '}');
        }
    }
    query_close(out, ']');
    return LT_OK;
}
