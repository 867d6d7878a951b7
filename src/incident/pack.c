/* See pack.h. A file is a row: its statement, its columns, and how the event of a row is found. */
#include "incident/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "crypto/digest.h"

/* The first two columns of each statement of a file: the subject and a part of the body of its event. */
const struct store_sql incident_pack_sql[] = {
    {"pack.event",
     "SELECT chain, sequence FROM event WHERE subject = ?1 AND kind || '' = ?2 AND body LIKE ?3 "
     "ORDER BY time_us LIMIT 1"},
    {"pack.last-event",
     "SELECT chain, sequence FROM event WHERE subject = ?1 AND kind LIKE ?2 AND body LIKE ?3 "
     "ORDER BY time_us DESC, sequence DESC LIMIT 1"},
    {"pack.seed", "SELECT chain, sequence, hash FROM event WHERE time_us < ?1 ORDER BY time_us DESC LIMIT 1"},
    {"pack.drawn",
     "SELECT issuer, serial FROM certificate WHERE issued_us >= ?1 AND issued_us < ?2 AND copy = 0"},
    {"pack.certificates",
     "SELECT c.issuer, c.serial, i.name, c.sha256, c.issued_us, c.not_after_us, p.name, c.account, "
     "c.order_id, "
     "c.worst_method, c.oldest_validation_us, c.oldest_caa_us, c.least_quorum, c.rule_set, c.build, "
     "r.revoked_us, r.reason FROM certificate c JOIN issuer i ON i.id = c.issuer "
     "LEFT JOIN profile p ON p.id = c.profile LEFT JOIN revocation r ON r.issuer = c.issuer AND r.shard = "
     "c.shard AND r.serial = c.serial WHERE c.issued_us >= ?1 AND c.issued_us < ?2 AND c.copy = 0 "
     "ORDER BY c.issued_us"},
    {"pack.evidence",
     "SELECT n.type, n.name, n.authorization_id, e.checked_us, d.method, e.ok, e.caa, e.dnssec, "
     "d.perspectives, "
     "e.segment, e.position, e.sha256 FROM certificate_name n JOIN evidence e ON e.authorization_id = "
     "n.authorization_id JOIN dimension d ON d.id = e.dimension WHERE n.issuer = ?1 AND n.serial = ?2 AND "
     "n.copy = 0 ORDER BY n.name, e.checked_us LIMIT 10000"},
    {"pack.approvals",
     "SELECT 'plan ' || a.plan, '%', a.plan, p.action, p.count, p.proposer, a.operator, a.signed_us, "
     "p.expires_us, p.status, p.needed FROM approval a JOIN plan p ON p.id = a.plan WHERE a.signed_us >= ?1 "
     "AND "
     "a.signed_us < ?2 ORDER BY a.signed_us"},
    {"pack.clocks",
     "SELECT subject, '%\"clock\":' || id || ',%', id, duty, force, section, subject, start_us, "
     "evidence, due_us, status, "
     "met_us, CASE WHEN met_us > 0 THEN (due_us - met_us) / 1000000 ELSE 0 END, proof FROM "
     "clock WHERE start_us "
     ">= ?1 AND start_us < ?2 ORDER BY start_us, id"},
    {"pack.incidents",
     "SELECT 'incident ' || id, '%', id, status, severity, source, cause, title, aware_us, opened_us, "
     "contained_us, must_us, closed_us, drill FROM incident WHERE opened_us >= ?1 AND opened_us < ?2 ORDER "
     "BY "
     "id"},
    {"pack.problems", "SELECT 'problem ' || id, '%', id, status, kind, channel, received_us, "
                      "acknowledged_us, found_us, told_us, "
                      "decision, cause, incident, raw_sha256 FROM problem WHERE received_us >= ?1 AND "
                      "received_us < ?2 ORDER BY "
                      "id"},
    {"pack.actions",
     "SELECT 'action ' || id, '%', id, subject, title, kind, causes, criteria, owner, status, created_us, "
     "first_due_us, due_us, done_us, evidence, lapses FROM incident_action WHERE created_us < ?2 AND "
     "(done_us = "
     "0 OR done_us >= ?1) ORDER BY id"},
    {"pack.checks",
     "SELECT 'action ' || action, '%\"months\":' || months || '%', action, months, due_us, done_us, holds, "
     "evidence, by_whom FROM incident_action_check WHERE due_us >= ?1 AND due_us < ?2 ORDER BY due_us, "
     "action"},
    {"pack.reviews", "SELECT 'review ' || r.id, '%', r.id, r.source, s.title, r.reviewer, r.assigned_us, "
                     "r.due_us, r.filed_us, "
                     "r.filed_by, r.brief FROM incident_review r LEFT JOIN incident_review_source s ON "
                     "s.source = r.source WHERE "
                     "r.assigned_us >= ?1 AND r.assigned_us < ?2 ORDER BY r.id"},
    {"pack.trainings",
     "SELECT 'trainee ' || person || ' ' || role, '%\"course\":\"' || course || '\"%', person, role, course, "
     "done_us, until_us, evidence, by_whom FROM incident_training WHERE recorded_us >= ?1 AND recorded_us < "
     "?2 "
     "ORDER BY id"},
    {"pack.drills",
     "SELECT 'drill ' || id, '%', id, scenario, kind, mode, certificates, begun_us, ended_us, passed, "
     "missed, "
     "findings, record_sha256, recorded_by FROM drill WHERE begun_us >= ?1 AND begun_us < ?2 ORDER BY id"},
    {"pack.halts",
     "SELECT 'halt ' || id, '%', id, kind, value, reason, operator, since_us, lifted_us FROM halt "
     "WHERE since_us < ?2 AND (lifted_us IS NULL OR lifted_us >= ?1) ORDER BY since_us"},
    {"pack.masses",
     "SELECT 'mass m' || id, '%', 'm' || id, status, scope, cause, reason, note, aware_us, should_us, "
     "must_us, "
     "created_us, created_by, count, root FROM mass WHERE created_us >= ?1 AND created_us < ?2 ORDER BY id"},
};
const size_t incident_pack_sql_count = LT_COUNT(incident_pack_sql);
enum { SQL_EVENT, SQL_LAST, SQL_SEED, SQL_DRAWN, SQL_CERTIFICATES, SQL_EVIDENCE, SQL_FIRST };

enum kind { TEXT, NUMBER, TIME, HEX, TRUTH };
struct column {
    const char *name;
    enum kind kind;
};
enum {
    COLUMNS_MAX = 17,
    SUBJECT_MAX = 300,
    ROW_MAX = 512 * 1024,
    ARENA_MAX = 8 * 1024 * 1024,
    PPM = 1000000
};

static const struct {
    const char *name;
    const char *what;
    const char *event; /* kind */
    struct column columns[COLUMNS_MAX];
} files[] = {
    {"approvals.csv",
     "every approval that was signed, with its plan",
     "plan.approved",
     {{"plan", TEXT},
      {"action", TEXT},
      {"count", NUMBER},
      {"proposer", TEXT},
      {"approver", TEXT},
      {"signed", TIME},
      {"expires", TIME},
      {"status", TEXT},
      {"needed", NUMBER}}},
    {"clocks.csv",
     "every clock that began: what was due, and by what margin it was met (seconds; below 0: late)",
     "clock.opened",
     {{"clock", NUMBER},
      {"duty", TEXT},
      {"force", TEXT},
      {"section", TEXT},
      {"subject", TEXT},
      {"start", TIME},
      {"start evidence", TEXT},
      {"due", TIME},
      {"status", TEXT},
      {"met", TIME},
      {"margin s", NUMBER},
      {"proof", TEXT}}},
    {"incidents.csv",
     "incidents that were opened",
     "incident.opened",
     {{"incident", NUMBER},
      {"status", TEXT},
      {"severity", TEXT},
      {"source", TEXT},
      {"cause", TEXT},
      {"title", TEXT},
      {"aware", TIME},
      {"opened", TIME},
      {"contained", TIME},
      {"must", TIME},
      {"closed", TIME},
      {"drill", TRUTH}}},
    {"problems.csv",
     "problem reports that were received; reporters are not named",
     "problem.received",
     {{"problem", NUMBER},
      {"status", TEXT},
      {"kind", TEXT},
      {"channel", TEXT},
      {"received", TIME},
      {"acknowledged", TIME},
      {"findings", TIME},
      {"told", TIME},
      {"decision", TEXT},
      {"cause", TEXT},
      {"incident", NUMBER},
      {"raw sha256", HEX}}},
    {"actions.csv",
     "promises that were open in the period, or made in it",
     "action.added",
     {{"action", NUMBER},
      {"for", TEXT},
      {"title", TEXT},
      {"kind", TEXT},
      {"root causes", TEXT},
      {"criteria", TEXT},
      {"owner", TEXT},
      {"status", TEXT},
      {"made", TIME},
      {"first due", TIME},
      {"due", TIME},
      {"ended", TIME},
      {"evidence", TEXT},
      {"alarms", NUMBER}}},
    {"follow-ups.csv",
     "looks at promises 3, 6 and 12 months later that were due",
     "action.checked",
     {{"action", NUMBER},
      {"months", NUMBER},
      {"due", TIME},
      {"taken", TIME},
      {"holds", TRUTH},
      {"evidence", TEXT},
      {"by", TEXT}}},
    {"reviews.csv",
     "reviews of incidents, with their briefs",
     "review.assigned",
     {{"review", NUMBER},
      {"source", TEXT},
      {"title", TEXT},
      {"reviewer", TEXT},
      {"assigned", TIME},
      {"due", TIME},
      {"filed", TIME},
      {"filed by", TEXT},
      {"brief", TEXT}}},
    {"trainings.csv",
     "who learned what",
     "training.done",
     {{"person", TEXT},
      {"role", TEXT},
      {"course", TEXT},
      {"done", TIME},
      {"until", TIME},
      {"evidence", TEXT},
      {"by", TEXT}}},
    {"drills.csv",
     "drills, the test of BR 5.7.1.2 among them",
     "drill.recorded",
     {{"drill", NUMBER},
      {"scenario", TEXT},
      {"kind", TEXT},
      {"mode", TEXT},
      {"certificates", NUMBER},
      {"begun", TIME},
      {"ended", TIME},
      {"passed", TRUTH},
      {"missed", TEXT},
      {"findings", TEXT},
      {"record sha256", HEX},
      {"by", TEXT}}},
    {"halts.csv",
     "what was halted, and until when",
     "halt.added",
     {{"halt", TEXT},
      {"kind", TEXT},
      {"value", TEXT},
      {"reason", TEXT},
      {"operator", TEXT},
      {"since", TIME},
      {"lifted", TIME}}},
    {"masses.csv",
     "mass revocations",
     "mass.created",
     {{"mass", TEXT},
      {"status", TEXT},
      {"scope", TEXT},
      {"cause", TEXT},
      {"reason", NUMBER},
      {"note", TEXT},
      {"aware", TIME},
      {"should", TIME},
      {"must", TIME},
      {"created", TIME},
      {"by", TEXT},
      {"count", NUMBER},
      {"root", HEX}}},
};
static const struct column sample_columns[] = {
    {"issuer", TEXT},    {"serial", HEX},     {"sha256", HEX},       {"issued", TIME},
    {"not after", TIME}, {"profile", TEXT},   {"account", NUMBER},   {"order", NUMBER},
    {"method", TEXT},    {"validated", TIME}, {"caa checked", TIME}, {"least quorum", NUMBER},
    {"rule set", TEXT},  {"build", TEXT},     {"revoked", TIME},     {"reason", NUMBER},
};
static const struct column evidence_columns[] = {
    {"issuer", TEXT},     {"serial", HEX},           {"type", TEXT},
    {"name", TEXT},       {"authorization", NUMBER}, {"checked", TIME},
    {"method", TEXT},     {"proved", TRUTH},         {"caa", TEXT},
    {"dnssec", TEXT},     {"perspectives", TEXT},    {"segment", NUMBER},
    {"position", NUMBER}, {"frame sha256", HEX},
};

struct packing {
    struct incident_pack *p;
    struct incident_pack_file *file;
    struct lt_buf line;
    struct lt_arena arena; /* of a row */
};

/* ---- cells: RFC 4180, and nothing that a spreadsheet would take for a formula ---- */

static void add_cell(struct packing *k, lt_slice text, bool first)
{
    bool quote = text.len > 0 && strchr("=+-@", text.ptr[0]) != NULL;
    bool formula = quote;
    for (size_t i = 0; i < text.len && !quote; i++) {
        quote = text.ptr[i] == '"' || text.ptr[i] == ',' || text.ptr[i] < 0x20;
    }
    lt_buf_add_cstr(&k->line, first ? "" : ",");
    if (!quote) {
        lt_buf_add(&k->line, text);
        return;
    }
    lt_buf_add_byte(&k->line, '"');
    lt_buf_add_cstr(&k->line, formula ? "'" : "");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') {
            lt_buf_add_byte(&k->line, '"');
        }
        lt_buf_add_byte(&k->line, text.ptr[i] < 0x20 && text.ptr[i] != '\n' ? ' ' : text.ptr[i]);
    }
    lt_buf_add_byte(&k->line, '"');
}

static void add_number(struct packing *k, int64_t n, bool first)
{
    lt_buf_addf(&k->line, "%s%lld", first ? "" : ",", (long long)n);
}

static void add_time(struct packing *k, int64_t us, bool first)
{
    char text[LT_RFC3339_SIZE] = "";
    if (us > 0) {
        lt_time_rfc3339((lt_time){us}, text);
    }
    lt_buf_addf(&k->line, "%s%s", first ? "" : ",", text);
}

static void add_column(struct packing *k, const struct store_rows *rows, int column, enum kind kind,
                       bool first)
{
    if (store_is_null(rows, column)) {
        lt_buf_add_cstr(&k->line, first ? "" : ",");
        return;
    }
    switch (kind) {
    case TEXT:
        add_cell(k, store_bytes(rows, column), first);
        break;
    case NUMBER:
        add_number(k, store_int(rows, column), first);
        break;
    case TIME:
        add_time(k, store_int(rows, column), first);
        break;
    case HEX:
        lt_buf_add_cstr(&k->line, first ? "" : ",");
        lt_hex_add(&k->line, store_bytes(rows, column));
        break;
    case TRUTH:
        lt_buf_add_cstr(&k->line, first ? "" : ",");
        lt_buf_add_cstr(&k->line, store_int(rows, column) != 0 ? "yes" : "no");
        break;
    }
}

/* ---- files ---- */

static lt_res begin(struct packing *k, const char *name, const char *what, const struct column *columns,
                    size_t count)
{
    struct incident_pack *p = k->p;
    LT_ASSERT(p->file_count < INCIDENT_PACK_FILES_MAX);
    k->file = &p->files[p->file_count++];
    *k->file = (struct incident_pack_file){.name = name, .what = what};
    LT_TRY(p->begin(p->self, name));
    lt_buf_reset(&k->line);
    for (size_t i = 0; i < count && columns[i].name != NULL; i++) {
        lt_buf_addf(&k->line, "%s%s", i == 0 ? "" : ",", columns[i].name);
    }
    lt_buf_add_cstr(&k->line, ",event,last event\n");
    return p->write(p->self, lt_buf_slice(&k->line));
}

static lt_res end_row(struct packing *k)
{
    lt_buf_add_byte(&k->line, '\n');
    LT_TRY(lt_buf_check(&k->line));
    k->file->rows++;
    if (k->p->progress != NULL && k->file->rows % 1000 == 0) {
        k->p->progress(k->p->self, k->file->name, k->file->rows);
    }
    return k->p->write(k->p->self, lt_buf_slice(&k->line));
}

/* "main 4711", or nothing. */
static lt_res add_found(struct packing *k, size_t statement, const struct store_value *values,
                        bool *ret_found)
{
    struct store_rows rows;
    char text[SUBJECT_MAX] = "";
    LT_TRY(store_query(k->p->store, &incident_pack_sql[statement], values, 3, &rows));
    *ret_found = store_next(&rows);
    if (*ret_found) {
        (void)snprintf(text, sizeof text, "%s %lld", store_cstr(&rows, 0), (long long)store_int(&rows, 1));
    }
    LT_TRY(store_rows_end(&rows));
    add_cell(k, lt_slice_cstr(text), false);
    return LT_OK;
}

/* The event that made the row, and the last of its family: "clock.opened", then "clock.met". A row without
 * the first is told all the same, and counted. */
static lt_res add_event(struct packing *k, const char *subject, const char *kind, const char *body)
{
    char family[SUBJECT_MAX];
    bool found = false;
    (void)snprintf(family, sizeof family, "%.*s.%%", (int)strcspn(kind, "."), kind); /* our own words */
    LT_TRY(add_found(k, SQL_EVENT, (struct store_value[]){STORE_S(subject), STORE_S(kind), STORE_S(body)},
                     &found));
    k->file->unproven += found ? 0 : 1;
    return add_found(k, SQL_LAST, (struct store_value[]){STORE_S(subject), STORE_S(family), STORE_S(body)},
                     &found);
}

static lt_res write_row(struct packing *k, size_t n, const struct store_rows *rows)
{
    lt_arena_reset(&k->arena);
    char *subject = lt_arena_cstr(&k->arena, store_bytes(rows, 0));
    char *body = lt_arena_cstr(&k->arena, store_bytes(rows, 1));
    LT_CHECK(subject != NULL && body != NULL, LT_PEER_TOO_LARGE, "a row is over the limit");
    lt_buf_reset(&k->line);
    for (size_t i = 0; i < COLUMNS_MAX && files[n].columns[i].name != NULL; i++) {
        add_column(k, rows, (int)i + 2, files[n].columns[i].kind, i == 0);
    }
    LT_TRY(add_event(k, subject, files[n].event, body));
    return end_row(k);
}

static lt_res write_file(struct packing *k, size_t n)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(begin(k, files[n].name, files[n].what, files[n].columns, COLUMNS_MAX));
    LT_TRY(store_query(k->p->store, &incident_pack_sql[SQL_FIRST + n],
                       STORE_ARGS(STORE_I(k->p->from.us), STORE_I(k->p->until.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = write_row(k, n, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* ---- the sample ---- */

static lt_res find_seed(struct packing *k)
{
    struct store_rows rows;
    struct incident_pack *p = k->p;
    LT_TRY(store_query(p->store, &incident_pack_sql[SQL_SEED], STORE_ARGS(STORE_I(p->until.us)), &rows));
    if (store_next(&rows) && store_bytes(&rows, 2).len == sizeof p->seed) {
        (void)snprintf(p->seed_event, sizeof p->seed_event, "%.60s %lld", store_cstr(&rows, 0),
                       (long long)store_int(&rows, 1));
        memcpy(p->seed, store_bytes(&rows, 2).ptr, sizeof p->seed);
    }
    return store_rows_end(&rows);
}

/* The first 8 bytes of SHA-256(seed ‖ issuer ‖ serial), as a number: the lowest are taken. */
static uint64_t draw(const struct incident_pack *p, int64_t issuer, lt_slice serial)
{
    struct crypto_stream s;
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint8_t id[8];
    uint64_t n = 0;
    for (unsigned i = 0; i < sizeof id; i++) {
        id[i] = (uint8_t)((uint64_t)issuer >> (56 - 8 * i));
    }
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, LT_SLICE(p->seed, sizeof p->seed));
    crypto_stream_add(&s, LT_SLICE(id, sizeof id));
    crypto_stream_add(&s, serial);
    crypto_stream_finish(&s, hash);
    crypto_stream_done(&s);
    for (unsigned i = 0; i < 8; i++) {
        n = n << 8 | hash[i];
    }
    return n;
}

struct sampled {
    int64_t issuer;
    uint8_t serial[32];
    size_t serial_len;
    char issuer_name[64];
};
enum { SAMPLED_STEP = 1024 };

/* Those that were drawn, for the second file. */
struct sample {
    struct sampled *list; /* in an arena of its own */
    size_t count;
    size_t room;
    struct lt_arena arena;
    uint64_t *draws; /* of every certificate of the period; the same arena */
    size_t draw_room;
    uint64_t highest; /* that is taken */
};

static lt_res keep(struct sample *s, const struct store_rows *rows)
{
    if (s->count == s->room) {
        size_t room = s->room == 0 ? SAMPLED_STEP : 2 * s->room;
        struct sampled *list = LT_NEW_ARRAY(&s->arena, struct sampled, room);
        LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "the sample is over the limit: take a smaller --sample");
        if (s->count > 0) {
            memcpy(list, s->list, s->count * sizeof *list);
        }
        s->list = list;
        s->room = room;
    }
    lt_slice serial = store_bytes(rows, 1);
    struct sampled *one = &s->list[s->count];
    one->issuer = store_int(rows, 0);
    one->serial_len = serial.len < sizeof one->serial ? serial.len : sizeof one->serial;
    memcpy(one->serial, serial.ptr, one->serial_len);
    (void)snprintf(one->issuer_name, sizeof one->issuer_name, "%s", store_cstr(rows, 2)); /* at most 63 */
    s->count++;
    return LT_OK;
}

static lt_res write_sampled(struct packing *k, struct sample *s, const struct store_rows *rows)
{
    LT_TRY(keep(s, rows));
    const struct sampled *one = &s->list[s->count - 1];
    char *subject = NULL;
    lt_arena_reset(&k->arena);
    subject = lt_arena_printf(&k->arena, "certificate %s %s", one->issuer_name,
                              lt_hex(&k->arena, LT_SLICE(one->serial, one->serial_len)));
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "a row is over the limit");
    lt_buf_reset(&k->line);
    add_cell(k, lt_slice_cstr(one->issuer_name), true);
    add_column(k, rows, 1, HEX, false);
    for (size_t i = 2; i < LT_COUNT(sample_columns); i++) {
        add_column(k, rows, (int)i + 1, sample_columns[i].kind, false);
    }
    LT_TRY(add_event(k, subject, "certificate.issued", "%"));
    return end_row(k);
}

static lt_res note(struct packing *k, struct sample *s, uint64_t n)
{
    size_t count = (size_t)k->p->issued;
    if (count == s->draw_room) {
        size_t room = count == 0 ? SAMPLED_STEP : 2 * count;
        uint64_t *draws = LT_NEW_ARRAY(&s->arena, uint64_t, room);
        LT_CHECK(draws != NULL, LT_PEER_TOO_LARGE, "too many certificates: take a shorter period");
        if (count > 0) {
            memcpy(draws, s->draws, count * sizeof *draws);
        }
        s->draws = draws;
        s->draw_room = room;
    }
    s->draws[k->p->issued++] = n;
    return LT_OK;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* How high one may draw, so that it is the part that was asked for, or the next whole certificate above it.
 *= CABF-BR 8.7 "randomly selected sample" */
static lt_res draw_all(struct packing *k, struct sample *s)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(k->p->store, &incident_pack_sql[SQL_DRAWN],
                       STORE_ARGS(STORE_I(k->p->from.us), STORE_I(k->p->until.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = note(k, s, draw(k->p, store_int(&rows, 0), store_bytes(&rows, 1)));
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    if (k->p->issued > 0) {
        uint64_t wanted = (k->p->issued * k->p->sample_ppm + PPM - 1) / PPM;
        qsort(s->draws, (size_t)k->p->issued, sizeof *s->draws, by_value);
        s->highest = s->draws[(wanted < k->p->issued ? wanted : k->p->issued) - 1];
    }
    return LT_OK;
}

static lt_res write_samples(struct packing *k, struct sample *s)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(k->p->store, &incident_pack_sql[SQL_CERTIFICATES],
                       STORE_ARGS(STORE_I(k->p->from.us), STORE_I(k->p->until.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        bool take = draw(k->p, store_int(&rows, 0), store_bytes(&rows, 1)) <= s->highest;
        r = take ? write_sampled(k, s, &rows) : LT_OK;
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* Names of the DNS stand in the book with their labels the other way round. */
static void add_name(struct packing *k, lt_slice type, lt_slice name)
{
    lt_buf_add_byte(&k->line, ',');
    if (!lt_slice_eq_cstr(type, "dns")) {
        lt_buf_add(&k->line, name);
        return;
    }
    for (size_t end = name.len; end > 0;) {
        size_t begin_at = end;
        while (begin_at > 0 && name.ptr[begin_at - 1] != '.') {
            begin_at--;
        }
        lt_buf_add(&k->line, lt_slice_sub(name, begin_at, end - begin_at));
        lt_buf_add_cstr(&k->line, begin_at > 0 ? "." : "");
        end = begin_at > 0 ? begin_at - 1 : 0;
    }
}

static lt_res write_proofs(struct packing *k, const struct sampled *one)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    lt_slice serial = LT_SLICE(one->serial, one->serial_len);
    LT_TRY(store_query(k->p->store, &incident_pack_sql[SQL_EVIDENCE],
                       STORE_ARGS(STORE_I(one->issuer), STORE_B(serial)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        char subject[SUBJECT_MAX];
        lt_buf_reset(&k->line);
        add_cell(k, lt_slice_cstr(one->issuer_name), true);
        lt_buf_add_byte(&k->line, ',');
        lt_hex_add(&k->line, serial);
        add_column(k, &rows, 0, TEXT, false);
        add_name(k, store_bytes(&rows, 0), store_bytes(&rows, 1));
        for (size_t i = 4; i < LT_COUNT(evidence_columns); i++) {
            add_column(k, &rows, (int)i - 2, evidence_columns[i].kind, false);
        }
        (void)snprintf(subject, sizeof subject, "authorization %lld", (long long)store_int(&rows, 2));
        r = add_event(k, subject, store_int(&rows, 5) != 0 ? "authorization.valid" : "authorization.invalid",
                      "%");
        r = lt_failed(r) ? r : end_row(k);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res write_certificates(struct packing *k, struct sample *s)
{
    LT_TRY(begin(k, "samples.csv", "certificates of the period, drawn by the seed", sample_columns,
                 LT_COUNT(sample_columns)));
    LT_TRY(draw_all(k, s));
    LT_TRY(write_samples(k, s));
    LT_TRY(begin(k, "evidence.csv", "what was seen of each name of these, and where the frame of it lies",
                 evidence_columns, LT_COUNT(evidence_columns)));
    for (size_t i = 0; i < s->count; i++) {
        LT_TRY(write_proofs(k, &s->list[i]));
    }
    return LT_OK;
}

lt_res incident_pack(struct incident_pack *p)
{
    enum { SAMPLE_ARENA_MAX = 1024 * 1024 * 1024 };
    struct packing k = {.p = p};
    struct sample s = {.count = 0};
    lt_buf_init(&k.line, ROW_MAX);
    lt_arena_init(&k.arena, ARENA_MAX);
    lt_arena_init(&s.arena, SAMPLE_ARENA_MAX);
    lt_res r = find_seed(&k);
    r = lt_failed(r) ? r : write_certificates(&k, &s);
    for (size_t n = 0; n < LT_COUNT(files) && !lt_failed(r); n++) {
        r = write_file(&k, n);
    }
    lt_buf_done(&k.line);
    lt_arena_done(&k.arena);
    lt_arena_done(&s.arena);
    return r;
}
