/* The mark of a test CA. */
#include "ca/testing.h"

#include <string.h>

#include "base/text.h"
#include "ca/mark.h"

static const struct ca_mark mark = {
    .file = CA_TESTING_MARK,
    .words =
        "This is the folder of a test CA, made by `lintel init --testing`. Nobody may trust what it issues: "
        "with\n"
        "`testing:` in lintel.yaml it proves nothing and says yes to everything. What follows is its root.\n",
};

void ca_testing_mark(lt_slice root_pem, struct lt_buf *out)
{
    ca_mark_write(&mark, root_pem, out);
}

lt_res ca_testing_marked(int dir_fd, bool *ret_marked)
{
    return ca_mark_read(&mark, dir_fd, ret_marked);
}

lt_res ca_testing_check(int dir_fd, const struct ca_config *config, bool *ret_marked)
{
    LT_TRY(ca_testing_marked(dir_fd, ret_marked));
    LT_CHECK(*ret_marked || !config->testing.wanted, LT_POLICY_REFUSED,
             CA_CONFIG_FILE ": testing: this is no test CA, and never will be one; make one with "
                            "`lintel init --testing DIR`");
    return LT_OK;
}

static lt_res number(const char *name, const char *text, uint32_t most, uint32_t *ret_number)
{
    uint64_t value = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(text), most, &value)), LT_PEER_USAGE,
             "%s: \"%.40s\" is no number up to %u", name, text, most);
    *ret_number = (uint32_t)value;
    return LT_OK;
}

static bool is_true(const char *text)
{
    return text != NULL && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

lt_res ca_testing_environment(struct ca_config_testing *t, char *(*get)(const char *name))
{
    const struct {
        const char *name;
        uint32_t most;
        uint32_t *to;
    } rows[] = {
        {"PEBBLE_WFE_NONCEREJECT", 100, &t->nonce_reject},
        {"PEBBLE_AUTHZREUSE", 100, &t->authz_reuse},
        {"PEBBLE_VA_SLEEPTIME", 30, &t->sleep_s},
    };
    if (!t->wanted) {
        return LT_OK;
    }
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const char *text = get(rows[i].name);
        if (text != NULL && text[0] != 0) {
            LT_TRY(number(rows[i].name, text, rows[i].most, rows[i].to));
        }
    }
    t->always_valid = t->always_valid || is_true(get("PEBBLE_VA_ALWAYS_VALID"));
    t->sleep_s = is_true(get("PEBBLE_VA_NOSLEEP")) ? 0 : t->sleep_s;
    return LT_OK;
}
