/* The paths of this area, and what its changes take. */
#include "incident/form.h"

const struct incident_forms incident_forms_notice = {NULL, 0};
