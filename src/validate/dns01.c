/* The methods of ACME that ask for a TXT record: dns-01 (RFC 8555 8.4), dns-account-01, dns-persist-01.
 * Aliases are followed to their end, and the chain is told. */
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "validate/dns_txt.h"
#include "validate/engine.h"

lt_slice validate_txt_of(struct validate_job *j, lt_slice rdata)
{
    size_t len = 0;
    bool fits = rdata.len <= sizeof j->txt &&
                !lt_failed(validate_dns_txt(rdata, j->txt, sizeof j->txt, &len));
    lt_slice text = fits ? LT_SLICE(j->txt, len) : (lt_slice){0};
    validate_note_record(j, fits ? text : rdata);
    return text;
}

void validate_txt_timed_out(struct validate_job *j)
{
    validate_job_end(j, "dns", "The look-up of %s gave no answer within %d ms.", j->asked,
                     j->engine->options.total_timeout_ms);
}

static void answered(void *self, const struct validate_dns *answers, size_t count)
{
    struct validate_job *j = self;
    const struct validate_dns *d = answers;
    (void)count; /* one */
    j->lookup = NULL;
    if (j->ended) {
        return;
    }
    validate_note_dnssec(j, d);
    validate_note_chain(j, d);
    if (!validate_dns_unusable(j, d)) {
        j->statement.answer_sha256 = validate_rrset_digest(j, d->message);
        j->judge(j, d);
    }
}

void validate_txt_begin(struct validate_job *j, const char *name,
                        void (*judge)(struct validate_job *j, const struct validate_dns *d))
{
    j->asked = name;
    j->judge = judge;
    validate_note_asked(j, "%s TXT", name);
    if (lt_failed(validate_ask(j->engine->resolver, name, VALIDATE_DNS_TXT, answered, j, &j->lookup))) {
        validate_job_end(j, "dns", "%s cannot be looked up: %s.", name, lt_error_last()->detail);
    }
}

/* No records: says which kind of nothing it was. */
static void end_without(struct validate_job *j, const struct validate_dns *d)
{
    bool alias = d->message->chain_count > 1;
    validate_job_end(j, "unauthorized", "There is no TXT record at %s%s%s (%s).", d->name,
                     alias ? ", which is an alias of " : "",
                     alias ? d->message->chain[d->message->chain_count - 1] : "",
                     d->outcome == VALIDATE_DNS_MISSING ? "NXDOMAIN" : "no records of this type");
}

/*= RFC 8555 8.4 "the SHA-256 digest [FIPS180-4] of the key authorization" */
static char *digest_of(struct validate_job *j)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(lt_slice_cstr(j->request->key_authorization), hash);
    char *text = lt_base64url(&j->arena, LT_SLICE(hash, sizeof hash));
    LT_ASSERT(text != NULL); /* the arena's cap is far off */
    return text;
}

static void judge_digest(struct validate_job *j, const struct validate_dns *d)
{
    const struct validate_dns_message *m = d->message;
    const char *want = digest_of(j);
    bool found = false;
    const char *last = "";
    if (d->outcome != VALIDATE_DNS_FOUND) {
        end_without(j, d);
        return;
    }
    /*= RFC 8555 8.4 "Verify that the contents of one of the TXT records match the digest value" */
    for (size_t i = 0; i < m->count; i++) {
        lt_slice text = validate_txt_of(j, m->records[i]);
        last = validate_shown(j, text);
        found = found || lt_slice_eq_cstr(text, want);
    }
    if (found) {
        validate_job_end(j, NULL, "valid");
        return;
    }
    validate_job_end(j, "incorrectResponse", "The %s at %s%s \"%s\"; one of them must be \"%s\".",
                     m->count == 1 ? "TXT record" : "TXT records", d->name,
                     m->count == 1 ? " is" : " do not fit, the last is", last, want);
}

static char *under(struct validate_job *j, const char *labels)
{
    char *name = lt_arena_printf(&j->arena, "%s.%s", labels, j->request->identifier->value);
    LT_ASSERT(name != NULL); /* as above */
    return name;
}

static void begin_dns01(struct validate_job *j)
{
    validate_txt_begin(j, under(j, "_acme-challenge"), judge_digest);
}

/*= draft-ietf-acme-dns-account-label 3.1 "Construct the validation domain name by prepending" */
static void begin_account(struct validate_job *j)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    char label[VALIDATE_ACCOUNT_LABEL];
    crypto_sha256(lt_slice_cstr(j->request->account_uri), hash);
    validate_account_label(hash, label);
    char *labels = lt_arena_printf(&j->arena, "%s._acme-challenge", label);
    LT_ASSERT(labels != NULL); /* as above */
    validate_txt_begin(j, under(j, labels), judge_digest);
}

/* --- records that stay ---------------------------------------------------------------------------------- */

/* What the records of one answer show; the first refusal, or that of a record which is meant for us. */
struct persist_look {
    bool found;
    const char *why; /* NULL: there was no record */
    const char *of;
};

static struct persist_look look_at(struct validate_job *j, const struct validate_dns *d, bool above)
{
    const Ipc__Validate *q = j->request;
    const struct validate_persist_question question = {
        .issuer_domains = (const char *const *)q->issuer_domains,
        .issuer_count = q->n_issuer_domains,
        .account_uri = lt_slice_cstr(q->account_uri),
        .wildcard = q->wildcard || q->subdomains || above,
        .now = {j->statement.started_us},
    };
    struct persist_look look = {.of = ""};
    bool why_is_ours = false;
    for (size_t i = 0; i < d->message->count && d->outcome == VALIDATE_DNS_FOUND; i++) {
        bool ours = false;
        lt_slice text = validate_txt_of(j, d->message->records[i]);
        const char *refusal = validate_persist_refusal(text, &question, &ours);
        if (refusal == NULL) {
            look.found = true;
        } else if (look.why == NULL || (ours && !why_is_ours)) { /* what is meant for us explains more */
            look.why = refusal;
            why_is_ours = ours;
            look.of = validate_shown(j, text);
        }
    }
    return look;
}

static void ask_persist(struct validate_job *j, const char *domain);

/* The next domain above, up to the one where the question ends; NULL: there is none. */
static const char *domain_above(const struct validate_job *j)
{
    const Ipc__Validate *q = j->request;
    bool may = q->topmost[0] != '\0' && strcmp(q->identifier->type, "dns") == 0 &&
               strcmp(j->persist_at, q->topmost) != 0;
    const char *dot = may ? strchr(j->persist_at, '.') : NULL;
    return dot == NULL || !lt_slice_ends(lt_slice_cstr(dot + 1), lt_slice_cstr(q->topmost)) ? NULL : dot + 1;
}

/*= CABF-BR 3.2.2.4.22 "Once the FQDN has been validated using this method, the CA MAY also issue Certificates
 * for other FQDNs that end with all the Domain Labels of the validated FQDN." The draft asks for
 * policy=wildcard in a record that is to be good for more than its own name; without that word in any record
 * on the way up, the name has to have its own. */
static void judge_persist(struct validate_job *j, const struct validate_dns *d)
{
    bool above = j->persist_at != j->request->identifier->value;
    struct persist_look look = look_at(j, d, above);
    const char *next = domain_above(j);
    if (look.why != NULL && j->persist_why == NULL) { /* the nearest one is meant */
        j->persist_why = look.why;
        j->persist_of = look.of;
        j->persist_where = validate_keep(j, d->name);
    }
    if (look.found) {
        j->statement.above = validate_keep(j, above ? j->persist_at : "");
        validate_job_end(j, NULL, "valid");
    } else if (next != NULL) {
        ask_persist(j, next);
    } else if (j->persist_why == NULL) {
        end_without(j, d);
    } else {
        validate_job_end(j, "unauthorized", "The TXT record \"%s\" at %s shows no control: %s.",
                         j->persist_of, j->persist_where, j->persist_why);
    }
}

static void ask_persist(struct validate_job *j, const char *domain)
{
    char *name = lt_arena_printf(&j->arena, "_validation-persist.%s", domain);
    LT_ASSERT(name != NULL); /* as above */
    j->persist_at = domain;
    validate_txt_begin(j, name, judge_persist);
}

/*= CABF-BR 3.2.2.5.8 "prepended to the Reverse Zone Domain Name of the IP address being validated" */
static void begin_persist_address(struct validate_job *j)
{
    const Ipc__Identifier *id = j->request->identifier;
    struct validate_address a;
    char reverse[VALIDATE_REVERSE_NAME];
    if (lt_failed(validate_address_parse(lt_slice_cstr(id->value), &a))) {
        validate_job_end(j, "malformed", "%s is no address.", id->value);
        return;
    }
    validate_reverse_name(&a, reverse);
    char *name = lt_arena_printf(&j->arena, "_ip-validation-persist.%s", reverse);
    LT_ASSERT(name != NULL); /* as above */
    j->persist_at = id->value;
    validate_txt_begin(j, name, judge_persist);
}

static void begin_persist(struct validate_job *j)
{
    const Ipc__Identifier *id = j->request->identifier;
    if (j->request->n_issuer_domains == 0) {
        validate_job_end(j, "serverInternal",
                         "This CA has no name that a record could hold (acme.caa-identities).");
        return;
    }
    if (strcmp(id->type, "ip") == 0) {
        begin_persist_address(j);
        return;
    }
    ask_persist(j, id->value);
}

const struct validate_method_hooks validate_dns01 = {
    .name = "dns-01", .begin = begin_dns01, .timed_out = validate_txt_timed_out};
const struct validate_method_hooks validate_dns_account01 = {
    .name = "dns-account-01", .begin = begin_account, .timed_out = validate_txt_timed_out};
const struct validate_method_hooks validate_dns_persist01 = {
    .name = "dns-persist-01", .begin = begin_persist, .timed_out = validate_txt_timed_out};
