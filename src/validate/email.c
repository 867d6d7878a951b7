/* Whom a letter may be sent to (BR 3.2.2.4.4, .13, .14), by what the DNS says now. The registrar asks twice:
 * without an address, to be told all that there are; and, when somebody has answered a letter, with that one
 * address in `expected`, which must be among them still. Perspectives are asked the second question, so that
 * they observe the same address. `topmost` is the highest name that may answer for the identifier: its
 * registered domain.
 *
 * The letter and the answer to it are not ours (acme/mail.c). */
#include <string.h>

#include "validate/caa.h"
#include "validate/contacts.h"
#include "validate/engine.h"

static void keep_contact(struct validate_job *j, lt_slice address, const char *domain)
{
    Ipc__Validated *s = &j->statement;
    if (s->contacts == NULL) {
        s->contacts = LT_NEW_ARRAY(&j->arena, char *, VALIDATE_CONTACTS_MAX);
        LT_ASSERT(s->contacts != NULL); /* what one validation keeps is bounded far below the arena's cap */
    }
    if (validate_contact_is(address) && s->n_contacts < VALIDATE_CONTACTS_MAX) {
        /* Whole: what is cut for a person to see is another address (validate_contact_is has bounded it). */
        s->contacts[s->n_contacts++] = validate_keep_bytes(j, address);
        s->contact_domain = validate_keep(j, domain);
    }
}

/* All that stood at `domain` has been kept. */
static void conclude(struct validate_job *j, const char *domain, const char *what)
{
    const Ipc__Validated *s = &j->statement;
    lt_slice wanted = lt_slice_cstr(j->request->expected);
    bool found = wanted.len == 0 && s->n_contacts > 0;
    for (size_t i = 0; i < s->n_contacts; i++) {
        found = found || validate_contact_equal(wanted, lt_slice_cstr(s->contacts[i]));
    }
    if (found) {
        validate_job_end(j, NULL, "valid");
    } else if (s->n_contacts == 0) {
        validate_job_end(j, "unauthorized", "%s at %s holds no mail address that can be used.", what, domain);
    } else {
        validate_job_end(j, "unauthorized", "%s at %s does not hold the address %s any more.", what, domain,
                         j->request->expected);
    }
}

/* --- CAA ------------------------------------------------------------------------------------------------ */

static void ask_caa(struct validate_job *j);

static void take_caa(struct validate_job *j, const struct validate_dns *d)
{
    const struct validate_dns_message *m = d->message;
    j->statement.answer_sha256 = validate_rrset_digest(j, m);
    for (size_t i = 0; i < m->count; i++) {
        struct validate_caa_property p;
        /* What does not parse names nobody; whether it forbids is the check of CAA's business. */
        if (!lt_failed(validate_caa_parse(m->records[i], &p)) &&
            lt_slice_eq_nocase(p.name, LT_LIT("contactemail"))) {
            validate_note_record(j, p.value);
            keep_contact(j, p.value, d->name);
        }
    }
    conclude(j, d->name, "CAA");
}

/*= CABF-BR 3.2.2.4.13 "The relevant CAA Resource Record Set MUST be found using the search algorithm defined
 * in RFC 8659, Section 3." */
static void caa_answered(void *self, const struct validate_dns *answers, size_t count)
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
    if (validate_dns_unusable(j, d)) {
        return;
    }
    if (d->outcome == VALIDATE_DNS_FOUND) {
        take_caa(j, d);
        return;
    }
    const char *dot = strchr(j->asked, '.');
    j->asked = dot == NULL ? "" : dot + 1;
    ask_caa(j);
}

static void ask_caa(struct validate_job *j)
{
    validate_note_asked(j, "%s CAA", j->asked);
    if (j->asked[0] == '\0') {
        validate_job_end(j, "unauthorized", "There is no CAA record between %s and the root.",
                         j->request->identifier->value);
    } else if (lt_failed(validate_ask(j->engine->resolver, j->asked, VALIDATE_DNS_CAA, caa_answered, j,
                                      &j->lookup))) {
        validate_job_end(j, "dns", "%s cannot be looked up: %s.", j->asked, lt_error_last()->detail);
    }
}

static void begin_caa(struct validate_job *j)
{
    j->asked = j->request->identifier->value;
    ask_caa(j);
}

/* --- TXT ------------------------------------------------------------------------------------------------ */

/*= CABF-BR A.2.1 "The DNS TXT record MUST be placed on the "`_validation-contactemail`" subdomain of the
 * domain being validated." */
static const char prefix[] = "_validation-contactemail.";

static void judge_txt(struct validate_job *j, const struct validate_dns *d);

static void ask_txt(struct validate_job *j, const char *domain)
{
    char *name = lt_arena_printf(&j->arena, "%s%s", prefix, domain);
    LT_ASSERT(name != NULL); /* the arena's cap is far off */
    validate_txt_begin(j, name, judge_txt);
}

static void judge_txt(struct validate_job *j, const struct validate_dns *d)
{
    const struct validate_dns_message *m = d->message;
    const char *domain = j->asked + sizeof prefix - 1;
    const char *dot = strchr(domain, '.');
    for (size_t i = 0; i < m->count; i++) {
        lt_slice text = validate_txt_of(j, m->records[i]);
        keep_contact(j, text, domain);
    }
    /* The next Authorization Domain Name up, as long as there is one. */
    bool higher = j->request->topmost[0] != '\0' && dot != NULL && strcmp(domain, j->request->topmost) != 0;
    if (m->count == 0 && higher) {
        ask_txt(j, dot + 1);
    } else {
        conclude(j, domain, "The TXT record _validation-contactemail");
    }
}

static void begin_txt(struct validate_job *j)
{
    ask_txt(j, j->request->identifier->value);
}

/* --- constructed ---------------------------------------------------------------------------------------- */

static void begin_constructed(struct validate_job *j)
{
    const Ipc__Validate *q = j->request;
    lt_slice name = lt_slice_cstr(q->identifier->value);
    lt_slice highest = q->topmost[0] == '\0' ? name : lt_slice_cstr(q->topmost);
    lt_slice address = lt_slice_cstr(q->expected);
    if (!validate_contact_constructed(address, name, highest)) {
        validate_job_end(j, "unauthorized", "%s is none of the addresses that can be constructed for %s.",
                         validate_shown(j, address), q->identifier->value);
        return;
    }
    keep_contact(j, address, strchr(q->expected, '@') + 1);
    validate_note_digest(j, address);
    validate_job_end(j, NULL, "valid");
}

const struct validate_method_hooks validate_email_caa = {
    .name = "email-caa-contact", .begin = begin_caa, .timed_out = validate_txt_timed_out};
const struct validate_method_hooks validate_email_txt = {
    .name = "email-txt-contact", .begin = begin_txt, .timed_out = validate_txt_timed_out};
const struct validate_method_hooks validate_email_constructed = {
    .name = "email-constructed", .begin = begin_constructed, .timed_out = validate_txt_timed_out};
