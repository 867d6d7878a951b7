/* lintel doctor, and status: what somebody had to do by now and has not done, as the book counts it. */
#include "cmd/doctor.h"

const struct cmd_lapse cmd_lapses[] = {
    {"alarms_unanswered", "ALARMS", "alarms go on, nobody has said that they have them", "lintel oncall show",
     DOCTOR_BAD},
    {"findings_due_soon", "PROBLEMS", "reports whose findings are due within 4 hours, or late",
     "lintel problem list", DOCTOR_WARN},
    {"promises_lapsed", "PROMISES", "promises have lapsed", "lintel action list --status lapsed", DOCTOR_BAD},
    {"controls_lapsed", "CONTROLS", "reviews or controls have lapsed", "lintel control list", DOCTOR_BAD},
};
const size_t cmd_lapse_count = LT_COUNT(cmd_lapses);

void doctor_lapsed(struct doctor *d)
{
    LT_CLEANUP(cmd_json_freep) json_t *book = NULL;
    size_t said = 0;
    if (cmd_folder_pid(d->folder) == 0 || lt_failed(cmd_api_get(d->c, "status", &book))) {
        return; /* that nobody answers is said by another check */
    }
    long long missed = (long long)(cmd_int(book, "clocks_breached") + cmd_int(book, "clocks_overdue"));
    if (missed > 0) {
        doctor_say(d, DOCTOR_BAD, "clocks", "%lld were missed: lintel clock list", missed);
        said++;
    }
    for (size_t i = 0; i < cmd_lapse_count; i++) {
        const struct cmd_lapse *l = &cmd_lapses[i];
        if (cmd_int(book, l->member) > 0) {
            doctor_say(d, l->level, "desk", "%lld %s: %s", (long long)cmd_int(book, l->member), l->words,
                       l->verb);
            said++;
        }
    }
    if (said == 0) {
        doctor_say(d, DOCTOR_OK, "desk", "no clock was missed, nothing that was promised has lapsed");
    }
}
