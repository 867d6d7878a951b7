#ifndef CA_SESSION_KID_H
#define CA_SESSION_KID_H
/* Names of keys that are not operators' own: said by notary and registrar. */
#define CA_SESSION_KID "session:"
#define CA_PASSKEY_KID "passkey:"

#endif
