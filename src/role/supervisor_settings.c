/* run/settings.json: how the family is set up, for people who look. Written when lintel.yaml was read, so it
 * says what counts and not what stands in a file that nobody has taken yet. Nothing secret is in it: files of
 * secrets are named, never read, and user and password of an address are left out. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "role/supervisor.h"

enum { SETTINGS_MAX = 1024 * 1024 };

enum kind {
    TEXT,    /* const char *: addresses lose what stands before '@' */
    LIST,    /* const char *const *; its count is at `count` */
    NUMBER,  /* uint32_t */
    FLAG,    /* bool */
    SECONDS, /* int64_t */
    RATE,    /* struct ca_config_rate */
};

struct setting {
    const char *section;
    const char *name; /* as in lintel.yaml, where it stands there */
    enum kind kind;
    size_t at;
    size_t count; /* of a list */
};

#define AT(member_) offsetof(struct ca_config, member_)
/* Rows of one section stand together. */
static const struct setting settings[] = {
    {"ca", "name", TEXT, AT(name), 0},
    {"ca", "host-names", LIST, AT(host_names), AT(host_name_count)},
    {"ca", "base-url", TEXT, AT(base_url), 0},
    {"ca", "public-http-url", TEXT, AT(public_http_url), 0},
    {"ca", "default-profile", TEXT, AT(default_profile), 0},
    {"ca", "host", TEXT, AT(host), 0},
    {"ca", "store", TEXT, AT(store), 0},
    {"ca", "journal-mirror", TEXT, AT(journal_mirror), 0},
    {"listen", "https", TEXT, AT(listen_https), 0},
    {"listen", "http", TEXT, AT(listen_http), 0},
    {"listen", "operator", TEXT, AT(listen_operator), 0},
    {"console", "name", TEXT, AT(console_name), 0},
    {"console", "session", SECONDS, AT(console_session_s), 0},
    {"processes", "gateways", NUMBER, AT(gateways), 0},
    {"processes", "notaries", NUMBER, AT(notaries), 0},
    {"processes", "readers", NUMBER, AT(readers), 0},
    {"acme", "terms-of-service", TEXT, AT(terms_of_service), 0},
    {"acme", "terms-version", TEXT, AT(terms_version), 0},
    {"acme", "terms-revocation-clause", FLAG, AT(terms_clause), 0},
    {"acme", "website", TEXT, AT(website), 0},
    {"acme", "caa-identities", LIST, AT(caa_identities), AT(caa_identity_count)},
    {"acme", "order-lifetime", SECONDS, AT(order_lifetime_s), 0},
    {"acme", "authorization-lifetime", SECONDS, AT(authorization_lifetime_s), 0},
    {"acme", "external-account-required", FLAG, AT(external_account_required), 0},
    {"enrolment", "proof-lifetime", SECONDS, AT(proof_lifetime_s), 0},
    {"validation", "resolver", TEXT, AT(resolver), 0},
    {"validation", "http-port", NUMBER, AT(validation_http_port), 0},
    {"validation", "https-port", NUMBER, AT(validation_https_port), 0},
    {"validation", "trust-anchor", TEXT, AT(trust_anchor), 0},
    {"validation", "dnssec", FLAG, AT(dnssec), 0},
    {"validation", "allow-private", FLAG, AT(allow_private), 0},
    {"rate-limits", "accounts-per-address", RATE, AT(accounts_per_address), 0},
    {"rate-limits", "orders-per-account", RATE, AT(orders_per_account), 0},
    {"rate-limits", "failures-per-name", RATE, AT(failures_per_name), 0},
    {"rate-limits", "pending-authorizations-per-account", NUMBER, AT(pending_authorizations_per_account), 0},
    {"rate-limits", "names-per-order", NUMBER, AT(names_per_order), 0},
    {"pausing", "failures", NUMBER, AT(pause_failures), 0},
    {"pausing", "quiet", SECONDS, AT(pause_quiet_s), 0},
    {"crl", "interval", SECONDS, AT(crl_interval_s), 0},
    {"crl", "lifetime", SECONDS, AT(crl_lifetime_s), 0},
    {"crl", "fetch-back", FLAG, AT(crl_fetch_back), 0},
    {"usage", "scan", FLAG, AT(usage_scan), 0},
    {"approvals", "needed", NUMBER, AT(approvals_needed), 0},
    {"approvals", "revoke-alone", NUMBER, AT(revoke_alone), 0},
    {"second-opinion", "command", LIST, AT(opinion.command), AT(opinion.command_count)},
    {"second-opinion", "profiles", LIST, AT(opinion.profiles), AT(opinion.profile_count)},
    {"mail", "relay", TEXT, AT(mail_relay), 0},
    {"mail", "from", TEXT, AT(mail_from), 0},
    {"mail", "rate", NUMBER, AT(mail_rate), 0},
    {"hooks", "send", FLAG, AT(hooks), 0},
    {"token", "module", TEXT, AT(token_module), 0},
};

/* "postgresql://user:password@host/db" without what stands between "//" and '@'. */
static void add_text(struct lt_buf *out, const char *text)
{
    const char *host = text == NULL ? NULL : strstr(text, "://");
    const char *end = host == NULL ? NULL : strrchr(host, '@');
    char kept[2048];
    if (text == NULL || end == NULL) {
        lt_json_add_string(out, lt_slice_cstr(text == NULL ? "" : text));
        return;
    }
    (void)snprintf(kept, sizeof kept, "%.*s%s", (int)(host + 3 - text), text, end + 1); /* cut: to look at */
    lt_json_add_string(out, lt_slice_cstr(kept));
}

/* "1h 30m" and the like, as lintel.yaml has it. */
static void add_seconds(struct lt_buf *out, int64_t s)
{
    static const struct {
        int64_t s;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    const char *before = "\"";
    for (size_t i = 0; i < LT_COUNT(units); i++) {
        if (s >= units[i].s || (s == 0 && units[i].s == 1 && *before == '"')) {
            lt_buf_addf(out, "%s%lld%c", before, (long long)(s / units[i].s), units[i].unit);
            before = " ";
            s %= units[i].s;
        }
    }
    lt_buf_add_byte(out, '"');
}

static void add_value(struct lt_buf *out, const struct ca_config *c, const struct setting *s)
{
    const char *at = (const char *)c + s->at;
    const struct ca_config_rate *rate = (const struct ca_config_rate *)(const void *)at;
    switch (s->kind) {
    case TEXT:
        add_text(out, *(const char *const *)(const void *)at);
        break;
    case LIST:
        lt_buf_add_byte(out, '[');
        for (uint32_t i = 0; i < *(const uint32_t *)(const void *)((const char *)c + s->count); i++) {
            lt_buf_add_cstr(out, i == 0 ? "" : ",");
            add_text(out, (*(const char *const *const *)(const void *)at)[i]);
        }
        lt_buf_add_byte(out, ']');
        break;
    case NUMBER:
        lt_buf_addf(out, "%u", *(const uint32_t *)(const void *)at);
        break;
    case FLAG:
        lt_buf_add_cstr(out, *(const bool *)(const void *)at ? "true" : "false");
        break;
    case SECONDS:
        add_seconds(out, *(const int64_t *)(const void *)at);
        break;
    case RATE:
        lt_buf_addf(out, "\"%u in %lld s\"", rate->count, (long long)rate->per_s);
        break;
    }
}

static void add_issuer(struct lt_buf *out, const struct ca_config_issuer *i)
{
    const char *key = i->offline ? "elsewhere" : i->pkcs11_uri[0] != 0 ? i->pkcs11_uri : i->key;
    lt_buf_add_cstr(out, "{\"name\":");
    lt_json_add_string(out, lt_slice_cstr(i->name));
    lt_buf_add_cstr(out, ",\"key\":");
    lt_slice shown = lt_slice_cstr(key);
    lt_json_add_string(out,
                       lt_slice_sub(shown, 0, lt_slice_find(shown, '?'))); /* a PIN may stand behind it */
    lt_buf_addf(out, ",\"crl\":%s,\"ocsp\":%s,\"crl_shards\":%u,\"cap\":%u}", i->crl ? "true" : "false",
                i->ocsp ? "true" : "false", i->crl_shards, i->cap);
}

static void add_settings(struct lt_buf *out, const struct ca_config *c)
{
    lt_buf_add_cstr(out, "{\"settings\":{\"issuers\":[");
    for (uint32_t i = 0; i < c->issuer_count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        add_issuer(out, &c->issuers[i]);
    }
    lt_buf_add_byte(out, ']');
    for (size_t i = 0; i < LT_COUNT(settings); i++) {
        bool first = i == 0 || strcmp(settings[i].section, settings[i - 1].section) != 0;
        if (first) {
            lt_buf_addf(out, "%s,\"%s\":{", i == 0 ? "" : "}", settings[i].section);
        }
        lt_buf_addf(out, "%s\"%s\":", first ? "" : ",", settings[i].name);
        add_value(out, c, &settings[i]);
    }
    lt_buf_add_cstr(out, "}}}\n");
}

void settings_write(const struct supervisor *s)
{
    static const char made[] = "run/settings.json.new";
    struct lt_buf out;
    lt_buf_init(&out, SETTINGS_MAX);
    add_settings(&out, s->config);
    lt_res r = lt_buf_check(&out);
    LT_CLEANUP(lt_fd_closep)
    int fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (!lt_failed(r) && fd >= 0) {
        r = lt_write_all(fd, lt_buf_slice(&out));
    }
    if (lt_failed(r) || fd < 0 || rename(made, "run/settings.json") != 0) {
        lt_log(LT_LOG_WARN, "run/settings.json was not written", "error=\"%s\"", strerror(errno));
    }
    lt_buf_done(&out);
}
