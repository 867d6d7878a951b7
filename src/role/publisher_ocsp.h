#ifndef ROLE_PUBLISHER_OCSP_H
#define ROLE_PUBLISHER_OCSP_H
/* Inside the publisher: answers of OCSP, signed ahead. public/ocsp/base has every certificate of the issuers
 * with ocsp: true, public/ocsp/delta what changed since (ca/ocsp_map.h). Private to role/publisher*.c. */
#include "ca/config.h"
#include "ca/ocsp_book.h"
#include "role/kit.h"

struct publisher_ocsp;

/* NULL in *ret_ocsp: no issuer wants it. Store and issuers are borrowed. */
LT_MUST_USE lt_res publisher_ocsp_new(struct role_kit *kit, int folder_fd, struct store *store,
                                      const struct ca_crl_issuer *issuers, size_t issuer_count,
                                      const struct ca_config *config, struct publisher_ocsp **ret_ocsp);
/* These take NULL. */
void publisher_ocsp_tick(struct publisher_ocsp *o, lt_time now);
void publisher_ocsp_on_signed(struct publisher_ocsp *o, const struct ipc_msg *m);
void publisher_ocsp_unlinked(struct publisher_ocsp *o, enum ipc_role peer);

/* ---- publisher_ocsp_sheet.c: rows that are being signed ---- */

enum { SHEET_QUESTIONS = 8, SHEET_BATCH = 128 };

struct sheet_question {
    uint64_t id;    /* 0: to be sent, where count is not 0 */
    int64_t due_ms; /* not before; when it was sent: given up then */
    lt_time from;   /* thisUpdate */
    size_t count;
    uint32_t rows[SHEET_BATCH]; /* of one issuer */
};

/* The certificates of responders that rows name by number. */
struct sheet_responders {
    struct ca_ocsp_responder list[CA_OCSP_RESPONDERS_MAX];
    size_t count;
};

/* Borrowed from whoever has it, while it lasts. */
struct sheet {
    struct role_kit *kit;
    const struct ca_ocsp_source *source;
    const struct ca_ocsp_issuer *issuers;
    struct sheet_responders *responders;
    struct ca_ocsp_row *rows; /* signature_len[0] == 0: it needs one */
    size_t count;
    size_t at; /* behind what was put into questions */
    struct sheet_question questions[SHEET_QUESTIONS];
    size_t open;
    uint64_t signatures;
};

/* Begins with these rows; sends what may be sent. */
void sheet_begin(struct sheet *s, struct ca_ocsp_row *rows, size_t count);
void sheet_send(struct sheet *s, lt_time now);
bool sheet_done(const struct sheet *s);
/* False: it is no answer to a question of this sheet. */
bool sheet_take(struct sheet *s, const struct ipc_msg *m);
void sheet_ask_again(struct sheet *s); /* the signer is gone */
/* The number of that certificate; -1 when there are too many of them. */
int sheet_responder(struct sheet_responders *r, lt_slice certificate);

#endif
