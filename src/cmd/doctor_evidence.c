/* Is the evidence there that the book names? Lengths alone; audit verify reads it all. */
#include <stdio.h>
#include <sys/stat.h>

#include "ca/audit.h"
#include "cmd/doctor.h"

enum { PATH_SIZE = 1024 };

static void found(void *self, const char *what, const char *subject, const char *detail)
{
    doctor_say(self, DOCTOR_BAD, what, "evidence/%s: %s; put the folder back from a copy", subject, detail);
}

void doctor_evidence(struct doctor *d)
{
    const char *book = NULL;
    const char *host = NULL;
    char folder[PATH_SIZE];
    struct stat st;
    (void)snprintf(folder, sizeof folder, "%.900s/evidence", d->folder);
    struct ca_audit a = {.self = d, .found = found, .evidence_folder = folder};
    if (lt_failed(cmd_book(d->c, d->folder, &book)) || (!store_is_postgres(book) && stat(book, &st) != 0)) {
        return; /* whoever looks at the book says so */
    }
    const struct store_options o = {.path = book, .read_only = true};
    lt_res r = store_open(&o, &a.store);
    r = lt_failed(r) ? r : cmd_host(d->c, d->folder, &host);
    r = lt_failed(r) ? r : ca_host_find(a.store, host, &a.host);
    r = lt_failed(r) ? r : ca_audit_segments(&a);
    if (lt_failed(r)) {
        doctor_say(d, DOCTOR_NOTE, "evidence", "cannot be held against the book: %s",
                   lt_error_last()->detail);
    } else if (a.counts.findings == 0) {
        doctor_say(d, DOCTOR_OK, "evidence", "%llu segments, as long as the book says",
                   (unsigned long long)a.counts.segments);
    }
    store_close(a.store);
}
