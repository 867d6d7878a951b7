/* Causes of revocation with their clocks, one row each. A change of the rules is a row here with its date,
 * never an edit of an old row. */
#include "ca/reasons.h"

#include "ca/revoke.h"

enum { DAY = 86400 };

/* The entries of the table of CRLReasons bind since then; the clocks are older. */
#define REASONS_BIND "2023-07-15T00:00:00Z"
#define SMIME_BINDS "2023-09-01T00:00:00Z"
/* Five days are allowed since then; before that everything had 24 hours, and no row here. */
#define FIVE_ALLOWED "2018-10-14T00:00:00Z"
/* A check of CAA that went wrong is an unreliable validation since then (ballot SC-095); before that it was a
 * certificate not issued as the requirements say. */
#define CAA_COUNTS "2026-03-31T00:00:00Z"

/* Within 24 hours, by name and reason. */
#define AT_ONCE(name_, section_, words_, reason_)                         \
    {                                                                     \
        name_, "tls", section_, words_, 0, DAY, reason_, REASONS_BIND, "" \
    }
/* As it was before the reasons bound; the reason is the one that binds now. */
#define BEFORE(name_, words_, should_, must_, reason_)                                               \
    {                                                                                                \
        name_, "tls", "CABF-BR 4.9.1.1", words_, should_, must_, reason_, FIVE_ALLOWED, REASONS_BIND \
    }
/* 24 hours are aimed at, five days are the end. */
#define FIVE_DAYS(name_, section_, words_, reason_)                             \
    {                                                                           \
        name_, "tls", section_, words_, DAY, 5 * DAY, reason_, REASONS_BIND, "" \
    }
#define SMIME(name_, section_, words_, should_, must_)                                           \
    {                                                                                            \
        name_, "smime", section_, words_, should_, must_, CA_REASON_UNSPECIFIED, SMIME_BINDS, "" \
    }
#define OF_CA(name_, words_, reason_)                                                 \
    {                                                                                 \
        name_, "ca", "CABF-BR 4.9.1.2", words_, 0, 7 * DAY, reason_, REASONS_BIND, "" \
    }

const struct ca_cause ca_causes[] = {
    /*= CABF-BR 4.9.1.1 "the CA SHALL revoke a Certificate within 24 hours and use the corresponding CRLReason
     *  (see Section 7.2.2) if one or more of the following occurs:" */
    AT_ONCE("subscriber-asks", "CABF-BR 4.9.1.1 (1)", "the subscriber asks in writing and gives no reason",
            CA_REASON_UNSPECIFIED),
    AT_ONCE("not-authorized", "CABF-BR 4.9.1.1 (2)", "the request was not authorized and is not ratified",
            CA_REASON_PRIVILEGE_WITHDRAWN),
    AT_ONCE("key-compromise", "CABF-BR 4.9.1.1 (3)", "the private key is compromised",
            CA_REASON_KEY_COMPROMISE),
    AT_ONCE("key-computable", "CABF-BR 4.9.1.1 (4)", "a method easily computes the private key",
            CA_REASON_KEY_COMPROMISE),
    {"validation-unreliable", "tls", "CABF-BR 4.9.1.1 (5)",
     "the validation of a name should not be relied upon", 0, DAY, CA_REASON_SUPERSEDED, REASONS_BIND,
     CAA_COUNTS},
    {"validation-unreliable", "tls", "CABF-BR 4.9.1.1 (5)",
     "the validation of a name or the check of CAA should not be relied upon", 0, DAY, CA_REASON_SUPERSEDED,
     CAA_COUNTS, ""},
    {"caa-unreliable", "tls", "CABF-BR 4.9.1.1", "the CAA records were not checked as the requirements say",
     DAY, 5 * DAY, CA_REASON_SUPERSEDED, FIVE_ALLOWED, REASONS_BIND},
    {"caa-unreliable", "tls", "CABF-BR 4.9.1.1 (12)",
     "the CAA records were not checked as the requirements say", DAY, 5 * DAY, CA_REASON_SUPERSEDED,
     REASONS_BIND, CAA_COUNTS},
    {"caa-unreliable", "tls", "CABF-BR 4.9.1.1 (5)",
     "CAA records were not checked correctly, or forbade the issuance", 0, DAY, CA_REASON_SUPERSEDED,
     CAA_COUNTS, ""},
    /*= CABF-BR 4.9.1.1 "the CA SHOULD revoke a certificate within 24 hours and MUST revoke a Certificate
     *  within 5 days and use the corresponding CRLReason (see Section 7.2.2) if one or more of the following
     *  occurs:" */
    FIVE_DAYS("key-parameters", "CABF-BR 4.9.1.1 (6)", "size or parameters of the key are not allowed",
              CA_REASON_SUPERSEDED),
    FIVE_DAYS("misuse", "CABF-BR 4.9.1.1 (7)", "the certificate was misused", CA_REASON_PRIVILEGE_WITHDRAWN),
    FIVE_DAYS("obligations-broken", "CABF-BR 4.9.1.1 (8)", "the subscriber broke a material obligation",
              CA_REASON_PRIVILEGE_WITHDRAWN),
    FIVE_DAYS("name-not-permitted", "CABF-BR 4.9.1.1 (9)", "a name or address may not be used any more",
              CA_REASON_CESSATION),
    FIVE_DAYS("misleading-wildcard", "CABF-BR 4.9.1.1 (10)", "a wildcard stood for a misleading name",
              CA_REASON_PRIVILEGE_WITHDRAWN),
    FIVE_DAYS("information-changed", "CABF-BR 4.9.1.1 (11)", "what the certificate says has changed",
              CA_REASON_PRIVILEGE_WITHDRAWN),
    FIVE_DAYS("not-issued-per-rules", "CABF-BR 4.9.1.1 (12)",
              "it was not issued as the requirements, the CP or the CPS say", CA_REASON_SUPERSEDED),
    FIVE_DAYS("information-inaccurate", "CABF-BR 4.9.1.1 (13)", "what the certificate says is not so",
              CA_REASON_PRIVILEGE_WITHDRAWN),
    FIVE_DAYS("right-to-issue-ended", "CABF-BR 4.9.1.1 (14)", "the CA may not issue any more",
              CA_REASON_UNSPECIFIED),
    FIVE_DAYS("own-policy", "CABF-BR 4.9.1.1 (15)", "the CP or CPS wants it, and nothing else here fits",
              CA_REASON_UNSPECIFIED),
    FIVE_DAYS("key-generation-flawed", "CABF-BR 4.9.1.1 (16)",
              "the way in which the key was made is flawed or exposes it", CA_REASON_KEY_COMPROMISE),
    BEFORE("subscriber-asks", "the subscriber asks in writing", 0, DAY, CA_REASON_UNSPECIFIED),
    BEFORE("not-authorized", "the request was not authorized and is not ratified", 0, DAY,
           CA_REASON_PRIVILEGE_WITHDRAWN),
    BEFORE("key-compromise", "the private key is compromised", 0, DAY, CA_REASON_KEY_COMPROMISE),
    BEFORE("validation-unreliable", "the validation of a name should not be relied upon", 0, DAY,
           CA_REASON_SUPERSEDED),
    BEFORE("key-parameters", "size or parameters of the key are not allowed", DAY, 5 * DAY,
           CA_REASON_SUPERSEDED),
    BEFORE("misuse", "the certificate was misused", DAY, 5 * DAY, CA_REASON_PRIVILEGE_WITHDRAWN),
    BEFORE("obligations-broken", "the subscriber broke a material obligation", DAY, 5 * DAY,
           CA_REASON_PRIVILEGE_WITHDRAWN),
    BEFORE("name-not-permitted", "a name or address may not be used any more", DAY, 5 * DAY,
           CA_REASON_CESSATION),
    BEFORE("misleading-wildcard", "a wildcard stood for a misleading name", DAY, 5 * DAY,
           CA_REASON_PRIVILEGE_WITHDRAWN),
    BEFORE("information-changed", "what the certificate says has changed", DAY, 5 * DAY,
           CA_REASON_PRIVILEGE_WITHDRAWN),
    BEFORE("not-issued-per-rules", "it was not issued as the requirements, the CP or the CPS say", DAY,
           5 * DAY, CA_REASON_SUPERSEDED),
    BEFORE("information-inaccurate", "what the certificate says is not so", DAY, 5 * DAY,
           CA_REASON_PRIVILEGE_WITHDRAWN),
    BEFORE("right-to-issue-ended", "the CA may not issue any more", DAY, 5 * DAY, CA_REASON_UNSPECIFIED),
    BEFORE("own-policy", "the CP or CPS wants it", DAY, 5 * DAY, CA_REASON_UNSPECIFIED),
    BEFORE("key-generation-flawed", "the way in which the key was made is flawed or exposes it", DAY, 5 * DAY,
           CA_REASON_KEY_COMPROMISE),
    /* S/MIME names no reasons, and knows no short-lived certificates. */
    SMIME("subscriber-asks", "CABF-SBR 4.9.1.1 (1)", "the subscriber asks in writing", 0, DAY),
    SMIME("not-authorized", "CABF-SBR 4.9.1.1 (2)", "the request was not authorized", 0, DAY),
    SMIME("key-compromise", "CABF-SBR 4.9.1.1 (3)", "the private key is compromised", 0, DAY),
    SMIME("key-computable", "CABF-SBR 4.9.1.1 (4)", "a method easily computes the private key", 0, DAY),
    SMIME("validation-unreliable", "CABF-SBR 4.9.1.1 (5)",
          "the validation of a domain or mailbox should not be relied upon", 0, DAY),
    SMIME("key-parameters", "CABF-SBR 4.9.1.1 (6)", "size or parameters of the key are not allowed", DAY,
          5 * DAY),
    SMIME("misuse", "CABF-SBR 4.9.1.1 (7)", "the certificate was misused", DAY, 5 * DAY),
    SMIME("obligations-broken", "CABF-SBR 4.9.1.1 (8)", "the subscriber broke a material obligation", DAY,
          5 * DAY),
    SMIME("name-not-permitted", "CABF-SBR 4.9.1.1 (9)",
          "a mailbox or domain may not be used any more, or its service has ended", DAY, 5 * DAY),
    SMIME("information-changed", "CABF-SBR 4.9.1.1 (10)", "what the certificate says has changed", DAY,
          5 * DAY),
    SMIME("not-issued-per-rules", "CABF-SBR 4.9.1.1 (11)",
          "it was not issued as the requirements, the CP or the CPS say", DAY, 5 * DAY),
    SMIME("information-inaccurate", "CABF-SBR 4.9.1.1 (12)", "what the certificate says is not so", DAY,
          5 * DAY),
    SMIME("right-to-issue-ended", "CABF-SBR 4.9.1.1 (13)", "the CA may not issue any more", DAY, 5 * DAY),
    SMIME("own-policy", "CABF-SBR 4.9.1.1 (14)", "the CP or CPS wants it, and nothing else here fits", DAY,
          5 * DAY),
    SMIME("key-generation-flawed", "CABF-SBR 4.9.1.1 (15)",
          "the way in which the key was made is flawed or exposes it", DAY, 5 * DAY),
    OF_CA("subscriber-asks", "a subordinate CA asks in writing", CA_REASON_CESSATION),
    OF_CA("not-authorized", "the request of a subordinate CA was not authorized",
          CA_REASON_PRIVILEGE_WITHDRAWN),
    OF_CA("key-compromise", "the key of a subordinate CA is compromised", CA_REASON_CA_COMPROMISE),
    OF_CA("key-parameters", "size or parameters of a subordinate CA's key are not allowed",
          CA_REASON_CA_COMPROMISE),
    OF_CA("misuse", "the certificate of a subordinate CA was misused", CA_REASON_PRIVILEGE_WITHDRAWN),
    OF_CA("not-issued-per-rules", "a subordinate CA does not keep to its documents",
          CA_REASON_PRIVILEGE_WITHDRAWN),
    OF_CA("information-inaccurate", "what the certificate of a subordinate CA says is not so",
          CA_REASON_PRIVILEGE_WITHDRAWN),
    OF_CA("right-to-issue-ended", "a subordinate CA ended its work or may not issue", CA_REASON_CESSATION),
    OF_CA("own-policy", "the CP or CPS wants a subordinate CA revoked", CA_REASON_PRIVILEGE_WITHDRAWN),
};
const size_t ca_cause_count = LT_COUNT(ca_causes);

/*= CABF-BR 7.2.2 "The privilegeWithdrawn reasonCode SHOULD NOT be made available to the Subscriber as a
 * revocation reason option" */
/* The table of 7.2.2 has these five; a CA's own certificates may have others, which no request reaches. */
static const struct {
    uint32_t reason;
    const char *name;
    bool by_subscriber;
    bool by_operator;
} reasons[] = {
    {CA_REASON_UNSPECIFIED, "unspecified", true, true},
    {CA_REASON_KEY_COMPROMISE, "keyCompromise", true, true},
    {CA_REASON_CA_COMPROMISE, "cACompromise", false, false},
    {CA_REASON_AFFILIATION_CHANGED, "affiliationChanged", true, true},
    {CA_REASON_SUPERSEDED, "superseded", true, true},
    {CA_REASON_CESSATION, "cessationOfOperation", true, true},
    {CA_REASON_HOLD, "certificateHold", false, false},
    {CA_REASON_REMOVE_FROM_CRL, "removeFromCRL", false, false},
    {CA_REASON_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn", false, true},
    {CA_REASON_AA_COMPROMISE, "aACompromise", false, false},
};

bool ca_reason_allowed(uint32_t reason, bool by_operator)
{
    for (size_t i = 0; i < LT_COUNT(reasons); i++) {
        if (reasons[i].reason == reason) {
            return by_operator ? reasons[i].by_operator : reasons[i].by_subscriber;
        }
    }
    return false;
}

const char *ca_reason_name(uint32_t reason)
{
    for (size_t i = 0; i < LT_COUNT(reasons); i++) {
        if (reasons[i].reason == reason) {
            return reasons[i].name;
        }
    }
    return "unknown";
}

/* A date of the table; "" is the edge given. A date that does not parse is a bug in the table. */
static int64_t row_time(const char *text, int64_t edge_us)
{
    lt_time t = {edge_us};
    if (text[0] != 0) {
        LT_ASSERT(!lt_failed(lt_time_parse(lt_slice_cstr(text), &t)));
    }
    return t.us;
}

const struct ca_cause *ca_cause_at(lt_slice name, const char *kind, lt_time when)
{
    for (size_t i = 0; i < ca_cause_count; i++) {
        const struct ca_cause *c = &ca_causes[i];
        if (lt_slice_eq_cstr(name, c->name) && lt_slice_eq(lt_slice_cstr(kind), lt_slice_cstr(c->kind)) &&
            row_time(c->from, INT64_MIN) <= when.us && when.us < row_time(c->until, INT64_MAX)) {
            return c;
        }
    }
    return NULL;
}

struct ca_clocks ca_cause_clocks(const struct ca_cause *cause, lt_time aware)
{
    struct ca_clocks clocks = {{0}, lt_time_add_seconds(aware, cause->must_s)};
    if (cause->should_s != 0) {
        clocks.should = lt_time_add_seconds(aware, cause->should_s);
    }
    return clocks;
}

const struct ca_cause *ca_cause_find(lt_slice text, lt_time when)
{
    for (size_t i = 0; i < ca_cause_count; i++) {
        size_t len = lt_slice_cstr(ca_causes[i].kind).len;
        if (lt_slice_starts(text, lt_slice_cstr(ca_causes[i].kind)) && text.len > len &&
            text.ptr[len] == '/') {
            return ca_cause_at(lt_slice_sub(text, len + 1, text.len), ca_causes[i].kind, when);
        }
    }
    return ca_cause_at(text, "tls", when);
}

const char *ca_cause_given(const char *cause, uint32_t reason)
{
    bool given = cause != NULL && cause[0] != '\0';
    return given ? cause : reason == CA_REASON_KEY_COMPROMISE ? "key-compromise" : "";
}

lt_res ca_cause_judge(const struct ca_why *why, uint32_t reason, lt_time now,
                      const struct ca_cause **ret_cause, struct ca_clocks *ret_clocks)
{
    lt_time aware = {why->aware_us == 0 ? now.us : why->aware_us};
    bool excused = why->late_because != NULL && why->late_because[0] != '\0';
    *ret_cause = NULL;
    *ret_clocks = (struct ca_clocks){{0}, {0}};
    LT_CHECK(aware.us <= now.us, LT_PEER_MALFORMED, "nobody knows of the future");
    bool given = why->cause != NULL && why->cause[0] != '\0';
    const char *text = ca_cause_given(why->cause, reason);
    const struct ca_cause *cause = ca_cause_find(lt_slice_cstr(text), aware);
    if (cause == NULL && !given) {
        return LT_OK;
    }
    LT_CHECK(cause != NULL, LT_PEER_MALFORMED, "there is no cause \"%.64s\"", text);
    LT_CHECK(cause->reason == reason, LT_PEER_MALFORMED, "the reason of %s is %s (%s)", cause->name,
             ca_reason_name(cause->reason), cause->section);
    *ret_cause = cause;
    *ret_clocks = ca_cause_clocks(cause, aware);
    /*= CABF-BR 4.9.1.1 "SHOULD revoke a certificate within 24 hours" */
    LT_CHECK(ret_clocks->should.us == 0 || now.us <= ret_clocks->should.us || excused, LT_PEER_MALFORMED,
             "the clock that should be kept has run out: why is wanted");
    return LT_OK;
}

lt_res ca_backdating_check(uint32_t reason, lt_time revoked, lt_time issued, lt_time now)
{
    /*= CABF-BR 7.2.2 "The CA SHOULD update the revocation date in a CRL entry when it is determined that the
     *  private key of the Certificate was compromised prior to the revocation date that is indicated in the
     *  CRL entry for that Certificate." */
    LT_CHECK(reason == CA_REASON_KEY_COMPROMISE, LT_PEER_UNSUPPORTED,
             "only a key compromise may be dated back, not %s", ca_reason_name(reason));
    LT_CHECK(revoked.us <= now.us, LT_PEER_UNSUPPORTED, "a compromise cannot be dated into the future");
    LT_CHECK(revoked.us > 0 && revoked.us >= issued.us, LT_PEER_UNSUPPORTED,
             "the compromise would be older than the certificate");
    return LT_OK;
}

lt_res ca_reason_parse(lt_slice text, uint32_t *ret_reason)
{
    for (uint32_t r = 0; r <= CA_REASON_AA_COMPROMISE; r++) {
        if (lt_slice_eq_cstr(text, ca_reason_name(r))) {
            LT_CHECK(ca_reason_allowed(r, true), LT_PEER_UNSUPPORTED, "the reason %s may not be given here",
                     ca_reason_name(r));
            *ret_reason = r;
            return LT_OK;
        }
    }
    LT_FAIL(LT_PEER_MALFORMED,
            "there is no reason \"%.*s\": unspecified, keyCompromise, affiliationChanged, "
            "superseded, cessationOfOperation or privilegeWithdrawn",
            LT_FMT(lt_slice_sub(text, 0, 40)));
}
