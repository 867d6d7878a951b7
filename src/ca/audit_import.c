/* Reading the lines again; see audit_lines.h. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/audit_lines.h"
#include "ca/event.h"
#include "ca/passkey.h"
#include "crypto/pub.h"
#include "jose/json.h"
#include "jose/jws.h"
#include "signer/knot.h"

enum { ARENA_MAX = 256 * 1024 * 1024, KNOTS_AHEAD = 4096, TEXT_MAX = 300 };

struct ca_audit_reader {
    void *self;
    void (*found)(void *self, const char *what, const char *subject, const char *detail);
    struct crypto_pub *audit; /* owned; NULL: not known yet */
    struct lt_arena arena;    /* of a line */
    struct ca_chain chain;    /* the one that is read */
    uint8_t **pages;          /* each of KNOTS_AHEAD hashes */
    size_t page_count;
    int64_t first; /* sequence before its first event */
    bool begun;
    bool ended;
    struct ca_audit_read_counts counts;
};

static void finding(struct ca_audit_reader *r, const char *what, const char *subject, const char *format, ...)
    LT_PRINTF(4, 5);
static void finding(struct ca_audit_reader *r, const char *what, const char *subject, const char *format, ...)
{
    char detail[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args); /* cut: for people */
    va_end(args);
    r->counts.findings++;
    r->found(r->self, what, subject, detail);
}

/* ---- hashes of the chain that is read: a knot names one of them ---- */

static lt_res keep_head(struct ca_audit_reader *r, const uint8_t hash[CA_HASH_LEN])
{
    size_t at = (size_t)(r->chain.sequence - r->first);
    size_t page = at / KNOTS_AHEAD;
    if (page >= r->page_count) {
        uint8_t **pages = realloc(r->pages, (page + 1) * sizeof *pages);
        LT_ASSERT(pages != NULL);
        r->pages = pages;
        while (r->page_count <= page) {
            r->pages[r->page_count] = malloc((size_t)KNOTS_AHEAD * CA_HASH_LEN);
            LT_ASSERT(r->pages[r->page_count] != NULL);
            r->page_count++;
        }
    }
    memcpy(r->pages[page] + (at % KNOTS_AHEAD) * CA_HASH_LEN, hash, CA_HASH_LEN);
    return LT_OK;
}

static bool is_head(const struct ca_audit_reader *r, int64_t sequence, lt_slice head)
{
    if (sequence <= r->first || sequence > r->chain.sequence) {
        return false;
    }
    size_t at = (size_t)(sequence - r->first);
    return lt_slice_eq(head,
                       LT_SLICE(r->pages[at / KNOTS_AHEAD] + (at % KNOTS_AHEAD) * CA_HASH_LEN, CA_HASH_LEN));
}

static void drop_heads(struct ca_audit_reader *r)
{
    for (size_t i = 0; i < r->page_count; i++) {
        free(r->pages[i]);
    }
    free(r->pages);
    r->pages = NULL;
    r->page_count = 0;
}

/* ---- members ---- */

static lt_res text_of(const json_t *o, const char *name, lt_slice *ret_text)
{
    return jose_json_string(o, name, ret_text);
}

static lt_res int_of(const json_t *o, const char *name, int64_t *ret_number)
{
    const json_t *v = json_object_get(o, name);
    LT_CHECK(json_is_integer(v), LT_PEER_MALFORMED, "\"%s\" is no number", name);
    *ret_number = json_integer_value(v);
    return LT_OK;
}

static lt_res hex_of(struct ca_audit_reader *r, const json_t *o, const char *name, size_t len,
                     lt_slice *ret_bytes)
{
    lt_slice text;
    LT_TRY(text_of(o, name, &text));
    LT_TRY(lt_unhex(&r->arena, text, ret_bytes));
    LT_CHECK(ret_bytes->len == len, LT_PEER_MALFORMED, "\"%s\" has %zu bytes", name, ret_bytes->len);
    return LT_OK;
}

/* Empty when it is not there. */
static lt_res base64_of(struct ca_audit_reader *r, const json_t *o, const char *name, lt_slice *ret_bytes)
{
    lt_slice text;
    LT_TRY(jose_json_optional_string(o, name, &text));
    *ret_bytes = (lt_slice){NULL, 0};
    return text.len == 0 ? LT_OK : lt_unbase64(&r->arena, text, ret_bytes);
}

/* ---- lines ---- */

static lt_res line_export(struct ca_audit_reader *r, const json_t *o)
{
    lt_slice format;
    lt_slice spki;
    LT_TRY(text_of(o, "format", &format));
    LT_CHECK(lt_slice_eq_cstr(format, CA_AUDIT_FORMAT), LT_PEER_UNSUPPORTED,
             "an export of another format: %.*s", LT_FMT(lt_slice_sub(format, 0, 60)));
    LT_TRY(base64_of(r, o, "audit_key", &spki));
    if (r->audit == NULL && spki.len > 0) {
        LT_TRY(crypto_pub_new(spki, &r->audit));
    }
    if (r->audit == NULL) {
        finding(r, "knot", "audit key", "neither given nor in the export: no knot is verified");
    }
    r->begun = true;
    r->counts.whole = true;
    return LT_OK;
}

static lt_res line_chain(struct ca_audit_reader *r, const json_t *o)
{
    lt_slice name;
    lt_slice hash;
    uint8_t first[CA_HASH_LEN];
    LT_TRY(text_of(o, "chain", &name));
    LT_TRY(hex_of(r, o, "hash", CA_HASH_LEN, &hash));
    LT_CHECK(name.len > 0 && name.len < CA_CHAIN_NAME_MAX, LT_PEER_MALFORMED, "a chain without a name");
    drop_heads(r);
    r->chain = (struct ca_chain){.sequence = 0};
    (void)snprintf(r->chain.name, sizeof r->chain.name, "%.*s", LT_FMT(name)); /* measured */
    LT_TRY(int_of(o, "sequence", &r->chain.sequence));
    memcpy(r->chain.head, hash.ptr, CA_HASH_LEN);
    r->first = r->chain.sequence;
    LT_TRY(ca_event_first(r->chain.name, first));
    if (r->chain.sequence == 0 && memcmp(first, r->chain.head, sizeof first) != 0) {
        finding(r, "event-chain", r->chain.name, "it does not begin as a chain of that name does");
    }
    r->counts.whole = r->counts.whole && r->chain.sequence == 0;
    r->counts.chains++;
    return LT_OK;
}

static lt_res check_request(struct ca_audit_reader *r, const json_t *o, const char *where, lt_slice request)
{
    struct jws jws;
    lt_slice key;
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    LT_TRY(base64_of(r, o, "key", &key));
    if (lt_failed(jws_parse(request, JWS_REQUEST, &r->arena, &jws))) {
        finding(r, "jws", where, "the request that was kept is none: %s", lt_error_last()->detail);
        return LT_OK;
    }
    if (!jws.has_jwk && key.len == 0) {
        r->counts.jws_unknown++;
        return LT_OK;
    }
    lt_res good = jws.has_jwk ? LT_OK : crypto_pub_new(key, &pub);
    good = lt_failed(good) ? good : jws_verify(&jws, pub);
    if (lt_failed(good)) {
        finding(r, "jws", where, "the signature of the request that was kept does not verify");
        return LT_OK;
    }
    r->counts.jws++;
    return LT_OK;
}

static lt_res read_event(struct ca_audit_reader *r, const json_t *o, struct ca_event_row *row,
                         lt_slice *ret_hash)
{
    lt_slice chain;
    *row = (struct ca_event_row){.chain = r->chain.name};
    LT_TRY(text_of(o, "chain", &chain));
    LT_CHECK(lt_slice_eq_cstr(chain, r->chain.name), LT_PEER_MALFORMED,
             "an event of another chain than \"%s\"", r->chain.name);
    LT_TRY(int_of(o, "sequence", &row->sequence));
    LT_TRY(int_of(o, "time_us", &row->time.us));
    LT_TRY(text_of(o, "kind", &row->kind));
    LT_TRY(text_of(o, "subject", &row->subject));
    LT_TRY(json_object_get(o, "body_base64") != NULL ? base64_of(r, o, "body_base64", &row->body)
                                                     : text_of(o, "body", &row->body));
    LT_TRY(base64_of(r, o, "attachment", &row->attachment));
    return hex_of(r, o, "hash", CA_HASH_LEN, ret_hash);
}

static lt_res line_event(struct ca_audit_reader *r, const json_t *o)
{
    struct ca_event_row row;
    lt_slice stored;
    char where[TEXT_MAX];
    uint8_t hash[CA_HASH_LEN];
    LT_TRY(read_event(r, o, &row, &stored));
    (void)snprintf(where, sizeof where, "%s %lld", r->chain.name, (long long)row.sequence);
    if (row.sequence != r->chain.sequence + 1) {
        finding(r, "event-chain", where, "%lld events are missing before it",
                (long long)(row.sequence - r->chain.sequence - 1));
        LT_CHECK(row.sequence > r->chain.sequence && row.sequence - r->chain.sequence < KNOTS_AHEAD,
                 LT_PEER_MALFORMED, "%s: out of order", where);
    }
    lt_res made = ca_event_hash(&row, r->chain.head, hash);
    if (lt_failed(made) || !lt_slice_eq(stored, LT_SLICE(hash, sizeof hash))) {
        finding(r, "event-chain", where, "%.*s %.*s: the hash is not that of the event and those before",
                LT_FMT(row.kind), LT_FMT(row.subject));
    }
    r->chain.sequence = row.sequence;
    memcpy(r->chain.head, stored.ptr, CA_HASH_LEN);
    r->counts.events++;
    LT_TRY(keep_head(r, r->chain.head));
    bool is_request = row.attachment.len > 0 && row.attachment.ptr[0] == '{';
    return is_request ? check_request(r, o, where, row.attachment) : LT_OK;
}

static lt_res line_knot(struct ca_audit_reader *r, const json_t *o)
{
    struct signer_knot k = {.chain = lt_slice_cstr(r->chain.name)};
    lt_slice chain;
    lt_slice signature;
    struct lt_buf text;
    char where[TEXT_MAX];
    int64_t sequence = 0;
    int64_t journal = 0;
    LT_TRY(text_of(o, "chain", &chain));
    LT_TRY(int_of(o, "sequence", &sequence));
    LT_TRY(int_of(o, "time_us", &k.time_us));
    LT_TRY(int_of(o, "journal_sequence", &journal));
    LT_TRY(hex_of(r, o, "head", CA_HASH_LEN, &k.head));
    LT_TRY(hex_of(r, o, "journal_head", CA_HASH_LEN, &k.journal_head));
    LT_TRY(base64_of(r, o, "signature", &signature));
    (void)snprintf(where, sizeof where, "%s %lld", r->chain.name, (long long)sequence);
    k.sequence = (uint64_t)sequence;
    k.journal_sequence = (uint64_t)journal;
    lt_buf_init(&text, TEXT_MAX * 4);
    signer_knot_statement(&k, &text);
    lt_res good = r->audit == NULL
                      ? LT_OK
                      : crypto_pub_verify(r->audit, CRYPTO_EDDSA, lt_buf_slice(&text), signature);
    lt_buf_done(&text);
    if (lt_failed(good)) {
        finding(r, "knot", where, "the signature is not the audit key's");
    }
    if (!lt_slice_eq_cstr(chain, r->chain.name) || !is_head(r, sequence, k.head)) {
        finding(r, "knot", where, "the event it ties is not the one in the export");
    }
    r->counts.knots++;
    return LT_OK;
}

static ProtobufCBinaryData lend(lt_slice s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr};
}

/* By a passkey: the statement's hash is the challenge that its authenticator signed. */
static lt_res verify_passkey(struct ca_audit_reader *r, const json_t *o, lt_slice statement,
                             struct ca_passkey *k)
{
    Ipc__PasskeyAssertion m = IPC__PASSKEY_ASSERTION__INIT;
    lt_slice data;
    lt_slice client_data;
    lt_slice signature;
    lt_slice rp;
    uint32_t sign_count = 0;
    LT_TRY(base64_of(r, o, "credential", &k->id));
    LT_TRY(base64_of(r, o, "authenticator_data", &data));
    LT_TRY(base64_of(r, o, "client_data", &client_data));
    LT_TRY(base64_of(r, o, "signature", &signature));
    LT_TRY(text_of(o, "rp", &rp));
    k->rp = (const char *)rp.ptr; /* of the document: with a NUL behind it */
    m.credential_id = lend(k->id);
    m.authenticator_data = lend(data);
    m.client_data = lend(client_data);
    m.signature = lend(signature);
    return ca_passkey_verify(k, statement, NULL, &m, &sign_count);
}

static lt_res line_approval(struct ca_audit_reader *r, const json_t *o)
{
    lt_slice plan;
    lt_slice statement;
    lt_slice signature;
    lt_slice key;
    lt_slice alg;
    char where[TEXT_MAX];
    char line[TEXT_MAX];
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    LT_TRY(text_of(o, "plan", &plan));
    LT_TRY(text_of(o, "statement", &statement));
    LT_TRY(jose_json_optional_string(o, "alg", &alg));
    LT_TRY(base64_of(r, o, "signature", &signature));
    LT_TRY(base64_of(r, o, "key", &key));
    (void)snprintf(where, sizeof where, "plan %.*s", LT_FMT(lt_slice_sub(plan, 0, 80)));
    int len = snprintf(line, sizeof line, "lintel-approval-v1\nplan=%.*s\n",
                       LT_FMT(lt_slice_sub(plan, 0, 200)));
    r->counts.approvals++;
    if (!lt_slice_starts(statement, LT_SLICE(line, (size_t)len))) {
        finding(r, "approval", where, "its statement is that of another plan");
        return LT_OK;
    }
    lt_res good = key.len == 0
                      ? lt_fail(LT_PEER_NOT_FOUND, __FILE__, __LINE__, "its key is not in the export")
                      : crypto_pub_new(key, &pub);
    if (!lt_failed(good) && json_object_get(o, "client_data") != NULL) {
        struct ca_passkey k = {.alg = (const char *)alg.ptr, .spki = key};
        good = verify_passkey(r, o, statement, &k);
    } else if (!lt_failed(good)) {
        good = crypto_pub_verify_jose(pub, crypto_alg_by_name(alg), statement, signature);
    }
    if (lt_failed(good)) {
        finding(r, "approval", where, "%s", lt_error_last()->detail);
    }
    return LT_OK;
}

static lt_res line_end(struct ca_audit_reader *r, const json_t *o)
{
    const struct {
        const char *name;
        uint64_t seen;
    } rows[] = {{"chains", r->counts.chains},
                {"events", r->counts.events},
                {"knots", r->counts.knots},
                {"approvals", r->counts.approvals}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        int64_t said = 0;
        LT_TRY(int_of(o, rows[i].name, &said));
        if (said < 0 || (uint64_t)said != rows[i].seen) {
            finding(r, "export", rows[i].name, "%lld are said, %llu are there", (long long)said,
                    (unsigned long long)rows[i].seen);
        }
    }
    r->ended = true;
    return LT_OK;
}

static const struct {
    const char *type;
    lt_res (*read)(struct ca_audit_reader *r, const json_t *o);
} types[] = {
    {"export", line_export}, {"chain", line_chain},       {"event", line_event},
    {"knot", line_knot},     {"approval", line_approval}, {"end", line_end},
};

static lt_res read_line(struct ca_audit_reader *r, const json_t *o)
{
    lt_slice type;
    LT_TRY(text_of(o, "type", &type));
    LT_CHECK(!r->ended, LT_PEER_MALFORMED, "something stands behind the end");
    for (size_t i = 0; i < LT_COUNT(types); i++) {
        if (lt_slice_eq_cstr(type, types[i].type)) {
            LT_CHECK(r->begun != (i == 0), LT_PEER_MALFORMED, "an export begins with one line \"export\"");
            LT_CHECK(i < 2 || i > 3 || r->chain.name[0] != '\0', LT_PEER_MALFORMED,
                     "an event before its chain");
            return types[i].read(r, o);
        }
    }
    LT_FAIL(LT_PEER_MALFORMED, "there is no type \"%.*s\"", LT_FMT(lt_slice_sub(type, 0, 40)));
}

lt_res ca_audit_reader_line(struct ca_audit_reader *r, lt_slice line)
{
    json_error_t e;
    LT_CHECK(line.len <= CA_AUDIT_LINE_MAX, LT_PEER_TOO_LARGE, "a line of %zu bytes", line.len);
    lt_arena_reset(&r->arena);
    r->counts.lines++;
    LT_CLEANUP(jose_json_freep)
    json_t *o = json_loadb((const char *)line.ptr, line.len, JSON_REJECT_DUPLICATES, &e);
    LT_CHECK(json_is_object(o), LT_PEER_MALFORMED, "line %llu is no JSON object: %.100s",
             (unsigned long long)r->counts.lines, e.text);
    lt_res did = read_line(r, o);
    if (lt_class_of(did.code) == LT_CLASS_PEER) {
        char why[sizeof lt_error_last()->detail];
        (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail);
        return lt_fail(did.code, __FILE__, __LINE__, "line %llu: %.170s", (unsigned long long)r->counts.lines,
                       why);
    }
    return did;
}

lt_res ca_audit_reader_end(struct ca_audit_reader *r, struct ca_audit_read_counts *ret_counts)
{
    if (!r->ended) {
        finding(r, "export", "end", "its last line is missing: it was cut off");
    }
    *ret_counts = r->counts;
    return LT_OK;
}

lt_res ca_audit_reader_new(lt_slice audit_spki, void *self,
                           void (*found)(void *self, const char *what, const char *subject,
                                         const char *detail),
                           struct ca_audit_reader **ret_reader)
{
    struct ca_audit_reader *r = calloc(1, sizeof *r);
    LT_ASSERT(r != NULL);
    r->self = self;
    r->found = found;
    lt_arena_init(&r->arena, ARENA_MAX);
    if (audit_spki.len > 0) {
        lt_res made = crypto_pub_new(audit_spki, &r->audit);
        if (lt_failed(made)) {
            ca_audit_reader_free(r);
            return made;
        }
    }
    *ret_reader = r;
    return LT_OK;
}

void ca_audit_reader_free(struct ca_audit_reader *r)
{
    if (r != NULL) {
        drop_heads(r);
        crypto_pub_free(r->audit);
        lt_arena_done(&r->arena);
        free(r);
    }
}
