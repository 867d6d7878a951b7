/* The table of sentences: what it must never allow, and that it is whole. */
#include "check.h"

#include "ipc/ipc.h"

static void test_every_type_is_used(void **state)
{
    (void)state;
    size_t count = 0;
    for (unsigned t = 0; t < IPC_TYPE_LIMIT; t++) {
        const struct ipc_type_info *info = ipc_type_info((enum ipc_type)t);
        size_t said = 0;
        for (unsigned from = 0; from < IPC_ROLE_COUNT; from++) {
            for (unsigned to = 0; to < IPC_ROLE_COUNT; to++) {
                said += ipc_may_send((enum ipc_role)from, (enum ipc_role)to, (enum ipc_type)t);
            }
        }
        if (info == NULL) {
            assert_int_equal(said, 0);
            continue;
        }
        count++;
        assert_int_equal(info->type, t);
        assert_non_null(info->body);
        assert_string_equal(info->body->short_name, info->name);
        assert_true(info->max_bytes > 0);
        assert_true(info->max_fds <= IPC_MAX_FDS);
        assert_true(said > 0);
    }
    assert_true(count > 40);
    assert_null(ipc_type_info((enum ipc_type)IPC_TYPE_LIMIT));
    assert_null(ipc_type_info((enum ipc_type)UINT32_MAX));
}

/* The walls of the design, one line each: the two never talk. */
static void test_walls(void **state)
{
    (void)state;
    static const enum ipc_role never[][2] = {
        {IPC_REGISTRAR, IPC_SIGNER},   {IPC_REGISTRAR, IPC_TOKEN},      {IPC_EXAMINER, IPC_TOKEN},
        {IPC_GATEWAY, IPC_REGISTRAR},  {IPC_GATEWAY, IPC_EXAMINER},     {IPC_GATEWAY, IPC_SIGNER},
        {IPC_GATEWAY, IPC_READER},     {IPC_GATEWAY, IPC_VALIDATOR},    {IPC_NOTARY, IPC_EXAMINER},
        {IPC_NOTARY, IPC_SIGNER},      {IPC_NOTARY, IPC_VALIDATOR},     {IPC_PUBLISHER, IPC_SIGNER},
        {IPC_VALIDATOR, IPC_SIGNER},   {IPC_VALIDATOR, IPC_EXAMINER},   {IPC_VALIDATOR, IPC_NOTARY},
        {IPC_READER, IPC_EXAMINER},    {IPC_READER, IPC_SIGNER},        {IPC_OPINION, IPC_SIGNER},
        {IPC_OPINION, IPC_REGISTRAR},  {IPC_OPINION, IPC_NOTARY},       {IPC_OPINION, IPC_GATEWAY},
        {IPC_OPINION, IPC_READER},     {IPC_OPINION, IPC_PUBLISHER},    {IPC_OPINION, IPC_VALIDATOR},
        {IPC_OCSP_SIGNER, IPC_SIGNER}, {IPC_OCSP_SIGNER, IPC_EXAMINER}, {IPC_OCSP_SIGNER, IPC_TOKEN},
        {IPC_OCSP_SIGNER, IPC_NOTARY}, {IPC_OCSP_SIGNER, IPC_READER},   {IPC_OCSP_SIGNER, IPC_COURIER},
    };
    for (size_t i = 0; i < LT_COUNT(never); i++) {
        assert_false(ipc_neighbours(never[i][0], never[i][1]));
        assert_false(ipc_neighbours(never[i][1], never[i][0]));
        for (unsigned t = 0; t < IPC_TYPE_LIMIT; t++) {
            assert_false(ipc_may_send(never[i][0], never[i][1], (enum ipc_type)t));
            assert_false(ipc_may_send(never[i][1], never[i][0], (enum ipc_type)t));
        }
    }
}

/* A reader is asked and answers: what it says to the registrar are the members of a scope, or the endpoints
 * of a scan, that the registrar itself asked for, since no long query may run there. Nothing else passes.
 * What strangers reported it hands to the mailroom, which says to the registrar alone what it read. */
static void test_reader_answers_alone(void **state)
{
    (void)state;
    for (unsigned t = 0; t < IPC_TYPE_LIMIT; t++) {
        bool answer = t == IPC_MEMBERS || t == IPC_ENDPOINTS;
        bool question = t == IPC_MEMBERS_WANTED || t == IPC_ENDPOINTS_WANTED || t == IPC_RAW_WANTED;
        assert_int_equal(ipc_may_send(IPC_READER, IPC_REGISTRAR, (enum ipc_type)t), answer);
        assert_int_equal(ipc_may_send(IPC_REGISTRAR, IPC_READER, (enum ipc_type)t), question);
        assert_int_equal(ipc_may_send(IPC_READER, IPC_MAILROOM, (enum ipc_type)t), t == IPC_MAILROOM_TAKE);
        assert_false(ipc_may_send(IPC_MAILROOM, IPC_READER, (enum ipc_type)t));
        assert_int_equal(ipc_may_send(IPC_MAILROOM, IPC_REGISTRAR, (enum ipc_type)t), t == IPC_MAILROOM_READ);
        assert_false(ipc_may_send(IPC_REGISTRAR, IPC_MAILROOM, (enum ipc_type)t));
    }
}

/* Only the examiner orders a signature; nobody but the supervisor starts, links or drains. */
static void test_who_may(void **state)
{
    (void)state;
    static const struct {
        enum ipc_type type;
        enum ipc_role from;
        enum ipc_role to; /* IPC_NOBODY: any role */
    } only[] = {
        {IPC_SIGN_ORDER, IPC_EXAMINER, IPC_SIGNER},       {IPC_ACME_CALL, IPC_NOTARY, IPC_REGISTRAR},
        {IPC_HALT_LIST, IPC_REGISTRAR, IPC_EXAMINER},     {IPC_TOKEN_SIGN, IPC_SIGNER, IPC_TOKEN},
        {IPC_OPERATOR_CALL, IPC_NOTARY, IPC_REGISTRAR},   {IPC_START, IPC_SUPERVISOR, IPC_NOBODY},
        {IPC_LINK, IPC_SUPERVISOR, IPC_NOBODY},           {IPC_DRAIN, IPC_SUPERVISOR, IPC_NOBODY},
        {IPC_HOLD, IPC_SUPERVISOR, IPC_REGISTRAR},        {IPC_OCSP_SIGN, IPC_PUBLISHER, IPC_OCSP_SIGNER},
        {IPC_OCSP_UNKNOWN, IPC_GATEWAY, IPC_OCSP_SIGNER}, {IPC_USAGE_LOOK, IPC_REGISTRAR, IPC_COURIER},
        {IPC_USAGE_SEEN, IPC_COURIER, IPC_REGISTRAR},
    };
    for (size_t i = 0; i < LT_COUNT(only); i++) {
        for (unsigned from = 0; from < IPC_ROLE_COUNT; from++) {
            for (unsigned to = 0; to < IPC_ROLE_COUNT; to++) {
                bool may = ipc_may_send((enum ipc_role)from, (enum ipc_role)to, only[i].type);
                bool should = from == only[i].from && to != IPC_NOBODY && to != IPC_SUPERVISOR &&
                              (only[i].to == IPC_NOBODY || to == only[i].to);
                assert_int_equal(may, should);
            }
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    for (unsigned r = 1; r < IPC_ROLE_COUNT; r++) {
        assert_int_equal(ipc_role_by_name(lt_slice_cstr(ipc_role_name((enum ipc_role)r))), r);
    }
    assert_int_equal(ipc_role_by_name(LT_LIT("nobody")), IPC_NOBODY);
    assert_int_equal(ipc_role_by_name(LT_LIT("")), IPC_NOBODY);
    assert_int_equal(ipc_role_by_name(LT_LIT("gatewayx")), IPC_NOBODY);
    assert_string_equal(ipc_role_name((enum ipc_role)99), "nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_is_used),
        cmocka_unit_test(test_walls),
        cmocka_unit_test(test_reader_answers_alone),
        cmocka_unit_test(test_who_may),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
