/* What an authenticator may have said, of any bytes: client data and authenticator data that are taken for an
 * answer are one, and a credential that is read is of a key that we verify with. The first byte is the length
 * of the client data, in fours. */
#include <string.h>

#include "ca/passkey.h"
#include "crypto/digest.h"
#include "role/notary_fido.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t spki[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, /* the generator */
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    crypto_start();
    notary_fido_start();
    return 0;
}

static void a_new_one(lt_slice data)
{
    struct lt_arena a;
    struct notary_fido_new made;
    lt_arena_init(&a, 65536);
    if (!lt_failed(notary_fido_read(data, "localhost", &a, &made))) {
        const struct ca_passkey k = {"ann", "localhost", made.alg, made.credential_id, made.spki};
        (void)ca_passkey_check(&k); /* the point may be none */
        LT_ASSERT(made.credential_id.len > 0 && made.spki.len > 0 && data.len > 55);
    }
    lt_arena_done(&a);
}

static void an_answer(lt_slice client_data, lt_slice data)
{
    uint8_t id[] = {1};
    uint8_t signature[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01};
    uint8_t challenge[CRYPTO_SHA256_LEN];
    uint32_t count = 0;
    struct ca_origins origins;
    const struct ca_passkey k = {"ann", "localhost", "ES256", LT_SLICE(id, sizeof id),
                                 LT_SLICE(spki, sizeof spki)};
    Ipc__PasskeyAssertion m = IPC__PASSKEY_ASSERTION__INIT;
    m.credential_id = (ProtobufCBinaryData){sizeof id, id};
    m.client_data = (ProtobufCBinaryData){client_data.len, (uint8_t *)(uintptr_t)client_data.ptr};
    m.authenticator_data = (ProtobufCBinaryData){data.len, (uint8_t *)(uintptr_t)data.ptr};
    m.signature = (ProtobufCBinaryData){sizeof signature, signature};
    ca_origins_of("127.0.0.1:14001", "ca.example", &origins);
    crypto_sha256(LT_LIT("abc"), challenge);
    lt_res strict = ca_client_data_check(client_data, "webauthn.get", LT_SLICE(challenge, sizeof challenge),
                                         &origins);
    lt_res any = ca_client_data_check(client_data, "webauthn.get", LT_SLICE(challenge, sizeof challenge),
                                      NULL);
    LT_ASSERT(lt_failed(strict) || !lt_failed(any)); /* what one origin makes good is good of any */
    LT_ASSERT(lt_failed(any) || client_data.ptr[0] == '{');
    LT_ASSERT(
        lt_failed(ca_passkey_verify(&k, LT_LIT("abc"), &origins, &m, &count))); /* nobody has signed it */
    LT_ASSERT(data.len > 37 || lt_failed(notary_fido_verify(LT_SLICE(spki, sizeof spki), "localhost", &m)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    lt_slice rest = LT_SLICE(data + 1, size - 1);
    lt_slice client_data = lt_slice_sub(rest, 0, (size_t)data[0] * 4);
    rest = lt_slice_sub(rest, client_data.len, SIZE_MAX);
    a_new_one(rest);
    an_answer(client_data, rest);
    return 0;
}
