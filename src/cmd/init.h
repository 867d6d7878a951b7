#ifndef CMD_INIT_H
#define CMD_INIT_H
/* Making a CA folder: between the files init.c (options and order), init_keys.c (hierarchy), init_files.c
 * (what is written, and that a failed init leaves nothing), init_config.c (lintel.yaml), init_book.c. */
#include "base/secret.h"
#include "ca/operator.h"
#include "ca/profile.h"
#include "cmd/enrolment.h"
#include "cmd/key.h"
#include "x509/cert.h"

struct init_shipped {
    const char *file; /* "tls-server.yaml" */
    const char *text;
};
extern const struct init_shipped init_profiles[];
extern const size_t init_profile_count;
struct init;
/* What goes into the folder: what is shipped, and in a test CA the same under the names that Pebble's have.
 */
size_t init_profiles_wanted(const struct init *i);
const char *init_profile_file(const struct init *i, size_t index);
/* As it goes there: public where --public says so, for local names too in a test CA. In the
 * command's arena. */
lt_slice init_profile_text(const struct init *i, size_t index);

enum { INIT_ABOVE_MAX = 4, INIT_ISSUERS = 5, INIT_HOSTS_MAX = 32, INIT_ROOT = 0, INIT_TLS = 1 };
/* Of a test CA: roots beside the root, and CAs between a root and its issuing CA. */
enum {
    INIT_ALTERNATES_MAX = 5,
    INIT_MIDDLES_MAX = 4, /* a chain of ours has at most eight certificates */
    INIT_EXTRAS_MAX = INIT_MIDDLES_MAX + INIT_ALTERNATES_MAX * (INIT_MIDDLES_MAX + 2),
};

/* A CA of a test CA that is only chained through: row and certificate stay, its key does not. */
struct init_extra {
    const char *name;
    struct cmd_key key; /* owned until the end of init */
    lt_slice der;
    struct x509_cert cert;
    int64_t row;    /* its id in the book */
    int64_t parent; /* the same of who signed it; 0: it is a root */
};

/* Who signs the next certificate of a chain. */
struct init_authority {
    const struct x509_cert *cert;
    const struct ca_authority_key *key;
    const char *name;
    int64_t row;
    bool crl; /* it will have one */
};

struct init_issuer {
    const char *name;       /* "root", "tls", … */
    const char *profile;    /* "ca-root", … */
    const char *title;      /* in the common name: "Root", "TLS" */
    struct cmd_key key;     /* owned */
    const char *pkcs11_uri; /* "" for a key file */
    bool imported;
    bool offline; /* its key does not stay in the folder */
    lt_slice der; /* of its certificate */
    struct x509_cert cert;
    lt_slice above; /* PEM of the certificates above an imported one, up to a root; empty: none given */
    lt_slice above_der[INIT_ABOVE_MAX];
    size_t above_count;
    int parent; /* index into issuers; -1: none of ours */
};

struct init {
    struct cmd *c;
    const char *folder; /* as given */
    int dir;            /* of the folder */
    bool made_folder;
    char staging[40]; /* ".init-…", inside the folder */
    int stage;        /* of the staging folder */
    const char *name;
    const char *country;
    const char *hosts[INIT_HOSTS_MAX];
    size_t host_count;
    const char *https; /* listeners */
    const char *http;
    const char *operator_;
    char public_http_url[300];
    bool testing;        /* --testing; init_testing.c */
    size_t chain_length; /* certificates between leaf and root; 1 but in test CAs */
    size_t alternates;   /* roots beside the root */
    struct init_extra extras[INIT_EXTRAS_MAX];
    size_t extra_count;
    int64_t tls_parent;       /* row of the CA above the TLS issuing CA; 0: the root's */
    const char *offline_path; /* --root-offline, or NULL */
    bool wrote_offline;
    struct lt_secret passphrase; /* owned */
    struct crypto_pkcs11 *token; /* owned; NULL without --token-module */
    const char *pin_file;        /* absolute, or NULL */
    const char *passphrase_file; /* as it goes into lintel.yaml */
    struct ca_profiles profiles; /* owned; parsed from what is shipped */
    struct init_issuer issuers[INIT_ISSUERS];
    struct cmd_key operator_key; /* owned */
    struct ca_operator admin;
    struct cmd_enrolment enrolment; /* of its first passkey */
    lt_slice root_crl;              /* DER; empty when the root's key is not at hand */
    uint8_t root_crl_number[8];
    lt_time crl_from;
    lt_time crl_until;
};

/* init_keys.c */
LT_MUST_USE lt_res init_hierarchy(struct init *i);
/* Signs what is asked for with that key; the certificate goes into the command's arena. */
LT_MUST_USE lt_res init_sign_authority(struct init *i, const struct ca_authority *request,
                                       const struct ca_authority_key *key, lt_slice *ret_der);
/* init_testing.c */
LT_MUST_USE lt_res init_testing_choose(struct init *i);
/* at: from the root down to who signs the TLS issuing CA. */
LT_MUST_USE lt_res init_testing_above_tls(struct init *i, struct init_authority *at);
LT_MUST_USE lt_res init_testing_alternates(struct init *i);
/* A profile that others expect under another name. */
struct init_alias {
    const char *file; /* "shortlived.yaml" */
    const char *of;   /* "tls-server-short.yaml" */
};
extern const struct init_alias init_testing_aliases[];
extern const size_t init_testing_alias_count;
/* policy/names.yaml */
extern const char init_testing_policy[];
void init_testing_config(const struct init *i, struct lt_buf *out);
void init_testing_done(struct init *i);
/* init_files.c */
LT_MUST_USE lt_res init_stage(struct init *i);
LT_MUST_USE lt_res init_write(struct init *i);
LT_MUST_USE lt_res init_commit(struct init *i);
void init_abandon(struct init *i);
/* init_config.c */
LT_MUST_USE lt_res init_config(const struct init *i, struct lt_buf *out);
/* init_book.c: path of the staging folder is absolute. */
LT_MUST_USE lt_res init_book(struct init *i, const char *path);

/* In the folder of --root-offline. */
#define INIT_OFFLINE_KEY "root.key"
#define INIT_OFFLINE_PASSPHRASE "root.passphrase"
LT_MUST_USE lt_res init_passphrase(struct lt_secret *ret_passphrase);

/* A serial as the registrar draws them. */
void init_serial(lt_time now, uint8_t ret_serial[16]);

#endif
