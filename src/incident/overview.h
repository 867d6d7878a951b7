#ifndef INCIDENT_OVERVIEW_H
#define INCIDENT_OVERVIEW_H
/* One glance: GET /api/v1/overview, the console's first page, `lintel top`. One document, 8 kB on a quiet day
 * and less than 32 on the worst; each part of it costs the same in a book of three million certificates as in
 * an empty one: counts come from the tally (ca/tally.h), lists are bounded, queues are counted up to
 * OVERVIEW_COUNT_MAX.
 *
 * Nothing in it ticks by itself but "now", its first member: who holds two of them against each other without
 * it sees whether something happened.
 *
 *   now
 *   ca         {name, version, drill, testing}
 *   held       true, false; null where the supervisor was not heard; held_reason
 *   roles      [{role, up, state, crashes}] of this host
 *   counts     {valid, revoked, expired, total, behind}: valid + revoked + expired = total; "revoked" are not
 *              expired. To the hour. behind: the book is still being counted, total is what was counted so
 * far expiry     [[day_epoch_s, valid, revoked]] of the next 120 days, today first by_profile [{profile,
 * valid, revoked}], by_issuer [{issuer, valid, revoked}]: not expired, most first rates      {minutes:
 * [[epoch_s, issued, revoked, failed]]}, the last 180, this one last next       [{id, what, duty, subject,
 * due, percent, level, status, href, incident}]: up to 8 clocks: at most 3 that were missed, then those that
 * end next incidents  [{id, title, state, severity, since, next_due, must, restricted}], open ones problems
 * {open, unread, oldest_due} masses     [{id, reason, state, tiers: [{tier, total, done}], done, total, rate,
 * eta_s, incident, plan}]: alive, or ended in the last hour halts      [{id, kind, value, reason, since}]
 *   queues     {orders: {pending, ready, processing, waiting}, mail, notices, hooks, validations, intents}
 *   crls       [{issuer, state, parts, late, broken, entries, this_update, next_update}]: the worst of its
 * parts ocsp       [{state, answered}]; empty where nothing answers event      {chain, sequence, time, kind},
 * the newest findings   [{level, text, href}], the worst 12 first worst      {level, text, href}: the first
 * of them, or "ok"
 *
 * A restricted incident is in it only for who has a role in it, and never in "overview.live", the document
 * that all consoles share; of its clocks everybody sees that one runs.
 */
#include "incident/ask.h"

enum {
    OVERVIEW_COUNT_MAX = 1000,
    OVERVIEW_MINUTES = 180,
    OVERVIEW_DAYS = 120,
    OVERVIEW_CLOCKS = 8,
    OVERVIEW_FRESH_MS = 1000, /* a reader may give an answer so old */
};

/* What a reader remembers between two of them: what an issuer's CRLs come to. To look at all parts the book
 * brings their bytes along, so it is done again when one was published, or after a minute, and then never for
 * more than a fiftieth of the time. */
enum { OVERVIEW_ISSUERS = 256 };
struct overview_parts {
    int64_t issuer;
    int64_t count;
    int64_t late;
    int64_t broken;
    int64_t entries;
    int64_t this_us; /* of the oldest */
    int64_t next_us; /* of the first that ends */
    bool expired;
};
struct overview_memory {
    int64_t read_ms; /* 0: never yet */
    int64_t took_ms;
    int64_t published_us; /* when the last CRL was, of those that are counted */
    size_t count;
    struct overview_parts crls[OVERVIEW_ISSUERS];
};

extern const struct incident_questions incident_questions_overview;
/* The statements of its other files; no questions of their own. */
extern const struct incident_questions incident_questions_overview_tally;
extern const struct incident_questions incident_questions_overview_desk;
extern const struct incident_questions incident_questions_overview_work;

#endif
