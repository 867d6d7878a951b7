/* What another linter may say, byte for byte: it is never taken for an all-clear that it is not, and never
 * too much to be told. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "role/opinion.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An all-clear names at least one result. */
static bool could_be_clean(lt_slice out)
{
    lt_slice rest = out;
    size_t results = 0;
    for (; rest.len > 0; rest = lt_slice_sub(rest, 1, rest.len)) {
        results += lt_slice_starts(rest, LT_LIT("result"));
        results += lt_slice_starts(rest, LT_LIT("\\u")); /* written another way: anything may stand there */
    }
    return results > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum ca_opinion_level levels[] = {CA_OPINION_ERROR, CA_OPINION_WARN, CA_OPINION_NOTICE};
    static const int codes[] = {CLD_EXITED, CLD_EXITED, CLD_EXITED, CLD_KILLED, CLD_DUMPED};
    if (size < 3) {
        return 0;
    }
    struct lt_arena a;
    Ipc__Opinion o;
    lt_arena_init(&a, 16 * 1024 * 1024);
    struct ca_config_opinion config = {
        .format = data[0] % 2 == 0 ? CA_OPINION_ZLINT : CA_OPINION_STATUS,
        .fail_on = levels[data[0] / 2 % LT_COUNT(levels)],
        .timeout_s = 10,
    };
    struct opinion_end end = {
        .code = codes[data[1] % LT_COUNT(codes)],
        .status = data[2] % 4,
        .late = data[2] >= 240,
        .out = LT_SLICE(data + 3, size - 3),
        .err = LT_SLICE(data + 3, (size - 3) / 2),
    };
    opinion_read(&config, &end, &a, &o);
    if (strcmp(o.outcome, "clean") == 0) {
        LT_ASSERT(end.code == CLD_EXITED && end.status == 0 && !end.late && o.n_findings == 0);
        LT_ASSERT(config.format == CA_OPINION_STATUS || could_be_clean(end.out));
    } else {
        LT_ASSERT(o.detail[0] != 0);
        LT_ASSERT((strcmp(o.outcome, "findings") == 0) == (o.n_findings > 0));
    }
    for (const char *c = o.detail; *c != 0; c++) {
        LT_ASSERT(*c >= ' ' && *c <= '~');
    }
    LT_ASSERT(ipc__opinion__get_packed_size(&o) < 512 * 1024);
    lt_arena_done(&a);
    return 0;
}
