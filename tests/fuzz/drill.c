/* Scenarios of drills: any text is refused, or each of its steps does something and every measure has its
 * steps; what stands in steps is cut into words, or refused. */
#include <stdint.h>
#include <string.h>

#include "cmd/drill.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_step(const struct drill_scenario *s, const char *id)
{
    for (uint32_t i = 0; i < s->step_count; i++) {
        if (strcmp(s->steps[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void look(struct drill *d)
{
    const struct drill_scenario *s = &d->scenario;
    char *words[DRILL_WORDS_MAX];
    size_t count = 0;
    int64_t us = 0;
    for (uint32_t i = 0; i < s->step_count; i++) {
        const struct drill_step *one = &s->steps[i];
        LT_ASSERT(one->run != NULL || one->kill != NULL || one->at != NULL);
        LT_ASSERT(one->at == NULL || (!lt_failed(drill_span(one->at, &us)) && us >= 0));
        if (one->run != NULL && !lt_failed(drill_words(d, one->run, words, &count))) {
            LT_ASSERT(count < DRILL_WORDS_MAX && words[count] == NULL);
        }
        (void)drill_holds(d, d->kept, one->until == NULL ? "a=b" : one->until); /* whatever it says */
    }
    for (uint32_t i = 0; i < s->measure_count; i++) {
        LT_ASSERT(is_step(s, s->measures[i].from) && is_step(s, s->measures[i].to));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cmd c;
    struct drill d = {.c = &c, .folder = "/tmp/x", .mode = "", .certificates = 7, .detected_us = 1};
    if (lt_failed(drill_parse("fuzz", LT_SLICE(data, size), &d.scenario))) {
        return 0;
    }
    lt_arena_init(&c.arena, 8 * 1024 * 1024);
    d.kept = json_pack("{s:s, s:[{s:s}]}", "incident", "1", "list", "id", "x");
    LT_ASSERT(d.kept != NULL);
    look(&d);
    json_decref(d.kept);
    lt_arena_done(&c.arena);
    drill_scenario_done(&d.scenario);
    return 0;
}
