/* What may be said of an incident, by the rules of today: how it came to light, and the
 * tiers of a revocation. For forms, so that nobody has to know the words. Causes: GET causes. */
#include "ca/ready_tier.h"
#include "incident/ask.h"
#include "incident/duty.h"

static void put_sources(const struct ca_query *query, struct query_out *out)
{
    query_open(out, "sources", '[');
    for (size_t i = 0; i < incident_start_count; i++) {
        const struct incident_start *s = &incident_starts[i];
        if (incident_start_at(lt_slice_cstr(s->source), query->now) == s) {
            query_open(out, NULL, '{');
            query_cstr(out, "source", s->source);
            query_cstr(out, "at", incident_instant_name(s->at));
            query_cstr(out, "section", s->section);
            query_cstr(out, "words", s->words);
            query_close(out, '}');
        }
    }
    query_close(out, ']');
}

/* The same as lintel incident plan has when nothing else is said; behind the last comes everything else. */
static void put_tiers(struct query_out *out)
{
    static const char *const first[][2] = {{"replacement = deployed", "replaced, and deployed"},
                                           {"replacement = not_seen", "replaced, not seen deployed"}};
    query_open(out, "tiers", '[');
    for (size_t i = 0; i < LT_COUNT(first) + CA_READY_TIERS - 1; i++) {
        bool replaced = i < LT_COUNT(first);
        enum ca_ready_tier tier = (enum ca_ready_tier)(replaced ? 0 : i - LT_COUNT(first) + 1);
        query_open(out, NULL, '{');
        query_cstr(out, "scope", replaced ? first[i][0] : ca_ready_tier_scope(tier));
        query_cstr(out, "words", replaced ? first[i][1] : ca_ready_tier_words(tier));
        query_bool(out, "replaced", i == 0);
        query_close(out, '}');
    }
    query_close(out, ']');
}

lt_res incident_ask_choices(const struct ca_query *query, struct query_out *out)
{
    put_sources(query, out);
    put_tiers(out);
    return LT_OK;
}
