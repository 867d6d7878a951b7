/* The error record, one for each thread, and the end of the process on a broken invariant. The only globals
 * of base/ beside the log. */
#include "base/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct lt_error last;

lt_res lt_fail(int code, const char *file, int line, const char *format, ...)
{
    /* The arguments may point into the record itself ("%s", lt_error_last()->detail), so format beside it. */
    char detail[sizeof last.detail];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args); /* cut at 200 bytes by design */
    va_end(args);
    memcpy(last.detail, detail, sizeof detail);
    last.code = code;
    last.file = file;
    last.line = line;
    return (lt_res){code};
}

const struct lt_error *lt_error_last(void)
{
    return &last;
}

_Noreturn void lt_assert_failed(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "lintel: broken invariant: %s at %s:%d\n", what, file, line);
    abort();
}

static const struct {
    int code;
    const char *name;
} names[] = {
    {0, "ok"},
    {LT_PEER_MALFORMED, "malformed"},
    {LT_PEER_TOO_LARGE, "too-large"},
    {LT_PEER_UNSUPPORTED, "unsupported"},
    {LT_PEER_UNAUTHORIZED, "unauthorized"},
    {LT_PEER_NOT_FOUND, "not-found"},
    {LT_PEER_CONFLICT, "conflict"},
    {LT_PEER_BAD_NONCE, "bad-nonce"},
    {LT_PEER_USAGE, "usage"},
    {LT_POLICY_REFUSED, "refused"},
    {LT_POLICY_HALTED, "halted"},
    {LT_POLICY_BLOCKED_KEY, "blocked-key"},
    {LT_POLICY_LINT, "lint"},
    {LT_POLICY_RATE_LIMITED, "rate-limited"},
    {LT_POLICY_APPROVAL, "approval"},
    {LT_RETRY_BUSY, "busy"},
    {LT_RETRY_AGAIN, "again"},
    {LT_RETRY_TIMEOUT, "timeout"},
    {LT_RETRY_UNAVAILABLE, "unavailable"},
    {LT_STATE_CORRUPT, "corrupt"},
    {LT_STATE_IO, "io"},
    {LT_STATE_CLOCK, "clock"},
    {LT_STATE_CRYPTO, "crypto"},
    {LT_STATE_CLOSED, "closed"},
};

const char *lt_code_name(int code)
{
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return "unknown";
}
