/* lintel perspective init: a folder with a key, perspective.json and the section "validation". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/config.h"
#include "cmd/perspective.h"
#include "cmd/verbs.h"

enum { TEXT_MAX = 16 * 1024 };

static lt_res degrees(const struct cmd *c, const char *option, double otherwise, double *ret)
{
    const char *text = cmd_value(c, option);
    char *end = NULL;
    *ret = text == NULL ? otherwise : strtod(text, &end);
    LT_CHECK(text == NULL || (end != text && *end == 0), LT_PEER_USAGE,
             "--%s: \"%.40s\" is no number of degrees", option, text);
    return LT_OK;
}

static lt_res needed(const struct cmd *c, const char *option, const char **ret)
{
    *ret = cmd_value(c, option);
    LT_CHECK(*ret != NULL, LT_PEER_USAGE, "--%s is needed", option);
    return LT_OK;
}

static lt_res places(const struct cmd *c, struct validate_perspective *p)
{
    const char *text;
    LT_TRY(needed(c, "latitude", &text));
    LT_TRY(needed(c, "longitude", &text));
    LT_TRY(degrees(c, "latitude", 0, &p->place.latitude));
    LT_TRY(degrees(c, "longitude", 0, &p->place.longitude));
    LT_TRY(degrees(c, "resolver-latitude", p->place.latitude, &p->resolver.latitude));
    return degrees(c, "resolver-longitude", p->place.longitude, &p->resolver.longitude);
}

static lt_res clients(struct cmd *c, struct validate_perspective_settings *s)
{
    const char *text;
    for (size_t i = 0; (text = cmd_value_nth(c, "client", i)) != NULL; i++) {
        LT_CHECK(i < VALIDATE_PERSPECTIVE_CLIENTS_MAX, LT_PEER_USAGE, "at most %d clients",
                 VALIDATE_PERSPECTIVE_CLIENTS_MAX);
        LT_TRY(lt_unbase64(&c->arena, lt_slice_cstr(text), &s->clients[s->client_count++]));
    }
    return LT_OK;
}

static lt_res from_options(struct cmd *c, struct validate_perspective_settings *s)
{
    const char *rir;
    LT_TRY(needed(c, "name", &s->self.name));
    LT_TRY(needed(c, "url", &s->self.url));
    LT_TRY(needed(c, "rir", &rir));
    s->self.rir = validate_rir_by_name(lt_slice_cstr(rir));
    s->self.resolver_rir = s->self.rir;
    s->listen = cmd_value_or(c, "listen", "0.0.0.0:9443");
    LT_TRY(places(c, &s->self));
    return clients(c, s);
}

/* The text that others read has to be what they take. */
static lt_res settings_text(struct cmd *c, struct lt_buf *out)
{
    struct validate_perspective_settings s = {.client_count = 0};
    struct validate_perspective_settings again;
    LT_TRY(from_options(c, &s));
    LT_TRY(validate_perspective_settings_print(&s, out));
    return validate_perspective_settings_parse(&c->arena, lt_buf_slice(out), &again);
}

static lt_res yaml_text(const struct cmd *c, struct lt_buf *out)
{
    struct ca_config *config = NULL;
    lt_buf_add_cstr(out, "# How this perspective validates: the section \"validation\" of lintel.yaml(5).\n"
                         "validation:\n  resolver: ");
    lt_json_add_string(out, lt_slice_cstr(cmd_value_or(c, "resolver", "")));
    lt_buf_addf(out, "\n  http-port: %s\n  dnssec: %s\n  allow-private: %s\n",
                cmd_value_or(c, "validation-port", "80"), cmd_flag(c, "allow-private") ? "none" : "root",
                cmd_flag(c, "allow-private") ? "true" : "false");
    LT_TRY(lt_buf_check(out));
    LT_TRY(ca_config_parse(lt_buf_slice(out), &config));
    ca_config_free(config);
    return LT_OK;
}

static lt_res write_folder(int dir, struct lt_buf *settings, struct lt_buf *yaml)
{
    LT_CLEANUP(perspective_key_freep) struct crypto_key *key = NULL;
    LT_CHECK(faccessat(dir, VALIDATE_PERSPECTIVE_FILE, F_OK, 0) != 0 &&
                 faccessat(dir, VALIDATE_PERSPECTIVE_KEY, F_OK, 0) != 0 &&
                 faccessat(dir, CA_CONFIG_FILE, F_OK, 0) != 0,
             LT_PEER_CONFLICT, "there is a perspective, or a CA, in that folder already");
    LT_TRY(perspective_key_make(dir, VALIDATE_PERSPECTIVE_KEY, &key));
    LT_TRY(lt_file_replace(dir, CA_CONFIG_FILE, 0644, lt_buf_slice(yaml)));
    return lt_file_replace(dir, VALIDATE_PERSPECTIVE_FILE, 0644, lt_buf_slice(settings));
}

static lt_res make_folder(const char *folder, struct lt_buf *settings, struct lt_buf *yaml)
{
    LT_CHECK(mkdir(folder, 0755) == 0 || errno == EEXIST, LT_PEER_USAGE, "%.150s: %s", folder,
             strerror(errno));
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_USAGE, "%.150s: %s", folder, strerror(errno));
    return write_folder(dir, settings, yaml);
}

static lt_res run_init(struct cmd *c)
{
    struct lt_buf settings;
    struct lt_buf yaml;
    lt_buf_init(&settings, TEXT_MAX);
    lt_buf_init(&yaml, TEXT_MAX);
    lt_res r = settings_text(c, &settings);
    r = lt_failed(r) ? r : yaml_text(c, &yaml);
    r = lt_failed(r) ? r : make_folder(c->args.words[0], &settings, &yaml);
    lt_buf_done(&settings);
    lt_buf_done(&yaml);
    LT_TRY(r);
    return c->json ? cmd_printf("{\"perspective\":\"%s\"}\n", cmd_value(c, "name"))
                   : cmd_printf(
                         "perspective %s is in %s; put what `lintel perspective describe %s` prints into\n"
                         "perspectives/%s.json of the CA, and what `lintel perspective client` prints there "
                         "into \"clients\" here\n",
                         cmd_value(c, "name"), c->args.words[0], c->args.words[0], cmd_value(c, "name"));
}

static const struct cmd_option options[] = {
    {"name", "NAME", "how the CA calls it, as eu-west", false, NULL},
    {"url", "URL", "https://HOST:PORT under which the CA reaches it", false, NULL},
    {"rir", "REGION", "whose service region it stands in", false, "AFRINIC APNIC ARIN LACNIC RIPE"},
    {"latitude", "DEGREES", "north is positive", false, NULL},
    {"longitude", "DEGREES", "east is positive", false, NULL},
    {"resolver-latitude", "DEGREES", "of the resolver, where it stands elsewhere", false, NULL},
    {"resolver-longitude", "DEGREES", "of the resolver, where it stands elsewhere", false, NULL},
    {"listen", "ADDRESS:PORT", "default: 0.0.0.0:9443", false, NULL},
    {"client", "KEY", "public key of a courier that may ask: from lintel perspective client", true, NULL},
    {"resolver", "ADDRESS@PORT", "DNS resolver to ask (default: from the DNS root down)", false, NULL},
    {"validation-port", "PORT", "for tests: connect here instead of port 80", false, NULL},
    {"allow-private", NULL, "for tests: validate names on private addresses, without DNSSEC", false, NULL},
};

const struct cmd_verb cmd_perspective_init = {
    .name = "perspective init",
    .words = "DIR",
    .words_least = 1,
    .words_most = 1,
    .summary = "make the folder of a remote network perspective, with a key of its own",
    .help =
        "A perspective is a host elsewhere that validates once more what the CA has validated, and signs\n"
        "what it saw. The key never leaves the folder.\n"
        "\n"
        "examples:\n"
        "  lintel perspective init /srv/perspective --name eu-west --url https://192.0.2.7:9443 \\\n"
        "    --rir RIPE --latitude 52.4 --longitude 4.9 --client MFkwEwYHKoZIzj0CAQYI...\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_init,
};
