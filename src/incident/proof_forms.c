/* The paths of this area, and what its changes take. */
#include "incident/form.h"

enum { ADDRESS = 254 };

static const struct incident_field prove[] = {
    {"proofs", INCIDENT_PROOF, true, 0},
    {"problem", INCIDENT_NUMBER, false, INT64_MAX},
    {"filer", INCIDENT_TEXT, false, ADDRESS},
    {"received", INCIDENT_TIME, false, 0},
};

static const struct incident_form forms[] = {
    {{"POST", "proofs", "proof.prove", CA_API_CALL}, prove, sizeof prove / sizeof prove[0]},
    {{"POST", "proofs/nonce", "proof.nonce", CA_API_CALL}, NULL, 0},
    {{"GET", "proofs", "proof.list", CA_API_QUERY}, NULL, 0},
    {{"GET", "keys/{id}", "key.check", CA_API_QUERY}, NULL, 0},
};
const struct incident_forms incident_forms_proof = {forms, sizeof forms / sizeof forms[0]};
