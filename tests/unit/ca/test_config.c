/* lintel.yaml: defaults, what is refused, and that each refusal says where. */
#include "check.h"

#include "ca/config.h"
#include "ca/config_values.h"

static void free_config(struct ca_config **c)
{
    ca_config_free(*c);
}

static void defaults(void **state)
{
    (void)state;
    LT_CLEANUP(free_config) struct ca_config *c = NULL;
    assert_ok(ca_config_parse(LT_LIT("name: Test CA\n"), &c));
    assert_string_equal(c->name, "Test CA");
    assert_string_equal(c->listen_https, "127.0.0.1:14000");
    assert_string_equal(c->base_url, "https://localhost:14000");
    assert_string_equal(c->public_http_url, "http://localhost:14080");
    assert_int_equal(c->host_name_count, 1);
    assert_int_equal(c->gateways, 2);
    assert_int_equal(c->notaries, 2);
    assert_int_equal(c->readers, 1);
    assert_int_equal(c->validation_http_port, 80);
    assert_false(c->allow_private);
    assert_int_equal(c->approvals_needed, 2);
    assert_int_equal(c->revoke_alone, CA_REVOKE_ALONE);
    assert_string_equal(c->mail_relay, "");
    assert_int_equal(c->authorization_lifetime_s, 7 * 3600);
    assert_int_equal(c->proof_lifetime_s, 30 * 86400);
    assert_int_equal(c->failures_per_name.count, 60);
    assert_int_equal(c->failures_per_name.per_s, 3600);
    assert_int_equal(c->log_level, 1);
    assert_int_equal(c->uid_base, 71000);
    assert_int_equal(ca_config_uid(c, IPC_SIGNER), 71000 + IPC_SIGNER);
}

static const char full[] = "name: Full\n"
                           "host-names: [ca.example.com, ca2.example.com]\n"
                           "listen:\n"
                           "  https: \"[::1]:443\"\n"
                           "  http: 0.0.0.0:80\n"
                           "  operator: \"\"\n"
                           "base-url: https://ca.example.com\n"
                           "gateways: 4\n"
                           "issuers:\n"
                           "  - name: root\n"
                           "    certificate: ca/root.pem\n"
                           "    offline: true\n"
                           "  - name: tls\n"
                           "    key: keys/tls.key\n"
                           "    certificate: ca/tls.pem\n"
                           "    crl-shards: 128\n"
                           "    cap: 1000000\n"
                           "  - name: hsm\n"
                           "    pkcs11-uri: pkcs11:object=hsm\n"
                           "    certificate: ca/hsm.pem\n"
                           "    crl: false\n"
                           "acme:\n"
                           "  caa-identities: [ca.example.com]\n"
                           "  order-lifetime: 36h\n"
                           "validation:\n"
                           "  resolver: 127.0.0.1@8053\n"
                           "  http-port: 5002\n"
                           "  allow-private: true\n"
                           "  https-port: 5001\n"
                           "  trust-anchor: dns/root.ds\n"
                           "  dnssec: none\n"
                           "rate-limits:\n"
                           "  accounts-per-address: none\n"
                           "  orders-per-account: 300/3h\n"
                           "approvals:\n"
                           "  needed: 3\n"
                           "mail:\n"
                           "  relay: smtps://mail.example.net:465\n"
                           "  from: ca@example.net\n"
                           "token:\n"
                           "  module: /usr/lib/softhsm/libsofthsm2.so\n"
                           "uid-base: 0\n"
                           "log:\n"
                           "  format: json\n"
                           "  level: debug\n";

/* Where browsers find it, and which names our certificates carry for it. */
static void console(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *url;
        const char *name;
        uint32_t own_names;
    } rows[] = {
        {"name: x\n", "http://localhost:14001", "localhost", 1},
        {"host-names: [ca.example]\n", "http://localhost:14001", "localhost", 2},
        {"host-names: [ca.example]\nlisten:\n  operator: \"\"\n", "", "localhost", 1},
        {"listen:\n  operator: \"[::1]:7\"\n", "http://localhost:7", "localhost", 1},
        {"listen:\n  operator: 0.0.0.0:7\n", "https://localhost:7", "localhost", 1},
        {"console:\n  name: console.example\n", "https://console.example:14001", "console.example", 2},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        LT_CLEANUP(free_config) struct ca_config *c = NULL;
        const char *own[CA_CONFIG_OWN_NAMES];
        assert_ok(ca_config_parse(lt_slice_cstr(rows[i].yaml), &c));
        assert_string_equal(ca_config_console_url(c, &c->arena), rows[i].url);
        assert_string_equal(c->console_name, rows[i].name);
        assert_int_equal(ca_config_own_names(c, own), rows[i].own_names);
        assert_int_equal(c->console_session_s, 3600);
    }
}

static void everything(void **state)
{
    (void)state;
    LT_CLEANUP(free_config) struct ca_config *c = NULL;
    assert_ok(ca_config_parse(lt_slice_cstr(full), &c));
    assert_string_equal(c->base_url, "https://ca.example.com");
    assert_string_equal(c->public_http_url, "http://ca.example.com:80");
    assert_string_equal(c->listen_operator, "");
    assert_int_equal(c->issuer_count, 3);
    const struct ca_config_issuer *root = ca_config_issuer(c, LT_LIT("root"));
    assert_true(root != NULL && root->offline && root->crl && root->key[0] == 0);
    assert_string_equal(ca_config_issuer(c, LT_LIT("hsm"))->pkcs11_uri, "pkcs11:object=hsm");
    assert_false(ca_config_issuer(c, LT_LIT("hsm"))->crl);
    assert_null(ca_config_issuer(c, LT_LIT("none")));
    assert_int_equal(ca_config_issuer(c, LT_LIT("tls"))->crl_shards, 128);
    assert_int_equal(ca_config_issuer(c, LT_LIT("hsm"))->crl_shards, 0);
    assert_int_equal(ca_config_issuer(c, LT_LIT("tls"))->cap, 1000000);
    assert_int_equal(ca_config_issuer(c, LT_LIT("hsm"))->cap, 0);
    assert_string_equal(c->caa_identities[0], "ca.example.com");
    assert_int_equal(c->order_lifetime_s, 36 * 3600);
    assert_int_equal(c->accounts_per_address.count, 0);
    assert_int_equal(c->orders_per_account.count, 300);
    assert_int_equal(c->orders_per_account.per_s, 3 * 3600);
    assert_int_equal(c->validation_http_port, 5002);
    assert_int_equal(c->validation_https_port, 5001);
    assert_string_equal(c->trust_anchor, "dns/root.ds");
    assert_false(c->dnssec);
    assert_true(c->allow_private);
    assert_string_equal(c->mail_relay, "smtps://mail.example.net:465");
    assert_string_equal(c->mail_from, "ca@example.net");
    assert_int_equal(c->uid_base, 0);
    assert_int_equal(ca_config_uid(c, IPC_SIGNER), 0);
    assert_int_equal(c->log_format, CA_LOG_JSON);
    assert_int_equal(c->log_level, 0);
}

/* Each is refused, and the message begins with where. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *begins;
    } rows[] = {
        {"", "lintel.yaml:1:1: "},
        {"\n\n", "lintel.yaml:1:1: "},
        {"nome: x\n", "lintel.yaml:1:"},
        {"name: x\ngateways: two\n", "lintel.yaml:2:"},
        {"name: x\ngateways: 1e3\n", "lintel.yaml:2:"},
        {"name: x\ngateways: -1\n", "lintel.yaml:2:"},
        {"name: x\ngateways: 17\n", "lintel.yaml:2:11: gateways: "},
        {"name: x\nname: y\n", "lintel.yaml:2:1: "},
        {"name: x\n---\nname: y\n", "lintel.yaml:2:1: "},
        {"name: &a x\nwebsite: *a\n", "lintel.yaml:2:10: "},
        {"name: [a, b]\n", "lintel.yaml:1:"},
        {"name: \"x\n", "lintel.yaml:"},
        {"name: x\n\tgateways: 2\n", "lintel.yaml:2:"},
        {"listen:\n  https: localhost\n", "lintel.yaml:2:10: listen.https: "},
        {"listen:\n  https: 999.1.1.1:443\n", "lintel.yaml:2:10: listen.https: "},
        {"listen:\n  operator: ca.example.com:443\n", "lintel.yaml:2:13: listen.operator: "},
        {"console:\n  name: \"\"\n", "lintel.yaml:2:9: console.name: "},
        {"console:\n  name: Console.example\n", "lintel.yaml:2:9: console.name: "},
        {"console:\n  name: \"[::1]\"\n", "lintel.yaml:2:9: console.name: "},
        {"console:\n  name: \"*.example\"\n", "lintel.yaml:2:9: console.name: "},
        {"console:\n  name: console.example.\n", "lintel.yaml:2:9: console.name: "},
        {"console:\n  name: localhost:14001\n", "lintel.yaml:2:9: console.name: "},
        {"console:\n  session: 9h\n", "lintel.yaml:2:12: console.session: "},
        {"console:\n  session: 30s\n", "lintel.yaml:2:12: console.session: "},
        {"validation:\n  resolver: foo\n", "lintel.yaml:2:13: validation.resolver: "},
        {"validation:\n  resolver: 127.0.0.1@0\n", "lintel.yaml:2:13: validation.resolver: "},
        {"validation:\n  resolver: 127.0.0.1@53@53\n", "lintel.yaml:2:13: validation.resolver: "},
        {"validation:\n  resolver: 127.0.0.1:53\n", "lintel.yaml:2:13: validation.resolver: "},
        {"acme:\n  caa-identities: [\"not a domain!\"]\n", "lintel.yaml:2:19: acme.caa-identities: "},
        {"acme:\n  caa-identities: [Ca.example.com]\n", "lintel.yaml:2:19: acme.caa-identities: "},
        {"acme:\n  caa-identities: [ca.example.com.]\n", "lintel.yaml:2:19: acme.caa-identities: "},
        {"acme:\n  caa-identities: [ca]\n", "lintel.yaml:2:19: acme.caa-identities: "},
        {"acme:\n  caa-identities: [-a.example.com]\n", "lintel.yaml:2:19: acme.caa-identities: "},
        {"listen:\n  https: ::1:443\n", "lintel.yaml:2:10: listen.https: "},
        {"listen:\n  https: 127.0.0.1:99999\n", "lintel.yaml:2:10: listen.https: "},
        {"listen:\n  https: 127.0.0.1:80\n  http: 127.0.0.1:80\n", "lintel.yaml:3:9: listen.http: "},
        {"host: B\nstore: postgresql:///book\n", "lintel.yaml:1:7: host: "},
        {"host: a.b\nstore: postgresql:///book\n", "lintel.yaml:1:7: host: "},
        {"host: -b\nstore: postgresql:///book\n", "lintel.yaml:1:7: host: "},
        {"host: b\n", "lintel.yaml:1:7: host: "}, /* a book in a folder has one */
        {"base-url: http://ca.example.com\n", "lintel.yaml:1:11: base-url: "},
        {"base-url: https://ca.example.com/\n", "lintel.yaml:1:11: base-url: "},
        {"validation:\n  allow-private: maybe\n", "lintel.yaml:2:"},
        {"validation:\n  http-port: 70000\n", "lintel.yaml:2:14: validation.http-port: "},
        {"validation:\n  https-port: 0\n", "lintel.yaml:2:15: validation.https-port: "},
        {"validation:\n  dnssec: sometimes\n", "lintel.yaml:2:11: validation.dnssec: "},
        {"validation:\n  dnssec: none\n", "lintel.yaml:2:11: validation.dnssec: "},
        {"acme:\n  order-lifetime: 7\n", "lintel.yaml:2:19: acme.order-lifetime: "},
        {"acme:\n  order-lifetime: 1e3d\n", "lintel.yaml:2:19: acme.order-lifetime: "},
        {"acme:\n  order-lifetime: 400d\n", "lintel.yaml:2:19: acme.order-lifetime: "},
        {"crl:\n  interval: 4d\n  lifetime: 3d\n", "lintel.yaml:2:13: crl.interval: "},
        {"crl:\n  lifetime: 11d\n", "lintel.yaml:2:13: crl.lifetime: "},
        {"rate-limits:\n  orders-per-account: 300\n", "lintel.yaml:2:23: rate-limits.orders-per-account: "},
        {"rate-limits:\n  orders-per-account: 0/1h\n", "lintel.yaml:2:23: rate-limits.orders-per-account: "},
        {"rate-limits:\n  orders-per-account: 3/0\n", "lintel.yaml:2:23: rate-limits.orders-per-account: "},
        {"host-names: [Example.com]\n", "lintel.yaml:1:13: host-names: "},
        {"host-names: [\"a b\"]\n", "lintel.yaml:1:13: host-names: "},
        {"mail:\n  relay: http://mail.example.net\n  from: ca@example.net\n",
         "lintel.yaml:2:10: mail.relay: "},
        {"mail:\n  relay: smtp://\n  from: ca@example.net\n", "lintel.yaml:2:10: mail.relay: "},
        {"mail:\n  relay: smtp://u@mail.example.net\n  from: ca@example.net\n",
         "lintel.yaml:2:10: mail.relay: "},
        {"mail:\n  relay: smtp://mail.example.net\n", "lintel.yaml:"},
        {"mail:\n  relay: smtp://mail.example.net\n  from: ca\n", "lintel.yaml:3:9: mail.from: "},
        {"mail:\n  relay: smtp://mail.example.net\n  from: CA <ca@example.net>\n",
         "lintel.yaml:3:9: mail.from: "},
        {"mail:\n  from: ca@example.net\n", "lintel.yaml:"},
        {"issuers:\n  - {name: root, key: k, certificate: c, ocsp: true}\n", "lintel.yaml:2:5: issuers.0: "},
        {"issuers:\n  - {name: a, offline: true, certificate: c, ocsp: true}\n",
         "lintel.yaml:2:5: issuers.0: "},
        {"issuers:\n  - {name: a, key: k, certificate: c, crl-shards: 1025}\n",
         "lintel.yaml:2:51: issuers.0.crl-shards: "},
        {"issuers:\n  - {name: a, key: k, certificate: c, crl-shards: x}\n",
         "lintel.yaml:2:51: issuers.0.crl-shards: "},
        {"issuers:\n  - {name: a, key: k, certificate: c, crl: false, crl-shards: 2}\n",
         "lintel.yaml:2:63: issuers.0.crl-shards: "},
        {"issuers:\n  - {name: a, offline: true, certificate: c, crl-shards: 2}\n",
         "lintel.yaml:2:58: issuers.0.crl-shards: "},
        {"issuers:\n  - {name: a, key: k, certificate: c, cap: 0}\n", "lintel.yaml:2:44: issuers.0.cap: "},
        {"issuers:\n  - {name: a, key: k, certificate: c, cap: many}\n", "lintel.yaml:2:44: issuers.0.cap: "},
        {"acme:\n  terms-version: \"1\"\n", "lintel.yaml:2:18: acme.terms-version: "},
        {"acme:\n  terms-of-service: https://a.example/\n  terms-revocation-clause: true\n",
         "lintel.yaml:3:28: acme.terms-revocation-clause: "},
        {"uid-base: 500\n", "lintel.yaml:1:11: uid-base: "},
        {"second-opinion:\n  command: [zlint, \"-\"]\n", "lintel.yaml:2:"},
        {"second-opinion:\n  command: [/bin/true]\n  paths: [lib]\n", "lintel.yaml:3:"},
        {"second-opinion:\n  command: [/bin/true]\n  timeout: 301s\n",
         "lintel.yaml:3:12: second-opinion.timeout: "},
        {"second-opinion:\n  command: [/bin/true]\n  fail-on: always\n", "lintel.yaml:3:"},
        {"second-opinion:\n  command: [/bin/true]\n  format: xml\n", "lintel.yaml:3:"},
        {"second-opinion:\n  command: [/bin/true]\n  processes: 17\n",
         "lintel.yaml:3:14: second-opinion.processes: "},
        {"second-opinion:\n  profiles: [tls-server]\n", "lintel.yaml:"},
        {"log:\n  format: xml\n", "lintel.yaml:2:"},
        {"testing:\n  always-valid: true\n", "lintel.yaml:2:3: testing: "},
        {"testing:\n  nonce-reject: 5\n", "lintel.yaml:2:3: testing: "},
        {"testing:\n  management: 15000\n", "lintel.yaml:2:15: testing.management: "},
        {"testing:\n  management: 127.0.0.1:14000\n", "lintel.yaml:2:15: testing.management: "},
        {"testing:\n  management: 127.0.0.1:1\n  nonce-reject: 101\n",
         "lintel.yaml:3:17: testing.nonce-reject: "},
        {"testing:\n  management: 127.0.0.1:1\n  authz-reuse: half\n",
         "lintel.yaml:3:16: testing.authz-reuse: "},
        {"testing:\n  management: 127.0.0.1:1\n  sleep: 31\n", "lintel.yaml:3:10: testing.sleep: "},
        {"testing:\n  management: 127.0.0.1:1\n  always-valid: yes\n", "lintel.yaml:3:"},
        {"issuers:\n  - name: tls\n    certificate: ca/tls.pem\n", "lintel.yaml:2:5: issuers.0: "},
        {"issuers:\n  - name: TLS\n    certificate: c\n    key: k\n", "lintel.yaml:2:5: issuers.0: "},
        {"issuers:\n  - name: a\n    certificate: ../c\n    key: k\n", "lintel.yaml:2:5: issuers.0: "},
        {"issuers:\n  - name: a\n    certificate: /c\n    key: k\n", "lintel.yaml:2:5: issuers.0: "},
        {"issuers:\n  - name: a\n    certificate: c\n    key: k\n    offline: true\n",
         "lintel.yaml:2:5: issuers.0: "},
        {"issuers:\n  - name: a\n    certificate: c\n    pkcs11-uri: pkcs11:object=a\n",
         "lintel.yaml:2:5: issuers.0: "},
        {"issuers:\n  - {name: a, certificate: c, key: k}\n  - {name: a, certificate: c, key: k}\n",
         "lintel.yaml:3:5: issuers.1: "},
        {"issuers:\n  - name: a\n    key: k\n", "lintel.yaml:3:"},
        {"token:\n  module: libsofthsm2.so\n", "lintel.yaml:2:11: token.module: "},
        {"default-profile: ../x\n", "lintel.yaml:1:18: default-profile: "},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_config *c = NULL;
        lt_res r = ca_config_parse(lt_slice_cstr(rows[i].yaml), &c);
        if (!lt_failed(r)) {
            fail_msg("accepted: %s", rows[i].yaml);
        }
        if (strncmp(lt_error_last()->detail, rows[i].begins, strlen(rows[i].begins)) != 0) {
            fail_msg("\"%s\" gave \"%s\"", rows[i].yaml, lt_error_last()->detail);
        }
    }
}

static void deep_and_large(void **state)
{
    (void)state;
    struct ca_config *c = NULL;
    static char deep[2001];
    memset(deep, '[', sizeof(deep) - 1);
    assert_fails(ca_config_parse(LT_SLICE(deep, 2000), &c), LT_PEER_TOO_LARGE);
    static char large[CA_CONFIG_MAX_BYTES + 1];
    memset(large, '#', sizeof(large));
    assert_fails(ca_config_parse(LT_SLICE(large, sizeof(large)), &c), LT_PEER_TOO_LARGE);
}

static void an_address_as_host(void **state)
{
    (void)state;
    LT_CLEANUP(free_config) struct ca_config *c = NULL;
    assert_ok(ca_config_parse(LT_LIT("host-names: [\"::1\", localhost]\n"), &c));
    assert_string_equal(c->base_url, "https://[::1]:14000");
}

static void addresses(void **state)
{
    (void)state;
    struct lt_arena a;
    lt_arena_init(&a, 4096);
    const char *host = NULL;
    uint16_t port = 0;
    assert_ok(ca_config_split_address(&a, "[2001:db8::1]:443", &host, &port));
    assert_string_equal(host, "2001:db8::1");
    assert_int_equal(port, 443);
    static const char *const bad[] = {"",        ":443",    "a",    "a:",   "a:x",
                                      "a:65536", "::1:443", "[]:1", "a: 1", "a:01"};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(ca_config_split_address(&a, bad[i], &host, &port), LT_PEER_USAGE);
    }
    lt_arena_done(&a);
}

static void anchors(void **state)
{
    static const struct {
        const char *text;
        const char *words; /* NULL: fine */
    } rows[] = {
        {". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n", NULL},
        {"; a comment\n\n.\t172800 IN DNSKEY 257 3 8 AwEAAaz/tAm8 yTn4Mfeh5eyI ; the key\r\n", NULL},
        {"example.com. IN DS 1 13 2 00ff", NULL},
        {"", "holds no DS"},
        {"; nothing\n", "holds no DS"},
        {"garbage\n", "my.ds:1: "},
        {". DS 20326 8 2 00\nnot one\n", "my.ds:2: "},
        {". DS 20326 8\n", "my.ds:1: "},
        {". DS 99999 8 2 00\n", "my.ds:1: "},
        {". A 192.0.2.1 1 2 3\n", "my.ds:1: "},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = ca_value_anchors("my.ds", lt_slice_cstr(rows[i].text));
        if (lt_failed(r) != (rows[i].words != NULL)) {
            print_error("row %zu\n", i);
        }
        assert_int_equal(lt_failed(r), rows[i].words != NULL);
        assert_true(rows[i].words == NULL || strstr(lt_error_last()->detail, rows[i].words) != NULL);
    }
}

static void hosts(void **state)
{
    (void)state;
    struct ca_config *c = NULL;
    assert_ok(ca_config_parse(LT_LIT("name: x\n"), &c));
    assert_string_equal(c->host, CA_CONFIG_HOST_MAIN);
    ca_config_free(c);
    assert_ok(ca_config_parse(LT_LIT("name: x\nhost: rome-2\nstore: postgresql:///book\n"), &c));
    assert_string_equal(c->host, "rome-2");
    ca_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),          cmocka_unit_test(defaults),   cmocka_unit_test(anchors),
        cmocka_unit_test(console),        cmocka_unit_test(everything), cmocka_unit_test(refusals),
        cmocka_unit_test(deep_and_large), cmocka_unit_test(addresses),  cmocka_unit_test(an_address_as_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
