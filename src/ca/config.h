#ifndef CA_CONFIG_H
#define CA_CONFIG_H
/* lintel.yaml: how one CA folder is run. What a certificate looks like is not here but in profiles/
 * (ca/profile.h). Refuses unknown keys, values out of range and combinations that cannot run, with
 * file:line:column and what to do. Links neither the book nor any crypto. */
#include "base/arena.h"
#include "ipc/ipc.h"

#define CA_CONFIG_FILE "lintel.yaml"
#define CA_CONFIG_HOST_MAIN "main"
enum { CA_CONFIG_MAX_BYTES = 256 * 1024, CA_CONFIG_HOST_MAX = 32, CA_CONFIG_OWN_NAMES = 33 };

struct ca_config_issuer {
    const char *name;       /* "root", "tls", … */
    const char *key;        /* path below the folder; "" when pkcs11_uri says where it is, or it is offline */
    const char *pkcs11_uri; /* RFC 7512; "" for a key file */
    const char *certificate; /* path below the folder, PEM */
    bool crl;                /* publish a CRL for it */
    bool ocsp;               /* answer OCSP for it: responders of its own, profiles of kind responder */
    bool offline;            /* its key is elsewhere: nothing is signed with it by the family */
    uint32_t cap;            /* certificates that may be good at once before we are warned; 0: none */
    uint32_t crl_shards; /* new certificates are spread over so many parts of its CRL; 0: the complete one */
};

enum { CA_REVOKE_ALONE = 100 }; /* approvals.revoke-alone where it is not given */

/* At most count in per_s seconds, bursts included; count 0 is no limit. */
struct ca_config_rate {
    uint32_t count;
    int64_t per_s;
};

/* How the answer of an external linter is read: zlint's JSON, or the exit status alone. */
enum ca_opinion_format { CA_OPINION_AUTO, CA_OPINION_ZLINT, CA_OPINION_STATUS };
/* From which of zlint's results on it is a no; the numbers are those of enum lint_status. */
enum ca_opinion_level { CA_OPINION_ERROR = 6, CA_OPINION_WARN = 5, CA_OPINION_NOTICE = 4 };

/* Another linter that is asked before the signer: second-opinion of lintel.yaml. */
struct ca_config_opinion {
    const char *const
        *command;           /* absolute path and arguments; "{}" among them is the path of the certificate */
    uint32_t command_count; /* 0: none is configured */
    int64_t timeout_s;
    const char *const *profiles; /* for which; none: all that are public */
    uint32_t profile_count;
    const char *const *paths; /* files and folders that the command needs beside itself */
    uint32_t path_count;
    enum ca_opinion_format format; /* never AUTO: by the command's name */
    enum ca_opinion_level fail_on;
    uint32_t processes; /* how many commands run at a time */
};

/* How a test CA behaves like a test server: testing of lintel.yaml. ca/testing.h says who may. */
struct ca_config_testing {
    bool wanted;            /* the section is there */
    const char *management; /* ADDRESS:PORT of the management listener; "" for none */
    uint32_t nonce_reject;  /* percent of good nonces that are refused */
    uint32_t authz_reuse;   /* percent of proven authorizations that are used again */
    uint32_t sleep_s;       /* a validation waits up to so long */
    bool always_valid;      /* nothing is looked at */
};

enum ca_log_format { CA_LOG_AUTO, CA_LOG_JSON, CA_LOG_TEXT };

/* All pointers live in the config's own arena or in static storage; strings are never NULL. */
struct ca_config {
    const char *name; /* of the CA, shown to people and in subjects made by init */
    const char *const *host_names;
    uint32_t host_name_count;

    /* "ADDRESS:PORT", "[::1]:PORT"; http and operator may be "" for none. */
    const char *listen_https;
    const char *listen_http;
    const char *listen_operator;
    const char *console_name;    /* the host under which browsers know the console: "localhost" */
    int64_t console_session_s;   /* how long a log-in there is good for */
    const char *base_url;        /* "https://localhost:14000", no slash at the end */
    const char *public_http_url; /* "http://localhost:14080": what CDP and AIA begin with */

    uint32_t gateways;
    uint32_t notaries;
    uint32_t readers;

    const char *passphrase_file; /* "secrets/passphrase"; relative to the folder or absolute */
    const char *journal_mirror;  /* "" for none */
    const char *host;            /* which of the families on that store this is; "main": the first, or only */
    const char *store;           /* "postgresql://…"; "": the book is a file of the folder */

    const struct ca_config_issuer *issuers;
    uint32_t issuer_count;
    const char *default_profile;

    const char *terms_of_service; /* "" for none */
    const char *terms_version;    /* "" for none */
    bool terms_clause;            /* that version has the clause about revocation and cooperation */
    const char *website;
    const char *const *caa_identities;
    uint32_t caa_identity_count;
    int64_t order_lifetime_s;
    bool external_account_required;   /* an account needs a key that an operator gave out */
    int64_t authorization_lifetime_s; /* how long a valid one may be used again */
    int64_t proof_lifetime_s;         /* the same of enrolments */

    const char *resolver; /* "127.0.0.1@8053"; "": none, from the DNS root down with DNSSEC */
    uint32_t validation_http_port;
    uint32_t validation_https_port; /* of redirects, and of tls-alpn-01 */
    const char *trust_anchor;       /* file of DNSSEC anchors; "": that of the DNS root */
    bool dnssec;                    /* false: nothing is checked; for a private CA alone */
    bool allow_private;             /* may validation connect to private and loopback addresses? */

    struct ca_config_rate accounts_per_address;
    struct ca_config_rate orders_per_account;
    struct ca_config_rate failures_per_name; /* failed validations of one account and name */
    uint32_t pending_authorizations_per_account;
    uint32_t names_per_order;
    uint32_t pause_failures; /* in a row, then a name is paused; 0: never */
    int64_t pause_quiet_s;   /* after so long without a failure they are counted anew */

    int64_t crl_interval_s; /* a new CRL at least so often */
    int64_t crl_lifetime_s; /* nextUpdate - thisUpdate */
    bool crl_fetch_back;    /* the courier fetches what was published, and holds it against the book */
    bool usage_scan;        /* operators may have the courier look at who uses certificates */

    uint32_t approvals_needed;
    uint32_t revoke_alone; /* certificates that one operator may revoke as one plan without approvals */

    const char *mail_relay; /* "smtp://host:25"; "": no mail is sent, and no method by mail is offered */
    const char *mail_from;
    uint32_t mail_rate; /* letters a second, at most, of those that go to many */
    bool hooks;         /* notices go to machines, too: operators may add where */

    struct ca_config_opinion opinion;
    struct ca_config_testing testing;

    const char *token_module; /* "" for none */
    const char *token_pin_file;

    uint32_t uid_base; /* role users are uid_base + role number when started as root; 0: do not change user */
    enum ca_log_format log_format;
    uint32_t log_level; /* enum lt_log_level */

    struct lt_arena arena;
};

/* Complete with defaults and checked. Free with ca_config_free. Messages name the file as lintel.yaml. */
LT_MUST_USE lt_res ca_config_parse(lt_slice yaml, struct ca_config **ret_config);
/* DIR/lintel.yaml. */
LT_MUST_USE lt_res ca_config_load(const char *folder, struct ca_config **ret_config);
void ca_config_free(struct ca_config *config); /* NULL is fine */
static inline void ca_config_freep(struct ca_config **config)
{
    ca_config_free(*config);
}
/* Where the book is: a file of the folder, or what store says. NULL: too long. */
const char *ca_config_store(const struct ca_config *config, const char *folder, struct lt_arena *a);
/* The names of our own listeners: host-names, and the console's where there is one. How many. */
uint32_t ca_config_own_names(const struct ca_config *config, const char *ret_names[CA_CONFIG_OWN_NAMES]);
/* The cookie of the console's sessions: "lintel_session_14001", so that two consoles of one host keep theirs.
 */
enum { CA_CONFIG_COOKIE_SIZE = 32 };
void ca_config_console_cookie(const struct ca_config *config, char ret_name[CA_CONFIG_COOKIE_SIZE]);
/* Where the console is: "http://localhost:14001", or https:// where it has a name of its own; "" when there
 * is no listener for it. NULL: too long. */
const char *ca_config_console_url(const struct ca_config *config, struct lt_arena *a);
/* NULL when there is none of that name. */
const struct ca_config_issuer *ca_config_issuer(const struct ca_config *config, lt_slice name);
/* The user (and group of the same number) of a role; 0 for uid_base 0. The group "book", whose members read
 * the book, is ca_config_book_gid. */
uint32_t ca_config_uid(const struct ca_config *config, enum ipc_role role);
uint32_t ca_config_book_gid(const struct ca_config *config);
/* "127.0.0.1:14000" → "127.0.0.1", 14000; "[::1]:1" → "::1". host goes into the arena. */
LT_MUST_USE lt_res ca_config_split_address(struct lt_arena *a, const char *address, const char **ret_host,
                                           uint16_t *ret_port);

#endif
