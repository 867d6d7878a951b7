#ifndef LINT_TABLES_H
#define LINT_TABLES_H
/* Private to lint/: all tables of rules/, in the order in which they run. */
#include "lint/rules.h"

extern const struct lint_table *const lint_tables[];
extern const size_t lint_table_count;

/* Path of the node that where covers, "certificate.tbsCertificate.subject"; in the arena, or static. */
const char *lint_path(const struct lint_subject *s, lt_slice where);

#endif
