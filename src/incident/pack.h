#ifndef INCIDENT_PACK_H
#define INCIDENT_PACK_H
/* What an auditor asks for, of a period: a random sample of certificates with their evidence, approvals,
 * clocks, incidents, problem reports, promises, reviews, training, drills, each row with the event that
 * proves it. Reads the book, writes files by way of its caller; offline, for `lintel audit pack`.
 *
 * The sample is drawn by a seed that nobody chose: the hash of the last event before the period's end. Who
 * has the book draws the same again.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "store/store.h"

enum { INCIDENT_PACK_SEED_LEN = 32, INCIDENT_PACK_FILES_MAX = 24 };

struct incident_pack_file {
    const char *name; /* "clocks.csv" */
    const char *what; /* one line for the reader */
    uint64_t rows;
    uint64_t unproven; /* rows whose event was not found */
};

struct incident_pack {
    struct store *store; /* inside one view */
    lt_time from;
    lt_time until;
    uint32_t sample_ppm; /* of the certificates issued in the period: 30,000 is 3 % */
    void *self;
    lt_res (*begin)(void *self, const char *name);                 /* a new file */
    lt_res (*write)(void *self, lt_slice text);                    /* to the file that was begun last */
    void (*progress)(void *self, const char *name, uint64_t rows); /* may be NULL */
    /* Results. */
    uint8_t seed[INCIDENT_PACK_SEED_LEN];
    char seed_event[96]; /* "main 4711" */
    uint64_t issued;     /* certificates in the period */
    struct incident_pack_file files[INCIDENT_PACK_FILES_MAX];
    size_t file_count;
};
LT_MUST_USE lt_res incident_pack(struct incident_pack *p);

extern const struct store_sql incident_pack_sql[];
extern const size_t incident_pack_sql_count;

#endif
