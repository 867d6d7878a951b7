/* States of a problem report. Waiting for somebody is a state, so that everybody sees for whom; none of them
 * stops a clock, and none of them keeps findings from being given. */
#include <string.h>

#include "incident/problem_private.h"

const struct incident_problem_edge incident_problem_edges[] = {
    {"received", "read", "open", "it was taken apart"},
    {"received", "unreadable", "open", "it could not be taken apart: a person reads it"},
    {"received", "close", "closed",
     "it is no report: our own probe, a letter that came back, a word in a thread"},
    {"received", "find", "answered", "findings are given before it was read"},
    {"open", "wait-reporter", "waiting-reporter", "the reporter was asked something"},
    {"open", "wait-requester", "waiting-requester", "the subscriber was asked something"},
    {"open", "wait-provider", "waiting-provider", "a provider, a network or a host was asked something"},
    {"open", "find", "answered", "findings were given to both sides"},
    {"open", "close", "closed", "it is done with"},
    {"waiting-reporter", "word", "open", "somebody answered"},
    {"waiting-requester", "word", "open", "somebody answered"},
    {"waiting-provider", "word", "open", "somebody answered"},
    {"waiting-reporter", "wait-requester", "waiting-requester", "another one was asked"},
    {"waiting-reporter", "wait-provider", "waiting-provider", "another one was asked"},
    {"waiting-requester", "wait-reporter", "waiting-reporter", "another one was asked"},
    {"waiting-requester", "wait-provider", "waiting-provider", "another one was asked"},
    {"waiting-provider", "wait-reporter", "waiting-reporter", "another one was asked"},
    {"waiting-provider", "wait-requester", "waiting-requester", "another one was asked"},
    {"waiting-reporter", "find", "answered", "the clock does not wait: findings are given as they are"},
    {"waiting-requester", "find", "answered", "the clock does not wait: findings are given as they are"},
    {"waiting-provider", "find", "answered", "the clock does not wait: findings are given as they are"},
    {"waiting-reporter", "close", "closed", "it is done with"},
    {"waiting-requester", "close", "closed", "it is done with"},
    {"waiting-provider", "close", "closed", "it is done with"},
    {"answered", "word", "open", "somebody wrote after the findings"},
    {"answered", "find", "answered", "findings are given once more"},
    {"answered", "wait-reporter", "waiting-reporter", "the reporter was asked something"},
    {"answered", "wait-requester", "waiting-requester", "the subscriber was asked something"},
    {"answered", "wait-provider", "waiting-provider", "a provider was asked something"},
    {"answered", "close", "closed", "it is done with"},
    {"closed", "word", "open", "somebody wrote after the end"},
    {"closed", "reopen", "open", "somebody looks at it again"},
};
const size_t incident_problem_edge_count = LT_COUNT(incident_problem_edges);

const char *incident_problem_next(const char *from, const char *event)
{
    for (size_t i = 0; i < incident_problem_edge_count; i++) {
        if (strcmp(incident_problem_edges[i].from, from) == 0 &&
            strcmp(incident_problem_edges[i].event, event) == 0) {
            return incident_problem_edges[i].to;
        }
    }
    return NULL;
}
