#ifndef BASE_RESULT_H
#define BASE_RESULT_H
/* What a function that can fail returns, and the record of why it failed.
 *
 * Every fallible function returns lt_res, must be looked at, and on failure has left exactly one record in
 * this process: code, place, at most 200 bytes of detail. The boundary (request handler, message handler, CLI
 * verb) takes the record once and maps or logs it; nothing in between adds to it. No heap. A bug is not an
 * error: LT_ASSERT.
 */
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int code; /* 0 is success; otherwise one of enum lt_code */
} lt_res;

/* The class of a code says who must act. */
enum lt_class {
    LT_CLASS_OK = 0,
    LT_CLASS_PEER = 1,   /* their fault: a 4xx, an ACME problem type */
    LT_CLASS_POLICY = 2, /* we refuse: the detail names the rule */
    LT_CLASS_RETRY = 3,  /* it may work later: 503 with Retry-After */
    LT_CLASS_STATE = 4,  /* stored data contradicts itself, or the machine fails us: stop and tell */
};

enum lt_code {
    LT_PEER_MALFORMED = 0x10001, /* bytes that are not what their format says */
    LT_PEER_TOO_LARGE,           /* over a limit that we publish */
    LT_PEER_UNSUPPORTED,         /* well formed, but we do not do it */
    LT_PEER_UNAUTHORIZED,        /* bad signature, wrong account, no such right */
    LT_PEER_NOT_FOUND,
    LT_PEER_CONFLICT, /* the object is not in a state that allows it */
    LT_PEER_BAD_NONCE,
    LT_PEER_USAGE, /* command line or configuration: the user can mend it */
    LT_POLICY_REFUSED = 0x20001,
    LT_POLICY_HALTED,
    LT_POLICY_BLOCKED_KEY,
    LT_POLICY_LINT,
    LT_POLICY_RATE_LIMITED,
    LT_POLICY_APPROVAL, /* a signed approval is missing, expired, or for something else */
    LT_RETRY_BUSY = 0x30001,
    LT_RETRY_AGAIN, /* nothing to read or no room to write just now */
    LT_RETRY_TIMEOUT,
    LT_RETRY_UNAVAILABLE, /* a neighbour, a token or the network is away */
    LT_STATE_CORRUPT = 0x40001,
    LT_STATE_IO,
    LT_STATE_CLOCK,
    LT_STATE_CRYPTO, /* the crypto library failed where it cannot */
    LT_STATE_CLOSED, /* the other end is gone */
};

struct lt_error {
    int code;
    int line;
    const char *file; /* static storage */
    char detail[201];
};

#define LT_OK ((lt_res){0})
#define LT_MUST_USE __attribute__((warn_unused_result))
#define LT_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Return from the function with a code, leaving the record. The detail says what, where and what to do. */
#define LT_FAIL(code_, ...) return lt_fail((code_), __FILE__, __LINE__, __VA_ARGS__)
#define LT_CHECK(cond_, code_, ...)        \
    do {                                   \
        if (!(cond_)) {                    \
            LT_FAIL((code_), __VA_ARGS__); \
        }                                  \
    } while (0)
#define LT_TRY(expr_)                 \
    do {                              \
        lt_res lt_try_res_ = (expr_); \
        if (lt_try_res_.code != 0) {  \
            return lt_try_res_;       \
        }                             \
    } while (0)

/* Always compiled in. Ends the process: the supervisor counts and restarts. */
#define LT_ASSERT(cond_)                                  \
    do {                                                  \
        if (!(cond_)) {                                   \
            lt_assert_failed(#cond_, __FILE__, __LINE__); \
        }                                                 \
    } while (0)

#define LT_COUNT(array_) (sizeof(array_) / sizeof((array_)[0]))

/* Locals that free themselves: LT_CLEANUP(lt_fd_closep) int fd = -1; and LT_TAKE(fd, -1) to hand them on. */
#define LT_CLEANUP(fn_) __attribute__((cleanup(fn_)))
#define LT_TAKE(var_, empty_)               \
    __extension__({                         \
        __typeof__(var_) lt_take_ = (var_); \
        (var_) = (empty_);                  \
        lt_take_;                           \
    })

lt_res lt_fail(int code, const char *file, int line, const char *format, ...) LT_PRINTF(4, 5);
_Noreturn void lt_assert_failed(const char *what, const char *file, int line);

static inline bool lt_failed(lt_res r)
{
    return r.code != 0;
}
/* For the rare result that changes nothing any more; a comment beside the call says why. */
static inline void lt_ignore(lt_res r)
{
    (void)r;
}
static inline enum lt_class lt_class_of(int code)
{
    return (enum lt_class)(code >> 16);
}

/* The last record of this process; valid until the next failure. */
const struct lt_error *lt_error_last(void);
/* A stable word for a code ("malformed", "halted", …), for logs and JSON. Static storage. */
const char *lt_code_name(int code);

#endif
