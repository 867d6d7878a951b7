#ifndef LINT_RULES_QC_H
#define LINT_RULES_QC_H
/* Private to lint/rules/: the statements of qcStatements (RFC 3739 3.2.6, EN 319 412-5). */
#include "lint/rules/common.h"

/* Those of EN 319 412-5 by the last byte of their OIDs, 0.4.0.1862.1.n; and others. */
enum lint_qc {
    LINT_QC_OTHER = 0,
    LINT_QC_COMPLIANCE = 1,
    LINT_QC_LIMIT_VALUE = 2,
    LINT_QC_RETENTION_PERIOD = 3,
    LINT_QC_SSCD = 4,
    LINT_QC_PDS = 5,
    LINT_QC_TYPE = 6,
    LINT_QC_LEGISLATION = 7,
    LINT_QC_IDENT_METHOD = 8,
    LINT_QC_QSCD_LEGISLATION = 9,
    LINT_QC_COUNT,
    LINT_QC_PSD2 = 100,      /* TS 119 495: 0.4.0.19495.2 */
    LINT_QC_SEMANTICS = 101, /* RFC 3739: id-qcs-pkixQCSyntax-v2 */
};

struct lint_statement {
    lt_slice whole;
    lt_slice id;   /* content of the OBJECT IDENTIFIER */
    lt_slice info; /* the whole element behind it; empty without one */
    enum lint_qc type;
    unsigned qc_type; /* a type of certificate (0.4.0.1862.1.6.n) that stands where a statement should: n */
};

/* for (c = lint_statements(s); lint_statement_next(&c, &st);) — ends at the first that does not decode, with
 * the reason in the cursor. */
struct der_cursor lint_statements(const struct lint_subject *s);
bool lint_statement_next(struct der_cursor *c, struct lint_statement *ret_statement);
/* The first of that type. */
bool lint_statement_find(const struct lint_subject *s, enum lint_qc type,
                         struct lint_statement *ret_statement);

/* The types in a QcType statement, by the last byte of their OIDs: 1 esign, 2 eseal, 3 web; 0 is another.
 * False when it does not decode. */
struct lint_qc_types {
    size_t count;
    size_t others;
    bool has[4];
};
bool lint_qc_types_read(lt_slice info, struct lint_qc_types *ret_types);

/* A location of a PKI disclosure statement; the cursor is over the content of the outer SEQUENCE. */
struct lint_pds {
    lt_slice url;
    lt_slice language;
    uint32_t url_tag;
    uint32_t language_tag;
    bool more; /* the SEQUENCE has further elements */
};
struct der_cursor lint_pds_open(lt_slice info);
bool lint_pds_next(struct der_cursor *c, struct lint_pds *ret_pds);

/* NULL, or what is wrong with the value of a statement of a known type. */
const char *lint_statement_check(const struct lint_statement *st);

struct lint_psd2 {
    struct der_cursor roles; /* over their SEQUENCE */
    lt_slice authority;
    lt_slice authority_id;
};
bool lint_psd2_read(lt_slice info, struct lint_psd2 *ret_psd2);
/* ret_role: last number of its OID, UINT8_MAX for another OID. */
bool lint_psd2_role_next(struct der_cursor *roles, unsigned *ret_role, lt_slice *ret_name);

/* EN 319 412-1: what serialNumber or organizationIdentifier mean, by the last number of its OID. */
enum lint_semantics {
    LINT_SEMANTICS_NATURAL = 1,
    LINT_SEMANTICS_LEGAL = 2,
    LINT_SEMANTICS_EIDAS_NATURAL = 3,
    LINT_SEMANTICS_EIDAS_LEGAL = 4,
};
struct lint_semantics_info {
    lt_slice whole;
    bool has_authorities; /* nameRegistrationAuthorities */
    bool has_url;         /* with a URI among them */
};
bool lint_semantics_find(const struct lint_subject *s, enum lint_semantics which,
                         struct lint_semantics_info *ret_info);

#endif
