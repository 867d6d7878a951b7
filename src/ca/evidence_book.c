/* The signed statements in an evidence row: "signed" of its JSON, as acme/corroborate.c writes it. */
#include "ca/evidence_book.h"

#include <jansson.h>

#include "base/text.h"
#include "validate/quorum.h"

static const struct store_sql sql[] = {
    {"ca.evidence-statement",
     "SELECT statement FROM evidence WHERE authorization_id = ?1 AND checked_us = ?2"},
};
const struct store_sql *const ca_evidence_sql = sql;
const size_t ca_evidence_sql_count = LT_COUNT(sql);

static lt_res bytes_of(struct lt_arena *a, const json_t *row, const char *key, ProtobufCBinaryData *ret)
{
    lt_slice bytes;
    const char *text = json_string_value(json_object_get(row, key));
    LT_CHECK(text != NULL, LT_STATE_CORRUPT, "evidence: a signed statement without %s", key);
    LT_TRY(lt_unbase64(a, lt_slice_cstr(text), &bytes));
    *ret = (ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.ptr}; /* only read */
    return LT_OK;
}

static lt_res one(struct lt_arena *a, const json_t *row, Ipc__SignedStatement *ret)
{
    ipc__signed_statement__init(ret);
    const char *name = json_string_value(json_object_get(row, "perspective"));
    LT_CHECK(name != NULL, LT_STATE_CORRUPT, "evidence: a signed statement of nobody");
    ret->perspective = lt_arena_cstr(a, lt_slice_cstr(name));
    LT_CHECK(ret->perspective != NULL, LT_PEER_TOO_LARGE, "evidence: too much of it");
    LT_TRY(bytes_of(a, row, "statement", &ret->statement));
    return bytes_of(a, row, "signature", &ret->signature);
}

static lt_res all(struct lt_arena *a, const json_t *list, Ipc__NameEvidence *e)
{
    size_t count = json_array_size(list); /* 0 where there is none */
    if (count == 0) {
        return LT_OK;
    }
    LT_CHECK(count <= VALIDATE_PERSPECTIVES_MAX, LT_STATE_CORRUPT, "evidence: %zu signed statements", count);
    Ipc__SignedStatement *rows = LT_NEW_ARRAY(a, Ipc__SignedStatement, count);
    e->statements = LT_NEW_ARRAY(a, Ipc__SignedStatement *, count);
    LT_CHECK(rows != NULL && e->statements != NULL, LT_PEER_TOO_LARGE, "evidence: too much of it");
    for (size_t i = 0; i < count; i++) {
        LT_TRY(one(a, json_array_get(list, i), &rows[i]));
        e->statements[e->n_statements++] = &rows[i];
    }
    return LT_OK;
}

lt_res ca_evidence_statements(struct ca_turn *t, Ipc__NameEvidence *e)
{
    struct store_rows rows;
    json_t *root = NULL;
    LT_TRY(store_query(t->store, &sql[0], STORE_ARGS(STORE_I(e->authorization_id), STORE_I(e->validated_us)),
                       &rows));
    if (store_next(&rows)) {
        lt_slice text = store_bytes(&rows, 0);
        root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    }
    LT_TRY(store_rows_end(&rows));
    lt_res r = all(t->arena, json_object_get(root, "signed"), e);
    json_decref(root);
    return r;
}
