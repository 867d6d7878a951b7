/* The questions of this area. */
#include "incident/ask.h"

const struct incident_questions incident_questions_problem = {NULL, 0, NULL};
