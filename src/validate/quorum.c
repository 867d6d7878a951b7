/* The table of dates, and counting. */
#include "validate/quorum.h"

#include <math.h>
#include <string.h>

/* CABF-BR 3.2.2.9, phased implementation timeline. */
const struct validate_quorum_row validate_quorum_rows[] = {
    {"2025-03-15T00:00:00Z", 2, 0, false, "CABF-BR 3.2.2.9"},
    {"2025-09-15T00:00:00Z", 2, 0, true, "CABF-BR 3.2.2.9"},
    {"2026-03-15T00:00:00Z", 3, 2, true, "CABF-BR 3.2.2.9"},
    {"2026-06-15T00:00:00Z", 4, 2, true, "CABF-BR 3.2.2.9"},
    {"2026-12-15T00:00:00Z", 5, 2, true, "CABF-BR 3.2.2.9"},
};
const size_t validate_quorum_row_count = LT_COUNT(validate_quorum_rows);

/* CABF-BR 3.2.2.9, Quorum Requirements: how many may fail to corroborate. */
static const struct {
    unsigned from_asked;
    unsigned may_dissent;
} dissent[] = {{6, 2}, {2, 1}};

enum { LEAST_DISTANCE_KM = 500, EARTH_RADIUS_KM = 6371 };

static const char *const rirs[VALIDATE_RIR_COUNT] = {"", "AFRINIC", "APNIC", "ARIN", "LACNIC", "RIPE"};

const char *validate_rir_name(enum validate_rir rir)
{
    LT_ASSERT((unsigned)rir < VALIDATE_RIR_COUNT);
    return rirs[rir];
}

enum validate_rir validate_rir_by_name(lt_slice name)
{
    for (size_t i = 1; i < LT_COUNT(rirs); i++) {
        if (lt_slice_eq_nocase(name, lt_slice_cstr(rirs[i]))) {
            return (enum validate_rir)i;
        }
    }
    return VALIDATE_RIR_NONE;
}

static lt_time start_of(const struct validate_quorum_row *row)
{
    lt_time from = {0};
    lt_res r = lt_time_parse(lt_slice_cstr(row->from), &from);
    LT_ASSERT(!lt_failed(r));
    return from;
}

const struct validate_quorum_row *validate_quorum_at(lt_time when)
{
    const struct validate_quorum_row *found = NULL;
    for (size_t i = 0; i < validate_quorum_row_count; i++) {
        found = start_of(&validate_quorum_rows[i]).us <= when.us ? &validate_quorum_rows[i] : found;
    }
    return found;
}

const struct validate_quorum_row *validate_quorum_next(lt_time when)
{
    for (size_t i = 0; i < validate_quorum_row_count; i++) {
        if (start_of(&validate_quorum_rows[i]).us > when.us) {
            return &validate_quorum_rows[i];
        }
    }
    return NULL;
}

static unsigned may_dissent(unsigned asked)
{
    for (size_t i = 0; i < LT_COUNT(dissent); i++) {
        if (asked >= dissent[i].from_asked) {
            return dissent[i].may_dissent;
        }
    }
    return 0;
}

static const char *missing(const struct validate_quorum *q, const struct validate_quorum_row *row)
{
    if (q->asked < row->least_remote) {
        return "fewer perspectives were asked than the rules want";
    }
    if (!q->corroborated) {
        return "too many perspectives saw something else, or nothing";
    }
    return q->rirs < row->least_rirs ? "those that agree stand in too few regions" : "";
}

void validate_quorum_count(const struct validate_vote *votes, size_t count, lt_time when,
                           struct validate_quorum *ret_quorum)
{
    const struct validate_quorum_row *row = validate_quorum_at(when);
    unsigned regions = 0;
    LT_ASSERT(count <= VALIDATE_PERSPECTIVES_MAX);
    *ret_quorum = (struct validate_quorum){.asked = (unsigned)count, .why = ""};
    for (size_t i = 0; i < count; i++) {
        if (votes[i].agrees) {
            ret_quorum->agreeing++;
            ret_quorum->agreed |= UINT32_C(1) << i;
            regions |= 1u << votes[i].perspective->rir;
        }
    }
    ret_quorum->may_dissent = may_dissent(ret_quorum->asked);
    ret_quorum->corroborated = ret_quorum->agreeing + ret_quorum->may_dissent >= ret_quorum->asked;
    ret_quorum->rirs = (unsigned)__builtin_popcount(regions & ~1u);
    if (row != NULL) {
        ret_quorum->why = missing(ret_quorum, row);
        ret_quorum->blocking = row->blocking;
    }
    ret_quorum->met = ret_quorum->why[0] == '\0';
}

double validate_distance_km(const struct validate_place *a, const struct validate_place *b)
{
    const double degree = 3.14159265358979323846 / 180;
    double north = (b->latitude - a->latitude) * degree / 2;
    double east = (b->longitude - a->longitude) * degree / 2;
    double h = sin(north) * sin(north) +
               cos(a->latitude * degree) * cos(b->latitude * degree) * sin(east) * sin(east);
    return 2 * EARTH_RADIUS_KM * asin(sqrt(h > 1 ? 1 : h));
}

static bool on_earth(const struct validate_place *p)
{
    return p->latitude >= -90 && p->latitude <= 90 && p->longitude >= -180 && p->longitude <= 180;
}

static lt_res check_one(const struct validate_perspective *p)
{
    LT_CHECK(p->name[0] != '\0' && p->spki.len > 0, LT_PEER_MALFORMED, "a perspective without name or key");
    LT_CHECK(p->rir != VALIDATE_RIR_NONE, LT_PEER_MALFORMED,
             "perspective %s: rir is one of %s, %s, %s, %s, %s", p->name, rirs[1], rirs[2], rirs[3], rirs[4],
             rirs[5]);
    LT_CHECK(on_earth(&p->place) && on_earth(&p->resolver), LT_PEER_MALFORMED,
             "perspective %s: latitude is -90 to 90, longitude -180 to 180", p->name);
    /* CABF-BR 3.2.2.9: the resolver stands in the same service region. */
    LT_CHECK(p->resolver_rir == p->rir, LT_PEER_MALFORMED,
             "perspective %s: its resolver is in another region (%s) than itself (%s)", p->name,
             rirs[p->resolver_rir], rirs[p->rir]);
    return LT_OK;
}

static lt_res check_two(const struct validate_perspective *a, const struct validate_perspective *b)
{
    LT_CHECK(strcmp(a->name, b->name) != 0, LT_PEER_MALFORMED, "two perspectives are called %s", a->name);
    LT_CHECK(!lt_slice_eq(a->spki, b->spki), LT_PEER_MALFORMED, "perspectives %s and %s have one key",
             a->name, b->name);
    double apart = validate_distance_km(&a->place, &b->place);
    LT_CHECK(apart >= LEAST_DISTANCE_KM, LT_PEER_MALFORMED,
             "perspectives %s and %s are %.0f km apart: at least %d", a->name, b->name, apart,
             LEAST_DISTANCE_KM);
    apart = validate_distance_km(&a->resolver, &b->resolver);
    LT_CHECK(apart >= LEAST_DISTANCE_KM, LT_PEER_MALFORMED,
             "the resolvers of perspectives %s and %s are %.0f km apart: at least %d", a->name, b->name,
             apart, LEAST_DISTANCE_KM);
    return LT_OK;
}

lt_res validate_perspectives_check(const struct validate_perspective *list, size_t count)
{
    LT_CHECK(count <= VALIDATE_PERSPECTIVES_MAX, LT_PEER_TOO_LARGE, "%zu perspectives, at most %d", count,
             VALIDATE_PERSPECTIVES_MAX);
    for (size_t i = 0; i < count; i++) {
        LT_TRY(check_one(&list[i]));
        for (size_t k = 0; k < i; k++) {
            LT_TRY(check_two(&list[k], &list[i]));
        }
    }
    return LT_OK;
}
