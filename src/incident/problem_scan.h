#ifndef INCIDENT_PROBLEM_SCAN_H
#define INCIDENT_PROBLEM_SCAN_H
/* What a stranger's text is about: serial numbers, hashes, links to crt.sh, names, clauses of the rules.
 * Pure, one walk over the text; for the mailroom. Finds, and never decides: what it overlooks is still in the
 * text. */
#include "base/arena.h"

enum { INCIDENT_SCAN_MAX = 200, INCIDENT_SCAN_NAMES_MAX = 50, INCIDENT_PROBE_LEN = 22 };

struct incident_found {
    const char *kind;  /* "serial", "sha256", "spki", "crtsh", "name", "clause": static storage */
    const char *value; /* in the arena; hexadecimal in lower case without colons */
};

struct incident_scan {
    struct incident_found list[INCIDENT_SCAN_MAX];
    size_t count;
    size_t names;
    size_t letters;    /* of all texts */
    size_t takedown;   /* words that ask for content to go */
    size_t trouble;    /* words that say what can be wrong with a certificate */
    const char *probe; /* the word of our own report; NULL: none */
};

/* Adds to what other texts of the same report have. LT_PEER_TOO_LARGE: the arena is full. */
LT_MUST_USE lt_res incident_scan_text(lt_slice text, struct lt_arena *a, struct incident_scan *s);
/* One more thing that it is about; what is there already is not added. */
LT_MUST_USE lt_res incident_scan_add(struct incident_scan *s, struct lt_arena *a, const char *kind,
                                     lt_slice value);
/* It asks for content to go, and names nothing that is a certificate. */
bool incident_scan_takedown(const struct incident_scan *s);
/* It says nothing that anybody could look at. */
bool incident_scan_hollow(const struct incident_scan *s);
/* Text as we keep it: UTF-8, where it is none read as ISO 8859-1; no control characters but ends of lines; at
 * most `most` bytes. */
LT_MUST_USE lt_res incident_scan_clean(lt_slice text, size_t most, struct lt_arena *a, lt_slice *ret_text);

#endif
