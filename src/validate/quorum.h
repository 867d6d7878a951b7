#ifndef VALIDATE_QUORUM_H
#define VALIDATE_QUORUM_H
/* Multi-Perspective Issuance Corroboration (CABF-BR 3.2.2.9): who may be a perspective, how many are asked
 * for on a day, and whether those that answered are enough. Pure; the registrar counts, and for public
 * profiles the examiner counts again.
 */
#include "base/arena.h"
#include "base/clock.h"

enum { VALIDATE_PERSPECTIVES_MAX = 32 }; /* bits of the evidence's maps */

enum validate_rir {
    VALIDATE_RIR_NONE,
    VALIDATE_RIR_AFRINIC,
    VALIDATE_RIR_APNIC,
    VALIDATE_RIR_ARIN,
    VALIDATE_RIR_LACNIC,
    VALIDATE_RIR_RIPE,
    VALIDATE_RIR_COUNT,
};

/* Degrees; north and east are positive. */
struct validate_place {
    double latitude;
    double longitude;
};

struct validate_perspective {
    const char *name;
    const char *url; /* https://host:port of `lintel perspective` */
    lt_slice spki;   /* of the key that signs its statements */
    enum validate_rir rir;
    enum validate_rir resolver_rir;
    struct validate_place place;
    struct validate_place resolver;
};

/* What the rules ask on a day. */
struct validate_quorum_row {
    const char *from;      /* RFC 3339, in force from this instant on */
    unsigned least_remote; /* perspectives asked */
    unsigned least_rirs;   /* regions of those that agree */
    bool blocking;         /* without it there is no certificate */
    const char *source;
};
extern const struct validate_quorum_row validate_quorum_rows[];
extern const size_t validate_quorum_row_count;
/* NULL before the first. */
const struct validate_quorum_row *validate_quorum_at(lt_time when);
/* The first that comes into force after that instant; NULL: none is known. */
const struct validate_quorum_row *validate_quorum_next(lt_time when);

struct validate_vote {
    const struct validate_perspective *perspective;
    bool agrees; /* a statement with this name, method and nonce, that says the same; no answer is no
                    agreement */
};

struct validate_quorum {
    unsigned asked;
    unsigned agreeing;
    unsigned rirs;   /* of the agreeing */
    uint32_t agreed; /* bit i: votes[i] */
    unsigned may_dissent;
    bool corroborated; /* no more than may_dissent did not agree, however few were asked */
    bool met;          /* the rules of the day as well: enough of them, in enough regions */
    bool blocking;     /* whether not met forbids */
    const char *why;   /* static; "" when met */
};

/* Votes of distinct perspectives (validate_perspectives_check). */
void validate_quorum_count(const struct validate_vote *votes, size_t count, lt_time when,
                           struct validate_quorum *ret_quorum);

/* Are these perspectives distinct, named once each, 500 km apart, their resolvers too and in their own
 * region? LT_PEER_MALFORMED names the two that are not. */
LT_MUST_USE lt_res validate_perspectives_check(const struct validate_perspective *list, size_t count);
/* Along the great circle, kilometres. */
double validate_distance_km(const struct validate_place *a, const struct validate_place *b);

const char *validate_rir_name(enum validate_rir rir);  /* "RIPE" */
enum validate_rir validate_rir_by_name(lt_slice name); /* VALIDATE_RIR_NONE for none */

#endif
