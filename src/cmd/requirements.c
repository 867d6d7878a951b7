/* lintel requirements coverage: what share of the statements that bind us is kept by a rule, code or a test,
 * by document and section. */
#include "cmd/requirements.h"

#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/verbs.h"

enum { SECTIONS_MAX = 4096 };

/* Of a section, or of a document when section is empty. */
struct share {
    lt_slice document;
    lt_slice edition;
    lt_slice section;
    size_t count[REQUIREMENT_STATUS_COUNT];
    size_t all;
};

struct coverage {
    struct share *sections; /* in the order of the map */
    size_t section_count;
    struct share *documents;
    size_t document_count;
};

static struct share *find_share(struct share *list, size_t *count, lt_slice document, lt_slice section)
{
    for (size_t i = *count; i > 0; i--) { /* mostly the last one */
        if (lt_slice_eq(list[i - 1].document, document) && lt_slice_eq(list[i - 1].section, section)) {
            return &list[i - 1];
        }
    }
    if (*count == SECTIONS_MAX) {
        return NULL;
    }
    list[*count] = (struct share){.document = document, .section = section};
    return &list[(*count)++];
}

static bool asked_for(const struct cmd *c, const struct requirement *r)
{
    const char *document = cmd_value(c, "document");
    const char *section = cmd_value(c, "section");
    if (document != NULL && !lt_slice_eq_cstr(r->document, document)) {
        return false;
    }
    lt_slice prefix = lt_slice_cstr(section);
    return lt_slice_starts(r->section, prefix) &&
           (section == NULL || r->section.len == prefix.len || r->section.ptr[prefix.len] == '.');
}

static lt_res count(struct cmd *c, const struct requirement_map *map, struct coverage *ret_coverage)
{
    struct coverage v = {.sections = LT_NEW_ARRAY(&c->arena, struct share, SECTIONS_MAX),
                         .documents = LT_NEW_ARRAY(&c->arena, struct share, SECTIONS_MAX)};
    LT_ASSERT(v.sections != NULL && v.documents != NULL);
    for (size_t i = 0; i < map->count; i++) {
        const struct requirement *r = &map->rows[i];
        if (!asked_for(c, r)) {
            continue;
        }
        struct share *section = find_share(v.sections, &v.section_count, r->document, r->section);
        struct share *document = find_share(v.documents, &v.document_count, r->document, LT_SLICE(NULL, 0));
        LT_CHECK(section != NULL && document != NULL, LT_PEER_TOO_LARGE, "the map has more than %d sections",
                 SECTIONS_MAX);
        document->edition = r->edition;
        section->count[r->status]++;
        document->count[r->status]++;
        section->all++;
        document->all++;
    }
    LT_CHECK(v.document_count > 0, LT_PEER_NOT_FOUND, "no statement is of that document and section");
    *ret_coverage = v;
    return LT_OK;
}

static double percent(size_t part, size_t all)
{
    return all == 0 ? 0 : 100.0 * (double)part / (double)all;
}

static lt_res add_row(struct cmd_table *t, const char *name, const struct share *s)
{
    char cells[REQUIREMENT_STATUS_COUNT + 2][32];
    (void)snprintf(cells[0], sizeof(cells[0]), "%zu", s->all);
    for (size_t i = 0; i < REQUIREMENT_STATUS_COUNT; i++) {
        (void)snprintf(cells[i + 1], sizeof(cells[0]), "%zu (%.0f %%)", s->count[i],
                       percent(s->count[i], s->all));
    }
    const char *const row[] = {name, cells[0], cells[1], cells[2], cells[3], cells[4]};
    return cmd_table_row(t, row);
}

static lt_res say(struct cmd *c, const struct coverage *v)
{
    static const char *const heads[] = {"SECTION",    "STATEMENTS",     "KEPT",
                                        "PROCEDURAL", "NOT APPLICABLE", "NOT YET"};
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    for (size_t d = 0; d < v->document_count; d++) {
        const struct share *document = &v->documents[d];
        const char *name = lt_arena_printf(&c->arena, "%.*s %.*s", LT_FMT(document->document),
                                           LT_FMT(document->edition));
        LT_TRY(add_row(t, name != NULL ? name : "", document));
        for (size_t i = 0; i < v->section_count; i++) {
            const struct share *s = &v->sections[i];
            if (lt_slice_eq(s->document, document->document)) {
                name = lt_arena_printf(&c->arena, "  %.*s", LT_FMT(s->section));
                LT_TRY(add_row(t, name != NULL ? name : "", s));
            }
        }
    }
    return cmd_table_print(t);
}

static json_t *text_of(lt_slice s)
{
    return json_stringn(s.len > 0 ? (const char *)s.ptr : "", s.len);
}

static json_t *share_json(const struct share *s)
{
    json_t *o = json_pack("{s:I}", "statements", (json_int_t)s->all);
    LT_ASSERT(o != NULL);
    for (size_t i = 0; i < REQUIREMENT_STATUS_COUNT; i++) {
        LT_ASSERT(json_object_set_new(o, requirements_status_name((enum requirement_status)i),
                                      json_integer((json_int_t)s->count[i])) == 0);
    }
    LT_ASSERT(json_object_set_new(o, "kept_share",
                                  json_real(percent(s->count[REQUIREMENT_KEPT], s->all) / 100)) == 0);
    return o;
}

static lt_res say_json(const struct coverage *v)
{
    LT_CLEANUP(cmd_json_freep) json_t *all = json_array();
    for (size_t d = 0; d < v->document_count; d++) {
        json_t *document = share_json(&v->documents[d]);
        json_t *sections = json_array();
        for (size_t i = 0; i < v->section_count; i++) {
            if (lt_slice_eq(v->sections[i].document, v->documents[d].document)) {
                json_t *section = share_json(&v->sections[i]);
                LT_ASSERT(json_object_set_new(section, "section", text_of(v->sections[i].section)) == 0);
                LT_ASSERT(json_array_append_new(sections, section) == 0);
            }
        }
        LT_ASSERT(json_object_set_new(document, "document", text_of(v->documents[d].document)) == 0);
        LT_ASSERT(json_object_set_new(document, "edition", text_of(v->documents[d].edition)) == 0);
        LT_ASSERT(json_object_set_new(document, "sections", sections) == 0);
        LT_ASSERT(json_array_append_new(all, document) == 0);
    }
    LT_CLEANUP(cmd_json_freep) json_t *whole = json_pack("{s:O}", "documents", all);
    LT_ASSERT(whole != NULL);
    return cmd_print_json(whole);
}

/* --status: the statements themselves. */
static lt_res list_rows(struct cmd *c, const struct requirement_map *map, const char *status)
{
    LT_CLEANUP(cmd_json_freep) json_t *list = json_array();
    for (size_t i = 0; i < map->count; i++) {
        const struct requirement *r = &map->rows[i];
        if (!asked_for(c, r) || strcmp(requirements_status_name(r->status), status) != 0) {
            continue;
        }
        if (!c->json) {
            LT_TRY(cmd_printf("%.*s %.*s  line %.*s  %.*s  %.*s%s%.*s%s%.*s%s%.*s\n", LT_FMT(r->document),
                              LT_FMT(r->section), LT_FMT(r->line), LT_FMT(r->key), LT_FMT(r->keywords),
                              r->summary.len > 0 ? "  " : "", LT_FMT(r->summary),
                              r->kept_by.len > 0 ? "  " : "", LT_FMT(r->kept_by),
                              r->reason.len > 0 ? "  " : "", LT_FMT(r->reason)));
            continue;
        }
        json_t *row = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "document",
                                text_of(r->document), "edition", text_of(r->edition), "section",
                                text_of(r->section), "line", text_of(r->line), "key", text_of(r->key),
                                "keywords", text_of(r->keywords), "summary", text_of(r->summary), "kept_by",
                                text_of(r->kept_by), "reason", text_of(r->reason));
        LT_ASSERT(row != NULL && json_array_append_new(list, row) == 0);
    }
    if (!c->json) {
        return LT_OK;
    }
    LT_CLEANUP(cmd_json_freep) json_t *whole = json_pack("{s:O}", "statements", list);
    LT_ASSERT(whole != NULL);
    return cmd_print_json(whole);
}

static lt_res run(struct cmd *c)
{
    struct requirement_map map;
    struct coverage v = {.section_count = 0};
    const char *status = cmd_value(c, "status");
    LT_TRY(requirements_load(c, &map));
    if (status != NULL) {
        return list_rows(c, &map, status);
    }
    LT_TRY(count(c, &map, &v));
    return c->json ? say_json(&v) : say(c, &v);
}

static const struct cmd_option options[] = {
    {"document", "NAME", "of that document alone: BR, EVG, SBR, \"RFC 5280\"", false, NULL},
    {"section", "NUMBER", "of that section and those below it", false, NULL},
    {"status", "WORD", "the statements with that status, instead of counts", false,
     "kept procedural not-applicable not-yet"},
    {"map", "FILE", "the map (default: the one that is built in)", false, NULL},
};

const struct cmd_verb cmd_requirements_coverage = {
    .name = "requirements coverage",
    .words = "",
    .summary = "show which requirements are kept, by document and section",
    .help = "examples:\n"
            "  lintel requirements coverage --document BR --section 7.1\n"
            "  lintel requirements coverage --status not-yet --section 4.9\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
