/* What a check saw, as one row of evidence: interned what is common, and all of it, with what every other
 * perspective signed, in a segment beside the book. */
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"
#include "ca/evidence_book.h"
#include "crypto/digest.h"

enum { NAMES_MAX = 4096, TIMES_TRIED = 64 };

/* What the columns of `dimension` hold, in their order. */
struct dimension {
    const char *text[5]; /* method, rule set, build, resolver, perspectives */
};

static void hash_dimension(const struct dimension *dim, uint8_t ret_key[32])
{
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    for (size_t i = 0; i < LT_COUNT(dim->text); i++) {
        crypto_stream_add(&s, lt_slice_cstr(dim->text[i]));
        crypto_stream_add(&s, LT_LIT("\n"));
    }
    crypto_stream_finish(&s, ret_key);
    crypto_stream_done(&s);
}

static lt_res find(struct ca_turn *t, const struct store_value columns[5], int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_DIMENSION], columns, 5, &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

/* Another host may add it at the same moment: then its row is the one. */
static lt_res find_or_add(struct ca_turn *t, const struct dimension *dim, int64_t *ret_id)
{
    int64_t changed = 0;
    const struct store_value columns[] = {STORE_S(dim->text[0]), STORE_S(dim->text[1]), STORE_S(dim->text[2]),
                                          STORE_S(dim->text[3]), STORE_S(dim->text[4])};
    LT_TRY(find(t, columns, ret_id));
    if (*ret_id != 0) {
        return LT_OK;
    }
    *ret_id = ca_new_id(t);
    LT_TRY(store_exec(
        t->store, &acme_sql[ACME_SQL_DIMENSION_ADD],
        STORE_ARGS(STORE_I(*ret_id), columns[0], columns[1], columns[2], columns[3], columns[4]), &changed));
    return changed == 1 ? LT_OK : find(t, columns, ret_id);
}

static lt_res dimension_id(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v, const char *set,
                           int64_t *ret_id)
{
    struct dimension dim = {{v->method, v->ruleset, v->build, v->resolver, set}};
    struct acme_dimension found = {0};
    hash_dimension(&dim, found.key);
    for (size_t i = 0; i < ACME_DIMENSIONS_CACHED; i++) {
        if (d->dimensions[i].id != 0 && memcmp(d->dimensions[i].key, found.key, sizeof found.key) == 0) {
            *ret_id = d->dimensions[i].id;
            return LT_OK;
        }
    }
    LT_TRY(find_or_add(t, &dim, &found.id));
    d->dimensions[d->dimension_next++ % ACME_DIMENSIONS_CACHED] = found;
    *ret_id = found.id;
    return LT_OK;
}

static void add_text(struct lt_buf *out, const char *key, const char *value)
{
    lt_json_add_string(out, lt_slice_cstr(key));
    lt_buf_add_byte(out, ':');
    lt_json_add_string(out, lt_slice_cstr(value));
    lt_buf_add_byte(out, ',');
}

static void add_texts(struct lt_buf *out, const char *key, char *const *list, size_t count)
{
    lt_json_add_string(out, lt_slice_cstr(key));
    lt_buf_add_cstr(out, ":[");
    for (size_t i = 0; i < count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(list[i]));
    }
    lt_buf_add_cstr(out, "],");
}

void acme_caa_json(const Ipc__CaaCheck *caa, struct lt_buf *out)
{
    if (caa == NULL) {
        lt_buf_add_cstr(out, "null");
        return;
    }
    lt_buf_addf(out, "{\"checked\":%s,\"permitted\":%s,\"ttl\":%u,\"checked_us\":%lld,",
                caa->checked ? "true" : "false", caa->permitted ? "true" : "false", caa->ttl,
                (long long)caa->checked_us);
    add_texts(out, "looked_up", caa->looked_up, caa->n_looked_up);
    add_texts(out, "records", caa->records, caa->n_records);
    add_texts(out, "iodef", caa->iodef, caa->n_iodef);
    add_text(out, "domain", caa->domain);
    add_text(out, "dnssec", caa->dnssec);
    lt_buf_add_cstr(out, "\"why\":");
    lt_json_add_string(out, lt_slice_cstr(caa->why));
    lt_buf_add_byte(out, '}');
}

const char *acme_caa_word(const Ipc__CaaCheck *caa)
{
    if (caa == NULL) {
        return "";
    }
    /* A bogus answer is no answer, whatever else the statement says. */
    if (!caa->checked || lt_slice_eq_cstr(lt_slice_cstr(caa->dnssec), "bogus")) {
        return "failed";
    }
    return caa->permitted ? "permitted" : "forbidden";
}

/* The validator's clock, but never later than ours. */
lt_time acme_caa_time(const Ipc__CaaCheck *caa, lt_time now)
{
    return (lt_time){caa->checked_us < now.us ? caa->checked_us : now.us};
}

/* Row of a perspective's key, which its file may replace tomorrow. */
static lt_res key_id(struct acme_desk *d, struct ca_turn *t, const struct validate_perspective *p,
                     int64_t *ret_id)
{
    const struct ca_perspective_key key = {p->name, p->spki, validate_rir_name(p->rir),
                                           validate_rir_name(p->resolver_rir)};
    struct acme_dimension found = {0};
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, lt_slice_cstr(key.name));
    crypto_stream_add(&s, LT_LIT("\n"));
    crypto_stream_add(&s, lt_slice_cstr(key.rir));
    crypto_stream_add(&s, LT_LIT("\n"));
    crypto_stream_add(&s, lt_slice_cstr(key.resolver_rir));
    crypto_stream_add(&s, LT_LIT("\n"));
    crypto_stream_add(&s, key.spki);
    crypto_stream_finish(&s, found.key);
    crypto_stream_done(&s);
    for (size_t i = 0; i < ACME_VOICES_CACHED; i++) {
        if (d->voices[i].id != 0 && memcmp(d->voices[i].key, found.key, sizeof found.key) == 0) {
            *ret_id = d->voices[i].id;
            return LT_OK;
        }
    }
    LT_TRY(ca_perspective_key(t, &key, &found.id));
    d->voices[d->voice_next++ % ACME_VOICES_CACHED] = found;
    *ret_id = found.id;
    return LT_OK;
}

/* protobuf-c has no const; what is borrowed here is encoded within the call. */
static char *borrowed(const char *text)
{
    return (char *)(uintptr_t)text;
}

struct corroboration { /* room for one */
    Ipc__EvidenceCorroboration m;
    Ipc__EvidenceVoice voices[VALIDATE_PERSPECTIVES_MAX];
    Ipc__EvidenceVoice *list[VALIDATE_PERSPECTIVES_MAX];
};

static lt_res fill_corroboration(struct acme_desk *d, struct ca_turn *t, const struct acme_corroboration *c,
                                 struct corroboration *out)
{
    struct validate_quorum q;
    struct acme_voice voice;
    acme_corroboration_quorum(c, t->now, &q);
    ipc__evidence_corroboration__init(&out->m);
    out->m.agreeing = q.agreeing;
    out->m.asked = q.asked;
    out->m.regions = q.rirs;
    out->m.met = q.met;
    out->m.corroborated = q.corroborated;
    out->m.why = borrowed(q.why);
    out->m.voices = out->list;
    while (out->m.n_voices < VALIDATE_PERSPECTIVES_MAX &&
           acme_corroboration_voice(c, out->m.n_voices, &voice)) {
        Ipc__EvidenceVoice *v = &out->voices[out->m.n_voices];
        ipc__evidence_voice__init(v);
        LT_TRY(key_id(d, t, voice.is, &v->key_id));
        v->name = borrowed(voice.is->name);
        v->agrees = voice.agrees;
        v->why = borrowed(voice.why);
        v->said = (Ipc__SignedStatement *)(uintptr_t)voice.said;
        out->list[out->m.n_voices++] = v;
    }
    return LT_OK;
}

/* Of a validation it is the time that its authorization has. A check of CAA takes the next free one: two
 * orders may have asked for the same name. */
static lt_res time_of_row(struct ca_turn *t, const Ipc__Validated *v, int64_t *ret_us)
{
    bool taken = strcmp(v->method, "caa") == 0;
    *ret_us = t->now.us;
    for (size_t i = 0; taken && i < TIMES_TRIED; i++) {
        struct store_rows rows;
        *ret_us = t->now.us + (int64_t)i;
        LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_EVIDENCE_AT],
                           STORE_ARGS(STORE_I(v->authorization_id), STORE_I(*ret_us)), &rows));
        taken = store_next(&rows);
        LT_TRY(store_rows_end(&rows));
    }
    return LT_OK;
}

static lt_res keep(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                   const struct acme_corroboration *c, int64_t checked_us, struct store_frame_ref *ret_ref)
{
    struct corroboration room;
    Ipc__EvidenceRecord record = IPC__EVIDENCE_RECORD__INIT;
    record.authorization_id = v->authorization_id;
    record.checked_us = checked_us;
    record.primary = (Ipc__Validated *)(uintptr_t)v;
    if (c != NULL) {
        LT_TRY(fill_corroboration(d, t, c, &room));
        record.corroboration = &room.m;
        record.primary = (Ipc__Validated *)(uintptr_t)acme_corroboration_primary(c);
        record.problem = v->ok ? NULL : v->problem; /* what v says is the outcome */
    }
    return ca_evidence_keep(t, &record, ret_ref);
}

static lt_res add_row(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                      const struct acme_corroboration *c, struct lt_buf *names)
{
    int64_t dimension = 0;
    int64_t checked_us = 0;
    struct store_frame_ref ref = {0};
    uint64_t agreeing = v->ok ? 1 : 0; /* bit 0 of the set: "primary" */
    uint64_t dissenting = v->ok ? 0 : 1;
    if (c != NULL) {
        acme_corroboration_set(c, names, &agreeing, &dissenting);
    }
    LT_TRY(dimension_id(d, t, v, c == NULL ? v->perspective : lt_buf_cstr(names), &dimension));
    LT_TRY(time_of_row(t, v, &checked_us));
    LT_TRY(keep(d, t, v, c, checked_us, &ref));
    memcpy(d->evidence_sha256, ref.sha256, sizeof d->evidence_sha256);
    return store_exec(t->store, &acme_sql[ACME_SQL_EVIDENCE_ADD],
                      STORE_ARGS(STORE_I(v->authorization_id), STORE_I(checked_us), STORE_I(dimension),
                                 STORE_I(v->ok ? 1 : 0), STORE_S(v->identifier->type),
                                 STORE_S(v->identifier->value), STORE_S(v->dnssec),
                                 STORE_I((int64_t)agreeing), STORE_I((int64_t)dissenting),
                                 STORE_S(acme_caa_word(v->caa)),
                                 v->caa == NULL ? STORE_N : STORE_I(acme_caa_time(v->caa, t->now).us),
                                 STORE_I(ref.segment), STORE_I((int64_t)ref.position), STORE_I(ref.length),
                                 STORE_B(LT_SLICE(ref.sha256, sizeof ref.sha256))),
                      NULL);
}

lt_res acme_evidence_add(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                         const struct acme_corroboration *c)
{
    struct lt_buf names;
    lt_buf_init(&names, NAMES_MAX);
    lt_res r = add_row(d, t, v, c, &names);
    lt_buf_done(&names);
    return r;
}

void acme_evidence_event(const struct acme_desk *d, struct lt_buf *out)
{
    lt_buf_add_cstr(out, ",\"evidence\":\"");
    lt_hex_add(out, LT_SLICE(d->evidence_sha256, sizeof d->evidence_sha256));
    lt_buf_add_byte(out, '"');
}
