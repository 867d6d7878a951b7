#ifndef STORE_PQ_H
#define STORE_PQ_H
/* libpq, loaded when a book lies in PostgreSQL and not before: it drags a dozen libraries along that no
 * program on SQLite should have mapped. */
#include <libpq-fe.h>

#include "base/result.h"

/* X(name): what of libpq is used, each a member of struct pq of the same type as the function. */
#define PQ_FUNCTIONS(X)    \
    X(PQconnectdbParams)   \
    X(PQfinish)            \
    X(PQstatus)            \
    X(PQerrorMessage)      \
    X(PQserverVersion)     \
    X(PQexec)              \
    X(PQexecParams)        \
    X(PQexecPrepared)      \
    X(PQprepare)           \
    X(PQsendQueryParams)   \
    X(PQsendQueryPrepared) \
    X(PQenterPipelineMode) \
    X(PQexitPipelineMode)  \
    X(PQpipelineSync)      \
    X(PQgetResult)         \
    X(PQconsumeInput)      \
    X(PQresultStatus)      \
    X(PQresultErrorField)  \
    X(PQcmdStatus)         \
    X(PQcmdTuples)         \
    X(PQclear)             \
    X(PQntuples)           \
    X(PQnfields)           \
    X(PQftype)             \
    X(PQgetisnull)         \
    X(PQgetlength)         \
    X(PQgetvalue)          \
    X(PQputCopyData)       \
    X(PQputCopyEnd)        \
    X(PQsetNoticeReceiver)

#define PQ_MEMBER(name_) __typeof__(name_) *name_;
struct pq {
    PQ_FUNCTIONS(PQ_MEMBER)
};

/* Loaded once for the process, which then keeps it. */
LT_MUST_USE lt_res pq_load(const struct pq **ret_pq);

#endif
