#ifndef CA_API_INTERNAL_H
#define CA_API_INTERNAL_H
/* Between the files that read operators' requests. */
#include "ca/api.h"
#include "jose/json.h"

/* Members of the payload, in the arena. needed: must be there and not empty. */
LT_MUST_USE lt_res ca_api_text(const json_t *payload, const char *name, bool needed, struct lt_arena *a,
                               char **ret_text);
LT_MUST_USE lt_res ca_api_count(const json_t *payload, const char *name, uint64_t max, uint64_t *ret_count);
/* SHA-256 in hex; left empty when it is not there. */
LT_MUST_USE lt_res ca_api_hash(const json_t *payload, const char *name, struct lt_arena *a,
                               ProtobufCBinaryData *ret_hash);
/* RFC 3339. */
LT_MUST_USE lt_res ca_api_time(const json_t *payload, const char *name, bool needed, int64_t *ret_us);
/* Into call->mass: cause, awareness, date, of a revocation. */
LT_MUST_USE lt_res ca_api_read_why(const json_t *payload, struct lt_arena *a, Ipc__OperatorCall *call);

typedef lt_res ca_api_reader(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                             Ipc__OperatorCall *call);
ca_api_reader ca_api_read_mass;
ca_api_reader ca_api_read_mass_act;
ca_api_reader ca_api_read_hold;
ca_api_reader ca_api_read_ready;
ca_api_reader ca_api_read_import;
ca_api_reader ca_api_read_import_rows;
ca_api_reader ca_api_read_import_issuer;
ca_api_reader ca_api_read_usage;
ca_api_reader ca_api_read_usage_act;

lt_res ca_api_read_session(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                           Ipc__OperatorCall *call);

#endif
