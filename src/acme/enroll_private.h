#ifndef ACME_ENROLL_PRIVATE_H
#define ACME_ENROLL_PRIVATE_H
/* Between the files of enrolment. */
#include "acme/desk_private.h"
#include "acme/enroll.h"

/* What was asked for names: borrowed from the request. */
struct acme_by_hand {
    Ipc__EnrollMethod *const *methods;
    size_t count;
};

#endif
