/* Validations by every method against a DNS that is really signed, real web and TLS servers, and everything
 * hostile that we could think of; each with the problem and the words that its owner gets to read. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alpn.h"
#include "base/clock.h"
#include "base/text.h"
#include "check.h"
#include "crypto/digest.h"
#include "signed.h"
#include "validate/dns_txt.h"
#include "validate/methods.h"
#include "validate/validate.h"
#include "world.h"

enum { CONNECT_MS = 500, TOTAL_MS = 3000, SKIPPED = 77 };

#define KEY WORLD_TOKEN ".AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK"
#define ACCOUNT "https://ca.example/acct/1"
#define MINE "ca.example; accounturi=" ACCOUNT
#define RANDOM "rq7x2v9k4m1n8b5c3z6l0a1s2d3f4g5h"
#define TO(status_, where_) "HTTP/1.1 " status_ " Go\r\nLocation: " where_ "\r\nContent-Length: 0\r\n\r\n"
#define BODY(text_) "HTTP/1.1 200 OK\r\n\r\n" text_

/* {D:x} is the digest for token x, {A:x} and {B:x} its halves, {L} the account's label. */
static const char good_records[] =
    "_acme-challenge.ok TXT \"{D:ok}\"\n"
    "_acme-challenge.two TXT \"something\"\n_acme-challenge.two TXT \"{D:two}\"\n"
    "_acme-challenge.split TXT \"{A:split}\" \"{B:split}\"\n"
    "_acme-challenge.wrong TXT \"something\"\n"
    "_acme-challenge.quoted TXT \"\\\"{D:quoted}\\\"\"\n"
    "_acme-challenge.space TXT \"{D:space} \"\n"
    "_acme-challenge.prefix TXT \"x{D:prefix}\"\n"
    "_acme-challenge.key TXT \"key" KEY "\"\n"
    "_acme-challenge.empty TXT \"\"\n"
    "_acme-challenge.address A 127.0.0.1\n"
    "_acme-challenge.binary TXT \"\\000\\001\\255\"\n"
    "acme-challenge.bare TXT \"{D:bare}\"\n"
    "_acme-challenge.alias CNAME alias.dcv\nalias.dcv TXT \"{D:alias}\"\n"
    "_acme-challenge.alias3 CNAME hop1\nhop1 CNAME hop2\nhop2 CNAME hop3\nhop3 TXT \"{D:alias3}\"\n"
    "_acme-challenge.toplain CNAME toplain.plain.example.\n"
    "_acme-challenge.tobogus CNAME tobogus.bogus.example.\n"
    "_acme-challenge.tobroken CNAME tobroken.broken.example.\n"
    "_acme-challenge.loop CNAME loop2\nloop2 CNAME _acme-challenge.loop\n"
    "_acme-challenge.self CNAME _acme-challenge.self\n"
    "_acme-challenge.dangling CNAME nowhere\n"
    "_acme-challenge.c CNAME c0\n{chain}"
    "{many}"
    "{long}"
    "{L}._acme-challenge.acct TXT \"{D:acct}\"\n"
    "_acme-challenge.acct2 TXT \"{D:acct2}\"\n"
    "_aaaaaaaaaaaaaaaa._acme-challenge.acct3 TXT \"{D:acct3}\"\n"
    "_validation-persist.p TXT \"" MINE "\"\n"
    "_validation-persist.ppolicy TXT \"" MINE "; policy=wildcard\"\n"
    "_validation-persist.puntil TXT \"" MINE "; persistUntil=4102444800\"\n"
    "_validation-persist.ppast TXT \"" MINE "; persistUntil=1700000000\"\n"
    "_validation-persist.pnumber TXT \"" MINE "; persistUntil=2099-01-01\"\n"
    "_validation-persist.pother TXT \"ca.example; accounturi=https://ca.example/acct/2\"\n"
    "_validation-persist.pnone TXT \"ca.example\"\n"
    "_validation-persist.pca TXT \"other.example; accounturi=" ACCOUNT "\"\n"
    "_validation-persist.pbad TXT \"ca.example, accounturi=" ACCOUNT "\"\n"
    "_validation-persist.ptwice TXT \"" MINE "; accounturi=https://ca.example/acct/2\"\n"
    "_validation-persist.pmany TXT \"v=spf1 -all\"\n_validation-persist.pmany TXT \"" MINE "\"\n"
    "_validation-persist.palias CNAME palias.dcv\npalias.dcv TXT \"" MINE "\"\n"
    "_acme-challenge.plabel TXT \"" MINE "\"\n"
    "_lintel.hand TXT \"" RANDOM "\"\n"
    "hand2 TXT \"" RANDOM "\"\nhand2 TXT \"v=spf1 -all\"\n"
    "_lintel.hand3 CNAME " RANDOM ".dcv.plain.example.\n"
    "hand4.hand4 CNAME " RANDOM ".dcv.plain.example.\n"
    "lintel.hand5 TXT \"" RANDOM "\"\n" RANDOM ".hand6 CNAME dcv.plain.example.\n"
    "_lintel.hand7 TXT \"old-" RANDOM "\"\n"
    "*.alpn A 127.0.0.1\nsix.alpn AAAA ::1\ngood.six AAAA ::1\n"
    "web A 127.0.0.1\nsix AAAA ::1\nmixed A 127.0.0.1\nmixed AAAA 100::1\nnoaddress TXT \"x\"\n"
    "cname CNAME web\nprivate A 10.1.2.3\nmapped AAAA ::ffff:127.0.0.1\nmeta A 169.254.169.254\n"
    "tobogus CNAME web.bogus.example.\n"
    /* CAA */
    "w A 127.0.0.1\nmine A 127.0.0.1\nmine CAA 0 issue \"ca.example\"\n"
    "a.b.mine A 127.0.0.1\n"
    "deny A 127.0.0.1\ndeny CAA 0 issue \";\"\ndeny CAA 0 iodef \"mailto:sec@good.example\"\n"
    "x.deny A 127.0.0.1\na.b.deny A 127.0.0.1\n"
    "theirs A 127.0.0.1\ntheirs CAA 0 issue \"other.example\"\n"
    "both A 127.0.0.1\nboth CAA 0 issue \"other.example\"\nboth CAA 0 issue \"CA.EXAMPLE\"\n"
    "critical A 127.0.0.1\ncritical CAA 0 issue \"ca.example\"\ncritical CAA 128 future \"x\"\n"
    "tolerant A 127.0.0.1\ntolerant CAA 0 issue \"ca.example\"\ntolerant CAA 0 future \"x\"\n"
    "mail A 127.0.0.1\nmail CAA 0 issuemail \";\"\n"
    "grammar A 127.0.0.1\ngrammar CAA 0 issue \"ca.example; accounturi\"\n"
    "account A 127.0.0.1\naccount CAA 0 issue \"ca.example; accounturi=https://ca.example/acct/2\"\n"
    "account2 A 127.0.0.1\naccount2 CAA 0 issue \"ca.example; accounturi=" ACCOUNT "\"\n"
    "method A 127.0.0.1\nmethod CAA 0 issue \"ca.example; validationmethods=dns-01\"\n"
    "byhand A 127.0.0.1\nbyhand CAA 0 issue \"ca.example; validationmethods=ca-website-change\"\n"
    "byhand2 A 127.0.0.1\nbyhand2 CAA 0 issue \"ca.example; validationmethods=website-change\"\n"
    "method2 A 127.0.0.1\nmethod2 CAA 0 issue \"ca.example; validationmethods=dns-01,http-01\"\n"
    "_acme-challenge.wild TXT \"{D:wild}\"\nwild CAA 0 issue \"ca.example\"\nwild CAA 0 issuewild \";\"\n"
    "_acme-challenge.wild2 TXT \"{D:wild2}\"\nwild2 CAA 0 issue \";\"\nwild2 CAA 0 issuewild \"ca.example\"\n"
    "_acme-challenge.wild3 TXT \"{D:wild3}\"\nwild3 CAA 0 issue \"ca.example\"\n"
    "todeny CNAME deny\n"
    "x.under A 127.0.0.1\nunder CNAME deny\n"
    "x.bogusabove A 127.0.0.1\nbogusabove CNAME x.bogus.example.\n"
    "x.brokenabove A 127.0.0.1\nbrokenabove CNAME x.broken.example.\n"
    "x.lameabove A 127.0.0.1\nlameabove CNAME x.lame.example.\n";

static struct signed_zone zones[] = {
    {".", true, SIGNED_NO_DS, false, false, ""},
    {"example", true, SIGNED_DS, false, false, ""},
    {"locked", true, SIGNED_DS, false, false, "@ CAA 0 issue \"registry.locked\"\na.b A 127.0.0.1\n"},
    {"in-addr.arpa", false, SIGNED_NO_DS, false, false,
     "_ip-validation-persist.7.114.0.203 TXT \"" MINE "\"\n_validation-persist.8.114.0.203 TXT \"" MINE
     "\"\n"},
    {"ip6.arpa", true, SIGNED_DS, false, false,
     "_ip-validation-persist.7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.4.0.1.0.0.2 TXT \"" MINE
     "\"\n"},
    {"good.example", true, SIGNED_DS, false, false, NULL},
    {"plain.example", false, SIGNED_NO_DS, false, false,
     "_acme-challenge.x TXT \"{D:x}\"\ntoplain TXT \"{D:toplain}\"\nweb A 127.0.0.1\n"},
    {"bogus.example", false, SIGNED_WRONG_DS, false, false,
     "_acme-challenge.x TXT \"{D:x}\"\ntobogus TXT \"{D:tobogus}\"\nweb A 127.0.0.1\n"
     "_validation-persist.x TXT \"" MINE "\"\nx CAA 0 issue \"ca.example\"\n"},
    {"lame.example", false, SIGNED_NO_DS, true, false, ""},
    {"broken.example", false, SIGNED_NO_DS, false, true, ""},
};

static const struct world_page pages[] = {
    {"plain", BODY("plain" KEY), WORLD_SEND_CLOSE},
    {"wrong", BODY("something"), WORLD_SEND_CLOSE},
    {"circle", TO("302", "/circle"), WORLD_SEND_CLOSE},
    {"toprivate", TO("302", "http://private.good.example:{http}/plain"), WORLD_SEND_CLOSE},
    {"tobogus", TO("302", "http://web.bogus.example:{http}/plain"), WORLD_SEND_CLOSE},
    {"see", TO("303", "/plain"), WORLD_SEND_CLOSE},
    {"slow", BODY("slow" KEY), WORLD_DRIP},
    {"huge", BODY("huge" KEY), WORLD_HUGE},
    {"reset", "", WORLD_RESET},
    {"value.txt", BODY("# Lintel\r\n" RANDOM "\r\n"), WORLD_SEND_CLOSE},
    {"lintel.txt", BODY(RANDOM), WORLD_SEND_CLOSE},
    {"inside.txt", BODY("x" RANDOM "x"), WORLD_SEND_CLOSE},
    {"error.txt", "HTTP/1.1 404 No\r\n\r\n" RANDOM, WORLD_SEND_CLOSE},
    {"moved.txt", TO("301", "value.txt"), WORLD_SEND_CLOSE},
};

static const char long_record[] = MINE
    "; policy=wildcard; persistUntil=4102444800; note=0123456789012345678901234567890123456789";
static const char long_caa[] = "ca.example; accounturi=" ACCOUNT
                               "; validationmethods=dns-01,http-01,tls-alpn-01,dns-account-01,dns-persist-01";

struct scene {
    const char *name; /* "*." in front: a wildcard; digits and colons: an address */
    const char *method;
    const char *token;
    const char *problem; /* NULL: valid */
    const char *words;   /* in its detail; for valid ones, in the chain or CAA's why */
    const char *dnssec;
    bool caa;         /* CAA is asked for */
    bool public_only; /* private addresses are refused */
};

#define SECURE "secure"
#define INSECURE "insecure"
#define BOGUS "bogus"

static const struct scene scenes[] = {
    /* dns-01 */
    {"ok.good.example", "dns-01", "ok", NULL, NULL, SECURE, false, false},
    {"*.ok.good.example", "dns-01", "ok", NULL, NULL, SECURE, false, false},
    {"two.good.example", "dns-01", "two", NULL, NULL, SECURE, false, false},
    {"split.good.example", "dns-01", "split", NULL, NULL, SECURE, false, false},
    {"alias.good.example", "dns-01", "alias", NULL, "alias.dcv.good.example", SECURE, false, false},
    {"alias3.good.example", "dns-01", "alias3", NULL, "hop3.good.example", SECURE, false, false},
    {"toplain.good.example", "dns-01", "toplain", NULL, "toplain.plain.example", INSECURE, false, false},
    {"x.plain.example", "dns-01", "x", NULL, NULL, INSECURE, false, false},
    {"many.good.example", "dns-01", "many", NULL, NULL, SECURE, false, false}, /* over UDP's size: by TCP */
    {"wrong.good.example", "dns-01", "wrong", "incorrectResponse", "\"something\"", SECURE, false, false},
    {"ok.good.example", "dns-01", "other", "incorrectResponse", "must be", SECURE, false, false},
    {"quoted.good.example", "dns-01", "quoted", "incorrectResponse", "must be", SECURE, false, false},
    {"space.good.example", "dns-01", "space", "incorrectResponse", "must be", SECURE, false, false},
    {"prefix.good.example", "dns-01", "prefix", "incorrectResponse", "must be", SECURE, false, false},
    {"key.good.example", "dns-01", "key", "incorrectResponse", "must be", SECURE, false, false},
    {"empty.good.example", "dns-01", "empty", "incorrectResponse", "must be", SECURE, false, false},
    {"binary.good.example", "dns-01", "binary", "incorrectResponse", "\"...\"", SECURE, false, false},
    {"address.good.example", "dns-01", "address", "unauthorized", "no records of this type", SECURE, false,
     false},
    {"nowhere.good.example", "dns-01", "x", "unauthorized", "NXDOMAIN", SECURE, false, false},
    {"bare.good.example", "dns-01", "bare", "unauthorized", "NXDOMAIN", SECURE, false, false},
    {"nowhere.plain.example", "dns-01", "x", "unauthorized", "NXDOMAIN", INSECURE, false, false},
    {"dangling.good.example", "dns-01", "x", "unauthorized", "alias of nowhere.good.example", SECURE, false,
     false},
    {"loop.good.example", "dns-01", "x", "dns", "failed", NULL, false, false},
    {"self.good.example", "dns-01", "x", "dns", "failed", NULL, false, false},
    {"c.good.example", "dns-01", "chain", "dns", "failed", NULL, false, false},
    {"x.bogus.example", "dns-01", "x", "dns", "bogus", BOGUS, false, false},
    {"nowhere.bogus.example", "dns-01", "x", "dns", "bogus", BOGUS, false, false},
    {"tobogus.good.example", "dns-01", "tobogus", "dns", "bogus", BOGUS, false, false},
    {"x.broken.example", "dns-01", "x", "dns", "SERVFAIL", INSECURE, false, false},
    {"tobroken.good.example", "dns-01", "tobroken", "dns", "SERVFAIL", INSECURE, false, false},
    {"x.lame.example", "dns-01", "x", "unauthorized", "There is no TXT record", INSECURE, false, false},
    {"127.0.0.1", "dns-01", "x", "serverInternal", "does not know", NULL, false, false},

    /* dns-account-01 */
    {"acct.good.example", "dns-account-01", "acct", NULL, NULL, SECURE, false, false},
    {"*.acct.good.example", "dns-account-01", "acct", NULL, NULL, SECURE, false, false},
    {"acct2.good.example", "dns-account-01", "acct2", "unauthorized", "_acme-challenge.acct2", SECURE, false,
     false},
    {"acct3.good.example", "dns-account-01", "acct3", "unauthorized", "NXDOMAIN", SECURE, false, false},

    /* dns-persist-01 */
    {"p.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"ppolicy.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"*.ppolicy.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"puntil.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"pmany.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"palias.good.example", "dns-persist-01", "", NULL, "palias.dcv.good.example", SECURE, false, false},
    {"203.0.114.7", "dns-persist-01", "", NULL, NULL, INSECURE, false, false},
    {"2001:470::7", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"203.0.114.8", "dns-persist-01", "", "unauthorized", "_ip-validation-persist.8.114.0.203", INSECURE,
     false, false},
    {"*.p.good.example", "dns-persist-01", "", "unauthorized", "policy=wildcard", SECURE, false, false},
    /* A domain above shows it when its record says so; the name's own record, when there is one, says why
       not. */
    {"x.ppolicy.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"a.b.c.ppolicy.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"*.x.ppolicy.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"x.p.good.example", "dns-persist-01", "", "unauthorized", "policy=wildcard", SECURE, false, false},
    {"ppast.ppolicy.good.example", "dns-persist-01", "", NULL, NULL, SECURE, false, false},
    {"x.nowhere.good.example", "dns-persist-01", "", "unauthorized", "NXDOMAIN", SECURE, false, false},
    /* For all names below it: the token stands for that here. */
    {"ppolicy.good.example", "dns-persist-01", "below", NULL, NULL, SECURE, false, false},
    {"p.good.example", "dns-persist-01", "below", "unauthorized", "policy=wildcard", SECURE, false, false},
    {"ppast.good.example", "dns-persist-01", "", "unauthorized", "persistUntil has passed", SECURE, false,
     false},
    {"pnumber.good.example", "dns-persist-01", "", "unauthorized", "number of seconds", SECURE, false, false},
    {"pother.good.example", "dns-persist-01", "", "unauthorized", "another account's", SECURE, false, false},
    {"pnone.good.example", "dns-persist-01", "", "unauthorized", "no accounturi", SECURE, false, false},
    {"pca.good.example", "dns-persist-01", "", "unauthorized", "another CA", SECURE, false, false},
    {"pbad.good.example", "dns-persist-01", "", "unauthorized", "grammar", SECURE, false, false},
    {"ptwice.good.example", "dns-persist-01", "", "unauthorized", "more than one accounturi", SECURE, false,
     false},
    {"plabel.good.example", "dns-persist-01", "", "unauthorized", "NXDOMAIN", SECURE, false, false},
    {"x.bogus.example", "dns-persist-01", "", "dns", "bogus", BOGUS, false, false},

    /* by hand */
    {"hand.good.example", "dns-change", "_lintel", NULL, NULL, SECURE, false, false},
    {"*.hand.good.example", "dns-change", "_lintel", NULL, NULL, SECURE, false, false},
    {"hand2.good.example", "dns-change", "", "serverInternal", "underscore", "", false, false},
    {"hand2.good.example", "dns-change", "_acme-challenge", "serverInternal", "the one place", "", false,
     false},
    {"hand3.good.example", "dns-change", "_lintel", NULL, RANDOM ".dcv.plain.example", NULL, false, false},
    {"hand7.good.example", "dns-change", "_lintel", "incorrectResponse", RANDOM, SECURE, false, false},
    {"hand8.good.example", "dns-change", "_lintel", "unauthorized", RANDOM, SECURE, false, false},
    {"web.good.example", "website-change", "lintel.txt", NULL, NULL, SECURE, false, false},
    {"127.0.0.1", "website-change", "lintel.txt", NULL, NULL, "none", false, false},
    {"web.good.example", "website-change", "", "serverInternal", "the one place", "", false, false},
    {"web.good.example", "website-change", "value.txt", "serverInternal", "the one place", "", false, false},
    {"web.good.example", "website-change", "../plain", "serverInternal", "the one place", "", false, false},
    {"web.good.example", "website-change", "x" RANDOM, "serverInternal", "the one place", "", false, false},
    {"*.web.good.example", "website-change", "lintel.txt", "malformed", "wildcard", "", false, false},

    /* http-01 */
    {"web.good.example", "http-01", "plain", NULL, NULL, SECURE, false, false},
    {"cname.good.example", "http-01", "plain", NULL, "web.good.example", SECURE, false, false},
    {"six.good.example", "http-01", "plain", NULL, NULL, SECURE, false, false},
    {"mixed.good.example", "http-01", "plain", NULL, NULL, SECURE, false, false},
    {"web.plain.example", "http-01", "plain", NULL, NULL, INSECURE, false, false},
    {"127.0.0.1", "http-01", "plain", NULL, NULL, "none", false, false},
    {"::1", "http-01", "plain", NULL, NULL, "none", false, false},
    {"*.web.good.example", "http-01", "plain", "malformed", "wildcard", "", false, false},
    {"web.good.example", "http-01", "wrong", "incorrectResponse", "something", SECURE, false, false},
    {"web.good.example", "http-01", "circle", "connection", "circle", SECURE, false, false},
    {"web.good.example", "http-01", "see", "unauthorized", "answered 303", SECURE, false, false},
    {"web.good.example", "http-01", "huge", "incorrectResponse", "key authorization", SECURE, false, false},
    {"web.good.example", "http-01", "reset", "connection", "reset", SECURE, false, false},
    {"web.good.example", "http-01", "tobogus", "dns", "bogus", BOGUS, false, false},
    {"web.bogus.example", "http-01", "plain", "dns", "bogus", BOGUS, false, false},
    {"tobogus.good.example", "http-01", "plain", "dns", "bogus", BOGUS, false, false},
    {"web.broken.example", "http-01", "plain", "dns", "SERVFAIL", INSECURE, false, false},
    {"web.lame.example", "http-01", "plain", "dns", "neither", INSECURE, false, false},
    {"nowhere.good.example", "http-01", "plain", "dns", "NXDOMAIN", SECURE, false, false},
    {"noaddress.good.example", "http-01", "plain", "dns", "neither an AAAA nor an A", SECURE, false, false},
    {"private.good.example", "http-01", "plain", "dns", "private use", SECURE, false, true},
    {"mapped.good.example", "http-01", "plain", "dns", "IPv4-mapped", SECURE, false, true},
    {"meta.good.example", "http-01", "plain", "dns", "link local", SECURE, false, true},
    {"web.good.example", "http-01", "plain", "dns", "loopback", SECURE, false, true},
    {"10.0.0.1", "http-01", "plain", "dns", "private use", "none", false, true},
    {"fe80::1", "http-01", "plain", "dns", "not global unicast", "none", false, true},
    {"p.onion", "http-01", "plain", "rejectedIdentifier", "onion", "", false, false},
    {"1.0.0.127.in-addr.arpa", "dns-01", "x", "rejectedIdentifier", "reverse zone", "", false, false},
    {"web.good.example", "email-constructed", "", "serverInternal", "no mail address", "", false, false},
    {"127.0.0.1", "email-constructed", "", "serverInternal", "does not know", "", false, false},
    {"web.good.example", "http-02", "x", "serverInternal", "does not know", "", false, false},

    /* tls-alpn-01 */
    {"good.alpn.good.example", "tls-alpn-01", "tls", NULL, NULL, SECURE, false, false},
    {"good.six.good.example", "tls-alpn-01", "tls", NULL, NULL, SECURE, false, false},
    {"127.0.0.1", "tls-alpn-01", "tls", NULL, NULL, "none", false, false},
    {"twoids.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "more than one acmeIdentifier",
     SECURE, false, false},
    {"noid.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "no acmeIdentifier", SECURE, false,
     false},
    {"soft.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "not critical", SECURE, false,
     false},
    {"wrong.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "another key authorization",
     SECURE, false, false},
    {"short.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "no digest", SECURE, false, false},
    {"raw.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "no digest", SECURE, false, false},
    {"extra.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "more or fewer than one name",
     SECURE, false, false},
    {"extraip.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "more or fewer than one name",
     SECURE, false, false},
    {"other.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "another name", SECURE, false,
     false},
    {"star.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "another name", SECURE, false,
     false},
    {"email.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "another name", SECURE, false,
     false},
    {"nosan.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "subjectAltName", SECURE, false,
     false},
    {"signed.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "self-signed", SECURE, false,
     false},
    {"forged.alpn.good.example", "tls-alpn-01", "tls", "incorrectResponse", "self-signed", SECURE, false,
     false},
    {"http.alpn.good.example", "tls-alpn-01", "tls", "tls", "TLS with", SECURE, false, false},
    {"none.alpn.good.example", "tls-alpn-01", "tls", "unauthorized", "does not speak acme-tls/1", SECURE,
     false, false},
    {"unknown.alpn.good.example", "tls-alpn-01", "tls", "tls", "TLS with", SECURE, false, false},
    {"127.0.0.2", "tls-alpn-01", "tls", "connection", "refused", "none", false, false},
    {"*.good.alpn.good.example", "tls-alpn-01", "tls", "malformed", "wildcard", "", false, false},
    {"good.alpn.good.example", "tls-alpn-01", "tls", "dns", "loopback", SECURE, false, true},

    /* CAA beside a proof that succeeds */
    {"w.good.example", "http-01", "plain", NULL, "no CAA record between", SECURE, true, false},
    {"mine.good.example", "http-01", "plain", NULL, "names this CA", SECURE, true, false},
    {"a.b.mine.good.example", "http-01", "plain", NULL, "names this CA", SECURE, true, false},
    {"both.good.example", "http-01", "plain", NULL, "names this CA", SECURE, true, false},
    {"tolerant.good.example", "http-01", "plain", NULL, "names this CA", SECURE, true, false},
    {"mail.good.example", "http-01", "plain", NULL, "restricts nothing", SECURE, true, false},
    {"account2.good.example", "http-01", "plain", NULL, "names this CA", SECURE, true, false},
    {"method2.good.example", "http-01", "plain", NULL, "names this CA", SECURE, true, false},
    {"127.0.0.1", "http-01", "plain", NULL, NULL, "none", true, false}, /* an address has no CAA */
    {"*.wild2.good.example", "dns-01", "wild2", NULL, "names this CA", SECURE, true, false},
    {"*.wild3.good.example", "dns-01", "wild3", NULL, "names this CA", SECURE, true, false},
    {"wild.good.example", "dns-01", "wild", NULL, "names this CA", SECURE, true, false},
    {"*.wild.good.example", "dns-01", "wild", "caa", "issuewild", SECURE, true, false},
    {"wild2.good.example", "dns-01", "wild2", "caa", "names another CA", SECURE, true, false},
    {"deny.good.example", "http-01", "plain", "caa", "by the records of deny.good.example", SECURE, true,
     false},
    {"x.deny.good.example", "http-01", "plain", "caa", "by the records of deny.good.example", SECURE, true,
     false},
    {"a.b.deny.good.example", "http-01", "plain", "caa", "by the records of deny.good.example", SECURE, true,
     false},
    {"a.b.locked", "http-01", "plain", "caa", "by the records of locked", SECURE, true, false},
    {"theirs.good.example", "http-01", "plain", "caa", "names another CA", SECURE, true, false},
    {"critical.good.example", "http-01", "plain", "caa", "critical property future", SECURE, true, false},
    {"grammar.good.example", "http-01", "plain", "caa", "grammar", SECURE, true, false},
    {"account.good.example", "http-01", "plain", "caa", "another account", SECURE, true, false},
    {"method.good.example", "http-01", "plain", "caa", "validation method", SECURE, true, false},
    {"byhand.good.example", "website-change", "lintel.txt", NULL, "names this CA", SECURE, true, false},
    {"byhand2.good.example", "website-change", "lintel.txt", "caa", "validation method", SECURE, true, false},
    {"byhand.good.example", "http-01", "plain", "caa", "validation method", SECURE, true, false},
    {"byhand.good.example", "caa", "website-change", NULL, "names this CA", "", true, false},
    {"x.under.good.example", "http-01", "plain", "caa", "names another CA", SECURE, true, false},
    {"x.bogusabove.good.example", "http-01", "plain", "dns", "CAA at bogusabove.good.example is bogus",
     SECURE, true, false},
    {"x.brokenabove.good.example", "http-01", "plain", "dns", "CAA at brokenabove.good.example failed",
     SECURE, true, false},
    {"web.good.example", "http-01", "wrong", "incorrectResponse", "something", SECURE, true, false},

    /* CAA alone, as it is asked again before issuance; the token is the method of the proof */
    {"w.good.example", "caa", "http-01", NULL, "no CAA record between", "", true, false},
    {"method.good.example", "caa", "dns-01", NULL, "names this CA", "", true, false},
    {"method.good.example", "caa", "http-01", "caa", "validation method", "", true, false},
    {"todeny.good.example", "caa", "http-01", "caa", "names another CA", "", true, false},
    {"nowhere.deny.good.example", "caa", "http-01", "caa", "by the records of deny", "", true, false},
    {"nowhere.good.example", "caa", "http-01", NULL, "no CAA record between", "", true, false},
    {"x.bogus.example", "caa", "http-01", "dns", "bogus", "", true, false},
    {"x.broken.example", "caa", "http-01", "dns", "SERVFAIL", "", true, false},
    {"*.wild.good.example", "caa", "dns-01", "caa", "issuewild", "", true, false},
};

/* --- the world ------------------------------------------------------------------------------------------ */

static struct signed_world *dns;
static char *texts[LT_COUNT(zones)];

static void digest_of(const char *token, char *ret_text, size_t size)
{
    char authorization[128];
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct lt_buf out;
    (void)snprintf(authorization, sizeof authorization, "%s" KEY, token);
    crypto_sha256(lt_slice_cstr(authorization), hash);
    lt_buf_init(&out, 128);
    lt_base64url_add(&out, LT_SLICE(hash, sizeof hash));
    (void)snprintf(ret_text, size, "%s", lt_buf_cstr(&out));
    lt_buf_done(&out);
}

static void add_placeholder(struct lt_buf *out, const char *name, size_t len)
{
    char token[32];
    char digest[64];
    char label[VALIDATE_ACCOUNT_LABEL];
    uint8_t hash[CRYPTO_SHA256_LEN];
    if (len == 1) {
        crypto_sha256(LT_LIT(ACCOUNT), hash);
        validate_account_label(hash, label);
        lt_buf_add_cstr(out, label);
    } else if (name[1] == ':') {
        (void)snprintf(token, sizeof token, "%.*s", (int)len - 2, name + 2);
        digest_of(token, digest, sizeof digest);
        lt_buf_addf(out, "%.*s", name[0] == 'A' ? 20 : 64, name[0] == 'B' ? digest + 20 : digest);
    } else if (name[0] == 'l') { /* texts longer than a sentence, than a kilobyte, than four */
        lt_buf_addf(out, "_validation-persist.plong TXT \"%s\"\n", long_record);
        lt_buf_addf(out, "clong A 127.0.0.1\nclong CAA 0 issue \"%s\"\n", long_caa);
        lt_buf_add_cstr(out, "_acme-challenge.over TXT");
        for (unsigned i = 0; i < 9; i++) {
            lt_buf_addf(out, " \"%u%0199u\"", i, i);
        }
        lt_buf_add_cstr(out, "\n");
        for (unsigned i = 0; i < 30; i++) {
            lt_buf_addf(out, "_acme-challenge.fill TXT \"%02u%0198u\"\n", i, i);
            lt_buf_addf(out, "cfill CAA 0 issue \"ca.example; x=%0190u\"\n", i);
        }
        lt_buf_add_cstr(out, "cfill A 127.0.0.1\n_acme-challenge.raw TXT \"a\\000b\\255\\\\c\"\n");
    } else if (name[0] == 'c') {
        for (unsigned i = 0; i < 20; i++) { /* twenty aliases */
            lt_buf_addf(out, "c%u CNAME c%u\n", i, i + 1);
        }
        digest_of("chain", digest, sizeof digest);
        lt_buf_addf(out, "c20 TXT \"%s\"\n", digest);
    } else {
        for (unsigned i = 0; i < 40; i++) {
            lt_buf_addf(out, "_acme-challenge.many TXT \"filler %u %0120u\"\n", i, i);
        }
        digest_of("many", digest, sizeof digest);
        lt_buf_addf(out, "_acme-challenge.many TXT \"%s\"\n", digest);
    }
}

static char *fill(const char *text)
{
    struct lt_buf out;
    lt_buf_init(&out, 128 * 1024);
    while (*text != '\0') {
        size_t plain = strcspn(text, "{");
        lt_buf_add(&out, LT_SLICE(text, plain));
        text += plain;
        if (*text == '{') {
            size_t len = strcspn(text, "}");
            add_placeholder(&out, text + 1, len - 1);
            text += len + 1;
        }
    }
    assert_false(out.overflow);
    char *copy = strdup(lt_buf_cstr(&out));
    lt_buf_done(&out);
    return copy;
}

static int set_up_dns(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(zones); i++) {
        texts[i] = fill(zones[i].records == NULL ? good_records : zones[i].records);
        zones[i].records = texts[i];
    }
    dns = signed_new(zones, LT_COUNT(zones));
    return 0;
}

static int tear_down_dns(void **state)
{
    (void)state;
    signed_free(dns);
    for (size_t i = 0; i < LT_COUNT(zones); i++) {
        free(texts[i]);
    }
    return 0;
}

/* --- asking --------------------------------------------------------------------------------------------- */

struct rig {
    struct event_base *base;
    struct world *world;
    struct validate_engine *engines[2]; /* the second refuses private addresses */
    char resolver[64];
    unsigned count;
    bool ok;
    char type[64];
    char detail[1024];
    char dnssec[32];
    char chain[1024]; /* and CAA's why */
    char looked_up[1024];
    char records[8192];
    char iodef[256];
    char ruleset[64];
    char asked[512];
    char above[128];
    char caa_records[8192];
    size_t caa_digest_len;
    uint8_t digest[32];
    char resolver_said[128];
    size_t digest_len;
    uint32_t ttl;
    bool caa;
    bool caa_checked;
};

static void join(char *out, size_t size, char *const *list, size_t count)
{
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(out);
        (void)snprintf(out + len, size - len, "%s%s", i > 0 ? " " : "", list[i]);
    }
}

static void note(void *self, uint64_t id, const Ipc__Validated *v)
{
    struct rig *r = self;
    (void)id;
    r->count++;
    r->ok = v->ok;
    (void)snprintf(r->type, sizeof r->type, "%s", v->problem == NULL ? "" : v->problem->type);
    (void)snprintf(r->detail, sizeof r->detail, "%s", v->problem == NULL ? "" : v->problem->detail);
    (void)snprintf(r->dnssec, sizeof r->dnssec, "%s", v->dnssec);
    (void)snprintf(r->ruleset, sizeof r->ruleset, "%s", v->ruleset);
    (void)snprintf(r->resolver_said, sizeof r->resolver_said, "%s", v->resolver);
    join(r->chain, sizeof r->chain, v->chain, v->n_chain);
    join(r->records, sizeof r->records, v->records, v->n_records);
    r->digest_len = v->answer_sha256.len;
    if (r->digest_len == sizeof r->digest) {
        memcpy(r->digest, v->answer_sha256.data, sizeof r->digest);
    }
    (void)snprintf(r->asked, sizeof r->asked, "%s", v->asked);
    (void)snprintf(r->above, sizeof r->above, "%s", v->above);
    r->caa_records[0] = '\0';
    r->caa_digest_len = 0;
    r->ttl = v->ttl;
    r->caa = v->caa != NULL;
    r->looked_up[0] = '\0';
    r->iodef[0] = '\0';
    if (v->caa != NULL) {
        size_t len = strlen(r->chain);
        (void)snprintf(r->chain + len, sizeof r->chain - len, " | %s", v->caa->why);
        join(r->caa_records, sizeof r->caa_records, v->caa->records, v->caa->n_records);
        r->caa_digest_len = v->caa->records_sha256.len;
        join(r->looked_up, sizeof r->looked_up, v->caa->looked_up, v->caa->n_looked_up);
        join(r->iodef, sizeof r->iodef, v->caa->iodef, v->caa->n_iodef);
        r->caa_checked = v->caa->checked;
    }
    if (v->ok) {
        assert_true(v->caa == NULL || (v->caa->checked && v->caa->permitted && v->caa->checked_us > 0));
        assert_null(v->problem);
    }
    assert_true(v->finished_us >= v->started_us && v->started_us > 0);
}

static bool set_up(struct rig *r)
{
    memset(r, 0, sizeof *r);
    if (dns == NULL) {
        return false;
    }
    r->base = event_base_new();
    r->world = world_new(r->base, NULL, 0, pages, LT_COUNT(pages));
    alpn_serve(world_tls(r->world), "tls" KEY);
    (void)snprintf(r->resolver, sizeof r->resolver, "127.0.0.1@%u", signed_port(dns));
    struct validate_options o = {
        .resolver = r->resolver,
        .trust_anchor = signed_anchor(dns),
        .http_port = world_http_port(r->world),
        .https_port = world_tls_port(r->world),
        .allow_private = true,
        .connect_timeout_ms = CONNECT_MS,
        .total_timeout_ms = TOTAL_MS,
        .now = lt_now,
        .build = "test",
        .perspective = "primary",
    };
    assert_ok(validate_engine_new(r->base, &o, note, r, &r->engines[0]));
    o.allow_private = false;
    assert_ok(validate_engine_new(r->base, &o, note, r, &r->engines[1]));
    return true;
}

static void tear_down(struct rig *r)
{
    validate_engine_free(r->engines[0]);
    validate_engine_free(r->engines[1]);
    alpn_done();
    world_free(r->world);
    event_base_free(r->base);
}

static void ask(struct rig *r, const struct scene *s, const char *expected, int64_t expires_us)
{
    static uint8_t nonce[4] = {1, 2, 3, 4};
    static char issuer[] = "ca.example";
    char *issuers[] = {issuer};
    bool wildcard = s->name[0] == '*';
    bool address = strspn(s->name, "0123456789.") == strlen(s->name) || strchr(s->name, ':') != NULL;
    bool persist = strcmp(s->method, "dns-persist-01") == 0;
    char text[6][256];
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    Ipc__Validate v = IPC__VALIDATE__INIT;
    (void)snprintf(text[0], sizeof text[0], "%s", s->name + (wildcard ? 2 : 0));
    (void)snprintf(text[1], sizeof text[1], "%s", address ? "ip" : "dns");
    (void)snprintf(text[2], sizeof text[2], "%s", s->method);
    const struct validate_method *m = validate_method_find(s->method, "dns");
    bool token = m != NULL && m->acme && !m->persistent;
    (void)snprintf(text[3], sizeof text[3], "%s%s", persist ? "" : s->token, token ? WORLD_TOKEN : "");
    (void)snprintf(text[4], sizeof text[4], "%s" KEY, s->token);
    (void)snprintf(text[5], sizeof text[5], "%s", expected);
    identifier.value = text[0];
    identifier.type = text[1];
    v.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    v.identifier = &identifier;
    v.method = text[2];
    v.token = text[3];
    v.key_authorization = text[4];
    v.expected = text[5];
    v.wildcard = wildcard;
    v.expires_us = expires_us;
    char account[] = ACCOUNT;
    v.account_uri = account;
    v.issuer_domains = issuers;
    v.n_issuer_domains = s->caa || persist ? 1 : 0;
    char topmost[] = "good.example"; /* as the registrar says: the registry's part is above it */
    v.topmost = topmost;
    v.subdomains = persist && s->token[0] != '\0';
    unsigned before = r->count;
    assert_ok(validate_start(r->engines[s->public_only ? 1 : 0], 1, &v));
    while (r->count == before) {
        assert_int_equal(event_base_loop(r->base, EVLOOP_ONCE), 0);
    }
}

static bool as_expected(const struct rig *r, const struct scene *s)
{
    const char *type = s->problem == NULL ? "" : s->problem;
    const char *where = s->problem == NULL ? r->chain : r->detail;
    return r->ok == (s->problem == NULL) && strcmp(r->type, type) == 0 &&
           (s->words == NULL || strstr(where, s->words) != NULL) &&
           (s->dnssec == NULL || strcmp(r->dnssec, s->dnssec) == 0);
}

static void test_scenes(void **state)
{
    struct rig r;
    unsigned hostile = 0;
    unsigned bad = 0;
    (void)state;
    if (!set_up(&r)) {
        skip();
    }
    for (size_t i = 0; i < LT_COUNT(scenes); i++) {
        const struct scene *s = &scenes[i];
        ask(&r, s, RANDOM, 0);
        hostile += s->problem != NULL ? 1 : 0;
        if (!as_expected(&r, s)) {
            print_error("%s %s %s: %s \"%s\" (%s; %s)\n", s->name, s->method, s->token,
                        r.ok ? "valid" : r.type, r.detail, r.dnssec, r.chain);
            bad++;
        }
        if (r.ok && strcmp(s->method, "caa") != 0) {
            assert_int_equal(r.digest_len, 32);
        }
    }
    assert_int_equal(bad, 0);
    print_message("%zu validations, %u of them hostile\n", LT_COUNT(scenes), hostile);
    assert_true(hostile >= 60);
    tear_down(&r);
}

/* What a statement must hold, so that it can be judged again years later. */
static void test_evidence(void **state)
{
    struct rig r;
    (void)state;
    if (!set_up(&r)) {
        skip();
    }
    const struct scene deny = {"a.b.deny.good.example", "http-01", "plain", "caa", NULL, NULL, true, false};
    ask(&r, &deny, "", 0);
    assert_string_equal(r.looked_up, "a.b.deny.good.example b.deny.good.example deny.good.example");
    assert_string_equal(r.iodef, "mailto:sec@good.example");
    assert_string_equal(r.ruleset, "BR 2.2.6 3.2.2.4.19");
    assert_non_null(strstr(r.resolver_said, "validating"));
    const struct scene none = {"w.good.example", "caa", "http-01", NULL, NULL, NULL, true, false};
    ask(&r, &none, "", 0);
    assert_string_equal(r.looked_up, "w.good.example good.example example");
    assert_string_equal(r.ruleset, "BR 2.2.6 3.2.2.8");
    const struct scene alias = {"alias3.good.example", "dns-01", "alias3", NULL, NULL, NULL, false, false};
    ask(&r, &alias, "", 0);
    assert_string_equal(r.chain, "_acme-challenge.alias3.good.example hop1.good.example hop2.good.example "
                                 "hop3.good.example");
    char digest[64];
    digest_of("alias3", digest, sizeof digest);
    assert_string_equal(r.records, digest);
    assert_true(r.ttl > 0 && r.ttl <= 60);
    assert_string_equal(r.ruleset, "BR 2.2.6 3.2.2.4.7");
    const struct scene failed = {
        "x.brokenabove.good.example", "caa", "http-01", "dns", NULL, NULL, true, false};
    ask(&r, &failed, "", 0);
    assert_true(r.caa);
    assert_false(r.caa_checked); /* a look-up that failed is no check */
    const struct scene address = {"127.0.0.1", "tls-alpn-01", "tls", NULL, NULL, NULL, false, false};
    ask(&r, &address, "", 0);
    assert_string_equal(alpn_last_name(), "1.0.0.127.in-addr.arpa");
    assert_string_equal(r.ruleset, "BR 2.2.6 3.2.2.5.7");
    tear_down(&r);
}

/* Whole, or with the length and digest of what is longer; and a set of records has a digest in every case. */
static void test_whole(void **state)
{
    static const struct scene rows[] = {
        {"plong.good.example", "dns-persist-01", "", NULL, NULL, NULL, false, false},
        {"clong.good.example", "http-01", "plain", NULL, NULL, NULL, true, false},
        {"over.good.example", "dns-01", "over", "incorrectResponse", NULL, NULL, false, false},
        {"fill.good.example", "dns-01", "fill", "incorrectResponse", NULL, NULL, false, false},
        {"cfill.good.example", "http-01", "plain", NULL, NULL, NULL, true, false},
        {"raw.good.example", "dns-01", "raw", "incorrectResponse", NULL, NULL, false, false},
    };
    struct rig r;
    uint8_t first[32];
    (void)state;
    if (!set_up(&r)) {
        skip();
    }
    ask(&r, &rows[0], "", 0);
    assert_true(r.ok);
    assert_true(sizeof long_record > 101);
    assert_string_equal(r.records, long_record);
    ask(&r, &rows[1], "", 0);
    assert_true(r.ok);
    assert_true(sizeof long_caa > 101);
    assert_non_null(strstr(r.caa_records, long_caa));
    assert_int_equal(r.caa_digest_len, 32);
    ask(&r, &rows[2], "", 0);
    assert_non_null(strstr(r.records, "... (1800 bytes, SHA-256 "));
    assert_true(strlen(r.records) > 1024 && strlen(r.records) < 1024 + 128);
    assert_non_null(strstr(r.detail, "\xe2\x80\xa6\"")); /* the sentence says that it is cut */
    assert_int_equal(r.digest_len, 32);
    ask(&r, &rows[3], "", 0);
    assert_non_null(strstr(r.records, " more, not shown)"));
    assert_true(strlen(r.records) < 4096 + 512);
    memcpy(first, r.digest, sizeof first);
    ask(&r, &rows[3], "", 0); /* whichever order they come in */
    assert_memory_equal(r.digest, first, sizeof first);
    ask(&r, &rows[4], "", 0);
    assert_true(strlen(r.caa_records) > 2048 && strlen(r.caa_records) < 4096 + 512);
    assert_int_equal(r.caa_digest_len, 32);
    ask(&r, &rows[5], "", 0);
    assert_string_equal(r.records, "a\\000b\\255\\\\c");
    tear_down(&r);
}

/* What was asked, so that a question that was put wrongly can be found again. */
static void test_asked(void **state)
{
    static const struct {
        struct scene scene;
        const char *asked;
        const char *above;
    } rows[] = {
        {{"ok.good.example", "dns-01", "ok", NULL, NULL, NULL, false, false},
         "_acme-challenge.ok.good.example TXT",
         ""},
        {{"bare.good.example", "dns-01", "bare", "unauthorized", NULL, NULL, false, false},
         "_acme-challenge.bare.good.example TXT",
         ""},
        {{"hand.good.example", "dns-change", "_lintel", NULL, NULL, NULL, false, false},
         "_lintel.hand.good.example TXT",
         ""},
        {{"ppolicy.good.example", "dns-persist-01", "", NULL, NULL, NULL, false, false},
         "_validation-persist.ppolicy.good.example TXT",
         ""},
        {{"a.b.ppolicy.good.example", "dns-persist-01", "", NULL, NULL, NULL, false, false},
         "_validation-persist.ppolicy.good.example TXT",
         "ppolicy.good.example"},
        {{"web.good.example", "http-01", "plain", NULL, NULL, NULL, false, false},
         "http://web.good.example:{http}/.well-known/acme-challenge/plain" WORLD_TOKEN,
         ""},
        {{"web.good.example", "website-change", "lintel.txt", NULL, NULL, NULL, false, false},
         "http://web.good.example:{http}/.well-known/pki-validation/lintel.txt",
         ""},
        {{"127.0.0.1", "tls-alpn-01", "tls", NULL, NULL, NULL, false, false},
         "127.0.0.1 port {tls}, acme-tls/1, server name 1.0.0.127.in-addr.arpa",
         ""},
        {{"w.good.example", "caa", "http-01", NULL, NULL, NULL, true, false}, "", ""},
    };
    struct rig r;
    (void)state;
    if (!set_up(&r)) {
        skip();
    }
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        char want[512];
        const char *brace = strchr(rows[i].asked, '{');
        const char *rest = brace == NULL ? "" : strchr(brace, '}') + 1;
        size_t len = brace == NULL ? strlen(rows[i].asked) : (size_t)(brace - rows[i].asked);
        unsigned port = brace == NULL     ? 0
                        : brace[1] == 'h' ? world_http_port(r.world)
                                          : world_tls_port(r.world);
        char number[16] = "";
        if (brace != NULL) {
            (void)snprintf(number, sizeof number, "%u", port);
        }
        (void)snprintf(want, sizeof want, "%.*s%s%s", (int)len, rows[i].asked, number, rest);
        ask(&r, &rows[i].scene, RANDOM, 0);
        assert_string_equal(r.asked, want);
        assert_string_equal(r.above, rows[i].above);
    }
    tear_down(&r);
}

/* Bugzilla 1910322: for five years a path of one CA asked for names like RANDOM.example.com, without the
 * underscore that keeps them out of the reach of those who may make host names in a zone. */
static void test_digicert_2024_underscore(void **state)
{
    static const struct scene rows[] = {
        {"hand5.good.example", "dns-change", "lintel", "serverInternal", "underscore", "", false, false},
        {"hand6.good.example", "dns-change", RANDOM, "serverInternal", "underscore", "", false, false},
        {"hand4.good.example", "dns-change", "hand4", "serverInternal", "underscore", "", false, false},
        {"hand5.good.example", "dns-change", "x_", "serverInternal", "underscore", "", false, false},
        {"hand5.good.example", "dns-change", "_lintel.x", "serverInternal", "underscore", "", false, false},
        {"hand5.good.example", "dns-change", "_", "serverInternal", "underscore", "", false, false},
        /* the record is there without it: with it, it is not found */
        {"hand5.good.example", "dns-change", "_lintel", "unauthorized", RANDOM, SECURE, false, false},
        {"hand.good.example", "dns-change", "_lintel", NULL, NULL, SECURE, false, false},
    };
    struct rig r;
    (void)state;
    if (!set_up(&r)) {
        skip();
    }
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        ask(&r, &rows[i], RANDOM, 0);
        if (!as_expected(&r, &rows[i])) {
            print_error("%s %s: %s \"%s\"\n", rows[i].name, rows[i].token, r.type, r.detail);
        }
        assert_true(as_expected(&r, &rows[i]));
    }
    tear_down(&r);
}

/* A random value or token of thirty days ago, and none at all. */
static void test_too_old(void **state)
{
    static const char *const methods[] = {"dns-change", "dns-01", "http-01", "website-change", "tls-alpn-01"};
    const struct scene fresh = {
        "hand.good.example", "dns-change", "_lintel", NULL, NULL, SECURE, false, false};
    struct rig r;
    (void)state;
    if (!set_up(&r)) {
        skip();
    }
    for (size_t i = 0; i < LT_COUNT(methods); i++) {
        const char *place = strcmp(methods[i], "website-change") == 0 ? "lintel.txt" : "_lintel";
        const struct scene s = {"hand.good.example", methods[i], place, NULL, NULL, NULL, false, false};
        ask(&r, &s, RANDOM, lt_now().us - 1000000);
        assert_string_equal(r.type, "unauthorized");
        assert_non_null(strstr(r.detail, "too old"));
    }
    ask(&r, &fresh, RANDOM, lt_now().us + 1000000000);
    assert_true(r.ok);
    ask(&r, &fresh, "", 0);
    assert_string_equal(r.type, "serverInternal");
    assert_non_null(strstr(r.detail, "no random value"));
    tear_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenes),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_digicert_2024_underscore),
        cmocka_unit_test(test_too_old),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* of our own servers, when a client leaves */
    crypto_start();
    return cmocka_run_group_tests(tests, set_up_dns, tear_down_dns);
}
