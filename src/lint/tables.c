/* Which files of rules/ there are. A new one is two lines here and one in meson.build. */
#include "lint/tables.h"

extern const struct lint_table lint_rfc5280;
extern const struct lint_table lint_rfc5280_crl;
extern const struct lint_table lint_cabf_br;
extern const struct lint_table lint_cabf_br_names;
extern const struct lint_table lint_cabf_smime_ext;

const struct lint_table *const lint_tables[] = {
    &lint_rfc5280,
    &lint_rfc5280_crl,
    &lint_cabf_br,
    &lint_cabf_br_names,
    &lint_cabf_smime_ext,
};
const size_t lint_table_count = LT_COUNT(lint_tables);
