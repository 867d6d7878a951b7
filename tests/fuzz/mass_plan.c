/* A plan for mass revocations: whatever stands in the file, it is refused with a place or has findings. */
#include "incident/mass_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct incident_plan_report report;
    struct lt_arena arena;
    const lt_time now = {INT64_C(1795000000) * LT_US_PER_SECOND};
    lt_arena_init(&arena, (size_t)8 * 1024 * 1024);
    if (!lt_failed(incident_plan_check("plan.yaml", LT_SLICE(data, size), now, &arena, &report))) {
        LT_ASSERT(report.errors + report.warnings == report.count);
        for (size_t i = 0; i < report.count; i++) {
            LT_ASSERT(report.findings[i].part <= INCIDENT_PLAN_PARTS && report.findings[i].text != NULL);
        }
    }
    lt_arena_done(&arena);
    return 0;
}
