#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H
/* Bytes from the kernel's CSPRNG (getrandom). Library code takes randomness as a parameter; roles and CLI
 * call this. */
#include "base/slice.h"

/* Fills all of it or ends the process: there is no continuing without randomness. */
void lt_random(uint8_t *out, size_t len);

#endif
