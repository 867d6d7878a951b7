#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H
/* A book in PostgreSQL: store_options.path is postgresql://…, libpq's own form. */
#include "store/store.h"

LT_MUST_USE lt_res store_postgres_open(const struct store_options *options, struct store **ret_store);

#endif
