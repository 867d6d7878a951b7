/* Speaking to the family: one HTTP exchange over its UNIX socket for each question, JSON in and out. */
#include "cmd/api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/key.h"
#include "http/fetch.h"
#include "jose/jws.h"

#define PREFIX "/api/v1/"

enum { ANSWER_MAX = 64 * 1024 * 1024, TARGET_MAX = 8192, JWS_MAX = 256 * 1024, TRIES = 2, PATH_SIZE = 4096 };

void cmd_json_freep(json_t **value)
{
    json_decref(*value);
}

const char *cmd_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

int64_t cmd_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

void cmd_query_add(struct lt_buf *query, const char *name, const char *value)
{
    if (value != NULL) {
        lt_buf_addf(query, "%s%s=", query->len > 0 ? "&" : "", name);
        http_escape_add(query, lt_slice_cstr(value));
    }
}

void cmd_query_add_time(struct lt_buf *query, const char *name, const char *value)
{
    enum { DATE_LEN = 10 };
    bool day = value != NULL && strlen(value) == DATE_LEN && strspn(value, "0123456789-") == DATE_LEN;
    cmd_query_add(query, name, value);
    lt_buf_add_cstr(query, day ? "T00%3A00%3A00Z" : "");
}

lt_res cmd_print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    LT_CHECK(text != NULL, LT_STATE_CORRUPT, "the answer cannot be written as JSON");
    lt_res r = cmd_printf("%s\n", text);
    free(text);
    return r;
}

static lt_res parse(lt_slice text, json_t **ret_json)
{
    json_error_t error;
    *ret_json = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    LT_CHECK(*ret_json != NULL, LT_STATE_CORRUPT, "the family's answer is no JSON: %s", error.text);
    return LT_OK;
}

/* A problem document becomes our record: what the other side said, with a class that gives the exit status.
 */
static lt_res refused(unsigned status, lt_slice body)
{
    static const struct {
        unsigned status;
        int code;
    } rows[] = {
        {400, LT_PEER_MALFORMED}, {401, LT_PEER_UNAUTHORIZED}, {403, LT_POLICY_REFUSED},
        {404, LT_PEER_NOT_FOUND}, {409, LT_PEER_CONFLICT},     {413, LT_PEER_TOO_LARGE},
        {429, LT_RETRY_BUSY},     {503, LT_RETRY_UNAVAILABLE}, {504, LT_RETRY_TIMEOUT},
    };
    LT_CLEANUP(cmd_json_freep) json_t *problem = NULL;
    int code = LT_STATE_IO;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        code = rows[i].status == status ? rows[i].code : code;
    }
    if (lt_failed(parse(body, &problem))) {
        LT_FAIL(code, "the family answered %u", status);
    }
    static const struct {
        const char *type;
        int code;
    } types[] = {{"badNonce", LT_PEER_BAD_NONCE},
                 {"rejectedIdentifier", LT_POLICY_REFUSED}, /* 400 in ACME; a rule said no */
                 {"caa", LT_POLICY_REFUSED}};
    const char *type = strrchr(cmd_text(problem, "type"), ':');
    for (size_t i = 0; i < LT_COUNT(types) && type != NULL; i++) {
        code = strcmp(type + 1, types[i].type) == 0 ? types[i].code : code;
    }
    LT_FAIL(code, "%.190s", cmd_text(problem, "detail"));
}

static lt_res exchange(struct cmd *c, struct http_fetch *f, struct http_fetched *ret_fetched)
{
    const char *folder = NULL;
    LT_TRY(cmd_folder(c, &folder));
    /* By descriptor: the address of a UNIX socket has room for 107 bytes, folders lie deeper. */
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_RETRY_UNAVAILABLE, "%.150s: %s", folder, strerror(errno));
    f->socket_path = lt_arena_printf(&c->arena, "/proc/self/fd/%d/run/api.sock", dir);
    f->body_max = ANSWER_MAX;
    LT_CHECK(f->socket_path != NULL, LT_PEER_USAGE, "%s: the path is too long", folder);
    lt_res r = http_fetch_unix(f, &c->arena, ret_fetched);
    LT_CHECK(r.code != LT_RETRY_UNAVAILABLE, LT_RETRY_UNAVAILABLE,
             "nobody serves %.120s; start it with `lintel serve %.40s`", folder, folder);
    LT_CHECK(r.code != LT_PEER_UNAUTHORIZED, LT_PEER_UNAUTHORIZED,
             "%.120s/run/api.sock is for root and the owner of the folder", folder);
    LT_TRY(r);
    if (ret_fetched->head->status >= 300) {
        return refused(ret_fetched->head->status, ret_fetched->body);
    }
    return LT_OK;
}

lt_res cmd_api_get(struct cmd *c, const char *path, json_t **ret_json)
{
    struct http_fetched got;
    char target[TARGET_MAX];
    int n = snprintf(target, sizeof(target), PREFIX "%s", path);
    LT_CHECK(n > 0 && (size_t)n < sizeof(target), LT_PEER_TOO_LARGE, "the question is too long");
    struct http_fetch f = {.method = "GET", .target = target};
    LT_TRY(exchange(c, &f, &got));
    return parse(got.body, ret_json);
}

lt_res cmd_api_ask(struct cmd *c, const char *path, const char *content_type, lt_slice body,
                   json_t **ret_json)
{
    struct http_fetched got;
    char target[TARGET_MAX];
    int n = snprintf(target, sizeof(target), PREFIX "%s", path);
    LT_CHECK(n > 0 && (size_t)n < sizeof(target), LT_PEER_TOO_LARGE, "the question is too long");
    struct http_fetch f = {.method = "POST", .target = target, .content_type = content_type, .body = body};
    LT_TRY(exchange(c, &f, &got));
    return parse(got.body, ret_json);
}

/* A list that cannot be read as it was asked for: a filter or cursor that was typed wrong. */
static lt_res get_page(struct cmd *c, const char *target, json_t **ret_json)
{
    lt_res r = cmd_api_get(c, target, ret_json);
    if (r.code == LT_PEER_MALFORMED) {
        char detail[sizeof lt_error_last()->detail];
        (void)snprintf(detail, sizeof(detail), "%s", lt_error_last()->detail);
        LT_FAIL(LT_PEER_USAGE, "%s", detail);
    }
    return r;
}

lt_res cmd_api_list(struct cmd *c, const char *path, const char *key, struct lt_buf *query, json_t **ret_json)
{
    LT_CLEANUP(cmd_json_freep) json_t *whole = NULL;
    const char *cursor = cmd_value(c, "cursor");
    const char *limit = cmd_value_or(c, "limit", cmd_flag(c, "all") ? "1000" : NULL);
    uint64_t number = 0;
    LT_TRY(cmd_number(c, "limit", 0, 1000, &number));
    do {
        LT_CLEANUP(cmd_json_freep) json_t *page = NULL;
        size_t at = query->len;
        cmd_query_add(query, "limit", limit);
        cmd_query_add(query, "cursor", cursor);
        LT_TRY(lt_buf_check(query));
        char target[TARGET_MAX];
        int n = snprintf(target, sizeof(target), "%s?%.*s", path, LT_FMT(lt_buf_slice(query)));
        LT_CHECK(n > 0 && (size_t)n < sizeof(target), LT_PEER_TOO_LARGE, "the question is too long");
        query->len = at;
        LT_TRY(get_page(c, target, &page));
        cursor = lt_arena_cstr(&c->arena, lt_slice_cstr(cmd_text(page, "next")));
        LT_CHECK(cursor != NULL, LT_PEER_TOO_LARGE, "too many pages");
        if (whole == NULL) {
            whole = LT_TAKE(page, NULL);
        } else {
            (void)json_array_extend(json_object_get(whole, key),
                                    json_object_get(page, key)); /* both are arrays */
            (void)json_object_set(whole, "next", json_object_get(page, "next"));
        }
    } while (cmd_flag(c, "all") && cursor[0] != 0);
    *ret_json = LT_TAKE(whole, NULL);
    return LT_OK;
}

static lt_res load_operator_key(struct cmd *c, const char *name, struct cmd_key *ret_key)
{
    const char *folder = NULL;
    char path[PATH_SIZE];
    const char *file = cmd_value(c, "key");
    file = file != NULL ? file : getenv("LINTEL_OPERATOR_KEY");
    if (file == NULL) {
        LT_TRY(cmd_folder(c, &folder));
        (void)snprintf(path, sizeof(path), "%s/operators/%s.key", folder, name);
        file = path;
    }
    struct lt_secret passphrase = {.ptr = NULL};
    const char *passphrase_file = cmd_value(c, "key-passphrase-file");
    if (passphrase_file != NULL) {
        LT_TRY(cmd_secret_file(passphrase_file, &passphrase));
    }
    lt_res r = cmd_key_load(&c->arena, file, &passphrase, ret_key);
    lt_secret_done(&passphrase);
    LT_CHECK(r.code != LT_PEER_NOT_FOUND, LT_PEER_USAGE,
             "the key of operator %s is not at %.120s; say --key FILE", name, file);
    return r;
}

const char *cmd_operator_name(const struct cmd *c)
{
    const char *name = cmd_value(c, "operator");
    name = name != NULL ? name : getenv("LINTEL_OPERATOR");
    return name != NULL && name[0] != 0 ? name : "admin";
}

lt_res cmd_operator_key(struct cmd *c, struct cmd_key *ret_key)
{
    return load_operator_key(c, cmd_operator_name(c), ret_key);
}

static lt_res fetch_nonce(struct cmd *c, lt_slice *ret_nonce)
{
    struct http_fetch f = {.method = "GET", .target = PREFIX "nonce"};
    struct http_fetched got;
    LT_TRY(exchange(c, &f, &got));
    *ret_nonce = http_head_field(got.head, "replay-nonce");
    LT_CHECK(ret_nonce->len > 0, LT_STATE_CORRUPT, "the family gave no nonce");
    return LT_OK;
}

static lt_res post_once(struct cmd *c, struct cmd_key *key, const char *target, lt_slice payload,
                        json_t **ret_json)
{
    struct jws_head head = {.nonce = {NULL, 0}};
    LT_TRY(fetch_nonce(c, &head.nonce));
    const char *kid = lt_arena_printf(&c->arena, "operator:%s", cmd_operator_name(c));
    const char *url = lt_arena_printf(&c->arena, "lintel:%s", target);
    LT_CHECK(kid != NULL && url != NULL, LT_PEER_TOO_LARGE, "the request is too long");
    head.kid = lt_slice_cstr(kid);
    head.url = lt_slice_cstr(url);
    struct lt_buf jws;
    lt_buf_init(&jws, JWS_MAX);
    lt_res r = jws_sign(key->soft, &head, payload, &jws);
    struct http_fetch f = {
        .method = "POST",
        .target = target,
        .content_type = "application/jose+json",
        .body = lt_buf_slice(&jws),
    };
    struct http_fetched got;
    if (!lt_failed(r)) {
        r = exchange(c, &f, &got);
    }
    lt_buf_done(&jws);
    LT_TRY(r);
    return parse(got.body, ret_json);
}

lt_res cmd_api_post(struct cmd *c, const char *path, const json_t *payload, json_t **ret_json)
{
    struct cmd_key key = {.soft = NULL};
    char target[TARGET_MAX];
    (void)snprintf(target, sizeof(target), PREFIX "%s", path);
    char *text = json_dumps(payload, JSON_COMPACT | JSON_SORT_KEYS);
    LT_ASSERT(text != NULL);
    lt_res r = cmd_operator_key(c, &key);
    for (int i = 0; !lt_failed(r) && i < TRIES; i++) {
        r = post_once(c, &key, target, lt_slice_cstr(text), ret_json);
        if (r.code != LT_PEER_BAD_NONCE) {
            break; /* a nonce that a restart made void is worth one more try */
        }
        r = i + 1 < TRIES ? LT_OK : r;
    }
    cmd_key_done(&key);
    free(text);
    return r;
}
