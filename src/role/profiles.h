#ifndef ROLE_PROFILES_H
#define ROLE_PROFILES_H
/* What each program of the family may still do once it is locked in: .sandbox = &role_profiles[IPC_GATEWAY].
 * Programs and the tests of the walls enter the very same rows. */
#include "ipc/ipc.h"
#include "sandbox/sandbox.h"

extern const struct sandbox_profile role_profiles[IPC_ROLE_COUNT];

#endif
