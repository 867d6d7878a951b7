/* lintel init DIR: a complete, working CA folder without a question. Refuses a folder that is not empty; a
 * failed or interrupted one leaves nothing that looks usable. */
#include "cmd/init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"
#include "ca/config.h"
#include "ca/crl_shard.h"
#include "cmd/verbs.h"

enum { PASSPHRASE_BYTES = 24 };

static const struct cmd_option options[] = {
    {"name", "NAME", "of the CA: organization in its certificates (default: Lintel)", false, NULL},
    {"country", "CC", "two letters in its certificates (default: XX, none)", false, NULL},
    {"host", "NAME", "name or address of the listeners (default: localhost)", true, NULL},
    {"listen", "ADDRESS", "of the public listeners (default: 127.0.0.1)", false, NULL},
    {"https-port", "PORT", "ACME (default: 14000)", false, NULL},
    {"http-port", "PORT", "CRLs and CA certificates (default: 14080)", false, NULL},
    {"operator-port", "PORT", "metrics, on loopback (default: 14001)", false, NULL},
    {"public-http-url", "URL", "what CRL URLs begin with (default: http://HOST:PORT)", false, NULL},
    {"key-type", "TYPE", "of issuing CAs: p256, p384, p521, rsa:3072 (default: p256)", false, NULL},
    {"root-key-type", "TYPE", "of the root: p384, p521, rsa:4096 (default: p384)", false, NULL},
    {"permit-dns", "DOMAIN", "nameConstraints of the TLS issuing CA", true, NULL},
    {"root-offline", "PATH", "the root's key goes into this folder, not into DIR", false, NULL},
    {"import", "CA:KEY:CERT", "use this key (file or PKCS#11 URI) and certificate for that CA", true, NULL},
    {"token-module", "PATH", "PKCS#11 module that holds keys", false, NULL},
    {"pkcs11-uri", "[CA=]URI", "where the key of that CA, or of all, is or shall be made", true, NULL},
    {"pin-file", "FILE", "of the token", false, NULL},
    {"import-passphrase-file", "FILE", "of imported keys", false, NULL},
    {"passphrase-file", "FILE", "of the key files (default: a random one in DIR/secrets)", false, NULL},
    {"public", NULL, "browsers are to trust it: nothing without perspectives and CAA", false, NULL},
    {"crl-shards", "N", "parts of the TLS issuer's CRL, up to 1024 (default: 128 with --public, else none)",
     false, NULL},
    {"caa-identity", "DOMAIN", "that a CAA record may name to let this CA issue", true, NULL},
    {"resolver", "ADDR@PORT", "DNS resolver of validation (default: none, from the root down)", false, NULL},
    {"validation-port", "PORT", "that http-01 connects to (default: 80)", false, NULL},
    {"tls-port", "PORT", "that tls-alpn-01 and redirects connect to (default: 443)", false, NULL},
    {"allow-private", NULL, "validate names on private addresses; with --resolver, without DNSSEC", false,
     NULL},
    {"testing", NULL, "a test CA, for ever: may behave like a test server, never to be trusted", false, NULL},
    {"management-port", "PORT", "of a test CA's management face (default: 15000)", false, NULL},
    {"chain-length", "N", "of a test CA: certificates between leaf and root, 1 to 5 (default: 1)", false,
     NULL},
    {"alternate-roots", "N", "of a test CA: roots beside the root, up to 5 (default: 0)", false, NULL},
};

static lt_res choose_urls(struct init *i)
{
    struct lt_arena *a = &i->c->arena;
    uint64_t https = 0;
    uint64_t http = 0;
    uint64_t operator_ = 0;
    const char *address = cmd_value_or(i->c, "listen", "127.0.0.1");
    const char *url = cmd_value(i->c, "public-http-url");
    LT_TRY(cmd_number(i->c, "https-port", 14000, 65535, &https));
    LT_TRY(cmd_number(i->c, "http-port", 14080, 65535, &http));
    LT_TRY(cmd_number(i->c, "operator-port", 14001, 65535, &operator_));
    i->https = lt_arena_printf(a, "%s:%u", address, (unsigned)https);
    i->http = lt_arena_printf(a, "%s:%u", address, (unsigned)http);
    i->operator_ = lt_arena_printf(a, "127.0.0.1:%u", (unsigned)operator_);
    LT_CHECK(i->https != NULL && i->http != NULL && i->operator_ != NULL, LT_PEER_USAGE,
             "--listen: too long");
    const char *host = strchr(i->hosts[0], ':') != NULL ? lt_arena_printf(a, "[%s]", i->hosts[0])
                                                        : i->hosts[0];
    LT_CHECK(host != NULL, LT_PEER_USAGE, "--host: too long");
    int n = url != NULL  ? snprintf(i->public_http_url, sizeof(i->public_http_url), "%s", url)
            : http == 80 ? snprintf(i->public_http_url, sizeof(i->public_http_url), "http://%s", host)
                         : snprintf(i->public_http_url, sizeof(i->public_http_url), "http://%s:%u", host,
                                    (unsigned)http);
    LT_CHECK(n > 0 && (size_t)n < sizeof(i->public_http_url), LT_PEER_USAGE, "--public-http-url: too long");
    return LT_OK;
}

lt_res init_passphrase(struct lt_secret *ret_passphrase)
{
    uint8_t random[PASSPHRASE_BYTES];
    lt_random(random, sizeof(random));
    struct lt_buf text;
    lt_buf_init(&text, 256);
    lt_base64url_add(&text, LT_SLICE(random, sizeof(random)));
    lt_res r = lt_secret_new(lt_buf_slice(&text), ret_passphrase);
    explicit_bzero(random, sizeof(random));
    explicit_bzero(text.ptr, text.size);
    lt_buf_done(&text);
    return r;
}

/* As it must stand in lintel.yaml: the programs run in the CA folder. */
static lt_res absolute_path(struct init *i, const char *option, const char **ret_path)
{
    const char *file = cmd_value(i->c, option);
    *ret_path = NULL;
    if (file == NULL) {
        return LT_OK;
    }
    char *absolute = realpath(file, NULL);
    LT_CHECK(absolute != NULL, LT_PEER_USAGE, "--%s %.150s: %s", option, file, strerror(errno));
    *ret_path = lt_arena_cstr(&i->c->arena, lt_slice_cstr(absolute));
    free(absolute);
    LT_CHECK(*ret_path != NULL, LT_PEER_USAGE, "--%s: too long", option);
    return LT_OK;
}

static lt_res choose_passphrase(struct init *i)
{
    const char *file = NULL;
    LT_TRY(absolute_path(i, "passphrase-file", &file));
    i->passphrase_file = file != NULL ? file : "secrets/passphrase";
    if (file != NULL) {
        return cmd_secret_file(file, &i->passphrase);
    }
    return init_passphrase(&i->passphrase);
}

static lt_res choose(struct init *i)
{
    struct cmd *c = i->c;
    i->name = cmd_value_or(c, "name", "Lintel");
    i->country = cmd_value_or(c, "country", "XX");
    i->offline_path = cmd_value(c, "root-offline");
    const char *host;
    while (i->host_count < INIT_HOSTS_MAX && (host = cmd_value_nth(c, "host", i->host_count)) != NULL) {
        i->hosts[i->host_count++] = host;
    }
    if (i->host_count == 0) {
        i->hosts[i->host_count++] = "localhost";
    }
    static const struct init_issuer rows[INIT_ISSUERS] = {
        {.name = "root", .profile = "ca-root", .title = "Root"},
        {.name = "tls", .profile = "ca-tls", .title = "TLS"},
        {.name = "smime", .profile = "ca-smime", .title = "S/MIME"},
        {.name = "workload", .profile = "ca-workload", .title = "Workload"},
        {.name = "document", .profile = "ca-document", .title = "Document"},
    };
    memcpy(i->issuers, rows, sizeof(rows));
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        i->issuers[k].pkcs11_uri = "";
    }
    i->issuers[INIT_ROOT].offline = i->offline_path != NULL;
    LT_CHECK(
        !cmd_flag(i->c, "public") || cmd_value_nth(i->c, "caa-identity", 0) != NULL, LT_PEER_USAGE,
        "--public wants --caa-identity: the name by which CAA records let this CA issue (CABF-BR 3.2.2.8)");
    uint64_t shards; /* looked at here, written as it stands */
    LT_TRY(cmd_number(i->c, "crl-shards", 0, CA_CRL_SHARDS_MAX, &shards));
    LT_TRY(init_testing_choose(i));
    LT_TRY(choose_urls(i));
    LT_TRY(absolute_path(i, "pin-file", &i->pin_file));
    return choose_passphrase(i);
}

size_t init_profiles_wanted(const struct init *i)
{
    return init_profile_count + (i->testing ? init_testing_alias_count : 0);
}

const char *init_profile_file(const struct init *i, size_t index)
{
    LT_ASSERT(index < init_profiles_wanted(i));
    return index < init_profile_count ? init_profiles[index].file
                                      : init_testing_aliases[index - init_profile_count].file;
}

/* Which of those that are shipped it is made of. */
static const struct init_shipped *shipped_of(const struct init *i, size_t index)
{
    const char *file = index < init_profile_count ? init_profile_file(i, index)
                                                  : init_testing_aliases[index - init_profile_count].of;
    size_t k = 0;
    while (k < init_profile_count && strcmp(init_profiles[k].file, file) != 0) {
        k++;
    }
    LT_ASSERT(k < init_profile_count);
    return &init_profiles[k];
}

/* A line of a shipped profile, as it is to stand in this folder. */
static lt_slice line_for(const struct init *i, size_t index, lt_slice line)
{
    if (cmd_flag(i->c, "public") && lt_slice_starts(line, LT_LIT("public: false"))) {
        return LT_LIT("public: true");
    }
    if (i->testing && lt_slice_starts(line, LT_LIT("  types: [dns, wildcard, ip]"))) {
        return LT_LIT("  types: [dns, wildcard, ip, local]");
    }
    if (i->testing && lt_slice_starts(line, LT_LIT("lint-profile: tls-dv"))) {
        return LT_LIT("lint-profile: private"); /* which knows local names */
    }
    if (index >= init_profile_count && lt_slice_starts(line, LT_LIT("name: "))) {
        const char *file = init_profile_file(i, index);
        const char *name = lt_arena_printf(&i->c->arena, "name: %.*s", (int)strcspn(file, "."), file);
        LT_ASSERT(name != NULL); /* a few bytes */
        return lt_slice_cstr(name);
    }
    return line;
}

lt_slice init_profile_text(const struct init *i, size_t index)
{
    const struct init_shipped *shipped = shipped_of(i, index);
    lt_slice rest = lt_slice_cstr(shipped->text);
    lt_slice line;
    struct lt_buf out;
    if ((!cmd_flag(i->c, "public") && !i->testing) ||
        !lt_slice_starts(lt_slice_cstr(shipped->file), LT_LIT("tls-server"))) {
        return rest;
    }
    lt_buf_init(&out, CA_PROFILE_MAX_BYTES);
    while (lt_slice_split(&rest, '\n', &line)) {
        lt_buf_add(&out, line_for(i, index, line));
        lt_buf_add_byte(&out, '\n');
    }
    lt_slice text = lt_arena_copy(&i->c->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_ASSERT(text.ptr != NULL); /* a few hundred bytes */
    return text;
}

static lt_res load_shipped(struct init *i)
{
    size_t count = init_profiles_wanted(i);
    i->profiles.rows = calloc(count, sizeof(struct ca_profile *));
    LT_ASSERT(i->profiles.rows != NULL);
    for (size_t k = 0; k < count; k++) {
        LT_TRY(ca_profile_parse(init_profile_file(i, k), init_profile_text(i, k), i->c->now,
                                &i->profiles.rows[k]));
        i->profiles.count++;
    }
    return LT_OK;
}

static void say_issuers(const struct init *i, struct lt_buf *out)
{
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        const struct init_issuer *issuer = &i->issuers[k];
        char until[LT_RFC3339_SIZE];
        lt_time_rfc3339(issuer->cert.not_after, until);
        if (i->c->json) {
            lt_buf_addf(out, "%s{\"name\":\"%s\",\"subject\":", k > 0 ? "," : "", issuer->name);
            struct lt_buf subject;
            lt_buf_init(&subject, 4096);
            x509_name_text(&issuer->cert.subject, &subject);
            lt_json_add_string(out, lt_buf_slice(&subject));
            lt_buf_done(&subject);
            lt_buf_addf(out, ",\"key\":\"%s\",\"not_after\":\"%s\",\"offline\":%s,\"imported\":%s}",
                        x509_key_type_name(issuer->cert.spki.type), until, issuer->offline ? "true" : "false",
                        issuer->imported ? "true" : "false");
            continue;
        }
        lt_buf_addf(out, "  %-9s %-7s until %.10s  ", issuer->name,
                    x509_key_type_name(issuer->cert.spki.type), until);
        x509_name_text(&issuer->cert.subject, out);
        lt_buf_addf(out, "%s%s%s\n", issuer->imported ? "  (imported)" : "",
                    issuer->offline ? "  (key offline)" : "",
                    issuer->pkcs11_uri[0] != 0 ? "  (key in the token)" : "");
    }
}

/* The first passkey's link; "" when nothing listens for the console. */
static lt_res first_link(const struct init *i, const char **ret_link)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    LT_TRY(ca_config_load(i->folder, &config));
    const char *console = ca_config_console_url(config, &i->c->arena);
    return cmd_enrolment_link(i->c, console == NULL ? "" : console, i->enrolment.secret, ret_link);
}

static lt_res say(const struct init *i)
{
    const char *link = "";
    LT_TRY(first_link(i, &link));
    struct lt_buf out;
    lt_buf_init(&out, 64 * 1024);
    if (i->c->json) {
        lt_buf_add_cstr(&out, "{\"folder\":");
        lt_json_add_string(&out, lt_slice_cstr(i->folder));
        lt_buf_add_cstr(&out, ",\"issuers\":[");
        say_issuers(i, &out);
        lt_buf_addf(&out,
                    "],\"https\":\"%s\",\"http\":\"%s\",\"operator\":\"%s\",\"public_http_url\":", i->https,
                    i->http, i->operator_);
        lt_json_add_string(&out, lt_slice_cstr(i->public_http_url));
        lt_buf_addf(&out, ",\"console_link\":\"%s\"}\n", link);
    } else {
        lt_buf_addf(&out, "A certificate authority in %s:\n", i->folder);
        say_issuers(i, &out);
        lt_buf_addf(&out, "  ACME      https://%s:%s/acme/directory, trust %s/ca/root.pem\n", i->hosts[0],
                    strrchr(i->https, ':') + 1, i->folder);
        lt_buf_addf(&out, "  CRLs      %s/crl/NAME.crl\n  metrics   http://%s/metrics\n", i->public_http_url,
                    i->operator_);
        lt_buf_addf(&out, "  operator  admin, key %s/operators/admin.key: move it to where you work\n",
                    i->folder);
        if (link[0] != 0) {
            lt_buf_addf(&out,
                        "  console   %.*s/\n  log in    %s\n            makes admin's passkey, once, within "
                        "%d hours\n",
                        (int)(strchr(link, '#') - link - (ptrdiff_t)strlen("/enroll")), link, link,
                        CMD_ENROLMENT_HOURS);
        }
        if (i->offline_path != NULL) {
            lt_buf_addf(&out, "  root key  %s/root.key and root.passphrase: take them away, not together\n",
                        i->offline_path);
        }
        if (i->testing) {
            lt_buf_addf(&out, "  THIS IS A TEST CA. management https://%s:%s, directory at /dir too\n",
                        i->hosts[0], cmd_value_or(i->c, "management-port", "15000"));
        }
        if (cmd_flag(i->c, "allow-private")) {
            lt_buf_addf(&out, "  private addresses may be validated%s: for a private network only\n",
                        cmd_value(i->c, "resolver") != NULL ? ", and DNSSEC is not asked for" : "");
        }
        lt_buf_addf(&out, "Next: lintel serve %s\n", i->folder);
    }
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res make(struct init *i)
{
    LT_TRY(choose(i));
    LT_TRY(load_shipped(i));
    LT_TRY(init_stage(i));
    LT_TRY(init_hierarchy(i));
    LT_TRY(init_write(i));
    return init_commit(i);
}

static void done(struct init *i)
{
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        cmd_key_done(&i->issuers[k].key);
    }
    init_testing_done(i);
    cmd_key_done(&i->operator_key);
    crypto_pkcs11_close(i->token);
    ca_profiles_done(&i->profiles);
    lt_secret_done(&i->passphrase);
    if (i->stage >= 0) {
        (void)close(i->stage); /* what was written is synced */
    }
    if (i->dir >= 0) {
        (void)close(i->dir); /* as above */
    }
}

static lt_res run(struct cmd *c)
{
    struct init i = {.c = c, .folder = c->args.words[0], .dir = -1, .stage = -1};
    lt_res r = make(&i);
    if (lt_failed(r)) {
        init_abandon(&i);
    } else {
        r = say(&i);
    }
    done(&i);
    return r;
}

const struct cmd_verb cmd_init = {
    .name = "init",
    .words = "DIR",
    .words_least = 1,
    .words_most = 1,
    .summary = "make a certificate authority in an empty folder",
    .help =
        "Makes a root and issuing CAs for TLS servers, S/MIME, workloads and documents, their keys under a\n"
        "random passphrase, the book, a first operator \"admin\" with a key, profiles and lintel.yaml.\n"
        "Nothing is asked; what was chosen is printed. DIR must not exist or be empty.\n"
        "\n"
        "examples:\n"
        "  lintel init /srv/ca\n"
        "  lintel init /srv/ca --name \"Example Trust\" --country AT --host ca.example.com \\\n"
        "      --listen 0.0.0.0 --https-port 443 --http-port 80\n"
        "  lintel init /srv/ca --root-offline /media/safe\n"
        "  lintel init /srv/ca --public --caa-identity ca.example.com\n"
        "  lintel init /tmp/pebble --testing --resolver 127.0.0.1@8053\n"
        "  lintel init /srv/ca --import tls:old/tls.key:old/tls-and-above.pem\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
