#ifndef TESTS_UNIT_LINT_FORGE_H
#define TESTS_UNIT_LINT_FORGE_H
/* Objects with one thing changed, and what a rule must say of them.
 *
 *   static const struct forge_row rows[] = {
 *       // a clean base passes
 *       {"lintel_x", "dv", {{0}}, LINT_PASS},
 *       // an extension replaced (or added where there is none): OID, critical, content of extnValue
 *       {"lintel_x", "dv", {FORGE_EXT("2.5.29.15", true, "03 02 01 06")}, LINT_ERROR},
 *       // the same extension twice; one taken out
 *       {"lintel_x", "ev", {FORGE_MORE("2.5.29.15", true, "03020780"), FORGE_CUT("2.5.29.37")}, LINT_WARN},
 *       // names: an RDN each; .with = true stands in the RDN of the one before it
 *       {"lintel_x", "ov", {FORGE_SUBJECT({"2.5.4.6", DER_PRINTABLE_STRING, "DE"})}, LINT_ERROR},
 *       // any part by DER; times by unix seconds; role, profile, issuer, signing time
 *       {"lintel_x", "sub", {FORGE_PUT(FORGE_SERIAL, "020100"), FORGE_TO(1790000000)}, LINT_ERROR,
 *        .role = LINT_ROLE_SUB_CA, .profile = LINT_PROFILE_TLS, .issuer = "root", .at = 1780000000},
 *       {"lintel_x", "crl", {FORGE_PUT(FORGE_ENTRIES, "30{30{020105 17{'260601000000Z'}}}")}, LINT_ERROR},
 *   };
 *   forge_rows(rows, LT_COUNT(rows));
 *
 * Bases: "dv", "dvpre", "dvrsa", "ev", "iv", "ocsp" (a responder's certificate), "ov", "root", "smivs",
 * "smmvs", "smovs", "smsvs", "sub", "subnontls", "subtc": probes/base/NAME.pem of the corpus; with a slash in
 * it any file of the corpus ("zlint/39months.pem"); made here: "crl", "crl-empty", "request" (a CSR),
 * "response" (of OCSP).
 *
 * DER is text: hex pairs with spaces where you like; "30{ … }" counts the length; '…' stands for its
 * characters; (2.5.29.15) is a whole OBJECT IDENTIFIER; [64] repeats the byte that follows it: "0C{[65]'a'}".
 *
 * The tables stand at file scope (the lists of names are compound literals). Missing corpus fails. Signatures
 * are dummies, but for that of a request. */
#include "check.h"

#include "base/arena.h"
#include "der/writer.h"
#include "lint/lint.h"

/* What an object is made of. Each is whole elements, or empty when it is left out. */
enum forge_part {
    FORGE_NO_PART = 0,
    FORGE_VERSION,   /* certificate "A0{020102}", CRL "020101", request "020100", response "" */
    FORGE_SERIAL,    /* certificate */
    FORGE_ALGORITHM, /* of certificate and CRL: the AlgorithmIdentifier, inside and outside */
    FORGE_ISSUER,    /* certificate, CRL; in a response the ResponderID, "A2{04{…}}" */
    FORGE_VALIDITY,  /* certificate; CRL: thisUpdate and nextUpdate; response: producedAt */
    FORGE_SUBJECT_NAME,
    FORGE_SPKI,
    FORGE_UNIQUE_IDS,
    FORGE_ENTRIES,    /* CRL: revokedCertificates; response: responses */
    FORGE_EXTENSIONS, /* instead of the list: certificate "A3{30{…}}", CRL "A0{…}", request "A0{…}"
                         (attributes) */
    FORGE_OUTER_ALGORITHM,
    FORGE_SIGNATURE, /* BIT STRING, and for a response what follows it */
    FORGE_STATUS,    /* response: "0A0100" */
    FORGE_TYPE,      /* response: OID of the response type */
    FORGE_WHOLE,     /* all of the object, instead of everything else */
    FORGE_PART_COUNT,
};

enum forge_how {
    FORGE_NOTHING = 0,
    FORGE_DO_EXT,
    FORGE_DO_MORE,
    FORGE_DO_CUT,
    FORGE_DO_CRITICAL,
    FORGE_DO_PUT,
    FORGE_DO_NAME,
    FORGE_DO_FROM,
    FORGE_DO_TO,
};

struct forge_attribute {
    const char *oid; /* dotted; the list ends with NULL */
    uint32_t type;   /* DER_UTF8_STRING, … */
    const char *value;
    bool hex;  /* value is DER text of the content */
    bool with; /* in the RDN of the one before it */
};

struct forge_edit {
    enum forge_how how;
    enum forge_part part;
    const char *oid;
    const char *der; /* DER text */
    bool critical;
    int64_t seconds;
    const struct forge_attribute *name;
};

#define FORGE_EXT(oid_, critical_, der_)                                           \
    {                                                                              \
        .how = FORGE_DO_EXT, .oid = (oid_), .critical = (critical_), .der = (der_) \
    }
#define FORGE_MORE(oid_, critical_, der_)                                           \
    {                                                                               \
        .how = FORGE_DO_MORE, .oid = (oid_), .critical = (critical_), .der = (der_) \
    }
#define FORGE_CUT(oid_)                    \
    {                                      \
        .how = FORGE_DO_CUT, .oid = (oid_) \
    }
#define FORGE_CRITICAL(oid_, critical_)                                  \
    {                                                                    \
        .how = FORGE_DO_CRITICAL, .oid = (oid_), .critical = (critical_) \
    }
#define FORGE_PUT(part_, der_)                              \
    {                                                       \
        .how = FORGE_DO_PUT, .part = (part_), .der = (der_) \
    }
#define FORGE_NAME(part_, ...)                                                          \
    {                                                                                   \
        .how = FORGE_DO_NAME, .part = (part_), .name = (const struct forge_attribute[]) \
        {                                                                               \
            __VA_ARGS__,                                                                \
            {                                                                           \
                0                                                                       \
            }                                                                           \
        }                                                                               \
    }
#define FORGE_SUBJECT(...) FORGE_NAME(FORGE_SUBJECT_NAME, __VA_ARGS__)
#define FORGE_ISSUED_BY(...) FORGE_NAME(FORGE_ISSUER, __VA_ARGS__)
/* notBefore or thisUpdate or producedAt; notAfter or nextUpdate. */
#define FORGE_FROM(seconds_)                        \
    {                                               \
        .how = FORGE_DO_FROM, .seconds = (seconds_) \
    }
#define FORGE_TO(seconds_)                        \
    {                                             \
        .how = FORGE_DO_TO, .seconds = (seconds_) \
    }

enum { FORGE_EDITS_MAX = 6, FORGE_EXTENSIONS_MAX = 32 };

struct forge_row {
    const char *rule; /* NULL: any; then status is LINT_ERROR (or worse) or LINT_PASS (no error) */
    const char *base;
    struct forge_edit edits[FORGE_EDITS_MAX];
    enum lint_status status;
    enum lint_role role;
    enum lint_profile profile;
    bool bare;                   /* certificate or CRL without signature */
    int64_t at;                  /* signing time, unix seconds; 0: none */
    const char *issuer;          /* base of the issuer's certificate, or NULL */
    const struct lint_input *in; /* the rest of the input, or NULL */
    const char *what;            /* for the message */
};

/* An object in parts. */
struct forge {
    struct lt_arena arena;
    enum lint_kind kind;
    lt_slice part[FORGE_PART_COUNT]; /* in the arena */
    lt_time from;
    lt_time to;
    struct {
        lt_slice oid; /* content */
        bool critical;
        lt_slice value;
    } ext[FORGE_EXTENSIONS_MAX];
    size_t ext_count;
};

/* Every row; prints those that differ with all findings, and fails when there are any. */
void forge_rows(const struct forge_row *rows, size_t count);

/* One by one. */
void forge_open(struct forge *f, const char *base);
void forge_done(struct forge *f);
void forge_edit(struct forge *f, const struct forge_edit *e);
/* The object as it stands now; bare: what would be signed. In the arena. */
lt_slice forge_make(struct forge *f, bool bare);
/* Runs all rules; in may be NULL. Results are valid until forge_done. */
void forge_lint(struct forge *f, const struct lint_input *in, struct lint_results *ret_results);
/* True when the rule says status; otherwise it prints what it said, and all findings. */
bool forge_says(struct forge *f, const struct lint_input *in, const char *rule, enum lint_status status);
#define forge_expect(f_, in_, rule_, status_) assert_true(forge_says((f_), (in_), (rule_), (status_)))

/* DER text to bytes, in the arena. */
lt_slice forge_der(struct lt_arena *a, const char *text);
/* Path of a file of the corpus below lint/. */
const char *forge_path(struct lt_arena *a, const char *below);
/* First object of a PEM file of the corpus, or a file of base64, or of DER. label: at least 32 bytes.
 */
lt_slice forge_load(struct lt_arena *a, const char *below, char *ret_label);

#endif
