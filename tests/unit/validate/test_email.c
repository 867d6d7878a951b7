/* Whom a letter may be sent to, by a DNS that is really signed: found by CAA up the tree, by TXT up to the
 * registered domain, not at all where the answer is bogus or broken. */
#include <stdlib.h>

#include "base/clock.h"
#include "check.h"
#include "signed.h"
#include "validate/validate.h"

enum { TOTAL_MS = 3000 };

/* Its hundredth byte is the last one of "example": cut there, it is an address of somebody else. */
#define LONG_CUT \
    "security-team-of-all-names@mail.department-of-something-long.another-label-of-this-zone.corp.example"
#define LONG LONG_CUT "."
#define LABEL "a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-123"
#define LONGEST "security-1@" LABEL "." LABEL "." LABEL ".a23456789-b23456789-c23456789-d23456789.example.com"

static struct signed_zone zones[] = {
    {".", true, SIGNED_NO_DS, false, false, ""},
    {"example", true, SIGNED_DS, false, false, "@ CAA 0 contactemail \"registry@nic.example\"\n"},
    {"good.example", true, SIGNED_DS, false, false,
     "@ CAA 0 issue \"ca.example\"\n@ CAA 0 contactemail \"security@good.example\"\n"
     "two CAA 0 contactemail \"a@good.example\"\ntwo CAA 0 ContactEmail \"b@good.example\"\n"
     "long CAA 0 contactemail \"" LONG "com\"\n"
     "_validation-contactemail.long TXT \"" LONG "com\"\n"
     "longest CAA 0 contactemail \"" LONGEST "\"\ntoolong CAA 0 contactemail \"" LONGEST "x\"\n"
     "shut CAA 0 issue \";\"\n"
     "phone CAA 0 contactphone \"+1 555 0100\"\nphone CAA 0 iodef \"mailto:security@good.example\"\n"
     "padded CAA 0 contactemail \" a@good.example\"\npadded CAA 0 contactemail "
     "\"a@good.example,b@good.example\"\n"
     "padded CAA 0 contactemail \"A <a@good.example>\"\n"
     "mixed CAA 0 contactemail \"x\"\nmixed CAA 0 contactemail \"a@good.example\"\n"
     "todeny CAA 0 issue \"other.example\"\ntodeny CAA 0 contactemail \"security@good.example\"\n"
     "alias CNAME two\ntobogus CNAME x.bogus.example.\n"
     "_validation-contactemail TXT \"txt@good.example\"\n"
     "_validation-contactemail.own TXT \"own@good.example\"\n"
     "_validation-contactemail.split TXT \"split@\" \"good.example\"\n"
     "_validation-contactemail.several TXT \"1@good.example\"\n_validation-contactemail.several TXT "
     "\"2@good.example\"\n"
     "_validation-contactemail.bad TXT \"mailto:a@good.example\"\n"
     "_validation-contactemail.alias CNAME _validation-contactemail.own\n"
     "bare TXT \"bare@good.example\"\n_validation-contactphone.phone TXT \"+1 555 0100\"\n"},
    {"plain.example", false, SIGNED_NO_DS, false, false,
     "@ CAA 0 contactemail \"security@plain.example\"\n_validation-contactemail TXT \"txt@plain.example\"\n"},
    {"bogus.example", true, SIGNED_WRONG_DS, false, false,
     "@ CAA 0 contactemail \"evil@bogus.example\"\n_validation-contactemail TXT \"evil@bogus.example\"\n"},
    {"broken.example", false, SIGNED_NO_DS, false, true, ""},
    {"none.example", true, SIGNED_DS, false, false, "www A 127.0.0.1\n"},
};

struct scene {
    const char *name;
    const char *method; /* after "email-" */
    const char *topmost;
    const char *expected;
    const char *problem; /* NULL: ok */
    const char *says;    /* in the problem; of a success: the contacts */
    const char *dnssec;
    bool caa;
};

static const struct scene scenes[] = {
    /* all that there are, and each of them whole or not at all */
    {"long.good.example", "caa-contact", "good.example", "", NULL, LONG "com at long.good.example (1)",
     "secure", 0},
    {"long.good.example", "txt-contact", "good.example", "", NULL, LONG "com at long.good.example (1)",
     "secure", 0},
    {"longest.good.example", "caa-contact", "good.example", "", NULL, LONGEST " at longest.good.example (1)",
     "secure", 0},
    {"toolong.good.example", "caa-contact", "good.example", "", "unauthorized", "holds no mail address",
     "secure", 0},
    {"long.good.example", "caa-contact", "good.example", LONG "com", NULL, LONG "com", "secure", 0},
    {"long.good.example", "txt-contact", "good.example", LONG "com", NULL, LONG "com", "secure", 0},
    {"long.good.example", "caa-contact", "good.example", LONG_CUT, "unauthorized", "does not hold", "secure",
     0},
    {"long.good.example", "txt-contact", "good.example", LONG_CUT, "unauthorized", "does not hold", "secure",
     0},
    {"longest.good.example", "caa-contact", "good.example", LONGEST, NULL, LONGEST, "secure", 0},
    {"good.example", "caa-contact", "good.example", "", NULL, "security@good.example at good.example",
     "secure", 0},
    {"a.b.good.example", "caa-contact", "good.example", "", NULL, "security@good.example at good.example",
     "secure", 0},
    {"two.good.example", "caa-contact", "good.example", "", NULL, "at two.good.example (2)", "secure", 0},
    {"mixed.good.example", "caa-contact", "good.example", "", NULL, "a@good.example at mixed.good.example",
     "secure", 0},
    {"alias.good.example", "caa-contact", "good.example", "", NULL, "at alias.good.example (2)", "secure", 0},
    {"www.none.example", "caa-contact", "none.example", "", NULL, "registry@nic.example at example", "secure",
     0},
    {"www.plain.example", "caa-contact", "plain.example", "", NULL, "security@plain.example at plain.example",
     "insecure", 0},
    {"shut.good.example", "caa-contact", "good.example", "", "unauthorized", "holds no mail address",
     "secure", 0},
    {"x.shut.good.example", "caa-contact", "good.example", "", "unauthorized", "CAA at shut.good.example",
     "secure", 0},
    {"phone.good.example", "caa-contact", "good.example", "", "unauthorized", "holds no mail address",
     "secure", 0},
    {"padded.good.example", "caa-contact", "good.example", "", "unauthorized", "holds no mail address",
     "secure", 0},
    {"x.bogus.example", "caa-contact", "bogus.example", "", "dns", "bogus", "bogus", 0},
    {"tobogus.good.example", "caa-contact", "good.example", "", "dns", "bogus", "bogus", 0},
    {"x.broken.example", "caa-contact", "broken.example", "", "dns", "SERVFAIL", "insecure", 0},
    {"own.good.example", "txt-contact", "good.example", "", NULL, "own@good.example at own.good.example",
     "secure", 0},
    {"a.own.good.example", "txt-contact", "good.example", "", NULL, "own@good.example at own.good.example",
     "secure", 0},
    {"a.b.good.example", "txt-contact", "good.example", "", NULL, "txt@good.example at good.example",
     "secure", 0},
    {"split.good.example", "txt-contact", "good.example", "", NULL,
     "split@good.example at split.good.example", "secure", 0},
    {"several.good.example", "txt-contact", "good.example", "", NULL, "at several.good.example (2)", "secure",
     0},
    {"alias.good.example", "txt-contact", "good.example", "", NULL, "own@good.example at alias.good.example",
     "secure", 0},
    {"x.plain.example", "txt-contact", "plain.example", "", NULL, "txt@plain.example at plain.example",
     "insecure", 0},
    /* no higher than that, and what is there decides even where it is of no use */
    {"a.b.good.example", "txt-contact", "b.good.example", "", "unauthorized", "at b.good.example", "secure",
     0},
    {"a.good.example", "txt-contact", "", "", "unauthorized", "at a.good.example", "secure", 0},
    {"bad.good.example", "txt-contact", "good.example", "", "unauthorized", "holds no mail address", "secure",
     0},
    {"bare.good.example", "txt-contact", "bare.good.example", "", "unauthorized", "holds no mail address",
     "secure", 0},
    {"phone.good.example", "txt-contact", "phone.good.example", "", "unauthorized", "holds no mail address",
     "secure", 0},
    {"x.bogus.example", "txt-contact", "bogus.example", "", "dns", "bogus", "bogus", 0},
    {"x.broken.example", "txt-contact", "broken.example", "", "dns", "SERVFAIL", "insecure", 0},
    /* the one that answered */
    {"two.good.example", "caa-contact", "good.example", "b@GOOD.example", NULL, "b@good.example", "secure",
     1},
    {"two.good.example", "caa-contact", "good.example", "c@good.example", "unauthorized", "does not hold",
     "secure", 1},
    {"two.good.example", "caa-contact", "good.example", "B@good.example", "unauthorized", "does not hold",
     "secure", 1},
    {"www.good.example", "caa-contact", "good.example", "security@good.example", NULL,
     "security@good.example", "secure", 1},
    {"todeny.good.example", "caa-contact", "good.example", "security@good.example", "caa", "names another CA",
     "secure", 1},
    {"shut.good.example", "txt-contact", "good.example", "txt@good.example", "caa", "names another CA",
     "secure", 1},
    {"own.good.example", "txt-contact", "good.example", "own@good.example", NULL, "own@good.example",
     "secure", 1},
    {"own.good.example", "txt-contact", "good.example", "txt@good.example", "unauthorized", "does not hold",
     "secure", 1},
    {"own.good.example", "txt-contact", "good.example", "own@good.example\n", "serverInternal",
     "no mail address", "", 1},
    {"x.bogus.example", "caa-contact", "bogus.example", "evil@bogus.example", "dns", "bogus", "bogus", 1},
    {"www.good.example", "constructed", "good.example", "hostmaster@good.example", NULL,
     "hostmaster@good.example", "", 1},
    {"www.good.example", "constructed", "good.example", "admin@www.good.example", NULL,
     "admin@www.good.example", "", 1},
    {"www.good.example", "constructed", "good.example", "admin@example", "unauthorized",
     "none of the addresses", "", 1},
    {"www.good.example", "constructed", "good.example", "root@good.example", "unauthorized",
     "none of the addresses", "", 1},
    {"www.good.example", "constructed", "good.example", "", "unauthorized", "none of the addresses", "", 1},
    {"shut.good.example", "constructed", "good.example", "admin@good.example", "caa", "names another CA", "",
     1},
    {"x.bogus.example", "constructed", "bogus.example", "admin@bogus.example", "dns",
     "CAA at x.bogus.example", "", 1},
};

struct rig {
    struct event_base *base;
    struct validate_engine *engine;
    unsigned count;
    bool ok;
    char said[1024];
    char dnssec[32];
};

static struct signed_world *dns;

static void note(void *self, uint64_t id, const Ipc__Validated *v)
{
    struct rig *r = self;
    (void)id;
    r->count++;
    r->ok = v->ok;
    r->said[0] = '\0';
    (void)snprintf(r->dnssec, sizeof r->dnssec, "%s", v->dnssec);
    if (!v->ok) {
        (void)snprintf(r->said, sizeof r->said, "%s: %s", v->problem->type, v->problem->detail);
        return;
    }
    for (size_t i = 0; i < v->n_contacts; i++) {
        size_t len = strlen(r->said);
        (void)snprintf(r->said + len, sizeof r->said - len, "%s ", v->contacts[i]);
    }
    size_t len = strlen(r->said);
    (void)snprintf(r->said + len, sizeof r->said - len, "at %s (%zu)", v->contact_domain, v->n_contacts);
}

static void ask(struct rig *r, const struct scene *s)
{
    static uint8_t nonce[4] = {1, 2, 3, 4};
    static char issuer[] = "ca.example";
    char *issuers[] = {issuer};
    char words[6][300];
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    Ipc__Validate v = IPC__VALIDATE__INIT;
    (void)snprintf(words[0], sizeof words[0], "%s", s->name);
    (void)snprintf(words[1], sizeof words[1], "dns");
    (void)snprintf(words[2], sizeof words[2], "email-%s", s->method);
    (void)snprintf(words[3], sizeof words[3], "%s", s->topmost);
    (void)snprintf(words[4], sizeof words[4], "%s", s->expected);
    id.value = words[0];
    id.type = words[1];
    v.identifier = &id;
    v.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    v.method = words[2];
    v.topmost = words[3];
    v.expected = words[4];
    v.issuer_domains = issuers;
    v.n_issuer_domains = s->caa ? 1 : 0;
    unsigned before = r->count;
    assert_ok(validate_start(r->engine, 1, &v));
    while (r->count == before) {
        assert_int_equal(event_base_loop(r->base, EVLOOP_ONCE), 0);
    }
}

static void test_scenes(void **state)
{
    struct rig r = {.count = 0};
    char resolver[64];
    unsigned bad = 0;
    (void)state;
    if (dns == NULL) {
        skip();
    }
    (void)snprintf(resolver, sizeof resolver, "127.0.0.1@%u", signed_port(dns));
    const struct validate_options o = {.resolver = resolver,
                                       .trust_anchor = signed_anchor(dns),
                                       .allow_private = true,
                                       .total_timeout_ms = TOTAL_MS,
                                       .now = lt_now,
                                       .build = "test",
                                       .perspective = "primary"};
    r.base = event_base_new();
    assert_ok(validate_engine_new(r.base, &o, note, &r, &r.engine));
    for (size_t i = 0; i < LT_COUNT(scenes); i++) {
        const struct scene *s = &scenes[i];
        ask(&r, s);
        bool type = s->problem == NULL ? r.ok : strncmp(r.said, s->problem, strlen(s->problem)) == 0 && !r.ok;
        if (!type || strstr(r.said, s->says) == NULL || strcmp(r.dnssec, s->dnssec) != 0) {
            print_error("%s %s \"%s\": %s \"%s\" (%s)\n", s->name, s->method, s->expected, r.ok ? "ok" : "no",
                        r.said, r.dnssec);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
    validate_engine_free(r.engine);
    event_base_free(r.base);
}

static int set_up_dns(void **state)
{
    (void)state;
    dns = signed_new(zones, LT_COUNT(zones));
    return 0;
}

static int tear_down_dns(void **state)
{
    (void)state;
    signed_free(dns);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenes)};
    return cmocka_run_group_tests(tests, set_up_dns, tear_down_dns);
}
