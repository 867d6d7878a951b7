#ifndef CA_YAML_LOAD_H
#define CA_YAML_LOAD_H
/* YAML by schema, for lintel.yaml and the profiles: libcyaml reads into a struct, so that `no` and `1e3` stay
 * what the schema says. Aliases, unknown keys and anything over the arena's cap are refused. Every refusal
 * begins "FILE:LINE:COLUMN: ". */
#include <cyaml/cyaml.h>

#include "base/arena.h"
#include "base/text.h"

struct ca_yaml {
    const char *file; /* for messages; borrowed */
    lt_slice text;    /* borrowed */
};

/* Everything that was loaded lives in the arena: cyaml_free is not for it. */
LT_MUST_USE lt_res ca_yaml_load(const struct ca_yaml *y, const cyaml_schema_value_t *schema,
                                struct lt_arena *arena, void **ret_root);
/* The refusal of a value that the schema let through. path: "listen.https", "issuers.2.key" (indices count
 * from 0); the position is that of the value, or of the nearest thing above it that is written down. Always
 * fails. */
LT_MUST_USE lt_res ca_yaml_refuse(const struct ca_yaml *y, const char *path, const char *format, ...)
    LT_PRINTF(3, 4);

/* A bool is "true" or "false": libcyaml's own reading takes every other word for true. */
extern const cyaml_strval_t ca_yaml_truth[2];
#define CA_YAML_BOOL(key_, flags_, struct_, member_) \
    CYAML_FIELD_ENUM(key_, (flags_) | CYAML_FLAG_STRICT, struct_, member_, ca_yaml_truth, 2)

/* Decimal digits alone. Numbers are read as text: libcyaml's own reading (strtoull, base 0, end not looked
 * at) takes "1e3" for 1 and "010" for 8. */
LT_MUST_USE lt_res ca_yaml_number(const struct ca_yaml *y, const char *path, const char *text, uint32_t least,
                                  uint32_t most, uint32_t *ret_number);
/* "90d", "36h", "15m", "30s"; a unit is needed, except for "0". */
LT_MUST_USE lt_res ca_yaml_duration(const struct ca_yaml *y, const char *path, const char *text,
                                    int64_t *ret_seconds);

#endif
