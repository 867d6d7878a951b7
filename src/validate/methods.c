/* The table. Dates of effect are those of the ballots that brought a method or end it (BR 1.2.2). */
#include "validate/methods.h"

#include <stdio.h>
#include <string.h>

#define RULE(section_) .section = (section_), .ruleset = "BR " VALIDATE_BR_VERSION " " section_

const struct validate_method validate_methods[] = {
    /*= CABF-BR 3.2.2.4.19 "This method is NOT suitable for validating Wildcard Domain Names." */
    {.name = "http-01",
     .identifier = "dns",
     RULE("3.2.2.4.19"),
     .title = "Agreed-Upon Change to Website - ACME",
     .kind = VALIDATE_KIND_HTTP,
     .form = VALIDATE_FORM_TOKEN,
     .acme = true,
     .runs = true,
     .from = "2020-03-03T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    {.name = "http-01",
     .identifier = "ip",
     RULE("3.2.2.5.6"),
     .title = "ACME \"http-01\" method for IP Addresses",
     .kind = VALIDATE_KIND_HTTP,
     .form = VALIDATE_FORM_TOKEN,
     .acme = true,
     .runs = true,
     .from = "2019-03-16T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    /*= CABF-BR 3.2.2.4.7 "This method is suitable for validating Wildcard Domain Names." */
    {.name = "dns-01",
     .identifier = "dns",
     RULE("3.2.2.4.7"),
     .title = "DNS Change",
     .kind = VALIDATE_KIND_DNS,
     .form = VALIDATE_FORM_TOKEN,
     .acme = true,
     .wildcard = true,
     .subdomains = true,
     .runs = true,
     .from = "2017-01-07T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    {.name = "dns-account-01",
     .identifier = "dns",
     RULE("3.2.2.4.21"),
     .title = "DNS Labeled with Account ID - ACME",
     .kind = VALIDATE_KIND_DNS,
     .form = VALIDATE_FORM_TOKEN_ACCOUNT,
     .acme = true,
     .wildcard = true,
     .subdomains = true,
     .runs = true,
     .from = "2025-03-01T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    {.name = "tls-alpn-01",
     .identifier = "dns",
     RULE("3.2.2.4.20"),
     .title = "TLS Using ALPN",
     .kind = VALIDATE_KIND_TLS,
     .form = VALIDATE_FORM_TOKEN,
     .acme = true,
     .runs = true,
     .from = "2020-09-22T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    {.name = "tls-alpn-01",
     .identifier = "ip",
     RULE("3.2.2.5.7"),
     .title = "ACME \"tls-alpn-01\" method for IP Addresses",
     .kind = VALIDATE_KIND_TLS,
     .form = VALIDATE_FORM_TOKEN,
     .acme = true,
     .runs = true,
     .from = "2019-03-16T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    /* Behind the others, as some clients (uacme 1.7) read the list from its beginning and give up at the
     * first challenge without a token. */
    /*= CABF-BR 3.2.2.4.22 "CAs MUST consider 10 days as the maximum validation data reuse period" */
    {.name = "dns-persist-01",
     .identifier = "dns",
     RULE("3.2.2.4.22"),
     .title = "DNS TXT Record with Persistent Value",
     .kind = VALIDATE_KIND_DNS,
     .form = VALIDATE_FORM_ACCOUNT,
     .acme = true,
     .wildcard = true,
     .subdomains = true,
     .persistent = true,
     .runs = true,
     .from = "2025-11-10T00:00:00Z",
     .until = "",
     .reuse_max_days = 10},
    {.name = "dns-persist-01",
     .identifier = "ip",
     RULE("3.2.2.5.8"),
     .title = "DNS TXT Record with Persistent Value in the Reverse Namespace",
     .kind = VALIDATE_KIND_DNS,
     .form = VALIDATE_FORM_ACCOUNT,
     .acme = true,
     .persistent = true,
     .runs = true,
     .from = "2025-12-16T00:00:00Z",
     .until = "",
     .reuse_max_days = 10},
    /*= CABF-BR 3.2.2.4.7 "the CA SHALL provide a Random Value unique to the Certificate request and SHALL not
     * use the Random Value after: 1. 30 days" */
    {.name = "dns-change",
     .identifier = "dns",
     RULE("3.2.2.4.7"),
     .title = "DNS Change",
     .kind = VALIDATE_KIND_DNS,
     .form = VALIDATE_FORM_BY_HAND,
     .wildcard = true,
     .subdomains = true,
     .runs = true,
     .from = "2017-01-07T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    {.name = "website-change",
     .identifier = "dns",
     RULE("3.2.2.4.18"),
     .title = "Agreed-Upon Change to Website v2",
     .kind = VALIDATE_KIND_HTTP,
     .form = VALIDATE_FORM_BY_HAND,
     .runs = true,
     .from = "2020-03-03T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    {.name = "website-change",
     .identifier = "ip",
     RULE("3.2.2.5.1"),
     .title = "Agreed-Upon Change to Website",
     .kind = VALIDATE_KIND_HTTP,
     .form = VALIDATE_FORM_BY_HAND,
     .runs = true,
     .from = "2019-03-16T00:00:00Z",
     .until = "",
     .token_max_days = 30},
    /*= CABF-BR 3.2.2.4.4 "Effective March 15, 2026, this method SHOULD NOT be used to issue Subscriber
     * Certificates." So are the other two: for whoever asks for them by name, until their sunset (SC-090). */
    {.name = "email-constructed",
     .identifier = "dns",
     RULE("3.2.2.4.4"),
     .title = "Constructed Email to Domain Contact",
     .kind = VALIDATE_KIND_MAIL,
     .form = VALIDATE_FORM_CONTACT,
     .wildcard = true,
     .subdomains = true,
     .runs = true,
     .from = "2017-01-07T00:00:00Z",
     .until = "2028-03-15T00:00:00Z",
     .token_max_days = 30},
    {.name = "email-caa-contact",
     .identifier = "dns",
     RULE("3.2.2.4.13"),
     .title = "Email to DNS CAA Contact",
     .kind = VALIDATE_KIND_MAIL,
     .form = VALIDATE_FORM_CONTACT,
     .wildcard = true,
     .subdomains = true,
     .runs = true,
     .from = "2019-02-01T00:00:00Z",
     .until = "2028-03-15T00:00:00Z",
     .token_max_days = 30},
    {.name = "email-txt-contact",
     .identifier = "dns",
     RULE("3.2.2.4.14"),
     .title = "Email to DNS TXT Contact",
     .kind = VALIDATE_KIND_MAIL,
     .form = VALIDATE_FORM_CONTACT,
     .wildcard = true,
     .subdomains = true,
     .runs = true,
     .from = "2019-02-01T00:00:00Z",
     .until = "2028-03-15T00:00:00Z",
     .token_max_days = 30},
    {.name = "caa",
     .identifier = "dns",
     RULE("3.2.2.8"),
     .title = "CAA Records",
     .kind = VALIDATE_KIND_CAA,
     .form = VALIDATE_FORM_CAA,
     .wildcard = true,
     .runs = true,
     .from = "2017-09-08T00:00:00Z",
     .until = ""},
};
const size_t validate_method_count = LT_COUNT(validate_methods);

/*= CABF-BR 4.2.1 "any data, document, or completed validation used MUST be obtained within the maximum number
 * of days prior to issuing the Certificate" */
static const struct {
    const char *from; /* of the issuance */
    unsigned days;
} ladder[] = {
    {"1970-01-01T00:00:00Z", 398},
    {"2026-03-15T00:00:00Z", 200},
    {"2027-03-15T00:00:00Z", 100},
    {"2029-03-15T00:00:00Z", 10},
};

static bool reached(const char *instant, lt_time when)
{
    lt_time t;
    lt_res r = lt_time_parse(lt_slice_cstr(instant), &t);
    LT_ASSERT(!lt_failed(r)); /* our own table */
    return when.us >= t.us;
}

const struct validate_method *validate_method_find(const char *name, const char *identifier)
{
    for (size_t i = 0; i < validate_method_count; i++) {
        const struct validate_method *m = &validate_methods[i];
        if (strcmp(m->name, name) == 0 && strcmp(m->identifier, identifier) == 0) {
            return m;
        }
    }
    return NULL;
}

const struct validate_method *validate_method_by_ruleset(const char *ruleset, const char *name)
{
    for (size_t i = 0; i < validate_method_count; i++) {
        const struct validate_method *m = &validate_methods[i];
        if (strcmp(m->ruleset, ruleset) == 0 && strcmp(m->name, name) == 0) {
            return m;
        }
    }
    return NULL;
}

/*= RFC 8657 4 "the CA MUST use labels beginning with the string "ca-", which are defined to have CA-specific
 *= meaning" */
const char *validate_method_label(const char *name, char text[VALIDATE_METHOD_LABEL])
{
    const struct validate_method *m = validate_method_find(name, "dns");
    bool ours = m != NULL && !m->acme && m->kind != VALIDATE_KIND_CAA;
    (void)snprintf(text, VALIDATE_METHOD_LABEL, "%s%s", ours ? "ca-" : "", name); /* names are short */
    return text;
}

bool validate_method_in_force(const struct validate_method *m, lt_time when)
{
    return reached(m->from, when) && (m->until[0] == '\0' || !reached(m->until, when));
}

int64_t validate_method_reuse_s(const struct validate_method *m, lt_time when)
{
    unsigned days = ladder[0].days;
    for (size_t i = 0; i < LT_COUNT(ladder); i++) {
        days = reached(ladder[i].from, when) ? ladder[i].days : days;
    }
    if (m->reuse_max_days != 0 && m->reuse_max_days < days) {
        days = m->reuse_max_days;
    }
    return (int64_t)days * LT_SECONDS_PER_DAY;
}

const char *validate_method_refusal(const struct validate_method *m, bool wildcard, lt_time when)
{
    if (!m->runs) {
        return "this validator does not do it";
    }
    if (!reached(m->from, when)) {
        return "the Baseline Requirements do not allow it yet";
    }
    if (!validate_method_in_force(m, when)) {
        return "the Baseline Requirements do not allow it any more";
    }
    return wildcard && !m->wildcard ? "it is not good for wildcard names; use a DNS method" : NULL;
}

const char *validate_name_refusal(lt_slice name)
{
    static const struct {
        const char *suffix;
        const char *why;
    } rows[] = {
        /* RFC 7686: never asked of the DNS. BR appendix B wants Tor itself. */
        {"onion", "it is an onion name: it has no DNS, and validation over Tor is not supported by this CA"},
        /*= CABF-BR 4.2.2 "CAs SHALL NOT issue Certificates containing Domain Names that end in an IP Reverse
         * Zone Suffix." */
        {"in-addr.arpa", "it lies in the reverse zone of addresses"},
        {"ip6.arpa", "it lies in the reverse zone of addresses"},
    };
    if (name.len == 0 || name.len > 253) {
        return "it has no length that a name may have";
    }
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice suffix = lt_slice_cstr(rows[i].suffix);
        lt_slice tail = name.len < suffix.len ? name : lt_slice_sub(name, name.len - suffix.len, SIZE_MAX);
        bool alone = name.len == suffix.len;
        if (lt_slice_eq_nocase(tail, suffix) && (alone || name.ptr[name.len - suffix.len - 1] == '.')) {
            return rows[i].why;
        }
    }
    return NULL;
}
