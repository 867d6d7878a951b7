/* From bytes to the name of their node. */
#include "lint/tables.h"

const char *lint_path(const struct lint_subject *s, lt_slice where)
{
    (void)where;
    return s->in->kind == LINT_CRL ? "certificateList" : "certificate";
}
