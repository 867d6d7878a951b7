/* What a validation saw, as it goes into its statement. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "validate/engine.h"

enum { ASKED_MAX = 2048 };

char *validate_keep_bytes(struct validate_job *j, lt_slice bytes)
{
    char *copy = lt_arena_cstr(&j->arena, bytes);
    LT_ASSERT(copy != NULL); /* what one validation keeps is bounded far below the arena's cap */
    return copy;
}

char *validate_keep(struct validate_job *j, const char *text)
{
    return validate_keep_bytes(j, lt_slice_cstr(text));
}

const char *validate_shown(struct validate_job *j, lt_slice bytes)
{
    static const char more[] = "\xe2\x80\xa6"; /* an ellipsis */
    char text[VALIDATE_SHOWN_MAX + sizeof more];
    size_t len = bytes.len < VALIDATE_SHOWN_MAX ? bytes.len : VALIDATE_SHOWN_MAX;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = bytes.ptr[i];
        text[i] = (char)(c >= 0x20 && c < 0x7f ? c : '.');
    }
    text[len] = '\0';
    if (len < bytes.len) {
        memcpy(text + len, more, sizeof more);
    }
    return validate_keep(j, text);
}

static void add_escaped(struct lt_buf *out, uint8_t c, bool escaped)
{
    if (c < 0x20 || c > 0x7e) {
        lt_buf_addf(out, "\\%03u", c);
    } else if (c == '\\' && !escaped) {
        lt_buf_add_cstr(out, "\\\\");
    } else {
        lt_buf_add_byte(out, c);
    }
}

char *validate_keep_evidence(struct validate_job *j, lt_slice bytes, bool escaped, size_t *room)
{
    enum { ESCAPED_MAX = 4, DIGEST_TEXT = 128 };
    size_t most = *room < VALIDATE_KEPT_MAX ? *room : VALIDATE_KEPT_MAX;
    struct lt_buf out;
    size_t i = 0;
    lt_buf_init(&out, VALIDATE_KEPT_MAX + ESCAPED_MAX + DIGEST_TEXT);
    while (i < bytes.len && out.len < most) {
        add_escaped(&out, bytes.ptr[i], escaped);
        i++;
    }
    *room -= out.len < *room ? out.len : *room;
    if (i < bytes.len) {
        uint8_t hash[CRYPTO_SHA256_LEN];
        crypto_sha256(bytes, hash);
        lt_buf_addf(&out, "... (%zu bytes, SHA-256 ", bytes.len);
        lt_hex_add(&out, LT_SLICE(hash, sizeof hash));
        lt_buf_add_byte(&out, ')');
    }
    char *kept = validate_keep_bytes(j, lt_buf_slice(&out));
    lt_buf_done(&out);
    return kept;
}

static char **new_list(struct validate_job *j, size_t size)
{
    char **list = LT_NEW_ARRAY(&j->arena, char *, size);
    LT_ASSERT(list != NULL); /* as above */
    return list;
}

void validate_note_address(struct validate_job *j, const struct validate_address *a)
{
    char text[VALIDATE_ADDRESS_TEXT];
    Ipc__Validated *s = &j->statement;
    s->addresses = s->addresses == NULL ? new_list(j, VALIDATE_SEEN_MAX) : s->addresses;
    validate_address_print(a, text);
    if (s->n_addresses < VALIDATE_SEEN_MAX) {
        s->addresses[s->n_addresses++] = validate_keep(j, text);
    }
}

static void note_ttl(Ipc__Validated *s, const struct validate_dns *d)
{
    bool known = d->outcome == VALIDATE_DNS_FOUND;
    if (known && (s->ttl == 0 || d->message->ttl < s->ttl)) {
        s->ttl = d->message->ttl;
    }
}

void validate_note_dnssec(struct validate_job *j, const struct validate_dns *d)
{
    Ipc__Validated *s = &j->statement;
    bool first = s->dnssec[0] == '\0';
    bool was_secure = strcmp(s->dnssec, validate_dnssec_word(VALIDATE_SECURE)) == 0;
    bool worse = d->dnssec == VALIDATE_BOGUS || (d->dnssec == VALIDATE_INSECURE && was_secure);
    if (first || worse) {
        s->dnssec = validate_keep(j, validate_dnssec_word(d->dnssec));
        s->dnssec_why = validate_keep(j, d->why);
    }
    note_ttl(s, d);
}

void validate_note_chain(struct validate_job *j, const struct validate_dns *d)
{
    Ipc__Validated *s = &j->statement;
    const struct validate_dns_message *m = d->message;
    if (m->chain_count < 2) {
        return; /* no alias */
    }
    s->chain = s->chain == NULL ? new_list(j, VALIDATE_SEEN_MAX) : s->chain;
    for (size_t i = 0; i < m->chain_count && s->n_chain < VALIDATE_SEEN_MAX; i++) {
        s->chain[s->n_chain++] = validate_keep(j, m->chain[i]);
    }
}

/* Who fills the room has the digest of the whole answer, and the number of those that are not shown. */
void validate_note_record(struct validate_job *j, lt_slice bytes)
{
    Ipc__Validated *s = &j->statement;
    s->records = s->records == NULL ? new_list(j, VALIDATE_RECORDS_MAX) : s->records;
    if (j->left_out == 0 && j->room > 0 && s->n_records < VALIDATE_RECORDS_MAX - 1) {
        s->records[s->n_records++] = validate_keep_evidence(j, bytes, false, &j->room);
        return;
    }
    s->n_records += j->left_out == 0 ? 1 : 0;
    j->left_out++;
    s->records[s->n_records - 1] = lt_arena_printf(&j->arena, "(%zu more, not shown)", j->left_out);
    LT_ASSERT(s->records[s->n_records - 1] != NULL); /* as above */
}

void validate_note_asked(struct validate_job *j, const char *format, ...)
{
    char text[ASKED_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args); /* names are bounded; cut otherwise */
    va_end(args);
    LT_ASSERT(len >= 0);
    j->statement.asked = validate_keep(j, text);
}

static int compare_rdata(const void *a, const void *b)
{
    const lt_slice *x = a;
    const lt_slice *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = len == 0 ? 0 : memcmp(x->ptr, y->ptr, len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

ProtobufCBinaryData validate_rrset_digest(struct validate_job *j, const struct validate_dns_message *m)
{
    lt_slice sorted[VALIDATE_DNS_RECORDS_MAX];
    uint8_t *hash = lt_arena_alloc(&j->arena, CRYPTO_SHA256_LEN);
    struct crypto_stream s;
    LT_ASSERT(hash != NULL); /* as above */
    memcpy(sorted, m->records, m->count * sizeof *sorted);
    qsort(sorted, m->count, sizeof *sorted, compare_rdata);
    crypto_stream_init(&s, CRYPTO_SHA256);
    for (size_t i = 0; i < m->count; i++) {
        const uint8_t len[2] = {(uint8_t)(sorted[i].len >> 8), (uint8_t)sorted[i].len};
        crypto_stream_add(&s, LT_SLICE(len, sizeof len));
        crypto_stream_add(&s, sorted[i]);
    }
    crypto_stream_finish(&s, hash);
    crypto_stream_done(&s);
    return (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hash};
}

void validate_note_redirect(struct validate_job *j, uint32_t status, const char *location)
{
    Ipc__Validated *s = &j->statement;
    if (s->redirects == NULL) {
        s->redirects = LT_NEW_ARRAY(&j->arena, Ipc__Redirect *, VALIDATE_REDIRECTS_MAX + 1);
        LT_ASSERT(s->redirects != NULL);
    }
    Ipc__Redirect *r = LT_NEW(&j->arena, Ipc__Redirect);
    LT_ASSERT(r != NULL);
    ipc__redirect__init(r);
    r->status = status;
    r->location = validate_keep_evidence(j, lt_slice_cstr(location), false, &j->room);
    s->redirects[s->n_redirects++] = r;
}

void validate_note_digest(struct validate_job *j, lt_slice bytes)
{
    uint8_t *hash = lt_arena_alloc(&j->arena, CRYPTO_SHA256_LEN);
    LT_ASSERT(hash != NULL);
    crypto_sha256(bytes, hash);
    j->statement.answer_sha256 = (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hash};
}

bool validate_dns_unusable(struct validate_job *j, const struct validate_dns *d)
{
    /*= CABF-BR 3.2.2.8.1 "errors observed by the Primary Network Perspective (e.g., SERVFAIL) MUST NOT be
     * treated as permission to issue." */
    if (d->dnssec == VALIDATE_BOGUS) {
        validate_job_end(j, "dns", "DNSSEC says that the answer for %s is bogus: %s", d->name, d->why);
    } else if (d->outcome == VALIDATE_DNS_FAILED) {
        validate_job_end(j, "dns", "The look-up of %s failed (SERVFAIL or refused)%s%s", d->name,
                         d->why[0] == '\0' ? "." : ": ", d->why);
    }
    return j->ended;
}
