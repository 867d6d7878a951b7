/* TLS Baseline Requirements on time, as zlint judges them: how long a certificate is valid, and from when. */
#include "lint/rules/cabf_br_dates.h"

/* value: days of 86,400 seconds, both ends counted. */
static void validity(const struct lint_subject *s, struct lint_report *r)
{
    int64_t seconds = lint_validity_s(s->cert);
    if (seconds > r->rule->value * LT_SECONDS_PER_DAY) {
        int64_t days = (seconds + LT_SECONDS_PER_DAY - 1) / LT_SECONDS_PER_DAY;
        lint_found(r, s->cert->validity, "valid for %lld days (%lld s)", (long long)days, (long long)seconds);
    }
}

/* SerializedSCT: 2 bytes of length, version, 32 of log id, 8 of milliseconds since 1970, … */
enum { SCT_TIME_AT = 1 + 32, SCT_TIME_LEN = 8, BACKDATED_MS_MAX = 48 * 3600 * 1000 };

static uint64_t big_endian(lt_slice s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        n = n << 8 | s.ptr[i];
    }
    return n;
}

static bool has_scts(const struct lint_subject *s)
{
    return s->cert->ext.sct_list.len > 2;
}

static void backdated(const struct lint_subject *s, struct lint_report *r)
{
    if (lt_time_seconds(s->cert->not_before) < r->rule->effective * LT_SECONDS_PER_DAY) {
        lint_say(r, LINT_NE); /* it was free to, whatever day the other rules are of */
        return;
    }
    lt_slice rest = lt_slice_sub(s->cert->ext.sct_list, 2, s->cert->ext.sct_list.len);
    int64_t begin_ms = lt_time_seconds(s->cert->not_before) * 1000;
    while (rest.len > 2) {
        lt_slice sct = lt_slice_sub(rest, 2, big_endian(lt_slice_sub(rest, 0, 2)));
        rest = lt_slice_sub(rest, 2 + sct.len, rest.len);
        lt_slice stamp = lt_slice_sub(sct, SCT_TIME_AT, SCT_TIME_LEN);
        uint64_t at_ms = big_endian(stamp);
        if (stamp.len < SCT_TIME_LEN || at_ms > INT64_MAX / 2) {
            continue;
        }
        int64_t late_ms = (int64_t)at_ms - begin_ms;
        if (late_ms > BACKDATED_MS_MAX) {
            lint_found(r, sct, "notBefore is %lld hours before an SCT's timestamp",
                       (long long)(late_ms / 3600000));
            return;
        }
    }
}

#define SC_81(level_)                                                                    \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true, \
    .citation = "BR 6.3.2", .unless = LINT_IS_CA, .check = validity

static const struct lint_rule rows[] = {
    {"e_excessively backdated", .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .zlint = true, .asks = "notBefore is no more than 48 hours before the first SCT",
     .citation = "BR 7.1.2.7", .when = LINT_HAS_SCT, .effective = BR_2_0_0, .applies = has_scts,
     .check = backdated},
    {"e_server_cert_valid_time_longer_than_200_days", SC_81(LINT_ERROR),
     .asks = "from 2026-03-15 on a certificate is valid for at most 200 days", .effective = BR_SC_81_FIRST,
     .retired = BR_SC_81_SECOND, .value = 200},
    {"e_server_cert_valid_time_longer_than_100_days", SC_81(LINT_ERROR),
     .asks = "from 2027-03-15 on a certificate is valid for at most 100 days", .effective = BR_SC_81_SECOND,
     .retired = BR_SC_81_THIRD, .value = 100},
    {"e_server_cert_valid_time_longer_than_47_days", SC_81(LINT_ERROR),
     .asks = "from 2029-03-15 on a certificate is valid for at most 47 days", .effective = BR_SC_81_THIRD,
     .value = 47},
    {"w_server_cert_valid_time_longer_than_199_days", SC_81(LINT_WARN),
     .asks = "from 2026-03-15 on a certificate should be valid for at most 199 days",
     .effective = BR_SC_81_FIRST, .retired = BR_SC_81_SECOND, .value = 199},
    {"w_server_cert_valid_time_longer_than_99_days", SC_81(LINT_WARN),
     .asks = "from 2027-03-15 on a certificate should be valid for at most 99 days",
     .effective = BR_SC_81_SECOND, .retired = BR_SC_81_THIRD, .value = 99},
    {"w_server_cert_valid_time_longer_than_46_days", SC_81(LINT_WARN),
     .asks = "from 2029-03-15 on a certificate should be valid for at most 46 days",
     .effective = BR_SC_81_THIRD, .value = 46},
};
const struct lint_table lint_cabf_br_validity = LINT_TABLE(rows);
