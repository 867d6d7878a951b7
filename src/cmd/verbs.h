#ifndef CMD_VERBS_H
#define CMD_VERBS_H
/* One row per verb, each in the file that is named after it. */
#include <jansson.h>
#include <limits.h>

#include "cmd/cmd.h"

extern const struct cmd_verb cmd_bench_acme;
extern const struct cmd_verb cmd_bench_inventory;
extern const struct cmd_verb cmd_cert_export;
extern const struct cmd_verb cmd_cert_import;
extern const struct cmd_verb cmd_cert_stats;
extern const struct cmd_verb cmd_import_list;
extern const struct cmd_verb cmd_init;
extern const struct cmd_verb cmd_serve;
extern const struct cmd_verb cmd_status;
extern const struct cmd_verb cmd_doctor;
extern const struct cmd_verb cmd_config_check;
extern const struct cmd_verb cmd_cert_list;
extern const struct cmd_verb cmd_cert_show;
extern const struct cmd_verb cmd_cert_find;
extern const struct cmd_verb cmd_evidence_show;
extern const struct cmd_verb cmd_revoke;
extern const struct cmd_verb cmd_usage_scan;
extern const struct cmd_verb cmd_usage_list;
extern const struct cmd_verb cmd_usage_show;
extern const struct cmd_verb cmd_usage_endpoints;
extern const struct cmd_verb cmd_usage_history;
extern const struct cmd_verb cmd_usage_pause;
extern const struct cmd_verb cmd_usage_resume;
extern const struct cmd_verb cmd_usage_stop;
extern const struct cmd_verb cmd_mass_list;
extern const struct cmd_verb cmd_mass_show;
extern const struct cmd_verb cmd_mass_start;
extern const struct cmd_verb cmd_mass_pause;
extern const struct cmd_verb cmd_mass_resume;
extern const struct cmd_verb cmd_mass_stop;
extern const struct cmd_verb cmd_hold_add;
extern const struct cmd_verb cmd_hold_lift;
extern const struct cmd_verb cmd_hold_list;
extern const struct cmd_verb cmd_account_list;
extern const struct cmd_verb cmd_account_show;
extern const struct cmd_verb cmd_issuer_list;
extern const struct cmd_verb cmd_crl_list;
extern const struct cmd_verb cmd_crl_check;
extern const struct cmd_verb cmd_event_list;
extern const struct cmd_verb cmd_pause_list;
extern const struct cmd_verb cmd_pause_resume;
extern const struct cmd_verb cmd_order_list;
extern const struct cmd_verb cmd_order_show;
extern const struct cmd_verb cmd_order_release;
extern const struct cmd_verb cmd_eab_create;
extern const struct cmd_verb cmd_eab_list;
extern const struct cmd_verb cmd_eab_revoke;
extern const struct cmd_verb cmd_enroll_request;
extern const struct cmd_verb cmd_enroll_list;
extern const struct cmd_verb cmd_enroll_show;
extern const struct cmd_verb cmd_enroll_check;
extern const struct cmd_verb cmd_enroll_issue;
extern const struct cmd_verb cmd_enroll_fetch;
extern const struct cmd_verb cmd_enroll_cancel;
extern const struct cmd_verb cmd_scope;
extern const struct cmd_verb cmd_scope_list;
extern const struct cmd_verb cmd_scope_show;
extern const struct cmd_verb cmd_scope_run;
extern const struct cmd_verb cmd_scope_diff;
extern const struct cmd_verb cmd_halt;
extern const struct cmd_verb cmd_halt_list;
extern const struct cmd_verb cmd_resume;
extern const struct cmd_verb cmd_plan_list;
extern const struct cmd_verb cmd_plan_show;
extern const struct cmd_verb cmd_plan_propose;
extern const struct cmd_verb cmd_plan_run;
extern const struct cmd_verb cmd_key_block;
extern const struct cmd_verb cmd_key_unblock;
extern const struct cmd_verb cmd_key_check;
extern const struct cmd_verb cmd_key_list;
extern const struct cmd_verb cmd_problem_prove;
extern const struct cmd_verb cmd_problem_nonce;
extern const struct cmd_verb cmd_approve;
extern const struct cmd_verb cmd_operator_add;
extern const struct cmd_verb cmd_operator_remove;
extern const struct cmd_verb cmd_operator_list;
extern const struct cmd_verb cmd_audit_verify;
extern const struct cmd_verb cmd_audit_export;
extern const struct cmd_verb cmd_backup;
extern const struct cmd_verb cmd_backup_verify;
extern const struct cmd_verb cmd_restore;
extern const struct cmd_verb cmd_store_migrate;
extern const struct cmd_verb cmd_store_prune;
extern const struct cmd_verb cmd_host_add;
extern const struct cmd_verb cmd_host_list;
extern const struct cmd_verb cmd_ceremony_plan;
extern const struct cmd_verb cmd_ceremony_show;
extern const struct cmd_verb cmd_ceremony_sign;
extern const struct cmd_verb cmd_ceremony_run;
extern const struct cmd_verb cmd_lint;
extern const struct cmd_verb cmd_requirements_coverage;
extern const struct cmd_verb cmd_requirements_diff;
extern const struct cmd_verb cmd_perspective_init;
extern const struct cmd_verb cmd_perspective_serve;
extern const struct cmd_verb cmd_perspective_describe;
extern const struct cmd_verb cmd_perspective_client;
extern const struct cmd_verb cmd_ca_blast_radius;
extern const struct cmd_verb cmd_readiness_list;
extern const struct cmd_verb cmd_readiness_show;
extern const struct cmd_verb cmd_readiness_worklist;
extern const struct cmd_verb cmd_readiness_set;
extern const struct cmd_verb cmd_readiness_contact;
extern const struct cmd_verb cmd_readiness_write;
extern const struct cmd_verb cmd_readiness_call;
extern const struct cmd_verb cmd_readiness_link;
extern const struct cmd_verb cmd_readiness_upload;
extern const struct cmd_verb cmd_holdout_add;
extern const struct cmd_verb cmd_holdout_lift;
extern const struct cmd_verb cmd_holdout_list;
extern const struct cmd_verb cmd_clock_list;
extern const struct cmd_verb cmd_clock_show;
extern const struct cmd_verb cmd_clock_open;
extern const struct cmd_verb cmd_clock_meet;
extern const struct cmd_verb cmd_clock_void;
extern const struct cmd_verb cmd_clock_move;
extern const struct cmd_verb cmd_control_list;
extern const struct cmd_verb cmd_control_add;
extern const struct cmd_verb cmd_control_done;
extern const struct cmd_verb cmd_control_retire;
extern const struct cmd_verb cmd_drill_list;
extern const struct cmd_verb cmd_drill_show;
extern const struct cmd_verb cmd_drill_run;
extern const struct cmd_verb cmd_drill_random;
extern const struct cmd_verb cmd_drill_tabletop;
extern const struct cmd_verb cmd_drill_score;
extern const struct cmd_verb cmd_drill_load;
extern const struct cmd_verb cmd_drill_serve;
extern const struct cmd_verb cmd_drill_record;
extern const struct cmd_verb cmd_drill_held;
extern const struct cmd_verb cmd_drill_calendar;
extern const struct cmd_verb cmd_drill_plan;
extern const struct cmd_verb cmd_drill_drop;
extern const struct cmd_verb cmd_drill_rehearse;
extern const struct cmd_verb cmd_drill_rehearsal;
extern const struct cmd_verb cmd_drill_react;
extern const struct cmd_verb cmd_drill_reactions;
extern const struct cmd_verb cmd_duty_list;
extern const struct cmd_verb cmd_duty_show;
extern const struct cmd_verb cmd_duty_judge;
extern const struct cmd_verb cmd_action_list;
extern const struct cmd_verb cmd_action_show;
extern const struct cmd_verb cmd_action_add;
extern const struct cmd_verb cmd_action_complete;
extern const struct cmd_verb cmd_action_delay;
extern const struct cmd_verb cmd_action_cancel;
extern const struct cmd_verb cmd_action_reopen;
extern const struct cmd_verb cmd_action_update;
extern const struct cmd_verb cmd_action_tell;
extern const struct cmd_verb cmd_action_check;
extern const struct cmd_verb cmd_review_list;
extern const struct cmd_verb cmd_review_show;
extern const struct cmd_verb cmd_review_file;
extern const struct cmd_verb cmd_review_assign;
extern const struct cmd_verb cmd_review_calendar;
extern const struct cmd_verb cmd_review_reviewers;
extern const struct cmd_verb cmd_review_reviewer;
extern const struct cmd_verb cmd_review_sources;
extern const struct cmd_verb cmd_review_source;
extern const struct cmd_verb cmd_training_list;
extern const struct cmd_verb cmd_training_people;
extern const struct cmd_verb cmd_training_courses;
extern const struct cmd_verb cmd_training_course;
extern const struct cmd_verb cmd_training_role;
extern const struct cmd_verb cmd_training_record;
extern const struct cmd_verb cmd_concern_link;
extern const struct cmd_verb cmd_concern_list;
extern const struct cmd_verb cmd_concern_show;
extern const struct cmd_verb cmd_concern_answer;
extern const struct cmd_verb cmd_plan_check;
extern const struct cmd_verb cmd_watch_list;
extern const struct cmd_verb cmd_watch_show;
extern const struct cmd_verb cmd_watch_run;
extern const struct cmd_verb cmd_watch_switch;
extern const struct cmd_verb cmd_watch_settle;
extern const struct cmd_verb cmd_watch_fact;
extern const struct cmd_verb cmd_completion;

/* The folder of the family's programs: --libexec, else $LINTEL_LIBEXEC, else libexec/ beside this program,
 * else where it was installed. */
LT_MUST_USE lt_res cmd_libexec(const struct cmd *c, char ret_path[PATH_MAX]);

/* Signs a plan as who asks and, with that, runs it where nothing more is wanted; says what came of it. */
LT_MUST_USE lt_res cmd_approve_plan(struct cmd *c, const char *plan_id);

/* Is it the folder of a test CA? LT_POLICY_REFUSED: its files do not go with that, or want what only a test
 * CA may do. */
struct ca_config;
LT_MUST_USE lt_res cmd_testing_check(const char *folder, const struct ca_config *config, lt_time now,
                                     bool *ret_marked);

/* run/status.json of a running family; LT_RETRY_UNAVAILABLE when there is none. */
LT_MUST_USE lt_res cmd_family_status(struct cmd *c, const char *folder, json_t **ret_json);

#endif
