#ifndef SANDBOX_INTERNAL_H
#define SANDBOX_INTERNAL_H
/* Inside sandbox/: the two locks that sandbox_enter turns. */
#include "sandbox/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* 0: this kernel has no Landlock. */
unsigned sandbox_landlock_abi(void);
/* Only the paths of the profile stay; TCP bind and connect go where the ABI can (4) and the profile has no
 * SANDBOX_CONNECT. abi: what the kernel offers, or less to behave as an older one; 0 does nothing. */
LT_MUST_USE lt_res sandbox_landlock(const struct sandbox_profile *profile, const char *folder, unsigned abi);
/* Only the calls of the profile's groups stay; any other ends the process. */
LT_MUST_USE lt_res sandbox_seccomp(unsigned calls);

#endif
