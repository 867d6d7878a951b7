/* lintel doctor: looks at everything that goes wrong quietly, and says what to do. */
#include "cmd/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/verbs.h"

enum { TEXT_MAX = 512 };

static const char *const level_names[] = {
    [DOCTOR_OK] = "ok", [DOCTOR_NOTE] = "note", [DOCTOR_WARN] = "warning", [DOCTOR_BAD] = "BAD"};

void doctor_say(struct doctor *d, enum doctor_level level, const char *what, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* a longer one is cut */
    va_end(args);
    const char *copy = lt_arena_cstr(&d->c->arena, lt_slice_cstr(text));
    if (d->count < DOCTOR_FINDINGS_MAX && copy != NULL) {
        d->findings[d->count++] = (struct doctor_finding){level, what, copy};
    }
}

static void look(struct doctor *d)
{
    if (lt_failed(ca_config_load(d->folder, &d->config))) {
        doctor_say(d, DOCTOR_BAD, "configuration", "%s", lt_error_last()->detail);
    } else {
        doctor_say(d, DOCTOR_OK, "configuration", "%s/" CA_CONFIG_FILE " reads well", d->folder);
        doctor_testing(d);
        doctor_listeners(d);
        doctor_secrets(d);
        doctor_issuers(d);
        doctor_crls(d);
        doctor_ocsp(d);
        doctor_people(d);
        doctor_perspectives(d);
    }
    doctor_owners(d);
    doctor_disk(d);
    doctor_evidence(d);
    doctor_clock(d);
    doctor_family(d);
    doctor_caps(d);
    doctor_lapsed(d);
}

static lt_res say_all(const struct doctor *d)
{
    struct lt_buf out;
    lt_buf_init(&out, 1 << 20);
    lt_buf_add_cstr(&out, d->c->json ? "{\"findings\":[" : "");
    for (size_t i = 0; i < d->count; i++) {
        const struct doctor_finding *f = &d->findings[i];
        if (d->c->json) {
            lt_buf_addf(&out, "%s{\"level\":\"%s\",\"what\":\"%s\",\"text\":", i > 0 ? "," : "",
                        f->level == DOCTOR_BAD ? "bad" : level_names[f->level], f->what);
            lt_json_add_string(&out, lt_slice_cstr(f->text));
            lt_buf_add_byte(&out, '}');
        } else {
            lt_buf_addf(&out, "%-8s %-14s %s\n", level_names[f->level], f->what, f->text);
        }
    }
    lt_buf_add_cstr(&out, d->c->json ? "]}\n" : "");
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res run(struct cmd *c)
{
    struct doctor *d = LT_NEW(&c->arena, struct doctor);
    LT_ASSERT(d != NULL);
    d->c = c;
    LT_TRY(cmd_folder(c, &d->folder));
    d->dir = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(d->dir >= 0, LT_PEER_NOT_FOUND, "%s: %s", d->folder, strerror(errno));
    look(d);
    for (size_t i = 0; i < d->count; i++) {
        c->findings += d->findings[i].level == DOCTOR_BAD;
    }
    lt_res r = say_all(d);
    ca_config_free(d->config);
    (void)close(d->dir); /* only read */
    return r;
}

const struct cmd_verb cmd_doctor = {
    .name = "doctor",
    .words = "",
    .summary = "find what is wrong or will be: listeners, secrets, clocks, disks, CRLs, sandbox",
    .help = "Looks and changes nothing. Exit status 6 when something is BAD; warnings and notes leave it 0.\n"
            "\n"
            "examples:\n"
            "  lintel doctor --dir /srv/ca\n"
            "  lintel doctor --json | jq -r '.findings[] | select(.level == \"bad\") | .text'\n",
    .options = NULL,
    .option_count = 0,
    .run = run,
};
