#ifndef X509_EXT_DECODERS_H
#define X509_EXT_DECODERS_H
/* Private to x509/: one decoder for each known extension. It fails the cursor when the content is wrong; only
 * a full arena is an lt_res. */
#include "x509/ext.h"

/* How many of the entries that a list counts are kept: all, or up to a limit. strict: what a strict cursor
 * takes; beyond it it fails, and a lenient one notes why beyond `lenient`. why: static storage. */
size_t x509_list_room(struct der_cursor *list, size_t count, size_t strict, size_t lenient, const char *why);
/* Over what stands beyond the limit. */
void x509_list_pass(struct der_cursor *list);

typedef lt_res x509_ext_decoder(struct der_cursor *c, struct lt_arena *a, struct x509_extensions *e);

x509_ext_decoder x509_ext_basic_constraints;
x509_ext_decoder x509_ext_key_usage;
x509_ext_decoder x509_ext_eku;
x509_ext_decoder x509_ext_policies;
x509_ext_decoder x509_ext_san;
x509_ext_decoder x509_ext_aki;
x509_ext_decoder x509_ext_ski;
x509_ext_decoder x509_ext_crldp;
x509_ext_decoder x509_ext_aia;
x509_ext_decoder x509_ext_name_constraints;
x509_ext_decoder x509_ext_tls_feature;
x509_ext_decoder x509_ext_ct_poison;
x509_ext_decoder x509_ext_sct_list;
x509_ext_decoder x509_ext_crl_number;
x509_ext_decoder x509_ext_delta_crl;
x509_ext_decoder x509_ext_issuing_point;
x509_ext_decoder x509_ext_issuer_alt_name;
x509_ext_decoder x509_ext_freshest_crl;
x509_ext_decoder x509_ext_sia;
x509_ext_decoder x509_ext_inhibit_any_policy;
x509_ext_decoder x509_ext_policy_constraints;
x509_ext_decoder x509_ext_policy_mappings;

#endif
