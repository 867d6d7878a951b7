#ifndef INCIDENT_PACK_PRIVATE_H
#define INCIDENT_PACK_PRIVATE_H
/* Between the files of the auditor's folder: pack_files.c says what is in it, pack.c writes it. */
#include "incident/pack.h"

/* Of incident_pack_sql; from PACK_SQL_FIRST on one for each of pack_files. */
enum {
    PACK_SQL_EVENT,
    PACK_SQL_LAST,
    PACK_SQL_SEED,
    PACK_SQL_DRAWN,
    PACK_SQL_CERTIFICATES,
    PACK_SQL_EVIDENCE,
    PACK_SQL_FIRST
};
enum { PACK_COLUMNS_MAX = 17, PACK_SAMPLE_COLUMNS = 16, PACK_EVIDENCE_COLUMNS = 14 };

enum pack_kind { PACK_TEXT, PACK_NUMBER, PACK_TIME, PACK_HEX, PACK_TRUTH };
struct pack_column {
    const char *name;
    enum pack_kind kind;
};
struct pack_file {
    const char *name;
    const char *what;
    const char *event; /* kind of the one that made a row */
    struct pack_column columns[PACK_COLUMNS_MAX];
};
extern const struct pack_file pack_files[];
extern const size_t pack_file_count;
extern const struct pack_column pack_sample_columns[PACK_SAMPLE_COLUMNS];
extern const struct pack_column pack_evidence_columns[PACK_EVIDENCE_COLUMNS];

#endif
