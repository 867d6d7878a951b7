#ifndef INCIDENT_REPORT_WRITE_INTERNAL_H
#define INCIDENT_REPORT_WRITE_INTERNAL_H
/* Between the files that write reports. */
#include "base/arena.h"
#include "incident/report_write.h"

struct report_writer {
    const struct incident_writing *w;
    struct lt_arena *arena;
    struct lt_buf *out;
    struct incident_sections *sections;
    const json_t *incident;
    bool delayed;
};

/* What a person wrote for it; "": nothing. *ret_row: the section's row, or NULL. */
const char *report_text(const struct report_writer *r, const char *id, const json_t **ret_row);
/* "- **words:** text", or the mark that somebody has to write it. computed: what the book says; "" nothing.
 */
void report_field(struct report_writer *r, const char *id, const char *computed);
void report_timeline(struct report_writer *r);
void report_related(struct report_writer *r);
void report_causes(struct report_writer *r);
void report_lessons(struct report_writer *r);
void report_actions(struct report_writer *r);
/* When the rest is expected to be revoked or expired; .us 0: not known. */
lt_time report_expected(const struct report_writer *r);
int64_t report_total(const struct report_writer *r);

#endif
