/* What the world may look up of an incident: which frozen list, and the words beside it. The publisher makes
 * the file of it (role/publisher_lists.c), a reader answers look-ups. */
#include "ca/body.h"
#include "incident/notice_private.h"
#include "publish.pb-c.h"

static const struct store_sql sql[] = {
    {"list.last", "SELECT coalesce(max(version), 0) FROM notice_list WHERE incident = ?1"},
    {"list.hide", "UPDATE notice_list SET public = 0 WHERE incident = ?1 AND public = 1"},
    {"list.add",
     "INSERT INTO notice_list (incident, version, mass, title, words, deadline_us, public, wanted_us, "
     "wanted_by, published_us, rows, bytes, sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, 0, 0, 0, "
     "x'')"},
    {"list.published",
     "UPDATE notice_list SET published_us = ?3, rows = ?4, bytes = ?5, sha256 = ?6 WHERE incident = ?1 AND "
     "version = ?2 AND published_us = 0"},
};
enum { SQL_LAST, SQL_HIDE, SQL_ADD, SQL_PUBLISHED };
const struct incident_sql incident_notice_list_sql = {sql, LT_COUNT(sql)};

static lt_res subject_of(struct ca_turn *t, int64_t incident, const char **ret_subject)
{
    *ret_subject = lt_arena_printf(t->arena, "incident %lld", (long long)incident);
    LT_CHECK(*ret_subject != NULL, LT_PEER_TOO_LARGE, "the list is too large");
    return LT_OK;
}

lt_res incident_publish(struct ca_turn *t, const struct incident_publish *p)
{
    struct store_rows rows;
    struct ca_body b;
    int64_t version = 1;
    const char *subject = NULL;
    LT_TRY(subject_of(t, p->incident, &subject));
    LT_TRY(store_query(t->store, &sql[SQL_LAST], STORE_ARGS(STORE_I(p->incident)), &rows));
    version = store_next(&rows) ? store_int(&rows, 0) + 1 : 1;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_exec(t->store, &sql[SQL_HIDE], STORE_ARGS(STORE_I(p->incident)), NULL));
    LT_TRY(
        store_exec(t->store, &sql[SQL_ADD],
                   STORE_ARGS(STORE_I(p->incident), STORE_I(version), STORE_I(p->mass), STORE_S(p->title),
                              STORE_S(p->words), STORE_I(p->deadline.us), STORE_I(t->now.us), STORE_S(p->by)),
                   NULL));
    ca_body_init(&b);
    ca_body_int(&b, "version", version);
    ca_body_int(&b, "mass", p->mass);
    ca_body_str(&b, "title", p->title);
    ca_body_time(&b, "deadline", p->deadline);
    ca_body_str(&b, "operator", p->by);
    return ca_body_event(&b, t, "list.wanted", subject, (lt_slice){0});
}

lt_res incident_publish_end(struct ca_turn *t, int64_t incident, const char *by)
{
    struct ca_body b;
    int64_t changed = 0;
    const char *subject = NULL;
    LT_TRY(subject_of(t, incident, &subject));
    LT_TRY(store_exec(t->store, &sql[SQL_HIDE], STORE_ARGS(STORE_I(incident)), &changed));
    if (changed == 0) {
        return LT_OK;
    }
    ca_body_init(&b);
    ca_body_str(&b, "operator", by);
    return ca_body_event(&b, t, "list.withdrawn", subject, (lt_slice){0});
}

lt_res incident_list_published(struct ca_turn *t, const Ipc__ListPublished *said)
{
    struct ca_body b;
    int64_t changed = 0;
    const char *subject = NULL;
    lt_slice hash = LT_SLICE(said->sha256.data, said->sha256.len);
    LT_TRY(subject_of(t, said->incident, &subject));
    LT_TRY(store_exec(t->store, &sql[SQL_PUBLISHED],
                      STORE_ARGS(STORE_I(said->incident), STORE_I(said->version), STORE_I(t->now.us),
                                 STORE_I(said->rows), STORE_I(said->bytes), STORE_B(hash)),
                      &changed));
    if (changed == 0) {
        return LT_OK; /* another host was first */
    }
    ca_body_init(&b);
    ca_body_int(&b, "version", said->version);
    ca_body_int(&b, "rows", said->rows);
    ca_body_int(&b, "bytes", said->bytes);
    ca_body_hex(&b, "sha256", hash);
    return ca_body_event(&b, t, "list.published", subject, (lt_slice){0});
}
