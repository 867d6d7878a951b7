/* See case.h: which certificates, version by version, and which of them a court keeps from being revoked. */
#include <string.h>

#include "base/text.h"
#include "ca/hold.h"
#include "ca/scope_book.h"
#include "incident/case_internal.h"
#include "incident/clock.h"

static const struct store_sql sql[] = {
    {"incident.scope-add",
     "INSERT INTO incident_scope (incident, version, text, sha256, as_of_us, count, members_sha256, "
     "detected_us, wrong, avoided, saved_us, saved_by) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
};
enum { SQL_ADD };
const struct incident_sql incident_case_scope_sql = {sql, LT_COUNT(sql)};

enum { HASH_LEN = 32, SERIAL_MAX = 20 };

/* ---- scopes ---- */

struct version {
    int64_t number;
    const char *text;
    lt_slice sha256;
    lt_slice members_sha256;
    int64_t as_of_us;
    int64_t count;
    int64_t detected_us; /* of a correction */
    int64_t count_before;
};

/* A number that was said and turns out to be wrong is corrected in public, with these three. */
static lt_res check_correction(struct incident_call *c, struct version *v)
{
    LT_CHECK(
        incident_text(c, "wrong")[0] != 0 && incident_text(c, "avoided")[0] != 0, LT_PEER_MALFORMED,
        "version %lld corrects one of %lld certificates: \"wrong\" (why it was) and \"avoided\" (how that "
        "will not happen again) are wanted",
        (long long)v->number, (long long)v->count_before);
    v->detected_us = incident_given(c, "detected") ? incident_number(c, "detected") : c->t->now.us;
    LT_CHECK(v->detected_us <= c->t->now.us, LT_PEER_MALFORMED, "\"detected\" is in the future");
    return LT_OK;
}

static lt_res read_version(struct incident_call *c, const struct incident_case *in, struct version *v)
{
    struct incident_case_scope last;
    LT_TRY(incident_scope_last(c->t, in->id, &last));
    *v = (struct version){
        .number = last.version + 1,
        .text = incident_text(c, "scope"),
        .sha256 = incident_data(c, "scope"),
        .members_sha256 = incident_data(c, "members-sha256"),
        .as_of_us = incident_number(c, "as-of"),
        .count = incident_number(c, "count"),
        .count_before = last.count,
    };
    LT_CHECK(v->members_sha256.len == HASH_LEN && v->sha256.len == HASH_LEN, LT_PEER_MALFORMED,
             "a scope without its result: what scope/run answered is wanted");
    return last.version == 0 ? LT_OK : check_correction(c, v);
}

/* In the book of scopes as well: run again, compared and listed there like any other (lintel scope diff). Not
 * that of a restricted incident, which everybody could read there. */
static lt_res save(struct incident_call *c, const struct incident_case *in, const struct version *v)
{
    struct ca_turn *t = c->t;
    Ipc__ScopeWanted w = IPC__SCOPE_WANTED__INIT;
    const char *ignored = NULL;
    if (in->restricted) {
        return LT_OK;
    }
    w.name = lt_arena_printf(t->arena, "incident-%lld", (long long)in->id);
    w.text = lt_arena_cstr(t->arena, lt_slice_cstr(v->text));
    w.note = lt_arena_cstr(t->arena, lt_slice_sub(lt_slice_cstr(incident_text(c, "wrong")), 0, 900));
    LT_ASSERT(w.name != NULL && w.text != NULL && w.note != NULL);
    w.sha256 = (ProtobufCBinaryData){v->sha256.len, (uint8_t *)(uintptr_t)v->sha256.ptr};
    w.members_sha256 = (ProtobufCBinaryData){v->members_sha256.len,
                                             (uint8_t *)(uintptr_t)v->members_sha256.ptr};
    w.as_of_us = v->as_of_us;
    w.count = (uint64_t)v->count;
    return ca_scope_save(t, &w, c->by, c->jws, &ignored);
}

static void say(struct ca_body *b, struct incident_call *c, int64_t id, const struct version *v)
{
    ca_body_init(b);
    ca_body_int(b, "incident", id);
    ca_body_int(b, "version", v->number);
    ca_body_text(b, "scope", lt_slice_sub(lt_slice_cstr(v->text), 0, INCIDENT_WORDS_MAX));
    ca_body_hex(b, "sha256", v->sha256);
    ca_body_int(b, "count", v->count);
    ca_body_hex(b, "members_sha256", v->members_sha256);
    ca_body_time(b, "as_of", (lt_time){v->as_of_us});
    if (v->detected_us != 0) {
        ca_body_int(b, "count_before", v->count_before);
        ca_body_time(b, "detected", (lt_time){v->detected_us});
        ca_body_str(b, "wrong", incident_text(c, "wrong"));
        ca_body_str(b, "avoided", incident_text(c, "avoided"));
    }
    ca_body_str(b, "by", c->by);
}

lt_res incident_case_op_scope(struct incident_call *c)
{
    struct incident_case in;
    struct version v;
    struct ca_body b;
    LT_TRY(incident_case_of(c, &in));
    LT_TRY(read_version(c, &in, &v));
    LT_TRY(save(c, &in, &v));
    LT_TRY(store_exec(c->t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(in.id), STORE_I(v.number), STORE_S(v.text), STORE_B(v.sha256),
                                 STORE_I(v.as_of_us), STORE_I(v.count), STORE_B(v.members_sha256),
                                 STORE_I(v.detected_us), STORE_S(incident_text(c, "wrong")),
                                 STORE_S(incident_text(c, "avoided")), STORE_I(c->t->now.us), STORE_S(c->by)),
                      NULL));
    LT_TRY(incident_case_scoped(c->t, in.id, v.number));
    say(&b, c, in.id, &v);
    LT_TRY(incident_case_event(c->t, in.id, v.detected_us != 0 ? "incident.corrected" : "incident.scoped", &b,
                               c->jws));
    if (v.detected_us != 0) {
        LT_TRY(incident_clock_happened(c->t, "scope.corrected", incident_case_subject(c->t, in.id),
                                       (lt_time){v.detected_us}, "incident.corrected"));
    }
    if (incident_case_next(in.status, "declare") != NULL) {
        LT_TRY(incident_step(c->t, in.id, "declare", c->by, "its scope is known"));
    }
    LT_TRY(incident_step(c->t, in.id, "scope", c->by, v.detected_us != 0 ? incident_text(c, "wrong") : ""));
    say(&b, c, in.id, &v);
    return incident_case_answer(c, in.id, &b);
}

/* ---- a court's order ---- */

struct tally {
    int64_t done;
    int64_t already; /* held, or not any more */
    int64_t revoked; /* too late for the order */
};

/* "tls:0a1b…" */
static lt_res read_named(struct ca_turn *t, const char *text, Ipc__HoldWanted *h)
{
    lt_slice rest = lt_slice_cstr(text);
    lt_slice serial;
    size_t colon = lt_slice_find(rest, ':');
    LT_CHECK(colon < rest.len && colon > 0, LT_PEER_MALFORMED,
             "\"%.80s\" is not the name of an issuer, a colon and a serial number in hex", text);
    h->issuer = lt_arena_cstr(t->arena, lt_slice_sub(rest, 0, colon));
    LT_ASSERT(h->issuer != NULL);
    LT_TRY(lt_unhex(t->arena, lt_slice_sub(rest, colon + 1, rest.len), &serial));
    LT_CHECK(serial.len > 0 && serial.len <= SERIAL_MAX, LT_PEER_MALFORMED, "a serial number of %zu bytes",
             serial.len);
    h->serial = (ProtobufCBinaryData){serial.len, (uint8_t *)(uintptr_t)serial.ptr};
    return LT_OK;
}

static lt_res hold_one(struct incident_call *c, const struct incident_case *in, const char *named, bool lift,
                       struct tally *n)
{
    const struct ca_hold_asker by = {.operator_name = c->by}; /* the request is kept once, for all of them */
    Ipc__HoldWanted h = IPC__HOLD_WANTED__INIT;
    const char *ignored = NULL;
    LT_TRY(read_named(c->t, named, &h));
    const struct ca_issuer *issuer = ca_issuer_by_name(c->t->book, lt_slice_cstr(h.issuer));
    LT_CHECK(issuer != NULL, LT_PEER_NOT_FOUND, "there is no issuer \"%.64s\"", h.issuer);
    lt_res held = ca_hold_check(c->t, issuer->id, LT_SLICE(h.serial.data, h.serial.len));
    if ((held.code == LT_POLICY_REFUSED) != lift) {
        n->already++;
        return LT_OK;
    }
    h.reason = in->restricted /* everybody reads the list of holds */
                   ? lt_arena_printf(c->t->arena, "incident %s", c->id)
                   : lt_arena_printf(c->t->arena, "incident %s: %s", c->id, incident_text(c, "reason"));
    h.reference = lt_arena_cstr(c->t->arena, lt_slice_cstr(incident_text(c, "reference")));
    LT_ASSERT(h.reason != NULL && h.reference != NULL);
    lt_res r = lift ? ca_hold_lift(c->t, &by, &h, &ignored) : ca_hold_add(c->t, &by, &h, &ignored);
    if (r.code == LT_PEER_CONFLICT && !lift) {
        n->revoked++;
        return LT_OK;
    }
    LT_TRY(r);
    n->done++;
    return LT_OK;
}

static lt_res hold_all(struct incident_call *c, bool lift)
{
    struct incident_case in;
    struct tally n = {0};
    struct ca_body bodies[2];
    LT_TRY(incident_case_of(c, &in));
    for (size_t i = 0;; i++) {
        const char *named = incident_text_nth(c, "certificates", i);
        if (named == NULL) {
            break;
        }
        LT_TRY(hold_one(c, &in, named, lift, &n));
    }
    for (size_t i = 0; i < LT_COUNT(bodies); i++) {
        ca_body_init(&bodies[i]);
        ca_body_int(&bodies[i], "incident", in.id);
        ca_body_str(&bodies[i], "reason", incident_text(c, "reason"));
        ca_body_str(&bodies[i], "reference", incident_text(c, "reference"));
        ca_body_int(&bodies[i], lift ? "thawed" : "held", n.done);
        ca_body_int(&bodies[i], "already", n.already);
        ca_body_int(&bodies[i], "revoked", n.revoked);
        ca_body_str(&bodies[i], "by", c->by);
    }
    lt_res r = incident_case_event(c->t, in.id, lift ? "incident.thawed" : "incident.held", &bodies[0],
                                   c->jws);
    lt_res said = incident_case_answer(c, in.id, &bodies[1]);
    return lt_failed(r) ? r : said;
}

lt_res incident_case_op_freeze(struct incident_call *c)
{
    return hold_all(c, false);
}

lt_res incident_case_op_thaw(struct incident_call *c)
{
    return hold_all(c, true);
}
