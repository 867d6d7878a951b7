#ifndef CA_AUDIT_LINES_H
#define CA_AUDIT_LINES_H
/* The events of a book as JSON lines, for whoever has no book: each line says what it is, and together they
 * can be verified again without any CA folder. A line ends with LF.
 *
 *   {"type":"export","format":"lintel-events-v1","from":TIME,"until":TIME,"audit_key":BASE64}
 *   {"type":"chain","chain":"main","sequence":16,"hash":HEX}            before its first event
 *   {"type":"event","chain","sequence","time_us","time","kind","subject","body":TEXT,
 *    "attachment":BASE64,"kid":"operator:ann","key":BASE64,"hash":HEX}  in the order of the chain
 *   {"type":"knot","chain","sequence","time_us","head","journal_sequence","journal_head":HEX,
 *    "signature":BASE64}
 *   {"type":"approval","plan","operator","signed":TIME,"alg","statement":TEXT,"signature","key":BASE64}
 *                                                                      by a passkey: "credential",
 *    "authenticator_data", "client_data":BASE64, "rp", and its signature and key
 *   {"type":"end","chains","events","knots","approvals"}
 *
 * The body is the text that was hashed ("body_base64" where it is no UTF-8). key: what verified the request
 * that was kept, by the book; without one, no key of the book does.
 *
 * The reader believes nothing: every hash, every knot by the audit key that it is given, every request and
 * approval by the key that its line names, counts and order. A line that is missing, doubled or changed is a
 * finding.
 */
#include "ca/audit.h"

enum { CA_AUDIT_LINE_MAX = 64 * 1024 * 1024, CA_AUDIT_CHAINS_MAX = 256 };
#define CA_AUDIT_FORMAT "lintel-events-v1"

struct ca_audit_export {
    struct ca_audit *audit; /* store, operators, audit_spki */
    lt_time from;           /* {0}: the beginning */
    lt_time until;          /* what is younger stays out */
    void *self;
    lt_res (*write)(void *self, lt_slice line); /* with its LF */
    uint64_t chains;                            /* out */
    uint64_t events;
    uint64_t knots;
    uint64_t approvals;
};
LT_MUST_USE lt_res ca_audit_export(struct ca_audit_export *e);

/* ---- the other way ---- */

struct ca_audit_reader; /* heap */
struct ca_audit_read_counts {
    uint64_t lines;
    uint64_t chains;
    uint64_t events;
    uint64_t knots;
    uint64_t jws;
    uint64_t jws_unknown;
    uint64_t approvals;
    uint64_t findings;
    bool whole; /* each chain from its first event on */
};
/* audit_spki: what the auditor holds; empty: that of the export, which then proves less. found: as in struct
 * ca_audit. */
LT_MUST_USE lt_res ca_audit_reader_new(lt_slice audit_spki, void *self,
                                       void (*found)(void *self, const char *what, const char *subject,
                                                     const char *detail),
                                       struct ca_audit_reader **ret_reader);
void ca_audit_reader_free(struct ca_audit_reader *r);
/* Without its LF. LT_PEER_MALFORMED: it is no line of an export at all. */
LT_MUST_USE lt_res ca_audit_reader_line(struct ca_audit_reader *r, lt_slice line);
/* After the last line. */
LT_MUST_USE lt_res ca_audit_reader_end(struct ca_audit_reader *r, struct ca_audit_read_counts *ret_counts);

extern const struct store_sql *const ca_audit_export_sql;
extern const size_t ca_audit_export_sql_count;

#endif
