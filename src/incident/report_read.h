#ifndef INCIDENT_REPORT_READ_H
#define INCIDENT_REPORT_READ_H
/* An incident report in Markdown taken apart, anyone's: headings, fields, tables, lists, line by line. Knows
 * what Markdown of the CCADB's templates looks like, and nothing of what must stand in it (report_check.h).
 * Pure; everything borrowed from the text.
 *
 * Refuses: what is no UTF-8, has NUL bytes, or is over the limits. */
#include "base/arena.h"

enum {
    REPORT_TEXT_MAX = 8 * 1024 * 1024, /* of a report without its appendix files */
    REPORT_LINES_MAX = 100000,
    REPORT_CELLS_MAX = 16,
};

enum report_item_kind {
    REPORT_HEADING, /* label: its words */
    REPORT_FIELD,   /* "- **label:** value" */
    REPORT_FACTOR,  /* "**Contributing Factor #1: title**": label the number, value the title */
    REPORT_ROW,     /* of a table: value is the line */
    REPORT_BULLET,  /* value: behind the mark */
    REPORT_LINE,    /* other text */
};

struct report_item {
    enum report_item_kind kind;
    size_t line;   /* from 1 */
    size_t indent; /* of a field, a bullet: spaces before the mark */
    int level;     /* of a heading: how many "#" */
    bool loose;    /* a field whose colon stands outside of the bold words */
    lt_slice label;
    lt_slice value; /* on its line */
    lt_slice whole; /* of a field: all up to the next field, factor or heading, trimmed */
};

struct report_doc {
    lt_slice text;
    struct report_item *items; /* in the arena */
    size_t count;
};

LT_MUST_USE lt_res report_read(lt_slice text, struct lt_arena *a, struct report_doc *ret_doc);
/* Cells of a table's row, trimmed; escaped bars stay as they are. */
size_t report_cells(lt_slice row, lt_slice cells[REPORT_CELLS_MAX]);
/* "| --- | --- |" */
bool report_row_is_rule(lt_slice row);
lt_slice report_trim(lt_slice s);
/* Without "**", "_", "`" at both ends. */
lt_slice report_plain(lt_slice s);
/* Text that says nothing: empty, "N/A", "None", "-". */
bool report_is_na(lt_slice s);
bool report_is_utf8(lt_slice s);
/* ASCII without case. needle: in lower case. */
bool report_has(lt_slice s, const char *needle);
/* The same as whole words: no letter before or behind. */
bool report_has_word(lt_slice s, const char *needle);

#endif
