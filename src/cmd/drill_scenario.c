/* Scenarios: YAML by schema (ca/yaml_load.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/yaml_load.h"
#include "cmd/drill.h"

enum { ARENA_MAX = 4 * 1024 * 1024, STRING_MAX = 8192, DAY_S = 86400 };

#define STEP(key_) CYAML_FIELD_STRING_PTR(#key_, CYAML_FLAG_OPTIONAL, struct drill_step, key_, 1, STRING_MAX)
static const cyaml_schema_field_t step_fields[] = {
    STEP(id),    STEP(say),     STEP(at),    STEP(mode), STEP(as),        STEP(run),
    STEP(input), STEP(find),    STEP(where), STEP(keep), STEP(until),     STEP(expect),
    STEP(with),  STEP(without), STEP(use),   STEP(kill), CYAML_FIELD_END,
};
static const cyaml_schema_value_t step_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct drill_step, step_fields),
};
static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, STRING_MAX),
};

#define MEASURE(key_, flags_) CYAML_FIELD_STRING_PTR(#key_, flags_, struct drill_measure, key_, 1, STRING_MAX)
static const cyaml_schema_field_t measure_fields[] = {
    MEASURE(id, CYAML_FLAG_DEFAULT),
    MEASURE(say, CYAML_FLAG_DEFAULT),
    MEASURE(from, CYAML_FLAG_DEFAULT),
    MEASURE(to, CYAML_FLAG_DEFAULT),
    MEASURE(within, CYAML_FLAG_OPTIONAL),
    MEASURE(mode, CYAML_FLAG_OPTIONAL),
    MEASURE(needs, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_SEQUENCE_COUNT("beside", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct drill_measure,
                               beside, beside_count, &text_entry, 0, DRILL_BESIDE_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t measure_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct drill_measure, measure_fields),
};

#define QUESTION(key_) \
    CYAML_FIELD_STRING_PTR(#key_, CYAML_FLAG_DEFAULT, struct drill_question, key_, 1, STRING_MAX)
static const cyaml_schema_field_t question_fields[] = {
    QUESTION(at),
    QUESTION(say),
    QUESTION(ask),
    QUESTION(answer),
    QUESTION(why),
    CYAML_FIELD_SEQUENCE_COUNT("choices", CYAML_FLAG_POINTER, struct drill_question, choices, choice_count,
                               &text_entry, 2, DRILL_CHOICES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t question_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct drill_question, question_fields),
};

#define WHOLE(key_, flags_) CYAML_FIELD_STRING_PTR(#key_, flags_, struct drill_scenario, key_, 1, STRING_MAX)
static const cyaml_schema_field_t fields[] = {
    WHOLE(name, CYAML_FLAG_DEFAULT),
    WHOLE(title, CYAML_FLAG_DEFAULT),
    WHOLE(what, CYAML_FLAG_DEFAULT),
    WHOLE(shape, CYAML_FLAG_OPTIONAL),
    WHOLE(cause, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_STRING_PTR("mail-rate", CYAML_FLAG_OPTIONAL, struct drill_scenario, mail_rate, 1, STRING_MAX),
    WHOLE(delayed, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_STRING_PTR("delayed-mode", CYAML_FLAG_OPTIONAL, struct drill_scenario, delayed_mode, 1,
                           STRING_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("modes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct drill_scenario,
                               modes, mode_count, &text_entry, 0, DRILL_BESIDE_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("beside", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct drill_scenario,
                               beside, beside_count, &text_entry, 0, DRILL_BESIDE_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("steps", CYAML_FLAG_POINTER, struct drill_scenario, steps, step_count,
                               &step_entry, 1, DRILL_STEPS_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("measures", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct drill_scenario,
                               measures, measure_count, &measure_entry, 0, DRILL_MEASURES_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("questions", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct drill_scenario,
                               questions, question_count, &question_entry, 0, DRILL_QUESTIONS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct drill_scenario, fields),
};

lt_res drill_span(const char *text, int64_t *ret_us)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
    uint64_t number = 0;
    size_t len = strlen(text);
    for (size_t i = 0; i < LT_COUNT(units); i++) {
        if (len > 1 && text[len - 1] == units[i].unit &&
            !lt_failed(lt_parse_u64(LT_SLICE(text, len - 1), (uint64_t)4000 * DAY_S, &number))) {
            *ret_us = (int64_t)number * units[i].seconds * LT_US_PER_SECOND;
            return LT_OK;
        }
    }
    LT_FAIL(LT_PEER_MALFORMED, "\"%.40s\" is no span of time; write 90s, 2m, 24h or 14d", text);
}

bool drill_in_mode(const char *mode, const char *now)
{
    return mode == NULL || now == NULL || now[0] == 0 || strcmp(mode, now) == 0;
}

static bool has_mode(const struct drill_scenario *s, const char *mode)
{
    for (uint32_t i = 0; mode != NULL && i < s->mode_count; i++) {
        if (strcmp(s->modes[i], mode) == 0) {
            return true;
        }
    }
    return mode == NULL;
}

static bool has_step(const struct drill_scenario *s, const char *id, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        if (strcmp(s->steps[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res check_step(const struct ca_yaml *y, const struct drill_scenario *s, size_t i)
{
    const struct drill_step *one = &s->steps[i];
    char path[64];
    int64_t us = 0;
    (void)snprintf(path, sizeof path, "steps.%zu", i); /* fits */
    if (one->id == NULL) {
        return ca_yaml_refuse(y, path, "a step has an id");
    }
    if (has_step(s, one->id, i)) {
        return ca_yaml_refuse(y, path, "there is a step \"%.60s\" already", one->id);
    }
    if (!has_mode(s, one->mode)) {
        return ca_yaml_refuse(y, path, "the scenario has no mode \"%.60s\"", one->mode);
    }
    if (one->at != NULL && lt_failed(drill_span(one->at, &us))) {
        return ca_yaml_refuse(y, path, "%s", lt_error_last()->detail);
    }
    if (one->run == NULL && one->kill == NULL && one->at == NULL) {
        return ca_yaml_refuse(y, path, "a step runs a verb, kills a program, or waits (at)");
    }
    if ((one->find == NULL) != (one->where == NULL)) {
        return ca_yaml_refuse(y, path, "find and where go together");
    }
    return LT_OK;
}

static lt_res check_measure(const struct ca_yaml *y, const struct drill_scenario *s, size_t i)
{
    const struct drill_measure *m = &s->measures[i];
    char path[64];
    int64_t us = 0;
    (void)snprintf(path, sizeof path, "measures.%zu", i); /* fits */
    if (!has_step(s, m->from, s->step_count) || !has_step(s, m->to, s->step_count)) {
        return ca_yaml_refuse(y, path, "from \"%.60s\" to \"%.60s\": no such steps", m->from, m->to);
    }
    if (!has_mode(s, m->mode)) {
        return ca_yaml_refuse(y, path, "the scenario has no mode \"%.60s\"", m->mode);
    }
    if (m->within != NULL && lt_failed(drill_span(m->within, &us))) {
        return ca_yaml_refuse(y, path, "%s", lt_error_last()->detail);
    }
    if (m->beside_count != 0 && m->beside_count != s->beside_count) {
        return ca_yaml_refuse(y, path, "%u others stand beside it, and %u times of theirs", s->beside_count,
                              m->beside_count);
    }
    return LT_OK;
}

static lt_res check_question(const struct ca_yaml *y, const struct drill_scenario *s, size_t i)
{
    const struct drill_question *q = &s->questions[i];
    char path[64];
    int64_t us = 0;
    uint64_t answer = 0;
    (void)snprintf(path, sizeof path, "questions.%zu", i); /* fits */
    if (lt_failed(drill_span(q->at, &us))) {
        return ca_yaml_refuse(y, path, "%s", lt_error_last()->detail);
    }
    if (lt_failed(lt_parse_u64(lt_slice_cstr(q->answer), q->choice_count, &answer)) || answer == 0) {
        return ca_yaml_refuse(y, path, "answer: the number of a choice, from 1 to %u", q->choice_count);
    }
    return LT_OK;
}

static lt_res check(const struct ca_yaml *y, const struct drill_scenario *s)
{
    for (size_t i = 0; i < s->step_count; i++) {
        LT_TRY(check_step(y, s, i));
    }
    for (size_t i = 0; i < s->measure_count; i++) {
        LT_TRY(check_measure(y, s, i));
    }
    for (size_t i = 0; i < s->question_count; i++) {
        LT_TRY(check_question(y, s, i));
    }
    return LT_OK;
}

static const char *part_of(const char *name)
{
    for (size_t i = 0; i < drill_shipped_count; i++) {
        if (strncmp(drill_shipped[i].name, "part-", 5) == 0 && strcmp(drill_shipped[i].name + 5, name) == 0) {
            return drill_shipped[i].text;
        }
    }
    return NULL;
}

/* The steps of a part, in the mode of the step that uses it. */
static lt_res add_part(const struct ca_yaml *y, struct lt_arena *a, const struct drill_step *by, size_t at,
                       struct drill_step *steps, uint32_t *count)
{
    char path[64];
    void *root = NULL;
    const char *text = part_of(by->use);
    (void)snprintf(path, sizeof path, "steps.%zu", at); /* fits */
    if (text == NULL) {
        return ca_yaml_refuse(y, path, "there is no part \"%.60s\"", by->use);
    }
    const struct ca_yaml part = {by->use, lt_slice_cstr(text)};
    LT_TRY(ca_yaml_load(&part, &schema, a, &root));
    const struct drill_scenario *s = root;
    for (uint32_t i = 0; i < s->step_count; i++) {
        LT_CHECK(*count < DRILL_STEPS_MAX && s->steps[i].use == NULL, LT_PEER_TOO_LARGE,
                 "%s: over %d steps, or parts within parts", y->file, DRILL_STEPS_MAX);
        steps[*count] = s->steps[i];
        steps[*count].mode = steps[*count].mode == NULL ? by->mode : steps[*count].mode;
        *count += 1;
    }
    return LT_OK;
}

static lt_res put_parts_in(const struct ca_yaml *y, struct lt_arena *a, struct drill_scenario *s)
{
    uint32_t count = 0;
    struct drill_step *steps = LT_NEW_ARRAY(a, struct drill_step, DRILL_STEPS_MAX);
    LT_CHECK(steps != NULL, LT_PEER_TOO_LARGE, "%s: too large", y->file);
    for (uint32_t i = 0; i < s->step_count; i++) {
        if (s->steps[i].use != NULL) {
            LT_TRY(add_part(y, a, &s->steps[i], i, steps, &count));
            continue;
        }
        LT_CHECK(count < DRILL_STEPS_MAX, LT_PEER_TOO_LARGE, "%s: over %d steps", y->file, DRILL_STEPS_MAX);
        steps[count++] = s->steps[i];
    }
    s->steps = steps;
    s->step_count = count;
    return LT_OK;
}

lt_res drill_parse(const char *file, lt_slice yaml, struct drill_scenario *ret_scenario)
{
    const struct ca_yaml y = {file, yaml};
    struct lt_arena a;
    void *root = NULL;
    lt_arena_init(&a, ARENA_MAX);
    lt_res r = ca_yaml_load(&y, &schema, &a, &root);
    r = lt_failed(r) ? r : put_parts_in(&y, &a, root);
    r = lt_failed(r) ? r : check(&y, root);
    if (lt_failed(r)) {
        lt_arena_done(&a);
        return r;
    }
    *ret_scenario = *(struct drill_scenario *)root;
    ret_scenario->arena = a;
    return LT_OK;
}

void drill_scenario_done(struct drill_scenario *s)
{
    lt_arena_done(&s->arena);
}

lt_res drill_find(struct cmd *c, const char *name, lt_slice *ret_text)
{
    for (size_t i = 0; i < drill_shipped_count; i++) {
        if (strcmp(drill_shipped[i].name, name) == 0) {
            *ret_text = lt_slice_cstr(drill_shipped[i].text);
            return LT_OK;
        }
    }
    LT_CHECK(strchr(name, '/') != NULL || strchr(name, '.') != NULL, LT_PEER_USAGE,
             "there is no scenario \"%.60s\"; lintel drill list names them, or give a file", name);
    return lt_file_read(&c->arena, AT_FDCWD, name, DRILL_TEXT_MAX, ret_text);
}
