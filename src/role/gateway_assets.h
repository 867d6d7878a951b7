#ifndef ROLE_GATEWAY_ASSETS_H
#define ROLE_GATEWAY_ASSETS_H
/* The files of web/dist, as embed_assets.py put them into the program: a table, and all bytes behind each
 * other. */
#include "base/slice.h"

struct gateway_asset {
    const char *path; /* below /console/ */
    const char *type;
    const char *tag; /* of SHA-256, hex */
    bool immutable;  /* its name says its content */
    uint32_t at;     /* in the bytes: as it is, */
    uint32_t len;
    uint32_t packed_at; /* and by gzip */
    uint32_t packed_len;
};

extern const struct gateway_asset gateway_assets[];
extern const size_t gateway_asset_count;
extern const uint8_t gateway_asset_bytes[];

#endif
