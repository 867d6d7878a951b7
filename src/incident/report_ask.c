/* The questions of this area. */
#include "incident/ask.h"

const struct incident_questions incident_questions_report = {NULL, 0, NULL};
