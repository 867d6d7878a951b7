#ifndef CA_PARAMS_H
#define CA_PARAMS_H
/* The parameters of a plan: one flat JSON object whose values are strings, in canonical form (keys sorted, no
 * blanks, no escapes), so that one text has one meaning and one hash. Refuses every other JSON. */
#include "base/slice.h"

enum { CA_PARAMS_MAX = 4096, CA_PARAMS_KEYS_MAX = 16 };

struct ca_params {
    struct {
        lt_slice key;
        lt_slice value;
    } list[CA_PARAMS_KEYS_MAX]; /* borrowed from the text */
    size_t count;
};

LT_MUST_USE lt_res ca_params_parse(lt_slice json, struct ca_params *ret_params);
/* Empty when it is not there. */
lt_slice ca_params_get(const struct ca_params *p, const char *key);

#endif
