#ifndef CMD_REQUIREMENTS_H
#define CMD_REQUIREMENTS_H
/* The map of requirements (data/requirements.tsv) and the editions that it is compared with. Texts of
 * documents come from the files that the user gives; the map holds their hashes alone. */
#include <jansson.h>

#include "cmd/cmd.h"

enum { REQUIREMENTS_KEY = 40, REQUIREMENTS_ROWS_MAX = 100000 };

/* data/requirements.tsv as it was built in. */
extern const char requirements_shipped[];

enum requirement_status {
    REQUIREMENT_KEPT,
    REQUIREMENT_PROCEDURAL,
    REQUIREMENT_NOT_APPLICABLE,
    REQUIREMENT_NOT_YET
};
enum { REQUIREMENT_STATUS_COUNT = 4 };

/* A row of the map; all borrowed. */
struct requirement {
    lt_slice document;
    lt_slice edition;
    lt_slice section;
    lt_slice line;
    lt_slice key;
    lt_slice keywords;
    lt_slice summary;
    enum requirement_status status;
    lt_slice kept_by; /* empty for none */
    lt_slice reason;
};

struct requirement_map {
    struct requirement *rows; /* in the arena */
    size_t count;
};

/* requirements_map.c */
/* name: for messages. */
LT_MUST_USE lt_res requirements_read(struct lt_arena *a, lt_slice text, const char *name,
                                     struct requirement_map *ret_map);
/* --map FILE, or the shipped one. */
LT_MUST_USE lt_res requirements_load(struct cmd *c, struct requirement_map *ret_map);
const struct requirement *requirements_find(const struct requirement_map *map, lt_slice document,
                                            lt_slice section, lt_slice key);
const char *requirements_status_name(enum requirement_status status);

/* A statement of an edition; all borrowed. */
struct statement {
    lt_slice document;
    lt_slice section;
    lt_slice line;
    lt_slice field;
    lt_slice keywords;
    lt_slice text;
    char key[REQUIREMENTS_KEY]; /* as in the map */
    const uint32_t *words;      /* hashes, sorted; in the arena */
    size_t word_count;
    size_t partner; /* in the other edition; SIZE_MAX: none */
};

struct edition {
    struct statement *rows; /* in the arena */
    size_t count;
};

/* requirements_edition.c */
LT_MUST_USE lt_res requirements_edition(struct lt_arena *a, lt_slice text, const char *name,
                                        struct edition *ret_edition);

enum change {
    CHANGE_NONE,
    CHANGE_ADDED,
    CHANGE_REMOVED,
    CHANGE_REWORDED,
    CHANGE_MOVED,
    CHANGE_MOVED_REWORDED
};
enum { CHANGE_COUNT = 6 };

/* requirements_match.c: pairs the statements of each document. */
LT_MUST_USE lt_res requirements_match(struct edition *old, struct edition *new);
/* Share of the words that two statements have in common, 0 to 1000. */
unsigned requirements_likeness(const struct statement *a, const struct statement *b);
/* Either of them may be NULL. */
enum change requirements_change(const struct statement *old, const struct statement *new);
const char *requirements_change_name(enum change change);

/* requirements_touch.c: what hangs on a document or a section. */
/* Ids of the rules whose citation names that section. */
json_t *requirements_rules(lt_slice document, lt_slice section);
/* requirements_cites.c: does a citation name that section of that document? */
bool requirements_cites(const char *citation, lt_slice document, lt_slice section);
struct requirement_profiles;
/* The profiles of the CA folder when there is one, else those that are shipped. */
LT_MUST_USE lt_res requirements_profiles(struct cmd *c, struct requirement_profiles **ret_profiles);
void requirements_profiles_free(struct requirement_profiles *p);
/* Names of those that the document binds. */
json_t *requirements_profiles_of(const struct requirement_profiles *p, lt_slice document);
/* Of those: [{"profile","certificates"}], valid ones in the book; null where nobody serves. */
LT_MUST_USE lt_res requirements_live(struct cmd *c, const struct requirement_profiles *p, const json_t *names,
                                     json_t **ret_json);

#endif
