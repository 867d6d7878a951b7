/* Which statement of the new edition is which of the old: the same text in the same section, then in another
 * one, then the likest in the same section, then one that is nearly the same elsewhere. What is left was
 * added or removed. */
#include "cmd/requirements.h"

#include <stdlib.h>
#include <string.h>

enum { LIKE_IN_SECTION = 600, LIKE_ELSEWHERE = 850, KEY_LEN = 16, PAIRS_MAX = 4 * 1024 * 1024 };

struct pair {
    uint32_t old;
    uint32_t new;
    unsigned likeness;
};

unsigned requirements_likeness(const struct statement *a, const struct statement *b)
{
    size_t common = 0;
    size_t i = 0;
    size_t k = 0;
    while (i < a->word_count && k < b->word_count) {
        if (a->words[i] == b->words[k]) {
            common++;
            i++;
            k++;
        } else if (a->words[i] < b->words[k]) {
            i++;
        } else {
            k++;
        }
    }
    size_t all = a->word_count + b->word_count;
    return all == 0 ? 1000 : (unsigned)(2000 * common / all);
}

static bool same_section(const struct statement *a, const struct statement *b)
{
    return lt_slice_eq(a->section, b->section);
}

static bool same_document(const struct statement *a, const struct statement *b)
{
    return lt_slice_eq(a->document, b->document);
}

static void join(struct edition *old, struct edition *new, size_t o, size_t n)
{
    old->rows[o].partner = n;
    new->rows[n].partner = o;
}

/* whole: "~2" counts, and the section. */
static void match_text(struct edition *old, struct edition *new, bool whole)
{
    for (size_t n = 0; n < new->count; n++) {
        for (size_t o = 0; o < old->count && new->rows[n].partner == SIZE_MAX; o++) {
            const struct statement *a = &old->rows[o];
            const struct statement *b = &new->rows[n];
            bool same = whole ? strcmp(a->key, b->key) == 0 && same_section(a, b)
                              : strncmp(a->key, b->key, KEY_LEN) == 0;
            if (same && a->partner == SIZE_MAX && same_document(a, b)) {
                join(old, new, o, n);
            }
        }
    }
}

static int likest_first(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;
    if (x->likeness != y->likeness) {
        return x->likeness > y->likeness ? -1 : 1;
    }
    return x->new != y->new ? (x->new < y->new ? -1 : 1) : x->old < y->old ? -1 : x->old > y->old;
}

/* Every pair that is alike enough; pairs may be NULL, then they are only counted. */
static size_t find_pairs(const struct edition *old, const struct edition *new, bool in_section,
                         struct pair *pairs)
{
    size_t count = 0;
    for (size_t n = 0; n < new->count; n++) {
        for (size_t o = 0; o < old->count && new->rows[n].partner == SIZE_MAX; o++) {
            const struct statement *a = &old->rows[o];
            const struct statement *b = &new->rows[n];
            if (a->partner != SIZE_MAX || !same_document(a, b) || (in_section && !same_section(a, b))) {
                continue;
            }
            unsigned likeness = requirements_likeness(a, b);
            if (likeness < (in_section ? LIKE_IN_SECTION : LIKE_ELSEWHERE)) {
                continue;
            }
            if (pairs != NULL) {
                pairs[count] = (struct pair){(uint32_t)o, (uint32_t)n, likeness};
            }
            count++;
        }
    }
    return count;
}

static lt_res match_likeness(struct edition *old, struct edition *new, bool in_section)
{
    size_t count = find_pairs(old, new, in_section, NULL);
    LT_CHECK(count <= PAIRS_MAX, LT_PEER_TOO_LARGE, "the editions have too many statements that are alike");
    struct pair *pairs = calloc(count + 1, sizeof(*pairs));
    LT_ASSERT(pairs != NULL);
    (void)find_pairs(old, new, in_section, pairs); /* as many as were counted */
    qsort(pairs, count, sizeof(*pairs), likest_first);
    for (size_t i = 0; i < count; i++) {
        if (old->rows[pairs[i].old].partner == SIZE_MAX && new->rows[pairs[i].new].partner == SIZE_MAX) {
            join(old, new, pairs[i].old, pairs[i].new);
        }
    }
    free(pairs);
    return LT_OK;
}

lt_res requirements_match(struct edition *old, struct edition *new)
{
    match_text(old, new, true);
    match_text(old, new, false);
    LT_TRY(match_likeness(old, new, true));
    return match_likeness(old, new, false);
}

enum change requirements_change(const struct statement *old, const struct statement *new)
{
    if (old == NULL || new == NULL) {
        return old == NULL ? CHANGE_ADDED : CHANGE_REMOVED;
    }
    bool same_text = strncmp(old->key, new->key, KEY_LEN) == 0;
    if (same_section(old, new)) {
        return same_text ? CHANGE_NONE : CHANGE_REWORDED;
    }
    return same_text ? CHANGE_MOVED : CHANGE_MOVED_REWORDED;
}

const char *requirements_change_name(enum change change)
{
    static const char *const names[CHANGE_COUNT] = {
        [CHANGE_NONE] = "same",         [CHANGE_ADDED] = "added", [CHANGE_REMOVED] = "removed",
        [CHANGE_REWORDED] = "reworded", [CHANGE_MOVED] = "moved", [CHANGE_MOVED_REWORDED] = "moved-reworded",
    };
    return names[change];
}
