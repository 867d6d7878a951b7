/* How many certificates there are, when they expire, what was done in each minute: out of the tally. */
#include <stdlib.h>

#include "incident/overview_private.h"

enum { SQL_TALLY, SQL_MINUTES, SQL_WALK };
static const struct store_sql sql[] = {
    [SQL_TALLY] = {"overview.tally", "SELECT hour, issuer, profile, certificates, revoked FROM tally "
                                     "WHERE hour >= ?1 ORDER BY hour"},
    [SQL_MINUTES] = {"overview.minutes", "SELECT minute, issued, revoked, failed FROM tally_minute "
                                         "WHERE minute >= ?1 ORDER BY minute"},
    [SQL_WALK] = {"overview.walk", "SELECT ended_us FROM tally_walk WHERE id = 1"},
};
static const struct ca_query_sql tables = {sql, LT_COUNT(sql)};
const struct incident_questions incident_questions_overview_tally = {NULL, 0, &tables};

enum { HOUR_S = 3600, DAY_H = 24, MINUTE_S = 60, GROUPS_MAX = 1024, GROUPS_SHOWN = 16 };

struct sum {
    int64_t id; /* of a profile or an issuer */
    int64_t valid;
    int64_t revoked;
};
struct groups {
    struct sum list[GROUPS_MAX];
    size_t count;
};
struct tally {
    struct sum all;
    int64_t expired;
    struct sum days[OVERVIEW_DAYS];
    struct groups profiles;
    struct groups issuers;
};

static void add(struct sum *s, int64_t certificates, int64_t revoked)
{
    s->valid += certificates - revoked;
    s->revoked += revoked;
}

/* Few at a time: the last one is mostly the next one's. */
static struct sum *group_of(struct groups *g, int64_t id)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->list[i].id == id) {
            return &g->list[i];
        }
    }
    if (g->count < GROUPS_MAX) {
        g->list[g->count++] = (struct sum){.id = id};
    }
    return &g->list[g->count - 1];
}

static lt_res collect(const struct overview *o, struct tally *t)
{
    struct store_rows rows;
    int64_t this_hour = o->query->now.us / LT_US_PER_SECOND / HOUR_S;
    LT_TRY(store_query(o->query->store, &sql[SQL_TALLY], STORE_ARGS(STORE_I(-1)), &rows));
    while (store_next(&rows)) {
        int64_t hour = store_int(&rows, 0);
        int64_t certificates = store_int(&rows, 3);
        int64_t revoked = store_int(&rows, 4);
        int64_t day = hour / DAY_H - this_hour / DAY_H;
        if (hour < this_hour) {
            t->expired += certificates;
            continue;
        }
        add(&t->all, certificates, revoked);
        add(group_of(&t->issuers, store_int(&rows, 1)), certificates, revoked);
        add(group_of(&t->profiles, store_int(&rows, 2)), certificates, revoked);
        if (day < OVERVIEW_DAYS) {
            add(&t->days[day], certificates, revoked);
        }
    }
    return store_rows_end(&rows);
}

static int most_first(const void *a, const void *b)
{
    const struct sum *x = a;
    const struct sum *y = b;
    return x->valid != y->valid ? (x->valid < y->valid) - (x->valid > y->valid)
                                : (x->id > y->id) - (x->id < y->id);
}

static void write_group(struct query_out *out, const char *member, const char *name, const struct sum *s)
{
    query_open(out, NULL, '{');
    query_cstr(out, member, name);
    query_int(out, "valid", s->valid);
    query_int(out, "revoked", s->revoked);
    query_close(out, '}');
}

static void write_groups(struct overview *o, const struct query_tables *names, const char *member,
                         struct groups *g)
{
    bool of_profiles = member[0] == 'p';
    struct sum others = {.id = 0};
    qsort(g->list, g->count, sizeof g->list[0], most_first);
    query_open(o->out, of_profiles ? "by_profile" : "by_issuer", '[');
    for (size_t i = 0; i < g->count; i++) {
        const struct query_issuer *issuer = query_issuer_by_id(names, g->list[i].id);
        const char *name = of_profiles      ? query_profile_name(names, g->list[i].id)
                           : issuer == NULL ? ""
                                            : issuer->name;
        if (i < GROUPS_SHOWN) {
            write_group(o->out, member, name, &g->list[i]);
        } else {
            others.valid += g->list[i].valid;
            others.revoked += g->list[i].revoked;
        }
    }
    if (g->count > GROUPS_SHOWN) {
        write_group(o->out, member, "others", &others);
    }
    query_close(o->out, ']');
}

static void write_row(struct query_out *out, const int64_t *numbers, size_t count)
{
    query_open(out, NULL, '[');
    for (size_t i = 0; i < count; i++) {
        query_int(out, NULL, numbers[i]);
    }
    query_close(out, ']');
}

static void write_days(struct overview *o, const struct tally *t)
{
    int64_t today = o->query->now.us / LT_US_PER_SECOND / LT_SECONDS_PER_DAY;
    query_open(o->out, "expiry", '[');
    for (int64_t i = 0; i < OVERVIEW_DAYS; i++) {
        const int64_t row[] = {(today + i) * LT_SECONDS_PER_DAY, t->days[i].valid, t->days[i].revoked};
        write_row(o->out, row, LT_COUNT(row));
    }
    query_close(o->out, ']');
}

enum { ISSUED, REVOKED, FAILED, RATES };

static lt_res write_minutes(struct overview *o)
{
    struct store_rows rows;
    int64_t minutes[OVERVIEW_MINUTES][RATES] = {{0}};
    int64_t first = o->query->now.us / LT_US_PER_SECOND / MINUTE_S - OVERVIEW_MINUTES + 1;
    LT_TRY(store_query(o->query->store, &sql[SQL_MINUTES], STORE_ARGS(STORE_I(first)), &rows));
    while (store_next(&rows)) {
        int64_t at = store_int(&rows, 0) - first;
        for (int i = 0; at >= 0 && at < OVERVIEW_MINUTES && i < RATES; i++) { /* of each host */
            minutes[at][i] += store_int(&rows, i + 1);
        }
    }
    LT_TRY(store_rows_end(&rows));
    query_open(o->out, "rates", '{');
    query_open(o->out, "minutes", '[');
    for (int64_t i = 0; i < OVERVIEW_MINUTES; i++) {
        const int64_t row[] = {(first + i) * MINUTE_S, minutes[i][ISSUED], minutes[i][REVOKED],
                               minutes[i][FAILED]};
        write_row(o->out, row, LT_COUNT(row));
    }
    query_close(o->out, ']');
    query_close(o->out, '}');
    return LT_OK;
}

lt_res overview_tally(struct overview *o)
{
    struct query_tables names;
    int64_t ended = 0;
    struct tally *t = LT_NEW(o->query->arena, struct tally);
    LT_CHECK(t != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    *t = (struct tally){.expired = 0};
    LT_TRY(query_tables_load(o->query, &names));
    LT_TRY(overview_number(o, &sql[SQL_WALK], STORE_NO_ARGS, &ended));
    LT_TRY(collect(o, t));
    query_open(o->out, "counts", '{');
    query_int(o->out, "valid", t->all.valid);
    query_int(o->out, "revoked", t->all.revoked);
    query_int(o->out, "expired", t->expired);
    query_int(o->out, "total", t->all.valid + t->all.revoked + t->expired);
    query_bool(o->out, "behind", ended == 0);
    query_close(o->out, '}');
    write_days(o, t);
    write_groups(o, &names, "profile", &t->profiles);
    write_groups(o, &names, "issuer", &t->issuers);
    return write_minutes(o);
}
