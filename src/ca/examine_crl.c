/* Judging a CRL against the one before: nothing that is still valid may leave it.
 *
 * Both lists stand in ascending order of serials, so one walk over the two finds what was lost, at any size.
 * Each lost entry needs its certificate, signed by this issuer and expired before the CRL before was made.
 * Millions of entries take a second: proofs and entries are read in slices, and who asks may serve others
 * between two of them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/crl_shard.h"
#include "ca/examine_internal.h"
#include "ca/limits.h"
#include "crypto/pub.h"
#include "lint/crl_facts.h"
#include "x509/crl.h"

enum {
    CLOCK_SLACK_S = 3600,
    NUMBER_SLACK_S = 1,
    NUMBER_MAX = 20,
    CERT_ARENA_MAX = 256 * 1024,
    PROOF_COST = 100, /* entries that are read in the time that one certificate's signature takes */
};

/* The next serial in a list; the order is checked on the way. */
struct walk {
    struct der_cursor at;
    struct x509_crl_entry entry;
    lt_slice serial;
    bool more;
    bool disorder;
};

enum phase { PHASE_PROOFS, PHASE_ENTRIES, PHASE_LINT, PHASE_DONE };

struct ca_crl_judging {
    const struct ca_examine *x;
    const Ipc__CrlSignRequest *m;
    lt_slice tbs;
    lt_slice before_der;
    lt_time now;
    struct lt_arena *a;
    const struct ca_examine_issuer *issuer;
    struct x509_crl crl;
    struct x509_crl before;
    struct crypto_pub *key; /* owned: of the issuer, for the proofs */
    lt_slice *proven;       /* serial magnitudes of entries that may go, sorted */
    size_t proven_count;
    struct walk new_list;
    struct walk old_list;
    struct lint_crl_reading reading;
    struct lint_crl_facts facts;
    enum phase phase;
    const char *word; /* of the refusal, should the slice that runs fail */
    struct ca_verdict *v;
};

static lt_res check_issuer(struct ca_crl_judging *j)
{
    LT_TRY(ca_judge_issuer(j->x, j->m->issuer, j->now, &j->issuer));
    LT_CHECK((j->issuer->cert->ext.key_usage & X509_KU_CRL_SIGN) != 0, LT_POLICY_REFUSED,
             "issuer %s may not sign CRLs", j->m->issuer);
    return LT_OK;
}

static lt_res check_parse(struct ca_crl_judging *j)
{
    LT_TRY(x509_crl_tbs_open(j->tbs, j->a, &j->crl));
    return j->before_der.len == 0 ? LT_OK : x509_crl_tbs_open(j->before_der, j->a, &j->before);
}

/* A CRL is held against the one before of the same part: the examiner keeps one for each, so none can leave
 * out what another has. A part says which it is, in the words of the certificates that point to it; the
 * complete one says nothing.
 *= RFC 5280 5.2.5 "identifies the CRL distribution point and scope for a particular CRL" */
static lt_res check_part(struct ca_crl_judging *j)
{
    const struct x509_extensions *e = &j->crl.ext;
    const char *url = ca_crl_url(j->a, j->x->public_http_url, j->m->issuer, j->m->shard);
    LT_CHECK(j->m->shard <= CA_CRL_SHARDS_MAX, LT_POLICY_REFUSED, "%s has no shard %u", j->m->issuer,
             j->m->shard);
    LT_CHECK(url != NULL, LT_PEER_TOO_LARGE, "the CRL is too large");
    LT_CHECK(e->has_idp && e->idp.names.count == 1 && e->idp.names.list[0].type == X509_GN_URI &&
                 lt_slice_eq_cstr(e->idp.names.list[0].value, url),
             LT_POLICY_REFUSED, "shard %u of %s does not say that it is %s", j->m->shard, j->m->issuer, url);
    LT_CHECK(e->idp_only_user && !e->idp_only_ca, LT_POLICY_REFUSED,
             "shard %u of %s is of subscribers' certificates alone, and does not say so", j->m->shard,
             j->m->issuer);
    return LT_OK;
}

static lt_res check_scope(struct ca_crl_judging *j)
{
    if (j->m->shard != 0) {
        return check_part(j);
    }
    LT_CHECK(!j->crl.ext.has_idp, LT_POLICY_REFUSED, "a complete CRL has no issuingDistributionPoint");
    return LT_OK;
}

static lt_res check_issuer_bytes(struct ca_crl_judging *j)
{
    const struct x509_cert *by = j->issuer->cert;
    LT_CHECK(lt_slice_eq(j->crl.issuer.der, by->subject.der), LT_POLICY_REFUSED,
             "the issuer's name is not that of %s, byte for byte", j->issuer->name);
    LT_CHECK(by->ext.has_ski && lt_slice_eq(j->crl.ext.aki_key_id, by->ext.ski), LT_POLICY_REFUSED,
             "the authorityKeyIdentifier is not the key of %s", j->issuer->name);
    LT_CHECK(x509_sig_alg_fits(j->crl.sig_alg, by->spki.type), LT_POLICY_REFUSED,
             "the signature algorithm is not for the key of %s", j->issuer->name);
    LT_CHECK(!j->crl.ext.has_delta && !j->crl.ext.idp_indirect && !j->crl.ext.idp.has_reasons &&
                 !j->crl.ext.idp_only_attribute,
             LT_POLICY_REFUSED, "delta, indirect and partial CRLs are not made here");
    return LT_OK;
}

/* Numbers of up to 20 bytes, big-endian without leading zeros. */
static int number_compare(lt_slice a, lt_slice b)
{
    return a.len != b.len ? (a.len < b.len ? -1 : 1) : lt_slice_cmp(a, b);
}

static lt_slice trimmed(lt_slice n)
{
    while (n.len > 1 && n.ptr[0] == 0) {
        n = lt_slice_sub(n, 1, n.len - 1);
    }
    return n;
}

/* The one behind it: the last digit that does not carry, and zeros. */
static lt_slice number_after(struct lt_arena *a, lt_slice n)
{
    uint8_t digits[1 + NUMBER_MAX] = {0};
    size_t at = n.len;
    LT_ASSERT(n.len <= NUMBER_MAX); /* as parsed */
    memcpy(&digits[1], n.ptr, n.len);
    while (digits[at] == 0xff) {
        digits[at--] = 0;
    }
    digits[at]++;
    return trimmed(lt_arena_copy(a, LT_SLICE(digits, n.len + 1)));
}

static lt_slice number_of_time(struct lt_arena *a, lt_time t)
{
    uint8_t digits[8];
    uint64_t us = t.us > 0 ? (uint64_t)t.us : 0;
    for (size_t i = 0; i < sizeof(digits); i++) {
        digits[i] = (uint8_t)(us >> (56 - 8 * i));
    }
    return trimmed(lt_arena_copy(a, LT_SLICE(digits, sizeof(digits))));
}

/* Numbers are microseconds since 1970. One that runs ahead would leave none for the CRLs to come: whoever
 * has seen it takes no smaller one.
 *= RFC 5280 5.2.3 "CRL verifiers MUST be able to handle CRLNumber values up to 20 octets." */
static lt_res check_number_bound(struct ca_crl_judging *j)
{
    lt_slice n = j->crl.ext.crl_number;
    lt_slice most = number_of_time(j->a, lt_time_add_seconds(j->now, NUMBER_SLACK_S));
    bool next = false;
    if (j->before_der.len > 0 && j->before.ext.has_crl_number) {
        lt_slice after = number_after(j->a, trimmed(j->before.ext.crl_number));
        LT_CHECK(after.ptr != NULL, LT_PEER_TOO_LARGE, "the CRL is too large");
        next = lt_slice_eq(n, after);
    }
    LT_CHECK(most.ptr != NULL, LT_PEER_TOO_LARGE, "the CRL is too large");
    LT_CHECK(next || number_compare(n, most) <= 0, LT_POLICY_REFUSED,
             "the CRL number runs ahead of the clock");
    return LT_OK;
}

static lt_res check_number(struct ca_crl_judging *j)
{
    lt_slice asked = trimmed(LT_SLICE(j->m->number.data, j->m->number.len));
    LT_CHECK(j->crl.ext.has_crl_number && lt_slice_eq(j->crl.ext.crl_number, asked), LT_POLICY_REFUSED,
             "the CRL number in the bytes is not the one asked for");
    if (j->before_der.len == 0) {
        return check_number_bound(j);
    }
    if (lt_slice_eq(j->before_der, j->crl.tbs)) {
        return LT_OK; /* the same bytes again are the same CRL: the signer has its signature */
    }
    LT_CHECK(number_compare(j->crl.ext.crl_number, j->before.ext.crl_number) > 0, LT_POLICY_REFUSED,
             "the CRL number does not grow");
    return check_number_bound(j);
}

static lt_res check_times(struct ca_crl_judging *j)
{
    const struct x509_crl *c = &j->crl;
    int64_t most = ca_limit_at(CA_LIMIT_CRL_LIFETIME_S, j->now);
    LT_CHECK(c->has_next_update && c->next_update.us > j->now.us, LT_POLICY_REFUSED,
             "nextUpdate is missing or past");
    LT_CHECK(c->next_update.us <= lt_time_add_seconds(c->this_update, most).us, LT_POLICY_REFUSED,
             "nextUpdate is over %lld days after thisUpdate", (long long)(most / LT_SECONDS_PER_DAY));
    LT_CHECK(c->this_update.us <= lt_time_add_seconds(j->now, CLOCK_SLACK_S).us &&
                 c->this_update.us >= lt_time_add_seconds(j->now, -CLOCK_SLACK_S).us,
             LT_POLICY_REFUSED, "thisUpdate is over an hour from now");
    LT_CHECK(j->before_der.len == 0 || c->this_update.us >= j->before.this_update.us, LT_POLICY_REFUSED,
             "thisUpdate lies before that of the last CRL");
    return LT_OK;
}

/* One certificate that shows that an entry may go. */
static lt_res proof_read(struct ca_crl_judging *j, lt_slice der, lt_slice *ret_serial)
{
    struct lt_arena own;
    struct x509_cert c;
    lt_arena_init(&own, CERT_ARENA_MAX);
    lt_res r = x509_cert_parse(der, &own, &c);
    lt_arena_done(&own); /* slices of the struct point into der */
    LT_TRY(r);
    LT_CHECK(lt_slice_eq(c.issuer.der, j->issuer->cert->subject.der), LT_POLICY_REFUSED,
             "a certificate of another issuer is no proof");
    LT_TRY(crypto_pub_verify(j->key, (enum crypto_sig_alg)c.sig_alg, c.tbs, c.signature));
    LT_CHECK(c.not_after.us < j->before.this_update.us, LT_POLICY_REFUSED,
             "an entry would go that has not stood on a CRL after its certificate expired");
    *ret_serial = x509_serial_magnitude(c.serial);
    return LT_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return lt_slice_cmp(*(const lt_slice *)a, *(const lt_slice *)b);
}

static lt_res check_proofs(struct ca_crl_judging *j)
{
    if (j->m->n_dropped == 0) {
        return LT_OK;
    }
    LT_CHECK(j->before_der.len > 0, LT_POLICY_REFUSED, "there is no CRL before, so nothing can go");
    j->proven = LT_NEW_ARRAY(j->a, lt_slice, j->m->n_dropped);
    LT_CHECK(j->proven != NULL, LT_PEER_TOO_LARGE, "too many entries would go at once");
    return crypto_pub_import(&j->issuer->cert->spki, &j->key);
}

static lt_res read_proofs(struct ca_crl_judging *j, size_t most)
{
    j->word = "evidence";
    for (size_t i = 0; i < most && j->proven_count < j->m->n_dropped; i += PROOF_COST) {
        const ProtobufCBinaryData *d = &j->m->dropped[j->proven_count];
        LT_TRY(proof_read(j, LT_SLICE(d->data, d->len), &j->proven[j->proven_count]));
        j->proven_count++;
    }
    if (j->proven_count == j->m->n_dropped) {
        j->phase = PHASE_ENTRIES;
    }
    if (j->phase == PHASE_ENTRIES && j->proven_count > 0) {
        qsort(j->proven, j->proven_count, sizeof(j->proven[0]), by_bytes);
    }
    return LT_OK;
}

static void step(struct walk *w)
{
    lt_slice last = w->serial;
    w->more = x509_crl_next(&w->at, &w->entry);
    w->serial = x509_serial_magnitude(w->entry.serial);
    w->disorder = w->disorder || (w->more && last.len > 0 && lt_slice_cmp(last, w->serial) >= 0);
}

static struct walk walk_over(lt_slice entries)
{
    struct walk w = {.at = der_open(entries)};
    step(&w);
    return w;
}

static bool may_go(const struct ca_crl_judging *j, lt_slice serial)
{
    return j->proven_count > 0 &&
           bsearch(&serial, j->proven, j->proven_count, sizeof(j->proven[0]), by_bytes) != NULL;
}

/* Both lists are behind their next common entry, or the new one behind an entry of its own. Those of the old
 * one that it passes on the way must be proven: so they are as many as the proofs, and one. */
static lt_res pass_one(struct ca_crl_judging *j)
{
    struct walk *now = &j->new_list;
    struct walk *old = &j->old_list;
    while (old->more && (!now->more || lt_slice_cmp(old->serial, now->serial) < 0)) {
        LT_CHECK(may_go(j, old->serial), LT_POLICY_REFUSED, "serial %s was on the last CRL and is lost",
                 lt_hex(j->a, old->serial));
        step(old);
    }
    if (old->more && now->more && lt_slice_eq(old->serial, now->serial)) {
        step(old);
    }
    if (now->more) {
        j->crl.entry_count++;
        step(now);
    }
    return LT_OK;
}

static lt_res read_entries(struct ca_crl_judging *j, size_t most)
{
    struct walk *now = &j->new_list;
    (void)lint_crl_facts_step(&j->reading, most); /* both end with the same entry */
    for (size_t i = 0; i < most && now->more; i++) {
        j->word = "lost-entry";
        LT_TRY(pass_one(j));
        j->word = "constraint";
        LT_CHECK(!now->disorder, LT_POLICY_REFUSED, "serials are not in ascending order, each once");
    }
    if (now->more) {
        return LT_OK;
    }
    j->word = "malformed";
    LT_TRY(der_done(&now->at, "CRL's list of entries"));
    j->word = "lost-entry";
    LT_TRY(pass_one(j));
    j->phase = PHASE_LINT;
    return LT_OK;
}

/* What stands in a CRL is bound by the documents that bind the certificates it is for. */
static uint32_t sources_of(const struct ca_crl_judging *j)
{
    for (size_t i = 0; i < j->x->profiles->count; i++) {
        const struct ca_profile *p = j->x->profiles->rows[i];
        if (ca_profile_by_tls_br(p) && strcmp(p->issuer, j->m->issuer) == 0) {
            return LINT_SOURCES_ALL;
        }
    }
    return ca_lint_sources(LINT_PROFILE_PRIVATE);
}

static lt_res check_lint(struct ca_crl_judging *j, size_t most)
{
    (void)most; /* what takes long was found out on the way */
    j->word = "lint";
    const struct x509_cert *by = j->issuer->cert;
    bool root = lt_slice_eq(by->subject.der, by->issuer.der); /* whose CRL is of CAs */
    struct lint_input in = {
        .kind = LINT_CRL,
        .role = root ? LINT_ROLE_ROOT : LINT_ROLE_SUBSCRIBER,
        .der = j->tbs,
        .bare = true,
        .crl = &j->crl,
        .crl_facts = &j->facts,
        .sources = sources_of(j),
        .issuer = by,
        .signing_time = j->now,
    };
    LT_TRY(lint_run(&in, j->a, &j->v->lint));
    LT_TRY(ca_judge_findings(j->x, &j->v->lint, CA_LINT_CRL_PROFILE, j->now));
    j->phase = PHASE_DONE;
    return LT_OK;
}

/* What is quick, before any entry is looked at. */
static const struct {
    const char *refusal;
    lt_res (*check)(struct ca_crl_judging *j);
} steps[] = {
    {"constraint", check_issuer},       {"malformed", check_parse},   {"constraint", check_scope},
    {"constraint", check_issuer_bytes}, {"constraint", check_number}, {"constraint", check_times},
    {"evidence", check_proofs},
};

static lt_res (*const slices[])(struct ca_crl_judging *j, size_t most) = {
    [PHASE_PROOFS] = read_proofs,
    [PHASE_ENTRIES] = read_entries,
    [PHASE_LINT] = check_lint,
};

struct ca_crl_judging *ca_examine_crl_begin(const struct ca_examine *x, const struct ca_crl_asked *asked,
                                            lt_time now, struct lt_arena *a, struct ca_verdict *ret_verdict)
{
    memset(ret_verdict, 0, sizeof(*ret_verdict));
    struct ca_crl_judging *j = calloc(1, sizeof(*j));
    LT_ASSERT(j != NULL);
    j->x = x;
    j->m = asked->m;
    j->tbs = asked->tbs;
    j->before_der = asked->before;
    j->now = now;
    j->a = a;
    j->v = ret_verdict;
    for (size_t i = 0; i < LT_COUNT(steps); i++) {
        if (lt_failed(steps[i].check(j))) {
            ca_judge_refuse(ret_verdict, a, steps[i].refusal);
            j->phase = PHASE_DONE;
            return j;
        }
    }
    j->new_list = walk_over(j->crl.entries);
    j->old_list = walk_over(j->before.entries);
    lint_crl_facts_begin(&j->reading, &j->crl, &j->facts);
    return j;
}

bool ca_examine_crl_go_on(struct ca_crl_judging *j, size_t entries)
{
    if (j->phase != PHASE_DONE && lt_failed(slices[j->phase](j, entries))) {
        ca_judge_refuse(j->v, j->a, j->word);
        j->phase = PHASE_DONE;
    }
    return j->phase == PHASE_DONE;
}

void ca_examine_crl_end(struct ca_crl_judging *j)
{
    if (j != NULL) {
        crypto_pub_free(j->key);
        free(j);
    }
}

void ca_examine_crl(const struct ca_examine *x, const Ipc__CrlSignRequest *m, lt_slice before, lt_time now,
                    struct lt_arena *a, struct ca_verdict *ret_verdict)
{
    const struct ca_crl_asked asked = {.m = m, .tbs = LT_SLICE(m->tbs.data, m->tbs.len), .before = before};
    struct ca_crl_judging *j = ca_examine_crl_begin(x, &asked, now, a, ret_verdict);
    while (!ca_examine_crl_go_on(j, SIZE_MAX)) {
    }
    ca_examine_crl_end(j);
}
