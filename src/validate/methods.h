#ifndef VALIDATE_METHODS_H
#define VALIDATE_METHODS_H
/* Every way to prove control that the Baseline Requirements know and Lintel knows with them, as rows: their
 * number, since when and until when it may be used, what it is good for and how long its result may be used
 * again. Pure data: for the registrar, which offers, the notary, the examiner, which judges, and the
 * validator, which does. What a row's validator does is in http01.c, dns01.c, tlsalpn01.c, byhand.c. */
#include "base/clock.h"

/* What a method needs of the world. */
enum validate_kind {
    VALIDATE_KIND_HTTP,
    VALIDATE_KIND_TLS,
    VALIDATE_KIND_DNS,
    VALIDATE_KIND_MAIL, /* the DNS says whom to write to; the registrar has it done */
    VALIDATE_KIND_CAA,  /* no proof of control: CAA alone, asked again before issuance */
};

/* What a question by it holds; question.c tells whether that could prove anything. */
enum validate_form {
    VALIDATE_FORM_TOKEN,         /* token and key authorization */
    VALIDATE_FORM_TOKEN_ACCOUNT, /* and the account's URL */
    VALIDATE_FORM_ACCOUNT,       /* the account's URL alone */
    VALIDATE_FORM_BY_HAND,       /* the place and a random value */
    VALIDATE_FORM_CONTACT,       /* a mail address */
    VALIDATE_FORM_CAA,           /* the method of the proof */
};

/* One row for each pair of method and identifier type. All strings are static. */
struct validate_method {
    const char *name;       /* "http-01": of ACME, of RFC 8657's validationmethods, or our own word */
    const char *identifier; /* "dns" or "ip" */
    const char *section;    /* "3.2.2.4.19"; "" for CAA */
    const char *ruleset;    /* "BR 2.2.6 3.2.2.4.19": what a statement says */
    const char *title;      /* the BR's heading */
    enum validate_kind kind;
    enum validate_form form;
    bool acme;               /* a challenge of ACME; otherwise by hand, with a random value */
    bool wildcard;           /* good for "*." below the name */
    bool subdomains;         /* good for every name below the name, too (BR's note) */
    bool persistent;         /* no token: a record that stays, with the account's URI */
    bool runs;               /* the validator does it */
    const char *from;        /* RFC 3339: first instant at which the BR allow it */
    const char *until;       /* first instant at which they do not; "" for no end in sight */
    unsigned token_max_days; /* age of the token or random value; 0: it has none */
    unsigned reuse_max_days; /* of the result; 0: the ladder of BR 4.2.1 alone */
};

extern const struct validate_method validate_methods[];
extern const size_t validate_method_count;
#define VALIDATE_BR_VERSION "2.2.6"

/* NULL for an unknown one. identifier: "dns" or "ip". */
const struct validate_method *validate_method_find(const char *name, const char *identifier);
/* The row that stands in a statement: by its ruleset and method. */
const struct validate_method *validate_method_by_ruleset(const char *ruleset, const char *name);
/* As a CAA record names it in validationmethods (RFC 8657): ACME's word, or "ca-" before ours. */
enum { VALIDATE_METHOD_LABEL = 64 };
const char *validate_method_label(const char *name, char text[VALIDATE_METHOD_LABEL]);
/* May it be used at this instant? */
bool validate_method_in_force(const struct validate_method *m, lt_time when);
/* For how many seconds a result obtained at `when` may be used: the least of the row and BR 4.2.1's ladder.
 */
int64_t validate_method_reuse_s(const struct validate_method *m, lt_time when);
/* Why a request of this kind cannot be served, or NULL: not in force, no wildcards, … Static storage. */
const char *validate_method_refusal(const struct validate_method *m, bool wildcard, lt_time when);

/* Names that no method here is good for, before anything is asked: NULL, or why (static storage). */
const char *validate_name_refusal(lt_slice name);

#endif
