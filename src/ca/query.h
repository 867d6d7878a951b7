#ifndef CA_QUERY_H
#define CA_QUERY_H
/* Questions to the book, answered as JSON: the reader's whole work. Read-only, in pages of at most 1,000
 * rows by keyset cursors, so that a page costs the same wherever it lies. A filter chooses the index that is
 * walked; the others are looked at row by row, at most CA_QUERY_SCAN_MAX rows for one answer: a page may so
 * come back short, with a cursor; so it does when it is asked not to take longer than some time.
 *
 * Refuses: unknown questions, cursors that it did not make.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "query.pb-c.h"
#include "store/store.h"

enum {
    CA_QUERY_ROWS_MAX = 1000,
    CA_QUERY_SCAN_MAX = 50000,
    CA_QUERY_ANSWER_MAX = 64 * 1024 * 1024,
    CA_QUERY_PIECE_MAX = 1024 * 1024, /* of a streamed answer */
};

struct ca_viewer; /* ca/viewer.h */
struct overview_memory;

struct ca_query {
    struct store *store;
    const Ipc__Query *q;
    lt_time now;
    struct lt_arena *arena; /* of this question */
    const char *build;
    const struct ca_viewer *viewer;   /* NULL: root or the owner of the folder, by the socket: sees all */
    const char *evidence_folder;      /* of segments; NULL: there is none */
    const char *folder;               /* of the CA, for run/status.json; NULL: nobody knows */
    struct overview_memory *overview; /* incident/overview.h; NULL: nothing is remembered */
};

/* Adds one JSON document to out. LT_PEER_NOT_FOUND, LT_PEER_MALFORMED (cursor, filter), LT_PEER_UNSUPPORTED
 * (no such question), store failures. */
LT_MUST_USE lt_res ca_query_answer(const struct ca_query *query, struct lt_buf *out);

/* For the test that EXPLAINs every statement: all tables of this room's questions. */
struct ca_query_sql {
    const struct store_sql *rows;
    size_t count;
};
extern const struct ca_query_sql *const ca_query_statements[];
extern const size_t ca_query_statement_tables;

#endif
