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

#endif
