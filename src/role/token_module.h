#ifndef ROLE_TOKEN_MODULE_H
#define ROLE_TOKEN_MODULE_H
/* What the PKCS #11 modules that we know need beside their code once the doors are closed. Private to
 * role/token*.c. */
#include "base/arena.h"
#include "sandbox/sandbox.h"

/* The walls of the token program for that module: role_profiles[IPC_TOKEN] and the module's own row. Strings
 * live in a. A module without a row gets no files: it has to open what it needs when it starts. */
LT_MUST_USE lt_res token_module_profile(const char *module, struct lt_arena *a,
                                        struct sandbox_profile *ret_profile);

#endif
