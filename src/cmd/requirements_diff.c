/* lintel requirements diff: which statements a new edition changes, and what of ours each of them touches. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cmd/api.h"
#include "cmd/lint.h"
#include "cmd/requirements.h"
#include "cmd/verbs.h"

enum { EDITION_MAX = 16 * 1024 * 1024 };

struct diff {
    struct cmd *c;
    struct requirement_map map;
    struct edition old;
    struct edition new;
    struct requirement_profiles *profiles; /* owned */
    json_t *changes;                       /* owned */
    size_t counts[CHANGE_COUNT];
};

static json_t *text_of(lt_slice s)
{
    return json_stringn(s.len > 0 ? (const char *)s.ptr : "", s.len);
}

static void put(json_t *o, const char *key, json_t *value)
{
    LT_ASSERT(json_object_set_new(o, key, value) == 0);
}

static const struct requirement *mapped(const struct diff *d, const struct statement *s)
{
    return s == NULL ? NULL : requirements_find(&d->map, s->document, s->section, lt_slice_cstr(s->key));
}

/* What keeps the statement today, link by link. */
static json_t *links_of(const struct diff *d, const struct statement *old, const struct statement *new)
{
    const struct requirement *r = mapped(d, old);
    r = r != NULL ? r : mapped(d, new);
    json_t *links = json_array();
    LT_ASSERT(links != NULL);
    lt_slice rest = r != NULL ? r->kept_by : LT_SLICE(NULL, 0);
    lt_slice link;
    while (lt_slice_split(&rest, ' ', &link)) {
        if (link.len > 0) {
            LT_ASSERT(json_array_append_new(links, text_of(link)) == 0);
        }
    }
    return links;
}

/* Rules that cite either section. */
static json_t *rules_of(const struct statement *old, const struct statement *new)
{
    const struct statement *s = new != NULL ? new : old;
    json_t *rules = requirements_rules(s->document, s->section);
    if (old != NULL && new != NULL && !lt_slice_eq(old->section, new->section)) {
        json_t *further = requirements_rules(old->document, old->section);
        LT_ASSERT(json_array_extend(rules, further) == 0);
        json_decref(further);
    }
    return rules;
}

static void add_change(struct diff *d, const struct statement *old, const struct statement *new)
{
    enum change change = requirements_change(old, new);
    d->counts[change]++;
    if (change == CHANGE_NONE) {
        return;
    }
    const struct statement *s = new != NULL ? new : old;
    const struct requirement *r = mapped(d, old);
    json_t *o = json_object();
    LT_ASSERT(o != NULL);
    put(o, "change", json_string(requirements_change_name(change)));
    put(o, "document", text_of(s->document));
    put(o, "old_section", old != NULL ? text_of(old->section) : json_null());
    put(o, "new_section", new != NULL ? text_of(new->section) : json_null());
    put(o, "old_line", old != NULL ? text_of(old->line) : json_null());
    put(o, "new_line", new != NULL ? text_of(new->line) : json_null());
    put(o, "old_key", old != NULL ? json_string(old->key) : json_null());
    put(o, "new_key", new != NULL ? json_string(new->key) : json_null());
    put(o, "field", text_of(s->field));
    put(o, "old_keywords", old != NULL ? text_of(old->keywords) : json_null());
    put(o, "new_keywords", new != NULL ? text_of(new->keywords) : json_null());
    put(o, "old_text", old != NULL ? text_of(old->text) : json_null());
    put(o, "new_text", new != NULL ? text_of(new->text) : json_null());
    put(o, "status", r != NULL ? json_string(requirements_status_name(r->status)) : json_null());
    put(o, "kept_by", links_of(d, old, new));
    put(o, "rules", rules_of(old, new));
    put(o, "profiles", requirements_profiles_of(d->profiles, s->document));
    LT_ASSERT(json_array_append_new(d->changes, o) == 0);
}

/* In the order of the new edition, then what is gone. */
static void add_changes(struct diff *d)
{
    for (size_t n = 0; n < d->new.count; n++) {
        const struct statement *s = &d->new.rows[n];
        add_change(d, s->partner != SIZE_MAX ? &d->old.rows[s->partner] : NULL, s);
    }
    for (size_t o = 0; o < d->old.count; o++) {
        if (d->old.rows[o].partner == SIZE_MAX) {
            add_change(d, &d->old.rows[o], NULL);
        }
    }
}

/* Every profile that a change touches, once. */
static json_t *touched_profiles(const struct diff *d)
{
    json_t *names = json_array();
    json_t *seen = json_object();
    size_t i;
    size_t k;
    json_t *change;
    json_t *name;
    LT_ASSERT(names != NULL && seen != NULL);
    json_array_foreach(d->changes, i, change)
    {
        json_array_foreach(json_object_get(change, "profiles"), k, name)
        {
            if (json_object_get(seen, json_string_value(name)) == NULL) {
                LT_ASSERT(json_object_set_new(seen, json_string_value(name), json_true()) == 0);
                LT_ASSERT(json_array_append(names, name) == 0);
            }
        }
    }
    json_decref(seen);
    return names;
}

static void say_list(struct lt_buf *out, const char *head, const json_t *list)
{
    size_t i;
    json_t *word;
    if (json_array_size(list) == 0) {
        return;
    }
    lt_buf_addf(out, "    %s", head);
    json_array_foreach(list, i, word)
    {
        lt_buf_addf(out, " %s", json_string_value(word));
    }
    lt_buf_add_byte(out, '\n');
}

static void say_text(struct lt_buf *out, const char *sign, const char *text)
{
    lt_buf_addf(out, "    %s ", sign);
    cmd_lint_plain(out, lt_slice_cstr(text));
    lt_buf_add_byte(out, '\n');
}

static void say_change(struct lt_buf *out, const json_t *o)
{
    const char *old_section = cmd_text(o, "old_section");
    const char *new_section = cmd_text(o, "new_section");
    bool both = old_section[0] != 0 && new_section[0] != 0;
    bool moved = both && strcmp(old_section, new_section) != 0;
    lt_buf_addf(out, "%s  %s %s%s%s%s%s", cmd_text(o, "change"), cmd_text(o, "document"),
                moved ? old_section : "", moved ? " -> " : "",
                new_section[0] != 0 ? new_section : old_section, cmd_text(o, "field")[0] != 0 ? "  " : "",
                cmd_text(o, "field"));
    lt_buf_addf(out, "  (line %s%s%s)\n", cmd_text(o, "old_line"), both ? " -> " : "",
                cmd_text(o, "new_line"));
    bool same_text = strcmp(cmd_text(o, "change"), "moved") == 0;
    if (old_section[0] != 0 && !same_text) {
        say_text(out, "-", cmd_text(o, "old_text"));
    }
    if (new_section[0] != 0) {
        say_text(out, same_text ? "=" : "+", cmd_text(o, "new_text"));
    }
    if (cmd_text(o, "status")[0] != 0) {
        lt_buf_addf(out, "    in the map: %s\n", cmd_text(o, "status"));
    }
    say_list(out, "kept by:", json_object_get(o, "kept_by"));
    say_list(out, "rules of that section:", json_object_get(o, "rules"));
    say_list(out, "profiles:", json_object_get(o, "profiles"));
    lt_buf_add_byte(out, '\n');
}

static void say_live(struct lt_buf *out, const json_t *live)
{
    size_t i;
    json_t *row;
    json_array_foreach(live, i, row)
    {
        const json_t *count = json_object_get(row, "certificates");
        lt_buf_addf(out, "profile %s: ", cmd_text(row, "profile"));
        if (json_is_integer(count)) {
            lt_buf_addf(out, "%lld valid certificates\n", (long long)json_integer_value(count));
        } else {
            lt_buf_add_cstr(out,
                            "certificates are not counted: no CA folder is given, or nobody serves it\n");
        }
    }
}

static lt_res say(const struct diff *d, const json_t *live)
{
    struct lt_buf out;
    size_t i;
    json_t *o;
    lt_buf_init(&out, (size_t)64 * 1024 * 1024);
    json_array_foreach(d->changes, i, o)
    {
        say_change(&out, o);
    }
    say_live(&out, live);
    lt_buf_addf(&out,
                "%zu statements were %zu: %zu added, %zu removed, %zu reworded, %zu moved, %zu the same\n",
                d->new.count, d->old.count, d->counts[CHANGE_ADDED], d->counts[CHANGE_REMOVED],
                d->counts[CHANGE_REWORDED] + d->counts[CHANGE_MOVED_REWORDED],
                d->counts[CHANGE_MOVED] + d->counts[CHANGE_MOVED_REWORDED], d->counts[CHANGE_NONE]);
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res say_json(const struct diff *d, json_t *live)
{
    LT_CLEANUP(cmd_json_freep) json_t *counts = json_object();
    LT_ASSERT(counts != NULL);
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        put(counts, requirements_change_name((enum change)i), json_integer((json_int_t)d->counts[i]));
    }
    LT_CLEANUP(cmd_json_freep)
    json_t *whole = json_pack("{s:O, s:O, s:O}", "counts", counts, "changes", d->changes, "profiles", live);
    LT_ASSERT(whole != NULL);
    return cmd_print_json(whole);
}

static lt_res read_edition(struct cmd *c, const char *path, struct edition *ret_edition)
{
    lt_slice text;
    LT_TRY(lt_file_read(&c->arena, AT_FDCWD, path, EDITION_MAX, &text));
    return requirements_edition(&c->arena, text, path, ret_edition);
}

static lt_res compare(struct diff *d)
{
    struct cmd *c = d->c;
    LT_CLEANUP(cmd_json_freep) json_t *live = NULL;
    LT_TRY(requirements_load(c, &d->map));
    LT_TRY(read_edition(c, c->args.words[0], &d->old));
    LT_TRY(read_edition(c, c->args.words[1], &d->new));
    LT_TRY(requirements_match(&d->old, &d->new));
    LT_TRY(requirements_profiles(c, &d->profiles));
    add_changes(d);
    LT_CLEANUP(cmd_json_freep) json_t *names = touched_profiles(d);
    LT_TRY(requirements_live(c, d->profiles, names, &live));
    return c->json ? say_json(d, live) : say(d, live);
}

static lt_res run(struct cmd *c)
{
    struct diff d = {.c = c, .changes = json_array()};
    LT_ASSERT(d.changes != NULL);
    lt_res r = compare(&d);
    requirements_profiles_free(d.profiles);
    json_decref(d.changes);
    return r;
}

static const struct cmd_option options[] = {
    {"map", "FILE", "the map (default: the one that is built in)", false, NULL},
};

const struct cmd_verb cmd_requirements_diff = {
    .name = "requirements diff",
    .words = "OLD NEW",
    .words_least = 2,
    .words_most = 2,
    .summary = "compare two editions: what changed, and what of ours it touches",
    .help = "OLD and NEW are tables of statements with the columns doc, section, title, line, kind, field,\n"
            "keywords, text. With a CA folder, its profiles and their valid certificates are counted.\n"
            "\n"
            "examples:\n"
            "  lintel requirements diff br-2.2.6.tsv br-2.3.0.tsv\n"
            "  lintel requirements diff old.tsv new.tsv --dir /srv/ca --json | jq '.changes[].rules[]'\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
