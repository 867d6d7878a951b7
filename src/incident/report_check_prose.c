/* Words that readers of incident reports have learned to distrust; each a row. Warnings, but for what a
 * policy forbids. */
#include <string.h>

#include "incident/report_check_internal.h"

static const struct {
    enum report_rule rule;
    const char *words; /* lower case */
    const char *why;
} phrases[] = {
    {R_PROSE_IMPACT, "no security impact", "who is hit decides that"},
    {R_PROSE_IMPACT, "no impact on security", "who is hit decides that"},
    {R_PROSE_IMPACT, "no security risk", "who is hit decides that"},
    {R_PROSE_IMPACT, "low risk", "the rules know no such exception"},
    {R_PROSE_IMPACT, "no actual harm", "the rules know no such exception"},
    {R_PROSE_IMPACT, "purely cosmetic", "the rules know no such exception"},
    {R_PROSE_IMPACT, "minor issue", "the rules know no such exception"},
    {R_PROSE_BLAME, "our vendor failed", "what did we not see?"},
    {R_PROSE_BLAME, "vendor's fault", "what did we not see?"},
    {R_PROSE_BLAME, "customer failed", "what did we not see?"},
    {R_PROSE_BLAME, "customers failed", "what did we not see?"},
    {R_PROSE_BLAME, "subscriber failed", "what did we not see?"},
    {R_PROSE_BLAME, "subscribers failed", "what did we not see?"},
    {R_PROSE_BLAME, "requirements are unclear", "the CA reads them, and asks"},
    {R_PROSE_BLAME, "ambiguous requirement", "the CA reads them, and asks"},
    {R_PROSE_EVASIVE, "take security seriously", "it says nothing"},
    {R_PROSE_EVASIVE, "takes security seriously", "it says nothing"},
    {R_PROSE_EVASIVE, "very seriously", "it says nothing"},
    {R_PROSE_EVASIVE, "abundance of caution", "it says nothing"},
    {R_PROSE_EVASIVE, "isolated incident", "how is that known?"},
    {R_PROSE_EVASIVE, "isolated case", "how is that known?"},
    {R_PROSE_EVASIVE, "as soon as possible", "a date can be held to"},
    {R_PROSE_EVASIVE, "in due course", "a date can be held to"},
    {R_PROSE_EVASIVE, "in the near future", "a date can be held to"},
    {R_PROSE_EVASIVE, "industry best practice", "which one?"},
    {R_PROSE_EVASIVE, "appropriate measures", "which ones?"},
    {R_PROSE_EVASIVE, "appropriate steps", "which ones?"},
    {R_PROSE_ERROR, "human error", "what let one slip through?"},
    {R_PROSE_ERROR, "operator error", "what let one slip through?"},
    {R_PROSE_ERROR, "human mistake", "what let one slip through?"},
    {R_FREE, "see attached report", "the report itself is what is read"},
    {R_FREE, "see attached pdf", "the report itself is what is read"},
    {R_FREE, "see the attached", "the report itself is what is read"},
    {R_FREE, "see preliminary report", "the report itself is what is read"},
    {R_FREE, "see comment", "the report itself is what is read"},
    {R_FREE, "see above comment", "the report itself is what is read"},
    {R_FREE, "as described in comment", "the report itself is what is read"},
    {R_PLACEHOLDER, "[to be written by", "somebody has to write it"},
    {R_PLACEHOLDER, "lorem ipsum", "somebody has to write it"},
    {R_PLACEHOLDER, "todo:", "somebody has to write it"},
    {R_PLACEHOLDER, "<insert", "somebody has to write it"},
};

static const char *section_at(const struct incident_reading *r, const struct report_item *it)
{
    const char *words = "";
    for (size_t i = 0; i < incident_report_part_count; i++) {
        const struct report_item *head = r->parts[i];
        if (head != NULL && head->kind == REPORT_HEADING && head->line <= it->line) {
            words = incident_report_parts[i].words;
        }
    }
    return words;
}

static void check_phrases(struct report_check *c, const struct report_item *it)
{
    for (size_t i = 0; i < LT_COUNT(phrases); i++) {
        if (report_has(it->value, phrases[i].words)) {
            REPORT_FOUND(c, phrases[i].rule, it->line, section_at(c->r, it), "\"%s\": %s", phrases[i].words,
                         phrases[i].why);
        }
    }
}

static void check_observations(struct report_check *c)
{
    const struct report_item *source = report_part(c->r, "summary.source");
    if (source == NULL || !lt_slice_eq_cstr(report_plain(source->whole), "Audit")) {
        return;
    }
    for (size_t i = 0; i < c->r->doc.count; i++) {
        const struct report_item *it = &c->r->doc.items[i];
        if (report_has_word(it->value, "observation") || report_has_word(it->value, "observations")) {
            REPORT_FOUND(c, R_OBSERVATION, it->line, section_at(c->r, it),
                         "a non-conformity is called an observation");
        }
    }
}

static size_t word_count(lt_slice s)
{
    size_t n = 0;
    bool in = false;
    for (size_t i = 0; i < s.len; i++) {
        bool blank = s.ptr[i] == ' ';
        n += !blank && !in;
        in = !blank;
    }
    return n;
}

static void check_opaque(struct report_check *c)
{
    static const char *const vague[] = {"improve process",     "improve our process", "improve communication",
                                        "additional training", "raise awareness",     "be more careful",
                                        "improve procedures",  "review process"};
    for (size_t i = 0; i < c->r->action_count; i++) {
        const struct report_action *a = &c->r->actions[i];
        bool opaque = word_count(a->text) < 3;
        for (size_t k = 0; k < LT_COUNT(vague); k++) {
            opaque = opaque || (report_has(a->text, vague[k]) && word_count(a->text) < 8);
        }
        if (opaque) {
            REPORT_FOUND(c, R_PROSE_OPAQUE, a->line, "Action Items", "\"%.*s\": what will be different?",
                         LT_FMT(a->text));
        }
    }
}

void report_check_prose(struct report_check *c)
{
    for (size_t i = 0; i < c->r->doc.count; i++) {
        check_phrases(c, &c->r->doc.items[i]);
    }
    check_observations(c);
    check_opaque(c);
    const struct report_item *head = report_part(c->r, "appendix");
    struct report_range range = report_section(c->r, "appendix");
    if (head != NULL && range.first == range.end) {
        REPORT_FOUND(c, R_APPENDIX, head->line, "Appendix",
                     "there is neither a link nor a table nor a word of "
                     "what is attached");
    }
}
