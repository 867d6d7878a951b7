/* Authorizations of a large book: for each a row, a row of evidence, and a frame with what the check saw in a
 * segment, as issuance writes them. One is good for all certificates of its set. Remote perspectives are
 * named and signed nothing. */
#include <stdio.h>
#include <string.h>

#include "cmd/bench_inventory.h"
#include "evidence.pb-c.h"
#include "store/segment.h"

static const struct store_sql sql[] = {
    {"inventory.authorization",
     "INSERT INTO authorization (id, account, identifier_type, identifier, wildcard, status, created_us, "
     "expires_us, validated_us) VALUES (?1, ?2, 'dns', ?3, ?4, 'valid', ?5, ?6, ?7)"},
    {"inventory.evidence", "INSERT INTO evidence (authorization_id, checked_us, dimension, ok, "
                           "identifier_type, identifier, dnssec, "
                           "agreeing, dissenting, statement, caa, caa_us, segment, position, length, sha256) "
                           "VALUES (?1, ?2, ?3, 1, "
                           "'dns', ?4, 'insecure', ?5, 0, '', ?6, ?7, ?8, ?9, ?10, ?11)"},
    {"inventory.segment", "INSERT INTO evidence_segment (number, length, created_us) VALUES (?1, ?2, ?3) "
                          "ON CONFLICT (number) DO UPDATE SET length = ?2"},
};
enum { SQL_AUTHORIZATION, SQL_EVIDENCE, SQL_SEGMENT };

enum { RECORD_MAX = 16 * 1024, LIFETIME_DAYS = 398 };

struct writer {
    struct inventory_load *load;
    struct store_segments *segments; /* owned */
};

struct proof {
    uint64_t id;
    uint64_t account;
    const char *identifier;
    bool wildcard;
    int64_t at_us;
    int64_t dimension;
    struct inventory_dimension how;
    bool caa;
};

/* What a validator says of a name that it believes in. */
static lt_res append(struct writer *w, const struct proof *p, struct store_frame_ref *ret_ref)
{
    char asked[160];
    char digest[] = "what came back from there, 32 b.";
    char address[] = "192.0.2.80";
    char *addresses[] = {address};
    char *looked[] = {(char *)(uintptr_t)p->identifier};
    uint8_t packed[RECORD_MAX];
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    Ipc__CaaCheck caa = IPC__CAA_CHECK__INIT;
    Ipc__Validated v = IPC__VALIDATED__INIT;
    Ipc__EvidenceRecord record = IPC__EVIDENCE_RECORD__INIT;
    (void)snprintf(asked, sizeof asked, "http://%s:80/.well-known/acme-challenge/", p->identifier);
    identifier.type = (char *)(uintptr_t) "dns";
    identifier.value = (char *)(uintptr_t)p->identifier;
    caa.checked = true;
    caa.permitted = true;
    caa.dnssec = (char *)(uintptr_t) "insecure";
    caa.checked_us = p->at_us;
    caa.looked_up = looked;
    caa.n_looked_up = 1;
    v.authorization_id = (int64_t)p->id;
    v.identifier = &identifier;
    v.method = (char *)(uintptr_t)p->how.method;
    v.ok = true;
    v.addresses = addresses;
    v.n_addresses = 1;
    v.address_used = address;
    v.resolver = (char *)(uintptr_t)p->how.resolver;
    v.dnssec = (char *)(uintptr_t) "insecure";
    v.http_status = 200;
    v.answer_sha256 = (ProtobufCBinaryData){32, (uint8_t *)digest};
    v.started_us = p->at_us - 40000;
    v.finished_us = p->at_us;
    v.perspective = (char *)(uintptr_t) "primary";
    v.build = (char *)(uintptr_t)p->how.build;
    v.ruleset = (char *)(uintptr_t)p->how.rule_set;
    v.asked = asked;
    v.caa = p->caa ? &caa : NULL;
    record.authorization_id = (int64_t)p->id;
    record.checked_us = p->at_us;
    record.primary = &v;
    size_t len = ipc__evidence_record__get_packed_size(&record);
    LT_ASSERT(len <= sizeof packed);
    (void)ipc__evidence_record__pack(&record, packed); /* exactly len, just measured */
    return store_segments_append(w->segments, LT_SLICE(packed, len), (lt_time){w->load->shape.now_us},
                                 ret_ref);
}

static lt_res add(struct writer *w, const struct proof *p)
{
    struct store_frame_ref ref = {0};
    LT_TRY(append(w, p, &ref));
    LT_TRY(store_exec(w->load->store, &sql[SQL_AUTHORIZATION],
                      STORE_ARGS(STORE_I(p->id), STORE_I(p->account), STORE_S(p->identifier),
                                 STORE_I(p->wildcard ? 1 : 0), STORE_I(p->at_us - 2 * LT_US_PER_SECOND),
                                 STORE_I(p->at_us + LIFETIME_DAYS * LT_SECONDS_PER_DAY * LT_US_PER_SECOND),
                                 STORE_I(p->at_us)),
                      NULL));
    return store_exec(w->load->store, &sql[SQL_EVIDENCE],
                      STORE_ARGS(STORE_I(p->id), STORE_I(p->at_us), STORE_I(p->dimension),
                                 STORE_S(p->identifier), STORE_I(p->how.agreeing),
                                 STORE_S(p->caa ? "permitted" : ""), p->caa ? STORE_I(p->at_us) : STORE_N,
                                 STORE_I(ref.segment), STORE_I((int64_t)ref.position), STORE_I(ref.length),
                                 STORE_B(LT_SLICE(ref.sha256, sizeof ref.sha256))),
                      NULL);
}

static lt_res add_set(struct writer *w, uint64_t set)
{
    const struct inventory_shape *s = &w->load->shape;
    struct proof p = {.id = inventory_set_first(s, set),
                      .account = inventory_set_account(s, set),
                      .at_us = inventory_set_validated_us(s, set),
                      .caa = inventory_set_caa(s, set)};
    for (uint64_t k = 0; k < inventory_set_names(set); k++) {
        char name[INVENTORY_TEXT];
        inventory_name(s, set, k, name);
        size_t dimension = inventory_name_dimension(set, k);
        p.id++;
        p.wildcard = name[0] == '*';
        p.identifier = p.wildcard ? name + 2 : name;
        p.dimension = (int64_t)dimension + 1;
        p.how = inventory_dimension(dimension);
        LT_TRY(add(w, &p));
    }
    return LT_OK;
}

/* The frames are on the disk before their rows are. */
static lt_res next_group(struct writer *w)
{
    uint32_t segment = 0;
    uint64_t length = 0;
    LT_TRY(store_segments_flush(w->segments, &segment, &length));
    if (segment != 0) {
        LT_TRY(store_exec(
            w->load->store, &sql[SQL_SEGMENT],
            STORE_ARGS(STORE_I(segment), STORE_I((int64_t)length), STORE_I(w->load->shape.now_us)), NULL));
    }
    return inventory_next_group(w->load);
}

static lt_res write_all(struct writer *w)
{
    const struct inventory_shape *s = &w->load->shape;
    for (uint64_t set = 0; set < s->sets; set++) {
        LT_TRY(add_set(w, set));
        if ((set + 1) % (INVENTORY_GROUP / 4) == 0) {
            LT_TRY(next_group(w));
        }
        inventory_tell(w->load, set + 1, s->sets);
    }
    return next_group(w);
}

lt_res inventory_load_evidence(struct inventory_load *l)
{
    const char *lost = NULL;
    struct writer w = {.load = l};
    inventory_phase(l, "evidence");
    const struct store_segments_options o = {
        .folder = lt_arena_printf(&l->c->arena, "%s/evidence", l->folder), .now = {l->shape.now_us}};
    LT_CHECK(o.folder != NULL, LT_PEER_USAGE, "%s: the path is too long", l->folder);
    LT_TRY(store_segments_open(&o, &l->c->arena, &w.segments, &lost));
    lt_res r = write_all(&w);
    store_segments_close(w.segments);
    return r;
}
