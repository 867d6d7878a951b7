#ifndef INCIDENT_REPORT_FORM_H
#define INCIDENT_REPORT_FORM_H
/* The CCADB's templates of incident reports (Incident Reporting Guidelines 3.2) as one table: which headings
 * and fields, in which words and order. Who writes reports and who checks them read the same rows.
 *
 * The words are the templates', not those of the guidelines' field table, which says "Other" and "Root
 * Causes" where the templates say "Additional" and "Root Cause Analysis". */
#include "base/slice.h"

enum incident_report_kind {
    INCIDENT_REPORT_PRELIMINARY = 1,
    INCIDENT_REPORT_FULL = 2,
    INCIDENT_REPORT_DELAYED = 4, /* the full template, for a deadline of revocation that is missed */
    INCIDENT_REPORT_CLOSURE = 8,
};
#define INCIDENT_REPORT_FULLS (INCIDENT_REPORT_FULL | INCIDENT_REPORT_DELAYED)

#define INCIDENT_REPORT_VERSION "3.2" /* of the guidelines */

enum incident_report_part_kind { INCIDENT_PART_HEADING, INCIDENT_PART_FIELD };

struct incident_report_part {
    const char *id; /* "summary.description": how sections are named in the book and in findings */
    unsigned kinds; /* of reports that have it */
    enum incident_report_part_kind part;
    int level;         /* of a heading; of a field how deep it is indented: 0 or 1 */
    const char *words; /* without "#", "**" and the colon */
    const char *role;  /* who owns it unless somebody else was named; "": the program fills it */
    bool may_lack;     /* not required when a third party files the preliminary report */
};

extern const struct incident_report_part incident_report_parts[];
extern const size_t incident_report_part_count;

/* The five of each contributing factor, in order. */
enum { INCIDENT_FACTOR_FIELDS = 5 };
extern const char *const incident_factor_fields[INCIDENT_FACTOR_FIELDS];
#define INCIDENT_FACTOR_WORDS "Contributing Factor #"

extern const char incident_related_head[]; /* both lines of the table's head */
extern const char incident_actions_head[];
extern const char incident_closure_sentence[];
/* Columns of the appendix up to 9,999 certificates; further ones only behind them. */
enum { INCIDENT_APPENDIX_COLUMNS = 11, INCIDENT_APPENDIX_LIST_FROM = 10000 };
extern const char *const incident_appendix_columns[INCIDENT_APPENDIX_COLUMNS];
#define INCIDENT_CRT_SH "https://crt.sh/?sha256="

/* "preliminary", "full", "delayed", "closure"; 0: none of these. */
unsigned incident_report_kind_of(lt_slice word);
const char *incident_report_kind_name(unsigned kind);
/* NULL: no such part in that kind. */
const struct incident_report_part *incident_report_part_of(unsigned kind, lt_slice id);

#endif
