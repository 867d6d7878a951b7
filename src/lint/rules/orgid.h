#ifndef LINT_RULES_ORGID_H
#define LINT_RULES_ORGID_H
/* Private to lint/rules/: identifiers of organizations, "NTRUS+DE-1234567", and the EV extension that says
 * the same in parts. */
#include "base/slice.h"

struct lint_org_id {
    lt_slice scheme;    /* "NTR" */
    lt_slice country;   /* "US" */
    lt_slice state;     /* "DE"; empty without one */
    lt_slice reference; /* what stands behind the first hyphen; psd: behind the second */
    bool has_state;     /* there is a plus sign, or the field */
};

/* False for other forms than three capitals, two capitals, perhaps "+" and two capitals, "-", one character
 * at least. psd: with the capitals of an authority and another hyphen in between. */
bool lint_org_id_split(lt_slice text, bool psd, struct lint_org_id *ret_id);
/* Value of the extension cabfOrganizationIdentifier. */
bool lint_org_id_extension(lt_slice value, struct lint_org_id *ret_id);
bool lint_org_id_equal(const struct lint_org_id *a, const struct lint_org_id *b);

/* A looser form, for all documents: two capitals and a capital or colon, two letters, perhaps "+" and up to
 * three letters or digits, perhaps "-" and a reference. */
bool lint_org_id_read(lt_slice text, struct lint_org_id *ret_id);
/* Which schemes there are, by document. */
enum lint_org_id_of {
    LINT_ORG_ID_EV = 1 << 0,    /* EV Guidelines, Appendix H */
    LINT_ORG_ID_SMIME = 1 << 1, /* S/MIME requirements, Appendix A */
};
/* NULL, or what is wrong with scheme, country, state or reference. */
const char *lint_org_id_check(const struct lint_org_id *id, enum lint_org_id_of document);
/* NULL, or what is wrong with a legal entity identifier (ISO 17442). */
const char *lint_lei_check(lt_slice lei);

#endif
