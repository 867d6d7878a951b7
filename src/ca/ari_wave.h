#ifndef CA_ARI_WAVE_H
#define CA_ARI_WAVE_H
/* Waves: the plan of an incident is one row (incident_plan), and from it follows for each certificate of the
 * frozen list when it is asked to renew: by its rank in the list, tier by tier, from the first window to the
 * last. Nothing is written for a certificate. The publisher walks all certificates in the order of the list,
 * so it counts ranks as it goes; for the few that changed since, a rank is looked up by batch.
 *
 * Pure but for the store; reads only.
 */
#include "base/clock.h"
#include "base/slice.h"
#include "store/store.h"

enum { CA_WAVES_MAX = 16, CA_WAVE_TIERS = 16, CA_WAVE_URL_SIZE = 512 };

struct ca_wave {
    int64_t mass;
    int64_t as_of_us;   /* what was issued later is not in the list */
    int64_t count;      /* members */
    int64_t first_rank; /* those before it are asked at once: what replaces them is deployed */
    lt_time start;      /* the first window opens */
    lt_time end;        /* the last one closes */
    int64_t width_us;
    char url[CA_WAVE_URL_SIZE]; /* explanationURL; "": none */
};
struct ca_wave_window {
    lt_time start;
    lt_time end;
};
/* Of a rank in 0 .. count-1. The windows open evenly between start and end - width. */
struct ca_wave_window ca_wave_window(const struct ca_wave *w, int64_t rank);
/* The first rank whose window closes after that time; count where none does. */
int64_t ca_wave_late(const struct ca_wave *w, lt_time must);

/* What can be done between now and the deadline. */
struct ca_wave_wanted {
    lt_time start;
    lt_time must;     /* .us 0: none; a week then */
    lt_time until;    /* the last window closes; .us 0: as computed */
    int64_t width_us; /* 0: as computed */
    int64_t count;
    int64_t first_rank;
    int64_t per_hour;   /* replacements that can be issued */
    int64_t reserve_us; /* revoking and publishing take so long */
};
/* Fills start, end, width of the wave. Half of the time that is left, unless capacity needs more: who misses
 * his window has the other half. Over the capacity they are spread beyond the deadline, not over it. */
void ca_wave_spread(const struct ca_wave_wanted *want, struct ca_wave *ret_wave);

/* All that are in force. */
struct ca_waves;
LT_MUST_USE lt_res ca_waves_load(struct store *store, struct ca_waves **ret_waves);
void ca_waves_free(struct ca_waves *w);
size_t ca_waves_count(const struct ca_waves *w);
/* The window of a certificate; *ret_url stays NULL for one that is in none. Walking: asked in the order of
 * (issuer, serial). */
LT_MUST_USE lt_res ca_waves_walk(struct ca_waves *w, int64_t issuer, lt_slice serial,
                                 struct ca_wave_window *ret_window, const char **ret_url);
/* The same for any one, by look-ups. */
LT_MUST_USE lt_res ca_waves_find(struct ca_waves *w, int64_t issuer, lt_slice serial, lt_time issued,
                                 struct ca_wave_window *ret_window, const char **ret_url);
/* Was one set, replaced or ended at that time or later? */
LT_MUST_USE lt_res ca_waves_changed(struct store *store, lt_time since, bool *ret_changed);

extern const struct store_sql *const ca_wave_sql;
extern const size_t ca_wave_sql_count;

#endif
