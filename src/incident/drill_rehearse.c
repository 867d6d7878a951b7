/* Rehearsals on certificates that are in use: their renewal windows are moved, as an incident would move
 * them, and put back when the rehearsal is over. Who reacted is whoever has replaced a certificate since (the
 * reader counts). No certificate is revoked, nothing is halted, nobody is written to. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "incident/drill.h"

static const struct store_sql sql[] = {
    {"rehearse.next", "SELECT coalesce(max(id), 0) + 1 FROM drill_rehearsal"},
    {"rehearse.add",
     "INSERT INTO drill_rehearsal (id, status, note, explanation, start_us, end_us, until_us, count, "
     "reacted, "
     "ended_us, made_us, made_by) VALUES (?1, 'running', ?2, ?3, ?4, ?5, ?6, 0, 0, 0, ?7, ?8)"},
    {"rehearse.get",
     "SELECT status, start_us, end_us, explanation, count FROM drill_rehearsal WHERE id = ?1"},
    {"rehearse.certificate",
     "SELECT c.account, c.not_after_us, r.reason, coalesce(w.start_us, 0) FROM certificate c "
     "LEFT JOIN revocation r ON r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial "
     "LEFT JOIN renewal_window w ON w.issuer = c.issuer AND w.serial = c.serial "
     "WHERE c.issuer = ?1 AND c.serial = ?2 AND c.copy = 0"},
    {"rehearse.issuer", "SELECT id FROM issuer WHERE name = ?1"},
    {"rehearse.member", "INSERT INTO drill_rehearsed (rehearsal, issuer, serial, account, since_us, back) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT DO NOTHING"},
    {"rehearse.window",
     "INSERT INTO renewal_window (issuer, serial, start_us, end_us, url, set_us) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (issuer, serial) DO UPDATE SET start_us = "
     "excluded.start_us, end_us = excluded.end_us, url = excluded.url, set_us = excluded.set_us "
     "WHERE renewal_window.start_us = 0"},
    {"rehearse.counted", "UPDATE drill_rehearsal SET count = count + ?2 WHERE id = ?1"},
    {"rehearse.over",
     "UPDATE drill_rehearsal SET status = 'over', ended_us = ?2 WHERE id = ?1 AND status = 'running'"},
    {"rehearse.due", "SELECT id FROM drill_rehearsal WHERE status <> 'over' AND until_us <= ?1 "
                     "ORDER BY until_us LIMIT 1"},
    {"rehearse.back", "SELECT issuer, serial FROM drill_rehearsed WHERE rehearsal = ?1 AND back = 0 "
                      "ORDER BY issuer, serial LIMIT ?2"},
    /* One that was moved since is an incident's. A window of 0 is none; as a row that has changed, gateways
     * hear of it within a second, of one that is gone not before the next hour. */
    {"rehearse.unset", "UPDATE renewal_window SET start_us = 0, end_us = 0, url = '', set_us = ?4 WHERE "
                       "issuer = ?1 AND serial = ?2 "
                       "AND set_us = (SELECT since_us FROM drill_rehearsed WHERE rehearsal = ?3 AND issuer = "
                       "?1 AND serial = ?2)"},
    {"rehearse.is-back",
     "UPDATE drill_rehearsed SET back = 1 WHERE rehearsal = ?1 AND issuer = ?2 AND serial = ?3"},
    {"rehearse.reacted",
     "UPDATE drill_rehearsal SET reacted = reacted + (SELECT count(*) FROM replacement p "
     "WHERE p.old_issuer = ?2 AND p.old_serial = ?3 AND p.seen_us >= drill_rehearsal.made_us) WHERE id = ?1"},
    {"rehearse.sooner", "UPDATE drill_rehearsal SET until_us = ?2 WHERE id = ?1 AND status = 'running'"},
};
enum {
    SQL_NEXT,
    SQL_ADD,
    SQL_GET,
    SQL_CERTIFICATE,
    SQL_ISSUER,
    SQL_MEMBER,
    SQL_WINDOW,
    SQL_COUNTED,
    SQL_OVER,
    SQL_DUE,
    SQL_BACK,
    SQL_UNSET,
    SQL_IS_BACK,
    SQL_REACTED,
    SQL_SOONER,
};
const struct incident_sql drill_rehearse_sql = {sql, LT_COUNT(sql)};

enum { SUBJECT_SIZE = 40, DAY_S = 86400, BACK_SLICE = 200 };

static lt_res check_times(const struct incident_call *c)
{
    int64_t start = incident_number(c, "start");
    int64_t end = incident_number(c, "end");
    int64_t until = incident_number(c, "until");
    int64_t now = c->t->now.us;
    LT_CHECK(end > start, LT_PEER_USAGE, "the window ends before it begins");
    LT_CHECK(until > now && until >= end, LT_PEER_USAGE,
             "the rehearsal ends in the future, and not before its windows");
    LT_CHECK(until - now <= (int64_t)DRILL_REHEARSAL_DAYS * DAY_S * LT_US_PER_SECOND, LT_PEER_USAGE,
             "a rehearsal lasts %d days at most: its windows are not true", DRILL_REHEARSAL_DAYS);
    return LT_OK;
}

lt_res drill_rehearse(struct incident_call *c)
{
    struct store_rows rows;
    struct ca_body body;
    char subject[SUBJECT_SIZE];
    LT_TRY(check_times(c));
    LT_TRY(store_query(c->t->store, &sql[SQL_NEXT], STORE_NO_ARGS, &rows));
    int64_t id = store_next(&rows) ? store_int(&rows, 0) : 1;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_exec(c->t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(id), STORE_S(incident_text(c, "note")),
                                 STORE_S(incident_text(c, "explanation")),
                                 STORE_I(incident_number(c, "start")), STORE_I(incident_number(c, "end")),
                                 STORE_I(incident_number(c, "until")), STORE_I(c->t->now.us), STORE_S(c->by)),
                      NULL));
    (void)snprintf(subject, sizeof subject, "rehearsal %lld", (long long)id);
    ca_body_init(&body);
    ca_body_str(&body, "note", incident_text(c, "note"));
    ca_body_time(&body, "start", (lt_time){incident_number(c, "start")});
    ca_body_time(&body, "end", (lt_time){incident_number(c, "end")});
    ca_body_time(&body, "until", (lt_time){incident_number(c, "until")});
    ca_body_str(&body, "by", c->by);
    LT_TRY(ca_body_event(&body, c->t, "rehearsal.begun", subject, c->jws));
    ca_body_init(&body);
    ca_body_int(&body, "id", id);
    return ca_body_cstr(&body, c->t->arena, &c->json);
}

struct rehearsal {
    int64_t id;
    int64_t start_us;
    int64_t end_us;
    const char *explanation;
    int64_t count;
};

static lt_res load(struct ca_turn *t, int64_t id, struct rehearsal *ret)
{
    struct store_rows rows;
    *ret = (struct rehearsal){.id = id};
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows) && strcmp(store_cstr(&rows, 0), "over") != 0;
    if (found) {
        ret->start_us = store_int(&rows, 1);
        ret->end_us = store_int(&rows, 2);
        ret->explanation = lt_arena_cstr(t->arena, store_bytes(&rows, 3));
        ret->count = store_int(&rows, 4);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found && ret->explanation != NULL, LT_PEER_NOT_FOUND, "no rehearsal %lld is running",
             (long long)id);
    return LT_OK;
}

/* One that is valid, and whose window nobody has moved: an incident comes first. */
static lt_res add_one(struct ca_turn *t, const struct rehearsal *r, int64_t issuer, lt_slice serial,
                      int64_t *ret_added)
{
    struct store_rows rows;
    int64_t member = 0;
    LT_TRY(store_query(t->store, &sql[SQL_CERTIFICATE], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    bool found = store_next(&rows);
    bool fit = found && store_int(&rows, 1) > t->now.us && store_is_null(&rows, 2) &&
               store_int(&rows, 3) == 0;
    int64_t account = found ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "a certificate of the list is not in the book");
    if (!fit) {
        return LT_OK;
    }
    LT_TRY(store_exec(
        t->store, &sql[SQL_MEMBER],
        STORE_ARGS(STORE_I(r->id), STORE_I(issuer), STORE_B(serial), STORE_I(account), STORE_I(t->now.us)),
        &member));
    *ret_added += member;
    return store_exec(t->store, &sql[SQL_WINDOW],
                      STORE_ARGS(STORE_I(issuer), STORE_B(serial), STORE_I(r->start_us), STORE_I(r->end_us),
                                 STORE_S(r->explanation), STORE_I(t->now.us)),
                      NULL);
}

static lt_res issuer_of(struct ca_turn *t, lt_slice name, int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_ISSUER], STORE_ARGS(STORE_T(name)), &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(*ret_id != 0, LT_PEER_NOT_FOUND, "no issuer %.*s", LT_FMT(lt_slice_sub(name, 0, 40)));
    return LT_OK;
}

/* "tls:0a1b… tls:…" */
lt_res drill_rehearse_add(struct incident_call *c)
{
    struct rehearsal r;
    struct ca_body body;
    lt_slice rest = lt_slice_cstr(incident_text(c, "certificates"));
    lt_slice word;
    lt_slice known = {0};
    int64_t id = 0;
    int64_t issuer = 0;
    int64_t added = 0;
    size_t count = 0;
    char subject[SUBJECT_SIZE];
    LT_TRY(incident_id(c, &id));
    LT_TRY(load(c->t, id, &r));
    while (lt_slice_split(&rest, ' ', &word)) {
        size_t colon = lt_slice_find(word, ':');
        lt_slice name = lt_slice_sub(word, 0, colon);
        lt_slice serial;
        LT_CHECK(colon < word.len && ++count <= DRILL_SLICE, LT_PEER_USAGE,
                 "write at most %d certificates as ISSUER:SERIAL", DRILL_SLICE);
        LT_TRY(lt_unhex(c->t->arena, lt_slice_sub(word, colon + 1, word.len - colon - 1), &serial));
        LT_TRY(lt_slice_eq(name, known) ? LT_OK : issuer_of(c->t, name, &issuer));
        known = name;
        LT_TRY(add_one(c->t, &r, issuer, serial, &added));
    }
    LT_CHECK(r.count + added <= DRILL_REHEARSED_MAX, LT_PEER_USAGE, "a rehearsal has %d certificates at most",
             DRILL_REHEARSED_MAX);
    LT_TRY(store_exec(c->t->store, &sql[SQL_COUNTED], STORE_ARGS(STORE_I(id), STORE_I(added)), NULL));
    (void)snprintf(subject, sizeof subject, "rehearsal %lld", (long long)id);
    ca_body_init(&body);
    ca_body_int(&body, "certificates", added);
    ca_body_str(&body, "by", c->by);
    LT_TRY(ca_body_event(&body, c->t, "rehearsal.windows", subject, c->jws));
    ca_body_init(&body);
    ca_body_int(&body, "id", id);
    ca_body_int(&body, "added", added);
    ca_body_int(&body, "count", r.count + added);
    return ca_body_cstr(&body, c->t->arena, &c->json);
}

/* ---- over ---- */

struct back {
    int64_t issuer;
    lt_slice serial;
};

/* Windows go with their rows; *ret_left: there are more. */
static lt_res put_back(struct ca_turn *t, int64_t id, bool *ret_left)
{
    struct store_rows rows;
    struct back list[BACK_SLICE];
    size_t count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_BACK], STORE_ARGS(STORE_I(id), STORE_I(BACK_SLICE)), &rows));
    while (count < BACK_SLICE && store_next(&rows)) {
        list[count].issuer = store_int(&rows, 0);
        list[count++].serial = lt_arena_copy(t->arena, store_bytes(&rows, 1));
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        const struct store_value issuer = STORE_I(list[i].issuer);
        const struct store_value serial = STORE_B(list[i].serial);
        LT_TRY(store_exec(t->store, &sql[SQL_REACTED], STORE_ARGS(STORE_I(id), issuer, serial), NULL));
        LT_TRY(store_exec(t->store, &sql[SQL_UNSET],
                          STORE_ARGS(issuer, serial, STORE_I(id), STORE_I(t->now.us)), NULL));
        LT_TRY(store_exec(t->store, &sql[SQL_IS_BACK], STORE_ARGS(STORE_I(id), issuer, serial), NULL));
    }
    *ret_left = count == BACK_SLICE;
    return LT_OK;
}

static lt_res end(struct ca_turn *t, int64_t id, const char *why, const char *by, lt_slice jws)
{
    struct ca_body body;
    int64_t changed = 0;
    char subject[SUBJECT_SIZE];
    LT_TRY(store_exec(t->store, &sql[SQL_OVER], STORE_ARGS(STORE_I(id), STORE_I(t->now.us)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "no rehearsal %lld is running", (long long)id);
    (void)snprintf(subject, sizeof subject, "rehearsal %lld", (long long)id);
    ca_body_init(&body);
    ca_body_str(&body, "why", why);
    ca_body_str(&body, "by", by);
    return ca_body_event(&body, t, "rehearsal.over", subject, jws);
}

/* By hand it is over at once; the windows go back with the next beats, since until_us is now. */
lt_res drill_rehearse_end(struct incident_call *c)
{
    struct ca_body body;
    int64_t id = 0;
    int64_t changed = 0;
    char subject[SUBJECT_SIZE];
    LT_TRY(incident_id(c, &id));
    LT_TRY(
        store_exec(c->t->store, &sql[SQL_SOONER], STORE_ARGS(STORE_I(id), STORE_I(c->t->now.us)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "no rehearsal %lld is running", (long long)id);
    (void)snprintf(subject, sizeof subject, "rehearsal %lld", (long long)id);
    ca_body_init(&body);
    ca_body_str(&body, "why", incident_text(c, "why"));
    ca_body_str(&body, "by", c->by);
    LT_TRY(ca_body_event(&body, c->t, "rehearsal.stopped", subject, c->jws));
    ca_body_init(&body);
    ca_body_int(&body, "id", id);
    return ca_body_cstr(&body, c->t->arena, &c->json);
}

lt_res drill_rehearse_beat(struct ca_turn *t, bool *ret_more)
{
    struct store_rows rows;
    bool left = false;
    LT_TRY(store_query(t->store, &sql[SQL_DUE], STORE_ARGS(STORE_I(t->now.us)), &rows));
    int64_t id = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    if (id == 0) {
        return LT_OK;
    }
    LT_TRY(put_back(t, id, &left));
    *ret_more = true;
    return left ? LT_OK : end(t, id, "its time was over", "clock", LT_SLICE(NULL, 0));
}
