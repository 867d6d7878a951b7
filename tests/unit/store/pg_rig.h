#ifndef TESTS_PG_RIG_H
#define TESTS_PG_RIG_H
/* A real PostgreSQL server for one test program: a cluster of its own in a temporary folder, reached by a
 * UNIX socket, and a database for each test. */
#include <stdbool.h>

/* False when no server is installed: the tests skip, and CI says so by name. */
bool pg_rig_start(void);
void pg_rig_stop(void);
/* A fresh database; the text lives until the next call. more: appended to the URL, such as "&port=5433". */
const char *pg_rig_database(void);
/* The folder of the socket. */
const char *pg_rig_folder(void);
/* Runs SQL as the superuser in the database of the last pg_rig_database; 0 on success. */
int pg_rig_sql(const char *sql);

#endif
