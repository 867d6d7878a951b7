/* lintel.yaml of a new folder, with a comment for what people change. */
#include "base/text.h"
#include "cmd/init.h"

#include <string.h>

/* YAML takes JSON strings as they are. */
static void quoted(struct lt_buf *out, const char *before, const char *value)
{
    lt_buf_add_cstr(out, before);
    lt_json_add_string(out, lt_slice_cstr(value));
}

static void list(struct lt_buf *out, const char *before, const char *const *values, size_t count)
{
    lt_buf_add_cstr(out, before);
    for (size_t k = 0; k < count; k++) {
        quoted(out, k > 0 ? ", " : "[", values[k]);
    }
    lt_buf_add_cstr(out, count > 0 ? "]\n" : "[]\n");
}

/* Certificates never change their part, so it is well to have them from the first one on. */
static void crl_shards(const struct init *i, struct lt_buf *out)
{
    const char *wanted = cmd_value(i->c, "crl-shards");
    wanted = wanted == NULL && cmd_flag(i->c, "public") ? "128" : wanted;
    if (wanted == NULL || strcmp(wanted, "0") == 0) {
        lt_buf_add_cstr(out, "    # Of an issuer of many: each certificate points to one of so many parts.\n"
                             "    # crl-shards: 128\n");
    } else {
        lt_buf_addf(out, "    crl-shards: %s\n", wanted);
    }
}

static void issuers(const struct init *i, struct lt_buf *out)
{
    lt_buf_add_cstr(
        out,
        "\n# Who signs. key: a file below keys/, encrypted; or pkcs11-uri: in a token; or offline: true.\n"
        "issuers:\n");
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        const struct init_issuer *issuer = &i->issuers[k];
        lt_buf_addf(out, "  - name: %s\n    certificate: ca/%s.pem\n", issuer->name, issuer->name);
        if (issuer->pkcs11_uri[0] != 0) {
            quoted(out, "    pkcs11-uri: ", issuer->pkcs11_uri);
            lt_buf_add_cstr(out, "\n");
        } else if (issuer->offline) {
            lt_buf_add_cstr(out, "    offline: true\n");
        } else {
            lt_buf_addf(out, "    key: keys/%s.key\n", issuer->name);
        }
        lt_buf_add_cstr(out, "    crl: true\n");
        if (strcmp(issuer->name, "tls") == 0) {
            crl_shards(i, out);
        }
    }
}

static void token(const struct init *i, struct lt_buf *out)
{
    const char *module = cmd_value(i->c, "token-module");
    if (module == NULL) {
        return;
    }
    quoted(out, "\n# The PKCS#11 module, loaded by the token program alone.\ntoken:\n  module: ", module);
    if (i->pin_file != NULL) {
        quoted(out, "\n  pin-file: ", i->pin_file);
    }
    lt_buf_add_cstr(out, "\n");
}

static void validation(const struct init *i, struct lt_buf *out)
{
    const char *resolver = cmd_value_or(i->c, "resolver", "");
    bool allow_private = i->testing || cmd_flag(i->c, "allow-private");
    quoted(out,
           "\n# resolver: ADDRESS@PORT to ask; empty: the DNS root and down."
           "\nvalidation:\n  "
           "resolver: ",
           resolver);
    lt_buf_addf(out, "\n  http-port: %s\n",
                cmd_value_or(i->c, "validation-port", i->testing ? "5002" : "80"));
    const char *tls_port = cmd_value(i->c, "tls-port");
    tls_port = tls_port == NULL && i->testing ? "5001" : tls_port;
    if (tls_port != NULL) {
        lt_buf_addf(out, "  https-port: %s\n", tls_port);
    }
    lt_buf_addf(
        out,
        "  # root: answers are checked from the DNS root (or from trust-anchor: FILE) "
        "down; none: private networks.\n  dnssec: %s\n  # Private and loopback addresses are refused unless "
        "this is true.\n  allow-private: %s\n",
        allow_private && resolver[0] != '\0' ? "none" : "root", allow_private ? "true" : "false");
}

static void service(const struct init *i, struct lt_buf *out)
{
    lt_buf_add_cstr(out, "\ndefault-profile: tls-server\n\nacme:\n");
    lt_buf_add_cstr(out, i->testing ? "  terms-of-service: \"data:text/plain,Do%20what%20thou%20wilt\"\n"
                                    : "  # terms-of-service: https://ca.example.com/terms\n");
    lt_buf_add_cstr(out, "  # website: https://ca.example.com\n");
    const char *caa[INIT_HOSTS_MAX];
    size_t caa_count = 0;
    while (caa_count < INIT_HOSTS_MAX &&
           (caa[caa_count] = cmd_value_nth(i->c, "caa-identity", caa_count)) != NULL) {
        caa_count++;
    }
    list(out, "  # The names that a CAA record may give to let this CA issue.\n  caa-identities: ", caa,
         caa_count);
    lt_buf_add_cstr(out,
                    "  order-lifetime: 7d\n  # Below 8h no CAA check has to be repeated before issuance.\n"
                    "  authorization-lifetime: 7h\n");
    validation(i, out);
    lt_buf_add_cstr(
        out,
        i->testing
            ? "\n# COUNT/PERIOD, or none.\nrate-limits:\n  accounts-per-address: none\n"
              "  orders-per-account: none\n  failures-per-name: none\n"
              "\npausing:\n  failures: 0\n"
            : "\n# COUNT/PERIOD, or none.\nrate-limits:\n  accounts-per-address: 1000/1h\n"
              "  orders-per-account: 1000000/1h\n  failures-per-name: 60/1h\n"
              "\n# A name that an account could not prove so often in a row is paused for it; 0: never.\n"
              "pausing:\n  failures: 20\n");
    lt_buf_add_cstr(out, "\ncrl:\n  interval: 6h\n  lifetime: 7d\n");
    if (cmd_flag(i->c, "public")) {
        lt_buf_add_cstr(
            out, "  # What was published is fetched, as strangers do, and read.\n  fetch-back: true\n");
    }
    lt_buf_add_cstr(
        out,
        "\n# Signatures by different operators that a dangerous plan needs.\napprovals:\n  needed: 2\n"
        "  # So many certificates one operator may revoke at once without them.\n  revoke-alone: 100\n"
        "\n# Started as root, each program runs as user uid-base + its number, or lintel-ROLE if there is "
        "one.\n"
        "uid-base: 71000\n\nlog:\n  format: auto    # json, text; auto: text on a terminal\n  level: info\n");
}

lt_res init_config(const struct init *i, struct lt_buf *out)
{
    lt_buf_add_cstr(
        out, "# How this certificate authority is run; see lintel.yaml(5). What its certificates look like\n"
             "# is in profiles/. Check with `lintel config check`, take up with `systemctl reload lintel`\n"
             "# or SIGHUP; addresses and counts of programs need a restart.\n");
    quoted(out, "name: ", i->name);
    list(out,
         "\n\n# Names and addresses under which the listeners are reached; their own certificates carry "
         "them.\nhost-names: ",
         i->hosts, i->host_count);
    quoted(out,
           "\n# https: ACME. http: CRLs and CA certificates. operator: metrics and console; keep it on "
           "loopback.\nlisten:\n  https: ",
           i->https);
    quoted(out, "\n  http: ", i->http);
    quoted(out, "\n  operator: ", i->operator_);
    lt_buf_add_cstr(
        out,
        "\n\n# The console, on the operator's address. name: the host in browsers' address lines, to which "
        "passkeys are\n# bound. session: how long a log-in is good for, 8h at most.\n"
        "console:\n  name: localhost\n  session: 1h");
    quoted(out,
           "\n\n# What CRL and issuer URLs in certificates begin with; must stay reachable as long as they "
           "live.\npublic-http-url: ",
           i->public_http_url);
    lt_buf_add_cstr(out, "\n\n# Programs of each kind; one gateway and notary per core is a good number.\n"
                         "gateways: 2\nnotaries: 2\nreaders: 1\n");
    quoted(out,
           "\n# Of the key files. Better kept elsewhere: a systemd credential \"lintel-passphrase\" comes "
           "first.\npassphrase-file: ",
           i->passphrase_file);
    lt_buf_add_cstr(out,
                    "\n# A second folder, on another disk, that the signer's journal is synced to first.\n"
                    "# journal-mirror: /mnt/other/journal\n");
    issuers(i, out);
    token(i, out);
    service(i, out);
    if (i->testing) {
        init_testing_config(i, out);
    }
    return lt_buf_check(out);
}
