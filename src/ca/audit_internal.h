#ifndef CA_AUDIT_INTERNAL_H
#define CA_AUDIT_INTERNAL_H
/* Between the files of the audit. */
#include "ca/audit.h"

/* Whose journal and segments are looked at. */
struct ca_host ca_audit_host(const struct ca_audit *a);
void ca_audit_finding(struct ca_audit *a, const char *what, const char *subject, const char *format, ...)
    LT_PRINTF(4, 5);
/* A JWS that was kept with an event: counts it, or finds it wrong. */
LT_MUST_USE lt_res ca_audit_jws(struct ca_audit *a, const char *subject, lt_slice jws);

/* Whose key verifies a request that was kept, by the book. known false: none that the book still has. */
struct ca_audit_signer {
    bool known;
    lt_slice kid;  /* empty: the key is in the request itself */
    lt_slice spki; /* both in the arena */
};
LT_MUST_USE lt_res ca_audit_signer_of(struct ca_audit *a, lt_slice jws, struct lt_arena *arena,
                                      struct ca_audit_signer *ret_signer);

extern const struct store_sql *const ca_audit_jws_sql;
extern const size_t ca_audit_jws_sql_count;
extern const struct store_sql *const ca_audit_evidence_sql;
extern const size_t ca_audit_evidence_sql_count;
extern const struct store_sql *const ca_audit_rows_sql;
extern const size_t ca_audit_rows_sql_count;
/* audit_notice.c */
LT_MUST_USE lt_res ca_audit_notices(struct ca_audit *a);
extern const struct store_sql *const ca_audit_notice_sql;
extern const size_t ca_audit_notice_sql_count;
extern const struct store_sql *const ca_audit_console_sql;
extern const size_t ca_audit_console_sql_count;
extern const struct store_sql *const ca_audit_desk_sql;
extern const size_t ca_audit_desk_sql_count;

#endif
