#ifndef INCIDENT_FORM_H
#define INCIDENT_FORM_H
/* The incident desk's part of the operator API as it stands on the wire, for the notary: which paths there
 * are, and which members a signed change may have. A row for each; reading a payload is one loop over its
 * row. No book.
 *
 * A change is POST of a flattened JWS, as everywhere in the API (ca/api.h); a question is GET with the
 * parameters of every list, or POST of a text.
 *
 * Refuses: a member that the row does not name, one that is missing, of another type, or too long; each by
 * its name.
 */
#include "ca/api.h"

enum incident_type {
    INCIDENT_TEXT,   /* max: bytes */
    INCIDENT_TEXTS,  /* an array of them, at most INCIDENT_TEXTS_MAX: a value for each */
    INCIDENT_NUMBER, /* max: the largest */
    INCIDENT_TIME,   /* RFC 3339 */
    INCIDENT_HEX,    /* max: bytes */
    INCIDENT_BASE64, /* base64url without padding; max: bytes */
    INCIDENT_FLAG,
    INCIDENT_SCOPE, /* an expression: parsed here, handed on in its canonical form */
    INCIDENT_PROOF, /* an array of base64url: proofs that a key is compromised, verified here
                       (incident/proof.h) */
};

enum { INCIDENT_TEXTS_MAX = 100, INCIDENT_TEXT_MAX = 32 * 1024 };

struct incident_field {
    const char *name;
    enum incident_type type;
    bool needed;
    size_t max;
};

struct incident_form {
    struct ca_api_route route; /* kind CA_API_CALL; of a question CA_API_QUERY, without fields */
    const struct incident_field *fields;
    size_t field_count;
};

struct incident_forms {
    const struct incident_form *forms;
    size_t count;
};

/* One for each area of this room: its own file AREA_forms.c. */
extern const struct incident_forms incident_forms_case;
extern const struct incident_forms incident_forms_drill;
extern const struct incident_forms incident_forms_duty;
extern const struct incident_forms incident_forms_learn;
extern const struct incident_forms incident_forms_notice;
extern const struct incident_forms incident_forms_problem;
extern const struct incident_forms incident_forms_proof;
extern const struct incident_forms incident_forms_report;
extern const struct incident_forms incident_forms_watch;

/* As ca_api_find, among our paths. */
LT_MUST_USE lt_res incident_form_find(lt_slice method, lt_slice path, struct lt_arena *a,
                                      struct ca_api_target *ret_target);
/* Who may read the question of that name; 0: none of ours. */
unsigned incident_form_readers(const char *what);
/* Is that target one of ours? */
const struct incident_form *incident_form_of(const struct ca_api_target *target);
/* Typed arguments of a verified request, in ret_call->desk. */
LT_MUST_USE lt_res incident_form_read(const struct ca_api_target *target, const struct jws *jws,
                                      struct lt_arena *a, Ipc__OperatorCall *ret_call);
/* The members of one payload by one row; incident_form_read without the request around it. */
LT_MUST_USE lt_res incident_form_take(const struct incident_form *form, json_t *payload, struct lt_arena *a,
                                      Ipc__DeskWanted **ret_wanted);
/* Every area's row, for the test that holds them against what answers. */
extern const struct incident_forms *const incident_form_areas[];
extern const size_t incident_form_area_count;

#endif
