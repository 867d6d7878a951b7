#ifndef X509_BUILD_H
#define X509_BUILD_H
/* Private to x509/: what the writers of certificates and CRLs share. */
#include "der/writer.h"
#include "x509/oid.h"

/* Opens an Extension up to the inside of extnValue, and closes it. */
void x509_ext_begin(struct der_writer *w, enum x509_oid oid, bool critical);
void x509_ext_end(struct der_writer *w);
void x509_ext_put_aki(struct der_writer *w, lt_slice key_id);

#endif
