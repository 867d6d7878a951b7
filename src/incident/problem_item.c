/* What a report is about: serial numbers, hashes, names, looked up in the book by its indexes, one by one. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.item-next", "SELECT coalesce(max(idx), -1) + 1 FROM problem_item WHERE problem = ?1"},
    {"problem.item-add",
     "INSERT INTO problem_item (problem, idx, kind, value, issuer, serial, account) VALUES "
     "(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    {"problem.item-have",
     "SELECT 1 FROM problem_item WHERE kind = ?1 AND value = ?2 AND problem = ?3 LIMIT 1"},
    {"problem.by-serial", "SELECT issuer, serial, account FROM certificate WHERE issuer = ?1 AND serial = ?2 "
                          "AND copy = 0 LIMIT 1"},
    {"problem.by-sha256", "SELECT issuer, serial, account FROM certificate WHERE sha256 = ?1 LIMIT 1"},
    {"problem.by-spki", "SELECT issuer, serial, account FROM certificate WHERE spki_sha256 = ?1 "
                        "ORDER BY issuer DESC, serial DESC LIMIT 1"},
    {"problem.by-name",
     "SELECT n.issuer, n.serial, c.account FROM certificate_name AS n JOIN certificate AS c ON "
     "c.issuer = n.issuer AND c.serial = n.serial AND c.copy = n.copy WHERE n.name = ?1 AND n.type = 'dns' "
     "ORDER BY n.issuer DESC, n.serial DESC LIMIT 1"},
    {"problem.items", "SELECT kind, value, issuer, account FROM problem_item WHERE problem = ?1 ORDER BY idx "
                      "LIMIT 200"},
    {"problem.same-item",
     "SELECT i.problem FROM problem_item AS i JOIN problem AS p ON p.id = i.problem WHERE i.kind = ?1 AND "
     "i.value = ?2 AND i.problem < ?3 AND p.status <> 'closed' ORDER BY i.problem LIMIT 20"},
    {"problem.same-set", "UPDATE problem SET same_as = ?2 WHERE id = ?1"},
    {"problem.reporter", "SELECT reports, upheld, unfounded FROM problem_reporter WHERE contact = ?1"},
    {"problem.reporter-add", "INSERT INTO problem_reporter (contact, first_us, reports, upheld, unfounded) "
                             "VALUES (?1, ?2, 1, 0, 0) ON CONFLICT (contact) DO UPDATE SET "
                             "reports = problem_reporter.reports + 1"},
    {"problem.reporter-judge", "UPDATE problem_reporter SET upheld = upheld + ?2, unfounded = unfounded + ?3 "
                               "WHERE contact = ?1"},
};
enum {
    SQL_NEXT,
    SQL_ADD,
    SQL_HAVE,
    SQL_BY_SERIAL,
    SQL_BY_SHA256,
    SQL_BY_SPKI,
    SQL_BY_NAME,
    SQL_LIST,
    SQL_SAME,
    SQL_SAME_SET,
    SQL_REPORTER,
    SQL_REPORTER_ADD,
    SQL_REPORTER_JUDGE,
};
const struct incident_sql incident_problem_item_sql = {sql, LT_COUNT(sql)};

enum {
    LOOKED_UP_MAX = 50,
    SAME_MAX = 20,
    NAME_MAX_LEN = 253,
    HASH_LEN = 32,
    SERIAL_MAX = 20,
    WORTH_MAX = 10
};

/* A certificate of the book. */
struct hit {
    int64_t issuer; /* 0: none */
    lt_slice serial;
    int64_t account;
};

static lt_res look(struct ca_turn *t, int statement, const struct store_value *values, size_t count,
                   struct hit *h)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[statement], values, count, &rows));
    if (store_next(&rows)) {
        *h = (struct hit){store_int(&rows, 0), lt_arena_copy(t->arena, store_bytes(&rows, 1)),
                          store_int(&rows, 2)};
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(h->issuer == 0 || h->serial.ptr != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return LT_OK;
}

static lt_res by_serial(struct ca_turn *t, lt_slice serial, struct hit *h)
{
    for (size_t i = 0; t->book != NULL && i < t->book->issuer_count && h->issuer == 0; i++) {
        LT_TRY(look(t, SQL_BY_SERIAL, STORE_ARGS(STORE_I(t->book->issuers[i].id), STORE_B(serial)), h));
    }
    return LT_OK;
}

/* "www.example.com" as the book has it: "com.example.www". */
static const char *reversed(struct ca_turn *t, const char *name)
{
    size_t len = strlen(name);
    char *out = len > NAME_MAX_LEN ? NULL : lt_arena_alloc(t->arena, len + 1);
    size_t at = 0;
    for (size_t end = len; out != NULL && end > 0;) {
        size_t begin = end;
        while (begin > 0 && name[begin - 1] != '.') {
            begin--;
        }
        memcpy(out + at, name + begin, end - begin);
        at += end - begin;
        if (begin > 0) {
            out[at++] = '.';
        }
        end = begin > 0 ? begin - 1 : 0;
    }
    return out == NULL ? "" : out;
}

static lt_res resolve(struct ca_turn *t, const struct incident_item *i, struct hit *h)
{
    lt_slice bytes = {0};
    *h = (struct hit){.serial = LT_LIT("")};
    if (strcmp(i->kind, "name") == 0) {
        return look(t, SQL_BY_NAME, STORE_ARGS(STORE_S(reversed(t, i->value))), h);
    }
    if (strcmp(i->kind, "serial") != 0 && strcmp(i->kind, "sha256") != 0 && strcmp(i->kind, "spki") != 0) {
        return LT_OK;
    }
    if (lt_failed(lt_unhex(t->arena, lt_slice_cstr(i->value), &bytes)) || bytes.len == 0) {
        return LT_OK;
    }
    if (strcmp(i->kind, "serial") == 0) {
        return bytes.len > SERIAL_MAX ? LT_OK : by_serial(t, bytes, h);
    }
    return bytes.len != HASH_LEN ? LT_OK
                                 : look(t, strcmp(i->kind, "sha256") == 0 ? SQL_BY_SHA256 : SQL_BY_SPKI,
                                        STORE_ARGS(STORE_B(bytes)), h);
}

static lt_res number(struct ca_turn *t, int statement, const struct store_value *values, size_t count,
                     int64_t *ret_number)
{
    struct store_rows rows;
    *ret_number = 0;
    LT_TRY(store_query(t->store, &sql[statement], values, count, &rows));
    if (store_next(&rows)) {
        *ret_number = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

lt_res problem_items_add(struct ca_turn *t, int64_t id, const struct incident_item *items, size_t count,
                         int64_t *ret_known)
{
    int64_t next = 0;
    *ret_known = 0;
    LT_TRY(number(t, SQL_NEXT, STORE_ARGS(STORE_I(id)), &next));
    for (size_t i = 0; i < count && next < INCIDENT_PROBLEM_ITEMS_MAX; i++) {
        struct hit h = {.serial = LT_LIT("")};
        int64_t have = 0;
        LT_TRY(number(t, SQL_HAVE, STORE_ARGS(STORE_S(items[i].kind), STORE_S(items[i].value), STORE_I(id)),
                      &have));
        if (have != 0) {
            continue;
        }
        LT_TRY(next < LOOKED_UP_MAX ? resolve(t, &items[i], &h) : LT_OK);
        *ret_known += h.issuer != 0;
        LT_TRY(
            store_exec(t->store, &sql[SQL_ADD],
                       STORE_ARGS(STORE_I(id), STORE_I(next), STORE_S(items[i].kind), STORE_S(items[i].value),
                                  STORE_I(h.issuer), STORE_B(h.serial), STORE_I(h.account)),
                       NULL));
        next++;
    }
    if (*ret_known > 0) {
        const char *subject = NULL;
        struct ca_body b;
        LT_TRY(problem_subject(t, id, &subject));
        ca_body_init(&b);
        ca_body_int(&b, "certificates", *ret_known);
        return ca_body_event(&b, t, "problem.known", subject, (lt_slice){0});
    }
    return LT_OK;
}

struct item {
    const char *kind;
    const char *value;
    int64_t issuer;
    int64_t account;
};

static lt_res items(struct ca_turn *t, int64_t id, struct item list[INCIDENT_PROBLEM_ITEMS_MAX],
                    size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    bool whole = true;
    LT_TRY(store_query(t->store, &sql[SQL_LIST], STORE_ARGS(STORE_I(id)), &rows));
    while (n < INCIDENT_PROBLEM_ITEMS_MAX && store_next(&rows)) {
        list[n] = (struct item){lt_arena_cstr(t->arena, store_bytes(&rows, 0)),
                                lt_arena_cstr(t->arena, store_bytes(&rows, 1)), store_int(&rows, 2),
                                store_int(&rows, 3)};
        whole = whole && list[n].kind != NULL && list[n].value != NULL;
        n++;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(whole, LT_PEER_TOO_LARGE, "problem: too much at once");
    *ret_count = n;
    return LT_OK;
}

lt_res problem_known(struct ca_turn *t, int64_t id, int64_t *ret_count)
{
    struct item list[INCIDENT_PROBLEM_ITEMS_MAX];
    size_t count = 0;
    *ret_count = 0;
    LT_TRY(items(t, id, list, &count));
    for (size_t i = 0; i < count; i++) {
        *ret_count += list[i].issuer != 0;
    }
    return LT_OK;
}

lt_res problem_accounts(struct ca_turn *t, int64_t id, int64_t ret_accounts[PROBLEM_ACCOUNTS_MAX],
                        size_t *ret_count)
{
    struct item list[INCIDENT_PROBLEM_ITEMS_MAX];
    size_t count = 0;
    *ret_count = 0;
    LT_TRY(items(t, id, list, &count));
    for (size_t i = 0; i < count && *ret_count < PROBLEM_ACCOUNTS_MAX; i++) {
        bool have = list[i].account == 0;
        for (size_t k = 0; k < *ret_count && !have; k++) {
            have = ret_accounts[k] == list[i].account;
        }
        if (!have) {
            ret_accounts[(*ret_count)++] = list[i].account;
        }
    }
    return LT_OK;
}

static bool is_exact(const char *kind)
{
    return strcmp(kind, "serial") == 0 || strcmp(kind, "sha256") == 0 || strcmp(kind, "spki") == 0;
}

/* Everything that the one names and claims is in the other: what is more than that was not looked at there.
 */
static lt_res says_no_more(struct ca_turn *t, const struct incident_problem *one, const struct item *list,
                           size_t count, int64_t other, bool *ret_same)
{
    struct incident_problem p;
    LT_TRY(problem_load(t, other, &p));
    *ret_same = (one->cause[0] == '\0' || strcmp(one->cause, p.cause) == 0) &&
                (one->clause[0] == '\0' || strcmp(one->clause, p.clause) == 0);
    for (size_t i = 0; i < count && *ret_same; i++) {
        int64_t have = 0;
        LT_TRY(number(t, SQL_HAVE, STORE_ARGS(STORE_S(list[i].kind), STORE_S(list[i].value), STORE_I(other)),
                      &have));
        *ret_same = have != 0;
    }
    return LT_OK;
}

static lt_res candidates(struct ca_turn *t, int64_t id, const struct item *i, int64_t ret_ids[SAME_MAX],
                         size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(t->store, &sql[SQL_SAME], STORE_ARGS(STORE_S(i->kind), STORE_S(i->value), STORE_I(id)),
                       &rows));
    while (n < SAME_MAX && store_next(&rows)) {
        ret_ids[n++] = store_int(&rows, 0);
    }
    *ret_count = n;
    return store_rows_end(&rows);
}

/* Names alone make no two reports the same: what is wrong with them may differ. */
lt_res problem_same(struct ca_turn *t, int64_t id, int64_t *ret_same)
{
    struct item list[INCIDENT_PROBLEM_ITEMS_MAX];
    struct incident_problem p;
    int64_t others[SAME_MAX];
    size_t other_count = 0;
    size_t count = 0;
    size_t exact = 0;
    *ret_same = 0;
    LT_TRY(problem_load(t, id, &p));
    LT_TRY(items(t, id, list, &count));
    while (exact < count && !is_exact(list[exact].kind)) {
        exact++;
    }
    /* One that is the same has each of them, so the first finds it. */
    LT_TRY(exact < count && count <= LOOKED_UP_MAX ? candidates(t, id, &list[exact], others, &other_count)
                                                   : LT_OK);
    for (size_t i = 0; i < other_count && *ret_same == 0; i++) {
        bool same = false;
        LT_TRY(says_no_more(t, &p, list, count, others[i], &same));
        *ret_same = same ? others[i] : 0;
    }
    return *ret_same == 0
               ? LT_OK
               : store_exec(t->store, &sql[SQL_SAME_SET], STORE_ARGS(STORE_I(id), STORE_I(*ret_same)), NULL);
}

/* ---- who reports ---- */

lt_res problem_reporter_seen(struct ca_turn *t, const char *contact)
{
    return contact[0] == '\0' ? LT_OK
                              : store_exec(t->store, &sql[SQL_REPORTER_ADD],
                                           STORE_ARGS(STORE_S(contact), STORE_I(t->now.us)), NULL);
}

lt_res problem_reporter_judged(struct ca_turn *t, const char *contact, bool upheld)
{
    return contact[0] == '\0'
               ? LT_OK
               : store_exec(t->store, &sql[SQL_REPORTER_JUDGE],
                            STORE_ARGS(STORE_S(contact), STORE_I(upheld), STORE_I(!upheld)), NULL);
}

lt_res problem_reporter_worth(struct ca_turn *t, const char *contact, int64_t *ret_worth)
{
    struct store_rows rows;
    *ret_worth = 0;
    LT_TRY(store_query(t->store, &sql[SQL_REPORTER], STORE_ARGS(STORE_S(contact)), &rows));
    if (contact[0] != '\0' && store_next(&rows)) {
        int64_t worth = 2 * store_int(&rows, 1) - store_int(&rows, 2);
        *ret_worth = worth > WORTH_MAX ? WORTH_MAX : worth < -WORTH_MAX ? -WORTH_MAX : worth;
    }
    return store_rows_end(&rows);
}
