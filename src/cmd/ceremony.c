/* lintel ceremony plan, show, sign, run. */
#include "cmd/ceremony.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { CERT_FILE_MAX = 256 * 1024, PATH_SIZE = 4096, PEOPLE_MAX = 4096 };

static lt_res load_root(struct ceremony *k, const char *issuer)
{
    lt_slice pem;
    lt_slice label;
    lt_slice der;
    const struct ca_config_issuer *i = ca_config_issuer(k->config, lt_slice_cstr(issuer));
    LT_CHECK(i != NULL, LT_PEER_NOT_FOUND, "there is no issuer %s", issuer);
    LT_TRY(lt_file_read(&k->c->arena, k->dir, i->certificate, CERT_FILE_MAX, &pem));
    LT_TRY(lt_pem_next(&k->c->arena, &pem, &label, &der));
    LT_TRY(x509_cert_parse(der, &k->c->arena, &k->root));
    LT_CHECK(k->root.ext.ca && (!k->root.ext.has_path_len || k->root.ext.path_len > 0), LT_PEER_USAGE,
             "%s may sign no CA", issuer);
    return LT_OK;
}

lt_res ceremony_open(struct ceremony *k, const char *issuer)
{
    LT_TRY(cmd_folder(k->c, &k->folder));
    k->dir = open(k->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(k->dir >= 0, LT_PEER_NOT_FOUND, "%s: %s", k->folder, strerror(errno));
    LT_TRY(ca_config_load(k->folder, &k->config));
    LT_TRY(ca_profiles_load(k->folder, k->c->now, &k->profiles));
    LT_TRY(ca_operators_load(k->dir, "operators", &k->operators));
    return load_root(k, issuer);
}

void ceremony_close(struct ceremony *k)
{
    if (k->store != NULL) {
        store_rollback(k->store);
        store_close(k->store);
    }
    ca_operators_done(&k->operators);
    ca_profiles_done(&k->profiles);
    ca_config_free(k->config);
    if (k->dir >= 0) {
        (void)close(k->dir); /* what was written is synced */
    }
}

static lt_res plan_restore(struct ceremony *k)
{
    struct lt_buf out;
    lt_buf_init(&out, 4096);
    const struct restore_choice choice = {cmd_flag(k->c, "revoke-lost"), cmd_flag(k->c, "forget-missing")};
    lt_res r = restore_describe(k->folder, &choice, &out);
    k->script.tbs = lt_arena_copy(&k->c->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res plan_tbs(struct ceremony *k)
{
    if (strcmp(k->script.action, "restore") == 0) {
        return plan_restore(k);
    }
    LT_TRY(ceremony_open_book(k));
    return strcmp(k->script.action, "crl") == 0 ? ceremony_plan_crl(k) : ceremony_plan_ca(k);
}

/* A plan that is refused leaves nothing: the key was made for it a moment ago and has signed nothing. */
static lt_res lint_plan(struct ceremony *k)
{
    char path[PATH_SIZE];
    lt_res r = ceremony_lint(k, true);
    if (lt_failed(r) && strcmp(k->script.action, "ca") == 0 && cmd_value(k->c, "public-key") == NULL) {
        (void)snprintf(path, sizeof(path), "keys/%s.key", k->script.name); /* a name of at most 32 letters */
        (void)unlinkat(k->dir, path, 0);                                   /* or the next plan says so */
    }
    return r;
}

static lt_res plan(struct ceremony *k)
{
    struct cmd *c = k->c;
    char expires[LT_RFC3339_SIZE];
    const char *name = cmd_value(c, "ca");
    bool crl = cmd_flag(c, "crl");
    bool restore = cmd_flag(c, "restore");
    LT_CHECK((name != NULL) + crl + restore == 1, LT_PEER_USAGE,
             "say --ca NAME --profile PROFILE, or --crl, or --restore");
    const char *issuer = cmd_value_or(c, "issuer", "root");
    LT_TRY(ceremony_open(k, issuer));
    lt_time_rfc3339(lt_time_add_seconds(c->now, CEREMONY_LIFE_S), expires);
    k->script = (struct ceremony_script){
        .action = restore ? "restore"
                  : crl   ? "crl"
                          : "ca",
        .ca = k->config->name,
        .issuer = issuer,
        .name = name != NULL ? name : issuer,
        .profile = name == NULL ? "" : cmd_value_or(c, "profile", "ca-tls"),
        .profile_sha256 = "",
        .revoke = cmd_value_or(c, "revoke-ca", ""),
        .expires = expires,
    };
    size_t len = strlen(k->script.name);
    LT_CHECK(len > 0 && len <= 32 && strspn(k->script.name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len,
             LT_PEER_USAGE, "--ca \"%.40s\": write 1 to 32 of a-z 0-9 -", k->script.name);
    LT_TRY(plan_tbs(k));
    LT_TRY(lint_plan(k));
    LT_TRY(ceremony_write(k, c->args.words[0]));
    LT_TRY(ceremony_read(k, c->args.words[0]));
    LT_TRY(ceremony_check(k));
    if (c->json) {
        return cmd_printf("{\"script\":\"%s\",\"action\":\"%s\",\"name\":\"%s\"}\n", c->args.words[0],
                          k->script.action, k->script.name);
    }
    LT_TRY(ceremony_say(k));
    return cmd_printf(
        "Next: two approvers read it and sign: lintel ceremony sign %s --operator NAME --key FILE --yes\n",
        c->args.words[0]);
}

/* Reads the script, says what it would do. */
static lt_res show(struct ceremony *k)
{
    LT_TRY(ceremony_open(k, cmd_value_or(k->c, "issuer", "root")));
    LT_TRY(ceremony_read(k, k->c->args.words[0]));
    if (strcmp(k->script.issuer, "root") != 0) {
        LT_TRY(load_root(k, k->script.issuer));
    }
    LT_TRY(ceremony_check(k));
    LT_TRY(ceremony_lint(k, false));
    return k->c->json ? LT_OK : ceremony_say(k);
}

static lt_res sign(struct ceremony *k)
{
    struct cmd_key key = {.soft = NULL};
    struct lt_buf statement;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    char path[PATH_SIZE];
    const char *name = cmd_operator_name(k->c);
    LT_TRY(show(k));
    if (!cmd_flag(k->c, "yes")) {
        return cmd_would(k->c, "add --yes to sign it as %s", name);
    }
    const struct ca_operator *o = ca_operator_by_name(&k->operators, lt_slice_cstr(name));
    LT_CHECK(o != NULL && (o->roles & CA_ROLE_APPROVER) != 0, LT_POLICY_APPROVAL,
             "%s is no operator with the role approver", name);
    LT_TRY(cmd_operator_key(k->c, &key));
    lt_buf_init(&statement, 256);
    ceremony_statement(&k->script, &statement);
    lt_res r = crypto_key_sign_jose(key.soft, crypto_alg_of_key(crypto_key_type(key.soft)),
                                    lt_buf_slice(&statement), signature, &len);
    bool theirs = lt_slice_eq(key.use.spki, o->spki);
    lt_buf_done(&statement);
    cmd_key_done(&key);
    LT_TRY(r);
    LT_CHECK(theirs, LT_PEER_USAGE, "this is not the key of %s", name);
    char *text = lt_base64url(&k->c->arena, LT_SLICE(signature, len));
    int n = snprintf(path, sizeof(path), "%s.%s.sig", k->c->args.words[0], name);
    LT_CHECK(text != NULL && n > 0 && (size_t)n < sizeof(path), LT_PEER_USAGE, "the path is too long");
    LT_TRY(lt_file_replace(AT_FDCWD, path, 0644, lt_slice_cstr(text)));
    return k->c->json ? cmd_printf("{\"signed_by\":\"%s\",\"file\":\"%s\"}\n", name, path)
                      : cmd_printf("signed by %s: %s\n", name, path);
}

static lt_res say_next(struct ceremony *k)
{
    if (k->c->json) {
        return cmd_printf("{\"done\":true,\"action\":\"%s\",\"name\":\"%s\"}\n", k->script.action,
                          k->script.name);
    }
    if (strcmp(k->script.action, "crl") == 0) {
        return cmd_printf("signed, in the book, and published: public/crl/%s.crl\n", k->script.name);
    }
    return cmd_printf("signed, in the book, and in ca/%s.pem. To use it, add to the issuers of lintel.yaml:\n"
                      "  - name: %s\n    certificate: ca/%s.pem\n    key: keys/%s.key\n    crl: true\n"
                      "and name it as issuer in a profile.\n",
                      k->script.name, k->script.name, k->script.name, k->script.name);
}

static lt_res run_locked(struct ceremony *k, struct lt_buf *people)
{
    size_t count = 0;
    LT_TRY(show(k));
    LT_CHECK(strcmp(k->script.action, "restore") != 0, LT_PEER_USAGE,
             "carry it out with: lintel restore --reconcile --script %.100s", k->c->args.words[0]);
    LT_TRY(ceremony_signatures(k, k->c->args.words[0], &count, people));
    size_t needed = k->config->approvals_needed > CEREMONY_PEOPLE ? k->config->approvals_needed
                                                                  : CEREMONY_PEOPLE;
    LT_CHECK(count >= needed, LT_POLICY_APPROVAL,
             "%zu of %zu signatures: lintel ceremony sign %.100s --operator NAME", count, needed,
             k->c->args.words[0]);
    if (!k->c->json) {
        LT_TRY(cmd_printf("signed by %s\n", lt_buf_cstr(people)));
    }
    if (!cmd_flag(k->c, "yes")) {
        return cmd_would(k->c, "add --yes to run it");
    }
    LT_TRY(ceremony_open_book(k));
    LT_TRY(ceremony_run(k, lt_buf_cstr(people)));
    return say_next(k);
}

static lt_res with(struct cmd *c, lt_res (*step)(struct ceremony *k))
{
    struct ceremony k = {.c = c, .dir = -1};
    lt_res r = step(&k);
    ceremony_close(&k);
    return r;
}

static lt_res run_plan(struct cmd *c)
{
    return with(c, plan);
}

static lt_res run_show(struct cmd *c)
{
    return with(c, show);
}

static lt_res run_sign(struct cmd *c)
{
    return with(c, sign);
}

static lt_res run_run(struct cmd *c)
{
    const char *folder = NULL;
    LT_CLEANUP(lt_fd_closep) int lock = -1;
    struct ceremony k = {.c = c, .dir = -1};
    struct lt_buf people;
    LT_TRY(cmd_folder(c, &folder));
    LT_TRY(cmd_folder_lock(folder, &lock));
    lt_buf_init(&people, PEOPLE_MAX);
    lt_res r = run_locked(&k, &people);
    lt_buf_done(&people);
    ceremony_close(&k);
    return r;
}

static const struct cmd_option plan_options[] = {
    {"ca", "NAME", "sign the certificate of a new issuing CA of this name", false, NULL},
    {"profile", "PROFILE", "of the new CA: ca-tls, ca-smime, … (default: ca-tls)", false, NULL},
    {"common-name", "TEXT", "of the new CA", false, NULL},
    {"key-type", "TYPE", "of its key, made in keys/ (default: p256)", false, NULL},
    {"public-key", "FILE", "its PUBLIC KEY, when the key is elsewhere", false, NULL},
    {"passphrase-file", "FILE", "of that key (default: as configured)", false, NULL},
    {"crl", NULL, "sign a CRL of the root", false, NULL},
    {"days", "N", "until the CRL after it (default: 364)", false, NULL},
    {"revoke-ca", "NAME:REASON", "an issuing CA that this CRL revokes; reason as a number", false, NULL},
    {"issuer", "NAME", "who signs (default: root)", false, NULL},
    {"restore", NULL, "reconcile a book that was put back with the journal: lintel restore", false, NULL},
    {"revoke-lost", NULL, "of a restore: revoke what is in no book", false, NULL},
    {"forget-missing", NULL, "of a restore: go on although nothing names all members of a batch", false,
     NULL},
    {"accept-findings", NULL, "plan it although the linter finds errors; who approves sees them", false,
     NULL},
};
static const struct cmd_option sign_options[] = {CMD_YES_OPTION, CMD_OPERATOR_OPTIONS};
static const struct cmd_option run_options[] = {
    {"root-key", "FILE", "the issuer's key, when it is offline", false, NULL},
    {"root-passphrase-file", "FILE", "of that key", false, NULL},
    {"passphrase-file", "FILE", "of a root's key that lies in the folder (default: as configured)", false,
     NULL},
    CMD_YES_OPTION,
};

const struct cmd_verb cmd_ceremony_plan = {
    .name = "ceremony plan",
    .words = "SCRIPT",
    .words_least = 1,
    .words_most = 1,
    .summary = "write the script by which a CA certificate or a root's CRL is signed",
    .help =
        "The script holds the very bytes that will be signed. Two approvers read and sign it (ceremony "
        "sign),\n"
        "then it is run offline with the root's key at hand (ceremony run). The linter judges them first.\n"
        "\n"
        "examples:\n"
        "  lintel ceremony plan tls2.script --ca tls2 --profile ca-tls --common-name 'Example TLS CA 2'\n"
        "  lintel ceremony plan crl.script --crl --revoke-ca tls:4\n",
    .options = plan_options,
    .option_count = LT_COUNT(plan_options),
    .run = run_plan,
};
const struct cmd_verb cmd_ceremony_show = {
    .name = "ceremony show",
    .words = "SCRIPT",
    .words_least = 1,
    .words_most = 1,
    .summary = "check a script and say what it would sign",
    .help = "examples:\n  lintel ceremony show tls2.script\n",
    .options = NULL,
    .option_count = 0,
    .run = run_show,
};
const struct cmd_verb cmd_ceremony_sign = {
    .name = "ceremony sign",
    .words = "SCRIPT",
    .words_least = 1,
    .words_most = 1,
    .summary = "sign a script's hash as an approver: SCRIPT.NAME.sig",
    .help = "examples:\n  lintel ceremony sign tls2.script --operator berta --key berta.key --yes\n",
    .options = sign_options,
    .option_count = LT_COUNT(sign_options),
    .run = run_sign,
};
const struct cmd_verb cmd_ceremony_run = {
    .name = "ceremony run",
    .words = "SCRIPT",
    .words_least = 1,
    .words_most = 1,
    .summary = "carry out a script that two approvers have signed; offline",
    .help =
        "Refuses while the family runs. The intent is in the book before the root's key signs, the outcome\n"
        "before a file is written; run again after a crash, it goes on where it was.\n"
        "\n"
        "examples:\n"
        "  lintel ceremony run tls2.script --root-key /media/safe/root.key \\\n"
        "      --root-passphrase-file /media/other/root.passphrase --yes\n",
    .options = run_options,
    .option_count = LT_COUNT(run_options),
    .run = run_run,
};
