#ifndef CA_BOOK_H
#define CA_BOOK_H
/* What the registrar remembers of the book between messages: the head of its event chain, issuers, interned
 * profiles, halts, operators, who waits for a revocation. Everything here can be read again from the book
 * and the root-owned files; ca_book_reload does so after a commit that failed.
 *
 * Refuses: deciding. The decisions are in issue.h, revoke.h, halt.h, plan.h.
 */
#include "ca/host.h"
#include "ca/operator.h"
#include "ca/passkey.h"
#include "ca/profile.h"
#include "ca/session_limit.h"
#include "ca/turn.h"
#include "common.pb-c.h"

enum {
    CA_HASH_LEN = 32,
    CA_SERIAL_LEN = 16,
    CA_CHAIN_NAME_MAX = 64,
    CA_ISSUERS_MAX = 256,
    CA_PROFILES_MAX = 64,
    CA_HALTS_MAX = 4096,
};

struct ca_issuer {
    int64_t id;
    char name[64];
    lt_slice certificate; /* DER, in the book's arena */
    lt_slice subject;     /* DER Name, inside certificate */
    lt_slice key_id;      /* its subjectKeyIdentifier, inside certificate */
    uint8_t subject_sha256[CA_HASH_LEN];
    uint8_t spki_sha256[CA_HASH_LEN];
    uint32_t key_type; /* Ipc__KeyType */
    lt_time not_before;
    lt_time not_after;
    bool offline;
    uint32_t crl_shards; /* that certificates may point to: their first CRLs are in the book; ca/crl_book.h */
};

struct ca_profile_row {
    int64_t id;
    const struct ca_profile *profile; /* in the book's profiles */
};

/* The head of a chain of events: what is hashed into the next one. */
struct ca_chain {
    char name[CA_CHAIN_NAME_MAX];
    int64_t sequence; /* of the last event; 0: none yet */
    uint8_t head[CA_HASH_LEN];
};

struct ca_config;  /* ca/config.h */
struct ca_outcome; /* ca/issue.h */
struct ca_revoked; /* ca/revoke.h */

/* Who is told, inside the same turn, how an intent or a revocation ended. */
struct ca_listener {
    void *self;
    lt_res (*issued)(void *self, struct ca_turn *t, const struct ca_outcome *o);
    lt_res (*revoked)(void *self, struct ca_turn *t, const struct ca_revoked *r);
};

struct ca_revoke_waiter; /* ca/revoke.c */
struct ca_plan_waiter;   /* ca/plan.c */
struct ca_tally_change;  /* ca/tally.c */

enum { CA_JOURNAL_WINDOW = 4096 };

/* Where the book stands: all that a handler moves in memory beside its writes. The loop takes a copy with the
 * savepoint and puts it back with it (ca_book_at_restore). */
struct ca_book_at {
    struct ca_chain chain; /* moved by ca_event */
    int64_t acknowledged;  /* every sequence of the signer's journal up to here is in the book */
    int64_t flushed;       /* the same, as the table says */
    uint64_t
        seen[CA_JOURNAL_WINDOW / 64]; /* which of the next ones are in it too, by number modulo its size */
    uint64_t halt_version;            /* of the list in memory */
    int64_t knot_sequence;            /* last event that a knot was asked for */
    size_t evidence_waiting;          /* bytes of evidence that the open group has not written yet */
    size_t tally_waiting;             /* changes of the tally, the same */
    uint64_t issuer_version;          /* of the list in memory: grows when one is brought in */
};

/* Of mass revocations: what may be lost, since the book has the rest. */
struct ca_mass_memory {
    bool pending;          /* there may be a slice to do */
    lt_time members_asked; /* of a reader; 0: nothing is on its way */
    lt_time batch_asked;   /* of the signer; 0: the same */
    bool busy;             /* others ask meanwhile: shorter slices */
    bool sealing;          /* the last slice was of a list that is being sealed: little is written */
};

/* Of a scan: pages of names that are under way. May be lost as well. */
enum { CA_USAGE_PAGES = 8, CA_USAGE_SERIAL_MAX = 20 };
struct ca_usage_page {
    uint64_t number;
    size_t open; /* endpoints that were not looked at yet */
    int64_t certificates;
    int64_t last_issuer; /* the certificate that it ends with */
    size_t last_len;
    uint8_t last_serial[CA_USAGE_SERIAL_MAX];
};
struct ca_usage_memory {
    int64_t scan;                               /* 0: none */
    uint64_t number;                            /* of the last page */
    struct ca_usage_page pages[CA_USAGE_PAGES]; /* the oldest first */
    size_t count;
    bool whole;    /* the reader has no more */
    lt_time asked; /* of a reader; 0: nothing is on its way */
    lt_time heard; /* of the courier, or a page that it was given */
};

struct store_segments; /* store/segment.h */

struct ca_book {
    struct store *store;             /* borrowed */
    struct store_segments *evidence; /* owned; NULL: nothing is validated here (init, ceremonies) */
    struct crypto_aead *seal;        /* owned: for secrets in the book; NULL: offline */
    struct lt_arena arena;           /* owned: issuers, profiles; replaced by a reload */
    struct ca_book_at at;
    struct ca_host host;                      /* which of the families on this book this is */
    struct ca_lease_memory leases[CA_LEASES]; /* that it believes to hold */
    struct ca_news news;
    struct ca_issuer *issuers; /* in arena */
    size_t issuer_count;
    struct ca_profiles profiles;                 /* owned */
    struct ca_profile_row rows[CA_PROFILES_MAX]; /* of profiles */
    size_t row_count;
    struct ca_operators operators; /* owned */
    struct ca_passkeys passkeys;   /* owned: as last read; operators points to them */
    struct ca_origins origins;     /* of the console's pages; the same */
    struct ca_session_limits login_limits;
    struct lt_arena halts_arena; /* owned */
    Ipc__Halt **halts;           /* live ones, in halts_arena */
    size_t halt_count;
    bool held;               /* the supervisor's hold: no SignRequest leaves */
    bool alarmed;            /* ours: the signer's journal and the book disagree */
    uint64_t alarm_sequence; /* of the journal, where they do */
    char held_reason[201];
    bool examiner_linked;
    bool replayed;           /* the signer's journal has been replayed since the examiner's link came up */
    lt_time journal_flushed; /* when the acknowledged sequence was last written and sent */
    lt_time journal_asked;   /* when the replay was last asked for */
    struct ca_revoke_waiter *waiters;    /* owned list */
    struct ca_plan_waiter *plan_waiters; /* owned list */
    struct ca_mass_memory mass;
    struct ca_tally_change *tally; /* owned; at.tally_waiting of them are of the open group */
    size_t tally_room;
    lt_time tally_heard;   /* when the publisher's word was last written down */
    lt_time up_since;      /* when this process first looked whether things work; incident/uptime.c */
    lt_time ocsp_told;     /* when the publisher last said how far it has answered; 0: not yet */
    lt_time ocsp_answered; /* what was committed by then has an answer */
    lt_time cap_asked;     /* of a reader; 0: nothing is on its way */
    struct ca_usage_memory usage;
    bool no_courier;  /* none has been linked since the start: nobody would do a scan */
    bool truth_swept; /* ca/truth.h: nothing is left to go through */
    int64_t last_id;  /* drawn by ca_new_id: never again, never less */
    uint32_t approvals_needed;
    const char *build;              /* of this program; static or the role's */
    const char *base_url;           /* of ACME; the role's */
    const char *public_http_url;    /* what CDP and AIA begin with; the role's */
    const struct ca_config *config; /* the role's; NULL offline: no shards */
    struct ca_listener listener;
};

struct ca_book_options {
    struct store *store;
    const char *chain;          /* "registrar-HOST" */
    const struct ca_host *host; /* NULL: the only one */
    const char *build;
    const char *base_url;
    const char *public_http_url;
    uint32_t approvals_needed;
    lt_slice seal_key; /* text; empty: no secret is kept or opened */
    struct ca_listener listener;
    lt_time now;
};

/* Reads chain head, issuers, halts and journal position. Profiles and operators come from files: see
 * ca_book_use_profiles, ca_book_use_operators. */
LT_MUST_USE lt_res ca_book_open(const struct ca_book_options *options, struct ca_book **ret_book);
void ca_book_free(struct ca_book *b);
/* Memory as the book says; waiters stay. After a rollback of the whole transaction. */
LT_MUST_USE lt_res ca_book_reload(struct ca_book *b);

/* What another host may have changed meanwhile; its own chain, journal and evidence are this one's alone. */
LT_MUST_USE lt_res ca_book_refresh(struct ca_book *b);

/* Back to where it stood when the copy was taken; rereads what the lost savepoint changed. */
LT_MUST_USE lt_res ca_book_at_restore(struct ca_book *b, const struct ca_book_at *at);

/* Reads the issuers again, in the turn that wrote one. What pointed to the old list is void. */
LT_MUST_USE lt_res ca_book_issuers_changed(struct ca_book *b);

/* Interns the profiles; inside a turn, as it writes rows, and an event for each that is new or changed. They
 * become the book's own: freed with it, or by the next call. */
LT_MUST_USE lt_res ca_book_use_profiles(struct ca_turn *t, struct ca_profiles *profiles);
/* Mirrors the operators' files into the table; an event for each that came, changed or went. They become the
 * book's own. */
LT_MUST_USE lt_res ca_book_use_operators(struct ca_turn *t, struct ca_operators *operators);

/* NULL when there is none. */
const struct ca_issuer *ca_issuer_by_name(const struct ca_book *b, lt_slice name);
const struct ca_issuer *ca_issuer_by_id(const struct ca_book *b, int64_t id);
/* The issuer whose subject, as a leaf carries it, has this hash. NULL when we have none such. */
const struct ca_issuer *ca_issuer_by_subject(const struct ca_book *b, lt_slice subject_sha256);
const struct ca_profile_row *ca_profile_by_name(const struct ca_book *b, lt_slice name);

/* Ids of our objects: seconds since 2020-01-01 << 31 | microseconds << 11 | 11 random bits, and always more
 * than the one before. */
int64_t ca_new_id(struct ca_turn *t);
/* The least id of that second: rows made since then have no lower one. */
int64_t ca_id_from(lt_time t);
/* The smallest id that could be drawn a second later: all older ones are below it. */
int64_t ca_id_at(lt_time t);
/* 4 bytes big-endian seconds since 2020-01-01, 2 of their fraction, 10 random.
 *= CABF-BR 7.1.2.7 serialNumber "MUST be a non-sequential number greater than zero (0) and less than 2¹⁵⁹
 * containing at least 64 bits of output from a CSPRNG." */
void ca_new_serial(struct ca_turn *t, uint8_t ret_serial[CA_SERIAL_LEN]);
/* Why nothing may be issued now, NULL when it may. */
const char *ca_held(const struct ca_book *b);

#endif
