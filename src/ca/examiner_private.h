#ifndef CA_EXAMINER_PRIVATE_H
#define CA_EXAMINER_PRIVATE_H
/* Private to the examiner's state: its memory, and the two files that share it. */
#include "ca/examiner_state.h"
#include "ca/passkey.h"

enum {
    CA_EXAMINER_HALTS_MAX = 4096,
    CA_EXAMINER_LIFTED_MAX = 16384,
    CA_EXAMINER_EXCEPTIONS_MAX = 256,
    CA_EXAMINER_USED_MAX = 1024,
    CA_PLAN_MAX_DAYS = 8,                     /* the registrar's week, and a day for clocks */
    CA_EXAMINER_FILE_MAX = 256 * 1024 * 1024, /* some 2,000,000 blocked keys */
    CA_EXAMINER_WORD_MAX = 128,
    CA_KEY_HASH_LEN = 32,
};

struct examiner_lifted {
    const char *id;
    const char *plan;
};

struct examiner_exception {
    lt_time expires;
    const char *rule;
    const char *profile;
    const char *plan;
};

/* A plan that was carried out here. Forgotten when it expires: then it is refused for that. */
struct examiner_used {
    lt_time expires;
    char plan[CA_EXAMINER_WORD_MAX + 1];
};

struct examiner_key_hash {
    uint8_t bytes[CA_KEY_HASH_LEN];
};

struct ca_examiner_state {
    int dir_fd;            /* borrowed */
    struct lt_arena texts; /* what halts and exceptions say; compacted by a restart */
    Ipc__Halt *halts[CA_EXAMINER_HALTS_MAX];
    size_t halt_count;
    struct examiner_lifted lifted[CA_EXAMINER_LIFTED_MAX]; /* never in force again, whoever lists them */
    size_t lifted_count;
    bool full;
    bool hold;
    bool have_list;
    lt_time list_time; /* as the registrar says */
    lt_time list_seen; /* as our clock says */
    struct examiner_exception exceptions[CA_EXAMINER_EXCEPTIONS_MAX];
    size_t exception_count;
    struct examiner_used used[CA_EXAMINER_USED_MAX];
    size_t used_count;
    struct examiner_key_hash *blocked; /* owned; sorted */
    size_t blocked_count;
    size_t blocked_size;
    int blocked_fd;                                  /* owned; for appending */
    struct ca_passkeys passkeys;                     /* owned */
    struct examiner_key_hash links[CA_PASSKEYS_MAX]; /* by which each came */
};

struct examiner_plan {
    const Ipc__PlanStatement *plan;
    Ipc__Approval *const *approvals;
    size_t approval_count;
    const struct lt_buf *parameters; /* what the plan must be for */
};

/* The plan is for that action with those parameters, and enough people signed it. */
LT_MUST_USE lt_res examiner_approved(const struct ca_approvers *by, const char *action,
                                     const struct examiner_plan *p, lt_time now);
typedef lt_res examiner_line(struct ca_examiner_state *s, lt_slice line);
/* Every line that is not empty; a missing file has none. */
LT_MUST_USE lt_res examiner_file_lines(struct ca_examiner_state *s, const char *file, examiner_line *take);
/* Words of a line, separated by one blank; the last takes the rest. */
LT_MUST_USE bool examiner_words(lt_slice line, lt_slice *ret, size_t count);
/* What may be a word of a line in our files. */
LT_MUST_USE bool examiner_word(const char *text);
LT_MUST_USE lt_res examiner_used_open(struct ca_examiner_state *s);
/* LT_POLICY_APPROVAL where the plan was used before; else that it is used now is on disk. */
LT_MUST_USE lt_res examiner_use(struct ca_examiner_state *s, const Ipc__PlanStatement *plan, lt_time now);
LT_MUST_USE lt_res examiner_blocked_open(struct ca_examiner_state *s);
void examiner_blocked_close(struct ca_examiner_state *s);
LT_MUST_USE lt_res examiner_passkeys_open(struct ca_examiner_state *s);

#endif
