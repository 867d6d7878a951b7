/* Looking for proofs: what a part consists of, and the list of what was found. */
#include "incident/proof.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/found.h"
#include "incident/proof_private.h"
#include "jose/json.h"

enum {
    ITEM_MAX = 64 * 1024, /* bytes of one block, or of one object */
    ITEMS_MAX = 1000,     /* looked at in one part */
    LABEL_MAX = 64,
    SEQUENCE_TAG = 0x30,
};

/* ---- rows ---- */

struct incident_proof *proof_add(struct proof_look *l, const char *kind)
{
    struct incident_proofs *list = l->proofs;
    if (list->count == INCIDENT_PROOFS_MAX) {
        list->more = true;
        return NULL;
    }
    struct incident_proof *p = &list->list[list->count++];
    *p = (struct incident_proof){.kind = kind,
                                 .verdict = INCIDENT_PROOF_UNREADABLE,
                                 .why = "",
                                 .key_type = "",
                                 .evidence = l->item,
                                 .nonce = "",
                                 .offset = l->offset,
                                 .length = l->item.len};
    crypto_sha256(l->item, p->evidence_sha256);
    return p;
}

void proof_say(struct incident_proof *p, enum incident_proof_verdict v, const char *why)
{
    p->verdict = v;
    p->why = why;
}

bool proof_set_key(struct proof_look *l, struct incident_proof *p, const struct x509_spki *spki)
{
    lt_slice normal;
    if (lt_failed(crypto_spki_normal(spki, l->arena, &normal))) {
        char *why = lt_arena_cstr(l->arena, lt_slice_cstr(lt_error_last()->detail));
        proof_say(p, INCIDENT_PROOF_UNREADABLE, why == NULL ? "the key cannot be read" : why);
        return false;
    }
    crypto_sha256(normal, p->spki_sha256);
    crypto_sha256(spki->der.len > 0 ? spki->der : normal, p->sent_sha256);
    p->has_key = true;
    char *type = spki->type == X509_KEY_RSA
                     ? lt_arena_printf(l->arena, "RSA-%u", spki->bits)
                     : lt_arena_cstr(l->arena, lt_slice_cstr(x509_key_type_name(spki->type)));
    p->key_type = type == NULL ? "" : type;
    return true;
}

lt_res incident_proof_key(const struct x509_spki *spki, struct lt_arena *a, uint8_t ret_sha256[32])
{
    lt_slice normal;
    LT_TRY(crypto_spki_normal(spki, a, &normal));
    crypto_sha256(normal, ret_sha256);
    return LT_OK;
}

void proof_keep_key(struct proof_look *l, lt_slice spki)
{
    struct incident_proofs *list = l->proofs;
    for (size_t i = 0; i < list->key_count; i++) {
        if (lt_slice_eq(list->keys[i], spki)) {
            return;
        }
    }
    lt_slice copy = lt_arena_copy(l->arena, spki);
    if (list->key_count < INCIDENT_PROOF_KEYS_MAX && copy.ptr != NULL) {
        list->keys[list->key_count++] = copy;
    }
}

/* ---- items ---- */

struct block {
    lt_slice label;
    lt_slice body; /* decoded */
    bool encrypted;
};

/* What stands between the lines; mail programs quote it, and put blanks in. Headers (RFC 1421) are left out.
 */
static bool decode_body(struct lt_arena *a, lt_slice text, struct block *b)
{
    struct lt_buf plain;
    lt_slice line;
    bool ok = true;
    lt_buf_init(&plain, ITEM_MAX + 1);
    while (lt_slice_split(&text, '\n', &line)) {
        while (line.len > 0 && (line.ptr[0] == '>' || line.ptr[0] == ' ' || line.ptr[0] == '\t')) {
            line = lt_slice_sub(line, 1, SIZE_MAX);
        }
        if (lt_slice_find(line, ':') < line.len) {
            b->encrypted = b->encrypted || lt_slice_starts(line, LT_LIT("Proc-Type:"));
            continue;
        }
        lt_buf_add(&plain, line);
    }
    ok = !plain.overflow && !lt_failed(lt_unbase64(a, lt_buf_slice(&plain), &b->body));
    explicit_bzero(plain.ptr, plain.len); /* may be a key in plain */
    lt_buf_done(&plain);
    return ok && b->body.len > 0;
}

static bool find(lt_slice text, lt_slice what, size_t *ret_at)
{
    const void *at = text.len < what.len || text.len == 0 ? NULL
                                                          : memmem(text.ptr, text.len, what.ptr, what.len);
    *ret_at = at == NULL ? text.len : (size_t)((const uint8_t *)at - text.ptr);
    return at != NULL;
}

/* The next "-----BEGIN LABEL-----" … "-----END LABEL-----" from *at on; *at moves behind it. */
static bool next_block(lt_slice part, size_t *at, struct proof_look *l, struct block *b, lt_slice *ret_inside)
{
    static const char dashes[] = "-----";
    const lt_slice secret_label = LT_LIT("PRIVATE KEY");
    const lt_slice begin = LT_LIT("-----BEGIN ");
    size_t from = 0;
    size_t label_end = 0;
    size_t end = 0;
    lt_slice rest = lt_slice_sub(part, *at, SIZE_MAX);
    if (!find(rest, begin, &from)) {
        *at = part.len;
        return false;
    }
    lt_slice behind = lt_slice_sub(rest, from + begin.len, SIZE_MAX);
    *at += from + begin.len;
    if (!find(lt_slice_sub(behind, 0, LABEL_MAX), lt_slice_cstr(dashes), &label_end)) {
        return true; /* no label: goes on behind it */
    }
    b->label = lt_slice_sub(behind, 0, label_end);
    char closing[LABEL_MAX + 16];
    size_t len = (size_t)snprintf(closing, sizeof closing, "-----END %.*s-----", LT_FMT(b->label));
    lt_slice body = lt_slice_sub(behind, label_end + 5, ITEM_MAX);
    LT_ASSERT(len < sizeof closing);
    if (!find(body, LT_SLICE(closing, len), &end)) {
        if (!lt_slice_ends(b->label, secret_label)) {
            b->label = LT_LIT("");
            return true;
        }
        len = 0; /* cut off: as much of a private key as there is */
        (void)find(body, LT_LIT("\n\n"), &end);
    }
    l->offset = *at - begin.len;
    l->item = lt_slice_sub(part, l->offset, begin.len + label_end + 5 + end + len);
    *ret_inside = lt_slice_sub(body, 0, end);
    *at = l->offset + l->item.len;
    return true;
}

typedef bool looker(struct proof_look *l, lt_slice der);
static bool private_der(struct proof_look *l, lt_slice der)
{
    return proof_private_der(l, der, true);
}

static const struct {
    const char *label;
    looker *look;
} labels[] = {
    {"CERTIFICATE REQUEST", proof_request}, {"NEW CERTIFICATE REQUEST", proof_request},
    {"CERTIFICATE", proof_certificate},     {"X509 CERTIFICATE", proof_certificate},
    {"PUBLIC KEY", proof_public_key},       {"PRIVATE KEY", private_der},
    {"RSA PRIVATE KEY", private_der},       {"EC PRIVATE KEY", private_der},
    {"ANY PRIVATE KEY", private_der},       {"OPENSSH PRIVATE KEY", proof_private_openssh},
};

static void look_at_block(struct proof_look *l, const struct block *b, bool decoded)
{
    bool secret = lt_slice_ends(b->label, LT_LIT("PRIVATE KEY"));
    if (b->encrypted || lt_slice_eq_cstr(b->label, "ENCRYPTED PRIVATE KEY")) {
        proof_private_encrypted(l);
        return;
    }
    for (size_t i = 0; i < LT_COUNT(labels) && decoded; i++) {
        if (lt_slice_eq_cstr(b->label, labels[i].label)) {
            (void)labels[i].look(l, b->body); /* what it is not, its label says wrongly */
            return;
        }
    }
    if (secret) { /* of some other kind, or damaged: not to be kept all the same */
        (void)proof_private_der(l, decoded ? b->body : LT_LIT(""), true);
    }
}

static void look_at_blocks(lt_slice part, struct proof_look *l)
{
    size_t at = 0;
    for (size_t i = 0; i < ITEMS_MAX; i++) {
        struct block b = {.encrypted = false};
        lt_slice inside = {0};
        if (!next_block(part, &at, l, &b, &inside)) {
            return;
        }
        if (b.label.len == 0) {
            continue;
        }
        bool decoded = decode_body(l->arena, inside, &b);
        look_at_block(l, &b, decoded);
        if (decoded && lt_slice_ends(b.label, LT_LIT("PRIVATE KEY"))) {
            explicit_bzero((void *)(uintptr_t)b.body.ptr, b.body.len);
        }
    }
    l->proofs->more = true;
}

/* Behind the brace that closes the one at 0; 0 when there is none within ITEM_MAX. */
static size_t object_len(lt_slice text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len && i < ITEM_MAX; i++) {
        uint8_t c = text.ptr[i];
        if (quoted) {
            quoted = c != '"';
            i += c == '\\' ? 1 : 0;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static void look_at_object(struct proof_look *l)
{
    json_t *o = NULL;
    if (!lt_failed(jose_json_object(l->item, &o))) {
        (void)(proof_private_jwk(l, o) || proof_json(l, o));
        json_decref(o);
    }
}

/* Objects that have one of the members that make a proof. */
static void look_at_objects(lt_slice part, struct proof_look *l)
{
    static const char *const members[] = {"\"protected\"", "\"nonce\"", "\"kty\""};
    enum { BEFORE = 4096 };
    size_t done = 0;
    for (size_t i = 0; i < ITEMS_MAX && done < part.len; i++) {
        size_t first = part.len;
        for (size_t k = 0; k < LT_COUNT(members); k++) {
            size_t at = 0;
            if (find(lt_slice_sub(part, done, SIZE_MAX), lt_slice_cstr(members[k]), &at)) {
                first = done + at < first ? done + at : first;
            }
        }
        if (first == part.len) {
            return;
        }
        size_t open = first;
        while (open > done && first - open < BEFORE && part.ptr[open] != '{') {
            open--;
        }
        size_t len = part.ptr[open] == '{' ? object_len(lt_slice_sub(part, open, SIZE_MAX)) : 0;
        l->offset = open;
        l->item = lt_slice_sub(part, open, len);
        if (len > 0) {
            look_at_object(l);
        }
        done = len > 0 && open + len > first ? open + len : first + 1;
    }
}

static void look_at_der(lt_slice part, struct proof_look *l)
{
    l->offset = 0;
    l->item = part;
    (void)(proof_private_der(l, part, false) || proof_request(l, part) || proof_certificate(l, part) ||
           proof_public_key(l, part));
}

lt_res incident_proof_look(lt_slice part, struct lt_arena *a, struct incident_proofs *p)
{
    struct proof_look l = {.arena = a, .proofs = p};
    if (part.len > 0 && part.ptr[0] == SEQUENCE_TAG && part.len <= ITEM_MAX) {
        look_at_der(part, &l);
    }
    look_at_blocks(part, &l);
    look_at_objects(part, &l);
    LT_CHECK(a->used < a->max, LT_PEER_TOO_LARGE, "too much to look through at once");
    return LT_OK;
}

lt_res incident_proof_finish(struct lt_arena *a, struct incident_proofs *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->list[i].verdict == INCIDENT_PROOF_KEY_MISSING) {
            LT_TRY(proof_try_again(a, p, &p->list[i]));
        }
        if (p->list[i].verdict == INCIDENT_PROOF_PROVEN &&
            p->list[i].evidence.len > INCIDENT_PROOF_EVIDENCE_MAX) {
            proof_say(&p->list[i], INCIDENT_PROOF_UNREADABLE, "the proof is larger than 32 KiB");
        }
    }
    return LT_OK;
}

/* The first private key at `at` or behind it, in the part; NULL when there is none left. */
static const struct incident_proof *next_secret(const struct incident_proofs *p, size_t first, size_t at)
{
    const struct incident_proof *next = NULL;
    for (size_t i = first; i < p->count; i++) {
        const struct incident_proof *f = &p->list[i];
        if (strcmp(f->kind, "private-key") == 0 && f->offset >= at &&
            (next == NULL || f->offset < next->offset)) {
            next = f;
        }
    }
    return next;
}

void incident_proof_redact(lt_slice part, const struct incident_proofs *p, size_t first, struct lt_buf *out)
{
    const struct incident_proof *f;
    size_t at = 0;
    size_t found = 0;
    if (p->more && (find(part, LT_LIT("PRIVATE KEY-----"), &found) || find(part, LT_LIT("\"d\""), &found))) {
        lt_buf_add_cstr(out, "[part removed: it has private keys, and more of them than are looked at]");
        return;
    }
    while ((f = next_secret(p, first, at)) != NULL && f->offset + f->length <= part.len) {
        lt_buf_add(out, lt_slice_sub(part, at, f->offset - at));
        lt_buf_add(out, f->evidence);
        at = f->offset + f->length;
    }
    lt_buf_add(out, lt_slice_sub(part, at, SIZE_MAX));
}

const char *incident_proof_verdict_name(enum incident_proof_verdict v)
{
    static const char *const names[] = {
        [INCIDENT_PROOF_PROVEN] = "proven",         [INCIDENT_PROOF_NOTHING] = "nothing",
        [INCIDENT_PROOF_FORGED] = "forged",         [INCIDENT_PROOF_KEY_MISSING] = "key-missing",
        [INCIDENT_PROOF_UNREADABLE] = "unreadable",
    };
    LT_ASSERT((unsigned)v < LT_COUNT(names));
    return names[v];
}

bool incident_proof_nonce_form(lt_slice nonce)
{
    bool good = nonce.len == 32;
    for (size_t i = 0; i < nonce.len && good; i++) {
        uint8_t c = nonce.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    }
    return good;
}
