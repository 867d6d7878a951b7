/* CAA up the tree (RFC 8659 3): the name, its parent, and so on, until there are records or only the root is
 * left. An alias at one of them is followed for that question alone; the way up goes by the names as they
 * were asked for. A look-up that fails ends the way: it is never permission, though the Baseline Requirements
 * would allow it for what is proven insecure: a domain owner who wants a certificate can mend his servers. */
#include <string.h>

#include "validate/caa.h"
#include "validate/engine.h"

enum { TEXT_MAX = 300 * 1024 }; /* every byte of the largest RDATA escaped */

static void next(struct validate_job *j);

static char nothing[] = "";

static void conclude(struct validate_job *j, bool checked, bool permitted, const char *why)
{
    Ipc__CaaCheck *c = &j->climb.check;
    c->checked = checked;
    c->permitted = checked && permitted;
    c->why = validate_keep(j, why);
    c->checked_us = j->engine->options.now().us;
    validate_climbed(j);
}

static void note_dnssec(struct validate_job *j, const struct validate_dns *d)
{
    Ipc__CaaCheck *c = &j->climb.check;
    bool was_secure = strcmp(c->dnssec, validate_dnssec_word(VALIDATE_SECURE)) == 0;
    if (c->dnssec[0] == '\0' || d->dnssec == VALIDATE_BOGUS ||
        (d->dnssec == VALIDATE_INSECURE && was_secure)) {
        c->dnssec = validate_keep(j, validate_dnssec_word(d->dnssec));
    }
}

static void note_chain(struct validate_job *j, const struct validate_dns *d)
{
    Ipc__Validated *s = &j->statement;
    const struct validate_dns_message *m = d->message;
    if (m->chain_count < 2) {
        return;
    }
    if (s->caa_chain == NULL) {
        s->caa_chain = LT_NEW_ARRAY(&j->arena, char *, VALIDATE_SEEN_MAX);
        LT_ASSERT(s->caa_chain != NULL); /* what one validation keeps is bounded far below the arena's cap */
    }
    for (size_t i = 0; i < m->chain_count && s->n_caa_chain < VALIDATE_SEEN_MAX; i++) {
        s->caa_chain[s->n_caa_chain++] = validate_keep(j, m->chain[i]);
    }
}

static void note_property(struct validate_job *j, const struct validate_caa_property *p)
{
    Ipc__CaaCheck *c = &j->climb.check;
    struct lt_buf text;
    if (j->climb.room == 0) {
        return; /* the digest is over all of them */
    }
    lt_buf_init(&text, TEXT_MAX);
    validate_caa_text(p, &text);
    c->records[c->n_records++] = validate_keep_evidence(j, lt_buf_slice(&text), true, &j->climb.room);
    lt_buf_done(&text);
    if (p->tag == VALIDATE_CAA_IODEF) {
        c->iodef[c->n_iodef++] = validate_keep_evidence(j, p->value, false, &j->climb.room);
    }
}

static void judge(struct validate_job *j, const struct validate_dns *d)
{
    const Ipc__Validate *q = j->request;
    const struct validate_dns_message *m = d->message;
    struct validate_caa_property set[VALIDATE_DNS_RECORDS_MAX];
    struct validate_caa_verdict verdict = {.why = ""};
    bool alone = j->method->kind == VALIDATE_KIND_CAA;
    char label[VALIDATE_METHOD_LABEL];
    const struct validate_caa_question question = {
        .issuer_domains = (const char *const *)q->issuer_domains,
        .issuer_count = q->n_issuer_domains,
        .wildcard = q->wildcard,
        .account_uri = lt_slice_cstr(q->account_uri),
        .method = lt_slice_cstr(validate_method_label(alone ? q->token : q->method, label)),
    };
    Ipc__CaaCheck *c = &j->climb.check;
    c->domain = validate_keep(j, d->name);
    c->ttl = m->ttl;
    c->records_sha256 = validate_rrset_digest(j, m);
    c->records = LT_NEW_ARRAY(&j->arena, char *, m->count);
    c->iodef = LT_NEW_ARRAY(&j->arena, char *, m->count);
    LT_ASSERT(c->records != NULL && c->iodef != NULL); /* as above */
    for (size_t i = 0; i < m->count; i++) {
        if (lt_failed(validate_caa_parse(m->records[i], &set[i]))) {
            conclude(j, true, false, lt_error_last()->detail);
            return;
        }
        note_property(j, &set[i]);
    }
    if (m->left_out > 0) {
        conclude(j, true, false, "the CAA record set is larger than any that can be meant");
        return;
    }
    validate_caa_judge(set, m->count, &question, &j->arena, &verdict);
    conclude(j, true, verdict.permitted, verdict.why);
}

static void answered(void *self, const struct validate_dns *answers, size_t count)
{
    struct validate_job *j = self;
    const struct validate_dns *d = answers;
    (void)count; /* one */
    j->climb.lookup = NULL;
    if (j->ended) {
        return;
    }
    note_dnssec(j, d);
    note_chain(j, d);
    /*= CABF-BR 3.2.2.8.1 "errors observed by the Primary Network Perspective (e.g., SERVFAIL) MUST NOT be
     * treated as permission to issue." */
    if (d->dnssec == VALIDATE_BOGUS || d->outcome == VALIDATE_DNS_FAILED) {
        bool bogus = d->dnssec == VALIDATE_BOGUS;
        char *why = lt_arena_printf(&j->arena, "the look-up of CAA at %s %s%s%s", d->name,
                                    bogus ? "is bogus" : "failed", d->why[0] == '\0' ? "" : ": ", d->why);
        LT_ASSERT(why != NULL); /* as above */
        conclude(j, false, false, why);
    } else if (d->outcome == VALIDATE_DNS_FOUND) {
        judge(j, d);
    } else {
        const char *dot = strchr(j->climb.at, '.');
        j->climb.at = dot == NULL ? "" : dot + 1;
        next(j);
    }
}

/* Asks at climb.at, or is at the root. */
static void next(struct validate_job *j)
{
    struct validate_climb *m = &j->climb;
    Ipc__CaaCheck *c = &m->check;
    if (m->at[0] == '\0') {
        conclude(j, true, true, "there is no CAA record between the name and the root");
        return;
    }
    if (c->n_looked_up == VALIDATE_CAA_NAMES_MAX) {
        conclude(j, false, false, "the name has more labels than any that can be meant");
        return;
    }
    c->looked_up[c->n_looked_up++] = validate_keep(j, m->at);
    if (lt_failed(validate_ask(j->engine->resolver, m->at, VALIDATE_DNS_CAA, answered, j, &m->lookup))) {
        conclude(j, false, false, lt_error_last()->detail);
    }
}

void validate_climb_begin(struct validate_job *j)
{
    const Ipc__Validate *q = j->request;
    struct validate_climb *m = &j->climb;
    bool alone = j->method->kind == VALIDATE_KIND_CAA;
    /*= CABF-BR 3.2.2.8 "retrieve and process CAA records in accordance with RFC 8659 for each dNSName" */
    if ((q->n_issuer_domains == 0 && !alone) || strcmp(q->identifier->type, "ip") == 0) {
        return;
    }
    ipc__caa_check__init(&m->check);
    m->check.domain = nothing;
    m->check.why = nothing;
    m->check.dnssec = nothing;
    m->check.looked_up = LT_NEW_ARRAY(&j->arena, char *, VALIDATE_CAA_NAMES_MAX);
    LT_ASSERT(m->check.looked_up != NULL); /* as above */
    m->open = true;
    m->room = VALIDATE_ROOM;
    m->at = q->identifier->value;
    next(j);
}
