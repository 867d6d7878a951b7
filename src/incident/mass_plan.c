/* See mass_plan.h. Each part is a list of rows; what a row must have is looked at in its own function. */
#include "incident/mass_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ca/yaml_load.h"

enum {
    TEXT_MAX = 2000,
    DETAIL_MAX = 300,
    YEAR_S = 366 * 86400,  /* a year, and the day that a leap year has more */
    MUST_S = 5 * 86400,    /* the longest time that 4.9.1.1 gives */
    REVIEW_S = 90 * 86400, /* our measure of "soon after" */
    HOLDERS_LEAST = 2,     /* one may be ill */
};

struct activation {
    const char *when;
    const char *measure;
    const char *least;
};
struct contacts {
    const char *stored;
    const char *fields;
    const char *current;
    const char *every;
};
struct step {
    const char *step;
    bool automatic;
    const char *by_hand;
};
struct target {
    const char *phase;
    const char *within;
    const char *from;
};
struct notice {
    const char *method;
    const char *whom;
    const char *within;
};
struct role {
    const char *role;
    const char *duty;
    const char *holders;
};
struct course {
    const char *role;
    const char *course;
    const char *every;
};
struct test {
    const char *kind;
    const char *every;
    bool revokes_active;
    const char *last;
    const char *record;
};
struct review {
    const char *within;
    const char *every;
    const char *owner;
};
struct plan {
    const char *name;
    const char *version;
    const char *approved;
    struct activation *activation;
    struct contacts *contacts;
    struct step *automation;
    struct target *targets;
    struct notice *notification;
    struct role *roles;
    struct course *training;
    struct test *test;
    struct review *review;
    uint32_t activation_count;
    uint32_t automation_count;
    uint32_t target_count;
    uint32_t notification_count;
    uint32_t role_count;
    uint32_t training_count;
};

#define TEXT(key_, struct_, member_) \
    CYAML_FIELD_STRING_PTR(key_, CYAML_FLAG_OPTIONAL, struct_, member_, 0, TEXT_MAX)
#define PART(key_, member_, entry_, count_)                                                                  \
    CYAML_FIELD_SEQUENCE_COUNT(key_, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct plan, member_, count_, \
                               &(entry_), 0, INCIDENT_PLAN_ROWS_MAX)
#define ENTRY(name_, struct_, fields_) \
    static const cyaml_schema_value_t name_ = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct_, fields_)}

static const cyaml_schema_field_t activation_fields[] = {
    TEXT("when", struct activation, when),
    TEXT("measure", struct activation, measure),
    TEXT("at-least", struct activation, least),
    CYAML_FIELD_END,
};
ENTRY(activation_entry, struct activation, activation_fields);
static const cyaml_schema_field_t contact_fields[] = {
    TEXT("stored-in", struct contacts, stored),
    TEXT("fields", struct contacts, fields),
    TEXT("kept-current", struct contacts, current),
    TEXT("verified-every", struct contacts, every),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t step_fields[] = {
    TEXT("step", struct step, step),
    CA_YAML_BOOL("automatic", CYAML_FLAG_OPTIONAL, struct step, automatic),
    TEXT("by-hand", struct step, by_hand),
    CYAML_FIELD_END,
};
ENTRY(step_entry, struct step, step_fields);
static const cyaml_schema_field_t target_fields[] = {
    TEXT("phase", struct target, phase),
    TEXT("within", struct target, within),
    TEXT("from", struct target, from),
    CYAML_FIELD_END,
};
ENTRY(target_entry, struct target, target_fields);
static const cyaml_schema_field_t notice_fields[] = {
    TEXT("method", struct notice, method),
    TEXT("whom", struct notice, whom),
    TEXT("within", struct notice, within),
    CYAML_FIELD_END,
};
ENTRY(notice_entry, struct notice, notice_fields);
static const cyaml_schema_field_t role_fields[] = {
    TEXT("role", struct role, role),
    TEXT("duty", struct role, duty),
    TEXT("holders", struct role, holders),
    CYAML_FIELD_END,
};
ENTRY(role_entry, struct role, role_fields);
static const cyaml_schema_field_t course_fields[] = {
    TEXT("role", struct course, role),
    TEXT("course", struct course, course),
    TEXT("every", struct course, every),
    CYAML_FIELD_END,
};
ENTRY(course_entry, struct course, course_fields);
static const cyaml_schema_field_t test_fields[] = {
    TEXT("kind", struct test, kind),
    TEXT("every", struct test, every),
    CA_YAML_BOOL("revokes-active-certificates", CYAML_FLAG_OPTIONAL, struct test, revokes_active),
    TEXT("last", struct test, last),
    TEXT("record", struct test, record),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t review_fields[] = {
    TEXT("within", struct review, within),
    TEXT("update-every", struct review, every),
    TEXT("owner", struct review, owner),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t fields[] = {
    TEXT("name", struct plan, name),
    TEXT("version", struct plan, version),
    TEXT("approved", struct plan, approved),
    PART("activation", activation, activation_entry, activation_count),
    CYAML_FIELD_MAPPING_PTR("contacts", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct plan, contacts,
                            contact_fields),
    PART("automation", automation, step_entry, automation_count),
    PART("targets", targets, target_entry, target_count),
    PART("notification", notification, notice_entry, notification_count),
    PART("roles", roles, role_entry, role_count),
    PART("training", training, course_entry, training_count),
    CYAML_FIELD_MAPPING_PTR("test", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct plan, test, test_fields),
    CYAML_FIELD_MAPPING_PTR("review", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct plan, review,
                            review_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct plan, fields),
};

/* The nine of CABF-BR 5.7.1.2, in its order, and the key that has each. */
static const struct {
    const char *key;
    const char *name;
} parts[INCIDENT_PLAN_PARTS] = {
    {"activation", "activation criteria"},
    {"contacts", "customer contact information"},
    {"automation", "automation points"},
    {"targets", "targets and timelines"},
    {"notification", "notification methods"},
    {"roles", "roles and responsibilities"},
    {"training", "training and education"},
    {"test", "annual operational test"},
    {"review", "analysis after each test, and updates"},
};
enum part { WHOLE, ACTIVATION, CONTACTS, AUTOMATION, TARGETS, NOTIFICATION, ROLES, TRAINING, TEST, REVIEW };

const char *incident_plan_part(unsigned part)
{
    LT_ASSERT(part >= 1 && part <= INCIDENT_PLAN_PARTS);
    return parts[part - 1].name;
}

struct check {
    const struct plan *p;
    const struct ca_yaml *y;
    struct lt_arena *a;
    lt_time now;
    struct incident_plan_report *report;
    lt_res failed; /* sticky: no room */
};

static void found(struct check *k, enum incident_plan_severity severity, enum part part, const char *id,
                  const char *format, ...) LT_PRINTF(5, 6);
static void found(struct check *k, enum incident_plan_severity severity, enum part part, const char *id,
                  const char *format, ...)
{
    char text[DETAIL_MAX];
    va_list args;
    struct incident_plan_report *r = k->report;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* cut: for people */
    va_end(args);
    char *copy = lt_arena_cstr(k->a, lt_slice_cstr(text));
    if (copy == NULL || r->count == INCIDENT_PLAN_FINDINGS_MAX) {
        k->failed = lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "%s has too many findings", k->y->file);
        return;
    }
    r->findings[r->count++] = (struct incident_plan_finding){
        .id = id, .part = (unsigned)part, .severity = severity, .text = copy};
    r->errors += severity == INCIDENT_PLAN_ERROR ? 1 : 0;
    r->warnings += severity == INCIDENT_PLAN_WARNING ? 1 : 0;
}
#define BAD(part_, id_, ...) found(k, INCIDENT_PLAN_ERROR, part_, id_, __VA_ARGS__)
#define WARN(part_, id_, ...) found(k, INCIDENT_PLAN_WARNING, part_, id_, __VA_ARGS__)

static bool said(const char *text)
{
    return text != NULL && strspn(text, " \t\n") < strlen(text);
}

/* Words that everybody leaves in who filled in nothing. */
static bool is_blank(const char *text)
{
    static const char *const words[] = {"TBD", "TODO", "tbd", "todo", "...", "n/a", "N/A", "?", "xxx"};
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (said(text) && strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    return !said(text);
}

static void need(struct check *k, enum part part, const char *id, const char *key, const char *text)
{
    if (is_blank(text)) {
        BAD(part, id, "%s: %s is not said", parts[part - 1].key, key);
    }
}

/* "24h"; 0 after a finding. */
static int64_t duration(struct check *k, enum part part, const char *id, const char *key, const char *text)
{
    int64_t seconds = 0;
    if (is_blank(text)) {
        BAD(part, id, "%s: %s is not said", parts[part - 1].key, key);
        return 0;
    }
    if (lt_failed(ca_yaml_duration(k->y, parts[part - 1].key, text, &seconds)) || seconds <= 0) {
        BAD(part, id, "%s: %s \"%.40s\" is no time: write 24h or 5d", parts[part - 1].key, key, text);
        return 0;
    }
    return seconds;
}

static bool one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text != NULL && strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the parts ---- */

/* Specific, objective, measurable: a number of something that is counted. */
static void check_activation(struct check *k)
{
    static const char *const measures[] = {"certificates", "percent", "subscribers", "hours", "keys"};
    for (uint32_t i = 0; i < k->p->activation_count; i++) {
        const struct activation *a = &k->p->activation[i];
        uint32_t least = 0;
        need(k, ACTIVATION, "activation-unclear", "when", a->when);
        if (!one_of(a->measure, measures, LT_COUNT(measures))) {
            BAD(ACTIVATION, "activation-not-measurable",
                "activation: \"%.80s\" measures nothing: measure is certificates, percent, subscribers, "
                "hours or "
                "keys",
                said(a->when) ? a->when : "");
        } else if (!said(a->least) ||
                   lt_failed(ca_yaml_number(k->y, "activation", a->least, 1, UINT32_MAX, &least)) ||
                   (strcmp(a->measure, "percent") == 0 && least > 100)) {
            BAD(ACTIVATION, "activation-not-measurable",
                "activation: \"%.80s\" has no number of %s (at-least)", said(a->when) ? a->when : "",
                a->measure);
        }
    }
}

static void check_contacts(struct check *k)
{
    const struct contacts *c = k->p->contacts;
    need(k, CONTACTS, "contacts-not-stored", "stored-in", c->stored);
    need(k, CONTACTS, "contacts-not-current", "kept-current", c->current);
    need(k, CONTACTS, "contacts-fields", "fields", c->fields);
    if (duration(k, CONTACTS, "contacts-not-verified", "verified-every", c->every) > YEAR_S) {
        WARN(CONTACTS, "contacts-verified-seldom", "contacts: addresses are verified less than once a year");
    }
}

static void check_automation(struct check *k)
{
    bool automatic = false;
    for (uint32_t i = 0; i < k->p->automation_count; i++) {
        const struct step *s = &k->p->automation[i];
        need(k, AUTOMATION, "automation-unclear", "step", s->step);
        automatic = automatic || s->automatic;
        if (is_blank(s->by_hand)) {
            BAD(AUTOMATION, s->automatic ? "automation-no-fallback" : "automation-unclear",
                "automation: \"%.80s\": %s (by-hand)", said(s->step) ? s->step : "",
                s->automatic ? "what is done where the machine cannot?" : "who does it, and how?");
        }
    }
    if (!automatic) {
        WARN(AUTOMATION, "automation-none", "automation: every step is done by hand");
    }
}

static void check_targets(struct check *k)
{
    static const char *const phases[] = {"triage", "start", "replacement", "review"};
    bool seen[LT_COUNT(phases)] = {false};
    for (uint32_t i = 0; i < k->p->target_count; i++) {
        const struct target *t = &k->p->targets[i];
        int64_t within = duration(k, TARGETS, "target-no-time", "within", t->within);
        need(k, TARGETS, "target-no-start", "from", t->from);
        if (!one_of(t->phase, phases, LT_COUNT(phases))) {
            BAD(TARGETS, "target-unknown",
                "targets: a phase is triage, start, replacement or review, not \"%.40s\"",
                t->phase == NULL ? "" : t->phase);
            continue;
        }
        for (size_t n = 0; n < LT_COUNT(phases); n++) {
            seen[n] = seen[n] || strcmp(t->phase, phases[n]) == 0;
        }
        if (strcmp(t->phase, "review") != 0 && within > MUST_S) {
            BAD(TARGETS, "target-too-late", "targets: %s takes %.20s, and 4.9.1.1 gives 5 days for all of it",
                t->phase, t->within);
        }
    }
    for (size_t n = 0; n < LT_COUNT(phases); n++) {
        if (!seen[n]) {
            BAD(TARGETS, "target-missing", "targets: there is none for %s", phases[n]);
        }
    }
}

static void check_notification(struct check *k)
{
    bool subscribers = false;
    for (uint32_t i = 0; i < k->p->notification_count; i++) {
        const struct notice *n = &k->p->notification[i];
        need(k, NOTIFICATION, "notification-unclear", "method", n->method);
        need(k, NOTIFICATION, "notification-unclear", "whom", n->whom);
        if (duration(k, NOTIFICATION, "notification-no-time", "within", n->within) > MUST_S) {
            BAD(NOTIFICATION, "notification-too-late",
                "notification: %.60s hear by %.40s after more than 5 days", said(n->whom) ? n->whom : "some",
                said(n->method) ? n->method : "?");
        }
        subscribers = subscribers || (said(n->whom) && strstr(n->whom, "ubscriber") != NULL);
    }
    if (!subscribers) {
        BAD(NOTIFICATION, "notification-subscribers", "notification: nobody tells the Subscribers");
    }
}

static bool has_course(const struct plan *p, const char *role)
{
    for (uint32_t i = 0; i < p->training_count; i++) {
        if (said(p->training[i].role) && strcmp(p->training[i].role, role) == 0) {
            return true;
        }
    }
    return false;
}

static void check_roles(struct check *k)
{
    for (uint32_t i = 0; i < k->p->role_count; i++) {
        const struct role *r = &k->p->roles[i];
        uint32_t holders = 0;
        need(k, ROLES, "role-unclear", "role", r->role);
        need(k, ROLES, "role-no-duty", "duty", r->duty);
        if (!said(r->holders) || lt_failed(ca_yaml_number(k->y, "roles", r->holders, 0, 100000, &holders)) ||
            holders == 0) {
            BAD(ROLES, "role-nobody", "roles: nobody is %.60s (holders)", said(r->role) ? r->role : "that");
        } else if (holders < HOLDERS_LEAST) {
            WARN(ROLES, "role-one", "roles: one person alone is %.60s", said(r->role) ? r->role : "that");
        }
        if (said(r->role) && k->p->training_count > 0 && !has_course(k->p, r->role)) {
            BAD(TRAINING, "training-role", "training: there is none for %.60s", r->role);
        }
    }
}

static void check_training(struct check *k)
{
    for (uint32_t i = 0; i < k->p->training_count; i++) {
        const struct course *c = &k->p->training[i];
        need(k, TRAINING, "training-unclear", "role", c->role);
        need(k, TRAINING, "training-unclear", "course", c->course);
        if (duration(k, TRAINING, "training-no-time", "every", c->every) > YEAR_S) {
            WARN(TRAINING, "training-seldom", "training: \"%.60s\" comes less than once a year",
                 said(c->course) ? c->course : "");
        }
    }
}

/* Once a year, by one of four ways, and no certificate in use is revoked for it. */
static void check_test(struct check *k)
{
    static const char *const kinds[] = {"tabletop", "simulation", "parallel", "controlled"};
    const struct test *t = k->p->test;
    lt_time last;
    if (!one_of(t->kind, kinds, LT_COUNT(kinds))) {
        BAD(TEST, "test-kind", "test: kind is tabletop, simulation, parallel or controlled, not \"%.40s\"",
            t->kind == NULL ? "" : t->kind);
    }
    if (duration(k, TEST, "test-no-time", "every", t->every) > YEAR_S) {
        BAD(TEST, "test-seldom", "test: every %.20s is less than once a year", t->every);
    }
    if (t->revokes_active) {
        BAD(TEST, "test-revokes",
            "test: certificates of Subscribers that are in use are not revoked for a test");
    }
    if (is_blank(t->last)) {
        BAD(TEST, "test-never", "test: it has never been tested (last)");
    } else if (lt_failed(lt_time_parse_or_day(lt_slice_cstr(t->last), &last)) || last.us > k->now.us) {
        BAD(TEST, "test-date", "test: last \"%.40s\" is no day of the past", t->last);
    } else if (last.us < lt_time_add_seconds(k->now, -(int64_t)YEAR_S).us) {
        BAD(TEST, "test-overdue", "test: the last one, %.40s, is over a year ago", t->last);
    }
    if (is_blank(t->record)) {
        WARN(TEST, "test-no-record", "test: nothing says where the record of the last one is");
    }
}

static void check_review(struct check *k)
{
    const struct review *r = k->p->review;
    if (duration(k, REVIEW, "review-no-time", "within", r->within) > REVIEW_S) {
        WARN(REVIEW, "review-late", "review: a test is looked at only after %.20s", r->within);
    }
    if (duration(k, REVIEW, "review-no-update", "update-every", r->every) > YEAR_S) {
        BAD(REVIEW, "review-seldom", "review: the plan is updated less than once a year");
    }
    need(k, REVIEW, "review-owner", "owner", r->owner);
}

static void check_head(struct check *k)
{
    lt_time approved;
    if (is_blank(k->p->name) || is_blank(k->p->version)) {
        WARN(WHOLE, "plan-unnamed", "the plan has no name, or no version");
    }
    if (is_blank(k->p->approved)) {
        WARN(WHOLE, "plan-not-approved", "nothing says when the plan was approved");
    } else if (lt_failed(lt_time_parse_or_day(lt_slice_cstr(k->p->approved), &approved)) ||
               approved.us > k->now.us) {
        BAD(WHOLE, "plan-date", "approved \"%.40s\" is no day of the past", k->p->approved);
    }
}

static void check_parts(struct check *k)
{
    const struct plan *p = k->p;
    const struct {
        bool there;
        void (*check)(struct check *k);
        const char *missing;
    } rows[INCIDENT_PLAN_PARTS] = {
        {p->activation_count > 0, check_activation, "activation-missing"},
        {p->contacts != NULL, check_contacts, "contacts-missing"},
        {p->automation_count > 0, check_automation, "automation-missing"},
        {p->target_count > 0, check_targets, "targets-missing"},
        {p->notification_count > 0, check_notification, "notification-missing"},
        {p->role_count > 0, check_roles, "roles-missing"},
        {p->training_count > 0, check_training, "training-missing"},
        {p->test != NULL, check_test, "test-missing"},
        {p->review != NULL, check_review, "review-missing"},
    };
    for (unsigned i = 0; i < INCIDENT_PLAN_PARTS; i++) {
        if (rows[i].there) {
            rows[i].check(k);
        } else {
            BAD((enum part)(i + 1), rows[i].missing, "part %u, %s (%s), is missing", i + 1, parts[i].name,
                parts[i].key);
        }
    }
}

lt_res incident_plan_check(const char *file, lt_slice yaml, lt_time now, struct lt_arena *a,
                           struct incident_plan_report *ret_report)
{
    const struct ca_yaml y = {file, yaml};
    void *root = NULL;
    LT_CHECK(yaml.len <= INCIDENT_PLAN_MAX_BYTES, LT_PEER_TOO_LARGE, "%s has %zu bytes, at most %d", file,
             yaml.len, INCIDENT_PLAN_MAX_BYTES);
    LT_TRY(ca_yaml_load(&y, &schema, a, &root));
    *ret_report = (struct incident_plan_report){.count = 0};
    struct check k = {.p = root, .y = &y, .a = a, .now = now, .report = ret_report};
    check_head(&k);
    check_parts(&k);
    ret_report->name = said(k.p->name) ? k.p->name : "";
    return k.failed;
}
