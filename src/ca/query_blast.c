/* What falls when something fails: certificates in force by the key that signed them (and the keys above it),
 * issuer, profile, build that issued, build that validated, and perspective; with how many of them are of
 * each tier of readiness.
 *
 * One walk over the index that summarises evidence, one over what is revoked, which is taken off again; both
 * grouped by everything that is asked for, so that all rows come of the same moment. A certificate whose
 * names were proved in several ways is counted with each of them: at most so many, never fewer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"
#include "ca/ready_tier.h"
#include "validate/quorum.h"

/* Certificates alike in all that is asked for, and how many: grouped by the store, or row by row and grouped
 * here. SQLite sorts to group, which takes five times as long as the walk; a server hashes, and rows by the
 * million would have to come over a socket. */
#define ALIKE "c.issuer, c.profile, c.build, c.worst_dimension, c.least_quorum, coalesce(y.tier, 4), "
#define OTHERS "0, 0, '', w.dimension, c.least_quorum, coalesce(y.tier, 4), "
#define TIER_OF_C "LEFT JOIN readiness y ON y.account = c.account "
#define GROUPED " GROUP BY 1, 2, 3, 4, 5, 6"
/* The first condition leads into the index that has all of it. */
#define IN_FORCE "FROM certificate c " TIER_OF_C "WHERE c.issued_us >= 0 AND +c.not_after_us >= ?1"
#define REVOKED                                                                                            \
    "FROM revocation r CROSS JOIN certificate c ON c.issuer = r.issuer AND c.serial = r.serial " TIER_OF_C \
    "WHERE r.not_after_us >= ?1 AND c.not_after_us >= ?1"
#define PROVED_OTHERWISE                                                                \
    "FROM certificate_dimension w CROSS JOIN certificate c ON c.issuer = w.issuer AND " \
    "c.serial = w.serial AND c.copy = w.copy " TIER_OF_C                                \
    "WHERE +c.not_after_us >= ?1 AND NOT EXISTS (SELECT 1 FROM revocation r WHERE "     \
    "r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial)"

enum {
    SQL_ALL,
    SQL_ALL_GROUPED,
    SQL_REVOKED,
    SQL_REVOKED_GROUPED,
    SQL_OTHER,
    SQL_OTHER_GROUPED,
    SQL_DIMENSIONS,
    SQL_KEYS,
    SQL_LOADS
};
static const struct store_sql sql[] = {
    [SQL_ALL] = {"query.blast", "SELECT " ALIKE "1 " IN_FORCE},
    [SQL_ALL_GROUPED] = {"query.blast.grouped", "SELECT " ALIKE "count(*) " IN_FORCE GROUPED},
    [SQL_REVOKED] = {"query.blast.revoked", "SELECT " ALIKE "1 " REVOKED},
    [SQL_REVOKED_GROUPED] = {"query.blast.revoked-grouped", "SELECT " ALIKE "count(*) " REVOKED GROUPED},
    [SQL_OTHER] = {"query.blast.other", "SELECT " OTHERS "1 " PROVED_OTHERWISE},
    [SQL_OTHER_GROUPED] = {"query.blast.other-grouped",
                           "SELECT " OTHERS "count(*) " PROVED_OTHERWISE GROUPED},
    [SQL_DIMENSIONS] =
        {"query.blast.dimensions",
         "SELECT id, build, perspectives FROM dimension WHERE id > ?1 ORDER BY id LIMIT 10000"},
    [SQL_KEYS] = {"query.blast.keys",
                  "SELECT id, spki_sha256 FROM issuer WHERE id > ?1 ORDER BY id LIMIT 256"},
    [SQL_LOADS] = {"query.blast.loads",
                   "SELECT issuer, valid, counted_us, cap FROM issuer_load WHERE issuer > ?1 "
                   "ORDER BY issuer LIMIT 256"},
};
const struct ca_query_sql query_blast_sql = {sql, LT_COUNT(sql)};

enum {
    ROWS_MAX = 4096,
    GROUPS_MAX = 32768,
    SLOTS = 65536, /* a power of two, above the groups */
    NAME_SIZE = 96,
    DIMENSIONS_MAX = 10000,
    VIEWS_MAX = 64,
    KEYS_MAX = 256,
    CHAIN_MAX = 8
};

enum kind { KIND_KEY, KIND_ISSUER, KIND_PROFILE, KIND_BUILD, KIND_VALIDATOR, KIND_PERSPECTIVE };
static const char *const kind_names[] = {[KIND_KEY] = "key",
                                         [KIND_ISSUER] = "issuer",
                                         [KIND_PROFILE] = "profile",
                                         [KIND_BUILD] = "build",
                                         [KIND_VALIDATOR] = "validator-build",
                                         [KIND_PERSPECTIVE] = "perspective"};

struct fall {
    enum kind kind;
    char name[NAME_SIZE];
    int64_t certificates; /* that it had a part in */
    int64_t falls;        /* that cannot stand without it */
    int64_t tiers[CA_READY_TIERS + 1];
};

struct dimension {
    int64_t id;
    const char *build;
    const char *perspectives;
};

struct key {
    int64_t issuer;
    const char *spki_sha256; /* hexadecimal */
};

/* Certificates that are alike in all that is asked for. */
struct group {
    int64_t issuer; /* 0: of those that were proved otherwise, whose issuer is counted already */
    int64_t profile;
    const char *build;
    int64_t dimension;
    int64_t quorum;
    int64_t tier;
    int64_t count;
};

struct blast {
    struct group *groups;
    size_t group_count;
    uint32_t *slots; /* of SLOTS: a group's number, plus one */
    const struct ca_query *query;
    struct key keys[KEYS_MAX];
    size_t key_count;
    struct query_tables tables;
    struct dimension *dimensions;
    size_t dimension_count;
    struct fall *rows;
    size_t count;
};

static lt_res row_of(struct blast *b, enum kind kind, lt_slice name, struct fall **ret_row)
{
    char cut[NAME_SIZE];
    (void)snprintf(cut, sizeof cut, "%.*s", LT_FMT(name)); /* longer names are shown cut */
    for (size_t i = 0; i < b->count; i++) {
        if (b->rows[i].kind == kind && strcmp(b->rows[i].name, cut) == 0) {
            *ret_row = &b->rows[i];
            return LT_OK;
        }
    }
    LT_CHECK(b->count < ROWS_MAX, LT_PEER_TOO_LARGE, "over %d rows", ROWS_MAX);
    *ret_row = &b->rows[b->count++];
    (*ret_row)->kind = kind;
    memcpy((*ret_row)->name, cut, sizeof cut);
    return LT_OK;
}

static lt_res add(struct blast *b, enum kind kind, lt_slice name, const struct group *g, bool falls)
{
    struct fall *row = NULL;
    if (name.len == 0) {
        return LT_OK;
    }
    LT_TRY(row_of(b, kind, name, &row));
    row->certificates += g->count;
    row->falls += falls ? g->count : 0;
    row->tiers[g->tier >= 1 && g->tier <= CA_READY_TIERS ? g->tier : CA_READY_BY_HAND] += g->count;
    return LT_OK;
}

static const char *key_of(const struct blast *b, int64_t issuer)
{
    for (size_t i = 0; i < b->key_count; i++) {
        if (b->keys[i].issuer == issuer) {
            return b->keys[i].spki_sha256;
        }
    }
    return "";
}

/* The issuer's own key and those above it: what is below a key falls with it. */
static lt_res add_keys(struct blast *b, const struct group *g)
{
    const struct query_issuer *i = query_issuer_by_id(&b->tables, g->issuer);
    for (size_t depth = 0; i != NULL && depth < CHAIN_MAX; depth++) {
        LT_TRY(add(b, KIND_KEY, lt_slice_cstr(key_of(b, i->id)), g, true));
        i = i->parent == 0 || i->parent == i->id ? NULL : query_issuer_by_id(&b->tables, i->parent);
    }
    return LT_OK;
}

static const struct dimension *dimension_of(const struct blast *b, int64_t id)
{
    for (size_t i = 0; i < b->dimension_count; i++) {
        if (b->dimensions[i].id == id) {
            return &b->dimensions[i];
        }
    }
    return NULL;
}

static size_t members(const char *list)
{
    size_t count = list[0] == '\0' ? 0 : 1;
    for (; *list != '\0'; list++) {
        count += *list == ',';
    }
    return count;
}

/* Without this one, do enough of the others still agree? The first on the list is the primary one: without
 * it there is nothing to corroborate. */
static bool stands_without(size_t place, size_t asked, int64_t agreeing)
{
    static const struct validate_perspective nobody;
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    struct validate_quorum q;
    size_t remote = asked - 1;
    if (place == 0 || remote == 0 || remote > VALIDATE_PERSPECTIVES_MAX) {
        return false;
    }
    for (size_t i = 0; i < remote; i++) {
        votes[i] = (struct validate_vote){&nobody, (int64_t)i < agreeing - 2}; /* without primary and this */
    }
    validate_quorum_count(votes, remote, (lt_time){0}, &q);
    return q.corroborated;
}

static lt_res add_dimension(struct blast *b, const struct group *g)
{
    const struct dimension *d = dimension_of(b, g->dimension);
    if (d == NULL) {
        return LT_OK; /* unproven: brought in */
    }
    LT_TRY(add(b, KIND_VALIDATOR, lt_slice_cstr(d->build), g, true));
    lt_slice rest = lt_slice_cstr(d->perspectives);
    lt_slice name;
    size_t asked = members(d->perspectives);
    for (size_t i = 0; i < VIEWS_MAX && lt_slice_split(&rest, ',', &name); i++) {
        LT_TRY(add(b, KIND_PERSPECTIVE, name, g, !stands_without(i, asked, g->quorum)));
    }
    return LT_OK;
}

static lt_res add_group(struct blast *b, const struct group *g)
{
    const struct query_issuer *issuer = query_issuer_by_id(&b->tables, g->issuer);
    LT_TRY(add(b, KIND_ISSUER, lt_slice_cstr(issuer == NULL ? "" : issuer->name), g, true));
    LT_TRY(add_keys(b, g));
    LT_TRY(add(b, KIND_PROFILE, lt_slice_cstr(query_profile_name(&b->tables, g->profile)), g, true));
    LT_TRY(add(b, KIND_BUILD, lt_slice_cstr(g->build), g, true));
    return add_dimension(b, g);
}

static lt_res load_keys(struct blast *b)
{
    struct store_rows rows;
    LT_TRY(store_query(b->query->store, &sql[SQL_KEYS], STORE_ARGS(STORE_I(0)), &rows));
    while (b->key_count < KEYS_MAX && store_next(&rows)) {
        char *hex = lt_hex(b->query->arena, store_bytes(&rows, 1));
        b->keys[b->key_count++] = (struct key){store_int(&rows, 0), hex == NULL ? "" : hex};
    }
    return store_rows_end(&rows);
}

static lt_res load_dimensions(struct blast *b)
{
    struct store_rows rows;
    b->dimensions = LT_NEW_ARRAY(b->query->arena, struct dimension, DIMENSIONS_MAX);
    LT_CHECK(b->dimensions != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(store_query(b->query->store, &sql[SQL_DIMENSIONS], STORE_ARGS(STORE_I(0)), &rows));
    while (b->dimension_count < DIMENSIONS_MAX && store_next(&rows)) {
        struct dimension *d = &b->dimensions[b->dimension_count++];
        d->id = store_int(&rows, 0);
        d->build = lt_arena_cstr(b->query->arena, store_bytes(&rows, 1));
        d->perspectives = lt_arena_cstr(b->query->arena, store_bytes(&rows, 2));
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < b->dimension_count; i++) {
        LT_CHECK(b->dimensions[i].build != NULL && b->dimensions[i].perspectives != NULL, LT_PEER_TOO_LARGE,
                 "the answer is over the limit");
    }
    return LT_OK;
}

static uint64_t mix(uint64_t h, uint64_t n)
{
    h = (h ^ n) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint32_t slot_of(const struct group *g)
{
    uint64_t h = mix(mix((uint64_t)g->issuer, (uint64_t)g->profile), (uint64_t)g->dimension);
    h = mix(mix(h, (uint64_t)g->quorum), (uint64_t)g->tier);
    for (const char *c = g->build; *c != '\0'; c++) {
        h = mix(h, (uint8_t)*c);
    }
    return (uint32_t)(h >> 16) % SLOTS;
}

static bool alike(const struct group *a, const struct group *b)
{
    return a->issuer == b->issuer && a->profile == b->profile && a->dimension == b->dimension &&
           a->quorum == b->quorum && a->tier == b->tier && strcmp(a->build, b->build) == 0;
}

/* The build is of the row, and copied for the first of its group. */
static lt_res gather(struct blast *b, const struct group *g)
{
    uint32_t at = slot_of(g);
    for (; b->slots[at] != 0; at = (at + 1) % SLOTS) {
        struct group *old = &b->groups[b->slots[at] - 1];
        if (alike(old, g)) {
            old->count += g->count;
            return LT_OK;
        }
    }
    LT_CHECK(b->group_count < GROUPS_MAX, LT_PEER_TOO_LARGE, "over %d kinds of certificates", GROUPS_MAX);
    struct group *kept = &b->groups[b->group_count++];
    *kept = *g;
    kept->build = lt_arena_cstr(b->query->arena, lt_slice_cstr(g->build));
    LT_CHECK(kept->build != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    b->slots[at] = (uint32_t)b->group_count;
    return LT_OK;
}

/* sign -1: taken off again. */
static lt_res walk(struct blast *b, int statement, int sign)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    bool grouped = strcmp(store_explain_words(b->query->store), "EXPLAIN") == 0; /* a server */
    LT_TRY(store_query(b->query->store, &sql[statement + (grouped ? 1 : 0)],
                       STORE_ARGS(STORE_I(b->query->now.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        const struct group g = {
            .issuer = store_int(&rows, 0),
            .profile = store_int(&rows, 1),
            .build = store_cstr(&rows, 2),
            .dimension = store_int(&rows, 3),
            .quorum = store_int(&rows, 4),
            .tier = store_int(&rows, 5),
            .count = sign * store_int(&rows, 6),
        };
        r = gather(b, &g);
    }
    lt_res end = store_rows_end(&rows);
    return lt_failed(r) ? r : end;
}

static lt_res walk_all(struct blast *b)
{
    LT_TRY(walk(b, SQL_ALL, 1));
    LT_TRY(walk(b, SQL_REVOKED, -1));
    LT_TRY(walk(b, SQL_OTHER, 1)); /* other ways in which their names were proved */
    for (size_t i = 0; i < b->group_count; i++) {
        LT_TRY(b->groups[i].issuer == 0 ? add_dimension(b, &b->groups[i]) : add_group(b, &b->groups[i]));
    }
    return LT_OK;
}

static int largest_first(const void *x, const void *y)
{
    const struct fall *a = x;
    const struct fall *b = y;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->falls != b->falls) {
        return a->falls > b->falls ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static void write_row(const struct fall *row, struct query_out *o)
{
    query_open(o, NULL, '{');
    query_cstr(o, "kind", kind_names[row->kind]);
    query_cstr(o, "name", row->name);
    query_int(o, "certificates", row->certificates);
    query_int(o, "falls", row->falls);
    query_open(o, "tiers", '{');
    for (enum ca_ready_tier t = CA_READY_AUTOMATIC; t <= CA_READY_HOLD_OUT; t++) {
        query_int(o, ca_ready_tier_name(t), row->tiers[t]);
    }
    query_close(o, '}');
    query_close(o, '}');
}

/* What the registrar holds against the caps of lintel.yaml; also in the answer to "status". */
lt_res query_caps_write(const struct ca_query *query, struct query_out *o)
{
    struct query_tables tables;
    struct store_rows rows;
    LT_TRY(query_tables_load(query, &tables));
    LT_TRY(store_query(query->store, &sql[SQL_LOADS], STORE_ARGS(STORE_I(0)), &rows));
    query_open(o, "caps", '[');
    while (store_next(&rows)) {
        const struct query_issuer *issuer = query_issuer_by_id(&tables, store_int(&rows, 0));
        int64_t cap = store_int(&rows, 3);
        query_open(o, NULL, '{');
        query_cstr(o, "issuer", issuer == NULL ? "" : issuer->name);
        query_int(o, "valid", store_int(&rows, 1));
        query_time(o, "counted", store_int(&rows, 2));
        query_int(o, "cap", cap);
        query_int(o, "percent", cap == 0 ? 0 : store_int(&rows, 1) * 100 / cap);
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

lt_res query_blast_radius(const struct ca_query *query, struct query_out *out)
{
    struct blast *b = LT_NEW(query->arena, struct blast);
    LT_CHECK(b != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    b->query = query;
    b->rows = LT_NEW_ARRAY(query->arena, struct fall, ROWS_MAX);
    b->groups = LT_NEW_ARRAY(query->arena, struct group, GROUPS_MAX);
    b->slots = LT_NEW_ARRAY(query->arena, uint32_t, SLOTS);
    LT_CHECK(b->rows != NULL && b->groups != NULL && b->slots != NULL, LT_PEER_TOO_LARGE,
             "the answer is over the limit");
    LT_TRY(query_tables_load(query, &b->tables));
    LT_TRY(load_keys(b));
    LT_TRY(load_dimensions(b));
    LT_TRY(walk_all(b));
    qsort(b->rows, b->count, sizeof b->rows[0], largest_first);
    query_time(out, "as_of", query->now.us);
    query_open(out, "rows", '[');
    for (size_t i = 0; i < b->count; i++) {
        write_row(&b->rows[i], out);
    }
    query_close(out, ']');
    return query_caps_write(query, out);
}
