#ifndef UNIT_SIGNER_SOFTHSM_H
#define UNIT_SIGNER_SOFTHSM_H
/* A SoftHSM token in a folder of its own. */
#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define SOFTHSM_PIN "1234"

struct softhsm {
    char folder[64];
};

/* Makes the folder, says so in SOFTHSM2_CONF, makes a token of that label. */
void softhsm_new(struct softhsm *s, const char *label);
/* The same inside a folder that is there; softhsm_done is not for it. */
void softhsm_in(struct softhsm *s, const char *parent, const char *label);
void softhsm_add_token(const char *label);
void softhsm_done(const struct softhsm *s);
/* Runs a program to its end; asserts that it says it went well. */
void run_program(const char *const *arguments);

#endif
