/* lintel operator add, remove, list: operators are root-owned files of the folder, so adding one needs the
 * right to write there, not a session. A running family takes them up at once (SIGHUP) and records events. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/operator.h"
#include "cmd/api.h"
#include "cmd/key.h"
#include "cmd/operator.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 256, KEY_TEXT_MAX = 64 * 1024, PUBLIC_FILE_MAX = 64 * 1024 };

lt_res cmd_operators_open(struct cmd *c, const char **ret_folder, int *ret_dir)
{
    LT_TRY(cmd_folder(c, ret_folder));
    int fd = open(*ret_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_PEER_USAGE, "%s: %s", *ret_folder, strerror(errno));
    *ret_dir = openat(fd, "operators", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)close(fd); /* only read */
    LT_CHECK(*ret_dir >= 0, LT_PEER_USAGE, "%s/operators: %s; is this a CA folder?", *ret_folder,
             strerror(errno));
    return LT_OK;
}

void cmd_operators_tell(const char *folder)
{
    int pid = cmd_folder_pid(folder);
    if (pid > 0 && kill(pid, SIGHUP) != 0) {
        (void)fprintf(stderr, "the family runs (process %d) and could not be told: %s; send it SIGHUP\n", pid,
                      strerror(errno)); /* the file is written; nothing else failed */
    }
}

/* The new operator's public key: from a file they sent, or of a key made here. */
static lt_res public_key(struct cmd *c, const char *file, lt_slice *ret_spki)
{
    lt_slice pem;
    lt_slice label;
    LT_TRY(lt_file_read(&c->arena, AT_FDCWD, file, PUBLIC_FILE_MAX, &pem));
    LT_TRY(lt_pem_next(&c->arena, &pem, &label, ret_spki));
    LT_CHECK(lt_slice_eq_cstr(label, "PUBLIC KEY"), LT_PEER_USAGE,
             "%.150s holds no PUBLIC KEY; make it with: openssl pkey -in key.pem -pubout", file);
    return LT_OK;
}

static lt_res write_key(int dir, const char *name, const struct cmd_key *key)
{
    char path[PATH_SIZE];
    struct lt_buf pem;
    (void)snprintf(path, sizeof(path), "%s.key", name);
    LT_CHECK(faccessat(dir, path, F_OK, 0) != 0, LT_PEER_CONFLICT, "operators/%s is there already", path);
    lt_buf_init(&pem, KEY_TEXT_MAX);
    lt_res r = crypto_key_write(key->soft, (lt_slice){NULL, 0}, &pem);
    if (!lt_failed(r)) {
        r = lt_file_replace(dir, path, 0600, lt_buf_slice(&pem));
    }
    explicit_bzero(pem.ptr, pem.size);
    lt_buf_done(&pem);
    return r;
}

static lt_res parse_roles(const struct cmd *c, unsigned *ret_roles)
{
    const char *word;
    *ret_roles = 0;
    for (size_t i = 0; (word = cmd_value_nth(c, "role", i)) != NULL; i++) {
        *ret_roles |= ca_operator_role_by_name(lt_slice_cstr(word));
    }
    LT_CHECK(*ret_roles != 0, LT_PEER_USAGE,
             "--role is needed: viewer, operator, approver, auditor or intake");
    return LT_OK;
}

static const char *alg_of_spki(lt_slice spki)
{
    struct x509_spki parsed;
    if (lt_failed(x509_spki_parse(spki, &parsed))) {
        return "none";
    }
    return crypto_alg_name(crypto_alg_of_key((enum crypto_key_type)parsed.type));
}

static lt_res write_operator(int dir, const struct ca_operator *o)
{
    char path[PATH_SIZE];
    struct lt_buf text;
    struct lt_arena arena;
    struct ca_operator read_again;
    (void)snprintf(path, sizeof(path), "%s.json", o->name);
    LT_CHECK(faccessat(dir, path, F_OK, 0) != 0, LT_PEER_CONFLICT,
             "operators/%s is there already; remove that operator first", path);
    lt_buf_init(&text, CA_OPERATOR_FILE_MAX);
    lt_arena_init(&arena, (size_t)CA_OPERATOR_FILE_MAX * 8);
    lt_res r = ca_operator_print(o, &text);
    if (!lt_failed(r)) {
        r = ca_operator_parse(&arena, lt_buf_slice(&text),
                              &read_again); /* what others would refuse to read */
    }
    if (!lt_failed(r)) {
        r = lt_file_replace(dir, path, 0644, lt_buf_slice(&text));
    }
    lt_arena_done(&arena);
    lt_buf_done(&text);
    return r;
}

static lt_res add(struct cmd *c, const char *folder, int dir, struct cmd_key *key)
{
    const char *file = cmd_value(c, "public-key");
    struct ca_operator o = {.name = c->args.words[0], .added = lt_time_from_seconds(lt_time_seconds(c->now))};
    LT_CHECK(ca_operator_name_valid(lt_slice_cstr(o.name)), LT_PEER_USAGE,
             "\"%.70s\" is no operator name: a-z, 0-9, - . _, beginning with a letter", o.name);
    LT_TRY(parse_roles(c, &o.roles));
    if (file != NULL) {
        LT_TRY(public_key(c, file, &o.spki));
    } else {
        LT_TRY(cmd_key_generate(cmd_value_or(c, "key-type", "ed25519"), key));
        o.spki = key->use.spki;
    }
    o.alg = alg_of_spki(o.spki);
    LT_TRY(write_operator(dir, &o));
    if (file == NULL) {
        LT_TRY(write_key(dir, o.name, key));
    }
    cmd_operators_tell(folder);
    return c->json ? cmd_printf("{\"operator\":\"%s\",\"alg\":\"%s\",\"key_made\":%s}\n", o.name, o.alg,
                                file == NULL ? "true" : "false")
           : file != NULL
               ? cmd_printf("operator %s added\n", o.name)
               : cmd_printf("operator %s added; their key is %s/operators/%s.key: hand it over, and keep no "
                            "copy here\n",
                            o.name, folder, o.name);
}

static lt_res run_add(struct cmd *c)
{
    const char *folder = NULL;
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    struct cmd_key key = {.soft = NULL};
    LT_TRY(cmd_operators_open(c, &folder, &dir));
    lt_res r = add(c, folder, dir, &key);
    cmd_key_done(&key);
    return r;
}

static lt_res run_remove(struct cmd *c)
{
    const char *folder = NULL;
    const char *name = c->args.words[0];
    char path[PATH_SIZE];
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    LT_TRY(cmd_operators_open(c, &folder, &dir));
    LT_CHECK(ca_operator_name_valid(lt_slice_cstr(name)), LT_PEER_USAGE, "\"%.70s\" is no operator name",
             name);
    (void)snprintf(path, sizeof(path), "%s.json", name);
    LT_CHECK(faccessat(dir, path, F_OK, 0) == 0, LT_PEER_NOT_FOUND, "there is no operator %s", name);
    if (!cmd_flag(c, "yes")) {
        return cmd_printf(
            "would remove operator %s: their signatures count no more, their events stay; add --yes\n", name);
    }
    LT_CHECK(unlinkat(dir, path, 0) == 0 && fsync(dir) == 0, LT_STATE_IO, "operators/%s: %s", path,
             strerror(errno));
    cmd_operators_tell(folder);
    return c->json ? cmd_printf("{\"removed\":\"%s\"}\n", name) : cmd_printf("operator %s removed\n", name);
}

/* From the files: they are what counts, and need no running family. */
static lt_res list_files(struct cmd *c, const struct ca_operators *o)
{
    static const char *const heads[] = {"OPERATOR", "ROLES", "KEY", "ADDED"};
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    for (size_t i = 0; i < o->count; i++) {
        struct lt_buf roles;
        char added[LT_RFC3339_SIZE];
        lt_buf_init(&roles, 1024);
        ca_operator_roles_json(o->list[i].roles, &roles);
        lt_time_rfc3339(o->list[i].added, added);
        const char *const cells[] = {o->list[i].name, lt_buf_cstr(&roles), o->list[i].alg, added};
        lt_res r = cmd_table_row(t, cells);
        lt_buf_done(&roles);
        LT_TRY(r);
    }
    return cmd_table_print(t);
}

static lt_res list_json(const struct ca_operators *o)
{
    struct lt_buf out;
    lt_buf_init(&out, 4 << 20);
    lt_buf_add_cstr(&out, "{\"operators\":[");
    lt_res r = LT_OK;
    for (size_t i = 0; i < o->count && !lt_failed(r); i++) {
        lt_buf_add_cstr(&out, i > 0 ? "," : "");
        r = ca_operator_print(&o->list[i], &out);
    }
    lt_buf_add_cstr(&out, "]}\n");
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res run_list(struct cmd *c)
{
    const char *folder = NULL;
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    struct ca_operators operators = {.count = 0};
    LT_TRY(cmd_operators_open(c, &folder, &dir));
    LT_CLEANUP(lt_fd_closep) int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_TRY(ca_operators_load(root, "operators", &operators));
    lt_res r = c->json ? list_json(&operators) : list_files(c, &operators);
    ca_operators_done(&operators);
    return r;
}

static const struct cmd_option add_options[] = {
    {"role", "ROLE", "what they may", true, "viewer operator approver auditor intake"},
    {"public-key", "FILE", "their PUBLIC KEY as PEM; without it a key is made here", false, NULL},
    {"key-type", "TYPE", "of a key made here: ed25519, p256 (default: ed25519)", false, NULL},
};
static const struct cmd_option remove_options[] = {CMD_YES_OPTION};

const struct cmd_verb cmd_operator_add = {
    .name = "operator add",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "add an operator with roles and a key of their own",
    .help = "Roles: viewer sees, operator proposes plans, halts and revokes, approver signs plans, auditor "
            "verifies, intake brings in problem reports and nothing else.\n"
            "\n"
            "examples:\n"
            "  lintel operator add berta --role approver --public-key berta.pub\n"
            "  lintel operator add carl --role operator --role approver\n",
    .options = add_options,
    .option_count = LT_COUNT(add_options),
    .run = run_add,
};
const struct cmd_verb cmd_operator_remove = {
    .name = "operator remove",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "remove an operator",
    .help = "examples:\n  lintel operator remove carl --yes\n",
    .options = remove_options,
    .option_count = LT_COUNT(remove_options),
    .run = run_remove,
};
const struct cmd_verb cmd_operator_list = {
    .name = "operator list",
    .words = "",
    .summary = "list the operators, as their files say",
    .help = "examples:\n  lintel operator list --json\n",
    .options = NULL,
    .option_count = 0,
    .run = run_list,
};
