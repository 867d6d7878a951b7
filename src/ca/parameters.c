/* Canonical JSON: keys sorted, no blanks. */
#include "ca/parameters.h"

#include "base/text.h"

void ca_parameters_halt(lt_slice halt_id, struct lt_buf *out)
{
    lt_buf_add_cstr(out, "{\"halt\":");
    lt_json_add_string(out, halt_id);
    lt_buf_add_byte(out, '}');
}

void ca_parameters_key(lt_slice spki_sha256, struct lt_buf *out)
{
    lt_buf_add_cstr(out, "{\"spki-sha256\":\"");
    lt_hex_add(out, spki_sha256);
    lt_buf_add_cstr(out, "\"}");
}

void ca_parameters_lint(lt_slice rule, lt_slice profile, lt_time expires, struct lt_buf *out)
{
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339(expires, text);
    lt_buf_addf(out, "{\"expires\":\"%s\",\"profile\":", text);
    lt_json_add_string(out, profile);
    lt_buf_add_cstr(out, ",\"rule\":");
    lt_json_add_string(out, rule);
    lt_buf_add_byte(out, '}');
}
