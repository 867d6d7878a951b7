/* The words of the family and who may say which to whom. Read this table and proto/ipc and you know the
 * system. */
#include "ipc/ipc.h"

#include "acme.pb-c.h"
#include "control.pb-c.h"
#include "http.pb-c.h"
#include "mail.pb-c.h"
#include "mailroom.pb-c.h"
#include "mass.pb-c.h"
#include "ocsp.pb-c.h"
#include "operator.pb-c.h"
#include "pages.pb-c.h"
#include "publish.pb-c.h"
#include "query.pb-c.h"
#include "ready.pb-c.h"
#include "sign.pb-c.h"
#include "usage.pb-c.h"
#include "validate.pb-c.h"

enum { KB = 1024, MB = 1024 * 1024 };

static const struct ipc_type_info types[IPC_TYPE_LIMIT] = {
    [IPC_START] = {IPC_START, "Start", &ipc__start__descriptor, 512 * KB, IPC_MAX_FDS},
    [IPC_LINK] = {IPC_LINK, "Link", &ipc__link__descriptor, KB, 1},
    [IPC_READY] = {IPC_READY, "Ready", &ipc__ready__descriptor, KB},
    [IPC_RELOAD] = {IPC_RELOAD, "Reload", &ipc__reload__descriptor, 512 * KB},
    [IPC_DRAIN] = {IPC_DRAIN, "Drain", &ipc__drain__descriptor, KB},
    [IPC_DRAINED] = {IPC_DRAINED, "Drained", &ipc__drained__descriptor, KB},
    [IPC_MISBEHAVED] = {IPC_MISBEHAVED, "Misbehaved", &ipc__misbehaved__descriptor, 4 * KB},
    [IPC_FAMILY_EVENT] = {IPC_FAMILY_EVENT, "FamilyEvent", &ipc__family_event__descriptor, 4 * KB},
    [IPC_HOLD] = {IPC_HOLD, "Hold", &ipc__hold__descriptor, 4 * KB},
    [IPC_HTTP_REQUEST] = {IPC_HTTP_REQUEST, "HttpRequest", &ipc__http_request__descriptor, 128 * KB},
    [IPC_HTTP_RESPONSE] = {IPC_HTTP_RESPONSE, "HttpResponse", &ipc__http_response__descriptor, 16 * MB},
    [IPC_SERVICE_CERTIFICATE_REQUEST] = {IPC_SERVICE_CERTIFICATE_REQUEST, "ServiceCertificateRequest",
                                         &ipc__service_certificate_request__descriptor, 4 * KB},
    [IPC_SERVICE_CERTIFICATE] = {IPC_SERVICE_CERTIFICATE, "ServiceCertificate",
                                 &ipc__service_certificate__descriptor, 64 * KB},
    [IPC_KEY_LOOKUP] = {IPC_KEY_LOOKUP, "KeyLookup", &ipc__key_lookup__descriptor, KB},
    [IPC_KEY_ANSWER] = {IPC_KEY_ANSWER, "KeyAnswer", &ipc__key_answer__descriptor, 4 * KB},
    [IPC_NONCE_REQUEST] = {IPC_NONCE_REQUEST, "NonceRequest", &ipc__nonce_request__descriptor, KB},
    [IPC_NONCE_GRANT] = {IPC_NONCE_GRANT, "NonceGrant", &ipc__nonce_grant__descriptor, 64 * KB},
    [IPC_ACME_CALL] = {IPC_ACME_CALL, "AcmeCall", &ipc__acme_call__descriptor, 512 * KB},
    [IPC_ACME_REPLY] = {IPC_ACME_REPLY, "AcmeReply", &ipc__acme_reply__descriptor, 512 * KB},
    [IPC_OPERATOR_CALL] = {IPC_OPERATOR_CALL, "OperatorCall", &ipc__operator_call__descriptor, 512 * KB},
    [IPC_OPERATOR_REPLY] = {IPC_OPERATOR_REPLY, "OperatorReply", &ipc__operator_reply__descriptor, 512 * KB},
    [IPC_PAGE_CALL] = {IPC_PAGE_CALL, "PageCall", &ipc__page_call__descriptor, 128 * KB},
    [IPC_PAGE_REPLY] = {IPC_PAGE_REPLY, "PageReply", &ipc__page_reply__descriptor, 256 * KB},
    [IPC_QUERY] = {IPC_QUERY, "Query", &ipc__query__descriptor, 128 * KB},
    [IPC_QUERY_REPLY] = {IPC_QUERY_REPLY, "QueryReply", &ipc__query_reply__descriptor, 16 * MB},
    [IPC_SIGN_REQUEST] = {IPC_SIGN_REQUEST, "SignRequest", &ipc__sign_request__descriptor, 8 * MB},
    [IPC_SIGN_REPLY] = {IPC_SIGN_REPLY, "SignReply", &ipc__sign_reply__descriptor, 512 * KB},
    [IPC_SIGN_ORDER] = {IPC_SIGN_ORDER, "SignOrder", &ipc__sign_order__descriptor, 512 * MB, 1},
    [IPC_SIGN_RESULT] = {IPC_SIGN_RESULT, "SignResult", &ipc__sign_result__descriptor, 64 * KB},
    [IPC_JOURNAL_REPLAY] = {IPC_JOURNAL_REPLAY, "JournalReplay", &ipc__journal_replay__descriptor, 512 * KB},
    [IPC_JOURNAL_ACK] = {IPC_JOURNAL_ACK, "JournalAck", &ipc__journal_ack__descriptor, KB},
    [IPC_REVOCATION_RECORD] = {IPC_REVOCATION_RECORD, "RevocationRecord", &ipc__revocation_record__descriptor,
                               KB},
    [IPC_REVOCATION_RECORDED] = {IPC_REVOCATION_RECORDED, "RevocationRecorded",
                                 &ipc__revocation_recorded__descriptor, KB},
    [IPC_KNOT] = {IPC_KNOT, "Knot", &ipc__knot__descriptor, KB},
    [IPC_KNOT_SIGNED] = {IPC_KNOT_SIGNED, "KnotSigned", &ipc__knot_signed__descriptor, 4 * KB},
    [IPC_HALT_LIST] = {IPC_HALT_LIST, "HaltList", &ipc__halt_list__descriptor, MB},
    [IPC_HALT_LIFT] = {IPC_HALT_LIFT, "HaltLift", &ipc__halt_lift__descriptor, 64 * KB},
    [IPC_KEY_BLOCK] = {IPC_KEY_BLOCK, "KeyBlock", &ipc__key_block__descriptor, 4 * KB},
    [IPC_PASSKEY_ADD] = {IPC_PASSKEY_ADD, "PasskeyAdd", &ipc__passkey_add__descriptor, 16 * KB},
    [IPC_KEY_UNBLOCK] = {IPC_KEY_UNBLOCK, "KeyUnblock", &ipc__key_unblock__descriptor, 64 * KB},
    [IPC_LINT_EXCEPTION] = {IPC_LINT_EXCEPTION, "LintException", &ipc__lint_exception__descriptor, 64 * KB},
    [IPC_PLAN_CHECK] = {IPC_PLAN_CHECK, "PlanCheck", &ipc__plan_check__descriptor, 64 * KB},
    [IPC_EXAMINER_VERDICT] = {IPC_EXAMINER_VERDICT, "ExaminerVerdict", &ipc__examiner_verdict__descriptor,
                              4 * KB},
    [IPC_REFUSED] = {IPC_REFUSED, "Refused", &ipc__refused__descriptor, 512 * KB},
    [IPC_OPINION_REQUEST] = {IPC_OPINION_REQUEST, "OpinionRequest", &ipc__opinion_request__descriptor,
                             512 * KB},
    [IPC_OPINION_GIVEN] = {IPC_OPINION_GIVEN, "Opinion", &ipc__opinion__descriptor, 512 * KB},
    [IPC_RULES] = {IPC_RULES, "Rules", &ipc__rules__descriptor, KB},
    [IPC_TOKEN_SIGN] = {IPC_TOKEN_SIGN, "TokenSign", &ipc__token_sign__descriptor, 512 * MB},
    [IPC_TOKEN_SIGNED] = {IPC_TOKEN_SIGNED, "TokenSigned", &ipc__token_signed__descriptor, 4 * KB},
    [IPC_TOKEN_KEYS] = {IPC_TOKEN_KEYS, "TokenKeys", &ipc__token_keys__descriptor, 64 * KB},
    [IPC_VALIDATE] = {IPC_VALIDATE, "Validate", &ipc__validate__descriptor, 16 * KB},
    [IPC_VALIDATED] = {IPC_VALIDATED, "Validated", &ipc__validated__descriptor, 64 * KB},
    [IPC_CORROBORATE] = {IPC_CORROBORATE, "Corroborate", &ipc__corroborate__descriptor, 512 * KB},
    [IPC_CORROBORATED] = {IPC_CORROBORATED, "Corroborated", &ipc__corroborated__descriptor, 128 * KB},
    [IPC_MAIL_SEND] = {IPC_MAIL_SEND, "MailSend", &ipc__mail_send__descriptor, 128 * KB},
    [IPC_MAIL_SENT] = {IPC_MAIL_SENT, "MailSent", &ipc__mail_sent__descriptor, 4 * KB},
    [IPC_HOOK_SEND] = {IPC_HOOK_SEND, "HookSend", &ipc__hook_send__descriptor, 128 * KB},
    [IPC_HOOK_SENT] = {IPC_HOOK_SENT, "HookSent", &ipc__hook_sent__descriptor, 4 * KB},
    [IPC_PUBLISH_HINT] = {IPC_PUBLISH_HINT, "PublishHint", &ipc__publish_hint__descriptor, 4 * KB},
    [IPC_CRL_SIGN_REQUEST] = {IPC_CRL_SIGN_REQUEST, "CrlSignRequest", &ipc__crl_sign_request__descriptor,
                              512 * MB, 1},
    [IPC_CRL_SIGN_REPLY] = {IPC_CRL_SIGN_REPLY, "CrlSignReply", &ipc__crl_sign_reply__descriptor, 64 * KB},
    [IPC_CRL_STORE] = {IPC_CRL_STORE, "CrlStore", &ipc__crl_store__descriptor, 512 * MB},
    [IPC_CRL_STORED] = {IPC_CRL_STORED, "CrlStored", &ipc__crl_stored__descriptor, 4 * KB},
    [IPC_CRL_PUBLISHED] = {IPC_CRL_PUBLISHED, "CrlPublished", &ipc__crl_published__descriptor, KB},
    [IPC_OCSP_ANSWERED] = {IPC_OCSP_ANSWERED, "OcspAnswered", &ipc__ocsp_answered__descriptor, KB},
    [IPC_LIST_PUBLISHED] = {IPC_LIST_PUBLISHED, "ListPublished", &ipc__list_published__descriptor, KB},
    [IPC_CRL_FETCH] = {IPC_CRL_FETCH, "CrlFetch", &ipc__crl_fetch__descriptor, 64 * KB},
    [IPC_CRL_FETCHED] = {IPC_CRL_FETCHED, "CrlFetched", &ipc__crl_fetched__descriptor, 4 * KB},
    [IPC_MEMBERS_WANTED] = {IPC_MEMBERS_WANTED, "MembersWanted", &ipc__members_wanted__descriptor, 128 * KB},
    [IPC_MEMBERS] = {IPC_MEMBERS, "Members", &ipc__members__descriptor, 512 * KB},
    [IPC_RENEWAL_POLLS] = {IPC_RENEWAL_POLLS, "RenewalPolls", &ipc__renewal_polls__descriptor, 128 * KB},
    [IPC_RAW_WANTED] = {IPC_RAW_WANTED, "RawWanted", &ipc__raw_wanted__descriptor, KB},
    [IPC_MAILROOM_TAKE] = {IPC_MAILROOM_TAKE, "MailroomTake", &ipc__mailroom_take__descriptor, 32 * MB},
    [IPC_MAILROOM_READ] = {IPC_MAILROOM_READ, "MailroomRead", &ipc__mailroom_read__descriptor, 48 * MB},
    [IPC_OCSP_SIGN] = {IPC_OCSP_SIGN, "OcspSign", &ipc__ocsp_sign__descriptor, 64 * KB},
    [IPC_OCSP_SIGNED] = {IPC_OCSP_SIGNED, "OcspSigned", &ipc__ocsp_signed__descriptor, 256 * KB},
    [IPC_OCSP_UNKNOWN] = {IPC_OCSP_UNKNOWN, "OcspUnknown", &ipc__ocsp_unknown__descriptor, KB},
    [IPC_OCSP_UNKNOWN_SIGNED] = {IPC_OCSP_UNKNOWN_SIGNED, "OcspUnknownSigned",
                                 &ipc__ocsp_unknown_signed__descriptor, 8 * KB},
    [IPC_RESPONDER_REQUEST] = {IPC_RESPONDER_REQUEST, "ResponderRequest", &ipc__responder_request__descriptor,
                               4 * KB},
    [IPC_RESPONDER_CERTIFICATE] = {IPC_RESPONDER_CERTIFICATE, "ResponderCertificate",
                                   &ipc__responder_certificate__descriptor, 64 * KB},
    [IPC_ENDPOINTS_WANTED] = {IPC_ENDPOINTS_WANTED, "EndpointsWanted", &ipc__endpoints_wanted__descriptor,
                              128 * KB},
    [IPC_ENDPOINTS] = {IPC_ENDPOINTS, "Endpoints", &ipc__endpoints__descriptor, MB},
    [IPC_USAGE_LOOK] = {IPC_USAGE_LOOK, "UsageLook", &ipc__usage_look__descriptor, MB},
    [IPC_USAGE_STOP] = {IPC_USAGE_STOP, "UsageStop", &ipc__usage_stop__descriptor, KB},
    [IPC_USAGE_SEEN] = {IPC_USAGE_SEEN, "UsageSeen", &ipc__usage_seen__descriptor, 256 * KB},
};

/* The control link of every role; written once here instead of ten times below. */
static const struct {
    enum ipc_type type;
    bool from_supervisor;
} control_words[] = {
    {IPC_START, true},  {IPC_LINK, true},     {IPC_RELOAD, true},      {IPC_DRAIN, true},
    {IPC_READY, false}, {IPC_DRAINED, false}, {IPC_MISBEHAVED, false},
};

const struct ipc_edge ipc_edges[] = {
    {IPC_SUPERVISOR, IPC_REGISTRAR, IPC_FAMILY_EVENT},
    {IPC_SUPERVISOR, IPC_REGISTRAR, IPC_HOLD},

    {IPC_GATEWAY, IPC_NOTARY, IPC_HTTP_REQUEST},
    {IPC_NOTARY, IPC_GATEWAY, IPC_HTTP_RESPONSE},
    {IPC_GATEWAY, IPC_NOTARY, IPC_SERVICE_CERTIFICATE_REQUEST},
    {IPC_NOTARY, IPC_GATEWAY, IPC_SERVICE_CERTIFICATE},
    {IPC_GATEWAY, IPC_NOTARY, IPC_RENEWAL_POLLS},

    {IPC_NOTARY, IPC_REGISTRAR, IPC_KEY_LOOKUP},
    {IPC_REGISTRAR, IPC_NOTARY, IPC_KEY_ANSWER},
    {IPC_NOTARY, IPC_REGISTRAR, IPC_NONCE_REQUEST},
    {IPC_REGISTRAR, IPC_NOTARY, IPC_NONCE_GRANT},
    {IPC_NOTARY, IPC_REGISTRAR, IPC_ACME_CALL},
    {IPC_REGISTRAR, IPC_NOTARY, IPC_ACME_REPLY},
    {IPC_NOTARY, IPC_REGISTRAR, IPC_OPERATOR_CALL},
    {IPC_REGISTRAR, IPC_NOTARY, IPC_OPERATOR_REPLY},
    {IPC_NOTARY, IPC_REGISTRAR, IPC_PAGE_CALL},
    {IPC_REGISTRAR, IPC_NOTARY, IPC_PAGE_REPLY},
    {IPC_NOTARY, IPC_REGISTRAR, IPC_SERVICE_CERTIFICATE_REQUEST},
    {IPC_REGISTRAR, IPC_NOTARY, IPC_SERVICE_CERTIFICATE},
    {IPC_NOTARY, IPC_REGISTRAR, IPC_RENEWAL_POLLS},

    {IPC_NOTARY, IPC_READER, IPC_QUERY},
    {IPC_READER, IPC_NOTARY, IPC_QUERY_REPLY},
    {IPC_REGISTRAR, IPC_READER, IPC_MEMBERS_WANTED},
    {IPC_READER, IPC_REGISTRAR, IPC_MEMBERS},
    {IPC_REGISTRAR, IPC_READER, IPC_ENDPOINTS_WANTED},
    {IPC_READER, IPC_REGISTRAR, IPC_ENDPOINTS},

    {IPC_REGISTRAR, IPC_READER, IPC_RAW_WANTED},
    {IPC_READER, IPC_MAILROOM, IPC_MAILROOM_TAKE},
    {IPC_MAILROOM, IPC_REGISTRAR, IPC_MAILROOM_READ},

    {IPC_REGISTRAR, IPC_VALIDATOR, IPC_VALIDATE},
    {IPC_VALIDATOR, IPC_REGISTRAR, IPC_VALIDATED},

    {IPC_REGISTRAR, IPC_COURIER, IPC_CORROBORATE},
    {IPC_COURIER, IPC_REGISTRAR, IPC_CORROBORATED},
    {IPC_REGISTRAR, IPC_COURIER, IPC_MAIL_SEND},
    {IPC_COURIER, IPC_REGISTRAR, IPC_MAIL_SENT},
    {IPC_REGISTRAR, IPC_COURIER, IPC_HOOK_SEND},
    {IPC_COURIER, IPC_REGISTRAR, IPC_HOOK_SENT},
    {IPC_REGISTRAR, IPC_COURIER, IPC_CRL_FETCH},
    {IPC_COURIER, IPC_REGISTRAR, IPC_CRL_FETCHED},
    {IPC_REGISTRAR, IPC_COURIER, IPC_USAGE_LOOK},
    {IPC_REGISTRAR, IPC_COURIER, IPC_USAGE_STOP},
    {IPC_COURIER, IPC_REGISTRAR, IPC_USAGE_SEEN},

    {IPC_REGISTRAR, IPC_EXAMINER, IPC_SIGN_REQUEST},
    {IPC_EXAMINER, IPC_REGISTRAR, IPC_SIGN_REPLY},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_HALT_LIST},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_HALT_LIFT},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_KEY_BLOCK},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_KEY_UNBLOCK},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_PASSKEY_ADD},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_LINT_EXCEPTION},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_PLAN_CHECK},
    {IPC_EXAMINER, IPC_REGISTRAR, IPC_EXAMINER_VERDICT},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_REVOCATION_RECORD},
    {IPC_EXAMINER, IPC_REGISTRAR, IPC_REVOCATION_RECORDED},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_KNOT},
    {IPC_EXAMINER, IPC_REGISTRAR, IPC_KNOT_SIGNED},
    {IPC_REGISTRAR, IPC_EXAMINER, IPC_JOURNAL_ACK},
    {IPC_EXAMINER, IPC_REGISTRAR, IPC_JOURNAL_REPLAY},
    {IPC_EXAMINER, IPC_REGISTRAR, IPC_REFUSED},
    {IPC_EXAMINER, IPC_REGISTRAR, IPC_RULES},

    {IPC_EXAMINER, IPC_OPINION, IPC_OPINION_REQUEST},
    {IPC_OPINION, IPC_EXAMINER, IPC_OPINION_GIVEN},

    {IPC_EXAMINER, IPC_SIGNER, IPC_SIGN_ORDER},
    {IPC_SIGNER, IPC_EXAMINER, IPC_SIGN_RESULT},
    {IPC_EXAMINER, IPC_SIGNER, IPC_REVOCATION_RECORD},
    {IPC_SIGNER, IPC_EXAMINER, IPC_REVOCATION_RECORDED},
    {IPC_EXAMINER, IPC_SIGNER, IPC_KNOT},
    {IPC_SIGNER, IPC_EXAMINER, IPC_KNOT_SIGNED},
    {IPC_EXAMINER, IPC_SIGNER, IPC_JOURNAL_ACK},
    {IPC_SIGNER, IPC_EXAMINER, IPC_JOURNAL_REPLAY},

    {IPC_SIGNER, IPC_TOKEN, IPC_TOKEN_SIGN},
    {IPC_TOKEN, IPC_SIGNER, IPC_TOKEN_SIGNED},
    {IPC_TOKEN, IPC_SIGNER, IPC_TOKEN_KEYS},

    {IPC_REGISTRAR, IPC_PUBLISHER, IPC_PUBLISH_HINT},
    {IPC_PUBLISHER, IPC_EXAMINER, IPC_CRL_SIGN_REQUEST},
    {IPC_EXAMINER, IPC_PUBLISHER, IPC_CRL_SIGN_REPLY},
    {IPC_PUBLISHER, IPC_REGISTRAR, IPC_CRL_STORE},
    {IPC_REGISTRAR, IPC_PUBLISHER, IPC_CRL_STORED},
    {IPC_PUBLISHER, IPC_REGISTRAR, IPC_CRL_PUBLISHED},
    {IPC_PUBLISHER, IPC_REGISTRAR, IPC_OCSP_ANSWERED},
    {IPC_PUBLISHER, IPC_REGISTRAR, IPC_LIST_PUBLISHED},

    {IPC_PUBLISHER, IPC_OCSP_SIGNER, IPC_OCSP_SIGN},
    {IPC_OCSP_SIGNER, IPC_PUBLISHER, IPC_OCSP_SIGNED},
    {IPC_GATEWAY, IPC_OCSP_SIGNER, IPC_OCSP_UNKNOWN},
    {IPC_OCSP_SIGNER, IPC_GATEWAY, IPC_OCSP_UNKNOWN_SIGNED},
    {IPC_OCSP_SIGNER, IPC_REGISTRAR, IPC_RESPONDER_REQUEST},
    {IPC_REGISTRAR, IPC_OCSP_SIGNER, IPC_RESPONDER_CERTIFICATE},
};
const size_t ipc_edge_count = LT_COUNT(ipc_edges);

static const char *const role_names[IPC_ROLE_COUNT] = {
    [IPC_NOBODY] = "nobody",       [IPC_SUPERVISOR] = "supervisor",   [IPC_GATEWAY] = "gateway",
    [IPC_NOTARY] = "notary",       [IPC_REGISTRAR] = "registrar",     [IPC_READER] = "reader",
    [IPC_PUBLISHER] = "publisher", [IPC_EXAMINER] = "examiner",       [IPC_SIGNER] = "signer",
    [IPC_TOKEN] = "token",         [IPC_VALIDATOR] = "validator",     [IPC_OPINION] = "opinion",
    [IPC_COURIER] = "courier",     [IPC_OCSP_SIGNER] = "ocsp-signer", [IPC_MAILROOM] = "mailroom",
};

const struct ipc_type_info *ipc_type_info(enum ipc_type type)
{
    return (unsigned)type < IPC_TYPE_LIMIT && types[type].name != NULL ? &types[type] : NULL;
}

const char *ipc_role_name(enum ipc_role role)
{
    return (unsigned)role < IPC_ROLE_COUNT ? role_names[role] : role_names[IPC_NOBODY];
}

enum ipc_role ipc_role_by_name(lt_slice name)
{
    for (size_t i = 1; i < IPC_ROLE_COUNT; i++) {
        if (lt_slice_eq_cstr(name, role_names[i])) {
            return (enum ipc_role)i;
        }
    }
    return IPC_NOBODY;
}

static bool may_control(enum ipc_role from, enum ipc_role to, enum ipc_type type)
{
    if ((from == IPC_SUPERVISOR) == (to == IPC_SUPERVISOR) || from == IPC_NOBODY || to == IPC_NOBODY) {
        return false;
    }
    for (size_t i = 0; i < LT_COUNT(control_words); i++) {
        if (control_words[i].type == type) {
            return control_words[i].from_supervisor == (from == IPC_SUPERVISOR);
        }
    }
    return false;
}

bool ipc_may_send(enum ipc_role from, enum ipc_role to, enum ipc_type type)
{
    if (may_control(from, to, type)) {
        return true;
    }
    for (size_t i = 0; i < ipc_edge_count; i++) {
        if (ipc_edges[i].from == from && ipc_edges[i].to == to && ipc_edges[i].type == type) {
            return true;
        }
    }
    return false;
}

bool ipc_neighbours(enum ipc_role a, enum ipc_role b)
{
    for (size_t i = 0; i < ipc_edge_count; i++) {
        const struct ipc_edge *e = &ipc_edges[i];
        if ((e->from == a && e->to == b) || (e->from == b && e->to == a)) {
            return true;
        }
    }
    return false;
}
