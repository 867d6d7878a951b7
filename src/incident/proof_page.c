/* Pages about keys, for anybody: whether one is blocked, and a form that takes proofs that one is
 * compromised. The notary verifies them; what holds is acted on before the answer is read, without a person
 * in between. */
#include <string.h>

#include "base/text.h"
#include "ca/key_block.h"
#include "ca/ready.h"
#include "incident/pages.h"
#include "incident/proof.h"
#include "incident/proof_book.h"

enum { AREA_ROWS = 14 };

static lt_res show_form(struct acme_page *p, uint32_t status, const char *wrong)
{
    char nonce[INCIDENT_PROOF_NONCE_LEN + 1];
    LT_TRY(incident_proof_nonce(p->turn, nonce));
    char *words = lt_arena_printf(p->turn->arena, INCIDENT_PROOF_NONCE_WORDS "%s", nonce);
    char *request = lt_arena_printf(p->turn->arena, "openssl req -new -key KEY -subj '/CN=%s'", words);
    LT_CHECK(words != NULL && request != NULL, LT_PEER_TOO_LARGE, "the page is too large");
    LT_TRY(acme_page_title(p, status, "A private key that others know"));
    LT_TRY(wrong == NULL ? LT_OK : acme_page_tone(p, "bad"));
    LT_TRY(wrong == NULL ? LT_OK : acme_page_text(p, wrong));
    LT_TRY(acme_page_text(
        p, "Show that you have the private key of a certificate of ours, and it is blocked, and all "
           "of its certificates are revoked, within seconds. Proofs are verified by machine. "
           "For everything else, write a problem report: /problem."));
    LT_TRY(acme_page_text(p, "Taken are, in PEM or as text, several at a time:"));
    static const char *const kinds[] = {
        "a certification request that the key has signed, with the common name below",
        "one with the common name \"Proof of Key Compromise for …\", or the words of pwnedkeys.com",
        "a key compromise attestation (draft-mpalmer-key-compromise-attestation)",
        "a Proof of Compromised Key (PoCK)",
        "an answer of the pwnedkeys API, with a certificate of the key",
        "the private key itself: it is used once and wiped; we would rather not have it",
    };
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        LT_TRY(acme_page_item(p, kinds[i]));
    }
    LT_TRY(acme_page_row(p, "Common name, good for one day and once", words));
    LT_TRY(acme_page_row(p, "For example", request));
    LT_TRY(acme_page_area(p, "proof", "Proofs as PEM or text", AREA_ROWS));
    LT_TRY(acme_page_file(p, "file", "Or files that have them"));
    LT_TRY(acme_page_hint(p, "PEM or DER, at most 8 files, 60 kB together."));
    LT_TRY(acme_page_area(p, "contact", "Your mail address (optional)", 0));
    LT_TRY(acme_page_hint(p, "To tell you what became of it."));
    LT_TRY(acme_page_value(p, acme_page_field(p, "contact")));
    LT_TRY(acme_page_complete(p, "email"));
    LT_TRY(acme_page_button(p, "prove", "Send it"));
    return acme_page_answer(p);
}

static lt_res act_on(struct acme_page *p, const Ipc__KeyProof *proof, bool *ret_held)
{
    struct incident_proof_answer a;
    const struct incident_proven proven = {
        .proof = proof, .via = "form", .filer = acme_page_field(p, "contact"), .received = p->turn->now};
    LT_TRY(incident_proof_act(p->turn, &proven, &a));
    char *key = lt_hex(p->turn->arena, LT_SLICE(proof->spki_sha256.data, proof->spki_sha256.len));
    LT_CHECK(key != NULL, LT_PEER_TOO_LARGE, "the page is too large");
    *ret_held = *ret_held || strcmp(a.outcome, "revoking") == 0 || strcmp(a.outcome, "known") == 0;
    char *line = lt_arena_printf(p->turn->arena, "%s%s%s", a.words, key[0] == '\0' ? "" : " Key: ", key);
    LT_CHECK(line != NULL, LT_PEER_TOO_LARGE, "the page is too large");
    return acme_page_item(p, line);
}

lt_res incident_key_proof_page(struct acme_page *p)
{
    bool held = false;
    const char *contact = acme_page_field(p, "contact");
    if (!p->m->post) {
        return show_form(p, 200, NULL);
    }
    if (contact[0] != '\0' && lt_failed(ca_ready_address(lt_slice_cstr(contact)))) {
        return show_form(p, 400, "That is no mail address. Nothing has been done.");
    }
    if (p->m->n_proofs == 0) {
        return show_form(p, 400, "There is nothing in it that could be a proof. Nothing has been done.");
    }
    for (size_t i = 0; i < p->m->n_proofs; i++) {
        LT_TRY(act_on(p, p->m->proofs[i], &held));
    }
    LT_TRY(
        acme_page_title(p, held ? 200 : 422, held ? "Thank you: it is proven" : "This proves nothing to us"));
    LT_TRY(acme_page_text(
        p, held ? "What was found, and what is done:"
                : "What was found. If a certificate of ours is concerned all the same, write a "
                  "problem report: /problem."));
    return acme_page_answer(p);
}

/* 200: it is blocked; 404: it is not. As scripts like it. */
lt_res incident_key_check_page(struct acme_page *p)
{
    lt_slice key;
    bool good = !lt_failed(lt_unhex(p->turn->arena, lt_slice_cstr(p->m->token), &key)) && key.len == 32;
    if (p->m->post || !good) {
        return acme_page_unknown(p);
    }
    lt_res r = ca_key_block_check(p->turn, key);
    if (r.code != LT_POLICY_BLOCKED_KEY) {
        LT_TRY(r);
        LT_TRY(acme_page_title(p, 404, "This key is not blocked"));
    } else {
        LT_TRY(acme_page_title(p, 200, "This key is blocked"));
        LT_TRY(acme_page_text(p, "Certificates of it are not issued here any more."));
    }
    LT_TRY(acme_page_row(p, "SHA-256 of its SubjectPublicKeyInfo", p->m->token));
    return acme_page_answer(p);
}
