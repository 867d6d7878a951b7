/* Which certificates list, export and stats are about: options become conditions of one expression. */
#include <stdio.h>
#include <string.h>

#include "cmd/cert.h"
#include "cmd/scope.h"
#include "scope/scope.h"

/* What every certificate meets. */
#define EVERYTHING "names >= 0"

static const struct {
    const char *option;
    const char *before; /* the value in quotation marks stands between */
    const char *after;
    bool hex;
} conditions[] = {
    {"issuer", "issuer = \"", "\""},     {"profile", "profile = \"", "\""},
    {"status", "status = ", ""},         {"name", "name = \"", "\""},
    {"suffix", "suffix = \"", "\""},     {"account", "account = ", ""},
    {"issued-from", "issued >= ", ""},   {"issued-until", "issued < ", ""},
    {"expires-from", "expires >= ", ""}, {"expires-until", "expires < ", ""},
    {"spki-sha256", "key = ", "", true}, {"sha256", "sha256 = ", "", true},
    {"serial", "serial = ", "", true},
};

const char *cmd_cert_hex(struct lt_arena *a, const char *text)
{
    size_t len = strlen(text);
    size_t count = 0;
    const char *at = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0 ? text + 2 : text;
    char *digits = lt_arena_alloc(a, len + 2);
    LT_ASSERT(digits != NULL);
    for (; *at != 0; at++) {
        if (*at != ':' && *at != ' ') {
            digits[count++] = *at;
        }
    }
    digits[count] = 0;
    if (count % 2 != 0) { /* openssl leaves out a zero */
        memmove(digits + 1, digits, count + 1);
        digits[0] = '0';
    }
    return digits;
}

lt_res cmd_cert_filter_check(const char *option, const char *value)
{
    LT_CHECK(value == NULL || value[0] != 0, LT_PEER_USAGE, "%s%s: an empty value",
             option == NULL ? "" : "--", option == NULL ? "what to find" : option);
    return LT_OK;
}

/* Nothing that would end the value and go on behind it. */
static lt_res check_value(const char *option, const char *value)
{
    for (const char *p = value; *p != 0; p++) {
        LT_CHECK(*p > ' ' && *p != '"' && *p != '\\' && strchr("(){},", *p) == NULL, LT_PEER_USAGE,
                 "--%s: \"%.60s\" is no value for it", option, value);
    }
    LT_CHECK(value[0] != 0, LT_PEER_USAGE, "--%s: an empty value", option);
    return LT_OK;
}

static lt_res build(struct cmd *c, struct lt_buf *out)
{
    const char *given = cmd_value(c, "scope");
    if (given != NULL) {
        LT_TRY(cmd_scope_check(lt_slice_cstr(given)));
        lt_buf_addf(out, "(%s)", given);
    }
    for (size_t i = 0; i < LT_COUNT(conditions); i++) {
        const char *value = cmd_value(c, conditions[i].option);
        if (value == NULL) {
            continue;
        }
        value = conditions[i].hex ? cmd_cert_hex(&c->arena, value) : value;
        LT_TRY(check_value(conditions[i].option, value));
        lt_buf_addf(out, "%s%s%s%s", out->len > 0 ? " and " : "", conditions[i].before, value,
                    conditions[i].after);
    }
    lt_buf_add_cstr(out, out->len == 0 ? EVERYTHING : "");
    return lt_buf_check(out);
}

lt_res cmd_cert_expression(struct cmd *c, lt_slice *ret_text)
{
    struct lt_buf out;
    lt_buf_init(&out, SCOPE_TEXT_MAX);
    lt_res r = build(c, &out);
    if (!lt_failed(r)) {
        *ret_text = lt_arena_copy(&c->arena, lt_buf_slice(&out));
    }
    lt_buf_done(&out);
    LT_TRY(r);
    LT_CHECK(ret_text->ptr != NULL, LT_PEER_TOO_LARGE, "the expression is too long");
    return cmd_scope_check(*ret_text);
}
