/* The world outside a drill: clients that react to their renewal windows. So many of every hundred members
 * that were not replaced count as replaced and deployed from here on, each by a row as a real successor would
 * write it, but of no certificate: nothing is issued. A drill's own book alone takes it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/scratch_book.h"
#include "ca/truth.h"
#include "incident/drill.h"

#define MEMBERS                                                                                         \
    "SELECT m.tier, m.issuer, m.serial, "                                                               \
    "(SELECT max(t.step) FROM certificate_truth t WHERE t.issuer = m.issuer AND t.serial = m.serial), " \
    "(SELECT t.state FROM certificate_truth t WHERE t.issuer = m.issuer AND t.serial = m.serial "       \
    "ORDER BY t.step DESC LIMIT 1) FROM mass_member m "

static const struct store_sql sql[] = {
    {"react.next", "SELECT coalesce(max(id), 0) + 1 FROM drill_reaction"},
    {"react.add", "INSERT INTO drill_reaction (id, mass, percent, at_tier, at_issuer, at_serial, looked, "
                  "reacted, ended_us) "
                  "VALUES (?1, ?2, ?3, 0, 0, ?4, 0, 0, 0)"},
    {"react.live", "SELECT id, mass, percent, at_tier, at_issuer, at_serial FROM drill_reaction "
                   "WHERE ended_us = 0 ORDER BY id LIMIT 1"},
    {"react.members", MEMBERS "WHERE m.mass = ?1 AND (m.tier, m.issuer, m.serial) > (?2, ?3, ?4) "
                              "ORDER BY m.tier, m.issuer, m.serial LIMIT ?5"},
    {"react.truth",
     "INSERT INTO certificate_truth (issuer, serial, step, state, event, since_us, by_issuer, by_serial) "
     "VALUES (?1, ?2, ?3, 2, 'drill', ?4, 0, ?5)"},
    {"react.at", "UPDATE drill_reaction SET at_tier = ?2, at_issuer = ?3, at_serial = ?4, "
                 "looked = looked + ?5, reacted = reacted + ?6, ended_us = ?7 WHERE id = ?1"},
};
enum { SQL_NEXT, SQL_ADD, SQL_LIVE, SQL_MEMBERS, SQL_TRUTH, SQL_AT };
const struct incident_sql drill_react_sql = {sql, LT_COUNT(sql)};

enum { MEMBERS_SLICE = 1000, SERIAL_MAX = 20 };

lt_res drill_react(struct incident_call *c)
{
    struct store_rows rows;
    struct ca_body body;
    int64_t id = 1;
    uint64_t mass = 0;
    const char *name = incident_text(c, "mass");
    LT_TRY(ca_scratch_book_check(c->t->store, true));
    LT_CHECK(name[0] == 'm' && !lt_failed(lt_parse_u64(lt_slice_cstr(name + 1), INT64_MAX, &mass)),
             LT_PEER_USAGE, "\"%.40s\" is no mass revocation", name);
    LT_TRY(store_query(c->t->store, &sql[SQL_NEXT], STORE_NO_ARGS, &rows));
    id = store_next(&rows) ? store_int(&rows, 0) : 1;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_exec(
        c->t->store, &sql[SQL_ADD],
        STORE_ARGS(STORE_I(id), STORE_I(mass), STORE_I(incident_number(c, "percent")), STORE_B(LT_LIT(""))),
        NULL));
    ca_body_init(&body);
    ca_body_str(&body, "mass", name);
    ca_body_int(&body, "percent", incident_number(c, "percent"));
    LT_TRY(ca_body_event(&body, c->t, "drill.react", name, c->jws));
    ca_body_init(&body);
    ca_body_int(&body, "id", id);
    return ca_body_cstr(&body, c->t->arena, &c->json);
}

struct reaction {
    int64_t id;
    int64_t mass;
    int64_t percent;
    int64_t tier;
    int64_t issuer;
    uint8_t serial[SERIAL_MAX];
    size_t serial_len;
    int64_t looked;
    int64_t reacted;
};

static void take_at(struct reaction *r, const struct store_rows *rows, int column)
{
    lt_slice serial = lt_slice_sub(store_bytes(rows, column + 2), 0, SERIAL_MAX);
    r->tier = store_int(rows, column);
    r->issuer = store_int(rows, column + 1);
    r->serial_len = serial.len;
    if (serial.len > 0) {
        memcpy(r->serial, serial.ptr, serial.len);
    }
}

/* The serial numbers are random: two bytes of one choose. */
static bool chosen(const struct reaction *r)
{
    size_t at = r->serial_len;
    unsigned drawn = at < 2 ? 0 : (unsigned)r->serial[at - 1] << 8 | r->serial[at - 2];
    return drawn % 100 < (unsigned)r->percent;
}

struct member {
    int64_t issuer;
    uint8_t serial[SERIAL_MAX];
    size_t serial_len;
    int64_t step;
};

static lt_res slice(struct ca_turn *t, struct reaction *r, struct member *list, size_t *ret_count)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_MEMBERS],
                       STORE_ARGS(STORE_I(r->mass), STORE_I(r->tier), STORE_I(r->issuer),
                                  STORE_B(LT_SLICE(r->serial, r->serial_len)), STORE_I(MEMBERS_SLICE)),
                       &rows));
    *ret_count = 0;
    while (store_next(&rows)) {
        int64_t state = store_int(&rows, 4);
        take_at(r, &rows, 0);
        r->looked++;
        if (state != CA_TRUTH_DEPLOYED && state != CA_TRUTH_NOT_SEEN && chosen(r)) {
            struct member *m = &list[(*ret_count)++];
            *m = (struct member){
                .issuer = r->issuer, .serial_len = r->serial_len, .step = store_int(&rows, 3) + 1};
            memcpy(m->serial, r->serial, sizeof m->serial);
        }
    }
    return store_rows_end(&rows);
}

static lt_res step(struct ca_turn *t, struct reaction *r)
{
    static struct member list[MEMBERS_SLICE];
    size_t count = 0;
    LT_TRY(slice(t, r, list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(store_exec(t->store, &sql[SQL_TRUTH],
                          STORE_ARGS(STORE_I(list[i].issuer),
                                     STORE_B(LT_SLICE(list[i].serial, list[i].serial_len)),
                                     STORE_I(list[i].step), STORE_I(t->now.us), STORE_B(LT_LIT(""))),
                          NULL));
    }
    r->reacted = (int64_t)count;
    return store_exec(t->store, &sql[SQL_AT],
                      STORE_ARGS(STORE_I(r->id), STORE_I(r->tier), STORE_I(r->issuer),
                                 STORE_B(LT_SLICE(r->serial, r->serial_len)), STORE_I(r->looked),
                                 STORE_I(r->reacted), STORE_I(r->looked < MEMBERS_SLICE ? t->now.us : 0)),
                      NULL);
}

lt_res drill_react_beat(struct ca_turn *t, bool *ret_more)
{
    struct store_rows rows;
    struct reaction r = {0};
    LT_TRY(store_query(t->store, &sql[SQL_LIVE], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        r.id = store_int(&rows, 0);
        r.mass = store_int(&rows, 1);
        r.percent = store_int(&rows, 2);
        take_at(&r, &rows, 3);
    }
    LT_TRY(store_rows_end(&rows));
    if (r.id == 0) {
        return LT_OK;
    }
    LT_TRY(ca_scratch_book_check(t->store, true)); /* whoever wrote the row */
    LT_TRY(step(t, &r));
    *ret_more = true;
    return LT_OK;
}
