/* Files that came with a form, as text: the report that is kept, hashed and taken apart by the mailroom is
 * one text, and so is what proofs are looked for in. A file of text is in it as it is; DER gets the label of
 * what it can be read as; everything else is there as PEM of no kind, for people who look at it. */
#include <string.h>

#include "base/text.h"
#include "http/form.h"
#include "incident/proof.h"
#include "role/notary_pages.h"
#include "x509/cert.h"
#include "x509/csr.h"

static bool is_private_key(lt_slice bytes, struct lt_arena *a)
{
    struct incident_proofs *found = LT_NEW(a, struct incident_proofs);
    bool is = false;
    if (found == NULL || lt_failed(incident_proof_look(bytes, a, found))) {
        return true; /* not to be kept, whatever it is */
    }
    for (size_t i = 0; i < found->count; i++) {
        is = is || strcmp(found->list[i].kind, "private-key") == 0;
    }
    return is;
}

static const char *label_of(lt_slice bytes, struct lt_arena *a)
{
    struct x509_cert cert;
    struct x509_csr csr;
    if (is_private_key(bytes, a)) {
        return "PRIVATE KEY";
    }
    if (!lt_failed(x509_cert_parse(bytes, a, &cert))) {
        return "CERTIFICATE";
    }
    if (!lt_failed(x509_csr_parse(bytes, a, &csr))) {
        return "CERTIFICATE REQUEST";
    }
    return "FILE";
}

lt_res notary_file_text(const Ipc__FormPart *file, struct lt_arena *a, struct lt_buf *out)
{
    lt_slice bytes = LT_SLICE(file->data.data, file->data.len);
    if (bytes.len == 0) {
        return LT_OK; /* none was chosen, or there is nothing in it */
    }
    lt_slice name = lt_slice_cstr(file->filename);
    bool named = name.len > 0 && http_form_is_text(name);
    lt_buf_addf(out, "\n--- file %.*s, %zu bytes ---\n", LT_FMT(named ? name : LT_LIT("without a name")),
                bytes.len);
    if (!http_form_is_text(bytes)) {
        lt_pem_add(out, label_of(bytes, a), bytes);
        return LT_OK;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] != '\r') {
            lt_buf_add_byte(out, bytes.ptr[i]);
        }
    }
    lt_buf_add_byte(out, '\n');
    return LT_OK;
}
