/* Triggers that look at findings, keys, stops, rates and contacts: 4, 12, 13, 20 to 23. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/book.h"
#include "incident/watch_private.h"

static const struct store_sql sql[] = {
    {"watch.findings",
     "SELECT rule, issuer, serial, result FROM certificate_finding WHERE (rule, issuer, serial) > "
     "(?1, ?2, ?3) AND copy = 0 ORDER BY rule, issuer, serial LIMIT 250"},
    {"watch.findings-of",
     "SELECT issuer, serial FROM certificate_finding WHERE rule = ?1 AND (issuer, serial) > "
     "(?2, ?3) AND copy = 0 ORDER BY issuer, serial LIMIT 250"},
    {"watch.last-event", "SELECT time_us FROM event WHERE kind = ?1 ORDER BY time_us DESC LIMIT 1"},
    {"watch.before",
     "SELECT not_after_us FROM certificate WHERE issued_us < ?1 ORDER BY issued_us DESC LIMIT 1"},
    {"watch.blocked",
     "SELECT spki_sha256, blocked_us FROM key_block WHERE spki_sha256 > ?1 ORDER BY spki_sha256 "
     "LIMIT 250"},
    {"watch.of-key",
     "SELECT issuer, serial FROM certificate WHERE spki_sha256 = ?1 AND not_after_us > ?2 LIMIT 100"},
    {"watch.after",
     "SELECT serial, issued_us, sequence, profile FROM certificate WHERE issuer = ?1 AND serial > ?2 "
     "ORDER BY serial LIMIT 250"},
    {"watch.validations", "SELECT e.ok, d.method FROM evidence e JOIN dimension d ON d.id = e.dimension "
                          "WHERE e.authorization_id < ?1 ORDER BY e.authorization_id DESC LIMIT 1000"},
    {"watch.sample", "SELECT issuer, serial, not_after_us FROM certificate WHERE issued_us <= ?1 "
                     "ORDER BY issued_us DESC LIMIT 250"},
    {"watch.polled", "SELECT 1 FROM certificate_poll WHERE issuer = ?1 AND serial = ?2"},
    {"watch.contacts", "SELECT account, address, bounced_us, verified_us, bounce FROM contact WHERE "
                       "(account, address) > (?1, ?2) ORDER BY account, address LIMIT 250"},
    {"watch.facts",
     "SELECT name, value, at_us FROM watch_fact WHERE name > ?1 AND name < ?2 ORDER BY name LIMIT 100"},
};
enum {
    SQL_FINDINGS,
    SQL_FINDINGS_OF,
    SQL_LAST_EVENT,
    SQL_BEFORE,
    SQL_BLOCKED,
    SQL_OF_KEY,
    SQL_AFTER,
    SQL_VALIDATIONS,
    SQL_SAMPLE,
    SQL_POLLED,
    SQL_CONTACTS,
    SQL_FACTS,
};
const struct incident_sql watch_book_sql = {sql, LT_COUNT(sql)};

enum { DAY = 86400, SERIAL_MAX = 20, EPOCH_2020_S = 1577836800 };

/* Rules of the linter about classes of weak keys: trigger 13, and so not 4. */
static const char *const weak_rules[] = {"e_rsa_fermat_factorization", "lintel_br_key_debian",
                                         "lintel_br_key_roca", "lintel_smime_weak_key"};

static bool is_weak_rule(const char *rule)
{
    for (size_t i = 0; i < LT_COUNT(weak_rules); i++) {
        if (strcmp(weak_rules[i], rule) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res page_of(struct watch_look *look, const struct store_sql *q, const struct store_value *values,
                      size_t count, bool rules, struct watch_seen *list, size_t *ret_count)
{
    struct lt_arena *a = look->t->arena;
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(look->t->store, q, values, count, &rows));
    while (n < WATCH_SLICE && store_next(&rows)) {
        int at = rules ? 1 : 0;
        list[n] = (struct watch_seen){.issuer = store_int(&rows, at),
                                      .serial = lt_arena_copy(a, store_bytes(&rows, at + 1)),
                                      .rule = rules ? lt_arena_cstr(a, store_bytes(&rows, 0)) : "",
                                      .result = rules ? lt_arena_cstr(a, store_bytes(&rows, 3)) : ""};
        LT_ASSERT(list[n].rule != NULL && list[n].result != NULL);
        n++;
    }
    *ret_count = n;
    look->looked += (int64_t)n;
    return store_rows_end(&rows);
}

static struct watch_seen *room(struct watch_look *look)
{
    struct watch_seen *list = LT_NEW_ARRAY(look->t->arena, struct watch_seen, WATCH_SLICE);
    LT_ASSERT(list != NULL);
    return list;
}

lt_res watch_place_serial(struct watch_look *look, char word[100], int64_t *ret_number, lt_slice *ret_serial)
{
    char hex[2 * SERIAL_MAX + 1] = "";
    long long number = 0;
    word[0] = '\0';
    (void)sscanf(look->place, "%99s %lld %40s", word, &number, hex); /* an empty place is the beginning */
    *ret_number = number;
    *ret_serial = LT_LIT("");
    return hex[0] == '\0' ? LT_OK : lt_unhex(look->t->arena, lt_slice_cstr(hex), ret_serial);
}

void watch_place_serial_write(struct watch_look *look, const char *word, const struct watch_seen *last)
{
    char *hex = lt_hex(look->t->arena, last->serial);
    LT_ASSERT(hex != NULL);
    (void)snprintf(look->place, sizeof look->place, "%s %lld %s", word, (long long)last->issuer, hex);
}

static lt_res last_event(struct watch_look *look, const char *kind, int64_t *ret_us)
{
    struct store_rows rows;
    LT_TRY(store_query(look->t->store, &sql[SQL_LAST_EVENT], STORE_ARGS(STORE_S(kind)), &rows));
    *ret_us = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

/* New rules of the linter, certificates from before them that are good still, and no look for a day. */
static lt_res rules_not_applied(struct watch_look *look)
{
    struct store_rows rows;
    int64_t rules_us = 0;
    int64_t audit_us = 0;
    LT_TRY(last_event(look, "lint.rules", &rules_us));
    LT_TRY(last_event(look, "lint.audit", &audit_us));
    if (rules_us == 0 || audit_us >= rules_us || look->t->now.us - rules_us < DAY * LT_US_PER_SECOND) {
        return LT_OK;
    }
    LT_TRY(store_query(look->t->store, &sql[SQL_BEFORE], STORE_ARGS(STORE_I(rules_us)), &rows));
    bool older = store_next(&rows) && store_int(&rows, 0) > look->t->now.us;
    LT_TRY(store_rows_end(&rows));
    return older ? watch_found(look, "lint.rules",
                               "the linter's rules are new, and issued certificates were not "
                               "judged by them: lintel lint --inventory")
                 : LT_OK;
}

lt_res watch_lint(struct watch_look *look)
{
    char rule[100];
    int64_t issuer = 0;
    lt_slice serial;
    size_t count = 0;
    struct watch_seen *list = room(look);
    if (look->place[0] == '\0') {
        LT_TRY(rules_not_applied(look));
    }
    LT_TRY(watch_place_serial(look, rule, &issuer, &serial));
    LT_TRY(page_of(look, &sql[SQL_FINDINGS], STORE_ARGS(STORE_S(rule), STORE_I(issuer), STORE_B(serial)),
                   true, list, &count));
    for (size_t i = 0; i < count; i++) {
        bool live = false;
        bool bad = strcmp(list[i].result, "error") == 0 || strcmp(list[i].result, "fatal") == 0;
        if (bad && !is_weak_rule(list[i].rule)) {
            LT_TRY(watch_live(look, list[i].issuer, list[i].serial, &live));
        }
        if (live) {
            LT_TRY(watch_found(look, watch_certificate(look, list[i].issuer, list[i].serial), "%s: %s",
                               list[i].rule, list[i].result));
        }
    }
    look->done = count < WATCH_SLICE;
    if (!look->done) {
        watch_place_serial_write(look, list[count - 1].rule, &list[count - 1]);
    }
    return LT_OK;
}

/* Facts "PREFIX…": most of them fit in one slice. */
typedef lt_res each_fact(struct watch_look *look, const char *name, const char *value, lt_time at);
static lt_res facts(struct watch_look *look, const char *prefix, const char *end, each_fact *each)
{
    struct fact {
        const char *name;
        const char *value;
        lt_time at;
    } *list = LT_NEW_ARRAY(look->t->arena, struct fact, WATCH_FACT_MAX);
    struct store_rows rows;
    size_t count = 0;
    size_t skip = strlen(prefix);
    LT_ASSERT(list != NULL);
    LT_TRY(store_query(look->t->store, &sql[SQL_FACTS], STORE_ARGS(STORE_S(prefix), STORE_S(end)), &rows));
    while (count < WATCH_FACT_MAX && store_next(&rows)) {
        list[count].name = lt_arena_cstr(look->t->arena, store_bytes(&rows, 0));
        list[count].value = lt_arena_cstr(look->t->arena, store_bytes(&rows, 1));
        list[count].at.us = store_int(&rows, 2);
        LT_ASSERT(list[count].name != NULL && list[count].value != NULL);
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    look->looked += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        LT_TRY(each(look, list[i].name + skip, list[i].value, list[i].at));
    }
    return LT_OK;
}

static lt_res weak_class(struct watch_look *look, const char *name, const char *value, lt_time at)
{
    char when[LT_RFC3339_SIZE];
    lt_time_rfc3339(at, when);
    return strncmp(value, "swept", 5) == 0
               ? LT_OK
               : watch_found(look, name,
                             "this class of keys was declared at %s, and nobody has looked for it", when);
}

lt_res watch_weak_key(struct watch_look *look)
{
    char word[100];
    int64_t issuer = 0;
    lt_slice serial;
    size_t count = 0;
    uint64_t rule = 0;
    struct watch_seen *list = room(look);
    if (look->place[0] == '\0') {
        LT_TRY(facts(look, "weak-class/", "weak-class0", weak_class));
    }
    LT_TRY(watch_place_serial(look, word, &issuer, &serial));
    LT_TRY(word[0] == '\0' ? LT_OK : lt_parse_u64(lt_slice_cstr(word), LT_COUNT(weak_rules) - 1, &rule));
    LT_TRY(page_of(look, &sql[SQL_FINDINGS_OF],
                   STORE_ARGS(STORE_S(weak_rules[rule]), STORE_I(issuer), STORE_B(serial)), false, list,
                   &count));
    for (size_t i = 0; i < count; i++) {
        bool live = false;
        LT_TRY(watch_live(look, list[i].issuer, list[i].serial, &live));
        if (live) {
            LT_TRY(watch_found(look, watch_certificate(look, list[i].issuer, list[i].serial), "%s",
                               weak_rules[rule]));
        }
    }
    if (count == WATCH_SLICE) {
        (void)snprintf(word, sizeof word, "%u", (unsigned)rule);
        watch_place_serial_write(look, word, &list[count - 1]);
        return LT_OK;
    }
    look->done = rule + 1 == LT_COUNT(weak_rules);
    (void)snprintf(look->place, sizeof look->place, "%u", (unsigned)rule + 1);
    return LT_OK;
}

/* ---- keys ---- */

enum { REVOKING_S = 600 }; /* what was blocked just now is being revoked */

static lt_res live_with_key(struct watch_look *look, lt_slice spki)
{
    size_t count = 0;
    struct watch_seen *list = room(look);
    LT_TRY(page_of(look, &sql[SQL_OF_KEY], STORE_ARGS(STORE_B(spki), STORE_I(look->t->now.us)), false, list,
                   &count));
    for (size_t i = 0; i < count; i++) {
        bool live = false;
        LT_TRY(watch_live(look, list[i].issuer, list[i].serial, &live));
        if (live) {
            LT_TRY(watch_found(look, watch_certificate(look, list[i].issuer, list[i].serial),
                               "its key was blocked, and it was not revoked"));
        }
    }
    return LT_OK;
}

lt_res watch_blocked_key(struct watch_look *look)
{
    struct store_rows rows;
    lt_slice at = LT_LIT("");
    lt_slice *keys = LT_NEW_ARRAY(look->t->arena, lt_slice, WATCH_SLICE);
    size_t count = 0;
    size_t seen = 0;
    LT_ASSERT(keys != NULL);
    LT_TRY(look->place[0] == '\0' ? LT_OK : lt_unhex(look->t->arena, lt_slice_cstr(look->place), &at));
    LT_TRY(store_query(look->t->store, &sql[SQL_BLOCKED], STORE_ARGS(STORE_B(at)), &rows));
    while (seen < WATCH_SLICE && store_next(&rows)) {
        at = lt_arena_copy(look->t->arena, store_bytes(&rows, 0));
        seen++;
        if (store_int(&rows, 1) <= lt_time_add_seconds(look->t->now, -REVOKING_S).us) {
            keys[count++] = at;
        }
    }
    LT_TRY(store_rows_end(&rows));
    look->looked += (int64_t)seen;
    for (size_t i = 0; i < count; i++) {
        LT_TRY(live_with_key(look, keys[i]));
    }
    look->done = seen < WATCH_SLICE;
    if (!look->done) {
        (void)snprintf(look->place, sizeof look->place, "%s", lt_hex(look->t->arena, at));
    }
    return LT_OK;
}

/* ---- after a stop ---- */

/* Who has stopped still answers for what is good, and serves its own pages. */
static bool for_subscribers(const struct ca_book *b, int64_t profile)
{
    for (size_t i = 0; i < b->row_count; i++) {
        if (b->rows[i].id == profile) {
            return b->rows[i].profile->kind == CA_PROFILE_SUBSCRIBER;
        }
    }
    return true;
}

/* Our serials begin with the second in which they were drawn, so what came later is a range of the key. */
static lt_res issued_after(struct watch_look *look, const struct ca_issuer *issuer, lt_time stop,
                           const char *why)
{
    struct store_rows rows;
    uint8_t prefix[4];
    int64_t second = lt_time_seconds(stop) - EPOCH_2020_S;
    const char *subject = NULL;
    if (second < 0 || second > UINT32_MAX) {
        return LT_OK;
    }
    for (size_t i = 0; i < sizeof prefix; i++) {
        prefix[i] = (uint8_t)(second >> (8 * (3 - i)));
    }
    LT_TRY(store_query(look->t->store, &sql[SQL_AFTER],
                       STORE_ARGS(STORE_I(issuer->id), STORE_B(LT_SLICE(prefix, sizeof prefix))), &rows));
    while (store_next(&rows)) {
        look->looked++;
        if (subject == NULL && store_int(&rows, 2) > 0 && store_int(&rows, 1) > stop.us &&
            for_subscribers(look->t->book, store_int(&rows, 3))) {
            subject = watch_certificate(look, issuer->id, store_bytes(&rows, 0));
        }
    }
    LT_TRY(store_rows_end(&rows));
    look->issuer = issuer->name;
    return subject == NULL ? LT_OK : watch_found(look, subject, "issuer %s: %s", issuer->name, why);
}

static lt_res stopped_fact(struct watch_look *look, const char *name, const char *value, lt_time at)
{
    const struct ca_book *b = look->t->book;
    lt_time stop = at;
    (void)lt_failed(lt_time_parse_or_day(lt_slice_cstr(value), &stop)); /* words: since it was stated */
    for (size_t i = 0; i < b->issuer_count; i++) {
        if (strcmp(name, "all") == 0 || strcmp(name, b->issuers[i].name) == 0) {
            LT_TRY(issued_after(look, &b->issuers[i], stop, "it had declared that it stopped issuing"));
        }
    }
    return LT_OK;
}

enum { IN_FLIGHT_S = 15 }; /* what had been sent to the signer before a halt may still come back */

lt_res watch_stopped(struct watch_look *look)
{
    const struct ca_book *b = look->t->book;
    LT_TRY(facts(look, "stopped/", "stopped0", stopped_fact));
    for (size_t k = 0; k < b->halt_count; k++) {
        const Ipc__Halt *h = b->halts[k];
        bool all = h->kind == IPC__HALT_KIND__HALT_ALL;
        for (size_t i = 0; i < b->issuer_count; i++) {
            bool of = h->kind == IPC__HALT_KIND__HALT_ISSUER && strcmp(h->value, b->issuers[i].name) == 0;
            if (all || of) {
                LT_TRY(issued_after(look, &b->issuers[i],
                                    lt_time_add_seconds((lt_time){h->since_us}, IN_FLIGHT_S),
                                    "it is halted"));
            }
        }
    }
    look->done = true;
    return LT_OK;
}

/* ---- rates ---- */

enum { METHODS_MAX = 16, SAMPLE_LEAST = 50, STEP_PERCENT = 20 };
struct rates {
    const char *methods[METHODS_MAX];
    int64_t tried[METHODS_MAX];
    int64_t good[METHODS_MAX];
    size_t count;
};

static size_t method_of(struct watch_look *look, struct rates *r, const char *method)
{
    size_t i = 0;
    while (i < r->count && strcmp(r->methods[i], method) != 0) {
        i++;
    }
    if (i == r->count && i < METHODS_MAX) {
        r->methods[i] = lt_arena_cstr(look->t->arena, lt_slice_cstr(method));
        LT_ASSERT(r->methods[i] != NULL);
        r->count++;
    }
    return i;
}

static lt_res rates_before(struct watch_look *look, int64_t id, struct rates *ret_rates)
{
    struct store_rows rows;
    *ret_rates = (struct rates){.count = 0};
    LT_TRY(store_query(look->t->store, &sql[SQL_VALIDATIONS], STORE_ARGS(STORE_I(id)), &rows));
    while (store_next(&rows)) {
        size_t i = method_of(look, ret_rates, store_cstr(&rows, 1));
        if (i < METHODS_MAX) {
            ret_rates->tried[i]++;
            ret_rates->good[i] += store_int(&rows, 0) != 0;
        }
        look->looked++;
    }
    return store_rows_end(&rows);
}

lt_res watch_success_rate(struct watch_look *look)
{
    struct rates now;
    struct rates then;
    LT_TRY(rates_before(look, INT64_MAX, &now));
    LT_TRY(rates_before(look, ca_id_from(lt_time_add_seconds(look->t->now, -DAY)), &then));
    for (size_t i = 0; i < now.count; i++) {
        size_t k = method_of(look, &then, now.methods[i]);
        if (k >= METHODS_MAX || now.tried[i] < SAMPLE_LEAST || then.tried[k] < SAMPLE_LEAST) {
            continue;
        }
        int64_t a = now.good[i] * 100 / now.tried[i];
        int64_t b = then.good[k] * 100 / then.tried[k];
        if (a - b >= STEP_PERCENT || b - a >= STEP_PERCENT) {
            LT_TRY(watch_found(look, now.methods[i],
                               "%lld %% of the last %lld succeeded, %lld %% a day before", (long long)a,
                               (long long)now.tried[i], (long long)b));
        }
    }
    look->done = true;
    return LT_OK;
}

lt_res watch_ari(struct watch_look *look)
{
    const char *plan = NULL;
    lt_time stated;
    uint64_t wanted = 0;
    size_t count = 0;
    int64_t polled = 0;
    struct watch_seen *list = room(look);
    look->done = true;
    LT_TRY(watch_fact(look->t, "plan/ari-coverage", &plan, &stated));
    if (lt_failed(lt_parse_u64(lt_slice_cstr(plan), 100, &wanted))) {
        return LT_OK; /* no plan */
    }
    LT_TRY(page_of(look, &sql[SQL_SAMPLE], STORE_ARGS(STORE_I(lt_time_add_seconds(look->t->now, -DAY).us)),
                   false, list, &count));
    for (size_t i = 0; i < count; i++) {
        struct store_rows rows;
        LT_TRY(store_query(look->t->store, &sql[SQL_POLLED],
                           STORE_ARGS(STORE_I(list[i].issuer), STORE_B(list[i].serial)), &rows));
        polled += store_next(&rows);
        LT_TRY(store_rows_end(&rows));
    }
    int64_t percent = count == 0 ? 100 : polled * 100 / (int64_t)count;
    return count < SAMPLE_LEAST || percent >= (int64_t)wanted
               ? LT_OK
               : watch_found(look, "renewal information",
                             "%lld %% of the last %zu certificates were asked for, %llu %% "
                             "are planned",
                             (long long)percent, count, (unsigned long long)wanted);
}

lt_res watch_bounced(struct watch_look *look)
{
    struct bounced {
        int64_t account;
        const char *address;
        const char *words;
        bool bad;
    } *list = LT_NEW_ARRAY(look->t->arena, struct bounced, WATCH_SLICE);
    struct store_rows rows;
    char address[WATCH_PLACE_MAX] = "";
    long long account = 0;
    size_t count = 0;
    LT_ASSERT(list != NULL);
    (void)sscanf(look->place, "%lld %199s", &account, address); /* an empty place is the beginning */
    LT_TRY(store_query(look->t->store, &sql[SQL_CONTACTS], STORE_ARGS(STORE_I(account), STORE_S(address)),
                       &rows));
    while (count < WATCH_SLICE && store_next(&rows)) {
        list[count].account = store_int(&rows, 0);
        list[count].address = lt_arena_cstr(look->t->arena, store_bytes(&rows, 1));
        list[count].bad = store_int(&rows, 2) > store_int(&rows, 3);
        list[count].words = lt_arena_cstr(look->t->arena, lt_slice_sub(store_bytes(&rows, 4), 0, 100));
        LT_ASSERT(list[count].address != NULL && list[count].words != NULL);
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    look->looked += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        if (list[i].bad) {
            char subject[WATCH_SUBJECT_MAX];
            (void)snprintf(subject, sizeof subject, "account %lld %.100s", (long long)list[i].account,
                           list[i].address);
            LT_TRY(watch_found(look, subject, "%s", list[i].words));
        }
    }
    look->done = count < WATCH_SLICE;
    if (!look->done) {
        (void)snprintf(look->place, sizeof look->place, "%lld %.150s", (long long)list[count - 1].account,
                       list[count - 1].address);
    }
    return LT_OK;
}
