#ifndef CMD_BENCH_INVENTORY_H
#define CMD_BENCH_INVENTORY_H
/* A book of a size: between the files bench_inventory.c (options, order, report), bench_inventory_shape.c
 * (what certificates there are; pure), bench_inventory_load.c (rows and DER), bench_inventory_names.c (names
 * and indexes), bench_inventory_evidence.c (authorizations, evidence, segments), bench_inventory_ask.c (the
 * named expressions). Nobody else includes this.
 *
 * Certificates are cut into sets: one list of names, issued three times. Everything about certificate i
 * follows from i alone, so nothing is kept but the keys. */
#include "base/buf.h"
#include "ca/config.h"
#include "cmd/cmd.h"
#include "cmd/key.h"
#include "store/store.h"
#include "x509/cert.h"

enum {
    INVENTORY_DEFAULT = 3048289, /* that were hit in 2020 */
    INVENTORY_MAX = 20000000,
    INVENTORY_NAMES_MAX = 100,
    INVENTORY_TEXT = 40, /* a name */
    INVENTORY_SERIAL = 16,
    INVENTORY_TIMES = 3, /* each set is issued */
    INVENTORY_FIRST_ACCOUNT = 1000,
    INVENTORY_DIMENSIONS = 16,
    INVENTORY_PERIOD = 10000, /* sets, after which sizes repeat */
    INVENTORY_GROUP = 20000,  /* certificates, or sets, of one commit */
    INVENTORY_CACHE_KIB = 1024 * 1024,
};

/* The day whose dates data/scopes.tsv has; in the book that day is the one of its loading. */
#define INVENTORY_DAY "2020-03-04"

struct inventory_shape {
    uint64_t count;
    uint64_t sets;
    uint64_t step; /* set s is issued as number s * step modulo sets of each third */
    uint64_t back; /* the inverse of step */
    uint64_t accounts;
    uint64_t replaced; /* how many are */
    uint64_t revoked;  /* the first so many of those */
    bool clean;        /* nothing that a monitor would find: no blocked keys, no findings */
    bool old_caa;      /* every check of CAA is older than 8 hours at issuance */
    int64_t now_us;
    uint32_t before[INVENTORY_PERIOD + 1]; /* names of the sets before this one of a period */
};

/* One certificate. */
struct inventory_one {
    uint64_t set;
    uint64_t names;
    uint64_t account;
    uint8_t serial[INVENTORY_SERIAL];
    int64_t issued_us;
    int64_t not_before_us;
    int64_t not_after_us;
    const char *build;
    int64_t dimension; /* row, from 1 */
    const char *method;
    int64_t quorum;
    int64_t validated_us;
    int64_t caa_us; /* 0: never checked */
};

/* As rows of `dimension` are; the first has the id 1. */
struct inventory_dimension {
    const char *method;
    const char *rule_set;
    const char *build;
    const char *resolver;
    const char *perspectives;
    int64_t agreeing; /* bits over them */
};

void inventory_shape_init(struct inventory_shape *s, uint64_t count, lt_time now);
struct inventory_dimension inventory_dimension(size_t index);
void inventory_one(const struct inventory_shape *s, uint64_t i, struct inventory_one *ret_one);
uint64_t inventory_number(const struct inventory_shape *s, uint64_t set, uint64_t time);
uint64_t inventory_set_names(uint64_t set);
uint64_t inventory_set_account(const struct inventory_shape *s, uint64_t set);
/* Which way the k-th name of the set was validated: the worst of the set, or another one. */
size_t inventory_name_dimension(uint64_t set, uint64_t k);
int64_t inventory_set_validated_us(const struct inventory_shape *s, uint64_t set);
bool inventory_set_caa(const struct inventory_shape *s, uint64_t set);
/* Authorizations before those of this set. */
uint64_t inventory_set_first(const struct inventory_shape *s, uint64_t set);
uint64_t inventory_names_total(const struct inventory_shape *s);
/* The k-th name, in the order of its reversed form; sets are in that order, too. */
void inventory_name(const struct inventory_shape *s, uint64_t set, uint64_t k, char ret_name[INVENTORY_TEXT]);
/* Is there one that replaces it, and does the book know? Its number is i + sets. */
bool inventory_is_replaced(const struct inventory_shape *s, uint64_t i);
/* With old_caa: of those that nobody replaced, did CAA forbid it when it was asked again? */
bool inventory_is_forbidden(const struct inventory_shape *s, uint64_t i);

struct inventory_load {
    struct cmd *c;
    const char *folder;
    struct ca_config *config; /* owned */
    struct store *store;      /* owned */
    struct cmd_key key;       /* owned; of the issuing CA */
    struct x509_cert issuer;
    const struct ca_config_issuer *as_configured;
    int64_t issuer_id;
    int64_t profile_id;
    struct inventory_shape shape;
    bool evidence;
    uint8_t *points; /* owned: x and y of a key for each set */
    struct lt_buf text;
    struct lt_arena arena; /* of one certificate */
    int64_t began_ms;
    int64_t said_ms;
    int64_t phase_ms;
    const char *phase;
    struct {
        const char *name;
        int64_t ms;
    } took[8];
    size_t took_count;
};

/* Progress on standard error; each phase is timed. */
void inventory_phase(struct inventory_load *l, const char *name);
void inventory_tell(struct inventory_load *l, uint64_t done, uint64_t all);
/* Ends the group and begins the next. */
LT_MUST_USE lt_res inventory_next_group(struct inventory_load *l);

LT_MUST_USE lt_res inventory_load_small(struct inventory_load *l);
LT_MUST_USE lt_res inventory_load_certificates(struct inventory_load *l);
LT_MUST_USE lt_res inventory_drop_indexes(struct inventory_load *l);
LT_MUST_USE lt_res inventory_load_names(struct inventory_load *l);
LT_MUST_USE lt_res inventory_make_indexes(struct inventory_load *l);
LT_MUST_USE lt_res inventory_load_evidence(struct inventory_load *l);

/* bench_inventory_ask.c: each expression of data/scopes.tsv, counted and listed with the reader's settings.
 */
struct inventory_asked {
    lt_slice name;
    int64_t count;
    int64_t count_ms;
    int64_t count_cpu_ms; /* of this process: what a machine of its own would need */
    int64_t list_ms;
    int64_t list_cpu_ms;
    int64_t limit_ms; /* of the count; the list has the other one */
};
enum { INVENTORY_COUNT_LIMIT_MS = 1000, INVENTORY_LIMIT_MS = 6000, INVENTORY_EXPRESSIONS_MAX = 100 };
extern const char inventory_expressions[];
/* Moves every day and month of the text by that many days. */
LT_MUST_USE lt_res inventory_move_days(lt_slice text, int64_t days, struct lt_buf *out);
/* Counts from one index that covers what it asks. */
typedef void inventory_answered(void *self, const struct inventory_asked *one);
LT_MUST_USE lt_res inventory_ask(const char *book, lt_time loaded, inventory_answered *tell, void *self);

#endif
