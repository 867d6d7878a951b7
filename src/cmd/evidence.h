#ifndef CMD_EVIDENCE_H
#define CMD_EVIDENCE_H
/* The story of why a name was allowed, as text: of an answer that the reader made (ca/query_evidence.h). */
#include <jansson.h>

#include "base/buf.h"

/* "checks" of an authorization. */
void cmd_say_checks(const json_t *authorization, struct lt_buf *out);
/* "judgement" and "rules" of a certificate. */
void cmd_say_rules(const json_t *certificate, struct lt_buf *out);

#endif
