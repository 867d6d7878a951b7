#ifndef CA_QUERY_PARTS_H
#define CA_QUERY_PARTS_H
/* What questions are answered with: rows, pages, JSON. For the rooms whose questions a reader answers. */
#include "ca/query.h"

/* A JSON writer: commas by itself, keys are constants of the program. */
struct query_out {
    struct lt_buf *b;
    bool comma;
};
void query_open(struct query_out *o, const char *key, char bracket); /* key NULL inside arrays */
void query_close(struct query_out *o, char bracket);
void query_text(struct query_out *o, const char *key, lt_slice value);
void query_cstr(struct query_out *o, const char *key, const char *value);
void query_int(struct query_out *o, const char *key, int64_t value);
void query_id(struct query_out *o, const char *key, int64_t value); /* over 2^53: a decimal string */
void query_bool(struct query_out *o, const char *key, bool value);
void query_hex(struct query_out *o, const char *key, lt_slice value);
void query_base64(struct query_out *o, const char *key, lt_slice value);
void query_pem(struct query_out *o, const char *key, lt_slice der);
/* RFC 3339; null for 0. */
void query_time(struct query_out *o, const char *key, int64_t us);
void query_raw(struct query_out *o, const char *key, lt_slice json); /* is JSON already; empty: null */

/* Where a page begins: behind the row with these columns. What a list does not use stays at its start. */
struct query_cursor {
    bool set;
    int64_t key;
    int64_t issuer;
    int64_t copy;
    lt_slice serial;
    lt_slice name;
    lt_slice type;
};
/* kind: a letter for the list, so that a cursor of another one is refused. */
LT_MUST_USE lt_res query_cursor_read(const struct ca_query *query, char kind,
                                     struct query_cursor *ret_cursor);
void query_cursor_write(struct query_out *o, char kind, const struct query_cursor *cursor);
size_t query_limit(const struct ca_query *query);

/* Small tables, read whole for each question. */
struct query_issuer {
    int64_t id;
    int64_t parent; /* 0: none */
    const char *name;
    lt_slice der;
    bool offline;
    int64_t not_before_us;
    int64_t not_after_us;
};
struct query_tables {
    struct query_issuer *issuers;
    size_t issuer_count;
    struct {
        int64_t id;
        const char *name;
    } * profiles;
    size_t profile_count;
};
LT_MUST_USE lt_res query_tables_load(const struct ca_query *query, struct query_tables *ret_tables);
const struct query_issuer *query_issuer_by_id(const struct query_tables *t, int64_t id);
const struct query_issuer *query_issuer_by_name(const struct query_tables *t, const char *name);
const char *query_profile_name(const struct query_tables *t, int64_t id);

typedef lt_res query_answer(const struct ca_query *query, struct query_out *out);
/* One answer as a JSON object, in one view of the book. */
LT_MUST_USE lt_res query_run(const struct ca_query *query, query_answer *answer, struct lt_buf *out);
query_answer query_certificate_list;
query_answer query_certificate_show;
query_answer query_authorization_show;
query_answer query_account_list;
query_answer query_account_show;
query_answer query_event_list;
query_answer query_halt_list;
query_answer query_eab_list;
query_answer query_enrolment_list;
query_answer query_enrolment_show;
query_answer query_operator_list;
query_answer query_pause_list;
query_answer query_session_show;
query_answer query_session_list;
query_answer query_passkey_list;
query_answer query_order_list;
query_answer query_order_show;
query_answer query_plan_list;
query_answer query_plan_show;
query_answer query_issuer_list;
query_answer query_crl_list;
query_answer query_crl_parts;
query_answer query_crl_digest;
query_answer query_lint;
query_answer query_inventory;
query_answer query_import_list;
query_answer query_scope_check;
query_answer query_scope_fields;
query_answer query_cause_list;
query_answer query_scope_count;
query_answer query_scope_groups;
query_answer query_scope_run;
query_answer query_scope_explain;
query_answer query_scope_list;
query_answer query_scope_saved;
query_answer query_scope_show;
query_answer query_scope_diff;
query_answer query_scope_again;
query_answer query_mass_list;
query_answer query_mass_show;
query_answer query_hold_list;
query_answer query_usage_list;
query_answer query_usage_show;
query_answer query_usage_endpoints;
query_answer query_usage_history;
query_answer query_ready_list;
query_answer query_ready_show;
query_answer query_ready_worklist;
query_answer query_holdout_list;
query_answer query_blast_radius;
query_answer query_settings;
query_answer query_status;

extern const struct ca_query_sql query_table_sql;
extern const struct ca_query_sql query_certificate_sql;
extern const struct ca_query_sql query_detail_sql;
extern const struct ca_query_sql query_enrolment_sql;
extern const struct ca_query_sql query_event_sql;
extern const struct ca_query_sql query_evidence_sql;
extern const struct ca_query_sql query_rules_sql;
extern const struct ca_query_sql query_seen_sql;
extern const struct ca_query_sql query_import_sql;
extern const struct ca_query_sql query_lint_sql;
extern const struct ca_query_sql query_list_sql;
extern const struct ca_query_sql query_crl_sql;
extern const struct ca_query_sql query_crl_digest_sql;
extern const struct ca_query_sql query_order_sql;
extern const struct ca_query_sql query_pause_sql;
extern const struct ca_query_sql query_session_sql;
extern const struct ca_query_sql query_scope_sql;
extern const struct ca_query_sql query_scope_saved_sql;
extern const struct ca_query_sql query_mass_sql;
extern const struct ca_query_sql query_usage_sql;
extern const struct ca_query_sql query_status_sql;
extern const struct ca_query_sql query_ready_sql;
extern const struct ca_query_sql query_blast_sql;

/* One certificate row of the two certificate questions. */
#define QUERY_CERTIFICATE_COLUMNS                                                                        \
    "c.issuer, c.serial, c.copy, c.kind, c.profile, c.sha256, c.spki_sha256, c.key_type, c.key_bits, "   \
    "c.not_before_us, c.not_after_us, c.issued_us, c.account, c.order_id, c.delivered, c.worst_method, " \
    "c.oldest_validation_us, c.oldest_caa_us, c.shard, c.rule_set, c.build"
enum { QUERY_CERTIFICATE_COLUMN_COUNT = 21 };
struct query_certificate {
    int64_t issuer;
    lt_slice serial;
    int64_t copy;
    const char *kind;
    int64_t profile;
    lt_slice sha256;
    lt_slice spki_sha256;
    int64_t key_type;
    int64_t key_bits;
    int64_t not_before_us;
    int64_t not_after_us;
    int64_t issued_us;
    int64_t account;
    int64_t order;
    bool delivered;
    const char *worst_method;
    int64_t oldest_validation_us;
    int64_t oldest_caa_us;
    int64_t shard;
    const char *rule_set;
    const char *build;
};
/* Copies the row into the arena. */
LT_MUST_USE lt_res query_certificate_take(struct lt_arena *a, const struct store_rows *rows,
                                          struct query_certificate *ret_row);
struct query_revocation {
    bool found;
    int64_t reason;
    int64_t revoked_us;
    int64_t recorded_us;
    const char *by;
};
/* Why this certificate was, or is being, revoked, with its clocks; and whether it is held. */
LT_MUST_USE lt_res query_clocks_write(const struct ca_query *query, struct query_out *out,
                                      const struct query_certificate *c);
LT_MUST_USE lt_res query_revocation_of(const struct ca_query *query, const struct query_certificate *c,
                                       struct query_revocation *ret_revocation);
/* "crl": the first CRL that has a revocation of then; null while none has it. */
LT_MUST_USE lt_res query_crl_with(const struct ca_query *query, const struct query_certificate *c,
                                  int64_t recorded_us, struct query_out *out);
/* Names as they stand in certificates (not reversed). */
struct query_name {
    const char *type;
    const char *name;
    lt_slice stored; /* as in the book: reversed for dns */
    int64_t authorization;
};
struct query_names {
    struct query_name *list;
    size_t count;
};
LT_MUST_USE lt_res query_names_of(const struct ca_query *query, const struct query_certificate *c,
                                  struct query_names *ret_names);
/* "valid", "expired", "revoked". */
const char *query_certificate_status(const struct ca_query *query, const struct query_certificate *c,
                                     const struct query_revocation *r);
/* The members that list and show have in common. */
void query_certificate_write(struct query_out *o, const struct query_tables *t,
                             const struct query_certificate *c, const struct query_revocation *r,
                             const char *status);
const char *query_reason_name(int64_t reason);
/* "der", base64; null where the book has a serial number and dates alone. */
LT_MUST_USE lt_res query_der_write(const struct ca_query *query, struct query_out *out,
                                   const struct query_certificate *c);
/* What stands where in the bytes: offset, header, length, depth, tag, value of each element. */
void query_outline_write(struct query_out *out, const char *key, lt_slice der);
/* "import": which one, of what form; nothing for what this CA issued by this book. "evidence_status" says
 * "unknown" for what was brought in, else "known". */
LT_MUST_USE lt_res query_import_write(const struct ca_query *query, struct query_out *out,
                                      const struct query_certificate *c);
/* "caps": how many certificates of an issuer are good, held against its cap. */
LT_MUST_USE lt_res query_caps_write(const struct ca_query *query, struct query_out *out);
/* "findings": rule and result of what the linter found at issuance; null where that is not known. */
LT_MUST_USE lt_res query_verdict_write(const struct ca_query *query, struct query_out *out,
                                       const struct query_certificate *c);

/* query_usage.c: what has become of a certificate: "in_use", "deployed", "not_seen", "silent"; and all that
 * the book knows of it, as members of an open object. */
LT_MUST_USE lt_res query_truth_state(const struct ca_query *query, int64_t issuer, lt_slice serial,
                                     const char **ret_state);
LT_MUST_USE lt_res query_truth_show(const struct ca_query *query, const struct query_tables *tables,
                                    int64_t issuer, lt_slice serial, struct query_out *o);

#endif
