/* Passkeys that the examiner has seen enrolled: it verified the link's signature by the operators' files of
 * that moment, and remembers. Afterwards the link may be gone; the operator, and the operator's list of
 * passkeys that were taken back, are asked each time.
 *
 * File: passkeys, a line each: "ENROLMENT OPERATOR RP ALG CREDENTIAL SPKI OWNER", base64url and SHA-256 of
 * the link's key in hex. */
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/examiner_private.h"
#include "crypto/digest.h"

enum { FILE_MAX = 4 * 1024 * 1024, WORDS = 7, HEX_LEN = 64 };

static const char passkeys_file[] = "passkeys";

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static bool link_used(const struct ca_examiner_state *s, lt_slice hash)
{
    for (size_t i = 0; i < s->passkeys.count; i++) {
        if (lt_slice_eq(LT_SLICE(s->links[i].bytes, CA_KEY_HASH_LEN), hash)) {
            return true;
        }
    }
    return false;
}

static lt_res put(struct ca_examiner_state *s, const struct ca_passkey *k, lt_slice link)
{
    size_t before = s->passkeys.count;
    LT_TRY(ca_passkeys_add(&s->passkeys, k));
    if (s->passkeys.count > before) {
        memcpy(s->links[before].bytes, link.ptr, CA_KEY_HASH_LEN);
    }
    return LT_OK;
}

static lt_res take_words(struct ca_examiner_state *s, const lt_slice *w, struct lt_arena *a)
{
    lt_slice link;
    struct ca_passkey k = {
        .operator_ = lt_arena_cstr(a, w[1]), .rp = lt_arena_cstr(a, w[2]), .alg = lt_arena_cstr(a, w[3])};
    LT_CHECK(w[0].len == HEX_LEN && k.operator_ != NULL && k.rp != NULL && k.alg != NULL, LT_PEER_MALFORMED,
             "words");
    LT_TRY(lt_unhex(a, w[0], &link));
    LT_TRY(lt_unbase64url(a, w[4], &k.id));
    LT_TRY(lt_unbase64url(a, w[5], &k.spki));
    LT_TRY(lt_unhex(a, w[6], &k.owner));
    LT_TRY(ca_passkey_check(&k));
    return put(s, &k, link);
}

static lt_res line_take(struct ca_examiner_state *s, lt_slice line)
{
    lt_slice w[WORDS];
    struct lt_arena a;
    lt_arena_init(&a, 65536);
    bool good = examiner_words(line, w, LT_COUNT(w)) && !lt_failed(take_words(s, w, &a));
    lt_arena_done(&a);
    LT_CHECK(good, LT_STATE_CORRUPT, "examiner/passkeys: '%.*s'", LT_FMT(lt_slice_sub(line, 0, 200)));
    return LT_OK;
}

lt_res examiner_passkeys_open(struct ca_examiner_state *s)
{
    ca_passkeys_init(&s->passkeys);
    return examiner_file_lines(s, passkeys_file, line_take);
}

static lt_res save(const struct ca_examiner_state *s)
{
    struct lt_buf out;
    lt_buf_init(&out, FILE_MAX);
    for (size_t i = 0; i < s->passkeys.count; i++) {
        const struct ca_passkey *k = &s->passkeys.list[i];
        lt_hex_add(&out, LT_SLICE(s->links[i].bytes, CA_KEY_HASH_LEN));
        lt_buf_addf(&out, " %s %s %s ", k->operator_, k->rp, k->alg);
        lt_base64url_add(&out, k->id);
        lt_buf_add_byte(&out, ' ');
        lt_base64url_add(&out, k->spki);
        lt_buf_add_byte(&out, ' ');
        lt_hex_add(&out, k->owner);
        lt_buf_add_byte(&out, '\n');
    }
    lt_res r = lt_buf_check(&out);
    if (!lt_failed(r)) {
        r = lt_file_replace(s->dir_fd, passkeys_file, 0600, lt_buf_slice(&out));
    }
    lt_buf_done(&out);
    return r;
}

lt_res ca_examiner_passkey(struct ca_examiner_state *s, const struct ca_operators *operators,
                           const Ipc__PasskeyAdd *m, lt_time now)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    const struct ca_operator *o = ca_operator_by_name(operators, lt_slice_cstr(m->operator_));
    LT_CHECK(o != NULL, LT_POLICY_APPROVAL, "there is no operator %s", m->operator_);
    const struct ca_passkey k = {m->operator_,   m->rp,
                                 m->alg,         bytes(m->credential_id),
                                 bytes(m->spki), LT_SLICE(o->thumbprint, sizeof o->thumbprint)};
    const struct ca_passkey *known = ca_passkeys_find(&s->passkeys, k.id);
    if (known != NULL) {
        return ca_passkeys_add(&s->passkeys, &k); /* somebody else's: said so */
    }
    LT_TRY(ca_passkey_enrolled(operators, &k, bytes(m->enrolment_spki), bytes(m->signature), now));
    crypto_sha256(bytes(m->enrolment_spki), hash);
    LT_CHECK(!link_used(s, LT_SLICE(hash, sizeof hash)), LT_POLICY_APPROVAL, "this link of %s was used",
             k.operator_);
    LT_TRY(put(s, &k, LT_SLICE(hash, sizeof hash)));
    lt_res r = save(s);
    if (lt_failed(r)) {
        s->passkeys.count--; /* it is told again */
    }
    return r;
}

const struct ca_passkeys *ca_examiner_passkeys(const struct ca_examiner_state *s)
{
    return &s->passkeys;
}
