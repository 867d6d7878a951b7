/* Payloads of clients into typed calls: accounts, orders, and what needs no body. CSRs, revocations and key
 * changes are in wire_proof.c. */
#include <string.h>

#include "acme/problem.h"
#include "acme/wire_private.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/ari_map.h"
#include "crypto/digest.h"
#include "x509/dnsname.h"

lt_res wire_cstr(struct wire_reader *r, lt_slice text, char **ret_text)
{
    *ret_text = lt_arena_cstr(r->arena, text);
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

lt_res wire_public_key(struct lt_arena *a, lt_slice spki_der, Ipc__PublicKey *ret_key)
{
    struct x509_spki spki;
    LT_TRY(x509_spki_parse(spki_der, &spki));
    uint8_t *hash = lt_arena_alloc(a, CRYPTO_SHA256_LEN);
    uint8_t *der = lt_arena_alloc(a, spki_der.len);
    LT_CHECK(hash != NULL && der != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    crypto_sha256(spki_der, hash);
    memcpy(der, spki_der.ptr, spki_der.len);
    ipc__public_key__init(ret_key);
    ret_key->spki = (ProtobufCBinaryData){spki_der.len, der};
    ret_key->spki_sha256 = (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hash};
    ret_key->type = (Ipc__KeyType)spki.type;
    ret_key->bits = spki.bits;
    return LT_OK;
}

/* Contacts. */

/*= RFC 8555 7.3 "Clients MUST NOT provide a "mailto" URL in the "contact" field that contains "hfields"
 *= [RFC6068] or more than one "addr-spec" in the "to" component. If a server encounters a "mailto" contact
 *= URL that does not meet these criteria, then it SHOULD reject it as invalid." */
static bool is_address(lt_slice text)
{
    static const char never[] = "?,;:<>()[]\\\"% ";
    lt_slice local;
    if (text.len == 0 || text.len > WIRE_CONTACT_LEN_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= 0x20 || text.ptr[i] >= 0x7f ||
            memchr(never, text.ptr[i], sizeof never - 1) != NULL) {
            return false;
        }
    }
    (void)lt_slice_split(&text, '@', &local); /* true: text is not empty */
    if (local.len == 0 || text.ptr == NULL || text.len > X509_DNS_MAX) {
        return false;
    }
    uint8_t host[X509_DNS_MAX];
    for (size_t i = 0; i < text.len; i++) {
        host[i] = (uint8_t)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] + 32 : text.ptr[i]);
    }
    return !lt_failed(x509_dns_check(LT_SLICE(host, text.len), 0));
}

static lt_res read_contact(struct wire_reader *r, const json_t *value, char **ret_contact)
{
    LT_CHECK(json_is_string(value), LT_PEER_MALFORMED, "a contact is not a string");
    lt_slice text = LT_SLICE(json_string_value(value), json_string_length(value));
    size_t colon = lt_slice_find(text, ':');
    lt_slice scheme = LT_SLICE(text.ptr, colon);
    r->problem_type = "invalidContact";
    LT_CHECK(colon > 0 && colon < text.len, LT_PEER_MALFORMED, "a contact is no URL");
    /*= RFC 8555 7.3 "If the server rejects a contact URL for using an unsupported scheme, it MUST return an
     *= error of type "unsupportedContact"" */
    if (!lt_slice_eq_nocase(scheme, LT_LIT("mailto"))) {
        r->problem_type = "unsupportedContact";
        LT_FAIL(LT_PEER_UNSUPPORTED, "contacts with scheme \"%.*s\" are not taken; use mailto",
                (int)(scheme.len > 32 ? 32 : scheme.len), (const char *)scheme.ptr);
    }
    LT_CHECK(is_address(lt_slice_sub(text, colon + 1, SIZE_MAX)), LT_PEER_MALFORMED,
             "a contact is not mailto: with one plain address");
    r->problem_type = NULL;
    return wire_cstr(r, text, ret_contact);
}

static lt_res read_contacts(struct wire_reader *r, const json_t *list, size_t *ret_count,
                            char ***ret_contacts)
{
    LT_CHECK(json_is_array(list), LT_PEER_MALFORMED, "\"contact\" is not an array");
    size_t count = json_array_size(list);
    r->problem_type = "invalidContact";
    LT_CHECK(count <= WIRE_CONTACTS_MAX, LT_PEER_MALFORMED, "more than %d contacts", WIRE_CONTACTS_MAX);
    r->problem_type = NULL;
    char **contacts = LT_NEW_ARRAY(r->arena, char *, count + 1);
    LT_CHECK(contacts != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < count; i++) {
        LT_TRY(read_contact(r, json_array_get(list, i), &contacts[i]));
    }
    *ret_contacts = contacts;
    *ret_count = count;
    return LT_OK;
}

/* Accounts. */

/* What the registrar needs to check the MAC; what needs no secret is compared here. */
static lt_res read_binding_parts(struct wire_reader *r, lt_slice text, const Ipc__AcmeCall *call,
                                 Ipc__AcmeBinding **ret_binding)
{
    struct jws_binding parts;
    struct jwk key;
    LT_CLEANUP(jose_json_freep) json_t *object = NULL;
    Ipc__AcmeBinding *m = LT_NEW(r->arena, Ipc__AcmeBinding);
    LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_binding__init(m);
    LT_TRY(jws_binding_parse(text, r->arena, &parts));
    /*= RFC 8555 7.3.4 "The "url" field MUST be set to the same value as the outer JWS" */
    LT_CHECK(lt_slice_eq_cstr(parts.url, call->url), LT_PEER_MALFORMED,
             "the external account binding was made for another URL");
    /*= RFC 8555 7.3.4 "Verify that the payload of the JWS represents the same key as was used to verify the
     *= outer JWS" */
    LT_TRY(jose_json_object(parts.payload, &object));
    LT_TRY(jwk_parse(object, r->arena, &key));
    LT_CHECK(lt_slice_eq(key.spki, r->signer_spki), LT_PEER_MALFORMED,
             "the external account binding is of another key than the request's");
    LT_TRY(wire_cstr(r, parts.kid, &m->kid));
    m->hash_bits = (uint32_t)crypto_hash_len(parts.hash) * 8;
    m->signing_input = wire_bytes(parts.signing_input);
    m->mac = wire_bytes(parts.mac);
    *ret_binding = m;
    return LT_OK;
}

static lt_res read_binding(struct wire_reader *r, const json_t *payload, ProtobufCBinaryData *ret_jws)
{
    const json_t *binding = json_object_get(payload, "externalAccountBinding");
    if (binding == NULL || json_is_null(binding)) {
        return LT_OK;
    }
    LT_CHECK(json_is_object(binding), LT_PEER_MALFORMED, "\"externalAccountBinding\" is not an object");
    char *text = json_dumps(binding, JSON_COMPACT);
    LT_ASSERT(text != NULL);
    lt_slice copy = lt_arena_copy(r->arena, lt_slice_cstr(text));
    free(text);
    LT_CHECK(copy.ptr != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    *ret_jws = wire_bytes(copy);
    return LT_OK;
}

static lt_res read_new_account(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call)
{
    Ipc__AcmeNewAccount *m = LT_NEW(r->arena, Ipc__AcmeNewAccount);
    LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_new_account__init(m);
    bool agreed = false;
    bool existing = false;
    LT_TRY(jose_json_optional_bool(payload, "termsOfServiceAgreed", &agreed));
    LT_TRY(jose_json_optional_bool(payload, "onlyReturnExisting", &existing));
    m->terms_agreed = agreed;
    m->only_return_existing = existing;
    const json_t *contact = json_object_get(payload, "contact");
    if (contact != NULL && !json_is_null(contact)) {
        LT_TRY(read_contacts(r, contact, &m->n_contacts, &m->contacts));
    }
    LT_TRY(read_binding(r, payload, &m->eab_jws));
    if (m->eab_jws.len > 0) {
        LT_TRY(read_binding_parts(r, LT_SLICE(m->eab_jws.data, m->eab_jws.len), call, &m->binding));
    }
    call->op = IPC__ACME_OP__ACME_NEW_ACCOUNT;
    call->new_account = m;
    return LT_OK;
}

static lt_res read_update_account(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call)
{
    Ipc__AcmeUpdateAccount *m = LT_NEW(r->arena, Ipc__AcmeUpdateAccount);
    LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_update_account__init(m);
    lt_slice status;
    LT_TRY(jose_json_optional_string(payload, "status", &status));
    /*= RFC 8555 7.3.6 "A client can deactivate an account by posting a signed update to the account URL with
     *= a status field of "deactivated"." */
    /* "valid" changes nothing: clients that send the whole object back mean just that. */
    m->deactivate = lt_slice_eq_cstr(status, "deactivated");
    LT_CHECK(status.len == 0 || m->deactivate || lt_slice_eq_cstr(status, "valid"), LT_PEER_MALFORMED,
             "an account's status can be set to \"deactivated\" alone");
    bool agreed = false;
    LT_TRY(jose_json_optional_bool(payload, "termsOfServiceAgreed", &agreed));
    m->terms_agreed = agreed;
    const json_t *contact = json_object_get(payload, "contact");
    m->has_contacts = contact != NULL;
    if (contact != NULL) {
        LT_TRY(read_contacts(r, contact, &m->n_contacts, &m->contacts));
    }
    call->op = IPC__ACME_OP__ACME_UPDATE_ACCOUNT;
    call->update_account = m;
    return LT_OK;
}

/* Orders. */

static lt_res add_identifier_fault(struct wire_reader *r, const Ipc__Identifier *asked, const char *type)
{
    char detail[sizeof lt_error_last()->detail];
    memcpy(detail, lt_error_last()->detail, sizeof detail);
    if (r->problem == NULL) {
        r->problem = acme_problem(r->arena, type, "%s: %s", asked->value, detail);
        LT_CHECK(r->problem != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    } else if (strcmp(r->problem->type, type) != 0) {
        r->problem->type = lt_arena_cstr(r->arena, lt_slice_cstr("compound"));
        r->problem->detail = lt_arena_cstr(r->arena,
                                           lt_slice_cstr("some of the identifiers cannot be taken"));
        r->problem->status = acme_problem_status("compound");
    }
    return acme_problem_add(r->arena, r->problem, type, asked, detail);
}

static bool known_already(Ipc__Identifier *const *list, size_t count, const Ipc__Identifier *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i]->value, id->value) == 0 && strcmp(list[i]->type, id->type) == 0) {
            return true;
        }
    }
    return false;
}

/* One of the list. A fault becomes a subproblem, so that the client learns of all of them at once. */
/* Does the name lie below the domain? "*.example.org" lies below example.org. */
static bool lies_below(const char *name, const char *domain)
{
    lt_slice n = lt_slice_cstr(name);
    lt_slice d = lt_slice_cstr(domain);
    return n.len > d.len + 1 && lt_slice_ends(n, d) && n.ptr[n.len - d.len - 1] == '.';
}

/*= RFC 9444 4.3 "ancestorDomain" */
static lt_res read_ancestor(struct wire_reader *r, const json_t *object, Ipc__Identifier *id,
                            Ipc__AcmeNewOrder *m)
{
    lt_slice text;
    LT_TRY(jose_json_optional_string(object, "ancestorDomain", &text));
    if (text.len == 0) {
        return LT_OK;
    }
    Ipc__AcmeAncestor *a = LT_NEW(r->arena, Ipc__AcmeAncestor);
    Ipc__Identifier *domain = LT_NEW(r->arena, Ipc__Identifier);
    LT_CHECK(a != NULL && domain != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_ancestor__init(a);
    LT_CHECK(strcmp(id->type, "dns") == 0 && text.ptr[0] != '*', LT_PEER_MALFORMED,
             "an \"ancestorDomain\" is a domain above a name");
    LT_TRY(wire_identifier(r, LT_LIT("dns"), text, domain));
    LT_CHECK(lies_below(id->value, domain->value), LT_PEER_MALFORMED,
             "the \"ancestorDomain\" %.100s is not above %.100s", domain->value, id->value);
    a->identifier = id;
    a->domain = domain->value;
    m->ancestors[m->n_ancestors++] = a;
    return LT_OK;
}

static lt_res read_identifier(struct wire_reader *r, const json_t *object, Ipc__AcmeNewOrder *m)
{
    lt_slice type;
    lt_slice value;
    LT_CHECK(json_is_object(object), LT_PEER_MALFORMED, "an identifier is not an object");
    LT_TRY(jose_json_string(object, "type", &type));
    LT_TRY(jose_json_string(object, "value", &value));
    Ipc__Identifier *id = LT_NEW(r->arena, Ipc__Identifier);
    LT_CHECK(id != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    r->problem_type = NULL;
    lt_res found = wire_identifier(r, type, value, id);
    if (!lt_failed(found)) {
        if (!known_already(m->identifiers, m->n_identifiers, id)) {
            m->identifiers[m->n_identifiers++] = id;
            return read_ancestor(r, object, id, m);
        }
        return LT_OK;
    }
    if (found.code == LT_PEER_TOO_LARGE) {
        return found;
    }
    Ipc__Identifier asked = IPC__IDENTIFIER__INIT;
    const char *fault = r->problem_type == NULL ? "rejectedIdentifier" : r->problem_type;
    LT_TRY(wire_cstr(r, lt_slice_sub(type, 0, 32), &asked.type));
    LT_TRY(wire_cstr(r, lt_slice_sub(value, 0, 128), &asked.value));
    return add_identifier_fault(r, &asked, fault);
}

static lt_res read_date(struct wire_reader *r, const json_t *payload, const char *name, char **ret_text)
{
    lt_slice text;
    lt_time when;
    LT_TRY(jose_json_optional_string(payload, name, &text));
    if (text.len == 0) {
        return LT_OK;
    }
    /*= RFC 8555 7.1.3 "in the date format defined in [RFC3339]" */
    LT_TRY(lt_time_parse(text, &when));
    return wire_cstr(r, text, ret_text);
}

static lt_res read_word(struct wire_reader *r, const json_t *payload, const char *name, char **ret_text)
{
    lt_slice text;
    LT_TRY(jose_json_optional_string(payload, name, &text));
    LT_CHECK(text.len <= 256, LT_PEER_MALFORMED, "\"%s\" has %zu characters", name, text.len);
    return text.len == 0 ? LT_OK : wire_cstr(r, text, ret_text);
}

static lt_res read_new_order(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call)
{
    Ipc__AcmeNewOrder *m = LT_NEW(r->arena, Ipc__AcmeNewOrder);
    LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_new_order__init(m);
    const json_t *list = json_object_get(payload, "identifiers");
    LT_CHECK(json_is_array(list), LT_PEER_MALFORMED, "\"identifiers\" is not an array");
    size_t count = json_array_size(list);
    LT_CHECK(count > 0 && count <= WIRE_IDENTIFIERS_MAX, LT_PEER_MALFORMED,
             "an order has 1 to %d identifiers, not %zu", WIRE_IDENTIFIERS_MAX, count);
    m->identifiers = LT_NEW_ARRAY(r->arena, Ipc__Identifier *, count);
    m->ancestors = LT_NEW_ARRAY(r->arena, Ipc__AcmeAncestor *, count);
    LT_CHECK(m->identifiers != NULL && m->ancestors != NULL, LT_PEER_TOO_LARGE,
             "the request is over the limit");
    for (size_t i = 0; i < count; i++) {
        LT_TRY(read_identifier(r, json_array_get(list, i), m));
    }
    LT_CHECK(r->problem == NULL, LT_PEER_MALFORMED, "identifiers that cannot be taken");
    /* What was not done would be taken for done: the client waits for certificates that never come. */
    LT_CHECK(json_object_get(payload, "auto-renewal") == NULL, LT_PEER_MALFORMED,
             "\"auto-renewal\" (RFC 8739) is not offered here, as the directory says; order without it");
    LT_TRY(read_date(r, payload, "notBefore", &m->not_before));
    LT_TRY(read_date(r, payload, "notAfter", &m->not_after));
    LT_TRY(read_word(r, payload, "profile", &m->profile));
    LT_TRY(read_word(r, payload, "replaces", &m->replaces));
    if (m->replaces[0] != '\0') {
        struct ca_ari_certid id; /* read again by the registrar, out of what has passed here */
        LT_TRY(ca_ari_certid_read(lt_slice_cstr(m->replaces), r->arena, &id));
    }
    call->op = IPC__ACME_OP__ACME_NEW_ORDER;
    call->new_order = m;
    return LT_OK;
}

/* Authorizations and challenges. */

/*= RFC 8555 7.4.1 "To request authorization for an identifier, the client sends a POST request to the
 *= newAuthz resource specifying the identifier for which authorization is being requested" */
static lt_res read_new_authorization(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call)
{
    lt_slice type;
    lt_slice value;
    Ipc__AcmeNewAuthorization *m = LT_NEW(r->arena, Ipc__AcmeNewAuthorization);
    Ipc__Identifier *id = LT_NEW(r->arena, Ipc__Identifier);
    const json_t *object = json_object_get(payload, "identifier");
    LT_CHECK(m != NULL && id != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_CHECK(json_is_object(object), LT_PEER_MALFORMED, "\"identifier\" is not an object");
    ipc__acme_new_authorization__init(m);
    LT_TRY(jose_json_string(object, "type", &type));
    LT_TRY(jose_json_string(object, "value", &value));
    r->problem_type = "rejectedIdentifier";
    LT_TRY(wire_identifier(r, type, value, id));
    r->problem_type = NULL;
    /*= RFC 9444 4.2 "subdomainAuthAllowed" */
    const json_t *subdomains = json_object_get(object, "subdomainAuthAllowed");
    LT_CHECK(subdomains == NULL || json_is_boolean(subdomains), LT_PEER_MALFORMED,
             "\"subdomainAuthAllowed\" is true or false");
    m->identifier = id;
    m->subdomains = json_is_true(subdomains);
    LT_CHECK(!m->subdomains || strcmp(id->type, "dns") == 0, LT_PEER_MALFORMED,
             "an address has no subdomains");
    call->op = IPC__ACME_OP__ACME_NEW_AUTHORIZATION;
    call->new_authorization = m;
    return LT_OK;
}

static lt_res read_authorization_change(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call)
{
    lt_slice status;
    (void)r; /* same signature as its neighbours in the table */
    LT_TRY(jose_json_string(payload, "status", &status));
    /*= RFC 8555 7.5.2 "it may request that the server deactivate each authorization associated with it by
     *= sending POST requests with the static object {"status": "deactivated"} to each authorization URL." */
    LT_CHECK(lt_slice_eq_cstr(status, "deactivated"), LT_PEER_MALFORMED,
             "an authorization's status can be set to \"deactivated\" alone");
    call->op = IPC__ACME_OP__ACME_DEACTIVATE_AUTHORIZATION;
    return LT_OK;
}

static lt_res read_challenge_reply(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call)
{
    (void)r; /* same signature as its neighbours in the table */
    /*= RFC 8555 7.5.1 "The server MUST ignore any fields in the response object that are not specified as
     *= response fields for this type of challenge." */
    (void)payload;
    call->op = IPC__ACME_OP__ACME_REPLY_CHALLENGE;
    return LT_OK;
}

typedef lt_res read_payload(struct wire_reader *r, const json_t *payload, Ipc__AcmeCall *call);

/* What a payload means, and what its absence (POST-as-GET) asks for. */
static const struct {
    enum wire_resource resource;
    Ipc__AcmeOp read_op;
    read_payload *write;
} meanings[] = {
    /* The directory and newNonce by POST-as-GET: the account is asked for, so that its right and the nonce
     * are checked like any other's; the answer is ours. */
    {WIRE_DIRECTORY, IPC__ACME_OP__ACME_GET_ACCOUNT, NULL},
    {WIRE_NEW_NONCE, IPC__ACME_OP__ACME_GET_ACCOUNT, NULL},
    {WIRE_NEW_ACCOUNT, IPC__ACME_OP__ACME_NONE, read_new_account},
    {WIRE_NEW_ORDER, IPC__ACME_OP__ACME_NONE, read_new_order},
    {WIRE_NEW_AUTHORIZATION, IPC__ACME_OP__ACME_NONE, read_new_authorization},
    {WIRE_ACCOUNT, IPC__ACME_OP__ACME_GET_ACCOUNT, read_update_account},
    {WIRE_ORDERS, IPC__ACME_OP__ACME_GET_ORDERS, NULL},
    {WIRE_READINESS, IPC__ACME_OP__ACME_GET_READINESS, NULL},
    {WIRE_ORDER, IPC__ACME_OP__ACME_GET_ORDER, NULL},
    {WIRE_FINALIZE, IPC__ACME_OP__ACME_NONE, wire_read_finalize},
    {WIRE_AUTHORIZATION, IPC__ACME_OP__ACME_GET_AUTHORIZATION, read_authorization_change},
    {WIRE_CHALLENGE, IPC__ACME_OP__ACME_GET_CHALLENGE, read_challenge_reply},
    {WIRE_CERTIFICATE, IPC__ACME_OP__ACME_GET_CERTIFICATE, NULL},
    {WIRE_REVOKE, IPC__ACME_OP__ACME_NONE, wire_read_revoke},
};

/* The object of the path, for all operations on one. */
static lt_res add_object(struct wire_reader *r, const struct wire_target *t, Ipc__AcmeCall *call)
{
    if (call->op == IPC__ACME_OP__ACME_REPLY_CHALLENGE || call->op == IPC__ACME_OP__ACME_GET_CHALLENGE) {
        call->challenge = LT_NEW(r->arena, Ipc__AcmeChallengeReply);
        LT_CHECK(call->challenge != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
        ipc__acme_challenge_reply__init(call->challenge);
        call->challenge->authorization_id = t->id;
        call->challenge->index = t->index;
    }
    if (t->id == 0 && t->serial.len == 0) {
        return LT_OK;
    }
    Ipc__AcmeObject *object = LT_NEW(r->arena, Ipc__AcmeObject);
    LT_CHECK(object != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__acme_object__init(object);
    object->id = t->id;
    object->index = t->index;
    object->cursor = wire_bytes(t->cursor);
    object->serial = wire_bytes(t->serial);
    call->object = object;
    if (call->finalize != NULL) {
        call->finalize->order_id = t->id;
    }
    return LT_OK;
}

static lt_res check_rights(const struct wire_target *t, const Ipc__AcmeCall *call)
{
    bool of_account = t->route->resource == WIRE_ACCOUNT || t->route->resource == WIRE_ORDERS ||
                      t->route->resource == WIRE_READINESS;
    LT_CHECK(!of_account || t->id == call->account_id, LT_PEER_UNAUTHORIZED, "this is another account");
    return LT_OK;
}

static lt_res read_write(struct wire_reader *r, read_payload *read, lt_slice payload, Ipc__AcmeCall *call)
{
    LT_CLEANUP(jose_json_freep) json_t *object = NULL;
    LT_TRY(jose_json_object(payload, &object));
    return read(r, object, call);
}

lt_res wire_read_call(struct wire_reader *r, const struct wire_target *t, const struct jws *jws,
                      lt_slice signer_spki, Ipc__AcmeCall *call)
{
    const struct wire_route *route = t->route;
    r->signer_spki = signer_spki;
    LT_TRY(check_rights(t, call));
    if (route->resource == WIRE_KEY_CHANGE) {
        return wire_read_key_change(r, jws, call);
    }
    size_t i = 0;
    while (meanings[i].resource != route->resource) {
        i++;
        LT_ASSERT(i < LT_COUNT(meanings));
    }
    if (jws->payload.len == 0) {
        LT_CHECK(route->read, LT_PEER_MALFORMED, "this resource needs a payload");
        call->op = meanings[i].read_op;
    } else {
        /*= RFC 8555 6.3 "the "payload" field of the JWS object MUST be present and set to the empty string
         *= ("")." */
        LT_CHECK(route->write, LT_PEER_MALFORMED,
                 "this resource is read by POST-as-GET: the payload is empty");
        LT_TRY(read_write(r, meanings[i].write, jws->payload, call));
    }
    return add_object(r, t, call);
}

lt_res wire_begin_call(struct lt_arena *a, const struct jws *jws, int64_t account_id,
                       const uint8_t *thumbprint, Ipc__AcmeCall *ret_call)
{
    ipc__acme_call__init(ret_call);
    ret_call->nonce = lt_arena_cstr(a, jws->nonce);
    ret_call->url = lt_arena_cstr(a, jws->url);
    ret_call->account_id = account_id;
    lt_slice print = lt_arena_copy(a, LT_SLICE(thumbprint, JWK_THUMBPRINT_LEN));
    LT_CHECK(ret_call->nonce != NULL && ret_call->url != NULL && print.ptr != NULL, LT_PEER_TOO_LARGE,
             "the request is over the limit");
    ret_call->thumbprint = wire_bytes(print);
    if (jws->has_jwk) {
        ret_call->jwk = LT_NEW(a, Ipc__PublicKey);
        ret_call->jwk_alg = lt_arena_cstr(a, lt_slice_cstr(crypto_alg_name(jws->alg)));
        LT_CHECK(ret_call->jwk != NULL && ret_call->jwk_alg != NULL, LT_PEER_TOO_LARGE,
                 "the request is over the limit");
        LT_TRY(wire_public_key(a, jws->jwk.spki, ret_call->jwk));
    }
    return LT_OK;
}

/* Which problem a failure is, where nobody said it better. */
static const struct {
    int code;
    const char *type;
} problem_types[] = {
    {LT_PEER_UNAUTHORIZED, "unauthorized"},
    {LT_PEER_BAD_NONCE, "badNonce"},
    {LT_PEER_UNSUPPORTED, "badSignatureAlgorithm"},
    {LT_POLICY_REFUSED, "badPublicKey"},
    {LT_PEER_MALFORMED, "malformed"},
    {LT_PEER_TOO_LARGE, "malformed"},
    {LT_PEER_NOT_FOUND, "malformed"},
};

Ipc__Problem *wire_problem_of(struct wire_reader *r, lt_res failure)
{
    if (r->problem != NULL) {
        return r->problem;
    }
    const char *type = r->problem_type;
    for (size_t i = 0; i < LT_COUNT(problem_types) && type == NULL; i++) {
        type = problem_types[i].code == failure.code ? problem_types[i].type : NULL;
    }
    Ipc__Problem *p = acme_problem(r->arena, type == NULL ? "serverInternal" : type, "%s",
                                   lt_error_last()->detail);
    if (p != NULL && failure.code == LT_PEER_TOO_LARGE) {
        p->status = 413;
    }
    if (p != NULL && failure.code == LT_PEER_NOT_FOUND) {
        p->status = 404;
    }
    return p;
}
