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
static const char *const sources[] = {"problem-report", "post-issuance", "person", "audit"};
static const char *const victims[] = {"registrar", "signer", "examiner", "publisher", "reader", "supervisor"};

/* Something on the way: a program or the machine goes. */
static void add_trouble(struct drawn *d, struct lt_buf *out, int at)
{
    if (next(d) % 3 != 0) {
        return;
    }
    const char *victim = pick(d, victims, LT_COUNT(victims));
    lt_buf_addf(out, "  - {id: trouble-%d, say: \"the %s dies\", kill: %s}\n", at, victim, victim);
}

static void add_steps(struct drawn *d, struct lt_buf *out, size_t wrong)
{
    const char *source = pick(d, sources, LT_COUNT(sources));
    int trouble = 0;
    lt_buf_addf(out,
                "steps:\n"
                "  - {id: open, say: declared, keep: incident=id, find: incident list, where: \"incidents "
                "title={title}\",\n"
                "     run: \"incident open '{title}' --source %s --cause %s --severity high\"}\n",
                source, wrongs[wrong].cause);
    add_trouble(d, out, trouble++);
    lt_buf_addf(
        out,
        "  - {id: contain, say: contained, run: \"incident contain {incident} %s --reason drill --yes\"}\n",
        wrongs[wrong].halt);
    lt_buf_addf(out, "  - {id: scope, say: scoped, run: 'incident scope {incident} ''%s'' --yes'}\n",
                wrongs[wrong].scope);
    add_trouble(d, out, trouble++);
    lt_buf_add_cstr(
        out,
        "  - {id: plan, say: planned, keep: mass=mass plan=plan, run: 'incident plan {incident} --yes'}\n"
        "  - {id: approve-1, run: 'approve {plan} --yes', as: berta}\n"
        "  - {id: approve-2, say: approved by two, run: 'approve {plan} --yes', as: carl}\n");
    add_trouble(d, out, trouble++);
    lt_buf_addf(out,
                "  - {id: revoked, say: revoked, run: 'mass show {mass}', until: status=done}\n"
                "measures:\n"
                "  - {id: contained, say: opened to contained, from: open, to: contain, within: 5m}\n"
                "  - {id: revoked, say: everything revoked, from: open, to: revoked, within: %s}\n",
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
                "shape: mixed\n"
                "cause: %s\n",
                (unsigned long long)seed, (unsigned long long)seed, wrongs[wrong].title, wrongs[wrong].cause);
    add_steps(&d, out, wrong);
    return lt_buf_check(out);
}
