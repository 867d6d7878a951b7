/* What a validation saw, as it goes into its statement. */
#include <string.h>

#include "crypto/digest.h"
#include "validate/engine.h"

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
    char text[VALIDATE_SHOWN_MAX + 1];
    size_t len = bytes.len < VALIDATE_SHOWN_MAX ? bytes.len : VALIDATE_SHOWN_MAX;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = bytes.ptr[i];
        text[i] = (char)(c >= 0x20 && c < 0x7f ? c : '.');
    }
    text[len] = '\0';
    return validate_keep(j, text);
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

void validate_note_record(struct validate_job *j, const char *text)
{
    Ipc__Validated *s = &j->statement;
    s->records = s->records == NULL ? new_list(j, VALIDATE_RECORDS_MAX) : s->records;
    if (s->n_records < VALIDATE_RECORDS_MAX) {
        s->records[s->n_records++] = validate_keep(j, text);
    }
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
    r->location = validate_keep(j, validate_shown(j, lt_slice_cstr(location)));
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
