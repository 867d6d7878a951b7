/* The verbs, in the order in which --help lists them. */
#include "cmd/verbs.h"

const struct cmd_verb *const cmd_verbs[] = {
    &cmd_init,          &cmd_serve,           &cmd_status,        &cmd_doctor,       &cmd_config_check,
    &cmd_cert_list,     &cmd_cert_show,       &cmd_cert_find,     &cmd_revoke,       &cmd_account_list,
    &cmd_account_show,  &cmd_issuer_list,     &cmd_crl_list,      &cmd_event_list,   &cmd_halt,
    &cmd_halt_list,     &cmd_resume,          &cmd_plan_list,     &cmd_plan_show,    &cmd_plan_propose,
    &cmd_plan_run,      &cmd_key_block,       &cmd_key_unblock,   &cmd_approve,      &cmd_operator_add,
    &cmd_operator_list, &cmd_operator_remove, &cmd_bench_acme,    &cmd_audit_verify, &cmd_restore,
    &cmd_ceremony_plan, &cmd_ceremony_show,   &cmd_ceremony_sign, &cmd_ceremony_run, &cmd_lint,
    &cmd_completion,
};
const size_t cmd_verb_count = LT_COUNT(cmd_verbs);
