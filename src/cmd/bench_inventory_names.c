/* Names, written in the order of their key, and the indexes that would be scattered over while rows come in:
 * dropped before, made again behind. */
#include "cmd/bench_inventory.h"
#include "x509/dnsname.h"

static const struct store_sql drops[] = {
    {"inventory.drop-1", "DROP INDEX certificate_name_back"},
    {"inventory.drop-2", "DROP INDEX certificate_spki"},
    {"inventory.drop-3", "DROP INDEX certificate_sha256"},
    {"inventory.drop-4", "DROP INDEX certificate_name_set"},
    {"inventory.drop-5", "DROP INDEX certificate_account"},
};
/* As the schema has them. */
static const struct store_sql makes[] = {
    {"inventory.make-1", "CREATE INDEX certificate_name_back ON certificate_name(issuer, serial, copy)"},
    {"inventory.make-2", "CREATE INDEX certificate_spki ON certificate(spki_sha256)"},
    {"inventory.make-3", "CREATE INDEX certificate_sha256 ON certificate(sha256)"},
    {"inventory.make-4", "CREATE INDEX certificate_name_set ON certificate(name_set_sha256, issued_us)"},
    {"inventory.make-5", "CREATE INDEX certificate_account ON certificate(account, issued_us)"},
};
static const struct store_sql name_add = {
    "inventory.name", "INSERT INTO certificate_name (name, type, issuer, serial, copy, authorization_id) "
                      "VALUES (?1, 'dns', ?2, ?3, 0, ?4)"};

lt_res inventory_drop_indexes(struct inventory_load *l)
{
    for (size_t i = 0; i < LT_COUNT(drops); i++) {
        LT_TRY(store_exec(l->store, &drops[i], STORE_NO_ARGS, NULL));
    }
    return LT_OK;
}

lt_res inventory_make_indexes(struct inventory_load *l)
{
    inventory_phase(l, "indexes");
    for (size_t i = 0; i < LT_COUNT(makes); i++) {
        inventory_tell(l, i, LT_COUNT(makes));
        LT_TRY(store_exec(l->store, &makes[i], STORE_NO_ARGS, NULL));
        LT_TRY(inventory_next_group(l));
    }
    return LT_OK;
}

static lt_res add_set(struct inventory_load *l, uint64_t set)
{
    struct inventory_one of[INVENTORY_TIMES];
    size_t count = 0;
    for (uint64_t time = 0; time < INVENTORY_TIMES; time++) {
        uint64_t i = inventory_number(&l->shape, set, time);
        if (i < l->shape.count) {
            inventory_one(&l->shape, i, &of[count++]);
        }
    }
    for (uint64_t k = 0; k < inventory_set_names(set); k++) {
        char name[INVENTORY_TEXT];
        inventory_name(&l->shape, set, k, name);
        lt_buf_reset(&l->text);
        x509_dns_reverse(lt_slice_cstr(name), &l->text);
        uint64_t authorization = l->evidence ? inventory_set_first(&l->shape, set) + k + 1 : 0;
        for (size_t n = 0; n < count; n++) {
            LT_TRY(store_exec(l->store, &name_add,
                              STORE_ARGS(STORE_T(lt_buf_slice(&l->text)), STORE_I(l->issuer_id),
                                         STORE_B(LT_SLICE(of[n].serial, INVENTORY_SERIAL)),
                                         STORE_I(authorization)),
                              NULL));
        }
    }
    return LT_OK;
}

lt_res inventory_load_names(struct inventory_load *l)
{
    inventory_phase(l, "names");
    for (uint64_t set = 0; set < l->shape.sets; set++) {
        LT_TRY(add_set(l, set));
        if ((set + 1) % INVENTORY_GROUP == 0) {
            LT_TRY(inventory_next_group(l));
        }
        inventory_tell(l, set + 1, l->shape.sets);
    }
    return LT_OK;
}
