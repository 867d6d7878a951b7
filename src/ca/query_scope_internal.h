#ifndef CA_QUERY_SCOPE_INTERNAL_H
#define CA_QUERY_SCOPE_INTERNAL_H
/* Between the files of the questions about scopes. */
#include "ca/query_parts.h"
#include "scope/scope.h"

/* One question: the expression, when it is asked, and what compiling needs. */
struct query_scope {
    const struct ca_query *query;
    const struct scope *scope;
    const struct scope *but_not; /* NULL, or what is left out, */
    lt_time but_not_now;         /* of a moment of its own; 0: of that of the scope */
    bool but_not_as_of;
    struct scope_catalog catalog;
    struct scope_ask ask;
};
/* The moment is that of the question's "at", or now. */
LT_MUST_USE lt_res query_scope_prepare(const struct ca_query *query, lt_slice text,
                                       struct query_scope *ret_scope);
/* "scope", "sha256", "as_of". */
LT_MUST_USE lt_res query_scope_write_text(const struct query_scope *a, struct query_out *out);
LT_MUST_USE lt_res query_scope_hash(const struct query_scope *a, int64_t *ret_count,
                                    uint8_t ret_sha256[SCOPE_HASH_LEN]);
/* "count" with the first page, "certificates", "next". */
LT_MUST_USE lt_res query_scope_write_page(const struct query_scope *a, struct query_out *out);

#endif
