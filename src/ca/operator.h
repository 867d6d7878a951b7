#ifndef CA_OPERATOR_H
#define CA_OPERATOR_H
/* Operators: people with roles and keys of their own, one root-owned file each, operators/NAME.json:
 *   {"name": "admin", "roles": ["operator", "approver"], "alg": "EdDSA", "spki": "BASE64URL of DER",
 *    "added": "RFC 3339"}
 * Registrar and examiner read the folder at start and on SIGHUP, each for itself.
 *
 * Where the console is used there may also be: "enrolments", a list of {"spki", "expires"}, the keys of links
 * by which a passkey becomes theirs; "refused", a list of the SHA-256 (base64url) of ids of passkeys that are
 * theirs no more; "certificate": true, when a client certificate of their key logs them in.
 *
 * Refuses: files that do not say exactly that, names that differ from their file, two operators with one
 * key, more than 256 of them. Uses no book: ca_rules.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

enum ca_operator_role {
    CA_ROLE_VIEWER = 1 << 0,
    CA_ROLE_OPERATOR = 1 << 1, /* may propose plans, add halts, revoke */
    CA_ROLE_APPROVER = 1 << 2, /* may sign approvals */
    CA_ROLE_AUDITOR = 1 << 3,
    CA_ROLE_INTAKE = 1 << 4, /* may bring in problem reports, and nothing else: the key of a mail server */
};

struct ca_enrolment {
    lt_slice spki; /* P-256 */
    lt_time expires;
};

struct ca_operator {
    const char *name;
    unsigned roles;  /* of enum ca_operator_role */
    const char *alg; /* "EdDSA", "ES256", "ES384", "RS256" */
    lt_slice spki;
    uint8_t thumbprint[32]; /* SHA-256 of spki */
    lt_time added;
    struct ca_enrolment *enrolments; /* in the arena, as the next */
    size_t enrolment_count;
    lt_slice *refused;
    size_t refused_count;
    bool certificate;
};

struct ca_passkeys; /* ca/passkey.h */
struct ca_origins;

struct ca_operators {
    struct lt_arena arena;    /* owned */
    struct ca_operator *list; /* in arena, by name */
    size_t count;
    /* Of who judges approvals by passkey, and their owner's; NULL: none counts (ca/passkey.h). */
    const struct ca_passkeys *passkeys;
    const struct ca_origins *origins; /* NULL: of any page */
    bool past;                        /* of the audit: passkeys that were taken back since were good then */
};

enum {
    CA_OPERATORS_MAX = 256,
    CA_OPERATOR_FILE_MAX = 16384,
    CA_OPERATOR_NAME_MAX = 63,
    CA_ENROLMENTS_MAX = 8, /* links of one operator that are open at a time */
    CA_REFUSED_MAX = 64,   /* passkeys of one operator */
};

/* All *.json of the folder; a missing folder is no operators. */
LT_MUST_USE lt_res ca_operators_load(int folder_fd, const char *folder, struct ca_operators *ret_operators);
void ca_operators_done(struct ca_operators *o);
const struct ca_operator *ca_operator_by_name(const struct ca_operators *o, lt_slice name);

LT_MUST_USE lt_res ca_operator_parse(struct lt_arena *a, lt_slice json, struct ca_operator *ret_operator);
/* The file's text. */
LT_MUST_USE lt_res ca_operator_print(const struct ca_operator *o, struct lt_buf *out);
/* Lower-case letters, digits, '-', '.', '_', starting with a letter, at most 63. */
bool ca_operator_name_valid(lt_slice name);
/* 0 for an unknown word. */
unsigned ca_operator_role_by_name(lt_slice word);
/* The words of a set of roles as a JSON array. */
void ca_operator_roles_json(unsigned roles, struct lt_buf *out);

#endif
