#ifndef CMD_INIT_SQL_H
#define CMD_INIT_SQL_H
/* For the test that EXPLAINs every statement. */
#include "store/store.h"

extern const struct store_sql *const init_sql;
extern const size_t init_sql_count;
extern const struct store_sql *const restore_sql;
extern const size_t restore_sql_count;

#endif
