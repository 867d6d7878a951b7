/* lintel status: the family as its supervisor sees it (run/status.json), and the book as its reader does. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cmd/api.h"
#include "cmd/doctor.h"
#include "cmd/public.h"
#include "cmd/verbs.h"

enum { STATUS_MAX = 1024 * 1024, PATH_SIZE = 4096 };

lt_res cmd_family_status(struct cmd *c, const char *folder, json_t **ret_json)
{
    char path[PATH_SIZE];
    lt_slice text;
    (void)snprintf(path, sizeof(path), "%s/run/status.json", folder);
    LT_CHECK(cmd_folder_pid(folder) != 0, LT_RETRY_UNAVAILABLE,
             "nobody serves %s; start it with `lintel serve %s`", folder, folder);
    LT_TRY(lt_file_read(&c->arena, AT_FDCWD, path, STATUS_MAX, &text));
    *ret_json = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    LT_CHECK(*ret_json != NULL, LT_STATE_CORRUPT, "%s is no JSON", path);
    return LT_OK;
}

enum { CAP_NEAR = 80 }; /* percent */

static const char *yes_no(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key)) ? "yes" : "no";
}

static lt_res say_processes(struct cmd *c, const json_t *family)
{
    static const char *const heads[] = {"PROGRAM", "STATE", "PID", "UP", "CRASHES", "SECCOMP", "LANDLOCK"};
    size_t i;
    json_t *p;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(family, "processes"), i, p)
    {
        char pid[24];
        char up[24];
        char crashes[24];
        char landlock[24];
        (void)snprintf(pid, sizeof(pid), "%lld", (long long)cmd_int(p, "pid"));
        (void)snprintf(up, sizeof(up), "%llds", (long long)cmd_int(p, "uptime_s"));
        (void)snprintf(crashes, sizeof(crashes), "%lld", (long long)cmd_int(p, "crashes"));
        (void)snprintf(landlock, sizeof(landlock), "ABI %lld", (long long)cmd_int(p, "landlock_abi"));
        const char *const cells[] = {
            cmd_text(p, "name"), cmd_text(p, "state"), pid, up, crashes, yes_no(p, "seccomp"), landlock};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

/* The parts of an issuer's CRL, after the complete one. */
static lt_res say_parts(const json_t *book)
{
    size_t i;
    json_t *p;
    json_array_foreach(json_object_get(book, "crl_parts"), i, p)
    {
        int64_t late = cmd_int(p, "late") + cmd_int(p, "broken");
        LT_TRY(cmd_printf("%-13s %-9s %lld parts, %lld entries, the first until %s",
                          i == 0 ? "CRL parts" : "", cmd_text(p, "issuer"), (long long)cmd_int(p, "parts"),
                          (long long)cmd_int(p, "entries"), cmd_text(p, "first_next_update")));
        LT_TRY(late == 0 ? cmd_printf("\n")
                         : cmd_printf("; %lld ARE LATE: lintel crl check\n", (long long)late));
    }
    return LT_OK;
}

/* Issuers that are near their cap. */
static lt_res say_caps(const json_t *book)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(book, "caps"), i, row)
    {
        if (cmd_int(row, "percent") >= CAP_NEAR) {
            LT_TRY(cmd_printf("%s  %s: %lld of %lld certificates, %lld%%\n",
                              cmd_int(row, "percent") >= 100 ? "CAP REACHED " : "CAP NEAR    ",
                              cmd_text(row, "issuer"), (long long)cmd_int(row, "valid"),
                              (long long)cmd_int(row, "cap"), (long long)cmd_int(row, "percent")));
        }
    }
    return LT_OK;
}

/* What somebody promised, or is called for, and has not done. */
static lt_res say_lapsed(const json_t *book)
{
    for (size_t i = 0; i < cmd_lapse_count; i++) {
        long long n = (long long)cmd_int(book, cmd_lapses[i].member);
        LT_TRY(n == 0 ? LT_OK
                      : cmd_printf("%-13s %lld %s: %s\n", cmd_lapses[i].head, n, cmd_lapses[i].words,
                                   cmd_lapses[i].verb));
    }
    return LT_OK;
}

/* Clocks that were missed, the one that ends next, and what monitoring has found. */
static lt_res say_duties(const json_t *book)
{
    const json_t *next = json_object_get(book, "next_clock");
    long long missed = (long long)(cmd_int(book, "clocks_breached") + cmd_int(book, "clocks_overdue"));
    if (missed > 0) {
        LT_TRY(cmd_printf("CLOCKS        %lld were missed: lintel clock list\n", missed));
    }
    if (next != NULL) {
        LT_TRY(cmd_printf("next clock    %lld of %s ends at %s\n", (long long)cmd_int(next, "id"),
                          cmd_text(next, "subject"), cmd_text(next, "due")));
    }
    LT_TRY(say_lapsed(book));
    return cmd_int(book, "watch_findings") == 0
               ? LT_OK
               : cmd_printf("monitoring    %lld findings: lintel watch list\n",
                            (long long)cmd_int(book, "watch_findings"));
}

static lt_res say_book(const json_t *book)
{
    size_t i;
    json_t *crl;
    const json_t *event = json_object_get(book, "last_event");
    LT_TRY(cmd_printf("certificates  %lld (%lld in the last day, %lld revoked)\naccounts      %lld\n"
                      "halts         %lld\nopen intents  %lld\njournal       acknowledged up to %lld\n",
                      (long long)cmd_int(book, "certificates"), (long long)cmd_int(book, "issued_last_day"),
                      (long long)cmd_int(book, "revoked"), (long long)cmd_int(book, "accounts"),
                      (long long)cmd_int(book, "halts"), (long long)cmd_int(book, "intents_open"),
                      (long long)cmd_int(book, "journal_acknowledged")));
    LT_TRY(say_caps(book));
    if (cmd_int(book, "orders_waiting") > 0) {
        LT_TRY(cmd_printf("reviews       %lld orders wait for a person: lintel order list --waiting\n",
                          (long long)cmd_int(book, "orders_waiting")));
    }
    LT_TRY(say_duties(book));
    LT_TRY(cmd_printf("last event    %s %s (%s %lld)\n", cmd_text(event, "time"), cmd_text(event, "kind"),
                      cmd_text(event, "chain"), (long long)cmd_int(event, "sequence")));
    json_array_foreach(json_object_get(book, "crls"), i, crl)
    {
        const char *state = cmd_text(crl, "state");
        LT_TRY(cmd_printf("%-13s %-9s %lld entries, until %s%s%s\n", i == 0 ? "CRLs" : "",
                          cmd_text(crl, "issuer"), (long long)cmd_int(crl, "entries"),
                          cmd_text(crl, "next_update"), strcmp(state, "fresh") == 0 ? "" : "; ",
                          strcmp(state, "fresh") == 0 ? "" : state));
    }
    return say_parts(book);
}

/* A test CA is never to be taken for another. */
static lt_res say_testing(const json_t *family)
{
    const json_t *t = json_object_get(family, "testing");
    if (json_is_true(json_object_get(family, "drill"))) {
        LT_TRY(cmd_printf("DRILL         its clock is moved, and nobody may trust what it issues\n"));
    }
    if (!json_is_true(json_object_get(family, "test_ca"))) {
        return LT_OK;
    }
    LT_TRY(cmd_printf("THIS IS A TEST CA: nobody may trust what it issues\n"));
    if (t == NULL) {
        return LT_OK;
    }
    return cmd_printf("testing       validation %s, %lld%% of nonces refused, %lld%% of proofs used again\n",
                      json_is_true(json_object_get(t, "always_valid")) ? "BELIEVES EVERYTHING" : "looks",
                      (long long)cmd_int(t, "nonce_reject"), (long long)cmd_int(t, "authz_reuse"));
}

/* Whom the family waits for in vain. */
static lt_res say_silent(const json_t *family)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(family, "silent"), i, row)
    {
        LT_TRY(cmd_printf("NO ANSWER     from %s since %s\n", cmd_text(row, "what"), cmd_text(row, "since")));
    }
    return LT_OK;
}

static lt_res say(struct cmd *c, const json_t *family, const json_t *public, const json_t *book)
{
    size_t i;
    json_t *listener;
    LT_TRY(cmd_printf("%s: %s since %llds, build %s%s%s\n", cmd_text(family, "folder"),
                      json_is_true(json_object_get(family, "ready")) ? "serving" : "not ready",
                      (long long)cmd_int(family, "uptime_s"), cmd_text(family, "build"),
                      json_is_true(json_object_get(family, "held")) ? "; ISSUANCE HELD: " : "",
                      cmd_text(family, "hold_reason")));
    LT_TRY(say_testing(family));
    LT_TRY(cmd_public_say(public));
    LT_TRY(say_silent(family));
    LT_TRY(cmd_printf("own users %s, sandbox %s\n", yes_no(family, "own_users"), yes_no(family, "sandbox")));
    json_array_foreach(json_object_get(family, "listeners"), i, listener)
    {
        LT_TRY(
            cmd_printf("listening     %-9s %s\n", cmd_text(listener, "kind"), cmd_text(listener, "address")));
    }
    LT_TRY(say_processes(c, family));
    return book == NULL ? cmd_printf("the book could not be asked: %s\n", lt_error_last()->detail)
                        : say_book(book);
}

static lt_res run(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *family = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *book = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *public = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *both = NULL;
    const char *folder = NULL;
    LT_TRY(cmd_folder(c, &folder));
    LT_TRY(cmd_family_status(c, folder, &family));
    public = cmd_public_status(c, folder);
    lt_res r = cmd_api_get(c, "status", &book); /* in trouble, half a status is better than none */
    if (c->json) {
        both = json_pack("{s:O, s:O, s:O?}", "family", family, "public", public, "book",
                         lt_failed(r) ? NULL : book);
        LT_ASSERT(both != NULL);
        return cmd_print_json(both);
    }
    LT_TRY(say(c, family, public, lt_failed(r) ? NULL : book));
    return LT_OK;
}

const struct cmd_verb cmd_status = {
    .name = "status",
    .words = "",
    .summary = "how the family and the book stand",
    .help = "examples:\n  lintel status\n  lintel status --json | jq .family.ready\n",
    .options = NULL,
    .option_count = 0,
    .run = run,
};
