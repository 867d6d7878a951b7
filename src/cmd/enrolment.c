/* See enrolment.h. */
#include "cmd/enrolment.h"

#include <string.h>

#include "base/text.h"
#include "cmd/key.h"

/* What OpenSSL writes for a key of P-256: our own bytes, of which nothing but d and the point differs. */
enum { PKCS8_LEN = 138, D_AT = 36, POINT_AT = 74, NUMBER_LEN = 32, PEM_MAX = 4096 };

static const uint8_t pkcs8_head[D_AT] = {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
                                         0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                         0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
                                         0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
static const uint8_t pkcs8_middle[] = {0xa1, 0x44, 0x03, 0x42, 0x00, 0x04};

static bool is_ours(lt_slice der)
{
    return der.len == PKCS8_LEN && lt_slice_starts(der, LT_SLICE(pkcs8_head, sizeof pkcs8_head)) &&
           lt_slice_starts(lt_slice_sub(der, D_AT + NUMBER_LEN, SIZE_MAX),
                           LT_SLICE(pkcs8_middle, sizeof pkcs8_middle));
}

static lt_res write_secret(struct cmd *c, const char *name, lt_slice der, const char **ret_secret)
{
    uint8_t numbers[3 * NUMBER_LEN];
    LT_ASSERT(is_ours(der));
    memcpy(numbers, der.ptr + D_AT, NUMBER_LEN);
    memcpy(numbers + NUMBER_LEN, der.ptr + POINT_AT, sizeof numbers - NUMBER_LEN);
    const char *text = lt_base64url(&c->arena, LT_SLICE(numbers, sizeof numbers));
    explicit_bzero(numbers, sizeof numbers);
    *ret_secret = text == NULL ? NULL : lt_arena_printf(&c->arena, "%s.%s", name, text);
    LT_CHECK(*ret_secret != NULL, LT_PEER_TOO_LARGE, "the link is too long");
    return LT_OK;
}

static lt_res export(struct cmd *c, const char *name, const struct crypto_key *key, const char **ret_secret)
{
    struct lt_buf pem;
    lt_slice der = {0};
    lt_slice label;
    lt_buf_init(&pem, PEM_MAX);
    lt_res r = crypto_key_write(key, (lt_slice){NULL, 0}, &pem);
    lt_slice rest = lt_buf_slice(&pem);
    r = lt_failed(r) ? r : lt_pem_next(&c->arena, &rest, &label, &der);
    r = lt_failed(r) ? r : write_secret(c, name, der, ret_secret);
    explicit_bzero((uint8_t *)(uintptr_t)der.ptr, der.len); /* the arena's */
    explicit_bzero(pem.ptr, pem.size);
    lt_buf_done(&pem);
    return r;
}

lt_res cmd_enrolment_draw(struct cmd *c, const char *name, int64_t hours, struct cmd_enrolment *ret_enrolment)
{
    struct cmd_key key = {.soft = NULL};
    LT_TRY(cmd_key_generate("p256", &key));
    ret_enrolment->row.spki = lt_arena_copy(&c->arena, key.use.spki);
    ret_enrolment->row.expires = lt_time_from_seconds(lt_time_seconds(c->now) + hours * 3600);
    lt_res r = export(c, name, key.soft, &ret_enrolment->secret);
    cmd_key_done(&key);
    LT_TRY(r);
    LT_CHECK(ret_enrolment->row.spki.ptr != NULL, LT_PEER_TOO_LARGE, "the link is too long");
    return LT_OK;
}

lt_res cmd_enrolment_add(struct cmd *c, struct ca_operator *o, const struct ca_enrolment *row)
{
    struct ca_enrolment *rows = LT_NEW_ARRAY(&c->arena, struct ca_enrolment, CA_ENROLMENTS_MAX);
    size_t count = 0;
    LT_CHECK(rows != NULL, LT_PEER_TOO_LARGE, "too many links");
    for (size_t i = 0; i < o->enrolment_count; i++) {
        bool room = o->enrolment_count - i < CA_ENROLMENTS_MAX;
        if (o->enrolments[i].expires.us > c->now.us && room) {
            rows[count++] = o->enrolments[i];
        }
    }
    rows[count++] = *row;
    o->enrolments = rows;
    o->enrolment_count = count;
    return LT_OK;
}

lt_res cmd_enrolment_link(struct cmd *c, const char *console, const char *secret, const char **ret_link)
{
    *ret_link = console[0] == 0 ? "" : lt_arena_printf(&c->arena, "%s/console/enroll#%s", console, secret);
    LT_CHECK(*ret_link != NULL, LT_PEER_TOO_LARGE, "the link is too long");
    return LT_OK;
}
