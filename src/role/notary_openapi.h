#ifndef ROLE_NOTARY_OPENAPI_H
#define ROLE_NOTARY_OPENAPI_H
/* What the operator API is, as an OpenAPI 3.1 document: made at build time of the tables that the notary
 * itself reads paths and members by, and of what data/openapi says about them (openapi.py). */
#include <stddef.h>
#include <stdint.h>

extern const uint8_t notary_openapi[];
extern const size_t notary_openapi_size;

#endif
