#ifndef LINT_RULES_SMIME_H
#define LINT_RULES_SMIME_H
/* Private to lint/rules/: types and generations of S/MIME certificates, and their subjects. */
#include "lint/rules/common.h"

enum { LINT_SMIME_TYPES = 4, LINT_SMIME_GENERATIONS = 3 };

struct lint_smime_profile {
    size_t type;       /* 0 mailbox, 1 organization, 2 sponsor, 3 individual */
    size_t generation; /* 0 legacy, 1 multipurpose, 2 strict */
    const char *name;  /* "mailbox-validated strict" */
};
/* Of a certificate that is LINT_IS_SMIME; with more than one policy the first in that order. */
struct lint_smime_profile lint_smime_profile(const struct lint_subject *s);

enum { LINT_SUBJECT_ATTRIBUTES_MAX = 32 };
/* The subject, then the directoryNames of subjectAltName: struct lint_subjects it = {0}; while
 * (lint_subjects_next(s, &it)) … */
struct lint_subjects {
    size_t next; /* 0: the subject; n: directoryNames from the nth general name on */
    const struct x509_attribute *list;
    size_t count;
    lt_slice der;
    struct x509_attribute buffer[LINT_SUBJECT_ATTRIBUTES_MAX];
};
bool lint_subjects_next(const struct lint_subject *s, struct lint_subjects *it);

/* Is it there as a rfc822Name or a SmtpUTF8Mailbox? */
bool lint_san_has_mail(const struct lint_subject *s, lt_slice address);

/* For subscribers and CAs: policy qualifiers (7.1.2.2 a, 7.1.2.3 a), the signature's algorithm (7.1.3.2). */
lint_check lint_smime_qualifiers;
lint_check lint_smime_signature_algorithm;

#endif
