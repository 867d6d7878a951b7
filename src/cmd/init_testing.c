/* What `init --testing` makes otherwise: longer chains and alternate ones, the mark, and the settings that
 * suites written for Pebble expect. Keys of the CAs that are only there to be chained through are thrown
 * away as soon as they have signed: nothing is ever issued by them again. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cmd/init.h"

const struct init_alias init_testing_aliases[] = {
    {"default.yaml", "tls-server.yaml"},
    {"shortlived.yaml", "tls-server-short.yaml"},
};
const size_t init_testing_alias_count = LT_COUNT(init_testing_aliases);

const char init_testing_policy[] =
    "# The name that Pebble's configuration refuses, so that a test can meet rejectedIdentifier.\n"
    "rows:\n  - {id: pebble, action: deny, suffix: blocked-domain.example, reason: Blocked for tests.}\n";

static lt_res count(struct init *i, const char *option, const char *variable, uint64_t least, uint64_t most,
                    size_t *ret_count)
{
    uint64_t number = least;
    const char *text = cmd_value(i->c, option);
    text = text != NULL ? text : getenv(variable);
    LT_CHECK(text == NULL || text[0] == 0 ||
                 (!lt_failed(lt_parse_u64(lt_slice_cstr(text), most, &number)) && number >= least),
             LT_PEER_USAGE, "--%s (or %s): a number from %llu to %llu", option, variable,
             (unsigned long long)least, (unsigned long long)most);
    *ret_count = (size_t)number;
    return LT_OK;
}

lt_res init_testing_choose(struct init *i)
{
    i->chain_length = 1;
    i->testing = cmd_flag(i->c, "testing");
    static const char *const belong[] = {"chain-length", "alternate-roots", "management-port"};
    for (size_t k = 0; !i->testing && k < LT_COUNT(belong); k++) {
        LT_CHECK(cmd_value(i->c, belong[k]) == NULL, LT_PEER_USAGE, "--%s: only with --testing", belong[k]);
    }
    if (!i->testing) {
        return LT_OK;
    }
    LT_CHECK(!cmd_flag(i->c, "public") && i->offline_path == NULL, LT_PEER_USAGE,
             "--testing: a test CA is neither public nor has it a root to be kept safe");
    i->name = lt_arena_printf(&i->c->arena, "%s (TESTING)", i->name);
    LT_CHECK(i->name != NULL, LT_PEER_USAGE, "--name: too long");
    LT_TRY(count(i, "chain-length", "PEBBLE_CHAIN_LENGTH", 1, INIT_MIDDLES_MAX + 1, &i->chain_length));
    return count(i, "alternate-roots", "PEBBLE_ALTERNATE_ROOTS", 0, INIT_ALTERNATES_MAX, &i->alternates);
}

/* A CA that is chained through. */
struct wanted {
    const char *name;    /* of its row and files */
    const char *title;   /* in its common name */
    const char *profile; /* of which it is */
    lt_slice spki;       /* empty: it gets a key of its own */
    bool ends;           /* no CA below it */
};

static lt_res certify(struct init *i, const struct wanted *w, const struct init_authority *up,
                      struct init_extra *e)
{
    uint8_t serial[16];
    init_serial(i->c->now, serial);
    const struct ca_profile *found = ca_profiles_find(&i->profiles, lt_slice_cstr(w->profile));
    LT_CHECK(found != NULL, LT_STATE_CORRUPT, "profile %s is missing", w->profile);
    struct ca_profile profile = *found;
    profile.path_length = w->ends ? profile.path_length : -1;
    profile.crl_distribution = profile.crl_distribution && up != NULL && up->crl;
    const struct ca_authority request = {
        .profile = &profile,
        .country = i->country,
        .organization = i->name,
        .common_name = w->title,
        .spki = w->spki,
        .issuer = up == NULL ? NULL : up->cert,
        .issuer_name = up == NULL ? "" : up->name,
        .public_http_url = i->public_http_url,
        .serial = LT_SLICE(serial, sizeof serial),
        .now = i->c->now,
    };
    LT_TRY(init_sign_authority(i, &request, up == NULL ? &e->key.use : up->key, &e->der));
    return x509_cert_parse(e->der, &i->c->arena, &e->cert);
}

/* up NULL: a root. */
static lt_res make(struct init *i, const struct wanted *wanted, const struct init_authority *up,
                   struct init_authority *ret_made)
{
    LT_ASSERT(i->extra_count < INIT_EXTRAS_MAX);
    struct init_extra *e = &i->extras[i->extra_count];
    struct wanted w = *wanted;
    LT_CHECK(w.name != NULL && w.title != NULL, LT_PEER_USAGE, "--name: too long");
    if (w.spki.len == 0) {
        LT_TRY(cmd_key_generate(up == NULL ? "p384" : "p256", &e->key));
        w.spki = e->key.use.spki;
    }
    i->extra_count++; /* so that its key is wiped, whatever follows */
    LT_TRY(certify(i, &w, up, e));
    e->name = w.name;
    e->parent = up == NULL ? 0 : up->row;
    e->row = INIT_ISSUERS + (int64_t)i->extra_count;
    *ret_made = (struct init_authority){.cert = &e->cert, .key = &e->key.use, .name = e->name, .row = e->row};
    return LT_OK;
}

/* What stands between a root and its issuing CA. at: from the root, in and out, downwards. */
static lt_res add_middles(struct init *i, const char *suffix, struct init_authority *at)
{
    for (size_t k = 1; k < i->chain_length; k++) {
        const struct wanted w = {
            .name = lt_arena_printf(&i->c->arena, "middle-%zu%s", k, suffix),
            .title = lt_arena_printf(&i->c->arena, "%s Middle %zu%s CA", i->name, k, suffix),
            .profile = "ca-tls",
        };
        const struct init_authority up = *at;
        LT_TRY(make(i, &w, &up, at));
    }
    return LT_OK;
}

lt_res init_testing_above_tls(struct init *i, struct init_authority *at)
{
    LT_CHECK(i->issuers[INIT_ROOT].key.use.sign != NULL, LT_PEER_USAGE,
             "--chain-length: the root's key is not at hand");
    return add_middles(i, "", at);
}

/* The same key and subject as the issuing CA, below another root: both chains hold for what it signed. */
lt_res init_testing_alternates(struct init *i)
{
    const struct init_issuer *tls = &i->issuers[INIT_TLS];
    LT_CHECK(!tls->imported || (i->alternates == 0 && i->chain_length == 1), LT_PEER_USAGE,
             "--alternate-roots and --chain-length: not with an imported TLS CA, whose chain is as it is");
    for (size_t k = 1; k <= i->alternates; k++) {
        const char *suffix = lt_arena_printf(&i->c->arena, "-alt-%zu", k);
        LT_CHECK(suffix != NULL, LT_PEER_TOO_LARGE, "too many roots");
        const struct wanted root = {
            .name = lt_arena_printf(&i->c->arena, "root%s", suffix),
            .title = lt_arena_printf(&i->c->arena, "%s Alternate %zu Root CA", i->name, k),
            .profile = "ca-root",
        };
        const struct wanted below = {
            .name = lt_arena_printf(&i->c->arena, "tls%s", suffix),
            .title = lt_arena_printf(&i->c->arena, "%s %s CA", i->name, tls->title),
            .profile = tls->profile,
            .spki = tls->key.use.spki,
            .ends = true,
        };
        struct init_authority at = {0};
        LT_TRY(make(i, &root, NULL, &at));
        LT_TRY(add_middles(i, suffix, &at));
        const struct init_authority up = at;
        LT_TRY(make(i, &below, &up, &at));
    }
    return LT_OK;
}

void init_testing_config(const struct init *i, struct lt_buf *out)
{
    const char *address = cmd_value_or(i->c, "listen", "127.0.0.1");
    lt_buf_addf(
        out,
        "\n# This is a test CA (the file \"testing\"): it may behave like a test server, and is never to be\n"
        "# trusted. nonce-reject and authz-reuse are percentages; sleep is in seconds, at most.\n"
        "testing:\n  management: \"%s:%s\"\n  nonce-reject: 5\n  authz-reuse: 50\n"
        "  always-valid: false\n  sleep: 0\n",
        address, cmd_value_or(i->c, "management-port", "15000"));
}

void init_testing_done(struct init *i)
{
    for (size_t k = 0; k < i->extra_count; k++) {
        cmd_key_done(&i->extras[k].key);
    }
}
