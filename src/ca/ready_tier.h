#ifndef CA_READY_TIER_H
#define CA_READY_TIER_H
/* In which order subscribers' certificates are revoked on the worst day: who replaces them by himself first,
 * who must be called last. One function decides, out of what was seen of an account, by two tables.
 *
 * Reads no book and no clock. What anybody may do in a subscriber's name (asking for renewal information of a
 * certificate, which is public) decides nothing without what only his key can do. */
#include "base/clock.h"

/* Numbers stand in the book, and in scope/fields.c. */
enum ca_ready_tier {
    CA_READY_AUTOMATIC = 1, /* asks when to renew, and does: a window is enough */
    CA_READY_UNATTENDED,    /* renews by itself at its own time: it has to be told */
    CA_READY_REACHABLE,     /* somebody reads our letters, and has agreed to help */
    CA_READY_BY_HAND,       /* somebody must be found first */
    CA_READY_HOLD_OUT,      /* will not, or says that he cannot */
};
enum { CA_READY_TIERS = 5, CA_READY_CLIENT_SIZE = 72 };

enum ca_ready_fact {
    CA_READY_POLLS = 1 << 0,
    CA_READY_TOLD = 1 << 1,
    CA_READY_RENEWS = 1 << 2,
    CA_READY_REACHED = 1 << 3,
    CA_READY_CLAUSE = 1 << 4,
    CA_READY_MANUAL = 1 << 5,
    CA_READY_INTOLERANT = 1 << 6,
    CA_READY_HELD = 1 << 7,
};

struct ca_ready_seen {
    lt_time polled;  /* renewal information, the last time; {0}: never */
    lt_time told;    /* a renewal that named what it replaces */
    lt_time renewed; /* any unattended renewal */
    lt_time reached; /* a contact was verified, and no letter has come back since */
    bool clause;     /* terms with the clause about revocation and cooperation */
    bool manual;     /* a subscriber without automation */
    bool intolerant;
    bool held;
};

struct ca_ready_judgement {
    enum ca_ready_tier tier;
    unsigned facts; /* of enum ca_ready_fact: what holds now */
    lt_time lapse;  /* the first of them to get too old; {0}: none will */
};
struct ca_ready_judgement ca_ready_judge(const struct ca_ready_seen *seen, lt_time now);

const char *ca_ready_tier_name(enum ca_ready_tier tier); /* "automatic"; "" for none of them */
/* 0: there is none of that name. */
enum ca_ready_tier ca_ready_tier_by_name(lt_slice name);
/* What it means, and what its subscriber can do to get to a better one. */
const char *ca_ready_tier_words(enum ca_ready_tier tier);
const char *ca_ready_tier_advice(enum ca_ready_tier tier);
/* The expression that selects its certificates; domains that are held out are in the last. */
const char *ca_ready_tier_scope(enum ca_ready_tier tier);

/* Facts for people: name and words of the i-th. False behind the last. */
struct ca_ready_fact_info {
    enum ca_ready_fact fact;
    const char *name;
    const char *words;
    int64_t window_s; /* how long it counts; 0: for ever */
};
bool ca_ready_fact_info(size_t i, struct ca_ready_fact_info *ret_info);

/* The product out of a User-Agent: its first word, of letters that do no harm. A client in which a person
 * answers each challenge says so, and is called "… manual". "" for none. */
void ca_ready_client(lt_slice user_agent, char ret_client[CA_READY_CLIENT_SIZE]);
bool ca_ready_client_is_manual(lt_slice client);

#endif
