/* "Is my certificate hit?": the public look-up, by serial number, fingerprint, account or name. Asked by the
 * notary for anybody (role/notary_affected.c), so what it costs is bounded whatever is asked, and it tells of
 * certificates in published lists alone: of no other does it say that it exists. */
#include <string.h>

#include "base/text.h"
#include "incident/ask.h"
#include "x509/dnsname.h"

enum {
    LISTS_MAX = 1000,
    LOOKS_MAX = 6000,
    LOOKED_MAX = 300,
    SHOWN_MAX = 100,
    TOLD_MAX = 50,
    SERIAL_MAX = 20,
    NAME_MAX_LEN = 253
};

enum { SQL_LISTS, SQL_MEMBER, SQL_SERIAL, SQL_SHA256, SQL_ACCOUNT, SQL_NAME, SQL_TOLD };
static const struct store_sql sql[] = {
    [SQL_LISTS] = {"affected.lists",
                   "SELECT incident, version, mass, title, words, deadline_us, published_us, rows FROM "
                   "notice_list WHERE public = 1 AND incident > 0 ORDER BY incident DESC LIMIT 1000"},
    [SQL_MEMBER] = {"affected.member",
                    "SELECT 1 FROM mass_tier t JOIN mass_member m ON m.mass = t.mass AND m.tier = t.tier AND "
                    "m.issuer = ?2 AND m.serial = ?3 WHERE t.mass = ?1 LIMIT 1"},
    [SQL_SERIAL] = {"affected.serial",
                    "SELECT " QUERY_CERTIFICATE_COLUMNS " FROM certificate c WHERE c.issuer "
                    "= ?1 AND c.serial = ?2 AND c.copy = 0"},
    [SQL_SHA256] = {"affected.sha256",
                    "SELECT " QUERY_CERTIFICATE_COLUMNS " FROM certificate c WHERE c.sha256 = ?1 LIMIT 4"},
    [SQL_ACCOUNT] = {"affected.account",
                     "SELECT " QUERY_CERTIFICATE_COLUMNS
                     " FROM certificate c WHERE c.account = ?1 AND c.account > 0 ORDER BY "
                     "c.issued_us DESC LIMIT ?2"},
    [SQL_NAME] = {"affected.name",
                  "SELECT " QUERY_CERTIFICATE_COLUMNS
                  " FROM certificate_name n JOIN certificate c ON c.issuer = "
                  "n.issuer AND c.serial = n.serial AND c.copy = n.copy WHERE n.name = ?1 AND n.type = 'dns' "
                  "ORDER BY n.name, n.type, n.issuer, n.serial LIMIT ?2"},
    [SQL_TOLD] = {"affected.told",
                  "SELECT a.certificates FROM notice_batch b JOIN notice_account a ON a.batch = b.id AND "
                  "a.account = ?3 WHERE b.subject = ?1 AND b.mass = ?2 ORDER BY b.id DESC LIMIT 1"},
};
static const struct ca_query_sql statements = {sql, LT_COUNT(sql)};

struct list {
    int64_t incident;
    int64_t version;
    int64_t mass;
    const char *title;
    const char *words;
    int64_t deadline_us;
    int64_t published_us;
    int64_t rows;
    int64_t of_account; /* counted when its subscriber was told */
    bool hit;
};

struct look {
    const struct ca_query *query;
    struct query_tables tables;
    struct list lists[LISTS_MAX];
    size_t list_count;
    struct query_certificate *found; /* in the arena */
    size_t found_count;
    size_t shown;
    size_t looks; /* members looked up: what one question may cost */
    bool more;
};

static lt_res load_lists(struct look *l)
{
    struct store_rows rows;
    LT_TRY(store_query(l->query->store, &sql[SQL_LISTS], STORE_NO_ARGS, &rows));
    while (l->list_count < LISTS_MAX && store_next(&rows)) {
        l->lists[l->list_count++] = (struct list){
            .incident = store_int(&rows, 0),
            .version = store_int(&rows, 1),
            .mass = store_int(&rows, 2),
            .title = lt_arena_cstr(l->query->arena, store_bytes(&rows, 3)),
            .words = lt_arena_cstr(l->query->arena, store_bytes(&rows, 4)),
            .deadline_us = store_int(&rows, 5),
            .published_us = store_int(&rows, 6),
            .rows = store_int(&rows, 7),
        };
    }
    l->more = l->list_count == LISTS_MAX;
    return store_rows_end(&rows);
}

static lt_res take(struct look *l, int statement, const struct store_value *values, size_t count)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(l->query->store, &sql[statement], values, count, &rows));
    while (!lt_failed(r) && l->found_count < LOOKED_MAX && store_next(&rows)) {
        r = query_certificate_take(l->query->arena, &rows, &l->found[l->found_count++]);
    }
    l->more = l->more || l->found_count == LOOKED_MAX;
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res find_serial(struct look *l)
{
    lt_slice serial = LT_SLICE(l->query->q->serial.data, l->query->q->serial.len);
    LT_CHECK(serial.len <= SERIAL_MAX, LT_PEER_MALFORMED, "a serial number has at most %d bytes", SERIAL_MAX);
    for (size_t i = 0; i < l->tables.issuer_count; i++) {
        LT_TRY(take(l, SQL_SERIAL, STORE_ARGS(STORE_I(l->tables.issuers[i].id), STORE_B(serial))));
    }
    return LT_OK;
}

static lt_res find_name(struct look *l)
{
    struct lt_buf reversed;
    lt_slice name = lt_slice_cstr(l->query->q->name);
    LT_CHECK(name.len <= NAME_MAX_LEN, LT_PEER_MALFORMED, "a name has at most %d letters", NAME_MAX_LEN);
    lt_buf_init(&reversed, NAME_MAX_LEN + 2);
    x509_dns_reverse(name, &reversed);
    lt_slice copy = lt_arena_copy(l->query->arena, lt_buf_slice(&reversed));
    lt_buf_done(&reversed);
    LT_CHECK(copy.ptr != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return take(l, SQL_NAME, STORE_ARGS(STORE_T(copy), STORE_I(LOOKED_MAX)));
}

static lt_res find(struct look *l)
{
    const Ipc__Query *q = l->query->q;
    if (q->serial.len > 0) {
        return find_serial(l);
    }
    if (q->sha256.len > 0) {
        return take(l, SQL_SHA256, STORE_ARGS(STORE_B(LT_SLICE(q->sha256.data, q->sha256.len))));
    }
    if (q->account_id != 0) {
        return take(l, SQL_ACCOUNT, STORE_ARGS(STORE_I(q->account_id), STORE_I(LOOKED_MAX)));
    }
    return q->name[0] == '\0' ? LT_OK : find_name(l);
}

/* ---- told ---- */

static lt_res is_member(struct look *l, const struct list *list, const struct query_certificate *c,
                        bool *ret_is)
{
    struct store_rows rows;
    LT_TRY(store_query(l->query->store, &sql[SQL_MEMBER],
                       STORE_ARGS(STORE_I(list->mass), STORE_I(c->issuer), STORE_B(c->serial)), &rows));
    *ret_is = store_next(&rows);
    return store_rows_end(&rows);
}

static lt_res write_certificate(struct look *l, struct query_out *o, const struct query_certificate *c,
                                const struct list *list)
{
    struct query_revocation r;
    const char *state = NULL;
    const struct query_issuer *issuer = query_issuer_by_id(&l->tables, c->issuer);
    LT_TRY(query_revocation_of(l->query, c, &r));
    LT_TRY(query_truth_state(l->query, c->issuer, c->serial, &state));
    query_open(o, NULL, '{');
    query_int(o, "incident", list->incident);
    query_cstr(o, "issuer", issuer == NULL ? "" : issuer->name);
    query_hex(o, "serial", c->serial);
    query_hex(o, "sha256", c->sha256);
    query_time(o, "expires", c->not_after_us);
    query_cstr(o, "status", query_certificate_status(l->query, c, &r));
    if (r.found) {
        query_time(o, "revoked", r.revoked_us);
        query_cstr(o, "reason", query_reason_name(r.reason));
    }
    query_bool(o, "replaced", strcmp(state, "deployed") == 0 || strcmp(state, "not_seen") == 0);
    query_close(o, '}');
    return LT_OK;
}

/* An account may have more certificates than are looked at: whoever was told of a list has some in it. */
static lt_res count_of_account(struct look *l, struct list *list)
{
    struct store_rows rows;
    char *subject = lt_arena_printf(l->query->arena, "incident %lld", (long long)list->incident);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(store_query(l->query->store, &sql[SQL_TOLD],
                       STORE_ARGS(STORE_S(subject), STORE_I(list->mass), STORE_I(l->query->q->account_id)),
                       &rows));
    list->of_account = store_next(&rows) ? store_int(&rows, 0) : 0;
    list->hit = list->hit || list->of_account > 0;
    return store_rows_end(&rows);
}

static lt_res write_found(struct look *l, struct query_out *o)
{
    for (size_t k = 0; k < l->list_count && l->query->q->account_id != 0; k++) {
        LT_TRY(count_of_account(l, &l->lists[k]));
    }
    query_open(o, "certificates", '[');
    for (size_t i = 0; i < l->found_count; i++) {
        for (size_t k = 0; k < l->list_count; k++) {
            bool is = false;
            if (l->looks++ >= LOOKS_MAX) {
                l->more = true;
                break;
            }
            LT_TRY(is_member(l, &l->lists[k], &l->found[i], &is));
            l->lists[k].hit = l->lists[k].hit || is;
            if (is && l->shown++ < SHOWN_MAX) {
                LT_TRY(write_certificate(l, o, &l->found[i], &l->lists[k]));
            }
        }
    }
    query_close(o, ']');
    return LT_OK;
}

static bool asked_for_some(const Ipc__Query *q)
{
    return q->serial.len > 0 || q->sha256.len > 0 || q->account_id != 0 || q->name[0] != '\0';
}

static void write_lists(struct look *l, struct query_out *o)
{
    uint64_t only = 0;
    bool one = !lt_failed(lt_parse_u64(lt_slice_cstr(l->query->q->id), INT64_MAX, &only));
    size_t told = 0;
    query_open(o, "incidents", '[');
    for (size_t i = 0; i < l->list_count; i++) {
        const struct list *list = &l->lists[i];
        if ((asked_for_some(l->query->q) && !list->hit) || (one && list->incident != (int64_t)only)) {
            continue;
        }
        if (told++ == TOLD_MAX) {
            l->more = true;
            break;
        }
        query_open(o, NULL, '{');
        query_int(o, "incident", list->incident);
        query_int(o, "version", list->version);
        query_cstr(o, "title", list->title == NULL ? "" : list->title);
        query_cstr(o, "words", list->words == NULL ? "" : list->words);
        query_time(o, "deadline", list->deadline_us);
        query_time(o, "published", list->published_us);
        query_int(o, "rows", list->rows);
        if (list->of_account > 0) {
            query_int(o, "of_account", list->of_account);
        }
        query_close(o, '}');
    }
    query_close(o, ']');
}

static lt_res affected(const struct ca_query *query, struct query_out *o)
{
    struct look *l = LT_NEW(query->arena, struct look);
    LT_CHECK(l != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    l->query = query;
    l->found = LT_NEW_ARRAY(query->arena, struct query_certificate, LOOKED_MAX);
    LT_CHECK(l->found != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(query_tables_load(query, &l->tables));
    LT_TRY(load_lists(l));
    LT_TRY(l->list_count == 0 ? LT_OK : find(l));
    LT_TRY(write_found(l, o));
    write_lists(l, o);
    query_int(o, "found", (int64_t)l->shown);
    query_bool(o, "more", l->more || l->shown > SHOWN_MAX);
    return LT_OK;
}

static const struct incident_question questions[] = {{"affected", affected}};
const struct incident_questions incident_questions_affected = {questions, LT_COUNT(questions), &statements};
