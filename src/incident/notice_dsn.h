#ifndef INCIDENT_NOTICE_DSN_H
#define INCIDENT_NOTICE_DSN_H
/* A letter of ours that came back: out of a delivery status notification (RFC 3464), which of our notices it
 * was, and why. Pure; for who takes mail apart (the mailroom), and never for the registrar.
 *
 * Refuses: mail that is no such report, and reports about letters that do not bear a Message-ID of ours.
 * Whether the token is right is for the book to say: anybody may write such a mail. */
#include "base/slice.h"

enum { INCIDENT_DSN_TOKEN_SIZE = 33, INCIDENT_DSN_WORDS_SIZE = 201 };

enum incident_dsn_action {
    INCIDENT_DSN_OTHER, /* delivered, relayed, expanded */
    INCIDENT_DSN_DELAYED,
    INCIDENT_DSN_FAILED,
};

struct incident_dsn {
    int64_t notice;
    char token[INCIDENT_DSN_TOKEN_SIZE];
    enum incident_dsn_action action;
    char status[16];                     /* "5.1.1"; "" */
    char words[INCIDENT_DSN_WORDS_SIZE]; /* Diagnostic-Code, printable ASCII, cut; "" */
};

/* LT_PEER_NOT_FOUND: it is none of those. */
LT_MUST_USE lt_res incident_dsn_read(lt_slice mail, struct incident_dsn *ret_dsn);
/* "<notice-12.0a1b…@host>" anywhere in a text. */
bool incident_dsn_message_id(lt_slice text, struct incident_dsn *ret_dsn);

#endif
