/* Places of the methods by hand. The label begins with an underscore for every name and on every path, since
 * this is the only line that writes one. */
#include "validate/by_hand.h"

#include <string.h>

static const struct {
    const char *method;
    const char *token;
    const char *what;
    const char *before; /* the name or address */
    const char *after;
} places[] = {
    /*= CABF-BR 3.2.2.4.7 "an Authorization Domain Name that is prefixed with a Domain Label that begins with
     * an underscore character" */
    {"dns-change", VALIDATE_BY_HAND_LABEL, "TXT record", VALIDATE_BY_HAND_LABEL ".", ""},
    /*= CABF-BR 3.2.2.4.18 "MUST be located under the "/.well-known/pki-validation" directory" */
    {"website-change", VALIDATE_BY_HAND_FILE, "file", "http://",
     "/.well-known/pki-validation/" VALIDATE_BY_HAND_FILE},
};

const char *validate_by_hand_token(const char *method)
{
    for (size_t i = 0; i < LT_COUNT(places); i++) {
        if (strcmp(places[i].method, method) == 0) {
            return places[i].token;
        }
    }
    return "";
}

const char *validate_by_hand_what(const struct validate_method *m)
{
    for (size_t i = 0; i < LT_COUNT(places); i++) {
        if (strcmp(places[i].method, m->name) == 0) {
            return places[i].what;
        }
    }
    return "";
}

void validate_by_hand_where(const struct validate_method *m, lt_slice name, struct lt_buf *out)
{
    for (size_t i = 0; i < LT_COUNT(places); i++) {
        if (strcmp(places[i].method, m->name) == 0) {
            bool literal = m->kind == VALIDATE_KIND_HTTP && lt_slice_find(name, ':') < name.len;
            lt_buf_add_cstr(out, places[i].before);
            lt_buf_add_cstr(out, literal ? "[" : "");
            lt_buf_add(out, name);
            lt_buf_add_cstr(out, literal ? "]" : "");
            lt_buf_add_cstr(out, places[i].after);
        }
    }
}
