#ifndef CA_BODY_H
#define CA_BODY_H
/* A flat JSON object written member by member: bodies of events, answers to operators. Keys are constants of
 * the program. Heap backed: ca_body_done, or one of the two that end it. */
#include "base/buf.h"
#include "ca/turn.h"

struct ca_body {
    struct lt_buf text; /* owned */
    bool more;
};

void ca_body_init(struct ca_body *b);
void ca_body_done(struct ca_body *b);
void ca_body_str(struct ca_body *b, const char *key, const char *value);
void ca_body_text(struct ca_body *b, const char *key, lt_slice value);
void ca_body_int(struct ca_body *b, const char *key, int64_t value);
/* Ids are over 2^53: they go as decimal strings. */
void ca_body_id(struct ca_body *b, const char *key, int64_t value);
void ca_body_bool(struct ca_body *b, const char *key, bool value);
void ca_body_hex(struct ca_body *b, const char *key, lt_slice value);
void ca_body_time(struct ca_body *b, const char *key, lt_time value);
/* Value is JSON already. */
void ca_body_json(struct ca_body *b, const char *key, lt_slice json);

/* Ends the object and appends the event; frees the body whatever happens. */
LT_MUST_USE lt_res ca_body_event(struct ca_body *b, struct ca_turn *t, const char *kind, const char *subject,
                                 lt_slice attachment);
/* Ends the object as a string in the arena; frees the body. */
LT_MUST_USE lt_res ca_body_cstr(struct ca_body *b, struct lt_arena *a, const char **ret_text);

#endif
