#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H
/* One change to an object in DER that leaves the lengths around it right: an element dropped, doubled, moved,
 * emptied, given another tag, its content changed, cut or made longer; or a byte flipped wherever it stands.
 * What is inside OCTET STRINGs and BIT STRINGs is taken apart, too. The same seed makes the same change. */
#include <stddef.h>
#include <stdint.h>

/* In place; the new size, at most max. */
size_t der_mutate(uint8_t *data, size_t size, size_t max, uint64_t seed);

#endif
