#ifndef TESTS_UNIT_VALIDATE_ALPN_H
#define TESTS_UNIT_VALIDATE_ALPN_H
/* A server for tls-alpn-01 that answers as the first label of the name asked for says: "good", or one of the
 * ways of being wrong. */
#include <openssl/types.h>

/* Makes the server's context answer so. authorization: the key authorization that is shown. */
void alpn_serve(SSL_CTX *server, const char *authorization);
/* What the last client asked for. */
const char *alpn_last_name(void);
void alpn_done(void);

#endif
