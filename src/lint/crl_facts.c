/* One pass over the entries of a CRL. */
#include "lint/crl_facts.h"

#include <string.h>

#include "base/clock.h"
#include "lint/lint.h"

/* One entry, as far as it goes. */
struct entry {
    lt_slice whole;
    lt_slice serial;
    lt_time revoked;
    bool generalized;
    lt_slice extensions; /* content */
    bool has_reason;
    uint32_t reason; /* of several the last, as zlint has it */
    bool has_extensions;
};

static void first(lt_slice *fact, lt_slice entry)
{
    if (fact->len == 0) {
        *fact = entry;
    }
}

/* Each type is compared with those before it: with so many of them at most. */
struct types {
    lt_slice list[X509_EXTENSIONS_MAX];
    size_t count;
};

static void type_see(lt_slice id, struct types *seen, const struct entry *e, struct lint_crl_facts *f)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (lt_slice_eq(seen->list[i], id)) {
            first(&f->extension_twice, e->whole);
            return;
        }
    }
    if (seen->count == LT_COUNT(seen->list)) {
        first(&f->extensions_many, e->whole);
        return;
    }
    seen->list[seen->count++] = id;
}

static void reason_read(lt_slice value, struct entry *e, struct lint_crl_facts *f)
{
    struct der_cursor c = der_open(value);
    lt_slice n = der_read(&c, DER_ENUMERATED);
    e->has_reason = der_ok(&c) && n.len > 0;
    e->reason = e->has_reason && n.len == 1 ? n.ptr[0] : UINT32_MAX;
    if (!e->has_reason && f->broken.len == 0) {
        f->broken = e->whole;
        f->broken_by = "reasonCode is no ENUMERATED";
    }
}

static void reason_see(const struct entry *e, struct lint_crl_facts *f)
{
    size_t slot = e->reason < LINT_CRL_REASONS - 1 ? e->reason : LINT_CRL_REASONS - 1;
    if (slot == LINT_CRL_REASONS - 1 && f->reason[slot].len == 0) {
        f->reason_beyond = e->reason;
    }
    first(&f->reason[slot], e->whole);
}

static void invalidity_see(lt_slice value, const struct entry *e, struct lint_crl_facts *f)
{
    struct der_cursor c = der_open(value);
    (void)der_generalized_time(&c); /* sticky in the cursor */
    if (!der_ok(&c) || der_more(&c)) {
        first(&f->invalidity_wrong, e->whole);
    }
}

static void extension_see(struct der_cursor *x, struct entry *e, struct types *seen, struct lint_crl_facts *f)
{
    lt_slice id = der_oid(x);
    enum x509_oid oid = x509_oid_find(id);
    lt_slice flag = {0};
    bool critical = der_optional(x, DER_BOOLEAN, &flag) && flag.len > 0 && flag.ptr[0] != 0;
    lt_slice value = der_octets(x);
    if (!der_ok(x)) {
        return;
    }
    type_see(id, seen, e, f);
    if (oid != X509_OID_REASON_CODE && f->extension_other.len == 0) {
        f->extension_other = e->whole;
        f->extension_other_id = id;
    }
    if (oid == X509_OID_REASON_CODE) {
        reason_read(value, e, f);
        first(&f->reason_critical, critical ? e->whole : (lt_slice){0});
    } else if (oid == X509_OID_INVALIDITY_DATE) {
        invalidity_see(value, e, f);
        first(&f->invalidity_critical, critical ? e->whole : (lt_slice){0});
    } else if (oid == X509_OID_CERTIFICATE_ISSUER) {
        first(&f->issuer, e->whole);
        first(&f->issuer_not_critical, critical ? (lt_slice){0} : e->whole);
    } else if (critical) {
        first(&f->unknown_critical, e->whole);
    }
}

static void extensions_see(struct der_cursor *entry, struct entry *e, struct types *seen,
                           struct lint_crl_facts *f)
{
    seen->count = 0;
    struct der_cursor list = der_into(entry, e->extensions);
    if (e->has_extensions && e->extensions.len == 0) {
        first(&f->extensions_empty, e->whole);
    }
    while (der_more(&list)) {
        struct der_cursor x = der_enter(&list, DER_SEQUENCE);
        extension_see(&x, e, seen, f);
        der_leave(&list, &x);
    }
    if (e->has_reason) {
        reason_see(e, f);
    } else {
        first(&f->reason_absent, e->whole);
    }
    der_leave(entry, &list);
}

static void time_read(struct der_cursor *c, struct entry *e)
{
    e->generalized = der_is_next(c, DER_GENERALIZED_TIME);
    e->revoked = e->generalized ? der_generalized_time(c) : der_time(c);
}

/* The next entry; one that does not decode has no serial. seen and f are NULL when its serial is all that
 * counts. */
static bool entry_next(struct der_cursor *list, struct entry *e, struct types *seen, struct lint_crl_facts *f)
{
    *e = (struct entry){0};
    if (!der_more(list)) {
        return false;
    }
    struct der_cursor ahead = *list;
    e->whole = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor c = der_enter(list, DER_SEQUENCE);
    e->serial = der_integer(&c);
    time_read(&c, e);
    e->has_extensions = der_optional(&c, DER_SEQUENCE, &e->extensions);
    if (f != NULL && seen != NULL) {
        extensions_see(&c, e, seen, f);
        if (!der_ok(&c) && f->broken.len == 0) {
            f->broken = e->whole;
            f->broken_by = c.why;
        }
    }
    e->serial = der_ok(&c) ? e->serial : (lt_slice){0};
    return der_ok(list);
}

/* What is broken but readable goes on. */
static struct der_cursor entries_open(const struct x509_crl *crl, struct der_notes *scratch)
{
    struct der_cursor c = der_open(crl->entries);
    c.notes = scratch;
    return c;
}

static void entry_see(const struct entry *e, const struct x509_crl *crl, struct lint_crl_facts *f)
{
    static const int64_t rfc2459 = LINT_DAY(1999, 1, 1) * LT_SECONDS_PER_DAY;
    static const int64_t year_2050 = LINT_DAY(2050, 1, 1) * LT_SECONDS_PER_DAY;
    if (e->serial.len == 0) {
        return;
    }
    int64_t seconds = lt_time_seconds(e->revoked);
    if (e->revoked.us > crl->this_update.us) {
        first(&f->after_this_update, e->whole);
    }
    if (seconds < rfc2459) {
        first(&f->before_1999, e->whole);
    }
    if (e->generalized && seconds < year_2050) {
        first(&f->wrong_time, e->whole);
    }
    if ((e->serial.ptr[0] & 0x80) != 0 || (e->serial.len == 1 && e->serial.ptr[0] == 0)) {
        first(&f->serial_not_positive, e->whole);
    }
    if (e->serial.len > 20) {
        first(&f->serial_long, e->whole);
    }
}

static bool ascends(lt_slice before, lt_slice serial)
{
    return before.len != serial.len ? before.len < serial.len
                                    : memcmp(before.ptr, serial.ptr, serial.len) < 0;
}

/* FNV-1a. */
static uint32_t hash_of(lt_slice s)
{
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < s.len; i++) {
        h = (h ^ s.ptr[i]) * 16777619U;
    }
    return h ^ h >> 15;
}

/* Open addressing over the places of the serials in the list (place + 1; 0 is free). */
struct serials {
    uint32_t *slots; /* in the arena */
    uint32_t mask;
    size_t probes_left; /* numbers made to collide do not hold the rest up */
    lt_slice entries;
};

static lt_slice serial_at(const struct serials *t, uint32_t place)
{
    struct der_cursor c = der_open(lt_slice_sub(t->entries, place, t->entries.len - place));
    return der_read(&c, DER_INTEGER);
}

/* false: it stood there already. */
static bool serial_add(struct serials *t, lt_slice serial)
{
    uint32_t place = (uint32_t)(serial.ptr - t->entries.ptr) - 2; /* its tag: no serial has a long length */
    for (uint32_t i = hash_of(serial) & t->mask; t->probes_left > 0; i = (i + 1) & t->mask) {
        t->probes_left--;
        if (t->slots[i] == 0) {
            t->slots[i] = place + 1;
            return true;
        }
        if (lt_slice_eq(serial_at(t, t->slots[i] - 1), serial)) {
            return false;
        }
    }
    return true;
}

static void serials_compare(const struct x509_crl *crl, struct lt_arena *a, struct lint_crl_facts *f)
{
    enum { SLOTS_MAX = 1 << 24, PROBES = 16, SERIAL_MAX = 100 };
    size_t size = 16;
    while (size < 2 * f->count && size < SLOTS_MAX) {
        size *= 2;
    }
    uint32_t *slots = f->count < SLOTS_MAX / 2 && crl->entries.len < UINT32_MAX
                          ? LT_NEW_ARRAY(a, uint32_t, size)
                          : NULL;
    f->serials_not_compared = slots == NULL;
    if (slots == NULL) {
        return;
    }
    struct serials table = {slots, (uint32_t)size - 1, PROBES * f->count, crl->entries};
    struct der_notes scratch = {.count = 0};
    struct der_cursor list = entries_open(crl, &scratch);
    struct entry e;
    while (entry_next(&list, &e, NULL, NULL)) {
        if (e.serial.len > 0 && e.serial.len < SERIAL_MAX && !serial_add(&table, e.serial)) {
            first(&f->serial_twice, e.whole);
            return;
        }
    }
    f->serials_not_compared = table.probes_left == 0;
}

/* Is the list there? Only its bytes say when it is empty. */
static bool list_is_there(const struct x509_crl *crl)
{
    struct der_cursor c = der_open(crl->tbs);
    struct der_cursor tbs = der_enter(&c, DER_SEQUENCE);
    lt_slice skipped = {0};
    (void)der_optional(&tbs, DER_INTEGER, &skipped); /* version 1 has none */
    (void)der_read(&tbs, DER_SEQUENCE);
    (void)der_read(&tbs, DER_SEQUENCE);
    for (int i = 0; i < 2; i++) {
        if (!der_optional(&tbs, DER_UTC_TIME, &skipped)) {
            (void)der_optional(&tbs, DER_GENERALIZED_TIME, &skipped); /* nextUpdate may be missing */
        }
    }
    return der_is_next(&tbs, DER_SEQUENCE);
}

/* The next one; false at the end. */
static bool reading_next(struct lint_crl_reading *r, struct entry *e, struct types *seen)
{
    if (!entry_next(&r->list, e, seen, r->facts)) {
        return false;
    }
    r->facts->count++;
    entry_see(e, r->crl, r->facts);
    return true;
}

void lint_crl_facts_begin(struct lint_crl_reading *r, const struct x509_crl *crl,
                          struct lint_crl_facts *facts)
{
    *facts = (struct lint_crl_facts){.list_there = list_is_there(crl)};
    r->crl = crl;
    r->facts = facts;
    r->scratch = (struct der_notes){.count = 0};
    r->list = entries_open(crl, &r->scratch);
}

bool lint_crl_facts_step(struct lint_crl_reading *r, size_t most)
{
    struct entry e;
    struct types seen = {.count = 0};
    for (size_t i = 0; i < most; i++) {
        if (!reading_next(r, &e, &seen)) {
            return false;
        }
    }
    return true;
}

void lint_crl_facts_find(const struct x509_crl *crl, struct lt_arena *a, struct lint_crl_facts *ret)
{
    struct lint_crl_reading r;
    struct entry e;
    struct types seen = {.count = 0};
    lt_slice before = {0};
    bool ascending = true;
    lint_crl_facts_begin(&r, crl, ret);
    while (reading_next(&r, &e, &seen)) {
        ascending = ascending && e.serial.len > 0 && (before.len == 0 || ascends(before, e.serial));
        before = e.serial;
    }
    if (!ascending) {
        serials_compare(crl, a, ret);
    }
}
