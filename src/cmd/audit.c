/* lintel audit verify: reads the whole book and the signer's journal again, and says whether they are what
 * they were: event chains, knots, certificates, evidence, approvals, kept requests. Changes nothing. May run
 * beside the family: the book is opened read-only, and what is newer in the journal than in the book is
 * counted as pending. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/audit.h"
#include "ca/passkey.h"
#include "cmd/audit_lines.h"
#include "cmd/verbs.h"
#include "incident/proof.h"

#define JOURNAL_PATH "journal/signer.log"

enum { PUBLIC_KEY_MAX = 8192, FINDINGS_SHOWN = 1000 };

struct audit {
    struct cmd *c;
    const char *folder;
    int dir;
    struct ca_audit a;
    struct ca_operators operators;
    struct ca_passkeys passkeys; /* owned */
    struct journal_summary journal;
    struct lt_buf findings; /* JSON objects, or lines */
    size_t shown;
    lt_res output;
};

static void found(void *self, const char *what, const char *subject, const char *detail)
{
    struct audit *k = self;
    if (k->shown++ >= FINDINGS_SHOWN) {
        return; /* they are counted all the same */
    }
    if (!k->c->json) {
        lt_buf_addf(&k->findings, "BAD  %-12s %s: %s\n", what, subject, detail);
        return;
    }
    lt_buf_addf(&k->findings, "%s{\"what\":\"%s\",\"subject\":", k->shown > 1 ? "," : "", what);
    lt_json_add_string(&k->findings, lt_slice_cstr(subject));
    lt_buf_add_cstr(&k->findings, ",\"detail\":");
    lt_json_add_string(&k->findings, lt_slice_cstr(detail));
    lt_buf_add_byte(&k->findings, '}');
}

/* ca/audit.pub; without it the knots cannot be verified, which is a finding. */
static lt_res read_audit_key(struct audit *k)
{
    lt_slice pem;
    lt_slice label;
    lt_res r = lt_file_read(&k->c->arena, k->dir, "ca/audit.pub", PUBLIC_KEY_MAX, &pem);
    if (r.code == LT_PEER_NOT_FOUND) {
        found(k, "knot", "ca/audit.pub", "is missing: no knot was verified");
        k->a.counts.findings++;
        return LT_OK;
    }
    LT_TRY(r);
    return lt_pem_next(&k->c->arena, &pem, &label, &k->a.audit_spki);
}

/* A journal that is lost or damaged is a finding, and what the book says is audited all the same. */
static lt_res walk_journal(struct audit *k)
{
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(k->dir, JOURNAL_PATH, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return ca_audit_journal_end(&k->a, &k->journal); /* fine when nothing was ever signed */
    }
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s/" JOURNAL_PATH ": %s", k->folder, strerror(errno));
    lt_res r = journal_walk(&journal_io_posix, fd, ca_audit_journal_entry, &k->a, &k->journal);
    if (r.code == LT_STATE_CORRUPT) {
        k->a.counts.findings++;
        found(k, "journal", JOURNAL_PATH, lt_error_last()->detail);
        return LT_OK;
    }
    LT_TRY(r);
    return ca_audit_journal_end(&k->a, &k->journal);
}

static lt_res verify_all(struct audit *k)
{
    LT_TRY(ca_operators_load(k->dir, "operators", &k->operators));
    k->a.operators = &k->operators;
    LT_TRY(read_audit_key(k));
    LT_TRY(ca_audit_events(&k->a));
    LT_TRY(ca_audit_knots(&k->a));
    LT_TRY(ca_audit_certificates(&k->a));
    LT_TRY(ca_audit_rows(&k->a));
    LT_TRY(ca_audit_desk(&k->a));
    LT_TRY(ca_audit_evidence(&k->a));
    LT_TRY(ca_audit_passkeys(&k->a, &k->passkeys));
    k->operators.passkeys = &k->passkeys;
    k->operators.past = true;
    LT_TRY(ca_audit_sessions(&k->a, &k->passkeys));
    LT_TRY(ca_audit_approvals(&k->a));
    return walk_journal(k);
}

static lt_res say(struct audit *k)
{
    const struct ca_audit_counts *n = &k->a.counts;
    struct lt_buf out;
    lt_buf_init(&out, 4 << 20);
    if (k->c->json) {
        lt_buf_addf(&out,
                    "{\"ok\":%s,\"events\":%llu,\"chains\":%llu,\"knots\":%llu,\"certificates\":%llu,"
                    "\"revocations\":%llu,\"journal_entries\":%llu,\"journal_pending\":%llu,\"jws\":%llu,"
                    "\"jws_unknown\":%llu,\"approvals\":%llu,\"passkey_approvals\":%llu,\"passkeys\":%llu,"
                    "\"sessions\":%llu,\"proofs\":%llu,\"evidence\":%llu,\"statements\":%llu,"
                    "\"findings_count\":%llu,\"findings\":[",
                    n->findings == 0 ? "true" : "false", (unsigned long long)n->events,
                    (unsigned long long)n->chains, (unsigned long long)n->knots,
                    (unsigned long long)n->certificates, (unsigned long long)n->revocations,
                    (unsigned long long)n->journal_entries, (unsigned long long)n->journal_pending,
                    (unsigned long long)n->jws, (unsigned long long)n->jws_unknown,
                    (unsigned long long)n->approvals, (unsigned long long)n->passkey_approvals,
                    (unsigned long long)n->passkeys, (unsigned long long)n->sessions,
                    (unsigned long long)n->proofs, (unsigned long long)n->evidence,
                    (unsigned long long)n->statements, (unsigned long long)n->findings);
        lt_buf_add(&out, lt_buf_slice(&k->findings));
        lt_buf_add_cstr(&out, "]}\n");
    } else {
        lt_buf_add(&out, lt_buf_slice(&k->findings));
        lt_buf_addf(
            &out,
            "%llu events in %llu chains, %llu knots, %llu certificates, %llu revocations,\n"
            "%llu journal entries (%llu not in the book yet), %llu kept requests (%llu by keys that are "
            "gone), %llu approvals (%llu by passkey), %llu passkeys, %llu sessions, %llu proofs\n"
            "evidence of %llu checks, %llu statements of perspectives\n%s\n",
            (unsigned long long)n->events, (unsigned long long)n->chains, (unsigned long long)n->knots,
            (unsigned long long)n->certificates, (unsigned long long)n->revocations,
            (unsigned long long)n->journal_entries, (unsigned long long)n->journal_pending,
            (unsigned long long)n->jws, (unsigned long long)n->jws_unknown, (unsigned long long)n->approvals,
            (unsigned long long)n->passkey_approvals, (unsigned long long)n->passkeys,
            (unsigned long long)n->sessions, (unsigned long long)n->proofs, (unsigned long long)n->evidence,
            (unsigned long long)n->statements,
            n->findings == 0 ? "the book is what it was" : "THE BOOK IS NOT WHAT IT WAS");
    }
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res audit(struct audit *k)
{
    const char *path = NULL;
    const char *host = NULL;
    LT_TRY(cmd_book(k->c, k->folder, &path));
    LT_TRY(cmd_host(k->c, k->folder, &host));
    k->a.evidence_folder = lt_arena_printf(&k->c->arena, "%s/evidence", k->folder);
    LT_CHECK(k->a.evidence_folder != NULL, LT_PEER_USAGE, "%s: the path is too long", k->folder);
    const struct store_options options = {.path = path, .read_only = true};
    LT_TRY(store_open(&options, &k->a.store));
    lt_res r = store_begin(k->a.store); /* one view of the book */
    r = lt_failed(r) ? r : ca_host_find(k->a.store, host, &k->a.host);
    r = lt_failed(r) ? r : verify_all(k);
    store_rollback(k->a.store);
    store_close(k->a.store);
    LT_TRY(r);
    k->c->findings = k->a.counts.findings > 0;
    return say(k);
}

static lt_res run(struct cmd *c)
{
    struct audit k = {.c = c};
    if (cmd_value(c, "export") != NULL) {
        return cmd_audit_lines(c, cmd_value(c, "export"));
    }
    LT_TRY(cmd_folder(c, &k.folder));
    k.dir = open(k.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(k.dir >= 0, LT_PEER_NOT_FOUND, "%s: %s", k.folder, strerror(errno));
    lt_buf_init(&k.findings, 2 << 20);
    k.a.self = &k;
    k.a.found = found;
    k.a.proves = incident_proof_again;
    lt_res r = audit(&k);
    lt_buf_done(&k.findings);
    ca_operators_done(&k.operators);
    ca_passkeys_done(&k.passkeys);
    (void)close(k.dir); /* only read */
    return r;
}

static const struct cmd_option options[] = {
    {"export", "FILE", "what audit export wrote, instead of a book; - is standard input", false, NULL},
    {"audit-key", "FILE", "with --export: ca/audit.pub as you hold it (default: the one in the export)",
     false, NULL},
};

const struct cmd_verb cmd_audit_verify = {
    .name = "audit verify",
    .words = "",
    .summary = "verify event chains, knots, certificates, evidence, journal, approvals again",
    .help = "Needs the right to read the folder; changes nothing, and may run beside the family. Exit status "
            "6 when\n"
            "the book is not what it was.\n"
            "\n"
            "examples:\n"
            "  lintel audit verify --dir /srv/ca\n"
            "  lintel audit verify --json | jq .ok\n"
            "  lintel audit verify --export 2026.jsonl --audit-key audit.pub\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
