/* Anyone's incident report, or its appendix. Findings have a rule and text, whatever comes. */
#include "incident/report_check.h"

#include "incident/report_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void appendix(const struct incident_check *o, lt_slice text, struct lt_arena *a,
                     struct incident_findings *f)
{
    LT_CLEANUP(incident_appendix_freep) struct incident_appendix *x = NULL;
    lt_ignore(incident_appendix_begin(o, "x", a, f, &x)); /* it cannot fail but by the heap */
    incident_appendix_feed(x, lt_slice_sub(text, 0, text.len / 2));
    incident_appendix_feed(x, lt_slice_sub(text, text.len / 2, text.len));
    incident_appendix_end(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lt_arena a;
    struct incident_findings f;
    struct incident_reading *r = NULL;
    lt_slice text = LT_SLICE(data, size);
    const struct incident_check o = {.now = {INT64_C(1795000000000000)}, .title = "CA: x"};
    lt_arena_init(&a, 64 * 1024 * 1024);
    incident_findings_init(&f, &a);
    if (incident_appendix_is(text)) {
        appendix(&o, text, &a, &f);
    } else if (!lt_failed(incident_report_check(&o, "x", text, &a, &f, &r))) {
        lt_ignore(incident_report_check_together(&o, &r, 1, NULL, 0, &a, &f)); /* findings are what counts */
    }
    for (size_t i = 0; i < f.count; i++) {
        LT_ASSERT(f.list[i].rule != NULL && report_is_utf8(lt_slice_cstr(f.list[i].message)));
    }
    lt_arena_done(&a);
    return 0;
}
