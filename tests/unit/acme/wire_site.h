#ifndef TESTS_UNIT_ACME_WIRE_SITE_H
#define TESTS_UNIT_ACME_WIRE_SITE_H
/* The site that the wire tests speak for, and how a failure becomes a problem type. */
#include "acme/wire.h"

#define BASE "https://ca.example"

static const struct wire_profile test_profiles[] = {{"tls-server", "90 days"}};
static const char *const test_caa[] = {"ca.example"};
static const struct wire_site test_site = {
    .base_url = BASE,
    .terms_of_service = BASE "/terms",
    .website = "https://www.ca.example",
    .caa_identities = test_caa,
    .caa_identity_count = 1,
    .profiles = test_profiles,
    .profile_count = 1,
};

static inline const char *problem_type(struct wire_reader *r, lt_res failure)
{
    return lt_failed(failure) ? wire_problem_of(r, failure)->type : "";
}

#endif
