#ifndef INCIDENT_WATCH_PRIVATE_H
#define INCIDENT_WATCH_PRIVATE_H
/* What the files of triggers that walk certificates share. Private to incident/watch*.c. */
#include "incident/watch.h"

/* A certificate of a page, copied: rules ask more while the page is read. */
struct watch_seen {
    int64_t issuer;
    lt_slice serial;
    const char *rule;
    const char *result;
};

/* A place that ends with a serial number: "7 12 0a1b"; the first may be a word. */
LT_MUST_USE lt_res watch_place_serial(struct watch_look *look, char word[100], int64_t *ret_number,
                                      lt_slice *ret_serial);
void watch_place_serial_write(struct watch_look *look, const char *word, const struct watch_seen *last);

#endif
