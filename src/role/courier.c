/* courier: goes out to the CA's remote perspectives, to the mail relay, to what the CA publishes, and to who
 * uses its certificates. It has
 * no book and no key of the CA, only the TLS key by which perspectives know it (courier/key.pem, made by
 * `lintel perspective client`); without perspectives, none. In a drill's family no letter and no notice
 * leaves it. */
#include "role/courier.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "role/courier_crl.h"
#include "role/courier_hook.h"
#include "role/courier_letter.h"
#include "role/courier_mail.h"
#include "role/courier_usage.h"
#include "role/event_loop.h"
#include "role/kit.h"
#include "role/profiles.h"

enum { KEY_MAX = 4096, LETTER_MAX = 512 * 1024, SAID_SIZE = 208 };
#define KEY_FILE "courier/key.pem"

struct courier {
    struct role_kit *kit;
    struct event_base *base;      /* owned */
    char *folder;                 /* owned */
    struct lt_secret key;         /* owned: PEM, for the contexts of a reload */
    struct courier_fleet *fleet;  /* owned */
    struct courier_fleet *before; /* owned: of the files before, until its questions are answered */
    struct courier_mail *mail;    /* owned */
    struct courier_hook *hook;    /* owned */
    struct courier_crl *crl;      /* owned */
    struct courier_usage *usage;  /* owned */
    uint32_t registrar;           /* instance that asked last */
    int64_t relay_silent_s;       /* since when the mail relay takes nothing; 0: it does, or nobody knows */
};

static void told(void *self, uint64_t id, const Ipc__Validate *question,
                 const Ipc__SignedStatement *statement, const char *why)
{
    struct courier *s = self;
    const struct ipc_addr to = {.role = IPC_REGISTRAR, .instance = s->registrar, .id = id};
    Ipc__Corroborated m = IPC__CORROBORATED__INIT;
    m.authorization_id = question->authorization_id;
    m.challenge_index = question->challenge_index;
    m.perspective = question->perspective;
    m.statement = (Ipc__SignedStatement *)(uintptr_t)statement; /* only read, here and below */
    m.why = (char *)(uintptr_t)why;
    m.nonce = question->nonce;
    lt_metric_add(statement != NULL ? "lintel_corroborations_total{outcome=\"answered\"}"
                                    : "lintel_corroborations_total{outcome=\"failed\"}",
                  1);
    if (statement == NULL) {
        lt_log(LT_LOG_WARN, "a perspective did not answer", "perspective=%s why=\"%s\"",
               question->perspective, why);
    }
    if (lt_failed(role_reply(s->kit, &to, IPC_CORROBORATED, &m.base))) {
        lt_log_error("answer not sent"); /* the registrar's patience ends */
    }
}

static lt_res on_corroborate(void *self, const struct ipc_msg *m)
{
    struct courier *s = self;
    const Ipc__Corroborate *asked = (const Ipc__Corroborate *)(const void *)m->body;
    s->registrar = m->from.instance;
    for (size_t i = 0; i < asked->n_questions; i++) {
        courier_fleet_ask(s->fleet, m->from.id, asked->questions[i]);
    }
    return LT_OK;
}

static void mailed(void *self, const Ipc__MailSent *said)
{
    struct courier *s = self;
    const struct ipc_addr to = {.role = IPC_REGISTRAR, .instance = s->registrar};
    lt_metric_add(said->accepted ? "lintel_letters_total{outcome=\"accepted\"}"
                  : said->final  ? "lintel_letters_total{outcome=\"refused\"}"
                                 : "lintel_letters_total{outcome=\"failed\"}",
                  1);
    /* A letter that is refused for good was answered: the relay is there. */
    bool relay = said->accepted || said->final;
    s->relay_silent_s = relay ? 0 : s->relay_silent_s == 0 ? lt_time_seconds(lt_now()) : s->relay_silent_s;
    lt_metric_set("lintel_silent_since_seconds{what=\"mail relay\"}", s->relay_silent_s);
    if (!said->accepted) {
        lt_log(LT_LOG_WARN, "a letter was not accepted", "mail=%lld final=%s why=\"%s\"",
               (long long)said->mail_id, said->final ? "yes" : "no", said->why);
    }
    if (lt_failed(role_reply(s->kit, &to, IPC_MAIL_SENT, &said->base))) {
        lt_log_error("answer not sent"); /* the registrar has it sent again */
    }
}

static void hooked(void *self, const Ipc__HookSent *said)
{
    struct courier *s = self;
    const struct ipc_addr to = {.role = IPC_REGISTRAR, .instance = s->registrar};
    lt_metric_add(said->accepted ? "lintel_hooks_total{outcome=\"accepted\"}"
                  : said->final  ? "lintel_hooks_total{outcome=\"refused\"}"
                                 : "lintel_hooks_total{outcome=\"failed\"}",
                  1);
    if (!said->accepted) {
        lt_log(LT_LOG_WARN, "a hook did not take a notice", "notice=%lld final=%s why=\"%s\"",
               (long long)said->notice_id, said->final ? "yes" : "no", said->said);
    }
    if (lt_failed(role_reply(s->kit, &to, IPC_HOOK_SENT, &said->base))) {
        lt_log_error("answer not sent"); /* the registrar has it sent again */
    }
}

/* A drill writes to nobody: what would have been sent is made, and its hash told in the place of an answer.
 */
static void sink_words(lt_slice bytes, char ret_text[SAID_SIZE])
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    int at = snprintf(ret_text, SAID_SIZE, "drill: %zu bytes, SHA-256 ", bytes.len); /* it fits, as below */
    crypto_sha256(bytes, hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        at += snprintf(ret_text + at, SAID_SIZE - (size_t)at, "%02x", hash[i]);
    }
}

static void sink_mail(struct courier *s, const Ipc__MailSend *letter)
{
    Ipc__MailSent said = IPC__MAIL_SENT__INIT;
    struct lt_buf text;
    char words[SAID_SIZE];
    lt_buf_init(&text, LETTER_MAX);
    lt_res r = courier_letter_write(letter, &text);
    if (lt_failed(r)) {
        (void)snprintf(words, sizeof words, "%s", lt_error_last()->detail); /* cut is fine */
        said.why = words;
    } else {
        sink_words(lt_buf_slice(&text), words);
        said.said = words;
    }
    lt_buf_done(&text);
    said.mail_id = letter->mail_id;
    said.attempt = letter->attempt;
    said.accepted = !lt_failed(r);
    said.final = lt_failed(r);
    said.notice = strcmp(letter->kind, "notice") == 0;
    mailed(s, &said);
}

static void sink_hook(struct courier *s, const Ipc__HookSend *notice)
{
    Ipc__HookSent said = IPC__HOOK_SENT__INIT;
    char words[SAID_SIZE];
    sink_words(LT_SLICE(notice->body.data, notice->body.len), words);
    said.notice_id = notice->notice_id;
    said.attempt = notice->attempt;
    said.accepted = true;
    said.said = words;
    hooked(s, &said);
}

static lt_res on_mail(void *self, const struct ipc_msg *m)
{
    struct courier *s = self;
    const Ipc__MailSend *letter = (const Ipc__MailSend *)(const void *)m->body;
    s->registrar = m->from.instance;
    if (role_scratch(s->kit)) {
        sink_mail(s, letter);
    } else {
        courier_mail_send(s->mail, letter);
    }
    return LT_OK;
}

static lt_res on_hook(void *self, const struct ipc_msg *m)
{
    struct courier *s = self;
    const Ipc__HookSend *notice = (const Ipc__HookSend *)(const void *)m->body;
    s->registrar = m->from.instance;
    if (role_scratch(s->kit)) {
        sink_hook(s, notice);
    } else {
        courier_hook_send(s->hook, notice);
    }
    return LT_OK;
}

static void fetched(void *self, const Ipc__CrlFetched *said)
{
    struct courier *s = self;
    const struct ipc_addr to = {.role = IPC_REGISTRAR, .instance = s->registrar};
    lt_metric_add(said->good ? "lintel_crls_fetched_total{outcome=\"good\"}"
                             : "lintel_crls_fetched_total{outcome=\"bad\"}",
                  1);
    if (!said->good) {
        lt_log(LT_LOG_ERROR, "a CRL does not come back as it was published", "issuer=%s shard=%u why=\"%s\"",
               said->issuer, said->shard, said->detail);
    }
    if (lt_failed(role_reply(s->kit, &to, IPC_CRL_FETCHED, &said->base))) {
        lt_log_error("answer not sent"); /* the registrar asks again */
    }
}

static lt_res on_crl(void *self, const struct ipc_msg *m)
{
    struct courier *s = self;
    s->registrar = m->from.instance;
    courier_crl_ask(s->crl, (const Ipc__CrlFetch *)(const void *)m->body);
    return LT_OK;
}

static void seen(void *self, const Ipc__UsageSeen *said)
{
    struct courier *s = self;
    const struct ipc_addr to = {.role = IPC_REGISTRAR, .instance = s->registrar};
    for (size_t i = 0; i < said->n_sights; i++) {
        lt_metric_add(said->sights[i]->sha256.len > 0 ? "lintel_endpoints_seen_total{outcome=\"served\"}"
                                                      : "lintel_endpoints_seen_total{outcome=\"failed\"}",
                      1);
    }
    if (lt_failed(role_reply(s->kit, &to, IPC_USAGE_SEEN, &said->base))) {
        lt_log_error("answer not sent"); /* the registrar asks again */
    }
}

static void say_broken(const struct courier *s)
{
    const char *why = courier_usage_broken(s->usage);
    if (why[0] != '\0') {
        lt_log(LT_LOG_ERROR, "no endpoint is looked at", "why=\"%s\"", why);
    }
}

static lt_res on_look(void *self, const struct ipc_msg *m)
{
    struct courier *s = self;
    s->registrar = m->from.instance;
    courier_usage_look(s->usage, (const Ipc__UsageLook *)(const void *)m->body);
    return LT_OK;
}

static lt_res on_usage_stop(void *self, const struct ipc_msg *m)
{
    struct courier *s = self;
    courier_usage_stop(s->usage, ((const Ipc__UsageStop *)(const void *)m->body)->scan);
    return LT_OK;
}

static lt_res make_fleet(struct courier *s, struct courier_fleet **ret_fleet)
{
    LT_CLEANUP(lt_fd_closep) int folder = open(s->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(folder >= 0, LT_STATE_IO, "%s: %s", s->folder, strerror(errno));
    const struct courier_options options = {
        .base = s->base, .folder_fd = folder, .key_pem = lt_secret_slice(&s->key), .told = told, .self = s};
    return courier_fleet_new(&options, ret_fleet);
}

static lt_res read_key(struct courier *s)
{
    LT_CLEANUP(lt_fd_closep) int folder = open(s->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(folder >= 0, LT_STATE_IO, "%s: %s", s->folder, strerror(errno));
    LT_CLEANUP(lt_fd_closep) int fd = openat(folder, KEY_FILE, O_RDONLY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_PEER_NOT_FOUND, KEY_FILE ": %s; make it with: lintel perspective client",
             strerror(errno));
    return lt_secret_from_fd(fd, KEY_MAX, &s->key);
}

static bool goes_to_perspectives(const struct courier *s)
{
    LT_CLEANUP(lt_fd_closep) int folder = open(s->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct validate_perspectives all = {.count = 0};
    bool some = folder < 0 || lt_failed(validate_perspectives_load(folder, "perspectives", &all)) ||
                all.count > 0;
    validate_perspectives_done(&all);
    return some;
}

static lt_res start(struct role_kit *kit, const Ipc__Start *start, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* has none */
    struct courier *s = calloc(1, sizeof *s);
    LT_ASSERT(s != NULL);
    s->kit = kit;
    s->base = event_base_new();
    s->folder = strdup(start->folder);
    LT_ASSERT(s->base != NULL && s->folder != NULL);
    crypto_start();
    lt_res key = read_key(s);
    if (key.code == LT_PEER_NOT_FOUND && !goes_to_perspectives(s)) {
        key = LT_OK; /* mail alone needs none */
    }
    LT_TRY(key);
    LT_TRY(make_fleet(s, &s->fleet));
    LT_TRY(courier_mail_new(s->base, mailed, s, &s->mail));
    LT_TRY(courier_hook_new(s->base, hooked, s, &s->hook));
    s->crl = courier_crl_new(s->base, fetched, s);
    LT_TRY(courier_usage_new(s->base, s->folder, seen, s, &s->usage));
    say_broken(s);
    *ret_self = s;
    lt_log(LT_LOG_INFO, "perspectives", "count=%zu", courier_fleet_count(s->fleet));
    return LT_OK;
}

/* New questions go by the new files; what is under way is finished by the old ones. */
static lt_res reload(void *self, const char *config_yaml)
{
    struct courier *s = self;
    struct courier_fleet *fresh = NULL;
    (void)config_yaml; /* nothing of it is ours */
    LT_TRY(courier_usage_reload(s->usage, s->folder));
    say_broken(s);
    LT_TRY(make_fleet(s, &fresh));
    courier_fleet_inherit(fresh, s->fleet);
    courier_fleet_free(s->before); /* what it had not finished counts as no answer */
    s->before = s->fleet;
    s->fleet = fresh;
    return LT_OK;
}

static bool drained(void *self)
{
    const struct courier *s = self;
    /* Without a registrar nobody waits: it asks again when it is back. */
    return (courier_fleet_open(s->fleet) == 0 && courier_mail_open(s->mail) == 0 &&
            courier_hook_open(s->hook) == 0) ||
           !role_linked(s->kit, IPC_REGISTRAR);
}

static lt_res tick(void *self, lt_time now)
{
    struct courier *s = self;
    (void)now;
    int64_t now_ms = lt_monotonic_ms();
    courier_fleet_tick(s->fleet, now_ms);
    courier_mail_tick(s->mail);
    courier_hook_tick(s->hook);
    courier_crl_tick(s->crl);
    courier_usage_tick(s->usage);
    if (s->before != NULL) {
        courier_fleet_tick(s->before, now_ms);
        if (courier_fleet_open(s->before) == 0) {
            courier_fleet_free(LT_TAKE(s->before, NULL));
        }
    }
    lt_metric_set("lintel_corroborations_running", (int64_t)courier_fleet_open(s->fleet));
    lt_metric_set("lintel_endpoints_looking", (int64_t)courier_usage_open(s->usage));
    lt_metric_set("lintel_crls_fetching", (int64_t)courier_crl_open(s->crl));
    lt_metric_set("lintel_letters_running", (int64_t)courier_mail_open(s->mail));
    return LT_OK;
}

static lt_res run(void *self)
{
    struct courier *s = self;
    return role_event_loop(s->kit, s->base);
}

static const struct role_route routes[] = {
    {IPC_REGISTRAR, IPC_CORROBORATE, on_corroborate}, {IPC_REGISTRAR, IPC_MAIL_SEND, on_mail},
    {IPC_REGISTRAR, IPC_CRL_FETCH, on_crl},           {IPC_REGISTRAR, IPC_USAGE_LOOK, on_look},
    {IPC_REGISTRAR, IPC_USAGE_STOP, on_usage_stop},   {IPC_REGISTRAR, IPC_HOOK_SEND, on_hook},
};

int main(void)
{
    const struct role_spec spec = {
        .role = IPC_COURIER,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_COURIER],
        .start = start,
        .tick = tick,
        .reload = reload,
        .drained = drained,
        .run = run,
    };
    return role_main(&spec);
}
