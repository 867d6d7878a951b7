#ifndef CMD_CEREMONY_H
#define CMD_CEREMONY_H
/* A ceremony: the only way, beside init on an empty folder, by which a CA certificate or an offline root's
 * CRL is signed. A script is planned, read by people, signed by two operators (its hash), and run offline
 * with the root's key at hand; intent and outcome are events on the chain "offline".
 *
 * The script is text, one "word=value" a line behind "lintel-ceremony-v1"; signatures lie beside it in
 * SCRIPT.OPERATOR.sig. ceremony.c: the verbs; ceremony_script.c: text and signatures; ceremony_run.c: keys,
 * book, files.
 */
#include "ca/book.h"
#include "ca/config.h"
#include "ca/operator.h"
#include "cmd/key.h"
#include "x509/cert.h"

enum { CEREMONY_SCRIPT_MAX = 4 * 1024 * 1024, CEREMONY_LIFE_S = 30 * 86400, CEREMONY_PEOPLE = 2 };

/* What a script says; strings live in the arena of the run. */
struct ceremony_script {
    const char *action; /* "ca", "crl", "restore" */
    const char *ca;     /* name of the CA, from lintel.yaml */
    const char *issuer; /* who signs: "root" */
    const char *name;   /* of the new issuing CA; for a CRL the issuer again */
    const char *profile;
    const char *profile_sha256;
    const char *revoke; /* CRL: "NAME:REASON" of a CA that it revokes, or "" */
    const char *expires;
    lt_slice tbs;  /* to be signed; of a restore what restore_describe says */
    lt_slice text; /* the whole script: its hash is what is signed */
};

/* The folder and what belongs to it. */
struct ceremony {
    struct cmd *c;
    const char *folder;
    int dir;
    struct ca_config *config;      /* owned */
    struct ca_profiles profiles;   /* owned */
    struct ca_operators operators; /* owned */
    struct store *store;           /* owned; NULL for reading along */
    struct x509_cert root;         /* certificate of the issuer, from its file */
    struct ceremony_script script;
};

LT_MUST_USE lt_res ceremony_open(struct ceremony *k, const char *issuer);
void ceremony_close(struct ceremony *k);

/* ceremony_script.c */
LT_MUST_USE lt_res ceremony_write(struct ceremony *k, const char *file);
LT_MUST_USE lt_res ceremony_read(struct ceremony *k, const char *file);
/* What an operator signs. */
void ceremony_statement(const struct ceremony_script *s, struct lt_buf *out);
/* Signatures beside the file by different operators with the role approver; names for the event. */
LT_MUST_USE lt_res ceremony_signatures(struct ceremony *k, const char *file, size_t *ret_count,
                                       struct lt_buf *names);
/* The to-be-signed bytes again: do they say what the script and its profile say, and nothing more? */
LT_MUST_USE lt_res ceremony_check(struct ceremony *k);
/* For people. */
LT_MUST_USE lt_res ceremony_say(struct ceremony *k);

/* ceremony_lint.c: prints what the linter says of the bytes. LT_POLICY_LINT: an error, and it was planned
 * without
 * --accept-findings. */
LT_MUST_USE lt_res ceremony_lint(struct ceremony *k, bool planning);

/* ceremony_run.c */
LT_MUST_USE lt_res ceremony_plan_ca(struct ceremony *k);
LT_MUST_USE lt_res ceremony_plan_crl(struct ceremony *k);
LT_MUST_USE lt_res ceremony_run(struct ceremony *k, const char *people);
LT_MUST_USE lt_res ceremony_open_book(struct ceremony *k);

/* restore.c: what two people sign before a book that was put back is reconciled with the journal. */
struct restore_choice {
    bool revoke_lost;
    bool forget_missing;
};
LT_MUST_USE lt_res restore_describe(const char *folder, const struct restore_choice *choice,
                                    struct lt_buf *out);

#endif
