/* Which keys belong to a drill. */
#include "signer/key_mark.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"

enum { FILE_MAX = 256 * 1024 };

lt_res signer_key_mark_check(const char *path, lt_slice pem, bool drill)
{
    bool marked = lt_slice_starts(pem, LT_LIT(SIGNER_KEY_MARK));
    LT_CHECK(marked || !drill, LT_POLICY_REFUSED, "%.150s is no key of a drill", path);
    LT_CHECK(!marked || drill, LT_POLICY_REFUSED, "%.150s is a key of a drill: no CA signs with it", path);
    return LT_OK;
}

static lt_res check_file(const char *folder, const char *path, bool drill)
{
    struct lt_arena a;
    lt_slice pem = {0};
    lt_arena_init(&a, 2 * FILE_MAX);
    const char *whole = path[0] == '/' ? path : lt_arena_printf(&a, "%s/%s", folder, path);
    lt_res r = whole == NULL ? lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "%.150s: too long", path)
                             : lt_file_read(&a, AT_FDCWD, whole, FILE_MAX, &pem);
    if (!lt_failed(r)) {
        r = signer_key_mark_check(path, pem, drill);
        explicit_bzero((void *)(uintptr_t)pem.ptr, pem.len); /* ours: the arena's */
    }
    lt_arena_done(&a);
    return r;
}

lt_res signer_keys_mark_check(const char *folder, Ipc__IssuerKey *const *issuers, size_t count, bool drill)
{
    for (size_t i = 0; i < count; i++) {
        LT_CHECK(!drill || issuers[i]->pkcs11_uri[0] == 0, LT_POLICY_REFUSED,
                 "issuer %.60s has its key in a token: a drill has no business there", issuers[i]->issuer);
        if (issuers[i]->pkcs11_uri[0] == 0 && issuers[i]->key_file[0] != 0) {
            LT_TRY(check_file(folder, issuers[i]->key_file, drill));
        }
    }
    return check_file(folder, "keys/audit.key", drill);
}
