#ifndef VALIDATE_CAA_H
#define VALIDATE_CAA_H
/* Certification Authority Authorization: one property out of its bytes, and what a record set says of one
 * question (RFC 8659, RFC 8657; RFC 9495's issuemail is known and says nothing about TLS). Sans-I/O: who
 * climbs the tree and asks is caa_climb.c.
 *
 * What does not parse is never permission: a property of ours that breaks its grammar forbids, an unknown one
 * that is critical forbids.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

enum {
    VALIDATE_CAA_CRITICAL = 0x80,
    VALIDATE_CAA_MAX = 64,         /* properties of one set; more forbid */
    VALIDATE_CAA_VALUE_MAX = 1024, /* bytes of a value; longer ones break the grammar here */
    VALIDATE_CAA_PARAMETERS_MAX = 16,
};

enum validate_caa_tag {
    VALIDATE_CAA_UNKNOWN,
    VALIDATE_CAA_ISSUE,
    VALIDATE_CAA_ISSUEWILD,
    VALIDATE_CAA_IODEF,
    VALIDATE_CAA_OTHER, /* known, and nothing to us: issuemail, issuevmc, contactemail, contactphone */
};

struct validate_caa_property {
    uint8_t flags;
    enum validate_caa_tag tag;
    lt_slice name; /* of the tag, as it stands */
    lt_slice value;
};

/* RDATA of a CAA record. LT_PEER_MALFORMED: too short, or a tag that is no letters and digits. Borrows. */
LT_MUST_USE lt_res validate_caa_parse(lt_slice rdata, struct validate_caa_property *ret_property);
/* Presentation form: 128 issue "ca.example; accounturi=…". Control characters and quotes are escaped. */
void validate_caa_text(const struct validate_caa_property *p, struct lt_buf *out);

/* An issue value taken apart (RFC 8659 4.2); dns-persist-01 writes in the same grammar. Borrows. */
struct validate_issue_value {
    lt_slice domain; /* empty: nobody */
    struct {
        lt_slice name;
        lt_slice value;
    } parameters[VALIDATE_CAA_PARAMETERS_MAX];
    size_t count;
};

/* False: it breaks the grammar. */
bool validate_issue_read(lt_slice text, struct validate_issue_value *ret_value);

struct validate_caa_question {
    const char *const *issuer_domains; /* of this CA; one match is enough */
    size_t issuer_count;
    bool wildcard;
    lt_slice account_uri; /* empty: the request has none, so a property that names one does not fit */
    lt_slice method;      /* "http-01", "dns-01", …, as validationmethods names it */
};

struct validate_caa_verdict {
    bool permitted;
    const char *why;   /* one sentence in the arena, or static */
    size_t decided_by; /* index of the property; the set's count when none did */
};

/* A set that was found, with at least one record. Every property of it is looked at. */
void validate_caa_judge(const struct validate_caa_property *set, size_t count,
                        const struct validate_caa_question *q, struct lt_arena *a,
                        struct validate_caa_verdict *ret_verdict);

#endif
