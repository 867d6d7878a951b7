#ifndef VALIDATE_ENGINE_H
#define VALIDATE_ENGINE_H
/* Shared by engine.c (who runs, who waits, when a validation is at its end), statement.c (what was seen),
 * reach.c (from a host to addresses) and the files of the methods. */
#include "base/arena.h"
#include "validate/conn.h"
#include "validate/http_reply.h"
#include "validate/methods.h"
#include "validate/resolve.h"
#include "validate/url.h"
#include "validate/validate.h"

enum {
    VALIDATE_REDIRECTS_MAX = 10,
    VALIDATE_CANDIDATES_MAX = 3,
    VALIDATE_SEEN_MAX = 32,    /* addresses of a statement */
    VALIDATE_RECORDS_MAX = 64, /* records of a statement */
    VALIDATE_SHOWN_MAX = 100,  /* bytes of a foreign text in a sentence */
    VALIDATE_KEPT_MAX =
        1024,             /* bytes of one foreign text as evidence; what is longer has its digest behind it */
    VALIDATE_ROOM = 4096, /* for all of them; those of CAA have as much again */
    VALIDATE_CAA_NAMES_MAX = 128,
};

struct validate_job;

/* What an engine does with one method. begin ends the job, or begins what will. */
struct validate_method_hooks {
    const char *name;
    void (*begin)(struct validate_job *j);
    void (*timed_out)(struct validate_job *j); /* the words, depending on how far it got */
};

/* Look-ups of CAA on the way up the tree (caa_climb.c). */
struct validate_climb {
    bool open;                      /* runs */
    bool done;                      /* statement.caa is complete */
    struct validate_lookup *lookup; /* running; NULL: none */
    const char *at;                 /* the name asked now; points into the identifier */
    Ipc__CaaCheck check;            /* strings in the job's arena */
    size_t room;                    /* for its records */
};

struct validate_job {
    struct validate_engine *engine;
    struct validate_job *next; /* running or waiting */
    struct validate_job **back;
    uint64_t id;
    struct lt_arena arena;        /* the request's copy and the statement's parts */
    const Ipc__Validate *request; /* in arena */
    const struct validate_method *method;
    const struct validate_method_hooks *hooks;
    Ipc__Validated statement; /* filled on the way; strings in arena */
    size_t room;              /* for foreign texts in it */
    size_t left_out;          /* records for which there was none */
    uint8_t txt[VALIDATE_DNS_TXT_MAX];
    struct event *timer;            /* owned: total time; also the deferred end */
    bool proved;                    /* control is shown; CAA may still be open */
    bool ended;                     /* the statement is complete; the timer delivers it */
    struct validate_lookup *lookup; /* running; NULL: none */
    struct validate_conn *conn;     /* owned; NULL: none */
    struct validate_climb climb;
    struct validate_http http;
    bool http_open;
    struct validate_url url;
    const char *visited[VALIDATE_REDIRECTS_MAX + 1];
    size_t visited_count;
    const char *asked;         /* the name whose records are wanted */
    const char *persist_at;    /* dns-persist-01: the domain whose record is looked for now */
    const char *persist_why;   /* what is wrong with the nearest record; NULL: there was none yet */
    const char *persist_of;    /* that record */
    const char *persist_where; /* and where it stands */
    struct validate_address candidates[VALIDATE_CANDIDATES_MAX];
    size_t candidate_count;
    size_t candidate; /* the one being tried */
    void (*reached)(struct validate_job *j);
    void (*judge)(struct validate_job *j, const struct validate_dns *d);
};

struct validate_engine {
    struct event_base *base; /* borrowed */
    struct validate_options options;
    char build[64];
    char perspective[64];
    char resolver_name[128];
    struct validate_resolver *resolver; /* owned */
    SSL_CTX *tls;                       /* owned */
    validate_answer *answer;
    void *self;
    struct validate_job *running; /* owned list */
    struct validate_job *waiting; /* owned queue */
    struct validate_job **waiting_last;
    size_t running_count;
    size_t waiting_count;
};

/* The methods' files. */
extern const struct validate_method_hooks validate_http01;            /* http01.c */
extern const struct validate_method_hooks validate_website;           /* http01.c and byhand.c */
extern const struct validate_method_hooks validate_dns01;             /* dns01.c */
extern const struct validate_method_hooks validate_dns_account01;     /* dns01.c */
extern const struct validate_method_hooks validate_dns_persist01;     /* dns01.c */
extern const struct validate_method_hooks validate_tlsalpn01;         /* tlsalpn01.c */
extern const struct validate_method_hooks validate_dns_change;        /* byhand.c */
extern const struct validate_method_hooks validate_email_caa;         /* email.c */
extern const struct validate_method_hooks validate_email_txt;         /* email.c */
extern const struct validate_method_hooks validate_email_constructed; /* email.c */

/* Drops the reader of an answer. */
void validate_http_close(struct validate_job *j);
/* byhand.c for http01.c: the path that is asked for; is a line of the body the random value? */
const char *validate_website_path(struct validate_job *j);
bool validate_website_fits(lt_slice body, lt_slice expected);
/* dns01.c for byhand.c: begins to ask for TXT at a name; judge looks at the answer. */
void validate_txt_begin(struct validate_job *j, const char *name,
                        void (*judge)(struct validate_job *j, const struct validate_dns *d));
/* The text of one TXT record, good until the next one, or an empty slice: it is none, or too long. Notes it.
 */
lt_slice validate_txt_of(struct validate_job *j, lt_slice rdata);
void validate_txt_timed_out(struct validate_job *j);

/* engine.c: ends a job with a problem, or says that control is shown (type NULL). The answer leaves from the
 * loop, when CAA is done as well. */
void validate_job_end(struct validate_job *j, const char *type, const char *format, ...) LT_PRINTF(3, 4);
/* caa_climb.c: begins with the identifier itself. Ends in validate_climbed. */
void validate_climb_begin(struct validate_job *j);
/* engine.c: j->climb.check is complete. */
void validate_climbed(struct validate_job *j);

/* reach.c: the addresses of a host to which we may go become candidates, then reached(j); ends the job where
 * there is none. */
void validate_reach(struct validate_job *j, const char *host, bool literal,
                    void (*reached)(struct validate_job *j));

/* statement.c: what was seen. All copy into the job's arena. */
char *validate_keep(struct validate_job *j, const char *text);
char *validate_keep_bytes(struct validate_job *j, lt_slice bytes); /* without NUL in them */
/* Foreign bytes as evidence: whole, what is not printable as \DDD; of what is longer than VALIDATE_KEPT_MAX,
 * or than the room that is left, the beginning, the length and the digest. escaped: they are text already. */
char *validate_keep_evidence(struct validate_job *j, lt_slice bytes, bool escaped, size_t *room);
/* The beginning of foreign bytes as a person may see them; an ellipsis says that there was more. For
 * sentences alone: what is compared, sent or kept as evidence is never this. */
const char *validate_shown(struct validate_job *j, lt_slice bytes);
void validate_note_address(struct validate_job *j, const struct validate_address *a);
/* The worst over all look-ups counts. */
void validate_note_dnssec(struct validate_job *j, const struct validate_dns *d);
void validate_note_chain(struct validate_job *j, const struct validate_dns *d);
void validate_note_record(struct validate_job *j, lt_slice bytes);
/* What was asked, in the words of the method. */
void validate_note_asked(struct validate_job *j, const char *format, ...) LT_PRINTF(2, 3);
/* The digest of a record set, the same in whichever order it comes. */
ProtobufCBinaryData validate_rrset_digest(struct validate_job *j, const struct validate_dns_message *m);
void validate_note_redirect(struct validate_job *j, uint32_t status, const char *location);
void validate_note_digest(struct validate_job *j, lt_slice bytes);
/* True when the answer says nothing, or what must not be used: the job has ended with the words for it. */
bool validate_dns_unusable(struct validate_job *j, const struct validate_dns *d);

#endif
