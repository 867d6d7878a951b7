/* Facts, and tiers out of facts. */
#include "ca/ready_tier.h"

#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400 };

/* The longest that a certificate may live today (ca/limits.c): who renewed within it has renewed what he has.
 */
enum { RENEWAL_S = 200 * DAY_S, POLL_S = 7 * DAY_S, REACHED_S = 365 * DAY_S };

static const struct ca_ready_fact_info facts[] = {
    {CA_READY_POLLS, "asks", "asks for renewal information", POLL_S},
    {CA_READY_TOLD, "follows", "renewed and said which certificate it replaces", RENEWAL_S},
    {CA_READY_RENEWS, "renews", "renewed without anybody's help", RENEWAL_S},
    {CA_READY_REACHED, "reached", "a contact was verified", REACHED_S},
    {CA_READY_CLAUSE, "clause", "agreed to terms about revocation and cooperation", 0},
    {CA_READY_MANUAL, "manual", "has no automation", 0},
    {CA_READY_INTOLERANT, "intolerant", "says that it cannot tolerate revocation", 0},
    {CA_READY_HELD, "held", "is on the list of hold-outs", 0},
};

/* The first row whose facts all hold, and none of the others. */
static const struct {
    enum ca_ready_tier tier;
    unsigned need;
    unsigned without;
} rules[] = {
    {CA_READY_HOLD_OUT, CA_READY_HELD, 0},
    {CA_READY_HOLD_OUT, CA_READY_INTOLERANT, 0},
    {CA_READY_AUTOMATIC, CA_READY_POLLS | CA_READY_TOLD, CA_READY_MANUAL},
    {CA_READY_UNATTENDED, CA_READY_RENEWS, CA_READY_MANUAL},
    {CA_READY_REACHABLE, CA_READY_REACHED | CA_READY_CLAUSE, 0},
    {CA_READY_BY_HAND, 0, 0},
};

static const struct {
    const char *name;
    const char *words;
    const char *advice;
    const char *scope;
} tiers[] = {
    [CA_READY_AUTOMATIC] =
        {"automatic", "replaces by itself, as soon as it is told when",
         "Nothing needs to be done: the client asks for renewal information and follows it.",
         "tier = automatic and not hold_out"},
    [CA_READY_UNATTENDED] =
        {"unattended", "renews by itself, at its own time",
         "Use a client that asks for renewal information (RFC 9773): it then replaces in time by itself.",
         "tier = unattended and not hold_out"},
    [CA_READY_REACHABLE] = {"reachable", "somebody reads our letters and replaces by hand",
                            "Automate with ACME. Until then, keep the contacts up to date.",
                            "tier = reachable and not hold_out"},
    [CA_READY_BY_HAND] = {"by-hand", "nobody is known who would replace in time",
                          "Give a contact that somebody reads and verify it, agree to the terms in force, or "
                          "automate with ACME.",
                          "tier = by-hand and not hold_out"},
    [CA_READY_HOLD_OUT] = {"hold-out", "will not replace in time, or says that it cannot",
                           "No certificate is exempt from revocation. Talk to the certificate authority now, "
                           "and move what cannot tolerate it to a private one.",
                           "tier = hold-out or hold_out"},
};

static unsigned bit(const struct ca_ready_fact_info *f, lt_time seen, lt_time now, lt_time *lapse)
{
    lt_time end = lt_time_add_seconds(seen, f->window_s);
    if (seen.us == 0 || end.us <= now.us) {
        return 0;
    }
    if (lapse->us == 0 || end.us < lapse->us) {
        *lapse = end;
    }
    return f->fact;
}

struct ca_ready_judgement ca_ready_judge(const struct ca_ready_seen *s, lt_time now)
{
    struct ca_ready_judgement j = {.tier = CA_READY_BY_HAND};
    const lt_time times[] = {s->polled, s->told, s->renewed, s->reached}; /* in the order of the facts */
    for (size_t i = 0; i < LT_COUNT(times); i++) {
        j.facts |= bit(&facts[i], times[i], now, &j.lapse);
    }
    j.facts |= s->clause ? CA_READY_CLAUSE : 0U;
    j.facts |= s->manual ? CA_READY_MANUAL : 0U;
    j.facts |= s->intolerant ? CA_READY_INTOLERANT : 0U;
    j.facts |= s->held ? CA_READY_HELD : 0U;
    for (size_t i = 0; i < LT_COUNT(rules); i++) {
        if ((j.facts & rules[i].need) == rules[i].need && (j.facts & rules[i].without) == 0) {
            j.tier = rules[i].tier;
            break;
        }
    }
    return j;
}

static bool is_tier(enum ca_ready_tier tier)
{
    return tier >= CA_READY_AUTOMATIC && tier <= CA_READY_HOLD_OUT;
}

const char *ca_ready_tier_name(enum ca_ready_tier tier)
{
    return is_tier(tier) ? tiers[tier].name : "";
}

enum ca_ready_tier ca_ready_tier_by_name(lt_slice name)
{
    for (size_t i = CA_READY_AUTOMATIC; i < LT_COUNT(tiers); i++) {
        if (lt_slice_eq_cstr(name, tiers[i].name)) {
            return (enum ca_ready_tier)i;
        }
    }
    return (enum ca_ready_tier)0;
}

const char *ca_ready_tier_words(enum ca_ready_tier tier)
{
    return is_tier(tier) ? tiers[tier].words : "";
}

const char *ca_ready_tier_advice(enum ca_ready_tier tier)
{
    return is_tier(tier) ? tiers[tier].advice : "";
}

const char *ca_ready_tier_scope(enum ca_ready_tier tier)
{
    return is_tier(tier) ? tiers[tier].scope : "";
}

bool ca_ready_fact_info(size_t i, struct ca_ready_fact_info *ret_info)
{
    if (i < LT_COUNT(facts)) {
        *ret_info = facts[i];
        return true;
    }
    return false;
}

/* What clients say of themselves when a person answers each challenge. */
static const char *const attended[] = {"Authenticator/manual"};

static bool has(lt_slice text, const char *part)
{
    lt_slice wanted = lt_slice_cstr(part);
    for (size_t i = 0; i + wanted.len <= text.len; i++) {
        if (lt_slice_starts(lt_slice_sub(text, i, SIZE_MAX), wanted)) {
            return true;
        }
    }
    return false;
}

static bool is_harmless(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._/+-", c) != NULL);
}

#define MANUAL " manual"

void ca_ready_client(lt_slice agent, char ret_client[CA_READY_CLIENT_SIZE])
{
    size_t most = CA_READY_CLIENT_SIZE - sizeof MANUAL;
    size_t len = 0;
    for (; len < agent.len && len < most && agent.ptr[len] > ' '; len++) {
        ret_client[len] = is_harmless(agent.ptr[len]) ? (char)agent.ptr[len] : '_';
    }
    ret_client[len] = '\0';
    for (size_t i = 0; len > 0 && i < LT_COUNT(attended); i++) {
        if (has(agent, attended[i])) {
            memcpy(&ret_client[len], MANUAL, sizeof MANUAL);
            return;
        }
    }
}

bool ca_ready_client_is_manual(lt_slice client)
{
    return lt_slice_ends(client, LT_LIT(MANUAL));
}
