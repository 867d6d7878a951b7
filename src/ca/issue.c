/* Planning an issuance, asking the examiner, and asking again for whatever is still open. */
#include "ca/issue.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/crl_book.h"
#include "ca/crl_shard.h"
#include "ca/evidence_book.h"
#include "ca/halt.h"
#include "ca/issue_internal.h"
#include "ca/journal.h"
#include "ca/key_block.h"
#include "crypto/digest.h"

static const struct store_sql sql[] = {
    {"intent.add",
     "INSERT INTO intent (id, kind, requester, order_id, account, issuer, profile, serial, tbs, "
     "request, created_us) VALUES (?1, 'certificate', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
    {"intent.open", "INSERT INTO intent_open (intent, host) VALUES (?1, ?2)"},
    {"intent.get", "SELECT requester, order_id, account, issuer, profile, serial, tbs, request, created_us "
                   "FROM intent WHERE id = ?1"},
    {"intent.get-open", "SELECT i.requester, i.order_id, i.account, i.issuer, i.profile, i.serial, i.tbs, "
                        "i.request, i.created_us FROM intent_open AS o JOIN intent AS i ON i.id = o.intent "
                        "WHERE o.intent = ?1"},
    {"intent.by-serial", "SELECT id FROM intent WHERE issuer = ?1 AND serial = ?2"},
    {"intent.serial-uses", "SELECT (SELECT count(*) FROM intent WHERE issuer = ?1 AND serial = ?2) + "
                           "(SELECT count(*) FROM certificate WHERE issuer = ?1 AND serial = ?2)"},
    {"intent.is-open", "SELECT 1 FROM intent_open WHERE intent = ?1"},
    {"intent.open-before",
     "SELECT intent FROM intent_open WHERE host = ?2 AND intent < ?1 ORDER BY intent LIMIT 256"},
    {"intent.open-count", "SELECT count(*) FROM intent_open"},
};
enum {
    SQL_ADD,
    SQL_OPEN,
    SQL_GET,
    SQL_GET_OPEN,
    SQL_BY_SERIAL,
    SQL_SERIAL_USES,
    SQL_IS_OPEN,
    SQL_OPEN_BEFORE,
    SQL_OPEN_COUNT
};
const struct store_sql *const ca_issue_sql = sql;
const size_t ca_issue_sql_count = LT_COUNT(sql);

static ProtobufCBinaryData binary(lt_slice s)
{
    ProtobufCBinaryData b = {.len = s.len, .data = NULL};
    memcpy(&b.data, &s.ptr, sizeof b.data); /* borrowed for encoding only */
    return b;
}

static char *text(struct ca_turn *t, lt_slice s)
{
    char *p = lt_arena_cstr(t->arena, s);
    LT_ASSERT(p != NULL);
    return p;
}

static lt_res list_names(struct ca_turn *t, const struct ca_issue_request *r, Ipc__Identifier ***ret_names)
{
    Ipc__Identifier **list = LT_NEW_ARRAY(t->arena, Ipc__Identifier *, r->name_count + 1);
    Ipc__Identifier *rows = LT_NEW_ARRAY(t->arena, Ipc__Identifier, r->name_count + 1);
    LT_CHECK(list != NULL && rows != NULL, LT_PEER_TOO_LARGE, "too many names");
    for (size_t i = 0; i < r->name_count; i++) {
        ipc__identifier__init(&rows[i]);
        rows[i].type = text(t, lt_slice_cstr(r->names[i].type));
        rows[i].value = text(t, r->names[i].value);
        list[i] = &rows[i];
    }
    *ret_names = list;
    return LT_OK;
}

/* Halted, blocked, held? */
static lt_res may_issue(struct ca_turn *t, const struct ca_issue_draft *d, Ipc__Identifier **names)
{
    const struct ca_issue_request *r = d->request;
    const char **methods = LT_NEW_ARRAY(t->arena, const char *, r->name_count + 1);
    LT_CHECK(methods != NULL, LT_PEER_TOO_LARGE, "too many names");
    for (size_t i = 0; i < r->name_count; i++) {
        methods[i] = r->names[i].method;
    }
    struct ca_halt_subject subject = {
        .profile = r->profile,
        .issuer = lt_slice_cstr(d->issuer->name),
        .account_id = r->account_id,
        .names = names,
        .name_count = r->name_count,
        .methods = methods,
        .method_count = r->name_count,
    };
    const char *held = ca_held(t->book);
    LT_CHECK(held == NULL, LT_RETRY_UNAVAILABLE, "issuance is held: %s", held);
    LT_TRY(ca_halt_check(t->book->halts, t->book->halt_count, &subject));
    return ca_key_block_check(t, LT_SLICE(r->key->spki_sha256.data, r->key->spki_sha256.len));
}

static lt_res list_evidence(struct ca_turn *t, const struct ca_issue_request *r, Ipc__Identifier **names,
                            Ipc__SignRequest *q)
{
    Ipc__NameEvidence *rows = LT_NEW_ARRAY(t->arena, Ipc__NameEvidence, r->name_count + 1);
    q->evidence = LT_NEW_ARRAY(t->arena, Ipc__NameEvidence *, r->name_count + 1);
    LT_CHECK(rows != NULL && q->evidence != NULL, LT_PEER_TOO_LARGE, "too many names");
    q->n_evidence = r->name_count;
    for (size_t i = 0; i < r->name_count; i++) {
        ipc__name_evidence__init(&rows[i]);
        rows[i].identifier = names[i];
        rows[i].method = text(t, lt_slice_cstr(r->names[i].method));
        rows[i].validated_us = r->names[i].validated.us;
        rows[i].authorization_id = r->names[i].authorization_id;
        rows[i].caa_checked_us = r->names[i].caa_checked.us;
        rows[i].dimension = r->names[i].dimension;
        rows[i].quorum = r->names[i].quorum;
        q->evidence[i] = &rows[i];
    }
    return LT_OK;
}

/* What the examiner counts again goes with each question, and not into the intent: it lies in the evidence.
 */
static lt_res add_statements(struct ca_turn *t, Ipc__SignRequest *q)
{
    for (size_t i = 0; i < q->n_evidence; i++) {
        if (q->evidence[i]->quorum > 1) { /* others than the primary perspective were asked */
            LT_TRY(ca_evidence_statements(t, q->evidence[i]));
        }
    }
    return LT_OK;
}

/* What is larger cannot leave, now or ever. */
static bool fits(const Ipc__SignRequest *q)
{
    return ipc__sign_request__get_packed_size(q) <= ipc_type_info(IPC_SIGN_REQUEST)->max_bytes;
}

/* The question without the to-be-signed bytes, which the book keeps beside it. */
static lt_res write_record(struct ca_turn *t, const struct ca_issue_draft *d, Ipc__SignRequest *q,
                           lt_slice *ret_packed)
{
    const struct ca_issue_request *r = d->request;
    uint8_t name_set[CA_HASH_LEN];
    LT_TRY(ca_name_set_sha256(t, r, name_set));
    Ipc__IntentRecord record = IPC__INTENT_RECORD__INIT;
    Ipc__PublicKey key = *r->key;
    key.spki = binary(LT_SLICE(NULL, 0));
    record.request = q;
    record.key = &key;
    record.not_before_us = d->period.not_before.us;
    record.not_after_us = d->period.not_after.us;
    record.name_set_sha256 = binary(LT_SLICE(name_set, sizeof name_set));
    record.profile_sha256 = binary(LT_SLICE(d->profile->sha256, sizeof d->profile->sha256));
    record.reply_role = (uint32_t)r->reply_to.role;
    record.reply_instance = r->reply_to.instance;
    record.reply_id = r->reply_to.id;
    record.crl_shard = d->crl_shard;
    size_t len = ipc__intent_record__get_packed_size(&record);
    uint8_t *packed = lt_arena_alloc(t->arena, len);
    LT_CHECK(packed != NULL, LT_PEER_TOO_LARGE, "an intent of %zu bytes is too large", len);
    (void)ipc__intent_record__pack(&record, packed); /* exactly len, just measured */
    *ret_packed = LT_SLICE(packed, len);
    return LT_OK;
}

static struct store_value id_or_null(int64_t id)
{
    return id == 0 ? STORE_N : STORE_I(id);
}

static lt_res write_intent(struct ca_turn *t, const struct ca_issue_draft *d, Ipc__SignRequest *q)
{
    const struct ca_issue_request *r = d->request;
    lt_slice packed;
    LT_TRY(write_record(t, d, q, &packed));
    const struct ca_profile_row *profile = ca_profile_by_name(t->book, r->profile);
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(q->intent_id), STORE_S(r->requester), id_or_null(r->order_id),
                                 id_or_null(r->account_id), STORE_I(d->issuer->id), STORE_I(profile->id),
                                 STORE_B(LT_SLICE(d->serial, sizeof d->serial)), STORE_B(d->tbs),
                                 STORE_B(packed), STORE_I(t->now.us)),
                      NULL));
    return store_exec(t->store, &sql[SQL_OPEN], STORE_ARGS(STORE_I(q->intent_id), STORE_I(ca_host_id(t))),
                      NULL);
}

static lt_res draft(struct ca_turn *t, const struct ca_issue_request *r, struct ca_issue_draft *d)
{
    const struct ca_profile_row *row = ca_profile_by_name(t->book, r->profile);
    LT_CHECK(row != NULL, LT_PEER_UNSUPPORTED, "there is no profile %.*s", LT_FMT(r->profile));
    d->request = r;
    d->profile = row->profile;
    LT_TRY(ca_issue_fits(r, d->profile));
    d->issuer = ca_issuer_by_name(t->book, lt_slice_cstr(d->profile->issuer));
    LT_CHECK(d->issuer != NULL && !d->issuer->offline, LT_POLICY_REFUSED,
             "profile %s: there is no issuer %s here", d->profile->name, d->profile->issuer);
    struct ca_period wanted = {r->not_before, r->not_after};
    LT_TRY(ca_profile_period(d->profile, t->now, wanted,
                             (struct ca_period){d->issuer->not_before, d->issuer->not_after}, &d->period));
    ca_new_serial(t, d->serial);
    uint32_t shards = 0;
    if (d->profile->crl_distribution) { /* without an address nobody finds a part */
        LT_TRY(ca_crl_shards(t, d->issuer, &shards));
    }
    d->crl_shard = ca_crl_shard_of(LT_SLICE(d->serial, sizeof d->serial), shards);
    return LT_OK;
}

static lt_res one_number(struct ca_turn *t, const struct store_sql *which, const struct store_value *values,
                         size_t count, int64_t *ret_number)
{
    struct store_rows rows;
    *ret_number = 0;
    LT_TRY(store_query(t->store, which, values, count, &rows));
    if (store_next(&rows)) {
        *ret_number = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

/* What the examiner's rules want to know of the book; kept with the intent, so that asking again says the
 * same. */
static lt_res fill_facts(struct ca_turn *t, const struct ca_issue_draft *d, Ipc__SignRequest *q)
{
    static char none[] = "";
    int64_t uses = 0;
    Ipc__BookFacts *f = LT_NEW(t->arena, Ipc__BookFacts);
    LT_CHECK(f != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__book_facts__init(f);
    LT_TRY(one_number(t, &sql[SQL_SERIAL_USES],
                      STORE_ARGS(STORE_I(d->issuer->id), STORE_B(LT_SLICE(d->serial, sizeof d->serial))),
                      &uses));
    f->serial_uses = (uint32_t)uses;
    for (size_t i = 0; i < q->n_evidence; i++) {
        const Ipc__NameEvidence *e = q->evidence[i];
        bool oldest = e->validated_us != 0 &&
                      (f->oldest_validation_us == 0 || e->validated_us < f->oldest_validation_us);
        f->oldest_validation_us = oldest ? e->validated_us : f->oldest_validation_us;
        oldest = e->caa_checked_us != 0 && (f->oldest_caa_us == 0 || e->caa_checked_us < f->oldest_caa_us);
        f->oldest_caa_us = oldest ? e->caa_checked_us : f->oldest_caa_us;
        f->names_validated += e->validated_us != 0;
    }
    f->crl_url = none;
    if (d->profile->crl_distribution) {
        f->crl_url = text(
            t, lt_slice_cstr(ca_crl_url(t->arena, t->book->public_http_url, d->issuer->name, d->crl_shard)));
    }
    LT_CHECK(f->crl_url != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    q->facts = f;
    return LT_OK;
}

lt_res ca_issue_plan(struct ca_turn *t, const struct ca_issue_request *r, int64_t *ret_intent)
{
    struct ca_issue_draft d;
    Ipc__Identifier **names = NULL;
    LT_TRY(draft(t, r, &d));
    LT_TRY(list_names(t, r, &names));
    LT_TRY(may_issue(t, &d, names));
    LT_TRY(ca_issue_build(t, &d));
    Ipc__SignRequest q = IPC__SIGN_REQUEST__INIT;
    q.kind = IPC__SIGN_KIND__SIGN_CERTIFICATE;
    q.issuer = text(t, lt_slice_cstr(d.issuer->name));
    q.profile = text(t, r->profile);
    q.serial = binary(LT_SLICE(d.serial, sizeof d.serial));
    q.account_id = r->account_id;
    q.intent_us = t->now.us;
    q.intent_id = ca_new_id(t);
    LT_TRY(list_evidence(t, r, names, &q));
    LT_TRY(fill_facts(t, &d, &q));
    LT_TRY(write_intent(t, &d, &q));
    if (ret_intent != NULL) {
        *ret_intent = q.intent_id;
    }
    q.tbs = binary(d.tbs);
    LT_TRY(add_statements(t, &q));
    LT_CHECK(fits(&q), LT_PEER_TOO_LARGE, "the evidence of %zu names is too large to be examined at once",
             r->name_count);
    return ca_turn_send(t, IPC_EXAMINER, IPC_SIGN_REQUEST, (uint64_t)q.intent_id, &q.base);
}

static void *take(void *arena, size_t size)
{
    return lt_arena_alloc(arena, size);
}

static void give_back(void *arena, void *p)
{
    (void)arena; /* the arena goes at once */
    (void)p;
}

static lt_res read_intent(struct ca_turn *t, const struct store_rows *row, struct ca_intent *i)
{
    i->requester = text(t, store_bytes(row, 0));
    i->order_id = store_int(row, 1);
    i->account_id = store_int(row, 2);
    i->issuer = ca_issuer_by_id(t->book, store_int(row, 3));
    i->profile = store_int(row, 4);
    i->serial = lt_arena_copy(t->arena, store_bytes(row, 5));
    i->tbs = lt_arena_copy(t->arena, store_bytes(row, 6));
    i->created = (lt_time){store_int(row, 8)};
    lt_slice packed = store_bytes(row, 7);
    ProtobufCAllocator allocator = {.alloc = take, .free = give_back, .allocator_data = t->arena};
    i->record = ipc__intent_record__unpack(&allocator, packed.len, packed.ptr);
    bool sound = i->issuer != NULL && i->tbs.len > 0 && i->serial.len > 0 && i->record != NULL &&
                 i->record->request != NULL && i->record->key != NULL;
    LT_CHECK(sound, LT_STATE_CORRUPT, "intent %lld does not read back", (long long)i->id);
    return LT_OK;
}

static lt_res load(struct ca_turn *t, const struct store_sql *which, int64_t id, struct ca_intent *ret_intent)
{
    struct store_rows rows;
    ret_intent->id = id;
    LT_TRY(store_query(t->store, which, STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    lt_res r = found ? read_intent(t, &rows, ret_intent) : LT_OK;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no such intent %lld", (long long)id);
    return LT_OK;
}

lt_res ca_intent_load(struct ca_turn *t, int64_t id, struct ca_intent *ret_intent)
{
    return load(t, &sql[SQL_GET], id, ret_intent);
}

lt_res ca_intent_load_open(struct ca_turn *t, int64_t id, struct ca_intent *ret_intent)
{
    return load(t, &sql[SQL_GET_OPEN], id, ret_intent);
}

lt_res ca_intent_by_serial(struct ca_turn *t, const struct ca_issuer *issuer, lt_slice serial,
                           int64_t *ret_id)
{
    return one_number(t, &sql[SQL_BY_SERIAL], STORE_ARGS(STORE_I(issuer->id), STORE_B(serial)), ret_id);
}

lt_res ca_intent_is_open(struct ca_turn *t, int64_t id, bool *ret_open)
{
    int64_t open = 0;
    LT_TRY(one_number(t, &sql[SQL_IS_OPEN], STORE_ARGS(STORE_I(id)), &open));
    *ret_open = open != 0;
    return LT_OK;
}

lt_res ca_issue_open_count(struct ca_turn *t, int64_t *ret_count)
{
    return one_number(t, &sql[SQL_OPEN_COUNT], STORE_NO_ARGS, ret_count);
}

lt_res ca_intent_ask(struct ca_turn *t, const struct ca_intent *i)
{
    if (ca_held(t->book) != NULL || !t->book->examiner_linked) {
        return LT_OK;
    }
    Ipc__SignRequest q = *i->record->request;
    q.tbs = binary(i->tbs);
    LT_TRY(add_statements(t, &q));
    if (!fits(&q)) {
        Ipc__SignReply reply = IPC__SIGN_REPLY__INIT;
        reply.refusal = text(t, LT_LIT("evidence"));
        reply.detail = text(t, LT_LIT("the evidence of its names is too large to be examined at once"));
        return ca_intent_refuse(t, i, &reply);
    }
    return ca_turn_send(t, IPC_EXAMINER, IPC_SIGN_REQUEST, (uint64_t)i->id, &q.base);
}

static lt_res ask_again(struct ca_turn *t, int64_t id)
{
    struct ca_intent intent;
    LT_TRY(ca_intent_load(t, id, &intent));
    return ca_intent_ask(t, &intent);
}

lt_res ca_issue_retry(struct ca_turn *t, int64_t age_s, size_t *ret_asked)
{
    int64_t ids[CA_RETRY_AT_ONCE];
    size_t count = 0;
    lt_res first = LT_OK;
    struct store_rows rows;
    int64_t before = ca_id_at(lt_time_add_seconds(t->now, -age_s));
    LT_TRY(store_query(t->store, &sql[SQL_OPEN_BEFORE], STORE_ARGS(STORE_I(before), STORE_I(ca_host_id(t))),
                       &rows));
    while (count < CA_RETRY_AT_ONCE && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    *ret_asked = 0;
    for (size_t i = 0; i < count; i++) { /* one that cannot be asked is no reason not to ask the others */
        lt_res r = ask_again(t, ids[i]);
        first = lt_failed(first) ? first : r;
        *ret_asked += !lt_failed(r);
    }
    return *ret_asked > 0 ? LT_OK : first;
}

lt_res ca_issue_hello(struct ca_turn *t)
{
    t->book->replayed = false;
    return ca_journal_hello(t);
}
