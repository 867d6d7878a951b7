/* lintel doctor: who does not answer the family, by its own word (run/status.json): perspectives, the
 * resolver, the mail relay. Where too few perspectives are left, nothing can be validated. */
#include <string.h>

#include "cmd/doctor.h"
#include "validate/perspective.h"

#define PERSPECTIVE "perspective "

static bool is_silent(const json_t *silent, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(silent, i, row)
    {
        const char *what = json_string_value(json_object_get(row, "what"));
        size_t len = what == NULL ? 0 : strlen(what);
        /* The board has the first 40 bytes of a name. */
        if (len > sizeof PERSPECTIVE - 1 && strncmp(what, PERSPECTIVE, sizeof PERSPECTIVE - 1) == 0 &&
            strncmp(what + sizeof PERSPECTIVE - 1, name, 40) == 0) {
            return true;
        }
    }
    return false;
}

static void count(struct doctor *d, const json_t *silent)
{
    struct validate_perspectives p;
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    struct validate_quorum q;
    if (lt_failed(validate_perspectives_load(d->dir, "perspectives", &p))) {
        return; /* said by another check */
    }
    for (size_t i = 0; i < p.count; i++) {
        votes[i] = (struct validate_vote){&p.list[i], !is_silent(silent, p.list[i].name)};
    }
    validate_quorum_count(votes, p.count, d->c->now, &q);
    if (p.count > 0 && !q.corroborated) {
        doctor_say(d, DOCTOR_BAD, "perspectives",
                   "%u of %u answer: too few, no name can be validated until they are back", q.agreeing,
                   q.asked);
    }
    validate_perspectives_done(&p);
}

void doctor_silence(struct doctor *d, const json_t *family)
{
    const json_t *silent = json_object_get(family, "silent");
    size_t i;
    json_t *row;
    json_array_foreach(silent, i, row)
    {
        const char *what = json_string_value(json_object_get(row, "what"));
        const char *since = json_string_value(json_object_get(row, "since"));
        if (what == NULL || since == NULL) {
            continue;
        }
        bool view = strncmp(what, PERSPECTIVE, sizeof PERSPECTIVE - 1) == 0;
        bool relay = strcmp(what, "mail relay") == 0;
        doctor_say(d, view ? DOCTOR_WARN : DOCTOR_BAD, "outside", "%s: no answer since %s%s", what, since,
                   view    ? ""
                   : relay ? "; letters wait"
                           : "; no name can be looked up");
    }
    count(d, silent);
}
