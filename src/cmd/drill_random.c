/* Scenarios drawn from a seed: what went wrong, how it came to light, which certificates, what happens on the
 * way. The same seed draws the same text. */
#include <string.h>

#include "cmd/drill.h"

struct drawn {
    uint64_t state;
};

/* A well-mixed number after another (splitmix64). */
static uint64_t next(struct drawn *d)
{
    uint64_t x = d->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static const char *pick(struct drawn *d, const char *const *list, size_t count)
{
    return list[next(d) % count];
}

/* What went wrong: the cause sets the clock, the scope says whom it hits. */
static const struct {
    const char *title;
    const char *cause;
    const char *limit;
    const char *scope;
    const char *halt;
} wrongs[] = {
    {"validation by dns-01 cannot be relied on", "validation-unreliable", "24h", "method = dns-01 and valid",
     "--method dns-01"},
    {"validation by tls-alpn-01 cannot be relied on", "validation-unreliable", "24h",
     "method = tls-alpn-01 and valid", "--method tls-alpn-01"},
    {"one build issued with wrong contents", "not-issued-per-rules", "5d", "build = \"1.4.0\" and valid",
     "--profile tls-server"},
    {"CAA was checked too early", "caa-unreliable", "24h", "caa_age > 8h and valid", "--issuer tls"},
    {"too few perspectives agreed", "validation-unreliable", "24h", "quorum < 2 and valid", "--issuer tls"},
};
static const struct {
    const char *source;
    const char *instant; /* from which its clocks count */
} sources[] = {
    {"problem-report", "received"}, {"post-issuance", "found"}, {"person", "found"}, {"audit", "received"}};
static const char *const victims[] = {"registrar", "signer", "examiner", "publisher", "reader", "supervisor"};

#define SHOW "find: \"incident show {incident} --brief\""

/* Something on the way: a program or the machine goes. */
static void add_trouble(struct drawn *d, struct lt_buf *out, int at)
{
    if (next(d) % 3 != 0) {
        return;
    }
    const char *victim = pick(d, victims, LT_COUNT(victims));
    lt_buf_addf(out, "  - {id: trouble-%d, say: \"the %s dies\", kill: %s}\n", at, victim, victim);
}

/* People outside: a question, a court, a scope that was too small. */
static void add_news(struct drawn *d, struct lt_buf *out, const char *scope)
{
    if (next(d) % 3 == 0) {
        lt_buf_add_cstr(
            out,
            "  - {id: question, say: a journalist asks, find: \"GET incidents/{incident}/report\", "
            "where: \"events kind=incident.note\",\n     run: \"incident note {incident} 'A journalist asks "
            "how many, and since when.'\"}\n");
    }
    if (next(d) % 3 == 0) {
        lt_buf_addf(
            out,
            "  - {id: which, keep: \"named=certificates.0.serial\", run: 'scope ''%s'' --list --limit 1'}\n"
            "  - {id: court, say: a court orders that one of them stays, run: \"incident freeze {incident} "
            "{named} "
            "--reason 'restraining order' --reference 'case 7' --yes\"}\n",
            scope);
    }
}

static void add_opening(struct drawn *d, struct lt_buf *out, size_t wrong)
{
    size_t source = next(d) % LT_COUNT(sources);
    lt_buf_addf(out,
                "steps:\n"
                "  - {id: open, say: declared, keep: incident=id, find: incident list, where: \"incidents "
                "title={title}\",\n"
                "     run: \"incident open '{title}' --source %s --cause %s --severity high --drill --%s "
                "{now-1m}\"}\n",
                sources[source].source, wrongs[wrong].cause, sources[source].instant);
    add_trouble(d, out, 1);
    lt_buf_addf(out,
                "  - {id: contain, say: contained, " SHOW
                ", where: \"halts status=halted\", keep: halt=halt,\n"
                "     run: \"incident contain {incident} %s --reason drill\"}\n",
                wrongs[wrong].halt);
    lt_buf_addf(out,
                "  - {id: scope, say: scoped, " SHOW ", where: \"scopes version=1\", keep: affected=count,\n"
                "     run: 'incident scope {incident} ''%s'' --yes'}\n",
                wrongs[wrong].scope);
    add_trouble(d, out, 2);
}

static void add_steps(struct drawn *d, struct lt_buf *out, size_t wrong)
{
    add_opening(d, out, wrong);
    lt_buf_addf(out,
                "  - {id: plan, say: planned, " SHOW
                ", where: \"plans version=1\", keep: \"mass=mass approval=approval\",\n"
                "     run: \"incident plan {incident}%s --per-hour 2000000 --yes\"}\n",
                next(d) % 2 == 0 ? "" : " --tier readiness --replaced-tiers 0");
    if (next(d) % 2 == 0) {
        lt_buf_add_cstr(
            out,
            "  - {id: notify, say: subscribers are told, find: notice many, where: \"batches about=incident "
            "{incident}\",\n     run: \"incident notify {incident} --why 'a drill' --publish --yes\"}\n");
    }
    add_news(d, out, wrongs[wrong].scope);
    lt_buf_add_cstr(out, "  - {use: roles}\n  - {use: preliminary}\n");
    lt_buf_addf(out,
                "  - {id: wait, say: time passes, at: %lluh, run: \"incident show {incident} --brief\"}\n",
                (unsigned long long)(1 + next(d) % 20));
    add_trouble(d, out, 3);
    lt_buf_addf(out,
                "  - {use: revoke}\n"
                "  - {use: report}\n"
                "measures:\n"
                "  - {id: contained, say: opened to contained, from: open, to: contain, within: 5m}\n"
                "  - {id: preliminary, say: opened to the preliminary report, from: open, to: pre-handed, "
                "within: 72h}\n"
                "  - {id: revoked, say: opened to everything revoked, from: open, to: revoked, within: %s}\n",
                wrongs[wrong].limit);
}

lt_res drill_random(uint64_t seed, struct lt_buf *out)
{
    struct drawn d = {.state = seed};
    size_t wrong = next(&d) % LT_COUNT(wrongs);
    lt_buf_addf(out,
                "# Drawn by `lintel drill random --seed %llu`.\n"
                "name: random-%llu\n"
                "title: \"%s\"\n"
                "what: drawn from a seed\n"
                "shape: %s\n"
                "cause: %s\n",
                (unsigned long long)seed, (unsigned long long)seed, wrongs[wrong].title,
                strcmp(wrongs[wrong].cause, "caa-unreliable") == 0 ? "caa" : "clean", wrongs[wrong].cause);
    add_steps(&d, out, wrong);
    return lt_buf_check(out);
}
