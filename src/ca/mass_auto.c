/* What nobody has to ask for: the other certificates of a key that turns out to be compromised, and the end
 * of lists that nobody needs any more. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/config.h"
#include "ca/mass_internal.h"
#include "ca/revoke.h"

static const struct store_sql sql[] = {
    {"mass.others-of-key",
     "SELECT c.not_after_us, r.reason FROM certificate c LEFT JOIN revocation r ON r.issuer = c.issuer AND "
     "r.shard = c.shard AND r.serial = c.serial WHERE c.spki_sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM "
     "revocation_hold h WHERE h.issuer = c.issuer AND h.serial = c.serial AND h.lifted_us = 0) "
     "ORDER BY c.issuer DESC, c.serial DESC LIMIT 1000"},
    {"mass.auto-add", "INSERT INTO mass_auto (mass, most) VALUES (?1, ?2) "
                      "ON CONFLICT (mass) DO UPDATE SET most = excluded.most "
                      "WHERE excluded.most > mass_auto.most"},
    {"mass.auto-get", "SELECT most FROM mass_auto WHERE mass = ?1"},
    {"mass.list-keep",
     "INSERT INTO mass_list (mass, until_us) VALUES (?1, ?2) ON CONFLICT (mass) DO NOTHING"},
    {"mass.list-over", "SELECT mass FROM mass_list WHERE until_us <= ?1 ORDER BY until_us LIMIT 1"},
    {"mass.list-page", "SELECT tier, issuer, serial FROM mass_member WHERE mass = ?1 AND "
                       "(tier, issuer, serial) > (?2, ?3, ?4) ORDER BY tier, issuer, serial LIMIT 1000"},
    {"mass.list-drop", "DELETE FROM mass_member WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND "
                       "serial = ?4 AND state = 0"},
    {"mass.list-end", "DELETE FROM mass_list WHERE mass = ?1"},
    {"mass.list-dropped", "SELECT count, root FROM mass WHERE id = ?1"},
};
enum {
    SQL_OTHERS,
    SQL_AUTO_ADD,
    SQL_AUTO_GET,
    SQL_LIST_KEEP,
    SQL_LIST_OVER,
    SQL_LIST_PAGE,
    SQL_LIST_DROP,
    SQL_LIST_END,
    SQL_LIST_DROPPED,
};
const struct store_sql *const ca_mass_auto_sql = sql;
const size_t ca_mass_auto_sql_count = LT_COUNT(sql);

/* The list belongs to the records of the lifecycle of its certificates, and these end within 398 days:
 *= CABF-BR 5.4.3 "for at least two (2) years"
 */
enum { KEEP_DAYS = 2 * 366 + 398 };
#define KEY_ITSELF "certificate-key"

int64_t ca_mass_alone(const struct ca_turn *t)
{
    return t->book->config == NULL ? CA_MASS_ALONE_MAX : (int64_t)t->book->config->revoke_alone;
}

/* ---- a compromised key ---- */

/* Another that is not over, not held, and not yet revoked for this: among its newest ones. */
static lt_res has_others(struct ca_turn *t, lt_slice spki_sha256, bool *ret_others)
{
    struct store_rows rows;
    *ret_others = false;
    LT_TRY(store_query(t->store, &sql[SQL_OTHERS], STORE_ARGS(STORE_B(spki_sha256)), &rows));
    while (!*ret_others && store_next(&rows)) {
        bool done = !store_is_null(&rows, 1) && store_int(&rows, 1) == CA_REASON_KEY_COMPROMISE;
        *ret_others = !done && store_int(&rows, 0) > t->now.us;
    }
    return store_rows_end(&rows);
}

lt_res ca_mass_auto_add(struct ca_turn *t, int64_t id, int64_t most)
{
    return store_exec(t->store, &sql[SQL_AUTO_ADD], STORE_ARGS(STORE_I(id), STORE_I(most)), NULL);
}

/* Nobody is asked, so nobody could say why the clock had run out before it was known here. */
static const char *excuse(const struct ca_turn *t, const struct ca_mass_compromise *c)
{
    enum { CLOCK_S = 24 * 3600 };
    bool over = c->aware.us != 0 && lt_time_add_seconds(c->aware, CLOCK_S).us <= t->now.us;
    return over ? "the proof was verified only after its clock had run out" : "";
}

lt_res ca_mass_compromised(struct ca_turn *t, const struct ca_mass_compromise *c)
{
    bool others = false;
    LT_TRY(has_others(t, c->spki_sha256, &others));
    if (!others) {
        return LT_OK;
    }
    const struct ca_plan_asker by = {.operator_name = c->by_whom, .jws = c->jws};
    Ipc__MassWanted w = IPC__MASS_WANTED__INIT;
    lt_slice hash = lt_arena_copy(t->arena, c->spki_sha256);
    w.cause = lt_arena_cstr(t->arena, LT_LIT("key-compromise"));
    w.note = c->note != NULL
                 ? lt_arena_cstr(t->arena, lt_slice_cstr(c->note))
                 : lt_arena_printf(t->arena, "a certificate of this key was revoked: %s", c->by_whom);
    w.aware_us = c->aware.us;
    w.late_because = lt_arena_cstr(t->arena, lt_slice_cstr(excuse(t, c)));
    LT_ASSERT(hash.ptr != NULL && w.cause != NULL && w.note != NULL && w.late_because != NULL);
    w.spki_sha256 = (ProtobufCBinaryData){hash.len, (uint8_t *)(uintptr_t)hash.ptr};
    w.reason = CA_REASON_KEY_COMPROMISE;
    w.stop_after = -1;
    bool proven = c->proven || strcmp(c->by_whom, KEY_ITSELF) == 0;
    int64_t most = proven ? INT64_MAX : ca_mass_alone(t);
    struct ca_mass m;
    LT_TRY(ca_mass_make(t, &by, &w, &m.id));
    LT_TRY(ca_mass_auto_add(t, m.id, most));
    LT_TRY(ca_mass_load(t, m.id, &m));
    return ca_mass_auto_start(t, &m);
}

lt_res ca_mass_auto_start(struct ca_turn *t, struct ca_mass *m)
{
    struct store_rows rows;
    int64_t most = -1;
    LT_TRY(store_query(t->store, &sql[SQL_AUTO_GET], STORE_ARGS(STORE_I(m->id)), &rows));
    most = store_next(&rows) ? store_int(&rows, 0) : -1;
    LT_TRY(store_rows_end(&rows));
    if (strcmp(m->status, "proposed") != 0 || m->count > most) {
        return LT_OK;
    }
    LT_TRY(ca_mass_move(t, m, "start", ""));
    return ca_mass_event(t, m, "mass.start", NULL);
}

/* ---- lists that end ---- */

lt_res ca_mass_keep_list(struct ca_turn *t, const struct ca_mass *m)
{
    int64_t until_us = lt_time_add_seconds(t->now, (int64_t)KEEP_DAYS * LT_SECONDS_PER_DAY).us;
    return store_exec(t->store, &sql[SQL_LIST_KEEP], STORE_ARGS(STORE_I(m->id), STORE_I(until_us)), NULL);
}

struct place {
    int64_t tier;
    int64_t issuer;
    lt_slice serial;
};

/* A page behind a place; what was left out for a court's order is no part of it. */
static lt_res drop_page(struct ca_turn *t, int64_t mass, struct place *at, int64_t *ret_dropped,
                        size_t *ret_seen)
{
    struct store_rows rows;
    struct place *list = LT_NEW_ARRAY(t->arena, struct place, CA_MASS_SLICE);
    LT_ASSERT(list != NULL);
    *ret_seen = 0;
    *ret_dropped = 0;
    LT_TRY(store_query(t->store, &sql[SQL_LIST_PAGE],
                       STORE_ARGS(STORE_I(mass), STORE_I(at->tier), STORE_I(at->issuer), STORE_B(at->serial)),
                       &rows));
    while (*ret_seen < CA_MASS_SLICE && store_next(&rows)) {
        struct place *p = &list[(*ret_seen)++];
        *p = (struct place){store_int(&rows, 0), store_int(&rows, 1),
                            lt_arena_copy(t->arena, store_bytes(&rows, 2))};
        LT_ASSERT(p->serial.ptr != NULL);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < *ret_seen; i++) {
        int64_t changed = 0;
        LT_TRY(store_exec(t->store, &sql[SQL_LIST_DROP],
                          STORE_ARGS(STORE_I(mass), STORE_I(list[i].tier), STORE_I(list[i].issuer),
                                     STORE_B(list[i].serial)),
                          &changed));
        *ret_dropped += changed;
        *at = list[i];
    }
    return LT_OK;
}

static lt_res list_dropped(struct ca_turn *t, int64_t mass)
{
    struct store_rows rows;
    struct ca_body body;
    LT_TRY(store_exec(t->store, &sql[SQL_LIST_END], STORE_ARGS(STORE_I(mass)), NULL));
    LT_TRY(store_query(t->store, &sql[SQL_LIST_DROPPED], STORE_ARGS(STORE_I(mass)), &rows));
    ca_body_init(&body);
    if (store_next(&rows)) {
        ca_body_int(&body, "count", store_int(&rows, 0));
        ca_body_hex(&body, "root", store_bytes(&rows, 1));
    }
    lt_res r = store_rows_end(&rows);
    char *subject = lt_arena_printf(t->arena, "mass m%lld", (long long)mass);
    LT_ASSERT(subject != NULL);
    LT_TRY(r);
    return ca_body_event(&body, t, "mass.list-dropped", subject, LT_SLICE(NULL, 0));
}

lt_res ca_mass_drop(struct ca_turn *t, bool *ret_more)
{
    struct store_rows rows;
    int64_t mass = 0;
    *ret_more = false;
    LT_TRY(store_query(t->store, &sql[SQL_LIST_OVER], STORE_ARGS(STORE_I(t->now.us)), &rows));
    mass = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    if (mass == 0) {
        return LT_OK;
    }
    struct place at = {-1, 0, LT_LIT("")};
    int64_t dropped = 0;
    size_t seen = 0;
    do { /* pages of members that stay are stepped over */
        LT_TRY(drop_page(t, mass, &at, &dropped, &seen));
    } while (dropped == 0 && seen == CA_MASS_SLICE);
    *ret_more = true;
    return seen < CA_MASS_SLICE ? list_dropped(t, mass) : LT_OK;
}
