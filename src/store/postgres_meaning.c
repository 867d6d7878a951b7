/* What each of PostgreSQL's failures means to us: SQLSTATE classes and codes in one table. */
#include <string.h>

#include "store/postgres_internal.h"

/* First match wins; whole codes stand before their class. */
static const struct {
    const char *state;
    int code;
    const char *what;
} meanings[] = {
    {"23505", LT_PEER_CONFLICT, "already there"},
    {"23", LT_STATE_CORRUPT, "a constraint of the schema is broken"},
    {"40", LT_RETRY_BUSY, "another was in the way"},
    {"55P03", LT_RETRY_BUSY, "another holds the book"},
    {"53", LT_RETRY_UNAVAILABLE, "the server has run out of something"},
    {"57014", LT_RETRY_TIMEOUT, "it took too long"},
    {"57", LT_STATE_CLOSED, "the server ended the connection"},
    {"25P03", LT_STATE_CLOSED, "the transaction stood still too long"},
    {"25P02", LT_RETRY_UNAVAILABLE, "the transaction was rolled back before"},
    {"25006", LT_STATE_IO, "the book is read-only here"},
    {"08", LT_STATE_CLOSED, "the connection is gone"},
    {"28", LT_STATE_IO, "no right to the book"},
    {"42501", LT_STATE_IO, "no right to the book"},
    {"42804", LT_STATE_CORRUPT, "a value of another type"},
    {"22021", LT_PEER_MALFORMED, "text that is no UTF-8"},
    {"22P03", LT_STATE_CORRUPT, "a value of another type"},
    {"3D000", LT_STATE_IO, "there is no such database"},
    {"54", LT_PEER_TOO_LARGE, "too large for the book"},
    {"XX001", LT_STATE_CORRUPT, "the book is damaged"},
    {"XX002", LT_STATE_CORRUPT, "the book is damaged"},
};

/* libpq's words are several lines, and the first says it. */
static int first_line(const char *text)
{
    return (int)strcspn(text, "\n");
}

lt_res postgres_fail(struct postgres *s, const PGresult *result, const char *doing)
{
    const char *state = result == NULL ? NULL : s->pq->PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words = result == NULL ? NULL : s->pq->PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    words = words != NULL ? words : s->pq->PQerrorMessage(s->connection);
    s->broken = s->broken || s->begun;
    if (s->pq->PQstatus(s->connection) != CONNECTION_OK) {
        s->gone = true;
        LT_FAIL(LT_STATE_CLOSED, "%s: the connection to the book is gone (%.*s)", doing, first_line(words),
                words);
    }
    for (size_t i = 0; state != NULL && i < LT_COUNT(meanings); i++) {
        if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0) {
            s->gone = s->gone || meanings[i].code == LT_STATE_CLOSED;
            LT_FAIL(meanings[i].code, "%s: %s (%.*s, %s)", doing, meanings[i].what, first_line(words), words,
                    state);
        }
    }
    LT_FAIL(LT_STATE_IO, "%s: %.*s (%s)", doing, first_line(words), words, state == NULL ? "-" : state);
}
