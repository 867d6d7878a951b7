/* The form of a question. The registrar draws tokens and random values, so nobody else can tell whether one
 * is new; but that it could be one at all is seen by everybody who is asked. A validator, and above all a
 * remote perspective, that would look for any text at any place proves nothing: every domain holds some known
 * text under some known name, and a registrar in wrong hands would ask for just that. */
#include "validate/question.h"

#include <string.h>

#include "validate/by_hand.h"
#include "validate/contacts.h"
#include "validate/dns_txt.h"

static bool is_base64url(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                    c == '_';
        if (!fine) {
            return false;
        }
    }
    return true;
}

/*= RFC 8555 8.1 "keyAuthorization = token || '.' || base64url(Thumbprint(accountKey))" */
static bool is_key_authorization(lt_slice s, lt_slice token)
{
    lt_slice thumbprint = lt_slice_sub(s, token.len + 1, SIZE_MAX);
    return s.len == token.len + 1 + VALIDATE_THUMBPRINT_TEXT && lt_slice_starts(s, token) &&
           s.ptr[token.len] == '.' && is_base64url(thumbprint);
}

static const char *token_refusal(const Ipc__Validate *q)
{
    lt_slice token = lt_slice_cstr(q->token);
    /*= RFC 8555 8.3 "It MUST NOT contain any characters outside the base64url alphabet" */
    if (token.len < VALIDATE_TOKEN_TEXT_MIN || !is_base64url(token)) {
        return "its token is none: base64url of 128 bits or more";
    }
    return is_key_authorization(lt_slice_cstr(q->key_authorization), token)
               ? NULL
               : "its key authorization is none: the token and a thumbprint";
}

static const char *account_refusal(const Ipc__Validate *q)
{
    lt_slice uri = lt_slice_cstr(q->account_uri);
    bool fine = lt_slice_starts(uri, LT_LIT("https://")) && uri.len > sizeof "https://";
    for (size_t i = 0; i < uri.len; i++) {
        fine = fine && uri.ptr[i] > 0x20 && uri.ptr[i] < 0x7f && uri.ptr[i] != ';';
    }
    return fine ? NULL : "it names no account by its URL";
}

/*= CABF-BR 3.2.2.4.7 "an Authorization Domain Name that is prefixed with a Domain Label that begins with
 * an underscore character" */
static const char *by_hand_refusal(const struct validate_method *m, const Ipc__Validate *q)
{
    lt_slice value = lt_slice_cstr(q->expected);
    if (value.len != VALIDATE_RANDOM_TEXT || !is_base64url(value)) {
        return "it has no random value of this CA's own form";
    }
    if (m->kind == VALIDATE_KIND_DNS && !validate_underscore_label(lt_slice_cstr(q->token))) {
        return "its label does not begin with an underscore";
    }
    /*= CABF-BR 3.2.2.4.18 "The entire Request Token or Random Value MUST NOT appear in the request used to
     * retrieve the file" */
    return strcmp(q->token, validate_by_hand_token(m->name)) == 0
               ? NULL
               : "it is not about the one place where this CA looks";
}

/* Who lists contacts asks the primary one alone: that proves nothing, and nobody is asked to sign it. */
static const char *contact_refusal(const Ipc__Validate *q)
{
    lt_slice contact = lt_slice_cstr(q->expected);
    if (contact.len == 0) {
        return q->perspective[0] != '\0' ? "it names no address that has answered a letter" : NULL;
    }
    return validate_contact_is(contact) ? NULL : "it names no mail address";
}

const char *validate_question_refusal(const struct validate_method *m, const Ipc__Validate *q)
{
    const char *why = NULL;
    switch (m->form) {
    case VALIDATE_FORM_TOKEN:
        why = token_refusal(q);
        break;
    case VALIDATE_FORM_TOKEN_ACCOUNT:
        why = token_refusal(q);
        why = why == NULL ? account_refusal(q) : why;
        break;
    case VALIDATE_FORM_ACCOUNT:
        why = q->token[0] != '\0' ? "it has a token, which no record holds" : account_refusal(q);
        break;
    case VALIDATE_FORM_BY_HAND:
        why = by_hand_refusal(m, q);
        break;
    case VALIDATE_FORM_CONTACT:
        why = contact_refusal(q);
        break;
    case VALIDATE_FORM_CAA:
        why = validate_method_find(q->token, "dns") == NULL ? "it names no method of proof" : NULL;
        break;
    }
    return why;
}
