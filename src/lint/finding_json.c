/* A finding as JSON: the command line and POST lint say the same. */
#include "base/text.h"
#include "lint/lint.h"

static void add_member(struct lt_buf *out, const char *name, const char *value)
{
    lt_buf_addf(out, ",\"%s\":", name);
    lt_json_add_string(out, lt_slice_cstr(value));
}

void lint_finding_json(const struct lint_finding *f, struct lt_buf *out)
{
    lt_buf_add_cstr(out, "{\"rule\":");
    lt_json_add_string(out, lt_slice_cstr(f->rule->id));
    add_member(out, "source", lint_source_name(f->rule->source));
    add_member(out, "result", lint_status_name(f->level));
    add_member(out, "message", f->message);
    add_member(out, "path", f->path);
    lt_buf_addf(out, ",\"offset\":%zu,\"length\":%zu", f->offset, f->len);
    add_member(out, "asks", f->rule->asks);
    add_member(out, "citation", f->rule->citation);
    lt_buf_add_byte(out, '}');
}
