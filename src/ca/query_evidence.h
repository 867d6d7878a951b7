#ifndef CA_QUERY_EVIDENCE_H
#define CA_QUERY_EVIDENCE_H
/* Between the questions that tell why a name was allowed. */
#include "ca/query_parts.h"
#include "evidence.pb-c.h"
#include "validate/methods.h"

/* "checks": everything that the evidence of an authorization says, oldest first. issued_us: of the
 * certificate that it is told for, to mark what it rests on; 0: none. */
LT_MUST_USE lt_res query_checks_write(const struct ca_query *query, struct query_out *out,
                                      int64_t authorization, int64_t issued_us);
/* Members of a check: what one perspective saw. */
void query_seen_write(struct query_out *o, const Ipc__Validated *v);
void query_caa_write(struct query_out *o, const char *key, const Ipc__CaaCheck *caa);
void query_problem_write(struct query_out *o, const char *key, const Ipc__Problem *p);
/* "corroboration": who was asked, what they signed, and whether the signature is theirs. */
LT_MUST_USE lt_res query_corroboration_write(const struct ca_query *query, struct query_out *o,
                                             const Ipc__EvidenceCorroboration *c);

/* Members that tell the rule a check was made by: section, heading, in force then and now, and until when its
 * result may be used. m may be NULL: a method that this program does not know. */
void query_method_write(struct query_out *o, const struct validate_method *m, const char *rule_set,
                        lt_time checked, lt_time now);
/* "rules": the words of the sections that the certificate's evidence rests on, as our sources cite them;
 * "judgement": the linter's rules that look at evidence, with the verdict at issuance and the one of now. */
LT_MUST_USE lt_res query_rules_write(const struct ca_query *query, struct query_out *out,
                                     const struct query_tables *t, const struct query_certificate *c,
                                     const struct query_names *names);

#endif
