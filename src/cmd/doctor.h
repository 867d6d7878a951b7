#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H
/* lintel doctor, inside: findings, and the groups of checks that make them. A check that cannot be made is a
 * finding too; nothing here changes anything. */
#include "ca/config.h"
#include "cmd/api.h"

enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARN, DOCTOR_BAD };

struct doctor_finding {
    enum doctor_level level;
    const char *what; /* "passphrase" */
    const char *text; /* what is so, where, and what to do */
};

enum { DOCTOR_FINDINGS_MAX = 256 };

struct doctor {
    struct cmd *c;
    const char *folder;
    int dir;                  /* of the folder */
    struct ca_config *config; /* owned; NULL when it does not load */
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    size_t count;
};

void doctor_say(struct doctor *d, enum doctor_level level, const char *what, const char *format, ...)
    LT_PRINTF(4, 5);

/* doctor_files.c */
void doctor_secrets(struct doctor *d);
void doctor_owners(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_issuers(struct doctor *d);
/* doctor_crls.c */
void doctor_crls(struct doctor *d);
/* doctor_ocsp.c */
void doctor_ocsp(struct doctor *d);
/* testing.c */
void doctor_testing(struct doctor *d);
/* doctor_evidence.c */
void doctor_evidence(struct doctor *d);
/* doctor_machine.c */
void doctor_listeners(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_family(struct doctor *d);
void doctor_people(struct doctor *d);
/* doctor_silence.c */
/* Whom the running family needs out there and who does not answer. */
void doctor_silence(struct doctor *d, const json_t *family);
/* doctor_caps.c */
void doctor_caps(struct doctor *d);
/* doctor_lapsed.c */
/* What the book's status counts of things that somebody had to do. */
struct cmd_lapse {
    const char *member; /* of the status */
    const char *head;   /* of its line in lintel status */
    const char *words;
    const char *verb;
    enum doctor_level level;
};
extern const struct cmd_lapse cmd_lapses[];
extern const size_t cmd_lapse_count;
void doctor_lapsed(struct doctor *d);
/* doctor_perspectives.c */
void doctor_perspectives(struct doctor *d);

#endif
